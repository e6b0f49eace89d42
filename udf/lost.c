/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/lost.c - an object is lost that waits for a commit, or that a commit had
 * encoded but not brought to the disc: then its file entry is pending.
 * Objects do not know their names, so the directories are walked from the
 * root, in memory only: the disc cannot be asked any more. What changed was
 * looked up before, so its directories are there as a rule.
 */
#include "udf/lost.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mmc/log.h"
#include "udf/dir.h"
#include "udf/node.h"
#include "udf/volume.h"

enum {
    DEPTH_MAX = 64,
    /* A broken disc can lead round in circles. */
    ENTRIES_MAX = 1000000,
    NAMES_MAX = 100, /* in the log */
    PATH_BYTES = 4096
};

struct walk {
    const struct udf_volume *volume;
    uint32_t entries; /* seen so far */
    uint32_t named;
    char path[PATH_BYTES];
};

static bool is_lost(const struct udf_volume *volume,
                    const struct udf_node *node) {
    uint32_t lba, run;

    return node->dirty ||
           (udf_partmap_lba(&volume->maps, node->chain.entry, 1, &lba, &run) ==
                0 &&
            udf_overlay_find(&volume->pending.blocks, lba) != NULL);
}

static void log_name(struct walk *walk, const struct udf_node *node) {
    if (++walk->named <= NAMES_MAX) {
        mmc_log(MMC_LOG_ERROR, "not written: %s%s", walk->path,
                udf_node_is_dir(node) ? "/" : "");
    }
}

static void walk_names(struct walk *walk, const struct udf_dir *dir,
                       size_t used, unsigned depth);

static void visit(struct walk *walk, const struct udf_dir_entry *entry,
                  size_t used, unsigned depth) {
    uint64_t ino = udf_node_ino(walk->volume, entry->icb);
    const struct udf_node *node = udf_node_find(&walk->volume->nodes, ino);
    int added = snprintf(walk->path + used, PATH_BYTES - used, "%s%s",
                         used > 0 ? "/" : "", entry->name);

    if (!node || added < 0 || (size_t)added >= PATH_BYTES - used) {
        return;
    }
    if (is_lost(walk->volume, node)) {
        log_name(walk, node);
    }
    if (node->dir && depth < DEPTH_MAX) {
        walk_names(walk, node->dir, used + (size_t)added, depth + 1);
    }
}

static void walk_names(struct walk *walk, const struct udf_dir *dir,
                       size_t used, unsigned depth) {
    struct udf_dir_entry entry;
    uint64_t position = 0;

    while (position < UINT32_MAX && walk->entries < ENTRIES_MAX &&
           udf_dir_next(dir, (uint32_t)position, &entry) == 0) {
        walk->entries++;
        visit(walk, &entry, used, depth);
        position = (uint64_t)entry.position + entry.bytes;
    }
}

void udf_lost_log(struct udf_volume *volume) {
    const struct udf_node *root = udf_node_find(&volume->nodes, UDF_ROOT_INO);
    struct walk walk = {.volume = volume};

    if (root && root->dir) {
        walk_names(&walk, root->dir, 0, 0);
    }
    if (walk.named > NAMES_MAX) {
        mmc_log(MMC_LOG_ERROR, "not written: %" PRIu32 " more",
                walk.named - NAMES_MAX);
    }
}
