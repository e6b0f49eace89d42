/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A directory that holds a name of the directory above it: POSIX trees have no
 * circles, and whoever walks this one must come to an end.
 */
#include "test/rare/rare.h"

RARE_IMAGE(directory_circle) {
    struct compose *c = compose_new(0x0201);
    struct compose_dir above, below;

    compose_dir_begin(c, &above, &c->root, "above");
    compose_dir_begin(c, &below, &above, "below");
    compose_name(c, &below, "again", &above.fe, above.icb);
    compose_name(c, &below, "root", &c->root.fe, c->root.icb);
    compose_dir_end(c, &below);
    compose_dir_end(c, &above);
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
