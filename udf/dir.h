/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/dir.h - a directory in memory: the stream of its file identifier
 * descriptors (FIDs) as it is on the disc, an index by name, and which blocks
 * of the stream have changed. ECMA-167 4/8.6, 4/14.4; UDF 2.60 2.3.4.
 *
 * A change touches the bytes of its own FID only; FIDs never move within the
 * stream, so that a position is a stable cookie for readdir. The slot of a
 * removed FID is used again by a name of fitting length; a directory that has
 * become empty is cut to its parent's FID.
 *
 * Invariants:
 *  1. The stream is a whole number of FIDs; the first one is the parent's.
 *  2. The index holds every FID but the parent's and the deleted ones, by the
 *     hash of the name that users see.
 *  3. first[b] is the position of the first FID that begins in block b.
 *  4. node->body.size is the length of the stream.
 *
 * Locks as for nodes: finding needs the volume lock shared, changing alone.
 */
#ifndef UDF_DIR_H
#define UDF_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"
#include "udf/node.h"
#include "udf/op.h"
#include "udf/udf.h"

struct udf_dir;

/* One name, as found. `name` is what users see, NUL-terminated UTF-8. */
struct udf_dir_entry {
    uint32_t position; /* of the FID in the stream, bytes */
    uint32_t bytes;    /* of the FID */
    uint8_t characteristics;
    struct udf_addr icb;
    uint32_t unique_id;
    char name[UDF_NAME_BYTES_MAX];
};

void udf_dir_free(struct udf_dir *dir);

/* Bytes of memory that it takes. */
uint64_t udf_dir_memory(const struct udf_dir *dir);

/* Loads the index of `node`, a directory or stream directory, if that is still
 * to do. Returns 0; UDF_MISS; -ENOTDIR; -EUCLEAN; -EIO; -ENOMEM. */
int udf_dir_load(struct udf_op *op, struct udf_node *node);

/* The functions below need a loaded directory. */

/* The stream, for embedding in the ICB. */
const uint8_t *udf_dir_bytes(const struct udf_dir *dir);

bool udf_dir_is_empty(const struct udf_dir *dir);

/* Where ".." leads. */
struct udf_addr udf_dir_parent(const struct udf_dir *dir);

/* Finds a name. Returns 0; -ENOENT; -ENAMETOOLONG. */
int udf_dir_find(const struct udf_dir *dir, const struct udf_name *name,
                 struct udf_dir_entry *out_entry);

/* Gives the first entry at or behind `position`. Returns 0; -ENOENT at the
 * end. */
int udf_dir_next(const struct udf_dir *dir, uint32_t position,
                 struct udf_dir_entry *out_entry);

/* Starts the stream of a new, empty directory below `parent`. Returns 0 or
 * -ENOMEM. */
int udf_dir_begin(struct udf_volume *volume, struct udf_node *node,
                  const struct udf_node *parent);

/* Makes sure that the directory can be stored when the room in its ICB shrinks
 * by `bytes`, which happens next. Returns 0; -ENOSPC. */
int udf_dir_make_room(struct udf_volume *volume, struct udf_node *node,
                      uint32_t bytes);

/* What a name leads to. */
struct udf_dir_target {
    struct udf_addr icb;
    uint32_t unique_id;
    bool directory;
    bool metadata; /* a stream that is not the user's */
};

/* Whether one more FID for `name` can be stored: makes memory and reserves
 * space for it, so that udf_dir_add() cannot fail afterwards. Returns 0;
 * -EILSEQ; -ENAMETOOLONG; -EINVAL for a name that UDF or POSIX forbids;
 * -ENOSPC; -EFBIG; -ENOMEM. */
int udf_dir_prepare(struct udf_volume *volume, struct udf_node *node,
                    const struct udf_name *name);

/* Adds a name that is not there, after udf_dir_prepare() for it. */
void udf_dir_add(struct udf_volume *volume, struct udf_node *node,
                 const struct udf_name *name,
                 const struct udf_dir_target *target);

/* Lets an existing name lead elsewhere. */
void udf_dir_retarget(struct udf_volume *volume, struct udf_node *node,
                      const struct udf_dir_entry *entry,
                      const struct udf_dir_target *target);

void udf_dir_remove(struct udf_volume *volume, struct udf_node *node,
                    const struct udf_dir_entry *entry);

/* Lets ".." lead to `parent`. */
void udf_dir_reparent(struct udf_volume *volume, struct udf_node *node,
                      const struct udf_node *parent);

/* `count` blocks of the stream from `block` on have a new place. */
void udf_dir_moved(struct udf_dir *dir, uint32_t block, uint32_t count);

/* Gives changed blocks their place, seals their FIDs for it and puts them into
 * the overlay; the node's entry is written after it. Returns 0; -ENOSPC;
 * -ENOMEM. Lock alone, committing thread. */
int udf_dir_write(struct udf_volume *volume, struct udf_node *node);

#endif
