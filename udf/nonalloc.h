/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/nonalloc.h - Non-Allocatable Space: the packets of a partition that are
 * bad and that no file may have. UDF 2.60 3.3.7.2.
 *
 * The space bitmap shows them as used, and a file that nobody reads owns them:
 * a stream of the system stream directory from UDF 2.00 on, before that the
 * file "Non-Allocatable Space" in the root directory. Its extents are allocated
 * and not recorded. It is made when the first packet goes bad.
 *
 * Where it cannot be made, packets are left alone only as long as the volume is
 * mounted: what is marked used and no file's is damage.
 */
#ifndef UDF_NONALLOC_H
#define UDF_NONALLOC_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"

struct udf_node;
struct udf_volume;

/* Volume lock. */
struct udf_nonalloc {
    struct udf_node *node; /* pinned; NULL: nothing is bad yet */
};

/* Finds the file, if there is one, at mount, when the root is loaded. Returns
 * 0; -ENOMEM, -ENODEV, -ENOMEDIUM. A damaged one is as good as none. */
int udf_nonalloc_load(struct udf_volume *volume);

/* Makes the file if there is none yet. Called by the committing thread without
 * the volume lock. Returns 0; -EUCLEAN, -EIO, -ENOSPC when it cannot be
 * made; -ENOMEM, -ENODEV, -ENOMEDIUM. */
int udf_nonalloc_prepare(struct udf_volume *volume);

/* Adds blocks that no file has any more, and that are marked used. Does nothing
 * when there is no file. Volume lock alone. Returns 0 or -ENOMEM. */
int udf_nonalloc_add(struct udf_volume *volume, struct udf_addr addr,
                     uint32_t count);

/* Whether `node` is that file. Before UDF 2.00 it has a name in the root
 * directory, and nobody may change, rename or remove it: bad packets would be
 * taken into use. Volume lock. */
bool udf_nonalloc_is(const struct udf_volume *volume,
                     const struct udf_node *node);

/* Blocks in it. Volume lock. */
uint64_t udf_nonalloc_blocks(const struct udf_volume *volume);

#endif
