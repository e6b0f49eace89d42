/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/metadata.h - the metadata partition of UDF 2.50 and above: a file of the
 * physical partition whose blocks are a partition of their own, for everything
 * but file data. UDF 2.60 2.2.10, 2.2.13.
 *
 * Three files belong to it, which no directory names: the metadata file, its
 * mirror, and the bitmap of its free blocks. The mirror's file entry names the
 * same blocks as the main one, or, with the duplicate flag, blocks of its own
 * with the same content. They are kept as nodes, so that their entries are
 * read and written like those of any file.
 *
 * A block that cannot be read in the first copy is read in the second from
 * then on (partmap's `bad`), and both are written anew with the first change.
 * When the partition is full it grows by allocation units of free space.
 *
 * Locks: the volume lock alone, but where said.
 */
#ifndef UDF_METADATA_H
#define UDF_METADATA_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"

struct udf_node;
struct udf_volume;

struct udf_metadata {
    bool present;
    bool duplicate;
    uint16_t part;            /* partition reference */
    uint32_t allocation_unit; /* blocks */
    uint32_t alignment_unit;  /* blocks */
    struct udf_addr main_icb, mirror_icb;
    struct udf_node *main, *mirror; /* NULL: its entry cannot be read */
    struct udf_node *bitmap;        /* NULL: there is none */
    bool mirror_unread;             /* udf_metadata_complete() */
};

/* Loads the files of metadata map `part`, whose partition's own map is known,
 * and fills in the map. Returns 0; -EUCLEAN when neither entry can be read;
 * -ENOMEM, -ENODEV, -ENOMEDIUM. Mounting. */
int udf_metadata_load(struct udf_volume *volume, uint16_t part,
                      const struct udf_lvd_map *raw);

/* Before the first change: reads the mirror's entry where mounting left it out,
 * because it says nothing but what the main one says and is a seek to the end
 * of the disc and another one back. Returns 0, also when it cannot be read;
 * -ENOMEM, -ENODEV, -ENOMEDIUM. Committing thread, without the lock. */
int udf_metadata_complete(struct udf_volume *volume);

/* Why the partition cannot be written, or NULL. */
const char *udf_metadata_read_only(const struct udf_metadata *metadata);

/* Lengthens the partition by `count` blocks or more. Returns 0; -ENOSPC;
 * -ENOMEM. */
int udf_metadata_grow(struct udf_volume *volume, uint32_t count);

/* Puts file entries that changed, or whose copy is lost, into the overlay.
 * Returns 0; -ENOSPC; -ENOMEM. Committing thread. */
int udf_metadata_write(struct udf_volume *volume);

/* Block `addr` turned out to be unreadable or damaged: says whether there is
 * another copy that was not tried yet, to which reading goes from now on. */
bool udf_metadata_doubt(struct udf_volume *volume, struct udf_addr addr);

/* Reading `count` sectors at `lba` failed. Finds out which, and turns to the
 * copies of those that are metadata. Says whether trying again makes sense.
 * Called without the lock. */
bool udf_metadata_avoid(struct udf_volume *volume, uint32_t lba,
                        uint32_t count);

/* Reads the other copy of what cannot be read at `lba`. Returns 0; -ENOENT when
 * there is none; errors of reading. Committing thread, without the lock. */
int udf_metadata_rescue(struct udf_volume *volume, uint32_t lba,
                        uint8_t *block);

/* Moves the allocation units that have blocks in the `count` blocks from `addr`
 * of the physical partition to other space: their packet cannot be written.
 * *io_moved becomes true when the files' entries have to be written then.
 * Returns 0, also when there are none; -ENOSPC; -EBUSY when a block of one
 * cannot be read; -EUCLEAN when one has no place; -ENOMEM; errors of the
 * device. Committing thread, without the lock. */
int udf_metadata_evacuate(struct udf_volume *volume, struct udf_addr addr,
                          uint32_t count, bool *io_moved);

/* Writes blocks that only the mirror has to their first place again. Committing
 * thread, without the lock. Returns 0; -ENOMEM, or an error of writing. */
int udf_metadata_mend(struct udf_volume *volume);

#endif
