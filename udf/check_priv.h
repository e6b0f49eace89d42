/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_priv.h - what the files of the checker share; for udf/check*.c
 * only.
 *
 *   check.c         faults, reading, tags, claims of blocks; runs the parts
 *   check_volume.c  recognition, anchors, descriptor sequences, prevailing
 *   check_maps.c    partitions, sparing tables, regions that may not overlap
 *   check_metadata.c  the files of a metadata partition, and its copies
 *   check_lvid.c    integrity sequence
 *   check_vat.c     the table of a virtual partition
 *   check_node.c    one file entry: fields, allocation descriptors
 *   check_ea.c      its extended attributes
 *   check_tree.c    file set, streams, link counts, UniqueIDs
 *   check_dir.c     one directory and its FIDs
 *   check_space.c   space bitmap against what was claimed
 *   check_table.c   hash table
 *
 * Two kinds of trouble are kept apart: a *fault* is something wrong on the
 * disc; it is reported, counted, and the walk goes on where it can. An *error*
 * (negative errno) is that the walk itself cannot go on.
 *
 * The walk ends on any input: every block of a partition is claimed once, and
 * structure is followed only into blocks that were not claimed before.
 */
#ifndef UDF_CHECK_PRIV_H
#define UDF_CHECK_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "udf/bytes.h"
#include "udf/check.h"
#include "udf/desc.h"
#include "udf/extent.h"
#include "udf/own.h"
#include "udf/partmap.h"
#include "udf/vat.h"

struct udf_fid;
struct udf_tag;

/* u64 -> u32; see check_table.c. Zeroed is empty. */
struct check_table {
    struct check_slot *slots;
    uint32_t room, count;
};

enum { CHECK_SEQUENCE_MAX = 64, CHECK_REGIONS_MAX = 8500 };

/* One descriptor sequence as it was read. */
struct check_sequence {
    uint32_t count;
    struct {
        uint16_t id;
        uint32_t lba;
    } at[CHECK_SEQUENCE_MAX];
    bool terminated;
};

/* Sectors outside the partitions that something owns. */
struct check_region {
    const char *name;
    uint32_t lba;
    uint64_t blocks;
};

/* What a file entry is for; decides which rules hold. */
enum check_role {
    CHECK_ROOT,
    CHECK_NORMAL,
    CHECK_SYSTEM_DIR, /* the system stream directory */
    CHECK_STREAM_DIR,
    CHECK_STREAM,
    CHECK_LOST_DIR, /* a stream directory whose owner is gone */
    CHECK_EA_FILE,
    CHECK_METADATA, /* a file of the metadata partition */
    CHECK_VAT
};

/* One ICB that was found. */
struct check_node {
    struct udf_addr addr;
    enum check_role role;
    uint8_t file_type; /* 0: the file entry is unreadable */
    bool has_streams;
    bool system;   /* flag of its ICB */
    bool id_named; /* a FID with the file entry's UniqueID was seen */
    uint16_t links;
    uint32_t parent;  /* index of the directory, of the owner for streams */
    uint32_t names;   /* FIDs that name it */
    uint32_t subdirs; /* directories whose parent it is */
    uint64_t unique_id;
    uint64_t info_bytes, object_bytes; /* object_bytes: extended only */
    uint64_t stream_bytes;             /* of its named streams */
    uint64_t recorded;                 /* blocks, as it says */
    bool extended, embedded;
    bool shares; /* its blocks are the metadata file's: they are not claimed */
    struct udf_extents *data; /* of directories, until they are walked, and
                                 of what a partition is made of */
};

/* A name whose UniqueID is not its file entry's. */
struct check_extra_id {
    uint32_t id, dir;
};

struct udf_check {
    struct blockdev *dev;
    struct udf_check_options options;
    udf_check_report *report;
    void *context;
    struct udf_check_result result;

    uint16_t tag_version; /* of the whole volume, 0 = not known yet */
    uint16_t nsr;         /* 2 or 3, from the recognition sequence; 0: none */
    uint16_t needs;       /* the revision that understands all that was seen */
    uint32_t anchors;
    struct udf_avdp avdp;
    struct udf_pvd pvd;
    struct udf_iuvd iuvd;
    struct udf_lvd lvd;
    uint32_t lvd_lba;
    struct udf_usd usd;
    uint32_t pds;
    struct udf_pd pd[UDF_PARTMAPS_MAX];
    struct udf_own own; /* journal and wear ledger */
    bool has_pvd, has_iuvd, has_lvd, has_usd, has_lvid, has_own;
    struct udf_lvid lvid;
    struct udf_fsd fsd;
    struct udf_partmaps maps;

    uint32_t regions;
    struct check_region region[CHECK_REGIONS_MAX];

    struct check_node metadata_bitmap; /* file_type 0: there is none */
    struct udf_vat vat;

    uint64_t *used[UDF_PARTMAPS_MAX]; /* claimed blocks, a bit a block */

    struct check_node *nodes;
    uint32_t node_count, node_room;
    uint32_t *pending; /* directories to walk, a stack */
    uint32_t pending_count, pending_room;
    struct check_table node_of; /* address -> node */
    struct check_table ids;     /* UniqueIDs of file entries */
    struct check_extra_id *extra;
    uint32_t extra_count, extra_room;
    uint64_t highest_id;
};

/* The metadata partition's reference, or UDF_PARTMAPS_MAX. */
static inline uint16_t check_metadata_part(const struct udf_check *check) {
    for (uint16_t i = 0; i < check->maps.count; i++) {
        if (check->maps.map[i].kind == UDF_MAP_KIND_METADATA) {
            return i;
        }
    }
    return UDF_PARTMAPS_MAX;
}

/* Something was seen that needs at least this revision to be understood. */
static inline void udf_check_needs(struct udf_check *check, uint16_t revision) {
    check->needs = revision > check->needs ? revision : check->needs;
}

static inline uint64_t check_addr_key(struct udf_addr addr) {
    return (uint64_t)addr.part << 32 | addr.lbn;
}

static inline bool check_is_directory(const struct check_node *node) {
    return node->file_type == UDF_FILE_DIRECTORY ||
           node->file_type == UDF_FILE_STREAM_DIRECTORY;
}

/* ---- check.c ------------------------------------------------------------ */

/* Counts and reports one fault. */
void udf_check_fault(struct udf_check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads `count` blocks. Returns 0; -EIO when the medium says so or an address
 * lies beyond it, which is the caller's fault to report; or an error that
 * ends the walk (udf_check_fatal()). */
int udf_check_read(struct udf_check *check, uint32_t lba, uint32_t count,
                   void *buf);
bool udf_check_fatal(int error);

/* Reads one block of a partition. Reports what cannot be read, as `what`.
 * Returns 0, -EUCLEAN (reported), or an error. */
int udf_check_read_block(struct udf_check *check, struct udf_addr addr,
                         const char *what, uint8_t *block);

/* Checks the tag at `desc`, which may be `bytes` long: checksum, CRC,
 * version, identifier and location. Reports; returns whether it is good. */
bool udf_check_tag(struct udf_check *check, const uint8_t *desc, uint32_t bytes,
                   enum udf_tag_id id, uint32_t location, const char *what);

/* Claims blocks for `what`, and reports those that are claimed already or lie
 * beyond the partition. Returns whether all of them were free to claim. */
bool udf_check_claim(struct udf_check *check, struct udf_addr addr,
                     uint64_t count, const char *what);

/* Makes room for one more in a growing array of `size`-byte items. Returns 0
 * or -ENOMEM. */
int udf_check_grow(void **array, uint32_t *room, uint32_t count, size_t size);

static inline bool udf_check_is_zero(const uint8_t *raw, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if (raw[i]) {
            return false;
        }
    }
    return true;
}

/* ---- check_table.c ------------------------------------------------------- */

bool udf_check_table_get(const struct check_table *table, uint64_t key,
                         uint32_t *out_value);
/* Adds a key that is not there yet. Returns 0, -EEXIST or -ENOMEM. */
int udf_check_table_add(struct check_table *table, uint64_t key,
                        uint32_t value);
void udf_check_table_free(struct check_table *table);

/* ---- the parts; each returns 0 or an error ------------------------------- */

/* Recognition, anchors, sequences. -EMEDIUMTYPE: no UDF; -EUCLEAN: nothing
 * can be walked (reported). */
int udf_check_volume(struct udf_check *check);
/* Partitions, maps, sparing tables. -EUCLEAN as above; -EOPNOTSUPP. */
int udf_check_maps(struct udf_check *check);
/* Whether a partition map is virtual: the medium is appended to. */
bool udf_check_is_virtual(const struct udf_check *check);
/* The descriptor of partition `number`, which every map before
 * check->maps.count has; NULL = none. */
const struct udf_pd *udf_check_find_pd(const struct udf_check *check,
                                       uint16_t number);
/* Notes that `blocks` sectors at `lba` belong to `name`. */
void udf_check_region(struct udf_check *check, const char *name, uint32_t lba,
                      uint64_t blocks);
/* Reports regions that overlap each other or a partition. */
void udf_check_regions(struct udf_check *check);
/* Fills in metadata map `i`, whose physical map is known. Returns 0, -EUCLEAN
 * (reported) or an error. */
int udf_check_metadata(struct udf_check *check, uint32_t i);
/* Compares the copies of the blocks of metadata partition `part` that are
 * claimed. */
int udf_check_mirror(struct udf_check *check, uint16_t part);
/* Finds the table of virtual map `i`, whose physical map is known, and fills in
 * the map. Returns 0, -EUCLEAN (reported) or an error. */
int udf_check_vat(struct udf_check *check, uint32_t i);
int udf_check_lvid(struct udf_check *check);
/* Counts, UniqueIDs and revisions against what was seen of the tree. */
void udf_check_lvid_counts(struct udf_check *check);
int udf_check_tree(struct udf_check *check);
/* Bitmaps, and the counts that the LVID keeps of them. */
int udf_check_space(struct udf_check *check);

/* ---- check_node.c -------------------------------------------------------- */

/* Reads and checks the file entry of `node` (address, role and parent are
 * set), claims its blocks and fills in the rest. `out_streams` gets the
 * stream directory's ICB, `out_ea` the EA file's, zero lengths when there is
 * none. Returns 0 (file_type 0: broken, reported) or an error. */
int udf_check_node(struct udf_check *check, struct check_node *node,
                   struct udf_long_ad *out_streams, struct udf_long_ad *out_ea);

/* ---- check_ea.c -----------------------------------------------------------
 */

/* The extended attributes in a file entry at block `lbn`, called `name`. */
void udf_check_attributes(struct udf_check *check, uint32_t lbn,
                          const struct udf_fe *fe, const char *name);

/* ---- check_tree.c -------------------------------------------------------- */

/* Reads the file entry at `addr`, which was not seen before, with what hangs
 * from it; directories wait to be walked. Returns 0 or an error. */
int udf_check_add_node(struct udf_check *check, struct udf_addr addr,
                       enum check_role role, uint32_t parent,
                       uint32_t *out_index);

/* Walks a stream directory at `addr` that nothing refers to. Returns 0 or an
 * error. */
int udf_check_lost_streams(struct udf_check *check, struct udf_addr addr);

/* Whether `icb` can name a file entry; reports if not. */
bool udf_check_icb(struct udf_check *check, const struct udf_long_ad *icb,
                   const char *what);

/* ---- check_dir.c --------------------------------------------------------- */

/* Walks the FIDs of node `index`, adding what they name. Returns 0 or an
 * error. */
int udf_check_walk_directory(struct udf_check *check, uint32_t index);

#endif
