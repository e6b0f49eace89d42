/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * No integrity descriptor where it should be.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(integrity_missing) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    memset(compose_sector(c, COMPOSE_LVID_LBA), 0, 2 * 2048);
    return compose_free(c);
}
