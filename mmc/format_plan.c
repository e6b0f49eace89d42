/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/format_plan.c - see mmc/format_plan.h. What is tried for each way that a
 * medium can be formatted:
 *
 *   background (DVD+RW, MRW)   its type, with all the blocks there are
 *   fixed packets (CD-RW)      10h, then code 7 of MMC-1 drives
 *   fixed packets (DVD-RW)     10h, then 00h
 *     quick                    15h with 0 blocks, then the size is appended
 *     grow                     13h with 0 blocks, the same
 *   spares chosen (BD-RE)      00h; 30h of a chosen size; 31h without spares;
 *     full                     30h with certification, then without
 *   others (DVD-RAM)           00h with certification
 *     quick                    00h of the present size without certification
 *
 * Clause: MMC-6 6.4.
 */
#include "mmc/format_plan.h"

#include <errno.h>

enum {
    QUICK_BLOCKS = 131072, /* 256 MiB: a minute of writing at 4x */
    SPARE_STEP = 16384,    /* 32 MiB: what suits two layers as well */
    CERTIFY_FULL = 2       /* sub-type of 30h */
};

static void add(struct mmc_format_plan *plan, struct mmc_format format) {
    format.immediate = true;
    plan->try[plan->tries++] = format;
}

static uint32_t round_down(uint32_t blocks, uint32_t unit) {
    return blocks - blocks % unit;
}

/* Rounds up, but not beyond what rounding down would give of the limit. */
static uint32_t round_up(uint32_t blocks, uint32_t unit, uint32_t limit) {
    uint32_t rest = blocks % unit;

    if (blocks >= round_down(limit, unit)) {
        return round_down(limit, unit);
    }
    return rest ? blocks - rest + unit : blocks;
}

/* The row that the medium shall have when it is formatted. */
static int choose_target(const struct mmc_media *media,
                         const struct mmc_prepare_options *options,
                         const struct mmc_profile **out_target) {
    const struct mmc_profile *now = media->profile;
    const struct mmc_profile *target =
        options->media_name ? mmc_profile_of_word(options->media_name)
        : now->word         ? mmc_profile_of_word(now->word)
                            : NULL;

    if (!target || !mmc_profile_can(target, MMC_CAP_OVERWRITE)) {
        return options->media_name ? -EINVAL : -EMEDIUMTYPE;
    }
    /* Words with one row need that medium; CD-RW has two. */
    if (target->number != now->number &&
        !(mmc_profile_can(now, MMC_CAP_SEQUENTIAL_STATE) && now->word &&
          mmc_profile_of_word(now->word) == target)) {
        return -EINVAL;
    }
    if (target->mrw && !now->mrw && !media->mrw_capable) {
        return -EINVAL;
    }
    *out_target = target;
    return 0;
}

static void plan_background(const struct mmc_media *media,
                            struct mmc_format_plan *plan) {
    struct mmc_format_descriptor offer;
    uint8_t type = plan->target->format_type;

    if (mmc_format_find(&media->formats, type, &offer) == 0 &&
        offer.blocks != UINT32_MAX) {
        plan->blocks = offer.blocks;
    }
    add(plan, (struct mmc_format){.type = type, .blocks = UINT32_MAX});
}

/* Blocks are appended from `from` on, after a format that prepares for it. */
static int plan_append(const struct mmc_media *media, uint8_t type,
                       uint32_t from, uint32_t wanted,
                       struct mmc_format_plan *plan) {
    uint32_t packet = plan->target->packet_blocks;
    struct mmc_format_descriptor offer;

    if (mmc_format_find(&media->formats, type, &offer) != 0 ||
        media->formattable_blocks == 0) {
        return -EOPNOTSUPP;
    }
    plan->append = true;
    plan->append_from = from;
    plan->blocks = round_up(wanted, packet, media->formattable_blocks);
    add(plan, (struct mmc_format){.type = type, .parameter = packet});
    return 0;
}

/* The capacity that fixed packets have: media->formattable_blocks is about the
 * way that the medium is formatted now. */
static uint32_t packet_blocks_of(const struct mmc_media *media) {
    struct mmc_format_descriptor offer;

    return mmc_format_find(&media->formats, MMC_FORMAT_PACKET_FULL, &offer) ==
                       0 &&
                   offer.blocks > 0
               ? round_down(offer.blocks, media->profile->packet_blocks)
               : media->formattable_blocks;
}

static int plan_packets(const struct mmc_media *media,
                        const struct mmc_prepare_options *options,
                        struct mmc_format_plan *plan) {
    const struct mmc_profile *target = plan->target;
    uint32_t packet = target->packet_blocks;
    struct mmc_format_descriptor offer;

    if (options->quick && mmc_profile_can(target, MMC_CAP_QUICK_FORMAT) &&
        plan_append(media, MMC_FORMAT_QUICK, 0,
                    options->blocks ? options->blocks : QUICK_BLOCKS,
                    plan) == 0) {
        return 0;
    }
    plan->blocks = packet_blocks_of(media);
    if (options->blocks) {
        plan->blocks = round_up(options->blocks, packet, plan->blocks);
    }
    if (plan->blocks == 0) {
        return -EMEDIUMTYPE;
    }
    add(plan, (struct mmc_format){.type = MMC_FORMAT_PACKET_FULL,
                                  .blocks = plan->blocks,
                                  .parameter = packet});
    if (mmc_profile_can(target, MMC_CAP_TRACK_LAYOUT)) {
        add(plan, (struct mmc_format){.blocks = plan->blocks, .legacy = true});
    } else if (mmc_format_find(&media->formats, MMC_FORMAT_FULL, &offer) == 0) {
        add(plan, (struct mmc_format){.type = MMC_FORMAT_FULL,
                                      .blocks = plan->blocks,
                                      .parameter = offer.parameter});
    }
    return 0;
}

/* What the drive offers of format 30h: a range of capacities. */
struct range {
    bool any;
    uint32_t least, most;
};

static struct range spare_range(const struct mmc_media *media) {
    struct range range = {0};

    for (uint8_t i = 0; i < media->formats.count; i++) {
        const struct mmc_format_descriptor *offer = &media->formats.formats[i];

        if (offer->type != MMC_FORMAT_BD_RE_SPARES || offer->blocks == 0) {
            continue;
        }
        if (!range.any || offer->blocks < range.least) {
            range.least = offer->blocks;
        }
        if (!range.any || offer->blocks > range.most) {
            range.most = offer->blocks;
        }
        range.any = true;
    }
    return range;
}

/* The capacity without any spares, as far as the drive tells it. */
static uint32_t raw_blocks(const struct mmc_media *media) {
    struct mmc_format_descriptor offer;
    uint32_t most = spare_range(media).most;

    return mmc_format_find(&media->formats, MMC_FORMAT_BD_RE_NO_SPARES,
                           &offer) == 0
               ? offer.blocks
               : most;
}

/* The capacity that leaves the wanted spares. */
static uint32_t capacity_with(const struct mmc_media *media,
                              const struct mmc_prepare_options *options) {
    struct range range = spare_range(media);
    uint32_t raw = raw_blocks(media);
    uint32_t spare = options->spare_blocks;
    uint32_t blocks;

    if (options->spare != MMC_SPARE_SIZE) {
        return options->spare == MMC_SPARE_MIN ? range.most : range.least;
    }
    /* Rounded up first: never fewer spares than were asked for. */
    spare = spare % SPARE_STEP && spare < UINT32_MAX - SPARE_STEP
                ? spare - spare % SPARE_STEP + SPARE_STEP
                : spare;
    blocks = spare < raw
                 ? round_down(raw - spare, media->profile->packet_blocks)
                 : 0;
    if (blocks < range.least) {
        return range.least;
    }
    return blocks < range.most ? blocks : range.most;
}

static int plan_spares(const struct mmc_media *media,
                       const struct mmc_prepare_options *options,
                       struct mmc_format_plan *plan) {
    struct mmc_format_descriptor offer = {0};
    struct mmc_format format = {.type = MMC_FORMAT_BD_RE_SPARES,
                                .options = true};

    if (options->spare == MMC_SPARE_NONE) {
        if (mmc_format_find(&media->formats, MMC_FORMAT_BD_RE_NO_SPARES,
                            &offer) != 0) {
            return -EINVAL;
        }
        plan->drive_defects = false;
        plan->blocks = offer.blocks;
        add(plan, (struct mmc_format){.type = MMC_FORMAT_BD_RE_NO_SPARES,
                                      .blocks = offer.blocks,
                                      .parameter = offer.parameter,
                                      .options = true});
        return 0;
    }
    if (mmc_format_find(&media->formats, MMC_FORMAT_FULL, &offer) != 0) {
        return -EMEDIUMTYPE;
    }
    plan->blocks = offer.blocks;
    if (options->spare != MMC_SPARE_DEFAULT) {
        if (!spare_range(media).any) {
            return -EINVAL;
        }
        plan->blocks = capacity_with(media, options);
    }
    format.blocks = plan->blocks;
    if (options->full && spare_range(media).any) {
        format.sub_type = CERTIFY_FULL;
        add(plan, format);
        format.sub_type = 0;
    }
    if (options->spare != MMC_SPARE_DEFAULT) {
        add(plan, format);
    } else {
        add(plan, (struct mmc_format){.type = MMC_FORMAT_FULL,
                                      .blocks = offer.blocks,
                                      .parameter = offer.parameter,
                                      .options = true});
    }
    return 0;
}

static int plan_plain(const struct mmc_media *media,
                      const struct mmc_prepare_options *options,
                      struct mmc_format_plan *plan) {
    struct mmc_format_descriptor offer;
    struct mmc_format format = {.type = MMC_FORMAT_FULL, .options = true};

    if (mmc_format_find(&media->formats, MMC_FORMAT_FULL, &offer) != 0) {
        return -EMEDIUMTYPE;
    }
    plan->blocks = format.blocks = offer.blocks;
    format.parameter = offer.parameter;
    if (options->quick) {
        struct mmc_format quick = format;

        quick.no_certify = quick.compare = true;
        add(plan, quick);
    }
    add(plan, format);
    return 0;
}

static int plan_grow(const struct mmc_media *media,
                     const struct mmc_prepare_options *options,
                     struct mmc_format_plan *plan) {
    uint32_t wanted = options->blocks ? options->blocks : UINT32_MAX;

    if (media->state != MMC_DISC_READY ||
        !mmc_profile_can(plan->target, MMC_CAP_QUICK_FORMAT)) {
        return -EINVAL;
    }
    if (plan_append(media, MMC_FORMAT_QUICK_GROW, media->blocks, wanted,
                    plan) != 0 ||
        plan->blocks <= media->blocks) {
        /* There is nothing left to grow into. */
        plan->tries = 0;
        plan->append = false;
        plan->blocks = media->blocks;
    }
    return 0;
}

int mmc_format_plan(const struct mmc_media *media,
                    const struct mmc_prepare_options *options,
                    struct mmc_format_plan *out_plan) {
    struct mmc_format_plan plan = {0};
    int error = choose_target(media, options, &plan.target);

    if (error) {
        return error;
    }
    plan.drive_defects = mmc_profile_can(plan.target, MMC_CAP_DRIVE_DEFECTS);
    if (options->spare != MMC_SPARE_DEFAULT &&
        !mmc_profile_can(plan.target, MMC_CAP_SPARES_CHOSEN)) {
        return -EINVAL;
    }
    if (options->grow) {
        error = plan_grow(media, options, &plan);
    } else if (mmc_profile_can(plan.target, MMC_CAP_BACKGROUND_FORMAT)) {
        plan_background(media, &plan);
    } else if (plan.target->format_type == MMC_FORMAT_PACKET_FULL) {
        error = plan_packets(media, options, &plan);
    } else if (mmc_profile_can(plan.target, MMC_CAP_SPARES_CHOSEN)) {
        error = plan_spares(media, options, &plan);
    } else {
        error = plan_plain(media, options, &plan);
    }
    if (error) {
        return error;
    }
    plan.blocks = round_down(plan.blocks, plan.target->packet_blocks);
    if (plan.blocks > mmc_profile_most_blocks(plan.target)) {
        return -EMEDIUMTYPE;
    }
    *out_plan = plan;
    return 0;
}

/* Whether the medium has the wanted size, or cannot have another. */
static bool has_size(const struct mmc_media *media, uint32_t blocks) {
    uint32_t packet = media->profile->packet_blocks;

    return blocks == 0 ||
           media->profile->format_type != MMC_FORMAT_PACKET_FULL ||
           round_up(blocks, packet, media->formattable_blocks) == media->blocks;
}

bool mmc_format_is_done(const struct mmc_media *media,
                        const struct mmc_prepare_options *options) {
    return media->state == MMC_DISC_READY && !options->full &&
           options->spare == MMC_SPARE_DEFAULT &&
           has_size(media, options->blocks) &&
           (!options->media_name ||
            (media->profile->word &&
             mmc_profile_of_word(options->media_name) ==
                 mmc_profile_of_word(media->profile->word)));
}
