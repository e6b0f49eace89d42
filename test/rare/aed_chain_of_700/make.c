/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A list of 700 allocation extent descriptors with one extent each, from the
 * end of the partition to its beginning: a length that no writer makes, and a
 * reader that starts again for every block that is missing would not live
 * through.
 */
#include "test/rare/rare.h"

RARE_IMAGE(aed_chain_of_700) {
    enum { AEDS = 700 };
    struct compose *c = compose_new(0x0150);
    struct udf_addr aed = compose_take(c, AEDS);
    struct udf_addr data = compose_take(c, 2 * AEDS);
    struct compose_ads head = {.form = UDF_AD_SHORT};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    aed.lbn += AEDS - 1;
    compose_ad(&head, UDF_EXTENT_NEXT, 2048, aed);
    for (uint32_t i = 0; i < AEDS; i++, aed.lbn--, data.lbn += 2) {
        struct compose_ads ads = {.form = UDF_AD_SHORT};

        compose_fill(c, data, 2048, (char)('A' + i / 70));
        compose_ad(&ads, UDF_EXTENT_RECORDED, 2048, data);
        if (i < AEDS - 1) {
            compose_ad(&ads, UDF_EXTENT_NEXT, 2048,
                       (struct udf_addr){.lbn = aed.lbn - 1});
        }
        compose_put_aed(c, aed, &ads);
    }
    head.info_bytes = 2048 * AEDS;
    head.recorded = AEDS;
    compose_use_ads(&fe, &head);
    compose_entry(c, &c->root, "pieces", &fe);
    compose_end(c);
    return compose_free(c);
}
