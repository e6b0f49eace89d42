/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Extended allocation descriptors (ECMA-167 4/14.14.3), which UDF forbids and
 * ECMA-167 readers know: recorded, not recorded, a hole, and a last extent
 * that is not full. They become long ones when the file is written.
 */
#include "test/rare/rare.h"

RARE_IMAGE(extended_descriptors) {
    struct compose *c = compose_new(0x0150);
    struct compose_ads ads = {.form = UDF_AD_EXTENDED};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    compose_data(c, &ads, 4096, 'A');
    compose_ad(&ads, UDF_EXTENT_ALLOCATED, 2048, compose_take(c, 1));
    compose_ad(&ads, UDF_EXTENT_HOLE, 6144, (struct udf_addr){0});
    compose_data(c, &ads, 3000, 'B');
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "extended", &fe);
    compose_end(c);
    return compose_free(c);
}
