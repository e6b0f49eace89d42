/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_xattr.c - extended attributes and the streams that hold
 * them, through udf.h, on a device in memory that is cold. The checker looks at
 * every volume at the end.
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
#include <sys/xattr.h>

#include <cmocka.h>

#include "test/support/memdev.h"
#include "test/support/prove.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/fid.h"
#include "udf/format.h"
#include "udf/udf.h"

enum { SMALL_DISC = 32 * 600, LIST_MAX = 100 };

struct fixture {
    struct memdev *mem;
    struct udf_volume *volume;
};

static const struct udf_cred owner = {.uid = 1000, .gid = 1001};

static void close_volume(struct fixture *fx) {
    if (fx->volume) {
        assert_int_equal(udf_unmount(fx->volume), 0);
        fx->volume = NULL;
    }
    memdev_reboot(fx->mem);
}

static void open_volume(struct fixture *fx) {
    struct udf_mount_options options = {0};

    memdev_set_cold(fx->mem, true);
    assert_int_equal(udf_mount(memdev_device(fx->mem), &options, &fx->volume),
                     0);
}

static void mount_again(struct fixture *fx) {
    close_volume(fx);
    open_volume(fx);
}

static void format(struct fixture *fx, uint16_t revision) {
    struct blockdev_geometry geometry = memdev_cdrw(SMALL_DISC);
    struct udf_format_options options = {.revision = revision, .seed = 7};

    fx->mem = memdev_new(&geometry);
    assert_int_equal(udf_format(memdev_device(fx->mem), &options), 0);
    open_volume(fx);
}

static int setup(void **state) {
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    format(fx, 0x0201);
    *state = fx;
    return 0;
}

static int setup_250(void **state) {
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    format(fx, 0x0250);
    *state = fx;
    return 0;
}

static int setup_150(void **state) {
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    format(fx, 0x0150);
    *state = fx;
    return 0;
}

static struct udf_check_result check(struct fixture *fx) {
    close_volume(fx);
    return prove_medium(fx->mem);
}

static int teardown(void **state) {
    struct fixture *fx = *state;

    if (fx->volume) {
        check(fx);
    }
    memdev_free(fx->mem);
    free(fx);
    return 0;
}

static uint64_t make(struct fixture *fx, const char *text, mode_t mode) {
    struct udf_name name = {.text = text, .len = (uint32_t)strlen(text)};
    struct udf_make what = {.mode = mode};
    struct udf_stat stat;

    assert_int_equal(
        udf_create(fx->volume, UDF_ROOT_INO, &name, &what, &owner, &stat), 0);
    udf_forget(fx->volume, stat.ino, 1);
    return stat.ino;
}

static int remove_file(struct fixture *fx, const char *text) {
    struct udf_name name = {.text = text, .len = (uint32_t)strlen(text)};

    return udf_unlink(fx->volume, UDF_ROOT_INO, &name);
}

static uint64_t find(struct fixture *fx, const char *text) {
    struct udf_name name = {.text = text, .len = (uint32_t)strlen(text)};
    struct udf_stat stat;

    assert_int_equal(udf_lookup(fx->volume, UDF_ROOT_INO, &name, &stat), 0);
    udf_forget(fx->volume, stat.ino, 1);
    return stat.ino;
}

static int set_bytes(struct fixture *fx, uint64_t ino, const char *name,
                     const void *bytes, uint32_t count, int flags) {
    struct udf_xattr value = {.bytes = bytes, .count = count, .flags = flags};

    return udf_setxattr(fx->volume, ino, name, &value);
}

static int set(struct fixture *fx, uint64_t ino, const char *name,
               const char *text, int flags) {
    return set_bytes(fx, ino, name, text, (uint32_t)strlen(text), flags);
}

/* A value of any length that depends on `seed`. */
static int set_long(struct fixture *fx, uint64_t ino, const char *name,
                    uint32_t count, unsigned seed) {
    uint8_t *bytes = malloc(count);
    int error;

    for (uint32_t i = 0; i < count; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251 + seed);
    }
    error = set_bytes(fx, ino, name, bytes, count, 0);
    free(bytes);
    return error;
}

static void expect_long(struct fixture *fx, uint64_t ino, const char *name,
                        uint32_t count, unsigned seed) {
    uint8_t *bytes = malloc(UDF_XATTR_BYTES_MAX);
    uint32_t got;

    assert_int_equal(
        udf_getxattr(fx->volume, ino, name, bytes, UDF_XATTR_BYTES_MAX, &got),
        0);
    assert_int_equal(got, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(bytes[i], (uint8_t)(i * 7 + i / 251 + seed));
    }
    free(bytes);
}

static int get_error(struct fixture *fx, uint64_t ino, const char *name) {
    uint32_t bytes;

    return udf_getxattr(fx->volume, ino, name, NULL, 0, &bytes);
}

static void expect(struct fixture *fx, uint64_t ino, const char *name,
                   const char *text) {
    char value[256] = {0};
    uint32_t bytes;

    assert_int_equal(
        udf_getxattr(fx->volume, ino, name, value, sizeof(value) - 1, &bytes),
        0);
    assert_int_equal(bytes, strlen(text));
    assert_string_equal(value, text);
}

struct names {
    char text[LIST_MAX][256];
    uint32_t count;
};

static void take_name(void *context, const char *name) {
    struct names *names = context;

    assert_true(names->count < LIST_MAX);
    snprintf(names->text[names->count++], 256, "%s", name);
}

static uint32_t count_names(struct fixture *fx, uint64_t ino) {
    struct names names = {0};

    assert_int_equal(udf_listxattr(fx->volume, ino, take_name, &names), 0);
    return names.count;
}

static uint32_t free_blocks(struct fixture *fx) {
    struct udf_info info;

    udf_get_info(fx->volume, &info);
    return info.free_blocks;
}

/* ---- what users see ----------------------------------------------------- */

static void test_xattr_is_kept_over_mounts(void **state) {
    struct fixture *fx = *state;
    struct names names = {0};
    uint64_t file = make(fx, "file", S_IFREG | 0644);

    assert_int_equal(set(fx, file, "user.a", "first", 0), 0);
    assert_int_equal(set(fx, file, "user.größe", "", 0), 0);
    assert_int_equal(set(fx, file, "trusted.b", "second", 0), 0);
    assert_int_equal(set(fx, UDF_ROOT_INO, "user.root", "third", 0), 0);
    mount_again(fx);
    file = find(fx, "file");
    expect(fx, file, "user.a", "first");
    expect(fx, file, "user.größe", "");
    expect(fx, file, "trusted.b", "second");
    expect(fx, UDF_ROOT_INO, "user.root", "third");
    assert_int_equal(udf_listxattr(fx->volume, file, take_name, &names), 0);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.text[0], "user.a");
    assert_string_equal(names.text[2], "trusted.b");
}

static void test_xattr_flags_are_obeyed(void **state) {
    struct fixture *fx = *state;
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    char value[4];
    uint32_t bytes;

    assert_int_equal(set(fx, file, "user.a", "1", XATTR_REPLACE), -ENODATA);
    assert_int_equal(set(fx, file, "user.a", "1", XATTR_CREATE), 0);
    assert_int_equal(set(fx, file, "user.a", "2", XATTR_CREATE), -EEXIST);
    assert_int_equal(set(fx, file, "user.a", "three", XATTR_REPLACE), 0);
    expect(fx, file, "user.a", "three");
    assert_int_equal(udf_getxattr(fx->volume, file, "user.a", value, 4, &bytes),
                     -ERANGE);
    assert_int_equal(get_error(fx, file, "user.b"), -ENODATA);
    assert_int_equal(udf_removexattr(fx->volume, file, "user.b"), -ENODATA);
    assert_int_equal(set_long(fx, file, "user.big", 65537, 0), -E2BIG);
}

static void test_xattr_names_that_are_not_kept(void **state) {
    struct fixture *fx = *state;
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    char name[300] = "user.";

    assert_int_equal(set(fx, file, "os2.a", "1", 0), -EOPNOTSUPP);
    assert_int_equal(set(fx, file, "system.other", "1", 0), -EOPNOTSUPP);
    assert_int_equal(set(fx, file, "user.", "1", 0), -EINVAL);
    assert_int_equal(set(fx, file, "user.a/b", "1", 0), -EINVAL);
    assert_int_equal(set(fx, file, "user.\xff", "1", 0), -EILSEQ);
    /* or a user could give a file capabilities */
    assert_int_equal(set(fx, file, "user.*udfpkt security.capability", "1", 0),
                     -EINVAL);
    memset(name + 5, 'n', 251);
    assert_int_equal(set(fx, file, name, "1", 0), -ERANGE);
    name[255] = '\0';
    assert_int_equal(set(fx, file, name, "1", 0), 0);
    expect(fx, file, name, "1");
}

static void test_xattr_values_of_every_size(void **state) {
    static const uint32_t sizes[] = {1,    1831, 1832,  1833, 2048,
                                     2049, 5000, 65535, 65536};
    struct fixture *fx = *state;
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    char name[32];

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        snprintf(name, sizeof(name), "user.%u", i);
        assert_int_equal(set_long(fx, file, name, sizes[i], i), 0);
    }
    mount_again(fx);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        snprintf(name, sizeof(name), "user.%u", i);
        expect_long(fx, file, name, sizes[i], i);
    }
    /* each takes the size of the one before */
    for (unsigned i = 1; i < sizeof(sizes) / sizeof(*sizes); i++) {
        snprintf(name, sizeof(name), "user.%u", i);
        assert_int_equal(set_long(fx, file, name, sizes[i - 1], i + 100), 0);
    }
    mount_again(fx);
    for (unsigned i = 1; i < sizeof(sizes) / sizeof(*sizes); i++) {
        snprintf(name, sizeof(name), "user.%u", i);
        expect_long(fx, file, name, sizes[i - 1], i + 100);
    }
}

static void test_xattr_changes_no_counts_and_no_links(void **state) {
    struct fixture *fx = *state;
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    uint64_t dir = make(fx, "dir", S_IFDIR | 0755);
    struct udf_stat before, after;
    struct udf_info info;

    assert_int_equal(udf_getattr(fx->volume, dir, &before), 0);
    assert_int_equal(set(fx, file, "user.a", "1", 0), 0);
    assert_int_equal(set(fx, dir, "user.a", "1", 0), 0);
    mount_again(fx);
    assert_int_equal(udf_getattr(fx->volume, dir, &after), 0);
    assert_int_equal(after.nlink, before.nlink);
    assert_int_equal(udf_getattr(fx->volume, file, &after), 0);
    assert_int_equal(after.nlink, 1);
    assert_int_equal(after.size, 0);
    udf_get_info(fx->volume, &info);
    assert_int_equal(info.files, 1);
    assert_int_equal(info.directories, 2);
    assert_true(info.min_read >= 0x0200);
}

static void test_xattr_many_of_one_file(void **state) {
    struct fixture *fx = *state;
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    char name[64], value[32];

    for (int i = 0; i < LIST_MAX; i++) {
        snprintf(name, sizeof(name), "user.a name of some length %d", i);
        snprintf(value, sizeof(value), "value %d", i);
        assert_int_equal(set(fx, file, name, value, 0), 0);
    }
    mount_again(fx);
    assert_int_equal(count_names(fx, file), LIST_MAX);
    for (int i = 0; i < LIST_MAX; i += 2) {
        snprintf(name, sizeof(name), "user.a name of some length %d", i);
        assert_int_equal(udf_removexattr(fx->volume, file, name), 0);
    }
    mount_again(fx);
    assert_int_equal(count_names(fx, file), LIST_MAX / 2);
    for (int i = 1; i < LIST_MAX; i += 2) {
        snprintf(name, sizeof(name), "user.a name of some length %d", i);
        snprintf(value, sizeof(value), "value %d", i);
        expect(fx, file, name, value);
    }
}

/* ---- space -------------------------------------------------------------- */

static void test_xattr_space_comes_back(void **state) {
    struct fixture *fx = *state;
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    uint32_t before;

    mount_again(fx);
    before = free_blocks(fx);
    assert_int_equal(set_long(fx, file, "user.big", 60000, 0), 0);
    assert_int_equal(set(fx, file, "user.small", "x", 0), 0);
    mount_again(fx);
    assert_true(free_blocks(fx) <= before - 30);
    assert_int_equal(udf_removexattr(fx->volume, file, "user.big"), 0);
    assert_int_equal(udf_removexattr(fx->volume, file, "user.small"), 0);
    mount_again(fx);
    assert_int_equal(free_blocks(fx), before);
}

static void test_xattr_goes_with_the_last_name(void **state) {
    struct fixture *fx = *state;
    struct udf_name link = {.text = "link", .len = 4};
    uint32_t before = free_blocks(fx);
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    struct udf_stat stat;

    assert_int_equal(set_long(fx, file, "user.big", 60000, 0), 0);
    assert_int_equal(set(fx, file, "user.small", "x", 0), 0);
    assert_int_equal(udf_link(fx->volume, file, UDF_ROOT_INO, &link, &stat), 0);
    udf_forget(fx->volume, stat.ino, 1);
    mount_again(fx);
    assert_int_equal(remove_file(fx, "file"), 0);
    mount_again(fx);
    expect_long(fx, find(fx, "link"), "user.big", 60000, 0);
    mount_again(fx);
    assert_int_equal(remove_file(fx, "link"), 0);
    mount_again(fx);
    assert_int_equal(free_blocks(fx), before);
}

static void test_xattr_goes_with_a_replaced_file(void **state) {
    struct fixture *fx = *state;
    struct udf_place from = {UDF_ROOT_INO, {.text = "new", .len = 3}};
    struct udf_place to = {UDF_ROOT_INO, {.text = "old", .len = 3}};
    uint64_t file = make(fx, "new", S_IFREG | 0644);
    uint32_t before;

    assert_int_equal(set(fx, file, "user.a", "mine", 0), 0);
    mount_again(fx);
    before = free_blocks(fx);
    file = make(fx, "old", S_IFREG | 0644);
    assert_int_equal(set_long(fx, file, "user.big", 60000, 0), 0);
    mount_again(fx);
    assert_int_equal(udf_rename(fx->volume, &from, &to, 0), 0);
    mount_again(fx);
    assert_int_equal(free_blocks(fx), before);
    expect(fx, find(fx, "old"), "user.a", "mine");
}

/* An open file without a name keeps its attributes until it is closed; they
 * may even change. */
static void test_xattr_of_a_file_without_a_name(void **state) {
    struct fixture *fx = *state;
    uint32_t before = free_blocks(fx);
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    struct udf_name name = {.text = "file", .len = 4};
    struct udf_stat stat;

    assert_int_equal(set_long(fx, file, "user.big", 60000, 0), 0);
    mount_again(fx);
    assert_int_equal(udf_lookup(fx->volume, UDF_ROOT_INO, &name, &stat), 0);
    assert_int_equal(remove_file(fx, "file"), 0);
    assert_int_equal(udf_commit(fx->volume), 0);
    expect_long(fx, file, "user.big", 60000, 0);
    assert_int_equal(set(fx, file, "user.late", "x", 0), 0);
    assert_int_equal(set_long(fx, file, "user.big", 3000, 1), 0);
    assert_int_equal(udf_commit(fx->volume), 0);
    expect(fx, file, "user.late", "x");
    expect_long(fx, file, "user.big", 3000, 1);
    assert_int_equal(udf_removexattr(fx->volume, file, "user.late"), 0);
    assert_int_equal(count_names(fx, file), 1);
    udf_forget(fx->volume, file, 1);
    assert_int_equal(udf_commit(fx->volume), 0);
    assert_int_equal(free_blocks(fx), before);
    /* and without a close */
    file = make(fx, "file", S_IFREG | 0644);
    assert_int_equal(set_long(fx, file, "user.big", 60000, 0), 0);
    assert_int_equal(udf_lookup(fx->volume, UDF_ROOT_INO, &name, &stat), 0);
    assert_int_equal(remove_file(fx, "file"), 0);
    mount_again(fx);
    assert_int_equal(free_blocks(fx), before);
}

/* A value that finds no room leaves the old one, and removing works. */
static void test_xattr_on_a_full_disc(void **state) {
    struct fixture *fx = *state;
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    uint64_t filler = make(fx, "filler", S_IFREG | 0644);
    uint8_t *chunk = calloc(1, 1 << 20);
    uint64_t at = 0;
    uint32_t step;

    assert_int_equal(set_long(fx, file, "user.big", 3000, 1), 0);
    for (step = 1 << 20; step >= 2048; step /= 2) {
        while (udf_write(fx->volume, filler, at, step, chunk) == 0) {
            at += step;
        }
    }
    free(chunk);
    assert_int_equal(set_long(fx, file, "user.big", 60000, 2), -ENOSPC);
    expect_long(fx, file, "user.big", 3000, 1);
    assert_int_equal(set_long(fx, file, "user.new", 60000, 2), -ENOSPC);
    assert_int_equal(get_error(fx, file, "user.new"), -ENODATA);
    mount_again(fx);
    expect_long(fx, file, "user.big", 3000, 1);
    assert_int_equal(udf_removexattr(fx->volume, file, "user.big"), 0);
    assert_int_equal(remove_file(fx, "file"), 0);
}

/* ---- file entries of others --------------------------------------------- */

/* The block of the object's entry on the medium. */
static uint8_t *entry_of(struct fixture *fx, uint64_t unique_id,
                         uint32_t *out_lbn) {
    for (uint32_t lba = 0; lba < SMALL_DISC; lba++) {
        uint8_t *block = memdev_medium(fx->mem, lba);
        uint32_t lbn = (uint32_t)(block[12] | block[13] << 8 | block[14] << 16);
        struct udf_fe fe;

        if (udf_decode_fe(block, lbn, &fe) == 0 && fe.unique_id == unique_id &&
            !(fe.icb_flags & UDF_ICB_STREAM) &&
            fe.file_type != UDF_FILE_STREAM_DIRECTORY) {
            *out_lbn = lbn;
            return block;
        }
    }
    fail();
    return NULL;
}

/* Makes a plain file entry of the object's extended one. */
static void make_plain(struct fixture *fx, uint64_t unique_id) {
    const struct udf_tag_style style = {.version = 3, .serial = 1};
    struct udf_fe fe;
    uint32_t lbn = 0;
    uint8_t *block = entry_of(fx, unique_id, &lbn);
    uint8_t copy[UDF_BLOCK_BYTES];

    memcpy(copy, block, sizeof(copy));
    assert_int_equal(udf_decode_fe(copy, lbn, &fe), 0);
    fe.extended = false;
    assert_int_equal(udf_encode_fe(&fe, &style, lbn, block), 0);
}

static void test_xattr_of_plain_file_entries(void **state) {
    struct fixture *fx = *state;
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    uint64_t dir = make(fx, "dir", S_IFDIR | 0755);
    char content[1825], back[2000];
    struct udf_stat stat, dir_stat;
    uint32_t got;

    memset(content, 'c', sizeof(content));
    assert_int_equal(udf_write(fx->volume, file, 0, sizeof(content), content),
                     0);
    assert_int_equal(udf_getattr(fx->volume, file, &stat), 0);
    assert_int_equal(udf_getattr(fx->volume, dir, &dir_stat), 0);
    close_volume(fx);
    make_plain(fx, stat.generation);
    make_plain(fx, dir_stat.generation);
    open_volume(fx);
    /* content that only a plain entry has room for */
    memset(back, 'c', sizeof(back));
    assert_int_equal(udf_write(fx->volume, file, 0, 1860, back), 0);
    mount_again(fx);
    assert_int_equal(set(fx, file, "user.a", "1", 0), 0);
    assert_int_equal(set(fx, dir, "user.a", "2", 0), 0);
    mount_again(fx);
    expect(fx, file, "user.a", "1");
    expect(fx, dir, "user.a", "2");
    memset(back, 0, sizeof(back));
    assert_int_equal(udf_read(fx->volume, file, 0, sizeof(back), back, &got),
                     0);
    assert_int_equal(got, 1860);
    assert_int_equal(back[0], 'c');
    assert_int_equal(back[1859], 'c');
    assert_int_equal(udf_getattr(fx->volume, file, &stat), 0);
    assert_int_equal(stat.btime.tv_sec, stat.mtime.tv_sec);
}

/* ---- creation time ------------------------------------------------------ */

static void keeps_btime(struct fixture *fx) {
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    uint64_t dir = make(fx, "dir", S_IFDIR | 0755);
    struct udf_stat stat = {.mtime = {.tv_sec = 5000000000}}, after;
    char value[64] = {0}, again[64] = {0};
    uint32_t bytes;

    assert_int_equal(udf_getxattr(fx->volume, file, "user.udf.btime", value,
                                  sizeof(value), &bytes),
                     0);
    assert_int_equal(
        udf_setattr(fx->volume, file, &stat, UDF_SET_MTIME, &after), 0);
    mount_again(fx);
    assert_int_equal(udf_getxattr(fx->volume, file, "user.udf.btime", again,
                                  sizeof(again), &bytes),
                     0);
    assert_string_equal(again, value);
    assert_int_equal(set(fx, file, "user.udf.btime", "-86400.25", 0), 0);
    assert_int_equal(set(fx, dir, "user.udf.btime", "4102444800", 0), 0);
    mount_again(fx);
    expect(fx, file, "user.udf.btime", "-86400.250000");
    expect(fx, dir, "user.udf.btime", "4102444800.000000");
    assert_int_equal(udf_getattr(fx->volume, file, &after), 0);
    assert_int_equal(after.mtime.tv_sec, 5000000000);
    assert_int_equal(count_names(fx, file), 0);
    assert_int_equal(set(fx, file, "user.udf.btime", "yesterday", 0), -EINVAL);
    assert_int_equal(set(fx, file, "user.udf.btime", "", 0), -EINVAL);
    assert_int_equal(set(fx, file, "user.udf.btime", "1", XATTR_CREATE),
                     -EEXIST);
    assert_int_equal(udf_removexattr(fx->volume, file, "user.udf.btime"),
                     -EPERM);
}

static void test_xattr_keeps_the_creation_time(void **state) {
    keeps_btime(*state);
}

static void test_xattr_keeps_the_creation_time_150(void **state) {
    keeps_btime(*state);
}

static void test_xattr_needs_udf_200(void **state) {
    struct fixture *fx = *state;
    uint64_t file = make(fx, "file", S_IFREG | 0644);

    assert_int_equal(set(fx, file, "user.a", "1", 0), -EOPNOTSUPP);
    assert_int_equal(get_error(fx, file, "user.a"), -ENODATA);
    assert_int_equal(count_names(fx, file), 0);
}

/* ---- a volume that was not closed --------------------------------------- */

/* Blocks of streams are counted as in use when the bitmap may be wrong. */
static void test_xattr_survives_a_crash(void **state) {
    struct fixture *fx = *state;
    uint64_t file = make(fx, "file", S_IFREG | 0644);
    uint64_t other = make(fx, "other", S_IFREG | 0644);

    assert_int_equal(set_long(fx, file, "user.big", 60000, 3), 0);
    assert_int_equal(set(fx, file, "user.small", "x", 0), 0);
    assert_int_equal(set(fx, UDF_ROOT_INO, "user.root", "y", 0), 0);
    assert_int_equal(udf_commit(fx->volume), 0);
    memdev_cut_after(fx->mem, 0, false);
    assert_int_not_equal(udf_unmount(fx->volume), 1);
    memdev_reboot(fx->mem);
    open_volume(fx);
    assert_int_equal(set_long(fx, other, "user.big", 60000, 4), 0);
    mount_again(fx);
    expect_long(fx, file, "user.big", 60000, 3);
    expect_long(fx, other, "user.big", 60000, 4);
    expect(fx, UDF_ROOT_INO, "user.root", "y");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_250(name)                                                         \
    { #name "_250", name, setup_250, teardown, NULL }
#define TEST_150(name)                                                         \
    cmocka_unit_test_setup_teardown(name, setup_150, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_xattr_is_kept_over_mounts),
        TEST(test_xattr_flags_are_obeyed),
        TEST(test_xattr_names_that_are_not_kept),
        TEST(test_xattr_values_of_every_size),
        TEST(test_xattr_changes_no_counts_and_no_links),
        TEST(test_xattr_many_of_one_file),
        TEST(test_xattr_space_comes_back),
        TEST(test_xattr_goes_with_the_last_name),
        TEST(test_xattr_goes_with_a_replaced_file),
        TEST(test_xattr_of_a_file_without_a_name),
        TEST(test_xattr_on_a_full_disc),
        TEST(test_xattr_of_plain_file_entries),
        TEST(test_xattr_keeps_the_creation_time),
        TEST_150(test_xattr_keeps_the_creation_time_150),
        TEST_150(test_xattr_needs_udf_200),
        TEST(test_xattr_survives_a_crash),
        TEST_250(test_xattr_is_kept_over_mounts),
        TEST_250(test_xattr_values_of_every_size),
        TEST_250(test_xattr_many_of_one_file),
        TEST_250(test_xattr_space_comes_back),
        TEST_250(test_xattr_goes_with_the_last_name),
        TEST_250(test_xattr_of_a_file_without_a_name),
        TEST_250(test_xattr_of_plain_file_entries),
        TEST_250(test_xattr_survives_a_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
