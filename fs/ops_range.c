/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/ops_range.c - ranges of files: allocating and punching, holes, copying
 * without the kernel's help.
 *
 * The kernel writes its dirty pages of a range back before it asks for one of
 * these, but for lseek (fs/seeker.h), and clears set-ID bits and sets times
 * itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "fs/ops.h"
#include "fs/reply.h"
#include "fs/seeker.h"
#include "udf/udf.h"

/* fallocate(2)'s mode as a change. False for one that is not done. */
static bool change_of(int mode, struct udf_range *range) {
    range->keep_size = mode & FALLOC_FL_KEEP_SIZE;
    switch (mode & ~FALLOC_FL_KEEP_SIZE) {
    case 0:
        range->change = UDF_RANGE_ALLOCATE;
        return true;
    case FALLOC_FL_ZERO_RANGE:
        range->change = UDF_RANGE_ZERO;
        return true;
    case FALLOC_FL_PUNCH_HOLE:
        range->change = UDF_RANGE_PUNCH;
        return range->keep_size;
    default:
        return false;
    }
}

void fs_op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset,
                     off_t count, struct fuse_file_info *file) {
    struct fs_context *context = fs_op_context(req);
    struct udf_range range = {.offset = (uint64_t)offset,
                              .count = (uint64_t)count};
    int err = fs_op_may_change(context);

    (void)file;
    if (!err && !change_of(mode, &range)) {
        err = -EOPNOTSUPP;
    }
    if (!err) {
        err = udf_change_range(context->volume, ino, &range);
    }
    fs_reply_error(req, err);
}

void fs_op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
                 struct fuse_file_info *file) {
    (void)file;
    if (whence != SEEK_DATA && whence != SEEK_HOLE) {
        fs_reply_error(req, -EINVAL);
        return;
    }
    fs_seeker_ask(fs_op_context(req)->seeker, req, ino, (uint64_t)offset,
                  whence);
}

void fs_op_copy_file_range(fuse_req_t req, fuse_ino_t from_ino,
                           off_t from_offset, struct fuse_file_info *from_file,
                           fuse_ino_t to_ino, off_t to_offset,
                           struct fuse_file_info *to_file, size_t count,
                           int flags) {
    struct fs_context *context = fs_op_context(req);
    struct udf_position from = {.ino = from_ino,
                                .offset = (uint64_t)from_offset};
    struct udf_position to = {.ino = to_ino, .offset = (uint64_t)to_offset};
    uint32_t copied = 0;
    int err = fs_op_may_change(context);

    (void)from_file;
    (void)to_file;
    if (!err && flags != 0) {
        err = -EINVAL;
    }
    if (!err) {
        err = udf_copy(context->volume, &from, &to, count, &copied);
    }
    fs_reply_written(req, err, copied);
}
