/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Volume descriptor pointers in both sequences that lead to themselves.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"
#include <string.h>

RARE_IMAGE(sequence_pointer_circle) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = i ? COMPOSE_RESERVE_LBA : COMPOSE_MAIN_LBA;
        struct udf_short_ad self = {.bytes = 16 * 2048, .lbn = at};
        uint8_t *raw = compose_sector(c, at);

        memset(raw, 0, 2048);
        udf_short_ad_encode(&self, raw + 20);
        compose_seal(c, raw, 512, UDF_TAG_VDP, at);
    }
    return compose_free(c);
}
