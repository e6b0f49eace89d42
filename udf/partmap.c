/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/partmap.c - (partition, block) to LBA, from tables in memory. Pure.
 *
 * Virtual and metadata maps stand on a physical or sparable one: a block goes
 * through two maps at most, so nothing here recurses. Everything in the tables
 * comes from a disc; results beyond a partition or beyond 32 bits of LBA are
 * refused, whatever the tables say.
 */
#include "udf/partmap.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "udf/sparing_table.h"

#define VAT_UNUSED 0xFFFFFFFFu

void udf_partmaps_free(struct udf_partmaps *maps) {
    for (uint32_t i = 0; i < maps->count; i++) {
        udf_extents_free(&maps->map[i].extents);
        udf_extents_free(&maps->map[i].mirror);
        udf_sparing_table_free(&maps->map[i].sparing);
        free(maps->map[i].bad);
        free(maps->map[i].vat);
    }
    *maps = (struct udf_partmaps){0};
}

static uint32_t smaller(uint64_t a, uint64_t b) {
    return (uint32_t)(a < b ? a : b);
}

/* Gives `lba`, if it and the blocks behind it are addresses at all. */
static int give_lba(uint64_t lba, uint32_t run, uint32_t *out_lba,
                    uint32_t *out_run) {
    if (lba + run > (uint64_t)UINT32_MAX + 1) {
        return -EUCLEAN;
    }
    *out_lba = (uint32_t)lba;
    *out_run = run;
    return 0;
}

/* Sparable: a packet in the sparing table lies elsewhere; the run ends where
 * the next such packet begins. The table has some 250 entries as a rule
 * and may be out of order on a foreign disc: one pass over it is robust, and
 * fast enough. UDF 2.60 2.2.12. */
static int map_sparable(const struct udf_partmap *map, uint32_t lbn,
                        uint32_t count, uint32_t *out_lba, uint32_t *out_run) {
    uint32_t within, run = count;

    if (map->packet_blocks == 0) {
        return -EUCLEAN;
    }
    within = lbn % map->packet_blocks;
    for (uint32_t i = 0; i < map->sparing.entries; i++) {
        const struct udf_sparing_entry *entry = &map->sparing.entry[i];

        if (entry->original >= UDF_SPARE_BAD) {
            continue; /* FFFFFFF0h and up: no packet */
        }
        if (entry->original == lbn - within) {
            return give_lba((uint64_t)entry->mapped + within,
                            smaller(count, map->packet_blocks - within),
                            out_lba, out_run);
        }
        if (entry->original > lbn) {
            run = smaller(run, entry->original - lbn);
        }
    }
    return give_lba((uint64_t)map->start_lba + lbn, run, out_lba, out_run);
}

/* A map that has blocks of its own. */
static int map_physical(const struct udf_partmaps *maps, struct udf_addr addr,
                        uint32_t count, uint32_t *out_lba, uint32_t *out_run) {
    const struct udf_partmap *map;

    if (addr.part >= maps->count) {
        return -EUCLEAN;
    }
    map = &maps->map[addr.part];
    if (addr.lbn >= map->blocks) {
        return -EUCLEAN;
    }
    count = smaller(count, map->blocks - addr.lbn);
    switch (map->kind) {
    case UDF_MAP_KIND_PHYSICAL:
        return give_lba((uint64_t)map->start_lba + addr.lbn, count, out_lba,
                        out_run);
    case UDF_MAP_KIND_SPARABLE:
        return map_sparable(map, addr.lbn, count, out_lba, out_run);
    case UDF_MAP_KIND_VIRTUAL:
    case UDF_MAP_KIND_METADATA:
    case UDF_MAP_KIND_UNKNOWN:
        break;
    }
    return -EUCLEAN;
}

/* The block is one of a file's, as far as `extents` go in one piece. */
static int map_file(const struct udf_partmaps *maps,
                    const struct udf_partmap *map,
                    const struct udf_extents *extents, uint32_t lbn,
                    uint32_t count, uint32_t *out_lba, uint32_t *out_run) {
    struct udf_extent piece;

    if (udf_extents_map(extents, lbn, &piece) ||
        piece.kind != UDF_EXTENT_RECORDED) {
        return -ENOENT;
    }
    piece.addr.part = map->physical;
    return map_physical(maps, piece.addr, smaller(count, piece.count), out_lba,
                        out_run);
}

/* Metadata: a block of the metadata file, or of its mirror where that is
 * known to be bad. UDF 2.60 2.2.13. */
static int map_metadata(const struct udf_partmaps *maps, struct udf_addr addr,
                        uint32_t count, uint32_t *out_lba, uint32_t *out_run) {
    const struct udf_partmap *map = &maps->map[addr.part];
    const struct udf_extents *copy = &map->extents;
    uint64_t end;

    if (addr.lbn >= map->blocks) {
        return -EUCLEAN;
    }
    end = addr.lbn + smaller(count, map->blocks - addr.lbn);
    if (map->bad && mmc_bits_test(map->bad, addr.lbn)) {
        copy = &map->mirror;
        end = mmc_bits_next_clear(map->bad, addr.lbn, end);
    } else if (map->bad) {
        end = mmc_bits_next_set(map->bad, addr.lbn, end);
    }
    return map_file(maps, map, copy, addr.lbn, (uint32_t)(end - addr.lbn),
                    out_lba, out_run);
}

int udf_partmap_copies(const struct udf_partmaps *maps, struct udf_addr addr,
                       uint32_t out_lba[2], uint32_t *out_count) {
    const struct udf_partmap *map;
    uint32_t run, count = 1;
    int error;

    if (addr.part >= maps->count ||
        maps->map[addr.part].kind != UDF_MAP_KIND_METADATA) {
        error = udf_partmap_lba(maps, addr, 1, out_lba, &run);
        *out_count = error ? 0 : 1;
        return error;
    }
    map = &maps->map[addr.part];
    if (addr.lbn >= map->blocks) {
        return -EUCLEAN;
    }
    error = map_file(maps, map, &map->extents, addr.lbn, 1, &out_lba[0], &run);
    if (!error && map->mirror.count > 0) {
        count = 2;
        error =
            map_file(maps, map, &map->mirror, addr.lbn, 1, &out_lba[1], &run);
    }
    *out_count = error ? 0 : count;
    return error;
}

/* The block of the metadata partition that `extents`, one of its files, has at
 * `lba`. */
static bool file_has(const struct udf_partmaps *maps,
                     const struct udf_partmap *map,
                     const struct udf_extents *extents, uint32_t lba,
                     uint32_t *out_lbn) {
    uint32_t first, run, lbn = 0;

    while (lbn < map->blocks &&
           map_file(maps, map, extents, lbn, map->blocks - lbn, &first, &run) ==
               0) {
        if (lba >= first && lba - first < run) {
            *out_lbn = lbn + (lba - first);
            return true;
        }
        lbn += run;
    }
    return false;
}

bool udf_partmap_metadata_at(const struct udf_partmaps *maps, uint16_t part,
                             uint32_t lba, unsigned *out_copy,
                             uint32_t *out_lbn) {
    const struct udf_partmap *map = &maps->map[part];

    *out_copy = file_has(maps, map, &map->extents, lba, out_lbn) ? 0 : 1;
    return *out_copy == 0 || file_has(maps, map, &map->mirror, lba, out_lbn);
}

/* Virtual: the VAT says where each block is. UDF 2.60 2.2.11. */
static int map_virtual(const struct udf_partmaps *maps, struct udf_addr addr,
                       uint32_t count, uint32_t *out_lba, uint32_t *out_run) {
    const struct udf_partmap *map = &maps->map[addr.part];
    struct udf_addr below = {.part = map->physical};
    uint32_t run = 1;

    if (!map->vat || addr.lbn >= map->vat_entries) {
        return -EUCLEAN;
    }
    below.lbn = map->vat[addr.lbn];
    if (below.lbn == VAT_UNUSED) {
        return -ENOENT;
    }
    count = smaller(count, map->vat_entries - addr.lbn);
    while (run < count && below.lbn < VAT_UNUSED - run &&
           map->vat[addr.lbn + run] == below.lbn + run) {
        run++;
    }
    return map_physical(maps, below, run, out_lba, out_run);
}

int udf_partmap_lba(const struct udf_partmaps *maps, struct udf_addr addr,
                    uint32_t count, uint32_t *out_lba, uint32_t *out_run) {
    if (addr.part >= maps->count || count == 0) {
        return -EUCLEAN;
    }
    switch (maps->map[addr.part].kind) {
    case UDF_MAP_KIND_PHYSICAL:
    case UDF_MAP_KIND_SPARABLE:
        return map_physical(maps, addr, count, out_lba, out_run);
    case UDF_MAP_KIND_METADATA:
        return map_metadata(maps, addr, count, out_lba, out_run);
    case UDF_MAP_KIND_VIRTUAL:
        return map_virtual(maps, addr, count, out_lba, out_run);
    case UDF_MAP_KIND_UNKNOWN:
        break;
    }
    return -EUCLEAN;
}

bool udf_partmap_find(const struct udf_partmap *map, uint32_t lba,
                      uint32_t *out_lbn) {
    uint32_t lbn = lba - map->start_lba;

    for (uint32_t i = 0; i < map->sparing.entries; i++) {
        const struct udf_sparing_entry *entry = &map->sparing.entry[i];

        if (entry->original >= UDF_SPARE_BAD) {
            continue;
        }
        if (lba >= entry->mapped && lba - entry->mapped < map->packet_blocks) {
            *out_lbn = entry->original + (lba - entry->mapped);
            return *out_lbn < map->blocks;
        }
        if (lba >= map->start_lba && lbn >= entry->original &&
            lbn - entry->original < map->packet_blocks) {
            return false;
        }
    }
    *out_lbn = lbn;
    return lba >= map->start_lba && lbn < map->blocks;
}

void udf_partmap_spares(const struct udf_partmap *map, uint32_t *out_total,
                        uint32_t *out_used, uint32_t *out_bad) {
    uint32_t used = 0, bad = 0;

    for (uint32_t i = 0; i < map->sparing.entries; i++) {
        used += map->sparing.entry[i].original < UDF_SPARE_BAD;
        bad += map->sparing.entry[i].original == UDF_SPARE_BAD;
    }
    *out_total = map->sparing.entries;
    *out_used = used;
    *out_bad = bad;
}
