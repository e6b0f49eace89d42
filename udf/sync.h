/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/sync.h - commits: how what changed in memory reaches the disc, and in
 * which order.
 *
 * One thread at a time is the committing thread (it holds `committer`): only
 * it writes to the device, only it changes what is pending and the overlay. A
 * commit goes like this:
 *
 *   1. the LVID is marked OPEN and synchronised, if this is the first change;
 *   2. dirty file data gets its place and goes to the device, in portions,
 *      each under the volume lock for a moment;
 *   3. the snapshot, under the volume lock alone: what data is left, the
 *      directories, the file entries and the space bitmap are encoded and
 *      become pending (udf/pending.h);
 *   4. without the volume lock, what is pending becomes durable
 *      (udf/commit.h);
 *   5. when it is time, what is committed goes home, and space that was freed
 *      may be used again (udf/checkpoint.h).
 *
 * Concurrent callers share one commit when its snapshot comes after their
 * call.
 *
 * A write-out that fails freezes the volume: it turns read-only, keeps what it
 * could not write in memory, and every later commit returns the same error.
 */
#ifndef UDF_SYNC_H
#define UDF_SYNC_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct udf_volume;

struct udf_sync {
    pthread_mutex_t committer;
    pthread_mutex_t state; /* guards what follows */
    pthread_cond_t work;   /* for udf_background() */
    bool wake;
    uint64_t snapshots; /* taken */
    uint64_t durable;   /* the last one that is on the medium */
    int error;          /* why the volume is frozen, or 0 */
    bool opened; /* committing thread: this mount has changed something */
    /* no lock */
    atomic_bool frozen;
    atomic_bool over_half;           /* work was signalled for dirty data */
    atomic_uint_fast64_t changed_ms; /* first change since the last snapshot,
                                        monotonic time; 0 = none */
};

int udf_sync_init(struct udf_sync *sync);
void udf_sync_destroy(struct udf_sync *sync);

/* Notes that something changed. Volume lock alone. */
void udf_sync_note_change(struct udf_volume *volume);

/* Called before a write of data, without locks: waits while more than the
 * budget of data waits for write-back. Returns 0 or the error that froze the
 * volume. */
int udf_sync_throttle_data(struct udf_volume *volume);

/* Called before nodes change, without locks: commits when very many wait to be
 * written, because a commit holds a block for each of them, or more than the
 * journal has room for. Returns as udf_sync_throttle_data(). */
int udf_sync_throttle_nodes(struct udf_volume *volume);

/* Space that was freed can be used again after a commit: when a change failed
 * with -ENOSPC, a commit may help. Called without locks; returns true when the
 * change should be tried once more. *tried begins as false. */
bool udf_sync_make_space(struct udf_volume *volume, int error, bool *tried);

/* Writes the LVID as CLOSE when it is OPEN, after a successful commit. */
int udf_sync_close(struct udf_volume *volume);

/* Turns the volume read-only, for the reason `error` (0: on request). */
void udf_sync_freeze(struct udf_volume *volume, int error);

#endif
