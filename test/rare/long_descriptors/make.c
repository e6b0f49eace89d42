/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Long allocation descriptors (ECMA-167 4/14.14.2) where short ones would do:
 * recorded, not recorded and hole.
 */
#include "test/rare/rare.h"

RARE_IMAGE(long_descriptors) {
    struct compose *c = compose_new(0x0201);
    struct compose_ads ads = {.form = UDF_AD_LONG};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    compose_data(c, &ads, 4096, 'A');
    compose_ad(&ads, UDF_EXTENT_ALLOCATED, 4096, compose_take(c, 2));
    compose_data(c, &ads, 2048, 'B');
    compose_ad(&ads, UDF_EXTENT_HOLE, 10240, (struct udf_addr){0});
    compose_data(c, &ads, 1, 'C');
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "long", &fe);
    compose_end(c);
    return compose_free(c);
}
