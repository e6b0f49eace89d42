/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Named streams by another writer (UDF 2.60 3.3.5): of a file whose stream
 * directory counts as a link, of one whose does not, and a stream of the system
 * that nobody knows. The tree shows none of them.
 */
#include "test/rare/rare.h"

RARE_IMAGE(streams_foreign) {
    struct compose *c = compose_new(0x0201);
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct compose_dir dir;

    c->next_id--; /* a stream has none of its own */
    compose_file_with_stream(c, "counted", "one note", true);
    compose_file_with_stream(c, "not counted", "another note", false);
    compose_streams_begin(c, &dir, NULL, (struct udf_addr){0});
    compose_embed(&fe, "nobody's");
    compose_stream(c, &dir, "*Somebody", &fe, UDF_FID_METADATA);
    compose_dir_end(c, &dir);
    c->fsd.system_stream_dir =
        (struct udf_long_ad){.bytes = UDF_BLOCK_BYTES, .addr = dir.icb};
    compose_end(c);
    return compose_free(c);
}
