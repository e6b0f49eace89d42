/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/mount_rig.h - a volume on a virtual disc, mounted through FUSE
 * and served by a thread of the test's own process, so that sanitizers see
 * both sides. Failures that are not the test's subject end the test.
 */
#ifndef TEST_MOUNT_RIG_H
#define TEST_MOUNT_RIG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "fs/session.h"
#include "udf/format.h"

struct blockdev;
struct mmc_disc;
struct udf_volume;

/* The disc of a rig, and how it is mounted. 0 takes what is usual. */
struct mount_rig_disc {
    const char *media; /* a word of mmc_media_word() */
    uint64_t bytes;    /* size of the medium */
    uint16_t revision; /* BCD */
    enum udf_map_choice map;
    uint64_t dirty_bytes; /* struct udf_mount_options */
    bool no_journal;
};

struct mount_rig {
    struct mount_rig_disc kind;
    char folder[64];
    char image[96];
    char mnt[96]; /* where it is mounted */
    enum fs_atime atime;
    bool read_only;
    struct mmc_disc *disc;
    struct blockdev *dev;
    struct udf_volume *volume;
    struct fs_session *session; /* NULL = not mounted */
    pthread_t server;
    int served; /* what fs_session_run() returned */
};

/* Whether this machine can mount FUSE file systems at all. */
bool mount_rig_possible(void);

/* A rig with a new, empty, mounted volume (not mounted where that is not
 * possible), and its end, where the checker proves what is left of it. */
struct mount_rig *mount_rig_new(const struct mount_rig_disc *kind);
void mount_rig_free(struct mount_rig *rig);

/* The same as cmocka's setup and teardown of one test: *state is a rig with a
 * small CD-RW. */
int mount_rig_setup(void **state);
int mount_rig_teardown(void **state);

/* Unmounts as fusermount would, or by fs_session_leave(); then everything is
 * closed without error. */
void mount_rig_unmount(struct mount_rig *rig);
void mount_rig_leave(struct mount_rig *rig);

/* Mounts again, as `rig` says now. */
void mount_rig_mount(struct mount_rig *rig);

/* Unmounts and mounts: nothing in memory is the same any more. */
void mount_rig_remount(struct mount_rig *rig);

/* Runs udf_check() on the volume, which is not mounted: no fault. */
void mount_rig_check(struct mount_rig *rig);

/* The path of `name` in the mounted volume. The text is good until the eighth
 * call after this one of the same thread. */
const char *mount_rig_path(struct mount_rig *rig, const char *name);

/* Packets written so far since the volume was mounted. */
uint64_t mount_rig_packets(struct mount_rig *rig);

#endif
