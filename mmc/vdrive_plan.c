/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_plan.c - what FORMAT UNIT is asked to do (MMC-5 6.5): its CDB and
 * parameter list, checked against the formats that the medium offers.
 */
#include "mmc/vdrive_core.h"

#include <scsi/sg_unaligned.h>
#include <string.h>

#include "mmc/cdb.h"
#include "mmc/reply.h"

enum { FMT_DATA = 0x10, CMP_LIST = 0x08, CODE_DESCRIPTOR = 1, CODE_LEGACY = 7 };

/* Flags in byte 1 of the parameter list. */
enum { FOV = 0x80, DCRT = 0x20, IP = 0x08, IMMED = 0x02 };
enum { FOV_FLAGS = 0x7D, KNOWN_FLAGS = FOV | DCRT | IMMED };

enum { RESTART = 1, QUICK_START = 2, ALL_BLOCKS = 0xFFFFFFFF };

/* The descriptor in the list. */
struct descriptor {
    uint32_t blocks;
    uint8_t type, sub_type;
    uint32_t parameter;
};

/* The part that both kinds of list begin with. */
static enum vdrive_sense check_list_header(const uint8_t *list) {
    unsigned flags = list[1];

    /* Without FOV the flags that it makes valid must be zero; an
     * initialisation pattern would follow here and is not supported. */
    if (list[0] || (!(flags & FOV) && flags & FOV_FLAGS) ||
        flags & ~(unsigned)KNOWN_FLAGS) {
        return VDRIVE_INVALID_PARAMETER;
    }
    return sg_get_unaligned_be16(list + 2) == 8 ? VDRIVE_GOOD
                                                : VDRIVE_INVALID_PARAMETER;
}

/* ---- Sizes and parameters by type --------------------------------------- */

/* Whether the list holds exactly an offer. */
static bool as_offered(const struct descriptor *wanted,
                       const struct vdrive_offer *offer) {
    return wanted->blocks == offer->blocks &&
           wanted->parameter == offer->parameter;
}

/* Any number of packets up to what is offered. */
static bool up_to_offered(const struct vdrive *drive,
                          const struct descriptor *wanted,
                          const struct vdrive_offer *offer) {
    return wanted->blocks <= offer->blocks &&
           wanted->blocks % drive->medium->packet_blocks == 0 &&
           wanted->parameter == offer->parameter;
}

/* BD with spares: as offered, or another size of whole clusters between the
 * least and the most, with parameter 0. */
static bool spares_fit(const struct vdrive *drive,
                       const struct descriptor *wanted,
                       const struct vdrive_offer *offer) {
    uint32_t max = drive->files.head->max_blocks;
    uint32_t unit = vdrive_medium_spare_unit(drive->medium, max);

    return as_offered(wanted, offer) ||
           (wanted->parameter == 0 && wanted->blocks <= max - unit &&
            wanted->blocks >= max - 5 * unit &&
            wanted->blocks % drive->medium->packet_blocks == 0);
}

/* Background formats take all there is; a restart may say 0 as well. */
static bool background_fits(const struct descriptor *wanted,
                            const struct vdrive_offer *offer) {
    uint32_t known = wanted->type == MMC_FORMAT_DVD_PLUS_RW
                         ? RESTART | QUICK_START
                         : RESTART;

    return (wanted->parameter & ~known) == 0 &&
           (wanted->blocks == ALL_BLOCKS || wanted->blocks == offer->blocks ||
            (wanted->blocks == 0 && wanted->parameter & RESTART));
}

/* Whether this offer covers what is wanted; the types are the same. */
static bool covers(const struct vdrive *drive, const struct descriptor *wanted,
                   const struct vdrive_offer *offer) {
    switch (wanted->type) {
    case MMC_FORMAT_FULL:
        if (drive->medium->family != VDRIVE_FAMILY_DVD_RW) {
            return as_offered(wanted, offer);
        }
        return wanted->blocks && up_to_offered(drive, wanted, offer);
    case MMC_FORMAT_PACKET_FULL:
    case MMC_FORMAT_PACKET_GROW:
        return wanted->blocks && up_to_offered(drive, wanted, offer);
    case MMC_FORMAT_QUICK:
        return up_to_offered(drive, wanted, offer);
    case MMC_FORMAT_QUICK_GROW:
        return offer->blocks && up_to_offered(drive, wanted, offer);
    case MMC_FORMAT_MRW:
    case MMC_FORMAT_DVD_PLUS_RW:
        return background_fits(wanted, offer);
    case MMC_FORMAT_BD_RE_SPARES:
    case MMC_FORMAT_BD_R_SPARES:
        return spares_fit(drive, wanted, offer);
    default: /* the others that vdrive_offers() may name */
        return as_offered(wanted, offer);
    }
}

/* Sub-types choose the certification of BD-RE, the recording of BD-R (the
 * third, random recording, is another medium that this drive does not know).
 */
static bool sub_type_valid(const struct vdrive *drive,
                           const struct descriptor *wanted) {
    if (drive->medium->family == VDRIVE_FAMILY_BD_R) {
        return wanted->sub_type <= 1;
    }
    return wanted->sub_type == 0 ||
           (wanted->type == MMC_FORMAT_BD_RE_SPARES && wanted->sub_type != 1);
}

/* Finds the offer that covers what is wanted, and fills the plan. */
static enum vdrive_sense take(const struct vdrive *drive,
                              const struct descriptor *wanted,
                              struct vdrive_plan *plan) {
    struct vdrive_offer offers[VDRIVE_OFFERS_MAX];
    size_t count = vdrive_offers(drive, offers);
    bool background = wanted->type == MMC_FORMAT_MRW ||
                      wanted->type == MMC_FORMAT_DVD_PLUS_RW;

    if (wanted->type == MMC_FORMAT_PACKET_FULL &&
        vdrive_quirk(drive, MMC_VDRIVE_QUIRK_NO_FORMAT_10)) {
        return VDRIVE_INVALID_PARAMETER;
    }
    for (size_t i = 0; i < count; i++) {
        if (offers[i].type == wanted->type && sub_type_valid(drive, wanted) &&
            covers(drive, wanted, &offers[i])) {
            plan->type = wanted->type;
            plan->sub_type = wanted->sub_type;
            plan->blocks = background ? offers[i].blocks : wanted->blocks;
            plan->restart = background && wanted->parameter & RESTART;
            plan->quick_start = background && wanted->parameter & QUICK_START;
            return VDRIVE_GOOD;
        }
    }
    return VDRIVE_INVALID_PARAMETER;
}

/* ---- The list ----------------------------------------------------------- */

static enum vdrive_sense parse_descriptor(const struct vdrive *drive,
                                          const uint8_t *list,
                                          struct vdrive_plan *plan) {
    struct descriptor wanted = {
        .blocks = sg_get_unaligned_be32(list + 4),
        .type = list[8] >> 2,
        .sub_type = list[8] & 3,
        .parameter = sg_get_unaligned_be24(list + 9),
    };

    return take(drive, &wanted, plan);
}

/* Format code 7 (MMC-1): pattern bytes that are not used, then session, grow
 * and capacity. Only the whole disc as one session is known. */
static enum vdrive_sense parse_legacy(const struct vdrive *drive,
                                      const uint8_t *list,
                                      struct vdrive_plan *plan) {
    uint32_t blocks = sg_get_unaligned_be32(list + 12);

    if (sg_get_unaligned_be32(list + 4) || list[8] != 0x80 ||
        sg_get_unaligned_be24(list + 9) || blocks == 0 ||
        blocks > drive->files.head->max_blocks ||
        blocks % drive->medium->packet_blocks) {
        return VDRIVE_INVALID_PARAMETER;
    }
    plan->type = MMC_FORMAT_PACKET_FULL;
    plan->blocks = blocks;
    return VDRIVE_GOOD;
}

/* Length of the parameter list that the CDB announces; 0 for a bad CDB.
 * CmpList is for DVD-RAM. */
static uint32_t list_bytes(const struct vdrive *drive, const uint8_t *cdb) {
    bool compare = cdb[1] & CMP_LIST;

    if ((cdb[1] & ~(unsigned)CMP_LIST) == (FMT_DATA | CODE_DESCRIPTOR) &&
        (!compare || drive->medium->family == VDRIVE_FAMILY_DVD_RAM)) {
        return MMC_FORMAT_LIST_BYTES;
    }
    if (cdb[1] == (FMT_DATA | CODE_LEGACY) &&
        vdrive_has(drive, VDRIVE_LEGACY_FORMAT)) {
        return MMC_FORMAT_LEGACY_LIST_BYTES;
    }
    return 0;
}

/* The track of a CD that will be written is the one that page 05h describes,
 * so that page has to describe packets. Drives that refuse the page on a blank
 * disc do without. */
static enum vdrive_sense check_track_mode(const struct vdrive *drive,
                                          const struct vdrive_plan *plan) {
    if (vdrive_has(drive, VDRIVE_CD) && plan->type == MMC_FORMAT_PACKET_FULL &&
        !vdrive_quirk(drive, MMC_VDRIVE_QUIRK_PAGE_05_NOT_ON_BLANK) &&
        vdrive_modes_check_packet(drive, 0)) {
        return VDRIVE_SEQUENCE_ERROR;
    }
    return VDRIVE_GOOD;
}

enum vdrive_sense vdrive_plan_parse(const struct vdrive *drive,
                                    const struct vdrive_io *io,
                                    struct vdrive_plan *out_plan) {
    const uint8_t *list = io->request->data;
    uint32_t bytes = list_bytes(drive, io->cdb);
    struct vdrive_plan plan = {0};
    enum vdrive_sense sense;

    if (!bytes) {
        return VDRIVE_INVALID_FIELD;
    }
    if (io->request->data_len != bytes) {
        return VDRIVE_LIST_LENGTH;
    }
    if (vdrive_protected(drive)) {
        return VDRIVE_WRITE_PROTECTED;
    }
    sense = check_list_header(list);
    if (!sense) {
        sense = bytes == MMC_FORMAT_LIST_BYTES
                    ? parse_descriptor(drive, list, &plan)
                    : parse_legacy(drive, list, &plan);
    }
    if (!sense) {
        sense = check_track_mode(drive, &plan);
    }
    if (!sense) {
        plan.immediate = list[1] & IMMED;
        plan.certify = !(list[1] & DCRT);
        *out_plan = plan;
    }
    return sense;
}
