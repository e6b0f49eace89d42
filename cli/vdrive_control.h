/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/vdrive_control.h - how a `udfpkt-vdrive` command talks to the process
 * behind an attached drive: a socket in /run/udfpkt-vdrive, named after the
 * drive, that only root may connect to. One word is asked, one JSON object
 * comes back, and the connection ends; after "detach" it ends only with the
 * process.
 *
 * A process that was killed leaves its socket behind: nobody answers there,
 * which is how other commands know.
 */
#ifndef CLI_VDRIVE_CONTROL_H
#define CLI_VDRIVE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"

enum { CLI_VDRIVE_REPLY_BYTES = 8192 };

/* ---- The process -------------------------------------------------------- */

/* Makes the socket of drive `name`, in place of one where nobody listens.
 * Returns 0 or a negative errno of the file system. */
int cli_vdrive_listen(const char *name, int *out_fd);

/* Closes and removes it. */
void cli_vdrive_unlisten(const char *name, int fd);

/* Takes the next connection and its word, which must come at once. Returns 0;
 * -EAGAIN when nobody is there or says anything. */
int cli_vdrive_accept(int fd, int *out_connection, char *word,
                      size_t word_bytes);

/* ---- The commands ------------------------------------------------------- */

/* Asks the process of drive `name`; the reply is a string. With `to_the_end`
 * waits until the process has ended. Returns 0; -ENOENT when there is no such
 * drive; -ECONNREFUSED when its process is gone; -EACCES and others. */
int cli_vdrive_ask(const char *name, const char *word, bool to_the_end,
                   char reply[CLI_VDRIVE_REPLY_BYTES]);

/* Calls `visit` for each drive that has a socket, in no order, until it says
 * false. Returns 0, also when there is none, or -errno. */
typedef bool cli_vdrive_visit(void *context, const char *name);
int cli_vdrive_each(cli_vdrive_visit *visit, void *context);

/* Removes the socket that a killed process has left. */
void cli_vdrive_forget(const char *name);

#endif
