/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tags that are unusual and right: serial numbers that differ, a CRC over
 * nothing, version 2 in a volume of 2.01.
 */
#include "test/rare/rare.h"

RARE_IMAGE(tags) {
    struct compose *c = compose_new(0x0201);
    uint8_t *raw =
        compose_at(c, compose_file(c, &c->root, "no CRC", "content"));

    raw[10] = raw[11] = 0;
    compose_reseal(raw);
    c->style.version = 2;
    compose_file(c, &c->root, "version 2", "content");
    c->style.version = 3;
    c->style.serial = 77;
    compose_file(c, &c->root, "serial 77", "content");
    c->style.serial = 1;
    compose_end(c);
    return compose_free(c);
}
