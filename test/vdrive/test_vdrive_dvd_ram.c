/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a DVD-RAM is as sold, how it is formatted, protected and spared.
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

enum { BLOCKS = 4096, PACKET = 16 };

static uint8_t buffer[2 * PACKET * 2048];

static struct mmc_write_protection protection(struct vdrive_rig *rig) {
    struct mmc_write_protection protection;
    struct mmc_request request;
    uint8_t reply[8];

    mmc_cdb_read_disc_structure(&request, MMC_STRUCTURE_DVD, 0,
                                MMC_STRUCTURE_WRITE_PROTECTION, sizeof(reply));
    assert_int_equal(rig_send(rig, &request, reply), 0);
    assert_int_equal(
        mmc_reply_write_protection(reply, sizeof(reply), &protection), 0);
    return protection;
}

static int32_t protect(struct vdrive_rig *rig, bool on) {
    struct mmc_request request;
    uint8_t list[8] = {0, 6};

    list[4] = (uint8_t)(on << 1);
    mmc_cdb_send_disc_structure(&request, MMC_STRUCTURE_WRITE_PROTECTION,
                                sizeof(list));
    return rig_send(rig, &request, list);
}

/* Unused primary and supplementary spares, and supplementary ones in all. */
static void spares(struct vdrive_rig *rig, uint32_t out[3]) {
    struct mmc_request request;
    uint8_t reply[16];

    mmc_cdb_read_disc_structure(&request, MMC_STRUCTURE_DVD, 0,
                                MMC_STRUCTURE_SPARES, sizeof(reply));
    assert_int_equal(rig_send(rig, &request, reply), 0);
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *at = reply + 4 + 4 * i;

        out[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
                 (uint32_t)at[2] << 8 | at[3];
    }
}

static void test_vdrive_dvd_ram_is_sold_formatted(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-ram", 0);
    assert_int_equal(rig_profile(&rig), 0x0012);
    assert_int_equal(rig_capacity(&rig), 2236704);
    assert_int_equal(rig_formats(&rig).kind, MMC_CAPACITY_FORMATTED);
    assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_OTHER);
    assert_true(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
    assert_true(rig_feature(&rig, 0x0024));
    assert_true(rig_feature(&rig, MMC_FEATURE_FORMATTABLE));
    assert_false(rig_feature(&rig, MMC_FEATURE_RESTRICTED_OVERWRITE));
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_FULL), 2236704);
    assert_int_equal(rig_formats(&rig).formats[1].blocks, 2295072);
    assert_true(rig_blocks_hold(&rig, 2236704 - PACKET, PACKET, 0));
    assert_int_equal(rig_read(&rig, 2236704, 1, buffer), 0x052100);
    rig_close(&rig);
}

static void test_vdrive_dvd_ram_takes_any_block_without_a_page(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-ram", BLOCKS);
    assert_int_equal(rig_capacity(&rig), BLOCKS);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    assert_int_equal(rig_write_fill(&rig, 5, 1, 2), 0);
    assert_true(rig_blocks_hold(&rig, 0, 5, 1));
    assert_true(rig_blocks_hold(&rig, 5, 1, 2));
    assert_true(rig_blocks_hold(&rig, 6, PACKET - 6, 1));
    assert_int_equal(rig_stats(&rig).drive_rmws, 1);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0x052400);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_STOP_FORMAT), 0x052400);
    rig_close(&rig);
}

static void test_vdrive_dvd_ram_streams_whole_units_only(void **state) {
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-ram", BLOCKS);
    memset(buffer, 3, sizeof(buffer));
    mmc_cdb_write_12(&request, 16, PACKET, true);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    mmc_cdb_write_12(&request, 17, PACKET, true);
    assert_int_equal(rig_send(&rig, &request, buffer), 0x052102);
    mmc_cdb_write_12(&request, 16, 1, true);
    assert_int_equal(rig_send(&rig, &request, buffer), 0x052102);
    assert_true(rig_blocks_hold(&rig, 16, PACKET, 3));
    rig_close(&rig);
}

static void test_vdrive_dvd_ram_formats_with_and_without(void **state) {
    struct mmc_format format = {.type = MMC_FORMAT_FULL,
                                .parameter = 2048,
                                .immediate = true,
                                .no_certify = true,
                                .compare = true};
    uint64_t quick_ms, full_ms, at_ms;
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-ram", 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    format.blocks = 2236704;
    at_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_format_as(&rig, format), 0);
    quick_ms = mmc_transport_now(rig.transport) - at_ms;
    assert_true(quick_ms < 60000);
    assert_true(rig_blocks_hold(&rig, 0, PACKET, 0));
    format.no_certify = format.compare = false;
    format.options = true;
    format.blocks = 2295072;
    at_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_format_as(&rig, format), 0);
    full_ms = mmc_transport_now(rig.transport) - at_ms;
    assert_in_range(full_ms / 60000, 60, 90);
    assert_int_equal(rig_capacity(&rig), 2295072);
    format.blocks = 2295072 - PACKET; /* not offered */
    assert_int_equal(rig_format_as(&rig, format), 0x052600);
    rig_close(&rig);
}

static void test_vdrive_dvd_ram_widens_its_spare_area(void **state) {
    struct mmc_format format = {.type = MMC_FORMAT_SPARE_EXPANSION,
                                .parameter = 2048,
                                .immediate = true};
    uint32_t before[3], after[3];
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-ram", BLOCKS);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    spares(&rig, before);
    format.blocks = rig_offer(&rig, MMC_FORMAT_SPARE_EXPANSION);
    assert_true(format.blocks < BLOCKS);
    assert_int_equal(rig_format_as(&rig, format), 0);
    assert_int_equal(rig_capacity(&rig), format.blocks);
    spares(&rig, after);
    assert_int_equal(after[2] - before[2], BLOCKS - format.blocks);
    assert_true(rig_blocks_hold(&rig, 0, PACKET, 1)); /* keeps data */
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_SPARE_EXPANSION), UINT32_MAX);
    rig_close(&rig);
}

static void test_vdrive_dvd_ram_host_protects_and_allows(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-ram", BLOCKS);
    assert_false(protection(&rig).persistent || protection(&rig).by_cartridge);
    assert_int_equal(protect(&rig, true), 0);
    assert_true(protection(&rig).persistent);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x072700);
    assert_false(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
    assert_false(rig_feature(&rig, MMC_FEATURE_FORMATTABLE));
    assert_int_equal(rig_formats(&rig).count, 0);
    rig_reopen(&rig);
    assert_true(protection(&rig).persistent);
    assert_int_equal(protect(&rig, false), 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_dvd_ram_cartridge_is_not_the_hosts(void **state) {
    struct mmc_request request;
    struct vdrive_rig rig;
    uint8_t reply[8];

    (void)state;
    rig_open_medium(&rig, "dvd-ram", BLOCKS);
    mmc_vdrive_protect(rig.transport, true);
    assert_true(protection(&rig).by_cartridge);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x072700);
    assert_int_equal(protect(&rig, false), 0x072700);
    mmc_cdb_read_disc_structure(&request, MMC_STRUCTURE_DVD, 0, 0x09,
                                sizeof(reply));
    assert_int_equal(rig_send(&rig, &request, reply), 0);
    assert_int_equal(reply[4], 0x84);
    mmc_vdrive_protect(rig.transport, false);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_dvd_ram_spares_until_none_is_left(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_WRITE_ERROR);
    uint32_t left[3], packets;
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-ram", BLOCKS);
    spares(&rig, left);
    packets = (left[0] + left[1]) / PACKET;
    assert_true(packets > 0);
    fault.times = 0;
    assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), 0);
    for (uint32_t i = 0; i < packets; i++) {
        assert_int_equal(rig_write_fill(&rig, i * PACKET, PACKET, 1), 0);
    }
    assert_int_equal(rig_stats(&rig).spared, packets);
    spares(&rig, left);
    assert_int_equal(left[0] + left[1], 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x030C02);
    mmc_vdrive_clear_faults(rig.transport);
    assert_true(rig_blocks_hold(&rig, PACKET, PACKET, 1));
    rig_close(&rig);
}

static void test_vdrive_dvd_ram_spares_only_with_awre(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_WRITE_ERROR);
    struct mmc_mode_page page;
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-ram", BLOCKS);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT,
                           MMC_MODE_ERROR_RECOVERY, &page, NULL);
    assert_true(page.bytes[2] & 0x80);
    page.bytes[2] &= 0x7F;
    assert_int_equal(mmc_command_mode_select(rig.transport, &page, NULL),
                     MMC_OK);
    assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x030C02);
    rig_close(&rig);
}

static void test_vdrive_dvd_ram_lists_its_structures(void **state) {
    static const uint8_t formats[] = {0x00, 0x09, 0x0A, 0x10, 0xC0};
    struct mmc_request request;
    struct vdrive_rig rig;
    uint8_t reply[64];

    (void)state;
    rig_open_medium(&rig, "dvd-ram", BLOCKS);
    mmc_cdb_read_disc_structure(&request, MMC_STRUCTURE_DVD, 0, 0xFF,
                                sizeof(reply));
    assert_int_equal(rig_send(&rig, &request, reply), 0);
    assert_int_equal(rig.reply.data_len, 4 + 4 * sizeof(formats));
    for (size_t i = 0; i < sizeof(formats); i++) {
        assert_int_equal(reply[4 + 4 * i], formats[i]);
    }
    mmc_cdb_read_disc_structure(&request, MMC_STRUCTURE_DVD, 0, 0, 16);
    assert_int_equal(rig_send(&rig, &request, reply), 0);
    assert_int_equal(reply[4] >> 4, 1); /* book type: DVD-RAM */
    mmc_cdb_read_disc_structure(&request, MMC_STRUCTURE_BD, 0, 0, 16);
    assert_int_equal(rig_send(&rig, &request, reply), 0x053002);
    mmc_cdb_read_disc_structure(&request, MMC_STRUCTURE_DVD, 0, 0x11, 16);
    assert_int_equal(rig_send(&rig, &request, reply), 0x052400);
    rig_close(&rig);
}

static void test_vdrive_dvd_ram_cut_format_is_torn(void **state) {
    static const struct mmc_vdrive_cut cut = {.tear = MMC_VDRIVE_TEAR_OLD};
    struct mmc_format format = {.type = MMC_FORMAT_FULL,
                                .parameter = 2048,
                                .blocks = BLOCKS,
                                .immediate = true};
    uint8_t list[MMC_FORMAT_LIST_BYTES];
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd-ram", BLOCKS);
    mmc_cdb_format_unit(&request, &format);
    mmc_cdb_format_list(&format, list);
    assert_int_equal(rig_send(&rig, &request, list), 0);
    mmc_vdrive_power_cut(rig.transport, &cut);
    rig_reopen(&rig);
    assert_int_equal(rig_formats(&rig).kind, MMC_CAPACITY_UNFORMATTED);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x033100);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x033100);
    assert_int_equal(rig_format_as(&rig, format), 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_dvd_ram_is_sold_formatted),
        cmocka_unit_test(test_vdrive_dvd_ram_takes_any_block_without_a_page),
        cmocka_unit_test(test_vdrive_dvd_ram_streams_whole_units_only),
        cmocka_unit_test(test_vdrive_dvd_ram_formats_with_and_without),
        cmocka_unit_test(test_vdrive_dvd_ram_widens_its_spare_area),
        cmocka_unit_test(test_vdrive_dvd_ram_host_protects_and_allows),
        cmocka_unit_test(test_vdrive_dvd_ram_cartridge_is_not_the_hosts),
        cmocka_unit_test(test_vdrive_dvd_ram_spares_until_none_is_left),
        cmocka_unit_test(test_vdrive_dvd_ram_spares_only_with_awre),
        cmocka_unit_test(test_vdrive_dvd_ram_lists_its_structures),
        cmocka_unit_test(test_vdrive_dvd_ram_cut_format_is_torn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
