/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/posix/times.c - which call moves which time of what, and the forms of
 * utimensat(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "test/posix/posix.h"

enum { MOVES_MTIME = 1, MOVES_CTIME = 2, MOVES_BOTH = 3 };

static int do_write(void) {
    int fd = open("dir/file", O_WRONLY);
    ssize_t count = write(fd, "x", 1);

    return close(fd) || count != 1 ? -1 : 0;
}

static int do_write_nothing(void) {
    int fd = open("dir/file", O_WRONLY);
    ssize_t count = write(fd, "", 0);

    return close(fd) || count != 0 ? -1 : 0;
}

static int do_read(void) {
    char byte;
    int fd = open("dir/file", O_RDONLY);
    ssize_t count = read(fd, &byte, 1);

    return close(fd) || count != 1 ? -1 : 0;
}

static int do_truncate(void) {
    return truncate("dir/file", 1);
}

static int do_open_truncate(void) {
    return close(open("dir/file", O_WRONLY | O_TRUNC));
}

static int do_open(void) {
    return close(open("dir/file", O_RDWR | O_CREAT, 0644));
}

static int do_chmod(void) {
    return chmod("dir/file", 0600);
}

static int do_chown(void) {
    return chown("dir/file", getuid(), getgid());
}

static int do_link(void) {
    return link("dir/file", "dir/new");
}

static int do_unlink_second(void) {
    return unlink("dir/second");
}

static int do_rename(void) {
    return rename("dir/second", "dir/new");
}

static int do_rename_out(void) {
    return rename("dir/second", "out");
}

static int do_rename_over(void) {
    return rename("dir/victim", "dir/second");
}

static int do_create(void) {
    return close(open("dir/new", O_WRONLY | O_CREAT, 0644));
}

static int do_mkdir(void) {
    return mkdir("dir/new", 0755);
}

static int do_mkfifo(void) {
    return mkfifo("dir/new", 0644);
}

static int do_symlink(void) {
    return symlink("x", "dir/new");
}

static int do_unlink(void) {
    return unlink("dir/victim");
}

static int do_rmdir(void) {
    return rmdir("dir/sub");
}

static int do_setxattr(void) {
    return setxattr("dir/file", "user.x", "y", 1, 0);
}

static int do_allocate(void) {
    int fd = open("dir/file", O_WRONLY);
    int result = fallocate(fd, 0, 0, 9000);

    return close(fd) ? -1 : result;
}

static int do_stat(void) {
    struct stat attr;

    return stat("dir/file", &attr);
}

static int do_fail_to_unlink(void) {
    return unlink("dir/absent") == -1 ? 0 : -1;
}

static int do_fail_to_rmdir(void) {
    return rmdir("dir/full") == -1 ? 0 : -1;
}

static int do_fail_to_create(void) {
    return mkdir("dir/file", 0755) == -1 ? 0 : -1;
}

static const struct {
    const char *name;
    int (*call)(void);
    unsigned file, dir; /* what it moves of the file and of its directory */
} rows[] = {
    {"write", do_write, MOVES_BOTH, 0},
    {"write of nothing", do_write_nothing, 0, 0},
    {"read", do_read, 0, 0},
    {"truncate", do_truncate, MOVES_BOTH, 0},
    {"open to truncate", do_open_truncate, MOVES_BOTH, 0},
    {"open", do_open, 0, 0},
    {"chmod", do_chmod, MOVES_CTIME, 0},
    {"chown", do_chown, MOVES_CTIME, 0},
    {"link", do_link, MOVES_CTIME, MOVES_BOTH},
    {"unlink of a second name", do_unlink_second, MOVES_CTIME, MOVES_BOTH},
    {"rename", do_rename, MOVES_CTIME, MOVES_BOTH},
    {"rename away", do_rename_out, MOVES_CTIME, MOVES_BOTH},
    {"rename over", do_rename_over, MOVES_CTIME, MOVES_BOTH},
    {"create", do_create, 0, MOVES_BOTH},
    {"mkdir", do_mkdir, 0, MOVES_BOTH},
    {"mkfifo", do_mkfifo, 0, MOVES_BOTH},
    {"symlink", do_symlink, 0, MOVES_BOTH},
    {"unlink", do_unlink, 0, MOVES_BOTH},
    {"rmdir", do_rmdir, 0, MOVES_BOTH},
    {"setxattr", do_setxattr, MOVES_CTIME, 0},
    {"fallocate", do_allocate, MOVES_BOTH, 0},
    {"stat", do_stat, 0, 0},
    {"unlink that fails", do_fail_to_unlink, 0, 0},
    {"rmdir that fails", do_fail_to_rmdir, 0, 0},
    {"mkdir that fails", do_fail_to_create, 0, 0},
};

static bool is_later(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec > b->tv_sec ||
           (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* Waits until the kernel's coarse clock, which file times come from, is past
 * all of them: a file system may keep microseconds only. */
static void wait_past(const struct timespec *last) {
    const struct timespec short_time = {.tv_nsec = 1000000};
    struct timespec time;

    do {
        nanosleep(&short_time, NULL);
        clock_gettime(CLOCK_REALTIME_COARSE, &time);
        time.tv_nsec -= time.tv_nsec % 1000;
    } while (!is_later(&time, last));
}

static unsigned moved(const struct stat *before, const struct stat *after) {
    return (is_later(&after->st_mtim, &before->st_mtim) ? MOVES_MTIME : 0u) |
           (is_later(&after->st_ctim, &before->st_ctim) ? MOVES_CTIME : 0u);
}

static void check_row(size_t i) {
    struct stat file, dir, after;

    posix_row("%s", rows[i].name);
    posix_make(POSIX_DIR, "dir");
    posix_make(POSIX_FILE, "dir/file");
    posix_make(POSIX_FILE, "dir/victim");
    posix_make(POSIX_DIR, "dir/sub");
    posix_make(POSIX_FULL, "dir/full");
    posix_fails("prepare", 0, link("dir/file", "dir/second"));
    int fd = open("dir/file", O_RDONLY);

    posix_fails("fstat", 0, fstat(fd, &file));
    posix_fails("stat", 0, stat("dir", &dir));
    wait_past(is_later(&file.st_ctim, &dir.st_ctim) ? &file.st_ctim
                                                    : &dir.st_ctim);
    posix_fails("call", 0, rows[i].call());
    posix_fails("fstat after it", 0, fstat(fd, &after));
    posix_is("moves of the file", rows[i].file, moved(&file, &after));
    posix_fails("stat after it", 0, stat("dir", &after));
    posix_is("moves of the directory", rows[i].dir, moved(&dir, &after));
    close(fd);
    posix_remove("dir");
    posix_remove("out");
}

/* ---- utimensat --------------------------------------------------------- */

static void check_set_times(enum posix_kind kind, long long seconds) {
    struct timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 123456000},
                                {.tv_sec = seconds + 7, .tv_nsec = 654321000}};
    struct stat attr;

    posix_row("%s at %lld", posix_kind_name[kind], seconds);
    posix_make(kind, "object");
    posix_fails("utimensat", 0,
                utimensat(AT_FDCWD, "object", times, AT_SYMLINK_NOFOLLOW));
    posix_fails("lstat", 0, lstat("object", &attr));
    posix_is("atime", (long)seconds, attr.st_atim.tv_sec);
    posix_is("its fraction", 123456000, attr.st_atim.tv_nsec);
    posix_is("mtime", (long)seconds + 7, attr.st_mtim.tv_sec);
    posix_is("its fraction too", 654321000, attr.st_mtim.tv_nsec);
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = 5;
    posix_fails("omit", 0,
                utimensat(AT_FDCWD, "object", times, AT_SYMLINK_NOFOLLOW));
    posix_fails("lstat again", 0, lstat("object", &attr));
    posix_is("atime stays", (long)seconds, attr.st_atim.tv_sec);
    posix_is("mtime is set", 5, attr.st_mtim.tv_sec);
    posix_remove("object");
}

static void check_time_rights(enum posix_who who, bool writable) {
    struct timespec set[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
    struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    struct timespec half[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    struct timespec none[2] = {{.tv_nsec = UTIME_OMIT},
                               {.tv_nsec = UTIME_OMIT}};
    struct timespec bad[2] = {{.tv_nsec = 1000000000}, {.tv_sec = 0}};
    bool owns = who == POSIX_OWNER || who == POSIX_ROOT;

    posix_row("times of a file that is %swritable, by %s",
              writable ? "" : "not ", posix_who_name[who]);
    posix_make(POSIX_FILE, "file");
    if (posix_is_root()) {
        (void)!chown("file", posix_uid(POSIX_OWNER), posix_gid(POSIX_OWNER));
    }
    chmod("file", writable ? 0666 : 0444);
    posix_become(who);
    posix_fails("to now", owns || writable ? 0 : EACCES,
                utimensat(AT_FDCWD, "file", NULL, 0));
    posix_fails("to now in words", owns || writable ? 0 : EACCES,
                utimensat(AT_FDCWD, "file", now, 0));
    posix_fails("to a time", owns ? 0 : EPERM,
                utimensat(AT_FDCWD, "file", set, 0));
    posix_fails("one of them", owns ? 0 : EPERM,
                utimensat(AT_FDCWD, "file", half, 0));
    posix_fails("none", 0, utimensat(AT_FDCWD, "file", none, 0));
    posix_fails("to no time", EINVAL, utimensat(AT_FDCWD, "file", bad, 0));
    posix_return();
    posix_remove("file");
}

void posix_times(void) {
    static const long long moments[] = {0,          1,          1000000000,
                                        -1,         -86400,     2147483647,
                                        2147483648, 4294967296, 7258118400};
    static const enum posix_kind kinds[] = {POSIX_FILE, POSIX_DIR, POSIX_FIFO,
                                            POSIX_DANGLING};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(i);
    }
    for (size_t i = 0; i < 4 * sizeof moments / sizeof moments[0]; i++) {
        check_set_times(kinds[i % 4], moments[i / 4]);
    }
    chmod(".", 0777);
    for (int who = 0; who < POSIX_WHOS; who++) {
        if (posix_can_be((enum posix_who)who)) {
            check_time_rights((enum posix_who)who, true);
            check_time_rights((enum posix_who)who, false);
        }
    }
}
