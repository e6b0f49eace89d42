/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Descriptors: decode gives back what encode was given, bytes lie where the
 * standard has them, and hostile blocks are refused without harm. The last
 * test damages blocks by a fixed sequence of random numbers and seals them
 * again, so that the damage gets past the tag.
 */
#include "udf/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/encode.h"
#include "udf/tag.h"

static const struct udf_tag_style style = {.version = 3, .serial = 5};

enum { LBA = 4711, BLOCK = UDF_BLOCK_BYTES };

static const struct udf_time sample_time = {1700000000, 123456000, -300};

static uint32_t u32_at(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

static uint16_t u16_at(const uint8_t *at) {
    return (uint16_t)(at[0] | at[1] << 8);
}

static void put_u32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

/* Seals a block that was changed by hand: id and location stay. */
static void reseal(uint8_t *block) {
    uint32_t covered = u16_at(block + 10);
    if (covered > BLOCK - 16) {
        covered = BLOCK - 16;
    }
    udf_tag_seal(block, 16 + covered, u16_at(block), &style, LBA);
}

/* A block that has nothing but bytes that must be overwritten. */
static void soil(uint8_t *block) {
    memset(block, 0xEE, BLOCK);
}

static void expect_zero_from(const uint8_t *block, uint32_t from) {
    for (uint32_t i = from; i < BLOCK; i++) {
        assert_int_equal(block[i], 0);
    }
}

static void expect_tag(const uint8_t *block, unsigned id, uint32_t crc_bytes) {
    struct udf_tag tag;
    assert_int_equal(udf_tag_check(block, BLOCK, &tag), 0);
    assert_int_equal(tag.id, id);
    assert_int_equal(tag.location, LBA);
    assert_int_equal(tag.serial, 5);
    assert_int_equal(tag.version, 3);
    assert_int_equal(tag.crc_bytes, crc_bytes);
    expect_zero_from(block, 16 + crc_bytes);
}

static void expect_time(const struct udf_time *time) {
    assert_int_equal(time->sec, sample_time.sec);
    assert_int_equal(time->nsec, sample_time.nsec);
    assert_int_equal(time->tz_minutes, sample_time.tz_minutes);
}

static void expect_entity(const struct udf_entity *a,
                          const struct udf_entity *b) {
    assert_int_equal(a->flags, b->flags);
    assert_string_equal(a->id, b->id);
    assert_memory_equal(a->suffix, b->suffix, 8);
}

static void expect_long_ad(const struct udf_long_ad *a,
                           const struct udf_long_ad *b) {
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->addr.lbn, b->addr.lbn);
    assert_int_equal(a->addr.part, b->addr.part);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->unique_id, b->unique_id);
}

static struct udf_long_ad sample_ad(uint32_t salt) {
    return (struct udf_long_ad){
        .bytes = 2048 * salt,
        .kind = (uint8_t)(salt % 4),
        .addr = {.lbn = 0x80000000u + salt, .part = (uint16_t)salt},
        .flags = (uint16_t)(salt & 1),
        .unique_id = 0xF0000000u + salt,
    };
}

static struct udf_entity own_entity(void) {
    struct udf_entity entity;
    udf_entity_own(&entity);
    return entity;
}

static void test_decode_small_types(void **state) {
    (void)state;
    static const uint8_t raw_long[] = {0x01, 0x02, 0x03, 0xC4, 5,  6,  7,  8,
                                       9,    10,   11,   12,   13, 14, 15, 16};
    uint8_t back[16];
    struct udf_long_ad ad = udf_long_ad_decode(raw_long);
    assert_int_equal(ad.bytes, 0x04030201);
    assert_int_equal(ad.kind, 3);
    assert_int_equal(ad.addr.lbn, 0x08070605);
    assert_int_equal(ad.addr.part, 0x0A09);
    assert_int_equal(ad.flags, 0x0C0B);
    assert_int_equal(ad.unique_id, 0x100F0E0D);
    udf_long_ad_encode(&ad, back);
    assert_memory_equal(back, raw_long, 16);
    struct udf_short_ad small = udf_short_ad_decode(raw_long);
    assert_int_equal(small.bytes, 0x04030201);
    assert_int_equal(small.kind, 3);
    assert_int_equal(small.lbn, 0x08070605);
    udf_short_ad_encode(&small, back);
    assert_memory_equal(back, raw_long, 8);
}

static void test_decode_entities(void **state) {
    (void)state;
    struct udf_entity entity;
    uint8_t raw[32], back[32];
    udf_entity_own(&entity);
    assert_string_equal(entity.id, "*udfpkt");
    assert_memory_equal(entity.suffix, "\4\5\0\0\0\0\0\0", 8);
    udf_entity_domain(0x0201, &entity);
    assert_string_equal(entity.id, "*OSTA UDF Compliant");
    assert_memory_equal(entity.suffix, "\1\2\0\0\0\0\0\0", 8);
    assert_int_equal(udf_entity_revision(&entity), 0x0201);
    udf_entity_udf("*UDF LV Info", 0x0250, &entity);
    assert_memory_equal(entity.suffix, "\x50\2\4\5\0\0\0\0", 8);
    /* an identifier that fills its field has no NUL on the disc */
    for (unsigned i = 0; i < 32; i++) {
        raw[i] = (uint8_t)('A' + i);
    }
    udf_entity_decode(raw, &entity);
    assert_int_equal(strlen(entity.id), 23);
    udf_entity_encode(&entity, back);
    assert_memory_equal(back, raw, 32);
}

static void test_decode_avdp(void **state) {
    (void)state;
    uint8_t block[BLOCK];
    struct udf_avdp back, avdp = {{32768, 288}, {65536, 0xFFFFFFF0}};
    soil(block);
    udf_encode_avdp(&avdp, &style, LBA, block);
    expect_tag(block, 2, 496);
    assert_int_equal(u32_at(block + 16), 32768);
    assert_int_equal(u32_at(block + 20), 288);
    assert_int_equal(udf_decode_avdp(block, LBA, &back), 0);
    assert_memory_equal(&back, &avdp, sizeof(back));
}

static void test_decode_pvd(void **state) {
    (void)state;
    uint8_t block[BLOCK];
    struct udf_pvd back, pvd = {
                             .vdsn = 7,
                             .volume_id = "DISC",
                             .volume_set_id = "0123456789abcdef set",
                             .recorded = sample_time,
                             .application = {.id = "*App"},
                             .implementation = own_entity(),
                         };
    soil(block);
    assert_int_equal(udf_encode_pvd(&pvd, &style, LBA, block), 0);
    expect_tag(block, 1, 496);
    assert_memory_equal(block + 24,
                        "\x08"
                        "DISC\0",
                        6);
    assert_int_equal(block[55], 5);
    assert_int_equal(u16_at(block + 56), 1);
    assert_memory_equal(block + 200, "\0OSTA Compressed Unicode\0", 25);
    assert_memory_equal(block + 264, "\0OSTA Compressed Unicode\0", 25);
    assert_memory_equal(block + 388, "\0*udfpkt", 9);
    assert_int_equal(udf_decode_pvd(block, LBA, &back), 0);
    assert_int_equal(back.vdsn, 7);
    assert_string_equal(back.volume_id, pvd.volume_id);
    assert_string_equal(back.volume_set_id, pvd.volume_set_id);
    expect_time(&back.recorded);
    expect_entity(&back.application, &pvd.application);
    expect_entity(&back.implementation, &pvd.implementation);
}

static void test_decode_texts_that_fail(void **state) {
    (void)state;
    static uint8_t block[BLOCK], before[BLOCK];
    struct udf_pvd pvd = {.volume_id = "1234567890123456789012345678901"};
    struct udf_fsd fsd = {.label = "bad \xFF"};
    struct udf_lvd lvd = {.label = "\xEF\xBB\xBF"};
    struct udf_iuvd iuvd = {.label = "\xC3"};
    udf_entity_udf("*UDF LV Info", 0x0201, &iuvd.implementation);
    soil(block);
    soil(before);
    assert_int_equal(udf_encode_pvd(&pvd, &style, LBA, block), -ENAMETOOLONG);
    assert_int_equal(udf_encode_fsd(&fsd, &style, LBA, block), -EILSEQ);
    assert_int_equal(udf_encode_lvd(&lvd, &style, LBA, block), -EILSEQ);
    assert_int_equal(udf_encode_iuvd(&iuvd, &style, LBA, block), -EILSEQ);
    assert_memory_equal(block, before, BLOCK);
    /* a label that is broken on the disc is none */
    strcpy(pvd.volume_id, "ok");
    assert_int_equal(udf_encode_pvd(&pvd, &style, LBA, block), 0);
    block[55] = 200;
    reseal(block);
    assert_int_equal(udf_decode_pvd(block, LBA, &pvd), 0);
    assert_string_equal(pvd.volume_id, "");
}

static void test_decode_iuvd(void **state) {
    (void)state;
    uint8_t block[BLOCK];
    struct udf_iuvd back, iuvd = {.vdsn = 2, .label = "My disc"};
    udf_entity_udf("*UDF LV Info", 0x0201, &iuvd.implementation);
    iuvd.use[459] = 0x55;
    soil(block);
    assert_int_equal(udf_encode_iuvd(&iuvd, &style, LBA, block), 0);
    expect_tag(block, 4, 496);
    assert_memory_equal(block + 52 + 64, "\x08My disc", 8);
    assert_memory_equal(block + 52 + 300, "\0*udfpkt", 9);
    assert_int_equal(udf_decode_iuvd(block, LBA, &back), 0);
    assert_int_equal(back.vdsn, 2);
    assert_string_equal(back.label, "My disc");
    assert_int_equal(back.use[459], 0x55);
    expect_entity(&back.implementation, &iuvd.implementation);

    memset(iuvd.use, 0x33, sizeof(iuvd.use));
    udf_entity_own(&iuvd.implementation);
    assert_int_equal(udf_encode_iuvd(&iuvd, &style, LBA, block), 0);
    assert_int_equal(udf_decode_iuvd(block, LBA, &back), 0);
    assert_memory_equal(back.use, iuvd.use, sizeof(back.use));
    assert_string_equal(back.label, "");
}

static void test_decode_pd(void **state) {
    (void)state;
    uint8_t block[BLOCK], again[BLOCK];
    struct udf_pd back, pd = {
                            .vdsn = 3,
                            .flags = 1,
                            .number = 0x1234,
                            .contents = "+NSR03",
                            .unallocated_table = {8, 1, 2},
                            .unallocated_bitmap = {36712, 0, 3},
                            .freed_table = {2048, 1, 4},
                            .freed_bitmap = {4096, 1, 5},
                            .access = 4,
                            .start_lba = 1408,
                            .blocks = 293504,
                            .implementation = own_entity(),
                        };
    soil(block);
    udf_encode_pd(&pd, &style, LBA, block);
    expect_tag(block, 5, 496);
    assert_memory_equal(block + 24, "\0+NSR03\0", 8);
    assert_int_equal(u32_at(block + 56 + 8), 36712);
    assert_int_equal(u32_at(block + 184), 4);
    assert_int_equal(u32_at(block + 188), 1408);
    assert_int_equal(u32_at(block + 192), 293504);
    assert_int_equal(udf_decode_pd(block, LBA, &back), 0);
    assert_int_equal(back.number, 0x1234);
    assert_string_equal(back.contents, "+NSR03");
    assert_int_equal(back.freed_bitmap.lbn, 5);
    assert_int_equal(back.freed_table.kind, 1);
    udf_encode_pd(&back, &style, LBA, again);
    assert_memory_equal(block, again, BLOCK);
}

static struct udf_lvd sample_lvd(void) {
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

static void test_decode_lvd(void **state) {
    (void)state;
    uint8_t block[BLOCK], again[BLOCK];
    struct udf_lvd back, lvd = sample_lvd();
    soil(block);
    assert_int_equal(udf_encode_lvd(&lvd, &style, LBA, block), 0);
    expect_tag(block, 6, 440 + 6 + 3 * 64 - 16);
    assert_int_equal(u32_at(block + 212), 2048);
    assert_int_equal(u32_at(block + 252), 32);
    assert_int_equal(u32_at(block + 264), 198);
    assert_int_equal(u32_at(block + 268), 4);
    assert_int_equal(u32_at(block + 432), 65536);
    assert_memory_equal(block + 440, "\1\6\1\0\11\0\2\100\0\0\0*UDF Spar", 20);
    assert_int_equal(u16_at(block + 446 + 40), 32);
    assert_int_equal(block[446 + 42], 2);
    assert_int_equal(u32_at(block + 446 + 52), 294912);
    assert_memory_equal(block + 446 + 4 + 24, "\x50\x02\4\5", 4);
    assert_int_equal(udf_decode_lvd(block, LBA, &back), 0);
    assert_string_equal(back.label, lvd.label);
    assert_int_equal(udf_entity_revision(&back.domain), 0x0250);
    assert_int_equal(back.maps, 4);
    assert_memory_equal(back.map, lvd.map, sizeof(lvd.map));
    expect_long_ad(&back.fsd, &lvd.fsd);
    assert_int_equal(udf_encode_lvd(&back, &style, LBA, again), 0);
    assert_memory_equal(block, again, BLOCK);
}

static void test_decode_lvd_map_table(void **state) {
    (void)state;
    static const struct {
        uint32_t at;
        uint8_t value;
        int expected;
    } changes[] = {
        {268, 3, 0},          {268, 5, -EUCLEAN},   /* number of maps */
        {268, 9, -EUCLEAN},   {264, 197, -EUCLEAN}, /* table length */
        {265, 7, -EUCLEAN},   {441, 0, -EUCLEAN},   /* length of map 0 */
        {441, 1, -EUCLEAN},   {441, 7, -EUCLEAN},
        {441, 255, -EUCLEAN}, {447, 63, -EUCLEAN},
        {488, 0, -EUCLEAN}, /* sparing tables */
        {488, 4, 0},          {488, 5, -EUCLEAN},
        {486, 0, -EUCLEAN}, /* packet length */
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        uint8_t block[BLOCK];
        struct udf_lvd back, lvd = sample_lvd();
        assert_int_equal(udf_encode_lvd(&lvd, &style, LBA, block), 0);
        block[changes[i].at] = changes[i].value;
        reseal(block);
        assert_int_equal(udf_decode_lvd(block, LBA, &back),
                         changes[i].expected);
    }
}

static void test_decode_lvd_unknown_maps(void **state) {
    (void)state;
    static uint8_t block[BLOCK], before[BLOCK];
    struct udf_lvd back, lvd = sample_lvd();
    assert_int_equal(udf_encode_lvd(&lvd, &style, LBA, block), 0);
    block[440] = 3;       /* another type */
    block[446 + 6] = 'Q'; /* another identifier */
    reseal(block);
    assert_int_equal(udf_decode_lvd(block, LBA, &back), 0);
    assert_int_equal(back.map[0].kind, UDF_MAP_KIND_UNKNOWN);
    assert_int_equal(back.map[1].kind, UDF_MAP_KIND_UNKNOWN);
    assert_int_equal(back.map[2].kind, UDF_MAP_KIND_VIRTUAL);
    memcpy(before, block, BLOCK);
    assert_int_equal(udf_encode_lvd(&back, &style, LBA, block), -EOPNOTSUPP);
    assert_memory_equal(block, before, BLOCK);
}

static void test_decode_usd(void **state) {
    (void)state;
    uint8_t block[BLOCK];
    struct udf_usd back, usd = {.vdsn = 5, .extents = 2};
    usd.extent[0] = (struct udf_extent_ad){458752, 32};
    usd.extent[1] = (struct udf_extent_ad){2048, 295008};
    soil(block);
    udf_encode_usd(&usd, &style, LBA, block);
    expect_tag(block, 7, 24 + 16 - 16);
    assert_int_equal(udf_decode_usd(block, LBA, &back), 0);
    assert_memory_equal(&back, &usd, sizeof(back));
    usd.extents = 0;
    udf_encode_usd(&usd, &style, LBA, block);
    assert_int_equal(udf_decode_usd(block, LBA, &back), 0);
    assert_int_equal(back.extents, 0);
    /* more than are kept; as many as a block holds; more */
    put_u32(block + 20, 253);
    reseal(block);
    assert_int_equal(udf_decode_usd(block, LBA, &back), 0);
    assert_int_equal(back.extents, 8);
    put_u32(block + 20, 254);
    reseal(block);
    assert_int_equal(udf_decode_usd(block, LBA, &back), -EUCLEAN);
    put_u32(block + 20, 0xFFFFFFFF);
    reseal(block);
    assert_int_equal(udf_decode_usd(block, LBA, &back), -EUCLEAN);
}

static void test_decode_td(void **state) {
    (void)state;
    uint8_t block[BLOCK];
    soil(block);
    udf_encode_td(&style, LBA, block);
    expect_tag(block, 8, 496);
    expect_zero_from(block, 16);
}

static struct udf_lvid sample_lvid(uint32_t partitions, uint32_t own) {
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

static void test_decode_lvid(void **state) {
    (void)state;
    for (uint32_t partitions = 0; partitions <= 8; partitions++) {
        uint8_t block[BLOCK];
        uint32_t own = partitions * 32;
        struct udf_lvid back, lvid = sample_lvid(partitions, own);
        soil(block);
        udf_encode_lvid(&lvid, &style, LBA, block);
        expect_tag(block, 9, 80 + 8 * partitions + 46 + own - 16);
        assert_int_equal(u32_at(block + 28), 1);
        assert_int_equal(u32_at(block + 40), 0x3456789A);
        assert_int_equal(u32_at(block + 72), partitions);
        assert_int_equal(u32_at(block + 76), 46 + own);
        assert_int_equal(u32_at(block + 80 + 8 * partitions + 32), 11);
        assert_int_equal(udf_decode_lvid(block, LBA, &back), 0);
        assert_true(back.closed);
        assert_int_equal(back.next_unique_id, 0x123456789A);
        assert_int_equal(back.next.lba, 17);
        assert_int_equal(back.files, 11);
        assert_int_equal(back.directories, 12);
        assert_int_equal(back.min_read, 0x0102);
        assert_int_equal(back.min_write, 0x0200);
        assert_int_equal(back.max_write, 0x0260);
        assert_int_equal(back.own_bytes, own);
        assert_memory_equal(back.own, lvid.own, sizeof(back.own));
        assert_memory_equal(back.free_blocks, lvid.free_blocks, 32);
        assert_memory_equal(back.size_blocks, lvid.size_blocks, 32);
        expect_time(&back.recorded);
    }
}

static void test_decode_lvid_lengths(void **state) {
    (void)state;
    static const struct {
        uint32_t partitions, use_bytes;
        int expected;
    } cases[] = {
        {1, 46, 0},
        {1, 45, -EUCLEAN},
        {1, 0, -EUCLEAN},
        {1, BLOCK - 80 - 8, 0},
        {1, BLOCK - 80 - 7, -EUCLEAN},
        {8, BLOCK - 80 - 64, 0},
        {8, BLOCK - 80 - 63, -EUCLEAN},
        {9, 46, -EUCLEAN},
        {1, 0xFFFFFFFF, -EUCLEAN},
        {0x20000001, 46, -EUCLEAN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t block[BLOCK];
        struct udf_lvid back, lvid = sample_lvid(1, 0);
        udf_encode_lvid(&lvid, &style, LBA, block);
        put_u32(block + 72, cases[i].partitions);
        put_u32(block + 76, cases[i].use_bytes);
        reseal(block);
        assert_int_equal(udf_decode_lvid(block, LBA, &back), cases[i].expected);
        if (cases[i].expected == 0 && cases[i].use_bytes > 1000) {
            assert_int_equal(back.own_bytes, sizeof(back.own));
        }
    }
    uint8_t block[BLOCK];
    struct udf_lvid lvid = sample_lvid(1, 0);
    lvid.closed = false;
    udf_encode_lvid(&lvid, &style, LBA, block);
    assert_int_equal(u32_at(block + 28), 0);
    put_u32(block + 28, 2); /* neither OPEN nor CLOSE */
    reseal(block);
    lvid.closed = true;
    assert_int_equal(udf_decode_lvid(block, LBA, &lvid), 0);
    assert_false(lvid.closed);
}

static void test_decode_fsd(void **state) {
    (void)state;
    uint8_t block[BLOCK];
    struct udf_fsd back, fsd = {
                             .recorded = sample_time,
                             .label = "\xE6\x97\xA5",
                             .file_set_id = "set",
                             .root = sample_ad(2),
                             .next = sample_ad(3),
                             .system_stream_dir = sample_ad(5),
                         };
    udf_entity_domain(0x0201, &fsd.domain);
    soil(block);
    assert_int_equal(udf_encode_fsd(&fsd, &style, LBA, block), 0);
    expect_tag(block, 256, 496);
    assert_memory_equal(block + 112, "\x10\x65\xE5", 3);
    assert_int_equal(u32_at(block + 404), 0x80000002);
    assert_int_equal(udf_decode_fsd(block, LBA, &back), 0);
    assert_string_equal(back.label, fsd.label);
    assert_string_equal(back.file_set_id, "set");
    expect_time(&back.recorded);
    expect_entity(&back.domain, &fsd.domain);
    expect_long_ad(&back.root, &fsd.root);
    expect_long_ad(&back.next, &fsd.next);
    expect_long_ad(&back.system_stream_dir, &fsd.system_stream_dir);
}

static uint8_t sample_bytes[BLOCK];

static struct udf_fe sample_fe(bool extended, uint32_t ea, uint32_t ads) {
    for (uint32_t i = 0; i < BLOCK; i++) {
        sample_bytes[i] = (uint8_t)(i * 13 + 1);
    }
    struct udf_fe fe = {
        .extended = extended,
        .strategy = 4,
        .file_type = UDF_FILE_REGULAR,
        .parent_icb = {0x01020304, 5},
        .icb_flags = UDF_ICB_ARCHIVE | UDF_AD_EMBEDDED,
        .uid = 1000,
        .gid = UDF_ID_UNSET,
        .permissions = 0x7CA5,
        .links = 3,
        .info_bytes = 0x1122334455667788,
        .object_bytes = 0x1122334455667788,
        .blocks_recorded = 0x99,
        .atime = sample_time,
        .mtime = sample_time,
        .ctime = sample_time,
        .checkpoint = 1,
        .ea_icb = sample_ad(2),
        .implementation = own_entity(),
        .unique_id = 0xABCDEF0123,
        .ea = sample_bytes,
        .ea_bytes = ea,
        .ads = sample_bytes + 100,
        .ads_bytes = ads,
    };
    fe.atime.sec += 1;
    fe.mtime.sec += 2;
    if (extended) {
        fe.object_bytes++;
        fe.btime = sample_time;
        fe.btime.sec += 3;
        fe.stream_dir = sample_ad(3);
    }
    return fe;
}

static void check_fe_round_trip(bool extended) {
    uint8_t block[BLOCK], again[BLOCK];
    uint32_t fixed = extended ? UDF_EFE_BYTES : UDF_FE_BYTES;
    struct udf_fe back, fe = sample_fe(extended, 24, 40);
    soil(block);
    assert_int_equal(udf_encode_fe(&fe, &style, LBA, block), 0);
    expect_tag(block, extended ? 266 : 261, fixed + 64 - 16);
    assert_int_equal(u16_at(block + 20), 4);
    assert_int_equal(u16_at(block + 24), 1);
    assert_int_equal(u32_at(block + 36), 1000);
    assert_int_equal(u32_at(block + fixed - 8), 24);
    assert_int_equal(udf_decode_fe(block, LBA, &back), 0);
    assert_int_equal(back.extended, extended);
    assert_int_equal(back.object_bytes, fe.object_bytes);
    assert_int_equal(back.atime.sec, sample_time.sec + 1);
    assert_int_equal(back.mtime.sec, sample_time.sec + 2);
    assert_int_equal(back.btime.sec, fe.btime.sec);
    expect_time(&back.ctime);
    assert_int_equal(back.unique_id, 0xABCDEF0123);
    assert_int_equal(back.links, 3);
    expect_long_ad(&back.ea_icb, &fe.ea_icb);
    expect_long_ad(&back.stream_dir, &fe.stream_dir);
    expect_entity(&back.implementation, &fe.implementation);
    assert_int_equal(back.ea_bytes, 24);
    assert_memory_equal(back.ea, sample_bytes, 24);
    assert_int_equal(back.ads_bytes, 40);
    assert_memory_equal(back.ads, sample_bytes + 100, 40);
    /* into another block, and onto the block that `back` points into */
    assert_int_equal(udf_encode_fe(&back, &style, LBA, again), 0);
    assert_memory_equal(block, again, BLOCK);
    assert_int_equal(udf_encode_fe(&back, &style, LBA, block), 0);
    assert_memory_equal(block, again, BLOCK);
}

static void test_decode_fe(void **state) {
    (void)state;
    check_fe_round_trip(false);
    check_fe_round_trip(true);
}

static void test_decode_fe_room(void **state) {
    (void)state;
    for (int extended = 0; extended < 2; extended++) {
        static uint8_t block[BLOCK], before[BLOCK];
        uint32_t room = BLOCK - (extended ? UDF_EFE_BYTES : UDF_FE_BYTES);
        struct udf_fe back, fe = sample_fe(extended, 100, room - 100);
        assert_int_equal(udf_encode_fe(&fe, &style, LBA, block), 0);
        assert_int_equal(udf_decode_fe(block, LBA, &back), 0);
        assert_ptr_equal(back.ads + back.ads_bytes, block + BLOCK);
        memcpy(before, block, BLOCK);
        fe.ads_bytes++;
        assert_int_equal(udf_encode_fe(&fe, &style, LBA, block), -ENOSPC);
        fe.ads_bytes = 0;
        fe.ea_bytes = room + 1;
        assert_int_equal(udf_encode_fe(&fe, &style, LBA, block), -ENOSPC);
        fe.ea_bytes = 0xFFFFFFFF;
        fe.ads_bytes = 2;
        assert_int_equal(udf_encode_fe(&fe, &style, LBA, block), -ENOSPC);
        assert_memory_equal(block, before, BLOCK);
        fe.ea_bytes = 0;
        fe.ads_bytes = 0;
        fe.ea = fe.ads = NULL;
        assert_int_equal(udf_encode_fe(&fe, &style, LBA, block), 0);
        assert_int_equal(udf_decode_fe(block, LBA, &back), 0);
    }
}

static void test_decode_fe_refuses(void **state) {
    (void)state;
    for (int extended = 0; extended < 2; extended++) {
        uint8_t good[BLOCK], block[BLOCK];
        uint32_t fixed = extended ? UDF_EFE_BYTES : UDF_FE_BYTES;
        const struct {
            uint32_t at, value;
        } bad[] = {
            {fixed - 8, BLOCK - fixed + 1},
            {fixed - 8, 0xFFFFFFFF},
            {fixed - 4, BLOCK - fixed},
            {fixed - 4, 0xFFFFFFFF},
            {fixed - 8, 0xFFFFFFF0},
            {20, 0},
            {20, 1},
            {32, 0x00040000},
            {32, 0x00070000},
        };
        struct udf_fe back = {.uid = 321}, fe = sample_fe(extended, 24, 40);
        assert_int_equal(udf_encode_fe(&fe, &style, LBA, good), 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            memcpy(block, good, BLOCK);
            put_u32(block + bad[i].at, bad[i].value);
            reseal(block);
            assert_int_equal(udf_decode_fe(block, LBA, &back), -EUCLEAN);
        }
        assert_int_equal(udf_decode_fe(good, LBA + 1, &back), -EUCLEAN);
        udf_tag_seal(good, BLOCK, UDF_TAG_AED, &style, LBA);
        assert_int_equal(udf_decode_fe(good, LBA, &back), -EUCLEAN);
        assert_int_equal(back.uid, 321);
    }
}

static void test_decode_fe_strategy_4096(void **state) {
    (void)state;
    uint8_t block[BLOCK];
    struct udf_fe back, fe = sample_fe(false, 0, 8);
    fe.strategy = 4096;
    assert_int_equal(udf_encode_fe(&fe, &style, LBA, block), 0);
    assert_int_equal(u16_at(block + 22), 1);
    assert_int_equal(u16_at(block + 24), 2);
    assert_int_equal(udf_decode_fe(block, LBA, &back), 0);
    assert_int_equal(back.strategy, 4096);
}

static void test_decode_aed(void **state) {
    (void)state;
    static uint8_t block[BLOCK];
    struct udf_aed back, aed = {.previous_lbn = 99, .ads = sample_bytes};
    static const uint32_t lengths[] = {0, 8, 2024};
    for (int i = 0; i < 3; i++) {
        aed.ads_bytes = lengths[i];
        soil(block);
        assert_int_equal(udf_encode_aed(&aed, &style, LBA, block), 0);
        expect_tag(block, 258, 24 + lengths[i] - 16);
        assert_int_equal(udf_decode_aed(block, LBA, &back), 0);
        assert_int_equal(back.previous_lbn, 99);
        assert_int_equal(back.ads_bytes, lengths[i]);
        assert_memory_equal(back.ads, sample_bytes, lengths[i]);
    }
    aed.ads_bytes = 2025;
    assert_int_equal(udf_encode_aed(&aed, &style, LBA, block), -ENOSPC);
    put_u32(block + 20, 2025);
    reseal(block);
    assert_int_equal(udf_decode_aed(block, LBA, &back), -EUCLEAN);
}

static void test_decode_sbd(void **state) {
    (void)state;
    static uint8_t block[BLOCK];
    uint32_t bits = 0, bytes = 0;
    soil(block);
    udf_encode_sbd(293504, &style, LBA, block);
    assert_int_equal(block[24], 0xEE); /* the map is not ours */
    assert_int_equal(u16_at(block + 10), 0);
    assert_int_equal(udf_decode_sbd(block, LBA, &bits, &bytes), 0);
    assert_int_equal(bits, 293504);
    assert_int_equal(bytes, 36688);
    udf_encode_sbd(0xFFFFFFFF, &style, LBA, block);
    assert_int_equal(udf_decode_sbd(block, LBA, &bits, &bytes), 0);
    assert_int_equal(bytes, 0x20000000);
    udf_encode_sbd(9, &style, LBA, block);
    assert_int_equal(u32_at(block + 20), 2);
    put_u32(block + 20, 1); /* too few bytes for the bits */
    assert_int_equal(udf_decode_sbd(block, LBA, &bits, &bytes), -EUCLEAN);
    put_u32(block + 20, 100); /* more are harmless */
    assert_int_equal(udf_decode_sbd(block, LBA, &bits, &bytes), 0);
    assert_int_equal(udf_decode_sbd(block, LBA + 1, &bits, &bytes), -EUCLEAN);
    assert_int_equal(bytes, 100);
}

/* Other writers' CRC: checked in this block, or too long for it. */
static void test_decode_sbd_crc(void **state) {
    (void)state;
    static uint8_t map[2 * BLOCK];
    uint32_t bits, bytes;
    udf_encode_sbd(64, &style, LBA, map);
    udf_tag_seal(map, 24 + 8, UDF_TAG_SBD, &style, LBA);
    assert_int_equal(udf_decode_sbd(map, LBA, &bits, &bytes), 0);
    map[31] ^= 1;
    assert_int_equal(udf_decode_sbd(map, LBA, &bits, &bytes), -EUCLEAN);
    udf_tag_seal(map, sizeof(map), UDF_TAG_SBD, &style, LBA);
    map[31] ^= 1; /* cannot be seen from one block */
    assert_int_equal(udf_decode_sbd(map, LBA, &bits, &bytes), 0);
    map[5] ^= 1; /* but the tag is checked */
    assert_int_equal(udf_decode_sbd(map, LBA, &bits, &bytes), -EUCLEAN);
}

static void test_decode_sparing(void **state) {
    (void)state;
    static uint8_t block[BLOCK];
    static struct udf_sparing_table back, table;
    for (uint32_t entries = 0; entries <= 249; entries += 83) {
        table = (struct udf_sparing_table){.sequence = 42};
        table.entries = (uint16_t)entries;
        for (uint32_t i = 0; i < entries; i++) {
            table.entry[i].original = i < 2 ? 32 * i : UDF_SPARE_FREE;
            table.entry[i].mapped = 384 + 32 * i;
        }
        soil(block);
        assert_int_equal(udf_encode_sparing(&table, 0x0201, &style, LBA, block),
                         0);
        expect_tag(block, 0, 56 + 8 * entries - 16);
        assert_memory_equal(block + 16, "\0*UDF Sparing Table\0", 20);
        assert_int_equal(u16_at(block + 48), entries);
        assert_int_equal(udf_decode_sparing(block, BLOCK, LBA, &back), 0);
        assert_memory_equal(&back, &table, sizeof(table));
        uint32_t bytes = 56 + 8 * entries;
        assert_int_equal(udf_decode_sparing(block, bytes, LBA, &back), 0);
        assert_int_equal(udf_decode_sparing(block, bytes - 1, LBA, &back),
                         -EUCLEAN);
    }
    table.entries = 250;
    assert_int_equal(udf_encode_sparing(&table, 0x0201, &style, LBA, block),
                     -ENOSPC);
}

static void test_decode_sparing_refuses(void **state) {
    (void)state;
    static uint8_t raw[2 * BLOCK];
    static struct udf_sparing_table table = {.entries = 3};
    assert_int_equal(udf_decode_sparing(raw, BLOCK, 0, &table), -EUCLEAN);
    assert_int_equal(udf_encode_sparing(&table, 0x0201, &style, LBA, raw), 0);
    assert_int_equal(udf_decode_sparing(raw, BLOCK, LBA + 1, &table), -EUCLEAN);
    raw[48] = 250; /* would fit in the bytes, but not in the host's table */
    reseal(raw);
    assert_int_equal(udf_decode_sparing(raw, sizeof(raw), LBA, &table),
                     -EUCLEAN);
    raw[48] = 249;
    reseal(raw);
    assert_int_equal(udf_decode_sparing(raw, 56 + 8 * 248, LBA, &table),
                     -EUCLEAN);
    raw[20] = 'X';
    reseal(raw);
    assert_int_equal(udf_decode_sparing(raw, BLOCK, LBA, &table), -EUCLEAN);
    assert_int_equal(table.entries, 3);
}

/* One of each descriptor, and its decoder. */
static void make_blocks(uint8_t blocks[12][BLOCK]) {
    struct udf_avdp avdp = {{32768, 1}, {32768, 2}};
    struct udf_pvd pvd = {.volume_id = "volume", .recorded = sample_time};
    struct udf_iuvd iuvd = {.label = "label"};
    struct udf_pd pd = {.contents = "+NSR03", .blocks = 99};
    struct udf_lvd lvd = sample_lvd();
    struct udf_usd usd = {.extents = 3};
    struct udf_lvid lvid = sample_lvid(2, 64);
    struct udf_fsd fsd = {.label = "label", .root = sample_ad(1)};
    struct udf_fe fe = sample_fe(false, 24, 64);
    struct udf_fe efe = sample_fe(true, 24, 64);
    struct udf_aed aed = {.ads = sample_bytes, .ads_bytes = 64};
    struct udf_sparing_table table = {.entries = 9};
    udf_entity_udf("*UDF LV Info", 0x0201, &iuvd.implementation);
    udf_encode_avdp(&avdp, &style, LBA, blocks[0]);
    assert_int_equal(udf_encode_pvd(&pvd, &style, LBA, blocks[1]), 0);
    assert_int_equal(udf_encode_iuvd(&iuvd, &style, LBA, blocks[2]), 0);
    udf_encode_pd(&pd, &style, LBA, blocks[3]);
    assert_int_equal(udf_encode_lvd(&lvd, &style, LBA, blocks[4]), 0);
    udf_encode_usd(&usd, &style, LBA, blocks[5]);
    udf_encode_lvid(&lvid, &style, LBA, blocks[6]);
    assert_int_equal(udf_encode_fsd(&fsd, &style, LBA, blocks[7]), 0);
    assert_int_equal(udf_encode_fe(&fe, &style, LBA, blocks[8]), 0);
    assert_int_equal(udf_encode_fe(&efe, &style, LBA, blocks[9]), 0);
    assert_int_equal(udf_encode_aed(&aed, &style, LBA, blocks[10]), 0);
    assert_int_equal(
        udf_encode_sparing(&table, 0x0201, &style, LBA, blocks[11]), 0);
}

/* Decodes as whatever it is; all texts must end, all pointers stay inside. */
static int decode_any(unsigned which, const uint8_t *block) {
    static union {
        struct udf_avdp avdp;
        struct udf_pvd pvd;
        struct udf_iuvd iuvd;
        struct udf_pd pd;
        struct udf_lvd lvd;
        struct udf_usd usd;
        struct udf_lvid lvid;
        struct udf_fsd fsd;
        struct udf_fe fe;
        struct udf_aed aed;
        struct udf_sparing_table table;
    } out;
    int error;
    switch (which) {
    case 0:
        return udf_decode_avdp(block, LBA, &out.avdp);
    case 1:
        error = udf_decode_pvd(block, LBA, &out.pvd);
        assert_true(error != 0 || strlen(out.pvd.volume_id) < 94);
        return error;
    case 2:
        error = udf_decode_iuvd(block, LBA, &out.iuvd);
        assert_true(error != 0 || strlen(out.iuvd.label) < 382);
        return error;
    case 3:
        return udf_decode_pd(block, LBA, &out.pd);
    case 4:
        error = udf_decode_lvd(block, LBA, &out.lvd);
        assert_true(error != 0 || out.lvd.maps <= UDF_PARTMAPS_MAX);
        return error;
    case 5:
        error = udf_decode_usd(block, LBA, &out.usd);
        assert_true(error != 0 || out.usd.extents <= 8);
        return error;
    case 6:
        error = udf_decode_lvid(block, LBA, &out.lvid);
        assert_true(error != 0 || (out.lvid.partitions <= UDF_PARTMAPS_MAX &&
                                   out.lvid.own_bytes <= 256));
        return error;
    case 7:
        return udf_decode_fsd(block, LBA, &out.fsd);
    case 8:
    case 9:
        error = udf_decode_fe(block, LBA, &out.fe);
        assert_true(error != 0 ||
                    (out.fe.ea >= block &&
                     out.fe.ea + out.fe.ea_bytes == out.fe.ads &&
                     out.fe.ads_bytes <= block + BLOCK - out.fe.ads));
        return error;
    case 10:
        error = udf_decode_aed(block, LBA, &out.aed);
        assert_true(error != 0 ||
                    out.aed.ads_bytes <= block + BLOCK - out.aed.ads);
        return error;
    default:
        return udf_decode_sparing(block, BLOCK, LBA, &out.table);
    }
}

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Changes one to four places: a bit, a byte, or an awkward 32-bit number.
 * Mostly near the start, where the lengths are. */
static void damage(uint8_t *block, uint32_t *seed) {
    static const uint32_t numbers[] = {
        0,          1,          0xFF,       0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
        0xFFFFFFF8, 2048 - 176, 2048 - 215, 2047,       2048,       2049};
    enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };
    uint32_t changes = 1 + next_random(seed) % 4;
    for (uint32_t i = 0; i < changes; i++) {
        uint32_t reach = next_random(seed) % 8 == 0 ? BLOCK - 4 : 640;
        uint32_t at = 16 + next_random(seed) % (reach - 16);
        switch (next_random(seed) % 3) {
        case 0:
            block[at] ^= (uint8_t)(1u << next_random(seed) % 8);
            break;
        case 1:
            block[at] = (uint8_t)next_random(seed);
            break;
        default:
            put_u32(block + at, numbers[next_random(seed) % NUMBERS]);
            break;
        }
    }
}

static void test_decode_survives_damage(void **state) {
    (void)state;
    static uint8_t blocks[12][BLOCK];
    uint32_t seed = 20260101, good = 0, bad = 0;
    make_blocks(blocks);
    /* on the heap, where ASan sees the first byte behind it */
    uint8_t *block = malloc(BLOCK);
    assert_non_null(block);
    for (uint32_t round = 0; round < 120000; round++) {
        unsigned which = round % 12;
        memcpy(block, blocks[which], BLOCK);
        damage(block, &seed);
        reseal(block);
        int error = decode_any(which, block);
        assert_true(error == 0 || error == -EUCLEAN);
        good += error == 0;
        bad += error != 0;
    }
    free(block);
    /* The damage got past the tags, and some of it mattered. */
    assert_true(good > 10000 && bad > 2000);
}

static void test_decode_refuses_unsealed_damage(void **state) {
    (void)state;
    static uint8_t blocks[12][BLOCK];
    make_blocks(blocks);
    for (unsigned which = 0; which < 12; which++) {
        uint32_t sealed = 16u + u16_at(blocks[which] + 10);
        assert_int_equal(decode_any(which, blocks[which]), 0);
        for (uint32_t at = 0; at < sealed; at++) {
            blocks[which][at] ^= 0x20;
            assert_int_equal(decode_any(which, blocks[which]), -EUCLEAN);
            blocks[which][at] ^= 0x20;
        }
        /* one descriptor is not taken for another */
        assert_int_equal(decode_any((which + 1) % 12, blocks[which]),
                         which == 8 ? 0 : -EUCLEAN);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode_small_types),
        cmocka_unit_test(test_decode_entities),
        cmocka_unit_test(test_decode_avdp),
        cmocka_unit_test(test_decode_pvd),
        cmocka_unit_test(test_decode_texts_that_fail),
        cmocka_unit_test(test_decode_iuvd),
        cmocka_unit_test(test_decode_pd),
        cmocka_unit_test(test_decode_lvd),
        cmocka_unit_test(test_decode_lvd_map_table),
        cmocka_unit_test(test_decode_lvd_unknown_maps),
        cmocka_unit_test(test_decode_usd),
        cmocka_unit_test(test_decode_td),
        cmocka_unit_test(test_decode_lvid),
        cmocka_unit_test(test_decode_lvid_lengths),
        cmocka_unit_test(test_decode_fsd),
        cmocka_unit_test(test_decode_fe),
        cmocka_unit_test(test_decode_fe_room),
        cmocka_unit_test(test_decode_fe_refuses),
        cmocka_unit_test(test_decode_fe_strategy_4096),
        cmocka_unit_test(test_decode_aed),
        cmocka_unit_test(test_decode_sbd),
        cmocka_unit_test(test_decode_sbd_crc),
        cmocka_unit_test(test_decode_sparing),
        cmocka_unit_test(test_decode_sparing_refuses),
        cmocka_unit_test(test_decode_survives_damage),
        cmocka_unit_test(test_decode_refuses_unsealed_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
