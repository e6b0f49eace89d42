/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Extended attributes of others (ECMA-167 4/14.10): free space, DVD copy
 * management, OS/2 and Macintosh information, an application's own. They stay
 * where they are when the file is written.
 */
#include "test/rare/rare.h"

#include <string.h>

static void put32(uint8_t *raw, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        raw[i] = (uint8_t)(value >> (8 * i));
    }
}

/* An implementation or application use attribute of 60 bytes. */
static void put_attribute(uint8_t *raw, const char *id, uint32_t type) {
    uint16_t sum = 0;

    put32(raw, type);
    raw[4] = 1;
    put32(raw + 8, 60);
    put32(raw + 12, 12); /* bytes of use */
    memcpy(raw + 17, id, strlen(id));
    for (int i = 0; i < 48; i++) {
        sum = (uint16_t)(sum + raw[i]);
    }
    raw[48] = (uint8_t)sum;
    raw[49] = (uint8_t)(sum >> 8);
}

RARE_IMAGE(attributes_foreign) {
    static const char *const ids[] = {"*UDF FreeEASpace", "*UDF DVD CGMS Info",
                                      "*UDF Mac VolumeInfo", "*Somebody's Own"};
    struct compose *c = compose_new(0x0200);
    struct udf_addr icb = compose_take(c, 1);
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    uint8_t space[24 + 4 * 60] = {0};

    for (uint32_t i = 0; i < 4; i++) {
        put_attribute(space + 24 + 60 * i, ids[i], i == 3 ? 65536 : 2048);
    }
    put32(space + 16, 24);          /* implementation use attributes */
    put32(space + 20, 24 + 3 * 60); /* application use attributes */
    compose_seal(c, space, 24, UDF_TAG_EAHD, icb.lbn);
    compose_embed(&fe, "with attributes");
    fe.ea = space;
    fe.ea_bytes = sizeof(space);
    compose_put_fe(c, icb, &fe);
    compose_name(c, &c->root, "file", &fe, icb);
    compose_end(c);
    return compose_free(c);
}
