/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_media_claims.c - what every medium has in common in how far
 * its drive is believed: capacities that no disc has, and drives that must
 * calibrate their laser first.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/drive.h"
#include "test/support/media_bench.h"

static const char *const words[] = {"cdrw",    "cdmrw", "dvd-rw", "dvd+rw",
                                    "dvd-ram", "bd-re", "bd-r",   "cd-r"};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

/* Refused before any memory is taken for it, or anything is sent that changes
 * the disc. */
static void test_media_claims_of_capacity_are_not_believed(void **state) {
    static const struct mmc_prepare_options full = {.full = true};

    (void)state;
    for (size_t i = 0; i < WORDS; i++) {
        void *bench_state = bench_open(words[i]);
        struct media_bench *bench = bench_state;
        struct mmc_vdrive_stats stats;

        mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_HUGE_CAPACITY,
                         true);
        bench_look(bench);
        assert_true(bench->media.blocks <= 1u << 26);
        assert_int_not_equal(bench_prepare(bench, &full), 0);
        assert_int_not_equal(bench->media.state, MMC_DISC_READY);
        stats = bench_stats(bench);
        assert_int_equal(stats.packets_written, 0);
        bench_tear_down(&bench_state);
    }
}

static void
test_media_claims_of_a_formatted_disc_are_not_believed(void **state) {
    static const char *const formatted[] = {"cdrw", "dvd-rw", "dvd+rw",
                                            "dvd-ram", "bd-re"};
    static const struct mmc_prepare_options usual = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(formatted) / sizeof(formatted[0]); i++) {
        void *bench_state = bench_open(formatted[i]);
        struct media_bench *bench = bench_state;

        assert_int_equal(bench_prepare(bench, &usual), 0);
        mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_HUGE_CAPACITY,
                         true);
        bench_look(bench);
        assert_int_equal(bench->media.state, MMC_DISC_UNUSABLE);
        assert_non_null(strstr(bench->media.reason, "larger"));
        assert_int_equal(bench->media.blocks, 0);
        bench_tear_down(&bench_state);
    }
}

/* Formatted and written by a drive that does nothing before it is told to
 * calibrate, anew for each disc that is loaded. */
static void test_media_claims_no_power_before_calibration(void **state) {
    static const char *const calibrated[] = {"cdrw", "dvd-rw"};
    static const struct mmc_prepare_options usual = {0};
    char faults[128];
    FILE *file;

    (void)state;
    for (size_t i = 0; i < sizeof(calibrated) / sizeof(calibrated[0]); i++) {
        void *bench_state = bench_open(calibrated[i]);
        struct media_bench *bench = bench_state;

        mmc_vdrive_quirk(bench->transport, MMC_VDRIVE_QUIRK_WANTS_OPC, true);
        assert_int_equal(bench_prepare(bench, &usual), 0);
        /* The commands open it by its path. */
        snprintf(faults, sizeof(faults), "%s.udfpkt-faults", bench->path);
        file = fopen(faults, "we");
        assert_non_null(file);
        fputs("quirk wants-opc\n", file);
        assert_int_equal(fclose(file), 0);
        bench_make_volume(bench);
        bench_change_volume(bench, "file", 20);
        bench_check_volume(bench);
        assert_int_equal(remove(faults), 0);
        bench_tear_down(&bench_state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_media_claims_of_capacity_are_not_believed),
        cmocka_unit_test(
            test_media_claims_of_a_formatted_disc_are_not_believed),
        cmocka_unit_test(test_media_claims_no_power_before_calibration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
