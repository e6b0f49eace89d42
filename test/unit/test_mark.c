/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an LVID says of the journal.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "udf/mark.h"

enum { BLOCKS = 300000 };

static const struct udf_mark mark = {
    .session = UINT64_C(0x1122334455667788),
    .area = {.lba = 2720, .packets = 72, .packet_blocks = 32},
    .begin = 71,
    .last_anchor = 299999,
};

static struct udf_lvid marked(const struct udf_mark *what) {
    struct udf_lvid lvid = {.files = 5, .directories = 2, .partitions = 1};

    udf_mark_encode(what, &lvid);
    return lvid;
}

static void test_mark_comes_back(void **state) {
    struct udf_lvid lvid = marked(&mark);
    struct udf_mark back;

    (void)state;
    assert_int_equal(udf_mark_decode(&lvid, BLOCKS, &back), 0);
    assert_true(back.session == mark.session && back.area.lba == 2720 &&
                back.area.packets == 72 && back.area.packet_blocks == 32 &&
                back.begin == 71 && back.last_anchor == 299999);
}

/* Marks were shorter once. */
static void test_mark_without_an_anchor(void **state) {
    struct udf_lvid lvid = marked(&mark);
    struct udf_mark back;

    (void)state;
    lvid.own_bytes = 40;
    assert_int_equal(udf_mark_decode(&lvid, BLOCKS, &back), -ESTALE);
    assert_true(back.begin == 71 && back.last_anchor == 0);
}

static void test_mark_none(void **state) {
    struct udf_lvid lvid = {0};
    struct udf_mark back;

    (void)state;
    assert_int_equal(udf_mark_decode(&lvid, BLOCKS, &back), -ENOENT);
    lvid = marked(&mark);
    lvid.own_bytes = 39;
    assert_int_equal(udf_mark_decode(&lvid, BLOCKS, &back), -ENOENT);
}

/* Somebody else wrote the LVID and kept our bytes. */
static void test_mark_of_another_lvid_is_stale(void **state) {
    struct udf_lvid lvid = marked(&mark);
    struct udf_mark back;

    (void)state;
    lvid.files++;
    assert_int_equal(udf_mark_decode(&lvid, BLOCKS, &back), -ESTALE);
    assert_true(back.session == mark.session);
    lvid.files--;
    lvid.free_blocks[0]++;
    assert_int_equal(udf_mark_decode(&lvid, BLOCKS, &back), -ESTALE);
}

static void test_mark_must_be_possible(void **state) {
    struct udf_mark bad[] = {mark, mark, mark, mark, mark, mark};
    struct udf_mark back;

    (void)state;
    bad[0].area.packet_blocks = 24;
    bad[1].area.packet_blocks = 128;
    bad[2].area.lba = 2721;
    bad[3].begin = 72;
    bad[4].area.packets = 0;
    bad[5].area.packets = BLOCKS / 32;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct udf_lvid lvid = marked(&bad[i]);

        assert_int_equal(udf_mark_decode(&lvid, BLOCKS, &back), -EUCLEAN);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mark_comes_back),
        cmocka_unit_test(test_mark_without_an_anchor),
        cmocka_unit_test(test_mark_none),
        cmocka_unit_test(test_mark_of_another_lvid_is_stale),
        cmocka_unit_test(test_mark_must_be_possible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
