/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/decode_volume.c - what lies outside the partitions: the volume
 * descriptor sequence, the integrity sequence, sparing tables. ECMA-167 3/10,
 * UDF 2.60 2.2.
 *
 * As in decode.c, a broken text is empty and nothing else.
 */
#include "udf/decode.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "udf/attr.h"
#include "udf/cs0.h"
#include "udf/ondisc.h"
#include "udf/tag.h"

enum { MAP_TYPE_1 = 1, MAP_TYPE_2 = 2 };

static int expect(const uint8_t *block, enum udf_tag_id id, uint32_t lba) {
    return udf_tag_expect(block, UDF_BLOCK_BYTES, id, lba);
}

static struct udf_extent_ad extent(const struct udf_extent_ad_s *raw) {
    return (struct udf_extent_ad){
        .bytes = le32toh(raw->len),
        .lba = le32toh(raw->loc),
    };
}

static struct udf_short_ad short_ad(const struct udf_short_ad_s *raw) {
    return udf_short_ad_decode((const uint8_t *)raw);
}

static void entity(const struct udf_regid_s *raw, struct udf_entity *out) {
    udf_entity_decode((const uint8_t *)raw, out);
}

int udf_decode_avdp(const uint8_t *block, uint32_t lba, struct udf_avdp *out) {
    const struct anchor_vol_desc_ptr_s *raw =
        (const struct anchor_vol_desc_ptr_s *)block;
    if (expect(block, UDF_TAG_AVDP, lba) != 0) {
        return -EUCLEAN;
    }
    out->main = extent(&raw->main_vol_desc_seq_ext);
    out->reserve = extent(&raw->reserve_vol_desc_seq_ext);
    return 0;
}

int udf_decode_pvd(const uint8_t *block, uint32_t lba, struct udf_pvd *out) {
    const struct udf_pvd_s *raw = (const struct udf_pvd_s *)block;
    if (expect(block, UDF_TAG_PVD, lba) != 0) {
        return -EUCLEAN;
    }
    *out = (struct udf_pvd){.vdsn = le32toh(raw->vol_desc_seq_num)};
    udf_dstring_show(raw->vol_ident, sizeof(raw->vol_ident), out->volume_id);
    udf_dstring_show(raw->volset_id, sizeof(raw->volset_id),
                     out->volume_set_id);
    udf_time_decode((const uint8_t *)&raw->recording_time, &out->recorded);
    entity(&raw->app_ident, &out->application);
    entity(&raw->imp_ident, &out->implementation);
    return 0;
}

int udf_decode_iuvd(const uint8_t *block, uint32_t lba, struct udf_iuvd *out) {
    const struct imp_use_vol_desc_s *raw =
        (const struct imp_use_vol_desc_s *)block;
    const struct udf_raw_lv_info *info =
        (const struct udf_raw_lv_info *)raw->imp_use;
    if (expect(block, UDF_TAG_IUVD, lba) != 0) {
        return -EUCLEAN;
    }
    *out = (struct udf_iuvd){.vdsn = le32toh(raw->vol_desc_seq_num)};
    entity(&raw->imp_id, &out->implementation);
    memcpy(out->use, raw->imp_use, sizeof(out->use));
    if (strcmp(out->implementation.id, "*UDF LV Info") == 0) {
        udf_dstring_show(info->label, sizeof(info->label), out->label);
    }
    return 0;
}

int udf_decode_pd(const uint8_t *block, uint32_t lba, struct udf_pd *out) {
    const struct partition_desc_s *raw = (const struct partition_desc_s *)block;
    const struct partition_header_desc_s *header =
        (const struct partition_header_desc_s *)raw->contents_use;
    if (expect(block, UDF_TAG_PD, lba) != 0) {
        return -EUCLEAN;
    }
    *out = (struct udf_pd){
        .vdsn = le32toh(raw->vol_desc_seq_num),
        .flags = le16toh(raw->flags),
        .number = le16toh(raw->number),
        .unallocated_table = short_ad(&header->unalloc_space_table),
        .unallocated_bitmap = short_ad(&header->unalloc_space_bitmap),
        .freed_table = short_ad(&header->freed_space_table),
        .freed_bitmap = short_ad(&header->freed_space_bitmap),
        .access = le32toh(raw->access_type),
        .start_lba = le32toh(raw->start_loc),
        .blocks = le32toh(raw->part_len),
    };
    memcpy(out->contents, raw->contents.id, sizeof(raw->contents.id));
    entity(&raw->imp_id, &out->implementation);
    return 0;
}

/* UDF 2.60 2.2.9: one to four tables, packets of at least one block. */
static int decode_sparable(const uint8_t *at, struct udf_lvd_map *map) {
    const struct udf_raw_map_sparable *raw =
        (const struct udf_raw_map_sparable *)at;
    if (raw->tables < 1 || raw->tables > UDF_SPARING_TABLES_MAX ||
        raw->packet_blocks == 0) {
        return -EUCLEAN;
    }
    map->kind = UDF_MAP_KIND_SPARABLE;
    map->packet_blocks = le16toh(raw->packet_blocks);
    map->tables = raw->tables;
    map->table_bytes = le32toh(raw->table_bytes);
    for (uint8_t i = 0; i < raw->tables; i++) {
        map->table_lba[i] = le32toh(raw->table_lba[i]);
    }
    return 0;
}

static void decode_metadata(const uint8_t *at, struct udf_lvd_map *map) {
    const struct udf_raw_map_metadata *raw =
        (const struct udf_raw_map_metadata *)at;
    map->kind = UDF_MAP_KIND_METADATA;
    map->metadata_lbn = le32toh(raw->metadata_lbn);
    map->mirror_lbn = le32toh(raw->mirror_lbn);
    map->bitmap_lbn = le32toh(raw->bitmap_lbn);
    map->allocation_unit = le32toh(raw->allocation_unit);
    map->alignment_unit = le16toh(raw->alignment_unit);
    map->flags = raw->flags;
}

static int decode_map2(const uint8_t *at, struct udf_lvd_map *map) {
    const struct udf_raw_map2 *raw = (const struct udf_raw_map2 *)at;
    struct udf_entity id;
    entity(&raw->id, &id);
    map->volume_sequence = le16toh(raw->volume_sequence);
    map->partition_number = le16toh(raw->partition);
    if (strcmp(id.id, "*UDF Virtual Partition") == 0) {
        map->kind = UDF_MAP_KIND_VIRTUAL;
    } else if (strcmp(id.id, "*UDF Sparable Partition") == 0) {
        return decode_sparable(at, map);
    } else if (strcmp(id.id, "*UDF Metadata Partition") == 0) {
        decode_metadata(at, map);
    }
    return 0;
}

/* Decodes the map of `bytes` bytes at `at`, which its own length field says.
 * A map of another type is a kind unknown, not an error: the other partitions
 * of such a volume can still be read. */
static int decode_map(const uint8_t *at, uint32_t bytes,
                      struct udf_lvd_map *out) {
    const struct generic_partition_map1 *raw =
        (const struct generic_partition_map1 *)at;
    struct udf_lvd_map map = {.kind = UDF_MAP_KIND_UNKNOWN};
    if (at[0] == MAP_TYPE_1) {
        if (bytes != sizeof(*raw)) {
            return -EUCLEAN;
        }
        map.kind = UDF_MAP_KIND_PHYSICAL;
        map.volume_sequence = le16toh(raw->vol_seq_num);
        map.partition_number = le16toh(raw->i_partition);
    } else if (at[0] == MAP_TYPE_2) {
        if (bytes != sizeof(struct udf_raw_map2) ||
            decode_map2(at, &map) != 0) {
            return -EUCLEAN;
        }
    }
    *out = map;
    return 0;
}

/* The map table of `left` bytes, ECMA-167 3/10.6.13. */
static int decode_maps(const uint8_t *at, uint32_t left, uint32_t maps,
                       struct udf_lvd_map *out_map) {
    for (uint32_t i = 0; i < maps; i++) {
        if (left < 2 || at[1] < 2 || at[1] > left) {
            return -EUCLEAN;
        }
        uint32_t bytes = at[1];
        if (decode_map(at, bytes, &out_map[i]) != 0) {
            return -EUCLEAN;
        }
        at += bytes;
        left -= bytes;
    }
    return 0;
}

int udf_decode_lvd(const uint8_t *block, uint32_t lba, struct udf_lvd *out) {
    const struct udf_raw_lvd *raw = (const struct udf_raw_lvd *)block;
    if (expect(block, UDF_TAG_LVD, lba) != 0) {
        return -EUCLEAN;
    }
    struct udf_lvd lvd = {
        .vdsn = le32toh(raw->vdsn),
        .block_bytes = le32toh(raw->block_bytes),
        .fsd = udf_long_ad_decode((const uint8_t *)&raw->fsd),
        .integrity = extent(&raw->integrity),
        .maps = le32toh(raw->maps),
    };
    uint32_t map_bytes = le32toh(raw->map_bytes);
    if (map_bytes > UDF_BLOCK_BYTES - sizeof(*raw) ||
        lvd.maps > UDF_PARTMAPS_MAX ||
        decode_maps(raw->map, map_bytes, lvd.maps, lvd.map) != 0) {
        return -EUCLEAN;
    }
    udf_dstring_show(raw->label, sizeof(raw->label), lvd.label);
    entity(&raw->domain, &lvd.domain);
    entity(&raw->implementation, &lvd.implementation);
    *out = lvd;
    return 0;
}

int udf_decode_usd(const uint8_t *block, uint32_t lba, struct udf_usd *out) {
    const struct unalloc_space_desc_s *raw =
        (const struct unalloc_space_desc_s *)block;
    const uint32_t most = sizeof(out->extent) / sizeof(out->extent[0]);
    uint32_t extents = le32toh(raw->i_alloc_descs);
    if (expect(block, UDF_TAG_USD, lba) != 0 ||
        extents >
            (UDF_BLOCK_BYTES - sizeof(*raw)) / sizeof(struct udf_extent_ad_s)) {
        return -EUCLEAN;
    }
    *out = (struct udf_usd){
        .vdsn = le32toh(raw->vol_desc_seq_num),
        .extents = extents < most ? extents : most,
    };
    for (uint32_t i = 0; i < out->extents; i++) {
        out->extent[i] = extent(&raw->allocDescs[i]);
    }
    return 0;
}

/* The implementation use part of an LVID, of `bytes` bytes. */
static void decode_lvidiu(const uint8_t *at, uint32_t bytes,
                          struct udf_lvid *lvid) {
    const struct udf_raw_lvidiu *raw = (const struct udf_raw_lvidiu *)at;
    uint32_t own = bytes - (uint32_t)sizeof(*raw);
    if (own > sizeof(lvid->own)) {
        own = sizeof(lvid->own); /* ours are shorter; the rest is foreign */
    }
    entity(&raw->developer, &lvid->implementation);
    lvid->files = le32toh(raw->files);
    lvid->directories = le32toh(raw->directories);
    lvid->min_read = le16toh(raw->min_read);
    lvid->min_write = le16toh(raw->min_write);
    lvid->max_write = le16toh(raw->max_write);
    lvid->own_bytes = own;
    memcpy(lvid->own, raw->own, own);
}

int udf_decode_lvid(const uint8_t *block, uint32_t lba, struct udf_lvid *out) {
    const struct logvol_integrity_desc_s *raw =
        (const struct logvol_integrity_desc_s *)block;
    const struct logical_vol_header_desc_s *header =
        (const struct logical_vol_header_desc_s *)raw->logvol_contents_use;
    uint32_t partitions = le32toh(raw->i_partitions);
    uint32_t use_bytes = le32toh(raw->u.imp_use_len);
    if (expect(block, UDF_TAG_LVID, lba) != 0 ||
        partitions > UDF_PARTMAPS_MAX ||
        use_bytes < sizeof(struct udf_raw_lvidiu) ||
        use_bytes > UDF_BLOCK_BYTES - sizeof(*raw) - 8 * partitions) {
        return -EUCLEAN;
    }
    *out = (struct udf_lvid){
        /* Any other value is not the CLOSE that makes the counts true. */
        .closed = le32toh(raw->integrity_type) == LVID_INTEGRITY_TYPE_CLOSE,
        .next = extent(&raw->next_integrity_ext),
        .next_unique_id = le64toh(header->uniqueID),
        .partitions = partitions,
    };
    udf_time_decode((const uint8_t *)&raw->recording_time, &out->recorded);

    const uint8_t *at = block + sizeof(*raw);
    for (uint32_t i = 0; i < partitions; i++) {
        uint32_t free_blocks, size_blocks;
        memcpy(&free_blocks, at + 4 * i, 4);
        memcpy(&size_blocks, at + 4 * (partitions + i), 4);
        out->free_blocks[i] = le32toh(free_blocks);
        out->size_blocks[i] = le32toh(size_blocks);
    }
    decode_lvidiu(at + 8 * partitions, use_bytes, out);
    return 0;
}

int udf_decode_sparing(const uint8_t *raw_bytes, uint32_t bytes, uint32_t lba,
                       struct udf_sparing_table *out) {
    const struct udf_raw_sparing_table *raw =
        (const struct udf_raw_sparing_table *)raw_bytes;
    struct udf_entity id;
    if (bytes < sizeof(*raw) ||
        udf_tag_expect(raw, bytes, UDF_TAG_SPARING, lba) != 0) {
        return -EUCLEAN;
    }
    entity(&raw->id, &id);
    uint16_t entries = le16toh(raw->entries);
    /* Identifier 0 says little, the entity says what it is. */
    if (strcmp(id.id, "*UDF Sparing Table") != 0 ||
        entries > (bytes - sizeof(*raw)) / sizeof(raw->entry[0])) {
        return -EUCLEAN;
    }
    struct udf_sparing_entry *entry = calloc(entries + 1u, sizeof(*entry));
    if (!entry) {
        return -ENOMEM;
    }
    *out = (struct udf_sparing_table){
        .sequence = le32toh(raw->sequence),
        .entries = entries,
        .entry = entry,
    };
    for (uint16_t i = 0; i < entries; i++) {
        out->entry[i].original = le32toh(raw->entry[i].original);
        out->entry[i].mapped = le32toh(raw->entry[i].mapped);
    }
    return 0;
}
