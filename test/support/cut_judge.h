/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/cut_judge.h - the power-cut campaign: does a workload once with
 * every packet written down, makes the media that a cut could have left, and
 * mounts each of them.
 *
 * A medium after a cut passes when
 *  1. it mounts, writable, without anybody repairing it, and its volume is what
 *     it may be (test/support/cut_world.h);
 *  2. it can be written to and closed, and the checker finds nothing then;
 *  3. all that holds again after a second cut while 1 and 2 were going on; what
 *     was seen after the first mount is still the same.
 *
 * Everything is a number drawn from the seed, so that a loss can be looked at
 * again: it is printed as DISC:WORKLOAD:CUT, or DISC:WORKLOAD:CUT:CUT, where a
 * cut is a step and a variant. In the environment:
 *
 *   UDFPKT_CUT_STATES  cuts of each workload on each disc, drawn by the seed;
 *                      0: every step with every variant
 *   UDFPKT_CUT_SEED    where the numbers begin (default 1)
 *   UDFPKT_CUT_ONLY    DISC, DISC:WORKLOAD, or a loss: the others are left out.
 *                      With a loss, all that is logged is shown.
 *   UDFPKT_CUT_KEEP    a folder for the image of each medium that was lost
 */
#ifndef TEST_CUT_JUDGE_H
#define TEST_CUT_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

struct cut_disc;
struct cut_workload;

/* Whether UDFPKT_CUT_ONLY wants this disc. */
bool cut_wants_disc(const char *name);

struct cut_tally {
    uint64_t steps, states, second_states, losses;
};

/* Cuts one workload on one disc, adds to the tally and prints it. */
void cut_judge(struct cut_disc *disc, const struct cut_workload *workload,
               struct cut_tally *tally);

#endif
