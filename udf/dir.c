/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/dir.c - loading, finding and changing; see udf/dir.h. Placing a
 * directory on the disc is in udf/dir_write.c.
 */
#include "udf/dir.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/log.h"
#include "udf/cs0.h"
#include "udf/dir_priv.h"
#include "udf/fid.h"
#include "udf/file.h"
#include "udf/volume.h"

enum {
    DIR_BYTES_MAX = 1 << 30,
    FID_BYTES_MIN = 40,        /* fixed part, padded */
    FID_BYTES_SPLIT_MAX = 292, /* a deleted FID without implementation use */
    FIRST_STREAM = 512
};

void udf_dir_free(struct udf_dir *dir) {
    if (dir) {
        free(dir->stream);
        free(dir->first);
        free(dir->changed);
        free(dir->index.slot);
        free(dir);
    }
}

uint64_t udf_dir_memory(const struct udf_dir *dir) {
    return sizeof(*dir) + dir->room +
           (uint64_t)dir->blocks_room * sizeof(dir->first[0]) +
           dir->index.room * sizeof(dir->index.slot[0]);
}

/* ---- memory ----------------------------------------------------------- */

static int grow_blocks(struct udf_dir *dir, uint32_t blocks) {
    uint32_t room = dir->blocks_room ? dir->blocks_room : 64;
    int64_t *first;
    uint64_t *changed;

    if (blocks <= dir->blocks_room) {
        return 0;
    }
    while (room < blocks) {
        room *= 2;
    }
    first = realloc(dir->first, room * sizeof(*first));
    if (first) {
        dir->first = first;
    }
    changed = realloc(dir->changed, mmc_bits_words(room) * sizeof(*changed));
    if (changed) {
        dir->changed = changed;
    }
    if (!first || !changed) {
        return -ENOMEM;
    }
    for (uint32_t i = dir->blocks_room; i < room; i++) {
        first[i] = DIR_NO_FID;
    }
    mmc_bits_clear_range(changed, dir->blocks_room, room);
    dir->blocks_room = room;
    return 0;
}

/* Makes memory for a stream of `bytes` bytes. */
static int grow(struct udf_dir *dir, uint32_t bytes) {
    uint32_t room = dir->room ? dir->room : FIRST_STREAM;
    uint8_t *stream;

    while (room < bytes) {
        room *= 2;
    }
    if (room != dir->room) {
        stream = realloc(dir->stream, room);
        if (!stream) {
            return -ENOMEM;
        }
        dir->stream = stream;
        dir->room = room;
    }
    return grow_blocks(dir, udf_dir_blocks(bytes));
}

/* ---- positions -------------------------------------------------------- */

/* Notes that a FID begins at `position` and that its bytes have changed. */
static void note_fid(struct udf_dir *dir, uint32_t position, uint32_t bytes) {
    uint32_t block = position / UDF_BLOCK_BYTES;

    if (dir->first[block] == DIR_NO_FID || dir->first[block] > position) {
        dir->first[block] = position;
    }
    mmc_bits_set_range(dir->changed, block, udf_dir_blocks(position + bytes));
}

static void decode_at(const struct udf_dir *dir, uint32_t position,
                      struct udf_fid *out_fid, uint32_t *out_bytes) {
    int error = udf_fid_decode(dir->stream + position, dir->bytes - position,
                               out_fid, out_bytes);

    /* The stream was checked when it was loaded, and is ours since. */
    assert(error == 0);
    (void)error;
}

/* False when the name is longer than anyone can ask for. */
static bool shown_name(const struct udf_fid *fid, char *out_name) {
    bool escaped;

    return udf_cs0_decode_name(fid->name, fid->name_bytes, out_name,
                               UDF_NAME_BYTES_MAX, &escaped) == 0;
}

static bool is_live(const struct udf_fid *fid) {
    return !(fid->characteristics & (UDF_FID_DELETED | UDF_FID_PARENT));
}

static void note_hole(struct udf_dir *dir, uint32_t position, uint32_t bytes) {
    if (dir->holes < DIR_SLOTS) {
        dir->hole[dir->holes++] = (struct dir_hole){position, bytes};
    }
}

/* ---- loading ---------------------------------------------------------- */

/* Checks every FID of the stream and enters it. */
static int index_stream(struct udf_dir *dir) {
    char name[UDF_NAME_BYTES_MAX];
    uint32_t position = 0;

    while (position < dir->bytes) {
        struct udf_fid fid;
        uint32_t bytes;
        int error = udf_fid_decode(dir->stream + position,
                                   dir->bytes - position, &fid, &bytes);

        if (error) {
            return error;
        }
        if ((position == 0) != !!(fid.characteristics & UDF_FID_PARENT)) {
            return -EUCLEAN;
        }
        note_fid(dir, position, bytes);
        if (fid.characteristics & UDF_FID_DELETED) {
            note_hole(dir, position, bytes);
        } else if (is_live(&fid) && shown_name(&fid, name)) {
            error = udf_dir_index_reserve(&dir->index);
            if (error) {
                return error;
            }
            udf_dir_index_add(&dir->index,
                              udf_dir_hash(name, (uint32_t)strlen(name)),
                              position);
        }
        position += bytes;
    }
    mmc_bits_clear_range(dir->changed, 0, dir->blocks_room);
    return dir->bytes > 0 ? 0 : -EUCLEAN;
}

int udf_dir_load(struct udf_op *op, struct udf_node *node) {
    struct udf_dir *dir;
    uint32_t count;
    int error;

    if (!udf_node_has_fids(node)) {
        return -ENOTDIR;
    }
    if (node->dir) {
        return 0;
    }
    error = udf_op_need_exclusive(op);
    if (error) {
        return error;
    }
    if (node->body.size > DIR_BYTES_MAX) {
        return -EUCLEAN;
    }
    dir = calloc(1, sizeof(*dir));
    if (!dir) {
        return -ENOMEM;
    }
    error = grow(dir, (uint32_t)node->body.size);
    if (!error) {
        error = udf_file_read(op, node, 0, (uint32_t)node->body.size,
                              dir->stream, &count);
    }
    if (!error) {
        dir->bytes = count;
        error = index_stream(dir);
    }
    if (error) {
        udf_dir_free(dir);
        if (error == -EUCLEAN) {
            mmc_log(MMC_LOG_WARN, "directory at block %u is damaged",
                    node->icb.lbn);
        }
        return error;
    }
    free(node->body.inline_data);
    node->body.inline_data = NULL;
    node->dir = dir;
    op->volume->nodes.dir_bytes += udf_dir_memory(dir);
    return 0;
}

/* ---- finding ---------------------------------------------------------- */

const uint8_t *udf_dir_bytes(const struct udf_dir *dir) {
    return dir->stream;
}

bool udf_dir_is_empty(const struct udf_dir *dir) {
    return dir->index.live == 0;
}

struct udf_addr udf_dir_parent(const struct udf_dir *dir) {
    struct udf_fid fid;
    uint32_t bytes;

    decode_at(dir, 0, &fid, &bytes);
    return fid.icb.addr;
}

static void fill_entry(const struct udf_fid *fid, uint32_t position,
                       uint32_t bytes, struct udf_dir_entry *entry) {
    entry->position = position;
    entry->bytes = bytes;
    entry->characteristics = fid->characteristics;
    entry->icb = fid->icb.addr;
    entry->unique_id = fid->icb.unique_id;
}

int udf_dir_find(const struct udf_dir *dir, const struct udf_name *name,
                 struct udf_dir_entry *out_entry) {
    uint32_t hash = udf_dir_hash(name->text, name->len);
    char shown[UDF_NAME_BYTES_MAX];
    uint64_t cursor = UINT64_MAX;
    uint32_t position;

    if (name->len >= UDF_NAME_BYTES_MAX) {
        return -ENAMETOOLONG;
    }
    while (udf_dir_index_next(&dir->index, hash, &cursor, &position)) {
        struct udf_fid fid;
        uint32_t bytes;

        decode_at(dir, position, &fid, &bytes);
        if (shown_name(&fid, shown) && strlen(shown) == name->len &&
            memcmp(shown, name->text, name->len) == 0) {
            fill_entry(&fid, position, bytes, out_entry);
            memcpy(out_entry->name, shown, sizeof(shown));
            return 0;
        }
    }
    return -ENOENT;
}

int udf_dir_next(const struct udf_dir *dir, uint32_t position,
                 struct udf_dir_entry *out_entry) {
    uint32_t block = position / UDF_BLOCK_BYTES;
    uint32_t blocks = udf_dir_blocks(dir->bytes);
    uint32_t at;

    if (position >= dir->bytes) {
        return -ENOENT;
    }
    while (block < blocks && dir->first[block] == DIR_NO_FID) {
        block++;
    }
    at = block < blocks ? (uint32_t)dir->first[block] : dir->bytes;
    while (at < dir->bytes) {
        struct udf_fid fid;
        uint32_t bytes;

        decode_at(dir, at, &fid, &bytes);
        if (at >= position && is_live(&fid) &&
            shown_name(&fid, out_entry->name)) {
            fill_entry(&fid, at, bytes, out_entry);
            return 0;
        }
        at += bytes;
    }
    return -ENOENT;
}

/* ---- changing --------------------------------------------------------- */

/* Blocks that the stream occupies outside the ICB. */
static uint32_t outside(const struct udf_node *node, uint32_t bytes) {
    return bytes <= udf_node_inline_room(node) ? 0 : udf_dir_blocks(bytes);
}

/* Accounts for the stream's new length: reserves blocks for what is beyond the
 * extents. Never called to take more than udf_dir_prepare() made sure of. */
static void set_bytes(struct udf_volume *volume, struct udf_node *node,
                      uint32_t bytes) {
    struct udf_body *body = &node->body;
    uint64_t have = udf_extents_end(&body->extents);
    uint32_t want = outside(node, bytes);
    uint32_t reserve = want > have ? (uint32_t)(want - have) : 0;

    if (reserve > body->reserved) {
        (void)udf_space_reserve(volume->meta, reserve - body->reserved, 0);
    } else {
        udf_space_unreserve(volume->meta, body->reserved - reserve);
    }
    body->reserved = reserve;
    node->dir->bytes = bytes;
    body->size = bytes;
}

int udf_dir_make_room(struct udf_volume *volume, struct udf_node *node,
                      uint32_t bytes) {
    uint32_t room = udf_node_inline_room(node);
    struct udf_body *body = &node->body;
    uint64_t have = udf_extents_end(&body->extents) + body->reserved;
    uint32_t want = udf_dir_blocks(node->dir->bytes);
    int error;

    if (bytes > room) {
        return -ENOSPC;
    }
    if (node->dir->bytes <= room - bytes || want <= have) {
        return 0;
    }
    error = udf_spaces_meta_room(volume, (uint32_t)(want - have));
    if (!error) {
        error = udf_space_reserve(volume->meta, (uint32_t)(want - have), 0);
    }
    if (!error) {
        body->reserved += (uint32_t)(want - have);
    }
    return error;
}

int udf_dir_begin(struct udf_volume *volume, struct udf_node *node,
                  const struct udf_node *parent) {
    struct udf_fid fid = {.characteristics =
                              UDF_FID_PARENT | UDF_FID_DIRECTORY};
    struct udf_dir *dir = calloc(1, sizeof(*dir));

    if (!dir || grow(dir, FID_BYTES_MIN) ||
        udf_dir_index_reserve(&dir->index)) {
        udf_dir_free(dir);
        return -ENOMEM;
    }
    udf_fid_encode(&fid, &volume->identity.style, 0, dir->stream);
    node->dir = dir;
    volume->nodes.dir_bytes += udf_dir_memory(dir);
    set_bytes(volume, node, FID_BYTES_MIN);
    udf_dir_reparent(volume, node, parent);
    return 0;
}

/* CS0 form of a name that may be created. */
static int checked_name(const struct udf_name *name, uint8_t *out_cs0,
                        uint32_t *out_bytes) {
    if (name->len == 0 || memchr(name->text, '/', name->len) ||
        memchr(name->text, '\0', name->len)) {
        return -EINVAL;
    }
    return udf_cs0_encode(name->text, name->len, out_cs0, UDF_NAME_CS0_MAX,
                          out_bytes);
}

int udf_dir_prepare(struct udf_volume *volume, struct udf_node *node,
                    const struct udf_name *name) {
    struct udf_dir *dir = node->dir;
    uint8_t cs0[UDF_NAME_CS0_MAX];
    uint32_t cs0_bytes, bytes, want;
    uint64_t have;
    int error = checked_name(name, cs0, &cs0_bytes);

    if (error) {
        return error;
    }
    bytes = dir->bytes + udf_fid_size(0, cs0_bytes);
    if (bytes > DIR_BYTES_MAX) {
        return -EFBIG;
    }
    volume->nodes.dir_bytes -= udf_dir_memory(dir);
    error = grow(dir, bytes);
    if (!error) {
        error = udf_dir_index_reserve(&dir->index);
    }
    volume->nodes.dir_bytes += udf_dir_memory(dir);
    if (error) {
        return error;
    }
    want = outside(node, bytes);
    have = udf_extents_end(&node->body.extents) + node->body.reserved;
    if (want > have) {
        /* Only a test: udf_dir_add() reserves what it uses. */
        error = udf_spaces_meta_room(volume, (uint32_t)(want - have));
    }
    return error;
}

/* Writes a deleted FID over `bytes` bytes (at least 40) at `position`. */
static void put_deleted(const struct udf_volume *volume, struct udf_dir *dir,
                        uint32_t position, uint32_t bytes) {
    const struct udf_identity *identity = &volume->identity;
    uint8_t name[UDF_NAME_CS0_MAX] = {8};
    struct udf_fid fid = {
        .name = name,
        .name_bytes = (uint8_t)(bytes - UDF_FID_BYTES),
    };

    udf_fid_encode(&fid, &identity->style, 0, dir->stream + position);
    udf_fid_delete(dir->stream + position, bytes, identity->revision,
                   &identity->style, 0);
    note_fid(dir, position, bytes);
    note_hole(dir, position, bytes);
}

/* Finds the place of a deleted FID for `bytes` bytes: one of just that size,
 * or one that leaves enough for a FID of its own. */
static bool take_hole(const struct udf_volume *volume, struct udf_dir *dir,
                      uint32_t bytes, uint32_t *out_position) {
    for (uint32_t i = 0; i < dir->holes; i++) {
        struct dir_hole hole = dir->hole[i];

        if (hole.bytes != bytes && (hole.bytes < bytes + FID_BYTES_MIN ||
                                    hole.bytes > bytes + FID_BYTES_SPLIT_MAX)) {
            continue;
        }
        dir->hole[i] = dir->hole[--dir->holes];
        if (hole.bytes > bytes) {
            put_deleted(volume, dir, hole.position + bytes, hole.bytes - bytes);
        }
        *out_position = hole.position;
        return true;
    }
    return false;
}

static struct udf_long_ad icb_of(const struct udf_volume *volume,
                                 const struct udf_dir_target *target) {
    return (struct udf_long_ad){
        .bytes = UDF_BLOCK_BYTES,
        .addr = target->icb,
        .unique_id =
            volume->identity.revision >= 0x0200 ? target->unique_id : 0,
    };
}

void udf_dir_add(struct udf_volume *volume, struct udf_node *node,
                 const struct udf_name *name,
                 const struct udf_dir_target *target) {
    struct udf_dir *dir = node->dir;
    uint8_t cs0[UDF_NAME_CS0_MAX];
    uint32_t cs0_bytes = 0, bytes, position;
    struct udf_fid fid = {
        .characteristics =
            (uint8_t)((target->directory ? UDF_FID_DIRECTORY : 0) |
                      (target->metadata ? UDF_FID_METADATA : 0)),
        .icb = icb_of(volume, target),
        .name = cs0,
    };
    int error = checked_name(name, cs0, &cs0_bytes);

    assert(error == 0);
    (void)error;
    fid.name_bytes = (uint8_t)cs0_bytes;
    bytes = udf_fid_size(0, cs0_bytes);
    if (!take_hole(volume, dir, bytes, &position)) {
        position = dir->bytes;
        set_bytes(volume, node, dir->bytes + bytes);
    }
    udf_fid_encode(&fid, &volume->identity.style, 0, dir->stream + position);
    note_fid(dir, position, bytes);
    udf_dir_index_add(&dir->index, udf_dir_hash(name->text, name->len),
                      position);
    udf_node_touch(volume, node);
}

void udf_dir_retarget(struct udf_volume *volume, struct udf_node *node,
                      const struct udf_dir_entry *entry,
                      const struct udf_dir_target *target) {
    struct udf_dir *dir = node->dir;
    struct udf_long_ad icb = icb_of(volume, target);
    uint8_t kind = entry->characteristics & (uint8_t)~UDF_FID_DIRECTORY;

    if (target->directory) {
        kind |= UDF_FID_DIRECTORY;
    }
    udf_fid_retarget(dir->stream + entry->position, entry->bytes, kind, &icb,
                     &volume->identity.style);
    note_fid(dir, entry->position, entry->bytes);
    udf_node_touch(volume, node);
}

static uint32_t parent_fid_bytes(const struct udf_dir *dir) {
    struct udf_fid fid;
    uint32_t bytes;

    decode_at(dir, 0, &fid, &bytes);
    return bytes;
}

/* Cuts the deleted FIDs off a directory without names. In one that has some,
 * finding those at the end would take a walk at every removal. */
static void cut_empty(struct udf_volume *volume, struct udf_node *node) {
    struct udf_dir *dir = node->dir;
    uint32_t bytes = parent_fid_bytes(dir);

    if (!udf_dir_is_empty(dir)) {
        return;
    }
    for (uint32_t i = 0; i < dir->blocks_room; i++) {
        dir->first[i] = DIR_NO_FID;
    }
    dir->holes = 0;
    note_fid(dir, 0, bytes);
    set_bytes(volume, node, bytes);
}

void udf_dir_remove(struct udf_volume *volume, struct udf_node *node,
                    const struct udf_dir_entry *entry) {
    struct udf_dir *dir = node->dir;
    const struct udf_identity *identity = &volume->identity;

    udf_dir_index_remove(
        &dir->index, udf_dir_hash(entry->name, (uint32_t)strlen(entry->name)),
        entry->position);
    udf_fid_delete(dir->stream + entry->position, entry->bytes,
                   identity->revision, &identity->style, 0);
    note_fid(dir, entry->position, entry->bytes);
    note_hole(dir, entry->position, entry->bytes);
    cut_empty(volume, node);
    udf_node_touch(volume, node);
}

void udf_dir_reparent(struct udf_volume *volume, struct udf_node *node,
                      const struct udf_node *parent) {
    struct udf_dir_target target = {
        .icb = parent->icb,
        .unique_id = (uint32_t)parent->attr.unique_id,
    };
    struct udf_long_ad icb = icb_of(volume, &target);
    uint32_t bytes = parent_fid_bytes(node->dir);

    udf_fid_retarget(node->dir->stream, bytes,
                     UDF_FID_PARENT | UDF_FID_DIRECTORY, &icb,
                     &volume->identity.style);
    note_fid(node->dir, 0, bytes);
    udf_node_touch(volume, node);
}
