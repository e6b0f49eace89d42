/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/refs.h - how often the kernel (or another caller of udf/udf.h) refers to
 * an object, by its number. A kernel that caches a million names holds a
 * million references; they cost 16 bytes here and keep no node in memory.
 *
 * Counts are kept for numbers above 0; a number without references is not
 * there. Locks: all functions take the table's own mutex, so that lookups can
 * count under the shared volume lock.
 */
#ifndef UDF_REFS_H
#define UDF_REFS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct udf_ref {
    uint64_t ino; /* 0: the place is empty */
    uint64_t count;
};

struct udf_refs {
    pthread_mutex_t mutex;
    struct udf_ref *ref; /* open addressing, linear probing */
    size_t room;         /* a power of two */
    size_t used;
};

/* Returns 0 or -ENOMEM. */
int udf_refs_init(struct udf_refs *refs);
void udf_refs_free(struct udf_refs *refs);

/* Counts one reference more. Returns 0 or -ENOMEM. */
int udf_refs_add(struct udf_refs *refs, uint64_t ino);

/* Makes sure that the next udf_refs_add() finds memory, when nobody else adds
 * meanwhile. Returns 0 or -ENOMEM. */
int udf_refs_reserve(struct udf_refs *refs);

/* Gives `count` references back, or all that there are if that is less.
 * Returns how many are left. */
uint64_t udf_refs_drop(struct udf_refs *refs, uint64_t ino, uint64_t count);

uint64_t udf_refs_count(struct udf_refs *refs, uint64_t ino);

#endif
