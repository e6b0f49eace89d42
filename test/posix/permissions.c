/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/posix/permissions.c - who may do what: permission bits of files and
 * directories, sticky directories, chmod(2), chown(2), set-ID bits, umask(2).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/posix/posix.h"

enum { MAY_READ = 4, MAY_WRITE = 2, MAY_SEARCH = 1 };

static int and_close(int fd) {
    return fd < 0 ? -1 : close(fd);
}

/* Gives an object to the owner, with `bits` for the class of `who` only. */
static void give(const char *path, enum posix_who who, unsigned bits) {
    unsigned shift = who == POSIX_OWNER ? 6 : who == POSIX_GROUP ? 3 : 0;

    if (posix_is_root()) {
        (void)!chown(path, posix_uid(POSIX_OWNER), posix_gid(POSIX_OWNER));
    }
    chmod(path, who == POSIX_ROOT ? 0 : bits << shift);
}

/* ---- files ------------------------------------------------------------- */

static int open_read(void) {
    return and_close(open("file", O_RDONLY));
}

static int open_write(void) {
    return and_close(open("file", O_WRONLY));
}

static int open_both(void) {
    return and_close(open("file", O_RDWR));
}

static int open_truncate(void) {
    return and_close(open("file", O_RDONLY | O_TRUNC));
}

static int open_path(void) {
    return and_close(open("file", O_PATH));
}

static int cut(void) {
    return truncate("file", 2);
}

static int access_read(void) {
    return faccessat(AT_FDCWD, "file", R_OK, AT_EACCESS);
}

static int access_write(void) {
    return faccessat(AT_FDCWD, "file", W_OK, AT_EACCESS);
}

static int access_run(void) {
    return faccessat(AT_FDCWD, "file", X_OK, AT_EACCESS);
}

static int access_exists(void) {
    return faccessat(AT_FDCWD, "file", F_OK, AT_EACCESS);
}

static const struct {
    const char *name;
    int (*call)(void);
    unsigned needs;
} file_calls[] = {
    {"open to read", open_read, MAY_READ},
    {"open to write", open_write, MAY_WRITE},
    {"open for both", open_both, MAY_READ | MAY_WRITE},
    {"open to truncate", open_truncate, MAY_READ | MAY_WRITE},
    {"open as path", open_path, 0},
    {"truncate", cut, MAY_WRITE},
    {"access to read", access_read, MAY_READ},
    {"access to write", access_write, MAY_WRITE},
    {"access to run", access_run, MAY_SEARCH},
    {"access", access_exists, 0},
};

static void check_files(enum posix_who who) {
    for (unsigned bits = 0; bits < 8; bits++) {
        posix_row("%s with %o on a file", posix_who_name[who], bits);
        posix_make(POSIX_FILE, "file");
        give("file", who, bits);
        for (size_t i = 0; i < sizeof file_calls / sizeof file_calls[0]; i++) {
            unsigned has =
                who == POSIX_ROOT ? (unsigned)MAY_READ | MAY_WRITE : bits;
            unsigned lacks = file_calls[i].needs & ~has;
            int result;

            posix_become(who);
            result = file_calls[i].call();
            posix_return();
            posix_fails(file_calls[i].name, lacks ? EACCES : 0, result);
        }
        posix_remove("file");
    }
}

/* ---- directories ------------------------------------------------------- */

static int look_up(void) {
    struct stat attr;

    return lstat("dir/old", &attr);
}

static int list(void) {
    DIR *dir = opendir("dir");

    return dir ? closedir(dir) : -1;
}

static int enter(void) {
    return chdir("dir") || chdir("..") ? -1 : 0;
}

static int create(void) {
    return and_close(open("dir/new", O_WRONLY | O_CREAT | O_EXCL, 0644));
}

static int make_directory(void) {
    return mkdir("dir/new", 0755);
}

static int make_fifo(void) {
    return mkfifo("dir/new", 0644);
}

static int make_link(void) {
    return symlink("x", "dir/new");
}

static int rename_within(void) {
    return rename("dir/old", "dir/new");
}

static int remove_file(void) {
    return unlink("dir/old");
}

static int remove_directory(void) {
    return rmdir("dir/sub");
}

static int look_up_absent(void) {
    struct stat attr;

    return lstat("dir/absent", &attr) == 0 || errno == ENOENT ? 0 : -1;
}

static const struct {
    const char *name;
    int (*call)(void);
    unsigned needs;
} dir_calls[] = {
    {"look up", look_up, MAY_SEARCH},
    {"look up what is absent", look_up_absent, MAY_SEARCH},
    {"list", list, MAY_READ},
    {"enter", enter, MAY_SEARCH},
    {"create", create, MAY_WRITE | MAY_SEARCH},
    {"mkdir", make_directory, MAY_WRITE | MAY_SEARCH},
    {"mkfifo", make_fifo, MAY_WRITE | MAY_SEARCH},
    {"symlink", make_link, MAY_WRITE | MAY_SEARCH},
    {"rename", rename_within, MAY_WRITE | MAY_SEARCH},
    {"unlink", remove_file, MAY_WRITE | MAY_SEARCH},
    {"rmdir", remove_directory, MAY_WRITE | MAY_SEARCH},
};

static void check_directories(enum posix_who who) {
    for (unsigned bits = 0; bits < 8; bits++) {
        posix_row("%s with %o on a directory", posix_who_name[who], bits);
        for (size_t i = 0; i < sizeof dir_calls / sizeof dir_calls[0]; i++) {
            unsigned has = who == POSIX_ROOT ? 7 : bits;
            int result;

            posix_make(POSIX_DIR, "dir");
            posix_make(POSIX_FILE, "dir/old");
            posix_make(POSIX_DIR, "dir/sub");
            give("dir", who, bits);
            posix_become(who);
            result = dir_calls[i].call();
            posix_return();
            posix_fails(dir_calls[i].name,
                        dir_calls[i].needs & ~has ? EACCES : 0, result);
            chmod("dir", 0700);
            posix_remove("dir");
        }
    }
}

/* ---- sticky directories ------------------------------------------------ */

static int rename_away(void) {
    return rename("dir/old", "out");
}

static int rename_over(void) {
    return rename("dir/mine", "dir/old");
}

static int rename_directory(void) {
    return rename("dir/sub", "dir/elsewhere");
}

static void own(const char *path, enum posix_who who) {
    (void)!lchown(path, posix_uid(who), posix_gid(who));
}

static void check_sticky_row(enum posix_who dir, enum posix_who object,
                             enum posix_who who) {
    static int (*const sticky_calls[])(void) = {remove_file, remove_directory,
                                                rename_away, rename_over,
                                                rename_directory};
    bool may = who == POSIX_ROOT || who == dir || who == object;

    posix_row("sticky directory of %s, object of %s, by %s",
              posix_who_name[dir], posix_who_name[object], posix_who_name[who]);
    for (size_t i = 0; i < sizeof sticky_calls / sizeof sticky_calls[0]; i++) {
        char what[16];
        int result;

        snprintf(what, sizeof what, "call %zu", i);
        posix_make(POSIX_DIR, "dir");
        posix_make(POSIX_FILE, "dir/old");
        posix_make(POSIX_DIR, "dir/sub");
        posix_make(POSIX_FILE, "dir/mine");
        own("dir/old", object);
        own("dir/sub", object);
        own("dir/mine", who);
        own("dir", dir);
        chmod("dir", 01777);
        posix_become(who);
        result = sticky_calls[i]();
        posix_return();
        posix_fails(what, may ? 0 : EPERM, result);
        posix_remove("dir");
        posix_remove("out");
    }
}

static void check_sticky(void) {
    chmod(".", 0777);
    for (int row = 0; row < POSIX_WHOS * POSIX_WHOS * POSIX_WHOS; row++) {
        check_sticky_row((enum posix_who)(row % POSIX_WHOS),
                         (enum posix_who)(row / POSIX_WHOS % POSIX_WHOS),
                         (enum posix_who)(row / POSIX_WHOS / POSIX_WHOS));
    }
}

void posix_permissions(void) {
    chmod(".", 0777);
    for (int who = 0; who < POSIX_WHOS; who++) {
        if (posix_can_be((enum posix_who)who)) {
            check_files((enum posix_who)who);
            check_directories((enum posix_who)who);
        }
    }
    if (posix_is_root()) {
        check_sticky();
    }
}

/* ---- chmod, chown ------------------------------------------------------ */

static mode_t mode_of(const char *path) {
    struct stat attr;

    return lstat(path, &attr) == 0 ? attr.st_mode & 07777 : 0;
}

static void check_chmod(enum posix_kind kind, enum posix_who who, mode_t mode) {
    bool may = who == POSIX_OWNER || who == POSIX_ROOT;
    mode_t before;
    int result;

    posix_row("chmod %04o of a %s by %s", mode, posix_kind_name[kind],
              posix_who_name[who]);
    posix_make(kind, "object");
    if (posix_is_root()) {
        own("object", POSIX_OWNER);
    }
    before = mode_of("object");
    posix_become(who);
    result = chmod("object", mode);
    posix_return();
    posix_fails("chmod", may ? 0 : EPERM, result);
    posix_is("mode", (long)(may ? mode : before), (long)mode_of("object"));
    posix_remove("object");
}

static void check_all_chmods(void) {
    static const mode_t modes[] = {0,     0644,  0755,  0777, 01777,
                                   02755, 04755, 06711, 07777};
    static const enum posix_kind kinds[] = {POSIX_FILE, POSIX_DIR, POSIX_FIFO,
                                            POSIX_SOCKET};

    for (size_t i = 0; i < 4 * sizeof modes / sizeof modes[0]; i++) {
        for (int who = 0; who < POSIX_WHOS; who++) {
            if (posix_can_be((enum posix_who)who)) {
                check_chmod(kinds[i % 4], (enum posix_who)who, modes[i / 4]);
            }
        }
    }
}

/* Whether `who` may give the owner's object this owner or group. */
static bool may_chown(enum posix_who who, bool uid, bool gid, bool foreign) {
    if (who == POSIX_ROOT || (!uid && !gid)) {
        return true;
    }
    return who == POSIX_OWNER && !(uid && foreign) && !(gid && foreign);
}

static void check_chown(enum posix_kind kind, enum posix_who who,
                        unsigned variant) {
    bool uid = variant & 1, gid = variant & 2, foreign = variant & 4;
    enum posix_who to = foreign ? POSIX_OTHER : POSIX_OWNER;
    bool may = may_chown(who, uid, gid, foreign);
    struct stat attr;
    int result;

    posix_row("chown%s%s%s of a %s by %s", uid ? " user" : "",
              gid ? " group" : "", foreign ? " to other" : "",
              posix_kind_name[kind], posix_who_name[who]);
    posix_make(kind, "object");
    own("object", POSIX_OWNER);
    posix_become(who);
    result = lchown("object", uid ? posix_uid(to) : (uid_t)-1,
                    gid ? posix_gid(to) : (gid_t)-1);
    posix_return();
    posix_fails("chown", may ? 0 : EPERM, result);
    posix_fails("lstat", 0, lstat("object", &attr));
    posix_is("user", (long)posix_uid(may && uid ? to : POSIX_OWNER),
             (long)attr.st_uid);
    posix_is("group", (long)posix_gid(may && gid ? to : POSIX_OWNER),
             (long)attr.st_gid);
    posix_remove("object");
}

static void check_all_chowns(void) {
    static const enum posix_kind kinds[] = {POSIX_FILE, POSIX_DIR, POSIX_FIFO,
                                            POSIX_DANGLING};

    for (unsigned row = 0; row < 4 * 8 * POSIX_WHOS; row++) {
        check_chown(kinds[row % 4], (enum posix_who)(row / 32), row / 4 % 8);
    }
}

/* ---- set-ID bits ------------------------------------------------------- */

enum set_id_call { BY_CHOWN, BY_WRITE, BY_TRUNCATE, BY_ALLOCATE, SET_ID_CALLS };

static int lose_set_id(enum set_id_call call, int fd) {
    switch (call) {
    case BY_CHOWN:
        return fchown(fd, posix_uid(POSIX_OWNER), posix_gid(POSIX_OWNER));
    case BY_WRITE:
        return write(fd, "x", 1) == 1 ? 0 : -1;
    case BY_TRUNCATE:
        return ftruncate(fd, 1);
    case BY_ALLOCATE:
        return fallocate(fd, 0, 0, 8192);
    case SET_ID_CALLS:
        break;
    }
    return -1;
}

/* set-group-ID without the group's right to run marks a file for mandatory
 * locking, and stays but for chown by a user. */
static void check_set_id(enum set_id_call call, enum posix_who who,
                         mode_t mode) {
    mode_t expected = mode & ~(mode_t)S_ISUID;
    int fd, result;

    if (mode & S_IXGRP) {
        expected &= ~(mode_t)S_ISGID;
    }
    if (who == POSIX_ROOT && call != BY_CHOWN) {
        expected = mode; /* who may keep them */
    }
    posix_row("mode %04o, call %d by %s", mode, call, posix_who_name[who]);
    posix_make(POSIX_FILE, "file");
    own("file", POSIX_OWNER);
    chmod("file", mode);
    fd = open("file", O_RDWR);
    posix_become(who);
    result = lose_set_id(call, fd);
    posix_return();
    posix_fails("call", 0, result);
    posix_is("mode", (long)expected, (long)mode_of("file"));
    close(fd);
    posix_remove("file");
}

static void check_all_set_ids(void) {
    static const mode_t modes[] = {04755, 02755, 06755, 06777, 00755, 04644};

    for (int row = 0; row < 6 * SET_ID_CALLS; row++) {
        check_set_id((enum set_id_call)(row / 6), POSIX_OWNER, modes[row % 6]);
        check_set_id((enum set_id_call)(row / 6), POSIX_ROOT, modes[row % 6]);
    }
    posix_row("chmod by an owner who is not in the group");
    posix_make(POSIX_FILE, "file");
    (void)!chown("file", posix_uid(POSIX_OWNER), posix_gid(POSIX_OTHER));
    posix_become(POSIX_OWNER);
    posix_fails("chmod", 0, chmod("file", 06755));
    posix_return();
    posix_is("mode", 04755, (long)mode_of("file"));
    posix_remove("file");
}

/* ---- umask ------------------------------------------------------------- */

static void check_umask(mode_t mask, mode_t mode) {
    posix_row("umask %03o, mode %04o", mask, mode);
    umask(mask);
    posix_fails("open", 0,
                and_close(open("file", O_RDONLY | O_CREAT, mode & 0777)));
    posix_fails("mkdir", 0, mkdir("dir", mode));
    posix_fails("mkfifo", 0, mkfifo("fifo", mode & 0777));
    posix_fails("mknod", 0, mknod("node", S_IFSOCK | (mode & 0777), 0));
    posix_fails("symlink", 0, symlink("x", "link"));
    umask(022);
    posix_is("mode by open", (long)(mode & 0777 & ~mask),
             (long)mode_of("file"));
    posix_is("mode by mkdir", (long)(mode & 01777 & ~mask),
             (long)mode_of("dir"));
    posix_is("mode by mkfifo", (long)(mode & 0777 & ~mask),
             (long)mode_of("fifo"));
    posix_is("mode by mknod", (long)(mode & 0777 & ~mask),
             (long)mode_of("node"));
    posix_is("mode of a link", 0777, (long)mode_of("link"));
    posix_remove("file");
    posix_remove("dir");
    posix_remove("fifo");
    posix_remove("node");
    posix_remove("link");
}

void posix_owners(void) {
    static const mode_t masks[] = {0, 022, 077, 027, 0777};
    static const mode_t modes[] = {0, 0644, 0777, 01777, 0711};

    chmod(".", 0777);
    check_all_chmods();
    for (int i = 0; i < 25; i++) {
        check_umask(masks[i / 5], modes[i % 5]);
    }
    if (posix_is_root()) {
        check_all_chowns();
        check_all_set_ids();
    }
}
