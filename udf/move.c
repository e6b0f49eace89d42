/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/move.c - see udf/move.h. All nodes in memory are looked at: packets go
 * bad seldom enough, and the nodes of what is just being written are there.
 */
#include "udf/move.h"

#include <errno.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "udf/dir.h"
#include "udf/io.h"
#include "udf/volume.h"

/* The part of an extent that lies in the range. */
struct piece {
    uint64_t block; /* in the file */
    uint32_t lbn, count;
    enum udf_extent_kind kind;
};

/* Bits of blocks lbn .. lbn+count-1 of the range. */
static uint64_t bits_of(const struct udf_move *move, uint32_t lbn,
                        uint32_t count) {
    return (UINT64_MAX >> (64 - count)) << (lbn - move->addr.lbn);
}

/* The first wanted piece of `extent`; false when there is none. */
static bool find_piece(const struct udf_move *move,
                       const struct udf_extent *extent,
                       struct piece *out_piece) {
    uint64_t end = (uint64_t)extent->addr.lbn + extent->count;
    uint64_t to = (uint64_t)move->addr.lbn + move->count;
    uint64_t from = move->addr.lbn;
    uint32_t first, last;

    if (extent->kind == UDF_EXTENT_HOLE ||
        extent->addr.part != move->addr.part) {
        return false;
    }
    from = extent->addr.lbn > from ? extent->addr.lbn : from;
    to = end < to ? end : to;
    if (from >= to) {
        return false;
    }
    first = (uint32_t)mmc_bits_next_set(&move->wanted, from - move->addr.lbn,
                                        to - move->addr.lbn);
    last = (uint32_t)mmc_bits_next_clear(&move->wanted, first,
                                         to - move->addr.lbn);
    if (first == last) {
        return false;
    }
    *out_piece = (struct piece){
        .block = extent->block + (move->addr.lbn + first - extent->addr.lbn),
        .lbn = move->addr.lbn + first,
        .count = last - first,
        .kind = extent->kind,
    };
    return true;
}

static bool in_range(const struct udf_move *move, uint32_t lbn, uint16_t part) {
    return part == move->addr.part && lbn >= move->addr.lbn &&
           lbn - move->addr.lbn < move->count;
}

/* ---- what can move ------------------------------------------------------ */

static bool content_can_move(const struct udf_volume *volume,
                             const struct udf_node *node) {
    return node != volume->nonalloc.node &&
           node->attr.file_type != UDF_FILE_STREAM_DIRECTORY &&
           node->attr.file_type != UDF_FILE_METADATA &&
           node->attr.file_type != UDF_FILE_METADATA_MIRROR &&
           (!udf_node_is_dir(node) || node->dir);
}

/* What of the range belongs to `node` and can move. */
static uint64_t movable(const struct udf_volume *volume,
                        const struct udf_move *move,
                        const struct udf_node *node) {
    uint64_t bits = 0;

    for (uint32_t i = 0; i < node->body.aeds; i++) {
        if (in_range(move, node->body.aed[i], node->icb.part)) {
            bits |= bits_of(move, node->body.aed[i], 1);
        }
    }
    for (size_t i = 0;
         i < node->body.extents.count && content_can_move(volume, node); i++) {
        struct udf_move rest = *move;
        struct piece piece;

        while (find_piece(&rest, &node->body.extents.list[i], &piece)) {
            uint64_t found = bits_of(move, piece.lbn, piece.count);

            bits |= found;
            rest.wanted &= ~found;
        }
    }
    return bits & move->wanted;
}

static int check(const struct udf_volume *volume, const struct udf_move *move) {
    const struct udf_nodes *nodes = &volume->nodes;
    uint64_t bits = 0;
    uint64_t room = udf_space_usable(volume->space);
    uint64_t need;

    for (size_t i = 0; i < nodes->buckets; i++) {
        for (const struct udf_node *node = nodes->bucket[i]; node;
             node = node->hash_next) {
            bits |= movable(volume, move, node);
        }
    }
    if (move->must & ~bits) {
        return -EBUSY;
    }
    /* The range's own free blocks are of no use. */
    need = mmc_bits_count(&bits, 0, 64) + move->count +
           udf_space_reserved(volume->space);
    return need > room ? -ENOSPC : 0;
}

/* ---- moving ------------------------------------------------------------- */

/* Copies the content of a block to another place. The overlay is newer than
 * the device. */
static int copy_block(struct udf_volume *volume, struct udf_addr from,
                      struct udf_addr to) {
    uint8_t block[UDF_BLOCK_BYTES];
    const uint8_t *newer = NULL;
    uint32_t lba, run;
    int error = udf_partmap_lba(&volume->maps, from, 1, &lba, &run);

    if (!error) {
        newer = udf_pending_find(volume, lba);
    }
    if (!error && !newer) {
        error = blockdev_read_cached(volume->dev, lba, 1, block);
    }
    if (!error) {
        error = udf_io_write_data(volume, to, 1, newer ? newer : block);
    }
    return error == UDF_MISS ? -EIO : error;
}

/* Blocks that were moved away from: what is not withdrawn is free on the disc,
 * but not for this mount. */
static void leave(struct udf_volume *volume, const struct udf_move *move,
                  uint32_t lbn, uint32_t count) {
    if (!move->withdraw) {
        udf_space_orphan(volume->space, lbn, count);
    }
}

/* Moves the beginning of `piece`, as far as a run is free. */
static int move_piece(struct udf_volume *volume, struct udf_node *node,
                      const struct udf_move *move, const struct piece *piece) {
    uint16_t part = move->addr.part;
    struct udf_extent moved = {
        .block = piece->block, .kind = piece->kind, .addr = {.part = part}};
    int error = udf_space_take_run(volume->space, volume->placement.data_goal,
                                   piece->count, &moved.addr.lbn, &moved.count);

    if (error) {
        return error;
    }
    for (uint32_t i = 0; !error && i < moved.count && !node->dir &&
                         piece->kind == UDF_EXTENT_RECORDED;
         i++) {
        error = copy_block(
            volume, (struct udf_addr){.lbn = piece->lbn + i, .part = part},
            (struct udf_addr){.lbn = moved.addr.lbn + i, .part = part});
    }
    if (!error) {
        error = udf_extents_put(&node->body.extents, &moved, NULL, NULL);
    }
    if (error) {
        udf_volume_give(volume, moved.addr, moved.count);
        return error;
    }
    if (node->orphan) {
        udf_volume_orphan(volume, moved.addr, moved.count);
    }
    if (node->dir) { /* its FIDs are sealed for their blocks */
        udf_dir_moved(node->dir, (uint32_t)piece->block, moved.count);
    }
    leave(volume, move, piece->lbn, moved.count);
    volume->placement.data_goal = moved.addr.lbn + moved.count;
    return 0;
}

static int move_chain(struct udf_volume *volume, struct udf_node *node,
                      const struct udf_move *move) {
    for (uint32_t i = 0; i < node->body.aeds; i++) {
        uint32_t lbn;
        int error;

        if (!in_range(move, node->body.aed[i], node->icb.part) ||
            !(bits_of(move, node->body.aed[i], 1) & move->wanted)) {
            continue;
        }
        error = udf_space_take_near(volume->space, node->icb.lbn, 1, &lbn);
        if (error) {
            return error;
        }
        leave(volume, move, node->body.aed[i], 1);
        node->body.aed[i] = lbn;
    }
    return 0;
}

static int move_node(struct udf_volume *volume, struct udf_node *node,
                     const struct udf_move *move) {
    int error = move_chain(volume, node, move);

    /* The list changes with every piece, so it is looked at anew. */
    for (size_t i = 0; !error && content_can_move(volume, node) &&
                       i < node->body.extents.count;) {
        struct piece piece;

        if (find_piece(move, &node->body.extents.list[i], &piece)) {
            error = move_piece(volume, node, move, &piece);
            i = 0;
        } else {
            i++;
        }
    }
    udf_node_touch(volume, node);
    return error;
}

int udf_move_away(struct udf_volume *volume, const struct udf_move *move) {
    struct udf_nodes *nodes = &volume->nodes;
    int error = check(volume, move);

    if (error) {
        return error;
    }
    if (move->withdraw) {
        udf_space_withdraw(volume->space, move->addr.lbn, move->count);
    } else {
        udf_space_avoid(volume->space, move->addr.lbn, move->count);
    }
    for (size_t i = 0; !error && i < nodes->buckets; i++) {
        for (struct udf_node *node = nodes->bucket[i]; !error && node;
             node = node->hash_next) {
            if (movable(volume, move, node)) {
                error = move_node(volume, node, move);
            }
        }
    }
    return error;
}
