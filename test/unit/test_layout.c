/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Plans of new volumes: what every plan must keep, over many media and sizes,
 * and the borders between what fits and what does not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test/support/memdev.h"
#include "udf/desc.h"
#include "udf/layout.h"

static uint32_t region_end(const struct udf_region *region) {
    return region->lba + region->blocks;
}

static bool apart(const struct udf_region *a, const struct udf_region *b,
                  uint32_t unit) {
    if (a->blocks == 0 || b->blocks == 0) {
        return true;
    }
    return (region_end(a) - 1) / unit < b->lba / unit ||
           (region_end(b) - 1) / unit < a->lba / unit;
}

/* Regions of the metadata partition's files, none of which is free. */
static void check_metadata(const struct udf_layout *plan) {
    const struct udf_layout_metadata *m = &plan->metadata;
    bool twice = m->mirror_lbn != m->main_lbn;
    const struct udf_region parts[] = {
        {0, plan->bitmap_blocks},
        {m->main_fe_lbn, 1},
        {m->bitmap_fe_lbn, 2},
        {m->main_lbn, m->blocks},
        {m->mirror_fe_lbn, 1},
        {m->mirror_lbn, twice ? m->blocks : 0},
        {plan->first_free, plan->free_blocks},
    };

    assert_true(m->allocation_unit >= 32);
    assert_int_equal(m->allocation_unit % plan->unit, 0);
    assert_int_equal(m->blocks % m->allocation_unit, 0);
    assert_int_equal(m->main_lbn % plan->unit, 0);
    assert_int_equal(m->mirror_lbn % plan->unit, 0);
    assert_true(plan->first_free < plan->free_end);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        assert_true(region_end(&parts[i]) <=
                    plan->region[UDF_REGION_PARTITION].blocks);
        for (size_t j = 0; j < i; j++) {
            assert_true(apart(&parts[i], &parts[j], 1));
        }
    }
}

/* The invariants of layout.h. */
static void check_plan(const struct udf_layout *plan) {
    for (int i = 0; i < UDF_REGION_COUNT; i++) {
        const struct udf_region *a = &plan->region[i];
        assert_true(region_end(a) <= plan->blocks);
        for (int j = 0; j < i; j++) {
            if (!apart(a, &plan->region[j], plan->unit)) {
                fail_msg("%s and %s share a packet",
                         udf_region_name((enum udf_region_id)i),
                         udf_region_name((enum udf_region_id)j));
            }
        }
        for (int g = 0; g < UDF_LAYOUT_GAPS; g++) {
            assert_true(apart(a, &plan->gap[g], plan->unit));
        }
    }
    const struct udf_region *part = &plan->region[UDF_REGION_PARTITION];
    assert_int_equal(part->lba % plan->unit, 0);
    assert_int_equal(part->blocks % plan->unit, 0);
    const struct udf_region *spares = &plan->region[UDF_REGION_SPARES];
    assert_int_equal(spares->lba % plan->unit, 0);
    assert_int_equal(spares->blocks, plan->spares * plan->unit);
    assert_true(plan->spares <= UDF_SPARING_ENTRIES_MAX);
    assert_int_equal(plan->spares > 0, plan->sparable);
    const struct udf_region *journal = &plan->region[UDF_REGION_JOURNAL];
    assert_int_equal(journal->lba % plan->unit, 0);
    assert_int_equal(journal->blocks % plan->unit, 0);
    assert_true(journal->blocks >= 8 * plan->unit);
    assert_true(plan->region[UDF_REGION_INTEGRITY].blocks >= 4 * plan->unit);
    assert_true(plan->region[UDF_REGION_MAIN_VDS].blocks >= 16);
    assert_true(plan->region[UDF_REGION_RESERVE_VDS].blocks >= 16);
    /* the bitmap has its packets for itself and holds every bit */
    uint64_t bits = (uint64_t)plan->bitmap_blocks * 2048 * 8 - 24 * 8;
    assert_true(bits >= part->blocks);
    assert_int_equal(plan->free_blocks, plan->free_end - plan->first_free);
    assert_true(plan->free_end <= part->blocks);
    if (plan->metadata.blocks > 0) {
        check_metadata(plan);
        return;
    }
    assert_int_equal(plan->bitmap_blocks % plan->unit, 0);
    assert_true(plan->fsd_lbn >= plan->bitmap_blocks);
    assert_true(plan->root_lbn < part->blocks);
    assert_int_equal(plan->free_blocks, part->blocks - plan->bitmap_blocks - 2);
}

static int try_plan(const struct blockdev_geometry *geometry,
                    enum udf_map_choice map, uint16_t revision,
                    struct udf_layout *out_plan) {
    struct udf_format_options options = {.map = map, .revision = revision};

    return udf_layout_plan(geometry, &options, out_plan);
}

static void plan(const struct blockdev_geometry *geometry,
                 enum udf_map_choice map, uint16_t revision,
                 struct udf_layout *out_plan) {
    assert_int_equal(try_plan(geometry, map, revision, out_plan), 0);
    check_plan(out_plan);
}

static void test_layout_cdrw(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(0);
    struct udf_layout p;
    plan(&g, UDF_MAP_AUTO, 0, &p);
    assert_true(p.sparable);
    assert_int_equal(p.revision, 0x0201);
    assert_int_equal(p.unit, 32);
    assert_int_equal(p.spares, 72);
    assert_int_equal(p.region[UDF_REGION_ANCHOR_FIRST].lba, 256);
    assert_int_equal(p.region[UDF_REGION_ANCHOR_MIDDLE].lba, 295007);
    assert_int_equal(p.region[UDF_REGION_ANCHOR_LAST].lba, 295263);
    assert_true(p.region[UDF_REGION_JOURNAL].blocks >= 64 * 32);
    /* no more than 3 % of the disc is spent before the first file */
    assert_true(p.free_blocks > 295264u / 100 * 97);
    /* the copies are the disc apart */
    assert_true(p.region[UDF_REGION_RESERVE_VDS].lba -
                    p.region[UDF_REGION_MAIN_VDS].lba >
                290000);
    assert_true(p.region[UDF_REGION_SPARING_SECOND].lba -
                    p.region[UDF_REGION_SPARING_FIRST].lba >
                290000);
}

static void test_layout_other_media(void **state) {
    (void)state;
    struct udf_layout p;
    struct blockdev_geometry g = memdev_dvdrw(0);
    plan(&g, UDF_MAP_AUTO, 0, &p);
    assert_true(p.sparable);
    assert_int_equal(p.unit, 16);
    assert_true(p.region[UDF_REGION_JOURNAL].blocks >= 128 * 16);
    assert_int_equal(p.spares, UDF_SPARING_ENTRIES_MAX);
    plan(&g, UDF_MAP_TYPE1, 0, &p);
    assert_false(p.sparable);
    g = memdev_bdre(0);
    plan(&g, UDF_MAP_AUTO, 0, &p);
    assert_false(p.sparable);
    assert_int_equal(p.unit, 32);
    g = memdev_image(0);
    plan(&g, UDF_MAP_AUTO, 0, &p);
    assert_false(p.sparable);
    assert_int_equal(p.unit, 32);
}

static void test_layout_old_revisions_spare_32(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_dvdrw(0);
    struct udf_layout p;
    plan(&g, UDF_MAP_AUTO, 0x0150, &p);
    assert_int_equal(p.unit, 32);
    plan(&g, UDF_MAP_AUTO, 0x0200, &p);
    assert_int_equal(p.unit, 32);
    plan(&g, UDF_MAP_TYPE1, 0x0102, &p);
    assert_int_equal(p.unit, 16);
}

static void test_layout_refuses(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(0);
    struct udf_layout p;
    static const uint16_t bad[] = {0x0100, 0x0101, 0x0202,
                                   0x0251, 0x0261, 0xFFFF};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(try_plan(&g, UDF_MAP_AUTO, bad[i], &p), -EINVAL);
    }
    assert_int_equal(try_plan(&g, UDF_MAP_AUTO, 0x0102, &p), -EINVAL);
    g.session_start = 16;
    assert_int_equal(try_plan(&g, UDF_MAP_AUTO, 0, &p), -EINVAL);
    g = memdev_cdrw(0);
    static const uint32_t packets[] = {0, 3, 33, 128, 0x80000000u};
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        g.packet_blocks = packets[i];
        assert_int_equal(try_plan(&g, UDF_MAP_TYPE1, 0, &p), -EINVAL);
    }
    g.packet_blocks = 64;
    assert_int_equal(try_plan(&g, UDF_MAP_AUTO, 0x0150, &p), -EINVAL);
}

/* At the smallest size and just above it everything still fits; one block
 * less is refused. */
static void test_layout_smallest(void **state) {
    (void)state;
    static const uint32_t packets[] = {1, 8, 16, 32, 64};
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        for (int kind = 0; kind < 4; kind++) {
            bool sparable = kind & 1, metadata = kind & 2;
            uint16_t revision = metadata ? 0x0250 : 0;
            uint32_t unit = packets[i] < 16 ? 32 : packets[i];
            uint32_t least = udf_layout_minimum(unit, sparable, metadata);
            struct blockdev_geometry g = memdev_image(least);
            g.packet_blocks = packets[i];
            enum udf_map_choice map =
                sparable ? UDF_MAP_SPARABLE : UDF_MAP_TYPE1;
            struct udf_layout p;
            for (uint32_t more = 0; more < 600; more++) {
                g.blocks = least + more;
                plan(&g, map, revision, &p);
            }
            g.blocks = least - 1;
            assert_int_equal(try_plan(&g, map, revision, &p), -ENOSPC);
            g.blocks = 0;
            assert_int_equal(try_plan(&g, map, revision, &p), -ENOSPC);
        }
    }
}

/* Sizes over the whole range of 32 bits, and odd ends. */
static void test_layout_every_size(void **state) {
    (void)state;
    static const uint32_t packets[] = {1, 16, 32, 64};
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        struct udf_layout p;
        struct blockdev_geometry g = memdev_image(0);
        g.packet_blocks = packets[i];
        g.rewritable = true;
        for (uint64_t blocks = 4000; blocks <= UINT32_MAX;
             blocks += blocks / 7 + 13) {
            g.blocks = (uint32_t)blocks;
            plan(&g, UDF_MAP_AUTO, 0, &p);
            plan(&g, UDF_MAP_AUTO, 0x0250, &p);
        }
        g.blocks = UINT32_MAX;
        plan(&g, UDF_MAP_AUTO, 0, &p);
        plan(&g, UDF_MAP_SPARABLE, 0, &p);
    }
}

/* Nothing but the last anchors is further out than the partition's start. */
static void test_layout_part_formatted_keeps_to_the_head(void **state) {
    static const enum udf_map_choice maps[] = {UDF_MAP_SPARABLE, UDF_MAP_TYPE1};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct blockdev_geometry g = memdev_dvdrw(0);
        struct udf_layout p;
        g.part_formatted = true;
        plan(&g, maps[i], 0, &p);
        uint32_t start = p.region[UDF_REGION_PARTITION].lba;
        assert_true(region_end(&p.region[UDF_REGION_RESERVE_VDS]) <= 256);
        assert_true(region_end(&p.region[UDF_REGION_SPARING_SECOND]) <= 256);
        assert_true(region_end(&p.region[UDF_REGION_JOURNAL]) <= start);
        assert_int_equal(p.region[UDF_REGION_ANCHOR_LAST].lba, g.blocks - 1);
        plan(&g, maps[i], maps[i] == UDF_MAP_TYPE1 ? 0x0102 : 0x0150, &p);
        assert_true(region_end(&p.region[UDF_REGION_RESERVE_VDS]) <= 256);
        plan(&g, maps[i], 0x0250, &p);
        assert_true(p.metadata.mirror_fe_lbn < p.first_free);
        assert_true(p.metadata.mirror_lbn > p.metadata.main_lbn);
        assert_int_equal(p.free_end, p.region[UDF_REGION_PARTITION].blocks);
    }
}

static void test_layout_grows(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_dvdrw(16384);
    struct udf_layout small, p;
    plan(&g, UDF_MAP_AUTO, 0, &small);
    assert_int_equal(udf_layout_grow(&small, 2297888, &p), 0);
    assert_int_equal(p.region[UDF_REGION_PARTITION].lba,
                     small.region[UDF_REGION_PARTITION].lba);
    assert_int_equal(p.region[UDF_REGION_PARTITION].blocks -
                         small.region[UDF_REGION_PARTITION].blocks,
                     2297888 - 16384);
    assert_int_equal(p.region[UDF_REGION_ANCHOR_LAST].lba, 2297887);
    /* the bitmap touches nothing that the small volume has */
    assert_int_equal(p.region[UDF_REGION_PARTITION].lba + p.bitmap_lbn, 16384);
    assert_true((uint64_t)p.bitmap_blocks * 2048 * 8 - 24 * 8 >=
                p.region[UDF_REGION_PARTITION].blocks);
    for (int i = 0; i < UDF_REGION_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            assert_true(apart(&p.region[i], &p.region[j], p.unit));
        }
    }
    assert_int_equal(udf_layout_grow(&small, 16384, &p), -ENOSPC);
    assert_int_equal(udf_layout_grow(&small, 8192, &p), -ENOSPC);
    assert_int_equal(udf_layout_grow(&small, 16400, &p), -ENOSPC);
    assert_int_equal(udf_layout_grow(&small, 20001, &p), -EINVAL);
}

static void test_layout_leaves_out_alone_on_failure(void **state) {
    (void)state;
    struct udf_layout p, before;
    memset(&p, 0x5A, sizeof(p));
    before = p;
    struct blockdev_geometry g = memdev_cdrw(100);
    assert_int_equal(try_plan(&g, UDF_MAP_AUTO, 0, &p), -ENOSPC);
    assert_memory_equal(&p, &before, sizeof(p));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout_cdrw),
        cmocka_unit_test(test_layout_other_media),
        cmocka_unit_test(test_layout_old_revisions_spare_32),
        cmocka_unit_test(test_layout_refuses),
        cmocka_unit_test(test_layout_smallest),
        cmocka_unit_test(test_layout_every_size),
        cmocka_unit_test(test_layout_part_formatted_keeps_to_the_head),
        cmocka_unit_test(test_layout_grows),
        cmocka_unit_test(test_layout_leaves_out_alone_on_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
