/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/checkpoint.h - bringing home what the journal holds, and emptying it.
 *
 * Overwriting a packet can destroy it as a whole when power fails, with blocks
 * in it that nobody was changing. So, in portions that the rest of the journal
 * has room for, one as a rule:
 *
 *   1. whatever lives in the packets that are about to be overwritten and is
 *      not in the journal yet is read and appended as a run; synchronised. This
 *      run also proves the one before it: what that one's data packets hold
 *      may change from here on;
 *   2. the packets go home in ascending order; synchronised.
 *
 * Then the run that empties the journal is appended and synchronised, and what
 * the last commit does not refer to is free for new use. That makes three
 * synchronisations. A portion's run is not needed any more when its packets are
 * home: the next portion's takes its place.
 *
 * A checkpoint comes when the journal is three quarters full, when a run does
 * not fit, when space is needed, and before the volume is closed; never
 * because nothing happens.
 */
#ifndef UDF_CHECKPOINT_H
#define UDF_CHECKPOINT_H

#include <stdbool.h>

struct udf_volume;

/* Brings the last commit home. `closing`: a CLOSE follows at once and takes
 * the place of the run that empties the journal, and the wear ledger is saved
 * with the last packets, so that the drive need not seek for it. Committing
 * thread, without the volume lock. Returns 0; errors of udf_badpacket_sync()
 * and blockdev_fetch(); -ENOMEM. When *io_moved has become true, something had
 * to leave a bad packet: the journal is as it was, a commit is to be made, and
 * then the checkpoint again. */
int udf_checkpoint(struct udf_volume *volume, bool closing, bool *io_moved);

#endif
