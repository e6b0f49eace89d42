/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/fid.c - file identifier descriptors, ECMA-167 4/14.4, UDF 2.60 2.3.4.
 *
 * A record: 38 fixed bytes, implementation use, name, zeros up to a multiple
 * of four. The CRC covers all of it, padding included.
 */
#include "udf/fid.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/ondisc.h"
#include "udf/tag.h"

_Static_assert(sizeof(struct udf_fileid_desc_s) == UDF_FID_BYTES,
               "the fixed part of a FID");

enum {
    FILE_VERSION = 1, /* UDF 2.60 2.3.4.1 */
    ALIGNMENT = 4,
    FIRST_DELETED_ID_REVISION = 0x0201
};

uint32_t udf_fid_size(uint32_t use_bytes, uint32_t name_bytes) {
    uint32_t bytes = UDF_FID_BYTES + use_bytes + name_bytes;
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int udf_fid_decode(const uint8_t *raw, uint32_t bytes, struct udf_fid *out_fid,
                   uint32_t *out_size) {
    const struct udf_fileid_desc_s *from =
        (const struct udf_fileid_desc_s *)raw;
    struct udf_tag tag;
    if (bytes < UDF_FID_BYTES) {
        return -EUCLEAN;
    }
    uint16_t use_bytes = le16toh(from->u.i_imp_use);
    uint32_t size = udf_fid_size(use_bytes, from->i_file_id);
    /* No longer than a block, ECMA-167 4/14.4: callers may count on it. */
    if (size > bytes || size > UDF_BLOCK_BYTES ||
        udf_tag_check(raw, size, &tag) != 0 || tag.id != UDF_TAG_FID) {
        return -EUCLEAN;
    }
    *out_fid = (struct udf_fid){
        .characteristics = from->file_characteristics,
        .icb = udf_long_ad_decode((const uint8_t *)&from->icb),
        .use_bytes = use_bytes,
        .use = raw + UDF_FID_BYTES,
        .name_bytes = from->i_file_id,
        .name = raw + UDF_FID_BYTES + use_bytes,
        .location = tag.location,
    };
    *out_size = size;
    return 0;
}

void udf_fid_encode(const struct udf_fid *fid,
                    const struct udf_tag_style *style, uint32_t location,
                    uint8_t *raw) {
    struct udf_fileid_desc_s *to = (struct udf_fileid_desc_s *)raw;
    uint32_t size = udf_fid_size(fid->use_bytes, fid->name_bytes);
    memset(raw, 0, size);
    to->file_version_num = htole16(FILE_VERSION);
    to->file_characteristics = fid->characteristics;
    to->i_file_id = fid->name_bytes;
    udf_long_ad_encode(&fid->icb, (uint8_t *)&to->icb);
    to->u.i_imp_use = htole16(fid->use_bytes);
    if (fid->use_bytes > 0) {
        memcpy(raw + UDF_FID_BYTES, fid->use, fid->use_bytes);
    }
    if (fid->name_bytes > 0) {
        memcpy(raw + UDF_FID_BYTES + fid->use_bytes, fid->name,
               fid->name_bytes);
    }
    udf_tag_seal(raw, size, UDF_TAG_FID, style, location);
}

void udf_fid_move(uint8_t *raw, uint32_t size,
                  const struct udf_tag_style *style, uint32_t location) {
    udf_tag_seal(raw, size, UDF_TAG_FID, style, location);
}

void udf_fid_retarget(uint8_t *raw, uint32_t size, uint8_t characteristics,
                      const struct udf_long_ad *icb,
                      const struct udf_tag_style *style) {
    struct udf_fileid_desc_s *to = (struct udf_fileid_desc_s *)raw;
    uint32_t location = le32toh(to->tag.loc);
    to->file_characteristics = characteristics;
    udf_long_ad_encode(icb, (uint8_t *)&to->icb);
    udf_tag_seal(raw, size, UDF_TAG_FID, style, location);
}

void udf_fid_delete(uint8_t *raw, uint32_t size, uint16_t revision,
                    const struct udf_tag_style *style, uint32_t location) {
    struct udf_fileid_desc_s *to = (struct udf_fileid_desc_s *)raw;
    uint16_t use_bytes = le16toh(to->u.i_imp_use);
    assert(size == udf_fid_size(use_bytes, to->i_file_id));
    to->file_characteristics |= UDF_FID_DELETED;
    if (revision >= FIRST_DELETED_ID_REVISION) {
        /* No reader then takes the dead name for one that is in use. */
        uint8_t *id = raw + UDF_FID_BYTES + use_bytes;
        if (to->i_file_id > 0 && (*id == 8 || *id == 16)) {
            *id = *id == 8 ? 254 : 255;
        }
        memset(&to->icb, 0, sizeof(to->icb));
    }
    udf_tag_seal(raw, size, UDF_TAG_FID, style, location);
}
