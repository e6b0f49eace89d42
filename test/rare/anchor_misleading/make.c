/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The anchor at 256 leads to sectors that hold nothing, that at N-256 beyond
 * the medium; the one at N is right.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"

static void lead(struct compose *c, uint32_t anchor, uint32_t main,
                 uint32_t reserve) {
    struct udf_avdp avdp = c->avdp;

    avdp.main.lba = main;
    avdp.reserve.lba = reserve;
    udf_encode_avdp(&avdp, &c->style, anchor, compose_sector(c, anchor));
}

RARE_IMAGE(anchor_misleading) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    lead(c, 256, 2000, 2100);
    lead(c, COMPOSE_BLOCKS - 257, 1u << 30, 1u << 30);
    return compose_free(c);
}
