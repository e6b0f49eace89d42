/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/fid.h - file identifier descriptors: the stream of records that is a
 * directory. Pure. ECMA-167 4/14.4, UDF 2.60 2.3.4.
 */
#ifndef UDF_FID_H
#define UDF_FID_H

#include <stdint.h>

#include "udf/desc.h"

enum {
    UDF_FID_BYTES = 38, /* fixed part */
    UDF_FID_HIDDEN = 1u << 0,
    UDF_FID_DIRECTORY = 1u << 1,
    UDF_FID_DELETED = 1u << 2,
    UDF_FID_PARENT = 1u << 3,
    UDF_FID_METADATA = 1u << 4
};

struct udf_fid {
    uint8_t characteristics;
    struct udf_long_ad icb;
    uint16_t use_bytes;
    const uint8_t *use; /* implementation use, kept as it is */
    uint8_t name_bytes; /* CS0, compression id included */
    const uint8_t *name;
    uint32_t location; /* from the tag: block where the FID begins */
};

/* Padded length of a FID with these fields, bytes. */
uint32_t udf_fid_size(uint32_t use_bytes, uint32_t name_bytes);

/* Decodes the FID at the start of `raw`; pointers go into `raw`. Returns 0;
 * -EUCLEAN when tag, CRC or lengths do not fit in `bytes`. */
int udf_fid_decode(const uint8_t *raw, uint32_t bytes, struct udf_fid *out_fid,
                   uint32_t *out_size);

/* Encodes into `raw`, which has udf_fid_size() bytes, and seals it for the
 * block `location`. */
void udf_fid_encode(const struct udf_fid *fid,
                    const struct udf_tag_style *style, uint32_t location,
                    uint8_t *raw);

/* Seals the finished FID at `raw` of `size` bytes again for another block. */
void udf_fid_move(uint8_t *raw, uint32_t size,
                  const struct udf_tag_style *style, uint32_t location);

/* Lets the FID at `raw` of `size` bytes lead to `icb`, with the given
 * characteristics, and seals it for the block it is in. */
void udf_fid_retarget(uint8_t *raw, uint32_t size, uint8_t characteristics,
                      const struct udf_long_ad *icb,
                      const struct udf_tag_style *style);

/* Marks the FID at `raw` of `size` bytes as deleted, by the rule of
 * `revision` (UDF 2.60 2.3.4.2: from 2.01 on the compression id becomes FEh or
 * FFh and the ICB zero), and seals it for its block. */
void udf_fid_delete(uint8_t *raw, uint32_t size, uint16_t revision,
                    const struct udf_tag_style *style, uint32_t location);

#endif
