/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_info.c - what the drive tells about itself, and its speed.
 */
#include "mmc/vdrive_core.h"

#include <scsi/sg_unaligned.h>
#include <string.h>

#include "mmc/cdb.h"

enum vdrive_sense vdrive_test_unit_ready(struct vdrive *drive,
                                         struct vdrive_io *io) {
    (void)drive, (void)io;
    return VDRIVE_GOOD; /* vdrive.c looked already */
}

/* SPC-3 6.4. */
enum vdrive_sense vdrive_inquiry(struct vdrive *drive, struct vdrive_io *io) {
    static const uint8_t reply[36] = {
        0x05, 0x80, 0x05, 0x02, 31,  0,   0,   0,   /* MMC, removable, SPC-3 */
        'U',  'D',  'F',  'P',  'K', 'T', ' ', ' ', /* vendor */
        'V',  'i',  'r',  't',  'u', 'a', 'l', ' ', /* product */
        'd',  'r',  'i',  'v',  'e', ' ', ' ', ' ', /* */
        '1',  '.',  '0',  ' ',                      /* revision */
    };

    (void)drive;
    if (io->cdb[1] & 1 || io->cdb[2]) {
        return VDRIVE_INVALID_FIELD; /* vital product data */
    }
    vdrive_answer(io, reply, sizeof(reply), sg_get_unaligned_be16(io->cdb + 3));
    return VDRIVE_GOOD;
}

/* What REQUEST SENSE has to tell: news first, then what is going on. */
static enum vdrive_sense pending_sense(struct vdrive *drive) {
    enum vdrive_sense sense = vdrive_readiness(drive);

    if (!sense) {
        sense = vdrive_take_attention(drive);
    }
    if (sense) {
        return sense;
    }
    switch (drive->operation.kind) {
    case VDRIVE_FORMATTING:
        return VDRIVE_FORMAT_IN_PROGRESS;
    case VDRIVE_BLANKING:
        return VDRIVE_OPERATION_IN_PROGRESS;
    case VDRIVE_IDLE:
        break;
    }
    return VDRIVE_GOOD;
}

/* SPC-3 6.27. Sense of earlier commands went with them. */
enum vdrive_sense vdrive_request_sense(struct vdrive *drive,
                                       struct vdrive_io *io) {
    uint8_t bytes[18];

    if (io->cdb[1] & 1) {
        return VDRIVE_INVALID_FIELD; /* DESC: fixed format only */
    }
    vdrive_fill_sense(drive, io, pending_sense(drive), bytes);
    vdrive_answer(io, bytes, sizeof(bytes), io->cdb[4]);
    return VDRIVE_GOOD;
}

/* MMC-5 6.18. */
enum vdrive_sense vdrive_read_buffer_capacity(struct vdrive *drive,
                                              struct vdrive_io *io) {
    bool in_blocks = io->cdb[1] & 1;
    uint32_t unit = in_blocks ? VDRIVE_BLOCK_BYTES : 1;
    uint8_t reply[12] = {0, 10};

    reply[3] = in_blocks;
    sg_put_unaligned_be32(drive->medium->buffer_bytes / unit, reply + 4);
    sg_put_unaligned_be32(vdrive_model_buffer_free(drive) / unit, reply + 8);
    vdrive_answer(io, reply, sizeof(reply), sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}

/* Last address of the medium, as far as it has one. */
static uint32_t end_lba(const struct vdrive *drive) {
    const struct vdrive_head *head = drive->files.head;

    return (head->formatted_blocks ? head->formatted_blocks
                                   : head->max_blocks) -
           1;
}

/* Type 03h: the write speeds. */
static size_t put_write_speeds(const struct vdrive *drive, uint8_t *reply) {
    size_t len = 8;

    for (unsigned i = 0; i < VDRIVE_SPEEDS_MAX; i++) {
        if (!drive->medium->write_kbs[i]) {
            break;
        }
        sg_put_unaligned_be32(end_lba(drive), reply + len + 4);
        sg_put_unaligned_be32(drive->medium->read_kbs, reply + len + 8);
        sg_put_unaligned_be32(drive->medium->write_kbs[i], reply + len + 12);
        len += 16;
    }
    return len;
}

/* Type 00h: one speed for the whole disc, as it is set now. */
static size_t put_nominal(const struct vdrive *drive, bool writing,
                          uint8_t *reply) {
    uint32_t kbs = writing ? drive->model.write_kbs : drive->model.read_kbs;

    reply[4] = (uint8_t)(writing << 1);
    sg_put_unaligned_be32(kbs, reply + 12);
    sg_put_unaligned_be32(end_lba(drive), reply + 16);
    sg_put_unaligned_be32(kbs, reply + 20);
    return 24;
}

/* MMC-5 6.8. The length announces all descriptors there are; the host gets as
 * many as it asked for. */
enum vdrive_sense vdrive_get_performance(struct vdrive *drive,
                                         struct vdrive_io *io) {
    uint32_t max = sg_get_unaligned_be16(io->cdb + 8);
    uint8_t reply[8 + 16 * VDRIVE_SPEEDS_MAX] = {0};
    size_t len;

    switch (io->cdb[10]) {
    case MMC_PERFORMANCE_NOMINAL:
        len = put_nominal(drive, io->cdb[1] & 4, reply);
        break;
    case MMC_PERFORMANCE_WRITE_SPEED:
        len = put_write_speeds(drive, reply);
        break;
    default:
        return VDRIVE_INVALID_FIELD;
    }
    sg_put_unaligned_be32((uint32_t)(len - 4), reply);
    vdrive_answer(io, reply, len, 8 + 16 * max);
    return VDRIVE_GOOD;
}

/* The fastest write speed that is not above `kbs`, or the slowest there is. */
static uint16_t write_speed(const struct vdrive_medium *medium, uint16_t kbs) {
    uint16_t speed = medium->write_kbs[0];

    for (unsigned i = 0; i < VDRIVE_SPEEDS_MAX && medium->write_kbs[i]; i++) {
        speed = medium->write_kbs[i];
        if (speed <= kbs) {
            break;
        }
    }
    return speed;
}

/* MMC-5 6.37. A drive takes the nearest speed that it has, silently. */
enum vdrive_sense vdrive_set_cd_speed(struct vdrive *drive,
                                      struct vdrive_io *io) {
    uint16_t read_kbs = sg_get_unaligned_be16(io->cdb + 2);
    uint16_t write_kbs = sg_get_unaligned_be16(io->cdb + 4);
    uint16_t slowest = 706; /* 4x */

    if (io->cdb[1] & 0xFE) {
        return VDRIVE_INVALID_FIELD;
    }
    read_kbs = read_kbs < slowest ? slowest : read_kbs;
    drive->model.read_kbs =
        read_kbs < drive->medium->read_kbs ? read_kbs : drive->medium->read_kbs;
    drive->model.write_kbs = write_speed(drive->medium, write_kbs);
    return VDRIVE_GOOD;
}

/* MMC-5 6.35: a second of calibration. */
enum vdrive_sense vdrive_send_opc(struct vdrive *drive, struct vdrive_io *io) {
    if (io->cdb[1] != 1 || io->request->data_len) {
        return VDRIVE_INVALID_FIELD; /* no values from the host */
    }
    if (vdrive_protected(drive)) {
        return VDRIVE_WRITE_PROTECTED;
    }
    drive->model.now_us += 1000000;
    vdrive_model_start(drive);
    return VDRIVE_GOOD;
}

/* MMC-5 6.22: CDs have no structures that this command could read. */
enum vdrive_sense vdrive_read_disc_structure(struct vdrive *drive,
                                             struct vdrive_io *io) {
    (void)io;
    return vdrive_has(drive, VDRIVE_CD) ? VDRIVE_CANNOT_READ_FORMAT
                                        : VDRIVE_INVALID_FIELD;
}
