/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/file.h - the data of a file: reading, writing into memory, truncating,
 * and giving it a place on the disc.
 *
 * What is written stays in the node's udf_dirty until write-back. Blocks that
 * already have a place are overwritten there; others get theirs only then
 * (delayed allocation), in whole free packets where there is enough data.
 * Content that fits in the ICB lives there and needs no block at all.
 *
 * Space is reserved when a block without a place is written, so that
 * write-back finds room for everything that was accepted.
 *
 * Times are not changed here: with the kernel's write-back cache only the
 * kernel knows when a write happened.
 */
#ifndef UDF_FILE_H
#define UDF_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/node.h"
#include "udf/op.h"
#include "udf/udf.h"

/* As udf_read(). Shared lock. May return UDF_MISS. */
int udf_file_read(struct udf_op *op, const struct udf_node *node,
                  uint64_t offset, uint32_t count, void *buf,
                  uint32_t *out_count);

/* As udf_write(); a gap before `offset` reads as zeros. Lock alone. May return
 * UDF_MISS, having changed nothing. -EFBIG beyond 2^50 bytes. */
int udf_file_write(struct udf_op *op, struct udf_node *node, uint64_t offset,
                   uint32_t count, const void *buf);

/* Cuts or lengthens (with zeros) to `size` bytes; frees what was allocated
 * behind that. As udf_file_write(). */
int udf_file_resize(struct udf_op *op, struct udf_node *node, uint64_t size);

/* Makes sure that `bytes` bytes of the ICB's room can be used for something
 * else: content that would not fit any more moves out. For anything but
 * directories (udf_dir_make_room()). Lock alone. Returns 0; -ENOSPC; -ENOMEM.
 */
int udf_file_make_room(struct udf_volume *volume, struct udf_node *node,
                       uint32_t bytes);

/* As udf_change_range(); otherwise as udf_file_write(). */
int udf_file_change_range(struct udf_op *op, struct udf_node *node,
                          const struct udf_range *range);

/* As udf_seek(). Shared lock. */
int udf_file_seek(const struct udf_node *node, uint64_t offset,
                  enum udf_seek what, uint64_t *out_offset);

/* Gives back what udf_file_change_range() allocated behind the end, when
 * nobody uses the file any more (UDF 2.60 2.3.10 wants it so). Lock alone. */
void udf_file_release_tail(struct udf_volume *volume, struct udf_node *node);

enum udf_writeback {
    UDF_WRITEBACK_PACKETS, /* only what fills whole packets */
    UDF_WRITEBACK_ALL
};

/* Gives dirty blocks their place and hands them to the device, at most about
 * `max_blocks` of them; *out_blocks says how many. Lock alone, committing
 * thread. Returns 0; -ENOSPC when reserved space is missing all the same;
 * -ENOMEM. */
int udf_file_write_back(struct udf_volume *volume, struct udf_node *node,
                        enum udf_writeback mode, uint32_t max_blocks,
                        uint32_t *out_blocks);

/* Makes the list of extents as long as the size, with holes, before the file
 * entry is encoded; what others left behind the end is freed. Returns 0 or
 * -ENOMEM. */
int udf_file_settle(struct udf_volume *volume, struct udf_node *node);

#endif
