/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A file entry that cannot be read, one with a wrong CRC, one for another
 * block, and content that cannot be read: each is an error for that file
 * alone.
 */
#include "test/rare/rare.h"

RARE_IMAGE(file_entry_unreadable) {
    struct compose *c = compose_new(0x0201);
    struct compose_ads ads = {0};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr data = compose_data(c, &ads, 8192, 'A');
    struct udf_addr icb;

    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "content unreadable", &fe);
    memdev_fail_read(c->mem, c->pd[0].start_lba + data.lbn + 2);
    icb = compose_file(c, &c->root, "entry unreadable", "");
    memdev_fail_read(c->mem, c->pd[0].start_lba + icb.lbn);
    icb = compose_file(c, &c->root, "wrong CRC", "");
    compose_at(c, icb)[60] ^= 1;
    icb = compose_file(c, &c->root, "wrong place", "");
    compose_at(c, icb)[12] ^= 1;
    compose_at(c, icb)[4] ^= 1;
    compose_file(c, &c->root, "sound", "can be read");
    compose_end(c);
    return compose_free(c);
}
