/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/filedev.h - a block device on a plain image file, or on a block device
 * that is no optical drive. There is no cache: the kernel has one, and what it
 * holds is what is in memory. Where the file's own file system does not tell
 * (RWF_NOWAIT of preadv2(2)), everything counts as in memory, and reading may
 * wait for the disk. Writing goes to the kernel at once; make_room has it begin
 * to write that to the disk.
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
