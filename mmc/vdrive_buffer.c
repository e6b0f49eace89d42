/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_buffer.c - the volatile buffer of the drive. A packet that WRITE
 * accepted is in the image at once; what it replaced is kept here until the
 * next SYNCHRONIZE CACHE, or until so many packets came after it that the
 * drive's memory cannot hold it any more. A power cut puts some of it back.
 */
#include "mmc/vdrive_core.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "mmc/log.h"

enum { BUFFERED_MAX = 64 }; /* bits of the set of writes that a cut keeps */

int vdrive_buffer_init(struct vdrive_buffer *buffer, uint32_t buffer_bytes,
                       uint32_t packet_bytes) {
    buffer->capacity = buffer_bytes / packet_bytes;
    if (buffer->capacity > BUFFERED_MAX) {
        buffer->capacity = BUFFERED_MAX;
    }
    buffer->packet_bytes = packet_bytes;
    buffer->entries = calloc(buffer->capacity, sizeof(*buffer->entries));
    buffer->images = malloc((size_t)buffer->capacity * packet_bytes);
    return buffer->entries && buffer->images ? 0 : -ENOMEM;
}

void vdrive_buffer_free(struct vdrive_buffer *buffer) {
    free(buffer->entries);
    free(buffer->images);
}

void vdrive_buffer_synced(struct vdrive_buffer *buffer) {
    buffer->count = 0;
}

static uint8_t *image_of(struct vdrive_buffer *buffer, unsigned slot) {
    return buffer->images + (size_t)slot * buffer->packet_bytes;
}

int vdrive_buffer_remember(struct vdrive *drive, uint32_t pkt) {
    struct vdrive_buffer *buffer = &drive->buffer;
    unsigned slot = (buffer->first + buffer->count) % buffer->capacity;
    int error =
        vdrive_files_read(&drive->files, pkt * drive->medium->packet_blocks,
                          drive->medium->packet_blocks, image_of(buffer, slot));

    if (error) {
        return error;
    }
    if (buffer->count == buffer->capacity) {
        buffer->first = (buffer->first + 1) % buffer->capacity;
    } else {
        buffer->count++;
    }
    buffer->entries[slot] = (struct vdrive_buffered){
        .pkt = pkt,
        .was_unreadable = mmc_bits_test(drive->files.unreadable, pkt),
    };
    return 0;
}

/* xorshift64*: any seed but 0 will do. Its upper bits are the good ones. */
static bool toss(uint64_t *seed) {
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (*seed * UINT64_C(2685821657736338717)) >> 63;
}

/* Undoes the write in `slot`. */
static void put_back(struct vdrive *drive, unsigned slot) {
    const struct vdrive_buffered *entry = &drive->buffer.entries[slot];
    uint16_t packet_blocks = drive->medium->packet_blocks;

    if (vdrive_files_write(&drive->files, entry->pkt * packet_blocks,
                           packet_blocks, image_of(&drive->buffer, slot)) < 0) {
        mmc_log(MMC_LOG_ERROR, "virtual drive: packet %u cannot be put back",
                entry->pkt);
    }
    if (entry->was_unreadable) {
        mmc_bits_set(drive->files.unreadable, entry->pkt);
    } else {
        mmc_bits_clear(drive->files.unreadable, entry->pkt);
    }
}

/* Whether a later write of this packet, `later` entries from the newest on,
 * was kept: then what is on the medium is newer than this entry. */
static bool was_kept(const struct vdrive_buffer *buffer, uint32_t pkt,
                     uint64_t kept, unsigned later) {
    for (unsigned i = 0; i < later; i++) {
        unsigned slot =
            (buffer->first + buffer->count - 1 - i) % buffer->capacity;

        if (buffer->entries[slot].pkt == pkt && (kept >> i & 1)) {
            return true;
        }
    }
    return false;
}

/* From the newest write to the oldest, so that each packet ends as one of the
 * contents it had since the last SYNCHRONIZE CACHE, or the one before. */
void vdrive_buffer_cut(struct vdrive *drive, const struct mmc_vdrive_cut *cut) {
    struct vdrive_buffer *buffer = &drive->buffer;
    uint64_t seed = cut->seed ? cut->seed : 1, kept = 0;

    for (unsigned i = 0; i < buffer->count; i++) {
        unsigned slot =
            (buffer->first + buffer->count - 1 - i) % buffer->capacity;
        bool keep = cut->loss == MMC_VDRIVE_LOSE_NONE ||
                    (cut->loss == MMC_VDRIVE_LOSE_SOME && toss(&seed));

        if (keep || was_kept(buffer, buffer->entries[slot].pkt, kept, i)) {
            kept |= (uint64_t)1 << i;
        } else {
            put_back(drive, slot);
        }
    }
    vdrive_buffer_synced(buffer);
}
