/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counts of how often packets were written, and their bytes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static struct udf_wear make(void) {
    struct udf_wear wear;

    assert_int_equal(udf_wear_init(&wear, PACKETS, 16), 0);
    return wear;
}

static void test_wear_counts(void **state) {
    (void)state;
    struct udf_wear wear = make();
    struct udf_wear_summary summary;

    udf_wear_summarise(&wear, &summary);
    assert_int_equal(summary.packets, PACKETS);
    assert_int_equal(summary.hottest, 0);
    udf_wear_add(&wear, 5, 3);
    udf_wear_add(&wear, PACKETS - 1, 39997);
    udf_wear_add(&wear, PACKETS, 1); /* nobody's */
    udf_wear_add_all(&wear);
    udf_wear_summarise(&wear, &summary);
    assert_int_equal(summary.hottest, 39998);
    assert_int_equal(summary.hottest_lba, (PACKETS - 1) * 16);
    assert_int_equal(summary.average_tenths, 20); /* 80,000 of 40,000 */
    udf_wear_add(&wear, 5, UINT32_MAX);
    assert_int_equal(wear.count[5], UINT16_MAX);
    udf_wear_add_all(&wear);
    assert_int_equal(wear.count[5], UINT16_MAX);
    udf_wear_free(&wear);
    udf_wear_summarise(&wear, &summary);
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
    (void)state;
    struct udf_wear wear = make(), back = make();
    static uint8_t raw[BYTES];
    uint64_t number = 0;

    udf_wear_add(&wear, second.first, 1);
    udf_wear_add(&wear, second.first + second.count - 1, 0x1234);
    udf_wear_encode(&wear, &second, UNIT, raw);
    assert_memory_equal(raw, "UDFPKTW1", 8);
    assert_int_equal(raw[BYTES - 2], 0x34);
    assert_int_equal(raw[BYTES - 1], 0x12);
    assert_int_equal(udf_wear_decode(raw, UNIT, &second, &back, &number), 0);
    assert_int_equal(number, 7);
    assert_memory_equal(wear.count, back.count, PACKETS * sizeof(uint16_t));
    udf_wear_free(&back);
    udf_wear_free(&wear);
}

static void test_wear_takes_the_newer_place(void **state) {
    (void)state;
    struct udf_wear wear = make(), back = make();
    static uint8_t raw[BYTES];
    uint64_t number = 7;

    udf_wear_add(&wear, second.first, 9);
    udf_wear_encode(&wear, &second, UNIT, raw);
    assert_int_equal(udf_wear_decode(raw, UNIT, &second, &back, &number),
                     -ESTALE);
    assert_int_equal(back.count[second.first], 0);
    udf_wear_encode(&wear, &second, UNIT, raw);
    number = 6;
    assert_int_equal(udf_wear_decode(raw, UNIT, &second, &back, &number), 0);
    assert_int_equal(back.count[second.first], 9);
    udf_wear_free(&back);
    udf_wear_free(&wear);
}

/* Any byte that is not as it was written. */
static void test_wear_damage_is_seen(void **state) {
    (void)state;
    struct udf_wear wear = make(), back = make();
    static uint8_t raw[BYTES];

    for (size_t at = 0; at < BYTES; at += at < 64 ? 1 : 97) {
        uint64_t number = 0;

        udf_wear_encode(&wear, &second, UNIT, raw);
        raw[at] ^= 0x40;
        int error = udf_wear_decode(raw, UNIT, &second, &back, &number);
        assert_true(error == -EUCLEAN || error == -ENOENT);
        assert_int_equal(number, 0);
    }
    udf_wear_free(&back);
    udf_wear_free(&wear);
}

/* A medium that was made larger has more packets than the place counts. */
static void test_wear_of_a_smaller_medium(void **state) {
    (void)state;
    struct udf_wear wear = make(), back = make();
    static uint8_t raw[BYTES];
    struct udf_wear_head fewer = second;
    uint64_t number = 0;

    fewer.count = 100;
    udf_wear_add(&wear, second.first + 99, 9);
    udf_wear_add(&wear, second.first + 100, 9);
    udf_wear_encode(&wear, &fewer, UNIT, raw);
    assert_int_equal(udf_wear_decode(raw, UNIT, &second, &back, &number), 0);
    assert_int_equal(back.count[second.first + 99], 9);
    assert_int_equal(back.count[second.first + 100], 0);
    udf_wear_free(&back);
    udf_wear_free(&wear);
}

/* Of another format, of another piece, or of packets of another length. */
static void test_wear_of_others_is_not_taken(void **state) {
    (void)state;
    struct udf_wear wear = make();
    static uint8_t raw[BYTES];
    struct udf_wear_head wanted[4] = {second, second, second, second};
    uint64_t number = 0;

    wanted[0].serial++;
    wanted[1].first = 0;
    wanted[2].count--;
    wanted[3].packet_blocks = 32;
    for (int i = 0; i < 4; i++) {
        udf_wear_encode(&wear, &second, UNIT, raw);
        assert_int_equal(udf_wear_decode(raw, UNIT, &wanted[i], &wear, &number),
                         -ENOENT);
    }
    udf_wear_free(&wear);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wear_counts),
        cmocka_unit_test(test_wear_pieces),
        cmocka_unit_test(test_wear_comes_back),
        cmocka_unit_test(test_wear_takes_the_newer_place),
        cmocka_unit_test(test_wear_damage_is_seen),
        cmocka_unit_test(test_wear_of_a_smaller_medium),
        cmocka_unit_test(test_wear_of_others_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
