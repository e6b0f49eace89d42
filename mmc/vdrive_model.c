/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_model.c - what the drive's work costs in time. Class figures, the
 * same for everyone who is compared with them:
 *
 *  1. Reading takes blocks / read speed; writing takes a packet time a packet,
 *     longer at a lower write speed.
 *  2. An access that does not follow on from the last one costs a seek, but a
 *     gap of at most `gap_blocks` forwards costs the time to read over it.
 *  3. Writing that does not continue a write (after a read, a gap, a seek or a
 *     SYNCHRONIZE CACHE) costs the time to resume.
 *
 *  4. A packet that the host gives in part costs the drive's own read-modify-
 *     write on top (vdrive_write.c).
 *
 * The clock stands still while the drive has nothing to do, unless the host
 * sleeps. A WRITE waits until its packets are written, which is what a host
 * sees whose data comes faster than the drive writes; with the fault
 * STRICT_BUFFER it returns at once and the buffer fills up and drains by the
 * clock instead.
 */
#include "mmc/vdrive_core.h"

#include "mmc/cdb.h"

static const struct vdrive_figures *figures(const struct vdrive *drive) {
    return drive->medium->figures;
}

void vdrive_model_start(struct vdrive *drive) {
    drive->model.positioned = false;
    drive->model.writing = false;
    drive->model.idle_at_us = drive->model.now_us;
}

/* Without defect management a BD is not verified: twice as fast. */
uint64_t vdrive_model_packet_us(const struct vdrive *drive) {
    uint64_t us = (uint64_t)drive->medium->packet_us *
                  drive->medium->write_kbs[0] / drive->model.write_kbs;

    return drive->files.head->format_type == MMC_FORMAT_BD_RE_NO_SPARES ? us / 2
                                                                        : us;
}

static uint64_t reading_us(const struct vdrive *drive, uint64_t blocks) {
    return blocks * 1000000 * drive->medium->read_kbs /
           ((uint64_t)figures(drive)->read_blocks_per_s *
            drive->model.read_kbs);
}

/* Rule 2. */
static uint64_t approach_us(struct vdrive *drive, uint32_t lba) {
    uint32_t next = drive->model.next_lba;

    if (drive->model.positioned && lba == next) {
        return 0;
    }
    drive->model.writing = false;
    if (drive->model.positioned && lba > next &&
        lba - next <= figures(drive)->gap_blocks) {
        drive->files.head->gap_blocks += lba - next;
        return reading_us(drive, lba - next);
    }
    drive->files.head->seeks++;
    return figures(drive)->seek_us;
}

/* The mechanism works for `cost_us` once it is idle. */
static void work(struct vdrive *drive, uint64_t cost_us) {
    struct vdrive_model *model = &drive->model;

    if (model->idle_at_us < model->now_us) {
        model->idle_at_us = model->now_us;
    }
    model->idle_at_us += cost_us;
    drive->files.head->busy_us += cost_us;
}

static void wait_until_idle(struct vdrive_model *model) {
    if (model->now_us < model->idle_at_us) {
        model->now_us = model->idle_at_us;
    }
}

void vdrive_model_read(struct vdrive *drive, uint32_t lba, uint32_t count) {
    work(drive, approach_us(drive, lba) + reading_us(drive, count));
    drive->model.positioned = true;
    drive->model.writing = false;
    drive->model.next_lba = lba + count;
    wait_until_idle(&drive->model);
}

/* Whole packets, however many blocks of them the host gave. */
void vdrive_model_write(struct vdrive *drive, uint32_t lba, uint32_t count) {
    uint32_t blocks = drive->medium->packet_blocks;
    uint64_t packets = (lba % blocks + count + blocks - 1) / blocks;
    uint64_t cost_us = approach_us(drive, lba);

    if (!drive->model.writing) {
        cost_us += figures(drive)->resume_us;
    }
    work(drive, cost_us + packets * vdrive_model_packet_us(drive));
    drive->model.positioned = true;
    drive->model.writing = true;
    drive->model.next_lba = lba + count;
    if (!drive->faults.strict_buffer) {
        wait_until_idle(&drive->model);
    }
}

void vdrive_model_work(struct vdrive *drive, uint64_t cost_us) {
    work(drive, cost_us);
    if (!drive->faults.strict_buffer) {
        wait_until_idle(&drive->model);
    }
}

void vdrive_model_sync(struct vdrive *drive) {
    drive->model.writing = false;
    wait_until_idle(&drive->model);
}

/* Bytes that still wait in the buffer, by the time that they will take. */
static uint64_t buffered_bytes(const struct vdrive *drive) {
    const struct vdrive_model *model = &drive->model;

    if (model->idle_at_us <= model->now_us) {
        return 0;
    }
    return (model->idle_at_us - model->now_us) * vdrive_packet_bytes(drive) /
           vdrive_model_packet_us(drive);
}

uint32_t vdrive_model_buffer_free(const struct vdrive *drive) {
    uint64_t used = buffered_bytes(drive);
    uint32_t all = drive->medium->buffer_bytes;

    return used < all ? all - (uint32_t)used : 0;
}

bool vdrive_model_has_room(const struct vdrive *drive, uint32_t packets) {
    return !drive->faults.strict_buffer || buffered_bytes(drive) == 0 ||
           (uint64_t)packets * vdrive_packet_bytes(drive) <=
               vdrive_model_buffer_free(drive);
}
