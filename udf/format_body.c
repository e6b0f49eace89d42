/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/format_body.c - the inside of a new volume's partition: space bitmap,
 * file set, root directory, and the files of a metadata partition. ECMA-167
 * 4/8-4/14, UDF 2.60 2.2.10, 2.3.
 */
#include <string.h>

#include "mmc/blockdev.h"
#include "udf/attr.h"
#include "udf/encode.h"
#include "udf/extent.h"
#include "udf/fid.h"
#include "udf/format_priv.h"

enum { SBD_BYTES = 24 /* head of a space bitmap descriptor */ };

uint8_t *udf_format_unit_block(struct new_volume *vol, uint32_t index) {
    return vol->unit + (size_t)index * UDF_BLOCK_BYTES;
}

void udf_format_clear_unit(struct new_volume *vol) {
    memset(vol->unit, 0, (size_t)vol->layout.unit * UDF_BLOCK_BYTES);
}

int udf_format_put_unit(struct new_volume *vol, uint32_t lba) {
    uint32_t unit = vol->layout.unit;
    uint32_t first = lba / unit * unit;
    uint32_t left = vol->layout.blocks - first;
    uint32_t count = left < unit ? left : unit;
    int err = blockdev_make_room(vol->dev, count);
    return err ? err : blockdev_write(vol->dev, first, count, vol->unit);
}

const struct udf_region *udf_format_region(const struct new_volume *vol,
                                           enum udf_region_id id) {
    return &vol->layout.region[id];
}

struct udf_addr udf_format_meta_addr(const struct new_volume *vol,
                                     uint32_t lbn) {
    return (struct udf_addr){
        .lbn = lbn,
        .part = vol->layout.metadata.blocks > 0, /* the second map */
    };
}

/* ---- bits ------------------------------------------------------------- */

/* Byte `index` of a bitmap in which blocks from first_free up to free_end are
 * free, all others taken. Bit n % 8 of byte n / 8 is block n. */
static uint8_t bitmap_byte(uint64_t index, uint32_t first_free,
                           uint32_t free_end) {
    uint64_t from = index * 8;
    if (from >= first_free && from + 8 <= free_end) {
        return 0xFF;
    }
    uint8_t byte = 0;
    for (uint64_t bit = 0; bit < 8; bit++) {
        bool is_free = from + bit >= first_free && from + bit < free_end;
        byte = (uint8_t)(byte | (is_free << bit));
    }
    return byte;
}

/* ---- file set and root ------------------------------------------------ */

static struct udf_long_ad root_icb(const struct new_volume *vol) {
    return (struct udf_long_ad){
        .bytes = UDF_BLOCK_BYTES,
        .addr = udf_format_meta_addr(vol, vol->layout.root_lbn)};
}

static int build_fsd(const struct new_volume *vol, uint8_t *block) {
    struct udf_fsd fsd = {.recorded = vol->now, .root = root_icb(vol)};
    strcpy(fsd.label, vol->label);
    memcpy(fsd.file_set_id, vol->volume_id, sizeof(fsd.file_set_id));
    udf_entity_domain(vol->layout.revision, &fsd.domain);
    return udf_encode_fsd(&fsd, &vol->style, vol->layout.fsd_lbn, block);
}

/* The root directory: nothing but its parent entry, which names itself, and
 * is embedded. UniqueID 0 by UDF 2.60 3.2.1.1; its one link is that entry. */
static int build_root(const struct new_volume *vol, uint8_t *block) {
    const struct udf_fid parent = {.characteristics =
                                       UDF_FID_DIRECTORY | UDF_FID_PARENT,
                                   .icb = root_icb(vol)};
    uint8_t raw[64] = {0};
    uint32_t bytes = udf_fid_size(0, 0);
    udf_fid_encode(&parent, &vol->style, vol->layout.root_lbn, raw);
    struct udf_fe fe = {
        .extended = vol->layout.revision >= 0x0200,
        .strategy = 4,
        .file_type = UDF_FILE_DIRECTORY,
        .icb_flags = (uint16_t)(udf_icb_flags_encode(vol->root_mode, 0) |
                                UDF_AD_EMBEDDED),
        .uid = vol->uid,
        .gid = vol->gid,
        .permissions = udf_permissions_encode(vol->root_mode),
        .links = 1,
        .info_bytes = bytes,
        .object_bytes = bytes,
        .atime = vol->now,
        .mtime = vol->now,
        .ctime = vol->now,
        .btime = vol->now,
        .checkpoint = 1,
        .ads = raw,
        .ads_bytes = bytes,
    };
    udf_entity_own(&fe.implementation);
    return udf_encode_fe(&fe, &vol->style, vol->layout.root_lbn, block);
}

/* There is no system stream directory:
 * it would hold the list of non-allocatable space, and nothing is bad yet;
 * UDF 2.60 3.3.7.2 wants that stream only where there is such space. */
int udf_format_build_file_set(struct new_volume *vol) {
    udf_format_clear_unit(vol);
    uint32_t at = vol->layout.fsd_lbn % vol->layout.unit;
    int err = build_fsd(vol, udf_format_unit_block(vol, at));
    return err ? err : build_root(vol, udf_format_unit_block(vol, at + 1));
}

int udf_format_put_file_set(struct new_volume *vol) {
    const struct udf_layout_metadata *metadata = &vol->layout.metadata;
    uint32_t start = udf_format_region(vol, UDF_REGION_PARTITION)->lba;
    int err = udf_format_build_file_set(vol);
    if (!err && metadata->blocks == 0) {
        return udf_format_put_unit(vol, start + vol->layout.fsd_lbn);
    }
    if (!err) {
        err = udf_format_put_unit(vol, start + metadata->main_lbn);
    }
    if (!err && metadata->mirror_lbn != metadata->main_lbn) {
        err = udf_format_put_unit(vol, start + metadata->mirror_lbn);
    }
    return err;
}

/* ---- metadata partition ----------------------------------------------- */

/* The entry of a file of the metadata partition, whose content is in one
 * extent. Nobody owns it and no directory names it. */
static int build_entry(const struct new_volume *vol, uint8_t file_type,
                       uint32_t lbn, const struct udf_extent *content,
                       uint64_t bytes, uint8_t *block) {
    struct udf_extents extents = {
        .list = (struct udf_extent *)content, .count = 1, .room = 1};
    struct udf_ad_cursor cursor = {0};
    uint8_t raw[64];
    struct udf_fe fe = {
        .extended = true,
        .strategy = 4,
        .file_type = file_type,
        .icb_flags = UDF_AD_SHORT,
        .uid = UDF_ID_UNSET,
        .gid = UDF_ID_UNSET,
        .info_bytes = bytes,
        .object_bytes = bytes,
        .blocks_recorded = content->count,
        .atime = vol->now,
        .mtime = vol->now,
        .ctime = vol->now,
        .btime = vol->now,
        .checkpoint = 1,
        .ads = raw,
    };
    udf_entity_own(&fe.implementation);
    fe.ads_bytes = udf_ads_encode(UDF_AD_SHORT, &extents, bytes, &cursor, raw,
                                  sizeof(raw));
    return udf_encode_fe(&fe, &vol->style, lbn, block);
}

/* The entry of the metadata file or its mirror, at `lbn`. */
static int build_metadata_entry(struct new_volume *vol, uint8_t file_type,
                                uint32_t lbn, uint32_t content_lbn) {
    const struct udf_extent content = {
        .count = vol->layout.metadata.blocks,
        .kind = UDF_EXTENT_RECORDED,
        .addr = {.lbn = content_lbn},
    };
    return build_entry(vol, file_type, lbn, &content,
                       (uint64_t)content.count * UDF_BLOCK_BYTES,
                       udf_format_unit_block(vol, lbn % vol->layout.unit));
}

/* The entry of the bitmap file, with the bitmap behind it. */
static int build_metadata_bitmap(struct new_volume *vol) {
    const struct udf_layout_metadata *metadata = &vol->layout.metadata;
    const struct udf_extent content = {
        .count = 1,
        .kind = UDF_EXTENT_RECORDED,
        .addr = {.lbn = metadata->bitmap_fe_lbn + 1},
    };
    uint32_t at = metadata->bitmap_fe_lbn % vol->layout.unit;
    uint32_t bytes = SBD_BYTES + (metadata->blocks + 7) / 8;
    uint8_t *map = udf_format_unit_block(vol, at + 1);
    for (uint32_t i = SBD_BYTES; i < bytes; i++) {
        map[i] = bitmap_byte(i - SBD_BYTES, vol->layout.root_lbn + 1,
                             metadata->blocks);
    }
    udf_encode_sbd(metadata->blocks, &vol->style, content.addr.lbn, map);
    return build_entry(vol, UDF_FILE_METADATA_BITMAP, metadata->bitmap_fe_lbn,
                       &content, bytes, udf_format_unit_block(vol, at));
}

/* What shares the last unit of the partition's bitmap. */
static int build_metadata_head(struct new_volume *vol) {
    const struct udf_layout_metadata *metadata = &vol->layout.metadata;
    int err = build_metadata_entry(vol, UDF_FILE_METADATA,
                                   metadata->main_fe_lbn, metadata->main_lbn);
    return err ? err : build_metadata_bitmap(vol);
}

int udf_format_put_mirror(struct new_volume *vol) {
    const struct udf_layout_metadata *metadata = &vol->layout.metadata;
    uint32_t start = udf_format_region(vol, UDF_REGION_PARTITION)->lba;
    udf_format_clear_unit(vol);
    int err =
        build_metadata_entry(vol, UDF_FILE_METADATA_MIRROR,
                             metadata->mirror_fe_lbn, metadata->mirror_lbn);
    return err ? err
               : udf_format_put_unit(vol, start + metadata->mirror_fe_lbn);
}

/* ---- the partition's bitmap ------------------------------------------- */

/* One unit of it, `at` bytes from its start. */
static int put_bitmap_unit(struct new_volume *vol, uint64_t at) {
    const struct udf_region *partition =
        udf_format_region(vol, UDF_REGION_PARTITION);
    uint64_t unit_bytes = (uint64_t)vol->layout.unit * UDF_BLOCK_BYTES;
    uint64_t end = (uint64_t)vol->layout.bitmap_blocks * UDF_BLOCK_BYTES;
    int err = 0;
    udf_format_clear_unit(vol);
    for (uint64_t i = at ? 0 : SBD_BYTES; i < unit_bytes && at + i < end; i++) {
        vol->unit[i] = bitmap_byte(at + i - SBD_BYTES, vol->layout.first_free,
                                   vol->layout.free_end);
    }
    if (at == 0) {
        udf_encode_sbd(partition->blocks, &vol->style, 0, vol->unit);
    }
    if (vol->layout.metadata.blocks > 0 && at + unit_bytes > end) {
        err = build_metadata_head(vol);
    }
    return err ? err
               : udf_format_put_unit(vol, partition->lba +
                                              (uint32_t)(at / UDF_BLOCK_BYTES));
}

int udf_format_put_bitmap(struct new_volume *vol) {
    uint64_t unit_bytes = (uint64_t)vol->layout.unit * UDF_BLOCK_BYTES;
    uint64_t end = (uint64_t)vol->layout.bitmap_blocks * UDF_BLOCK_BYTES;
    int err = 0;
    for (uint64_t at = 0; !err && at < end; at += unit_bytes) {
        err = put_bitmap_unit(vol, at);
    }
    return err;
}
