/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/tree.h - names: creating, linking, removing and renaming as whole
 * operations on nodes. Each loads all it needs first (UDF_MISS until then) and
 * only then changes anything. The volume lock is held alone for those that
 * change something.
 *
 * Counting: a directory's link count is the number of FIDs that name it, its
 * children's parent FIDs included; the volume's counts of files and
 * directories count names (UDF 2.60 2.2.6.4).
 */
#ifndef UDF_TREE_H
#define UDF_TREE_H

#include "udf/node.h"
#include "udf/op.h"
#include "udf/udf.h"

/* As udf_lookup(), without the reference. Shared lock. */
int udf_tree_lookup(struct udf_op *op, uint64_t parent,
                    const struct udf_name *name, struct udf_node **out_node);

/* As udf_create(), without the reference. */
int udf_tree_create(struct udf_op *op, uint64_t parent,
                    const struct udf_name *name, const struct udf_make *make,
                    const struct udf_cred *cred, struct udf_node **out_node);

/* As udf_link(), without the reference. */
int udf_tree_link(struct udf_op *op, uint64_t ino, uint64_t parent,
                  const struct udf_name *name, struct udf_node **out_node);

/* As udf_unlink() and udf_rmdir(). */
int udf_tree_remove(struct udf_op *op, uint64_t parent,
                    const struct udf_name *name, bool directory);

/* As udf_rename(). */
int udf_tree_rename(struct udf_op *op, const struct udf_place *from,
                    const struct udf_place *to, unsigned flags);

#endif
