/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/space.c - free space of one physical partition, in memory. Pure.
 *
 * Bitmaps with a bit a block hold the states that the header draws: on the disc
 * free, usable, settling, without a name, and what the last snapshot, commit
 * and checkpoint refer to (udf/space_commit.c). Two with a bit a packet (wholly
 * usable, partly usable) and a count a packet make every search word-wise: a
 * BD-RE has 12 million blocks, but its packets are 6000 words.
 *
 * Transitions, all by runs: udf_space_use() free -> allocated, udf_space_give()
 * allocated -> held, udf_space_settle() held -> settling, udf_space_release()
 * settling -> usable. Only udf_space_usable_changed() touches the summaries.
 *
 * Searches begin at a goal and go round once. The goal moves on with what was
 * taken, so that filling a disc front to back never looks at a word twice.
 */
#include "udf/space.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bits.h"
#include "udf/space_priv.h"

enum {
    DIRTY_GROUP = 4096, /* blocks a mark; 512 bytes of bitmap */
    /* Partly used packets that are looked at for the longest run. A nearly
     * full disc has thousands; the best of some is good enough. */
    PARTIAL_TRIES = 128
};

/* ---- packets ----------------------------------------------------------- */

uint64_t udf_space_packet_of(const struct udf_space *space, uint32_t lbn) {
    return ((uint64_t)lbn + space->phase) / space->packet_blocks;
}

/* First block of packet `pkt`; `blocks` for the one behind the last. */
uint32_t udf_space_packet_begin(const struct udf_space *space, uint64_t pkt) {
    uint64_t begin = pkt * space->packet_blocks;

    begin = begin > space->phase ? begin - space->phase : 0;
    return (uint32_t)(begin < space->blocks ? begin : space->blocks);
}

static uint32_t packet_size(const struct udf_space *space, uint64_t pkt) {
    return udf_space_packet_begin(space, pkt + 1) -
           udf_space_packet_begin(space, pkt);
}

/* Brings the summaries up to date after the usable bits of [from, to) changed
 * by `change` for each block, which all were the other way before. */
void udf_space_usable_changed(struct udf_space *space, uint32_t from,
                              uint32_t to, int change) {
    for (uint64_t pkt = udf_space_packet_of(space, from); from < to; pkt++) {
        uint32_t end = udf_space_packet_begin(space, pkt + 1);
        uint32_t count = (end < to ? end : to) - from;
        uint32_t usable = space->packet_usable[pkt];

        usable = change > 0 ? usable + count : usable - count;
        space->packet_usable[pkt] = (uint8_t)usable;
        mmc_bits_clear(space->whole_map, pkt);
        mmc_bits_clear(space->partial_map, pkt);
        if (usable == packet_size(space, pkt)) {
            mmc_bits_set(space->whole_map, pkt);
        } else if (usable > 0) {
            mmc_bits_set(space->partial_map, pkt);
        }
        space->usable =
            change > 0 ? space->usable + count : space->usable - count;
        from += count;
    }
}

void udf_space_set_dirty(struct udf_space *space, uint32_t from, uint32_t to) {
    mmc_bits_set_range(space->dirty_map, from / DIRTY_GROUP,
                       (uint64_t)(to - 1) / DIRTY_GROUP + 1);
}

/* ---- life --------------------------------------------------------------- */

static uint64_t *new_map(uint64_t bits) {
    return calloc(mmc_bits_words(bits) + 1, sizeof(uint64_t));
}

static bool make_maps(struct udf_space *space) {
    space->free_map = new_map(space->blocks);
    space->usable_map = new_map(space->blocks);
    space->settling_map = new_map(space->blocks);
    space->orphan_map = new_map(space->blocks);
    space->snapshot_map = new_map(space->blocks);
    space->commit_map = new_map(space->blocks);
    space->base_map = new_map(space->blocks);
    space->whole_map = new_map(space->packets);
    space->partial_map = new_map(space->packets);
    space->dirty_map = new_map(space->blocks / DIRTY_GROUP + 1);
    space->packet_usable = calloc(space->packets + 1, 1);
    return space->free_map && space->usable_map && space->settling_map &&
           space->orphan_map && space->snapshot_map && space->commit_map &&
           space->base_map && space->whole_map && space->partial_map &&
           space->dirty_map && space->packet_usable;
}

struct udf_space *udf_space_new(uint32_t blocks, uint32_t packet_blocks,
                                uint32_t phase, const uint64_t *free_map) {
    struct udf_space *space = calloc(1, sizeof(*space));
    uint64_t from = 0;

    assert(packet_blocks >= 1 && packet_blocks <= 64);
    assert((packet_blocks & (packet_blocks - 1)) == 0);
    assert(phase < packet_blocks);
    if (!space) {
        return NULL;
    }
    space->blocks = blocks;
    space->packet_blocks = packet_blocks;
    space->phase = phase;
    space->packets =
        ((uint64_t)blocks + phase + packet_blocks - 1) / packet_blocks;
    if (!make_maps(space)) {
        udf_space_destroy(space);
        return NULL;
    }
    while ((from = mmc_bits_next_set(free_map, from, blocks)) < blocks) {
        uint64_t to = mmc_bits_next_clear(free_map, from, blocks);

        mmc_bits_set_range(space->free_map, from, to);
        mmc_bits_set_range(space->usable_map, from, to);
        udf_space_usable_changed(space, (uint32_t)from, (uint32_t)to, 1);
        from = to;
    }
    space->free = space->usable;
    udf_space_found(space);
    return space;
}

static void free_maps(struct udf_space *space) {
    free(space->free_map);
    free(space->usable_map);
    free(space->settling_map);
    free(space->orphan_map);
    free(space->snapshot_map);
    free(space->commit_map);
    free(space->base_map);
    free(space->whole_map);
    free(space->partial_map);
    free(space->dirty_map);
    free(space->packet_usable);
}

void udf_space_destroy(struct udf_space *space) {
    if (!space) {
        return;
    }
    free_maps(space);
    free(space);
}

static void copy_map(uint64_t *to, const uint64_t *from, uint64_t bits) {
    memcpy(to, from, mmc_bits_words(bits) * sizeof(*to));
}

int udf_space_enlarge(struct udf_space *space, uint32_t blocks) {
    uint32_t old = space->blocks;
    struct udf_space larger = *space;

    assert(blocks > old);
    larger.blocks = blocks;
    larger.packets =
        ((uint64_t)blocks + space->phase + space->packet_blocks - 1) /
        space->packet_blocks;
    if (!make_maps(&larger)) {
        free_maps(&larger);
        return -ENOMEM;
    }
    copy_map(larger.free_map, space->free_map, old);
    copy_map(larger.usable_map, space->usable_map, old);
    copy_map(larger.settling_map, space->settling_map, old);
    copy_map(larger.orphan_map, space->orphan_map, old);
    copy_map(larger.snapshot_map, space->snapshot_map, old);
    copy_map(larger.commit_map, space->commit_map, old);
    copy_map(larger.base_map, space->base_map, old);
    copy_map(larger.whole_map, space->whole_map, space->packets);
    copy_map(larger.partial_map, space->partial_map, space->packets);
    copy_map(larger.dirty_map, space->dirty_map, old / DIRTY_GROUP + 1);
    memcpy(larger.packet_usable, space->packet_usable, space->packets);
    free_maps(space);
    *space = larger;
    mmc_bits_set_range(space->free_map, old, blocks);
    mmc_bits_set_range(space->usable_map, old, blocks);
    udf_space_usable_changed(space, old, blocks, 1);
    space->free += blocks - old;
    udf_space_set_dirty(space, 0,
                        blocks); /* the map's head says how long it is */
    return 0;
}

uint32_t udf_space_blocks(const struct udf_space *space) {
    return space->blocks;
}

uint32_t udf_space_free(const struct udf_space *space) {
    return space->free;
}

uint32_t udf_space_usable(const struct udf_space *space) {
    return space->usable;
}

uint32_t udf_space_held(const struct udf_space *space) {
    return space->free - space->usable - space->orphaned;
}

uint32_t udf_space_reserved(const struct udf_space *space) {
    return space->reserved;
}

int udf_space_reserve(struct udf_space *space, uint32_t count, uint32_t keep) {
    uint64_t need = (uint64_t)space->reserved + count + keep;

    if (need > space->usable) {
        return -ENOSPC;
    }
    space->reserved += count;
    return 0;
}

void udf_space_unreserve(struct udf_space *space, uint32_t count) {
    assert(count <= space->reserved);
    space->reserved -= count;
}

/* ---- taking ------------------------------------------------------------- */

/* free -> allocated for blocks that all are usable. */
void udf_space_use(struct udf_space *space, uint32_t lbn, uint32_t count) {
    mmc_bits_clear_range(space->free_map, lbn, (uint64_t)lbn + count);
    mmc_bits_clear_range(space->usable_map, lbn, (uint64_t)lbn + count);
    udf_space_usable_changed(space, lbn, lbn + count, -1);
    space->free -= count;
    udf_space_set_dirty(space, lbn, lbn + count);
}

int udf_space_take_at(struct udf_space *space, uint32_t lbn, uint32_t count) {
    uint64_t end = (uint64_t)lbn + count;

    assert(count > 0);
    if (end > space->blocks ||
        mmc_bits_next_clear(space->usable_map, lbn, end) < end) {
        return -ENOSPC;
    }
    udf_space_use(space, lbn, count);
    return 0;
}

/* First set bit of [from, to) of a packet map, outside of all areas, or `to`.
 */
static uint64_t next_packet(const struct udf_space *space, const uint64_t *map,
                            uint64_t from, uint64_t to) {
    while ((from = mmc_bits_next_set(map, from, to)) < to) {
        uint64_t end = udf_space_area_end(space, from, 1);

        if (end == 0) {
            return from;
        }
        from = end < to ? end : to;
    }
    return to;
}

/* First set bit of a packet map at or behind packet `pkt`, going round;
 * space->packets when there is none. */
static uint64_t packet_round(const struct udf_space *space, const uint64_t *map,
                             uint64_t pkt) {
    uint64_t found = next_packet(space, map, pkt, space->packets);

    if (found == space->packets) {
        found = next_packet(space, map, 0, pkt);
        found = found == pkt ? space->packets : found;
    }
    return found;
}

/* Packet at which a search from `goal` begins: the one of `goal` only when
 * `goal` is its first block. A goal beyond the partition is its start. */
static uint64_t first_packet_behind(const struct udf_space *space,
                                    uint32_t goal) {
    uint64_t pkt;

    if (goal >= space->blocks) {
        return 0;
    }
    pkt = udf_space_packet_of(space, goal);
    if (udf_space_packet_begin(space, pkt) != goal) {
        pkt++;
    }
    return pkt < space->packets ? pkt : 0;
}

/* End of the usable run at `lbn`, looked at for `want` blocks only. */
static uint32_t run_end(const struct udf_space *space, uint32_t lbn,
                        uint32_t want) {
    uint64_t to = (uint64_t)lbn + want;

    to = to < space->blocks ? to : space->blocks;
    return (uint32_t)mmc_bits_next_clear(space->usable_map, lbn, to);
}

/* A run of whole packets at or behind `goal`. */
static bool find_whole(const struct udf_space *space, uint32_t goal,
                       uint32_t want, uint32_t *out_lbn, uint32_t *out_count) {
    uint64_t pkt =
        packet_round(space, space->whole_map, first_packet_behind(space, goal));
    uint64_t end = pkt;
    uint32_t lbn = udf_space_packet_begin(space, pkt);

    if (pkt == space->packets) {
        return false;
    }
    /* Up to `want` exactly: only the caller's own end may lie in a packet. */
    while (end < space->packets &&
           udf_space_packet_begin(space, end) - lbn < want &&
           mmc_bits_test(space->whole_map, end) &&
           udf_space_area_end(space, end, 1) == 0) {
        end++;
    }
    *out_lbn = lbn;
    *out_count = udf_space_packet_begin(space, end) - lbn;
    if (*out_count > want) {
        *out_count = want;
    }
    return true;
}

/* The longest usable run, up to `want`, that begins in the next
 * PARTIAL_TRIES partly used packets. */
static bool find_longest(const struct udf_space *space, uint32_t goal,
                         uint32_t want, uint32_t *out_lbn,
                         uint32_t *out_count) {
    uint64_t pkt = goal < space->blocks ? udf_space_packet_of(space, goal) : 0;
    uint64_t first = packet_round(space, space->partial_map, pkt);
    uint32_t best = 0;

    pkt = first;
    for (int i = 0; i < PARTIAL_TRIES && pkt < space->packets; i++) {
        uint32_t end = udf_space_packet_begin(space, pkt + 1);
        uint32_t lbn = udf_space_packet_begin(space, pkt);

        while ((lbn = (uint32_t)mmc_bits_next_set(space->usable_map, lbn,
                                                  end)) < end) {
            uint32_t to = run_end(space, lbn, want);

            if (to - lbn > best) {
                best = to - lbn;
                *out_lbn = lbn;
                *out_count = best;
            }
            lbn = to;
        }
        pkt = packet_round(space, space->partial_map,
                           pkt + 1 < space->packets ? pkt + 1 : 0);
        if (best == want || pkt == first) {
            break;
        }
    }
    return best > 0;
}

/* A run of `want` blocks that begins in the packet of `goal`, at `goal` or
 * behind it. It may go on into the next packet: what follows on from the
 * packet that is being filled is filled next anyway. */
static bool find_behind(const struct udf_space *space, uint32_t goal,
                        uint32_t want, uint32_t *out_lbn) {
    uint32_t end, lbn = goal;

    if (goal >= space->blocks) {
        return false;
    }
    end = udf_space_packet_begin(space, udf_space_packet_of(space, goal) + 1);
    while ((lbn = (uint32_t)mmc_bits_next_set(space->usable_map, lbn, end)) <
           end) {
        uint32_t to = run_end(space, lbn, want);

        if (to - lbn == want) {
            *out_lbn = lbn;
            return true;
        }
        lbn = to;
    }
    return false;
}

int udf_space_take_run(struct udf_space *space, uint32_t goal, uint32_t want,
                       uint32_t *out_lbn, uint32_t *out_count) {
    uint32_t lbn = 0, count = want;

    assert(want > 0);
    if (!(want < space->packet_blocks &&
          find_behind(space, goal, want, &lbn)) &&
        !find_whole(space, goal, want, &lbn, &count) &&
        !(udf_space_open_areas(space) &&
          find_whole(space, goal, want, &lbn, &count)) &&
        !find_longest(space, goal, want, &lbn, &count)) {
        return -ENOSPC;
    }
    udf_space_use(space, lbn, count);
    *out_lbn = lbn;
    *out_count = count;
    return 0;
}

/* `count` blocks in one piece inside packet `pkt`, from `from` on. */
bool udf_space_find_in_packet(const struct udf_space *space, uint64_t pkt,
                              uint32_t from, uint32_t count,
                              uint32_t *out_lbn) {
    uint32_t end = udf_space_packet_begin(space, pkt + 1);
    uint64_t lbn;

    if (space->packet_usable[pkt] < count) {
        return false;
    }
    lbn = mmc_bits_find_run(space->usable_map, from, end, count);
    if (lbn == end) {
        return false;
    }
    *out_lbn = (uint32_t)lbn;
    return true;
}

/* The first packet of `map` from `pkt` on, going round, that has the blocks. */
static bool find_in_packets(const struct udf_space *space, const uint64_t *map,
                            uint64_t pkt, uint32_t count, uint32_t *out_lbn) {
    uint64_t first = packet_round(space, map, pkt);

    pkt = first;
    while (pkt < space->packets) {
        if (udf_space_find_in_packet(space, pkt,
                                     udf_space_packet_begin(space, pkt), count,
                                     out_lbn)) {
            return true;
        }
        pkt = packet_round(space, map, pkt + 1 < space->packets ? pkt + 1 : 0);
        if (pkt == first) {
            break;
        }
    }
    return false;
}

int udf_space_take_near(struct udf_space *space, uint32_t goal, uint32_t count,
                        uint32_t *out_lbn) {
    uint64_t pkt = first_packet_behind(space, goal);
    uint32_t lbn = 0;

    assert(count > 0 && count <= space->packet_blocks);
    if (!(goal < space->blocks &&
          udf_space_find_in_packet(space, udf_space_packet_of(space, goal),
                                   goal, count, &lbn)) &&
        !find_in_packets(space, space->whole_map, pkt, count, &lbn) &&
        !(udf_space_open_areas(space) &&
          find_in_packets(space, space->whole_map, pkt, count, &lbn)) &&
        !find_in_packets(space, space->partial_map, pkt, count, &lbn)) {
        return -ENOSPC;
    }
    udf_space_use(space, lbn, count);
    *out_lbn = lbn;
    return 0;
}

uint64_t udf_space_find_packets(const struct udf_space *space, uint64_t from,
                                uint64_t need) {
    uint64_t end =
        ((uint64_t)space->phase + space->blocks) / space->packet_blocks;
    uint64_t area = 1;

    if (from == 0 && space->phase > 0) {
        from = 1;
    }
    while (from < end && area > 0) {
        from = mmc_bits_find_run(space->whole_map, from, end, need);
        area = from < end ? udf_space_area_end(space, from, need) : 0;
        from = area > 0 ? area : from;
    }
    return from < end ? from : space->packets;
}

/* `count` blocks at the start of so many whole packets that `room` blocks fit
 * in them. */
static bool find_whole_packets(const struct udf_space *space, uint32_t goal,
                               uint64_t room, uint32_t *out_lbn) {
    uint64_t need = (room + space->packet_blocks - 1) / space->packet_blocks;
    uint64_t from = first_packet_behind(space, goal);
    uint64_t pkt = udf_space_find_packets(space, from, need);

    if (pkt == space->packets && from > 0) {
        pkt = udf_space_find_packets(space, 0, need);
    }
    if (pkt == space->packets) {
        return false;
    }
    *out_lbn = udf_space_packet_begin(space, pkt);
    return true;
}

/* `count` usable blocks in one piece, anywhere. */
static bool find_piece(const struct udf_space *space, uint32_t goal,
                       uint32_t count, uint32_t *out_lbn) {
    uint64_t lbn;

    goal = goal < space->blocks ? goal : 0;
    lbn = mmc_bits_find_run(space->usable_map, goal, space->blocks, count);
    if (lbn == space->blocks && goal > 0) {
        lbn = mmc_bits_find_run(space->usable_map, 0, space->blocks, count);
    }
    if (lbn == space->blocks) {
        return false;
    }
    *out_lbn = (uint32_t)lbn;
    return true;
}

int udf_space_take_whole(struct udf_space *space, uint32_t goal, uint32_t count,
                         uint32_t *out_lbn) {
    uint32_t lbn = 0;

    assert(count > 0);
    if (count > space->usable ||
        (!find_whole_packets(space, goal, 2 * (uint64_t)count, &lbn) &&
         !find_whole_packets(space, goal, count, &lbn) &&
         !(udf_space_open_areas(space) &&
           find_whole_packets(space, goal, count, &lbn)) &&
         !find_piece(space, goal, count, &lbn))) {
        return -ENOSPC;
    }
    udf_space_use(space, lbn, count);
    *out_lbn = lbn;
    return 0;
}

/* First multiple of `align` in [from, to) at which `count` usable blocks
 * begin, or `to`. */
static uint64_t find_aligned(const struct udf_space *space, uint64_t from,
                             uint64_t to, uint32_t align, uint32_t count) {
    from = (from + align - 1) / align * align;
    while (from < to && from + count <= space->blocks) {
        uint64_t end = from + count;
        uint64_t stop = mmc_bits_next_clear(space->usable_map, from, end);

        if (stop == end) {
            return from;
        }
        stop = mmc_bits_next_set(space->usable_map, stop, space->blocks);
        from = (stop + align - 1) / align * align;
    }
    return to;
}

int udf_space_take_aligned(struct udf_space *space, uint32_t goal,
                           uint32_t align, uint32_t count, uint32_t *out_lbn) {
    uint64_t lbn;

    assert(align > 0 && count > 0);
    goal = goal < space->blocks ? goal : 0;
    lbn = find_aligned(space, goal, space->blocks, align, count);
    if (lbn == space->blocks) {
        lbn = find_aligned(space, 0, goal, align, count);
        if (lbn == goal) {
            return -ENOSPC;
        }
    }
    udf_space_use(space, (uint32_t)lbn, count);
    *out_lbn = (uint32_t)lbn;
    return 0;
}

/* ---- giving back -------------------------------------------------------- */

/* Shows the allocated blocks of [from, to) as free on the disc, and enters them
 * in `map` (or in none); gives their number. */
static uint32_t show_free(struct udf_space *space, uint64_t from, uint64_t to,
                          uint64_t *map) {
    uint32_t shown = 0;

    while (from < to &&
           (from = mmc_bits_next_clear(space->free_map, from, to)) < to) {
        uint64_t stop = mmc_bits_next_set(space->free_map, from, to);

        mmc_bits_set_range(space->free_map, from, stop);
        if (map) {
            mmc_bits_set_range(map, from, stop);
        }
        udf_space_set_dirty(space, (uint32_t)from, (uint32_t)stop);
        shown += (uint32_t)(stop - from);
        from = stop;
    }
    space->free += shown;
    return shown;
}

uint32_t udf_space_give(struct udf_space *space, uint32_t lbn, uint32_t count) {
    uint64_t end = (uint64_t)lbn + count;
    uint64_t to = end < space->blocks ? end : space->blocks;
    uint64_t from = lbn;
    uint32_t given = 0;

    if (space->orphaned > 0 && from < to) {
        given = (uint32_t)mmc_bits_count(space->orphan_map, from, to);
        space->orphaned -= given;
        mmc_bits_clear_range(space->orphan_map, from, to);
    }
    return count - given - show_free(space, lbn, to, NULL);
}

void udf_space_orphan(struct udf_space *space, uint32_t lbn, uint32_t count) {
    uint64_t end = (uint64_t)lbn + count;

    space->orphaned +=
        show_free(space, lbn, end < space->blocks ? end : space->blocks,
                  space->orphan_map);
}

void udf_space_withdraw(struct udf_space *space, uint32_t lbn, uint32_t count) {
    uint64_t end = (uint64_t)lbn + count;
    uint64_t from = lbn;

    end = end < space->blocks ? end : space->blocks;
    while (from < end &&
           (from = mmc_bits_next_set(space->usable_map, from, end)) < end) {
        uint64_t to = mmc_bits_next_clear(space->usable_map, from, end);

        udf_space_use(space, (uint32_t)from, (uint32_t)(to - from));
        from = to;
    }
    if (lbn < end && mmc_bits_next_set(space->free_map, lbn, end) < end) {
        /* What is free now was held, settling or orphaned. */
        space->free -= (uint32_t)mmc_bits_count(space->free_map, lbn, end);
        space->settling -=
            (uint32_t)mmc_bits_count(space->settling_map, lbn, end);
        space->orphaned -=
            (uint32_t)mmc_bits_count(space->orphan_map, lbn, end);
        mmc_bits_clear_range(space->free_map, lbn, end);
        mmc_bits_clear_range(space->settling_map, lbn, end);
        mmc_bits_clear_range(space->orphan_map, lbn, end);
        udf_space_set_dirty(space, lbn, (uint32_t)end);
    }
}

void udf_space_avoid(struct udf_space *space, uint32_t lbn, uint32_t count) {
    uint64_t end = (uint64_t)lbn + count;
    uint64_t from = lbn;

    end = end < space->blocks ? end : space->blocks;
    while (from < end &&
           (from = mmc_bits_next_set(space->usable_map, from, end)) < end) {
        uint64_t to = mmc_bits_next_clear(space->usable_map, from, end);

        udf_space_use(space, (uint32_t)from, (uint32_t)(to - from));
        udf_space_orphan(space, (uint32_t)from, (uint32_t)(to - from));
        from = to;
    }
}

/* ---- for the disc ------------------------------------------------------- */

const uint64_t *udf_space_map(const struct udf_space *space) {
    return space->free_map;
}

bool udf_space_next_dirty(struct udf_space *space, uint32_t from,
                          uint32_t *out_lbn, uint32_t *out_count) {
    uint64_t groups = ((uint64_t)space->blocks + DIRTY_GROUP - 1) / DIRTY_GROUP;
    uint64_t group = from / DIRTY_GROUP;
    uint32_t lbn;

    if (group >= groups) {
        return false;
    }
    group = mmc_bits_next_set(space->dirty_map, group, groups);
    if (group == groups) {
        return false;
    }
    mmc_bits_clear(space->dirty_map, group);
    lbn = (uint32_t)(group * DIRTY_GROUP);
    *out_lbn = lbn;
    *out_count =
        space->blocks - lbn < DIRTY_GROUP ? space->blocks - lbn : DIRTY_GROUP;
    return true;
}
