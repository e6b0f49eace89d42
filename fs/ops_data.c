/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/ops_data.c - content. Nothing is kept for an open file: objects are
 * named by their ino, and the kernel holds a reference as long as a file is
 * open. So OPEN and OPENDIR are declined for good where the kernel can do
 * without them (it then keeps its cache, and cached directories, by itself),
 * which saves four requests a file.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "fs/ops.h"
#include "fs/reply.h"
#include "udf/udf.h"

void fs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file) {
    (void)ino;
    if (fs_op_context(req)->open_needless) {
        fs_reply_error(req, -ENOSYS);
        return;
    }
    file->keep_cache = 1;
    fs_reply_open(req, file);
}

void fs_op_opendir(fuse_req_t req, fuse_ino_t ino,
                   struct fuse_file_info *file) {
    (void)ino;
    if (fs_op_context(req)->opendir_needless) {
        fs_reply_error(req, -ENOSYS);
        return;
    }
    file->keep_cache = 1;
    file->cache_readdir = 1;
    fs_reply_open(req, file);
}

void fs_op_release(fuse_req_t req, fuse_ino_t ino,
                   struct fuse_file_info *file) {
    (void)ino;
    (void)file;
    fs_reply_error(req, 0);
}

void fs_op_read(fuse_req_t req, fuse_ino_t ino, size_t count, off_t offset,
                struct fuse_file_info *file) {
    struct fs_context *context = fs_op_context(req);
    uint32_t got = 0;
    int err = -ENOMEM;
    char *buf = malloc(count > 0 ? count : 1);

    (void)file;
    assert(count <= UINT32_MAX && offset >= 0);
    if (buf) {
        err = udf_read(context->volume, ino, (uint64_t)offset, (uint32_t)count,
                       buf, &got);
    }
    if (!err) {
        fs_op_touch_atime(context, ino);
    }
    fs_reply_data(req, err, buf, got);
    free(buf);
}

/* The plain form, not write_buf: udf_write() copies out of memory into its
 * cache, so a pipe in between (splice) would only add a copy. */
void fs_op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t count,
                 off_t offset, struct fuse_file_info *file) {
    (void)file;
    assert(count <= UINT32_MAX && offset >= 0);
    struct fs_context *context = fs_op_context(req);
    int err = atomic_load(&context->lost) ? -EIO : 0;

    atomic_store(&context->written[ino % FS_WRITTEN_SLOTS], ino);
    if (!err) {
        err = udf_write(context->volume, ino, (uint64_t)offset, (uint32_t)count,
                        buf);
    }
    /* It is the page cache that hears of it. Whoever wrote does, too, when it
     * writes on: see fs_op_getattr(). */
    if (err == -ENOSPC) {
        atomic_store(&context->refused[ino % FS_WRITTEN_SLOTS], ino);
        udf_wake(context->volume);
    }
    atomic_fetch_add(&context->writes, 1);
    fs_reply_written(req, err, count);
}

void fs_op_ask_again(struct fs_context *context) {
    for (unsigned i = 0; i < FS_WRITTEN_SLOTS; i++) {
        uint64_t ino = atomic_exchange(&context->written[i], 0);

        /* A negative offset: attributes only, no pages. */
        if (ino != 0) {
            (void)fuse_lowlevel_notify_inval_inode(context->fuse, ino, -1, 0);
        }
    }
}

/* FUSE_FSYNC and FUSE_FSYNCDIR. The kernel has handed over its dirty pages of
 * the file before; a commit takes everything else along (DESIGN 1). */
void fs_op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
                 struct fuse_file_info *file) {
    (void)ino;
    (void)datasync;
    (void)file;
    fs_reply_error(req, udf_commit(fs_op_context(req)->volume));
}

void fs_op_readlink(fuse_req_t req, fuse_ino_t ino) {
    char target[PATH_MAX];
    int err =
        udf_readlink(fs_op_context(req)->volume, ino, target, sizeof target);

    fs_reply_text(req, err, target);
}

/* A directory listing while it is filled. */
struct listing {
    fuse_req_t req;
    bool plus;
    bool full; /* an entry did not fit */
    char *buf;
    size_t room, used;    /* bytes */
    uint64_t *referenced; /* with plus: what the kernel gets references to */
    size_t references;
};

/* Smaller than the shortest entry with attributes, so that `referenced` can
 * never overflow. */
enum { PLUS_ENTRY_BYTES_MIN = 128 };

static bool add_entry(void *context, const struct udf_dirent *entry) {
    struct listing *list = context;
    size_t used =
        fs_reply_add_dirent(list->req, list->buf + list->used,
                            list->room - list->used, list->plus, entry);

    if (used == 0) {
        list->full = true;
        return false;
    }
    list->used += used;
    if (list->plus && !fs_reply_is_dots(&entry->name)) {
        list->referenced[list->references++] = entry->stat.ino;
    }
    return true;
}

static void forget_listed(struct udf_volume *volume,
                          const struct listing *list) {
    for (size_t i = 0; i < list->references; i++) {
        udf_forget(volume, list->referenced[i], 1);
    }
}

static void list_directory(fuse_req_t req, fuse_ino_t ino, size_t room,
                           off_t offset, bool plus) {
    struct fs_context *context = fs_op_context(req);
    struct listing list = {.req = req, .plus = plus, .room = room};
    int err = -ENOMEM;

    list.buf = malloc(room > 0 ? room : 1);
    list.referenced =
        calloc(room / PLUS_ENTRY_BYTES_MIN + 1, sizeof *list.referenced);
    if (list.buf && list.referenced) {
        err = udf_readdir(context->volume, ino, (uint64_t)offset, plus,
                          add_entry, &list);
    }
    /* What came before the error is shown; the error comes again when the
     * kernel goes on behind it. */
    if (err && list.used > 0) {
        err = 0;
    }
    if (!err && list.used == 0 && list.full) {
        err = -EINVAL; /* not even one entry fits: getdents(2) says so too */
    }
    if (!err) {
        fs_op_touch_atime(context, ino);
    }
    if (fs_reply_data(req, err, list.buf, list.used) != 0) {
        forget_listed(context->volume, &list);
    }
    free(list.referenced);
    free(list.buf);
}

void fs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t room, off_t offset,
                   struct fuse_file_info *file) {
    (void)file;
    list_directory(req, ino, room, offset, false);
}

void fs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t room,
                       off_t offset, struct fuse_file_info *file) {
    (void)file;
    list_directory(req, ino, room, offset, true);
}
