/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/mount.h - steps of mounting that have files of their own.
 */
#ifndef UDF_MOUNT_H
#define UDF_MOUNT_H

#include "udf/desc.h"

struct udf_volume;

/* Loads the sparing table of map `part`: the valid copy with the highest
 * sequence number. Returns 0; -EUCLEAN when no copy is valid; -EIO.
 * UDF 2.60 2.2.12. */
int udf_sparing_load(struct udf_volume *volume, uint16_t part,
                     const struct udf_lvd_map *map);

/* After an unclean unmount: walks the tree and brings the counts of names and
 * the next UniqueID up to date in memory, and takes blocks that are in use but
 * marked free. Returns 0 (damaged parts are passed over) or -ENOMEM, -ENODEV,
 * -ENOMEDIUM. */
int udf_rebuild(struct udf_volume *volume);

#endif
