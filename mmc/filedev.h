/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/filedev.h - a block device on a plain image file, or on a block device
 * that is no optical drive. There is no cache: the kernel has one. Nothing
 * here waits for a drive, so read_cached reads and write writes.
 */
#ifndef MMC_FILEDEV_H
#define MMC_FILEDEV_H

#include <stdbool.h>

struct blockdev;

/* Opens the regular file or block device `path` and keeps it to itself:
 * writers exclude everybody, readers exclude writers. Returns 0; errors of
 * open(2); -EBUSY when another process holds it; -EINVAL when it is neither a
 * file nor a block device, or shorter than one block; -ENOMEM. */
int mmc_filedev_open(const char *path, bool writable,
                     struct blockdev **out_dev);

/* Closes without synchronising; NULL is accepted. */
void mmc_filedev_close(struct blockdev *dev);

#endif
