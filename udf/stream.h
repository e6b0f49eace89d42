/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/stream.h - what hangs from a file or directory beside its content: the
 * stream directory with its named streams, and the file of extended
 * attributes. ECMA-167 4/9, 4/14.9.6, 4/14.17; UDF 2.60 3.3.5.
 *
 *     owner (EFE) --stream directory ICB--> stream directory (type 13)
 *       |   ^                                  |  parent FID: the owner
 *       |   '----------------------------------'  FID: a stream (STREAM flag)
 *       '--EA ICB--> file of attributes (type 8)
 *
 * All of these are nodes like others, found by the addresses of their ICBs. No
 * name of the tree leads to them, so they live and die with their owner:
 *
 *  1. A stream directory belongs to the node that its parent FID names, and is
 *     left alone by any other that refers to it.
 *  2. Those of an owner that lost its last name are orphans as it is, and are
 *     freed with it.
 *  3. owner->kept.stream_bytes is the length of all streams together.
 *
 * Locks as for nodes: finding needs the volume lock shared, changing alone.
 * Functions with a struct udf_op may return UDF_MISS, having changed nothing.
 */
#ifndef UDF_STREAM_H
#define UDF_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/dir.h"
#include "udf/node.h"
#include "udf/op.h"
#include "udf/udf.h"

/* The owner's stream directory, its index loaded. Returns 0; -ENODATA when
 * there is none; -EUCLEAN when it is not the owner's. */
int udf_stream_dir(struct udf_op *op, struct udf_node *owner,
                   struct udf_node **out_dir);

/* The stream that a name in `dir` leads to. Returns 0; -EUCLEAN when it is no
 * stream. */
int udf_stream_load(struct udf_op *op, const struct udf_dir_entry *entry,
                    struct udf_node **out_stream);

/* A stream as it shall be. */
struct udf_stream_value {
    struct udf_name name;
    const void *bytes;
    uint32_t count;
    bool metadata; /* of an implementation's, not of the user's */
};

/* Gives `owner` the stream `value`, in the place of `old` (an entry of its
 * stream directory) unless that is NULL. A plain file entry becomes an extended
 * one. The old content stays until the new one is complete. Returns 0;
 * -EOPNOTSUPP in volumes below UDF 2.00; -ENOSPC; -ENAMETOOLONG; -EILSEQ;
 * -EINVAL for a name that UDF cannot hold; -EUCLEAN; -ENOMEM. */
int udf_stream_put(struct udf_op *op, struct udf_node *owner,
                   const struct udf_dir_entry *old,
                   const struct udf_stream_value *value);

/* Removes a stream, and the stream directory when it was the last one. Needs
 * no space. */
int udf_stream_remove(struct udf_op *op, struct udf_node *owner,
                      const struct udf_dir_entry *entry);

/* ---- the owner's end ---------------------------------------------------- */

/* Brings all that hangs from `owner` into memory and keeps it there until the
 * operation ends; for one owner in an operation. What is damaged is left out.
 * Returns 0; UDF_MISS; -ENOMEM; or what makes the whole device useless. */
int udf_stream_hold(struct udf_op *op, struct udf_node *owner);

/* Calls `visit` for every node that hangs from `owner` and is in memory, a
 * stream directory after its streams. `visit` may free the node. */
typedef void udf_stream_visitor(void *context, struct udf_node *node);
void udf_stream_each(struct udf_volume *volume, const struct udf_node *owner,
                     udf_stream_visitor *visit, void *context);

/* The owner has become an orphan: so do its streams. Lock alone. */
void udf_stream_orphan(struct udf_volume *volume, const struct udf_node *owner);

/* The owner is about to be freed: so are its streams. Lock alone. */
void udf_stream_release(struct udf_volume *volume,
                        const struct udf_node *owner);

#endif
