/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/path.c - see udf/path.h.
 */
#include "udf/path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "udf/cs0.h"
#include "udf/desc.h"
#include "udf/udf.h"

enum { /* component types, ECMA-167 4/14.16.1 */
       COMPONENT_AGREED_ROOT = 1,
       COMPONENT_ROOT = 2,
       COMPONENT_PARENT = 3,
       COMPONENT_SELF = 4,
       COMPONENT_NAME = 5,
       HEAD_BYTES = 4 /* type, length, file version */
};

/* Writes one component; gives its length. */
static int put_component(const char *text, size_t length, uint8_t *raw,
                         uint32_t *out_bytes) {
    uint32_t name_bytes = 0;
    int error = 0;

    memset(raw, 0, HEAD_BYTES);
    if (length == 1 && text[0] == '.') {
        raw[0] = COMPONENT_SELF;
    } else if (length == 2 && memcmp(text, "..", 2) == 0) {
        raw[0] = COMPONENT_PARENT;
    } else {
        raw[0] = COMPONENT_NAME;
        error = udf_cs0_encode(text, (uint32_t)length, raw + HEAD_BYTES,
                               UDF_NAME_CS0_MAX, &name_bytes);
        raw[1] = (uint8_t)name_bytes;
    }
    if (!error) {
        *out_bytes = HEAD_BYTES + name_bytes;
    }
    return error;
}

int udf_path_encode(const char *target, uint8_t **out_raw,
                    uint32_t *out_bytes) {
    /* One character is the shortest component, with its slash; UTF-16 needs
     * at most two bytes for each byte of UTF-8. */
    size_t room = (strlen(target) + 2) * (HEAD_BYTES + 2) + UDF_NAME_CS0_MAX;
    uint8_t *raw = malloc(room);
    uint32_t bytes = 0;
    int error = 0;

    if (!raw) {
        return -ENOMEM;
    }
    if (*target == '/') {
        memset(raw, 0, HEAD_BYTES);
        raw[0] = COMPONENT_AGREED_ROOT; /* length 0: "/" */
        bytes = HEAD_BYTES;
    }
    while (!error && *target) {
        size_t length = strcspn(target, "/");
        uint32_t used = 0;

        if (length > 0) {
            error = put_component(target, length, raw + bytes, &used);
        }
        bytes += used;
        target += length;
        target += *target == '/';
    }
    if (!error && bytes == 0) {
        error = -ENOENT;
    }
    if (error) {
        free(raw);
        return error;
    }
    *out_raw = raw;
    *out_bytes = bytes;
    return 0;
}

static const char *component_text(const uint8_t *raw, uint32_t name_bytes,
                                  char *name, uint32_t room) {
    bool escaped;

    switch (raw[0]) {
    case COMPONENT_AGREED_ROOT:
    case COMPONENT_ROOT:
        return "";
    case COMPONENT_PARENT:
        return "..";
    case COMPONENT_SELF:
        return ".";
    case COMPONENT_NAME:
        if (udf_cs0_decode_name(raw + HEAD_BYTES, name_bytes, name, room,
                                &escaped) == 0) {
            return name;
        }
        return NULL;
    default:
        return NULL;
    }
}

int udf_path_decode(const uint8_t *raw, uint32_t bytes, char *out_target,
                    uint32_t room) {
    char name[UDF_NAME_BYTES_MAX];
    size_t used = 0;
    uint32_t at = 0;
    bool slash = false;

    while (at < bytes) {
        const char *text;
        size_t length;

        if (bytes - at < HEAD_BYTES || raw[at + 1] > bytes - at - HEAD_BYTES) {
            return -EUCLEAN;
        }
        text = component_text(raw + at, raw[at + 1], name, sizeof(name));
        if (!text) {
            return -EUCLEAN;
        }
        length = strlen(text);
        if (used + length + 2 > room) {
            return -ENAMETOOLONG;
        }
        if (slash) {
            out_target[used++] = '/';
        }
        memcpy(out_target + used, text, length);
        used += length;
        slash = true;
        at += (uint32_t)HEAD_BYTES + raw[at + 1];
    }
    if (used == 0) {
        if (!slash) {
            return -EUCLEAN;
        }
        out_target[used++] = '/'; /* the root alone */
    }
    out_target[used] = '\0';
    return 0;
}
