/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/tag.c - descriptor tags. ECMA-167 3/7.2 and 4/7.2, UDF 2.60 2.2.1.
 *
 * The CRC is linear: the remainder of a byte is the exclusive or of the
 * remainders of its bits. So the tables are not typed in: the compiler builds
 * them from 32 powers of x modulo the polynomial x^16 + x^12 + x^5 + 1. Four
 * bytes are taken at a time, since every file entry that changed is sealed
 * anew in every commit.
 */
#include "udf/tag.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "udf/ondisc.h"

/* x^(16 + 8 * k + bit) modulo the polynomial, for the table of bytes that k
 * others follow. */
#define POWERS_0 0x1021, 0x2042, 0x4084, 0x8108, 0x1231, 0x2462, 0x48C4, 0x9188
#define POWERS_1 0x3331, 0x6662, 0xCCC4, 0x89A9, 0x0373, 0x06E6, 0x0DCC, 0x1B98
#define POWERS_2 0x3730, 0x6E60, 0xDCC0, 0xA9A1, 0x4363, 0x86C6, 0x1DAD, 0x3B5A
#define POWERS_3 0x76B4, 0xED68, 0xCAF1, 0x85C3, 0x1BA7, 0x374E, 0x6E9C, 0xDD38

#define BIT(i, n, power) ((((i) >> (n)) & 1) * (power))
#define SUM(i, p0, p1, p2, p3, p4, p5, p6, p7)                                 \
    BIT(i, 0, p0) ^ BIT(i, 1, p1) ^ BIT(i, 2, p2) ^ BIT(i, 3, p3) ^            \
        BIT(i, 4, p4) ^ BIT(i, 5, p5) ^ BIT(i, 6, p6) ^ BIT(i, 7, p7)
#define ROW_4(i, ...)                                                          \
    SUM(i, __VA_ARGS__), SUM(i + 1, __VA_ARGS__), SUM(i + 2, __VA_ARGS__),     \
        SUM(i + 3, __VA_ARGS__)
#define ROW_16(i, ...)                                                         \
    ROW_4(i, __VA_ARGS__), ROW_4(i + 4, __VA_ARGS__),                          \
        ROW_4(i + 8, __VA_ARGS__), ROW_4(i + 12, __VA_ARGS__)
#define ROW_64(i, ...)                                                         \
    ROW_16(i, __VA_ARGS__), ROW_16(i + 16, __VA_ARGS__),                       \
        ROW_16(i + 32, __VA_ARGS__), ROW_16(i + 48, __VA_ARGS__)
#define TABLE(...)                                                             \
    {                                                                          \
        ROW_64(0, __VA_ARGS__), ROW_64(64, __VA_ARGS__),                       \
            ROW_64(128, __VA_ARGS__), ROW_64(192, __VA_ARGS__)                 \
    }

static const uint16_t remainder_of[4][256] = {
    TABLE(POWERS_0),
    TABLE(POWERS_1),
    TABLE(POWERS_2),
    TABLE(POWERS_3),
};

uint16_t udf_crc(uint16_t crc, const void *bytes, uint32_t count) {
    const uint8_t *at = bytes;
    for (; count >= 4; count -= 4, at += 4) {
        crc = remainder_of[3][(crc >> 8) ^ at[0]] ^
              remainder_of[2][(crc & 0xFFu) ^ at[1]] ^ remainder_of[1][at[2]] ^
              remainder_of[0][at[3]];
    }
    for (; count > 0; count--, at++) {
        crc = (uint16_t)(crc << 8) ^ remainder_of[0][(crc >> 8) ^ *at];
    }
    return crc;
}

/* Sum of all bytes of the tag but the checksum itself. */
static uint8_t checksum(const struct udf_tag_s *raw) {
    const uint8_t *bytes = (const uint8_t *)raw;
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(*raw); i++) {
        sum += bytes[i];
    }
    return (uint8_t)(sum - raw->cksum);
}

int udf_tag_check_head(const void *desc, struct udf_tag *out_tag) {
    const struct udf_tag_s *raw = desc;
    uint16_t version = le16toh(raw->desc_version);
    if (checksum(raw) != raw->cksum) {
        return -EUCLEAN;
    }
    /* Also what keeps a block of zeros from being a sparing table, whose
     * identifier is 0. */
    if (version != 2 && version != 3) {
        return -EUCLEAN;
    }
    *out_tag = (struct udf_tag){
        .id = le16toh(raw->id),
        .version = version,
        .serial = le16toh(raw->i_serial),
        .crc_bytes = le16toh(raw->desc_CRC_len),
        .location = le32toh(raw->loc),
    };
    return 0;
}

int udf_tag_check(const void *desc, uint32_t bytes, struct udf_tag *out_tag) {
    const struct udf_tag_s *raw = desc;
    struct udf_tag tag;
    if (bytes < sizeof(*raw) || udf_tag_check_head(desc, &tag) != 0) {
        return -EUCLEAN;
    }
    if (tag.crc_bytes > bytes - sizeof(*raw)) {
        return -EUCLEAN;
    }
    if (udf_crc(0, raw + 1, tag.crc_bytes) != le16toh(raw->desc_CRC)) {
        return -EUCLEAN;
    }
    *out_tag = tag;
    return 0;
}

int udf_tag_expect(const void *desc, uint32_t bytes, enum udf_tag_id id,
                   uint32_t location) {
    struct udf_tag tag;
    if (udf_tag_check(desc, bytes, &tag) != 0 || tag.id != id ||
        tag.location != location) {
        return -EUCLEAN;
    }
    return 0;
}

void udf_tag_seal(void *desc, uint32_t bytes, enum udf_tag_id id,
                  const struct udf_tag_style *style, uint32_t location) {
    struct udf_tag_s *raw = desc;
    assert(bytes >= sizeof(*raw));
    uint32_t covered = bytes - (uint32_t)sizeof(*raw);
    if (covered > UINT16_MAX) {
        covered = UINT16_MAX;
    }
    *raw = (struct udf_tag_s){
        .id = htole16((uint16_t)id),
        .desc_version = htole16(style->version),
        .i_serial = htole16(style->serial),
        .desc_CRC = htole16(udf_crc(0, raw + 1, covered)),
        .desc_CRC_len = htole16((uint16_t)covered),
        .loc = htole32(location),
    };
    raw->cksum = checksum(raw);
}
