/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A directory with names in two directories, which UDF forbids (2.60 2.3.4):
 * both lead to it.
 */
#include "test/rare/rare.h"

RARE_IMAGE(directory_linked) {
    struct compose *c = compose_new(0x0201);
    struct compose_dir one, two, both;

    compose_dir_begin(c, &one, &c->root, "one");
    compose_dir_begin(c, &two, &c->root, "two");
    compose_dir_begin(c, &both, &one, "both");
    compose_file(c, &both, "inside", "seen twice");
    compose_name(c, &two, "both", &both.fe, both.icb);
    both.fe.links++;
    compose_dir_end(c, &both);
    compose_dir_end(c, &two);
    compose_dir_end(c, &one);
    compose_end(c);
    return compose_free(c);
}
