/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/nonalloc.c - see udf/nonalloc.h.
 */
#include "udf/nonalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mmc/log.h"
#include "udf/cs0.h"
#include "udf/decode.h"
#include "udf/dir.h"
#include "udf/encode.h"
#include "udf/fid.h"
#include "udf/io.h"
#include "udf/node.h"
#include "udf/tag.h"
#include "udf/volume.h"

static const char stream_name[] = "*UDF Non-Allocatable Space";
static const char file_name[] = "Non-Allocatable Space";

enum { STREAMS_REVISION = 0x0200 };

static bool has_streams(const struct udf_volume *volume) {
    return volume->identity.revision >= STREAMS_REVISION;
}

static struct udf_name root_name(void) {
    return (struct udf_name){.text = file_name, .len = sizeof(file_name) - 1};
}

static struct udf_name stream_called(void) {
    return (struct udf_name){.text = stream_name,
                             .len = sizeof(stream_name) - 1};
}

/* Memory of it is kept. */
static void keep(struct udf_volume *volume, struct udf_node *node) {
    node->pins++;
    volume->nonalloc.node = node;
}

/* ---- finding ----------------------------------------------------------- */

static int load_stream(struct udf_op *op, struct udf_node **out_node) {
    const struct udf_long_ad *streams = &op->volume->identity.streams;
    const struct udf_name name = stream_called();
    struct udf_dir_entry entry;
    struct udf_node *dir;
    int error = -ENOENT;

    if (streams->bytes > 0) {
        error = udf_node_load(op, streams->addr, &dir);
    }
    if (!error) {
        error = udf_dir_load(op, dir);
    }
    if (!error) {
        error = udf_dir_find(dir->dir, &name, &entry);
    }
    return error ? error : udf_node_load(op, entry.icb, out_node);
}

static int load_file(struct udf_op *op, struct udf_node **out_node) {
    struct udf_name name = root_name();
    struct udf_dir_entry entry;
    struct udf_node *root;
    int error = udf_node_get(op, UDF_ROOT_INO, &root);

    if (!error) {
        error = udf_dir_load(op, root);
    }
    if (!error) {
        error = udf_dir_find(root->dir, &name, &entry);
    }
    return error ? error : udf_node_load(op, entry.icb, out_node);
}

int udf_nonalloc_load(struct udf_volume *volume) {
    struct udf_node *node;
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
    do {
        error = has_streams(volume) ? load_stream(&op, &node)
                                    : load_file(&op, &node);
        if (!error && !node->body.embedded) {
            keep(volume, node);
        }
    } while (udf_op_again(&op, &error));
    return udf_io_is_fatal(error) ? error : 0;
}

/* ---- making ------------------------------------------------------------ */

/* A new node without content, for the system. */
static int make_node(struct udf_op *op, uint8_t file_type, uint16_t flags,
                     struct udf_node **out_node) {
    struct udf_node_seed seed = {.mode = S_IFREG};
    int error = udf_node_new(op, &seed, out_node);

    if (!error) {
        struct udf_node *node = *out_node;

        node->attr.file_type = file_type;
        node->attr.icb_flags |= flags | UDF_ICB_SYSTEM;
        node->attr.uid = node->attr.gid = UDF_ID_UNSET;
        node->attr.links = 1;
    }
    return error;
}

/* The system stream directory's content: its parent, which is itself, and the
 * stream at `icb`. */
static int fill_directory(struct udf_volume *volume, struct udf_node *dir,
                          struct udf_addr icb) {
    const struct udf_tag_style *style = &volume->identity.style;
    uint8_t name[UDF_NAME_CS0_MAX];
    struct udf_fid parent = {
        .characteristics = UDF_FID_PARENT | UDF_FID_DIRECTORY,
        .icb = {.bytes = UDF_BLOCK_BYTES, .addr = dir->icb}};
    struct udf_fid stream = {.characteristics = UDF_FID_METADATA,
                             .icb = {.bytes = UDF_BLOCK_BYTES, .addr = icb},
                             .name = name};
    uint32_t first = udf_fid_size(0, 0), bytes;
    uint32_t used = 0;
    int error = udf_cs0_encode(stream_name, sizeof(stream_name) - 1, name,
                               sizeof(name), &used);

    if (error) {
        return error;
    }
    stream.name_bytes = (uint8_t)used;
    bytes = first + udf_fid_size(0, stream.name_bytes);
    dir->body.inline_data = calloc(1, bytes);
    if (!dir->body.inline_data) {
        return -ENOMEM;
    }
    udf_fid_encode(&parent, style, dir->icb.lbn, dir->body.inline_data);
    udf_fid_encode(&stream, style, dir->icb.lbn, dir->body.inline_data + first);
    dir->body.size = bytes;
    return 0;
}

/* Lets the file set descriptor name the system stream directory. */
static int write_file_set(struct udf_op *op, struct udf_addr streams) {
    struct udf_volume *volume = op->volume;
    struct udf_addr addr = volume->identity.fsd;
    struct udf_long_ad ad = {.bytes = UDF_BLOCK_BYTES, .addr = streams};
    uint8_t block[UDF_BLOCK_BYTES];
    int error = udf_io_read(op, addr, 1, block);

    if (!error) {
        udf_encode_fsd_streams(&ad, &volume->identity.style, addr.lbn, block);
        error =
            udf_io_write_meta(volume, addr, UDF_OVERLAY_DIRECTORY_ENTRY, block);
    }
    if (!error) {
        volume->identity.streams = ad;
    }
    return error;
}

/* The stream alone; UDF 2.60 3.2.1.1: it has no UniqueID of its own. */
static int make_stream_node(struct udf_op *op, struct udf_node **out_node) {
    int error = make_node(op, UDF_FILE_REGULAR, UDF_ICB_STREAM, out_node);

    if (!error) {
        (*out_node)->attr.unique_id = 0;
    }
    return error;
}

/* Adds the stream to a system stream directory that is there. */
static int add_stream(struct udf_op *op, struct udf_node **out_node) {
    struct udf_volume *volume = op->volume;
    struct udf_name name = stream_called();
    struct udf_dir_target target = {.metadata = true};
    struct udf_node *dir;
    int error = udf_node_load(op, volume->identity.streams.addr, &dir);

    if (!error) {
        error = udf_dir_load(op, dir);
    }
    if (!error) {
        error = udf_dir_prepare(volume, dir, &name);
    }
    if (!error) {
        error = make_stream_node(op, out_node);
    }
    if (!error) {
        target.icb = (*out_node)->icb;
        udf_dir_add(volume, dir, &name, &target);
        udf_node_touch(volume, dir);
    }
    return error;
}

/* Makes the stream and a system stream directory for it. */
static int make_stream(struct udf_op *op, struct udf_node **out_node) {
    struct udf_node *dir = NULL;
    struct udf_addr fsd = op->volume->identity.fsd;
    uint8_t block[UDF_BLOCK_BYTES];
    int error = udf_io_read(op, fsd, 1, block); /* all that may be missing */

    if (!error) {
        error = make_stream_node(op, out_node);
    }
    if (!error) {
        error = make_node(op, UDF_FILE_STREAM_DIRECTORY, 0, &dir);
    }
    if (error) {
        return error;
    }
    dir->attr.unique_id = 0;
    error = fill_directory(op->volume, dir, (*out_node)->icb);
    return error ? error : write_file_set(op, dir->icb);
}

static int make_file(struct udf_op *op, struct udf_node **out_node) {
    struct udf_volume *volume = op->volume;
    struct udf_name name = root_name();
    struct udf_dir_target target = {0};
    struct udf_node *root;
    int error = udf_node_get(op, UDF_ROOT_INO, &root);

    if (!error) {
        error = udf_dir_load(op, root);
    }
    if (!error) {
        error = udf_dir_prepare(volume, root, &name);
    }
    if (!error) {
        error = make_node(op, UDF_FILE_REGULAR, 0, out_node);
    }
    if (!error) {
        target.icb = (*out_node)->icb;
        target.unique_id = (uint32_t)(*out_node)->attr.unique_id;
        udf_dir_add(volume, root, &name, &target);
        udf_node_touch(volume, root);
        volume->integrity.lvid.files++;
    }
    return error;
}

/* Where the revision wants it. */
static int make(struct udf_op *op, struct udf_node **out_node) {
    const struct udf_volume *volume = op->volume;

    if (!has_streams(volume)) {
        return make_file(op, out_node);
    }
    return volume->identity.streams.bytes > 0 ? add_stream(op, out_node)
                                              : make_stream(op, out_node);
}

int udf_nonalloc_prepare(struct udf_volume *volume) {
    struct udf_node *node;
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
    do {
        error = 0;
        if (!volume->nonalloc.node) {
            error = make(&op, &node);
        }
        if (!error && !volume->nonalloc.node) {
            node->body.embedded = false;
            keep(volume, node);
        }
    } while (udf_op_again(&op, &error));
    return error;
}

int udf_nonalloc_add(struct udf_volume *volume, struct udf_addr addr,
                     uint32_t count) {
    struct udf_node *node = volume->nonalloc.node;
    struct udf_extent piece = {
        .count = count, .kind = UDF_EXTENT_ALLOCATED, .addr = addr};
    int error;

    if (!node) {
        return 0;
    }
    piece.block = udf_extents_end(&node->body.extents);
    error = udf_extents_put(&node->body.extents, &piece, NULL, NULL);
    if (!error) {
        node->body.size = (piece.block + count) * UDF_BLOCK_BYTES;
        udf_node_touch(volume, node);
    }
    return error;
}

bool udf_nonalloc_is(const struct udf_volume *volume,
                     const struct udf_node *node) {
    return node == volume->nonalloc.node;
}

uint64_t udf_nonalloc_blocks(const struct udf_volume *volume) {
    const struct udf_node *node = volume->nonalloc.node;

    return node ? udf_extents_end(&node->body.extents) : 0;
}
