/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The FID of "moved" names an ICB that is only an indirect entry (ECMA-167
 * 4/14.7); the file entry is where it leads.
 */
#include "test/rare/rare.h"

RARE_IMAGE(indirect_first) {
    struct compose *c = compose_new(0x0150);
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr first = compose_take(c, 1), second = compose_take(c, 1);

    compose_embed(&fe, "found all the same");
    compose_put_ie(c, first, second, 1);
    compose_put_fe(c, second, &fe);
    compose_name(c, &c->root, "moved", &fe, first);
    compose_end(c);
    return compose_free(c);
}
