/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A data disc of ISO 9660 alone.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(recognition_iso_only) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    memset(compose_sector(c, COMPOSE_VRS_LBA), 0, 3 * 2048);
    memcpy(compose_sector(c, COMPOSE_VRS_LBA),
           "\x01"
           "CD001\x01",
           7);
    memcpy(compose_sector(c, COMPOSE_VRS_LBA + 1),
           "\xFF"
           "CD001\x01",
           7);
    return compose_free(c);
}
