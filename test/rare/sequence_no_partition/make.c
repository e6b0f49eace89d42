/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A sequence without a partition descriptor, in both copies.
 */
#include "test/rare/rare.h"

RARE_IMAGE(sequence_no_partition) {
    struct compose *c = compose_new(0x0201);

    c->pds = 0;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
