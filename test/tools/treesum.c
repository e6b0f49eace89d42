/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * treesum [--without=COLUMNS | --only=COLUMNS] DIRECTORY...
 *
 * Prints a line for every object below DIRECTORY: see support/treeline.h. A
 * file that cannot be read whole is an error, and exit status 1. What is below
 * each of several goes to a file NAME.guest here, NAME being the last part of
 * DIRECTORY: a process for each takes long in a guest.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "test/support/treeline.h"

struct walk {
    struct tree tree;
    bool failed;
};

static void complain(struct walk *walk, const char *path) {
    fprintf(stderr, "treesum: %s: %s\n", path, strerror(errno));
    walk->failed = true;
}

/* Content of a file; its length must be what stat said. */
static void add_content(struct walk *walk, int dir, const char *name,
                        struct tree_line *line) {
    static char buf[1 << 16];
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        complain(walk, line->path);
        return;
    }
    uint64_t total = 0;
    ssize_t got;
    while ((got = read(fd, buf, sizeof(buf))) > 0) {
        line->crc = tree_crc(line->crc, buf, (size_t)got);
        total += (uint64_t)got;
    }
    if (got < 0 || total != line->size) {
        errno = got < 0 ? errno : EUCLEAN;
        complain(walk, line->path);
    }
    close(fd);
    line->known |= TREE_CRC;
}

static void add_target(struct walk *walk, int dir, const char *name,
                       struct tree_line *line) {
    char target[4097];
    ssize_t bytes = readlinkat(dir, name, target, sizeof(target) - 1);
    if (bytes < 0) {
        complain(walk, line->path);
        return;
    }
    target[bytes] = '\0';
    line->target = strdup(target);
    line->known |= TREE_TARGET;
}

static void add_object(struct walk *walk, int dir, const char *name,
                       const char *path, const struct stat *st) {
    struct tree_line *line =
        tree_add(&walk->tree, path, tree_type(st->st_mode));
    line->known = TREE_MODE | TREE_OWNER | TREE_SIZE | TREE_MTIME | TREE_NLINK |
                  TREE_GROUP | TREE_RDEV;
    line->mode = st->st_mode & 07777;
    line->uid = st->st_uid;
    line->gid = st->st_gid;
    line->size = (uint64_t)st->st_size;
    line->mtime_sec = st->st_mtim.tv_sec;
    line->mtime_usec = (uint32_t)(st->st_mtim.tv_nsec / 1000);
    line->nlink = st->st_nlink;
    line->device = st->st_dev;
    line->inode = st->st_ino;
    line->rdev_major = major(st->st_rdev);
    line->rdev_minor = minor(st->st_rdev);
    if (line->type == 'f') {
        add_content(walk, dir, name, line);
    } else if (line->type == 'l') {
        add_target(walk, dir, name, line);
    }
}

/* The next entry of `dir`, which comes after `last`. The listing of a damaged
 * directory may stand still there and never end. NULL with errno at an error,
 * and with 0 at the end. */
static struct dirent *next_entry(DIR *dir, char *last) {
    struct dirent *entry;

    errno = 0;
    entry = readdir(dir);
    if (entry && strcmp(entry->d_name, last) == 0) {
        errno = EUCLEAN;
        return NULL;
    }
    if (entry) {
        snprintf(last, NAME_MAX + 1, "%s", entry->d_name);
    }
    return entry;
}

static void walk_dir(struct walk *walk, int parent, const char *name,
                     const char *path) {
    int fd =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        complain(walk, path);
        return;
    }
    struct dirent *entry;
    char last[NAME_MAX + 1] = "";
    while ((entry = next_entry(dir, last)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        struct stat st;
        char *below = tree_join(path, entry->d_name);
        if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            complain(walk, below);
        } else {
            add_object(walk, fd, entry->d_name, below, &st);
            if (S_ISDIR(st.st_mode)) {
                walk_dir(walk, fd, entry->d_name, below);
            }
        }
        free(below);
    }
    if (errno) {
        complain(walk, path);
    }
    closedir(dir);
}

/* Returns the exit status. */
static int sum(const char *directory, unsigned columns) {
    struct walk walk = {0};
    struct stat st;

    if (stat(directory, &st) < 0 || !S_ISDIR(st.st_mode)) {
        fprintf(stderr, "treesum: %s is no directory\n", directory);
        return 2;
    }
    add_object(&walk, AT_FDCWD, directory, ".", &st);
    walk_dir(&walk, AT_FDCWD, directory, ".");
    bool printed = tree_print(&walk.tree, columns);
    tree_free(&walk.tree);
    return walk.failed || !printed ? 1 : 0;
}

/* From now on the standard output is the file of `directory`. */
static bool turn_to(const char *directory) {
    const char *slash = strrchr(directory, '/');
    char path[4096];

    snprintf(path, sizeof(path), "%s.guest", slash ? slash + 1 : directory);
    if (!freopen(path, "w", stdout)) {
        fprintf(stderr, "treesum: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

int main(int argc, char **argv) {
    unsigned columns;
    int status = 0;
    int at = tree_options(argc, argv, &columns);
    bool several = argc - at > 1;

    if (at < 0 || at >= argc) {
        fputs("usage: treesum [--without=COLUMNS] DIRECTORY...\n", stderr);
        return 2;
    }
    for (; at < argc; at++) {
        int one = several && !turn_to(argv[at]) ? 2 : sum(argv[at], columns);

        status = one > status ? one : status;
    }
    return status;
}
