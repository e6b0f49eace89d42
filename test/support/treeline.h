/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/treeline.h - one form of line for what is in a tree, whoever
 * read it, so that trees are compared with diff(1):
 *
 *   path<TAB>type<TAB>column=value ...
 *
 * Lines are sorted by path, byte for byte. The root is "."; bytes of a path
 * below 21h, "\" and 7Fh are written \xHH. A column that does not apply (the
 * size of a directory, the target of a file), or that this reader cannot
 * know, is left out.
 */
#ifndef TEST_TREELINE_H
#define TEST_TREELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Columns; which of them a tool prints is chosen with --without. */
enum {
    TREE_MODE = 1u << 0,  /* permissions, octal */
    TREE_OWNER = 1u << 1, /* uid:gid */
    TREE_SIZE = 1u << 2,
    TREE_MTIME = 1u << 3,    /* of files, seconds and microseconds */
    TREE_DIRTIME = 1u << 4,  /* ... and of directories */
    TREE_LINKTIME = 1u << 5, /* ... and of symbolic links */
    TREE_NLINK = 1u << 6,    /* of all but directories */
    TREE_GROUP = 1u << 7,    /* first path of the same file */
    TREE_TARGET = 1u << 8,
    TREE_CRC = 1u << 9,   /* CRC-32 of the content */
    TREE_ROOT = 1u << 10, /* a line for the root */
    TREE_RDEV = 1u << 11,
    TREE_ALL = (1u << 12) - 1,
    /* not a column: times are cut to whole seconds */
    TREE_SECONDS = 1u << 12
};

struct tree_line {
    char *path, *target; /* owned; target may be NULL */
    char type;           /* d f l p s b c */
    unsigned known;      /* columns that hold something */
    unsigned mode;
    uint32_t uid, gid;
    uint64_t size;
    int64_t mtime_sec;
    uint32_t mtime_usec;
    uint64_t nlink;
    uint64_t device, inode; /* for TREE_GROUP */
    uint32_t crc;
    uint32_t rdev_major, rdev_minor;
};

struct tree {
    struct tree_line *lines;
    size_t count, room;
};

/* A new line of `tree`, zeroed, for a copy of `path`; ends the program when
 * there is no memory. The pointer is good until the next call. */
struct tree_line *tree_add(struct tree *tree, const char *path, char type);

/* Sorts and prints to stdout; false when stdout cannot be written. */
bool tree_print(struct tree *tree, unsigned columns);

void tree_free(struct tree *tree);

/* Reads "--without=mode,owner,..." and "--only=size,crc,..." from the front
 * of the arguments; "--only=mtime,seconds" cuts times to seconds. Returns the
 * index of the first other argument, or -1 after a message. */
int tree_options(int argc, char **argv, unsigned *out_columns);

/* The CRC-32 of zlib, going on from `crc` (0 at first). */
uint32_t tree_crc(uint32_t crc, const void *bytes, size_t count);

/* The letter of a file type (st_mode), '?' for unknown ones. */
char tree_type(mode_t mode);

/* "dir/name", or "name" when dir is "."; owned by the caller. */
char *tree_join(const char *dir, const char *name);

#endif
