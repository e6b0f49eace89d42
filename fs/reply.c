/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fs/reply.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "udf/udf.h"

/* How long the kernel may believe names and attributes, in seconds: a year.
 * Nobody else changes the disc while it is mounted; what the kernel changes
 * itself it knows, but for the blocks of a file: see fs_op_ask_again(). */
#define BELIEVE_SECONDS 31536000.0

enum { FRAGMENT_BYTES = 2048 };

/* The kernel drops a reply with an error of 512 and more, and the caller
 * would wait for ever. */
static int reply_code(int err) {
    assert(err <= 0);
    if (err == -ENODEV) {
        return ENXIO; /* what read(2) and write(2) have for a lost device */
    }
    return err < -511 ? EIO : -err;
}

static void fill_attr(const struct udf_stat *stat, struct stat *out) {
    /* st_blksize stays 0: the kernel then shows the page size, which suits
     * its page cache; what is written to the disc does not depend on it. */
    *out = (struct stat){
        .st_ino = stat->ino,
        .st_mode = stat->mode,
        .st_nlink = stat->nlink,
        .st_uid = stat->uid,
        .st_gid = stat->gid,
        .st_rdev = stat->rdev,
        .st_size = (off_t)stat->size,
        .st_blocks = (blkcnt_t)stat->blocks,
        .st_atim = stat->atime,
        .st_mtim = stat->mtime,
        .st_ctim = stat->ctime,
    };
}

static void fill_entry(const struct udf_stat *stat,
                       struct fuse_entry_param *out) {
    *out = (struct fuse_entry_param){
        .ino = stat->ino,
        .generation = stat->generation,
        .attr_timeout = BELIEVE_SECONDS,
        .entry_timeout = BELIEVE_SECONDS,
    };
    fill_attr(stat, &out->attr);
}

void fs_reply_error(fuse_req_t req, int err) {
    fuse_reply_err(req, reply_code(err));
}

void fs_reply_none(fuse_req_t req) {
    fuse_reply_none(req);
}

void fs_reply_entry(fuse_req_t req, struct udf_volume *volume, int err,
                    const struct udf_stat *stat) {
    struct fuse_entry_param entry;

    if (err) {
        fs_reply_error(req, err);
        return;
    }
    fill_entry(stat, &entry);
    if (fuse_reply_entry(req, &entry) != 0) {
        udf_forget(volume, stat->ino, 1);
    }
}

void fs_reply_absent(fuse_req_t req) {
    struct fuse_entry_param entry = {.entry_timeout = BELIEVE_SECONDS};

    fuse_reply_entry(req, &entry);
}

void fs_reply_created(fuse_req_t req, struct udf_volume *volume, int err,
                      const struct udf_stat *stat,
                      struct fuse_file_info *file) {
    struct fuse_entry_param entry;

    if (err) {
        fs_reply_error(req, err);
        return;
    }
    fill_entry(stat, &entry);
    file->keep_cache = 1;
    if (fuse_reply_create(req, &entry, file) != 0) {
        udf_forget(volume, stat->ino, 1);
    }
}

void fs_reply_attr(fuse_req_t req, int err, const struct udf_stat *stat) {
    struct stat attr;

    if (err) {
        fs_reply_error(req, err);
        return;
    }
    fill_attr(stat, &attr);
    fuse_reply_attr(req, &attr, BELIEVE_SECONDS);
}

void fs_reply_open(fuse_req_t req, const struct fuse_file_info *file) {
    fuse_reply_open(req, file);
}

void fs_reply_written(fuse_req_t req, int err, size_t count) {
    if (err) {
        fs_reply_error(req, err);
    } else {
        fuse_reply_write(req, count);
    }
}

void fs_reply_offset(fuse_req_t req, int err, uint64_t offset) {
    if (err) {
        fs_reply_error(req, err);
    } else {
        fuse_reply_lseek(req, (off_t)offset);
    }
}

void fs_reply_text(fuse_req_t req, int err, const char *text) {
    if (err) {
        fs_reply_error(req, err);
    } else {
        fuse_reply_readlink(req, text);
    }
}

void fs_reply_statfs(fuse_req_t req, int err, const struct udf_statfs *statfs) {
    if (err) {
        fs_reply_error(req, err);
        return;
    }
    /* UDF has no table of file entries: as many files can be made as there
     * are free blocks, one for the entry of each. */
    struct statvfs reply = {
        .f_bsize = FRAGMENT_BYTES,
        .f_frsize = FRAGMENT_BYTES,
        .f_blocks = statfs->blocks,
        .f_bfree = statfs->free_blocks,
        .f_bavail = statfs->free_blocks,
        .f_files = statfs->files + statfs->free_blocks,
        .f_ffree = statfs->free_blocks,
        .f_favail = statfs->free_blocks,
        .f_namemax = statfs->name_max,
    };

    fuse_reply_statfs(req, &reply);
}

int fs_reply_data(fuse_req_t req, int err, const void *buf, size_t count) {
    if (err) {
        fs_reply_error(req, err);
        return err;
    }
    return fuse_reply_buf(req, buf, count);
}

void fs_reply_xattr(fuse_req_t req, int err, const void *buf, size_t count,
                    size_t room) {
    if (err) {
        fs_reply_error(req, err);
    } else if (room == 0) {
        fuse_reply_xattr(req, count);
    } else {
        fuse_reply_buf(req, buf, count);
    }
}

bool fs_reply_is_dots(const struct udf_name *name) {
    return (name->len == 1 && name->text[0] == '.') ||
           (name->len == 2 && name->text[0] == '.' && name->text[1] == '.');
}

size_t fs_reply_add_dirent(fuse_req_t req, char *buf, size_t room, bool plus,
                           const struct udf_dirent *entry) {
    char name[UDF_NAME_BYTES_MAX + 1];
    struct fuse_entry_param param;
    size_t used;

    assert(entry->name.len <= UDF_NAME_BYTES_MAX);
    memcpy(name, entry->name.text, entry->name.len);
    name[entry->name.len] = '\0';
    if (plus) {
        fill_entry(&entry->stat, &param);
        /* No reference comes with the dots, so no node id may either. */
        param.ino = fs_reply_is_dots(&entry->name) ? 0 : entry->stat.ino;
        used = fuse_add_direntry_plus(req, buf, room, name, &param,
                                      (off_t)entry->cookie);
    } else {
        struct stat attr = {.st_ino = entry->stat.ino,
                            .st_mode = entry->stat.mode};

        used = fuse_add_direntry(req, buf, room, name, &attr,
                                 (off_t)entry->cookie);
    }
    return used <= room ? used : 0;
}
