/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_media.c - the media that the virtual drive plays: one row each.
 * What a row's traits mean is told where they are asked for.
 *
 * Capacities of CD-RW: a packet takes 39 frames on the disc (link, run-in, 32
 * blocks, run-out), so that a last possible lead-out at 79:59:74 leaves room
 * for 9227 packets. The largest is the last whose addresses stay below the
 * 90th minute; the smallest has the 300 blocks that a track must have. Other
 * small discs are no real ones, but save time in tests.
 */
#include "mmc/vdrive_core.h"

#include <string.h>

#include "mmc/cdb.h"

/* Figures that media of a class share. */
static const struct vdrive_figures cd_figures = {
    .read_blocks_per_s = 1800,
    .seek_us = 120000,
    .resume_us = 20000,
    .gap_blocks = 512,
    .quick_s = 60,
    .close_s = 5,
    .certify_passes = 1,
    .spin_up_ms = 6000,
};
static const struct vdrive_figures dvd_figures = {
    .read_blocks_per_s = 5408,
    .seek_us = 120000,
    .resume_us = 20000,
    .gap_blocks = 512,
    .quick_s = 60,
    .close_s = 60,
    .certify_passes = 1,
    .spin_up_ms = 10000,
};
static const struct vdrive_figures dvd_ram_figures = {
    .read_blocks_per_s = 3380,
    .seek_us = 140000,
    .resume_us = 20000,
    .gap_blocks = 512,
    .quick_s = 45,
    .certify_passes = 3,
    .spin_up_ms = 10000,
};
static const struct vdrive_figures bd_figures = {
    .read_blocks_per_s = 8780,
    .seek_us = 150000,
    .resume_us = 20000,
    .gap_blocks = 512,
    .quick_s = 90,
    .close_s = 30,
    .certify_passes = 1,
    .spin_up_ms = 20000,
};

enum {
    CD_BUFFER = 2 << 20,
    DVD_BUFFER = 2 << 20,
    BD_BUFFER = 4 << 20,
    CD_READ_KBS = 4234,  /* 24x */
    DVD_READ_KBS = 11080 /* 8x */
};

static const struct vdrive_medium media[] = {
    /* High speed CD-RW in a 10x writer that reads at 24x. */
    {.id = 1,
     .word = "cdrw",
     .family = VDRIVE_FAMILY_CD_RW,
     .profile = 0x000A,
     .packet_blocks = 32,
     .traits = VDRIVE_CD | VDRIVE_WHOLE_PACKETS | VDRIVE_NEEDS_PAGE_05 |
               VDRIVE_CAN_BE_BLANKED | VDRIVE_LEGACY_FORMAT,
     .usual_blocks = 9227 * 32,
     .least_blocks = 10 * 32,
     .most_blocks = 10380 * 32,
     .format_type = MMC_FORMAT_PACKET_FULL,
     .packet_us = 52000, /* 39 frames, 750 a second */
     .figures = &cd_figures,
     .buffer_bytes = CD_BUFFER,
     .read_kbs = CD_READ_KBS,
     .write_kbs = {1764, 706}},
    /* The same disc in a drive that knows Mount Rainier. */
    {.id = 2,
     .word = "cdmrw",
     .family = VDRIVE_FAMILY_MRW,
     .profile = 0x000A,
     .packet_blocks = 32,
     .traits = VDRIVE_CD | VDRIVE_WHOLE_PACKETS | VDRIVE_NEEDS_PAGE_05 |
               VDRIVE_CAN_BE_BLANKED | VDRIVE_LEGACY_FORMAT | VDRIVE_SPARES,
     .usual_blocks = 9227 * 32,
     .least_blocks = (65 + 10) * 32,
     .most_blocks = 10380 * 32,
     .format_type = MMC_FORMAT_MRW,
     .packet_us = 52000, /* 39 frames, 750 a second */
     .rmw_us = 300000,
     .figures = &cd_figures,
     .buffer_bytes = CD_BUFFER,
     .read_kbs = CD_READ_KBS,
     .write_kbs = {1764, 706}},
    {.id = 3,
     .word = "dvd-rw",
     .family = VDRIVE_FAMILY_DVD_RW,
     .profile = 0x0014,
     .formatted_profile = 0x0013,
     .packet_blocks = 16,
     .traits = VDRIVE_DVD | VDRIVE_WHOLE_PACKETS | VDRIVE_IN_ORDER |
               VDRIVE_NEEDS_PAGE_05 | VDRIVE_CAN_BE_BLANKED,
     .usual_blocks = 2297888,
     .least_blocks = 16 * 16,
     .most_blocks = 2298496,
     .format_type = MMC_FORMAT_PACKET_FULL,
     .book_type = 0x32,
     .packet_us = 5915,
     .figures = &dvd_figures,
     .buffer_bytes = DVD_BUFFER,
     .read_kbs = DVD_READ_KBS,
     .write_kbs = {5540, 2770, 1385}},
    {.id = 4,
     .word = "dvd+rw",
     .family = VDRIVE_FAMILY_DVD_PLUS_RW,
     .profile = 0x001A,
     .packet_blocks = 16,
     .traits = VDRIVE_DVD | VDRIVE_ANY_BLOCK,
     .usual_blocks = 2295104,
     .least_blocks = 16 * 16,
     .most_blocks = 2295104,
     .format_type = MMC_FORMAT_DVD_PLUS_RW,
     .book_type = 0x91,
     .packet_us = 2957,
     .rmw_us = 60000,
     .figures = &dvd_figures,
     .buffer_bytes = DVD_BUFFER,
     .read_kbs = DVD_READ_KBS,
     .write_kbs = {11080, 5540, 3324}},
    {.id = 5,
     .word = "dvd+rw-dl",
     .family = VDRIVE_FAMILY_DVD_PLUS_RW,
     .profile = 0x002A,
     .packet_blocks = 16,
     .traits = VDRIVE_DVD | VDRIVE_ANY_BLOCK,
     .usual_blocks = 4173824,
     .least_blocks = 16 * 16,
     .most_blocks = 4173824,
     .format_type = MMC_FORMAT_DVD_PLUS_RW,
     .book_type = 0xD1,
     .packet_us = 9858,
     .rmw_us = 60000,
     .figures = &dvd_figures,
     .buffer_bytes = DVD_BUFFER,
     .read_kbs = DVD_READ_KBS,
     .write_kbs = {3324}},
    /* 5x, but every packet is verified. */
    {.id = 6,
     .word = "dvd-ram",
     .family = VDRIVE_FAMILY_DVD_RAM,
     .profile = 0x0012,
     .packet_blocks = 16,
     .traits =
         VDRIVE_DVD | VDRIVE_ANY_BLOCK | VDRIVE_SOLD_FORMATTED | VDRIVE_SPARES,
     .usual_blocks = 2295072,
     .least_blocks = 16 * 16,
     .most_blocks = 2295072,
     .format_type = MMC_FORMAT_FULL,
     .book_type = 0x16,
     .packet_us = 9362,
     .rmw_us = 60000,
     .figures = &dvd_ram_figures,
     .buffer_bytes = DVD_BUFFER,
     .read_kbs = 6925,
     .write_kbs = {6925, 4155, 2770}},
    /* 2x; defect management takes half of it. */
    {.id = 7,
     .word = "bd-re",
     .family = VDRIVE_FAMILY_BD_RE,
     .profile = 0x0043,
     .packet_blocks = 32,
     .traits = VDRIVE_BD | VDRIVE_ANY_BLOCK | VDRIVE_SPARES,
     .usual_blocks = 12219392,
     .least_blocks = 16 * 32,
     .most_blocks = 12219392,
     .format_type = MMC_FORMAT_FULL,
     .packet_us = 14563,
     .rmw_us = 50000,
     .figures = &bd_figures,
     .buffer_bytes = BD_BUFFER,
     .read_kbs = 17982,
     .write_kbs = {8991, 4496}},
    {.id = 8,
     .word = "bd-r",
     .family = VDRIVE_FAMILY_BD_R,
     .profile = 0x0041,
     .packet_blocks = 32,
     .traits = VDRIVE_BD | VDRIVE_IN_ORDER | VDRIVE_WRITE_ONCE | VDRIVE_SPARES,
     .usual_blocks = 12219392,
     .least_blocks = 16 * 32,
     .most_blocks = 12219392,
     .packet_us = 14563,
     .figures = &bd_figures,
     .buffer_bytes = BD_BUFFER,
     .read_kbs = 17982,
     .write_kbs = {17982, 8991}},
    {.id = 9,
     .word = "dvd+r",
     .family = VDRIVE_FAMILY_WRITE_ONCE,
     .profile = 0x001B,
     .packet_blocks = 16,
     .traits = VDRIVE_DVD | VDRIVE_IN_ORDER | VDRIVE_WRITE_ONCE,
     .usual_blocks = 2295104,
     .least_blocks = 16 * 16,
     .most_blocks = 2295104,
     .book_type = 0xA1,
     .packet_us = 2957,
     .figures = &dvd_figures,
     .buffer_bytes = DVD_BUFFER,
     .read_kbs = DVD_READ_KBS,
     .write_kbs = {11080, 5540}},
    {.id = 10,
     .word = "dvd-r",
     .family = VDRIVE_FAMILY_WRITE_ONCE,
     .profile = 0x0011,
     .packet_blocks = 16,
     .traits = VDRIVE_DVD | VDRIVE_IN_ORDER | VDRIVE_WRITE_ONCE |
               VDRIVE_NEEDS_PAGE_05,
     .usual_blocks = 2298496,
     .least_blocks = 16 * 16,
     .most_blocks = 2298496,
     .book_type = 0x25,
     .packet_us = 2957,
     .figures = &dvd_figures,
     .buffer_bytes = DVD_BUFFER,
     .read_kbs = DVD_READ_KBS,
     .write_kbs = {11080, 5540}},
    /* Written by track (TAO): see vdrive_modes_check_append(). */
    {.id = 11,
     .word = "cd-r",
     .family = VDRIVE_FAMILY_WRITE_ONCE,
     .profile = 0x0009,
     .packet_blocks = 32,
     .traits =
         VDRIVE_CD | VDRIVE_IN_ORDER | VDRIVE_WRITE_ONCE | VDRIVE_NEEDS_PAGE_05,
     .usual_blocks = 359840,
     .least_blocks = 10 * 32,
     .most_blocks = 404800,
     .packet_us = 52000, /* 39 frames, 750 a second */
     .figures = &cd_figures,
     .buffer_bytes = CD_BUFFER,
     .read_kbs = CD_READ_KBS,
     .write_kbs = {1764, 706}},
};

const struct vdrive_medium *vdrive_medium_of_word(const char *word) {
    for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
        if (strcmp(media[i].word, word) == 0) {
            return &media[i];
        }
    }
    return NULL;
}

const struct vdrive_medium *vdrive_medium_of_id(uint32_t id) {
    for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
        if (media[i].id == id) {
            return &media[i];
        }
    }
    return NULL;
}

/* ---- Spare areas -------------------------------------------------------- */

/* On the usual disc: a third of what a BD-RE is given by default (1000h
 * clusters of 5D3A0h), and the supplementary spare area of a DVD-RAM. Smaller
 * discs have as much in proportion. */
uint32_t vdrive_medium_spare_unit(const struct vdrive_medium *medium,
                                  uint32_t max_blocks) {
    uint32_t usual_spare = medium->traits & VDRIVE_BD ? 0x1000 * 32 : 58368;
    uint64_t packets = (uint64_t)max_blocks * usual_spare /
                       medium->usual_blocks / medium->packet_blocks;

    return (packets ? (uint32_t)packets : 1) * medium->packet_blocks;
}

/* Mount Rainier: 32 packets for the general application area and 33 for
 * tables, the rest in segments of 8 spare and 136 data packets. */
static uint32_t mrw_blocks(uint32_t max_blocks) {
    uint32_t packets = max_blocks / 32 - 65, rest = packets % 144;

    return (packets / 144 * 136 + (rest > 8 ? rest - 8 : 0)) * 32;
}

uint32_t vdrive_medium_capacity(const struct vdrive_medium *medium,
                                uint32_t max_blocks, uint8_t type) {
    bool with_spares = type == MMC_FORMAT_FULL ||
                       type == MMC_FORMAT_BD_RE_SPARES ||
                       type == MMC_FORMAT_BD_R_SPARES;

    if (type == MMC_FORMAT_MRW) {
        return mrw_blocks(max_blocks);
    }
    switch (medium->family) {
    case VDRIVE_FAMILY_BD_RE:
    case VDRIVE_FAMILY_BD_R:
        return with_spares
                   ? max_blocks -
                         3 * vdrive_medium_spare_unit(medium, max_blocks)
                   : max_blocks;
    case VDRIVE_FAMILY_DVD_RAM:
        return max_blocks - vdrive_medium_spare_unit(medium, max_blocks);
    case VDRIVE_FAMILY_CD_RW:
    case VDRIVE_FAMILY_MRW:
    case VDRIVE_FAMILY_DVD_RW:
    case VDRIVE_FAMILY_DVD_PLUS_RW:
    case VDRIVE_FAMILY_WRITE_ONCE:
        break;
    }
    return max_blocks;
}

/* By trying: with each packet the capacity grows by one or stays, so that
 * every size is met. */
uint32_t vdrive_medium_whole(const struct vdrive_medium *medium,
                             uint32_t blocks) {
    uint32_t whole =
        blocks < medium->least_blocks ? medium->least_blocks : blocks;

    if (medium->family == VDRIVE_FAMILY_BD_R) {
        return blocks; /* sold to be written without a format */
    }
    while (whole < medium->most_blocks &&
           vdrive_medium_capacity(medium, whole, medium->format_type) <
               blocks) {
        whole += medium->packet_blocks;
    }
    return vdrive_medium_capacity(medium, whole, medium->format_type) == blocks
               ? whole
               : 0;
}
