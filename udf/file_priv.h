/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/file_priv.h - what udf/file.c (reading, writing, resizing) and
 * udf/file_range.c (allocating, zeroing, punching, seeking) share.
 *
 * An operation goes in three steps, so that it changes nothing before all it
 * needs is there: it loads the edges, reserves space, and only then changes
 * blocks.
 */
#ifndef UDF_FILE_PRIV_H
#define UDF_FILE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"
#include "udf/node.h"
#include "udf/op.h"

/* Far above any disc, and low enough that no sum of offsets overflows. */
#define UDF_FILE_BYTES_MAX ((uint64_t)1 << 50)

enum { UDF_EDGES_MAX = 3 }; /* old last block, first and last block changed */

/* A block whose old content must be known before part of it is changed. */
struct udf_edge {
    uint64_t block;
    bool stale; /* the disc has something behind the end of the file */
    uint8_t data[UDF_BLOCK_BYTES]; /* with zeros there */
};

struct udf_edges {
    uint32_t count;
    struct udf_edge edge[UDF_EDGES_MAX];
};

static inline uint64_t udf_file_blocks(uint64_t bytes) {
    return (bytes + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES;
}

/* Whether `block` has a place on the disc. */
bool udf_file_has_place(const struct udf_node *node, uint64_t block);

/* The next blocks of [from, to) that have no place and are not dirty: space
 * for them is neither taken nor reserved. False when there are none. */
bool udf_file_next_vacant(const struct udf_node *node, uint64_t from,
                          uint64_t to, uint64_t *out_block,
                          uint32_t *out_count);

/* How many such blocks there are, at most UINT32_MAX. */
uint32_t udf_file_vacant(const struct udf_node *node, uint64_t from,
                         uint64_t to);

/* Loads `block`, unless it is dirty, beyond the end of the file, or an edge
 * already. Returns 0; UDF_MISS; -EIO. */
int udf_file_edge_load(struct udf_op *op, const struct udf_node *node,
                       struct udf_edges *edges, uint64_t block);

/* The same for the block that holds the end of the file, when the file grows
 * to `new_size` bytes: others may have left anything behind its end. */
int udf_file_edge_load_end(struct udf_op *op, const struct udf_node *node,
                           struct udf_edges *edges, uint64_t new_size);

/* Makes `block` dirty, with `content` (NULL: zeros) when it was not, and gives
 * its memory; takes one of *reserve when it has no place. NULL: no memory. */
uint8_t *udf_file_dirty(struct udf_volume *volume, struct udf_node *node,
                        uint64_t block, const uint8_t *content,
                        uint32_t *reserve);

/* Drops the dirty blocks of [from, to) and what was reserved for them. */
void udf_file_drop_dirty(struct udf_volume *volume, struct udf_node *node,
                         uint64_t from, uint64_t to);

/* Sets `count` blocks aside. Returns 0 or -ENOSPC. */
int udf_file_reserve(struct udf_volume *volume, uint32_t count);

/* Sets the size to more than it is, after udf_file_edge_load_end(): blanks what
 * the old last block has behind the end. Returns 0 or -ENOMEM. */
int udf_file_lengthen(struct udf_volume *volume, struct udf_node *node,
                      const struct udf_edges *edges, uint64_t size);

/* Moves embedded content out into a dirty block. Returns 0; -ENOSPC;
 * -ENOMEM. */
int udf_file_leave_icb(struct udf_volume *volume, struct udf_node *node);

#endif
