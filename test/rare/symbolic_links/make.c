/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Path components of all kinds (ECMA-167 4/14.16.1): both kinds of root,
 * parent, self, names of 8 and 16 bits, a name with a slash, an unknown
 * component, one that is cut off, none at all, and a target that is not in the
 * file entry.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(symbolic_links) {
#define LINK(name, path)                                                       \
    { name, (const uint8_t *)(path), sizeof(path) - 1 }
    static const struct {
        const char *name;
        const uint8_t *path;
        uint32_t bytes;
    } links[] = {
        LINK("absolute", "\x02\0\0\0\x05\x04\0\0\x08"
                         "etc"),
        LINK("agreed", "\x01\0\0\0\x05\x04\0\0\x08"
                       "etc"),
        LINK("up", "\x03\0\0\0\x03\0\0\0\x05\x02\0\0\x08"
                   "a"),
        LINK("self", "\x04\0\0\0\x05\x02\0\0\x08"
                     "a"),
        LINK("wide", "\x05\x05\0\0\x10\x65\xE5\x67\x2C"),
        LINK("slash", "\x05\x04\0\0\x08"
                      "a/b"),
        LINK("unknown", "\x09\x02\0\0\x08"
                        "a"),
        LINK("cut", "\x05\x09\0\0\x08"
                    "a"),
        LINK("nothing", ""),
    };
    struct compose *c = compose_new(0x0201);
    struct compose_ads ads = {0};
    struct udf_addr data = compose_take(c, 1);
    struct udf_fe fe;

    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        fe = compose_fe(c, UDF_FILE_SYMLINK);
        fe.info_bytes = fe.object_bytes = fe.ads_bytes = links[i].bytes;
        fe.ads = links[i].path;
        compose_entry(c, &c->root, links[i].name, &fe);
    }
    memcpy(compose_at(c, data), links[1].path, links[1].bytes);
    compose_ad(&ads, UDF_EXTENT_RECORDED, links[1].bytes, data);
    fe = compose_fe(c, UDF_FILE_SYMLINK);
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "outside", &fe);
    compose_end(c);
    return compose_free(c);
}
