/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/overlay.h - blocks whose newest content is not at home on the disc yet.
 * Pure.
 *
 * A volume has two: what the open transaction has made (udf/pending.h), and
 * what is committed, by the journal, and waits for a checkpoint. Whoever reads
 * a block finds it in one of them first.
 *
 * Locks: put and clear need the volume lock alone, find needs it shared; the
 * committing thread, the only one that changes an overlay, may also read it
 * without the lock.
 */
#ifndef UDF_OVERLAY_H
#define UDF_OVERLAY_H

#include <stddef.h>
#include <stdint.h>

#include "udf/desc.h"

/* The order in which classes reach the disc where there is no journal: what
 * points comes after what it points to, and the map of free space last. A
 * directory's entry, which says how long the directory is and where, or holds
 * it, comes after its data. */
enum udf_overlay_class {
    UDF_OVERLAY_DATA,      /* file data that waits for its packet to be full;
                              only with a journal */
    UDF_OVERLAY_MAP,       /* entries of a metadata partition's files: where
                              all else is */
    UDF_OVERLAY_FRESH,     /* directory data and allocation extents where the
                              last commit has nothing */
    UDF_OVERLAY_ENTRY,     /* file entries, new directories' too, allocation
                              extents in their old place */
    UDF_OVERLAY_DIRECTORY, /* directory data in its old place */
    UDF_OVERLAY_DIRECTORY_ENTRY,
    UDF_OVERLAY_SPACE, /* space bitmap */
    UDF_OVERLAY_CLASSES
};

struct udf_overlay_block {
    uint32_t lba;
    enum udf_overlay_class class;
    uint8_t data[UDF_BLOCK_BYTES];
};

struct udf_overlay {
    struct udf_overlay_block **table; /* open addressing, by lba */
    size_t room;                      /* slots, a power of two, or 0 */
    size_t count;
};

/* Puts a copy of `data` at `lba`, in place of an older one. Returns 0 or
 * -ENOMEM. */
int udf_overlay_put(struct udf_overlay *overlay, uint32_t lba,
                    enum udf_overlay_class class, const uint8_t *data);

/* The block at `lba`, or NULL. */
const uint8_t *udf_overlay_find(const struct udf_overlay *overlay,
                                uint32_t lba);

/* Moves every block to `to`, over what is there, and leaves `overlay` empty.
 * Returns 0; -ENOMEM, and nothing has moved. */
int udf_overlay_merge(struct udf_overlay *overlay, struct udf_overlay *to);

/* The same for the blocks of `class`; the others stay. */
int udf_overlay_merge_class(struct udf_overlay *overlay,
                            enum udf_overlay_class class,
                            struct udf_overlay *to);

/* Gives a list of the blocks of `class`, or of all for UDF_OVERLAY_CLASSES,
 * sorted by LBA, that the caller frees (the blocks stay here). Returns 0 or
 * -ENOMEM. */
int udf_overlay_list(const struct udf_overlay *overlay,
                     enum udf_overlay_class class,
                     const struct udf_overlay_block ***out_list,
                     size_t *out_count);

/* Lets `count` blocks from `from` belong `to` other places instead, over what
 * is there. */
void udf_overlay_move(struct udf_overlay *overlay, uint32_t from,
                      uint32_t count, uint32_t to);

/* Forgets `count` blocks from `lba`. */
void udf_overlay_drop(struct udf_overlay *overlay, uint32_t lba,
                      uint32_t count);

/* Forgets everything. */
void udf_overlay_clear(struct udf_overlay *overlay);

#endif
