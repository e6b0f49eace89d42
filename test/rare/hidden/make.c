/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hidden and system objects (UDF 2.60 2.3.4.2, 2.3.5.4) are shown: POSIX has
 * no such thing, and a file must not be lost for it.
 */
#include "test/rare/rare.h"

RARE_IMAGE(hidden) {
    struct compose *c = compose_new(0x0102);
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr icb = compose_take(c, 1);
    struct udf_fid fid = compose_fid(c, &fe, icb);
    const uint8_t name[] = "\x08RECYCLER";

    compose_embed(&fe, "hidden");
    fe.icb_flags |= UDF_ICB_SYSTEM;
    compose_put_fe(c, icb, &fe);
    fid.characteristics |= UDF_FID_HIDDEN;
    fid.name = name;
    fid.name_bytes = sizeof(name) - 1;
    compose_add_fid(c, &c->root, &fid);
    compose_end(c);
    return compose_free(c);
}
