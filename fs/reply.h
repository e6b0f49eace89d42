/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/reply.h - results of udf/ as FUSE replies; nothing else replies.
 *
 * `err` is 0 or a negative errno in all functions; with an error the rest of
 * the arguments is not looked at.
 */
#ifndef FS_REPLY_H
#define FS_REPLY_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct udf_dirent;
struct udf_name;
struct udf_stat;
struct udf_statfs;
struct udf_volume;

/* Success or failure, without more. */
void fs_reply_error(fuse_req_t req, int err);

/* For FUSE_FORGET, which takes no reply. */
void fs_reply_none(fuse_req_t req);

/* An object that was looked up or made, whose reference goes to the kernel.
 * When the kernel no longer wants the reply, the reference is given back. */
void fs_reply_entry(fuse_req_t req, struct udf_volume *volume, int err,
                    const struct udf_stat *stat);

/* "There is no such name, and there will be none until you make it." */
void fs_reply_absent(fuse_req_t req);

/* An object that was made and opened; as fs_reply_entry(). */
void fs_reply_created(fuse_req_t req, struct udf_volume *volume, int err,
                      const struct udf_stat *stat, struct fuse_file_info *file);

void fs_reply_attr(fuse_req_t req, int err, const struct udf_stat *stat);
void fs_reply_open(fuse_req_t req, const struct fuse_file_info *file);
void fs_reply_written(fuse_req_t req, int err, size_t count);
void fs_reply_offset(fuse_req_t req, int err, uint64_t offset);
void fs_reply_text(fuse_req_t req, int err, const char *text);
void fs_reply_statfs(fuse_req_t req, int err, const struct udf_statfs *statfs);

/* `count` bytes of content. Returns 0, or a negative errno when the kernel did
 * not take them. */
int fs_reply_data(fuse_req_t req, int err, const void *buf, size_t count);

/* `count` bytes of an attribute or of a list of names, or how many there are
 * when the kernel only asks for that (`room` 0). */
void fs_reply_xattr(fuse_req_t req, int err, const void *buf, size_t count,
                    size_t room);

/* Whether `name` is "." or "..", to which a listing gives no references. */
bool fs_reply_is_dots(const struct udf_name *name);

/* Appends `entry` to a buffer of directory entries with `room` bytes left;
 * `plus` gives its attributes and the reference with it. Returns the bytes
 * used, 0 when there is no room. */
size_t fs_reply_add_dirent(fuse_req_t req, char *buf, size_t room, bool plus,
                           const struct udf_dirent *entry);

#endif
