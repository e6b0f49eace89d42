/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/node_write.c - a node's file entry, and the chain of allocation extent
 * descriptors behind it, into the overlay. See udf/node.h.
 *
 * A list of extents that does not fit in the ICB goes on in blocks of its own
 * (ECMA-167 4/12): each area but the last ends with a descriptor of kind
 * "next". The blocks of the chain are kept and written in place; a chain that
 * gets longer takes blocks near the ICB.
 */
#include "udf/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/dir.h"
#include "udf/encode.h"
#include "udf/io.h"
#include "udf/volume.h"

uint32_t udf_node_inline_room(const struct udf_node *node) {
    uint32_t fixed = node->kept.extended ? UDF_EFE_BYTES : UDF_FE_BYTES;

    return UDF_BLOCK_BYTES - fixed - node->kept.ea_bytes;
}

/* Short descriptors do where all blocks are in the ICB's partition. */
static enum udf_ad_form choose_form(const struct udf_node *node) {
    for (size_t i = 0; i < node->body.extents.count; i++) {
        const struct udf_extent *extent = &node->body.extents.list[i];

        if (extent->kind != UDF_EXTENT_HOLE &&
            extent->addr.part != node->icb.part) {
            return UDF_AD_LONG;
        }
    }
    /* Extended ones are what UDF forbids; those of others become long. */
    return node->body.form == UDF_AD_SHORT ? UDF_AD_SHORT : UDF_AD_LONG;
}

/* Bytes of whole descriptors in `room`, one kept free for the continuation. */
static uint32_t area_bytes(enum udf_ad_form form, uint32_t room) {
    uint32_t size = udf_ad_size(form);

    return (room / size - 1) * size;
}

/* Blocks that the descriptors need beside the ICB. */
static uint64_t chain_blocks(enum udf_ad_form form, uint64_t bytes,
                             uint32_t icb_room) {
    uint32_t size = udf_ad_size(form);
    uint32_t aed_room = UDF_BLOCK_BYTES - UDF_AED_BYTES;
    uint64_t left, blocks;

    if (bytes <= icb_room / size * size) {
        return 0;
    }
    left = bytes - area_bytes(form, icb_room);
    for (blocks = 1; left > aed_room / size * size; blocks++) {
        left -= area_bytes(form, aed_room);
    }
    return blocks;
}

/* Makes the chain `want` blocks long. */
static int resize_chain(struct udf_volume *volume, struct udf_node *node,
                        uint32_t want) {
    struct udf_body *body = &node->body;
    uint32_t goal = node->chain.entry.lbn;

    while (body->aeds > want) {
        body->aeds--;
        udf_volume_give(volume,
                        (struct udf_addr){.lbn = body->aed[body->aeds],
                                          .part = node->icb.part},
                        1);
    }
    if (body->aeds_recorded > body->aeds) {
        body->aeds_recorded = body->aeds;
    }
    if (body->aeds < want) {
        uint32_t *bigger = realloc(body->aed, want * sizeof(*bigger));

        if (!bigger) {
            return -ENOMEM;
        }
        body->aed = bigger;
    }
    while (body->aeds < want) {
        uint32_t lbn;
        int error = udf_spaces_take_block(volume, node->icb.part, goal, &lbn);

        if (error) {
            return error;
        }
        body->aed[body->aeds++] = lbn;
        goal = lbn + 1;
    }
    return 0;
}

/* What the list will be written in: data in another partition than the ICB is
 * still to come. */
static enum udf_ad_form form_to_come(const struct udf_volume *volume,
                                     const struct udf_node *node) {
    return node->icb.part == volume->placement.data_part ? choose_form(node)
                                                         : UDF_AD_LONG;
}

/* Bytes of descriptors for the list as it is, and a hole up to `size`. */
static uint64_t bytes_to_come(enum udf_ad_form form,
                              const struct udf_node *node, uint64_t size) {
    const struct udf_extents *extents = &node->body.extents;
    uint64_t end = udf_extents_end(extents) * UDF_BLOCK_BYTES;
    uint64_t hole = size > end ? size - end : 0;
    uint64_t pieces = (hole + UDF_EXTENT_BYTES_MAX - 1) / UDF_EXTENT_BYTES_MAX;

    return udf_ads_bytes(form, extents, end) + pieces * udf_ad_size(form);
}

int udf_node_make_chain(struct udf_volume *volume, struct udf_node *node,
                        uint64_t size) {
    enum udf_ad_form form = form_to_come(volume, node);
    uint64_t bytes = bytes_to_come(form, node, size);
    uint64_t want = chain_blocks(form, bytes, udf_node_inline_room(node));
    uint32_t have = node->body.aeds;
    int error;

    if (want <= have) {
        return 0;
    }
    error = udf_spaces_meta_room(volume, (uint32_t)want - have);
    if (!error) {
        error = resize_chain(volume, node, (uint32_t)want);
        udf_node_touch(volume, node); /* what was taken is written, or given
                                         back, by the next commit */
    }
    return error;
}

/* Fills one area of descriptors; puts the continuation behind them when the
 * list goes on. Returns the bytes used. */
static uint32_t fill_area(const struct udf_node *node, enum udf_ad_form form,
                          struct udf_ad_cursor *cursor, uint32_t next_aed,
                          uint32_t room, uint8_t *raw) {
    const struct udf_body *body = &node->body;
    struct udf_addr next;
    uint32_t used;

    if (next_aed >= body->aeds) {
        return udf_ads_encode(form, &body->extents, body->size, cursor, raw,
                              room);
    }
    used = udf_ads_encode(form, &body->extents, body->size, cursor, raw,
                          area_bytes(form, room));
    next =
        (struct udf_addr){.lbn = body->aed[next_aed], .part = node->icb.part};
    udf_ad_encode_next(form, &next, raw + used);
    return used + udf_ad_size(form);
}

/* `old` of the chain's blocks were there before. */
static int write_chain(struct udf_volume *volume, const struct udf_node *node,
                       enum udf_ad_form form, struct udf_ad_cursor *cursor,
                       uint32_t old) {
    const struct udf_body *body = &node->body;
    uint8_t ads[UDF_BLOCK_BYTES], block[UDF_BLOCK_BYTES];

    for (uint32_t i = 0; i < body->aeds; i++) {
        struct udf_aed aed = {
            .previous_lbn = i > 0 ? body->aed[i - 1] : node->chain.entry.lbn,
            .ads = ads,
        };
        struct udf_addr addr = {.lbn = body->aed[i], .part = node->icb.part};
        int error;

        aed.ads_bytes = fill_area(node, form, cursor, i + 1,
                                  UDF_BLOCK_BYTES - UDF_AED_BYTES, ads);
        error = udf_encode_aed(&aed, &volume->identity.style, addr.lbn, block);
        if (!error) {
            error = udf_io_write_meta(
                volume, addr, i < old ? UDF_OVERLAY_ENTRY : UDF_OVERLAY_FRESH,
                block);
        }
        if (error) {
            return error;
        }
    }
    return 0;
}

static struct udf_fe entry_of(const struct udf_node *node) {
    const struct udf_attr *attr = &node->attr;
    const struct udf_kept *kept = &node->kept;
    struct udf_fe fe = {
        .extended = kept->extended,
        .prior_entries = kept->prior_entries,
        .strategy = kept->strategy,
        .max_entries = kept->max_entries,
        .file_type = attr->file_type,
        .parent_icb = kept->parent_icb,
        .icb_flags = attr->icb_flags,
        .uid = attr->uid,
        .gid = attr->gid,
        .permissions = attr->permissions,
        /* The stream directory's parent FID counts. ECMA-167 4/14.9.6 */
        .links = (uint16_t)(attr->links + (kept->stream_dir.bytes > 0)),
        .info_bytes = node->body.size,
        .object_bytes = node->body.size + kept->stream_bytes,
        .blocks_recorded = udf_extents_recorded(&node->body.extents),
        .atime = attr->atime,
        .mtime = attr->mtime,
        .ctime = attr->ctime,
        .btime = attr->btime,
        .checkpoint = kept->checkpoint,
        .ea_icb = kept->ea_icb,
        .stream_dir = kept->stream_dir,
        .unique_id = attr->unique_id,
        .ea = kept->ea,
        .ea_bytes = kept->ea_bytes,
    };

    if (kept->maker) {
        fe.implementation = *kept->maker;
    } else {
        udf_entity_own(&fe.implementation);
    }
    return fe;
}

static enum udf_overlay_class class_of(const struct udf_node *node) {
    if (node->attr.file_type >= UDF_FILE_METADATA) {
        return UDF_OVERLAY_MAP;
    }
    return udf_node_has_fids(node) && !node->fresh ? UDF_OVERLAY_DIRECTORY_ENTRY
                                                   : UDF_OVERLAY_ENTRY;
}

int udf_node_write(struct udf_volume *volume, struct udf_node *node) {
    struct udf_body *body = &node->body;
    uint32_t old = body->aeds_recorded;
    uint32_t room = udf_node_inline_room(node);
    struct udf_fe fe = entry_of(node);
    uint8_t ads[UDF_BLOCK_BYTES], block[UDF_BLOCK_BYTES];
    struct udf_ad_cursor cursor = {0};
    int error = 0;

    if (body->embedded) {
        error = resize_chain(volume, node, 0);
        fe.icb_flags |= UDF_AD_EMBEDDED;
        fe.ads = node->dir ? udf_dir_bytes(node->dir) : body->inline_data;
        fe.ads_bytes = (uint32_t)body->size;
    } else {
        body->form = choose_form(node);
        error = resize_chain(
            volume, node,
            (uint32_t)chain_blocks(
                body->form,
                udf_ads_bytes(body->form, &body->extents, body->size), room));
        if (error) {
            return error;
        }
        fe.icb_flags |= (uint16_t)body->form;
        fe.ads = ads;
        fe.ads_bytes = fill_area(node, body->form, &cursor, 0, room, ads);
    }
    if (!error) {
        error = udf_encode_fe(&fe, &volume->identity.style,
                              node->chain.entry.lbn, block);
    }
    if (!error) {
        error =
            udf_io_write_meta(volume, node->chain.entry, class_of(node), block);
    }
    if (!error && !body->embedded) {
        error = write_chain(volume, node, body->form, &cursor, old);
    }
    if (!error) {
        node->fresh = false;
        body->aeds_recorded = body->aeds;
    }
    return error;
}
