/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/space_commit.c - which blocks the last snapshot, commit and checkpoint
 * refer to, and when freed ones are free for new use. Pure. See udf/space.h.
 */
#include <errno.h>
#include <string.h>

#include "mmc/bits.h"
#include "udf/space_priv.h"

static size_t map_bytes(const struct udf_space *space) {
    return (size_t)mmc_bits_words(space->blocks) * sizeof(uint64_t);
}

static void take_snapshot(struct udf_space *space) {
    uint64_t words = mmc_bits_words(space->blocks);

    for (uint64_t i = 0; i < words; i++) {
        space->snapshot_map[i] = ~space->free_map[i];
    }
}

int udf_space_set_aside_at(struct udf_space *space, uint32_t lbn,
                           uint32_t count) {
    int error = udf_space_take_at(space, lbn, count);

    if (!error) {
        udf_space_orphan(space, lbn, count);
    }
    return error;
}

int udf_space_set_aside(struct udf_space *space, uint32_t count, uint32_t align,
                        uint32_t phase, uint32_t *out_lbn) {
    uint64_t end = ((uint64_t)phase + space->blocks) / align * align;

    while (end >= (uint64_t)phase + count) {
        uint64_t lbn = end - count - phase;

        if (udf_space_set_aside_at(space, (uint32_t)lbn, count) == 0) {
            *out_lbn = (uint32_t)lbn;
            return 0;
        }
        end -= align;
    }
    return -ENOSPC;
}

void udf_space_settle(struct udf_space *space) {
    uint64_t words = mmc_bits_words(space->blocks);

    take_snapshot(space);
    if (udf_space_held(space) == space->settling) {
        return;
    }
    /* Invariant 1: what is free, not usable and no orphan's is held. */
    for (uint64_t i = 0; i < words; i++) {
        space->settling_map[i] =
            space->free_map[i] & ~space->usable_map[i] & ~space->orphan_map[i];
    }
    space->settling = udf_space_held(space);
}

void udf_space_found(struct udf_space *space) {
    take_snapshot(space);
    udf_space_commit(space);
    memcpy(space->base_map, space->commit_map, map_bytes(space));
}

void udf_space_commit(struct udf_space *space) {
    memcpy(space->commit_map, space->snapshot_map, map_bytes(space));
}

bool udf_space_in_snapshot(const struct udf_space *space, uint32_t lbn) {
    return mmc_bits_test(space->snapshot_map, lbn) ||
           mmc_bits_test(space->orphan_map, lbn);
}

bool udf_space_is_committed(const struct udf_space *space, uint32_t lbn) {
    return mmc_bits_test(space->commit_map, lbn);
}

bool udf_space_is_wanted(const struct udf_space *space, uint32_t lbn) {
    return mmc_bits_test(space->commit_map, lbn) ||
           !mmc_bits_test(space->free_map, lbn) ||
           mmc_bits_test(space->orphan_map, lbn);
}

bool udf_space_is_fresh(const struct udf_space *space, uint32_t lbn,
                        uint32_t count) {
    uint64_t end = (uint64_t)lbn + count;

    return mmc_bits_next_set(space->base_map, lbn, end) == end;
}

/* The end of the run of settling blocks at `from`, which the last commit all
 * refers to or all does not. */
static uint64_t settling_end(const struct udf_space *space, uint64_t from) {
    uint64_t to = mmc_bits_next_clear(space->settling_map, from, space->blocks);

    return mmc_bits_test(space->commit_map, from)
               ? mmc_bits_next_clear(space->commit_map, from, to)
               : mmc_bits_next_set(space->commit_map, from, to);
}

void udf_space_release(struct udf_space *space, udf_space_released *released,
                       void *context) {
    uint64_t from = 0;

    memcpy(space->base_map, space->commit_map, map_bytes(space));
    while (space->settling > 0) {
        uint64_t to;

        from = mmc_bits_next_set(space->settling_map, from, space->blocks);
        if (from == space->blocks) {
            return; /* the rest belongs to a snapshot that is no commit yet */
        }
        to = settling_end(space, from);
        if (!mmc_bits_test(space->commit_map, from)) {
            mmc_bits_clear_range(space->settling_map, from, to);
            mmc_bits_set_range(space->usable_map, from, to);
            udf_space_usable_changed(space, (uint32_t)from, (uint32_t)to, 1);
            space->settling -= (uint32_t)(to - from);
            if (released) {
                released(context, (uint32_t)from, (uint32_t)(to - from));
            }
        }
        from = to;
    }
}
