/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/certify.c - reads every free packet of a new volume, and takes those out
 * of use that cannot be read. See udf/format.h.
 *
 * What a full format wrote is zeros, so nothing but being readable is asked.
 * Packets in use were read back when they were written.
 */
#include "udf/format.h"

#include <errno.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/io.h"
#include "udf/volume.h"

/* The part of a packet that lies in the partition. */
struct packet {
    struct udf_addr addr;
    uint32_t count;
};

static bool is_free(const struct udf_volume *volume,
                    const struct packet *packet) {
    uint64_t end = (uint64_t)packet->addr.lbn + packet->count;

    return mmc_bits_next_clear(udf_space_map(volume->space), packet->addr.lbn,
                               end) == end;
}

static int withdraw(struct udf_volume *volume, const struct packet *packet) {
    int error = udf_nonalloc_prepare(volume);

    if (error) {
        return error;
    }
    pthread_rwlock_wrlock(&volume->lock);
    udf_space_withdraw(volume->space, packet->addr.lbn, packet->count);
    error = udf_nonalloc_add(volume, packet->addr, packet->count);
    udf_sync_note_change(volume);
    pthread_rwlock_unlock(&volume->lock);
    return error;
}

/* Returns 0 whether it can be read or not. */
static int certify_packet(struct udf_volume *volume,
                          const struct packet *packet) {
    uint32_t lba, run;
    int error =
        udf_partmap_lba(&volume->maps, packet->addr, packet->count, &lba, &run);

    if (!error) {
        error = blockdev_fetch(volume->dev, lba, run);
    }
    if (error != -EIO) {
        return error;
    }
    mmc_log(MMC_LOG_NOTICE, "the packet at sector %u is bad and left out", lba);
    return withdraw(volume, packet);
}

static int certify(struct udf_volume *volume, udf_certify_progress *progress,
                   void *context) {
    const struct udf_partmap *map =
        &volume->maps.map[volume->placement.data_part];
    uint32_t length = volume->dev->geometry.packet_blocks;
    struct packet packet = {.addr.part = volume->placement.data_part};
    int error = 0;

    while (!error && packet.addr.lbn < map->blocks) {
        uint32_t skip = (map->start_lba + packet.addr.lbn) % length;

        packet.count = length - skip;
        if (packet.count > map->blocks - packet.addr.lbn) {
            packet.count = map->blocks - packet.addr.lbn;
        }
        if (is_free(volume, &packet)) {
            error = certify_packet(volume, &packet);
        }
        packet.addr.lbn += packet.count;
        if (!error && !progress(context, (unsigned)((uint64_t)packet.addr.lbn *
                                                    1000 / map->blocks))) {
            error = -EINTR;
        }
    }
    return error;
}

int udf_certify(struct blockdev *dev, udf_certify_progress *progress,
                void *context) {
    struct udf_mount_options options = {0};
    struct udf_volume *volume;
    int error = udf_mount(dev, &options, &volume);
    int close_error;

    if (error) {
        return error;
    }
    if (volume->space) {
        error = certify(volume, progress, context);
    }
    close_error = udf_unmount(volume);
    return error ? error : close_error;
}
