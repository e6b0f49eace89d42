/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An integrity descriptor that leads to itself.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"

RARE_IMAGE(integrity_circle) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    c->lvid.next = c->lvd.integrity;
    udf_encode_lvid(&c->lvid, &c->style, COMPOSE_LVID_LBA,
                    compose_sector(c, COMPOSE_LVID_LBA));
    return compose_free(c);
}
