/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_dir.c - one directory: the stream of FIDs, and each FID against
 * what it names. ECMA-167 4/8.6, 4/14.4; UDF 2.60 2.3.4.
 *
 * Nothing is read twice and nothing is kept but hashes of the names: a
 * directory may be as large as the disc.
 */
#include "udf/check_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "udf/cs0.h"
#include "udf/decode.h"
#include "udf/fid.h"

enum {
    FIRST_UNIQUE_ID = 16,
    FID_FLAGS_KNOWN = 0x1F,
    TEXT_BYTES = 1024, /* UTF-8 of the longest name */
    ENTITY_BYTES = 32
};

#define FNV_BASE 0xCBF29CE484222325u
#define FNV_PRIME 0x100000001B3u

/* ---- directory contents ---------------------------------------------------
 */

/* A directory while it is walked. */
struct dir_walk {
    struct udf_check *check;
    uint32_t index;
    uint64_t at, end; /* bytes */
    uint64_t fids;
    struct check_table names;
    /* Two blocks: a FID is shorter than one, and may begin anywhere in it. */
    uint8_t window[2 * UDF_BLOCK_BYTES];
    uint64_t window_block;  /* first block in the window */
    uint32_t window_blocks; /* 0: nothing there yet */
    uint32_t location;      /* LBN of window_block */
};

static const struct check_node *dir_node(const struct dir_walk *walk) {
    return &walk->check->nodes[walk->index];
}

static bool has_streams(const struct check_node *dir) {
    return dir->role == CHECK_SYSTEM_DIR || dir->role == CHECK_STREAM_DIR ||
           dir->role == CHECK_LOST_DIR;
}

/* Reads block `block` of the directory. Returns 0, -ENOENT behind the last,
 * -EUCLEAN (reported) or an error. */
static int read_dir_block(struct dir_walk *walk, uint64_t block, uint8_t *raw,
                          uint32_t *out_lbn) {
    struct udf_extent piece;
    int error;

    if (udf_extents_map(dir_node(walk)->data, block, &piece)) {
        return -ENOENT;
    }
    error = udf_check_read_block(walk->check, piece.addr, "directory", raw);
    if (!error) {
        *out_lbn = piece.addr.lbn;
    }
    return error;
}

/* Moves the window so that it begins with the block of walk->at. */
static int move_window(struct dir_walk *walk) {
    uint64_t block = walk->at / UDF_BLOCK_BYTES;
    uint32_t next_lbn;
    int error;

    if (walk->window_blocks > 0 && walk->window_block == block) {
        return 0;
    }
    walk->window_blocks = 0;
    error = read_dir_block(walk, block, walk->window, &walk->location);
    if (error) {
        return error;
    }
    walk->window_block = block;
    walk->window_blocks = 1;
    error = read_dir_block(walk, block + 1, walk->window + UDF_BLOCK_BYTES,
                           &next_lbn);
    walk->window_blocks += error == 0;
    return udf_check_fatal(error) ? error : 0;
}

/* Gives the bytes at walk->at. Returns 0; -ENOENT when there are none;
 * -EUCLEAN (reported) or an error. */
static int look(struct dir_walk *walk, const uint8_t **out_raw,
                uint32_t *out_bytes) {
    uint32_t skip = (uint32_t)(walk->at % UDF_BLOCK_BYTES);
    uint64_t left = walk->end - walk->at;
    uint32_t held;
    int error;

    if (dir_node(walk)->embedded) {
        *out_raw = walk->window + walk->at;
        *out_bytes = (uint32_t)left;
        return 0;
    }
    error = move_window(walk);
    if (error) {
        return error;
    }
    held = walk->window_blocks * UDF_BLOCK_BYTES - skip;
    *out_raw = walk->window + skip;
    *out_bytes = left < held ? (uint32_t)left : held;
    return 0;
}

/* An embedded directory's bytes go into the window as they are. */
static int load_embedded(struct dir_walk *walk) {
    const struct check_node *node = dir_node(walk);
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_fe fe;
    int error =
        udf_check_read_block(walk->check, node->addr, "directory", block);

    if (error || udf_decode_fe(block, node->addr.lbn, &fe)) {
        return error ? error : -EUCLEAN;
    }
    memcpy(walk->window, fe.ads, fe.ads_bytes);
    walk->end = fe.ads_bytes;
    walk->location = node->addr.lbn;
    return 0;
}

/* ---- one FID ---------------------------------------------------------------
 */

static void fid_fault(const struct dir_walk *walk, const char *text) {
    const struct check_node *node = dir_node(walk);

    udf_check_fault(walk->check, "directory %u:%u, FID at byte %llu: %s",
                    node->addr.part, node->addr.lbn,
                    (unsigned long long)walk->at, text);
}

static void check_fid_form(const struct dir_walk *walk, const uint8_t *raw,
                           const struct udf_fid *fid, uint32_t size) {
    uint32_t bytes = UDF_FID_BYTES + 0u + fid->use_bytes + fid->name_bytes;

    (void)udf_check_tag(walk->check, raw, size, UDF_TAG_FID, walk->location,
                        "FID");
    if (udf_get16(raw + 16) != 1) {
        fid_fault(walk, "file version is not 1 (UDF 2.60 2.3.4.1)");
    }
    if (fid->characteristics > FID_FLAGS_KNOWN) {
        fid_fault(walk, "unknown characteristics (ECMA-167 4/14.4.3)");
    }
    if (fid->use_bytes > 0 &&
        (fid->use_bytes < ENTITY_BYTES || fid->use_bytes % 4 != 0)) {
        fid_fault(walk, "implementation use holds no entity identifier "
                        "(UDF 2.60 2.3.4.5)");
    }
    if (!udf_check_is_zero(raw + bytes, size - bytes)) {
        fid_fault(walk, "padding is not 0 (ECMA-167 4/14.4.9)");
    }
}

/* The name is text, and no other one of this directory. Names are told apart
 * by 64 bits of hash, which no honest directory will fool. */
static int check_name(struct dir_walk *walk, const struct udf_fid *fid) {
    char text[TEXT_BYTES];
    uint64_t hash = FNV_BASE;
    int error;

    if (fid->name_bytes < 2 || (fid->name[0] != 8 && fid->name[0] != 16) ||
        udf_cs0_decode(fid->name, fid->name_bytes, text, sizeof(text))) {
        fid_fault(walk, "name is no OSTA compressed unicode (UDF 2.60 "
                        "2.1.1)");
        return 0;
    }
    for (uint32_t i = 1; fid->name[0] == 16 && i + 1 < fid->name_bytes;
         i += 2) {
        if ((fid->name[i] == 0xFE && fid->name[i + 1] == 0xFF) ||
            (fid->name[i] == 0xFF && fid->name[i + 1] == 0xFE)) {
            fid_fault(walk, "name with a byte order mark (UDF 2.60 2.1.1)");
        }
    }
    for (const char *c = text; *c; c++) {
        hash = (hash ^ (uint8_t)*c) * FNV_PRIME;
    }
    error = udf_check_table_add(&walk->names, hash, 0);
    if (error == -EEXIST) {
        fid_fault(walk, "the name is there twice (ECMA-167 4/8.6)");
        error = 0;
    }
    return error;
}

static void check_parent_fid(struct dir_walk *walk, const struct udf_fid *fid) {
    struct udf_check *check = walk->check;
    const struct check_node *node = dir_node(walk);
    /* The roots' parents are themselves. UDF 2.60 2.3.4.3, 3.3.5.1 */
    const struct check_node *parent =
        node->role == CHECK_ROOT || node->role == CHECK_SYSTEM_DIR
            ? node
            : &check->nodes[node->parent];

    if (fid->characteristics != (UDF_FID_PARENT | UDF_FID_DIRECTORY) &&
        !has_streams(node)) {
        fid_fault(walk, "characteristics of a parent entry (ECMA-167 "
                        "4/14.4.3)");
    }
    if (fid->name_bytes != 0) {
        fid_fault(walk, "parent entry with a name (ECMA-167 4/14.4.4)");
    }
    if (node->role == CHECK_LOST_DIR) {
        return; /* nobody is there */
    }
    if (fid->icb.addr.lbn != parent->addr.lbn ||
        fid->icb.addr.part != parent->addr.part ||
        fid->icb.bytes != UDF_BLOCK_BYTES) {
        fid_fault(walk, "parent entry names another directory (ECMA-167 "
                        "4/8.6)");
    }
    if (check->result.revision >= 0x0200 &&
        fid->icb.unique_id != (uint32_t)parent->unique_id) {
        fid_fault(walk, "parent entry's UniqueID is not the parent's "
                        "(UDF 2.60 2.3.4.3)");
    }
}

/* The UniqueID in a FID: its file entry's, or one of its own that is checked
 * when all are known. */
static int check_fid_id(struct dir_walk *walk, const struct udf_fid *fid,
                        struct check_node *target) {
    struct udf_check *check = walk->check;
    uint32_t id = fid->icb.unique_id;

    if (check->result.revision < 0x0200) {
        if (id != 0) {
            fid_fault(walk, "implementation use of the ICB is not 0 "
                            "(UDF 1.50 2.3.4.3)");
        }
        return 0;
    }
    /* One of the names of a file has its UniqueID; links have their own. */
    if (id == (uint32_t)target->unique_id && !target->id_named) {
        target->id_named = true;
        return 0;
    }
    if (target->role != CHECK_NORMAL ||
        target->file_type == UDF_FILE_DIRECTORY || id < FIRST_UNIQUE_ID) {
        fid_fault(walk, "UniqueID is not its file entry's (UDF 2.60 "
                        "2.3.4.3)");
        return 0;
    }
    if (udf_check_grow((void **)&check->extra, &check->extra_room,
                       check->extra_count, sizeof(*check->extra))) {
        return -ENOMEM;
    }
    check->extra[check->extra_count++] =
        (struct check_extra_id){.id = id, .dir = walk->index};
    return 0;
}

/* Whether FID and file entry agree on what the entry is. */
static void check_kind(struct dir_walk *walk, const struct udf_fid *fid,
                       const struct check_node *target) {
    bool directory = (fid->characteristics & UDF_FID_DIRECTORY) != 0;
    bool metadata = (fid->characteristics & UDF_FID_METADATA) != 0;

    if (directory != (target->file_type == UDF_FILE_DIRECTORY)) {
        fid_fault(walk, "directory bit and file type differ (ECMA-167 "
                        "4/14.4.3)");
    }
    if (metadata && !has_streams(dir_node(walk))) {
        fid_fault(walk, "metadata bit outside of a stream directory "
                        "(UDF 2.60 2.3.4.2)");
    }
}

/* Whether the FID's name is this one, of 8-bit characters. */
static bool is_named(const struct udf_fid *fid, const char *name) {
    return fid->name_bytes == strlen(name) + 1 && fid->name[0] == 8 &&
           memcmp(fid->name + 1, name, strlen(name)) == 0;
}

/* Streams of the system that UDF defines are no user's. UDF 2.60 3.3.7 */
static void check_system_stream(struct dir_walk *walk,
                                const struct udf_fid *fid,
                                const struct check_node *target) {
    static const char *const names[] = {
        "*UDF Unique ID Mapping Data",
        "*UDF Non-Allocatable Space",
        "*UDF Power Cal Table",
    };
    bool metadata = (fid->characteristics & UDF_FID_METADATA) != 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (is_named(fid, names[i]) && !metadata) {
            fid_fault(walk, "stream of the system without the metadata bit "
                            "(UDF 2.60 3.3.7)");
        }
    }
    if (is_named(fid, "*UDF Non-Allocatable Space") &&
        (!target->system || target->recorded > 0 || target->embedded)) {
        fid_fault(walk, "Non-Allocatable Space without the system bit, or "
                        "with content (UDF 2.60 3.3.7.2)");
    }
}

/* Finds or reads what the FID names. *out_index is its node. Returns 0,
 * -EUCLEAN (reported) or an error. */
static int find_target(struct dir_walk *walk, const struct udf_fid *fid,
                       enum check_role role, uint32_t *out_index) {
    struct udf_check *check = walk->check;
    const struct check_node *known;

    if (!udf_check_icb(check, &fid->icb, "FID")) {
        return -EUCLEAN;
    }
    if (!udf_check_table_get(&check->node_of, check_addr_key(fid->icb.addr),
                             out_index)) {
        return udf_check_add_node(check, fid->icb.addr, role, walk->index,
                                  out_index);
    }
    known = &check->nodes[*out_index];
    if (known->role != role) {
        fid_fault(walk, "names a file entry that is for something else");
        return -EUCLEAN;
    }
    if (check_is_directory(known)) {
        fid_fault(walk, "names a directory that has a name already "
                        "(UDF 2.60 2.3.4)");
        return -EUCLEAN;
    }
    return 0;
}

/* A FID that names something. */
static int check_entry(struct dir_walk *walk, const struct udf_fid *fid) {
    struct udf_check *check = walk->check;
    bool streams = has_streams(dir_node(walk));
    struct check_node *target;
    uint32_t index;
    int error = check_name(walk, fid);

    error = error ? error
                  : find_target(walk, fid,
                                streams ? CHECK_STREAM : CHECK_NORMAL, &index);
    if (error) {
        return error == -EUCLEAN ? 0 : error;
    }
    target = &check->nodes[index];
    target->names++;
    if (!streams && (fid->characteristics & UDF_FID_DIRECTORY)) {
        check->result.directories++;
    } else if (!streams) {
        check->result.files++;
    }
    if (target->file_type == 0) {
        return 0; /* reported when it was read */
    }
    if (target->file_type == UDF_FILE_DIRECTORY) {
        check->nodes[walk->index].subdirs++;
    }
    if (dir_node(walk)->role == CHECK_SYSTEM_DIR) {
        check_system_stream(walk, fid, target);
    }
    if (dir_node(walk)->role == CHECK_STREAM_DIR) {
        check->nodes[dir_node(walk)->parent].stream_bytes += target->info_bytes;
    }
    check_kind(walk, fid, target);
    return check_fid_id(walk, fid, target);
}

/* Takes the FID at walk->at and moves behind it. Returns 0, -EUCLEAN when the
 * rest cannot be walked (reported) or an error. */
static int take_fid(struct dir_walk *walk) {
    const uint8_t *raw;
    struct udf_fid fid;
    uint32_t bytes, size;
    int error = look(walk, &raw, &bytes);

    if (error) {
        return error == -ENOENT ? -EUCLEAN : error;
    }
    if (bytes < UDF_FID_BYTES || udf_fid_decode(raw, bytes, &fid, &size) ||
        size > UDF_BLOCK_BYTES) {
        fid_fault(walk, "tag or lengths are wrong; the rest of the directory "
                        "is not walked (ECMA-167 4/14.4)");
        return -EUCLEAN;
    }
    check_fid_form(walk, raw, &fid, size);
    if (((fid.characteristics & UDF_FID_PARENT) != 0) != (walk->fids == 0)) {
        fid_fault(walk, "a parent entry comes first, and only once "
                        "(UDF 2.60 2.3.4)");
    }
    if (fid.characteristics & UDF_FID_PARENT) {
        check_parent_fid(walk, &fid);
    } else if (!(fid.characteristics & UDF_FID_DELETED)) {
        error = check_entry(walk, &fid);
    }
    walk->fids++;
    walk->at += size;
    return error;
}

int udf_check_walk_directory(struct udf_check *check, uint32_t index) {
    struct dir_walk *walk = calloc(1, sizeof(*walk));
    int error = 0;

    if (!walk) {
        return -ENOMEM;
    }
    walk->check = check;
    walk->index = index;
    walk->end = check->nodes[index].info_bytes;
    if (check->nodes[index].embedded) {
        error = load_embedded(walk);
    } else if (!check->nodes[index].data) {
        error = -EUCLEAN; /* its form was reported */
    }
    if (!error && walk->end == 0) {
        fid_fault(walk, "no parent entry (UDF 2.60 2.3.4)");
    }
    while (!error && walk->at < walk->end) {
        error = take_fid(walk);
    }
    if (check->nodes[index].data) {
        udf_extents_free(check->nodes[index].data);
        free(check->nodes[index].data);
        check->nodes[index].data = NULL;
    }
    udf_check_table_free(&walk->names);
    free(walk);
    return error == -EUCLEAN ? 0 : error;
}
