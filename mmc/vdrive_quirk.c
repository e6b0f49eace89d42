/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_quirk.c - what some drives do: the names, and switching it on.
 * What a quirk does is done where the rule is that it breaks.
 */
#include "mmc/vdrive_core.h"

#include <string.h>

enum { SLOW_SPIN_UP_US = 60 * 1000000 };

static const char *const names[MMC_VDRIVE_QUIRKS] = {
    [MMC_VDRIVE_QUIRK_ALIGNED_ONLY] = "dvd+rw-aligned-only",
    [MMC_VDRIVE_QUIRK_WRONG_NWA] = "wrong-nwa",
    [MMC_VDRIVE_QUIRK_LYING_CAPACITY] = "lying-capacity",
    [MMC_VDRIVE_QUIRK_CAPACITIES_PLUS_FOUR] = "format-capacities-plus-four",
    [MMC_VDRIVE_QUIRK_NO_PAGE_05] = "no-page-05h",
    [MMC_VDRIVE_QUIRK_PAGE_05_NOT_ON_BLANK] = "page-05h-refused-on-blank",
    [MMC_VDRIVE_QUIRK_NO_FORMAT_10] = "no-format-10h",
    [MMC_VDRIVE_QUIRK_FORMAT_NEEDS_IMMED] = "format-needs-immed",
    [MMC_VDRIVE_QUIRK_SPEED_REFUSED] = "speed-refused",
    [MMC_VDRIVE_QUIRK_NOT_ERASABLE] = "not-erasable-after-format",
    [MMC_VDRIVE_QUIRK_LATE_NOT_READY] = "late-2/04/07",
    [MMC_VDRIVE_QUIRK_SEQUENCE_ERROR] = "sequence-error",
    [MMC_VDRIVE_QUIRK_SEQUENCE_ERROR_5] = "sequence-error-5",
    [MMC_VDRIVE_QUIRK_SLOW_SPIN_UP] = "slow-spinup",
    [MMC_VDRIVE_QUIRK_TRAY_OPEN] = "tray-open",
    [MMC_VDRIVE_QUIRK_TRAY_EMPTY] = "tray-empty",
    [MMC_VDRIVE_QUIRK_STALE_EVENTS] = "stale-events",
    [MMC_VDRIVE_QUIRK_MRW_PAGE_2C] = "mrw-page-2ch",
    [MMC_VDRIVE_QUIRK_MRW_GAA] = "mrw-gaa",
    [MMC_VDRIVE_QUIRK_HUGE_CAPACITY] = "huge-capacity",
    [MMC_VDRIVE_QUIRK_NO_FIXED_PACKETS] = "no-fixed-packets",
    [MMC_VDRIVE_QUIRK_WANTS_OPC] = "wants-opc",
};

bool vdrive_quirk_find(const char *name,
                       enum mmc_vdrive_quirk_kind *out_quirk) {
    for (size_t i = 0; i < MMC_VDRIVE_QUIRKS; i++) {
        if (strcmp(names[i], name) == 0) {
            *out_quirk = (enum mmc_vdrive_quirk_kind)i;
            return true;
        }
    }
    return false;
}

void vdrive_quirks_power_up(struct vdrive *drive) {
    if (vdrive_quirk(drive, MMC_VDRIVE_QUIRK_SLOW_SPIN_UP)) {
        drive->tray.ready_at_us = drive->model.now_us + SLOW_SPIN_UP_US;
    }
    if (vdrive_quirk(drive, MMC_VDRIVE_QUIRK_TRAY_OPEN)) {
        drive->tray.open = true;
        drive->tray.loaded = false;
    }
    if (vdrive_quirk(drive, MMC_VDRIVE_QUIRK_TRAY_EMPTY)) {
        drive->tray.loaded = false;
    }
}

bool vdrive_wants_opc(const struct vdrive *drive) {
    return vdrive_quirk(drive, MMC_VDRIVE_QUIRK_WANTS_OPC) &&
           !drive->calibrated;
}

void mmc_vdrive_quirk(struct mmc_transport *transport,
                      enum mmc_vdrive_quirk_kind quirk, bool on) {
    struct vdrive *drive = vdrive_of(transport);
    uint32_t bit = (uint32_t)1 << quirk;

    if (on) {
        drive->faults.quirks |= bit;
    } else {
        drive->faults.quirks &= ~bit;
    }
    /* The other quirks leave the host's settings alone. */
    if (quirk == MMC_VDRIVE_QUIRK_MRW_PAGE_2C ||
        quirk == MMC_VDRIVE_QUIRK_MRW_GAA) {
        vdrive_modes_reset(drive);
    }
}
