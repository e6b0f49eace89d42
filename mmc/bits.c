/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/bits.c - bitmaps by whole words. Volumes have tens of millions of
 * blocks (BD-XL) and allocation searches the map all the time, so no loop here
 * goes bit by bit.
 */
#include "mmc/bits.h"

#include <assert.h>

/* Bits of word `word` that lie in [from, to), which must meet the word. */
static uint64_t mask_of(uint64_t word, uint64_t from, uint64_t to) {
    uint64_t first = word * 64;
    uint64_t mask = ~(uint64_t)0;

    if (from > first) {
        mask &= ~(uint64_t)0 << (from - first);
    }
    if (to - first < 64) {
        mask &= ((uint64_t)1 << (to - first)) - 1;
    }
    return mask;
}

void mmc_bits_set_range(uint64_t *map, uint64_t from, uint64_t to) {
    if (from >= to) {
        return;
    }
    for (uint64_t word = from / 64; word <= (to - 1) / 64; word++) {
        map[word] |= mask_of(word, from, to);
    }
}

void mmc_bits_clear_range(uint64_t *map, uint64_t from, uint64_t to) {
    if (from >= to) {
        return;
    }
    for (uint64_t word = from / 64; word <= (to - 1) / 64; word++) {
        map[word] &= ~mask_of(word, from, to);
    }
}

/* First bit of [from, to) whose value differs from that of every bit of
 * `flip`: 0 searches set bits, all ones searches clear ones. */
static uint64_t next(const uint64_t *map, uint64_t from, uint64_t to,
                     uint64_t flip) {
    if (from >= to) {
        return to;
    }
    for (uint64_t word = from / 64; word <= (to - 1) / 64; word++) {
        uint64_t hits = (map[word] ^ flip) & mask_of(word, from, to);

        if (hits) {
            return word * 64 + (uint64_t)__builtin_ctzll(hits);
        }
    }
    return to;
}

uint64_t mmc_bits_next_set(const uint64_t *map, uint64_t from, uint64_t to) {
    return next(map, from, to, 0);
}

uint64_t mmc_bits_next_clear(const uint64_t *map, uint64_t from, uint64_t to) {
    return next(map, from, to, ~(uint64_t)0);
}

uint64_t mmc_bits_count(const uint64_t *map, uint64_t from, uint64_t to) {
    uint64_t count = 0;

    if (from >= to) {
        return 0;
    }
    for (uint64_t word = from / 64; word <= (to - 1) / 64; word++) {
        uint64_t bits = map[word] & mask_of(word, from, to);

        count += (uint64_t)__builtin_popcountll(bits);
    }
    return count;
}

uint64_t mmc_bits_find_run(const uint64_t *map, uint64_t from, uint64_t to,
                           uint64_t length) {
    assert(length >= 1);
    while (from < to && to - from >= length) {
        uint64_t start = mmc_bits_next_set(map, from, to);
        uint64_t end;

        if (to - start < length) {
            break;
        }
        /* Looks no further than it must: a long run is not counted out. */
        end = mmc_bits_next_clear(map, start, start + length);
        if (end == start + length) {
            return start;
        }
        from = end + 1;
    }
    return to;
}
