/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/cut_work.h - what is done to a volume while the power is cut:
 * the workloads of the campaigns.
 */
#ifndef TEST_CUT_WORK_H
#define TEST_CUT_WORK_H

#include <stddef.h>

struct cut_world;

struct cut_workload {
    const char *name;
    /* Puts on the volume what is there before; it is committed and closed. */
    void (*prepare)(struct cut_world *world);
    void (*run)(struct cut_world *world);
};

/* The i-th workload, NULL past the end. */
const struct cut_workload *cut_workload(size_t i);

#endif
