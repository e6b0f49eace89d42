/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The wear ledger of a mounted volume: that it counts what was written, what
 * damage costs it, and what it is used for.
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
#include "test/support/memdev.h"
#include "test/support/mount_cold.h"
#include "test/support/prove.h"
#include "udf/check.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/format.h"
#include "udf/layout.h"
#include "udf/own.h"
#include "udf/udf.h"

enum {
    DISC_BLOCKS = 20000,
    BLOCK = 2048,
    PACKET = 32,
    RATED = 1000,
    FAULTS_BYTES = 4096
};

struct disc {
    struct memdev *mem;
    struct udf_layout plan;
    struct udf_volume *volume;
};

static struct disc make_medium(const struct blockdev_geometry *geometry,
                               const struct udf_wear *wear) {
    const struct udf_format_options how = {
        .label = "Ledger", .seed = 3, .wear = wear};
    struct disc disc = {.mem = memdev_new(geometry)};

    assert_int_equal(udf_layout_plan(geometry, &how, &disc.plan), 0);
    assert_int_equal(udf_format(memdev_device(disc.mem), &how), 0);
    return disc;
}

static struct disc make_disc(const struct udf_wear *wear) {
    const struct blockdev_geometry geometry = memdev_cdrw(DISC_BLOCKS);
    struct disc disc = make_medium(&geometry, wear);

    assert_int_equal(disc.plan.region[UDF_REGION_LEDGER].blocks, 2 * PACKET);
    return disc;
}

static void mount(struct disc *disc) {
    const struct udf_mount_options options = {0};

    disc->volume = mount_cold(disc->mem, &options);
}

static void unmount(struct disc *disc) {
    assert_int_equal(udf_unmount(disc->volume), 0);
    prove_medium(disc->mem);
}

static void write_data(struct disc *disc, uint64_t ino, uint32_t bytes) {
    uint8_t *data = malloc(bytes);

    assert_non_null(data);
    memset(data, 'x', bytes);
    assert_int_equal(udf_write(disc->volume, ino, 0, bytes, data), 0);
    free(data);
}

/* Makes the file `number` of `bytes` bytes; with `commit` it is on the medium
 * then. */
static uint64_t put_file(struct disc *disc, unsigned number, uint32_t bytes,
                         bool commit) {
    const struct udf_make what = {.mode = S_IFREG | 0644};
    const struct udf_cred owner = {0};
    char text[16];
    struct udf_name name = {.text = text};
    struct udf_stat stat;

    name.len = (uint32_t)snprintf(text, sizeof(text), "f%u", number);
    assert_int_equal(
        udf_create(disc->volume, UDF_ROOT_INO, &name, &what, &owner, &stat), 0);
    write_data(disc, stat.ino, bytes);
    if (commit) {
        assert_int_equal(udf_commit(disc->volume), 0);
    }
    return stat.ino;
}

/* One mount that changes something. */
static void use(struct disc *disc, unsigned number) {
    mount(disc);
    put_file(disc, number, 5000, true);
    unmount(disc);
}

static struct udf_wear read_wear(struct disc *disc) {
    struct udf_wear wear;

    memdev_reboot(disc->mem);
    assert_int_equal(udf_read_wear(memdev_device(disc->mem), &wear), 0);
    return wear;
}

static uint32_t ledger_lba(const struct disc *disc, unsigned place) {
    return disc->plan.region[UDF_REGION_LEDGER].lba + place * PACKET;
}

/* Each packet was counted as often as it was written; formatting writes a few
 * behind the ledger, which are not. Gives the most. */
static uint32_t expect_all_counted(struct disc *disc) {
    struct udf_wear_summary summary;
    struct udf_wear wear = read_wear(disc);
    uint32_t hottest = 0;

    for (uint32_t i = 0; i < wear.packets; i++) {
        uint32_t real = memdev_overwrites(disc->mem, i * wear.packet_blocks);

        assert_in_range(real, wear.count[i], wear.count[i] + 2u);
        hottest = real > hottest ? real : hottest;
    }
    udf_wear_summarise(&wear, &summary);
    assert_in_range(summary.hottest, hottest - 2, hottest);
    udf_wear_free(&wear);
    return hottest;
}

static void test_ledger_counts_over_many_mounts(void **state) {
    (void)state;
    struct disc disc = make_disc(NULL);

    for (unsigned i = 0; i < 40; i++) {
        use(&disc, i);
    }
    assert_true(expect_all_counted(&disc) >= 40);
    memdev_free(disc.mem);
}

/* Where the drive manages defects, and what it wants of the volume differs. */
static void test_ledger_of_other_media(void **state) {
    static const struct {
        uint32_t packet_blocks, rated;
        uint16_t udf;
    } rows[] = {
        {32, 1000, 0},      /* CD-MRW */
        {16, 100000, 0},    /* DVD-RAM */
        {32, 1000, 0x0250}, /* BD-RE */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct blockdev_geometry geometry = {
            .blocks = DISC_BLOCKS,
            .packet_blocks = rows[i].packet_blocks,
            .rated_overwrites = rows[i].rated,
            .writable = true,
            .drive_manages_defects = true,
            .usual_udf = rows[i].udf,
            .rewritable = true,
        };
        struct disc disc = make_medium(&geometry, NULL);

        for (unsigned k = 0; k < 5; k++) {
            use(&disc, k);
        }
        assert_true(expect_all_counted(&disc) >= 5);
        memdev_free(disc.mem);
    }
}

/* Reading changes nothing, and a place that is torn costs the latest counts. */
static void test_ledger_survives_a_torn_place(void **state) {
    (void)state;
    struct disc disc = make_disc(NULL);

    use(&disc, 0);
    struct udf_wear before = read_wear(&disc);
    use(&disc, 1);
    struct udf_wear after = read_wear(&disc);
    assert_memory_not_equal(before.count, after.count,
                            before.packets * sizeof(*before.count));
    /* written last: the second place, as the first one came with the format */
    for (unsigned place = 0; place < 2; place++) {
        uint8_t *raw = memdev_medium(disc.mem, ledger_lba(&disc, place));
        uint8_t kept = raw[PACKET * BLOCK - 1];

        raw[PACKET * BLOCK - 1] ^= 0xFF;
        struct udf_wear torn = read_wear(&disc);
        assert_in_range(torn.count[ledger_lba(&disc, 0) / PACKET], 1, 3);
        udf_wear_free(&torn);
        raw[PACKET * BLOCK - 1] = kept;
    }
    memdev_fail_read(disc.mem, ledger_lba(&disc, 0));
    memdev_fail_read(disc.mem, ledger_lba(&disc, 1));
    struct udf_wear none;
    memdev_reboot(disc.mem);
    assert_int_equal(udf_read_wear(memdev_device(disc.mem), &none), -ENOENT);
    udf_wear_free(&after);
    udf_wear_free(&before);
    memdev_free(disc.mem);
}

/* Power fails at each packet of a use in turn: the counts of before are there,
 * and the next use counts on. */
static void test_ledger_survives_every_cut(void **state) {
    (void)state;
    bool done = false;

    for (uint64_t cut = 0; !done; cut++) {
        struct disc disc = make_disc(NULL);

        use(&disc, 0);
        struct udf_wear before = read_wear(&disc);
        mount(&disc);
        memdev_cut_after(disc.mem, cut, true);
        put_file(&disc, 1, 5000, false);
        done = udf_unmount(disc.volume) == 0;
        for (unsigned i = 2; i < 4; i++) {
            struct udf_wear after = read_wear(&disc);

            for (uint32_t k = 0; k < before.packets; k++) {
                /* but the last write of a place, known by its being newest */
                assert_true(after.count[k] + 1u >= before.count[k]);
            }
            udf_wear_free(&after);
            use(&disc, i);
        }
        udf_wear_free(&before);
        memdev_free(disc.mem);
    }
}

/* The new packets count from 0, the others go on. */
static void test_ledger_of_a_volume_made_larger(void **state) {
    (void)state;
    struct disc disc = make_disc(NULL);
    const struct blockdev_geometry larger = memdev_cdrw(2 * DISC_BLOCKS);
    struct memdev *small = disc.mem;

    use(&disc, 0);
    struct udf_wear before = read_wear(&disc);
    disc.mem = memdev_new(&larger);
    memcpy(memdev_medium(disc.mem, 0), memdev_medium(small, 0),
           (size_t)DISC_BLOCKS * BLOCK);
    memdev_reboot(disc.mem);
    assert_int_equal(udf_grow(memdev_device(disc.mem)), 0);
    struct udf_wear after = read_wear(&disc);
    assert_int_equal(after.packets, 2 * DISC_BLOCKS / PACKET);
    assert_memory_equal(after.count, before.count,
                        before.packets * sizeof(*before.count));
    use(&disc, 1);
    udf_wear_free(&after);
    after = read_wear(&disc);
    assert_int_equal(after.packets, 2 * DISC_BLOCKS / PACKET);
    assert_true(after.count[ledger_lba(&disc, 0) / PACKET] >=
                before.count[ledger_lba(&disc, 0) / PACKET]);
    udf_wear_free(&after);
    udf_wear_free(&before);
    memdev_free(small);
    memdev_free(disc.mem);
}

static uint32_t hottest_of(struct disc *disc) {
    uint32_t most = 0;

    uint32_t packet = memdev_device(disc->mem)->geometry.packet_blocks;

    for (uint32_t lba = 0; lba < disc->plan.blocks; lba += packet) {
        uint32_t times = memdev_overwrites(disc->mem, lba);

        most = times > most ? times : most;
    }
    return most;
}

/* Writes the file again until a packet was written `times` times. */
static void overwrite(struct disc *disc, uint64_t ino, uint32_t times) {
    for (unsigned i = 0; i < 50000 && hottest_of(disc) < times; i++) {
        write_data(disc, ino, 2100);
        assert_int_equal(udf_commit(disc->volume), 0);
    }
    assert_true(hottest_of(disc) >= times);
}

/* It is no reason not to close a volume, or to hold a commit. */
static void test_ledger_gives_up_bad_packets(void **state) {
    (void)state;
    struct disc disc = make_disc(NULL);

    memdev_fail_write(disc.mem, ledger_lba(&disc, 0));
    memdev_fail_write(disc.mem, ledger_lba(&disc, 1));
    use(&disc, 0);
    mount(&disc);
    overwrite(&disc, put_file(&disc, 1, 2100, true), 200);
    unmount(&disc);
    memdev_free(disc.mem);
}

/* What waited when it was counted, and had to go elsewhere, was never written:
 * no packet was written more often than a mount could have done. */
static void test_ledger_of_what_had_to_move(void **state) {
    (void)state;
    enum { PACKETS = 12, MOST = 20 };

    for (uint32_t i = 0; i < PACKETS; i++) {
        struct disc disc = make_disc(NULL);
        const struct udf_name second = {.text = "f1", .len = 2};
        struct udf_wear_summary summary;
        struct udf_stat stat;
        const uint8_t block[BLOCK] = {1};

        mount(&disc);
        put_file(&disc, 0, 5000, false);
        put_file(&disc, 1, 5000, true);
        unmount(&disc);
        memdev_set_cold(disc.mem, true);
        mount(&disc);
        assert_int_equal(udf_lookup(disc.volume, UDF_ROOT_INO, &second, &stat),
                         0);
        memdev_fail_read(disc.mem, disc.plan.region[UDF_REGION_PARTITION].lba +
                                       i * PACKET);
        (void)udf_write(disc.volume, stat.ino, 0, BLOCK, block);
        (void)udf_unmount(disc.volume);
        memdev_heal(disc.mem);
        memdev_set_cold(disc.mem, false);
        struct udf_wear wear = read_wear(&disc);
        udf_wear_summarise(&wear, &summary);
        assert_in_range(summary.hottest, 1, MOST);
        udf_wear_free(&wear);
        memdev_free(disc.mem);
    }
}

/* A mount that is cut off has saved what was written very often. */
static void test_ledger_is_saved_on_the_way(void **state) {
    (void)state;
    struct disc disc = make_disc(NULL);
    struct udf_wear_summary summary;

    mount(&disc);
    uint64_t ino = put_file(&disc, 0, 2100, true);
    overwrite(&disc, ino, 200);
    memdev_cut_after(disc.mem, 0, false);
    assert_true(udf_write(disc.volume, ino, 0, 1, "y") ||
                udf_unmount(disc.volume));
    struct udf_wear wear = read_wear(&disc);
    udf_wear_summarise(&wear, &summary);
    assert_in_range(summary.hottest, 100, 200);
    udf_wear_free(&wear);
    memdev_free(disc.mem);
}

/* Without memory for it a mount does without the ledger, and goes on with it
 * the next time. */
static void test_ledger_that_cannot_be_loaded(void **state) {
    (void)state;
    struct disc disc = make_disc(NULL);

    use(&disc, 0);
    struct udf_wear before = read_wear(&disc);
    memdev_refuse(disc.mem, ledger_lba(&disc, 1), -ENOMEM);
    use(&disc, 1);
    memdev_heal(disc.mem);
    struct udf_wear after = read_wear(&disc);
    assert_memory_equal(after.count, before.count,
                        before.packets * sizeof(*before.count));
    use(&disc, 2);
    udf_wear_free(&after);
    after = read_wear(&disc);
    assert_memory_not_equal(after.count, before.count,
                            before.packets * sizeof(*before.count));
    udf_wear_free(&after);
    udf_wear_free(&before);
    memdev_free(disc.mem);
}

/* A drive that is gone is an error of the mount, and no loss of the ledger. */
static void test_ledger_of_a_drive_that_is_gone(void **state) {
    (void)state;
    struct disc disc = make_disc(NULL);

    mount(&disc);
    memdev_refuse(disc.mem, ledger_lba(&disc, 1), -ENODEV);
    put_file(&disc, 0, 5000, false);
    assert_int_equal(udf_commit(disc.volume), -ENODEV);
    memdev_heal(disc.mem);
    (void)udf_unmount(disc.volume);
    memdev_free(disc.mem);
}

/* A piece that was not taken is saved later, though nothing was written to its
 * packets since: what is overwritten lies in another piece. */
static void test_ledger_saves_again_what_was_refused(void **state) {
    (void)state;
    enum { BLOCKS = 600000, LENGTH = 16, PIECES = 3, LAST = PIECES - 1 };
    const struct blockdev_geometry geometry = memdev_dvdrw(BLOCKS);
    const uint32_t first = LAST * udf_wear_share(LENGTH);
    struct udf_wear worn;

    assert_int_equal(udf_wear_init(&worn, BLOCKS / LENGTH, LENGTH), 0);
    for (uint32_t i = 0; i < first; i++) {
        udf_wear_add(&worn, i, RATED / 2);
    }
    struct disc disc = make_medium(&geometry, &worn);
    uint32_t lba = disc.plan.region[UDF_REGION_LEDGER].lba;
    memdev_device(disc.mem)->geometry.rated_overwrites = 0; /* so it is near */
    mount(&disc);
    uint64_t ino = put_file(&disc, 0, 2100, true);
    unmount(&disc);
    memdev_device(disc.mem)->geometry.rated_overwrites = RATED;
    mount(&disc);
    put_file(&disc, 1, 10 * LENGTH * BLOCK, true);
    memdev_refuse(disc.mem, lba + LAST * LENGTH, -ENOMEM);
    memdev_refuse(disc.mem, lba + (PIECES + LAST) * LENGTH, -ENOMEM);
    overwrite(&disc, ino, 100);
    memdev_heal(disc.mem);
    unmount(&disc);
    struct udf_wear wear = read_wear(&disc);
    uint32_t far = 0;
    for (uint32_t i = first; i < wear.packets; i++) {
        far += wear.count[i];
    }
    assert_int_equal(far, 10);
    udf_wear_free(&wear);
    udf_wear_free(&worn);
    memdev_free(disc.mem);
}

/* Changes what both descriptors of ours say of the ledger. */
static void damage_place(struct disc *disc, uint32_t by) {
    static const enum udf_region_id sequences[] = {UDF_REGION_MAIN_VDS,
                                                   UDF_REGION_RESERVE_VDS};
    const struct udf_tag_style style = {.version = 3};

    for (size_t i = 0; i < 2; i++) {
        uint32_t lba = disc->plan.region[sequences[i]].lba + 2;
        uint8_t *raw = memdev_medium(disc->mem, lba);
        struct udf_iuvd iuvd;
        struct udf_own own;

        assert_int_equal(udf_decode_iuvd(raw, lba, &iuvd), 0);
        assert_int_equal(udf_own_decode(&iuvd, &own), 0);
        own.ledger_lba += by;
        udf_own_encode(&own, &iuvd);
        iuvd.use[39] ^= by == 0;
        assert_int_equal(udf_encode_iuvd(&iuvd, &style, lba, raw), 0);
    }
}

static void note_fault(void *context, const char *fault) {
    char *faults = context;

    strncat(faults, fault, FAULTS_BYTES - strlen(faults) - 1);
}

/* A volume whose ledger nobody can find has its journal still, and the checker
 * says what is wrong. */
static void test_ledger_without_a_place(void **state) {
    const struct {
        uint32_t by;
        const char *fault;
    } rows[] = {
        {0, "wear ledger: its place is damaged"},
        {1, "wear ledger: its place, 2 packets at sector"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct udf_check_options options = {0};
        struct udf_check_result result;
        struct disc disc = make_disc(NULL);
        struct udf_info info;
        struct udf_wear wear;
        char faults[FAULTS_BYTES] = "";

        damage_place(&disc, rows[i].by);
        memdev_reboot(disc.mem);
        assert_int_equal(udf_read_wear(memdev_device(disc.mem), &wear),
                         -ENOENT);
        mount(&disc);
        udf_get_info(disc.volume, &info);
        assert_true(info.journal_packets > 0);
        assert_int_equal(info.ledger_packets, 0);
        put_file(&disc, 0, 5000, true);
        assert_int_equal(udf_unmount(disc.volume), 0);
        assert_int_equal(udf_check(memdev_device(disc.mem), &options,
                                   note_fault, faults, &result),
                         0);
        assert_int_equal(result.faults, rows[i].by ? 2 : 1);
        assert_non_null(strstr(faults, rows[i].fault));
        memdev_free(disc.mem);
    }
}

static char said[4096];

static void keep_line(void *context, enum mmc_log_level level,
                      const char *line) {
    (void)context;
    (void)level;
    strncat(said, line, sizeof(said) - strlen(said) - 1);
}

/* What a use of a disc says whose packets were written `first` times in the
 * first half of the partition, and `others` times elsewhere; and whether its
 * file went into the second half. */
static bool use_worn(uint16_t first, uint16_t others) {
    struct disc disc = make_disc(NULL);
    const struct udf_region part = disc.plan.region[UDF_REGION_PARTITION];
    struct udf_wear wear;
    bool far = false;

    assert_int_equal(udf_wear_init(&wear, DISC_BLOCKS / PACKET, PACKET), 0);
    for (uint32_t i = 0; i < wear.packets; i++) {
        bool half =
            i * PACKET >= part.lba && i * PACKET < part.lba + part.blocks / 2;

        udf_wear_add(&wear, i, half ? first : others);
    }
    memdev_free(disc.mem);
    disc = make_disc(&wear);
    said[0] = '\0';
    mmc_log_set_sink(keep_line, NULL, MMC_LOG_WARN);
    mount(&disc);
    put_file(&disc, 0, 10 * PACKET * BLOCK, true);
    unmount(&disc);
    mmc_log_set_sink(NULL, NULL, MMC_LOG_WARN);
    for (uint32_t lba = part.lba + part.blocks / 2;
         lba < part.lba + part.blocks; lba += PACKET) {
        far |= memdev_overwrites(disc.mem, lba) > 0;
    }
    memdev_free(disc.mem);
    udf_wear_free(&wear);
    return far;
}

/* Formatting takes the counts over; new files begin where there is less wear,
 * if that makes a difference; and a worn disc is warned of. */
static void test_ledger_spreads_and_warns(void **state) {
    (void)state;
    assert_false(use_worn(RATED / 2, RATED / 2));
    assert_false(use_worn(20, 0));
    assert_string_equal(said, "");
    assert_true(use_worn(RATED / 2, 10));
    assert_string_equal(said, "");
    assert_true(use_worn(RATED, 10));
    assert_non_null(strstr(said, "this disc is worn"));
}

/* A copy of the disc in a file has no packets that wear: its ledger is not
 * taken for that of the file, and stays as it is. */
static void test_ledger_is_not_that_of_an_image(void **state) {
    (void)state;
    const struct blockdev_geometry geometry = memdev_image(DISC_BLOCKS);
    struct disc disc = make_disc(NULL);
    struct disc copy = {.mem = memdev_new(&geometry), .plan = disc.plan};
    const uint8_t *ledger = memdev_medium(disc.mem, ledger_lba(&disc, 0));
    struct udf_wear wear;

    use(&disc, 0);
    memcpy(memdev_medium(copy.mem, 0), memdev_medium(disc.mem, 0),
           (size_t)DISC_BLOCKS * BLOCK);
    memdev_reboot(copy.mem);
    assert_int_equal(udf_read_wear(memdev_device(copy.mem), &wear), -ENOENT);
    use(&copy, 1);
    assert_memory_equal(memdev_medium(copy.mem, ledger_lba(&disc, 0)), ledger,
                        2 * PACKET * BLOCK);
    memdev_free(copy.mem);
    memdev_free(disc.mem);
}

/* Media that do not wear have none. */
static void test_ledger_is_not_on_every_medium(void **state) {
    (void)state;
    const struct blockdev_geometry geometry = memdev_image(DISC_BLOCKS);
    const struct udf_format_options how = {.label = "None", .seed = 3};
    struct memdev *mem = memdev_new(&geometry);
    struct udf_wear wear;

    assert_int_equal(udf_format(memdev_device(mem), &how), 0);
    assert_int_equal(udf_read_wear(memdev_device(mem), &wear), -ENOENT);
    memdev_free(mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger_counts_over_many_mounts),
        cmocka_unit_test(test_ledger_of_other_media),
        cmocka_unit_test(test_ledger_that_cannot_be_loaded),
        cmocka_unit_test(test_ledger_of_a_drive_that_is_gone),
        cmocka_unit_test(test_ledger_saves_again_what_was_refused),
        cmocka_unit_test(test_ledger_without_a_place),
        cmocka_unit_test(test_ledger_survives_a_torn_place),
        cmocka_unit_test(test_ledger_survives_every_cut),
        cmocka_unit_test(test_ledger_of_a_volume_made_larger),
        cmocka_unit_test(test_ledger_gives_up_bad_packets),
        cmocka_unit_test(test_ledger_of_what_had_to_move),
        cmocka_unit_test(test_ledger_is_saved_on_the_way),
        cmocka_unit_test(test_ledger_spreads_and_warns),
        cmocka_unit_test(test_ledger_is_not_that_of_an_image),
        cmocka_unit_test(test_ledger_is_not_on_every_medium),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
