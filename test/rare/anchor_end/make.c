/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Only the anchor at N-256.
 */
#include "test/rare/rare.h"

RARE_IMAGE(anchor_end) {
    struct compose *c = compose_new(0x0201);

    c->anchor_256 = c->anchor_last = false;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
