/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/blockdev.h - the seam through which UDF sees storage.
 *
 * A block device is an array of 2048-byte blocks that is written in whole
 * packets. Behind it stands the packet cache over a drive (mmc/cache) or a
 * plain image file (mmc/filedev). Nothing above this header knows which.
 *
 * How it is used:
 *  - read_cached never waits for the drive, so it may be called under the
 *    volume lock; on -EINPROGRESS the caller lets its locks go, calls fetch,
 *    and starts its operation again.
 *  - write never waits for the drive either: it changes the cache. The one
 *    thread that writes calls make_room first, without locks.
 *  - write_out and sync bring the cache to the medium. Packets that could not
 *    be written by then are named by next_failed; nobody but the caller knows
 *    where else their content may go. They are not tried again until they are
 *    written to, marked, discarded or revived.
 *  - The caller says which blocks are in use; a block that is not in use is
 *    never read to complete a packet, it is filled with zeros. At open every
 *    block counts as in use.
 *
 * Invariants:
 *  1. Blocks reach the drive only in whole packets, in ascending order.
 *  2. A block that was written is in use until it is marked otherwise.
 *  3. Data that could not be written stays in memory, dirty, until it is
 *     discarded or the device is closed.
 *
 * All functions are safe to call from several threads at once, except that
 * write, write_out and sync are for one writer at a time (udf/sync).
 */
#ifndef MMC_BLOCKDEV_H
#define MMC_BLOCKDEV_H

#include <stdbool.h>
#include <stdint.h>

enum { BLOCKDEV_BLOCK_BYTES = 2048 };

/* What the medium is like; fixed while the device is open. */
struct blockdev_geometry {
    uint32_t blocks;            /* addressable blocks: LBA 0 .. blocks-1 */
    uint32_t packet_blocks;     /* unit of writing, a power of two; 1 = any */
    uint32_t session_start;     /* LBA at which volume recognition is based */
    uint32_t rated_overwrites;  /* per packet, 0 = unlimited or unknown */
    bool writable;              /* medium and drive can be overwritten */
    bool drive_manages_defects; /* no sparing by the file system */
    uint16_t usual_udf;         /* revision (BCD) that others expect on this
                                   medium, 0 = any */
    bool rewritable;            /* wears with overwriting: noatime, sparing */
    bool part_formatted; /* a background format is not complete: blocks that
                            were never written may be unreadable, and writing
                            far behind those that were may take minutes */
};

/* What the block device did since it was opened. */
struct blockdev_stats {
    uint64_t packets_written;
    uint64_t write_commands;
    uint64_t blocks_read;     /* for fetch and read */
    uint64_t blocks_gathered; /* read to complete partly dirty packets */
    uint64_t syncs;           /* SYNCHRONIZE CACHE or its like */
    uint64_t write_errors;
    uint64_t read_errors;
};

/* A packet that could not be brought to the medium by a drive that works. */
struct blockdev_failure {
    uint32_t lba, count; /* the packet's blocks, at most 64 */
    /* Bit n: block n of the packet is in use, not in memory and cannot be
     * read, so that the packet cannot be completed. 0: it was complete, and
     * the medium did not take it or gave something else back. */
    uint64_t missing;
    uint64_t dirty; /* blocks that wait to be written */
};

struct blockdev;

struct blockdev_ops {
    int (*read_cached)(struct blockdev *dev, uint32_t lba, uint32_t count,
                       void *buf);
    int (*fetch)(struct blockdev *dev, uint32_t lba, uint32_t count,
                 uint32_t ahead);
    int (*write)(struct blockdev *dev, uint32_t lba, uint32_t count,
                 const void *buf);
    void (*mark)(struct blockdev *dev, uint32_t lba, uint32_t count,
                 bool in_use);
    int (*make_room)(struct blockdev *dev, uint32_t count);
    int (*write_out)(struct blockdev *dev);
    int (*sync)(struct blockdev *dev);
    bool (*next_failed)(struct blockdev *dev, uint32_t from,
                        struct blockdev_failure *out);
    void (*discard)(struct blockdev *dev, uint32_t lba, uint32_t count);
    int (*read_back)(struct blockdev *dev, uint32_t lba, uint32_t count,
                     void *buf);
    int (*revive)(struct blockdev *dev);
    void (*writings)(struct blockdev *dev, uint32_t first, uint32_t count,
                     uint16_t *out);
    void (*keep)(struct blockdev *dev); /* NULL: all of it costs the same */
    void (*stats)(struct blockdev *dev, struct blockdev_stats *out);
};

/* The head of every block device: implementations embed it first. */
struct blockdev {
    const struct blockdev_ops *ops;
    struct blockdev_geometry geometry;
};

/* Copies blocks lba .. lba+count-1 into `buf` (count * 2048 bytes) if all of
 * them are in memory. Returns 0; -EINPROGRESS when blockdev_fetch() is needed
 * first; -ERANGE beyond the device. Takes the cache lock, does no I/O. */
static inline int blockdev_read_cached(struct blockdev *dev, uint32_t lba,
                                       uint32_t count, void *buf) {
    return dev->ops->read_cached(dev, lba, count, buf);
}

/* Brings blocks lba .. lba+count-1 into memory, with the rest of their
 * packets where that costs nothing. Waits for the drive: call it without
 * locks. Returns 0; -EIO when a block cannot be read; -ERANGE; -ENOMEDIUM;
 * -ENODEV when the drive is gone; -ENOMEM. */
static inline int blockdev_fetch(struct blockdev *dev, uint32_t lba,
                                 uint32_t count) {
    return dev->ops->fetch(dev, lba, count, UINT32_MAX);
}

/* The same for who knows what follows: no more than `ahead` blocks behind them
 * will be asked for next. 0: this reader does not go on at all. */
static inline int blockdev_fetch_within(struct blockdev *dev, uint32_t lba,
                                        uint32_t count, uint32_t ahead) {
    return dev->ops->fetch(dev, lba, count, ahead);
}

/* Puts `count` blocks from `buf` into the cache, dirty, and marks them in
 * use. Does no I/O. Returns 0; -EROFS when the medium is not writable;
 * -ERANGE; -ENOMEM. */
static inline int blockdev_write(struct blockdev *dev, uint32_t lba,
                                 uint32_t count, const void *buf) {
    return dev->ops->write(dev, lba, count, buf);
}

/* Says whether blocks lba .. lba+count-1 hold anything that must be kept.
 * Blocks beyond the device are ignored. Marking not in use does not drop
 * data that is waiting to be written. */
static inline void blockdev_mark(struct blockdev *dev, uint32_t lba,
                                 uint32_t count, bool in_use) {
    dev->ops->mark(dev, lba, count, in_use);
}

/* Waits until `count` more dirty blocks fit the write-back budget, writing
 * out older ones as needed (congestion marks: on at the budget, off at three
 * quarters of it). Call it without locks. Returns 0 or an error of
 * blockdev_write_out(). */
static inline int blockdev_make_room(struct blockdev *dev, uint32_t count) {
    return dev->ops->make_room(dev, count);
}

/* Writes every dirty packet, in ascending order, to the drive, whose buffer
 * may still hold it afterwards. Returns 0; the first error otherwise, having
 * tried every packet: -EIO when a packet cannot be written, -EROFS,
 * -ENOMEDIUM, -ENODEV. What failed stays dirty. */
static inline int blockdev_write_out(struct blockdev *dev) {
    return dev->ops->write_out(dev);
}

/* blockdev_write_out(), and then waits until the drive says that all is on
 * the medium (SYNCHRONIZE CACHE), also when single packets failed. Skips both
 * when nothing was written since the last sync. Errors as there. */
static inline int blockdev_sync(struct blockdev *dev) {
    return dev->ops->sync(dev);
}

/* Gives the first failed packet that holds a block at or behind `from`; false
 * when there is none. */
static inline bool blockdev_next_failed(struct blockdev *dev, uint32_t from,
                                        struct blockdev_failure *out) {
    return dev->ops->next_failed(dev, from, out);
}

/* Forgets blocks lba .. lba+count-1, written or not, and marks them not in
 * use. Blocks beyond the device are ignored. For the one writer. */
static inline void blockdev_discard(struct blockdev *dev, uint32_t lba,
                                    uint32_t count) {
    dev->ops->discard(dev, lba, count);
}

/* Reads blocks lba .. lba+count-1 from the medium into `buf`, past what is in
 * memory, which stays as it is. Waits for the drive. After a sync, so that the
 * drive does not answer from its buffer. Errors as blockdev_fetch(). */
static inline int blockdev_read_back(struct blockdev *dev, uint32_t lba,
                                     uint32_t count, void *buf) {
    return dev->ops->read_back(dev, lba, count, buf);
}

/* After -ENOMEDIUM, -ENODEV or -EIO: looks whether the drive answers and holds
 * the medium that it held, as far as a block device can tell. If so, failed
 * packets are tried again by the next write_out, and everything that may not
 * have reached the medium is sent again. Returns 0; -ENOMEDIUM; -ENODEV; -EIO;
 * then everything stays as it is. For the one writer. */
static inline int blockdev_revive(struct blockdev *dev) {
    return dev->ops->revive(dev);
}

/* Says how often each of the packets first .. first+count-1 (counted from LBA
 * 0) was sent to the medium since the device was opened, whether it took them
 * or not, and once more for what waits to be sent (until blockdev_discard()):
 * 65535 at most; 0 where writing wears nothing out and nobody counts, and
 * beyond the device. */
static inline void blockdev_writings(struct blockdev *dev, uint32_t first,
                                     uint32_t count, uint16_t *out) {
    dev->ops->writings(dev, first, count, out);
}

/* What is in memory now shall stay there, if it is little: those packets will
 * be completed again and again, and reading one is a seek. Does no I/O. */
static inline void blockdev_keep(struct blockdev *dev) {
    if (dev->ops->keep) {
        dev->ops->keep(dev);
    }
}

static inline void blockdev_get_stats(struct blockdev *dev,
                                      struct blockdev_stats *out) {
    dev->ops->stats(dev, out);
}

#endif
