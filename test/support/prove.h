/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/prove.h - what every test does with the volume that it leaves:
 * the checker finds a closed volume and no fault. Where it does, the faults are
 * printed, and the test fails.
 */
#ifndef TEST_PROVE_H
#define TEST_PROVE_H

#include "udf/check.h"

struct blockdev;
struct memdev;

/* Of a device that is not mounted. */
struct udf_check_result prove_device(struct blockdev *dev);

/* The same, but the volume may be marked open. */
struct udf_check_result prove_open_device(struct blockdev *dev);

/* Of the medium of `mem`, which is not mounted: what is only in its cache is
 * lost, and faults that were asked of it stay. */
struct udf_check_result prove_medium(struct memdev *mem);

/* As prove_device(), for campaigns, which go on: faults are printed behind
 * `state`. Returns 0; -EUCLEAN when there are any; errors of udf_check(). */
int prove_state(struct blockdev *dev, char *state);

#endif
