/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_ea.c - extended attribute spaces: devices, creation times,
 * attributes of others, hostile bytes.
 */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/sysmacros.h>

#include "udf/ea.h"
#include "udf/tag.h"

enum { HEADER = 24, OTHER_BYTES = 60 };

static const struct udf_tag_style style = {.version = 3, .serial = 1};
static const struct udf_ea_place place = {
    .revision = 0x0201,
    .lbn = 9,
    .style = &style,
};
static const struct udf_ea_place place_150 = {
    .revision = 0x0150,
    .lbn = 9,
    .style = &style,
};
static const struct udf_time born = {.sec = -86400 * 365, .nsec = 123456000};

static uint32_t get32(const uint8_t *raw) {
    uint32_t value;

    memcpy(&value, raw, sizeof(value));
    return le32toh(value);
}

static void put32(uint8_t *raw, uint32_t value) {
    value = htole32(value);
    memcpy(raw, &value, sizeof(value));
}

/* Appends an attribute of `type` that is filled with `fill`. */
static void append(uint8_t *ea, uint32_t *bytes, uint32_t type, uint8_t fill) {
    memset(ea + *bytes, fill, OTHER_BYTES);
    put32(ea + *bytes, type);
    memset(ea + *bytes + 4, 0, 4);
    ea[*bytes + 4] = 1;
    put32(ea + *bytes + 8, OTHER_BYTES);
    *bytes += OTHER_BYTES;
}

static void test_ea_device_is_found_again(void **state) {
    dev_t device = 0;
    uint8_t *ea;
    uint32_t bytes;

    (void)state;
    assert_int_equal(
        udf_ea_set_device(NULL, 0, makedev(11, 70000), &place, &ea, &bytes), 0);
    assert_int_equal(bytes % 4, 0);
    udf_ea_device(ea, bytes, &device);
    assert_int_equal(major(device), 11);
    assert_int_equal(minor(device), 70000);
    free(ea);
}

static void test_ea_btime_is_found_again(void **state) {
    struct udf_time found = {0};
    uint8_t *ea, *later, *none;
    uint32_t bytes, later_bytes;
    dev_t device = 0;

    (void)state;
    assert_int_equal(
        udf_ea_set_device(NULL, 0, makedev(1, 3), &place, &ea, &bytes), 0);
    assert_int_equal(
        udf_ea_set_btime(ea, bytes, &born, &place, &later, &later_bytes), 0);
    assert_int_equal(later_bytes, bytes + 32);
    assert_int_equal(get32(later + HEADER), 5); /* by type */
    udf_ea_btime(later, later_bytes, &found);
    assert_int_equal(found.sec, born.sec);
    assert_int_equal(found.nsec, born.nsec);
    udf_ea_device(later, later_bytes, &device);
    assert_int_equal(device, makedev(1, 3));
    /* taken away again */
    assert_int_equal(
        udf_ea_set_btime(later, later_bytes, NULL, &place, &none, &later_bytes),
        0);
    assert_int_equal(later_bytes, bytes);
    assert_memory_equal(none, ea, bytes);
    free(ea);
    free(later);
    free(none);
}

static void test_ea_space_without_attributes_is_none(void **state) {
    uint8_t *ea, *none = (uint8_t *)"";
    uint32_t bytes;

    (void)state;
    assert_int_equal(udf_ea_set_btime(NULL, 0, &born, &place, &ea, &bytes), 0);
    assert_int_equal(udf_ea_set_btime(ea, bytes, NULL, &place, &none, &bytes),
                     0);
    assert_int_equal(bytes, 0);
    assert_null(none);
    free(ea);
}

/* A backup time stays when a creation time comes and goes. */
static void test_ea_other_times_stay(void **state) {
    uint8_t raw[HEADER + 32] = {0}, *with, *without;
    struct udf_time found = {0};
    uint32_t bytes;

    (void)state;
    put32(raw + HEADER, 5);
    raw[HEADER + 4] = 1;
    put32(raw + HEADER + 8, 32);
    put32(raw + HEADER + 12, 12);
    put32(raw + HEADER + 16, 1u << 5);
    memset(raw + HEADER + 20, 0x11, 12);
    assert_int_equal(
        udf_ea_set_btime(raw, sizeof(raw), &born, &place, &with, &bytes), 0);
    assert_int_equal(bytes, sizeof(raw) + 12);
    assert_int_equal(get32(with + HEADER + 16), 1u << 5 | 1u);
    udf_ea_btime(with, bytes, &found);
    assert_int_equal(found.sec, born.sec);
    assert_memory_equal(with + HEADER + 32, raw + HEADER + 20, 12);
    assert_int_equal(
        udf_ea_set_btime(with, bytes, NULL, &place, &without, &bytes), 0);
    assert_int_equal(bytes, sizeof(raw));
    assert_memory_equal(without + HEADER, raw + HEADER, 32);
    free(with);
    free(without);
}

/* What others put there stays, in order, and the header finds it. */
static void test_ea_attributes_of_others_are_kept(void **state) {
    uint8_t raw[512] = {0}, *ea;
    uint32_t bytes = HEADER, made;

    (void)state;
    append(raw, &bytes, 2048, 'i');
    append(raw, &bytes, 2048, 'j');
    append(raw, &bytes, 65536, 'a');
    assert_int_equal(udf_ea_set_btime(raw, bytes, &born, &place, &ea, &made),
                     0);
    assert_int_equal(made, bytes + 32);
    assert_int_equal(get32(ea + 16), HEADER + 32);
    assert_int_equal(get32(ea + 20), HEADER + 32 + 2 * OTHER_BYTES);
    assert_memory_equal(ea + HEADER + 32, raw + HEADER, 3 * OTHER_BYTES);
    assert_int_equal(udf_tag_expect(ea, HEADER, UDF_TAG_EAHD, 9), 0);
    free(ea);
}

static void test_ea_header_says_none_by_revision(void **state) {
    uint8_t *ea;
    uint32_t bytes;

    (void)state;
    assert_int_equal(udf_ea_set_btime(NULL, 0, &born, &place, &ea, &bytes), 0);
    assert_int_equal(get32(ea + 16), UINT32_MAX);
    assert_int_equal(get32(ea + 20), UINT32_MAX);
    free(ea);
    assert_int_equal(udf_ea_set_btime(NULL, 0, &born, &place_150, &ea, &bytes),
                     0);
    assert_int_equal(get32(ea + 16), bytes);
    assert_int_equal(get32(ea + 20), bytes);
    free(ea);
}

static void test_ea_survives_hostile_bytes(void **state) {
    struct udf_time time = {.sec = 7};
    dev_t device = 5;
    uint8_t *ea, *both, *made;
    uint32_t bytes, made_bytes;

    (void)state;
    assert_int_equal(
        udf_ea_set_device(NULL, 0, makedev(1, 3), &place, &ea, &bytes), 0);
    assert_int_equal(udf_ea_set_btime(ea, bytes, &born, &place, &both, &bytes),
                     0);
    for (uint32_t cut = 1; cut < bytes; cut++) {
        uint8_t *part = malloc(cut); /* so that a sanitizer sees it */

        memcpy(part, both, cut);
        udf_ea_device(part, cut, &device);
        assert_int_equal(device, 5);
        if (cut < HEADER + 32) {
            udf_ea_btime(part, cut, &time);
            assert_int_equal(time.sec, 7);
        }
        if (cut != HEADER && cut != HEADER + 32) {
            assert_int_equal(
                udf_ea_set_btime(part, cut, &born, &place, &made, &made_bytes),
                -EUCLEAN);
        }
        free(part);
    }
    put32(both + HEADER + 8, 0); /* an attribute of length 0 */
    udf_ea_device(both, bytes, &device);
    assert_int_equal(device, 5);
    put32(both + HEADER + 8, 20); /* file times without room for one */
    udf_ea_btime(both, bytes, &time);
    assert_int_equal(time.sec, 7);
    free(ea);
    free(both);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ea_device_is_found_again),
        cmocka_unit_test(test_ea_btime_is_found_again),
        cmocka_unit_test(test_ea_space_without_attributes_is_none),
        cmocka_unit_test(test_ea_other_times_stay),
        cmocka_unit_test(test_ea_attributes_of_others_are_kept),
        cmocka_unit_test(test_ea_header_says_none_by_revision),
        cmocka_unit_test(test_ea_survives_hostile_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
