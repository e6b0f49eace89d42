/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/differ_data.c - operations on the content of files. See
 * differ.h.
 *
 * On the side that is tested, every fourth file is opened without the kernel's
 * page cache in between (O_DIRECT), so that the file system gets what a
 * program writes as the program wrote it, and not in pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/support/differ.h"

enum { DATA_BYTES = 80000 };

/* Bytes that follow from the operation. */
static const uint8_t *data_of(const struct differ_op *op) {
    static uint8_t data[DATA_BYTES];
    uint32_t seed = op->seed;

    for (uint32_t i = 0; i < op->count; i++) {
        seed = seed * 1103515245u + 12345u;
        data[i] = (uint8_t)(seed >> 16);
    }
    return data;
}

static bool is_regular(int fd) {
    struct stat attr;

    return fstat(fd, &attr) == 0 && S_ISREG(attr.st_mode);
}

/* Opens the operation's path. */
static int open_file(const struct differ_side *side, const struct differ_op *op,
                     const char *path, int flags) {
    int fd = openat(side->root, path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                    op->seed % 01000);

    if (fd >= 0 && side->tested && op->choice / 1024 % 4 == 0 &&
        is_regular(fd)) {
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_DIRECT);
    }
    return fd;
}

/* What a call on `fd` gave; closes it. */
static struct differ_outcome and_close(int fd, long result) {
    struct differ_outcome outcome = differ_outcome_of(result);

    close(fd);
    return outcome;
}

static struct differ_outcome run_write(struct differ_side *side,
                                       const struct differ_op *op) {
    static const int flags[] = {0, O_CREAT, O_CREAT, O_CREAT | O_APPEND,
                                O_TRUNC};
    int fd = open_file(side, op, op->path, O_WRONLY | flags[op->choice % 5]);

    return fd < 0 ? differ_outcome_of(-1)
                  : and_close(fd, pwrite(fd, data_of(op), op->count,
                                         (off_t)op->offset));
}

static struct differ_outcome read_from(int fd, const struct differ_op *op) {
    static uint8_t got[DATA_BYTES];
    ssize_t count = pread(fd, got, op->count, (off_t)op->offset);
    struct differ_outcome outcome = differ_outcome_of(count);

    outcome.digest = differ_digest(0, got, count > 0 ? (size_t)count : 0);
    return outcome;
}

static struct differ_outcome run_read(struct differ_side *side,
                                      const struct differ_op *op) {
    int fd = open_file(side, op, op->path, O_RDONLY);
    struct differ_outcome outcome;

    if (fd < 0) {
        return differ_outcome_of(-1);
    }
    if (op->choice % 3 == 0) {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    }
    outcome = read_from(fd, op);
    close(fd);
    return outcome;
}

static struct differ_outcome run_truncate(struct differ_side *side,
                                          const struct differ_op *op) {
    return differ_outcome_of(
        truncate(differ_full_path(side, op->path), (off_t)op->offset));
}

/* ---- ranges ------------------------------------------------------------ */

/* Not every file system updates times at changes of ranges and mapped pages. */
static void set_times_now(int fd) {
    (void)futimens(fd, NULL);
}

static struct differ_outcome run_allocate(struct differ_side *side,
                                          const struct differ_op *op) {
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE};
    int fd = open_file(side, op, op->path, O_WRONLY);
    int failed;

    if (fd < 0) {
        return differ_outcome_of(-1);
    }
    failed = fallocate(fd, modes[op->choice % 3], (off_t)op->offset, op->count);
    if (!failed) {
        set_times_now(fd);
    }
    return and_close(fd, failed);
}

/* FALLOC_FL_ZERO_RANGE by other means, for a file system without it. */
static int zero_range(int fd, bool keep_size, const struct differ_op *op) {
    static const uint8_t zeros[DATA_BYTES];
    uint64_t end = op->offset + op->count;
    struct stat attr;

    if (fallocate(fd, keep_size ? FALLOC_FL_KEEP_SIZE : 0, (off_t)op->offset,
                  op->count) != 0 ||
        fstat(fd, &attr) != 0) {
        return -1;
    }
    end = end < (uint64_t)attr.st_size ? end : (uint64_t)attr.st_size;
    if (op->offset < end) {
        size_t count = (size_t)(end - op->offset);

        return pwrite(fd, zeros, count, (off_t)op->offset) == (ssize_t)count
                   ? 0
                   : -1;
    }
    return 0;
}

static struct differ_outcome run_zero_range(struct differ_side *side,
                                            const struct differ_op *op) {
    int fd = open_file(side, op, op->path, O_WRONLY);
    bool keep = op->choice & 1;
    int failed;

    if (fd < 0) {
        return differ_outcome_of(-1);
    }
    failed =
        side->tested
            ? fallocate(fd,
                        FALLOC_FL_ZERO_RANGE | (keep ? FALLOC_FL_KEEP_SIZE : 0),
                        (off_t)op->offset, op->count)
            : zero_range(fd, keep, op);
    if (!failed) {
        set_times_now(fd);
    }
    return and_close(fd, failed);
}

static struct differ_outcome run_copy(struct differ_side *side,
                                      const struct differ_op *op) {
    int from = open_file(side, op, op->path, O_RDONLY);
    int to = open_file(side, op, op->other, O_WRONLY);
    loff_t from_at = (loff_t)op->offset, to_at = (loff_t)op->other_offset;
    ssize_t copied = from < 0 || to < 0 ? -1 : 1;
    size_t left = op->count;
    struct differ_outcome outcome;

    /* It may copy less than it was asked for. */
    while (copied > 0 && left > 0) {
        copied = copy_file_range(from, &from_at, to, &to_at, left, 0);
        left -= copied > 0 ? (size_t)copied : 0;
    }
    outcome = differ_outcome_of(copied < 0 ? -1 : 0);
    outcome.digest = left;
    if (from >= 0) {
        close(from);
    }
    if (to >= 0) {
        close(to);
    }
    return outcome;
}

/* Whether all bytes in a range are zeros. */
static bool is_zero(int fd, off_t from, off_t to) {
    static uint8_t got[DATA_BYTES];

    while (from < to) {
        size_t most =
            (size_t)(to - from) < sizeof got ? (size_t)(to - from) : sizeof got;
        ssize_t count = pread(fd, got, most, from);

        if (count <= 0) {
            return false;
        }
        for (ssize_t i = 0; i < count; i++) {
            if (got[i]) {
                return false;
            }
        }
        from += count;
    }
    return true;
}

/* Where holes are is the file system's affair; they must be holes. */
static bool holes_are_right(int fd, off_t size) {
    off_t data = 0, hole;

    while (data < size) {
        hole = lseek(fd, data, SEEK_HOLE);
        if (hole < data || hole > size) {
            return false;
        }
        data = lseek(fd, hole, SEEK_DATA);
        if (data < 0) {
            data = errno == ENXIO ? size : -1;
        }
        if (data < hole || data > size || !is_zero(fd, hole, data)) {
            return false;
        }
    }
    return true;
}

static struct differ_outcome run_seek(struct differ_side *side,
                                      const struct differ_op *op) {
    int fd = open_file(side, op, op->path, O_RDONLY);
    struct differ_outcome outcome = differ_outcome_of(fd < 0 ? -1 : 0);
    struct stat attr;

    if (fd >= 0) {
        if (fstat(fd, &attr) == 0 && S_ISREG(attr.st_mode)) {
            outcome.digest = holes_are_right(fd, attr.st_size);
        }
        close(fd);
    }
    return outcome;
}

/* ---- mapped pages ------------------------------------------------------ */

static struct differ_outcome run_map(struct differ_side *side,
                                     const struct differ_op *op) {
    int fd = open_file(side, op, op->path, O_RDWR);
    struct differ_outcome outcome = {.result = -1};
    uint64_t end = op->offset + op->count;
    uint8_t *map = MAP_FAILED;
    struct stat attr;

    if (fd >= 0 && fstat(fd, &attr) == 0) {
        end = end < (uint64_t)attr.st_size ? end : (uint64_t)attr.st_size;
        map = mmap(NULL, end ? (size_t)end : 1, PROT_READ | PROT_WRITE,
                   MAP_SHARED, fd, 0);
    }
    outcome = differ_outcome_of(map == MAP_FAILED ? -1 : 0);
    if (map != MAP_FAILED) {
        if (op->offset < end) {
            outcome.digest =
                differ_digest(0, map + op->offset, (size_t)(end - op->offset));
            memcpy(map + op->offset, data_of(op), (size_t)(end - op->offset));
        }
        if (op->choice % 2) {
            (void)msync(map, (size_t)end, MS_SYNC);
        }
        munmap(map, end ? (size_t)end : 1);
        set_times_now(fd);
    }
    if (fd >= 0) {
        close(fd);
    }
    return outcome;
}

/* ---- files that stay open ---------------------------------------------- */

static int *slot_of(struct differ_side *side, const struct differ_op *op) {
    return &side->fd[op->choice / 16 % DIFFER_FDS];
}

static struct differ_outcome run_open(struct differ_side *side,
                                      const struct differ_op *op) {
    int *slot = slot_of(side, op);

    if (*slot >= 0) {
        close(*slot);
    }
    *slot =
        open_file(side, op, op->path, O_RDWR | (op->choice % 2 ? O_CREAT : 0));
    return differ_outcome_of(*slot < 0 ? -1 : 0);
}

static struct differ_outcome run_close(struct differ_side *side,
                                       const struct differ_op *op) {
    int *slot = slot_of(side, op);
    struct differ_outcome outcome = differ_outcome_of(close(*slot));

    *slot = -1;
    return outcome;
}

static struct differ_outcome run_fd_write(struct differ_side *side,
                                          const struct differ_op *op) {
    return differ_outcome_of(
        pwrite(*slot_of(side, op), data_of(op), op->count, (off_t)op->offset));
}

static struct differ_outcome run_fd_read(struct differ_side *side,
                                         const struct differ_op *op) {
    return read_from(*slot_of(side, op), op);
}

static struct differ_outcome run_fd_truncate(struct differ_side *side,
                                             const struct differ_op *op) {
    return differ_outcome_of(ftruncate(*slot_of(side, op), (off_t)op->offset));
}

static struct differ_outcome run_fd_stat(struct differ_side *side,
                                         const struct differ_op *op) {
    struct stat attr;
    struct differ_outcome outcome =
        differ_outcome_of(fstat(*slot_of(side, op), &attr));

    outcome.digest = outcome.error ? 0 : differ_digest_stat(&attr);
    return outcome;
}

static struct differ_outcome run_fd_sync(struct differ_side *side,
                                         const struct differ_op *op) {
    int fd = *slot_of(side, op);

    return differ_outcome_of(op->choice & 1 ? fsync(fd) : fdatasync(fd));
}

static struct differ_outcome run_sync_directory(struct differ_side *side,
                                                const struct differ_op *op) {
    int fd = openat(side->root, op->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? differ_outcome_of(-1) : and_close(fd, fsync(fd));
}

const struct differ_kind differ_data_kinds[] = {
    {"write", 90, false, run_write},
    {"read", 40, false, run_read},
    {"truncate", 30, false, run_truncate},
    {"allocate", 20, false, run_allocate},
    {"zero range", 10, false, run_zero_range},
    {"copy", 20, false, run_copy},
    {"seek", 10, false, run_seek},
    {"map", 20, false, run_map},
    {"open", 25, false, run_open},
    {"close", 8, false, run_close},
    {"write open", 25, false, run_fd_write},
    {"read open", 15, false, run_fd_read},
    {"truncate open", 8, false, run_fd_truncate},
    {"stat open", 8, false, run_fd_stat},
    {"sync open", 5, false, run_fd_sync},
    {"sync directory", 2, false, run_sync_directory},
    {.name = NULL},
};
