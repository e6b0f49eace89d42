/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/format_plan.h - which FORMAT UNIT a medium needs. Pure: what the drive
 * offers and the user wants in, the commands to try out.
 */
#ifndef MMC_FORMAT_PLAN_H
#define MMC_FORMAT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/cdb.h"
#include "mmc/disc.h"
#include "mmc/media.h"
#include "mmc/profile.h"

enum { MMC_FORMAT_TRIES_MAX = 4 };

struct mmc_format_plan {
    const struct mmc_profile *target;            /* what the medium will be */
    struct mmc_format try[MMC_FORMAT_TRIES_MAX]; /* best first */
    unsigned tries;
    uint32_t blocks; /* the capacity that comes of it; 0 = not known before */
    bool append;     /* blocks are then written from `append_from` on, one
                        after the other, and the session is closed */
    uint32_t append_from;
    bool drive_defects; /* the drive will replace bad blocks */
};

/* Plans the format. Returns 0; -EMEDIUMTYPE when the drive offers none for
 * this medium; -EINVAL when what `options` say (size, spares, another medium,
 * growing) is not possible with it. */
int mmc_format_plan(const struct mmc_media *media,
                    const struct mmc_prepare_options *options,
                    struct mmc_format_plan *out_plan);

/* Whether a medium that is ready need not be formatted for these options. */
bool mmc_format_is_done(const struct mmc_media *media,
                        const struct mmc_prepare_options *options);

#endif
