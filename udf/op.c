/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/op.c - see udf/op.h.
 */
#include "udf/op.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "mmc/blockdev.h"
#include "udf/volume.h"

struct udf_time udf_op_clock(void) {
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (struct udf_time){
        .sec = now.tv_sec,
        .nsec = (uint32_t)(now.tv_nsec / 1000 * 1000),
        .tz_minutes = 0,
    };
}

void udf_on_wait(struct udf_volume *volume, udf_wait_note *note,
                 void *context) {
    volume->on_wait = note;
    volume->on_wait_context = context;
}

void udf_op_will_wait(const struct udf_volume *volume) {
    if (volume->on_wait) {
        volume->on_wait(volume->on_wait_context);
    }
}

static void take_lock(struct udf_op *op) {
    if (op->exclusive) {
        pthread_rwlock_wrlock(&op->volume->lock);
    } else {
        pthread_rwlock_rdlock(&op->volume->lock);
    }
}

void udf_op_start(struct udf_op *op, struct udf_volume *volume,
                  enum udf_op_lock lock) {
    *op = (struct udf_op){
        .volume = volume,
        .exclusive = lock == UDF_OP_EXCLUSIVE,
        .ahead = UINT32_MAX,
        .now = udf_op_clock(),
    };
    take_lock(op);
}

/* Ends the operation, with the lock held. A node that was held may be gone: its
 * file was deleted meanwhile. */
static void finish(struct udf_op *op) {
    for (uint32_t i = 0; i < op->holds; i++) {
        struct udf_node *node = udf_node_find(&op->volume->nodes, op->held[i]);

        if (node && node->pins > 0) {
            node->pins--;
        }
    }
    free(op->held);
    op->held = NULL;
    op->holds = 0;
    if (op->exclusive) {
        udf_nodes_trim(&op->volume->nodes);
    }
    pthread_rwlock_unlock(&op->volume->lock);
}

bool udf_op_again(struct udf_op *op, int *result) {
    if (*result != UDF_MISS) {
        finish(op);
        return false;
    }
    pthread_rwlock_unlock(&op->volume->lock);
    if (op->miss_count > 0) {
        udf_op_will_wait(op->volume);
        int error = blockdev_fetch_within(op->volume->dev, op->miss_lba,
                                          op->miss_count, op->miss_ahead);

        if (error &&
            !(error == -EIO &&
              udf_metadata_avoid(op->volume, op->miss_lba, op->miss_count))) {
            *result = error;
            take_lock(op);
            finish(op);
            return false;
        }
        op->miss_count = 0;
    }
    op->exclusive = op->exclusive || op->want_exclusive;
    take_lock(op);
    return true;
}

int udf_op_need_exclusive(struct udf_op *op) {
    if (op->exclusive) {
        return 0;
    }
    op->want_exclusive = true;
    return UDF_MISS;
}

int udf_op_hold(struct udf_op *op, struct udf_node *node) {
    uint32_t room = op->holds_room ? op->holds_room * 2 : 8;
    uint64_t *bigger;

    if (op->holds == op->holds_room) {
        bigger = reallocarray(op->held, room, sizeof(*bigger));
        if (!bigger) {
            return -ENOMEM;
        }
        op->held = bigger;
        op->holds_room = room;
    }
    node->pins++;
    op->held[op->holds++] = node->ino;
    return 0;
}

int udf_op_miss(struct udf_op *op, uint32_t lba, uint32_t count) {
    op->miss_lba = lba;
    op->miss_count = count;
    op->miss_ahead = op->ahead;
    return UDF_MISS;
}
