/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Both volume descriptor sequences are damaged.
 */
#include "test/rare/rare.h"

RARE_IMAGE(sequences_broken) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    compose_sector(c, COMPOSE_MAIN_LBA + 3)[100] ^= 1;
    compose_sector(c, COMPOSE_RESERVE_LBA + 3)[100] ^= 1;
    return compose_free(c);
}
