/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/media.h - the disc in the drive: what it is, what state it is in, how
 * large it is, and the write parameters that it needs.
 */
#ifndef MMC_MEDIA_H
#define MMC_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/disc.h"
#include "mmc/profile.h"
#include "mmc/reply.h"

struct mmc_drive;

/* A medium as the drive describes it. */
struct mmc_media {
    const struct mmc_profile *profile;
    enum mmc_disc_state state;
    const char *reason;          /* why, in words; a constant */
    uint32_t blocks;             /* usable now */
    uint32_t formattable_blocks; /* after a full format, 0 = not offered */
    uint32_t readable_blocks;    /* of a medium that is not ready, but can be
                                    read; 0 = none */
    uint32_t session_start;      /* LBA of the last session */
    bool write_protected;
    bool erasable;
    bool formatting;    /* a format is running: the medium is not usable */
    bool needs_blank;   /* formatting is refused before it is blanked */
    bool intermediate;  /* is being written from front to back; usable when
                           its session is closed (DVD-RW, quick format) */
    bool hollow;        /* a format or blank did not come to its end: nothing
                           is recorded that could be read */
    bool drive_defects; /* the drive replaces bad blocks, the way this medium
                           is formatted */
    bool stop_by_close; /* a background format is stopped by closing the
                           session, and in no other way */
    bool uncalibrated;  /* the drive knows no laser power for writing to it, and
                           may want to be told to find out */
    bool mrw_capable;   /* the drive can format it as Mount Rainier */
    enum mmc_background_format background;
    bool track_valid;
    struct mmc_track_information track; /* the first one */
    struct mmc_format_capacities formats;
};

/* Looks at the medium, and once more when the drive did not answer everything
 * that it did not refuse. No medium is a state, not an error. Returns MMC_OK
 * unless the drive cannot be talked to. */
enum mmc_result mmc_media_load(struct mmc_drive *drive,
                               struct mmc_media *out_media);

/* Looks again, and says whether it can still be the same medium, in the same
 * state. MMC_OK when it can, then *out_background is what has become of a
 * background format; MMC_NO_MEDIUM when there is none or another;
 * MMC_MEDIUM_CHANGED when the drive did not answer well enough to say. */
enum mmc_result mmc_media_verify(struct mmc_drive *drive,
                                 const struct mmc_media *media,
                                 enum mmc_background_format *out_background);

/* Whether a background format has begun and is not complete, or may be so,
 * because the drive does not say: blocks that were never written may be
 * unreadable. */
bool mmc_media_is_part_formatted(const struct mmc_media *media);

#endif
