/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_format.c - BLANK, FORMAT UNIT, CLOSE TRACK/SESSION, and the long
 * operations that they start.
 *
 *                 BLANK                      its time is over
 *   any state ------------> TORN, BLANKING ------------------> BLANK
 *       |      FORMAT UNIT                    its time is over
 *       +-----------------> TORN, FORMATTING -----------------> FORMATTED
 *
 * The sidecar says TORN while one runs: whatever ends it early (a power cut, a
 * pulled disc) leaves an unusable medium that can only be blanked or formatted
 * again. The host that did not ask for IMMED waits; one that gives up waiting
 * does not stop the drive.
 *
 * A formatted medium is another medium: 6/28/00, write parameters and speed
 * are at their defaults.
 */
#include "mmc/vdrive_core.h"

#include <errno.h>
#include <scsi/sg_unaligned.h>

#include "mmc/cdb.h"

/* ---- The running operation ---------------------------------------------- */

static void finish(struct vdrive *drive) {
    struct vdrive_operation *operation = &drive->operation;
    struct vdrive_head *head = drive->files.head;

    if (operation->kind == VDRIVE_FORMATTING) {
        head->data_block_type = operation->data_block_type;
        head->formatted_blocks = operation->blocks;
        head->formats++;
        head->state = VDRIVE_FORMATTED;
        drive->attention |= VDRIVE_ATTENTION_MEDIUM;
        vdrive_forget_settings(drive);
    } else {
        head->blanks++;
        head->state = VDRIVE_BLANK;
    }
    head->busy_us += operation->end_us - operation->start_us;
    operation->kind = VDRIVE_IDLE;
    vdrive_model_start(drive);
}

void vdrive_operation_poll(struct vdrive *drive) {
    if (drive->operation.kind != VDRIVE_IDLE &&
        drive->model.now_us >= drive->operation.end_us) {
        finish(drive);
    }
}

uint16_t vdrive_operation_progress(const struct vdrive *drive) {
    const struct vdrive_operation *operation = &drive->operation;
    uint64_t whole = operation->end_us - operation->start_us;
    uint64_t done = drive->model.now_us - operation->start_us;

    if (operation->kind == VDRIVE_IDLE || done >= whole) {
        return UINT16_MAX;
    }
    return (uint16_t)(done * UINT16_MAX / whole);
}

/* Waits for the end, or as long as the host waits. */
static void wait_for_end(struct vdrive *drive, struct vdrive_io *io) {
    uint64_t patience_us = io->request->timeout_ms * (uint64_t)1000;
    uint64_t left_us = drive->operation.end_us - drive->model.now_us;

    if (patience_us && patience_us < left_us) {
        drive->model.now_us += patience_us;
        io->error = -ETIMEDOUT;
        return;
    }
    drive->model.now_us = drive->operation.end_us;
    finish(drive);
}

/* Destroys what is recorded and lets `operation` run for duration_us. */
static enum vdrive_sense start(struct vdrive *drive, struct vdrive_io *io,
                               struct vdrive_operation operation,
                               uint64_t duration_us, bool immediate) {
    struct vdrive_head *head = drive->files.head;
    uint32_t blocks = operation.kind == VDRIVE_FORMATTING ? operation.blocks
                                                          : head->max_blocks;

    vdrive_model_sync(drive);
    vdrive_buffer_synced(&drive->buffer);
    head->formatted_blocks = 0;
    head->data_block_type = 0;
    head->state = VDRIVE_TORN;
    if (vdrive_files_erase(&drive->files, blocks) < 0) {
        return VDRIVE_INTERNAL_FAILURE;
    }
    operation.start_us = drive->model.now_us;
    operation.end_us = operation.start_us + duration_us;
    drive->operation = operation;
    if (!immediate) {
        wait_for_end(drive, io);
    }
    return VDRIVE_GOOD;
}

/* Time to pass over the packets of `blocks` once. */
static uint64_t pass_us(const struct vdrive *drive, uint32_t blocks) {
    return blocks / drive->medium->packet_blocks *
           vdrive_model_packet_us(drive);
}

/* ---- BLANK (MMC-5 6.2) -------------------------------------------------- */

enum vdrive_sense vdrive_blank(struct vdrive *drive, struct vdrive_io *io) {
    struct vdrive_operation operation = {.kind = VDRIVE_BLANKING};
    unsigned type = io->cdb[1] & 7u;
    bool immediate = io->cdb[1] & 0x10;
    uint64_t duration_us;

    if (!vdrive_has(drive, VDRIVE_CAN_BE_BLANKED)) {
        return VDRIVE_UNKNOWN_OPCODE;
    }
    if (io->cdb[1] & 0xE8 ||
        (type != MMC_BLANK_WHOLE && type != MMC_BLANK_MINIMAL)) {
        return VDRIVE_INVALID_FIELD;
    }
    if (vdrive_protected(drive)) {
        return VDRIVE_WRITE_PROTECTED;
    }
    duration_us =
        type == MMC_BLANK_WHOLE
            ? pass_us(drive, drive->files.head->max_blocks)
            : drive->medium->figures.minimal_blank_s * (uint64_t)1000000;
    return start(drive, io, operation, duration_us, immediate);
}

/* ---- FORMAT UNIT (MMC-5 6.5) -------------------------------------------- */

enum { FMT_DATA = 0x10, CODE_DESCRIPTOR = 1, CODE_LEGACY = 7 };

/* Flags in byte 1 of the parameter list. */
enum { FOV = 0x80, DCRT = 0x20, IP = 0x08, IMMED = 0x02 };
enum { FOV_FLAGS = 0x7D, KNOWN_FLAGS = FOV | DCRT | IMMED };

/* The part that both kinds of list begin with. */
static enum vdrive_sense check_list_header(const uint8_t *list) {
    unsigned flags = list[1];

    /* Without FOV the flags that it makes valid must be zero; an
     * initialisation pattern would follow here and is not supported. */
    if (list[0] || (!(flags & FOV) && flags & FOV_FLAGS) ||
        flags & ~(unsigned)KNOWN_FLAGS) {
        return VDRIVE_INVALID_PARAMETER;
    }
    return sg_get_unaligned_be16(list + 2) == 8 ? VDRIVE_GOOD
                                                : VDRIVE_INVALID_PARAMETER;
}

/* Format code 1: one descriptor as READ FORMAT CAPACITIES offers it. */
static enum vdrive_sense descriptor_blocks(const struct vdrive *drive,
                                           const uint8_t *list,
                                           uint32_t *out_blocks) {
    if (list[8] != drive->medium->format_type << 2 ||
        sg_get_unaligned_be24(list + 9) != drive->medium->packet_blocks) {
        return VDRIVE_INVALID_PARAMETER;
    }
    *out_blocks = sg_get_unaligned_be32(list + 4);
    return VDRIVE_GOOD;
}

/* Format code 7 (MMC-1): pattern bytes that are not used, then session, grow
 * and capacity. Only the whole disc as one session is known. */
static enum vdrive_sense legacy_blocks(const uint8_t *list,
                                       uint32_t *out_blocks) {
    if (sg_get_unaligned_be32(list + 4) || list[8] != 0x80 ||
        sg_get_unaligned_be24(list + 9)) {
        return VDRIVE_INVALID_PARAMETER;
    }
    *out_blocks = sg_get_unaligned_be32(list + 12);
    return VDRIVE_GOOD;
}

/* Length of the parameter list that the CDB announces; 0 for a bad CDB. */
static uint32_t list_bytes(const struct vdrive *drive, const uint8_t *cdb) {
    if (cdb[1] == (FMT_DATA | CODE_DESCRIPTOR)) {
        return MMC_FORMAT_LIST_BYTES;
    }
    if (cdb[1] == (FMT_DATA | CODE_LEGACY) &&
        vdrive_has(drive, VDRIVE_LEGACY_FORMAT)) {
        return MMC_FORMAT_LEGACY_LIST_BYTES;
    }
    return 0;
}

static enum vdrive_sense parse_list(const struct vdrive *drive,
                                    const struct vdrive_io *io,
                                    uint32_t *out_blocks) {
    const uint8_t *list = io->request->data;
    enum vdrive_sense sense = check_list_header(list);

    if (!sense) {
        sense = io->request->data_len == MMC_FORMAT_LIST_BYTES
                    ? descriptor_blocks(drive, list, out_blocks)
                    : legacy_blocks(list, out_blocks);
    }
    if (!sense &&
        (*out_blocks == 0 || *out_blocks > drive->files.head->max_blocks ||
         *out_blocks % drive->medium->packet_blocks)) {
        sense = VDRIVE_INVALID_PARAMETER;
    }
    return sense;
}

/* The track that will be written is the one that page 05h describes, so that
 * page has to describe packets. */
static enum vdrive_sense check_track_mode(const struct vdrive *drive) {
    if (vdrive_has(drive, VDRIVE_NEEDS_PAGE_05) &&
        vdrive_modes_check_packet(drive, 0)) {
        return VDRIVE_SEQUENCE_ERROR;
    }
    return VDRIVE_GOOD;
}

enum vdrive_sense vdrive_format_unit(struct vdrive *drive,
                                     struct vdrive_io *io) {
    struct vdrive_operation operation = {.kind = VDRIVE_FORMATTING};
    uint32_t bytes = list_bytes(drive, io->cdb);
    enum vdrive_sense sense;
    bool immediate;

    if (!bytes) {
        return VDRIVE_INVALID_FIELD;
    }
    if (io->request->data_len != bytes) {
        return VDRIVE_LIST_LENGTH;
    }
    if (vdrive_protected(drive)) {
        return VDRIVE_WRITE_PROTECTED;
    }
    sense = parse_list(drive, io, &operation.blocks);
    if (!sense) {
        sense = check_track_mode(drive);
    }
    if (sense) {
        return sense;
    }
    operation.data_block_type = vdrive_modes_data_block_type(&drive->modes);
    immediate = ((const uint8_t *)io->request->data)[1] & IMMED;
    io->moved = bytes;
    return start(drive, io, operation, pass_us(drive, operation.blocks),
                 immediate);
}

/* ---- CLOSE TRACK/SESSION (MMC-5 6.3) ------------------------------------ */

/* A formatted medium of this kind is one complete session: there is nothing
 * to close, and nothing wrong with asking. */
enum vdrive_sense vdrive_close_track_session(struct vdrive *drive,
                                             struct vdrive_io *io) {
    unsigned function = io->cdb[2] & 7u;

    if (function != MMC_CLOSE_TRACK && function != MMC_CLOSE_SESSION) {
        return VDRIVE_INVALID_FIELD;
    }
    if (vdrive_protected(drive)) {
        return VDRIVE_WRITE_PROTECTED;
    }
    if (vdrive_state(drive) != VDRIVE_FORMATTED) {
        return VDRIVE_SEQUENCE_ERROR;
    }
    vdrive_model_sync(drive);
    vdrive_buffer_synced(&drive->buffer);
    return VDRIVE_GOOD;
}
