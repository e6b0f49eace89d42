/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Descriptor tags: the CRC against a bit by bit one, and what is refused.
 */
#include "udf/tag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static const struct udf_tag_style style = {.version = 3, .serial = 7};

/* The definition, ECMA-167 1/7.2.6. */
static uint16_t slow_crc(const uint8_t *bytes, uint32_t count) {
    unsigned crc = 0;
    for (uint32_t i = 0; i < count * 8; i++) {
        unsigned bit = bytes[i / 8] >> (7 - i % 8) & 1u;
        unsigned out = (crc >> 15 & 1u) ^ bit;
        crc = (crc << 1 & 0xFFFFu) ^ (out ? 0x1021u : 0u);
    }
    return (uint16_t)crc;
}

static void fill(uint8_t *bytes, uint32_t count, uint32_t seed) {
    for (uint32_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static void test_tag_crc_known_value(void **state) {
    (void)state;
    const uint8_t bytes[] = {0x70, 0x6A, 0x77};
    assert_int_equal(udf_crc(0, bytes, 3), 0x3299);
    assert_int_equal(udf_crc(0, bytes, 0), 0);
}

static void test_tag_crc_equals_definition(void **state) {
    (void)state;
    uint8_t bytes[300];
    fill(bytes, sizeof(bytes), 1);
    for (uint32_t count = 0; count <= 290; count++) {
        const uint8_t *from = bytes + count % 5;
        assert_int_equal(udf_crc(0, from, count), slow_crc(from, count));
    }
    /* every byte value in each of the four places */
    for (uint32_t value = 0; value < 256 * 4; value++) {
        uint8_t four[4] = {0};
        four[value % 4] = (uint8_t)(value / 4);
        assert_int_equal(udf_crc(0, four, 4), slow_crc(four, 4));
    }
}

static void test_tag_crc_goes_on(void **state) {
    (void)state;
    uint8_t bytes[64];
    fill(bytes, sizeof(bytes), 2);
    for (uint32_t cut = 0; cut <= sizeof(bytes); cut++) {
        uint16_t crc = udf_crc(0, bytes, cut);
        crc = udf_crc(crc, bytes + cut, (uint32_t)sizeof(bytes) - cut);
        assert_int_equal(crc, udf_crc(0, bytes, sizeof(bytes)));
    }
}

static void test_tag_seal_and_check(void **state) {
    (void)state;
    uint8_t desc[512];
    struct udf_tag tag;
    fill(desc, sizeof(desc), 3);
    udf_tag_seal(desc, sizeof(desc), UDF_TAG_EFE, &style, 0x12345678);
    assert_int_equal(udf_tag_check(desc, sizeof(desc), &tag), 0);
    assert_int_equal(tag.id, UDF_TAG_EFE);
    assert_int_equal(tag.version, 3);
    assert_int_equal(tag.serial, 7);
    assert_int_equal(tag.crc_bytes, 496);
    assert_int_equal(tag.location, 0x12345678);
    assert_int_equal(desc[5], 0);
    assert_int_equal(desc[0] | desc[1] << 8, 266);
    assert_int_equal(desc[8] | desc[9] << 8, slow_crc(desc + 16, 496));
    assert_int_equal(
        udf_tag_expect(desc, sizeof(desc), UDF_TAG_EFE, 0x12345678), 0);
    assert_int_equal(udf_tag_expect(desc, sizeof(desc), UDF_TAG_FE, 0x12345678),
                     -EUCLEAN);
    assert_int_equal(
        udf_tag_expect(desc, sizeof(desc), UDF_TAG_EFE, 0x12345679), -EUCLEAN);
}

static void test_tag_check_sees_every_flipped_bit(void **state) {
    (void)state;
    uint8_t desc[96];
    struct udf_tag tag = {.location = 99};
    fill(desc, sizeof(desc), 4);
    udf_tag_seal(desc, sizeof(desc), UDF_TAG_FE, &style, 5);
    for (uint32_t bit = 0; bit < sizeof(desc) * 8; bit++) {
        desc[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(udf_tag_check(desc, sizeof(desc), &tag), -EUCLEAN);
        desc[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(tag.location, 99); /* untouched by failures */
    assert_int_equal(udf_tag_check(desc, sizeof(desc), &tag), 0);
}

static void test_tag_check_crc_must_fit(void **state) {
    (void)state;
    uint8_t desc[96];
    struct udf_tag tag;
    fill(desc, sizeof(desc), 5);
    udf_tag_seal(desc, sizeof(desc), UDF_TAG_FE, &style, 5);
    assert_int_equal(udf_tag_check(desc, 95, &tag), -EUCLEAN);
    assert_int_equal(udf_tag_check(desc, 15, &tag), -EUCLEAN);
    assert_int_equal(udf_tag_check(desc, 0, &tag), -EUCLEAN);
    assert_int_equal(udf_tag_check_head(desc, &tag), 0);
    assert_int_equal(tag.crc_bytes, 80);
}

static void test_tag_check_version(void **state) {
    (void)state;
    uint8_t desc[32];
    struct udf_tag tag;
    for (uint16_t version = 0; version < 6; version++) {
        struct udf_tag_style other = {.version = version};
        memset(desc, 0, sizeof(desc));
        udf_tag_seal(desc, sizeof(desc), UDF_TAG_TD, &other, 1);
        int expected = version == 2 || version == 3 ? 0 : -EUCLEAN;
        assert_int_equal(udf_tag_check(desc, sizeof(desc), &tag), expected);
    }
    memset(desc, 0, sizeof(desc)); /* an erased block is no descriptor */
    assert_int_equal(udf_tag_check(desc, sizeof(desc), &tag), -EUCLEAN);
}

static void test_tag_seal_long_descriptor(void **state) {
    (void)state;
    static uint8_t desc[16 + 70000];
    struct udf_tag tag;
    fill(desc, sizeof(desc), 6);
    udf_tag_seal(desc, sizeof(desc), UDF_TAG_SBD, &style, 0);
    assert_int_equal(udf_tag_check(desc, sizeof(desc), &tag), 0);
    assert_int_equal(tag.crc_bytes, 65535);
    desc[16 + 65534] ^= 1; /* the last byte that the CRC covers */
    assert_int_equal(udf_tag_check(desc, sizeof(desc), &tag), -EUCLEAN);
}

static void test_tag_seal_without_body(void **state) {
    (void)state;
    uint8_t desc[16];
    struct udf_tag tag;
    udf_tag_seal(desc, sizeof(desc), UDF_TAG_SBD, &style, 3);
    assert_int_equal(udf_tag_check(desc, sizeof(desc), &tag), 0);
    assert_int_equal(tag.crc_bytes, 0);
    assert_int_equal(desc[8] | desc[9], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tag_crc_known_value),
        cmocka_unit_test(test_tag_crc_equals_definition),
        cmocka_unit_test(test_tag_crc_goes_on),
        cmocka_unit_test(test_tag_seal_and_check),
        cmocka_unit_test(test_tag_check_sees_every_flipped_bit),
        cmocka_unit_test(test_tag_check_crc_must_fit),
        cmocka_unit_test(test_tag_check_version),
        cmocka_unit_test(test_tag_seal_long_descriptor),
        cmocka_unit_test(test_tag_seal_without_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
