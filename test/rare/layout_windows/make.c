/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The layout of Windows' Live File System: UDF 2.01, nobody's files, extended
 * file entries, a system directory that is hidden, a root in an extent of many
 * blocks, deleted FIDs, the archive bit, a partition of access type 4 behind a
 * long gap.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(layout_windows) {
    struct compose *c = compose_new(0x0201);
    struct compose_dir system;
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr icb = compose_take(c, 1);
    struct udf_fid fid;

    strcpy(c->pvd.implementation.id, "*Microsoft Windows");
    c->root.runs = 1;
    c->root.run[0].addr = compose_take(c, 2);
    c->root.run[0].bytes = 4096;
    c->root.fe.uid = c->root.fe.gid = UDF_ID_UNSET;
    compose_dir_begin(c, &system, &c->root, "System Volume Information");
    system.fe.uid = system.fe.gid = UDF_ID_UNSET;
    system.fe.icb_flags |= UDF_ICB_SYSTEM;
    c->root.stream[40 + 18] |=
        UDF_FID_HIDDEN; /* its FID, behind the parent's */
    compose_reseal(c->root.stream + 40);
    fe.uid = fe.gid = UDF_ID_UNSET;
    fe.permissions = 0x7FFF;
    compose_embed(&fe, "Hello");
    fe.icb_flags |= UDF_ICB_ARCHIVE;
    compose_put_fe(c, icb, &fe);
    fid = compose_fid(c, &fe, icb);
    fid.characteristics = UDF_FID_DELETED;
    fid.icb = (struct udf_long_ad){0};
    fid.name = (const uint8_t *)"\xFE"
                                "New Text Document.txt";
    fid.name_bytes = 22;
    compose_add_fid(c, &c->root, &fid);
    compose_name(c, &c->root, "Hello.txt", &fe, icb);
    compose_dir_end(c, &system);
    compose_end(c);
    return compose_free(c);
}
