/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_names.c - files of other writers with streams and hard links,
 * whose stream directories count as a link or do not: no name too few, or
 * content is lost with the last but one, and none too many, or space is.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test/support/compose.h"
#include "test/support/prove.h"
#include "udf/udf.h"

static struct udf_name name_of(const char *text) {
    return (struct udf_name){.text = text, .len = (uint32_t)strlen(text)};
}

static struct udf_volume *mount(struct memdev *mem) {
    struct udf_mount_options options = {0};
    struct udf_volume *volume = NULL;

    memdev_reboot(mem);
    memdev_set_cold(mem, true);
    assert_int_equal(udf_mount(memdev_device(mem), &options, &volume), 0);
    return volume;
}

static int find(struct udf_volume *volume, const char *text,
                struct udf_stat *out_stat) {
    struct udf_name name = name_of(text);
    int error = udf_lookup(volume, UDF_ROOT_INO, &name, out_stat);

    if (!error) {
        udf_forget(volume, out_stat->ino, 1);
    }
    return error;
}

static void expect_content(struct udf_volume *volume, const char *text) {
    struct udf_stat stat;
    char content[8] = {0};
    uint32_t count;

    assert_int_equal(find(volume, text, &stat), 0);
    assert_int_equal(
        udf_read(volume, stat.ino, 0, sizeof(content), content, &count), 0);
    assert_memory_equal(content, "content", 7);
}

/* A file "one" with a stream and `names` names, the others being "two" and
 * "three", by a writer that counts stream directories or does not. */
static struct memdev *make(unsigned names, bool counted) {
    static const char *const others[] = {"two", "three"};
    struct compose *c = compose_new(0x0201);
    struct udf_addr icb = compose_file_with_stream(c, "one", "note", counted);
    uint8_t *entry = compose_at(c, icb);
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    c->next_id--;
    for (unsigned i = 1; i < names; i++) {
        fe.unique_id = c->next_id++; /* a second name has one of its own */
        compose_name(c, &c->root, others[i - 1], &fe, icb);
    }
    entry[48] = (uint8_t)(names + counted);
    compose_reseal(entry);
    compose_end(c);
    return compose_free(c);
}

static void remove_name(struct udf_volume *volume, const char *text) {
    struct udf_name name = name_of(text);

    assert_int_equal(udf_unlink(volume, UDF_ROOT_INO, &name), 0);
}

/* One name after the other goes; the content is there until the last. With
 * `remount` a mount each. */
static void lose_names(unsigned names, bool counted, bool remount) {
    static const char *const all[] = {"one", "two", "three"};
    struct memdev *mem = make(names, counted);
    struct udf_volume *volume;
    struct udf_stat stat;

    prove_medium(mem);
    volume = mount(mem);
    for (unsigned i = 0; i < names; i++) {
        expect_content(volume, all[i]);
        remove_name(volume, all[i]);
        if (i + 1 < names) {
            expect_content(volume, all[i + 1]);
            assert_int_equal(find(volume, all[i + 1], &stat), 0);
            assert_int_equal(stat.nlink, names - i - 1);
        }
        if (remount) {
            assert_int_equal(udf_unmount(volume), 0);
            prove_medium(mem);
            volume = mount(mem);
        }
    }
    assert_int_equal(udf_unmount(volume), 0);
    prove_medium(mem); /* nothing is used that nobody uses */
    memdev_free(mem);
}

static void test_names_are_lost_one_by_one(void **state) {
    (void)state;
    for (unsigned names = 1; names <= 3; names++) {
        for (int how = 0; how < 4; how++) {
            lose_names(names, how & 1, how & 2);
        }
    }
}

/* Content and attributes change, which does not end the doubt. */
static void test_names_doubt_lasts_over_changes(void **state) {
    (void)state;
    for (int counted = 0; counted < 2; counted++) {
        struct memdev *mem = make(2, counted);
        struct udf_volume *volume = mount(mem);
        struct udf_stat stat;

        assert_int_equal(find(volume, "one", &stat), 0);
        assert_int_equal(udf_write(volume, stat.ino, 7, 1, "+"), 0);
        assert_int_equal(udf_unmount(volume), 0);
        prove_medium(mem);
        volume = mount(mem);
        remove_name(volume, "one");
        expect_content(volume, "two");
        remove_name(volume, "two");
        assert_int_equal(udf_unmount(volume), 0);
        prove_medium(mem);
        memdev_free(mem);
    }
}

/* Names come and move. */
static void test_names_are_added_and_moved(void **state) {
    struct udf_name three = name_of("three"), other = name_of("other");

    (void)state;
    for (int counted = 0; counted < 2; counted++) {
        struct memdev *mem = make(2, counted);
        struct udf_volume *volume = mount(mem);
        struct udf_place from = {UDF_ROOT_INO, name_of("one")};
        struct udf_place to = {UDF_ROOT_INO, other};
        struct udf_stat stat;

        assert_int_equal(udf_rename(volume, &from, &to, 0), 0);
        assert_int_equal(find(volume, "other", &stat), 0);
        assert_int_equal(stat.nlink, 2);
        assert_int_equal(
            udf_link(volume, stat.ino, UDF_ROOT_INO, &three, &stat), 0);
        udf_forget(volume, stat.ino, 1);
        assert_int_equal(stat.nlink, 3);
        remove_name(volume, "other");
        remove_name(volume, "two");
        expect_content(volume, "three");
        assert_int_equal(udf_unmount(volume), 0);
        prove_medium(mem);
        memdev_free(mem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_lost_one_by_one),
        cmocka_unit_test(test_names_doubt_lasts_over_changes),
        cmocka_unit_test(test_names_are_added_and_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
