/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The volume has the hard write protect flag (UDF 2.60 2.1.5.3).
 */
#include "test/rare/rare.h"

RARE_IMAGE(protect_hard) {
    struct compose *c = compose_new(0x0201);

    c->lvd.domain.suffix[2] = 1;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
