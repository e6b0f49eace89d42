/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The small types and what lies inside a partition: decode gives back what
 * encode was given, bytes lie where the standard has them, and hostile blocks
 * are refused without harm. The last tests take descriptors of every kind,
 * those of test_decode_volume.c too: one damages blocks by a fixed sequence of
 * random numbers and seals them again, so that the damage gets past the tag.
 */
#include "udf/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/descriptors.h"
#include "udf/encode.h"
#include "udf/sparing_table.h"
#include "udf/tag.h"

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
    fe.strategy = UDF_STRATEGY_4096;
    fe.max_entries = 2;
    fe.prior_entries = 70000;
    assert_int_equal(udf_encode_fe(&fe, &style, LBA, block), 0);
    assert_int_equal(u32_at(block + 16), 70000);
    assert_int_equal(u16_at(block + 22), 1);
    assert_int_equal(u16_at(block + 24), 2);
    assert_int_equal(udf_decode_fe(block, LBA, &back), 0);
    assert_int_equal(back.strategy, UDF_STRATEGY_4096);
    assert_int_equal(back.max_entries, 2);
    assert_int_equal(back.prior_entries, 70000);
}

static void test_decode_ie(void **state) {
    (void)state;
    uint8_t block[BLOCK] = {0};
    struct udf_long_ad next, leads_to = sample_ad(3);
    udf_long_ad_encode(&leads_to, block + 36);
    udf_tag_seal(block, 52, UDF_TAG_IE, &style, LBA);
    assert_int_equal(udf_decode_ie(block, LBA, &next), 0);
    expect_long_ad(&next, &leads_to);
    assert_int_equal(udf_decode_ie(block, LBA + 1, &next), -EUCLEAN);
    udf_tag_seal(block, 52, UDF_TAG_TE, &style, LBA);
    assert_int_equal(udf_decode_ie(block, LBA, &next), -EUCLEAN);
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
    struct udf_sparing_entry entry[9] = {{0}};
    struct udf_sparing_table table = {.entries = 9, .entry = entry};
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
    udf_encode_sparing(&table, 0x0201, &style, LBA, blocks[11]);
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
        error = udf_decode_sparing(block, BLOCK, LBA, &out.table);
        if (!error) {
            udf_sparing_table_free(&out.table);
        }
        return error;
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
        cmocka_unit_test(test_decode_fsd),
        cmocka_unit_test(test_decode_fe),
        cmocka_unit_test(test_decode_fe_room),
        cmocka_unit_test(test_decode_fe_refuses),
        cmocka_unit_test(test_decode_fe_strategy_4096),
        cmocka_unit_test(test_decode_ie),
        cmocka_unit_test(test_decode_aed),
        cmocka_unit_test(test_decode_sbd),
        cmocka_unit_test(test_decode_sbd_crc),
        cmocka_unit_test(test_decode_survives_damage),
        cmocka_unit_test(test_decode_refuses_unsealed_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
