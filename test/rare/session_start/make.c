/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A volume in the second session of a disc: recognition sequence and anchor
 * are counted from where that begins, all other addresses from the beginning
 * of the disc.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"
#include <string.h>

RARE_IMAGE(session_start) {
    enum { START = 1024 };
    struct blockdev_geometry geometry = memdev_image(COMPOSE_BLOCKS);
    struct compose *c;

    geometry.session_start = START;
    c = compose_new_on(0x0150, memdev_new(&geometry));
    c->anchor_256 = c->anchor_end = c->anchor_last = false;
    (void)compose_take(c, 1200); /* not what is moved to */
    compose_file(c, &c->root, "file", "in the second session");
    compose_end(c);
    for (uint32_t i = 0; i < 3; i++) {
        memcpy(compose_sector(c, START + COMPOSE_VRS_LBA + i),
               compose_sector(c, COMPOSE_VRS_LBA + i), 2048);
        memset(compose_sector(c, COMPOSE_VRS_LBA + i), 0, 2048);
    }
    udf_encode_avdp(&c->avdp, &c->style, START + 256,
                    compose_sector(c, START + 256));
    return compose_free(c);
}
