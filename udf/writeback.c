/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/writeback.c - gives the dirty blocks of a file their place and hands
 * them to the device. See udf/file.h.
 *
 * Placement: a run of new blocks goes to whole free packets when it fills
 * one, so that no packet has to be read to be completed; shorter runs share
 * the packet that is being filled. A file that grows goes on behind its last
 * extent when that ends on a packet's border.
 *
 * The kernel hands over a file that grows in several requests at once, in any
 * order. A run that lies a little behind what the file has is placed as far
 * behind it, and what is missing finds its place between them: so the file is
 * in one piece in the end.
 *
 * What is written over goes to fresh packets, too, when it fills one, or half
 * of one and lies in several: in its place every block would need its packet
 * read and kept in the journal. Blocks that are allocated and were never
 * recorded stay where they are: they are written over nothing. Past
 * FRAGMENTS_MAX extents, and when space is short, everything stays in its
 * place, so that no file falls to pieces.
 */
#include "udf/file.h"

#include <errno.h>

#include "mmc/blockdev.h"
#include "udf/io.h"
#include "udf/volume.h"

enum {
    /* Longest extent of one descriptor, in blocks (UDF 2.60 2.3.10). */
    RUN_MAX = UDF_EXTENT_BYTES_MAX / UDF_BLOCK_BYTES,
    FRAGMENTS_MAX = 4096,
    PLACES_MAX = 3, /* packets that are better written over in their place */
    GAP_MAX = 16384 /* blocks; the kernel sends parts that are 10 MB apart */
};

/* What the next dirty blocks are. */
struct run {
    uint64_t block;
    uint32_t count;
    bool placed; /* has a place: `piece` */
    struct udf_extent piece;
};

/* Length of the unbroken dirty run at `block`, over chunk borders. */
static uint32_t dirty_run(const struct udf_dirty *dirty, uint64_t block,
                          uint32_t max) {
    uint32_t length = 0;
    uint64_t at;
    uint32_t count;

    while (length < max && udf_dirty_next(dirty, block + length, &at, &count) &&
           at == block + length) {
        length += count;
    }
    return length < max ? length : max;
}

static bool next_run(const struct udf_node *node, uint64_t from,
                     struct run *out_run) {
    const struct udf_body *body = &node->body;
    struct run run = {0};
    uint32_t max = RUN_MAX;

    if (!udf_dirty_next(&body->dirty, from, &run.block, &run.count)) {
        return false;
    }
    if (udf_extents_map(&body->extents, run.block, &run.piece) == 0) {
        run.placed = run.piece.kind != UDF_EXTENT_HOLE;
        max = run.piece.count < max ? run.piece.count : max;
    }
    run.count = dirty_run(&body->dirty, run.block, max);
    *out_run = run;
    return true;
}

/* Hands `count` dirty blocks from `block` on to the device at `addr`. */
static int hand_over(struct udf_volume *volume, struct udf_node *node,
                     uint64_t block, uint32_t count, struct udf_addr addr) {
    while (count > 0) {
        uint64_t at;
        uint32_t here;
        const uint8_t *memory =
            udf_dirty_next(&node->body.dirty, block, &at, &here);
        int error;

        here = here < count ? here : count;
        error = udf_io_write_data(volume, addr, here, memory);
        if (error) {
            return error;
        }
        block += here;
        addr.lbn += here;
        count -= here;
    }
    return 0;
}

/* Blocks from block `lbn` of the data's partition to the next border of a
 * packet. */
static uint32_t to_border(const struct udf_volume *volume, uint32_t lbn) {
    const struct udf_placement *place = &volume->placement;
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t phase = volume->maps.map[place->data_part].start_lba % packet;

    return (packet - (lbn + phase) % packet) % packet;
}

/* Where a run of new blocks should go, and how many blocks before that the file
 * lacks: behind what it has before the run, or at its beginning. What is
 * written over gathers where the last of it went. */
static uint32_t goal_of(const struct udf_volume *volume,
                        const struct udf_node *node, const struct run *run,
                        uint32_t *out_gap) {
    uint32_t goal = volume->placement.data_goal;
    struct udf_extent last;
    uint64_t gap = run->block;

    *out_gap = 0;
    if (run->placed || gap == 0) {
        return goal;
    }
    if (udf_extents_before(&node->body.extents, run->block, &last) == 0 &&
        last.addr.part == volume->placement.data_part) {
        goal = last.addr.lbn + last.count;
        gap -= last.block + last.count;
    } else {
        goal += to_border(volume, goal);
    }
    if (gap > GAP_MAX || gap > UINT32_MAX - goal) {
        return volume->placement.data_goal;
    }
    *out_gap = (uint32_t)gap;
    return goal + *out_gap;
}

/* Takes space for the beginning of `run`. */
static int take_place(struct udf_volume *volume, const struct udf_node *node,
                      const struct run *run, uint32_t *out_lbn,
                      uint32_t *out_count) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t *data_goal = &volume->placement.data_goal;
    uint32_t gap, goal = goal_of(volume, node, run, &gap);
    uint32_t lbn = goal, count = run->count;
    int error;

    if (gap == 0 || count < packet ||
        udf_space_take_behind(volume->space, lbn, gap, count)) {
        error = udf_space_take_run(volume->space, gap > 0 ? *data_goal : goal,
                                   run->count, &lbn, &count);
        if (error) {
            return error;
        }
    }
    /* What fills a gap leaves other gaps before the goal. */
    if (lbn != goal || lbn + count > *data_goal) {
        *data_goal = lbn + count;
    }
    *out_lbn = lbn;
    *out_count = count;
    return 0;
}

/* Takes space for the beginning of `run` and enters it in the extents; what it
 * had is given back. The dirty blocks stay until they are handed over. */
static int place_run(struct udf_volume *volume, struct udf_node *node,
                     struct run *run) {
    struct udf_body *body = &node->body;
    bool moves = run->placed;
    uint32_t lbn, count;
    int error = take_place(volume, node, run, &lbn, &count);

    if (error) {
        return error;
    }
    run->count = count;
    run->piece = (struct udf_extent){
        .block = run->block,
        .count = count,
        .kind = UDF_EXTENT_RECORDED,
        .addr = {.lbn = lbn, .part = volume->placement.data_part},
    };
    error = udf_extents_put(&body->extents, &run->piece, udf_node_drop_piece,
                            volume);
    if (error) {
        udf_volume_give(volume, run->piece.addr, count);
        return error;
    }
    if (node->orphan) {
        udf_volume_orphan(volume, run->piece.addr, count);
    }
    if (!moves) { /* space was set aside for it */
        body->reserved -= count;
        udf_space_unreserve(volume->space, count);
    }
    return 0;
}

/* Cuts `run` to the part that fills whole packets. */
static void cut_to_packets(const struct udf_volume *volume,
                           const struct udf_node *node, struct run *run) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t gap, goal = goal_of(volume, node, run, &gap);
    uint32_t lead = gap > 0 ? to_border(volume, goal) : 0;

    if (lead < run->count) {
        run->block += lead;
        run->count -= lead;
    }
    run->count -= run->count % packet;
}

static bool is_over(const struct run *run) {
    return run->placed && run->piece.kind == UDF_EXTENT_RECORDED;
}

/* Counts dirty blocks that are written over, and the packets that those are in,
 * as far as one follows another in the file. */
static uint64_t count_over(const struct udf_volume *volume,
                           const struct udf_node *node, uint32_t *out_places) {
    uint32_t border = 0;
    uint64_t from = 0, over = 0;
    struct run run;

    *out_places = 0;
    while (next_run(node, from, &run)) {
        from = run.block + run.count;
        if (is_over(&run)) {
            uint32_t lbn = run.piece.addr.lbn;
            uint32_t next = lbn + 1 + to_border(volume, lbn + 1);

            *out_places += *out_places == 0 || next != border;
            border = next;
            over += run.count;
        }
    }
    return over;
}

/* Whether what is written over shall go elsewhere. */
static bool shall_move(const struct udf_volume *volume,
                       const struct udf_node *node) {
    const struct udf_space *space = volume->space;
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint64_t over, spoken_for;
    uint32_t places;

    if (!udf_journal_is_used(volume) || packet == 1 ||
        node->body.extents.count >= FRAGMENTS_MAX) {
        return false;
    }
    over = count_over(volume, node, &places);
    spoken_for =
        (uint64_t)udf_space_reserved(space) + 2 * volume->placement.keep;
    return (over >= packet || (over >= packet / 2 && places > PLACES_MAX)) &&
           udf_space_usable(space) >= spoken_for + over;
}

static int write_run(struct udf_volume *volume, struct udf_node *node,
                     struct run *run, bool move) {
    int error = 0;

    if (!run->placed || (move && is_over(run))) {
        error = place_run(volume, node, run);
    } else if (run->piece.kind == UDF_EXTENT_ALLOCATED) {
        run->piece.count = run->count;
        run->piece.kind = UDF_EXTENT_RECORDED;
        error = udf_extents_put(&node->body.extents, &run->piece, NULL, NULL);
    }
    if (!error) {
        error =
            hand_over(volume, node, run->block, run->count, run->piece.addr);
    }
    return error;
}

int udf_file_write_back(struct udf_volume *volume, struct udf_node *node,
                        enum udf_writeback mode, uint32_t max_blocks,
                        uint32_t *out_blocks) {
    struct udf_dirty *dirty = &node->body.dirty;
    bool move = shall_move(volume, node);
    uint64_t from = 0;
    uint32_t done = 0;
    struct run run;
    int error = 0;

    if (move) {
        volume->placement.data_goal +=
            to_border(volume, volume->placement.data_goal);
    }
    while (!error && done < max_blocks && next_run(node, from, &run)) {
        uint64_t before = dirty->blocks;

        from = run.block + run.count;
        if (mode == UDF_WRITEBACK_PACKETS && !(move && is_over(&run))) {
            cut_to_packets(volume, node, &run);
        }
        if (run.count > max_blocks - done) {
            run.count = max_blocks - done;
        }
        if (run.count == 0) {
            continue;
        }
        error = write_run(volume, node, &run, move);
        if (!error) {
            udf_dirty_drop(dirty, run.block, run.block + run.count);
            volume->nodes.dirty_blocks -= before - dirty->blocks;
            done += run.count;
            from = run.block + run.count;
        }
    }
    if (done > 0) {
        udf_node_touch(volume, node);
    }
    *out_blocks = done;
    return error;
}

int udf_file_settle(struct udf_volume *volume, struct udf_node *node) {
    struct udf_body *body = &node->body;
    uint64_t blocks = (body->size + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES;

    uint64_t end = udf_extents_end(&body->extents);

    if (body->embedded || end == blocks ||
        (end > blocks && body->preallocated)) {
        return 0;
    }
    return udf_extents_resize(&body->extents, blocks, udf_node_drop_piece,
                              volume);
}
