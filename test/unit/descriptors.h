/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/descriptors.h - what the tests of the descriptors share: numbers
 * at an offset, sealing by hand, comparing, and samples. cmocka comes first.
 */
#ifndef TEST_UNIT_DESCRIPTORS_H
#define TEST_UNIT_DESCRIPTORS_H

#include <string.h>

#include "udf/encode.h"
#include "udf/tag.h"

static const struct udf_tag_style style = {.version = 3, .serial = 5};

enum { LBA = 4711, BLOCK = UDF_BLOCK_BYTES };

static const struct udf_time sample_time = {1700000000, 123456000, -300};

static inline uint32_t u32_at(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

static inline uint16_t u16_at(const uint8_t *at) {
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline void put_u32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

/* Seals a block that was changed by hand: id and location stay. */
static inline void reseal(uint8_t *block) {
    uint32_t covered = u16_at(block + 10);
    if (covered > BLOCK - 16) {
        covered = BLOCK - 16;
    }
    udf_tag_seal(block, 16 + covered, u16_at(block), &style, LBA);
}

/* A block that has nothing but bytes that must be overwritten. */
static inline void soil(uint8_t *block) {
    memset(block, 0xEE, BLOCK);
}

static inline void expect_zero_from(const uint8_t *block, uint32_t from) {
    for (uint32_t i = from; i < BLOCK; i++) {
        assert_int_equal(block[i], 0);
    }
}

static inline void expect_tag(const uint8_t *block, unsigned id,
                              uint32_t crc_bytes) {
    struct udf_tag tag;
    assert_int_equal(udf_tag_check(block, BLOCK, &tag), 0);
    assert_int_equal(tag.id, id);
    assert_int_equal(tag.location, LBA);
    assert_int_equal(tag.serial, 5);
    assert_int_equal(tag.version, 3);
    assert_int_equal(tag.crc_bytes, crc_bytes);
    expect_zero_from(block, 16 + crc_bytes);
}

static inline void expect_time(const struct udf_time *time) {
    assert_int_equal(time->sec, sample_time.sec);
    assert_int_equal(time->nsec, sample_time.nsec);
    assert_int_equal(time->tz_minutes, sample_time.tz_minutes);
}

static inline void expect_entity(const struct udf_entity *a,
                                 const struct udf_entity *b) {
    assert_int_equal(a->flags, b->flags);
    assert_string_equal(a->id, b->id);
    assert_memory_equal(a->suffix, b->suffix, 8);
}

static inline void expect_long_ad(const struct udf_long_ad *a,
                                  const struct udf_long_ad *b) {
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->addr.lbn, b->addr.lbn);
    assert_int_equal(a->addr.part, b->addr.part);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->unique_id, b->unique_id);
}

static inline struct udf_long_ad sample_ad(uint32_t salt) {
    return (struct udf_long_ad){
        .bytes = 2048 * salt,
        .kind = (uint8_t)(salt % 4),
        .addr = {.lbn = 0x80000000u + salt, .part = (uint16_t)salt},
        .flags = (uint16_t)(salt & 1),
        .unique_id = 0xF0000000u + salt,
    };
}

static inline struct udf_entity own_entity(void) {
    struct udf_entity entity;
    udf_entity_own(&entity);
    return entity;
}

static inline struct udf_lvd sample_lvd(void) {
    struct udf_lvd lvd = {
        .vdsn = 4,
        .label = "Label \xC3\xA4",
        .block_bytes = 2048,
        .implementation = own_entity(),
        .fsd = {.bytes = 2048, .addr = {.lbn = 32}},
        .integrity = {65536, 320},
        .maps = 4,
        .map = {{.kind = UDF_MAP_KIND_PHYSICAL,
                 .volume_sequence = 1,
                 .partition_number = 9},
                {.kind = UDF_MAP_KIND_SPARABLE,
                 .volume_sequence = 1,
                 .partition_number = 8,
                 .packet_blocks = 32,
                 .tables = 2,
                 .table_bytes = 2048,
                 .table_lba = {352, 294912}},
                {.kind = UDF_MAP_KIND_VIRTUAL,
                 .volume_sequence = 1,
                 .partition_number = 7},
                {.kind = UDF_MAP_KIND_METADATA,
                 .volume_sequence = 1,
                 .partition_number = 6,
                 .metadata_lbn = 736,
                 .mirror_lbn = 11825503,
                 .bitmap_lbn = 0xFFFFFFFF,
                 .allocation_unit = 64,
                 .alignment_unit = 32,
                 .flags = 1}},
    };
    udf_entity_domain(0x0250, &lvd.domain);
    return lvd;
}

static inline struct udf_lvid sample_lvid(uint32_t partitions, uint32_t own) {
    struct udf_lvid lvid = {
        .recorded = sample_time,
        .closed = true,
        .next = {8192, 17},
        .next_unique_id = 0x123456789A,
        .partitions = partitions,
        .implementation = own_entity(),
        .files = 11,
        .directories = 12,
        .min_read = 0x0102,
        .min_write = 0x0200,
        .max_write = 0x0260,
        .own_bytes = own,
    };
    for (uint32_t i = 0; i < partitions; i++) {
        lvid.free_blocks[i] = 1000 + i;
        lvid.size_blocks[i] = 2000 + i;
    }
    for (uint32_t i = 0; i < own; i++) {
        lvid.own[i] = (uint8_t)(i + 1);
    }
    return lvid;
}

#endif
