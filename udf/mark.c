/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/mark.c - see udf/mark.h.
 */
#include "udf/mark.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "udf/encode.h"
#include "udf/run.h"

enum { MARK_BYTES = 48, MARK_BYTES_MIN = 40, TAG_BYTES = 16 };

static const char magic[8] = {'U', 'D', 'F', 'P', 'K', 'T', 'M', '1'};

struct raw_mark {
    char magic[8];
    uint64_t session;
    uint32_t lba, packets, packet_blocks, begin;
    uint64_t sum;
    uint32_t last_anchor, zero;
};

_Static_assert(sizeof(struct raw_mark) == MARK_BYTES, "as on the disc");

/* What the checksum covers does not depend on where the LVID lies. */
static uint64_t sum_of(const struct udf_lvid *lvid) {
    static const uint64_t none = 0;
    const struct udf_tag_style style = {0};
    struct udf_lvid copy = *lvid;
    uint8_t block[UDF_BLOCK_BYTES];

    memcpy(copy.own + offsetof(struct raw_mark, sum), &none, sizeof(none));
    udf_encode_lvid(&copy, &style, 0, block);
    return udf_run_sum(block + TAG_BYTES, sizeof(block) - TAG_BYTES);
}

void udf_mark_encode(const struct udf_mark *mark, struct udf_lvid *lvid) {
    struct raw_mark raw = {
        .session = htole64(mark->session),
        .lba = htole32(mark->area.lba),
        .packets = htole32(mark->area.packets),
        .packet_blocks = htole32(mark->area.packet_blocks),
        .begin = htole32(mark->begin),
        .last_anchor = htole32(mark->last_anchor),
    };

    memcpy(raw.magic, magic, sizeof(magic));
    memcpy(lvid->own, &raw, sizeof(raw));
    lvid->own_bytes = MARK_BYTES;
    raw.sum = htole64(sum_of(lvid));
    memcpy(lvid->own, &raw, sizeof(raw));
}

static bool is_possible(const struct udf_mark *mark, uint32_t blocks) {
    const struct udf_journal_area *area = &mark->area;
    uint32_t packet = area->packet_blocks;

    return packet >= 1 && packet <= 64 && (packet & (packet - 1)) == 0 &&
           area->packets >= 1 && area->packets <= UDF_JOURNAL_PACKETS_MAX &&
           mark->begin < area->packets && area->lba % packet == 0 &&
           area->lba < blocks && area->packets <= (blocks - area->lba) / packet;
}

int udf_mark_decode(const struct udf_lvid *lvid, uint32_t blocks,
                    struct udf_mark *out_mark) {
    struct raw_mark raw = {0};
    struct udf_mark mark;

    if (lvid->own_bytes < MARK_BYTES_MIN ||
        memcmp(lvid->own, magic, sizeof(magic)) != 0) {
        return -ENOENT;
    }
    memcpy(&raw, lvid->own,
           lvid->own_bytes < sizeof(raw) ? MARK_BYTES_MIN : sizeof(raw));
    mark = (struct udf_mark){
        .session = le64toh(raw.session),
        .area = {.lba = le32toh(raw.lba),
                 .packets = le32toh(raw.packets),
                 .packet_blocks = le32toh(raw.packet_blocks)},
        .begin = le32toh(raw.begin),
        .last_anchor = le32toh(raw.last_anchor),
    };
    if (!is_possible(&mark, blocks)) {
        return -EUCLEAN;
    }
    *out_mark = mark;
    return le64toh(raw.sum) == sum_of(lvid) ? 0 : -ESTALE;
}
