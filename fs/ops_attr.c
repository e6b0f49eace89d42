/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "fs/ops.h"
#include "fs/reply.h"
#include "udf/udf.h"

enum {
    WRITE_BYTES_MAX = 1 << 20, /* the most that libfuse takes at once */
    /* Write-back and read-ahead requests in work at once. Fewer than the
     * workers (fs/workers.c), so that while the drive holds all of them up
     * others still get answers. */
    BACKGROUND_MAX = 12,
    TIME_GRANULE_NS = 1000, /* a UDF timestamp ends at microseconds */
    RELATIME_SECONDS = 86400
};

/* What is asked of the kernel, where it can. */
static const unsigned wanted =
    FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO | FUSE_CAP_WRITEBACK_CACHE |
    FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
    FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_EXPORT_SUPPORT |
    FUSE_CAP_CACHE_SYMLINKS;

/* What libfuse asks for by itself and must not have:
 *  - ATOMIC_O_TRUNC: the truncation would come with the OPEN that is declined;
 *  - AUTO_INVAL_DATA: nobody else changes a file, its pages stay good;
 *  - HANDLE_KILLPRIV: the kernel clears set-ID bits at writes, we would not;
 *  - splicing: see fs_op_write(). */
static const unsigned unwanted =
    FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA |
    FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
    FUSE_CAP_SPLICE_MOVE;

/* Access control lists, where the volume can hold them. A directory's default
 * list rules instead of the umask, so the umask comes with them. */
static const unsigned wanted_for_acl = FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK;

enum { ACL_REVISION = 0x0200 };

static bool can_have_acl(struct fs_context *context,
                         const struct fuse_conn_info *conn) {
    struct udf_info info;

    udf_get_info(context->volume, &info);
    return info.revision >= ACL_REVISION &&
           (conn->capable & wanted_for_acl) == wanted_for_acl;
}

void fs_op_init(void *userdata, struct fuse_conn_info *conn) {
    struct fs_context *context = userdata;

    conn->want |= conn->capable & wanted;
    conn->want &= ~unwanted;
    context->acl = can_have_acl(context, conn);
    conn->want |= context->acl ? wanted_for_acl : 0;
    conn->max_write = WRITE_BYTES_MAX;
    conn->max_background = BACKGROUND_MAX;
    conn->congestion_threshold = BACKGROUND_MAX * 3 / 4;
    conn->time_gran = TIME_GRANULE_NS;
    context->open_needless = conn->capable & FUSE_CAP_NO_OPEN_SUPPORT;
    context->opendir_needless = conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT;
}

/* Whether pages of the file did not fit; once for each time. */
static bool was_refused(struct fs_context *context, fuse_ino_t ino) {
    uint_least64_t expected = ino;

    return atomic_compare_exchange_strong(
        &context->refused[ino % FS_WRITTEN_SLOTS], &expected, 0);
}

void fs_op_getattr(fuse_req_t req, fuse_ino_t ino,
                   struct fuse_file_info *file) {
    struct fs_context *context = fs_op_context(req);
    struct udf_stat stat;
    int err = 0;

    /* With a file: not stat(2), but on the way to a write (or to a read at the
     * file's end, which has to bear with it); see fs/session.c. */
    if (file && atomic_load(&context->leaving)) {
        err = -EROFS;
    } else if (file && was_refused(context, ino)) {
        err = -ENOSPC;
    }
    if (!err) {
        err = udf_getattr(context->volume, ino, &stat);
    }
    fs_reply_attr(req, err, &stat);
}

static struct timespec now(void) {
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    return time;
}

/* Which times a SETATTR sets, and to what. */
static unsigned times_to_set(const struct stat *attr, int to_set,
                             struct udf_stat *stat) {
    unsigned which = 0;

    if (to_set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW)) {
        stat->atime = to_set & FUSE_SET_ATTR_ATIME_NOW ? now() : attr->st_atim;
        which |= UDF_SET_ATIME;
    }
    if (to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW)) {
        stat->mtime = to_set & FUSE_SET_ATTR_MTIME_NOW ? now() : attr->st_mtim;
        which |= UDF_SET_MTIME;
    }
    if (to_set & FUSE_SET_ATTR_CTIME) {
        stat->ctime = attr->st_ctim;
        which |= UDF_SET_CTIME;
    }
    return which;
}

void fs_op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
                   int to_set, struct fuse_file_info *file) {
    struct udf_stat stat = {.mode = attr->st_mode & 07777,
                            .uid = attr->st_uid,
                            .gid = attr->st_gid,
                            .size = (uint64_t)attr->st_size};
    struct fs_context *context = fs_op_context(req);
    struct udf_stat result;
    unsigned times = times_to_set(attr, to_set, &stat);
    unsigned which = times;
    int err = 0;

    (void)file;
    which |= to_set & FUSE_SET_ATTR_MODE ? UDF_SET_MODE : 0u;
    which |= to_set & FUSE_SET_ATTR_UID ? UDF_SET_UID : 0u;
    which |= to_set & FUSE_SET_ATTR_GID ? UDF_SET_GID : 0u;
    which |= to_set & FUSE_SET_ATTR_SIZE ? UDF_SET_SIZE : 0u;
    /* Times come with the pages that the kernel hands over. */
    if (which != times) {
        err = fs_op_may_change(context);
    }
    if (!err) {
        err = udf_setattr(context->volume, ino, &stat, which, &result);
    }
    fs_reply_attr(req, err, &result);
}

void fs_op_statfs(fuse_req_t req, fuse_ino_t ino) {
    struct udf_statfs statfs;

    (void)ino;
    udf_get_statfs(fs_op_context(req)->volume, &statfs);
    fs_reply_statfs(req, 0, &statfs);
}

static bool is_before(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec < b->tv_sec ||
           (a->tv_sec == b->tv_sec && a->tv_nsec <= b->tv_nsec);
}

/* The kernel keeps no access times for FUSE. Reads that it answers from its
 * page cache are not seen here, so relatime is what is promised, not more. */
void fs_op_touch_atime(struct fs_context *context, fuse_ino_t ino) {
    struct udf_stat stat;
    struct timespec time = now();

    if (context->atime != FS_RELATIME || context->read_only ||
        udf_getattr(context->volume, ino, &stat) != 0) {
        return;
    }
    if (is_before(&stat.atime, &stat.mtime) ||
        is_before(&stat.atime, &stat.ctime) ||
        time.tv_sec - stat.atime.tv_sec >= RELATIME_SECONDS) {
        stat.atime = time;
        /* With its old ctime: reading a file does not change it. The read
         * has succeeded, so an error here is nobody's. */
        (void)udf_setattr(context->volume, ino, &stat,
                          UDF_SET_ATIME | UDF_SET_CTIME, &stat);
    }
}
