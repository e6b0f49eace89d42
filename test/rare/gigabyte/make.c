/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A file of one gibibyte and ten megabytes: an extent holds at most 3FFFF800h
 * bytes (UDF 2.60 2.3.10), so there are two, side by side. Letters stand
 * before and behind the border, and at both ends; the rest is zeros.
 */
#include "test/rare/rare.h"

RARE_IMAGE(gigabyte) {
    enum { BLOCKS = 540000, FIRST = UDF_EXTENT_BYTES_MAX, SECOND = 10000000 };
    struct blockdev_geometry geometry = memdev_image(BLOCKS);
    struct compose *c = compose_new_on(0x0201, memdev_new(&geometry));
    struct compose_ads ads = {0};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr data = compose_take(c, FIRST / 2048 + SECOND / 2048 + 1);
    struct udf_addr second = {.lbn = data.lbn + FIRST / 2048};

    compose_fill(c, data, 100, 'A');
    compose_fill(c, (struct udf_addr){.lbn = second.lbn - 1}, 2048, 'B');
    compose_fill(c, second, 2048, 'C');
    compose_at(c, second)[SECOND - 1] = 'D';
    compose_ad(&ads, UDF_EXTENT_RECORDED, FIRST, data);
    compose_ad(&ads, UDF_EXTENT_RECORDED, SECOND, second);
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "large", &fe);
    compose_end(c);
    return compose_free(c);
}
