/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/cache_read.c - what the packet cache reads, for those who want blocks
 * that are not in memory.
 *
 * Whole packets, neighbours in one command, since a drive reads a packet as
 * quickly as a block. When a long read fails, each packet is read alone, and
 * then only what was asked for, so that one bad block costs one block.
 *
 * One thread reads at a time (`turn`). The drive could do no more, and each
 * sees what the one before it has read. For the requests of one program that
 * reads on and on arrive by several threads, in any order, and a drive that is
 * sent back takes longer than for a whole megabyte. So whoever comes a little
 * early reads what lies between, too; and those who asked for it find it in
 * memory when it is their turn.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/cache_private.h"

/* What one call of fetch is after. */
struct wish {
    uint32_t lba, count;  /* asked for */
    uint32_t ahead;       /* packets that may be asked for next */
    uint32_t first, last; /* packets to read, with what is read beside that */
    uint8_t *buf;         /* for the longest run in them */
};

/* Reads blocks and puts them into their packets. With `lock`, which is let go
 * meanwhile. */
static enum mmc_result read_in(struct cache *cache, uint32_t lba,
                               uint32_t count, uint8_t *buf) {
    enum mmc_result result;

    pthread_mutex_unlock(&cache->lock);
    result = cache_drive_read(cache, lba, count, buf);
    pthread_mutex_lock(&cache->lock);
    if (result == MMC_OK) {
        cache->stats.blocks_read += count;
        cache_fill(cache, lba, count, buf);
    }
    return result;
}

/* Blocks of packet `index` that the caller asked for. */
static uint64_t asked(const struct cache *cache, const struct wish *wish,
                      uint32_t index) {
    uint32_t first = cache_lba_of(cache, index);
    uint32_t end = first + mmc_store_packet_blocks(&cache->store, index);
    uint32_t from = wish->lba > first ? wish->lba : first;
    uint32_t to = wish->lba + wish->count < end ? wish->lba + wish->count : end;

    return from < to ? mmc_packet_mask(from - first, to - from) : 0;
}

static bool is_busy(const struct mmc_cached *cached) {
    return cached->reading ||
           mmc_packet_state(&cached->packet) == MMC_PACKET_WRITING;
}

/* Blocks of packet `index` that are to be read: what is asked for, and ahead of
 * that what holds something. */
static uint64_t wanted(const struct cache *cache, const struct wish *wish,
                       uint32_t index) {
    const struct mmc_cached *cached = mmc_store_find(&cache->store, index);
    uint64_t want = asked(cache, wish, index);

    if (!want) {
        want = mmc_store_in_use(&cache->store, index);
    }
    return cached ? want & ~cached->packet.valid : want;
}

/* Whether packet `index` should be part of a run that has begun before it. */
static bool joins_run(const struct cache *cache, const struct wish *wish,
                      uint32_t index) {
    const struct mmc_cached *cached = mmc_store_find(&cache->store, index);

    return wanted(cache, wish, index) && !(cached && is_busy(cached));
}

/* Takes the packets first .. first+n-1 that can be read at once and marks them
 * as being read. Returns n, 0 when there is no memory. */
static uint32_t begin_run(struct cache *cache, const struct wish *wish,
                          uint32_t first) {
    uint32_t n = 0;

    while (n < cache->run_packets && n <= wish->last - first) {
        struct mmc_cached *cached;

        if (n > 0 && !joins_run(cache, wish, first + n)) {
            break;
        }
        cached = mmc_store_get(&cache->store, first + n);
        if (!cached) {
            break;
        }
        cached->reading = true;
        mmc_store_update(&cache->store, cached);
        n++;
    }
    return n;
}

static void end_run(struct cache *cache, uint32_t first, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        struct mmc_cached *cached = mmc_store_find(&cache->store, first + i);

        cached->reading = false;
        mmc_store_update(&cache->store, cached);
    }
    pthread_cond_broadcast(&cache->changed);
}

/* A long read has failed: reads packet `index` alone, and when that fails too
 * just the blocks that are asked for. */
static enum mmc_result read_packet(struct cache *cache, const struct wish *wish,
                                   uint32_t index) {
    const struct mmc_cached *cached = mmc_store_find(&cache->store, index);
    uint64_t want = asked(cache, wish, index) & ~cached->packet.valid;
    uint32_t first = cache_lba_of(cache, index);
    uint32_t blocks = mmc_store_packet_blocks(&cache->store, index);
    enum mmc_result result;
    uint32_t from, to;

    if (!want) {
        return MMC_OK; /* it was to be read ahead only */
    }
    result = read_in(cache, first, blocks, wish->buf);
    if (result == MMC_OK || want == mmc_packet_mask(0, blocks)) {
        return result;
    }
    result = MMC_OK;
    for (from = 0; from < blocks && result == MMC_OK; from = to) {
        from = (uint32_t)mmc_bits_next_set(&want, from, blocks);
        to = (uint32_t)mmc_bits_next_clear(&want, from, blocks);
        if (to > from) {
            result = read_in(cache, first + from, to - from, wish->buf);
        }
    }
    return result;
}

/* With `lock`, which is let go meanwhile. */
static int read_run(struct cache *cache, const struct wish *wish,
                    uint32_t first, uint32_t n) {
    uint32_t lba = cache_lba_of(cache, first);
    uint32_t end = cache_lba_of(cache, first + n - 1) +
                   mmc_store_packet_blocks(&cache->store, first + n - 1);
    enum mmc_result result = read_in(cache, lba, end - lba, wish->buf);

    if (result != MMC_OK && mmc_result_action(result) != MMC_DO_REMOVED) {
        result = MMC_OK;
        for (uint32_t i = 0; i < n && result == MMC_OK; i++) {
            result = read_packet(cache, wish, first + i);
        }
    }
    if (result != MMC_OK) {
        cache->stats.read_errors++;
    }
    end_run(cache, first, n);
    return cache_error(cache, result);
}

/* The first packet with something that is asked for and not in memory; one
 * behind the last when there is none. */
static uint32_t first_missing(const struct cache *cache,
                              const struct wish *wish) {
    uint32_t index = wish->first;

    while (index <= wish->last && !wanted(cache, wish, index)) {
        index++;
    }
    return index;
}

/* Makes stream `i` the one that was used last, which is the first. */
static struct cache_stream *touch_stream(struct cache *cache, unsigned i) {
    struct cache_stream stream = cache->streams[i];

    memmove(cache->streams + 1, cache->streams, i * sizeof(stream));
    cache->streams[0] = stream;
    return cache->streams;
}

/* The reader who goes on and on, and whose next packet is `index` or lies a
 * little before it; NULL when there is none. */
static struct cache_stream *find_stream(struct cache *cache, uint32_t index) {
    uint32_t nearest =
        CACHE_GAP_BLOCKS_MAX / cache->head.geometry.packet_blocks + 1;
    unsigned found = CACHE_STREAMS;

    for (unsigned i = 0; i < CACHE_STREAMS; i++) {
        const struct cache_stream *stream = &cache->streams[i];

        if (stream->ahead > 0 && stream->next <= index &&
            index - stream->next < nearest) {
            nearest = index - stream->next;
            found = i;
        }
    }
    return found < CACHE_STREAMS ? touch_stream(cache, found) : NULL;
}

/* Decides where to begin, and how many packets to read beyond what is asked
 * for. */
static void plan(struct cache *cache, struct wish *wish) {
    uint32_t limit =
        CACHE_AHEAD_BLOCKS_MAX / cache->head.geometry.packet_blocks;
    uint32_t most = cache->store.limit / 16;
    uint32_t left = cache->store.packets - 1 - wish->last;
    struct cache_stream *stream;
    uint32_t ahead;

    wish->first = first_missing(cache, wish);
    if (wish->first > wish->last || wish->ahead == 0) {
        return;
    }
    stream = find_stream(cache, wish->first);
    if (!stream) {
        *touch_stream(cache, CACHE_STREAMS - 1) =
            (struct cache_stream){.next = wish->last + 1, .ahead = 1};
        return;
    }
    most = most < limit ? most : limit;
    ahead = stream->ahead < most ? stream->ahead : most;
    ahead = ahead < left ? ahead : left;
    ahead = ahead < wish->ahead ? ahead : wish->ahead;
    wish->first = stream->next;
    wish->last += ahead;
    stream->ahead =
        stream->ahead < most ? stream->ahead * CACHE_AHEAD_GROWTH : most;
    stream->next = wish->last + 1;
}

/* Brings in packet *io_index with its followers, or waits for whoever is at
 * it; steps on when it is there. With `lock`. */
static int fetch_step(struct cache *cache, const struct wish *wish,
                      uint32_t *io_index) {
    struct mmc_cached *cached = mmc_store_find(&cache->store, *io_index);
    bool ahead = asked(cache, wish, *io_index) == 0;
    uint32_t n;
    int error;

    if (!wanted(cache, wish, *io_index) ||
        (ahead && cached && is_busy(cached))) {
        if (cached && !ahead) {
            mmc_store_touch(&cache->store, cached);
        }
        ++*io_index;
        return 0;
    }
    if (cached && is_busy(cached)) {
        pthread_cond_wait(&cache->changed, &cache->lock);
        return 0;
    }
    n = begin_run(cache, wish, *io_index);
    if (n == 0) {
        return -ENOMEM;
    }
    error = read_run(cache, wish, *io_index, n);
    if (ahead) { /* what cannot be read is not tried again */
        *io_index += n;
    }
    return error;
}

/* Reads what is planned. With `turn` and `lock`. */
static int fetch(struct cache *cache, struct wish *wish) {
    uint32_t index = wish->first, run = wish->last - index + 1;
    int error = 0;

    run = run < cache->run_packets ? run : cache->run_packets;
    wish->buf = malloc((size_t)run * cache->head.geometry.packet_blocks *
                       BLOCKDEV_BLOCK_BYTES);
    if (!wish->buf) {
        return -ENOMEM;
    }
    while (!error && index <= wish->last) {
        error = fetch_step(cache, wish, &index);
    }
    free(wish->buf);
    return error;
}

int cache_fetch(struct blockdev *dev, uint32_t lba, uint32_t count,
                uint32_t ahead) {
    struct cache *cache = (struct cache *)dev;
    uint32_t length = dev->geometry.packet_blocks;
    struct wish wish = {.lba = lba,
                        .count = count,
                        .first = lba / length,
                        .ahead = ahead / length + (ahead % length ? 1 : 0)};
    int error;

    if (lba > dev->geometry.blocks || count > dev->geometry.blocks - lba) {
        return -ERANGE;
    }
    if (count == 0) {
        return 0;
    }
    wish.last = (lba + (count - 1)) / length;
    pthread_mutex_lock(&cache->turn);
    pthread_mutex_lock(&cache->lock);
    error = cache->dead;
    if (!error) {
        plan(cache, &wish);
    }
    if (!error && wish.first <= wish.last) {
        error = fetch(cache, &wish);
    }
    pthread_mutex_unlock(&cache->lock);
    pthread_mutex_unlock(&cache->turn);
    return error;
}
