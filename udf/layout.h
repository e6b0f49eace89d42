/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/layout.h - where everything of a new volume goes. Pure: the medium's
 * geometry in, named regions out.
 *
 * From the first block to the last (N = last block; units of `unit` blocks):
 *
 *   boot area, VRS at 16 | gap | main VDS | sparing table 1 | AVDP at 256 |
 *   spare packets | LVIDs | journal | wear ledger |
 *   PARTITION: bitmap, FSD and root, data |
 *   AVDP at N-256 | reserve VDS | gap | sparing table 2 | AVDP at N
 *
 * Why so:
 *  - What is written again and again (LVID, journal, bitmap, root) lies side
 *    by side, and next to where an emptyish disc has its data, so that a
 *    commit hardly seeks. The middle of the disc would be as good for a full
 *    one, but the partition must be one piece and the journal outside it.
 *  - Main and reserve VDS, and the two sparing tables, are the disc apart: a
 *    scratch takes one.
 *  - The 256-block gaps that the anchors leave hold the volume structures, so
 *    that they cost no space of their own.
 *  - From UDF 2.50 on file set, file entries and directories are in a metadata
 *    partition: a file behind the bitmap. Its mirror is the disc apart, at the
 *    end of the partition.
 *
 * A medium that is still being formatted in the background (DVD+RW) can be
 * used where it was written, and going far beyond that takes long: there the
 * reserve VDS and sparing table 2 lie behind the VRS, the metadata mirror
 * behind the metadata, and the anchors near N are written when the format is
 * complete (udf/anchors.h).
 *
 * Invariants:
 *  1. Regions do not overlap. Only the VRS and the anchors do not begin on a
 *     unit, and nothing else shares theirs: a unit that is torn while it is
 *     written takes one structure with it.
 *  2. Partition start and length, and every spare, are multiples of the unit.
 */
#ifndef UDF_LAYOUT_H
#define UDF_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/blockdev.h"
#include "udf/format.h"

enum udf_region_id {
    UDF_REGION_VRS,
    UDF_REGION_MAIN_VDS,
    UDF_REGION_SPARING_FIRST, /* 0 blocks on a type 1 volume */
    UDF_REGION_ANCHOR_FIRST,
    UDF_REGION_SPARES, /* 0 blocks on a type 1 volume */
    UDF_REGION_INTEGRITY,
    UDF_REGION_JOURNAL,
    UDF_REGION_LEDGER, /* 0 blocks on a medium that does not wear */
    UDF_REGION_PARTITION,
    UDF_REGION_ANCHOR_MIDDLE, /* N-256 */
    UDF_REGION_RESERVE_VDS,
    UDF_REGION_SPARING_SECOND, /* 0 blocks on a type 1 volume */
    UDF_REGION_ANCHOR_LAST,    /* N */
    UDF_REGION_COUNT
};

struct udf_region {
    uint32_t lba;
    uint32_t blocks;
};

enum { UDF_LAYOUT_GAPS = 2 };

/* The metadata partition's files, by blocks of the partition they are in. Both
 * copies are whole units. The main entry and the bitmap of the metadata share
 * the last unit of the partition's own bitmap: what a commit writes there is
 * written with it. The mirror's entry is beside its blocks. UDF 2.60 2.2.10. */
struct udf_layout_metadata {
    uint32_t allocation_unit; /* the alignment unit is `unit` */
    uint32_t blocks;          /* of each copy; 0: there is no such partition */
    uint32_t main_fe_lbn, main_lbn;
    uint32_t bitmap_fe_lbn; /* the bitmap is the block behind it */
    uint32_t mirror_fe_lbn;
    uint32_t mirror_lbn; /* main_lbn when there is but one copy */
};

struct udf_layout {
    uint16_t revision; /* BCD */
    bool sparable;
    bool head_only;  /* all but the anchors near N lies in the head */
    uint32_t blocks; /* of the medium */
    uint32_t unit;   /* blocks: the medium's packet, or 32 where any block
                        can be written; also the sparing packet length */
    struct udf_region region[UDF_REGION_COUNT];
    struct udf_region gap[UDF_LAYOUT_GAPS]; /* unallocated volume space */
    uint32_t spares;                        /* packets */
    /* blocks of the partition */
    uint32_t bitmap_lbn;           /* 0 unless the volume was made larger */
    uint32_t bitmap_blocks;        /* whole units */
    uint32_t first_free, free_end; /* what is between them is free */
    uint32_t free_blocks;
    struct udf_layout_metadata metadata;
    /* blocks of the metadata partition where there is one */
    uint32_t fsd_lbn, root_lbn;
};

/* Plans the volume that `options` ask for on a medium of `geometry`. Returns
 * 0; -EINVAL when revision, map and geometry do not go together or the
 * revision is none that can be formatted (1.02, 1.50, 2.00, 2.01, 2.50, 2.60);
 * -ENOSPC when the medium is too small: see udf_layout_minimum(). */
int udf_layout_plan(const struct blockdev_geometry *geometry,
                    const struct udf_format_options *options,
                    struct udf_layout *out_layout);

/* The fewest blocks that udf_layout_plan() takes with units of `unit`
 * blocks, where it plans sparing and a metadata partition or not. */
uint32_t udf_layout_minimum(uint32_t unit, bool sparable, bool metadata);

/* Plans how a volume that was laid out as `old` gets `blocks` blocks: the
 * partition gets longer, its bitmap moves behind the old end, and the tail to
 * the new one. What the result says of the partition's content means
 * nothing, its bitmap apart.
 * Returns 0; -EINVAL when the volume is not laid out for that; -ENOSPC when
 * too little is added. */
int udf_layout_grow(const struct udf_layout *old, uint32_t blocks,
                    struct udf_layout *out_layout);

/* Name of a region, for people: "main VDS". */
const char *udf_region_name(enum udf_region_id id);

#endif
