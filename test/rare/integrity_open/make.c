/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An open integrity descriptor: the volume was not unmounted cleanly. Its
 * counts are made again.
 */
#include "test/rare/rare.h"

RARE_IMAGE(integrity_open) {
    struct compose *c = compose_new(0x0201);

    c->lvid.closed = false;
    c->lvid.files = 77;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
