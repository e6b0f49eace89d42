/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * UDF 1.50: a tree with one of each kind of object.
 */
#include "test/rare/rare.h"

RARE_IMAGE(revision_0150) {
    struct compose *c = compose_new(0x0150);
    struct compose_dir dir;
    struct udf_fe link = compose_fe(c, UDF_FILE_SYMLINK);
    struct compose_ads ads = {0};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    const char path[] = "\x03\0\0\0\x05\x05\0\0\x08"
                        "file";

    compose_file(c, &c->root, "file", "content");
    compose_dir_begin(c, &dir, &c->root, "dir");
    compose_data(c, &ads, 6000, 'A');
    compose_use_ads(&fe, &ads);
    compose_entry(c, &dir, "extents", &fe);
    link.info_bytes = link.object_bytes = link.ads_bytes = sizeof(path) - 1;
    link.ads = (const uint8_t *)path;
    compose_entry(c, &dir, "link", &link);
    compose_dir_end(c, &dir);
    compose_end(c);
    return compose_free(c);
}
