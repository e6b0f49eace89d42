/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * read_udfread [--only=COLUMNS] IMAGE
 *
 * Prints the tree of IMAGE as libudfread (VideoLAN) reads it, in the form of
 * treesum. What that library cannot do:
 *  - sparable and virtual maps: it does not open such volumes;
 *  - mode, owner, times, links: it gives name, type, size and content only;
 *  - symbolic links and special files: they come as regular files, so that a
 *    link shows the length and CRC of its path components;
 *  - directories in several extents: only the first is read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <udfread/udfread.h>

#include "test/support/treeline.h"

struct walk {
    struct tree tree;
    bool failed;
};

static void complain(struct walk *walk, const char *path, const char *what) {
    fprintf(stderr, "read_udfread: %s: %s\n", path, what);
    walk->failed = true;
}

static void add_file(struct walk *walk, UDFDIR *dir, const char *name,
                     const char *path) {
    static char buf[1 << 16];
    struct tree_line *line = tree_add(&walk->tree, path, 'f');
    UDFFILE *file = udfread_file_openat(dir, name);
    if (!file) {
        complain(walk, path, "cannot be opened");
        return;
    }
    line->size = (uint64_t)udfread_file_size(file);
    uint64_t total = 0;
    ssize_t got;
    while ((got = udfread_file_read(file, buf, sizeof(buf))) > 0) {
        line->crc = tree_crc(line->crc, buf, (size_t)got);
        total += (uint64_t)got;
    }
    if (got < 0 || total != line->size) {
        complain(walk, path, "cannot be read whole");
    }
    line->known = TREE_SIZE | TREE_CRC;
    udfread_file_close(file);
}

static void walk_dir(struct walk *walk, UDFDIR *dir, const char *path) {
    struct udfread_dirent entry;
    while (udfread_readdir(dir, &entry)) {
        if (strcmp(entry.d_name, ".") == 0 || strcmp(entry.d_name, "..") == 0) {
            continue;
        }
        char *below = tree_join(path, entry.d_name);
        if (entry.d_type != UDF_DT_DIR) {
            add_file(walk, dir, entry.d_name, below);
        } else {
            tree_add(&walk->tree, below, 'd');
            UDFDIR *sub = udfread_opendir_at(dir, entry.d_name);
            if (sub) {
                walk_dir(walk, sub, below);
                udfread_closedir(sub);
            } else {
                complain(walk, below, "cannot be opened");
            }
        }
        free(below);
    }
}

int main(int argc, char **argv) {
    struct walk walk = {0};
    unsigned columns;
    int at = tree_options(argc, argv, &columns);
    if (at < 0 || at != argc - 1) {
        fputs("usage: read_udfread [--only=COLUMNS] IMAGE\n", stderr);
        return 2;
    }
    udfread *udf = udfread_init();
    if (!udf || udfread_open(udf, argv[at]) < 0) {
        fprintf(stderr, "read_udfread: %s: does not open\n", argv[at]);
        return 1;
    }
    UDFDIR *root = udfread_opendir(udf, "/");
    if (root) {
        tree_add(&walk.tree, ".", 'd');
        walk_dir(&walk, root, ".");
        udfread_closedir(root);
    } else {
        complain(&walk, "/", "cannot be opened");
    }
    udfread_close(udf);
    bool printed = tree_print(&walk.tree, columns);
    tree_free(&walk.tree);
    return walk.failed || !printed ? 1 : 0;
}
