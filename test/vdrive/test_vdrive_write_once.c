/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Discs that are written once: recognised, written in order where the drive
 * writes them, and read-only when they are closed.
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

enum { BLOCKS = 4096 };

static uint8_t buffer[64 * 2048];

struct row {
    const char *word;
    uint16_t profile;
    uint16_t packet;
    uint32_t usual;
};

static const struct row rows[] = {
    {"bd-r", 0x0041, 32, 12219392},
    {"dvd+r", 0x001B, 16, 2295104},
    {"dvd-r", 0x0011, 16, 2298496},
};

static void test_vdrive_write_once_is_recognised(void **state) {
    struct vdrive_rig rig;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig_open_medium(&rig, rows[i].word, 0);
        assert_int_equal(rig_profile(&rig), rows[i].profile);
        assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_EMPTY);
        assert_false(rig_disc(&rig).erasable);
        assert_int_equal(rig_formats(&rig).blocks, rows[i].usual);
        assert_int_equal(rig_track(&rig).packet_blocks, rows[i].packet);
        assert_int_equal(rig_track(&rig).free_blocks, rows[i].usual);
        assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x080000);
        assert_int_equal(rig_blank(&rig, MMC_BLANK_WHOLE), 0x052000);
        assert_false(rig_feature(&rig, MMC_FEATURE_RANDOM_WRITABLE));
        rig_close(&rig);
    }
}

static void test_vdrive_write_once_is_written_in_order(void **state) {
    struct vdrive_rig rig;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint16_t packet = rows[i].packet;

        rig_open_medium(&rig, rows[i].word, BLOCKS);
        rig_select_packets_of(&rig, (uint8_t)packet);
        assert_int_equal(rig_write_fill(&rig, packet, packet, 1), 0x052102);
        assert_int_equal(rig_write_fill(&rig, 0, 1, 1), 0x056301);
        assert_int_equal(rig_write_fill(&rig, 0, packet, 1), 0);
        assert_int_equal(rig_write_fill(&rig, 0, packet, 1), 0x052102);
        assert_int_equal(rig_track(&rig).nwa, packet);
        assert_true(rig_blocks_hold(&rig, 0, packet, 1));
        assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
        assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_COMPLETE);
        assert_int_equal(rig_write_fill(&rig, packet, packet, 1), 0x072700);
        assert_int_equal(rig_capacity(&rig), packet);
        assert_true(rig_blocks_hold(&rig, 0, packet, 1));
        rig_close(&rig);
    }
}

static void test_vdrive_write_once_full_is_full(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "dvd+r", 512);
    for (uint32_t lba = 0; lba < 512; lba += 32) {
        assert_int_equal(rig_write_fill(&rig, lba, 32, 1), 0);
    }
    assert_int_equal(rig_write_fill(&rig, 512, 16, 1), 0x052100);
    rig_close(&rig);
}

static void test_vdrive_write_once_bd_r_is_overwritten_in_name(void **state) {
    struct mmc_format format = {
        .type = MMC_FORMAT_FULL, .parameter = 2048, .immediate = true};
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "bd-r", BLOCKS);
    assert_false(rig_feature(&rig, 0x0038));
    format.blocks = rig_offer(&rig, MMC_FORMAT_FULL);
    assert_true(format.blocks < BLOCKS);
    assert_int_equal(rig_format_as(&rig, format), 0);
    assert_true(rig_feature(&rig, 0x0038));
    assert_int_equal(rig_formats(&rig).count, 0); /* once only */
    assert_int_equal(rig_format_as(&rig, format), 0x052600);
    assert_int_equal(rig_write_fill(&rig, 0, 64, 1), 0);
    assert_int_equal(rig_write_fill(&rig, 32, 32, 2), 0);
    assert_int_equal(rig_write_fill(&rig, 96, 32, 2), 0x052102);
    assert_int_equal(rig_write_fill(&rig, 64, 32, 2), 0);
    assert_int_equal(rig_track(&rig).nwa, 96);
    assert_true(rig_blocks_hold(&rig, 0, 32, 1));
    assert_true(rig_blocks_hold(&rig, 32, 32, 2));
    rig_close(&rig);
}

static void test_vdrive_write_once_cd_r_is_written_by_track(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_medium(&rig, "cd-r", 0);
    assert_int_equal(rig_profile(&rig), 0x0009);
    assert_false(rig_feature(&rig, MMC_FEATURE_INCREMENTAL));
    assert_true(rig_feature(&rig, MMC_FEATURE_CD_TAO));
    assert_int_equal(rig_disc(&rig).lead_out_lba, 359849);
    assert_int_equal(rig_write_fill(&rig, 32, 32, 1), 0x052102);
    assert_int_equal(rig_write_fill(&rig, 0, 32, 1), 0);
    assert_int_equal(rig_write_fill(&rig, 0, 32, 1), 0x052102);
    assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_APPENDABLE);
    assert_int_equal(rig_track(&rig).nwa, 32);
    assert_false(rig_track(&rig).packet);
    /* Packets are not taken. */
    rig_select_packets_of(&rig, 32);
    assert_int_equal(rig_write_fill(&rig, 32, 32, 1), 0x056400);
    assert_int_equal(rig_close_session(&rig, MMC_CLOSE_SESSION), 0);
    assert_false(rig_feature(&rig, MMC_FEATURE_CD_TAO));
    assert_true(rig_blocks_hold(&rig, 0, 32, 1));
    rig_close(&rig);
}

static void test_vdrive_write_once_adopts_an_image(void **state) {
    static const char *const words[] = {"bd-r", "dvd+r", "dvd-r", "cd-r",
                                        "dvd-rw"};
    struct vdrive_rig rig;
    char sidecar[128];
    FILE *file;

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        rig_open_medium(&rig, words[i], BLOCKS);
        mmc_transport_close(rig.transport);
        snprintf(sidecar, sizeof(sidecar), "%s.udfpkt", rig.path);
        assert_int_equal(mmc_vdrive_adopt(rig.path, words[i]), -EEXIST);
        assert_int_equal(remove(sidecar), 0);
        file = fopen(rig.path, "w");
        assert_non_null(file);
        memset(buffer, 6, sizeof(buffer));
        assert_int_equal(fwrite(buffer, sizeof(buffer), 1, file), 1);
        fclose(file);
        assert_int_equal(mmc_vdrive_adopt(rig.path, "dvd+rw"), -EOPNOTSUPP);
        assert_int_equal(mmc_vdrive_adopt(rig.path, words[i]), 0);
        assert_int_equal(mmc_vdrive_open(rig.path, true, &rig.transport), 0);
        assert_int_equal(rig_ready(&rig), 0x062900);
        assert_int_equal(rig_disc(&rig).status, MMC_DISC_STATUS_COMPLETE);
        assert_int_equal(rig_capacity(&rig), 64);
        assert_true(rig_blocks_hold(&rig, 0, 64, 6));
        assert_int_equal(rig_write_fill(&rig, 64, 32, 1), 0x072700);
        rig_close(&rig);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_write_once_is_recognised),
        cmocka_unit_test(test_vdrive_write_once_is_written_in_order),
        cmocka_unit_test(test_vdrive_write_once_full_is_full),
        cmocka_unit_test(test_vdrive_write_once_bd_r_is_overwritten_in_name),
        cmocka_unit_test(test_vdrive_write_once_cd_r_is_written_by_track),
        cmocka_unit_test(test_vdrive_write_once_adopts_an_image),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
