/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/dir_index.c - names of a directory by hash: open addressing with linear
 * probing. Pure. See udf/dir_priv.h.
 */
#include "udf/dir_priv.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_ROOM = 16 };

#define REMOVED UINT32_MAX

uint32_t udf_dir_hash(const char *name, uint32_t bytes) {
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (uint32_t i = 0; i < bytes; i++) {
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    }
    return hash ^ hash >> 15;
}

static void insert(struct dir_index *index, uint32_t hash, uint32_t position) {
    size_t at = hash & (index->room - 1);

    while (index->slot[at].position != 0 &&
           index->slot[at].position != REMOVED) {
        at = (at + 1) & (index->room - 1);
    }
    if (index->slot[at].position == 0) {
        index->used++;
    }
    index->slot[at] = (struct dir_index_slot){hash, position};
    index->live++;
}

int udf_dir_index_reserve(struct dir_index *index) {
    struct dir_index bigger = {.room = FIRST_ROOM};

    /* At most three quarters in use, or probing gets long. */
    if ((index->used + 1) * 4 <= index->room * 3) {
        return 0;
    }
    while (bigger.room < (index->live + 1) * 2) {
        bigger.room *= 2;
    }
    bigger.slot = calloc(bigger.room, sizeof(bigger.slot[0]));
    if (!bigger.slot) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < index->room; i++) {
        if (index->slot[i].position != 0 &&
            index->slot[i].position != REMOVED) {
            insert(&bigger, index->slot[i].hash, index->slot[i].position);
        }
    }
    free(index->slot);
    *index = bigger;
    return 0;
}

void udf_dir_index_add(struct dir_index *index, uint32_t hash,
                       uint32_t position) {
    insert(index, hash, position);
}

void udf_dir_index_remove(struct dir_index *index, uint32_t hash,
                          uint32_t position) {
    size_t at = hash & (index->room - 1);

    while (index->slot[at].position != position) {
        at = (at + 1) & (index->room - 1);
    }
    index->slot[at].position = REMOVED;
    index->live--;
}

bool udf_dir_index_next(const struct dir_index *index, uint32_t hash,
                        uint64_t *cursor, uint32_t *out_position) {
    uint64_t at = *cursor == UINT64_MAX ? hash : *cursor + 1;

    if (index->room == 0) {
        return false;
    }
    for (;; at++) {
        const struct dir_index_slot *slot =
            &index->slot[at & (index->room - 1)];

        if (slot->position == 0) {
            return false;
        }
        if (slot->position != REMOVED && slot->hash == hash) {
            *cursor = at;
            *out_position = slot->position;
            return true;
        }
    }
}
