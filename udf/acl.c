/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/acl.c - see udf/acl.h. A list is a version (2) and entries of tag,
 * permissions and id, little-endian.
 */
#include "udf/acl.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "udf/bytes.h"

enum {
    VERSION = 2,
    HEAD_BYTES = 4,
    ENTRY_BYTES = 8,
    USER_OBJ = 0x01,
    USER = 0x02,
    GROUP_OBJ = 0x04,
    GROUP = 0x08,
    MASK = 0x10,
    OTHER = 0x20,
    SINGLE = USER_OBJ | GROUP_OBJ | OTHER /* there must be one of each */
};

/* Where the permissions of the entry with this tag are, or NULL. */
static uint8_t *find(uint8_t *acl, uint32_t bytes, unsigned tag) {
    for (uint32_t at = HEAD_BYTES; at < bytes; at += ENTRY_BYTES) {
        if (udf_get16(acl + at) == tag) {
            return acl + at + 2;
        }
    }
    return NULL;
}

/* Whether every entry is one, and those that must be there are. */
static bool is_list(const uint8_t *acl, uint32_t bytes) {
    unsigned seen = 0;

    if (bytes < HEAD_BYTES || (bytes - HEAD_BYTES) % ENTRY_BYTES != 0 ||
        udf_get16(acl) != VERSION || udf_get16(acl + 2) != 0) {
        return false;
    }
    for (uint32_t at = HEAD_BYTES; at < bytes; at += ENTRY_BYTES) {
        unsigned tag = udf_get16(acl + at);
        bool named = tag == USER || tag == GROUP;

        if ((tag != MASK && !named && !(tag & SINGLE)) || tag & (tag - 1) ||
            tag == 0 || udf_get16(acl + at + 2) > 7 || (!named && seen & tag)) {
            return false;
        }
        seen |= tag;
    }
    return (seen & SINGLE) == SINGLE &&
           (seen & MASK || !(seen & (USER | GROUP)));
}

/* The entry that the group bits of a mode stand for. */
static uint8_t *group_class(uint8_t *acl, uint32_t bytes) {
    uint8_t *mask = find(acl, bytes, MASK);

    return mask ? mask : find(acl, bytes, GROUP_OBJ);
}

int udf_acl_mode(const uint8_t *acl, uint32_t bytes, mode_t *out_bits,
                 bool *out_minimal) {
    mode_t bits = 0;
    bool mask = false;

    if (!is_list(acl, bytes)) {
        return -EINVAL;
    }
    for (uint32_t at = HEAD_BYTES; at < bytes; at += ENTRY_BYTES) {
        unsigned tag = udf_get16(acl + at);
        mode_t allowed = udf_get16(acl + at + 2);

        if (tag == USER_OBJ) {
            bits |= allowed << 6;
        } else if (tag == MASK) {
            mask = true;
            bits = (bits & ~(mode_t)070) | allowed << 3;
        } else if (tag == GROUP_OBJ && !mask) {
            bits |= allowed << 3;
        } else if (tag == OTHER) {
            bits |= allowed;
        }
    }
    *out_bits = bits;
    *out_minimal = !mask;
    return 0;
}

void udf_acl_chmod(uint8_t *acl, uint32_t bytes, mode_t mode) {
    if (!is_list(acl, bytes)) {
        return;
    }
    *find(acl, bytes, USER_OBJ) = (uint8_t)(mode >> 6 & 7);
    *group_class(acl, bytes) = (uint8_t)(mode >> 3 & 7);
    *find(acl, bytes, OTHER) = (uint8_t)(mode & 7);
}

int udf_acl_inherit(uint8_t *acl, uint32_t bytes, mode_t mode,
                    mode_t *out_mode) {
    uint8_t *owner, *group, *other;

    if (!is_list(acl, bytes)) {
        return -EINVAL;
    }
    owner = find(acl, bytes, USER_OBJ);
    group = group_class(acl, bytes);
    other = find(acl, bytes, OTHER);
    *owner &= (uint8_t)(mode >> 6 & 7);
    *group &= (uint8_t)(mode >> 3 & 7);
    *other &= (uint8_t)(mode & 7);
    *out_mode = (mode & ~(mode_t)0777) | (mode_t)*owner << 6 |
                (mode_t)*group << 3 | *other;
    return 0;
}
