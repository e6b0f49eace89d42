/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/wear.h - how often each packet of a medium was written, and the bytes of
 * that on the disc. Pure.
 *
 * The ledger area of a volume (udf/own.h) has two places for each piece of the
 * counts, a unit each: first all first places, then all second ones. They are
 * written in turn, and the one with the higher number counts, so a place that
 * is torn costs no more than the latest counts.
 *
 * Bytes of a place, little-endian:
 *   0  8 bytes  "UDFPKTW1"
 *   8  u64  checksum (XXH3) of the place, this field taken as 0
 *  16  u64  format serial of the volume
 *  24  u64  number: higher with each writing of this piece
 *  32  u32  first packet that is counted, 36 u32 how many
 *  40  u32  blocks of such a packet
 *  44       zeros
 *  64  u16  for each packet: times that it was written, 65535 at most
 */
#ifndef UDF_WEAR_H
#define UDF_WEAR_H

#include <stdbool.h>
#include <stdint.h>

/* A hundred of them count the packets of the largest disc there is. */
enum { UDF_WEAR_PIECES_MAX = 128 };

struct blockdev_geometry;

/* Counts of a medium. */
struct udf_wear {
    uint32_t packets, packet_blocks;
    uint16_t *count; /* of each packet, from LBA 0 on */
};

struct udf_wear_summary {
    uint32_t packets;        /* that are counted */
    uint32_t hottest_lba;    /* first block of the packet */
    uint32_t hottest;        /* times that it was written */
    uint32_t average_tenths; /* of all packets, in tenths */
};

/* What a place says of itself. */
struct udf_wear_head {
    uint64_t serial, number;
    uint32_t first, count, packet_blocks;
};

/* Packets of a medium; the last one may be cut short. */
uint32_t udf_wear_packets(const struct blockdev_geometry *geometry);

/* Makes counts of 0. Returns 0 or -ENOMEM. */
int udf_wear_init(struct udf_wear *wear, uint32_t packets,
                  uint32_t packet_blocks);

void udf_wear_free(struct udf_wear *wear);

/* Counts packet `index` `times` more; nothing when it is not counted. */
void udf_wear_add(struct udf_wear *wear, uint32_t index, uint32_t times);

/* Counts each packet once more: the drive has formatted the whole medium. */
void udf_wear_add_all(struct udf_wear *wear);

void udf_wear_summarise(const struct udf_wear *wear,
                        struct udf_wear_summary *out_summary);

/* Packets that one piece counts, with places of `unit` blocks. */
uint32_t udf_wear_share(uint32_t unit);

/* Pieces that count `packets` packets. */
uint32_t udf_wear_pieces(uint32_t packets, uint32_t unit);

/* Fills in which packets of `wear`, of what length, piece `piece` counts; the
 * rest of *out_head is 0. */
void udf_wear_piece(const struct udf_wear *wear, uint32_t piece, uint32_t unit,
                    struct udf_wear_head *out_head);

/* Writes a place of `unit` blocks to `raw`: the counts of head->count packets
 * from head->first on, at most udf_wear_share(). */
void udf_wear_encode(const struct udf_wear *wear,
                     const struct udf_wear_head *head, uint32_t unit,
                     uint8_t *raw);

/* Reads a place: its counts go into `wear` and its number to *io_number, if
 * that is lower. It may count fewer packets than head says: the medium may have
 * been made larger since. Returns 0; -ENOENT when it is not of the volume with
 * head->serial, or counts other packets; -ESTALE when the number is not higher;
 * -EUCLEAN when it is damaged. The checksum in `raw` is 0 afterwards. */
int udf_wear_decode(uint8_t *raw, uint32_t unit,
                    const struct udf_wear_head *head, struct udf_wear *wear,
                    uint64_t *io_number);

#endif
