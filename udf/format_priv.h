/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/format_priv.h - a volume that is being made: what udf/format.c (the
 * order, and all outside the partition) and udf/format_body.c (all inside)
 * share.
 */
#ifndef UDF_FORMAT_PRIV_H
#define UDF_FORMAT_PRIV_H

#include <stdint.h>
#include <sys/types.h>

#include "udf/desc.h"
#include "udf/layout.h"

/* A volume on its way to the disc. */
struct new_volume {
    struct blockdev *dev;
    struct udf_layout layout;
    struct udf_tag_style style;
    struct udf_time now;
    uint64_t serial; /* of this format, random */
    const char *label;
    char volume_id[UDF_TEXT_BYTES];     /* the label as the PVD holds it */
    char volume_set_id[UDF_TEXT_BYTES]; /* begins with 16 unique digits */
    uint32_t uid, gid;
    mode_t root_mode;
    const struct udf_wear *wear; /* so far, or NULL */
    uint8_t *unit;               /* layout.unit blocks, being built */
};

/* Block `index` of the unit buffer. */
uint8_t *udf_format_unit_block(struct new_volume *vol, uint32_t index);

/* Fills the unit buffer with zeros. */
void udf_format_clear_unit(struct new_volume *vol);

/* Writes the buffer to the unit that holds `lba`; the last one of a medium may
 * be short. Errors of blockdev_make_room() and blockdev_write(). */
int udf_format_put_unit(struct new_volume *vol, uint32_t lba);

const struct udf_region *udf_format_region(const struct new_volume *vol,
                                           enum udf_region_id id);

/* The address of block `lbn` where file set and root are. */
struct udf_addr udf_format_meta_addr(const struct new_volume *vol,
                                     uint32_t lbn);

/* Builds file set and root in the unit buffer. Errors of a label. */
int udf_format_build_file_set(struct new_volume *vol);

/* Write the space bitmap, with the files of a metadata partition behind it;
 * file set and root, each of their copies; the entry of the metadata mirror.
 * Errors as udf_format_put_unit(). */
int udf_format_put_bitmap(struct new_volume *vol);
int udf_format_put_file_set(struct new_volume *vol);
int udf_format_put_mirror(struct new_volume *vol);

#endif
