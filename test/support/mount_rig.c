/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/mount_rig.h"
#include "test/support/prove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/disc.h"
#include "udf/udf.h"

enum { PATHS = 8, PATH_BYTES = 1400 };

bool mount_rig_possible(void) {
    return access("/dev/fuse", R_OK | W_OK) == 0 && geteuid() == 0;
}

static void *serve(void *argument) {
    struct mount_rig *rig = argument;

    rig->served = fs_session_run(rig->session);
    return NULL;
}

static void attach(struct mount_rig *rig) {
    struct mmc_disc_options options = {.read_only = rig->read_only};

    assert_int_equal(mmc_disc_open(rig->image, &options, &rig->disc), 0);
    assert_int_equal(mmc_disc_attach(rig->disc, !rig->read_only, &rig->dev), 0);
}

void mount_rig_mount(struct mount_rig *rig) {
    struct udf_mount_options udf = {.read_only = rig->read_only,
                                    .no_journal = rig->kind.no_journal,
                                    .dirty_bytes = rig->kind.dirty_bytes};
    struct fs_session_options options = {
        .source = rig->image,
        .mountpoint = rig->mnt,
        .atime = rig->atime,
        .read_only = rig->read_only,
        .allow_other = true,
    };

    attach(rig);
    options.disc = rig->disc;
    assert_int_equal(udf_mount(rig->dev, &udf, &rig->volume), 0);
    assert_int_equal(fs_session_open(rig->volume, &options, &rig->session), 0);
    assert_int_equal(pthread_create(&rig->server, NULL, serve, rig), 0);
}

static void close_all(struct mount_rig *rig) {
    struct fs_session *session = rig->session;

    pthread_join(rig->server, NULL);
    rig->session = NULL;
    fs_session_close(session);
    int volume_err = udf_unmount(rig->volume);
    int disc_err = mmc_disc_close(rig->disc);

    assert_int_equal(rig->served, 0);
    assert_int_equal(volume_err, 0);
    assert_int_equal(disc_err, 0);
}

void mount_rig_unmount(struct mount_rig *rig) {
    assert_int_equal(fs_mountpoint_unmount(rig->mnt), 0);
    close_all(rig);
}

void mount_rig_leave(struct mount_rig *rig) {
    fs_session_leave(rig->session);
    close_all(rig);
}

void mount_rig_remount(struct mount_rig *rig) {
    mount_rig_unmount(rig);
    mount_rig_mount(rig);
}

static void format(struct mount_rig *rig) {
    struct mmc_disc_make make = {.media_name = rig->kind.media,
                                 .size_bytes = rig->kind.bytes};
    struct mmc_disc_options options = {.read_only = false};
    struct mmc_prepare_options prepare = {.quick = true};
    struct udf_format_options udf = {
        .label = "rig", .revision = rig->kind.revision, .map = rig->kind.map};

    assert_int_equal(mmc_disc_create(rig->image, &make), 0);
    assert_int_equal(mmc_disc_open(rig->image, &options, &rig->disc), 0);
    if (strcmp(rig->kind.media, "image") != 0) {
        assert_int_equal(mmc_disc_prepare(rig->disc, &prepare, NULL, NULL), 0);
    }
    assert_int_equal(mmc_disc_attach(rig->disc, true, &rig->dev), 0);
    assert_int_equal(udf_format(rig->dev, &udf), 0);
    assert_int_equal(mmc_disc_close(rig->disc), 0);
}

struct mount_rig *mount_rig_new(const struct mount_rig_disc *kind) {
    struct mount_rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    rig->kind = *kind;
    snprintf(rig->folder, sizeof rig->folder, "/tmp/udfpkt-rig-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->image, sizeof rig->image, "%s/disc", rig->folder);
    snprintf(rig->mnt, sizeof rig->mnt, "%s/mnt", rig->folder);
    assert_int_equal(mkdir(rig->mnt, 0755), 0);
    if (mount_rig_possible()) {
        format(rig);
        mount_rig_mount(rig);
    }
    return rig;
}

void mount_rig_free(struct mount_rig *rig) {
    char sidecar[sizeof rig->image + 8];

    if (rig->session) {
        mount_rig_leave(rig); /* also when a failed test left files open */
    }
    if (mount_rig_possible()) {
        mount_rig_check(rig);
    }
    snprintf(sidecar, sizeof sidecar, "%s.udfpkt", rig->image);
    unlink(sidecar);
    unlink(rig->image);
    rmdir(rig->mnt);
    rmdir(rig->folder);
    free(rig);
}

int mount_rig_setup(void **state) {
    static const struct mount_rig_disc usual = {.media = "cdrw",
                                                .bytes = 64 << 20};

    *state = mount_rig_new(&usual);
    return 0;
}

int mount_rig_teardown(void **state) {
    mount_rig_free(*state);
    return 0;
}

void mount_rig_check(struct mount_rig *rig) {
    struct mmc_disc_options reading = {.read_only = true};

    assert_int_equal(mmc_disc_open(rig->image, &reading, &rig->disc), 0);
    assert_int_equal(mmc_disc_attach(rig->disc, false, &rig->dev), 0);
    prove_device(rig->dev);
    assert_int_equal(mmc_disc_close(rig->disc), 0);
}

const char *mount_rig_path(struct mount_rig *rig, const char *name) {
    static _Thread_local char paths[PATHS][PATH_BYTES];
    static _Thread_local unsigned next;
    char *path = paths[next++ % PATHS];

    snprintf(path, PATH_BYTES, "%s/%s", rig->mnt, name);
    return path;
}

uint64_t mount_rig_packets(struct mount_rig *rig) {
    struct blockdev_stats stats;

    blockdev_get_stats(rig->dev, &stats);
    return stats.packets_written;
}
