/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/attr.c - timestamps, permissions and file types. ECMA-167 1/7.3,
 * 4/14.6.6, 4/14.6.8, 4/14.9.5.
 *
 * The calendar is counted here, not by timegm(): a timestamp of the disc
 * holds the years -32768 to 32767, whatever time_t the machine has. Days are
 * counted from the first of January of the year 1 of the Gregorian calendar,
 * carried backwards as ECMA-167 does.
 */
#include "udf/attr.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define DAY_SECONDS ((int64_t)86400)
#define EPOCH_DAY ((int64_t)719162) /* 1970-01-01, counted from 0001-01-01 */
#define CYCLE_YEARS 400
#define CYCLE_DAYS ((int64_t)146097) /* in 400 years */

enum { TYPE_LOCAL = 1, TZ_LIMIT = 1440 };

/* Where the fields of a timestamp lie. */
enum {
    AT_TYPE = 0,
    AT_YEAR = 2,
    AT_MONTH = 4,
    AT_DAY,
    AT_HOUR,
    AT_MINUTE,
    AT_SECOND,
    AT_CENTI,
    AT_HUNDRED_US,
    AT_US
};

struct date {
    int64_t year;
    unsigned month, day; /* from 1 */
};

static bool is_leap(int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days of the year before `month`; month 13 gives the year's length. */
static int64_t days_before_month(int64_t year, unsigned month) {
    static const uint16_t before[13] = {0,   31,  59,  90,  120, 151, 181,
                                        212, 243, 273, 304, 334, 365};
    return before[month - 1] + (month > 2 && is_leap(year));
}

/* Days from 0001-01-01 to January 1 of `year`. Negative years are moved by
 * whole cycles first, since C division rounds towards zero. */
static int64_t days_before_year(int64_t year) {
    enum { CYCLES = 100 };
    int64_t full = year - 1 + CYCLES * CYCLE_YEARS;
    return full * 365 + full / 4 - full / 100 + full / 400 -
           CYCLES * CYCLE_DAYS;
}

static int64_t days_from_date(const struct date *date) {
    return days_before_year(date->year) +
           days_before_month(date->year, date->month) + date->day - 1;
}

/* The inverse, for days of the years 1 to 9999. */
static struct date date_from_days(int64_t days) {
    struct date date = {.year = days * CYCLE_YEARS / CYCLE_DAYS + 1};
    /* The estimate by the mean year is off by one at most. */
    if (days < days_before_year(date.year)) {
        date.year--;
    } else if (days >= days_before_year(date.year + 1)) {
        date.year++;
    }
    int64_t day = days - days_before_year(date.year);
    date.month = 1;
    while (day >= days_before_month(date.year, date.month + 1)) {
        date.month++;
    }
    date.day = (unsigned)(day - days_before_month(date.year, date.month)) + 1;
    return date;
}

static bool is_date(const struct date *date, const uint8_t *raw) {
    if (date->month < 1 || date->month > 12 || date->day < 1) {
        return false;
    }
    int64_t length = days_before_month(date->year, date->month + 1) -
                     days_before_month(date->year, date->month);
    return date->day <= length && raw[AT_HOUR] <= 23 && raw[AT_MINUTE] <= 59 &&
           raw[AT_SECOND] <= 60; /* 60: a leap second */
}

/* Parts of a second; a field beyond 99 is as good as none. */
static uint32_t decode_nsec(const uint8_t *raw) {
    if (raw[AT_CENTI] > 99 || raw[AT_HUNDRED_US] > 99 || raw[AT_US] > 99) {
        return 0;
    }
    return (raw[AT_CENTI] * 10000u + raw[AT_HUNDRED_US] * 100u + raw[AT_US]) *
           1000u;
}

/* The zone, a 12-bit two's complement number of minutes. */
static int16_t decode_tz(uint16_t type_tz) {
    int zone = type_tz & 0xFFF;
    if (zone >= 0x800) {
        zone -= 0x1000;
    }
    if (type_tz >> 12 != TYPE_LOCAL) {
        return 0; /* type 0 is coordinated universal time */
    }
    if (zone < -TZ_LIMIT || zone > TZ_LIMIT) {
        return UDF_TZ_UNSET;
    }
    return (int16_t)zone;
}

void udf_time_decode(const uint8_t *raw, struct udf_time *out_time) {
    uint16_t type_tz, year;
    memcpy(&type_tz, raw + AT_TYPE, sizeof(type_tz));
    memcpy(&year, raw + AT_YEAR, sizeof(year));
    struct date date = {
        .year = (int16_t)le16toh(year),
        .month = raw[AT_MONTH],
        .day = raw[AT_DAY],
    };
    if (!is_date(&date, raw)) {
        *out_time = (struct udf_time){.tz_minutes = UDF_TZ_UNSET};
        return;
    }
    int16_t tz = decode_tz(le16toh(type_tz));
    int64_t second = raw[AT_HOUR] * 3600 + raw[AT_MINUTE] * 60 + raw[AT_SECOND];
    int64_t east = tz == UDF_TZ_UNSET ? 0 : tz;
    *out_time = (struct udf_time){
        .sec = (days_from_date(&date) - EPOCH_DAY) * DAY_SECONDS + second -
               east * 60,
        .nsec = decode_nsec(raw),
        .tz_minutes = tz,
    };
}

/* Seconds of local time since 0001-01-01, within the years 1 to 9999. */
static int64_t local_seconds(int64_t sec, int16_t tz) {
    int64_t first = -EPOCH_DAY * DAY_SECONDS;
    int64_t last = (days_before_year(10000) - EPOCH_DAY) * DAY_SECONDS - 1;
    /* Once before the zone is added, so that it cannot overflow, and once
     * after, since it may lead out of the range again. */
    sec = sec < first ? first : sec > last ? last : sec;
    sec += (int64_t)tz * 60;
    sec = sec < first ? first : sec > last ? last : sec;
    return sec - first;
}

void udf_time_encode(const struct udf_time *time, uint8_t *out_raw) {
    int16_t tz = time->tz_minutes;
    if (tz < -TZ_LIMIT || tz > TZ_LIMIT) {
        tz = UDF_TZ_UNSET;
    }
    int64_t local = local_seconds(time->sec, tz == UDF_TZ_UNSET ? 0 : tz);
    struct date date = date_from_days(local / DAY_SECONDS);
    unsigned second = (unsigned)(local % DAY_SECONDS);
    uint32_t usec = time->nsec / 1000u % 1000000u;

    uint16_t type_tz =
        htole16((uint16_t)(TYPE_LOCAL << 12 | ((uint16_t)tz & 0xFFF)));
    uint16_t year = htole16((uint16_t)date.year);
    memcpy(out_raw + AT_TYPE, &type_tz, sizeof(type_tz));
    memcpy(out_raw + AT_YEAR, &year, sizeof(year));
    out_raw[AT_MONTH] = (uint8_t)date.month;
    out_raw[AT_DAY] = (uint8_t)date.day;
    out_raw[AT_HOUR] = (uint8_t)(second / 3600);
    out_raw[AT_MINUTE] = (uint8_t)(second / 60 % 60);
    out_raw[AT_SECOND] = (uint8_t)(second % 60);
    out_raw[AT_CENTI] = (uint8_t)(usec / 10000);
    out_raw[AT_HUNDRED_US] = (uint8_t)(usec / 100 % 100);
    out_raw[AT_US] = (uint8_t)(usec % 100);
}

/* One class (other, group, owner) has five bits on the disc: the three of
 * POSIX in the same order, then these. */
enum { PERM_BITS = 5, PERM_CHATTR = 1u << 3, PERM_DELETE = 1u << 4 };

mode_t udf_mode_decode(uint32_t permissions, uint16_t icb_flags,
                       uint8_t file_type) {
    mode_t mode = 0;
    if (file_type == UDF_FILE_SYMLINK) {
        return 0777; /* as everywhere in POSIX: nothing looks at it */
    }
    for (unsigned class = 0; class < 3; class ++) {
        mode |= (permissions >> (class * PERM_BITS) & 7u) << (class * 3);
    }
    mode |= icb_flags & UDF_ICB_SETUID ? S_ISUID : 0u;
    mode |= icb_flags & UDF_ICB_SETGID ? S_ISGID : 0u;
    mode |= icb_flags & UDF_ICB_STICKY ? S_ISVTX : 0u;
    return mode;
}

uint32_t udf_permissions_encode(mode_t mode) {
    uint32_t permissions = (uint32_t)PERM_CHATTR << (2 * PERM_BITS);
    for (unsigned class = 0; class < 3; class ++) {
        uint32_t bits = mode >> (class * 3) & 7u;
        bits |= bits & 2u ? PERM_DELETE : 0u;
        permissions |= bits << (class * PERM_BITS);
    }
    return permissions;
}

uint16_t udf_icb_flags_encode(mode_t mode, uint16_t old_flags) {
    unsigned flags = old_flags & ~(unsigned)(UDF_ICB_SETUID | UDF_ICB_SETGID |
                                             UDF_ICB_STICKY);
    flags |= mode & S_ISUID ? UDF_ICB_SETUID : 0u;
    flags |= mode & S_ISGID ? UDF_ICB_SETGID : 0u;
    flags |= mode & S_ISVTX ? UDF_ICB_STICKY : 0u;
    return (uint16_t)flags;
}

mode_t udf_type_decode(uint8_t file_type) {
    switch (file_type) {
    case UDF_FILE_DIRECTORY:
        return S_IFDIR;
    case 0: /* ECMA-167: content not specified, so bytes to anybody */
    case UDF_FILE_REGULAR:
    case UDF_FILE_REALTIME:
        return S_IFREG;
    case UDF_FILE_BLOCK_DEVICE:
        return S_IFBLK;
    case UDF_FILE_CHAR_DEVICE:
        return S_IFCHR;
    case UDF_FILE_FIFO:
        return S_IFIFO;
    case UDF_FILE_SOCKET:
        return S_IFSOCK;
    case UDF_FILE_SYMLINK:
        return S_IFLNK;
    default: /* any byte may come from the disc */
        return 0;
    }
}

uint8_t udf_type_encode(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return UDF_FILE_DIRECTORY;
    case S_IFREG:
        return UDF_FILE_REGULAR;
    case S_IFBLK:
        return UDF_FILE_BLOCK_DEVICE;
    case S_IFCHR:
        return UDF_FILE_CHAR_DEVICE;
    case S_IFIFO:
        return UDF_FILE_FIFO;
    case S_IFSOCK:
        return UDF_FILE_SOCKET;
    case S_IFLNK:
        return UDF_FILE_SYMLINK;
    default:
        return 0;
    }
}
