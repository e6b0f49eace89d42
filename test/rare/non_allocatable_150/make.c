/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Non-Allocatable Space file of UDF 1.50 (2.60 3.3.7.2 for its heir):
 * hidden, system, in the root, with extents that are allocated and not
 * recorded.
 */
#include "test/rare/rare.h"

RARE_IMAGE(non_allocatable_150) {
    struct compose *c = compose_new(0x0150);
    struct compose_ads ads = {0};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr icb = compose_take(c, 1);
    const char name[] = "\x08Non-Allocatable Space";
    struct udf_fid fid;

    compose_ad(&ads, UDF_EXTENT_ALLOCATED, 32 * 2048, compose_take(c, 32));
    compose_use_ads(&fe, &ads);
    fe.icb_flags |= UDF_ICB_SYSTEM;
    compose_put_fe(c, icb, &fe);
    fid = compose_fid(c, &fe, icb);
    fid.characteristics |= UDF_FID_HIDDEN;
    fid.name = (const uint8_t *)name;
    fid.name_bytes = sizeof(name) - 1;
    compose_add_fid(c, &c->root, &fid);
    compose_end(c);
    return compose_free(c);
}
