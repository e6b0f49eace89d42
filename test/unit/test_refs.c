/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "udf/refs.h"

static void test_refs_counts(void **state) {
    struct udf_refs refs;

    (void)state;
    assert_int_equal(udf_refs_init(&refs), 0);
    assert_int_equal(udf_refs_count(&refs, 7), 0);
    assert_int_equal(udf_refs_add(&refs, 7), 0);
    assert_int_equal(udf_refs_add(&refs, 7), 0);
    assert_int_equal(udf_refs_add(&refs, 8), 0);
    assert_int_equal(udf_refs_count(&refs, 7), 2);
    assert_int_equal(udf_refs_drop(&refs, 7, 1), 1);
    assert_int_equal(udf_refs_drop(&refs, 7, 5), 0);
    assert_int_equal(udf_refs_count(&refs, 7), 0);
    assert_int_equal(udf_refs_count(&refs, 8), 1);
    assert_int_equal(udf_refs_drop(&refs, 99, 1), 0);
    udf_refs_free(&refs);
}

/* Random numbers against an array: growing, and removing from the middle of a
 * run of places. */
static void test_refs_match_a_model(void **state) {
    enum { NUMBERS = 5000, STEPS = 200000 };
    static uint64_t model[NUMBERS];
    struct udf_refs refs;

    (void)state;
    srandom(3);
    assert_int_equal(udf_refs_init(&refs), 0);
    for (int i = 0; i < STEPS; i++) {
        size_t n = (size_t)random() % NUMBERS;
        uint64_t ino = (n + 1) * 4096; /* they share their low bits */

        if (random() % 2) {
            assert_int_equal(udf_refs_add(&refs, ino), 0);
            model[n]++;
        } else {
            uint64_t count = (uint64_t)random() % 3 + 1;

            model[n] -= count < model[n] ? count : model[n];
            assert_int_equal(udf_refs_drop(&refs, ino, count), model[n]);
        }
    }
    for (size_t n = 0; n < NUMBERS; n++) {
        assert_int_equal(udf_refs_count(&refs, (n + 1) * 4096), model[n]);
    }
    udf_refs_free(&refs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refs_counts),
        cmocka_unit_test(test_refs_match_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
