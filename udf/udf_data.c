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
#include "udf/perform.h"
#include "udf/udf.h"
#include "udf/volume.h"
#include "udf/xattr.h"

struct attributes {
    uint64_t ino;
    const struct udf_stat *stat; /* to set, those that `which` names */
    unsigned which;
    struct udf_stat *out_stat;
};

static int get_attributes(struct udf_op *op, void *context) {
    const struct attributes *asked = context;
    struct udf_node *node;
    int error = udf_node_get(op, asked->ino, &node);

    if (!error) {
        udf_node_stat(op->volume, node, asked->out_stat);
    }
    return error;
}

int udf_getattr(struct udf_volume *volume, uint64_t ino,
                struct udf_stat *out_stat) {
    struct attributes asked = {.ino = ino, .out_stat = out_stat};

    return udf_perform_read(volume, get_attributes, &asked);
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

static int set_attributes(struct udf_op *op, void *context) {
    const struct attributes *wanted = context;
    const struct udf_stat *stat = wanted->stat;
    unsigned which = wanted->which;
    struct udf_node *node;
    int error = udf_node_get(op, wanted->ino, &node);

    if (!error) {
        error = udf_node_fixed(op->volume, node);
    }
    if (!error && udf_nonalloc_is(op->volume, node)) {
        error = -EPERM;
    }
    if (!error && (which & (UDF_SET_UID | UDF_SET_GID))) {
        error = set_owner(&op->volume->options, &node->attr, stat, which);
    }
    if (!error && (which & UDF_SET_SIZE)) {
        error = udf_node_is_dir(node) ? -EISDIR
                                      : udf_file_resize(op, node, stat->size);
    }
    if (!error && (which & UDF_SET_MODE)) {
        error = udf_xattr_chmod(op, node, stat->mode);
    }
    if (!error) {
        set_fields(op, node, stat, which);
        udf_node_stat(op->volume, node, wanted->out_stat);
    }
    return error;
}

int udf_setattr(struct udf_volume *volume, uint64_t ino,
                const struct udf_stat *stat, unsigned which,
                struct udf_stat *out_stat) {
    struct attributes wanted = {
        .ino = ino, .stat = stat, .which = which, .out_stat = out_stat};

    return udf_perform_change(volume, set_attributes, &wanted);
}

/* ---- content ----------------------------------------------------------- */

/* Bytes that are read or written. */
struct transfer {
    uint64_t ino, offset;
    uint32_t count;
    void *buf;        /* reading */
    const void *data; /* writing */
    uint32_t *out_count;
};

static int get_content(struct udf_op *op, uint64_t ino,
                       struct udf_node **out_node) {
    int error = udf_node_get(op, ino, out_node);

    return !error && udf_node_is_dir(*out_node) ? -EISDIR : error;
}

static int read_some(struct udf_op *op, void *context) {
    const struct transfer *wanted = context;
    struct udf_node *node;
    int error = get_content(op, wanted->ino, &node);

    return error ? error
                 : udf_file_read(op, node, wanted->offset, wanted->count,
                                 wanted->buf, wanted->out_count);
}

int udf_read(struct udf_volume *volume, uint64_t ino, uint64_t offset,
             uint32_t count, void *buf, uint32_t *out_count) {
    struct transfer wanted = {.ino = ino,
                              .offset = offset,
                              .count = count,
                              .buf = buf,
                              .out_count = out_count};

    return udf_perform_read(volume, read_some, &wanted);
}

static int write_some(struct udf_op *op, void *context) {
    const struct transfer *given = context;
    struct udf_node *node;
    int error = get_content(op, given->ino, &node);

    if (!error) {
        error = udf_node_fixed(op->volume, node);
    }
    return error ? error
                 : udf_file_write(op, node, given->offset, given->count,
                                  given->data);
}

int udf_write(struct udf_volume *volume, uint64_t ino, uint64_t offset,
              uint32_t count, const void *buf) {
    struct transfer given = {
        .ino = ino, .offset = offset, .count = count, .data = buf};

    return udf_perform_write(volume, write_some, &given);
}

struct range_change {
    uint64_t ino;
    const struct udf_range *range;
};

static int change_range(struct udf_op *op, void *context) {
    const struct range_change *change = context;
    struct udf_node *node;
    int error = udf_node_get(op, change->ino, &node);

    if (!error && !udf_node_is_file(node)) {
        error = -EINVAL;
    }
    if (!error) {
        error = udf_node_fixed(op->volume, node);
    }
    return error ? error : udf_file_change_range(op, node, change->range);
}

int udf_change_range(struct udf_volume *volume, uint64_t ino,
                     const struct udf_range *range) {
    struct range_change change = {.ino = ino, .range = range};

    if (range->change == UDF_RANGE_PUNCH && !range->keep_size) {
        return -EOPNOTSUPP;
    }
    return udf_perform_change(volume, change_range, &change);
}

struct seeking {
    uint64_t ino, offset;
    enum udf_seek what;
    uint64_t *out_offset;
};

static int seek(struct udf_op *op, void *context) {
    const struct seeking *seeking = context;
    struct udf_node *node;
    int error = get_content(op, seeking->ino, &node);

    return error ? error
                 : udf_file_seek(node, seeking->offset, seeking->what,
                                 seeking->out_offset);
}

int udf_seek(struct udf_volume *volume, uint64_t ino, uint64_t offset,
             enum udf_seek what, uint64_t *out_offset) {
    struct seeking seeking = {
        .ino = ino, .offset = offset, .what = what, .out_offset = out_offset};

    return udf_perform_read(volume, seek, &seeking);
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
