/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/udf_data.c - the public operations on data and attributes. See
 * udf/udf.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "udf/attr.h"
#include "udf/dir.h"
#include "udf/file.h"
#include "udf/nonalloc.h"
#include "udf/udf.h"
#include "udf/volume.h"
#include "udf/xattr.h"

int udf_getattr(struct udf_volume *volume, uint64_t ino,
                struct udf_stat *out_stat) {
    struct udf_node *node;
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_SHARED);
    do {
        error = udf_node_get(&op, ino, &node);
        if (!error) {
            udf_node_stat(volume, node, out_stat);
        }
    } while (udf_op_again(&op, &error));
    return error;
}

static struct udf_time time_of(const struct timespec *time) {
    return (struct udf_time){
        .sec = time->tv_sec,
        .nsec = (uint32_t)(time->tv_nsec / 1000 * 1000),
    };
}

/* chown(2), as the options of the mount have it: with one owner for all there
 * is nothing to change; owners that are not written down are accepted, so that
 * copying goes on. */
static int set_owner(const struct udf_mount_options *options,
                     struct udf_attr *attr, const struct udf_stat *stat,
                     unsigned which) {
    bool uid = which & UDF_SET_UID, gid = which & UDF_SET_GID;

    if ((uid && options->uid_all && !options->uid_forget &&
         stat->uid != options->uid) ||
        (gid && options->gid_all && !options->gid_forget &&
         stat->gid != options->gid)) {
        return -EPERM;
    }
    if (uid) {
        attr->uid = options->uid_forget ? UDF_ID_UNSET : stat->uid;
    }
    if (gid) {
        attr->gid = options->gid_forget ? UDF_ID_UNSET : stat->gid;
    }
    return 0;
}

static void set_fields(struct udf_op *op, struct udf_node *node,
                       const struct udf_stat *stat, unsigned which) {
    struct udf_attr *attr = &node->attr;

    if (which & UDF_SET_MODE) {
        attr->permissions = udf_permissions_encode(stat->mode);
        attr->icb_flags = udf_icb_flags_encode(stat->mode, attr->icb_flags);
    }
    if (which & UDF_SET_ATIME) {
        attr->atime = time_of(&stat->atime);
    }
    if (which & UDF_SET_MTIME) {
        attr->mtime = time_of(&stat->mtime);
    }
    if (which & UDF_SET_BTIME) {
        attr->btime = time_of(&stat->btime);
    }
    attr->ctime = which & UDF_SET_CTIME ? time_of(&stat->ctime) : op->now;
    udf_node_touch(op->volume, node);
}

static int set_attributes(struct udf_op *op, uint64_t ino,
                          const struct udf_stat *stat, unsigned which,
                          struct udf_node **out_node) {
    int error = udf_volume_writable(op->volume);

    if (!error) {
        error = udf_node_get(op, ino, out_node);
    }
    if (!error && udf_nonalloc_is(op->volume, *out_node)) {
        error = -EPERM;
    }
    if (!error && (which & (UDF_SET_UID | UDF_SET_GID))) {
        error =
            set_owner(&op->volume->options, &(*out_node)->attr, stat, which);
    }
    if (!error && (which & UDF_SET_SIZE)) {
        error = udf_node_is_dir(*out_node)
                    ? -EISDIR
                    : udf_file_resize(op, *out_node, stat->size);
    }
    if (!error && (which & UDF_SET_MODE)) {
        error = udf_xattr_chmod(op, *out_node, stat->mode);
    }
    if (!error) {
        set_fields(op, *out_node, stat, which);
    }
    return error;
}

int udf_setattr(struct udf_volume *volume, uint64_t ino,
                const struct udf_stat *stat, unsigned which,
                struct udf_stat *out_stat) {
    struct udf_node *node;
    struct udf_op op;
    bool tried = false;
    int error = udf_sync_throttle_nodes(volume);

    if (error) {
        return error;
    }
    do {
        udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
        do {
            error = set_attributes(&op, ino, stat, which, &node);
            if (!error) {
                udf_node_stat(volume, node, out_stat);
            }
        } while (udf_op_again(&op, &error));
    } while (udf_sync_make_space(volume, error, &tried));
    return error;
}

int udf_read(struct udf_volume *volume, uint64_t ino, uint64_t offset,
             uint32_t count, void *buf, uint32_t *out_count) {
    struct udf_node *node;
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_SHARED);
    do {
        error = udf_node_get(&op, ino, &node);
        if (!error && udf_node_is_dir(node)) {
            error = -EISDIR;
        }
        if (!error) {
            error = udf_file_read(&op, node, offset, count, buf, out_count);
        }
    } while (udf_op_again(&op, &error));
    return error;
}

int udf_write(struct udf_volume *volume, uint64_t ino, uint64_t offset,
              uint32_t count, const void *buf) {
    struct udf_node *node;
    struct udf_op op;
    bool tried = false;
    int error;

    do {
        error = udf_sync_throttle(volume);
        if (error) {
            return error;
        }
        udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
        do {
            error = udf_volume_writable(volume);
            if (!error) {
                error = udf_node_get(&op, ino, &node);
            }
            if (!error && udf_node_is_dir(node)) {
                error = -EISDIR;
            }
            if (!error) {
                error = udf_file_write(&op, node, offset, count, buf);
            }
        } while (udf_op_again(&op, &error));
    } while (udf_sync_make_space(volume, error, &tried));
    return error;
}

static int change_range(struct udf_op *op, uint64_t ino,
                        const struct udf_range *range) {
    struct udf_node *node;
    int error = udf_volume_writable(op->volume);

    if (!error) {
        error = udf_node_get(op, ino, &node);
    }
    if (!error && !udf_node_is_file(node)) {
        error = -EINVAL;
    }
    return error ? error : udf_file_change_range(op, node, range);
}

int udf_change_range(struct udf_volume *volume, uint64_t ino,
                     const struct udf_range *range) {
    struct udf_op op;
    bool tried = false;
    int error;

    if (range->change == UDF_RANGE_PUNCH && !range->keep_size) {
        return -EOPNOTSUPP;
    }
    do {
        udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
        do {
            error = change_range(&op, ino, range);
        } while (udf_op_again(&op, &error));
    } while (udf_sync_make_space(volume, error, &tried));
    return error;
}

int udf_seek(struct udf_volume *volume, uint64_t ino, uint64_t offset,
             enum udf_seek what, uint64_t *out_offset) {
    struct udf_node *node;
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_SHARED);
    do {
        error = udf_node_get(&op, ino, &node);
        if (!error && udf_node_is_dir(node)) {
            error = -EISDIR;
        }
        if (!error) {
            error = udf_file_seek(node, offset, what, out_offset);
        }
    } while (udf_op_again(&op, &error));
    return error;
}

enum {
    COPY_PORTION_BYTES = 1 << 20,
    COPY_BYTES_MAX = 16 << 20 /* what one caller may keep a thread for */
};

int udf_copy(struct udf_volume *volume, const struct udf_position *from,
             const struct udf_position *to, uint64_t count,
             uint32_t *out_count) {
    uint8_t *portion = malloc(COPY_PORTION_BYTES);
    uint32_t done = 0, got = 0;
    int error = portion ? 0 : -ENOMEM;

    if (count > COPY_BYTES_MAX) {
        count = COPY_BYTES_MAX;
    }
    while (!error && done < count) {
        uint32_t want = (uint32_t)count - done;

        want = want < COPY_PORTION_BYTES ? want : COPY_PORTION_BYTES;
        error = udf_read(volume, from->ino, from->offset + done, want, portion,
                         &got);
        if (!error && got == 0) {
            break; /* the end of the source */
        }
        if (!error) {
            error = udf_write(volume, to->ino, to->offset + done, got, portion);
        }
        done += error ? 0 : got;
    }
    free(portion);
    if (error && done == 0) {
        return error;
    }
    *out_count = done;
    return 0;
}
