/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/vdrive_server.h - the process behind an attached virtual drive: answers
 * the kernel and other udfpkt-vdrive commands until it is told to end.
 */
#ifndef CLI_VDRIVE_SERVER_H
#define CLI_VDRIVE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"

struct cli_vdrive_options {
    const char *image; /* real path */
    const char *name;
    const char *trace_path; /* NULL = none */
    uint32_t pace;          /* how much faster the drive's clock runs */
    bool real_time;         /* commands take their time, too */
    bool read_only;
    bool foreground;
    unsigned verbose;
};

/* Attaches the drive, prints its device node, and serves it, in the background
 * unless that was not wanted. Returns, in the command and at the end of the
 * process, with the exit code. */
enum cli_exit cli_vdrive_serve(const struct cli_vdrive_options *options);

#endif
