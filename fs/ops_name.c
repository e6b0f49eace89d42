/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/ops.h"
#include "fs/reply.h"
#include "udf/udf.h"

struct fs_context *fs_op_context(fuse_req_t req) {
    return fuse_req_userdata(req);
}

struct udf_name fs_op_name(const char *text) {
    return (struct udf_name){.text = text, .len = (uint32_t)strlen(text)};
}

int fs_op_may_change(struct fs_context *context) {
    if (atomic_load(&context->lost)) {
        return -EIO;
    }
    return atomic_load(&context->leaving) ? -EROFS : 0;
}

void fs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
    struct fs_context *context = fs_op_context(req);
    struct udf_name sought = fs_op_name(name);
    struct udf_stat stat;
    int err = udf_lookup(context->volume, parent, &sought, &stat);

    if (err == -ENOENT) {
        fs_reply_absent(req);
    } else {
        fs_reply_entry(req, context->volume, err, &stat);
    }
}

void fs_op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count) {
    udf_forget(fs_op_context(req)->volume, ino, count);
    fs_reply_none(req);
}

void fs_op_forget_multi(fuse_req_t req, size_t count,
                        struct fuse_forget_data *forgets) {
    struct fs_context *context = fs_op_context(req);

    for (size_t i = 0; i < count; i++) {
        udf_forget(context->volume, forgets[i].ino, forgets[i].nlookup);
    }
    fs_reply_none(req);
}

/* Makes an object for who asks. */
static int make_object(fuse_req_t req, fuse_ino_t parent, const char *name,
                       struct udf_make *make, struct udf_stat *out_stat) {
    const struct fuse_ctx *asker = fuse_req_ctx(req);
    struct udf_cred cred = {.uid = asker->uid, .gid = asker->gid};
    struct udf_name made = fs_op_name(name);
    struct fs_context *context = fs_op_context(req);
    int err = fs_op_may_change(context);

    make->umask = context->acl && !S_ISLNK(make->mode) ? asker->umask : 0;
    return err ? err
               : udf_create(context->volume, parent, &made, make, &cred,
                            out_stat);
}

static void make_and_reply(fuse_req_t req, fuse_ino_t parent, const char *name,
                           struct udf_make *make) {
    struct udf_stat stat;
    int err = make_object(req, parent, name, make, &stat);

    fs_reply_entry(req, fs_op_context(req)->volume, err, &stat);
}

void fs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
                 mode_t mode, dev_t rdev) {
    struct udf_make make = {.mode = mode, .rdev = rdev};

    make_and_reply(req, parent, name, &make);
}

void fs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
                 mode_t mode) {
    struct udf_make make = {.mode = S_IFDIR | (mode & 07777)};

    make_and_reply(req, parent, name, &make);
}

void fs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
                   const char *name) {
    struct udf_make make = {.mode = S_IFLNK | 0777, .target = target};

    make_and_reply(req, parent, name, &make);
}

void fs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name,
                  mode_t mode, struct fuse_file_info *file) {
    struct udf_make make = {.mode = S_IFREG | (mode & 07777)};
    struct udf_stat stat;
    int err = make_object(req, parent, name, &make, &stat);

    fs_reply_created(req, fs_op_context(req)->volume, err, &stat, file);
}

void fs_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
                const char *name) {
    struct fs_context *context = fs_op_context(req);
    struct udf_name made = fs_op_name(name);
    struct udf_stat stat;
    int err = fs_op_may_change(context);

    if (!err) {
        err = udf_link(context->volume, ino, parent, &made, &stat);
    }
    fs_reply_entry(req, context->volume, err, &stat);
}

void fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name) {
    struct fs_context *context = fs_op_context(req);
    struct udf_name removed = fs_op_name(name);
    int err = fs_op_may_change(context);

    if (!err) {
        err = udf_unlink(context->volume, parent, &removed);
    }
    fs_reply_error(req, err);
}

void fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name) {
    struct fs_context *context = fs_op_context(req);
    struct udf_name removed = fs_op_name(name);
    int err = fs_op_may_change(context);

    if (!err) {
        err = udf_rmdir(context->volume, parent, &removed);
    }
    fs_reply_error(req, err);
}

void fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
                  fuse_ino_t new_parent, const char *new_name, unsigned flags) {
    struct udf_place from = {.dir = parent, .name = fs_op_name(name)};
    struct udf_place to = {.dir = new_parent, .name = fs_op_name(new_name)};
    struct fs_context *context = fs_op_context(req);
    int err = fs_op_may_change(context);

    if (!err) {
        err = udf_rename(context->volume, &from, &to, flags);
    }
    fs_reply_error(req, err);
}
