/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/xattr_acl.c - access control lists; see udf/xattr.h.
 */
#include "udf/xattr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "udf/acl.h"
#include "udf/attr.h"

/* Reads a list; none is one of 0 bytes, and so is one that is damaged. */
static int load(struct udf_op *op, struct udf_node *node, const char *name,
                struct udf_acl *out_acl) {
    struct udf_acl acl = {0};
    int error = udf_xattr_read(op, node, name, NULL, 0, &acl.bytes);

    if (!error && acl.bytes > 0) {
        acl.raw = malloc(acl.bytes);
        error = acl.raw ? udf_xattr_read(op, node, name, acl.raw, acl.bytes,
                                         &acl.bytes)
                        : -ENOMEM;
    }
    if (error) {
        free(acl.raw);
        acl = (struct udf_acl){0};
    }
    if (error == -ENODATA || error == -EUCLEAN || error == -E2BIG) {
        error = 0;
    }
    if (!error) {
        *out_acl = acl;
    }
    return error;
}

static int store(struct udf_op *op, struct udf_node *node, const char *name,
                 const struct udf_acl *acl) {
    struct udf_xattr value = {.bytes = acl->raw, .count = acl->bytes};

    return udf_xattr_write(op, node, name, &value);
}

static void set_mode(struct udf_node *node, mode_t mode) {
    node->attr.permissions = udf_permissions_encode(mode);
}

int udf_xattr_default_acl(struct udf_op *op, struct udf_node *dir,
                          struct udf_acl *out_acl) {
    return load(op, dir, UDF_XATTR_ACL_DEFAULT, out_acl);
}

int udf_xattr_inherit(struct udf_op *op, struct udf_node *node, mode_t mode,
                      const struct udf_acl *acl) {
    struct udf_acl access = {.raw = malloc(acl->bytes), .bytes = acl->bytes};
    bool minimal;
    mode_t bits;
    int error = access.raw ? 0 : -ENOMEM;

    if (!error) {
        memcpy(access.raw, acl->raw, acl->bytes);
        error = udf_acl_inherit(access.raw, access.bytes, mode, &mode);
    }
    if (!error) {
        set_mode(node, mode);
        error = udf_acl_mode(access.raw, access.bytes, &bits, &minimal);
    }
    if (!error && !minimal) {
        error = store(op, node, UDF_XATTR_ACL_ACCESS, &access);
    }
    if (!error && S_ISDIR(mode)) {
        error = store(op, node, UDF_XATTR_ACL_DEFAULT, acl);
    }
    free(access.raw);
    return error == -EINVAL ? 0 : error; /* a list that is none binds nobody */
}

int udf_xattr_chmod(struct udf_op *op, struct udf_node *node, mode_t mode) {
    struct udf_acl acl;
    int error = load(op, node, UDF_XATTR_ACL_ACCESS, &acl);

    if (error || acl.bytes == 0) {
        return error;
    }
    udf_acl_chmod(acl.raw, acl.bytes, mode);
    error = store(op, node, UDF_XATTR_ACL_ACCESS, &acl);
    free(acl.raw);
    return error;
}

int udf_xattr_set_access(struct udf_op *op, struct udf_node *node,
                         const struct udf_xattr *value) {
    bool minimal;
    mode_t bits;
    int error = udf_acl_mode(value->bytes, value->count, &bits, &minimal);

    if (error) {
        return error;
    }
    if (minimal) {
        error = udf_xattr_remove(op, node, UDF_XATTR_ACL_ACCESS);
        error = error == -ENODATA ? 0 : error;
    } else {
        error = udf_xattr_write(op, node, UDF_XATTR_ACL_ACCESS, value);
    }
    if (!error) {
        set_mode(node, bits);
        udf_node_changed(op, node, false);
    }
    return error;
}
