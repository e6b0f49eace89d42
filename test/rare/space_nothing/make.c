/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A partition without any record of its free space: a disc that was mastered.
 */
#include "test/rare/rare.h"

RARE_IMAGE(space_nothing) {
    struct compose *c = compose_new(0x0201);

    c->space = COMPOSE_NOTHING;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
