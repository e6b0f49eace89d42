/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The layout of Mac OS X: names in decomposed Unicode, .DS_Store and ._ files,
 * a directory in an extent, and long descriptors without need.
 */
#include "test/rare/rare.h"

RARE_IMAGE(layout_mac) {
    struct compose *c = compose_new(0x0150);
    struct compose_dir dir;
    struct compose_ads ads = {.form = UDF_AD_LONG};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    compose_dir_begin(c, &dir, &c->root, "Fotos fu\xCC\x88r uns");
    dir.runs = 1;
    dir.run[0].addr = compose_take(c, 1);
    dir.run[0].bytes = 2048;
    compose_data(c, &ads, 3000, 'J');
    compose_use_ads(&fe, &ads);
    compose_entry(c, &dir, "IMG_0001.JPG", &fe);
    compose_file(c, &dir, "._IMG_0001.JPG", "resource fork");
    compose_dir_end(c, &dir);
    compose_file(c, &c->root, ".DS_Store", "Bud1");
    compose_end(c);
    return compose_free(c);
}
