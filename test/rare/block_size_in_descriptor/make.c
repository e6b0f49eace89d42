/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Anchors and descriptors where optical discs have them, but a logical block
 * size of 1024 bytes in the logical volume descriptor.
 */
#include "test/rare/rare.h"

RARE_IMAGE(block_size_in_descriptor) {
    struct compose *c = compose_new(0x0201);

    c->lvd.block_bytes = 1024;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
