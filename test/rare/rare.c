/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/rare/rare.c - the table of the images.
 */
#include "test/rare/rare.h"

#define RARE(name) struct memdev *rare_##name(void);
#include "rare_list.h"
#undef RARE

static const struct rare all[] = {
#define RARE(name) {#name, rare_##name},
#include "rare_list.h"
#undef RARE
};

const struct rare *rare_all(size_t *out_count) {
    *out_count = sizeof(all) / sizeof(all[0]);
    return all;
}

struct memdev *rare_revision(uint16_t revision) {
    struct compose *c = compose_new(revision);
    struct compose_dir dir;
    struct udf_fe link = compose_fe(c, UDF_FILE_SYMLINK);
    struct compose_ads ads = {0};
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    const char path[] = "\x03\0\0\0\x05\x05\0\0\x08"
                        "file";

    compose_file(c, &c->root, "file", "content");
    compose_dir_begin(c, &dir, &c->root, "dir");
    compose_data(c, &ads, 6000, 'A');
    compose_use_ads(&fe, &ads);
    compose_entry(c, &dir, "extents", &fe);
    link.info_bytes = link.object_bytes = link.ads_bytes = sizeof(path) - 1;
    link.ads = (const uint8_t *)path;
    compose_entry(c, &dir, "link", &link);
    compose_dir_end(c, &dir);
    compose_end(c);
    return compose_free(c);
}
