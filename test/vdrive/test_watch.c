/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_watch.c - a held disc is watched: button, disc taken out,
 * drive gone; idle and at work; and the tray opens in the end.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/cdb.h"
#include "mmc/disc.h"
#include "mmc/drive.h"
#include "mmc/events.h"
#include "mmc/vdrive.h"
#include "test/support/vdrive_rig.h"

struct bench {
    struct vdrive_rig rig;
    struct mmc_drive *drive;
    int fd;
    uint8_t packet[RIG_PACKET_BYTES];
};

static struct bench *open_bench(void) {
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    rig_open_formatted(&bench->rig);
    assert_int_equal(mmc_drive_open(bench->rig.transport, &bench->drive), 0);
    mmc_drive_lock_door(bench->drive, true);
    return bench;
}

static int set_up(void **state) {
    struct bench *bench = open_bench();

    assert_int_equal(mmc_drive_watch(bench->drive, &bench->fd), 0);
    *state = bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;

    mmc_drive_close(bench->drive);
    bench->rig.transport = NULL;
    rig_close(&bench->rig);
    free(bench);
    return 0;
}

static bool readable(const struct bench *bench) {
    struct pollfd fd = {.fd = bench->fd, .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

static void test_watch_sees_the_button(void **state) {
    struct bench *bench = *state;

    assert_int_equal(mmc_drive_news(bench->drive), 0);
    mmc_vdrive_press_button(bench->rig.transport);
    assert_false(mmc_vdrive_tray_open(bench->rig.transport));
    assert_int_equal(mmc_drive_news(bench->drive), MMC_NEWS_EJECT);
    assert_int_equal(mmc_drive_news(bench->drive), 0);
}

/* While the drive writes, it is asked between the writes, once a second of its
 * own clock, and the descriptor tells. */
static void test_watch_asks_a_busy_drive_in_passing(void **state) {
    struct bench *bench = *state;
    struct mmc_vdrive_stats before, after;
    uint64_t start;
    unsigned writes = 0;

    mmc_vdrive_press_button(bench->rig.transport);
    start = mmc_drive_now(bench->drive);
    mmc_vdrive_get_stats(bench->rig.transport, &before);
    while (!readable(bench)) {
        assert_int_equal(mmc_drive_write(bench->drive, writes * RIG_PACKET,
                                         RIG_PACKET, bench->packet),
                         MMC_OK);
        assert_true(++writes < RIG_BLOCKS / RIG_PACKET);
    }
    mmc_vdrive_get_stats(bench->rig.transport, &after);
    assert_in_range(mmc_drive_now(bench->drive) - start, 1, 1500);
    assert_in_range(after.commands - before.commands - writes, 1, 4);
    assert_int_equal(mmc_drive_news(bench->drive), MMC_NEWS_EJECT);
    assert_false(readable(bench));
}

static int set_up_pressed(void **state) {
    struct bench *bench = open_bench();

    mmc_vdrive_press_button(bench->rig.transport);
    assert_int_equal(mmc_drive_watch(bench->drive, &bench->fd), 0);
    *state = bench;
    return 0;
}

static void test_watch_forgets_what_was_before(void **state) {
    struct bench *bench = *state;

    assert_false(readable(bench));
    assert_int_equal(mmc_drive_news(bench->drive), 0);
}

static void test_watch_sees_the_disc_taken_out(void **state) {
    struct bench *bench = *state;

    mmc_vdrive_pull(bench->rig.transport);
    assert_true(mmc_drive_news(bench->drive) & MMC_NEWS_REMOVED);
    assert_true(mmc_drive_is_empty(bench->drive));
}

static void test_watch_sees_the_drive_gone(void **state) {
    struct mmc_vdrive_fault gone = mmc_vdrive_fault_of(MMC_VDRIVE_GONE);
    struct bench *bench = *state;

    assert_int_equal(mmc_vdrive_inject(bench->rig.transport, &gone), 0);
    assert_int_equal(mmc_drive_news(bench->drive), MMC_NEWS_DRIVE_GONE);
    assert_true(mmc_drive_is_empty(bench->drive));
    assert_int_equal(mmc_drive_news(bench->drive), 0);
}

/* Some drives tell by a unit attention: 6/5A/01. */
static void test_watch_takes_a_request_that_comes_as_sense(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);
    struct bench *bench = *state;

    fault.opcode = MMC_OP_WRITE_10;
    fault.key = 6;
    fault.asc = 0x5A;
    fault.ascq = 1;
    assert_int_equal(mmc_vdrive_inject(bench->rig.transport, &fault), 0);
    assert_int_equal(
        mmc_drive_write(bench->drive, 0, RIG_PACKET, bench->packet), MMC_OK);
    assert_true(readable(bench));
    assert_int_equal(mmc_drive_news(bench->drive), MMC_NEWS_EJECT);
}

/* A drive that does not know the command is not asked again. */
static void test_watch_gives_up_without_events(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);
    struct bench *bench = *state;
    struct mmc_vdrive_stats before, after;

    fault.opcode = MMC_OP_GET_EVENT_STATUS;
    fault.times = 0;
    fault.key = 5;
    fault.asc = 0x20;
    assert_int_equal(mmc_vdrive_inject(bench->rig.transport, &fault), 0);
    assert_int_equal(mmc_drive_news(bench->drive), 0);
    mmc_vdrive_get_stats(bench->rig.transport, &before);
    assert_int_equal(mmc_drive_news(bench->drive), 0);
    mmc_vdrive_get_stats(bench->rig.transport, &after);
    assert_int_equal(after.commands, before.commands);
}

static void test_watch_ejects_past_the_lock(void **state) {
    struct bench *bench = *state;

    assert_int_equal(mmc_drive_eject(bench->drive), MMC_OK);
    assert_true(mmc_vdrive_tray_open(bench->rig.transport));
}

/* The same by the face that fs/ sees; an image has nothing to watch. */
static void test_watch_images_have_no_news(void **state) {
    struct bench *bench = *state;
    struct mmc_disc_make make = {.media_name = "image", .size_bytes = 1 << 20};
    struct mmc_disc_options options = {0};
    struct mmc_disc *disc = NULL;
    char path[128];
    int fd = 7;

    snprintf(path, sizeof(path), "%s-image", bench->rig.path);
    assert_int_equal(mmc_disc_create(path, &make), 0);
    assert_int_equal(mmc_disc_open(path, &options, &disc), 0);
    assert_int_equal(mmc_disc_watch(disc, &fd), 0);
    assert_int_equal(fd, -1);
    assert_int_equal(mmc_disc_news(disc), 0);
    assert_int_equal(mmc_disc_eject(disc), 0);
    assert_int_equal(mmc_disc_close(disc), 0);
    unlink(path);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_watch_sees_the_button),
        TEST(test_watch_asks_a_busy_drive_in_passing),
        cmocka_unit_test_setup_teardown(test_watch_forgets_what_was_before,
                                        set_up_pressed, tear_down),
        TEST(test_watch_sees_the_disc_taken_out),
        TEST(test_watch_sees_the_drive_gone),
        TEST(test_watch_takes_a_request_that_comes_as_sense),
        TEST(test_watch_gives_up_without_events),
        TEST(test_watch_ejects_past_the_lock),
        TEST(test_watch_images_have_no_news),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
