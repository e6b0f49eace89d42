/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_prepare_dvd_rw.c - DVD-RW: formatted whole, or quickly and
 * made larger.
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
    *state = bench_open("dvd-rw");
    return 0;
}

static const struct mmc_prepare_options quick = {.quick = true, .blocks = 2048};
static const struct mmc_prepare_options grow = {.grow = true};

static void test_prepare_dvd_rw_formats_a_sequential_disc(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench->media.state, MMC_DISC_BLANK);
    assert_int_equal(bench->media.formattable_blocks, BENCH_BLOCKS);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
    assert_int_equal(bench_stats(bench).formats, 1);
    assert_int_equal(bench_stats(bench).blanks, 0);
    bench_make_volume(bench);
    bench_change_volume(bench, "file", 100);
    bench_check_volume(bench);
}

static void test_prepare_dvd_rw_uses_the_other_format(void **state) {
    struct media_bench *bench = *state;

    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_NO_FORMAT_10, true);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
}

static void test_prepare_dvd_rw_works_without_page_05h(void **state) {
    struct media_bench *bench = *state;

    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_NO_PAGE_05, true);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
}

static void
test_prepare_dvd_rw_believes_the_format_not_the_erasable_bit(void **state) {
    struct media_bench *bench = *state;

    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_NOT_ERASABLE, true);
    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_CAPACITIES_PLUS_FOUR,
                     true);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
}

static void
test_prepare_dvd_rw_fills_a_quick_format_and_closes_it(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench_prepare(bench, &quick), 0);
    assert_true(bench->seen[MMC_STEP_WRITE] && bench->seen[MMC_STEP_CLOSE]);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, 2048);
    assert_int_equal(bench_stats(bench).packets_written, 2048 / 16);
    assert_int_equal(bench_stats(bench).refused, 0);
    bench_make_volume(bench);
    bench_change_volume(bench, "file", 20);
    bench_check_volume(bench);
}

static void test_prepare_dvd_rw_grows_and_keeps_what_is_there(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench_prepare(bench, &quick), 0);
    assert_int_equal(bench_prepare(bench, &grow), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
    assert_int_equal(bench_stats(bench).packets_written, BENCH_BLOCKS / 16);
    /* There is nothing more to add. */
    assert_int_equal(bench_prepare(bench, &grow), 0);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
    assert_int_equal(bench_stats(bench).refused, 0);
}

/* Somebody who presses the button all the time. */
static bool press(void *context, enum mmc_prepare_step step,
                  unsigned permille) {
    struct media_bench *bench = context;

    (void)permille;
    bench->seen[step] = true;
    mmc_vdrive_press_button(bench->transport);
    return true;
}

static void test_prepare_dvd_rw_locks_the_door_while_it_grows(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench_prepare(bench, &quick), 0);
    bench->seen[MMC_STEP_WRITE] = false;
    assert_int_equal(
        mmc_prepare(bench->drive, &bench->media, &grow, press, bench), 0);
    assert_true(bench->seen[MMC_STEP_WRITE]);
    assert_false(mmc_vdrive_tray_open(bench->transport));
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
    mmc_vdrive_press_button(bench->transport);
    assert_true(mmc_vdrive_tray_open(bench->transport));
}

/* Whatever the drive calls it: packets that it cannot promise are not
 * overwritten. What is there is read, and a format does not help where the
 * drive says so again: neither the disc nor the format is to blame. */
static void test_prepare_dvd_rw_without_fixed_packets_is_read(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench_prepare(bench, &usual), 0);
    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_NO_FIXED_PACKETS, true);
    bench_look(bench);
    assert_int_equal(bench->media.state, MMC_DISC_UNFORMATTED);
    assert_int_equal(bench->media.readable_blocks, BENCH_BLOCKS);
    assert_int_equal(bench->media.formattable_blocks, BENCH_BLOCKS);
    assert_false(bench->media.needs_blank);
    assert_int_equal(bench_prepare(bench, &usual), -EPROTO);
    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_NO_FIXED_PACKETS,
                     false);
    bench_look(bench);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
}

static void
test_prepare_dvd_rw_recognises_an_unfinished_quick_format(void **state) {
    struct media_bench *bench = *state;

    bench->give_up_after = 30; /* while it is filled */
    assert_int_equal(
        bench_prepare(bench, &(struct mmc_prepare_options){.quick = true}),
        -EINTR);
    bench->give_up_after = 0;
    while (!bench->seen[MMC_STEP_WRITE] || bench->media.formatting) {
        bench_look(bench);
        if (bench->media.intermediate) {
            break;
        }
        mmc_drive_sleep(bench->drive, 1000);
    }
    bench_reopen(bench);
    assert_int_equal(bench->media.state, MMC_DISC_UNFORMATTED);
    assert_true(bench->media.intermediate);
    assert_int_equal(bench_prepare(bench, &quick), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, 2048);
}

static void test_prepare_dvd_rw_closes_what_stopped_growing(void **state) {
    struct media_bench *bench = *state;

    struct mmc_vdrive_cut cut = {.loss = MMC_VDRIVE_LOSE_NONE};
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_CUT);

    assert_int_equal(bench_prepare(bench, &quick), 0);
    fault.after = 100;
    fault.cut = cut;
    fault.cut.tear = MMC_VDRIVE_TEAR_OLD;
    assert_int_equal(mmc_vdrive_inject(bench->transport, &fault), 0);
    assert_int_equal(bench_prepare(bench, &grow), -ENODEV);
    bench_reopen(bench);
    assert_true(bench->media.intermediate);
    assert_true(bench->media.readable_blocks >= 2048);
    assert_int_equal(bench_prepare(bench, &grow), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
}

int main(void) {
#define MEDIA_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_prepare_dvd_rw_locks_the_door_while_it_grows, set_up,
            bench_tear_down),
        cmocka_unit_test_setup_teardown(
            test_prepare_dvd_rw_without_fixed_packets_is_read, set_up,
            bench_tear_down),
        MEDIA_TEST(test_prepare_dvd_rw_formats_a_sequential_disc),
        MEDIA_TEST(test_prepare_dvd_rw_uses_the_other_format),
        MEDIA_TEST(test_prepare_dvd_rw_works_without_page_05h),
        MEDIA_TEST(
            test_prepare_dvd_rw_believes_the_format_not_the_erasable_bit),
        MEDIA_TEST(test_prepare_dvd_rw_fills_a_quick_format_and_closes_it),
        MEDIA_TEST(test_prepare_dvd_rw_grows_and_keeps_what_is_there),
        MEDIA_TEST(test_prepare_dvd_rw_recognises_an_unfinished_quick_format),
        MEDIA_TEST(test_prepare_dvd_rw_closes_what_stopped_growing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
