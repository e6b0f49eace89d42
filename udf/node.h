/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/node.h - a file in memory: attributes, content and directory index, and
 * its (extended) file entry on the disc. ECMA-167 4/14.9, 4/14.17.
 *
 * Life of a node:
 *
 *   udf_node_load()   udf_node_new()
 *        |                 |
 *        v    touch        v       udf_node_write() in a commit
 *      CLEAN -----------> DIRTY ------------------------------> CLEAN
 *        |                 |  last name removed
 *        |                 '----------------> ORPHAN (links 0; never written)
 *        v table full                            | last reference given back
 *     dropped                                    v
 *                                     content freed, dropped
 *
 * References from above are counted apart (udf/refs.h) and do not keep a clean
 * node in memory: its number leads to its file entry again.
 *
 * Invariants:
 *  1. A dirty node, an orphan, a pinned or preallocated node and the root are
 *     never dropped; no node is dropped within an operation, only at its end
 * (udf_nodes_trim).
 *  2. body.extents covers no block twice; every block it names is allocated in
 *     the volume's space as long as the node lives.
 *  3. body.embedded: the content is inline_data[0 .. size-1], and extents and
 *     dirty are empty. Otherwise inline_data is NULL.
 *  4. dir is NULL unless the node is a directory whose index is loaded; then
 *     the directory's content lives there, inline_data is NULL, and body.size
 *     is the length of that content.
 *  5. What a file's extents cover behind its size is allocated or a hole, never
 *     recorded: it reads as zeros when the file grows. ECMA-167 4/12.1.
 *
 * Locks: loading, changing and dropping need the volume lock alone; reading
 * needs it shared. `used` is atomic, because lookups set it under the shared
 * lock.
 */
#ifndef UDF_NODE_H
#define UDF_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "udf/desc.h"
#include "udf/dirty.h"
#include "udf/extent.h"
#include "udf/icb.h"
#include "udf/op.h"
#include "udf/refs.h"
#include "udf/udf.h"

struct udf_dir;
struct udf_node_loading;

/* Of the ICB's room that a creation time takes at most in a file entry. */
enum { UDF_NODE_BTIME_BYTES = 56 };

struct udf_attr {
    uint8_t file_type;
    uint16_t icb_flags;   /* without the form of descriptors */
    uint32_t permissions; /* as on the disc */
    uint32_t uid, gid;    /* UDF_ID_UNSET: not specified */
    uint16_t links;       /* FIDs that name the node, but the one in its stream
                             directory, which counts on the disc */
    uint64_t unique_id;
    dev_t rdev;
    struct udf_time atime, mtime, ctime, btime;
};

struct udf_body {
    uint64_t size; /* information length, bytes */
    bool embedded;
    bool preallocated;     /* we took blocks behind the end: fallocate(2) */
    enum udf_ad_form form; /* of the descriptors when not embedded */
    uint8_t *inline_data;  /* NULL while size is 0 */
    struct udf_extents extents;
    struct udf_dirty dirty;
    uint32_t *aed; /* blocks of continuation extents, in the ICB's partition */
    uint32_t aeds;
    uint32_t aeds_recorded; /* of them, from the first on */
    uint32_t reserved;      /* blocks set aside for `dirty` */
};

/* What of the file entry is kept as it was found. */
struct udf_kept {
    bool extended;                  /* EFE */
    uint16_t strategy, max_entries; /* of the ICB */
    uint32_t prior_entries;
    struct udf_addr parent_icb;
    uint32_t checkpoint;
    struct udf_long_ad ea_icb, stream_dir;
    uint64_t stream_bytes; /* object size less information length */
    uint8_t *ea;
    uint32_t ea_bytes;
    struct udf_entity *maker; /* of an entry whose links are in doubt, else
                                 NULL: udf/names.h */
};

struct udf_node {
    struct udf_node *hash_next;
    struct udf_node *ring_next, *ring_prev;   /* all nodes */
    struct udf_node *dirty_next, *dirty_prev; /* nodes to write */
    uint64_t ino;
    struct udf_addr icb;  /* as FIDs name it */
    struct udf_icb chain; /* where its file entry is, and older ones */
    atomic_bool used;     /* since udf_nodes_trim() last came by */
    bool dirty;           /* on the dirty list */
    bool orphan;          /* has no name any more */
    bool fresh;           /* nothing on the disc points to it */
    bool in_place;        /* dirty, and its entry takes the place of an older */
    uint32_t pins;        /* of those who need it in memory */
    struct udf_attr attr;
    struct udf_body body;
    struct udf_kept kept;
    struct udf_dir *dir;
    uint32_t target_bytes; /* of a symbolic link: as readlink(2) gives it */
};

/* All nodes of a volume. */
struct udf_nodes {
    struct udf_node **bucket;
    size_t buckets; /* a power of two */
    size_t count;
    struct udf_node *hand; /* where udf_nodes_trim() goes on */
    uint64_t dir_bytes;    /* memory of the directories that are loaded */
    bool held; /* nothing is dropped: a commit is on its way to the disc, and
                  may have to be changed when packets go bad */
    struct udf_refs refs;
    struct udf_node *dirty_first, *dirty_last; /* in the order of changes */
    size_t dirty_count;
    size_t in_place_count; /* of these: the journal has to hold their entries */
    uint64_t dirty_blocks; /* data blocks of all nodes */
    size_t orphans;
    struct udf_node_loading *loading; /* begun, and waiting for a block */
};

int udf_nodes_init(struct udf_nodes *nodes);
void udf_nodes_free(struct udf_nodes *nodes);

/* Enters a node; takes one out and frees its memory; frees the memory of one
 * that was never entered (NULL is accepted). Lock alone. */
void udf_nodes_add(struct udf_nodes *nodes, struct udf_node *node);
void udf_nodes_remove(struct udf_nodes *nodes, struct udf_node *node);
void udf_node_destroy(struct udf_nodes *nodes, struct udf_node *node);

/* Gives up a node that was not loaded to its end. Lock alone. */
void udf_nodes_drop_loading(struct udf_nodes *nodes);

/* Drops some of the nodes that were not used lately, if there are too many or
 * their directories take too much memory. For the end of an operation
 * (udf/op.c): pointers to nodes are stale afterwards. Lock alone. */
void udf_nodes_trim(struct udf_nodes *nodes);

/* The number of the object whose ICB is at `addr`. */
uint64_t udf_node_ino(const struct udf_volume *volume, struct udf_addr addr);

/* The address that belongs to the number `ino`. Returns 0; -ESTALE when no
 * block of this volume has that number. */
int udf_node_addr(const struct udf_volume *volume, uint64_t ino,
                  struct udf_addr *out_addr);

/* The node `ino` if it is in memory, else NULL. */
struct udf_node *udf_node_find(const struct udf_nodes *nodes, uint64_t ino);

/* Finds the node `ino` in memory or loads it. Returns 0; UDF_MISS; -ESTALE
 * when `ino` is no address of this volume; -EUCLEAN; -EIO. */
int udf_node_get(struct udf_op *op, uint64_t ino, struct udf_node **out_node);

/* The same by the address of the ICB. */
int udf_node_load(struct udf_op *op, struct udf_addr icb,
                  struct udf_node **out_node);

/* What a new node is. */
struct udf_node_seed {
    mode_t mode; /* type and permissions */
    uid_t uid;
    gid_t gid;
    dev_t rdev;
};

/* Makes a node with an ICB of its own, a new UniqueID, no links and no
 * content; dirty. Returns 0; -ENOSPC; -EOPNOTSUPP for a type that UDF lacks;
 * -ENOMEM. */
int udf_node_new(struct udf_op *op, const struct udf_node_seed *seed,
                 struct udf_node **out_node);

/* Makes a named stream (UDF_FILE_REGULAR) of `owner`, or a stream directory for
 * it, as udf_node_new(): only for udf/stream.c. Errors too, but -EOPNOTSUPP. */
int udf_node_new_stream(struct udf_op *op, const struct udf_node *owner,
                        enum udf_file_type type, struct udf_node **out_node);

/* Whether nothing of the node can change, because it or some of its content
 * lies in a partition where nothing does (udf/spaces.h). Returns 0 or -EROFS.
 * ECMA-167 3/10.5.7. Lock held. */
int udf_node_fixed(const struct udf_volume *volume,
                   const struct udf_node *node);

/* Puts the node on the list of what the next commit writes. */
void udf_node_touch(struct udf_volume *volume, struct udf_node *node);

/* Takes the node off that list. */
void udf_node_settled(struct udf_nodes *nodes, struct udf_node *node);

/* touch, and ctime becomes the operation's time (mtime too when asked). */
void udf_node_changed(struct udf_op *op, struct udf_node *node, bool content);

/* Called when the last reference from above to `ino` was given back: frees the
 * content of an orphan, and what was allocated behind the end of a file.
 * Returns 0 or UDF_MISS. */
int udf_node_forgotten(struct udf_op *op, uint64_t ino);

/* Makes an orphan of the node, whoever refers to it. Lock alone. */
void udf_node_orphan(struct udf_volume *volume, struct udf_node *node);

/* Frees the content of an orphan, and the node. Lock alone. */
void udf_node_end_orphan(struct udf_volume *volume, struct udf_node *node);

/* Called when the last name is gone: the node becomes an orphan, or is freed
 * at once when nobody refers to it; so does what hangs from it, as far as it is
 * in memory (udf_stream_hold() has seen to it). */
void udf_node_abandon(struct udf_volume *volume, struct udf_node *node);

/* Bytes that fit in the ICB behind its fixed part and attributes. */
uint32_t udf_node_inline_room(const struct udf_node *node);

/* Takes the continuation extents that the list needs once the object is `size`
 * bytes long: a hole is made in memory, but takes a descriptor for each GiB,
 * and a commit must not find that there is no room for them. Returns 0;
 * -ENOSPC; -ENOMEM. Lock alone. */
int udf_node_make_chain(struct udf_volume *volume, struct udf_node *node,
                        uint64_t size);

/* Encodes the node's ICB, and its continuation extents, into the overlay. The
 * extents must cover the size. Returns 0; -ENOSPC when a continuation finds no
 * room; -ENOMEM. Lock alone, committing thread. */
int udf_node_write(struct udf_volume *volume, struct udf_node *node);

/* udf_extent_drop callback: gives the piece's blocks back. `context` is the
 * volume. */
void udf_node_drop_piece(void *context, const struct udf_extent *piece);

/* The runs of blocks that its ICBs are: `i` from 0 to udf_node_runs() - 1. */
uint32_t udf_node_runs(const struct udf_node *node);
struct udf_icb_run udf_node_run(const struct udf_node *node, uint32_t i);

/* The space that the node's content comes from: a directory's is metadata. */
struct udf_space *udf_node_space(const struct udf_volume *volume,
                                 const struct udf_node *node);

bool udf_node_is_dir(const struct udf_node *node);

/* Whether its content is FIDs: directories and stream directories. */
bool udf_node_has_fids(const struct udf_node *node);

/* Whether it is anything that POSIX has: other types of files (ECMA-167
 * 4/14.6.6) have no business in a directory. */
bool udf_node_is_posix(const struct udf_node *node);

/* Whether it has content that users write: a regular or real-time file. */
bool udf_node_is_file(const struct udf_node *node);

/* Fills `out_stat` as stat(2) shows the node. */
void udf_node_stat(const struct udf_volume *volume, const struct udf_node *node,
                   struct udf_stat *out_stat);

/* Brings attr.btime into the extended attributes of a file entry, which has no
 * field for it; does nothing for an extended one. The caller has made sure of
 * UDF_NODE_BTIME_BYTES in the ICB, and touches the node. Returns 0; -EUCLEAN
 * when the attributes are malformed; -ENOMEM. */
int udf_node_keep_btime(const struct udf_volume *volume, struct udf_node *node);

#endif
