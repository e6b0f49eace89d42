/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/speed.c - see mmc/speed.h.
 *
 * Clauses: MMC-6 6.8 (GET PERFORMANCE), 6.39 (SET CD SPEED), 6.42 (SET
 * STREAMING).
 */
#include "mmc/speed.h"

#include "mmc/command.h"
#include "mmc/drive.h"
#include "mmc/log.h"
#include "mmc/media.h"

static enum mmc_result ask_speeds(struct mmc_transport *transport,
                                  void *context, struct mmc_sense *out_sense) {
    return mmc_command_get_write_speeds(transport, context, out_sense);
}

/* The write speeds of the medium. Some drives list those of a CD whatever is
 * in them: what is slower than 1x is none. */
static void load_speeds(struct mmc_drive *drive, const struct mmc_media *media,
                        struct mmc_write_speeds *out) {
    uint32_t least = media->profile->speed_kbs / 10 * 9;
    uint8_t count = 0;

    if (mmc_drive_run(drive, MMC_PATIENCE_PROBE, ask_speeds, out, NULL) !=
        MMC_OK) {
        out->count = 0;
    }
    for (uint8_t i = 0; i < out->count; i++) {
        if (out->speeds[i].write_kbs >= least) {
            out->speeds[count++] = out->speeds[i];
        }
    }
    out->count = count;
}

/* In tenths of 1x, rounded: CDs turn at 176.4 kB/s, drives say 176. */
static uint32_t tenths_of(uint32_t kbs, const struct mmc_media *media) {
    uint32_t single = media->profile->speed_kbs;

    return single > 0 ? (uint32_t)(((uint64_t)kbs * 10 + single / 2) / single)
                      : 0;
}

size_t mmc_speed_list(struct mmc_drive *drive, const struct mmc_media *media,
                      struct mmc_disc_speed *out, size_t max) {
    struct mmc_write_speeds speeds = {0};
    size_t count = 0;

    load_speeds(drive, media, &speeds);
    for (uint8_t i = 0; i < speeds.count; i++) {
        uint32_t kbs = speeds.speeds[i].write_kbs;
        size_t at = 0;

        while (at < count && out[at].kbs > kbs) {
            at++;
        }
        if ((at < count && out[at].kbs == kbs) || count == max) {
            continue;
        }
        for (size_t k = count++; k > at; k--) {
            out[k] = out[k - 1];
        }
        out[at] = (struct mmc_disc_speed){.kbs = kbs,
                                          .tenths = tenths_of(kbs, media)};
    }
    return count;
}

/* The offered speed to ask for: the fastest that is not faster than wanted,
 * else the slowest. Without offers, what is wanted. */
static struct mmc_write_speed choose(const struct mmc_media *media,
                                     const struct mmc_write_speeds *speeds,
                                     uint32_t tenths) {
    uint64_t wanted = (uint64_t)media->profile->speed_kbs * tenths / 10;
    struct mmc_write_speed best = {0};

    if (wanted > UINT32_MAX) {
        wanted = UINT32_MAX;
    }
    for (uint8_t i = 0; i < speeds->count; i++) {
        const struct mmc_write_speed *offer = &speeds->speeds[i];
        bool fits = tenths_of(offer->write_kbs, media) <= tenths;
        bool best_fits = tenths_of(best.write_kbs, media) <= tenths;
        bool better = fits ? !best_fits || offer->write_kbs > best.write_kbs
                           : !best_fits && offer->write_kbs < best.write_kbs;

        if (best.write_kbs == 0 || better) {
            best = *offer;
        }
    }
    if (best.write_kbs == 0) {
        best.write_kbs = best.read_kbs = (uint32_t)wanted;
    }
    return best;
}

static uint32_t last_lba(const struct mmc_media *media) {
    uint32_t blocks = media->blocks ? media->blocks : media->formattable_blocks;

    return blocks > 0 ? blocks - 1 : 0;
}

static uint16_t clip16(uint32_t kbs) {
    return kbs < UINT16_MAX ? (uint16_t)kbs : UINT16_MAX;
}

/* Both forms of one wish. The end must be on the medium: some drives refuse
 * any other, and know best themselves where that is. */
static struct mmc_drive_speed wish_for(const struct mmc_media *media,
                                       const struct mmc_write_speed *chosen) {
    uint32_t read = chosen->read_kbs ? chosen->read_kbs : chosen->write_kbs;

    return (struct mmc_drive_speed){
        .streaming = {.end_lba =
                          chosen->end_lba ? chosen->end_lba : last_lba(media),
                      .read_kbs = read,
                      .write_kbs = chosen->write_kbs},
        .cd_read_kbs = clip16(read),
        .cd_write_kbs = clip16(chosen->write_kbs),
    };
}

/* Asks in the medium's own way, then in the other one. */
static enum mmc_result ask_for(struct mmc_drive *drive,
                               const struct mmc_media *media,
                               struct mmc_drive_speed *wish, bool keep) {
    enum mmc_result result;

    wish->cd = mmc_profile_can(media->profile, MMC_CAP_CD_SPEED);
    result = mmc_drive_set_speed(drive, wish, keep);
    if (result == MMC_INVALID_OPCODE || result == MMC_ILLEGAL_REQUEST) {
        wish->cd = !wish->cd;
        result = mmc_drive_set_speed(drive, wish, keep);
    }
    return result;
}

void mmc_speed_set(struct mmc_drive *drive, const struct mmc_media *media,
                   uint32_t tenths) {
    struct mmc_write_speeds speeds = {0};
    struct mmc_write_speed chosen;
    struct mmc_drive_speed wish;
    enum mmc_result result;

    load_speeds(drive, media, &speeds);
    chosen = choose(media, &speeds, tenths);
    wish = wish_for(media, &chosen);
    result = ask_for(drive, media, &wish, true);
    if (result != MMC_OK) {
        mmc_log(MMC_LOG_WARN, "the drive does not accept this speed: %s",
                mmc_result_name(result));
    }
}

void mmc_speed_reset(struct mmc_drive *drive, const struct mmc_media *media) {
    struct mmc_drive_speed wish = {.streaming = {.restore_defaults = true},
                                   .cd_read_kbs = UINT16_MAX,
                                   .cd_write_kbs = UINT16_MAX};

    ask_for(drive, media, &wish, false);
}
