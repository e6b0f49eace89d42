/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/media_bench.h"
#include "test/support/prove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/drive.h"
#include "mmc/prepare.h"
#include "mmc/transport.h"
#include "udf/format.h"
#include "udf/udf.h"

static void power_on(struct media_bench *bench) {
    assert_int_equal(mmc_vdrive_open(bench->path, true, &bench->transport), 0);
    assert_int_equal(mmc_drive_open(bench->transport, &bench->drive), 0);
    bench_look(bench);
}

static void power_off(struct media_bench *bench) {
    mmc_drive_close(bench->drive);
    bench->drive = NULL;
    bench->transport = NULL;
}

struct media_bench *bench_open(const char *word) {
    struct media_bench *bench = calloc(1, sizeof(*bench));
    const char *parent = getenv("TMPDIR");

    assert_non_null(bench);
    assert_in_range(snprintf(bench->folder, sizeof(bench->folder),
                             "%s/udfpkt-media-XXXXXX",
                             parent ? parent : "/tmp"),
                    1, sizeof(bench->folder) - 1);
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof(bench->path), "%s/disc", bench->folder);
    assert_int_equal(mmc_vdrive_create(bench->path, word, BENCH_BLOCKS), 0);
    power_on(bench);
    return bench;
}

int bench_tear_down(void **state) {
    static const char *const suffixes[] = {"", ".udfpkt", ".udfpkt-faults"};
    struct media_bench *bench = *state;
    char path[128];

    power_off(bench);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", bench->path, suffixes[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(bench->folder), 0);
    free(bench);
    return 0;
}

void bench_reopen(struct media_bench *bench) {
    if (bench->drive) {
        power_off(bench);
    }
    power_on(bench);
}

void bench_look(struct media_bench *bench) {
    assert_int_equal(mmc_media_load(bench->drive, &bench->media), MMC_OK);
}

static bool watch(void *context, enum mmc_prepare_step step,
                  unsigned permille) {
    struct media_bench *bench = context;

    assert_in_range(permille, 0, 1000);
    bench->seen[step] = true;
    bench->calls++;
    return bench->give_up_after == 0 || bench->calls < bench->give_up_after;
}

int bench_prepare(struct media_bench *bench,
                  const struct mmc_prepare_options *options) {
    bench->calls = 0;
    memset(bench->seen, 0, sizeof(bench->seen));
    return mmc_prepare(bench->drive, &bench->media, options, watch, bench);
}

void bench_refuse(struct media_bench *bench, uint32_t opcode, uint32_t sense,
                  uint32_t times) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);

    fault.opcode = opcode;
    fault.times = times;
    fault.key = (uint8_t)(sense >> 16);
    fault.asc = (uint8_t)(sense >> 8);
    fault.ascq = (uint8_t)sense;
    assert_int_equal(mmc_vdrive_inject(bench->transport, &fault), 0);
}

struct mmc_vdrive_stats bench_stats(struct media_bench *bench) {
    struct mmc_vdrive_stats stats;

    if (bench->transport) {
        mmc_vdrive_get_stats(bench->transport, &stats);
    } else {
        assert_int_equal(mmc_vdrive_read_stats(bench->path, &stats), 0);
    }
    return stats;
}

/* The disc, attached. */
static struct mmc_disc *attach(struct media_bench *bench, bool writable,
                               struct blockdev **out_dev) {
    struct mmc_disc_options options = {.read_only = !writable};
    struct mmc_disc *disc = NULL;

    if (bench->drive) {
        power_off(bench);
    }
    assert_int_equal(mmc_disc_open(bench->path, &options, &disc), 0);
    assert_int_equal(mmc_disc_attach(disc, writable, out_dev), 0);
    return disc;
}

void bench_make_volume(struct media_bench *bench) {
    struct udf_format_options options = {.seed = 1, .now = 1000000000};
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = attach(bench, true, &dev);

    assert_int_equal(udf_format(dev, &options), 0);
    assert_int_equal(mmc_disc_close(disc), 0);
    disc = attach(bench, false, &dev);
    assert_int_equal(udf_format_verify(dev), 0);
    assert_int_equal(mmc_disc_close(disc), 0);
}

void bench_change_volume(struct media_bench *bench, const char *name,
                         uint32_t blocks) {
    struct udf_name entry = {.text = name, .len = (uint32_t)strlen(name)};
    struct udf_make make = {.mode = S_IFREG | 0644};
    struct udf_mount_options options = {0};
    struct udf_cred cred = {0};
    struct udf_volume *volume = NULL;
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = attach(bench, true, &dev);
    struct udf_stat stat;
    uint8_t block[BLOCKDEV_BLOCK_BYTES];

    assert_int_equal(udf_mount(dev, &options, &volume), 0);
    assert_int_equal(
        udf_create(volume, UDF_ROOT_INO, &entry, &make, &cred, &stat), 0);
    for (uint32_t i = 0; i < blocks; i++) {
        memset(block, (int)(i + 1), sizeof(block));
        assert_int_equal(udf_write(volume, stat.ino,
                                   (uint64_t)i * BLOCKDEV_BLOCK_BYTES,
                                   sizeof(block), block),
                         0);
    }
    udf_forget(volume, stat.ino, 1);
    assert_int_equal(udf_unmount(volume), 0);
    assert_int_equal(mmc_disc_close(disc), 0);
}

void bench_check_content(struct media_bench *bench) {
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = attach(bench, false, &dev);

    prove_device(dev);
    assert_int_equal(mmc_disc_close(disc), 0);
}

void bench_check_volume(struct media_bench *bench) {
    bench_check_content(bench);
    assert_int_equal(bench_stats(bench).refused, 0);
    assert_int_equal(bench_stats(bench).partial_units, 0);
}
