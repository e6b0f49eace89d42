/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test_space.c - free space. The property test keeps one state a block in a
 * plain array, by the diagram in udf/space.h, and compares after every step.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/bits.h"
#include "udf/space.h"

enum { STEPS = 30000, MODEL_BLOCKS = 1500 };

enum state { USABLE, ALLOCATED, HELD, SETTLING, ORPHANED };

/* The model, and what it stands beside. */
struct rig {
    struct udf_space *space;
    enum state state[MODEL_BLOCKS];
    uint32_t packet_blocks, phase;
    uint32_t reserved;
    uint64_t seed;
    uint8_t dirty[MODEL_BLOCKS]; /* changed since the last look */
};

static uint32_t pick(struct rig *rig, uint32_t below) {
    rig->seed = rig->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rig->seed >> 33) % below;
}

static uint32_t count_state(const struct rig *rig, enum state state) {
    uint32_t count = 0;

    for (uint32_t i = 0; i < MODEL_BLOCKS; i++) {
        count += rig->state[i] == state;
    }
    return count;
}

static uint32_t packet_of(const struct rig *rig, uint32_t lbn) {
    return (lbn + rig->phase) / rig->packet_blocks;
}

/* Whether any `count` usable blocks lie in a row (in one packet). */
static bool any_run(const struct rig *rig, uint32_t count, bool in_packet) {
    uint32_t run = 0;

    for (uint32_t i = 0; i < MODEL_BLOCKS; i++) {
        bool joins =
            !in_packet || i == 0 || packet_of(rig, i) == packet_of(rig, i - 1);

        run = rig->state[i] != USABLE ? 0 : joins ? run + 1 : 1;
        if (run == count) {
            return true;
        }
    }
    return false;
}

/* Whether the packet that begins at `lbn` is wholly usable. */
static bool is_whole(const struct rig *rig, uint32_t lbn) {
    uint32_t packet = packet_of(rig, lbn);

    for (; lbn < MODEL_BLOCKS && packet_of(rig, lbn) == packet; lbn++) {
        if (rig->state[lbn] != USABLE) {
            return false;
        }
    }
    return true;
}

static bool begins_packet(const struct rig *rig, uint32_t lbn) {
    return lbn == 0 || packet_of(rig, lbn - 1) != packet_of(rig, lbn);
}

static bool any_whole(const struct rig *rig) {
    for (uint32_t i = 0; i < MODEL_BLOCKS; i++) {
        if (begins_packet(rig, i) && is_whole(rig, i)) {
            return true;
        }
    }
    return false;
}

static void take_model(struct rig *rig, uint32_t lbn, uint32_t count) {
    assert_true(lbn < MODEL_BLOCKS && count <= MODEL_BLOCKS - lbn);
    for (uint32_t i = lbn; i < lbn + count; i++) {
        assert_int_equal(rig->state[i], USABLE);
        rig->state[i] = ALLOCATED;
        rig->dirty[i] = 1;
    }
}

static void step_take_run(struct rig *rig) {
    uint32_t goal = pick(rig, MODEL_BLOCKS + 10);
    uint32_t want = 1 + pick(rig, 3 * rig->packet_blocks);
    bool whole = want >= rig->packet_blocks && any_whole(rig);
    uint32_t lbn = 7, count = 9;

    if (udf_space_take_run(rig->space, goal, want, &lbn, &count)) {
        assert_int_equal(count_state(rig, USABLE), 0);
        assert_int_equal(lbn, 7);
        assert_int_equal(count, 9);
        return;
    }
    assert_true(count >= 1 && count <= want);
    if (whole) {
        assert_true(begins_packet(rig, lbn) && is_whole(rig, lbn));
        assert_true(count == want || lbn + count == MODEL_BLOCKS ||
                    (lbn + count + rig->phase) % rig->packet_blocks == 0);
    }
    take_model(rig, lbn, count);
}

static void step_take_near(struct rig *rig) {
    uint32_t goal = pick(rig, MODEL_BLOCKS + 10);
    uint32_t count = 1 + pick(rig, rig->packet_blocks);
    uint32_t lbn = 7;

    if (udf_space_take_near(rig->space, goal, count, &lbn)) {
        assert_false(any_run(rig, count, true));
        assert_int_equal(lbn, 7);
        return;
    }
    assert_int_equal(packet_of(rig, lbn), packet_of(rig, lbn + count - 1));
    take_model(rig, lbn, count);
}

static void step_take_whole(struct rig *rig) {
    uint32_t goal = pick(rig, MODEL_BLOCKS + 10);
    uint32_t count = 1 + pick(rig, 4 * rig->packet_blocks);
    uint32_t lbn = 7;

    if (udf_space_take_whole(rig->space, goal, count, &lbn)) {
        assert_false(any_run(rig, count, false));
        return;
    }
    take_model(rig, lbn, count);
}

static void step_take_apart(struct rig *rig) {
    enum udf_space_kind kind =
        pick(rig, 2) ? UDF_SPACE_ENTRIES : UDF_SPACE_DIRECTORIES;
    uint32_t room = 1 + pick(rig, rig->packet_blocks);
    uint32_t count = 1 + pick(rig, room);
    uint32_t lbn = 7;

    if (udf_space_take_apart(rig->space, kind, count, room, &lbn)) {
        assert_false(any_run(rig, count, true));
        assert_int_equal(lbn, 7);
        return;
    }
    take_model(rig, lbn, count);
}

static void step_take_at(struct rig *rig) {
    uint32_t lbn = pick(rig, MODEL_BLOCKS + 5);
    uint32_t count = 1 + pick(rig, 20);
    bool all = lbn + count <= MODEL_BLOCKS;

    for (uint32_t i = lbn; all && i < lbn + count; i++) {
        all = rig->state[i] == USABLE;
    }
    assert_int_equal(udf_space_take_at(rig->space, lbn, count),
                     all ? 0 : -ENOSPC);
    if (all) {
        take_model(rig, lbn, count);
    }
}

static void step_give(struct rig *rig) {
    uint32_t lbn = pick(rig, MODEL_BLOCKS + 5);
    uint32_t count = 1 + pick(rig, 100);
    uint32_t already = 0;

    for (uint32_t i = lbn; i < lbn + count; i++) {
        if (i < MODEL_BLOCKS &&
            (rig->state[i] == ALLOCATED || rig->state[i] == ORPHANED)) {
            /* an orphan is free on the disc already */
            rig->dirty[i] |= rig->state[i] == ALLOCATED;
            rig->state[i] = HELD;
        } else {
            already++;
        }
    }
    assert_int_equal(udf_space_give(rig->space, lbn, count), already);
}

static void step_orphan(struct rig *rig) {
    uint32_t lbn = pick(rig, MODEL_BLOCKS + 5);
    uint32_t count = 1 + pick(rig, 60);

    udf_space_orphan(rig->space, lbn, count);
    for (uint32_t i = lbn; i < lbn + count && i < MODEL_BLOCKS; i++) {
        if (rig->state[i] == ALLOCATED) {
            rig->state[i] = ORPHANED;
            rig->dirty[i] = 1;
        }
    }
}

static void step_withdraw(struct rig *rig) {
    uint32_t lbn = pick(rig, MODEL_BLOCKS + 5);
    uint32_t count = 1 + pick(rig, 40);

    udf_space_withdraw(rig->space, lbn, count);
    for (uint32_t i = lbn; i < lbn + count && i < MODEL_BLOCKS; i++) {
        rig->dirty[i] |= rig->state[i] != ALLOCATED;
        rig->state[i] = ALLOCATED;
    }
}

static void step_settle(struct rig *rig) {
    udf_space_settle(rig->space);
    for (uint32_t i = 0; i < MODEL_BLOCKS; i++) {
        if (rig->state[i] == HELD) {
            rig->state[i] = SETTLING;
        }
    }
}

static void on_released(void *context, uint32_t lbn, uint32_t count) {
    struct rig *rig = context;

    for (uint32_t i = lbn; i < lbn + count; i++) {
        assert_int_equal(rig->state[i], SETTLING);
        rig->state[i] = USABLE;
    }
}

static void step_release(struct rig *rig) {
    udf_space_commit(rig->space);
    udf_space_release(rig->space, on_released, rig);
    assert_int_equal(count_state(rig, SETTLING), 0);
}

static void step_reserve(struct rig *rig) {
    uint32_t count = pick(rig, MODEL_BLOCKS);
    uint32_t keep = pick(rig, 50);
    uint32_t usable = count_state(rig, USABLE);

    if (pick(rig, 2) == 0) {
        count = pick(rig, rig->reserved + 1);
        udf_space_unreserve(rig->space, count);
        rig->reserved -= count;
    } else if (udf_space_reserve(rig->space, count, keep)) {
        assert_true(rig->reserved + count + keep > usable);
    } else {
        assert_true(rig->reserved + count + keep <= usable);
        rig->reserved += count;
    }
}

/* Every changed block must lie in a group that is reported, once. */
static void step_dirty(struct rig *rig) {
    uint32_t from = 0, lbn, count;

    while (udf_space_next_dirty(rig->space, from, &lbn, &count)) {
        assert_true(lbn >= from && count > 0);
        assert_int_equal(lbn % 4096, 0);
        assert_true(lbn + count <= MODEL_BLOCKS);
        memset(&rig->dirty[lbn], 0, count);
        from = lbn + count;
    }
    for (uint32_t i = 0; i < MODEL_BLOCKS; i++) {
        assert_int_equal(rig->dirty[i], 0);
    }
    assert_false(udf_space_next_dirty(rig->space, 0, &lbn, &count));
}

static void compare(const struct rig *rig) {
    const uint64_t *map = udf_space_map(rig->space);
    uint32_t usable = count_state(rig, USABLE);
    uint32_t held = count_state(rig, HELD) + count_state(rig, SETTLING);

    assert_int_equal(udf_space_usable(rig->space), usable);
    assert_int_equal(udf_space_held(rig->space), held);
    assert_int_equal(udf_space_free(rig->space),
                     usable + held + count_state(rig, ORPHANED));
    assert_int_equal(udf_space_reserved(rig->space), rig->reserved);
    for (uint32_t i = 0; i < MODEL_BLOCKS; i++) {
        assert_int_equal(mmc_bits_test(map, i), rig->state[i] != ALLOCATED);
    }
}

static void run_model(uint32_t packet_blocks, uint32_t phase, uint64_t seed) {
    struct rig *rig = calloc(1, sizeof(*rig));
    uint64_t map[MODEL_BLOCKS / 64 + 1] = {0};
    void (*const steps[])(struct rig *) = {
        step_take_run,   step_take_run,  step_take_near, step_take_near,
        step_take_whole, step_take_at,   step_give,      step_give,
        step_give,       step_orphan,    step_settle,    step_release,
        step_release,    step_reserve,   step_dirty,     step_withdraw,
        step_take_apart, step_take_apart};

    assert_non_null(rig);
    rig->packet_blocks = packet_blocks;
    rig->phase = phase;
    rig->seed = seed;
    for (uint32_t i = 0; i < MODEL_BLOCKS; i++) {
        rig->state[i] = pick(rig, 8) ? USABLE : ALLOCATED;
        if (rig->state[i] == USABLE) {
            mmc_bits_set(map, i);
        }
    }
    mmc_bits_set_range(map, MODEL_BLOCKS, sizeof(map) * 8); /* not blocks */
    rig->space = udf_space_new(MODEL_BLOCKS, packet_blocks, phase, map);
    assert_non_null(rig->space);
    assert_int_equal(udf_space_blocks(rig->space), MODEL_BLOCKS);
    compare(rig);
    for (int i = 0; i < STEPS; i++) {
        steps[pick(rig, sizeof(steps) / sizeof(*steps))](rig);
        if (i % 16 == 0) {
            compare(rig);
        }
    }
    compare(rig);
    udf_space_destroy(rig->space);
    free(rig);
}

static void test_space_follows_model(void **state) {
    (void)state;
    run_model(32, 0, 1);
    run_model(16, 5, 2);
    run_model(1, 0, 3);
    run_model(64, 63, 4);
    run_model(4, 1, 5); /* with areas of several packets */
}

/* A space that is wholly free. */
static struct udf_space *empty_disc(uint32_t blocks, uint32_t packet_blocks,
                                    uint32_t phase) {
    uint64_t words = mmc_bits_words(blocks);
    uint64_t *map = malloc((words + 1) * sizeof(*map));
    struct udf_space *space;

    assert_non_null(map);
    memset(map, 0xFF, words * sizeof(*map));
    space = udf_space_new(blocks, packet_blocks, phase, map);
    free(map);
    assert_non_null(space);
    return space;
}

static void test_space_run_takes_whole_packets(void **state) {
    struct udf_space *space = empty_disc(320, 32, 0);
    uint32_t lbn = 0, count = 0;

    (void)state;
    assert_int_equal(udf_space_take_at(space, 100, 1), 0);
    assert_int_equal(udf_space_take_run(space, 1, 1000, &lbn, &count), 0);
    assert_int_equal(lbn, 32); /* behind the packet that the goal is within */
    assert_int_equal(count, 64);
    assert_int_equal(udf_space_take_run(space, 96, 40, &lbn, &count), 0);
    assert_int_equal(lbn, 128);
    assert_int_equal(count, 40);
    assert_int_equal(udf_space_take_run(space, 310, 33, &lbn, &count), 0);
    assert_int_equal(lbn, 0); /* goes round */
    assert_int_equal(count, 32);
    udf_space_destroy(space);
}

static void test_space_run_leaves_a_gap(void **state) {
    struct udf_space *space = empty_disc(40000, 32, 0);
    uint32_t lbn;

    (void)state;
    assert_int_equal(udf_space_take_behind(space, 1064, 40, 64), 0);
    assert_int_equal(udf_space_take_at(space, 1024, 40), 0);
    assert_int_equal(udf_space_usable(space), 40000 - 104);
    /* One block of the gap, of the run, or too few before it or behind. */
    assert_int_equal(udf_space_take_behind(space, 1200, 73, 5), -ENOSPC);
    assert_int_equal(udf_space_take_behind(space, 1000, 5, 25), -ENOSPC);
    assert_int_equal(udf_space_take_behind(space, 10, 11, 5), -ENOSPC);
    assert_int_equal(udf_space_take_behind(space, 39990, 5, 11), -ENOSPC);
    assert_int_equal(udf_space_take_behind(space, 1200, 72, 5), 0);
    /* Not in or over what lies apart. */
    assert_int_equal(udf_space_take_apart(space, UDF_SPACE_ENTRIES, 1, 1, &lbn),
                     0);
    assert_int_equal(udf_space_take_behind(space, lbn + 5, 1, 1), -ENOSPC);
    udf_space_destroy(space);
}

static void test_space_small_runs_share_a_packet(void **state) {
    struct udf_space *space = empty_disc(320, 32, 0);
    uint32_t goal = 64, lbn = 0, count = 0;

    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(udf_space_take_run(space, goal, 5, &lbn, &count), 0);
        assert_int_equal(count, 5);
        assert_int_equal(lbn, 64 + 5 * i); /* over the border, too */
        goal = lbn + count;
    }
    /* No room behind the goal: a free packet, not the gaps elsewhere. */
    assert_int_equal(udf_space_take_at(space, 160, 30), 0);
    assert_int_equal(udf_space_take_at(space, 192, 1), 0);
    assert_int_equal(udf_space_take_run(space, 190, 5, &lbn, &count), 0);
    assert_int_equal(lbn, 224);
    udf_space_destroy(space);
}

static void test_space_run_falls_back_to_longest(void **state) {
    struct udf_space *space = empty_disc(128, 32, 0);
    uint32_t lbn = 0, count = 0;

    (void)state;
    assert_int_equal(udf_space_take_at(space, 10, 1), 0);
    assert_int_equal(udf_space_take_at(space, 40, 1), 0);
    assert_int_equal(udf_space_take_at(space, 70, 1), 0);
    assert_int_equal(udf_space_take_at(space, 100, 1), 0);
    assert_int_equal(udf_space_take_run(space, 0, 100, &lbn, &count), 0);
    assert_int_equal(lbn, 11);
    assert_int_equal(count, 29);
    udf_space_destroy(space);
}

static void test_space_near_prefers_goal_then_free_packet(void **state) {
    struct udf_space *space = empty_disc(320, 32, 0);
    uint32_t lbn = 0;

    (void)state;
    assert_int_equal(udf_space_take_at(space, 64, 30), 0);
    assert_int_equal(udf_space_take_near(space, 64, 2, &lbn), 0);
    assert_int_equal(lbn, 94);
    assert_int_equal(udf_space_take_near(space, 64, 2, &lbn), 0);
    assert_int_equal(lbn, 96);
    assert_int_equal(udf_space_take_near(space, 64, 32, &lbn), 0);
    assert_int_equal(lbn, 128);
    assert_int_equal(udf_space_take_near(space, 0xFFFFFFFFu, 1, &lbn), 0);
    assert_int_equal(lbn, 0);
    udf_space_destroy(space);
}

static void test_space_whole_leaves_room_to_grow(void **state) {
    struct udf_space *space = empty_disc(320, 32, 0);
    uint32_t lbn = 0;

    (void)state;
    assert_int_equal(udf_space_take_at(space, 32, 1), 0);
    /* Packet 0 alone would do, but has nothing free behind it. */
    assert_int_equal(udf_space_take_whole(space, 0, 32, &lbn), 0);
    assert_int_equal(lbn, 64);
    assert_int_equal(udf_space_take_whole(space, 0, 225, &lbn), -ENOSPC);
    assert_int_equal(udf_space_take_whole(space, 0, 224, &lbn), 0);
    assert_int_equal(lbn, 96);
    assert_int_equal(udf_space_take_whole(space, 0, 31, &lbn), 0);
    assert_int_equal(lbn, 0);
    udf_space_destroy(space);
}

/* The first entries fill up the root's packet; what follows has an area. */
static void test_space_first_entries_are_beside_the_root(void **state) {
    enum { ROOT = 70, END = 96, AREA = 2048 };
    struct udf_space *space = empty_disc(4096 * 32, 32, 0);
    uint32_t lbn;

    (void)state;
    assert_int_equal(udf_space_take_at(space, 64, ROOT + 1 - 64), 0);
    udf_space_begin_beside(space, ROOT);
    assert_int_equal(
        udf_space_take_apart(space, UDF_SPACE_DIRECTORIES, 1, 1, &lbn), 0);
    assert_int_equal(lbn, END);
    for (uint32_t i = ROOT + 1; i < END; i++) {
        assert_int_equal(
            udf_space_take_apart(space, UDF_SPACE_ENTRIES, 1, 1, &lbn), 0);
        assert_int_equal(lbn, i);
    }
    assert_int_equal(udf_space_take_apart(space, UDF_SPACE_ENTRIES, 1, 1, &lbn),
                     0);
    assert_int_equal(lbn, END + AREA);
    udf_space_begin_beside(space, 4096 * 32); /* no block of it */
    udf_space_destroy(space);
}

/* Each kind gathers in its own place, and nothing else is put there. */
static void test_space_apart_from_everything_else(void **state) {
    enum { PACKETS = 4096, AREA = 2048 };
    struct udf_space *space = empty_disc(PACKETS * 32, 32, 0);
    uint32_t entry = 0, dir = 0, lbn = 0, count = 0;

    (void)state;
    assert_int_equal(
        udf_space_take_apart(space, UDF_SPACE_ENTRIES, 1, 1, &entry), 0);
    assert_int_equal(
        udf_space_take_apart(space, UDF_SPACE_DIRECTORIES, 1, 1, &dir), 0);
    assert_int_equal(entry, 0);
    assert_int_equal(dir, AREA);
    assert_int_equal(udf_space_take_run(space, 0, 32, &lbn, &count), 0);
    assert_int_equal(lbn, 2 * AREA);
    assert_int_equal(udf_space_take_near(space, 1, 31, &lbn), 0);
    assert_int_equal(lbn, 1); /* asked for by address */
    /* Room to grow into is left behind each, and no packet is crossed. */
    assert_int_equal(
        udf_space_take_apart(space, UDF_SPACE_DIRECTORIES, 10, 20, &lbn), 0);
    assert_int_equal(lbn, AREA + 1);
    assert_int_equal(
        udf_space_take_apart(space, UDF_SPACE_DIRECTORIES, 10, 20, &lbn), 0);
    assert_int_equal(lbn, AREA + 32);
    for (uint32_t i = 32; i < AREA; i++) {
        assert_int_equal(
            udf_space_take_apart(space, UDF_SPACE_ENTRIES, 1, 1, &lbn), 0);
        assert_int_equal(lbn, i);
    }
    assert_int_equal(udf_space_take_apart(space, UDF_SPACE_ENTRIES, 1, 1, &lbn),
                     0);
    assert_int_equal(lbn, 2 * AREA + 32);
    /* When nothing else is free, the areas are. */
    while (udf_space_take_run(space, 0, 64 * 32, &lbn, &count) == 0) {
    }
    assert_int_equal(udf_space_usable(space), 0);
    udf_space_destroy(space);
}

static void test_space_held_until_released(void **state) {
    struct udf_space *space = empty_disc(64, 32, 0);
    uint32_t lbn = 0, count = 0;

    (void)state;
    assert_int_equal(udf_space_take_at(space, 0, 64), 0);
    udf_space_settle(space);
    udf_space_commit(space);
    assert_int_equal(udf_space_give(space, 0, 32), 0);
    udf_space_release(space, NULL, NULL); /* nothing has settled */
    assert_int_equal(udf_space_take_run(space, 0, 1, &lbn, &count), -ENOSPC);
    udf_space_settle(space);
    assert_int_equal(udf_space_give(space, 32, 32), 0); /* too late for it */
    udf_space_release(space, NULL, NULL);
    assert_int_equal(udf_space_usable(space), 0); /* not committed */
    udf_space_commit(space);
    udf_space_release(space, NULL, NULL);
    assert_int_equal(udf_space_usable(space), 32);
    assert_int_equal(udf_space_free(space), 64);
    assert_int_equal(udf_space_take_at(space, 32, 1), -ENOSPC);
    assert_int_equal(udf_space_take_at(space, 31, 1), 0);
    udf_space_destroy(space);
}

static void test_space_without_blocks(void **state) {
    struct udf_space *space = empty_disc(0, 32, 7);
    uint32_t lbn = 0, count = 0;

    (void)state;
    assert_int_equal(udf_space_take_run(space, 0, 5, &lbn, &count), -ENOSPC);
    assert_int_equal(udf_space_take_near(space, 0, 5, &lbn), -ENOSPC);
    assert_int_equal(udf_space_take_whole(space, 0, 5, &lbn), -ENOSPC);
    assert_int_equal(udf_space_give(space, 0, 5), 5);
    assert_false(udf_space_next_dirty(space, 0, &lbn, &count));
    udf_space_destroy(space);
}

/* A BD-RE is filled and emptied again in small steps; quadratic work would
 * show: this is 180,000 runs on 12 million blocks. */
static void test_space_large_disc_is_fast(void **state) {
    const uint32_t blocks = 11826144;
    struct udf_space *space = empty_disc(blocks, 32, 0);
    uint32_t goal = 0, lbn = 0, count = 0, taken = 0;

    (void)state;
    while (udf_space_take_run(space, goal, 64, &lbn, &count) == 0) {
        goal = lbn + count;
        taken += count;
    }
    assert_int_equal(taken, blocks);
    assert_int_equal(udf_space_usable(space), 0);
    for (lbn = 0; lbn < blocks; lbn += 64) {
        count = blocks - lbn < 64 ? blocks - lbn : 64;
        assert_int_equal(udf_space_give(space, lbn, count), 0);
    }
    udf_space_settle(space);
    udf_space_commit(space);
    udf_space_release(space, NULL, NULL);
    assert_int_equal(udf_space_usable(space), blocks);
    udf_space_destroy(space);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_space_follows_model),
        cmocka_unit_test(test_space_run_takes_whole_packets),
        cmocka_unit_test(test_space_run_leaves_a_gap),
        cmocka_unit_test(test_space_small_runs_share_a_packet),
        cmocka_unit_test(test_space_run_falls_back_to_longest),
        cmocka_unit_test(test_space_near_prefers_goal_then_free_packet),
        cmocka_unit_test(test_space_whole_leaves_room_to_grow),
        cmocka_unit_test(test_space_first_entries_are_beside_the_root),
        cmocka_unit_test(test_space_apart_from_everything_else),
        cmocka_unit_test(test_space_held_until_released),
        cmocka_unit_test(test_space_without_blocks),
        cmocka_unit_test(test_space_large_disc_is_fast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
