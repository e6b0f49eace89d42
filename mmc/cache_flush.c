/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/cache_flush.c - how dirty packets reach the medium.
 *
 * A pass over a range of packets has two steps, because a drive that changes
 * between reading and writing loses a second each time: first everything that
 * is missing is read, then everything is written, both in ascending order and
 * in commands as long as the drive takes.
 *
 *  1. A block that is in use is never overwritten with anything but its
 *     content: a packet that cannot be completed is not written.
 *  2. A packet that could not be written stays dirty and has failed: it is left
 *     alone until somebody who knows what it holds has seen to it. The others
 *     are written nevertheless, and the first error is returned.
 *  3. What the drive took stays in memory until a SYNCHRONIZE CACHE has
 *     succeeded with nothing lost on the way; what was lost is dirty again.
 *     No more than a quarter of the budget is kept so: then it is
 *     synchronised, since forgetting it would be unsafe.
 */
#include <errno.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/cache_private.h"
#include "mmc/log.h"

/* A range of blocks to read. */
struct span {
    uint32_t lba, count;
};

static struct cache *of(struct blockdev *dev) {
    return (struct cache *)dev;
}

/* Whether trying other packets makes no sense after `result`. */
static bool is_hopeless(enum mmc_result result) {
    return mmc_result_action(result) == MMC_DO_REMOVED ||
           mmc_result_action(result) == MMC_DO_READ_ONLY ||
           result == MMC_MEDIUM_CHANGED || result == MMC_NOT_PERMITTED;
}

/* Whether it is the packet that cannot be written, rather than all of them. A
 * drive that replaces bad packets itself has no spare left then. */
static bool is_about_packet(enum mmc_result result) {
    return mmc_result_action(result) == MMC_DO_RETRY_REMAP ||
           result == MMC_HARDWARE_ERROR;
}

/* First packet in [from, to) that is to be written, or `to`. */
static uint32_t next_dirty(const struct cache *cache, uint32_t from,
                           uint32_t to) {
    return mmc_store_next_dirty(&cache->store, from, to);
}

/* Blocks that must be read before dirty packet `index` can be written, none
 * when that has failed in this pass. */
static uint64_t missing_of(const struct cache *cache, uint32_t index) {
    const struct mmc_cached *cached = mmc_store_find(&cache->store, index);

    if (cached->failed_pass == cache->pass) {
        return 0;
    }
    return mmc_packet_missing(&cached->packet,
                              mmc_store_in_use(&cache->store, index));
}

/* First missing block at or after `lba` in dirty packets before `end`. */
static bool next_missing(const struct cache *cache, uint32_t lba, uint32_t end,
                         uint32_t *out_lba) {
    uint32_t length = cache->head.geometry.packet_blocks;
    uint32_t index = next_dirty(cache, lba / length, end);

    for (; index < end; index = next_dirty(cache, index + 1, end)) {
        uint32_t first = cache_lba_of(cache, index);
        uint64_t missing = missing_of(cache, index);
        uint32_t from = lba > first ? lba - first : 0;
        uint32_t block = (uint32_t)mmc_bits_next_set(&missing, from, length);

        if (block < length) {
            *out_lba = first + block;
            return true;
        }
    }
    return false;
}

/* Whether the blocks between two missing ones are rather read than skipped:
 * the drive passes over a quarter of a packet quicker than it takes another
 * command, and when most of a packet is missing it is read in one go. */
static bool is_near(const struct cache *cache, uint32_t lba, uint32_t next) {
    uint32_t length = cache->head.geometry.packet_blocks;
    uint64_t missing = missing_of(cache, lba / length);

    if (next - lba <= 1 + length / 4) {
        return true;
    }
    return lba / length == next / length &&
           mmc_bits_count(&missing, 0, length) > length / 2;
}

/* The next range to read at or after `lba`. */
static bool next_span(const struct cache *cache, uint32_t lba, uint32_t end,
                      struct span *out) {
    uint32_t next = 0, last;

    if (!next_missing(cache, lba, end, &next)) {
        return false;
    }
    *out = (struct span){.lba = next, .count = 1};
    last = next;
    while (next_missing(cache, last + 1, end, &next) &&
           is_near(cache, last, next) && next - out->lba < cache->run_blocks) {
        last = next;
        out->count = last - out->lba + 1;
    }
    return true;
}

/* Marks the packets of a span as being read, or no longer. */
static void set_reading(struct cache *cache, struct span span, bool reading) {
    uint32_t length = cache->head.geometry.packet_blocks;
    uint32_t last = (span.lba + span.count - 1) / length;

    for (uint32_t index = span.lba / length; index <= last; index++) {
        struct mmc_cached *cached = mmc_store_find(&cache->store, index);

        if (cached) {
            cached->reading = reading;
            mmc_store_update(&cache->store, cached);
        }
    }
    if (!reading) {
        pthread_cond_broadcast(&cache->changed);
    }
}

/* Whether somebody is reading into a packet of the span. */
static bool is_being_read(const struct cache *cache, struct span span) {
    uint32_t length = cache->head.geometry.packet_blocks;
    uint32_t last = (span.lba + span.count - 1) / length;

    for (uint32_t index = span.lba / length; index <= last; index++) {
        const struct mmc_cached *cached = mmc_store_find(&cache->store, index);

        if (cached && cached->reading) {
            return true;
        }
    }
    return false;
}

/* Reads a span into its packets. With `lock`, which is let go meanwhile; the
 * image is not in use now and takes the data. */
static enum mmc_result read_span(struct cache *cache, struct span span) {
    enum mmc_result result;

    set_reading(cache, span, true);
    pthread_mutex_unlock(&cache->lock);
    result = cache_drive_read(cache, span.lba, span.count, cache->image);
    pthread_mutex_lock(&cache->lock);
    if (result == MMC_OK) {
        cache->stats.blocks_gathered += span.count;
        cache_fill(cache, span.lba, span.count, cache->image);
    }
    set_reading(cache, span, false);
    return result;
}

/* A span could not be read at once: reads what each packet misses, no block
 * more. Packets that stay incomplete have failed in this pass. */
static enum mmc_result read_pieces(struct cache *cache, struct span span) {
    uint32_t length = cache->head.geometry.packet_blocks;
    uint32_t end = span.lba + span.count;
    enum mmc_result result = MMC_OK;
    uint32_t lba = span.lba;

    while (lba < end && !is_hopeless(result)) {
        uint32_t index = lba / length;
        uint32_t first = cache_lba_of(cache, index);
        struct mmc_cached *cached = mmc_store_find(&cache->store, index);
        uint64_t missing = cached ? missing_of(cache, index) : 0;
        uint32_t from =
            (uint32_t)mmc_bits_next_set(&missing, lba - first, length);
        uint32_t to = (uint32_t)mmc_bits_next_clear(&missing, from, length);

        lba = first + to;
        if (from == length) {
            continue;
        }
        result = read_span(cache, (struct span){first + from, to - from});
        if (result != MMC_OK) {
            /* Nobody drops it meanwhile: it is dirty. */
            cached->failed_pass = cache->pass;
            cache->stats.read_errors++;
            lba = first + length;
        }
    }
    return is_hopeless(result) ? result : MMC_OK;
}

/* Reads whatever the dirty packets in [from, to) miss. Failures show when they
 * are about to be written. With `lock`. */
static enum mmc_result gather(struct cache *cache, uint32_t from, uint32_t to) {
    uint32_t lba = cache_lba_of(cache, from);
    enum mmc_result result = MMC_OK;
    struct span span;

    while (result == MMC_OK && next_span(cache, lba, to, &span)) {
        if (is_being_read(cache, span)) {
            pthread_cond_wait(&cache->changed, &cache->lock);
            continue; /* it may be complete by now */
        }
        result = read_span(cache, span);
        if (result != MMC_OK && !is_hopeless(result)) {
            result = read_pieces(cache, span);
        }
        lba = span.lba + span.count;
    }
    return result;
}

/* Takes images of the packets first .. first+n-1 that can be written at once.
 * Returns n, 0 when `first` cannot be. */
static uint32_t begin_run(struct cache *cache, uint32_t first, uint32_t to,
                          uint32_t *out_blocks) {
    uint32_t n = 0, blocks = 0;

    while (n < cache->run_packets && first + n < to &&
           next_dirty(cache, first + n, to) == first + n) {
        struct mmc_cached *cached = mmc_store_find(&cache->store, first + n);
        uint64_t in_use = mmc_store_in_use(&cache->store, first + n);

        if (cached->reading || mmc_packet_missing(&cached->packet, in_use)) {
            break;
        }
        mmc_packet_begin_write(&cached->packet,
                               cache->image +
                                   (size_t)blocks * BLOCKDEV_BLOCK_BYTES);
        mmc_store_update(&cache->store, cached);
        blocks += cached->packet.blocks;
        n++;
    }
    *out_blocks = blocks;
    return n;
}

static void end_run(struct cache *cache, uint32_t first, uint32_t n,
                    enum mmc_result result) {
    bool taken = result == MMC_OK;

    for (uint32_t i = 0; i < n; i++) {
        struct mmc_cached *cached = mmc_store_find(&cache->store, first + i);

        if (cache->writings[first + i] < UINT16_MAX) {
            cache->writings[first + i]++;
        }
        mmc_packet_end_write(&cached->packet, taken);
        mmc_store_update(&cache->store, cached);
        if (is_about_packet(result)) {
            mmc_store_fail(&cache->store, cached, 0);
        }
    }
    if (taken) {
        cache->stats.packets_written += n;
    } else {
        cache->stats.write_errors += n;
    }
    pthread_cond_broadcast(&cache->changed);
}

/* Sends `blocks` blocks of the image. With `lock`, let go meanwhile. */
static enum mmc_result send(struct cache *cache, uint32_t lba, uint32_t blocks,
                            const uint8_t *image) {
    enum mmc_result result;

    cache->stats.write_commands++;
    pthread_mutex_unlock(&cache->lock);
    cache->drive_dirty = true; /* even a failed write may leave something */
    result = cache_drive_write(cache, lba, blocks, image);
    pthread_mutex_lock(&cache->lock);
    return result;
}

/* Writes a run that has begun; when it fails, each packet alone. */
static enum mmc_result write_run(struct cache *cache, uint32_t first,
                                 uint32_t n, uint32_t blocks) {
    uint32_t length = cache->head.geometry.packet_blocks;
    enum mmc_result failed;
    enum mmc_result result =
        send(cache, cache_lba_of(cache, first), blocks, cache->image);

    if (n == 1 || result == MMC_OK || is_hopeless(result)) {
        end_run(cache, first, n, result);
        return result;
    }
    failed = MMC_OK;
    for (uint32_t i = 0; i < n; i++) {
        size_t offset = (size_t)i * length * BLOCKDEV_BLOCK_BYTES;

        if (!is_hopeless(failed)) {
            result = send(cache, cache_lba_of(cache, first + i),
                          mmc_store_packet_blocks(&cache->store, first + i),
                          cache->image + offset);
        }
        end_run(cache, first + i, 1, result);
        if (result != MMC_OK && (failed == MMC_OK || is_hopeless(result))) {
            failed = result;
        }
    }
    return failed;
}

/* Packet `index` is dirty, but could not be taken: waits for whoever reads it,
 * or completes it. False when it cannot be completed. */
static bool make_writable(struct cache *cache, uint32_t index,
                          enum mmc_result *out_result) {
    struct mmc_cached *cached = mmc_store_find(&cache->store, index);

    if (cached->reading) {
        pthread_cond_wait(&cache->changed, &cache->lock);
        return true;
    }
    if (cached->failed_pass == cache->pass) {
        mmc_store_fail(
            &cache->store, cached,
            mmc_packet_missing(&cached->packet,
                               mmc_store_in_use(&cache->store, index)));
        return false;
    }
    /* Blocks were marked in use after the first step. */
    *out_result = gather(cache, index, index + 1);
    return *out_result == MMC_OK;
}

/* Writes the dirty packets in [from, to) once. With flush_lock and `lock`. */
static enum mmc_result write_range(struct cache *cache, uint32_t from,
                                   uint32_t to) {
    enum mmc_result first_error, result;
    uint32_t index;

    cache->pass++;
    first_error = gather(cache, from, to);
    if (first_error != MMC_OK) {
        return first_error;
    }
    index = next_dirty(cache, from, to);
    while (index < to) {
        uint32_t blocks = 0;
        uint32_t n = begin_run(cache, index, to, &blocks);

        result = n > 0 ? write_run(cache, index, n, blocks) : MMC_MEDIUM_ERROR;
        if (n == 0 && make_writable(cache, index, &result)) {
            index = next_dirty(cache, index, to);
            continue;
        }
        if (result != MMC_OK && first_error == MMC_OK) {
            first_error = result;
        }
        if (is_hopeless(result)) {
            return result;
        }
        index = next_dirty(cache, index + (n > 0 ? n : 1), to);
    }
    return first_error;
}

/* When the drive has lost data since the last look, makes it dirty again.
 * True when there was any. With `lock`. */
static bool resend_lost(struct cache *cache, bool lost) {
    uint64_t epoch = mmc_drive_epoch(cache->drive);
    uint32_t count;

    if (epoch == cache->epoch && !lost) {
        return false;
    }
    cache->epoch = epoch;
    count = cache_resend(cache);
    if (count > 0) {
        mmc_log(MMC_LOG_WARN,
                "drive may have lost data: writing %u packets again", count);
    }
    return count > 0;
}

/* Writes the dirty packets in [from, to) once. -EIO when packets have failed,
 * now or before. With both locks. */
static int write_part(struct cache *cache, uint32_t from, uint32_t to) {
    enum mmc_result result;

    if (cache->dead) {
        return cache->dead;
    }
    result = write_range(cache, from, to);
    if (result == MMC_OK && cache_has_failed(cache)) {
        result = MMC_MEDIUM_ERROR;
    }
    return cache_error(cache, result);
}

/* SYNCHRONIZE CACHE. *out_lost: what the drive took since the last one is
 * dirty again. With both locks; `lock` is let go meanwhile. */
static enum mmc_result synchronize(struct cache *cache, bool *out_lost) {
    uint32_t packets = cache->store.packets;
    enum mmc_result result;
    uint32_t index = 0;

    pthread_mutex_unlock(&cache->lock);
    result = cache_drive_synchronize(cache);
    pthread_mutex_lock(&cache->lock);
    if (result != MMC_OK) {
        cache->stats.write_errors++;
    }
    /* An error here concerns writes that were reported as good. */
    *out_lost = resend_lost(cache, result != MMC_OK);
    if (result != MMC_OK || *out_lost) {
        return result;
    }
    cache->stats.syncs++;
    cache->drive_dirty = false;
    if (cache->verify && !cache_verify(cache)) {
        result = MMC_MISCOMPARE;
    }
    while ((index = (uint32_t)mmc_bits_next_set(cache->store.unsynced, index,
                                                packets)) < packets) {
        struct mmc_cached *cached = mmc_store_find(&cache->store, index);

        mmc_packet_synced(&cached->packet);
        mmc_store_update(&cache->store, cached);
    }
    return result;
}

/* The end of the range that starts at `from` and holds `count` dirty packets,
 * or of the device. */
static uint32_t end_of_dirty(const struct cache *cache, uint32_t from,
                             uint32_t count) {
    uint32_t packets = cache->store.packets;
    uint32_t index = from;

    while (count > 0 && index < packets) {
        index = next_dirty(cache, index, packets);
        index = index < packets ? index + 1 : packets;
        count--;
    }
    return index;
}

/* How many packets to send before the next SYNCHRONIZE CACHE, when those of
 * `portion` were lost. */
static uint32_t smaller_portion(const struct cache *cache, uint32_t portion) {
    uint32_t dirty = cache->store.dirty_count;

    portion = (portion < dirty ? portion : dirty) / 4;
    return portion > 0 ? portion : 1;
}

/* Brings everything to the medium. When the drive loses what it took, it is
 * sent again in smaller portions, each synchronised before the next: a drive
 * that is reset again and again gets on between two resets, and few packets
 * are written twice. With both locks. */
static int sync_locked(struct cache *cache) {
    uint32_t packets = cache->store.packets;
    uint32_t portion = packets, from = 0;
    unsigned losses = 0;

    resend_lost(cache, false);
    while (losses < CACHE_LOSSES_MAX) {
        uint32_t to = end_of_dirty(cache, from, portion);
        int error = write_part(cache, from, to);
        bool any, lost = false;
        enum mmc_result result;

        if ((error && !cache_has_failed(cache)) || !cache->drive_dirty) {
            return error;
        }
        any = cache->store.unsynced_count > 0;
        result = synchronize(cache, &lost);
        if (is_hopeless(result)) {
            return cache_error(cache, result);
        }
        if (lost || (result != MMC_OK && result != MMC_MISCOMPARE)) {
            portion = smaller_portion(cache, portion);
            from = 0;
            losses++;
            continue;
        }
        if (next_dirty(cache, to, packets) == packets) {
            return cache_has_failed(cache) ? -EIO : 0;
        }
        from = to;
        losses = any ? 0 : losses;
    }
    return -EIO;
}

/* Writes out until at most `target` packets are dirty. It goes round the
 * device and on from where it stopped: long ascending runs keep the drive
 * writing, and a packet that is just being filled is left alone for longest. */
static enum mmc_result write_down(struct cache *cache, uint32_t target) {
    enum mmc_result result = MMC_OK;

    /* From the cursor to the end, and round again for what came since. */
    for (unsigned i = 0; i < 3 && cache->store.dirty_count > target; i++) {
        uint32_t from = next_dirty(cache, cache->cursor, cache->store.packets);
        uint32_t end =
            end_of_dirty(cache, from, cache->store.dirty_count - target);
        enum mmc_result part =
            from < end ? write_range(cache, from, end) : MMC_OK;

        cache->cursor = end < cache->store.packets ? end : 0;
        if (part != MMC_OK && result == MMC_OK) {
            result = part;
        }
        if (is_hopeless(part)) {
            return part;
        }
    }
    return result;
}

/* Makes room for `need` more packets, if it must. With both locks. */
static int make_room_locked(struct cache *cache, uint32_t need) {
    uint32_t mark = cache->budget / 4 * 3;
    enum mmc_result result = MMC_OK;
    bool lost = false;

    if (cache->store.unsynced_count > cache->budget / 4) {
        result = synchronize(cache, &lost);
        if (is_hopeless(result)) {
            return cache_error(cache, result);
        }
    }
    if (resend_lost(cache, false) || lost) {
        sync_locked(cache);
    }
    if (need > cache->budget) {
        need = cache->budget;
    }
    if (cache->store.dirty_count + need <= cache->budget) {
        return cache->dead;
    }
    if (mark > cache->budget - need) {
        mark = cache->budget - need;
    }
    result = write_down(cache, mark);
    /* Packets that failed stay, and write_out reports them; here it counts
     * only whether there is room. */
    if (cache->store.dirty_count + need <= cache->budget) {
        return cache->dead;
    }
    return cache_error(cache, result == MMC_OK ? MMC_MEDIUM_ERROR : result);
}

int cache_make_room(struct blockdev *dev, uint32_t count) {
    struct cache *cache = of(dev);
    uint32_t length = dev->geometry.packet_blocks;
    uint32_t need = count / length + (count % length ? 1 : 0);
    int error;

    pthread_mutex_lock(&cache->flush_lock);
    pthread_mutex_lock(&cache->lock);
    error = make_room_locked(cache, need);
    pthread_mutex_unlock(&cache->lock);
    pthread_mutex_unlock(&cache->flush_lock);
    return error;
}

int cache_write_out(struct blockdev *dev) {
    struct cache *cache = of(dev);
    int error;

    pthread_mutex_lock(&cache->flush_lock);
    pthread_mutex_lock(&cache->lock);
    resend_lost(cache, false);
    error = write_part(cache, 0, cache->store.packets);
    if ((!error || cache_has_failed(cache)) && resend_lost(cache, false)) {
        error = sync_locked(cache);
    }
    pthread_mutex_unlock(&cache->lock);
    pthread_mutex_unlock(&cache->flush_lock);
    return error;
}

int cache_sync(struct blockdev *dev) {
    struct cache *cache = of(dev);
    int error;

    pthread_mutex_lock(&cache->flush_lock);
    pthread_mutex_lock(&cache->lock);
    error = sync_locked(cache);
    pthread_mutex_unlock(&cache->lock);
    pthread_mutex_unlock(&cache->flush_lock);
    return error;
}
