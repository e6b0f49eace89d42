/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_prepare_mrw.c - CD-MRW: the drive manages defects, and
 * formats in the background.
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
    *state = bench_open("cdmrw");
    return 0;
}

static const struct mmc_prepare_options mrw = {.media_name = "cdmrw"};

static void test_prepare_mrw_is_plain_cd_rw_without_a_wish(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench->media.state, MMC_DISC_BLANK);
    assert_true(bench->media.mrw_capable);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_false(bench->media.profile->mrw);
    assert_int_equal(bench_stats(bench).refused, 0);
}

static void test_prepare_mrw_is_usable_at_once(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench_prepare(bench, &mrw), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_true(bench->media.profile->mrw);
    assert_true(bench->media.drive_defects);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_RUNNING);
    bench_make_volume(bench);
    bench_change_volume(bench, "file", 100);
    bench_check_volume(bench);
    bench_reopen(bench);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_STOPPED);
}

/* Taken for a plain CD-RW it would lose what its drive keeps for defects. */
static void test_prepare_mrw_is_known_without_disc_information(void **state) {
    struct media_bench *bench = *state;
    uint32_t blocks;

    assert_int_equal(bench_prepare(bench, &mrw), 0);
    blocks = bench->media.blocks;
    bench_reopen(bench);
    bench_refuse(bench, MMC_OP_READ_DISC_INFORMATION, 0x052400, 0);
    bench_look(bench);
    assert_true(bench->media.profile->mrw);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, blocks);
    assert_true(mmc_media_is_part_formatted(&bench->media));
}

static void test_prepare_mrw_chooses_the_managed_blocks(void **state) {
    struct media_bench *bench = *state;

    uint32_t blocks;

    assert_int_equal(bench_prepare(bench, &mrw), 0);
    blocks = bench->media.blocks;
    bench_make_volume(bench);
    for (int old = 0; old < 2; old++) {
        bench_reopen(bench);
        if (old) {
            mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_MRW_PAGE_2C,
                             true);
        }
        mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_MRW_GAA, true);
        bench_look(bench);
        assert_int_equal(bench->media.state, MMC_DISC_READY);
        assert_int_equal(bench->media.blocks, blocks);
        assert_int_equal(bench_stats(bench).refused, 0);
    }
}

static void test_prepare_mrw_waits_for_the_end(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options wait = {.wait = true};

    assert_int_equal(bench_prepare(bench, &mrw), 0);
    bench_make_volume(bench);
    bench_reopen(bench);
    assert_int_equal(bench_prepare(bench, &wait), 0);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_COMPLETE);
    bench_change_volume(bench, "file", 8);
    bench_check_volume(bench);
}

static void test_prepare_mrw_becomes_a_cd_rw_again(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options cdrw = {.media_name = "cdrw"};

    assert_int_equal(bench_prepare(bench, &mrw), 0);
    bench_make_volume(bench);
    bench_reopen(bench);
    assert_int_equal(bench_prepare(bench, &cdrw), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_false(bench->media.profile->mrw);
}

int main(void) {
#define MEDIA_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        MEDIA_TEST(test_prepare_mrw_is_plain_cd_rw_without_a_wish),
        MEDIA_TEST(test_prepare_mrw_is_usable_at_once),
        MEDIA_TEST(test_prepare_mrw_is_known_without_disc_information),
        MEDIA_TEST(test_prepare_mrw_chooses_the_managed_blocks),
        MEDIA_TEST(test_prepare_mrw_waits_for_the_end),
        MEDIA_TEST(test_prepare_mrw_becomes_a_cd_rw_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
