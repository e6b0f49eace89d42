/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/encode.h - host descriptors to raw, sealed blocks: the mirror image of
 * udf/decode.h. Pure. `block` is UDF_BLOCK_BYTES long and written wholly:
 * bytes behind the descriptor become zero. Functions that can fail return 0;
 * -EILSEQ or -ENAMETOOLONG for a text; -ENOSPC when it does not fit a block;
 * a block is not touched then. What is encoded may lie in the block itself.
 */
#ifndef UDF_ENCODE_H
#define UDF_ENCODE_H

#include <stdint.h>

#include "udf/desc.h"

void udf_encode_avdp(const struct udf_avdp *avdp,
                     const struct udf_tag_style *style, uint32_t lba,
                     uint8_t *block);
int udf_encode_pvd(const struct udf_pvd *pvd, const struct udf_tag_style *style,
                   uint32_t lba, uint8_t *block);
/* With the id "*UDF LV Info" the label is encoded, else `use` is copied. */
int udf_encode_iuvd(const struct udf_iuvd *iuvd,
                    const struct udf_tag_style *style, uint32_t lba,
                    uint8_t *block);
void udf_encode_pd(const struct udf_pd *pd, const struct udf_tag_style *style,
                   uint32_t lba, uint8_t *block);
/* -EOPNOTSUPP for a map of a kind that was not understood. */
int udf_encode_lvd(const struct udf_lvd *lvd, const struct udf_tag_style *style,
                   uint32_t lba, uint8_t *block);
void udf_encode_usd(const struct udf_usd *usd,
                    const struct udf_tag_style *style, uint32_t lba,
                    uint8_t *block);
void udf_encode_td(const struct udf_tag_style *style, uint32_t location,
                   uint8_t *block);
void udf_encode_lvid(const struct udf_lvid *lvid,
                     const struct udf_tag_style *style, uint32_t lba,
                     uint8_t *block);
int udf_encode_fsd(const struct udf_fsd *fsd, const struct udf_tag_style *style,
                   uint32_t lbn, uint8_t *block);

/* Lets the file set descriptor in `block`, which was checked, name `streams` as
 * its system stream directory; all else stays. */
void udf_encode_fsd_streams(const struct udf_long_ad *streams,
                            const struct udf_tag_style *style, uint32_t lbn,
                            uint8_t *block);
int udf_encode_fe(const struct udf_fe *fe, const struct udf_tag_style *style,
                  uint32_t lbn, uint8_t *block);
int udf_encode_aed(const struct udf_aed *aed, const struct udf_tag_style *style,
                   uint32_t lbn, uint8_t *block);
/* The 24-byte head of a space bitmap of `bits` bits; CRC length 0, which
 * UDF 2.60 2.3.8.1 allows. Only 24 bytes of `raw` are written. */
void udf_encode_sbd(uint32_t bits, const struct udf_tag_style *style,
                    uint32_t lbn, uint8_t *raw);
/* A table in the whole blocks that udf_sparing_table_bytes() needs. */
void udf_encode_sparing(const struct udf_sparing_table *table,
                        uint16_t revision, const struct udf_tag_style *style,
                        uint32_t lba, uint8_t *raw);

void udf_long_ad_encode(const struct udf_long_ad *ad, uint8_t *raw);
void udf_short_ad_encode(const struct udf_short_ad *ad, uint8_t *raw);
void udf_entity_encode(const struct udf_entity *entity, uint8_t *raw);

/* Entity identifiers, UDF 2.60 2.1.5. The project's own is "*udfpkt" with the
 * OS class and id of Linux in its suffix. */
void udf_entity_domain(uint16_t revision, struct udf_entity *out);
void udf_entity_udf(const char *id, uint16_t revision, struct udf_entity *out);
void udf_entity_own(struct udf_entity *out);

#endif
