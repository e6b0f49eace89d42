/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/extent.c - the list of extents of one file. Pure.
 *
 * The list is a plain sorted array: files on optical discs are kept in few
 * pieces, lookups are many and changes are rare, so that a binary search and a
 * memmove beat any tree. Every change is one splice: memory is made first,
 * then parts that leave are reported, then the array is changed, so that a
 * failure leaves list and owner as they were.
 *
 * Invariants: see the header. list_ok() asserts what can be asserted locally.
 */
#include "udf/extent.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "udf/bytes.h"

enum {
    TYPE_SHIFT = 30,
    SHORT_AD_BYTES = 8,
    LONG_AD_BYTES = 16,
    EXTENDED_AD_BYTES = 20
};

#define LENGTH_MASK 0x3FFFFFFFu
#define EXTENT_BLOCKS_MAX (UDF_EXTENT_BYTES_MAX / UDF_BLOCK_BYTES)
/* 2 PiB: more than any disc, and small enough for sums not to overflow. */
#define DECODE_BLOCKS_MAX ((uint64_t)1 << 40)

static uint64_t extent_end(const struct udf_extent *extent) {
    return extent->block + extent->count;
}

void udf_extents_free(struct udf_extents *extents) {
    free(extents->list);
    *extents = (struct udf_extents){0};
}

uint64_t udf_extents_end(const struct udf_extents *extents) {
    return extents->count ? extent_end(&extents->list[extents->count - 1]) : 0;
}

static uint64_t count_kind(const struct udf_extents *extents,
                           enum udf_extent_kind kind) {
    uint64_t blocks = 0;

    for (size_t i = 0; i < extents->count; i++) {
        if (extents->list[i].kind == kind) {
            blocks += extents->list[i].count;
        }
    }
    return blocks;
}

uint64_t udf_extents_recorded(const struct udf_extents *extents) {
    return count_kind(extents, UDF_EXTENT_RECORDED);
}

uint64_t udf_extents_allocated(const struct udf_extents *extents) {
    return count_kind(extents, UDF_EXTENT_ALLOCATED);
}

/* Index of the extent that covers `block`; extents->count past the end. */
static size_t find(const struct udf_extents *extents, uint64_t block) {
    size_t low = 0;
    size_t high = extents->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (extent_end(&extents->list[middle]) <= block) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The part of `extent` that lies in the blocks [from, to) of the file. */
static struct udf_extent part_of(const struct udf_extent *extent, uint64_t from,
                                 uint64_t to) {
    struct udf_extent part = *extent;
    uint64_t skip = from > extent->block ? from - extent->block : 0;
    uint64_t end = to < extent_end(extent) ? to : extent_end(extent);

    assert(extent->block + skip < end);
    part.block += skip;
    part.count = (uint32_t)(end - part.block);
    if (part.kind != UDF_EXTENT_HOLE) {
        part.addr.lbn += (uint32_t)skip;
    }
    return part;
}

int udf_extents_map(const struct udf_extents *extents, uint64_t block,
                    struct udf_extent *out_piece) {
    size_t i = find(extents, block);

    if (i == extents->count) {
        return -ENOENT;
    }
    *out_piece = part_of(&extents->list[i], block, UINT64_MAX);
    return 0;
}

int udf_extents_before(const struct udf_extents *extents, uint64_t block,
                       struct udf_extent *out_extent) {
    size_t i = find(extents, block);

    /* Neighbouring holes are one. */
    while (i > 0 && extents->list[i - 1].kind == UDF_EXTENT_HOLE) {
        i--;
    }
    if (i == 0) {
        return -ENOENT;
    }
    *out_extent = extents->list[i - 1];
    return 0;
}

static bool can_join(const struct udf_extent *left,
                     const struct udf_extent *right) {
    if (left->kind != right->kind || right->count > UINT32_MAX - left->count) {
        return false;
    }
    return left->kind == UDF_EXTENT_HOLE ||
           (left->addr.part == right->addr.part &&
            (uint64_t)left->addr.lbn + left->count == right->addr.lbn);
}

/* Restores invariant 2 among the extents [from, to]. */
static void join_range(struct udf_extents *extents, size_t from, size_t to) {
    struct udf_extent *list = extents->list;
    size_t kept = from;

    if (from >= extents->count) {
        return;
    }
    to = to < extents->count - 1 ? to : extents->count - 1;
    for (size_t i = from + 1; i <= to; i++) {
        if (can_join(&list[kept], &list[i])) {
            list[kept].count += list[i].count;
        } else {
            list[++kept] = list[i];
        }
    }
    memmove(&list[kept + 1], &list[to + 1],
            (extents->count - to - 1) * sizeof(*list));
    extents->count -= to - kept;
}

/* Makes room for `more` extents. Returns 0 or -ENOMEM. */
static int make_room(struct udf_extents *extents, size_t more) {
    size_t need = extents->count + more;
    size_t room = extents->room ? extents->room : 4;
    struct udf_extent *list;

    if (need <= extents->room) {
        return 0;
    }
    while (room < need) {
        room *= 2;
    }
    list = reallocarray(extents->list, room, sizeof(*list));
    if (!list) {
        return -ENOMEM;
    }
    extents->list = list;
    extents->room = room;
    return 0;
}

/* Extents that a hole of `blocks` blocks takes. */
static size_t hole_extents(uint64_t blocks) {
    return (size_t)(blocks / UINT32_MAX + (blocks % UINT32_MAX != 0));
}

/* Appends a hole up to `end`; there is room for it. */
static void append_hole(struct udf_extents *extents, uint64_t end) {
    size_t first = extents->count;
    uint64_t block = udf_extents_end(extents);

    while (block < end) {
        uint64_t left = end - block;
        struct udf_extent hole = {
            .block = block,
            .count = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX,
            .kind = UDF_EXTENT_HOLE,
        };

        extents->list[extents->count++] = hole;
        block += hole.count;
    }
    join_range(extents, first ? first - 1 : 0, extents->count);
}

/* Hands what lies in the blocks [from, to) to `drop`. */
static void drop_range(const struct udf_extents *extents, uint64_t from,
                       uint64_t to, udf_extent_drop *drop, void *context) {
    for (size_t i = find(extents, from);
         drop && i < extents->count && extents->list[i].block < to; i++) {
        struct udf_extent part = part_of(&extents->list[i], from, to);

        if (part.kind != UDF_EXTENT_HOLE) {
            drop(context, &part);
        }
    }
}

/* Replaces what covers the blocks of `piece`, which begins within the list or
 * right at its end; there is room for two extents more. */
static void splice(struct udf_extents *extents,
                   const struct udf_extent *piece) {
    struct udf_extent *list = extents->list;
    uint64_t end = extent_end(piece);
    size_t first = find(extents, piece->block);
    size_t last = find(extents, end); /* the first one that reaches past it */
    size_t tail = last;               /* first extent that stays as it is */
    struct udf_extent fresh[3];
    size_t n = 0;

    if (first < extents->count && list[first].block < piece->block) {
        fresh[n++] = part_of(&list[first], 0, piece->block);
    }
    fresh[n++] = *piece;
    if (last < extents->count && list[last].block < end) {
        fresh[n++] = part_of(&list[last], end, UINT64_MAX);
        tail = last + 1;
    }
    memmove(&list[first + n], &list[tail],
            (extents->count - tail) * sizeof(*list));
    memcpy(&list[first], fresh, n * sizeof(*list));
    extents->count = extents->count - (tail - first) + n;
    join_range(extents, first ? first - 1 : 0, first + n);
}

int udf_extents_put(struct udf_extents *extents, const struct udf_extent *piece,
                    udf_extent_drop *drop, void *context) {
    struct udf_extent wanted = *piece;
    uint64_t end = udf_extents_end(extents);
    uint64_t gap = piece->block > end ? piece->block - end : 0;

    assert(piece->count > 0 && piece->kind <= UDF_EXTENT_HOLE);
    assert(piece->block <= UINT64_MAX - piece->count);
    if (wanted.kind == UDF_EXTENT_HOLE) {
        wanted.addr = (struct udf_addr){0};
    }
    if (make_room(extents, hole_extents(gap) + 2)) {
        return -ENOMEM;
    }
    drop_range(extents, wanted.block, extent_end(&wanted), drop, context);
    append_hole(extents, piece->block);
    splice(extents, &wanted);
    return 0;
}

int udf_extents_turn(struct udf_extents *extents, uint64_t from, uint64_t to,
                     enum udf_extent_kind old, enum udf_extent_kind new) {
    struct udf_extent piece;

    assert(old != UDF_EXTENT_HOLE && new != UDF_EXTENT_HOLE);
    while (from < to && udf_extents_map(extents, from, &piece) == 0) {
        if (piece.count > to - from) {
            piece.count = (uint32_t)(to - from);
        }
        from += piece.count;
        if (piece.kind == old) {
            piece.kind = new;
            if (udf_extents_put(extents, &piece, NULL, NULL)) {
                return -ENOMEM;
            }
        }
    }
    return 0;
}

int udf_extents_resize(struct udf_extents *extents, uint64_t block,
                       udf_extent_drop *drop, void *context) {
    uint64_t end = udf_extents_end(extents);
    size_t i;

    if (block >= end) {
        if (make_room(extents, hole_extents(block - end))) {
            return -ENOMEM;
        }
        append_hole(extents, block);
        return 0;
    }
    drop_range(extents, block, end, drop, context);
    i = find(extents, block);
    if (extents->list[i].block < block) {
        extents->list[i] = part_of(&extents->list[i], 0, block);
        i++;
    }
    extents->count = i;
    /* What is left of the last one may now fit the count of the one before. */
    join_range(extents, i > 1 ? i - 2 : 0, i);
    return 0;
}

/* ---- allocation descriptors ------------------------------------------- */

uint32_t udf_ad_size(enum udf_ad_form form) {
    switch (form) {
    case UDF_AD_SHORT:
        return SHORT_AD_BYTES;
    case UDF_AD_LONG:
        return LONG_AD_BYTES;
    case UDF_AD_EXTENDED:
        return EXTENDED_AD_BYTES;
    case UDF_AD_EMBEDDED:
        break;
    }
    assert(false);
    return 0;
}

/* One descriptor in host form. */
struct ad {
    uint32_t bytes;
    enum udf_extent_kind kind;
    struct udf_addr addr;
    /* What extended ones say besides; else as much as `bytes`. */
    uint32_t recorded_bytes, info_bytes;
};

static struct ad ad_decode(enum udf_ad_form form, const uint8_t *raw,
                           uint16_t part) {
    uint32_t length = udf_get32(raw);
    bool extended = form == UDF_AD_EXTENDED; /* ECMA-167 4/14.14.3 */
    const uint8_t *addr = raw + (extended ? 12 : 4);
    struct ad ad = {
        .bytes = length & LENGTH_MASK,
        .kind = (enum udf_extent_kind)(length >> TYPE_SHIFT),
        .addr.lbn = udf_get32(addr),
        .addr.part = form == UDF_AD_SHORT ? part : udf_get16(addr + 4),
    };

    ad.recorded_bytes = extended ? udf_get32(raw + 4) : ad.bytes;
    ad.info_bytes = extended ? udf_get32(raw + 8) : ad.bytes;
    return ad;
}

static void ad_encode(enum udf_ad_form form, const struct ad *ad,
                      uint8_t *raw) {
    assert(form != UDF_AD_EXTENDED);
    memset(raw, 0, udf_ad_size(form));
    udf_put32(raw, ad->bytes | (uint32_t)ad->kind << TYPE_SHIFT);
    udf_put32(raw + 4, ad->addr.lbn);
    if (form == UDF_AD_LONG) {
        udf_put16(raw + 8, ad->addr.part);
    }
}

/* Appends the extent of `ad`. Returns 0, -EUCLEAN or -ENOMEM. */
static int append_ad(struct udf_extents *extents, const struct ad *ad) {
    uint64_t count =
        ((uint64_t)ad->bytes + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES;
    struct udf_extent piece = {
        .block = udf_extents_end(extents),
        .count = (uint32_t)count,
        .kind = ad->kind,
        .addr = ad->addr,
    };

    if (piece.block + count > DECODE_BLOCKS_MAX) {
        return -EUCLEAN;
    }
    if (ad->kind != UDF_EXTENT_HOLE &&
        ad->addr.lbn + count > (uint64_t)UINT32_MAX + 1) {
        return -EUCLEAN; /* wraps round the partition */
    }
    return udf_extents_put(extents, &piece, NULL, NULL);
}

/* Whether `ad` may follow an extent that ends within a block: only the file
 * tail may, or the pointer to more of it. ECMA-167 4/12.1. */
static bool may_follow_odd(const struct ad *ad) {
    return ad->kind == UDF_EXTENT_ALLOCATED || ad->kind == UDF_EXTENT_NEXT;
}

/* Whether the information is in the extent as it is, from its first byte. */
static bool is_plain(const struct ad *ad) {
    return ad->kind != UDF_EXTENT_RECORDED ||
           (ad->recorded_bytes == ad->info_bytes && ad->info_bytes > 0 &&
            ad->info_bytes <= ad->bytes);
}

static bool is_complete(const struct udf_ads *ads) {
    return udf_extents_end(ads->extents) >=
           ads->info_bytes / UDF_BLOCK_BYTES +
               (ads->info_bytes % UDF_BLOCK_BYTES != 0);
}

/* Enters one extent of the list. Behind the information length other writers
 * leave all kinds of things. Returns 0, -EUCLEAN or -ENOMEM. */
static int take_ad(struct udf_ads *ads, const struct ad *ad) {
    uint32_t info_bytes =
        ad->kind == UDF_EXTENT_RECORDED ? ad->info_bytes : ad->bytes;

    if (ads->odd && !may_follow_odd(ad) && !is_complete(ads)) {
        return -EUCLEAN;
    }
    if (ad->kind == UDF_EXTENT_NEXT) {
        ads->next = ad->addr;
        ads->more = true;
        return 0;
    }
    if (!is_plain(ad)) {
        return -EUCLEAN;
    }
    ads->odd = info_bytes % UDF_BLOCK_BYTES != 0 || info_bytes < ad->bytes;
    return append_ad(ads->extents, ad);
}

int udf_ads_decode(struct udf_ads *ads, const uint8_t *raw, uint32_t bytes) {
    uint64_t old_end = udf_extents_end(ads->extents);
    uint32_t size = udf_ad_size(ads->form);
    int error = 0;

    ads->more = false;
    for (uint32_t at = 0; bytes - at >= size && !ads->more && !error;
         at += size) {
        struct ad ad = ad_decode(ads->form, raw + at, ads->part);

        if (ad.bytes > 0) {
            error = take_ad(ads, &ad);
        } else if (is_complete(ads)) {
            break;
        }
    }
    if (error) {
        /* Shortening never needs memory. */
        (void)udf_extents_resize(ads->extents, old_end, NULL, NULL);
    }
    return error;
}

/* The next descriptor at `cursor`, which is moved behind it. The body ends
 * where `info_bytes` says; behind it only what is allocated has a form, as the
 * file's tail. Returns false at the end. */
static bool next_ad(const struct udf_extents *extents, uint64_t info_bytes,
                    struct udf_ad_cursor *cursor, struct ad *out_ad) {
    uint64_t body =
        info_bytes / UDF_BLOCK_BYTES + (info_bytes % UDF_BLOCK_BYTES != 0);

    while (cursor->index < extents->count) {
        const struct udf_extent *extent = &extents->list[cursor->index];
        uint64_t begin = extent->block + cursor->done;
        uint64_t count = extent->count - cursor->done;
        struct ad ad = {.kind = extent->kind, .addr = extent->addr};

        if (begin >= body && extent->kind != UDF_EXTENT_ALLOCATED) {
            *cursor = (struct udf_ad_cursor){.index = cursor->index + 1};
            continue;
        }
        if (count > EXTENT_BLOCKS_MAX) {
            count = EXTENT_BLOCKS_MAX;
        }
        if (begin < body && count > body - begin) {
            count = body - begin;
        }
        if (extent->kind != UDF_EXTENT_HOLE) {
            ad.addr.lbn += cursor->done;
        }
        ad.bytes = (uint32_t)count * UDF_BLOCK_BYTES;
        if (begin + count == body && info_bytes % UDF_BLOCK_BYTES != 0) {
            ad.bytes -=
                UDF_BLOCK_BYTES - (uint32_t)(info_bytes % UDF_BLOCK_BYTES);
        }
        cursor->done += (uint32_t)count;
        if (cursor->done == extent->count) {
            *cursor = (struct udf_ad_cursor){.index = cursor->index + 1};
        }
        *out_ad = ad;
        return true;
    }
    return false;
}

uint64_t udf_ads_bytes(enum udf_ad_form form, const struct udf_extents *extents,
                       uint64_t info_bytes) {
    struct udf_ad_cursor cursor = {0};
    uint64_t descriptors = 0;
    struct ad ad;

    while (next_ad(extents, info_bytes, &cursor, &ad)) {
        descriptors++;
    }
    return descriptors * udf_ad_size(form);
}

uint32_t udf_ads_encode(enum udf_ad_form form,
                        const struct udf_extents *extents, uint64_t info_bytes,
                        struct udf_ad_cursor *cursor, uint8_t *raw,
                        uint32_t room) {
    uint32_t size = udf_ad_size(form);
    uint32_t written = 0;
    struct ad ad;

    while (room - written >= size &&
           next_ad(extents, info_bytes, cursor, &ad)) {
        ad_encode(form, &ad, raw + written);
        written += size;
    }
    return written;
}

void udf_ad_encode_next(enum udf_ad_form form, const struct udf_addr *addr,
                        uint8_t *raw) {
    struct ad ad = {
        .bytes = UDF_BLOCK_BYTES, /* one block an AED: UDF 2.60 2.3.11 */
        .kind = UDF_EXTENT_NEXT,
        .addr = *addr,
    };

    ad_encode(form, &ad, raw);
}
