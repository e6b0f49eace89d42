/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/filedev.c - preadv2, pwrite and fdatasync behind mmc/blockdev.h.
 *
 * What is in memory is what the kernel's page cache holds, and the kernel may
 * take that away at any time, also between a fetch and the read that it was
 * for. So one read of an address that was fetched may wait for the disk: an
 * operation comes to its end also where memory is short.
 *
 * What may change while the file is open is atomic, because readers come from
 * several threads at once; everything else is fixed after opening.
 */
#include "mmc/filedev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mmc/blockdev.h"

enum {
    EARLY_BLOCKS = 4096, /* 8 MiB */
    FETCH_BLOCKS = 32,   /* read at once by a fetch, to be in memory */
    FETCHED_SLOTS = 4096 /* many more than what one operation fetches */
};

struct filedev {
    struct blockdev head;
    int fd;
    atomic_bool unsynced; /* written to since the last fdatasync */
    atomic_uint waiting;  /* blocks since the kernel was last told to write */
    /* lba + 1 of what was fetched and not read since, each in its slot; 0 =
     * none */
    _Atomic uint64_t fetched[FETCHED_SLOTS];
    _Atomic uint64_t blocks_read, blocks_written, writes, syncs;
    _Atomic uint64_t read_errors, write_errors;
};

static struct filedev *of(struct blockdev *dev) {
    return (struct filedev *)dev;
}

static bool in_range(const struct blockdev *dev, uint32_t lba, uint32_t count) {
    return lba <= dev->geometry.blocks && count <= dev->geometry.blocks - lba;
}

static off_t offset_of(uint32_t lba) {
    return (off_t)lba * BLOCKDEV_BLOCK_BYTES;
}

/* Reads `left` bytes; `flags` as of preadv2(2). Returns 0 or a negative errno:
 * -EAGAIN and -EOPNOTSUPP with RWF_NOWAIT only. */
static int read_all(int fd, off_t offset, size_t left, uint8_t *target,
                    int flags) {
    while (left > 0) {
        struct iovec part = {.iov_base = target, .iov_len = left};
        ssize_t got = preadv2(fd, &part, 1, offset, flags);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && flags && (errno == EAGAIN || errno == EOPNOTSUPP)) {
            return -errno;
        }
        if (got <= 0) { /* 0: somebody has cut the file short */
            return -EIO;
        }
        target += got;
        left -= (size_t)got;
        offset += got;
    }
    return 0;
}

/* Waits for the disk where it must. */
static int file_read(struct blockdev *dev, uint32_t lba, uint32_t count,
                     void *buf) {
    struct filedev *file = of(dev);
    int error;

    if (!in_range(dev, lba, count)) {
        return -ERANGE;
    }
    error = read_all(file->fd, offset_of(lba),
                     (size_t)count * BLOCKDEV_BLOCK_BYTES, buf, 0);
    if (error) {
        atomic_fetch_add(&file->read_errors, 1);
    } else {
        atomic_fetch_add(&file->blocks_read, count);
    }
    return error;
}

/* What lies at a regular distance must not share a slot: the odd factor, from
 * the golden ratio, scatters it. */
static _Atomic uint64_t *slot_of(struct filedev *file, uint32_t lba) {
    return &file->fetched[(lba * 2654435761u >> 16) % FETCHED_SLOTS];
}

/* Whether `lba` was fetched for the read that asks. */
static bool was_fetched(struct filedev *file, uint32_t lba) {
    _Atomic uint64_t *slot = slot_of(file, lba);
    uint64_t expected = (uint64_t)lba + 1;

    return atomic_load(slot) == expected &&
           atomic_compare_exchange_strong(slot, &expected, 0);
}

static int file_read_cached(struct blockdev *dev, uint32_t lba, uint32_t count,
                            void *buf) {
    struct filedev *file = of(dev);
    int error;

    if (!in_range(dev, lba, count)) {
        return -ERANGE;
    }
    if (was_fetched(file, lba)) {
        return file_read(dev, lba, count, buf);
    }
    error = read_all(file->fd, offset_of(lba),
                     (size_t)count * BLOCKDEV_BLOCK_BYTES, buf, RWF_NOWAIT);
    if (!error) {
        atomic_fetch_add(&file->blocks_read, count);
        return 0;
    }
    if (error == -EOPNOTSUPP) {
        return file_read(dev, lba, count, buf);
    }
    return -EINPROGRESS; /* what is wrong with it shows when it is fetched */
}

/* What follows is read ahead by the kernel. */
static int file_fetch(struct blockdev *dev, uint32_t lba, uint32_t count,
                      uint32_t ahead) {
    struct filedev *file = of(dev);
    uint8_t unused[FETCH_BLOCKS * BLOCKDEV_BLOCK_BYTES];
    int error = in_range(dev, lba, count) ? 0 : -ERANGE;

    (void)ahead;
    for (uint32_t done = 0; !error && done < count; done += FETCH_BLOCKS) {
        uint32_t run =
            count - done < FETCH_BLOCKS ? count - done : FETCH_BLOCKS;

        error = read_all(file->fd, offset_of(lba + done),
                         (size_t)run * BLOCKDEV_BLOCK_BYTES, unused, 0);
    }
    if (error == -EIO) {
        atomic_fetch_add(&file->read_errors, 1);
    }
    if (!error) {
        atomic_store(slot_of(file, lba), (uint64_t)lba + 1);
    }
    return error;
}

static int write_all(int fd, off_t offset, size_t left, const uint8_t *source) {
    while (left > 0) {
        ssize_t done = pwrite(fd, source, left, offset);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return -EIO;
        }
        source += done;
        left -= (size_t)done;
        offset += done;
    }
    return 0;
}

static int file_write(struct blockdev *dev, uint32_t lba, uint32_t count,
                      const void *buf) {
    struct filedev *file = of(dev);
    int error;

    if (!dev->geometry.writable) {
        return -EROFS;
    }
    if (!in_range(dev, lba, count)) {
        return -ERANGE;
    }
    /* Before the write: a sync that runs beside it must not miss it. */
    atomic_store(&file->unsynced, true);
    error = write_all(file->fd, offset_of(lba),
                      (size_t)count * BLOCKDEV_BLOCK_BYTES, buf);
    if (error) {
        atomic_fetch_add(&file->write_errors, 1);
        return error;
    }
    atomic_fetch_add(&file->writes, 1);
    atomic_fetch_add(&file->blocks_written, count);
    atomic_fetch_add(&file->waiting, count);
    return 0;
}

static void file_mark(struct blockdev *dev, uint32_t lba, uint32_t count,
                      bool in_use) {
    /* Nothing is ever read to complete a packet of one block. */
    (void)dev;
    (void)lba;
    (void)count;
    (void)in_use;
}

/* Lets the kernel begin to write what it has gathered, so that a sync finds
 * little left to wait for. A hint: whether it works shows in the sync. */
static int file_make_room(struct blockdev *dev, uint32_t count) {
    struct filedev *file = of(dev);

    (void)count;
    if (atomic_load(&file->waiting) >= EARLY_BLOCKS) {
        atomic_store(&file->waiting, 0);
        (void)sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    return 0;
}

static int file_write_out(struct blockdev *dev) {
    (void)dev; /* every write went straight to the kernel */
    return 0;
}

static int file_sync(struct blockdev *dev) {
    struct filedev *file = of(dev);

    if (!atomic_exchange(&file->unsynced, false)) {
        return 0;
    }
    atomic_fetch_add(&file->syncs, 1);
    if (fdatasync(file->fd) != 0) {
        atomic_store(&file->unsynced, true);
        atomic_fetch_add(&file->write_errors, 1);
        return -EIO;
    }
    return 0;
}

/* Which write has failed is the writer's to know here: it was told at once. */
static bool file_next_failed(struct blockdev *dev, uint32_t from,
                             struct blockdev_failure *out) {
    (void)dev;
    (void)from;
    (void)out;
    return false;
}

/* Nothing waits, and nothing is gathered. */
static void file_discard(struct blockdev *dev, uint32_t lba, uint32_t count) {
    (void)dev;
    (void)lba;
    (void)count;
}

static int file_revive(struct blockdev *dev) {
    return file_sync(dev);
}

/* A file does not wear. */
static void file_writings(struct blockdev *dev, uint32_t first, uint32_t count,
                          uint16_t *out) {
    (void)dev;
    (void)first;
    memset(out, 0, count * sizeof(*out));
}

static void file_stats(struct blockdev *dev, struct blockdev_stats *out) {
    struct filedev *file = of(dev);

    *out = (struct blockdev_stats){
        .packets_written = atomic_load(&file->blocks_written),
        .write_commands = atomic_load(&file->writes),
        .blocks_read = atomic_load(&file->blocks_read),
        .syncs = atomic_load(&file->syncs),
        .write_errors = atomic_load(&file->write_errors),
        .read_errors = atomic_load(&file->read_errors),
    };
}

static const struct blockdev_ops file_ops = {
    .read_cached = file_read_cached,
    .fetch = file_fetch,
    .write = file_write,
    .mark = file_mark,
    .make_room = file_make_room,
    .write_out = file_write_out,
    .sync = file_sync,
    .next_failed = file_next_failed,
    .discard = file_discard,
    .read_back = file_read,
    .revive = file_revive,
    .writings = file_writings,
    .stats = file_stats,
};

/* Number of whole blocks, -EINVAL when there is none to work with. */
static int measure(int fd, uint32_t *out_blocks) {
    struct stat status;
    off_t bytes;

    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        return -EINVAL;
    }
    bytes = lseek(fd, 0, SEEK_END); /* st_size is 0 for block devices */
    if (bytes < BLOCKDEV_BLOCK_BYTES) {
        return -EINVAL;
    }
    bytes /= BLOCKDEV_BLOCK_BYTES;
    *out_blocks = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
    return 0;
}

/* Opens with O_EXCL where that is safe: on block devices only, where it means
 * "nothing mounted, no other O_EXCL". */
static int open_path(const char *path, bool writable, int *out_fd) {
    int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC;
    struct stat status;
    int fd;

    if (stat(path, &status) != 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        return -EINVAL; /* opening a FIFO would wait for a writer */
    }
    if (S_ISBLK(status.st_mode)) {
        flags |= O_EXCL;
    }
    fd = open(path, flags);
    if (fd < 0) {
        return -errno;
    }
    if (flock(fd, (writable ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        int error = errno == EWOULDBLOCK ? -EBUSY : -errno;

        close(fd);
        return error;
    }
    *out_fd = fd;
    return 0;
}

int mmc_filedev_open(const char *path, bool writable,
                     struct blockdev **out_dev) {
    struct filedev *file;
    uint32_t blocks = 0;
    int fd = -1;
    int error = open_path(path, writable, &fd);

    if (error) {
        return error;
    }
    error = measure(fd, &blocks);
    if (error) {
        goto fail;
    }
    file = calloc(1, sizeof(*file));
    if (!file) {
        error = -ENOMEM;
        goto fail;
    }
    file->fd = fd;
    file->head.ops = &file_ops;
    file->head.geometry = (struct blockdev_geometry){
        .blocks = blocks,
        .packet_blocks = 1,
        .writable = writable,
        .drive_manages_defects = true,
    };
    *out_dev = &file->head;
    return 0;
fail:
    close(fd);
    return error;
}

void mmc_filedev_close(struct blockdev *dev) {
    if (!dev) {
        return;
    }
    close(of(dev)->fd);
    free(of(dev));
}
