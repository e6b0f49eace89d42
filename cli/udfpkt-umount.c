/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udfpkt-umount - unmounts a disc, waits until it is written and closed, and
 * says how that went. Also after "fusermount -u", which does not wait.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/mounts.h"
#include "cli/record.h"
#include "fs/session.h"

static const struct option long_options[] = {
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void) {
    fputs("Usage: udfpkt-umount [-v] MOUNTPOINT|DEVICE\n"
          "\n"
          "Unmounts a disc that udfpkt-mount has mounted, waits until all is "
          "written and\nthe disc is closed, and ends with 0 only if that went "
          "well. Waits for and\nreports on a disc that \"fusermount -u\" has "
          "unmounted, too.\n"
          "\n"
          "Exit codes: see udfpkt-umount(8).\n",
          stdout);
}

static enum cli_exit fail_unmount(const char *path, int err) {
    switch (-err) {
    case EBUSY:
        cli_error("close the files and leave the directories there; fuser "
                  "-vm shows who uses them",
                  "%s: in use", path);
        return CLI_EXIT_BUSY;
    case EPERM:
        cli_error("unmount it as the user who mounted it, or as root",
                  "%s: permission denied", path);
        return CLI_EXIT_PERMISSION;
    case ENOENT:
        cli_error("install the package fuse3", "fusermount3 was not found");
        return CLI_EXIT_FAILED;
    default:
        cli_error(NULL, "%s: unmounting failed: %s", path, strerror(-err));
        return CLI_EXIT_FAILED;
    }
}

/* Unmounts `mountpoint` unless it is unmounted already, or another device
 * than `device` (NULL = any) is mounted there by now. */
static enum cli_exit unmount(const char *mountpoint, const char *device) {
    if (cli_is_mounted(0, mountpoint, device) != 1) {
        return CLI_EXIT_OK;
    }
    int err = fs_mountpoint_unmount(mountpoint);

    /* Somebody else may have been quicker. */
    if (err && cli_is_mounted(0, mountpoint, device) == 1) {
        return fail_unmount(mountpoint, err);
    }
    return CLI_EXIT_OK;
}

/* What the record says when the daemon has ended. */
static enum cli_exit report(const struct cli_record_view *view) {
    const struct cli_record_content *content = &view->content;

    if (content->state != CLI_RECORD_CLOSED) {
        cli_error("mount the disc again, which repairs what it can, and see "
                  "what is there",
                  "%s: the mount process (%ld) was killed before it had "
                  "closed the disc",
                  content->device, (long)content->pid);
        return CLI_EXIT_FAILED;
    }
    return content->result ? cli_fail(CLI_STAGE_CLOSE, content->device,
                                      content->result, NULL)
                           : CLI_EXIT_OK;
}

static enum cli_exit unmount_recorded(struct cli_record_view *view) {
    const struct cli_record_content *content = &view->content;
    bool live = view->live;
    char moved[PATH_MAX];
    const char *mountpoint = content->mountpoint;

    /* A mount can be moved, and a directory above it renamed. */
    if (cli_is_mounted(0, mountpoint, content->device) != 1 &&
        cli_find_own_mount(content->device, moved)) {
        mountpoint = moved;
    }
    /* A daemon that was killed leaves its mount behind, which goes here. */
    enum cli_exit code = unmount(mountpoint, content->device);

    if (code != CLI_EXIT_OK) {
        return code;
    }
    if (cli_record_wait(view) != 0) {
        cli_notice("interrupted; %s is still being closed", content->device);
        return CLI_EXIT_INTERRUPTED;
    }
    if (!live && content->state == CLI_RECORD_CLOSED) {
        cli_notice("%s: not mounted any more; this is how closing it went: %s",
                   content->device,
                   content->result ? strerror(-content->result) : "well");
    }
    return report(view);
}

/* A mount without a record: its daemon could not keep one. */
static enum cli_exit unmount_unrecorded(const char *given) {
    char path[PATH_MAX];

    if (cli_real_path(given, path) != 0 || cli_is_mounted(0, path, NULL) != 1) {
        cli_error("mount -t fuse.udfpkt shows what is mounted",
                  "%s: no disc of udfpkt-mount is there", given);
        return CLI_EXIT_MOUNTPOINT;
    }
    enum cli_exit code = unmount(path, NULL);

    if (code == CLI_EXIT_OK) {
        cli_notice("%s: unmounted, but there is no record to tell when and "
                   "how the disc was closed",
                   path);
        code = CLI_EXIT_FAILED;
    }
    return code;
}

static enum cli_exit run(const char *path) {
    struct cli_record_view view;
    char device[PATH_MAX];

    /* Its record has the mount point's first name. */
    if (cli_record_find(path, &view) != 0 &&
        (!cli_find_own_device(path, device) ||
         cli_record_find(device, &view) != 0)) {
        return unmount_unrecorded(path);
    }
    enum cli_exit code = unmount_recorded(&view);

    cli_record_release(&view);
    return code;
}

int main(int argc, char **argv) {
    unsigned verbose = 0;
    int option;

    cli_start("udfpkt-umount");
    while ((option = getopt_long(argc, argv, ":vVh", long_options, NULL)) !=
           -1) {
        switch (option) {
        case 'v':
            cli_set_verbose(++verbose);
            break;
        case 'V':
            puts("udfpkt-umount " UDFPKT_VERSION);
            return (int)cli_finish(CLI_EXIT_OK);
        case 'h':
            print_help();
            return (int)cli_finish(CLI_EXIT_OK);
        default:
            return (int)cli_bad_option(argv);
        }
    }
    if (argc - optind != 1) {
        return (int)cli_usage("name one mount point or device");
    }
    cli_catch_interrupts();
    return (int)run(argv[optind]);
}
