/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_journal.c - the journal where the power-cut campaign does not
 * come: runs that are lost or hostile, a volume that goes on without a journal
 * for a while, and one that is moved to a medium with other packets. On a
 * device in memory; a crash is a device that takes no write any more.
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
#include "test/support/prove.h"
#include "udf/checkpoint.h"
#include "udf/format.h"
#include "udf/run.h"
#include "udf/udf.h"
#include "udf/volume.h"

enum { BLOCKS = 16000, FILE_BYTES = 9000 };

struct bench {
    struct memdev *mem;
    struct udf_volume *volume;
};

static const struct udf_cred owner = {.uid = 1000, .gid = 1001};

/* ---- the volume --------------------------------------------------------- */

static void mount_volume(struct bench *bench) {
    struct udf_mount_options options = {0};

    memdev_reboot(bench->mem);
    assert_int_equal(
        udf_mount(memdev_device(bench->mem), &options, &bench->volume), 0);
}

static void unmount_volume(struct bench *bench) {
    assert_int_equal(udf_unmount(bench->volume), 0);
    bench->volume = NULL;
    prove_medium(bench->mem);
}

static void crash(struct bench *bench) {
    memdev_cut_after(bench->mem, 0, false);
    (void)udf_unmount(bench->volume);
    bench->volume = NULL;
    memdev_reboot(bench->mem);
}

static struct bench *new_bench(const struct blockdev_geometry *geometry) {
    struct udf_format_options options = {.label = "journal", .seed = 7};
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    bench->mem = memdev_new(geometry);
    assert_int_equal(udf_format(memdev_device(bench->mem), &options), 0);
    mount_volume(bench);
    return bench;
}

static void free_bench(struct bench *bench) {
    memdev_free(bench->mem);
    free(bench);
}

/* The volume is without fault in the end. */
static void end_bench(struct bench *bench) {
    unmount_volume(bench);
    free_bench(bench);
}

static struct udf_name name_of(const char *text) {
    return (struct udf_name){.text = text, .len = (uint32_t)strlen(text)};
}

static void fill(uint8_t *buf, const char *text) {
    for (uint32_t i = 0; i < FILE_BYTES; i++) {
        buf[i] = (uint8_t)((uint8_t)text[i % strlen(text)] + i / 500);
    }
}

static void create(struct bench *bench, const char *text) {
    struct udf_make what = {.mode = S_IFREG | 0644};
    struct udf_name name = name_of(text);
    uint8_t buf[FILE_BYTES];
    struct udf_stat stat;

    fill(buf, text);
    assert_int_equal(
        udf_create(bench->volume, UDF_ROOT_INO, &name, &what, &owner, &stat),
        0);
    assert_int_equal(udf_write(bench->volume, stat.ino, 0, sizeof(buf), buf),
                     0);
    assert_int_equal(udf_commit(bench->volume), 0);
    udf_forget(bench->volume, stat.ino, 1);
}

/* 0, or -ENOENT; the content must be right. */
static int look(struct bench *bench, const char *text) {
    struct udf_name name = name_of(text);
    uint8_t buf[FILE_BYTES], want[FILE_BYTES];
    struct udf_stat stat;
    uint32_t got;
    int error = udf_lookup(bench->volume, UDF_ROOT_INO, &name, &stat);

    if (error) {
        return error;
    }
    fill(want, text);
    assert_int_equal(
        udf_read(bench->volume, stat.ino, 0, sizeof(buf), buf, &got), 0);
    assert_int_equal(got, sizeof(want));
    assert_memory_equal(buf, want, sizeof(want));
    udf_forget(bench->volume, stat.ino, 1);
    return 0;
}

/* Both files are there after a crash. */
static void crash_and_expect(struct bench *bench, const char *one,
                             const char *two) {
    crash(bench);
    mount_volume(bench);
    assert_int_equal(look(bench, one), 0);
    assert_int_equal(look(bench, two), 0);
}

static void checkpoint(struct bench *bench) {
    bool moved = false;

    assert_int_equal(udf_checkpoint(bench->volume, false, &moved), 0);
    assert_false(moved);
}

/* ---- its journal -------------------------------------------------------- */

/* The run in packet `packet` of the area, of this session. */
static bool run_at(struct bench *bench, const struct udf_journal *journal,
                   uint32_t packet, struct udf_run_head *out_head) {
    const struct udf_journal_area *area = &journal->area;
    uint32_t lba = area->lba + packet * area->packet_blocks;
    uint32_t left = (area->packets - packet) * area->packet_blocks;

    return udf_run_decode_head(memdev_medium(bench->mem, lba), lba, left,
                               out_head) == 0 &&
           out_head->session == journal->session;
}

static struct udf_run_head newest_run(struct bench *bench,
                                      const struct udf_journal *journal) {
    struct udf_run_head newest = {0}, head;

    for (uint32_t i = 0; i < journal->area.packets; i++) {
        if (run_at(bench, journal, i, &head) &&
            head.sequence > newest.sequence) {
            newest = head;
        }
    }
    assert_true(newest.sequence > 0);
    return newest;
}

/* ---- runs that are lost ------------------------------------------------- */

/* A crash that takes the run with this head along. */
static void crash_without(struct bench *bench,
                          const struct udf_run_head *head) {
    crash(bench);
    memset(memdev_medium(bench->mem, head->lba), 0xA5, UDF_BLOCK_BYTES);
    mount_volume(bench);
}

/* The run that empties the journal is not needed by those behind it. */
static void test_run_that_empties_may_be_lost(void **state) {
    struct blockdev_geometry geometry = memdev_cdrw(BLOCKS);
    struct bench *bench = new_bench(&geometry);
    struct udf_journal journal;
    struct udf_run_head head;

    (void)state;
    create(bench, "before");
    checkpoint(bench);
    journal = bench->volume->journal;
    head = newest_run(bench, &journal);
    assert_int_equal(head.entries, 0);
    create(bench, "behind");
    create(bench, "last");
    crash_without(bench, &head);
    assert_int_equal(look(bench, "before"), 0);
    assert_int_equal(look(bench, "behind"), 0);
    assert_int_equal(look(bench, "last"), 0);
    end_bench(bench);
}

/* Without the run before the last, the commit before that one is there. */
static void test_lost_run_takes_those_behind_it(void **state) {
    struct blockdev_geometry geometry = memdev_cdrw(BLOCKS);
    struct bench *bench = new_bench(&geometry);
    struct udf_journal journal;
    struct udf_run_head head;

    (void)state;
    create(bench, "kept");
    create(bench, "lost");
    journal = bench->volume->journal;
    head = newest_run(bench, &journal);
    create(bench, "lost, too");
    crash_without(bench, &head);
    assert_int_equal(look(bench, "kept"), 0);
    assert_int_equal(look(bench, "lost"), -ENOENT);
    assert_int_equal(look(bench, "lost, too"), -ENOENT);
    create(bench, "new");
    unmount_volume(bench);
    mount_volume(bench);
    assert_int_equal(look(bench, "new"), 0);
    end_bench(bench);
}

/* A run of images that has none proves the run before it, and needs it. */
static void test_run_that_only_proves(void **state) {
    struct blockdev_geometry geometry = memdev_cdrw(BLOCKS);
    struct bench *bench = new_bench(&geometry);
    struct udf_run run = {.head.images = true};
    bool moved = false;
    uint64_t first;

    (void)state;
    create(bench, "kept");
    first = bench->volume->journal.at.first;
    assert_int_equal(udf_journal_append(bench->volume, &run, 0, &moved), 0);
    crash(bench);
    mount_volume(bench);
    assert_int_equal(bench->volume->journal.at.first, first);
    assert_int_equal(look(bench, "kept"), 0);
    end_bench(bench);
}

/* ---- hostile runs ------------------------------------------------------- */

/* `count` blocks of content for free blocks of the disc. */
static void add_blocks(struct udf_run *run, uint32_t count,
                       const uint8_t *content) {
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *block = content + (size_t)i * UDF_BLOCK_BYTES;

        assert_int_equal(udf_run_add_block(run, BLOCKS / 2 + i, block, NULL),
                         0);
    }
}

/* A run of the session behind `newest`, at `lba`. */
static struct udf_run run_behind(const struct udf_run_head *newest,
                                 uint32_t lba) {
    struct udf_run run = {.head = *newest};

    run.head.previous = newest->sequence;
    run.head.sequence = newest->sequence + 1;
    run.head.entries = run.head.contents = 0;
    run.head.lba = lba;
    return run;
}

static uint8_t *encode(struct udf_run *run) {
    uint64_t blocks = udf_run_blocks(run->head.entries, run->head.contents);
    uint8_t *raw = calloc((size_t)blocks, UDF_BLOCK_BYTES);

    assert_non_null(raw);
    udf_run_encode(run, raw);
    return raw;
}

/* Runs that lie in each other would take memory without end: all that count
 * are no longer than the area. */
static void test_run_over_another(void **state) {
    enum { COUNT = 1400, PACKET = 32 };
    struct blockdev_geometry geometry = memdev_cdrw(BLOCKS);
    struct bench *bench = new_bench(&geometry);
    uint8_t *content = calloc(COUNT + 2 * PACKET, UDF_BLOCK_BYTES);
    struct udf_journal journal;
    struct udf_run inner, outer;
    uint8_t *raw;
    uint32_t lba, blocks;

    (void)state;
    create(bench, "kept");
    journal = bench->volume->journal;
    crash(bench);
    lba = journal.area.lba + journal.at.head * PACKET;
    assert_true((uint32_t)(journal.area.packets * PACKET) < 2 * COUNT);

    struct udf_run_head newest = newest_run(bench, &journal);

    inner = run_behind(&newest, lba + PACKET);
    add_blocks(&inner, COUNT, content);
    raw = encode(&inner);
    /* The inner one's blocks are the outer one's content: the outer table has
     * 17 blocks, so the content's 16th is where the inner one is. */
    blocks = inner.head.blocks;
    memcpy(content + (size_t)(PACKET - 17) * UDF_BLOCK_BYTES, raw,
           (size_t)blocks * UDF_BLOCK_BYTES);
    free(raw);
    outer = run_behind(&inner.head, lba);
    add_blocks(&outer, PACKET - 17 + blocks, content);
    raw = encode(&outer);
    assert_int_equal(outer.head.blocks, PACKET + blocks);
    for (uint32_t i = 0; i < outer.head.blocks; i++) {
        memcpy(memdev_medium(bench->mem, lba + i),
               raw + (size_t)i * UDF_BLOCK_BYTES, UDF_BLOCK_BYTES);
    }
    free(raw);
    udf_run_clear(&outer);
    udf_run_clear(&inner);
    free(content);
    mount_volume(bench);
    assert_int_equal(look(bench, "kept"), 0);
    assert_true(bench->volume->overlay.count < 100);
    end_bench(bench);
}

/* ---- a commit that is longer than what is left of the journal -------------
 */

enum { SOME = 50, MANY = 680, CUT_STEP = 5 };

static void create_empty(struct bench *bench, const char *prefix,
                         uint32_t count) {
    struct udf_make what = {.mode = S_IFREG | 0644};
    struct udf_stat stat;
    char text[32];

    for (uint32_t i = 0; i < count; i++) {
        struct udf_name name;

        snprintf(text, sizeof(text), "%s%u", prefix, i);
        name = name_of(text);
        assert_int_equal(udf_create(bench->volume, UDF_ROOT_INO, &name, &what,
                                    &owner, &stat),
                         0);
        udf_forget(bench->volume, stat.ino, 1);
    }
}

static void change(struct bench *bench, const char *prefix, uint32_t count,
                   mode_t mode) {
    struct udf_stat stat;
    char text[32];

    for (uint32_t i = 0; i < count; i++) {
        struct udf_name name;

        snprintf(text, sizeof(text), "%s%u", prefix, i);
        name = name_of(text);
        assert_int_equal(udf_lookup(bench->volume, UDF_ROOT_INO, &name, &stat),
                         0);
        stat.mode = mode;
        assert_int_equal(
            udf_setattr(bench->volume, stat.ino, &stat, UDF_SET_MODE, &stat),
            0);
        udf_forget(bench->volume, stat.ino, 1);
    }
}

/* Some files in a commit; then they are changed in one that fills their packet
 * with others, and does not fit behind the first. Returns that one's result. */
static int long_commit(struct bench *bench, uint64_t packets) {
    create_empty(bench, "old", MANY);
    assert_int_equal(udf_commit(bench->volume), 0);
    checkpoint(bench);
    create_empty(bench, "some", SOME);
    change(bench, "old", MANY, 0604);
    assert_int_equal(udf_commit(bench->volume), 0);
    change(bench, "some", SOME, 0600);
    create_empty(bench, "more", 2 * SOME);
    change(bench, "old", MANY, 0600);
    memdev_cut_after(bench->mem, packets, true);
    return udf_commit(bench->volume);
}

/* However many files are changed, what waits never needs more than the
 * journal has. */
static void test_changes_wait_as_the_journal_has_room(void **state) {
    struct blockdev_geometry geometry = memdev_cdrw(BLOCKS);
    struct bench *bench = new_bench(&geometry);
    const struct udf_nodes *nodes = &bench->volume->nodes;
    const struct udf_journal *journal = &bench->volume->journal;
    uint64_t session;

    (void)state;
    create_empty(bench, "old", 4 * MANY);
    assert_int_equal(udf_commit(bench->volume), 0);
    session = journal->session;
    change(bench, "old", 4 * MANY, 0600);
    assert_true(nodes->in_place_count <= udf_journal_capacity(journal) / 2 + 1);
    assert_int_equal(udf_commit(bench->volume), 0);
    assert_int_equal(nodes->in_place_count, 0);
    assert_true(journal->session == session); /* not lengthened, not left */
    crash(bench);
    mount_volume(bench);
    end_bench(bench);
}

/* All is as before the commit, or as behind it. */
static void expect_one_of_both(struct bench *bench) {
    struct udf_name more = name_of("more0");
    struct udf_stat stat;
    bool behind = udf_lookup(bench->volume, UDF_ROOT_INO, &more, &stat) == 0;
    mode_t some = S_IFREG | (behind ? 0600 : 0644);
    mode_t old = S_IFREG | (behind ? 0600 : 0604);

    for (uint32_t i = 0; i < SOME; i++) {
        struct udf_name name;
        char text[32];

        snprintf(text, sizeof(text), "some%u", i);
        name = name_of(text);
        assert_int_equal(udf_lookup(bench->volume, UDF_ROOT_INO, &name, &stat),
                         0);
        assert_int_equal(stat.mode, some);
        udf_forget(bench->volume, stat.ino, 1);
    }
    assert_int_equal(udf_lookup(bench->volume, UDF_ROOT_INO,
                                &(struct udf_name){"old7", 4}, &stat),
                     0);
    assert_int_equal(stat.mode, old);
    udf_forget(bench->volume, stat.ino, 1);
}

static void test_cut_in_a_commit_that_needs_a_checkpoint(void **state) {
    struct blockdev_geometry geometry = memdev_cdrw(BLOCKS);
    int error = -EIO;
    uint64_t packets = 0;

    (void)state;
    for (; error; packets += CUT_STEP) {
        struct bench *bench = new_bench(&geometry);

        error = long_commit(bench, packets);
        crash(bench);
        mount_volume(bench);
        expect_one_of_both(bench);
        end_bench(bench);
    }
    print_message("%u packets\n", (unsigned)packets);
    assert_true(packets > 50);
}

/* ---- without a journal for a while -------------------------------------- */

/* A commit that no journal has room for goes without one; the next one begins
 * one again. */
static void test_journal_is_left_and_begun_again(void **state) {
    struct blockdev_geometry geometry = memdev_cdrw(BLOCKS);
    struct bench *bench = new_bench(&geometry);

    (void)state;
    create(bench, "with");
    checkpoint(bench);
    assert_int_equal(udf_journal_leave(bench->volume), 0);
    assert_false(udf_journal_is_used(bench->volume));
    crash(bench);
    mount_volume(bench);
    assert_int_equal(look(bench, "with"), 0);
    create(bench, "first");
    checkpoint(bench);
    assert_int_equal(udf_journal_leave(bench->volume), 0);
    create(bench, "again");
    assert_true(udf_journal_is_used(bench->volume));
    crash_and_expect(bench, "first", "again");
    end_bench(bench);
}

/* ---- other media -------------------------------------------------------- */

/* The same content on a medium with packets of 32 blocks. */
static void copy_to_longer_packets(struct bench *bench) {
    struct blockdev_geometry geometry = memdev_cdrw(BLOCKS);
    struct memdev *copy = memdev_new(&geometry);

    for (uint32_t lba = 0; lba < BLOCKS; lba++) {
        memcpy(memdev_medium(copy, lba), memdev_medium(bench->mem, lba),
               UDF_BLOCK_BYTES);
    }
    memdev_free(bench->mem);
    bench->mem = copy;
}

/* An image with a journal that waits is read there, and left alone. */
static void test_open_image_on_longer_packets(void **state) {
    struct blockdev_geometry geometry = memdev_dvdrw(BLOCKS);
    struct bench *bench = new_bench(&geometry);
    struct udf_make what = {.mode = S_IFREG | 0644};
    struct udf_name name = name_of("no");
    struct udf_stat stat;

    (void)state;
    create(bench, "waits");
    crash(bench);
    copy_to_longer_packets(bench);
    mount_volume(bench);
    assert_int_equal(look(bench, "waits"), 0);
    assert_int_equal(
        udf_create(bench->volume, UDF_ROOT_INO, &name, &what, &owner, &stat),
        -EROFS);
    assert_int_equal(udf_unmount(bench->volume), 0);
    free_bench(bench);
}

/* One that was closed is written there, with a journal of that medium's
 * packets. */
static void test_closed_image_on_longer_packets(void **state) {
    struct blockdev_geometry geometry = memdev_dvdrw(BLOCKS);
    struct bench *bench = new_bench(&geometry);

    (void)state;
    create(bench, "old");
    unmount_volume(bench);
    copy_to_longer_packets(bench);
    mount_volume(bench);
    create(bench, "new");
    assert_int_equal(bench->volume->journal.area.packet_blocks, 32);
    crash_and_expect(bench, "old", "new");
    end_bench(bench);
}

static size_t data_in_journal(struct bench *bench) {
    const struct udf_overlay_block **list;
    size_t count;

    assert_int_equal(udf_overlay_list(&bench->volume->overlay, UDF_OVERLAY_DATA,
                                      &list, &count),
                     0);
    free(list);
    return count;
}

/* A packet that is not full waits in the journal for what follows; but when the
 * volume is closed next, it goes home with the data before it. */
static void test_tail_goes_home_with_the_last_commit(void **state) {
    const struct blockdev_geometry geometry = memdev_cdrw(BLOCKS);
    struct bench *bench = new_bench(&geometry);

    (void)state;
    create(bench, "waits");
    assert_true(data_in_journal(bench) > 0);
    bench->volume->journal.closing = true;
    create(bench, "goes");
    assert_int_equal(data_in_journal(bench), 0);
    crash_and_expect(bench, "waits", "goes");
    create(bench, "after");
    unmount_volume(bench);
    mount_volume(bench);
    assert_int_equal(look(bench, "goes"), 0);
    assert_int_equal(look(bench, "after"), 0);
    end_bench(bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_that_empties_may_be_lost),
        cmocka_unit_test(test_lost_run_takes_those_behind_it),
        cmocka_unit_test(test_run_that_only_proves),
        cmocka_unit_test(test_run_over_another),
        cmocka_unit_test(test_cut_in_a_commit_that_needs_a_checkpoint),
        cmocka_unit_test(test_changes_wait_as_the_journal_has_room),
        cmocka_unit_test(test_journal_is_left_and_begun_again),
        cmocka_unit_test(test_open_image_on_longer_packets),
        cmocka_unit_test(test_closed_image_on_longer_packets),
        cmocka_unit_test(test_tail_goes_home_with_the_last_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
