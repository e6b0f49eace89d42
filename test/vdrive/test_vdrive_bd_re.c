/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How BD-RE is formatted, with how many spares, and what it takes then.
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

enum { BLOCKS = 32 * 1024, PACKET = 32 };

static uint8_t buffer[PACKET * 2048];

static struct mmc_format format_of(uint8_t type, uint32_t blocks,
                                   uint32_t parameter) {
    return (struct mmc_format){.type = type,
                               .blocks = blocks,
                               .parameter = parameter,
                               .immediate = true};
}

static void open_formatted(struct vdrive_rig *rig) {
    rig_open_medium(rig, "bd-re", BLOCKS);
    assert_int_equal(
        rig_format_as(rig, format_of(MMC_FORMAT_FULL, BLOCKS, 2048)), 0);
}

/* Spare blocks that are left, and all of them. */
static void spares(struct vdrive_rig *rig, uint32_t out[2]) {
    struct mmc_request request;
    uint8_t reply[16];

    mmc_cdb_read_disc_structure(&request, MMC_STRUCTURE_BD, 0,
                                MMC_STRUCTURE_SPARES, sizeof(reply));
    assert_int_equal(rig_send(rig, &request, reply), 0);
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *at = reply + 8 + 4 * i;

        out[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
                 (uint32_t)at[2] << 8 | at[3];
    }
}

static void test_vdrive_bd_re_is_sold_unformatted(void **state) {
    struct mmc_format_capacities formats;
    struct vdrive_rig rig;
    struct stat status;

    (void)state;
    rig_open_medium(&rig, "bd-re", 0);
    assert_int_equal(rig_profile(&rig), 0x0043);
    formats = rig_formats(&rig);
    assert_int_equal(formats.kind, MMC_CAPACITY_UNFORMATTED);
    assert_int_equal(formats.blocks, 12219392);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_FULL), 11826176);
    assert_int_equal(formats.formats[1].blocks, 11826176);
    assert_int_equal(formats.formats[2].blocks, 11564032);
    assert_int_equal(formats.formats[3].blocks, 12088320);
    assert_int_equal(rig_offer(&rig, MMC_FORMAT_BD_RE_NO_SPARES), 12219392);
    assert_true(rig_feature(&rig, 0x0040));
    assert_true(rig_feature(&rig, 0x0041));
    assert_true(rig_feature(&rig, MMC_FEATURE_FORMATTABLE));
    assert_false(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x053005);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x080000);
    /* 25 GB, but not on this disk. */
    assert_int_equal(stat(rig.path, &status), 0);
    assert_true(status.st_blocks < 64);
    rig_close(&rig);
}

static void test_vdrive_bd_re_formats_quickly_by_default(void **state) {
    struct vdrive_rig rig;
    struct stat status;
    uint64_t at_ms;

    (void)state;
    rig_open_medium(&rig, "bd-re", 0);
    at_ms = mmc_transport_now(rig.transport);
    assert_int_equal(
        rig_format_as(&rig, format_of(MMC_FORMAT_FULL, 11826176, 2048)), 0);
    assert_true(mmc_transport_now(rig.transport) - at_ms < 120000);
    assert_int_equal(rig_capacity(&rig), 11826176);
    assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_OTHER);
    assert_true(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
    assert_true(rig_feature(&rig, 0x0024));
    assert_int_equal(rig_write_fill(&rig, 11826176 - PACKET, PACKET, 1), 0);
    assert_int_equal(rig_write_fill(&rig, 11826176 - 1, 2, 1), 0x052100);
    assert_int_equal(stat(rig.path, &status), 0);
    assert_true(status.st_blocks < 1024);
    rig_close(&rig);
}

static void test_vdrive_bd_re_takes_chosen_spares(void **state) {
    struct vdrive_rig rig;
    uint32_t max, unit, blocks, left[2];

    (void)state;
    rig_open_medium(&rig, "bd-re", BLOCKS);
    max = rig_offer(&rig, MMC_FORMAT_BD_RE_NO_SPARES);
    unit = (max - BLOCKS) / 3;
    blocks = max - 2 * unit;
    assert_int_equal(
        rig_format_as(&rig, format_of(MMC_FORMAT_BD_RE_SPARES, blocks, 0)), 0);
    assert_int_equal(rig_capacity(&rig), blocks);
    spares(&rig, left);
    assert_int_equal(left[0], 2 * unit);
    assert_int_equal(left[1], 2 * unit);
    rig_close(&rig);
}

static void test_vdrive_bd_re_refuses_sizes_out_of_bounds(void **state) {
    struct mmc_format sub_type;
    struct vdrive_rig rig;
    uint32_t max, unit;

    (void)state;
    rig_open_medium(&rig, "bd-re", BLOCKS);
    max = rig_offer(&rig, MMC_FORMAT_BD_RE_NO_SPARES);
    unit = (max - BLOCKS) / 3;
    const struct mmc_format wrong[] = {
        format_of(MMC_FORMAT_BD_RE_SPARES, max - unit + PACKET, 0),
        format_of(MMC_FORMAT_BD_RE_SPARES, max - 5 * unit - PACKET, 0),
        format_of(MMC_FORMAT_BD_RE_SPARES, max - 2 * unit + 1, 0),
        format_of(MMC_FORMAT_BD_RE_SPARES, max - 2 * unit, 5),
        format_of(MMC_FORMAT_FULL, max, 2048),
        format_of(MMC_FORMAT_BD_RE_NO_SPARES, max - PACKET, 2048),
        format_of(MMC_FORMAT_SPARE_EXPANSION, max - 4 * unit, 2048),
        format_of(MMC_FORMAT_BD_R_SPARES, max - 2 * unit, 0),
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(rig_format_as(&rig, wrong[i]), 0x052600);
    }
    sub_type = format_of(MMC_FORMAT_BD_RE_SPARES, max - 2 * unit, 0);
    sub_type.sub_type = 1;
    assert_int_equal(rig_format_as(&rig, sub_type), 0x052600);
    assert_int_equal(rig_stats(&rig).formats, 0);
    rig_close(&rig);
}

static void test_vdrive_bd_re_certifies_when_asked(void **state) {
    struct mmc_format format = format_of(MMC_FORMAT_BD_RE_SPARES, 11826176, 0);
    struct vdrive_rig rig;
    uint64_t at_ms, quick_ms;

    (void)state;
    rig_open_medium(&rig, "bd-re", 0);
    format.sub_type = 3;
    at_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_format_as(&rig, format), 0);
    quick_ms = mmc_transport_now(rig.transport) - at_ms;
    assert_in_range(quick_ms / 60000, 5, 20);
    format.sub_type = 2;
    at_ms = mmc_transport_now(rig.transport);
    assert_int_equal(rig_format_as(&rig, format), 0);
    assert_in_range((mmc_transport_now(rig.transport) - at_ms) / 60000, 90,
                    180);
    rig_close(&rig);
}

static uint64_t cost_of_writing(struct vdrive_rig *rig) {
    uint64_t before;

    assert_int_equal(rig_write_fill(rig, 0, PACKET, 1), 0);
    before = rig_stats(rig).busy_us;
    assert_int_equal(rig_write_fill(rig, PACKET, PACKET, 1), 0);
    return rig_stats(rig).busy_us - before;
}

static void test_vdrive_bd_re_without_spares_is_faster(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_WRITE_ERROR);
    uint64_t with, without;
    struct vdrive_rig rig;
    uint32_t max;

    (void)state;
    open_formatted(&rig);
    with = cost_of_writing(&rig);
    max = rig_offer(&rig, MMC_FORMAT_BD_RE_NO_SPARES);
    assert_int_equal(
        rig_format_as(&rig, format_of(MMC_FORMAT_BD_RE_NO_SPARES, max, 2048)),
        0);
    assert_int_equal(rig_capacity(&rig), max);
    without = cost_of_writing(&rig);
    assert_int_equal(with / 2, without);
    assert_false(rig_feature(&rig, 0x0024));
    assert_true(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
    assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0x030C00);
    rig_close(&rig);
}

static void test_vdrive_bd_re_completes_clusters_itself(void **state) {
    struct mmc_vdrive_stats before, after;
    struct vdrive_rig rig;

    (void)state;
    open_formatted(&rig);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    before = rig_stats(&rig);
    assert_int_equal(before.partial_units, 0);
    assert_int_equal(rig_write_fill(&rig, 16, 16, 2), 0);
    after = rig_stats(&rig);
    assert_int_equal(after.partial_units, 1);
    assert_int_equal(after.drive_rmws, 1);
    assert_true(after.busy_us - before.busy_us >= 50000);
    assert_true(rig_blocks_hold(&rig, 0, 16, 1));
    assert_true(rig_blocks_hold(&rig, 16, 16, 2));
    rig_close(&rig);
}

static void test_vdrive_bd_re_uses_its_spares(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_WRITE_ERROR);
    struct vdrive_rig rig;
    uint32_t before[2], after[2];

    (void)state;
    open_formatted(&rig);
    spares(&rig, before);
    assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), 0);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    spares(&rig, after);
    assert_int_equal(before[0] - after[0], PACKET);
    assert_int_equal(after[1], before[1]);
    assert_true(rig_blocks_hold(&rig, 0, PACKET, 1));
    rig_close(&rig);
}

static void test_vdrive_bd_re_lists_speeds(void **state) {
    struct mmc_write_speeds speeds;
    struct vdrive_rig rig;

    (void)state;
    open_formatted(&rig);
    assert_int_equal(mmc_command_get_write_speeds(rig.transport, &speeds, NULL),
                     MMC_OK);
    assert_int_equal(speeds.count, 2);
    assert_int_equal(speeds.speeds[0].write_kbs, 8991);
    assert_int_equal(speeds.speeds[0].end_lba, BLOCKS - 1);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_bd_re_is_sold_unformatted),
        cmocka_unit_test(test_vdrive_bd_re_formats_quickly_by_default),
        cmocka_unit_test(test_vdrive_bd_re_takes_chosen_spares),
        cmocka_unit_test(test_vdrive_bd_re_refuses_sizes_out_of_bounds),
        cmocka_unit_test(test_vdrive_bd_re_certifies_when_asked),
        cmocka_unit_test(test_vdrive_bd_re_without_spares_is_faster),
        cmocka_unit_test(test_vdrive_bd_re_completes_clusters_itself),
        cmocka_unit_test(test_vdrive_bd_re_uses_its_spares),
        cmocka_unit_test(test_vdrive_bd_re_lists_speeds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
