/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/op.h - one operation on a volume: which volume, which lock, what time it
 * is, and what it is waiting for.
 *
 * No operation holds the volume lock while the drive works. An operation that
 * needs a block which is not in memory returns UDF_MISS after noting the block
 * here; its caller, udf/perform.c for the public operations, lets the lock
 * go, fetches the block, and starts the operation again:
 *
 *     udf_op_start(&op, volume, UDF_OP_SHARED);
 *     do {
 *         result = work(&op, ...);
 *     } while (udf_op_again(&op, &result));
 *
 * Therefore an operation changes nothing before all it needs is there. In the
 * same way an operation that began with the shared lock and finds that it must
 * change something in memory (load a node, index a directory) returns what
 * udf_op_need_exclusive() gives, and is started again with the lock alone.
 *
 * udf_op_again() returns with the lock held when it returns true, and without
 * it when it returns false.
 */
#ifndef UDF_OP_H
#define UDF_OP_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"

struct udf_node;
struct udf_volume;

/* "Start again": never leaves udf/. */
#define UDF_MISS (-EINPROGRESS)

enum udf_op_lock { UDF_OP_SHARED, UDF_OP_EXCLUSIVE };

struct udf_op {
    struct udf_volume *volume;
    bool exclusive;                /* the lock as it is held now */
    bool want_exclusive;           /* set by udf_op_need_exclusive() */
    uint32_t miss_lba, miss_count; /* what to fetch; count 0 = nothing */
    uint32_t miss_ahead;           /* blocks that may follow those */
    uint32_t ahead; /* the same of what is read now: UINT32_MAX = unknown */
    struct udf_time now; /* the time of the operation, for timestamps */
    uint64_t *held;      /* numbers of nodes: udf_op_hold() */
    uint32_t holds, holds_room;
    uint32_t hold_from; /* where udf_stream_hold() goes on */
};

/* Takes the volume lock and notes the time. */
void udf_op_start(struct udf_op *op, struct udf_volume *volume,
                  enum udf_op_lock lock);

/* Ends a turn: see the head of this file. When fetching fails, *result becomes
 * the error and the operation is over. */
bool udf_op_again(struct udf_op *op, int *result);

/* Returns 0 when the lock is held alone, else UDF_MISS with a note. */
int udf_op_need_exclusive(struct udf_op *op);

/* Notes blocks to fetch; returns UDF_MISS. */
int udf_op_miss(struct udf_op *op, uint32_t lba, uint32_t count);

/* Keeps `node` in memory until the operation ends, over all its turns, unless
 * somebody deletes it between two of them. Lock held alone. Returns 0 or
 * -ENOMEM. */
int udf_op_hold(struct udf_op *op, struct udf_node *node);

/* Tells who asked for it (udf_on_wait()) that an operation may wait now. Called
 * without locks. */
void udf_op_will_wait(const struct udf_volume *volume);

/* The time of day, whole microseconds. */
struct udf_time udf_op_clock(void);

#endif
