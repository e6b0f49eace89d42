/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/store.h - the packets that are in memory: found by index, forgotten in
 * the order in which they were last used, and counted. Part of mmc/cache,
 * whose lock guards all of it; does no I/O.
 *
 * Packets that were only written, and are full, are forgotten first: whoever
 * writes a file keeps it in memory himself, and what was read once, such as a
 * space bitmap, would otherwise be read again after each large file. Packets
 * that are kept are not forgotten at all.
 *
 * Invariants:
 *  1. After mmc_store_update() the bitmaps and counters agree with the packet.
 *  2. A failed packet is dirty.
 *  3. Exactly the packets that can be dropped without loss, that nobody is
 *     reading into and that are not kept are in the list of the used.
 */
#ifndef MMC_STORE_H
#define MMC_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/packet.h"

/* One packet in memory. */
struct mmc_cached {
    struct mmc_packet packet;
    uint32_t index;       /* LBA / packet_blocks */
    uint32_t failed_pass; /* write-out pass that could not complete it */
    uint64_t missing;     /* blocks that could not be read for it, when it is
                             in `failed` */
    bool reading;         /* somebody reads from the drive into it */
    bool was_read;        /* from the drive */
    bool kept;            /* as long as it knows anything */
    bool listed, counted_dirty, counted_unsynced;
    struct mmc_cached *next;          /* in its bucket */
    struct mmc_cached *newer, *older; /* in the list of the used */
};

struct mmc_store {
    uint32_t blocks;         /* of the device */
    uint32_t packet_blocks;  /* a power of two, 1..64 */
    uint32_t packets;        /* of the device */
    uint32_t limit;          /* of packets in memory, as far as they can go */
    uint32_t keep;           /* of those that can be dropped */
    uint32_t resident;       /* in memory now */
    uint32_t listed_count;   /* in the list of the used */
    uint32_t dirty_count;    /* of packets that are dirty or being written */
    uint32_t unsynced_count; /* of packets that the drive may still lose */
    uint32_t bucket_mask;
    struct mmc_cached **buckets;
    struct mmc_cached *newest, *oldest;
    uint64_t *in_use;   /* a bit a block */
    uint64_t *dirty;    /* a bit a packet: dirty, and not being written */
    uint64_t *unsynced; /* a bit a packet */
    uint64_t *failed;   /* a bit a packet: dirty, and not to be tried again */
};

/* All blocks in use, no packet in memory. When most of `limit` packets cannot
 * be dropped, the last `keep` that can be stay nevertheless. Returns 0 or
 * -ENOMEM. */
int mmc_store_init(struct mmc_store *store, uint32_t blocks,
                   uint32_t packet_blocks, uint32_t limit, uint32_t keep);
/* Frees everything, dirty or not; a store of zeros is accepted. */
void mmc_store_free(struct mmc_store *store);

/* The packet, or NULL when it is not in memory. */
struct mmc_cached *mmc_store_find(const struct mmc_store *store,
                                  uint32_t index);

/* The packet, made empty when it is not in memory; old ones make room. It is
 * safe from being dropped until mmc_store_update(). NULL: no memory. */
struct mmc_cached *mmc_store_get(struct mmc_store *store, uint32_t index);

/* To be called after every change of a packet. Packets that know nothing and
 * are of no use are freed: `cached` may be gone. */
void mmc_store_update(struct mmc_store *store, struct mmc_cached *cached);

/* A dirty packet could not be written: `missing` as in mmc/blockdev.h. */
void mmc_store_fail(struct mmc_store *store, struct mmc_cached *cached,
                    uint64_t missing);

/* It is worth another try. */
void mmc_store_unfail(struct mmc_store *store, uint32_t index);

/* First packet in [from, to) that is dirty and not failed, or `to`. */
uint32_t mmc_store_next_dirty(const struct mmc_store *store, uint32_t from,
                              uint32_t to);

/* Keeps the packets that are in memory now, unless they are more than a quarter
 * of the limit. */
void mmc_store_keep(struct mmc_store *store);

/* The packet was used. */
void mmc_store_touch(struct mmc_store *store, struct mmc_cached *cached);

/* Blocks of packet `index` (bit 0: its first) that are in use. */
uint64_t mmc_store_in_use(const struct mmc_store *store, uint32_t index);

/* Blocks of packet `index`; the last one may be short. */
uint8_t mmc_store_packet_blocks(const struct mmc_store *store, uint32_t index);

#endif
