/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * read_libudf [--only=COLUMNS] IMAGE
 * read_libudf --label IMAGE
 *
 * Prints the tree of IMAGE as libudf (GNU libcdio) reads it, in the form of
 * treesum; or its name alone, for which no root is needed. What that library
 * cannot do, as of 2.1:
 *  - any map but type 1;
 *  - extended file entries: it knows plain ones (UDF 1.02 and 1.50) only;
 *  - embedded data, of files and of directories: it finds no blocks there;
 *    such a file is a line without CRC here, such a directory looks empty;
 *  - directories of more than one extent;
 *  - names beyond Latin-1 come through, but links are not told from files.
 * An entry that it takes for damaged is a message and exit status 1.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cdio/ecma_167.h>
#include <cdio/udf.h>

#include "test/support/treeline.h"

struct walk {
    struct tree tree;
    bool failed;
};

static void complain(struct walk *walk, const char *path, const char *what) {
    fprintf(stderr, "read_libudf: %s: %s\n", path, what);
    walk->failed = true;
}

static bool embedded(const udf_dirent_t *entry) {
    return (le16toh(entry->fe.icb_tag.flags) & ICBTAG_FLAG_AD_MASK) ==
           ICBTAG_FLAG_AD_IN_ICB;
}

static void add_file(struct walk *walk, udf_dirent_t *entry, const char *path) {
    static char buf[UDF_BLOCKSIZE];
    struct tree_line *line = tree_add(&walk->tree, path, 'f');
    line->size = udf_get_file_length(entry);
    line->nlink = udf_get_link_count(entry);
    line->mode = udf_get_posix_filemode(entry) & 07777;
    line->known = TREE_SIZE | TREE_NLINK | TREE_MODE;
    if (embedded(entry)) {
        return;
    }
    uint64_t left = line->size;
    while (left > 0) {
        ssize_t got = udf_read_block(entry, buf, 1);
        if (got <= 0) {
            complain(walk, path, "cannot be read whole");
            return;
        }
        size_t take = left < UDF_BLOCKSIZE ? (size_t)left : UDF_BLOCKSIZE;
        line->crc = tree_crc(line->crc, buf, take);
        left -= take;
    }
    line->known |= TREE_CRC;
}

/* udf_readdir() frees the entry when it comes to the end. */
static void walk_dir(struct walk *walk, udf_dirent_t *dir, const char *path) {
    while ((dir = udf_readdir(dir)) != NULL) {
        const char *name = udf_get_filename(dir);
        if (!name || name[0] == '\0' || dir->b_parent) {
            continue;
        }
        char *below = tree_join(path, name[0] == '/' ? name + 1 : name);
        if (!udf_is_dir(dir)) {
            add_file(walk, dir, below);
        } else {
            struct tree_line *line = tree_add(&walk->tree, below, 'd');
            line->mode = udf_get_posix_filemode(dir) & 07777;
            line->known = TREE_MODE;
            udf_dirent_t *sub = udf_opendir(dir);
            if (sub) {
                walk_dir(walk, sub, below);
            } else {
                complain(walk, below, "cannot be opened");
            }
        }
        free(below);
    }
}

static int print_label(const char *path) {
    char label[64];
    udf_t *udf = udf_open(path);
    if (!udf || udf_get_volume_id(udf, label, sizeof(label)) <= 0) {
        fprintf(stderr, "read_libudf: %s: has no name\n", path);
        return 1;
    }
    puts(label);
    udf_close(udf);
    return 0;
}

int main(int argc, char **argv) {
    struct walk walk = {0};
    unsigned columns;
    if (argc == 3 && strcmp(argv[1], "--label") == 0) {
        return print_label(argv[2]);
    }
    int at = tree_options(argc, argv, &columns);
    if (at < 0 || at != argc - 1) {
        fputs("usage: read_libudf [--only=COLUMNS] IMAGE\n", stderr);
        return 2;
    }
    udf_t *udf = udf_open(argv[at]);
    udf_dirent_t *root = udf ? udf_get_root(udf, true, 0) : NULL;
    if (!root) {
        fprintf(stderr, "read_libudf: %s: does not open\n", argv[at]);
        return 1;
    }
    tree_add(&walk.tree, ".", 'd');
    walk_dir(&walk, root, ".");
    udf_close(udf);
    bool printed = tree_print(&walk.tree, columns);
    tree_free(&walk.tree);
    return walk.failed || !printed ? 1 : 0;
}
