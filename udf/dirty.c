/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/dirty.c - see udf/dirty.h.
 */
#include "udf/dirty.h"

#include <stdlib.h>
#include <string.h>

/* Position of the first chunk whose index is not below `index`. */
static size_t position(const struct udf_dirty *dirty, uint64_t index) {
    size_t low = 0;
    size_t high = dirty->count;

    /* Files are mostly written from front to back. */
    if (high > 0 && dirty->chunk[high - 1].index < index) {
        return high;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (dirty->chunk[middle].index < index) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct udf_chunk *chunk_at(const struct udf_dirty *dirty,
                                  uint64_t index) {
    size_t at = position(dirty, index);

    if (at < dirty->count && dirty->chunk[at].index == index) {
        return &dirty->chunk[at];
    }
    return NULL;
}

uint8_t *udf_dirty_find(const struct udf_dirty *dirty, uint64_t block) {
    struct udf_chunk *chunk = chunk_at(dirty, block / UDF_CHUNK_BLOCKS);
    uint32_t bit = (uint32_t)(block % UDF_CHUNK_BLOCKS);

    if (!chunk || !(chunk->blocks >> bit & 1u)) {
        return NULL;
    }
    return chunk->data + (size_t)bit * UDF_BLOCK_BYTES;
}

static struct udf_chunk *chunk_insert(struct udf_dirty *dirty, uint64_t index) {
    size_t at = position(dirty, index);

    if (dirty->count == dirty->room) {
        size_t room = dirty->room ? dirty->room * 2 : 1;
        struct udf_chunk *bigger =
            realloc(dirty->chunk, room * sizeof(*bigger));

        if (!bigger) {
            return NULL;
        }
        dirty->chunk = bigger;
        dirty->room = room;
    }
    memmove(&dirty->chunk[at + 1], &dirty->chunk[at],
            (dirty->count - at) * sizeof(dirty->chunk[0]));
    dirty->chunk[at] = (struct udf_chunk){.index = index};
    dirty->count++;
    return &dirty->chunk[at];
}

/* Memory grows by doubling: most files are small. */
static int chunk_reach(struct udf_chunk *chunk, uint32_t bit) {
    uint32_t room = chunk->room ? chunk->room : 1;
    uint8_t *bigger;

    if (bit < chunk->room) {
        return 0;
    }
    while (room <= bit) {
        room *= 2;
    }
    bigger = realloc(chunk->data, (size_t)room * UDF_BLOCK_BYTES);
    if (!bigger) {
        return -1;
    }
    chunk->data = bigger;
    chunk->room = room;
    return 0;
}

static void chunk_remove(struct udf_dirty *dirty, struct udf_chunk *chunk) {
    size_t at = (size_t)(chunk - dirty->chunk);

    free(chunk->data);
    dirty->count--;
    memmove(chunk, chunk + 1, (dirty->count - at) * sizeof(*chunk));
    if (dirty->count == 0) {
        free(dirty->chunk);
        dirty->chunk = NULL;
        dirty->room = 0;
    }
}

uint8_t *udf_dirty_add(struct udf_dirty *dirty, uint64_t block,
                       uint64_t follow) {
    uint64_t index = block / UDF_CHUNK_BLOCKS;
    uint32_t bit = (uint32_t)(block % UDF_CHUNK_BLOCKS);
    uint32_t behind = UDF_CHUNK_BLOCKS - 1 - bit;
    struct udf_chunk *chunk = chunk_at(dirty, index);

    if (!chunk) {
        chunk = chunk_insert(dirty, index);
    }
    if (!chunk) {
        return NULL;
    }
    if (chunk_reach(chunk,
                    bit + (follow < behind ? (uint32_t)follow : behind))) {
        if (chunk->blocks == 0) {
            chunk_remove(dirty, chunk);
        }
        return NULL;
    }
    if (!(chunk->blocks >> bit & 1u)) {
        chunk->blocks |= 1u << bit;
        dirty->blocks++;
    }
    return chunk->data + (size_t)bit * UDF_BLOCK_BYTES;
}

uint8_t *udf_dirty_next(const struct udf_dirty *dirty, uint64_t from,
                        uint64_t *out_block, uint32_t *out_count) {
    uint64_t index = from / UDF_CHUNK_BLOCKS;

    for (size_t at = position(dirty, index); at < dirty->count; at++) {
        const struct udf_chunk *chunk = &dirty->chunk[at];
        uint32_t skip =
            chunk->index == index ? (uint32_t)(from % UDF_CHUNK_BLOCKS) : 0;
        uint32_t left = chunk->blocks >> skip;
        uint32_t first, count = 0;

        if (left == 0) {
            continue;
        }
        first = skip + (uint32_t)__builtin_ctz(left);
        while (first + count < UDF_CHUNK_BLOCKS &&
               (chunk->blocks >> (first + count) & 1u)) {
            count++;
        }
        *out_block = chunk->index * UDF_CHUNK_BLOCKS + first;
        *out_count = count;
        return chunk->data + (size_t)first * UDF_BLOCK_BYTES;
    }
    return NULL;
}

/* Bits of `chunk` that stand for blocks of [from, to). */
static uint32_t overlap(const struct udf_chunk *chunk, uint64_t from,
                        uint64_t to) {
    uint64_t start = chunk->index * UDF_CHUNK_BLOCKS;
    uint64_t low = from > start ? from - start : 0;
    uint64_t high = to > start ? to - start : 0;
    uint64_t mask;

    if (low >= UDF_CHUNK_BLOCKS || high <= low) {
        return 0;
    }
    if (high > UDF_CHUNK_BLOCKS) {
        high = UDF_CHUNK_BLOCKS;
    }
    mask = (((uint64_t)1 << high) - 1) & ~(((uint64_t)1 << low) - 1);
    return (uint32_t)mask;
}

uint64_t udf_dirty_count(const struct udf_dirty *dirty, uint64_t from,
                         uint64_t to) {
    uint64_t blocks = 0;

    for (size_t at = position(dirty, from / UDF_CHUNK_BLOCKS);
         at < dirty->count; at++) {
        uint32_t here =
            dirty->chunk[at].blocks & overlap(&dirty->chunk[at], from, to);

        if (dirty->chunk[at].index * UDF_CHUNK_BLOCKS >= to) {
            break;
        }
        blocks += (uint64_t)__builtin_popcount(here);
    }
    return blocks;
}

void udf_dirty_drop(struct udf_dirty *dirty, uint64_t from, uint64_t to) {
    size_t at = position(dirty, from / UDF_CHUNK_BLOCKS);

    while (at < dirty->count) {
        struct udf_chunk *chunk = &dirty->chunk[at];
        uint32_t here = chunk->blocks & overlap(chunk, from, to);

        if (chunk->index * UDF_CHUNK_BLOCKS >= to) {
            break;
        }
        chunk->blocks &= ~here;
        dirty->blocks -= (uint64_t)__builtin_popcount(here);
        if (chunk->blocks == 0) {
            chunk_remove(dirty, chunk);
        } else {
            at++;
        }
    }
}
