/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/commit.h - making durable what a snapshot has made.
 *
 * With a journal: one run takes the blocks that are pending and the checksums
 * of the packets that were sent home since the last synchronisation, and one
 * synchronisation makes the run and the packets durable together. When many
 * packets were sent, so that checking them after a crash would take long, they
 * are synchronised first. A run that does not fit makes a checkpoint of the
 * commit before it necessary.
 *
 * Without one: data, then what is in a new place, then file entries, then
 * directories and their entries, then the bitmap, each on its way before the
 * next (enum udf_overlay_class); then all is synchronised. Every commit is at
 * home at once.
 */
#ifndef UDF_COMMIT_H
#define UDF_COMMIT_H

#include <stdbool.h>

struct udf_volume;

/* Writes the snapshot that is pending. Committing thread, without the volume
 * lock. Returns 0, then it is the last commit, unless *io_moved has become
 * true: bad packets were met, and another snapshot is to be taken; errors of
 * udf_badpacket_sync(), udf_checkpoint(), -ENOMEM. */
int udf_commit_write(struct udf_volume *volume, bool *io_moved);

/* Writes the file data that is pending, when it is so much that it should not
 * wait for the rest: what replaces data in its place may reach the disc before
 * the commit does, and to the other nothing refers yet. Only with a journal.
 * Locks and returns as above. */
int udf_commit_data(struct udf_volume *volume, bool *io_moved);

#endif
