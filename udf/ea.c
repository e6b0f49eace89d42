/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/ea.c - see udf/ea.h.
 */
#include "udf/ea.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "udf/attr.h"
#include "udf/bytes.h"
#include "udf/encode.h"
#include "udf/tag.h"

enum {
    HEADER_BYTES = 24,  /* extended attribute header descriptor, 4/14.10.1 */
    EA_HEAD_BYTES = 12, /* type, subtype, reserved, length */
    SUBTYPE = 1,
    ENTITY_BYTES = 32,
    TYPE_TIMES = 5,
    TYPE_DEVICE = 12,
    TYPE_IMPLEMENTATION = 2048,
    TYPE_APPLICATION = 65536,
    DEVICE_BYTES = EA_HEAD_BYTES + 12 + ENTITY_BYTES,
    TIMES_HEAD_BYTES = EA_HEAD_BYTES + 8,
    TIMES_BYTES = TIMES_HEAD_BYTES + UDF_TIMESTAMP_BYTES,
    TIME_CREATION = 1u << 0
};

/* The three parts of a space, in their order. */
enum part { STANDARD, IMPLEMENTATION, APPLICATION, PARTS };

struct attribute {
    const uint8_t *raw;
    uint32_t type, bytes;
};

static enum part part_of(uint32_t type) {
    if (type == TYPE_IMPLEMENTATION) {
        return IMPLEMENTATION;
    }
    return type == TYPE_APPLICATION ? APPLICATION : STANDARD;
}

/* Gives the attribute at *at and moves on. Returns false at the end, or where
 * the rest is no attribute: *at is the length of the space only in the first
 * case. */
static bool next(const uint8_t *ea, uint32_t ea_bytes, uint32_t *at,
                 struct attribute *out) {
    uint32_t bytes;

    if (*at > ea_bytes || ea_bytes - *at < EA_HEAD_BYTES) {
        return false;
    }
    bytes = udf_get32(ea + *at + 8);
    if (bytes < EA_HEAD_BYTES || bytes > ea_bytes - *at) {
        return false;
    }
    *out = (struct attribute){
        .raw = ea + *at,
        .type = udf_get32(ea + *at),
        .bytes = bytes,
    };
    *at += bytes;
    return true;
}

/* The first attribute of `type` that is at least `least` bytes long. */
static bool find(const uint8_t *ea, uint32_t ea_bytes, uint32_t type,
                 uint32_t least, struct attribute *out) {
    uint32_t at = HEADER_BYTES;

    while (next(ea, ea_bytes, &at, out)) {
        if (out->type == type && out->bytes >= least) {
            return true;
        }
    }
    return false;
}

void udf_ea_device(const uint8_t *ea, uint32_t ea_bytes, dev_t *out_device) {
    struct attribute found;

    if (find(ea, ea_bytes, TYPE_DEVICE, EA_HEAD_BYTES + 12, &found)) {
        *out_device =
            makedev(udf_get32(found.raw + 16), udf_get32(found.raw + 20));
    }
}

/* The creation time comes first, since its bit is the lowest. */
static bool has_creation(const struct attribute *times) {
    return times->bytes >= TIMES_BYTES &&
           udf_get32(times->raw + 12) >= UDF_TIMESTAMP_BYTES &&
           udf_get32(times->raw + 16) & TIME_CREATION;
}

void udf_ea_btime(const uint8_t *ea, uint32_t ea_bytes,
                  struct udf_time *out_time) {
    struct attribute found;

    if (find(ea, ea_bytes, TYPE_TIMES, TIMES_HEAD_BYTES, &found) &&
        has_creation(&found)) {
        udf_time_decode(found.raw + TIMES_HEAD_BYTES, out_time);
    }
}

/* ---- making a new space ------------------------------------------------ */

struct maker {
    uint8_t *raw;
    uint32_t bytes;
    uint32_t start[PARTS + 1];
};

static void add(struct maker *maker, const struct attribute *attribute) {
    memcpy(maker->raw + maker->bytes, attribute->raw, attribute->bytes);
    maker->bytes += attribute->bytes;
}

/* Copies the attributes of one part, with `change` in the place of its type.
 * One of 0 bytes leaves that type out. */
static void copy_part(struct maker *maker, enum part part, const uint8_t *old,
                      uint32_t old_bytes, const struct attribute *change) {
    bool pending = part_of(change->type) == part && change->bytes > 0;
    uint32_t at = HEADER_BYTES;
    struct attribute each;

    maker->start[part] = maker->bytes;
    while (next(old, old_bytes, &at, &each)) {
        if (part_of(each.type) != part) {
            continue;
        }
        if (pending && each.type >= change->type) {
            add(maker, change);
            pending = false;
        }
        if (each.type != change->type) {
            add(maker, &each);
        }
    }
    if (pending) {
        add(maker, change);
    }
    maker->start[part + 1] = maker->bytes;
}

static bool is_well_formed(const uint8_t *ea, uint32_t ea_bytes) {
    uint32_t at = HEADER_BYTES;
    struct attribute each;

    if (ea_bytes == 0) {
        return true;
    }
    while (next(ea, ea_bytes, &at, &each)) {
    }
    return at == ea_bytes;
}

/* "No such attributes" is FFFFFFFFh from 2.00 on, before that the length of
 * the space. UDF 2.60 3.3.4.1. */
static void seal_header(struct maker *maker, const struct udf_ea_place *place) {
    uint32_t none = place->revision >= 0x0200 ? UINT32_MAX : maker->bytes;
    const uint32_t *start = maker->start;

    udf_put32(maker->raw + 16, start[IMPLEMENTATION] < start[APPLICATION]
                                   ? start[IMPLEMENTATION]
                                   : none);
    udf_put32(maker->raw + 20,
              start[APPLICATION] < start[PARTS] ? start[APPLICATION] : none);
    udf_tag_seal(maker->raw, HEADER_BYTES, UDF_TAG_EAHD, place->style,
                 place->lbn);
}

static int make(const uint8_t *old, uint32_t old_bytes,
                const struct attribute *change,
                const struct udf_ea_place *place, uint8_t **out_ea,
                uint32_t *out_bytes) {
    struct maker maker = {.bytes = HEADER_BYTES};

    if (!is_well_formed(old, old_bytes)) {
        return -EUCLEAN;
    }
    maker.raw = calloc(1, HEADER_BYTES + (size_t)old_bytes + change->bytes);
    if (!maker.raw) {
        return -ENOMEM;
    }
    for (int part = 0; part < PARTS; part++) {
        copy_part(&maker, (enum part)part, old, old_bytes, change);
    }
    if (maker.bytes == HEADER_BYTES) {
        free(maker.raw);
        maker = (struct maker){0};
    } else {
        seal_header(&maker, place);
    }
    *out_ea = maker.raw;
    *out_bytes = maker.bytes;
    return 0;
}

static void put_head(uint8_t *raw, uint32_t type, uint32_t bytes) {
    udf_put32(raw, type);
    raw[4] = SUBTYPE;
    udf_put32(raw + 8, bytes);
}

int udf_ea_set_device(const uint8_t *old, uint32_t old_bytes, dev_t device,
                      const struct udf_ea_place *place, uint8_t **out_ea,
                      uint32_t *out_bytes) {
    uint8_t raw[DEVICE_BYTES] = {0};
    struct attribute change = {raw, TYPE_DEVICE, DEVICE_BYTES};
    struct udf_entity own;

    put_head(raw, TYPE_DEVICE, DEVICE_BYTES);
    udf_put32(raw + 12, ENTITY_BYTES);
    udf_put32(raw + 16, major(device));
    udf_put32(raw + 20, minor(device));
    udf_entity_own(&own);
    udf_entity_encode(&own, raw + 24);
    return make(old, old_bytes, &change, place, out_ea, out_bytes);
}

int udf_ea_set_btime(const uint8_t *old, uint32_t old_bytes,
                     const struct udf_time *time,
                     const struct udf_ea_place *place, uint8_t **out_ea,
                     uint32_t *out_bytes) {
    struct attribute found, change = {.type = TYPE_TIMES};
    uint32_t own = time ? UDF_TIMESTAMP_BYTES : 0, kept = 0, kinds = 0;
    uint8_t *raw;
    int error;

    if (find(old, old_bytes, TYPE_TIMES, TIMES_HEAD_BYTES, &found)) {
        kinds = udf_get32(found.raw + 16) & ~(uint32_t)TIME_CREATION;
        kept = found.bytes - TIMES_HEAD_BYTES -
               (has_creation(&found) ? UDF_TIMESTAMP_BYTES : 0);
    }
    if (own + kept == 0) {
        return make(old, old_bytes, &change, place, out_ea, out_bytes);
    }
    change.bytes = TIMES_HEAD_BYTES + own + kept;
    raw = calloc(1, change.bytes);
    if (!raw) {
        return -ENOMEM;
    }
    put_head(raw, TYPE_TIMES, change.bytes);
    udf_put32(raw + 12, own + kept);
    udf_put32(raw + 16, kinds | (time ? (uint32_t)TIME_CREATION : 0));
    if (time) {
        udf_time_encode(time, raw + TIMES_HEAD_BYTES);
    }
    if (kept > 0) {
        memcpy(raw + TIMES_HEAD_BYTES + own, found.raw + found.bytes - kept,
               kept);
    }
    change.raw = raw;
    error = make(old, old_bytes, &change, place, out_ea, out_bytes);
    free(raw);
    return error;
}
