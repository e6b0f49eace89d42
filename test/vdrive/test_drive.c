/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_drive.c - what a drive is asked how often, and what is made
 * of the medium it describes, over the small drive in memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/cdb.h"
#include "mmc/drive.h"
#include "mmc/media.h"
#include "mmc/setup.h"
#include "test/support/fakedrive.h"

enum { PKT_BYTES = FAKE_PACKET * BLOCKDEV_BLOCK_BYTES };

struct bench {
    struct fakedrive *fake;
    struct mmc_drive *drive;
    struct mmc_media media;
    uint8_t packet[PKT_BYTES];
};

static int set_up(void **state) {
    static struct bench bench;

    memset(&bench, 0, sizeof(bench));
    bench.fake = fakedrive_new(PKT_BYTES);
    assert_int_equal(mmc_drive_open(&bench.fake->head, &bench.drive), 0);
    fakedrive_clear(bench.fake);
    *state = &bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;

    mmc_drive_close(bench->drive);
    fakedrive_free(bench->fake);
    return 0;
}

static void answer(struct bench *bench, uint8_t opcode, uint32_t sense,
                   unsigned times) {
    bench->fake->sense = (struct fake_sense){.opcode = opcode,
                                             .times = times,
                                             .key = (uint8_t)(sense >> 16),
                                             .asc = (uint8_t)(sense >> 8),
                                             .ascq = (uint8_t)sense};
    fakedrive_clear(bench->fake);
}

static enum mmc_result write_packet(struct bench *bench) {
    return mmc_drive_write(bench->drive, 0, FAKE_PACKET, bench->packet);
}

static enum mmc_result read_packet(struct bench *bench) {
    return mmc_drive_read(bench->drive, 0, FAKE_PACKET, bench->packet);
}

static unsigned count(struct bench *bench, uint8_t opcode) {
    return fakedrive_count(bench->fake, opcode);
}

static struct mmc_media load(struct bench *bench) {
    assert_int_equal(mmc_media_load(bench->drive, &bench->media), MMC_OK);
    assert_non_null(bench->media.reason);
    return bench->media;
}

static void test_drive_refuses_what_is_no_optical_drive(void **state) {
    struct bench *bench = *state;
    struct mmc_drive *drive = NULL;

    bench->fake->device_type = 0;
    assert_int_equal(mmc_drive_open(&bench->fake->head, &drive), -ENXIO);
    bench->fake->gone = true;
    assert_int_equal(mmc_drive_open(&bench->fake->head, &drive), -ENODEV);
    assert_null(drive);
    assert_string_equal(mmc_drive_inquiry(bench->drive)->vendor, "FAKE");
}

static void test_drive_repeats_what_may_pass(void **state) {
    struct bench *bench = *state;

    answer(bench, MMC_OP_READ_10, 0x031105, 3);
    assert_int_equal(read_packet(bench), MMC_OK);
    answer(bench, MMC_OP_READ_10, 0x031105, 4);
    assert_int_equal(read_packet(bench), MMC_MEDIUM_ERROR);
    assert_int_equal(count(bench, MMC_OP_READ_10), 4);
    /* A write wears: it is repeated once only. */
    answer(bench, MMC_OP_WRITE_10, 0x030C00, 1);
    assert_int_equal(write_packet(bench), MMC_OK);
    answer(bench, MMC_OP_WRITE_10, 0x030C00, 2);
    assert_int_equal(write_packet(bench), MMC_MEDIUM_ERROR);
    assert_int_equal(count(bench, MMC_OP_WRITE_10), 2);
}

static void test_drive_repeats_nothing_that_cannot_pass(void **state) {
    static const uint32_t senses[] = {0x052400, 0x052100, 0x072700, 0x080000,
                                      0x023A01, 0x053000, 0x056F01};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(senses) / sizeof(senses[0]); i++) {
        answer(bench, MMC_OP_READ_10, senses[i], 100);
        assert_int_not_equal(read_packet(bench), MMC_OK);
        assert_int_equal(count(bench, MMC_OP_READ_10), 1);
    }
    assert_int_equal(bench->fake->slept_ms, 0);
}

static void test_drive_waits_no_longer_than_it_makes_sense(void **state) {
    struct bench *bench = *state;

    answer(bench, MMC_OP_READ_10, 0x020401, 1000000);
    assert_int_equal(read_packet(bench), MMC_NOT_READY);
    assert_in_range(bench->fake->slept_ms, 199 * 1000, 202 * 1000);
    bench->fake->slept_ms = 0;
    /* No cause given: no medium, as far as some adapters go. */
    answer(bench, MMC_OP_READ_10, 0x020400, 1000000);
    assert_int_equal(read_packet(bench), MMC_NO_MEDIUM);
    assert_in_range(bench->fake->slept_ms, 4500, 6500);
}

static void test_drive_starts_a_unit_that_sleeps(void **state) {
    struct bench *bench = *state;

    answer(bench, MMC_OP_READ_10, 0x020402, 1);
    assert_int_equal(read_packet(bench), MMC_OK);
    assert_int_equal(count(bench, MMC_OP_START_STOP_UNIT), 1);
    answer(bench, MMC_OP_READ_10, 0x020402, 100);
    assert_int_equal(read_packet(bench), MMC_NEEDS_START);
}

static void test_drive_flushes_when_out_of_sequence(void **state) {
    struct bench *bench = *state;

    answer(bench, MMC_OP_WRITE_10, 0x052C00, 1);
    assert_int_equal(write_packet(bench), MMC_OK);
    assert_int_equal(count(bench, MMC_OP_SYNCHRONIZE_CACHE), 1);
}

static void test_drive_sends_settings_again_after_a_reset(void **state) {
    struct bench *bench = *state;
    uint64_t epoch = mmc_drive_epoch(bench->drive);

    load(bench);
    assert_int_equal(mmc_setup_send_parameters(bench->drive, &bench->media),
                     MMC_OK);
    mmc_drive_lock_door(bench->drive, true);
    memset(bench->fake->page05 + 2, 0, 50); /* that is what a reset does */
    answer(bench, MMC_OP_TEST_UNIT_READY, 0x062900, 1);
    assert_int_equal(mmc_drive_wait_ready(bench->drive, 1000), MMC_OK);
    assert_int_equal(bench->fake->page05[13], FAKE_PACKET);
    assert_int_equal(count(bench, MMC_OP_PREVENT_ALLOW), 1);
    assert_int_not_equal(mmc_drive_epoch(bench->drive), epoch);
    /* Another disc may lie in it, though the news came with a question. */
    assert_int_equal(write_packet(bench), MMC_MEDIUM_CHANGED);
    assert_int_equal(read_packet(bench), MMC_MEDIUM_CHANGED);
    assert_int_equal(mmc_drive_peek(bench->drive, 0, bench->packet), MMC_OK);
    assert_int_equal(bench->fake->overwrites[0], 0);
    mmc_drive_accept_medium(bench->drive);
    assert_int_equal(write_packet(bench), MMC_OK);
}

static void test_drive_splits_long_transfers(void **state) {
    struct bench *bench = *state;
    static uint8_t data[3 * PKT_BYTES];

    memset(data, 0x3A, sizeof(data));
    assert_int_equal(mmc_drive_write(bench->drive, 0, 3 * FAKE_PACKET, data),
                     MMC_OK);
    assert_int_equal(count(bench, MMC_OP_WRITE_10), 3);
    memset(data, 0, sizeof(data));
    assert_int_equal(mmc_drive_read(bench->drive, 5, 2 * FAKE_PACKET, data),
                     MMC_OK);
    assert_int_equal(data[2 * PKT_BYTES - 1], 0x3A);
    assert_int_equal(data[2 * PKT_BYTES], 0);
}

static void test_drive_that_is_gone_stays_gone(void **state) {
    struct bench *bench = *state;

    bench->fake->gone = true;
    assert_int_equal(read_packet(bench), MMC_DRIVE_GONE);
    bench->fake->gone = false;
    assert_int_equal(read_packet(bench), MMC_DRIVE_GONE);
    assert_int_equal(bench->fake->slept_ms, 0);
}

/* ---- The medium ---------------------------------------------------------- */

static void test_media_state_of_a_cdrw(void **state) {
    struct bench *bench = *state;

    assert_int_equal(load(bench).state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, FAKE_BLOCKS);
    bench->fake->track_flags = 0x01; /* track at once */
    assert_int_equal(load(bench).state, MMC_DISC_UNFORMATTED);
    assert_true(bench->media.needs_blank);
    bench->fake->track_flags = 0x21; /* variable packets */
    assert_int_equal(load(bench).state, MMC_DISC_UNFORMATTED);
    bench->fake->track_flags = 0x31;
    bench->fake->track_packet_blocks = 64;
    assert_int_equal(load(bench).state, MMC_DISC_UNFORMATTED);
    bench->fake->disc_status = 0x10;
    assert_int_equal(load(bench).state, MMC_DISC_BLANK);
    assert_false(bench->media.needs_blank);
    assert_int_equal(bench->media.formattable_blocks, FAKE_BLOCKS);
}

static void test_media_that_cannot_be_written_is_read_only(void **state) {
    static const uint16_t profiles[] = {0x0008, 0x0009, 0x0010, 0x0011,
                                        0x001B, 0x0040, 0x0041};
    struct bench *bench = *state;

    bench->fake->writable = false;
    assert_int_equal(load(bench).state, MMC_DISC_READ_ONLY);
    assert_true(bench->media.write_protected);
    assert_int_equal(bench->media.formattable_blocks, 0);
    bench->fake->writable = true;
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        bench->fake->profile = profiles[i];
        assert_int_equal(load(bench).state, MMC_DISC_READ_ONLY);
        assert_int_equal(bench->media.blocks, FAKE_BLOCKS);
        assert_int_equal(bench->media.formattable_blocks, 0);
    }
}

static void test_media_that_nobody_knows_is_left_alone(void **state) {
    struct bench *bench = *state;

    bench->fake->profile = 0;
    assert_int_equal(load(bench).state, MMC_DISC_UNUSABLE);
    bench->fake->profile = 0x0009; /* write once, and blank */
    bench->fake->disc_status = 0x00;
    assert_int_equal(load(bench).state, MMC_DISC_UNUSABLE);
    assert_int_equal(bench->media.formattable_blocks, 0);
}

static void test_media_sends_parameters_that_suit_the_track(void **state) {
    struct bench *bench = *state;
    const uint8_t *page = bench->fake->page05;

    load(bench);
    assert_int_equal(mmc_setup_send_parameters(bench->drive, &bench->media),
                     MMC_OK);
    assert_int_equal(page[0], 0x05); /* PS is off */
    assert_int_equal(page[2], 0x40); /* BUFE, packets */
    assert_int_equal(page[3], 0x25); /* FP, track mode 5, one session */
    assert_int_equal(page[4], 8);
    assert_int_equal(page[8], 0);
    assert_int_equal(page[13], FAKE_PACKET);
    bench->fake->track_flags = 0x32; /* mode 2 */
    load(bench);
    assert_int_equal(mmc_setup_send_parameters(bench->drive, &bench->media),
                     MMC_OK);
    assert_int_equal(page[4], 10);
    assert_int_equal(page[8], 0x20);
}

static void test_media_goes_on_where_parameters_are_refused(void **state) {
    struct bench *bench = *state;

    load(bench);
    answer(bench, MMC_OP_MODE_SELECT_10, 0x052600, 1);
    assert_int_equal(mmc_setup_send_parameters(bench->drive, &bench->media),
                     MMC_OK);
    assert_int_equal(bench->fake->page05[2], 0x00); /* without BUFE */
    answer(bench, MMC_OP_MODE_SELECT_10, 0x052600, 1000);
    assert_int_equal(mmc_setup_send_parameters(bench->drive, &bench->media),
                     MMC_OK);
    assert_int_equal(count(bench, MMC_OP_MODE_SELECT_10), 3);
    answer(bench, MMC_OP_MODE_SENSE_10, 0x052400, 1000);
    assert_int_equal(mmc_setup_send_parameters(bench->drive, &bench->media),
                     MMC_OK);
    assert_int_equal(count(bench, MMC_OP_MODE_SELECT_10), 0);
}

int main(void) {
#define DRIVE_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        DRIVE_TEST(test_drive_refuses_what_is_no_optical_drive),
        DRIVE_TEST(test_drive_repeats_what_may_pass),
        DRIVE_TEST(test_drive_repeats_nothing_that_cannot_pass),
        DRIVE_TEST(test_drive_waits_no_longer_than_it_makes_sense),
        DRIVE_TEST(test_drive_starts_a_unit_that_sleeps),
        DRIVE_TEST(test_drive_flushes_when_out_of_sequence),
        DRIVE_TEST(test_drive_sends_settings_again_after_a_reset),
        DRIVE_TEST(test_drive_splits_long_transfers),
        DRIVE_TEST(test_drive_that_is_gone_stays_gone),
        DRIVE_TEST(test_media_state_of_a_cdrw),
        DRIVE_TEST(test_media_that_cannot_be_written_is_read_only),
        DRIVE_TEST(test_media_that_nobody_knows_is_left_alone),
        DRIVE_TEST(test_media_sends_parameters_that_suit_the_track),
        DRIVE_TEST(test_media_goes_on_where_parameters_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
