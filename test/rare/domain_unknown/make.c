/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The logical volume is of another domain than *OSTA UDF Compliant: ECMA-167,
 * but not UDF.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(domain_unknown) {
    struct compose *c = compose_new(0x0201);

    strcpy(c->lvd.domain.id, "*Some Other Domain");
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
