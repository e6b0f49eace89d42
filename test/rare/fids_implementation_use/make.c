/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * FIDs with implementation use (ECMA-167 4/14.4.8): an entity identifier
 * alone, one with data behind it, and so much that the FID nearly fills a
 * block.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"

RARE_IMAGE(fids_implementation_use) {
    static const uint32_t sizes[] = {32, 64, 1500};
    struct compose *c = compose_new(0x0201);
    struct udf_entity maker = {.id = "*Rare Forms"};
    uint8_t use[1500] = {0};
    struct compose_dir dir;

    udf_entity_encode(&maker, use);
    compose_dir_begin(c, &dir, &c->root, "dir");
    dir.runs = 1;
    dir.run[0].addr = compose_take(c, 2);
    dir.run[0].bytes = 4096;
    for (int i = 0; i < 3; i++) {
        struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
        struct udf_addr icb = compose_take(c, 1);
        struct udf_fid fid = compose_fid(c, &fe, icb);
        uint8_t name[] = {8, 'u', 's', 'e', (uint8_t)('1' + i)};

        compose_embed(&fe, "named with more");
        compose_put_fe(c, icb, &fe);
        fid.use = use;
        fid.use_bytes = (uint16_t)sizes[i];
        fid.name = name;
        fid.name_bytes = sizeof(name);
        compose_add_fid(c, &dir, &fid);
    }
    compose_dir_end(c, &dir);
    compose_end(c);
    return compose_free(c);
}
