/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_cache_threads.c - the packet cache under several threads:
 * to be run under ThreadSanitizer as well.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/cache.h"
#include "mmc/drive.h"
#include "mmc/media.h"
#include "test/support/fakedrive.h"

enum { BLOCK = BLOCKDEV_BLOCK_BYTES, PKT = FAKE_PACKET };

struct rig {
    struct fakedrive *fake;
    struct mmc_drive *drive;
    struct mmc_media media;
    struct blockdev *dev;
};

static int set_up(void **state) {
    struct rig *rig = calloc(1, sizeof(*rig));
    struct blockdev_geometry geometry = {
        .blocks = FAKE_BLOCKS, .packet_blocks = PKT, .writable = true};

    assert_non_null(rig);
    rig->fake = fakedrive_new(2 * PKT * BLOCK);
    assert_int_equal(mmc_drive_open(&rig->fake->head, &rig->drive), 0);
    assert_int_equal(mmc_media_load(rig->drive, &rig->media), MMC_OK);
    assert_int_equal(mmc_cache_open(rig->drive, &rig->media, &geometry,
                                    16 * PKT * BLOCK, &rig->dev),
                     0);
    *state = rig;
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

enum { READERS = 3, SHARED_BLOCKS = 120 * PKT, ROUNDS = 60 };

/* What the threads of the next test share. Block n of the device holds its
 * number and the round in which it was written, several times over: a reader
 * that sees two rounds in one block has seen a torn one. */
struct party {
    struct rig *rig;
    atomic_bool stop;
    atomic_uint faults, reads;
};

static void fill_block(uint32_t *words, uint32_t lba, uint32_t round) {
    for (size_t i = 0; i < BLOCK / sizeof(*words); i += 2) {
        words[i] = lba;
        words[i + 1] = round;
    }
}

static bool is_whole(const uint32_t *words, uint32_t lba) {
    for (size_t i = 0; i < BLOCK / sizeof(*words); i += 2) {
        if (words[i + 1] != words[1] || words[i] != (words[1] == 0 ? 0 : lba)) {
            return false;
        }
    }
    return true;
}

static void *read_along(void *argument) {
    struct party *party = argument;
    uint32_t block[BLOCK / sizeof(uint32_t)];
    unsigned seed = (unsigned)(uintptr_t)&block >> 4;
    uint32_t lba = 0;

    while (!atomic_load(&party->stop)) {
        struct blockdev *dev = party->rig->dev;
        int error;

        /* Half of the time on and on, to be read ahead for. */
        lba = rand_r(&seed) % 2 ? (lba + PKT) % SHARED_BLOCKS
                                : (uint32_t)rand_r(&seed) % SHARED_BLOCKS;
        while ((error = blockdev_read_cached(dev, lba, 1, block)) ==
                   -EINPROGRESS &&
               blockdev_fetch(dev, lba, 1) == 0) {
        }
        if (error || !is_whole(block, lba)) {
            atomic_fetch_add(&party->faults, 1);
        }
        atomic_fetch_add(&party->reads, 1);
    }
    return NULL;
}

static void test_cache_serves_readers_beside_a_writer(void **state) {
    pthread_t readers[READERS];
    struct party party = {.rig = *state};
    uint32_t block[BLOCK / sizeof(uint32_t)];
    unsigned seed = 7;

    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_along, &party),
                         0);
    }
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        for (unsigned i = 0; i < 40; i++) {
            uint32_t lba = (uint32_t)rand_r(&seed) % SHARED_BLOCKS;

            fill_block(block, lba, round);
            assert_int_equal(blockdev_make_room(party.rig->dev, 1), 0);
            assert_int_equal(blockdev_write(party.rig->dev, lba, 1, block), 0);
        }
        assert_int_equal(blockdev_sync(party.rig->dev), 0);
    }
    atomic_store(&party.stop, true);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    assert_int_equal(party.faults, 0);
    assert_true(party.reads > 100);
}

/* Fetches of one packet by several threads cost one READ. */
static void *fetch_packet(void *argument) {
    struct party *party = argument;

    if (blockdev_fetch(party->rig->dev, 50 * PKT, PKT) != 0) {
        atomic_fetch_add(&party->faults, 1);
    }
    return NULL;
}

static void test_cache_reads_a_packet_once_for_several(void **state) {
    pthread_t readers[READERS];
    struct party party = {.rig = *state};
    struct blockdev_stats stats;

    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(
            pthread_create(&readers[i], NULL, fetch_packet, &party), 0);
    }
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    assert_int_equal(party.faults, 0);
    blockdev_get_stats(party.rig->dev, &stats);
    assert_int_equal(stats.blocks_read, PKT);
}

static bool is_here(struct rig *rig, uint32_t pkt) {
    uint8_t block[BLOCK];

    return blockdev_read_cached(rig->dev, pkt * PKT, 1, block) == 0;
}

/* The requests of a program that reads on and on come by several threads, in
 * any order; the drive must not be sent back for the late ones. */
static void test_cache_reads_in_order_what_comes_out_of_order(void **state) {
    struct rig *rig = *state;
    struct blockdev_stats before, after;

    assert_int_equal(blockdev_fetch(rig->dev, 0, PKT), 0);
    assert_int_equal(blockdev_fetch(rig->dev, 3 * PKT, PKT), 0);
    assert_true(is_here(rig, 1) && is_here(rig, 2));
    blockdev_get_stats(rig->dev, &before);
    assert_int_equal(blockdev_fetch(rig->dev, PKT, PKT), 0);
    blockdev_get_stats(rig->dev, &after);
    assert_int_equal(after.blocks_read, before.blocks_read);
    /* A reader of something else gets nothing that is far from it. */
    assert_int_equal(blockdev_fetch(rig->dev, 30 * PKT, PKT), 0);
    assert_false(is_here(rig, 29));
}

/* Who knows where his file ends has nothing read behind it. */
static void test_cache_reads_no_further_than_it_is_told(void **state) {
    struct rig *rig = *state;

    for (uint32_t pkt = 0; pkt < 6; pkt++) {
        assert_int_equal(
            blockdev_fetch_within(rig->dev, pkt * PKT, PKT, (5 - pkt) * PKT),
            0);
    }
    assert_true(is_here(rig, 5));
    assert_false(is_here(rig, 6));
    assert_int_equal(blockdev_fetch_within(rig->dev, 8 * PKT, 1, 0), 0);
    assert_false(is_here(rig, 7) || is_here(rig, 9));
    assert_int_equal(blockdev_fetch(rig->dev, 9 * PKT, 1), 0);
    assert_true(is_here(rig, 7) && is_here(rig, 10));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_cache_serves_readers_beside_a_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_cache_reads_a_packet_once_for_several, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_cache_reads_in_order_what_comes_out_of_order, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            test_cache_reads_no_further_than_it_is_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
