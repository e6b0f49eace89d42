/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_info.c - what the drive tells about itself.
 */
#include "mmc/vdrive_core.h"

#include <scsi/sg_unaligned.h>
#include <string.h>

#include "mmc/cdb.h"
#include "mmc/reply.h"

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
    case VDRIVE_CLOSING:
        return VDRIVE_OPERATION_IN_PROGRESS;
    case VDRIVE_IDLE:
        break;
    }
    return drive->files.head->background == MMC_BACKGROUND_RUNNING
               ? VDRIVE_BACKGROUND_FORMAT
               : VDRIVE_GOOD;
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

/* MMC-5 6.35: a second of calibration. */
enum vdrive_sense vdrive_send_opc(struct vdrive *drive, struct vdrive_io *io) {
    if (io->cdb[1] != 1 || io->request->data_len) {
        return VDRIVE_INVALID_FIELD; /* no values from the host */
    }
    if (vdrive_protected(drive)) {
        return VDRIVE_WRITE_PROTECTED;
    }
    drive->model.now_us += 1000000;
    drive->calibrated = true;
    vdrive_model_start(drive);
    return VDRIVE_GOOD;
}
