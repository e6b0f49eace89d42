/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/posix/renames.c - rename(2) of every kind onto every other, in a
 * directory and between two, with every flag; link(2), unlink(2), rmdir(2);
 * link counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/posix/posix.h"

static ino_t ino_of(const char *path) {
    struct stat attr;

    return lstat(path, &attr) == 0 ? attr.st_ino : 0;
}

static long links_of(const char *path) {
    struct stat attr;

    return lstat(path, &attr) == 0 ? (long)attr.st_nlink : -1;
}

static int expected_rename(enum posix_kind from, enum posix_kind to,
                           unsigned flags) {
    if (from == POSIX_ABSENT) {
        return ENOENT;
    }
    if (to == POSIX_ABSENT) {
        return flags == RENAME_EXCHANGE ? ENOENT : 0;
    }
    if (flags == RENAME_NOREPLACE) {
        return EEXIST;
    }
    if (flags == RENAME_EXCHANGE) {
        return 0;
    }
    if (posix_is_dir(from) != posix_is_dir(to)) {
        return posix_is_dir(from) ? ENOTDIR : EISDIR;
    }
    return to == POSIX_FULL ? ENOTEMPTY : 0;
}

static const char *const flag_names[] = {"", " noreplace", " exchange"};

static void check_rename(enum posix_kind from, enum posix_kind to,
                         unsigned flag, bool across) {
    static const unsigned flags[] = {0, RENAME_NOREPLACE, RENAME_EXCHANGE};
    const char *target = across ? "other/to" : "here/to";
    int error = expected_rename(from, to, flags[flag]);
    bool exchanged = flag == 2 && !error;
    ino_t from_ino, to_ino;
    int result;

    posix_row("%s to %s%s%s", posix_kind_name[from], posix_kind_name[to],
              flag_names[flag], across ? " elsewhere" : "");
    posix_make(POSIX_DIR, "here");
    posix_make(POSIX_DIR, "other");
    posix_make(from, "here/from");
    posix_make(to, target);
    from_ino = ino_of("here/from");
    to_ino = ino_of(target);
    result = renameat2(AT_FDCWD, "here/from", AT_FDCWD, target, flags[flag]);
    posix_fails("rename", error, result);
    posix_is("at the old name",
             (long)(error       ? from_ino
                    : exchanged ? to_ino
                                : 0),
             (long)ino_of("here/from"));
    posix_is("at the new name", (long)(error ? to_ino : from_ino),
             (long)ino_of(target));
    posix_is("directories here",
             2 +
                 (posix_is_dir(exchanged ? to : from) &&
                  (error || exchanged || !across)) +
                 (!across && posix_is_dir(exchanged ? from : to) &&
                  (error || exchanged)),
             links_of("here"));
    posix_remove("here");
    posix_remove("other");
}

static void check_special_renames(void) {
    posix_row("special");
    posix_make(POSIX_DIR, "dir");
    posix_make(POSIX_FULL, "dir/sub");
    posix_make(POSIX_FILE, "file");
    posix_fails("below itself", EINVAL, rename("dir", "dir/new"));
    posix_fails("further below itself", EINVAL, rename("dir", "dir/sub/new"));
    posix_fails("onto what is above", ENOTEMPTY, rename("dir/sub", "dir"));
    posix_fails(
        "exchange with what is above", EINVAL,
        renameat2(AT_FDCWD, "dir", AT_FDCWD, "dir/sub", RENAME_EXCHANGE));
    posix_fails("onto itself", 0, rename("dir", "dir"));
    posix_fails("dot", EBUSY, rename("dir/.", "new"));
    posix_fails("dots", EBUSY, rename("dir/..", "new"));
    posix_fails("to dot", EBUSY, rename("file", "dir/."));
    posix_fails("both flags", EINVAL,
                renameat2(AT_FDCWD, "file", AT_FDCWD, "new",
                          RENAME_EXCHANGE | RENAME_NOREPLACE));
    posix_fails("unknown flag", EINVAL,
                renameat2(AT_FDCWD, "file", AT_FDCWD, "new", 1u << 20));
    posix_fails("to another file system", EXDEV, rename("file", "/proc/x"));
    posix_fails("link", 0, link("file", "second"));
    posix_fails("onto its own second name", 0, rename("file", "second"));
    posix_is("both are there", true,
             ino_of("file") == ino_of("second") && ino_of("file") != 0);
    posix_is("links", 2, links_of("file"));
    posix_fails("dots lead to the new parent", 0, rename("dir/sub", "moved"));
    posix_is("dots", (long)ino_of("."), (long)ino_of("moved/.."));
    posix_fails("a file with a slash", ENOTDIR, rename("file", "new/"));
    posix_fails("a directory with a slash", 0, rename("moved/", "again/"));
}

void posix_renames(void) {
    for (int row = 0; row < POSIX_KINDS * POSIX_KINDS * 6; row++) {
        check_rename((enum posix_kind)(row % POSIX_KINDS),
                     (enum posix_kind)(row / POSIX_KINDS % POSIX_KINDS),
                     (unsigned)row / POSIX_KINDS / POSIX_KINDS % 3,
                     row / POSIX_KINDS / POSIX_KINDS / 3);
    }
    check_special_renames();
}

/* ---- link, unlink, rmdir ----------------------------------------------- */

static void check_linking(enum posix_kind kind) {
    bool absent = kind == POSIX_ABSENT, dir = posix_is_dir(kind);
    int error = absent ? ENOENT : dir ? EPERM : 0;

    posix_row("%s", posix_kind_name[kind]);
    posix_make(kind, "object");
    posix_fails("link", error, link("object", "second"));
    if (!error) {
        posix_is("links", 2, links_of("object"));
        posix_is("the same", (long)ino_of("object"), (long)ino_of("second"));
        posix_fails("link onto it", EEXIST, link("object", "second"));
        posix_fails("unlink the second", 0, unlink("second"));
        posix_is("links again", 1, links_of("object"));
    }
    posix_fails("mkdir onto it", absent ? 0 : EEXIST, mkdir("object", 0755));
    posix_fails("symlink onto it", EEXIST, symlink("x", "object"));
    posix_fails("mkfifo onto it", EEXIST, mkfifo("object", 0644));
    posix_fails("mknod onto it", EEXIST, mknod("object", S_IFSOCK, 0));
    if (absent) {
        rmdir("object");
    }
    posix_fails("unlink", absent ? ENOENT : dir ? EISDIR : 0, unlink("object"));
    if (!dir && !absent) {
        posix_make(kind, "object");
    }
    posix_fails("rmdir",
                absent               ? ENOENT
                : kind == POSIX_FULL ? ENOTEMPTY
                : dir                ? 0
                                     : ENOTDIR,
                rmdir("object"));
    posix_remove("object");
}

static void check_counts(void) {
    posix_row("counts");
    posix_make(POSIX_DIR, "dir");
    posix_is("a new directory", 2, links_of("dir"));
    posix_make(POSIX_DIR, "dir/a");
    posix_make(POSIX_DIR, "dir/b");
    posix_make(POSIX_FILE, "dir/file");
    posix_is("with two in it", 4, links_of("dir"));
    rmdir("dir/a");
    posix_is("with one in it", 3, links_of("dir"));
    posix_fails("dot", EINVAL, rmdir("dir/b/."));
    posix_fails("dots", ENOTEMPTY, rmdir("dir/b/.."));
    posix_fails("unlink dot", EISDIR, unlink("dir/b/."));
    for (int i = 0; i < 40; i++) {
        char name[16];

        snprintf(name, sizeof name, "name %d", i);
        posix_fails("link", 0, link("dir/file", name));
        posix_is("links", i + 2, links_of(name));
    }
    posix_fails("in a directory that was removed", 0, mkdir("gone", 0755));
    int fd = open("gone", O_RDONLY | O_DIRECTORY);

    posix_fails("rmdir", 0, rmdir("gone"));
    posix_fails("mkdirat", ENOENT, mkdirat(fd, "x", 0755));
    posix_fails("openat", ENOENT, openat(fd, "x", O_WRONLY | O_CREAT, 0644));
    posix_fails("symlinkat", ENOENT, symlinkat("x", fd, "x"));
    posix_fails("linkat", ENOENT, linkat(AT_FDCWD, "dir/file", fd, "x", 0));
    posix_fails("renameat", ENOENT, renameat(AT_FDCWD, "dir/file", fd, "x"));
    close(fd);
}

/* Targets come back as they were given, and count as their length. */
static void check_target(const char *name, const char *target) {
    char got[5000];
    struct stat attr;
    ssize_t bytes;

    posix_row("target %s", name);
    if (posix_fails("symlink", 0, symlink(target, "link"))) {
        posix_fails("lstat", 0, lstat("link", &attr));
        posix_is("size", (long)strlen(target), (long)attr.st_size);
        bytes = readlink("link", got, sizeof got);
        posix_is("length", (long)strlen(target), bytes);
        posix_is("text", true,
                 bytes > 0 && memcmp(got, target, (size_t)bytes) == 0);
        posix_is("cut", 1, readlink("link", got, 1));
        posix_fails("no room", EINVAL, readlink("link", got, 0));
    }
    unlink("link");
}

static void check_targets(void) {
    static const struct {
        const char *name, *target;
    } targets[] = {
        {"one character", "a"},
        {"dot", "."},
        {"dots", ".."},
        {"root", "/"},
        {"absolute", "/usr/lib/x"},
        {"relative", "../../a/./b"},
        {"spaces", " a / b "},
        {"not ASCII", "\xE7\x9F\xAD/\xF0\x9F\x92\xBF/\xC3\xA9"},
        {"ends with a slash", "a/"},
        {"two slashes", "a//b"},
        {"two slashes first", "//a"},
    };
    static char text[4096];

    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        check_target(targets[i].name, targets[i].target);
    }
    for (size_t length = 1; length <= 4095; length = length * 2 + 1) {
        char name[32];

        memset(text, 0, sizeof text);
        for (size_t at = 0; at < length; at++) {
            text[at] = at % 50 == 49 && at + 1 < length ? '/' : 'n';
        }
        snprintf(name, sizeof name, "of %zu", length);
        check_target(name, text);
    }
    posix_row("target");
    posix_fails("empty", ENOENT, symlink("", "link"));
}

void posix_links(void) {
    for (int kind = 0; kind < POSIX_KINDS; kind++) {
        check_linking((enum posix_kind)kind);
    }
    check_counts();
    check_targets();
}
