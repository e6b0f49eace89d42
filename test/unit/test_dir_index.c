/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_dir_index.c - names by hash.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf/dir_priv.h"

static int count_hits(const struct dir_index *index, uint32_t hash,
                      uint32_t want) {
    uint64_t cursor = UINT64_MAX;
    uint32_t position;
    int hits = 0;

    while (udf_dir_index_next(index, hash, &cursor, &position)) {
        hits += position == want;
    }
    return hits;
}

static void test_dir_index_finds_all_of_one_hash(void **state) {
    struct dir_index index = {0};

    (void)state;
    assert_int_equal(count_hits(&index, 1, 40), 0);
    for (uint32_t i = 1; i <= 5000; i++) {
        assert_int_equal(udf_dir_index_reserve(&index), 0);
        udf_dir_index_add(&index, i % 97, i * 4);
    }
    assert_int_equal(index.live, 5000);
    for (uint32_t i = 1; i <= 5000; i++) {
        assert_int_equal(count_hits(&index, i % 97, i * 4), 1);
        assert_int_equal(count_hits(&index, (i + 1) % 97, i * 4), 0);
    }
    free(index.slot);
}

static void test_dir_index_reuses_what_was_removed(void **state) {
    struct dir_index index = {0};
    size_t room;

    (void)state;
    for (uint32_t i = 1; i <= 100; i++) {
        assert_int_equal(udf_dir_index_reserve(&index), 0);
        udf_dir_index_add(&index, i, i * 4);
    }
    room = index.room;
    for (uint32_t round = 0; round < 1000; round++) {
        uint32_t i = 1 + round % 100;

        udf_dir_index_remove(&index, i, i * 4);
        assert_int_equal(count_hits(&index, i, i * 4), 0);
        assert_int_equal(udf_dir_index_reserve(&index), 0);
        udf_dir_index_add(&index, i, i * 4);
    }
    assert_int_equal(index.live, 100);
    assert_true(index.room <= room * 2);
    free(index.slot);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dir_index_finds_all_of_one_hash),
        cmocka_unit_test(test_dir_index_reuses_what_was_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
