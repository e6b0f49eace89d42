/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/sense.c - sense data to result, result to errno and action, by two
 * tables. Whoever meets a drive that answers in a new way adds a row, not an
 * `if`.
 */
#include "mmc/sense.h"

#include <assert.h>
#include <errno.h>
#include <scsi/sg_lib.h>
#include <scsi/sg_unaligned.h>
#include <stdio.h>
#include <string.h>

enum { ANY = 0xFF };

/* The first row that fits decides: special cases stand above the row of their
 * ASC, and that above the row of their key. ASC and ASCQ of SPC-3 annex D and
 * MMC-5 annex F. */
static const struct rule {
    uint8_t key, asc, ascq;
    enum mmc_result result;
} rules[] = {
    /* REQUEST SENSE reports running operations without a key. */
    {MMC_KEY_NO_SENSE, 0x00, 0x04, MMC_NOT_READY},
    {MMC_KEY_NO_SENSE, 0x00, 0x16, MMC_NOT_READY},
    {MMC_KEY_NO_SENSE, 0x04, ANY, MMC_NOT_READY},
    {MMC_KEY_NO_SENSE, ANY, ANY, MMC_OK},
    {MMC_KEY_RECOVERED, ANY, ANY, MMC_OK},

    {MMC_KEY_NOT_READY, 0x04, 0x00, MMC_NOT_READY_VAGUE},
    {MMC_KEY_NOT_READY, 0x04, 0x02, MMC_NEEDS_START},
    {MMC_KEY_NOT_READY, 0x04, 0x03, MMC_INTERVENTION},
    {MMC_KEY_NOT_READY, 0x04, 0x08, MMC_LONG_WRITE},
    {MMC_KEY_NOT_READY, 0x04, ANY, MMC_NOT_READY},
    {MMC_KEY_NOT_READY, 0x06, ANY, MMC_SERVO_ERROR},
    {MMC_KEY_NOT_READY, 0x09, ANY, MMC_SERVO_ERROR},
    {MMC_KEY_NOT_READY, 0x30, ANY, MMC_INCOMPATIBLE_MEDIUM},
    {MMC_KEY_NOT_READY, 0x3A, ANY, MMC_NO_MEDIUM},
    {MMC_KEY_NOT_READY, 0x3E, 0x00, MMC_NOT_READY},
    {MMC_KEY_NOT_READY, ANY, ANY, MMC_NOT_READY_VAGUE},

    {MMC_KEY_MEDIUM_ERROR, 0x02, ANY, MMC_SERVO_ERROR},
    {MMC_KEY_MEDIUM_ERROR, 0x09, ANY, MMC_SERVO_ERROR},
    {MMC_KEY_MEDIUM_ERROR, 0x0C, 0x02, MMC_NO_SPARES},
    {MMC_KEY_MEDIUM_ERROR, 0x0C, 0x09, MMC_STREAM_LOST},
    {MMC_KEY_MEDIUM_ERROR, 0x15, ANY, MMC_SERVO_ERROR},
    {MMC_KEY_MEDIUM_ERROR, 0x30, ANY, MMC_INCOMPATIBLE_MEDIUM},
    {MMC_KEY_MEDIUM_ERROR, 0x31, 0x01, MMC_FORMAT_FAILED},
    {MMC_KEY_MEDIUM_ERROR, 0x31, ANY, MMC_UNFORMATTED},
    {MMC_KEY_MEDIUM_ERROR, 0x32, 0x00, MMC_NO_SPARES},
    {MMC_KEY_MEDIUM_ERROR, 0x51, ANY, MMC_FORMAT_FAILED},
    /* The TOC of an unfinished CD-RW format cannot be read. */
    {MMC_KEY_MEDIUM_ERROR, 0x57, ANY, MMC_UNFORMATTED},
    {MMC_KEY_MEDIUM_ERROR, 0x72, ANY, MMC_SESSION_ERROR},
    {MMC_KEY_MEDIUM_ERROR, 0x73, 0x00, MMC_MEDIUM_ERROR},
    {MMC_KEY_MEDIUM_ERROR, 0x73, ANY, MMC_RECORDING_AREA},
    {MMC_KEY_MEDIUM_ERROR, ANY, ANY, MMC_MEDIUM_ERROR},

    /* The lens did not find its track: dirt more often than a broken drive. */
    {MMC_KEY_HARDWARE_ERROR, 0x09, ANY, MMC_SERVO_ERROR},
    {MMC_KEY_HARDWARE_ERROR, 0x15, ANY, MMC_SERVO_ERROR},
    {MMC_KEY_HARDWARE_ERROR, ANY, ANY, MMC_HARDWARE_ERROR},

    {MMC_KEY_ILLEGAL_REQUEST, 0x20, ANY, MMC_INVALID_OPCODE},
    {MMC_KEY_ILLEGAL_REQUEST, 0x21, 0x00, MMC_LBA_OUT_OF_RANGE},
    {MMC_KEY_ILLEGAL_REQUEST, 0x21, 0x02, MMC_BAD_WRITE_ADDRESS},
    {MMC_KEY_ILLEGAL_REQUEST, 0x21, 0x03, MMC_BAD_WRITE_ADDRESS},
    {MMC_KEY_ILLEGAL_REQUEST, 0x27, ANY, MMC_WRITE_PROTECTED},
    {MMC_KEY_ILLEGAL_REQUEST, 0x2C, ANY, MMC_SEQUENCE_ERROR},
    {MMC_KEY_ILLEGAL_REQUEST, 0x30, ANY, MMC_INCOMPATIBLE_MEDIUM},
    {MMC_KEY_ILLEGAL_REQUEST, 0x3A, ANY, MMC_NO_MEDIUM},
    {MMC_KEY_ILLEGAL_REQUEST, 0x53, 0x02, MMC_REMOVAL_PREVENTED},
    {MMC_KEY_ILLEGAL_REQUEST, 0x55, ANY, MMC_BUSY},
    {MMC_KEY_ILLEGAL_REQUEST, 0x63, 0x00, MMC_NO_SPACE},
    {MMC_KEY_ILLEGAL_REQUEST, 0x63, 0x01, MMC_BAD_WRITE_ADDRESS},
    {MMC_KEY_ILLEGAL_REQUEST, 0x64, 0x00, MMC_WRONG_TRACK_MODE},
    {MMC_KEY_ILLEGAL_REQUEST, 0x64, 0x01, MMC_BAD_WRITE_ADDRESS},
    {MMC_KEY_ILLEGAL_REQUEST, 0x6F, ANY, MMC_COPY_PROTECTED},
    {MMC_KEY_ILLEGAL_REQUEST, 0x72, ANY, MMC_SESSION_ERROR},
    {MMC_KEY_ILLEGAL_REQUEST, ANY, ANY, MMC_ILLEGAL_REQUEST},

    {MMC_KEY_UNIT_ATTENTION, 0x28, ANY, MMC_MEDIUM_CHANGED},
    {MMC_KEY_UNIT_ATTENTION, 0x29, ANY, MMC_RESET},
    {MMC_KEY_UNIT_ATTENTION, 0x2A, ANY, MMC_MODE_CHANGED},
    {MMC_KEY_UNIT_ATTENTION, 0x3A, ANY, MMC_NO_MEDIUM},
    {MMC_KEY_UNIT_ATTENTION, 0x3B, ANY, MMC_MEDIUM_CHANGED},
    /* New firmware: nothing that is known of the drive holds. */
    {MMC_KEY_UNIT_ATTENTION, 0x3F, 0x01, MMC_RESET},
    {MMC_KEY_UNIT_ATTENTION, 0x5A, 0x01, MMC_REMOVAL_REQUEST},
    {MMC_KEY_UNIT_ATTENTION, ANY, ANY, MMC_UNIT_ATTENTION},

    {MMC_KEY_DATA_PROTECT, ANY, ANY, MMC_WRITE_PROTECTED},
    {MMC_KEY_BLANK_CHECK, ANY, ANY, MMC_BLANK_CHECK},
    {MMC_KEY_ABORTED, ANY, ANY, MMC_ABORTED},
    {MMC_KEY_VOLUME_OVERFLOW, ANY, ANY, MMC_NO_SPACE},
    {MMC_KEY_MISCOMPARE, ANY, ANY, MMC_MISCOMPARE},
};

static const struct meaning {
    const char *name;
    int error;
    enum mmc_action action;
} meanings[MMC_RESULT_COUNT] = {
    [MMC_OK] = {"ok", 0, MMC_DO_SUCCEED},
    [MMC_NOT_READY] = {"not ready yet", -EBUSY, MMC_DO_WAIT},
    [MMC_NOT_READY_VAGUE] = {"not ready", -ENOMEDIUM, MMC_DO_WAIT},
    [MMC_LONG_WRITE] = {"long write in progress", -EBUSY, MMC_DO_WAIT},
    [MMC_BUSY] = {"busy", -EBUSY, MMC_DO_WAIT},
    [MMC_NEEDS_START] = {"stopped", -EIO, MMC_DO_START},
    [MMC_INTERVENTION] = {"needs somebody's hand", -EIO, MMC_DO_FAIL},
    [MMC_NO_MEDIUM] = {"no medium", -ENOMEDIUM, MMC_DO_REMOVED},
    [MMC_INCOMPATIBLE_MEDIUM] = {"medium not usable in this drive",
                                 -EMEDIUMTYPE, MMC_DO_FAIL},
    [MMC_UNFORMATTED] = {"medium not formatted", -EMEDIUMTYPE, MMC_DO_FAIL},
    [MMC_FORMAT_FAILED] = {"formatting failed", -EIO, MMC_DO_FAIL},
    [MMC_MEDIUM_CHANGED] = {"medium may have changed", -EIO, MMC_DO_REIDENTIFY},
    [MMC_RESET] = {"drive was reset", -EIO, MMC_DO_RESEND},
    [MMC_MODE_CHANGED] = {"drive settings changed", -EIO, MMC_DO_SETUP},
    [MMC_REMOVAL_REQUEST] = {"eject requested", -EIO, MMC_DO_EJECT},
    [MMC_UNIT_ATTENTION] = {"unit attention", -EIO, MMC_DO_RETRY},
    [MMC_BLANK_CHECK] = {"never written", -EIO, MMC_DO_FAIL},
    [MMC_MEDIUM_ERROR] = {"medium error", -EIO, MMC_DO_RETRY_REMAP},
    [MMC_SERVO_ERROR] = {"track not found", -EIO, MMC_DO_RETRY_REMAP},
    [MMC_NO_SPARES] = {"no spare blocks left", -EIO, MMC_DO_RETRY_REMAP},
    [MMC_RECORDING_AREA] = {"recording management area full", -EIO,
                            MMC_DO_FAIL},
    [MMC_STREAM_LOST] = {"buffer underrun", -EIO, MMC_DO_RETRY},
    [MMC_SESSION_ERROR] = {"session cannot be closed", -EIO, MMC_DO_FAIL},
    [MMC_HARDWARE_ERROR] = {"hardware error", -EIO, MMC_DO_RETRY},
    [MMC_ILLEGAL_REQUEST] = {"request refused", -EIO, MMC_DO_FAIL},
    [MMC_INVALID_OPCODE] = {"command not known", -EOPNOTSUPP, MMC_DO_FAIL},
    [MMC_LBA_OUT_OF_RANGE] = {"address out of range", -ERANGE, MMC_DO_FAIL},
    [MMC_BAD_WRITE_ADDRESS] = {"address not writable", -EIO, MMC_DO_FAIL},
    [MMC_WRONG_TRACK_MODE] = {"wrong mode for this track", -EIO, MMC_DO_SETUP},
    [MMC_SEQUENCE_ERROR] = {"command out of sequence", -EIO, MMC_DO_SETUP},
    [MMC_REMOVAL_PREVENTED] = {"removal prevented", -EBUSY, MMC_DO_FAIL},
    [MMC_COPY_PROTECTED] = {"copy protected", -EACCES, MMC_DO_FAIL},
    [MMC_WRITE_PROTECTED] = {"write protected", -EROFS, MMC_DO_READ_ONLY},
    [MMC_NO_SPACE] = {"no space", -ENOSPC, MMC_DO_FAIL},
    [MMC_ABORTED] = {"command aborted", -EIO, MMC_DO_RETRY},
    [MMC_MISCOMPARE] = {"data differ on the medium", -EIO, MMC_DO_RETRY_REMAP},
    [MMC_DEFERRED_ERROR] = {"earlier write failed", -EIO, MMC_DO_RESEND},
    [MMC_BAD_REPLY] = {"reply makes no sense", -EIO, MMC_DO_FAIL},
    [MMC_DRIVE_GONE] = {"drive is gone", -ENODEV, MMC_DO_REMOVED},
    [MMC_TIMEOUT] = {"drive does not answer", -EIO, MMC_DO_RETRY},
    [MMC_NOT_PERMITTED] = {"command not permitted", -EACCES, MMC_DO_FAIL},
    [MMC_TRANSPORT_ERROR] = {"connection failed", -EIO, MMC_DO_RETRY},
};

/* Sense-key specific bytes: progress where SKSV is set. They are a retry
 * count or a field pointer after errors, which the key tells apart. */
static void decode_progress(const uint8_t *sks, struct mmc_sense *sense) {
    bool fits =
        sense->key == MMC_KEY_NO_SENSE || sense->key == MMC_KEY_NOT_READY;

    if (fits && sks[0] & 0x80) {
        sense->progress_valid = true;
        sense->progress = sg_get_unaligned_be16(sks + 1);
    }
}

/* `bytes` is 18 long, padded with zeros. */
static void decode_fixed(const uint8_t *bytes, struct mmc_sense *sense) {
    sense->key = bytes[2] & 0x0F;
    sense->asc = bytes[12];
    sense->ascq = bytes[13];
    if (bytes[0] & 0x80) {
        sense->info_valid = true;
        sense->info = sg_get_unaligned_be32(bytes + 3);
    }
    decode_progress(bytes + 15, sense);
}

/* One descriptor of `len` bytes, its two-byte head included. Bytes 4 to 7 of
 * an information descriptor are above any address that MMC can say. */
static void decode_descriptor(const uint8_t *bytes, size_t len,
                              struct mmc_sense *sense) {
    if (bytes[0] == 0x00 && len >= 12 && bytes[2] & 0x80) {
        sense->info_valid = sg_get_unaligned_be32(bytes + 4) == 0;
        sense->info = sense->info_valid ? sg_get_unaligned_be32(bytes + 8) : 0;
    } else if (bytes[0] == 0x02 && len >= 7) {
        decode_progress(bytes + 4, sense);
    }
}

static void decode_descriptors(const uint8_t *bytes, size_t len,
                               struct mmc_sense *sense) {
    size_t at = 8, end;

    sense->key = bytes[1] & 0x0F;
    sense->asc = len > 2 ? bytes[2] : 0;
    sense->ascq = len > 3 ? bytes[3] : 0;
    if (len < 8) {
        return;
    }
    end = 8 + (size_t)bytes[7];
    end = end < len ? end : len;
    while (end - at >= 2 && end - at - 2 >= bytes[at + 1]) {
        size_t size = 2 + (size_t)bytes[at + 1];

        decode_descriptor(bytes + at, size, sense);
        at += size;
    }
}

int mmc_sense_decode(const uint8_t *bytes, size_t len, struct mmc_sense *out) {
    struct mmc_sense sense = {0};
    uint8_t fixed[18] = {0};
    uint8_t code;

    if (len < 1) {
        return -EPROTO;
    }
    code = bytes[0] & 0x7F;
    sense.deferred = code == 0x71 || code == 0x73;
    if ((code == 0x70 || code == 0x71) && len >= 3) {
        memcpy(fixed, bytes, len < sizeof(fixed) ? len : sizeof(fixed));
        decode_fixed(fixed, &sense);
    } else if ((code == 0x72 || code == 0x73) && len >= 2) {
        decode_descriptors(bytes, len, &sense);
    } else {
        return -EPROTO;
    }
    *out = sense;
    return 0;
}

static enum mmc_result look_up(const struct mmc_sense *sense) {
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *rule = &rules[i];

        if (rule->key == sense->key &&
            (rule->asc == ANY || rule->asc == sense->asc) &&
            (rule->ascq == ANY || rule->ascq == sense->ascq)) {
            return rule->result;
        }
    }
    /* Vendor specific, copy aborted and reserved keys. */
    return MMC_ABORTED;
}

enum mmc_result mmc_sense_classify(const struct mmc_sense *sense) {
    enum mmc_result result;

    if (!sense) {
        return MMC_OK;
    }
    result = look_up(sense);
    if (!sense->deferred || sense->key == MMC_KEY_UNIT_ATTENTION ||
        sense->key == MMC_KEY_NOT_READY) {
        return result;
    }
    /* The command that brings deferred sense was not carried out, even when
     * the earlier one was saved by the drive: it has to be sent again. */
    return result == MMC_OK ? MMC_ABORTED : MMC_DEFERRED_ERROR;
}

static const struct meaning *meaning_of(enum mmc_result result) {
    assert((unsigned)result < MMC_RESULT_COUNT);
    return &meanings[result];
}

int mmc_result_errno(enum mmc_result result) {
    return meaning_of(result)->error;
}

enum mmc_action mmc_result_action(enum mmc_result result) {
    return meaning_of(result)->action;
}

const char *mmc_result_name(enum mmc_result result) {
    return meaning_of(result)->name;
}

enum mmc_result mmc_result_of_transport(int error) {
    switch (error) {
    case 0:
        return MMC_OK;
    case -ENODEV:
        return MMC_DRIVE_GONE;
    case -ETIMEDOUT:
        return MMC_TIMEOUT;
    case -EPERM:
        return MMC_NOT_PERMITTED;
    default:
        return MMC_TRANSPORT_ERROR;
    }
}

void mmc_sense_text(const struct mmc_sense *sense, char *buf, size_t size) {
    char words[128];

    sg_get_asc_ascq_str(sense->asc, sense->ascq, (int)sizeof(words), words);
    snprintf(buf, size, "%X/%02X/%02X %s%s", sense->key, sense->asc,
             sense->ascq, sense->deferred ? "(deferred) " : "", words);
}
