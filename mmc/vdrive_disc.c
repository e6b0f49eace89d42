/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_disc.c - what the drive tells about what is recorded: disc and
 * track information, table of contents.
 *
 * A formatted CD-RW is one complete session with one track of fixed packets,
 * from LBA 0; its addresses count user blocks only (addressing method 2), so
 * the lead-out follows the last of them.
 */
#include "mmc/vdrive_core.h"

#include <scsi/sg_unaligned.h>
#include <string.h>

#include "mmc/cdb.h"
#include "mmc/reply.h"

/* Frames that a packet takes on a CD, and those at its ends that may lie
 * outside the program area. */
enum { PACKET_FRAMES = 39, OUTER_FRAMES = 5 };

/* Discs that can be bought have a lead-out that leaves a rest. */
enum { USUAL_LEAD_OUT = 359849 }; /* 79:59:74 */

/* Last possible start of the lead-out, as an LBA of unpacketed frames. */
static uint32_t lead_out_lba(const struct vdrive *drive) {
    const struct vdrive_head *head = drive->files.head;

    if (head->max_blocks == drive->medium->usual_blocks) {
        return USUAL_LEAD_OUT;
    }
    if (vdrive_has(drive, VDRIVE_WRITE_ONCE)) {
        return head->max_blocks; /* no packets, no links */
    }
    return head->max_blocks / head->packet_blocks * PACKET_FRAMES -
           OUTER_FRAMES;
}

/* An address as 0, minute, second, frame. */
static void put_msf(uint32_t lba, uint8_t *to) {
    uint32_t frames = lba + 150;

    to[0] = 0;
    to[1] = (uint8_t)(frames / (60 * 75));
    to[2] = (uint8_t)(frames / 75 % 60);
    to[3] = (uint8_t)(frames % 75);
}

/* ---- READ DISC INFORMATION (MMC-5 6.22) --------------------------------- */

/* Session and disc, as bits 3-0 of byte 2. */
static unsigned status_bits(enum mmc_session_state session,
                            enum mmc_disc_status status) {
    return (unsigned)session << 2 | (unsigned)status;
}

/* Discs that are overwritten at random have a status of their own, DVD+RW and
 * CD-MRW one that says whether their format is complete. */
static unsigned formatted_status(const struct vdrive *drive) {
    const struct vdrive_head *head = drive->files.head;

    if (head->intermediate || head->background == MMC_BACKGROUND_RUNNING ||
        head->background == MMC_BACKGROUND_STOPPED) {
        return status_bits(MMC_SESSION_INCOMPLETE, MMC_DISC_STATUS_APPENDABLE);
    }
    if (vdrive_has(drive, VDRIVE_ANY_BLOCK) && !head->background) {
        return status_bits(MMC_SESSION_COMPLETE, MMC_DISC_STATUS_OTHER);
    }
    return status_bits(MMC_SESSION_COMPLETE, MMC_DISC_STATUS_COMPLETE);
}

static unsigned recorded_status(const struct vdrive *drive) {
    switch (vdrive_state(drive)) {
    case VDRIVE_BLANK:
        return status_bits(MMC_SESSION_EMPTY, MMC_DISC_STATUS_EMPTY);
    case VDRIVE_TORN:
    case VDRIVE_APPENDABLE:
        return status_bits(MMC_SESSION_INCOMPLETE, MMC_DISC_STATUS_APPENDABLE);
    case VDRIVE_CLOSED:
        return status_bits(MMC_SESSION_COMPLETE, MMC_DISC_STATUS_COMPLETE);
    case VDRIVE_FORMATTED:
        break;
    }
    return formatted_status(drive);
}

/* Byte 2: erasable, state of the last session, status of the disc. */
static uint8_t disc_status(const struct vdrive *drive) {
    bool erasable = !vdrive_has(drive, VDRIVE_WRITE_ONCE);

    if (vdrive_quirk(drive, MMC_VDRIVE_QUIRK_NOT_ERASABLE) &&
        drive->formatted_here) {
        erasable = false;
    }
    return (uint8_t)((unsigned)erasable << 4 | recorded_status(drive));
}

/* Disc type: data, XA, or not known while nothing is recorded. */
static uint8_t disc_type(const struct vdrive *drive) {
    if (!vdrive_has_blocks(drive)) {
        return 0xFF;
    }
    return drive->files.head->data_block_type == 10 ? 0x20 : 0x00;
}

enum vdrive_sense vdrive_read_disc_information(struct vdrive *drive,
                                               struct vdrive_io *io) {
    const struct vdrive_head *head = drive->files.head;
    uint8_t reply[34] = {0, 32};

    if (io->cdb[1] & 7) {
        return VDRIVE_INVALID_FIELD; /* track or POW resources */
    }
    reply[2] = disc_status(drive);
    reply[3] = reply[4] = reply[5] = reply[6] = 1;
    reply[7] = (uint8_t)(head->dirty << 2 | head->background);
    reply[8] = disc_type(drive);
    memset(reply + 16, 0xFF, 8); /* lead-in of the session to come */
    if (vdrive_has(drive, VDRIVE_CD)) {
        put_msf(lead_out_lba(drive), reply + 20);
    }
    vdrive_answer(io, reply, sizeof(reply), sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}

/* ---- READ TRACK INFORMATION (MMC-5 6.27) -------------------------------- */

/* Where the only track of a disc without a complete one ends. */
static uint32_t track_end(const struct vdrive *drive) {
    return vdrive_has(drive, VDRIVE_CD) ? lead_out_lba(drive)
                                        : vdrive_append_end(drive);
}

/* Whether the address names the only track there is. The invisible track
 * (FFh) is there while the disc is not complete. */
static enum vdrive_sense find_track(const struct vdrive *drive, unsigned kind,
                                    uint32_t address) {
    bool open = vdrive_state(drive) != VDRIVE_FORMATTED &&
                vdrive_state(drive) != VDRIVE_CLOSED;
    uint32_t end = open ? track_end(drive) : vdrive_readable_end(drive);

    switch (kind) {
    case MMC_TRACK_BY_LBA:
        return address < end ? VDRIVE_GOOD : VDRIVE_OUT_OF_RANGE;
    case MMC_TRACK_BY_NUMBER:
        return address == 1 || (open && address == 0xFF) ? VDRIVE_GOOD
                                                         : VDRIVE_INVALID_FIELD;
    case MMC_TRACK_BY_SESSION:
        return address == 1 ? VDRIVE_GOOD : VDRIVE_INVALID_FIELD;
    default:
        return VDRIVE_INVALID_FIELD;
    }
}

/* The empty track of a blank disc, written next at its start. */
static void put_blank_track(const struct vdrive *drive, uint8_t *reply) {
    uint32_t nwa =
        vdrive_quirk(drive, MMC_VDRIVE_QUIRK_WRONG_NWA) ? (uint32_t)-150 : 0;

    reply[5] = 0x04;
    reply[6] = 0x4F; /* Blank; data mode not known */
    reply[7] = 0x01; /* NWA_V */
    sg_put_unaligned_be32(nwa, reply + 12);
    sg_put_unaligned_be32(track_end(drive), reply + 16);
    if (!vdrive_has(drive, VDRIVE_CD)) {
        reply[6] = 0x41; /* blocks of DVD and BD are known */
        sg_put_unaligned_be32(drive->medium->packet_blocks, reply + 20);
    }
    sg_put_unaligned_be32(track_end(drive), reply + 24);
}

/* The track that a format left behind: damaged, no next writable address. */
static void put_torn_track(const struct vdrive *drive, uint8_t *reply) {
    reply[5] = 0x25; /* Damage, incremental data */
    reply[6] = 0x2F; /* Packet; data mode not known */
    sg_put_unaligned_be32(track_end(drive), reply + 24);
}

/* Where a track goes on that is written in order. */
static void put_next_writable(const struct vdrive *drive, uint8_t *reply) {
    uint32_t nwa = drive->files.head->next_writable;
    uint32_t end = vdrive_append_end(drive);

    reply[7] = nwa ? 0x03 : 0x01; /* LRA_V, NWA_V */
    sg_put_unaligned_be32(nwa, reply + 12);
    sg_put_unaligned_be32(end - nwa, reply + 16);
    sg_put_unaligned_be32(end, reply + 24);
    if (nwa) {
        sg_put_unaligned_be32(nwa - 1, reply + 28);
    }
}

/* A track with blocks in it: of fixed packets, incremental, or one that is
 * overwritten at random and has no packets to tell of. */
static void put_recorded_track(const struct vdrive *drive, uint8_t *reply) {
    const struct vdrive_head *head = drive->files.head;
    bool formatted = vdrive_state(drive) == VDRIVE_FORMATTED;
    bool packets = formatted && vdrive_has(drive, VDRIVE_WHOLE_PACKETS) &&
                   !vdrive_mrw_formatted(drive);

    reply[5] = 0x05; /* incremental data */
    reply[6] = head->data_block_type == 10 ? 0x02 : 0x01;
    if (packets) {
        reply[6] |= 0x20; /* Packet */
        if (!vdrive_quirk(drive, MMC_VDRIVE_QUIRK_NO_FIXED_PACKETS)) {
            reply[6] |= 0x10; /* FP */
        }
    } else if (!formatted && !vdrive_has(drive, VDRIVE_CD)) {
        reply[6] |= 0x20; /* in packets */
    }
    sg_put_unaligned_be32(head->packet_blocks, reply + 20);
    sg_put_unaligned_be32(vdrive_quirk(drive, MMC_VDRIVE_QUIRK_HUGE_CAPACITY)
                              ? UINT32_MAX
                              : vdrive_readable_end(drive),
                          reply + 24);
    if (vdrive_way(drive) == VDRIVE_WAY_APPEND) {
        put_next_writable(drive, reply);
    }
}

enum vdrive_sense vdrive_read_track_information(struct vdrive *drive,
                                                struct vdrive_io *io) {
    uint8_t reply[36] = {0, 34, 1, 1};
    enum vdrive_sense sense =
        find_track(drive, io->cdb[1] & 3u, sg_get_unaligned_be32(io->cdb + 2));

    if (sense || io->cdb[1] & 4) {
        return sense ? sense : VDRIVE_INVALID_FIELD; /* Open */
    }
    switch (vdrive_state(drive)) {
    case VDRIVE_BLANK:
        put_blank_track(drive, reply);
        break;
    case VDRIVE_TORN:
        put_torn_track(drive, reply);
        break;
    case VDRIVE_FORMATTED:
    case VDRIVE_APPENDABLE:
    case VDRIVE_CLOSED:
        put_recorded_track(drive, reply);
        break;
    }
    vdrive_answer(io, reply, sizeof(reply), sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}

/* ---- READ TOC/PMA/ATIP (MMC-5 6.26) ------------------------------------- */

enum { TOC_MAX = 28, ADR_CONTROL_DATA = 0x15 }; /* incremental data */

static void put_toc_entry(uint8_t *entry, uint8_t track, uint32_t lba,
                          bool msf) {
    entry[1] = ADR_CONTROL_DATA;
    entry[2] = track;
    if (msf) {
        put_msf(lba, entry + 4);
    } else {
        sg_put_unaligned_be32(lba, entry + 4);
    }
}

/* Format 0: the tracks from `from` on, and the lead-out. Returns the length, 0
 * for a track that is not there. */
static size_t put_tracks(const struct vdrive *drive, uint8_t from, bool msf,
                         uint8_t *reply) {
    size_t len = 4;

    if (from > 1 && from != MMC_TOC_LEAD_OUT) {
        return 0;
    }
    reply[2] = reply[3] = 1;
    if (from <= 1) {
        put_toc_entry(reply + len, 1, 0, msf);
        len += 8;
    }
    put_toc_entry(reply + len, MMC_TOC_LEAD_OUT, vdrive_readable_end(drive),
                  msf);
    return len + 8;
}

/* Format 1: the first track of the last complete session. */
static size_t put_sessions(bool msf, uint8_t *reply) {
    reply[2] = reply[3] = 1;
    put_toc_entry(reply + 4, 1, 0, msf);
    return 12;
}

/* Format 4: what is pressed into the disc. High speed CD-RW, 4x to 10x: its
 * sub-type is 1 and A1 holds code 4 for the highest speed. */
static size_t put_atip(const struct vdrive *drive, uint8_t *reply) {
    reply[4] = 0xC0 | 4 << 4;        /* indicative writing power */
    reply[5] = 0x40;                 /* unrestricted use */
    reply[6] = 0x80 | 1 << 3 | 0x04; /* sub-type 1, A1 */
    if (!vdrive_has(drive, VDRIVE_WRITE_ONCE)) {
        reply[6] |= 0x40; /* erasable */
    }
    reply[8] = 97;
    reply[9] = 34;
    reply[10] = 0;                            /* lead-in at 97:34:00 */
    put_msf(lead_out_lba(drive), reply + 11); /* 12-14, after a zero */
    reply[16] = 0x14;                         /* A1: lowest and highest speed */
    return 28;
}

/* The TOC of a disc that has one; drives make one up for DVD and BD. */
static enum vdrive_sense check_toc(const struct vdrive *drive) {
    if (vdrive_state(drive) == VDRIVE_TORN) {
        return VDRIVE_TOC_UNREADABLE;
    }
    return vdrive_has_blocks(drive) ? VDRIVE_GOOD : VDRIVE_INVALID_FIELD;
}

enum vdrive_sense vdrive_read_toc(struct vdrive *drive, struct vdrive_io *io) {
    /* Old hosts put the format into the last byte's upper bits; that byte is
     * refused in vdrive.c. */
    unsigned format = io->cdb[2] & 0x0Fu;
    bool msf = io->cdb[1] & 2;
    uint8_t reply[TOC_MAX] = {0};
    enum vdrive_sense sense =
        format == MMC_TOC_ATIP ? VDRIVE_GOOD : check_toc(drive);
    size_t len = 0;

    if (sense) {
        return sense;
    }
    if (format == MMC_TOC_TRACKS) {
        len = put_tracks(drive, io->cdb[6], msf, reply);
    } else if (format == MMC_TOC_SESSIONS) {
        len = put_sessions(msf, reply);
    } else if (format == MMC_TOC_ATIP && vdrive_has(drive, VDRIVE_CD)) {
        len = put_atip(drive, reply);
    }
    if (len == 0) {
        return VDRIVE_INVALID_FIELD;
    }
    sg_put_unaligned_be16((uint16_t)(len - 2), reply);
    vdrive_answer(io, reply, len, sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}
