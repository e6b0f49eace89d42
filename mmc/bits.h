/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/bits.h - bitmaps in arrays of 64-bit words: bit n is bit n % 64 of word
 * n / 64. Pure. A UDF space bitmap (ECMA-167 4/14.12) read as little-endian
 * 64-bit words has the same numbering.
 *
 * Ranges are half open: [from, to). Searches return `to` when they find
 * nothing.
 */
#ifndef MMC_BITS_H
#define MMC_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* Words that hold `nbits` bits. */
static inline uint64_t mmc_bits_words(uint64_t nbits) {
    return (nbits + 63) / 64;
}

static inline bool mmc_bits_test(const uint64_t *map, uint64_t n) {
    return (map[n / 64] >> (n % 64)) & 1u;
}

static inline void mmc_bits_set(uint64_t *map, uint64_t n) {
    map[n / 64] |= (uint64_t)1 << (n % 64);
}

static inline void mmc_bits_clear(uint64_t *map, uint64_t n) {
    map[n / 64] &= ~((uint64_t)1 << (n % 64));
}

/* Sets or clears every bit of [from, to). */
void mmc_bits_set_range(uint64_t *map, uint64_t from, uint64_t to);
void mmc_bits_clear_range(uint64_t *map, uint64_t from, uint64_t to);

/* First set (clear) bit of [from, to), or `to`. */
uint64_t mmc_bits_next_set(const uint64_t *map, uint64_t from, uint64_t to);
uint64_t mmc_bits_next_clear(const uint64_t *map, uint64_t from, uint64_t to);

/* Number of set bits in [from, to). */
uint64_t mmc_bits_count(const uint64_t *map, uint64_t from, uint64_t to);

/* First position of a run of `length` (>= 1) set bits that lies wholly in
 * [from, to), or `to`. */
uint64_t mmc_bits_find_run(const uint64_t *map, uint64_t from, uint64_t to,
                           uint64_t length);

#endif
