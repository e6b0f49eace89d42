/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Space behind the information length. "allocated" has a file tail as ECMA-167
 * 4/12.1 wants it; "recorded" has one that is marked as recorded; "longer" has
 * its only extent longer than the file; in the last block of each lies an old
 * X. None of that is content, and none becomes content when the file grows.
 */
#include "test/rare/rare.h"

RARE_IMAGE(file_tail) {
    struct compose *c = compose_new(0x0201);
    const char *names[] = {"allocated", "recorded", "longer"};
    enum udf_extent_kind tails[] = {UDF_EXTENT_ALLOCATED, UDF_EXTENT_RECORDED};

    for (int i = 0; i < 3; i++) {
        struct compose_ads ads = {0};
        struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
        struct udf_addr body = compose_take(c, 2), tail = compose_take(c, 3);

        compose_fill(c, body, 4096, 'X');
        compose_fill(c, body, 3000, 'A');
        compose_fill(c, tail, 6144, 'X');
        compose_ad(&ads, UDF_EXTENT_RECORDED, i < 2 ? 3000 : 10240, body);
        if (i < 2) {
            compose_ad(&ads, tails[i], 6144, tail);
        }
        ads.info_bytes = 3000;
        compose_use_ads(&fe, &ads);
        compose_entry(c, &c->root, names[i], &fe);
    }
    compose_end(c);
    return compose_free(c);
}
