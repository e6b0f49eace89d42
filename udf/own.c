/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/own.c - see own.h.
 */
#include "udf/own.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "udf/encode.h"
#include "udf/mark.h"

enum { OWN_VERSION = 1, OWN_SUMMED = 24 };

/* The bytes as they lie on the disc. */
struct raw_own {
    uint16_t version;
    uint16_t flags;
    uint32_t journal_lba;
    uint32_t journal_packets;
    uint32_t packet_blocks;
    uint64_t format_serial;
    uint32_t sum;
};

_Static_assert(offsetof(struct raw_own, sum) == OWN_SUMMED,
               "the form on the disc has no padding");

static uint32_t sum_of(const struct raw_own *raw) {
    const uint8_t *bytes = (const uint8_t *)raw;
    uint32_t sum = 2166136261u;
    for (int i = 0; i < OWN_SUMMED; i++) {
        sum = (sum ^ bytes[i]) * 16777619u;
    }
    return sum;
}

void udf_own_encode(const struct udf_own *own, struct udf_iuvd *out_iuvd) {
    struct raw_own raw = {
        .version = htole16(OWN_VERSION),
        .journal_lba = htole32(own->journal_lba),
        .journal_packets = htole32(own->journal_packets),
        .packet_blocks = htole32(own->packet_blocks),
        .format_serial = htole64(own->format_serial),
    };
    raw.sum = htole32(sum_of(&raw));
    udf_entity_own(&out_iuvd->implementation);
    strcpy(out_iuvd->implementation.id, UDF_OWN_ID);
    out_iuvd->label[0] = '\0';
    memset(out_iuvd->use, 0, sizeof(out_iuvd->use));
    memcpy(out_iuvd->use, &raw, OWN_SUMMED + sizeof(raw.sum));
}

int udf_own_decode(const struct udf_iuvd *iuvd, struct udf_own *out_own) {
    if (strcmp(iuvd->implementation.id, UDF_OWN_ID) != 0) {
        return -ENOENT;
    }
    struct raw_own raw;
    memcpy(&raw, iuvd->use, OWN_SUMMED + sizeof(raw.sum));
    if (le32toh(raw.sum) != sum_of(&raw)) {
        return -EUCLEAN;
    }
    if (le16toh(raw.version) != OWN_VERSION || raw.flags != 0) {
        return -EOPNOTSUPP;
    }
    out_own->journal_lba = le32toh(raw.journal_lba);
    out_own->journal_packets = le32toh(raw.journal_packets);
    out_own->packet_blocks = le32toh(raw.packet_blocks);
    out_own->format_serial = le64toh(raw.format_serial);
    return 0;
}

int udf_own_check(const struct udf_own *own, uint32_t blocks,
                  const struct udf_pd *pd) {
    uint32_t packet = own->packet_blocks;
    if (packet < 16 || packet > 64 || (packet & (packet - 1)) != 0 ||
        own->journal_packets == 0 ||
        own->journal_packets > UDF_JOURNAL_PACKETS_MAX ||
        own->journal_lba % packet != 0) {
        return -EUCLEAN;
    }
    uint64_t end = own->journal_lba + (uint64_t)own->journal_packets * packet;
    uint64_t pd_end = (uint64_t)pd->start_lba + pd->blocks;
    bool apart = end <= pd->start_lba || own->journal_lba >= pd_end;
    return end <= blocks && apart ? 0 : -EUCLEAN;
}
