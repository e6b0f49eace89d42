/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * File identifier descriptors: round trips at every length, deletion by
 * revision, and hostile bytes.
 */
#include "udf/fid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/tag.h"

static const struct udf_tag_style style = {.version = 3, .serial = 2};

static const uint8_t name[] = "\x08readme.txt";

static struct udf_fid sample(void) {
    return (struct udf_fid){
        .icb = {.bytes = 2048,
                .addr = {.lbn = 0xAABBCCDD, .part = 1},
                .flags = 1,
                .unique_id = 0x11223344},
        .name_bytes = sizeof(name) - 1,
        .name = name,
    };
}

static void test_fid_bytes(void **state) {
    (void)state;
    struct udf_fid fid = sample();
    uint8_t raw[52], expected[52] = {0};
    static const uint8_t body[] = {
        1,    0,    0,    11, /* version, none, L_FI */
        0,    8,    0,    0,  /* ICB: 2048 bytes */
        0xDD, 0xCC, 0xBB, 0xAA, 1,    0, 1,
        0,    0x44, 0x33, 0x22, 0x11, 0, 0}; /* L_IU */
    memcpy(expected + 16, body, sizeof(body));
    memcpy(expected + 38, name, 11);
    assert_int_equal(udf_fid_size(0, 11), 52);
    udf_fid_encode(&fid, &style, 77, raw);
    assert_memory_equal(raw + 16, expected + 16, 52 - 16);
    assert_int_equal(udf_tag_expect(raw, 52, UDF_TAG_FID, 77), 0);
    assert_int_equal(raw[10], 52 - 16); /* the CRC covers the padding */
}

static void test_fid_size(void **state) {
    (void)state;
    assert_int_equal(udf_fid_size(0, 0), 40);
    assert_int_equal(udf_fid_size(0, 2), 40);
    assert_int_equal(udf_fid_size(0, 3), 44);
    assert_int_equal(udf_fid_size(0, 255), 296);
    assert_int_equal(udf_fid_size(65535, 255), 65828);
}

/* Each in a buffer of just its size, so that ASan sees a byte too much. */
static void test_fid_round_trip(void **state) {
    (void)state;
    static uint8_t bytes[300];
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7 + 1);
    }
    for (unsigned length = 0; length <= 255; length++) {
        uint16_t use = length % 5 == 0 ? (uint16_t)(length + 3) : 0;
        struct udf_fid back, fid = sample();
        uint32_t size = udf_fid_size(use, length), got = 0;
        uint8_t *raw = malloc(size);
        assert_non_null(raw);
        fid.characteristics = (uint8_t)(length & 0x1F);
        fid.name_bytes = (uint8_t)length;
        fid.name = bytes;
        fid.use_bytes = use;
        fid.use = bytes + 1;
        udf_fid_encode(&fid, &style, length, raw);
        assert_int_equal(udf_fid_decode(raw, size, &back, &got), 0);
        assert_int_equal(got, size);
        assert_int_equal(back.characteristics, fid.characteristics);
        assert_int_equal(back.icb.bytes, 2048);
        assert_int_equal(back.icb.kind, 0);
        assert_int_equal(back.icb.addr.lbn, 0xAABBCCDD);
        assert_int_equal(back.icb.addr.part, 1);
        assert_int_equal(back.icb.flags, 1);
        assert_int_equal(back.icb.unique_id, 0x11223344);
        assert_int_equal(back.location, length);
        assert_int_equal(back.use_bytes, use);
        assert_memory_equal(back.use, bytes + 1, use);
        assert_int_equal(back.name_bytes, length);
        assert_memory_equal(back.name, bytes, length);
        assert_int_equal(udf_fid_decode(raw, size - 1, &back, &got), -EUCLEAN);
        free(raw);
    }
}

static void test_fid_decode_refuses(void **state) {
    (void)state;
    struct udf_fid fid = sample();
    uint8_t raw[52];
    uint32_t size = 99;
    udf_fid_encode(&fid, &style, 1, raw);
    fid.location = 1234;
    for (uint32_t bytes = 0; bytes < sizeof(raw); bytes++) {
        assert_int_equal(udf_fid_decode(raw, bytes, &fid, &size), -EUCLEAN);
    }
    for (uint32_t at = 0; at < sizeof(raw); at++) {
        raw[at] ^= 0x10;
        assert_int_equal(udf_fid_decode(raw, sizeof(raw), &fid, &size),
                         -EUCLEAN);
        raw[at] ^= 0x10;
    }
    udf_tag_seal(raw, sizeof(raw), UDF_TAG_FE, &style, 1);
    assert_int_equal(udf_fid_decode(raw, sizeof(raw), &fid, &size), -EUCLEAN);
    assert_int_equal(size, 99);
    assert_int_equal(fid.location, 1234);
}

/* Lengths that lie, under a tag that is right. */
static void test_fid_decode_lengths(void **state) {
    (void)state;
    static uint8_t raw[4096];
    struct udf_fid fid = sample();
    uint32_t size;
    udf_fid_encode(&fid, &style, 1, raw);
    raw[19] = 255;
    udf_tag_seal(raw, 52, UDF_TAG_FID, &style, 1);
    assert_int_equal(udf_fid_decode(raw, 52, &fid, &size), -EUCLEAN);
    assert_int_equal(udf_fid_decode(raw, 296, &fid, &size), 0);
    assert_int_equal(size, 296);
    raw[36] = 0xFF;
    raw[37] = 0xFF;
    udf_tag_seal(raw, 52, UDF_TAG_FID, &style, 1);
    assert_int_equal(udf_fid_decode(raw, sizeof(raw), &fid, &size), -EUCLEAN);
    /* the longest that fits a block, and one longer */
    raw[19] = 11;
    for (uint32_t use = 2048 - 38 - 11; use <= 2048 - 38 - 11 + 1; use++) {
        raw[36] = (uint8_t)use;
        raw[37] = (uint8_t)(use >> 8);
        udf_tag_seal(raw, 52, UDF_TAG_FID, &style, 1);
        assert_int_equal(udf_fid_decode(raw, sizeof(raw), &fid, &size),
                         use == 2048 - 38 - 11 ? 0 : -EUCLEAN);
    }
}

static void test_fid_move(void **state) {
    (void)state;
    struct udf_fid fid = sample();
    struct udf_tag_style other = {.version = 2, .serial = 9};
    uint8_t raw[52], before[52];
    uint32_t size;
    udf_fid_encode(&fid, &style, 1, raw);
    memcpy(before, raw, sizeof(raw));
    udf_fid_move(raw, sizeof(raw), &other, 4711);
    assert_int_equal(udf_fid_decode(raw, sizeof(raw), &fid, &size), 0);
    assert_int_equal(fid.location, 4711);
    assert_memory_equal(raw + 16, before + 16, sizeof(raw) - 16);
}

static void delete_one(uint16_t revision, const void *cs0, uint8_t bytes,
                       uint8_t *raw, struct udf_fid *out_fid) {
    struct udf_fid fid = sample();
    uint32_t size;
    fid.use = (const uint8_t *)"useuse";
    fid.use_bytes = 6;
    fid.name = cs0;
    fid.name_bytes = bytes;
    udf_fid_encode(&fid, &style, 5, raw);
    udf_fid_delete(raw, udf_fid_size(6, bytes), revision, &style, 5);
    assert_int_equal(udf_fid_decode(raw, 64, out_fid, &size), 0);
    assert_int_equal(size, udf_fid_size(6, bytes));
    assert_int_equal(out_fid->characteristics, UDF_FID_DELETED);
    assert_memory_equal(out_fid->use, "useuse", 6);
}

static void test_fid_delete(void **state) {
    (void)state;
    uint8_t raw[64] = {0};
    struct udf_fid fid;
    delete_one(0x0200, "\x08old", 4, raw, &fid);
    assert_memory_equal(fid.name, "\x08old", 4);
    assert_int_equal(fid.icb.addr.lbn, 0xAABBCCDD);
    delete_one(0x0201, "\x08old", 4, raw, &fid);
    assert_memory_equal(fid.name, "\xFEold", 4);
    assert_int_equal(fid.icb.bytes, 0);
    assert_int_equal(fid.icb.addr.lbn, 0);
    assert_int_equal(fid.icb.unique_id, 0);
    delete_one(0x0250, "\x10\x01\x02", 3, raw, &fid);
    assert_memory_equal(fid.name, "\xFF\x01\x02", 3);
    delete_one(0x0201, "\x77?", 2, raw, &fid); /* no id that is known */
    assert_memory_equal(fid.name, "\x77?", 2);
    delete_one(0x0201, "", 0, raw, &fid);
    assert_int_equal(fid.name_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fid_bytes),
        cmocka_unit_test(test_fid_size),
        cmocka_unit_test(test_fid_round_trip),
        cmocka_unit_test(test_fid_decode_refuses),
        cmocka_unit_test(test_fid_decode_lengths),
        cmocka_unit_test(test_fid_move),
        cmocka_unit_test(test_fid_delete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
