/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/decode.h - raw blocks to host descriptors. Pure. Every function checks
 * tag, CRC and location first and every length against its container before
 * it is believed; all return 0 or -EUCLEAN, and leave *out alone on failure.
 * `block` is UDF_BLOCK_BYTES long.
 */
#ifndef UDF_DECODE_H
#define UDF_DECODE_H

#include <stdint.h>

#include "udf/desc.h"

int udf_decode_avdp(const uint8_t *block, uint32_t lba,
                    struct udf_avdp *out); /* 3/10.2 */
int udf_decode_pvd(const uint8_t *block, uint32_t lba,
                   struct udf_pvd *out); /* 3/10.1 */
int udf_decode_iuvd(const uint8_t *block, uint32_t lba,
                    struct udf_iuvd *out); /* 3/10.4 */
int udf_decode_pd(const uint8_t *block, uint32_t lba,
                  struct udf_pd *out); /* 3/10.5 */
/* Maps beyond UDF_PARTMAPS_MAX, or past the block, are -EUCLEAN. */
int udf_decode_lvd(const uint8_t *block, uint32_t lba,
                   struct udf_lvd *out); /* 3/10.6 */
int udf_decode_usd(const uint8_t *block, uint32_t lba,
                   struct udf_usd *out); /* 3/10.8 */
int udf_decode_lvid(const uint8_t *block, uint32_t lba,
                    struct udf_lvid *out); /* 3/10.10 */
int udf_decode_fsd(const uint8_t *block, uint32_t lbn,
                   struct udf_fsd *out); /* 4/14.1 */
/* FE or EFE, by the tag. out->ea and out->ads point into `block`. */
int udf_decode_fe(const uint8_t *block, uint32_t lbn,
                  struct udf_fe *out); /* 4/14.9, 4/14.17 */
/* The ICB that an indirect entry leads to. */
int udf_decode_ie(const uint8_t *block, uint32_t lbn,
                  struct udf_long_ad *out_next); /* 4/14.7 */
int udf_decode_aed(const uint8_t *block, uint32_t lbn,
                   struct udf_aed *out); /* 4/14.5 */
/* The bitmap's own descriptor: gives bits and bytes of the map, which begins
 * 24 bytes into the block. The CRC is checked only as far as this block. */
int udf_decode_sbd(const uint8_t *block, uint32_t lbn, uint32_t *out_bits,
                   uint32_t *out_bytes); /* 4/14.12 */
/* A sparing table in `bytes` bytes, which the caller frees
 * (udf_sparing_table_free()). -EUCLEAN when it has more entries; -ENOMEM. UDF
 * 2.60 2.2.12. */
int udf_decode_sparing(const uint8_t *raw, uint32_t bytes, uint32_t lba,
                       struct udf_sparing_table *out);

/* Small types, from `raw` of 4.. bytes as their standard says. */
struct udf_long_ad udf_long_ad_decode(const uint8_t *raw);   /* 16 bytes */
struct udf_short_ad udf_short_ad_decode(const uint8_t *raw); /* 8 bytes */
void udf_entity_decode(const uint8_t *raw, struct udf_entity *out);

/* The UDF revision (BCD) in a domain or UDF suffix. UDF 2.60 2.1.5.3. */
uint16_t udf_entity_revision(const struct udf_entity *entity);

#endif
