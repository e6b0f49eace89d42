/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udfpkt-mount - mounts the UDF volume on a disc and serves it.
 *
 * Order: options and mount point first, so that mistakes there touch no
 * drive; then a child opens disc and volume and mounts, while the command
 * waits to pass its exit code on; then the child serves as a daemon, and at
 * the end closes volume and disc and leaves the result in its record.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/memory.h"
#include "cli/mount_options.h"
#include "cli/mounts.h"
#include "cli/record.h"
#include "cli/wait.h"
#include "fs/session.h"
#include "mmc/disc.h"
#include "mmc/log.h"
#include "udf/udf.h"

/* What is open, in the order of opening. */
struct mount {
    const struct cli_mount_options *options;
    char device[PATH_MAX];
    char mountpoint[PATH_MAX];
    bool read_only;
    struct mmc_disc *disc;
    struct udf_volume *volume;
    struct fs_session *session;
    struct cli_record *record;
};

static enum cli_exit fail_mountpoint(const char *path, int err) {
    char advice[PATH_MAX + 32];

    switch (-err) {
    case ENOENT:
        snprintf(advice, sizeof advice, "mkdir %s", path);
        cli_error(advice, "%s: the mount point does not exist", path);
        break;
    case ENOTDIR:
        cli_error("give an empty directory",
                  "%s: the mount point is not a "
                  "directory",
                  path);
        break;
    case EACCES:
        cli_error("use a directory of your own as the mount point",
                  "%s: this directory is not yours to mount on", path);
        break;
    case ENOTCONN:
        snprintf(advice, sizeof advice, "udfpkt-umount %s", path);
        cli_error(advice, "%s: a mount whose daemon has died is in the way",
                  path);
        break;
    default:
        cli_error(NULL, "%s: the mount point: %s", path, strerror(-err));
        break;
    }
    return CLI_EXIT_MOUNTPOINT;
}

/* Whether the daemon of the mount at `mountpoint` is known to be dead. The
 * kernel may still know enough of such a mount for stat(2) to succeed. */
static bool is_dead_mount(const char *mountpoint) {
    struct cli_record_view view;

    if (cli_record_find(mountpoint, &view) != 0) {
        return false;
    }
    bool dead = !view.live;

    cli_record_release(&view);
    return dead;
}

static enum cli_exit check_mountpoint(struct mount *mount) {
    const char *given = mount->options->mountpoint;
    int err = fs_mountpoint_check(given);
    char advice[PATH_MAX + 32];

    if (!err) {
        err = cli_real_path(given, mount->mountpoint);
    }
    if (err) {
        return fail_mountpoint(given, err);
    }
    if (cli_is_mounted(0, mount->mountpoint, NULL) != 1) {
        return CLI_EXIT_OK;
    }
    if (is_dead_mount(mount->mountpoint)) {
        return fail_mountpoint(given, -ENOTCONN);
    }
    snprintf(advice, sizeof advice, "udfpkt-umount %s", mount->mountpoint);
    cli_error(advice, "%s: a disc is mounted there already", mount->mountpoint);
    return CLI_EXIT_MOUNTPOINT;
}

/* The device's real path: its record is found by it, and the daemon leaves
 * the working directory. */
static enum cli_exit choose_device(struct mount *mount) {
    char chosen[PATH_MAX];
    enum cli_exit code =
        cli_choose_device(mount->options->device, chosen, sizeof chosen);

    if (code != CLI_EXIT_OK) {
        return code;
    }
    if (!realpath(chosen, mount->device)) {
        return cli_fail(CLI_STAGE_OPEN, chosen, -errno, NULL);
    }
    return CLI_EXIT_OK;
}

/* A file that may only be read is a read-only medium, not a mistake. */
static bool only_readable(const struct mount *mount) {
    return access(mount->device, R_OK) == 0 &&
           access(mount->device, W_OK) != 0 &&
           (errno == EACCES || errno == EROFS);
}

static enum cli_exit open_disc(struct mount *mount) {
    const struct cli_mount_options *options = mount->options;

    mount->read_only = options->mode == CLI_MOUNT_READ_ONLY;
    if (options->mode == CLI_MOUNT_BEST && only_readable(mount)) {
        cli_notice("%s: no permission to write, mounting read-only",
                   mount->device);
        mount->read_only = true;
    }
    struct mmc_disc_options disc_options = {
        .read_only = mount->read_only,
        .cache_bytes = options->cache_bytes,
        .trace_path = options->trace_path,
        .speed_tenths = options->speed_tenths,
        .no_lead_out = options->no_lead_out,
        .verify = options->verify,
    };

    return cli_open_disc(mount->device, &disc_options, &mount->disc);
}

/* Takes what can only be read as that, unless the user insists. Returns
 * whether to try again, read-only. */
static bool settle_for_reading(struct mount *mount, const char *reason) {
    if (mount->read_only || mount->options->mode == CLI_MOUNT_READ_WRITE) {
        return false;
    }
    cli_notice("%s: mounting read-only: %s", mount->device,
               reason && reason[0] ? reason : "the medium cannot be written");
    mount->read_only = true;
    return true;
}

static enum cli_exit attach_disc(struct mount *mount,
                                 struct blockdev **out_dev) {
    struct mmc_disc_info info;

    mmc_disc_get_info(mount->disc, &info);
    int err = mmc_disc_attach(mount->disc, !mount->read_only, out_dev);

    if (err == -EROFS && settle_for_reading(mount, info.reason)) {
        err = mmc_disc_attach(mount->disc, false, out_dev);
    }
    return err ? cli_fail(CLI_STAGE_ATTACH, mount->device, err, &info)
               : CLI_EXIT_OK;
}

static int mount_volume(struct mount *mount, struct blockdev *dev) {
    const struct cli_mount_options *options = mount->options;
    struct udf_mount_options udf = {
        .read_only = mount->read_only,
        .commit_ms = options->commit_ms,
        .no_journal = options->no_journal,
        .uid = options->uid,
        .gid = options->gid,
        .uid_all = options->uid_all,
        .gid_all = options->gid_all,
        .uid_forget = options->uid_forget,
        .gid_forget = options->gid_forget,
        .umask = options->umask,
        .file_mode = options->file_mode,
        .dir_mode = options->dir_mode,
    };

    return udf_mount(dev, &udf, &mount->volume);
}

static enum cli_exit open_volume(struct mount *mount) {
    struct blockdev *dev;
    enum cli_exit code = attach_disc(mount, &dev);

    if (code != CLI_EXIT_OK) {
        return code;
    }
    int err = mount_volume(mount, dev);

    /* The volume knows the reason only once it is mounted. */
    if (err == -EROFS && !mount->read_only &&
        mount->options->mode == CLI_MOUNT_BEST) {
        struct udf_info info;

        mount->read_only = true;
        err = mount_volume(mount, dev);
        if (!err) {
            udf_get_info(mount->volume, &info);
            cli_notice("%s: mounted read-only: %s", mount->device,
                       info.read_only_reason ? info.read_only_reason
                                             : "the volume can only be read");
        }
    }
    return err ? cli_fail(CLI_STAGE_VOLUME, mount->device, err, NULL)
               : CLI_EXIT_OK;
}

static enum cli_exit open_session(struct mount *mount) {
    const struct cli_mount_options *options = mount->options;
    struct fs_session_options session = {
        .source = mount->device,
        .mountpoint = mount->mountpoint,
        .disc = mount->disc,
        .read_only = mount->read_only,
        .allow_other = options->allow_other,
        .atime = options->atime,
        .debug = options->debug,
        .extra = options->kernel[0] ? options->kernel : NULL,
    };
    int err = fs_session_open(mount->volume, &session, &mount->session);

    if (!err) {
        return CLI_EXIT_OK;
    }
    if (err == -EPERM) {
        cli_error("leave it out, or have user_allow_other put into "
                  "/etc/fuse.conf",
                  "-o allow_other: not allowed to users of this machine");
        return CLI_EXIT_PERMISSION;
    }
    if (err == -EIO) {
        cli_error(
            "see that fuse3 is installed, and that you may open /dev/fuse",
            "%s: mounting failed", mount->mountpoint);
        return CLI_EXIT_FAILED;
    }
    return fail_mountpoint(mount->mountpoint, err);
}

static void open_record(struct mount *mount) {
    struct cli_record_content *content = calloc(1, sizeof *content);
    int err = -ENOMEM;

    if (content) {
        content->state = CLI_RECORD_MOUNTED;
        content->pid = getpid();
        memcpy(content->device, mount->device, sizeof content->device);
        memcpy(content->mountpoint, mount->mountpoint,
               sizeof content->mountpoint);
        err = cli_record_create(content, &mount->record);
    }
    if (err) {
        cli_notice("no record of this mount can be kept (%s): udfpkt-umount "
                   "will not be able to wait for its end",
                   strerror(-err));
    }
    free(content);
}

static enum cli_exit open_all(struct mount *mount) {
    enum cli_exit code = open_disc(mount);

    if (code == CLI_EXIT_OK) {
        code = open_volume(mount);
    }
    if (code == CLI_EXIT_OK) {
        code = open_session(mount);
    }
    if (code == CLI_EXIT_OK) {
        open_record(mount);
    }
    return code;
}

/* Closes what is open; `err` is what went wrong before. Returns that, or the
 * first error of closing: the data of the last minute may hang on it. */
static int close_all(struct mount *mount, int err) {
    bool eject = mount->session && fs_session_wants_eject(mount->session);

    cli_record_set(mount->record, CLI_RECORD_CLOSING, 0);
    fs_session_close(mount->session);
    int volume_err = udf_unmount(mount->volume);
    /* Whatever came of closing: who pressed the button wants the disc, and
     * nothing more can be done for it here. */
    int eject_err = eject ? mmc_disc_eject(mount->disc) : 0;
    int disc_err = mmc_disc_close(mount->disc);

    if (eject_err) {
        mmc_log(MMC_LOG_WARN, "%s: the tray does not open: %s", mount->device,
                strerror(-eject_err));
    }
    err = err ? err : volume_err;
    err = err ? err : disc_err;
    cli_record_set(mount->record, CLI_RECORD_CLOSED, err);
    cli_record_close(mount->record);
    return err;
}

static enum cli_exit serve(struct mount *mount, struct cli_daemon *daemon) {
    enum cli_exit code = open_all(mount);

    if (code != CLI_EXIT_OK) {
        (void)close_all(mount, 0);
        cli_daemon_failed(daemon, code);
        return code;
    }
    cli_daemon_ready(daemon, mount->options->verbose);
    int err = close_all(mount, fs_session_run(mount->session));

    if (err && !mount->options->foreground) {
        mmc_log(MMC_LOG_ERROR, "%s: closing the disc: %s", mount->device,
                strerror(-err));
    }
    return err ? cli_fail(CLI_STAGE_CLOSE, mount->device, err, NULL)
               : CLI_EXIT_OK;
}

/* Signals wait until somebody takes them: fs_session_run(), which ends
 * cleanly. At no other time may one leave the drive locked, or the disc half
 * closed. The waiting command gives way to Ctrl-C all the same. */
static void hold_signals(void) {
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN); /* the terminal that errors went to is gone */
}

int main(int argc, char **argv) {
    struct cli_mount_options options;
    struct cli_daemon daemon = {.report_fd = -1};
    bool done;

    cli_start("udfpkt-mount");
    enum cli_exit code = cli_mount_options_parse(argc, argv, &options, &done);

    if (code != CLI_EXIT_OK || done) {
        return (int)code;
    }
    struct mount mount = {.options = &options};

    code = check_mountpoint(&mount);
    if (code == CLI_EXIT_OK) {
        code = choose_device(&mount);
    }
    if (code == CLI_EXIT_OK && options.wait) {
        code = cli_wait_for_medium(mount.device);
    }
    if (code == CLI_EXIT_OK && !options.foreground) {
        code = cli_daemon_start(&daemon);
    }
    if (code != CLI_EXIT_OK || daemon.parent) {
        return (int)code;
    }
    hold_signals();
    cli_tune_memory();
    return (int)serve(&mount, &daemon);
}
