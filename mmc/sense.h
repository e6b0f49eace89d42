/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/sense.h - what a drive's sense data means for the host. Pure.
 *
 * Sense (SPC-3 4.5) becomes a struct, the struct one of enum mmc_result by one
 * table in sense.c, and a result has one errno and one action in another.
 * Blank check, medium error and hardware error stay apart: on recordable media
 * a blank check is a normal answer.
 */
#ifndef MMC_SENSE_H
#define MMC_SENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sense keys (SPC-3 table 27). */
enum mmc_sense_key {
    MMC_KEY_NO_SENSE = 0x0,
    MMC_KEY_RECOVERED = 0x1,
    MMC_KEY_NOT_READY = 0x2,
    MMC_KEY_MEDIUM_ERROR = 0x3,
    MMC_KEY_HARDWARE_ERROR = 0x4,
    MMC_KEY_ILLEGAL_REQUEST = 0x5,
    MMC_KEY_UNIT_ATTENTION = 0x6,
    MMC_KEY_DATA_PROTECT = 0x7,
    MMC_KEY_BLANK_CHECK = 0x8,
    MMC_KEY_ABORTED = 0xB,
    MMC_KEY_VOLUME_OVERFLOW = 0xD,
    MMC_KEY_MISCOMPARE = 0xE
};

struct mmc_sense {
    uint8_t key, asc, ascq;
    bool deferred; /* about an earlier command; this one was not executed */
    bool progress_valid;
    uint16_t progress; /* of 65536 */
    bool info_valid;
    uint32_t info; /* first LBA that failed */
};

/* How a command ended. */
enum mmc_result {
    MMC_OK,              /* done, perhaps after recovery by the drive */
    MMC_NOT_READY,       /* becoming ready, formatting, operation running */
    MMC_NOT_READY_VAGUE, /* not ready, no cause given: often no medium */
    MMC_LONG_WRITE,      /* buffer full: send the same WRITE again later */
    MMC_BUSY,            /* drive or its resources are taken for a moment */
    MMC_NEEDS_START,     /* START UNIT first */
    MMC_INTERVENTION,    /* somebody has to do something at the drive */
    MMC_NO_MEDIUM,
    MMC_INCOMPATIBLE_MEDIUM, /* cannot be read, written or formatted here */
    MMC_UNFORMATTED,         /* format corrupted or never finished */
    MMC_FORMAT_FAILED,       /* FORMAT or BLANK went wrong */
    MMC_MEDIUM_CHANGED,      /* identify it again before anything is written */
    MMC_RESET,               /* power on or reset: settings, cache are lost */
    MMC_MODE_CHANGED,        /* mode pages must be sent again */
    MMC_REMOVAL_REQUEST,     /* the user wants the medium out */
    MMC_UNIT_ATTENTION,      /* any other news: repeat the command */
    MMC_BLANK_CHECK,         /* never written */
    MMC_MEDIUM_ERROR,        /* this place of the medium is bad */
    MMC_SERVO_ERROR,         /* tracking, focus, positioning: dirt or damage */
    MMC_NO_SPARES,           /* the drive has no replacement blocks left */
    MMC_RECORDING_AREA,      /* power calibration or management area is full */
    MMC_STREAM_LOST,         /* buffer underrun: write again */
    MMC_SESSION_ERROR,       /* lead-in, lead-out or reservation went wrong */
    MMC_HARDWARE_ERROR,
    MMC_ILLEGAL_REQUEST, /* a field of CDB or parameters is refused */
    MMC_INVALID_OPCODE,  /* the drive does not know the command */
    MMC_LBA_OUT_OF_RANGE,
    MMC_BAD_WRITE_ADDRESS, /* not aligned, not at the next writable address */
    MMC_WRONG_TRACK_MODE,  /* write parameters do not suit the track */
    MMC_SEQUENCE_ERROR,    /* not now: synchronise, send page 05h, repeat */
    MMC_REMOVAL_PREVENTED,
    MMC_COPY_PROTECTED,
    MMC_WRITE_PROTECTED,
    MMC_NO_SPACE,
    MMC_ABORTED, /* the drive or the bus gave up: repeat */
    MMC_MISCOMPARE,
    MMC_DEFERRED_ERROR, /* writes since the last synchronise are suspect */
    /* What has no sense: */
    MMC_BAD_REPLY, /* the reply makes no sense */
    MMC_DRIVE_GONE,
    MMC_TIMEOUT,
    MMC_NOT_PERMITTED, /* the kernel refuses the command */
    MMC_TRANSPORT_ERROR,
    MMC_RESULT_COUNT
};

/* What the host does about it; how often and how long is mmc/drive's. */
enum mmc_action {
    MMC_DO_SUCCEED,
    MMC_DO_WAIT,        /* wait, then repeat */
    MMC_DO_START,       /* START UNIT, then repeat */
    MMC_DO_RETRY,       /* repeat soon */
    MMC_DO_RETRY_REMAP, /* repeat; if that fails, put the data elsewhere */
    MMC_DO_SETUP,       /* send settings again, then repeat */
    MMC_DO_REIDENTIFY,  /* the medium may be another one */
    MMC_DO_RESEND,      /* everything since the last synchronise again */
    MMC_DO_EJECT,       /* write out, close, let the medium go */
    MMC_DO_READ_ONLY,   /* go on without writing */
    MMC_DO_REMOVED,     /* report the medium or the drive as gone */
    MMC_DO_FAIL
};

/* Decodes `len` bytes of fixed (70h, 71h) or descriptor (72h, 73h) sense.
 * Bytes that are missing count as zero, but not response code and key.
 * Returns 0 or -EPROTO, then *out is untouched. SPC-3 4.5.2, 4.5.3. */
int mmc_sense_decode(const uint8_t *bytes, size_t len, struct mmc_sense *out);

/* What a sense means; NULL is MMC_OK. A deferred error is
 * MMC_DEFERRED_ERROR whatever happened, except where it tells of a reset, a
 * changed medium or the like. */
enum mmc_result mmc_sense_classify(const struct mmc_sense *sense);

/* Negative errno of a result for blockdev.h and disc.h; 0 for MMC_OK. */
int mmc_result_errno(enum mmc_result result);

enum mmc_action mmc_result_action(enum mmc_result result);

/* "not ready", "medium error", ...: for logs. */
const char *mmc_result_name(enum mmc_result result);

/* Result of mmc_transport_execute()'s negative errno. */
enum mmc_result mmc_result_of_transport(int error);

/* Writes key, ASC and ASCQ in numbers and words, at most `size` bytes with
 * the closing zero. */
void mmc_sense_text(const struct mmc_sense *sense, char *buf, size_t size);

#endif
