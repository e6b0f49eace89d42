/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/posix/handles.c - open files and directories: listing while names come
 * and go, locks, extended attributes, files without a name, descriptors of
 * every kind in every call, handles that outlive them, what is said of the
 * whole file system.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test/posix/posix.h"

/* ---- directories ------------------------------------------------------- */

enum { ENTRIES = 300 };

/* Lists "dir" from where `dir` is, and marks the numbers that were seen. */
static long list_on(DIR *dir, unsigned char seen[ENTRIES]) {
    long count = 0;

    for (struct dirent *entry; (entry = readdir(dir)); count++) {
        if (entry->d_name[0] != '.') {
            seen[atoi(entry->d_name) % ENTRIES]++;
        }
    }
    return count;
}

static void name_file(char *text, size_t room, int i) {
    snprintf(text, room, "dir/%d of many files", i);
}

static void check_listing(void) {
    unsigned char seen[ENTRIES] = {0};
    unsigned char before[ENTRIES] = {0};
    DIR *dir;
    char name[64];
    long place = 0;
    bool all = true, twice = false;

    posix_row("listing");
    posix_make(POSIX_DIR, "dir");
    for (int i = 0; i < ENTRIES; i++) {
        name_file(name, sizeof name, i);
        posix_make(POSIX_FILE, name);
    }
    dir = opendir("dir");
    for (int i = 0; i < 100; i++) {
        struct dirent *entry = readdir(dir);

        place = telldir(dir);
        if (entry && entry->d_name[0] != '.') {
            before[atoi(entry->d_name) % ENTRIES] = 1;
        }
    }
    posix_is("the rest", ENTRIES + 2 - 100, list_on(dir, seen));
    for (int i = 0; i < ENTRIES; i += 2) { /* what stays must be seen once */
        name_file(name, sizeof name, i);
        posix_fails("unlink", 0, unlink(name));
    }
    memset(seen, 0, sizeof seen);
    seekdir(dir, place);
    (void)list_on(dir, seen);
    for (int i = 1; i < ENTRIES; i += 2) {
        all = all && seen[i] + before[i] >= 1;
        twice = twice || seen[i] + before[i] > 1;
    }
    posix_is("nothing is passed over after seekdir", true, all);
    posix_is("nothing comes twice after seekdir", false, twice);
    memset(seen, 0, sizeof seen);
    rewinddir(dir);
    posix_is("after rewinddir", ENTRIES / 2 + 2, list_on(dir, seen));
    closedir(dir);
    posix_fails("rmdir", ENOTEMPTY, rmdir("dir"));
}

static void check_types(void) {
    for (int kind = 0; kind < POSIX_ABSENT; kind++) {
        struct dirent *entry;
        struct stat attr;
        DIR *dir;

        posix_row("listing a %s", posix_kind_name[kind]);
        posix_make(POSIX_DIR, "dir");
        posix_make((enum posix_kind)kind, "object");
        posix_fails("rename", 0, rename("object", "dir/object"));
        posix_fails("lstat", 0, lstat("dir/object", &attr));
        dir = opendir("dir");
        while ((entry = readdir(dir)) && entry->d_name[0] == '.') {
            posix_is("type of dots", DT_DIR, entry->d_type);
        }
        posix_is("there", true, entry != NULL);
        if (entry) {
            posix_is("number", (long)attr.st_ino, (long)entry->d_ino);
            posix_is("type", true,
                     entry->d_type == DT_UNKNOWN ||
                         entry->d_type == IFTODT(attr.st_mode));
        }
        closedir(dir);
        posix_remove("dir");
        unlink("target file");
        rmdir("target directory");
    }
}

void posix_directories(void) {
    struct statvfs attr;

    check_types();
    check_listing();
    posix_row("file system");
    posix_fails("statvfs", 0, statvfs(".", &attr));
    posix_is("blocks have a size", true, attr.f_frsize > 0);
    posix_is("free blocks", true, attr.f_bfree <= attr.f_blocks);
    posix_is("for users", true, attr.f_bavail <= attr.f_bfree);
    posix_is("files", true, attr.f_ffree <= attr.f_files);
    posix_is("names", true, attr.f_namemax >= 254);
    posix_is("pathconf", (long)attr.f_namemax, pathconf(".", _PC_NAME_MAX));
    posix_fails("rmdir of a mount point", posix_is_root() ? EBUSY : EACCES,
                rmdir("/proc"));
}

/* ---- locks ------------------------------------------------------------- */

/* Tries to lock the file as another process would. Returns errno or 0. */
static int try_elsewhere(int command, short type, off_t start, off_t count) {
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct flock lock = {.l_type = type, .l_start = start, .l_len = count};
        int fd = open("file", O_RDWR);

        _exit(fcntl(fd, command, &lock) ? errno : 0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_range_lock(int command, short held, short wanted,
                             unsigned place) {
    static const struct {
        off_t start, count;
        bool overlaps;
    } places[] = {{0, 0, true},    {0, 10, false},  {0, 11, true},
                  {10, 10, true},  {15, 2, true},   {19, 100, true},
                  {20, 10, false}, {1000, 0, false}};
    struct flock lock = {.l_type = held, .l_start = 10, .l_len = 10};
    bool conflict =
        places[place].overlaps && (held == F_WRLCK || wanted == F_WRLCK);
    int fd = open("file", O_RDWR);

    posix_row("%s lock, type %d against %d, place %u",
              command == F_SETLK ? "process" : "open file", wanted, held,
              place);
    posix_fails("lock", 0, fcntl(fd, command, &lock));
    posix_is("elsewhere", conflict ? EAGAIN : 0,
             try_elsewhere(command, wanted, places[place].start,
                           places[place].count));
    close(fd);
    posix_is("after closing", 0, try_elsewhere(command, wanted, 0, 0));
}

static void check_whole_lock(int held, int wanted) {
    int first = open("file", O_RDWR), second = open("file", O_RDONLY);
    bool conflict = held == LOCK_EX || wanted == LOCK_EX;

    posix_row("flock %d against %d", wanted, held);
    posix_fails("lock", 0, flock(first, held | LOCK_NB));
    posix_fails("second", conflict ? EWOULDBLOCK : 0,
                flock(second, wanted | LOCK_NB));
    posix_fails("unlock", 0, flock(first, LOCK_UN));
    posix_fails("second again", 0, flock(second, wanted | LOCK_NB));
    close(first);
    close(second);
}

void posix_locks(void) {
    struct flock lock = {.l_type = F_WRLCK};
    int fd;

    posix_make(POSIX_FILE, "file");
    for (int row = 0; row < 64; row++) {
        check_range_lock(row / 32 ? F_OFD_SETLK : F_SETLK,
                         row & 1 ? F_WRLCK : F_RDLCK,
                         row & 2 ? F_WRLCK : F_RDLCK, (unsigned)row / 4 % 8);
    }
    for (int row = 0; row < 4; row++) {
        check_whole_lock(row & 1 ? LOCK_EX : LOCK_SH,
                         row & 2 ? LOCK_EX : LOCK_SH);
    }
    posix_row("rights");
    fd = open("file", O_RDONLY);
    posix_fails("write lock, opened to read", EBADF, fcntl(fd, F_SETLK, &lock));
    close(fd);
    posix_fails("closed", EBADF, flock(fd, LOCK_SH));
}

/* ---- extended attributes ----------------------------------------------- */

static void check_xattr_value(enum posix_kind kind, size_t bytes) {
    static char value[4000], got[4001];

    memset(value, 'v', sizeof value);
    posix_row("%zu bytes on a %s", bytes, posix_kind_name[kind]);
    posix_make(kind, "object");
    posix_fails("absent", ENODATA, getxattr("object", "user.a", got, 100));
    posix_fails("replace what is absent", ENODATA,
                setxattr("object", "user.a", value, bytes, XATTR_REPLACE));
    posix_fails("set", 0, setxattr("object", "user.a", value, bytes, 0));
    posix_is("length", (long)bytes, getxattr("object", "user.a", NULL, 0));
    posix_is("get", (long)bytes, getxattr("object", "user.a", got, sizeof got));
    posix_is("value", 0, memcmp(got, value, bytes));
    if (bytes > 1) {
        posix_fails("no room", ERANGE,
                    getxattr("object", "user.a", got, bytes - 1));
    }
    posix_fails("create what is there", EEXIST,
                setxattr("object", "user.a", "x", 1, XATTR_CREATE));
    posix_fails("replace", 0,
                setxattr("object", "user.a", "x", 1, XATTR_REPLACE));
    posix_is("new length", 1, getxattr("object", "user.a", NULL, 0));
    posix_is("list", 7, listxattr("object", got, sizeof got));
    posix_fails("list without room", ERANGE, listxattr("object", got, 6));
    posix_fails("remove", 0, removexattr("object", "user.a"));
    posix_fails("remove again", ENODATA, removexattr("object", "user.a"));
    posix_is("empty list", 0, listxattr("object", got, sizeof got));
    posix_remove("object");
}

static void check_xattr_errors(void) {
    static char long_name[300] = "user.";

    memset(long_name + 5, 'n', 260);
    posix_row("errors of attributes");
    posix_make(POSIX_FILE, "file");
    posix_make(POSIX_FIFO, "fifo");
    posix_make(POSIX_DANGLING, "dangling");
    posix_fails("unknown namespace", EOPNOTSUPP,
                setxattr("file", "other.a", "", 0, 0));
    posix_fails("no namespace", EOPNOTSUPP, setxattr("file", "a", "", 0, 0));
    posix_fails("no name", ERANGE, setxattr("file", "", "", 0, 0));
    posix_fails("long name", ERANGE, setxattr("file", long_name, "", 0, 0));
    posix_fails("unknown flag", EINVAL,
                setxattr("file", "user.a", "", 0, 0x40));
    posix_fails("on a fifo", EPERM, setxattr("fifo", "user.a", "", 0, 0));
    posix_fails("on a link", EPERM, lsetxattr("dangling", "user.a", "", 0, 0));
    posix_fails("broken list", EINVAL,
                setxattr("file", "system.posix_acl_access", "abc", 3, 0));
    posix_fails("default list of a file", EACCES,
                setxattr("file", "system.posix_acl_default",
                         "\2\0\0\0\1\0\7\0\377\377\377\377"
                         "\4\0\7\0\377\377\377\377\40\0\7\0\377\377\377\377",
                         28, 0));
    posix_fails("trusted", posix_is_root() ? 0 : EPERM,
                setxattr("file", "trusted.a", "", 0, 0));
    chmod("file", 0444);
    posix_fails("on what cannot be written", posix_is_root() ? 0 : EACCES,
                setxattr("file", "user.a", "", 0, 0));
}

void posix_attributes(void) {
    static const size_t lengths[] = {0, 1, 100, 2048, 4000};

    for (size_t i = 0; i < 10; i++) {
        check_xattr_value(i % 2 ? POSIX_DIR : POSIX_FILE, lengths[i / 2]);
    }
    check_xattr_errors();
}

/* ---- files without a name ---------------------------------------------- */

static void check_unlinked(void) {
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    char path[64], byte;
    struct stat attr;

    posix_row("without a name");
    posix_is("write", 4, write(fd, "text", 4));
    posix_fails("unlink", 0, unlink("file"));
    posix_fails("fstat", 0, fstat(fd, &attr));
    posix_is("links", 0, (long)attr.st_nlink);
    posix_is("read", 1, pread(fd, &byte, 1, 2));
    posix_is("byte", 'x', byte);
    posix_is("more", 1, pwrite(fd, "y", 1, 9000));
    posix_fails("ftruncate", 0, ftruncate(fd, 20000));
    posix_fails("fchmod", 0, fchmod(fd, 0600));
    posix_fails("futimens", 0, futimens(fd, NULL));
    posix_fails("fsetxattr", 0, fsetxattr(fd, "user.a", "x", 1, 0));
    posix_fails("fallocate", 0, fallocate(fd, 0, 0, 30000));
    posix_fails("fsync", 0, fsync(fd));
    posix_fails("fstat again", 0, fstat(fd, &attr));
    posix_is("size", 30000, (long)attr.st_size);
    posix_is("mode", 0600, (long)attr.st_mode & 07777);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    posix_fails("a name again", ENOENT,
                linkat(AT_FDCWD, path, AT_FDCWD, "file", AT_SYMLINK_FOLLOW));
    posix_fails("a new file of that name", 0, mkdir("file", 0755));
    posix_is("read still", 1, pread(fd, &byte, 1, 9000));
    posix_is("byte still", 'y', byte);
    close(fd);
    rmdir("file");
    fd = open(".", O_TMPFILE | O_RDWR, 0644);
    posix_fails("O_TMPFILE", 0, fd);
    if (fd >= 0) {
        close(fd);
    }
}

/* ---- descriptors ------------------------------------------------------- */

/* Calls that take a descriptor, with what they say to one of a kind. */
static void check_descriptor(const char *name, int fd, int read_error,
                             int write_error, int sync_error) {
    struct stat attr;
    char byte;

    posix_row("%s", name);
    posix_fails("read", read_error, read(fd, &byte, 1));
    posix_fails("write", write_error, write(fd, "x", 1));
    posix_fails("fsync", sync_error, fsync(fd));
    posix_fails("fdatasync", sync_error, fdatasync(fd));
    posix_fails("fstat", fd < 0 ? EBADF : 0, fstat(fd, &attr));
    posix_fails("fchmod", sync_error, fchmod(fd, 0755));
    posix_fails("fchown", sync_error, fchown(fd, (uid_t)-1, (gid_t)-1));
    if (fd >= 0) {
        close(fd);
    }
}

static void check_at_calls(int fd, int error) {
    struct stat attr;
    char byte;

    posix_row("relative to %s", error == EBADF ? "nothing" : "a file");
    posix_fails("openat", error, openat(fd, "x", O_RDONLY));
    posix_fails("fstatat", error, fstatat(fd, "x", &attr, 0));
    posix_fails("mkdirat", error, mkdirat(fd, "x", 0755));
    posix_fails("mknodat", error, mknodat(fd, "x", S_IFIFO | 0644, 0));
    posix_fails("symlinkat", error, symlinkat("x", fd, "x"));
    posix_fails("readlinkat", error, readlinkat(fd, "x", &byte, 1));
    posix_fails("unlinkat", error, unlinkat(fd, "x", 0));
    posix_fails("linkat", error, linkat(fd, "x", AT_FDCWD, "y", 0));
    posix_fails("renameat", error, renameat(fd, "x", AT_FDCWD, "y"));
    posix_fails("fchmodat", error, fchmodat(fd, "x", 0644, 0));
    posix_fails("fchownat", error, fchownat(fd, "x", 0, 0, 0));
    posix_fails("utimensat", error, utimensat(fd, "x", NULL, 0));
    posix_fails("faccessat", error, faccessat(fd, "x", F_OK, 0));
    posix_fails("absolute", 0, fstatat(fd, "/", &attr, 0));
}

/* ---- names for descriptors, as NFS servers keep them -------------------- */

struct handle {
    struct file_handle head;
    unsigned char bytes[MAX_HANDLE_SZ];
};

static int take_handle(const char *path, struct handle *handle) {
    int mount_id;

    handle->head.handle_bytes = sizeof handle->bytes;
    return name_to_handle_at(AT_FDCWD, path, &handle->head, &mount_id, 0);
}

static int open_handle(struct handle *handle, int flags) {
    int here = open(".", O_RDONLY | O_DIRECTORY);
    int fd = open_by_handle_at(here, &handle->head, flags);
    int error = errno;

    close(here);
    errno = error;
    return fd;
}

/* The object that the handle leads to is `expected`. */
static void expect_object(struct handle *handle, const struct stat *expected) {
    struct stat attr = {.st_ino = 0};
    int fd = open_handle(handle, O_PATH | O_NOFOLLOW);

    posix_fails("open", posix_is_root() ? 0 : EPERM, fd);
    if (fd >= 0) {
        posix_fails("fstat", 0, fstat(fd, &attr));
        posix_is("number", (long)expected->st_ino, (long)attr.st_ino);
        posix_is("mode", (long)expected->st_mode, (long)attr.st_mode);
        close(fd);
    }
}

static void check_exported(enum posix_kind kind) {
    int gone = posix_is_root() ? ESTALE : EPERM;
    struct handle old, new;
    struct stat attr;

    posix_row("handle of a %s", posix_kind_name[kind]);
    posix_make(kind, "object");
    posix_make(POSIX_DIR, "dir");
    posix_fails("lstat", 0, lstat("object", &attr));
    posix_fails("take", 0, take_handle("object", &old));
    expect_object(&old, &attr);
    posix_fails("rename", 0, rename("object", "dir/object"));
    expect_object(&old, &attr);
    posix_fails("take again", 0, take_handle("dir/object", &new));
    posix_is("the same", 0, memcmp(old.bytes, new.bytes, 8));
    posix_remove("dir/object");
    posix_fails("of what is gone", gone, open_handle(&old, O_PATH));
    posix_make(kind, "dir/object");
    posix_fails("of a new one", 0, take_handle("dir/object", &new));
    posix_is("another", true,
             memcmp(old.bytes, new.bytes, old.head.handle_bytes) != 0);
    posix_fails("of the old one", gone, open_handle(&old, O_PATH));
    posix_remove("dir");
    posix_remove("target file");
    posix_remove("target directory");
}

static void check_handle_errors(void) {
    struct handle file, dir, link;
    int mount_id;

    posix_row("handles");
    posix_make(POSIX_DIR, "dir");
    posix_make(POSIX_FILE, "file");
    posix_make(POSIX_DANGLING, "link");
    posix_fails("of a file", 0, take_handle("file", &file));
    posix_fails("of a directory", 0, take_handle("dir", &dir));
    posix_fails("of a link", 0, take_handle("link", &link));
    posix_fails("of nothing", ENOENT, take_handle("absent", &link));
    if (posix_is_root()) {
        posix_fails("write to a directory", EISDIR, open_handle(&dir, O_RDWR));
        posix_fails("a file as a directory", ENOTDIR,
                    open_handle(&file, O_RDONLY | O_DIRECTORY));
        posix_fails("follow a link", ELOOP, open_handle(&link, O_RDONLY));
        memset(file.bytes, 0xEE, sizeof file.bytes);
        posix_fails("that nobody gave", ESTALE, open_handle(&file, O_RDONLY));
        posix_fails("elsewhere", EBADF,
                    open_by_handle_at(-1, &dir.head, O_RDONLY));
        dir.head.handle_bytes = 0;
        posix_fails("of no length", EINVAL, open_handle(&dir, O_RDONLY));
    }
    file.head.handle_bytes = 0;
    posix_fails("without room", EOVERFLOW,
                name_to_handle_at(AT_FDCWD, "file", &file.head, &mount_id, 0));
    posix_is("bytes it takes", true, file.head.handle_bytes > 0);
    posix_fails(
        "flags that are none", EINVAL,
        name_to_handle_at(AT_FDCWD, "file", &file.head, &mount_id, 1 << 20));
    posix_remove("dir");
    posix_remove("file");
    posix_remove("link");
}

void posix_exports(void) {
    for (int kind = 0; kind < POSIX_ABSENT; kind++) {
        check_exported((enum posix_kind)kind);
    }
    check_handle_errors();
}

void posix_handles(void) {
    int fd;

    check_unlinked();
    posix_make(POSIX_FILE, "file");
    check_descriptor("opened to read", open("file", O_RDONLY), 0, EBADF, 0);
    check_descriptor("opened to write", open("file", O_WRONLY), EBADF, 0, 0);
    check_descriptor("opened for both", open("file", O_RDWR), 0, 0, 0);
    check_descriptor("a directory", open(".", O_RDONLY), EISDIR, EBADF, 0);
    check_descriptor("a path", open("file", O_PATH), EBADF, EBADF, EBADF);
    check_descriptor("closed", -1, EBADF, EBADF, EBADF);
    check_at_calls(-1, EBADF);
    fd = open("file", O_RDONLY);
    check_at_calls(fd, ENOTDIR);
    close(fd);
}
