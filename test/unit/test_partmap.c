/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test_partmap.c - every kind of partition map, and tables that lie.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf/partmap.h"

static struct udf_partmaps *new_maps(uint32_t count) {
    struct udf_partmaps *maps = calloc(1, sizeof(*maps));

    assert_non_null(maps);
    maps->count = count;
    return maps;
}

static void free_maps(struct udf_partmaps *maps) {
    udf_partmaps_free(maps);
    free(maps);
}

static void set_physical(struct udf_partmap *map, uint32_t start,
                         uint32_t blocks) {
    map->kind = UDF_MAP_KIND_PHYSICAL;
    map->start_lba = start;
    map->blocks = blocks;
}

/* Maps and compares; `error` is what to expect. */
static void expect(const struct udf_partmaps *maps, uint16_t part, uint32_t lbn,
                   uint32_t count, int error, uint32_t lba, uint32_t run) {
    struct udf_addr addr = {.lbn = lbn, .part = part};
    uint32_t got_lba = 12345, got_run = 54321;

    assert_int_equal(udf_partmap_lba(maps, addr, count, &got_lba, &got_run),
                     error);
    assert_int_equal(got_lba, error ? 12345 : lba);
    assert_int_equal(got_run, error ? 54321 : run);
}

static void test_partmap_physical(void **state) {
    struct udf_partmaps *maps = new_maps(1);

    (void)state;
    set_physical(&maps->map[0], 272, 100);
    expect(maps, 0, 0, 1, 0, 272, 1);
    expect(maps, 0, 99, 1, 0, 371, 1);
    expect(maps, 0, 90, 50, 0, 362, 10);
    expect(maps, 0, 100, 1, -EUCLEAN, 0, 0);
    expect(maps, 0, 0, 0, -EUCLEAN, 0, 0);
    expect(maps, 1, 0, 1, -EUCLEAN, 0, 0);
    expect(maps, 0xFFFF, 0, 1, -EUCLEAN, 0, 0);
    free_maps(maps);
}

static void test_partmap_refuses_wrap(void **state) {
    struct udf_partmaps *maps = new_maps(1);

    (void)state;
    set_physical(&maps->map[0], 0xFFFFFFF0u, 0xFFFFFFFFu);
    expect(maps, 0, 15, 1, 0, 0xFFFFFFFFu, 1);
    expect(maps, 0, 15, 2, -EUCLEAN, 0, 0);
    expect(maps, 0, 0xFFFFFFFEu, 1, -EUCLEAN, 0, 0);
    free_maps(maps);
}

static void take_entries(struct udf_partmap *map, uint16_t entries) {
    map->sparing.entries = entries;
    map->sparing.entry = calloc(entries, sizeof(*map->sparing.entry));
    assert_non_null(map->sparing.entry);
}

static void test_partmap_sparable(void **state) {
    struct udf_partmaps *maps = new_maps(1);
    struct udf_partmap *map = &maps->map[0];
    uint32_t total = 0, used = 0, bad = 0;

    (void)state;
    set_physical(map, 1408, 1024);
    map->kind = UDF_MAP_KIND_SPARABLE;
    map->packet_blocks = 32;
    take_entries(map, 5);
    map->sparing.entry[0] = (struct udf_sparing_entry){64, 384};
    map->sparing.entry[1] = (struct udf_sparing_entry){128, 416};
    map->sparing.entry[2] = (struct udf_sparing_entry){UDF_SPARE_BAD, 448};
    map->sparing.entry[3] = (struct udf_sparing_entry){UDF_SPARE_FREE, 480};
    map->sparing.entry[4] = (struct udf_sparing_entry){UDF_SPARE_FREE, 512};
    expect(maps, 0, 0, 1000, 0, 1408, 64);
    expect(maps, 0, 64, 1000, 0, 384, 32);
    expect(maps, 0, 95, 2, 0, 415, 1);
    expect(maps, 0, 96, 1000, 0, 1504, 32);
    expect(maps, 0, 130, 10, 0, 418, 10);
    expect(maps, 0, 160, 2000, 0, 1568, 864);
    expect(maps, 0, 1023, 2000, 0, 2431, 1);
    udf_partmap_spares(map, &total, &used, &bad);
    assert_int_equal(total, 5);
    assert_int_equal(used, 2);
    assert_int_equal(bad, 1);
    free_maps(maps);
}

static void test_partmap_sparable_hostile(void **state) {
    struct udf_partmaps *maps = new_maps(1);
    struct udf_partmap *map = &maps->map[0];

    (void)state;
    set_physical(map, 0, 1024);
    map->kind = UDF_MAP_KIND_SPARABLE;
    expect(maps, 0, 0, 1, -EUCLEAN, 0, 0); /* packet length 0 */
    map->packet_blocks = 32;
    take_entries(map, 2); /* not in order, mapped past the last LBA */
    map->sparing.entry[0] = (struct udf_sparing_entry){96, 0xFFFFFFF8u};
    map->sparing.entry[1] = (struct udf_sparing_entry){32, 500};
    expect(maps, 0, 0, 200, 0, 0, 32);
    expect(maps, 0, 33, 200, 0, 501, 31);
    expect(maps, 0, 96, 8, 0, 0xFFFFFFF8u, 8);
    expect(maps, 0, 96, 9, -EUCLEAN, 0, 0);
    expect(maps, 0, 104, 1, -EUCLEAN, 0, 0);
    free_maps(maps);
}

static void put(struct udf_partmap *map, uint64_t block, uint32_t count,
                enum udf_extent_kind kind, uint32_t lbn) {
    struct udf_extent piece = {
        .block = block, .count = count, .kind = kind, .addr.lbn = lbn};

    assert_int_equal(udf_extents_put(&map->extents, &piece, NULL, NULL), 0);
}

static void test_partmap_metadata(void **state) {
    struct udf_partmaps *maps = new_maps(2);
    struct udf_partmap *map = &maps->map[1];

    (void)state;
    set_physical(&maps->map[0], 352, 1000);
    map->kind = UDF_MAP_KIND_METADATA;
    map->physical = 0;
    map->blocks = 160;
    put(map, 0, 64, UDF_EXTENT_RECORDED, 768);
    put(map, 64, 32, UDF_EXTENT_HOLE, 0);
    put(map, 96, 32, UDF_EXTENT_RECORDED, 128);
    put(map, 128, 64, UDF_EXTENT_RECORDED, 990); /* leaves the partition */
    expect(maps, 1, 0, 1000, 0, 1120, 64);
    expect(maps, 1, 10, 5, 0, 1130, 5);
    expect(maps, 1, 64, 1, -ENOENT, 0, 0);
    expect(maps, 1, 100, 100, 0, 484, 28);
    expect(maps, 1, 128, 100, 0, 1342, 10);
    expect(maps, 1, 140, 1, -EUCLEAN, 0, 0);
    expect(maps, 1, 160, 1, -EUCLEAN, 0, 0);
    map->physical = 1; /* itself: must not go round */
    expect(maps, 1, 0, 1, -EUCLEAN, 0, 0);
    map->physical = 9;
    expect(maps, 1, 0, 1, -EUCLEAN, 0, 0);
    free_maps(maps);
}

/* The block at `lba`, or that there is none (lbn UINT32_MAX). */
static void expect_at(const struct udf_partmaps *maps, uint32_t lba,
                      unsigned copy, uint32_t lbn) {
    uint32_t got_lbn;
    unsigned got_copy;
    bool found = udf_partmap_metadata_at(maps, 1, lba, &got_copy, &got_lbn);

    assert_int_equal(found, lbn != UINT32_MAX);
    if (found) {
        assert_int_equal(got_copy, copy);
        assert_int_equal(got_lbn, lbn);
    }
}

static void test_partmap_metadata_copies(void **state) {
    const struct udf_extent copies[] = {
        {.count = 64, .kind = UDF_EXTENT_RECORDED, .addr.lbn = 500},
        {.block = 64,
         .count = 32,
         .kind = UDF_EXTENT_RECORDED,
         .addr.lbn = 700}};
    struct udf_partmaps *maps = new_maps(2);
    struct udf_partmap *map = &maps->map[1];

    (void)state;
    set_physical(&maps->map[0], 100, 1000);
    map->kind = UDF_MAP_KIND_METADATA;
    map->blocks = 96;
    put(map, 0, 96, UDF_EXTENT_RECORDED, 200);
    expect_at(maps, 300, 0, 0);
    expect_at(maps, 395, 0, 95);
    expect_at(maps, 299, 0, UINT32_MAX);
    expect_at(maps, 600, 1, UINT32_MAX); /* no copies yet */
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(udf_extents_put(&map->mirror, &copies[i], NULL, NULL),
                         0);
    }
    expect_at(maps, 395, 0, 95);
    expect_at(maps, 600, 1, 0);
    expect_at(maps, 831, 1, 95);
    expect_at(maps, 664, 1, UINT32_MAX);
    free_maps(maps);
}

static void test_partmap_virtual(void **state) {
    struct udf_partmaps *maps = new_maps(2);
    struct udf_partmap *map = &maps->map[1];
    const uint32_t entries[] = {10, 11, 12,          0xFFFFFFFFu,
                                50, 52, 0xFFFFFFFEu, 0xFFFFFFFFu};

    (void)state;
    set_physical(&maps->map[0], 100, 60);
    map->kind = UDF_MAP_KIND_VIRTUAL;
    map->vat_entries = 8;
    expect(maps, 1, 0, 1, -EUCLEAN, 0, 0); /* no table */
    map->vat = malloc(sizeof(entries));
    assert_non_null(map->vat);
    memcpy(map->vat, entries, sizeof(entries));
    expect(maps, 1, 0, 100, 0, 110, 3);
    expect(maps, 1, 1, 1, 0, 111, 1);
    expect(maps, 1, 3, 1, -ENOENT, 0, 0);
    expect(maps, 1, 4, 2, 0, 150, 1);
    expect(maps, 1, 6, 2, -EUCLEAN, 0, 0);
    expect(maps, 1, 8, 1, -EUCLEAN, 0, 0);
    free_maps(maps);
}

static void test_partmap_unknown(void **state) {
    struct udf_partmaps *maps = new_maps(1);

    (void)state;
    set_physical(&maps->map[0], 0, 10);
    maps->map[0].kind = UDF_MAP_KIND_UNKNOWN;
    expect(maps, 0, 0, 1, -EUCLEAN, 0, 0);
    free_maps(maps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partmap_physical),
        cmocka_unit_test(test_partmap_refuses_wrap),
        cmocka_unit_test(test_partmap_sparable),
        cmocka_unit_test(test_partmap_sparable_hostile),
        cmocka_unit_test(test_partmap_metadata),
        cmocka_unit_test(test_partmap_metadata_copies),
        cmocka_unit_test(test_partmap_virtual),
        cmocka_unit_test(test_partmap_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
