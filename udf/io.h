/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/io.h - the only place in udf/ that reads and writes the block device,
 * together with udf/format and udf/check, which have no volume.
 *
 * Reading goes through what the open transaction has made and what is committed
 * but not at home yet, to the block device; writing is for the committing
 * thread alone.
 */
#ifndef UDF_IO_H
#define UDF_IO_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"
#include "udf/op.h"
#include "udf/overlay.h"

/* Whether an error says something of the drive or of memory, not of the block
 * that was read: trying another copy makes no sense then. */
static inline bool udf_io_is_fatal(int error) {
    return error == -ENODEV || error == -ENOMEDIUM || error == -ENOMEM;
}

/* Reads `count` blocks at `addr` into `buf`. Returns 0; UDF_MISS; -EUCLEAN
 * when an address is beyond its partition or not mapped; -EIO for a block that
 * was lost (udf/tombstone.h). Volume lock held. */
int udf_io_read(struct udf_op *op, struct udf_addr addr, uint32_t count,
                void *buf);

/* Reads blocks, waiting for the drive: for mounting, when there is no lock yet,
 * and for the committing thread, without the lock. Committed blocks come from
 * the overlay. Returns 0; -EIO; -ERANGE beyond the device. */
int udf_io_load(struct udf_volume *volume, uint32_t lba, uint32_t count,
                void *buf);

/* Reads one block as it is at home, past the overlay. As udf_io_load(). */
int udf_io_load_home(struct udf_volume *volume, uint32_t lba, void *buf);

/* udf_io_load() at an address inside a partition, from its copy where the first
 * cannot be read. -EUCLEAN as udf_io_read(). */
int udf_io_load_at(struct udf_volume *volume, struct udf_addr addr, void *buf);

/* Reads `count` blocks at `addr` into memory, as far as they are contiguous:
 * for who is going to load all of them, and knows where they end. Whether that
 * worked shows when they are loaded. */
void udf_io_prefetch(struct udf_volume *volume, struct udf_addr addr,
                     uint32_t count);

/* Hands file data for `addr` over, to the device or to what is pending
 * (udf/pending.h). Returns 0; -EUCLEAN; -ENOMEM. Volume lock held alone, by the
 * committing thread. */
int udf_io_write_data(struct udf_volume *volume, struct udf_addr addr,
                      uint32_t count, const void *buf);

/* The same for one finished metadata block, for each of its copies. */
int udf_io_write_meta(struct udf_volume *volume, struct udf_addr addr,
                      enum udf_overlay_class class, const uint8_t *block);

/* Tells the device that `count` blocks at `addr` hold nothing any more. */
void udf_io_unused(struct udf_volume *volume, struct udf_addr addr,
                   uint32_t count);

/* Tells it that they do: the bitmap was wrong. */
void udf_io_used(struct udf_volume *volume, struct udf_addr addr,
                 uint32_t count);

#endif
