/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_device_ea.c - what device a node is.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/sysmacros.h>

#include "udf/device_ea.h"

static const struct udf_tag_style style = {.version = 3, .serial = 1};

static void test_device_ea_is_found_again(void **state) {
    dev_t device = 0;
    uint8_t *ea;
    uint32_t bytes;

    (void)state;
    assert_int_equal(
        udf_device_ea_make(makedev(11, 70000), 0x0201, 9, &style, &ea, &bytes),
        0);
    assert_int_equal(bytes % 4, 0);
    udf_device_ea_find(ea, bytes, &device);
    assert_int_equal(major(device), 11);
    assert_int_equal(minor(device), 70000);
    free(ea);
}

static void test_device_ea_survives_hostile_bytes(void **state) {
    dev_t device = 5;
    uint8_t *ea;
    uint32_t bytes;

    (void)state;
    assert_int_equal(
        udf_device_ea_make(makedev(1, 3), 0x0150, 9, &style, &ea, &bytes), 0);
    for (uint32_t cut = 0; cut < bytes; cut++) {
        uint8_t *part = malloc(cut + 1); /* so that a sanitizer sees it */

        memcpy(part, ea, cut);
        udf_device_ea_find(part, cut, &device);
        assert_int_equal(device, 5);
        free(part);
    }
    memset(ea + 24 + 8, 0, 4); /* an attribute of length 0 */
    udf_device_ea_find(ea, bytes, &device);
    assert_int_equal(device, 5);
    free(ea);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_device_ea_is_found_again),
        cmocka_unit_test(test_device_ea_survives_hostile_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
