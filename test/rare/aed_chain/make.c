/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lists of extents that go on in allocation extent descriptors (ECMA-167
 * 4/14.5): "short" over three of them, "long" with long descriptors, "only"
 * whose file entry holds nothing but the pointer, "empty" with an AED without
 * descriptors in the middle.
 */
#include "test/rare/rare.h"

/* `first` extents in the file entry, `each` in each of `aeds` descriptors, one
 * more in the last; every extent has a letter of its own. */
static void chain(struct compose *c, const char *name, enum udf_ad_form form,
                  int first, int aeds, int each) {
    struct udf_addr aed = compose_take(c, (uint32_t)aeds);
    struct compose_ads head = {.form = form}, total = {.form = form};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    char letter = 'A';

    for (int i = 0; i < first; i++) {
        compose_data(c, &head, 2048, letter++);
        (void)compose_take(c, 1); /* or they would be one extent */
    }
    total = head;
    compose_ad(&head, UDF_EXTENT_NEXT, 2048, aed);
    for (int i = 0; i < aeds; i++, aed.lbn++) {
        struct compose_ads ads = {.form = form};
        bool last = i == aeds - 1;

        for (int k = 0; k < each + last; k++) {
            compose_data(c, &ads, last && k == each ? 10 : 2048, letter++);
            (void)compose_take(c, 1);
        }
        total.info_bytes += ads.info_bytes;
        total.recorded += ads.recorded;
        if (!last) {
            compose_ad(&ads, UDF_EXTENT_NEXT, 2048,
                       (struct udf_addr){.lbn = aed.lbn + 1});
        }
        compose_put_aed(c, aed, &ads);
    }
    head.info_bytes = total.info_bytes;
    head.recorded = total.recorded;
    compose_use_ads(&fe, &head);
    compose_entry(c, &c->root, name, &fe);
}

RARE_IMAGE(aed_chain) {
    struct compose *c = compose_new(0x0201);

    chain(c, "short", UDF_AD_SHORT, 1, 3, 2);
    chain(c, "long", UDF_AD_LONG, 1, 2, 3);
    chain(c, "only", UDF_AD_SHORT, 0, 1, 3);
    chain(c, "empty", UDF_AD_SHORT, 1, 3, 0);
    compose_end(c);
    return compose_free(c);
}
