/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/dirty.h - the blocks of one file that were written and have no place on
 * the disc yet (delayed allocation), or a place that is still to be written.
 * Pure.
 *
 * Blocks are kept in chunks of 32, sorted by position. A block is here as a
 * whole: what the file does not fill of its last block is zero.
 */
#ifndef UDF_DIRTY_H
#define UDF_DIRTY_H

#include <stddef.h>
#include <stdint.h>

#include "udf/desc.h"

enum { UDF_CHUNK_BLOCKS = 32 };

struct udf_chunk {
    uint64_t index;  /* first block / UDF_CHUNK_BLOCKS */
    uint32_t blocks; /* bit n: block n of the chunk is here */
    uint32_t room;   /* blocks that `data` has memory for */
    uint8_t *data;
};

struct udf_dirty {
    struct udf_chunk *chunk;
    size_t count, room;
    uint64_t blocks; /* in all chunks together */
};

/* Memory of block `block` of the file, or NULL when it is not here. */
uint8_t *udf_dirty_find(const struct udf_dirty *dirty, uint64_t block);

/* Adds a block (which may be here already) and gives its memory, whose content
 * is unspecified when it is new. `follow` blocks behind it will be added next:
 * memory for them is made at once. NULL when there is none. */
uint8_t *udf_dirty_add(struct udf_dirty *dirty, uint64_t block,
                       uint64_t follow);

/* Gives the next run of blocks at or behind `from`, within one chunk: they are
 * contiguous in memory. Returns the first block's memory, NULL at the end. */
uint8_t *udf_dirty_next(const struct udf_dirty *dirty, uint64_t from,
                        uint64_t *out_block, uint32_t *out_count);

/* Blocks of [from, to) that are here. */
uint64_t udf_dirty_count(const struct udf_dirty *dirty, uint64_t from,
                         uint64_t to);

/* Drops the blocks of [from, to). */
void udf_dirty_drop(struct udf_dirty *dirty, uint64_t from, uint64_t to);

#endif
