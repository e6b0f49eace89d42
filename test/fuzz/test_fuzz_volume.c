/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/fuzz/test_fuzz_volume.c - rare images with damage in one to three of
 * their blocks are mounted, walked and read, changed where they can be, and
 * checked. Whatever comes, it must end, touch no memory that is not its own,
 * and give errors that callers can make sense of; and a volume that was changed
 * without an error must mount again. UDFPKT_FUZZ_VOLUMES sets the rounds.
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

#include "test/rare/rare.h"
#include "test/support/mutate.h"
#include "test/support/walk.h"
#include "udf/check.h"
#include "udf/udf.h"

enum {
    BYTES = 2048,
    ROUNDS = 250,
    READ_MAX = 1 << 20, /* of each file */
    LARGE = 100000      /* blocks of an image that takes too long */
};

/* An error that udf/udf.h speaks of: neither the "start again" of udf/op.h nor
 * a number that is none. */
static void expect_error(int error) {
    assert_true(error <= 0 && error > -134);
    assert_int_not_equal(error, -EINPROGRESS);
    assert_int_not_equal(error, -ERANGE);
}

/* Damages a block that holds something. */
static void damage(struct mutate *mutate, struct memdev *mem) {
    uint32_t blocks = memdev_device(mem)->geometry.blocks;
    uint32_t at = mutate_next(mutate, blocks);

    for (uint32_t i = 0; i < blocks; i++) {
        uint8_t *block = memdev_medium(mem, (at + i) % blocks);

        if (block[0] != 0 || block[1] != 0) {
            mutate_block(mutate, block);
            return;
        }
    }
}

static int mount(struct memdev *mem, struct udf_volume **out_volume) {
    struct udf_mount_options options = {0};
    int error;

    memdev_reboot(mem);
    memdev_set_cold(mem, true);
    error = udf_mount(memdev_device(mem), &options, out_volume);
    expect_error(error);
    return error;
}

static void walk(struct udf_volume *volume, struct walk *out_walk) {
    walk_volume(volume, READ_MAX, out_walk);
    for (size_t i = 0; i < out_walk->count; i++) {
        expect_error(out_walk->entry[i].error);
        expect_error(out_walk->entry[i].content_error);
    }
}

/* Does to one object what can be done to it. */
static void change_one(struct udf_volume *volume, struct mutate *mutate,
                       const struct walk_entry *entry) {
    struct udf_name name = {.text = entry->name,
                            .len = (uint32_t)strlen(entry->name)};
    struct udf_place from = {entry->parent, name};
    struct udf_place to = {UDF_ROOT_INO, {.text = "moved", .len = 5}};
    struct udf_stat stat = {.size = mutate_next(mutate, 1 << 20)};

    switch (mutate_next(mutate, 5)) {
    case 0:
        expect_error(udf_unlink(volume, entry->parent, &name));
        break;
    case 1:
        expect_error(udf_rmdir(volume, entry->parent, &name));
        break;
    case 2:
        expect_error(udf_rename(volume, &from, &to, 0));
        break;
    case 3:
        expect_error(udf_lookup(volume, entry->parent, &name, &stat));
        break;
    default:
        if (udf_lookup(volume, entry->parent, &name, &stat) == 0) {
            uint64_t ino = stat.ino;

            if (S_ISREG(stat.mode)) {
                expect_error(udf_write(volume, ino, mutate_next(mutate, 10000),
                                       5, "bytes"));
                stat.size = mutate_next(mutate, 100000);
                expect_error(
                    udf_setattr(volume, ino, &stat, UDF_SET_SIZE, &stat));
            }
            udf_forget(volume, ino, 1);
        }
        break;
    }
}

static void change(struct udf_volume *volume, struct mutate *mutate,
                   const struct walk *walk) {
    struct udf_name name = {.text = "made", .len = 4};
    struct udf_make make = {.mode = S_IFREG | 0644};
    struct udf_cred cred = {0};
    struct udf_stat stat;
    int error = udf_create(volume, UDF_ROOT_INO, &name, &make, &cred, &stat);

    expect_error(error);
    if (!error) {
        expect_error(udf_write(volume, stat.ino, 3000, 4, "made"));
        udf_forget(volume, stat.ino, 1);
    }
    for (size_t i = 1; i < walk->count; i++) {
        if (walk->entry[i].name && !walk->entry[i].circle) {
            change_one(volume, mutate, &walk->entry[i]);
        }
    }
}

static void check(struct memdev *mem) {
    struct udf_check_options options = {0};
    struct udf_check_result result;

    memdev_reboot(mem);
    expect_error(udf_check(memdev_device(mem), &options, NULL, NULL, &result));
}

/* One damaged image. Gives whether it could be mounted. */
static bool round_of(struct mutate *mutate, struct memdev *mem) {
    struct udf_volume *volume = NULL;
    uint32_t times = 1 + mutate_next(mutate, 3);
    struct udf_info info;
    struct walk seen;
    int error;

    for (uint32_t i = 0; i < times; i++) {
        damage(mutate, mem);
    }
    check(mem);
    if (mount(mem, &volume)) {
        return false;
    }
    udf_get_info(volume, &info);
    walk(volume, &seen);
    if (info.writable) {
        change(volume, mutate, &seen);
    }
    walk_free(&seen);
    error = udf_unmount(volume);
    expect_error(error);
    check(mem);
    if (!error && info.writable) {
        assert_int_equal(mount(mem, &volume), 0);
        walk(volume, &seen);
        walk_free(&seen);
        expect_error(udf_unmount(volume));
    }
    return true;
}

static void test_fuzz_volume(void **state) {
    uint32_t rounds = mutate_rounds("UDFPKT_FUZZ_VOLUMES", ROUNDS);
    const char *only = getenv("UDFPKT_FUZZ_ROUND");
    uint32_t mounted = 0;
    size_t count;
    const struct rare *all = rare_all(&count);

    (void)state;
    for (uint32_t i = 0; i < rounds; i++) {
        struct mutate mutate = {.state = (uint64_t)i << 32};
        const struct rare *rare = &all[i % count];
        struct memdev *mem;

        if (only && i != strtoul(only, NULL, 10)) {
            continue;
        }
        mem = rare->make();
        if (memdev_device(mem)->geometry.blocks < LARGE) {
            mounted += round_of(&mutate, mem);
        }
        memdev_free(mem);
    }
    printf("%u damaged volumes, %u of them mounted\n", rounds, mounted);
    assert_true(only || mounted > rounds / 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fuzz_volume),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
