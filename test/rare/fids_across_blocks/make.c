/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A directory in three extents of one block each, apart from each other and
 * not in order; names of 100 characters and more make FIDs cross from one to
 * the next, tags included.
 */
#include "test/rare/rare.h"

#include <stdio.h>

RARE_IMAGE(fids_across_blocks) {
    struct compose *c = compose_new(0x0150);
    struct compose_dir dir;
    struct udf_addr blocks = compose_take(c, 6);
    char name[120];

    compose_dir_begin(c, &dir, &c->root, "dir");
    dir.runs = 3;
    for (uint32_t i = 0; i < 3; i++) {
        dir.run[i].addr.lbn = blocks.lbn + 5 - 2 * i;
        dir.run[i].bytes = 2048;
    }
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "%0*d", 80 + i % 7, i);
        compose_file(c, &dir, name, "x");
    }
    compose_dir_end(c, &dir);
    compose_end(c);
    return compose_free(c);
}
