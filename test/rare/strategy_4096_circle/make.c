/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The indirect entries of "round" lead in a circle, that of "out" leads beyond
 * the partition, and "nothing" is an ICB that begins with a terminal entry.
 * Each is an error for that file alone.
 */
#include "test/rare/rare.h"

RARE_IMAGE(strategy_4096_circle) {
    struct compose *c = compose_new(0x0150);
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr one = compose_take(c, 2), two = compose_take(c, 2);
    struct udf_addr out = compose_take(c, 2), nothing = compose_take(c, 1);
    struct udf_addr beyond = {.lbn = 1000000};

    fe.strategy = UDF_STRATEGY_4096;
    fe.max_entries = 2;
    compose_embed(&fe, "round");
    compose_put_fe(c, one, &fe);
    compose_put_fe(c, two, &fe);
    compose_put_fe(c, out, &fe);
    compose_put_ie(c, (struct udf_addr){.lbn = one.lbn + 1}, two, 2);
    compose_put_ie(c, (struct udf_addr){.lbn = two.lbn + 1}, one, 2);
    compose_put_ie(c, (struct udf_addr){.lbn = out.lbn + 1}, beyond, 2);
    compose_put_te(c, nothing);
    compose_name(c, &c->root, "round", &fe, one);
    compose_name(c, &c->root, "out", &fe, out);
    compose_name(c, &c->root, "nothing", &fe, nothing);
    compose_file(c, &c->root, "sound", "can be read");
    compose_end(c);
    return compose_free(c);
}
