/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A bridge disc: ISO 9660 descriptors (CD001) stand before the recognition
 * sequence of UDF.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(recognition_bridge) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    memmove(compose_sector(c, COMPOSE_VRS_LBA + 2),
            compose_sector(c, COMPOSE_VRS_LBA), 3 * 2048);
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t *block = compose_sector(c, COMPOSE_VRS_LBA + i);

        memset(block, 0, 2048);
        memcpy(block,
               i ? "\xFF"
                   "CD001\x01"
                 : "\x01"
                   "CD001\x01",
               7);
    }
    return compose_free(c);
}
