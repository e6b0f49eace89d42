/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/profile.c - the table of media, and the words that users call them by.
 *
 * Figures: packet lengths are what the medium's standard writes at once (CD-RW
 * fixed packets 32 blocks; ECC block of DVD 16, cluster of BD 32); overwrites
 * are what manufacturers rate a disc for; speeds are those of the usual disc
 * in the usual drive, net of the CD's link blocks and of verification where
 * the drive does it. They only size the write-back budget.
 */
#include "mmc/profile.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "mmc/cdb.h"
#include "mmc/disc.h"

enum {
    PROFILE_NONE = 0x0000,
    PROFILE_CD_ROM = 0x0008,
    PROFILE_CD_R = 0x0009,
    PROFILE_CD_RW = 0x000A,
    PROFILE_DVD_ROM = 0x0010,
    PROFILE_DVD_R = 0x0011,
    PROFILE_DVD_RAM = 0x0012,
    PROFILE_DVD_RW_OVERWRITE = 0x0013,
    PROFILE_DVD_RW_SEQUENTIAL = 0x0014,
    PROFILE_DVD_R_DL = 0x0015,
    PROFILE_DVD_R_DL_JUMP = 0x0016,
    PROFILE_DVD_PLUS_RW = 0x001A,
    PROFILE_DVD_PLUS_R = 0x001B,
    PROFILE_DVD_PLUS_RW_DL = 0x002A,
    PROFILE_DVD_PLUS_R_DL = 0x002B,
    PROFILE_BD_ROM = 0x0040,
    PROFILE_BD_R = 0x0041,
    PROFILE_BD_R_RANDOM = 0x0042,
    PROFILE_BD_RE = 0x0043
};

/* What the rows have in common. */
enum {
    CAPS_CD = MMC_CAP_CD_SPEED | MMC_CAP_TRACK_LAYOUT,
    CAPS_DVD_RW = MMC_CAP_DVD | MMC_CAP_WRITE_PARAMETERS | MMC_CAP_BLANKABLE |
                  MMC_CAP_QUICK_FORMAT,
    CAPS_DVD_PLUS_RW =
        MMC_CAP_DVD | MMC_CAP_OVERWRITE | MMC_CAP_BACKGROUND_FORMAT,
    CAPS_DVD_R = MMC_CAP_DVD | MMC_CAP_APPEND | MMC_CAP_WRITE_PARAMETERS,
    CAPS_BD_RE = MMC_CAP_BD | MMC_CAP_OVERWRITE | MMC_CAP_DRIVE_DEFECTS |
                 MMC_CAP_PROTECTABLE | MMC_CAP_SPARES_CHOSEN,

    /* What "1x" means, in 1000 bytes a second. */
    SPEED_CD = 177,
    SPEED_DVD = 1385,
    SPEED_BD = 4496,

    /* Addresses: on CD those of 99:59:74, on DVD sector numbers of 24 bits; the
     * largest BD, with four layers, has 62,500,864 blocks. */
    MOST_CD = (99 * 60 + 59) * 75 + 74 - 150 + 1,
    MOST_DVD = 1 << 24,
    MOST_BD = 1 << 26
};

static const struct mmc_profile table[] = {
    /* MRW before plain CD-RW: a search by word must not care, one by number
     * takes the row whose `mrw` is asked for. */
    {.number = PROFILE_CD_RW,
     .mrw = true,
     .name = "CD-MRW",
     .word = "cdmrw",
     .packet_blocks = 32,
     .format_type = MMC_FORMAT_MRW,
     .capabilities = MMC_CAP_CD_SPEED | MMC_CAP_OVERWRITE | MMC_CAP_BLANKABLE |
                     MMC_CAP_BACKGROUND_FORMAT | MMC_CAP_DRIVE_DEFECTS,
     .rated_overwrites = 1000,
     .speed_kbs = SPEED_CD,
     .write_kbs = 1260,
     .usual_blocks = 276800},
    {.number = PROFILE_CD_RW,
     .name = "CD-RW",
     .word = "cdrw",
     .packet_blocks = 32,
     .format_type = MMC_FORMAT_PACKET_FULL,
     .capabilities = CAPS_CD | MMC_CAP_OVERWRITE | MMC_CAP_WHOLE_PACKETS |
                     MMC_CAP_WRITE_PARAMETERS | MMC_CAP_BLANKABLE |
                     MMC_CAP_FORMAT_PARAMETERS,
     .rated_overwrites = 1000,
     .speed_kbs = SPEED_CD,
     .write_kbs = 1260,
     .usual_blocks = 295264},
    {.number = PROFILE_DVD_RW_OVERWRITE,
     .name = "DVD-RW",
     .word = "dvd-rw",
     .packet_blocks = 16,
     .format_type = MMC_FORMAT_PACKET_FULL,
     .capabilities = CAPS_DVD_RW | MMC_CAP_OVERWRITE | MMC_CAP_WHOLE_PACKETS,
     .rated_overwrites = 1000,
     .speed_kbs = SPEED_DVD,
     .write_kbs = 5540,
     .usual_blocks = 2297888},
    {.number = PROFILE_DVD_RW_SEQUENTIAL,
     .name = "DVD-RW (sequential)",
     .word = "dvd-rw",
     .packet_blocks = 16,
     .format_type = MMC_FORMAT_PACKET_FULL,
     .capabilities = CAPS_DVD_RW | MMC_CAP_APPEND | MMC_CAP_SEQUENTIAL_STATE,
     .rated_overwrites = 1000,
     .speed_kbs = SPEED_DVD,
     .write_kbs = 5540,
     .usual_blocks = 2297888},
    {.number = PROFILE_DVD_PLUS_RW,
     .name = "DVD+RW",
     .word = "dvd+rw",
     .packet_blocks = 16,
     .format_type = MMC_FORMAT_DVD_PLUS_RW,
     .capabilities = CAPS_DVD_PLUS_RW,
     .rated_overwrites = 1000,
     .speed_kbs = SPEED_DVD,
     .write_kbs = 11080,
     .usual_blocks = 2295104},
    {.number = PROFILE_DVD_PLUS_RW_DL,
     .name = "DVD+RW DL",
     .word = "dvd+rw-dl",
     .packet_blocks = 16,
     .format_type = MMC_FORMAT_DVD_PLUS_RW,
     .capabilities = CAPS_DVD_PLUS_RW,
     .rated_overwrites = 1000,
     .speed_kbs = SPEED_DVD,
     .write_kbs = 3324,
     .usual_blocks = 4173824},
    {.number = PROFILE_DVD_RAM,
     .name = "DVD-RAM",
     .word = "dvd-ram",
     .packet_blocks = 16,
     .format_type = MMC_FORMAT_FULL,
     .capabilities = MMC_CAP_DVD | MMC_CAP_OVERWRITE | MMC_CAP_DRIVE_DEFECTS |
                     MMC_CAP_PROTECTABLE,
     .rated_overwrites = 100000,
     .speed_kbs = SPEED_DVD,
     .write_kbs = 3500,
     .usual_blocks = 2236704},
    {.number = PROFILE_BD_RE,
     .name = "BD-RE",
     .word = "bd-re",
     .packet_blocks = 32,
     .format_type = MMC_FORMAT_FULL,
     .capabilities = CAPS_BD_RE,
     .rated_overwrites = 1000,
     .speed_kbs = SPEED_BD,
     .write_kbs = 4500,
     .usual_blocks = 11826176,
     .usual_udf = 0x0250},
    {.number = PROFILE_BD_R,
     .name = "BD-R",
     .word = "bd-r",
     .packet_blocks = 32,
     .capabilities = MMC_CAP_BD | MMC_CAP_APPEND,
     .speed_kbs = SPEED_BD,
     .write_kbs = 9000,
     .usual_blocks = 12219392},
    {.number = PROFILE_BD_R_RANDOM,
     .name = "BD-R (random recording)",
     .packet_blocks = 32,
     .capabilities = MMC_CAP_BD | MMC_CAP_APPEND,
     .speed_kbs = SPEED_BD},
    {.number = PROFILE_CD_R,
     .name = "CD-R",
     .packet_blocks = 32,
     .capabilities = CAPS_CD | MMC_CAP_APPEND | MMC_CAP_WRITE_PARAMETERS,
     .speed_kbs = SPEED_CD},
    {.number = PROFILE_DVD_R,
     .name = "DVD-R",
     .packet_blocks = 16,
     .capabilities = CAPS_DVD_R,
     .speed_kbs = SPEED_DVD},
    {.number = PROFILE_DVD_R_DL,
     .name = "DVD-R DL",
     .packet_blocks = 16,
     .capabilities = CAPS_DVD_R,
     .speed_kbs = SPEED_DVD},
    {.number = PROFILE_DVD_R_DL_JUMP,
     .name = "DVD-R DL (layer jump)",
     .packet_blocks = 16,
     .capabilities = CAPS_DVD_R,
     .speed_kbs = SPEED_DVD},
    {.number = PROFILE_DVD_PLUS_R,
     .name = "DVD+R",
     .packet_blocks = 16,
     .capabilities = MMC_CAP_DVD | MMC_CAP_APPEND,
     .speed_kbs = SPEED_DVD},
    {.number = PROFILE_DVD_PLUS_R_DL,
     .name = "DVD+R DL",
     .packet_blocks = 16,
     .capabilities = MMC_CAP_DVD | MMC_CAP_APPEND,
     .speed_kbs = SPEED_DVD},
    {.number = PROFILE_CD_ROM,
     .name = "CD-ROM",
     .packet_blocks = 32,
     .capabilities = MMC_CAP_CD_SPEED,
     .speed_kbs = SPEED_CD},
    {.number = PROFILE_DVD_ROM,
     .name = "DVD-ROM",
     .packet_blocks = 16,
     .capabilities = MMC_CAP_DVD,
     .speed_kbs = SPEED_DVD},
    {.number = PROFILE_BD_ROM,
     .name = "BD-ROM",
     .packet_blocks = 32,
     .capabilities = MMC_CAP_BD,
     .speed_kbs = SPEED_BD},
    {.number = PROFILE_NONE, .name = "no medium", .packet_blocks = 1},
};

static const struct mmc_profile unknown = {
    .number = 0xFFFF, .name = "unknown medium", .packet_blocks = 1};

enum { TABLE_ROWS = sizeof(table) / sizeof(table[0]) };

uint32_t mmc_profile_most_blocks(const struct mmc_profile *profile) {
    return mmc_profile_can(profile, MMC_CAP_CD_SPEED) ? MOST_CD
           : mmc_profile_can(profile, MMC_CAP_DVD)    ? MOST_DVD
                                                      : MOST_BD;
}

/* Words in the order in which they are offered to users. */
static const char *const words[] = {
    "cdrw",    "cdmrw", "dvd-rw", "dvd+rw", "dvd+rw-dl",
    "dvd-ram", "bd-re", "bd-r",   "image",
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

const struct mmc_profile *mmc_profile_find(uint16_t number, bool mrw) {
    const struct mmc_profile *found = &unknown;

    for (size_t i = 0; i < TABLE_ROWS; i++) {
        if (table[i].number != number) {
            continue;
        }
        if (table[i].mrw == mrw) {
            return &table[i];
        }
        /* MRW on a medium that has no such row is the plain medium. */
        found = &table[i];
    }
    return found;
}

const struct mmc_profile *mmc_profile_of_word(const char *word) {
    for (size_t i = 0; i < TABLE_ROWS; i++) {
        if (table[i].word && strcmp(table[i].word, word) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static const char *skip_hyphens(const char *word) {
    while (*word == '-') {
        word++;
    }
    return word;
}

/* tolower() takes no negative characters. */
static int lower(char c) {
    return tolower((unsigned char)c);
}

/* Whether the two are the same but for case and hyphens. */
static bool same_word(const char *left, const char *right) {
    for (;;) {
        left = skip_hyphens(left);
        right = skip_hyphens(right);
        if (lower(*left) != lower(*right)) {
            return false;
        }
        if (*left == '\0') {
            return true;
        }
        left++;
        right++;
    }
}

int mmc_media_word(const char *word, const char **out_canonical) {
    for (size_t i = 0; i < WORDS; i++) {
        if (same_word(word, words[i])) {
            *out_canonical = words[i];
            return 0;
        }
    }
    return -EINVAL;
}

const char *mmc_media_nth(size_t i) {
    return i < WORDS ? words[i] : NULL;
}
