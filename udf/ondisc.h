/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/ondisc.h - the structures as they lie on the disc: ECMA-167's from
 * libcdio's <cdio/ecma_167.h>, and below those that UDF adds. All are packed
 * (alignment 1) and little-endian, so a pointer to any byte of a block may be
 * taken as one, and every field goes through le16toh() and friends.
 *
 * Only tag.c, decode*.c, encode*.c and fid.c include this file: everything
 * else works on the host structures of udf/desc.h. What we rely on in the
 * library's header is asserted here, so that another version of it with
 * another layout does not compile instead of writing broken discs.
 */
#ifndef UDF_ONDISC_H
#define UDF_ONDISC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The library has enumerators of these names for bits of a FID, and udf/desc.h
 * for file types. Ours are the ones that the rest of the code sees. */
#define UDF_FILE_DIRECTORY cdio_udf_file_directory
#define UDF_FILE_METADATA cdio_udf_file_metadata
#include <cdio/ecma_167.h>
#undef UDF_FILE_DIRECTORY
#undef UDF_FILE_METADATA

#include "udf/desc.h"

#define UDF_RAW_PACKED __attribute__((packed))

/* ECMA-167 3/10.6. The library's logical_vol_desc_s is 16 bytes too long: its
 * contents use field is there twice. */
struct udf_raw_lvd {
    struct udf_tag_s tag;
    uint32_t vdsn;
    struct udf_charspec_s charset;
    uint8_t label[128];
    uint32_t block_bytes;
    struct udf_regid_s domain;
    struct udf_long_ad_s fsd;
    uint32_t map_bytes;
    uint32_t maps;
    struct udf_regid_s implementation;
    uint8_t own[128];
    struct udf_extent_ad_s integrity;
    uint8_t map[];
} UDF_RAW_PACKED;

/* UDF 2.60 2.2.7.2: implementation use of the "*UDF LV Info" descriptor. */
struct udf_raw_lv_info {
    struct udf_charspec_s charset;
    uint8_t label[128];
    uint8_t info[3][36];
    struct udf_regid_s developer;
    uint8_t own[128];
} UDF_RAW_PACKED;

/* UDF 2.60 2.2.6.4: implementation use of the LVID. */
struct udf_raw_lvidiu {
    struct udf_regid_s developer;
    uint32_t files;
    uint32_t directories;
    uint16_t min_read;
    uint16_t min_write;
    uint16_t max_write;
    uint8_t own[];
} UDF_RAW_PACKED;

/* What type 2 partition maps have in common, UDF 2.60 2.2.8-2.2.10. */
struct udf_raw_map2 {
    uint8_t type;
    uint8_t bytes;
    uint8_t reserved[2];
    struct udf_regid_s id;
    uint16_t volume_sequence;
    uint16_t partition;
    uint8_t rest[24];
} UDF_RAW_PACKED;

/* UDF 2.60 2.2.9. */
struct udf_raw_map_sparable {
    uint8_t common[40];
    uint16_t packet_blocks;
    uint8_t tables;
    uint8_t reserved;
    uint32_t table_bytes;
    uint32_t table_lba[UDF_SPARING_TABLES_MAX];
} UDF_RAW_PACKED;

/* UDF 2.60 2.2.10. */
struct udf_raw_map_metadata {
    uint8_t common[40];
    uint32_t metadata_lbn;
    uint32_t mirror_lbn;
    uint32_t bitmap_lbn;
    uint32_t allocation_unit;
    uint16_t alignment_unit;
    uint8_t flags;
    uint8_t reserved[5];
} UDF_RAW_PACKED;

/* UDF 2.60 2.2.12. */
struct udf_raw_sparing_table {
    struct udf_tag_s tag;
    struct udf_regid_s id;
    uint16_t entries;
    uint8_t reserved[2];
    uint32_t sequence;
    struct {
        uint32_t original;
        uint32_t mapped;
    } UDF_RAW_PACKED entry[];
} UDF_RAW_PACKED;

/* UDF 2.60 2.3.4.3: implementation use of a long allocation descriptor. */
struct udf_raw_ad_use {
    uint16_t flags;
    uint32_t unique_id;
} UDF_RAW_PACKED;

#define UDF_RAW_SIZE(type, bytes)                                              \
    _Static_assert(sizeof(struct type) == (bytes), #type)
#define UDF_RAW_AT(type, field, offset)                                        \
    _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)

UDF_RAW_SIZE(udf_charspec_s, 64);
UDF_RAW_SIZE(udf_timestamp_s, 12);
UDF_RAW_SIZE(udf_regid_s, 32);
UDF_RAW_SIZE(udf_extent_ad_s, 8);
UDF_RAW_SIZE(udf_tag_s, 16);
UDF_RAW_SIZE(udf_lb_addr_s, 6);
UDF_RAW_SIZE(udf_short_ad_s, 8);
UDF_RAW_SIZE(udf_long_ad_s, 16);
UDF_RAW_SIZE(udf_icbtag_s, 20);
UDF_RAW_SIZE(udf_raw_ad_use, 6);

UDF_RAW_SIZE(anchor_vol_desc_ptr_s, 512);
UDF_RAW_SIZE(udf_pvd_s, 512);
UDF_RAW_AT(udf_pvd_s, vol_ident, 24);
UDF_RAW_AT(udf_pvd_s, volset_id, 72);
UDF_RAW_AT(udf_pvd_s, app_ident, 344);
UDF_RAW_AT(udf_pvd_s, recording_time, 376);
UDF_RAW_AT(udf_pvd_s, imp_ident, 388);
UDF_RAW_AT(udf_pvd_s, flags, 488);
UDF_RAW_SIZE(imp_use_vol_desc_s, 512);
UDF_RAW_AT(imp_use_vol_desc_s, imp_use, 52);
UDF_RAW_SIZE(udf_raw_lv_info, 460);
UDF_RAW_AT(udf_raw_lv_info, developer, 300);
UDF_RAW_SIZE(partition_desc_s, 512);
UDF_RAW_AT(partition_desc_s, contents_use, 56);
UDF_RAW_AT(partition_desc_s, access_type, 184);
UDF_RAW_AT(partition_desc_s, imp_id, 196);
UDF_RAW_SIZE(partition_header_desc_s, 128);
UDF_RAW_AT(partition_header_desc_s, freed_space_bitmap, 32);
UDF_RAW_SIZE(udf_raw_lvd, 440);
UDF_RAW_AT(udf_raw_lvd, label, 84);
UDF_RAW_AT(udf_raw_lvd, block_bytes, 212);
UDF_RAW_AT(udf_raw_lvd, fsd, 248);
UDF_RAW_AT(udf_raw_lvd, integrity, 432);
UDF_RAW_SIZE(generic_partition_map1, 6);
UDF_RAW_SIZE(udf_raw_map2, 64);
UDF_RAW_AT(udf_raw_map2, rest, 40);
UDF_RAW_SIZE(udf_raw_map_sparable, 64);
UDF_RAW_SIZE(udf_raw_map_metadata, 64);
UDF_RAW_AT(udf_raw_map_metadata, flags, 58);
UDF_RAW_SIZE(unalloc_space_desc_s, 24);
UDF_RAW_SIZE(terminating_desc_s, 512);
UDF_RAW_SIZE(logvol_integrity_desc_s, 80);
UDF_RAW_AT(logvol_integrity_desc_s, i_partitions, 72);
UDF_RAW_AT(logvol_integrity_desc_s, u, 76);
UDF_RAW_SIZE(udf_raw_lvidiu, 46);
UDF_RAW_SIZE(udf_raw_sparing_table, 56);

UDF_RAW_SIZE(udf_fsd_s, 512);
UDF_RAW_AT(udf_fsd_s, logical_vol_id, 112);
UDF_RAW_AT(udf_fsd_s, fileSet_id, 304);
UDF_RAW_AT(udf_fsd_s, root_icb, 400);
UDF_RAW_AT(udf_fsd_s, stream_directory_ICB, 464);
UDF_RAW_SIZE(udf_fileid_desc_s, 38);
UDF_RAW_AT(udf_fileid_desc_s, icb, 20);
UDF_RAW_SIZE(allocExtDesc, UDF_AED_BYTES);
UDF_RAW_SIZE(indirect_entry_s, 52);
UDF_RAW_AT(indirect_entry_s, indirect_ICB, 36);
UDF_RAW_SIZE(spaceBitmapDesc, 24);
UDF_RAW_AT(udf_icbtag_s, file_type, 11);
UDF_RAW_AT(udf_icbtag_s, flags, 18);
UDF_RAW_AT(udf_file_entry_s, link_count, 48);
UDF_RAW_AT(udf_file_entry_s, info_len, 56);
UDF_RAW_AT(udf_file_entry_s, access_time, 72);
UDF_RAW_AT(udf_file_entry_s, attribute_time, 96);
UDF_RAW_AT(udf_file_entry_s, imp_id, 128);
UDF_RAW_AT(udf_file_entry_s, unique_ID, 160);
UDF_RAW_AT(udf_file_entry_s, u, UDF_FE_BYTES);
UDF_RAW_AT(extended_file_entry, object_size, 64);
UDF_RAW_AT(extended_file_entry, access_time, 80);
UDF_RAW_AT(extended_file_entry, create_time, 104);
UDF_RAW_AT(extended_file_entry, attribute_time, 116);
UDF_RAW_AT(extended_file_entry, stream_directory_ICB, 152);
UDF_RAW_AT(extended_file_entry, imp_id, 168);
UDF_RAW_AT(extended_file_entry, unique_ID, 200);
UDF_RAW_AT(extended_file_entry, u, UDF_EFE_BYTES);

/* UDF 2.60 2.1.2: the only character set. */
static inline void udf_raw_set_charset(struct udf_charspec_s *raw) {
    static const char name[] = "OSTA Compressed Unicode";
    raw->charset_type = CHARSPEC_TYPE_CS0;
    memcpy(raw->charset_info, name, sizeof(name));
}

/* Copies the `bytes` of a descriptor to its block, zeros the rest. */
static inline void udf_raw_put_block(const void *raw, uint32_t bytes,
                                     uint8_t *block) {
    memcpy(block, raw, bytes);
    memset(block + bytes, 0, UDF_BLOCK_BYTES - bytes);
}

#undef UDF_RAW_SIZE
#undef UDF_RAW_AT

#endif
