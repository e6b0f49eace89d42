/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/cut_disc.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/disc.h"
#include "test/support/cut_drive.h"
#include "test/support/cut_tree.h"
#include "udf/check.h"
#include "udf/format.h"
#include "udf/udf.h"

enum { DISC_BLOCKS = 5120, DIRTY_BYTES = 256 << 10 };

/* A kind of disc: a word of mmc_media_word(), and whether mkudffs makes the
 * volume, as for which of its own media types. */
struct kind {
    const char *name, *media_word, *mkudffs_type;
};

static const struct kind kinds[] = {
    {"cdrw", "cdrw", NULL},
    {"dvdrw", "dvd-rw", NULL},
    {"dvdplusrw", "dvd+rw", NULL},
    {"bdre", "bd-re", NULL},
    {"cdrw-mkudffs", "cdrw", "cdrw"},
    {"dvdrw-mkudffs", "dvd-rw", "dvdrw"},
    {"dvdplusrw-mkudffs", "dvd+rw", "dvdram"},
    {"bdre-mkudffs", "bd-re", "hd"},
};

/* ---- Discs --------------------------------------------------------------- */

static void run_mkudffs(const char *type, const char *image, uint32_t blocks) {
    extern char **environ;
    char medium[48], size[16];
    char *arguments[] = {"mkudffs",
                         "--new-file",
                         "--blocksize=2048",
                         medium,
                         "--udfrev=2.01",
                         (char *)image,
                         size,
                         NULL};
    posix_spawn_file_actions_t actions;
    int status = -1;
    pid_t child;

    snprintf(medium, sizeof(medium), "--media-type=%s", type);
    snprintf(size, sizeof(size), "%u", blocks);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
                                     O_WRONLY, 0);
    if (posix_spawnp(&child, arguments[0], &actions, NULL, arguments,
                     environ) == 0) {
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(status, 0);
}

static void format_volume(struct cut_drive *drive) {
    struct udf_format_options options = {.label = "cut", .seed = 7};
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = cut_drive_open(drive);

    assert_non_null(disc);
    assert_int_equal(mmc_disc_attach(disc, true, &dev), 0);
    assert_int_equal(udf_format(dev, &options), 0);
    assert_int_equal(mmc_disc_close(disc), 0);
}

const char *cut_disc_name(size_t i) {
    return i < sizeof(kinds) / sizeof(kinds[0]) ? kinds[i].name : NULL;
}

static const struct kind *kind_of(const char *name) {
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

void cut_disc_make(struct cut_disc *disc, const char *name) {
    const struct kind *kind = kind_of(name);
    char image[128];

    assert_non_null(kind);
    disc->name = kind->name;
    disc->drive = cut_drive_new(kind->media_word, DISC_BLOCKS);
    if (!kind->mkudffs_type) {
        format_volume(disc->drive);
    } else {
        snprintf(image, sizeof(image), "%s.image", disc->drive->path);
        run_mkudffs(kind->mkudffs_type, image, disc->drive->blocks);
        cut_drive_import(disc->drive, image);
        assert_int_equal(unlink(image), 0);
    }
    disc->empty = cut_drive_save(disc->drive);
}

void cut_disc_free(struct cut_disc *disc) {
    free(disc->empty);
    cut_drive_free(disc->drive);
}

/* ---- Sessions ------------------------------------------------------------ */

int cut_session_open(struct cut_session *session, struct cut_drive *drive) {
    struct udf_mount_options options = {.dirty_bytes = DIRTY_BYTES,
                                        .commit_ms = UINT32_MAX,
                                        .no_journal = drive->no_journal};
    int error;

    *session = (struct cut_session){.disc = cut_drive_open(drive)};
    assert_non_null(session->disc);
    assert_int_equal(mmc_disc_attach(session->disc, true, &session->dev), 0);
    error = udf_mount(session->dev, &options, &session->volume);
    if (error) {
        assert_int_equal(mmc_disc_close(session->disc), 0);
    }
    return error;
}

int cut_session_close(struct cut_session *session) {
    int error = udf_unmount(session->volume);
    int close_error = mmc_disc_close(session->disc);

    return error ? error : close_error;
}

static void keep_fault(void *context, const char *fault) {
    char *text = context;

    if (!*text) {
        snprintf(text, CUT_TEXT_BYTES, "the checker says: %s", fault);
    }
}

bool cut_disc_is_clean(struct cut_drive *drive, char *text) {
    struct udf_check_options options = {0};
    struct udf_check_result result = {0};
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = cut_drive_open(drive);
    int error;

    assert_non_null(disc);
    assert_int_equal(mmc_disc_attach(disc, false, &dev), 0);
    *text = 0;
    error = udf_check(dev, &options, keep_fault, text, &result);
    assert_int_equal(mmc_disc_close(disc), 0);
    if (error) {
        snprintf(text, CUT_TEXT_BYTES, "the checker fails: %s",
                 strerror(-error));
    }
    return !error && result.faults == 0;
}

int cut_volume_change(struct udf_volume *volume) {
    struct udf_name name = {CUT_AFTER_NAME, sizeof(CUT_AFTER_NAME) - 1};
    struct udf_make make = {.mode = S_IFREG | 0644};
    struct udf_cred cred = {0};
    struct udf_stat stat;
    char data[5000];
    int error = udf_lookup(volume, UDF_ROOT_INO, &name, &stat);

    memset(data, 'a', sizeof(data));
    if (error == -ENOENT) {
        error = udf_create(volume, UDF_ROOT_INO, &name, &make, &cred, &stat);
    }
    if (!error) {
        error = udf_write(volume, stat.ino, 0, sizeof(data), data);
        udf_forget(volume, stat.ino, 1);
    }
    return error == -ENOSPC ? 0 : error;
}
