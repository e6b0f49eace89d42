/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/mount_options.h - the command line of udfpkt-mount.
 */
#ifndef CLI_MOUNT_OPTIONS_H
#define CLI_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/cli.h"
#include "fs/session.h"

enum { CLI_KERNEL_OPTIONS_BYTES = 256 };

enum cli_mount_mode {
    CLI_MOUNT_BEST,       /* read-write where the medium allows it */
    CLI_MOUNT_READ_ONLY,  /* -r, -o ro */
    CLI_MOUNT_READ_WRITE, /* -o rw: refused where the medium does not */
};

struct cli_mount_options {
    const char *device; /* NULL = the only drive */
    const char *mountpoint;
    enum cli_mount_mode mode;
    enum fs_atime atime;
    bool allow_other;
    bool foreground;
    bool wait; /* for a disc */
    bool debug;
    unsigned verbose;
    uid_t uid; /* shown where the disc names no owner, or for all */
    gid_t gid;
    bool uid_all, gid_all, uid_forget, gid_forget;
    mode_t umask, file_mode,
        dir_mode;          /* as struct udf_mount_options has them */
    uint32_t commit_ms;    /* 0 = the default */
    uint64_t cache_bytes;  /* 0 = by the medium */
    uint32_t speed_tenths; /* of 1x; 0 = the drive's choice */
    bool no_lead_out;
    bool no_journal;
    bool verify; /* read back what was written */
    const char *trace_path;
    char kernel[CLI_KERNEL_OPTIONS_BYTES]; /* "nosuid,nodev" or empty */
};

/* Reads the command line. *out_done is true when there is nothing more to do
 * (--help, --version). `argv` is changed: -o lists are cut up in place. */
enum cli_exit cli_mount_options_parse(int argc, char **argv,
                                      struct cli_mount_options *options,
                                      bool *out_done);

#endif
