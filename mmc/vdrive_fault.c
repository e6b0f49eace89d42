/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_fault.c - faults that were asked for: whom they wait for, and
 * when their time has come. What they do is done where it happens (vdrive.c,
 * vdrive_write.c), apart from hands at the drive.
 */
#include "mmc/vdrive_core.h"

#include <errno.h>
#include <string.h>

#include "mmc/cdb.h"

struct mmc_vdrive_fault mmc_vdrive_fault_of(enum mmc_vdrive_fault_kind kind) {
    return (struct mmc_vdrive_fault){
        .kind = kind,
        .opcode = MMC_VDRIVE_ANY,
        .lba = MMC_VDRIVE_ANY,
        .times = 1,
        /* Nothing can write to a disc that is out of the drive. */
        .cut.loss = kind == MMC_VDRIVE_PULL ? MMC_VDRIVE_LOSE_ALL
                                            : MMC_VDRIVE_LOSE_NONE,
    };
}

static bool valid(const struct mmc_vdrive_fault *fault) {
    return (unsigned)fault->kind < MMC_VDRIVE_FAULT_KINDS &&
           (fault->opcode <= 0xFF || fault->opcode == MMC_VDRIVE_ANY) &&
           fault->key <= 0x0F &&
           (fault->kind != MMC_VDRIVE_SENSE || fault->key || fault->asc ||
            fault->ascq) &&
           (unsigned)fault->cut.tear <= MMC_VDRIVE_TEAR_HALF &&
           (unsigned)fault->cut.loss <= MMC_VDRIVE_LOSE_SOME;
}

int vdrive_faults_add(struct vdrive_faults *faults,
                      const struct mmc_vdrive_fault *fault) {
    if (!valid(fault)) {
        return -EINVAL;
    }
    if (fault->kind == MMC_VDRIVE_STRICT_BUFFER) {
        faults->strict_buffer = true;
        return 0;
    }
    if (faults->count == VDRIVE_FAULTS_MAX) {
        return -ENOSPC;
    }
    faults->waiting[faults->count++] = *fault;
    return 0;
}

int mmc_vdrive_inject(struct mmc_transport *transport,
                      const struct mmc_vdrive_fault *fault) {
    return vdrive_faults_add(&vdrive_of(transport)->faults, fault);
}

void mmc_vdrive_clear_faults(struct mmc_transport *transport) {
    struct vdrive_faults *faults = &vdrive_of(transport)->faults;
    uint32_t quirks = faults->quirks;

    memset(faults, 0, sizeof(*faults));
    faults->quirks = quirks;
}

/* One thing happened that fault `i` waits for. Returns whether it strikes,
 * and lets it go when that was the last time. */
static bool strikes(struct vdrive_faults *faults, unsigned i) {
    struct mmc_vdrive_fault *fault = &faults->waiting[i];

    if (fault->after > 0) {
        fault->after--;
        return false;
    }
    if (fault->times == 1) {
        faults->count--;
        memmove(fault, fault + 1, (faults->count - i) * sizeof(*fault));
    } else if (fault->times > 1) {
        fault->times--;
    }
    return true;
}

/* The first fault of `kind` that waits for this opcode or packet and strikes.
 * ANY for what does not matter. */
static bool hit(struct vdrive *drive, enum mmc_vdrive_fault_kind kind,
                uint32_t opcode, uint32_t pkt,
                struct mmc_vdrive_fault *out_hit) {
    struct vdrive_faults *faults = &drive->faults;

    for (unsigned i = 0; i < faults->count; i++) {
        struct mmc_vdrive_fault fault = faults->waiting[i];

        if (fault.kind != kind ||
            (fault.opcode != MMC_VDRIVE_ANY && fault.opcode != opcode) ||
            (fault.lba != MMC_VDRIVE_ANY && pkt != MMC_VDRIVE_ANY &&
             fault.lba / drive->medium->packet_blocks != pkt)) {
            continue;
        }
        if (strikes(faults, i)) {
            *out_hit = fault;
            return true;
        }
    }
    return false;
}

static uint64_t until_us(const struct vdrive *drive,
                         const struct mmc_vdrive_fault *fault) {
    return drive->model.now_us + fault->duration_ms * (uint64_t)1000;
}

bool vdrive_faults_at_command(struct vdrive *drive, uint8_t opcode,
                              struct mmc_vdrive_fault *out_hit) {
    struct mmc_vdrive_fault fault;

    if (hit(drive, MMC_VDRIVE_GONE, opcode, MMC_VDRIVE_ANY, &fault)) {
        drive->gone = true;
        return false;
    }
    if (hit(drive, MMC_VDRIVE_PULL, opcode, MMC_VDRIVE_ANY, &fault)) {
        vdrive_tray_pull(drive, &fault.cut);
        drive->tray.back_after = fault.back_after;
    } else if (drive->tray.back_after && --drive->tray.back_after == 0) {
        vdrive_tray_load(drive);
    }
    if (hit(drive, MMC_VDRIVE_BUTTON, opcode, MMC_VDRIVE_ANY, &fault)) {
        vdrive_tray_press_button(drive);
    }
    if (hit(drive, MMC_VDRIVE_NOT_READY, opcode, MMC_VDRIVE_ANY, &fault)) {
        drive->faults.not_ready_until_us = until_us(drive, &fault);
    }
    return hit(drive, MMC_VDRIVE_SENSE, opcode, MMC_VDRIVE_ANY, out_hit);
}

bool vdrive_faults_at_packet(struct vdrive *drive,
                             enum mmc_vdrive_fault_kind kind, uint32_t pkt,
                             struct mmc_vdrive_fault *out_hit) {
    return drive->faults.count &&
           hit(drive, kind, MMC_VDRIVE_ANY, pkt, out_hit);
}

bool vdrive_faults_at_write(struct vdrive *drive) {
    struct mmc_vdrive_fault fault;

    if (drive->model.now_us >= drive->faults.long_write_until_us &&
        hit(drive, MMC_VDRIVE_LONG_WRITE, MMC_VDRIVE_ANY, MMC_VDRIVE_ANY,
            &fault)) {
        drive->faults.long_write_until_us = until_us(drive, &fault);
    }
    return drive->model.now_us < drive->faults.long_write_until_us;
}
