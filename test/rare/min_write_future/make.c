/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The integrity descriptor says that writing needs UDF 2.70: read-only.
 */
#include "test/rare/rare.h"

RARE_IMAGE(min_write_future) {
    struct compose *c = compose_new(0x0201);

    c->lvid.min_write = 0x0270;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
