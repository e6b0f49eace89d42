/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/posix/paths.c - how paths lead to objects, or do not: every call with
 * every bad path; open(2) with every kind of object; names.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test/posix/posix.h"

/* ---- bad paths --------------------------------------------------------- */

static int and_close(int fd) {
    return fd < 0 ? -1 : close(fd);
}

static int call_open(const char *path) {
    return and_close(open(path, O_RDONLY));
}

static int call_create(const char *path) {
    return and_close(open(path, O_WRONLY | O_CREAT, 0644));
}

static int call_open_directory(const char *path) {
    return and_close(open(path, O_RDONLY | O_DIRECTORY));
}

static int call_stat(const char *path) {
    struct stat attr;

    return stat(path, &attr);
}

static int call_lstat(const char *path) {
    struct stat attr;

    return lstat(path, &attr);
}

static int call_access(const char *path) {
    return access(path, R_OK);
}

static int call_chmod(const char *path) {
    return chmod(path, 0644);
}

static int call_chown(const char *path) {
    return chown(path, (uid_t)-1, (gid_t)-1);
}

static int call_lchown(const char *path) {
    return lchown(path, (uid_t)-1, (gid_t)-1);
}

static int call_truncate(const char *path) {
    return truncate(path, 0);
}

static int call_utimens(const char *path) {
    return utimensat(AT_FDCWD, path, NULL, 0);
}

static int call_mkdir(const char *path) {
    return mkdir(path, 0755);
}

static int call_mkfifo(const char *path) {
    return mkfifo(path, 0644);
}

static int call_symlink(const char *path) {
    return symlink("anything", path);
}

static int call_link_from(const char *path) {
    return link(path, "a new name");
}

static int call_link_to(const char *path) {
    return link("file", path);
}

static int call_rename_from(const char *path) {
    return rename(path, "a new name");
}

static int call_rename_to(const char *path) {
    return rename("another file", path);
}

static int call_readlink(const char *path) {
    char target[16];

    return (int)readlink(path, target, sizeof target);
}

static int call_chdir(const char *path) {
    return chdir(path);
}

static int call_statvfs(const char *path) {
    struct statvfs attr;

    return statvfs(path, &attr);
}

static int call_getxattr(const char *path) {
    return (int)getxattr(path, "user.absent", NULL, 0);
}

static int call_setxattr(const char *path) {
    return setxattr(path, "user.name", "", 0, 0);
}

static int call_listxattr(const char *path) {
    return (int)listxattr(path, NULL, 0);
}

static int call_removexattr(const char *path) {
    return removexattr(path, "user.absent");
}

static const struct call {
    const char *name;
    int (*call)(const char *path);
    bool follows; /* a symbolic link at the end */
    bool makes;   /* a name that was not there */
} calls[] = {
    {"open", call_open, true, false},
    {"create", call_create, true, true},
    {"open directory", call_open_directory, true, false},
    {"stat", call_stat, true, false},
    {"lstat", call_lstat, false, false},
    {"access", call_access, true, false},
    {"chmod", call_chmod, true, false},
    {"chown", call_chown, true, false},
    {"lchown", call_lchown, false, false},
    {"truncate", call_truncate, true, false},
    {"utimensat", call_utimens, true, false},
    {"mkdir", call_mkdir, false, true},
    {"mkfifo", call_mkfifo, false, true},
    {"symlink", call_symlink, false, true},
    {"link from", call_link_from, false, false},
    {"link to", call_link_to, false, true},
    {"unlink", unlink, false, false},
    {"rmdir", rmdir, false, false},
    {"rename from", call_rename_from, false, false},
    {"rename to", call_rename_to, false, true},
    {"readlink", call_readlink, false, false},
    {"chdir", call_chdir, true, false},
    {"statvfs", call_statvfs, true, false},
    {"getxattr", call_getxattr, true, false},
    {"setxattr", call_setxattr, true, false},
    {"listxattr", call_listxattr, true, false},
    {"removexattr", call_removexattr, true, false},
};

static void check_bad_paths(const struct call *call, const char *long_name,
                            const char *long_path) {
    const struct {
        const char *name, *path;
        int error;
    } bad[] = {
        {"empty", "", ENOENT},
        {"below nothing", "absent/name", ENOENT},
        {"below a file", "file/name", ENOTDIR},
        {"below a fifo", "fifo/name", ENOTDIR},
        {"below a loop", "loop/name", ELOOP},
        {"below a dangling link", "dangling/name", ENOENT},
        {"below a link to a file", "link/name", ENOTDIR},
        {"a long name", long_name, ENAMETOOLONG},
        {"a long path", long_path, ENAMETOOLONG},
        {"no address", (const char *)1, EFAULT},
    };

    posix_row("%s", call->name);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        posix_fails(bad[i].name, bad[i].error, call->call(bad[i].path));
    }
    if (!call->makes) {
        posix_fails("absent", ENOENT, call->call("absent"));
        posix_fails("a file with a slash", ENOTDIR, call->call("file/"));
    }
    if (call->follows) {
        posix_fails("a loop", ELOOP, call->call("loop"));
    }
}

void posix_paths(void) {
    static char long_name[1200], long_path[PATH_MAX + 100];

    memset(long_name, 'n', sizeof long_name - 1);
    for (size_t i = 0; i + 2 < sizeof long_path; i += 2) {
        memcpy(long_path + i, "./", 2);
    }
    posix_make(POSIX_FILE, "file");
    posix_make(POSIX_FILE, "another file");
    posix_make(POSIX_FIFO, "fifo");
    posix_make(POSIX_LINK, "link");
    posix_make(POSIX_LOOP, "loop");
    posix_make(POSIX_DANGLING, "dangling");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        check_bad_paths(&calls[i], long_name, long_path);
    }
}

/* ---- open(2) ----------------------------------------------------------- */

static int expected_open(enum posix_kind kind, int flags) {
    enum posix_kind resolved = posix_resolved(kind);
    bool writes = (flags & O_ACCMODE) != O_RDONLY;

    if (flags & O_CREAT && flags & O_EXCL) {
        return kind == POSIX_ABSENT ? 0 : EEXIST;
    }
    if (flags & O_NOFOLLOW && posix_is_link(kind)) {
        return flags & O_DIRECTORY ? ENOTDIR : ELOOP;
    }
    if (resolved == POSIX_LOOP) {
        return ELOOP;
    }
    if (resolved == POSIX_ABSENT) {
        return flags & O_CREAT ? 0 : ENOENT;
    }
    if (posix_is_dir(resolved)) {
        return writes || flags & (O_CREAT | O_TRUNC) ? EISDIR : 0;
    }
    if (flags & O_DIRECTORY) {
        return ENOTDIR;
    }
    if (resolved == POSIX_SOCKET ||
        (resolved == POSIX_FIFO && (flags & O_ACCMODE) == O_WRONLY)) {
        return ENXIO;
    }
    return 0;
}

static void check_opened(enum posix_kind kind, int flags, int fd) {
    struct stat attr, named;
    bool cut = flags & O_TRUNC || posix_resolved(kind) == POSIX_ABSENT;

    posix_fails("fstat", 0, fstat(fd, &attr));
    posix_fails("stat", 0, stat("object", &named));
    posix_is("the same object", (long)named.st_ino, (long)attr.st_ino);
    if (S_ISREG(attr.st_mode)) {
        posix_is("size", cut ? 0 : 4, (long)attr.st_size);
        posix_is("flags", flags & (O_ACCMODE | O_APPEND),
                 fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND));
    }
    close(fd);
}

void posix_opens(void) {
    static const int access_modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
    static const struct {
        const char *name;
        int flags;
    } extras[] = {
        {"", 0},
        {" create", O_CREAT},
        {" create exclusive", O_CREAT | O_EXCL},
        {" truncate", O_TRUNC},
        {" create truncate", O_CREAT | O_TRUNC},
        {" directory", O_DIRECTORY},
        {" nofollow", O_NOFOLLOW},
        {" create nofollow", O_CREAT | O_NOFOLLOW},
        {" append", O_APPEND},
        {" directory nofollow", O_DIRECTORY | O_NOFOLLOW},
    };

    for (int kind = 0; kind < POSIX_KINDS; kind++) {
        for (size_t i = 0; i < 3 * sizeof extras / sizeof extras[0]; i++) {
            int flags = access_modes[i % 3] | extras[i / 3].flags;
            int fd;

            posix_row("%s access %zu%s", posix_kind_name[kind], i % 3,
                      extras[i / 3].name);
            posix_make((enum posix_kind)kind, "object");
            fd = open("object", flags | O_NONBLOCK, 0644);
            posix_fails("open", expected_open((enum posix_kind)kind, flags),
                        fd);
            if (fd >= 0) {
                check_opened((enum posix_kind)kind, flags, fd);
            }
            posix_remove("object");
        }
    }
}

/* ---- names ------------------------------------------------------------- */

static bool is_listed(const char *name) {
    DIR *dir = opendir(".");
    bool found = false;

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        found = found || strcmp(entry->d_name, name) == 0;
    }
    if (dir) {
        closedir(dir);
    }
    return found;
}

static void check_name(const char *name) {
    struct stat attr;
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);

    if (!posix_fails("create", 0, fd)) {
        return;
    }
    close(fd);
    posix_fails("again", EEXIST, open(name, O_WRONLY | O_CREAT | O_EXCL, 0644));
    posix_fails("stat", 0, stat(name, &attr));
    posix_is("listed", true, is_listed(name));
    posix_fails("rename away", 0, rename(name, "other name"));
    posix_is("listed when renamed", false, is_listed(name));
    posix_fails("link", 0, link("other name", name));
    posix_fails("unlink", 0, unlink(name));
    posix_fails("stat when unlinked", ENOENT, stat(name, &attr));
    posix_fails("mkdir", 0, mkdir(name, 0755));
    posix_fails("rmdir", 0, rmdir(name));
    unlink("other name");
}

void posix_names(void) {
    static const char *const names[] = {
        "a",
        "A",
        "...",
        ".hidden",
        " ",
        " x ",
        "x ",
        "x.",
        "-",
        "--help",
        "a b",
        "tab\there",
        "line\nfeed",
        "\x01",
        "\x7F",
        "*?",
        "\"quoted\"",
        "back\\slash",
        "co:lon",
        "a|b<c>",
        "%2F",
        "#1",
        "caf\xC3\xA9",
        "cafe\xCC\x81",
        "\xC3\xBF",
        "\xC4\x80",
        "\xE7\x9F\xAD\xE3\x81\x84",
        "\xEF\xBC\x8F",
        "\xF0\x9F\x92\xBF",
        "\xF4\x8F\xBF\xBD",
        "CON",
        "nul",
        "lost+found",
        "\xE2\x80\x8B",
    };
    static char text[256];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        posix_row("name %zu", i);
        check_name(names[i]);
    }
    for (size_t length = 14; length <= 254; length += 30) {
        memset(text, 'n', length);
        text[length] = '\0';
        posix_row("%zu characters", length);
        check_name(text);
    }
    posix_row("case");
    posix_make(POSIX_FILE, "name");
    posix_fails("is told apart", ENOENT, access("NAME", F_OK));
    posix_row("not UTF-8");
    posix_fails("create", 0, mkdir("\xFF\xFE", 0755));
}
