/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/cut/test_grow_interrupted.c - a DVD-RW with a volume and a file is made
 * larger (udfpkt-format --grow), and something ends that: the drive or the disc
 * is gone at some command, or the power is cut at some packet, which is then
 * old, new, half written or unreadable, with some or all of the drive's buffer.
 *
 * Before anything is done about it the file can be read from a mount that only
 * reads; then growing is repeated, and the volume is as large as it should be,
 * without a fault, and its file equal.
 *
 * UDFPKT_FORMAT_MOMENTS is how many moments of each kind are tried, spread over
 * all; 0 = all of them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/disc.h"
#include "mmc/vdrive.h"
#include "test/support/keep.h"
#include "test/support/media_bench.h"
#include "test/support/prove.h"
#include "udf/format.h"
#include "udf/udf.h"

enum { SMALL_BLOCKS = 4096, FILE_BLOCKS = 100, USUAL_MOMENTS = 8 };

/* What ends the growing; %llu is how many commands or packets pass. */
static const char *const faults[] = {
    "pull after=%llu lose=some seed=5",
    "gone after=%llu",
    "cut after=%llu tear=unreadable lose=all",
    "cut after=%llu tear=unreadable lose=none",
    "cut after=%llu tear=old lose=some seed=9",
    "cut after=%llu tear=new lose=some seed=11",
    "cut after=%llu tear=half lose=all",
};

struct campaign {
    struct media_bench *bench;
    struct keep *kept;
    uint64_t commands, packets; /* of growing without a fault */
    uint32_t small;             /* blocks of the partition before */
};

/* What udfpkt-format --grow does. */
static int grow(struct campaign *campaign) {
    static const struct mmc_prepare_options larger = {.grow = true};
    struct mmc_disc_options how = {0};
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = NULL;
    int error = mmc_disc_open(campaign->bench->path, &how, &disc);
    int closed;

    error = error ? error : mmc_disc_prepare(disc, &larger, NULL, NULL);
    error = error ? error : mmc_disc_attach(disc, true, &dev);
    error = error ? error : udf_grow(dev);
    closed = mmc_disc_close(disc);
    return error ? error : closed;
}

static int compare_file(struct udf_volume *volume) {
    struct udf_name name = {.text = "file", .len = 4};
    uint8_t block[BLOCKDEV_BLOCK_BYTES], expected[BLOCKDEV_BLOCK_BYTES];
    struct udf_stat stat;
    int error = udf_lookup(volume, UDF_ROOT_INO, &name, &stat);

    for (uint32_t i = 0; !error && i < FILE_BLOCKS; i++) {
        uint32_t count = 0;

        memset(expected, (int)(i + 1), sizeof(expected));
        error = udf_read(volume, stat.ino, (uint64_t)i * sizeof(block),
                         sizeof(block), block, &count);
        if (!error && (count != sizeof(block) ||
                       memcmp(block, expected, sizeof(block)) != 0)) {
            error = -EBADMSG;
        }
    }
    return error;
}

/* Reads the file, of a disc in whatever state; *out_blocks: the partition's.
 * With `whole` the volume must be closed and without a fault. */
static int look(struct campaign *campaign, char *state, bool whole,
                uint32_t *out_blocks) {
    struct mmc_disc_options how = {.read_only = true};
    struct udf_mount_options options = {.read_only = true};
    struct udf_volume *volume = NULL;
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = NULL;
    struct udf_info info = {0};
    int error = mmc_disc_open(campaign->bench->path, &how, &disc);

    error = error ? error : mmc_disc_attach(disc, false, &dev);
    if (!error && whole) {
        error = prove_state(dev, state);
    }
    error = error ? error : udf_mount(dev, &options, &volume);
    if (!error) {
        udf_get_info(volume, &info);
        error = whole && !info.clean ? -EUCLEAN : compare_file(volume);
    }
    udf_unmount(volume);
    mmc_disc_close(disc);
    *out_blocks = info.partition_blocks;
    return error;
}

static void put_fault(const struct campaign *campaign, const char *fault) {
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s.udfpkt-faults", campaign->bench->path);
    file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file, "%s\n", fault);
    assert_int_equal(fclose(file), 0);
}

static void take_fault(const struct campaign *campaign) {
    char path[128];

    snprintf(path, sizeof(path), "%s.udfpkt-faults", campaign->bench->path);
    assert_int_equal(unlink(path), 0);
}

/* One moment; whether all is as it should be. */
static bool try_moment(struct campaign *campaign, const char *kind,
                       uint64_t after) {
    char state[96];
    uint32_t blocks = 0;
    int cut, read, grown, seen;

    keep_restore(campaign->kept);
    snprintf(state, sizeof(state), kind, (unsigned long long)after);
    put_fault(campaign, state);
    cut = grow(campaign);
    take_fault(campaign);
    read = look(campaign, state, false, &blocks);
    grown = grow(campaign);
    seen = look(campaign, state, true, &blocks);
    if (!read && !grown && !seen && blocks > campaign->small) {
        return true;
    }
    print_error("%s: growing \"%s\", reading \"%s\", growing \"%s\", "
                "reading \"%s\", %u blocks\n",
                state, strerror(-cut), strerror(-read), strerror(-grown),
                strerror(-seen), blocks);
    return false;
}

/* A small volume on a large disc, with a file, and how growing it goes. */
static void make_disc(struct campaign *campaign) {
    static const struct mmc_prepare_options quick = {.quick = true,
                                                     .blocks = SMALL_BLOCKS};
    struct mmc_vdrive_stats before, after;
    char state[] = "nothing";
    uint32_t blocks = 0;

    campaign->bench = bench_open("dvd-rw");
    assert_int_equal(bench_prepare(campaign->bench, &quick), 0);
    bench_make_volume(campaign->bench);
    bench_change_volume(campaign->bench, "file", FILE_BLOCKS);
    campaign->kept = keep_files(campaign->bench->path);
    assert_int_equal(look(campaign, state, true, &campaign->small), 0);
    before = bench_stats(campaign->bench);
    assert_int_equal(grow(campaign), 0);
    after = bench_stats(campaign->bench);
    assert_int_equal(look(campaign, state, true, &blocks), 0);
    assert_true(blocks > campaign->small);
    campaign->commands = after.commands - before.commands;
    campaign->packets = after.packets_written - before.packets_written;
}

static uint64_t moments_of(uint64_t all) {
    const char *text = getenv("UDFPKT_FORMAT_MOMENTS");
    uint64_t wanted = text ? strtoull(text, NULL, 10) : USUAL_MOMENTS;

    return wanted == 0 || wanted > all ? all : wanted;
}

static void test_grow_interrupted_is_taken_up_again(void **unused) {
    struct campaign campaign = {0};
    uint64_t tried = 0, bad = 0;

    (void)unused;
    make_disc(&campaign);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        bool cut = strncmp(faults[i], "cut", 3) == 0;
        uint64_t all = cut ? campaign.packets : campaign.commands;
        uint64_t moments = moments_of(all);

        for (uint64_t k = 0; k < moments; k++, tried++) {
            bad += !try_moment(&campaign, faults[i],
                               (k * all + all / 2) / moments);
        }
    }
    print_message(
        "%llu moments of %llu commands and %llu packets, %llu "
        "wrong\n",
        (unsigned long long)tried, (unsigned long long)campaign.commands,
        (unsigned long long)campaign.packets, (unsigned long long)bad);
    keep_free(campaign.kept);
    bench_tear_down((void **)&(void *){campaign.bench});
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grow_interrupted_is_taken_up_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
