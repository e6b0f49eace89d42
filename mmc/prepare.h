/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/prepare.h - makes a medium ready for packet writing: blanks and formats
 * it as its kind and state need.
 */
#ifndef MMC_PREPARE_H
#define MMC_PREPARE_H

#include "mmc/disc.h"

struct mmc_drive;
struct mmc_media;

/* Blanks and formats, and updates *media. A medium that is ready is left as it
 * is unless options->full. Waits first for an operation that is running
 * already. Returns 0; errors as mmc_disc_prepare(). Destroys data. */
int mmc_prepare(struct mmc_drive *drive, struct mmc_media *media,
                const struct mmc_prepare_options *options,
                mmc_progress *progress, void *context);

#endif
