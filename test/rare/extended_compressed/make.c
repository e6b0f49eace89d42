/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An extended descriptor that says that 4096 bytes of information are recorded
 * in 2000: how, nobody knows. An error for that file.
 */
#include "test/rare/rare.h"

RARE_IMAGE(extended_compressed) {
    struct compose *c = compose_new(0x0150);
    struct compose_ads ads = {.form = UDF_AD_EXTENDED};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    compose_data(c, &ads, 4096, 'A');
    ads.raw[4] = 2000 & 0xFF; /* recorded length */
    ads.raw[5] = 2000 >> 8;
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "compressed", &fe);
    compose_file(c, &c->root, "sound", "can be read");
    compose_end(c);
    return compose_free(c);
}
