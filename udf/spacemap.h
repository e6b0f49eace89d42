/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/spacemap.h - the space bitmap descriptor of a partition on the disc, to
 * and from udf/space. ECMA-167 4/14.12, UDF 2.60 2.3.8.
 */
#ifndef UDF_SPACEMAP_H
#define UDF_SPACEMAP_H

#include <stdint.h>

#include "udf/desc.h"

struct udf_volume;

struct udf_spacemap {
    struct udf_addr addr; /* of the descriptor */
    uint32_t blocks;      /* that it takes */
};

/* Loads the bitmap at `map` (in partition `part`) and makes volume->space of
 * it. Returns 0; -EUCLEAN when it does not fit the partition; -EIO; -ENOMEM. */
int udf_spacemap_load(struct udf_volume *volume, const struct udf_short_ad *map,
                      uint16_t part);

/* Puts the blocks of the bitmap that changed into the overlay. Returns 0 or
 * -ENOMEM. Lock alone, committing thread. */
int udf_spacemap_write(struct udf_volume *volume);

#endif
