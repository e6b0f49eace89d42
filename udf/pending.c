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
 * does not refer to it, and it will be what the last commit refers to, or that
 * does not refer to it. Newer content of what is committed must wait, though
 * the journal has the older: a checkpoint before the next commit would empty
 * it. `newer`: the content is newer than the last commit, or else there must
 * be one that it left. */
static bool can_go(const struct udf_volume *volume, uint32_t lba, bool newer) {
    const struct udf_space *space;
    uint32_t lbn;

    if (!udf_spaces_find(volume, lba, &space, &lbn) ||
        !udf_space_is_fresh(space, lbn, 1)) {
        return false;
    }
    return newer ? !udf_space_is_committed(space, lbn)
                 : udf_overlay_find(&volume->overlay, lba) != NULL;
}

/* The same for what is known of the block. */
static bool can_go_now(const struct udf_volume *volume, uint32_t lba) {
    return can_go(volume, lba,
                  udf_overlay_find(&volume->pending.blocks, lba) != NULL);
}

/* Whether the packet at `first` may go home now. Blocks come in ascending
 * order as a rule, so the last one is looked for first. */
static bool is_complete(const struct udf_volume *volume, uint32_t first) {
    uint32_t packet = volume->dev->geometry.packet_blocks;

    for (uint32_t i = packet; i > 0; i--) {
        if (!can_go_now(volume, first + i - 1)) {
            return false;
        }
    }
    return true;
}

/* Blocks of the whole packets that `count` new blocks at `lba` begin with and
 * that may go home now. */
static uint32_t complete_blocks(const struct udf_volume *volume, uint32_t lba,
                                uint32_t count) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t fit = 0;

    if (lba % packet != 0) {
        return 0;
    }
    while (fit < count && can_go(volume, lba + fit, true)) {
        fit++;
    }
    return fit - fit % packet;
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

/* Sends a block home; one without content holds nothing. */
static int send_block(struct udf_volume *volume, uint32_t lba,
                      const uint8_t *data) {
    static const uint8_t zeros[UDF_BLOCK_BYTES];
    int error = blockdev_write(volume->dev, lba, 1, data ? data : zeros);

    if (!error && !data) {
        blockdev_mark(volume->dev, lba, 1, false);
    }
    return error;
}

static int note_packet(struct udf_volume *volume, uint32_t first) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    bool in_journal = false;

    for (uint32_t i = 0; i < packet; i++) {
        in_journal |= udf_overlay_find(&volume->overlay, first + i) != NULL;
    }
    return note_sent(&volume->pending, first, in_journal);
}

/* They have gone home. */
static void drop(struct udf_volume *volume, uint32_t lba, uint32_t count) {
    udf_overlay_drop(&volume->pending.blocks, lba, count);
    udf_overlay_drop(&volume->overlay, lba, count);
}

/* Sends the packet at `first`, which is complete. */
static int send(struct udf_volume *volume, uint32_t first) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    int error = note_packet(volume, first);

    for (uint32_t i = 0; !error && i < packet; i++) {
        error =
            send_block(volume, first + i, udf_pending_find(volume, first + i));
    }
    if (!error) {
        drop(volume, first, packet);
    }
    return error;
}

/* Sends whole packets of new blocks. */
static int send_new(struct udf_volume *volume, uint32_t lba, uint32_t count,
                    const uint8_t *data) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    int error = 0;

    for (uint32_t i = 0; !error && i < count; i += packet) {
        error = note_packet(volume, lba + i);
    }
    if (!error) {
        error = blockdev_write(volume->dev, lba, count, data);
    }
    if (!error) {
        drop(volume, lba, count);
    }
    return error;
}

int udf_pending_put(struct udf_volume *volume, uint32_t lba,
                    enum udf_overlay_class class, const uint8_t *data) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t first = lba / packet * packet;
    int error;

    error = udf_overlay_put(&volume->pending.blocks, lba, class, data);
    if (!error && udf_journal_is_used(volume) && is_complete(volume, first)) {
        error = send(volume, first);
    }
    return error;
}

int udf_pending_put_data(struct udf_volume *volume, uint32_t lba,
                         uint32_t count, const uint8_t *data) {
    int error = 0;

    if (!udf_journal_is_used(volume)) {
        return blockdev_write(volume->dev, lba, count, data);
    }
    while (!error && count > 0) {
        uint32_t taken = complete_blocks(volume, lba, count);

        if (taken > 0) {
            error = send_new(volume, lba, taken, data);
        } else {
            taken = 1;
            error = udf_pending_put(volume, lba, UDF_OVERLAY_DATA, data);
        }
        lba += taken;
        count -= taken;
        data += (size_t)taken * UDF_BLOCK_BYTES;
    }
    return error;
}

/* Whether the block at `lba` holds nothing, now and for all that a power cut
 * could bring back. */
static bool is_empty(const struct udf_volume *volume, uint32_t lba) {
    const struct udf_space *space;
    uint32_t lbn;

    return udf_spaces_find(volume, lba, &space, &lbn) &&
           udf_space_is_fresh(space, lbn, 1) &&
           !udf_space_is_committed(space, lbn) &&
           !udf_space_is_wanted(space, lbn) &&
           !udf_space_in_snapshot(space, lbn) && !udf_pending_find(volume, lba);
}

/* Whether the packet at `first` may go home as it is: what it lacks holds
 * nothing. */
static bool is_fresh(const struct udf_volume *volume, uint32_t first) {
    uint32_t packet = volume->dev->geometry.packet_blocks;

    for (uint32_t i = 0; i < packet; i++) {
        if (!can_go_now(volume, first + i) && !is_empty(volume, first + i)) {
            return false;
        }
    }
    return true;
}

static bool was_sent(const struct udf_pending *pending, uint32_t first) {
    for (size_t i = pending->sent_count; i > 0; i--) {
        if (pending->sent[i - 1].lba == first) {
            return true;
        }
    }
    return false;
}

/* Whether it costs no seek more to send the packet of `count` pending blocks
 * now: content is alone where it is, but directories and entries lie among
 * others that a checkpoint writes. */
static bool is_on_the_way(const struct udf_volume *volume,
                          const struct udf_overlay_block *const *list,
                          size_t count) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t first = list[0]->lba / packet * packet;

    for (size_t i = 0; i < count; i++) {
        if (list[i]->class != UDF_OVERLAY_DATA) {
            return first >= packet &&
                   was_sent(&volume->pending, first - packet);
        }
    }
    return true;
}

int udf_pending_send_fresh(struct udf_volume *volume) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    const struct udf_overlay_block **list;
    size_t at = 0, count;
    int error = udf_overlay_list(&volume->pending.blocks, UDF_OVERLAY_CLASSES,
                                 &list, &count);

    if (error) {
        return error;
    }
    while (!error && at < count) {
        uint32_t first = list[at]->lba / packet * packet;
        size_t from = at;

        while (at < count && list[at]->lba - first < packet) {
            at++;
        }
        /* Takes away what the list names before `at`. */
        if (is_on_the_way(volume, list + from, at - from) &&
            is_fresh(volume, first)) {
            error = send(volume, first);
        }
    }
    free(list);
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
