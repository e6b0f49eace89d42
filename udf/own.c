/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/own.c - see own.h.
 */
#include "udf/own.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "udf/encode.h"
#include "udf/mark.h"
#include "udf/wear.h"

enum { OWN_VERSION = 1 };

/* The bytes as they lie on the disc. */
struct raw_own {
    uint16_t version;
    uint16_t flags;
    uint32_t journal_lba;
    uint32_t journal_packets;
    uint32_t packet_blocks;
    uint64_t format_serial;
    uint32_t sum;
    uint32_t ledger_lba;
    uint32_t ledger_places;
    uint32_t ledger_sum;
};

_Static_assert(offsetof(struct raw_own, sum) == 24 &&
                   offsetof(struct raw_own, ledger_sum) == 36 &&
                   sizeof(struct raw_own) == 40,
               "the form on the disc has no padding");

/* Of the bytes before `end`. */
static uint32_t sum_of(const struct raw_own *raw, size_t end) {
    const uint8_t *bytes = (const uint8_t *)raw;
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < end; i++) {
        sum = (sum ^ bytes[i]) * 16777619u;
    }
    return sum;
}

static uint32_t journal_sum(const struct raw_own *raw) {
    return sum_of(raw, offsetof(struct raw_own, sum));
}

static uint32_t ledger_sum(const struct raw_own *raw) {
    return sum_of(raw, offsetof(struct raw_own, ledger_sum));
}

void udf_own_encode(const struct udf_own *own, struct udf_iuvd *out_iuvd) {
    struct raw_own raw = {
        .version = htole16(OWN_VERSION),
        .journal_lba = htole32(own->journal_lba),
        .journal_packets = htole32(own->journal_packets),
        .packet_blocks = htole32(own->packet_blocks),
        .format_serial = htole64(own->format_serial),
    };
    raw.sum = htole32(journal_sum(&raw));
    if (own->ledger_places > 0) {
        raw.ledger_lba = htole32(own->ledger_lba);
        raw.ledger_places = htole32(own->ledger_places);
        raw.ledger_sum = htole32(ledger_sum(&raw));
    }
    udf_entity_own(&out_iuvd->implementation);
    strcpy(out_iuvd->implementation.id, UDF_OWN_ID);
    out_iuvd->label[0] = '\0';
    memset(out_iuvd->use, 0, sizeof(out_iuvd->use));
    memcpy(out_iuvd->use, &raw, sizeof(raw));
}

int udf_own_decode(const struct udf_iuvd *iuvd, struct udf_own *out_own) {
    if (strcmp(iuvd->implementation.id, UDF_OWN_ID) != 0) {
        return -ENOENT;
    }
    struct raw_own raw;
    memcpy(&raw, iuvd->use, sizeof(raw));
    if (le32toh(raw.sum) != journal_sum(&raw)) {
        return -EUCLEAN;
    }
    if (le16toh(raw.version) != OWN_VERSION || raw.flags != 0) {
        return -EOPNOTSUPP;
    }
    *out_own = (struct udf_own){
        .journal_lba = le32toh(raw.journal_lba),
        .journal_packets = le32toh(raw.journal_packets),
        .packet_blocks = le32toh(raw.packet_blocks),
        .format_serial = le64toh(raw.format_serial),
    };
    if (le32toh(raw.ledger_sum) == ledger_sum(&raw)) {
        out_own->ledger_lba = le32toh(raw.ledger_lba);
        out_own->ledger_places = le32toh(raw.ledger_places);
    } else {
        out_own->ledger_damaged = raw.ledger_lba != 0 ||
                                  raw.ledger_places != 0 || raw.ledger_sum != 0;
    }
    return 0;
}

/* Where an area of whole packets ends, UINT64_MAX when it may not be there. */
static uint64_t end_of(uint32_t lba, uint32_t packets, uint32_t packet,
                       uint32_t blocks, const struct udf_pd *pd) {
    uint64_t end = lba + (uint64_t)packets * packet;
    bool apart =
        end <= pd->start_lba || lba >= (uint64_t)pd->start_lba + pd->blocks;
    return lba % packet == 0 && end <= blocks && apart ? end : UINT64_MAX;
}

static uint64_t journal_end(const struct udf_own *own, uint32_t blocks,
                            const struct udf_pd *pd) {
    return end_of(own->journal_lba, own->journal_packets, own->packet_blocks,
                  blocks, pd);
}

int udf_own_check(const struct udf_own *own, uint32_t blocks,
                  const struct udf_pd *pd) {
    uint32_t packet = own->packet_blocks;
    if (packet < 16 || packet > 64 || (packet & (packet - 1)) != 0 ||
        own->journal_packets == 0 ||
        own->journal_packets > UDF_JOURNAL_PACKETS_MAX) {
        return -EUCLEAN;
    }
    return journal_end(own, blocks, pd) == UINT64_MAX ? -EUCLEAN : 0;
}

int udf_own_check_ledger(const struct udf_own *own, uint32_t blocks,
                         const struct udf_pd *pd) {
    if (own->ledger_damaged || own->ledger_places > 2 * UDF_WEAR_PIECES_MAX) {
        return -EUCLEAN;
    }
    if (own->ledger_places == 0) {
        return 0;
    }
    uint64_t end = end_of(own->ledger_lba, own->ledger_places,
                          own->packet_blocks, blocks, pd);
    bool apart = own->ledger_lba >= journal_end(own, blocks, pd) ||
                 end <= own->journal_lba;
    return end == UINT64_MAX || !apart ? -EUCLEAN : 0;
}
