/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a DVD-RW drive refuses, when, and with which sense.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "mmc/command.h"
#include "test/support/vdrive_rig.h"

enum { BLOCKS = 1024, PACKET = 16 };

static uint8_t buffer[2 * PACKET * 2048];

static const struct mmc_format full = {.type = MMC_FORMAT_PACKET_FULL,
                                       .blocks = BLOCKS,
                                       .parameter = PACKET,
                                       .immediate = true};
static const struct mmc_format quick = {
    .type = MMC_FORMAT_QUICK, .parameter = PACKET, .immediate = true};
static const struct mmc_format grow = {
    .type = MMC_FORMAT_QUICK_GROW, .parameter = PACKET, .immediate = true};

static void open_formatted(struct vdrive_rig *rig, struct mmc_format format) {
    rig_open_medium(rig, "dvd-rw", BLOCKS);
    assert_int_equal(rig_format_as(rig, format), 0);
    rig_select_packets_of(rig, PACKET);
}

/* ---- As sold ------------------------------------------------------------- */

static void test_vdrive_dvd_rw_is_sold_blank_and_sequential(void **state) {
    struct mmc_track_information track;
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-rw", 0);
    assert_int_equal(rig_profile(&rig), 0x0014);
    assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_EMPTY);
    assert_true(rig_disc(&rig).erasable);
    assert_true(rig_feature(&rig, MMC_FEATURE_INCREMENTAL));
    assert_true(rig_feature(&rig, 0x002F));
    assert_true(rig_feature(&rig, MMC_FEATURE_FORMATTABLE));
    assert_false(rig_feature(&rig, MMC_FEATURE_RESTRICTED_OVERWRITE));
    assert_false(rig_feature(&rig, 0x002C));
    assert_int_equal(rig_formats(&rig).kind, MMC_CAPACITY_UNFORMATTED);
    assert_int_equal(rig_formats(&rig).blocks, 2297888);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_FULL), 2297888);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_PACKET_FULL), 2297888);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_QUICK), 2297888);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_QUICK_GROW), UINT32_MAX);
    track = rig_track(&rig);
    assert_true(track.blank && track.nwa_valid && !track.fixed_packet);
    assert_int_equal(track.packet_blocks, PACKET);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x080000);
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_minimal_blank_loses_incremental(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_formatted(&rig, full);
    assert_int_equal(rig_blank(&rig, MMC_BLANK_MINIMAL), 0);
    assert_int_equal(rig_profile(&rig), 0x0014);
    assert_false(rig_feature(&rig, MMC_FEATURE_INCREMENTAL));
    assert_true(rig_feature(&rig, 0x002F));
    rig_select_packets_of(&rig, PACKET);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x056400);
    assert_int_equal(rig_blank(&rig, MMC_BLANK_WHOLE), 0);
    assert_true(rig_feature(&rig, MMC_FEATURE_INCREMENTAL));
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_sequential_is_written_in_order(void **state) {
    struct mmc_track_information track;
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-rw", BLOCKS);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x056400);
    rig_select_packets_of(&rig, PACKET);
    assert_int_equal(rig_write_fill(&rig, PACKET, PACKET, 1), 0x052102);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET + 1, 1), 0x056301);
    assert_int_equal(rig_write_fill(&rig, 0, 2 * PACKET, 1), 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 2), 0x052102);
    assert_int_equal(rig_profile(&rig), 0x0014);
    assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_APPENDABLE);
    track = rig_track(&rig);
    assert_true(track.nwa_valid && !track.blank && !track.fixed_packet);
    assert_int_equal(track.nwa, 2 * PACKET);
    assert_true(rig_blocks_hold(&rig, PACKET, PACKET, 1));
    assert_int_equal(rig_read(&rig, 2 * PACKET, 1, buffer), 0x052100);
    rig_reopen(&rig);
    assert_int_equal(rig_track(&rig).nwa, 2 * PACKET);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
    assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_COMPLETE);
    assert_int_equal(rig_capacity(&rig), 2 * PACKET);
    rig_select_packets_of(&rig, PACKET);
    assert_int_equal(rig_write_fill(&rig, 2 * PACKET, PACKET, 1), 0x072700);
    assert_true(rig_blocks_hold(&rig, 0, PACKET, 1));
    rig_close(&rig);
}

/* ---- Full format --------------------------------------------------------- */

static void test_vdrive_dvd_rw_full_format_takes_its_time(void **state) {
    static const struct mmc_format usual = {.type = MMC_FORMAT_FULL,
                                            .blocks = 2297888,
                                            .parameter = 2048,
                                            .immediate = true};
    struct vdrive_rig rig;
    uint64_t start_ms, minutes;

    (void)state;
    rig_open_medium(&rig, "dvd-rw", 0);
    start_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_format_as(&rig, usual), 0);
    minutes = (mmc_transport_now(rig.transport) - start_ms) / 60000;
    assert_in_range(minutes, 13, 16); /* 4x */
    assert_int_equal(rig_profile(&rig), 0x0013);
    assert_int_equal(rig_capacity(&rig), 2297888);
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_full_format_overwrites_packets(void **state) {
    struct mmc_track_information track;
    struct vdrive_rig rig;

    (void)state;
    open_formatted(&rig, full);
    assert_int_equal(rig_profile(&rig), 0x0013);
    assert_true(rig_feature(&rig, MMC_FEATURE_RESTRICTED_OVERWRITE));
    assert_true(rig_feature(&rig, 0x002C));
    assert_false(rig_feature(&rig, MMC_FEATURE_INCREMENTAL));
    assert_false(rig_feature(&rig, 0x002F));
    assert_int_equal(rig_formats(&rig).kind, MMC_CAPACITY_FORMATTED);
    assert_int_equal(rig_formats(&rig).blocks, BLOCKS);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_QUICK_GROW), 0);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_PACKET_GROW), 0);
    track = rig_track(&rig);
    assert_true(track.packet && track.fixed_packet);
    assert_int_equal(track.packet_blocks, PACKET);
    assert_int_equal(track.blocks, BLOCKS);
    assert_int_equal(rig_write_fill(&rig, 64, PACKET, 7), 0);
    assert_int_equal(rig_write_fill(&rig, 65, PACKET, 7), 0x052102);
    assert_int_equal(rig_write_fill(&rig, 64, PACKET - 1, 7), 0x056301);
    assert_int_equal(rig_write_fill(&rig, BLOCKS, PACKET, 7), 0x052100);
    assert_true(rig_blocks_hold(&rig, 64, PACKET, 7));
    assert_true(rig_blocks_hold(&rig, BLOCKS - PACKET, PACKET, 0));
    /* There is nothing to close, and nothing wrong with asking. */
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_overwrite_needs_page_05(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_formatted(&rig, full);
    rig_reopen(&rig); /* which forgets the page */
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x056400);
    rig_select_packets_of(&rig, 32);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x056401);
    rig_select_packets_of(&rig, PACKET);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_format_checks_sizes(void **state) {
    static const struct mmc_format wrong[] = {
        {.type = MMC_FORMAT_PACKET_FULL, .blocks = 1000, .parameter = PACKET},
        {.type = MMC_FORMAT_PACKET_FULL, .blocks = 0, .parameter = PACKET},
        {.type = MMC_FORMAT_PACKET_FULL, .blocks = BLOCKS, .parameter = 32},
        {.type = MMC_FORMAT_FULL, .blocks = 2 * BLOCKS, .parameter = 2048},
        {.type = MMC_FORMAT_QUICK, .blocks = 8, .parameter = PACKET},
        {.type = MMC_FORMAT_QUICK_GROW, .parameter = PACKET},
        {.type = MMC_FORMAT_PACKET_GROW, .blocks = 16, .parameter = PACKET},
        {.type = MMC_FORMAT_DVD_PLUS_RW, .blocks = UINT32_MAX},
    };
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-rw", BLOCKS);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(rig_format_as(&rig, wrong[i]), 0x052600);
    }
    assert_int_equal(rig_stats(&rig).formats, 0);
    rig_close(&rig);
}

/* ---- Intermediate state -------------------------------------------------- */

static void test_vdrive_dvd_rw_quick_format_writes_in_order(void **state) {
    struct vdrive_rig rig;
    uint64_t start_ms;

    (void)state;
    rig_open_medium(&rig, "dvd-rw", BLOCKS);
    start_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_format_as(&rig, quick), 0);
    assert_in_range(mmc_transport_now(rig.transport) - start_ms, 30000, 90000);
    assert_int_equal(rig_profile(&rig), 0x0013);
    assert_int_equal(rig_formats(&rig).kind, MMC_CAPACITY_NO_MEDIUM);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_QUICK_GROW), UINT32_MAX);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0x052C00);
    rig_select_packets_of(&rig, PACKET);
    assert_int_equal(rig_write_fill(&rig, PACKET, PACKET, 1), 0x052102);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x052102);
    assert_int_equal(rig_write_fill(&rig, PACKET, PACKET, 2), 0);
    assert_int_equal(rig_track(&rig).nwa, 2 * PACKET);
    assert_true(rig_track(&rig).fixed_packet);
    assert_int_equal(rig_read(&rig, 2 * PACKET, 1, buffer), 0x052100);
    assert_true(rig_blocks_hold(&rig, PACKET, PACKET, 2));
    assert_int_equal(rig_capacity(&rig), 1); /* nothing closed yet */
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_close_makes_it_overwritable(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_formatted(&rig, quick);
    assert_int_equal(rig_write_fill(&rig, 0, 2 * PACKET, 1), 0);
    rig_reopen(&rig); /* the state outlives the power */
    assert_int_equal(rig_formats(&rig).kind, MMC_CAPACITY_NO_MEDIUM);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
    assert_int_equal(rig_formats(&rig).kind, MMC_CAPACITY_FORMATTED);
    assert_int_equal(rig_capacity(&rig), 2 * PACKET);
    rig_select_packets_of(&rig, PACKET);
    assert_int_equal(rig_write_fill(&rig, PACKET, PACKET, 3), 0);
    assert_int_equal(rig_write_fill(&rig, 2 * PACKET, PACKET, 3), 0x052100);
    assert_true(rig_blocks_hold(&rig, PACKET, PACKET, 3));
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_QUICK_GROW),
                     BLOCKS - 2 * PACKET);
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_image_ends_with_what_is_closed(void **state) {
    struct vdrive_rig rig;
    struct stat status;

    (void)state;
    open_formatted(&rig, quick);
    assert_int_equal(rig_write_fill(&rig, 0, 2 * PACKET, 1), 0);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
    assert_int_equal(stat(rig.path, &status), 0);
    assert_int_equal(status.st_size, 2 * PACKET * 2048);
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_grows_quickly_keeping_data(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_formatted(&rig, quick);
    assert_int_equal(rig_write_fill(&rig, 0, 2 * PACKET, 1), 0);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
    assert_int_equal(rig_format_as(&rig, grow), 0);
    assert_int_equal(rig_formats(&rig).kind, MMC_CAPACITY_NO_MEDIUM);
    rig_select_packets_of(&rig, PACKET);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 2), 0x052102);
    assert_int_equal(rig_write_fill(&rig, 2 * PACKET, PACKET, 2), 0);
    assert_int_equal(rig_capacity(&rig), 2 * PACKET);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
    assert_int_equal(rig_capacity(&rig), 3 * PACKET);
    assert_true(rig_blocks_hold(&rig, PACKET, PACKET, 1));
    assert_true(rig_blocks_hold(&rig, 2 * PACKET, PACKET, 2));
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_grows_by_what_is_offered(void **state) {
    struct mmc_format more = {.type = MMC_FORMAT_PACKET_GROW,
                              .blocks = BLOCKS,
                              .parameter = PACKET,
                              .immediate = true};
    struct vdrive_rig rig;

    (void)state;
    open_formatted(&rig, quick);
    assert_int_equal(rig_write_fill(&rig, 0, 2 * PACKET, 1), 0);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
    assert_int_equal(rig_format_as(&rig, more), 0x052600);
    more.blocks = rig_offer(&rig, MMC_FORMAT_PACKET_GROW);
    assert_int_equal(rig_format_as(&rig, more), 0);
    assert_int_equal(rig_capacity(&rig), BLOCKS);
    assert_true(rig_blocks_hold(&rig, 0, PACKET, 1));
    assert_true(rig_blocks_hold(&rig, BLOCKS - PACKET, PACKET, 0));
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_close_tells_that_it_works(void **state) {
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    open_formatted(&rig, quick);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    mmc_cdb_close_track_session(&request, MMC_CLOSE_SESSION, 0, true);
    assert_int_equal(rig_send(&rig, &request, NULL), 0);
    assert_int_equal(rig_ready(&rig), 0x020407);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x020407);
    rig_sleep_s(&rig, 60);
    assert_int_equal(rig_ready(&rig), 0);
    assert_int_equal(rig_capacity(&rig), PACKET);
    rig_close(&rig);
}

static void test_vdrive_dvd_rw_speed_is_set_by_streaming(void **state) {
    struct mmc_streaming streaming = {
        .end_lba = BLOCKS - 1, .read_kbs = 5540, .write_kbs = 2770};
    uint8_t list[MMC_STREAMING_LIST_BYTES];
    struct mmc_request request;
    struct vdrive_rig rig;
    uint64_t fast_us, slow_us;

    (void)state;
    open_formatted(&rig, full);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    fast_us = rig_stats(&rig).busy_us;
    assert_int_equal(rig_write_fill(&rig, PACKET, PACKET, 1), 0);
    fast_us = rig_stats(&rig).busy_us - fast_us;
    mmc_cdb_set_streaming(&request);
    mmc_cdb_streaming_list(&streaming, list);
    assert_int_equal(rig_send(&rig, &request, list), 0);
    slow_us = rig_stats(&rig).busy_us;
    assert_int_equal(rig_write_fill(&rig, 2 * PACKET, PACKET, 1), 0);
    slow_us = rig_stats(&rig).busy_us - slow_us;
    assert_in_range(slow_us, 2 * fast_us - 2, 2 * fast_us + 2);
    streaming.end_lba = BLOCKS;
    mmc_cdb_streaming_list(&streaming, list);
    assert_int_equal(rig_send(&rig, &request, list), 0x052100);
    mmc_cdb_set_cd_speed(&request, 1000, 1000);
    assert_int_equal(rig_send(&rig, &request, NULL), 0x052400);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_dvd_rw_is_sold_blank_and_sequential),
        cmocka_unit_test(test_vdrive_dvd_rw_minimal_blank_loses_incremental),
        cmocka_unit_test(test_vdrive_dvd_rw_sequential_is_written_in_order),
        cmocka_unit_test(test_vdrive_dvd_rw_full_format_takes_its_time),
        cmocka_unit_test(test_vdrive_dvd_rw_full_format_overwrites_packets),
        cmocka_unit_test(test_vdrive_dvd_rw_overwrite_needs_page_05),
        cmocka_unit_test(test_vdrive_dvd_rw_format_checks_sizes),
        cmocka_unit_test(test_vdrive_dvd_rw_quick_format_writes_in_order),
        cmocka_unit_test(test_vdrive_dvd_rw_close_makes_it_overwritable),
        cmocka_unit_test(test_vdrive_dvd_rw_image_ends_with_what_is_closed),
        cmocka_unit_test(test_vdrive_dvd_rw_grows_quickly_keeping_data),
        cmocka_unit_test(test_vdrive_dvd_rw_grows_by_what_is_offered),
        cmocka_unit_test(test_vdrive_dvd_rw_close_tells_that_it_works),
        cmocka_unit_test(test_vdrive_dvd_rw_speed_is_set_by_streaming),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
