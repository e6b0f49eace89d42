/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/cut/test_power_cut.c - every workload of test/support/cut_work.h on
 * every kind of disc, with the power cut at any packet that is written:
 * test/support/cut_judge.h says what must hold and how to look at a loss.
 *
 * With the journal nothing is ever lost. Without it a packet that is torn takes
 * its neighbours with it, and a commit is not whole or nothing: the campaign
 * must find that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/cut_disc.h"
#include "test/support/cut_drive.h"
#include "test/support/cut_judge.h"
#include "test/support/cut_work.h"

/* Cuts every workload on this disc. */
static void judge_disc(const char *name, bool journal,
                       struct cut_tally *tally) {
    struct cut_disc disc;

    cut_disc_make(&disc, name);
    disc.drive->no_journal = !journal;
    for (size_t i = 0; cut_workload(i); i++) {
        cut_judge(&disc, cut_workload(i), tally);
    }
    cut_disc_free(&disc);
}

static void test_power_cut_loses_nothing(void **state) {
    struct cut_tally tally = {0};

    (void)state;
    for (size_t i = 0; cut_disc_name(i); i++) {
        if (cut_wants_disc(cut_disc_name(i))) {
            judge_disc(cut_disc_name(i), true, &tally);
        }
    }
    assert_int_equal(tally.losses, 0);
}

static void test_power_cut_loses_without_journal(void **state) {
    (void)state;
    for (size_t i = 0; cut_disc_name(i); i++) {
        struct cut_tally tally = {0};

        if (!cut_wants_disc(cut_disc_name(i))) {
            continue;
        }
        judge_disc(cut_disc_name(i), false, &tally);
        assert_true(tally.losses > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_cut_loses_nothing),
        cmocka_unit_test(test_power_cut_loses_without_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
