/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An object of every file type that ECMA-167 4/14.6.6 and UDF name, and of
 * some that nobody does. What is no file in a directory is an error for its
 * name alone.
 */
#include "test/rare/rare.h"

#include <stdio.h>

RARE_IMAGE(file_types) {
    static const uint8_t types[] = {0,  1,   2,   3,   5,   8,   9,   10,
                                    11, 248, 249, 250, 251, 252, 253, 255};
    struct compose *c = compose_new(0x0201);

    for (size_t i = 0; i < sizeof(types); i++) {
        struct udf_fe fe = compose_fe(c, types[i]);
        char name[16];

        snprintf(name, sizeof(name), "type %u", types[i]);
        compose_embed(&fe, "");
        compose_entry(c, &c->root, name, &fe);
    }
    compose_end(c);
    return compose_free(c);
}
