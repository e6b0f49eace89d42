/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_acl.c - access control lists and modes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "udf/acl.h"

#define ENTRY(tag, perm) tag, 0, perm, 0, 0xFF, 0xFF, 0xFF, 0xFF
#define HEAD 2, 0, 0, 0

/* u::rwx u:-:rw- g::r-- m::rwx o::--- */
static const uint8_t full[] = {HEAD,        ENTRY(1, 7),    ENTRY(2, 6),
                               ENTRY(4, 4), ENTRY(0x10, 7), ENTRY(0x20, 0)};
/* u::rw- g::r-- o::--- */
static const uint8_t small[] = {HEAD, ENTRY(1, 6), ENTRY(4, 4), ENTRY(0x20, 0)};

static void test_acl_gives_the_mode(void **state) {
    bool minimal;
    mode_t bits;

    (void)state;
    assert_int_equal(udf_acl_mode(full, sizeof(full), &bits, &minimal), 0);
    assert_int_equal(bits, 0770);
    assert_false(minimal);
    assert_int_equal(udf_acl_mode(small, sizeof(small), &bits, &minimal), 0);
    assert_int_equal(bits, 0640);
    assert_true(minimal);
}

static void test_acl_follows_chmod(void **state) {
    uint8_t acl[sizeof(full)];
    bool minimal;
    mode_t bits;

    (void)state;
    memcpy(acl, full, sizeof(acl));
    udf_acl_chmod(acl, sizeof(acl), 0751);
    assert_int_equal(udf_acl_mode(acl, sizeof(acl), &bits, &minimal), 0);
    assert_int_equal(bits, 0751);
    assert_memory_equal(acl + 12, full + 12, 16); /* named ones, the group */
}

static void test_acl_is_inherited(void **state) {
    uint8_t acl[sizeof(full)];
    bool minimal;
    mode_t mode, bits;

    (void)state;
    memcpy(acl, full, sizeof(acl));
    assert_int_equal(
        udf_acl_inherit(acl, sizeof(acl), S_IFREG | S_ISGID | 0646, &mode), 0);
    assert_int_equal(mode, S_IFREG | S_ISGID | 0640);
    assert_int_equal(udf_acl_mode(acl, sizeof(acl), &bits, &minimal), 0);
    assert_int_equal(bits, 0640);
    assert_memory_equal(acl + 12, full + 12, 16);
}

/* What is no list is refused, and left alone. */
static void test_acl_refuses_hostile_bytes(void **state) {
    static const struct {
        size_t at;
        uint8_t value;
    } damages[] = {{0, 1}, {2, 1}, {4, 0}, {4, 3},     {4, 4},  {4, 0x40},
                   {6, 8}, {7, 1}, {5, 1}, {28, 0x20}, {36, 2}, {36, 0x10}};
    bool minimal;
    mode_t mode;

    (void)state;
    for (uint32_t cut = 0; cut < sizeof(full); cut++) {
        assert_int_equal(udf_acl_mode(full, cut, &mode, &minimal), -EINVAL);
    }
    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        uint8_t acl[sizeof(full)], before[sizeof(full)];

        memcpy(acl, full, sizeof(acl));
        acl[damages[i].at] = damages[i].value;
        memcpy(before, acl, sizeof(acl));
        assert_int_equal(udf_acl_mode(acl, sizeof(acl), &mode, &minimal),
                         -EINVAL);
        assert_int_equal(udf_acl_inherit(acl, sizeof(acl), 0777, &mode),
                         -EINVAL);
        udf_acl_chmod(acl, sizeof(acl), 0);
        assert_memory_equal(acl, before, sizeof(acl));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acl_gives_the_mode),
        cmocka_unit_test(test_acl_follows_chmod),
        cmocka_unit_test(test_acl_is_inherited),
        cmocka_unit_test(test_acl_refuses_hostile_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
