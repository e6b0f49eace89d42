/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Only an anchor at 512, as on CD-R whose block 256 cannot be written (UDF
 * 2.60 2.2.3).
 */
#include "test/rare/rare.h"

#include "udf/encode.h"

RARE_IMAGE(anchor_512) {
    struct compose *c = compose_new(0x0201);

    c->anchor_256 = c->anchor_end = c->anchor_last = false;
    udf_encode_avdp(&c->avdp, &c->style, 512, compose_sector(c, 512));
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
