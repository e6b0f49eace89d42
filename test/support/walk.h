/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/walk.h - all that a mounted volume shows, gathered through
 * udf/udf.h, and as text.
 *
 * A line of the text is
 *
 *     path type mode uid:gid links size content
 *
 * and where something cannot be had, the name of the error stands in its
 * place. Bytes of a path that ASCII cannot show, spaces and "\" are written
 * \xHH. Content is text in quotes, and A*2048 for a byte that is there so many
 * times; "crc" and its CRC-32 where that would be too long. For a symbolic
 * link it is the target, for a device its numbers. A directory that leads to
 * itself or to one above it is shown as a circle and not entered.
 */
#ifndef TEST_WALK_H
#define TEST_WALK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "udf/udf.h"

enum { WALK_ENTRIES_MAX = 20000 };

struct walk_entry {
    char *path, *name;
    uint64_t parent;
    struct udf_stat stat;
    int error;         /* of the lookup */
    int content_error; /* of reading or listing */
    bool circle;
    uint32_t crc;  /* of a file's content */
    char *content; /* of anything but directories, as text */
};

struct walk {
    struct walk_entry *entry; /* parents before children */
    size_t count, room;
    uint64_t most;
};

/* Walks the whole tree, of which at most WALK_ENTRIES_MAX entries are shown.
 * Of each file `most` bytes are read, 0 for all. What cannot be read is entered
 * with its error. */
void walk_volume(struct udf_volume *volume, uint64_t most,
                 struct walk *out_walk);
void walk_free(struct walk *walk);

/* The lines; with `times` also the four timestamps of each object. */
void walk_print(const struct walk *walk, bool times, FILE *out);

/* The entry with this path, or NULL. */
const struct walk_entry *walk_find(const struct walk *walk, const char *path);

#endif
