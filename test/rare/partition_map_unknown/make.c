/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A second partition map of a type that nobody knows: what is in the first can
 * be read, a file with content in the second cannot.
 */
#include "test/rare/rare.h"

RARE_IMAGE(partition_map_unknown) {
    struct compose *c = compose_new(0x0201);
    struct compose_ads ads = {.form = UDF_AD_LONG};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    c->lvd.maps = 2;
    c->lvd.map[1] = c->lvd.map[0];
    c->lvid.partitions = 2;
    compose_ad(&ads, UDF_EXTENT_RECORDED, 2048,
               (struct udf_addr){.lbn = 9, .part = 1});
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "elsewhere", &fe);
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t *raw =
            compose_sector(c, (i ? COMPOSE_RESERVE_LBA : COMPOSE_MAIN_LBA) + 3);

        raw[440 + 6] = 77; /* the type of map 1; its length stays 6 */
        compose_reseal(raw);
    }
    return compose_free(c);
}
