/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Anchors and all, but no recognition sequence: this is no UDF volume
 * (ECMA-167 2/8).
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(recognition_none) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    memset(compose_sector(c, COMPOSE_VRS_LBA), 0, 3 * 2048);
    return compose_free(c);
}
