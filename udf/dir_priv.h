/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/dir_priv.h - the inside of a directory, shared by udf/dir.c (finding and
 * changing), udf/dir_index.c (the index) and udf/dir_write.c (placing).
 */
#ifndef UDF_DIR_PRIV_H
#define UDF_DIR_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "udf/desc.h"
#include "udf/udf.h"

enum {
    DIR_NO_FID = -1,
    DIR_SLOTS = 64 /* places of deleted FIDs that are remembered */
};

struct dir_index_slot {
    uint32_t hash;
    uint32_t position; /* 0 = never used, UINT32_MAX = removed */
};

struct dir_index {
    struct dir_index_slot *slot; /* open addressing */
    size_t room;                 /* a power of two, or 0 */
    size_t used;                 /* slots that are not "never used" */
    size_t live;                 /* names */
};

/* The place of a deleted FID. */
struct dir_hole {
    uint32_t position, bytes;
};

struct udf_dir {
    uint8_t *stream;
    uint32_t bytes, room; /* of the stream */
    int64_t *first;       /* per block; DIR_NO_FID: no FID begins there */
    uint64_t *changed;    /* per block, mmc/bits.h */
    uint32_t blocks_room; /* blocks that first and changed have memory for */
    struct dir_index index;
    struct dir_hole hole[DIR_SLOTS];
    uint32_t holes;
};

/* Blocks that a stream of `bytes` bytes takes. */
static inline uint32_t udf_dir_blocks(uint32_t bytes) {
    return bytes / UDF_BLOCK_BYTES + (bytes % UDF_BLOCK_BYTES != 0);
}

uint32_t udf_dir_hash(const char *name, uint32_t bytes);

/* Makes room for one more name. Returns 0 or -ENOMEM. */
int udf_dir_index_reserve(struct dir_index *index);
void udf_dir_index_add(struct dir_index *index, uint32_t hash,
                       uint32_t position);
void udf_dir_index_remove(struct dir_index *index, uint32_t hash,
                          uint32_t position);

/* Walks the positions that may belong to `hash`: begin with *cursor =
 * UINT64_MAX. Returns false when there is none left. */
bool udf_dir_index_next(const struct dir_index *index, uint32_t hash,
                        uint64_t *cursor, uint32_t *out_position);

#endif
