/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ICB strategy 4096 (ECMA-167 4/14.6.2, UDF 2.60 2.3.5.1): each ICB has room
 * for a file entry and an indirect entry, which leads to a newer version.
 * "third" was changed twice, and its newest ICB ends with a terminal entry;
 * "once" was never changed, the room behind it holds nothing; "dir" is a
 * directory that was changed once. The last entry counts, and is the one that
 * is rewritten.
 */
#include "test/rare/rare.h"

static struct udf_addr behind(struct udf_addr addr) {
    return (struct udf_addr){.lbn = addr.lbn + 1};
}

static struct udf_fe chained(struct compose *c, enum udf_file_type type) {
    struct udf_fe fe = compose_fe(c, type);

    fe.strategy = UDF_STRATEGY_4096;
    fe.max_entries = 2;
    return fe;
}

RARE_IMAGE(strategy_4096) {
    struct compose *c = compose_new(0x0150);
    const char *texts[] = {"the first", "the second", "the third version"};
    struct udf_addr icb[3];
    struct compose_dir dir;
    struct udf_fe fe;

    for (int i = 0; i < 3; i++) {
        icb[i] = compose_take(c, 2);
    }
    fe = chained(c, UDF_FILE_REGULAR);
    for (uint32_t i = 0; i < 3; i++) {
        compose_embed(&fe, texts[i]);
        fe.prior_entries = i;
        compose_put_fe(c, icb[i], &fe);
        if (i < 2) {
            compose_put_ie(c, behind(icb[i]), icb[i + 1], 2);
        }
    }
    compose_put_te(c, behind(icb[2]));
    compose_name(c, &c->root, "third", &fe, icb[0]);

    fe = chained(c, UDF_FILE_REGULAR);
    compose_embed(&fe, "as it was made");
    icb[0] = compose_take(c, 2);
    compose_put_fe(c, icb[0], &fe);
    compose_name(c, &c->root, "once", &fe, icb[0]);

    compose_dir_begin(c, &dir, &c->root, "dir");
    icb[0] = dir.icb;
    (void)compose_take(c, 1);
    icb[1] = compose_take(c, 2);
    dir.fe.strategy = UDF_STRATEGY_4096;
    dir.fe.max_entries = 2;
    compose_dir_end(c, &dir); /* still empty */
    compose_put_ie(c, behind(icb[0]), icb[1], 2);
    dir.icb = icb[1];
    compose_file(c, &dir, "below", "in the newer one");
    compose_dir_end(c, &dir);
    compose_end(c);
    return compose_free(c);
}
