/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/setup.c - see mmc/setup.h.
 */
#include "mmc/setup.h"

#include <stddef.h>

#include "mmc/command.h"
#include "mmc/drive.h"
#include "mmc/log.h"
#include "mmc/media.h"

static enum mmc_result attempt_opc(struct mmc_transport *transport,
                                   void *context, struct mmc_sense *out_sense) {
    (void)context;
    return mmc_command_send_opc(transport, out_sense);
}

void mmc_setup_calibrate(struct mmc_drive *drive,
                         const struct mmc_media *media) {
    enum mmc_result result;

    if (!media->uncalibrated) {
        return;
    }
    result = mmc_drive_run(drive, MMC_PATIENCE_PROBE, attempt_opc, NULL, NULL);
    if (result == MMC_RECORDING_AREA) {
        mmc_log(MMC_LOG_WARN, "the drive cannot calibrate its laser for this "
                              "disc: writing may fail");
    }
}

/* How much of page 05h is changed: drives that refuse a field refuse the whole
 * page. */
enum change { CHANGE_ALL, CHANGE_NO_BUFE, CHANGE_LEAST, CHANGES };

static void set_parameters(const struct mmc_media *media, enum change change,
                           struct mmc_mode_page *page) {
    const struct mmc_track_information *track = &media->track;
    bool known = media->state == MMC_DISC_READY && media->track_valid;
    bool cd = mmc_profile_can(media->profile, MMC_CAP_CD_SPEED);
    bool mode_2 = cd && known && track->data_mode == 2;
    uint8_t track_mode =
        known && track->track_mode >= 4 && track->track_mode <= 7
            ? track->track_mode
            : 5;
    uint8_t *bytes = page->bytes;

    bytes[0] &= 0x3F; /* PS is reserved in MODE SELECT */
    bytes[2] = change == CHANGE_ALL ? 0x40 : 0x00; /* BUFE; packet writing */
    bytes[3] = (uint8_t)(0x20 | track_mode);       /* FP, single session */
    bytes[4] = mode_2 ? 10 : 8;                    /* data block type */
    bytes[10] = bytes[11] = bytes[12] = 0;
    bytes[13] = media->profile->packet_blocks;
    if (change != CHANGE_LEAST) {
        bytes[5] = 0;
        bytes[8] = mode_2 ? 0x20 : 0x00; /* session format */
    }
}

enum mmc_result mmc_setup_send_parameters(struct mmc_drive *drive,
                                          const struct mmc_media *media) {
    struct mmc_mode_page sensed, page;
    enum mmc_result result;

    if (!mmc_profile_can(media->profile, MMC_CAP_WRITE_PARAMETERS)) {
        return MMC_OK;
    }
    result = mmc_drive_get_page(drive, MMC_MODE_WRITE_PARAMETERS, &sensed);
    if (result != MMC_OK && result != MMC_ILLEGAL_REQUEST) {
        /* No refusal: who has the page must not do without it. */
        result = mmc_drive_get_page(drive, MMC_MODE_WRITE_PARAMETERS, &sensed);
    }
    if (mmc_result_action(result) == MMC_DO_REMOVED) {
        return result;
    }
    if (result != MMC_OK || sensed.len < 14) {
        mmc_log(MMC_LOG_INFO, "drive has no write parameters page");
        return MMC_OK;
    }
    for (int change = CHANGE_ALL; change < CHANGES; change++) {
        page = sensed;
        set_parameters(media, (enum change)change, &page);
        result = mmc_drive_set_page(drive, &page);
        if (result == MMC_OK || mmc_result_action(result) == MMC_DO_REMOVED) {
            return result;
        }
    }
    /* The first WRITE shows whether it matters. */
    mmc_log(MMC_LOG_WARN, "drive refuses write parameters: %s",
            mmc_result_name(result));
    return MMC_OK;
}
