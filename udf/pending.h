/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/pending.h - what the open transaction has made, on its way to the disc.
 *
 * A packet may go home outside a checkpoint only if a power cut in the middle
 * of it can destroy nothing: the last checkpoint refers to none of its blocks,
 * and whatever the last commit refers to in it is in the journal. So a block
 * waits here until its packet is complete in memory (udf/overlay.h, this one
 * and the committed one together) and then goes home with it, unread; else
 * the journal takes it with the next commit. Fresh data and new file entries
 * go home that way, a tail rides in the journal until its packet is full or the
 * volume is closed.
 *
 * Invariants:
 *  1. `sent` lists every packet that went home since the last synchronisation
 *     of the device that this file was told of (udf_pending_synced()).
 *  2. A sent packet's blocks are in no overlay: the device has them.
 *
 * Without a journal, data goes to the device at once, and metadata waits for
 * the order of the commit.
 *
 * Locks: the volume lock alone, by the committing thread; without the lock the
 * committing thread may read.
 */
#ifndef UDF_PENDING_H
#define UDF_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "udf/overlay.h"

struct udf_volume;

struct udf_sent {
    uint32_t lba;    /* of the packet */
    bool in_journal; /* earlier runs hold blocks of it */
};

struct udf_pending {
    struct udf_overlay blocks;
    struct udf_sent *sent;
    size_t sent_count, sent_room;
};

void udf_pending_free(struct udf_pending *pending);

/* Takes one block for `lba`; not data without a journal. Returns 0; -ENOMEM;
 * errors of blockdev_write(). */
int udf_pending_put(struct udf_volume *volume, uint32_t lba,
                    enum udf_overlay_class class, const uint8_t *data);

/* Takes `count` blocks of file data for `lba` on: what fills whole packets goes
 * home at once. Errors as above. */
int udf_pending_put_data(struct udf_volume *volume, uint32_t lba,
                         uint32_t count, const uint8_t *data);

/* Sends home packets that are not full, and will not be: the volume is closed
 * next. Only those in which a power cut can destroy nothing; so they need no
 * place in the journal, and are written where the drive is with the data before
 * them. The rest of such a packet is filled with zeros. Returns as
 * udf_pending_put(). */
int udf_pending_send_fresh(struct udf_volume *volume);

/* The newest content of the block at `lba`, pending or committed, or NULL when
 * it is at home. */
const uint8_t *udf_pending_find(const struct udf_volume *volume, uint32_t lba);

/* `count` blocks from `lba` do not go there any more: forgets them, and the
 * packet if it was sent. */
void udf_pending_forget(struct udf_pending *pending, uint32_t lba,
                        uint32_t count);

/* The device was synchronised: sent packets are at home. Those that the
 * journal knows stay listed until `committed`, because the next run must
 * overrule the earlier ones. */
void udf_pending_synced(struct udf_pending *pending, bool committed);

#endif
