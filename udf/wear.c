/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/wear.c - see udf/wear.h.
 */
#include "udf/wear.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "udf/bytes.h"
#include "udf/desc.h"
#include "udf/run.h"

static const char magic[8] = {'U', 'D', 'F', 'P', 'K', 'T', 'W', '1'};

enum {
    AT_SUM = 8,
    AT_SERIAL = 16,
    AT_NUMBER = 24,
    AT_FIRST = 32,
    AT_COUNT = 36,
    AT_BLOCKS = 40,
    AT_COUNTS = 64
};

uint32_t udf_wear_packets(const struct blockdev_geometry *geometry) {
    return (geometry->blocks - 1) / geometry->packet_blocks + 1;
}

int udf_wear_init(struct udf_wear *wear, uint32_t packets,
                  uint32_t packet_blocks) {
    *wear =
        (struct udf_wear){.packets = packets, .packet_blocks = packet_blocks};
    wear->count = calloc(packets, sizeof(*wear->count));
    return wear->count ? 0 : -ENOMEM;
}

void udf_wear_free(struct udf_wear *wear) {
    free(wear->count);
    *wear = (struct udf_wear){0};
}

void udf_wear_add(struct udf_wear *wear, uint32_t index, uint32_t times) {
    if (index < wear->packets) {
        uint32_t room = UINT16_MAX - wear->count[index];

        wear->count[index] =
            (uint16_t)(wear->count[index] + (times < room ? times : room));
    }
}

void udf_wear_add_all(struct udf_wear *wear) {
    for (uint32_t i = 0; i < wear->packets; i++) {
        udf_wear_add(wear, i, 1);
    }
}

void udf_wear_summarise(const struct udf_wear *wear,
                        struct udf_wear_summary *out_summary) {
    uint64_t sum = 0;
    uint32_t hottest = 0;

    for (uint32_t i = 0; i < wear->packets; i++) {
        sum += wear->count[i];
        hottest = wear->count[i] > wear->count[hottest] ? i : hottest;
    }
    *out_summary = (struct udf_wear_summary){.packets = wear->packets};
    if (wear->packets > 0) {
        out_summary->hottest_lba = hottest * wear->packet_blocks;
        out_summary->hottest = wear->count[hottest];
        out_summary->average_tenths = (uint32_t)(sum * 10 / wear->packets);
    }
}

uint32_t udf_wear_share(uint32_t unit) {
    return (unit * UDF_BLOCK_BYTES - AT_COUNTS) / 2;
}

uint32_t udf_wear_pieces(uint32_t packets, uint32_t unit) {
    return packets ? (packets - 1) / udf_wear_share(unit) + 1 : 0;
}

void udf_wear_piece(const struct udf_wear *wear, uint32_t piece, uint32_t unit,
                    struct udf_wear_head *out_head) {
    uint32_t share = udf_wear_share(unit);
    uint32_t first = piece * share;
    uint32_t rest = wear->packets - first;

    *out_head = (struct udf_wear_head){
        .first = first,
        .count = rest < share ? rest : share,
        .packet_blocks = wear->packet_blocks,
    };
}

/* Of the place with the checksum field as 0, which is left so. */
static uint64_t sum_of(uint8_t *raw, uint32_t unit) {
    memset(raw + AT_SUM, 0, sizeof(uint64_t));
    return udf_run_sum(raw, (size_t)unit * UDF_BLOCK_BYTES);
}

void udf_wear_encode(const struct udf_wear *wear,
                     const struct udf_wear_head *head, uint32_t unit,
                     uint8_t *raw) {
    memset(raw, 0, (size_t)unit * UDF_BLOCK_BYTES);
    memcpy(raw, magic, sizeof(magic));
    udf_put64(raw + AT_SERIAL, head->serial);
    udf_put64(raw + AT_NUMBER, head->number);
    udf_put32(raw + AT_FIRST, head->first);
    udf_put32(raw + AT_COUNT, head->count);
    udf_put32(raw + AT_BLOCKS, head->packet_blocks);
    for (uint32_t i = 0; i < head->count; i++) {
        udf_put16(raw + AT_COUNTS + 2 * (size_t)i,
                  wear->count[head->first + i]);
    }
    udf_put64(raw + AT_SUM, sum_of(raw, unit));
}

int udf_wear_decode(uint8_t *raw, uint32_t unit,
                    const struct udf_wear_head *head, struct udf_wear *wear,
                    uint64_t *io_number) {
    uint64_t number = udf_get64(raw + AT_NUMBER);
    uint64_t sum = udf_get64(raw + AT_SUM);
    uint32_t count = udf_get32(raw + AT_COUNT);

    if (memcmp(raw, magic, sizeof(magic)) != 0 ||
        udf_get64(raw + AT_SERIAL) != head->serial ||
        udf_get32(raw + AT_FIRST) != head->first || count > head->count ||
        udf_get32(raw + AT_BLOCKS) != head->packet_blocks) {
        return -ENOENT;
    }
    if (sum != sum_of(raw, unit)) {
        return -EUCLEAN;
    }
    if (number <= *io_number) {
        return -ESTALE;
    }
    for (uint32_t i = 0; i < count; i++) {
        wear->count[head->first + i] =
            udf_get16(raw + AT_COUNTS + 2 * (size_t)i);
    }
    *io_number = number;
    return 0;
}
