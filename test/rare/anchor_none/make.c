/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * No anchor at all: no volume can be found.
 */
#include "test/rare/rare.h"

RARE_IMAGE(anchor_none) {
    struct compose *c = compose_new(0x0201);

    c->anchor_256 = c->anchor_end = c->anchor_last = false;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
