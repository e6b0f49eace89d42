/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/partmap.h - (partition, block) to LBA, from tables in memory. Pure.
 * ECMA-167 3/10.7, UDF 2.60 2.2.8-2.2.12.
 *
 * One struct udf_partmap is one partition map of the logical volume; all of
 * them form a udf_partmaps, indexed by partition reference number.
 */
#ifndef UDF_PARTMAP_H
#define UDF_PARTMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"
#include "udf/extent.h"

struct udf_partmap {
    enum udf_map_kind kind;
    uint16_t number;    /* partition number */
    uint32_t start_lba; /* of the physical partition */
    uint32_t blocks;    /* addressable: 0 .. blocks-1 */
    uint16_t physical;  /* reference number of the map below (metadata,
                           virtual), else its own */
    /* sparable */
    uint32_t packet_blocks;
    struct udf_sparing_table sparing;
    uint32_t table_lba[UDF_SPARING_TABLES_MAX]; /* copies on the medium */
    uint8_t tables;
    unsigned tables_good; /* a bit a copy: valid, and says what `sparing`
                             does; see udf/sparing.h */
    /* metadata: where its blocks are in `physical`, and where each has its
       copy (empty: there are none); a bit a block that cannot be read in
       `extents` is set in `bad` (words as in mmc/bits.h, NULL = none) */
    struct udf_extents extents, mirror;
    uint64_t *bad;
    /* virtual: VAT entries, block to physical block */
    uint32_t *vat;
    uint32_t vat_entries;
};

struct udf_partmaps {
    uint32_t count;
    bool unreadable; /* what one stands on cannot be read: it is UNKNOWN, and
                        nobody knows whether it is broken */
    struct udf_partmap map[UDF_PARTMAPS_MAX];
};

void udf_partmaps_free(struct udf_partmaps *maps);

/* Maps `count` (>= 1) blocks at `addr`; *out_run (1..count) of them are
 * contiguous from *out_lba. Returns 0; -EUCLEAN beyond the partition or for an
 * unknown reference; -ENOENT for a block that is not mapped (hole of the
 * metadata file, unused VAT entry). */
int udf_partmap_lba(const struct udf_partmaps *maps, struct udf_addr addr,
                    uint32_t count, uint32_t *out_lba, uint32_t *out_run);

/* Where a block is to be written: like udf_partmap_lba() for one block, but a
 * block of a metadata partition with copies is in two places, bad or not.
 * *out_count: 1 or 2. Errors as there. UDF 2.60 2.2.10. */
int udf_partmap_copies(const struct udf_partmaps *maps, struct udf_addr addr,
                       uint32_t out_lba[2], uint32_t *out_count);

/* Finds the block of metadata partition `part` that lies at `lba`, and which
 * of its copies that is, 0 or 1. Returns false when none does. */
bool udf_partmap_metadata_at(const struct udf_partmaps *maps, uint16_t part,
                             uint32_t lba, unsigned *out_copy,
                             uint32_t *out_lbn);

/* The block of physical or sparable partition `map` that lies at `lba`.
 * Returns false when it is none: outside, or its packet was replaced. */
bool udf_partmap_find(const struct udf_partmap *map, uint32_t lba,
                      uint32_t *out_lbn);

/* Spares of a sparable map: entries in all, used for data, known bad. */
void udf_partmap_spares(const struct udf_partmap *map, uint32_t *out_total,
                        uint32_t *out_used, uint32_t *out_bad);

#endif
