/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/differ_name.c - operations on names and attributes. See
 * differ.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test/support/differ.h"

enum {
    DEVICE_MAJOR = 4000, /* which no driver has */
    TIMES_BELOW = 1000000000,
    XATTR_BYTES_MAX = 6000
};

static struct differ_outcome run_create(struct differ_side *side,
                                        const struct differ_op *op) {
    static const int flags[] = {O_CREAT, O_CREAT | O_EXCL, O_CREAT | O_TRUNC,
                                O_CREAT | O_NOFOLLOW};
    int fd = openat(side->root, op->path,
                    O_WRONLY | O_NONBLOCK | O_CLOEXEC | flags[op->choice % 4],
                    op->seed % 01000);
    struct differ_outcome outcome = differ_outcome_of(fd < 0 ? -1 : 0);

    if (fd >= 0) {
        close(fd);
    }
    return outcome;
}

static struct differ_outcome run_mkdir(struct differ_side *side,
                                       const struct differ_op *op) {
    return differ_outcome_of(mkdirat(side->root, op->path, op->seed % 02000));
}

static struct differ_outcome run_mknod(struct differ_side *side,
                                       const struct differ_op *op) {
    static const mode_t types[] = {S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK,
                                   S_IFREG};

    return differ_outcome_of(mknodat(side->root, op->path,
                                     types[op->choice % 5] | op->seed % 010000,
                                     makedev(DEVICE_MAJOR, op->seed % 256)));
}

static struct differ_outcome run_symlink(struct differ_side *side,
                                         const struct differ_op *op) {
    return differ_outcome_of(symlinkat(op->other, side->root, op->path));
}

static struct differ_outcome run_readlink(struct differ_side *side,
                                          const struct differ_op *op) {
    char target[DIFFER_PATH_BYTES];
    ssize_t got = readlinkat(side->root, op->path, target, sizeof target);
    struct differ_outcome outcome = differ_outcome_of(got);

    outcome.digest = differ_digest(0, target, got > 0 ? (size_t)got : 0);
    return outcome;
}

static struct differ_outcome run_link(struct differ_side *side,
                                      const struct differ_op *op) {
    return differ_outcome_of(linkat(side->root, op->path, side->root, op->other,
                                    op->choice % 4 ? 0 : AT_SYMLINK_FOLLOW));
}

static struct differ_outcome run_unlink(struct differ_side *side,
                                        const struct differ_op *op) {
    return differ_outcome_of(unlinkat(side->root, op->path, 0));
}

static struct differ_outcome run_rmdir(struct differ_side *side,
                                       const struct differ_op *op) {
    return differ_outcome_of(unlinkat(side->root, op->path, AT_REMOVEDIR));
}

static int remove_one(const char *path, const struct stat *attr, int type,
                      struct FTW *walk) {
    (void)attr;
    (void)type;
    (void)walk;
    return remove(path);
}

/* What moved too deep for a path to be drawn goes away by this. */
static struct differ_outcome run_remove_tree(struct differ_side *side,
                                             const struct differ_op *op) {
    return differ_outcome_of(nftw(differ_full_path(side, op->path), remove_one,
                                  16, FTW_DEPTH | FTW_PHYS));
}

static struct differ_outcome run_rename(struct differ_side *side,
                                        const struct differ_op *op) {
    static const unsigned flags[] = {0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE};

    return differ_outcome_of(renameat2(side->root, op->path, side->root,
                                       op->other, flags[op->choice % 4]));
}

static struct differ_outcome run_chmod(struct differ_side *side,
                                       const struct differ_op *op) {
    return differ_outcome_of(
        fchmodat(side->root, op->path, op->seed % 010000, 0));
}

static struct differ_outcome run_chown(struct differ_side *side,
                                       const struct differ_op *op) {
    uid_t uid = op->choice % 3 ? op->seed % 5000 : (uid_t)-1;
    gid_t gid = op->choice % 4 ? op->seed % 7000 : (gid_t)-1;

    return differ_outcome_of(
        fchownat(side->root, op->path, uid, gid,
                 op->choice & 64 ? AT_SYMLINK_NOFOLLOW : 0));
}

/* A time to set: UDF keeps microseconds. */
static struct timespec time_of(uint32_t number, unsigned variant) {
    struct timespec time = {.tv_sec = number % TIMES_BELOW,
                            .tv_nsec = number % 1000000 * 1000};

    if (variant == 0) {
        time.tv_sec = -time.tv_sec;
    } else if (variant < 3) {
        time.tv_nsec = variant == 1 ? UTIME_OMIT : UTIME_NOW;
    }
    return time;
}

static struct differ_outcome run_utimens(struct differ_side *side,
                                         const struct differ_op *op) {
    struct timespec times[2] = {time_of(op->seed, op->choice % 7),
                                time_of(op->seed / 3, op->choice / 7 % 7)};

    return differ_outcome_of(
        utimensat(side->root, op->path, times,
                  op->choice & 64 ? AT_SYMLINK_NOFOLLOW : 0));
}

static struct differ_outcome run_stat(struct differ_side *side,
                                      const struct differ_op *op) {
    struct stat attr;
    struct differ_outcome outcome = differ_outcome_of(fstatat(
        side->root, op->path, &attr, op->choice & 1 ? AT_SYMLINK_NOFOLLOW : 0));

    outcome.digest = outcome.error ? 0 : differ_digest_stat(&attr);
    return outcome;
}

static struct differ_outcome run_list(struct differ_side *side,
                                      const struct differ_op *op) {
    const char *path = op->choice % 3 ? op->path : ".";
    struct dirent **entries = NULL;
    int count = scandirat(side->root, path, &entries, NULL, NULL);
    struct differ_outcome outcome = differ_outcome_of(count);

    for (int i = 0; i < count; i++) {
        outcome.digest +=
            differ_digest(0, entries[i]->d_name, strlen(entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    return outcome;
}

/* ---- extended attributes ----------------------------------------------- */

static const char *xattr_name(const struct differ_op *op) {
    static const char *const names[] = {"user.a", "user.longer name",
                                        "user.ключ", "trusted.a"};

    return names[op->choice / 4 % 4];
}

static struct differ_outcome run_setxattr(struct differ_side *side,
                                          const struct differ_op *op) {
    static const int flags[] = {0, 0, XATTR_CREATE, XATTR_REPLACE};
    static char value[XATTR_BYTES_MAX];
    size_t count =
        op->choice & 1024 ? op->count % 100 : op->count % sizeof value;

    memset(value, (int)(op->seed % 256), count);
    return differ_outcome_of(lsetxattr(differ_full_path(side, op->path),
                                       xattr_name(op), value, count,
                                       flags[op->choice % 4]));
}

static struct differ_outcome run_removexattr(struct differ_side *side,
                                             const struct differ_op *op) {
    return differ_outcome_of(
        lremovexattr(differ_full_path(side, op->path), xattr_name(op)));
}

static struct differ_outcome run_getxattr(struct differ_side *side,
                                          const struct differ_op *op) {
    static char value[XATTR_BYTES_MAX];
    ssize_t got = lgetxattr(differ_full_path(side, op->path), xattr_name(op),
                            value, op->count % sizeof value);
    struct differ_outcome outcome = differ_outcome_of(got);

    outcome.digest = differ_digest_xattrs(side, op->path);
    if (op->count % sizeof value > 0 && got > 0) {
        outcome.digest = differ_digest(outcome.digest, value, (size_t)got);
    }
    return outcome;
}

const struct differ_kind differ_name_kinds[] = {
    {"create", 60, false, run_create},
    {"mkdir", 40, false, run_mkdir},
    {"mknod", 10, false, run_mknod},
    {"symlink", 15, false, run_symlink},
    {"readlink", 5, false, run_readlink},
    {"link", 20, false, run_link},
    {"unlink", 45, false, run_unlink},
    {"rmdir", 15, false, run_rmdir},
    {"remove tree", 4, false, run_remove_tree},
    {"rename", 50, false, run_rename},
    {"chmod", 12, false, run_chmod},
    {"chown", 12, false, run_chown},
    {"utimens", 20, false, run_utimens},
    {"stat", 15, false, run_stat},
    {"list", 15, false, run_list},
    {"setxattr", 20, true, run_setxattr},
    {"removexattr", 8, true, run_removexattr},
    {"getxattr", 10, true, run_getxattr},
    {.name = NULL},
};
