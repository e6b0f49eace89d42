/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_space.c - the space bitmap of each partition against the blocks
 * that the walk claimed, both ways. ECMA-167 4/14.3, 4/14.12; UDF 2.60 2.3.3,
 * 2.3.8. Runs last.
 */
#include "udf/check_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "udf/decode.h"

enum {
    SBD_BYTES = 24,
    /* Runs that are reported one by one; a bitmap that was never written
     * would have very many. All are counted. */
    RUNS_REPORTED = 20,
    ACCESS_READ_ONLY = 1,
    ACCESS_WRITE_ONCE = 2
};

/* Copies the bits of `bytes` bitmap bytes, which begin at byte `at`, into
 * words. */
static void copy_bits(uint64_t *map, uint64_t at, const uint8_t *raw,
                      uint64_t bytes) {
    for (uint64_t i = 0; i < bytes; i++) {
        map[(at + i) / 8] |= (uint64_t)raw[i] << ((at + i) % 8 * 8);
    }
}

/* Where a bitmap's descriptor is: in one piece, or in a file. */
struct bitmap {
    struct udf_addr addr;
    const struct udf_extents *file; /* NULL: from addr on */
    uint64_t bytes;                 /* that there are of it */
};

/* Reads block `index`. Returns 0, -EUCLEAN (reported) or an error. */
static int read_block(struct udf_check *check, const struct bitmap *bitmap,
                      uint32_t index, uint8_t *block) {
    struct udf_addr addr = bitmap->addr;
    struct udf_extent piece;

    addr.lbn += index;
    if (bitmap->file) {
        if (udf_extents_map(bitmap->file, index, &piece)) {
            return -EUCLEAN; /* too short; reported with its entry */
        }
        addr = piece.addr;
    }
    return udf_check_read_block(check, addr, "space bitmap", block);
}

/* Reads the map behind the descriptor. Returns 0, -EUCLEAN (reported) or an
 * error. */
static int read_map(struct udf_check *check, const struct bitmap *bitmap,
                    uint32_t bytes, uint64_t *map) {
    uint8_t block[UDF_BLOCK_BYTES];
    uint64_t end = (uint64_t)SBD_BYTES + bytes;

    for (uint64_t at = 0; at < end; at += UDF_BLOCK_BYTES) {
        uint64_t skip = at == 0 ? SBD_BYTES : 0;
        uint64_t stop = end - at < sizeof(block) ? end - at : sizeof(block);
        int error =
            read_block(check, bitmap, (uint32_t)(at / UDF_BLOCK_BYTES), block);

        if (error) {
            return error;
        }
        copy_bits(map, at + skip - SBD_BYTES, block + skip, stop - skip);
    }
    return 0;
}

/* Reports every run in which `wrong` has bits, at block granularity. */
static void report_runs(struct udf_check *check, uint16_t part,
                        const uint64_t *wrong, uint32_t blocks,
                        const char *text) {
    uint64_t runs = 0, total = 0, from = 0;

    while ((from = mmc_bits_next_set(wrong, from, blocks)) < blocks) {
        uint64_t to = mmc_bits_next_clear(wrong, from, blocks);

        if (runs++ < RUNS_REPORTED) {
            udf_check_fault(check, "blocks %u:%llu to %llu %s", part,
                            (unsigned long long)from,
                            (unsigned long long)to - 1, text);
        }
        total += to - from;
        from = to;
    }
    if (runs > RUNS_REPORTED) {
        udf_check_fault(check,
                        "partition %u: %llu runs in all, %llu blocks, "
                        "%s",
                        part, (unsigned long long)runs,
                        (unsigned long long)total, text);
    }
}

/* Compares the bitmap `map` (1 = free) with what was claimed. Both are given
 * up: they are overwritten. */
static void compare(struct udf_check *check, uint16_t part, uint64_t *map) {
    uint32_t blocks = check->maps.map[part].blocks;
    uint64_t words = mmc_bits_words(blocks);
    uint64_t *used = check->used[part];
    uint64_t free_blocks = mmc_bits_count(map, 0, blocks);

    if (check->has_lvid && check->lvid.closed &&
        part < check->lvid.partitions &&
        check->lvid.free_blocks[part] != free_blocks) {
        udf_check_fault(check,
                        "LVID: %u blocks free in partition %u, its "
                        "bitmap has %llu (UDF 2.60 2.2.6.2)",
                        check->lvid.free_blocks[part], part,
                        (unsigned long long)free_blocks);
    }
    for (uint64_t i = 0; i < words; i++) {
        uint64_t marked = map[i];

        map[i] = used[i] & marked;
        used[i] = ~used[i] & ~marked;
    }
    report_runs(check, part, map, blocks,
                "are in use, but marked free (ECMA-167 4/14.12)");
    report_runs(check, part, used, blocks,
                "are marked used, but nothing uses them");
}

/* The bitmap of map `part`: its descriptor, then its bits. */
static int check_bitmap(struct udf_check *check, uint16_t part,
                        const struct bitmap *bitmap) {
    uint32_t lbn = bitmap->addr.lbn;
    uint32_t blocks = check->maps.map[part].blocks;
    uint32_t bits, bytes;
    uint8_t block[UDF_BLOCK_BYTES];
    uint64_t *map;
    int error = read_block(check, bitmap, 0, block);

    if (error) {
        return error;
    }
    if (!udf_check_tag(check, block, sizeof(block), UDF_TAG_SBD, lbn,
                       "space bitmap")) {
        return -EUCLEAN;
    }
    if (udf_decode_sbd(block, lbn, &bits, &bytes) || bits != blocks ||
        bytes != (uint32_t)(((uint64_t)bits + 7) / 8) ||
        (uint64_t)SBD_BYTES + bytes > bitmap->bytes ||
        (bitmap->file && (uint64_t)SBD_BYTES + bytes != bitmap->bytes)) {
        udf_check_fault(check,
                        "space bitmap of partition %u: bits and bytes "
                        "do not fit %u blocks (ECMA-167 4/14.12)",
                        part, blocks);
        return -EUCLEAN;
    }
    map = calloc(mmc_bits_words(blocks) + 1, sizeof(*map));
    if (!map) {
        return -ENOMEM;
    }
    error = read_map(check, bitmap, bytes, map);
    if (!error) {
        if (mmc_bits_next_set(map, blocks, (uint64_t)bytes * 8) <
            (uint64_t)bytes * 8) {
            udf_check_fault(check,
                            "space bitmap of partition %u: bits behind "
                            "the last block are not 0",
                            part);
        }
        compare(check, part, map);
    }
    free(map);
    return error;
}

static const struct udf_pd *pd_of(const struct udf_check *check,
                                  uint16_t part) {
    for (uint32_t i = 0; i < check->pds; i++) {
        if (check->pd[i].number == check->maps.map[part].number) {
            return &check->pd[i];
        }
    }
    return NULL;
}

/* The bitmap that a partition descriptor names. */
static int check_header_bitmap(struct udf_check *check, uint16_t part,
                               const struct udf_short_ad *ad) {
    const struct bitmap bitmap = {
        .addr = {.lbn = ad->lbn, .part = part},
        .bytes = ad->bytes,
    };

    udf_check_claim(check, bitmap.addr,
                    ((uint64_t)ad->bytes + UDF_BLOCK_BYTES - 1) /
                        UDF_BLOCK_BYTES,
                    "space bitmap");
    return check_bitmap(check, part, &bitmap);
}

static int check_physical(struct udf_check *check, uint16_t part) {
    const struct udf_pd *pd = pd_of(check, part);
    bool bitmap, table;

    if (!pd) {
        return 0;
    }
    bitmap = pd->unallocated_bitmap.bytes > 0;
    table = pd->unallocated_table.bytes > 0;
    if (pd->freed_table.bytes > 0 || pd->freed_bitmap.bytes > 0) {
        return -EOPNOTSUPP; /* space that must be erased before its use */
    }
    if (bitmap && !table) {
        return check_header_bitmap(check, part, &pd->unallocated_bitmap);
    }
    if (table && !bitmap) {
        return -EOPNOTSUPP;
    }
    if (bitmap ||
        (pd->access != ACCESS_READ_ONLY && pd->access != ACCESS_WRITE_ONCE)) {
        udf_check_fault(check,
                        "partition %u: needs either a space bitmap or "
                        "a space table (UDF 2.60 2.3.3)",
                        part);
    }
    return 0;
}

/* Metadata: the content of a file, and the blocks that it says are used are
 * the same in both copies. */
static int check_metadata(struct udf_check *check, uint16_t part) {
    const struct check_node *file = &check->metadata_bitmap;
    struct udf_extent first;
    struct bitmap bitmap = {.file = file->data, .bytes = file->info_bytes};
    int error = udf_check_mirror(check, part);

    if (error || file->file_type == 0) {
        return error;
    }
    if (!file->data || udf_extents_map(file->data, 0, &first)) {
        /* Embedded: nobody who can be named writes that. */
        return -EOPNOTSUPP;
    }
    bitmap.addr = first.addr;
    return check_bitmap(check, part, &bitmap);
}

static int check_partition(struct udf_check *check, uint16_t part) {
    switch (check->maps.map[part].kind) {
    case UDF_MAP_KIND_PHYSICAL:
    case UDF_MAP_KIND_SPARABLE:
        return check_physical(check, part);
    case UDF_MAP_KIND_METADATA:
        return check_metadata(check, part);
    case UDF_MAP_KIND_VIRTUAL:
    case UDF_MAP_KIND_UNKNOWN:
        break;
    }
    return 0;
}

int udf_check_space(struct udf_check *check) {
    int error = 0;

    for (uint32_t i = 0; i < check->maps.count && !error; i++) {
        error = check_partition(check, (uint16_t)i);
        error = error == -EUCLEAN ? 0 : error; /* reported; on to the next */
    }
    return error;
}
