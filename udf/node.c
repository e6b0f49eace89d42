/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/node.c - loading, making and deleting nodes. See udf/node.h; the table of
 * nodes is in udf/node_table.c, file entries are read in udf/node_load.c and
 * written in udf/node_write.c.
 */
#include "udf/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mmc/log.h"
#include "udf/attr.h"
#include "udf/dir.h"
#include "udf/ea.h"
#include "udf/file.h"
#include "udf/node_load.h"
#include "udf/stream.h"
#include "udf/volume.h"

/* ---- numbers ---------------------------------------------------------- */

uint64_t udf_node_ino(const struct udf_volume *volume, struct udf_addr addr) {
    const struct udf_addr *root = &volume->identity.root_icb;

    if (addr.lbn == root->lbn && addr.part == root->part) {
        return UDF_ROOT_INO;
    }
    return ((uint64_t)addr.part << 32 | addr.lbn) + 2;
}

int udf_node_addr(const struct udf_volume *volume, uint64_t ino,
                  struct udf_addr *out_addr) {
    uint64_t packed = ino - 2;

    if (ino == UDF_ROOT_INO) {
        *out_addr = volume->identity.root_icb;
        return 0;
    }
    if (ino == 0 || packed >> 32 >= volume->maps.count) {
        return -ESTALE;
    }
    out_addr->lbn = (uint32_t)packed;
    out_addr->part = (uint16_t)(packed >> 32);
    return 0;
}

/* ---- loading ---------------------------------------------------------- */

static struct udf_node *node_alloc(const struct udf_volume *volume,
                                   struct udf_addr icb) {
    struct udf_node *node = calloc(1, sizeof(*node));

    if (node) {
        node->icb = icb;
        node->chain.entry = icb;
        node->ino = udf_node_ino(volume, icb);
    }
    return node;
}

/* Makes nodes->loading the load of the ICB at `icb`, begun before or new. */
static int loading_begin(const struct udf_volume *volume,
                         struct udf_nodes *nodes, struct udf_addr icb) {
    struct udf_node *node;

    if (nodes->loading && udf_node_loading_node(nodes->loading)->ino ==
                              udf_node_ino(volume, icb)) {
        return 0;
    }
    udf_nodes_drop_loading(nodes);
    node = node_alloc(volume, icb);
    nodes->loading = node ? udf_node_loading_new(node) : NULL;
    if (!nodes->loading) {
        udf_node_destroy(nodes, node);
        return -ENOMEM;
    }
    return 0;
}

/* Takes the finished node out of nodes->loading. */
static struct udf_node *loading_end(struct udf_nodes *nodes) {
    struct udf_node *node = udf_node_loading_node(nodes->loading);

    udf_node_loading_free(nodes->loading);
    nodes->loading = NULL;
    return node;
}

int udf_node_load(struct udf_op *op, struct udf_addr icb,
                  struct udf_node **out_node) {
    struct udf_nodes *nodes = &op->volume->nodes;
    struct udf_node *node = udf_node_find(nodes, udf_node_ino(op->volume, icb));
    int error;

    if (node) {
        *out_node = node;
        return 0;
    }
    error = udf_op_need_exclusive(op);
    if (!error) {
        error = loading_begin(op->volume, nodes, icb);
    }
    if (error) {
        return error;
    }
    error = udf_node_loading_go(op, nodes->loading);
    if (error == UDF_MISS) {
        return error;
    }
    if (error) {
        udf_nodes_drop_loading(nodes);
        if (error == -EUCLEAN) {
            mmc_log(MMC_LOG_WARN, "file entry at block %u is damaged", icb.lbn);
        }
        return error;
    }
    node = loading_end(nodes);
    udf_nodes_add(nodes, node);
    *out_node = node;
    return 0;
}

int udf_node_get(struct udf_op *op, uint64_t ino, struct udf_node **out_node) {
    struct udf_addr icb;
    int error = udf_node_addr(op->volume, ino, &icb);

    return error ? error : udf_node_load(op, icb, out_node);
}

/* ---- making ----------------------------------------------------------- */

static int take_icb(struct udf_volume *volume, uint8_t file_type,
                    struct udf_addr *out_icb) {
    enum udf_space_kind kind = file_type == UDF_FILE_DIRECTORY
                                   ? UDF_SPACE_DIRECTORIES
                                   : UDF_SPACE_ENTRIES;
    uint32_t lbn;
    int error = udf_spaces_meta_room(volume, 1);

    if (!error) {
        error = udf_space_take_apart(volume->meta, kind, 1, 1, &lbn);
    }
    if (!error) {
        *out_icb =
            (struct udf_addr){.lbn = lbn, .part = volume->placement.meta_part};
    }
    return error;
}

/* What the attribute space of a new node holds: what device it is, and where
 * the entry has no field for it, when it was made. */
static int make_ea(const struct udf_volume *volume, struct udf_node *node) {
    uint8_t type = node->attr.file_type;
    int error = 0;

    if (type == UDF_FILE_BLOCK_DEVICE || type == UDF_FILE_CHAR_DEVICE) {
        struct udf_ea_place place = {
            .revision = volume->identity.revision,
            .lbn = node->chain.entry.lbn,
            .style = &volume->identity.style,
        };

        error = udf_ea_set_device(NULL, 0, node->attr.rdev, &place,
                                  &node->kept.ea, &node->kept.ea_bytes);
    }
    return error ? error : udf_node_keep_btime(volume, node);
}

/* Makes a node of `attr` with an ICB of its own. */
static int make_node(struct udf_op *op, const struct udf_attr *attr,
                     struct udf_node **out_node) {
    struct udf_volume *volume = op->volume;
    struct udf_addr icb;
    struct udf_node *node;
    int error = take_icb(volume, attr->file_type, &icb);

    if (error) {
        return error;
    }
    node = node_alloc(volume, icb);
    if (!node) {
        udf_volume_give(volume, icb, 1);
        return -ENOMEM;
    }
    node->attr = *attr;
    node->attr.atime = op->now;
    node->attr.mtime = op->now;
    node->attr.ctime = op->now;
    node->attr.btime = op->now;
    node->kept.extended = volume->identity.revision >= 0x0200;
    node->kept.strategy = UDF_STRATEGY_4;
    node->kept.checkpoint = 1;
    node->body.embedded = true;
    node->fresh = true;
    error = make_ea(volume, node);
    if (error) {
        udf_node_destroy(&volume->nodes, node);
        udf_volume_give(volume, icb, 1);
        return error;
    }
    udf_nodes_add(&volume->nodes, node);
    udf_node_touch(volume, node);
    *out_node = node;
    return 0;
}

int udf_node_new(struct udf_op *op, const struct udf_node_seed *seed,
                 struct udf_node **out_node) {
    const struct udf_mount_options *options = &op->volume->options;
    struct udf_attr attr = {
        .file_type = udf_type_encode(seed->mode),
        .icb_flags = udf_icb_flags_encode(seed->mode, UDF_ICB_ARCHIVE),
        .permissions = udf_permissions_encode(seed->mode),
        .uid = options->uid_forget ? UDF_ID_UNSET
               : options->uid_all  ? options->uid
                                   : seed->uid,
        .gid = options->gid_forget ? UDF_ID_UNSET
               : options->gid_all  ? options->gid
                                   : seed->gid,
        .rdev = seed->rdev,
    };

    if (attr.file_type == 0) {
        return -EOPNOTSUPP;
    }
    attr.unique_id = udf_integrity_unique_id(&op->volume->integrity);
    return make_node(op, &attr, out_node);
}

/* The attributes of the owner hold for its streams; theirs are a copy. UDF
 * 2.60 3.3.5.1. */
int udf_node_new_stream(struct udf_op *op, const struct udf_node *owner,
                        enum udf_file_type type, struct udf_node **out_node) {
    struct udf_attr attr = {
        .file_type = (uint8_t)type,
        .icb_flags = type == UDF_FILE_REGULAR ? UDF_ICB_STREAM : 0,
        .permissions = owner->attr.permissions,
        .uid = owner->attr.uid,
        .gid = owner->attr.gid,
        .unique_id = owner->attr.unique_id,
    };

    return make_node(op, &attr, out_node);
}

/* ---- changing --------------------------------------------------------- */

void udf_node_touch(struct udf_volume *volume, struct udf_node *node) {
    struct udf_nodes *nodes = &volume->nodes;

    udf_sync_note_change(volume);
    if (node->dirty) {
        return;
    }
    node->dirty = true;
    nodes->dirty_count++;
    node->in_place = !node->fresh;
    nodes->in_place_count += node->in_place;
    node->dirty_next = NULL;
    node->dirty_prev = nodes->dirty_last;
    if (nodes->dirty_last) {
        nodes->dirty_last->dirty_next = node;
    } else {
        nodes->dirty_first = node;
    }
    nodes->dirty_last = node;
}

void udf_node_changed(struct udf_op *op, struct udf_node *node, bool content) {
    node->attr.ctime = op->now;
    if (content) {
        node->attr.mtime = op->now;
        node->attr.icb_flags |= UDF_ICB_ARCHIVE;
    }
    udf_node_touch(op->volume, node);
}

/* ---- references and the end ------------------------------------------- */

void udf_node_drop_piece(void *context, const struct udf_extent *piece) {
    udf_volume_give(context, piece->addr, piece->count);
}

void udf_node_settled(struct udf_nodes *nodes, struct udf_node *node) {
    if (!node->dirty) {
        return;
    }
    if (node->dirty_prev) {
        node->dirty_prev->dirty_next = node->dirty_next;
    } else {
        nodes->dirty_first = node->dirty_next;
    }
    if (node->dirty_next) {
        node->dirty_next->dirty_prev = node->dirty_prev;
    } else {
        nodes->dirty_last = node->dirty_prev;
    }
    node->dirty_next = NULL;
    node->dirty_prev = NULL;
    nodes->in_place_count -= node->in_place;
    node->in_place = false;
    node->dirty = false;
    nodes->dirty_count--;
}

uint32_t udf_node_runs(const struct udf_node *node) {
    return node->chain.runs ? node->chain.count : 1;
}

struct udf_icb_run udf_node_run(const struct udf_node *node, uint32_t i) {
    return node->chain.runs
               ? node->chain.runs[i]
               : (struct udf_icb_run){.lbn = node->icb.lbn, .blocks = 1};
}

/* Frees what the node has on the disc, and the node. */
static void node_delete(struct udf_volume *volume, struct udf_node *node) {
    struct udf_body *body = &node->body;

    udf_stream_release(volume, node);
    volume->nodes.dirty_blocks -= body->dirty.blocks;
    udf_dirty_drop(&body->dirty, 0, UINT64_MAX);
    udf_space_unreserve(udf_node_space(volume, node), body->reserved);
    udf_extents_resize(&body->extents, 0, udf_node_drop_piece, volume);
    for (uint32_t i = 0; i < body->aeds; i++) {
        udf_volume_give(
            volume,
            (struct udf_addr){.lbn = body->aed[i], .part = node->icb.part}, 1);
    }
    for (uint32_t i = 0; i < udf_node_runs(node); i++) {
        struct udf_icb_run run = udf_node_run(node, i);

        udf_volume_give(
            volume, (struct udf_addr){.lbn = run.lbn, .part = node->icb.part},
            run.blocks);
    }
    udf_node_settled(&volume->nodes, node);
    udf_sync_note_change(volume);
    udf_nodes_remove(&volume->nodes, node);
}

int udf_node_forgotten(struct udf_op *op, uint64_t ino) {
    struct udf_nodes *nodes = &op->volume->nodes;
    struct udf_node *node = udf_node_find(nodes, ino);
    int error;

    if (!node || !(node->orphan || node->body.preallocated) ||
        udf_refs_count(&nodes->refs, ino) > 0) {
        return 0;
    }
    error = udf_op_need_exclusive(op);
    if (error) {
        return error;
    }
    if (node->orphan) {
        udf_node_end_orphan(op->volume, node);
    } else {
        udf_file_release_tail(op->volume, node);
    }
    return 0;
}

void udf_node_end_orphan(struct udf_volume *volume, struct udf_node *node) {
    volume->nodes.orphans--;
    node_delete(volume, node);
}

/* A node without a name is free on the disc; memory keeps its blocks. */
static void show_free(struct udf_volume *volume, const struct udf_node *node) {
    const struct udf_body *body = &node->body;

    for (uint32_t i = 0; i < udf_node_runs(node); i++) {
        struct udf_icb_run run = udf_node_run(node, i);

        udf_volume_orphan(
            volume, (struct udf_addr){.lbn = run.lbn, .part = node->icb.part},
            run.blocks);
    }
    for (uint32_t i = 0; i < body->aeds; i++) {
        udf_volume_orphan(
            volume,
            (struct udf_addr){.lbn = body->aed[i], .part = node->icb.part}, 1);
    }
    for (size_t i = 0; i < body->extents.count; i++) {
        if (body->extents.list[i].kind != UDF_EXTENT_HOLE) {
            udf_volume_orphan(volume, body->extents.list[i].addr,
                              body->extents.list[i].count);
        }
    }
}

int udf_node_fixed(const struct udf_volume *volume,
                   const struct udf_node *node) {
    struct udf_space *const *space = volume->spaces.of;
    const struct udf_extents *extents = &node->body.extents;
    const struct udf_long_ad *const others[] = {&node->kept.stream_dir,
                                                &node->kept.ea_icb};
    bool fixed = !space[node->icb.part];

    if (!volume->spaces.some_fixed) {
        return 0; /* of nearly all volumes */
    }
    for (size_t i = 0; !fixed && i < sizeof(others) / sizeof(others[0]); i++) {
        fixed =
            others[i]->bytes > 0 && (others[i]->addr.part >= UDF_PARTMAPS_MAX ||
                                     !space[others[i]->addr.part]);
    }
    for (size_t i = 0; !fixed && i < extents->count; i++) {
        fixed = extents->list[i].kind != UDF_EXTENT_HOLE &&
                !space[extents->list[i].addr.part];
    }
    return fixed ? -EROFS : 0;
}

void udf_node_orphan(struct udf_volume *volume, struct udf_node *node) {
    node->orphan = true;
    volume->nodes.orphans++;
    show_free(volume, node);
}

void udf_node_abandon(struct udf_volume *volume, struct udf_node *node) {
    if (udf_refs_count(&volume->nodes.refs, node->ino) == 0) {
        node_delete(volume, node);
        return;
    }
    udf_node_orphan(volume, node);
    udf_stream_orphan(volume, node);
}
