/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The root directory has no file entry.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(root_missing) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    memset(compose_at(c, c->root.icb), 0, 2048);
    return compose_free(c);
}
