/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/mutate.h - the same random damage for the same seed, whatever
 * the machine: what fuzzers do to bytes.
 */
#ifndef TEST_MUTATE_H
#define TEST_MUTATE_H

#include <stdint.h>

struct mutate {
    uint64_t state;
};

/* A number below `below` (at least 1). */
uint32_t mutate_next(struct mutate *mutate, uint32_t below);

/* Changes a few of `count` bytes (at least 1): bits, bytes, numbers of 2 and 4
 * bytes that are small, large, or near others, copies within. */
void mutate_bytes(struct mutate *mutate, uint8_t *bytes, uint32_t count);

/* The same for a block that begins with a descriptor; the tag is mostly made
 * right again, so that the damage gets past it. FIDs are sealed too. */
void mutate_block(struct mutate *mutate, uint8_t *block);

/* How many rounds a campaign has: the environment variable `name`, or else
 * `usual`. */
uint32_t mutate_rounds(const char *name, uint32_t usual);

#endif
