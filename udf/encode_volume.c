/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/encode_volume.c - volume descriptors, integrity descriptors and sparing
 * tables, sealed: the mirror image of decode_volume.c. ECMA-167 3/10, UDF 2.60
 * 2.2.
 *
 * Descriptors of 512 bytes are sealed over all of them; those that end where
 * their tables end, up to there.
 */
#include "udf/encode.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "udf/attr.h"
#include "udf/cs0.h"
#include "udf/decode.h"
#include "udf/ondisc.h"
#include "udf/sparing_table.h"
#include "udf/tag.h"

enum { MAP_TYPE_1 = 1, MAP_TYPE_2 = 2 };

static void put_extent(const struct udf_extent_ad *ad,
                       struct udf_extent_ad_s *raw) {
    raw->len = htole32(ad->bytes);
    raw->loc = htole32(ad->lba);
}

static void put_short_ad(const struct udf_short_ad *ad,
                         struct udf_short_ad_s *raw) {
    udf_short_ad_encode(ad, (uint8_t *)raw);
}

static void put_entity(const struct udf_entity *entity,
                       struct udf_regid_s *raw) {
    udf_entity_encode(entity, (uint8_t *)raw);
}

void udf_encode_avdp(const struct udf_avdp *avdp,
                     const struct udf_tag_style *style, uint32_t lba,
                     uint8_t *block) {
    struct anchor_vol_desc_ptr_s raw = {0};
    put_extent(&avdp->main, &raw.main_vol_desc_seq_ext);
    put_extent(&avdp->reserve, &raw.reserve_vol_desc_seq_ext);
    udf_tag_seal(&raw, sizeof(raw), UDF_TAG_AVDP, style, lba);
    udf_raw_put_block(&raw, sizeof(raw), block);
}

int udf_encode_pvd(const struct udf_pvd *pvd, const struct udf_tag_style *style,
                   uint32_t lba, uint8_t *block) {
    /* One volume, and no limit that a user has set: UDF 2.60 2.2.2. */
    enum { LEVEL = 2, LEVEL_MAX = 3, CHARSETS = 1 };
    struct udf_pvd_s raw = {
        .vol_desc_seq_num = htole32(pvd->vdsn),
        .vol_seq_num = htole16(1),
        .max_vol_seqnum = htole16(1),
        .interchange_lvl = htole16(LEVEL),
        .max_interchange_lvl = htole16(LEVEL_MAX),
        .charset_list = htole32(CHARSETS),
        .max_charset_list = htole32(CHARSETS),
        .flags = htole16(PVD_FLAGS_VSID_COMMON),
    };
    int error = udf_dstring_encode(pvd->volume_id, (uint8_t *)raw.vol_ident,
                                   sizeof(raw.vol_ident));
    if (error == 0) {
        error = udf_dstring_encode(pvd->volume_set_id, (uint8_t *)raw.volset_id,
                                   sizeof(raw.volset_id));
    }
    if (error != 0) {
        return error;
    }
    udf_raw_set_charset(&raw.desc_charset);
    udf_raw_set_charset(&raw.explanatory_charset);
    put_entity(&pvd->application, &raw.app_ident);
    udf_time_encode(&pvd->recorded, (uint8_t *)&raw.recording_time);
    put_entity(&pvd->implementation, &raw.imp_ident);
    udf_tag_seal(&raw, sizeof(raw), UDF_TAG_PVD, style, lba);
    udf_raw_put_block(&raw, sizeof(raw), block);
    return 0;
}

/* "*UDF LV Info": what `use` holds beside the label stays. A descriptor that
 * names no developer gets us. UDF 2.60 2.2.7. */
static int put_lv_info(const struct udf_iuvd *iuvd,
                       struct udf_raw_lv_info *info) {
    int error =
        udf_dstring_encode(iuvd->label, info->label, sizeof(info->label));
    if (error != 0) {
        return error;
    }
    udf_raw_set_charset(&info->charset);
    if (info->developer.id[0] == 0) {
        struct udf_entity own;
        udf_entity_own(&own);
        put_entity(&own, &info->developer);
    }
    return 0;
}

int udf_encode_iuvd(const struct udf_iuvd *iuvd,
                    const struct udf_tag_style *style, uint32_t lba,
                    uint8_t *block) {
    struct imp_use_vol_desc_s raw = {.vol_desc_seq_num = htole32(iuvd->vdsn)};
    memcpy(raw.imp_use, iuvd->use, sizeof(raw.imp_use));
    if (strcmp(iuvd->implementation.id, "*UDF LV Info") == 0) {
        int error = put_lv_info(iuvd, (struct udf_raw_lv_info *)raw.imp_use);
        if (error != 0) {
            return error;
        }
    }
    put_entity(&iuvd->implementation, &raw.imp_id);
    udf_tag_seal(&raw, sizeof(raw), UDF_TAG_IUVD, style, lba);
    udf_raw_put_block(&raw, sizeof(raw), block);
    return 0;
}

void udf_encode_pd(const struct udf_pd *pd, const struct udf_tag_style *style,
                   uint32_t lba, uint8_t *block) {
    struct partition_desc_s raw = {
        .vol_desc_seq_num = htole32(pd->vdsn),
        .flags = htole16(pd->flags),
        .number = htole16(pd->number),
        .access_type = htole32(pd->access),
        .start_loc = htole32(pd->start_lba),
        .part_len = htole32(pd->blocks),
    };
    struct partition_header_desc_s *header =
        (struct partition_header_desc_s *)raw.contents_use;
    memcpy(raw.contents.id, pd->contents,
           strnlen(pd->contents, sizeof(raw.contents.id)));
    put_short_ad(&pd->unallocated_table, &header->unalloc_space_table);
    put_short_ad(&pd->unallocated_bitmap, &header->unalloc_space_bitmap);
    put_short_ad(&pd->freed_table, &header->freed_space_table);
    put_short_ad(&pd->freed_bitmap, &header->freed_space_bitmap);
    put_entity(&pd->implementation, &raw.imp_id);
    udf_tag_seal(&raw, sizeof(raw), UDF_TAG_PD, style, lba);
    udf_raw_put_block(&raw, sizeof(raw), block);
}

static uint32_t put_map1(const struct udf_lvd_map *map, uint8_t *at) {
    struct generic_partition_map1 raw = {
        .partition_map_type = MAP_TYPE_1,
        .partition_map_length = sizeof(raw),
        .vol_seq_num = htole16(map->volume_sequence),
        .i_partition = htole16(map->partition_number),
    };
    memcpy(at, &raw, sizeof(raw));
    return sizeof(raw);
}

/* What all maps of type 2 share; the rest of their 64 bytes is zero. */
static uint32_t put_map2(const struct udf_lvd_map *map, const char *id,
                         uint16_t revision, uint8_t *at) {
    struct udf_raw_map2 raw = {
        .type = MAP_TYPE_2,
        .bytes = sizeof(raw),
        .volume_sequence = htole16(map->volume_sequence),
        .partition = htole16(map->partition_number),
    };
    struct udf_entity entity;
    udf_entity_udf(id, revision, &entity);
    put_entity(&entity, &raw.id);
    memcpy(at, &raw, sizeof(raw));
    return sizeof(raw);
}

static void put_sparable(const struct udf_lvd_map *map, uint8_t *at) {
    struct udf_raw_map_sparable *raw = (struct udf_raw_map_sparable *)at;
    assert(map->tables <= UDF_SPARING_TABLES_MAX);
    raw->packet_blocks = htole16(map->packet_blocks);
    raw->tables = map->tables;
    raw->table_bytes = htole32(map->table_bytes);
    for (uint8_t i = 0; i < map->tables; i++) {
        raw->table_lba[i] = htole32(map->table_lba[i]);
    }
}

static void put_metadata(const struct udf_lvd_map *map, uint8_t *at) {
    struct udf_raw_map_metadata *raw = (struct udf_raw_map_metadata *)at;
    raw->metadata_lbn = htole32(map->metadata_lbn);
    raw->mirror_lbn = htole32(map->mirror_lbn);
    raw->bitmap_lbn = htole32(map->bitmap_lbn);
    raw->allocation_unit = htole32(map->allocation_unit);
    raw->alignment_unit = htole16(map->alignment_unit);
    raw->flags = map->flags;
}

/* Writes one map and gives its bytes; none for a kind that is not known. */
static uint32_t put_map(const struct udf_lvd_map *map, uint16_t revision,
                        uint8_t *at) {
    uint32_t bytes = 0;
    switch (map->kind) {
    case UDF_MAP_KIND_PHYSICAL:
        return put_map1(map, at);
    case UDF_MAP_KIND_VIRTUAL:
        return put_map2(map, "*UDF Virtual Partition", revision, at);
    case UDF_MAP_KIND_SPARABLE:
        bytes = put_map2(map, "*UDF Sparable Partition", revision, at);
        put_sparable(map, at);
        break;
    case UDF_MAP_KIND_METADATA:
        bytes = put_map2(map, "*UDF Metadata Partition", revision, at);
        put_metadata(map, at);
        break;
    case UDF_MAP_KIND_UNKNOWN:
        break;
    }
    return bytes;
}

int udf_encode_lvd(const struct udf_lvd *lvd, const struct udf_tag_style *style,
                   uint32_t lba, uint8_t *block) {
    uint8_t bytes[UDF_BLOCK_BYTES] = {0};
    struct udf_raw_lvd *raw = (struct udf_raw_lvd *)bytes;
    uint16_t revision = udf_entity_revision(&lvd->domain);
    uint32_t map_bytes = 0;
    int error = udf_dstring_encode(lvd->label, raw->label, sizeof(raw->label));
    if (error != 0) {
        return error;
    }
    assert(lvd->maps <= UDF_PARTMAPS_MAX);
    for (uint32_t i = 0; i < lvd->maps; i++) {
        uint32_t one = put_map(&lvd->map[i], revision, raw->map + map_bytes);
        if (one == 0) {
            return -EOPNOTSUPP;
        }
        map_bytes += one;
    }
    raw->vdsn = htole32(lvd->vdsn);
    udf_raw_set_charset(&raw->charset);
    raw->block_bytes = htole32(lvd->block_bytes);
    put_entity(&lvd->domain, &raw->domain);
    udf_long_ad_encode(&lvd->fsd, (uint8_t *)&raw->fsd);
    raw->map_bytes = htole32(map_bytes);
    raw->maps = htole32(lvd->maps);
    put_entity(&lvd->implementation, &raw->implementation);
    put_extent(&lvd->integrity, &raw->integrity);
    udf_tag_seal(raw, (uint32_t)sizeof(*raw) + map_bytes, UDF_TAG_LVD, style,
                 lba);
    memcpy(block, bytes, sizeof(bytes));
    return 0;
}

void udf_encode_usd(const struct udf_usd *usd,
                    const struct udf_tag_style *style, uint32_t lba,
                    uint8_t *block) {
    struct unalloc_space_desc_s *raw = (struct unalloc_space_desc_s *)block;
    assert(usd->extents <= sizeof(usd->extent) / sizeof(usd->extent[0]));
    memset(block, 0, UDF_BLOCK_BYTES);
    raw->vol_desc_seq_num = htole32(usd->vdsn);
    raw->i_alloc_descs = htole32(usd->extents);
    for (uint32_t i = 0; i < usd->extents; i++) {
        put_extent(&usd->extent[i], &raw->allocDescs[i]);
    }
    uint32_t bytes =
        (uint32_t)(sizeof(*raw) + usd->extents * sizeof(raw->allocDescs[0]));
    udf_tag_seal(raw, bytes, UDF_TAG_USD, style, lba);
}

void udf_encode_td(const struct udf_tag_style *style, uint32_t location,
                   uint8_t *block) {
    memset(block, 0, UDF_BLOCK_BYTES);
    udf_tag_seal(block, sizeof(struct terminating_desc_s), UDF_TAG_TD, style,
                 location);
}

/* The implementation use part; gives its bytes. */
static uint32_t put_lvidiu(const struct udf_lvid *lvid, uint8_t *at) {
    struct udf_raw_lvidiu *raw = (struct udf_raw_lvidiu *)at;
    assert(lvid->own_bytes <= sizeof(lvid->own));
    put_entity(&lvid->implementation, &raw->developer);
    raw->files = htole32(lvid->files);
    raw->directories = htole32(lvid->directories);
    raw->min_read = htole16(lvid->min_read);
    raw->min_write = htole16(lvid->min_write);
    raw->max_write = htole16(lvid->max_write);
    memcpy(raw->own, lvid->own, lvid->own_bytes);
    return (uint32_t)sizeof(*raw) + lvid->own_bytes;
}

void udf_encode_lvid(const struct udf_lvid *lvid,
                     const struct udf_tag_style *style, uint32_t lba,
                     uint8_t *block) {
    struct logvol_integrity_desc_s *raw =
        (struct logvol_integrity_desc_s *)block;
    struct logical_vol_header_desc_s header = {
        .uniqueID = htole64(lvid->next_unique_id)};
    assert(lvid->partitions <= UDF_PARTMAPS_MAX);
    memset(block, 0, UDF_BLOCK_BYTES);
    udf_time_encode(&lvid->recorded, (uint8_t *)&raw->recording_time);
    raw->integrity_type = htole32(lvid->closed ? LVID_INTEGRITY_TYPE_CLOSE
                                               : LVID_INTEGRITY_TYPE_OPEN);
    put_extent(&lvid->next, &raw->next_integrity_ext);
    memcpy(raw->logvol_contents_use, &header, sizeof(header));
    raw->i_partitions = htole32(lvid->partitions);

    uint8_t *at = block + sizeof(*raw);
    for (uint32_t i = 0; i < lvid->partitions; i++) {
        uint32_t free_blocks = htole32(lvid->free_blocks[i]);
        uint32_t size_blocks = htole32(lvid->size_blocks[i]);
        memcpy(at + 4 * i, &free_blocks, 4);
        memcpy(at + 4 * (lvid->partitions + i), &size_blocks, 4);
    }
    at += 8 * lvid->partitions;
    uint32_t use_bytes = put_lvidiu(lvid, at);
    raw->u.imp_use_len = htole32(use_bytes);
    udf_tag_seal(block, (uint32_t)(at - block) + use_bytes, UDF_TAG_LVID, style,
                 lba);
}

void udf_encode_sparing(const struct udf_sparing_table *table,
                        uint16_t revision, const struct udf_tag_style *style,
                        uint32_t lba, uint8_t *raw_bytes) {
    struct udf_raw_sparing_table *raw =
        (struct udf_raw_sparing_table *)raw_bytes;
    uint32_t bytes = udf_sparing_table_bytes(table->entries);
    struct udf_entity id;

    memset(raw_bytes, 0,
           ((size_t)bytes + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES *
               UDF_BLOCK_BYTES);
    udf_entity_udf("*UDF Sparing Table", revision, &id);
    put_entity(&id, &raw->id);
    raw->entries = htole16(table->entries);
    raw->sequence = htole32(table->sequence);
    for (uint16_t i = 0; i < table->entries; i++) {
        raw->entry[i].original = htole32(table->entry[i].original);
        raw->entry[i].mapped = htole32(table->entry[i].mapped);
    }
    udf_tag_seal(raw, bytes, UDF_TAG_SPARING, style, lba);
}
