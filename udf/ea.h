/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/ea.h - the extended attribute space of a file entry: a header
 * descriptor, then attributes: those of ECMA-167 by type, those for
 * implementations' use, those for applications' use. ECMA-167 4/14.10, UDF
 * 2.60 3.3.4. Pure.
 *
 * Attributes of others are carried along byte by byte. Changing one makes a
 * new space: the rest keeps its order within its part, and the header says
 * again where the parts begin.
 */
#ifndef UDF_EA_H
#define UDF_EA_H

#include <stdint.h>
#include <sys/types.h>

#include "udf/desc.h"

/* Where a space lies, and by which rules it is sealed. */
struct udf_ea_place {
    uint16_t revision; /* of the volume, BCD */
    uint32_t lbn;      /* of the ICB */
    const struct udf_tag_style *style;
};

/* Looks for the device specification (4/14.10.7) in a space; leaves
 * *out_device alone when there is none. */
void udf_ea_device(const uint8_t *ea, uint32_t ea_bytes, dev_t *out_device);

/* Looks for the creation time in the file times attribute (4/14.10.5); leaves
 * *out_time alone when there is none. */
void udf_ea_btime(const uint8_t *ea, uint32_t ea_bytes,
                  struct udf_time *out_time);

/* The functions below make a new space from the one of `old_bytes` bytes at
 * `old` (0: there is none), in memory that the caller frees. Return 0;
 * -EUCLEAN when the old one is malformed; -ENOMEM. A space that holds nothing
 * any more has 0 bytes and is NULL. */

int udf_ea_set_device(const uint8_t *old, uint32_t old_bytes, dev_t device,
                      const struct udf_ea_place *place, uint8_t **out_ea,
                      uint32_t *out_bytes);

/* Sets the creation time, or takes it away when `time` is NULL: an extended
 * file entry has a field for it. Other file times stay. */
int udf_ea_set_btime(const uint8_t *old, uint32_t old_bytes,
                     const struct udf_time *time,
                     const struct udf_ea_place *place, uint8_t **out_ea,
                     uint32_t *out_bytes);

#endif
