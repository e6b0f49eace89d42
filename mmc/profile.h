/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/profile.h - the table of media: one constant row a profile. Pure.
 *
 * Profile numbers (MMC-6 5.3.1) are named in profile.c and nowhere else;
 * whoever must decide something asks for a capability bit. Adding a medium is
 * adding a row.
 */
#ifndef MMC_PROFILE_H
#define MMC_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a medium is like, apart from how long its packets are. */
enum mmc_capability {
    /* The write model: one of these, or none for media that are pressed. */
    MMC_CAP_OVERWRITE = 1u << 0, /* in place, once it is formatted */
    MMC_CAP_APPEND = 1u << 1,    /* at the next writable address only */

    MMC_CAP_WHOLE_PACKETS = 1u << 2,      /* the drive takes nothing smaller */
    MMC_CAP_WRITE_PARAMETERS = 1u << 3,   /* mode page 05h before writing */
    MMC_CAP_BLANKABLE = 1u << 4,          /* BLANK works */
    MMC_CAP_BACKGROUND_FORMAT = 1u << 5,  /* usable while being formatted */
    MMC_CAP_DRIVE_DEFECTS = 1u << 6,      /* the drive replaces bad blocks */
    MMC_CAP_CD_SPEED = 1u << 7,           /* SET CD SPEED, not SET STREAMING */
    MMC_CAP_PROTECTABLE = 1u << 8,        /* READ DISC STRUCTURE C0h is there */
    MMC_CAP_TRACK_LAYOUT = 1u << 9,       /* capacity is the track's, not READ
                                             CAPACITY's, which lies on CD */
    MMC_CAP_SEQUENTIAL_STATE = 1u << 10,  /* formatting gives the medium
                                             another profile */
    MMC_CAP_DVD = 1u << 11,               /* READ DISC STRUCTURE media type 0 */
    MMC_CAP_BD = 1u << 12,                /* media type 1 */
    MMC_CAP_FORMAT_PARAMETERS = 1u << 13, /* mode page 05h before FORMAT UNIT;
                                             elsewhere some drives then no
                                             longer know the format */
    MMC_CAP_SPARES_CHOSEN = 1u << 14,     /* formatting decides how many spare
                                             blocks the drive has, if any */
    MMC_CAP_QUICK_FORMAT = 1u << 15       /* formatted in a minute, then written
                                             from front to back and closed */
};

struct mmc_profile {
    uint16_t number;       /* as GET CONFIGURATION gives it */
    bool mrw;              /* this row needs the MRW feature, formatted so */
    const char *name;      /* "CD-RW" */
    const char *word;      /* what users write: "cdrw"; NULL: cannot be asked
                              for */
    uint8_t packet_blocks; /* packet or ECC block, of 2048 bytes */
    uint8_t format_type;   /* enum mmc_format_type, where it is formattable */
    uint32_t capabilities; /* enum mmc_capability */
    uint32_t rated_overwrites; /* of one packet, 0 = not rewritable */
    uint32_t speed_kbs;        /* what "1x" means, 1000 bytes a second */
    uint32_t write_kbs;    /* usual net writing speed, 1000 bytes a second */
    uint32_t usual_blocks; /* capacity of the most usual disc */
    uint16_t usual_udf;    /* UDF revision (BCD) that players and recorders
                              expect, 0 = any */
};

/* The row of profile `number`; with `mrw`, of the medium formatted as Mount
 * Rainier. Never NULL: profiles that are not in the table, and 0 for no
 * medium, have rows that can do nothing. */
const struct mmc_profile *mmc_profile_find(uint16_t number, bool mrw);

/* The row that the canonical word of mmc_media_word() stands for: the state
 * that packet writing needs, where a medium has several profiles. NULL when
 * there is none. */
const struct mmc_profile *mmc_profile_of_word(const char *word);

/* More blocks than the largest medium of this kind has: whoever claims as many
 * is not believed. */
uint32_t mmc_profile_most_blocks(const struct mmc_profile *profile);

/* Whether the row has all of `capabilities`. */
static inline bool mmc_profile_can(const struct mmc_profile *profile,
                                   unsigned capabilities) {
    return (profile->capabilities & capabilities) == capabilities;
}

#endif
