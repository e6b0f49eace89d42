/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A volume of UDF 3.00, which does not exist, is refused.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"

RARE_IMAGE(revision_future) {
    struct compose *c = compose_new(0x0201);

    udf_entity_domain(0x0300, &c->lvd.domain);
    udf_entity_domain(0x0300, &c->fsd.domain);
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
