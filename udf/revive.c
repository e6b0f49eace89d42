/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/revive.c - goes on with a volume whose disc was out of the drive. See
 * udf/udf.h.
 *
 * The device knows the medium again by what the drive says of it and by what
 * was on it; the volume by its last LVID, which carries the time, to the
 * microsecond, at which this mount made it. Whoever wrote to the disc meanwhile
 * has left another one.
 */
#include "udf/udf.h"

#include <errno.h>

#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/io.h"
#include "udf/volume.h"

/* Accepts changes again if it was a lost disc that froze the volume. */
static bool thaw(struct udf_volume *volume) {
    struct udf_sync *sync = &volume->sync;
    bool thawed;

    pthread_mutex_lock(&sync->state);
    thawed = udf_io_is_fatal(sync->error) || sync->error == -EIO;
    if (thawed) {
        sync->error = 0;
        atomic_store(&sync->frozen, false);
    }
    pthread_mutex_unlock(&sync->state);
    return thawed;
}

int udf_revive(struct udf_volume *volume) {
    bool thawed = false;
    int error;

    pthread_mutex_lock(&volume->sync.committer);
    error = blockdev_revive(volume->dev);
    if (!error) {
        error = udf_integrity_recognise(volume);
    }
    if (error == -ENOMEDIUM) {
        mmc_log(MMC_LOG_ERROR,
                "the disc in the drive is not the one with \"%s\", or was "
                "changed elsewhere",
                volume->identity.label);
    }
    if (!error) {
        thawed = thaw(volume);
    }
    pthread_mutex_unlock(&volume->sync.committer);
    if (!thawed) {
        return error;
    }
    mmc_log(MMC_LOG_NOTICE, "\"%s\" is back: writing what was kept in memory",
            volume->identity.label);
    udf_sync_note_change(volume);
    return udf_commit(volume);
}
