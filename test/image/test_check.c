/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test_check.c - the checker on volumes of another maker: clean ones have no
 * fault, and damages of what lies outside of the partition are found.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/support/damage.h"

/* ---- clean volumes
 * ----------------------------------------------------------- */

static void test_check_clean_volumes_of_mkudffs(void **state) {
    const struct {
        const char *options;
        uint16_t revision;
    } kinds[] = {
        {"-m hd -r 1.02", 0x0102},
        {"-m hd -r 1.50", 0x0150},
        {"-m hd -r 2.00", 0x0200},
        {"-m hd -r 2.01", 0x0201},
        {"-m dvdram -r 2.01", 0x0201},
        {"-m cdrw -r 2.01", 0x0201},
        {"-m dvdrw -r 2.01", 0x0201},
        {"-m hd -r 2.01 --ad=long", 0x0201},
        {"-m hd -r 2.01 --ad=short", 0x0201},
        {"-m hd -r 2.01 --noefe", 0x0201},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        struct damage *disc = damage_make(kinds[i].options, false);

        damage_expect_clean(disc, kinds[i].revision, 0, 1);
        disc->cold = true;
        damage_expect_clean(disc, kinds[i].revision, 0, 1);
        damage_free(disc);
    }
}

/* mkudffs gives the FID of "Non-Allocatable Space" a UniqueID, in bytes that
 * UDF 1.50 reserves: the one rule that it breaks. */
static void test_check_old_sparable_volume(void **state) {
    (void)state;
    damage_expect_fault(damage_make("-m cdrw -r 1.50", false),
                        "(UDF 1.50 2.3.4.3)");
}

static void test_check_space_table(void **state) {
    struct damage *disc =
        damage_make("-m hd -r 2.01 --space=unalloctable", false);

    (void)state;
    damage_expect_clean(disc, 0x0201, 0, 1);
    damage_free(disc);
}

static void test_check_no_volume(void **state) {
    struct udf_check_options options = {0};
    struct udf_check_result result = {.faults = 77};
    struct damage *disc = damage_new(DAMAGE_BLOCKS);

    (void)state;
    assert_int_equal(udf_check(&disc->dev, &options, NULL, NULL, &result),
                     -EMEDIUMTYPE);
    disc->dev.geometry.blocks = 1;
    assert_int_equal(udf_check(&disc->dev, &options, NULL, NULL, &result),
                     -EMEDIUMTYPE);
    disc->dev.geometry.blocks = 0;
    assert_int_equal(udf_check(&disc->dev, &options, NULL, NULL, &result),
                     -EMEDIUMTYPE);
    assert_int_equal(result.faults, 77);
    disc->dev.geometry.blocks = DAMAGE_BLOCKS;
    damage_free(disc);
}

static void test_check_filled_volume(void **state) {
    (void)state;
    damage_expect_clean(*state, 0x0201, 158, 4);
}

/* ---- damaged volume structures
 * ------------------------------------------------ */

static void test_check_finds_volume_damage(void **state) {
    const struct {
        enum udf_tag_id id;
        uint32_t offset;
        uint8_t value;
        const char *text;
    } damages[] = {
        {UDF_TAG_PVD, 24 + 2, 'x', "primary descriptor"},
        {UDF_TAG_PVD, 0, UDF_TAG_IUVD, "no primary volume descriptor"},
        {UDF_TAG_LVD, 0, UDF_TAG_IUVD, "no logical volume descriptor"},
        {UDF_TAG_PD, 0, UDF_TAG_IUVD, "no partition descriptor"},
        {UDF_TAG_PD, 20, 0, "not marked allocated"},
        {UDF_TAG_PD, 24 + 6, '9', "contents"},
        {UDF_TAG_PD, 184, 7, "access type 7"},
        {UDF_TAG_PD, 190, 0x40, "beyond the medium"},
        {UDF_TAG_PD, 194, 0x40, "beyond the medium"},
        {UDF_TAG_LVD, 84 + 2, 'x', "label"},
        {UDF_TAG_LVD, 216 + 2, 'x', "domain"},
        {UDF_TAG_LVD, 240, 0x50, "revision"},
        {UDF_TAG_LVD, 249, 0, "file set: extent"},
        {UDF_TAG_LVD, 252, 200, "file set"},
        {UDF_TAG_LVD, 433, 0x10, "integrity sequence"},
        {UDF_TAG_LVD, 436, 0, "LVID"},
        {UDF_TAG_LVD, 444, 5, "no partition 5"},
        {UDF_TAG_IUVD, 20 + 3, 'x', "LV Info"},
        {UDF_TAG_IUVD, 52 + 64 + 2, 'x', "LV Info: label"},
        {UDF_TAG_USD, 0, UDF_TAG_IUVD, "unallocated space descriptor"},
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        struct damage *disc = damage_copy(*state);

        damage_both(disc, damages[i].id, damages[i].offset, damages[i].value);
        damage_expect_fault(disc, damages[i].text);
    }
}

static void test_check_finds_recognition_damage(void **state) {
    struct damage *disc = damage_copy(*state);

    damage_at(disc, 17)[5] = '2';
    damage_expect_fault(disc, "NSR02");
    disc = damage_copy(*state);
    memset(damage_at(disc, 17), 0, UDF_BLOCK_BYTES);
    damage_expect_fault(disc, "recognition sequence: no BEA01");
    disc = damage_copy(*state);
    damage_at(disc, 16)[100] = 1;
    damage_expect_fault(disc, "sector 16");
    disc = damage_copy(*state);
    damage_at(disc, 19)[100] = 1;
    damage_expect_fault(disc, "not empty");
}

static void test_check_finds_anchor_damage(void **state) {
    struct damage *disc = damage_copy(*state);

    memset(damage_at(disc, DAMAGE_BLOCKS - 1), 0, UDF_BLOCK_BYTES);
    memset(damage_at(disc, DAMAGE_BLOCKS - 257), 0, UDF_BLOCK_BYTES);
    damage_expect_fault(disc, "only one anchor");
    disc = damage_copy(*state);
    damage_at(disc, DAMAGE_BLOCKS - 1)[20] ^= 1;
    damage_reseal(damage_at(disc, DAMAGE_BLOCKS - 1));
    damage_expect_fault(disc, "differs from the one before");
}

static void test_check_finds_sequence_damage(void **state) {
    struct damage *disc = damage_copy(*state);
    uint8_t *desc = damage_find(disc, UDF_TAG_PVD, 0);

    desc[30] ^= 1;
    damage_expect_fault(disc, "main sequence at");
    disc = damage_copy(*state);
    desc = damage_find(disc, UDF_TAG_PVD, 0);
    desc[30] ^= 1;
    damage_reseal(desc);
    damage_expect_fault(disc, "differs from its reserve");
    disc = damage_copy(*state);
    memset(damage_find(disc, UDF_TAG_TD, 0), 0, UDF_BLOCK_BYTES);
    damage_expect_fault(disc, "no terminating descriptor");
    disc = damage_copy(*state);
    disc->bad_lba =
        (uint32_t)((size_t)(damage_find(disc, UDF_TAG_LVD, 0) - disc->bytes) /
                   UDF_BLOCK_BYTES);
    damage_expect_fault(disc, "cannot be read");
}

static void test_check_finds_lvid_damage(void **state) {
    const struct {
        uint32_t offset;
        uint8_t value;
        const char *text;
    } damages[] = {
        {28, 0, "marked open"},
        {40, 17, "next UniqueID is"},
        {72, 2, "LVID"},
        {80, 1, "blocks free"},
        {84, 1, "LVID: size"},
        {88 + 32, 1, "files"},
        {88 + 36, 1, "directories"},
        {88 + 40, 0x50, "revision"},
        {88 + 42, 0, "LVID: revisions"},
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        struct damage *disc = damage_copy(*state);
        uint8_t *lvid = damage_find(disc, UDF_TAG_LVID, 0);

        /* The last of the run prevails. */
        while (damage_get16(lvid + UDF_BLOCK_BYTES) == UDF_TAG_LVID) {
            lvid += UDF_BLOCK_BYTES;
        }
        lvid[damages[i].offset] = damages[i].value;
        damage_reseal(lvid);
        damage_expect_fault(disc, damages[i].text);
    }
}

static void test_check_allows_open_volume(void **state) {
    struct damage_report *report = calloc(1, sizeof(*report));
    struct damage *disc = damage_copy(*state);
    uint8_t *lvid = damage_find(disc, UDF_TAG_LVID, 0);

    assert_non_null(report);
    while (damage_get16(lvid + UDF_BLOCK_BYTES) == UDF_TAG_LVID) {
        lvid += UDF_BLOCK_BYTES;
    }
    lvid[28] = 0; /* open: its counts do not hold */
    damage_put32(lvid + 80, 1);
    damage_put32(lvid + 88 + 32, 9999);
    damage_reseal(lvid);
    assert_int_equal(damage_check(disc, true, report).faults, 0);
    assert_true(damage_check(disc, false, report).faults > 0);
    free(report);
    damage_free(disc);
}

/* One byte of the sparable map in both sequences. */
static void test_check_finds_sparable_map_damage(void **state) {
    const struct {
        uint32_t offset;
        uint8_t value;
        const char *text;
    } damages[] = {
        {440 + 28, 0x50, "partition map 0: revision"},
        {440 + 40, 8, "packet length 8"},
        {440 + 40, 33, "packet length 33"},
        {440 + 42, 1, "only 1 sparing tables"},
        {440 + 45, 0, "malformed"}, /* size of a table */
        {440 + 48, 161, "sparing table at"},
        {440 + 53, 0, "two sparing tables in one packet"},
        {440 + 54, 0x77, "cannot be read"},
    };
    struct damage *clean = damage_make("-m cdrw -r 2.01", false);

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        struct damage *disc = damage_copy(clean);

        damage_both(disc, UDF_TAG_LVD, damages[i].offset, damages[i].value);
        if (damages[i].offset == 440 + 53) { /* both at sector 160 */
            damage_both(disc, UDF_TAG_LVD, 440 + 52, 160);
        }
        damage_expect_fault(disc, damages[i].text);
    }
    damage_both(clean, UDF_TAG_PD, 192, 0x21); /* no whole packets */
    damage_expect_fault(clean, "not whole packets");
}

/* A sequence that goes on elsewhere is followed, but not for ever. */
static void test_check_follows_volume_pointers(void **state) {
    for (int endless = 0; endless < 2; endless++) {
        struct damage *disc = damage_copy(*state);

        for (int i = 0; i < 2; i++) {
            uint8_t *usd = damage_find(disc, UDF_TAG_USD, 0);
            uint32_t lba = damage_get32(usd + 12);
            uint8_t *moved = damage_at(disc, 24 + 4 * (uint32_t)i);

            /* The rest of the sequence, moved to where nothing is. */
            memcpy(moved, usd, 4 * UDF_BLOCK_BYTES);
            for (uint32_t k = 0; k < 3; k++) {
                damage_put32(moved + k * UDF_BLOCK_BYTES + 12,
                             24 + 4 * (uint32_t)i + k);
                damage_reseal(moved + k * UDF_BLOCK_BYTES);
            }
            memset(usd + 16, 0, UDF_BLOCK_BYTES - 16);
            usd[0] = UDF_TAG_VDP;
            usd[10] = 16;
            usd[11] = 0;
            damage_put32(usd + 20, 4 * UDF_BLOCK_BYTES);
            damage_put32(usd + 24, endless ? lba : 24 + 4 * (uint32_t)i);
            damage_reseal(usd);
        }
        if (endless) {
            damage_expect_fault(disc, "pointers without end");
        } else {
            damage_expect_clean(disc, 0x0201, 158, 4);
            damage_free(disc);
        }
    }
}

static void test_check_finds_sparing_damage(void **state) {
    struct damage *clean = damage_make("-m cdrw -r 2.01", false);
    struct damage *disc = damage_copy(clean);
    const uint32_t lba[] = {160, DAMAGE_BLOCKS - 32};
    uint8_t *table;

    (void)state;
    table = damage_find(disc, UDF_TAG_LVD, 0) + 440;
    assert_int_equal(table[42], 2);
    assert_int_equal(damage_get32(table + 48), lba[0]);
    table = damage_at(disc, lba[0]);
    damage_put32(table + 56, 32);
    damage_reseal(table);
    damage_expect_fault(disc, "differs from the first");
    disc = damage_copy(clean);
    damage_at(disc, lba[0])[60]++;
    damage_expect_fault(disc, "tag checksum");
    for (int i = 0; i < 5; i++) {
        const char *texts[] = {"is no packet", "out of order", "is reserved",
                               "does not begin a packet", "overlaps"};
        uint32_t start = damage_get32(damage_find(clean, UDF_TAG_PD, 0) + 188);

        disc = damage_copy(clean);
        for (uint32_t k = 0; k < 2; k++) {
            uint32_t at_lba = damage_get32(damage_find(disc, UDF_TAG_LVD, 0) +
                                           440 + 48 + 4 * k);

            table = damage_at(disc, at_lba);
            damage_put32(table + 56, i == 0 ? 33 : i == 2 ? 0xFFFFFFF5u : 64);
            damage_put32(table + 64, i == 1 ? 32 : 0xFFFFFFFFu);
            if (i >= 3) { /* a spare within a packet, two at one place */
                damage_put32(table + 60,
                             i == 3 ? 289 : damage_get32(table + 68));
            }
            damage_reseal(table);
        }
        assert_true(start > 1000);
        damage_expect_fault(disc, texts[i]);
    }
    damage_free(clean);
}

static int make_filled(void **state) {
    *state = damage_make("-m hd -r 2.01", true);
    return 0;
}

static int drop_filled(void **state) {
    damage_free(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_clean_volumes_of_mkudffs),
        cmocka_unit_test(test_check_old_sparable_volume),
        cmocka_unit_test(test_check_space_table),
        cmocka_unit_test(test_check_no_volume),
        cmocka_unit_test(test_check_filled_volume),
        cmocka_unit_test(test_check_finds_volume_damage),
        cmocka_unit_test(test_check_finds_recognition_damage),
        cmocka_unit_test(test_check_finds_anchor_damage),
        cmocka_unit_test(test_check_finds_sequence_damage),
        cmocka_unit_test(test_check_finds_lvid_damage),
        cmocka_unit_test(test_check_allows_open_volume),
        cmocka_unit_test(test_check_finds_sparable_map_damage),
        cmocka_unit_test(test_check_follows_volume_pointers),
        cmocka_unit_test(test_check_finds_sparing_damage),
    };

    return cmocka_run_group_tests(tests, make_filled, drop_filled);
}
