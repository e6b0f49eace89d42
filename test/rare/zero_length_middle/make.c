/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A descriptor of length zero ends a list (ECMA-167 4/12), but some writers
 * leave them in the middle, and some readers pass over them. "middle" can be
 * read as far as its information length; in "end" the length is reached, and
 * what is behind the zero is nothing.
 */
#include "test/rare/rare.h"

RARE_IMAGE(zero_length_middle) {
    struct compose *c = compose_new(0x0150);
    struct compose_ads middle = {0}, end = {0};
    struct udf_addr none = {0};
    struct udf_fe fe;

    compose_data(c, &middle, 2048, 'A');
    compose_ad(&middle, UDF_EXTENT_RECORDED, 0, none);
    compose_data(c, &middle, 2048, 'B');
    compose_ad(&middle, UDF_EXTENT_RECORDED, 0, none);
    compose_data(c, &middle, 7, 'C');
    fe = compose_fe(c, UDF_FILE_REGULAR);
    compose_use_ads(&fe, &middle);
    compose_entry(c, &c->root, "middle", &fe);

    compose_data(c, &end, 2048, 'D');
    compose_ad(&end, UDF_EXTENT_RECORDED, 0, none);
    compose_ad(&end, UDF_EXTENT_RECORDED, 2048,
               (struct udf_addr){.lbn = 1 << 24});
    fe = compose_fe(c, UDF_FILE_REGULAR);
    end.info_bytes = 2048;
    end.recorded = 1;
    compose_use_ads(&fe, &end);
    compose_entry(c, &c->root, "end", &fe);
    compose_end(c);
    return compose_free(c);
}
