/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/xattr_name.h - which stream holds which extended attribute. Pure.
 *
 *   attribute                            stream
 *   user.NAME                            NAME
 *   trusted.*, security.*,               "*udfpkt " and the whole name, with
 *   system.posix_acl_{access,default}    the METADATA bit
 *
 * So the streams that other systems make are their users' attributes, and the
 * other way round, and no user can make a stream that the kernel would believe.
 * An attribute's name has at most 255 bytes; a stream whose name is longer is
 * shown shortened, with a checksum that tells it from others.
 */
#ifndef UDF_XATTR_NAME_H
#define UDF_XATTR_NAME_H

#include <stdbool.h>
#include <stdint.h>

enum {
    UDF_XATTR_NAME_MAX = 255,    /* XATTR_NAME_MAX of Linux */
    UDF_XATTR_STREAM_BYTES = 272 /* the name of a stream, with NUL */
};

/* The stream for attribute `name`, NUL-terminated UTF-8; *out_metadata: it is
 * not the user's. Returns 0; -EOPNOTSUPP for a name of no namespace that is
 * kept; -EINVAL without a name behind the namespace, for one that would be
 * shown otherwise ("/" in it, "." and ".."), and for a user's name that looks
 * like one of the others; -ERANGE for a name that is too long. */
int udf_xattr_to_stream(const char *name,
                        char out_stream[UDF_XATTR_STREAM_BYTES],
                        bool *out_metadata);

/* The attribute that stream `stream` is shown as, NUL-terminated. */
void udf_xattr_of_stream(const char *stream,
                         char out_name[UDF_XATTR_NAME_MAX + 1]);

#endif
