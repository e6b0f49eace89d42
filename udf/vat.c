/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/vat.c - see udf/vat.h.
 */
#include "udf/vat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "udf/bytes.h"
#include "udf/decode.h"
#include "udf/io.h"
#include "udf/node.h"
#include "udf/volume.h"

enum {
    /* Blocks before the last one that are looked at: the table is the last of
     * what was written, but drives add up to a packet behind it. */
    SEARCH_BLOCKS = 64,
    TABLE_BYTES_MAX = 1 << 26, /* 16 million entries: more than a BD-R has */
    ENTRY_BYTES = 4,
    HEAD_BYTES = 152,
    TRAILER_BYTES = 36,
    FILE_UNKNOWN = 0 /* the type of the table's file in UDF 1.50 */
};

static const char old_id[] = "*UDF Virtual Alloc Tbl";

/* Entries from the start on, and a trailer that begins with an entity. */
static int decode_old(const uint8_t *raw, uint32_t bytes,
                      struct udf_vat_content *out) {
    struct udf_entity entity;

    if (bytes < TRAILER_BYTES) {
        return -EUCLEAN;
    }
    udf_entity_decode(raw + bytes - TRAILER_BYTES, &entity);
    if (strcmp(entity.id, old_id) != 0) {
        return -EUCLEAN;
    }
    *out = (struct udf_vat_content){
        .vat = {.present = true},
        .entries = (bytes - TRAILER_BYTES) / ENTRY_BYTES,
    };
    return 0;
}

int udf_vat_decode(const uint8_t *raw, uint32_t bytes, bool old,
                   struct udf_vat_content *out) {
    uint32_t head;

    if (old) {
        return decode_old(raw, bytes, out);
    }
    if (bytes < HEAD_BYTES) {
        return -EUCLEAN;
    }
    head = udf_get16(raw);
    if (head < HEAD_BYTES || head > bytes) {
        return -EUCLEAN;
    }
    *out = (struct udf_vat_content){
        .vat = {.present = true,
                .counted = true,
                .files = udf_get32(raw + 136),
                .directories = udf_get32(raw + 140),
                .min_read = udf_get16(raw + 144),
                .min_write = udf_get16(raw + 146),
                .max_write = udf_get16(raw + 148)},
        .first = head,
        .entries = (bytes - head) / ENTRY_BYTES,
    };
    return 0;
}

/* ---- finding ---------------------------------------------------------- */

/* Whether the file entry in `block` is a table's. */
static bool is_table(const struct udf_volume *volume, const uint8_t *block,
                     uint32_t lbn, bool *out_old) {
    struct udf_fe fe;

    if (udf_decode_fe(block, lbn, &fe)) {
        return false;
    }
    *out_old = fe.file_type == FILE_UNKNOWN;
    return fe.file_type == UDF_FILE_VAT ||
           (*out_old && volume->identity.revision < 0x0200);
}

/* The file entry of the last table in partition `part`. */
static int find_table(struct udf_volume *volume, uint16_t part,
                      struct udf_addr *out_icb, bool *out_old) {
    const struct udf_partmap *map = &volume->maps.map[part];
    uint32_t last = volume->dev->geometry.blocks - 1;
    uint8_t block[UDF_BLOCK_BYTES];

    for (uint32_t i = 0; i < SEARCH_BLOCKS && last - i > map->start_lba; i++) {
        uint32_t lbn = last - i - map->start_lba;
        int error = udf_io_load(volume, last - i, 1, block);

        if (udf_io_is_fatal(error)) {
            return error;
        }
        if (!error && lbn < map->blocks &&
            is_table(volume, block, lbn, out_old)) {
            *out_icb = (struct udf_addr){.lbn = lbn, .part = part};
            return 0;
        }
    }
    return -EUCLEAN;
}

/* ---- reading ---------------------------------------------------------- */

static int load_node(struct udf_volume *volume, struct udf_addr icb,
                     struct udf_node **out_node) {
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
    do {
        error = udf_node_load(&op, icb, out_node);
    } while (udf_op_again(&op, &error));
    return error;
}

static int read_block(struct udf_volume *volume, const struct udf_node *node,
                      uint32_t index, uint8_t *block) {
    struct udf_extent piece;

    if (udf_extents_map(&node->body.extents, index, &piece) ||
        piece.kind != UDF_EXTENT_RECORDED) {
        return -EUCLEAN;
    }
    return udf_io_load_at(volume, piece.addr, block);
}

/* The content of the file, in whole blocks; the caller frees it. */
static int read_content(struct udf_volume *volume, const struct udf_node *node,
                        uint8_t **out_raw) {
    uint32_t bytes = (uint32_t)node->body.size;
    uint32_t blocks = bytes / UDF_BLOCK_BYTES + 1;
    uint8_t *raw = calloc(blocks, UDF_BLOCK_BYTES);
    int error = raw ? 0 : -ENOMEM;

    if (!error && node->body.embedded && bytes > 0) {
        memcpy(raw, node->body.inline_data, bytes);
    } else if (!error) {
        for (uint32_t i = 0; !error && (uint64_t)i * UDF_BLOCK_BYTES < bytes;
             i++) {
            error =
                read_block(volume, node, i, raw + (size_t)i * UDF_BLOCK_BYTES);
        }
    }
    if (error) {
        free(raw);
        return error;
    }
    *out_raw = raw;
    return 0;
}

/* Puts the entries into the map. */
static int take_entries(struct udf_volume *volume, uint16_t part,
                        const uint8_t *raw,
                        const struct udf_vat_content *content) {
    struct udf_partmap *map = &volume->maps.map[part];

    map->vat = malloc(((size_t)content->entries + 1) * sizeof(*map->vat));
    if (!map->vat) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < content->entries; i++) {
        map->vat[i] = udf_get32(raw + content->first + (size_t)i * ENTRY_BYTES);
    }
    map->vat_entries = content->entries;
    map->blocks = content->entries;
    volume->vat = content->vat;
    return 0;
}

int udf_vat_load(struct udf_volume *volume, uint16_t part) {
    struct udf_vat_content content;
    struct udf_node *node = NULL;
    struct udf_addr icb;
    uint8_t *raw = NULL;
    bool old;
    int error = find_table(volume, volume->maps.map[part].physical, &icb, &old);

    if (!error) {
        error = load_node(volume, icb, &node);
    }
    if (!error && node->body.size > TABLE_BYTES_MAX) {
        error = -EUCLEAN;
    }
    if (!error) {
        error = read_content(volume, node, &raw);
    }
    if (!error) {
        error = udf_vat_decode(raw, (uint32_t)node->body.size, old, &content);
    }
    if (!error) {
        error = take_entries(volume, part, raw, &content);
    }
    free(raw);
    return error;
}

void udf_vat_count(const struct udf_vat *vat, struct udf_lvid *lvid) {
    if (vat->counted) {
        lvid->files = vat->files;
        lvid->directories = vat->directories;
        lvid->min_read = vat->min_read;
        lvid->min_write = vat->min_write;
        lvid->max_write = vat->max_write;
    }
}
