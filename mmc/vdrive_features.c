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

/* Which drives have a feature: the CD writer, the one that knows Mount
 * Rainier, and the burner of DVD and BD. */
enum drive_kind { CD = 1, MRW = 2, DVD = 4, EACH = CD | MRW | DVD };

/* What a feature waits for, before its own test is asked. */
enum condition {
    ALWAYS, /* and "persistent" */
    MEDIUM, /* one that is ready */
    WRITES  /* the same, not protected */
};

/* Whether a feature is current with the medium as it is. */
typedef bool current_test(const struct vdrive *drive);

static bool any(const struct vdrive *drive) {
    (void)drive;
    return true;
}

static bool on_cd(const struct vdrive *drive) {
    return vdrive_has(drive, VDRIVE_CD);
}

static bool on_dvd(const struct vdrive *drive) {
    return vdrive_has(drive, VDRIVE_DVD);
}

static bool on_bd(const struct vdrive *drive) {
    return vdrive_has(drive, VDRIVE_BD);
}

static bool formattable(const struct vdrive *drive) {
    struct vdrive_offer offers[VDRIVE_OFFERS_MAX];

    return vdrive_offers(drive, offers) > 0;
}

static bool rewritable_cd(const struct vdrive *drive) {
    return on_cd(drive) && !vdrive_has(drive, VDRIVE_WRITE_ONCE);
}

static bool blank(const struct vdrive *drive) {
    return vdrive_state(drive) == VDRIVE_BLANK;
}

/* A CD-RW that could be written by track or session. Here it is only formatted,
 * but what a blank one could be used for is told. */
static bool cd_at_once(const struct vdrive *drive) {
    return rewritable_cd(drive) && blank(drive);
}

/* CD-R are written by track, and in no other way. */
static bool cd_by_track(const struct vdrive *drive) {
    return cd_at_once(drive) ||
           (on_cd(drive) && vdrive_way(drive) == VDRIVE_WAY_APPEND);
}

/* DVD-R, DVD-RW: blank, however that was done. */
static bool dvd_at_once(const struct vdrive *drive) {
    return on_dvd(drive) && blank(drive) &&
           vdrive_has(drive, VDRIVE_NEEDS_PAGE_05);
}

/* By and by, session open. Minimal blanking leaves no room for that. */
static bool incremental(const struct vdrive *drive) {
    return cd_at_once(drive) ||
           (on_dvd(drive) && vdrive_has(drive, VDRIVE_NEEDS_PAGE_05) &&
            vdrive_state(drive) != VDRIVE_FORMATTED &&
            vdrive_way(drive) == VDRIVE_WAY_APPEND &&
            !drive->files.head->minimal);
}

static bool random_writable(const struct vdrive *drive) {
    return vdrive_way(drive) == VDRIVE_WAY_BLOCKS;
}

static bool restricted(const struct vdrive *drive) {
    return vdrive_state(drive) == VDRIVE_FORMATTED && !random_writable(drive);
}

static bool rigid(const struct vdrive *drive) {
    return restricted(drive) && on_dvd(drive);
}

/* The drive replaces bad packets. */
static bool managed(const struct vdrive *drive) {
    return random_writable(drive) && vdrive_spare_blocks(drive) > 0;
}

/* Media that are overwritten at random have a place to note protection. */
static bool protectable(const struct vdrive *drive) {
    return vdrive_has(drive, VDRIVE_ANY_BLOCK);
}

static bool dvd_plus_rw(const struct vdrive *drive) {
    return drive->medium->profile == 0x001A;
}

static bool dvd_plus_rw_dl(const struct vdrive *drive) {
    return drive->medium->profile == 0x002A;
}

static bool dvd_plus_r(const struct vdrive *drive) {
    return drive->medium->profile == 0x001B &&
           vdrive_state(drive) != VDRIVE_CLOSED;
}

static bool bd_writable(const struct vdrive *drive) {
    return on_bd(drive) && vdrive_state(drive) != VDRIVE_CLOSED;
}

static bool pseudo_overwrite(const struct vdrive *drive) {
    return drive->files.head->overwrites;
}

struct feature {
    uint16_t code;
    uint8_t version;
    uint8_t data_len;
    uint8_t drives;
    enum condition condition;
    current_test *test;
    uint8_t data[24];
};

/* In ascending order, as the command returns them. Profiles, which come first,
 * are made by put_profiles(). */
static const struct feature features[] = {
    /* Core: ATAPI; INQ2 and DBE. */
    {0x0001, 2, 8, EACH, ALWAYS, any, {0, 0, 0, 2, 0x03}},
    /* Morphing: operational change events. */
    {0x0002, 1, 4, EACH, ALWAYS, any, {0x02}},
    /* Removable medium: tray, eject, lock. */
    {0x0003, 0, 4, EACH, ALWAYS, any, {0x29}},
    /* Write protect: SPWP. */
    {0x0004, 2, 4, DVD, MEDIUM, protectable, {0x02}},
    /* Random readable: 2048 bytes, blocking 1, page 01h. */
    {0x0010, 0, 8, EACH, MEDIUM, vdrive_has_blocks, {0, 0, 8, 0, 0, 1, 1}},
    {0x001D, 0, 0, EACH, MEDIUM, vdrive_has_blocks, {0}},
    {0x001E, 2, 4, EACH, MEDIUM, on_cd, {0}},
    {0x001F, 1, 4, DVD, MEDIUM, on_dvd, {0}},
    /* Random writable: last LBA by put_feature(), 2048 bytes, blocking 1,
     * page 01h. */
    {0x0020,
     1,
     12,
     MRW | DVD,
     WRITES,
     random_writable,
     {0, 0, 0, 0, 0, 0, 8, 0, 0, 1, 1}},
    /* Incremental streaming: block types 8 and 10, BUF; link size 7 on CD, 16
     * on DVD. */
    {0x0021,
     0,
     8,
     CD | MRW,
     WRITES,
     incremental,
     {0x05, 0x00, 0x01, 0x01, 0x07}},
    {0x0021, 1, 8, DVD, WRITES, incremental, {0x01, 0x00, 0x01, 0x01, 0x10}},
    {0x0023, 0, 8, CD | MRW, WRITES, formattable, {0}},
    /* RENoSA, Expand, QCert, Cert. */
    {0x0023, 1, 8, DVD, WRITES, formattable, {0x0F}},
    /* Defect management; SSA. */
    {0x0024, 1, 4, MRW | DVD, WRITES, managed, {0x80}},
    /* Restricted overwrite. */
    {0x0026, 0, 0, EACH, WRITES, restricted, {0}},
    /* Mount Rainier: writes it on CD. */
    {0x0028, 0, 4, MRW, WRITES, rewritable_cd, {0x01}},
    /* DVD+RW: writes; quick start. */
    {0x002A, 0, 4, DVD, MEDIUM, dvd_plus_rw, {0x01, 0x02}},
    {0x002B, 0, 4, DVD, WRITES, dvd_plus_r, {0x01}},
    /* Rigid restricted overwrite: Intermediate, Blank. */
    {0x002C, 0, 4, DVD, WRITES, rigid, {0x03}},
    /* TAO: BUF, test write, CD-RW; mode 1 and mode 2 form 1. */
    {0x002D, 2, 4, EACH, WRITES, cd_by_track, {0x46, 0, 0x05, 0x00}},
    /* SAO: BUF, SAO, test write, CD-RW; 3 KiB of cue sheet. */
    {0x002E, 1, 4, EACH, WRITES, cd_at_once, {0x66, 0, 0x0C, 0x00}},
    /* DVD-R, DVD-RW: BUF, test write, DVD-RW. */
    {0x002F, 1, 4, DVD, WRITES, dvd_at_once, {0x46}},
    /* CD-RW media: standard and high speed. */
    {0x0037, 0, 4, EACH, WRITES, rewritable_cd, {0, 0x03}},
    {0x0038, 0, 4, DVD, WRITES, pseudo_overwrite, {0}},
    /* DVD+RW DL: as DVD+RW. */
    {0x003A, 0, 4, DVD, MEDIUM, dvd_plus_rw_dl, {0x01, 0x02}},
    /* BD: classes 1 to 3 of RE version 2, R version 1. */
    {0x0040, 0, 20, DVD, MEDIUM, on_bd, {0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2}},
    {0x0041,
     0,
     20,
     DVD,
     WRITES,
     bd_writable,
     {0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2}},
    {0x0100, 0, 0, EACH, ALWAYS, any, {0}},
    /* Timeout. */
    {0x0105, 1, 4, EACH, ALWAYS, any, {0}},
    /* Real time streaming: RBCB, SCS, MP2A, WSPD; with DVD no SCS, but SW. */
    {0x0107, 4, 4, CD | MRW, MEDIUM, any, {0x1E}},
    {0x0107, 4, 4, DVD, MEDIUM, any, {0x17}},
    {0x0108, 0, 12, EACH, ALWAYS, any, "VDRIVE000001"},
};

/* What the drive could play, newest first; the medium decides which is now. */
static const uint16_t cd_profiles[] = {0x000A, 0x0009, 0x0008};
static const uint16_t dvd_profiles[] = {
    0x0043, 0x0041, 0x0040, 0x002A, 0x001B, 0x001A, 0x0014,
    0x0013, 0x0012, 0x0011, 0x0010, 0x000A, 0x0009, 0x0008,
};

enum {
    CD_PROFILES = sizeof(cd_profiles) / sizeof(*cd_profiles),
    DVD_PROFILES = sizeof(dvd_profiles) / sizeof(*dvd_profiles),
    FEATURES = sizeof(features) / sizeof(*features),
    REPLY_MAX = 8 + 4 + 4 * DVD_PROFILES + FEATURES * 28
};

/* The drive that one would buy for this medium. */
static enum drive_kind kind_of(const struct vdrive *drive) {
    if (drive->medium->family == VDRIVE_FAMILY_MRW) {
        return MRW;
    }
    return vdrive_has(drive, VDRIVE_CD) ? CD : DVD;
}

static bool loaded(const struct vdrive *drive) {
    return drive->tray.loaded && !vdrive_readiness(drive);
}

static bool is_current(const struct vdrive *drive,
                       const struct feature *feature) {
    switch (feature->condition) {
    case ALWAYS:
        return true;
    case MEDIUM:
        return loaded(drive) && feature->test(drive);
    case WRITES:
        return loaded(drive) && !vdrive_protected(drive) &&
               feature->test(drive);
    }
    return false;
}

/* DVD-RW changes its profile with its recording. */
static uint16_t current_profile(const struct vdrive *drive) {
    const struct vdrive_medium *medium = drive->medium;

    if (!loaded(drive)) {
        return 0;
    }
    return medium->formatted_profile && vdrive_state(drive) == VDRIVE_FORMATTED
               ? medium->formatted_profile
               : medium->profile;
}

static size_t put_profiles(const struct vdrive *drive, uint8_t *to) {
    bool cd = kind_of(drive) != DVD;
    const uint16_t *profiles = cd ? cd_profiles : dvd_profiles;
    size_t count = cd ? CD_PROFILES : DVD_PROFILES;

    memset(to, 0, 4);
    to[2] = 0x03; /* persistent, current */
    to[3] = (uint8_t)(4 * count);
    for (size_t i = 0; i < count; i++) {
        uint8_t *entry = to + 4 + 4 * i;

        sg_put_unaligned_be16(profiles[i], entry);
        entry[2] = profiles[i] == current_profile(drive);
        entry[3] = 0;
    }
    return 4 + 4 * count;
}

static size_t put_feature(const struct vdrive *drive,
                          const struct feature *feature, uint8_t *to) {
    bool current = is_current(drive, feature);

    sg_put_unaligned_be16(feature->code, to);
    to[2] = (uint8_t)(feature->version << 2 |
                      (feature->condition == ALWAYS) << 1 | current);
    to[3] = feature->data_len;
    memcpy(to + 4, feature->data, feature->data_len);
    if (feature->test == random_writable && current) {
        sg_put_unaligned_be32(vdrive_readable_end(drive) - 1, to + 4);
    }
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
    for (size_t i = 0; i < FEATURES; i++) {
        if ((features[i].drives & kind_of(drive)) &&
            asked_for(scope, from, features[i].code,
                      is_current(drive, &features[i]))) {
            len += put_feature(drive, &features[i], reply + len);
        }
    }
    sg_put_unaligned_be32((uint32_t)(len - 4), reply);
    sg_put_unaligned_be16(current_profile(drive), reply + 6);
    vdrive_answer(io, reply, len, sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}
