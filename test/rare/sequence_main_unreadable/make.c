/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The main volume descriptor sequence cannot be read.
 */
#include "test/rare/rare.h"

RARE_IMAGE(sequence_main_unreadable) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    memdev_fail_read(c->mem, COMPOSE_MAIN_LBA + 2);
    return compose_free(c);
}
