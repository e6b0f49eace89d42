/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/commit.c - see udf/commit.h.
 */
#include "udf/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/badpacket.h"
#include "udf/checkpoint.h"
#include "udf/io.h"
#include "udf/volume.h"

/* What a run is made of. */
enum content {
    SNAPSHOT, /* all that is pending */
    DATA      /* file data: it may reach the disc before the rest */
};

/* ---- with a journal --------------------------------------------------- */

/* Whether the snapshot refers to the block, or a file without a name: its data
 * is still read. */
static bool in_snapshot(const struct udf_volume *volume, uint32_t lba) {
    const struct udf_space *space;
    uint32_t lbn;

    return !udf_spaces_find(volume, lba, &space, &lbn) ||
           udf_space_in_snapshot(space, lbn);
}

/* Takes blocks out of the transaction that were freed again before its end; in
 * the last commit also those that need not wait for anything any more. */
static int drop_unwanted(struct udf_volume *volume) {
    const struct udf_overlay_block **list;
    size_t count;
    int error = udf_overlay_list(&volume->pending.blocks, UDF_OVERLAY_CLASSES,
                                 &list, &count);

    if (error) {
        return error;
    }
    pthread_rwlock_wrlock(&volume->lock);
    for (size_t i = 0; i < count; i++) {
        if (!in_snapshot(volume, list[i]->lba)) {
            udf_overlay_drop(&volume->pending.blocks, list[i]->lba, 1);
        }
    }
    if (volume->journal.closing) {
        error = udf_pending_send_fresh(volume);
    }
    pthread_rwlock_unlock(&volume->lock);
    free(list);
    return error;
}

/* Names a packet that was sent home. */
static int add_sent(struct udf_volume *volume, struct udf_run *run,
                    const struct udf_sent *sent, bool synced) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    size_t bytes = (size_t)packet * UDF_BLOCK_BYTES;
    uint8_t *image = malloc(bytes);
    enum udf_run_kind kind = UDF_RUN_HOME;
    uint64_t sum = 0;

    if (!image) {
        return -ENOMEM;
    }
    /* One that cannot be read was synchronised: until it is, the device has it
     * in memory. */
    if (!synced && udf_io_load(volume, sent->lba, packet, image) == 0) {
        kind = UDF_RUN_PACKET;
        sum = udf_run_sum(image, bytes);
    }
    free(image);
    return kind == UDF_RUN_PACKET || sent->in_journal
               ? udf_run_add_packet(run, sent->lba, kind, sum)
               : 0;
}

/* Whether it is known what lies at home: the last checkpoint refers to it, and
 * nothing has taken its place in the journal. */
static bool is_known(const struct udf_volume *volume, uint32_t lba) {
    const struct udf_space *space;
    uint32_t lbn;

    return !udf_overlay_find(&volume->overlay, lba) &&
           !(udf_spaces_find(volume, lba, &space, &lbn) &&
             udf_space_is_fresh(space, lbn, 1));
}

static int add_block(const struct udf_volume *volume, struct udf_run *run,
                     const struct udf_overlay_block *block) {
    uint8_t home[UDF_BLOCK_BYTES];
    bool known = is_known(volume, block->lba) &&
                 blockdev_read_cached(volume->dev, block->lba, 1, home) == 0;

    return udf_run_add_block(run, block->lba, block->data, known ? home : NULL);
}

static int make_run(struct udf_volume *volume, struct udf_run *run,
                    enum content content, bool synced) {
    const struct udf_pending *pending = &volume->pending;
    const struct udf_overlay_block **list;
    size_t count;
    int error = udf_overlay_list(&pending->blocks,
                                 content == DATA ? UDF_OVERLAY_DATA
                                                 : UDF_OVERLAY_CLASSES,
                                 &list, &count);

    if (error) {
        return error;
    }
    for (size_t i = 0; !error && i < pending->sent_count; i++) {
        error = add_sent(volume, run, &pending->sent[i], synced);
    }
    pthread_rwlock_rdlock(&volume->lock);
    for (size_t i = 0; !error && i < count; i++) {
        error = add_block(volume, run, list[i]);
    }
    pthread_rwlock_unlock(&volume->lock);
    free(list);
    return error;
}

static bool fits(const struct udf_journal *journal, const struct udf_run *run) {
    return udf_run_blocks(run->head.entries, run->head.contents) <=
           udf_journal_room(journal, udf_journal_spare(journal));
}

/* Empties the journal, and makes the run anew: nothing that it named is on its
 * way any more. */
static int remake(struct udf_volume *volume, struct udf_run *run,
                  enum content content, bool *io_moved) {
    int error = udf_checkpoint(volume, false, io_moved);

    udf_run_clear(run);
    return error || *io_moved ? error : make_run(volume, run, content, true);
}

/* Makes the journal, which is empty, long enough for the run, in another place.
 * -EMSGSIZE: there is none. */
static int lengthen(struct udf_volume *volume, const struct udf_run *run) {
    int error = udf_journal_lengthen(
        volume, udf_run_blocks(run->head.entries, run->head.contents));

    return error == -ENOSPC ? -EMSGSIZE : error;
}

/* Puts the run together, after making room for it when that is needed. Returns
 * as lengthen(). */
static int prepare(struct udf_volume *volume, struct udf_run *run,
                   enum content content, bool *io_moved) {
    bool synced = volume->pending.sent_count > UDF_RUN_PACKETS_MAX;
    int error = synced ? udf_badpacket_sync(volume, io_moved)
                       : udf_badpacket_write_out(volume, io_moved);

    if (!error && !*io_moved) {
        error = make_run(volume, run, content, synced);
    }
    if (error || *io_moved || fits(&volume->journal, run)) {
        return error;
    }
    error = remake(volume, run, content, io_moved);
    return error || *io_moved || fits(&volume->journal, run)
               ? error
               : lengthen(volume, run);
}

/* Appends the run; one without entries has nothing to say. */
static int append(struct udf_volume *volume, struct udf_run *run,
                  enum content content, bool *io_moved) {
    if (content == SNAPSHOT) {
        volume->counts = volume->snapshot_counts;
    }
    return run->head.entries > 0
               ? udf_journal_append(
                     volume, run, udf_journal_spare(&volume->journal), io_moved)
               : udf_badpacket_sync(volume, io_moved);
}

/* Appends what is pending to the journal. Returns as lengthen(). */
static int write_run(struct udf_volume *volume, enum content content,
                     bool *io_moved) {
    struct udf_run run = {0};
    int error = prepare(volume, &run, content, io_moved);

    if (!error && !*io_moved) {
        error = append(volume, &run, content, io_moved);
    }
    /* There is room, but not in one piece: packets of it are bad. */
    if (error == -ENOSPC && !*io_moved) {
        error = remake(volume, &run, content, io_moved);
        if (!error && !*io_moved) {
            error = append(volume, &run, content, io_moved);
        }
    }
    if (error == -ENOSPC && !*io_moved) {
        error = lengthen(volume, &run);
        if (!error) {
            error = append(volume, &run, content, io_moved);
        }
    }
    udf_run_clear(&run);
    return error == -ENOSPC ? -EIO : error;
}

int udf_commit_data(struct udf_volume *volume, bool *io_moved) {
    int error = write_run(volume, DATA, io_moved);

    if (error || *io_moved) {
        return error == -EMSGSIZE ? 0 : error; /* then it waits */
    }
    pthread_rwlock_wrlock(&volume->lock);
    error = udf_overlay_merge_class(&volume->pending.blocks, UDF_OVERLAY_DATA,
                                    &volume->overlay);
    udf_pending_synced(&volume->pending, true);
    pthread_rwlock_unlock(&volume->lock);
    return error;
}

/* ---- without one ------------------------------------------------------ */

static int write_class(struct udf_volume *volume, enum udf_overlay_class class,
                       bool *io_moved) {
    const struct udf_overlay_block **list;
    size_t count;
    int error = udf_overlay_list(&volume->pending.blocks, class, &list, &count);

    if (error) {
        return error;
    }
    for (size_t i = 0; !error && i < count; i++) {
        error = blockdev_write(volume->dev, list[i]->lba, 1, list[i]->data);
    }
    free(list);
    if (!error && count > 0) {
        error = udf_badpacket_write_out(volume, io_moved);
    }
    return error;
}

/* When something had to move, there is no point in going on. */
static int write_ordered(struct udf_volume *volume, bool *io_moved) {
    int error = udf_badpacket_write_out(volume, io_moved);

    for (unsigned i = 0; !error && !*io_moved && i < UDF_OVERLAY_CLASSES; i++) {
        error = write_class(volume, (enum udf_overlay_class)i, io_moved);
    }
    return error || *io_moved ? error : udf_badpacket_sync(volume, io_moved);
}

/* The snapshot is larger than any journal that finds room. */
static int write_unprotected(struct udf_volume *volume, bool *io_moved) {
    int error = udf_journal_leave(volume);

    mmc_log(MMC_LOG_NOTICE,
            "\"%s\": this commit is too large for a journal: ordered writes; "
            "a power cut now can damage what shares a packet with it",
            volume->identity.label);
    return error ? error : write_ordered(volume, io_moved);
}

/* ---- the commit ------------------------------------------------------- */

static int write_snapshot(struct udf_volume *volume, bool *io_moved) {
    int error;

    if (!udf_journal_is_used(volume)) {
        return write_ordered(volume, io_moved);
    }
    error = drop_unwanted(volume);
    if (!error) {
        error = write_run(volume, SNAPSHOT, io_moved);
    }
    return error == -EMSGSIZE ? write_unprotected(volume, io_moved) : error;
}

int udf_commit_write(struct udf_volume *volume, bool *io_moved) {
    int error = write_snapshot(volume, io_moved);
    bool journal = udf_journal_is_used(volume);

    if (error || *io_moved) {
        return error;
    }
    pthread_rwlock_wrlock(&volume->lock);
    if (journal) {
        error = udf_overlay_merge(&volume->pending.blocks, &volume->overlay);
    } else {
        udf_overlay_clear(&volume->pending.blocks);
    }
    udf_pending_synced(&volume->pending, true);
    udf_spaces_commit(volume);
    volume->nodes.held = false;
    pthread_rwlock_unlock(&volume->lock);
    return error || journal ? error : udf_checkpoint(volume, false, io_moved);
}
