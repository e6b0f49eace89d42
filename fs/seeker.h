/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/seeker.h - the thread that answers lseek(2) for holes.
 *
 * With its write-back cache the kernel has data that nobody here knows of, and
 * asks for holes without handing it over first. A hole is therefore believed
 * only after the kernel was told to write back its pages of it and to forget
 * them, and a second look. The kernel's WRITE requests of that must be served
 * meanwhile: a worker (fs/workers.h) that waited for them would be missing,
 * and if all of them waited, nobody would be left. So one thread beside the
 * workers does it.
 */
#ifndef FS_SEEKER_H
#define FS_SEEKER_H

#include <fuse_lowlevel.h>
#include <stdint.h>

struct fs_seeker;
struct udf_volume;

/* Starts the thread. Returns 0; -ENOMEM; -EAGAIN when no thread can be made. */
int fs_seeker_start(struct udf_volume *volume, struct fuse_session *fuse,
                    struct fs_seeker **out);

/* Lets the thread answer `req`: `whence` is SEEK_DATA or SEEK_HOLE. Safe from
 * any thread. */
void fs_seeker_ask(struct fs_seeker *seeker, fuse_req_t req, uint64_t ino,
                   uint64_t offset, int whence);

/* Answers what waits, ends the thread, and frees everything; NULL is accepted.
 * After the workers have ended. */
void fs_seeker_stop(struct fs_seeker *seeker);

#endif
