/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A volume without an integrity sequence: a read-only disc may do so.
 */
#include "test/rare/rare.h"

RARE_IMAGE(integrity_none) {
    struct compose *c = compose_new(0x0201);

    c->lvd.integrity = (struct udf_extent_ad){0};
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
