/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/differ.h - the same random operations on two directories, and
 * whether both give the same. One is on the file system under test; the other,
 * on one that is believed, says what is right, so no model is needed.
 *
 * Results, errors, content and attributes are compared after every operation,
 * whole trees by differ_compare(). Times are compared where an operation set
 * them: to moments before 2001, so that they differ from a time that came by
 * itself, which has to be later on both sides. Not compared are the order of
 * directories, blocks taken, ctime, and where holes are; what is shown as a
 * hole must read as zeros.
 *
 * The operations follow from the seed, and from nothing else.
 */
#ifndef TEST_DIFFER_H
#define TEST_DIFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DIFFER_FDS = 6,
    DIFFER_PATH_BYTES = 1100,
    DIFFER_LOG = 40,
    DIFFER_FILE_BYTES_MAX = 300000
};

/* One of the two. */
struct differ_side {
    const char *name;
    bool tested;
    int root;           /* the directory */
    int fd[DIFFER_FDS]; /* files that stay open over operations; -1 = closed */
};

struct differ_kind;

struct differ_op {
    const struct differ_kind *kind;
    char path[DIFFER_PATH_BYTES], other[DIFFER_PATH_BYTES];
    uint64_t offset, other_offset; /* bytes */
    uint32_t count;                /* bytes, >= 1 */
    uint32_t choice;               /* among the kind's variants */
    uint32_t seed;                 /* of what is written */
};

struct differ_outcome {
    long result;
    int error;       /* errno when result is -1, else 0 */
    uint64_t digest; /* of what came out */
};

/* What an operation does on one side. */
typedef struct differ_outcome differ_run(struct differ_side *side,
                                         const struct differ_op *op);

struct differ_kind {
    const char *name;
    unsigned weight; /* how often it is drawn */
    bool xattr;      /* for volumes with extended attributes only */
    differ_run *run;
};

struct differ {
    struct differ_side side[2];
    bool xattrs;
    uint64_t random;
    uint64_t operations; /* done so far */
    unsigned names;      /* where the names that are used begin */
    char log[DIFFER_LOG][3 * DIFFER_PATH_BYTES];
};

/* Takes two directories, which must be empty. */
void differ_open(struct differ *differ, const char *tested,
                 const char *reference, uint64_t seed);

/* Lets go of the one that is tested, so that it can be unmounted, and takes it
 * again. Files that were open are closed on both sides. */
void differ_leave(struct differ *differ);
void differ_return(struct differ *differ, const char *tested);

void differ_close(struct differ *differ);

/* A number below `below`. */
uint32_t differ_draw(struct differ *differ, uint32_t below);

/* One operation on both. False when they differ: that, and the operations
 * before it, have then been printed. */
bool differ_step(struct differ *differ);

/* Compares both trees whole. False when they differ, as above. */
bool differ_compare(struct differ *differ);

/* ---- between the files of the differ ----------------------------------- */

/* The kinds of differ_name.c (names and attributes) and differ_data.c, each
 * list ended by one without a name. */
extern const struct differ_kind differ_name_kinds[], differ_data_kinds[];

/* FNV-1a over what came so far and `bytes` more bytes; begins with 0. */
uint64_t differ_digest(uint64_t before, const void *data, size_t bytes);

/* What a call returned, errno with it. */
struct differ_outcome differ_outcome_of(long result);

/* Attributes of one object as a number: type, permissions, owner, links, size,
 * device and the times that were set. */
struct stat;
uint64_t differ_digest_stat(const struct stat *attr);

/* A path to `path` on this side for calls without a directory argument. The
 * text is good until the fourth call after this one. */
const char *differ_full_path(const struct differ_side *side, const char *path);

/* Names and values of all extended attributes of the object itself. */
uint64_t differ_digest_xattrs(const struct differ_side *side, const char *path);

#endif
