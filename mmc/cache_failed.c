/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/cache_failed.c - packets that could not be written, reading back what
 * was, and what to do when drive or medium come back. See mmc/blockdev.h.
 *
 * The cache does not know what a packet holds, so it only keeps failed packets
 * and names them. Reading back goes to the medium past what is in memory, and
 * comes after SYNCHRONIZE CACHE: before that a drive may answer from its
 * buffer.
 */
#include <errno.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/cache_private.h"
#include "mmc/log.h"

static struct cache *of(struct blockdev *dev) {
    return (struct cache *)dev;
}

bool cache_has_failed(const struct cache *cache) {
    uint32_t packets = cache->store.packets;

    return mmc_bits_next_set(cache->store.failed, 0, packets) < packets;
}

bool cache_next_failed(struct blockdev *dev, uint32_t from,
                       struct blockdev_failure *out) {
    struct cache *cache = of(dev);
    uint32_t packets = cache->store.packets;
    uint32_t index = from / dev->geometry.packet_blocks;
    bool found = false;

    pthread_mutex_lock(&cache->lock);
    if (index < packets) {
        index =
            (uint32_t)mmc_bits_next_set(cache->store.failed, index, packets);
        found = index < packets;
    }
    if (found) {
        const struct mmc_cached *cached = mmc_store_find(&cache->store, index);

        *out = (struct blockdev_failure){
            .lba = cache_lba_of(cache, index),
            .count = mmc_store_packet_blocks(&cache->store, index),
            .missing = cached->missing,
            .dirty = cached->packet.dirty,
        };
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

/* Forgets blocks from .. to-1 of a packet. With `lock`. */
static void discard_share(struct cache *cache, uint32_t index, unsigned from,
                          unsigned to) {
    struct mmc_cached *cached = mmc_store_find(&cache->store, index);

    while (cached && mmc_packet_state(&cached->packet) == MMC_PACKET_WRITING) {
        pthread_cond_wait(&cache->changed, &cache->lock);
        cached = mmc_store_find(&cache->store, index);
    }
    if (cached) {
        mmc_store_unfail(&cache->store, index);
        mmc_packet_discard(&cached->packet, mmc_packet_mask(from, to - from));
        mmc_store_update(&cache->store, cached);
    }
}

void cache_discard(struct blockdev *dev, uint32_t lba, uint32_t count) {
    struct cache *cache = of(dev);
    uint32_t length = dev->geometry.packet_blocks;
    uint64_t end = (uint64_t)lba + count;

    end = end < dev->geometry.blocks ? end : dev->geometry.blocks;
    pthread_mutex_lock(&cache->lock);
    for (uint64_t at = lba; at < end;) {
        uint32_t index = (uint32_t)at / length;
        uint64_t stop = (uint64_t)cache_lba_of(cache, index) + length;

        stop = stop < end ? stop : end;
        discard_share(cache, index, (unsigned)(at % length),
                      (unsigned)(stop - cache_lba_of(cache, index)));
        mmc_bits_clear_range(cache->store.in_use, at, stop);
        at = stop;
    }
    pthread_mutex_unlock(&cache->lock);
}

/* ---- reading back ------------------------------------------------------- */

/* Whether `count` blocks from `lba`, all in one packet, are in `data` as they
 * are in memory; those that are not there, or changed since, pass. With
 * `lock`. */
static bool same_share(const struct cache *cache, uint32_t lba, uint32_t count,
                       const uint8_t *data) {
    uint32_t length = cache->head.geometry.packet_blocks;
    const struct mmc_cached *cached =
        mmc_store_find(&cache->store, lba / length);

    for (uint32_t i = 0; cached && i < count; i++) {
        uint32_t block = lba % length + i;
        const uint8_t *memory =
            cached->packet.data + (size_t)block * BLOCKDEV_BLOCK_BYTES;

        if (((cached->packet.valid & ~cached->packet.dirty) >> block) & 1u &&
            memcmp(memory, data + (size_t)i * BLOCKDEV_BLOCK_BYTES,
                   BLOCKDEV_BLOCK_BYTES) != 0) {
            return false;
        }
    }
    return true;
}

/* Reads `n` packets from `first` on, and compares them. With both locks. */
static enum mmc_result compare_packets(struct cache *cache, uint32_t first,
                                       uint32_t n) {
    uint32_t length = cache->head.geometry.packet_blocks;
    uint32_t lba = cache_lba_of(cache, first);
    uint32_t blocks = (n - 1) * length +
                      mmc_store_packet_blocks(&cache->store, first + n - 1);
    enum mmc_result result;

    pthread_mutex_unlock(&cache->lock);
    result = cache_drive_read(cache, lba, blocks, cache->image);
    pthread_mutex_lock(&cache->lock);
    for (uint32_t i = 0; result == MMC_OK && i < blocks; i += length) {
        uint32_t here = blocks - i < length ? blocks - i : length;

        if (!same_share(cache, lba + i, here,
                        cache->image + (size_t)i * BLOCKDEV_BLOCK_BYTES)) {
            result = MMC_MISCOMPARE;
        }
    }
    return result;
}

/* Reads a run of packets back; when something is wrong, each alone. True when
 * all are right. */
static bool verify_run(struct cache *cache, uint32_t first, uint32_t n) {
    enum mmc_result result = compare_packets(cache, first, n);
    bool good = true;

    if (result == MMC_OK) {
        return true;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct mmc_cached *cached = mmc_store_find(&cache->store, first + i);

        result = n == 1 ? result : compare_packets(cache, first + i, 1);
        if (result == MMC_OK) {
            continue;
        }
        cache->stats.write_errors++;
        mmc_log(MMC_LOG_WARN, "what was written at sector %u is not there: %s",
                cache_lba_of(cache, first + i), mmc_result_name(result));
        mmc_packet_redo(&cached->packet);
        mmc_store_update(&cache->store, cached);
        mmc_store_fail(&cache->store, cached, 0);
        good = false;
    }
    return good;
}

bool cache_verify(struct cache *cache) {
    uint32_t packets = cache->store.packets;
    uint32_t from = 0;
    bool good = true;

    while ((from = (uint32_t)mmc_bits_next_set(cache->store.unsynced, from,
                                               packets)) < packets) {
        uint32_t end =
            (uint32_t)mmc_bits_next_clear(cache->store.unsynced, from, packets);

        if (end - from > cache->run_packets) {
            end = from + cache->run_packets;
        }
        good = verify_run(cache, from, end - from) && good;
        from = end;
    }
    return good;
}

int cache_read_back(struct blockdev *dev, uint32_t lba, uint32_t count,
                    void *buf) {
    struct cache *cache = of(dev);
    enum mmc_result result;
    int error;

    if (lba > dev->geometry.blocks || count > dev->geometry.blocks - lba) {
        return -ERANGE;
    }
    result = cache_drive_read(cache, lba, count, buf);
    pthread_mutex_lock(&cache->lock);
    error = cache_error(cache, result);
    pthread_mutex_unlock(&cache->lock);
    return error;
}

/* ---- coming back -------------------------------------------------------- */

uint32_t cache_resend(struct cache *cache) {
    uint32_t packets = cache->store.packets;
    uint32_t index = 0, count = 0;

    while ((index = (uint32_t)mmc_bits_next_set(cache->store.unsynced, index,
                                                packets)) < packets) {
        struct mmc_cached *cached = mmc_store_find(&cache->store, index);

        mmc_packet_resend(&cached->packet);
        mmc_store_update(&cache->store, cached);
        count++;
    }
    return count;
}

int cache_revive(struct blockdev *dev) {
    struct cache *cache = of(dev);
    enum mmc_result result;
    int error;

    pthread_mutex_lock(&cache->flush_lock);
    result = cache_revalidate(cache, true);
    pthread_mutex_lock(&cache->lock);
    error = cache_error(cache, result);
    if (!error) {
        cache_resend(cache);
        mmc_bits_clear_range(cache->store.failed, 0, cache->store.packets);
    }
    pthread_mutex_unlock(&cache->lock);
    pthread_mutex_unlock(&cache->flush_lock);
    return error;
}
