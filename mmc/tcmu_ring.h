/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/tcmu_ring.h - the memory that the kernel's target_core_user shares with
 * the process behind a device (<linux/target_core_user.h>): a mailbox, a ring
 * of commands, and the area that their data is in.
 *
 *   map  +---------+----- ... ------------------+---- ... ------------------+
 *        | mailbox | ring: cmdr_off, cmdr_size  | data, named by iov arrays |
 *        +---------+----- ... ------------------+---- ... ------------------+
 *
 * The kernel adds entries at cmd_head, we answer at cmd_tail, in order. This
 * file only looks into memory: no I/O, no clock.
 *
 * Invariants:
 *  1. Every offset and length that comes out of the map is checked against
 *     its container before it is used; the kernel is trusted to mean well, not
 *     to agree with us on the layout.
 *  2. Between tcmu_ring_next() and tcmu_ring_complete() for the same entry the
 *     kernel does not touch it.
 */
#ifndef MMC_TCMU_RING_H
#define MMC_TCMU_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmc/transport.h"

struct tcmu_ring {
    uint8_t *map;
    size_t map_bytes;
    uint32_t ring_offset, ring_bytes;
    bool short_reads; /* the kernel heeds the length of an answer */
};

/* One command that waits for its answer. */
struct tcmu_entry {
    uint32_t offset; /* in the ring */
    uint32_t length; /* of the entry, with header */
    uint32_t pieces; /* of its data; 0: no data */
    uint32_t data_len;
    uint8_t cdb_len; /* 0: of a group that MMC does not know, cdb is one byte */
    uint8_t cdb[MMC_CDB_MAX];
};

/* Takes the map of a device. Returns 0; -EUCLEAN when the mailbox describes no
 * ring that fits it; -EPROTONOSUPPORT for another version of the protocol. */
int tcmu_ring_init(struct tcmu_ring *ring, void *map, size_t map_bytes);

/* Finds the next command, past padding and past entries of a kind that is not
 * known here, which are answered as such. Returns 0; -ENOENT when none waits;
 * -EUCLEAN when the entry breaks invariant 1: the ring cannot be used on. */
int tcmu_ring_next(struct tcmu_ring *ring, struct tcmu_entry *out_entry);

/* Copies the entry's data, data_len bytes, to `buf`. */
void tcmu_ring_gather(const struct tcmu_ring *ring,
                      const struct tcmu_entry *entry, uint8_t *buf);

/* Copies `len` <= data_len bytes from `buf` to where the entry's data goes. */
void tcmu_ring_scatter(const struct tcmu_ring *ring,
                       const struct tcmu_entry *entry, const uint8_t *buf,
                       uint32_t len);

/* Answers the entry: status, sense, and, where the host was `reading`, how
 * much came. The kernel is not told: that is the owner's doing. */
void tcmu_ring_complete(struct tcmu_ring *ring, const struct tcmu_entry *entry,
                        const struct mmc_reply *reply, bool reading);

#endif
