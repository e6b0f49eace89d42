/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/mounts.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* realpath() of the directory that `path` is in, and its last component. */
static int real_parent(const char *path, char out_path[PATH_MAX]) {
    char copy[PATH_MAX];
    char folder[PATH_MAX];

    if (snprintf(copy, sizeof copy, "%s", path) >= PATH_MAX) {
        return -ENAMETOOLONG;
    }
    for (size_t end = strlen(copy); end > 1 && copy[end - 1] == '/'; end--) {
        copy[end - 1] = '\0';
    }
    char *slash = strrchr(copy, '/');
    const char *last = slash ? slash + 1 : copy;
    const char *parent = !slash ? "." : slash == copy ? "/" : copy;

    if (slash) {
        *slash = '\0';
    }
    if (!realpath(parent, folder)) {
        return -errno;
    }
    int used = snprintf(out_path, PATH_MAX, "%s/%s",
                        strcmp(folder, "/") == 0 ? "" : folder, last);

    return used < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int cli_real_path(const char *path, char out_path[PATH_MAX]) {
    char real[PATH_MAX];

    if (realpath(path, real)) {
        memcpy(out_path, real, strlen(real) + 1);
        return 0;
    }
    /* A mount whose daemon is dead, or one of another user: the last
     * component cannot be looked at, but its directory can. */
    if (errno == ENOTCONN || errno == EACCES || errno == EIO) {
        return real_parent(path, out_path);
    }
    return -errno;
}

int cli_is_mounted(pid_t pid, const char *mountpoint, const char *device) {
    char path[64] = "/proc/self/mounts";
    char strings[4 * PATH_MAX];
    struct mntent entry;
    int found = 0;

    if (pid != 0) {
        snprintf(path, sizeof path, "/proc/%ld/mounts", (long)pid);
    }
    FILE *mounts = setmntent(path, "re");

    if (!mounts) {
        return -errno;
    }
    while (getmntent_r(mounts, &entry, strings, sizeof strings)) {
        if (strcmp(entry.mnt_dir, mountpoint) == 0) {
            /* The last one covers those before it. */
            found = strcmp(entry.mnt_type, "fuse.udfpkt") == 0 &&
                    (!device || strcmp(entry.mnt_fsname, device) == 0);
        }
    }
    endmntent(mounts);
    return found;
}

/* The last of our mounts on `mountpoint` or of `device`, whichever is not NULL:
 * what the kernel calls the other one. */
static bool find_own(const char *mountpoint, const char *device,
                     char out_other[PATH_MAX]) {
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    char strings[4 * PATH_MAX];
    struct mntent entry;
    bool found = false;

    while (mounts && getmntent_r(mounts, &entry, strings, sizeof strings)) {
        bool same = mountpoint ? strcmp(entry.mnt_dir, mountpoint) == 0
                               : strcmp(entry.mnt_fsname, device) == 0;

        if (same && strcmp(entry.mnt_type, "fuse.udfpkt") == 0) {
            snprintf(out_other, PATH_MAX, "%s",
                     mountpoint ? entry.mnt_fsname : entry.mnt_dir);
            found = true;
        }
    }
    if (mounts) {
        endmntent(mounts);
    }
    return found;
}

bool cli_find_own_mount(const char *device, char out_mountpoint[PATH_MAX]) {
    return find_own(NULL, device, out_mountpoint);
}

bool cli_find_own_device(const char *path, char out_device[PATH_MAX]) {
    char real[PATH_MAX];

    return cli_real_path(path, real) == 0 && find_own(real, NULL, out_device);
}

/* By number: the same drive has several names. */
static bool is_device(const char *name, dev_t number) {
    struct stat status;

    return name[0] == '/' && stat(name, &status) == 0 &&
           S_ISBLK(status.st_mode) && status.st_rdev == number;
}

bool cli_find_mount_of(const char *device, char out_mountpoint[PATH_MAX]) {
    char strings[4 * PATH_MAX];
    struct mntent entry;
    struct stat status;
    bool found = false;

    if (stat(device, &status) != 0 || !S_ISBLK(status.st_mode)) {
        return false;
    }
    FILE *mounts = setmntent("/proc/self/mounts", "re");

    while (mounts && !found &&
           getmntent_r(mounts, &entry, strings, sizeof strings)) {
        found =
            is_device(entry.mnt_fsname, status.st_rdev) &&
            snprintf(out_mountpoint, PATH_MAX, "%s", entry.mnt_dir) < PATH_MAX;
    }
    if (mounts) {
        endmntent(mounts);
    }
    return found;
}
