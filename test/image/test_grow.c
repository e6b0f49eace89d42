/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_grow.c - volumes that are made larger, with the power cut at
 * every packet, and volumes whose last anchors come later.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "test/support/memdev.h"
#include "test/support/prove.h"
#include "udf/format.h"
#include "udf/udf.h"

enum { SMALL = 8192, LARGE = 300000, FILE_BLOCKS = 700 };

static const struct udf_mount_options read_write = {0};

static struct udf_info info_of(struct blockdev *dev) {
    struct udf_volume *volume = NULL;
    struct udf_info info;

    assert_int_equal(udf_mount(dev, &read_write, &volume), 0);
    udf_get_info(volume, &info);
    assert_int_equal(udf_unmount(volume), 0);
    return info;
}

static void fill(uint8_t *block, uint32_t index) {
    memset(block, (int)(index * 7 + 1), BLOCKDEV_BLOCK_BYTES);
}

static void write_file(struct blockdev *dev, const char *name,
                       uint32_t blocks) {
    struct udf_name entry = {.text = name, .len = (uint32_t)strlen(name)};
    struct udf_make make = {.mode = S_IFREG | 0644};
    struct udf_cred cred = {0};
    struct udf_volume *volume = NULL;
    uint8_t block[BLOCKDEV_BLOCK_BYTES];
    struct udf_stat stat;

    assert_int_equal(udf_mount(dev, &read_write, &volume), 0);
    assert_int_equal(
        udf_create(volume, UDF_ROOT_INO, &entry, &make, &cred, &stat), 0);
    for (uint32_t i = 0; i < blocks; i++) {
        fill(block, i);
        assert_int_equal(udf_write(volume, stat.ino,
                                   (uint64_t)i * sizeof(block), sizeof(block),
                                   block),
                         0);
    }
    udf_forget(volume, stat.ino, 1);
    assert_int_equal(udf_unmount(volume), 0);
}

static void assert_file(struct blockdev *dev, const char *name,
                        uint32_t blocks) {
    struct udf_name entry = {.text = name, .len = (uint32_t)strlen(name)};
    struct udf_volume *volume = NULL;
    uint8_t block[BLOCKDEV_BLOCK_BYTES], wanted[BLOCKDEV_BLOCK_BYTES];
    struct udf_stat stat;
    uint32_t count;

    assert_int_equal(udf_mount(dev, &read_write, &volume), 0);
    assert_int_equal(udf_lookup(volume, UDF_ROOT_INO, &entry, &stat), 0);
    assert_int_equal(stat.size, (uint64_t)blocks * sizeof(block));
    for (uint32_t i = 0; i < blocks; i++) {
        fill(wanted, i);
        assert_int_equal(udf_read(volume, stat.ino, (uint64_t)i * sizeof(block),
                                  sizeof(block), block, &count),
                         0);
        assert_int_equal(count, sizeof(block));
        assert_memory_equal(block, wanted, sizeof(block));
    }
    udf_forget(volume, stat.ino, 1);
    assert_int_equal(udf_unmount(volume), 0);
}

/* A large medium with a small volume on it, a file in that. */
static struct memdev *make_small(struct blockdev_geometry geometry,
                                 enum udf_map_choice map, uint16_t revision) {
    struct udf_format_options options = {
        .seed = 3, .now = 1, .map = map, .revision = revision};
    struct memdev *mem = memdev_new(&geometry);
    struct blockdev *dev = memdev_device(mem);

    dev->geometry.blocks = SMALL;
    assert_int_equal(udf_format(dev, &options), 0);
    write_file(dev, "before", FILE_BLOCKS);
    dev->geometry.blocks = geometry.blocks;
    return mem;
}

static void check_growth(struct blockdev_geometry geometry,
                         enum udf_map_choice map, uint16_t revision) {
    struct memdev *mem = make_small(geometry, map, revision);
    struct blockdev *dev = memdev_device(mem);
    struct udf_info before, after;

    dev->geometry.blocks = SMALL;
    before = info_of(dev);
    dev->geometry.blocks = geometry.blocks;
    assert_int_equal(udf_grow(dev), 0);
    memdev_reboot(mem);
    after = info_of(dev);
    assert_true(after.clean);
    assert_int_equal(after.partition_blocks - before.partition_blocks,
                     geometry.blocks - SMALL);
    assert_in_range(after.free_blocks,
                    before.free_blocks + (geometry.blocks - SMALL) - 64,
                    before.free_blocks + (geometry.blocks - SMALL));
    prove_device(dev);
    assert_file(dev, "before", FILE_BLOCKS);
    write_file(dev, "after", SMALL + 1000); /* would not have fitted */
    memdev_reboot(mem);
    prove_device(dev);
    assert_file(dev, "after", SMALL + 1000);
    assert_file(dev, "before", FILE_BLOCKS);
    /* Nothing more to do. */
    assert_int_equal(udf_grow(dev), 0);
    memdev_free(mem);
}

static void test_grow_sparable(void **state) {
    (void)state;
    check_growth(memdev_dvdrw(LARGE), UDF_MAP_SPARABLE, 0x0201);
}

static void test_grow_type_1(void **state) {
    (void)state;
    check_growth(memdev_dvdrw(LARGE), UDF_MAP_TYPE1, 0x0201);
    check_growth(memdev_cdrw(LARGE), UDF_MAP_SPARABLE, 0x0201);
}

/* Its metadata partition stays as it is, and grows when it is full. */
static void test_grow_metadata(void **state) {
    (void)state;
    check_growth(memdev_dvdrw(LARGE), UDF_MAP_SPARABLE, 0x0250);
    check_growth(memdev_dvdrw(LARGE), UDF_MAP_TYPE1, 0x0260);
    check_growth(memdev_cdrw(LARGE), UDF_MAP_SPARABLE, 0x0250);
}

/* Each packet in turn is the last that gets to the medium, or is torn. */
static void cut_everywhere(uint16_t revision) {
    struct blockdev_geometry geometry = memdev_dvdrw(LARGE);
    bool done = false;

    for (uint64_t cut = 0; !done; cut++) {
        for (int tear = 0; tear < 2; tear++) {
            struct memdev *mem =
                make_small(geometry, UDF_MAP_SPARABLE, revision);
            struct blockdev *dev = memdev_device(mem);

            memdev_cut_after(mem, cut, tear);
            done = udf_grow(dev) == 0;
            memdev_reboot(mem);
            /* Whatever volume it is now, its files are there. */
            assert_file(dev, "before", FILE_BLOCKS);
            if (tear && !info_of(dev).writable) {
                memdev_free(mem); /* the packet of its LVIDs is torn */
                continue;
            }
            /* Another try makes it the new one. */
            assert_int_equal(udf_grow(dev), 0);
            assert_true(info_of(dev).partition_blocks > SMALL);
            prove_device(dev);
            assert_file(dev, "before", FILE_BLOCKS);
            memdev_free(mem);
        }
    }
}

static void test_grow_survives_every_cut(void **state) {
    (void)state;
    cut_everywhere(0x0201);
    cut_everywhere(0x0250);
}

static void test_grow_refuses_what_it_does_not_know(void **state) {
    struct blockdev_geometry geometry = memdev_dvdrw(LARGE);
    struct memdev *mem = make_small(geometry, UDF_MAP_AUTO, 0x0201);
    struct blockdev *dev = memdev_device(mem);

    (void)state;
    dev->geometry.blocks = SMALL + 16;
    assert_int_equal(udf_grow(dev), -ENOSPC);
    dev->geometry.blocks = geometry.blocks;
    memdev_free(mem);
    /* One that was made during a background format has no tail to move. */
    geometry.part_formatted = true;
    mem = memdev_new(&geometry);
    dev = memdev_device(mem);
    dev->geometry.blocks = SMALL;
    assert_int_equal(udf_format(dev, &(struct udf_format_options){.seed = 1}),
                     0);
    dev->geometry.blocks = LARGE;
    assert_int_equal(udf_grow(dev), -EINVAL);
    memdev_free(mem);
}

static struct memdev *make_part_formatted(uint16_t revision) {
    struct blockdev_geometry geometry = memdev_dvdrw(LARGE);
    struct udf_format_options options = {.seed = 5, .revision = revision};
    struct memdev *mem;
    struct blockdev *dev;

    geometry.part_formatted = true;
    mem = memdev_new(&geometry);
    dev = memdev_device(mem);
    /* Nothing that was never written can be read. */
    memdev_fail_read(mem, LARGE - 1);
    memdev_fail_read(mem, LARGE - 257);
    assert_int_equal(udf_format(dev, &options), 0);
    return mem;
}

static void keep_to_the_head(uint16_t revision) {
    struct memdev *mem = make_part_formatted(revision);
    struct blockdev *dev = memdev_device(mem);

    assert_int_equal(udf_format_verify(dev), 0);
    write_file(dev, "file", 50);
    memdev_reboot(mem);
    prove_device(dev);
    assert_file(dev, "file", 50);
    for (uint32_t lba = LARGE / 16; lba < LARGE; lba += 16) {
        assert_int_equal(memdev_overwrites(mem, lba), 0);
    }
    /* Not yet: the medium is as it was. */
    assert_int_equal(udf_format_finish(dev), 0);
    assert_int_equal(memdev_overwrites(mem, LARGE - 1), 0);
    memdev_free(mem);
}

static void test_grow_part_formatted_volumes_keep_to_the_head(void **state) {
    (void)state;
    keep_to_the_head(0x0201);
    keep_to_the_head(0x0250);
}

static void add_last_anchors(uint16_t revision) {
    for (int by_change = 0; by_change < 2; by_change++) {
        struct memdev *mem = make_part_formatted(revision);
        struct blockdev *dev = memdev_device(mem);

        memdev_heal(mem);
        dev->geometry.part_formatted = false;
        if (by_change) {
            write_file(dev, "file", 50);
        } else {
            assert_int_equal(udf_format_finish(dev), 0);
        }
        memdev_reboot(mem);
        assert_int_equal(memdev_medium(mem, LARGE - 1)[0], 2); /* AVDP */
        assert_int_equal(memdev_medium(mem, LARGE - 257)[0], 2);
        prove_device(dev);
        assert_int_equal(udf_format_finish(dev), 0);
        assert_int_equal(memdev_overwrites(mem, LARGE - 1), 1);
        memdev_free(mem);
    }
}

static void test_grow_adds_the_last_anchors_when_complete(void **state) {
    (void)state;
    add_last_anchors(0x0201);
    add_last_anchors(0x0250);
}

/* The volume is whole without them, and closed in spite of it. */
static void test_grow_closes_without_anchors_that_fail(void **state) {
    struct memdev *mem = make_part_formatted(0x0201);
    struct blockdev *dev = memdev_device(mem);

    (void)state;
    memdev_heal(mem);
    memdev_fail_write(mem, LARGE - 1);
    memdev_fail_write(mem, LARGE - 257);
    dev->geometry.part_formatted = false;
    write_file(dev, "file", 50);
    memdev_reboot(mem);
    assert_true(info_of(dev).clean);
    assert_file(dev, "file", 50);
    /* The next change tries again. */
    memdev_heal(mem);
    write_file(dev, "other", 50);
    memdev_reboot(mem);
    assert_int_equal(memdev_medium(mem, LARGE - 1)[0], 2); /* AVDP */
    assert_int_equal(memdev_medium(mem, LARGE - 257)[0], 2);
    prove_device(dev);
    memdev_free(mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grow_closes_without_anchors_that_fail),
        cmocka_unit_test(test_grow_sparable),
        cmocka_unit_test(test_grow_type_1),
        cmocka_unit_test(test_grow_metadata),
        cmocka_unit_test(test_grow_survives_every_cut),
        cmocka_unit_test(test_grow_refuses_what_it_does_not_know),
        cmocka_unit_test(test_grow_part_formatted_volumes_keep_to_the_head),
        cmocka_unit_test(test_grow_adds_the_last_anchors_when_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
