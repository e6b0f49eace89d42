/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_capacity.c - how much there is, how much there could be: READ
 * CAPACITY, READ FORMAT CAPACITIES, and the formats on offer, which FORMAT
 * UNIT is held to (vdrive_plan.c).
 */
#include "mmc/vdrive_core.h"

#include <assert.h>
#include <scsi/sg_unaligned.h>

#include "mmc/cdb.h"
#include "mmc/reply.h"

enum { BLOCK_LENGTH = VDRIVE_BLOCK_BYTES };

/* ---- READ CAPACITY (MMC-5 6.19) ----------------------------------------- */

/* 0 where nothing is recorded. What a session holds that is still open, and
 * what DVD-RW got in the intermediate state, does not count yet. */
static uint32_t told_blocks(const struct vdrive *drive) {
    const struct vdrive_head *head = drive->files.head;

    if (vdrive_quirk(drive, MMC_VDRIVE_QUIRK_HUGE_CAPACITY)) {
        return UINT32_MAX;
    }
    if (vdrive_mrw_formatted(drive) && vdrive_modes_in_gaa(drive)) {
        return vdrive_readable_end(drive);
    }
    if (vdrive_quirk(drive, MMC_VDRIVE_QUIRK_LYING_CAPACITY) &&
        head->background == MMC_BACKGROUND_RUNNING) {
        return head->deiced_packets * drive->medium->packet_blocks;
    }
    return head->formatted_blocks;
}

enum vdrive_sense vdrive_read_capacity(struct vdrive *drive,
                                       struct vdrive_io *io) {
    uint32_t blocks = told_blocks(drive);
    uint8_t reply[8];

    if (io->cdb[1] & 1 || io->cdb[8] & 1) {
        return VDRIVE_INVALID_FIELD; /* RelAdr, PMI */
    }
    sg_put_unaligned_be32(blocks ? blocks - 1 : 0, reply);
    sg_put_unaligned_be32(VDRIVE_BLOCK_BYTES, reply + 4);
    vdrive_answer(io, reply, sizeof(reply), sizeof(reply));
    return VDRIVE_GOOD;
}

/* ---- Formats on offer --------------------------------------------------- */

struct offers {
    struct vdrive_offer *list;
    size_t count;
};

static void offer(struct offers *offers, uint8_t type, uint32_t blocks,
                  uint32_t parameter) {
    assert(offers->count < VDRIVE_OFFERS_MAX);
    offers->list[offers->count++] = (struct vdrive_offer){
        .type = type, .blocks = blocks, .parameter = parameter};
}

static bool is_formatted(const struct vdrive *drive) {
    return vdrive_state(drive) == VDRIVE_FORMATTED &&
           !drive->files.head->intermediate;
}

/* A DVD-RW can be grown when it is overwritable; by nothing when it is full. */
static void offer_dvd_rw(const struct vdrive *drive, struct offers *offers) {
    const struct vdrive_head *head = drive->files.head;
    uint32_t packet = drive->medium->packet_blocks;
    uint32_t room = head->max_blocks - head->formatted_blocks;

    offer(offers, MMC_FORMAT_FULL, head->max_blocks, BLOCK_LENGTH);
    offer(offers, MMC_FORMAT_PACKET_FULL, head->max_blocks, packet);
    offer(offers, MMC_FORMAT_QUICK, head->max_blocks, packet);
    if (is_formatted(drive)) {
        offer(offers, MMC_FORMAT_QUICK_GROW, room, packet);
        offer(offers, MMC_FORMAT_PACKET_GROW, room, packet);
    }
}

/* A spare area that was made may be widened at the cost of the last blocks, up
 * to `most` blocks of it. */
static void offer_expansion(const struct vdrive *drive, struct offers *offers,
                            uint32_t most) {
    const struct vdrive_head *head = drive->files.head;
    uint32_t unit = vdrive_medium_spare_unit(drive->medium, head->max_blocks);
    uint32_t spare = head->max_blocks - head->formatted_blocks;

    if (is_formatted(drive) &&
        head->format_type != MMC_FORMAT_BD_RE_NO_SPARES &&
        spare + unit <= most) {
        offer(offers, MMC_FORMAT_SPARE_EXPANSION, head->formatted_blocks - unit,
              BLOCK_LENGTH);
    }
}

static void offer_dvd_ram(const struct vdrive *drive, struct offers *offers) {
    uint32_t max = drive->files.head->max_blocks;

    offer(offers, MMC_FORMAT_FULL,
          vdrive_medium_capacity(drive->medium, max, MMC_FORMAT_FULL),
          BLOCK_LENGTH);
    offer(offers, MMC_FORMAT_FULL, max, BLOCK_LENGTH);
    offer_expansion(drive, offers,
                    2 * vdrive_medium_spare_unit(drive->medium, max));
}

/* Least, default and most spares of BD: one, three and five units. The
 * parameter of types with chosen spares is their size in clusters. */
static void offer_bd(const struct vdrive *drive, struct offers *offers,
                     uint8_t chosen) {
    uint32_t max = drive->files.head->max_blocks;
    uint32_t unit = vdrive_medium_spare_unit(drive->medium, max);

    offer(offers, MMC_FORMAT_FULL, max - 3 * unit, BLOCK_LENGTH);
    for (uint32_t units = 3; units <= 5; units += 2) {
        offer(offers, chosen, max - units * unit, units * unit / 32);
    }
    offer(offers, chosen, max - unit, unit / 32);
}

static void offer_bd_re(const struct vdrive *drive, struct offers *offers) {
    uint32_t max = drive->files.head->max_blocks;

    offer_bd(drive, offers, MMC_FORMAT_BD_RE_SPARES);
    offer(offers, MMC_FORMAT_BD_RE_NO_SPARES, max, BLOCK_LENGTH);
    offer_expansion(drive, offers,
                    5 * vdrive_medium_spare_unit(drive->medium, max));
}

size_t vdrive_offers(const struct vdrive *drive, struct vdrive_offer *out) {
    struct offers offers = {.list = out};
    uint32_t max = drive->files.head->max_blocks;

    switch (drive->medium->family) {
    case VDRIVE_FAMILY_CD_RW:
        offer(&offers, MMC_FORMAT_PACKET_FULL, max, 32);
        break;
    case VDRIVE_FAMILY_MRW:
        offer(&offers, MMC_FORMAT_PACKET_FULL, max, 32);
        offer(&offers, MMC_FORMAT_MRW,
              vdrive_medium_capacity(drive->medium, max, MMC_FORMAT_MRW), 0);
        break;
    case VDRIVE_FAMILY_DVD_RW:
        offer_dvd_rw(drive, &offers);
        break;
    case VDRIVE_FAMILY_DVD_PLUS_RW:
        offer(&offers, MMC_FORMAT_DVD_PLUS_RW, max, 0);
        break;
    case VDRIVE_FAMILY_DVD_RAM:
        offer_dvd_ram(drive, &offers);
        break;
    case VDRIVE_FAMILY_BD_RE:
        offer_bd_re(drive, &offers);
        break;
    case VDRIVE_FAMILY_BD_R:
        /* Once, before anything is written. */
        if (vdrive_state(drive) == VDRIVE_BLANK &&
            !drive->files.head->append_blocks) {
            offer_bd(drive, &offers, MMC_FORMAT_BD_R_SPARES);
        }
        break;
    case VDRIVE_FAMILY_WRITE_ONCE:
        break;
    }
    return offers.count;
}

uint32_t vdrive_primary_spare_blocks(const struct vdrive *drive) {
    uint32_t packet = drive->medium->packet_blocks;
    uint32_t unit =
        vdrive_medium_spare_unit(drive->medium, drive->files.head->max_blocks);

    return (unit / 4 / packet + 1) * packet;
}

/* DVD-RAM has a primary spare area besides, which no capacity shows; Mount
 * Rainier's tables are not for data. */
uint32_t vdrive_spare_blocks(const struct vdrive *drive) {
    const struct vdrive_head *head = drive->files.head;
    uint32_t rest = head->max_blocks - head->formatted_blocks;

    if (vdrive_state(drive) != VDRIVE_FORMATTED ||
        !vdrive_has(drive, VDRIVE_SPARES)) {
        return 0;
    }
    switch (drive->medium->family) {
    case VDRIVE_FAMILY_MRW:
        return vdrive_mrw_formatted(drive) ? rest - 65 * 32 : 0;
    case VDRIVE_FAMILY_DVD_RAM:
        return rest + vdrive_primary_spare_blocks(drive);
    case VDRIVE_FAMILY_BD_RE:
        return rest;
    case VDRIVE_FAMILY_CD_RW:
    case VDRIVE_FAMILY_DVD_RW:
    case VDRIVE_FAMILY_DVD_PLUS_RW:
    case VDRIVE_FAMILY_BD_R:
    case VDRIVE_FAMILY_WRITE_ONCE:
        break;
    }
    return 0;
}

/* ---- READ FORMAT CAPACITIES (MMC-5 6.24) -------------------------------- */

static enum mmc_capacity_kind capacity_kind(const struct vdrive *drive) {
    if (vdrive_readiness(drive)) {
        return MMC_CAPACITY_NO_MEDIUM;
    }
    if (!vdrive_has_blocks(drive)) {
        return MMC_CAPACITY_UNFORMATTED;
    }
    return drive->files.head->intermediate ? MMC_CAPACITY_NO_MEDIUM
                                           : MMC_CAPACITY_FORMATTED;
}

/* The current or maximum capacity. */
static void put_current_capacity(const struct vdrive *drive, uint8_t *to) {
    const struct vdrive_head *head = drive->files.head;
    enum mmc_capacity_kind kind = capacity_kind(drive);

    uint32_t blocks = kind == MMC_CAPACITY_FORMATTED
                          ? vdrive_readable_end(drive)
                          : head->max_blocks;

    if (vdrive_quirk(drive, MMC_VDRIVE_QUIRK_HUGE_CAPACITY)) {
        blocks = UINT32_MAX;
    }
    sg_put_unaligned_be32(blocks, to);
    to[4] = (uint8_t)kind;
    sg_put_unaligned_be24(VDRIVE_BLOCK_BYTES, to + 5);
}

enum vdrive_sense vdrive_read_format_capacities(struct vdrive *drive,
                                                struct vdrive_io *io) {
    struct vdrive_offer offers[VDRIVE_OFFERS_MAX];
    uint8_t reply[12 + 8 * VDRIVE_OFFERS_MAX] = {0};
    size_t count = 0;

    if (!vdrive_readiness(drive) && !vdrive_protected(drive)) {
        count = vdrive_offers(drive, offers);
    }
    reply[3] = (uint8_t)(8 + 8 * count);
    if (vdrive_quirk(drive, MMC_VDRIVE_QUIRK_CAPACITIES_PLUS_FOUR)) {
        reply[3] += 4;
    }
    put_current_capacity(drive, reply + 4);
    for (size_t i = 0; i < count; i++) {
        uint8_t *to = reply + 12 + 8 * i;

        sg_put_unaligned_be32(
            vdrive_quirk(drive, MMC_VDRIVE_QUIRK_HUGE_CAPACITY)
                ? UINT32_MAX
                : offers[i].blocks,
            to);
        to[4] = (uint8_t)(offers[i].type << 2);
        sg_put_unaligned_be24(offers[i].parameter, to + 5);
    }
    vdrive_answer(io, reply, 12 + 8 * count,
                  sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}
