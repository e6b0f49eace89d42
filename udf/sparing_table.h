/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/sparing_table.h - a sparing table in memory: which packet lies where.
 * Pure. UDF 2.60 2.2.12.
 *
 * An entry pairs a packet of the partition with a spare packet; its original
 * location is UDF_SPARE_FREE while the spare is free, and UDF_SPARE_BAD when
 * it cannot be used. Entries are sorted by original location, so that used
 * spares come first and free ones last.
 */
#ifndef UDF_SPARING_TABLE_H
#define UDF_SPARING_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"

/* Bytes of a table with so many entries on the disc. */
static inline uint32_t udf_sparing_table_bytes(uint16_t entries) {
    return 56 + 8u * entries;
}

/* A table owns its entries. Copying returns 0 or -ENOMEM. */
void udf_sparing_table_free(struct udf_sparing_table *table);
int udf_sparing_table_copy(const struct udf_sparing_table *table,
                           struct udf_sparing_table *out_copy);

/* The first free spare. False when there is none. */
bool udf_sparing_table_spare(const struct udf_sparing_table *table,
                             uint32_t *out_lba);

/* Lets the entry of the spare at `lba` say `original`: a packet's first block,
 * or one of UDF_SPARE_*. Does nothing when there is no such spare. */
void udf_sparing_table_assign(struct udf_sparing_table *table, uint32_t lba,
                              uint32_t original);

/* Where packet `original` lies. False when it is at home. */
bool udf_sparing_table_find(const struct udf_sparing_table *table,
                            uint32_t original, uint32_t *out_lba);

/* What the spare packet of `packet_blocks` blocks that holds sector `lba` is
 * for: *out_original as in its entry. False when no spare holds it. */
bool udf_sparing_table_owner(const struct udf_sparing_table *table,
                             uint32_t lba, uint32_t packet_blocks,
                             uint32_t *out_original);

#endif
