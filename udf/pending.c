/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/pending.c - see udf/pending.h.
 */
#include "udf/pending.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/blockdev.h"
#include "udf/volume.h"

void udf_pending_free(struct udf_pending *pending) {
    udf_overlay_clear(&pending->blocks);
    free(pending->sent);
    *pending = (struct udf_pending){0};
}

const uint8_t *udf_pending_find(const struct udf_volume *volume, uint32_t lba) {
    const uint8_t *data = udf_overlay_find(&volume->pending.blocks, lba);

    return data ? data : udf_overlay_find(&volume->overlay, lba);
}

/* Whether the block at `lba` can be overwritten at home: the last checkpoint
 * does not refer to it, its content is in memory, and it is what the last
 * commit refers to, or that does not refer to it. Newer content of what is
 * committed must wait, though the journal has the older: a checkpoint before
 * the next commit would empty it. */
static bool can_go(const struct udf_volume *volume, uint32_t lba) {
    const struct udf_space *space;
    uint32_t lbn;

    if (!udf_spaces_find(volume, lba, &space, &lbn) ||
        !udf_space_is_fresh(space, lbn, 1)) {
        return false;
    }
    return udf_overlay_find(&volume->pending.blocks, lba)
               ? !udf_space_is_committed(space, lbn)
               : udf_overlay_find(&volume->overlay, lba) != NULL;
}

/* Whether the packet at `first` may go home now. Blocks come in ascending
 * order as a rule, so the last one is looked for first. */
static bool is_complete(const struct udf_volume *volume, uint32_t first) {
    uint32_t packet = volume->dev->geometry.packet_blocks;

    for (uint32_t i = packet; i > 0; i--) {
        if (!can_go(volume, first + i - 1)) {
            return false;
        }
    }
    return true;
}

static int note_sent(struct udf_pending *pending, uint32_t first,
                     bool in_journal) {
    if (pending->sent_count == pending->sent_room) {
        size_t room = pending->sent_room ? pending->sent_room * 2 : 64;
        struct udf_sent *bigger =
            reallocarray(pending->sent, room, sizeof(*bigger));

        if (!bigger) {
            return -ENOMEM;
        }
        pending->sent = bigger;
        pending->sent_room = room;
    }
    pending->sent[pending->sent_count++] =
        (struct udf_sent){.lba = first, .in_journal = in_journal};
    return 0;
}

static int send(struct udf_volume *volume, uint32_t first) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    bool in_journal = false;
    int error;

    for (uint32_t i = 0; i < packet; i++) {
        in_journal |= udf_overlay_find(&volume->overlay, first + i) != NULL;
    }
    error = note_sent(&volume->pending, first, in_journal);
    for (uint32_t i = 0; !error && i < packet; i++) {
        error = blockdev_write(volume->dev, first + i, 1,
                               udf_pending_find(volume, first + i));
    }
    if (!error) {
        udf_overlay_drop(&volume->pending.blocks, first, packet);
        udf_overlay_drop(&volume->overlay, first, packet);
    }
    return error;
}

int udf_pending_put(struct udf_volume *volume, uint32_t lba,
                    enum udf_overlay_class class, const uint8_t *data) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t first = lba / packet * packet;
    int error;

    if (!udf_journal_is_used(volume) && class == UDF_OVERLAY_DATA) {
        return blockdev_write(volume->dev, lba, 1, data);
    }
    error = udf_overlay_put(&volume->pending.blocks, lba, class, data);
    if (!error && udf_journal_is_used(volume) && is_complete(volume, first)) {
        error = send(volume, first);
    }
    return error;
}

void udf_pending_forget(struct udf_pending *pending, uint32_t lba,
                        uint32_t count) {
    size_t kept = 0;

    udf_overlay_drop(&pending->blocks, lba, count);
    for (size_t i = 0; i < pending->sent_count; i++) {
        if (pending->sent[i].lba < lba || pending->sent[i].lba - lba >= count) {
            pending->sent[kept++] = pending->sent[i];
        }
    }
    pending->sent_count = kept;
}

void udf_pending_synced(struct udf_pending *pending, bool committed) {
    size_t kept = 0;

    for (size_t i = 0; !committed && i < pending->sent_count; i++) {
        if (pending->sent[i].in_journal) {
            pending->sent[kept++] = pending->sent[i];
        }
    }
    pending->sent_count = kept;
}
