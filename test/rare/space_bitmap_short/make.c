/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A space bitmap of fewer bits than the partition has blocks.
 */
#include "test/rare/rare.h"

RARE_IMAGE(space_bitmap_short) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    uint8_t *raw = compose_at(c, (struct udf_addr){0});

    raw[16] = 100;
    raw[17] = 0;
    compose_reseal(raw);
    return compose_free(c);
}
