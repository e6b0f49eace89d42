/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/spaces.h - the free space of a volume's partitions together: which of
 * them gives blocks for file data, which for metadata, and where the disc
 * records it.
 *
 *   volume->space  blocks for file data, of partition placement.data_part
 *   volume->meta   blocks for file entries, directories and allocation
 *                  extents, of partition placement.meta_part: the same as
 *                  volume->space unless there is a metadata partition
 *
 * Other partitions that may be overwritten get back what is freed there. In
 * one that may not, or whose free space cannot be kept up to date, nothing
 * changes: udf_node_fixed(). Only where new objects would have to go there, or
 * the metadata partition lies in it, is the whole volume read-only.
 * Locks: loading is part of mounting; all else needs the volume lock alone.
 */
#ifndef UDF_SPACES_H
#define UDF_SPACES_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"
#include "udf/space.h"
#include "udf/spacemap.h"
#include "udf/spacetable.h"

struct udf_volume;
struct udf_vds;
struct udf_lvid;

struct udf_spaces {
    struct udf_space *of[UDF_PARTMAPS_MAX]; /* NULL: nothing changes there */
    const char *fixed[UDF_PARTMAPS_MAX];    /* why nothing may, or NULL */
    bool some_fixed; /* in a volume that can be written all the same */
    struct udf_spacemap map[UDF_PARTMAPS_MAX];
    struct udf_spacetable table[UDF_PARTMAPS_MAX]; /* or, where present */
};

/* Loads the space of every partition with blocks of its own that may be
 * overwritten; what stands against writing makes the volume read-only. Before
 * anything else in the partition is read: its bitmap comes first on most
 * discs, and going back costs a seek. Returns 0; -ENOMEM, -ENODEV, -ENOMEDIUM.
 * ECMA-167 3/10.5.7, 4/10. */
int udf_spaces_load(struct udf_volume *volume, const struct udf_vds *vds);

/* The same for partitions that stand on others; then decides where data and
 * metadata go. Errors as there. */
int udf_spaces_load_upper(struct udf_volume *volume, const struct udf_vds *vds);
void udf_spaces_free(struct udf_volume *volume);

/* Makes the space of partition `part`, whose first `blocks` blocks are free
 * where `words` (mmc/bits.h) has a bit. Returns 0; -EUCLEAN; -ENOMEM. Called
 * by what reads the disc's record of it. */
int udf_spaces_make(struct udf_volume *volume, uint16_t part, uint32_t blocks,
                    const uint64_t *words);

/* Finds what knows whether the block at `lba` is in use: the space of the
 * partition it lies in, and its number there. A block of a metadata partition,
 * in either copy, belongs to that one and not to the partition below. Returns
 * false when no space knows: beside the partitions, in one that cannot be
 * written, or where a spare has taken a packet's place. Lock held, or the
 * committing thread. */
bool udf_spaces_find(const struct udf_volume *volume, uint32_t lba,
                     const struct udf_space **out_space, uint32_t *out_lbn);

/* Makes sure that `count` blocks of metadata can be taken or reserved, beside
 * what is reserved and kept; a metadata partition grows for it. Returns 0;
 * -ENOSPC; -ENOMEM. */
int udf_spaces_meta_room(struct udf_volume *volume, uint32_t count);

/* Takes one block near `goal` for metadata of partition `part`, from what is
 * kept if need be; a metadata partition grows for it. Returns 0; -ENOSPC;
 * -ENOMEM. */
int udf_spaces_take_block(struct udf_volume *volume, uint16_t part,
                          uint32_t goal, uint32_t *out_lbn);

/* Puts what changed of all bitmaps, and of the files of a metadata partition,
 * into the overlay. Returns 0; -ENOSPC; -ENOMEM. Committing thread. */
int udf_spaces_write(struct udf_volume *volume);

/* udf_space_found(), udf_space_settle(), udf_space_commit() and
 * udf_space_release() of all; what is released holds nothing any more for the
 * device. */
void udf_spaces_found(struct udf_volume *volume);
void udf_spaces_settle(struct udf_volume *volume);
void udf_spaces_commit(struct udf_volume *volume);
void udf_spaces_release(struct udf_volume *volume);

/* Blocks that are held in all of them. */
uint32_t udf_spaces_held(const struct udf_volume *volume);

/* Enters sizes and free blocks of all partitions. UDF 2.60 2.2.6.2. */
void udf_spaces_count(const struct udf_volume *volume, struct udf_lvid *lvid);

#endif
