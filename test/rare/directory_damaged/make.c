/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Directories that break off: a FID with a wrong CRC, one that is longer than
 * its directory, no parent entry, a hole for content. Each is an error for
 * that directory alone.
 */
#include "test/rare/rare.h"

RARE_IMAGE(directory_damaged) {
    struct compose *c = compose_new(0x0201);
    struct compose_dir dir[4];
    const char *names[] = {"wrong CRC", "too long", "no parent", "hole"};

    for (int i = 0; i < 4; i++) {
        compose_dir_begin(c, &dir[i], &c->root, names[i]);
        compose_file(c, &dir[i], "lost", "");
        compose_dir_end(c, &dir[i]);
    }
    /* Embedded content begins behind the 216 bytes of the file entry; the
     * parent's FID takes 40. */
    compose_at(c, dir[0].icb)[216 + 40 + 20] ^= 1;
    compose_reseal(compose_at(c, dir[0].icb));
    compose_at(c, dir[1].icb)[216 + 40 + 36] = 200;
    compose_reseal(compose_at(c, dir[1].icb) + 216 + 40);
    compose_reseal(compose_at(c, dir[1].icb));
    compose_at(c, dir[2].icb)[216 + 18] = UDF_FID_DIRECTORY;
    compose_reseal(compose_at(c, dir[2].icb) + 216);
    compose_reseal(compose_at(c, dir[2].icb));
    {
        struct compose_ads ads = {0};

        compose_ad(&ads, UDF_EXTENT_HOLE, 4096, (struct udf_addr){0});
        compose_use_ads(&dir[3].fe, &ads);
        compose_put_fe(c, dir[3].icb, &dir[3].fe);
    }
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
