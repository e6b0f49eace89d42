/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/tombstone.h - the block that stands for one that could not be read when
 * its packet had to be written anew. Pure.
 *
 * A packet is written whole. Where it holds a block that nothing can read any
 * more, something else must take that block's place, and a file that silently
 * changes there would be worse than one that cannot be read: reading a
 * tombstone is an error. It carries the identity of its volume, so that an
 * image of one volume can be stored in another.
 */
#ifndef UDF_TOMBSTONE_H
#define UDF_TOMBSTONE_H

#include <stdbool.h>
#include <stdint.h>

/* Fills `block` (UDF_BLOCK_BYTES) for the volume with this volume set
 * identifier. */
void udf_tombstone_make(const char *volume_set_id, uint8_t *block);

/* Whether `block` is a tombstone of that volume. */
bool udf_tombstone_is(const char *volume_set_id, const uint8_t *block);

#endif
