/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/cut_tree.h - compares a volume with the model of
 * test/support/cut_world.h, by the two rules that stand there.
 */
#ifndef TEST_CUT_TREE_H
#define TEST_CUT_TREE_H

#include "test/support/cut_world.h"

struct udf_volume;

enum { CUT_TEXT_BYTES = 400 };

/* A name at the root that is not compared: what a test adds after a cut. */
#define CUT_AFTER_NAME "written after the cut"

/* The same number for the same tree by rule 1. */
uint64_t cut_tree_hash(const struct cut_tree *tree);

/* Compares the volume with the model. Returns true and the operation in
 * *out_op (the first that fits), or false and what is wrong in `text`
 * (CUT_TEXT_BYTES). Reads everything. */
bool cut_world_matches(const struct cut_world *world, struct udf_volume *volume,
                       struct cut_span span, uint32_t *out_op, char *text);

#endif
