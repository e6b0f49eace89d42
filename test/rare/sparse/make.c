/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Allocated extents that are not recorded, and holes: at the beginning, in the
 * middle, at the end, and nothing but them. All of it reads as zeros, whatever
 * is in the blocks.
 */
#include "test/rare/rare.h"

static void add(struct compose *c, const char *name,
                const struct compose_ads *ads) {
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    compose_use_ads(&fe, ads);
    compose_entry(c, &c->root, name, &fe);
}

RARE_IMAGE(sparse) {
    struct compose *c = compose_new(0x0200);
    struct udf_addr none = {0};
    struct compose_ads begin = {0}, end = {0}, only = {0};
    struct udf_addr dirty;

    compose_ad(&begin, UDF_EXTENT_HOLE, 4096, none);
    compose_data(c, &begin, 2048, 'A');
    dirty = compose_take(c, 2);
    compose_fill(c, dirty, 4096, 'X');
    compose_ad(&begin, UDF_EXTENT_ALLOCATED, 4096, dirty);
    compose_data(c, &begin, 100, 'B');
    add(c, "begin", &begin);

    compose_data(c, &end, 2048, 'C');
    compose_ad(&end, UDF_EXTENT_HOLE, 3000, none);
    add(c, "end", &end);

    dirty = compose_take(c, 3);
    compose_fill(c, dirty, 6144, 'X');
    compose_ad(&only, UDF_EXTENT_HOLE, 40960, none);
    compose_ad(&only, UDF_EXTENT_ALLOCATED, 5000, dirty);
    add(c, "only", &only);
    compose_end(c);
    return compose_free(c);
}
