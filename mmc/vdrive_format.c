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
 * Formats that keep what is recorded (growing, wider spare areas, restarts) go
 * without TORN. DVD-RW, quickly formatted or grown, is in the intermediate
 * state until CLOSE SESSION. DVD+RW and CD-MRW are FORMATTED when their
 * lead-in is written; the rest is vdrive_background.c's.
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
#include "mmc/log.h"
#include "mmc/reply.h"

enum { SECOND_US = 1000000 };

/* ---- What an operation leaves ------------------------------------------- */

/* Nothing is recorded, nothing is promised. */
static void forget_recording(struct vdrive *drive, enum vdrive_state state) {
    struct vdrive_head *head = drive->files.head;

    head->state = state;
    head->formatted_blocks = head->next_writable = 0;
    head->data_block_type = head->format_type = 0;
    head->intermediate = head->minimal = head->dirty = 0;
    head->background = head->deiced_packets = 0;
    head->spares_used = 0;
}

/* The image follows. The medium's state is told by the sidecar, and a file
 * that is too short for it is noticed when it is read. */
static void resize_image(const struct vdrive *drive, uint32_t blocks) {
    if (vdrive_files_resize(&drive->files, blocks) < 0) {
        mmc_log(MMC_LOG_ERROR,
                "virtual drive: the image cannot be made %u blocks long",
                blocks);
    }
}

/* DVD-RW can be written from `lba` on, in order. */
static void open_intermediate(struct vdrive *drive, uint32_t lba) {
    drive->files.head->intermediate = 1;
    drive->files.head->next_writable = lba;
    resize_image(drive, drive->files.head->max_blocks);
}

/* A blank BD-R gets spare areas, and perhaps pseudo-overwrite (sub-type 0). It
 * is still to be written in order. */
static void finish_bd_r(struct vdrive *drive, const struct vdrive_plan *plan) {
    forget_recording(drive, VDRIVE_BLANK);
    drive->files.head->append_blocks = plan->blocks;
    drive->files.head->overwrites = plan->sub_type == 0;
}

static void finish_background(struct vdrive *drive,
                              const struct vdrive_plan *plan) {
    if (plan->restart) {
        vdrive_background_restart(drive);
    } else {
        drive->files.head->formatted_blocks = plan->blocks;
        vdrive_background_start(drive);
    }
}

/* The medium as the plan wants it. Numbers that a format keeps are left. */
static void take_shape(struct vdrive *drive, const struct vdrive_plan *plan) {
    struct vdrive_head *head = drive->files.head;

    if (drive->medium->family == VDRIVE_FAMILY_BD_R) {
        finish_bd_r(drive, plan);
        return;
    }
    head->state = VDRIVE_FORMATTED;
    switch (plan->type) {
    case MMC_FORMAT_PACKET_GROW:
        head->formatted_blocks += plan->blocks;
        resize_image(drive, head->formatted_blocks);
        return;
    case MMC_FORMAT_QUICK_GROW:
        open_intermediate(drive, head->formatted_blocks);
        return;
    case MMC_FORMAT_QUICK:
        open_intermediate(drive, 0);
        break;
    case MMC_FORMAT_SPARE_EXPANSION:
        head->formatted_blocks = plan->blocks;
        resize_image(drive, plan->blocks);
        return;
    case MMC_FORMAT_MRW:
    case MMC_FORMAT_DVD_PLUS_RW:
        finish_background(drive, plan);
        break;
    default:
        head->formatted_blocks = plan->blocks;
        break;
    }
    head->format_type = plan->type;
    head->data_block_type = plan->data_block_type;
}

static void finish_format(struct vdrive *drive) {
    const struct vdrive_plan *plan = &drive->operation.plan;

    take_shape(drive, plan);
    if (!plan->restart) {
        drive->files.head->formats++;
        drive->formatted_here = true;
        drive->attention |= VDRIVE_ATTENTION_MEDIUM;
        vdrive_forget_settings(drive);
    }
}

/* The session that was open, or the intermediate state, ends where it was
 * written to; the image then ends there, too. */
static void finish_close(struct vdrive *drive) {
    struct vdrive_head *head = drive->files.head;
    uint32_t end = vdrive_readable_end(drive);

    if (head->intermediate || vdrive_state(drive) == VDRIVE_APPENDABLE) {
        head->state = head->intermediate ? VDRIVE_FORMATTED : VDRIVE_CLOSED;
        head->intermediate = 0;
        head->next_writable = 0;
        head->formatted_blocks = end;
        resize_image(drive, end);
    }
    head->dirty = 0;
}

static void finish(struct vdrive *drive) {
    struct vdrive_operation *operation = &drive->operation;
    struct vdrive_head *head = drive->files.head;

    switch (operation->kind) {
    case VDRIVE_FORMATTING:
        finish_format(drive);
        break;
    case VDRIVE_BLANKING:
        head->blanks++;
        head->state = VDRIVE_BLANK;
        head->minimal = operation->minimal;
        break;
    case VDRIVE_CLOSING:
        finish_close(drive);
        break;
    case VDRIVE_IDLE:
        return;
    }
    head->busy_us += operation->end_us - operation->start_us;
    operation->kind = VDRIVE_IDLE;
    vdrive_model_start(drive);
    drive->background_us = operation->end_us;
}

/* ---- The running operation ---------------------------------------------- */

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

    if (operation->kind == VDRIVE_IDLE &&
        drive->files.head->background == MMC_BACKGROUND_RUNNING) {
        return vdrive_background_progress(drive);
    }
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

/* What is in the buffer is written; then `operation` runs for duration_us. */
static void start(struct vdrive *drive, struct vdrive_io *io,
                  struct vdrive_operation operation, uint64_t duration_us,
                  bool immediate) {
    vdrive_model_sync(drive);
    vdrive_buffer_synced(&drive->buffer);
    drive->out_of_sequence = false;
    operation.start_us = drive->model.now_us;
    operation.end_us = operation.start_us + duration_us;
    drive->operation = operation;
    if (!immediate) {
        wait_for_end(drive, io);
    }
}

/* Destroys what is recorded; the image will have `blocks`. */
static enum vdrive_sense destroy(struct vdrive *drive, uint32_t blocks) {
    vdrive_buffer_synced(&drive->buffer);
    forget_recording(drive, VDRIVE_TORN);
    return vdrive_files_erase(&drive->files, blocks) < 0
               ? VDRIVE_INTERNAL_FAILURE
               : VDRIVE_GOOD;
}

/* Time to pass over the packets of `blocks` once. */
static uint64_t pass_us(const struct vdrive *drive, uint32_t blocks) {
    return blocks / drive->medium->packet_blocks *
           vdrive_model_packet_us(drive);
}

static uint64_t quick_us(const struct vdrive *drive) {
    return drive->medium->figures->quick_s * (uint64_t)SECOND_US;
}

/* ---- BLANK (MMC-5 6.2) -------------------------------------------------- */

enum vdrive_sense vdrive_blank(struct vdrive *drive, struct vdrive_io *io) {
    struct vdrive_operation operation = {.kind = VDRIVE_BLANKING};
    unsigned type = io->cdb[1] & 7u;
    bool immediate = io->cdb[1] & 0x10;
    uint32_t max_blocks = drive->files.head->max_blocks;
    enum vdrive_sense sense;
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
    operation.minimal = type == MMC_BLANK_MINIMAL;
    duration_us =
        operation.minimal ? quick_us(drive) : pass_us(drive, max_blocks);
    vdrive_model_sync(drive);
    sense = destroy(drive, max_blocks);
    if (!sense) {
        start(drive, io, operation, duration_us, immediate);
    }
    return sense;
}

/* ---- FORMAT UNIT (MMC-5 6.5) -------------------------------------------- */

/* Whether what is recorded stays. */
static bool keeps_data(const struct vdrive_plan *plan) {
    return plan->restart || plan->type == MMC_FORMAT_PACKET_GROW ||
           plan->type == MMC_FORMAT_QUICK_GROW ||
           plan->type == MMC_FORMAT_SPARE_EXPANSION;
}

/* How long the image is that a destroying format makes. */
static uint32_t image_blocks(const struct vdrive *drive,
                             const struct vdrive_plan *plan) {
    bool in_order = plan->type == MMC_FORMAT_QUICK ||
                    drive->medium->family == VDRIVE_FAMILY_BD_R;

    return in_order ? drive->files.head->max_blocks : plan->blocks;
}

/* DVD-RAM is certified unless the host asks for less, BD-RE when asked for
 * (sub-type 2 all of it, 3 a tenth). */
static uint64_t certified_us(const struct vdrive *drive,
                             const struct vdrive_plan *plan) {
    uint64_t pass = pass_us(drive, plan->blocks);

    if (drive->medium->family == VDRIVE_FAMILY_DVD_RAM && plan->certify) {
        return drive->medium->figures->certify_passes * pass;
    }
    if (drive->medium->family == VDRIVE_FAMILY_BD_RE && plan->sub_type >= 2) {
        return plan->sub_type == 2 ? pass : pass / 10;
    }
    return 0;
}

static uint64_t format_us(const struct vdrive *drive,
                          const struct vdrive_plan *plan) {
    switch (plan->type) {
    case MMC_FORMAT_PACKET_FULL:
    case MMC_FORMAT_PACKET_GROW:
        return pass_us(drive, plan->blocks);
    case MMC_FORMAT_FULL:
        if (drive->medium->family == VDRIVE_FAMILY_DVD_RW) {
            return pass_us(drive, plan->blocks);
        }
        break;
    case MMC_FORMAT_MRW:
    case MMC_FORMAT_DVD_PLUS_RW:
        if (plan->restart || plan->quick_start) {
            return 3 * SECOND_US; /* the lead-in is there, or can wait */
        }
        break;
    default:
        break;
    }
    return quick_us(drive) + certified_us(drive, plan);
}

/* Whether this may be started in the state that the medium is in. */
static enum vdrive_sense check_format_state(const struct vdrive *drive,
                                            const struct vdrive_plan *plan) {
    uint32_t background = drive->files.head->background;

    if (plan->restart && background == MMC_BACKGROUND_NONE) {
        return VDRIVE_INVALID_PARAMETER;
    }
    if (!plan->restart && background == MMC_BACKGROUND_RUNNING) {
        return VDRIVE_SEQUENCE_ERROR;
    }
    return VDRIVE_GOOD;
}

/* A drive that hangs: it does nothing, and the host gives up at some time. */
static enum vdrive_sense hang(struct vdrive *drive, struct vdrive_io *io) {
    drive->model.now_us += io->request->timeout_ms * (uint64_t)1000;
    io->error = -ETIMEDOUT;
    return VDRIVE_GOOD;
}

enum vdrive_sense vdrive_format_unit(struct vdrive *drive,
                                     struct vdrive_io *io) {
    struct vdrive_operation operation = {.kind = VDRIVE_FORMATTING};
    struct vdrive_plan *plan = &operation.plan;
    enum vdrive_sense sense = vdrive_plan_parse(drive, io, plan);
    uint64_t duration_us;

    if (!sense) {
        sense = check_format_state(drive, plan);
    }
    if (!sense && vdrive_wants_opc(drive)) {
        sense = VDRIVE_CALIBRATION_ERROR;
    }
    if (sense) {
        return sense;
    }
    if (!plan->immediate &&
        vdrive_quirk(drive, MMC_VDRIVE_QUIRK_FORMAT_NEEDS_IMMED)) {
        return hang(drive, io);
    }
    plan->data_block_type = vdrive_has(drive, VDRIVE_WHOLE_PACKETS)
                                ? vdrive_modes_data_block_type(&drive->modes)
                                : 0;
    if (vdrive_has(drive, VDRIVE_DVD) && plan->data_block_type) {
        plan->data_block_type = 8; /* DVDs have one kind of blocks */
    }
    io->moved = io->request->data_len;
    duration_us = format_us(drive, plan);
    vdrive_model_sync(drive);
    if (!keeps_data(plan)) {
        sense = destroy(drive, image_blocks(drive, plan));
    }
    if (!sense) {
        start(drive, io, operation, duration_us, plan->immediate);
    }
    return sense;
}

/* ---- CLOSE TRACK/SESSION (MMC-5 6.3) ------------------------------------ */

/* Which functions the medium knows. */
static bool close_function_valid(const struct vdrive *drive,
                                 unsigned function) {
    bool by_background = drive->medium->family == VDRIVE_FAMILY_DVD_PLUS_RW ||
                         vdrive_mrw_formatted(drive);

    switch (function) {
    case MMC_CLOSE_STOP_FORMAT:
        return by_background;
    case MMC_CLOSE_TRACK:
        return !by_background && !vdrive_has(drive, VDRIVE_ANY_BLOCK);
    case MMC_CLOSE_SESSION:
        return by_background || !vdrive_has(drive, VDRIVE_ANY_BLOCK);
    case MMC_CLOSE_FINALIZE_MINIMUM:
    case MMC_CLOSE_FINALIZE:
        return vdrive_has(drive, VDRIVE_WRITE_ONCE);
    default:
        return false;
    }
}

/* Whether something is recorded that can be closed. */
static bool closable(const struct vdrive *drive) {
    const struct vdrive_head *head = drive->files.head;

    return vdrive_has_blocks(drive) &&
           (!head->intermediate || vdrive_readable_end(drive) > 0);
}

/* How long it takes. A medium that is overwritten in place is one complete
 * session: there is nothing to close, and nothing wrong with asking. */
static uint64_t close_us(const struct vdrive *drive, unsigned function) {
    const struct vdrive_head *head = drive->files.head;
    uint64_t whole_us = drive->medium->figures->close_s * (uint64_t)SECOND_US;

    if (function == MMC_CLOSE_TRACK) {
        return 0;
    }
    if (function == MMC_CLOSE_STOP_FORMAT) {
        return 3 * SECOND_US;
    }
    return head->background || head->intermediate ||
                   vdrive_state(drive) == VDRIVE_APPENDABLE
               ? whole_us
               : 0;
}

enum vdrive_sense vdrive_close_track_session(struct vdrive *drive,
                                             struct vdrive_io *io) {
    struct vdrive_operation operation = {.kind = VDRIVE_CLOSING};
    unsigned function = io->cdb[2] & 7u;
    uint64_t duration_us;

    if (!close_function_valid(drive, function)) {
        return VDRIVE_INVALID_FIELD;
    }
    if (vdrive_protected(drive)) {
        return VDRIVE_WRITE_PROTECTED;
    }
    if (!closable(drive)) {
        return VDRIVE_SEQUENCE_ERROR;
    }
    duration_us = close_us(drive, function);
    if (function != MMC_CLOSE_TRACK) {
        vdrive_background_stop(drive);
    }
    if (duration_us) {
        start(drive, io, operation, duration_us, io->cdb[1] & 1);
    } else {
        vdrive_model_sync(drive);
        vdrive_buffer_synced(&drive->buffer);
    }
    return VDRIVE_GOOD;
}
