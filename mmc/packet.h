/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/packet.h - one packet in memory: its data, which blocks of it are known,
 * which wait to be written, and what the drive is doing with it. Pure: the
 * cache holds the lock and talks to the drive.
 *
 *             mmc_packet_write              mmc_packet_begin_write
 *   CLEAN ------------------------> DIRTY -------------------------> WRITING
 *    | ^                            ^ ^                              |  |
 *    | |                            | |    mmc_packet_end_write:     |  |
 *    | |                            | +-- not taken, or written to --+  |
 *    | |                            |     again meanwhile               |
 *    | |  mmc_packet_end_write: taken                                   |
 *    | +----------------------------|-----------------------------------+
 *    |  mmc_packet_resend           |
 *    +------------------------------+
 *
 * Bit n of every bitmap stands for block n of the packet.
 *  1. dirty and inflight are parts of valid: what is to be written is known.
 *  2. inflight is not empty if and only if the packet is WRITING. The data of
 *     a packet may change while it is WRITING, because the drive is given a
 *     copy; the blocks that changed are dirty again.
 *  3. unsynced blocks were taken by the drive since the last SYNCHRONIZE
 *     CACHE; until then they may still be lost, so they are kept.
 *  4. A packet is DIRTY if and only if it is not WRITING and dirty is not
 *     empty.
 */
#ifndef MMC_PACKET_H
#define MMC_PACKET_H

#include <stdbool.h>
#include <stdint.h>

enum { MMC_PACKET_BLOCKS_MAX = 64 };

enum mmc_packet_state {
    MMC_PACKET_CLEAN,
    MMC_PACKET_DIRTY,
    MMC_PACKET_WRITING
};

struct mmc_packet {
    uint64_t valid;    /* data is what the host sees */
    uint64_t dirty;    /* differs from what the drive was given */
    uint64_t inflight; /* on its way to the drive */
    uint64_t unsynced; /* with the drive, perhaps not yet on the medium */
    uint8_t *data;     /* blocks * 2048 bytes */
    uint8_t blocks;    /* 1..64; the last packet of a device may be short */
};

/* Bits of blocks from .. from+count-1, which lie in one packet. */
uint64_t mmc_packet_mask(unsigned from, unsigned count);

enum mmc_packet_state mmc_packet_state(const struct mmc_packet *packet);

/* Whether the packet can be forgotten without loss. */
bool mmc_packet_is_droppable(const struct mmc_packet *packet);

/* The host writes `count` blocks from block `from`. */
void mmc_packet_write(struct mmc_packet *packet, unsigned from, unsigned count,
                      const void *buf);

/* The drive has read `count` blocks from block `from`; those that are known
 * already are newer and stay. */
void mmc_packet_fill(struct mmc_packet *packet, unsigned from, unsigned count,
                     const void *buf);

/* Blocks in use that must be read before the packet can be written. */
uint64_t mmc_packet_missing(const struct mmc_packet *packet, uint64_t in_use);

/* Copies the packet's image to `image` (blocks * 2048 bytes), zeros where
 * nothing is known, and counts every dirty block as on its way. The packet
 * must be DIRTY. */
void mmc_packet_begin_write(struct mmc_packet *packet, void *image);

/* The drive has taken the image, or not. When it has, blocks that were not
 * known are zeros on the medium now, and known as such. */
void mmc_packet_end_write(struct mmc_packet *packet, bool taken);

/* The drive says that everything is on the medium. */
void mmc_packet_synced(struct mmc_packet *packet);

/* The drive has lost what it was given since the last SYNCHRONIZE CACHE. */
void mmc_packet_resend(struct mmc_packet *packet);

/* Blocks in `mask` are no longer of interest, written or not. The packet must
 * not be WRITING. */
void mmc_packet_discard(struct mmc_packet *packet, uint64_t mask);

/* What the drive took is not what it gives back: all of the packet that is
 * known is to be written again. */
void mmc_packet_redo(struct mmc_packet *packet);

/* Asserts the invariants at the head of this file. */
void mmc_packet_check(const struct mmc_packet *packet);

#endif
