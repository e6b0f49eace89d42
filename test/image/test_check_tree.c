/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test_check_tree.c - the checker on damaged files and directories, and on
 * volumes that mean harm.
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
#include "udf/fid.h"

enum { MUTANTS = 4000 }; /* UDFPKT_MUTANTS sets another number */

/* ---- damaged files
 * -------------------------------------------------------------- */

static void test_check_finds_bitmap_damage(void **state) {
    struct damage *disc = damage_copy(*state);
    uint8_t *map = damage_find(disc, UDF_TAG_SBD, 0) + 24;
    uint32_t lbn = damage_get32(damage_find_fid(disc, "big") + FID_ICB_LBN);

    map[lbn / 8] = (uint8_t)(map[lbn / 8] | 1u << (lbn % 8));
    damage_expect_fault(disc, "in use, but marked free");
    disc = damage_copy(*state);
    map = damage_find(disc, UDF_TAG_SBD, 0) + 24;
    for (lbn = 0; !(map[lbn / 8] >> (lbn % 8) & 1); lbn++) {
    }
    map[lbn / 8] = (uint8_t)(map[lbn / 8] & ~(1u << (lbn % 8)));
    damage_expect_fault(disc, "nothing uses them");
    disc = damage_copy(*state);
    map = damage_find(disc, UDF_TAG_SBD, 0);
    map[16]--;
    map[11] = map[10] = map[9] = map[8] = 0; /* no CRC */
    damage_reseal(map);
    damage_expect_fault(disc, "bits and bytes");
}

static void test_check_finds_file_set_damage(void **state) {
    struct damage *disc = damage_copy(*state);
    uint8_t *fsd = damage_find(disc, UDF_TAG_FSD, 0);

    fsd[112 + 2] = 'x';
    damage_reseal(fsd);
    damage_expect_fault(disc, "file set: label");
    disc = damage_copy(*state);
    damage_find(disc, UDF_TAG_FSD, 0)[200] ^= 1;
    damage_expect_fault(disc, "file set at");
    disc = damage_copy(*state);
    fsd = damage_find(disc, UDF_TAG_FSD, 0);
    damage_put32(fsd + 404, 0x7FFFFFFF);
    damage_reseal(fsd);
    damage_expect_fault(disc, "no such block");
}

/* One field of the file entry of "big": what it becomes, what is found. */
static void test_check_finds_file_entry_damage(void **state) {
    const struct {
        uint32_t offset;
        uint32_t value;
        const char *text;
    } damages[] = {
        {12, 12345, "tag says location"},
        {FE_TYPE - 3, 0x04000001u, "directory bit"},
        {FE_TYPE - 3, 0xFF000001u, "file type 255"},
        {FE_FLAGS, 0x00000022u, "form 2"},
        {FE_FLAGS, 0x00002000u, "STREAM flag"},
        {FE_FLAGS, 0x00008020u, "ICB flags"},
        {FE_LINKS, 3, "link count 3, counted 2"},
        {EFE_INFO, 100001, "extents hold 100000 bytes"},
        {EFE_INFO, 99999, "more than the information length"},
        {EFE_OBJECT, 5, "object size"},
        {EFE_RECORDED, 5, "blocks recorded"},
        {EFE_MTIME, 0x07D00000u, "timestamp"},
        {EFE_MTIME + 4, 0x0000010Du, "timestamp"},
        {EFE_UNIQUE_ID, 3, "UniqueID 3"},
        {EFE_UNIQUE_ID, 5000, "next UniqueID"},
        {EFE_EA_BYTES + 4, 4000, "lengths do not fit"},
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        struct damage *disc = damage_copy(*state);
        uint8_t *fe = damage_find_fe(disc, "big");

        assert_int_equal(damage_get16(fe), UDF_TAG_EFE);
        damage_put32(fe + damages[i].offset, damages[i].value);
        damage_reseal(fe);
        damage_expect_fault(disc, damages[i].text);
    }
}

static void test_check_finds_extent_damage(void **state) {
    uint32_t fsd_lbn = damage_get32(damage_find(*state, UDF_TAG_LVD, 0) + 252);
    const struct {
        uint32_t length, lbn;
        const char *text;
    } damages[] = {
        {100000, 0x00FFFFFF, "do not fit in the partition"},
        {100000, fsd_lbn, "used by something else"},
        {0x80000000u | 100000, 77, "hole with an address"},
        {0x40000000u | 100000, 0, "blocks recorded"},
        {2047, 0, "extents hold 2047 bytes"},
        {0xC0000000u | 2048, fsd_lbn, "used by something else"},
        {0xC0000000u | 4096, 0, "continuation of 4096"},
        {0, 0, "extents hold 0 bytes"},
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        struct damage *disc = damage_copy(*state);
        uint8_t *fe = damage_find_fe(disc, "big");

        damage_put32(damage_ads_of(fe), damages[i].length);
        if (damages[i].lbn) {
            damage_put32(damage_ads_of(fe) + 4, damages[i].lbn);
        }
        damage_reseal(fe);
        damage_expect_fault(disc, damages[i].text);
    }
}

static void test_check_finds_two_ids(void **state) {
    struct damage *disc = damage_copy(*state);
    uint8_t *fe = damage_find_fe(disc, "big");

    damage_put32(fe + EFE_UNIQUE_ID,
                 damage_get32(damage_find_fe(disc, "small") + EFE_UNIQUE_ID));
    damage_reseal(fe);
    damage_expect_fault(disc, "is another's");
    disc = damage_copy(*state);
    fe = damage_find_fid(disc, "link");
    damage_put32(fe + FID_UNIQUE_ID,
                 damage_get32(damage_find_fe(disc, "small") + EFE_UNIQUE_ID));
    damage_reseal_fid(disc, fe);
    damage_expect_fault(disc, "of a FID is another's");
}

static void test_check_finds_fid_damage(void **state) {
    uint32_t dir_lbn =
        damage_get32(damage_find_fid(*state, "dir") + FID_ICB_LBN);
    const struct {
        const char *name;
        uint32_t offset;
        uint32_t value;
        const char *text;
    } damages[] = {
        {"small", FID_VERSION, 0x06000002u, "file version"},
        {"small", FID_NAME, 0x616D7308u, NULL}, /* as it is */
        {"small", FID_NAME, 0x616D7307u, "no OSTA compressed unicode"},
        {"small", FID_UNIQUE_ID, 5, "UniqueID is not its file entry's"},
        {"small", FID_ICB, 100, "is not one block"},
        {"small", FID_ICB_LBN, 0x7FFFFFFF, "no such block"},
        {"sub", FID_ICB_LBN, 0, "file entry at 0"},
        {"sub", FID_ICB_LBN, dir_lbn, "has a name already"},
        {"sub", FID_VERSION, 0x04000001u, "directory bit"},
        {"sub", FID_VERSION, 0x04220001u, "characteristics"},
        {"small", 12, 4, "tag says location"},
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        struct damage *disc = damage_copy(*state);
        uint8_t *fid = damage_find_fid(disc, damages[i].name);

        damage_put32(fid + damages[i].offset, damages[i].value);
        damage_reseal_fid(disc, fid);
        if (damages[i].text) {
            damage_expect_fault(disc, damages[i].text);
        } else {
            damage_expect_clean(disc, 0x0201, 158, 4);
            damage_free(disc);
        }
    }
}

static void test_check_finds_directory_damage(void **state) {
    struct damage *disc = damage_copy(*state);
    uint8_t *fid = damage_find_fid(disc, "small");

    fid[FID_NAME + 3] ^= 1;
    if (damage_get16(damage_find_fe(disc, "sub") + FE_FLAGS) % 8 ==
        UDF_AD_EMBEDDED) {
        damage_reseal(damage_find_fe(disc, "sub"));
    }
    damage_expect_fault(disc, "tag or lengths are wrong");
    disc = damage_copy(*state);
    fid = damage_find_fid(disc, "fifo"); /* 38 + 5: one byte of padding */
    fid[FID_NAME + 5] = 1;
    damage_reseal_fid(disc, fid);
    damage_expect_fault(disc, "padding");
    disc = damage_copy(*state);
    fid = damage_find_fid(disc, "a name of some length 11");
    fid[FID_NAME + 24] = '0';
    damage_reseal_fid(disc, fid);
    damage_expect_fault(disc, "there twice");
    disc = damage_copy(*state);
    fid = damage_find_fid(disc, "small");
    fid[FID_FLAGS] |= UDF_FID_PARENT;
    damage_reseal_fid(disc, fid);
    damage_expect_fault(disc, "parent entry comes first");
    disc = damage_copy(*state);
    fid = damage_find_fid(disc, "small");
    fid[FID_FLAGS] |= UDF_FID_DELETED; /* its file is lost now */
    damage_reseal_fid(disc, fid);
    damage_expect_fault(disc, "nothing uses them");
}

static void test_check_finds_parent_damage(void **state) {
    struct damage *disc = damage_copy(*state);
    uint8_t *fe = damage_find_fe(disc, "sub");
    uint8_t *fid = damage_ads_of(fe);

    if (damage_get16(fe + FE_FLAGS) % 8 != UDF_AD_EMBEDDED) {
        fid = damage_at(disc, damage_partition(disc) +
                                  damage_get32(damage_ads_of(fe) + 4));
    }
    assert_int_equal(damage_get16(fid), UDF_TAG_FID);
    damage_put32(fid + FID_ICB_LBN, damage_get32(fid + FID_ICB_LBN) + 1);
    damage_reseal_fid(disc, fid);
    damage_expect_fault(disc, "names another directory");
}

static void test_check_finds_chain_damage(void **state) {
    const struct {
        uint32_t offset, value;
        const char *text;
    } damages[] = {
        {12, 4, "tag says location"},
        {16, 99, "is the one before it"},
        {20, 0xFFFFFFF0u, "malformed"},
        {20, 33, "no whole number"},
        {24, 0, "extents hold"},
        {24, 0xC0000800u, "used by something else"},
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        struct damage *disc = damage_copy(*state);
        uint8_t *aed = damage_find(disc, UDF_TAG_AED, 0);

        damage_put32(aed + damages[i].offset, damages[i].value);
        if (i == 5) { /* a list that goes round */
            damage_put32(aed + 28, damage_get32(aed + 12));
        }
        damage_reseal(aed);
        damage_expect_fault(disc, damages[i].text);
    }
}

static void test_check_finds_attribute_damage(void **state) {
    const struct {
        uint32_t offset, value;
        const char *text;
    } damages[] = {
        {0, 0x00030100u, "extended attribute header"},
        {24, 13, "without a device specification"},
        {28, 2, "malformed"},
        {32, 8, "malformed"},
        {32, 0xFFFFFFFCu, "malformed"},
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        struct damage *disc = damage_copy(*state);
        uint8_t *fe = damage_find_fe(disc, "device");

        assert_true(damage_get32(fe + EFE_EA_BYTES) >= 48);
        damage_put32(fe + EFE_ADS + damages[i].offset, damages[i].value);
        damage_reseal(fe);
        damage_expect_fault(disc, damages[i].text);
    }
}

static void test_check_finds_symlink_damage(void **state) {
    const uint32_t values[] = {0x0200u, 0xFF05u, 0x010205u, 0x0103u, 0x0006u};

    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        struct damage *disc = damage_copy(*state);
        uint8_t *fe = damage_find_fe(disc, "symlink");

        damage_put32(damage_ads_of(fe), values[i]);
        damage_reseal(fe);
        damage_expect_fault(disc, "symbolic link is no path");
    }
}

/* ---- streams ---------------------------------------------------------------
 */

enum { STREAM_BYTES = 10 };

/* Takes a free block of the partition in bitmap and LVID. */
static uint32_t take_block(struct damage *disc) {
    uint8_t *map = damage_find(disc, UDF_TAG_SBD, 0) + 24;
    uint8_t *lvid = damage_find(disc, UDF_TAG_LVID, 0);
    uint32_t lbn = 0;

    while (!(map[lbn / 8] >> (lbn % 8) & 1)) {
        lbn++;
    }
    map[lbn / 8] = (uint8_t)(map[lbn / 8] & ~(1u << (lbn % 8)));
    while (damage_get16(lvid + UDF_BLOCK_BYTES) == UDF_TAG_LVID) {
        lvid += UDF_BLOCK_BYTES;
    }
    damage_put32(lvid + 80, damage_get32(lvid + 80) - 1);
    damage_reseal(lvid);
    return lbn;
}

/* Makes a file entry at `lbn` out of the one at `like`, with embedded data. */
static uint8_t *put_fe(struct damage *disc, uint32_t lbn, const uint8_t *like,
                       uint8_t type, uint32_t bytes) {
    uint8_t *fe = damage_at(disc, damage_partition(disc) + lbn);

    memcpy(fe, like, UDF_EFE_BYTES);
    memset(fe + EFE_ADS, 0, UDF_BLOCK_BYTES - EFE_ADS);
    damage_put32(fe + 12, lbn);
    fe[FE_TYPE] = type;
    fe[FE_FLAGS] = UDF_AD_EMBEDDED;
    fe[FE_LINKS] = 0;
    memset(fe + EFE_INFO, 0, 24); /* object size and blocks as well */
    damage_put32(fe + EFE_INFO, bytes);
    damage_put32(fe + EFE_OBJECT, bytes);
    memset(fe + EFE_STREAM_ICB, 0, 16);
    damage_put32(fe + EFE_EA_BYTES, 0);
    damage_put32(fe + EFE_EA_BYTES + 4, bytes);
    fe[10] = (uint8_t)(UDF_EFE_BYTES + bytes - 16);
    fe[11] = (uint8_t)((UDF_EFE_BYTES + bytes - 16) >> 8);
    return fe;
}

/* Gives "big" a stream directory with one stream. Returns the entry of the
 * stream directory. */
static uint8_t *add_stream(struct damage *disc) {
    const struct udf_tag_style style = {.version = 3, .serial = 1};
    uint32_t dir_lbn = take_block(disc), stream_lbn = take_block(disc);
    uint8_t *fe = damage_find_fe(disc, "big");
    uint32_t fe_lbn = damage_get32(fe + 12);
    uint32_t id = damage_get32(fe + EFE_UNIQUE_ID);
    uint8_t *dir = put_fe(disc, dir_lbn, fe, UDF_FILE_STREAM_DIRECTORY, 84);
    uint8_t *stream =
        put_fe(disc, stream_lbn, fe, UDF_FILE_REGULAR, STREAM_BYTES);
    struct udf_fid fid = {
        .characteristics = UDF_FID_PARENT | UDF_FID_DIRECTORY,
        .icb = {.bytes = UDF_BLOCK_BYTES, .addr.lbn = fe_lbn, .unique_id = id},
    };

    udf_fid_encode(&fid, &style, dir_lbn, dir + EFE_ADS);
    fid.characteristics = 0;
    fid.icb.addr.lbn = stream_lbn;
    fid.name = (const uint8_t *)"\010abc";
    fid.name_bytes = 4;
    udf_fid_encode(&fid, &style, dir_lbn, dir + EFE_ADS + 40);
    stream[FE_FLAGS + 1] = UDF_ICB_STREAM >> 8;
    stream[FE_LINKS] = 1;
    damage_put32(fe + EFE_STREAM_ICB, UDF_BLOCK_BYTES);
    damage_put32(fe + EFE_STREAM_ICB + 4, dir_lbn);
    damage_put32(fe + EFE_OBJECT, damage_get32(fe + EFE_INFO) + STREAM_BYTES);
    damage_reseal(stream);
    damage_reseal(dir);
    damage_reseal(fe);
    return dir;
}

static void test_check_follows_streams(void **state) {
    struct damage *disc = damage_copy(*state);

    add_stream(disc);
    damage_expect_clean(disc, 0x0201, 158, 4);
    damage_free(disc);
}

static void test_check_finds_stream_damage(void **state) {
    const struct {
        uint32_t offset, value;
        const char *text;
    } damages[] = {
        {FE_LINKS, 1, "link count 1, counted 0"},
        {FE_FLAGS, 0x00002003u, "STREAM flag"},
        {FE_TYPE - 3, 0x04000001u, "file type 4"},
        {EFE_UNIQUE_ID, 17, "UniqueID 17, not"},
        {EFE_STREAM_ICB, UDF_BLOCK_BYTES, "streams or attributes of a stream"},
        {EFE_ADS + FID_ICB_LBN, 1, "names another directory"},
        {EFE_ADS + 40 + FID_UNIQUE_ID, 1, "UniqueID is not its file entry's"},
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        struct damage *disc = damage_copy(*state);
        uint8_t *dir = add_stream(disc);

        damage_put32(dir + damages[i].offset, damages[i].value);
        damage_reseal(dir + EFE_ADS);
        damage_reseal(dir + EFE_ADS + 40);
        damage_reseal(dir);
        damage_expect_fault(disc, damages[i].text);
    }
}

/* ---- what cannot be read
 * ----------------------------------------------------- */

static void test_check_unreadable_file_entry(void **state) {
    struct damage *disc = damage_copy(*state);

    disc->bad_lba =
        (uint32_t)((size_t)(damage_find_fe(disc, "sub") - disc->bytes) /
                   UDF_BLOCK_BYTES);
    damage_expect_fault(disc, "cannot be read");
}

/* ---- hostile volumes
 * --------------------------------------------------------------- */

static uint32_t next_random(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* Offsets of everything that is not zero, in whole descriptors. */
static uint32_t list_blocks(struct damage *disc, uint32_t *list) {
    uint32_t count = 0;

    for (uint32_t lba = 0; lba < DAMAGE_BLOCKS; lba++) {
        const uint8_t *raw = damage_at(disc, lba);

        if (lba >= 16 && lba < 20) {
            continue;
        }
        if (damage_get16(raw) <= UDF_TAG_EFE && damage_get32(raw + 4) != 0) {
            list[count++] = lba;
        }
    }
    return count;
}

static void mutate(uint8_t *block, uint64_t *seed) {
    const uint32_t values[] = {0, 1, 2048, 0x3FFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF};
    uint32_t offset =
        next_random(seed) % (next_random(seed) % 4 ? 256 : UDF_BLOCK_BYTES - 4);

    if (next_random(seed) % 2) {
        block[offset] = (uint8_t)next_random(seed);
    } else {
        damage_put32(block + offset / 4 * 4,
                     next_random(seed) % 2 ? values[next_random(seed) % 6]
                                           : next_random(seed) % DAMAGE_BLOCKS);
    }
    /* Mostly with a good CRC, or nothing behind the tag would be reached. A
     * length that the mutation made too long is left to be refused. */
    if (next_random(seed) % 8 &&
        damage_get16(block + 10) <= UDF_BLOCK_BYTES - 16) {
        damage_reseal(block);
    }
}

/* Thousands of small damages: no crash, no endless walk, whatever is said. */
static void test_check_survives_mutants(void **state) {
    struct damage *disc = damage_copy(*state);
    struct udf_check_options options = {0};
    uint32_t *list = calloc(DAMAGE_BLOCKS, sizeof(*list));
    uint32_t count, found = 0;
    uint64_t seed = 2024;
    const char *wanted = getenv("UDFPKT_MUTANTS");
    uint32_t mutants = wanted ? (uint32_t)strtoul(wanted, NULL, 10) : MUTANTS;

    assert_non_null(list);
    count = list_blocks(disc, list);
    assert_true(count > 100);
    for (uint32_t i = 0; i < mutants; i++) {
        uint8_t before[3][UDF_BLOCK_BYTES];
        uint32_t lba[3], changes = 1 + next_random(&seed) % 3;
        struct udf_check_result result = {0};

        for (uint32_t k = 0; k < changes; k++) {
            lba[k] = list[next_random(&seed) % count];
            memcpy(before[k], damage_at(disc, lba[k]), UDF_BLOCK_BYTES);
            mutate(damage_at(disc, lba[k]), &seed);
        }
        if (udf_check(&disc->dev, &options, NULL, NULL, &result) == 0) {
            found += result.faults > 0;
        }
        for (uint32_t k = changes; k-- > 0;) {
            memcpy(damage_at(disc, lba[k]), before[k], UDF_BLOCK_BYTES);
        }
    }
    assert_true(found > mutants / 3);
    damage_expect_clean(disc, 0x0201, 158, 4);
    free(list);
    damage_free(disc);
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
        cmocka_unit_test(test_check_finds_bitmap_damage),
        cmocka_unit_test(test_check_finds_file_set_damage),
        cmocka_unit_test(test_check_finds_file_entry_damage),
        cmocka_unit_test(test_check_finds_extent_damage),
        cmocka_unit_test(test_check_finds_two_ids),
        cmocka_unit_test(test_check_finds_fid_damage),
        cmocka_unit_test(test_check_finds_directory_damage),
        cmocka_unit_test(test_check_finds_parent_damage),
        cmocka_unit_test(test_check_finds_chain_damage),
        cmocka_unit_test(test_check_finds_attribute_damage),
        cmocka_unit_test(test_check_finds_symlink_damage),
        cmocka_unit_test(test_check_follows_streams),
        cmocka_unit_test(test_check_finds_stream_damage),
        cmocka_unit_test(test_check_unreadable_file_entry),
        cmocka_unit_test(test_check_survives_mutants),
    };

    return cmocka_run_group_tests(tests, make_filled, drop_filled);
}
