/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_path.c - targets of symbolic links.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf/path.h"

/* Encodes and decodes `target`; expects `back`. */
static void round_trip(const char *target, const char *back) {
    uint8_t *raw;
    uint32_t bytes;
    char text[4096];

    assert_int_equal(udf_path_encode(target, &raw, &bytes), 0);
    assert_int_equal(udf_path_decode(raw, bytes, text, sizeof(text)), 0);
    assert_string_equal(text, back);
    free(raw);
}

static void test_path_keeps_targets(void **state) {
    static const char *const targets[] = {
        "a",        "/",          "/a/b", "..", "../..", "./x",
        "a/../b/.", "größe/短い", "...",  ".a", "/..",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        round_trip(targets[i], targets[i]);
    }
}

static void test_path_drops_needless_slashes(void **state) {
    (void)state;
    round_trip("a//b", "a/b");
    round_trip("a/", "a");
    round_trip("//x", "/x");
}

static void test_path_refuses_what_it_cannot_hold(void **state) {
    char longer[300];
    uint8_t *raw;
    uint32_t bytes;

    (void)state;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(udf_path_encode(longer, &raw, &bytes), -ENAMETOOLONG);
    assert_int_equal(udf_path_encode("", &raw, &bytes), -ENOENT);
    assert_int_equal(udf_path_encode("\xFFz", &raw, &bytes), -EILSEQ);
}

static void test_path_survives_hostile_bytes(void **state) {
    static const uint8_t too_long[] = {5, 200, 0, 0, 8, 'a'};
    static const uint8_t cut[] = {5, 1};
    static const uint8_t unknown[] = {9, 0, 0, 0};
    char text[8];

    (void)state;
    assert_int_equal(
        udf_path_decode(too_long, sizeof(too_long), text, sizeof(text)),
        -EUCLEAN);
    assert_int_equal(udf_path_decode(cut, sizeof(cut), text, sizeof(text)),
                     -EUCLEAN);
    assert_int_equal(
        udf_path_decode(unknown, sizeof(unknown), text, sizeof(text)),
        -EUCLEAN);
    assert_int_equal(udf_path_decode(unknown, 0, text, sizeof(text)), -EUCLEAN);
}

static void test_path_says_when_it_does_not_fit(void **state) {
    static const uint8_t raw[] = {5, 4, 0, 0, 8, 'a', 'b', 'c',
                                  5, 4, 0, 0, 8, 'd', 'e', 'f'};
    char text[8];

    (void)state;
    assert_int_equal(udf_path_decode(raw, sizeof(raw), text, 7), -ENAMETOOLONG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_keeps_targets),
        cmocka_unit_test(test_path_drops_needless_slashes),
        cmocka_unit_test(test_path_refuses_what_it_cannot_hold),
        cmocka_unit_test(test_path_survives_hostile_bytes),
        cmocka_unit_test(test_path_says_when_it_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
