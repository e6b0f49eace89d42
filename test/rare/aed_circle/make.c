/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chains of allocation extent descriptors that do not end: "self" leads to
 * itself, "pair" to the first of two, "late" back to the second of three;
 * "out" leads beyond the partition and "no" to a block that is none. Each is
 * an error for that file.
 */
#include "test/rare/rare.h"

/* An AED with one extent that leads on to `next`. */
static void link(struct compose *c, uint32_t lbn, uint32_t next) {
    struct compose_ads ads = {.form = UDF_AD_SHORT};

    compose_data(c, &ads, 2048, 'A');
    compose_ad(&ads, UDF_EXTENT_NEXT, 2048, (struct udf_addr){.lbn = next});
    compose_put_aed(c, (struct udf_addr){.lbn = lbn}, &ads);
}

static void add(struct compose *c, const char *name, struct udf_addr aed) {
    struct compose_ads ads = {.form = UDF_AD_SHORT};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    compose_ad(&ads, UDF_EXTENT_NEXT, 2048, aed);
    ads.info_bytes = 8192;
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, name, &fe);
}

RARE_IMAGE(aed_circle) {
    struct compose *c = compose_new(0x0201);
    struct udf_addr none = compose_take(c, 1), beyond = {.lbn = 1 << 24};
    struct udf_addr at = compose_take(c, 6);

    add(c, "self", at);
    link(c, at.lbn, at.lbn);
    add(c, "pair", (struct udf_addr){.lbn = at.lbn + 1});
    link(c, at.lbn + 1, at.lbn + 2);
    link(c, at.lbn + 2, at.lbn + 1);
    add(c, "late", (struct udf_addr){.lbn = at.lbn + 3});
    link(c, at.lbn + 3, at.lbn + 4);
    link(c, at.lbn + 4, at.lbn + 5);
    link(c, at.lbn + 5, at.lbn + 4);
    add(c, "out", beyond);
    add(c, "no", none);
    compose_file(c, &c->root, "sound", "can be read");
    compose_end(c);
    return compose_free(c);
}
