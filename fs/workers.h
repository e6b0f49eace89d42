/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/workers.h - the threads that take requests from the kernel and carry
 * them out.
 *
 * libfuse's own loop (fuse_session_loop_mt) can neither say that no request
 * is left nor be asked to stop without cancelling threads. Both are needed to
 * end a mount whose files are still open: the kernel's dirty pages have to
 * come in first.
 */
#ifndef FS_WORKERS_H
#define FS_WORKERS_H

#include <stdbool.h>

struct fs_workers;
struct fuse_session;
struct udf_volume;

/* Starts the threads on a mounted `session` of `volume`, whose operations tell
 * them from then on when they wait (udf_on_wait()). Returns 0; -ENOMEM; -EAGAIN
 * when no thread can be made; another errno of eventfd(2) or epoll(7). */
int fs_workers_start(struct fuse_session *session, struct udf_volume *volume,
                     struct fs_workers **out);

/* A descriptor that becomes readable when the threads have ended because the
 * file system was unmounted or its connection failed. */
int fs_workers_ended_fd(const struct fs_workers *workers);

/* Whether at some moment during the call no request was waiting or being
 * carried out. */
bool fs_workers_idle(struct fs_workers *workers);

/* Ends the threads after the requests they are at; NULL is accepted. Returns 0
 * or what the connection failed with. */
int fs_workers_stop(struct fs_workers *workers);

/* Frees everything, when no other thread works on the volume either; NULL is
 * accepted. */
void fs_workers_free(struct fs_workers *workers);

#endif
