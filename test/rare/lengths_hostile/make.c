/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lengths that do not fit what holds them: of extended attributes, of
 * descriptors, of the file (2^63 and more than its extents), of extents beyond
 * the partition and round its end, of embedded content. Each is an error for
 * that file alone.
 */
#include "test/rare/rare.h"

RARE_IMAGE(lengths_hostile) {
    static const struct {
        const char *name;
        uint32_t at, value; /* four bytes of the extended file entry */
    } lies[] = {
        {"attributes 2^32-1", 208, 0xFFFFFFFF},
        {"attributes 1833", 208, 1833},
        {"descriptors 2^32-1", 212, 0xFFFFFFFF},
        {"descriptors and attributes", 208, 1830},
        {"length 2^63", 60, 0x80000000},
        {"length beyond", 56, 6145},
        {"extent beyond", 220, COMPOSE_PARTITION_BLOCKS - 1},
        {"extent round", 220, 0xFFFFFFFF},
        {"extent of 2^30-1", 216, 0x3FFFFFFF},
        {"no file entry", 0, 0x000A0105},
    };
    struct compose *c = compose_new(0x0201);
    struct udf_fe fe;

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct compose_ads ads = {0};
        uint8_t *raw;

        fe = compose_fe(c, UDF_FILE_REGULAR);
        compose_data(c, &ads, 6144, 'A');
        compose_use_ads(&fe, &ads);
        raw = compose_at(c, compose_entry(c, &c->root, lies[i].name, &fe));
        for (int k = 0; k < 4; k++) {
            raw[lies[i].at + (uint32_t)k] = (uint8_t)(lies[i].value >> (8 * k));
        }
        compose_reseal(raw);
    }
    fe = compose_fe(c, UDF_FILE_REGULAR);
    compose_embed(&fe, "short");
    fe.info_bytes = 6;
    compose_entry(c, &c->root, "embedded beyond", &fe);
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
