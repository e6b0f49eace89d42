/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/layout.c - see layout.h for the order of things and its reasons.
 *
 * Sizes:
 *  - Spares: UDF gives no ratio. One packet in 128, at least 32, at most the
 *    249 entries that fit a sparing table of one block (the Linux driver
 *    takes no larger table). Fresh data goes elsewhere when its packet is
 *    bad, so spares serve only packets whose content cannot move; 0.8 % of a
 *    CD-RW is what it can lose in mid-life without losing a file.
 *  - Journal: 1/128 of the medium, from 2048 blocks (64 packets of a CD or
 *    BD, 128 of a DVD) to 8192. It is the most written area: the longer it
 *    is, the fewer checkpoints, and the more places share the wear.
 *  - LVIDs: four packets, because their last sectors carry the promise that
 *    a torn one reads as open.
 *  - Metadata: one block in 64, from one allocation unit to as many as one
 *    block of bitmap counts: some 16,000 file entries. It grows when it is
 *    full, but there are players that read its first extent only. An allocation
 *    unit is 32 blocks at least (UDF 2.60 2.2.10).
 *  - Wear ledger: two units for each piece of the counts (udf/wear.h), one
 *    piece on a CD, nine on a DVD.
 *  - Small media: spares at most 1/16 and the journal at most 1/8 of all, but
 *    never less than SPARES_MIN and JOURNAL_MIN packets; no ledger below
 *    LEDGER_MIN units.
 */
#include "udf/layout.h"

#include <errno.h>
#include <string.h>

#include "udf/desc.h"
#include "udf/wear.h"

enum {
    USUAL_REVISION = 0x0201,
    METADATA_REVISION = 0x0250, /* the first one with such a partition */
    VRS_LBA = 16,
    VRS_BLOCKS = 3, /* BEA01, NSR0x, TEA01 */
    ANCHOR_LBA = 256,
    PLAIN_UNIT = 32, /* where the medium has no packets */
    UNIT_MIN = 16,   /* a VDS extent has at least 16 sectors */
    UNIT_MAX = 64,   /* the gaps at both ends hold four such units */
    INTEGRITY_UNITS = 4,
    SPARES_MIN = 4,
    JOURNAL_MIN = 8,
    LEDGER_MIN = 128,
    PARTITION_UNITS_MIN = 5, /* bitmap, root and some data */
    METADATA_SHARE = 64,
    METADATA_MAX = 16128, /* so that one block holds their bitmap */
    METADATA_HEAD = 3,    /* its entry, its bitmap's, and that bitmap */
    ALLOCATION_MIN = 32,
    SHARE = 128
};

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high) {
    return value < low ? low : value > high ? high : value;
}

/* Units from block 0 to the one of the first anchor, that one included; the
 * tail from the anchor at N-256 to the end has as many. */
static uint32_t end_units(uint32_t unit) {
    return ANCHOR_LBA / unit + 1;
}

static uint32_t spare_packets(uint32_t units) {
    uint32_t ratio = clamp(units / SHARE, 32, UDF_SPARING_ENTRIES_MAX);
    uint32_t share = clamp(units / 16, SPARES_MIN, UDF_SPARING_ENTRIES_MAX);
    return ratio < share ? ratio : share;
}

static uint32_t journal_units(uint32_t blocks, uint32_t unit) {
    uint32_t wanted = clamp(blocks / SHARE, 2048, 8192) / unit;
    uint32_t share = blocks / 8 / unit;
    return wanted < share ? wanted : clamp(share, JOURNAL_MIN, wanted);
}

/* Packets are the medium's, the places that count them are units. */
static uint32_t ledger_units(const struct blockdev_geometry *geometry,
                             uint32_t unit) {
    uint32_t pieces = udf_wear_pieces(udf_wear_packets(geometry), unit);
    bool counts = geometry->rewritable && geometry->packet_blocks > 1 &&
                  geometry->blocks / unit >= LEDGER_MIN;
    return counts && pieces <= UDF_WEAR_PIECES_MAX ? 2 * pieces : 0;
}

/* Units of a metadata partition of `blocks` blocks, with both copies. */
static uint32_t metadata_units(uint32_t unit, uint32_t blocks) {
    return 2 +
           2 * blocks / unit; /* what is before it, and the mirror's entry */
}

static uint32_t allocation_unit(uint32_t unit) {
    return unit < ALLOCATION_MIN ? ALLOCATION_MIN : unit;
}

uint32_t udf_layout_minimum(uint32_t unit, bool sparable, bool metadata) {
    uint32_t units = 2 * end_units(unit) + INTEGRITY_UNITS + JOURNAL_MIN +
                     PARTITION_UNITS_MIN + (sparable ? SPARES_MIN : 0);
    units += metadata ? metadata_units(unit, allocation_unit(unit)) : 0;
    /* the last unit may be short: only the anchor must be in it */
    return (units - 1) * unit + 1;
}

/* The unit of this volume, or 0 when the medium's packets cannot be used.
 * Before UDF 2.01 a sparing packet has 32 blocks, also on media with smaller
 * packets; from then on it is the medium's. UDF 2.01 2.2.9. */
static uint32_t choose_unit(const struct blockdev_geometry *geometry,
                            uint16_t revision, bool sparable) {
    uint32_t packet = geometry->packet_blocks;
    if (packet == 0 || packet > UNIT_MAX || (packet & (packet - 1)) != 0) {
        return 0;
    }
    if (sparable && revision < 0x0201) {
        return packet <= PLAIN_UNIT ? PLAIN_UNIT : 0;
    }
    return packet < UNIT_MIN ? PLAIN_UNIT : packet;
}

static int choose_revision(const struct blockdev_geometry *geometry,
                           uint16_t wanted, uint16_t *out_revision) {
    if (wanted == 0) {
        wanted = geometry->usual_udf ? geometry->usual_udf : USUAL_REVISION;
    }
    switch (wanted) {
    case 0x0102:
    case 0x0150:
    case 0x0200:
    case 0x0201:
    case 0x0250:
    case 0x0260:
        *out_revision = wanted;
        return 0;
    default:
        return -EINVAL;
    }
}

static bool choose_sparable(const struct blockdev_geometry *geometry,
                            enum udf_map_choice map) {
    switch (map) {
    case UDF_MAP_TYPE1:
        return false;
    case UDF_MAP_SPARABLE:
        return true;
    case UDF_MAP_AUTO:
        break;
    }
    return geometry->rewritable && !geometry->drive_manages_defects &&
           geometry->packet_blocks > 1;
}

/* Whether all metadata is written twice: where nobody else sees to packets that
 * go bad. */
static bool choose_duplicate(const struct blockdev_geometry *geometry,
                             unsigned copies) {
    return copies > 0 ? copies > 1 : !geometry->drive_manages_defects;
}

static void place(struct udf_layout *layout, enum udf_region_id id,
                  uint32_t lba, uint32_t blocks) {
    layout->region[id] = (struct udf_region){.lba = lba, .blocks = blocks};
}

static void place_head(struct udf_layout *layout) {
    uint32_t unit = layout->unit;
    uint32_t table = layout->sparable ? unit : 0;
    uint32_t first = ANCHOR_LBA - unit - table;
    uint32_t gap = VRS_LBA / unit * unit + unit;
    place(layout, UDF_REGION_VRS, VRS_LBA, VRS_BLOCKS);
    place(layout, UDF_REGION_MAIN_VDS, first, unit);
    place(layout, UDF_REGION_SPARING_FIRST, first + unit, table);
    place(layout, UDF_REGION_ANCHOR_FIRST, ANCHOR_LBA, 1);
    layout->gap[0] = (struct udf_region){.lba = gap, .blocks = first - gap};
}

/* What else has its place in the tail, behind the VRS instead. */
static void place_tail_in_head(struct udf_layout *layout) {
    uint32_t unit = layout->unit;
    uint32_t table = layout->sparable ? unit : 0;
    struct udf_region *gap = &layout->gap[0];
    uint32_t tail = (layout->blocks - 1 - ANCHOR_LBA) / unit * unit + unit;
    uint32_t end = (layout->blocks - 1) / unit * unit;
    place(layout, UDF_REGION_RESERVE_VDS, gap->lba, unit);
    place(layout, UDF_REGION_SPARING_SECOND, gap->lba + unit, table);
    gap->lba += unit + table;
    gap->blocks -= unit + table;
    layout->gap[1] = (struct udf_region){.lba = tail, .blocks = end - tail};
}

static void place_tail(struct udf_layout *layout) {
    uint32_t unit = layout->unit;
    uint32_t last = layout->blocks - 1;
    uint32_t vds = (last - ANCHOR_LBA) / unit * unit + unit;
    uint32_t end = last / unit * unit;
    uint32_t table = layout->sparable ? unit : 0;
    place(layout, UDF_REGION_ANCHOR_MIDDLE, last - ANCHOR_LBA, 1);
    place(layout, UDF_REGION_ANCHOR_LAST, last, 1);
    if (layout->head_only) {
        place_tail_in_head(layout);
        return;
    }
    place(layout, UDF_REGION_RESERVE_VDS, vds, unit);
    place(layout, UDF_REGION_SPARING_SECOND, end - table, table);
    layout->gap[1] = (struct udf_region){.lba = vds + unit,
                                         .blocks = end - table - (vds + unit)};
}

/* What lies between the two ends. The caller has made sure that it fits. */
static void place_middle(struct udf_layout *layout,
                         const struct blockdev_geometry *geometry) {
    uint32_t unit = layout->unit;
    uint32_t units = layout->blocks / unit;
    uint32_t lba = end_units(unit) * unit;
    layout->spares = layout->sparable ? spare_packets(units) : 0;
    place(layout, UDF_REGION_SPARES, lba, layout->spares * unit);
    lba += layout->spares * unit;
    place(layout, UDF_REGION_INTEGRITY, lba, INTEGRITY_UNITS * unit);
    lba += INTEGRITY_UNITS * unit;
    uint32_t journal = journal_units(layout->blocks, unit) * unit;
    place(layout, UDF_REGION_JOURNAL, lba, journal);
    lba += journal;
    uint32_t ledger = ledger_units(geometry, unit) * unit;
    place(layout, UDF_REGION_LEDGER, lba, ledger);
    lba += ledger;
    uint32_t end = (layout->blocks - 1 - ANCHOR_LBA) / unit * unit;
    place(layout, UDF_REGION_PARTITION, lba, end - lba);
}

static uint32_t round_up(uint32_t count, uint32_t unit) {
    return (count - 1) / unit * unit + unit;
}

/* The bitmap's extent goes on to the end of a unit, or to `behind` blocks that
 * are written with it, so that its padding belongs to it and no file ever
 * shares a packet that every checkpoint overwrites. */
static void place_bitmap(struct udf_layout *layout, uint32_t behind) {
    uint32_t blocks = layout->region[UDF_REGION_PARTITION].blocks;
    uint32_t bytes = 24 + (blocks - 1) / 8 + 1;
    uint32_t needed = (bytes - 1) / UDF_BLOCK_BYTES + 1;
    layout->bitmap_blocks = round_up(needed + behind, layout->unit) - behind;
}

/* From the first block on: bitmap, file set, root. */
static void place_plain(struct udf_layout *layout) {
    place_bitmap(layout, 0);
    layout->fsd_lbn = layout->bitmap_blocks;
    layout->root_lbn = layout->fsd_lbn + 1;
    layout->first_free = layout->root_lbn + 1;
    layout->free_end = layout->region[UDF_REGION_PARTITION].blocks;
}

/* The mirror: in the end, or right behind the metadata. */
static void place_mirror(struct udf_layout *layout, bool duplicate) {
    struct udf_layout_metadata *metadata = &layout->metadata;
    uint32_t own = duplicate ? metadata->blocks : 0;
    uint32_t end = metadata->main_lbn + metadata->blocks;
    uint32_t blocks = layout->region[UDF_REGION_PARTITION].blocks;
    if (layout->head_only) {
        metadata->mirror_lbn = duplicate ? end : metadata->main_lbn;
        metadata->mirror_fe_lbn = end + own;
        layout->first_free = end + own + 1;
        layout->free_end = blocks;
    } else {
        metadata->mirror_lbn = duplicate ? blocks - own : metadata->main_lbn;
        metadata->mirror_fe_lbn = blocks - own - 1;
        layout->first_free = end;
        layout->free_end = blocks - own - 1;
    }
}

/* From the first block on: bitmap, entry of the metadata file, entry and
 * content of its bitmap, metadata. */
static void place_metadata(struct udf_layout *layout, bool duplicate) {
    struct udf_layout_metadata *metadata = &layout->metadata;
    place_bitmap(layout, METADATA_HEAD);
    metadata->allocation_unit = allocation_unit(layout->unit);
    metadata->blocks =
        round_up(clamp(layout->blocks / METADATA_SHARE, 1, METADATA_MAX),
                 metadata->allocation_unit);
    metadata->main_fe_lbn = layout->bitmap_blocks;
    metadata->bitmap_fe_lbn = metadata->main_fe_lbn + 1;
    metadata->main_lbn = metadata->main_fe_lbn + METADATA_HEAD;
    place_mirror(layout, duplicate);
    layout->fsd_lbn = 0;
    layout->root_lbn = 1;
}

int udf_layout_plan(const struct blockdev_geometry *geometry,
                    const struct udf_format_options *options,
                    struct udf_layout *out_layout) {
    struct udf_layout layout;
    memset(&layout, 0, sizeof(layout));
    int err = choose_revision(geometry, options->revision, &layout.revision);
    if (err) {
        return err;
    }
    bool metadata = layout.revision >= METADATA_REVISION;
    layout.sparable = choose_sparable(geometry, options->map);
    layout.unit = choose_unit(geometry, layout.revision, layout.sparable);
    layout.blocks = geometry->blocks;
    layout.head_only = geometry->part_formatted;
    /* sparable maps came with UDF 1.50 */
    if (layout.unit == 0 || geometry->session_start != 0 ||
        (layout.sparable && layout.revision < 0x0150) ||
        (options->metadata_copies > 0 && !metadata) ||
        (layout.head_only && layout.unit > PLAIN_UNIT)) {
        return -EINVAL;
    }
    if (layout.blocks <
        udf_layout_minimum(layout.unit, layout.sparable, metadata)) {
        return -ENOSPC;
    }
    place_head(&layout);
    place_tail(&layout);
    place_middle(&layout, geometry);
    if (metadata) {
        place_metadata(&layout,
                       choose_duplicate(geometry, options->metadata_copies));
    } else {
        place_plain(&layout);
    }
    layout.free_blocks = layout.free_end - layout.first_free;
    *out_layout = layout;
    return 0;
}

int udf_layout_grow(const struct udf_layout *old, uint32_t blocks,
                    struct udf_layout *out_layout) {
    struct udf_layout layout = *old;
    uint32_t unit = layout.unit;
    uint32_t start = layout.region[UDF_REGION_PARTITION].lba;
    if (layout.head_only || layout.blocks % unit != 0 || blocks % unit != 0) {
        return -EINVAL;
    }
    layout.blocks = blocks;
    place_tail(&layout);
    place(&layout, UDF_REGION_PARTITION, start,
          (blocks - 1 - ANCHOR_LBA) / unit * unit - start);
    place_bitmap(&layout, 0);
    /* Behind what the old end was, so that this stays whole meanwhile. */
    layout.bitmap_lbn = old->blocks - start;
    uint32_t bitmap_end = layout.bitmap_lbn + layout.bitmap_blocks;
    if (blocks <= old->blocks ||
        bitmap_end > layout.region[UDF_REGION_PARTITION].blocks) {
        return -ENOSPC;
    }
    *out_layout = layout;
    return 0;
}

const char *udf_region_name(enum udf_region_id id) {
    static const char *const names[UDF_REGION_COUNT] = {
        [UDF_REGION_VRS] = "volume recognition",
        [UDF_REGION_MAIN_VDS] = "main VDS",
        [UDF_REGION_SPARING_FIRST] = "sparing table 1",
        [UDF_REGION_ANCHOR_FIRST] = "anchor at 256",
        [UDF_REGION_SPARES] = "spare packets",
        [UDF_REGION_INTEGRITY] = "integrity sequence",
        [UDF_REGION_JOURNAL] = "journal",
        [UDF_REGION_LEDGER] = "wear ledger",
        [UDF_REGION_PARTITION] = "partition",
        [UDF_REGION_ANCHOR_MIDDLE] = "anchor at N-256",
        [UDF_REGION_RESERVE_VDS] = "reserve VDS",
        [UDF_REGION_SPARING_SECOND] = "sparing table 2",
        [UDF_REGION_ANCHOR_LAST] = "anchor at N",
    };
    return names[id];
}
