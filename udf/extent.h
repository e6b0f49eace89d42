/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/extent.h - the list of extents of one file, in memory and as allocation
 * descriptors. Pure. ECMA-167 4/12 and 4/14.14, UDF 2.60 2.3.10.
 *
 * Invariants of a list:
 *  1. Sorted by `block`, without gaps: list[0].block is 0, and each extent
 *     begins where the one before it ends (holes are extents of their own).
 *  2. No extent has count 0; neighbours that could be one are one.
 *  3. `part` and `lbn` are 0 for holes.
 */
#ifndef UDF_EXTENT_H
#define UDF_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "udf/desc.h"

enum udf_extent_kind { /* the two upper bits of an extent length */
                       UDF_EXTENT_RECORDED = 0,
                       UDF_EXTENT_ALLOCATED =
                           1, /* not recorded: reads as zeros */
                       UDF_EXTENT_HOLE = 2,
                       UDF_EXTENT_NEXT =
                           3 /* continuation; only in raw descriptors */
};

struct udf_extent {
    uint64_t block; /* first block within the file */
    uint32_t count; /* blocks */
    enum udf_extent_kind kind;
    struct udf_addr addr; /* first block on the disc */
};

struct udf_extents {
    struct udf_extent *list;
    size_t count, room;
};

/* Told of every piece (never a hole) that leaves a list. */
typedef void udf_extent_drop(void *context, const struct udf_extent *piece);

void udf_extents_free(struct udf_extents *extents);

/* Blocks that the list covers, holes included. */
uint64_t udf_extents_end(const struct udf_extents *extents);

/* Number of blocks of kind UDF_EXTENT_RECORDED. */
uint64_t udf_extents_recorded(const struct udf_extents *extents);

/* Number of blocks of kind UDF_EXTENT_ALLOCATED. */
uint64_t udf_extents_allocated(const struct udf_extents *extents);

/* Gives the piece from `block` to the end of its extent. Returns 0 or -ENOENT
 * past the end. O(log n). */
int udf_extents_map(const struct udf_extents *extents, uint64_t block,
                    struct udf_extent *out_piece);

/* Gives the last extent before `block` that is no hole; what covers `block`
 * itself must be a hole or nothing. Returns 0 or -ENOENT. O(log n). */
int udf_extents_before(const struct udf_extents *extents, uint64_t block,
                       struct udf_extent *out_extent);

/* Puts `piece` in place of what covers its blocks, with a hole before it when
 * it begins past the end. Parts that are replaced go to `drop` (NULL: to
 * nobody). Returns 0 or -ENOMEM (nothing changed, nothing dropped). */
int udf_extents_put(struct udf_extents *extents, const struct udf_extent *piece,
                    udf_extent_drop *drop, void *context);

/* Cuts everything from `block` on; lengthens with a hole when the list ends
 * before. Returns 0 or -ENOMEM. */
int udf_extents_resize(struct udf_extents *extents, uint64_t block,
                       udf_extent_drop *drop, void *context);

/* Makes what has the kind `old` in the blocks [from, to) be of the kind `new`,
 * neither of them UDF_EXTENT_HOLE; blocks stay where they are. Returns 0 or
 * -ENOMEM, with some of them changed. */
int udf_extents_turn(struct udf_extents *extents, uint64_t from, uint64_t to,
                     enum udf_extent_kind old, enum udf_extent_kind new);

/* Reads the allocation descriptors of one file, area by area. The caller
 * fills in the first four; the rest begins as zeros. */
struct udf_ads {
    enum udf_ad_form form;
    uint16_t part;               /* of short descriptors: the ICB's */
    uint64_t info_bytes;         /* information length of the file */
    struct udf_extents *extents; /* where they are appended */
    bool odd;                    /* the last one ended within a block */
    bool more;                   /* the list goes on in the AED at `next` */
    struct udf_addr next;
};

/* Appends the descriptors in `raw`, one allocation descriptor area. Reading
 * stops at a continuation, and at a zero length when the list covers the
 * information length; zero lengths before that are passed over, as some
 * readers do and some writers count on. Returns 0; -EUCLEAN (a length that is
 * no multiple of a block before the last; content that is not recorded as it
 * is, which extended descriptors can say; more blocks than 2^40); -ENOMEM.
 * After an error nothing of the area is in the list. */
int udf_ads_decode(struct udf_ads *ads, const uint8_t *raw, uint32_t bytes);

/* Walks a list while its descriptors are written; begin with zeros. */
struct udf_ad_cursor {
    size_t index;
    uint32_t done; /* blocks of list[index] already written */
};

/* Bytes that the list of a file of `info_bytes` bytes takes in `form`, without
 * continuations. */
uint64_t udf_ads_bytes(enum udf_ad_form form, const struct udf_extents *extents,
                       uint64_t info_bytes);

/* Writes descriptors from `cursor` on into at most `room` bytes and moves it.
 * The body's last one has its length cut to `info_bytes`; what is allocated
 * behind that becomes the file's tail (ECMA-167 4/12.1), anything else there
 * is left out. Returns bytes written. */
uint32_t udf_ads_encode(enum udf_ad_form form,
                        const struct udf_extents *extents, uint64_t info_bytes,
                        struct udf_ad_cursor *cursor, uint8_t *raw,
                        uint32_t room);

/* Size of one descriptor of `form`: 8, 16 or 20 bytes. Extended ones are read
 * only: UDF 2.60 2.3.10 forbids them. */
uint32_t udf_ad_size(enum udf_ad_form form);

/* Writes a continuation descriptor to the block at `addr`. */
void udf_ad_encode_next(enum udf_ad_form form, const struct udf_addr *addr,
                        uint8_t *raw);

#endif
