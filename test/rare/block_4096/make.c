/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A volume with logical blocks of 4096 bytes, as hard disks have: its anchors
 * and descriptors are at other places. Optical discs have 2048 bytes, and so
 * has this project.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"
#include <string.h>

RARE_IMAGE(block_4096) {
    struct compose *c = compose_new(0x0201);
    uint8_t anchor[2048] = {0};

    compose_file(c, &c->root, "file", "content");
    c->anchor_256 = c->anchor_end = c->anchor_last = false;
    compose_end(c);

    /* The anchor of sector 256, counted in sectors of that size. */
    udf_encode_avdp(&c->avdp, &c->style, 256, anchor);
    memcpy(compose_sector(c, 256 * 4096 / 2048), anchor, 512);
    return compose_free(c);
}
