/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sense bytes to struct, struct to result, result to errno and action.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/sense.h"

static void test_sense_fixed(void **state) {
    static const uint8_t bytes[18] = {0xF0, 0, 0x03, 0x00, 0x01, 0x23, 0x40,
                                      10,   0, 0,    0,    0,    0x0C, 0x07};
    struct mmc_sense sense;

    (void)state;
    assert_int_equal(mmc_sense_decode(bytes, sizeof(bytes), &sense), 0);
    assert_int_equal(sense.key, 3);
    assert_int_equal(sense.asc, 0x0C);
    assert_int_equal(sense.ascq, 0x07);
    assert_false(sense.deferred);
    assert_true(sense.info_valid);
    assert_int_equal(sense.info, 0x12340);
    assert_false(sense.progress_valid);
}

static void test_sense_fixed_progress(void **state) {
    uint8_t bytes[18] = {0x70, 0, 0x02, 0,    0, 0, 0,    10,   0,
                         0,    0, 0,    0x04, 4, 0, 0x80, 0x40, 0x01};
    struct mmc_sense sense;

    (void)state;
    assert_int_equal(mmc_sense_decode(bytes, sizeof(bytes), &sense), 0);
    assert_true(sense.progress_valid);
    assert_int_equal(sense.progress, 0x4001);
    assert_false(sense.info_valid);
    bytes[15] = 0; /* SKSV */
    assert_int_equal(mmc_sense_decode(bytes, sizeof(bytes), &sense), 0);
    assert_false(sense.progress_valid);
    /* With key 5 the same bytes point at a field of the CDB. */
    bytes[15] = 0xC0;
    bytes[2] = 5;
    assert_int_equal(mmc_sense_decode(bytes, sizeof(bytes), &sense), 0);
    assert_false(sense.progress_valid);
}

static void test_sense_descriptor(void **state) {
    static const uint8_t bytes[] = {
        0x73, 0x02, 0x04, 0x07, 0,    0,    0,    20, /* header */
        0x00, 0x0A, 0x80, 0,    0,    0,    0,    0,  /* information */
        0x00, 0x02, 0x31, 0x00,                       /* ... */
        0x02, 0x06, 0,    0,    0x80, 0x12, 0x34, 0}; /* sense key specific */
    struct mmc_sense sense;

    (void)state;
    assert_int_equal(mmc_sense_decode(bytes, sizeof(bytes), &sense), 0);
    assert_int_equal(sense.key, 2);
    assert_int_equal(sense.asc, 0x04);
    assert_int_equal(sense.ascq, 0x07);
    assert_true(sense.deferred);
    assert_true(sense.info_valid);
    assert_int_equal(sense.info, 0x23100);
    assert_true(sense.progress_valid);
    assert_int_equal(sense.progress, 0x1234);
}

/* An address over 32 bits is none of this medium. */
static void test_sense_descriptor_large_information(void **state) {
    static const uint8_t bytes[] = {0x72, 0x03, 0x11, 0x05, 0,    0,   0,
                                    12,   0x00, 0x0A, 0x80, 0,    0,   0,
                                    0,    1,    0x00, 0x00, 0x00, 0x01};
    struct mmc_sense sense;

    (void)state;
    assert_int_equal(mmc_sense_decode(bytes, sizeof(bytes), &sense), 0);
    assert_false(sense.info_valid);
    assert_int_equal(sense.info, 0);
}

/* A descriptor that claims to be longer than what came, or than the header
 * says, is not read. The buffers are as long as the data, so that a sanitizer
 * sees every byte too many. */
static void test_sense_descriptor_lengths_lie(void **state) {
    static const uint8_t beyond_end[] = {
        0x72, 0x02, 0x04, 0x04, 0, 0, 0, 200, 0x02, 0xF0, 0, 0, 0x80, 1, 2};
    static const uint8_t beyond_header[] = {
        0x72, 0x02, 0x04, 0x04, 0, 0, 0, 4, 0x02, 0x06, 0, 0, 0x80, 1, 2, 0};
    static const uint8_t empty_ones[] = {0x72, 0x02, 0x04, 0x04, 0, 0,   0,
                                         5,    0x02, 0x00, 0,    0, 0x00};
    struct mmc_sense sense;

    (void)state;
    assert_int_equal(mmc_sense_decode(beyond_end, sizeof(beyond_end), &sense),
                     0);
    assert_false(sense.progress_valid);
    assert_int_equal(sense.asc, 4);
    assert_int_equal(
        mmc_sense_decode(beyond_header, sizeof(beyond_header), &sense), 0);
    assert_false(sense.progress_valid);
    assert_int_equal(mmc_sense_decode(empty_ones, sizeof(empty_ones), &sense),
                     0);
    assert_false(sense.progress_valid);
}

static void test_sense_cut_short(void **state) {
    static const uint8_t fixed[] = {0xF0, 0, 0x02, 0, 0, 0, 7};
    static const uint8_t descriptor[] = {0x72, 0x05, 0x20};
    struct mmc_sense sense;
    struct mmc_sense before;

    (void)state;
    assert_int_equal(mmc_sense_decode(fixed, sizeof(fixed), &sense), 0);
    assert_int_equal(sense.key, 2);
    assert_int_equal(sense.asc, 0);
    assert_int_equal(sense.info, 7);
    assert_int_equal(mmc_sense_decode(fixed, 3, &sense), 0);
    assert_int_equal(mmc_sense_decode(descriptor, sizeof(descriptor), &sense),
                     0);
    assert_int_equal(sense.asc, 0x20);
    assert_int_equal(mmc_sense_decode(descriptor, 2, &sense), 0);
    assert_int_equal(sense.asc, 0);

    memset(&sense, 0x5A, sizeof(sense));
    before = sense;
    assert_int_equal(mmc_sense_decode(fixed, 0, &sense), -EPROTO);
    assert_int_equal(mmc_sense_decode(fixed, 2, &sense), -EPROTO);
    assert_int_equal(mmc_sense_decode(descriptor, 1, &sense), -EPROTO);
    assert_int_equal(mmc_sense_decode((const uint8_t *)"\0\0\0\0", 4, &sense),
                     -EPROTO);
    assert_int_equal(mmc_sense_decode((const uint8_t *)"\x7F\0\3", 3, &sense),
                     -EPROTO);
    assert_memory_equal(&sense, &before, sizeof(sense));
}

/* What drives say, and what it is; the cases that others mix up. */
static const struct {
    uint8_t key, asc, ascq;
    enum mmc_result result;
} cases[] = {
    {0x0, 0x00, 0x00, MMC_OK},
    {0x0, 0x00, 0x04, MMC_NOT_READY},
    {0x0, 0x04, 0x04, MMC_NOT_READY},
    {0x1, 0x17, 0x00, MMC_OK},
    {0x1, 0x73, 0x01, MMC_OK},
    {0x2, 0x04, 0x00, MMC_NOT_READY_VAGUE},
    {0x2, 0x04, 0x01, MMC_NOT_READY},
    {0x2, 0x04, 0x02, MMC_NEEDS_START},
    {0x2, 0x04, 0x03, MMC_INTERVENTION},
    {0x2, 0x04, 0x04, MMC_NOT_READY},
    {0x2, 0x04, 0x07, MMC_NOT_READY},
    {0x2, 0x04, 0x08, MMC_LONG_WRITE},
    {0x2, 0x06, 0x00, MMC_SERVO_ERROR},
    {0x2, 0x30, 0x02, MMC_INCOMPATIBLE_MEDIUM},
    {0x2, 0x3A, 0x00, MMC_NO_MEDIUM},
    {0x2, 0x3A, 0x02, MMC_NO_MEDIUM},
    {0x2, 0x3E, 0x00, MMC_NOT_READY},
    {0x3, 0x02, 0x00, MMC_SERVO_ERROR},
    {0x3, 0x03, 0x00, MMC_MEDIUM_ERROR},
    {0x3, 0x0C, 0x00, MMC_MEDIUM_ERROR},
    {0x3, 0x0C, 0x02, MMC_NO_SPARES},
    {0x3, 0x0C, 0x09, MMC_STREAM_LOST},
    {0x3, 0x11, 0x05, MMC_MEDIUM_ERROR},
    {0x3, 0x31, 0x00, MMC_UNFORMATTED},
    {0x3, 0x31, 0x01, MMC_FORMAT_FAILED},
    {0x3, 0x32, 0x00, MMC_NO_SPARES},
    {0x3, 0x51, 0x00, MMC_FORMAT_FAILED},
    {0x3, 0x57, 0x00, MMC_UNFORMATTED},
    {0x3, 0x72, 0x03, MMC_SESSION_ERROR},
    {0x3, 0x73, 0x00, MMC_MEDIUM_ERROR},
    {0x3, 0x73, 0x03, MMC_RECORDING_AREA},
    {0x4, 0x44, 0x00, MMC_HARDWARE_ERROR},
    {0x4, 0x09, 0x01, MMC_SERVO_ERROR},
    {0x5, 0x1A, 0x00, MMC_ILLEGAL_REQUEST},
    {0x5, 0x20, 0x00, MMC_INVALID_OPCODE},
    {0x5, 0x21, 0x00, MMC_LBA_OUT_OF_RANGE},
    {0x5, 0x21, 0x02, MMC_BAD_WRITE_ADDRESS},
    {0x5, 0x24, 0x00, MMC_ILLEGAL_REQUEST},
    {0x5, 0x26, 0x02, MMC_ILLEGAL_REQUEST},
    {0x5, 0x27, 0x00, MMC_WRITE_PROTECTED},
    {0x5, 0x2C, 0x00, MMC_SEQUENCE_ERROR},
    {0x5, 0x30, 0x06, MMC_INCOMPATIBLE_MEDIUM},
    {0x5, 0x53, 0x02, MMC_REMOVAL_PREVENTED},
    {0x5, 0x55, 0x00, MMC_BUSY},
    {0x5, 0x63, 0x00, MMC_NO_SPACE},
    {0x5, 0x63, 0x01, MMC_BAD_WRITE_ADDRESS},
    {0x5, 0x64, 0x00, MMC_WRONG_TRACK_MODE},
    {0x5, 0x64, 0x01, MMC_BAD_WRITE_ADDRESS},
    {0x5, 0x6F, 0x03, MMC_COPY_PROTECTED},
    {0x6, 0x28, 0x00, MMC_MEDIUM_CHANGED},
    {0x6, 0x29, 0x00, MMC_RESET},
    {0x6, 0x29, 0x04, MMC_RESET},
    {0x6, 0x2A, 0x01, MMC_MODE_CHANGED},
    {0x6, 0x2E, 0x00, MMC_UNIT_ATTENTION},
    {0x6, 0x5A, 0x01, MMC_REMOVAL_REQUEST},
    {0x7, 0x27, 0x00, MMC_WRITE_PROTECTED},
    {0x8, 0x00, 0x00, MMC_BLANK_CHECK},
    {0xB, 0x4B, 0x00, MMC_ABORTED},
    {0xD, 0x00, 0x00, MMC_NO_SPACE},
    {0xE, 0x1D, 0x00, MMC_MISCOMPARE},
    {0x9, 0x80, 0x01, MMC_ABORTED},
    {0xF, 0xFF, 0xFF, MMC_ABORTED},
};

static void test_sense_classify(void **state) {
    (void)state;
    assert_int_equal(mmc_sense_classify(NULL), MMC_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mmc_sense sense = {
            .key = cases[i].key, .asc = cases[i].asc, .ascq = cases[i].ascq};

        if (mmc_sense_classify(&sense) != cases[i].result) {
            fail_msg("%X/%02X/%02X is %s", sense.key, sense.asc, sense.ascq,
                     mmc_result_name(mmc_sense_classify(&sense)));
        }
    }
}

/* Nothing but "no sense" and "recovered" may ever pass for success. */
static void test_sense_errors_never_succeed(void **state) {
    (void)state;
    for (unsigned i = 0; i < 16u << 16; i++) {
        struct mmc_sense sense = {.key = (uint8_t)(i >> 16),
                                  .asc = (uint8_t)(i >> 8),
                                  .ascq = (uint8_t)i};

        if (sense.key > MMC_KEY_RECOVERED &&
            mmc_result_errno(mmc_sense_classify(&sense)) == 0) {
            fail_msg("%X/%02X/%02X succeeds", sense.key, sense.asc, sense.ascq);
        }
    }
}

static void test_sense_deferred(void **state) {
    struct mmc_sense sense = {.key = 3, .asc = 0x0C, .deferred = true};

    (void)state;
    assert_int_equal(mmc_sense_classify(&sense), MMC_DEFERRED_ERROR);
    /* The drive saved the earlier write, but this command was not done. */
    sense.key = MMC_KEY_RECOVERED;
    assert_int_equal(mmc_sense_classify(&sense), MMC_ABORTED);
    sense.key = MMC_KEY_UNIT_ATTENTION;
    sense.asc = 0x29;
    assert_int_equal(mmc_sense_classify(&sense), MMC_RESET);
    sense.key = MMC_KEY_NOT_READY;
    sense.asc = 0x3A;
    assert_int_equal(mmc_sense_classify(&sense), MMC_NO_MEDIUM);
}

static void test_sense_result_meanings(void **state) {
    (void)state;
    for (unsigned i = 0; i < MMC_RESULT_COUNT; i++) {
        enum mmc_result result = (enum mmc_result)i;

        assert_non_null(mmc_result_name(result));
        assert_int_equal(mmc_result_errno(result) == 0, result == MMC_OK);
        assert_int_equal(mmc_result_action(result) == MMC_DO_SUCCEED,
                         result == MMC_OK);
        /* The caller of blockdev.h would take it for "fetch first". */
        assert_int_not_equal(mmc_result_errno(result), -EINPROGRESS);
    }
    assert_int_equal(mmc_result_errno(MMC_NO_MEDIUM), -ENOMEDIUM);
    assert_int_equal(mmc_result_errno(MMC_WRITE_PROTECTED), -EROFS);
    assert_int_equal(mmc_result_errno(MMC_DRIVE_GONE), -ENODEV);
    assert_int_equal(mmc_result_errno(MMC_BLANK_CHECK), -EIO);
    assert_int_equal(mmc_result_action(MMC_LONG_WRITE), MMC_DO_WAIT);
    assert_int_equal(mmc_result_action(MMC_MEDIUM_ERROR), MMC_DO_RETRY_REMAP);
    assert_int_equal(mmc_result_action(MMC_NO_SPARES), MMC_DO_RETRY_REMAP);
}

static void test_sense_of_transport(void **state) {
    (void)state;
    assert_int_equal(mmc_result_of_transport(0), MMC_OK);
    assert_int_equal(mmc_result_of_transport(-ENODEV), MMC_DRIVE_GONE);
    assert_int_equal(mmc_result_of_transport(-ETIMEDOUT), MMC_TIMEOUT);
    assert_int_equal(mmc_result_of_transport(-EPERM), MMC_NOT_PERMITTED);
    assert_int_equal(mmc_result_of_transport(-EIO), MMC_TRANSPORT_ERROR);
    assert_int_equal(mmc_result_of_transport(-ENOMEM), MMC_TRANSPORT_ERROR);
}

static void test_sense_text(void **state) {
    struct mmc_sense sense = {.key = 2, .asc = 0x3A, .ascq = 0x01};
    char text[160];
    char small[8];

    (void)state;
    mmc_sense_text(&sense, text, sizeof(text));
    assert_non_null(strstr(text, "2/3A/01"));
    assert_non_null(strstr(text, "edium not present"));
    memset(small, 'x', sizeof(small));
    mmc_sense_text(&sense, small, sizeof(small));
    assert_string_equal(small, "2/3A/01");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sense_fixed),
        cmocka_unit_test(test_sense_fixed_progress),
        cmocka_unit_test(test_sense_descriptor),
        cmocka_unit_test(test_sense_descriptor_large_information),
        cmocka_unit_test(test_sense_descriptor_lengths_lie),
        cmocka_unit_test(test_sense_cut_short),
        cmocka_unit_test(test_sense_classify),
        cmocka_unit_test(test_sense_errors_never_succeed),
        cmocka_unit_test(test_sense_deferred),
        cmocka_unit_test(test_sense_result_meanings),
        cmocka_unit_test(test_sense_of_transport),
        cmocka_unit_test(test_sense_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
