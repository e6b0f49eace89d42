/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/refs.c - see udf/refs.h.
 */
#include "udf/refs.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_ROOM = 1024 };

int udf_refs_init(struct udf_refs *refs) {
    refs->ref = calloc(FIRST_ROOM, sizeof(refs->ref[0]));
    refs->room = FIRST_ROOM;
    refs->used = 0;
    pthread_mutex_init(&refs->mutex, NULL);
    return refs->ref ? 0 : -ENOMEM;
}

void udf_refs_free(struct udf_refs *refs) {
    free(refs->ref);
    refs->ref = NULL;
    pthread_mutex_destroy(&refs->mutex);
}

static size_t home_of(const struct udf_refs *refs, uint64_t ino) {
    return (size_t)(ino * 0x9E3779B97F4A7C15u >> 32) & (refs->room - 1);
}

/* The place of `ino`, or the empty one where it would go. */
static size_t place_of(const struct udf_refs *refs, uint64_t ino) {
    size_t at = home_of(refs, ino);

    while (refs->ref[at].ino != 0 && refs->ref[at].ino != ino) {
        at = (at + 1) & (refs->room - 1);
    }
    return at;
}

/* Keeps a third of the places empty, so that probing stays short. */
static int make_room(struct udf_refs *refs) {
    struct udf_refs bigger = {.room = refs->room * 2};

    if ((refs->used + 1) * 3 <= refs->room * 2) {
        return 0;
    }
    bigger.ref = calloc(bigger.room, sizeof(bigger.ref[0]));
    if (!bigger.ref) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < refs->room; i++) {
        if (refs->ref[i].ino != 0) {
            bigger.ref[place_of(&bigger, refs->ref[i].ino)] = refs->ref[i];
        }
    }
    free(refs->ref);
    refs->ref = bigger.ref;
    refs->room = bigger.room;
    return 0;
}

/* Empties a place, and moves those behind it up that probing would miss. */
static void clear_place(struct udf_refs *refs, size_t at) {
    size_t mask = refs->room - 1;

    refs->ref[at].ino = 0;
    refs->used--;
    for (size_t next = (at + 1) & mask; refs->ref[next].ino != 0;
         next = (next + 1) & mask) {
        size_t home = home_of(refs, refs->ref[next].ino);

        if (((next - home) & mask) >= ((next - at) & mask)) {
            refs->ref[at] = refs->ref[next];
            refs->ref[next].ino = 0;
            at = next;
        }
    }
}

int udf_refs_add(struct udf_refs *refs, uint64_t ino) {
    int error;

    pthread_mutex_lock(&refs->mutex);
    error = make_room(refs);
    if (!error) {
        struct udf_ref *ref = &refs->ref[place_of(refs, ino)];

        if (ref->ino == 0) {
            *ref = (struct udf_ref){.ino = ino};
            refs->used++;
        }
        ref->count++;
    }
    pthread_mutex_unlock(&refs->mutex);
    return error;
}

int udf_refs_reserve(struct udf_refs *refs) {
    int error;

    pthread_mutex_lock(&refs->mutex);
    error = make_room(refs);
    pthread_mutex_unlock(&refs->mutex);
    return error;
}

uint64_t udf_refs_drop(struct udf_refs *refs, uint64_t ino, uint64_t count) {
    uint64_t left = 0;
    size_t at;

    pthread_mutex_lock(&refs->mutex);
    at = place_of(refs, ino);
    if (refs->ref[at].ino == ino && refs->ref[at].count > count) {
        refs->ref[at].count -= count;
        left = refs->ref[at].count;
    } else if (refs->ref[at].ino == ino) {
        clear_place(refs, at);
    }
    pthread_mutex_unlock(&refs->mutex);
    return left;
}

uint64_t udf_refs_count(struct udf_refs *refs, uint64_t ino) {
    const struct udf_ref *ref;
    uint64_t count;

    pthread_mutex_lock(&refs->mutex);
    ref = &refs->ref[place_of(refs, ino)];
    count = ref->ino == ino ? ref->count : 0;
    pthread_mutex_unlock(&refs->mutex);
    return count;
}
