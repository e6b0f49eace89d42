/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sequences that end with an unrecorded sector instead of a terminating
 * descriptor (ECMA-167 3/8.4.2).
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(sequence_unterminated) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    memset(compose_sector(c, COMPOSE_MAIN_LBA + 5), 0, 2048);
    memset(compose_sector(c, COMPOSE_RESERVE_LBA + 5), 0, 2048);
    return compose_free(c);
}
