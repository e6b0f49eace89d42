/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/tree_priv.h - what udf/tree.c and udf/rename.c share.
 */
#ifndef UDF_TREE_PRIV_H
#define UDF_TREE_PRIV_H

#include "udf/dir.h"
#include "udf/node.h"
#include "udf/op.h"

/* What a link count can hold, with a stream directory. */
enum { UDF_LINKS_MAX = UINT16_MAX - 1 };

/* Gets directory `ino` with its index loaded. */
int udf_tree_dir(struct udf_op *op, uint64_t ino, struct udf_node **out_dir);

/* The same for a change of `name` in it: -EINVAL for "." and ".."; -ENOENT
 * when the directory itself was removed; -EROFS when it cannot change. */
int udf_tree_dir_to_change(struct udf_op *op, uint64_t ino,
                           const struct udf_name *name,
                           struct udf_node **out_dir);

/* What a FID that leads to `node` says. */
struct udf_dir_target udf_tree_target(const struct udf_node *node,
                                      uint64_t unique_id);

/* Changes the volume's count of names of the node's kind. */
void udf_tree_count(struct udf_volume *volume, const struct udf_node *node,
                    int change);

/* Whether a name of `node` may be removed as a directory or as a file, and
 * what is freed with its last name is in memory: 0; -EISDIR; -ENOTDIR;
 * -ENOTEMPTY; -EPERM for what nobody may remove; -EROFS for what cannot change;
 * UDF_MISS. */
int udf_tree_check_removal(struct udf_op *op, struct udf_node *node,
                           bool directory);

/* Accounts for a name of `node` that left `dir`. The node may be gone
 * afterwards. */
void udf_tree_drop_name(struct udf_op *op, struct udf_node *dir,
                        struct udf_node *node);

#endif
