/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_disc.c - opening, preparing, attaching and closing discs by
 * their path, as the commands do.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/disc.h"
#include "mmc/vdrive.h"

enum { BLOCK = BLOCKDEV_BLOCK_BYTES, PKT = 32, BLOCKS = 64 * PKT };

struct room {
    char folder[64];
    char path[96];
    uint8_t data[8 * PKT * BLOCK];
};

static int set_up(void **state) {
    struct room *room = calloc(1, sizeof(*room));

    assert_non_null(room);
    snprintf(room->folder, sizeof(room->folder), "%s",
             "/tmp/udfpkt-disc-XXXXXX");
    assert_non_null(mkdtemp(room->folder));
    snprintf(room->path, sizeof(room->path), "%s/disc", room->folder);
    *state = room;
    return 0;
}

static int tear_down(void **state) {
    static const char *const suffixes[] = {"", ".udfpkt", ".udfpkt-faults"};
    struct room *room = *state;
    char path[128];

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", room->path, suffixes[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(room->folder), 0);
    free(room);
    return 0;
}

static const struct mmc_disc_options usual = {0};
static const struct mmc_disc_options reading = {.read_only = true};

static void create(struct room *room, const char *media) {
    struct mmc_disc_make make = {.media_name = media,
                                 .size_bytes = (uint64_t)BLOCKS * BLOCK};

    assert_int_equal(mmc_disc_create(room->path, &make), 0);
}

static struct mmc_disc *open_disc(struct room *room,
                                  const struct mmc_disc_options *options) {
    struct mmc_disc *disc = NULL;

    assert_int_equal(mmc_disc_open(room->path, options, &disc), 0);
    return disc;
}

static struct mmc_disc *open_formatted(struct room *room) {
    static const struct mmc_prepare_options options = {0};
    struct mmc_disc *disc = open_disc(room, &usual);

    assert_int_equal(mmc_disc_prepare(disc, &options, NULL, NULL), 0);
    return disc;
}

static struct blockdev *attach(struct mmc_disc *disc, bool writable) {
    struct blockdev *dev = NULL;

    assert_int_equal(mmc_disc_attach(disc, writable, &dev), 0);
    return dev;
}

static struct mmc_disc_info info_of(const struct mmc_disc *disc) {
    struct mmc_disc_info info;

    mmc_disc_get_info(disc, &info);
    assert_non_null(info.reason);
    assert_non_null(info.profile_name);
    assert_non_null(info.media_name);
    return info;
}

/* Writes the faults file that the virtual drive reads when it is opened. */
static void set_faults(struct room *room, const char *text) {
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s.udfpkt-faults", room->path);
    if (!text) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_blocks(struct blockdev *dev, uint32_t lba, uint32_t count,
                          int value) {
    uint8_t block[BLOCK];

    for (uint32_t i = 0; i < count; i++) {
        while (blockdev_read_cached(dev, lba + i, 1, block) != 0) {
            assert_int_equal(blockdev_fetch(dev, lba + i, 1), 0);
        }
        assert_int_equal(block[0], value);
        assert_int_equal(block[BLOCK - 1], value);
    }
}

/* ---- Paths --------------------------------------------------------------- */

static void test_disc_open_says_what_is_wrong_with_a_path(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc = NULL;

    assert_int_equal(mmc_disc_open(room->path, &usual, &disc), -ENOENT);
    assert_int_equal(mmc_disc_open(room->folder, &usual, &disc), -ENXIO);
    assert_int_equal(mmc_disc_open("/dev/null", &usual, &disc), -ENXIO);
    assert_int_equal(mkfifo(room->path, 0600), 0);
    assert_int_equal(mmc_disc_open(room->path, &usual, &disc), -ENXIO);
    assert_null(disc);
}

static void test_disc_create_refuses_what_makes_no_sense(void **state) {
    struct room *room = *state;
    struct mmc_disc_make make = {.media_name = "floppy"};

    assert_int_equal(mmc_disc_create(room->path, &make), -EINVAL);
    make.media_name = "image";
    make.size_bytes = 1;
    assert_int_equal(mmc_disc_create(room->path, &make), -ERANGE);
    make.size_bytes = UINT64_MAX;
    assert_int_equal(mmc_disc_create(room->path, &make), -ERANGE);
    make.media_name = "cdrw";
    make.size_bytes = (uint64_t)100 << 30;
    assert_int_equal(mmc_disc_create(room->path, &make), -ERANGE);
    assert_int_equal(access(room->path, F_OK), -1);
    create(room, "CD-RW");
    assert_int_equal(
        mmc_disc_create(room->path,
                        &(struct mmc_disc_make){.media_name = "image"}),
        -EEXIST);
}

static void test_disc_open_refuses_a_damaged_sidecar(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc = NULL;
    char path[128];

    create(room, "cdrw");
    snprintf(path, sizeof(path), "%s.udfpkt", room->path);
    assert_int_equal(truncate(path, 7), 0);
    assert_int_equal(mmc_disc_open(room->path, &usual, &disc), -EINVAL);
    assert_null(disc);
}

/* ---- Images -------------------------------------------------------------- */

static void test_disc_image_is_written_in_place(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc;
    struct blockdev *dev;

    create(room, "image");
    disc = open_disc(room, &usual);
    assert_int_equal(info_of(disc).kind, MMC_KIND_IMAGE);
    assert_int_equal(info_of(disc).state, MMC_DISC_READY);
    assert_int_equal(info_of(disc).blocks, BLOCKS);
    assert_int_equal(info_of(disc).packet_blocks, 1);
    dev = attach(disc, true);
    memset(room->data, 0x42, sizeof(room->data));
    assert_int_equal(blockdev_write(dev, BLOCKS - 3, 3, room->data), 0);
    assert_int_equal(blockdev_write(dev, BLOCKS - 3, 4, room->data), -ERANGE);
    assert_int_equal(blockdev_write(dev, UINT32_MAX, 1, room->data), -ERANGE);
    assert_blocks(dev, BLOCKS - 3, 3, 0x42);
    assert_blocks(dev, 0, 2, 0);
    assert_int_equal(blockdev_fetch(dev, BLOCKS, 1), -ERANGE);
    assert_int_equal(mmc_disc_close(disc), 0);
    disc = open_disc(room, &reading);
    assert_blocks(attach(disc, false), BLOCKS - 3, 3, 0x42);
    assert_int_equal(mmc_disc_close(disc), 0);
}

static void test_disc_image_counts_what_it_does(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc;
    struct blockdev *dev;
    struct blockdev_stats stats;

    create(room, "image");
    disc = open_disc(room, &usual);
    dev = attach(disc, true);
    assert_int_equal(blockdev_sync(dev), 0);
    assert_int_equal(blockdev_write(dev, 0, 5, room->data), 0);
    assert_int_equal(blockdev_sync(dev), 0);
    assert_int_equal(blockdev_sync(dev), 0);
    assert_blocks(dev, 1, 2, 0);
    blockdev_get_stats(dev, &stats);
    assert_int_equal(stats.packets_written, 5);
    assert_int_equal(stats.write_commands, 1);
    assert_int_equal(stats.blocks_read, 2);
    assert_int_equal(stats.syncs, 1);
    assert_int_equal(mmc_disc_close(disc), 0);
}

static void test_disc_image_is_held_exclusively(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc, *second = NULL;

    create(room, "image");
    disc = open_disc(room, &usual);
    assert_int_equal(mmc_disc_open(room->path, &usual, &second), -EBUSY);
    assert_int_equal(mmc_disc_open(room->path, &reading, &second), -EBUSY);
    assert_int_equal(mmc_disc_close(disc), 0);
    disc = open_disc(room, &reading);
    second = open_disc(room, &reading);
    assert_int_equal(mmc_disc_close(second), 0);
    assert_int_equal(mmc_disc_close(disc), 0);
}

static void test_disc_image_read_only_refuses_writing(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc;
    struct blockdev *dev = NULL;

    create(room, "image");
    disc = open_disc(room, &reading);
    assert_int_equal(info_of(disc).state, MMC_DISC_READ_ONLY);
    assert_int_equal(mmc_disc_attach(disc, true, &dev), -EROFS);
    dev = attach(disc, false);
    assert_int_equal(blockdev_write(dev, 0, 1, room->data), -EROFS);
    assert_int_equal(mmc_disc_close(disc), 0);
}

static void test_disc_image_too_short_is_unusable(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc;
    struct blockdev *dev = NULL;

    create(room, "image");
    assert_int_equal(truncate(room->path, BLOCK - 1), 0);
    disc = open_disc(room, &usual);
    assert_int_equal(info_of(disc).state, MMC_DISC_UNUSABLE);
    assert_int_equal(info_of(disc).blocks, 0);
    assert_int_equal(mmc_disc_attach(disc, false, &dev), -EMEDIUMTYPE);
    assert_int_equal(mmc_disc_close(disc), 0);
    assert_int_equal(truncate(room->path, 3 * BLOCK + 100), 0);
    disc = open_disc(room, &usual);
    assert_int_equal(info_of(disc).blocks, 3);
    assert_int_equal(mmc_disc_close(disc), 0);
}

static void test_disc_image_cut_short_gives_an_error(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc;
    struct blockdev *dev;
    struct blockdev_stats stats;

    create(room, "image");
    disc = open_disc(room, &reading);
    dev = attach(disc, false);
    assert_int_equal(truncate(room->path, BLOCK), 0);
    assert_int_equal(blockdev_fetch(dev, 0, 2), -EIO);
    assert_int_equal(blockdev_read_cached(dev, 0, 2, room->data), -EINPROGRESS);
    blockdev_get_stats(dev, &stats);
    assert_int_equal(stats.read_errors, 1);
    assert_int_equal(mmc_disc_close(disc), 0);
}

/* ---- The virtual drive --------------------------------------------------- */

static void test_disc_blank_cdrw_must_be_prepared(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc;
    struct blockdev *dev = NULL;
    struct mmc_prepare_options options = {0};

    create(room, "cdrw");
    disc = open_disc(room, &usual);
    assert_int_equal(info_of(disc).kind, MMC_KIND_VIRTUAL);
    assert_int_equal(info_of(disc).state, MMC_DISC_BLANK);
    assert_string_equal(info_of(disc).profile_name, "CD-RW");
    assert_string_equal(info_of(disc).media_name, "cdrw");
    assert_int_equal(info_of(disc).formattable_blocks, BLOCKS);
    assert_true(info_of(disc).erasable);
    assert_true(strlen(info_of(disc).vendor) > 0);
    assert_int_equal(mmc_disc_attach(disc, true, &dev), -EMEDIUMTYPE);
    assert_int_equal(mmc_disc_attach(disc, false, &dev), -EMEDIUMTYPE);
    assert_int_equal(mmc_disc_prepare(disc, &options, NULL, NULL), 0);
    assert_int_equal(info_of(disc).state, MMC_DISC_READY);
    assert_int_equal(info_of(disc).blocks, BLOCKS);
    dev = attach(disc, true);
    assert_int_equal(dev->geometry.blocks, BLOCKS);
    assert_int_equal(dev->geometry.packet_blocks, PKT);
    assert_int_equal(dev->geometry.session_start, 0);
    assert_true(dev->geometry.writable && dev->geometry.rewritable);
    assert_false(dev->geometry.drive_manages_defects);
    assert_int_equal(dev->geometry.rated_overwrites, 1000);
    assert_int_equal(mmc_disc_attach(disc, true, &dev), -EBUSY);
    assert_int_equal(mmc_disc_prepare(disc, &options, NULL, NULL), -EBUSY);
    assert_int_equal(mmc_disc_close(disc), 0);
}

/* The drive calls itself ready while it formats for minutes, and tells of a
 * disc that cannot be written meanwhile. */
static void test_disc_is_ready_when_a_long_format_is_done(void **state) {
    static const struct mmc_disc_make large = {
        .media_name = "cdrw", .size_bytes = (uint64_t)300000 * BLOCK};
    static const struct mmc_disc_options slow = {.speed_tenths = 40};
    static const struct mmc_prepare_options usually = {0};
    struct room *room = *state;
    struct mmc_disc *disc;

    assert_int_equal(mmc_disc_create(room->path, &large), 0);
    set_faults(room, "quirk late-2/04/07\n");
    disc = open_disc(room, &slow);
    assert_int_equal(mmc_disc_prepare(disc, &usually, NULL, NULL), 0);
    assert_int_equal(info_of(disc).state, MMC_DISC_READY);
    assert_int_equal(mmc_disc_close(disc), 0);
}

static void test_disc_keeps_what_was_written(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc;
    struct blockdev *dev;
    struct mmc_disc_wear wear;

    create(room, "cdrw");
    disc = open_formatted(room);
    dev = attach(disc, true);
    memset(room->data, 0x11, sizeof(room->data));
    assert_int_equal(blockdev_write(dev, 3, 5 * PKT, room->data), 0);
    assert_int_equal(blockdev_write(dev, BLOCKS - 1, 1, room->data), 0);
    assert_int_equal(mmc_disc_close(disc), 0); /* writes it */
    disc = open_disc(room, &usual);
    assert_int_equal(info_of(disc).state, MMC_DISC_READY);
    dev = attach(disc, true);
    assert_blocks(dev, 0, 3, 0);
    assert_blocks(dev, 3, 5 * PKT, 0x11);
    assert_blocks(dev, 3 + 5 * PKT, 10, 0);
    assert_blocks(dev, BLOCKS - 1, 1, 0x11);
    mmc_disc_get_wear(disc, &wear);
    assert_true(wear.known);
    assert_int_equal(wear.refused, 0);
    assert_int_equal(wear.packets_written, 7);
    assert_int_equal(wear.hottest_overwrites, 1);
    assert_int_equal(mmc_disc_close(disc), 0);
}

static void test_disc_that_is_only_read_is_not_written(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc;
    struct mmc_disc_wear before, after;

    create(room, "cdrw");
    disc = open_formatted(room);
    mmc_disc_get_wear(disc, &before);
    assert_blocks(attach(disc, true), 0, BLOCKS, 0);
    mmc_disc_get_wear(disc, &after);
    assert_int_equal(mmc_disc_close(disc), 0);
    assert_int_equal(after.packets_written, before.packets_written);
    assert_int_equal(after.syncs, before.syncs);
    assert_int_equal(after.refused, 0);
}

static void test_disc_is_held_exclusively(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc, *second = NULL;

    create(room, "cdrw");
    disc = open_formatted(room);
    assert_int_equal(mmc_disc_open(room->path, &usual, &second), -EBUSY);
    assert_null(second);
    assert_int_equal(mmc_disc_close(disc), 0);
    disc = open_disc(room, &usual);
    assert_int_equal(mmc_disc_close(disc), 0);
    assert_int_equal(mmc_disc_close(NULL), 0);
}

static void test_disc_opened_read_only_refuses_writing(void **state) {
    struct room *room = *state;
    struct mmc_prepare_options full = {.full = true};
    struct mmc_disc *disc;
    struct blockdev *dev = NULL;

    create(room, "cdrw");
    assert_int_equal(mmc_disc_close(open_formatted(room)), 0);
    disc = open_disc(room, &reading);
    assert_int_equal(info_of(disc).state, MMC_DISC_READ_ONLY);
    assert_int_equal(info_of(disc).blocks, BLOCKS);
    assert_int_equal(mmc_disc_attach(disc, true, &dev), -EROFS);
    assert_int_equal(mmc_disc_prepare(disc, &full, NULL, NULL), -EROFS);
    dev = attach(disc, false);
    assert_blocks(dev, 0, 5, 0);
    assert_int_equal(blockdev_write(dev, 0, 1, room->data), -EROFS);
    assert_int_equal(mmc_disc_close(disc), 0);
}

static void test_disc_missing_opens_and_says_so(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc;
    struct blockdev *dev = NULL;

    create(room, "cdrw");
    set_faults(room, "pull\n");
    disc = open_disc(room, &usual);
    assert_int_equal(info_of(disc).state, MMC_DISC_ABSENT);
    assert_int_equal(mmc_disc_attach(disc, true, &dev), -ENOMEDIUM);
    assert_int_equal(mmc_disc_close(disc), 0);
}

static void test_disc_close_says_when_data_is_lost(void **state) {
    struct room *room = *state;
    struct mmc_disc *disc;

    create(room, "cdrw");
    assert_int_equal(mmc_disc_close(open_formatted(room)), 0);
    set_faults(room, "write-error lba=32 times=0\n");
    disc = open_disc(room, &usual);
    assert_int_equal(blockdev_write(attach(disc, true), 0, 3 * PKT, room->data),
                     0);
    assert_int_equal(mmc_disc_close(disc), -EIO);
    set_faults(room, "gone op=0x2A\n");
    disc = open_disc(room, &usual);
    assert_int_equal(blockdev_write(attach(disc, true), 0, PKT, room->data), 0);
    assert_int_equal(mmc_disc_close(disc), -ENODEV);
}

/* One mount-like cycle: partly overwritten packets, reads, two syncs. */
static void work(struct room *room, int value) {
    struct mmc_disc *disc = open_disc(room, &usual);
    struct blockdev *dev = attach(disc, true);

    memset(room->data, value, sizeof(room->data));
    assert_int_equal(blockdev_fetch(dev, 20 * PKT, 1), 0);
    assert_int_equal(blockdev_write(dev, 5, 6, room->data), 0);
    assert_int_equal(blockdev_write(dev, 4 * PKT, 2 * PKT, room->data), 0);
    assert_int_equal(blockdev_sync(dev), 0);
    assert_int_equal(blockdev_write(dev, 9 * PKT + 1, 1, room->data), 0);
    assert_int_equal(blockdev_write(dev, 5, 1, room->data), 0);
    assert_int_equal(mmc_disc_close(disc), 0);
    disc = open_disc(room, &usual);
    dev = attach(disc, false);
    assert_blocks(dev, 5, 6, value);
    assert_blocks(dev, 4 * PKT, 2 * PKT, value);
    assert_blocks(dev, 9 * PKT + 1, 1, value);
    assert_blocks(dev, 9 * PKT + 2, 1, 0);
    assert_int_equal(mmc_disc_close(disc), 0);
}

/* Every sense that asks for patience, at every command in turn: nobody sees
 * it, and nothing is lost. */
static void test_disc_bears_with_every_passing_trouble(void **state) {
    static const char *const senses[] = {
        "2/04/01", "2/04/07", "2/04/08", "2/04/00", "2/04/02",
        "2/3E/00", "6/28/00", "6/29/00", "6/2A/01", "6/2E/00",
        "6/3F/01", "6/5A/01", "4/44/00", "4/08/00", "B/47/00",
        "B/4B/00", "1/17/01", "5/55/00", "3/0C/09"};
    struct room *room = *state;
    int value = 1;

    create(room, "cdrw");
    assert_int_equal(mmc_disc_close(open_formatted(room)), 0);
    for (size_t i = 0; i < sizeof(senses) / sizeof(senses[0]); i++) {
        for (unsigned after = 0; after < 44; after++) {
            char line[64];

            snprintf(line, sizeof(line), "sense sense=%s after=%u\n", senses[i],
                     after);
            set_faults(room, line);
            work(room, value);
            value = value % 250 + 1;
        }
    }
}

/* Eight packets far apart, so that each is a command, and one more. */
static void work_apart(struct room *room, const char *faults, int value) {
    struct mmc_disc *disc;
    struct blockdev *dev;

    set_faults(room, faults);
    disc = open_disc(room, &usual);
    dev = attach(disc, true);
    memset(room->data, value, sizeof(room->data));
    for (uint32_t pkt = 0; pkt < 64; pkt += 8) {
        assert_int_equal(blockdev_write(dev, pkt * PKT, PKT, room->data), 0);
    }
    assert_int_equal(blockdev_sync(dev), 0);
    assert_int_equal(blockdev_write(dev, PKT, PKT, room->data), 0);
    assert_int_equal(mmc_disc_close(disc), 0);
    set_faults(room, NULL);
    disc = open_disc(room, &usual);
    dev = attach(disc, false);
    assert_blocks(dev, PKT, PKT, value);
    for (uint32_t pkt = 0; pkt < 64; pkt += 8) {
        assert_blocks(dev, pkt * PKT, PKT, value);
    }
    assert_int_equal(mmc_disc_close(disc), 0);
}

/* A bad cable: resets come again and again for some seconds, whatever is
 * sent. */
static void test_disc_bears_with_a_storm_of_resets(void **state) {
    static const char *const kinds[] = {"op=0x2A times=20", "op=0x35 times=20",
                                        "op=0x46 times=8", "times=8"};
    struct room *room = *state;
    int value = 1;

    create(room, "cdrw");
    assert_int_equal(mmc_disc_close(open_formatted(room)), 0);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (unsigned after = 0; after < 40; after += 3) {
            char line[64];

            snprintf(line, sizeof(line),
                     "sense sense=6/29/00 %s after=%u lose=all\n", kinds[i],
                     after);
            work_apart(room, line, value++);
        }
    }
}

/* A weak supply: the drive gives up whenever it has written for a while, and
 * forgets what it had not brought to the medium. */
static void test_disc_gets_on_between_resets(void **state) {
    struct room *room = *state;
    struct mmc_disc_wear wear;
    struct mmc_disc *disc;
    char faults[4096];
    size_t len = 0;

    create(room, "cdrw");
    assert_int_equal(mmc_disc_close(open_formatted(room)), 0);
    for (unsigned after = 2; after < 120; after += 3) {
        len += (size_t)snprintf(faults + len, sizeof(faults) - len,
                                "sense sense=6/29/00 op=0x2A after=%u "
                                "lose=all\n",
                                after);
    }
    work_apart(room, faults, 1);
    disc = open_disc(room, &reading);
    mmc_disc_get_wear(disc, &wear);
    assert_true(wear.hottest_overwrites <= 5);
    assert_int_equal(mmc_disc_close(disc), 0);
}

/* Deferred errors concern writes that were reported as good. */
static void test_disc_sends_again_what_failed_late(void **state) {
    struct room *room = *state;
    char line[64];

    create(room, "cdrw");
    assert_int_equal(mmc_disc_close(open_formatted(room)), 0);
    for (unsigned after = 0; after < 4; after++) {
        snprintf(line, sizeof(line),
                 "sense sense=3/0C/00 op=0x2A deferred after=%u\n", after);
        set_faults(room, line);
        work(room, 0x30 + (int)after);
        snprintf(line, sizeof(line),
                 "sense sense=3/0C/00 op=0x35 deferred after=%u\n", after);
        set_faults(room, line);
        work(room, 0x60 + (int)after);
    }
}

int main(void) {
#define DISC_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        DISC_TEST(test_disc_open_says_what_is_wrong_with_a_path),
        DISC_TEST(test_disc_create_refuses_what_makes_no_sense),
        DISC_TEST(test_disc_open_refuses_a_damaged_sidecar),
        DISC_TEST(test_disc_image_is_written_in_place),
        DISC_TEST(test_disc_image_counts_what_it_does),
        DISC_TEST(test_disc_image_is_held_exclusively),
        DISC_TEST(test_disc_image_read_only_refuses_writing),
        DISC_TEST(test_disc_image_too_short_is_unusable),
        DISC_TEST(test_disc_image_cut_short_gives_an_error),
        DISC_TEST(test_disc_blank_cdrw_must_be_prepared),
        DISC_TEST(test_disc_is_ready_when_a_long_format_is_done),
        DISC_TEST(test_disc_keeps_what_was_written),
        DISC_TEST(test_disc_that_is_only_read_is_not_written),
        DISC_TEST(test_disc_is_held_exclusively),
        DISC_TEST(test_disc_opened_read_only_refuses_writing),
        DISC_TEST(test_disc_missing_opens_and_says_so),
        DISC_TEST(test_disc_close_says_when_data_is_lost),
        DISC_TEST(test_disc_bears_with_every_passing_trouble),
        DISC_TEST(test_disc_bears_with_a_storm_of_resets),
        DISC_TEST(test_disc_gets_on_between_resets),
        DISC_TEST(test_disc_sends_again_what_failed_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
