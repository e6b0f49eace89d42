/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check.h - a read-only walk over a volume that proves its invariants:
 * tags, CRCs and locations of every descriptor; main against reserve sequence,
 * and that they are apart; unallocated and freed space against reachability (no
 * block used twice, none used that is marked free, none marked used that
 * nothing uses); link counts; UniqueIDs; streams, and those whose owner is
 * gone; LVID counts, sizes, and revisions against what is used; sparing tables;
 * the metadata partition's files, and that their copies are the same; virtual
 * allocation tables; extended attributes; directory form.
 *
 * It reads the device with functions of its own (pure decoders apart), so that
 * it does not share the mount path's mistakes.
 */
#ifndef UDF_CHECK_H
#define UDF_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct blockdev;

/* One fault, as a line for people: what, where, which clause. */
typedef void udf_check_report(void *context, const char *fault);

struct udf_check_options {
    bool allow_open; /* an OPEN LVID and its counts are no fault */
};

struct udf_check_result {
    uint64_t faults;
    uint64_t files, directories; /* names seen */
    uint64_t blocks_used;
    uint16_t revision;
};

/* Walks the volume on `dev`, which nobody changes meanwhile. Returns 0 when
 * the walk was finished, whatever it found; -EMEDIUMTYPE when there is no
 * UDF; -EOPNOTSUPP when it has partition maps or block sizes that are not
 * known; -EIO; -ENOMEM. `report` may be NULL. */
int udf_check(struct blockdev *dev, const struct udf_check_options *options,
              udf_check_report *report, void *context,
              struct udf_check_result *out_result);

#endif
