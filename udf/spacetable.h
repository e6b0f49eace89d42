/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/spacetable.h - free space as a table: an unallocated space entry, whose
 * allocation descriptors are the runs of free blocks, to and from udf/space.
 * ECMA-167 4/10.1, 4/14.11; UDF 2.60 2.3.7.
 *
 * The list goes on in allocation extent descriptors, which take blocks of the
 * space that they describe: they are taken before the list is written.
 */
#ifndef UDF_SPACETABLE_H
#define UDF_SPACETABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"

struct udf_volume;

struct udf_spacetable {
    bool present;
    struct udf_addr addr; /* of the entry */
    uint32_t *aed;        /* blocks in which the list goes on */
    uint32_t aeds;
};

/* Loads the table at `table` (in partition `part`) and makes the partition's
 * space of it. Returns 0; -EUCLEAN when it is none; -EIO; -ENOMEM. Mounting. */
int udf_spacetable_load(struct udf_volume *volume,
                        const struct udf_short_ad *table, uint16_t part);

/* Puts the table of partition `part` into the overlay if the space changed.
 * Returns 0; -ENOSPC; -ENOMEM. Lock alone, committing thread. */
int udf_spacetable_write(struct udf_volume *volume, uint16_t part);

/* The allocation descriptors in the entry in `block`. Pure. Returns 0 or
 * -EUCLEAN. */
int udf_spacetable_decode(const uint8_t *block, uint32_t lbn,
                          const uint8_t **out_ads, uint32_t *out_bytes);

#endif
