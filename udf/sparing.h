/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/sparing.h - the sparing table of a sparable partition on the disc, and
 * how a packet moves to a spare. UDF 2.60 2.2.9, 2.2.12. Lookups are
 * udf/partmap's, the table itself udf/sparing_table's.
 *
 * The table is there in copies, each in a packet of its own.
 *
 *  1. At any moment at least one copy on the medium is valid: a copy is only
 *     overwritten while another one is good. Copies that are not good (torn,
 *     or older) are written first.
 *  2. A packet's entry is on the medium only when its image is on the spare and
 *     was read back.
 *
 * The mount's own record of which copies are good is struct udf_partmap's.
 */
#ifndef UDF_SPARING_H
#define UDF_SPARING_H

#include <stdint.h>

#include "udf/desc.h"

struct udf_volume;

/* Loads the table of map `part` at mount: the valid copy with the highest
 * sequence number. Returns 0; -EUCLEAN when no copy is valid; -EIO; -ENOMEM,
 * -ENODEV, -ENOMEDIUM. */
int udf_sparing_load(struct udf_volume *volume, uint16_t part,
                     const struct udf_lvd_map *map);

/* Brings the packet at block `lbn` (a multiple of the map's packet length) of
 * partition `part`, whose content is `image`, to a spare, and the table to the
 * medium; then blocks in that packet are found there. Spares that fail on the
 * way are marked bad. Called by the committing thread without the volume lock.
 * Returns 0; -ENOSPC when no spare is left, or no table can be written safely;
 * -EIO when one spare after the other fails, which is the drive's fault rather
 * than theirs: then nothing has changed; -ENOMEDIUM, -ENODEV, -ENOMEM. */
int udf_sparing_remap(struct udf_volume *volume, uint16_t part, uint32_t lbn,
                      const uint8_t *image);

/* Makes copies of tables good that are not. For the first change of a mount,
 * by the committing thread. Copies that cannot be written stay as they are.
 * Returns 0; -ENOMEDIUM, -ENODEV. */
int udf_sparing_mend(struct udf_volume *volume);

#endif
