/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/dir_write.c - a directory's way to the disc: in its ICB while it fits,
 * else in one extent of its own. See udf/dir.h.
 *
 * A directory that outgrows its extent is moved whole to a longer one, with
 * free space behind it to grow into: several readers expect one extent. Only
 * where no such run is free does it fall into pieces.
 */
#include "udf/dir.h"

#include <errno.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "udf/dir_priv.h"
#include "udf/fid.h"
#include "udf/io.h"
#include "udf/spaces.h"
#include "udf/volume.h"

/* ---- sealing ---------------------------------------------------------- */

/* Seals the FIDs that begin in `blocks` blocks from `block` on for the place
 * `lbn`: one block, or all of them when they are embedded in the ICB. */
static void seal_block(struct udf_dir *dir, uint32_t block, uint32_t blocks,
                       uint32_t lbn, const struct udf_tag_style *style) {
    uint64_t end = (uint64_t)(block + blocks) * UDF_BLOCK_BYTES;
    int64_t at = dir->first[block];

    if (at == DIR_NO_FID) {
        return;
    }
    while ((uint64_t)at < end && at < dir->bytes) {
        struct udf_fid fid;
        uint32_t bytes;

        if (udf_fid_decode(dir->stream + at, dir->bytes - (uint32_t)at, &fid,
                           &bytes)) {
            return; /* cannot be: the stream was checked */
        }
        if (fid.location != lbn) {
            udf_fid_move(dir->stream + at, bytes, style, lbn);
        }
        at += bytes;
    }
}

/* ---- placing ---------------------------------------------------------- */

static int put_extent(struct udf_volume *volume, struct udf_node *node,
                      uint64_t block, uint32_t lbn, uint32_t count) {
    struct udf_extent piece = {
        .block = block,
        .count = count,
        .kind = UDF_EXTENT_RECORDED,
        .addr = {.lbn = lbn, .part = volume->placement.meta_part},
    };
    int error = udf_extents_put(&node->body.extents, &piece,
                                udf_node_drop_piece, volume);

    if (error) {
        udf_volume_give(volume, piece.addr, count);
    }
    return error;
}

/* Lengthens in place: right behind the last extent. */
static bool extend_here(struct udf_volume *volume, struct udf_node *node,
                        uint32_t have, uint32_t want) {
    struct udf_extent last;

    if (have == 0 || udf_extents_map(&node->body.extents, have - 1, &last) ||
        last.kind != UDF_EXTENT_RECORDED ||
        last.addr.part != volume->placement.meta_part ||
        udf_space_take_at(volume->meta, last.addr.lbn + 1, want - have)) {
        return false;
    }
    return put_extent(volume, node, have, last.addr.lbn + 1, want - have) == 0;
}

/* Takes pieces wherever they are. */
static int extend_anywhere(struct udf_volume *volume, struct udf_node *node,
                           uint32_t have, uint32_t want) {
    while (have < want) {
        uint32_t lbn, count;
        int error =
            udf_space_take_run(volume->meta, 0, want - have, &lbn, &count);

        if (!error) {
            error = put_extent(volume, node, have, lbn, count);
        }
        if (error) {
            return error;
        }
        have += count;
    }
    return 0;
}

/* A small directory shares its packet with others, which change when it does,
 * as often as not. */
static int take_extent(struct udf_volume *volume, uint32_t want,
                       uint32_t *out_lbn) {
    uint32_t room = 2 * want; /* to grow into */

    if (room <= volume->dev->geometry.packet_blocks &&
        udf_space_take_apart(volume->meta, UDF_SPACE_DIRECTORIES, want, room,
                             out_lbn) == 0) {
        return 0;
    }
    return udf_space_take_whole(volume->meta, 0, want, out_lbn);
}

/* Makes the extents `want` blocks long. The blocks from *out_fresh on are in a
 * new place. */
static int place(struct udf_volume *volume, struct udf_node *node,
                 uint32_t want, uint32_t *out_fresh) {
    struct udf_dir *dir = node->dir;
    uint32_t have = (uint32_t)udf_extents_end(&node->body.extents);
    uint32_t lbn;
    /* Another writer may have allocated blocks for it to grow into. */
    int error = udf_extents_turn(&node->body.extents, 0, want,
                                 UDF_EXTENT_ALLOCATED, UDF_EXTENT_RECORDED);

    if (error) {
        return error;
    }
    *out_fresh = have;
    if (want <= have) {
        return udf_extents_resize(&node->body.extents, want,
                                  udf_node_drop_piece, volume);
    }
    if (extend_here(volume, node, have, want)) {
        return 0;
    }
    /* All of it goes elsewhere, with more blocks than were reserved for it: the
     * others' must stay. */
    if (udf_spaces_meta_room(volume, want) == 0 &&
        take_extent(volume, want, &lbn) == 0) {
        *out_fresh = 0;
        mmc_bits_set_range(dir->changed, 0, want);
        return put_extent(volume, node, 0, lbn, want);
    }
    return extend_anywhere(volume, node, have, want);
}

/* ---- writing ---------------------------------------------------------- */

static int write_embedded(struct udf_volume *volume, struct udf_node *node) {
    struct udf_dir *dir = node->dir;
    int error =
        udf_extents_resize(&node->body.extents, 0, udf_node_drop_piece, volume);

    if (error) {
        return error;
    }
    node->body.embedded = true;
    seal_block(dir, 0, udf_dir_blocks(dir->bytes), node->chain.entry.lbn,
               &volume->identity.style);
    mmc_bits_clear_range(dir->changed, 0, dir->blocks_room);
    return 0;
}

static int write_block(struct udf_volume *volume, struct udf_node *node,
                       uint32_t block, enum udf_overlay_class class) {
    struct udf_dir *dir = node->dir;
    uint8_t image[UDF_BLOCK_BYTES] = {0};
    uint32_t start = block * UDF_BLOCK_BYTES;
    uint32_t bytes = dir->bytes - start;
    struct udf_extent piece;

    if (udf_extents_map(&node->body.extents, block, &piece)) {
        return -EUCLEAN;
    }
    if (bytes > UDF_BLOCK_BYTES) {
        bytes = UDF_BLOCK_BYTES;
    }
    memcpy(image, dir->stream + start, bytes);
    return udf_io_write_meta(volume, piece.addr, class, image);
}

/* Sealing may change the next block too (a tag that crosses the border), so
 * all changed blocks are sealed before the first is written. */
static int write_blocks(struct udf_volume *volume, struct udf_node *node,
                        uint32_t blocks, uint32_t fresh) {
    struct udf_dir *dir = node->dir;
    uint64_t block;
    int error = 0;

    for (block = mmc_bits_next_set(dir->changed, 0, blocks); block < blocks;
         block = mmc_bits_next_set(dir->changed, block + 1, blocks)) {
        struct udf_extent piece;

        if (udf_extents_map(&node->body.extents, block, &piece)) {
            return -EUCLEAN;
        }
        seal_block(dir, (uint32_t)block, 1, piece.addr.lbn,
                   &volume->identity.style);
    }
    for (block = mmc_bits_next_set(dir->changed, 0, blocks);
         !error && block < blocks;
         block = mmc_bits_next_set(dir->changed, block + 1, blocks)) {
        error = write_block(volume, node, (uint32_t)block,
                            block < fresh ? UDF_OVERLAY_DIRECTORY
                                          : UDF_OVERLAY_FRESH);
    }
    if (!error) {
        mmc_bits_clear_range(dir->changed, 0, dir->blocks_room);
    }
    return error;
}

void udf_dir_moved(struct udf_dir *dir, uint32_t block, uint32_t count) {
    /* The tag of the last FID, which is sealed anew, may end in the block
     * behind. */
    uint64_t end = (uint64_t)block + count + 1;
    uint32_t blocks = udf_dir_blocks(dir->bytes);

    if (block < blocks) {
        mmc_bits_set_range(dir->changed, block, end < blocks ? end : blocks);
    }
}

int udf_dir_write(struct udf_volume *volume, struct udf_node *node) {
    struct udf_body *body = &node->body;
    uint32_t blocks = udf_dir_blocks(node->dir->bytes);
    uint32_t fresh;
    int error;

    if (node->dir->bytes <= udf_node_inline_room(node)) {
        error = write_embedded(volume, node);
    } else {
        if (body->embedded) {
            /* What was sealed for the ICB is sealed again for its block. */
            mmc_bits_set_range(node->dir->changed, 0, blocks);
            body->embedded = false;
        }
        error = place(volume, node, blocks, &fresh);
        if (!error) {
            error = write_blocks(volume, node, blocks, fresh);
        }
    }
    if (!error) {
        udf_space_unreserve(volume->meta, body->reserved);
        body->reserved = 0;
    }
    return error;
}
