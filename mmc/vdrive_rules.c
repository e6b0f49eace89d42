/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_rules.c - which blocks may be read and written, by what the
 * medium is and how it is recorded now.
 *
 * What a WRITE is refused for, in this order (vdrive_check_write):
 *   1. a write-protected medium, or a finalized one                7/27/00
 *   2. a medium that is blank: nothing there to overwrite          5/30/05
 *      or whose format never ended                                 3/31/00
 *   3. blocks beyond the capacity                                  5/21/00
 *   4. media of whole packets (and drives that want them, a quirk):
 *      an address that is not the first of a packet                5/21/02
 *      a length that is not whole packets          5/63/01 (quirk: 5/21/02)
 *      page 05h that does not describe the track          5/64/00, 5/64/01
 *   5. media that are written in order, and DVD-RW in the intermediate state:
 *      another address than the next writable one                  5/21/02
 *      a length that is not whole packets                          5/63/01
 *      page 05h as above, or a disc that was blanked minimally     5/64/00
 *   6. a background format that is stopped: packets that it has not
 *      come to                                                     5/21/02
 * The standard leaves some of these senses to the drive (MMC-5 5.3.14, 6.45);
 * these are the ones that hosts have met.
 */
#include "mmc/vdrive_core.h"

#include "mmc/reply.h"

enum { GAA_BLOCKS = 32 * 32 }; /* CD-MRW: general application area */

/* ---- What there is ------------------------------------------------------ */

static enum vdrive_way formatted_way(const struct vdrive *drive) {
    if (drive->files.head->intermediate) {
        return VDRIVE_WAY_APPEND;
    }
    return vdrive_has(drive, VDRIVE_ANY_BLOCK) || vdrive_mrw_formatted(drive)
               ? VDRIVE_WAY_BLOCKS
               : VDRIVE_WAY_PACKETS;
}

enum vdrive_way vdrive_way(const struct vdrive *drive) {
    switch (vdrive_state(drive)) {
    case VDRIVE_FORMATTED:
        return formatted_way(drive);
    case VDRIVE_BLANK:
    case VDRIVE_APPENDABLE:
        return vdrive_has(drive, VDRIVE_IN_ORDER) ? VDRIVE_WAY_APPEND
                                                  : VDRIVE_WAY_NONE;
    case VDRIVE_TORN:
    case VDRIVE_CLOSED:
        break;
    }
    return VDRIVE_WAY_NONE;
}

bool vdrive_has_blocks(const struct vdrive *drive) {
    switch (vdrive_state(drive)) {
    case VDRIVE_FORMATTED:
    case VDRIVE_APPENDABLE:
    case VDRIVE_CLOSED:
        return true;
    case VDRIVE_BLANK:
    case VDRIVE_TORN:
        break;
    }
    return false;
}

uint32_t vdrive_readable_end(const struct vdrive *drive) {
    const struct vdrive_head *head = drive->files.head;

    if (vdrive_mrw_formatted(drive) && vdrive_modes_in_gaa(drive)) {
        return GAA_BLOCKS;
    }
    return head->next_writable > head->formatted_blocks
               ? head->next_writable
               : head->formatted_blocks;
}

uint32_t vdrive_append_end(const struct vdrive *drive) {
    const struct vdrive_head *head = drive->files.head;

    return head->append_blocks ? head->append_blocks : head->max_blocks;
}

/* ---- Reading ------------------------------------------------------------ */

enum vdrive_sense vdrive_check_read(const struct vdrive *drive, uint32_t lba,
                                    uint32_t count) {
    if (vdrive_state(drive) == VDRIVE_TORN) {
        return VDRIVE_FORMAT_CORRUPTED;
    }
    if (!vdrive_has_blocks(drive)) {
        return VDRIVE_BLANK_CHECK;
    }
    return (uint64_t)lba + count > vdrive_readable_end(drive)
               ? VDRIVE_OUT_OF_RANGE
               : VDRIVE_GOOD;
}

/* ---- Writing ------------------------------------------------------------ */

/* Rules 1 and 2. */
static enum vdrive_sense check_state(const struct vdrive *drive) {
    if (vdrive_protected(drive) || vdrive_state(drive) == VDRIVE_CLOSED) {
        return VDRIVE_WRITE_PROTECTED;
    }
    if (vdrive_state(drive) == VDRIVE_TORN) {
        return VDRIVE_FORMAT_CORRUPTED;
    }
    return vdrive_way(drive) == VDRIVE_WAY_NONE ? VDRIVE_CANNOT_WRITE_FORMAT
                                                : VDRIVE_GOOD;
}

/* Rule 4. */
static enum vdrive_sense check_packets(const struct vdrive *drive, uint32_t lba,
                                       uint32_t count) {
    if (lba % drive->medium->packet_blocks) {
        return VDRIVE_BAD_WRITE_ADDRESS;
    }
    if (count % drive->medium->packet_blocks) {
        return VDRIVE_PACKET_DOES_NOT_FIT;
    }
    return vdrive_has(drive, VDRIVE_NEEDS_PAGE_05)
               ? vdrive_modes_check_packet(
                     drive, (uint8_t)drive->files.head->data_block_type)
               : VDRIVE_GOOD;
}

/* Rule 5. The page is the formatted track's in the intermediate state. */
static enum vdrive_sense check_append(const struct vdrive *drive, uint32_t lba,
                                      uint32_t count) {
    const struct vdrive_head *head = drive->files.head;

    /* Pseudo-overwrite: what is written may be written again. */
    if (lba != head->next_writable &&
        !(head->overwrites && lba + count <= head->next_writable)) {
        return VDRIVE_BAD_WRITE_ADDRESS;
    }
    if (head->intermediate || !vdrive_has(drive, VDRIVE_NEEDS_PAGE_05)) {
        return check_packets(drive, lba, count);
    }
    if (count % drive->medium->packet_blocks) {
        return VDRIVE_PACKET_DOES_NOT_FIT;
    }
    return vdrive_modes_check_append(drive);
}

/* Rules 4 and 6 for media that take any block. */
static enum vdrive_sense check_blocks(const struct vdrive *drive, uint32_t lba,
                                      uint32_t count) {
    uint32_t packet_blocks = drive->medium->packet_blocks;
    uint32_t end = (lba + count + packet_blocks - 1) / packet_blocks;

    if (vdrive_quirk(drive, MMC_VDRIVE_QUIRK_ALIGNED_ONLY) &&
        (lba % packet_blocks || count % packet_blocks)) {
        return VDRIVE_BAD_WRITE_ADDRESS;
    }
    if (vdrive_mrw_formatted(drive) && vdrive_modes_in_gaa(drive)) {
        return VDRIVE_WRITE_PROTECTED; /* drives keep it for themselves */
    }
    for (uint32_t pkt = lba / packet_blocks; pkt < end; pkt++) {
        if (drive->files.head->background == MMC_BACKGROUND_STOPPED &&
            !vdrive_background_recorded(drive, pkt)) {
            return VDRIVE_BAD_WRITE_ADDRESS;
        }
    }
    return VDRIVE_GOOD;
}

enum vdrive_sense vdrive_check_write(const struct vdrive *drive, uint32_t lba,
                                     uint32_t count) {
    enum vdrive_way way = vdrive_way(drive);
    enum vdrive_sense sense = check_state(drive);
    uint32_t end = way == VDRIVE_WAY_APPEND ? vdrive_append_end(drive)
                                            : vdrive_readable_end(drive);

    if (!sense && (uint64_t)lba + count > end) {
        sense = VDRIVE_OUT_OF_RANGE;
    }
    if (sense || count == 0) {
        return sense;
    }
    switch (way) {
    case VDRIVE_WAY_PACKETS:
        return check_packets(drive, lba, count);
    case VDRIVE_WAY_BLOCKS:
        return check_blocks(drive, lba, count);
    case VDRIVE_WAY_APPEND:
        return check_append(drive, lba, count);
    case VDRIVE_WAY_NONE:
        break;
    }
    return VDRIVE_CANNOT_WRITE_FORMAT;
}
