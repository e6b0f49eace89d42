/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/record.h - a note about each mount, by which other commands find the
 * daemon behind it, wait for its end, and learn how that went. "fusermount -u"
 * returns as soon as the kernel has let go of the mount; the daemon then
 * still writes (DESIGN 12).
 *
 * A record is a file in a directory that only its user can write to
 * (/run/udfpkt for root, $XDG_RUNTIME_DIR/udfpkt or /tmp/udfpkt-UID for
 * others), named after the device. The daemon holds an flock(2) on it as long
 * as it lives: that, not the content, says that it lives.
 */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum cli_record_state {
    CLI_RECORD_MOUNTED, /* requests are served */
    CLI_RECORD_CLOSING, /* unmounted; the disc is being written and closed */
    CLI_RECORD_CLOSED   /* done, `result` is final */
};

struct cli_record_content {
    enum cli_record_state state;
    int result; /* 0 or a negative errno of closing */
    pid_t pid;
    char device[PATH_MAX]; /* real paths */
    char mountpoint[PATH_MAX];
};

/* The daemon's side. */
struct cli_record;

/* Makes the record of `content` and locks it; the device's old one, which
 * must be dead, goes. Forgets old records of this user that nobody will ask
 * for. Returns 0 or a negative errno of the file system. */
int cli_record_create(const struct cli_record_content *content,
                      struct cli_record **out_record);

/* Notes a new state. NULL is accepted. */
void cli_record_set(struct cli_record *record, enum cli_record_state state,
                    int result);

/* Frees `record`; who waits is woken. The file stays, with the result. NULL is
 * accepted. */
void cli_record_close(struct cli_record *record);

/* The other commands' side: a record that was found. */
struct cli_record_view {
    int fd; /* keeps the file, even when it is replaced */
    bool live;
    struct cli_record_content content;
};

/* Finds the record whose device or mount point is `path`: a live one before a
 * dead one, then the newest. Returns 0; -ENOENT when there is none. */
int cli_record_find(const char *path, struct cli_record_view *out_view);

/* Reads state and liveness again. */
void cli_record_refresh(struct cli_record_view *view);

/* Whether the daemon lives, but has nothing mounted any more. */
bool cli_record_is_closing(struct cli_record_view *view);

/* Waits until the daemon has ended, with a notice when that takes a moment,
 * and refreshes `view`. Returns 0; -EINTR when cli_interrupted(). */
int cli_record_wait(struct cli_record_view *view);

void cli_record_release(struct cli_record_view *view);

/* For who found `device` busy: when a daemon is closing it, waits for its end
 * and returns true, so that it is worth another try. */
bool cli_record_wait_closing(const char *device);

#endif
