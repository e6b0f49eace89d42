/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Deleted FIDs (ECMA-167 4/14.4.3) of every kind: with the name and ICB as
 * they were, with compression ids 254 and 255 and no ICB (UDF 2.60 2.3.4.2),
 * with the name of a file that is there, and one that is a directory's. They
 * are not shown; their slots are used again.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(fids_deleted) {
    struct compose *c = compose_new(0x0201);
    const char *deleted[] = {"\x08gone", "\xFEgone", "\xFF\x30\x42",
                             "\x08here"};

    for (int i = 0; i < 4; i++) {
        struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
        struct udf_fid fid = compose_fid(c, &fe, (struct udf_addr){.lbn = 3});

        if (i == 1 || i == 2) {
            fid.icb = (struct udf_long_ad){0};
        }
        fid.characteristics =
            UDF_FID_DELETED | (i == 3 ? UDF_FID_DIRECTORY : 0);
        fid.name = (const uint8_t *)deleted[i];
        fid.name_bytes = (uint8_t)strlen(deleted[i]);
        compose_add_fid(c, &c->root, &fid);
    }
    compose_file(c, &c->root, "here", "is there");
    compose_end(c);
    return compose_free(c);
}
