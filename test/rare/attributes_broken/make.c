/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Extended attributes whose header is none, whose first attribute has length
 * 0, and one that is longer than its space: the files are there all the same.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(attributes_broken) {
    struct compose *c = compose_new(0x0200);

    for (int i = 0; i < 3; i++) {
        struct udf_addr icb = compose_take(c, 1);
        struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
        uint8_t space[72] = {0};
        const char *names[] = {"no header", "length 0", "too long"};

        memset(space + 16, 0xFF, 8);
        space[24] = 12; /* a device specification */
        space[28] = 1;
        space[32] = i == 2 ? 200 : 0;
        if (i > 0) {
            compose_seal(c, space, 24, UDF_TAG_EAHD, icb.lbn);
        }
        compose_embed(&fe, "is there");
        fe.ea = space;
        fe.ea_bytes = sizeof(space);
        compose_put_fe(c, icb, &fe);
        compose_name(c, &c->root, names[i], &fe, icb);
    }
    compose_end(c);
    return compose_free(c);
}
