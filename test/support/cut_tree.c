/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/cut_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "udf/udf.h"

enum { BLOCK = BLOCKDEV_BLOCK_BYTES, CHUNK_BLOCKS = 32, LINE = 64 };

/* ---- Numbers for names and trees ----------------------------------------- */

static uint64_t mix(uint64_t hash, const void *data, size_t bytes) {
    const uint8_t *byte = data;

    for (size_t i = 0; i < bytes; i++) {
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001B3);
    }
    return hash ^ hash >> 31;
}

enum { ROOT_HASH = 0x5EED };

/* Of a name below a directory whose path has the number `parent`. */
static uint64_t path_hash(uint64_t parent, const char *name, size_t len) {
    return mix(mix(parent, &parent, sizeof(parent)), name, len);
}

/* Of one name with all that is compared. Sums of these are compared, so they
 * must be well mixed. */
static uint64_t entry_hash(uint64_t path, mode_t mode, uint32_t nlink,
                           uint64_t size, const char *target) {
    uint64_t values[4] = {path, mode, S_ISDIR(mode) ? 1 : nlink,
                          S_ISREG(mode) ? size : 0};
    uint64_t hash = mix(UINT64_C(0xCBF29CE484222325), values, sizeof(values));

    hash = target ? mix(hash, target, strlen(target)) : hash;
    hash *= UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

static uint64_t entry_path(const struct cut_tree *tree,
                           const struct cut_entry *entry) {
    uint64_t parent = ROOT_HASH;

    for (uint32_t i = 0; entry->parent != CUT_ROOT && i < tree->count; i++) {
        if (tree->entries[i].object == entry->parent) {
            parent = entry_path(tree, &tree->entries[i]);
            break;
        }
    }
    return path_hash(parent, entry->name, strlen(entry->name));
}

uint64_t cut_tree_hash(const struct cut_tree *tree) {
    uint64_t sum = 0;

    for (uint32_t i = 0; i < tree->count; i++) {
        const struct cut_entry *entry = &tree->entries[i];

        sum += entry_hash(entry_path(tree, entry), entry->mode, entry->nlink,
                          entry->size, entry->target);
    }
    return sum;
}

/* ---- What is on the volume ----------------------------------------------- */

struct seen {
    uint64_t path; /* its number */
    uint64_t ino, size;
    mode_t mode;
    uint32_t nlink;
    char name[64]; /* for messages, cut short */
};

struct walk {
    struct udf_volume *volume;
    struct seen *seen;
    uint32_t count, room;
    uint64_t parent; /* number of the directory that is being listed */
    uint64_t cookie; /* of its last entry */
    uint64_t hash;
    char *text;
};

static bool note_entry(void *context, const struct udf_dirent *entry) {
    struct walk *walk = context;
    const struct udf_name *name = &entry->name;
    struct seen *seen;

    walk->cookie = entry->cookie;
    if ((name->len == 1 && name->text[0] == '.') ||
        (name->len == 2 && memcmp(name->text, "..", 2) == 0)) {
        return true;
    }
    if (walk->count == walk->room) {
        walk->room = walk->room ? walk->room * 2 : 256;
        walk->seen = realloc(walk->seen, walk->room * sizeof(*walk->seen));
        assert_non_null(walk->seen);
    }
    seen = &walk->seen[walk->count++];
    *seen =
        (struct seen){.path = path_hash(walk->parent, name->text, name->len),
                      .ino = entry->stat.ino,
                      .size = entry->stat.size,
                      .mode = entry->stat.mode,
                      .nlink = entry->stat.nlink};
    snprintf(seen->name, sizeof(seen->name), "%.*s", (int)name->len,
             name->text);
    return true;
}

static bool is_after(const struct seen *seen) {
    return seen->path ==
           path_hash(ROOT_HASH, CUT_AFTER_NAME, strlen(CUT_AFTER_NAME));
}

static bool list_directory(struct walk *walk, uint64_t ino, uint64_t path) {
    uint32_t from = walk->count;
    uint64_t before;
    int error;

    walk->parent = path;
    walk->cookie = 0;
    do { /* a list is cut short where something must be fetched */
        before = walk->cookie;
        error = udf_readdir(walk->volume, ino, before, true, note_entry, walk);
    } while (!error && walk->cookie != before);
    for (uint32_t i = from; i < walk->count; i++) {
        udf_forget(walk->volume, walk->seen[i].ino, 1);
    }
    if (error) {
        snprintf(walk->text, CUT_TEXT_BYTES, "a directory cannot be read: %s",
                 strerror(-error));
    }
    return error == 0;
}

static bool add_hash(struct walk *walk, const struct seen *seen) {
    char target[256];
    bool link = S_ISLNK(seen->mode);
    int error =
        link ? udf_readlink(walk->volume, seen->ino, target, sizeof(target))
             : 0;

    if (error) {
        snprintf(walk->text, CUT_TEXT_BYTES, "link %s cannot be read: %s",
                 seen->name, strerror(-error));
        return false;
    }
    if (!is_after(seen)) {
        walk->hash += entry_hash(seen->path, seen->mode, seen->nlink,
                                 seen->size, link ? target : NULL);
    }
    return true;
}

/* Lists the whole tree; what is listed grows while it is gone through. */
static bool walk_volume(struct walk *walk) {
    if (!list_directory(walk, UDF_ROOT_INO, ROOT_HASH)) {
        return false;
    }
    for (uint32_t i = 0; i < walk->count; i++) {
        struct seen seen = walk->seen[i];

        if (!add_hash(walk, &seen) ||
            (S_ISDIR(seen.mode) &&
             !list_directory(walk, seen.ino, seen.path))) {
            return false;
        }
        if (walk->count > CUT_OBJECTS * 2) {
            snprintf(walk->text, CUT_TEXT_BYTES, "the tree has no end");
            return false;
        }
    }
    return true;
}

/* ---- Rule 1 -------------------------------------------------------------- */

static const struct seen *find_seen(const struct walk *walk, uint64_t path) {
    for (uint32_t i = 0; i < walk->count; i++) {
        if (walk->seen[i].path == path) {
            return &walk->seen[i];
        }
    }
    return NULL;
}

static bool names_seen(const struct cut_tree *tree, const struct seen *seen) {
    for (uint32_t i = 0; i < tree->count; i++) {
        if (entry_path(tree, &tree->entries[i]) == seen->path) {
            return true;
        }
    }
    return is_after(seen);
}

/* Says how the volume differs from the tree after operation `op`. */
static void explain(const struct cut_world *world, const struct walk *walk,
                    struct cut_span span) {
    const struct cut_tree *tree = &world->trees[span.first];

    snprintf(walk->text, CUT_TEXT_BYTES, "another link's target");
    for (uint32_t i = 0; i < walk->count; i++) {
        if (!names_seen(tree, &walk->seen[i])) {
            snprintf(walk->text, CUT_TEXT_BYTES, "%s should not be there",
                     walk->seen[i].name);
        }
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct cut_entry *entry = &tree->entries[i];
        const struct seen *seen = find_seen(walk, entry_path(tree, entry));

        if (!seen) {
            snprintf(walk->text, CUT_TEXT_BYTES, "%s is not there",
                     entry->name);
        } else if (seen->mode != entry->mode ||
                   (!S_ISDIR(seen->mode) && seen->nlink != entry->nlink) ||
                   (S_ISREG(seen->mode) && seen->size != entry->size)) {
            snprintf(walk->text, CUT_TEXT_BYTES,
                     "%s has mode %o, %u links, %llu bytes instead of %o, %u, "
                     "%llu",
                     entry->name, (unsigned)seen->mode, (unsigned)seen->nlink,
                     (unsigned long long)seen->size, (unsigned)entry->mode,
                     (unsigned)entry->nlink, (unsigned long long)entry->size);
        }
    }
    snprintf(walk->text + strlen(walk->text), 100,
             " (operations %u..%u would do; %u names instead of %u)",
             span.first, span.last, walk->count, tree->count);
}

/* The first operation from span.first on after which the tree was this one. */
static bool find_op(const struct cut_world *world, const struct walk *walk,
                    struct cut_span span, uint32_t *out_op) {
    for (uint32_t op = span.first; op <= span.last; op++) {
        if (world->trees[op].hash == walk->hash) {
            *out_op = op;
            return true;
        }
    }
    return false;
}

/* ---- Rule 2 -------------------------------------------------------------- */

/* Whether the block may have this content at operations op..last. */
static bool block_fits(const struct cut_object *object, uint32_t index,
                       struct cut_span span, const uint8_t *data,
                       uint32_t bytes) {
    static const uint8_t zeros[BLOCK];
    const struct cut_block *block =
        index < object->block_count ? &object->blocks[index] : NULL;
    bool zero = true; /* before the first version */

    for (uint32_t v = 0; block && v < block->count; v++) {
        const struct cut_version *version = &block->versions[v];
        bool last =
            v + 1 == block->count || block->versions[v + 1].op > span.first;

        zero = zero && version->op > span.first;
        if (version->op <= span.last && last &&
            memcmp(version->data, data, bytes) == 0) {
            return true;
        }
    }
    return zero && memcmp(zeros, data, bytes) == 0;
}

static void explain_block(const struct walk *walk,
                          const struct cut_entry *entry, uint32_t index,
                          struct cut_span span, const uint8_t *data) {
    char line[LINE];

    for (size_t i = 0; i + 1 < sizeof(line); i++) {
        line[i] = data[i] >= ' ' && data[i] < 0x7F ? (char)data[i] : '.';
    }
    line[sizeof(line) - 1] = 0;
    snprintf(walk->text, CUT_TEXT_BYTES,
             "%s (object %u) block %u holds \"%s\" (operations %u..%u would "
             "do)",
             entry->name, entry->object, index, line, span.first, span.last);
}

static bool chunk_fits(const struct cut_world *world, const struct walk *walk,
                       const struct cut_entry *entry, struct cut_span span,
                       uint64_t offset) {
    const struct cut_object *object = &world->objects[entry->object];
    uint8_t data[CHUNK_BLOCKS * BLOCK];
    uint64_t left = entry->size - offset;
    uint32_t want = left < sizeof(data) ? (uint32_t)left : sizeof(data);
    const struct seen *seen =
        find_seen(walk, entry_path(&world->trees[span.first], entry));
    uint32_t got = 0;
    int error = udf_read(walk->volume, seen->ino, offset, want, data, &got);

    if (error || got != want) {
        snprintf(walk->text, CUT_TEXT_BYTES, "%s cannot be read at %llu: %s",
                 entry->name, (unsigned long long)offset,
                 error ? strerror(-error) : "it is too short");
        return false;
    }
    for (uint32_t at = 0; at < want; at += BLOCK) {
        uint32_t index = (uint32_t)((offset + at) / BLOCK);
        uint32_t bytes = want - at < BLOCK ? want - at : BLOCK;

        if (!block_fits(object, index, span, data + at, bytes)) {
            explain_block(walk, entry, index, span, data + at);
            return false;
        }
    }
    return true;
}

static bool data_fits(const struct cut_world *world, const struct walk *walk,
                      struct cut_span span) {
    const struct cut_tree *tree = &world->trees[span.first];

    for (uint32_t i = 0; i < tree->count; i++) {
        const struct cut_entry *entry = &tree->entries[i];

        for (uint64_t at = 0; at < entry->size; at += CHUNK_BLOCKS * BLOCK) {
            if (!chunk_fits(world, walk, entry, span, at)) {
                return false;
            }
        }
    }
    return true;
}

/* Whether tree and data are those of one operation: a file that was replaced by
 * one of the same name and size leaves the tree as it was. */
static bool volume_fits(const struct cut_world *world, const struct walk *walk,
                        struct cut_span span, uint32_t *out_op) {
    bool found = false;

    while (find_op(world, walk, span, &span.first)) {
        found = true;
        if (data_fits(world, walk, span)) {
            *out_op = span.first;
            return true;
        }
        span.first++;
    }
    if (!found) {
        explain(world, walk, span);
    }
    return false;
}

bool cut_world_matches(const struct cut_world *world, struct udf_volume *volume,
                       struct cut_span span, uint32_t *out_op, char *text) {
    struct walk walk = {.volume = volume, .text = text};
    bool fits = walk_volume(&walk) && volume_fits(world, &walk, span, out_op);

    free(walk.seen);
    return fits;
}
