/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A virtual partition of UDF 1.50 (UDF 1.50 2.2.10), as on a CD-R: the file set
 * and all ICBs are where the table says that they are.
 * The table has no header, is of file type 0, and ends with an entity.
 */
#include "test/rare/rare.h"

RARE_IMAGE(virtual_0150) {
    struct compose *c = compose_new_virtual(0x0150);
    struct compose_ads ads = {.form = UDF_AD_LONG};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct compose_dir dir;

    compose_dir_begin(c, &dir, &c->root, "directory");
    compose_file(c, &dir, "within", "moved");
    compose_dir_end(c, &dir);
    compose_data(c, &ads, 5000, 'P'); /* content is where its address says */
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "content", &fe);
    compose_end(c);
    return compose_free(c);
}
