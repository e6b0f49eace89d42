/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/xattr_name.c - see udf/xattr_name.h.
 */
#include "udf/xattr_name.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "udf/tag.h"

#define USER "user."
#define OWN "*udfpkt "

enum {
    USER_BYTES = sizeof(USER) - 1,
    OWN_BYTES = sizeof(OWN) - 1,
    CHECKSUM_BYTES = 5, /* '#' and four digits */
    KEPT_BYTES = UDF_XATTR_NAME_MAX - USER_BYTES - CHECKSUM_BYTES
};

static bool begins(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether an attribute is kept beside the user's. */
static bool is_system(const char *name) {
    return (begins(name, "trusted.") && name[8]) ||
           (begins(name, "security.") && name[9]) ||
           strcmp(name, "system.posix_acl_access") == 0 ||
           strcmp(name, "system.posix_acl_default") == 0;
}

int udf_xattr_to_stream(const char *name,
                        char out_stream[UDF_XATTR_STREAM_BYTES],
                        bool *out_metadata) {
    if (strlen(name) > UDF_XATTR_NAME_MAX) {
        return -ERANGE;
    }
    if (is_system(name)) {
        snprintf(out_stream, UDF_XATTR_STREAM_BYTES, OWN "%s", name);
        *out_metadata = true;
        return 0;
    }
    if (!begins(name, USER)) {
        return -EOPNOTSUPP;
    }
    name += USER_BYTES;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        strchr(name, '/') || begins(name, OWN)) {
        return -EINVAL;
    }
    snprintf(out_stream, UDF_XATTR_STREAM_BYTES, "%s", name);
    *out_metadata = false;
    return 0;
}

void udf_xattr_of_stream(const char *stream,
                         char out_name[UDF_XATTR_NAME_MAX + 1]) {
    size_t bytes = strlen(stream);
    int kept = KEPT_BYTES;

    if (begins(stream, OWN) && is_system(stream + OWN_BYTES) &&
        bytes - OWN_BYTES <= UDF_XATTR_NAME_MAX) {
        memcpy(out_name, stream + OWN_BYTES, bytes - OWN_BYTES + 1);
        return;
    }
    if (bytes <= UDF_XATTR_NAME_MAX - USER_BYTES) {
        snprintf(out_name, UDF_XATTR_NAME_MAX + 1, USER "%s", stream);
        return;
    }
    while (((unsigned char)stream[kept] & 0xC0) == 0x80) {
        kept--; /* no half characters */
    }
    snprintf(out_name, UDF_XATTR_NAME_MAX + 1, USER "%.*s#%04X", kept, stream,
             (unsigned)udf_crc(0, stream, (uint32_t)bytes));
}
