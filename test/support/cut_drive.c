/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/cut_drive.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/cdb.h"
#include "mmc/disc.h"
#include "mmc/vdrive.h"

const uint8_t cut_unreadable[1] = {0};

enum { CACHE_BYTES = 512 * 1024 };

static struct cut_drive *drive_of(struct mmc_transport *transport) {
    return (struct cut_drive *)transport; /* its first member */
}

/* ---- Writing down -------------------------------------------------------- */

static uint8_t *copy_packet(const struct cut_drive *drive, const void *data) {
    uint8_t *copy = malloc(drive->packet_bytes);

    assert_non_null(copy);
    memcpy(copy, data, drive->packet_bytes);
    return copy;
}

static void note_packet(struct cut_drive *drive, uint32_t pkt,
                        const uint8_t *data) {
    struct cut_log *log = drive->log;

    if (!log) {
        drive->medium[pkt] = NULL;
        return;
    }
    if (log->count == log->room) {
        log->room = log->room ? log->room * 2 : 64;
        log->steps = realloc(log->steps, log->room * sizeof(*log->steps));
        assert_non_null(log->steps);
    }
    log->steps[log->count] = (struct cut_step){
        .pkt = pkt, .synced = log->synced, .data = copy_packet(drive, data)};
    drive->medium[pkt] = log->steps[log->count].data;
    log->count++;
}

/* A WRITE; whoever was refused may have spoilt its packets. The cache writes
 * whole ones. */
static void note_write(struct cut_drive *drive,
                       const struct mmc_request *request, bool done) {
    const uint8_t *cdb = request->cdb, *data = request->data;
    uint32_t lba = (uint32_t)cdb[2] << 24 | (uint32_t)cdb[3] << 16 |
                   (uint32_t)cdb[4] << 8 | cdb[5];
    uint32_t pkt = lba / drive->packet_blocks;

    assert_int_equal(lba % drive->packet_blocks, 0);
    assert_int_equal(request->data_len % drive->packet_bytes, 0);
    for (uint32_t i = 0; i < request->data_len / drive->packet_bytes; i++) {
        if (done) {
            note_packet(drive, pkt + i, data + (size_t)i * drive->packet_bytes);
        } else if (pkt + i < drive->packets) {
            drive->medium[pkt + i] = NULL;
        }
    }
}

static bool is_write(uint8_t opcode) {
    return opcode == MMC_OP_WRITE_10 || opcode == MMC_OP_WRITE_12 ||
           opcode == MMC_OP_WRITE_AND_VERIFY_10;
}

static int tap_execute(struct mmc_transport *transport,
                       const struct mmc_request *request,
                       struct mmc_reply *reply) {
    struct cut_drive *drive = drive_of(transport);
    int error = mmc_transport_execute(drive->vdrive, request, reply);
    uint8_t opcode = request->cdb[0];

    if (error || reply->status != 0) {
        if (is_write(opcode)) {
            note_write(drive, request, false);
        }
        drive->refusals +=
            is_write(opcode) || opcode == MMC_OP_SYNCHRONIZE_CACHE;
        return error;
    }
    if (is_write(opcode)) {
        note_write(drive, request, true);
        if (drive->log) {
            drive->log->writes++;
        }
    } else if (opcode == MMC_OP_SYNCHRONIZE_CACHE && drive->log) {
        drive->log->synced = drive->log->count;
        drive->log->syncs++;
    }
    return 0;
}

static uint64_t tap_now(struct mmc_transport *transport) {
    return mmc_transport_now(drive_of(transport)->vdrive);
}

static void tap_sleep(struct mmc_transport *transport, uint32_t duration_ms) {
    mmc_transport_sleep(drive_of(transport)->vdrive, duration_ms);
}

/* The drive outlives the discs that are opened over it. */
static void tap_close(struct mmc_transport *transport) {
    (void)transport;
}

static const struct mmc_transport_ops tap_ops = {
    .execute = tap_execute,
    .now_ms = tap_now,
    .sleep_ms = tap_sleep,
    .close = tap_close,
};

void cut_log_clear(struct cut_drive *drive, struct cut_log *log) {
    for (size_t i = 0; i < log->count; i++) {
        const struct cut_step *step = &log->steps[i];

        if (drive->medium[step->pkt] == step->data) {
            drive->medium[step->pkt] = NULL;
        }
        free(step->data);
    }
    free(log->steps);
    *log = (struct cut_log){0};
}

/* ---- The drive ----------------------------------------------------------- */

static void prepare_medium(struct cut_drive *drive) {
    struct mmc_prepare_options options = {.full = true, .wait = true};
    struct mmc_disc_options how = {0};
    struct mmc_disc_info info;
    struct mmc_disc *disc = NULL;

    assert_int_equal(mmc_disc_open(drive->path, &how, &disc), 0);
    assert_int_equal(mmc_disc_prepare(disc, &options, NULL, NULL), 0);
    mmc_disc_get_info(disc, &info);
    assert_int_equal(info.state, MMC_DISC_READY);
    drive->blocks = info.blocks;
    drive->packet_blocks = info.packet_blocks;
    drive->packet_bytes = info.packet_blocks * BLOCKDEV_BLOCK_BYTES;
    drive->packets = info.blocks / info.packet_blocks;
    assert_int_equal(mmc_disc_close(disc), 0);
}

struct cut_drive *cut_drive_new(const char *media_word, uint32_t blocks) {
    struct mmc_disc_make make = {.media_name = media_word,
                                 .size_bytes =
                                     (uint64_t)blocks * BLOCKDEV_BLOCK_BYTES};
    struct cut_drive *drive = calloc(1, sizeof(*drive));

    assert_non_null(drive);
    strcpy(drive->folder, "/tmp/udfpkt-cut-XXXXXX");
    assert_non_null(mkdtemp(drive->folder));
    snprintf(drive->path, sizeof(drive->path), "%s/disc", drive->folder);
    assert_int_equal(mmc_disc_create(drive->path, &make), 0);
    prepare_medium(drive);
    assert_int_equal(mmc_vdrive_open(drive->path, true, &drive->vdrive), 0);
    drive->tap = (struct mmc_transport){.ops = &tap_ops,
                                        .max_transfer_bytes =
                                            drive->vdrive->max_transfer_bytes};
    drive->medium = cut_medium_new(drive);
    return drive;
}

void cut_drive_free(struct cut_drive *drive) {
    char sidecar[128];

    mmc_transport_close(drive->vdrive);
    snprintf(sidecar, sizeof(sidecar), "%s.udfpkt", drive->path);
    assert_int_equal(unlink(sidecar), 0);
    assert_int_equal(unlink(drive->path), 0);
    assert_int_equal(rmdir(drive->folder), 0);
    for (size_t i = 0; i < drive->image_count; i++) {
        free(drive->images[i]);
    }
    free(drive->images);
    free(drive->medium);
    free(drive);
}

struct mmc_disc *cut_drive_open(struct cut_drive *drive) {
    struct mmc_disc_options options = {.cache_bytes = CACHE_BYTES};
    struct mmc_disc *disc = NULL;

    return mmc_disc_open_transport(&drive->tap, &options, &disc) ? NULL : disc;
}

/* ---- Media --------------------------------------------------------------- */

const uint8_t **cut_medium_new(const struct cut_drive *drive) {
    const uint8_t **medium = calloc(drive->packets, sizeof(*medium));

    assert_non_null(medium);
    return medium;
}

const uint8_t **cut_drive_save(struct cut_drive *drive) {
    const uint8_t **medium = cut_medium_new(drive);
    uint8_t *image = malloc((size_t)drive->packets * drive->packet_bytes);
    int fd = open(drive->path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_non_null(image);
    drive->images = realloc(drive->images,
                            (drive->image_count + 1) * sizeof(*drive->images));
    assert_non_null(drive->images);
    drive->images[drive->image_count++] = image;
    for (uint32_t pkt = 0; pkt < drive->packets; pkt++) {
        uint8_t *at = image + (size_t)pkt * drive->packet_bytes;

        assert_int_equal(pread(fd, at, drive->packet_bytes,
                               (off_t)pkt * drive->packet_bytes),
                         drive->packet_bytes);
        medium[pkt] = mmc_vdrive_packet_unreadable(drive->vdrive, pkt)
                          ? cut_unreadable
                          : at;
        drive->medium[pkt] = medium[pkt];
    }
    close(fd);
    return medium;
}

void cut_drive_import(struct cut_drive *drive, const char *path) {
    uint8_t *packet = malloc(drive->packet_bytes);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_non_null(packet);
    for (uint32_t pkt = 0; pkt < drive->packets; pkt++) {
        memset(packet, 0, drive->packet_bytes);
        assert_true(pread(fd, packet, drive->packet_bytes,
                          (off_t)pkt * drive->packet_bytes) >= 0);
        assert_int_equal(mmc_vdrive_put_packet(drive->vdrive, pkt, packet), 0);
        drive->medium[pkt] = NULL;
    }
    close(fd);
    free(packet);
}

void cut_drive_load(struct cut_drive *drive, const uint8_t *const *medium) {
    struct mmc_vdrive_cut cut = {.loss = MMC_VDRIVE_LOSE_NONE};

    mmc_vdrive_power_cut(drive->vdrive, &cut);
    for (uint32_t pkt = 0; pkt < drive->packets; pkt++) {
        const uint8_t *data = medium[pkt];

        if (drive->medium[pkt] == data) {
            continue;
        }
        assert_int_equal(
            mmc_vdrive_put_packet(drive->vdrive, pkt,
                                  data == cut_unreadable ? NULL : data),
            0);
        drive->medium[pkt] = data;
    }
    mmc_vdrive_clear_faults(drive->vdrive);
    mmc_vdrive_power_on(drive->vdrive);
}

/* ---- Cuts ---------------------------------------------------------------- */

/* xorshift64*; its upper bits are the good ones. */
uint64_t cut_draw(uint64_t *seed) {
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (*seed * UINT64_C(2685821657736338717)) >> 32;
}

void cut_state_init(const struct cut_drive *drive, struct cut_state *state) {
    state->medium = cut_medium_new(drive);
    state->half = malloc(drive->packet_bytes);
    assert_non_null(state->half);
}

void cut_state_free(struct cut_state *state) {
    free(state->medium);
    free(state->half);
}

static bool keeps(const struct cut_point *point, uint64_t *seed) {
    switch (point->loss) {
    case CUT_KEEP_ALL:
        return true;
    case CUT_LOSE_ALL:
        return false;
    case CUT_LOSE_SOME:
        break;
    }
    return cut_draw(seed) & 1;
}

/* Leaves of the content `data`, on its way to packet `pkt`, what `how` says. */
static void tear(struct cut_drive *drive, struct cut_state *state,
                 const struct cut_step *step, enum cut_tear how) {
    const uint8_t *old = state->medium[step->pkt];
    size_t half_bytes = drive->packet_bytes / 2;

    switch (how) {
    case CUT_OLD:
        break;
    case CUT_NEW:
        state->medium[step->pkt] = step->data;
        break;
    case CUT_HALF:
        /* The second half of what could not be read is zeros. */
        memset(state->half, 0, drive->packet_bytes);
        if (old != cut_unreadable) {
            memcpy(state->half, old, drive->packet_bytes);
        }
        memcpy(state->half, step->data, half_bytes);
        state->medium[step->pkt] = state->half;
        if (drive->medium[step->pkt] == state->half) {
            drive->medium[step->pkt] = NULL; /* it has another one */
        }
        break;
    case CUT_UNREADABLE:
    case CUT_TEARS:
        state->medium[step->pkt] = cut_unreadable;
        break;
    }
}

/* The step that is torn: mostly the one that was being written; drives write
 * in another order than they were told, so it may be an earlier one. */
static size_t torn_step(const struct cut_log *log,
                        const struct cut_point *point, size_t synced,
                        uint64_t *seed) {
    size_t behind = point->step < log->count ? point->step + 1 : log->count;

    if (behind == synced) {
        return SIZE_MAX;
    }
    if (point->loss != CUT_LOSE_SOME || (cut_draw(seed) & 1)) {
        return behind - 1;
    }
    return synced + cut_draw(seed) % (behind - synced);
}

void cut_state_make(struct cut_drive *drive, const uint8_t *const *base,
                    const struct cut_log *log, const struct cut_point *point,
                    struct cut_state *state) {
    size_t synced =
        point->step < log->count ? log->steps[point->step].synced : log->synced;
    uint64_t seed = point->seed | 1;
    size_t torn = torn_step(log, point, synced, &seed);

    memcpy(state->medium, base, drive->packets * sizeof(*state->medium));
    for (size_t i = 0; i < log->count && i <= point->step; i++) {
        const struct cut_step *step = &log->steps[i];

        if (i == torn) {
            tear(drive, state, step, point->tear);
        } else if (i < synced || (i < point->step && keeps(point, &seed))) {
            state->medium[step->pkt] = step->data;
        }
    }
}

uint64_t cut_state_hash(const struct cut_drive *drive,
                        const struct cut_state *state) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);

    for (uint32_t pkt = 0; pkt < drive->packets; pkt++) {
        const uint8_t *data = state->medium[pkt];

        if (data == state->half) { /* its bytes tell */
            for (uint32_t i = 0; i < drive->packet_bytes; i += 8) {
                uint64_t word;

                memcpy(&word, data + i, sizeof(word));
                hash = (hash ^ word) * UINT64_C(0x100000001B3);
            }
        }
        hash = (hash ^ (data == state->half ? 1 : (uintptr_t)data)) *
               UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return hash;
}
