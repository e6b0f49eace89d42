/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A volume descriptor pointer (ECMA-167 3/10.3) in the main sequence leads to
 * the rest of it.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"
#include <string.h>

static void put_pointer(struct compose *c, uint32_t at, uint32_t to,
                        uint32_t blocks) {
    struct udf_short_ad extent = {.bytes = blocks * 2048, .lbn = to};
    uint8_t *raw = compose_sector(c, at);

    raw[16] = 9; /* its number in the sequence */
    udf_short_ad_encode(&extent, raw + 20);
    compose_seal(c, raw, 512, UDF_TAG_VDP, at);
}

RARE_IMAGE(sequence_pointer) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    uint32_t from = COMPOSE_MAIN_LBA + 2;

    /* The descriptors are sealed for their sectors: they are made again there.
     */
    udf_encode_pd(&c->pd[0], &c->style, 3900, compose_sector(c, 3900));
    (void)udf_encode_lvd(&c->lvd, &c->style, 3901, compose_sector(c, 3901));
    udf_encode_td(&c->style, 3902, compose_sector(c, 3902));
    memset(compose_sector(c, from), 0, 4 * 2048);
    put_pointer(c, from, 3900, 3);
    return compose_free(c);
}
