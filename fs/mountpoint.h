/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/mountpoint.h - where a file system can be mounted, and unmounting by
 * path. Used by fs/session and by the commands.
 */
#ifndef FS_MOUNTPOINT_H
#define FS_MOUNTPOINT_H

#include <stdbool.h>

/* Whether this process may mount at `path`. Returns 0; -ENOENT; -ENOTDIR;
 * -EACCES when the directory is not the user's to mount on; -ENOTCONN when a
 * FUSE mount without its daemon is there; other errors of stat(2). */
int fs_mountpoint_check(const char *path);

/* Whether this process may let other users in: root, or everybody where
 * /etc/fuse.conf has user_allow_other. */
bool fs_mountpoint_allow_other_possible(void);

/* Unmounts what is mounted at `path`, as root by the kernel, as a user through
 * fusermount3. Waits for the kernel, not for the daemon behind the mount.
 * Returns 0; -EBUSY when files are open on it; -EPERM; -EINVAL when nothing is
 * mounted there; -ENOENT when fusermount3 is not installed; -EIO for another
 * failure of it. */
int fs_mountpoint_unmount(const char *path);

#endif
