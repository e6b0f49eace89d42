/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names that POSIX or UTF-8 cannot hold: with a slash, a NUL, dots only, none
 * at all, halves of surrogate pairs, byte order marks, an unknown compression
 * id, half a unit. They are shown escaped, and beside them stand names that
 * look the same but for the mark (udf/cs0.h).
 */
#include "test/rare/rare.h"

static void add(struct compose *c, struct compose_dir *dir, const char *cs0,
                uint32_t bytes) {
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr icb = compose_take(c, 1);
    struct udf_fid fid = compose_fid(c, &fe, icb);

    compose_embed(&fe, "foreign");
    compose_put_fe(c, icb, &fe);
    fid.name = (const uint8_t *)cs0;
    fid.name_bytes = (uint8_t)bytes;
    compose_add_fid(c, dir, &fid);
}

RARE_IMAGE(names_foreign) {
    struct compose *c = compose_new(0x0150);
    struct compose_dir dir;
    char name[] = "\x08/////";

    compose_dir_begin(c, &dir, &c->root, "d");
    dir.runs = 1;
    dir.run[0].addr = compose_take(c, 2);
    dir.run[0].bytes = 4096;
    compose_file(c, &dir, "a%2Fb", "own");
    compose_file(c, &dir, "%2E", "own");
    compose_file(c, &dir, "%empty", "own");
    add(c, &dir,
        "\x08"
        "a/b",
        4);
    add(c, &dir,
        "\x08"
        "a%2F/b",
        7);
    add(c, &dir,
        "\x08"
        "a\0b",
        4);
    add(c, &dir, "\x08.", 2);
    add(c, &dir, "\x10\0.\0.", 5);
    add(c, &dir, "\x08", 1);
    add(c, &dir, "\x10\xD8\x3D\0a", 5);
    add(c, &dir, "\x10\xDC\xBF\xD8\x3D", 5);
    add(c, &dir, "\x10\xFE\xFF\0a", 5);
    add(c, &dir, "\x10\xFF\xFE", 3);
    add(c, &dir,
        "\x07"
        "abc",
        4);
    add(c, &dir, "\x10\0a\0", 4);
    for (uint32_t i = 1; i < sizeof(name); i++) {
        add(c, &dir, name, i + 1 < sizeof(name) ? i + 1 : i);
        name[i] = '%';
    }
    compose_dir_end(c, &dir);
    compose_end(c);
    return compose_free(c);
}
