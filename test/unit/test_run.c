/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bytes of a run of the journal.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf/run.h"

enum { BLOCK = UDF_BLOCK_BYTES, LBA = 736, ROOM = 64 };

static void fill(uint8_t *block, unsigned number) {
    for (unsigned i = 0; i < BLOCK; i++) {
        block[i] = (uint8_t)(number * 7 + i);
    }
}

/* A run of two blocks, a packet and one that is at home, encoded. The caller
 * frees it. */
static uint8_t *make(struct udf_run_head *out_head) {
    static uint8_t first[BLOCK], second[BLOCK], old[BLOCK];
    struct udf_run run = {0};
    uint8_t *raw = calloc(ROOM, BLOCK);

    assert_non_null(raw);
    fill(first, 1);
    fill(second, 2);
    fill(old, 3);
    assert_int_equal(udf_run_add_packet(&run, 2048, UDF_RUN_PACKET, 99), 0);
    assert_int_equal(udf_run_add_packet(&run, 4096, UDF_RUN_HOME, 0), 0);
    assert_int_equal(udf_run_add_block(&run, 5000, first, old), 0);
    assert_int_equal(udf_run_add_block(&run, 5001, second, NULL), 0);
    run.head.volume = 11;
    run.head.serial = 12;
    run.head.session = 13;
    run.head.lvid = 14;
    run.head.sequence = 7;
    run.head.previous = 6;
    run.head.first = 3;
    run.head.unique_id = UINT64_C(1) << 40;
    run.head.files = 21;
    run.head.directories = 22;
    run.head.lba = LBA;
    run.head.images = true;
    run.head.unit = 32;
    udf_run_encode(&run, raw);
    *out_head = run.head;
    udf_run_clear(&run);
    return raw;
}

static void test_run_comes_back(void **state) {
    struct udf_run_head made, head;
    uint8_t *raw = make(&made);

    (void)state;
    assert_int_equal(made.blocks, 3); /* the table, and two of content */
    assert_int_equal(udf_run_decode_head(raw, LBA, ROOM, &head), 0);
    assert_true(head.sum == made.sum && head.sum != 0);
    assert_true(head.volume == 11 && head.serial == 12 && head.session == 13 &&
                head.lvid == 14 && head.sequence == 7 && head.previous == 6 &&
                head.first == 3 && head.unique_id == UINT64_C(1) << 40);
    assert_true(head.files == 21 && head.directories == 22 &&
                head.entries == 4 && head.contents == 2 && head.images &&
                head.unit == 32);
    assert_int_equal(udf_run_check(raw, &head), 0);
    free(raw);
}

static void test_run_entries_in_order(void **state) {
    struct udf_run_head head;
    uint8_t *raw = make(&head), block[BLOCK];
    struct udf_run_entry entry;
    const uint8_t *content;
    uint32_t contents = 0;

    (void)state;
    udf_run_entry(raw, &head, 0, &contents, &entry, &content);
    assert_true(entry.kind == UDF_RUN_PACKET && entry.lba == 2048 &&
                entry.sum == 99 && !content);
    udf_run_entry(raw, &head, 1, &contents, &entry, &content);
    assert_true(entry.kind == UDF_RUN_HOME && entry.lba == 4096 && !content);
    udf_run_entry(raw, &head, 2, &contents, &entry, &content);
    fill(block, 1);
    assert_true(entry.kind == UDF_RUN_BLOCK && entry.lba == 5000 &&
                entry.old_known && entry.sum == udf_run_sum(block, BLOCK));
    assert_memory_equal(content, block, BLOCK);
    fill(block, 3);
    assert_true(entry.old_sum == udf_run_sum(block, BLOCK));
    udf_run_entry(raw, &head, 3, &contents, &entry, &content);
    fill(block, 2);
    assert_true(entry.lba == 5001 && !entry.old_known);
    assert_memory_equal(content, block, BLOCK);
    free(raw);
}

/* One bit anywhere, and the run does not count. */
static void test_run_any_changed_bit_is_seen(void **state) {
    struct udf_run_head made, head;
    uint8_t *raw = make(&made);

    (void)state;
    for (uint32_t bit = 0; bit < made.blocks * BLOCK * 8; bit += 5) {
        uint8_t mask = (uint8_t)(1u << (bit % 8));

        raw[bit / 8] ^= mask;
        assert_true(udf_run_decode_head(raw, LBA, ROOM, &head) != 0 ||
                    udf_run_check(raw, &head) == -EUCLEAN);
        raw[bit / 8] ^= mask;
    }
    assert_int_equal(udf_run_decode_head(raw, LBA, ROOM, &head), 0);
    assert_int_equal(udf_run_check(raw, &head), 0);
    free(raw);
}

static void test_run_head_must_be_possible(void **state) {
    struct udf_run_head made, head;
    uint8_t *raw = make(&made);
    uint32_t huge = UINT32_MAX;

    (void)state;
    assert_int_equal(udf_run_decode_head(raw, LBA + 1, ROOM, &head), -EUCLEAN);
    assert_int_equal(udf_run_decode_head(raw, LBA, made.blocks - 1, &head),
                     -EUCLEAN);
    memcpy(raw + 96, &huge, sizeof(huge)); /* entries */
    assert_int_equal(udf_run_decode_head(raw, LBA, ROOM, &head), -EUCLEAN);
    memcpy(raw + 100, &huge, sizeof(huge)); /* contents */
    assert_int_equal(udf_run_decode_head(raw, LBA, ROOM, &head), -EUCLEAN);
    memset(raw, 0, BLOCK);
    assert_int_equal(udf_run_decode_head(raw, LBA, ROOM, &head), -ENOENT);
    free(raw);
}

/* The table of a long run takes more than the first block. */
static void test_run_of_many_entries(void **state) {
    struct udf_run run = {
        .head = {.sequence = 1, .first = 1, .lba = LBA, .unit = 32}};
    struct udf_run_head head;
    uint8_t *raw = calloc(ROOM, BLOCK);
    uint32_t contents = 0;

    (void)state;
    assert_non_null(raw);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(udf_run_add_packet(&run, i * 32, UDF_RUN_HOME, i), 0);
    }
    udf_run_encode(&run, raw);
    assert_int_equal(run.head.blocks, 12); /* (128 + 1000 * 24) / 2048 */
    assert_int_equal(udf_run_decode_head(raw, LBA, ROOM, &head), 0);
    assert_int_equal(udf_run_check(raw, &head), 0);
    for (uint32_t i = 0; i < 1000; i++) {
        struct udf_run_entry entry;
        const uint8_t *content;

        udf_run_entry(raw, &head, i, &contents, &entry, &content);
        assert_true(entry.lba == i * 32 && entry.sum == i);
    }
    udf_run_clear(&run);
    free(raw);
}

/* A mount reads every packet that a run names, so they are counted. */
static void test_run_names_so_many_packets(void **state) {
    struct udf_run run = {
        .head = {.sequence = 1, .first = 1, .lba = LBA, .unit = 32}};
    struct udf_run_head head;
    uint8_t *raw = calloc(ROOM, BLOCK);

    (void)state;
    assert_non_null(raw);
    for (uint32_t i = 0; i <= UDF_RUN_PACKETS_MAX; i++) {
        udf_run_encode(&run, raw);
        assert_int_equal(udf_run_decode_head(raw, LBA, ROOM, &head), 0);
        assert_int_equal(udf_run_check(raw, &head), 0);
        assert_int_equal(udf_run_add_packet(&run, i * 32, UDF_RUN_PACKET, i),
                         0);
    }
    udf_run_encode(&run, raw);
    assert_int_equal(udf_run_decode_head(raw, LBA, ROOM, &head), 0);
    assert_int_equal(udf_run_check(raw, &head), -EUCLEAN);
    udf_run_clear(&run);
    free(raw);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_comes_back),
        cmocka_unit_test(test_run_entries_in_order),
        cmocka_unit_test(test_run_any_changed_bit_is_seen),
        cmocka_unit_test(test_run_head_must_be_possible),
        cmocka_unit_test(test_run_of_many_entries),
        cmocka_unit_test(test_run_names_so_many_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
