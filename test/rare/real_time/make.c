/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A real-time file (file type 249, UDF 2.60 2.3.5.2), as camcorders and
 * recorders make them, is an ordinary file to read.
 */
#include "test/rare/rare.h"

RARE_IMAGE(real_time) {
    struct compose *c = compose_new(0x0200);
    struct compose_ads ads = {0};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REALTIME);

    compose_data(c, &ads, 10000, 'V');
    compose_use_ads(&fe, &ads);
    compose_entry(c, &c->root, "VR_MOVIE.VRO", &fe);
    compose_end(c);
    return compose_free(c);
}
