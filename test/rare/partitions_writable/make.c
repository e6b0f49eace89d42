/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two partitions that may both be written: the first holds the tree, and the
 * second the content of a file, a file entry, and one with its content. What is
 * freed goes back to the partition that it was in.
 */
#include "test/rare/rare.h"

#include <string.h>

#include "udf/encode.h"

enum { FIRST_BLOCKS = 2560, SECOND_LBA = 3000, SECOND_BLOCKS = 512, USED = 5 };

static struct udf_addr there(uint32_t lbn) {
    return (struct udf_addr){.lbn = lbn, .part = 1};
}

static uint8_t *second(struct compose *c, uint32_t lbn) {
    return compose_sector(c, SECOND_LBA + lbn);
}

/* Its bitmap is block 0, and all up to USED is in use. */
static void describe_second(struct compose *c) {
    uint8_t *raw = second(c, 0);

    c->pd[0].blocks = FIRST_BLOCKS;
    c->pds = 2;
    c->pd[1] = c->pd[0];
    c->pd[1].vdsn = 10;
    c->pd[1].number = 1;
    c->pd[1].start_lba = SECOND_LBA;
    c->pd[1].blocks = SECOND_BLOCKS;
    c->pd[1].unallocated_bitmap =
        (struct udf_short_ad){.bytes = 24 + SECOND_BLOCKS / 8};
    c->lvd.maps = 2;
    c->lvd.map[1] = c->lvd.map[0];
    c->lvd.map[1].partition_number = 1;
    c->lvid.partitions = 2;
    c->lvid.size_blocks[1] = SECOND_BLOCKS;
    c->lvid.free_blocks[1] = SECOND_BLOCKS - USED;
    udf_encode_sbd(SECOND_BLOCKS, &c->style, 0, raw);
    memset(raw + 24, 0xFF, SECOND_BLOCKS / 8);
    raw[24] = (uint8_t)(0xFF << USED);
    compose_reseal(raw);
}

/* A file entry at block 2 of the second partition, which the first names. */
static void put_file(struct compose *c) {
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    compose_embed(&fe, "far");
    memset(second(c, 2), 0, 2048);
    (void)udf_encode_fe(&fe, &c->style, 2, second(c, 2));
    compose_name(c, &c->root, "far", &fe, there(2));
}

/* The same with content in a block of that partition, by a short descriptor. */
static void put_file_with_content(struct compose *c) {
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct compose_ads ads = {.form = UDF_AD_SHORT};

    memset(second(c, 4), 'F', 2048);
    compose_ad(&ads, UDF_EXTENT_RECORDED, 2048, there(4));
    compose_use_ads(&fe, &ads);
    (void)udf_encode_fe(&fe, &c->style, 3, second(c, 3));
    compose_name(c, &c->root, "far content", &fe, there(3));
}

RARE_IMAGE(partitions_writable) {
    struct compose *c = compose_new(0x0201);
    struct compose_ads ads = {.form = UDF_AD_LONG};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    describe_second(c);
    memset(second(c, 1), 'R', 2048);
    compose_data(c, &ads, 2048, 'A');
    compose_ad(&ads, UDF_EXTENT_RECORDED, 2000, there(1));
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "across", &fe);
    put_file(c);
    put_file_with_content(c);
    compose_end(c);
    return compose_free(c);
}
