/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/wait.h - waiting until there is a disc in a drive.
 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include "cli/cli.h"

/* Waits until `device` holds a medium of any kind, or cannot be looked at,
 * which is for the caller to find out. Does not hold the device meanwhile.
 * Returns CLI_EXIT_OK; CLI_EXIT_INTERRUPTED after SIGINT or SIGTERM. */
enum cli_exit cli_wait_for_medium(const char *device);

#endif
