/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * File entries and extended file entries side by side on a volume of 2.01, as
 * after an upgrade, with content in the ICB up to its last byte, in short and
 * in long descriptors. Each keeps its kind when it is written.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(entry_kinds) {
    struct compose *c = compose_new(0x0201);
    char full[2048];

    for (int extended = 0; extended < 2; extended++) {
        struct compose_ads ads = {.form = UDF_AD_SHORT};
        struct compose_ads wide = {.form = UDF_AD_LONG};
        struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

        fe.extended = extended;
        memset(full, 'F', sizeof(full));
        full[2048 - (extended ? UDF_EFE_BYTES : UDF_FE_BYTES)] = 0;
        compose_embed(&fe, full);
        compose_entry(c, &c->root, extended ? "efe full" : "fe full", &fe);
        compose_data(c, &ads, 2049, 'S');
        fe.unique_id = c->next_id++;
        compose_use_ads(&fe, &ads);
        compose_entry(c, &c->root, extended ? "efe short" : "fe short", &fe);
        compose_data(c, &wide, 2049, 'L');
        fe.unique_id = c->next_id++;
        compose_use_ads(&fe, &wide);
        compose_entry(c, &c->root, extended ? "efe long" : "fe long", &fe);
    }
    compose_end(c);
    return compose_free(c);
}
