/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_prepare_dvd_ram.c - DVD-RAM: sold formatted, written in any
 * block.
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
    *state = bench_open("dvd-ram");
    return 0;
}

static void test_prepare_dvd_ram_needs_nothing(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_true(bench->media.drive_defects);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    assert_int_equal(bench_stats(bench).formats, 0);
    bench_make_volume(bench);
    bench_change_volume(bench, "file", 100);
    bench_check_volume(bench);
}

static void test_prepare_dvd_ram_certifies_it_anew(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options full = {.full = true};

    assert_int_equal(bench_prepare(bench, &full), 0);
    assert_int_equal(bench_stats(bench).formats, 1);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench_stats(bench).refused, 0);
}

static void test_prepare_dvd_ram_respects_write_protection(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options full = {.full = true};

    mmc_vdrive_protect(bench->transport, true);
    bench_look(bench);
    assert_int_equal(bench->media.state, MMC_DISC_READ_ONLY);
    assert_int_equal(bench_prepare(bench, &full), -EROFS);
}

static void test_prepare_dvd_ram_has_no_spares_to_choose(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options none = {.spare = MMC_SPARE_NONE};

    assert_int_equal(bench_prepare(bench, &none), -EINVAL);
    assert_int_equal(bench_stats(bench).formats, 0);
}

int main(void) {
#define MEDIA_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        MEDIA_TEST(test_prepare_dvd_ram_needs_nothing),
        MEDIA_TEST(test_prepare_dvd_ram_certifies_it_anew),
        MEDIA_TEST(test_prepare_dvd_ram_respects_write_protection),
        MEDIA_TEST(test_prepare_dvd_ram_has_no_spares_to_choose),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
