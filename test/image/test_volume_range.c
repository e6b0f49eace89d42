/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_volume_range.c - allocating, zeroing and punching ranges,
 * holes, copies, and what is behind the end of files: the space that they take
 * and what the disc says afterwards. Content at random is compared in
 * test_volume_random.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "test/support/damage.h"
#include "test/support/memdev.h"
#include "test/support/prove.h"
#include "udf/format.h"
#include "udf/udf.h"

enum { DISC_BLOCKS = 9000, BLOCK = 2048 };

struct fixture {
    struct memdev *mem;
    struct udf_volume *volume;
};

static struct udf_name name_of(const char *text) {
    return (struct udf_name){.text = text, .len = (uint32_t)strlen(text)};
}

static void mount(struct fixture *fx) {
    struct udf_mount_options options = {0};

    memdev_reboot(fx->mem);
    memdev_set_cold(fx->mem, true);
    assert_int_equal(udf_mount(memdev_device(fx->mem), &options, &fx->volume),
                     0);
}

static void remount(struct fixture *fx) {
    assert_int_equal(udf_unmount(fx->volume), 0);
    prove_medium(fx->mem);
    mount(fx);
}

static int setup(void **state) {
    struct blockdev_geometry geometry = memdev_image(DISC_BLOCKS);
    struct udf_format_options options = {.label = "range", .seed = 5};
    struct fixture *fx = calloc(1, sizeof(*fx));

    fx->mem = memdev_new(&geometry);
    assert_int_equal(udf_format(memdev_device(fx->mem), &options), 0);
    mount(fx);
    *state = fx;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fx = *state;

    assert_int_equal(udf_unmount(fx->volume), 0);
    prove_medium(fx->mem);
    memdev_free(fx->mem);
    free(fx);
    return 0;
}

static uint64_t make_file(struct fixture *fx, const char *text) {
    struct udf_make what = {.mode = S_IFREG | 0644};
    struct udf_name name = name_of(text);
    struct udf_cred owner = {0};
    struct udf_stat stat;

    assert_int_equal(
        udf_create(fx->volume, UDF_ROOT_INO, &name, &what, &owner, &stat), 0);
    return stat.ino;
}

static struct udf_stat stat_of(struct fixture *fx, uint64_t ino) {
    struct udf_stat stat;

    assert_int_equal(udf_getattr(fx->volume, ino, &stat), 0);
    return stat;
}

/* After a commit, when what was freed can be used again. */
static uint64_t free_blocks(struct fixture *fx) {
    struct udf_statfs statfs;

    assert_int_equal(udf_commit(fx->volume), 0);
    udf_get_statfs(fx->volume, &statfs);
    return statfs.free_blocks;
}

static int change(struct fixture *fx, uint64_t ino,
                  enum udf_range_change change, bool keep_size, uint64_t offset,
                  uint64_t count) {
    struct udf_range range = {.change = change,
                              .keep_size = keep_size,
                              .offset = offset,
                              .count = count};

    return udf_change_range(fx->volume, ino, &range);
}

static int write_bytes(struct fixture *fx, uint64_t ino, uint64_t offset,
                       uint32_t count, int byte) {
    uint8_t *buf = malloc(count);
    int error;

    memset(buf, byte, count);
    error = udf_write(fx->volume, ino, offset, count, buf);
    free(buf);
    return error;
}

static void expect_bytes(struct fixture *fx, uint64_t ino, uint64_t offset,
                         uint32_t count, int byte) {
    uint8_t *buf = malloc(count);
    uint32_t got;

    assert_int_equal(udf_read(fx->volume, ino, offset, count, buf, &got), 0);
    assert_int_equal(got, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(buf[i], byte);
    }
    free(buf);
}

/* Writes until nothing goes any more. */
static void fill_disc(struct fixture *fx) {
    uint64_t ino = make_file(fx, "filler");
    uint64_t offset = 0;

    for (uint32_t step = 1 << 20; step >= BLOCK; step /= 2) {
        while (write_bytes(fx, ino, offset, step, 'f') == 0) {
            offset += step;
        }
    }
    assert_int_equal(write_bytes(fx, ino, offset, BLOCK, 'f'), -ENOSPC);
}

static void test_range_allocated_space_cannot_run_out(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make_file(fx, "file");

    assert_int_equal(change(fx, ino, UDF_RANGE_ALLOCATE, false, 0, 100 * BLOCK),
                     0);
    assert_int_equal(
        change(fx, ino, UDF_RANGE_ALLOCATE, true, 100 * BLOCK, 50 * BLOCK), 0);
    assert_int_equal(stat_of(fx, ino).size, 100 * BLOCK);
    assert_int_equal(stat_of(fx, ino).blocks, 151 * BLOCK / 512);
    fill_disc(fx);
    assert_int_equal(write_bytes(fx, ino, 0, 150 * BLOCK, 'a'), 0);
    assert_int_equal(udf_commit(fx->volume), 0);
    assert_int_equal(write_bytes(fx, ino, 150 * BLOCK, BLOCK, 'a'), -ENOSPC);
    remount(fx);
    expect_bytes(fx, ino, 0, 150 * BLOCK, 'a');
}

static void test_range_refuses_more_than_there_is(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make_file(fx, "file");
    uint64_t before;

    assert_int_equal(write_bytes(fx, ino, 0, 5000, 'a'), 0);
    before = free_blocks(fx);
    assert_int_equal(change(fx, ino, UDF_RANGE_ALLOCATE, false, 0,
                            (uint64_t)DISC_BLOCKS * BLOCK),
                     -ENOSPC);
    assert_int_equal(
        change(fx, ino, UDF_RANGE_ZERO, true, 0, (uint64_t)1 << 49), -ENOSPC);
    assert_int_equal(
        change(fx, ino, UDF_RANGE_ALLOCATE, false, 1, (uint64_t)1 << 50),
        -EFBIG);
    assert_int_equal(stat_of(fx, ino).size, 5000);
    assert_int_equal(free_blocks(fx), before);
    expect_bytes(fx, ino, 0, 5000, 'a');
}

static int resize(struct fixture *fx, uint64_t ino, uint64_t size) {
    struct udf_stat stat = {.size = size};

    return udf_setattr(fx->volume, ino, &stat, UDF_SET_SIZE, &stat);
}

/* A hole of 2^50 bytes is 2^20 descriptors: 4,100 blocks of them. */
static void test_range_holes_leave_room_for_their_descriptors(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make_file(fx, "file"), other = make_file(fx, "other");
    uint64_t before = free_blocks(fx), most = (uint64_t)1 << 50;

    assert_int_equal(resize(fx, ino, most), 0);
    assert_in_range(before - free_blocks(fx), 4000, 5000);
    remount(fx);
    assert_int_equal(stat_of(fx, ino).size, most);
    assert_int_equal(resize(fx, ino, 0), 0);
    assert_int_equal(free_blocks(fx), before);

    assert_int_equal(
        change(fx, ino, UDF_RANGE_ALLOCATE, false, 0, 6000 * BLOCK), 0);
    assert_int_equal(write_bytes(fx, other, 0, 10, 'a'), 0);
    assert_int_equal(resize(fx, other, most), -ENOSPC);
    assert_int_equal(write_bytes(fx, other, most - 1, 1, 'b'), -ENOSPC);
    assert_int_equal(change(fx, other, UDF_RANGE_ALLOCATE, false, most - 1, 1),
                     -ENOSPC);
    assert_int_equal(stat_of(fx, other).size, 10);
    remount(fx);
    expect_bytes(fx, other, 0, 10, 'a');
}

static void test_range_punching_gives_space_back(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make_file(fx, "file");
    uint64_t before;

    assert_int_equal(write_bytes(fx, ino, 0, 100 * BLOCK, 'a'), 0);
    before = free_blocks(fx);
    assert_int_equal(
        change(fx, ino, UDF_RANGE_PUNCH, true, 10 * BLOCK - 1, 20 * BLOCK + 2),
        0);
    assert_int_equal(free_blocks(fx), before + 20);
    remount(fx);
    expect_bytes(fx, ino, 0, 10 * BLOCK - 1, 'a');
    expect_bytes(fx, ino, 10 * BLOCK - 1, 20 * BLOCK + 2, 0);
    expect_bytes(fx, ino, 30 * BLOCK + 1, 70 * BLOCK - 1, 'a');
    /* The last block too, when the file ends in it. */
    assert_int_equal(change(fx, ino, UDF_RANGE_PUNCH, true, 0, 200 * BLOCK), 0);
    assert_int_equal(stat_of(fx, ino).size, 100 * BLOCK);
    assert_int_equal(stat_of(fx, ino).blocks, BLOCK / 512);
    assert_int_equal(change(fx, ino, UDF_RANGE_PUNCH, false, 0, 1),
                     -EOPNOTSUPP);
}

static void test_range_zeroing_keeps_the_place(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make_file(fx, "file");
    uint64_t found;

    assert_int_equal(write_bytes(fx, ino, 0, 40 * BLOCK, 'a'), 0);
    assert_int_equal(udf_commit(fx->volume), 0);
    assert_int_equal(write_bytes(fx, ino, 12 * BLOCK, 9, 'b'), 0);
    assert_int_equal(
        change(fx, ino, UDF_RANGE_ZERO, false, 10 * BLOCK, 50 * BLOCK), 0);
    assert_int_equal(stat_of(fx, ino).size, 60 * BLOCK);
    fill_disc(fx);
    remount(fx);
    assert_int_equal(stat_of(fx, ino).blocks, 61 * BLOCK / 512);
    expect_bytes(fx, ino, 0, 10 * BLOCK, 'a');
    expect_bytes(fx, ino, 10 * BLOCK, 50 * BLOCK, 0);
    assert_int_equal(udf_seek(fx->volume, ino, 0, UDF_SEEK_HOLE, &found), 0);
    assert_int_equal(found, 10 * BLOCK);
    assert_int_equal(
        udf_seek(fx->volume, ino, 10 * BLOCK, UDF_SEEK_DATA, &found), -ENXIO);
    assert_int_equal(write_bytes(fx, ino, 10 * BLOCK, 50 * BLOCK, 'c'), 0);
}

static void test_range_tail_ends_with_the_last_reference(void **state) {
    struct fixture *fx = *state;
    uint64_t before = free_blocks(fx);
    uint64_t ino = make_file(fx, "file");

    assert_int_equal(write_bytes(fx, ino, 0, 5000, 'a'), 0);
    assert_int_equal(
        change(fx, ino, UDF_RANGE_ALLOCATE, true, 20 * BLOCK, 30 * BLOCK), 0);
    assert_int_equal(free_blocks(fx), before - 1 - 3 - 30);
    udf_forget(fx->volume, ino, 1);
    assert_int_equal(free_blocks(fx), before - 1 - 3);
    /* So it does with the mount. */
    assert_int_equal(
        change(fx, ino, UDF_RANGE_ALLOCATE, true, 20 * BLOCK, 30 * BLOCK), 0);
    remount(fx);
    assert_int_equal(free_blocks(fx), before - 1 - 3);
    assert_int_equal(stat_of(fx, ino).size, 5000);
    /* And when the file is set to the size that it has. */
    assert_int_equal(
        change(fx, ino, UDF_RANGE_ALLOCATE, true, 20 * BLOCK, 30 * BLOCK), 0);
    struct udf_stat stat = stat_of(fx, ino);

    assert_int_equal(udf_setattr(fx->volume, ino, &stat, UDF_SET_SIZE, &stat),
                     0);
    assert_int_equal(free_blocks(fx), before - 1 - 3);
}

/* The power goes while a file has a tail: the tail is on the disc, as UDF has
 * it, and reads as zeros when the file grows. */
static void test_range_tail_on_the_disc_stays_out_of_view(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make_file(fx, "file");
    struct udf_stat stat;

    assert_int_equal(write_bytes(fx, ino, 0, 5000, 'a'), 0);
    assert_int_equal(
        change(fx, ino, UDF_RANGE_ALLOCATE, true, 4 * BLOCK, 6 * BLOCK), 0);
    assert_int_equal(udf_commit(fx->volume), 0);
    memdev_cut_after(fx->mem, 0, false);
    assert_int_not_equal(
        write_bytes(fx, ino, 0, 1, 'x') || udf_unmount(fx->volume), 0);
    memdev_reboot(fx->mem);
    prove_open_device(memdev_device(fx->mem));
    mount(fx);
    stat = stat_of(fx, ino);
    assert_int_equal(stat.size, 5000);
    assert_int_equal(stat.blocks, (1 + 3 + 6) * BLOCK / 512);
    stat.size = 9 * BLOCK;
    assert_int_equal(udf_setattr(fx->volume, ino, &stat, UDF_SET_SIZE, &stat),
                     0);
    expect_bytes(fx, ino, 0, 5000, 'a');
    expect_bytes(fx, ino, 5000, 9 * BLOCK - 5000, 0);
    remount(fx);
    expect_bytes(fx, ino, 5000, 9 * BLOCK - 5000, 0);
}

/* The extended file entry of the only file with `bytes` bytes. */
static uint8_t *find_entry(struct fixture *fx, uint32_t bytes) {
    for (uint32_t lba = 0; lba < DISC_BLOCKS; lba++) {
        uint8_t *raw = memdev_medium(fx->mem, lba);

        if (damage_get16(raw) == UDF_TAG_EFE &&
            damage_get32(raw + EFE_INFO) == bytes) {
            return raw;
        }
    }
    fail_msg("no file entry with %u bytes", bytes);
    return NULL;
}

/* Another writer left recorded blocks behind the end. */
static void test_range_recorded_tail_stays_out_of_view(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make_file(fx, "file");
    struct udf_stat stat;
    uint8_t *raw;

    assert_int_equal(write_bytes(fx, ino, 0, 30000, 'a'), 0);
    assert_int_equal(udf_unmount(fx->volume), 0);
    raw = find_entry(fx, 30000);
    damage_put32(raw + EFE_INFO, 5000);
    damage_put32(raw + EFE_OBJECT, 5000);
    damage_reseal(raw);
    mount(fx);
    stat = stat_of(fx, ino);
    assert_int_equal(stat.size, 5000);
    stat.size = 20000;
    assert_int_equal(udf_setattr(fx->volume, ino, &stat, UDF_SET_SIZE, &stat),
                     0);
    expect_bytes(fx, ino, 0, 5000, 'a');
    expect_bytes(fx, ino, 5000, 15000, 0);
    assert_int_equal(write_bytes(fx, ino, 24000, 100, 'b'), 0);
    remount(fx); /* where the checker has nothing against it any more */
    expect_bytes(fx, ino, 0, 5000, 'a');
    expect_bytes(fx, ino, 5000, 19000, 0);
    expect_bytes(fx, ino, 24000, 100, 'b');
}

static void test_range_copies_up_to_the_end(void **state) {
    struct fixture *fx = *state;
    struct udf_position from = {make_file(fx, "from"), 1000};
    struct udf_position to = {make_file(fx, "to"), 3000};
    uint32_t copied = 77;

    assert_int_equal(write_bytes(fx, from.ino, 0, 5000000, 'a'), 0);
    assert_int_equal(udf_copy(fx->volume, &from, &to, UINT64_MAX, &copied), 0);
    assert_int_equal(copied, 4999000);
    assert_int_equal(stat_of(fx, to.ino).size, 5002000);
    remount(fx);
    expect_bytes(fx, to.ino, 0, 3000, 0);
    expect_bytes(fx, to.ino, 3000, 4999000, 'a');
    from.offset = 5000000;
    assert_int_equal(udf_copy(fx->volume, &from, &to, 5, &copied), 0);
    assert_int_equal(copied, 0);
    from.ino = UDF_ROOT_INO;
    assert_int_equal(udf_copy(fx->volume, &from, &to, 5, &copied), -EISDIR);
}

static void test_range_is_for_files(void **state) {
    struct fixture *fx = *state;
    uint64_t found;

    assert_int_equal(change(fx, UDF_ROOT_INO, UDF_RANGE_ALLOCATE, false, 0, 1),
                     -EINVAL);
    assert_int_equal(
        udf_seek(fx->volume, UDF_ROOT_INO, 0, UDF_SEEK_DATA, &found), -EISDIR);
}

int main(void) {
#define ON_VOLUME(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ON_VOLUME(test_range_allocated_space_cannot_run_out),
        ON_VOLUME(test_range_refuses_more_than_there_is),
        ON_VOLUME(test_range_holes_leave_room_for_their_descriptors),
        ON_VOLUME(test_range_punching_gives_space_back),
        ON_VOLUME(test_range_zeroing_keeps_the_place),
        ON_VOLUME(test_range_tail_ends_with_the_last_reference),
        ON_VOLUME(test_range_tail_on_the_disc_stays_out_of_view),
        ON_VOLUME(test_range_recorded_tail_stays_out_of_view),
        ON_VOLUME(test_range_copies_up_to_the_end),
        ON_VOLUME(test_range_is_for_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
