/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/sync.c - see udf/sync.h.
 */
#include "udf/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/anchors.h"
#include "udf/badpacket.h"
#include "udf/checkpoint.h"
#include "udf/commit.h"
#include "udf/dir.h"
#include "udf/file.h"
#include "udf/io.h"
#include "udf/op.h"
#include "udf/sparing.h"
#include "udf/volume.h"

enum {
    PORTION_BLOCKS = 1024, /* data handed over at once: 2 MiB */
    JOURNAL_SHARE = 4,     /* but at most one part in so many of the journal */
    SNAPSHOT_BLOCKS = 512, /* data that may be left for the snapshot */
    SNAPSHOTS_MAX = 64,    /* for one commit, while packets go bad */
    DIRTY_NODES_MAX = 16384, /* 32 MiB of file entries */
    IN_PLACE_SHARE = 2,      /* of a journal, for entries in place */
    DEFAULT_DIRTY_BYTES = 32 << 20,
    DEFAULT_COMMIT_MS = 15000
};

static uint64_t monotonic_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int udf_sync_init(struct udf_sync *sync) {
    pthread_condattr_t attr;
    int error = pthread_mutex_init(&sync->committer, NULL);

    if (!error) {
        error = pthread_mutex_init(&sync->state, NULL);
    }
    if (!error) {
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        error = pthread_cond_init(&sync->work, &attr);
        pthread_condattr_destroy(&attr);
    }
    return -error;
}

void udf_sync_destroy(struct udf_sync *sync) {
    pthread_mutex_destroy(&sync->committer);
    pthread_mutex_destroy(&sync->state);
    pthread_cond_destroy(&sync->work);
}

void udf_sync_note_change(struct udf_volume *volume) {
    uint_fast64_t none = 0;

    atomic_compare_exchange_strong(&volume->sync.changed_ms, &none,
                                   monotonic_ms() | 1);
}

void udf_sync_freeze(struct udf_volume *volume, int error) {
    struct udf_sync *sync = &volume->sync;

    pthread_mutex_lock(&sync->state);
    if (error && !sync->error) {
        sync->error = error;
        mmc_log(MMC_LOG_ERROR,
                "\"%s\" is read-only from now on, because writing failed: %s",
                volume->identity.label, strerror(-error));
    }
    pthread_mutex_unlock(&sync->state);
    atomic_store(&sync->frozen, true);
}

static int sticky_error(struct udf_sync *sync) {
    int error;

    pthread_mutex_lock(&sync->state);
    error = sync->error;
    pthread_mutex_unlock(&sync->state);
    return error;
}

/* ---- data ------------------------------------------------------------- */

static uint64_t dirty_limit(const struct udf_volume *volume) {
    uint64_t bytes = volume->options.dirty_bytes ? volume->options.dirty_bytes
                                                 : DEFAULT_DIRTY_BYTES;

    return bytes / UDF_BLOCK_BYTES;
}

static uint64_t dirty_blocks(struct udf_volume *volume) {
    uint64_t blocks;

    pthread_rwlock_rdlock(&volume->lock);
    blocks = volume->nodes.dirty_blocks;
    pthread_rwlock_unlock(&volume->lock);
    return blocks;
}

/* Hands at most a portion of dirty data to the device. Lock held alone. */
static int hand_over(struct udf_volume *volume, enum udf_writeback mode,
                     uint32_t max_blocks, uint32_t *out_blocks) {
    uint32_t done = 0;
    struct udf_node *node = volume->nodes.dirty_first;

    while (node && done < max_blocks) {
        uint32_t blocks = 0;
        int error = 0;

        if (node->body.dirty.blocks > 0) {
            error = udf_file_write_back(volume, node, mode, max_blocks - done,
                                        &blocks);
        }
        if (error) {
            return error;
        }
        done += blocks;
        node = node->dirty_next;
    }
    *out_blocks = done;
    return 0;
}

/* Blocks of data that are handed over at once, and that may wait for a run: a
 * run of them must fit in the journal. */
static uint32_t portion_blocks(const struct udf_volume *volume) {
    const struct udf_journal_area *area = &volume->journal.area;
    uint32_t share = area->packets * area->packet_blocks / JOURNAL_SHARE;

    return udf_journal_is_used(volume) && share < PORTION_BLOCKS
               ? share
               : PORTION_BLOCKS;
}

/* Gives data that cannot go home to the journal when there is much of it. */
static int relieve_pending(struct udf_volume *volume, bool *io_moved) {
    return udf_journal_is_used(volume) &&
                   volume->pending.blocks.count >= portion_blocks(volume)
               ? udf_commit_data(volume, io_moved)
               : 0;
}

/* Hands data over until at most `target` blocks are left; whole packets as
 * long as there are any. Committing thread, no lock held. */
static int drain(struct udf_volume *volume, uint64_t target) {
    enum udf_writeback mode = UDF_WRITEBACK_PACKETS;

    while (dirty_blocks(volume) > target) {
        uint32_t done = 0, portion = portion_blocks(volume);
        bool moved = false; /* the snapshot comes later */
        int error = udf_badpacket_make_room(volume, portion, &moved);

        if (!error) {
            pthread_rwlock_wrlock(&volume->lock);
            error = hand_over(volume, mode, portion, &done);
            pthread_rwlock_unlock(&volume->lock);
        }
        if (!error) {
            error = relieve_pending(volume, &moved);
        }
        if (error) {
            return error;
        }
        if (done == 0 && mode == UDF_WRITEBACK_ALL) {
            return 0;
        }
        if (done == 0) {
            mode = UDF_WRITEBACK_ALL;
        }
    }
    return 0;
}

/* ---- the commit ------------------------------------------------------- */

/* Encodes one node; its data has its place. */
static int snapshot_node(struct udf_volume *volume, struct udf_node *node) {
    int error =
        node->dir ? udf_dir_write(volume, node) : udf_file_settle(volume, node);

    return error ? error : udf_node_write(volume, node);
}

/* Step 3 of the head of udf/sync.h. An orphan is not written: it has no name
 * on the disc; it stays on the list as long as it has data to hand over. */
static int snapshot(struct udf_volume *volume) {
    struct udf_node *node, *next;
    uint32_t done;
    int error = hand_over(volume, UDF_WRITEBACK_ALL, UINT32_MAX, &done);

    for (node = volume->nodes.dirty_first; !error && node; node = next) {
        next = node->dirty_next;
        if (!node->orphan) {
            error = snapshot_node(volume, node);
        }
        if (!error) {
            udf_node_settled(&volume->nodes, node);
        }
    }
    if (!error) {
        error = udf_spaces_write(volume);
    }
    if (!error) {
        udf_spaces_settle(volume);
        volume->snapshot_counts = udf_integrity_counts(&volume->integrity);
    }
    return error;
}

/* Steps 3 and 4; *out_number is the snapshot's. *out_moved: bad packets were
 * met, and it does not say where everything is. */
static int commit_once(struct udf_volume *volume, uint64_t *out_number,
                       bool *out_moved) {
    struct udf_sync *sync = &volume->sync;
    int error;

    *out_moved = false;
    pthread_rwlock_wrlock(&volume->lock);
    pthread_mutex_lock(&sync->state);
    *out_number = ++sync->snapshots;
    pthread_mutex_unlock(&sync->state);
    volume->nodes.held = true;
    error = snapshot(volume);
    if (!error) {
        atomic_store(&sync->changed_ms, 0);
    }
    pthread_rwlock_unlock(&volume->lock);
    return error ? error : udf_commit_write(volume, out_moved);
}

/* Steps 3 and 4, until no packet turns out to be bad. */
static int commit_all(struct udf_volume *volume) {
    struct udf_sync *sync = &volume->sync;
    uint64_t number = 0;
    bool moved = true;
    int error = 0;

    for (unsigned i = 0; !error && moved && i < SNAPSHOTS_MAX; i++) {
        error = commit_once(volume, &number, &moved);
    }
    if (error || moved) {
        return error ? error : -EIO;
    }
    pthread_mutex_lock(&sync->state);
    sync->durable = number;
    pthread_mutex_unlock(&sync->state);
    return 0;
}

/* Brings the last commit home. What had to leave a bad packet on the way is
 * committed before the rest follows. */
static int bring_home(struct udf_volume *volume, bool closing) {
    bool moved = true;
    int error = 0;

    for (unsigned i = 0; !error && moved && i < SNAPSHOTS_MAX; i++) {
        moved = false;
        error = udf_checkpoint(volume, closing, &moved);
        if (!error && moved) {
            volume->journal.checkpoint = true;
            error = commit_all(volume);
            volume->journal.checkpoint = false;
        }
    }
    return error || !moved ? error : -EIO;
}

/* Whether the journal should be emptied now: it is filling up, or space runs
 * short that only a checkpoint sets free. */
static bool is_checkpoint_due(struct udf_volume *volume) {
    bool due;

    if (!udf_journal_is_used(volume)) {
        return false;
    }
    pthread_rwlock_rdlock(&volume->lock);
    due = udf_journal_is_full(&volume->journal) ||
          (udf_space_held(volume->space) > 0 &&
           udf_space_usable(volume->space) <
               udf_space_reserved(volume->space) + 2 * volume->placement.keep);
    pthread_rwlock_unlock(&volume->lock);
    return due;
}

/* The first change opens the volume, and that is on the medium before anything
 * else; what mounting left unread is read before that, so that the drive need
 * not change between writing and reading. What a crash left in the journal goes
 * home before anything is put where it may still belong. */
static int ensure_open(struct udf_volume *volume) {
    bool first = !volume->sync.opened;
    int error = 0;

    if (first) {
        error = udf_ledger_load(volume);
        if (!error) {
            error = udf_metadata_complete(volume);
        }
        if (error) {
            return error;
        }
        udf_ledger_use(volume);
    }
    volume->integrity.touched = true;
    volume->sync.opened = true;
    if (!volume->integrity.open_on_disc || volume->journal.suspended) {
        pthread_rwlock_wrlock(&volume->lock);
        udf_journal_begin(volume);
        pthread_rwlock_unlock(&volume->lock);
        error = udf_integrity_write(volume, false);
    }
    if (!error && first) {
        error = udf_sparing_mend(volume);
    }
    return error || !volume->journal.replayed ? error
                                              : bring_home(volume, false);
}

/* Steps 1 to 5. Committing thread. */
static int commit(struct udf_volume *volume) {
    int error = ensure_open(volume);

    if (!error) {
        error = drain(volume, SNAPSHOT_BLOCKS);
    }
    if (!error) {
        error = udf_metadata_mend(volume);
    }
    if (!error) {
        error = commit_all(volume);
    }
    if (!error && is_checkpoint_due(volume)) {
        error = bring_home(volume, false);
        if (!error && udf_ledger_is_due(volume)) {
            udf_ledger_save(volume);
        }
    }
    return error;
}

/* A commit, and with `home` a checkpoint after it, also when nothing has
 * changed since the last commit. */
static int commit_now(struct udf_volume *volume, bool home) {
    struct udf_sync *sync = &volume->sync;
    uint64_t wanted, durable;
    int error;

    pthread_mutex_lock(&sync->state);
    wanted = sync->snapshots + 1;
    pthread_mutex_unlock(&sync->state);
    pthread_mutex_lock(&sync->committer);
    pthread_mutex_lock(&sync->state);
    error = sync->error;
    durable = sync->durable;
    pthread_mutex_unlock(&sync->state);
    if (!error && durable < wanted && atomic_load(&sync->changed_ms) != 0) {
        error = commit(volume);
    }
    if (!error && home && udf_journal_is_used(volume)) {
        error = bring_home(volume, false);
    }
    if (error) {
        udf_sync_freeze(volume, error);
    }
    pthread_mutex_unlock(&sync->committer);
    return error;
}

int udf_commit(struct udf_volume *volume) {
    udf_op_will_wait(volume);
    return commit_now(volume, false);
}

/* ---- pressure and time ------------------------------------------------ */

/* Brings dirty data down to a quarter of its budget. */
static int relieve(struct udf_volume *volume) {
    struct udf_sync *sync = &volume->sync;
    int error;

    pthread_mutex_lock(&sync->committer);
    error = sticky_error(sync);
    if (!error && dirty_blocks(volume) > dirty_limit(volume) / 4) {
        error = ensure_open(volume);
        if (!error) {
            error = drain(volume, dirty_limit(volume) / 4);
        }
        if (error) {
            udf_sync_freeze(volume, error);
        }
    }
    atomic_store(&sync->over_half, false);
    pthread_mutex_unlock(&sync->committer);
    return error;
}

int udf_sync_throttle_data(struct udf_volume *volume) {
    uint64_t limit = dirty_limit(volume), blocks = dirty_blocks(volume);

    if (blocks > limit) {
        udf_op_will_wait(volume);
        return relieve(volume);
    }
    if (blocks > limit / 2 && !atomic_exchange(&volume->sync.over_half, true)) {
        udf_wake(volume);
    }
    return 0;
}

int udf_sync_throttle_nodes(struct udf_volume *volume) {
    const struct udf_nodes *nodes = &volume->nodes;
    bool many;

    pthread_rwlock_rdlock(&volume->lock);
    many = nodes->dirty_count > DIRTY_NODES_MAX ||
           (!volume->options.no_journal &&
            nodes->in_place_count >
                udf_journal_capacity(&volume->journal) / IN_PLACE_SHARE);
    pthread_rwlock_unlock(&volume->lock);
    return many ? udf_commit(volume) : 0;
}

bool udf_sync_make_space(struct udf_volume *volume, int error, bool *tried) {
    uint32_t held;

    if (error != -ENOSPC || *tried) {
        return false;
    }
    *tried = true;
    pthread_rwlock_rdlock(&volume->lock);
    held = udf_spaces_held(volume);
    pthread_rwlock_unlock(&volume->lock);
    udf_op_will_wait(volume);
    return held > 0 && commit_now(volume, true) == 0;
}

void udf_wake(struct udf_volume *volume) {
    pthread_mutex_lock(&volume->sync.state);
    volume->sync.wake = true;
    pthread_cond_broadcast(&volume->sync.work);
    pthread_mutex_unlock(&volume->sync.state);
}

static void wait_for_work(struct udf_sync *sync, uint32_t timeout_ms) {
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&sync->state);
    while (!sync->wake &&
           pthread_cond_timedwait(&sync->work, &sync->state, &until) == 0) {
    }
    sync->wake = false;
    pthread_mutex_unlock(&sync->state);
}

int udf_background(struct udf_volume *volume, uint32_t timeout_ms) {
    struct udf_sync *sync = &volume->sync;
    uint32_t interval = volume->options.commit_ms ? volume->options.commit_ms
                                                  : DEFAULT_COMMIT_MS;
    uint64_t changed;

    wait_for_work(sync, timeout_ms);
    if (sticky_error(sync)) {
        return 0; /* whoever asks for a commit is told */
    }
    if (atomic_load(&sync->over_half)) {
        int error = relieve(volume);

        if (error) {
            return error;
        }
    }
    /* However busy the writers are, what is old gets committed. */
    changed = atomic_load(&sync->changed_ms);
    if (changed != 0 && monotonic_ms() >= changed + interval) {
        return commit_now(volume, false);
    }
    return 0;
}

void udf_freeze(struct udf_volume *volume) {
    udf_sync_freeze(volume, 0);
}

/* The medium may have been formatted to its end since the volume was made. The
 * volume is whole without those anchors: not writing them is no failure. */
static void complete_anchors(struct udf_volume *volume) {
    int error = udf_anchors_complete(volume);

    if (error) {
        mmc_log(MMC_LOG_WARN, "the anchors at the end are not written: %s",
                strerror(-error));
    }
}

/* Everything home, and then CLOSE. */
static int close_volume(struct udf_volume *volume) {
    int error = 0;

    if (udf_journal_is_used(volume)) {
        error = bring_home(volume, true);
    } else {
        udf_ledger_save(volume);
    }
    if (error) {
        return error;
    }
    complete_anchors(volume);
    pthread_rwlock_wrlock(&volume->lock);
    udf_journal_end(volume);
    pthread_rwlock_unlock(&volume->lock);
    error = udf_integrity_write(volume, true);
    if (error == -EIO && udf_ledger_give_up_all(volume)) {
        error = udf_integrity_write(volume, true);
    }
    return error;
}

int udf_sync_close(struct udf_volume *volume) {
    int error;

    pthread_mutex_lock(&volume->sync.committer);
    error = sticky_error(&volume->sync);
    if (!error && volume->integrity.touched) {
        error = close_volume(volume);
    }
    pthread_mutex_unlock(&volume->sync.committer);
    return error;
}
