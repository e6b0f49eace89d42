/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * posix_suite FILE-SYSTEM FOLDER - runs all checks in FOLDER, and prints how
 * many there were. FILE-SYSTEM is "udf" or "tmpfs". See posix.h.
 */
#include "test/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROW_BYTES = 256, FAILURES_SHOWN = 60 };

/* What a file system does otherwise, and why. */
static const struct difference {
    const char *system;
    const char *pattern; /* of "GROUP: ROW: CHECK", as fnmatch(3) has it */
    long value;
    const char *reason;
} differences[] = {
#include "test/posix/differences.inc"
};

static const struct posix_group {
    const char *name;
    void (*run)(void);
} groups[] = {
    {"paths", posix_paths},     {"opens", posix_opens},
    {"names", posix_names},     {"permissions", posix_permissions},
    {"owners", posix_owners},   {"renames", posix_renames},
    {"links", posix_links},     {"sizes", posix_sizes},
    {"ranges", posix_ranges},   {"maps", posix_maps},
    {"times", posix_times},     {"directories", posix_directories},
    {"locks", posix_locks},     {"attributes", posix_attributes},
    {"lists", posix_lists},     {"handles", posix_handles},
    {"exports", posix_exports},
};

static struct {
    const char *system;
    const char *group;
    char row[ROW_BYTES];
    unsigned long checks, failed, differing;
} suite;

const char *const posix_kind_name[POSIX_KINDS] = {
    [POSIX_FILE] = "file",
    [POSIX_DIR] = "directory",
    [POSIX_FULL] = "full directory",
    [POSIX_LINK] = "link to file",
    [POSIX_DIR_LINK] = "link to directory",
    [POSIX_DANGLING] = "dangling link",
    [POSIX_LOOP] = "link to itself",
    [POSIX_FIFO] = "fifo",
    [POSIX_SOCKET] = "socket",
    [POSIX_ABSENT] = "nothing",
};

const char *const posix_who_name[POSIX_WHOS] = {
    [POSIX_OWNER] = "owner",
    [POSIX_GROUP] = "group",
    [POSIX_OTHER] = "other",
    [POSIX_ROOT] = "root",
};

/* ---- checks ------------------------------------------------------------ */

void posix_row(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(suite.row, sizeof suite.row, format, arguments);
    va_end(arguments);
}

static const struct difference *find_difference(const char *what) {
    char text[2 * ROW_BYTES];

    snprintf(text, sizeof text, "%s: %s: %s", suite.group, suite.row, what);
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++) {
        if (strcmp(differences[i].system, suite.system) == 0 &&
            fnmatch(differences[i].pattern, text, 0) == 0) {
            return &differences[i];
        }
    }
    return NULL;
}

/* Counts a check; prints it when it fails. */
static bool check(const char *what, long expected, long got, bool errors) {
    const struct difference *difference = find_difference(what);

    suite.checks++;
    if (difference) {
        suite.differing++;
        expected = difference->value;
    }
    if (got == expected) {
        return true;
    }
    if (suite.failed++ < FAILURES_SHOWN) {
        fprintf(stderr, "%s: %s: %s: ", suite.group, suite.row, what);
        if (errors) {
            fprintf(stderr, "%s, not %s\n", strerrorname_np((int)got),
                    strerrorname_np((int)expected));
        } else {
            fprintf(stderr, "%ld, not %ld\n", got, expected);
        }
    }
    return false;
}

bool posix_is(const char *what, long expected, long got) {
    return check(what, expected, got, false);
}

bool posix_fails(const char *what, int error, long result) {
    return check(what, error, result < 0 ? errno : 0, true);
}

/* ---- users ------------------------------------------------------------- */

bool posix_is_root(void) {
    return getuid() == 0;
}

bool posix_can_be(enum posix_who who) {
    return posix_is_root() || who == POSIX_OWNER;
}

uid_t posix_uid(enum posix_who who) {
    static const uid_t uids[] = {POSIX_OWNER_ID, POSIX_GROUP_ID, POSIX_OTHER_ID,
                                 0};

    return posix_is_root() ? uids[who] : getuid();
}

gid_t posix_gid(enum posix_who who) {
    static const gid_t gids[] = {POSIX_OWNER_ID, POSIX_OWNER_ID, POSIX_OTHER_ID,
                                 0};

    return posix_is_root() ? gids[who] : getgid();
}

static void must(int result, const char *what) {
    if (result != 0) {
        perror(what);
        exit(2);
    }
}

void posix_become(enum posix_who who) {
    if (posix_is_root() && who != POSIX_ROOT) {
        must(setgroups(0, NULL), "setgroups");
        must(setresgid((gid_t)-1, posix_gid(who), (gid_t)-1), "setresgid");
        must(setresuid((uid_t)-1, posix_uid(who), (uid_t)-1), "setresuid");
    }
}

void posix_return(void) {
    int error = errno; /* of the call that was made as somebody else */

    if (posix_is_root()) {
        must(setresuid((uid_t)-1, 0, (uid_t)-1), "setresuid");
        must(setresgid((gid_t)-1, 0, (gid_t)-1), "setresgid");
    }
    errno = error;
}

/* ---- objects ----------------------------------------------------------- */

void posix_write(const char *path, const void *data, size_t bytes) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    must(fd < 0 || write(fd, data, bytes) != (ssize_t)bytes || close(fd), path);
}

void posix_make(enum posix_kind kind, const char *path) {
    char below[ROW_BYTES];

    switch (kind) {
    case POSIX_FILE:
        posix_write(path, "text", 4);
        break;
    case POSIX_DIR:
    case POSIX_FULL:
        must(mkdir(path, 0755), path);
        snprintf(below, sizeof below, "%s/below", path);
        if (kind == POSIX_FULL) {
            posix_write(below, "", 0);
        }
        break;
    case POSIX_LINK:
        posix_write("target file", "text", 4);
        must(symlink("target file", path), path);
        break;
    case POSIX_DIR_LINK:
        must(mkdir("target directory", 0755) && errno != EEXIST, path);
        must(symlink("target directory", path), path);
        break;
    case POSIX_DANGLING:
        unlink("target absent");
        must(symlink("target absent", path), path);
        break;
    case POSIX_LOOP:
        must(symlink(path, path), path);
        break;
    case POSIX_FIFO:
        must(mkfifo(path, 0644), path);
        break;
    case POSIX_SOCKET:
        must(mknod(path, S_IFSOCK | 0644, 0), path);
        break;
    case POSIX_ABSENT:
    case POSIX_KINDS:
        break;
    }
}

static int remove_one(const char *path, const struct stat *attr, int type,
                      struct FTW *walk) {
    (void)attr;
    (void)type;
    (void)walk;
    return remove(path);
}

void posix_remove(const char *path) {
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

enum posix_kind posix_resolved(enum posix_kind kind) {
    switch ((int)kind) {
    case POSIX_LINK:
        return POSIX_FILE;
    case POSIX_DIR_LINK:
        return POSIX_DIR;
    case POSIX_DANGLING:
        return POSIX_ABSENT;
    default:
        return kind;
    }
}

bool posix_is_dir(enum posix_kind kind) {
    return kind == POSIX_DIR || kind == POSIX_FULL;
}

bool posix_is_link(enum posix_kind kind) {
    return kind >= POSIX_LINK && kind <= POSIX_LOOP;
}

/* ------------------------------------------------------------------------ */

static void run_group(const struct posix_group *group) {
    suite.group = group->name;
    posix_row("begin");
    must(mkdir(group->name, 0755), group->name);
    must(chdir(group->name), group->name);
    umask(022);
    group->run();
    umask(022);
    must(chdir(".."), "..");
    posix_remove(group->name);
    posix_row("end");
    posix_fails("all can be removed", ENOENT, access(group->name, F_OK));
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: posix_suite udf|tmpfs FOLDER\n");
        return 2;
    }
    suite.system = argv[1];
    must(chdir(argv[2]), argv[2]);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        run_group(&groups[i]);
    }
    printf("%s, as %s: %lu checks, %lu failed, %lu differ by design\n",
           suite.system, posix_is_root() ? "root" : "an ordinary user",
           suite.checks, suite.failed, suite.differing);
    return suite.failed ? 1 : 0;
}
