/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A recognition sequence without its end (TEA01), as some writers leave it.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(recognition_no_tea) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    memset(compose_sector(c, COMPOSE_VRS_LBA + 2), 0, 2048);
    return compose_free(c);
}
