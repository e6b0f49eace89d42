/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/node_load.c - see udf/node_load.h. ECMA-167 4/12, 4/14.5, 4/14.9,
 * 4/14.17; UDF 2.60 2.3.10, 2.3.11.
 *
 * First the file entry that prevails, with the descriptors in it, in one turn;
 * then the chain of allocation extent descriptors, block by block.
 */
#include "udf/node_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/circle.h"
#include "udf/decode.h"
#include "udf/ea.h"
#include "udf/icb.h"
#include "udf/io.h"
#include "udf/symlink.h"
#include "udf/volume.h"

struct udf_node_loading {
    struct udf_node *node;
    bool entered; /* the file entry is in the node */
    struct udf_ads ads;
    struct udf_circle circle; /* of the chain */
};

struct udf_node_loading *udf_node_loading_new(struct udf_node *node) {
    struct udf_node_loading *loading = calloc(1, sizeof(*loading));

    if (loading) {
        loading->node = node;
    }
    return loading;
}

struct udf_node *udf_node_loading_node(const struct udf_node_loading *loading) {
    return loading->node;
}

void udf_node_loading_free(struct udf_node_loading *loading) {
    free(loading);
}

/* ---- the file entry --------------------------------------------------- */

static int load_attributes(struct udf_node *node, const struct udf_fe *fe) {
    bool streams = fe->extended && fe->stream_dir.bytes > 0;

    node->attr = (struct udf_attr){
        .file_type = fe->file_type,
        .icb_flags = fe->icb_flags & (uint16_t)~UDF_ICB_FORM_MASK,
        .permissions = fe->permissions,
        .uid = fe->uid,
        .gid = fe->gid,
        /* Some writers leave the stream directory's parent FID out: see
         * udf/names.h. */
        .links = (uint16_t)(fe->links - (streams && fe->links > 1)),
        .unique_id = fe->unique_id,
        .atime = fe->atime,
        .mtime = fe->mtime,
        .ctime = fe->ctime,
        .btime = fe->extended ? fe->btime : fe->mtime,
    };
    node->kept = (struct udf_kept){
        .extended = fe->extended,
        .strategy = fe->strategy,
        .prior_entries = fe->prior_entries,
        .max_entries = fe->max_entries,
        .parent_icb = fe->parent_icb,
        .checkpoint = fe->checkpoint,
        .ea_icb = fe->ea_icb,
        .stream_dir = fe->stream_dir,
        .ea_bytes = fe->ea_bytes,
    };
    if (fe->extended && fe->object_bytes > fe->info_bytes) {
        node->kept.stream_bytes = fe->object_bytes - fe->info_bytes;
    }
    if (fe->ea_bytes > 0) {
        node->kept.ea = malloc(fe->ea_bytes);
        if (!node->kept.ea) {
            return -ENOMEM;
        }
        memcpy(node->kept.ea, fe->ea, fe->ea_bytes);
    }
    if (udf_names_doubtful(fe)) {
        node->kept.maker = malloc(sizeof(*node->kept.maker));
        if (!node->kept.maker) {
            return -ENOMEM;
        }
        *node->kept.maker = fe->implementation;
    }
    udf_ea_device(fe->ea, fe->ea_bytes, &node->attr.rdev);
    if (!fe->extended) {
        udf_ea_btime(fe->ea, fe->ea_bytes, &node->attr.btime);
    }
    return 0;
}

/* Content in the ICB. */
static int load_embedded(struct udf_body *body, const struct udf_fe *fe) {
    if (fe->info_bytes > fe->ads_bytes) {
        return -EUCLEAN;
    }
    body->embedded = true;
    body->form = UDF_AD_SHORT; /* for when it leaves the ICB */
    if (body->size == 0) {
        return 0;
    }
    body->inline_data = malloc((size_t)body->size);
    if (!body->inline_data) {
        return -ENOMEM;
    }
    memcpy(body->inline_data, fe->ads, (size_t)body->size);
    return 0;
}

static int load_entry(struct udf_op *op, struct udf_node_loading *loading) {
    struct udf_node *node = loading->node;
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_fe fe;
    int error = udf_icb_load(op, node->icb, block, &fe, &node->chain);

    if (error) {
        return error;
    }
    loading->entered = true;
    error = load_attributes(node, &fe);
    if (error) {
        return error;
    }
    node->body.size = fe.info_bytes;
    node->body.form = (enum udf_ad_form)(fe.icb_flags & UDF_ICB_FORM_MASK);
    if (node->body.form == UDF_AD_EMBEDDED) {
        return load_embedded(&node->body, &fe);
    }
    loading->ads = (struct udf_ads){
        .form = node->body.form,
        .part = node->icb.part,
        .info_bytes = fe.info_bytes,
        .extents = &node->body.extents,
    };
    return udf_ads_decode(&loading->ads, fe.ads, fe.ads_bytes);
}

/* ---- the list of extents ---------------------------------------------- */

/* One allocation extent descriptor, ECMA-167 4/14.5. */
static int load_aed(struct udf_op *op, struct udf_node_loading *loading) {
    struct udf_body *body = &loading->node->body;
    struct udf_addr addr = loading->ads.next;
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_aed aed;
    uint32_t *bigger;
    int error = addr.part == loading->node->icb.part ? 0 : -EUCLEAN;

    if (!error) {
        error = udf_io_read(op, addr, 1, block);
    }
    if (!error) {
        error = udf_decode_aed(block, addr.lbn, &aed);
    }
    if (!error && udf_circle_closed(&loading->circle, addr.lbn)) {
        error = -EUCLEAN;
    }
    if (error) {
        return error;
    }
    bigger = realloc(body->aed, (body->aeds + 1) * sizeof(*bigger));
    if (!bigger) {
        return -ENOMEM;
    }
    body->aed = bigger;
    body->aed[body->aeds++] = addr.lbn;
    body->aeds_recorded = body->aeds;
    return udf_ads_decode(&loading->ads, aed.ads, aed.ads_bytes);
}

/* Every block that the extents name must lie in its partition. */
static int check_extents(const struct udf_volume *volume,
                         const struct udf_extents *extents) {
    for (size_t i = 0; i < extents->count; i++) {
        const struct udf_extent *extent = &extents->list[i];
        const struct udf_partmap *map;

        if (extent->kind == UDF_EXTENT_HOLE) {
            continue;
        }
        if (extent->addr.part >= volume->maps.count) {
            return -EUCLEAN;
        }
        map = &volume->maps.map[extent->addr.part];
        if (extent->addr.lbn >= map->blocks ||
            extent->count > map->blocks - extent->addr.lbn) {
            return -EUCLEAN;
        }
    }
    return 0;
}

static int finish_list(const struct udf_volume *volume, struct udf_body *body) {
    uint64_t blocks =
        body->size / UDF_BLOCK_BYTES + (body->size % UDF_BLOCK_BYTES != 0);

    if (check_extents(volume, &body->extents) ||
        udf_extents_end(&body->extents) < blocks) {
        return -EUCLEAN;
    }
    /* What is recorded behind the information length is no content, and must
     * not become any when the file grows: it is kept as allocated space. */
    return udf_extents_turn(&body->extents, blocks, UINT64_MAX,
                            UDF_EXTENT_RECORDED, UDF_EXTENT_ALLOCATED);
}

int udf_node_loading_go(struct udf_op *op, struct udf_node_loading *loading) {
    struct udf_body *body = &loading->node->body;
    int error = loading->entered ? 0 : load_entry(op, loading);

    while (!error && loading->ads.more) {
        error = load_aed(op, loading);
    }
    if (!error && !body->embedded) {
        error = finish_list(op->volume, body);
    }
    if (!error && loading->node->attr.file_type == UDF_FILE_SYMLINK) {
        error = udf_symlink_measure(op, loading->node);
    }
    return error;
}
