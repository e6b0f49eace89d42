/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_structure.c - READ DISC STRUCTURE (MMC-5 6.22) and SEND DISC
 * STRUCTURE (6.36): what is pressed into DVD and BD, spare areas, write
 * protection. CDs have none of it.
 */
#include "mmc/vdrive_core.h"

#include <scsi/sg_unaligned.h>
#include <string.h>

#include "mmc/cdb.h"

enum {
    FORMAT_MEDIUM_STATUS = 0x09, /* DVD-RAM */
    FORMAT_COPY_PHYSICAL = 0x10, /* as 00h */
    FORMAT_LIST = 0xFF,
    READABLE = 0x40, /* in the list: READ; SENDABLE: SEND DISC STRUCTURE */
    SENDABLE = 0x80,
    FIRST_SECTOR = 0x30000 /* physical address of LBA 0 */
};

/* Puts a structure at `to`, behind the header; returns its length. */
typedef size_t put_function(const struct vdrive *drive, uint8_t *to);

/* DVD: book type, one or two layers, first and last physical sector. */
static size_t put_physical(const struct vdrive *drive, uint8_t *to) {
    bool two_layers = drive->medium->usual_blocks > 2300000;

    to[0] = drive->medium->book_type;
    to[1] = 0x0F; /* 12 cm; highest rate not said */
    to[2] = (uint8_t)(two_layers << 5 | 0x04 /* rewritable */);
    sg_put_unaligned_be24(FIRST_SECTOR, to + 5);
    sg_put_unaligned_be24(FIRST_SECTOR + drive->files.head->max_blocks - 1,
                          to + 9);
    return 2048;
}

/* BD: disc information, of which hosts look at the name and the kind. */
static size_t put_disc_information(const struct vdrive *drive, uint8_t *to) {
    memcpy(to, "DI", 2);
    to[2] = 1; /* format */
    memcpy(to + 8, drive->medium->traits & VDRIVE_WRITE_ONCE ? "BDR" : "BDW",
           3);
    to[12] = 1 << 4; /* one layer */
    return 4096;
}

/* DVD-RAM: what is in the drive, and whether it may be written. */
static size_t put_medium_status(const struct vdrive *drive, uint8_t *to) {
    uint32_t protect = drive->files.head->protect;

    to[0] = 0x80; /* in a cartridge */
    if (protect & VDRIVE_PROTECT_CASE) {
        to[0] |= 0x04;
    }
    if (protect & VDRIVE_PROTECT_PERSISTENT) {
        to[0] |= 0x02;
    }
    return 4;
}

static uint32_t free_spare_blocks(const struct vdrive *drive) {
    uint32_t all = vdrive_spare_blocks(drive);
    uint32_t used =
        drive->files.head->spares_used * drive->medium->packet_blocks;

    return used < all ? all - used : 0;
}

/* DVD-RAM: all that is left, as if it were primary first. BD: what is left,
 * what there was. */
static size_t put_spares(const struct vdrive *drive, uint8_t *to) {
    uint32_t left = free_spare_blocks(drive);
    uint32_t all = vdrive_spare_blocks(drive);

    if (vdrive_has(drive, VDRIVE_BD)) {
        sg_put_unaligned_be32(left, to + 4);
        sg_put_unaligned_be32(all, to + 8);
    } else {
        uint32_t supplementary = all - vdrive_primary_spare_blocks(drive);

        sg_put_unaligned_be32(left > supplementary ? left - supplementary : 0,
                              to);
        sg_put_unaligned_be32(left < supplementary ? left : supplementary,
                              to + 4);
        sg_put_unaligned_be32(supplementary, to + 8);
    }
    return 12;
}

static size_t put_protection(const struct vdrive *drive, uint8_t *to) {
    uint32_t protect = drive->files.head->protect;

    if (protect & VDRIVE_PROTECT_CASE) {
        to[0] |= 0x04; /* CWP */
    }
    if (protect & VDRIVE_PROTECT_PERSISTENT) {
        to[0] |= 0x02; /* PWP */
    }
    return 4;
}

struct structure {
    uint8_t format;
    uint8_t use;     /* READABLE, SENDABLE */
    unsigned traits; /* media that have it: one of these */
    unsigned also;   /* and these */
    uint16_t len;
    put_function *put;
};

static const struct structure structures[] = {
    {MMC_STRUCTURE_PHYSICAL, READABLE, VDRIVE_DVD, 0, 2048, put_physical},
    {MMC_STRUCTURE_PHYSICAL, READABLE, VDRIVE_BD, 0, 4096,
     put_disc_information},
    {FORMAT_MEDIUM_STATUS, READABLE, VDRIVE_DVD, VDRIVE_SPARES, 4,
     put_medium_status},
    {MMC_STRUCTURE_SPARES, READABLE, VDRIVE_DVD | VDRIVE_BD, VDRIVE_SPARES, 12,
     put_spares},
    {FORMAT_COPY_PHYSICAL, READABLE, VDRIVE_DVD, 0, 2048, put_physical},
    {MMC_STRUCTURE_WRITE_PROTECTION, READABLE | SENDABLE,
     VDRIVE_DVD | VDRIVE_BD, 0, 4, put_protection},
};

enum { STRUCTURES = sizeof(structures) / sizeof(structures[0]) };
enum { REPLY_MAX = 4 + 4096 };

static bool has_structure(const struct vdrive *drive,
                          const struct structure *structure) {
    unsigned traits = drive->medium->traits;

    return (traits & structure->traits) &&
           (traits & structure->also) == structure->also;
}

static size_t put_list(const struct vdrive *drive, uint8_t *to) {
    size_t len = 0;

    for (size_t i = 0; i < STRUCTURES; i++) {
        if (has_structure(drive, &structures[i])) {
            to[len] = structures[i].format;
            to[len + 1] = structures[i].use;
            sg_put_unaligned_be16((uint16_t)(structures[i].len + 4),
                                  to + len + 2);
            len += 4;
        }
    }
    return len;
}

/* The structure that is asked for; its length, 0 when there is none. */
static size_t put_structure(const struct vdrive *drive, uint8_t format,
                            uint8_t *to) {
    if (format == FORMAT_LIST) {
        return put_list(drive, to);
    }
    for (size_t i = 0; i < STRUCTURES; i++) {
        if (structures[i].format == format &&
            has_structure(drive, &structures[i])) {
            return structures[i].put(drive, to);
        }
    }
    return 0;
}

/* CDs have no structures; the command has to name the right kind of disc. */
enum vdrive_sense vdrive_read_disc_structure(struct vdrive *drive,
                                             struct vdrive_io *io) {
    unsigned media =
        vdrive_has(drive, VDRIVE_BD) ? MMC_STRUCTURE_BD : MMC_STRUCTURE_DVD;
    uint8_t reply[REPLY_MAX] = {0};
    size_t len;

    if (vdrive_has(drive, VDRIVE_CD) || (io->cdb[1] & 0x0F) != media) {
        return VDRIVE_CANNOT_READ_FORMAT;
    }
    len = put_structure(drive, io->cdb[7], reply + 4);
    if (!len || io->cdb[6]) {
        return VDRIVE_INVALID_FIELD; /* no such structure or layer */
    }
    sg_put_unaligned_be16((uint16_t)(len + 2), reply);
    vdrive_answer(io, reply, len + 4, sg_get_unaligned_be16(io->cdb + 8));
    return VDRIVE_GOOD;
}

/* Persistent write protection of media that can be written at random: the
 * only structure that hosts may send. */
enum vdrive_sense vdrive_send_disc_structure(struct vdrive *drive,
                                             struct vdrive_io *io) {
    const uint8_t *list = io->request->data;
    struct vdrive_head *head = drive->files.head;

    if (io->cdb[7] != MMC_STRUCTURE_WRITE_PROTECTION ||
        !vdrive_has(drive, VDRIVE_ANY_BLOCK)) {
        return VDRIVE_INVALID_FIELD;
    }
    if (sg_get_unaligned_be16(io->cdb + 8) != 8 || io->request->data_len != 8) {
        return VDRIVE_LIST_LENGTH;
    }
    if (sg_get_unaligned_be16(list) != 6 || list[4] & ~2u) {
        return VDRIVE_INVALID_PARAMETER;
    }
    if (!drive->writable || head->protect & VDRIVE_PROTECT_CASE) {
        return VDRIVE_WRITE_PROTECTED;
    }
    vdrive_model_sync(drive);
    vdrive_buffer_synced(&drive->buffer);
    head->protect = list[4] & 2 ? VDRIVE_PROTECT_PERSISTENT : 0;
    io->moved = 8;
    return VDRIVE_GOOD;
}
