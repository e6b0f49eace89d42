/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drives that do not follow the specification, one quirk at a time.
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

enum { BLOCKS = 64 * 1024, PACKET = 16 };

static uint8_t buffer[32 * 2048];

static const struct mmc_format dvd_plus_rw = {
    .type = MMC_FORMAT_DVD_PLUS_RW, .blocks = UINT32_MAX, .immediate = true};

static void open_dvd_plus_rw(struct vdrive_rig *rig) {
    rig_open_medium(rig, "dvd+rw", BLOCKS);
    assert_int_equal(rig_format_as(rig, dvd_plus_rw), 0);
}

static void set(struct vdrive_rig *rig, enum mmc_vdrive_quirk_kind quirk) {
    mmc_vdrive_quirk(rig->transport, quirk, true);
}

static void write_faults(struct vdrive_rig *rig, const char *text) {
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s.udfpkt-faults", rig->path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static void test_vdrive_quirk_aligned_only(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_dvd_plus_rw(&rig);
    assert_int_equal(rig_write_fill(&rig, 1, 1, 1), 0);
    set(&rig, MMC_VDRIVE_QUIRK_ALIGNED_ONLY);
    assert_int_equal(rig_write_fill(&rig, 1, 1, 1), 0x052102);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET + 1, 1), 0x052102);
    assert_int_equal(rig_write_fill(&rig, 8, PACKET, 1), 0x052102);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_quirk_wrong_nwa(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    assert_int_equal(rig_track(&rig).nwa, 0);
    set(&rig, MMC_VDRIVE_QUIRK_WRONG_NWA);
    assert_int_equal(rig_track(&rig).nwa, (uint32_t)-150);
    rig_close(&rig);
}

static void test_vdrive_quirk_lying_capacity(void **state) {
    struct vdrive_rig rig;
    uint32_t early;

    (void)state;
    open_dvd_plus_rw(&rig);
    set(&rig, MMC_VDRIVE_QUIRK_LYING_CAPACITY);
    rig_sleep_s(&rig, 1);
    early = rig_capacity(&rig);
    assert_in_range(early, 1, BLOCKS / 2);
    rig_sleep_s(&rig, 2);
    assert_true(rig_capacity(&rig) > early);
    rig_sleep_s(&rig, 30);
    assert_int_equal(rig_capacity(&rig), BLOCKS);
    rig_close(&rig);
}

static void test_vdrive_quirk_format_capacities_plus_four(void **state) {
    struct mmc_request request;
    struct vdrive_rig rig;
    uint8_t reply[64];

    (void)state;
    rig_open(&rig);
    mmc_cdb_read_format_capacities(&request, sizeof(reply));
    assert_int_equal(rig_send(&rig, &request, reply), 0);
    assert_int_equal(reply[3], 16);
    set(&rig, MMC_VDRIVE_QUIRK_CAPACITIES_PLUS_FOUR);
    assert_int_equal(rig_send(&rig, &request, reply), 0);
    assert_int_equal(reply[3], 20);
    assert_int_equal(rig.reply.data_len, 20); /* and nothing more follows */
    assert_int_equal(rig_formats(&rig).count, 1);
    rig_close(&rig);
}

static void test_vdrive_quirk_no_page_05(void **state) {
    struct mmc_mode_page page;
    struct mmc_sense sense;
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT,
                           MMC_MODE_WRITE_PARAMETERS, &page, NULL);
    set(&rig, MMC_VDRIVE_QUIRK_NO_PAGE_05);
    assert_int_equal(mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT,
                                            MMC_MODE_WRITE_PARAMETERS, &page,
                                            &sense),
                     MMC_ILLEGAL_REQUEST);
    assert_int_equal(sense.asc, 0x24);
    assert_int_equal(mmc_command_mode_select(rig.transport, &page, &sense),
                     MMC_ILLEGAL_REQUEST);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_quirk_page_05_refused_on_blank(void **state) {
    struct mmc_mode_page page;
    struct mmc_sense sense;
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    set(&rig, MMC_VDRIVE_QUIRK_PAGE_05_NOT_ON_BLANK);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT,
                           MMC_MODE_WRITE_PARAMETERS, &page, NULL);
    assert_int_equal(mmc_command_mode_select(rig.transport, &page, &sense),
                     MMC_ILLEGAL_REQUEST);
    assert_int_equal(sense.asc, 0x26);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x056400);
    rig_select_packets(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_quirk_no_format_10(void **state) {
    struct mmc_format legacy = {.legacy = true, .blocks = RIG_BLOCKS};
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    set(&rig, MMC_VDRIVE_QUIRK_NO_FORMAT_10);
    rig_select_packets(&rig);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0x052600);
    assert_int_equal(rig_format_as(&rig, legacy), 0);
    rig_select_packets(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_quirk_format_needs_immed(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    set(&rig, MMC_VDRIVE_QUIRK_FORMAT_NEEDS_IMMED);
    rig_select_packets(&rig);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), -ETIMEDOUT);
    assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_EMPTY);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, true), 0);
    assert_int_equal(rig_ready(&rig), 0x020404);
    rig_close(&rig);
}

static void test_vdrive_quirk_speed_refused(void **state) {
    struct mmc_streaming streaming = {.restore_defaults = true};
    uint8_t list[MMC_STREAMING_LIST_BYTES];
    struct mmc_request request;
    struct vdrive_rig cd, dvd;

    (void)state;
    rig_open(&cd);
    mmc_cdb_set_cd_speed(&request, 0xFFFF, 0xFFFF);
    assert_int_equal(rig_send(&cd, &request, NULL), 0);
    set(&cd, MMC_VDRIVE_QUIRK_SPEED_REFUSED);
    assert_int_equal(rig_send(&cd, &request, NULL), 0x052400);
    rig_close(&cd);
    open_dvd_plus_rw(&dvd);
    mmc_cdb_set_streaming(&request);
    mmc_cdb_streaming_list(&streaming, list);
    assert_int_equal(rig_send(&dvd, &request, list), 0);
    set(&dvd, MMC_VDRIVE_QUIRK_SPEED_REFUSED);
    assert_int_equal(rig_send(&dvd, &request, list), 0x052400);
    rig_close(&dvd);
}

static void test_vdrive_quirk_not_erasable_after_format(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    set(&rig, MMC_VDRIVE_QUIRK_NOT_ERASABLE);
    assert_true(rig_disc(&rig).erasable);
    rig_select_packets(&rig);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_false(rig_disc(&rig).erasable);
    mmc_vdrive_press_button(rig.transport);
    mmc_vdrive_press_button(rig.transport);
    rig_sleep_s(&rig, 10);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_true(rig_disc(&rig).erasable);
    rig_close(&rig);
}

static void test_vdrive_quirk_late_not_ready(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    set(&rig, MMC_VDRIVE_QUIRK_LATE_NOT_READY);
    rig_select_packets(&rig);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, true), 0);
    assert_int_equal(rig_ready(&rig), 0);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x020407);
    assert_int_equal(rig_ready(&rig), 0);
    rig_sleep_s(&rig, 10);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0);
    rig_close(&rig);
}

static void test_vdrive_quirk_sequence_error(void **state) {
    struct vdrive_rig rig;

    (void)state;
    open_dvd_plus_rw(&rig);
    set(&rig, MMC_VDRIVE_QUIRK_SEQUENCE_ERROR);
    assert_int_equal(rig_write_fill(&rig, 0, PACKET, 1), 0);
    assert_int_equal(rig_write_fill(&rig, PACKET, PACKET, 1), 0);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0);
    assert_int_equal(rig_write_fill(&rig, 32, PACKET, 1), 0x022C00);
    assert_int_equal(rig_write_fill(&rig, 32, PACKET, 1), 0x022C00);
    assert_int_equal(rig_sync(&rig), 0);
    assert_int_equal(rig_write_fill(&rig, 32, PACKET, 1), 0);
    mmc_vdrive_quirk(rig.transport, MMC_VDRIVE_QUIRK_SEQUENCE_ERROR, false);
    set(&rig, MMC_VDRIVE_QUIRK_SEQUENCE_ERROR_5);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0);
    assert_int_equal(rig_write_fill(&rig, 32, PACKET, 1), 0x052C00);
    assert_int_equal(rig_sync(&rig), 0);
    assert_int_equal(rig_write_fill(&rig, 32, PACKET, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_quirk_slow_spin_up(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    write_faults(&rig, "quirk slow-spinup\n");
    rig_reopen(&rig);
    rig_sleep_s(&rig, 59);
    assert_int_equal(rig_ready(&rig), 0x020401);
    rig_sleep_s(&rig, 1);
    assert_int_equal(rig_ready(&rig), 0);
    mmc_vdrive_press_button(rig.transport);
    mmc_vdrive_press_button(rig.transport);
    rig_sleep_s(&rig, 59);
    assert_int_equal(rig_ready(&rig), 0x020401);
    rig_close(&rig);
}

static void test_vdrive_quirk_tray_open(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    write_faults(&rig, "# the tray is out\nquirk tray-open\n");
    rig_reopen(&rig);
    assert_int_equal(rig_ready(&rig), 0x023A02);
    assert_true(mmc_vdrive_tray_open(rig.transport));
    mmc_vdrive_load(rig.transport);
    rig_sleep_s(&rig, 10);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_int_equal(rig_ready(&rig), 0);
    rig_close(&rig);
}

static void test_vdrive_quirk_tray_empty(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    write_faults(&rig, "quirk tray-empty\n");
    rig_reopen(&rig);
    assert_int_equal(rig_ready(&rig), 0x023A01);
    assert_int_equal(rig_profile(&rig), 0);
    mmc_vdrive_press_button(rig.transport); /* opens, */
    mmc_vdrive_press_button(rig.transport); /* and closes with a disc */
    rig_sleep_s(&rig, 10);
    assert_int_equal(rig_ready(&rig), 0x062800);
    rig_close(&rig);
}

static void test_vdrive_quirk_stale_events(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    mmc_vdrive_press_button(rig.transport);
    set(&rig, MMC_VDRIVE_QUIRK_STALE_EVENTS);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(rig_event(&rig), MMC_MEDIA_REMOVED);
    }
    mmc_vdrive_quirk(rig.transport, MMC_VDRIVE_QUIRK_STALE_EVENTS, false);
    assert_int_equal(rig_event(&rig), MMC_MEDIA_REMOVED);
    assert_int_equal(rig_event(&rig), MMC_MEDIA_NO_CHANGE);
    rig_close(&rig);
}

static void test_vdrive_quirk_names_are_all_known(void **state) {
    static const char *const names[] = {
        "dvd+rw-aligned-only",
        "wrong-nwa",
        "lying-capacity",
        "format-capacities-plus-four",
        "no-page-05h",
        "page-05h-refused-on-blank",
        "no-format-10h",
        "format-needs-immed",
        "speed-refused",
        "not-erasable-after-format",
        "late-2/04/07",
        "sequence-error",
        "sequence-error-5",
        "slow-spinup",
        "tray-open",
        "tray-empty",
        "stale-events",
        "mrw-page-2ch",
        "mrw-gaa",
        "huge-capacity",
        "no-fixed-packets",
        "wants-opc",
    };
    struct mmc_transport *drive;
    struct vdrive_rig rig;
    char line[64];

    (void)state;
    rig_open(&rig);
    assert_int_equal(sizeof(names) / sizeof(names[0]), MMC_VDRIVE_QUIRKS);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(line, sizeof(line), "quirk %s\n", names[i]);
        write_faults(&rig, line);
        rig_reopen(&rig);
    }
    mmc_transport_close(rig.transport);
    rig.transport = NULL;
    write_faults(&rig, "quirk\n");
    assert_int_equal(mmc_vdrive_open(rig.path, true, &drive), -EINVAL);
    write_faults(&rig, "quirk no-such-quirk\n");
    assert_int_equal(mmc_vdrive_open(rig.path, true, &drive), -EINVAL);
    write_faults(&rig, "quirk wrong-nwa tray-open\n");
    assert_int_equal(mmc_vdrive_open(rig.path, true, &drive), -EINVAL);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_quirk_aligned_only),
        cmocka_unit_test(test_vdrive_quirk_wrong_nwa),
        cmocka_unit_test(test_vdrive_quirk_lying_capacity),
        cmocka_unit_test(test_vdrive_quirk_format_capacities_plus_four),
        cmocka_unit_test(test_vdrive_quirk_no_page_05),
        cmocka_unit_test(test_vdrive_quirk_page_05_refused_on_blank),
        cmocka_unit_test(test_vdrive_quirk_no_format_10),
        cmocka_unit_test(test_vdrive_quirk_format_needs_immed),
        cmocka_unit_test(test_vdrive_quirk_speed_refused),
        cmocka_unit_test(test_vdrive_quirk_not_erasable_after_format),
        cmocka_unit_test(test_vdrive_quirk_late_not_ready),
        cmocka_unit_test(test_vdrive_quirk_sequence_error),
        cmocka_unit_test(test_vdrive_quirk_slow_spin_up),
        cmocka_unit_test(test_vdrive_quirk_tray_open),
        cmocka_unit_test(test_vdrive_quirk_tray_empty),
        cmocka_unit_test(test_vdrive_quirk_stale_events),
        cmocka_unit_test(test_vdrive_quirk_names_are_all_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
