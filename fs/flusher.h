/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/flusher.h - the thread that lets udf/ do its background work: writing
 * out data that grew too much, committing changes that grew old. After each
 * turn the kernel is told to ask again for what has changed by it.
 */
#ifndef FS_FLUSHER_H
#define FS_FLUSHER_H

struct fs_flusher;
struct fs_context;

/* Starts the thread. Returns 0; -ENOMEM; -EAGAIN when no thread can be made. */
int fs_flusher_start(struct fs_context *context, struct fs_flusher **out);

/* Ends the thread after the turn it is in, and frees everything; NULL is
 * accepted. What is not committed then is the caller's (udf_unmount()). */
void fs_flusher_stop(struct fs_flusher *flusher);

#endif
