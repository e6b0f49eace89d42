/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_background.c - formats that go on while the disc is used: DVD+RW
 * and CD-MRW (MMC-5 6.5.3).
 *
 *          lead-in written           all is formatted (event 5)
 *   NONE -------------------> RUNNING --------------------------> COMPLETE
 *                              |  ^
 *         CLOSE, switched off  |  | FORMAT UNIT with Restart (event 6)
 *                              v  |
 *                            STOPPED
 *
 * Invariants:
 *  1. Packets before head->deiced_packets hold something, and so do those
 *     whose bit is set in `recorded`: the host has written them, or the drive
 *     has on its way to them. Other packets cannot be read.
 *  2. The drive formats in the time that the host leaves it, one packet in a
 *     packet's time, in ascending order, and passes over what is recorded.
 *  3. Before packets further out are written, the stretch in front of them is
 *     formatted first, at most REACH packets of it: that is what makes far
 *     jumps slow.
 */
#include "mmc/vdrive_core.h"

#include "mmc/bits.h"
#include "mmc/reply.h"

enum { REACH = 2048 };

static uint32_t packets_in_use(const struct vdrive *drive) {
    return drive->files.head->formatted_blocks / drive->medium->packet_blocks;
}

bool vdrive_background_recorded(const struct vdrive *drive, uint32_t pkt) {
    const struct vdrive_head *head = drive->files.head;

    return (head->background != MMC_BACKGROUND_RUNNING &&
            head->background != MMC_BACKGROUND_STOPPED) ||
           pkt < head->deiced_packets ||
           mmc_bits_test(drive->files.recorded, pkt);
}

void vdrive_background_rest(struct vdrive *drive) {
    const struct vdrive_model *model = &drive->model;

    drive->background_us =
        model->now_us > model->idle_at_us ? model->now_us : model->idle_at_us;
}

void vdrive_background_start(struct vdrive *drive) {
    mmc_bits_clear_range(drive->files.recorded, 0, drive->files.packets);
    drive->files.head->deiced_packets = 0;
    drive->files.head->background = MMC_BACKGROUND_RUNNING;
    vdrive_background_rest(drive);
}

void vdrive_background_restart(struct vdrive *drive) {
    if (drive->files.head->background == MMC_BACKGROUND_STOPPED) {
        drive->files.head->background = MMC_BACKGROUND_RUNNING;
        vdrive_background_rest(drive);
        vdrive_tray_post_event(&drive->tray, MMC_MEDIA_FORMAT_RESTARTED);
    }
}

void vdrive_background_stop(struct vdrive *drive) {
    if (drive->files.head->background == MMC_BACKGROUND_RUNNING) {
        drive->files.head->background = MMC_BACKGROUND_STOPPED;
    }
}

/* Invariant 2. Passes over what is recorded even without time. */
static void advance(struct vdrive *drive, uint64_t packets) {
    struct vdrive_head *head = drive->files.head;
    uint32_t end = packets_in_use(drive);

    while (head->deiced_packets < end &&
           (packets > 0 ||
            mmc_bits_test(drive->files.recorded, head->deiced_packets))) {
        packets -= !mmc_bits_test(drive->files.recorded, head->deiced_packets);
        head->deiced_packets++;
    }
    if (head->deiced_packets == end) {
        head->background = MMC_BACKGROUND_COMPLETE;
        vdrive_tray_post_event(&drive->tray, MMC_MEDIA_FORMAT_COMPLETE);
    }
}

void vdrive_background_poll(struct vdrive *drive) {
    uint64_t packet_us = vdrive_model_packet_us(drive), packets;

    if (drive->files.head->background != MMC_BACKGROUND_RUNNING ||
        drive->tray.open || drive->operation.kind != VDRIVE_IDLE ||
        drive->model.now_us < drive->background_us) {
        return;
    }
    packets = (drive->model.now_us - drive->background_us) / packet_us;
    drive->background_us += packets * packet_us;
    advance(drive, packets);
    if (packets) {
        drive->files.head->busy_us += packets * packet_us;
        drive->model.positioned = drive->model.writing = false;
    }
}

/* Invariant 3. */
void vdrive_background_reach(struct vdrive *drive, uint32_t pkt,
                             uint32_t packets) {
    uint32_t from = pkt > REACH ? pkt - REACH : 0, formatted = 0;

    if (drive->files.head->background != MMC_BACKGROUND_RUNNING) {
        return;
    }
    for (uint32_t i = pkt; i > from; i--) {
        if (vdrive_background_recorded(drive, i - 1)) {
            break;
        }
        mmc_bits_set(drive->files.recorded, i - 1);
        formatted++;
    }
    mmc_bits_set_range(drive->files.recorded, pkt, pkt + packets);
    vdrive_model_work(drive, formatted * vdrive_model_packet_us(drive));
    advance(drive, 0);
}

uint16_t vdrive_background_progress(const struct vdrive *drive) {
    uint32_t all = packets_in_use(drive);
    uint32_t done = drive->files.head->deiced_packets;

    return all ? (uint16_t)((uint64_t)done * UINT16_MAX / all) : 0;
}
