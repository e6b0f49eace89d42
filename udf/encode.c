/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/encode.c - the small types, and what lies inside a partition, sealed:
 * the mirror image of decode.c. ECMA-167 4/14.
 *
 * Descriptors are put together beside the block and copied at the end: what
 * is encoded may have been decoded from that same block, and a failure leaves
 * the block alone.
 */
#include "udf/encode.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "udf/attr.h"
#include "udf/cs0.h"
#include "udf/ondisc.h"
#include "udf/tag.h"

enum {
    KIND_SHIFT = 30,
    OS_CLASS_UNIX = 4, /* UDF 2.60 6.3.1 and 6.3.2 */
    OS_ID_LINUX = 5
};

void udf_long_ad_encode(const struct udf_long_ad *ad, uint8_t *raw) {
    struct udf_long_ad_s *to = (struct udf_long_ad_s *)raw;
    struct udf_raw_ad_use use = {
        .flags = htole16(ad->flags),
        .unique_id = htole32(ad->unique_id),
    };
    to->len = htole32(ad->bytes | (uint32_t)ad->kind << KIND_SHIFT);
    to->loc.lba = htole32(ad->addr.lbn);
    to->loc.partitionReferenceNum = htole16(ad->addr.part);
    memcpy(to->imp_use, &use, sizeof(use));
}

void udf_short_ad_encode(const struct udf_short_ad *ad, uint8_t *raw) {
    struct udf_short_ad_s *to = (struct udf_short_ad_s *)raw;
    to->len = htole32(ad->bytes | (uint32_t)ad->kind << KIND_SHIFT);
    to->pos = htole32(ad->lbn);
}

void udf_entity_encode(const struct udf_entity *entity, uint8_t *raw) {
    struct udf_regid_s *to = (struct udf_regid_s *)raw;
    size_t length = strnlen(entity->id, sizeof(to->id));
    to->flags = entity->flags;
    memset(to->id, 0, sizeof(to->id));
    memcpy(to->id, entity->id, length);
    memcpy(&to->id_suffix, entity->suffix, sizeof(entity->suffix));
}

static void entity_named(const char *id, struct udf_entity *out) {
    size_t length = strlen(id);
    assert(length < sizeof(out->id));
    *out = (struct udf_entity){0};
    memcpy(out->id, id, length);
}

static void entity_set_revision(uint16_t revision, struct udf_entity *entity) {
    entity->suffix[0] = (uint8_t)revision;
    entity->suffix[1] = (uint8_t)(revision >> 8);
}

void udf_entity_domain(uint16_t revision, struct udf_entity *out) {
    entity_named("*OSTA UDF Compliant", out);
    entity_set_revision(revision, out);
}

void udf_entity_udf(const char *id, uint16_t revision, struct udf_entity *out) {
    entity_named(id, out);
    entity_set_revision(revision, out);
    out->suffix[2] = OS_CLASS_UNIX;
    out->suffix[3] = OS_ID_LINUX;
}

void udf_entity_own(struct udf_entity *out) {
    entity_named("*udfpkt", out);
    out->suffix[0] = OS_CLASS_UNIX;
    out->suffix[1] = OS_ID_LINUX;
}

static void put_long_ad(const struct udf_long_ad *ad,
                        struct udf_long_ad_s *raw) {
    udf_long_ad_encode(ad, (uint8_t *)raw);
}

static void put_entity(const struct udf_entity *entity,
                       struct udf_regid_s *raw) {
    udf_entity_encode(entity, (uint8_t *)raw);
}

static void put_time(const struct udf_time *time, struct udf_timestamp_s *raw) {
    udf_time_encode(time, (uint8_t *)raw);
}

int udf_encode_fsd(const struct udf_fsd *fsd, const struct udf_tag_style *style,
                   uint32_t lbn, uint8_t *block) {
    enum { LEVEL = 3, CHARSETS = 1 }; /* as UDF 2.60 2.3.2 demands */
    struct udf_fsd_s raw = {
        .interchange_lvl = htole16(LEVEL),
        .maxInterchange_lvl = htole16(LEVEL),
        .charset_list = htole32(CHARSETS),
        .max_charset_list = htole32(CHARSETS),
    };
    int error = udf_dstring_encode(fsd->label, (uint8_t *)raw.logical_vol_id,
                                   sizeof(raw.logical_vol_id));
    if (error == 0) {
        error = udf_dstring_encode(fsd->file_set_id, (uint8_t *)raw.fileSet_id,
                                   sizeof(raw.fileSet_id));
    }
    if (error != 0) {
        return error;
    }
    put_time(&fsd->recorded, &raw.recording_time);
    udf_raw_set_charset(&raw.logical_vol_id_charset);
    udf_raw_set_charset(&raw.fileset_charset);
    put_long_ad(&fsd->root, &raw.root_icb);
    put_entity(&fsd->domain, &raw.domain_id);
    put_long_ad(&fsd->next, &raw.next_ext);
    put_long_ad(&fsd->system_stream_dir, &raw.stream_directory_ICB);
    udf_tag_seal(&raw, sizeof(raw), UDF_TAG_FSD, style, lbn);
    udf_raw_put_block(&raw, sizeof(raw), block);
    return 0;
}

void udf_encode_fsd_streams(const struct udf_long_ad *streams,
                            const struct udf_tag_style *style, uint32_t lbn,
                            uint8_t *block) {
    struct udf_fsd_s raw;

    memcpy(&raw, block, sizeof(raw));
    put_long_ad(streams, &raw.stream_directory_ICB);
    udf_tag_seal(&raw, sizeof(raw), UDF_TAG_FSD, style, lbn);
    memcpy(block, &raw, sizeof(raw));
}

/* See decode_common() in decode.c. */
static void encode_common(const struct udf_fe *fe,
                          struct udf_file_entry_s *raw) {
    struct udf_icbtag_s *icb = &raw->icb_tag;
    bool chained = fe->strategy == UDF_STRATEGY_4096; /* UDF 2.60 2.3.5.1 */
    icb->prev_num_dirs = htole32(chained ? fe->prior_entries : 0);
    icb->strat_type = htole16(fe->strategy);
    icb->strat_param = htole16(chained ? 1 : 0);
    icb->max_num_entries = htole16(chained ? fe->max_entries : 1);
    icb->file_type = fe->file_type;
    icb->parent_ICB.lba = htole32(fe->parent_icb.lbn);
    icb->parent_ICB.partitionReferenceNum = htole16(fe->parent_icb.part);
    icb->flags = htole16(fe->icb_flags);
    raw->uid = htole32(fe->uid);
    raw->gid = htole32(fe->gid);
    raw->permissions = htole32(fe->permissions);
    raw->link_count = htole16(fe->links);
    raw->info_len = htole64(fe->info_bytes);
}

static void encode_plain(const struct udf_fe *fe, uint8_t *bytes) {
    struct udf_file_entry_s *raw = (struct udf_file_entry_s *)bytes;
    raw->logblks_recorded = htole64(fe->blocks_recorded);
    put_time(&fe->atime, &raw->access_time);
    put_time(&fe->mtime, &raw->modification_time);
    put_time(&fe->ctime, &raw->attribute_time);
    raw->checkpoint = htole32(fe->checkpoint);
    put_long_ad(&fe->ea_icb, &raw->ext_attr_ICB);
    put_entity(&fe->implementation, &raw->imp_id);
    raw->unique_ID = htole64(fe->unique_id);
    raw->i_extended_attr = htole32(fe->ea_bytes);
    raw->i_alloc_descs = htole32(fe->ads_bytes);
}

static void encode_extended(const struct udf_fe *fe, uint8_t *bytes) {
    struct extended_file_entry *raw = (struct extended_file_entry *)bytes;
    raw->object_size = htole64(fe->object_bytes);
    raw->logblks_recorded = htole64(fe->blocks_recorded);
    put_time(&fe->atime, &raw->access_time);
    put_time(&fe->mtime, &raw->modification_time);
    put_time(&fe->btime, &raw->create_time);
    put_time(&fe->ctime, &raw->attribute_time);
    raw->checkpoint = htole32(fe->checkpoint);
    put_long_ad(&fe->ea_icb, &raw->ext_attr_ICB);
    put_long_ad(&fe->stream_dir, &raw->stream_directory_ICB);
    put_entity(&fe->implementation, &raw->imp_id);
    raw->unique_ID = htole64(fe->unique_id);
    raw->length_extended_attr = htole32(fe->ea_bytes);
    raw->length_alloc_descs = htole32(fe->ads_bytes);
}

/* Copies what may be nothing, and then may have no address. */
static void put_bytes(uint8_t *to, const uint8_t *from, uint32_t bytes) {
    if (bytes > 0) {
        memcpy(to, from, bytes);
    }
}

int udf_encode_fe(const struct udf_fe *fe, const struct udf_tag_style *style,
                  uint32_t lbn, uint8_t *block) {
    uint8_t raw[UDF_BLOCK_BYTES] = {0};
    uint32_t fixed = fe->extended ? UDF_EFE_BYTES : UDF_FE_BYTES;
    if (fe->ea_bytes > UDF_BLOCK_BYTES - fixed ||
        fe->ads_bytes > UDF_BLOCK_BYTES - fixed - fe->ea_bytes) {
        return -ENOSPC;
    }
    assert(fe->strategy == UDF_STRATEGY_4 || fe->strategy == UDF_STRATEGY_4096);
    encode_common(fe, (struct udf_file_entry_s *)raw);
    if (fe->extended) {
        encode_extended(fe, raw);
    } else {
        encode_plain(fe, raw);
    }
    put_bytes(raw + fixed, fe->ea, fe->ea_bytes);
    put_bytes(raw + fixed + fe->ea_bytes, fe->ads, fe->ads_bytes);
    udf_tag_seal(raw, fixed + fe->ea_bytes + fe->ads_bytes,
                 fe->extended ? UDF_TAG_EFE : UDF_TAG_FE, style, lbn);
    memcpy(block, raw, sizeof(raw));
    return 0;
}

int udf_encode_aed(const struct udf_aed *aed, const struct udf_tag_style *style,
                   uint32_t lbn, uint8_t *block) {
    uint8_t bytes[UDF_BLOCK_BYTES] = {0};
    struct allocExtDesc *raw = (struct allocExtDesc *)bytes;
    if (aed->ads_bytes > UDF_BLOCK_BYTES - UDF_AED_BYTES) {
        return -ENOSPC;
    }
    raw->previous_alloc_ext_loc = htole32(aed->previous_lbn);
    raw->i_alloc_descs = htole32(aed->ads_bytes);
    put_bytes(bytes + UDF_AED_BYTES, aed->ads, aed->ads_bytes);
    udf_tag_seal(bytes, UDF_AED_BYTES + aed->ads_bytes, UDF_TAG_AED, style,
                 lbn);
    memcpy(block, bytes, sizeof(bytes));
    return 0;
}

void udf_encode_sbd(uint32_t bits, const struct udf_tag_style *style,
                    uint32_t lbn, uint8_t *raw) {
    struct spaceBitmapDesc *to = (struct spaceBitmapDesc *)raw;
    to->i_bits = htole32(bits);
    to->i_bytes = htole32(bits / 8 + (bits % 8 != 0));
    /* A tag alone: a CRC over the map would change with every bit of it. */
    udf_tag_seal(raw, sizeof(to->tag), UDF_TAG_SBD, style, lbn);
}
