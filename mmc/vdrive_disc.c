/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_disc.c - what the drive tells about what is recorded: disc and
 * track information, table of contents, capacities.
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

/* Byte 2: erasable, state of the last session, status of the disc. */
static uint8_t disc_status(const struct vdrive *drive) {
    unsigned erasable = 0x10;

    switch (vdrive_state(drive)) {
    case VDRIVE_BLANK:
        return (uint8_t)(erasable | MMC_SESSION_EMPTY << 2 |
                         MMC_DISC_STATUS_EMPTY);
    case VDRIVE_TORN:
        return (uint8_t)(erasable | MMC_SESSION_INCOMPLETE << 2 |
                         MMC_DISC_STATUS_APPENDABLE);
    case VDRIVE_FORMATTED:
        break;
    }
    return (uint8_t)(erasable | MMC_SESSION_COMPLETE << 2 |
                     MMC_DISC_STATUS_COMPLETE);
}

/* Disc type: data, XA, or not known while nothing is recorded. */
static uint8_t disc_type(const struct vdrive *drive) {
    if (vdrive_state(drive) != VDRIVE_FORMATTED) {
        return 0xFF;
    }
    return drive->files.head->data_block_type == 10 ? 0x20 : 0x00;
}

enum vdrive_sense vdrive_read_disc_information(struct vdrive *drive,
                                               struct vdrive_io *io) {
    uint8_t reply[34] = {0, 32};

    if (io->cdb[1] & 7) {
        return VDRIVE_INVALID_FIELD; /* track or POW resources */
    }
    reply[2] = disc_status(drive);
    reply[3] = reply[4] = reply[5] = reply[6] = 1;
    reply[8] = disc_type(drive);
    memset(reply + 16, 0xFF, 4); /* lead-in of the session to come */
    put_msf(lead_out_lba(drive), reply + 20);
    vdrive_answer(io, reply, sizeof(reply), sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}

/* ---- READ TRACK INFORMATION (MMC-5 6.27) -------------------------------- */

/* Whether the address names the only track there is. The invisible track
 * (FFh) is there while the disc is not complete. */
static enum vdrive_sense find_track(const struct vdrive *drive, unsigned kind,
                                    uint32_t address) {
    bool open = vdrive_state(drive) != VDRIVE_FORMATTED;
    uint32_t end =
        open ? lead_out_lba(drive) : drive->files.head->formatted_blocks;

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
    reply[5] = 0x04;
    reply[6] = 0x4F; /* Blank; data mode not known */
    reply[7] = 0x01; /* NWA_V */
    sg_put_unaligned_be32(lead_out_lba(drive), reply + 16);
    sg_put_unaligned_be32(lead_out_lba(drive), reply + 24);
}

/* The track that a format left behind: damaged, no next writable address. */
static void put_torn_track(const struct vdrive *drive, uint8_t *reply) {
    reply[5] = 0x25; /* Damage, incremental data */
    reply[6] = 0x2F; /* Packet; data mode not known */
    sg_put_unaligned_be32(lead_out_lba(drive), reply + 24);
}

static void put_packet_track(const struct vdrive *drive, uint8_t *reply) {
    const struct vdrive_head *head = drive->files.head;

    reply[5] = 0x05;                                      /* incremental data */
    reply[6] = head->data_block_type == 10 ? 0x32 : 0x31; /* Packet, FP */
    sg_put_unaligned_be32(head->packet_blocks, reply + 20);
    sg_put_unaligned_be32(head->formatted_blocks, reply + 24);
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
        put_packet_track(drive, reply);
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
    put_toc_entry(reply + len, MMC_TOC_LEAD_OUT,
                  drive->files.head->formatted_blocks, msf);
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
    reply[4] = 0xC0 | 4 << 4;               /* indicative writing power */
    reply[5] = 0x40;                        /* unrestricted use */
    reply[6] = 0x80 | 0x40 | 1 << 3 | 0x04; /* erasable, sub-type 1, A1 */
    reply[8] = 97;
    reply[9] = 34;
    reply[10] = 0;                            /* lead-in at 97:34:00 */
    put_msf(lead_out_lba(drive), reply + 11); /* 12-14, after a zero */
    reply[16] = 0x14;                         /* A1: lowest and highest speed */
    return 28;
}

/* The TOC of a disc that has one. */
static enum vdrive_sense check_toc(const struct vdrive *drive) {
    switch (vdrive_state(drive)) {
    case VDRIVE_BLANK:
        return VDRIVE_INVALID_FIELD;
    case VDRIVE_TORN:
        return VDRIVE_TOC_UNREADABLE;
    case VDRIVE_FORMATTED:
        break;
    }
    return VDRIVE_GOOD;
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

/* ---- Capacities --------------------------------------------------------- */

/* MMC-5 6.19: 0 where nothing is recorded. */
enum vdrive_sense vdrive_read_capacity(struct vdrive *drive,
                                       struct vdrive_io *io) {
    uint32_t blocks = drive->files.head->formatted_blocks;
    uint8_t reply[8];

    if (io->cdb[1] & 1 || io->cdb[8] & 1) {
        return VDRIVE_INVALID_FIELD; /* RelAdr, PMI */
    }
    sg_put_unaligned_be32(blocks ? blocks - 1 : 0, reply);
    sg_put_unaligned_be32(VDRIVE_BLOCK_BYTES, reply + 4);
    vdrive_answer(io, reply, sizeof(reply), sizeof(reply));
    return VDRIVE_GOOD;
}

/* The current or maximum capacity. */
static void put_current_capacity(const struct vdrive *drive, uint8_t *to) {
    const struct vdrive_head *head = drive->files.head;
    bool formatted = vdrive_state(drive) == VDRIVE_FORMATTED;
    unsigned kind =
        formatted ? MMC_CAPACITY_FORMATTED : MMC_CAPACITY_UNFORMATTED;

    if (vdrive_readiness(drive)) {
        kind = MMC_CAPACITY_NO_MEDIUM;
    }
    sg_put_unaligned_be32(formatted ? head->formatted_blocks : head->max_blocks,
                          to);
    to[4] = (uint8_t)kind;
    sg_put_unaligned_be24(VDRIVE_BLOCK_BYTES, to + 5);
}

/* MMC-5 6.24: the current capacity, and the one format that is offered. */
enum vdrive_sense vdrive_read_format_capacities(struct vdrive *drive,
                                                struct vdrive_io *io) {
    bool offered = !vdrive_readiness(drive) && !vdrive_protected(drive);
    uint8_t reply[20] = {0};
    size_t len = offered ? 20 : 12;

    reply[3] = (uint8_t)(len - 4);
    put_current_capacity(drive, reply + 4);
    if (offered) {
        sg_put_unaligned_be32(drive->files.head->max_blocks, reply + 12);
        reply[16] = (uint8_t)(drive->medium->format_type << 2);
        sg_put_unaligned_be24(drive->medium->packet_blocks, reply + 17);
    }
    vdrive_answer(io, reply, len, sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}
