/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/media.c - recognises the medium. The drive is asked everything that it
 * may know (some drives refuse some of it, and then it is done without), and
 * from the answers one of a few states is made, by capability bits.
 *
 * Clauses: MMC-6 6.5 (GET CONFIGURATION), 6.21 (READ DISC INFORMATION), 6.23
 * (READ FORMAT CAPACITIES), 6.26 (READ TRACK INFORMATION), 7.4 (page MRW).
 */
#include "mmc/media.h"

#include <stddef.h>

#include "mmc/blockdev.h"
#include "mmc/command.h"
#include "mmc/drive.h"
#include "mmc/log.h"

enum {
    READY_LIMIT_MS = 60000,
    /* On a CD every packet takes link, run-in and run-out blocks as well. */
    CD_PACKET_ON_DISC = 39
};

/* Everything that the drive answered. */
struct answers {
    struct mmc_drive *drive;
    bool doubtful; /* a question was not refused, and not answered either */
    enum mmc_result ready;
    struct mmc_configuration configuration;
    struct mmc_disc_information info;
    struct mmc_capacity capacity;
    bool info_valid, capacity_valid, formats_valid;
};

static enum mmc_result ask_configuration(struct mmc_transport *transport,
                                         void *context,
                                         struct mmc_sense *out_sense) {
    return mmc_command_get_configuration(transport, context, out_sense);
}

static enum mmc_result ask_info(struct mmc_transport *transport, void *context,
                                struct mmc_sense *out_sense) {
    return mmc_command_read_disc_information(transport, context, out_sense);
}

static enum mmc_result ask_track(struct mmc_transport *transport, void *context,
                                 struct mmc_sense *out_sense) {
    return mmc_command_read_track_information(transport, MMC_TRACK_BY_NUMBER, 1,
                                              context, out_sense);
}

static enum mmc_result ask_formats(struct mmc_transport *transport,
                                   void *context, struct mmc_sense *out_sense) {
    return mmc_command_read_format_capacities(transport, context, out_sense);
}

static enum mmc_result ask_capacity(struct mmc_transport *transport,
                                    void *context,
                                    struct mmc_sense *out_sense) {
    return mmc_command_read_capacity(transport, context, out_sense);
}

static enum mmc_result ask_sessions(struct mmc_transport *transport,
                                    void *context,
                                    struct mmc_sense *out_sense) {
    return mmc_command_read_toc_sessions(transport, context, out_sense);
}

static enum mmc_result select_page(struct mmc_transport *transport,
                                   void *context, struct mmc_sense *out_sense) {
    return mmc_command_mode_select(transport, context, out_sense);
}

struct protection_query {
    enum mmc_structure_media media;
    struct mmc_write_protection protection;
};

static enum mmc_result ask_protection(struct mmc_transport *transport,
                                      void *context,
                                      struct mmc_sense *out_sense) {
    struct protection_query *query = context;

    return mmc_command_read_write_protection(transport, query->media,
                                             &query->protection, out_sense);
}

/* Whether it is the drive that does not work, rather than a question that it
 * does not take. */
static bool is_drive_failure(enum mmc_result result) {
    return result == MMC_DRIVE_GONE || result == MMC_NOT_PERMITTED ||
           result == MMC_TIMEOUT || result == MMC_TRANSPORT_ERROR ||
           result == MMC_HARDWARE_ERROR || result == MMC_ABORTED ||
           result == MMC_RESET;
}

/* Whether there is an answer; keeps in mind what its lack says. */
static bool take_answer(struct answers *answers, enum mmc_result result) {
    if (result != MMC_OK && result != MMC_ILLEGAL_REQUEST &&
        result != MMC_INVALID_OPCODE) {
        answers->doubtful = true;
    }
    return result == MMC_OK;
}

static bool ask(struct answers *answers, mmc_attempt *attempt, void *out) {
    return take_answer(
        answers,
        mmc_drive_run(answers->drive, MMC_PATIENCE_QUERY, attempt, out, NULL));
}

static bool is_protected(struct answers *answers,
                         const struct mmc_profile *profile) {
    struct protection_query query = {
        .media = mmc_profile_can(profile, MMC_CAP_BD) ? MMC_STRUCTURE_BD
                                                      : MMC_STRUCTURE_DVD};

    if (!mmc_profile_can(profile, MMC_CAP_PROTECTABLE) ||
        !ask(answers, ask_protection, &query)) {
        return false;
    }
    return query.protection.by_disc || query.protection.by_cartridge ||
           query.protection.persistent || query.protection.by_software;
}

/* Mount Rainier: LBAs shall count the area with managed defects, not the raw
 * one. Drives come with either, and the first of them had the page elsewhere.
 * MMC-6 7.4 */
static void choose_managed_space(struct answers *answers) {
    static const uint8_t codes[] = {MMC_MODE_MRW, MMC_MODE_MRW_PROTOTYPE};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct mmc_mode_page page;

        if (!take_answer(answers,
                         mmc_drive_get_page(answers->drive, codes[i], &page)) ||
            page.len < 4) {
            continue;
        }
        if (!(page.bytes[3] & 1)) {
            return;
        }
        page.bytes[0] &= 0x3F;
        page.bytes[3] &= 0xFE;
        if (!ask(answers, select_page, &page)) {
            mmc_log(MMC_LOG_WARN, "drive keeps to the raw blocks of this disc");
        }
        return;
    }
}

/* One flag of a feature's data; false when the feature is not there. */
static bool feature_flag(const struct mmc_configuration *configuration,
                         uint16_t code, unsigned byte, uint8_t mask) {
    struct mmc_feature feature;

    return mmc_feature_find(configuration, code, &feature) == 0 &&
           feature.data_len > byte && (feature.data[byte] & mask);
}

/* Whether the drive replaces bad blocks of this medium: kinds that always or
 * never have it are known, for the others it is a feature of the moment. */
static bool has_drive_defects(const struct answers *answers,
                              const struct mmc_profile *profile) {
    struct mmc_feature feature;

    if (!mmc_profile_can(profile, MMC_CAP_DRIVE_DEFECTS)) {
        return false;
    }
    return !mmc_profile_can(profile, MMC_CAP_SPARES_CHOSEN) ||
           mmc_feature_find(&answers->configuration,
                            MMC_FEATURE_DEFECT_MANAGEMENT, &feature) != 0 ||
           feature.current;
}

/* What the drive's features say of it. */
static void take_features(const struct answers *answers,
                          struct mmc_media *media) {
    const struct mmc_configuration *configuration = &answers->configuration;
    struct mmc_format_descriptor offer;

    media->drive_defects = has_drive_defects(answers, media->profile);
    media->stop_by_close =
        feature_flag(configuration, MMC_FEATURE_DVD_PLUS_RW, 1, 1) ||
        feature_flag(configuration, MMC_FEATURE_DVD_PLUS_RW_DL, 1, 1);
    media->mrw_capable =
        feature_flag(configuration, MMC_FEATURE_MRW, 0, 1) &&
        answers->formats_valid &&
        mmc_format_find(&media->formats, MMC_FORMAT_MRW, &offer) == 0;
}

/* Asks what a medium that is there has to say of itself. */
static void ask_all(struct answers *answers, struct mmc_media *media) {
    bool mrw;

    if (answers->info_valid) {
        media->erasable = answers->info.erasable;
        media->background = answers->info.background;
        /* Whether the drive may write such a disc now is another matter. */
        mrw = media->background != MMC_BACKGROUND_NONE;
    } else {
        /* Every drive that writes has to answer that: a refusal may pass. */
        answers->doubtful = true;
        media->background = MMC_BACKGROUND_UNKNOWN;
        mrw = mmc_feature_is_current(&answers->configuration, MMC_FEATURE_MRW);
    }
    media->profile = mmc_profile_find(answers->configuration.profile, mrw);
    if (mrw) {
        choose_managed_space(answers);
    }
    answers->formats_valid = ask(answers, ask_formats, &media->formats);
    media->track_valid = ask(answers, ask_track, &media->track);
    answers->capacity_valid = ask(answers, ask_capacity, &answers->capacity);
    media->write_protected = is_protected(answers, media->profile);
    take_features(answers, media);
}

static void set_state(struct mmc_media *media, enum mmc_disc_state state,
                      const char *reason) {
    media->state = state;
    media->reason = reason;
}

/* Whether the drive can write this medium now: features 0020h, 0026h and the
 * like are current only then. Those that are also there for reading have a
 * flag for writing. MMC-6 5.3 */
static bool is_writable_now(const struct answers *answers,
                            const struct mmc_media *media) {
    static const uint16_t plain[] = {MMC_FEATURE_RANDOM_WRITABLE,
                                     MMC_FEATURE_RESTRICTED_OVERWRITE};
    static const uint16_t flagged[] = {MMC_FEATURE_DVD_PLUS_RW,
                                       MMC_FEATURE_DVD_PLUS_RW_DL};
    const struct mmc_configuration *configuration = &answers->configuration;

    if (media->profile->mrw) {
        return feature_flag(configuration, MMC_FEATURE_MRW, 0, 1);
    }
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (mmc_feature_is_current(configuration, plain[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(flagged) / sizeof(flagged[0]); i++) {
        if (mmc_feature_is_current(configuration, flagged[i]) &&
            feature_flag(configuration, flagged[i], 0, 1)) {
            return true;
        }
    }
    return false;
}

static bool is_blank(const struct answers *answers) {
    return answers->info_valid && answers->info.status == MMC_DISC_STATUS_EMPTY;
}

/* A medium that is overwritten in place and has its layout, as far as that can
 * be seen: says whether writing is possible as well. */
static void set_formatted(const struct answers *answers,
                          struct mmc_media *media) {
    if (media->write_protected) {
        set_state(media, MMC_DISC_READ_ONLY, "the disc is write protected");
    } else if (!is_writable_now(answers, media)) {
        media->write_protected = true;
        set_state(media, MMC_DISC_READ_ONLY,
                  "the disc is write protected, or this drive can only read "
                  "such discs");
    } else {
        set_state(media, MMC_DISC_READY, "the disc is formatted for packets");
    }
}

/* CD-RW: the layout is that of its first track. */
static void judge_track(const struct answers *answers,
                        struct mmc_media *media) {
    const struct mmc_track_information *track = &media->track;

    if (is_blank(answers)) {
        set_state(media, MMC_DISC_BLANK, "the disc is blank");
    } else if (!media->track_valid || track->damaged || !track->packet ||
               !track->fixed_packet ||
               track->packet_blocks != media->profile->packet_blocks ||
               track->start != 0) {
        media->needs_blank = true;
        set_state(media, MMC_DISC_UNFORMATTED,
                  media->track_valid && track->damaged
                      ? "writing to the disc was interrupted; it must be "
                        "formatted"
                      : "the disc is recorded, but not in fixed packets");
    } else {
        set_formatted(answers, media);
    }
}

/* Media whose formatted capacity tells their state. */
static void judge_capacity(const struct answers *answers,
                           struct mmc_media *media) {
    bool packets = mmc_profile_can(media->profile, MMC_CAP_WHOLE_PACKETS);

    if (mmc_profile_can(media->profile, MMC_CAP_BACKGROUND_FORMAT) &&
        answers->info_valid &&
        answers->info.background == MMC_BACKGROUND_NONE) {
        set_state(media, MMC_DISC_BLANK, "the disc was never formatted");
    } else if (answers->formats_valid &&
               media->formats.kind == MMC_CAPACITY_UNFORMATTED) {
        set_state(media, MMC_DISC_BLANK, "the disc is not formatted");
    } else if (answers->formats_valid &&
               media->formats.kind == MMC_CAPACITY_NO_MEDIUM) {
        media->intermediate =
            mmc_profile_can(media->profile, MMC_CAP_QUICK_FORMAT);
        set_state(media, MMC_DISC_UNFORMATTED,
                  "formatting of the disc was not finished");
    } else if (packets && media->track_valid && !media->track.fixed_packet) {
        set_state(media, MMC_DISC_UNFORMATTED,
                  "the disc is recorded, but not in fixed packets");
    } else {
        set_formatted(answers, media);
    }
}

static void judge_write_once(const struct answers *answers,
                             struct mmc_media *media) {
    if (is_blank(answers)) {
        set_state(media, MMC_DISC_UNUSABLE,
                  "the disc can be written only once, which is not supported");
    } else {
        set_state(media, MMC_DISC_READ_ONLY,
                  "the disc can be written only once, so it is only read");
    }
}

static void judge(const struct answers *answers, struct mmc_media *media) {
    const struct mmc_profile *profile = media->profile;

    if (answers->configuration.profile == 0) {
        set_state(media, MMC_DISC_UNUSABLE,
                  "the drive does not recognise the disc");
    } else if (answers->ready == MMC_INCOMPATIBLE_MEDIUM) {
        set_state(media, MMC_DISC_UNUSABLE,
                  "the drive cannot use this kind of disc");
    } else if (mmc_profile_can(profile, MMC_CAP_SEQUENTIAL_STATE)) {
        if (is_blank(answers)) {
            set_state(media, MMC_DISC_BLANK, "the disc is blank");
        } else {
            set_state(media, MMC_DISC_UNFORMATTED,
                      "the disc is recorded sequentially, not in packets");
        }
    } else if (mmc_profile_can(profile, MMC_CAP_APPEND)) {
        judge_write_once(answers, media);
    } else if (!mmc_profile_can(profile, MMC_CAP_OVERWRITE)) {
        set_state(media, MMC_DISC_READ_ONLY,
                  "discs of this kind can only be read");
    } else if (mmc_profile_can(profile, MMC_CAP_TRACK_LAYOUT)) {
        judge_track(answers, media);
    } else {
        judge_capacity(answers, media);
    }
}

static uint32_t round_down(uint32_t blocks, const struct mmc_profile *profile) {
    return blocks - blocks % profile->packet_blocks;
}

bool mmc_media_is_part_formatted(const struct mmc_media *media) {
    return mmc_profile_can(media->profile, MMC_CAP_BACKGROUND_FORMAT) &&
           (media->background == MMC_BACKGROUND_STOPPED ||
            media->background == MMC_BACKGROUND_RUNNING ||
            media->background == MMC_BACKGROUND_UNKNOWN);
}

/* The capacity that a background format will have given the medium; 0 when the
 * drive does not say. While it goes on, the capacities that drives report as
 * present are the final one, what is formatted so far, or anything. */
static uint32_t final_blocks(const struct answers *answers,
                             const struct mmc_media *media) {
    struct mmc_format_descriptor offer;

    if (!answers->formats_valid ||
        mmc_format_find(&media->formats, media->profile->format_type, &offer) ||
        offer.blocks == UINT32_MAX) {
        return 0;
    }
    return offer.blocks;
}

/* Capacity as it is. READ CAPACITY is the last resort where tracks know it:
 * on CD it is off by link blocks. */
static uint32_t usable_blocks(const struct answers *answers,
                              const struct mmc_media *media) {
    bool formatted = answers->formats_valid &&
                     media->formats.kind == MMC_CAPACITY_FORMATTED &&
                     media->formats.blocks > 0;
    uint64_t blocks = 0;

    if (mmc_media_is_part_formatted(media)) {
        blocks = final_blocks(answers, media);
    }
    if (blocks > 0) {
        return round_down((uint32_t)blocks, media->profile);
    }
    if (mmc_profile_can(media->profile,
                        MMC_CAP_TRACK_LAYOUT | MMC_CAP_OVERWRITE) &&
        media->track_valid) {
        blocks = (uint64_t)media->track.start + media->track.blocks;
        if (formatted && media->formats.blocks < blocks) {
            blocks = media->formats.blocks;
        }
    } else if (mmc_profile_can(media->profile, MMC_CAP_OVERWRITE) &&
               formatted) {
        blocks = media->formats.blocks;
    } else if (answers->capacity_valid) {
        blocks = (uint64_t)answers->capacity.last_lba + 1;
    }
    /* What an open session holds is no part of the capacity yet. */
    if (mmc_profile_can(media->profile, MMC_CAP_APPEND) && media->track_valid &&
        media->track.nwa_valid && media->track.nwa > blocks &&
        media->track.nwa - media->track.start <= media->track.blocks) {
        blocks = media->track.nwa;
    }
    if (blocks > UINT32_MAX) {
        blocks = UINT32_MAX;
    }
    if (mmc_profile_can(media->profile, MMC_CAP_OVERWRITE)) {
        return round_down((uint32_t)blocks, media->profile);
    }
    return (uint32_t)blocks;
}

/* Capacity after a full format, as the drive offers it. */
static uint32_t offered_blocks(const struct answers *answers,
                               const struct mmc_media *media) {
    struct mmc_format_descriptor offer;
    uint8_t type = media->profile->format_type;

    if (media->write_protected || !media->profile->word ||
        (type == 0 && !mmc_profile_can(media->profile, MMC_CAP_OVERWRITE))) {
        return 0;
    }
    if (answers->formats_valid &&
        mmc_format_find(&media->formats, type, &offer) == 0 &&
        offer.blocks > 0) {
        return round_down(offer.blocks, media->profile);
    }
    if (answers->formats_valid && type == MMC_FORMAT_PACKET_FULL &&
        mmc_profile_can(media->profile, MMC_CAP_DVD) &&
        mmc_format_find(&media->formats, MMC_FORMAT_FULL, &offer) == 0) {
        return round_down(offer.blocks, media->profile);
    }
    if (mmc_profile_can(media->profile,
                        MMC_CAP_TRACK_LAYOUT | MMC_CAP_WHOLE_PACKETS) &&
        answers->info_valid && answers->info.lead_out_valid &&
        answers->info.lead_out_lba > 0) {
        /* Drives older than format type 10h. The first packet's link and
         * run-in lie in the pre-gap: five blocks more. */
        return ((uint32_t)answers->info.lead_out_lba + 5) / CD_PACKET_ON_DISC *
               media->profile->packet_blocks;
    }
    return 0;
}

/* A format or blank that did not come to its end leaves a damaged track that
 * no session holds, and of which no block can be read. An interrupted
 * recording looks the same, but for blocks that can be. */
static bool is_hollow(const struct answers *answers,
                      const struct mmc_media *media) {
    uint8_t block[BLOCKDEV_BLOCK_BYTES];
    enum mmc_result result;

    if (media->state != MMC_DISC_UNFORMATTED || !media->track_valid ||
        !media->track.damaged || media->track.nwa_valid ||
        (answers->capacity_valid && answers->capacity.last_lba > 0)) {
        return false;
    }
    result = mmc_drive_peek(answers->drive, 0, block);
    return result == MMC_UNFORMATTED || result == MMC_BLANK_CHECK ||
           result == MMC_LBA_OUT_OF_RANGE;
}

static void measure(struct answers *answers, struct mmc_media *media) {
    struct mmc_toc_sessions sessions;
    bool readable =
        media->state == MMC_DISC_READY || media->state == MMC_DISC_READ_ONLY;

    media->formattable_blocks = offered_blocks(answers, media);
    media->hollow = is_hollow(answers, media);
    if (media->state == MMC_DISC_UNFORMATTED && answers->capacity_valid &&
        answers->capacity.block_bytes == BLOCKDEV_BLOCK_BYTES &&
        answers->capacity.last_lba < mmc_profile_most_blocks(media->profile) &&
        mmc_profile_can(media->profile, MMC_CAP_QUICK_FORMAT)) {
        media->readable_blocks = answers->capacity.last_lba + 1;
    }
    if (!readable) {
        return;
    }
    media->blocks = usable_blocks(answers, media);
    if (answers->capacity_valid &&
        answers->capacity.block_bytes != BLOCKDEV_BLOCK_BYTES) {
        set_state(media, MMC_DISC_UNUSABLE,
                  "the disc does not have blocks of 2048 bytes");
    } else if (media->blocks == 0) {
        set_state(media, MMC_DISC_UNUSABLE,
                  "the drive does not say how large the disc is");
    } else if (media->blocks > mmc_profile_most_blocks(media->profile)) {
        media->blocks = 0;
        set_state(media, MMC_DISC_UNUSABLE,
                  "the drive says that the disc is larger than any of its "
                  "kind");
    } else if (media->state == MMC_DISC_READ_ONLY &&
               ask(answers, ask_sessions, &sessions) &&
               sessions.last_session_start < media->blocks) {
        media->session_start = sessions.last_session_start;
    }
}

/* A medium that cannot be asked now. */
static void set_absent_or_busy(struct mmc_media *media,
                               enum mmc_result result) {
    if (result == MMC_NO_MEDIUM) {
        media->profile = mmc_profile_find(0, false);
        set_state(media, MMC_DISC_ABSENT, "there is no disc in the drive");
    } else {
        media->formatting = true;
        set_state(media, MMC_DISC_UNUSABLE,
                  "the drive is still busy formatting or blanking the disc");
    }
}

/* Looks at the medium once. *out_doubtful: it may be another one than it
 * seems, because the drive did not answer. */
static enum mmc_result look(struct mmc_drive *drive,
                            struct mmc_media *out_media, bool *out_doubtful) {
    struct mmc_media media = {0};
    struct answers answers = {.drive = drive};
    enum mmc_result result;
    bool is_there;

    answers.ready = mmc_drive_wait_ready(drive, READY_LIMIT_MS);
    is_there = answers.ready != MMC_NO_MEDIUM && answers.ready != MMC_NOT_READY;
    if (is_drive_failure(answers.ready)) {
        return answers.ready;
    }
    /* Some drives call themselves ready and are busy all the same. This waits
     * for them; the next question is answered, but not for what will be. */
    if (is_there) {
        answers.info_valid = ask(&answers, ask_info, &answers.info);
    }
    /* Answered whether there is a medium or not. A drive too old to know it
     * leaves profile 0, and the disc unrecognised. */
    result = mmc_drive_run(drive, MMC_PATIENCE_QUERY, ask_configuration,
                           &answers.configuration, NULL);
    if (is_drive_failure(result)) {
        return result;
    }
    answers.doubtful = answers.doubtful || result == MMC_NO_MEDIUM;
    media.profile = mmc_profile_find(answers.configuration.profile, false);
    if (!is_there) {
        set_absent_or_busy(&media, answers.ready);
    } else {
        ask_all(&answers, &media);
        media.uncalibrated =
            answers.info_valid && answers.info.opc_entries == 0 &&
            mmc_profile_can(media.profile, MMC_CAP_WRITE_PARAMETERS);
        judge(&answers, &media);
        measure(&answers, &media);
    }
    *out_doubtful = answers.doubtful;
    *out_media = media;
    return MMC_OK;
}

/* Looks once more when it has to. */
static enum mmc_result look_well(struct mmc_drive *drive,
                                 struct mmc_media *out_media,
                                 bool *out_doubtful) {
    struct mmc_media media;
    enum mmc_result result = look(drive, &media, out_doubtful);

    /* A drive that fails must not make a recorded disc look like one that has
     * to be formatted. */
    if (result == MMC_OK && *out_doubtful) {
        result = look(drive, &media, out_doubtful);
    }
    if (result == MMC_OK) {
        *out_media = media;
    }
    return result;
}

enum mmc_result mmc_media_load(struct mmc_drive *drive,
                               struct mmc_media *out_media) {
    bool doubtful = false;

    return look_well(drive, out_media, &doubtful);
}

enum mmc_result mmc_media_verify(struct mmc_drive *drive,
                                 const struct mmc_media *media,
                                 enum mmc_background_format *out_background) {
    struct mmc_media now;
    bool doubtful = false;
    enum mmc_result result = look_well(drive, &now, &doubtful);

    if (result != MMC_OK) {
        return result;
    }
    if (now.profile != media->profile || now.state != media->state ||
        now.blocks != media->blocks) {
        if (doubtful) {
            return MMC_MEDIUM_CHANGED;
        }
        mmc_log(MMC_LOG_WARN, "another disc: %s, %u blocks, %s",
                now.profile->name, now.blocks, now.reason);
        return MMC_NO_MEDIUM;
    }
    *out_background = now.background;
    return MMC_OK;
}
