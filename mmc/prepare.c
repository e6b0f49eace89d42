/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/prepare.c - BLANK and FORMAT UNIT, and waiting for them.
 *
 * Both are sent with IMMED, since some drives hang for good without it, and
 * are then polled. What is tried, in order:
 *
 *   recorded, not in packets       BLANK minimal, if refused BLANK whole
 *   then, and for all others       write parameters, FORMAT UNIT as the drive
 *                                  offers it in READ FORMAT CAPACITIES
 *   refused: "not in this state"   BLANK as above, FORMAT UNIT again
 *   refused: "do not know it"      for CD-RW the format code 7 of MMC-1
 *
 * The medium is looked at again at the end: only what it says then counts.
 *
 * Clauses: MMC-6 6.2 (BLANK), 6.4 (FORMAT UNIT).
 */
#include "mmc/prepare.h"

#include <errno.h>

#include "mmc/blockdev.h"
#include "mmc/command.h"
#include "mmc/drive.h"
#include "mmc/log.h"
#include "mmc/media.h"

enum {
    POLL_MS = 1000,
    BLANK_QUIET_MS = 1000,
    FORMAT_QUIET_MS = 10000, /* some drives give up when asked earlier */
    OPERATION_LIMIT_MS = 5 * 3600 * 1000,
    STARTS_MAX = 3,
    ALL_BLOCKS = -1 /* FFFFFFFFh: as much as there is */
};

/* One mmc_prepare(). */
struct job {
    struct mmc_drive *drive;
    struct mmc_media *media;
    mmc_progress *progress;
    void *context;
    bool blanked;
};

static bool report(const struct job *job, enum mmc_prepare_step step,
                   unsigned permille) {
    return !job->progress || job->progress(job->context, step, permille);
}

/* Waits for an operation, leaving the drive in peace for quiet_ms first.
 * Returns 0; -EINTR; -EIO when it fails or does not end. */
static int wait_done(const struct job *job, enum mmc_prepare_step step,
                     uint32_t quiet_ms) {
    unsigned permille = 0, starts = 0;

    for (uint32_t waited = 0; waited < OPERATION_LIMIT_MS; waited += POLL_MS) {
        struct mmc_drive_progress now = {.running = true};
        enum mmc_result result = MMC_OK;

        if (!report(job, step, permille)) {
            return -EINTR;
        }
        mmc_drive_sleep(job->drive, POLL_MS);
        if (waited + POLL_MS < quiet_ms) {
            continue;
        }
        result = mmc_drive_poll(job->drive, &now);
        if (result == MMC_NEEDS_START && starts++ < STARTS_MAX) {
            continue;
        }
        if (result != MMC_OK) {
            mmc_log(MMC_LOG_ERROR, "formatting failed: %s",
                    mmc_result_name(result));
            return result == MMC_NO_MEDIUM || result == MMC_DRIVE_GONE
                       ? mmc_result_errno(result)
                       : -EIO;
        }
        if (!now.running) {
            return report(job, step, 1000) ? 0 : -EINTR;
        }
        if (now.known && now.permille > permille) {
            permille = now.permille; /* drives step back now and then */
        }
    }
    return -EIO;
}

static enum mmc_result attempt_blank(struct mmc_transport *transport,
                                     void *context,
                                     struct mmc_sense *out_sense) {
    const enum mmc_blank_type *type = context;

    return mmc_command_blank(transport, *type, 0, true, out_sense);
}

static enum mmc_result attempt_format(struct mmc_transport *transport,
                                      void *context,
                                      struct mmc_sense *out_sense) {
    return mmc_command_format_unit(transport, context, out_sense);
}

static int blank_as(const struct job *job, enum mmc_blank_type type) {
    enum mmc_result result = mmc_drive_run(job->drive, MMC_PATIENCE_QUERY,
                                           attempt_blank, &type, NULL);

    if (result != MMC_OK) {
        return mmc_result_errno(result);
    }
    return wait_done(job, MMC_STEP_BLANK, BLANK_QUIET_MS);
}

/* Minimal blanking is enough to format; what is too damaged for that is
 * erased as a whole. */
static int blank(struct job *job) {
    int error = blank_as(job, MMC_BLANK_MINIMAL);

    if (error && error != -EINTR && error != -EROFS && error != -ENOMEDIUM &&
        error != -ENODEV) {
        mmc_log(MMC_LOG_NOTICE, "quick blanking failed: erasing everything");
        error = blank_as(job, MMC_BLANK_WHOLE);
    }
    job->blanked = !error;
    return error;
}

/* The format that the drive offers for packet writing. */
static struct mmc_format plan_format(const struct mmc_media *media) {
    const struct mmc_profile *profile = media->profile;
    struct mmc_format_descriptor offer = {0};
    struct mmc_format format = {.type = profile->format_type,
                                .blocks = media->formattable_blocks,
                                .immediate = true};

    if (mmc_profile_can(profile, MMC_CAP_BACKGROUND_FORMAT)) {
        format.blocks = (uint32_t)ALL_BLOCKS;
    } else if (format.type == MMC_FORMAT_PACKET_FULL) {
        format.parameter = profile->packet_blocks;
    } else if (mmc_format_find(&media->formats, format.type, &offer) == 0) {
        format.blocks = offer.blocks;
        format.parameter = offer.parameter;
    }
    return format;
}

static enum mmc_result send_format(const struct job *job,
                                   struct mmc_format *format) {
    return mmc_drive_run(job->drive, MMC_PATIENCE_QUERY, attempt_format, format,
                         NULL);
}

/* Whether the medium's state, rather than the command, was refused. */
static bool wants_blank(enum mmc_result result) {
    return result == MMC_INCOMPATIBLE_MEDIUM || result == MMC_SEQUENCE_ERROR ||
           result == MMC_WRONG_TRACK_MODE || result == MMC_UNFORMATTED;
}

static bool is_unknown(enum mmc_result result) {
    return result == MMC_INVALID_OPCODE || result == MMC_ILLEGAL_REQUEST;
}

/* Sends FORMAT UNIT in the ways listed at the head of this file. */
static int start_format(struct job *job) {
    struct mmc_format format = plan_format(job->media);
    enum mmc_result result;
    int error;

    mmc_media_send_parameters(job->drive, job->media);
    result = send_format(job, &format);
    if (wants_blank(result) && !job->blanked &&
        mmc_profile_can(job->media->profile, MMC_CAP_BLANKABLE)) {
        error = blank(job);
        if (error) {
            return error;
        }
        mmc_media_send_parameters(job->drive, job->media);
        result = send_format(job, &format);
    }
    if (is_unknown(result) &&
        mmc_profile_can(job->media->profile,
                        MMC_CAP_TRACK_LAYOUT | MMC_CAP_WHOLE_PACKETS)) {
        mmc_log(MMC_LOG_INFO, "drive does not know format 10h: trying code 7");
        format.legacy = true;
        result = send_format(job, &format);
    }
    return mmc_result_errno(result);
}

/* Looks at the medium again. Returns 0 or -EIO when it is not ready. */
static int look_again(struct job *job) {
    enum mmc_result result;

    /* Some drives report the end of formatting before it is on the disc. */
    mmc_drive_accept_medium(job->drive);
    mmc_drive_synchronize(job->drive);
    result = mmc_media_load(job->drive, job->media);
    if (result != MMC_OK) {
        return mmc_result_errno(result);
    }
    if (job->media->state == MMC_DISC_ABSENT) {
        return -ENOMEDIUM;
    }
    if (job->media->state != MMC_DISC_READY) {
        mmc_log(MMC_LOG_ERROR, "not ready after formatting: %s",
                job->media->reason);
        return -EIO;
    }
    return 0;
}

/* Reads the first and the last block of a medium that was formatted
 * throughout: a format that did not reach its end shows there. */
static int check_ends(const struct job *job) {
    const struct mmc_media *media = job->media;
    uint8_t block[BLOCKDEV_BLOCK_BYTES];
    enum mmc_result result;

    if (!mmc_profile_can(media->profile, MMC_CAP_WHOLE_PACKETS)) {
        return 0;
    }
    if (!report(job, MMC_STEP_VERIFY, 0)) {
        return -EINTR;
    }
    result = mmc_drive_peek(job->drive, 0, block);
    if (result == MMC_OK) {
        result = mmc_drive_peek(job->drive, media->blocks - 1, block);
    }
    if (result != MMC_OK) {
        mmc_log(MMC_LOG_ERROR, "the formatted disc cannot be read: %s",
                mmc_result_name(result));
        return -EIO;
    }
    report(job, MMC_STEP_VERIFY, 1000);
    return 0;
}

/* Whether the medium can be formatted at all: 0, -ENOMEDIUM, -EROFS or
 * -EMEDIUMTYPE. */
static int check_formattable(const struct mmc_media *media) {
    if (media->state == MMC_DISC_ABSENT) {
        return -ENOMEDIUM;
    }
    if (media->formatting || !media->profile->word ||
        (media->profile->capabilities &
         (MMC_CAP_OVERWRITE | MMC_CAP_SEQUENTIAL_STATE)) == 0) {
        return -EMEDIUMTYPE;
    }
    if (media->write_protected || media->state == MMC_DISC_READ_ONLY) {
        return -EROFS;
    }
    return 0;
}

static int format_and_check(struct job *job) {
    int error = 0;

    if (job->media->needs_blank &&
        mmc_profile_can(job->media->profile, MMC_CAP_BLANKABLE)) {
        error = blank(job);
    }
    if (!error) {
        error = start_format(job);
    }
    if (!error) {
        error = wait_done(job, MMC_STEP_FORMAT, FORMAT_QUIET_MS);
    }
    if (!error) {
        error = look_again(job);
    }
    return error ? error : check_ends(job);
}

/* Only what mmc/disc.h promises. */
static int public_error(int error) {
    switch (error) {
    case 0:
    case -EINTR:
    case -ENOMEDIUM:
    case -EMEDIUMTYPE:
    case -EROFS:
    case -ENODEV:
    case -ENOMEM:
        return error;
    case -EOPNOTSUPP:
        return -EMEDIUMTYPE;
    default:
        return -EIO;
    }
}

int mmc_prepare(struct mmc_drive *drive, struct mmc_media *media,
                const struct mmc_prepare_options *options,
                mmc_progress *progress, void *context) {
    struct job job = {.drive = drive,
                      .media = media,
                      .progress = progress,
                      .context = context};
    int error = 0;

    if (media->formatting) {
        /* An earlier udfpkt-format was interrupted; the drive went on. When
         * that ends badly, formatting anew is the remedy. */
        error = wait_done(&job, MMC_STEP_FORMAT, 0);
        if (!error || error == -EIO) {
            error = mmc_result_errno(mmc_media_load(drive, media));
        }
        if (error) {
            return public_error(error);
        }
    }
    error = check_formattable(media);
    if (error) {
        return error;
    }
    if (media->state == MMC_DISC_READY && !options->full) {
        return 0;
    }
    mmc_drive_lock_door(drive, true);
    error = format_and_check(&job);
    mmc_drive_lock_door(drive, false);
    return public_error(error);
}
