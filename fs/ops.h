/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/ops.h - one function for each FUSE request: call one operation of
 * udf/udf.h, give exactly one reply through fs/reply.h.
 *
 * FUSE node ids are the inos of udf/udf.h, the root is 1 in both, and the
 * kernel's lookup counts are the references there: no table stands between.
 * Requests without a function here (flush, ...) are answered ENOSYS by
 * libfuse, and the kernel does not ask again. Locks have none: the kernel
 * keeps them by itself.
 */
#ifndef FS_OPS_H
#define FS_OPS_H

#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/session.h"

struct fs_seeker;
struct udf_name;
struct udf_volume;

enum { FS_WRITTEN_SLOTS = 64 };

/* What every request gets as its user data. Constant while requests come, but
 * for what is atomic, and for the three fields that FUSE_INIT sets before any
 * other request. */
struct fs_context {
    struct udf_volume *volume;
    struct fuse_session *fuse;
    struct fs_seeker *seeker;
    enum fs_atime atime;
    bool read_only;
    bool open_needless;    /* the kernel does without OPEN and RELEASE */
    bool opendir_needless; /* ... OPENDIR and RELEASEDIR */
    bool acl; /* the kernel obeys access control lists, and leaves the umask
                 to us */
    atomic_uint_least64_t writes; /* WRITE requests so far */
    /* Files written lately, each in the slot of its number; 0 = none */
    atomic_uint_least64_t written[FS_WRITTEN_SLOTS];
    /* ... of which pages came for which there was no room */
    atomic_uint_least64_t refused[FS_WRITTEN_SLOTS];
    atomic_bool leaving; /* what is in the page cache is taken, no more */
    atomic_int lost;     /* -ENODEV, -ENOMEDIUM: there is no disc any more */
};

struct fs_context *fs_op_context(fuse_req_t req);

/* `text` as udf/ takes names; it stays the caller's. */
struct udf_name fs_op_name(const char *text);

/* Whether programs may change anything now. Returns 0; -EROFS while the
 * session leaves; -EIO without a disc. */
int fs_op_may_change(struct fs_context *context);

/* Takes the attributes of the files that are being written back from the
 * kernel, so that the next stat(2) learns how many blocks they have by now,
 * and the next write(2), which asks for them, too, hears that the session
 * leaves (see fs/session.c) or that there is no room. Not to be called by a
 * thread that answers requests: the kernel may wait for one of them
 * meanwhile. */
void fs_op_ask_again(struct fs_context *context);

/* ops_name.c: requests that name something in a directory. */
void fs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count);
void fs_op_forget_multi(fuse_req_t req, size_t count,
                        struct fuse_forget_data *forgets);
void fs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
                 mode_t mode, dev_t rdev);
void fs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
                 mode_t mode);
void fs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
                   const char *name);
void fs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name,
                  mode_t mode, struct fuse_file_info *file);
void fs_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
                const char *name);
void fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
                  fuse_ino_t new_parent, const char *new_name, unsigned flags);

/* ops_data.c: content of files, directories and symbolic links. */
void fs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file);
void fs_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file);
void fs_op_read(fuse_req_t req, fuse_ino_t ino, size_t count, off_t offset,
                struct fuse_file_info *file);
void fs_op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t count,
                 off_t offset, struct fuse_file_info *file);
void fs_op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
                 struct fuse_file_info *file);
void fs_op_readlink(fuse_req_t req, fuse_ino_t ino);
void fs_op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file);
void fs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t room, off_t offset,
                   struct fuse_file_info *file);
void fs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t room,
                       off_t offset, struct fuse_file_info *file);

/* ops_xattr.c: extended attributes, POSIX ACLs among them. */
void fs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
                    size_t room);
void fs_op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
                    const char *value, size_t bytes, int flags);
void fs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t room);
void fs_op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

/* ops_range.c: ranges of files. */
void fs_op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset,
                     off_t count, struct fuse_file_info *file);
void fs_op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
                 struct fuse_file_info *file);
void fs_op_copy_file_range(fuse_req_t req, fuse_ino_t from_ino,
                           off_t from_offset, struct fuse_file_info *from_file,
                           fuse_ino_t to_ino, off_t to_offset,
                           struct fuse_file_info *to_file, size_t count,
                           int flags);

/* ops_attr.c: attributes of objects and of the volume. */
void fs_op_init(void *userdata, struct fuse_conn_info *conn);
void fs_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file);
void fs_op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
                   int to_set, struct fuse_file_info *file);
void fs_op_statfs(fuse_req_t req, fuse_ino_t ino);

/* Moves the access time of `ino` on when relatime asks for it. Called after
 * a read that reached us. */
void fs_op_touch_atime(struct fs_context *context, fuse_ino_t ino);

#endif
