/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/symlink.c - see udf/symlink.h.
 */
#include "udf/symlink.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "udf/file.h"
#include "udf/path.h"

/* Components of one character, compressed to 16 bits without need, take seven
 * bytes for two of the path. */
enum { CONTENT_MAX = 4 * PATH_MAX };

int udf_symlink_write(struct udf_op *op, struct udf_node *node,
                      const char *target) {
    char back[PATH_MAX];
    uint8_t *raw = NULL;
    uint32_t bytes = 0;
    int error = udf_path_encode(target, &raw, &bytes);

    if (!error) {
        error = udf_path_decode(raw, bytes, back, sizeof(back));
    }
    if (!error) {
        node->target_bytes = (uint32_t)strlen(back);
        error = udf_file_write(op, node, 0, bytes, raw);
    }
    free(raw);
    return error;
}

int udf_symlink_read(struct udf_op *op, const struct udf_node *node, char *buf,
                     uint32_t buf_bytes) {
    uint8_t *raw;
    uint32_t count = 0;
    int error;

    if (node->attr.file_type != UDF_FILE_SYMLINK) {
        return -EINVAL;
    }
    if (node->body.size > CONTENT_MAX) {
        return -ENAMETOOLONG;
    }
    raw = malloc(CONTENT_MAX);
    if (!raw) {
        return -ENOMEM;
    }
    error = udf_file_read(op, node, 0, CONTENT_MAX, raw, &count);
    if (!error) {
        error = udf_path_decode(raw, count, buf, buf_bytes);
    }
    free(raw);
    return error;
}

int udf_symlink_measure(struct udf_op *op, struct udf_node *node) {
    char target[PATH_MAX];
    int error = udf_symlink_read(op, node, target, sizeof(target));

    if (error == UDF_MISS || error == -EIO || error == -ENOMEM) {
        return error;
    }
    node->target_bytes =
        error ? (uint32_t)node->body.size : (uint32_t)strlen(target);
    return 0;
}
