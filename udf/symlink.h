/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/symlink.h - symbolic links: a file whose content is a pathname in path
 * components. ECMA-167 4/8.7, 4/14.16.
 */
#ifndef UDF_SYMLINK_H
#define UDF_SYMLINK_H

#include <stdint.h>

#include "udf/node.h"
#include "udf/op.h"

/* Writes the content of a new link. Returns 0; -ENAMETOOLONG when readlink(2)
 * could not give the target back; -EILSEQ; -ENOENT; and as udf_file_write().
 * Lock alone. */
int udf_symlink_write(struct udf_op *op, struct udf_node *node,
                      const char *target);

/* As udf_readlink(). Shared lock. May return UDF_MISS. */
int udf_symlink_read(struct udf_op *op, const struct udf_node *node, char *buf,
                     uint32_t buf_bytes);

/* Notes how long the target of a link is that is being loaded, for stat(2). A
 * link that is damaged shows the length of its content. Returns 0; UDF_MISS;
 * -EIO; -ENOMEM. */
int udf_symlink_measure(struct udf_op *op, struct udf_node *node);

#endif
