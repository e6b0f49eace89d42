/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_vat.c - the table of a virtual partition: its file is the last
 * thing that was written, and says where each block of the partition is. UDF
 * 1.50 2.2.10; UDF 2.60 2.2.11.
 */
#include "udf/check_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/blockdev.h"
#include "udf/decode.h"
#include "udf/tag.h"

enum {
    SEARCH_BLOCKS = 64, /* from the end on: drives add up to a packet */
    TABLE_BYTES_MAX = 1 << 26,
    ENTRY_BYTES = 4,
    FILE_UNKNOWN = 0, /* the type of the table's file before UDF 2.00 */
    TYPE_REVISION = 0x0200,
    ENTRIES_REPORTED = 20
};

#define UNUSED 0xFFFFFFFFu

/* Whether `block` is the file entry of a table. */
static bool is_table(const struct udf_check *check, const uint8_t *block,
                     uint32_t lbn) {
    uint8_t type =
        check->result.revision >= TYPE_REVISION ? UDF_FILE_VAT : FILE_UNKNOWN;
    struct udf_fe fe;

    return udf_decode_fe(block, lbn, &fe) == 0 && fe.file_type == type;
}

/* Returns 0, -EUCLEAN (reported) or an error. */
static int find_table(struct udf_check *check, uint16_t part,
                      struct udf_addr *out_addr) {
    const struct udf_partmap *map = &check->maps.map[part];
    uint32_t last = check->dev->geometry.blocks - 1;
    uint8_t block[UDF_BLOCK_BYTES];

    for (uint32_t i = 0; i < SEARCH_BLOCKS && last - i > map->start_lba; i++) {
        uint32_t lbn = last - i - map->start_lba;
        int error = lbn < map->blocks
                        ? udf_check_read(check, last - i, 1, block)
                        : -EIO;

        if (udf_check_fatal(error)) {
            return error;
        }
        if (!error && is_table(check, block, lbn)) {
            *out_addr = (struct udf_addr){.lbn = lbn, .part = part};
            return 0;
        }
    }
    udf_check_fault(check,
                    "no virtual allocation table in the last %d blocks (UDF "
                    "2.60 2.2.11)",
                    SEARCH_BLOCKS);
    return -EUCLEAN;
}

/* One block of the content. */
static int read_block(struct udf_check *check, const struct check_node *file,
                      uint64_t index, uint8_t *block) {
    struct udf_extent piece;

    if (!file->data || udf_extents_map(file->data, index, &piece)) {
        return -EUCLEAN; /* too short, or of no form; reported */
    }
    return udf_check_read_block(check, piece.addr, "virtual allocation table",
                                block);
}

static int read_embedded(struct udf_check *check, const struct check_node *file,
                         uint8_t *raw) {
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_fe fe;
    int error = udf_check_read_block(check, file->addr,
                                     "virtual allocation table", block);

    if (error || udf_decode_fe(block, file->addr.lbn, &fe) ||
        fe.ads_bytes < file->info_bytes) {
        return error ? error : -EUCLEAN;
    }
    memcpy(raw, fe.ads, (size_t)file->info_bytes);
    return 0;
}

/* Reads the content, whole blocks that the caller frees. Returns 0, -EUCLEAN
 * (reported) or an error. */
static int read_content(struct udf_check *check, const struct check_node *file,
                        uint8_t **out_raw) {
    uint64_t blocks = file->info_bytes / UDF_BLOCK_BYTES + 1;
    uint8_t *raw;
    int error = 0;

    if (file->info_bytes > TABLE_BYTES_MAX) {
        udf_check_fault(check, "virtual allocation table of %llu bytes",
                        (unsigned long long)file->info_bytes);
        return -EUCLEAN;
    }
    raw = calloc(blocks, UDF_BLOCK_BYTES);
    if (!raw) {
        return -ENOMEM;
    }
    if (file->embedded) {
        error = read_embedded(check, file, raw);
    }
    for (uint64_t i = 0;
         !error && !file->embedded && i * UDF_BLOCK_BYTES < file->info_bytes;
         i++) {
        error = read_block(check, file, i, raw + i * UDF_BLOCK_BYTES);
    }
    if (error) {
        free(raw);
        return error;
    }
    *out_raw = raw;
    return 0;
}

/* Fills in the map. An entry leads into the partition below, or nowhere. */
static int take_entries(struct udf_check *check, uint32_t i, const uint8_t *raw,
                        uint32_t entries) {
    struct udf_partmap *map = &check->maps.map[i];
    uint32_t blocks = check->maps.map[map->physical].blocks;
    uint32_t wrong = 0;

    map->vat = malloc(((size_t)entries + 1) * sizeof(*map->vat));
    if (!map->vat) {
        return -ENOMEM;
    }
    for (uint32_t k = 0; k < entries; k++) {
        map->vat[k] = udf_get32(raw + (size_t)k * ENTRY_BYTES);
        if (map->vat[k] != UNUSED && map->vat[k] >= blocks &&
            wrong++ < ENTRIES_REPORTED) {
            udf_check_fault(check,
                            "virtual allocation table: entry %u: no block %u "
                            "in the partition (UDF 2.60 2.2.11)",
                            k, map->vat[k]);
        }
    }
    map->vat_entries = entries;
    map->blocks = entries;
    return 0;
}

static int take_table(struct udf_check *check, uint32_t i,
                      const struct check_node *file, const uint8_t *raw) {
    bool old = check->result.revision < TYPE_REVISION;
    struct udf_vat_content content;

    if (file->info_bytes % ENTRY_BYTES != 0 ||
        udf_vat_decode(raw, (uint32_t)file->info_bytes, old, &content)) {
        udf_check_fault(check,
                        "virtual allocation table is malformed (UDF 2.60 "
                        "2.2.11)");
        return -EUCLEAN;
    }
    check->vat = content.vat;
    return take_entries(check, i, raw + content.first, content.entries);
}

int udf_check_vat(struct udf_check *check, uint32_t i) {
    struct udf_long_ad streams = {0}, ea = {0};
    struct check_node file = {.role = CHECK_VAT};
    uint8_t *raw = NULL;
    int error = find_table(check, check->maps.map[i].physical, &file.addr);

    error = error ? error : udf_check_node(check, &file, &streams, &ea);
    error = error ? error : read_content(check, &file, &raw);
    error = error ? error : take_table(check, i, &file, raw);
    if (file.data) {
        udf_extents_free(file.data);
        free(file.data);
    }
    free(raw);
    return error;
}
