/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/media_bench.h - a virtual drive with any medium in it, and our
 * side of it as far as mmc/prepare: for tests of recognising and formatting.
 * Failures that are not the test's subject end the test.
 */
#ifndef TEST_MEDIA_BENCH_H
#define TEST_MEDIA_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/disc.h"
#include "mmc/media.h"
#include "mmc/vdrive.h"

/* Blocks of the small media that tests use: whole packets of every kind, and
 * enough for a UDF volume. */
enum { BENCH_BLOCKS = 8192 };

struct media_bench {
    char folder[64];
    char path[96];
    struct mmc_transport *transport; /* inside `drive` */
    struct mmc_drive *drive;
    struct mmc_media media;
    /* What progress was told. */
    unsigned calls, give_up_after;
    bool seen[MMC_STEP_VERIFY + 1];
};

/* cmocka's teardown; its setup calls bench_open() with the medium. */
int bench_tear_down(void **state);

/* Makes a new medium (a word of mmc_media_word()), and looks at it. */
struct media_bench *bench_open(const char *word);

/* Off and on again. */
void bench_reopen(struct media_bench *bench);

/* Looks again. */
void bench_look(struct media_bench *bench);

/* mmc_prepare(). */
int bench_prepare(struct media_bench *bench,
                  const struct mmc_prepare_options *options);

/* The next `times` commands `opcode` are answered with `sense`. */
void bench_refuse(struct media_bench *bench, uint32_t opcode, uint32_t sense,
                  uint32_t times);

struct mmc_vdrive_stats bench_stats(struct media_bench *bench);

/* Opens the medium as a disc (the bench has it no more until bench_reopen()),
 * makes a UDF volume on it, and closes it. */
void bench_make_volume(struct media_bench *bench);

/* Opens it as a disc, changes the volume on it: one more file "NAME" with
 * `blocks` blocks. */
void bench_change_volume(struct media_bench *bench, const char *name,
                         uint32_t blocks);

/* Opens it as a disc and runs udf_check(): no fault. */
void bench_check_content(struct media_bench *bench);

/* The same; and no command that the drive refused so far, and no packet of
 * which it was given a part only. */
void bench_check_volume(struct media_bench *bench);

#endif
