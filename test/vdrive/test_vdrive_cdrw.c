/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a CD-RW drive refuses, when, and with which sense.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/command.h"
#include "test/support/vdrive_rig.h"

static uint8_t buffer[4 * RIG_PACKET_BYTES];

static struct mmc_vdrive_stats stats_of(struct vdrive_rig *rig) {
    struct mmc_vdrive_stats stats;

    mmc_vdrive_get_stats(rig->transport, &stats);
    return stats;
}

/* ---- A blank disc ------------------------------------------------------- */

static void test_vdrive_cdrw_blank_refuses_blocks(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x080000);
    rig_select_packets(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x053005);
    assert_int_equal(stats_of(&rig).packets_written, 0);
    rig_close(&rig);
}

static void test_vdrive_cdrw_blank_describes_itself(void **state) {
    struct vdrive_rig rig;
    struct mmc_disc_information disc;
    struct mmc_track_information track;
    struct mmc_format_capacities capacities;

    (void)state;
    rig_open(&rig);
    assert_int_equal(
        mmc_command_read_disc_information(rig.transport, &disc, NULL), MMC_OK);
    assert_int_equal(disc.status, MMC_DISC_STATUS_EMPTY);
    assert_int_equal(disc.last_session, MMC_SESSION_EMPTY);
    assert_true(disc.erasable);
    assert_int_equal(disc.disc_type, 0xFF);
    /* 32 packets of 39 frames must fit before the lead-out. */
    assert_int_equal((disc.lead_out_lba + 5) / 39, 32);
    assert_int_equal(mmc_command_read_track_information(
                         rig.transport, MMC_TRACK_BY_NUMBER, 1, &track, NULL),
                     MMC_OK);
    assert_true(track.blank && track.nwa_valid && !track.fixed_packet);
    assert_int_equal(
        mmc_command_read_format_capacities(rig.transport, &capacities, NULL),
        MMC_OK);
    assert_int_equal(capacities.kind, MMC_CAPACITY_UNFORMATTED);
    assert_int_equal(capacities.count, 1);
    assert_int_equal(capacities.formats[0].type, MMC_FORMAT_PACKET_FULL);
    assert_int_equal(capacities.formats[0].blocks, RIG_BLOCKS);
    assert_int_equal(capacities.formats[0].parameter, RIG_PACKET);
    rig_close(&rig);
}

static void test_vdrive_cdrw_usual_disc_has_the_known_size(void **state) {
    struct vdrive_rig rig;
    struct mmc_disc_information disc;
    struct mmc_format_capacities capacities;
    struct mmc_atip atip;
    char path[128];
    struct mmc_transport *drive;

    (void)state;
    rig_open(&rig);
    strcpy(path, rig.folder);
    strcat(path, "/usual");
    assert_int_equal(mmc_vdrive_create(path, "cdrw", 0), 0);
    assert_int_equal(mmc_vdrive_open(path, true, &drive), 0);
    assert_int_equal(mmc_command_test_unit_ready(drive, NULL), MMC_RESET);
    assert_int_equal(mmc_command_read_disc_information(drive, &disc, NULL),
                     MMC_OK);
    assert_int_equal(disc.lead_out_lba, 359849);
    assert_int_equal(mmc_command_read_atip(drive, &atip, NULL), MMC_OK);
    assert_int_equal(atip.lead_out_lba, 359849);
    assert_int_equal(atip.max_speed_x, 10);
    assert_true(atip.erasable);
    assert_int_equal(
        mmc_command_read_format_capacities(drive, &capacities, NULL), MMC_OK);
    assert_int_equal(capacities.formats[0].blocks, 295264);
    mmc_transport_close(drive);
    remove(path);
    strcat(path, ".udfpkt");
    remove(path);
    rig_close(&rig);
}

/* ---- Formatting --------------------------------------------------------- */

static void test_vdrive_cdrw_format_needs_page_05(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0x052C00);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x080000);
    rig_select_packets(&rig);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0);
    rig_close(&rig);
}

static void test_vdrive_cdrw_format_checks_its_list(void **state) {
    static const struct {
        uint8_t at, value;
    } wrong[] = {
        {0, 1},         /* reserved */
        {1, 0x20},      /* DCRT without FOV */
        {1, 0x88},      /* initialisation pattern */
        {3, 7},         /* descriptor length */
        {7, 0x01},      /* blocks: no multiple of 32 */
        {6, 0x08},      /* blocks: 2048, more than there are */
        {8, 0x26 << 2}, /* a type that this medium has not */
        {8, 0x41},      /* a sub-type */
        {11, 16},       /* packet size of DVD */
    };
    struct mmc_format format = {.type = MMC_FORMAT_PACKET_FULL,
                                .blocks = RIG_BLOCKS,
                                .parameter = RIG_PACKET};
    uint8_t list[MMC_FORMAT_LEGACY_LIST_BYTES];
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    rig_select_packets(&rig);
    mmc_cdb_format_unit(&request, &format);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        mmc_cdb_format_list(&format, list);
        list[wrong[i].at] = wrong[i].value;
        assert_int_equal(rig_send(&rig, &request, list), 0x052600);
    }
    mmc_cdb_format_list(&format, list);
    list[6] = 0; /* no blocks at all */
    assert_int_equal(rig_send(&rig, &request, list), 0x052600);
    mmc_cdb_format_list(&format, list);
    request.data_len = 8;
    assert_int_equal(rig_send(&rig, &request, list), 0x051A00);
    mmc_cdb_format_unit(&request, &format);
    request.cdb[1] = 0x12; /* format code 2 */
    assert_int_equal(rig_send(&rig, &request, list), 0x052400);
    assert_int_equal(stats_of(&rig).refused, 12);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x080000);
    rig_close(&rig);
}

static void test_vdrive_cdrw_format_runs_in_the_background(void **state) {
    struct vdrive_rig rig;
    struct mmc_sense sense;
    uint16_t before;

    (void)state;
    rig_open(&rig);
    rig_select_packets(&rig);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, true), 0);
    assert_int_equal(rig_ready(&rig), 0x020404);
    assert_int_equal(rig.reply.sense[15] & 0x80, 0x80);
    /* 32 packets of 52 ms. */
    mmc_transport_sleep(rig.transport, 800);
    assert_int_equal(mmc_command_request_sense(rig.transport, &sense), MMC_OK);
    assert_int_equal(sense.asc << 8 | sense.ascq, 0x0404);
    assert_true(sense.progress_valid);
    assert_in_range(sense.progress, 30000, 33000);
    before = sense.progress;
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x020404);
    mmc_transport_sleep(rig.transport, 400);
    mmc_command_request_sense(rig.transport, &sense);
    assert_true(sense.progress > before);
    mmc_transport_sleep(rig.transport, 465);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_int_equal(rig_ready(&rig), 0);
    assert_true(rig_holds(&rig, 31, 0));
    rig_close(&rig);
}

static void test_vdrive_cdrw_format_makes_host_wait(void **state) {
    struct mmc_format format = {.type = MMC_FORMAT_PACKET_FULL,
                                .blocks = RIG_BLOCKS,
                                .parameter = RIG_PACKET};
    uint8_t list[MMC_FORMAT_LEGACY_LIST_BYTES];
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    rig_select_packets(&rig);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0);
    assert_int_equal(mmc_transport_now(rig.transport), 32 * 52);
    assert_int_equal(rig_ready(&rig), 0x062800);
    /* A host that waits too short a time does not stop the drive. */
    rig_select_packets(&rig);
    mmc_cdb_format_unit(&request, &format);
    mmc_cdb_format_list(&format, list);
    request.timeout_ms = 500;
    assert_int_equal(rig_send(&rig, &request, list), -ETIMEDOUT);
    assert_int_equal(rig_ready(&rig), 0x020404);
    mmc_transport_sleep(rig.transport, 32 * 52 - 500);
    assert_int_equal(rig_ready(&rig), 0x062800);
    rig_close(&rig);
}

static void test_vdrive_cdrw_format_forgets_page_05_and_data(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(rig_fill(&rig, 3, 1, 0x55), 0);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_true(rig_holds(&rig, 3, 0));
    assert_int_equal(rig_fill(&rig, 3, 1, 0x55), 0x056400);
    rig_close(&rig);
}

static void test_vdrive_cdrw_format_takes_a_smaller_size(void **state) {
    struct vdrive_rig rig;
    struct mmc_capacity capacity;

    (void)state;
    rig_open(&rig);
    rig_select_packets(&rig);
    assert_int_equal(rig_format(&rig, 640, false), 0);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_int_equal(mmc_command_read_capacity(rig.transport, &capacity, NULL),
                     MMC_OK);
    assert_int_equal(capacity.last_lba, 639);
    assert_int_equal(rig_read(&rig, 639, 1, buffer), 0);
    assert_int_equal(rig_read(&rig, 640, 1, buffer), 0x052100);
    rig_close(&rig);
}

static void test_vdrive_cdrw_format_legacy_code_works(void **state) {
    struct mmc_format format = {.legacy = true, .blocks = RIG_BLOCKS};
    uint8_t list[MMC_FORMAT_LEGACY_LIST_BYTES];
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    rig_select_packets(&rig);
    mmc_cdb_format_unit(&request, &format);
    mmc_cdb_format_list(&format, list);
    list[8] = 0; /* without the session bit */
    assert_int_equal(rig_send(&rig, &request, list), 0x052600);
    mmc_cdb_format_list(&format, list);
    assert_int_equal(rig_send(&rig, &request, list), 0);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_true(rig_holds(&rig, 0, 0));
    rig_close(&rig);
}

static void test_vdrive_cdrw_format_in_mode_2_binds_the_track(void **state) {
    struct mmc_mode_page page;
    struct mmc_track_information track;
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    rig_select_packets(&rig);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT,
                           MMC_MODE_WRITE_PARAMETERS, &page, NULL);
    page.bytes[4] = 10;
    assert_int_equal(mmc_command_mode_select(rig.transport, &page, NULL),
                     MMC_OK);
    /* Mode 2 needs the session format of XA. */
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0x052C00);
    page.bytes[8] = 0x20;
    mmc_command_mode_select(rig.transport, &page, NULL);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0);
    assert_int_equal(rig_ready(&rig), 0x062800);
    mmc_command_read_track_information(rig.transport, MMC_TRACK_BY_NUMBER, 1,
                                       &track, NULL);
    assert_int_equal(track.data_mode, 2);
    rig_select_packets(&rig); /* mode 1: not this track's */
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x056400);
    mmc_command_mode_select(rig.transport, &page, NULL);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_cdrw_format_cut_off_leaves_torn_disc(void **state) {
    static const struct mmc_vdrive_cut cut = {.tear = MMC_VDRIVE_TEAR_OLD};
    struct vdrive_rig rig;
    struct mmc_disc_information disc;
    struct mmc_track_information track;
    struct mmc_toc toc;
    struct mmc_sense sense;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, true), 0);
    mmc_vdrive_power_cut(rig.transport, &cut);
    assert_int_equal(rig_ready(&rig), -ENODEV);
    rig_reopen(&rig);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x033100);
    rig_select_packets(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x033100);
    mmc_command_read_disc_information(rig.transport, &disc, NULL);
    assert_int_equal(disc.status, MMC_DISC_STATUS_APPENDABLE);
    mmc_command_read_track_information(rig.transport, MMC_TRACK_BY_NUMBER, 1,
                                       &track, NULL);
    assert_true(track.damaged && !track.nwa_valid && !track.fixed_packet);
    mmc_command_read_toc(rig.transport, &toc, &sense);
    assert_int_equal(sense.asc, 0x57);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0);
    rig_close(&rig);
}

/* ---- A formatted disc --------------------------------------------------- */

static void test_vdrive_cdrw_formatted_describes_itself(void **state) {
    struct vdrive_rig rig;
    struct mmc_disc_information disc;
    struct mmc_track_information track;
    struct mmc_format_capacities capacities;
    struct mmc_toc toc;
    struct mmc_toc_sessions sessions;

    (void)state;
    rig_open_formatted(&rig);
    mmc_command_read_disc_information(rig.transport, &disc, NULL);
    assert_int_equal(disc.status, MMC_DISC_STATUS_COMPLETE);
    assert_int_equal(disc.last_session, MMC_SESSION_COMPLETE);
    assert_true(disc.erasable);
    assert_int_equal(disc.disc_type, 0);
    mmc_command_read_track_information(rig.transport, MMC_TRACK_BY_NUMBER, 1,
                                       &track, NULL);
    assert_true(track.packet && track.fixed_packet && !track.blank);
    assert_int_equal(track.start, 0);
    assert_int_equal(track.packet_blocks, RIG_PACKET);
    assert_int_equal(track.blocks, RIG_BLOCKS);
    assert_int_equal(track.data_mode, 1);
    assert_int_equal(mmc_command_read_track_information(
                         rig.transport, MMC_TRACK_BY_NUMBER, 2, &track, NULL),
                     MMC_ILLEGAL_REQUEST);
    assert_int_equal(mmc_command_read_track_information(rig.transport,
                                                        MMC_TRACK_BY_NUMBER,
                                                        0xFF, &track, NULL),
                     MMC_ILLEGAL_REQUEST);
    mmc_command_read_format_capacities(rig.transport, &capacities, NULL);
    assert_int_equal(capacities.kind, MMC_CAPACITY_FORMATTED);
    assert_int_equal(capacities.blocks, RIG_BLOCKS);
    assert_int_equal(mmc_command_read_toc(rig.transport, &toc, NULL), MMC_OK);
    assert_int_equal(toc.count, 2);
    assert_int_equal(toc.tracks[0].start, 0);
    assert_true(toc.tracks[0].data);
    assert_int_equal(toc.tracks[1].track, MMC_TOC_LEAD_OUT);
    assert_int_equal(toc.tracks[1].start, RIG_BLOCKS);
    assert_int_equal(
        mmc_command_read_toc_sessions(rig.transport, &sessions, NULL), MMC_OK);
    assert_int_equal(sessions.last_session, 1);
    rig_close(&rig);
}

static void test_vdrive_cdrw_takes_whole_packets_only(void **state) {
    static const struct {
        uint32_t lba;
        uint16_t count;
        int32_t sense;
    } tries[] = {
        {0, 32, 0},
        {32, 64, 0},
        {1024 - 32, 32, 0},
        {0, 0, 0},
        {1, 32, 0x052102},
        {31, 1, 0x052102},
        {0, 1, 0x056301},
        {32, 31, 0x056301},
        {64, 33, 0x056301},
        {1024, 32, 0x052100},
        {1024 - 32, 64, 0x052100},
        {0xFFFFFFE0, 64, 0x052100},
    };
    struct vdrive_rig rig;
    struct mmc_vdrive_stats stats;

    (void)state;
    rig_open_formatted(&rig);
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        assert_int_equal(rig_write(&rig, tries[i].lba, tries[i].count, buffer),
                         tries[i].sense);
    }
    stats = stats_of(&rig);
    assert_int_equal(stats.packets_written, 4);
    assert_int_equal(stats.write_commands, 3);
    assert_int_equal(stats.refused, 8);
    rig_close(&rig);
}

static void test_vdrive_cdrw_write_12_follows_the_same_rules(void **state) {
    struct mmc_request request;
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    memset(buffer, 0x12, sizeof(buffer));
    mmc_cdb_write_12(&request, 64, 64, false);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_true(rig_holds(&rig, 2, 0x12) && rig_holds(&rig, 3, 0x12));
    mmc_cdb_write_12(&request, 65, 32, false);
    assert_int_equal(rig_send(&rig, &request, buffer), 0x052102);
    mmc_cdb_write_12(&request, 64, 32, true); /* streaming */
    assert_int_equal(rig_send(&rig, &request, buffer), 0x052400);
    mmc_cdb_read_12(&request, 95, 1, false);
    assert_int_equal(rig_send(&rig, &request, buffer), 0);
    assert_int_equal(buffer[2047], 0x12);
    rig_close(&rig);
}

static void test_vdrive_cdrw_write_needs_page_05(void **state) {
    static const struct {
        uint8_t at, value;
        int32_t sense;
    } wrong[] = {
        {2, 0x01, 0x056400}, /* TAO */
        {2, 0x10, 0x056400}, /* test write */
        {3, 0x05, 0x056400}, /* variable packets */
        {3, 0x24, 0x056400}, /* track mode 4 */
        {4, 10, 0x056400},   /* mode 2 blocks */
        {8, 0x20, 0x056400}, /* XA */
        {13, 16, 0x056401},  /* packets of DVD */
    };
    struct mmc_mode_page page, changed;
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    mmc_command_mode_sense(rig.transport, MMC_MODE_CURRENT,
                           MMC_MODE_WRITE_PARAMETERS, &page, NULL);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        changed = page;
        changed.bytes[wrong[i].at] = wrong[i].value;
        assert_int_equal(mmc_command_mode_select(rig.transport, &changed, NULL),
                         MMC_OK);
        assert_int_equal(rig_fill(&rig, 0, 1, 1), wrong[i].sense);
    }
    mmc_command_mode_select(rig.transport, &page, NULL);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_cdrw_counts_overwrites(void **state) {
    struct vdrive_rig rig;
    struct mmc_vdrive_stats stats, closed;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(rig_fill(&rig, 7, 2, 1), 0);
    assert_int_equal(rig_fill(&rig, 8, 1, 2), 0);
    assert_int_equal(rig_sync(&rig), 0);
    stats = stats_of(&rig);
    assert_int_equal(stats.hottest_packet, 8);
    assert_int_equal(stats.hottest_written, 2);
    assert_int_equal(stats.syncs, 1);
    assert_int_equal(stats.formats, 1);
    assert_int_equal(mmc_vdrive_packet_writes(rig.transport, 7), 1);
    assert_int_equal(mmc_vdrive_packet_writes(rig.transport, 6), 0);
    assert_int_equal(mmc_vdrive_read_stats(rig.path, &closed), 0);
    assert_memory_equal(&closed, &stats, sizeof(stats));
    rig_reopen(&rig);
    assert_int_equal(stats_of(&rig).hottest_written, 2);
    assert_true(rig_holds(&rig, 8, 2));
    rig_close(&rig);
}

static void test_vdrive_cdrw_verify_reads_without_data(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_READ_ERROR);
    struct vdrive_rig rig;
    struct mmc_sense sense;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(mmc_command_verify(rig.transport, 0, 64, NULL), MMC_OK);
    assert_int_equal(stats_of(&rig).blocks_read, 64);
    fault.lba = 40;
    mmc_vdrive_inject(rig.transport, &fault);
    assert_int_equal(mmc_command_verify(rig.transport, 0, 64, &sense),
                     MMC_MEDIUM_ERROR);
    assert_int_equal(sense.info, 32);
    assert_int_equal(mmc_command_verify(rig.transport, 1020, 5, NULL),
                     MMC_LBA_OUT_OF_RANGE);
    rig_close(&rig);
}

/* ---- Blanking ----------------------------------------------------------- */

static void test_vdrive_cdrw_blank_types(void **state) {
    struct vdrive_rig rig;
    struct mmc_sense sense;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(
        mmc_command_blank(rig.transport, MMC_BLANK_TRACK, 1, false, &sense),
        MMC_ILLEGAL_REQUEST);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0);
    assert_int_equal(
        mmc_command_blank(rig.transport, MMC_BLANK_MINIMAL, 0, true, NULL),
        MMC_OK);
    assert_int_equal(rig_ready(&rig), 0x020407);
    assert_int_equal(rig.reply.sense[15] & 0x80, 0x80);
    mmc_transport_sleep(rig.transport, 60000);
    assert_int_equal(rig_ready(&rig), 0);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x080000);
    assert_int_equal(
        mmc_command_blank(rig.transport, MMC_BLANK_WHOLE, 0, false, NULL),
        MMC_OK);
    assert_int_equal(stats_of(&rig).blanks, 2);
    rig_close(&rig);
}

/* ---- Write protection --------------------------------------------------- */

static void test_vdrive_cdrw_protected_refuses_changes(void **state) {
    struct vdrive_rig rig;
    struct mmc_configuration *configuration = (void *)buffer;
    struct mmc_format_capacities capacities;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 0x77), 0);
    mmc_vdrive_protect(rig.transport, true);
    rig_reopen(&rig);
    rig_select_packets(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x072700);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0x072700);
    assert_int_equal(
        mmc_command_blank(rig.transport, MMC_BLANK_MINIMAL, 0, true, NULL),
        MMC_WRITE_PROTECTED);
    assert_int_equal(stats_of(&rig).refused, 3);
    assert_true(rig_holds(&rig, 0, 0x77));
    mmc_command_get_configuration(rig.transport, configuration, NULL);
    assert_false(mmc_feature_is_current(configuration,
                                        MMC_FEATURE_RESTRICTED_OVERWRITE));
    assert_true(
        mmc_feature_is_current(configuration, MMC_FEATURE_RANDOM_READABLE));
    mmc_command_read_format_capacities(rig.transport, &capacities, NULL);
    assert_int_equal(capacities.count, 0);
    mmc_vdrive_protect(rig.transport, false);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_cdrw_blank_refuses_blocks),
        cmocka_unit_test(test_vdrive_cdrw_blank_describes_itself),
        cmocka_unit_test(test_vdrive_cdrw_usual_disc_has_the_known_size),
        cmocka_unit_test(test_vdrive_cdrw_format_needs_page_05),
        cmocka_unit_test(test_vdrive_cdrw_format_checks_its_list),
        cmocka_unit_test(test_vdrive_cdrw_format_runs_in_the_background),
        cmocka_unit_test(test_vdrive_cdrw_format_makes_host_wait),
        cmocka_unit_test(test_vdrive_cdrw_format_forgets_page_05_and_data),
        cmocka_unit_test(test_vdrive_cdrw_format_takes_a_smaller_size),
        cmocka_unit_test(test_vdrive_cdrw_format_legacy_code_works),
        cmocka_unit_test(test_vdrive_cdrw_format_in_mode_2_binds_the_track),
        cmocka_unit_test(test_vdrive_cdrw_format_cut_off_leaves_torn_disc),
        cmocka_unit_test(test_vdrive_cdrw_formatted_describes_itself),
        cmocka_unit_test(test_vdrive_cdrw_takes_whole_packets_only),
        cmocka_unit_test(test_vdrive_cdrw_write_12_follows_the_same_rules),
        cmocka_unit_test(test_vdrive_cdrw_write_needs_page_05),
        cmocka_unit_test(test_vdrive_cdrw_counts_overwrites),
        cmocka_unit_test(test_vdrive_cdrw_verify_reads_without_data),
        cmocka_unit_test(test_vdrive_cdrw_blank_types),
        cmocka_unit_test(test_vdrive_cdrw_protected_refuses_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
