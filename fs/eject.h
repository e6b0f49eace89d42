/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/eject.h - a thread beside the session that watches the drive: the eject
 * button, the disc taken out, the drive gone. It asks the drive itself and
 * listens to the kernel, and whichever sees something first is believed:
 * while the drive is held exclusively the kernel does not ask it; when a disc
 * is mounted read-only both do, and each event is told to one of them only.
 */
#ifndef FS_EJECT_H
#define FS_EJECT_H

struct fs_eject;
struct mmc_disc;

/* Gets a set of enum mmc_news, in the thread. */
typedef void fs_eject_tell(void *context, unsigned news);

/* Starts to watch `disc`, which was opened by the name `path`. Returns 0;
 * -ENOMEM; -EAGAIN when no thread can be made; another errno. For images
 * there is nothing to watch: *out is NULL then. */
int fs_eject_start(struct mmc_disc *disc, const char *path, fs_eject_tell *tell,
                   void *context, struct fs_eject **out);

/* Ends the thread; NULL is accepted. */
void fs_eject_stop(struct fs_eject *eject);

#endif
