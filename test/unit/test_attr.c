/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Timestamps against the C library's calendar and known dates; permissions
 * and file types.
 */
#include "udf/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static struct udf_time round_trip(int64_t sec, uint32_t nsec, int16_t tz) {
    uint8_t raw[UDF_TIMESTAMP_BYTES];
    struct udf_time time = {.sec = sec, .nsec = nsec, .tz_minutes = tz};
    udf_time_encode(&time, raw);
    udf_time_decode(raw, &time);
    return time;
}

static void test_attr_time_bytes(void **state) {
    (void)state;
    uint8_t raw[UDF_TIMESTAMP_BYTES];
    /* 2024-02-29 23:59:58.123456 UTC is 00:59 of March 1 in Paris. */
    struct udf_time time = {1709251198, 123456789, 60};
    const uint8_t expected[] = {0x3C, 0x10, 0xE8, 0x07, 3,  1,
                                0,    59,   58,   12,   34, 56};
    udf_time_encode(&time, raw);
    assert_memory_equal(raw, expected, sizeof(raw));
    udf_time_decode(raw, &time);
    assert_int_equal(time.sec, 1709251198);
    assert_int_equal(time.nsec, 123456000);
    assert_int_equal(time.tz_minutes, 60);
}

static void test_attr_time_unset_zone(void **state) {
    (void)state;
    uint8_t raw[UDF_TIMESTAMP_BYTES];
    struct udf_time time = {0, 0, UDF_TZ_UNSET};
    udf_time_encode(&time, raw);
    assert_int_equal(raw[0] | raw[1] << 8, 0x1801);
    udf_time_decode(raw, &time);
    assert_int_equal(time.sec, 0);
    assert_int_equal(time.tz_minutes, UDF_TZ_UNSET);
}

/* Every day of the years 1 to 9999 has the date of the C library, and comes
 * back. */
static void test_attr_time_whole_calendar(void **state) {
    (void)state;
    const int64_t first = -62135596800, last = 253402300799;
    uint8_t raw[UDF_TIMESTAMP_BYTES];
    for (int64_t sec = first; sec <= last; sec += 86400 + 41) {
        struct udf_time time = {.sec = sec};
        time_t posix = (time_t)sec;
        struct tm tm;
        assert_non_null(gmtime_r(&posix, &tm));
        udf_time_encode(&time, raw);
        assert_int_equal(raw[2] | raw[3] << 8, tm.tm_year + 1900);
        assert_int_equal(raw[4], tm.tm_mon + 1);
        assert_int_equal(raw[5], tm.tm_mday);
        assert_int_equal(raw[6], tm.tm_hour);
        assert_int_equal(raw[7], tm.tm_min);
        assert_int_equal(raw[8], tm.tm_sec);
        udf_time_decode(raw, &time);
        assert_true(time.sec == sec);
    }
}

static void test_attr_time_zones(void **state) {
    (void)state;
    static const int16_t zones[] = {0, 1, -1, 60, -60, 345, -210, 1440, -1440};
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        struct udf_time time = round_trip(-1, 999999000, zones[i]);
        assert_int_equal(time.sec, -1);
        assert_int_equal(time.nsec, 999999000);
        assert_int_equal(time.tz_minutes, zones[i]);
    }
    struct udf_time time = round_trip(5, 0, 1441); /* none */
    assert_int_equal(time.sec, 5);
    assert_int_equal(time.tz_minutes, UDF_TZ_UNSET);
}

static void test_attr_time_clamps(void **state) {
    (void)state;
    const int64_t first = -62135596800, last = 253402300799;
    assert_true(round_trip(first - 1, 0, 0).sec == first);
    assert_true(round_trip(last + 1, 0, 0).sec == last);
    assert_true(round_trip(INT64_MIN, 0, -1440).sec == first + 86400);
    assert_true(round_trip(INT64_MAX, 0, 1440).sec == last - 86400);
    assert_true(round_trip(INT64_MIN, UINT32_MAX, 1440).sec == first);
}

/* Years that a program cannot write but a disc can hold. */
static void test_attr_time_far_years(void **state) {
    (void)state;
    struct udf_time time;
    uint8_t raw[UDF_TIMESTAMP_BYTES] = {0, 0x10, 0, 0, 1, 1};
    udf_time_decode(raw, &time); /* year 0 was a leap year */
    assert_true(time.sec == -62135596800 - 366 * (int64_t)86400);
    raw[2] = 0x00;
    raw[3] = 0x80; /* year -32768: 82 cycles of 400 years before year 32 */
    udf_time_decode(raw, &time);
    int64_t year_32 = -62135596800 + (31 * 365 + 7) * (int64_t)86400;
    assert_true(time.sec == year_32 - 82 * 146097 * (int64_t)86400);
    raw[2] = 0xFF;
    raw[3] = 0x7F; /* year 32767: December 31, 80 cycles after 767 */
    raw[4] = 12;
    raw[5] = 31;
    udf_time_decode(raw, &time);
    int64_t year_768 =
        -62135596800 + (767 * 365 + 191 - 7 + 1) * (int64_t)86400;
    assert_true(time.sec == year_768 + (80 * 146097 - 1) * (int64_t)86400);
}

static void test_attr_time_no_date(void **state) {
    (void)state;
    static const struct {
        uint8_t at, value;
    } bad[] = {{4, 0},  {4, 13}, {4, 255}, {5, 0},   {5, 30},
               {6, 24}, {7, 60}, {8, 61},  {5, 255}, {6, 255}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        /* 2023-02-28 */
        uint8_t raw[UDF_TIMESTAMP_BYTES] = {0, 0x10, 0xE7, 7, 2, 28, 1, 1, 1};
        struct udf_time time;
        udf_time_decode(raw, &time);
        assert_true(time.sec > 1600000000);
        raw[bad[i].at] = bad[i].value;
        udf_time_decode(raw, &time);
        assert_int_equal(time.sec, 0);
        assert_int_equal(time.nsec, 0);
    }
    uint8_t leap[UDF_TIMESTAMP_BYTES] = {0, 0x10, 0xE7, 7, 2, 29};
    struct udf_time time;
    udf_time_decode(leap, &time); /* 2023 was none */
    assert_int_equal(time.sec, 0);
    leap[2] = 0xE8;
    udf_time_decode(leap, &time);
    assert_int_equal(time.sec, 1709164800);
}

static void test_attr_time_foreign_fields(void **state) {
    (void)state;
    /* 2000-01-01 00:00:00, fields of a second that are none */
    uint8_t raw[UDF_TIMESTAMP_BYTES] = {0, 0x10, 0xD0, 7,   1, 1,
                                        0, 0,    0,    100, 3, 4};
    struct udf_time time;
    udf_time_decode(raw, &time);
    assert_int_equal(time.sec, 946684800);
    assert_int_equal(time.nsec, 0);
    raw[0] = 60; /* type 0: universal time, whatever the zone */
    raw[1] = 0;
    udf_time_decode(raw, &time);
    assert_int_equal(time.sec, 946684800);
    raw[0] = 0xC4; /* -60 */
    raw[1] = 0x1F;
    udf_time_decode(raw, &time);
    assert_int_equal(time.sec, 946684800 + 3600);
    raw[0] = 0xA1; /* 1441: no zone */
    raw[1] = 0x15;
    udf_time_decode(raw, &time);
    assert_int_equal(time.sec, 946684800);
    assert_int_equal(time.tz_minutes, UDF_TZ_UNSET);
}

static void test_attr_permissions(void **state) {
    (void)state;
    assert_int_equal(udf_permissions_encode(0755), 0x7CA5);
    assert_int_equal(udf_permissions_encode(0644), 0x7884);
    assert_int_equal(udf_permissions_encode(0), 0x2000);
    for (unsigned mode = 0; mode <= 07777; mode++) {
        uint32_t permissions = udf_permissions_encode(mode);
        uint16_t flags = udf_icb_flags_encode(mode, 0xFFFF);
        assert_int_equal(udf_mode_decode(permissions, flags, UDF_FILE_REGULAR),
                         mode);
        assert_int_equal(permissions >> 15, 0);
        /* the rest of the flags stays */
        assert_int_equal(flags | 0x1C0, 0xFFFF);
        assert_int_equal(udf_icb_flags_encode(mode, 0) & ~0x1C0, 0);
    }
    /* bits that a mode does not have */
    assert_int_equal(udf_mode_decode(0xFFFFFFFF, 0, UDF_FILE_REGULAR), 0777);
    assert_int_equal(udf_mode_decode(0, 0, UDF_FILE_SYMLINK), 0777);
}

static void test_attr_types(void **state) {
    (void)state;
    static const mode_t types[] = {S_IFDIR, S_IFREG,  S_IFBLK, S_IFCHR,
                                   S_IFIFO, S_IFSOCK, S_IFLNK};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        uint8_t raw = udf_type_encode(types[i] | 0777);
        assert_int_not_equal(raw, 0);
        assert_int_equal(udf_type_decode(raw), types[i]);
    }
    assert_int_equal(udf_type_decode(0), S_IFREG);
    assert_int_equal(udf_type_decode(UDF_FILE_REALTIME), S_IFREG);
    assert_int_equal(udf_type_decode(UDF_FILE_METADATA), 0);
    assert_int_equal(udf_type_decode(UDF_FILE_STREAM_DIRECTORY), 0);
    assert_int_equal(udf_type_decode(255), 0);
    assert_int_equal(udf_type_encode(0777), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attr_time_bytes),
        cmocka_unit_test(test_attr_time_unset_zone),
        cmocka_unit_test(test_attr_time_whole_calendar),
        cmocka_unit_test(test_attr_time_zones),
        cmocka_unit_test(test_attr_time_clamps),
        cmocka_unit_test(test_attr_time_far_years),
        cmocka_unit_test(test_attr_time_no_date),
        cmocka_unit_test(test_attr_time_foreign_fields),
        cmocka_unit_test(test_attr_permissions),
        cmocka_unit_test(test_attr_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
