/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/vdrive/test_prepare_write_once.c - media that can be written only once:
 * recognised, read where there is something on them, and never written.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/cdb.h"
#include "mmc/command.h"
#include "mmc/drive.h"
#include "mmc/setup.h"
#include "test/support/media_bench.h"

static const char *const words[] = {"bd-r", "dvd+r", "dvd-r", "cd-r"};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

static void test_prepare_write_once_refuses_blank_discs(void **state) {
    static const struct mmc_prepare_options full = {.full = true};

    (void)state;
    for (size_t i = 0; i < WORDS; i++) {
        void *bench_state = bench_open(words[i]);
        struct media_bench *bench = bench_state;

        assert_int_equal(bench->media.state, MMC_DISC_UNUSABLE);
        assert_non_null(strstr(bench->media.reason, "once"));
        assert_int_equal(bench_prepare(bench, &full), -EMEDIUMTYPE);
        assert_int_equal(bench_stats(bench).formats, 0);
        assert_int_equal(bench_stats(bench).packets_written, 0);
        bench_tear_down(&bench_state);
    }
}

static void test_prepare_write_once_reads_recorded_discs(void **state) {
    static uint8_t packet[32 * 2048];

    (void)state;
    for (size_t i = 0; i < WORDS; i++) {
        struct mmc_disc_options options = {0};
        void *bench_state = bench_open(words[i]);
        struct media_bench *bench = bench_state;
        struct mmc_disc *disc = NULL;
        struct blockdev *dev = NULL;
        struct mmc_disc_info info;

        /* DVD-R and CD-R want to know how they are recorded. */
        if (mmc_setup_send_parameters(bench->drive, &bench->media) != MMC_OK ||
            mmc_command_write(bench->transport, 0, 32, packet, NULL) !=
                MMC_OK) {
            bench_tear_down(&bench_state);
            continue; /* fixed packets are not for this one */
        }
        bench_reopen(bench);
        assert_int_equal(bench->media.state, MMC_DISC_READ_ONLY);
        bench_reopen(bench);
        mmc_drive_close(bench->drive);
        bench->drive = NULL;
        assert_int_equal(mmc_disc_open(bench->path, &options, &disc), 0);
        mmc_disc_get_info(disc, &info);
        assert_int_equal(info.state, MMC_DISC_READ_ONLY);
        assert_int_equal(mmc_disc_attach(disc, true, &dev), -EROFS);
        assert_int_equal(mmc_disc_close(disc), 0);
        bench_reopen(bench);
        bench_tear_down(&bench_state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prepare_write_once_refuses_blank_discs),
        cmocka_unit_test(test_prepare_write_once_reads_recorded_discs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
