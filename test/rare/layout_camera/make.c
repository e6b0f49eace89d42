/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The layout of a camcorder's DVD: a bridge with ISO 9660, UDF 1.02, upper
 * case 8.3 names, nobody's files, directories in extents, space not recorded,
 * write protected.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(layout_camera) {
    struct compose *c = compose_new(0x0102);
    struct compose_dir video, empty;
    struct compose_ads ads = {0};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    c->space = COMPOSE_NOTHING;
    c->pd[0].access = 1;
    c->lvd.domain.suffix[2] = 1;
    c->root.fe.uid = c->root.fe.gid = UDF_ID_UNSET;
    c->root.runs = 1;
    c->root.run[0].addr = compose_take(c, 1);
    c->root.run[0].bytes = 2048;
    compose_dir_begin(c, &video, &c->root, "VIDEO_TS");
    compose_dir_begin(c, &empty, &c->root, "AUDIO_TS");
    compose_data(c, &ads, 20480, 'V');
    fe.uid = fe.gid = UDF_ID_UNSET;
    compose_use_ads(&fe, &ads);
    compose_entry(c, &video, "VTS_01_1.VOB", &fe);
    compose_file(c, &video, "VIDEO_TS.IFO", "DVDVIDEO-VMG");
    compose_dir_end(c, &empty);
    compose_dir_end(c, &video);
    compose_end(c);
    memmove(compose_sector(c, COMPOSE_VRS_LBA + 1),
            compose_sector(c, COMPOSE_VRS_LBA), 3 * 2048);
    memset(compose_sector(c, COMPOSE_VRS_LBA), 0, 2048);
    memcpy(compose_sector(c, COMPOSE_VRS_LBA),
           "\x01"
           "CD001\x01",
           7);
    return compose_free(c);
}
