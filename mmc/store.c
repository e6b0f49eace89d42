/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/store.c - hash table, list of the used, counters.
 */
#include "mmc/store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"

enum {
    DATA_ALIGNMENT = 4096, /* direct I/O below SG_IO wants pages */
    KEPT_SHARE = 4         /* one part in so many may be kept */
};

int mmc_store_init(struct mmc_store *store, uint32_t blocks,
                   uint32_t packet_blocks, uint32_t limit, uint32_t keep) {
    uint32_t packets = (blocks - 1) / packet_blocks + 1;
    uint32_t buckets = 64;

    while (buckets < limit && buckets < (1u << 24)) {
        buckets *= 2;
    }
    *store = (struct mmc_store){.blocks = blocks,
                                .packet_blocks = packet_blocks,
                                .packets = packets,
                                .limit = limit,
                                .keep = keep,
                                .bucket_mask = buckets - 1};
    store->buckets = calloc(buckets, sizeof(struct mmc_cached *));
    store->in_use = calloc(mmc_bits_words(blocks), sizeof(uint64_t));
    store->dirty = calloc(mmc_bits_words(packets), sizeof(uint64_t));
    store->unsynced = calloc(mmc_bits_words(packets), sizeof(uint64_t));
    store->failed = calloc(mmc_bits_words(packets), sizeof(uint64_t));
    if (!store->buckets || !store->in_use || !store->dirty ||
        !store->unsynced || !store->failed) {
        mmc_store_free(store);
        return -ENOMEM;
    }
    mmc_bits_set_range(store->in_use, 0, blocks);
    return 0;
}

static void free_cached(struct mmc_cached *cached) {
    free(cached->packet.data);
    free(cached);
}

void mmc_store_free(struct mmc_store *store) {
    if (store->buckets) {
        for (uint32_t i = 0; i <= store->bucket_mask; i++) {
            struct mmc_cached *cached = store->buckets[i];

            while (cached) {
                struct mmc_cached *next = cached->next;

                free_cached(cached);
                cached = next;
            }
        }
    }
    free(store->buckets);
    free(store->in_use);
    free(store->dirty);
    free(store->unsynced);
    free(store->failed);
    *store = (struct mmc_store){0};
}

static struct mmc_cached **bucket_of(const struct mmc_store *store,
                                     uint32_t index) {
    /* Neighbours fall into neighbouring buckets, which spreads them best. */
    return &store->buckets[index & store->bucket_mask];
}

struct mmc_cached *mmc_store_find(const struct mmc_store *store,
                                  uint32_t index) {
    struct mmc_cached *cached = *bucket_of(store, index);

    while (cached && cached->index != index) {
        cached = cached->next;
    }
    return cached;
}

static void unlist(struct mmc_store *store, struct mmc_cached *cached) {
    if (!cached->listed) {
        return;
    }
    *(cached->newer ? &cached->newer->older : &store->newest) = cached->older;
    *(cached->older ? &cached->older->newer : &store->oldest) = cached->newer;
    cached->newer = cached->older = NULL;
    cached->listed = false;
    store->listed_count--;
}

/* Puts it between two neighbours; NULL: at that end of the list. */
static void list(struct mmc_store *store, struct mmc_cached *cached,
                 struct mmc_cached *older, struct mmc_cached *newer) {
    cached->older = older;
    cached->newer = newer;
    *(older ? &older->newer : &store->oldest) = cached;
    *(newer ? &newer->older : &store->newest) = cached;
    cached->listed = true;
    store->listed_count++;
}

static void drop(struct mmc_store *store, struct mmc_cached *cached) {
    struct mmc_cached **link = bucket_of(store, cached->index);

    while (*link != cached) {
        link = &(*link)->next;
    }
    *link = cached->next;
    unlist(store, cached);
    store->resident--;
    free_cached(cached);
}

uint8_t mmc_store_packet_blocks(const struct mmc_store *store, uint32_t index) {
    uint32_t left = store->blocks - index * store->packet_blocks;

    return (uint8_t)(left < store->packet_blocks ? left : store->packet_blocks);
}

static struct mmc_cached *make(struct mmc_store *store, uint32_t index) {
    struct mmc_cached *cached = calloc(1, sizeof(*cached));
    size_t bytes = (size_t)store->packet_blocks * BLOCKDEV_BLOCK_BYTES;
    void *data = NULL;

    if (!cached || posix_memalign(&data, DATA_ALIGNMENT, bytes) != 0) {
        free(cached);
        return NULL;
    }
    cached->packet.data = data;
    cached->packet.blocks = mmc_store_packet_blocks(store, index);
    cached->index = index;
    return cached;
}

struct mmc_cached *mmc_store_get(struct mmc_store *store, uint32_t index) {
    struct mmc_cached *cached = mmc_store_find(store, index);
    struct mmc_cached **bucket = bucket_of(store, index);

    if (cached) {
        unlist(store, cached);
        return cached;
    }
    while (store->resident >= store->limit &&
           store->listed_count > store->keep) {
        drop(store, store->oldest);
    }
    cached = make(store, index);
    if (!cached) {
        return NULL;
    }
    cached->next = *bucket;
    *bucket = cached;
    store->resident++;
    return cached;
}

/* Whether the packet is the first to be forgotten. One that is not full will be
 * written again, and would have to be read for that. */
static bool is_only_written(const struct mmc_store *store,
                            const struct mmc_cached *cached) {
    return !cached->was_read && mmc_store_in_use(store, cached->index) ==
                                    mmc_packet_mask(0, cached->packet.blocks);
}

/* Keeps a counter and a bitmap in step with one property of a packet. */
static void count(bool *counted, bool now, uint32_t *counter) {
    if (*counted != now) {
        *counted = now;
        *counter += now ? 1u : UINT32_MAX; /* minus one */
    }
}

static void assign_bit(uint64_t *map, uint32_t n, bool value) {
    if (value) {
        mmc_bits_set(map, n);
    } else {
        mmc_bits_clear(map, n);
    }
}

void mmc_store_update(struct mmc_store *store, struct mmc_cached *cached) {
    enum mmc_packet_state state = mmc_packet_state(&cached->packet);

    mmc_packet_check(&cached->packet);
    count(&cached->counted_dirty, state != MMC_PACKET_CLEAN,
          &store->dirty_count);
    count(&cached->counted_unsynced, cached->packet.unsynced != 0,
          &store->unsynced_count);
    assign_bit(store->dirty, cached->index, state == MMC_PACKET_DIRTY);
    assign_bit(store->unsynced, cached->index, cached->packet.unsynced != 0);
    if (state != MMC_PACKET_DIRTY) {
        mmc_bits_clear(store->failed, cached->index);
    }
    if (cached->reading || !mmc_packet_is_droppable(&cached->packet)) {
        unlist(store, cached);
    } else if (cached->packet.valid == 0) {
        drop(store, cached);
    } else if (cached->kept) {
        unlist(store, cached);
    } else if (cached->listed) {
        return;
    } else if (is_only_written(store, cached)) {
        list(store, cached, NULL, store->oldest);
    } else {
        list(store, cached, store->newest, NULL);
    }
}

void mmc_store_keep(struct mmc_store *store) {
    if (store->resident > store->limit / KEPT_SHARE) {
        return;
    }
    for (uint32_t i = 0; i <= store->bucket_mask; i++) {
        for (struct mmc_cached *cached = store->buckets[i]; cached;
             cached = cached->next) {
            cached->kept = true;
            unlist(store, cached);
        }
    }
}

void mmc_store_fail(struct mmc_store *store, struct mmc_cached *cached,
                    uint64_t missing) {
    assert(mmc_packet_state(&cached->packet) == MMC_PACKET_DIRTY);
    cached->missing = missing;
    mmc_bits_set(store->failed, cached->index);
}

void mmc_store_unfail(struct mmc_store *store, uint32_t index) {
    mmc_bits_clear(store->failed, index);
}

uint32_t mmc_store_next_dirty(const struct mmc_store *store, uint32_t from,
                              uint32_t to) {
    while ((from = (uint32_t)mmc_bits_next_set(store->dirty, from, to)) < to &&
           mmc_bits_test(store->failed, from)) {
        from++;
    }
    return from;
}

void mmc_store_touch(struct mmc_store *store, struct mmc_cached *cached) {
    if (cached->listed && store->newest != cached &&
        !is_only_written(store, cached)) {
        unlist(store, cached);
        list(store, cached, store->newest, NULL);
    }
}

uint64_t mmc_store_in_use(const struct mmc_store *store, uint32_t index) {
    /* Packets are powers of two up to 64, so none crosses a word. */
    uint64_t first = (uint64_t)index * store->packet_blocks;

    return (store->in_use[first / 64] >> (first % 64)) &
           mmc_packet_mask(0, mmc_store_packet_blocks(store, index));
}
