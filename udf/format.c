/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/format.c - writes a planned volume. What goes where is udf/layout's
 * decision, what it looks like udf/encode's; here is the content and the order.
 *
 * Order, so that a format that is interrupted never leaves something that
 * looks like a volume, neither the old one nor half of the new one:
 *   1. everything is built once in memory, so that a label that does not fit
 *      is refused before the medium is touched;
 *   2. a mark is put into a gap, and synchronised: from now on nothing on the
 *      medium is worth a question (udf_format_began());
 *   3. the recognition sequence and every anchor of what was there before are
 *      wiped, and synchronised (on a fresh medium there are none: then
 *      nothing is written here, and each packet but the mark's only once);
 *   4. descriptor sequences, LVID, sparing tables, bitmap, file set and root,
 *      and synchronised;
 *   5. the recognition sequence and the anchors, and synchronised;
 *   6. zeros over the mark, and synchronised.
 *
 * Everything is written in whole units with zeros behind the structures, so
 * that neither the drive nor the cache must read to complete a packet, and no
 * descriptor of an earlier volume stays behind a new one.
 */
#include "udf/format.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "mmc/blockdev.h"
#include "udf/attr.h"
#include "udf/cs0.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/format_priv.h"
#include "udf/layout.h"
#include "udf/own.h"

enum {
    VRS_LBA = 16,
    VOLUME_ID_BYTES = 31, /* CS0 in the 32-byte dstring of the PVD */
    FIRST_UNIQUE_ID = 16, /* UDF 2.60 3.2.1.1: below are reserved */
    /* In a unit of its own in every layout's first gap, so that tearing it
     * harms nothing else. */
    MARK_LBA = 128
};

/* At MARK_LBA while a format is under way. */
static const char mark[] = "udfpkt: the format of this disc is not finished";

/* splitmix64: spreads whatever the seed is over all 64 bits. */
static uint64_t mix(uint64_t seed) {
    uint64_t x = seed + 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}

static uint64_t choose_serial(uint64_t seed) {
    if (seed != 0) {
        return mix(seed);
    }
    uint64_t serial;
    if (getrandom(&serial, sizeof(serial), GRND_NONBLOCK) ==
        (ssize_t)sizeof(serial)) {
        return serial;
    }
    /* early in a boot there is no randomness yet: time and process do */
    struct timespec clock;
    clock_gettime(CLOCK_REALTIME, &clock);
    return mix((uint64_t)clock.tv_sec * 1000000000u + (uint64_t)clock.tv_nsec) ^
           mix((uint64_t)getpid());
}

/* The PVD has a quarter of the room that the other descriptors have for the
 * label: it gets as much of its beginning as fits, cut between characters. */
static int shorten_label(const char *label, char *out_volume_id) {
    uint8_t cs0[VOLUME_ID_BYTES];
    uint32_t bytes = (uint32_t)strnlen(label, UDF_TEXT_BYTES - 1);
    uint32_t used;
    int err;
    while ((err = udf_cs0_encode(label, bytes, cs0, sizeof(cs0), &used)) ==
           -ENAMETOOLONG) {
        do {
            bytes--;
        } while (bytes > 0 && ((uint8_t)label[bytes] & 0xC0) == 0x80);
    }
    if (err) {
        return err;
    }
    memcpy(out_volume_id, label, bytes);
    out_volume_id[bytes] = '\0';
    return 0;
}

/* Everything about the volume that does not depend on where it lies. */
static int identify(struct new_volume *vol,
                    const struct udf_format_options *options) {
    vol->style.version = vol->layout.revision < 0x0200 ? 2 : 3;
    vol->serial = choose_serial(options->seed);
    /* A number of its own tells this volume's descriptors from those of an
     * earlier one when a damaged disc is searched; 0 would say "none". */
    vol->style.serial = (uint16_t)(vol->serial & 0xFFFFu);
    vol->style.serial = vol->style.serial ? vol->style.serial : 1;
    vol->now.sec = options->now ? options->now : (int64_t)time(NULL);
    vol->label = options->label ? options->label : "LinuxUDF";
    vol->uid = options->uid;
    vol->gid = options->gid;
    vol->root_mode = options->root_mode ? options->root_mode : 0755;
    if (strlen(vol->label) >= UDF_TEXT_BYTES) {
        return -ENAMETOOLONG;
    }
    /* UDF 2.60 2.2.2.5: sixteen unique characters, by custom the time and a
     * random number in hexadecimal */
    snprintf(vol->volume_set_id, sizeof(vol->volume_set_id), "%08x%08xudfpkt",
             (unsigned)(vol->now.sec & 0xFFFFFFFF),
             (unsigned)(vol->serial >> 32));
    return shorten_label(vol->label, vol->volume_id);
}

static struct udf_extent_ad extent_of(const struct udf_region *area) {
    return (struct udf_extent_ad){.bytes = area->blocks * UDF_BLOCK_BYTES,
                                  .lba = area->lba};
}

static int build_pvd(const struct new_volume *vol, uint32_t vdsn, uint32_t lba,
                     uint8_t *block) {
    struct udf_pvd pvd = {.vdsn = vdsn, .recorded = vol->now};
    memcpy(pvd.volume_id, vol->volume_id, sizeof(pvd.volume_id));
    memcpy(pvd.volume_set_id, vol->volume_set_id, sizeof(pvd.volume_set_id));
    udf_entity_own(&pvd.application);
    udf_entity_own(&pvd.implementation);
    return udf_encode_pvd(&pvd, &vol->style, lba, block);
}

static int build_lv_info(const struct new_volume *vol, uint32_t vdsn,
                         uint32_t lba, uint8_t *block) {
    struct udf_iuvd iuvd = {.vdsn = vdsn};
    udf_entity_udf("*UDF LV Info", vol->layout.revision, &iuvd.implementation);
    strcpy(iuvd.label, vol->label);
    return udf_encode_iuvd(&iuvd, &vol->style, lba, block);
}

static int build_own(const struct new_volume *vol, uint32_t vdsn, uint32_t lba,
                     uint8_t *block) {
    const struct udf_region *journal =
        udf_format_region(vol, UDF_REGION_JOURNAL);
    const struct udf_region *ledger = udf_format_region(vol, UDF_REGION_LEDGER);
    struct udf_own own = {.journal_lba = journal->lba,
                          .journal_packets = journal->blocks / vol->layout.unit,
                          .packet_blocks = vol->layout.unit,
                          .format_serial = vol->serial,
                          .ledger_lba = ledger->lba,
                          .ledger_places = ledger->blocks / vol->layout.unit};
    struct udf_iuvd iuvd = {.vdsn = vdsn};
    udf_own_encode(&own, &iuvd);
    return udf_encode_iuvd(&iuvd, &vol->style, lba, block);
}

/* Access type 4, overwritable, on every medium: rewritable (3) would mean
 * that blocks must be erased before they are written again, and the freed
 * space that goes with it makes the Linux driver read-only. */
static void build_pd(const struct new_volume *vol, uint32_t vdsn, uint32_t lba,
                     uint8_t *block) {
    const struct udf_region *partition =
        udf_format_region(vol, UDF_REGION_PARTITION);
    struct udf_pd pd = {
        .vdsn = vdsn,
        .flags = 1, /* allocated */
        .unallocated_bitmap = {.bytes =
                                   vol->layout.bitmap_blocks * UDF_BLOCK_BYTES,
                               .lbn = 0},
        .access = 4,
        .start_lba = partition->lba,
        .blocks = partition->blocks,
    };
    strcpy(pd.contents, vol->layout.revision < 0x0200 ? "+NSR02" : "+NSR03");
    udf_entity_own(&pd.implementation);
    udf_encode_pd(&pd, &vol->style, lba, block);
}

/* Blocks of its own, or spared. */
static struct udf_lvd_map build_map(const struct new_volume *vol) {
    struct udf_lvd_map map = {.kind = UDF_MAP_KIND_PHYSICAL,
                              .volume_sequence = 1};
    if (vol->layout.sparable) {
        map.kind = UDF_MAP_KIND_SPARABLE;
        map.packet_blocks = (uint16_t)vol->layout.unit;
        map.tables = 2;
        map.table_bytes = 56 + 8 * vol->layout.spares;
        map.table_lba[0] =
            udf_format_region(vol, UDF_REGION_SPARING_FIRST)->lba;
        map.table_lba[1] =
            udf_format_region(vol, UDF_REGION_SPARING_SECOND)->lba;
    }
    return map;
}

static struct udf_lvd_map build_metadata_map(const struct new_volume *vol) {
    const struct udf_layout_metadata *metadata = &vol->layout.metadata;
    return (struct udf_lvd_map){
        .kind = UDF_MAP_KIND_METADATA,
        .volume_sequence = 1,
        .metadata_lbn = metadata->main_fe_lbn,
        .mirror_lbn = metadata->mirror_fe_lbn,
        .bitmap_lbn = metadata->bitmap_fe_lbn,
        .allocation_unit = metadata->allocation_unit,
        .alignment_unit = (uint16_t)vol->layout.unit,
        .flags = metadata->mirror_lbn != metadata->main_lbn, /* duplicate */
    };
}

static int build_lvd(const struct new_volume *vol, uint32_t vdsn, uint32_t lba,
                     uint8_t *block) {
    struct udf_lvd lvd = {
        .vdsn = vdsn,
        .block_bytes = UDF_BLOCK_BYTES,
        .fsd = {.bytes = UDF_BLOCK_BYTES,
                .addr = udf_format_meta_addr(vol, vol->layout.fsd_lbn)},
        .integrity = extent_of(udf_format_region(vol, UDF_REGION_INTEGRITY)),
        .maps = 1,
        .map = {build_map(vol)},
    };
    if (vol->layout.metadata.blocks > 0) {
        lvd.map[lvd.maps++] = build_metadata_map(vol);
    }
    strcpy(lvd.label, vol->label);
    udf_entity_domain(vol->layout.revision, &lvd.domain);
    udf_entity_own(&lvd.implementation);
    return udf_encode_lvd(&lvd, &vol->style, lba, block);
}

/* Only true gaps are listed: spares, LVIDs and the journal are taken, and
 * nobody must be told that they are not. */
static void build_usd(const struct new_volume *vol, uint32_t vdsn, uint32_t lba,
                      uint8_t *block) {
    struct udf_usd usd = {.vdsn = vdsn};
    for (int i = 0; i < UDF_LAYOUT_GAPS; i++) {
        if (vol->layout.gap[i].blocks > 0) {
            usd.extent[usd.extents++] = extent_of(&vol->layout.gap[i]);
        }
    }
    udf_encode_usd(&usd, &vol->style, lba, block);
}

/* One volume descriptor sequence in the unit buffer, for the unit at `lba`.
 * Numbers all differ, so that no reader must choose between two. */
static int build_vds(struct new_volume *vol, uint32_t lba) {
    udf_format_clear_unit(vol);
    int err = build_pvd(vol, 1, lba, udf_format_unit_block(vol, 0));
    if (!err) {
        err = build_lv_info(vol, 2, lba + 1, udf_format_unit_block(vol, 1));
    }
    if (!err) {
        err = build_own(vol, 3, lba + 2, udf_format_unit_block(vol, 2));
    }
    if (!err) {
        build_pd(vol, 4, lba + 3, udf_format_unit_block(vol, 3));
        err = build_lvd(vol, 5, lba + 4, udf_format_unit_block(vol, 4));
    }
    if (!err) {
        build_usd(vol, 6, lba + 5, udf_format_unit_block(vol, 5));
        udf_encode_td(&vol->style, lba + 6, udf_format_unit_block(vol, 6));
    }
    return err;
}

static int put_vds(struct new_volume *vol, enum udf_region_id id) {
    uint32_t lba = udf_format_region(vol, id)->lba;
    int err = build_vds(vol, lba);
    return err ? err : udf_format_put_unit(vol, lba);
}

static int put_sparing(struct new_volume *vol, enum udf_region_id id) {
    const struct udf_region *spares = udf_format_region(vol, UDF_REGION_SPARES);
    struct udf_sparing_entry entry[UDF_SPARING_ENTRIES_MAX];
    struct udf_sparing_table table = {
        .sequence = 1, .entries = (uint16_t)vol->layout.spares, .entry = entry};
    for (uint32_t i = 0; i < vol->layout.spares; i++) {
        table.entry[i].original = UDF_SPARE_FREE;
        table.entry[i].mapped = spares->lba + i * vol->layout.unit;
    }
    uint32_t lba = udf_format_region(vol, id)->lba;
    udf_format_clear_unit(vol);
    udf_encode_sparing(&table, vol->layout.revision, &vol->style, lba,
                       vol->unit);
    return udf_format_put_unit(vol, lba);
}

/* The first LVID, closed, and zeros to the end of the extent: LVIDs will be
 * appended sector by sector, and a run must not go on into those of an
 * earlier volume. */
static int put_integrity(struct new_volume *vol) {
    const struct udf_region *extent =
        udf_format_region(vol, UDF_REGION_INTEGRITY);
    uint16_t oldest =
        vol->layout.revision > 0x0250 ? 0x0250 : vol->layout.revision;
    struct udf_lvid lvid = {
        .recorded = vol->now,
        .closed = true,
        .next_unique_id = FIRST_UNIQUE_ID,
        .partitions = 1,
        .free_blocks = {vol->layout.free_blocks},
        .size_blocks = {udf_format_region(vol, UDF_REGION_PARTITION)->blocks},
        .directories = 1, /* the root */
        /* Also where an older reader would do (1.50 differs from 1.02 only
         * by its maps): udfinfo takes this for the volume's revision. Only
         * what is written by appending over old blocks needs 2.60. */
        .min_read = oldest,
        .min_write = oldest,
        .max_write = vol->layout.revision,
    };
    if (vol->layout.metadata.blocks > 0) {
        lvid.partitions = 2;
        lvid.size_blocks[1] = vol->layout.metadata.blocks;
        lvid.free_blocks[1] =
            vol->layout.metadata.blocks - (vol->layout.root_lbn + 1);
    }
    udf_entity_own(&lvid.implementation);
    udf_format_clear_unit(vol);
    udf_encode_lvid(&lvid, &vol->style, extent->lba,
                    udf_format_unit_block(vol, 0));
    udf_encode_td(&vol->style, extent->lba + 1, udf_format_unit_block(vol, 1));
    int err = udf_format_put_unit(vol, extent->lba);
    udf_format_clear_unit(vol);
    for (uint32_t at = vol->layout.unit; !err && at < extent->blocks;
         at += vol->layout.unit) {
        err = udf_format_put_unit(vol, extent->lba + at);
    }
    return err;
}

/* A medium that was written before keeps its counts. */
static void take_wear(const struct new_volume *vol, struct udf_wear *wear) {
    const struct udf_wear *old = vol->wear;
    uint32_t known = 0;
    blockdev_writings(vol->dev, 0, wear->packets, wear->count);
    if (old && old->packet_blocks == wear->packet_blocks) {
        known = old->packets < wear->packets ? old->packets : wear->packets;
    }
    for (uint32_t i = 0; i < known; i++) {
        udf_wear_add(wear, i, old->count[i]);
    }
}

/* Both places of each piece: none is left that was never written. */
static int put_ledger(struct new_volume *vol) {
    const struct udf_region *area = udf_format_region(vol, UDF_REGION_LEDGER);
    const struct blockdev_geometry *geometry = &vol->dev->geometry;
    uint32_t pieces = area->blocks / vol->layout.unit / 2;
    struct udf_wear wear;
    if (pieces == 0) {
        return 0;
    }
    int err = udf_wear_init(&wear, udf_wear_packets(geometry),
                            geometry->packet_blocks);
    if (!err) {
        take_wear(vol, &wear);
    }
    for (uint32_t i = 0; !err && i < 2 * pieces; i++) {
        struct udf_wear_head head;
        udf_wear_piece(&wear, i % pieces, vol->layout.unit, &head);
        head.serial = vol->serial;
        head.number = 1;
        udf_wear_encode(&wear, &head, vol->layout.unit, vol->unit);
        err = udf_format_put_unit(vol, area->lba + i * vol->layout.unit);
    }
    udf_wear_free(&wear);
    return err;
}

/* Structures that a volume consists of once it is found. */
static int put_body(struct new_volume *vol) {
    int err = put_vds(vol, UDF_REGION_MAIN_VDS);
    if (!err && vol->layout.sparable) {
        err = put_sparing(vol, UDF_REGION_SPARING_FIRST);
    }
    if (!err) {
        err = put_ledger(vol); /* before the LVID: udf/ledger.c adds that */
    }
    if (!err) {
        err = put_integrity(vol);
    }
    if (!err) {
        err = udf_format_put_bitmap(vol);
    }
    if (!err) {
        err = udf_format_put_file_set(vol);
    }
    if (!err && vol->layout.metadata.blocks > 0) {
        err = udf_format_put_mirror(vol);
    }
    if (!err) {
        err = put_vds(vol, UDF_REGION_RESERVE_VDS);
    }
    if (!err && vol->layout.sparable) {
        err = put_sparing(vol, UDF_REGION_SPARING_SECOND);
    }
    return err ? err : blockdev_sync(vol->dev);
}

/* One structure of the volume recognition sequence, ECMA-167 2/9.1. */
static void build_vsd(uint8_t *block, const char *id) {
    memcpy(block + 1, id, 5); /* type 0 before it */
    block[6] = 1;             /* version */
}

/* The boot area as zeros, so that no other file system's head is found there,
 * and the recognition sequence, which a block of zeros ends. */
static int put_recognition(struct new_volume *vol) {
    int err = 0;
    udf_format_clear_unit(vol);
    for (uint32_t lba = 0; !err && lba + vol->layout.unit <= VRS_LBA;
         lba += vol->layout.unit) {
        err = udf_format_put_unit(vol, lba);
    }
    uint32_t at = VRS_LBA % vol->layout.unit;
    build_vsd(udf_format_unit_block(vol, at), "BEA01");
    build_vsd(udf_format_unit_block(vol, at + 1),
              vol->layout.revision < 0x0200 ? "NSR02" : "NSR03");
    build_vsd(udf_format_unit_block(vol, at + 2), "TEA01");
    return err ? err : udf_format_put_unit(vol, VRS_LBA);
}

static int put_anchor(struct new_volume *vol, enum udf_region_id id) {
    const struct udf_avdp avdp = {
        .main = extent_of(udf_format_region(vol, UDF_REGION_MAIN_VDS)),
        .reserve = extent_of(udf_format_region(vol, UDF_REGION_RESERVE_VDS))};
    uint32_t lba = udf_format_region(vol, id)->lba;
    udf_format_clear_unit(vol);
    udf_encode_avdp(&avdp, &vol->style, lba,
                    udf_format_unit_block(vol, lba % vol->layout.unit));
    return udf_format_put_unit(vol, lba);
}

/* What makes the volume found. */
static int put_ends(struct new_volume *vol) {
    int err = put_recognition(vol);
    if (!err) {
        err = put_anchor(vol, UDF_REGION_ANCHOR_FIRST);
    }
    if (!err && !vol->layout.head_only) {
        err = put_anchor(vol, UDF_REGION_ANCHOR_MIDDLE);
    }
    if (!err && !vol->layout.head_only) {
        err = put_anchor(vol, UDF_REGION_ANCHOR_LAST);
    }
    return err ? err : blockdev_sync(vol->dev);
}

/* Wipes the unit of `lba` unless the block is known to be zeros. */
static int wipe(struct new_volume *vol, uint32_t lba, bool *out_wiped) {
    static const uint8_t zeros[UDF_BLOCK_BYTES];
    uint8_t block[UDF_BLOCK_BYTES];
    int err = blockdev_fetch(vol->dev, lba, 1);
    if (!err) {
        err = blockdev_read_cached(vol->dev, lba, 1, block);
    }
    if (err == -ENODEV || err == -ENOMEDIUM || err == -ENOMEM) {
        return err;
    }
    if (!err && memcmp(block, zeros, UDF_BLOCK_BYTES) == 0) {
        return 0;
    }
    *out_wiped = true;
    return udf_format_put_unit(vol, lba);
}

/* Wipes what readers find a volume by: the recognition sequence, the anchor
 * at 256 or 512, and those near the end, also where readers look that allow
 * for run-out blocks (150, 152) in what the drive said of its size. The end of
 * a medium that is still being formatted is left to the format. */
static int wipe_old(struct new_volume *vol) {
    static const uint32_t heads[] = {VRS_LBA, VRS_LBA + 1, VRS_LBA + 2, 256,
                                     512};
    static const uint32_t tails[] = {1,   2,   3,   151, 153,
                                     257, 258, 259, 407, 409};
    bool wiped = false;
    int err = 0;
    udf_format_clear_unit(vol);
    for (size_t i = 0; !err && i < sizeof(heads) / sizeof(heads[0]); i++) {
        err = wipe(vol, heads[i], &wiped);
    }
    for (size_t i = 0;
         !err && !vol->layout.head_only && i < sizeof(tails) / sizeof(tails[0]);
         i++) {
        err = wipe(vol, vol->layout.blocks - tails[i], &wiped);
    }
    return err || !wiped ? err : blockdev_sync(vol->dev);
}

static int put_mark(struct new_volume *vol) {
    udf_format_clear_unit(vol);
    memcpy(vol->unit, mark, sizeof(mark));
    int err = udf_format_put_unit(vol, MARK_LBA);
    return err ? err : blockdev_sync(vol->dev);
}

static int take_mark(struct new_volume *vol) {
    udf_format_clear_unit(vol);
    int err = udf_format_put_unit(vol, MARK_LBA);
    return err ? err : blockdev_sync(vol->dev);
}

/* Builds everything that holds a text, without writing it. */
static int rehearse(struct new_volume *vol) {
    int err = build_vds(vol, udf_format_region(vol, UDF_REGION_MAIN_VDS)->lba);
    return err ? err : udf_format_build_file_set(vol);
}

static int write_volume(struct new_volume *vol) {
    int err = put_mark(vol);
    if (!err) {
        err = wipe_old(vol);
    }
    if (!err) {
        err = put_body(vol);
    }
    if (!err) {
        err = put_ends(vol);
    }
    return err ? err : take_mark(vol);
}

/* Plans the volume and builds it once in memory. On success the caller frees
 * vol->unit. */
static int plan_volume(struct new_volume *vol,
                       const struct blockdev_geometry *geometry,
                       const struct udf_format_options *options) {
    memset(vol, 0, sizeof(*vol));
    int err = udf_layout_plan(geometry, options, &vol->layout);
    if (!err) {
        err = identify(vol, options);
    }
    if (err) {
        return err;
    }
    vol->unit = malloc((size_t)vol->layout.unit * UDF_BLOCK_BYTES);
    if (!vol->unit) {
        return -ENOMEM;
    }
    err = rehearse(vol);
    if (err) {
        free(vol->unit);
    }
    return err;
}

int udf_format_check(const struct blockdev_geometry *geometry,
                     const struct udf_format_options *options) {
    struct new_volume vol;
    int err = plan_volume(&vol, geometry, options);
    if (!err) {
        free(vol.unit);
    }
    return err;
}

int udf_format(struct blockdev *dev, const struct udf_format_options *options) {
    struct new_volume vol;
    if (!dev->geometry.writable) {
        return -EROFS;
    }
    int err = plan_volume(&vol, &dev->geometry, options);
    if (err) {
        return err;
    }
    vol.dev = dev;
    vol.wear = options->wear;
    err = write_volume(&vol);
    free(vol.unit);
    return err;
}

int udf_format_began(struct blockdev *dev) {
    uint8_t block[UDF_BLOCK_BYTES];
    if (dev->geometry.blocks <= MARK_LBA) {
        return -ENOENT;
    }
    int err = blockdev_fetch(dev, MARK_LBA, 1);
    err = err ? err : blockdev_read_cached(dev, MARK_LBA, 1, block);
    if (err) {
        return err;
    }
    return memcmp(block, mark, sizeof(mark)) == 0 ? 0 : -ENOENT;
}
