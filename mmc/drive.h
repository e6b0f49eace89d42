/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/drive.h - an open drive: who it is, waiting until it is ready, the door
 * lock and settings, and every rule about repeating a command.
 *
 * mmc/command sends a command once; here it is sent again as its result asks
 * (the table is in drive.c). Everything is bounded, by a number of repeats or
 * by time on the drive's clock.
 *
 * What a drive forgets by a reset, or because another host changed it (write
 * parameters, door), is kept here and sent again. What it had in its buffer is
 * not: the epoch counts how often data since the last SYNCHRONIZE CACHE may
 * have been lost, and whoever holds that data sends it again (mmc/cache).
 *
 * After a reset or news of the medium, another disc may lie in the drive.
 * Reads and writes are then refused with MMC_MEDIUM_CHANGED, whichever command
 * the news came with, until somebody has looked and says
 * mmc_drive_accept_medium().
 *
 * All functions may be called from several threads; one command at a time
 * goes to the drive.
 */
#ifndef MMC_DRIVE_H
#define MMC_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/cdb.h"
#include "mmc/reply.h"
#include "mmc/sense.h"

struct mmc_drive;
struct mmc_transport;

/* What kind of command is repeated, for what it may wait for. */
enum mmc_patience {
    MMC_PATIENCE_PROBE, /* may be refused; do not wait for anything */
    MMC_PATIENCE_QUERY, /* asks something; news about the medium is welcome */
    MMC_PATIENCE_READ,
    MMC_PATIENCE_WRITE
};

/* Sends one command once. */
typedef enum mmc_result mmc_attempt(struct mmc_transport *transport,
                                    void *context, struct mmc_sense *out_sense);

/* Makes a drive of `transport`, which belongs to it from then on, and asks
 * who it is. Returns 0; -ENXIO when it is no MMC drive; -ENODEV; -EPERM;
 * -ENOMEM; -EIO. On failure `transport` is still the caller's. */
int mmc_drive_open(struct mmc_transport *transport,
                   struct mmc_drive **out_drive);

/* Unlocks the door if it was locked, and closes the transport. NULL is
 * accepted. */
void mmc_drive_close(struct mmc_drive *drive);

const struct mmc_inquiry *mmc_drive_inquiry(const struct mmc_drive *drive);

/* Longest transfer of one command, in blocks (>= 1). */
uint32_t mmc_drive_max_blocks(const struct mmc_drive *drive);

/* Sends a command until it is done or there is no hope. `out_sense`, the last
 * attempt's, may be NULL. */
enum mmc_result mmc_drive_run(struct mmc_drive *drive,
                              enum mmc_patience patience, mmc_attempt *attempt,
                              void *context, struct mmc_sense *out_sense);

/* Waits until the medium can be used. MMC_OK; MMC_NO_MEDIUM; MMC_NOT_READY
 * when it takes longer than limit_ms, and when the drive says twice that it
 * is formatting, which may take an hour; others as the drive says. */
enum mmc_result mmc_drive_wait_ready(struct mmc_drive *drive,
                                     uint32_t limit_ms);

/* Where a long operation is. */
struct mmc_drive_progress {
    bool running;
    bool formatting;   /* running, and it is FORMAT UNIT */
    bool known;        /* permille means something */
    unsigned permille; /* 0..1000 */
};

/* Asks once, by TEST UNIT READY, READ DISC INFORMATION (for drives that are not
 * as ready as they say) and REQUEST SENSE. MMC_OK with *out filled;
 * otherwise the operation failed, and this is how. Drives that do not say why
 * they are not ready count as running: the caller's patience decides.
 * MMC_NEEDS_START: the drive had stopped and was sent START UNIT. */
enum mmc_result mmc_drive_poll(struct mmc_drive *drive,
                               struct mmc_drive_progress *out);

void mmc_drive_sleep(struct mmc_drive *drive, uint32_t duration_ms);
uint64_t mmc_drive_now(struct mmc_drive *drive);

/* Transfers `count` (>= 1) blocks, in as many commands as the transport
 * needs. MMC_MEDIUM_CHANGED: identify the medium, then
 * mmc_drive_accept_medium(), then again. */
enum mmc_result mmc_drive_read(struct mmc_drive *drive, uint32_t lba,
                               uint32_t count, void *buf);
enum mmc_result mmc_drive_write(struct mmc_drive *drive, uint32_t lba,
                                uint32_t count, const void *buf);

/* Reads one block although the medium may have changed: to find out. */
enum mmc_result mmc_drive_peek(struct mmc_drive *drive, uint32_t lba,
                               void *buf);

/* Whole buffer to the medium; an error is about earlier writes. */
enum mmc_result mmc_drive_synchronize(struct mmc_drive *drive);

/* Asks for the current values of mode page `code`. */
enum mmc_result mmc_drive_get_page(struct mmc_drive *drive, uint8_t code,
                                   struct mmc_mode_page *out_page);

/* Sends `page` now, and again whenever the drive may have forgotten it.
 * A page that is refused is not kept. */
enum mmc_result mmc_drive_set_page(struct mmc_drive *drive,
                                   const struct mmc_mode_page *page);

/* One wish for a speed, in both forms; `cd` says which one is sent. */
struct mmc_drive_speed {
    bool cd; /* SET CD SPEED, else SET STREAMING */
    struct mmc_streaming streaming;
    uint16_t cd_read_kbs, cd_write_kbs;
};

/* Sends it now and, with `keep`, again whenever the drive may have forgotten
 * it; without, an earlier one is forgotten here as well. One that is refused
 * is not kept. */
enum mmc_result mmc_drive_set_speed(struct mmc_drive *drive,
                                    const struct mmc_drive_speed *speed,
                                    bool keep);

/* Locks or unlocks the door. Drives without a lock are no error. */
void mmc_drive_lock_door(struct mmc_drive *drive, bool locked);

/* Starts to watch the drive for events (mmc/events.h); those from before are
 * forgotten. *out_fd becomes readable when there is news, and belongs to the
 * drive. From then on the drive is asked between two transfers, at most once
 * a second of its clock: while it is busy, nobody else would ever find it
 * free. Returns 0 or a negative errno of eventfd(2). */
int mmc_drive_watch(struct mmc_drive *drive, int *out_fd);

/* Takes the news so far; a set of enum mmc_news. Asks the drive itself when it
 * is idle, so call it once a second. Never waits for a command to end. */
unsigned mmc_drive_news(struct mmc_drive *drive);

/* Whether the drive says now that it holds no medium, or is gone. */
bool mmc_drive_is_empty(struct mmc_drive *drive);

/* Unlocks the door and opens the tray. */
enum mmc_result mmc_drive_eject(struct mmc_drive *drive);

/* How often data since the last SYNCHRONIZE CACHE may have been lost: changes
 * when it happens again. */
uint64_t mmc_drive_epoch(struct mmc_drive *drive);

/* The medium is the same after all: settings are sent again. */
void mmc_drive_accept_medium(struct mmc_drive *drive);

#endif
