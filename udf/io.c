/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/io.c - see udf/io.h.
 */
#include "udf/io.h"

#include <errno.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "udf/tombstone.h"
#include "udf/volume.h"

/* Blocks that are read behind a structure at most: structures lie together, but
 * there are few of them. */
enum { LOAD_AHEAD = 64 };

/* -ENOENT of the maps means a hole where none may be: a broken volume. */
static int locate(struct udf_volume *volume, struct udf_addr addr,
                  uint32_t count, uint32_t *out_lba, uint32_t *out_run) {
    int error = udf_partmap_lba(&volume->maps, addr, count, out_lba, out_run);

    return error == -ENOENT ? -EUCLEAN : error;
}

/* Blocks from `lba` on, up to `max`, whose newest content is at home. */
static uint32_t at_home(const struct udf_volume *volume, uint32_t lba,
                        uint32_t max) {
    uint32_t count = 0;

    while (count < max && !udf_pending_find(volume, lba + count)) {
        count++;
    }
    return count;
}

/* Reads a run that is contiguous on the device. What is not at home need not be
 * readable there, and is not asked for. */
static int read_run(struct udf_op *op, uint32_t lba, uint32_t count,
                    uint8_t *buf) {
    struct udf_volume *volume = op->volume;
    bool waiting = volume->overlay.count + volume->pending.blocks.count > 0;

    while (count > 0) {
        uint32_t run = waiting ? at_home(volume, lba, count) : count;
        int error = 0;

        if (run > 0) {
            error = blockdev_read_cached(volume->dev, lba, run, buf);
        } else {
            memcpy(buf, udf_pending_find(volume, lba), UDF_BLOCK_BYTES);
            run = 1;
        }
        if (error) {
            return error == UDF_MISS ? udf_op_miss(op, lba, run) : error;
        }
        lba += run;
        count -= run;
        buf += (size_t)run * UDF_BLOCK_BYTES;
    }
    return 0;
}

static bool has_tombstone(const struct udf_volume *volume, uint32_t count,
                          const uint8_t *blocks) {
    for (uint32_t i = 0; i < count; i++) {
        if (udf_tombstone_is(volume->identity.volume_set_id,
                             blocks + (size_t)i * UDF_BLOCK_BYTES)) {
            return true;
        }
    }
    return false;
}

int udf_io_read(struct udf_op *op, struct udf_addr addr, uint32_t count,
                void *buf) {
    uint8_t *out = buf;

    while (count > 0) {
        uint32_t lba, run;
        int error = locate(op->volume, addr, count, &lba, &run);

        if (!error) {
            error = read_run(op, lba, run, out);
        }
        if (!error && has_tombstone(op->volume, run, out)) {
            error = -EIO;
        }
        if (error) {
            return error == -ERANGE ? -EUCLEAN : error;
        }
        addr.lbn += run;
        count -= run;
        out += (size_t)run * UDF_BLOCK_BYTES;
    }
    return 0;
}

static int load_home(struct udf_volume *volume, uint32_t lba, uint32_t count,
                     void *buf) {
    for (;;) {
        int error = blockdev_read_cached(volume->dev, lba, count, buf);

        if (error != UDF_MISS) {
            return error;
        }
        error = blockdev_fetch_within(volume->dev, lba, count, LOAD_AHEAD);
        if (error) {
            return error;
        }
    }
}

int udf_io_load_home(struct udf_volume *volume, uint32_t lba, void *buf) {
    return load_home(volume, lba, 1, buf);
}

int udf_io_load(struct udf_volume *volume, uint32_t lba, uint32_t count,
                void *buf) {
    int error = 0;

    if (volume->overlay.count == 0) {
        return load_home(volume, lba, count, buf);
    }
    for (uint32_t i = 0; !error && i < count; i++) {
        const uint8_t *block = udf_overlay_find(&volume->overlay, lba + i);
        uint8_t *out = (uint8_t *)buf + (size_t)i * UDF_BLOCK_BYTES;

        if (block) {
            memcpy(out, block, UDF_BLOCK_BYTES);
        } else {
            error = load_home(volume, lba + i, 1, out);
        }
    }
    return error;
}

int udf_io_load_at(struct udf_volume *volume, struct udf_addr addr, void *buf) {
    uint32_t lba, run;
    int error = locate(volume, addr, 1, &lba, &run);

    if (!error) {
        error = udf_io_load(volume, lba, 1, buf);
    }
    if (error == -EIO && udf_metadata_doubt(volume, addr)) {
        error = locate(volume, addr, 1, &lba, &run);
        error = error ? error : udf_io_load(volume, lba, 1, buf);
    }
    return error == -ERANGE ? -EUCLEAN : error;
}

void udf_io_prefetch(struct udf_volume *volume, struct udf_addr addr,
                     uint32_t count) {
    uint32_t lba, run;

    if (locate(volume, addr, count, &lba, &run) == 0) {
        (void)blockdev_fetch(volume->dev, lba, run);
    }
}

int udf_io_write_data(struct udf_volume *volume, struct udf_addr addr,
                      uint32_t count, const void *buf) {
    const uint8_t *in = buf;

    while (count > 0) {
        uint32_t lba, run;
        int error = locate(volume, addr, count, &lba, &run);

        if (!error) {
            error = udf_pending_put_data(volume, lba, run, in);
        }
        if (error) {
            return error;
        }
        addr.lbn += run;
        count -= run;
        in += (size_t)run * UDF_BLOCK_BYTES;
    }
    return 0;
}

int udf_io_write_meta(struct udf_volume *volume, struct udf_addr addr,
                      enum udf_overlay_class class, const uint8_t *block) {
    uint32_t lba[2], copies;
    int error = udf_partmap_copies(&volume->maps, addr, lba, &copies);

    for (uint32_t i = 0; !error && i < copies; i++) {
        error = udf_pending_put(volume, lba[i], class, block);
    }
    if (!error && copies > 1 && volume->maps.map[addr.part].bad) {
        /* Both copies are on their way. */
        mmc_bits_clear(volume->maps.map[addr.part].bad, addr.lbn);
    }
    return error == -ENOENT ? -EUCLEAN : error;
}

/* Blocks with two copies, which are metadata's: one at a time will do. */
static void mark_copies(struct udf_volume *volume, struct udf_addr addr,
                        uint32_t count, bool in_use) {
    uint32_t lba[2], copies;

    for (; count > 0 &&
           udf_partmap_copies(&volume->maps, addr, lba, &copies) == 0;
         count--, addr.lbn++) {
        for (uint32_t i = 0; i < copies; i++) {
            blockdev_mark(volume->dev, lba[i], 1, in_use);
        }
    }
}

static void mark(struct udf_volume *volume, struct udf_addr addr,
                 uint32_t count, bool in_use) {
    if (volume->maps.map[addr.part].mirror.count > 0) {
        mark_copies(volume, addr, count, in_use);
        return;
    }
    while (count > 0) {
        uint32_t lba, run;

        if (locate(volume, addr, count, &lba, &run)) {
            return; /* never written either */
        }
        blockdev_mark(volume->dev, lba, run, in_use);
        addr.lbn += run;
        count -= run;
    }
}

void udf_io_unused(struct udf_volume *volume, struct udf_addr addr,
                   uint32_t count) {
    mark(volume, addr, count, false);
}

void udf_io_used(struct udf_volume *volume, struct udf_addr addr,
                 uint32_t count) {
    mark(volume, addr, count, true);
}
