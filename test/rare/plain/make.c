/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Nothing rare: what all the other images differ from.
 */
#include "test/rare/rare.h"

RARE_IMAGE(plain) {
    struct compose *c = compose_new(0x0201);
    struct compose_dir dir;
    struct compose_ads ads = {.form = UDF_AD_SHORT};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    compose_file(c, &c->root, "embedded", "a few words");
    compose_data(c, &ads, 5000, 'A');
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "extent", &fe);
    compose_dir_begin(c, &dir, &c->root, "dir");
    compose_file(c, &dir, "below", "");
    compose_dir_end(c, &dir);
    compose_end(c);
    return compose_free(c);
}
