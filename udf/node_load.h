/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/node_load.h - a node's file entry, and all that its content is made of,
 * from the disc; for udf/node.c only.
 *
 * A list of extents may go on in thousands of blocks all over the disc, and an
 * operation that misses a block starts again. What was loaded until then is
 * kept, so that the next turn goes on with the block that was missing.
 */
#ifndef UDF_NODE_LOAD_H
#define UDF_NODE_LOAD_H

#include "udf/node.h"
#include "udf/op.h"

struct udf_node_loading;

/* Begins to load `node`, of which only `icb` is set. NULL: no memory. */
struct udf_node_loading *udf_node_loading_new(struct udf_node *node);

/* Goes on. Returns 0 when the node is complete; UDF_MISS; or why it cannot be
 * loaded: -EUCLEAN, -EIO, -ENOMEM. Lock held alone. */
int udf_node_loading_go(struct udf_op *op, struct udf_node_loading *loading);

struct udf_node *udf_node_loading_node(const struct udf_node_loading *loading);

/* Frees what it knows, not the node; NULL is accepted. */
void udf_node_loading_free(struct udf_node_loading *loading);

#endif
