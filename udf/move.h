/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/move.h - moves what files have in one packet to other space, because the
 * packet went bad. Only what is in memory moves: nodes that are loaded, and
 * blocks that the device holds.
 *
 * What can move is what only its own node points to: content, recorded or not,
 * directories whose index is loaded, and continuations of file entries. File
 * entries themselves cannot: other files' directories name them by address.
 * What a metadata partition has there has moved before (udf/metadata.h).
 */
#ifndef UDF_MOVE_H
#define UDF_MOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"

struct udf_volume;

/* Blocks addr.lbn .. addr.lbn+count-1, count <= 64; bit n of the sets stands
 * for block n. */
struct udf_move {
    struct udf_addr addr;
    uint32_t count;
    uint64_t wanted; /* moves if a file has it */
    uint64_t must;   /* part of `wanted`: no file entry, and known whose */
    bool withdraw;   /* nobody may have the range any more; else it is only
                        left alone as long as the volume is mounted */
};

/* Moves what is wanted; what must move, or all of it, is not in the range
 * afterwards. Returns 0; -EBUSY when not all that must can move, and -ENOSPC
 * when there is no room for it: then nothing has changed; -ENOMEM; -EIO when
 * a block is not in memory. Volume lock alone, committing thread. */
int udf_move_away(struct udf_volume *volume, const struct udf_move *move);

#endif
