/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_prepare.c - recognising, blanking and formatting a CD-RW,
 * with a drive that does as it should and with one that does not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/command.h"
#include "mmc/drive.h"
#include "mmc/media.h"
#include "mmc/prepare.h"
#include "test/support/vdrive_rig.h"

struct bench {
    struct vdrive_rig rig;
    struct mmc_drive *drive;
    struct mmc_transport *transport; /* inside `drive` */
    struct mmc_media media;
    /* What progress was told. */
    unsigned calls, steps_seen, permille, backward;
    enum mmc_prepare_step step;
    unsigned give_up_after;
};

static const struct mmc_prepare_options usual = {0};
static const struct mmc_prepare_options full = {.full = true};

static void power_on(struct bench *bench) {
    bench->transport = bench->rig.transport;
    bench->rig.transport = NULL; /* belongs to the drive */
    assert_int_equal(mmc_drive_open(bench->transport, &bench->drive), 0);
    assert_int_equal(mmc_media_load(bench->drive, &bench->media), MMC_OK);
}

static int set_up(void **state) {
    static struct bench bench;

    memset(&bench, 0, sizeof(bench));
    rig_open(&bench.rig);
    power_on(&bench);
    *state = &bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;

    mmc_drive_close(bench->drive);
    rig_close(&bench->rig);
    return 0;
}

static bool watch(void *context, enum mmc_prepare_step step,
                  unsigned permille) {
    struct bench *bench = context;

    assert_in_range(permille, 0, 1000);
    bench->calls++;
    if (bench->steps_seen == 0 || step != bench->step) {
        bench->steps_seen++;
    } else if (permille < bench->permille) {
        bench->backward++;
    }
    bench->step = step;
    bench->permille = permille;
    return bench->give_up_after == 0 || bench->calls < bench->give_up_after;
}

static int prepare(struct bench *bench,
                   const struct mmc_prepare_options *options) {
    bench->calls = bench->steps_seen = bench->permille = 0;
    return mmc_prepare(bench->drive, &bench->media, options, watch, bench);
}

static struct mmc_vdrive_stats stats_of(struct bench *bench) {
    struct mmc_vdrive_stats stats;

    mmc_vdrive_get_stats(bench->transport, &stats);
    return stats;
}

static void refuse(struct bench *bench, uint32_t opcode, uint32_t sense,
                   uint32_t times) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);

    fault.opcode = opcode;
    fault.times = times;
    fault.key = (uint8_t)(sense >> 16);
    fault.asc = (uint8_t)(sense >> 8);
    fault.ascq = (uint8_t)sense;
    assert_int_equal(mmc_vdrive_inject(bench->transport, &fault), 0);
}

static void assert_ready(struct bench *bench) {
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, RIG_BLOCKS);
    assert_true(bench->media.track.fixed_packet);
}

static void test_prepare_formats_a_blank_disc(void **state) {
    struct bench *bench = *state;

    assert_int_equal(bench->media.state, MMC_DISC_BLANK);
    assert_int_equal(bench->media.formattable_blocks, RIG_BLOCKS);
    assert_int_equal(prepare(bench, &usual), 0);
    assert_ready(bench);
    assert_int_equal(stats_of(bench).formats, 1);
    assert_int_equal(stats_of(bench).blanks, 0);
    assert_int_equal(stats_of(bench).refused, 0);
    assert_int_equal(bench->steps_seen, 2); /* format, verify */
    assert_int_equal(bench->backward, 0);
    assert_int_equal(bench->permille, 1000);
}

static void test_prepare_leaves_a_ready_disc_alone(void **state) {
    struct bench *bench = *state;

    assert_int_equal(prepare(bench, &usual), 0);
    assert_int_equal(prepare(bench, &usual), 0);
    assert_int_equal(bench->calls, 0);
    assert_int_equal(stats_of(bench).formats, 1);
    assert_int_equal(prepare(bench, &full), 0);
    assert_int_equal(stats_of(bench).formats, 2);
    assert_ready(bench);
}

static void test_prepare_needs_no_progress_function(void **state) {
    struct bench *bench = *state;

    assert_int_equal(
        mmc_prepare(bench->drive, &bench->media, &usual, NULL, NULL), 0);
    assert_ready(bench);
}

static void test_prepare_falls_back_to_the_legacy_format(void **state) {
    static const uint32_t senses[] = {0x052400, 0x052600, 0x052000};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(senses) / sizeof(senses[0]); i++) {
        refuse(bench, MMC_OP_FORMAT_UNIT, senses[i], 1);
        assert_int_equal(prepare(bench, &full), 0);
        assert_ready(bench);
        assert_int_equal(stats_of(bench).formats, i + 1);
    }
}

static void test_prepare_blanks_where_formatting_wants_it(void **state) {
    static const uint32_t senses[] = {0x053006, 0x056400};
    struct bench *bench = *state;

    assert_int_equal(prepare(bench, &usual), 0);
    for (size_t i = 0; i < sizeof(senses) / sizeof(senses[0]); i++) {
        refuse(bench, MMC_OP_FORMAT_UNIT, senses[i],
               senses[i] == 0x056400 ? 2 : 1); /* which is repeated once */
        assert_int_equal(prepare(bench, &full), 0);
        assert_ready(bench);
        assert_int_equal(stats_of(bench).blanks, i + 1);
    }
}

static void test_prepare_erases_all_when_quick_blanking_fails(void **state) {
    struct bench *bench = *state;

    refuse(bench, MMC_OP_FORMAT_UNIT, 0x053006, 1);
    refuse(bench, MMC_OP_BLANK, 0x035100, 1);
    assert_int_equal(prepare(bench, &full), 0);
    assert_int_equal(stats_of(bench).blanks, 1);
    assert_ready(bench);
}

static void test_prepare_says_when_nothing_helps(void **state) {
    struct bench *bench = *state;

    refuse(bench, MMC_OP_FORMAT_UNIT, 0x052400, 0);
    assert_int_equal(prepare(bench, &usual), -EIO);
    mmc_vdrive_clear_faults(bench->transport);
    refuse(bench, MMC_OP_FORMAT_UNIT, 0x053000, 0);
    assert_int_equal(prepare(bench, &usual), -EMEDIUMTYPE);
    mmc_vdrive_clear_faults(bench->transport);
    assert_int_equal(prepare(bench, &usual), 0);
}

static void test_prepare_tries_fewer_write_parameters(void **state) {
    struct bench *bench = *state;

    refuse(bench, MMC_OP_MODE_SELECT_10, 0x052600, 2);
    assert_int_equal(prepare(bench, &usual), 0);
    assert_ready(bench);
}

static void test_prepare_bears_with_news_at_every_command(void **state) {
    static const uint32_t senses[] = {0x062800, 0x062900, 0x062A01, 0x020401,
                                      0x020407, 0x0B0000, 0x020402};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(senses) / sizeof(senses[0]); i++) {
        for (uint32_t after = 0; after < 24; after++) {
            struct mmc_vdrive_fault fault =
                mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);

            fault.after = after;
            fault.key = (uint8_t)(senses[i] >> 16);
            fault.asc = (uint8_t)(senses[i] >> 8);
            fault.ascq = (uint8_t)senses[i];
            assert_int_equal(mmc_vdrive_inject(bench->transport, &fault), 0);
            assert_int_equal(prepare(bench, &full), 0);
            assert_ready(bench);
            mmc_vdrive_clear_faults(bench->transport);
        }
    }
}

static void test_prepare_can_be_given_up_and_resumed(void **state) {
    struct bench *bench = *state;

    bench->give_up_after = 2;
    assert_int_equal(prepare(bench, &usual), -EINTR);
    bench->give_up_after = 0;
    /* The drive goes on by itself; another udfpkt-format comes along. */
    assert_int_equal(mmc_media_load(bench->drive, &bench->media), MMC_OK);
    assert_true(bench->media.formatting);
    assert_int_equal(bench->media.state, MMC_DISC_UNUSABLE);
    assert_int_equal(prepare(bench, &usual), 0);
    assert_ready(bench);
    assert_int_equal(stats_of(bench).formats, 1);
}

static void test_prepare_mends_a_format_that_was_cut(void **state) {
    struct bench *bench = *state;
    struct mmc_vdrive_cut cut = {.tear = MMC_VDRIVE_TEAR_UNREADABLE};

    bench->give_up_after = 2;
    assert_int_equal(prepare(bench, &usual), -EINTR);
    bench->give_up_after = 0;
    mmc_vdrive_power_cut(bench->transport, &cut);
    mmc_drive_close(bench->drive);
    assert_int_equal(
        mmc_vdrive_open(bench->rig.path, true, &bench->rig.transport), 0);
    power_on(bench);
    assert_int_not_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(prepare(bench, &usual), 0);
    assert_ready(bench);
}

static void test_prepare_says_when_the_disc_is_taken_out(void **state) {
    struct bench *bench = *state;
    struct mmc_vdrive_fault pull = mmc_vdrive_fault_of(MMC_VDRIVE_PULL);

    pull.opcode = MMC_OP_TEST_UNIT_READY;
    pull.after = 1;
    assert_int_equal(mmc_vdrive_inject(bench->transport, &pull), 0);
    assert_int_equal(prepare(bench, &usual), -ENOMEDIUM);
    assert_int_equal(mmc_media_load(bench->drive, &bench->media), MMC_OK);
    assert_int_equal(bench->media.state, MMC_DISC_ABSENT);
    assert_int_equal(prepare(bench, &usual), -ENOMEDIUM);
}

static void test_prepare_respects_write_protection(void **state) {
    struct bench *bench = *state;
    struct mmc_vdrive_stats before;

    assert_int_equal(prepare(bench, &usual), 0);
    mmc_vdrive_protect(bench->transport, true);
    before = stats_of(bench);
    assert_int_equal(mmc_media_load(bench->drive, &bench->media), MMC_OK);
    assert_int_equal(bench->media.state, MMC_DISC_READ_ONLY);
    assert_true(bench->media.write_protected);
    assert_int_equal(bench->media.blocks, RIG_BLOCKS);
    assert_int_equal(prepare(bench, &full), -EROFS);
    assert_int_equal(stats_of(bench).formats, before.formats);
}

static void test_prepare_waits_for_a_tray_that_closes(void **state) {
    struct bench *bench = *state;

    mmc_vdrive_pull(bench->transport);
    assert_int_equal(mmc_media_load(bench->drive, &bench->media), MMC_OK);
    assert_int_equal(bench->media.state, MMC_DISC_ABSENT);
    mmc_vdrive_load(bench->transport);
    assert_int_equal(mmc_media_load(bench->drive, &bench->media), MMC_OK);
    assert_int_equal(bench->media.state, MMC_DISC_BLANK);
}

int main(void) {
#define PREPARE_TEST(name)                                                     \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PREPARE_TEST(test_prepare_formats_a_blank_disc),
        PREPARE_TEST(test_prepare_leaves_a_ready_disc_alone),
        PREPARE_TEST(test_prepare_needs_no_progress_function),
        PREPARE_TEST(test_prepare_falls_back_to_the_legacy_format),
        PREPARE_TEST(test_prepare_blanks_where_formatting_wants_it),
        PREPARE_TEST(test_prepare_erases_all_when_quick_blanking_fails),
        PREPARE_TEST(test_prepare_says_when_nothing_helps),
        PREPARE_TEST(test_prepare_tries_fewer_write_parameters),
        PREPARE_TEST(test_prepare_bears_with_news_at_every_command),
        PREPARE_TEST(test_prepare_can_be_given_up_and_resumed),
        PREPARE_TEST(test_prepare_mends_a_format_that_was_cut),
        PREPARE_TEST(test_prepare_says_when_the_disc_is_taken_out),
        PREPARE_TEST(test_prepare_respects_write_protection),
        PREPARE_TEST(test_prepare_waits_for_a_tray_that_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
