/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_ea.c - the extended attributes in a file entry: a header that says
 * where its second and third part begin, then the attributes of the standard,
 * of implementations and of applications. ECMA-167 4/14.10; UDF 2.60 3.3.4.
 */
#include "udf/check_priv.h"

#include "udf/decode.h"

enum {
    HEADER_BYTES = 24,
    HEADER_PARTS_AT = 16, /* two offsets: implementation, application */
    HEAD_BYTES = 12,      /* of an attribute: type, subtype, length */
    USE_HEAD_BYTES = 48,  /* of one with an entity identifier */
    TYPE_DEVICE = 12,
    TYPE_IMPLEMENTATION = 2048,
    TYPE_APPLICATION = 65536,
    NO_PART_REVISION = 0x0200 /* from which on "none" has one form */
};

#define NO_PART 0xFFFFFFFFu

/* The parts of the space, in their order. */
enum part { PART_STANDARD, PART_IMPLEMENTATION, PART_APPLICATION, PARTS };

/* Attributes while they are walked. */
struct ea_walk {
    struct udf_check *check;
    const struct udf_fe *fe;
    const char *name;
    enum part part;        /* that the last one was of */
    uint32_t start[PARTS]; /* byte of each part's first; NO_PART */
    bool device;           /* a device specification was there */
};

static enum part part_of(uint32_t type) {
    if (type == TYPE_IMPLEMENTATION) {
        return PART_IMPLEMENTATION;
    }
    return type == TYPE_APPLICATION ? PART_APPLICATION : PART_STANDARD;
}

static void check_sum(const struct ea_walk *walk, const uint8_t *raw) {
    uint16_t sum = 0;

    for (int i = 0; i < USE_HEAD_BYTES; i++) {
        sum = (uint16_t)(sum + raw[i]);
    }
    if (udf_get16(raw + USE_HEAD_BYTES) != sum &&
        strncmp((const char *)raw + 17, "*UDF", 4) == 0) {
        udf_check_fault(walk->check,
                        "%s: header checksum of an extended attribute is "
                        "wrong (UDF 2.60 3.3.4.5)",
                        walk->name);
    }
}

/* The attribute at byte `at`. Returns its length, 0 when the rest cannot be
 * walked. */
static uint32_t take_attribute(struct ea_walk *walk, uint32_t at) {
    const uint8_t *raw = walk->fe->ea + at;
    uint32_t left = walk->fe->ea_bytes - at;
    uint32_t type = udf_get32(raw), bytes = udf_get32(raw + 8);
    enum part part = part_of(type);

    if (bytes < HEAD_BYTES || bytes > left || bytes % 4 != 0 || raw[4] != 1 ||
        !udf_check_is_zero(raw + 5, 3)) {
        udf_check_fault(walk->check,
                        "%s: extended attribute of type %u and %u bytes is "
                        "malformed (ECMA-167 4/14.10.2)",
                        walk->name, type, bytes);
        return 0;
    }
    if (part < walk->part) {
        udf_check_fault(walk->check,
                        "%s: extended attribute of type %u behind one of a "
                        "later part (ECMA-167 4/14.10)",
                        walk->name, type);
    } else if (walk->start[part] == NO_PART) {
        walk->start[part] = at;
        walk->part = part;
    }
    if (part != PART_STANDARD && bytes >= USE_HEAD_BYTES + 2) {
        check_sum(walk, raw);
    }
    walk->device |= type == TYPE_DEVICE;
    return bytes;
}

/* Where the header says that `part` begins. "Nowhere" is FFFFFFFFh from 2.00
 * on; before, any place behind the end. UDF 2.60 3.3.4.1 */
static void check_location(const struct ea_walk *walk, enum part part,
                           uint32_t says) {
    bool none = walk->check->result.revision >= NO_PART_REVISION
                    ? says == NO_PART
                    : says >= walk->fe->ea_bytes;

    if (walk->start[part] == NO_PART ? !none : says != walk->start[part]) {
        udf_check_fault(walk->check,
                        "%s: header of the extended attributes says that "
                        "those of %s begin at byte %u (UDF 2.60 3.3.4.1)",
                        walk->name,
                        part == PART_APPLICATION ? "applications"
                                                 : "implementations",
                        says);
    }
}

static void walk_attributes(struct ea_walk *walk) {
    const uint8_t *parts = walk->fe->ea + HEADER_PARTS_AT;
    uint32_t at = HEADER_BYTES, bytes = 1;

    while (bytes > 0 && at + HEAD_BYTES <= walk->fe->ea_bytes) {
        bytes = take_attribute(walk, at);
        at += bytes;
    }
    if (bytes == 0) {
        return;
    }
    if (at != walk->fe->ea_bytes) {
        udf_check_fault(walk->check,
                        "%s: extended attributes do not fill their space "
                        "(ECMA-167 4/14.10)",
                        walk->name);
    }
    check_location(walk, PART_IMPLEMENTATION, udf_get32(parts));
    check_location(walk, PART_APPLICATION, udf_get32(parts + 4));
}

void udf_check_attributes(struct udf_check *check, uint32_t lbn,
                          const struct udf_fe *fe, const char *name) {
    struct ea_walk walk = {.check = check,
                           .fe = fe,
                           .name = name,
                           .start = {NO_PART, NO_PART, NO_PART}};

    if (fe->ea_bytes > 0 &&
        (fe->ea_bytes < HEADER_BYTES || fe->ea_bytes % 4 != 0)) {
        udf_check_fault(check,
                        "%s: %u bytes of extended attributes (ECMA-167 "
                        "4/14.10.1)",
                        name, fe->ea_bytes);
    } else if (fe->ea_bytes > 0 &&
               udf_check_tag(check, fe->ea, fe->ea_bytes, UDF_TAG_EAHD, lbn,
                             "extended attribute header")) {
        walk_attributes(&walk);
    }
    if (!walk.device && (fe->file_type == UDF_FILE_BLOCK_DEVICE ||
                         fe->file_type == UDF_FILE_CHAR_DEVICE)) {
        udf_check_fault(check,
                        "%s: device without a device specification (UDF 2.60 "
                        "3.3.4.4)",
                        name);
    }
}
