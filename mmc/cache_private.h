/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/cache_private.h - what the parts of mmc/cache share: cache.c (the block
 * device), cache_read.c (reading), cache_flush.c (writing out) and
 * cache_failed.c (what could not be written, and reading back). Nobody else
 * includes this.
 *
 * Locks, in this order: flush_lock or turn, lock, and those of mmc/drive. Only
 * the first two are held while the drive works: packets that are being read
 * into are marked `reading`, those being written are WRITING, and whoever needs
 * such a packet waits for `changed`.
 */
#ifndef MMC_CACHE_PRIVATE_H
#define MMC_CACHE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mmc/blockdev.h"
#include "mmc/drive.h"
#include "mmc/store.h"

enum {
    CACHE_RUN_PACKETS_MAX = 64, /* in one command */
    CACHE_STREAMS = 4,          /* readers that are followed at once */
    CACHE_AHEAD_BLOCKS_MAX = 1024,
    /* A seek costs as much as several hundred blocks: a reader who goes on is
       believed. */
    CACHE_AHEAD_GROWTH = 64,
    /* What a drive passes over as quickly as it seeks, and a few requests of
       the kernel's read-ahead. */
    CACHE_GAP_BLOCKS_MAX = 256,
    CACHE_LOSSES_MAX = 8 /* with nothing brought to the medium in between */
};

/* One reader who reads on and on. */
struct cache_stream {
    uint32_t next;  /* packet that it will want next */
    uint32_t ahead; /* packets to read beyond what it asks for */
};

struct cache {
    struct blockdev head;
    struct mmc_drive *drive;
    const struct mmc_media *media;
    uint32_t budget;      /* packets that may be dirty */
    uint32_t run_packets; /* most packets in one command */
    uint32_t run_blocks;  /* the same in blocks */
    bool verify;          /* read back what was written; fixed */

    pthread_mutex_t flush_lock; /* one thread writes out at a time */
    uint8_t *image;             /* flush_lock: what goes to the drive */
    uint32_t pass;              /* flush_lock: number of the write-out */
    uint32_t cursor;            /* flush_lock: where make_room goes on */
    bool drive_dirty;           /* flush_lock: written to since the last sync */
    atomic_bool format_stopped; /* to be started again before writing */
    atomic_bool uncalibrated;   /* the laser, before writing */

    pthread_mutex_t turn; /* one thread reads for others at a time */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct mmc_store store;
    struct cache_stream streams[CACHE_STREAMS]; /* last used first */
    uint64_t epoch; /* of the drive, up to which losses are known here */
    int dead;       /* another disc is in the drive: -ENOMEDIUM for ever */
    struct blockdev_stats stats;
    uint16_t *writings; /* of each packet, saturating */
};

static inline uint32_t cache_lba_of(const struct cache *cache, uint32_t index) {
    return index * cache->head.geometry.packet_blocks;
}

/* Transfers as mmc_drive_read() and mmc_drive_write(), but look at the medium
 * when it may have changed, and go on when it is the same. Without `lock`. */
enum mmc_result cache_drive_read(struct cache *cache, uint32_t lba,
                                 uint32_t count, void *buf);
enum mmc_result cache_drive_write(struct cache *cache, uint32_t lba,
                                  uint32_t count, const void *buf);
enum mmc_result cache_drive_synchronize(struct cache *cache);

/* Errno of a result as mmc/blockdev.h knows it. With `lock`. */
int cache_error(const struct cache *cache, enum mmc_result result);

/* Copies what was read (`count` blocks from `lba`) into the packets that are
 * in memory. With `lock`. */
void cache_fill(struct cache *cache, uint32_t lba, uint32_t count,
                const uint8_t *data);

/* Makes the medium the one that is known, if it is: after news of it. Returns
 * MMC_OK; MMC_NO_MEDIUM, then for ever unless `again` (mmc/blockdev.h,
 * revive); or the drive's result. Without `lock`. */
enum mmc_result cache_revalidate(struct cache *cache, bool again);

/* Whether there are failed packets. With `lock`. */
bool cache_has_failed(const struct cache *cache);

/* Reads back what the drive took since the last sync, and lets what is not
 * there fail. To be called when the drive says that it is on the medium. True
 * when nothing failed. With flush_lock and `lock`, which is let go. */
bool cache_verify(struct cache *cache);

/* Makes what the drive may have lost dirty again; gives the number of packets.
 * With `lock`. */
uint32_t cache_resend(struct cache *cache);

/* The blockdev operation of cache_read.c. */
int cache_fetch(struct blockdev *dev, uint32_t lba, uint32_t count,
                uint32_t ahead);

/* The blockdev operations of cache_failed.c. */
bool cache_next_failed(struct blockdev *dev, uint32_t from,
                       struct blockdev_failure *out);
void cache_discard(struct blockdev *dev, uint32_t lba, uint32_t count);
int cache_read_back(struct blockdev *dev, uint32_t lba, uint32_t count,
                    void *buf);
int cache_revive(struct blockdev *dev);

/* The blockdev operations of cache_flush.c. */
int cache_make_room(struct blockdev *dev, uint32_t count);
int cache_write_out(struct blockdev *dev);
int cache_sync(struct blockdev *dev);

#endif
