/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/mutate.h"

#include <stdlib.h>
#include <string.h>

#include "test/support/compose.h"

enum { BYTES = 2048, TAG_BYTES = 16 };

/* splitmix64 */
uint32_t mutate_next(struct mutate *mutate, uint32_t below) {
    uint64_t x = mutate->state += 0x9E3779B97F4A7C15u;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((x ^ (x >> 31)) % below);
}

/* Numbers that code gets wrong. */
static uint32_t awkward(struct mutate *mutate, uint32_t old) {
    static const uint32_t numbers[] = {
        0,          1,          2,          7,          255,        256,
        2047,       2048,       2049,       0x7FFF,     0x8000,     0xFFFF,
        65536,      0x3FFFFFFF, 0x40000000, 0x7FFFFFFF, 0x80000000, 0xC0000800,
        0xFFFF0000, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF};
    uint32_t count = sizeof(numbers) / sizeof(numbers[0]);
    uint32_t choice = mutate_next(mutate, count + 4);

    return choice < count ? numbers[choice]
                          : old + mutate_next(mutate, 65) - 32;
}

/* Puts a number of `size` bytes, high or low byte first. */
static void put_number(struct mutate *mutate, uint8_t *at, uint32_t size) {
    bool high_first = mutate_next(mutate, 4) == 0;
    uint32_t old = 0;

    for (uint32_t i = 0; i < size; i++) {
        old |= (uint32_t)at[high_first ? size - 1 - i : i] << (8 * i);
    }
    old = awkward(mutate, old);
    for (uint32_t i = 0; i < size; i++) {
        at[high_first ? size - 1 - i : i] = (uint8_t)(old >> (8 * i));
    }
}

static void mutate_once(struct mutate *mutate, uint8_t *bytes, uint32_t count) {
    uint32_t at = mutate_next(mutate, count);
    uint32_t left = count - at;

    switch (mutate_next(mutate, 6)) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << mutate_next(mutate, 8));
        break;
    case 1:
        bytes[at] = (uint8_t)mutate_next(mutate, 256);
        break;
    case 2:
        put_number(mutate, bytes + at, left < 2 ? left : 2);
        break;
    case 3: {
        uint32_t from = mutate_next(mutate, count);
        uint32_t most = count - (from > at ? from : at);

        memmove(bytes + at, bytes + from, 1 + mutate_next(mutate, most));
        break;
    }
    default:
        put_number(mutate, bytes + at, left < 4 ? left : 4);
        break;
    }
}

void mutate_bytes(struct mutate *mutate, uint8_t *bytes, uint32_t count) {
    uint32_t times = 1 + mutate_next(mutate, 4);

    for (uint32_t i = 0; i < times; i++) {
        mutate_once(mutate, bytes, count);
    }
}

static uint32_t get16(const uint8_t *raw) {
    return raw[0] | (uint32_t)raw[1] << 8;
}

/* Seals what looks like a tag in front of at most `left` bytes. */
static void seal(uint8_t *desc, uint32_t left) {
    if (TAG_BYTES + get16(desc + 10) <= left) {
        compose_reseal(desc);
    }
}

void mutate_block(struct mutate *mutate, uint8_t *block) {
    /* Most fields are in the first quarter. */
    uint32_t reach = mutate_next(mutate, 4) ? 512 : BYTES;

    mutate_bytes(mutate, block, reach);
    if (mutate_next(mutate, 8) == 0) {
        return;
    }
    for (uint32_t at = 4; at + TAG_BYTES < BYTES; at += 4) {
        if (get16(block + at) == UDF_TAG_FID) {
            seal(block + at, BYTES - at);
        }
    }
    seal(block, BYTES);
}

uint32_t mutate_rounds(const char *name, uint32_t usual) {
    const char *wanted = getenv(name);

    return wanted ? (uint32_t)strtoul(wanted, NULL, 10) : usual;
}
