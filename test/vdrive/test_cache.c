/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_cache.c - the packet cache, command by command, over a
 * small drive in memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/cache.h"
#include "mmc/cdb.h"
#include "mmc/drive.h"
#include "mmc/media.h"
#include "test/support/fakedrive.h"

enum { BLOCK = BLOCKDEV_BLOCK_BYTES, PKT = FAKE_PACKET };

struct rig {
    struct fakedrive *fake;
    struct mmc_drive *drive;
    struct mmc_media media;
    struct blockdev *dev;
    uint8_t data[FAKE_BLOCKS * BLOCK];
};

/* A device whose transfers may have `run` packets. */
static struct rig *set_up_with(unsigned run, uint64_t budget) {
    struct rig *rig = calloc(1, sizeof(*rig));
    struct blockdev_geometry geometry = {
        .blocks = FAKE_BLOCKS, .packet_blocks = PKT, .writable = true};

    assert_non_null(rig);
    rig->fake = fakedrive_new(run * PKT * BLOCK);
    assert_int_equal(mmc_drive_open(&rig->fake->head, &rig->drive), 0);
    assert_int_equal(mmc_media_load(rig->drive, &rig->media), MMC_OK);
    assert_int_equal(rig->media.state, MMC_DISC_READY);
    assert_int_equal(rig->media.blocks, FAKE_BLOCKS);
    assert_int_equal(
        mmc_cache_open(rig->drive, &rig->media, &geometry, budget, &rig->dev),
        0);
    fakedrive_clear(rig->fake);
    return rig;
}

static int set_up(void **state) {
    *state = set_up_with(4, FAKE_BLOCKS * BLOCK);
    return 0;
}

static int tear_down(void **state) {
    struct rig *rig = *state;

    mmc_cache_close(rig->dev);
    mmc_drive_close(rig->drive);
    fakedrive_free(rig->fake);
    free(rig);
    return 0;
}

/* Writes `count` blocks that hold `value`, each ending in its own LBA. */
static void put(struct rig *rig, uint32_t lba, uint32_t count, int value) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t own = lba + i;

        memset(rig->data + (size_t)i * BLOCK, value, BLOCK);
        memcpy(rig->data + (size_t)i * BLOCK + BLOCK - sizeof(own), &own,
               sizeof(own));
    }
    assert_int_equal(blockdev_write(rig->dev, lba, count, rig->data), 0);
}

static void assert_medium(struct rig *rig, uint32_t lba, int value) {
    const uint8_t *block = rig->fake->medium + (size_t)lba * BLOCK;
    uint32_t own;

    memcpy(&own, block + BLOCK - sizeof(own), sizeof(own));
    assert_int_equal(block[0], value);
    assert_int_equal(block[BLOCK / 2], value);
    assert_int_equal(own, value ? lba : 0);
}

static struct blockdev_stats stats_of(struct rig *rig) {
    struct blockdev_stats stats;

    blockdev_get_stats(rig->dev, &stats);
    return stats;
}

static void assert_command(struct rig *rig, uint8_t opcode, unsigned i,
                           uint32_t lba, uint32_t count) {
    struct fake_command command = fakedrive_nth(rig->fake, opcode, i);

    assert_int_equal(command.lba, lba);
    assert_int_equal(command.count, count);
}

static unsigned reads(struct rig *rig) {
    return fakedrive_count(rig->fake, MMC_OP_READ_10);
}

static unsigned writes(struct rig *rig) {
    return fakedrive_count(rig->fake, MMC_OP_WRITE_10);
}

static void test_cache_merges_neighbours_in_ascending_order(void **state) {
    struct rig *rig = *state;

    put(rig, 10 * PKT, PKT, 3);
    put(rig, 0, 5 * PKT, 1);
    put(rig, 9 * PKT, PKT, 2);
    assert_int_equal(rig->fake->command_count, 0);
    assert_int_equal(blockdev_write_out(rig->dev), 0);
    assert_int_equal(reads(rig), 0);
    assert_int_equal(writes(rig), 3);
    assert_command(rig, MMC_OP_WRITE_10, 0, 0, 4 * PKT);
    assert_command(rig, MMC_OP_WRITE_10, 1, 4 * PKT, PKT);
    assert_command(rig, MMC_OP_WRITE_10, 2, 9 * PKT, 2 * PKT);
    assert_int_equal(stats_of(rig).packets_written, 7);
    assert_int_equal(stats_of(rig).write_commands, 3);
    assert_int_equal(blockdev_write_out(rig->dev), 0); /* nothing more */
    assert_int_equal(writes(rig), 3);
}

static void test_cache_reads_what_is_in_use_and_missing(void **state) {
    struct rig *rig = *state;

    put(rig, 0, PKT, 7);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    mmc_cache_close(rig->dev); /* forget what is known */
    rig->dev = NULL;
    assert_int_equal(
        mmc_cache_open(rig->drive, &rig->media,
                       &(struct blockdev_geometry){.blocks = FAKE_BLOCKS,
                                                   .packet_blocks = PKT,
                                                   .writable = true},
                       1, &rig->dev),
        0);
    fakedrive_clear(rig->fake);
    put(rig, 4, 1, 9);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_int_equal(reads(rig), 1); /* most is missing: one READ of it */
    assert_command(rig, MMC_OP_READ_10, 0, 0, PKT);
    assert_medium(rig, 3, 7);
    assert_medium(rig, 4, 9);
    assert_medium(rig, 31, 7);
    assert_int_equal(stats_of(rig).blocks_gathered, PKT);
    assert_int_equal(stats_of(rig).blocks_read, 0);
}

static void test_cache_fills_what_is_not_in_use(void **state) {
    struct rig *rig = *state;

    memset(rig->fake->medium, 0xAA, (size_t)FAKE_BLOCKS * BLOCK);
    memset(rig->fake->buffer, 0xAA, (size_t)FAKE_BLOCKS * BLOCK);
    blockdev_mark(rig->dev, 0, FAKE_BLOCKS, false);
    put(rig, PKT + 3, 2, 5);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_int_equal(reads(rig), 0);
    assert_medium(rig, PKT + 2, 0);
    assert_medium(rig, PKT + 3, 5);
    assert_medium(rig, PKT + 5, 0);
    /* The zeros are known now, and the packet is complete. */
    assert_int_equal(blockdev_read_cached(rig->dev, PKT, PKT, rig->data), 0);
    assert_int_equal(rig->data[0], 0);
}

static void test_cache_gathers_over_packet_borders(void **state) {
    struct rig *rig = *state;

    /* The end of packet 0 and the start of packet 1 are missing, and a few
     * blocks far away in packet 1. */
    put(rig, 0, PKT - 2, 1);
    put(rig, PKT + 2, 20, 1);
    put(rig, PKT + 24, 8, 1);
    assert_int_equal(blockdev_write_out(rig->dev), 0);
    assert_int_equal(reads(rig), 2);
    assert_command(rig, MMC_OP_READ_10, 0, PKT - 2, 4);
    assert_command(rig, MMC_OP_READ_10, 1, PKT + 22, 2);
    assert_int_equal(writes(rig), 1);
    assert_int_equal(stats_of(rig).blocks_gathered, 6);
}

static void test_cache_reads_all_it_misses_before_it_writes(void **state) {
    struct rig *rig = *state;

    put(rig, 0, 1, 1);
    put(rig, 20 * PKT, 1, 1);
    fakedrive_clear(rig->fake);
    assert_int_equal(blockdev_write_out(rig->dev), 0);
    assert_int_equal(rig->fake->command_count, 4);
    assert_int_equal(rig->fake->commands[1].opcode, MMC_OP_READ_10);
    assert_int_equal(rig->fake->commands[2].opcode, MMC_OP_WRITE_10);
}

static void test_cache_fetches_whole_packets_at_once(void **state) {
    struct rig *rig = *state;

    assert_int_equal(blockdev_read_cached(rig->dev, 30, 4, rig->data),
                     -EINPROGRESS);
    assert_int_equal(blockdev_fetch(rig->dev, 30, 4), 0);
    assert_int_equal(reads(rig), 1);
    assert_command(rig, MMC_OP_READ_10, 0, 0, 2 * PKT);
    assert_int_equal(blockdev_read_cached(rig->dev, 0, 2 * PKT, rig->data), 0);
    assert_int_equal(blockdev_fetch(rig->dev, 0, 2 * PKT), 0);
    assert_int_equal(reads(rig), 1);
    assert_int_equal(stats_of(rig).blocks_read, 2 * PKT);
}

static void test_cache_fetch_keeps_what_was_written(void **state) {
    struct rig *rig = *state;

    put(rig, 5, 1, 6);
    assert_int_equal(blockdev_fetch(rig->dev, 0, PKT), 0);
    assert_int_equal(blockdev_read_cached(rig->dev, 5, 1, rig->data), 0);
    assert_int_equal(rig->data[0], 6);
    assert_int_equal(blockdev_write_out(rig->dev), 0);
    assert_int_equal(stats_of(rig).blocks_gathered, 0);
}

static void test_cache_reads_ahead_for_those_who_go_on(void **state) {
    struct rig *rig = *state;

    for (uint32_t pkt = 0; pkt < 24; pkt++) {
        if (blockdev_read_cached(rig->dev, pkt * PKT, PKT, rig->data) != 0) {
            assert_int_equal(blockdev_fetch(rig->dev, pkt * PKT, PKT), 0);
            assert_int_equal(
                blockdev_read_cached(rig->dev, pkt * PKT, PKT, rig->data), 0);
        }
    }
    assert_in_range(reads(rig), 1, 14);
    assert_in_range(stats_of(rig).blocks_read, 24 * PKT, 40 * PKT);
}

static void test_cache_reads_nothing_ahead_that_is_not_in_use(void **state) {
    struct rig *rig = *state;

    blockdev_mark(rig->dev, 4 * PKT, FAKE_BLOCKS, false);
    for (uint32_t pkt = 0; pkt < 4; pkt++) {
        assert_int_equal(blockdev_fetch(rig->dev, pkt * PKT, PKT), 0);
    }
    assert_int_equal(stats_of(rig).blocks_read, 4 * PKT);
}

static void test_cache_reads_ahead_without_error(void **state) {
    struct rig *rig = *state;

    rig->fake->bad_read[3 * PKT + 7] = true;
    for (uint32_t pkt = 0; pkt < 3; pkt++) {
        assert_int_equal(blockdev_fetch(rig->dev, pkt * PKT, PKT), 0);
    }
    assert_int_equal(stats_of(rig).read_errors, 0);
}

static void test_cache_loses_one_block_to_one_bad_block(void **state) {
    struct rig *rig = *state;

    rig->fake->bad_read[PKT + 9] = true;
    assert_int_equal(blockdev_fetch(rig->dev, PKT, 9), 0);
    assert_int_equal(blockdev_read_cached(rig->dev, PKT, 9, rig->data), 0);
    assert_int_equal(blockdev_fetch(rig->dev, PKT + 10, 3), 0);
    assert_int_equal(stats_of(rig).read_errors, 0);
    assert_int_equal(blockdev_fetch(rig->dev, PKT + 8, 3), -EIO);
    assert_int_equal(stats_of(rig).read_errors, 1);
    assert_int_equal(blockdev_read_cached(rig->dev, PKT + 9, 1, rig->data),
                     -EINPROGRESS);
}

static void test_cache_keeps_a_packet_that_fails(void **state) {
    struct rig *rig = *state;

    rig->fake->bad_write[1] = true;
    put(rig, 0, 3 * PKT, 4);
    assert_int_equal(blockdev_sync(rig->dev), -EIO);
    assert_int_equal(stats_of(rig).packets_written, 2);
    assert_int_equal(stats_of(rig).write_errors, 1);
    assert_int_equal(blockdev_read_cached(rig->dev, PKT, 1, rig->data), 0);
    assert_int_equal(rig->data[0], 4);
    /* Every further try would cost time: it waits for somebody's decision. */
    assert_int_equal(blockdev_sync(rig->dev), -EIO);
    assert_int_equal(stats_of(rig).write_errors, 1);
    rig->fake->bad_write[1] = false;
    put(rig, PKT, 1, 4);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_medium(rig, PKT + 31, 4);
    assert_medium(rig, 2 * PKT, 4);
}

static void test_cache_names_the_packets_that_failed(void **state) {
    struct rig *rig = *state;
    struct blockdev_failure failure = {0};

    rig->fake->bad_write[1] = true;
    rig->fake->bad_read[2 * PKT + 8] = true;
    assert_false(blockdev_next_failed(rig->dev, 0, &failure));
    put(rig, 0, 2 * PKT + 4, 4);
    assert_int_equal(blockdev_sync(rig->dev), -EIO);
    assert_true(stats_of(rig).syncs > 0);
    assert_medium(rig, 0, 4);
    assert_true(blockdev_next_failed(rig->dev, 0, &failure));
    assert_int_equal(failure.lba, PKT);
    assert_int_equal(failure.count, PKT);
    assert_true(failure.missing == 0);
    assert_true(blockdev_next_failed(rig->dev, 2 * PKT, &failure));
    assert_int_equal(failure.lba, 2 * PKT);
    assert_true((failure.missing & 1u << 8) && !(failure.missing & 0xF));
    assert_false(blockdev_next_failed(rig->dev, 3 * PKT, &failure));
    /* What is put elsewhere is forgotten here. */
    blockdev_discard(rig->dev, PKT, 2 * PKT);
    assert_false(blockdev_next_failed(rig->dev, 0, &failure));
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_int_equal(blockdev_read_cached(rig->dev, PKT, 1, rig->data),
                     -EINPROGRESS);
}

static void test_cache_reads_back_past_memory(void **state) {
    struct rig *rig = *state;

    put(rig, 0, 2 * PKT, 4);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    rig->fake->buffer[(PKT + 5) * BLOCK] ^= 1;
    assert_int_equal(blockdev_read_back(rig->dev, PKT + 4, 2, rig->data), 0);
    assert_int_equal(rig->data[0], 4);
    assert_int_equal(rig->data[BLOCK], 5);
    assert_int_equal(blockdev_read_cached(rig->dev, PKT + 5, 1, rig->data), 0);
    assert_int_equal(rig->data[0], 4);
    rig->fake->bad_read[3] = true;
    assert_int_equal(blockdev_read_back(rig->dev, 0, PKT, rig->data), -EIO);
    assert_int_equal(blockdev_read_back(rig->dev, FAKE_BLOCKS, 1, rig->data),
                     -ERANGE);
}

static void test_cache_verifies_what_was_synchronised(void **state) {
    struct rig *rig = *state;
    struct blockdev_failure failure = {0};

    mmc_cache_verify(rig->dev);
    put(rig, 0, 3 * PKT, 4);
    rig->fake->weak[PKT + 5] = true;
    assert_int_equal(blockdev_sync(rig->dev), -EIO);
    assert_true(blockdev_next_failed(rig->dev, 0, &failure));
    assert_int_equal(failure.lba, PKT);
    assert_true(failure.missing == 0);
    assert_false(blockdev_next_failed(rig->dev, 2 * PKT, &failure));
    assert_int_equal(blockdev_read_cached(rig->dev, PKT, 1, rig->data), 0);
    rig->fake->weak[PKT + 5] = false;
    assert_int_equal(blockdev_revive(rig->dev), 0);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_int_equal(rig->fake->overwrites[1], 2);
}

static void test_cache_never_overwrites_what_it_cannot_read(void **state) {
    struct rig *rig = *state;

    rig->fake->bad_read[8] = true;
    put(rig, 0, 4, 4);
    put(rig, 3 * PKT, PKT, 5);
    assert_int_equal(blockdev_write_out(rig->dev), -EIO);
    assert_int_equal(rig->fake->overwrites[0], 0);
    assert_int_equal(rig->fake->overwrites[3], 1);
    assert_int_equal(stats_of(rig).read_errors, 1);
    /* Everything but the bad block was read; nobody needs that one now. */
    blockdev_mark(rig->dev, 8, 1, false);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_int_equal(rig->fake->overwrites[0], 1);
    assert_medium(rig, 3, 4);
}

static void test_cache_replaces_bad_blocks_that_are_all_dirty(void **state) {
    struct rig *rig = *state;

    memset(rig->fake->bad_read, true, PKT);
    blockdev_mark(rig->dev, 16, 16, false);
    put(rig, 0, 16, 4);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_int_equal(reads(rig), 0);
    assert_medium(rig, 15, 4);
}

static void test_cache_syncs_only_when_something_was_written(void **state) {
    struct rig *rig = *state;

    assert_int_equal(blockdev_fetch(rig->dev, 0, 1), 0);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_int_equal(fakedrive_count(rig->fake, MMC_OP_SYNCHRONIZE_CACHE), 0);
    put(rig, 0, PKT, 1);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_int_equal(fakedrive_count(rig->fake, MMC_OP_SYNCHRONIZE_CACHE), 1);
    assert_int_equal(stats_of(rig).syncs, 1);
}

/* A reset, a changed medium or a deferred error, at a command of a sync. */
static void check_lost_and_sent_again(struct rig *rig, uint8_t opcode,
                                      unsigned after,
                                      const struct fake_sense *sense) {
    put(rig, 0, 2 * PKT, 1);
    put(rig, 10 * PKT, PKT, 1);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    put(rig, 0, 2 * PKT, 2);
    put(rig, 10 * PKT, PKT, 2);
    put(rig, 20 * PKT, PKT, 2);
    rig->fake->sense = *sense;
    rig->fake->sense.opcode = opcode;
    rig->fake->sense.after = after;
    rig->fake->sense.times = 1;
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_int_equal(rig->fake->sense.times, 0);
    assert_medium(rig, 0, 2);
    assert_medium(rig, PKT + 31, 2);
    assert_medium(rig, 10 * PKT, 2);
    assert_medium(rig, 20 * PKT + 31, 2);
}

static void test_cache_sends_again_what_a_reset_lost(void **state) {
    static const struct fake_sense reset = {.key = 6, .asc = 0x29};

    for (unsigned after = 0; after < 3; after++) {
        check_lost_and_sent_again(*state, MMC_OP_WRITE_10, after, &reset);
    }
    check_lost_and_sent_again(*state, MMC_OP_SYNCHRONIZE_CACHE, 0, &reset);
}

static void test_cache_sends_again_after_a_deferred_error(void **state) {
    static const struct fake_sense deferred = {
        .key = 3, .asc = 0x0C, .deferred = true};
    struct rig *rig = *state;
    unsigned before;

    check_lost_and_sent_again(rig, MMC_OP_WRITE_10, 2, &deferred);
    before = rig->fake->overwrites[0];
    check_lost_and_sent_again(rig, MMC_OP_SYNCHRONIZE_CACHE, 0, &deferred);
    assert_int_equal(rig->fake->overwrites[0], before + 3);
}

static void test_cache_sends_again_when_synchronising_fails(void **state) {
    static const struct fake_sense failed = {.key = 3, .asc = 0x0C};
    struct rig *rig = *state;

    check_lost_and_sent_again(rig, MMC_OP_SYNCHRONIZE_CACHE, 0, &failed);
    put(rig, 0, 1, 3);
    rig->fake->sense = failed;
    rig->fake->sense.opcode = MMC_OP_SYNCHRONIZE_CACHE;
    rig->fake->sense.times = 1000;
    assert_int_equal(blockdev_sync(rig->dev), -EIO);
    rig->fake->sense.times = 0;
    assert_int_equal(blockdev_sync(rig->dev), 0); /* nothing was forgotten */
    assert_medium(rig, 0, 3);
}

static void test_cache_goes_on_when_the_medium_is_the_same(void **state) {
    static const struct fake_sense changed = {.key = 6, .asc = 0x28};

    check_lost_and_sent_again(*state, MMC_OP_WRITE_10, 1, &changed);
}

static void test_cache_never_writes_to_another_disc(void **state) {
    struct rig *rig = *state;

    put(rig, 0, PKT, 1);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    put(rig, 0, PKT, 2);
    /* A disc of the same kind and size, but with other content. */
    memset(rig->fake->buffer, 0x99, (size_t)FAKE_BLOCKS * BLOCK);
    memset(rig->fake->medium, 0x99, (size_t)FAKE_BLOCKS * BLOCK);
    assert_int_equal(blockdev_fetch(rig->dev, 40 * PKT, 1), 0);
    memset(rig->fake->buffer, 0x77, (size_t)FAKE_BLOCKS * BLOCK);
    rig->fake->sense = (struct fake_sense){
        .opcode = MMC_OP_WRITE_10, .times = 1, .key = 6, .asc = 0x28};
    assert_int_equal(blockdev_sync(rig->dev), -ENOMEDIUM);
    assert_int_equal(rig->fake->overwrites[0], 1);
    assert_int_equal(blockdev_sync(rig->dev), -ENOMEDIUM); /* for good */
    assert_int_equal(blockdev_fetch(rig->dev, 0, 1), -ENOMEDIUM);
    assert_int_equal(blockdev_read_cached(rig->dev, 0, 1, rig->data), 0);
}

static void test_cache_never_writes_to_a_disc_of_another_kind(void **state) {
    struct rig *rig = *state;

    put(rig, 0, PKT, 2);
    rig->fake->track_packet_blocks = 16;
    rig->fake->sense = (struct fake_sense){
        .opcode = MMC_OP_WRITE_10, .times = 1, .key = 6, .asc = 0x28};
    assert_int_equal(blockdev_sync(rig->dev), -ENOMEDIUM);
    assert_int_equal(rig->fake->overwrites[0], 0);
}

static void test_cache_keeps_all_when_the_medium_is_gone(void **state) {
    struct rig *rig = *state;

    put(rig, 0, PKT, 2);
    put(rig, 5 * PKT, PKT, 2);
    rig->fake->sense = (struct fake_sense){.opcode = MMC_OP_WRITE_10,
                                           .times = 1000,
                                           .key = 2,
                                           .asc = 0x3A,
                                           .ascq = 2};
    assert_int_equal(blockdev_write_out(rig->dev), -ENOMEDIUM);
    assert_int_equal(writes(rig), 1); /* no use to try the others */
    rig->fake->sense.times = 0;
    assert_int_equal(blockdev_sync(rig->dev), 0);
    assert_medium(rig, 0, 2);
    assert_medium(rig, 5 * PKT, 2);
}

static void test_cache_says_when_the_drive_is_gone(void **state) {
    struct rig *rig = *state;

    put(rig, 0, PKT, 2);
    rig->fake->gone = true;
    assert_int_equal(blockdev_write_out(rig->dev), -ENODEV);
    assert_int_equal(blockdev_fetch(rig->dev, 0, PKT + 1), -ENODEV);
    assert_int_equal(blockdev_make_room(rig->dev, FAKE_BLOCKS), -ENODEV);
}

static void test_cache_waits_while_the_drive_is_busy(void **state) {
    static const uint8_t ascq[] = {0x01, 0x07, 0x08};
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(ascq); i++) {
        put(rig, 0, PKT, 2);
        rig->fake->sense = (struct fake_sense){.opcode = MMC_OP_WRITE_10,
                                               .times = 20,
                                               .key = 2,
                                               .asc = 0x04,
                                               .ascq = ascq[i]};
        assert_int_equal(blockdev_sync(rig->dev), 0);
        assert_int_equal(rig->fake->sense.times, 0);
    }
    assert_true(rig->fake->slept_ms > 1000);
    assert_int_equal(stats_of(rig).write_errors, 0);
}

static void test_cache_gives_up_on_a_drive_that_stays_busy(void **state) {
    struct rig *rig = *state;

    put(rig, 0, PKT, 2);
    rig->fake->sense = (struct fake_sense){.opcode = MMC_OP_WRITE_10,
                                           .times = 1000000,
                                           .key = 2,
                                           .asc = 0x04,
                                           .ascq = 0x08};
    assert_int_equal(blockdev_write_out(rig->dev), -EIO);
    assert_in_range(rig->fake->slept_ms, 190 * 1000, 300 * 1000);
}

static void test_cache_make_room_bounds_what_is_dirty(void **state) {
    struct rig *rig;
    uint8_t zeros[BLOCK] = {0};

    tear_down(state);
    *state = rig = set_up_with(4, 16 * PKT * BLOCK);
    for (uint32_t lba = 0; lba < FAKE_BLOCKS; lba++) {
        assert_int_equal(blockdev_make_room(rig->dev, 1), 0);
        assert_int_equal(blockdev_write(rig->dev, lba, 1, zeros), 0);
        assert_true(lba < 16 * PKT ||
                    lba / PKT - stats_of(rig).packets_written <= 16);
    }
    assert_int_equal(blockdev_sync(rig->dev), 0);
    /* No packet was written before it was full. */
    assert_int_equal(stats_of(rig).packets_written, FAKE_PACKETS);
    assert_int_equal(stats_of(rig).blocks_gathered, 0);
    assert_in_range(writes(rig), 1, FAKE_PACKETS / 3);
}

static void test_cache_make_room_says_when_there_is_none(void **state) {
    struct rig *rig;

    tear_down(state);
    *state = rig = set_up_with(4, 16 * PKT * BLOCK);
    memset(rig->fake->bad_write, true, FAKE_PACKETS);
    put(rig, 0, 16 * PKT, 1);
    assert_int_equal(blockdev_make_room(rig->dev, PKT), -EIO);
    memset(rig->fake->bad_write, false, FAKE_PACKETS);
    assert_int_equal(blockdev_make_room(rig->dev, PKT), 0);
}

static void test_cache_refuses_what_is_out_of_range(void **state) {
    struct rig *rig = *state;
    struct blockdev *dev = NULL;
    struct blockdev_geometry geometry = rig->dev->geometry;

    assert_int_equal(blockdev_read_cached(rig->dev, FAKE_BLOCKS, 1, rig->data),
                     -ERANGE);
    assert_int_equal(blockdev_fetch(rig->dev, FAKE_BLOCKS - 1, 2), -ERANGE);
    assert_int_equal(blockdev_fetch(rig->dev, 1, UINT32_MAX), -ERANGE);
    assert_int_equal(
        blockdev_write(rig->dev, UINT32_MAX, UINT32_MAX, rig->data), -ERANGE);
    assert_int_equal(blockdev_fetch(rig->dev, FAKE_BLOCKS, 0), 0);
    blockdev_mark(rig->dev, FAKE_BLOCKS - 1, UINT32_MAX, false);
    blockdev_mark(rig->dev, UINT32_MAX, UINT32_MAX, false);
    assert_int_equal(rig->fake->command_count, 0);
    geometry.packet_blocks = 24;
    assert_int_equal(
        mmc_cache_open(rig->drive, &rig->media, &geometry, 0, &dev), -EINVAL);
    geometry.packet_blocks = 128;
    assert_int_equal(
        mmc_cache_open(rig->drive, &rig->media, &geometry, 0, &dev), -EINVAL);
    geometry = rig->dev->geometry;
    geometry.writable = false;
    assert_int_equal(
        mmc_cache_open(rig->drive, &rig->media, &geometry, 0, &dev), 0);
    assert_int_equal(blockdev_write(dev, 0, 1, rig->data), -EROFS);
    mmc_cache_close(dev);
}

/* A long run of random operations against a plain array. */
static void test_cache_agrees_with_a_model(void **state) {
    struct rig *rig;
    static uint8_t model[FAKE_BLOCKS];
    uint8_t block[4 * BLOCK];
    unsigned seed = 20260, fetches = 0;

    tear_down(state);
    *state = rig = set_up_with(2, 16 * PKT * BLOCK);
    memset(model, 0, sizeof(model));
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t lba = (uint32_t)rand_r(&seed) % (FAKE_BLOCKS - 4);
        uint32_t count = (uint32_t)rand_r(&seed) % 4 + 1;
        int what = rand_r(&seed) % 100;

        fakedrive_clear(rig->fake);
        if (what < 45) {
            memset(block, (int)(i % 255) + 1, sizeof(block));
            assert_int_equal(blockdev_make_room(rig->dev, count), 0);
            assert_int_equal(blockdev_write(rig->dev, lba, count, block), 0);
            memset(model + lba, (int)(i % 255) + 1, count);
        } else if (what < 97) {
            while (blockdev_read_cached(rig->dev, lba, count, block) != 0) {
                assert_int_equal(blockdev_fetch(rig->dev, lba, count), 0);
                fetches++;
            }
            for (uint32_t b = 0; b < count; b++) {
                assert_int_equal(block[b * BLOCK + 77], model[lba + b]);
            }
        } else {
            assert_int_equal(blockdev_sync(rig->dev), 0);
        }
    }
    assert_true(fetches > 100);
    assert_int_equal(blockdev_sync(rig->dev), 0);
    for (uint32_t lba = 0; lba < FAKE_BLOCKS; lba++) {
        assert_int_equal(rig->fake->medium[(size_t)lba * BLOCK + 5],
                         model[lba]);
    }
}

int main(void) {
#define CACHE_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CACHE_TEST(test_cache_merges_neighbours_in_ascending_order),
        CACHE_TEST(test_cache_reads_what_is_in_use_and_missing),
        CACHE_TEST(test_cache_fills_what_is_not_in_use),
        CACHE_TEST(test_cache_gathers_over_packet_borders),
        CACHE_TEST(test_cache_reads_all_it_misses_before_it_writes),
        CACHE_TEST(test_cache_fetches_whole_packets_at_once),
        CACHE_TEST(test_cache_fetch_keeps_what_was_written),
        CACHE_TEST(test_cache_reads_ahead_for_those_who_go_on),
        CACHE_TEST(test_cache_reads_nothing_ahead_that_is_not_in_use),
        CACHE_TEST(test_cache_reads_ahead_without_error),
        CACHE_TEST(test_cache_loses_one_block_to_one_bad_block),
        CACHE_TEST(test_cache_keeps_a_packet_that_fails),
        CACHE_TEST(test_cache_names_the_packets_that_failed),
        CACHE_TEST(test_cache_reads_back_past_memory),
        CACHE_TEST(test_cache_verifies_what_was_synchronised),
        CACHE_TEST(test_cache_never_overwrites_what_it_cannot_read),
        CACHE_TEST(test_cache_replaces_bad_blocks_that_are_all_dirty),
        CACHE_TEST(test_cache_syncs_only_when_something_was_written),
        CACHE_TEST(test_cache_sends_again_what_a_reset_lost),
        CACHE_TEST(test_cache_sends_again_after_a_deferred_error),
        CACHE_TEST(test_cache_sends_again_when_synchronising_fails),
        CACHE_TEST(test_cache_goes_on_when_the_medium_is_the_same),
        CACHE_TEST(test_cache_never_writes_to_another_disc),
        CACHE_TEST(test_cache_never_writes_to_a_disc_of_another_kind),
        CACHE_TEST(test_cache_keeps_all_when_the_medium_is_gone),
        CACHE_TEST(test_cache_says_when_the_drive_is_gone),
        CACHE_TEST(test_cache_waits_while_the_drive_is_busy),
        CACHE_TEST(test_cache_gives_up_on_a_drive_that_stays_busy),
        CACHE_TEST(test_cache_make_room_bounds_what_is_dirty),
        CACHE_TEST(test_cache_make_room_says_when_there_is_none),
        CACHE_TEST(test_cache_refuses_what_is_out_of_range),
        CACHE_TEST(test_cache_agrees_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
