/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/space.h - free space of one physical partition, in memory. Pure; the
 * caller holds the volume lock.
 *
 * Each block is in one of three states:
 *
 *      take               give             settle, commit, release
 *   free ----> allocated ------> held (freed, but a commit or a checkpoint
 *    ^                            on the disc may still refer to it) ----.
 *    '------------------------------------------------------------------'
 *
 * The bitmap for the disc shows held blocks as free. Held blocks that a
 * commit's snapshot covers become "settling" (udf_space_settle); the commit is
 * on the medium (udf_space_commit); and free for new use when a checkpoint has
 * brought it home (udf_space_release).
 *
 * Two more maps say which blocks the disc refers to: those of the last commit
 * ("committed"), and those of the last checkpoint. A block that the last
 * checkpoint does not refer to is "fresh": its place on the disc holds nothing
 * that is needed without the journal.
 *
 * A file that lost its last name while it is open is free on the disc, and
 * used in memory: its blocks are "orphaned" until they are given. So are
 * blocks that stay free on the disc while something else lies there.
 *
 * Invariants:
 *  1. usable is a subset of free; free minus usable = held, settling and
 *     orphaned.
 *  2. reserved <= number of usable blocks, as long as callers reserve before
 *     they take.
 *  3. packet_usable[p] is the number of usable blocks in packet p.
 *
 * Packets here are the medium's packets, so the first one of a partition that
 * does not begin on a packet border is short: `phase` is start_lba modulo
 * packet_blocks.
 */
#ifndef UDF_SPACE_H
#define UDF_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct udf_space;

/* Makes the space of a partition of `blocks` blocks. `free_map` (words as in
 * mmc/bits.h, 1 = free) is copied. packet_blocks: 1..64, a power of two.
 * Returns NULL when there is no memory. */
struct udf_space *udf_space_new(uint32_t blocks, uint32_t packet_blocks,
                                uint32_t phase, const uint64_t *free_map);
void udf_space_destroy(struct udf_space *space);

uint32_t udf_space_blocks(const struct udf_space *space);
/* Blocks that the disc's bitmap shows as free (held ones included). */
uint32_t udf_space_free(const struct udf_space *space);
/* Blocks that can be taken now. */
uint32_t udf_space_usable(const struct udf_space *space);
/* Blocks held and settling. */
uint32_t udf_space_held(const struct udf_space *space);
uint32_t udf_space_reserved(const struct udf_space *space);

/* Sets `count` usable blocks aside, leaving at least `keep` unreserved.
 * Returns 0 or -ENOSPC. */
int udf_space_reserve(struct udf_space *space, uint32_t count, uint32_t keep);
void udf_space_unreserve(struct udf_space *space, uint32_t count);

/* Takes `count` (>= 1) contiguous blocks exactly at `lbn`. Returns 0 or
 * -ENOSPC when one of them is not usable. */
int udf_space_take_at(struct udf_space *space, uint32_t lbn, uint32_t count);

/* Takes a contiguous run of `want` or fewer (>= 1) blocks for file data:
 * whole free packets first, beginning at the first one at or behind `goal`
 * and going round; when none is free, the longest run of a bounded search in
 * partly used packets. Returns 0 or -ENOSPC. */
int udf_space_take_run(struct udf_space *space, uint32_t goal, uint32_t want,
                       uint32_t *out_lbn, uint32_t *out_count);

/* Takes blocks lbn .. lbn+count-1 (count >= 1) for data, leaving the `gap`
 * blocks before them for what will follow on from there. Returns 0, or -ENOSPC
 * when one of all these blocks is not usable or in an area. */
int udf_space_take_behind(struct udf_space *space, uint32_t lbn, uint32_t gap,
                          uint32_t count);

/* Takes `count` (<= packet_blocks) contiguous blocks that lie in one packet:
 * at `goal` or behind it in its packet, else in a whole free packet, else
 * anywhere. For metadata and small files. Returns 0 or -ENOSPC. */
int udf_space_take_near(struct udf_space *space, uint32_t goal, uint32_t count,
                        uint32_t *out_lbn);

/* What lies apart from everything else, each kind in an area of its own: file
 * entries, so that they are read in one go; directories and their entries, so
 * that they are written in one go, since each name that changes changes both.
 */
enum udf_space_kind {
    UDF_SPACE_ENTRIES,
    UDF_SPACE_DIRECTORIES,
    UDF_SPACE_KINDS
};

/* Takes `count` contiguous blocks in one packet of the area of `kind`, behind
 * what was taken there last, with `room` (count..packet_blocks) blocks up to
 * what will be taken next. An area that is full is followed by another one;
 * where no such area can be, as udf_space_take_near(). Nothing else is put
 * into the areas as long as other packets are free. A small space has none.
 * Returns 0 or -ENOSPC. */
int udf_space_take_apart(struct udf_space *space, enum udf_space_kind kind,
                         uint32_t count, uint32_t room, uint32_t *out_lbn);

/* The first file entries share the packet of block `lbn` with what lies there:
 * few files are read and written in one piece with the directory that leads to
 * them. To be called before anything is taken. */
void udf_space_begin_beside(struct udf_space *space, uint32_t lbn);

/* The space is for metadata alone: the journal is elsewhere. */
void udf_space_hold_metadata(struct udf_space *space);

/* Takes exactly `count` contiguous blocks, preferably at the start of free
 * packets with as much free space again behind them (a directory that
 * grows). Returns 0 or -ENOSPC. */
int udf_space_take_whole(struct udf_space *space, uint32_t goal, uint32_t count,
                         uint32_t *out_lbn);

/* Takes exactly `count` contiguous blocks that begin at a multiple of `align`
 * (>= 1), at or behind `goal` or before it. Returns 0 or -ENOSPC. */
int udf_space_take_aligned(struct udf_space *space, uint32_t goal,
                           uint32_t align, uint32_t count, uint32_t *out_lbn);

/* Makes the space `blocks` blocks long, which is more than it has; the new
 * ones are usable. Returns 0 or -ENOMEM, having changed nothing. */
int udf_space_enlarge(struct udf_space *space, uint32_t blocks);

/* Gives allocated (or orphaned) blocks back: they become held. Blocks that are
 * free already are left alone; returns how many were (0 unless the disc is
 * damaged). */
uint32_t udf_space_give(struct udf_space *space, uint32_t lbn, uint32_t count);

/* Shows allocated blocks as free on the disc, and keeps them from being taken
 * until udf_space_give(). */
void udf_space_orphan(struct udf_space *space, uint32_t lbn, uint32_t count);

/* Takes blocks out of use although they are no one's (a bad packet). What lay
 * there is given first: giving it later would bring the blocks back. */
void udf_space_withdraw(struct udf_space *space, uint32_t lbn, uint32_t count);

/* Keeps usable blocks from being taken as long as this space lives, and leaves
 * them free on the disc. */
void udf_space_avoid(struct udf_space *space, uint32_t lbn, uint32_t count);
/* Takes `count` (>= 1) contiguous usable blocks for something that the disc
 * shall not know of: they become orphaned at once. The last such run whose
 * first block is a multiple of `align` after adding `phase` (below align).
 * Returns 0 or -ENOSPC. */
int udf_space_set_aside(struct udf_space *space, uint32_t count, uint32_t align,
                        uint32_t phase, uint32_t *out_lbn);

/* The same with blocks lbn .. lbn+count-1. */
int udf_space_set_aside_at(struct udf_space *space, uint32_t lbn,
                           uint32_t count);

/* Called at a commit's snapshot: what is held now settles with it. */
void udf_space_settle(struct udf_space *space);

/* Called at mount, when what is allocated is what was found on the disc: it is
 * what the last checkpoint and the last commit refer to. */
void udf_space_found(struct udf_space *space);

/* Called when what the last snapshot holds is on the medium. */
void udf_space_commit(struct udf_space *space);

/* Whether the last snapshot refers to block `lbn`, or a file that has no name
 * any more and is still read. */
bool udf_space_in_snapshot(const struct udf_space *space, uint32_t lbn);

/* Whether the last commit refers to block `lbn`. */
bool udf_space_is_committed(const struct udf_space *space, uint32_t lbn);

/* Whether block `lbn` belongs to something: for the last commit, or in memory
 * now. */
bool udf_space_is_wanted(const struct udf_space *space, uint32_t lbn);

/* Whether the last checkpoint refers to none of `count` blocks at `lbn`. */
bool udf_space_is_fresh(const struct udf_space *space, uint32_t lbn,
                        uint32_t count);

/* Called when the last commit is at home: settling blocks that it does not
 * refer to become usable. Every run of them goes to `released` (NULL: to
 * nobody). */
typedef void udf_space_released(void *context, uint32_t lbn, uint32_t count);
void udf_space_release(struct udf_space *space, udf_space_released *released,
                       void *context);

/* The bitmap as the disc shall show it, words as in mmc/bits.h. */
const uint64_t *udf_space_map(const struct udf_space *space);

/* Ranges of the bitmap that changed: gives the next changed group of 4096
 * blocks at or behind `from` and clears its mark. Returns false when there is
 * none. */
bool udf_space_next_dirty(struct udf_space *space, uint32_t from,
                          uint32_t *out_lbn, uint32_t *out_count);

#endif
