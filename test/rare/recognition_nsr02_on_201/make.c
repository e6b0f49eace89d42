/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * NSR02 on a volume of 2.01: an upgrade that was not finished. The revision of
 * the volume counts.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(recognition_nsr02_on_201) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    memcpy(compose_sector(c, COMPOSE_VRS_LBA + 1) + 1, "NSR02", 5);
    return compose_free(c);
}
