/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/vds.h - finding a volume: recognition sequence, anchors, volume
 * descriptor sequence. ECMA-167 2/8, 3/8.4; UDF 2.60 2.1.7, 2.2.3.
 *
 * Every search is bounded: a disc without UDF costs a few packets, however
 * large it is.
 */
#ifndef UDF_VDS_H
#define UDF_VDS_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"
#include "udf/own.h"

struct udf_volume;

/* The prevailing descriptors: of each kind the one with the highest volume
 * descriptor sequence number. */
struct udf_vds {
    bool have_pvd, have_lvd, have_own;
    struct udf_pvd pvd;
    struct udf_lvd lvd;
    uint32_t pds;
    struct udf_pd pd[UDF_PARTMAPS_MAX];
    struct udf_own own; /* the journal's place */
    uint32_t anchor;    /* block of the one that named them */
};

/* The descriptor of partition `number`, or NULL. */
const struct udf_pd *udf_vds_pd(const struct udf_vds *vds, uint16_t number);

/* Says that logical blocks of `bytes` bytes are not for us; -EOPNOTSUPP. */
int udf_vds_refuse_blocks(uint32_t bytes);

/* Finds and reads the descriptors of the volume on volume->dev: the main
 * sequence, or the reserve when that is damaged. Returns 0; -EMEDIUMTYPE when
 * there is no UDF; -EOPNOTSUPP for a volume with blocks of another size;
 * -EUCLEAN when neither sequence is usable; -EIO. */
int udf_vds_find(struct udf_volume *volume, struct udf_vds *out_vds);

#endif
