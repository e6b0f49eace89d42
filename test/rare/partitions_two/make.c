/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two partitions in one volume: the first is rewritable and holds the tree,
 * the second is read-only and holds content, which a long descriptor names, and
 * a file entry. Nothing of these two files can change, but everything else can.
 */
#include "test/rare/rare.h"

#include <string.h>

#include "udf/encode.h"

RARE_IMAGE(partitions_two) {
    enum { SECOND_LBA = 3000, SECOND_BLOCKS = 500 };
    struct compose *c = compose_new(0x0201);
    struct compose_ads ads = {.form = UDF_AD_LONG};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_fe far = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr there = {.lbn = 5, .part = 1};
    struct udf_addr further = {.lbn = 9, .part = 1};
    uint8_t *entry = compose_sector(c, SECOND_LBA + further.lbn);

    c->pd[0].blocks = 2560;
    c->pds = 2;
    c->pd[1] = c->pd[0];
    c->pd[1].vdsn = 10;
    c->pd[1].number = 1;
    c->pd[1].access = 1;
    c->pd[1].start_lba = SECOND_LBA;
    c->pd[1].blocks = SECOND_BLOCKS;
    c->lvd.maps = 2;
    c->lvd.map[1] = c->lvd.map[0];
    c->lvd.map[1].partition_number = 1;
    c->lvid.partitions = 2;
    c->lvid.size_blocks[1] = SECOND_BLOCKS;
    memset(compose_sector(c, SECOND_LBA + 5), 'R', 4096);
    compose_data(c, &ads, 2048, 'A');
    compose_ad(&ads, UDF_EXTENT_RECORDED, 4000, there);
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "fixed across", &fe);
    compose_embed(&far, "far");
    memset(entry, 0, 2048);
    (void)udf_encode_fe(&far, &c->style, further.lbn, entry);
    compose_name(c, &c->root, "fixed far", &far, further);
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
