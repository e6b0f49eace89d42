/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/decode.c - the small types, and what lies inside a partition: file set,
 * file entries, allocation extents, space bitmaps. ECMA-167 4/14.
 *
 * What decides where something lies is checked and believed only when it fits
 * its container. What is only shown to people (labels) becomes empty when it
 * is broken: a bad label is no reason to refuse the files.
 */
#include "udf/decode.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "udf/attr.h"
#include "udf/cs0.h"
#include "udf/ondisc.h"
#include "udf/tag.h"

enum {
    KIND_SHIFT = 30, /* an extent's kind is in bits 30 and 31 of its length */
    LENGTH_MASK = 0x3FFFFFFF
};

struct udf_long_ad udf_long_ad_decode(const uint8_t *raw) {
    const struct udf_long_ad_s *ad = (const struct udf_long_ad_s *)raw;
    const struct udf_raw_ad_use *use =
        (const struct udf_raw_ad_use *)ad->imp_use;
    uint32_t length = le32toh(ad->len);
    return (struct udf_long_ad){
        .bytes = length & LENGTH_MASK,
        .kind = (uint8_t)(length >> KIND_SHIFT),
        .addr = {.lbn = le32toh(ad->loc.lba),
                 .part = le16toh(ad->loc.partitionReferenceNum)},
        .flags = le16toh(use->flags),
        .unique_id = le32toh(use->unique_id),
    };
}

struct udf_short_ad udf_short_ad_decode(const uint8_t *raw) {
    const struct udf_short_ad_s *ad = (const struct udf_short_ad_s *)raw;
    uint32_t length = le32toh(ad->len);
    return (struct udf_short_ad){
        .bytes = length & LENGTH_MASK,
        .kind = (uint8_t)(length >> KIND_SHIFT),
        .lbn = le32toh(ad->pos),
    };
}

static struct udf_long_ad long_ad(const struct udf_long_ad_s *raw) {
    return udf_long_ad_decode((const uint8_t *)raw);
}

void udf_entity_decode(const uint8_t *raw, struct udf_entity *out) {
    const struct udf_regid_s *id = (const struct udf_regid_s *)raw;
    *out = (struct udf_entity){.flags = id->flags};
    memcpy(out->id, id->id, sizeof(id->id));
    memcpy(out->suffix, &id->id_suffix, sizeof(out->suffix));
}

uint16_t udf_entity_revision(const struct udf_entity *entity) {
    return (uint16_t)(entity->suffix[0] | entity->suffix[1] << 8);
}

int udf_decode_fsd(const uint8_t *block, uint32_t lbn, struct udf_fsd *out) {
    const struct udf_fsd_s *raw = (const struct udf_fsd_s *)block;
    if (udf_tag_expect(block, UDF_BLOCK_BYTES, UDF_TAG_FSD, lbn) != 0) {
        return -EUCLEAN;
    }
    *out = (struct udf_fsd){
        .root = long_ad(&raw->root_icb),
        .next = long_ad(&raw->next_ext),
        .system_stream_dir = long_ad(&raw->stream_directory_ICB),
    };
    udf_time_decode((const uint8_t *)&raw->recording_time, &out->recorded);
    udf_dstring_show(raw->logical_vol_id, sizeof(raw->logical_vol_id),
                     out->label);
    udf_dstring_show(raw->fileSet_id, sizeof(raw->fileSet_id),
                     out->file_set_id);
    udf_entity_decode((const uint8_t *)&raw->domain_id, &out->domain);
    return 0;
}

/* What both kinds of file entries have at the same place: all before the
 * object size, ECMA-167 4/14.9 and 4/14.17. */
static void decode_common(const struct udf_file_entry_s *raw,
                          struct udf_fe *fe) {
    const struct udf_icbtag_s *icb = &raw->icb_tag;
    fe->prior_entries = le32toh(icb->prev_num_dirs);
    fe->strategy = le16toh(icb->strat_type);
    fe->max_entries = le16toh(icb->max_num_entries);
    fe->file_type = icb->file_type;
    fe->parent_icb.lbn = le32toh(icb->parent_ICB.lba);
    fe->parent_icb.part = le16toh(icb->parent_ICB.partitionReferenceNum);
    fe->icb_flags = le16toh(icb->flags);
    fe->uid = le32toh(raw->uid);
    fe->gid = le32toh(raw->gid);
    fe->permissions = le32toh(raw->permissions);
    fe->links = le16toh(raw->link_count);
    fe->info_bytes = le64toh(raw->info_len);
}

static void decode_plain(const uint8_t *block, struct udf_fe *fe) {
    const struct udf_file_entry_s *raw = (const struct udf_file_entry_s *)block;
    fe->object_bytes = fe->info_bytes;
    fe->blocks_recorded = le64toh(raw->logblks_recorded);
    udf_time_decode((const uint8_t *)&raw->access_time, &fe->atime);
    udf_time_decode((const uint8_t *)&raw->modification_time, &fe->mtime);
    udf_time_decode((const uint8_t *)&raw->attribute_time, &fe->ctime);
    fe->checkpoint = le32toh(raw->checkpoint);
    fe->ea_icb = long_ad(&raw->ext_attr_ICB);
    udf_entity_decode((const uint8_t *)&raw->imp_id, &fe->implementation);
    fe->unique_id = le64toh(raw->unique_ID);
    fe->ea_bytes = le32toh(raw->i_extended_attr);
    fe->ads_bytes = le32toh(raw->i_alloc_descs);
}

static void decode_extended(const uint8_t *block, struct udf_fe *fe) {
    const struct extended_file_entry *raw =
        (const struct extended_file_entry *)block;
    fe->object_bytes = le64toh(raw->object_size);
    fe->blocks_recorded = le64toh(raw->logblks_recorded);
    udf_time_decode((const uint8_t *)&raw->access_time, &fe->atime);
    udf_time_decode((const uint8_t *)&raw->modification_time, &fe->mtime);
    udf_time_decode((const uint8_t *)&raw->create_time, &fe->btime);
    udf_time_decode((const uint8_t *)&raw->attribute_time, &fe->ctime);
    fe->checkpoint = le32toh(raw->checkpoint);
    fe->ea_icb = long_ad(&raw->ext_attr_ICB);
    fe->stream_dir = long_ad(&raw->stream_directory_ICB);
    udf_entity_decode((const uint8_t *)&raw->imp_id, &fe->implementation);
    fe->unique_id = le64toh(raw->unique_ID);
    fe->ea_bytes = le32toh(raw->length_extended_attr);
    fe->ads_bytes = le32toh(raw->length_alloc_descs);
}

int udf_decode_fe(const uint8_t *block, uint32_t lbn, struct udf_fe *out) {
    struct udf_tag tag;
    struct udf_fe fe = {0};
    if (udf_tag_check(block, UDF_BLOCK_BYTES, &tag) != 0 ||
        tag.location != lbn ||
        (tag.id != UDF_TAG_FE && tag.id != UDF_TAG_EFE)) {
        return -EUCLEAN;
    }
    fe.extended = tag.id == UDF_TAG_EFE;
    decode_common((const struct udf_file_entry_s *)block, &fe);
    if (fe.extended) {
        decode_extended(block, &fe);
    } else {
        decode_plain(block, &fe);
    }
    uint32_t fixed = fe.extended ? UDF_EFE_BYTES : UDF_FE_BYTES;
    if (fe.ea_bytes > UDF_BLOCK_BYTES - fixed ||
        fe.ads_bytes > UDF_BLOCK_BYTES - fixed - fe.ea_bytes) {
        return -EUCLEAN;
    }
    /* Strategies other than these two are not UDF, 2.60 2.3.5.1. */
    if ((fe.icb_flags & UDF_ICB_FORM_MASK) > UDF_AD_EMBEDDED ||
        (fe.strategy != UDF_STRATEGY_4 && fe.strategy != UDF_STRATEGY_4096)) {
        return -EUCLEAN;
    }
    fe.ea = block + fixed;
    fe.ads = fe.ea + fe.ea_bytes;
    *out = fe;
    return 0;
}

int udf_decode_ie(const uint8_t *block, uint32_t lbn,
                  struct udf_long_ad *out_next) {
    const struct indirect_entry_s *raw = (const struct indirect_entry_s *)block;
    if (udf_tag_expect(block, UDF_BLOCK_BYTES, UDF_TAG_IE, lbn) != 0) {
        return -EUCLEAN;
    }
    *out_next = long_ad(&raw->indirect_ICB);
    return 0;
}

int udf_decode_aed(const uint8_t *block, uint32_t lbn, struct udf_aed *out) {
    const struct allocExtDesc *raw = (const struct allocExtDesc *)block;
    uint32_t bytes = le32toh(raw->i_alloc_descs);
    if (udf_tag_expect(block, UDF_BLOCK_BYTES, UDF_TAG_AED, lbn) != 0 ||
        bytes > UDF_BLOCK_BYTES - UDF_AED_BYTES) {
        return -EUCLEAN;
    }
    *out = (struct udf_aed){
        .previous_lbn = le32toh(raw->previous_alloc_ext_loc),
        .ads = block + UDF_AED_BYTES,
        .ads_bytes = bytes,
    };
    return 0;
}

int udf_decode_sbd(const uint8_t *block, uint32_t lbn, uint32_t *out_bits,
                   uint32_t *out_bytes) {
    const struct spaceBitmapDesc *raw = (const struct spaceBitmapDesc *)block;
    uint32_t bits = le32toh(raw->i_bits);
    uint32_t bytes = le32toh(raw->i_bytes);
    struct udf_tag tag;
    if (udf_tag_check_head(block, &tag) != 0 || tag.id != UDF_TAG_SBD ||
        tag.location != lbn) {
        return -EUCLEAN;
    }
    /* A CRC over more than this block cannot be checked here. */
    if (tag.crc_bytes <= UDF_BLOCK_BYTES - sizeof(raw->tag) &&
        udf_tag_check(block, UDF_BLOCK_BYTES, &tag) != 0) {
        return -EUCLEAN;
    }
    if (bytes < bits / 8 + (bits % 8 != 0)) {
        return -EUCLEAN;
    }
    *out_bits = bits;
    *out_bytes = bytes;
    return 0;
}
