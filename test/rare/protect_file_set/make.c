/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The file set has the soft write protect flag, the volume has none.
 */
#include "test/rare/rare.h"

RARE_IMAGE(protect_file_set) {
    struct compose *c = compose_new(0x0201);

    c->fsd.domain.suffix[2] = 2;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
