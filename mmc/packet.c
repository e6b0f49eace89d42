/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/packet.c - bitmaps and state of one packet; the state diagram and the
 * invariants are in mmc/packet.h.
 */
#include "mmc/packet.h"

#include <assert.h>
#include <string.h>

#include "mmc/blockdev.h"

uint64_t mmc_packet_mask(unsigned from, unsigned count) {
    assert(from + count <= MMC_PACKET_BLOCKS_MAX);
    if (count == 0) {
        return 0;
    }
    /* A shift by 64 is undefined, so all ones are shifted down instead. */
    return (UINT64_MAX >> (MMC_PACKET_BLOCKS_MAX - count)) << from;
}

static uint8_t *block_of(const struct mmc_packet *packet, unsigned block) {
    return packet->data + (size_t)block * BLOCKDEV_BLOCK_BYTES;
}

static uint64_t whole(const struct mmc_packet *packet) {
    return mmc_packet_mask(0, packet->blocks);
}

enum mmc_packet_state mmc_packet_state(const struct mmc_packet *packet) {
    if (packet->inflight) {
        return MMC_PACKET_WRITING;
    }
    return packet->dirty ? MMC_PACKET_DIRTY : MMC_PACKET_CLEAN;
}

bool mmc_packet_is_droppable(const struct mmc_packet *packet) {
    return !packet->dirty && !packet->inflight && !packet->unsynced;
}

void mmc_packet_write(struct mmc_packet *packet, unsigned from, unsigned count,
                      const void *buf) {
    uint64_t mask = mmc_packet_mask(from, count);

    assert(from + count <= packet->blocks);
    memcpy(block_of(packet, from), buf, (size_t)count * BLOCKDEV_BLOCK_BYTES);
    packet->valid |= mask;
    packet->dirty |= mask;
}

void mmc_packet_fill(struct mmc_packet *packet, unsigned from, unsigned count,
                     const void *buf) {
    const uint8_t *source = buf;

    assert(from + count <= packet->blocks);
    for (unsigned i = 0; i < count; i++) {
        if (!((packet->valid >> (from + i)) & 1u)) {
            memcpy(block_of(packet, from + i),
                   source + (size_t)i * BLOCKDEV_BLOCK_BYTES,
                   BLOCKDEV_BLOCK_BYTES);
        }
    }
    packet->valid |= mmc_packet_mask(from, count);
}

uint64_t mmc_packet_missing(const struct mmc_packet *packet, uint64_t in_use) {
    return in_use & ~packet->valid & whole(packet);
}

void mmc_packet_begin_write(struct mmc_packet *packet, void *image) {
    uint8_t *target = image;

    assert(mmc_packet_state(packet) == MMC_PACKET_DIRTY);
    for (unsigned i = 0; i < packet->blocks; i++) {
        if (!((packet->valid >> i) & 1u)) {
            /* Zeroed in place, so that end_write can call it known. */
            memset(block_of(packet, i), 0, BLOCKDEV_BLOCK_BYTES);
        }
    }
    memcpy(target, packet->data, (size_t)packet->blocks * BLOCKDEV_BLOCK_BYTES);
    packet->inflight = packet->dirty;
    packet->dirty = 0;
}

void mmc_packet_end_write(struct mmc_packet *packet, bool taken) {
    assert(packet->inflight);
    if (taken) {
        packet->valid = whole(packet);
        /* The whole packet was overwritten: if the drive loses it, the
         * blocks that were only gathered are lost as well. */
        packet->unsynced = whole(packet);
    } else {
        packet->dirty |= packet->inflight;
    }
    packet->inflight = 0;
}

void mmc_packet_synced(struct mmc_packet *packet) {
    packet->unsynced = 0;
}

void mmc_packet_resend(struct mmc_packet *packet) {
    packet->dirty |= packet->unsynced;
    packet->unsynced = 0;
}

void mmc_packet_discard(struct mmc_packet *packet, uint64_t mask) {
    assert(packet->inflight == 0);
    packet->valid &= ~mask;
    packet->dirty &= ~mask;
    packet->unsynced &= ~mask;
}

void mmc_packet_redo(struct mmc_packet *packet) {
    assert(packet->inflight == 0);
    packet->dirty = packet->valid;
    packet->unsynced = 0;
}

void mmc_packet_check(const struct mmc_packet *packet) {
    assert(packet->blocks >= 1 && packet->blocks <= MMC_PACKET_BLOCKS_MAX);
    assert((packet->valid & ~whole(packet)) == 0);
    assert((packet->dirty & ~packet->valid) == 0);
    assert((packet->inflight & ~packet->valid) == 0);
    assert((packet->unsynced & ~packet->valid) == 0);
}
