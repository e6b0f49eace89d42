/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How DVD+RW is formatted in the background, stopped and restarted, and what
 * it costs to write less than whole units.
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

enum { BLOCKS = 64 * 1024, PACKET = 16, LEAD_IN_S = 60 };

static uint8_t buffer[PACKET * 2048];

static const struct mmc_format fresh = {
    .type = MMC_FORMAT_DVD_PLUS_RW, .blocks = UINT32_MAX, .immediate = true};
static const struct mmc_format restart = {.type = MMC_FORMAT_DVD_PLUS_RW,
                                          .blocks = UINT32_MAX,
                                          .parameter = 1,
                                          .immediate = true};

static void open_formatting(struct vdrive_rig *rig) {
    rig_open_medium(rig, "dvd+rw", BLOCKS);
    assert_int_equal(rig_format_as(rig, fresh), 0);
}

static void open_complete(struct vdrive_rig *rig) {
    open_formatting(rig);
    rig_sleep_s(rig, 60);
    assert_int_equal(rig_disc(rig).background, MMC_BACKGROUND_COMPLETE);
}

static uint16_t progress(struct vdrive_rig *rig) {
    struct mmc_request request;
    uint8_t reply[18];

    mmc_cdb_request_sense(&request, sizeof(reply));
    assert_int_equal(rig_send(rig, &request, reply), 0);
    assert_int_equal(reply[2] & 0x0F, 0);
    assert_int_equal(reply[12] << 8 | reply[13], 0x0404);
    assert_int_equal(reply[15], 0x80);
    return (uint16_t)(reply[16] << 8 | reply[17]);
}

static void test_vdrive_dvd_plus_rw_is_sold_unformatted(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd+rw", 0);
    assert_int_equal(rig_profile(&rig), 0x001A);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_NONE);
    assert_int_equal(rig_formats(&rig).kind, MMC_CAPACITY_UNFORMATTED);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_DVD_PLUS_RW), 2295104);
    assert_true(rig_feature(&rig, 0x002A));
    assert_true(rig_feature(&rig, MMC_FEATURE_FORMATTABLE));
    assert_false(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
    assert_false(rig_feature(&rig, 0x003A));
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x053005);
    assert_int_equal(rig_format_as(&rig, restart), 0x052600);
    assert_int_equal(rig_blank(&rig, MMC_BLANK_WHOLE), 0x052000);
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_two_layers_are_more(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd+rw-dl", 0);
    assert_int_equal(rig_profile(&rig), 0x002A);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_DVD_PLUS_RW), 4173824);
    assert_true(rig_feature(&rig, 0x003A));
    assert_false(rig_feature(&rig, 0x002A));
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_formats_while_it_is_used(void **state) {
    struct vdrive_rig rig;
    uint64_t start_ms;
    uint16_t before;

    (void)state;
    rig_open_medium(&rig, "dvd+rw", BLOCKS);
    start_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_format_as(&rig, fresh), 0);
    assert_int_equal((mmc_transport_now(rig.transport) - start_ms) / 1000,
                     LEAD_IN_S);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_RUNNING);
    assert_true(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    assert_true(rig_blocks_hold(&rig, 0, PACKET, 1));
    assert_int_equal(rig_capacity(&rig), BLOCKS);
    before = progress(&rig);
    rig_sleep_s(&rig, 5); /* of twelve */
    assert_true(progress(&rig) > before);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_RUNNING);
    rig_sleep_s(&rig, 10);
    assert_int_equal(rig_event(&rig), MMC_MEDIA_FORMAT_COMPLETE);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_COMPLETE);
    assert_true(rig_blocks_hold(&rig, BLOCKS - PACKET, PACKET, 0));
    assert_true(rig_blocks_hold(&rig, 0, PACKET, 1));
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_never_written_is_unreadable(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_formatting(&rig);
    assert_int_equal(rig_read(&rig, BLOCKS - PACKET, 1, buffer), 0x031105);
    rig_sleep_s(&rig, 1);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0);
    assert_int_equal(rig_read(&rig, BLOCKS - PACKET, 1, buffer), 0x031105);
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_far_jumps_take_time(void **state) {
    struct vdrive_rig rig;
    uint64_t near_ms, far_ms, at_ms;

    (void)state;
    open_formatting(&rig);
    at_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    near_ms = mmc_transport_now(rig.transport) - at_ms;
    at_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_write_fill(&rig, BLOCKS - PACKET, PACKET, 1), 0);
    far_ms = mmc_transport_now(rig.transport) - at_ms;
    assert_true(far_ms > near_ms + 5000);
    /* What was formatted on the way can be read. */
    assert_true(rig_blocks_hold(&rig, BLOCKS - 2 * PACKET, PACKET, 0));
    assert_true(rig_blocks_hold(&rig, BLOCKS - PACKET, PACKET, 1));
    assert_int_equal(rig_read(&rig, BLOCKS / 4, 1, buffer), 0x031105);
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_stops_and_restarts(void **state) {
    struct vdrive_rig rig;
    uint64_t at_ms;

    (void)state;
    open_formatting(&rig);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    at_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_STOP_FORMAT), 0);
    assert_true(mmc_transport_now(rig.transport) - at_ms < 10000);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_STOPPED);
    at_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
    assert_true(mmc_transport_now(rig.transport) - at_ms >= 60000);
    rig_sleep_s(&rig, 60); /* nothing happens in this time */
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_STOPPED);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 2), 0);
    assert_int_equal(rig_write_fill(&rig, BLOCKS / 2, PACKET, 2), 0x052102);
    assert_int_equal(rig_format_as(&rig, restart), 0);
    assert_int_equal(rig_event(&rig), MMC_MEDIA_FORMAT_RESTARTED);
    assert_int_equal(rig_write_fill(&rig, BLOCKS / 2, PACKET, 2), 0);
    rig_sleep_s(&rig, 60);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_COMPLETE);
    assert_true(rig_blocks_hold(&rig, 0, PACKET, 2));
    assert_true(rig_blocks_hold(&rig, BLOCKS / 2, PACKET, 2));
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_stops_when_switched_off(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_formatting(&rig);
    assert_int_equal(rig_write_fill(&rig, 4 * PACKET, PACKET, 1), 0);
    rig_reopen(&rig);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_STOPPED);
    assert_true(rig_blocks_hold(&rig, 4 * PACKET, PACKET, 1));
    assert_int_equal(rig_read(&rig, BLOCKS - 1, 1, buffer), 0x031105);
    assert_int_equal(rig_format_as(&rig, restart), 0);
    rig_sleep_s(&rig, 60);
    assert_true(rig_blocks_hold(&rig, 4 * PACKET, PACKET, 1));
    assert_true(rig_blocks_hold(&rig, BLOCKS - PACKET, PACKET, 0));
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_is_not_ejected_running(void **state) {
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    open_formatting(&rig);
    mmc_cdb_start_stop(&request, MMC_UNIT_EJECT, false);
    assert_int_equal(rig_send(&rig, &request, NULL), 0x052C00);
    assert_int_equal(rig_format_as(&rig, fresh), 0x052C00);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_STOP_FORMAT), 0);
    assert_int_equal(rig_send(&rig, &request, NULL), 0);
    assert_true(mmc_vdrive_tray_open(rig.transport));
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_quick_start_is_quick(void **state) {
    struct mmc_format start = fresh;
    struct vdrive_rig rig;
    uint64_t at_ms;

    (void)state;
    rig_open_medium(&rig, "dvd+rw", BLOCKS);
    start.parameter = 2;
    at_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_format_as(&rig, start), 0);
    assert_true(mmc_transport_now(rig.transport) - at_ms < 10000);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_RUNNING);
    start.parameter = 4;
    assert_int_equal(rig_format_as(&rig, start), 0x052600);
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_completes_partial_units(void **state) {
    struct mmc_vdrive_stats before, after;
    struct vdrive_rig rig;

    (void)state;
    open_complete(&rig);
    assert_int_equal(rig_write_fill(&rig, 0, 2 * PACKET, 1), 0);
    before = rig_stats(&rig);
    assert_int_equal(before.packets_written, 2);
    assert_int_equal(before.partial_units, 0);
    assert_int_equal(before.drive_rmws, 0);
    assert_int_equal(rig_write_fill(&rig, PACKET - 1, 2, 2), 0);
    after = rig_stats(&rig);
    assert_int_equal(after.packets_written, 4);
    assert_int_equal(after.partial_units, 2);
    assert_int_equal(after.drive_rmws, 2);
    assert_true(after.busy_us - before.busy_us >= 2 * 60000);
    assert_true(rig_blocks_hold(&rig, 0, PACKET - 1, 1));
    assert_true(rig_blocks_hold(&rig, PACKET - 1, 2, 2));
    assert_true(rig_blocks_hold(&rig, PACKET + 1, PACKET - 1, 1));
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_fills_new_units_unread(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_formatting(&rig);
    assert_int_equal(rig_write_fill(&rig, 8 * PACKET + 3, 1, 9), 0);
    assert_int_equal(rig_stats(&rig).partial_units, 1);
    assert_int_equal(rig_stats(&rig).drive_rmws, 0);
    assert_true(rig_blocks_hold(&rig, 8 * PACKET, 3, 0));
    assert_true(rig_blocks_hold(&rig, 8 * PACKET + 3, 1, 9));
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_cannot_complete_bad_units(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_WRITE_ERROR);
    struct vdrive_rig rig;

    (void)state;
    open_complete(&rig);
    fault.lba = 0;
    assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x030C00);
    assert_int_equal(rig_write_fill(&rig, 1, 1, 1), 0x031105);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    assert_int_equal(rig_write_fill(&rig, 1, 1, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_dvd_plus_rw_write_and_verify_works(void **state) {
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    open_complete(&rig);
    memset(buffer, 5, sizeof(buffer));
    mmc_cdb_write_and_verify_10(&request, 32, PACKET);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_true(rig_blocks_hold(&rig, 32, PACKET, 5));
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_dvd_plus_rw_is_sold_unformatted),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_two_layers_are_more),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_formats_while_it_is_used),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_never_written_is_unreadable),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_far_jumps_take_time),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_stops_and_restarts),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_stops_when_switched_off),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_is_not_ejected_running),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_quick_start_is_quick),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_completes_partial_units),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_fills_new_units_unread),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_cannot_complete_bad_units),
        cmocka_unit_test(test_vdrive_dvd_plus_rw_write_and_verify_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
