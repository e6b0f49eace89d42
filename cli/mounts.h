/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/mounts.h - paths and the table of mounts.
 */
#ifndef CLI_MOUNTS_H
#define CLI_MOUNTS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* Makes `path` absolute and free of links. Works on a dead FUSE mount too,
 * which nothing can be asked about. Returns 0 or a negative errno. */
int cli_real_path(const char *path, char out_path[PATH_MAX]);

/* Whether process `pid` (0 = this one) sees a udfpkt mount at `mountpoint`, of
 * `device` unless that is NULL. Returns 1 or 0; a negative errno when its mount
 * table cannot be read. */
int cli_is_mounted(pid_t pid, const char *mountpoint, const char *device);

/* Where udfpkt-mount's file system of `device`, named as there, is mounted;
 * false when it is nowhere. */
bool cli_find_own_mount(const char *device, char out_mountpoint[PATH_MAX]);

/* The device of the file system of udfpkt-mount that is mounted at `path`;
 * false when none is. */
bool cli_find_own_device(const char *path, char out_device[PATH_MAX]);

/* Finds where a file system on the block device `device` is mounted, by
 * whomever. Returns false when it is not, or is no block device. */
bool cli_find_mount_of(const char *device, char out_mountpoint[PATH_MAX]);

#endif
