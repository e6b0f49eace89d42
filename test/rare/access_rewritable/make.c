/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A partition whose access type is 3, rewritable, as cdrwtool and mkudffs make
 * CD-RW (ECMA-167 3/10.5.7).
 */
#include "test/rare/rare.h"

RARE_IMAGE(access_rewritable) {
    struct compose *c = compose_new(0x0201);

    c->pd[0].access = 3;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
