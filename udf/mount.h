/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/mount.h - steps of mounting that have files of their own.
 */
#ifndef UDF_MOUNT_H
#define UDF_MOUNT_H

struct udf_volume;

/* After an unclean unmount: walks the tree and brings the counts of names and
 * the next UniqueID up to date in memory, and takes blocks that are in use but
 * marked free. Returns 0 (damaged parts are passed over) or -ENOMEM, -ENODEV,
 * -ENOMEDIUM. */
int udf_rebuild(struct udf_volume *volume);

#endif
