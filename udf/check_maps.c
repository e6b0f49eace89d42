/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_maps.c - partitions, partition maps and sparing tables, and the
 * sectors that all structures outside of the partitions own. ECMA-167 3/10.5,
 * 3/10.7; UDF 2.60 2.2.8, 2.2.12, 2.2.14.
 *
 * A new kind of map needs a case in add_map(), which fills in check->maps, and
 * a used map for its blocks.
 */
#include "udf/check_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "udf/decode.h"
#include "udf/sparing_table.h"

enum {
    LVD_MAPS_AT = 440,
    TYPE1_BYTES = 6,
    TYPE2_BYTES = 64,
    SPARING_SUFFIX_AT = 40,
    /* from which on there are maps of a kind */
    SPARABLE_REVISION = 0x0150,
    VIRTUAL_REVISION = 0x0150,
    METADATA_REVISION = 0x0250
};

/* ---- regions ------------------------------------------------------------- */

void udf_check_region(struct udf_check *check, const char *name, uint32_t lba,
                      uint64_t blocks) {
    if (blocks == 0) {
        return;
    }
    if (lba + blocks > check->dev->geometry.blocks) {
        udf_check_fault(check, "%s: %llu sectors at %u go beyond the medium",
                        name, (unsigned long long)blocks, lba);
    }
    if (check->regions < CHECK_REGIONS_MAX) {
        check->region[check->regions++] =
            (struct check_region){.name = name, .lba = lba, .blocks = blocks};
    }
}

static int by_lba(const void *a, const void *b) {
    const struct check_region *left = a, *right = b;

    return (left->lba > right->lba) - (left->lba < right->lba);
}

void udf_check_regions(struct udf_check *check) {
    const struct check_region *longest = check->region;

    qsort(check->region, check->regions, sizeof(*check->region), by_lba);
    for (uint32_t i = 1; i < check->regions; i++) {
        const struct check_region *region = &check->region[i];

        if (longest->lba + longest->blocks > region->lba) {
            udf_check_fault(check, "%s at sector %u overlaps %s at %u",
                            region->name, region->lba, longest->name,
                            longest->lba);
        }
        if (region->lba + region->blocks > longest->lba + longest->blocks) {
            longest = region;
        }
    }
}

/* ---- sparing tables ------------------------------------------------------ */

static bool in_partition(const struct udf_partmap *map, uint32_t lba) {
    return lba >= map->start_lba && lba - map->start_lba < map->blocks;
}

static void check_entry(struct udf_check *check, const struct udf_partmap *map,
                        uint32_t i) {
    const struct udf_sparing_entry *entry = &map->sparing.entry[i];
    const struct udf_sparing_entry *before = entry - 1;
    bool used = entry->original < UDF_SPARE_BAD;

    if (i > 0 && (before->original > entry->original ||
                  (used && before->original == entry->original))) {
        udf_check_fault(check,
                        "sparing table: entry %u (%08x) is out of order "
                        "(UDF 2.60 2.2.12)",
                        i, entry->original);
    }
    if (used && (entry->original % map->packet_blocks != 0 ||
                 entry->original >= map->blocks)) {
        udf_check_fault(check,
                        "sparing table: entry %u: block %u is no packet of "
                        "the partition (UDF 2.60 2.2.12)",
                        i, entry->original);
    }
    if (!used && entry->original != UDF_SPARE_FREE &&
        entry->original != UDF_SPARE_BAD) {
        udf_check_fault(check, "sparing table: entry %u: %08x is reserved", i,
                        entry->original);
    }
    if (entry->mapped % map->packet_blocks != 0) {
        udf_check_fault(check,
                        "sparing table: entry %u: spare at sector %u does "
                        "not begin a packet (UDF 2.60 2.2.12)",
                        i, entry->mapped);
    }
    /* Spares inside of the partition are its Non-Allocatable Space's. */
    if (!in_partition(map, entry->mapped)) {
        udf_check_region(check, "spare packet", entry->mapped,
                         map->packet_blocks);
    }
}

/* Blocks of a table that are looked at: all that its entries can fill. */
static uint32_t table_blocks(const struct udf_lvd_map *raw) {
    uint32_t most = udf_sparing_table_bytes(UINT16_MAX);
    uint32_t bytes = raw->table_bytes < most ? raw->table_bytes : most;

    return bytes > 0 ? (bytes - 1) / UDF_BLOCK_BYTES + 1 : 1;
}

/* Reads one copy. Returns 0, -EUCLEAN (reported) or an error. */
static int read_table(struct udf_check *check, const struct udf_lvd_map *raw,
                      uint32_t lba, uint8_t *block,
                      struct udf_sparing_table *out) {
    uint32_t blocks = table_blocks(raw);
    int error = udf_check_read(check, lba, blocks, block);
    uint32_t bytes;

    if (error) {
        if (!udf_check_fatal(error)) {
            udf_check_fault(check, "sparing table at sector %u cannot be read",
                            lba);
            error = -EUCLEAN;
        }
        return error;
    }
    if (!udf_check_tag(check, block, blocks * UDF_BLOCK_BYTES, UDF_TAG_SPARING,
                       lba, "sparing table")) {
        return -EUCLEAN;
    }
    bytes = udf_sparing_table_bytes(udf_get16(block + 48));
    error = bytes > raw->table_bytes
                ? -EUCLEAN
                : udf_decode_sparing(block, blocks * UDF_BLOCK_BYTES, lba, out);
    if (error == -ENOMEM) {
        return error;
    }
    if (error) {
        udf_check_fault(check,
                        "sparing table at sector %u is malformed (UDF 2.60 "
                        "2.2.12)",
                        lba);
        return -EUCLEAN;
    }
    if (udf_get16(block + SPARING_SUFFIX_AT) != check->result.revision) {
        udf_check_fault(check, "sparing table at sector %u: revision %04x", lba,
                        udf_get16(block + SPARING_SUFFIX_AT));
    }
    return 0;
}

/* Whether two copies say the same, but for what is each one's own. */
static bool same_table(const uint8_t *a, const uint8_t *b, size_t bytes) {
    return memcmp(a, b, 4) == 0 && memcmp(a + 5, b + 5, 7) == 0 &&
           memcmp(a + 16, b + 16, bytes - 16) == 0;
}

/* The copies of a table while they are compared. */
struct table_copies {
    uint8_t *first, *block; /* the first good one; the one at hand */
    size_t bytes;
    bool found;
};

/* One copy. Returns 0 or an error; a broken copy was reported. */
static int take_copy(struct udf_check *check, const struct udf_lvd_map *raw,
                     uint32_t lba, struct udf_partmap *map,
                     struct table_copies *copies) {
    struct udf_sparing_table table;
    int error = read_table(check, raw, lba, copies->block, &table);

    if (error) {
        return error == -EUCLEAN ? 0 : error;
    }
    if (copies->found &&
        !same_table(copies->first, copies->block, copies->bytes)) {
        udf_check_fault(check,
                        "sparing table at sector %u differs from "
                        "the first (UDF 2.60 2.2.12)",
                        lba);
    }
    if (!copies->found) {
        memcpy(copies->first, copies->block, copies->bytes);
    }
    if (!copies->found || table.sequence > map->sparing.sequence) {
        udf_sparing_table_free(&map->sparing);
        map->sparing = table;
    } else {
        udf_sparing_table_free(&table);
    }
    copies->found = true;
    return 0;
}

static int take_copies(struct udf_check *check, const struct udf_lvd_map *raw,
                       struct udf_partmap *map, struct table_copies *copies) {
    for (uint32_t i = 0; i < raw->tables && i < UDF_SPARING_TABLES_MAX; i++) {
        uint32_t lba = raw->table_lba[i];
        int error = take_copy(check, raw, lba, map, copies);

        if (error) {
            return error;
        }
        udf_check_region(check, "sparing table", lba,
                         ((uint64_t)raw->table_bytes + UDF_BLOCK_BYTES - 1) /
                             UDF_BLOCK_BYTES);
        if (i > 0 && lba / map->packet_blocks ==
                         raw->table_lba[i - 1] / map->packet_blocks) {
            udf_check_fault(check,
                            "two sparing tables in one packet, at "
                            "sector %u (UDF 2.60 2.2.12)",
                            lba);
        }
    }
    return 0;
}

static int check_tables(struct udf_check *check, const struct udf_lvd_map *raw,
                        struct udf_partmap *map) {
    struct table_copies copies = {.bytes = (size_t)table_blocks(raw) *
                                           UDF_BLOCK_BYTES};
    int error = -ENOMEM;

    if (raw->tables < 2) {
        udf_check_fault(check, "only %u sparing tables (UDF 2.60 2.2.9)",
                        raw->tables);
    }
    copies.first = malloc(copies.bytes);
    copies.block = malloc(copies.bytes);
    if (copies.first && copies.block) {
        error = take_copies(check, raw, map, &copies);
    }
    free(copies.first);
    free(copies.block);
    for (uint32_t i = 0; !error && i < map->sparing.entries; i++) {
        check_entry(check, map, i);
    }
    return error;
}

/* Maps of a kind belong in volumes from `revision` on. */
static void check_revision(struct udf_check *check, uint16_t revision) {
    udf_check_needs(check, revision);
    if (check->result.revision < revision) {
        udf_check_fault(check,
                        "partition map of revision %04x in a volume of "
                        "revision %04x (UDF 2.60 2.2.8)",
                        revision, check->result.revision);
    }
}

static int check_sparable(struct udf_check *check,
                          const struct udf_lvd_map *raw,
                          struct udf_partmap *map) {
    uint32_t packet = raw->packet_blocks;

    if (packet == 0 || (packet & (packet - 1)) != 0) {
        udf_check_fault(check, "sparable map: packet length %u", packet);
        return -EUCLEAN;
    }
    map->packet_blocks = packet;
    check_revision(check, SPARABLE_REVISION);
    if (packet != 32 && (packet != 16 || check->result.revision < 0x0201)) {
        udf_check_fault(check,
                        "sparable map: packet length %u (UDF 2.60 "
                        "2.2.9)",
                        packet);
    }
    if (map->start_lba % packet || map->blocks % packet) {
        udf_check_fault(check,
                        "sparable partition: %u blocks at %u are not "
                        "whole packets (UDF 2.60 2.2.9)",
                        map->blocks, map->start_lba);
    }
    return check_tables(check, raw, map);
}

/* ---- partitions ---------------------------------------------------------- */

/* A partition that is written once reaches over what will be recorded, and the
 * medium ends where it is recorded now. */
static uint32_t partition_blocks(const struct udf_check *check,
                                 const struct udf_pd *pd) {
    uint32_t medium = check->dev->geometry.blocks;

    if (pd->access == UDF_ACCESS_WRITE_ONCE && pd->start_lba < medium &&
        pd->blocks > medium - pd->start_lba) {
        return medium - pd->start_lba;
    }
    return pd->blocks;
}

static void check_pd(struct udf_check *check, const struct udf_pd *pd) {
    const char *contents =
        check->result.revision >= 0x0200 ? "+NSR03" : "+NSR02";

    if (strcmp(pd->contents, contents) != 0) {
        udf_check_fault(check,
                        "partition %u: contents \"%s\" (UDF 2.60 "
                        "2.2.14.1)",
                        pd->number, pd->contents);
    }
    if ((pd->flags & 1) == 0) {
        udf_check_fault(check,
                        "partition %u is not marked allocated "
                        "(ECMA-167 3/10.5.3)",
                        pd->number);
    }
    if (pd->access > UDF_ACCESS_OVERWRITABLE ||
        (pd->access == 0 && check->result.revision < 0x0260)) {
        udf_check_fault(check,
                        "partition %u: access type %u (UDF 2.60 "
                        "2.2.14.2)",
                        pd->number, pd->access);
    }
    udf_check_region(check, "partition", pd->start_lba,
                     partition_blocks(check, pd));
}

const struct udf_pd *udf_check_find_pd(const struct udf_check *check,
                                       uint16_t number) {
    for (uint32_t i = 0; i < check->pds; i++) {
        if (check->pd[i].number == number) {
            return &check->pd[i];
        }
    }
    return NULL;
}

/* Makes room for what is claimed of map `i`. */
static int add_used(struct udf_check *check, uint32_t i) {
    check->used[i] =
        calloc(mmc_bits_words(check->maps.map[i].blocks) + 1, sizeof(uint64_t));
    return check->used[i] ? 0 : -ENOMEM;
}

/* The map of the same partition with blocks of its own comes first. */
static int find_below(struct udf_check *check, uint32_t i) {
    struct udf_partmap *map = &check->maps.map[i];
    bool alone = true;

    for (uint32_t k = 0; k < i; k++) {
        alone &= check->maps.map[k].kind != map->kind;
    }
    for (map->physical = 0; map->physical < i; map->physical++) {
        if (check->maps.map[map->physical].number == map->number &&
            check->used[map->physical]) {
            break;
        }
    }
    if (map->physical == i || !alone) {
        udf_check_fault(check,
                        "partition map %u: no map of its partition before it, "
                        "or another of its kind (UDF 2.60 2.2.10)",
                        i);
        return -EUCLEAN;
    }
    return 0;
}

static int add_metadata(struct udf_check *check, uint32_t i) {
    int error = find_below(check, i);

    if (error) {
        return error;
    }
    check_revision(check, METADATA_REVISION);
    error = udf_check_metadata(check, i);
    return error ? error : add_used(check, i);
}

static int add_virtual(struct udf_check *check, uint32_t i) {
    int error = find_below(check, i);

    if (error) {
        return error;
    }
    check_revision(check, VIRTUAL_REVISION);
    error = udf_check_vat(check, i);
    return error ? error : add_used(check, i);
}

/* Fills in map `i`. Returns 0, -EUCLEAN (reported), -EOPNOTSUPP or an
 * error. */
static int add_map(struct udf_check *check, uint32_t i) {
    const struct udf_lvd_map *raw = &check->lvd.map[i];
    const struct udf_pd *pd = udf_check_find_pd(check, raw->partition_number);
    struct udf_partmap *map = &check->maps.map[i];
    uint32_t medium = check->dev->geometry.blocks;
    int error;

    if (!pd) {
        udf_check_fault(check,
                        "partition map %u: no partition %u (ECMA-167 "
                        "3/10.7.2)",
                        i, raw->partition_number);
        return -EUCLEAN;
    }
    *map = (struct udf_partmap){
        .kind = raw->kind,
        .number = pd->number,
        .start_lba = pd->start_lba,
        .blocks = pd->blocks,
        .physical = (uint16_t)i,
    };
    if (pd->start_lba >= medium || pd->blocks > medium - pd->start_lba) {
        /* Reported with the regions. Blocks that the medium does not have
         * are not walked, nor is memory taken for them. */
        map->blocks = pd->start_lba < medium ? medium - pd->start_lba : 0;
    }
    check->maps.count = i + 1;
    switch (raw->kind) {
    case UDF_MAP_KIND_PHYSICAL:
        return add_used(check, i);
    case UDF_MAP_KIND_SPARABLE:
        error = check_sparable(check, raw, map);
        return error ? error : add_used(check, i);
    case UDF_MAP_KIND_METADATA:
        return add_metadata(check, i);
    case UDF_MAP_KIND_VIRTUAL:
        return add_virtual(check, i);
    case UDF_MAP_KIND_UNKNOWN:
        break;
    }
    return -EOPNOTSUPP;
}

/* Entity suffixes of type 2 maps name the volume's revision. */
static int check_map_suffixes(struct udf_check *check) {
    uint8_t block[UDF_BLOCK_BYTES];
    uint32_t at = LVD_MAPS_AT;
    int error = udf_check_read(check, check->lvd_lba, 1, block);

    if (error) {
        return error;
    }
    for (uint32_t i = 0; i < check->lvd.maps; i++) {
        uint32_t bytes = block[at + 1];

        if (bytes < TYPE1_BYTES || at + bytes + TYPE2_BYTES > sizeof(block)) {
            break; /* the decoder has refused such maps already */
        }
        if (block[at] == 2 &&
            udf_get16(block + at + 28) != check->result.revision) {
            udf_check_fault(check,
                            "partition map %u: revision %04x, volume "
                            "%04x (UDF 2.60 2.1.5.3)",
                            i, udf_get16(block + at + 28),
                            check->result.revision);
        }
        at += bytes;
    }
    return 0;
}

int udf_check_maps(struct udf_check *check) {
    int error = check_map_suffixes(check);

    for (uint32_t i = 0; i < check->pds; i++) {
        check_pd(check, &check->pd[i]);
    }
    if (check->lvd.maps == 0) {
        udf_check_fault(check, "no partition map (ECMA-167 3/10.6.12)");
        error = error ? error : -EUCLEAN;
    }
    for (uint32_t i = 0; i < check->lvd.maps && !error; i++) {
        error = add_map(check, i);
    }
    for (uint32_t i = 0; check->has_usd && i < check->usd.extents; i++) {
        const struct udf_extent_ad *extent = &check->usd.extent[i];

        udf_check_region(check, "unallocated volume space", extent->lba,
                         extent->bytes / UDF_BLOCK_BYTES);
    }
    return error;
}
