/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/perform.h - carries out a public operation: the turns of udf/op.h, and
 * what a change may have to wait for. The functions of udf/udf.h are made of
 * this; nobody else calls it.
 */
#ifndef UDF_PERFORM_H
#define UDF_PERFORM_H

struct udf_op;
struct udf_volume;

/* One turn of an operation, as udf/op.h wants it; `context` has what goes in
 * and comes out. */
typedef int udf_work(struct udf_op *op, void *context);

/* An operation that changes nothing on the disc: begins with the shared lock.
 * Called without locks. Returns what `work` returned last, never UDF_MISS; or
 * what fetching failed with. */
int udf_perform_read(struct udf_volume *volume, udf_work *work, void *context);

/* An operation that changes something: has the lock alone. Before it, as many
 * changed nodes are committed as a commit has room for; between its turns the
 * names of files in doubt are counted (udf/names.h); and when there was no
 * space it is done once more after a checkpoint has set free what was held.
 * Called without locks. Returns what `work` returned last, never UDF_MISS or
 * UDF_DOUBT; -EROFS when the volume cannot be written; or what fetching,
 * counting or the commit failed with. */
int udf_perform_change(struct udf_volume *volume, udf_work *work,
                       void *context);

/* The same, for an operation that leaves data waiting to be written: waits as
 * well while more of it waits than may. */
int udf_perform_write(struct udf_volume *volume, udf_work *work, void *context);

#endif
