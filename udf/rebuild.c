/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/rebuild.c - what an open LVID cannot be trusted for, by a walk over the
 * tree. See udf/mount.h.
 *
 * The walk goes by directories, with a stack of its own, and looks at every
 * node once: a bitmap of visited ICBs also keeps damaged trees from going
 * round in circles.
 */
#include <errno.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "mmc/log.h"
#include "udf/dir.h"
#include "udf/inos.h"
#include "udf/io.h"
#include "udf/mount.h"
#include "udf/stream.h"
#include "udf/volume.h"

struct walk {
    struct udf_volume *volume;
    uint64_t *seen[UDF_PARTMAPS_MAX]; /* a bit a block: its ICB was visited */
    struct udf_inos stack;            /* directories to visit */
    uint32_t files, directories;
    uint64_t unique_id_max;
    uint32_t taken; /* blocks that were marked free */
};

/* Makes sure that blocks in use are not given to someone else. */
static void claim(struct walk *walk, struct udf_addr addr, uint32_t count) {
    struct udf_space *space = walk->volume->spaces.of[addr.part];
    uint32_t before;

    if (!space) {
        return;
    }
    before = udf_space_free(space);
    udf_space_withdraw(space, addr.lbn, count);
    if (udf_space_free(space) < before) {
        udf_io_used(walk->volume, addr, count);
        walk->taken += before - udf_space_free(space);
    }
}

static void claim_one(void *context, struct udf_node *node) {
    struct walk *walk = context;

    for (uint32_t i = 0; i < udf_node_runs(node); i++) {
        struct udf_icb_run run = udf_node_run(node, i);

        claim(walk, (struct udf_addr){.lbn = run.lbn, .part = node->icb.part},
              run.blocks);
    }
    for (uint32_t i = 0; i < node->body.aeds; i++) {
        claim(
            walk,
            (struct udf_addr){.lbn = node->body.aed[i], .part = node->icb.part},
            1);
    }
    for (size_t i = 0; i < node->body.extents.count; i++) {
        const struct udf_extent *extent = &node->body.extents.list[i];

        if (extent->kind != UDF_EXTENT_HOLE) {
            claim(walk, extent->addr, extent->count);
        }
    }
}

/* A node, and its streams as far as they are in memory. */
static void claim_node(struct walk *walk, struct udf_node *node) {
    claim_one(walk, node);
    udf_stream_each(walk->volume, node, claim_one, walk);
}

static bool first_visit(struct walk *walk, struct udf_addr icb) {
    if (icb.part >= walk->volume->maps.count ||
        icb.lbn >= walk->volume->maps.map[icb.part].blocks ||
        mmc_bits_test(walk->seen[icb.part], icb.lbn)) {
        return false;
    }
    mmc_bits_set(walk->seen[icb.part], icb.lbn);
    return true;
}

/* Looks at one entry of a directory and its node. */
static int visit(struct udf_op *op, struct walk *walk,
                 const struct udf_dir_entry *entry) {
    struct udf_node *node;
    int error = udf_node_load(op, entry->icb, &node);

    if (!error) {
        error = udf_stream_hold(op, node);
    }
    if (error) {
        return error;
    }
    if (udf_node_is_dir(node)) {
        walk->directories++;
    } else {
        walk->files++;
    }
    if (entry->unique_id > walk->unique_id_max) {
        walk->unique_id_max = entry->unique_id;
    }
    if (node->attr.unique_id > walk->unique_id_max) {
        walk->unique_id_max = node->attr.unique_id;
    }
    if (!first_visit(walk, entry->icb)) {
        return 0;
    }
    claim_node(walk, node);
    return udf_node_is_dir(node) ? udf_inos_push(&walk->stack, node->ino) : 0;
}

/* One step: the entry of `ino` at or behind *position, which moves on. */
static int step(struct walk *walk, uint64_t ino, uint32_t *position) {
    struct udf_dir_entry entry;
    struct udf_node *dir;
    struct udf_op op;
    int error;

    udf_op_start(&op, walk->volume, UDF_OP_EXCLUSIVE);
    do {
        error = udf_node_get(&op, ino, &dir);
        if (!error) {
            error = udf_dir_load(&op, dir);
        }
        if (!error) {
            error = udf_dir_next(dir->dir, *position, &entry);
            error = error ? -ENODATA : visit(&op, walk, &entry);
            if (error && error != UDF_MISS && error != -ENODATA &&
                !udf_io_is_fatal(error)) {
                error = 0; /* a damaged file; the others still count */
            }
        }
    } while (udf_op_again(&op, &error));
    if (!error) {
        *position = entry.position + entry.bytes;
    }
    return error;
}

static int walk_tree(struct walk *walk) {
    int error = udf_inos_push(&walk->stack, UDF_ROOT_INO);

    while (!error && walk->stack.count > 0) {
        uint64_t ino = walk->stack.ino[--walk->stack.count];
        uint32_t position = 0;

        while (!error) {
            error = step(walk, ino, &position);
        }
        if (!udf_io_is_fatal(error)) {
            error = 0; /* end of the directory, or it is damaged */
        }
    }
    return error;
}

static int make_seen(struct walk *walk) {
    const struct udf_partmaps *maps = &walk->volume->maps;

    for (uint32_t i = 0; i < maps->count; i++) {
        walk->seen[i] = calloc(mmc_bits_words(maps->map[i].blocks) + 1,
                               sizeof(*walk->seen[i]));
        if (!walk->seen[i]) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* What no directory names, and the root. */
static int claim_fixed(struct walk *walk) {
    const struct udf_metadata *metadata = &walk->volume->metadata;
    struct udf_node *nodes[] = {NULL, metadata->main, metadata->mirror,
                                metadata->bitmap};
    struct udf_op op;
    int error;

    udf_op_start(&op, walk->volume, UDF_OP_EXCLUSIVE);
    do {
        error = udf_node_get(&op, UDF_ROOT_INO, &nodes[0]);
        if (!error) {
            error = udf_stream_hold(&op, nodes[0]);
        }
        if (!error) {
            (void)first_visit(walk, nodes[0]->icb);
        }
        for (size_t i = 0; !error && i < sizeof(nodes) / sizeof(*nodes); i++) {
            if (nodes[i]) {
                claim_node(walk, nodes[i]);
            }
        }
    } while (udf_op_again(&op, &error));
    return error;
}

int udf_rebuild(struct udf_volume *volume) {
    struct udf_lvid *lvid = &volume->integrity.lvid;
    struct walk walk = {.volume = volume, .directories = 1};
    int error = make_seen(&walk);

    if (!error) {
        error = claim_fixed(&walk);
    }
    if (!error) {
        error = walk_tree(&walk);
    }
    for (uint32_t i = 0; i < UDF_PARTMAPS_MAX; i++) {
        free(walk.seen[i]);
    }
    free(walk.stack.ino);
    if (error) {
        return error;
    }
    udf_spaces_found(volume);
    lvid->files = walk.files;
    lvid->directories = walk.directories;
    if (lvid->next_unique_id <= walk.unique_id_max) {
        lvid->next_unique_id = walk.unique_id_max + 1;
    }
    if (walk.taken > 0) {
        udf_sync_note_change(volume); /* the bitmap is to be written */
        mmc_log(MMC_LOG_WARN, "%u blocks in use were marked free", walk.taken);
    }
    return 0;
}
