/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The integrity descriptor says that reading needs UDF 2.70: refused (UDF 2.60
 * 2.2.6.4).
 */
#include "test/rare/rare.h"

RARE_IMAGE(min_read_future) {
    struct compose *c = compose_new(0x0201);

    c->lvid.min_read = 0x0270;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
