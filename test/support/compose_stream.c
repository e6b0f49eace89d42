/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/compose_stream.c - named streams of an image. See compose.h.
 */
#include "test/support/compose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "udf/cs0.h"

void compose_streams_begin(struct compose *c, struct compose_dir *dir,
                           const struct udf_fe *owner, struct udf_addr icb) {
    struct udf_fid fid;

    memset(dir, 0, sizeof(*dir));
    dir->fe = compose_fe(c, UDF_FILE_STREAM_DIRECTORY);
    c->next_id--; /* UDF 2.60 3.2.1.1: its owner's UniqueID, or none */
    dir->fe.unique_id = owner ? owner->unique_id : 0;
    dir->fe.links = owner ? 0 : 1;
    dir->icb = compose_take_icb(c);
    fid = compose_fid(c, &dir->fe, owner ? icb : dir->icb);
    fid.characteristics = UDF_FID_PARENT | UDF_FID_DIRECTORY;
    compose_add_fid(c, dir, &fid);
}

struct udf_addr compose_stream(struct compose *c, struct compose_dir *dir,
                               const char *name, struct udf_fe *fe,
                               uint8_t characteristics) {
    uint8_t cs0[UDF_NAME_CS0_MAX];
    struct udf_addr icb = compose_take_icb(c);
    struct udf_fid fid;
    uint32_t bytes;

    fe->icb_flags |= UDF_ICB_STREAM;
    fe->links = 1;
    fe->unique_id = dir->fe.unique_id;
    compose_put_fe(c, icb, fe);
    fid = compose_fid(c, fe, icb);
    fid.characteristics = characteristics;
    assert_int_equal(
        udf_cs0_encode(name, (uint32_t)strlen(name), cs0, sizeof(cs0), &bytes),
        0);
    fid.name = cs0;
    fid.name_bytes = (uint8_t)bytes;
    compose_add_fid(c, dir, &fid);
    c->lvid.files--; /* streams are no files that are counted */
    return icb;
}

struct udf_addr compose_file_with_stream(struct compose *c, const char *name,
                                         const char *text, bool counted) {
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_fe stream = compose_fe(c, UDF_FILE_REGULAR);
    struct udf_addr icb = compose_take_icb(c);
    struct compose_dir dir;

    c->next_id--;
    compose_embed(&fe, "content");
    compose_streams_begin(c, &dir, &fe, icb);
    compose_embed(&stream, text);
    compose_stream(c, &dir, "notes", &stream, 0);
    compose_dir_end(c, &dir);
    fe.stream_dir =
        (struct udf_long_ad){.bytes = UDF_BLOCK_BYTES, .addr = dir.icb};
    fe.object_bytes += strlen(text);
    fe.links = counted ? 2 : 1;
    compose_put_fe(c, icb, &fe);
    compose_name(c, &c->root, name, &fe, icb);
    return icb;
}
