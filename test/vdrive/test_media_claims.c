/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_media_claims.c - what every medium has in common in how far
 * its drive is believed: capacities that no disc has, drives that must
 * calibrate their laser first, and all quirks at once.
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

/* Quirks of the drive, by lines of its faults file, from when it is switched on
 * again; the commands open it by its path. */
static void be_like(struct media_bench *bench, const char *const *quirks) {
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s.udfpkt-faults", bench->path);
    file = fopen(path, "we");
    assert_non_null(file);
    for (size_t i = 0; quirks[i]; i++) {
        fprintf(file, "quirk %s\n", quirks[i]);
    }
    assert_int_equal(fclose(file), 0);
    bench_reopen(bench);
}

static void be_as_it_should(struct media_bench *bench) {
    char path[128];

    snprintf(path, sizeof(path), "%s.udfpkt-faults", bench->path);
    assert_int_equal(remove(path), 0);
}

/* Every rewritable medium is formatted and used in such a drive. */
static void check_all_with(const char *const *quirks) {
    static const char *const rewritable[] = {"cdrw",   "cdmrw",   "dvd-rw",
                                             "dvd+rw", "dvd-ram", "bd-re"};

    for (size_t i = 0; i < sizeof(rewritable) / sizeof(rewritable[0]); i++) {
        struct mmc_prepare_options usual = {.media_name = rewritable[i]};
        void *bench_state = bench_open(rewritable[i]);
        struct media_bench *bench = bench_state;

        be_like(bench, quirks);
        bench_look(bench);
        assert_int_equal(bench_prepare(bench, &usual), 0);
        assert_int_equal(bench->media.state, MMC_DISC_READY);
        bench_make_volume(bench);
        bench_change_volume(bench, "file", 20);
        bench_check_content(bench);
        be_as_it_should(bench);
        bench_tear_down(&bench_state);
    }
}

/* Formatted and written by a drive that does nothing before it is told to
 * calibrate, anew for each disc that is loaded. */
static void test_media_claims_no_power_before_calibration(void **state) {
    static const char *const quirks[] = {"wants-opc", NULL};

    (void)state;
    check_all_with(quirks);
}

/* The worst of drives: what one of them does, one does at the same time. */
static void test_media_claims_of_all_kinds_at_once(void **state) {
    static const char *const quirks[] = {"dvd+rw-aligned-only",
                                         "wrong-nwa",
                                         "lying-capacity",
                                         "format-capacities-plus-four",
                                         "page-05h-refused-on-blank",
                                         "no-format-10h",
                                         "format-needs-immed",
                                         "speed-refused",
                                         "not-erasable-after-format",
                                         "late-2/04/07",
                                         "sequence-error",
                                         "slow-spinup",
                                         "stale-events",
                                         "mrw-page-2ch",
                                         "mrw-gaa",
                                         "wants-opc",
                                         NULL};

    (void)state;
    check_all_with(quirks);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_media_claims_of_capacity_are_not_believed),
        cmocka_unit_test(
            test_media_claims_of_a_formatted_disc_are_not_believed),
        cmocka_unit_test(test_media_claims_no_power_before_calibration),
        cmocka_unit_test(test_media_claims_of_all_kinds_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
