/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The integrity descriptor leads to another extent (ECMA-167 3/10.10.4), where
 * the prevailing one is the second.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"

RARE_IMAGE(integrity_chained) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    struct udf_lvid lvid = c->lvid;

    lvid.closed = false;
    lvid.next = (struct udf_extent_ad){.bytes = 8192, .lba = 80};
    udf_encode_lvid(&lvid, &c->style, COMPOSE_LVID_LBA,
                    compose_sector(c, COMPOSE_LVID_LBA));
    lvid.next = (struct udf_extent_ad){0};
    udf_encode_lvid(&lvid, &c->style, 80, compose_sector(c, 80));
    udf_encode_lvid(&c->lvid, &c->style, 81, compose_sector(c, 81));
    udf_encode_td(&c->style, 82, compose_sector(c, 82));
    return compose_free(c);
}
