/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counts of how often packets were written, and their bytes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf/desc.h"
#include "udf/wear.h"

enum { UNIT = 16, PACKETS = 40000, BYTES = UNIT * UDF_BLOCK_BYTES };

static const struct udf_wear_head second = {
    .serial = 0x0123456789ABCDEF,
    .number = 7,
    .first = 16352,
    .count = 16352,
    .packet_blocks = 16,
};

/* Counts, and others that a place of theirs is read into. */
struct bench {
    struct udf_wear wear, back;
    uint64_t number; /* of what was read */
    uint8_t raw[BYTES];
};

static int set_up(void **state) {
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    assert_int_equal(udf_wear_init(&bench->wear, PACKETS, 16), 0);
    assert_int_equal(udf_wear_init(&bench->back, PACKETS, 16), 0);
    *state = bench;
    return 0;
}

static int clean_up(void **state) {
    struct bench *bench = *state;

    udf_wear_free(&bench->back);
    udf_wear_free(&bench->wear);
    free(bench);
    return 0;
}

/* Writes the place `said`, and reads it as `wanted`. */
static int pass(struct bench *bench, const struct udf_wear_head *said,
                const struct udf_wear_head *wanted) {
    udf_wear_encode(&bench->wear, said, UNIT, bench->raw);
    return udf_wear_decode(bench->raw, UNIT, wanted, &bench->back,
                           &bench->number);
}

static void test_wear_counts(void **state) {
    struct bench *bench = *state;
    struct udf_wear *wear = &bench->wear;
    struct udf_wear_summary summary;

    udf_wear_summarise(wear, &summary);
    assert_int_equal(summary.packets, PACKETS);
    assert_int_equal(summary.hottest, 0);
    udf_wear_add(wear, 5, 3);
    udf_wear_add(wear, PACKETS - 1, 39997);
    udf_wear_add(wear, PACKETS, 1); /* nobody's */
    udf_wear_add_all(wear);
    udf_wear_summarise(wear, &summary);
    assert_int_equal(summary.hottest, 39998);
    assert_int_equal(summary.hottest_lba, (PACKETS - 1) * 16);
    assert_int_equal(summary.average_tenths, 20); /* 80,000 of 40,000 */
    udf_wear_add(wear, 5, UINT32_MAX);
    assert_int_equal(wear->count[5], UINT16_MAX);
    udf_wear_add_all(wear);
    assert_int_equal(wear->count[5], UINT16_MAX);
    udf_wear_free(wear);
    udf_wear_summarise(wear, &summary);
    assert_int_equal(summary.average_tenths, 0);
}

static void test_wear_pieces(void **state) {
    (void)state;
    assert_int_equal(udf_wear_share(16), 16352);
    assert_int_equal(udf_wear_share(32), 32736);
    assert_int_equal(udf_wear_pieces(0, 32), 0);
    assert_int_equal(udf_wear_pieces(32736, 32), 1);
    assert_int_equal(udf_wear_pieces(32737, 32), 2);
}

static void test_wear_comes_back(void **state) {
    struct bench *bench = *state;
    uint8_t *raw = bench->raw;

    udf_wear_add(&bench->wear, second.first, 1);
    udf_wear_add(&bench->wear, second.first + second.count - 1, 0x1234);
    assert_int_equal(pass(bench, &second, &second), 0);
    assert_memory_equal(raw, "UDFPKTW1", 8);
    assert_int_equal(raw[BYTES - 2], 0x34);
    assert_int_equal(raw[BYTES - 1], 0x12);
    assert_int_equal(bench->number, 7);
    assert_memory_equal(bench->wear.count, bench->back.count,
                        PACKETS * sizeof(uint16_t));
}

static void test_wear_takes_the_newer_place(void **state) {
    struct bench *bench = *state;

    udf_wear_add(&bench->wear, second.first, 9);
    bench->number = 7;
    assert_int_equal(pass(bench, &second, &second), -ESTALE);
    assert_int_equal(bench->back.count[second.first], 0);
    bench->number = 6;
    assert_int_equal(pass(bench, &second, &second), 0);
    assert_int_equal(bench->back.count[second.first], 9);
}

/* Any byte that is not as it was written. */
static void test_wear_damage_is_seen(void **state) {
    struct bench *bench = *state;

    for (size_t at = 0; at < BYTES; at += at < 64 ? 1 : 97) {
        udf_wear_encode(&bench->wear, &second, UNIT, bench->raw);
        bench->raw[at] ^= 0x40;
        int error = udf_wear_decode(bench->raw, UNIT, &second, &bench->back,
                                    &bench->number);
        assert_true(error == -EUCLEAN || error == -ENOENT);
        assert_int_equal(bench->number, 0);
    }
}

/* A medium that was made larger has more packets than the place counts. */
static void test_wear_of_a_smaller_medium(void **state) {
    struct bench *bench = *state;
    struct udf_wear_head fewer = second;

    fewer.count = 100;
    udf_wear_add(&bench->wear, second.first + 99, 9);
    udf_wear_add(&bench->wear, second.first + 100, 9);
    assert_int_equal(pass(bench, &fewer, &second), 0);
    assert_int_equal(bench->back.count[second.first + 99], 9);
    assert_int_equal(bench->back.count[second.first + 100], 0);
}

/* Of another format, of another piece, or of packets of another length. */
static void test_wear_of_others_is_not_taken(void **state) {
    struct udf_wear_head others[4] = {second, second, second, second};

    others[0].serial++;
    others[1].first = 0;
    others[2].count--;
    others[3].packet_blocks = 32;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pass(*state, &second, &others[i]), -ENOENT);
    }
}

int main(void) {
#define ON_COUNTS(test) cmocka_unit_test_setup_teardown(test, set_up, clean_up)
    const struct CMUnitTest tests[] = {
        ON_COUNTS(test_wear_counts),
        cmocka_unit_test(test_wear_pieces),
        ON_COUNTS(test_wear_comes_back),
        ON_COUNTS(test_wear_takes_the_newer_place),
        ON_COUNTS(test_wear_damage_is_seen),
        ON_COUNTS(test_wear_of_a_smaller_medium),
        ON_COUNTS(test_wear_of_others_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
