/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An integrity descriptor with a wrong CRC: a write that was cut off.
 */
#include "test/rare/rare.h"

RARE_IMAGE(integrity_broken) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    compose_sector(c, COMPOSE_LVID_LBA)[60] ^= 1;
    return compose_free(c);
}
