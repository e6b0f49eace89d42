/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/xattr.h - access control lists as part of other operations: making an
 * object and changing its mode. The public operations on attributes are in
 * udf/udf.h.
 */
#ifndef UDF_XATTR_H
#define UDF_XATTR_H

#include "udf/node.h"
#include "udf/op.h"

/* A list (udf/acl.h) in memory of its own; 0 bytes: none. */
struct udf_acl {
    uint8_t *raw;
    uint32_t bytes;
};

/* Reads the default list of directory `dir`; raw is the caller's to free.
 * Returns 0 also when there is none, or a damaged one; UDF_MISS; -ENOMEM;
 * -EIO. */
int udf_xattr_default_acl(struct udf_op *op, struct udf_node *dir,
                          struct udf_acl *out_acl);

/* Gives a new node, which has no name yet, what it inherits of its directory's
 * default list `acl`: the mode, an access list where the mode does not say it
 * all, and the default list if it is a directory. Returns 0; -ENOSPC; -ENOMEM.
 */
int udf_xattr_inherit(struct udf_op *op, struct udf_node *node, mode_t mode,
                      const struct udf_acl *acl);

/* Brings the node's access list, if it has one, in line with `mode`. Returns 0;
 * UDF_MISS, having changed nothing; -ENOSPC; -ENOMEM; -EIO. */
int udf_xattr_chmod(struct udf_op *op, struct udf_node *node, mode_t mode);

/* Sets an access list as udf_setxattr() does, and the mode with it. */
int udf_xattr_set_access(struct udf_op *op, struct udf_node *node,
                         const struct udf_xattr *value);

/* ---- udf/xattr.c, for udf/xattr_acl.c ----------------------------------- */

#define UDF_XATTR_ACL_ACCESS "system.posix_acl_access"
#define UDF_XATTR_ACL_DEFAULT "system.posix_acl_default"

/* Reads a value of at most `room` bytes; as udf_getxattr(). */
int udf_xattr_read(struct udf_op *op, struct udf_node *node, const char *name,
                   void *buf, uint32_t room, uint32_t *out_bytes);

/* As udf_setxattr() and udf_removexattr(), within an operation. */
int udf_xattr_write(struct udf_op *op, struct udf_node *node, const char *name,
                    const struct udf_xattr *value);
int udf_xattr_remove(struct udf_op *op, struct udf_node *node,
                     const char *name);

#endif
