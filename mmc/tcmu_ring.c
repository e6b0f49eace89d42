/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mmc/tcmu_ring.h"

#include <assert.h>
#include <errno.h>
#include <linux/target_core_user.h>
#include <string.h>

#include "mmc/cdb.h"

/* Where an entry's list of data pieces begins. An answer takes the whole fixed
 * part, which is longer: the kernel makes no shorter entry. */
enum {
    PIECES_OFFSET = offsetof(struct tcmu_cmd_entry, req.iov),
    ENTRY_LEAST = sizeof(struct tcmu_cmd_entry),
    HEADER_BYTES = sizeof(struct tcmu_cmd_entry_hdr)
};

/* ---- The mailbox -------------------------------------------------------- */

/* Both ends of the ring are turned by one side and read by the other. The map
 * begins with a page, so that the fields are aligned. */
static uint32_t *mailbox_end(const struct tcmu_ring *ring, size_t offset) {
    return (uint32_t *)(void *)(ring->map + offset);
}

static uint32_t *head_of(const struct tcmu_ring *ring) {
    return mailbox_end(ring, offsetof(struct tcmu_mailbox, cmd_head));
}

static uint32_t *tail_of(const struct tcmu_ring *ring) {
    return mailbox_end(ring, offsetof(struct tcmu_mailbox, cmd_tail));
}

int tcmu_ring_init(struct tcmu_ring *ring, void *map, size_t map_bytes) {
    struct tcmu_mailbox mailbox;

    if (map_bytes < sizeof(mailbox) || (uintptr_t)map % ALIGN_SIZE) {
        return -EUCLEAN;
    }
    memcpy(&mailbox, map, sizeof(mailbox));
    if (mailbox.version != TCMU_MAILBOX_VERSION) {
        return -EPROTONOSUPPORT;
    }
    if (mailbox.cmdr_off < sizeof(mailbox) || mailbox.cmdr_off > map_bytes ||
        mailbox.cmdr_size > map_bytes - mailbox.cmdr_off ||
        mailbox.cmdr_size < ENTRY_LEAST ||
        mailbox.cmdr_off % TCMU_OP_ALIGN_SIZE ||
        mailbox.cmdr_size % TCMU_OP_ALIGN_SIZE) {
        return -EUCLEAN;
    }
    *ring = (struct tcmu_ring){
        .map = map,
        .map_bytes = map_bytes,
        .ring_offset = mailbox.cmdr_off,
        .ring_bytes = mailbox.cmdr_size,
        .short_reads = mailbox.flags & TCMU_MAILBOX_FLAG_CAP_READ_LEN,
    };
    return 0;
}

/* ---- Entries ------------------------------------------------------------ */

static uint8_t *entry_at(const struct tcmu_ring *ring, uint32_t offset) {
    return ring->map + ring->ring_offset + offset;
}

/* Gives everything up to the end of the entry back to the kernel. */
static void advance(struct tcmu_ring *ring, uint32_t offset, uint32_t length) {
    uint32_t tail = (offset + length) % ring->ring_bytes;

    __atomic_store_n(tail_of(ring), tail, __ATOMIC_RELEASE);
}

/* The i-th piece of the entry's data: an offset into the map and a length. */
static struct iovec piece_of(const struct tcmu_ring *ring,
                             const struct tcmu_entry *entry, uint32_t i) {
    struct iovec piece;

    memcpy(&piece,
           entry_at(ring, entry->offset) + PIECES_OFFSET +
               i * sizeof(struct iovec),
           sizeof(piece));
    return piece;
}

/* Checks every piece and adds them up. */
static int measure_data(const struct tcmu_ring *ring,
                        struct tcmu_entry *entry) {
    uint64_t total = 0;

    if (entry->pieces >
        (entry->length - PIECES_OFFSET) / sizeof(struct iovec)) {
        return -EUCLEAN;
    }
    for (uint32_t i = 0; i < entry->pieces; i++) {
        struct iovec piece = piece_of(ring, entry, i);
        uintptr_t at = (uintptr_t)piece.iov_base;

        if (at > ring->map_bytes || piece.iov_len > ring->map_bytes - at) {
            return -EUCLEAN;
        }
        total += piece.iov_len;
        if (total > UINT32_MAX) {
            return -EUCLEAN;
        }
    }
    entry->data_len = (uint32_t)total;
    return 0;
}

static int take_cdb(const struct tcmu_ring *ring, uint64_t offset,
                    struct tcmu_entry *entry) {
    size_t len;

    if (offset >= ring->map_bytes) {
        return -EUCLEAN;
    }
    entry->cdb_len = mmc_cdb_length(ring->map[offset]);
    len = entry->cdb_len ? entry->cdb_len : 1;
    if (len > ring->map_bytes - offset) {
        return -EUCLEAN;
    }
    memcpy(entry->cdb, ring->map + offset, len);
    return 0;
}

static int decode_command(const struct tcmu_ring *ring,
                          struct tcmu_entry *entry) {
    struct tcmu_cmd_entry raw;
    int error;

    if (entry->length < ENTRY_LEAST) {
        return -EUCLEAN;
    }
    memcpy(&raw, entry_at(ring, entry->offset), sizeof(raw));
    /* Data in both directions, or protection data: no MMC command has it. */
    if (raw.req.iov_bidi_cnt || raw.req.iov_dif_cnt) {
        return -EUCLEAN;
    }
    entry->pieces = raw.req.iov_cnt;
    error = measure_data(ring, entry);
    return error ? error : take_cdb(ring, raw.req.cdb_off, entry);
}

/* Says that nothing was understood of an entry. */
static void reject(struct tcmu_ring *ring, uint32_t offset) {
    entry_at(ring, offset)[offsetof(struct tcmu_cmd_entry_hdr, uflags)] |=
        TCMU_UFLAG_UNKNOWN_OP;
}

/* The header of the entry at `offset`, which must fit what is in the ring. */
static int take_header(const struct tcmu_ring *ring, uint32_t offset,
                       uint32_t filled, struct tcmu_cmd_entry_hdr *out_header) {
    struct tcmu_cmd_entry_hdr header;
    uint32_t length;

    if (filled < HEADER_BYTES || ring->ring_bytes - offset < HEADER_BYTES) {
        return -EUCLEAN;
    }
    memcpy(&header, entry_at(ring, offset), sizeof(header));
    length = tcmu_hdr_get_len(header.len_op);
    if (length < HEADER_BYTES || length > filled ||
        length > ring->ring_bytes - offset) {
        return -EUCLEAN;
    }
    *out_header = header;
    return 0;
}

int tcmu_ring_next(struct tcmu_ring *ring, struct tcmu_entry *out_entry) {
    uint32_t head = __atomic_load_n(head_of(ring), __ATOMIC_ACQUIRE);
    uint32_t tail = __atomic_load_n(tail_of(ring), __ATOMIC_RELAXED);
    struct tcmu_entry entry = {0};
    struct tcmu_cmd_entry_hdr header;
    int error;

    if (head >= ring->ring_bytes || tail >= ring->ring_bytes ||
        head % TCMU_OP_ALIGN_SIZE || tail % TCMU_OP_ALIGN_SIZE) {
        return -EUCLEAN;
    }
    while (tail != head) {
        uint32_t filled = (head - tail + ring->ring_bytes) % ring->ring_bytes;

        error = take_header(ring, tail, filled, &header);
        if (error) {
            return error;
        }
        entry.offset = tail;
        entry.length = tcmu_hdr_get_len(header.len_op);
        if (tcmu_hdr_get_op(header.len_op) == TCMU_OP_CMD) {
            error = decode_command(ring, &entry);
            if (!error) {
                *out_entry = entry;
            }
            return error;
        }
        if (tcmu_hdr_get_op(header.len_op) != TCMU_OP_PAD) {
            reject(ring, tail);
        }
        advance(ring, entry.offset, entry.length);
        tail = (tail + entry.length) % ring->ring_bytes;
    }
    return -ENOENT;
}

/* ---- Data and answers --------------------------------------------------- */

void tcmu_ring_gather(const struct tcmu_ring *ring,
                      const struct tcmu_entry *entry, uint8_t *buf) {
    for (uint32_t i = 0; i < entry->pieces; i++) {
        struct iovec piece = piece_of(ring, entry, i);

        memcpy(buf, ring->map + (uintptr_t)piece.iov_base, piece.iov_len);
        buf += piece.iov_len;
    }
}

void tcmu_ring_scatter(const struct tcmu_ring *ring,
                       const struct tcmu_entry *entry, const uint8_t *buf,
                       uint32_t len) {
    assert(len <= entry->data_len);
    for (uint32_t i = 0; i < entry->pieces && len; i++) {
        struct iovec piece = piece_of(ring, entry, i);
        uint32_t part = piece.iov_len < len ? (uint32_t)piece.iov_len : len;

        memcpy(ring->map + (uintptr_t)piece.iov_base, buf, part);
        buf += part;
        len -= part;
    }
}

/* The request's fields and the answer's are the same bytes: all of the request
 * has been used by now. */
void tcmu_ring_complete(struct tcmu_ring *ring, const struct tcmu_entry *entry,
                        const struct mmc_reply *reply, bool reading) {
    uint8_t *at = entry_at(ring, entry->offset);
    struct tcmu_cmd_entry raw;
    size_t sense_len = reply->sense_len < sizeof(reply->sense)
                           ? reply->sense_len
                           : sizeof(reply->sense);

    memcpy(&raw.hdr, at, sizeof(raw.hdr));
    memset(&raw.rsp, 0, sizeof(raw.rsp));
    raw.rsp.scsi_status = reply->status;
    memcpy(raw.rsp.sense_buffer, reply->sense, sense_len);
    /* What a drive took of a failed write is not told: the host believes sense,
     * and the kernel would take a short length for data that is missing. */
    if (reading && ring->short_reads) {
        raw.hdr.uflags |= TCMU_UFLAG_READ_LEN;
        raw.rsp.read_len = reply->data_len < entry->data_len ? reply->data_len
                                                             : entry->data_len;
    }
    memcpy(at, &raw, sizeof(raw));
    advance(ring, entry->offset, entry->length);
}
