/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A sparable partition (UDF 2.60 2.2.9, 2.2.12) with packets of 32 blocks, two
 * tables of which the first is damaged, one spare in use for the packet that
 * holds a file, and one that is bad.
 */
#include "test/rare/rare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "udf/encode.h"
#include <cmocka.h>

RARE_IMAGE(sparing_used) {
    enum { PACKET = 32, TABLE_ONE = 96, TABLE_TWO = 3936, SPARES = 128 };
    struct blockdev_geometry geometry = memdev_image(COMPOSE_BLOCKS);
    struct compose *c;
    struct compose_ads ads = {0};
    struct udf_fe fe;
    struct udf_addr data;
    struct udf_sparing_entry entry[] = {
        {0, SPARES + PACKET},
        {UDF_SPARE_BAD, SPARES},
        {UDF_SPARE_FREE, SPARES + 2 * PACKET},
        {UDF_SPARE_FREE, SPARES + 3 * PACKET},
    };
    struct udf_sparing_table table = {
        .sequence = 3, .entries = 4, .entry = entry};

    geometry.packet_blocks = PACKET;
    c = compose_new_on(0x0201, memdev_new(&geometry));
    fe = compose_fe(c, UDF_FILE_REGULAR);
    c->lvd.map[0] = (struct udf_lvd_map){.kind = UDF_MAP_KIND_SPARABLE,
                                         .volume_sequence = 1,
                                         .packet_blocks = PACKET,
                                         .tables = 2,
                                         .table_bytes = 56 + 8 * 4,
                                         .table_lba = {TABLE_ONE, TABLE_TWO}};
    while (c->next_lbn % PACKET != 0) {
        c->used[compose_take(c, 1).lbn] = false; /* passed over */
    }
    data = compose_take(c, PACKET);
    compose_ad(&ads, UDF_EXTENT_RECORDED, PACKET * 2048, data);
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "moved", &fe);
    compose_fill(c, data, PACKET * 2048, 'X'); /* what the bad packet gives */
    memset(compose_sector(c, SPARES + PACKET), 'S', PACKET * 2048);
    table.entry[0].original = data.lbn;
    udf_encode_sparing(&table, 0x0201, &c->style, TABLE_ONE,
                       compose_sector(c, TABLE_ONE));
    udf_encode_sparing(&table, 0x0201, &c->style, TABLE_TWO,
                       compose_sector(c, TABLE_TWO));
    compose_sector(c, TABLE_ONE)[60] ^= 1;
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
