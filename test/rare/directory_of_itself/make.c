/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A directory that is its own entry and its own parent, and can be reached
 * from nowhere else but the root.
 */
#include "test/rare/rare.h"

RARE_IMAGE(directory_of_itself) {
    struct compose *c = compose_new(0x0201);
    struct compose_dir dir;

    compose_dir_begin(c, &dir, &c->root, "dir");
    dir.bytes = 0; /* its parent's FID again, for itself */
    {
        struct udf_fid fid = compose_fid(c, &dir.fe, dir.icb);

        fid.characteristics = UDF_FID_PARENT | UDF_FID_DIRECTORY;
        compose_add_fid(c, &dir, &fid);
    }
    compose_name(c, &dir, "self", &dir.fe, dir.icb);
    compose_dir_end(c, &dir);
    compose_file(c, &c->root, "file", "content");
    compose_end(c);
    return compose_free(c);
}
