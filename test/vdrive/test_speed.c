/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_speed.c - what speeds a drive offers, and asking for one in
 * the medium's own way, again after a reset, and not any more at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/drive.h"
#include "mmc/speed.h"
#include "test/support/media_bench.h"

enum { SPEEDS_MAX = 8 };

static int set_up_dvd(void **state) {
    *state = bench_open("dvd+rw");
    return 0;
}

static int set_up_cd(void **state) {
    *state = bench_open("cdrw");
    return 0;
}

/* How often `opcode` is in the trace of a disc that is opened for writing with
 * this speed, and of which a block is read. */
static unsigned count_in_session(struct media_bench *bench, uint32_t tenths,
                                 const char *opcode, const char *faults) {
    char trace[128], fault_file[128], line[512], found[3];
    struct mmc_disc_options options = {.speed_tenths = tenths,
                                       .trace_path = trace};
    struct mmc_disc *disc = NULL;
    struct blockdev *dev = NULL;
    unsigned count = 0;
    FILE *file;

    mmc_drive_close(bench->drive);
    bench->drive = NULL;
    snprintf(trace, sizeof(trace), "%s.trace", bench->path);
    snprintf(fault_file, sizeof(fault_file), "%s.udfpkt-faults", bench->path);
    file = fopen(fault_file, "w");
    assert_non_null(file);
    fputs(faults, file);
    fclose(file);
    assert_int_equal(mmc_disc_open(bench->path, &options, &disc), 0);
    assert_int_equal(mmc_disc_attach(disc, true, &dev), 0);
    assert_int_equal(blockdev_fetch(dev, 0, 1), 0);
    assert_int_equal(mmc_disc_close(disc), 0);
    file = fopen(trace, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        count +=
            sscanf(line, "%*s %2s", found) == 1 && strcmp(found, opcode) == 0;
    }
    fclose(file);
    unlink(trace);
    unlink(fault_file);
    bench_reopen(bench);
    return count;
}

static void test_speed_list_is_the_drives(void **state) {
    struct media_bench *bench = *state;
    struct mmc_disc_speed speeds[SPEEDS_MAX];
    size_t count =
        mmc_speed_list(bench->drive, &bench->media, speeds, SPEEDS_MAX);

    assert_true(count >= 2);
    for (size_t i = 1; i < count; i++) {
        assert_true(speeds[i].kbs < speeds[i - 1].kbs);
    }
    assert_int_equal(speeds[0].tenths, 80);
    assert_int_equal(speeds[count - 1].tenths, 24);
    assert_int_equal(mmc_speed_list(bench->drive, &bench->media, speeds, 1), 1);
}

static void test_speed_is_set_and_given_back(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench_prepare(bench, &(struct mmc_prepare_options){0}), 0);
    assert_int_equal(count_in_session(bench, 40, "B6", ""), 2);
    assert_int_equal(count_in_session(bench, 40, "BB", ""), 0);
    assert_int_equal(count_in_session(bench, 0, "B6", ""), 0);
}

static void test_speed_of_a_cd_has_its_own_command(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench_prepare(bench, &(struct mmc_prepare_options){0}), 0);
    assert_int_equal(count_in_session(bench, 40, "BB", ""), 2);
    assert_int_equal(count_in_session(bench, 40, "B6", ""), 0);
}

static void test_speed_refused_is_no_error(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench_prepare(bench, &(struct mmc_prepare_options){0}), 0);
    /* Both ways are tried, then it is let be. */
    assert_true(count_in_session(bench, 40, "B6", "quirk speed-refused\n") >=
                1);
    assert_true(count_in_session(bench, 40, "BB", "quirk speed-refused\n") >=
                1);
}

static void test_speed_is_sent_again_after_a_reset(void **state) {
    struct media_bench *bench = *state;

    assert_int_equal(bench_prepare(bench, &(struct mmc_prepare_options){0}), 0);
    assert_true(
        count_in_session(bench, 40, "BB", "sense sense=6/29/00 op=0x28\n") > 2);
}

int main(void) {
#define DVD_TEST(name)                                                         \
    cmocka_unit_test_setup_teardown(name, set_up_dvd, bench_tear_down)
    const struct CMUnitTest tests[] = {
        DVD_TEST(test_speed_list_is_the_drives),
        DVD_TEST(test_speed_is_set_and_given_back),
        cmocka_unit_test_setup_teardown(test_speed_of_a_cd_has_its_own_command,
                                        set_up_cd, bench_tear_down),
        DVD_TEST(test_speed_refused_is_no_error),
        cmocka_unit_test_setup_teardown(test_speed_is_sent_again_after_a_reset,
                                        set_up_cd, bench_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
