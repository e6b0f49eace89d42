/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/file.c - reading, writing and truncating; see udf/file.h. Write-back is
 * in udf/writeback.c.
 */
#include "udf/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/file_priv.h"
#include "udf/io.h"
#include "udf/volume.h"

/* Where the extents of a file are that long, nothing is read ahead beyond them:
 * it takes as long as a seek, and is nothing that their reader asks for. In a
 * file of many pieces the next one is as likely as not among what follows. */
enum { LARGE_BYTES = 4 << 20 };

/* ---- reading ---------------------------------------------------------- */

/* Copies part of one block, wherever it is. */
static int read_part(struct udf_op *op, const struct udf_node *node,
                     uint64_t block, uint32_t skip, uint32_t bytes,
                     uint8_t *out) {
    const uint8_t *memory = udf_dirty_find(&node->body.dirty, block);
    uint8_t whole[UDF_BLOCK_BYTES];
    struct udf_extent piece;
    int error;

    if (memory) {
        memcpy(out, memory + skip, bytes);
        return 0;
    }
    if (udf_extents_map(&node->body.extents, block, &piece) ||
        piece.kind != UDF_EXTENT_RECORDED) {
        memset(out, 0, bytes);
        return 0;
    }
    error = udf_io_read(op, piece.addr, 1, whole);
    if (!error) {
        memcpy(out, whole + skip, bytes);
    }
    return error;
}

/* Reads the first `run` blocks of `piece`, the rest of an extent. Behind the
 * small files of a tree others follow that are read next as a rule. */
static int read_piece(struct udf_op *op, const struct udf_node *node,
                      const struct udf_extent *piece, uint32_t run,
                      uint8_t *out) {
    int error;

    if (node->body.size / LARGE_BYTES >= node->body.extents.count) {
        op->ahead = piece->count - run;
    }
    error = udf_io_read(op, piece->addr, run, out);
    op->ahead = UINT32_MAX;
    return error;
}

/* Reads as many of `count` whole blocks as lie together; gives how many. */
static int read_run(struct udf_op *op, const struct udf_node *node,
                    uint64_t block, uint32_t count, uint8_t *out,
                    uint32_t *out_run) {
    const struct udf_dirty *dirty = &node->body.dirty;
    uint64_t dirty_block = UINT64_MAX;
    uint32_t dirty_count;
    const uint8_t *memory =
        udf_dirty_next(dirty, block, &dirty_block, &dirty_count);
    struct udf_extent piece;
    uint32_t run = count;

    if (memory && dirty_block == block) {
        *out_run = dirty_count < count ? dirty_count : count;
        memcpy(out, memory, (size_t)*out_run * UDF_BLOCK_BYTES);
        return 0;
    }
    if (memory && dirty_block - block < run) {
        run = (uint32_t)(dirty_block - block);
    }
    if (udf_extents_map(&node->body.extents, block, &piece)) {
        piece.kind = UDF_EXTENT_HOLE;
        piece.count = run;
    }
    *out_run = piece.count < run ? piece.count : run;
    if (piece.kind != UDF_EXTENT_RECORDED) {
        memset(out, 0, (size_t)*out_run * UDF_BLOCK_BYTES);
        return 0;
    }
    return read_piece(op, node, &piece, *out_run, out);
}

int udf_file_read(struct udf_op *op, const struct udf_node *node,
                  uint64_t offset, uint32_t count, void *buf,
                  uint32_t *out_count) {
    const struct udf_body *body = &node->body;
    uint8_t *out = buf;
    uint32_t done = 0;

    if (offset >= body->size) {
        *out_count = 0;
        return 0;
    }
    if (count > body->size - offset) {
        count = (uint32_t)(body->size - offset);
    }
    if (body->embedded) {
        memcpy(out, body->inline_data + offset, count);
        *out_count = count;
        return 0;
    }
    while (done < count) {
        uint64_t at = offset + done;
        uint64_t block = at / UDF_BLOCK_BYTES;
        uint32_t skip = (uint32_t)(at % UDF_BLOCK_BYTES);
        uint32_t bytes = count - done;
        int error;

        if (skip > 0 || bytes < UDF_BLOCK_BYTES) {
            if (bytes > UDF_BLOCK_BYTES - skip) {
                bytes = UDF_BLOCK_BYTES - skip;
            }
            error = read_part(op, node, block, skip, bytes, out + done);
        } else {
            uint32_t run;

            error = read_run(op, node, block, bytes / UDF_BLOCK_BYTES,
                             out + done, &run);
            bytes = run * UDF_BLOCK_BYTES;
        }
        if (error) {
            return error;
        }
        done += bytes;
    }
    *out_count = count;
    return 0;
}

/* ---- blocks that are written only in part ----------------------------- */

bool udf_file_has_place(const struct udf_node *node, uint64_t block) {
    struct udf_extent piece;

    return udf_extents_map(&node->body.extents, block, &piece) == 0 &&
           piece.kind != UDF_EXTENT_HOLE;
}

static bool any_set(const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (bytes[i]) {
            return true;
        }
    }
    return false;
}

int udf_file_edge_load(struct udf_op *op, const struct udf_node *node,
                       struct udf_edges *edges, uint64_t block) {
    struct udf_edge *edge = &edges->edge[edges->count];
    uint64_t size = node->body.size;
    uint64_t start = block * UDF_BLOCK_BYTES;
    int error;

    if (start >= size || udf_dirty_find(&node->body.dirty, block)) {
        return 0;
    }
    for (uint32_t i = 0; i < edges->count; i++) {
        if (edges->edge[i].block == block) {
            return 0;
        }
    }
    error = read_part(op, node, block, 0, UDF_BLOCK_BYTES, edge->data);
    if (error) {
        return error;
    }
    edge->stale = false;
    if (size - start < UDF_BLOCK_BYTES) {
        uint32_t used = (uint32_t)(size - start);

        edge->stale = any_set(edge->data + used, UDF_BLOCK_BYTES - used);
        memset(edge->data + used, 0, UDF_BLOCK_BYTES - used);
    }
    edge->block = block;
    edges->count++;
    return 0;
}

int udf_file_edge_load_end(struct udf_op *op, const struct udf_node *node,
                           struct udf_edges *edges, uint64_t new_size) {
    uint64_t size = node->body.size;

    if (size % UDF_BLOCK_BYTES == 0 || new_size <= size) {
        return 0;
    }
    return udf_file_edge_load(op, node, edges, size / UDF_BLOCK_BYTES);
}

/* ---- memory and reservation ------------------------------------------- */

/* Makes `block`, which is not dirty, dirty; its memory has no content yet.
 * `follow`: see udf_dirty_add(). */
static uint8_t *add_dirty(struct udf_volume *volume, struct udf_node *node,
                          uint64_t block, uint64_t follow, uint32_t *reserve) {
    struct udf_body *body = &node->body;
    uint8_t *memory = udf_dirty_add(&body->dirty, block, follow);

    if (!memory) {
        return NULL;
    }
    volume->nodes.dirty_blocks++;
    if (!udf_file_has_place(node, block)) {
        (*reserve)--;
        body->reserved++;
    }
    return memory;
}

uint8_t *udf_file_dirty(struct udf_volume *volume, struct udf_node *node,
                        uint64_t block, const uint8_t *content,
                        uint32_t *reserve) {
    uint8_t *memory = udf_dirty_find(&node->body.dirty, block);

    if (memory) {
        return memory;
    }
    memory = add_dirty(volume, node, block, 0, reserve);
    if (memory && content) {
        memcpy(memory, content, UDF_BLOCK_BYTES);
    } else if (memory) {
        memset(memory, 0, UDF_BLOCK_BYTES);
    }
    return memory;
}

bool udf_file_next_vacant(const struct udf_node *node, uint64_t from,
                          uint64_t to, uint64_t *out_block,
                          uint32_t *out_count) {
    while (from < to) {
        uint64_t end = to, dirty_block = UINT64_MAX;
        struct udf_extent piece;
        uint32_t dirty_count = 0;

        if (udf_extents_map(&node->body.extents, from, &piece) == 0) {
            end = from + piece.count < to ? from + piece.count : to;
            if (piece.kind != UDF_EXTENT_HOLE) {
                from = end;
                continue;
            }
        }
        (void)udf_dirty_next(&node->body.dirty, from, &dirty_block,
                             &dirty_count);
        if (dirty_block == from) {
            from += dirty_count;
            continue;
        }
        end = dirty_block < end ? dirty_block : end;
        *out_block = from;
        *out_count =
            end - from < UINT32_MAX ? (uint32_t)(end - from) : UINT32_MAX;
        return true;
    }
    return false;
}

uint32_t udf_file_vacant(const struct udf_node *node, uint64_t from,
                         uint64_t to) {
    uint64_t total = 0, block;
    uint32_t count;

    while (udf_file_next_vacant(node, from, to, &block, &count)) {
        total += count;
        from = block + count;
    }
    return total < UINT32_MAX ? (uint32_t)total : UINT32_MAX;
}

void udf_file_drop_dirty(struct udf_volume *volume, struct udf_node *node,
                         uint64_t from, uint64_t to) {
    struct udf_body *body = &node->body;
    uint64_t before = body->dirty.blocks;
    uint64_t block = from;
    uint32_t count, freed = 0;

    while (udf_dirty_next(&body->dirty, block, &block, &count) && block < to) {
        for (uint32_t i = 0; i < count && block + i < to; i++) {
            freed += !udf_file_has_place(node, block + i);
        }
        block += count;
    }
    udf_dirty_drop(&body->dirty, from, to);
    volume->nodes.dirty_blocks -= before - body->dirty.blocks;
    body->reserved -= freed;
    udf_space_unreserve(volume->space, freed);
}

int udf_file_reserve(struct udf_volume *volume, uint32_t count) {
    return udf_space_reserve(volume->space, count, volume->placement.keep);
}

/* ---- content in the ICB ----------------------------------------------- */

/* Makes inline_data `size` bytes long, zero filled where it is new. */
static int inline_resize(struct udf_body *body, uint64_t size) {
    uint8_t *data = NULL;

    if (size == 0) {
        free(body->inline_data);
    } else {
        data = realloc(body->inline_data, (size_t)size);
        if (!data) {
            return -ENOMEM;
        }
        if (size > body->size) {
            memset(data + body->size, 0, (size_t)(size - body->size));
        }
    }
    body->inline_data = data;
    body->size = size;
    return 0;
}

int udf_file_leave_icb(struct udf_volume *volume, struct udf_node *node) {
    struct udf_body *body = &node->body;
    uint32_t reserve = body->size > 0 ? 1 : 0;
    uint8_t *memory;
    int error = udf_file_reserve(volume, reserve);

    if (error) {
        return error;
    }
    if (body->size > 0) {
        memory = udf_file_dirty(volume, node, 0, NULL, &reserve);
        if (!memory) {
            udf_space_unreserve(volume->space, 1);
            return -ENOMEM;
        }
        memcpy(memory, body->inline_data, (size_t)body->size);
    }
    free(body->inline_data);
    body->inline_data = NULL;
    body->embedded = false;
    udf_node_touch(volume, node); /* also when what comes next fails */
    return 0;
}

int udf_file_make_room(struct udf_volume *volume, struct udf_node *node,
                       uint32_t bytes) {
    uint32_t room = udf_node_inline_room(node);

    if (bytes > room) {
        return -ENOSPC;
    }
    if (node->body.embedded && node->body.size > room - bytes) {
        return udf_file_leave_icb(volume, node);
    }
    return 0;
}

/* ---- writing ---------------------------------------------------------- */

/* Copies the data block by block. Fails only for want of memory. */
static int copy_in(struct udf_volume *volume, struct udf_node *node,
                   uint64_t offset, uint32_t count, const uint8_t *in,
                   uint32_t *reserve) {
    uint64_t last = (offset + count - 1) / UDF_BLOCK_BYTES;
    uint32_t done = 0;

    while (done < count) {
        uint64_t at = offset + done, block = at / UDF_BLOCK_BYTES;
        uint32_t skip = (uint32_t)(at % UDF_BLOCK_BYTES);
        uint32_t room = UDF_BLOCK_BYTES - skip;
        uint32_t bytes = room < count - done ? room : count - done;
        uint8_t *memory = udf_dirty_find(&node->body.dirty, block);

        if (!memory) {
            memory = add_dirty(volume, node, block, last - block, reserve);
            if (!memory) {
                return -ENOMEM;
            }
            memset(memory, 0, skip);
            memset(memory + skip + bytes, 0, room - bytes);
        }
        memcpy(memory + skip, in + done, bytes);
        done += bytes;
    }
    return 0;
}

static int write_blocks(struct udf_op *op, struct udf_node *node,
                        uint64_t offset, uint32_t count, const uint8_t *in) {
    struct udf_volume *volume = op->volume;
    uint64_t end = offset + count;
    struct udf_edges edges = {0};
    uint32_t reserve;
    int error = udf_file_edge_load_end(op, node, &edges, end);

    if (!error && offset % UDF_BLOCK_BYTES) {
        error = udf_file_edge_load(op, node, &edges, offset / UDF_BLOCK_BYTES);
    }
    if (!error && end % UDF_BLOCK_BYTES) {
        error = udf_file_edge_load(op, node, &edges, end / UDF_BLOCK_BYTES);
    }
    /* A shorter gap is two descriptors at most, as any fragment. */
    if (!error && offset > node->body.size + UDF_EXTENT_BYTES_MAX) {
        error = udf_node_make_chain(volume, node, end);
    }
    if (error) {
        return error;
    }
    reserve =
        udf_file_vacant(node, offset / UDF_BLOCK_BYTES, udf_file_blocks(end));
    for (uint32_t i = 0; i < edges.count; i++) {
        reserve += !udf_file_has_place(node, edges.edge[i].block);
    }
    error = udf_file_reserve(volume, reserve);
    if (error) {
        return error;
    }
    for (uint32_t i = 0; !error && i < edges.count; i++) {
        if (!udf_file_dirty(volume, node, edges.edge[i].block,
                            edges.edge[i].data, &reserve)) {
            error = -ENOMEM;
        }
    }
    if (!error) {
        error = copy_in(volume, node, offset, count, in, &reserve);
    }
    udf_space_unreserve(volume->space, reserve);
    if (!error && end > node->body.size) {
        node->body.size = end;
    }
    return error;
}

int udf_file_write(struct udf_op *op, struct udf_node *node, uint64_t offset,
                   uint32_t count, const void *buf) {
    struct udf_body *body = &node->body;
    uint64_t end = offset + count;
    int error = 0;

    if (count == 0) {
        return 0;
    }
    if (udf_nonalloc_is(op->volume, node)) {
        return -EPERM;
    }
    if (offset > UDF_FILE_BYTES_MAX || end > UDF_FILE_BYTES_MAX) {
        return -EFBIG;
    }
    if (body->embedded && end <= udf_node_inline_room(node)) {
        if (end > body->size) {
            error = inline_resize(body, end);
        }
        if (!error) {
            memcpy(body->inline_data + offset, buf, count);
        }
    } else {
        if (body->embedded) {
            error = udf_file_leave_icb(op->volume, node);
        }
        if (!error) {
            error = write_blocks(op, node, offset, count, buf);
        }
    }
    if (!error) {
        udf_node_touch(op->volume, node);
    }
    return error;
}

/* ---- resizing ------------------------------------------------------- */

int udf_file_lengthen(struct udf_volume *volume, struct udf_node *node,
                      const struct udf_edges *edges, uint64_t size) {
    uint32_t none = 0; /* what is stale has a place */

    for (uint32_t i = 0; i < edges->count; i++) {
        const struct udf_edge *edge = &edges->edge[i];

        if (edge->stale &&
            !udf_file_dirty(volume, node, edge->block, edge->data, &none)) {
            return -ENOMEM;
        }
    }
    node->body.size = size;
    return 0;
}

static int shrink(struct udf_op *op, struct udf_node *node, uint64_t size) {
    struct udf_volume *volume = op->volume;
    struct udf_body *body = &node->body;
    uint32_t cut = (uint32_t)(size % UDF_BLOCK_BYTES);
    uint64_t blocks = udf_file_blocks(size);
    int error;

    if (cut > 0 && size < body->size && udf_file_has_place(node, blocks - 1) &&
        !udf_dirty_find(&body->dirty, blocks - 1)) {
        struct udf_edges edges = {0};
        uint32_t none = 0;

        error = udf_file_edge_load(op, node, &edges, blocks - 1);
        if (error) {
            return error;
        }
        if (edges.count > 0 && !udf_file_dirty(volume, node, blocks - 1,
                                               edges.edge[0].data, &none)) {
            return -ENOMEM;
        }
    }
    if (cut > 0) {
        uint8_t *memory = udf_dirty_find(&body->dirty, blocks - 1);

        if (memory) {
            memset(memory + cut, 0, UDF_BLOCK_BYTES - cut);
        }
    }
    udf_file_drop_dirty(volume, node, blocks, UINT64_MAX);
    if (udf_extents_end(&body->extents) > blocks) {
        error = udf_extents_resize(&body->extents, blocks, udf_node_drop_piece,
                                   volume);
        if (error) {
            return error;
        }
    }
    body->size = size;
    body->preallocated = false;
    body->embedded = size == 0;
    return 0;
}

static int lengthen(struct udf_op *op, struct udf_node *node, uint64_t size) {
    struct udf_edges edges = {0};
    int error = udf_file_edge_load_end(op, node, &edges, size);

    if (!error) {
        error = udf_node_make_chain(op->volume, node, size);
    }
    return error ? error : udf_file_lengthen(op->volume, node, &edges, size);
}

int udf_file_resize(struct udf_op *op, struct udf_node *node, uint64_t size) {
    struct udf_body *body = &node->body;
    int error = 0;

    if (udf_nonalloc_is(op->volume, node)) {
        return -EPERM;
    }
    if (size > UDF_FILE_BYTES_MAX) {
        return -EFBIG;
    }
    if (size == body->size && !body->preallocated) {
        return 0;
    }
    if (body->embedded && size <= udf_node_inline_room(node)) {
        error = inline_resize(body, size);
    } else {
        if (body->embedded) {
            error = udf_file_leave_icb(op->volume, node);
        }
        if (!error) {
            error = size > body->size ? lengthen(op, node, size)
                                      : shrink(op, node, size);
        }
    }
    if (!error) {
        udf_node_touch(op->volume, node);
    }
    return error;
}
