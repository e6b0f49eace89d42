/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/anchors.c - see udf/anchors.h.
 */
#include "udf/anchors.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/format.h"
#include "udf/io.h"
#include "udf/volume.h"

enum { ANCHOR_LBA = 256, LATE_ANCHORS = 2 };

static bool same_extent(const struct udf_extent_ad *a,
                        const struct udf_extent_ad *b) {
    return a->lba == b->lba && a->bytes == b->bytes;
}

/* Whether the anchor at `lba` says what it should. Errors of the block itself
 * mean that it does not. */
static int is_there(struct udf_volume *volume, uint32_t lba,
                    const struct udf_avdp *wanted, bool *out_there) {
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_avdp avdp;
    int error = udf_io_load(volume, lba, 1, block);

    if (error == -ENODEV || error == -ENOMEDIUM || error == -ENOMEM) {
        return error;
    }
    *out_there = !error && udf_decode_avdp(block, lba, &avdp) == 0 &&
                 same_extent(&avdp.main, &wanted->main) &&
                 same_extent(&avdp.reserve, &wanted->reserve);
    return 0;
}

/* Writes the packet of an anchor, which holds nothing else. */
static int put(struct udf_volume *volume, uint32_t lba,
               const struct udf_avdp *avdp) {
    static const uint8_t zeros[UDF_BLOCK_BYTES];
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t end = volume->dev->geometry.blocks;
    uint8_t block[UDF_BLOCK_BYTES];
    int error = 0;

    udf_encode_avdp(avdp, &volume->identity.style, lba, block);
    for (uint32_t at = lba / packet * packet;
         !error && at < lba / packet * packet + packet && at < end; at++) {
        error = blockdev_write(volume->dev, at, 1, at == lba ? block : zeros);
    }
    return error;
}

/* Whether our own layout put everything but these anchors into the head. */
static bool is_head_only(const struct udf_volume *volume,
                         const struct udf_avdp *avdp) {
    const struct udf_partmap *map = &volume->maps.map[0];
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t middle = volume->dev->geometry.blocks - 1 - ANCHOR_LBA;

    return avdp->reserve.lba < ANCHOR_LBA &&
           (uint64_t)map->start_lba + map->blocks <= middle / packet * packet;
}

/* Writes those that are missing. */
static int add(struct udf_volume *volume, const struct udf_avdp *avdp,
               const uint32_t places[LATE_ANCHORS]) {
    int error = 0;

    for (unsigned i = 0; !error && i < LATE_ANCHORS; i++) {
        bool there = false;

        error = is_there(volume, places[i], avdp, &there);
        if (!error && !there) {
            mmc_log(MMC_LOG_INFO, "adding the anchor at block %u", places[i]);
            error = put(volume, places[i], avdp);
        }
    }
    return error ? error : blockdev_sync(volume->dev);
}

/* A packet that failed would keep the volume from being closed. */
static void forget(struct udf_volume *volume,
                   const uint32_t places[LATE_ANCHORS]) {
    uint32_t packet = volume->dev->geometry.packet_blocks;

    for (unsigned i = 0; i < LATE_ANCHORS; i++) {
        blockdev_discard(volume->dev, places[i] / packet * packet, packet);
    }
}

int udf_anchors_complete(struct udf_volume *volume) {
    const struct blockdev_geometry *geometry = &volume->dev->geometry;
    const uint32_t places[LATE_ANCHORS] = {geometry->blocks - 1 - ANCHOR_LBA,
                                           geometry->blocks - 1};
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_avdp avdp;
    int error;

    if (geometry->part_formatted || geometry->session_start != 0 ||
        volume->journal.reserved.packets == 0 ||
        volume->integrity.last_anchor == geometry->blocks - 1) {
        return 0;
    }
    error = udf_io_load(volume, ANCHOR_LBA, 1, block);
    if (error || udf_decode_avdp(block, ANCHOR_LBA, &avdp)) {
        return error == -EIO ? 0 : error;
    }
    if (is_head_only(volume, &avdp)) {
        error = add(volume, &avdp, places);
    }
    if (error) {
        forget(volume, places);
    } else {
        volume->integrity.last_anchor = geometry->blocks - 1;
    }
    return error;
}

int udf_format_finish(struct blockdev *dev) {
    struct udf_mount_options options = {0};
    struct udf_volume *volume = NULL;
    int error = udf_mount(dev, &options, &volume);
    int closed;

    if (error) {
        return error;
    }
    error = udf_volume_writable(volume);
    if (!error) {
        uint32_t known = volume->integrity.last_anchor;

        error = udf_anchors_complete(volume);
        volume->integrity.touched |= volume->integrity.last_anchor != known;
    }
    closed = udf_unmount(volume);
    return error ? error : closed;
}
