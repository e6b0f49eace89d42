/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_media.c - the media that the virtual drive plays: one row each.
 * What a row's traits mean is told where they are asked for.
 *
 * Capacities of CD-RW: a packet takes 39 frames on the disc (link, run-in, 32
 * blocks, run-out), so that a last possible lead-out at 79:59:74 leaves room
 * for 9227 packets. The largest is the last whose addresses stay below the
 * 90th minute; the smallest has the 300 blocks that a track must have.
 */
#include "mmc/vdrive_core.h"

#include <string.h>

#include "mmc/cdb.h"

static const struct vdrive_medium media[] = {
    /* High speed CD-RW in a 10x writer that reads at 24x. */
    {.id = 1,
     .word = "cdrw",
     .profile = 0x000A,
     .packet_blocks = 32,
     .traits = VDRIVE_CD | VDRIVE_WHOLE_PACKETS | VDRIVE_NEEDS_PAGE_05 |
               VDRIVE_CAN_BE_BLANKED | VDRIVE_LEGACY_FORMAT,
     .usual_blocks = 9227 * 32,
     .least_blocks = 10 * 32,
     .most_blocks = 10380 * 32,
     .format_type = MMC_FORMAT_PACKET_FULL,
     .figures = {.packet_us = 52000, /* 39 frames, 750 a second */
                 .read_blocks_per_s = 1800,
                 .seek_us = 120000,
                 .resume_us = 20000,
                 .gap_blocks = 512,
                 .minimal_blank_s = 60,
                 .spin_up_ms = 6000},
     .buffer_bytes = 2u << 20,
     .read_kbs = 4234,
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
