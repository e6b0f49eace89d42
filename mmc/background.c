/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/background.c - see mmc/background.h.
 *
 * Clauses: MMC-6 6.4.3.11 and 6.4.3.12 (format types 24h and 26h), 6.3 (CLOSE
 * TRACK/SESSION), 4.3.6 and 4.7.
 */
#include "mmc/background.h"

#include <errno.h>

#include "mmc/command.h"
#include "mmc/drive.h"
#include "mmc/log.h"
#include "mmc/media.h"

enum {
    READY_POLL_MS = 500,
    RESTART_LIMIT_MS = 300 * 1000, /* the lead-in may have to be written */
    STOP_LIMIT_MS = 1800 * 1000,
    WAIT_POLL_MS = 2000,
    WAIT_LIMIT_MS = 5 * 3600 * 1000,
    RESTARTS_MAX = 3,
    SILENCES_MAX = 100,
    STARTS_MAX = 3,
    RESTART = 1 /* in the type dependent parameter */
};

static enum mmc_result attempt_info(struct mmc_transport *transport,
                                    void *context,
                                    struct mmc_sense *out_sense) {
    return mmc_command_read_disc_information(transport, context, out_sense);
}

static enum mmc_result attempt_format(struct mmc_transport *transport,
                                      void *context,
                                      struct mmc_sense *out_sense) {
    return mmc_command_format_unit(transport, context, out_sense);
}

static enum mmc_result attempt_close(struct mmc_transport *transport,
                                     void *context,
                                     struct mmc_sense *out_sense) {
    const enum mmc_close_function *function = context;

    return mmc_command_close(transport, *function, 0, true, out_sense);
}

static enum mmc_result attempt_sense(struct mmc_transport *transport,
                                     void *context,
                                     struct mmc_sense *out_sense) {
    *out_sense = (struct mmc_sense){0};
    return mmc_command_request_sense(transport, context);
}

static bool is_gone(enum mmc_result result) {
    return mmc_result_action(result) == MMC_DO_REMOVED;
}

/* What has become of the format. */
static enum mmc_result ask(struct mmc_drive *drive,
                           enum mmc_background_format *out_background) {
    struct mmc_disc_information info = {.background = MMC_BACKGROUND_UNKNOWN};
    /* A drive that is busy with something else knows no better. */
    enum mmc_result result =
        mmc_drive_run(drive, MMC_PATIENCE_PROBE, attempt_info, &info, NULL);

    *out_background =
        result == MMC_OK ? info.background : MMC_BACKGROUND_UNKNOWN;
    return result;
}

/* Waits until the drive takes commands for the medium again. */
static enum mmc_result wait_ready(struct mmc_drive *drive, uint32_t limit_ms) {
    uint64_t start = mmc_drive_now(drive);
    unsigned starts = 0;

    do {
        struct mmc_drive_progress progress;
        enum mmc_result result;

        mmc_drive_sleep(drive, READY_POLL_MS);
        result = mmc_drive_poll(drive, &progress);
        if (result == MMC_OK && !progress.running) {
            return MMC_OK;
        }
        if (result != MMC_OK &&
            !(result == MMC_NEEDS_START && starts++ < STARTS_MAX)) {
            return result;
        }
    } while (mmc_drive_now(drive) - start < limit_ms);
    return MMC_TIMEOUT;
}

enum mmc_result mmc_background_restart(struct mmc_drive *drive,
                                       const struct mmc_media *media) {
    struct mmc_format format = {.type = media->profile->format_type,
                                .blocks = UINT32_MAX,
                                .parameter = RESTART,
                                .immediate = true};
    enum mmc_result result;

    mmc_log(MMC_LOG_INFO, "going on with the format of the disc");
    result =
        mmc_drive_run(drive, MMC_PATIENCE_QUERY, attempt_format, &format, NULL);
    if (result == MMC_OK) {
        result = wait_ready(drive, RESTART_LIMIT_MS);
    }
    if (is_gone(result)) {
        return result;
    }
    if (result != MMC_OK) {
        mmc_log(MMC_LOG_WARN, "the drive does not go on with the format: %s",
                mmc_result_name(result));
    }
    return MMC_OK;
}

static enum mmc_result close_as(struct mmc_drive *drive,
                                enum mmc_close_function function) {
    enum mmc_result result = mmc_drive_run(drive, MMC_PATIENCE_QUERY,
                                           attempt_close, &function, NULL);

    return result == MMC_OK ? wait_ready(drive, STOP_LIMIT_MS) : result;
}

enum mmc_result mmc_background_stop(struct mmc_drive *drive,
                                    const struct mmc_media *media,
                                    bool lead_out) {
    bool plain_stop = !media->stop_by_close && !media->profile->mrw;
    enum mmc_background_format now = MMC_BACKGROUND_NONE;
    enum mmc_result result = MMC_OK;

    if (mmc_profile_can(media->profile, MMC_CAP_BACKGROUND_FORMAT)) {
        result = ask(drive, &now);
    }
    if (is_gone(result)) {
        return result;
    }
    if (now != MMC_BACKGROUND_RUNNING && now != MMC_BACKGROUND_UNKNOWN) {
        return MMC_OK;
    }
    result = MMC_OK;
    if (plain_stop) {
        result = close_as(drive, MMC_CLOSE_STOP_FORMAT);
    }
    if (!is_gone(result) && (lead_out || !plain_stop || result != MMC_OK)) {
        result = close_as(drive, MMC_CLOSE_SESSION);
    }
    if (result != MMC_OK) {
        mmc_log(MMC_LOG_WARN, "formatting could not be stopped: %s",
                mmc_result_name(result));
    }
    return result;
}

/* How far the format has come; `permille` where the drive does not say. */
static unsigned ask_progress(struct mmc_drive *drive, unsigned permille) {
    struct mmc_sense sense = {0};
    unsigned now;

    if (mmc_drive_run(drive, MMC_PATIENCE_PROBE, attempt_sense, &sense, NULL) !=
            MMC_OK ||
        !sense.progress_valid) {
        return permille;
    }
    now = (unsigned)sense.progress * 1000 / 65536;
    return now > permille ? now : permille; /* they step back now and then */
}

int mmc_background_wait(struct mmc_drive *drive, const struct mmc_media *media,
                        mmc_progress *progress, void *context) {
    uint64_t start = mmc_drive_now(drive);
    unsigned permille = 0, restarts = 0, silences = 0;

    while (mmc_drive_now(drive) - start < WAIT_LIMIT_MS) {
        enum mmc_background_format now = MMC_BACKGROUND_UNKNOWN;
        enum mmc_result result = ask(drive, &now);

        if (now == MMC_BACKGROUND_COMPLETE || now == MMC_BACKGROUND_NONE) {
            return now == MMC_BACKGROUND_COMPLETE ? 0 : -EIO;
        }
        if ((now == MMC_BACKGROUND_STOPPED && restarts++ >= RESTARTS_MAX) ||
            (now == MMC_BACKGROUND_UNKNOWN && silences++ >= SILENCES_MAX)) {
            return -EIO;
        }
        if (now == MMC_BACKGROUND_STOPPED) {
            result = mmc_background_restart(drive, media);
        }
        if (is_gone(result)) {
            return mmc_result_errno(result);
        }
        permille = ask_progress(drive, permille);
        if (progress && !progress(context, MMC_STEP_FORMAT, permille)) {
            return -EINTR;
        }
        mmc_drive_sleep(drive, WAIT_POLL_MS);
    }
    return -EIO;
}
