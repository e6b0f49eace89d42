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
 * Names come in MUTF-8, which has characters beyond U+FFFF as two surrogates.
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

/* A surrogate in the three bytes that MUTF-8 spends on it, or 0. */
static uint32_t surrogate(const unsigned char *c) {
    bool is_one = c[0] == 0xED && (c[1] & 0xE0) == 0xA0;
    return is_one ? 0xD000u | (c[1] & 0x3Fu) << 6 | (c[2] & 0x3Fu) : 0;
}

/* Turns surrogate pairs of MUTF-8 into the four bytes of UTF-8, in place. */
static void to_utf8(char *name) {
    unsigned char *in = (unsigned char *)name, *out = in;
    while (*in) {
        uint32_t high = surrogate(in);
        uint32_t low = high && in[2] ? surrogate(in + 3) : 0;
        if (!low) {
            *out++ = *in++;
            continue;
        }
        uint32_t c = 0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF);
        *out++ = (unsigned char)(0xF0 | c >> 18);
        *out++ = (unsigned char)(0x80 | (c >> 12 & 0x3F));
        *out++ = (unsigned char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (unsigned char)(0x80 | (c & 0x3F));
        in += 6;
    }
    *out = '\0';
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
        to_utf8(below);
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
