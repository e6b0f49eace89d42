/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/device_ea.h - the device specification extended attribute, which says
 * what device a node of type 6 or 7 is. ECMA-167 4/14.10.7, UDF 2.60 3.3.4.4.
 * Pure.
 */
#ifndef UDF_DEVICE_EA_H
#define UDF_DEVICE_EA_H

#include <stdint.h>
#include <sys/types.h>

#include "udf/desc.h"

/* Looks for the attribute in an extended attribute space; leaves *out_device
 * alone when there is none. */
void udf_device_ea_find(const uint8_t *ea, uint32_t ea_bytes,
                        dev_t *out_device);

/* Makes an attribute space (header descriptor and this one attribute) in
 * memory that the caller frees, for the ICB at block `lbn`. Returns 0 or
 * -ENOMEM. */
int udf_device_ea_make(dev_t device, uint16_t revision, uint32_t lbn,
                       const struct udf_tag_style *style, uint8_t **out_ea,
                       uint32_t *out_bytes);

#endif
