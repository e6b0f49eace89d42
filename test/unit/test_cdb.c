/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CDBs and parameter lists against bytes written down from the standards
 * (MMC-5 chapter 6, SPC-3), not from the code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/cdb.h"

/* A request that nothing has cleaned: builders must leave no trace of it. */
static struct mmc_request dirty(void) {
    struct mmc_request request;

    memset(&request, 0xA5, sizeof(request));
    return request;
}

struct expected {
    const char *cdb;
    uint8_t cdb_len;
    enum mmc_direction direction;
    uint32_t data_len;
};

static void assert_request(const struct mmc_request *request,
                           const struct expected *expected) {
    uint8_t padded[MMC_CDB_MAX] = {0};

    memcpy(padded, expected->cdb, expected->cdb_len);
    assert_int_equal(request->cdb_len, expected->cdb_len);
    assert_memory_equal(request->cdb, padded, sizeof(padded));
    assert_int_equal(request->direction, expected->direction);
    assert_int_equal(request->data_len, expected->data_len);
    assert_null(request->data);
    assert_int_equal(request->timeout_ms, 0);
    if (expected->data_len) {
        assert_int_equal(mmc_cdb_sends_data(request->cdb[0]),
                         expected->direction == MMC_DIR_OUT);
    }
}

/* Compares `request` with a CDB written as a string of bytes. */
#define EXPECT(request, bytes, way, length)                                    \
    assert_request(&(request), &(struct expected){(bytes), sizeof(bytes) - 1,  \
                                                  (way), (length)})

static void test_cdb_identification(void **state) {
    struct mmc_request request = dirty();

    (void)state;
    mmc_cdb_test_unit_ready(&request);
    EXPECT(request, "\0\0\0\0\0\0", MMC_DIR_NONE, 0);
    request = dirty();
    mmc_cdb_request_sense(&request, 18);
    EXPECT(request, "\x03\0\0\0\x12\0", MMC_DIR_IN, 18);
    mmc_cdb_inquiry(&request, 36);
    EXPECT(request, "\x12\0\0\0\x24\0", MMC_DIR_IN, 36);
    mmc_cdb_get_configuration(&request, MMC_FEATURES_ONE, 0x0107, 0x1234);
    EXPECT(request, "\x46\x02\x01\x07\0\0\0\x12\x34\0", MMC_DIR_IN, 0x1234);
    mmc_cdb_get_event_status(&request, MMC_EVENTS_MEDIA, 8);
    EXPECT(request, "\x4A\x01\0\0\x10\0\0\0\x08\0", MMC_DIR_IN, 8);
}

static void test_cdb_medium_state(void **state) {
    struct mmc_request request = dirty();

    (void)state;
    mmc_cdb_read_disc_information(&request, 34);
    EXPECT(request, "\x51\0\0\0\0\0\0\0\x22\0", MMC_DIR_IN, 34);
    request = dirty();
    mmc_cdb_read_track_information(&request, MMC_TRACK_BY_NUMBER, 0xFF, 36);
    EXPECT(request, "\x52\x01\0\0\0\xFF\0\0\x24\0", MMC_DIR_IN, 36);
    mmc_cdb_read_track_information(&request, MMC_TRACK_BY_LBA, 0x01020304, 48);
    EXPECT(request, "\x52\0\x01\x02\x03\x04\0\0\x30\0", MMC_DIR_IN, 48);
    mmc_cdb_read_format_capacities(&request, 252);
    EXPECT(request, "\x23\0\0\0\0\0\0\0\xFC\0", MMC_DIR_IN, 252);
    mmc_cdb_read_capacity(&request);
    EXPECT(request, "\x25\0\0\0\0\0\0\0\0\0", MMC_DIR_IN, 8);
    mmc_cdb_read_buffer_capacity(&request);
    EXPECT(request, "\x5C\0\0\0\0\0\0\0\x0C\0", MMC_DIR_IN, 12);
    mmc_cdb_read_disc_structure(&request, MMC_STRUCTURE_BD, 1,
                                MMC_STRUCTURE_WRITE_PROTECTION, 8);
    EXPECT(request, "\xAD\x01\0\0\0\0\x01\xC0\0\x08\0\0", MMC_DIR_IN, 8);
    mmc_cdb_send_disc_structure(&request, MMC_STRUCTURE_WRITE_PROTECTION, 8);
    EXPECT(request, "\xBF\0\0\0\0\0\0\xC0\0\x08\0\0", MMC_DIR_OUT, 8);
}

static void test_cdb_toc_asks_atip_in_msf_only(void **state) {
    struct mmc_request request = dirty();

    (void)state;
    mmc_cdb_read_toc(&request, MMC_TOC_TRACKS, 1, 804);
    EXPECT(request, "\x43\0\0\0\0\0\x01\x03\x24\0", MMC_DIR_IN, 804);
    mmc_cdb_read_toc(&request, MMC_TOC_SESSIONS, 0, 12);
    EXPECT(request, "\x43\0\x01\0\0\0\0\0\x0C\0", MMC_DIR_IN, 12);
    mmc_cdb_read_toc(&request, MMC_TOC_ATIP, 0, 28);
    EXPECT(request, "\x43\x02\x04\0\0\0\0\0\x1C\0", MMC_DIR_IN, 28);
}

static void test_cdb_mode_pages(void **state) {
    struct mmc_request request = dirty();

    (void)state;
    mmc_cdb_mode_sense(&request, MMC_MODE_CURRENT, MMC_MODE_WRITE_PARAMETERS,
                       60);
    EXPECT(request, "\x5A\x08\x05\0\0\0\0\0\x3C\0", MMC_DIR_IN, 60);
    mmc_cdb_mode_sense(&request, MMC_MODE_DEFAULT, MMC_MODE_CAPABILITIES,
                       0x102);
    EXPECT(request, "\x5A\x08\xAA\0\0\0\0\x01\x02\0", MMC_DIR_IN, 0x102);
    mmc_cdb_mode_sense_6(&request, MMC_MODE_CHANGEABLE, MMC_MODE_CACHING, 24);
    EXPECT(request, "\x1A\x08\x48\0\x18\0", MMC_DIR_IN, 24);
    mmc_cdb_mode_select(&request, 60);
    EXPECT(request, "\x55\x10\0\0\0\0\0\0\x3C\0", MMC_DIR_OUT, 60);
}

static void test_cdb_door_and_motor(void **state) {
    struct mmc_request request = dirty();

    (void)state;
    mmc_cdb_start_stop(&request, MMC_UNIT_LOAD, false);
    EXPECT(request, "\x1B\0\0\0\x03\0", MMC_DIR_NONE, 0);
    mmc_cdb_start_stop(&request, MMC_UNIT_EJECT, true);
    EXPECT(request, "\x1B\x01\0\0\x02\0", MMC_DIR_NONE, 0);
    mmc_cdb_prevent_allow(&request, MMC_DOOR_PERSISTENT_PREVENT);
    EXPECT(request, "\x1E\0\0\0\x03\0", MMC_DIR_NONE, 0);
    mmc_cdb_set_cd_speed(&request, 0xFFFF, 1770);
    EXPECT(request, "\xBB\0\xFF\xFF\x06\xEA\0\0\0\0\0\0", MMC_DIR_NONE, 0);
}

static void test_cdb_transfers(void **state) {
    struct mmc_request request = dirty();

    (void)state;
    mmc_cdb_read_10(&request, 0xFFFFFFFF, 0xFFFF);
    EXPECT(request, "\x28\0\xFF\xFF\xFF\xFF\0\xFF\xFF\0", MMC_DIR_IN,
           65535u * 2048);
    mmc_cdb_write_10(&request, 0x00012340, 32);
    EXPECT(request, "\x2A\0\0\x01\x23\x40\0\0\x20\0", MMC_DIR_OUT, 65536);
    mmc_cdb_write_and_verify_10(&request, 16, 1);
    EXPECT(request, "\x2E\0\0\0\0\x10\0\0\x01\0", MMC_DIR_OUT, 2048);
    mmc_cdb_verify_10(&request, 64, 0x120);
    EXPECT(request, "\x2F\0\0\0\0\x40\0\x01\x20\0", MMC_DIR_NONE, 0);
    mmc_cdb_read_12(&request, 1, 0x10000, true);
    EXPECT(request, "\xA8\0\0\0\0\x01\0\x01\0\0\x80\0", MMC_DIR_IN,
           0x10000u * 2048);
    mmc_cdb_write_12(&request, 0x02000000, 16, false);
    EXPECT(request, "\xAA\0\x02\0\0\0\0\0\0\x10\0\0", MMC_DIR_OUT, 32768);
    mmc_cdb_synchronize_cache(&request, true);
    EXPECT(request, "\x35\x02\0\0\0\0\0\0\0\0", MMC_DIR_NONE, 0);
    mmc_cdb_synchronize_cache(&request, false);
    EXPECT(request, "\x35\0\0\0\0\0\0\0\0\0", MMC_DIR_NONE, 0);
}

/* A count of 0 moves nothing: the direction must not promise data. */
static void test_cdb_transfer_of_nothing(void **state) {
    struct mmc_request request = dirty();

    (void)state;
    mmc_cdb_read_10(&request, 7, 0);
    EXPECT(request, "\x28\0\0\0\0\x07\0\0\0\0", MMC_DIR_NONE, 0);
    request = dirty();
    mmc_cdb_mode_select(&request, 0);
    EXPECT(request, "\x55\x10\0\0\0\0\0\0\0\0", MMC_DIR_NONE, 0);
}

static void test_cdb_long_operations(void **state) {
    struct mmc_request request = dirty();

    (void)state;
    mmc_cdb_blank(&request, MMC_BLANK_MINIMAL, 0, true);
    EXPECT(request, "\xA1\x11\0\0\0\0\0\0\0\0\0\0", MMC_DIR_NONE, 0);
    mmc_cdb_blank(&request, MMC_BLANK_TRACK, 0x10203, false);
    EXPECT(request, "\xA1\x02\0\x01\x02\x03\0\0\0\0\0\0", MMC_DIR_NONE, 0);
    mmc_cdb_close_track_session(&request, MMC_CLOSE_TRACK, 0x0102, true);
    EXPECT(request, "\x5B\x01\x01\0\x01\x02\0\0\0\0", MMC_DIR_NONE, 0);
    mmc_cdb_close_track_session(&request, MMC_CLOSE_FINALIZE, 0, false);
    EXPECT(request, "\x5B\0\x06\0\0\0\0\0\0\0", MMC_DIR_NONE, 0);
    mmc_cdb_send_opc(&request);
    EXPECT(request, "\x54\x01\0\0\0\0\0\0\0\0", MMC_DIR_NONE, 0);
}

static void test_cdb_performance(void **state) {
    struct mmc_request request = dirty();

    (void)state;
    mmc_cdb_get_performance(&request, MMC_PERFORMANCE_WRITE_SPEED, 3, 56);
    EXPECT(request, "\xAC\0\0\0\0\0\0\0\0\x03\x03\0", MMC_DIR_IN, 56);
    mmc_cdb_get_performance(&request, MMC_PERFORMANCE_NOMINAL, 1, 24);
    EXPECT(request, "\xAC\x10\0\0\0\0\0\0\0\x01\0\0", MMC_DIR_IN, 24);
}

static void test_cdb_set_length(void **state) {
    struct mmc_request request = dirty();

    (void)state;
    mmc_cdb_read_disc_information(&request, 2);
    mmc_cdb_set_length(&request, 0x0122);
    EXPECT(request, "\x51\0\0\0\0\0\0\x01\x22\0", MMC_DIR_IN, 0x122);
}

/* Checks CDB byte 1 and the list of one FORMAT UNIT. */
static void assert_format(const struct mmc_format *format, uint8_t cdb_1,
                          const void *list, uint32_t list_len) {
    struct mmc_request request = dirty();
    uint8_t bytes[MMC_FORMAT_LEGACY_LIST_BYTES + 1];
    uint8_t cdb[] = {0x04, cdb_1, 0, 0, 0, 0};

    memset(bytes, 0xA5, sizeof(bytes));
    mmc_cdb_format_unit(&request, format);
    assert_int_equal(request.cdb_len, 6);
    assert_memory_equal(request.cdb, cdb, sizeof(cdb));
    assert_int_equal(request.direction, MMC_DIR_OUT);
    assert_int_equal(request.data_len, list_len);
    mmc_cdb_format_list(format, bytes);
    assert_memory_equal(bytes, list, list_len);
    assert_int_equal(bytes[list_len], 0xA5); /* not a byte further */
}

static void test_cdb_format_recipes(void **state) {
    struct mmc_format cdrw = {.type = MMC_FORMAT_PACKET_FULL,
                              .blocks = 295264,
                              .parameter = 32,
                              .immediate = true};
    struct mmc_format plus = {.type = MMC_FORMAT_DVD_PLUS_RW,
                              .blocks = 0xFFFFFFFF,
                              .parameter = 1,
                              .immediate = true};
    struct mmc_format ram = {.type = MMC_FORMAT_FULL,
                             .blocks = 2236704,
                             .parameter = 0x000800,
                             .immediate = true,
                             .no_certify = true,
                             .compare = true};
    struct mmc_format bd = {.type = MMC_FORMAT_BD_RE_SPARES,
                            .sub_type = 3,
                            .blocks = 11826176,
                            .options = true};

    (void)state;
    assert_format(&cdrw, 0x11, "\0\x02\0\x08\0\x04\x81\x60\x40\0\0\x20", 12);
    assert_format(&plus, 0x11, "\0\x02\0\x08\xFF\xFF\xFF\xFF\x98\0\0\x01", 12);
    assert_format(&ram, 0x19, "\0\xA2\0\x08\0\x22\x21\x20\0\0\x08\0", 12);
    assert_format(&bd, 0x11, "\0\x80\0\x08\0\xB4\x74\0\xC3\0\0\0", 12);
}

static void test_cdb_format_legacy(void **state) {
    struct mmc_format legacy = {
        .blocks = 295264, .immediate = true, .legacy = true};

    (void)state;
    assert_format(&legacy, 0x17, "\0\x82\0\x08\0\0\0\0\x80\0\0\0\0\x04\x81\x60",
                  16);
}

static void test_cdb_streaming(void **state) {
    struct mmc_request request = dirty();
    struct mmc_streaming streaming = {.exact = true,
                                      .start_lba = 16,
                                      .end_lba = 0x231BFF,
                                      .read_kbs = 11080,
                                      .write_kbs = 5540};
    static const uint8_t expected[MMC_STREAMING_LIST_BYTES] = {
        0x02, 0,    0,    0,    0,    0,    0,    0x10, 0,    0x23,
        0x1B, 0xFF, 0,    0,    0x2B, 0x48, 0,    0,    0x03, 0xE8,
        0,    0,    0x15, 0xA4, 0,    0,    0x03, 0xE8};
    uint8_t list[MMC_STREAMING_LIST_BYTES];
    uint8_t zero[MMC_STREAMING_LIST_BYTES] = {0};

    (void)state;
    mmc_cdb_set_streaming(&request);
    EXPECT(request, "\xB6\0\0\0\0\0\0\0\0\0\x1C\0", MMC_DIR_OUT, 28);
    memset(list, 0xA5, sizeof(list));
    mmc_cdb_streaming_list(&streaming, list);
    assert_memory_equal(list, expected, sizeof(list));
    streaming.restore_defaults = true;
    mmc_cdb_streaming_list(&streaming, list);
    assert_int_equal(list[0], 0x04);
    assert_memory_equal(list + 1, zero + 1, sizeof(list) - 1);
}

/* What is told of CDBs of others by their first byte. */
static void test_cdb_first_byte(void **state) {
    (void)state;
    assert_int_equal(mmc_cdb_length(0x1F), 6);
    assert_int_equal(mmc_cdb_length(0x20), 10);
    assert_int_equal(mmc_cdb_length(0x5F), 10);
    assert_int_equal(mmc_cdb_length(0x60), 0); /* variable length */
    assert_int_equal(mmc_cdb_length(0x7F), 0);
    assert_int_equal(mmc_cdb_length(0x80), 16);
    assert_int_equal(mmc_cdb_length(0xA0), 12);
    assert_int_equal(mmc_cdb_length(0xBF), 12);
    assert_int_equal(mmc_cdb_length(0xC0), 0); /* vendors' */
    assert_int_equal(mmc_cdb_length(0xFF), 0);
    assert_true(mmc_cdb_sends_data(0x15));
    assert_true(mmc_cdb_sends_data(0x5D));
    assert_false(mmc_cdb_sends_data(0xBE)); /* READ CD */
    assert_false(mmc_cdb_sends_data(0xA4)); /* REPORT KEY */
    assert_false(mmc_cdb_sends_data(0x3C)); /* READ BUFFER */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cdb_first_byte),
        cmocka_unit_test(test_cdb_identification),
        cmocka_unit_test(test_cdb_medium_state),
        cmocka_unit_test(test_cdb_toc_asks_atip_in_msf_only),
        cmocka_unit_test(test_cdb_mode_pages),
        cmocka_unit_test(test_cdb_door_and_motor),
        cmocka_unit_test(test_cdb_transfers),
        cmocka_unit_test(test_cdb_transfer_of_nothing),
        cmocka_unit_test(test_cdb_long_operations),
        cmocka_unit_test(test_cdb_performance),
        cmocka_unit_test(test_cdb_set_length),
        cmocka_unit_test(test_cdb_format_recipes),
        cmocka_unit_test(test_cdb_format_legacy),
        cmocka_unit_test(test_cdb_streaming),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
