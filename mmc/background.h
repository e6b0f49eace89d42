/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/background.h - formats that go on while the medium is in use (DVD+RW,
 * Mount Rainier): started again, stopped before the disc leaves the drive, and
 * waited for.
 *
 *   none --FORMAT UNIT--> running --by itself, in minutes--> complete
 *                         |    ^
 *        CLOSE or power off    FORMAT UNIT with "restart"
 *                         v    |
 *                         stopped
 *
 * A disc with a stopped format can be read and used for ever. Only writing
 * needs it started again: some drives do so by themselves, others refuse.
 */
#ifndef MMC_BACKGROUND_H
#define MMC_BACKGROUND_H

#include <stdbool.h>

#include "mmc/disc.h"
#include "mmc/reply.h"
#include "mmc/sense.h"

struct mmc_drive;
struct mmc_media;

/* Starts a stopped format again and waits until the drive takes writes. A
 * drive that refuses goes on by itself with the first write: MMC_OK. Others
 * only when drive or medium are gone. */
enum mmc_result mmc_background_restart(struct mmc_drive *drive,
                                       const struct mmc_media *media);

/* Stops a running format, so that the disc can be taken out: seconds, or a
 * minute or two with `lead_out`, the provisional end of the recording that
 * read-only drives look for. Nothing to do where none runs; a drive that does
 * not say is told all the same. */
enum mmc_result mmc_background_stop(struct mmc_drive *drive,
                                    const struct mmc_media *media,
                                    bool lead_out);

/* Waits until the format is complete, starting it again where it stopped.
 * Returns 0; -EINTR when `progress` said false; -ENOMEDIUM; -ENODEV; -EIO when
 * it does not get on. */
int mmc_background_wait(struct mmc_drive *drive, const struct mmc_media *media,
                        mmc_progress *progress, void *context);

#endif
