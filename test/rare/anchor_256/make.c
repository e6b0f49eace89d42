/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Only the anchor at 256: a medium whose size is reported wrong, or whose end
 * was never written.
 */
#include "test/rare/rare.h"

RARE_IMAGE(anchor_256) {
    struct compose *c = compose_new(0x0201);

    c->anchor_end = c->anchor_last = false;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
