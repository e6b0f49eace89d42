/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/mountpoint.c - fusermount3 checks the same before it mounts, but says so
 * on its own standard error only. Checking first gives an errno to explain;
 * fusermount3 still has the last word.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/session.h"

int fs_mountpoint_check(const char *path) {
    struct stat stat_buf;

    if (stat(path, &stat_buf) != 0) {
        return -errno;
    }
    if (!S_ISDIR(stat_buf.st_mode)) {
        return -ENOTDIR;
    }
    if (geteuid() == 0) {
        return 0;
    }
    /* In a directory like /tmp anybody may write, but only the owner may
     * cover it with a mount. */
    if ((stat_buf.st_mode & S_ISVTX) && stat_buf.st_uid != getuid()) {
        return -EACCES;
    }
    return access(path, W_OK) == 0 ? 0 : -EACCES;
}

int fs_mountpoint_device(const char *path, dev_t *out_device) {
    struct statx status;
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    int err = statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &status) == 0
                  ? 0
                  : -errno;

    close(fd);
    if (!err) {
        *out_device = makedev(status.stx_dev_major, status.stx_dev_minor);
    }
    return err;
}

bool fs_mountpoint_has(dev_t device) {
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t room = 0;
    bool found = false;

    if (!mounts) {
        return true;
    }
    while (!found && getline(&line, &room, mounts) > 0) {
        unsigned major = 0, minor = 0;

        /* Behind the numbers of the mount and of its parent; proc(5). */
        found = sscanf(line, "%*u %*u %u:%u", &major, &minor) == 2 &&
                makedev(major, minor) == device;
    }
    free(line);
    fclose(mounts);
    return found;
}

bool fs_mountpoint_allow_other_possible(void) {
    char line[256];
    char word[sizeof line];
    bool found = false;

    if (geteuid() == 0) {
        return true;
    }
    FILE *conf = fopen("/etc/fuse.conf", "re");

    if (!conf) {
        return false;
    }
    while (!found && fgets(line, sizeof line, conf)) {
        found = sscanf(line, "%255s", word) == 1 &&
                strcmp(word, "user_allow_other") == 0;
    }
    fclose(conf);
    return found;
}

/* Whether the FUSE mount at `path` is this user's. Returns 0; -EPERM; -EINVAL
 * when there is none. fusermount3 tells neither from a mount in use. */
static int check_owner(const char *path) {
    char strings[4 * PATH_MAX];
    struct mntent entry;
    int err = -EINVAL;
    FILE *mounts = setmntent("/proc/self/mounts", "re");

    if (!mounts) {
        return -errno;
    }
    while (getmntent_r(mounts, &entry, strings, sizeof strings)) {
        const char *user = hasmntopt(&entry, "user_id");

        if (strcmp(entry.mnt_dir, path) != 0) {
            continue; /* the last one at `path` counts, it covers the others */
        }
        err = user && strtoul(user + strlen("user_id="), NULL, 10) == getuid()
                  ? 0
                  : -EPERM;
    }
    endmntent(mounts);
    return err;
}

/* Runs "fusermount3 -u -q PATH". It is found on the user's PATH, where libfuse
 * looks for it too: it is installed set-user-ID, no right comes from us. */
static int unmount_as_user(const char *path) {
    char *arguments[] = {(char[]){"fusermount3"}, (char[]){"-u"},
                         (char[]){"-q"},          (char[]){"--"},
                         (char *)(uintptr_t)path, NULL};
    posix_spawn_file_actions_t files;
    pid_t pid;
    int status;
    int err = check_owner(path);

    if (err) {
        return err;
    }
    posix_spawn_file_actions_init(&files);
    /* What it says ("Device or resource busy") is for a person; the exit
     * code, and whether the mount is still there, is all that counts here. */
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
                                     O_WRONLY, 0);
    err = posix_spawnp(&pid, arguments[0], &files, NULL, arguments, environ);

    posix_spawn_file_actions_destroy(&files);
    if (err) {
        return -err;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return 0;
    }
    return WIFEXITED(status) ? -EBUSY : -EIO;
}

int fs_mountpoint_unmount(const char *path) {
    if (geteuid() != 0) {
        return unmount_as_user(path);
    }
    return umount2(path, UMOUNT_NOFOLLOW) == 0 ? 0 : -errno;
}
