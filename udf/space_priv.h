/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/space_priv.h - what space.c (states and searches) and space_commit.c
 * (what the disc refers to) share. Nobody else includes this.
 */
#ifndef UDF_SPACE_PRIV_H
#define UDF_SPACE_PRIV_H

#include <stdint.h>

#include "udf/space.h"

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
};

/* Brings the summaries up to date after the usable bits of [from, to) changed
 * by `change` for each block, which all were the other way before. */
void udf_space_usable_changed(struct udf_space *space, uint32_t from,
                              uint32_t to, int change);

/* Notes that the disc's bitmap of [from, to) changed. */
void udf_space_set_dirty(struct udf_space *space, uint32_t from, uint32_t to);

#endif
