/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Free space as a table of extents (unallocated space entry, ECMA-167 4/14.11)
 * instead of a bitmap.
 */
#include "test/rare/rare.h"

RARE_IMAGE(space_table) {
    struct compose *c = compose_new(0x0150);

    c->space = COMPOSE_TABLE;
    compose_file(c, &c->root, "before", "content");
    (void)compose_take(c, 10);
    for (uint32_t i = c->next_lbn - 10; i < c->next_lbn - 5; i++) {
        c->used[i] = false; /* a gap */
    }
    compose_file(c, &c->root, "behind", "content");
    compose_end(c);
    return compose_free(c);
}
