/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/daemon.h - going to the background only when all went well: the command
 * ends with the exit code of what its child came to.
 */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include <stdbool.h>

#include "cli/cli.h"

/* The daemon's line to the command that started it. */
struct cli_daemon {
    int report_fd; /* -1 in the foreground */
    bool parent;   /* this is the command, not the daemon */
};

/* Forks. In the child returns CLI_EXIT_OK with daemon->parent false; work goes
 * on there, with the same standard error, until cli_daemon_ready() or the end
 * of the process. In the parent waits for either and returns the exit code,
 * with daemon->parent true. To be called before any thread exists. */
enum cli_exit cli_daemon_start(struct cli_daemon *daemon);

/* Lets the command end with CLI_EXIT_OK, and leaves terminal, session and
 * working directory. The log goes to syslog from then on. Does nothing in the
 * foreground. */
void cli_daemon_ready(struct cli_daemon *daemon, unsigned verbose);

/* Reports `code` to the command, if it still waits. */
void cli_daemon_failed(struct cli_daemon *daemon, enum cli_exit code);

#endif
