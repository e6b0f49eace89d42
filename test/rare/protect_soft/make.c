/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The volume has the soft write protect flag.
 */
#include "test/rare/rare.h"

RARE_IMAGE(protect_soft) {
    struct compose *c = compose_new(0x0201);

    c->lvd.domain.suffix[2] = 2;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
