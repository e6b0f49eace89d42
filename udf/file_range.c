/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/file_range.c - allocating, zeroing and punching ranges of a file, and
 * finding its holes; see udf/file.h.
 *
 * A block without data is a hole, or allocated and not recorded: it has its
 * place and reads as zeros (ECMA-167 4/14.14.1.1). What is allocated is taken
 * from the disc at once, unlike what is written: that is what the caller asks
 * for. Blocks that are dirty already have their space reserved, and get their
 * place with write-back.
 *
 * Bytes of blocks that a range covers only in part are zeroed in memory.
 */
#include <errno.h>
#include <string.h>

#include "udf/file.h"
#include "udf/file_priv.h"
#include "udf/volume.h"

/* A range of bytes, as blocks. */
struct span {
    uint64_t offset, end;  /* bytes */
    uint64_t first, last;  /* blocks that it touches: [first, last) */
    uint64_t whole, until; /* blocks whose content goes: [whole, until) */
};

static struct span span_of(const struct udf_node *node,
                           const struct udf_range *range) {
    uint64_t size = node->body.size;
    struct span span = {
        .offset = range->offset,
        .end = range->offset + range->count,
        .first = range->offset / UDF_BLOCK_BYTES,
        .whole = udf_file_blocks(range->offset),
    };

    span.last = udf_file_blocks(span.end);
    /* Nothing of the last block is left when the file ends in the range. */
    span.until = span.end >= size ? span.last : span.end / UDF_BLOCK_BYTES;
    if (span.until < span.whole) {
        span.until = span.whole;
    }
    return span;
}

/* ---- allocating ------------------------------------------------------- */

static int take_vacant(struct udf_volume *volume, struct udf_node *node,
                       uint64_t block, uint32_t want, uint32_t *out_count) {
    struct udf_extent piece = {
        .block = block,
        .kind = UDF_EXTENT_ALLOCATED,
        .addr.part = volume->placement.data_part,
    };
    int error = udf_space_take_run(volume->space, volume->placement.data_goal,
                                   want, &piece.addr.lbn, &piece.count);

    if (error) {
        return error;
    }
    error = udf_extents_put(&node->body.extents, &piece, NULL, NULL);
    if (error) {
        udf_volume_give(volume, piece.addr, piece.count);
        return error;
    }
    if (node->orphan) {
        udf_volume_orphan(volume, piece.addr, piece.count);
    }
    volume->placement.data_goal = piece.addr.lbn + piece.count;
    *out_count = piece.count;
    return 0;
}

/* Gives every vacant block of [from, to) its place. All or nothing but for
 * want of memory. */
static int allocate(struct udf_volume *volume, struct udf_node *node,
                    uint64_t from, uint64_t to) {
    uint32_t left = udf_file_vacant(node, from, to);
    uint64_t block;
    uint32_t count, taken;
    int error = udf_file_reserve(volume, left);

    if (error) {
        return error;
    }
    while (!error && udf_file_next_vacant(node, from, to, &block, &count)) {
        error = take_vacant(volume, node, block, count, &taken);
        if (!error) {
            udf_space_unreserve(volume->space, taken);
            left -= taken;
            from = block + taken;
        }
    }
    udf_space_unreserve(volume->space, left);
    return error;
}

/* ---- zeroing ---------------------------------------------------------- */

/* Puts holes in place of the blocks [from, to). */
static int punch(struct udf_volume *volume, struct udf_node *node,
                 uint64_t from, uint64_t to) {
    struct udf_extents *extents = &node->body.extents;
    uint64_t end = udf_extents_end(extents);

    udf_file_drop_dirty(volume, node, from, to);
    to = to < end ? to : end;
    while (from < to) {
        struct udf_extent hole = {
            .block = from,
            .count =
                to - from < UINT32_MAX ? (uint32_t)(to - from) : UINT32_MAX,
            .kind = UDF_EXTENT_HOLE,
        };
        int error =
            udf_extents_put(extents, &hole, udf_node_drop_piece, volume);

        if (error) {
            return error;
        }
        from += hole.count;
    }
    return 0;
}

/* Zeroes the blocks [from, to), which have a place or are dirty. A dirty block
 * without a place keeps its reservation. */
static int blank(struct udf_volume *volume, struct udf_node *node,
                 uint64_t from, uint64_t to) {
    struct udf_dirty *dirty = &node->body.dirty;
    uint64_t block = from;
    uint8_t *memory;
    uint32_t count;

    for (memory = udf_dirty_next(dirty, block, &block, &count);
         memory && block < to;
         memory = udf_dirty_next(dirty, block, &block, &count)) {
        if (udf_file_has_place(node, block)) {
            udf_file_drop_dirty(volume, node, block, block + 1);
        } else {
            memset(memory, 0, UDF_BLOCK_BYTES);
        }
        block++;
    }
    return udf_extents_turn(&node->body.extents, from, to, UDF_EXTENT_RECORDED,
                            UDF_EXTENT_ALLOCATED);
}

/* Whether `block` holds data on the disc only. */
static bool is_recorded(const struct udf_node *node, uint64_t block) {
    struct udf_extent piece;

    return !udf_dirty_find(&node->body.dirty, block) &&
           udf_extents_map(&node->body.extents, block, &piece) == 0 &&
           piece.kind == UDF_EXTENT_RECORDED;
}

static bool is_partial(const struct span *span, uint64_t block) {
    return block >= span->first && block < span->last &&
           (block < span->whole || block >= span->until);
}

/* Loads the blocks of which only a part is zeroed. */
static int load_partial(struct udf_op *op, const struct udf_node *node,
                        const struct span *span, struct udf_edges *edges) {
    uint64_t ends[2] = {span->first, span->last - 1};
    int error = 0;

    for (int i = 0; !error && i < 2; i++) {
        if (is_partial(span, ends[i]) && is_recorded(node, ends[i])) {
            error = udf_file_edge_load(op, node, edges, ends[i]);
        }
    }
    return error;
}

/* Zeroes the span's part of `block`, when that holds data. */
static int zero_part(struct udf_volume *volume, struct udf_node *node,
                     const struct span *span, uint64_t block,
                     const struct udf_edges *edges) {
    uint64_t start = block * UDF_BLOCK_BYTES;
    uint64_t from = span->offset > start ? span->offset - start : 0;
    uint64_t to = span->end - start < UDF_BLOCK_BYTES ? span->end - start
                                                      : UDF_BLOCK_BYTES;
    uint8_t *memory = udf_dirty_find(&node->body.dirty, block);
    uint32_t none = 0; /* an edge has its place */

    for (uint32_t i = 0; !memory && i < edges->count; i++) {
        if (edges->edge[i].block == block) {
            memory =
                udf_file_dirty(volume, node, block, edges->edge[i].data, &none);
            if (!memory) {
                return -ENOMEM;
            }
        }
    }
    if (memory) {
        memset(memory + from, 0, (size_t)(to - from));
    }
    return 0;
}

static int zero_parts(struct udf_volume *volume, struct udf_node *node,
                      const struct span *span, const struct udf_edges *edges) {
    int error = 0;

    if (is_partial(span, span->first)) {
        error = zero_part(volume, node, span, span->first, edges);
    }
    if (!error && is_partial(span, span->last - 1)) {
        error = zero_part(volume, node, span, span->last - 1, edges);
    }
    return error;
}

/* ---- whole operations ------------------------------------------------- */

static int change_blocks(struct udf_op *op, struct udf_node *node,
                         const struct udf_range *range) {
    struct udf_volume *volume = op->volume;
    struct udf_body *body = &node->body;
    struct span span = span_of(node, range);
    bool grows = !range->keep_size && span.end > body->size;
    struct udf_edges edges = {0};
    int error = 0;

    if (range->change != UDF_RANGE_ALLOCATE) {
        error = load_partial(op, node, &span, &edges);
    }
    if (!error && grows) {
        error = udf_file_edge_load_end(op, node, &edges, span.end);
    }
    if (!error && grows) {
        error = udf_node_make_chain(volume, node, span.end);
    }
    if (!error && range->change != UDF_RANGE_PUNCH) {
        error = allocate(volume, node, span.first, span.last);
    }
    if (error) {
        return error;
    }
    udf_node_touch(volume, node);
    if (range->change != UDF_RANGE_ALLOCATE) {
        error = zero_parts(volume, node, &span, &edges);
    }
    if (!error && range->change == UDF_RANGE_PUNCH) {
        error = punch(volume, node, span.whole, span.until);
    }
    if (!error && range->change == UDF_RANGE_ZERO) {
        error = blank(volume, node, span.whole, span.until);
    }
    if (!error && grows) {
        error = udf_file_lengthen(volume, node, &edges, span.end);
    }
    if (udf_extents_end(&body->extents) > udf_file_blocks(body->size)) {
        body->preallocated = true;
    }
    return error;
}

/* Content that stays in the ICB has its place already. */
static int change_embedded(struct udf_op *op, struct udf_node *node,
                           const struct udf_range *range) {
    struct udf_body *body = &node->body;
    uint64_t end = range->offset + range->count;
    int error = 0;

    if (!range->keep_size && end > body->size) {
        error = udf_file_resize(op, node, end);
    }
    end = end < body->size ? end : body->size;
    if (!error && range->change != UDF_RANGE_ALLOCATE && range->offset < end) {
        memset(body->inline_data + range->offset, 0,
               (size_t)(end - range->offset));
        udf_node_touch(op->volume, node);
    }
    return error;
}

int udf_file_change_range(struct udf_op *op, struct udf_node *node,
                          const struct udf_range *range) {
    struct udf_body *body = &node->body;
    uint64_t end = range->offset + range->count;
    int error = 0;

    if (udf_nonalloc_is(op->volume, node)) {
        return -EPERM;
    }
    if (range->offset > UDF_FILE_BYTES_MAX ||
        range->count > UDF_FILE_BYTES_MAX - range->offset) {
        return -EFBIG;
    }
    if (body->embedded && (end <= udf_node_inline_room(node) ||
                           range->change == UDF_RANGE_PUNCH)) {
        return change_embedded(op, node, range);
    }
    if (body->embedded) {
        error = udf_file_leave_icb(op->volume, node);
    }
    return error ? error : change_blocks(op, node, range);
}

void udf_file_release_tail(struct udf_volume *volume, struct udf_node *node) {
    struct udf_body *body = &node->body;

    if (!body->preallocated) {
        return;
    }
    body->preallocated = false;
    if (udf_extents_end(&body->extents) > udf_file_blocks(body->size)) {
        /* Shortening never needs memory. */
        (void)udf_extents_resize(&body->extents, udf_file_blocks(body->size),
                                 udf_node_drop_piece, volume);
        body->embedded = body->size == 0;
        udf_node_touch(volume, node);
    }
}

/* ---- seeking ---------------------------------------------------------- */

/* Whether `block` holds data, and up to where that is so. */
static bool run_at(const struct udf_node *node, uint64_t block,
                   uint64_t *out_end) {
    uint64_t dirty_block = UINT64_MAX, end = UINT64_MAX;
    struct udf_extent piece;
    uint32_t dirty_count = 0;
    bool data = false;

    (void)udf_dirty_next(&node->body.dirty, block, &dirty_block, &dirty_count);
    if (dirty_block == block) {
        *out_end = block + dirty_count;
        return true;
    }
    if (udf_extents_map(&node->body.extents, block, &piece) == 0) {
        data = piece.kind == UDF_EXTENT_RECORDED;
        end = block + piece.count;
    }
    *out_end = !data && dirty_block < end ? dirty_block : end;
    return data;
}

int udf_file_seek(const struct udf_node *node, uint64_t offset,
                  enum udf_seek what, uint64_t *out_offset) {
    uint64_t size = node->body.size;
    uint64_t block = offset / UDF_BLOCK_BYTES;
    uint64_t blocks = udf_file_blocks(size);
    uint64_t end, found;

    if (offset >= size) {
        return -ENXIO;
    }
    if (node->body.embedded) {
        *out_offset = what == UDF_SEEK_DATA ? offset : size;
        return 0;
    }
    while (block < blocks &&
           run_at(node, block, &end) != (what == UDF_SEEK_DATA)) {
        block = end;
    }
    if (block >= blocks && what == UDF_SEEK_DATA) {
        return -ENXIO;
    }
    found = block >= blocks ? size : block * UDF_BLOCK_BYTES;
    *out_offset = found > offset ? found : offset;
    return 0;
}
