/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A sparable partition with more spares than one block of a table holds: 300,
 * the last of them in use for the packet that holds a file. There are two
 * tables of two blocks, of which the second is newer.
 */
#include "test/rare/rare.h"

#include <string.h>

#include "udf/encode.h"

enum {
    BLOCKS = 16384,
    PACKET = 16,
    SPARES = 300,
    SPARES_LBA = 4096,
    TABLE_ONE = 96,
    TABLE_TWO = 9600,
    TABLE_BYTES = 4096
};

static void put_tables(struct compose *c, uint32_t original) {
    struct udf_sparing_entry entry[SPARES];
    struct udf_sparing_table table = {
        .sequence = 7, .entries = SPARES, .entry = entry};

    for (uint32_t i = 0; i < SPARES; i++) {
        entry[i] =
            (struct udf_sparing_entry){UDF_SPARE_FREE, SPARES_LBA + i * PACKET};
    }
    udf_encode_sparing(&table, c->revision, &c->style, TABLE_ONE,
                       compose_sector(c, TABLE_ONE));
    /* The first entry is the used one; its spare is the last. */
    entry[SPARES - 1].mapped = SPARES_LBA;
    entry[0] = (struct udf_sparing_entry){original,
                                          SPARES_LBA + (SPARES - 1) * PACKET};
    table.sequence = 8;
    udf_encode_sparing(&table, c->revision, &c->style, TABLE_TWO,
                       compose_sector(c, TABLE_TWO));
}

RARE_IMAGE(sparing_many) {
    struct blockdev_geometry geometry = memdev_image(BLOCKS);
    struct compose_ads ads = {0};
    struct compose *c;
    struct udf_addr data;
    struct udf_fe fe;

    geometry.packet_blocks = PACKET;
    c = compose_new_on(0x0201, memdev_new(&geometry));
    fe = compose_fe(c, UDF_FILE_REGULAR);
    c->pd[0].blocks = COMPOSE_PARTITION_BLOCKS;
    c->lvd.map[0] = (struct udf_lvd_map){.kind = UDF_MAP_KIND_SPARABLE,
                                         .volume_sequence = 1,
                                         .packet_blocks = PACKET,
                                         .tables = 2,
                                         .table_bytes = TABLE_BYTES,
                                         .table_lba = {TABLE_ONE, TABLE_TWO}};
    while (c->next_lbn % PACKET != 0) {
        c->used[compose_take(c, 1).lbn] = false; /* passed over */
    }
    data = compose_take(c, PACKET);
    compose_ad(&ads, UDF_EXTENT_RECORDED, PACKET * 2048, data);
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "moved", &fe);
    compose_fill(c, data, PACKET * 2048, 'X'); /* what the bad packet gives */
    memset(compose_sector(c, SPARES_LBA + (SPARES - 1) * PACKET), 'S',
           PACKET * 2048);
    put_tables(c, data.lbn);
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
