/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_prepare_dvd_plus_rw.c - DVD+RW: formatted in the background
 * while it is used.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/background.h"
#include "mmc/blockdev.h"
#include "mmc/cdb.h"
#include "mmc/drive.h"
#include "mmc/prepare.h"
#include "mmc/transport.h"
#include "test/support/media_bench.h"
#include "udf/format.h"
#include "udf/udf.h"

static const struct mmc_prepare_options usual = {0};

static int set_up(void **state) {
    *state = bench_open("dvd+rw");
    return 0;
}

static void test_prepare_dvd_plus_rw_is_usable_at_once(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench->media.state, MMC_DISC_BLANK);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_RUNNING);
    bench_make_volume(bench);
    bench_check_volume(bench);
    bench_reopen(bench);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_STOPPED);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
}

static void
test_prepare_dvd_plus_rw_keeps_everything_in_the_formatted_part(void **state) {
    struct media_bench *bench = *state;

    uint32_t last = 0;

    assert_int_equal(bench_prepare(bench, &usual), 0);
    bench_make_volume(bench);
    bench_reopen(bench);
    for (uint32_t pkt = 0; pkt < BENCH_BLOCKS / 16; pkt++) {
        last = mmc_vdrive_packet_writes(bench->transport, pkt) ? pkt : last;
    }
    assert_true(last < BENCH_BLOCKS / 16 / 2);
}

/* FORMAT UNIT commands in a trace, which is removed. */
static unsigned formats_in(const char *trace) {
    FILE *file = fopen(trace, "r");
    char line[512], opcode[3];
    unsigned count = 0;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        count +=
            sscanf(line, "%*s %2s", opcode) == 1 && strcmp(opcode, "04") == 0;
    }
    fclose(file);
    unlink(trace);
    return count;
}

static void
test_prepare_dvd_plus_rw_is_restarted_by_writing_only(void **state) {
    char trace[128];
    struct media_bench *bench = *state;

    struct mmc_disc_options options = {.trace_path = trace};
    struct udf_format_options volume = {.seed = 1};
    struct mmc_disc *disc = NULL;
    struct blockdev *dev = NULL;

    snprintf(trace, sizeof(trace), "%s.trace", bench->path);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    bench_make_volume(bench);
    for (unsigned writes = 0; writes < 2; writes++) {
        assert_int_equal(mmc_disc_open(bench->path, &options, &disc), 0);
        assert_int_equal(mmc_disc_attach(disc, true, &dev), 0);
        assert_int_equal(udf_format_verify(dev), 0); /* reads a lot */
        if (writes) {
            assert_int_equal(udf_format(dev, &volume), 0);
        }
        assert_int_equal(mmc_disc_close(disc), 0);
        assert_int_equal(formats_in(trace), writes);
    }
    bench_check_volume(bench);
}

static void test_prepare_dvd_plus_rw_is_stopped_without_a_lead_out_in_seconds(
    void **state) {
    struct media_bench *bench = *state;

    struct mmc_disc_options options = {.no_lead_out = true};
    struct udf_format_options volume = {.seed = 1};
    struct mmc_disc *disc = NULL;
    struct blockdev *dev = NULL;
    uint64_t before;

    assert_int_equal(bench_prepare(bench, &usual), 0);
    bench_make_volume(bench);
    assert_int_equal(mmc_disc_open(bench->path, &options, &disc), 0);
    assert_int_equal(mmc_disc_attach(disc, true, &dev), 0);
    assert_int_equal(udf_format(dev, &volume), 0);
    before = bench_stats(bench).busy_us;
    assert_int_equal(mmc_disc_close(disc), 0);
    assert_true(bench_stats(bench).busy_us - before < 10 * 1000000);
    bench_reopen(bench);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_STOPPED);
}

static void test_prepare_dvd_plus_rw_waits_for_the_end(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options wait = {.wait = true};

    assert_int_equal(bench_prepare(bench, &usual), 0);
    bench_make_volume(bench);
    bench_reopen(bench);
    assert_int_equal(bench_prepare(bench, &wait), 0);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_COMPLETE);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
    /* The anchors at the end come with the next change. */
    bench_change_volume(bench, "file", 8);
    bench_check_volume(bench);
    bench_reopen(bench);
    assert_int_equal(
        mmc_vdrive_packet_writes(bench->transport, BENCH_BLOCKS / 16 - 1), 1);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_COMPLETE);
}

static void test_prepare_dvd_plus_rw_can_be_given_up_waiting(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options wait = {.wait = true};

    assert_int_equal(bench_prepare(bench, &usual), 0);
    bench->give_up_after = 1;
    assert_int_equal(bench_prepare(bench, &wait), -EINTR);
    bench_look(bench);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
}

static void
test_prepare_dvd_plus_rw_does_not_believe_a_capacity_that_lies(void **state) {
    struct media_bench *bench = *state;

    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_LYING_CAPACITY, true);
    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_CAPACITIES_PLUS_FOUR,
                     true);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
    assert_int_equal(mmc_background_stop(bench->drive, &bench->media, true),
                     MMC_OK);
    bench_look(bench);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_STOPPED);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
}

static void
test_prepare_dvd_plus_rw_needs_no_drive_that_takes_parts(void **state) {
    struct media_bench *bench = *state;

    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_ALIGNED_ONLY, true);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    bench_make_volume(bench);
    bench_change_volume(bench, "file", 50);
    bench_check_volume(bench);
}

static void
test_prepare_dvd_plus_rw_bears_with_drives_that_answer_late(void **state) {
    struct media_bench *bench = *state;

    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_LATE_NOT_READY, true);
    mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_SLOW_SPIN_UP, true);
    assert_int_equal(bench_prepare(bench, &usual), 0);
    assert_int_equal(bench->media.state, MMC_DISC_READY);
    assert_int_equal(bench->media.blocks, BENCH_BLOCKS);
}

static void test_prepare_dvd_plus_rw_formats_anew_when_told(void **state) {
    struct media_bench *bench = *state;

    static const struct mmc_prepare_options full = {.full = true};

    assert_int_equal(bench_prepare(bench, &usual), 0);
    bench_make_volume(bench);
    bench_reopen(bench);
    assert_int_equal(bench_prepare(bench, &full), 0);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_RUNNING);
    assert_int_equal(bench_stats(bench).refused, 0);
}

/* Pulled off its bus, or never telling how far it is. */
static void
test_prepare_dvd_plus_rw_waits_for_no_drive_that_left(void **state) {
    static const struct mmc_prepare_options wait = {.wait = true};
    static const struct mmc_prepare_options full_wait = {.full = true,
                                                         .wait = true};
    struct media_bench *bench = *state;
    struct mmc_vdrive_fault gone = mmc_vdrive_fault_of(MMC_VDRIVE_GONE);

    bench_refuse(bench, MMC_OP_READ_DISC_INFORMATION, 0x052400, 20);
    assert_int_equal(bench_prepare(bench, &wait), 0);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_COMPLETE);
    bench_reopen(bench);
    gone.opcode = MMC_OP_REQUEST_SENSE;
    assert_int_equal(mmc_vdrive_inject(bench->transport, &gone), 0);
    assert_int_equal(bench_prepare(bench, &full_wait), -ENODEV);
    bench_reopen(bench);
    bench_refuse(bench, MMC_OP_READ_DISC_INFORMATION, 0x052400, 0);
    assert_int_equal(bench_prepare(bench, &full_wait), -EIO);
}

/* A mounted disc, and its drive below. */
struct mounted {
    struct mmc_transport *drive;
    struct mmc_disc *disc;
    struct udf_volume *volume;
};

/* `fault` is one of the drive from the start; NULL = none. */
static struct mounted mount_with(const struct media_bench *bench,
                                 const struct mmc_vdrive_fault *fault) {
    struct mmc_disc_options options = {0};
    struct udf_mount_options read_write = {0};
    struct mounted mounted = {0};
    struct blockdev *dev = NULL;

    assert_int_equal(mmc_vdrive_open(bench->path, true, &mounted.drive), 0);
    if (fault) {
        assert_int_equal(mmc_vdrive_inject(mounted.drive, fault), 0);
    }
    assert_int_equal(
        mmc_disc_open_transport(mounted.drive, &options, &mounted.disc), 0);
    assert_int_equal(mmc_disc_attach(mounted.disc, true, &dev), 0);
    assert_int_equal(udf_mount(dev, &read_write, &mounted.volume), 0);
    return mounted;
}

static struct mounted mount_disc(const struct media_bench *bench) {
    return mount_with(bench, NULL);
}

static void change(struct mounted *mounted, const char *text) {
    struct udf_name name = {.text = text, .len = (uint32_t)strlen(text)};
    struct udf_make how = {.mode = 0100644};
    struct udf_cred cred = {0};
    struct udf_stat stat;

    assert_int_equal(
        udf_create(mounted->volume, UDF_ROOT_INO, &name, &how, &cred, &stat),
        0);
    udf_forget(mounted->volume, stat.ino, 1);
    assert_int_equal(udf_commit(mounted->volume), 0);
}

static void unmount_disc(struct mounted *mounted) {
    assert_int_equal(udf_unmount(mounted->volume), 0);
    assert_int_equal(mmc_disc_close(mounted->disc), 0);
}

/* How many anchor volume descriptor pointers there are near the end. */
static unsigned late_anchors(const struct media_bench *bench) {
    static const uint32_t places[] = {BENCH_BLOCKS - 257, BENCH_BLOCKS - 1};
    FILE *image = fopen(bench->path, "re");
    unsigned found = 0;

    assert_non_null(image);
    for (size_t i = 0; i < 2; i++) {
        uint8_t tag[2] = {0, 0};

        assert_int_equal(
            fseek(image, (long)places[i] * BLOCKDEV_BLOCK_BYTES, SEEK_SET), 0);
        assert_int_equal(fread(tag, 1, 2, image), 2);
        found += tag[0] == 2 && tag[1] == 0;
    }
    assert_int_equal(fclose(image), 0);
    return found;
}

static void
test_prepare_dvd_plus_rw_that_ends_in_use_is_completed_later(void **state) {
    struct media_bench *bench = *state;
    struct mounted mounted;
    uint64_t written;

    assert_int_equal(bench_prepare(bench, &usual), 0);
    bench_make_volume(bench);
    mounted = mount_disc(bench);
    change(&mounted, "before the end");
    mmc_transport_sleep(mounted.drive, 3600 * 1000);
    change(&mounted, "after the end");
    unmount_disc(&mounted);
    bench_reopen(bench);
    assert_int_equal(bench->media.background, MMC_BACKGROUND_COMPLETE);
    assert_int_equal(late_anchors(bench), 0);
    bench_check_volume(bench);
    written = bench_stats(bench).packets_written;
    /* Reading changes nothing, whatever is missing. */
    mounted = mount_disc(bench);
    unmount_disc(&mounted);
    assert_int_equal(bench_stats(bench).packets_written, written);
    assert_int_equal(late_anchors(bench), 0);
    mounted = mount_disc(bench);
    change(&mounted, "the next change");
    unmount_disc(&mounted);
    assert_int_equal(late_anchors(bench), 2);
    bench_check_volume(bench);
}

/* Once, or for ever: the disc is taken for one that is formatted in part, and
 * left with its format stopped. */
static void
test_prepare_dvd_plus_rw_is_not_complete_where_nobody_says_so(void **state) {
    struct media_bench *bench = *state;
    struct mmc_vdrive_fault refusal = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);

    refusal.opcode = MMC_OP_READ_DISC_INFORMATION;
    refusal.key = 5;
    refusal.asc = 0x24;
    assert_int_equal(bench_prepare(bench, &usual), 0);
    bench_make_volume(bench);
    for (unsigned i = 0; i < 4; i++) {
        char name[] = {'0', (char)('0' + i), 0};
        struct mounted mounted;

        refusal.times = i % 2;
        refusal.after = i / 2;
        mounted = mount_with(bench, &refusal);
        change(&mounted, name);
        unmount_disc(&mounted);
        assert_int_equal(late_anchors(bench), 0);
        bench_reopen(bench);
        assert_int_equal(bench->media.background, MMC_BACKGROUND_STOPPED);
        bench_check_volume(bench);
    }
}

int main(void) {
#define MEDIA_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        MEDIA_TEST(test_prepare_dvd_plus_rw_is_usable_at_once),
        MEDIA_TEST(
            test_prepare_dvd_plus_rw_keeps_everything_in_the_formatted_part),
        MEDIA_TEST(test_prepare_dvd_plus_rw_is_restarted_by_writing_only),
        MEDIA_TEST(
            test_prepare_dvd_plus_rw_is_stopped_without_a_lead_out_in_seconds),
        MEDIA_TEST(test_prepare_dvd_plus_rw_waits_for_the_end),
        MEDIA_TEST(test_prepare_dvd_plus_rw_can_be_given_up_waiting),
        MEDIA_TEST(
            test_prepare_dvd_plus_rw_does_not_believe_a_capacity_that_lies),
        MEDIA_TEST(test_prepare_dvd_plus_rw_needs_no_drive_that_takes_parts),
        MEDIA_TEST(test_prepare_dvd_plus_rw_bears_with_drives_that_answer_late),
        MEDIA_TEST(test_prepare_dvd_plus_rw_formats_anew_when_told),
        MEDIA_TEST(test_prepare_dvd_plus_rw_waits_for_no_drive_that_left),
        MEDIA_TEST(
            test_prepare_dvd_plus_rw_that_ends_in_use_is_completed_later),
        MEDIA_TEST(
            test_prepare_dvd_plus_rw_is_not_complete_where_nobody_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
