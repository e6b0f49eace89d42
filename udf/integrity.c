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
#include "udf/volume.h"

enum {
    CHAIN_MAX = 64,           /* extents that are followed */
    EXTENT_BLOCKS_MAX = 4096, /* sectors that are read of each */
    APPEND_PACKETS = 4,       /* from this size on an extent is appended to */
    FIRST_UNIQUE_ID = 16
};

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

    for (uint32_t i = 0; i < blocks && i < EXTENT_BLOCKS_MAX; i++) {
        uint32_t lba = extent->lba + i;
        struct udf_lvid lvid;
        int error = udf_io_load(volume, lba, 1, block);

        if (udf_io_is_fatal(error)) {
            return error;
        }
        if (error || udf_decode_lvid(block, lba, &lvid)) {
            return 0;
        }
        integrity->lvid = lvid;
        integrity->extent_lba = extent->lba;
        integrity->extent_blocks = blocks;
        integrity->slot = i;
        integrity->found = true;
    }
    return 0;
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
    if (!integrity->found) {
        return 0;
    }
    integrity->open_on_disc = !integrity->lvid.closed;
    integrity->known = integrity->sent = integrity->lvid.recorded;
    integrity->append =
        geometry->packet_blocks > 1 &&
        integrity->extent_lba % geometry->packet_blocks == 0 &&
        integrity->extent_blocks % geometry->packet_blocks == 0 &&
        integrity->extent_blocks / geometry->packet_blocks >= APPEND_PACKETS;
    return 0;
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

static int append(struct udf_volume *volume, struct udf_lvid *lvid) {
    struct udf_integrity *integrity = &volume->integrity;
    uint32_t packet = volume->dev->geometry.packet_blocks;
    bool closed = lvid->closed;

    for (;;) {
        uint32_t slot = integrity->slot + 1;
        bool last = (slot + 1) % packet == 0;
        int error;

        if (slot >= integrity->extent_blocks) {
            return restart(volume, lvid);
        }
        lvid->closed = closed && !last;
        error = write_slot(volume, lvid, slot);
        lvid->closed = closed;
        if (error || !closed || !last) {
            return error;
        }
        /* The packet's last sector got an OPEN one; CLOSE goes to the next. */
    }
}

int udf_integrity_write(struct udf_volume *volume, bool closed) {
    struct udf_integrity *integrity = &volume->integrity;
    struct udf_lvid lvid;
    int error;

    snapshot(volume, closed, &lvid);
    lvid.next = (struct udf_extent_ad){0};
    integrity->sent = lvid.recorded;
    error = integrity->append ? append(volume, &lvid)
                              : write_slot(volume, &lvid, integrity->slot);
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
