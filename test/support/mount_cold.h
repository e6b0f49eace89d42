/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/mount_cold.h - mounting a memory device as after a start of the
 * drive.
 */
#ifndef TEST_MOUNT_COLD_H
#define TEST_MOUNT_COLD_H

#include "udf/udf.h"

struct memdev;

/* Mounts what is on the medium of `mem`: what was only in its cache is lost,
 * and nothing is in memory before it is fetched. Must succeed. */
struct udf_volume *mount_cold(struct memdev *mem,
                              const struct udf_mount_options *options);

#endif
