/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The file set descriptor is not where the volume says.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(file_set_missing) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    memset(compose_at(c, c->fsd_addr), 0, 2048);
    return compose_free(c);
}
