/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/spacemap.h - the space bitmap descriptor of a partition on the disc, to
 * and from udf/space. ECMA-167 4/14.12, UDF 2.60 2.3.8.
 *
 * It lies in one piece where the partition descriptor says, or is the content
 * of a metadata partition's bitmap file. A bitmap that is shorter than its
 * partition, or cut off by its extent, says nothing of the blocks behind its
 * end: they are never given to anyone. Bits behind the partition's end mean
 * nothing.
 */
#ifndef UDF_SPACEMAP_H
#define UDF_SPACEMAP_H

#include <stdint.h>

#include "udf/desc.h"

struct udf_node;
struct udf_volume;

struct udf_spacemap {
    struct udf_addr addr;  /* of the descriptor, when there is no file */
    struct udf_node *file; /* whose content it is, or NULL */
    uint32_t bits;         /* that the descriptor says it has */
};

/* Loads the bitmap at `map` (in partition `part`) and makes the partition's
 * space of it. Returns 0; -EUCLEAN when it is none; -EIO; -ENOMEM. Mounting. */
int udf_spacemap_load(struct udf_volume *volume, const struct udf_short_ad *map,
                      uint16_t part);

/* The same for a bitmap that is the content of `file`. */
int udf_spacemap_load_file(struct udf_volume *volume, struct udf_node *file,
                           uint16_t part);

/* Bytes of the descriptor of `bits` blocks. */
uint32_t udf_spacemap_bytes(uint32_t bits);

/* Puts the blocks of partition `part`'s bitmap that changed into the overlay,
 * or all of it into its file's entry when it lies there. Returns 0 or -ENOMEM.
 * Lock alone, committing thread. */
int udf_spacemap_write(struct udf_volume *volume, uint16_t part);

#endif
