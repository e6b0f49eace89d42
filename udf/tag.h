/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/tag.h - the 16-byte descriptor tag: checksum, CRC, location.
 * ECMA-167 3/7.2, UDF 2.60 2.2.1. Pure.
 */
#ifndef UDF_TAG_H
#define UDF_TAG_H

#include <stdint.h>

#include "udf/desc.h"

struct udf_tag {
    uint16_t id; /* enum udf_tag_id */
    uint16_t version;
    uint16_t serial;
    uint16_t crc_bytes;
    uint32_t location;
};

/* CRC-CCITT (polynomial 1021h, initial value 0, MSB first) over `count`
 * bytes, going on from `crc`. ECMA-167 1/7.2.6. */
uint16_t udf_crc(uint16_t crc, const void *bytes, uint32_t count);

/* Checks checksum and version of a tag alone, for descriptors that are longer
 * than what has been read of them. Returns 0 or -EUCLEAN. */
int udf_tag_check_head(const void *desc, struct udf_tag *out_tag);

/* Checks the tag of the `bytes`-long descriptor at `desc` (checksum, version 2
 * or 3, CRC within `bytes`) and gives its fields. Does not compare the
 * location: see udf_tag_expect(). Returns 0 or -EUCLEAN. */
int udf_tag_check(const void *desc, uint32_t bytes, struct udf_tag *out_tag);

/* udf_tag_check(), and that it is `id` at `location`. Returns 0; -EUCLEAN. */
int udf_tag_expect(const void *desc, uint32_t bytes, enum udf_tag_id id,
                   uint32_t location);

/* Fills in the tag of a finished descriptor of `bytes` bytes: the CRC covers
 * all behind the tag, at most 65535 bytes. */
void udf_tag_seal(void *desc, uint32_t bytes, enum udf_tag_id id,
                  const struct udf_tag_style *style, uint32_t location);

#endif
