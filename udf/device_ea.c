/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/device_ea.c - see udf/device_ea.h.
 */
#include "udf/device_ea.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "udf/encode.h"
#include "udf/tag.h"

enum {
    HEADER_BYTES = 24,  /* extended attribute header descriptor, 4/14.10.1 */
    EA_HEAD_BYTES = 12, /* type, subtype, reserved, length */
    DEVICE_TYPE = 12,
    DEVICE_SUBTYPE = 1,
    ENTITY_BYTES = 32,
    DEVICE_BYTES = EA_HEAD_BYTES + 12 + ENTITY_BYTES
};

static uint32_t get32(const uint8_t *raw) {
    uint32_t value;

    memcpy(&value, raw, sizeof(value));
    return le32toh(value);
}

static void put32(uint8_t *raw, uint32_t value) {
    value = htole32(value);
    memcpy(raw, &value, sizeof(value));
}

void udf_device_ea_find(const uint8_t *ea, uint32_t ea_bytes,
                        dev_t *out_device) {
    uint32_t at = HEADER_BYTES;

    while (at + EA_HEAD_BYTES <= ea_bytes) {
        uint32_t type = get32(ea + at);
        uint32_t length = get32(ea + at + 8);

        if (length < EA_HEAD_BYTES || length > ea_bytes - at) {
            return;
        }
        if (type == DEVICE_TYPE && length >= EA_HEAD_BYTES + 12) {
            *out_device = makedev(get32(ea + at + 16), get32(ea + at + 20));
            return;
        }
        at += length;
    }
}

int udf_device_ea_make(dev_t device, uint16_t revision, uint32_t lbn,
                       const struct udf_tag_style *style, uint8_t **out_ea,
                       uint32_t *out_bytes) {
    uint32_t bytes = HEADER_BYTES + DEVICE_BYTES;
    /* "No such attributes": FFFFFFFFh from 2.00 on, before that the length of
     * the space. UDF 2.60 3.3.4.1. */
    uint32_t none = revision >= 0x0200 ? UINT32_MAX : bytes;
    struct udf_entity own;
    uint8_t *ea = calloc(1, bytes);
    uint8_t *attribute;

    if (!ea) {
        return -ENOMEM;
    }
    put32(ea + 16, none);
    put32(ea + 20, none);
    attribute = ea + HEADER_BYTES;
    put32(attribute, DEVICE_TYPE);
    attribute[4] = DEVICE_SUBTYPE;
    put32(attribute + 8, DEVICE_BYTES);
    put32(attribute + 12, ENTITY_BYTES);
    put32(attribute + 16, major(device));
    put32(attribute + 20, minor(device));
    udf_entity_own(&own);
    attribute[24] = own.flags;
    memcpy(attribute + 25, own.id, 23);
    memcpy(attribute + 48, own.suffix, sizeof(own.suffix));
    udf_tag_seal(ea, HEADER_BYTES, UDF_TAG_EAHD, style, lbn);
    *out_ea = ea;
    *out_bytes = bytes;
    return 0;
}
