/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_dirty.c - dirty blocks of a file against an array.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf/dirty.h"

enum { BLOCKS = 400 };

static void check(const struct udf_dirty *dirty, const uint8_t *model) {
    uint64_t at = 0;
    uint64_t total = 0;

    for (uint64_t b = 0; b < BLOCKS; b++) {
        const uint8_t *memory = udf_dirty_find(dirty, b);

        assert_int_equal(memory != NULL, model[b] != 0);
        if (memory) {
            assert_int_equal(memory[0], model[b]);
            assert_int_equal(memory[UDF_BLOCK_BYTES - 1], model[b]);
            total++;
        }
    }
    assert_int_equal(dirty->blocks, total);
    assert_int_equal(udf_dirty_count(dirty, 0, BLOCKS), total);
    while (at < BLOCKS) {
        uint64_t block = UINT64_MAX;
        uint32_t count = 0;
        uint8_t *memory = udf_dirty_next(dirty, at, &block, &count);

        while (at < BLOCKS && model[at] == 0) {
            at++;
        }
        if (at == BLOCKS) {
            assert_null(memory);
            return;
        }
        assert_int_equal(block, at);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(memory[(size_t)i * UDF_BLOCK_BYTES],
                             model[block + i]);
        }
        at = block + count;
    }
}

static void test_dirty_agrees_with_an_array(void **state) {
    struct udf_dirty dirty = {0};
    uint8_t model[BLOCKS] = {0};

    (void)state;
    srand(4);
    for (int i = 0; i < 3000; i++) {
        uint64_t block = (uint64_t)(rand() % BLOCKS);

        if (rand() % 4 > 0) {
            uint8_t *memory = udf_dirty_add(&dirty, block, block % 3);
            uint8_t value = (uint8_t)(1 + rand() % 255);

            assert_non_null(memory);
            memset(memory, value, UDF_BLOCK_BYTES);
            model[block] = value;
        } else {
            uint64_t to = block + (uint64_t)(rand() % 60);

            udf_dirty_drop(&dirty, block, to);
            for (uint64_t b = block; b < to && b < BLOCKS; b++) {
                model[b] = 0;
            }
        }
        if (i % 50 == 0) {
            check(&dirty, model);
        }
    }
    check(&dirty, model);
    udf_dirty_drop(&dirty, 0, UINT64_MAX);
    assert_null(dirty.chunk);
}

static void test_dirty_counts_part_of_a_chunk(void **state) {
    struct udf_dirty dirty = {0};

    (void)state;
    for (uint64_t b = 10; b < 100; b++) {
        assert_non_null(udf_dirty_add(&dirty, b, 0));
    }
    assert_int_equal(udf_dirty_count(&dirty, 0, 10), 0);
    assert_int_equal(udf_dirty_count(&dirty, 31, 33), 2);
    assert_int_equal(udf_dirty_count(&dirty, 64, 96), 32);
    assert_int_equal(udf_dirty_count(&dirty, 99, UINT64_MAX), 1);
    udf_dirty_drop(&dirty, 0, UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dirty_agrees_with_an_array),
        cmocka_unit_test(test_dirty_counts_part_of_a_chunk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
