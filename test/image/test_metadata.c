/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_metadata.c - volumes of UDF 2.50 and above at work: the
 * metadata partition grows, both copies stay the same, and a copy that cannot
 * be read is not needed.
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

#include "test/support/memdev.h"
#include "test/support/mount_cold.h"
#include "test/support/prove.h"
#include "udf/check.h"
#include "udf/format.h"
#include "udf/layout.h"
#include "udf/udf.h"
#include "udf/volume.h"

enum { SMALL = 32 * 400, FILES = 600 };

/* A disc with its plan. */
struct disc {
    struct memdev *mem;
    struct udf_layout plan;
    struct udf_volume *volume;
};

static const struct udf_cred owner = {.uid = 1000, .gid = 1001};

static struct udf_check_result check(struct disc *disc) {
    const struct udf_check_options strict = {.allow_open = false};
    struct udf_check_result result;

    memdev_reboot(disc->mem);
    assert_int_equal(
        udf_check(memdev_device(disc->mem), &strict, NULL, NULL, &result), 0);
    return result;
}

static void mount(struct disc *disc) {
    struct udf_mount_options options = {0};

    disc->volume = mount_cold(disc->mem, &options);
}

static void unmount(struct disc *disc) {
    assert_int_equal(udf_unmount(disc->volume), 0);
    disc->volume = NULL;
}

static struct disc make_disc(const struct blockdev_geometry *geometry,
                             uint16_t revision, unsigned copies) {
    const struct udf_format_options how = {.label = "Metadata",
                                           .seed = 3,
                                           .revision = revision,
                                           .metadata_copies = copies};
    struct disc disc = {.mem = memdev_new(geometry)};

    assert_int_equal(udf_layout_plan(geometry, &how, &disc.plan), 0);
    assert_int_equal(udf_format(memdev_device(disc.mem), &how), 0);
    return disc;
}

static uint64_t make(struct disc *disc, uint64_t parent, const char *text,
                     mode_t mode) {
    const struct udf_make what = {.mode = mode};
    const struct udf_name name = {.text = text, .len = (uint32_t)strlen(text)};
    struct udf_stat stat;

    assert_int_equal(
        udf_create(disc->volume, parent, &name, &what, &owner, &stat), 0);
    udf_forget(disc->volume, stat.ino, 1);
    return stat.ino;
}

static int find(struct disc *disc, uint64_t parent, const char *text,
                struct udf_stat *out_stat) {
    const struct udf_name name = {.text = text, .len = (uint32_t)strlen(text)};
    int error = udf_lookup(disc->volume, parent, &name, out_stat);

    if (!error) {
        udf_forget(disc->volume, out_stat->ino, 1);
    }
    return error;
}

static void name_file(int i, char *out_text) {
    snprintf(out_text, 32, "file %d", i);
}

/* Files of 0 to some thousand bytes in one directory. */
static void fill(struct disc *disc, int from, int to) {
    uint8_t data[6000];
    struct udf_stat dir;
    char text[32];

    if (find(disc, UDF_ROOT_INO, "dir", &dir)) {
        dir.ino = make(disc, UDF_ROOT_INO, "dir", S_IFDIR | 0755);
    }
    for (int i = from; i < to; i++) {
        uint64_t ino;

        memset(data, i, sizeof(data));
        name_file(i, text);
        ino = make(disc, dir.ino, text, S_IFREG | 0644);
        assert_int_equal(
            udf_write(disc->volume, ino, 0, (uint32_t)(i * 37 % 6000), data),
            0);
    }
}

static void expect(struct disc *disc, int from, int to) {
    uint8_t data[6001];
    struct udf_stat dir, file;
    char text[32];

    assert_int_equal(find(disc, UDF_ROOT_INO, "dir", &dir), 0);
    for (int i = from; i < to; i++) {
        uint32_t count;

        name_file(i, text);
        assert_int_equal(find(disc, dir.ino, text, &file), 0);
        assert_int_equal(
            udf_read(disc->volume, file.ino, 0, sizeof(data), data, &count), 0);
        assert_int_equal(count, i * 37 % 6000);
        assert_true(count == 0 || data[count - 1] == (uint8_t)i);
    }
}

static void empty(struct disc *disc, int from, int to) {
    struct udf_stat dir;
    char text[32];

    assert_int_equal(find(disc, UDF_ROOT_INO, "dir", &dir), 0);
    for (int i = from; i < to; i++) {
        struct udf_name name = {.text = text};

        name_file(i, text);
        name.len = (uint32_t)strlen(text);
        assert_int_equal(udf_unlink(disc->volume, dir.ino, &name), 0);
    }
}

/* More file entries than the partition is formatted for. */
static void work(struct disc *disc) {
    assert_true(disc->plan.metadata.blocks < FILES);
    mount(disc);
    fill(disc, 0, FILES);
    unmount(disc);
    prove_medium(disc->mem);
    mount(disc);
    expect(disc, 0, FILES);
    empty(disc, 100, FILES);
    fill(disc, 200, 300);
    unmount(disc);
    prove_medium(disc->mem);
    mount(disc);
    expect(disc, 0, 100);
    expect(disc, 200, 300);
    unmount(disc);
}

static void test_metadata_grows_on_every_medium(void **state) {
    const struct blockdev_geometry media[] = {
        memdev_cdrw(SMALL), memdev_dvdrw(SMALL), memdev_bdre(SMALL),
        memdev_image(SMALL)};

    (void)state;
    for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
        struct disc disc =
            make_disc(&media[i], i % 2 ? 0x0260 : 0x0250, i % 3 == 1 ? 1 : 2);

        work(&disc);
        memdev_free(disc.mem);
    }
}

/* Blocks that a test keeps from everybody else. */
struct taken {
    struct udf_space *space;
    uint32_t *lbn, count;
};

/* Takes what can be taken, but for `rest` blocks. */
static struct taken take_all_but(struct udf_space *space, uint32_t rest) {
    struct taken taken = {.space = space};

    taken.lbn = calloc(udf_space_blocks(space), sizeof(*taken.lbn));
    assert_non_null(taken.lbn);
    while (udf_space_usable(space) > rest) {
        assert_int_equal(
            udf_space_take_near(space, 0, 1, &taken.lbn[taken.count]), 0);
        taken.count++;
    }
    assert_true(taken.count > 0);
    return taken;
}

static void give_back(struct taken *taken) {
    while (taken->count > 0) {
        udf_space_give(taken->space, taken->lbn[--taken->count], 1);
    }
    free(taken->lbn);
}

/* A commit needs a block for the continuation of a file entry, and all of the
 * metadata partition is in use: it grows for that, too. */
static void test_metadata_grows_for_a_commit(void **state) {
    enum { PIECES = 600 };
    const struct blockdev_geometry geometry = memdev_bdre(SMALL);
    struct disc disc = make_disc(&geometry, 0x0250, 2);
    uint8_t data[UDF_BLOCK_BYTES];
    struct taken taken;
    uint64_t ino;

    (void)state;
    mount(&disc);
    ino = make(&disc, UDF_ROOT_INO, "pieces", S_IFREG | 0644);
    assert_int_equal(udf_commit(disc.volume), 0);
    memset(data, 7, sizeof(data));
    for (uint64_t i = 0; i < PIECES; i++) {
        assert_int_equal(udf_write(disc.volume, ino, i * 2 * sizeof(data),
                                   sizeof(data), data),
                         0);
    }
    taken = take_all_but(disc.volume->spaces.of[disc.volume->metadata.part], 0);
    assert_int_equal(udf_commit(disc.volume), 0);
    give_back(&taken);
    make(&disc, UDF_ROOT_INO, "last", S_IFREG | 0644);
    unmount(&disc);
    prove_medium(disc.mem);
    memdev_free(disc.mem);
}

/* A bitmap that grows block by block would cost every mount a seek for each
 * time that the partition has grown. */
static void test_metadata_bitmap_stays_in_one_piece(void **state) {
    enum { BITS_A_BLOCK = 8 * 2048, BLOCKS = 3 * BITS_A_BLOCK };
    const struct blockdev_geometry geometry = memdev_bdre(4 * BLOCKS);
    struct disc disc = make_disc(&geometry, 0x0250, 1);
    const struct udf_metadata *metadata;
    uint32_t blocks = 0;
    int files = 0;

    (void)state;
    mount(&disc);
    metadata = &disc.volume->metadata;
    while (blocks <= BLOCKS) {
        fill(&disc, files, files + 10);
        files += 10;
        assert_int_equal(udf_commit(disc.volume), 0);
        pthread_rwlock_wrlock(&disc.volume->lock);
        assert_int_equal(udf_metadata_grow(disc.volume, 1), 0);
        blocks = disc.volume->maps.map[metadata->part].blocks;
        pthread_rwlock_unlock(&disc.volume->lock);
    }
    assert_int_equal(metadata->bitmap->body.extents.count, 1);
    assert_int_equal(udf_extents_end(&metadata->bitmap->body.extents),
                     (udf_spacemap_bytes(blocks) - 1) / UDF_BLOCK_BYTES + 1);
    unmount(&disc);
    prove_medium(disc.mem);
    mount(&disc);
    expect(&disc, 0, files);
    unmount(&disc);
    memdev_free(disc.mem);
}

static void add_names(struct disc *disc, uint64_t dir, int from, int to) {
    char text[32];

    for (int i = from; i < to; i++) {
        name_file(i, text);
        make(disc, dir, text, S_IFREG | 0644);
    }
}

/* A directory that moves to a place where it is in one piece takes more than
 * was reserved for it, but not what others have reserved. */
static void test_directory_moves_beside_reserved_space(void **state) {
    enum { SOME = 300, MORE = 100, MANY = 3000 };
    const struct blockdev_geometry geometry = memdev_cdrw(SMALL);
    struct disc disc = make_disc(&geometry, 0x0201, 0);
    struct taken taken;
    struct udf_stat mode = {.mode = 0700};
    uint64_t small, large;

    (void)state;
    mount(&disc);
    small = make(&disc, UDF_ROOT_INO, "small", S_IFDIR | 0755);
    large = make(&disc, UDF_ROOT_INO, "large", S_IFDIR | 0755);
    add_names(&disc, small, 0, SOME);
    add_names(&disc, large, 0, SOME);
    assert_int_equal(udf_commit(disc.volume), 0);
    add_names(&disc, small, SOME, SOME + MORE);
    add_names(&disc, large, SOME, SOME + MANY);
    taken =
        take_all_but(disc.volume->meta, udf_space_reserved(disc.volume->meta));
    assert_int_equal(udf_commit(disc.volume), 0);
    give_back(&taken);
    assert_int_equal(
        udf_setattr(disc.volume, small, &mode, UDF_SET_MODE, &mode), 0);
    unmount(&disc);
    prove_medium(disc.mem);
    memdev_free(disc.mem);
}

static uint32_t lba_of(const struct disc *disc, uint32_t lbn) {
    return disc->plan.region[UDF_REGION_PARTITION].lba + lbn;
}

/* Every packet of the first copy is gone: all is read from the mirror, and what
 * changes brings both copies back. */
static void test_metadata_is_read_from_its_mirror(void **state) {
    const struct blockdev_geometry geometry = memdev_bdre(SMALL);
    struct disc disc = make_disc(&geometry, 0x0250, 2);
    const struct udf_layout_metadata *m = &disc.plan.metadata;

    (void)state;
    mount(&disc);
    fill(&disc, 0, 60);
    unmount(&disc);
    for (uint32_t i = 0; i < m->blocks; i++) {
        memdev_fail_read(disc.mem, lba_of(&disc, m->main_lbn + i));
    }
    mount(&disc);
    expect(&disc, 0, 60);
    fill(&disc, 60, 70);
    unmount(&disc);
    memdev_heal(disc.mem);
    prove_medium(disc.mem);
    mount(&disc);
    expect(&disc, 0, 70);
    unmount(&disc);
    memdev_free(disc.mem);
}

/* A block that can be read and is nonsense is no better. */
static void test_metadata_damaged_block_is_read_from_mirror(void **state) {
    const struct blockdev_geometry geometry = memdev_cdrw(SMALL);
    struct disc disc = make_disc(&geometry, 0x0250, 2);
    const struct udf_layout_metadata *m = &disc.plan.metadata;

    (void)state;
    mount(&disc);
    fill(&disc, 0, 5);
    unmount(&disc);
    for (uint32_t i = 0; i < 3; i++) { /* file set, root and what is next */
        memdev_medium(disc.mem, lba_of(&disc, m->main_lbn + i))[40] ^= 0x55;
    }
    assert_true(check(&disc).faults > 0);
    mount(&disc);
    expect(&disc, 0, 5);
    fill(&disc, 5, 6);
    unmount(&disc);
    prove_medium(disc.mem);
    memdev_free(disc.mem);
}

/* The entry of either file is lost. Where both name the same blocks it comes
 * back; where each has its own, the volume can only be read. */
static void lose_entry(bool main, bool one_copy) {
    const struct blockdev_geometry geometry = memdev_bdre(SMALL);
    struct disc disc = make_disc(&geometry, 0x0250, one_copy ? 1 : 2);
    const struct udf_layout_metadata *m = &disc.plan.metadata;
    struct udf_check_result found;
    struct udf_info info;

    mount(&disc);
    fill(&disc, 0, 20);
    unmount(&disc);
    memset(memdev_medium(disc.mem, lba_of(&disc, main ? m->main_fe_lbn
                                                      : m->mirror_fe_lbn)),
           0xA5, 2048);
    /* The checker says so, and sees all files through the other. */
    found = check(&disc);
    assert_true(found.faults > 0);
    assert_int_equal(found.files, 20);
    mount(&disc);
    expect(&disc, 0, 20);
    udf_get_info(disc.volume, &info);
    assert_int_equal(info.writable, one_copy);
    if (one_copy) {
        fill(&disc, 20, FILES);
    }
    unmount(&disc);
    if (one_copy) {
        prove_medium(disc.mem);
    }
    memdev_free(disc.mem);
}

static void test_metadata_lost_entry(void **state) {
    (void)state;
    lose_entry(true, true);
    lose_entry(true, false);
    lose_entry(false, true);
    lose_entry(false, false);
}

/* A full disc says so, and what was there stays; deleting makes room. */
static void test_metadata_full_disc(void **state) {
    const struct blockdev_geometry geometry = memdev_bdre(32 * 130);
    struct disc disc = make_disc(&geometry, 0x0250, 2);
    const struct udf_make what = {.mode = S_IFREG | 0644};
    struct udf_stat stat;
    char text[32];
    int i = 0, error = 0;

    (void)state;
    mount(&disc);
    while (!error) {
        struct udf_name name = {.text = text};

        name_file(i, text);
        name.len = (uint32_t)strlen(text);
        error =
            udf_create(disc.volume, UDF_ROOT_INO, &name, &what, &owner, &stat);
        if (!error) {
            udf_forget(disc.volume, stat.ino, 1);
            i++;
        }
    }
    assert_int_equal(error, -ENOSPC);
    assert_true(i > 100);
    unmount(&disc);
    prove_medium(disc.mem);
    mount(&disc);
    while (i-- > 0) {
        struct udf_name name = {.text = text};

        name_file(i, text);
        name.len = (uint32_t)strlen(text);
        assert_int_equal(udf_unlink(disc.volume, UDF_ROOT_INO, &name), 0);
    }
    fill(&disc, 0, 10);
    unmount(&disc);
    prove_medium(disc.mem);
    memdev_free(disc.mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metadata_grows_on_every_medium),
        cmocka_unit_test(test_metadata_grows_for_a_commit),
        cmocka_unit_test(test_metadata_bitmap_stays_in_one_piece),
        cmocka_unit_test(test_directory_moves_beside_reserved_space),
        cmocka_unit_test(test_metadata_is_read_from_its_mirror),
        cmocka_unit_test(test_metadata_damaged_block_is_read_from_mirror),
        cmocka_unit_test(test_metadata_lost_entry),
        cmocka_unit_test(test_metadata_full_disc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
