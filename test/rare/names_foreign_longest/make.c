/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The longest names that need escapes: 254 slashes, and 127 halves of
 * surrogate pairs. Even they can be reached.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(names_foreign_longest) {
    struct compose *c = compose_new(0x0150);
    uint8_t narrow[255], wide[255];

    memset(narrow, '/', sizeof(narrow));
    narrow[0] = 8;
    memset(wide, 0xD8, sizeof(wide));
    wide[0] = 16;
    for (int i = 0; i < 2; i++) {
        struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
        struct udf_addr icb = compose_take(c, 1);
        struct udf_fid fid = compose_fid(c, &fe, icb);

        compose_embed(&fe, i ? "wide" : "narrow");
        compose_put_fe(c, icb, &fe);
        fid.name = i ? wide : narrow;
        fid.name_bytes = sizeof(wide);
        compose_add_fid(c, &c->root, &fid);
    }
    compose_end(c);
    return compose_free(c);
}
