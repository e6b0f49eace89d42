/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/desc.h - UDF descriptors in host form: what udf/decode gives and
 * udf/encode takes. Integers are in host order, strings are UTF-8, times are
 * struct udf_time; byte layout is met in decode, encode, fid and tag only.
 *
 * Addresses: `lba` is a sector of the device, `struct udf_addr` a block
 * inside a partition, named by partition reference number (the index of its
 * map in the logical volume descriptor).
 */
#ifndef UDF_DESC_H
#define UDF_DESC_H

#include <stdbool.h>
#include <stdint.h>

enum {
    UDF_BLOCK_BYTES = 2048,
    UDF_NAME_CS0_MAX = 255, /* a FID's identifier, compression id included */
    UDF_TEXT_BYTES = 384,   /* UTF-8 of the longest dstring, with NUL */
    UDF_PARTMAPS_MAX = 8,   /* partition maps that are understood at most */
    UDF_SPARING_TABLES_MAX = 4,
    UDF_FE_BYTES = 176,  /* fixed part of a file entry */
    UDF_EFE_BYTES = 216, /* ... of an extended file entry */
    UDF_AED_BYTES = 24   /* ... of an allocation extent descriptor */
};

#define UDF_EXTENT_BYTES_MAX 0x3FFFF800u /* UDF 2.60 2.3.10: whole blocks */
#define UDF_ID_UNSET 0xFFFFFFFFu         /* uid or gid not specified */

/* Descriptor tag identifiers, ECMA-167 3/7.2.1 and 4/7.2.1. */
enum udf_tag_id {
    UDF_TAG_SPARING = 0,
    UDF_TAG_PVD = 1,
    UDF_TAG_AVDP = 2,
    UDF_TAG_VDP = 3,
    UDF_TAG_IUVD = 4,
    UDF_TAG_PD = 5,
    UDF_TAG_LVD = 6,
    UDF_TAG_USD = 7,
    UDF_TAG_TD = 8,
    UDF_TAG_LVID = 9,
    UDF_TAG_FSD = 256,
    UDF_TAG_FID = 257,
    UDF_TAG_AED = 258,
    UDF_TAG_IE = 259,
    UDF_TAG_TE = 260,
    UDF_TAG_FE = 261,
    UDF_TAG_EAHD = 262,
    UDF_TAG_USE = 263,
    UDF_TAG_SBD = 264,
    UDF_TAG_PIE = 265,
    UDF_TAG_EFE = 266
};

/* What all descriptors of a volume have in common in their tags. */
struct udf_tag_style {
    uint16_t version; /* 2 for UDF up to 1.50, 3 from 2.00 */
    uint16_t serial;
};

struct udf_addr {
    uint32_t lbn;
    uint16_t part; /* partition reference number */
};

struct udf_extent_ad { /* ECMA-167 3/7.1 */
    uint32_t bytes;
    uint32_t lba;
};

struct udf_time {
    int64_t sec;        /* since 1970-01-01 00:00 UTC */
    uint32_t nsec;      /* whole microseconds are kept */
    int16_t tz_minutes; /* east of Greenwich; -2047 = not specified */
};

struct udf_long_ad { /* ECMA-167 4/14.14.2 */
    uint32_t bytes;  /* without the type bits */
    uint8_t kind;    /* enum udf_extent_kind of udf/extent.h */
    struct udf_addr addr;
    uint16_t flags;     /* implementation use: bit 0 = erased */
    uint32_t unique_id; /* implementation use, UDF 2.60 2.3.4.3 */
};

struct udf_short_ad { /* ECMA-167 4/14.14.1 */
    uint32_t bytes;
    uint8_t kind;
    uint32_t lbn;
};

struct udf_entity { /* ECMA-167 1/7.4 */
    uint8_t flags;
    char id[24]; /* NUL-terminated */
    uint8_t suffix[8];
};

struct udf_avdp {
    struct udf_extent_ad main, reserve;
};

struct udf_pvd {
    uint32_t vdsn;
    char volume_id[UDF_TEXT_BYTES];
    char volume_set_id[UDF_TEXT_BYTES];
    struct udf_time recorded;
    struct udf_entity application, implementation;
};

/* "*UDF LV Info" when `implementation.id` says so, else opaque. */
struct udf_iuvd {
    uint32_t vdsn;
    struct udf_entity implementation;
    char label[UDF_TEXT_BYTES];
    uint8_t use[460]; /* the implementation use bytes as they stand */
};

/* ECMA-167 3/10.5.7, UDF 2.60 2.2.14.2 */
enum {
    UDF_ACCESS_PSEUDO_OVERWRITABLE = 0,
    UDF_ACCESS_READ_ONLY = 1,
    UDF_ACCESS_WRITE_ONCE = 2,
    UDF_ACCESS_REWRITABLE = 3,
    UDF_ACCESS_OVERWRITABLE = 4
};

struct udf_pd {
    uint32_t vdsn;
    uint16_t flags;
    uint16_t number;
    char contents[24];
    struct udf_short_ad unallocated_table, unallocated_bitmap;
    struct udf_short_ad freed_table, freed_bitmap;
    uint32_t access;
    uint32_t start_lba;
    uint32_t blocks;
    struct udf_entity implementation;
};

enum udf_map_kind {
    UDF_MAP_KIND_PHYSICAL,
    UDF_MAP_KIND_VIRTUAL,
    UDF_MAP_KIND_SPARABLE,
    UDF_MAP_KIND_METADATA,
    UDF_MAP_KIND_UNKNOWN
};

/* One partition map of the LVD, ECMA-167 3/10.7, UDF 2.60 2.2.8-2.2.10. */
struct udf_lvd_map {
    enum udf_map_kind kind;
    uint16_t volume_sequence;
    uint16_t partition_number;
    /* sparable */
    uint16_t packet_blocks;
    uint8_t tables;
    uint32_t table_bytes;
    uint32_t table_lba[UDF_SPARING_TABLES_MAX];
    /* metadata */
    uint32_t metadata_lbn, mirror_lbn, bitmap_lbn;
    uint32_t allocation_unit;
    uint16_t alignment_unit;
    uint8_t flags;
};

struct udf_lvd {
    uint32_t vdsn;
    char label[UDF_TEXT_BYTES];
    uint32_t block_bytes;
    struct udf_entity domain, implementation;
    struct udf_long_ad fsd;
    struct udf_extent_ad integrity;
    uint32_t maps;
    struct udf_lvd_map map[UDF_PARTMAPS_MAX];
};

struct udf_usd {
    uint32_t vdsn;
    uint32_t extents; /* at most 8 are kept */
    struct udf_extent_ad extent[8];
};

/* ECMA-167 3/10.10, UDF 2.60 2.2.6. */
struct udf_lvid {
    struct udf_time recorded;
    bool closed;
    struct udf_extent_ad next;
    uint64_t next_unique_id;
    uint32_t partitions;
    uint32_t free_blocks[UDF_PARTMAPS_MAX];
    uint32_t size_blocks[UDF_PARTMAPS_MAX];
    struct udf_entity implementation;
    uint32_t files, directories;
    uint16_t min_read, min_write, max_write;
    uint32_t own_bytes; /* bytes of implementation use behind those */
    uint8_t own[256];
};

struct udf_fsd { /* ECMA-167 4/14.1 */
    struct udf_time recorded;
    char label[UDF_TEXT_BYTES];
    char file_set_id[UDF_TEXT_BYTES];
    struct udf_long_ad root;
    struct udf_entity domain;
    struct udf_long_ad next;
    struct udf_long_ad system_stream_dir;
};

enum udf_file_type { /* ECMA-167 4/14.6.6, UDF 2.60 2.3.5.2 */
                     UDF_FILE_DIRECTORY = 4,
                     UDF_FILE_REGULAR = 5,
                     UDF_FILE_BLOCK_DEVICE = 6,
                     UDF_FILE_CHAR_DEVICE = 7,
                     UDF_FILE_EA = 8,
                     UDF_FILE_FIFO = 9,
                     UDF_FILE_SOCKET = 10,
                     UDF_FILE_SYMLINK = 12,
                     UDF_FILE_STREAM_DIRECTORY = 13,
                     UDF_FILE_VAT = 248,
                     UDF_FILE_REALTIME = 249,
                     UDF_FILE_METADATA = 250,
                     UDF_FILE_METADATA_MIRROR = 251,
                     UDF_FILE_METADATA_BITMAP = 252
};

enum udf_ad_form { /* bits 0-2 of the ICB flags, ECMA-167 4/14.6.8 */
                   UDF_AD_SHORT = 0,
                   UDF_AD_LONG = 1,
                   UDF_AD_EXTENDED = 2,
                   UDF_AD_EMBEDDED = 3
};

enum {
    UDF_ICB_FORM_MASK = 7u,
    UDF_ICB_ARCHIVE = 1u << 5,
    UDF_ICB_SETUID = 1u << 6,
    UDF_ICB_SETGID = 1u << 7,
    UDF_ICB_STICKY = 1u << 8,
    UDF_ICB_CONTIGUOUS = 1u << 9,
    UDF_ICB_SYSTEM = 1u << 10,
    UDF_ICB_STREAM = 1u << 13
};

enum udf_strategy { /* of an ICB, ECMA-167 4/14.6.2, UDF 2.60 2.3.5.1 */
                    UDF_STRATEGY_4 = 4,
                    UDF_STRATEGY_4096 = 4096
};

/* A file entry or extended file entry, ECMA-167 4/14.9 and 4/14.17. `ea` and
 * `ads` point into the block that was decoded, or at what is to be encoded. */
struct udf_fe {
    bool extended;
    uint32_t prior_entries; /* direct entries before it in its chain */
    uint16_t strategy;      /* enum udf_strategy */
    uint16_t max_entries;   /* of its ICB; written with strategy 4096 only */
    uint8_t file_type;
    struct udf_addr parent_icb;
    uint16_t icb_flags;
    uint32_t uid, gid;
    uint32_t permissions;
    uint16_t links;
    uint64_t info_bytes, object_bytes; /* object_bytes: extended only */
    uint64_t blocks_recorded;
    struct udf_time atime, mtime, ctime;
    struct udf_time btime; /* extended only */
    uint32_t checkpoint;
    struct udf_long_ad ea_icb;
    struct udf_long_ad stream_dir; /* extended only */
    struct udf_entity implementation;
    uint64_t unique_id;
    const uint8_t *ea;
    uint32_t ea_bytes;
    const uint8_t *ads; /* allocation descriptors, or the embedded data */
    uint32_t ads_bytes;
};

struct udf_aed { /* ECMA-167 4/14.5 */
    uint32_t previous_lbn;
    const uint8_t *ads;
    uint32_t ads_bytes;
};

struct udf_sparing_entry {
    uint32_t original; /* LBN of the packet, or one of UDF_SPARE_* */
    uint32_t mapped;   /* LBA of the spare packet */
};

#define UDF_SPARE_FREE 0xFFFFFFFFu
#define UDF_SPARE_BAD 0xFFFFFFF0u

/* What one block holds: as many as other readers take, and as we make. */
enum { UDF_SPARING_ENTRIES_MAX = 249 };

struct udf_sparing_table { /* UDF 2.60 2.2.12 */
    uint32_t sequence;
    uint16_t entries;
    struct udf_sparing_entry *entry; /* see udf/sparing_table.h */
};

#endif
