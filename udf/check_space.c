/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_space.c - the space bitmap or table of each partition against the
 * blocks that the walk claimed, both ways. ECMA-167 4/14.3, 4/14.11, 4/14.12;
 * UDF 2.60 2.3.3, 2.3.7, 2.3.8. Runs last.
 */
#include "udf/check_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "udf/decode.h"
#include "udf/spacetable.h"

enum {
    SBD_BYTES = 24,
    SHORT_AD_BYTES = 8,
    /* Runs that are reported one by one; a bitmap that was never written
     * would have very many. All are counted. */
    RUNS_REPORTED = 20,
    LOST_BLOCKS_MAX = 1 << 16 /* looked at for streams without an owner */
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

/* Whether `block` is the file entry of a stream directory. */
static bool is_stream_directory(const uint8_t *block, uint32_t lbn) {
    struct udf_fe fe;

    return udf_decode_fe(block, lbn, &fe) == 0 &&
           fe.file_type == UDF_FILE_STREAM_DIRECTORY;
}

/* Blocks that are marked used though nothing uses them may be streams whose
 * owner was deleted by a writer that knows no streams. Their owner is beyond
 * help, but they are no file that got lost: they are told apart, and claimed.
 */
static int find_lost_streams(struct udf_check *check, uint16_t part,
                             const uint64_t *map) {
    uint32_t blocks = check->maps.map[part].blocks;
    uint64_t lbn = 0, looked = 0;

    while (looked < LOST_BLOCKS_MAX &&
           (lbn = mmc_bits_next_clear(check->used[part], lbn, blocks)) <
               blocks) {
        struct udf_addr addr = {.lbn = (uint32_t)lbn, .part = part};
        uint8_t block[UDF_BLOCK_BYTES];
        uint32_t lba, run;
        int error = -EIO;

        if (mmc_bits_test(map, lbn)) {
            lbn = mmc_bits_next_clear(map, lbn, blocks);
            continue;
        }
        looked++;
        if (udf_partmap_lba(&check->maps, addr, 1, &lba, &run) == 0) {
            error = udf_check_read(check, lba, 1, block);
        }
        if (!error && is_stream_directory(block, addr.lbn)) {
            error = udf_check_lost_streams(check, addr);
        }
        if (udf_check_fatal(error)) {
            return error;
        }
        lbn++;
    }
    return 0;
}

/* Compares the bitmap `map` (1 = free) with what was claimed. Both are given
 * up: they are overwritten. */
static void compare(struct udf_check *check, uint16_t part, uint64_t *map) {
    uint32_t blocks = check->maps.map[part].blocks;
    uint64_t words = mmc_bits_words(blocks);
    uint64_t *used = check->used[part];

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

/* The LVID's count of free blocks; `freed` of them, which are to be erased
 * before they are written, may be left out: the text does not say. */
static void check_free(struct udf_check *check, uint16_t part, uint64_t blocks,
                       uint64_t freed) {
    const struct udf_lvid *lvid = &check->lvid;

    if (check->has_lvid && lvid->closed && part < lvid->partitions &&
        lvid->free_blocks[part] != blocks &&
        lvid->free_blocks[part] != blocks + freed) {
        udf_check_fault(check,
                        "LVID: %u blocks free in partition %u, its "
                        "bitmap has %llu (UDF 2.60 2.2.6.2)",
                        lvid->free_blocks[part], part,
                        (unsigned long long)blocks);
    }
}

/* The bitmap of map `part`: its descriptor, then its bits, into `map`. */
static int load_bitmap(struct udf_check *check, uint16_t part,
                       const struct bitmap *bitmap, uint64_t *map) {
    uint32_t lbn = bitmap->addr.lbn;
    uint32_t blocks = check->maps.map[part].blocks;
    uint32_t bits, bytes;
    uint8_t block[UDF_BLOCK_BYTES];
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
    error = read_map(check, bitmap, bytes, map);
    if (!error && mmc_bits_next_set(map, blocks, (uint64_t)bytes * 8) <
                      (uint64_t)bytes * 8) {
        udf_check_fault(check,
                        "space bitmap of partition %u: bits behind "
                        "the last block are not 0",
                        part);
    }
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

/* ---- tables -------------------------------------------------------------- */

/* A table while it is walked. */
struct table_walk {
    uint16_t part;
    uint64_t *map;
    uint64_t end; /* of the last run */
    struct udf_addr next;
    bool more;
};

/* One run of free blocks: they are sorted, apart, and whole blocks. UDF 2.60
 * 2.3.7 */
static void take_run(struct udf_check *check, struct table_walk *walk,
                     const struct udf_short_ad *ad) {
    uint64_t blocks = check->maps.map[walk->part].blocks;
    uint64_t count = ad->bytes / UDF_BLOCK_BYTES;

    if (ad->bytes % UDF_BLOCK_BYTES != 0 || ad->lbn < walk->end ||
        ad->lbn + count > blocks || ad->kind == UDF_EXTENT_HOLE) {
        udf_check_fault(check,
                        "space table of partition %u: %u bytes at %u are out "
                        "of order or no free blocks (UDF 2.60 2.3.7)",
                        walk->part, ad->bytes, ad->lbn);
    }
    if (ad->lbn < blocks) {
        walk->end = ad->lbn + count < blocks ? ad->lbn + count : blocks;
        mmc_bits_set_range(walk->map, ad->lbn, walk->end);
    }
}

static void take_runs(struct udf_check *check, struct table_walk *walk,
                      const uint8_t *ads, uint32_t bytes) {
    walk->more = false;
    for (uint32_t at = 0; at + SHORT_AD_BYTES <= bytes; at += SHORT_AD_BYTES) {
        struct udf_short_ad ad = udf_short_ad_decode(ads + at);

        if (ad.bytes == 0) {
            return;
        }
        if (ad.kind == UDF_EXTENT_NEXT) {
            walk->next = (struct udf_addr){.lbn = ad.lbn, .part = walk->part};
            walk->more = true;
            return;
        }
        take_run(check, walk, &ad);
    }
}

/* Goes on in an allocation extent descriptor. */
static int take_more(struct udf_check *check, struct table_walk *walk) {
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_aed aed;
    int error;

    if (!udf_check_claim(check, walk->next, 1, "space table")) {
        return -EUCLEAN; /* or a list could go round */
    }
    error = udf_check_read_block(check, walk->next, "space table", block);
    if (error) {
        return error;
    }
    if (!udf_check_tag(check, block, sizeof(block), UDF_TAG_AED, walk->next.lbn,
                       "space table") ||
        udf_decode_aed(block, walk->next.lbn, &aed)) {
        return -EUCLEAN;
    }
    take_runs(check, walk, aed.ads, aed.ads_bytes);
    return 0;
}

static int walk_table(struct udf_check *check, struct table_walk *walk,
                      struct udf_addr addr) {
    uint8_t block[UDF_BLOCK_BYTES];
    const uint8_t *ads;
    uint32_t bytes;
    int error = udf_check_read_block(check, addr, "space table", block);

    if (error) {
        return error;
    }
    if (!udf_check_tag(check, block, sizeof(block), UDF_TAG_USE, addr.lbn,
                       "space table")) {
        return -EUCLEAN;
    }
    if (udf_spacetable_decode(block, addr.lbn, &ads, &bytes)) {
        udf_check_fault(check,
                        "space table of partition %u is malformed (UDF 2.60 "
                        "2.3.7)",
                        walk->part);
        return -EUCLEAN;
    }
    take_runs(check, walk, ads, bytes);
    while (!error && walk->more) {
        error = take_more(check, walk);
    }
    return error;
}

/* ---- partitions ---------------------------------------------------------- */

/* A bitmap or a table that a partition descriptor names, into `map`. */
static int load_record(struct udf_check *check, uint16_t part,
                       const struct udf_short_ad *bitmap,
                       const struct udf_short_ad *table, uint64_t *map) {
    struct table_walk walk = {.part = part, .map = map};
    struct bitmap whole = {.addr = {.lbn = bitmap->lbn, .part = part},
                           .bytes = bitmap->bytes};
    struct udf_addr addr = {.lbn = table->lbn, .part = part};

    if (bitmap->bytes > 0) {
        udf_check_claim(check, whole.addr,
                        ((uint64_t)bitmap->bytes + UDF_BLOCK_BYTES - 1) /
                            UDF_BLOCK_BYTES,
                        "space bitmap");
        return load_bitmap(check, part, &whole, map);
    }
    udf_check_claim(check, addr, 1, "space table");
    return walk_table(check, &walk, addr);
}

/* Adds what is free once it was erased to `map`, which has what is free now.
 * UDF 2.60 2.3.3 */
static int add_freed(struct udf_check *check, uint16_t part,
                     const struct udf_pd *pd, uint64_t *map,
                     uint64_t *out_freed) {
    uint64_t words = mmc_bits_words(check->maps.map[part].blocks);
    uint64_t *freed = calloc(words + 1, sizeof(*freed));
    uint64_t both = 0;
    int error = freed ? load_record(check, part, &pd->freed_bitmap,
                                    &pd->freed_table, freed)
                      : -ENOMEM;

    for (uint64_t i = 0; !error && i < words; i++) {
        both += (uint64_t)__builtin_popcountll(map[i] & freed[i]);
        map[i] |= freed[i];
    }
    if (!error) {
        *out_freed = mmc_bits_count(freed, 0, check->maps.map[part].blocks);
    }
    if (both > 0) {
        udf_check_fault(check,
                        "partition %u: %llu blocks are freed and unallocated "
                        "(ECMA-167 4/10.1)",
                        part, (unsigned long long)both);
    }
    free(freed);
    return error;
}

/* What says which blocks are free. Returns whether something does. */
static bool check_records(struct udf_check *check, uint16_t part,
                          const struct udf_pd *pd) {
    bool bitmap = pd->unallocated_bitmap.bytes > 0;
    bool table = pd->unallocated_table.bytes > 0;
    bool writable = pd->access != UDF_ACCESS_READ_ONLY &&
                    pd->access != UDF_ACCESS_WRITE_ONCE &&
                    pd->access != UDF_ACCESS_PSEUDO_OVERWRITABLE;

    if (bitmap ? table : !table && writable) {
        udf_check_fault(check,
                        "partition %u: needs either a space bitmap or "
                        "a space table (UDF 2.60 2.3.3)",
                        part);
    }
    if (pd->freed_bitmap.bytes > 0 && pd->freed_table.bytes > 0) {
        udf_check_fault(check,
                        "partition %u: freed space in a bitmap and in a table "
                        "(UDF 2.60 2.3.3)",
                        part);
    }
    return bitmap || table;
}

static int load_physical(struct udf_check *check, uint16_t part, uint64_t *map,
                         bool *out_known) {
    const struct udf_pd *pd = pd_of(check, part);
    uint64_t blocks, freed = 0;
    int error;

    if (!pd || !check_records(check, part, pd)) {
        return 0;
    }
    error = load_record(check, part, &pd->unallocated_bitmap,
                        &pd->unallocated_table, map);
    blocks = mmc_bits_count(map, 0, check->maps.map[part].blocks);
    if (!error && (pd->freed_bitmap.bytes > 0 || pd->freed_table.bytes > 0)) {
        error = add_freed(check, part, pd, map, &freed);
    }
    if (!error) {
        check_free(check, part, blocks, freed);
        *out_known = true;
    }
    return error;
}

/* Metadata: the content of a file. */
static int load_metadata(struct udf_check *check, uint16_t part, uint64_t *map,
                         bool *out_known) {
    const struct check_node *file = &check->metadata_bitmap;
    struct udf_extent first;
    struct bitmap bitmap = {.file = file->data, .bytes = file->info_bytes};
    int error;

    if (file->file_type == 0) {
        return 0;
    }
    if (!file->data || udf_extents_map(file->data, 0, &first)) {
        /* Embedded: nobody who can be named writes that. */
        return -EOPNOTSUPP;
    }
    bitmap.addr = first.addr;
    error = load_bitmap(check, part, &bitmap, map);
    if (!error) {
        check_free(check, part,
                   mmc_bits_count(map, 0, check->maps.map[part].blocks), 0);
        *out_known = true;
    }
    return error;
}

/* Reads what is free in a partition. *out_known: something says it. */
static int load_free(struct udf_check *check, uint16_t part, uint64_t *map,
                     bool *out_known) {
    switch (check->maps.map[part].kind) {
    case UDF_MAP_KIND_PHYSICAL:
    case UDF_MAP_KIND_SPARABLE:
        return load_physical(check, part, map, out_known);
    case UDF_MAP_KIND_METADATA:
        return load_metadata(check, part, map, out_known);
    case UDF_MAP_KIND_VIRTUAL:
    case UDF_MAP_KIND_UNKNOWN:
        break;
    }
    return 0;
}

/* What is free in all partitions: a bit a block, NULL where nothing says so. */
struct free_maps {
    uint64_t *of[UDF_PARTMAPS_MAX];
};

static int load_all(struct udf_check *check, struct free_maps *maps) {
    for (uint32_t i = 0; i < check->maps.count; i++) {
        uint64_t words = mmc_bits_words(check->maps.map[i].blocks) + 1;
        bool known = false;
        int error;

        maps->of[i] = calloc(words, sizeof(uint64_t));
        error = maps->of[i] ? load_free(check, (uint16_t)i, maps->of[i], &known)
                            : -ENOMEM;
        if (!known) {
            free(maps->of[i]);
            maps->of[i] = NULL;
        }
        if (error && error != -EUCLEAN) {
            return error;
        }
    }
    return 0;
}

/* The records first: blocks that they take, and streams that nobody owns, are
 * in use in whatever partition they are. */
static int check_all(struct udf_check *check, struct free_maps *maps) {
    int error = load_all(check, maps);

    for (uint32_t i = 0; !error && i < check->maps.count; i++) {
        if (maps->of[i]) {
            error = find_lost_streams(check, (uint16_t)i, maps->of[i]);
        }
    }
    for (uint32_t i = 0; !error && i < check->maps.count; i++) {
        if (check->maps.map[i].kind == UDF_MAP_KIND_METADATA) {
            error = udf_check_mirror(check, (uint16_t)i);
        }
        if (!error && maps->of[i]) {
            compare(check, (uint16_t)i, maps->of[i]);
        }
    }
    return error;
}

int udf_check_space(struct udf_check *check) {
    struct free_maps maps = {0};
    int error = check_all(check, &maps);

    for (uint32_t i = 0; i < UDF_PARTMAPS_MAX; i++) {
        free(maps.of[i]);
    }
    return error;
}
