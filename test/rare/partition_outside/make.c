/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The partition begins behind the end of the medium.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"

RARE_IMAGE(partition_outside) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    c->pd[0].start_lba = 1u << 20;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t lba = (i ? COMPOSE_RESERVE_LBA : COMPOSE_MAIN_LBA) + 2;

        udf_encode_pd(&c->pd[0], &c->style, lba, compose_sector(c, lba));
    }
    return compose_free(c);
}
