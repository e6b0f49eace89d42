/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/space_priv.h - what space.c (states and searches) and space_commit.c
 * (what the disc refers to) share. Nobody else includes this.
 */
#ifndef UDF_SPACE_PRIV_H
#define UDF_SPACE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/space.h"

/* See udf_space_take_apart(). */
struct udf_space_area {
    uint64_t begin, end; /* packets; none: the same */
    uint64_t size;       /* packets that it was to have; 0: the first is next */
    uint32_t next;       /* block behind the last that was taken */
};

struct udf_space {
    uint32_t blocks, packet_blocks, phase;
    uint64_t packets; /* up to 2^32 when packet_blocks is 1 */
    uint64_t *free_map, *usable_map, *settling_map, *orphan_map;
    /* Blocks that the last snapshot, commit and checkpoint refer to. */
    uint64_t *snapshot_map, *commit_map, *base_map;
    uint64_t *whole_map, *partial_map; /* a bit a packet */
    uint64_t *dirty_map;               /* a bit a DIRTY_GROUP */
    uint8_t *packet_usable;
    uint32_t free, usable, settling, orphaned, reserved;
    struct udf_space_area area[UDF_SPACE_KINDS];
    bool meta_only; /* udf_space_hold_metadata() */
};

/* The packet of a block; the first block of a packet, `blocks` for the one
 * behind the last. */
uint64_t udf_space_packet_of(const struct udf_space *space, uint32_t lbn);
uint32_t udf_space_packet_begin(const struct udf_space *space, uint64_t pkt);

/* free -> allocated for blocks that all are usable. */
void udf_space_use(struct udf_space *space, uint32_t lbn, uint32_t count);

/* `count` usable blocks in one piece inside packet `pkt`, from `from` on. */
bool udf_space_find_in_packet(const struct udf_space *space, uint64_t pkt,
                              uint32_t from, uint32_t count, uint32_t *out_lbn);

/* The first of `need` whole packets in a row, outside of all areas, at or
 * behind packet `from`; space->packets when there are none. Short packets at
 * the partition's ends are left out: a run with one of them would be shorter
 * than its packets say. */
uint64_t udf_space_find_packets(const struct udf_space *space, uint64_t from,
                                uint64_t need);

/* The end of the first area that shares one of `count` packets from `pkt` on;
 * 0 when none does. */
uint64_t udf_space_area_end(const struct udf_space *space, uint64_t pkt,
                            uint64_t count);

/* Lets everything be put into the areas; false when there are none. */
bool udf_space_open_areas(struct udf_space *space);

/* Brings the summaries up to date after the usable bits of [from, to) changed
 * by `change` for each block, which all were the other way before. */
void udf_space_usable_changed(struct udf_space *space, uint32_t from,
                              uint32_t to, int change);

/* Notes that the disc's bitmap of [from, to) changed. */
void udf_space_set_dirty(struct udf_space *space, uint32_t from, uint32_t to);

#endif
