/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/posix/posix.h - posix_suite: what POSIX and Linux promise of a file
 * system, as tables that are crossed with each other (calls, kinds of objects,
 * permissions, users, flags), each with a rule that says what is expected.
 *
 * The suite runs in an empty folder of the file system, as root, who then takes
 * the parts of several users, or as an ordinary user. It knows nothing of UDF:
 * run on a tmpfs it proves itself. Where a file system differs on purpose, or
 * by its nature, posix.c has a line with the reason.
 */
#ifndef TEST_POSIX_H
#define TEST_POSIX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Kinds of objects that tables are made of. */
enum posix_kind {
    POSIX_FILE,
    POSIX_DIR,
    POSIX_FULL, /* a directory with something in it */
    POSIX_LINK, /* symbolic links: to a file, ... */
    POSIX_DIR_LINK,
    POSIX_DANGLING,
    POSIX_LOOP, /* to itself */
    POSIX_FIFO,
    POSIX_SOCKET,
    POSIX_ABSENT,
    POSIX_KINDS
};

/* Who does something. The first three own nothing but what they are given. */
enum posix_who {
    POSIX_OWNER,
    POSIX_GROUP, /* in the owner's group */
    POSIX_OTHER,
    POSIX_ROOT,
    POSIX_WHOS
};

enum { POSIX_OWNER_ID = 70001, POSIX_GROUP_ID, POSIX_OTHER_ID };

extern const char *const posix_kind_name[POSIX_KINDS];
extern const char *const posix_who_name[POSIX_WHOS];

/* The row that the next checks are about. */
__attribute__((format(printf, 1, 2))) void posix_row(const char *format, ...);

/* A check of the row: `got` must be `expected`. Returns whether it was. */
bool posix_is(const char *what, long expected, long got);

/* A call that returned `result` must have failed with `error`; 0 = not. */
bool posix_fails(const char *what, int error, long result);

/* Whether the suite runs as root, and whether it can be `who`. */
bool posix_is_root(void);
bool posix_can_be(enum posix_who who);

/* Takes somebody's part until posix_return(). An ordinary user is the owner
 * already. */
void posix_become(enum posix_who who);
void posix_return(void);

/* The user and group that somebody has here. */
uid_t posix_uid(enum posix_who who);
gid_t posix_gid(enum posix_who who);

/* Makes an object; removes whatever is there, with all below it. */
void posix_make(enum posix_kind kind, const char *path);
void posix_remove(const char *path);
void posix_write(const char *path, const void *data, size_t bytes);

/* What it is behind symbolic links. */
enum posix_kind posix_resolved(enum posix_kind kind);
bool posix_is_dir(enum posix_kind kind);
bool posix_is_link(enum posix_kind kind);

/* The groups of checks, each called in an empty folder. */
void posix_paths(void);
void posix_opens(void);
void posix_names(void);
void posix_permissions(void);
void posix_owners(void);
void posix_renames(void);
void posix_links(void);
void posix_sizes(void);
void posix_ranges(void);
void posix_maps(void);
void posix_times(void);
void posix_directories(void);
void posix_locks(void);
void posix_attributes(void);
void posix_lists(void);
void posix_handles(void);
void posix_exports(void);

#endif
