/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_bad_packets.c - volumes on media with bad packets, through
 * udf.h, on a device in memory: what was written is there after a second
 * mount, and the checker finds nothing.
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
#include "udf/format.h"
#include "udf/sparing_table.h"
#include "udf/tombstone.h"
#include "udf/udf.h"
#include "udf/volume.h"

enum {
    PACKET = 32,
    PACKETS = 600,
    FILES = 120,
    NAME_BYTES = 64,
    FILE_BYTES_MAX = 150000
};

struct bench {
    struct memdev *mem;
    struct udf_volume *volume;
    uint64_t random;
    uint32_t first; /* LBA of the partition */
    uint32_t seed[FILES], bytes[FILES];
    uint64_t ino[FILES];
};

static const struct udf_cred owner = {.uid = 1000, .gid = 1001};

static uint32_t rnd(struct bench *bench, uint32_t below) {
    bench->random = bench->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(bench->random >> 33) % below;
}

static void name_file(uint32_t i, char *buf) {
    snprintf(buf, NAME_BYTES, "file with a name that takes its room %u", i);
}

static struct udf_name name_of(const char *text) {
    return (struct udf_name){.text = text, .len = (uint32_t)strlen(text)};
}

/* ---- the volume ---------------------------------------------------------- */

static void mount_volume(struct bench *bench) {
    struct udf_mount_options options = {0};

    bench->volume = mount_cold(bench->mem, &options);
}

static void unmount_volume(struct bench *bench) {
    assert_int_equal(udf_unmount(bench->volume), 0);
    bench->volume = NULL;
}

static struct udf_info info_of(struct bench *bench) {
    struct udf_info info;

    udf_get_info(bench->volume, &info);
    return info;
}

static struct bench *new_bench(enum udf_map_choice map, uint16_t revision) {
    struct blockdev_geometry geometry = memdev_cdrw(PACKET * PACKETS);
    struct udf_format_options options = {
        .label = "bad", .seed = 7, .map = map, .revision = revision};
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    bench->mem = memdev_new(&geometry);
    bench->random = 1;
    assert_int_equal(udf_format(memdev_device(bench->mem), &options), 0);
    mount_volume(bench);
    bench->first = bench->volume->maps.map[0].start_lba;
    return bench;
}

static void free_bench(struct bench *bench) {
    if (bench->volume) {
        (void)udf_unmount(bench->volume);
    }
    memdev_free(bench->mem);
    free(bench);
}

/* Lets about `permille` of the packets from `from` to `end` that hold nothing
 * yet be bad: they cannot be written, ever. Gives their number. */
static uint32_t spoil_range(struct bench *bench, uint32_t from, uint32_t end,
                            uint32_t permille) {
    uint32_t count = 0;

    for (uint32_t lba = from; lba + PACKET <= end; lba += PACKET) {
        if (memdev_overwrites(bench->mem, lba) == 0 &&
            rnd(bench, 1000) < permille) {
            memdev_fail_write(bench->mem, lba);
            count++;
        }
    }
    return count;
}

/* The same for the partition. */
static uint32_t spoil(struct bench *bench, uint32_t permille) {
    return spoil_range(bench, bench->first,
                       bench->first + info_of(bench).partition_blocks,
                       permille);
}

/* Some of the journal's packets. */
static void spoil_journal(struct bench *bench, uint32_t permille) {
    struct udf_info info = info_of(bench);
    uint32_t lba = info.journal_lba;
    uint32_t count =
        spoil_range(bench, lba, lba + info.journal_packets * PACKET, permille);

    assert_true(info.journal_packets > 0 && count > 0);
}

/* ---- work ---------------------------------------------------------------- */

static void fill(struct bench *bench, uint32_t i, uint8_t *buf) {
    for (uint32_t at = 0; at < bench->bytes[i]; at++) {
        buf[at] = (uint8_t)((bench->seed[i] * 131 + at * 7 + at / 251) >> 1);
    }
}

static void write_file(struct bench *bench, uint32_t i, uint32_t bytes) {
    struct udf_stat stat = {.size = bytes};
    uint8_t *buf = malloc(FILE_BYTES_MAX);

    bench->seed[i] = rnd(bench, 1u << 20);
    bench->bytes[i] = bytes;
    fill(bench, i, buf);
    assert_int_equal(udf_write(bench->volume, bench->ino[i], 0, bytes, buf), 0);
    assert_int_equal(
        udf_setattr(bench->volume, bench->ino[i], &stat, UDF_SET_SIZE, &stat),
        0);
    free(buf);
}

static void create_file(struct bench *bench, uint64_t parent, uint32_t i) {
    struct udf_make what = {.mode = S_IFREG | 0644};
    struct udf_stat stat;
    char text[NAME_BYTES];
    struct udf_name name;

    name_file(i, text);
    name = name_of(text);
    assert_int_equal(
        udf_create(bench->volume, parent, &name, &what, &owner, &stat), 0);
    bench->ino[i] = stat.ino;
    write_file(bench, i, 1 + rnd(bench, FILE_BYTES_MAX));
    udf_forget(bench->volume, stat.ino, 1);
}

static void create_files(struct bench *bench) {
    for (uint32_t i = 0; i < FILES; i++) {
        create_file(bench, UDF_ROOT_INO, i);
        if (i % 10 == 9) {
            assert_int_equal(udf_commit(bench->volume), 0);
        }
    }
}

/* Writes many of the files anew; all are known by number. */
static void overwrite_files(struct bench *bench) {
    for (uint32_t i = 0; i < FILES; i += 1 + rnd(bench, 4)) {
        write_file(bench, i, 1 + rnd(bench, FILE_BYTES_MAX));
        if (rnd(bench, 8) == 0) {
            assert_int_equal(udf_commit(bench->volume), 0);
        }
    }
    assert_int_equal(udf_commit(bench->volume), 0);
}

static void expect_file(struct bench *bench, uint32_t i) {
    uint8_t *buf = malloc(FILE_BYTES_MAX), *want = malloc(FILE_BYTES_MAX);
    struct udf_stat stat;
    char text[NAME_BYTES];
    struct udf_name name;
    uint32_t got;

    name_file(i, text);
    name = name_of(text);
    assert_int_equal(udf_lookup(bench->volume, UDF_ROOT_INO, &name, &stat), 0);
    assert_int_equal(stat.size, bench->bytes[i]);
    assert_int_equal(
        udf_read(bench->volume, stat.ino, 0, FILE_BYTES_MAX, buf, &got), 0);
    assert_int_equal(got, bench->bytes[i]);
    fill(bench, i, want);
    assert_memory_equal(buf, want, got);
    bench->ino[i] = stat.ino;
    udf_forget(bench->volume, stat.ino, 1);
    free(buf);
    free(want);
}

static void expect_files(struct bench *bench) {
    for (uint32_t i = 0; i < FILES; i++) {
        expect_file(bench, i);
    }
}

/* ---- tests --------------------------------------------------------------- */

static void work_on_a_bad_disc(uint16_t revision, enum udf_map_choice map,
                               uint32_t permille) {
    struct bench *bench = new_bench(map, revision);
    struct udf_info info;

    assert_true(spoil(bench, permille) > 0);
    spoil_journal(bench, permille + 50);
    create_files(bench);
    expect_files(bench);
    unmount_volume(bench);
    prove_medium(bench->mem);
    mount_volume(bench);
    expect_files(bench);
    overwrite_files(bench);
    unmount_volume(bench);
    prove_medium(bench->mem);
    mount_volume(bench);
    expect_files(bench);
    info = info_of(bench);
    assert_true(info.withdrawn_packets > 0);
    print_message("%u of %u spares used, %u bad, %u packets withdrawn\n",
                  info.spares_used, info.spares, info.spares_bad,
                  info.withdrawn_packets);
    free_bench(bench);
}

static void test_bad_packets_of_a_sparable_volume(void **state) {
    (void)state;
    work_on_a_bad_disc(0x0201, UDF_MAP_SPARABLE, 50);
}

static void test_bad_packets_before_streams(void **state) {
    (void)state;
    work_on_a_bad_disc(0x0150, UDF_MAP_SPARABLE, 50);
}

/* From UDF 2.50 on file entries are in a metadata partition, which can move: no
 * spares are needed. */
static void test_bad_packets_of_metadata(void **state) {
    (void)state;
    work_on_a_bad_disc(0x0250, UDF_MAP_TYPE1, 50);
    work_on_a_bad_disc(0x0260, UDF_MAP_SPARABLE, 50);
}

/* Makes files until something fails. Gives how many are committed. */
static uint32_t create_until_error(struct bench *bench, int *out_error) {
    uint8_t *buf = malloc(FILE_BYTES_MAX);
    uint32_t safe = 0;
    int error = 0;

    for (uint32_t i = 0; !error && i < FILES; i++) {
        struct udf_make what = {.mode = S_IFREG | 0644};
        struct udf_stat stat;
        char text[NAME_BYTES];
        struct udf_name name;

        name_file(i, text);
        name = name_of(text);
        error = udf_create(bench->volume, UDF_ROOT_INO, &name, &what, &owner,
                           &stat);
        if (!error) {
            bench->seed[i] = rnd(bench, 1u << 20);
            bench->bytes[i] = 1 + rnd(bench, FILE_BYTES_MAX);
            fill(bench, i, buf);
            error = udf_write(bench->volume, stat.ino, 0, bench->bytes[i], buf);
        }
        if (!error) {
            error = udf_commit(bench->volume);
        }
        if (!error) {
            safe = i + 1;
        }
    }
    free(buf);
    *out_error = error;
    return safe;
}

/* Nearly everything is bad: the user is told, and what was committed is there.
 */
static void test_bad_packets_nearly_everywhere(void **state) {
    struct bench *bench = new_bench(UDF_MAP_SPARABLE, 0x0201);
    struct udf_info info;
    uint32_t safe;
    int error;

    (void)state;
    assert_true(spoil(bench, 930) > 0);
    safe = create_until_error(bench, &error);
    info = info_of(bench);
    assert_int_equal(error, -EIO);
    assert_int_equal(udf_commit(bench->volume), -EIO);
    assert_int_equal(udf_unmount(bench->volume), -EIO);
    bench->volume = NULL;
    mount_volume(bench);
    for (uint32_t i = 0; i < safe; i++) {
        expect_file(bench, i);
    }
    print_message("%u files before the end, %u packets withdrawn\n", safe,
                  info.withdrawn_packets);
    (void)udf_unmount(bench->volume);
    bench->volume = NULL;
    free_bench(bench);
}

/* Lets every packet that holds something be bad from now on, and all spares but
 * `good`. */
static void wear_out(struct bench *bench, uint32_t good) {
    const struct udf_partmap *map = &bench->volume->maps.map[0];
    uint32_t end = bench->first + map->blocks;

    for (uint32_t lba = bench->first; lba + PACKET <= end; lba += PACKET) {
        if (memdev_overwrites(bench->mem, lba) > 0) {
            memdev_fail_write(bench->mem, lba);
        }
    }
    for (uint32_t i = good; i < map->sparing.entries; i++) {
        memdev_fail_write(bench->mem, map->sparing.entry[i].mapped);
    }
}

static void chmod_files(struct bench *bench, mode_t mode) {
    for (uint32_t i = 0; i < FILES; i++) {
        struct udf_stat stat = {.mode = mode};

        assert_int_equal(udf_setattr(bench->volume, bench->ino[i], &stat,
                                     UDF_SET_MODE, &stat),
                         0);
    }
    assert_int_equal(udf_commit(bench->volume), 0);
}

/* File entries cannot move, so their packets need spares, and there are two. */
static void test_bad_packets_when_spares_run_out(void **state) {
    struct bench *bench = new_bench(UDF_MAP_SPARABLE, 0x0201);
    struct udf_stat stat;
    struct udf_info info;

    (void)state;
    create_files(bench);
    unmount_volume(bench);
    mount_volume(bench);
    expect_files(bench);
    wear_out(bench, 2);
    chmod_files(bench, 0600);
    assert_int_equal(udf_unmount(bench->volume), -EIO);
    bench->volume = NULL;
    mount_volume(bench);
    info = info_of(bench);
    assert_int_equal(info.spares_used, 2);
    assert_false(info.clean);
    expect_files(bench);
    for (uint32_t i = 0; i < FILES; i++) {
        assert_int_equal(udf_getattr(bench->volume, bench->ino[i], &stat), 0);
        assert_int_equal(stat.mode, S_IFREG | 0600);
    }
    (void)udf_unmount(bench->volume);
    bench->volume = NULL;
    free_bench(bench);
}

/* Lets every packet that the metadata partition lies in be bad from now on. */
static void wear_out_metadata(struct bench *bench) {
    const struct udf_partmap *map =
        &bench->volume->maps.map[bench->volume->metadata.part];
    const struct udf_extents *const copies[] = {&map->extents, &map->mirror};

    for (size_t copy = 0; copy < 2; copy++) {
        for (size_t i = 0; i < copies[copy]->count; i++) {
            const struct udf_extent *extent = &copies[copy]->list[i];

            for (uint32_t at = 0; at < extent->count; at += PACKET) {
                memdev_fail_write(bench->mem,
                                  bench->first + extent->addr.lbn + at);
            }
        }
    }
}

/* The metadata partition is where it can be written, with all its content, and
 * is there when the volume is mounted again. */
static void test_bad_packets_under_all_metadata(void **state) {
    struct bench *bench = new_bench(UDF_MAP_TYPE1, 0x0250);
    struct udf_stat stat;

    (void)state;
    create_files(bench);
    unmount_volume(bench);
    mount_volume(bench);
    expect_files(bench);
    wear_out_metadata(bench);
    chmod_files(bench, 0600);
    unmount_volume(bench);
    prove_medium(bench->mem);
    mount_volume(bench);
    expect_files(bench);
    for (uint32_t i = 0; i < FILES; i++) {
        assert_int_equal(udf_getattr(bench->volume, bench->ino[i], &stat), 0);
        assert_int_equal(stat.mode, S_IFREG | 0600);
    }
    assert_true(info_of(bench).withdrawn_packets > 0);
    free_bench(bench);
}

enum { REPLACED = 3, REPLACING = 4, CHANGED = 5 };

/* Name `from` takes the place of name `to`. */
static void rename_over(struct bench *bench, uint32_t from, uint32_t to) {
    char from_text[NAME_BYTES], to_text[NAME_BYTES];
    struct udf_place old = {.dir = UDF_ROOT_INO};
    struct udf_place new = {.dir = UDF_ROOT_INO};

    name_file(from, from_text);
    name_file(to, to_text);
    old.name = name_of(from_text);
    new.name = name_of(to_text);
    assert_int_equal(udf_rename(bench->volume, &old, &new, 0), 0);
}

/* Either both names are there, or the one that was replaced is the other. */
static void expect_rename_or_not(struct bench *bench) {
    struct udf_stat stat;
    char text[NAME_BYTES];
    struct udf_name name;

    name_file(REPLACING, text);
    name = name_of(text);
    if (udf_lookup(bench->volume, UDF_ROOT_INO, &name, &stat) == 0) {
        udf_forget(bench->volume, stat.ino, 1);
        expect_file(bench, REPLACING);
    } else {
        bench->seed[REPLACED] = bench->seed[REPLACING];
        bench->bytes[REPLACED] = bench->bytes[REPLACING];
    }
    expect_file(bench, REPLACED);
}

/* What a crash has left in the journal goes home to packets that are bad, with
 * an entry in them that was just freed; power fails before that is committed.
 */
static int cut_after(struct bench *bench, uint64_t packets) {
    struct udf_stat stat = {.mode = 0600};
    int error;

    create_files(bench);
    unmount_volume(bench);
    mount_volume(bench);
    expect_files(bench);
    assert_int_equal(udf_setattr(bench->volume, bench->ino[CHANGED], &stat,
                                 UDF_SET_MODE, &stat),
                     0);
    assert_int_equal(udf_commit(bench->volume), 0);
    memdev_cut_after(bench->mem, 0, false);
    (void)udf_unmount(bench->volume);
    mount_volume(bench);
    wear_out(bench, UINT16_MAX);
    rename_over(bench, REPLACING, REPLACED);
    memdev_cut_after(bench->mem, packets, false);
    error = udf_commit(bench->volume);
    memdev_cut_after(bench->mem, 0, false);
    (void)udf_unmount(bench->volume);
    return error;
}

static void test_cut_while_packets_are_replaced(void **state) {
    int error = -EIO;
    uint64_t packets = 0;

    (void)state;
    for (; error; packets++) {
        struct bench *bench = new_bench(UDF_MAP_SPARABLE, 0x0201);

        error = cut_after(bench, packets);
        mount_volume(bench);
        expect_rename_or_not(bench);
        free_bench(bench);
    }
    print_message("%u packets\n", (unsigned)packets);
    assert_true(packets > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_packets_of_a_sparable_volume),
        cmocka_unit_test(test_bad_packets_before_streams),
        cmocka_unit_test(test_bad_packets_of_metadata),
        cmocka_unit_test(test_bad_packets_under_all_metadata),
        cmocka_unit_test(test_bad_packets_nearly_everywhere),
        cmocka_unit_test(test_bad_packets_when_spares_run_out),
        cmocka_unit_test(test_cut_while_packets_are_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
