/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_overlay.c - blocks of a commit on their way home.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf/overlay.h"

static void put(struct udf_overlay *overlay, uint32_t lba,
                enum udf_overlay_class class, uint8_t value) {
    uint8_t block[UDF_BLOCK_BYTES];

    memset(block, value, sizeof(block));
    assert_int_equal(udf_overlay_put(overlay, lba, class, block), 0);
}

static void test_overlay_finds_the_newest(void **state) {
    struct udf_overlay overlay = {0};

    (void)state;
    assert_null(udf_overlay_find(&overlay, 5));
    for (uint32_t lba = 0; lba < 1000; lba++) {
        put(&overlay, lba * 64, UDF_OVERLAY_ENTRY, (uint8_t)lba);
    }
    put(&overlay, 64, UDF_OVERLAY_SPACE, 200);
    assert_int_equal(overlay.count, 1000);
    assert_int_equal(udf_overlay_find(&overlay, 64)[7], 200);
    assert_int_equal(udf_overlay_find(&overlay, 640)[7], 10);
    assert_null(udf_overlay_find(&overlay, 65));
    udf_overlay_clear(&overlay);
    assert_null(udf_overlay_find(&overlay, 64));
}

static void test_overlay_lists_a_class_in_order(void **state) {
    const struct udf_overlay_block **list;
    struct udf_overlay overlay = {0};
    size_t count;

    (void)state;
    for (uint32_t i = 0; i < 90; i++) {
        put(&overlay, i * 7919 % 1000,
            i % 2 ? UDF_OVERLAY_ENTRY : UDF_OVERLAY_DIRECTORY, 1);
    }
    assert_int_equal(
        udf_overlay_list(&overlay, UDF_OVERLAY_ENTRY, &list, &count), 0);
    assert_int_equal(count, 45);
    for (size_t i = 1; i < count; i++) {
        assert_true(list[i - 1]->lba < list[i]->lba);
        assert_int_equal(list[i]->class, UDF_OVERLAY_ENTRY);
    }
    free(list);
    assert_int_equal(
        udf_overlay_list(&overlay, UDF_OVERLAY_SPACE, &list, &count), 0);
    assert_int_equal(count, 0);
    free(list);
    udf_overlay_clear(&overlay);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlay_finds_the_newest),
        cmocka_unit_test(test_overlay_lists_a_class_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
