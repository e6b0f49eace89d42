/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The root of the file set is an ordinary file.
 */
#include "test/rare/rare.h"

RARE_IMAGE(root_is_file) {
    struct compose *c = compose_new(0x0201);

    c->root.fe.file_type = UDF_FILE_REGULAR;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
