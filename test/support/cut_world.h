/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/cut_world.h - a volume that is changed, and a model of it that
 * remembers what it was after every operation, so that whatever a power cut
 * left can be compared with what it may be.
 *
 * What may be there after a cut during operation `last`, when everything up to
 * operation `first` was committed:
 *  1. The tree (names, types, sizes, permissions, link counts, targets) is
 *     exactly that after one operation j, first <= j <= last.
 *  2. Each block of a file's data is what it was after operation j or after a
 *     later one up to `last`. Blocks that nobody changed have one such content.
 *
 * Blocks are filled with lines that say which file, block and operation they
 * belong to, so that a foreign block is not only recognised but named.
 *
 * Operations return false when the disc is full, and the model has not changed.
 * Any other error ends the workload.
 */
#ifndef TEST_CUT_WORLD_H
#define TEST_CUT_WORLD_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct udf_volume;

enum { CUT_OBJECTS = 1500, CUT_ROOT = 0 };

/* A content that a block had from operation `op` on. */
struct cut_version {
    uint32_t op;
    uint8_t *data; /* one block */
};

struct cut_block {
    struct cut_version *versions;
    uint32_t count;
};

/* A file, directory or symbolic link; it keeps its number for ever. */
struct cut_object {
    mode_t mode; /* type and permissions, as they are now */
    uint64_t ino;
    uint64_t size;
    uint32_t nlink;
    const char *target; /* of a symbolic link */
    struct cut_block *blocks;
    uint32_t block_count;
};

/* A name, and what its object was like when the list was made. */
struct cut_entry {
    uint32_t parent, object;
    const char *name;
    mode_t mode;
    uint32_t nlink;
    uint64_t size;
    const char *target; /* of a symbolic link */
};

/* The tree after one operation. */
struct cut_tree {
    struct cut_entry *entries;
    uint32_t count;
    uint64_t hash;     /* of all that rule 1 compares */
    size_t begin, end; /* steps that were written before and after it */
    bool committed;
};

struct cut_world {
    struct udf_volume *volume; /* while a workload runs */
    jmp_buf *stop;             /* where a failure of it goes */
    int error;                 /* of the last workload */
    uint64_t random;
    struct cut_object objects[CUT_OBJECTS];
    uint32_t object_count;
    struct cut_tree now;    /* entries as they are */
    struct cut_tree *trees; /* after each operation */
    uint32_t ops, room;
    char **names; /* of cut_name() */
    uint32_t name_count;
    const size_t *time; /* steps written so far, or NULL = none are counted */
};

struct cut_world *cut_world_new(uint64_t seed);
void cut_world_free(struct cut_world *world);

/* A number below `below`. */
uint32_t cut_world_draw(struct cut_world *world, uint32_t below);

/* Does `work` and a commit on the mounted volume. Returns 0 or the error that
 * ended it. */
int cut_world_run(struct cut_world *world, struct udf_volume *volume,
                  void (*work)(struct cut_world *world));

/* ---- Operations ---------------------------------------------------------- */

/* A name made as printf(3) would; it lives as long as the world. */
const char *cut_name(struct cut_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The object's number; UINT32_MAX when the disc is full. */
uint32_t cut_make(struct cut_world *world, uint32_t parent, const char *name,
                  mode_t mode);
uint32_t cut_symlink(struct cut_world *world, uint32_t parent, const char *name,
                     const char *target);
bool cut_link(struct cut_world *world, uint32_t object, uint32_t parent,
              const char *name);
/* Fills this range with lines of this operation. */
bool cut_write(struct cut_world *world, uint32_t object, uint64_t offset,
               uint32_t count);
bool cut_resize(struct cut_world *world, uint32_t object, uint64_t size);
bool cut_chmod(struct cut_world *world, uint32_t object, mode_t permissions);
void cut_remove(struct cut_world *world, uint32_t parent, const char *name);
bool cut_rename(struct cut_world *world, uint32_t from, const char *name,
                uint32_t to, const char *new_name);
void cut_commit(struct cut_world *world);
/* What the background writer would do now. */
void cut_background(struct cut_world *world);

/* The object with this name, UINT32_MAX when there is none. */
uint32_t cut_find(const struct cut_world *world, uint32_t parent,
                  const char *name);

/* Between which operations a tree may be that a cut at step `time` left. */
struct cut_span {
    uint32_t first, last;
};
struct cut_span cut_world_span(const struct cut_world *world, size_t time);

#endif
