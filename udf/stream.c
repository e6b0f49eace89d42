/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/stream.c - see udf/stream.h.
 */
#include "udf/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/log.h"
#include "udf/ea.h"
#include "udf/file.h"
#include "udf/io.h"
#include "udf/volume.h"

enum {
    STREAM_REVISION = 0x0200,
    EXTENDED_BYTES = UDF_EFE_BYTES - UDF_FE_BYTES
};

static bool same(struct udf_addr a, struct udf_addr b) {
    return a.lbn == b.lbn && a.part == b.part;
}

/* Nothing hangs from what hangs from something. UDF 2.60 3.3.5.1. */
static bool can_own(const struct udf_node *node) {
    return !(node->attr.icb_flags & UDF_ICB_STREAM) &&
           node->attr.file_type != UDF_FILE_STREAM_DIRECTORY &&
           node->attr.file_type != UDF_FILE_EA;
}

static bool has_streams(const struct udf_node *owner) {
    return can_own(owner) && owner->kept.extended &&
           owner->kept.stream_dir.bytes > 0;
}

static bool has_ea_file(const struct udf_node *owner) {
    return can_own(owner) && owner->kept.ea_icb.bytes > 0;
}

static bool is_stream(const struct udf_node *node) {
    return node->attr.icb_flags & UDF_ICB_STREAM &&
           node->attr.file_type == UDF_FILE_REGULAR;
}

/* ---- finding ----------------------------------------------------------- */

int udf_stream_dir(struct udf_op *op, struct udf_node *owner,
                   struct udf_node **out_dir) {
    struct udf_node *dir;
    int error;

    if (!has_streams(owner)) {
        return -ENODATA;
    }
    error = udf_node_load(op, owner->kept.stream_dir.addr, &dir);
    if (!error && dir->attr.file_type != UDF_FILE_STREAM_DIRECTORY) {
        error = -EUCLEAN;
    }
    if (!error) {
        error = udf_dir_load(op, dir);
    }
    if (!error && !same(udf_dir_parent(dir->dir), owner->icb)) {
        error = -EUCLEAN;
    }
    if (!error) {
        *out_dir = dir;
    }
    return error;
}

int udf_stream_load(struct udf_op *op, const struct udf_dir_entry *entry,
                    struct udf_node **out_stream) {
    struct udf_node *stream;
    int error = udf_node_load(op, entry->icb, &stream);

    if (!error && !is_stream(stream)) {
        error = -EUCLEAN;
    }
    if (!error) {
        *out_stream = stream;
    }
    return error;
}

/* ---- losing ------------------------------------------------------------ */

/* A node that its owner has no more. */
static void drop(struct udf_volume *volume, struct udf_node *node) {
    if (node->orphan) {
        udf_node_end_orphan(volume, node);
    } else {
        node->attr.links = 0;
        udf_node_abandon(volume, node);
    }
}

/* ---- changing ---------------------------------------------------------- */

/* Streams need a reader of UDF 2.00. UDF 2.60 2.2.6.4. */
static void need_revision(struct udf_volume *volume) {
    struct udf_lvid *lvid = &volume->integrity.lvid;

    if (lvid->min_read < STREAM_REVISION) {
        lvid->min_read = STREAM_REVISION;
    }
    if (lvid->min_write < STREAM_REVISION) {
        lvid->min_write = STREAM_REVISION;
    }
}

static int make_room(struct udf_op *op, struct udf_node *owner,
                     uint32_t bytes) {
    int error;

    if (!udf_node_has_fids(owner)) {
        return udf_file_make_room(op->volume, owner, bytes);
    }
    error = udf_dir_load(op, owner);
    return error ? error : udf_dir_make_room(op->volume, owner, bytes);
}

/* Only extended file entries can name a stream directory. The creation time
 * moves from the attributes to its own field. */
static int make_extended(struct udf_op *op, struct udf_node *owner) {
    struct udf_ea_place place = {
        .revision = op->volume->identity.revision,
        .lbn = owner->chain.entry.lbn,
        .style = &op->volume->identity.style,
    };
    struct udf_kept *kept = &owner->kept;
    uint32_t bytes;
    uint8_t *ea;
    int error = kept->extended ? 0 : make_room(op, owner, EXTENDED_BYTES);

    if (error || kept->extended) {
        return error;
    }
    if (udf_ea_set_btime(kept->ea, kept->ea_bytes, NULL, &place, &ea, &bytes) ==
        0) {
        free(kept->ea);
        kept->ea = ea;
        kept->ea_bytes = bytes;
    }
    kept->extended = true;
    udf_node_touch(op->volume, owner);
    return 0;
}

/* Makes an empty stream directory; the owner does not name it yet. */
static int make_dir(struct udf_op *op, struct udf_node *owner,
                    struct udf_node **out_dir) {
    struct udf_node *dir;
    int error = udf_node_new_stream(op, owner, UDF_FILE_STREAM_DIRECTORY, &dir);

    if (error) {
        return error;
    }
    error = udf_dir_begin(op->volume, dir, owner);
    if (error) {
        udf_node_abandon(op->volume, dir);
        return error;
    }
    *out_dir = dir;
    return 0;
}

/* Makes a stream with its content; no name leads to it yet. */
static int make_stream(struct udf_op *op, const struct udf_node *owner,
                       const struct udf_stream_value *value,
                       struct udf_node **out_stream) {
    struct udf_node *stream;
    int error = udf_node_new_stream(op, owner, UDF_FILE_REGULAR, &stream);

    if (error) {
        return error;
    }
    stream->attr.links = 1;
    error = udf_file_write(op, stream, 0, value->count, value->bytes);
    if (error) {
        udf_node_abandon(op->volume, stream);
        return error;
    }
    *out_stream = stream;
    return 0;
}

static void account(struct udf_op *op, struct udf_node *owner, uint64_t less,
                    uint64_t more) {
    struct udf_kept *kept = &owner->kept;

    kept->stream_bytes -= less < kept->stream_bytes ? less : kept->stream_bytes;
    kept->stream_bytes += more;
    udf_node_changed(op, owner, false);
}

/* A value that fits in the stream's ICB is written there; nothing can fail but
 * memory, and no other block is touched. */
static int rewrite(struct udf_op *op, struct udf_node *owner,
                   struct udf_node *stream,
                   const struct udf_stream_value *value) {
    uint64_t before = stream->body.size;
    int error = udf_file_resize(op, stream, 0);

    if (!error) {
        error = udf_file_write(op, stream, 0, value->count, value->bytes);
    }
    if (!error) {
        udf_node_changed(op, stream, true);
        account(op, owner, before, value->count);
    }
    return error;
}

static int replace(struct udf_op *op, struct udf_node *owner,
                   struct udf_node *dir, const struct udf_dir_entry *old,
                   const struct udf_stream_value *value) {
    struct udf_node *before = NULL, *stream;
    struct udf_dir_target target;
    uint64_t less = 0;
    int error = udf_stream_load(op, old, &before);

    if (error && error != -EUCLEAN && error != -EIO) {
        return error;
    }
    if (!error && value->count <= udf_node_inline_room(before)) {
        return rewrite(op, owner, before, value);
    }
    error = make_stream(op, owner, value, &stream);
    if (error) {
        return error;
    }
    target = (struct udf_dir_target){
        .icb = stream->icb,
        .unique_id = (uint32_t)stream->attr.unique_id,
    };
    udf_dir_retarget(op->volume, dir, old, &target);
    if (owner->orphan) {
        udf_node_orphan(op->volume, stream);
    }
    if (before) {
        less = before->body.size;
        drop(op->volume, before);
    }
    account(op, owner, less, value->count);
    return 0;
}

/* Enters a new stream in `dir`. */
static int add(struct udf_op *op, struct udf_node *owner, struct udf_node *dir,
               const struct udf_stream_value *value) {
    struct udf_dir_target target;
    struct udf_node *stream;
    int error = udf_dir_prepare(op->volume, dir, &value->name);

    if (!error) {
        error = make_stream(op, owner, value, &stream);
    }
    if (error) {
        return error;
    }
    target = (struct udf_dir_target){
        .icb = stream->icb,
        .unique_id = (uint32_t)stream->attr.unique_id,
        .metadata = value->metadata,
    };
    udf_dir_add(op->volume, dir, &value->name, &target);
    if (owner->orphan) {
        udf_node_orphan(op->volume, stream);
    }
    account(op, owner, 0, value->count);
    return 0;
}

/* The first stream, and the directory for it. */
static int add_first(struct udf_op *op, struct udf_node *owner,
                     const struct udf_stream_value *value) {
    struct udf_node *dir;
    int error = make_extended(op, owner);

    if (!error) {
        error = make_dir(op, owner, &dir);
    }
    if (error) {
        return error;
    }
    error = add(op, owner, dir, value);
    if (error) {
        udf_node_abandon(op->volume, dir);
        return error;
    }
    owner->kept.stream_dir = (struct udf_long_ad){
        .bytes = UDF_BLOCK_BYTES,
        .addr = dir->icb,
    };
    if (owner->orphan) {
        udf_node_orphan(op->volume, dir);
    }
    need_revision(op->volume);
    return 0;
}

int udf_stream_put(struct udf_op *op, struct udf_node *owner,
                   const struct udf_dir_entry *old,
                   const struct udf_stream_value *value) {
    struct udf_node *dir;
    int error;

    if (op->volume->identity.revision < STREAM_REVISION || !can_own(owner)) {
        return -EOPNOTSUPP;
    }
    error = udf_stream_dir(op, owner, &dir);
    if (error == -ENODATA) {
        return add_first(op, owner, value);
    }
    if (error) {
        return error;
    }
    return old ? replace(op, owner, dir, old, value)
               : add(op, owner, dir, value);
}

int udf_stream_remove(struct udf_op *op, struct udf_node *owner,
                      const struct udf_dir_entry *entry) {
    struct udf_node *dir, *stream = NULL;
    uint64_t less = 0;
    int error = udf_stream_dir(op, owner, &dir);

    if (!error) {
        error = udf_stream_load(op, entry, &stream);
        error = error == -EUCLEAN || error == -EIO ? 0 : error;
    }
    if (error) {
        return error;
    }
    udf_dir_remove(op->volume, dir, entry);
    if (stream) {
        less = stream->body.size;
        drop(op->volume, stream);
    }
    account(op, owner, less, 0);
    if (udf_dir_is_empty(dir->dir)) {
        udf_names_keep(owner);
        owner->kept.stream_dir = (struct udf_long_ad){0};
        owner->kept.stream_bytes = 0;
        drop(op->volume, dir);
    }
    return 0;
}

/* ---- the owner's end --------------------------------------------------- */

/* Whether an error means that a thing is damaged and others are not. */
static bool is_damage(int error) {
    return error && error != UDF_MISS && !udf_io_is_fatal(error);
}

static int hold_streams(struct udf_op *op, struct udf_node *dir) {
    struct udf_dir_entry entry;
    struct udf_node *stream;

    while (udf_dir_next(dir->dir, op->hold_from, &entry) == 0) {
        int error = udf_stream_load(op, &entry, &stream);

        error = error ? error : udf_op_hold(op, stream);
        if (error && !is_damage(error)) {
            return error;
        }
        if (error) {
            mmc_log(MMC_LOG_WARN,
                    "stream \"%s\" is damaged; it is left as it is",
                    entry.name);
        }
        op->hold_from = entry.position + entry.bytes;
    }
    return 0;
}

int udf_stream_hold(struct udf_op *op, struct udf_node *owner) {
    struct udf_node *dir, *file;
    int error;

    if (!has_ea_file(owner) && !has_streams(owner)) {
        return 0;
    }
    error = udf_op_need_exclusive(op);
    if (!error) {
        error = udf_op_hold(op, owner);
    }
    if (!error && has_ea_file(owner)) {
        error = udf_node_load(op, owner->kept.ea_icb.addr, &file);
        error = error ? error : udf_op_hold(op, file);
        error = is_damage(error) ? 0 : error;
    }
    if (!error) {
        error = udf_stream_dir(op, owner, &dir);
        if (is_damage(error)) {
            return 0; /* -ENODATA, too */
        }
        error = error ? error : udf_op_hold(op, dir);
    }
    return error ? error : hold_streams(op, dir);
}

static struct udf_node *in_memory(struct udf_volume *volume,
                                  struct udf_addr icb) {
    return udf_node_find(&volume->nodes, udf_node_ino(volume, icb));
}

/* The owner's stream directory, if it is in memory and the owner's. */
static struct udf_node *loaded_dir(struct udf_volume *volume,
                                   const struct udf_node *owner) {
    struct udf_node *dir;

    if (!has_streams(owner)) {
        return NULL;
    }
    dir = in_memory(volume, owner->kept.stream_dir.addr);
    return dir && dir->dir &&
                   dir->attr.file_type == UDF_FILE_STREAM_DIRECTORY &&
                   same(udf_dir_parent(dir->dir), owner->icb)
               ? dir
               : NULL;
}

void udf_stream_each(struct udf_volume *volume, const struct udf_node *owner,
                     udf_stream_visitor *visit, void *context) {
    struct udf_node *dir = loaded_dir(volume, owner);
    struct udf_node *file = NULL;
    struct udf_dir_entry entry;
    uint64_t position = 0;

    if (has_ea_file(owner)) {
        file = in_memory(volume, owner->kept.ea_icb.addr);
    }
    if (file && file->attr.file_type == UDF_FILE_EA) {
        visit(context, file);
    }
    while (dir && udf_dir_next(dir->dir, (uint32_t)position, &entry) == 0) {
        struct udf_node *stream = in_memory(volume, entry.icb);

        if (stream && is_stream(stream)) {
            visit(context, stream);
        }
        position = (uint64_t)entry.position + entry.bytes;
    }
    if (dir) {
        visit(context, dir);
    }
}

static void orphan_one(void *context, struct udf_node *node) {
    if (!node->orphan) {
        udf_node_orphan(context, node);
    }
}

void udf_stream_orphan(struct udf_volume *volume,
                       const struct udf_node *owner) {
    udf_stream_each(volume, owner, orphan_one, volume);
}

static void drop_one(void *context, struct udf_node *node) {
    drop(context, node);
}

void udf_stream_release(struct udf_volume *volume,
                        const struct udf_node *owner) {
    udf_stream_each(volume, owner, drop_one, volume);
}
