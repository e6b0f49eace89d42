/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_features.c - GET CONFIGURATION: the features of the drive (MMC-5
 * 5.3), and which of them are current, that is, usable with the medium as it
 * is now. Hosts decide by these bits what they may do.
 */
#include "mmc/vdrive_core.h"

#include <scsi/sg_unaligned.h>
#include <string.h>

#include "mmc/cdb.h"
#include "mmc/reply.h"

/* When a feature is current. */
enum currency {
    ALWAYS, /* and "persistent" */
    WITH_MEDIUM,
    READABLE,     /* formatted */
    ERASABLE,     /* can be formatted: rewritable and not protected */
    SEQUENTIAL,   /* blank and writable: can be recorded once, in order */
    OVERWRITABLE, /* formatted and writable */
};

struct feature {
    uint16_t code;
    uint8_t version;
    uint8_t data_len;
    enum currency currency;
    uint8_t data[12];
};

/* In ascending order, as the command returns them. Profiles, which come first,
 * are made by put_profiles(). */
static const struct feature features[] = {
    /* Core: ATAPI; INQ2 and DBE. */
    {0x0001, 2, 8, ALWAYS, {0, 0, 0, 2, 0x03}},
    /* Morphing: operational change events. */
    {0x0002, 1, 4, ALWAYS, {0x02}},
    /* Removable medium: tray, eject, lock. */
    {0x0003, 0, 4, ALWAYS, {0x29}},
    /* Random readable: 2048 bytes, blocking 1, page 01h. */
    {0x0010, 0, 8, READABLE, {0, 0, 8, 0, 0, 1, 1}},
    {0x001D, 0, 0, READABLE, {0}},
    {0x001E, 2, 4, WITH_MEDIUM, {0}},
    /* Incremental streaming: block types 8 and 10, BUF, link size 7. */
    {0x0021, 0, 8, SEQUENTIAL, {0x05, 0x00, 0x01, 0x01, 0x07}},
    {0x0023, 0, 8, ERASABLE, {0}},
    /* Restricted overwrite. */
    {0x0026, 0, 0, OVERWRITABLE, {0}},
    /* TAO: BUF, test write, CD-RW; mode 1 and mode 2 form 1. */
    {0x002D, 2, 4, SEQUENTIAL, {0x46, 0, 0x05, 0x00}},
    /* SAO: BUF, SAO, test write, CD-RW; 3 KiB of cue sheet. */
    {0x002E, 1, 4, SEQUENTIAL, {0x66, 0, 0x0C, 0x00}},
    /* CD-RW media: standard and high speed. */
    {0x0037, 0, 4, ERASABLE, {0, 0x03}},
    {0x0100, 0, 0, ALWAYS, {0}},
    /* Timeout. */
    {0x0105, 1, 4, ALWAYS, {0}},
    /* Real time streaming: RBCB, SCS, MP2A, WSPD. */
    {0x0107, 4, 4, WITH_MEDIUM, {0x1E}},
    {0x0108, 0, 12, ALWAYS, "VDRIVE000001"},
};

/* What the drive could play, newest first; the medium decides which is now. */
static const uint16_t profiles[] = {0x000A, 0x0009, 0x0008};

enum { FEATURE_MAX = 4 + 12, PROFILES = sizeof(profiles) / sizeof(*profiles) };
enum { REPLY_MAX = 8 + FEATURE_MAX * 20 };

static bool is_current(const struct vdrive *drive, enum currency currency) {
    bool loaded = drive->tray.loaded && !vdrive_readiness(drive);
    bool writable = loaded && !vdrive_protected(drive);

    switch (currency) {
    case ALWAYS:
        return true;
    case WITH_MEDIUM:
        return loaded;
    case READABLE:
        return loaded && vdrive_state(drive) == VDRIVE_FORMATTED;
    case ERASABLE:
        return writable;
    case SEQUENTIAL:
        return writable && vdrive_state(drive) == VDRIVE_BLANK;
    case OVERWRITABLE:
        return writable && vdrive_state(drive) == VDRIVE_FORMATTED;
    }
    return false;
}

static uint16_t current_profile(const struct vdrive *drive) {
    return is_current(drive, WITH_MEDIUM) ? drive->medium->profile : 0;
}

static size_t put_profiles(const struct vdrive *drive, uint8_t *to) {
    memset(to, 0, 4);
    to[2] = 0x03; /* persistent, current */
    to[3] = 4 * PROFILES;
    for (size_t i = 0; i < PROFILES; i++) {
        uint8_t *entry = to + 4 + 4 * i;

        sg_put_unaligned_be16(profiles[i], entry);
        entry[2] = profiles[i] == current_profile(drive);
        entry[3] = 0;
    }
    return 4 + 4 * (size_t)PROFILES;
}

static size_t put_feature(const struct vdrive *drive,
                          const struct feature *feature, uint8_t *to) {
    bool current = is_current(drive, feature->currency);

    sg_put_unaligned_be16(feature->code, to);
    to[2] = (uint8_t)(feature->version << 2 |
                      (feature->currency == ALWAYS) << 1 | current);
    to[3] = feature->data_len;
    memcpy(to + 4, feature->data, feature->data_len);
    return 4 + (size_t)feature->data_len;
}

/* Whether the host asked for the feature: `from` on, or only that one. */
static bool asked_for(unsigned scope, uint16_t from, uint16_t code,
                      bool current) {
    switch (scope) {
    case MMC_FEATURES_ONE:
        return code == from;
    case MMC_FEATURES_CURRENT:
        return code >= from && current;
    default:
        return code >= from;
    }
}

enum vdrive_sense vdrive_get_configuration(struct vdrive *drive,
                                           struct vdrive_io *io) {
    unsigned scope = io->cdb[1] & 3u;
    uint16_t from = sg_get_unaligned_be16(io->cdb + 2);
    uint8_t reply[REPLY_MAX] = {0};
    size_t len = 8;

    if (scope == 3) {
        return VDRIVE_INVALID_FIELD;
    }
    if (asked_for(scope, from, MMC_FEATURE_PROFILE_LIST, true)) {
        len += put_profiles(drive, reply + len);
    }
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        if (asked_for(scope, from, features[i].code,
                      is_current(drive, features[i].currency))) {
            len += put_feature(drive, &features[i], reply + len);
        }
    }
    sg_put_unaligned_be32((uint32_t)(len - 4), reply);
    sg_put_unaligned_be16(current_profile(drive), reply + 6);
    vdrive_answer(io, reply, len, sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}
