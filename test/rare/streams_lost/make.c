/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A stream directory with a stream whose owner is gone: what a writer that
 * knows no streams (the Linux kernel's) leaves of a file that it removes. Its
 * blocks stay in use, and the rest can be written.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(streams_lost) {
    struct compose *c = compose_new(0x0201);
    uint32_t before = c->root.bytes;
    struct udf_addr icb = compose_file_with_stream(c, "gone", "left", true);

    c->root.bytes = before; /* its only name */
    c->lvid.files--;
    c->used[icb.lbn] = false;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    memset(compose_at(c, icb), 0, UDF_BLOCK_BYTES);
    return compose_free(c);
}
