/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/bytes.h - integers of a disc at any byte of a buffer: little-endian, of
 * no alignment. For what has no raw structure in udf/ondisc.h. Pure. ECMA-167
 * 1/7.1.
 */
#ifndef UDF_BYTES_H
#define UDF_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t udf_get16(const uint8_t *raw) {
    uint16_t value;

    memcpy(&value, raw, sizeof(value));
    return le16toh(value);
}

static inline uint32_t udf_get32(const uint8_t *raw) {
    uint32_t value;

    memcpy(&value, raw, sizeof(value));
    return le32toh(value);
}

static inline uint64_t udf_get64(const uint8_t *raw) {
    uint64_t value;

    memcpy(&value, raw, sizeof(value));
    return le64toh(value);
}

static inline void udf_put16(uint8_t *raw, uint16_t value) {
    value = htole16(value);
    memcpy(raw, &value, sizeof(value));
}

static inline void udf_put32(uint8_t *raw, uint32_t value) {
    value = htole32(value);
    memcpy(raw, &value, sizeof(value));
}

static inline void udf_put64(uint8_t *raw, uint64_t value) {
    value = htole64(value);
    memcpy(raw, &value, sizeof(value));
}

#endif
