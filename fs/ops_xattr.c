/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/ops.h"
#include "fs/reply.h"
#include "udf/udf.h"

/* What listxattr(2) can give at most, XATTR_LIST_MAX of Linux. */
enum { LIST_BYTES_MAX = 65536 };

/* A list that nobody would obey is refused as by a file system that knows of
 * none: programs then set the mode instead, or say what is missing. */
static int check_name(const struct fs_context *context, const char *name) {
    static const char lists[] = "system.posix_acl_";

    return !context->acl && strncmp(name, lists, sizeof lists - 1) == 0
               ? -EOPNOTSUPP
               : 0;
}

void fs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
                    size_t room) {
    struct fs_context *context = fs_op_context(req);
    uint32_t most =
        room < UDF_XATTR_BYTES_MAX ? (uint32_t)room : UDF_XATTR_BYTES_MAX;
    uint8_t *buf = most > 0 ? malloc(most) : NULL;
    uint32_t count = 0;
    int err = most > 0 && !buf ? -ENOMEM : check_name(context, name);

    if (!err) {
        err = udf_getxattr(context->volume, ino, name, buf, most, &count);
    }
    fs_reply_xattr(req, err, buf, count, room);
    free(buf);
}

void fs_op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
                    const char *value, size_t bytes, int flags) {
    struct fs_context *context = fs_op_context(req);
    struct udf_xattr xattr = {
        .bytes = value,
        .count = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX,
        .flags = flags,
    };
    int err = fs_op_may_change(context);

    if (!err) {
        err = check_name(context, name);
    }
    if (!err) {
        err = udf_setxattr(context->volume, ino, name, &xattr);
    }
    fs_reply_error(req, err);
}

/* Names while they are collected. */
struct list {
    bool privileged; /* may see trusted.* */
    char *text;
    size_t bytes, room;
    int err;
};

static void add_name(void *context, const char *name) {
    struct list *list = context;
    size_t bytes = strlen(name) + 1;

    if (list->err || (!list->privileged && strncmp(name, "trusted.", 8) == 0)) {
        return;
    }
    if (bytes > LIST_BYTES_MAX - list->bytes) {
        list->err = -E2BIG;
        return;
    }
    if (list->bytes + bytes > list->room) {
        size_t room = 2 * (list->bytes + bytes);
        char *bigger = realloc(list->text, room);

        if (!bigger) {
            list->err = -ENOMEM;
            return;
        }
        list->text = bigger;
        list->room = room;
    }
    memcpy(list->text + list->bytes, name, bytes);
    list->bytes += bytes;
}

void fs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t room) {
    struct fs_context *context = fs_op_context(req);
    struct list list = {.privileged = fuse_req_ctx(req)->uid == 0};
    int err = udf_listxattr(context->volume, ino, add_name, &list);

    err = err ? err : list.err;
    if (!err && room > 0 && list.bytes > room) {
        err = -ERANGE;
    }
    fs_reply_xattr(req, err, list.text, list.bytes, room);
    free(list.text);
}

void fs_op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name) {
    struct fs_context *context = fs_op_context(req);
    int err = fs_op_may_change(context);

    if (!err) {
        err = check_name(context, name);
    }
    if (!err) {
        err = udf_removexattr(context->volume, ino, name);
    }
    fs_reply_error(req, err);
}
