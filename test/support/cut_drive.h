/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/cut_drive.h - a virtual drive whose every packet is written
 * down, and from that the media that a power cut could have left.
 *
 * A medium is a list of contents, one pointer a packet; who points to the same
 * buffer has the same content, so that a medium is cheap to copy, and loading
 * one into the drive writes only what differs.
 *
 * What a drive may do at a power cut (the model of the campaign):
 *  1. Packets up to the last SYNCHRONIZE CACHE are on the medium.
 *  2. Of those after it, any may be missing, whatever their order.
 *  3. One packet, of those that may be missing or the one that was just being
 *     written, is torn: unreadable as a whole, or half new and half old.
 *
 * The discs are real ones to the code under test: mmc_disc_open_transport()
 * over this drive, with all of the drive's rules. Failures that are not the
 * test's subject end the test.
 */
#ifndef TEST_CUT_DRIVE_H
#define TEST_CUT_DRIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmc/transport.h"

struct mmc_disc;

/* One packet that was written. */
struct cut_step {
    uint32_t pkt;
    size_t synced; /* steps before this number were synchronised */
    uint8_t *data;
};

/* What a drive was told to write, oldest first. */
struct cut_log {
    struct cut_step *steps;
    size_t count, room;
    size_t synced;        /* steps that are synchronised */
    size_t writes, syncs; /* WRITE and SYNCHRONIZE CACHE commands */
};

struct cut_drive {
    struct mmc_transport tap; /* first: what the disc speaks to */
    struct mmc_transport *vdrive;
    char folder[64], path[96];
    uint32_t blocks, packets, packet_blocks, packet_bytes;
    const uint8_t **medium; /* what the drive has; NULL = not known */
    struct cut_log *log;    /* what is written is put down here, or NULL */
    uint64_t refusals;      /* WRITE and SYNCHRONIZE CACHE that did not work */
    bool no_journal;        /* volumes are mounted without one */
    uint8_t **images;       /* of cut_drive_save() */
    size_t image_count;
};

/* A content that cannot be read. */
extern const uint8_t cut_unreadable[1];

/* A formatted medium (a word of mmc_media_word()) of about `blocks`. */
struct cut_drive *cut_drive_new(const char *media_word, uint32_t blocks);
void cut_drive_free(struct cut_drive *drive);

/* Opens the disc in it, and closes it; NULL for what cannot be opened. */
struct mmc_disc *cut_drive_open(struct cut_drive *drive);

/* A list with room for this drive's contents. */
const uint8_t **cut_medium_new(const struct cut_drive *drive);

/* What is on the medium now. Its buffers live as long as the drive. */
const uint8_t **cut_drive_save(struct cut_drive *drive);

/* Puts the image file `path` onto the medium, and zeros behind it. */
void cut_drive_import(struct cut_drive *drive, const char *path);

/* Makes the drive's medium this one, and switches it off and on. */
void cut_drive_load(struct cut_drive *drive, const uint8_t *const *medium);

/* Frees what the log holds. The drive forgets what it has of it. */
void cut_log_clear(struct cut_drive *drive, struct cut_log *log);

/* What becomes of the packet that is torn. */
enum cut_tear { CUT_OLD, CUT_NEW, CUT_HALF, CUT_UNREADABLE, CUT_TEARS };

/* What becomes of the others since the last SYNCHRONIZE CACHE. */
enum cut_loss { CUT_KEEP_ALL, CUT_LOSE_ALL, CUT_LOSE_SOME };

/* A moment, and what the cut leaves. */
struct cut_point {
    size_t step; /* being written; the log's count: between two commands */
    enum cut_tear tear;
    enum cut_loss loss;
    uint64_t seed; /* CUT_LOSE_SOME: which, and which one is torn */
};

/* A medium after a cut. */
struct cut_state {
    const uint8_t **medium;
    uint8_t *half; /* the torn packet's content */
};

void cut_state_init(const struct cut_drive *drive, struct cut_state *state);
void cut_state_free(struct cut_state *state);

/* Makes the state that is left when the power was cut at `point` of a log that
 * began with `base`. */
void cut_state_make(struct cut_drive *drive, const uint8_t *const *base,
                    const struct cut_log *log, const struct cut_point *point,
                    struct cut_state *state);

/* The same number for the same medium, while its buffers live. */
uint64_t cut_state_hash(const struct cut_drive *drive,
                        const struct cut_state *state);

/* A number drawn from a seed, which it changes. */
uint64_t cut_draw(uint64_t *seed);

#endif
