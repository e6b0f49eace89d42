/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The main volume descriptor sequence has a descriptor with a wrong CRC: the
 * reserve sequence is used.
 */
#include "test/rare/rare.h"

RARE_IMAGE(sequence_main_broken) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    compose_sector(c, COMPOSE_MAIN_LBA + 3)[100] ^= 1;
    return compose_free(c);
}
