/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/node_stat.c - what users see of a node: its type, owner and mode, by the
 * options of the mount where the disc does not say or shall not be heard; its
 * times. See udf/node.h.
 */
#include "udf/node.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "udf/attr.h"
#include "udf/ea.h"
#include "udf/volume.h"

bool udf_node_is_dir(const struct udf_node *node) {
    return node->attr.file_type == UDF_FILE_DIRECTORY;
}

bool udf_node_is_posix(const struct udf_node *node) {
    return udf_type_decode(node->attr.file_type) != 0;
}

bool udf_node_has_fids(const struct udf_node *node) {
    return udf_node_is_dir(node) ||
           node->attr.file_type == UDF_FILE_STREAM_DIRECTORY;
}

struct udf_space *udf_node_space(const struct udf_volume *volume,
                                 const struct udf_node *node) {
    return udf_node_has_fids(node) ? volume->meta : volume->space;
}

static mode_t mode_of(const struct udf_mount_options *options,
                      const struct udf_attr *attr) {
    mode_t type = udf_type_decode(attr->file_type);
    mode_t mode =
        udf_mode_decode(attr->permissions, attr->icb_flags, attr->file_type);

    if (S_ISLNK(type)) {
        return type | mode;
    }
    if (S_ISDIR(type) && options->dir_mode) {
        mode = options->dir_mode & 07777;
    } else if (S_ISREG(type) && options->file_mode) {
        mode = options->file_mode & 07777;
    }
    return type | (mode & ~options->umask);
}

bool udf_node_is_file(const struct udf_node *node) {
    return node->attr.file_type == UDF_FILE_REGULAR ||
           node->attr.file_type == UDF_FILE_REALTIME;
}

static struct timespec timespec_of(const struct udf_time *time) {
    return (struct timespec){.tv_sec = time->sec, .tv_nsec = time->nsec};
}

void udf_node_stat(const struct udf_volume *volume, const struct udf_node *node,
                   struct udf_stat *out_stat) {
    const struct udf_mount_options *options = &volume->options;
    const struct udf_attr *attr = &node->attr;
    /* With the entry's own: a file with content in the page cache alone, or in
     * its entry, must not pass for one hole, as it would for tar -S. */
    uint64_t blocks = 1 + udf_extents_recorded(&node->body.extents) +
                      udf_extents_allocated(&node->body.extents) +
                      node->body.reserved;
    bool uid_given = options->uid_all || attr->uid == UDF_ID_UNSET;
    bool gid_given = options->gid_all || attr->gid == UDF_ID_UNSET;

    *out_stat = (struct udf_stat){
        .ino = node->ino,
        .generation = (uint32_t)attr->unique_id,
        .mode = mode_of(options, attr),
        /* A directory counts its parent's FID and its children's; stat(2)
         * counts "." besides. */
        .nlink = udf_node_is_dir(node) && !node->orphan ? attr->links + 1u
                                                        : attr->links,
        .uid = uid_given ? options->uid : attr->uid,
        .gid = gid_given ? options->gid : attr->gid,
        .rdev = attr->rdev,
        .size = attr->file_type == UDF_FILE_SYMLINK ? node->target_bytes
                                                    : node->body.size,
        .blocks = blocks * (UDF_BLOCK_BYTES / 512),
        .atime = timespec_of(&attr->atime),
        .mtime = timespec_of(&attr->mtime),
        .ctime = timespec_of(&attr->ctime),
        .btime = timespec_of(&attr->btime),
    };
}

int udf_node_keep_btime(const struct udf_volume *volume,
                        struct udf_node *node) {
    struct udf_ea_place place = {
        .revision = volume->identity.revision,
        .lbn = node->chain.entry.lbn,
        .style = &volume->identity.style,
    };
    const struct udf_kept *kept = &node->kept;
    uint32_t bytes;
    uint8_t *ea;
    int error = 0;

    if (!kept->extended) {
        error = udf_ea_set_btime(kept->ea, kept->ea_bytes, &node->attr.btime,
                                 &place, &ea, &bytes);
        if (!error) {
            free(node->kept.ea);
            node->kept.ea = ea;
            node->kept.ea_bytes = bytes;
        }
    }
    return error;
}
