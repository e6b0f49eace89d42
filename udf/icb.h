/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/icb.h - from the ICB that a FID names to the file entry that prevails.
 * ECMA-167 4/8.10, 4/14.6-14.8; UDF 2.60 2.3.5.
 *
 * With strategy 4 the ICB is one block, the file entry. With strategy 4096 it
 * has room for an entry and behind it an indirect entry, which leads to
 * another ICB with a newer version, and so on. A terminal entry, or blocks
 * that hold nothing, end the chain; its last file entry is the one that
 * counts. All ICBs of a file are in one partition here.
 */
#ifndef UDF_ICB_H
#define UDF_ICB_H

#include <stdint.h>

#include "udf/desc.h"
#include "udf/op.h"

/* A run of blocks of one ICB. */
struct udf_icb_run {
    uint32_t lbn, blocks;
};

/* What udf_icb_load() found. */
struct udf_icb {
    struct udf_addr entry; /* where the prevailing file entry is */
    /* All ICBs of the file; NULL with strategy 4, where it is `entry`. */
    struct udf_icb_run *runs;
    uint32_t count;
};

/* Finds the file entry of the ICB at `addr`: `block` becomes it, *out_fe is
 * decoded from it and points into it. Returns 0, and out_icb->runs is the
 * caller's to free; UDF_MISS; -EUCLEAN (no file entry, or a chain that goes in
 * a circle or leaves the partition); -EIO; -ENOMEM. Lock held. */
int udf_icb_load(struct udf_op *op, struct udf_addr addr, uint8_t *block,
                 struct udf_fe *out_fe, struct udf_icb *out_icb);

#endif
