/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How CD-RW becomes CD-MRW: background format, LBA spaces, the dirty bit.
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

enum { BLOCKS = 8704, PACKET = 32 };

static uint8_t buffer[PACKET * 2048];

static const struct mmc_format fresh = {
    .type = MMC_FORMAT_MRW, .blocks = UINT32_MAX, .immediate = true};
static const struct mmc_format restart = {.type = MMC_FORMAT_MRW,
                                          .blocks = UINT32_MAX,
                                          .parameter = 1,
                                          .immediate = true};

static void open_formatting(struct vdrive_rig *rig) {
    rig_open_medium(rig, "cdmrw", BLOCKS);
    assert_int_equal(rig_format_as(rig, fresh), 0);
}

static void test_vdrive_cdmrw_blank_is_a_cd_rw(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "cdmrw", 0);
    assert_int_equal(rig_profile(&rig), 0x000A);
    assert_true(rig_feature(&rig, 0x0028));
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_NONE);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_MRW), 276800);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_PACKET_FULL), 295264);
    assert_false(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x053005);
    assert_int_equal(rig_format_as(&rig, restart), 0x052600);
    rig_close(&rig);
}

static void test_vdrive_cdmrw_can_be_a_packet_cd_rw(void **state) {
    struct mmc_format packets = {
        .type = MMC_FORMAT_PACKET_FULL, .parameter = PACKET, .immediate = true};
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "cdmrw", BLOCKS);
    packets.blocks = rig_offer(&rig, MMC_FORMAT_PACKET_FULL);
    rig_select_packets(&rig);
    assert_int_equal(rig_format_as(&rig, packets), 0);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_NONE);
    assert_true(rig_feature(&rig, MMC_FEATURE_RESTRICTED_OVERWRITE));
    assert_false(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
    rig_select_packets(&rig);
    assert_int_equal(rig_write_fill(&rig, 1, PACKET, 1), 0x052102);
    assert_int_equal(rig_write_fill(&rig, 32, PACKET, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_cdmrw_formats_in_the_background(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_formatting(&rig);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_RUNNING);
    assert_int_equal(rig_capacity(&rig), BLOCKS);
    assert_true(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
    assert_true(rig_feature(&rig, 0x0024));
    assert_false(rig_feature(&rig, MMC_FEATURE_RESTRICTED_OVERWRITE));
    /* Any block, and no page 05h. */
    assert_int_equal(rig_write_fill(&rig, 100, 3, 1), 0);
    assert_true(rig_blocks_hold(&rig, 100, 3, 1));
    assert_int_equal(rig_read(&rig, BLOCKS - 1, 1, buffer), 0x031105);
    rig_sleep_s(&rig, 20);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_COMPLETE);
    assert_int_equal(rig_event(&rig), MMC_MEDIA_FORMAT_COMPLETE);
    assert_true(rig_blocks_hold(&rig, BLOCKS - 1, 1, 0));
    rig_close(&rig);
}

static void test_vdrive_cdmrw_goes_on_where_it_was_stopped(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_formatting(&rig);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_STOPPED);
    rig_reopen(&rig);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_STOPPED);
    assert_int_equal(rig_write_fill(&rig, BLOCKS - 1, 1, 1), 0x052102);
    assert_int_equal(rig_format_as(&rig, restart), 0);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_RUNNING);
    assert_int_equal(rig_write_fill(&rig, BLOCKS - 1, 1, 1), 0);
    rig_sleep_s(&rig, 30);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_COMPLETE);
    assert_true(rig_blocks_hold(&rig, 0, PACKET, 1));
    rig_close(&rig);
}

static void test_vdrive_cdmrw_dirty_until_it_is_parked(void **state) {
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    open_formatting(&rig);
    rig_sleep_s(&rig, 30);
    assert_false(rig_disc(&rig).dirty);
    assert_int_equal(rig_write_fill(&rig, 0, 1, 1), 0);
    assert_true(rig_disc(&rig).dirty);
    rig_reopen(&rig);
    assert_true(rig_disc(&rig).dirty);
    mmc_cdb_start_stop(&request, MMC_UNIT_EJECT, false);
    assert_int_equal(rig_send(&rig, &request, NULL), 0);
    mmc_vdrive_load(rig.transport);
    rig_sleep_s(&rig, 10);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_false(rig_disc(&rig).dirty);
    rig_close(&rig);
}

static void check_space_page(struct vdrive_rig *rig, uint8_t code) {
    struct mmc_mode_page page;

    assert_int_equal(mmc_command_mode_sense(rig->transport, MMC_MODE_CURRENT,
                                            code, &page, NULL),
                     MMC_OK);
    assert_int_equal(page.bytes[3], 0);
    page.bytes[3] = 1; /* the general application area */
    assert_int_equal(mmc_command_mode_select(rig->transport, &page, NULL),
                     MMC_OK);
    assert_int_equal(rig_capacity(rig), 1024);
    assert_true(rig_blocks_hold(rig, 0, 1, 0));
    assert_int_equal(rig_write_fill(rig, 0, 1, 1), 0x072700);
    assert_int_equal(rig_read(rig, 1024, 1, buffer), 0x052100);
    page.bytes[3] = 0;
    assert_int_equal(mmc_command_mode_select(rig->transport, &page, NULL),
                     MMC_OK);
    assert_int_equal(rig_capacity(rig), BLOCKS);
    assert_true(rig_blocks_hold(rig, 0, 1, 7));
}

static void test_vdrive_cdmrw_has_two_address_spaces(void **state) {
    struct mmc_mode_page page;
    struct vdrive_rig rig;

    (void)state;
    open_formatting(&rig);
    rig_sleep_s(&rig, 30);
    assert_int_equal(rig_write_fill(&rig, 0, 1, 7), 0);
    check_space_page(&rig, MMC_MODE_MRW);
    mmc_vdrive_quirk(rig.transport, MMC_VDRIVE_QUIRK_MRW_PAGE_2C, true);
    assert_int_equal(mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT,
                                            MMC_MODE_MRW, &page, NULL),
                     MMC_ILLEGAL_REQUEST);
    check_space_page(&rig, 0x2C);
    mmc_vdrive_quirk(rig.transport, MMC_VDRIVE_QUIRK_MRW_GAA, true);
    assert_int_equal(rig_capacity(&rig), 1024);
    rig_close(&rig);
}

static void test_vdrive_cdmrw_blanks_to_a_cd_rw(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_formatting(&rig);
    assert_int_equal(rig_blank(&rig, MMC_BLANK_MINIMAL), 0);
    assert_int_equal(rig_disc(&rig).background, MMC_BACKGROUND_NONE);
    assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_EMPTY);
    rig_close(&rig);
}

static void test_vdrive_cdmrw_drive_spares(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_WRITE_ERROR);
    struct vdrive_rig rig;

    (void)state;
    open_formatting(&rig);
    assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    assert_int_equal(rig_stats(&rig).spared, 1);
    assert_true(rig_blocks_hold(&rig, 0, PACKET, 1));
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_cdmrw_blank_is_a_cd_rw),
        cmocka_unit_test(test_vdrive_cdmrw_can_be_a_packet_cd_rw),
        cmocka_unit_test(test_vdrive_cdmrw_formats_in_the_background),
        cmocka_unit_test(test_vdrive_cdmrw_goes_on_where_it_was_stopped),
        cmocka_unit_test(test_vdrive_cdmrw_dirty_until_it_is_parked),
        cmocka_unit_test(test_vdrive_cdmrw_has_two_address_spaces),
        cmocka_unit_test(test_vdrive_cdmrw_blanks_to_a_cd_rw),
        cmocka_unit_test(test_vdrive_cdmrw_drive_spares),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
