/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The drive apart from the medium: features, mode pages, tray and events,
 * speeds, time, and commands that are wrong in themselves.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/command.h"
#include "test/support/vdrive_rig.h"

static uint8_t buffer[4 * RIG_PACKET_BYTES];

static bool current(struct vdrive_rig *rig, uint16_t code) {
    struct mmc_configuration *configuration = (void *)buffer;

    assert_int_equal(
        mmc_command_get_configuration(rig->transport, configuration, NULL),
        MMC_OK);
    return mmc_feature_is_current(configuration, code);
}

static uint16_t profile(struct vdrive_rig *rig) {
    struct mmc_configuration *configuration = (void *)buffer;

    assert_int_equal(
        mmc_command_get_configuration(rig->transport, configuration, NULL),
        MMC_OK);
    return configuration->profile;
}

/* ---- Features ----------------------------------------------------------- */

static void test_vdrive_drive_features_follow_the_medium(void **state) {
    static const struct {
        uint16_t code;
        bool blank, formatted, empty;
    } features[] = {
        {0x0001, true, true, true},
        {MMC_FEATURE_RANDOM_READABLE, false, true, false},
        {0x001E, true, true, false},
        {MMC_FEATURE_INCREMENTAL, true, false, false},
        {MMC_FEATURE_FORMATTABLE, true, true, false},
        {MMC_FEATURE_RESTRICTED_OVERWRITE, false, true, false},
        {MMC_FEATURE_CD_TAO, true, false, false},
        {MMC_FEATURE_CD_RW_MEDIA, true, true, false},
        {MMC_FEATURE_SERIAL_NUMBER, true, true, true},
        {MMC_FEATURE_RANDOM_WRITABLE, false, false, false},
    };
    struct vdrive_rig blank, formatted;

    (void)state;
    rig_open(&blank);
    rig_open_formatted(&formatted);
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        assert_int_equal(current(&blank, features[i].code), features[i].blank);
        assert_int_equal(current(&formatted, features[i].code),
                         features[i].formatted);
    }
    assert_int_equal(profile(&blank), 0x000A);
    mmc_vdrive_press_button(blank.transport);
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        assert_int_equal(current(&blank, features[i].code), features[i].empty);
    }
    assert_int_equal(profile(&blank), 0);
    rig_close(&blank);
    rig_close(&formatted);
}

static void test_vdrive_drive_configuration_scopes(void **state) {
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    mmc_cdb_get_configuration(&request, MMC_FEATURES_ONE,
                              MMC_FEATURE_FORMATTABLE, 64);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_int_equal(rig.reply.data_len, 8 + 12);
    assert_int_equal(buffer[9], 0x23);
    assert_int_equal(buffer[3], 16);
    /* One that the drive has not: the header alone. */
    mmc_cdb_get_configuration(&request, MMC_FEATURES_ONE, 0x0040, 64);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_int_equal(rig.reply.data_len, 8);
    mmc_cdb_get_configuration(&request, MMC_FEATURES_CURRENT, 0x0020, 64);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_int_equal(buffer[9], 0x23); /* 0021h is not current */
    mmc_cdb_get_configuration(&request, MMC_FEATURES_ALL, 0x0020, 64);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_int_equal(buffer[9], 0x21);
    mmc_cdb_get_configuration(&request, MMC_FEATURES_ALL, 0, 8);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_int_equal(rig.reply.data_len, 8);
    assert_true(buffer[2] > 0 || buffer[3] > 4); /* all of it is announced */
    request.cdb[1] = 3;
    assert_int_equal(rig_send(&rig, &request, buffer), 0x052400);
    rig_close(&rig);
}

/* ---- Mode pages --------------------------------------------------------- */

static void test_vdrive_drive_default_page_05_writes_no_packets(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    rig_reopen(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x056400);
    rig_select_packets(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_drive_mode_select_checks_its_list(void **state) {
    static const struct {
        uint8_t at, value;
        int32_t sense;
    } wrong[] = {
        {1, 58, 0x052600},        /* mode data length is reserved */
        {7, 8, 0x052600},         /* block descriptors */
        {8, 0x85, 0x052600},      /* PS */
        {8, 0x2A, 0x052600},      /* a page that only tells */
        {8, 0x07, 0x052600},      /* no such page */
        {9, 0x33, 0x051A00},      /* longer than the list */
        {9, 0x30, 0x052600},      /* not this page's length */
        {8 + 2, 0x04, 0x052600},  /* reserved write type */
        {8 + 2, 0x80, 0x052600},  /* a bit that cannot be changed */
        {8 + 3, 0xA5, 0x052600},  /* reserved multi-session */
        {8 + 4, 0x07, 0x052600},  /* reserved data block type */
        {8 + 8, 0x30, 0x052600},  /* reserved session format */
        {8 + 9, 0x01, 0x052600},  /* reserved byte */
        {8 + 13, 0x00, 0x052600}, /* fixed packets of no size */
    };
    struct mmc_mode_page page, after;
    struct mmc_request request;
    struct vdrive_rig rig;
    uint8_t list[8 + 52];

    (void)state;
    rig_open_formatted(&rig);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT,
                           MMC_MODE_WRITE_PARAMETERS, &page, NULL);
    assert_int_equal(page.len, 52);
    mmc_cdb_mode_select(&request, sizeof(list));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        memset(list, 0, 8);
        memcpy(list + 8, page.bytes, 52);
        list[wrong[i].at] = wrong[i].value;
        assert_int_equal(rig_send(&rig, &request, list), wrong[i].sense);
    }
    request.cdb[1] = 0x11; /* save */
    assert_int_equal(rig_send(&rig, &request, list), 0x052400);
    request.cdb[1] = 0x00; /* not in the standard's format */
    assert_int_equal(rig_send(&rig, &request, list), 0x052400);
    mmc_cdb_mode_select(&request, 7);
    assert_int_equal(rig_send(&rig, &request, list), 0x051A00);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT,
                           MMC_MODE_WRITE_PARAMETERS, &after, NULL);
    assert_memory_equal(&after, &page, sizeof(page.len) + 52);
    rig_close(&rig);
}

static void test_vdrive_drive_mode_sense_controls(void **state) {
    struct mmc_mode_page page;
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT,
                           MMC_MODE_WRITE_PARAMETERS, &page, NULL);
    assert_int_equal(page.bytes[3], 0x25);
    mmc_command_mode_sense(rig.transport, MMC_MODE_DEFAULT,
                           MMC_MODE_WRITE_PARAMETERS, &page, NULL);
    assert_int_equal(page.bytes[2] & 0x0F, 1);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CHANGEABLE,
                           MMC_MODE_WRITE_PARAMETERS, &page, NULL);
    assert_int_equal(page.bytes[4], 0x0F);
    assert_int_equal(page.bytes[9], 0);
    mmc_cdb_mode_sense(&request, MMC_MODE_CURRENT, 0x07, 255);
    assert_int_equal(rig_send(&rig, &request, buffer), 0x052400);
    mmc_cdb_mode_sense(&request, (enum mmc_mode_control)3, 0x05, 255);
    assert_int_equal(rig_send(&rig, &request, buffer), 0x053900);
    mmc_cdb_mode_sense(&request, MMC_MODE_CURRENT, 0x3F, 1000);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_int_equal(rig.reply.data_len, buffer[0] * 256 + buffer[1] + 2);
    assert_int_equal(mmc_reply_mode_page(buffer, rig.reply.data_len,
                                         MMC_MODE_CAPABILITIES, &page),
                     0);
    /* The kernel asks in six bytes. */
    mmc_cdb_mode_sense_6(&request, MMC_MODE_CURRENT, MMC_MODE_CAPABILITIES,
                         128);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_int_equal(buffer[0] + 1, rig.reply.data_len);
    assert_int_equal(buffer[4], 0x2A);
    assert_int_equal(buffer[4 + 3] & 0x32, 0x02); /* no DVD-RAM writer */
    rig_close(&rig);
}

static void test_vdrive_drive_caching_page_can_be_set(void **state) {
    struct mmc_mode_page page;
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT, MMC_MODE_CACHING,
                           &page, NULL);
    assert_int_equal(page.bytes[2], 0x04);
    page.bytes[2] = 0;
    assert_int_equal(mmc_command_mode_select(rig.transport, &page, NULL),
                     MMC_OK);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT, MMC_MODE_CACHING,
                           &page, NULL);
    assert_int_equal(page.bytes[2], 0);
    rig_close(&rig);
}

/* ---- Tray --------------------------------------------------------------- */

static uint8_t next_event(struct vdrive_rig *rig) {
    struct mmc_event event;

    assert_int_equal(
        mmc_command_get_event(rig->transport, MMC_EVENTS_MEDIA, &event, NULL),
        MMC_OK);
    assert_int_equal(event.event_class, MMC_EVENT_MEDIA);
    assert_int_equal(event.tray_open, mmc_vdrive_tray_open(rig->transport));
    return event.code;
}

static void test_vdrive_drive_eject_and_load(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(
        mmc_command_start_stop(rig.transport, MMC_UNIT_EJECT, false, NULL),
        MMC_OK);
    assert_int_equal(rig_ready(&rig), 0x023A02);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x023A02);
    assert_int_equal(next_event(&rig), MMC_MEDIA_REMOVED);
    assert_int_equal(
        mmc_command_start_stop(rig.transport, MMC_UNIT_LOAD, false, NULL),
        MMC_OK);
    assert_int_equal(next_event(&rig), MMC_MEDIA_NEW);
    assert_int_equal(next_event(&rig), MMC_MEDIA_NO_CHANGE);
    assert_int_equal(rig_ready(&rig), 0x020401);
    mmc_transport_sleep(rig.transport, 6000);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_int_equal(rig_ready(&rig), 0);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x056400); /* page 05h is lost */
    rig_close(&rig);
}

static void test_vdrive_drive_locked_door_stays_shut(void **state) {
    static const enum mmc_door locks[2] = {MMC_DOOR_PREVENT,
                                           MMC_DOOR_PERSISTENT_PREVENT};
    static const enum mmc_door unlocks[2] = {MMC_DOOR_ALLOW,
                                             MMC_DOOR_PERSISTENT_ALLOW};
    struct vdrive_rig rig;
    struct mmc_sense sense;

    (void)state;
    rig_open_formatted(&rig);
    for (int i = 0; i < 2; i++) {
        mmc_command_prevent_allow(rig.transport, locks[i], NULL);
        assert_int_equal(mmc_command_start_stop(rig.transport, MMC_UNIT_EJECT,
                                                false, &sense),
                         MMC_REMOVAL_PREVENTED);
        assert_int_equal(sense.asc << 8 | sense.ascq, 0x5302);
        mmc_vdrive_press_button(rig.transport);
        assert_false(mmc_vdrive_tray_open(rig.transport));
        assert_int_equal(next_event(&rig), MMC_MEDIA_EJECT_REQUEST);
        assert_int_equal(next_event(&rig), MMC_MEDIA_NO_CHANGE);
        mmc_command_prevent_allow(rig.transport, unlocks[i], NULL);
    }
    mmc_vdrive_press_button(rig.transport);
    assert_true(mmc_vdrive_tray_open(rig.transport));
    rig_close(&rig);
}

static void test_vdrive_drive_button_does_not_tear_a_format(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, true), 0);
    mmc_vdrive_press_button(rig.transport);
    assert_false(mmc_vdrive_tray_open(rig.transport));
    assert_int_equal(next_event(&rig), MMC_MEDIA_EJECT_REQUEST);
    /* The pin does. */
    mmc_vdrive_pull(rig.transport);
    mmc_vdrive_load(rig.transport);
    mmc_transport_sleep(rig.transport, 6000);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x033100);
    rig_close(&rig);
}

static void test_vdrive_drive_events_by_class(void **state) {
    struct vdrive_rig rig;
    struct mmc_event event;
    struct mmc_request request;

    (void)state;
    rig_open(&rig);
    mmc_command_get_event(rig.transport, MMC_EVENTS_POWER, &event, NULL);
    assert_int_equal(event.event_class, MMC_EVENT_NONE);
    assert_int_equal(event.supported, MMC_EVENTS_MEDIA);
    mmc_cdb_get_event_status(&request, MMC_EVENTS_MEDIA, 8);
    request.cdb[1] = 0;
    assert_int_equal(rig_send(&rig, &request, buffer), 0x052400);
    rig_close(&rig);
}

static void test_vdrive_drive_attention_spares_some_commands(void **state) {
    struct vdrive_rig rig;
    struct mmc_inquiry inquiry;
    struct mmc_sense sense;

    (void)state;
    rig_open(&rig);
    mmc_transport_close(rig.transport);
    assert_int_equal(mmc_vdrive_open(rig.path, true, &rig.transport), 0);
    assert_int_equal(mmc_command_inquiry(rig.transport, &inquiry, NULL),
                     MMC_OK);
    assert_int_equal(inquiry.device_type, MMC_DEVICE_TYPE_MMC);
    assert_int_equal(profile(&rig), 0x000A);
    assert_int_equal(next_event(&rig), MMC_MEDIA_NO_CHANGE);
    assert_int_equal(rig_ready(&rig), 0x062900);
    assert_int_equal(rig_ready(&rig), 0);
    /* REQUEST SENSE takes it as its answer. */
    mmc_vdrive_power_on(rig.transport);
    mmc_command_request_sense(rig.transport, &sense);
    assert_int_equal(sense.key << 8 | sense.asc, 0x629);
    assert_int_equal(rig_ready(&rig), 0);
    rig_close(&rig);
}

/* ---- Time --------------------------------------------------------------- */

static struct mmc_vdrive_stats stats_of(struct vdrive_rig *rig) {
    struct mmc_vdrive_stats stats;

    mmc_vdrive_get_stats(rig->transport, &stats);
    return stats;
}

/* Drive time since `*last_us`, and *last_us moved on. */
static uint64_t spent(struct vdrive_rig *rig, uint64_t *last_us) {
    uint64_t now_us = stats_of(rig).busy_us, spent_us = now_us - *last_us;

    *last_us = now_us;
    return spent_us;
}

static void test_vdrive_drive_time_follows_the_model(void **state) {
    struct vdrive_rig rig;
    uint64_t last_us;

    (void)state;
    rig_open_formatted(&rig);
    last_us = stats_of(&rig).busy_us;
    rig_fill(&rig, 0, 1, 1); /* seek, resume, packet */
    assert_int_equal(spent(&rig, &last_us), 120000 + 20000 + 52000);
    rig_fill(&rig, 1, 2, 1); /* follows on */
    assert_int_equal(spent(&rig, &last_us), 104000);
    rig_fill(&rig, 4, 1, 1); /* a gap of 32 is read over */
    assert_int_equal(spent(&rig, &last_us), 32 * 1000000 / 1800 + 72000);
    rig_sync(&rig);
    rig_fill(&rig, 5, 1, 1); /* resumes */
    assert_int_equal(spent(&rig, &last_us), 72000);
    rig_fill(&rig, 5, 1, 1); /* backwards */
    assert_int_equal(spent(&rig, &last_us), 192000);
    rig_read(&rig, 192, 18, buffer); /* reads on */
    assert_int_equal(spent(&rig, &last_us), 10000);
    rig_read(&rig, 210 + 513, 18, buffer); /* too far to read over */
    assert_int_equal(spent(&rig, &last_us), 130000);
    assert_int_equal(stats_of(&rig).seeks, 3);
    assert_int_equal(stats_of(&rig).gap_blocks, 32);
    rig_close(&rig);
}

static void test_vdrive_drive_clock_moves_with_work(void **state) {
    struct vdrive_rig rig;
    struct mmc_request request;
    uint64_t start_ms;

    (void)state;
    rig_open_formatted(&rig);
    start_ms = mmc_transport_now(rig.transport);
    rig_fill(&rig, 0, 2, 1);
    assert_int_equal(mmc_transport_now(rig.transport) - start_ms, 244);
    mmc_transport_sleep(rig.transport, 6);
    assert_int_equal(mmc_transport_now(rig.transport) - start_ms, 250);
    mmc_cdb_read_10(&request, 900, 1);
    request.timeout_ms = 100; /* a seek takes longer */
    assert_int_equal(rig_send(&rig, &request, buffer), -ETIMEDOUT);
    rig_close(&rig);
}

static void test_vdrive_drive_speed_is_set_and_lost(void **state) {
    struct vdrive_rig rig;
    struct mmc_write_speeds speeds;
    uint64_t last_us;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(mmc_command_get_write_speeds(rig.transport, &speeds, NULL),
                     MMC_OK);
    assert_int_equal(speeds.count, 2);
    assert_int_equal(speeds.speeds[0].write_kbs, 1764);
    assert_int_equal(speeds.speeds[1].write_kbs, 706);
    rig_fill(&rig, 0, 1, 1);
    last_us = stats_of(&rig).busy_us;
    assert_int_equal(mmc_command_set_cd_speed(rig.transport, 0xFFFF, 708, NULL),
                     MMC_OK);
    rig_fill(&rig, 1, 1, 1);
    assert_int_equal(spent(&rig, &last_us), 52000 * 1764 / 706);
    rig_reopen(&rig);
    rig_select_packets(&rig);
    rig_fill(&rig, 2, 1, 1);
    rig_fill(&rig, 3, 1, 1);
    assert_int_equal(spent(&rig, &last_us), 192000 + 52000);
    rig_close(&rig);
}

/* ---- Commands that are wrong -------------------------------------------- */

static void test_vdrive_drive_unknown_commands_are_refused(void **state) {
    struct vdrive_rig rig;
    struct mmc_request request;

    (void)state;
    rig_open_formatted(&rig);
    mmc_cdb_write_and_verify_10(&request, 0, 32);
    assert_int_equal(rig_send(&rig, &request, buffer), 0x052000);
    mmc_cdb_set_streaming(&request);
    assert_int_equal(rig_send(&rig, &request, buffer), 0x052000);
    mmc_cdb_read_disc_structure(&request, MMC_STRUCTURE_DVD, 0, 0, 4);
    assert_int_equal(rig_send(&rig, &request, buffer), 0x053002);
    assert_int_equal(stats_of(&rig).refused, 0);
    rig_close(&rig);
}

static void test_vdrive_drive_bad_requests_do_not_pass_the_bus(void **state) {
    struct vdrive_rig rig;
    struct mmc_request request;

    (void)state;
    rig_open_formatted(&rig);
    mmc_cdb_read_10(&request, 0, 2);
    request.data_len = 2048; /* less than the CDB announces */
    assert_int_equal(rig_send(&rig, &request, buffer), -EIO);
    mmc_cdb_write_10(&request, 0, 96); /* more than a bus carries */
    assert_int_equal(rig_send(&rig, &request, buffer), -EIO);
    mmc_cdb_read_10(&request, 0, 1);
    request.cdb_len = 6;
    assert_int_equal(rig_send(&rig, &request, buffer), -EIO);
    mmc_cdb_read_10(&request, 0, 1);
    request.cdb[9] = 4; /* NACA */
    assert_int_equal(rig_send(&rig, &request, buffer), 0x052400);
    rig_close(&rig);
}

static void test_vdrive_drive_replies_are_cut_to_allocation(void **state) {
    struct vdrive_rig rig;
    struct mmc_request request;

    (void)state;
    rig_open_formatted(&rig);
    memset(buffer, 0xEE, 64);
    mmc_cdb_read_disc_information(&request, 2);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_int_equal(rig.reply.data_len, 2);
    assert_int_equal(buffer[1], 32);
    assert_int_equal(buffer[2], 0xEE);
    mmc_cdb_read_track_information(&request, MMC_TRACK_BY_NUMBER, 1, 0);
    assert_int_equal(rig_send(&rig, &request, NULL), 0);
    assert_int_equal(rig.reply.data_len, 0);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_drive_features_follow_the_medium),
        cmocka_unit_test(test_vdrive_drive_configuration_scopes),
        cmocka_unit_test(test_vdrive_drive_default_page_05_writes_no_packets),
        cmocka_unit_test(test_vdrive_drive_mode_select_checks_its_list),
        cmocka_unit_test(test_vdrive_drive_mode_sense_controls),
        cmocka_unit_test(test_vdrive_drive_caching_page_can_be_set),
        cmocka_unit_test(test_vdrive_drive_eject_and_load),
        cmocka_unit_test(test_vdrive_drive_locked_door_stays_shut),
        cmocka_unit_test(test_vdrive_drive_button_does_not_tear_a_format),
        cmocka_unit_test(test_vdrive_drive_events_by_class),
        cmocka_unit_test(test_vdrive_drive_attention_spares_some_commands),
        cmocka_unit_test(test_vdrive_drive_time_follows_the_model),
        cmocka_unit_test(test_vdrive_drive_clock_moves_with_work),
        cmocka_unit_test(test_vdrive_drive_speed_is_set_and_lost),
        cmocka_unit_test(test_vdrive_drive_unknown_commands_are_refused),
        cmocka_unit_test(test_vdrive_drive_bad_requests_do_not_pass_the_bus),
        cmocka_unit_test(test_vdrive_drive_replies_are_cut_to_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
