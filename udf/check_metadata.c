/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_metadata.c - the metadata partition: its three files, where their
 * extents are, and that both copies of a block are the same. UDF 2.60 2.2.10,
 * 2.2.13.
 *
 * The entries of the three files are looked at with the maps, since whatever
 * else there is lies in what they describe; the copies when it is known which
 * blocks are in use.
 */
#include "udf/check_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "udf/decode.h"

enum {
    FLAG_DUPLICATE = 1,
    UNIT_MIN = 32, /* an allocation unit has 32 blocks at least */
    NO_BLOCK = 0xFFFFFFFFu,
    DIFFERENCES_REPORTED = 20
};

/* Entries of the two copies, and what they say. */
struct check_copies {
    struct check_node main, mirror;
};

/* Reads the entry at `lbn` of partition `part`. `shares`: its blocks are
 * another file's, which has claimed them. Returns 0, -EUCLEAN (reported) or an
 * error. */
static int read_entry(struct udf_check *check, struct udf_addr addr,
                      uint8_t file_type, bool shares,
                      struct check_node *out_node) {
    struct udf_long_ad streams = {0}, ea = {0};
    struct check_node node = {
        .addr = addr, .role = CHECK_METADATA, .shares = shares};
    int error = udf_check_node(check, &node, &streams, &ea);

    *out_node = node; /* owns node.data */
    if (error) {
        return error;
    }
    if (node.file_type != file_type) {
        udf_check_fault(check,
                        "entry of the metadata partition at %u:%u: file type "
                        "%u, not %u (UDF 2.60 2.2.13)",
                        addr.part, addr.lbn, node.file_type, file_type);
        return -EUCLEAN;
    }
    if (streams.bytes > 0 || ea.bytes > 0 || node.links != 0) {
        udf_check_fault(check,
                        "entry of the metadata partition at %u:%u: streams, "
                        "attributes or links (UDF 2.60 2.2.13)",
                        addr.part, addr.lbn);
    }
    return 0;
}

/* Extents of a copy: whole allocation units at alignment units. */
static void check_extents(struct udf_check *check,
                          const struct udf_lvd_map *raw,
                          const struct check_node *node) {
    for (size_t i = 0; node->data && i < node->data->count; i++) {
        const struct udf_extent *extent = &node->data->list[i];

        if (extent->addr.lbn % raw->alignment_unit != 0 ||
            extent->count % raw->allocation_unit != 0) {
            udf_check_fault(check,
                            "metadata file %u:%u: %u blocks at %u are not "
                            "whole units of %u at %u (UDF 2.60 2.2.10)",
                            node->addr.part, node->addr.lbn, extent->count,
                            extent->addr.lbn, raw->allocation_unit,
                            raw->alignment_unit);
        }
    }
}

/* Returns 0 or -EUCLEAN (reported). */
static int check_units(struct udf_check *check, uint32_t i) {
    const struct udf_lvd_map *raw = &check->lvd.map[i];
    const struct udf_partmap *below =
        &check->maps.map[check->maps.map[i].physical];
    uint32_t packet = below->packet_blocks ? below->packet_blocks : 1;

    if (raw->alignment_unit == 0 || raw->allocation_unit == 0) {
        udf_check_fault(check, "metadata map: a unit of 0 blocks (UDF 2.60 "
                               "2.2.10)");
        return -EUCLEAN;
    }
    if (raw->allocation_unit < UNIT_MIN ||
        raw->allocation_unit % raw->alignment_unit != 0 ||
        raw->alignment_unit % packet != 0 ||
        (raw->flags & ~FLAG_DUPLICATE) != 0) {
        udf_check_fault(check,
                        "metadata map: units of %u and %u blocks, flags %02x "
                        "(UDF 2.60 2.2.10)",
                        raw->allocation_unit, raw->alignment_unit, raw->flags);
    }
    if (raw->metadata_lbn == raw->mirror_lbn ||
        raw->metadata_lbn / raw->alignment_unit ==
            raw->mirror_lbn / raw->alignment_unit) {
        udf_check_fault(check,
                        "metadata map: the entries at %u and %u are not far "
                        "apart (UDF 2.60 2.2.13)",
                        raw->metadata_lbn, raw->mirror_lbn);
    }
    return 0;
}

static bool same_extents(const struct udf_extents *a,
                         const struct udf_extents *b) {
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (a->list[i].addr.lbn != b->list[i].addr.lbn ||
            a->list[i].count != b->list[i].count) {
            return false;
        }
    }
    return a->count == b->count;
}

/* Fills in map `i` from the copies. Returns 0 or -EUCLEAN (reported). */
static int take_copies(struct udf_check *check, uint32_t i,
                       struct check_copies *copies) {
    const struct udf_lvd_map *raw = &check->lvd.map[i];
    struct udf_partmap *map = &check->maps.map[i];
    uint64_t blocks = copies->main.info_bytes / UDF_BLOCK_BYTES;

    if (copies->main.info_bytes % UDF_BLOCK_BYTES != 0 || blocks == 0 ||
        blocks > UINT32_MAX || !copies->main.data) {
        udf_check_fault(check, "metadata file: %llu bytes (UDF 2.60 2.2.13)",
                        (unsigned long long)copies->main.info_bytes);
        return -EUCLEAN;
    }
    map->blocks = (uint32_t)blocks;
    map->extents = *copies->main.data;
    *copies->main.data = (struct udf_extents){0};
    if (!copies->mirror.data) {
        return 0; /* reported */
    }
    if (copies->mirror.info_bytes != copies->main.info_bytes) {
        udf_check_fault(check,
                        "metadata mirror: %llu bytes, metadata file %llu "
                        "(UDF 2.60 2.2.13)",
                        (unsigned long long)copies->mirror.info_bytes,
                        (unsigned long long)copies->main.info_bytes);
    } else if (raw->flags & FLAG_DUPLICATE) {
        map->mirror = *copies->mirror.data;
        *copies->mirror.data = (struct udf_extents){0};
    } else if (!same_extents(&map->extents, copies->mirror.data)) {
        udf_check_fault(check, "metadata mirror: not the blocks of the "
                               "metadata file (UDF 2.60 2.2.13)");
    }
    return 0;
}

static void free_data(struct check_node *node) {
    if (node->data) {
        udf_extents_free(node->data);
        free(node->data);
    }
}

/* Reads the entries of both copies. Where the main one is broken (reported),
 * the mirror stands for it, so that what lies in it is walked all the same.
 * Returns 0, -EUCLEAN when both are, or an error. */
static int read_copies(struct udf_check *check, uint32_t i,
                       struct check_copies *copies) {
    const struct udf_lvd_map *raw = &check->lvd.map[i];
    uint16_t part = check->maps.map[i].physical;
    bool shares = (raw->flags & FLAG_DUPLICATE) == 0;
    int main, mirror;

    main = read_entry(check, (struct udf_addr){raw->metadata_lbn, part},
                      UDF_FILE_METADATA, false, &copies->main);
    if (udf_check_fatal(main)) {
        return main;
    }
    mirror =
        read_entry(check, (struct udf_addr){raw->mirror_lbn, part},
                   UDF_FILE_METADATA_MIRROR, shares && !main, &copies->mirror);
    if (udf_check_fatal(mirror)) {
        return mirror;
    }
    if (main && mirror) {
        return -EUCLEAN;
    }
    if (main) {
        free_data(&copies->main);
        copies->main = copies->mirror;
        copies->mirror = (struct check_node){0};
    }
    return 0;
}

int udf_check_metadata(struct udf_check *check, uint32_t i) {
    const struct udf_lvd_map *raw = &check->lvd.map[i];
    uint16_t part = check->maps.map[i].physical;
    struct check_copies copies = {0};
    int error = check_units(check, i);

    if (!error) {
        error = read_copies(check, i, &copies);
    }
    if (!error) {
        check_extents(check, raw, &copies.main);
        check_extents(check, raw, &copies.mirror);
        error = take_copies(check, i, &copies);
    }
    if (!error && raw->bitmap_lbn != NO_BLOCK) {
        error = read_entry(check, (struct udf_addr){raw->bitmap_lbn, part},
                           UDF_FILE_METADATA_BITMAP, false,
                           &check->metadata_bitmap);
    }
    free_data(&copies.main);
    free_data(&copies.mirror);
    return error;
}

/* Both copies of one block. */
static int compare_block(struct udf_check *check, struct udf_addr addr,
                         bool *out_same) {
    uint8_t one[UDF_BLOCK_BYTES], two[UDF_BLOCK_BYTES];
    uint32_t lba[2], copies;
    int error = udf_partmap_copies(&check->maps, addr, lba, &copies);

    *out_same = true;
    if (error || copies < 2) {
        return 0; /* reported with the files */
    }
    error = udf_check_read(check, lba[0], 1, one);
    error = error ? error : udf_check_read(check, lba[1], 1, two);
    if (udf_check_fatal(error)) {
        return error;
    }
    *out_same = !error && memcmp(one, two, sizeof(one)) == 0;
    return 0;
}

int udf_check_mirror(struct udf_check *check, uint16_t part) {
    const struct udf_partmap *map = &check->maps.map[part];
    uint64_t lbn = 0, different = 0;

    if (map->mirror.count == 0) {
        return 0;
    }
    while ((lbn = mmc_bits_next_set(check->used[part], lbn, map->blocks)) <
           map->blocks) {
        bool same;
        int error =
            compare_block(check, (struct udf_addr){(uint32_t)lbn, part}, &same);

        if (error) {
            return error;
        }
        if (!same && different++ < DIFFERENCES_REPORTED) {
            udf_check_fault(check,
                            "metadata block %llu is not the same in the "
                            "mirror (UDF 2.60 2.2.13)",
                            (unsigned long long)lbn);
        }
        lbn++;
    }
    if (different > DIFFERENCES_REPORTED) {
        udf_check_fault(check, "metadata mirror: %llu blocks in all differ",
                        (unsigned long long)different);
    }
    return 0;
}
