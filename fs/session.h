/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/session.h - a mounted volume as a FUSE session: signals, background
 * writer, unmounting. What cli/udfpkt-mount calls.
 */
#ifndef FS_SESSION_H
#define FS_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mmc_disc;
struct udf_volume;

/* relatime is a choice; strictatime is not offered: it wears the disc. */
enum fs_atime { FS_NOATIME, FS_RELATIME };

struct fs_session_options {
    const char *source;     /* device path, shown by mount(8) */
    const char *mountpoint; /* absolute */
    struct mmc_disc *disc;  /* watched for its eject button; NULL = nobody's */
    bool read_only;
    bool allow_other;
    enum fs_atime atime;
    bool debug;        /* libfuse prints every request */
    const char *extra; /* more options for the kernel ("nosuid,nodev"), NULL */
};

struct fs_session;

/* Mounts at options->mountpoint. Users get nosuid,nodev whatever `extra` says
 * (fusermount3 sees to it). Returns 0; -EACCES when the mount point is not
 * the user's; -ENOENT, -ENOTDIR; -ENOTCONN when a dead FUSE mount is there;
 * -EPERM when allow_other is not allowed by /etc/fuse.conf; -ENOMEM; -EIO for
 * another failure of the FUSE mount, whose text is in the log.
 *
 * SIGTERM, SIGINT and SIGHUP are blocked in the calling thread from then on
 * (fs_session_run() takes them), and stay so until fs_session_close(). */
int fs_session_open(struct udf_volume *volume,
                    const struct fs_session_options *options,
                    struct fs_session **out_session);

/* Serves requests until the file system is unmounted, SIGTERM, SIGINT or
 * SIGHUP arrives, somebody presses the drive's eject button, or
 * fs_session_leave() is called. In the latter cases programs get EROFS from
 * that moment on for whatever changes something, and the kernel's dirty pages
 * are fetched; a mount that is in use is then detached, and programs that
 * still have files open there get ENOTCONN. The mount is gone when this
 * returns. Starts the background writer and ends it. The volume stays open:
 * the caller closes it with udf_unmount().
 *
 * When the disc is taken out or the drive goes, the mount stays until somebody
 * unmounts it, so that nobody writes into the directory below instead; what
 * needs the disc gets EIO or ENXIO.
 *
 * Returns 0; -ENODEV when the drive has gone; -ENOMEDIUM when the disc was
 * taken out; another negative errno of the connection to the kernel. */
int fs_session_run(struct fs_session *session);

/* Whether it ended because somebody wants the disc out: then the caller, who
 * closes everything, opens the tray. */
bool fs_session_wants_eject(const struct fs_session *session);

/* Makes fs_session_run() end as a signal would. Safe from any thread. */
void fs_session_leave(struct fs_session *session);

/* Frees the session; NULL is accepted. */
void fs_session_close(struct fs_session *session);

/* Mount points (fs/mountpoint.c); of use without a session too. */

/* Whether this process may mount at `path`. Returns 0; -ENOENT; -ENOTDIR;
 * -EACCES when the directory is not the user's to mount on; -ENOTCONN when a
 * FUSE mount without its daemon is there; other errors of stat(2). */
int fs_mountpoint_check(const char *path);

/* Whether this process may let other users in: root, or everybody where
 * /etc/fuse.conf has user_allow_other. */
bool fs_mountpoint_allow_other_possible(void);

/* Which file system is mounted at `path`, without asking whoever serves it.
 * Returns 0 or a negative errno of open(2) or statx(2). */
int fs_mountpoint_device(const char *path, dev_t *out_device);

/* Whether that file system is mounted anywhere in this mount namespace: mounts
 * can be moved, and directories above them renamed. True as well when that
 * cannot be told. The mount itself is not touched: that would make it busy for
 * whoever unmounts it. */
bool fs_mountpoint_has(dev_t device);

/* Unmounts what is mounted at `path`, as root by the kernel, as a user through
 * fusermount3. Waits for the kernel, not for the daemon behind the mount.
 * Returns 0; -EBUSY when files are open on it; -EPERM; -EINVAL when nothing is
 * mounted there; -ENOENT when fusermount3 is not installed; -EIO for another
 * failure of it. */
int fs_mountpoint_unmount(const char *path);

#endif
