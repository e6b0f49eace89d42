/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_tray.c - the tray, its lock and its button, and what is told
 * about them (START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL, GET EVENT STATUS
 * NOTIFICATION).
 *
 *            load, button                 spin_up_ms later
 *   OPEN ------------------> SPINNING UP ------------------> READY (6/28/00)
 *     ^                                                        |
 *     +--------------------------------------------------------+
 *        eject, button (not while the door is locked), pin
 *
 * While the door is locked, or a long operation runs, the button makes the
 * media event "eject request" and nothing else; whoever asks for events first
 * takes it.
 */
#include "mmc/vdrive_core.h"

#include <scsi/sg_unaligned.h>
#include <string.h>

#include "mmc/cdb.h"
#include "mmc/reply.h"

enum { SLOW_SPIN_UP_MS = 60000 };

static bool locked(const struct vdrive_tray *tray) {
    return tray->prevented || tray->persistently_prevented;
}

void vdrive_tray_post_event(struct vdrive_tray *tray, uint8_t event) {
    if (tray->event_count < VDRIVE_EVENTS_MAX) {
        tray->events[tray->event_count++] = event;
    }
}

/* What runs is torn, or stopped when it is in the background; what is in the
 * buffer is written before the disc stops. */
void vdrive_tray_open(struct vdrive *drive) {
    if (drive->tray.open) {
        return;
    }
    vdrive_model_sync(drive);
    vdrive_buffer_synced(&drive->buffer);
    drive->operation.kind = VDRIVE_IDLE;
    vdrive_background_stop(drive);
    drive->attention &= ~(unsigned)VDRIVE_ATTENTION_MEDIUM;
    drive->tray.open = true;
    drive->tray.loaded = false;
    vdrive_tray_post_event(&drive->tray, MMC_MEDIA_REMOVED);
}

void vdrive_tray_pull(struct vdrive *drive, const struct mmc_vdrive_cut *cut) {
    vdrive_buffer_cut(drive, cut);
    vdrive_tray_open(drive);
}

static uint64_t spin_up_us(const struct vdrive *drive) {
    uint64_t ms = vdrive_quirk(drive, MMC_VDRIVE_QUIRK_SLOW_SPIN_UP)
                      ? SLOW_SPIN_UP_MS
                      : drive->medium->figures->spin_up_ms;

    return ms * 1000;
}

void vdrive_tray_load(struct vdrive *drive) {
    if (!drive->tray.open) {
        return;
    }
    drive->tray.open = false;
    drive->tray.loaded = true;
    drive->formatted_here = drive->calibrated = false;
    drive->tray.ready_at_us = drive->model.now_us + spin_up_us(drive);
    drive->attention |= VDRIVE_ATTENTION_MEDIUM;
    vdrive_forget_settings(drive);
    vdrive_model_start(drive);
    vdrive_tray_post_event(&drive->tray, MMC_MEDIA_NEW);
}

void vdrive_tray_press_button(struct vdrive *drive) {
    if (drive->tray.open) {
        vdrive_tray_load(drive);
    } else if (locked(&drive->tray) || drive->operation.kind != VDRIVE_IDLE) {
        vdrive_tray_post_event(&drive->tray, MMC_MEDIA_EJECT_REQUEST);
    } else {
        vdrive_tray_open(drive);
    }
}

/* CD-MRW notes that its tables are written. */
static void park(struct vdrive *drive) {
    if (drive->tray.loaded) {
        drive->files.head->dirty = 0;
    }
}

/* MMC-5 6.42. Immed makes no difference: the tray moves in no time. */
enum vdrive_sense vdrive_start_stop(struct vdrive *drive,
                                    struct vdrive_io *io) {
    if (io->cdb[4] >> 4) {
        return VDRIVE_INVALID_FIELD; /* power conditions */
    }
    switch (io->cdb[4] & 3) {
    case MMC_UNIT_EJECT:
        if (locked(&drive->tray)) {
            return VDRIVE_REMOVAL_PREVENTED;
        }
        if (drive->files.head->background == MMC_BACKGROUND_RUNNING &&
            drive->tray.loaded) {
            return VDRIVE_SEQUENCE_ERROR; /* the host has to stop it */
        }
        park(drive);
        vdrive_tray_open(drive);
        return VDRIVE_GOOD;
    case MMC_UNIT_LOAD:
        vdrive_tray_load(drive);
        return VDRIVE_GOOD;
    case MMC_UNIT_STOP:
        vdrive_model_sync(drive);
        vdrive_buffer_synced(&drive->buffer);
        return VDRIVE_GOOD;
    default: /* MMC_UNIT_START: a disc that is there spins already */
        return drive->tray.loaded ? VDRIVE_GOOD : vdrive_readiness(drive);
    }
}

/* MMC-5 6.13. */
enum vdrive_sense vdrive_prevent_allow(struct vdrive *drive,
                                       struct vdrive_io *io) {
    bool prevent = io->cdb[4] & 1;

    if (io->cdb[4] & 0xFC) {
        return VDRIVE_INVALID_FIELD;
    }
    if (io->cdb[4] & 2) {
        drive->tray.persistently_prevented = prevent;
    } else {
        drive->tray.prevented = prevent;
    }
    return VDRIVE_GOOD;
}

/* Old drives tell the last event for ever. */
static void take_event(struct vdrive *drive) {
    struct vdrive_tray *tray = &drive->tray;

    if (tray->event_count == 1 &&
        vdrive_quirk(drive, MMC_VDRIVE_QUIRK_STALE_EVENTS)) {
        return;
    }
    tray->event_count--;
    memmove(tray->events, tray->events + 1, tray->event_count);
}

/* MMC-5 6.7. The media class is the one that this drive has. */
enum vdrive_sense vdrive_get_event(struct vdrive *drive, struct vdrive_io *io) {
    struct vdrive_tray *tray = &drive->tray;
    uint8_t reply[8] = {0, 2, 0x80, MMC_EVENTS_MEDIA}; /* NEA */
    size_t len = 4;

    if (!(io->cdb[1] & 1)) {
        return VDRIVE_INVALID_FIELD; /* asynchronous */
    }
    if (io->cdb[4] & MMC_EVENTS_MEDIA) {
        len = 8;
        reply[1] = 6;
        reply[2] = MMC_EVENT_MEDIA;
        reply[5] = (uint8_t)(tray->loaded << 1 | tray->open);
    }
    /* An event that does not fit the host's buffer stays for the next time. */
    if (len == 8 && sg_get_unaligned_be16(io->cdb + 7) >= 8 &&
        tray->event_count) {
        reply[4] = tray->events[0];
        take_event(drive);
    }
    vdrive_answer(io, reply, len, sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}

/* ---- Hands at the drive ------------------------------------------------- */

void mmc_vdrive_load(struct mmc_transport *transport) {
    vdrive_tray_load(vdrive_of(transport));
}

void mmc_vdrive_pull(struct mmc_transport *transport) {
    static const struct mmc_vdrive_cut all = {.loss = MMC_VDRIVE_LOSE_ALL};

    vdrive_tray_pull(vdrive_of(transport), &all);
}

void mmc_vdrive_press_button(struct mmc_transport *transport) {
    vdrive_tray_press_button(vdrive_of(transport));
}

bool mmc_vdrive_tray_open(struct mmc_transport *transport) {
    return vdrive_of(transport)->tray.open;
}
