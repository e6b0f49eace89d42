/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/posix/lists.c - access control lists, as the kernel's extended
 * attributes have them: who may do what by which entry and mask, chmod(2),
 * default lists, and lists that are none.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test/posix/posix.h"

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

/* The tags of a list's entries, in the order that they must have. */
enum {
    USER_OBJ = 0x01,
    USER = 0x02,
    GROUP_OBJ = 0x04,
    GROUP = 0x08,
    MASK = 0x10,
    OTHER = 0x20
};

enum { VERSION = 2, ENTRIES_MAX = 8 };

struct list {
    uint32_t version;
    struct {
        uint16_t tag, bits;
        uint32_t id;
    } entry[ENTRIES_MAX];
    size_t entries;
};

static void add(struct list *list, unsigned tag, unsigned bits, uint32_t id) {
    list->version = htole32(VERSION);
    list->entry[list->entries].tag = htole16((uint16_t)tag);
    list->entry[list->entries].bits = htole16((uint16_t)bits);
    list->entry[list->entries].id = htole32(id);
    list->entries++;
}

static size_t bytes_of(const struct list *list) {
    return sizeof list->version + list->entries * sizeof list->entry[0];
}

/* A list with one named entry. */
static struct list make_list(unsigned mode, unsigned tag, unsigned bits,
                             uint32_t id) {
    struct list list = {.entries = 0};

    add(&list, USER_OBJ, mode >> 6 & 7, UINT32_MAX);
    if (tag == USER) {
        add(&list, USER, bits, id);
    }
    add(&list, GROUP_OBJ, 5, UINT32_MAX);
    if (tag == GROUP) {
        add(&list, GROUP, bits, id);
    }
    add(&list, MASK, mode >> 3 & 7, UINT32_MAX);
    add(&list, OTHER, mode & 7, UINT32_MAX);
    return list;
}

static int set_list(const char *path, const char *name,
                    const struct list *list) {
    return setxattr(path, name, list, bytes_of(list), 0);
}

static void expect_list(const char *path, const char *name,
                        const struct list *expected) {
    struct list got = {.entries = 0};

    posix_is("bytes of the list", (long)bytes_of(expected),
             getxattr(path, name, &got, sizeof got));
    posix_is("the list", 0, memcmp(&got, expected, bytes_of(expected)));
}

static void expect_mode(const char *path, mode_t mode) {
    struct stat attr = {.st_mode = 0};

    posix_fails("lstat", 0, lstat(path, &attr));
    posix_is("mode", (long)mode, (long)attr.st_mode & 07777);
}

static int open_and_close(const char *path, int flags) {
    int fd = open(path, flags);

    return fd < 0 ? fd : close(fd);
}

/* ---- who may ----------------------------------------------------------- */

/* Somebody who is named, himself or by his group. */
static void check_named(unsigned tag, unsigned bits, unsigned mask) {
    uint32_t id = tag == USER ? posix_uid(POSIX_OTHER) : posix_gid(POSIX_OTHER);
    struct list list = make_list(0600 | mask << 3, tag, bits, id);
    unsigned may = bits & mask;

    posix_row("named %s %o, mask %o", tag == USER ? "user" : "group", bits,
              mask);
    posix_fails("set", 0, set_list("file", ACCESS, &list));
    expect_mode("file", 0600 | mask << 3);
    expect_list("file", ACCESS, &list);
    posix_become(POSIX_OTHER);
    posix_fails("read", may & 4 ? 0 : EACCES, open_and_close("file", O_RDONLY));
    posix_fails("write", may & 2 ? 0 : EACCES,
                open_and_close("file", O_WRONLY));
    posix_fails("both", (may & 6) == 6 ? 0 : EACCES,
                open_and_close("file", O_RDWR));
    posix_fails("run", may & 1 ? 0 : EACCES,
                faccessat(AT_FDCWD, "file", X_OK, AT_EACCESS));
    posix_fails("change the list", EPERM, set_list("file", ACCESS, &list));
    posix_return();
}

static void check_all_named(void) {
    if (!posix_can_be(POSIX_OTHER)) {
        return;
    }
    posix_make(POSIX_FILE, "file");
    for (unsigned row = 0; row < 2 * 8 * 8; row++) {
        check_named(row / 64 ? GROUP : USER, row / 8 % 8, row % 8);
    }
    posix_remove("file");
}

/* ---- mode and list ----------------------------------------------------- */

static void check_chmod(enum posix_kind kind, unsigned mode) {
    struct list list = make_list(0640, USER, 7, POSIX_OTHER_ID);
    struct list expected = make_list(mode, USER, 7, POSIX_OTHER_ID);

    posix_row("chmod %o of a %s", mode, posix_kind_name[kind]);
    posix_make(kind, "object");
    posix_fails("set", 0, set_list("object", ACCESS, &list));
    posix_fails("chmod", 0, chmod("object", mode));
    expect_mode("object", mode);
    expect_list("object", ACCESS, &expected);
    posix_fails("remove", 0, removexattr("object", ACCESS));
    posix_fails("none", ENODATA, getxattr("object", ACCESS, NULL, 0));
    posix_fails("remove again", 0, removexattr("object", ACCESS));
    posix_remove("object");
}

/* A list that says no more than a mode becomes one. */
static void check_minimal(unsigned mode) {
    struct list list = {.entries = 0};

    posix_row("a list that is mode %o", mode);
    posix_make(POSIX_FILE, "file");
    add(&list, USER_OBJ, mode >> 6, UINT32_MAX);
    add(&list, GROUP_OBJ, mode >> 3 & 7, UINT32_MAX);
    add(&list, OTHER, mode & 7, UINT32_MAX);
    posix_fails("set", 0, set_list("file", ACCESS, &list));
    expect_mode("file", mode);
    posix_fails("none", ENODATA, getxattr("file", ACCESS, NULL, 0));
    posix_remove("file");
}

/* ---- default lists ----------------------------------------------------- */

static int make_in(enum posix_kind kind, const char *path, unsigned mode) {
    switch (kind) {
    case POSIX_DIR:
        return mkdir(path, mode);
    case POSIX_FIFO:
        return mkfifo(path, mode);
    default:
        return mknod(path, S_IFREG | mode, 0);
    }
}

static void check_default(enum posix_kind kind, unsigned mode) {
    struct list list = make_list(0751, USER, 6, POSIX_OTHER_ID);
    struct list expected = make_list(mode & 0751, USER, 6, POSIX_OTHER_ID);
    mode_t mask;

    posix_row("%s of mode %o where there is a default list",
              posix_kind_name[kind], mode);
    posix_make(POSIX_DIR, "dir");
    posix_fails("set", 0, set_list("dir", DEFAULT, &list));
    expect_mode("dir", 0755);
    mask = umask(0777); /* has no say */
    posix_fails("make", 0, make_in(kind, "dir/object", mode));
    (void)umask(mask);
    expect_mode("dir/object", mode & 0751);
    expect_list("dir/object", ACCESS, &expected);
    if (kind == POSIX_DIR) {
        expect_list("dir/object", DEFAULT, &list);
    } else {
        posix_fails("handed on", ENODATA,
                    getxattr("dir/object", DEFAULT, NULL, 0));
    }
    posix_fails("remove", 0, removexattr("dir", DEFAULT));
    posix_fails("none", ENODATA, getxattr("dir", DEFAULT, NULL, 0));
    posix_remove("dir");
}

/* ---- what is no list --------------------------------------------------- */

static void check_bad(const char *what, const struct list *list) {
    posix_row("a list with %s", what);
    posix_fails("of a file", EINVAL, set_list("file", ACCESS, list));
    posix_fails("of a directory", EINVAL, set_list("dir", ACCESS, list));
    posix_fails("for what comes", EINVAL, set_list("dir", DEFAULT, list));
    posix_fails("set nothing", ENODATA, getxattr("file", ACCESS, NULL, 0));
}

static void check_all_bad(void) {
    struct list list;

    posix_make(POSIX_FILE, "file");
    posix_make(POSIX_DIR, "dir");
    posix_make(POSIX_DANGLING, "link");
    list = make_list(0640, USER, 8, POSIX_OTHER_ID);
    check_bad("a right that is none", &list);
    list = make_list(0640, 0, 0, 0);
    list.entries--;
    check_bad("nothing for others", &list);
    list = make_list(0640, USER, 7, POSIX_OTHER_ID);
    list.entry[3] = list.entry[4]; /* the mask */
    list.entries--;
    check_bad("somebody named and no mask", &list);
    list = make_list(0640, 0, 0, 0);
    add(&list, OTHER, 0, UINT32_MAX);
    check_bad("others twice", &list);
    list = make_list(0640, 0, 0, 0);
    list.entry[0].tag = htole16(0x40);
    check_bad("a tag that is none", &list);
    posix_row("lists");
    list = make_list(0640, USER, 7, POSIX_OTHER_ID);
    posix_fails("of a link", EOPNOTSUPP,
                lsetxattr("link", ACCESS, &list, bytes_of(&list), 0));
    posix_fails("for what comes in a file", EACCES,
                set_list("file", DEFAULT, &list));
    posix_fails("cut off", EINVAL,
                setxattr("file", ACCESS, &list, bytes_of(&list) - 1, 0));
    list.version = htole32(1);
    posix_fails("of another version", EOPNOTSUPP,
                set_list("file", ACCESS, &list));
    posix_fails("of nobody", ENOENT, set_list("absent", ACCESS, &list));
    posix_remove("file");
    posix_remove("dir");
    posix_remove("link");
}

void posix_lists(void) {
    static const enum posix_kind kinds[] = {POSIX_FILE, POSIX_DIR, POSIX_FIFO};
    static const unsigned modes[] = {0,    0400, 0070, 0007, 0640,
                                     0666, 0711, 0755, 0777};

    check_all_named();
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        check_minimal(modes[i]);
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            check_chmod(kinds[k], modes[i]);
            check_default(kinds[k], modes[i]);
        }
    }
    check_all_bad();
}
