/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * read_own [--only=COLUMNS] IMAGE
 *
 * Prints the tree of IMAGE as this project reads it, in the form of treesum,
 * without a mount. What cannot be read is left out, as it is there; exit
 * status 1 when the image cannot be mounted at all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mmc/blockdev.h"
#include "mmc/filedev.h"
#include "test/support/treeline.h"
#include "test/support/walk.h"
#include "udf/udf.h"

static void add_entry(struct tree *tree, const struct walk_entry *entry) {
    const struct udf_stat *stat = &entry->stat;
    struct tree_line *line = tree_add(tree, entry->path, tree_type(stat->mode));

    line->known = TREE_MODE | TREE_OWNER | TREE_SIZE | TREE_MTIME | TREE_NLINK;
    line->mode = stat->mode & 07777;
    line->uid = stat->uid;
    line->gid = stat->gid;
    line->size = stat->size;
    line->mtime_sec = stat->mtime.tv_sec;
    line->mtime_usec = (uint32_t)(stat->mtime.tv_nsec / 1000);
    line->nlink = stat->nlink;
    if (line->type == 'f' && !entry->content_error) {
        line->crc = entry->crc;
        line->known |= TREE_CRC;
    }
    if (line->type == 'l' && !entry->content_error) {
        const char *target = strchr(entry->content, '>');

        line->target = strdup(target ? target + 2 : entry->content);
        line->known |= TREE_TARGET;
    }
}

static int print_image(const char *path, unsigned columns) {
    struct udf_mount_options options = {.read_only = true};
    struct udf_volume *volume = NULL;
    struct blockdev *dev = NULL;
    struct tree tree = {0};
    struct walk walk;
    bool printed;
    int error = mmc_filedev_open(path, false, &dev);

    error = error ? error : udf_mount(dev, &options, &volume);
    if (error) {
        fprintf(stderr, "read_own: %s: %s\n", path, strerror(-error));
        mmc_filedev_close(dev);
        return 1;
    }
    walk_volume(volume, 0, &walk);
    for (size_t i = 1; i < walk.count; i++) { /* 0 is the root */
        if (!walk.entry[i].error) {
            add_entry(&tree, &walk.entry[i]);
        }
    }
    walk_free(&walk);
    (void)udf_unmount(volume);
    mmc_filedev_close(dev);
    printed = tree_print(&tree, columns);
    tree_free(&tree);
    return printed ? 0 : 1;
}

int main(int argc, char **argv) {
    unsigned columns;
    int at = tree_options(argc, argv, &columns);

    if (at < 0 || at != argc - 1) {
        fputs("usage: read_own [--only=COLUMNS] IMAGE\n", stderr);
        return 2;
    }
    return print_image(argv[at], columns);
}
