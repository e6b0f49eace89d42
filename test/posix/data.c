/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/posix/data.c - content of files: sizes, ranges, mapped pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/posix/posix.h"

enum { PAGE = 4096 };

static long size_of(const char *path) {
    struct stat attr;

    return stat(path, &attr) == 0 ? (long)attr.st_size : -1;
}

/* Whether `count` bytes of the file from `at` on are all `byte`. */
static bool all_are(int fd, off_t at, off_t count, char byte) {
    bool equal = true;
    char got[1024];

    while (equal && count > 0) {
        size_t most = count < (off_t)sizeof got ? (size_t)count : sizeof got;
        ssize_t bytes = pread(fd, got, most, at);

        equal = bytes > 0;
        for (ssize_t i = 0; i < bytes; i++) {
            equal = equal && got[i] == byte;
        }
        at += bytes;
        count -= bytes;
    }
    return equal;
}

static int make_filled(const char *path, size_t bytes) {
    char *data = malloc(bytes + 1);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

    if (data) {
        memset(data, 'x', bytes);
        posix_is("write", (long)bytes, (long)write(fd, data, bytes));
        free(data);
    }
    return fd;
}

/* ---- sizes ------------------------------------------------------------- */

static const long sizes[] = {0, 1, 100, 2047, 2048, 2049, 5000, 65536, 200000};

enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void check_resize(long from, long to, bool by_path) {
    long kept = from < to ? from : to;
    int fd;

    posix_row("%s from %ld to %ld", by_path ? "truncate" : "ftruncate", from,
              to);
    fd = make_filled("file", (size_t)from);
    posix_fails("call", 0, by_path ? truncate("file", to) : ftruncate(fd, to));
    posix_is("size", to, size_of("file"));
    posix_is("what was kept", true, all_are(fd, 0, kept, 'x'));
    posix_is("what is new", true, all_are(fd, kept, to - kept, '\0'));
    posix_fails("longer", 0, ftruncate(fd, from + to + 3000));
    posix_is("what came later", true,
             all_are(fd, kept, from + to + 3000 - kept, '\0'));
    close(fd);
}

static void check_size_errors(void) {
    int fd = make_filled("file", 10), reading = open("file", O_RDONLY);

    posix_row("errors");
    posix_fails("negative", EINVAL, ftruncate(fd, -1));
    posix_fails("negative by path", EINVAL, truncate("file", -1));
    posix_is("size is as before", 10, size_of("file"));
    posix_fails("opened to read", EINVAL, ftruncate(reading, 0));
    posix_fails("directory", EISDIR, truncate(".", 0));
    posix_fails("write to what is read", EBADF, write(reading, "x", 1));
    posix_fails("read a directory", EISDIR,
                read(open(".", O_RDONLY), (char[1]){0}, 1));
    posix_fails("pread before the file", EINVAL,
                pread(fd, (char[1]){0}, 1, -1));
    posix_fails("pwrite before the file", EINVAL, pwrite(fd, "x", 1, -1));
    posix_fails("pwrite behind all offsets", EINVAL,
                pwrite(fd, "x", 1, LONG_MAX));
    posix_is("read at the end", 0, pread(fd, (char[1]){0}, 1, 10));
    posix_is("read behind the end", 0, pread(fd, (char[1]){0}, 1, 100000));
    posix_is("write of nothing", 0, pwrite(fd, "", 0, 5000));
    posix_is("does not lengthen", 10, size_of("file"));
    posix_is("write with a gap", 1, pwrite(fd, "x", 1, 9999));
    posix_is("size", 10000, size_of("file"));
    posix_is("the gap", true, all_are(fd, 10, 9989, '\0'));
    close(reading);
    close(fd);
}

static void check_append(void) {
    int fd = open("append", O_RDWR | O_CREAT | O_APPEND, 0644);
    int second = open("append", O_WRONLY | O_APPEND);

    posix_row("append");
    for (long i = 0; i < 10; i++) {
        posix_is("write", 3, write(i % 2 ? fd : second, "abc", 3));
        posix_is("size", 3 * i + 3, size_of("append"));
        lseek(fd, 0, SEEK_SET);
    }
    posix_fails("ftruncate", 0, ftruncate(fd, 1));
    posix_is("write after it", 3, write(second, "abc", 3));
    posix_is("size after it", 4, size_of("append"));
    close(second);
    close(fd);
}

static void check_seeks(void) {
    static const struct {
        const char *name;
        long offset;
        int whence;
        int error;
        long result;
    } seeks[] = {
        {"to a place", 7, SEEK_SET, 0, 7},
        {"behind the end", 100000, SEEK_SET, 0, 100000},
        {"before the file", -1, SEEK_SET, EINVAL, 0},
        {"on", 5, SEEK_CUR, 0, 6},
        {"back", -1, SEEK_CUR, 0, 0},
        {"too far back", -2, SEEK_CUR, EINVAL, 0},
        {"from the end", -10, SEEK_END, 0, 9990},
        {"from the end on", 10, SEEK_END, 0, 10010},
        {"from the end too far", -10001, SEEK_END, EINVAL, 0},
        {"data", 0, SEEK_DATA, 0, 0},
        {"hole", 0, SEEK_HOLE, 0, 10000},
        {"data at the end", 10000, SEEK_DATA, ENXIO, 0},
        {"hole at the end", 10000, SEEK_HOLE, ENXIO, 0},
        {"data behind the end", 20000, SEEK_DATA, ENXIO, 0},
        {"data before the file", -1, SEEK_DATA, ENXIO, 0},
        {"unknown whence", 0, 77, EINVAL, 0},
    };
    int fd = make_filled("file", 10000);

    for (size_t i = 0; i < sizeof seeks / sizeof seeks[0]; i++) {
        off_t result;

        posix_row("seek %s", seeks[i].name);
        lseek(fd, 1, SEEK_SET);
        result = lseek(fd, seeks[i].offset, seeks[i].whence);
        posix_fails("lseek", seeks[i].error, result);
        if (result >= 0) {
            posix_is("offset", seeks[i].result, result);
            posix_is("kept", seeks[i].result, lseek(fd, 0, SEEK_CUR));
        }
    }
    close(fd);
}

void posix_sizes(void) {
    for (int row = 0; row < SIZES * SIZES; row++) {
        check_resize(sizes[row % SIZES], sizes[row / SIZES], row % 2);
    }
    check_size_errors();
    check_append();
    check_seeks();
}

/* ---- ranges ------------------------------------------------------------ */

static void check_allocation(int mode, long offset, long count) {
    bool keep = mode & FALLOC_FL_KEEP_SIZE, punch = mode & FALLOC_FL_PUNCH_HOLE;
    long end = offset + count, size = 10000;
    int fd;

    posix_row("fallocate mode %d of %ld at %ld", mode, count, offset);
    fd = make_filled("file", (size_t)size);
    posix_fails("call", 0, fallocate(fd, mode, offset, count));
    posix_is("size", keep || end < size ? size : end, size_of("file"));
    if (punch && offset < size) {
        long stop = end < size ? end : size;

        posix_is("before the hole", true, all_are(fd, 0, offset, 'x'));
        posix_is("the hole", true, all_are(fd, offset, stop - offset, '\0'));
        posix_is("behind the hole", true, all_are(fd, stop, size - stop, 'x'));
    } else {
        posix_is("content", true, all_are(fd, 0, size, 'x'));
        posix_is("what is new", true,
                 all_are(fd, size, keep || end < size ? 0 : end - size, '\0'));
    }
    close(fd);
}

static void check_range_errors(void) {
    int fd = make_filled("file", 100), reading = open("file", O_RDONLY);
    int dir = open(".", O_RDONLY);

    posix_row("errors of fallocate");
    posix_fails("no bytes", EINVAL, fallocate(fd, 0, 0, 0));
    posix_fails("before the file", EINVAL, fallocate(fd, 0, -1, 10));
    posix_fails("negative count", EINVAL, fallocate(fd, 0, 0, -1));
    posix_fails("too far", EFBIG, fallocate(fd, 0, LONG_MAX - 5, 100));
    posix_fails("opened to read", EBADF, fallocate(reading, 0, 0, 10));
    posix_fails("punch without keep", EOPNOTSUPP,
                fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
    posix_fails("unknown mode", EOPNOTSUPP, fallocate(fd, 1 << 20, 0, 10));
    posix_fails("directory", EBADF, fallocate(dir, 0, 0, 10));
    close(dir);
    close(reading);
    close(fd);
}

static void check_copies(void) {
    int from = make_filled("from", 10000), to = make_filled("to", 0);
    int appending = open("to", O_WRONLY | O_APPEND);
    int reading = open("to", O_RDONLY), dir = open(".", O_RDONLY);
    loff_t at = 0, into = 0;

    posix_row("copy_file_range");
    posix_is("all", 10000, copy_file_range(from, &at, to, &into, 20000, 0));
    posix_is("offset of the source", 10000, at);
    posix_is("offset of the target", 10000, into);
    posix_is("size", 10000, size_of("to"));
    posix_is("content", true, all_are(to, 0, 10000, 'x'));
    posix_is("at the end", 0, copy_file_range(from, &at, to, &into, 10, 0));
    at = 1000;
    into = 15000;
    posix_is("with a gap", 500, copy_file_range(from, &at, to, &into, 500, 0));
    posix_is("gap", true, all_are(to, 10000, 5000, '\0'));
    at = 0;
    into = 100;
    posix_fails("onto itself", EINVAL,
                copy_file_range(from, &at, from, &into, 1000, 0));
    posix_fails("flags", EINVAL, copy_file_range(from, NULL, to, NULL, 1, 8));
    posix_fails("appending", EBADF,
                copy_file_range(from, NULL, appending, NULL, 1, 0));
    posix_fails("to what is read", EBADF,
                copy_file_range(from, NULL, reading, NULL, 1, 0));
    posix_fails("from a directory", EISDIR,
                copy_file_range(dir, NULL, to, NULL, 1, 0));
    close(dir);
    close(reading);
    close(appending);
    close(to);
    close(from);
}

void posix_ranges(void) {
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE};
    static const long ranges[][2] = {{0, 1},       {0, 10000},   {100, 5000},
                                     {2048, 2048}, {4096, 4096}, {9000, 9000},
                                     {50000, 100}};

    for (size_t i = 0; i < 21; i++) {
        check_allocation(modes[i / 7], ranges[i % 7][0], ranges[i % 7][1]);
    }
    check_range_errors();
    check_copies();
}

/* ---- mapped pages ------------------------------------------------------ */

static void check_shared(int fd) {
    char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *second = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    char byte = 0;

    posix_row("shared");
    posix_is("mmap", true, map != MAP_FAILED && second != MAP_FAILED);
    if (map == MAP_FAILED || second == MAP_FAILED) {
        return;
    }
    map[10] = 'm';
    posix_is("pread", 1, pread(fd, &byte, 1, 10));
    posix_is("read sees a store", 'm', byte);
    posix_is("a second map sees it", 'm', second[10]);
    posix_is("pwrite", 1, pwrite(fd, "w", 1, 20));
    posix_is("the map sees a write", 'w', map[20]);
    posix_fails("msync", 0, msync(map, PAGE, MS_SYNC));
    posix_is("behind the end", 0, map[PAGE - 1]);
    map[PAGE - 1] = 'z'; /* behind the end: it must not be kept */
    posix_fails("msync behind the end", 0, msync(map, PAGE, MS_SYNC));
    posix_fails("lengthen", 0, ftruncate(fd, 2 * PAGE));
    posix_is("does not come into view", true,
             all_are(fd, 3000, 2 * PAGE - 3000, '\0'));
    posix_fails("shorten", 0, ftruncate(fd, 15));
    posix_is("the map loses what is behind", 0, map[20]);
    munmap(second, PAGE);
    munmap(map, PAGE);
}

static void check_private(int fd) {
    char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    char byte = 0;

    posix_row("private");
    posix_is("mmap", true, map != MAP_FAILED);
    if (map == MAP_FAILED) {
        return;
    }
    map[5] = 'p';
    posix_is("pread", 1, pread(fd, &byte, 1, 5));
    posix_is("the file is as before", 'x', byte);
    munmap(map, PAGE);
}

static sigjmp_buf beyond_end;

static void on_bus_error(int signal) {
    (void)signal;
    siglongjmp(beyond_end, 1);
}

static void check_beyond(int fd) {
    struct sigaction action = {.sa_handler = on_bus_error}, before;
    volatile char *map = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    volatile bool signalled = false;

    posix_row("beyond");
    sigaction(SIGBUS, &action, &before);
    if (sigsetjmp(beyond_end, 1)) {
        signalled = true;
    } else {
        (void)map[3 * PAGE];
    }
    sigaction(SIGBUS, &before, NULL);
    posix_is("SIGBUS", true, signalled);
    munmap((void *)map, 4 * PAGE);
}

void posix_maps(void) {
    int fd = make_filled("file", 3000), reading = open("file", O_RDONLY);
    int writing = open("file", O_WRONLY);

    check_private(fd);
    check_shared(fd);
    check_beyond(fd);
    posix_row("rights");
    posix_fails(
        "shared to write, opened to read", EACCES,
        mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, reading, 0) == MAP_FAILED ? -1
                                                                           : 0);
    posix_fails(
        "opened to write", EACCES,
        mmap(NULL, PAGE, PROT_READ, MAP_SHARED, writing, 0) == MAP_FAILED ? -1
                                                                          : 0);
    posix_fails("no bytes", EINVAL,
                mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1
                                                                          : 0);
    close(writing);
    close(reading);
    close(fd);
}
