/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/bench/null_fs.c - a FUSE file system that does nothing with what it
 * gets: what it costs is what FUSE itself costs on this machine. One flat
 * directory; files have names and sizes, and read as zeros.
 *
 *   null_fs TABLE MOUNTPOINT   stays in the foreground until unmounted
 *
 * Names and sizes are kept in the file TABLE, for the next mount.
 *
 * The kernel asks it what it asks a file system with owners and extended
 * attributes (so the permissions are checked by the kernel, which asks for the
 * directory's after each change of it), and nothing that such a one can do
 * without: no OPEN, no FLUSH, no RELEASE.
 */
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 1 << 16, NAME_MAX_BYTES = 32, WRITE_MAX = 1 << 20 };

struct entry {
    char name[NAME_MAX_BYTES]; /* "" = not there */
    off_t size;
};

/* The i-th file has node id i + 2. Names are found by hash, linearly. */
struct table {
    struct entry entry[FILES_MAX];
};

static struct table *table_of(fuse_req_t request) {
    return fuse_req_userdata(request);
}

static size_t slot_of(struct table *table, const char *name, bool free_too) {
    size_t hash = 5381;

    for (const char *c = name; *c; c++) {
        hash = hash * 33 + (unsigned char)*c;
    }
    for (size_t i = 0; i < FILES_MAX; i++) {
        size_t at = (hash + i) % FILES_MAX;

        if (strcmp(table->entry[at].name, name) == 0 ||
            (free_too && !table->entry[at].name[0])) {
            return at;
        }
        if (!table->entry[at].name[0]) {
            break;
        }
    }
    return FILES_MAX;
}

static struct stat stat_of(struct table *table, fuse_ino_t ino) {
    if (ino == FUSE_ROOT_ID) {
        return (struct stat){
            .st_ino = ino, .st_mode = S_IFDIR | 0777, .st_nlink = 2};
    }
    return (struct stat){.st_ino = ino,
                         .st_mode = S_IFREG | 0666,
                         .st_nlink = 1,
                         .st_size = table->entry[ino - 2].size};
}

static struct fuse_entry_param param_of(struct table *table, size_t slot) {
    return (struct fuse_entry_param){.ino = slot + 2,
                                     .attr = stat_of(table, slot + 2),
                                     .attr_timeout = 3600,
                                     .entry_timeout = 3600};
}

static void null_init(void *context, struct fuse_conn_info *conn) {
    (void)context;
    conn->want |= conn->capable & FUSE_CAP_WRITEBACK_CACHE;
    conn->max_write = WRITE_MAX;
}

static void null_lookup(fuse_req_t request, fuse_ino_t parent,
                        const char *name) {
    struct table *table = table_of(request);
    size_t slot = slot_of(table, name, false);
    struct fuse_entry_param param;

    (void)parent;
    if (slot == FILES_MAX) {
        fuse_reply_err(request, ENOENT);
        return;
    }
    param = param_of(table, slot);
    fuse_reply_entry(request, &param);
}

static void null_getattr(fuse_req_t request, fuse_ino_t ino,
                         struct fuse_file_info *file) {
    struct stat stat = stat_of(table_of(request), ino);

    (void)file;
    fuse_reply_attr(request, &stat, 3600);
}

static void null_setattr(fuse_req_t request, fuse_ino_t ino, struct stat *attr,
                         int which, struct fuse_file_info *file) {
    if (ino != FUSE_ROOT_ID && which & FUSE_SET_ATTR_SIZE) {
        table_of(request)->entry[ino - 2].size = attr->st_size;
    }
    null_getattr(request, ino, file);
}

static void null_create(fuse_req_t request, fuse_ino_t parent, const char *name,
                        mode_t mode, struct fuse_file_info *file) {
    struct table *table = table_of(request);
    size_t slot = slot_of(table, name, true);
    struct fuse_entry_param param;

    (void)parent;
    (void)mode;
    if (slot == FILES_MAX || strlen(name) >= NAME_MAX_BYTES) {
        fuse_reply_err(request, ENOSPC);
        return;
    }
    strcpy(table->entry[slot].name, name);
    table->entry[slot].size = 0;
    param = param_of(table, slot);
    fuse_reply_create(request, &param, file);
}

/* The slot stays taken by an unlikely name, so that probing finds the rest. */
static void null_unlink(fuse_req_t request, fuse_ino_t parent,
                        const char *name) {
    struct table *table = table_of(request);
    size_t slot = slot_of(table, name, false);

    (void)parent;
    if (slot != FILES_MAX) {
        strcpy(table->entry[slot].name, "/");
    }
    fuse_reply_err(request, slot == FILES_MAX ? ENOENT : 0);
}

static void null_read(fuse_req_t request, fuse_ino_t ino, size_t bytes,
                      off_t offset, struct fuse_file_info *file) {
    static const char zeros[WRITE_MAX];
    off_t size = table_of(request)->entry[ino - 2].size;
    size_t left = offset < size ? (size_t)(size - offset) : 0;

    (void)file;
    bytes = bytes < left ? bytes : left;
    fuse_reply_buf(request, zeros, bytes < WRITE_MAX ? bytes : WRITE_MAX);
}

static void null_write(fuse_req_t request, fuse_ino_t ino, const char *buf,
                       size_t bytes, off_t offset,
                       struct fuse_file_info *file) {
    struct entry *entry = &table_of(request)->entry[ino - 2];

    (void)buf;
    (void)file;
    if (offset + (off_t)bytes > entry->size) {
        entry->size = offset + (off_t)bytes;
    }
    fuse_reply_write(request, bytes);
}

static void null_getxattr(fuse_req_t request, fuse_ino_t ino, const char *name,
                          size_t room) {
    (void)ino;
    (void)name;
    (void)room;
    fuse_reply_err(request, ENODATA);
}

static void null_fsync(fuse_req_t request, fuse_ino_t ino, int data,
                       struct fuse_file_info *file) {
    (void)ino;
    (void)data;
    (void)file;
    fuse_reply_err(request, 0);
}

static const struct fuse_lowlevel_ops operations = {
    .init = null_init,
    .lookup = null_lookup,
    .getattr = null_getattr,
    .setattr = null_setattr,
    .create = null_create,
    .unlink = null_unlink,
    .read = null_read,
    .write = null_write,
    .fsync = null_fsync,
    .getxattr = null_getxattr,
};

/* NULL when it cannot be had. */
static struct table *map_table(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *table = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, sizeof(struct table)) == 0) {
        table = mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE,
                     MAP_SHARED, fd, 0);
    }
    if (fd >= 0) {
        close(fd);
    }
    return table == MAP_FAILED ? NULL : table;
}

int main(int argc, char **argv) {
    char *options[] = {"null_fs", "-odefault_permissions", NULL};
    struct fuse_args args = FUSE_ARGS_INIT(2, options);
    struct table *table = argc == 3 ? map_table(argv[1]) : NULL;
    struct fuse_session *session;
    int result = 1;

    if (!table) {
        return 2;
    }
    session = fuse_session_new(&args, &operations, sizeof(operations), table);
    if (session && fuse_session_mount(session, argv[2]) == 0) {
        result = fuse_session_loop(session) != 0;
        fuse_session_unmount(session);
    }
    if (session) {
        fuse_session_destroy(session);
    }
    return result;
}
