/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_prepare_bd_re.c - BD-RE: with the usual spares, others, or
 * none.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mmc/background.h"
#include "mmc/cdb.h"
#include "mmc/drive.h"
#include "mmc/prepare.h"
#include "test/support/media_bench.h"

static const struct mmc_prepare_options usual = {0};

static int set_up(void **state) {
    *state = bench_open("bd-re");
    return 0;
}

static void test_prepare_bd_re_formats_with_the_usual_spares(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench->media.state, MMC_DISC_BLANK);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_true(bench->media.drive_defects);
    assert_int_equal(bench_stats(bench).formats, 1);
    assert_int_equal(bench_stats(bench).refused, 0);
    bench_make_volume(bench);
    bench_change_volume(bench, "file", 100);
    bench_check_volume(bench);
}

static void test_prepare_bd_re_formats_with_chosen_spares(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options least = {.spare = MMC_SPARE_MIN};
    static const struct mmc_prepare_options most = {.spare = MMC_SPARE_MAX};
    uint32_t blocks;

    assert_int_equal(bench_prepare(bench, &least), 0);
    blocks = bench->media.blocks;
    assert_true(bench->media.drive_defects);
    assert_int_equal(bench_prepare(bench, &most), 0);
    assert_true(bench->media.blocks <= blocks);
    assert_true(bench->media.drive_defects);
    assert_int_equal(bench_stats(bench).refused, 0);
}

static void test_prepare_bd_re_formats_without_spares(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options none = {.spare = MMC_SPARE_NONE};

    assert_int_equal(bench_prepare(bench, &none), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_false(bench->media.drive_defects);
    /* Then the file system has to have some. */
    bench_make_volume(bench);
    bench_change_volume(bench, "file", 100);
    bench_check_volume(bench);
}

static void test_prepare_bd_re_certifies_where_the_drive_can(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options full = {.full = true};
    uint64_t before = bench_stats(bench).busy_us;

    assert_int_equal(bench_prepare(bench, &full), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_true(bench_stats(bench).busy_us > before);
    /* A drive that does not certify formats all the same. */
    bench_refuse(bench, MMC_OP_FORMAT_UNIT, 0x052600, 1);
    assert_int_equal(bench_prepare(bench, &full), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
}

int main(void) {
#define MEDIA_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        MEDIA_TEST(test_prepare_bd_re_formats_with_the_usual_spares),
        MEDIA_TEST(test_prepare_bd_re_formats_with_chosen_spares),
        MEDIA_TEST(test_prepare_bd_re_formats_without_spares),
        MEDIA_TEST(test_prepare_bd_re_certifies_where_the_drive_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
