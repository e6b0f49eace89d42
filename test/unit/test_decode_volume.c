/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Volume descriptors, integrity descriptors and sparing tables: decode gives
 * back what encode was given, bytes lie where the standard has them, lengths
 * that lie are refused.
 */
#include "udf/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "test/unit/descriptors.h"
#include "udf/encode.h"
#include "udf/sparing_table.h"
#include "udf/tag.h"

static void test_decode_volume_avdp(void **state) {
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

static void test_decode_volume_pvd(void **state) {
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
    assert_int_equal(u16_at(block + 60), 2);
    assert_int_equal(u16_at(block + 62), 3);
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

static void test_decode_volume_texts_that_fail(void **state) {
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

static void test_decode_volume_iuvd(void **state) {
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

static void test_decode_volume_pd(void **state) {
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

static void test_decode_volume_lvd(void **state) {
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

static void test_decode_volume_lvd_map_table(void **state) {
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

static void test_decode_volume_lvd_unknown_maps(void **state) {
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

static void test_decode_volume_usd(void **state) {
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

static void test_decode_volume_td(void **state) {
    (void)state;
    uint8_t block[BLOCK];
    soil(block);
    udf_encode_td(&style, LBA, block);
    expect_tag(block, 8, 496);
    expect_zero_from(block, 16);
}

static void test_decode_volume_lvid(void **state) {
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

static void test_decode_volume_lvid_lengths(void **state) {
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

static void expect_sparing(uint16_t entries) {
    static uint8_t raw[3 * BLOCK];
    struct udf_sparing_entry entry[300];
    struct udf_sparing_table back, table = {
                                       .sequence = 42,
                                       .entries = entries,
                                       .entry = entry,
                                   };
    uint32_t bytes = 56 + 8u * entries;
    for (uint32_t i = 0; i < entries; i++) {
        entry[i].original = i < 2 ? 32 * i : UDF_SPARE_FREE;
        entry[i].mapped = 384 + 32 * i;
    }
    memset(raw, 0xAA, sizeof(raw));
    udf_encode_sparing(&table, 0x0201, &style, LBA, raw);
    if (bytes <= BLOCK) {
        expect_tag(raw, 0, bytes - 16);
    }
    assert_memory_equal(raw + 16, "\0*UDF Sparing Table\0", 20);
    assert_int_equal(u16_at(raw + 48), entries);
    /* whole blocks, and no more */
    assert_int_equal(raw[(bytes + BLOCK - 1) / BLOCK * BLOCK - 1],
                     bytes % BLOCK ? 0 : raw[bytes - 1]);
    assert_int_equal(raw[(bytes + BLOCK - 1) / BLOCK * BLOCK], 0xAA);
    for (int all = 0; all < 2; all++) {
        assert_int_equal(
            udf_decode_sparing(raw, all ? sizeof(raw) : bytes, LBA, &back), 0);
        assert_int_equal(back.sequence, 42);
        assert_int_equal(back.entries, entries);
        assert_memory_equal(back.entry, entry, entries * sizeof(entry[0]));
        udf_sparing_table_free(&back);
    }
    assert_int_equal(udf_decode_sparing(raw, bytes - 1, LBA, &back), -EUCLEAN);
}

static void test_decode_volume_sparing(void **state) {
    static const uint16_t sizes[] = {0, 83, 166, 249, 250, 300};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        expect_sparing(sizes[i]);
    }
}

static void test_decode_volume_sparing_refuses(void **state) {
    (void)state;
    static uint8_t raw[2 * BLOCK];
    struct udf_sparing_entry entry[3] = {{0}};
    struct udf_sparing_table table = {.entries = 3, .entry = entry};
    assert_int_equal(udf_decode_sparing(raw, BLOCK, 0, &table), -EUCLEAN);
    udf_encode_sparing(&table, 0x0201, &style, LBA, raw);
    assert_int_equal(udf_decode_sparing(raw, BLOCK, LBA + 1, &table), -EUCLEAN);
    raw[48] = 250; /* more than the block holds */
    reseal(raw);
    assert_int_equal(udf_decode_sparing(raw, BLOCK, LBA, &table), -EUCLEAN);
    raw[48] = 249;
    reseal(raw);
    assert_int_equal(udf_decode_sparing(raw, 56 + 8 * 248, LBA, &table),
                     -EUCLEAN);
    raw[20] = 'X';
    reseal(raw);
    assert_int_equal(udf_decode_sparing(raw, BLOCK, LBA, &table), -EUCLEAN);
    assert_int_equal(table.entries, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode_volume_avdp),
        cmocka_unit_test(test_decode_volume_pvd),
        cmocka_unit_test(test_decode_volume_texts_that_fail),
        cmocka_unit_test(test_decode_volume_iuvd),
        cmocka_unit_test(test_decode_volume_pd),
        cmocka_unit_test(test_decode_volume_lvd),
        cmocka_unit_test(test_decode_volume_lvd_map_table),
        cmocka_unit_test(test_decode_volume_lvd_unknown_maps),
        cmocka_unit_test(test_decode_volume_usd),
        cmocka_unit_test(test_decode_volume_td),
        cmocka_unit_test(test_decode_volume_lvid),
        cmocka_unit_test(test_decode_volume_lvid_lengths),
        cmocka_unit_test(test_decode_volume_sparing),
        cmocka_unit_test(test_decode_volume_sparing_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
