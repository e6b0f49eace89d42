/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_volume.c - a volume from format to unmount, through udf.h
 * only, on a device in memory that is cold: whatever was not fetched is not
 * there. What was written is read back by a second mount.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "test/support/damage.h"
#include "test/support/memdev.h"
#include "test/support/prove.h"
#include "udf/format.h"
#include "udf/udf.h"
#include "udf/volume.h"

enum { SMALL_DISC = 32 * 1200 };

struct fixture {
    struct memdev *mem;
    struct udf_volume *volume;
};

static const struct udf_cred owner = {.uid = 1000, .gid = 1001};

static struct udf_name name_of(const char *text) {
    return (struct udf_name){.text = text, .len = (uint32_t)strlen(text)};
}

static void mount_with(struct fixture *fx,
                       const struct udf_mount_options *options) {
    if (fx->volume) {
        assert_int_equal(udf_unmount(fx->volume), 0);
    }
    memdev_reboot(fx->mem);
    memdev_set_cold(fx->mem, true);
    assert_int_equal(udf_mount(memdev_device(fx->mem), options, &fx->volume),
                     0);
}

static void mount_again(struct fixture *fx) {
    mount_with(fx, &(struct udf_mount_options){0});
}

static int setup(void **state) {
    struct blockdev_geometry geometry = memdev_cdrw(SMALL_DISC);
    struct udf_format_options options = {.label = "Prüfung", .seed = 7};
    struct fixture *fx = calloc(1, sizeof(*fx));

    fx->mem = memdev_new(&geometry);
    assert_int_equal(udf_format(memdev_device(fx->mem), &options), 0);
    mount_again(fx);
    *state = fx;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fx = *state;

    if (fx->volume) {
        assert_int_equal(udf_unmount(fx->volume), 0);
        prove_medium(fx->mem);
    }
    memdev_free(fx->mem);
    free(fx);
    return 0;
}

static uint64_t make(struct fixture *fx, uint64_t parent, const char *text,
                     mode_t mode) {
    struct udf_make what = {.mode = mode};
    struct udf_name name = name_of(text);
    struct udf_stat stat;

    assert_int_equal(
        udf_create(fx->volume, parent, &name, &what, &owner, &stat), 0);
    return stat.ino;
}

static struct udf_stat find(struct fixture *fx, uint64_t parent,
                            const char *text) {
    struct udf_name name = name_of(text);
    struct udf_stat stat;

    assert_int_equal(udf_lookup(fx->volume, parent, &name, &stat), 0);
    udf_forget(fx->volume, stat.ino, 1);
    return stat;
}

static int find_error(struct fixture *fx, uint64_t parent, const char *text) {
    struct udf_name name = name_of(text);
    struct udf_stat stat;
    int error = udf_lookup(fx->volume, parent, &name, &stat);

    if (!error) {
        udf_forget(fx->volume, stat.ino, 1);
    }
    return error;
}

static uint8_t pattern(uint64_t seed, uint64_t at) {
    return (uint8_t)((seed * 131 + at * 7 + at / 251) >> 1);
}

static void fill(struct fixture *fx, uint64_t ino, uint64_t offset,
                 uint32_t count, uint64_t seed) {
    uint8_t *buf = malloc(count);

    for (uint32_t i = 0; i < count; i++) {
        buf[i] = pattern(seed, offset + i);
    }
    assert_int_equal(udf_write(fx->volume, ino, offset, count, buf), 0);
    free(buf);
}

static void expect(struct fixture *fx, uint64_t ino, uint64_t offset,
                   uint32_t count, uint64_t seed) {
    uint8_t *buf = malloc(count);
    uint32_t got;

    assert_int_equal(udf_read(fx->volume, ino, offset, count, buf, &got), 0);
    assert_int_equal(got, count);
    for (uint32_t i = 0; i < count; i++) {
        if (buf[i] != pattern(seed, offset + i)) {
            fail_msg("byte %lu differs", (unsigned long)(offset + i));
        }
    }
    free(buf);
}

static void test_volume_keeps_files_of_every_size(void **state) {
    static const uint32_t sizes[] = {0,    1,    1831,  1832,  1833,  2047,
                                     2048, 2049, 65535, 65536, 65537, 3000000};
    struct fixture *fx = *state;
    uint64_t dir = make(fx, UDF_ROOT_INO, "größen", S_IFDIR | 0750);
    char text[32];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint64_t ino;

        snprintf(text, sizeof(text), "f%u", sizes[i]);
        ino = make(fx, dir, text, S_IFREG | 0640);
        if (sizes[i] > 0) {
            fill(fx, ino, 0, sizes[i], i);
        }
        udf_forget(fx->volume, ino, 1);
    }
    udf_forget(fx->volume, dir, 1);
    mount_again(fx);
    dir = find(fx, UDF_ROOT_INO, "größen").ino;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct udf_stat stat;

        snprintf(text, sizeof(text), "f%u", sizes[i]);
        stat = find(fx, dir, text);
        assert_int_equal(stat.size, sizes[i]);
        assert_int_equal(stat.mode, S_IFREG | 0640);
        assert_int_equal(stat.uid, owner.uid);
        assert_int_equal(stat.gid, owner.gid);
        if (sizes[i] > 0) {
            expect(fx, stat.ino, 0, sizes[i], i);
        }
    }
}

static void test_volume_overwrites_in_the_middle(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make(fx, UDF_ROOT_INO, "a", S_IFREG | 0644);

    fill(fx, ino, 0, 500000, 1);
    mount_again(fx);
    ino = find(fx, UDF_ROOT_INO, "a").ino;
    fill(fx, ino, 100001, 70000, 2);
    expect(fx, ino, 0, 100001, 1);
    expect(fx, ino, 100001, 70000, 2);
    mount_again(fx);
    expect(fx, ino, 0, 100001, 1);
    expect(fx, ino, 100001, 70000, 2);
    expect(fx, ino, 170001, 500000 - 170001, 1);
}

static void test_volume_truncates_and_extends_with_zeros(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make(fx, UDF_ROOT_INO, "t", S_IFREG | 0644);
    struct udf_stat stat = {.size = 5000};
    uint8_t buf[4000];
    uint32_t got;

    fill(fx, ino, 0, 100000, 3);
    mount_again(fx);
    assert_int_equal(udf_setattr(fx->volume, ino, &stat, UDF_SET_SIZE, &stat),
                     0);
    stat.size = 300000;
    assert_int_equal(udf_setattr(fx->volume, ino, &stat, UDF_SET_SIZE, &stat),
                     0);
    mount_again(fx);
    expect(fx, ino, 0, 5000, 3);
    for (uint64_t at = 5000; at < 300000; at += sizeof(buf)) {
        assert_int_equal(udf_read(fx->volume, ino, at, sizeof(buf), buf, &got),
                         0);
        for (uint32_t i = 0; i < got; i++) {
            assert_int_equal(buf[i], 0);
        }
    }
}

static void test_volume_holds_many_names(void **state) {
    enum { NAMES = 3000 };
    struct fixture *fx = *state;
    uint64_t dir = make(fx, UDF_ROOT_INO, "many", S_IFDIR | 0755);
    char text[64];

    for (int i = 0; i < NAMES; i++) {
        snprintf(text, sizeof(text), "name-%d-%.*s", i, i % 40,
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        udf_forget(fx->volume, make(fx, dir, text, S_IFREG | 0600), 1);
    }
    mount_again(fx);
    dir = find(fx, UDF_ROOT_INO, "many").ino;
    for (int i = 0; i < NAMES; i += 2) {
        struct udf_name name;

        snprintf(text, sizeof(text), "name-%d-%.*s", i, i % 40,
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        name = name_of(text);
        assert_int_equal(udf_unlink(fx->volume, dir, &name), 0);
    }
    for (int i = 0; i < NAMES; i += 4) {
        snprintf(text, sizeof(text), "new-%d", i);
        udf_forget(fx->volume, make(fx, dir, text, S_IFREG | 0600), 1);
    }
    mount_again(fx);
    dir = find(fx, UDF_ROOT_INO, "many").ino;
    for (int i = 0; i < NAMES; i++) {
        snprintf(text, sizeof(text), "name-%d-%.*s", i, i % 40,
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        assert_int_equal(find_error(fx, dir, text), i % 2 ? 0 : -ENOENT);
        snprintf(text, sizeof(text), "new-%d", i);
        assert_int_equal(find_error(fx, dir, text), i % 4 ? -ENOENT : 0);
    }
}

static void test_volume_keeps_open_files_without_names(void **state) {
    struct fixture *fx = *state;
    struct udf_name name = name_of("gone");
    struct udf_statfs before, after;
    uint64_t ino;

    assert_int_equal(udf_commit(fx->volume), 0);
    udf_get_statfs(fx->volume, &before);
    ino = make(fx, UDF_ROOT_INO, "gone", S_IFREG | 0600);
    fill(fx, ino, 0, 200000, 9);
    assert_int_equal(udf_commit(fx->volume), 0);
    assert_int_equal(udf_unlink(fx->volume, UDF_ROOT_INO, &name), 0);
    assert_int_equal(udf_commit(fx->volume), 0);
    expect(fx, ino, 0, 200000, 9);
    fill(fx, ino, 200000, 100000, 9);
    assert_int_equal(udf_commit(fx->volume), 0);
    expect(fx, ino, 0, 300000, 9);
    udf_forget(fx->volume, ino, 1);
    assert_int_equal(udf_commit(fx->volume), 0);
    udf_get_statfs(fx->volume, &after);
    assert_int_equal(before.free_blocks, after.free_blocks);
    mount_again(fx);
    udf_get_statfs(fx->volume, &after);
    assert_int_equal(before.free_blocks, after.free_blocks);
}

static void test_volume_renames_and_exchanges(void **state) {
    struct fixture *fx = *state;
    uint64_t one = make(fx, UDF_ROOT_INO, "one", S_IFDIR | 0755);
    uint64_t two = make(fx, UDF_ROOT_INO, "two", S_IFDIR | 0755);
    uint64_t sub = make(fx, one, "sub", S_IFDIR | 0755);
    uint64_t file = make(fx, two, "file", S_IFREG | 0644);
    struct udf_place a = {one, name_of("sub")};
    struct udf_place b = {two, name_of("file")};
    struct udf_place below = {sub, name_of("x")};
    struct udf_place top = {UDF_ROOT_INO, name_of("one")};

    assert_int_equal(udf_rename(fx->volume, &top, &below, 0), -EINVAL);
    assert_int_equal(udf_rename(fx->volume, &a, &b, 0), -ENOTDIR);
    assert_int_equal(udf_rename(fx->volume, &b, &a, 0), -EISDIR);
    assert_int_equal(udf_rename(fx->volume, &a, &b, 1), -EEXIST);
    assert_int_equal(udf_rename(fx->volume, &a, &b, 2), 0);
    mount_again(fx);
    assert_int_equal(find(fx, one, "sub").ino, file);
    assert_int_equal(find(fx, two, "file").ino, sub);
    assert_int_equal(find(fx, sub, "..").ino, two);
    assert_int_equal(find(fx, UDF_ROOT_INO, "one").nlink, 2);
    assert_int_equal(find(fx, UDF_ROOT_INO, "two").nlink, 3);
}

static void test_volume_counts_hard_links(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make(fx, UDF_ROOT_INO, "a", S_IFREG | 0644);
    struct udf_name second = name_of("b"), first = name_of("a");
    struct udf_stat stat;

    assert_int_equal(udf_link(fx->volume, ino, UDF_ROOT_INO, &second, &stat),
                     0);
    assert_int_equal(stat.nlink, 2);
    assert_int_equal(udf_unlink(fx->volume, UDF_ROOT_INO, &first), 0);
    mount_again(fx);
    assert_int_equal(find(fx, UDF_ROOT_INO, "b").nlink, 1);
    assert_int_equal(find_error(fx, UDF_ROOT_INO, "a"), -ENOENT);
}

static void test_volume_follows_no_space_to_the_end(void **state) {
    struct fixture *fx = *state;
    static uint8_t chunk[65536];
    uint64_t ino = make(fx, UDF_ROOT_INO, "big", S_IFREG | 0644);
    struct udf_name name = name_of("big");
    uint64_t offset = 0;
    int error = 0;

    while (!error) {
        for (uint32_t i = 0; i < sizeof(chunk); i++) {
            chunk[i] = pattern(5, offset + i);
        }
        error = udf_write(fx->volume, ino, offset, sizeof(chunk), chunk);
        offset += error ? 0 : sizeof(chunk);
    }
    assert_int_equal(error, -ENOSPC);
    assert_true(offset > (uint64_t)SMALL_DISC / 2 * 2048);
    mount_again(fx);
    for (uint64_t at = 0; at < offset; at += sizeof(chunk)) {
        expect(fx, ino, at, sizeof(chunk), 5);
    }
    assert_int_equal(udf_unlink(fx->volume, UDF_ROOT_INO, &name), 0);
    ino = make(fx, UDF_ROOT_INO, "next", S_IFREG | 0644);
    fill(fx, ino, 0, 1000000, 6);
    mount_again(fx);
    expect(fx, ino, 0, 1000000, 6);
}

static void test_volume_reading_writes_nothing(void **state) {
    struct fixture *fx = *state;
    struct blockdev_stats before, after;
    uint64_t ino = make(fx, UDF_ROOT_INO, "a", S_IFREG | 0644);

    fill(fx, ino, 0, 300000, 1);
    mount_again(fx);
    blockdev_get_stats(memdev_device(fx->mem), &before);
    expect(fx, ino, 0, 300000, 1);
    mount_again(fx);
    blockdev_get_stats(memdev_device(fx->mem), &after);
    assert_int_equal(after.packets_written, before.packets_written);
}

/* Packets that will never be completed need not stay in memory. */
static void test_volume_keeps_packets_to_complete_them(void **state) {
    struct udf_mount_options options = {.read_only = true};
    struct fixture *fx = *state;

    assert_true(memdev_is_kept(fx->mem));
    mount_with(fx, &options);
    assert_false(memdev_is_kept(fx->mem));
    options.read_only = false;
    mount_with(fx, &options);
    assert_true(memdev_is_kept(fx->mem));
}

/* Unmounts, and expects a volume without a fault. */
static void expect_clean(struct fixture *fx, uint64_t files,
                         uint64_t directories) {
    struct udf_check_result result;

    assert_int_equal(udf_unmount(fx->volume), 0);
    fx->volume = NULL;
    result = prove_medium(fx->mem);
    assert_int_equal(result.files, files);
    assert_int_equal(result.directories, directories);
}

/* Power is lost after a commit: what the commit held is there, what came
 * later is not, and the next unmount leaves a closed volume without a fault. */
static void test_volume_survives_a_crash_after_a_commit(void **state) {
    struct fixture *fx = *state;
    uint64_t ino = make(fx, UDF_ROOT_INO, "kept", S_IFREG | 0644);

    fill(fx, ino, 0, 100000, 1);
    udf_forget(fx->volume, make(fx, UDF_ROOT_INO, "dir", S_IFDIR | 0755), 1);
    assert_int_equal(udf_commit(fx->volume), 0);
    udf_forget(fx->volume, make(fx, UDF_ROOT_INO, "lost", S_IFREG | 0644), 1);
    memdev_cut_after(fx->mem, 0, false);
    assert_int_not_equal(udf_unmount(fx->volume), 0);
    fx->volume = NULL;
    mount_again(fx);
    expect(fx, ino, 0, 100000, 1);
    assert_int_equal(find_error(fx, UDF_ROOT_INO, "lost"), -ENOENT);
    expect_clean(fx, 1, 2);
}

/* A list of extents too long for the file entry goes on in other blocks; they
 * are free again when nothing is left to list. */
static void test_volume_frees_the_list_of_a_file_made_empty(void **state) {
    struct udf_stat empty = {0};
    struct fixture *fx = *state;
    uint64_t ino = make(fx, UDF_ROOT_INO, "pieces", S_IFREG | 0644);
    struct udf_stat stat;

    for (uint64_t i = 0; i < 600; i++) {
        fill(fx, ino, i * 8192, 2048, 1);
    }
    mount_again(fx);
    assert_int_equal(udf_setattr(fx->volume, ino, &empty, UDF_SET_SIZE, &stat),
                     0);
    expect_clean(fx, 1, 1);
}

/* Gives the directory `ino` a link count that says it is full. */
static void fill_links(struct fixture *fx, uint64_t ino) {
    uint32_t lbn = (uint32_t)(ino - 2);

    /* From the end: the journal, before the partition, may have it too. */
    for (uint32_t lba = SMALL_DISC - 1; lba > 256; lba--) {
        uint8_t *entry = memdev_medium(fx->mem, lba);

        if (damage_get32(entry + 12) == lbn && entry[0] == 0x0A &&
            entry[1] == 1) {
            memset(entry + FE_LINKS, 0xFF, 2);
            damage_reseal(entry);
            return;
        }
    }
    fail();
}

/* A directory's subdirectories are counted in 16 bits. */
static void test_volume_moves_no_directory_into_a_full_one(void **state) {
    struct udf_name name = name_of("moving");
    struct fixture *fx = *state;
    uint64_t full = make(fx, UDF_ROOT_INO, "full", S_IFDIR | 0755);
    struct udf_place from = {.dir = UDF_ROOT_INO, .name = name};
    struct udf_place to = {.dir = full, .name = name};

    udf_forget(fx->volume, make(fx, UDF_ROOT_INO, "moving", S_IFDIR | 0755), 1);
    assert_int_equal(udf_unmount(fx->volume), 0);
    fx->volume = NULL;
    fill_links(fx, full);
    mount_again(fx);
    assert_int_equal(udf_rename(fx->volume, &from, &to, 0), -EMLINK);
    assert_int_equal(find(fx, UDF_ROOT_INO, "full").nlink, 65536);
    assert_int_equal(udf_unmount(fx->volume), 0);
    fx->volume = NULL; /* its fault stays */
}

static void number_name(char *out_text, size_t bytes, int number) {
    snprintf(out_text, bytes, "a-rather-long-name-for-number-%d", number);
}

static void make_numbers(struct fixture *fx, uint64_t parent, int from,
                         int to) {
    char text[48];

    for (int i = from; i < to; i++) {
        number_name(text, sizeof(text), i);
        udf_forget(fx->volume, make(fx, parent, text, S_IFREG | 0644), 1);
    }
}

/* Cuts a commit that adds names `old` to `all` to "dir" behind `packets`
 * packets. Returns false when the commit did not get that far. */
static bool cut_growing(struct fixture *fx, int old, int all,
                        uint64_t packets) {
    uint64_t dir = make(fx, UDF_ROOT_INO, "dir", S_IFDIR | 0755);
    char text[48];
    bool was_cut;

    make_numbers(fx, dir, 0, old);
    mount_again(fx);
    make_numbers(fx, find(fx, UDF_ROOT_INO, "dir").ino, old, all);
    memdev_cut_after(fx->mem, packets, false);
    was_cut = udf_commit(fx->volume) != 0;
    memdev_cut_after(fx->mem, 0, false);
    (void)udf_unmount(fx->volume);
    fx->volume = NULL;
    mount_again(fx);
    for (int i = 0; i < all; i++) {
        int error;

        number_name(text, sizeof(text), i);
        error = find_error(fx, dir, text);
        if (error != -ENOENT || i < old) {
            assert_int_equal(error, 0);
        }
    }
    return was_cut;
}

/* Wherever a commit is cut between two packets, a directory that was growing
 * holds what it held, and no name leads nowhere. */
static void test_volume_keeps_directories_when_commits_are_cut(void **state) {
    /* From the file entry to a block, within a block, to a longer extent */
    static const int sizes[][2] = {{15, 40}, {24, 25}, {40, 400}};

    for (size_t i = 0; i < 3; i++) {
        bool was_cut = true;

        for (uint64_t packets = 0; was_cut; packets++) {
            (void)teardown(state);
            (void)setup(state);
            was_cut = cut_growing(*state, sizes[i][0], sizes[i][1], packets);
        }
    }
}

/* Writers that never stop must not keep a commit off. */
static void test_volume_commits_while_data_pours_in(void **state) {
    struct udf_mount_options options = {.dirty_bytes = 128 << 10,
                                        .commit_ms = 1};
    struct fixture *fx = *state;
    uint64_t ino;

    mount_with(fx, &options);
    ino = make(fx, UDF_ROOT_INO, "log", S_IFREG | 0644);
    for (uint64_t at = 0; at < 2000000; at += 70000) {
        fill(fx, ino, at, 69990, 4);
        fill(fx, ino, at + 69990, 10, 4); /* sees more than half waiting */
        assert_int_equal(udf_background(fx->volume, 2), 0);
    }
    memdev_cut_after(fx->mem, 0, false);
    (void)udf_unmount(fx->volume);
    fx->volume = NULL;
    mount_again(fx);
    assert_true(find(fx, UDF_ROOT_INO, "log").size > 1000000);
}

/* The kernel sends a file in several requests at once. */
static void test_volume_puts_a_file_in_one_piece(void **state) {
    static const uint64_t order[] = {1, 0, 3, 2, 6, 4, 7, 5, 8};
    struct udf_mount_options options = {.dirty_bytes = 1 << 20};
    struct fixture *fx = *state;
    uint64_t ino;

    mount_with(fx, &options);
    ino = make(fx, UDF_ROOT_INO, "large", S_IFREG | 0644);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        fill(fx, ino, order[i] * 600000, 600000, 4);
    }
    assert_int_equal(udf_commit(fx->volume), 0);
    assert_int_equal(udf_node_find(&fx->volume->nodes, ino)->body.extents.count,
                     1);
    assert_int_equal(udf_unmount(fx->volume), 0);
    fx->volume = NULL;
    mount_again(fx);
    assert_int_equal(find(fx, UDF_ROOT_INO, "large").size, 9 * 600000);
}

static uint32_t first_block_of(struct fixture *fx, uint64_t ino) {
    const struct udf_node *node = udf_node_find(&fx->volume->nodes, ino);
    struct udf_extent first;

    assert_int_equal(udf_extents_map(&node->body.extents, 0, &first), 0);
    assert_int_equal(first.kind, UDF_EXTENT_RECORDED);
    return first.addr.lbn;
}

/* What is written over stays where it is when it is little, however much goes
 * to allocated places beside it; and moves when it lies scattered itself. */
static void test_volume_moves_what_is_scattered(void **state) {
    const struct udf_range range = {.change = UDF_RANGE_ALLOCATE,
                                    .count = 400 * UDF_BLOCK_BYTES};
    struct fixture *fx = *state;
    uint64_t ino = make(fx, UDF_ROOT_INO, "allocated", S_IFREG | 0644);
    uint32_t before;

    fill(fx, ino, 0, UDF_BLOCK_BYTES, 4);
    assert_int_equal(udf_commit(fx->volume), 0);
    assert_int_equal(udf_change_range(fx->volume, ino, &range), 0);
    assert_int_equal(udf_commit(fx->volume), 0);
    before = first_block_of(fx, ino);
    for (unsigned round = 0; round < 2; round++) {
        for (uint64_t block = 0; block < 400; block += 16) {
            fill(fx, ino, block * UDF_BLOCK_BYTES, UDF_BLOCK_BYTES, 5);
        }
        assert_int_equal(udf_commit(fx->volume), 0);
        assert_int_equal(first_block_of(fx, ino) != before, round > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_volume_keeps_files_of_every_size,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_volume_overwrites_in_the_middle,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_volume_truncates_and_extends_with_zeros, setup, teardown),
        cmocka_unit_test_setup_teardown(test_volume_holds_many_names, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_volume_keeps_open_files_without_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_volume_renames_and_exchanges,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_volume_counts_hard_links, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_volume_follows_no_space_to_the_end,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_volume_survives_a_crash_after_a_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_volume_keeps_directories_when_commits_are_cut, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_volume_frees_the_list_of_a_file_made_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_volume_moves_no_directory_into_a_full_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_volume_commits_while_data_pours_in,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_volume_puts_a_file_in_one_piece,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_volume_moves_what_is_scattered,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_volume_keeps_packets_to_complete_them, setup, teardown),
        cmocka_unit_test_setup_teardown(test_volume_reading_writes_nothing,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
