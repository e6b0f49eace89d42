/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A file with three names, one of them in another directory, each with a
 * UniqueID of its own (UDF 2.60 3.2.1.1), and one whose link count says less
 * than it has.
 */
#include "test/rare/rare.h"

RARE_IMAGE(hard_links) {
    struct compose *c = compose_new(0x0201);
    struct compose_dir dir;
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr icb;

    compose_dir_begin(c, &dir, &c->root, "dir");
    fe.links = 3;
    compose_embed(&fe, "has three names");
    icb = compose_entry(c, &c->root, "first", &fe);
    fe.unique_id = c->next_id++;
    compose_name(c, &c->root, "second", &fe, icb);
    fe.unique_id = c->next_id++;
    compose_name(c, &dir, "third", &fe, icb);
    fe = compose_fe(c, UDF_FILE_REGULAR);
    compose_embed(&fe, "says that it has one");
    icb = compose_entry(c, &c->root, "liar", &fe);
    fe.unique_id = c->next_id++;
    compose_name(c, &dir, "lied", &fe, icb);
    compose_dir_end(c, &dir);
    compose_end(c);
    return compose_free(c);
}
