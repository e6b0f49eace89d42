/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_rare.c - every image of test/rare/ mounts as its `expect`
 * says, from a cold device; and where it can be written, every file of it is
 * changed, every awkward name is renamed, and everything is removed, with what
 * is left readable after each step. What had no fault before has none after.
 *
 *     test_rare [NAME...]     these images only
 *     UDFPKT_RARE_UPDATE=1    writes `expect` anew, to be looked at
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

#include "mmc/log.h"
#include "test/rare/rare.h"
#include "test/support/walk.h"
#include "udf/check.h"
#include "udf/udf.h"

enum { COMPARE_BYTES_MAX = 1 << 20, PROBE_BYTES = 5000 };

static struct udf_volume *mount(struct memdev *mem, bool read_only) {
    struct udf_mount_options options = {.read_only = read_only};
    struct udf_volume *volume = NULL;

    memdev_reboot(mem);
    memdev_set_cold(mem, true);
    assert_int_equal(udf_mount(memdev_device(mem), &options, &volume), 0);
    return volume;
}

static struct udf_name name_of(const char *text) {
    return (struct udf_name){.text = text, .len = (uint32_t)strlen(text)};
}

/* ---- what is expected ------------------------------------------------- */

static void keep_line(void *context, enum mmc_log_level level,
                      const char *line) {
    (void)level;
    fprintf(context, "%s\n", line);
}

/* What the image gives, see rare.h; *out_said is what users are told. */
static char *describe(struct memdev *mem, bool times, char **out_said) {
    struct udf_mount_options options = {0};
    struct udf_volume *volume = NULL;
    char *text = NULL;
    size_t bytes, said_bytes;
    FILE *out = open_memstream(&text, &bytes);
    FILE *said = open_memstream(out_said, &said_bytes);
    int error;

    assert_non_null(out);
    assert_non_null(said);
    memdev_reboot(mem);
    memdev_set_cold(mem, true);
    mmc_log_set_sink(keep_line, said, MMC_LOG_NOTICE);
    error = udf_mount(memdev_device(mem), &options, &volume);
    mmc_log_set_sink(NULL, NULL, MMC_LOG_WARN);
    fclose(said);
    if (error) {
        fprintf(out, "mount: %s\n", strerrorname_np(-error));
    } else {
        struct udf_info info;
        struct walk walk;

        udf_get_info(volume, &info);
        fprintf(out, "writable: %s\n", info.writable ? "yes" : "no");
        walk_volume(volume, 0, &walk);
        walk_print(&walk, times, out);
        walk_free(&walk);
        assert_int_equal(udf_unmount(volume), 0);
    }
    fclose(out);
    return text;
}

static char *read_expect(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 16);

    assert_non_null(text);
    if (file) {
        assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
        fclose(file);
    }
    return text;
}

static void write_expect(const char *path, const char *wishes,
                         size_t wishes_bytes, const char *text) {
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fprintf(file, "%.*s%s", (int)wishes_bytes, wishes, text) > 0);
    assert_int_equal(fclose(file), 0);
}

/* What a folder's `expect` begins with, see rare.h. */
struct wishes {
    bool times;
    bool mended;       /* has no fault after a change */
    const char *words; /* that must be said, or NULL */
    size_t words_bytes;
    const char *rest; /* what must be shown */
};

static struct wishes read_wishes(const char *expect) {
    static const char says[] = "says: ", times[] = "times\n";
    static const char mended[] = "mended\n";
    struct wishes wishes = {0};

    if (strncmp(expect, times, strlen(times)) == 0) {
        wishes.times = true;
        expect += strlen(times);
    }
    if (strncmp(expect, mended, strlen(mended)) == 0) {
        wishes.mended = true;
        expect += strlen(mended);
    }
    if (strncmp(expect, says, strlen(says)) == 0) {
        wishes.words = expect + strlen(says);
        wishes.words_bytes = strcspn(wishes.words, "\n");
        expect = wishes.words + wishes.words_bytes + 1;
    }
    wishes.rest = expect;
    return wishes;
}

/* Returns whether the image is mended by a change. */
static bool compare(const struct rare *rare, struct memdev *mem) {
    char path[1024];
    char *said, *got, *expect;
    struct wishes wishes;

    snprintf(path, sizeof(path), "%s/%s/expect", RARE_FOLDER, rare->name);
    expect = read_expect(path);
    wishes = read_wishes(expect);
    got = describe(mem, wishes.times, &said);
    if (wishes.words &&
        !memmem(said, strlen(said), wishes.words, wishes.words_bytes)) {
        fail_msg("%s: \"%.*s\" is not said, but:\n%s", rare->name,
                 (int)wishes.words_bytes, wishes.words, said);
    }
    if (getenv("UDFPKT_RARE_UPDATE")) {
        write_expect(path, expect, (size_t)(wishes.rest - expect), got);
    } else if (strcmp(got, wishes.rest) != 0) {
        fail_msg("%s is not as expected:\n%s\nbut:\n%s\nit says:\n%s",
                 rare->name, wishes.rest, got, said);
    }
    free(expect);
    free(said);
    free(got);
    return wishes.mended;
}

/* ---- faults ----------------------------------------------------------- */

static void keep_fault(void *context, const char *fault) {
    fprintf(context, "%s\n", fault);
}

/* The faults of the volume as text; NULL when it cannot be checked. */
static char *faults_of(struct memdev *mem) {
    struct udf_check_options options = {0};
    struct udf_check_result result;
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    int error;

    assert_non_null(out);
    memdev_reboot(mem);
    error = udf_check(memdev_device(mem), &options, keep_fault, out, &result);
    fclose(out);
    if (error) {
        free(text);
        return NULL;
    }
    return text;
}

static bool is_clean(struct memdev *mem) {
    char *faults = faults_of(mem);
    bool clean = faults && *faults == '\0';

    free(faults);
    return clean;
}

/* What was clean must be clean. */
static void expect_clean(const char *name, const char *when,
                         struct memdev *mem) {
    char *faults = faults_of(mem);

    assert_non_null(faults);
    if (*faults) {
        fail_msg("%s has faults %s:\n%s", name, when, faults);
    }
    free(faults);
}

/* ---- changing --------------------------------------------------------- */

/* What changing the object must fail with, or 0: the file of bad packets, which
 * nobody may change, and what lies in a partition where nothing changes. */
static int untouchable(const struct walk_entry *entry) {
    if (strcmp(entry->name, "Non-Allocatable Space") == 0) {
        return -EPERM;
    }
    return strncmp(entry->name, "fixed ", 6) == 0 ? -EROFS : 0;
}

static void expect_fixed(struct udf_volume *volume,
                         const struct walk_entry *entry) {
    const struct udf_xattr value = {.bytes = "x", .count = 1};
    const struct udf_range range = {.change = UDF_RANGE_ALLOCATE, .count = 1};
    uint64_t ino = entry->stat.ino;

    assert_int_equal(udf_setxattr(volume, ino, "user.a", &value), -EROFS);
    assert_int_equal(udf_removexattr(volume, ino, "user.a"), -EROFS);
    assert_int_equal(udf_change_range(volume, ino, &range), -EROFS);
}

static bool is_sound_file(const struct walk_entry *entry) {
    return !untouchable(entry) && !entry->error && !entry->content_error &&
           S_ISREG(entry->stat.mode) && entry->stat.nlink == 1;
}

static void expect_untouchable(struct udf_volume *volume,
                               const struct walk_entry *entry) {
    struct udf_place from = {.dir = entry->parent,
                             .name = name_of(entry->name)};
    struct udf_place to = {.dir = entry->parent, .name = name_of("another")};
    struct udf_stat stat = {.size = 0};
    uint64_t ino = entry->stat.ino;
    int error = untouchable(entry);

    assert_int_equal(udf_write(volume, ino, 0, 1, "+"), error);
    for (unsigned which = UDF_SET_MODE; which <= UDF_SET_BTIME; which <<= 1) {
        assert_int_equal(udf_setattr(volume, ino, &stat, which, &stat), error);
    }
    assert_int_equal(udf_link(volume, ino, to.dir, &to.name, &stat), error);
    assert_int_equal(udf_rename(volume, &from, &to, 0), error);
    assert_int_equal(udf_unlink(volume, from.dir, &from.name), error);
}

/* Adds a byte to every file. */
static void append_all(struct udf_volume *volume, const struct walk *walk) {
    for (size_t i = 0; i < walk->count; i++) {
        const struct walk_entry *entry = &walk->entry[i];
        struct udf_stat stat;
        struct udf_name name = name_of(entry->name);

        if (is_sound_file(entry)) {
            assert_int_equal(udf_lookup(volume, entry->parent, &name, &stat),
                             0);
            assert_int_equal(
                udf_write(volume, stat.ino, entry->stat.size, 1, "+"), 0);
            udf_forget(volume, stat.ino, 1);
        }
    }
}

/* Every file is what it was, and a byte. */
static void expect_appended(const char *name, const struct walk *before,
                            const struct walk *after) {
    for (size_t i = 0; i < before->count; i++) {
        const struct walk_entry *old = &before->entry[i];
        const struct walk_entry *new = walk_find(after, old->path);

        if (!is_sound_file(old)) {
            continue;
        }
        if (!new || new->error || new->content_error ||
            new->stat.size != old->stat.size + 1 ||
            new->stat.mode != old->stat.mode) {
            fail_msg("%s: %s is not there as it was", name, old->path);
        }
        if (old->stat.size == 0) {
            assert_string_equal(new->content, " \"+\"");
        } else if (strncmp(old->content, " crc", 4) != 0) {
            /* The text without its closing quote begins the new one. */
            size_t same = strlen(old->content) -
                          (old->content[strlen(old->content) - 1] == '"');

            if (strncmp(old->content, new->content, same) != 0) {
                fail_msg("%s: %s was%s, is%s", name, old->path, old->content,
                         new->content);
            }
        }
    }
}

/* What was added is where the file ended, however long it is. */
static void expect_ends(const char *name, struct udf_volume *volume,
                        const struct walk *before) {
    for (size_t i = 0; i < before->count; i++) {
        const struct walk_entry *entry = &before->entry[i];
        struct udf_name text = name_of(entry->name);
        struct udf_stat stat;
        uint32_t count = 0;
        char end = 0;

        if (!is_sound_file(entry)) {
            continue;
        }
        assert_int_equal(udf_lookup(volume, entry->parent, &text, &stat), 0);
        assert_int_equal(
            udf_read(volume, stat.ino, entry->stat.size, 1, &end, &count), 0);
        if (count != 1 || end != '+') {
            fail_msg("%s: %s does not end with what was added", name,
                     entry->path);
        }
        udf_forget(volume, stat.ino, 1);
    }
}

/* Gives every name that was escaped another one, and makes a few new ones. */
static void rename_escaped(struct udf_volume *volume, const struct walk *walk) {
    for (size_t i = 0; i < walk->count; i++) {
        const struct walk_entry *entry = &walk->entry[i];
        struct udf_place from = {entry->parent, name_of(entry->name)};
        char fresh[32];
        struct udf_place to = {entry->parent, {0}};
        struct udf_stat stat;

        if (entry->error || !strstr(entry->name, "\xEF\xBF\xBE")) {
            continue;
        }
        snprintf(fresh, sizeof(fresh), "renamed %zu", i);
        to.name = name_of(fresh);
        assert_int_equal(udf_rename(volume, &from, &to, 0), 0);
        assert_int_equal(udf_lookup(volume, entry->parent, &from.name, &stat),
                         -ENOENT);
        assert_int_equal(udf_lookup(volume, entry->parent, &to.name, &stat), 0);
        assert_int_equal(stat.ino, entry->stat.ino);
        udf_forget(volume, stat.ino, 1);
    }
}

static void add_probe(struct udf_volume *volume) {
    struct udf_name dir_name = name_of("probe directory");
    struct udf_name name = name_of("probe");
    struct udf_make make = {.mode = S_IFDIR | 0755};
    struct udf_cred cred = {0};
    struct udf_stat dir, file;
    char data[PROBE_BYTES];

    memset(data, 'P', sizeof(data));
    assert_int_equal(
        udf_create(volume, UDF_ROOT_INO, &dir_name, &make, &cred, &dir), 0);
    make.mode = S_IFREG | 0644;
    assert_int_equal(udf_create(volume, dir.ino, &name, &make, &cred, &file),
                     0);
    assert_int_equal(udf_write(volume, file.ino, 0, sizeof(data), data), 0);
    udf_forget(volume, dir.ino, 1);
    udf_forget(volume, file.ino, 1);
}

/* Removes all that can be looked up, children first. */
static void remove_all(const char *name, struct udf_volume *volume,
                       const struct walk *walk) {
    for (size_t i = walk->count; i-- > 1;) {
        const struct walk_entry *entry = &walk->entry[i];
        struct udf_name text = name_of(entry->name);
        int error;

        if (entry->error || entry->circle) {
            continue;
        }
        if (untouchable(entry)) {
            expect_untouchable(volume, entry);
            if (untouchable(entry) == -EROFS) {
                expect_fixed(volume, entry);
            }
            continue;
        }
        error = S_ISDIR(entry->stat.mode)
                    ? udf_rmdir(volume, entry->parent, &text)
                    : udf_unlink(volume, entry->parent, &text);
        /* What cannot be listed, or holds what cannot be removed, stays. */
        if (error && !(S_ISDIR(entry->stat.mode) &&
                       (error == -EUCLEAN || error == -ENOTEMPTY))) {
            fail_msg("%s: %s cannot be removed: %s", name, entry->path,
                     strerrorname_np(-error));
        }
    }
}

static void change(const struct rare *rare, struct memdev *mem, bool mended) {
    bool clean = is_clean(mem) || mended;
    struct udf_volume *volume = mount(mem, false);
    struct walk before, after;

    walk_volume(volume, COMPARE_BYTES_MAX, &before);
    append_all(volume, &before);
    add_probe(volume);
    assert_int_equal(udf_unmount(volume), 0);
    if (clean) {
        expect_clean(rare->name, "after its files were changed", mem);
    }
    volume = mount(mem, false);
    walk_volume(volume, COMPARE_BYTES_MAX, &after);
    expect_appended(rare->name, &before, &after);
    expect_ends(rare->name, volume, &before);
    rename_escaped(volume, &after);
    assert_int_equal(udf_unmount(volume), 0);
    walk_free(&before);
    walk_free(&after);

    volume = mount(mem, false);
    walk_volume(volume, COMPARE_BYTES_MAX, &after);
    remove_all(rare->name, volume, &after);
    assert_int_equal(udf_unmount(volume), 0);
    walk_free(&after);
    if (clean) {
        expect_clean(rare->name, "after all was removed", mem);
    }
}

static bool can_be_written(struct memdev *mem) {
    struct udf_mount_options options = {0};
    struct udf_volume *volume = NULL;
    struct udf_info info;

    memdev_reboot(mem);
    if (udf_mount(memdev_device(mem), &options, &volume)) {
        return false;
    }
    udf_get_info(volume, &info);
    assert_int_equal(udf_unmount(volume), 0);
    return info.writable;
}

static void test_rare_image(void **state) {
    const struct rare *rare = *state;
    struct memdev *mem = rare->make();

    bool mended = compare(rare, mem);

    if (can_be_written(mem)) {
        change(rare, mem, mended);
    }
    memdev_free(mem);
}

int main(int argc, char **argv) {
    size_t count, chosen = 0;
    const struct rare *all = rare_all(&count);
    struct CMUnitTest *tests = calloc(count, sizeof(*tests));
    int failed;

    if (!tests) {
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        bool wanted = argc < 2;

        for (int k = 1; k < argc; k++) {
            wanted = wanted || strcmp(argv[k], all[i].name) == 0;
        }
        if (wanted) {
            tests[chosen++] = (struct CMUnitTest){
                .name = all[i].name,
                .test_func = test_rare_image,
                .initial_state = (void *)(uintptr_t)&all[i],
            };
        }
    }
    failed = _cmocka_run_group_tests("rare", tests, chosen, NULL, NULL);
    printf("%zu rare images, %d not as expected\n", chosen, failed);
    free(tests);
    return failed;
}
