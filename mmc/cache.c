/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/cache.c - the packet-aligning write-back cache: the block device, and
 * how it talks to the drive. Reading is in mmc/cache_read.c, writing out in
 * mmc/cache_flush.c; packets in memory are in mmc/store and mmc/packet.
 *
 * Lost data: what the drive took since the last SYNCHRONIZE CACHE stays in
 * memory. When the drive reports a reset, a changed medium or a deferred write
 * error, all of it becomes dirty again (cache_flush.c). When the medium may be
 * another one, it is compared with what is in memory before anything goes on.
 */
#include "mmc/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/background.h"
#include "mmc/bits.h"
#include "mmc/cache_private.h"
#include "mmc/log.h"
#include "mmc/media.h"
#include "mmc/setup.h"

enum {
    RUN_BYTES_MAX = 1024 * 1024,
    BUDGET_PACKETS_MIN = 16,
    READ_PACKETS_MIN = 64, /* for reading, beyond the budget */
    IMAGE_ALIGNMENT = 4096,
    /* How long a drive may go on saying that it was reset or given another
     * medium, and the pauses before it is asked again. */
    TROUBLE_LIMIT_MS = 60000,
    TROUBLE_PAUSE_MS = 100,
    TROUBLE_PAUSE_MAX_MS = 2000
};

static struct cache *of(struct blockdev *dev) {
    return (struct cache *)dev;
}

static bool in_range(const struct blockdev *dev, uint32_t lba, uint32_t count) {
    return lba <= dev->geometry.blocks && count <= dev->geometry.blocks - lba;
}

/* One packet's share of a range of blocks. */
struct share {
    uint32_t index;
    unsigned from, count; /* blocks in the packet */
};

/* The share of the packet in which `lba` lies; count >= 1. */
static struct share share_of(const struct cache *cache, uint32_t lba,
                             uint32_t count) {
    uint32_t length = cache->head.geometry.packet_blocks;
    struct share share = {.index = lba / length, .from = lba % length};

    share.count = length - share.from;
    if (share.count > count) {
        share.count = count;
    }
    return share;
}

/* Compares what the drive reads with a packet that should be on the medium.
 * False only when they differ for certain. With `lock` held. */
static bool same_content(struct cache *cache, const struct mmc_cached *cached) {
    uint8_t on_disc[BLOCKDEV_BLOCK_BYTES];
    uint8_t in_memory[BLOCKDEV_BLOCK_BYTES];
    unsigned block = 0;
    uint32_t lba;
    enum mmc_result result;

    if (!cached) {
        return true;
    }
    while (!((cached->packet.valid >> block) & 1u)) {
        block++;
    }
    lba = cache_lba_of(cache, cached->index) + block;
    memcpy(in_memory,
           cached->packet.data + (size_t)block * BLOCKDEV_BLOCK_BYTES,
           BLOCKDEV_BLOCK_BYTES);
    pthread_mutex_unlock(&cache->lock);
    result = mmc_drive_peek(cache->drive, lba, on_disc);
    pthread_mutex_lock(&cache->lock);
    return result != MMC_OK ||
           memcmp(on_disc, in_memory, BLOCKDEV_BLOCK_BYTES) == 0;
}

/* The medium may have changed: looks whether it is the same, by what the drive
 * says of it and by two packets that are known to be on it. */
enum mmc_result cache_revalidate(struct cache *cache, bool again) {
    enum mmc_background_format background = cache->media->background;
    enum mmc_result result =
        mmc_media_verify(cache->drive, cache->media, &background);
    bool same = false;

    pthread_mutex_lock(&cache->lock);
    if (result == MMC_OK && (again || !cache->dead)) {
        same = same_content(cache, cache->store.oldest) &&
               same_content(cache, cache->store.newest);
        if (same) {
            cache->dead = 0;
        } else {
            result = MMC_NO_MEDIUM;
        }
    }
    if (result == MMC_NO_MEDIUM && !cache->dead) {
        cache->dead = -ENOMEDIUM;
        mmc_log(MMC_LOG_ERROR, "the disc was taken out or changed");
    }
    pthread_mutex_unlock(&cache->lock);
    if (same) {
        atomic_store(&cache->uncalibrated, true);
        if (background == MMC_BACKGROUND_STOPPED) {
            atomic_store(&cache->format_stopped, true);
        }
        mmc_drive_accept_medium(cache->drive);
    }
    return same || result != MMC_OK ? result : MMC_NO_MEDIUM;
}

/* What one transfer has been through. */
struct trouble {
    uint64_t until_ms; /* of the drive's clock */
    uint32_t pause_ms; /* before the next look; 0 = there was none yet */
};

/* Pauses, longer each time; false when it has gone on for too long. */
static bool bear_with(struct cache *cache, struct trouble *trouble) {
    uint64_t now = mmc_drive_now(cache->drive);

    if (trouble->pause_ms == 0) {
        trouble->until_ms = now + TROUBLE_LIMIT_MS;
        trouble->pause_ms = TROUBLE_PAUSE_MS;
        return true;
    }
    if (now >= trouble->until_ms) {
        return false;
    }
    mmc_drive_sleep(cache->drive, trouble->pause_ms);
    if (trouble->pause_ms <= TROUBLE_PAUSE_MAX_MS / 2) {
        trouble->pause_ms *= 2;
    }
    return true;
}

/* Whether a command may be sent again after `result`. */
static bool look_again(struct cache *cache, enum mmc_result *io_result,
                       struct trouble *trouble) {
    while ((*io_result == MMC_MEDIUM_CHANGED || *io_result == MMC_RESET) &&
           bear_with(cache, trouble)) {
        *io_result = cache_revalidate(cache, false);
        if (*io_result == MMC_OK) {
            return true;
        }
    }
    return false;
}

enum mmc_result cache_drive_read(struct cache *cache, uint32_t lba,
                                 uint32_t count, void *buf) {
    enum mmc_result result;
    struct trouble trouble = {0};

    do {
        result = mmc_drive_read(cache->drive, lba, count, buf);
    } while (look_again(cache, &result, &trouble));
    return result;
}

enum mmc_result cache_drive_write(struct cache *cache, uint32_t lba,
                                  uint32_t count, const void *buf) {
    enum mmc_result result;
    struct trouble trouble = {0};

    /* A format that stopped with an earlier session goes on with the first
     * change of this one. Reading never does that. */
    if (atomic_exchange(&cache->format_stopped, false)) {
        result = mmc_background_restart(cache->drive, cache->media);
        if (result != MMC_OK) {
            return result;
        }
    }
    if (atomic_exchange(&cache->uncalibrated, false)) {
        mmc_setup_calibrate(cache->drive, cache->media);
    }
    do {
        result = mmc_drive_write(cache->drive, lba, count, buf);
    } while (look_again(cache, &result, &trouble));
    return result;
}

enum mmc_result cache_drive_synchronize(struct cache *cache) {
    enum mmc_result result;
    struct trouble trouble = {0};

    do {
        result = mmc_drive_synchronize(cache->drive);
    } while (look_again(cache, &result, &trouble));
    return result;
}

int cache_error(const struct cache *cache, enum mmc_result result) {
    if (cache->dead) {
        return cache->dead;
    }
    switch (mmc_result_errno(result)) {
    case 0:
        return 0;
    case -EROFS:
        return -EROFS;
    case -ENOMEDIUM:
        return -ENOMEDIUM;
    case -ENODEV:
        return -ENODEV;
    default:
        return -EIO;
    }
}

void cache_fill(struct cache *cache, uint32_t lba, uint32_t count,
                const uint8_t *data) {
    while (count > 0) {
        struct share share = share_of(cache, lba, count);
        struct mmc_cached *cached = mmc_store_find(&cache->store, share.index);

        if (cached) {
            mmc_packet_fill(&cached->packet, share.from, share.count, data);
            cached->was_read = true;
        }
        lba += share.count;
        count -= share.count;
        data += (size_t)share.count * BLOCKDEV_BLOCK_BYTES;
    }
}

/* Copies one packet's share; false when a block is not in memory. */
static bool copy_share(struct cache *cache, struct share share, uint8_t *buf) {
    struct mmc_cached *cached = mmc_store_find(&cache->store, share.index);
    uint64_t want = mmc_packet_mask(share.from, share.count);

    if (!cached || (want & ~cached->packet.valid)) {
        return false;
    }
    mmc_store_touch(&cache->store, cached);
    memcpy(buf, cached->packet.data + (size_t)share.from * BLOCKDEV_BLOCK_BYTES,
           (size_t)share.count * BLOCKDEV_BLOCK_BYTES);
    return true;
}

static int cache_read_cached(struct blockdev *dev, uint32_t lba, uint32_t count,
                             void *buf) {
    struct cache *cache = of(dev);
    uint8_t *target = buf;
    bool complete = true;

    if (!in_range(dev, lba, count)) {
        return -ERANGE;
    }
    pthread_mutex_lock(&cache->lock);
    while (count > 0 && complete) {
        struct share share = share_of(cache, lba, count);

        complete = copy_share(cache, share, target);
        lba += share.count;
        count -= share.count;
        target += (size_t)share.count * BLOCKDEV_BLOCK_BYTES;
    }
    pthread_mutex_unlock(&cache->lock);
    return complete ? 0 : -EINPROGRESS;
}

static int cache_write(struct blockdev *dev, uint32_t lba, uint32_t count,
                       const void *buf) {
    struct cache *cache = of(dev);
    const uint8_t *source = buf;
    int error = 0;

    if (!dev->geometry.writable) {
        return -EROFS;
    }
    if (!in_range(dev, lba, count)) {
        return -ERANGE;
    }
    pthread_mutex_lock(&cache->lock);
    while (count > 0) {
        struct share share = share_of(cache, lba, count);
        struct mmc_cached *cached = mmc_store_get(&cache->store, share.index);

        if (!cached) {
            error = -ENOMEM;
            break;
        }
        mmc_packet_write(&cached->packet, share.from, share.count, source);
        mmc_store_unfail(&cache->store, share.index);
        mmc_bits_set_range(cache->store.in_use, lba,
                           (uint64_t)lba + share.count);
        mmc_store_update(&cache->store, cached);
        lba += share.count;
        count -= share.count;
        source += (size_t)share.count * BLOCKDEV_BLOCK_BYTES;
    }
    pthread_mutex_unlock(&cache->lock);
    return error;
}

static void cache_mark(struct blockdev *dev, uint32_t lba, uint32_t count,
                       bool in_use) {
    struct cache *cache = of(dev);
    uint64_t end = (uint64_t)lba + count;

    if (lba >= dev->geometry.blocks) {
        return;
    }
    end = end < dev->geometry.blocks ? end : dev->geometry.blocks;
    pthread_mutex_lock(&cache->lock);
    if (in_use) {
        mmc_bits_set_range(cache->store.in_use, lba, end);
    } else {
        mmc_bits_clear_range(cache->store.in_use, lba, end);
    }
    for (uint64_t index = lba / dev->geometry.packet_blocks;
         index * dev->geometry.packet_blocks < end; index++) {
        mmc_store_unfail(&cache->store, (uint32_t)index);
    }
    pthread_mutex_unlock(&cache->lock);
}

static void cache_writings(struct blockdev *dev, uint32_t first, uint32_t count,
                           uint16_t *out) {
    struct cache *cache = of(dev);
    uint32_t packets = cache->store.packets;
    uint32_t known = first < packets ? packets - first : 0;

    known = known < count ? known : count;
    pthread_mutex_lock(&cache->lock);
    for (uint32_t i = 0; i < known; i++) {
        uint16_t sent = cache->writings[first + i];
        bool waits = mmc_bits_test(cache->store.dirty, first + i);

        out[i] = (uint16_t)(sent + (waits && sent < UINT16_MAX ? 1 : 0));
    }
    pthread_mutex_unlock(&cache->lock);
    memset(out + known, 0, (count - known) * sizeof(*out));
}

static void cache_stats(struct blockdev *dev, struct blockdev_stats *out) {
    struct cache *cache = of(dev);

    pthread_mutex_lock(&cache->lock);
    *out = cache->stats;
    pthread_mutex_unlock(&cache->lock);
}

static void cache_keep(struct blockdev *dev) {
    struct cache *cache = of(dev);

    pthread_mutex_lock(&cache->lock);
    mmc_store_keep(&cache->store);
    pthread_mutex_unlock(&cache->lock);
}

static const struct blockdev_ops cache_ops = {
    .read_cached = cache_read_cached,
    .fetch = cache_fetch,
    .write = cache_write,
    .mark = cache_mark,
    .make_room = cache_make_room,
    .write_out = cache_write_out,
    .sync = cache_sync,
    .next_failed = cache_next_failed,
    .discard = cache_discard,
    .read_back = cache_read_back,
    .revive = cache_revive,
    .writings = cache_writings,
    .keep = cache_keep,
    .stats = cache_stats,
};

/* Packets in memory and in one command, from what drive and user allow. */
static void set_limits(struct cache *cache, uint64_t budget_bytes,
                       uint32_t *out_limit) {
    uint32_t length = cache->head.geometry.packet_blocks;
    uint64_t packet_bytes = (uint64_t)length * BLOCKDEV_BLOCK_BYTES;
    uint64_t budget = budget_bytes / packet_bytes;
    uint32_t blocks = mmc_drive_max_blocks(cache->drive);

    if (blocks > RUN_BYTES_MAX / BLOCKDEV_BLOCK_BYTES) {
        blocks = RUN_BYTES_MAX / BLOCKDEV_BLOCK_BYTES;
    }
    cache->run_packets = blocks >= length ? blocks / length : 1;
    if (cache->run_packets > CACHE_RUN_PACKETS_MAX) {
        cache->run_packets = CACHE_RUN_PACKETS_MAX;
    }
    cache->run_blocks = cache->run_packets * length;
    budget = budget > BUDGET_PACKETS_MIN ? budget : BUDGET_PACKETS_MIN;
    budget = budget < UINT32_MAX / 4 ? budget : UINT32_MAX / 4;
    cache->budget = (uint32_t)budget;
    *out_limit = cache->budget + cache->budget / 4 + READ_PACKETS_MIN;
}

int mmc_cache_open(struct mmc_drive *drive, const struct mmc_media *media,
                   const struct blockdev_geometry *geometry,
                   uint64_t budget_bytes, struct blockdev **out_dev) {
    uint32_t length = geometry->packet_blocks;
    struct cache *cache;
    void *image = NULL;
    uint32_t limit = 0;
    int error;

    if (geometry->blocks == 0 || length == 0 ||
        length > MMC_PACKET_BLOCKS_MAX || (length & (length - 1))) {
        return -EINVAL;
    }
    cache = calloc(1, sizeof(*cache));
    if (!cache) {
        return -ENOMEM;
    }
    cache->head.ops = &cache_ops;
    cache->head.geometry = *geometry;
    cache->drive = drive;
    cache->media = media;
    cache->epoch = mmc_drive_epoch(drive);
    atomic_init(&cache->uncalibrated, true);
    atomic_init(&cache->format_stopped,
                mmc_media_is_part_formatted(media) &&
                    media->background != MMC_BACKGROUND_RUNNING);
    set_limits(cache, budget_bytes, &limit);
    error = mmc_store_init(&cache->store, geometry->blocks, length, limit,
                           READ_PACKETS_MIN);
    if (!error) {
        cache->writings =
            calloc(cache->store.packets, sizeof(*cache->writings));
    }
    if (error || !cache->writings ||
        posix_memalign(&image, IMAGE_ALIGNMENT,
                       (size_t)cache->run_blocks * BLOCKDEV_BLOCK_BYTES) != 0) {
        mmc_store_free(&cache->store);
        free(cache->writings);
        free(cache);
        return -ENOMEM;
    }
    cache->image = image;
    pthread_mutex_init(&cache->flush_lock, NULL);
    pthread_mutex_init(&cache->turn, NULL);
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->changed, NULL);
    *out_dev = &cache->head;
    return 0;
}

void mmc_cache_verify(struct blockdev *dev) {
    of(dev)->verify = true;
}

void mmc_cache_close(struct blockdev *dev) {
    struct cache *cache = of(dev);

    if (!dev) {
        return;
    }
    mmc_store_free(&cache->store);
    free(cache->image);
    free(cache->writings);
    pthread_cond_destroy(&cache->changed);
    pthread_mutex_destroy(&cache->lock);
    pthread_mutex_destroy(&cache->turn);
    pthread_mutex_destroy(&cache->flush_lock);
    free(cache);
}
