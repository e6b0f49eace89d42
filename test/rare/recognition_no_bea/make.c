/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A recognition sequence that begins with NSR03.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(recognition_no_bea) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    memcpy(compose_sector(c, COMPOSE_VRS_LBA),
           compose_sector(c, COMPOSE_VRS_LBA + 1), 2048);
    return compose_free(c);
}
