/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/prepare.c - BLANK and FORMAT UNIT, and waiting for them.
 *
 * Both are sent with IMMED, since some drives hang for good without it, and
 * are then polled. What is tried, in order:
 *
 *   recorded, not in packets       BLANK minimal, if refused BLANK whole
 *   then, and for all others       FORMAT UNIT as mmc/format_plan has it, with
 *                                  write parameters first where drives like it
 *   refused: "not in this state"   BLANK as above, FORMAT UNIT again
 *   refused: "do not know it"      the next form that was planned
 *
 * A quick format leaves a medium that can only be appended to. It is filled
 * with zeros as far as it shall reach, and closed: then it is like any other.
 *
 * The medium is looked at again at the end: only what it says then counts.
 *
 * Clauses: MMC-6 6.2 (BLANK), 6.4 (FORMAT UNIT).
 */
#include "mmc/prepare.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/background.h"
#include "mmc/blockdev.h"
#include "mmc/command.h"
#include "mmc/drive.h"
#include "mmc/format_plan.h"
#include "mmc/log.h"
#include "mmc/media.h"
#include "mmc/setup.h"

enum {
    POLL_MS = 1000,
    BLANK_QUIET_MS = 1000,
    FORMAT_QUIET_MS = 10000, /* some drives give up when asked earlier */
    OPERATION_LIMIT_MS = 5 * 3600 * 1000,
    STARTS_MAX = 3,
    APPEND_BLOCKS = 64,   /* in one command, as far as the connection allows */
    APPEND_PORTION = 4096 /* between two reports of progress */
};

/* One mmc_prepare(). */
struct job {
    struct mmc_drive *drive;
    struct mmc_media *media;
    mmc_progress *progress;
    void *context;
    struct mmc_format_plan plan;
    bool blanked;
    bool parameters_sent; /* or none are needed */
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

static enum mmc_result send_format(const struct job *job,
                                   struct mmc_format *format) {
    return mmc_drive_run(job->drive, MMC_PATIENCE_QUERY, attempt_format, format,
                         NULL);
}

/* What the medium shall be counts, not what it is. */
static void send_parameters(struct job *job) {
    struct mmc_media media = *job->media;

    media.profile = job->plan.target;
    mmc_setup_send_parameters(job->drive, &media);
    job->parameters_sent = true;
}

/* Whether the medium's state, rather than the command, was refused. */
static bool wants_blank(enum mmc_result result) {
    return result == MMC_INCOMPATIBLE_MEDIUM || result == MMC_SEQUENCE_ERROR ||
           result == MMC_WRONG_TRACK_MODE || result == MMC_UNFORMATTED;
}

static bool is_unknown(enum mmc_result result) {
    return result == MMC_INVALID_OPCODE || result == MMC_ILLEGAL_REQUEST;
}

/* Sends one form of FORMAT UNIT; when the medium is refused for its state,
 * blanks it first. *out_error: blanking failed. */
static enum mmc_result try_format(struct job *job, struct mmc_format *format,
                                  int *out_error) {
    const struct mmc_profile *profile = job->media->profile;
    enum mmc_result result = send_format(job, format);

    if (result != MMC_OK && !job->parameters_sent &&
        mmc_result_action(result) != MMC_DO_REMOVED) {
        /* Some drives want to know what for. */
        send_parameters(job);
        result = send_format(job, format);
    }
    if (wants_blank(result) && !job->blanked &&
        mmc_profile_can(profile, MMC_CAP_BLANKABLE)) {
        *out_error = blank(job);
        if (*out_error) {
            return result;
        }
        if (job->parameters_sent) {
            send_parameters(job);
        }
        result = send_format(job, format);
    }
    return result;
}

/* Sends FORMAT UNIT in the ways that were planned, until one is taken. */
static int start_format(struct job *job) {
    enum mmc_result result = MMC_ILLEGAL_REQUEST;
    int error = 0;

    mmc_setup_calibrate(job->drive, job->media);
    job->parameters_sent =
        !mmc_profile_can(job->plan.target, MMC_CAP_WRITE_PARAMETERS);
    if (mmc_profile_can(job->plan.target, MMC_CAP_FORMAT_PARAMETERS)) {
        send_parameters(job);
    }
    for (unsigned i = 0; i < job->plan.tries; i++) {
        result = try_format(job, &job->plan.try[i], &error);
        if (error || result == MMC_OK ||
            (!is_unknown(result) && result != MMC_INCOMPATIBLE_MEDIUM)) {
            break;
        }
        mmc_log(MMC_LOG_INFO, "drive refuses format %02xh%s",
                job->plan.try[i].type,
                i + 1 < job->plan.tries ? ": trying another" : "");
    }
    return error ? error : mmc_result_errno(result);
}

/* Whether the drive has formatted the medium, and does not vouch for its
 * packets all the same. */
static bool is_contradicted(const struct mmc_media *media) {
    return media->state == MMC_DISC_UNFORMATTED && !media->intermediate &&
           media->formats.kind == MMC_CAPACITY_FORMATTED &&
           media->track_valid && !media->track.damaged &&
           !media->track.fixed_packet;
}

/* Looks at the medium again. Returns 0; -EPROTO, or -EIO, when it is not
 * ready. */
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
        return is_contradicted(job->media) ? -EPROTO : -EIO;
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

static enum mmc_result attempt_close(struct mmc_transport *transport,
                                     void *context,
                                     struct mmc_sense *out_sense) {
    (void)context;
    return mmc_command_close(transport, MMC_CLOSE_SESSION, 0, true, out_sense);
}

/* Ends the state in which blocks are only appended: the drive writes what must
 * follow the last one, and the medium can be overwritten. */
static int close_session(struct job *job) {
    enum mmc_result result = mmc_drive_run(job->drive, MMC_PATIENCE_QUERY,
                                           attempt_close, NULL, NULL);
    int error = mmc_result_errno(result);

    return error ? error : wait_done(job, MMC_STEP_CLOSE, 0);
}

/* Writes zeros to blocks from .. to-1, which may be the only way to make them
 * writable at all. */
static int write_zeros(struct job *job, uint32_t from, uint32_t to,
                       const uint8_t *zeros, uint32_t most) {
    uint32_t first = from, reported = from;

    while (from < to) {
        uint32_t count = to - from < most ? to - from : most;
        enum mmc_result result =
            mmc_drive_write(job->drive, from, count, zeros);

        if (result != MMC_OK) {
            mmc_log(MMC_LOG_ERROR, "writing block %u failed: %s", from,
                    mmc_result_name(result));
            return mmc_result_errno(result);
        }
        from += count;
        if (from - reported < APPEND_PORTION && from < to) {
            continue;
        }
        reported = from;
        if (!report(
                job, MMC_STEP_WRITE,
                (unsigned)((uint64_t)(from - first) * 1000 / (to - first)))) {
            return -EINTR;
        }
    }
    return mmc_result_errno(mmc_drive_synchronize(job->drive));
}

/* The medium was formatted so that it can be appended to: appends what was
 * planned, and closes the session. */
static int append(struct job *job) {
    uint32_t packet = job->plan.target->packet_blocks;
    uint32_t most = mmc_drive_max_blocks(job->drive);
    uint8_t *zeros;
    int error;

    most = most < APPEND_BLOCKS ? most / packet * packet : APPEND_BLOCKS;
    if (most == 0) {
        return -EIO; /* the connection cannot carry a packet */
    }
    zeros = calloc(most, BLOCKDEV_BLOCK_BYTES);
    if (!zeros) {
        return -ENOMEM;
    }
    /* The profile may be another one since the format. */
    error = mmc_result_errno(mmc_media_load(job->drive, job->media));
    if (!error) {
        mmc_drive_accept_medium(job->drive);
        send_parameters(job);
        error = write_zeros(job, job->plan.append_from, job->plan.blocks, zeros,
                            most);
    }
    free(zeros);
    return error ? error : close_session(job);
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

/* Formats as planned, and looks at what came of it. */
static int format_and_check(struct job *job) {
    int error = 0;

    if (job->media->needs_blank && !job->plan.target->mrw &&
        mmc_profile_can(job->media->profile, MMC_CAP_BLANKABLE)) {
        error = blank(job);
    }
    if (!error) {
        error = start_format(job);
    }
    if (!error) {
        error = wait_done(job, MMC_STEP_FORMAT, FORMAT_QUIET_MS);
    }
    if (!error && job->plan.append) {
        error = append(job);
    }
    if (!error) {
        error = look_again(job);
    }
    return error ? error : check_ends(job);
}

/* What was interrupted while it was appended to is usable, as far as it came,
 * when its session is closed. */
static int finish_appending(struct job *job) {
    int error = close_session(job);

    return error ? error : look_again(job);
}

static int grow(struct job *job, const struct mmc_prepare_options *options) {
    int error = job->media->intermediate ? finish_appending(job) : 0;

    if (!error) {
        error = mmc_format_plan(job->media, options, &job->plan);
    }
    if (error || job->plan.tries == 0) {
        return error;
    }
    return format_and_check(job);
}

static int format_as_needed(struct job *job,
                            const struct mmc_prepare_options *options) {
    int error = 0;

    if (!options->grow) {
        if (mmc_format_is_done(job->media, options)) {
            return 0;
        }
        error = mmc_format_plan(job->media, options, &job->plan);
    }
    if (!error) {
        mmc_drive_lock_door(job->drive, true);
        error = options->grow ? grow(job, options) : format_and_check(job);
        mmc_drive_lock_door(job->drive, false);
    }
    return error;
}

static int wait_complete(struct job *job) {
    int error;

    if (!mmc_media_is_part_formatted(job->media)) {
        return 0;
    }
    error = mmc_background_wait(job->drive, job->media, job->progress,
                                job->context);
    return error ? error : look_again(job);
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
    case -EINVAL:
    case -EPROTO:
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
    error = format_as_needed(&job, options);
    if (!error && options->wait) {
        error = wait_complete(&job);
    }
    return public_error(error);
}
