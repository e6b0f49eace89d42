/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The partition goes on behind the end of the medium: a drive that reports it
 * too small, or a copy that was cut off.
 */
#include "test/rare/rare.h"

RARE_IMAGE(partition_beyond_end) {
    struct compose *c = compose_new(0x0201);

    c->pd[0].blocks = 100000;
    c->lvid.size_blocks[0] = 100000;
    c->space = COMPOSE_NOTHING;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
