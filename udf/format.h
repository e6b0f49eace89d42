/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/format.h - writes a new, empty UDF volume on a block device.
 */
#ifndef UDF_FORMAT_H
#define UDF_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/wear.h"

struct blockdev;
struct blockdev_geometry;

/* How the partition is mapped. */
enum udf_map_choice {
    UDF_MAP_AUTO, /* sparable where the medium wears and the drive does not
                     replace defects itself, else type 1 */
    UDF_MAP_TYPE1,
    UDF_MAP_SPARABLE
};

struct udf_format_options {
    const char *label; /* UTF-8, NULL = "LinuxUDF" */
    uint16_t revision; /* BCD, 0 = the medium's usual one */
    enum udf_map_choice map;
    unsigned metadata_copies; /* 1 (the mirror has no blocks of its own) or 2,
                                 both only from 2.50 on; 0 = what suits the
                                 medium */
    uint64_t seed;            /* for the volume set id; 0 = from the clock */
    int64_t now;              /* seconds since 1970; 0 = the clock */
    uint32_t uid, gid;        /* owner of the root directory */
    uint32_t root_mode;       /* permissions of the root; 0 = 0755 */
    const struct udf_wear *wear; /* of earlier volumes here; NULL: unknown */
};

/* Whether udf_format() could make this volume on such a medium; asked before
 * the medium is blanked. Needs blocks, packet_blocks, rewritable,
 * drive_manages_defects and usual_udf. Errors as there. */
int udf_format_check(const struct blockdev_geometry *geometry,
                     const struct udf_format_options *options);

/* Writes the volume and synchronises. Returns 0; -EINVAL when the revision,
 * the map or the copies are not possible on this medium; -EILSEQ when the label
 * is not UTF-8; -ENAMETOOLONG when it does not fit; -ENOSPC when the medium is
 * too small; -EROFS; -EIO. */
int udf_format(struct blockdev *dev, const struct udf_format_options *options);

/* Whether udf_format() began on this medium and did not come to its end: what
 * can be read on it is half of a volume, or left over. Returns 0 when it did;
 * -ENOENT; -EIO. */
int udf_format_began(struct blockdev *dev);

/* Adds the anchors that could not be written while the medium was still being
 * formatted (udf/layout.h). Nothing to do when they are there, or when it is
 * not complete yet. Returns 0 or an error of udf_mount() and udf_unmount(). */
int udf_format_finish(struct blockdev *dev);

/* Makes a volume of udf_format() as large as the medium has become; files stay
 * as they are, and an interruption leaves the old volume or the new one.
 * Nothing to do when it is as large already. What was left open is closed
 * first. Returns 0; -EINVAL when the volume is not laid out for that; -EBUSY
 * when it cannot be closed; -ENOSPC when the medium grew by too little; errors
 * of udf_mount(); -EIO. */
int udf_grow(struct blockdev *dev);

/* Reads back what udf_format() wrote: recognises the volume and compares both
 * anchors and sequences. Returns 0; -EUCLEAN; -EIO. */
int udf_format_verify(struct blockdev *dev);

/* Called with 0..1000; returns false to give up. */
typedef bool udf_certify_progress(void *context, unsigned permille);

/* Reads all that is free in the volume on `dev`, and takes packets out of use
 * that cannot be read. Returns 0; -EINTR when `progress` said false: what was
 * found is kept; errors of udf_mount() and udf_unmount(); -ENOSPC. */
int udf_certify(struct blockdev *dev, udf_certify_progress *progress,
                void *context);

/* Whether `dev` holds a UDF volume, and its label (UTF-8, at most
 * label_bytes with the NUL). Returns 0; -ENOENT when there is none; -EIO. */
int udf_probe(struct blockdev *dev, char *label, uint32_t label_bytes);

#endif
