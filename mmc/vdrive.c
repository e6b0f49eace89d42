/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive.c - the drive switched on and off, and one command: may it run
 * now, who runs it, what the host gets back.
 *
 * A command passes these gates, in this order (execute, run):
 *   1. the drive has power and the request is one that a bus could carry;
 *   2. no fault was asked for here;
 *   3. the drive knows the opcode, and the control byte is plain;
 *   4. no unit attention waits (INQUIRY, REQUEST SENSE, GET CONFIGURATION and
 *      GET EVENT STATUS neither see nor take it);
 *   5. no long operation runs, the medium is there and up to speed, where the
 *      command needs that;
 *   6. its handler, which checks everything else.
 */
#include "mmc/vdrive_core.h"

#include <errno.h>
#include <scsi/sg_unaligned.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/cdb.h"

enum { STATUS_GOOD = 0x00, STATUS_CHECK_CONDITION = 0x02 };

/* 128 KiB: what an ATAPI drive behind the kernel takes in one command. */
enum { MAX_TRANSFER_BYTES = 128 << 10, SENSE_BYTES = 18 };

/* ---- Who may run when --------------------------------------------------- */

enum command_flag {
    PAST_ATTENTION = 1u << 0, /* not stopped by a unit attention */
    NO_MEDIUM_OK = 1u << 1,   /* runs without a medium that is ready */
    BUSY_OK = 1u << 2,        /* runs during a long operation */
    COUNTS = 1u << 3          /* a refusal is counted (mmc/vdrive.h) */
};

enum { ALWAYS = PAST_ATTENTION | NO_MEDIUM_OK | BUSY_OK };

struct command {
    uint8_t opcode;
    unsigned flags;
    enum vdrive_sense (*handler)(struct vdrive *drive, struct vdrive_io *io);
};

static const struct command commands[] = {
    {MMC_OP_TEST_UNIT_READY, 0, vdrive_test_unit_ready},
    {MMC_OP_REQUEST_SENSE, ALWAYS, vdrive_request_sense},
    {MMC_OP_FORMAT_UNIT, COUNTS, vdrive_format_unit},
    {MMC_OP_INQUIRY, ALWAYS, vdrive_inquiry},
    {MMC_OP_MODE_SENSE_6, NO_MEDIUM_OK, vdrive_mode_sense},
    {MMC_OP_START_STOP_UNIT, NO_MEDIUM_OK, vdrive_start_stop},
    {MMC_OP_PREVENT_ALLOW, NO_MEDIUM_OK, vdrive_prevent_allow},
    {MMC_OP_READ_FORMAT_CAPACITIES, NO_MEDIUM_OK,
     vdrive_read_format_capacities},
    {MMC_OP_READ_CAPACITY, 0, vdrive_read_capacity},
    {MMC_OP_READ_10, COUNTS, vdrive_read},
    {MMC_OP_WRITE_10, COUNTS, vdrive_write},
    {MMC_OP_WRITE_AND_VERIFY_10, COUNTS, vdrive_write},
    {MMC_OP_VERIFY_10, COUNTS, vdrive_verify},
    {MMC_OP_SYNCHRONIZE_CACHE, COUNTS, vdrive_synchronize_cache},
    {MMC_OP_READ_TOC, 0, vdrive_read_toc},
    {MMC_OP_GET_CONFIGURATION, ALWAYS, vdrive_get_configuration},
    {MMC_OP_GET_EVENT_STATUS, ALWAYS, vdrive_get_event},
    {MMC_OP_READ_DISC_INFORMATION, 0, vdrive_read_disc_information},
    {MMC_OP_READ_TRACK_INFORMATION, 0, vdrive_read_track_information},
    {MMC_OP_SEND_OPC, 0, vdrive_send_opc},
    {MMC_OP_MODE_SELECT_10, NO_MEDIUM_OK | COUNTS, vdrive_mode_select},
    {MMC_OP_MODE_SENSE_10, NO_MEDIUM_OK, vdrive_mode_sense},
    {MMC_OP_CLOSE_TRACK_SESSION, COUNTS, vdrive_close_track_session},
    {MMC_OP_READ_BUFFER_CAPACITY, NO_MEDIUM_OK, vdrive_read_buffer_capacity},
    {MMC_OP_BLANK, COUNTS, vdrive_blank},
    {MMC_OP_READ_12, COUNTS, vdrive_read},
    {MMC_OP_WRITE_12, COUNTS, vdrive_write},
    {MMC_OP_GET_PERFORMANCE, 0, vdrive_get_performance},
    {MMC_OP_READ_DISC_STRUCTURE, 0, vdrive_read_disc_structure},
    {MMC_OP_SET_STREAMING, NO_MEDIUM_OK, vdrive_set_streaming},
    {MMC_OP_SET_CD_SPEED, NO_MEDIUM_OK, vdrive_set_cd_speed},
    {MMC_OP_SEND_DISC_STRUCTURE, COUNTS, vdrive_send_disc_structure},
};

static const struct command *find_command(uint8_t opcode) {
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].opcode == opcode) {
            return &commands[i];
        }
    }
    return NULL;
}

enum vdrive_sense vdrive_take_attention(struct vdrive *drive) {
    if (drive->attention & VDRIVE_ATTENTION_POWER_ON) {
        drive->attention &= ~(unsigned)VDRIVE_ATTENTION_POWER_ON;
        return VDRIVE_POWER_ON;
    }
    if (drive->attention & VDRIVE_ATTENTION_MEDIUM) {
        drive->attention &= ~(unsigned)VDRIVE_ATTENTION_MEDIUM;
        return VDRIVE_MEDIUM_CHANGED;
    }
    return VDRIVE_GOOD;
}

enum vdrive_sense vdrive_readiness(const struct vdrive *drive) {
    if (drive->tray.open) {
        return VDRIVE_NO_MEDIUM_TRAY_OPEN;
    }
    if (!drive->tray.loaded) {
        return VDRIVE_NO_MEDIUM_TRAY_CLOSED;
    }
    if (drive->model.now_us < drive->tray.ready_at_us ||
        drive->model.now_us < drive->faults.not_ready_until_us) {
        return VDRIVE_BECOMING_READY;
    }
    return VDRIVE_GOOD;
}

static enum vdrive_sense operation_sense(const struct vdrive *drive) {
    switch (drive->operation.kind) {
    case VDRIVE_IDLE:
        return VDRIVE_GOOD;
    case VDRIVE_BLANKING:
    case VDRIVE_CLOSING:
        return VDRIVE_OPERATION_IN_PROGRESS;
    case VDRIVE_FORMATTING:
        break;
    }
    return vdrive_quirk(drive, MMC_VDRIVE_QUIRK_LATE_NOT_READY)
               ? VDRIVE_OPERATION_IN_PROGRESS
               : VDRIVE_FORMAT_IN_PROGRESS;
}

/* Whether TEST UNIT READY says yes all the same. */
static bool seems_ready(const struct vdrive *drive,
                        const struct command *command) {
    return command->opcode == MMC_OP_TEST_UNIT_READY &&
           vdrive_quirk(drive, MMC_VDRIVE_QUIRK_LATE_NOT_READY);
}

/* Gates 4 and 5. Readiness goes before news of the medium: a disc that spins
 * up is announced once it can be looked at. */
static enum vdrive_sense may_run(struct vdrive *drive,
                                 const struct command *command) {
    enum vdrive_sense sense = VDRIVE_GOOD;

    if (!(command->flags & NO_MEDIUM_OK)) {
        sense = vdrive_readiness(drive);
    }
    if (!(command->flags & PAST_ATTENTION) &&
        (!sense || drive->attention & VDRIVE_ATTENTION_POWER_ON)) {
        enum vdrive_sense attention = vdrive_take_attention(drive);

        sense = attention ? attention : sense;
    }
    if (!sense && !(command->flags & BUSY_OK) && !seems_ready(drive, command)) {
        sense = operation_sense(drive);
    }
    return sense;
}

/* ---- One command -------------------------------------------------------- */

void vdrive_answer(struct vdrive_io *io, const uint8_t *reply, size_t len,
                   uint32_t allocation) {
    uint32_t room = io->request->data_len;

    room = allocation < room ? allocation : room;
    io->moved = len < room ? (uint32_t)len : room;
    if (io->moved) {
        memcpy(io->request->data, reply, io->moved);
    }
}

static bool shows_progress(enum vdrive_sense sense) {
    return sense == VDRIVE_FORMAT_IN_PROGRESS ||
           sense == VDRIVE_BACKGROUND_FORMAT ||
           sense == VDRIVE_OPERATION_IN_PROGRESS;
}

void vdrive_fill_sense(const struct vdrive *drive, const struct vdrive_io *io,
                       enum vdrive_sense sense, uint8_t *out_bytes) {
    memset(out_bytes, 0, SENSE_BYTES);
    out_bytes[0] = io->deferred ? 0x71 : 0x70;
    out_bytes[2] = (uint8_t)((unsigned)sense >> 16);
    out_bytes[7] = SENSE_BYTES - 8;
    out_bytes[12] = (uint8_t)((unsigned)sense >> 8);
    out_bytes[13] = (uint8_t)sense;
    if (io->info_valid) {
        out_bytes[0] |= 0x80; /* VALID */
        sg_put_unaligned_be32(io->info, out_bytes + 3);
    }
    if (shows_progress(sense)) {
        out_bytes[15] = 0x80; /* SKSV */
        sg_put_unaligned_be16(vdrive_operation_progress(drive), out_bytes + 16);
    }
}

/* A fault's sense. News of a reset or another medium is true: the settings
 * are lost as they would be. */
static enum vdrive_sense injected(struct vdrive *drive, struct vdrive_io *io,
                                  const struct mmc_vdrive_fault *fault) {
    if (fault->key == 6 && (fault->asc == 0x28 || fault->asc == 0x29)) {
        vdrive_forget_settings(drive);
    }
    if (fault->key == 6 && fault->asc == 0x29) {
        drive->tray.prevented = drive->tray.persistently_prevented = false;
        vdrive_buffer_cut(drive, &fault->cut);
    }
    io->deferred = fault->deferred;
    io->info_valid = fault->lba != MMC_VDRIVE_ANY;
    io->info = fault->lba;
    return (enum vdrive_sense)(fault->key << 16 | fault->asc << 8 |
                               fault->ascq);
}

/* Sense of key 1 says that the drive helped itself: the command was done. */
static bool is_recovered(enum vdrive_sense sense) {
    return (unsigned)sense >> 16 == 1;
}

/* Gates 2 to 6. */
static enum vdrive_sense run(struct vdrive *drive, struct vdrive_io *io,
                             const struct command *command) {
    struct mmc_vdrive_fault fault;
    enum vdrive_sense sense = VDRIVE_GOOD, wanted = VDRIVE_GOOD;

    if (vdrive_faults_at_command(drive, io->cdb[0], &fault)) {
        wanted = injected(drive, io, &fault);
    }
    if (drive->gone) {
        return VDRIVE_GOOD; /* the fault's work; execute() says -ENODEV */
    }
    if (wanted && (!is_recovered(wanted) || io->deferred)) {
        return wanted;
    }
    vdrive_operation_poll(drive);
    vdrive_background_poll(drive);
    if (!command) {
        return VDRIVE_UNKNOWN_OPCODE;
    }
    if (io->cdb[io->request->cdb_len - 1] != 0) {
        return VDRIVE_INVALID_FIELD; /* NACA and linking are not for drives */
    }
    sense = may_run(drive, command);
    if (!sense) {
        sense = command->handler(drive, io);
    }
    return sense ? sense : wanted;
}

/* What a bus could carry: see mmc/transport.h. */
static bool request_valid(const struct mmc_request *request) {
    static const uint8_t lengths[8] = {6, 10, 10, 0, 16, 12, 0, 0};

    return lengths[request->cdb[0] >> 5] == request->cdb_len &&
           request->data_len <= MAX_TRANSFER_BYTES &&
           (request->data_len == 0 ||
            (request->data && request->direction != MMC_DIR_NONE));
}

/* Counts a refusal that means that the host broke a rule. */
static void count_refusal(struct vdrive *drive, const struct command *command,
                          enum vdrive_sense sense) {
    unsigned key = (unsigned)sense >> 16;

    if (command && (command->flags & COUNTS) && (key == 5 || key == 7) &&
        sense != VDRIVE_UNKNOWN_OPCODE) {
        drive->files.head->refused++;
    }
}

static int execute(struct mmc_transport *transport,
                   const struct mmc_request *request, struct mmc_reply *reply) {
    struct vdrive *drive = vdrive_of(transport);
    struct vdrive_io io = {.request = request, .cdb = request->cdb};
    const struct command *command;
    enum vdrive_sense sense;
    uint64_t start_us = drive->model.now_us;

    if (drive->gone) {
        return -ENODEV;
    }
    if (!request_valid(request)) {
        return -EIO;
    }
    command = find_command(request->cdb[0]);
    drive->files.head->commands++;
    sense = run(drive, &io, command);
    vdrive_background_rest(drive);
    if (drive->gone) {
        return -ENODEV; /* the power went while it ran */
    }
    if (io.error) {
        return io.error;
    }
    if (request->timeout_ms &&
        drive->model.now_us - start_us > request->timeout_ms * (uint64_t)1000) {
        return -ETIMEDOUT;
    }
    count_refusal(drive, command, sense);
    memset(reply, 0, sizeof(*reply));
    reply->data_len = io.moved;
    reply->status = sense ? STATUS_CHECK_CONDITION : STATUS_GOOD;
    if (sense) {
        vdrive_fill_sense(drive, &io, sense, reply->sense);
        reply->sense_len = SENSE_BYTES;
    }
    return 0;
}

/* ---- The clock ---------------------------------------------------------- */

static uint64_t now_ms(struct mmc_transport *transport) {
    return vdrive_of(transport)->model.now_us / 1000;
}

static void sleep_ms(struct mmc_transport *transport, uint32_t duration_ms) {
    vdrive_of(transport)->model.now_us += (uint64_t)duration_ms * 1000;
}

/* ---- On and off --------------------------------------------------------- */

void vdrive_forget_settings(struct vdrive *drive) {
    vdrive_modes_reset(drive);
    drive->model.read_kbs = drive->medium->read_kbs;
    drive->model.write_kbs = drive->medium->write_kbs[0];
}

/* The state after power on: medium inside and spinning, door unlocked. */
static void power_up(struct vdrive *drive) {
    memset(&drive->tray, 0, sizeof(drive->tray));
    drive->tray.loaded = true;
    drive->operation.kind = VDRIVE_IDLE;
    drive->faults.not_ready_until_us = 0;
    drive->faults.long_write_until_us = 0;
    drive->attention = VDRIVE_ATTENTION_POWER_ON;
    drive->gone = false;
    drive->formatted_here = drive->out_of_sequence = drive->calibrated = false;
    vdrive_background_stop(drive);
    vdrive_quirks_power_up(drive);
    vdrive_forget_settings(drive);
    vdrive_model_start(drive);
}

void mmc_vdrive_power_cut(struct mmc_transport *transport,
                          const struct mmc_vdrive_cut *cut) {
    struct vdrive *drive = vdrive_of(transport);

    /* What runs began before the cut; what was over by then is done. */
    vdrive_operation_poll(drive);
    vdrive_buffer_cut(drive, cut);
    drive->gone = true;
}

void mmc_vdrive_power_on(struct mmc_transport *transport) {
    struct vdrive *drive = vdrive_of(transport);

    vdrive_buffer_synced(&drive->buffer);
    power_up(drive);
}

/* Closing is orderly: what is in the buffer reaches the medium, and a drive
 * finishes by itself what it was told to do. */
static void close_drive(struct mmc_transport *transport) {
    struct vdrive *drive = vdrive_of(transport);

    if (!drive->gone && drive->operation.kind != VDRIVE_IDLE) {
        drive->model.now_us = drive->operation.end_us;
        vdrive_operation_poll(drive);
    }
    vdrive_buffer_free(&drive->buffer);
    vdrive_files_close(&drive->files);
    free(drive);
}

static const struct mmc_transport_ops ops = {
    .execute = execute,
    .now_ms = now_ms,
    .sleep_ms = sleep_ms,
    .close = close_drive,
};

int mmc_vdrive_open(const char *image_path, bool writable,
                    struct mmc_transport **out_transport) {
    struct vdrive *drive = calloc(1, sizeof(*drive));
    int error;

    if (!drive) {
        return -ENOMEM;
    }
    error = vdrive_files_open(&drive->files, image_path, writable);
    if (error) {
        free(drive);
        return error;
    }
    drive->transport.ops = &ops;
    drive->transport.max_transfer_bytes = MAX_TRANSFER_BYTES;
    drive->medium = vdrive_medium_of_id(drive->files.head->medium);
    drive->writable = writable;
    error = vdrive_buffer_init(&drive->buffer, drive->medium->buffer_bytes,
                               vdrive_packet_bytes(drive));
    if (!error) {
        error = vdrive_faults_load(&drive->faults, image_path);
    }
    power_up(drive);
    if (error) {
        close_drive(&drive->transport);
        return error;
    }
    *out_transport = &drive->transport;
    return 0;
}

void mmc_vdrive_protect(struct mmc_transport *transport, bool on) {
    struct vdrive_head *head = vdrive_of(transport)->files.head;

    head->protect &= ~(uint32_t)VDRIVE_PROTECT_CASE;
    if (on) {
        head->protect |= VDRIVE_PROTECT_CASE;
    }
}
