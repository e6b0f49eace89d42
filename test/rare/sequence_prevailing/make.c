/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two logical volume descriptors and two of the partition in each sequence:
 * those with the higher number count (ECMA-167 3/8.4.3). The others are of a
 * volume that was write protected, and somewhere else.
 */
#include "test/rare/rare.h"

#include "udf/encode.h"

RARE_IMAGE(sequence_prevailing) {
    struct compose *c = compose_new(0x0201);

    compose_file(c, &c->root, "file", "content");
    compose_end(c);

    for (uint32_t i = 0; i < 2; i++) {
        uint32_t lba = (i ? COMPOSE_RESERVE_LBA : COMPOSE_MAIN_LBA) + 5;
        struct udf_pd pd = c->pd[0];
        struct udf_lvd lvd = c->lvd;

        pd.vdsn = lvd.vdsn = 0;
        pd.start_lba = 1000;
        lvd.domain.suffix[2] = 1;
        udf_encode_pd(&pd, &c->style, lba, compose_sector(c, lba));
        (void)udf_encode_lvd(&lvd, &c->style, lba + 1,
                             compose_sector(c, lba + 1));
        udf_encode_td(&c->style, lba + 2, compose_sector(c, lba + 2));
    }
    return compose_free(c);
}
