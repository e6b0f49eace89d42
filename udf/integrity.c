/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/integrity.c - see udf/integrity.h.
 */
#include "udf/integrity.h"

#include <errno.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/io.h"
#include "udf/mark.h"
#include "udf/run.h"
#include "udf/volume.h"

enum {
    CHAIN_MAX = 64,           /* extents that are followed */
    EXTENT_BLOCKS_MAX = 4096, /* sectors that are read of each */
    APPEND_PACKETS = 4,       /* from this size on an extent is appended to */
    FIRST_UNIQUE_ID = 16
};

struct udf_counts udf_integrity_counts(const struct udf_integrity *integrity) {
    return (struct udf_counts){
        .files = integrity->lvid.files,
        .directories = integrity->lvid.directories,
        .next_unique_id = integrity->lvid.next_unique_id,
    };
}

uint64_t udf_integrity_unique_id(struct udf_integrity *integrity) {
    uint64_t id = integrity->lvid.next_unique_id++;

    /* FIDs hold the low 32 bits only, and 0 to 15 are reserved there. */
    if ((uint32_t)integrity->lvid.next_unique_id == 0) {
        integrity->lvid.next_unique_id += FIRST_UNIQUE_ID;
    }
    return id;
}

/* ---- loading ---------------------------------------------------------- */

/* Reads LVIDs from the start of one extent to the first sector that is none.
 * An unreadable sector ends the run like an unrecorded one. */
static int load_extent(struct udf_volume *volume,
                       const struct udf_extent_ad *extent) {
    struct udf_integrity *integrity = &volume->integrity;
    uint32_t blocks = extent->bytes / UDF_BLOCK_BYTES;
    uint8_t block[UDF_BLOCK_BYTES];

    integrity->extent_lba = extent->lba;
    integrity->extent_blocks = blocks;
    integrity->slot = UINT32_MAX;
    for (uint32_t i = 0; i < blocks && i < EXTENT_BLOCKS_MAX; i++) {
        uint32_t lba = extent->lba + i;
        struct udf_lvid lvid;
        int error = udf_io_load(volume, lba, 1, block);

        if (udf_io_is_fatal(error)) {
            return error;
        }
        integrity->torn = error == -EIO;
        if (error || udf_decode_lvid(block, lba, &lvid)) {
            return 0;
        }
        integrity->lvid = lvid;
        integrity->slot = i;
        integrity->sum = udf_run_sum(block, sizeof(block));
        integrity->found = true;
    }
    return 0;
}

/* The packet behind the last LVID cannot be read: what a power cut left of it.
 * Whatever lay there is lost, so nothing must be read to complete it. */
static void give_up_torn(struct udf_volume *volume) {
    const struct udf_integrity *integrity = &volume->integrity;
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t lba = integrity->extent_lba + integrity->slot + 1;
    uint32_t first = lba / packet * packet;
    uint8_t block[UDF_BLOCK_BYTES];

    for (uint32_t i = 0; i < packet; i++) {
        if (integrity->append ||
            udf_io_load(volume, first + i, 1, block) == -EIO) {
            blockdev_mark(volume->dev, first + i, 1, false);
        }
    }
}

int udf_integrity_load(struct udf_volume *volume,
                       const struct udf_extent_ad *extent) {
    const struct blockdev_geometry *geometry = &volume->dev->geometry;
    struct udf_integrity *integrity = &volume->integrity;
    struct udf_extent_ad at = *extent;

    for (unsigned i = 0; i < CHAIN_MAX && at.bytes >= UDF_BLOCK_BYTES; i++) {
        int error;

        integrity->lvid.next.bytes = 0;
        error = load_extent(volume, &at);
        if (error) {
            return error;
        }
        at = integrity->lvid.next;
    }
    if (integrity->found) {
        integrity->known = integrity->sent = integrity->lvid.recorded;
    }
    integrity->append =
        geometry->packet_blocks > 1 &&
        integrity->extent_lba % geometry->packet_blocks == 0 &&
        integrity->extent_blocks % geometry->packet_blocks == 0 &&
        integrity->extent_blocks / geometry->packet_blocks >= APPEND_PACKETS;
    if (integrity->torn) {
        give_up_torn(volume);
    }
    return 0;
}

void udf_integrity_invent(struct udf_volume *volume) {
    const struct udf_identity *identity = &volume->identity;
    struct udf_lvid *lvid = &volume->integrity.lvid;

    *lvid = (struct udf_lvid){
        .next_unique_id = FIRST_UNIQUE_ID,
        .partitions = volume->maps.count,
        .min_read = identity->revision,
        .min_write = identity->revision,
        .max_write = identity->revision,
    };
    for (uint32_t i = 0; i < volume->maps.count; i++) {
        lvid->size_blocks[i] = volume->maps.map[i].blocks;
    }
}

/* ---- writing ---------------------------------------------------------- */

/* The LVID of this moment. */
static void snapshot(struct udf_volume *volume, bool closed,
                     struct udf_lvid *out_lvid) {
    struct udf_lvid *lvid = &volume->integrity.lvid;

    pthread_rwlock_wrlock(&volume->lock);
    lvid->recorded = udf_op_clock();
    lvid->closed = closed;
    udf_spaces_count(volume, lvid);
    if (lvid->max_write < volume->identity.revision) {
        lvid->max_write = volume->identity.revision;
    }
    udf_entity_own(&lvid->implementation);
    lvid->own_bytes = 0; /* they belonged to the implementation before */
    *out_lvid = *lvid;
    pthread_rwlock_unlock(&volume->lock);
    out_lvid->next = (struct udf_extent_ad){0};
    if (!closed) { /* nothing that it counts is on the medium yet */
        out_lvid->files = volume->counts.files;
        out_lvid->directories = volume->counts.directories;
    }
}

/* Completes `lvid` for CLOSE or OPEN, the latter with its journal. */
static void complete(const struct udf_volume *volume, bool closed, bool journal,
                     struct udf_lvid *lvid) {
    struct udf_mark mark;

    lvid->closed = closed;
    lvid->own_bytes = 0;
    if (udf_journal_mark(volume, !journal, &mark)) {
        mark.last_anchor = volume->integrity.last_anchor;
        udf_mark_encode(&mark, lvid);
    }
}

/* Clears every packet of the extent but the first, on the medium: the run of
 * LVIDs then ends behind the first packet, whose last one is OPEN. */
static int clear_tail(struct udf_volume *volume) {
    static const uint8_t zeros[UDF_BLOCK_BYTES];
    const struct udf_integrity *integrity = &volume->integrity;
    uint32_t packet = volume->dev->geometry.packet_blocks;
    int error = 0;

    for (uint32_t i = packet; !error && i < integrity->extent_blocks; i++) {
        error =
            blockdev_write(volume->dev, integrity->extent_lba + i, 1, zeros);
    }
    return error ? error : blockdev_sync(volume->dev);
}

/* Writes `lvid` to sector `slot` with a terminator behind it, as far as the
 * packet goes. */
static int write_slot(struct udf_volume *volume, const struct udf_lvid *lvid,
                      uint32_t slot) {
    struct udf_integrity *integrity = &volume->integrity;
    const struct udf_tag_style *style = &volume->identity.style;
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t lba = integrity->extent_lba + slot;
    uint8_t block[UDF_BLOCK_BYTES];
    int error;

    udf_encode_lvid(lvid, style, lba, block);
    volume->journal.lvid = udf_run_sum(block, sizeof(block));
    error = blockdev_write(volume->dev, lba, 1, block);
    if (!error && integrity->append && (lba + 1) % packet != 0) {
        udf_encode_td(style, lba + 1, block);
        error = blockdev_write(volume->dev, lba + 1, 1, block);
    }
    if (!error) {
        integrity->slot = slot;
    }
    return error;
}

/* Starts the extent again with its first sector. */
static int restart(struct udf_volume *volume, const struct udf_lvid *lvid) {
    static const uint8_t zeros[UDF_BLOCK_BYTES];
    uint32_t packet = volume->dev->geometry.packet_blocks;
    int error = clear_tail(volume);

    for (uint32_t i = 1; !error && i < packet; i++) {
        error = blockdev_write(volume->dev, volume->integrity.extent_lba + i, 1,
                               zeros);
    }
    return error ? error : write_slot(volume, lvid, 0);
}

/* Writes the LVID behind the last one. The last sector of a packet gets an OPEN
 * one without a journal, whatever was to be written, which then goes into the
 * next packet. */
static int append(struct udf_volume *volume, struct udf_lvid *lvid,
                  bool closed) {
    struct udf_integrity *integrity = &volume->integrity;
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t slot = integrity->slot + 1;
    int error = 0;

    if (slot % packet == packet - 1 && slot < integrity->extent_blocks) {
        complete(volume, false, false, lvid);
        error = write_slot(volume, lvid, slot);
        slot++;
    }
    complete(volume, closed, !closed, lvid);
    if (error) {
        return error;
    }
    return slot < integrity->extent_blocks ? write_slot(volume, lvid, slot)
                                           : restart(volume, lvid);
}

int udf_integrity_write(struct udf_volume *volume, bool closed) {
    struct udf_integrity *integrity = &volume->integrity;
    struct udf_lvid lvid;
    int error;

    snapshot(volume, closed, &lvid);
    integrity->sent = lvid.recorded;
    if (integrity->append) {
        error = append(volume, &lvid, closed);
    } else {
        complete(volume, closed, !closed, &lvid);
        error = write_slot(volume, &lvid,
                           integrity->slot == UINT32_MAX ? 0 : integrity->slot);
    }
    if (!error) {
        error = blockdev_sync(volume->dev);
    }
    if (!error) {
        integrity->open_on_disc = !closed;
        integrity->known = integrity->sent;
    }
    return error;
}

/* ---- knowing the disc again ---------------------------------------------- */

static bool same_time(const struct udf_time *a, const struct udf_time *b) {
    return a->sec == b->sec && a->nsec == b->nsec;
}

int udf_integrity_recognise(struct udf_volume *volume) {
    const struct udf_integrity *integrity = &volume->integrity;
    struct udf_lvid lvid = {0};
    uint8_t block[UDF_BLOCK_BYTES];
    bool found = false;

    for (uint32_t i = 0; i < integrity->extent_blocks; i++) {
        uint32_t lba = integrity->extent_lba + i;
        int error = blockdev_read_back(volume->dev, lba, 1, block);

        if (udf_io_is_fatal(error)) {
            return error;
        }
        if (error || udf_decode_lvid(block, lba, &lvid)) {
            break;
        }
        found = true;
    }
    return found && (same_time(&lvid.recorded, &integrity->known) ||
                     same_time(&lvid.recorded, &integrity->sent))
               ? 0
               : -ENOMEDIUM;
}
