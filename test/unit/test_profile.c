/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_profile.c - the table of media and users' words for them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/disc.h"
#include "mmc/packet.h"
#include "mmc/profile.h"

static void test_profile_find_knows_cdrw_and_its_mrw_form(void **state) {
    const struct mmc_profile *plain = mmc_profile_find(0x000A, false);
    const struct mmc_profile *mrw = mmc_profile_find(0x000A, true);

    (void)state;
    assert_string_equal(plain->word, "cdrw");
    assert_true(mmc_profile_can(plain, MMC_CAP_OVERWRITE |
                                           MMC_CAP_WHOLE_PACKETS |
                                           MMC_CAP_WRITE_PARAMETERS));
    assert_int_equal(plain->packet_blocks, 32);
    assert_string_equal(mrw->word, "cdmrw");
    assert_false(mmc_profile_can(mrw, MMC_CAP_WHOLE_PACKETS));
    assert_true(mmc_profile_can(mrw, MMC_CAP_DRIVE_DEFECTS));
}

static void test_profile_find_ignores_mrw_where_there_is_none(void **state) {
    (void)state;
    assert_ptr_equal(mmc_profile_find(0x001A, true),
                     mmc_profile_find(0x001A, false));
}

static void test_profile_find_gives_unknown_media_no_capability(void **state) {
    const uint16_t numbers[] = {0x0000, 0x0001, 0x0044, 0x0053, 0xFFFF};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const struct mmc_profile *profile = mmc_profile_find(numbers[i], false);

        assert_non_null(profile);
        assert_int_equal(profile->capabilities, 0);
        assert_null(profile->word);
        assert_non_null(profile->name);
    }
}

static void test_profile_rows_are_sound(void **state) {
    (void)state;
    for (unsigned number = 0; number <= 0xFF; number++) {
        const struct mmc_profile *row =
            mmc_profile_find((uint16_t)number, false);

        assert_in_range(row->packet_blocks, 1, MMC_PACKET_BLOCKS_MAX);
        assert_int_equal(row->packet_blocks & (row->packet_blocks - 1), 0);
        assert_false(mmc_profile_can(row, MMC_CAP_OVERWRITE | MMC_CAP_APPEND));
        if (mmc_profile_can(row, MMC_CAP_OVERWRITE)) {
            assert_true(row->rated_overwrites > 0);
            assert_true(row->write_kbs > 0);
            assert_non_null(row->word);
        }
    }
}

static void test_profile_words_forgive_case_and_hyphens(void **state) {
    const char *word = NULL;

    (void)state;
    assert_int_equal(mmc_media_word("CD-RW", &word), 0);
    assert_string_equal(word, "cdrw");
    assert_int_equal(mmc_media_word("dvdrw", &word), 0);
    assert_string_equal(word, "dvd-rw");
    assert_int_equal(mmc_media_word("DVD+RWDL", &word), 0);
    assert_string_equal(word, "dvd+rw-dl");
    assert_int_equal(mmc_media_word("Image", &word), 0);
    assert_string_equal(word, "image");
}

static void test_profile_words_refuse_anything_else(void **state) {
    const char *word = "untouched";
    const char *const wrong[] = {"",      "-",      "cd",   "cdrwx",
                                 "cd rw", "floppy", "dvd+", "dvd_rw"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(mmc_media_word(wrong[i], &word), -EINVAL);
    }
    assert_string_equal(word, "untouched");
}

static void test_profile_words_lead_to_rows(void **state) {
    size_t count = 0;

    (void)state;
    for (const char *word; (word = mmc_media_nth(count)) != NULL; count++) {
        const struct mmc_profile *row = mmc_profile_of_word(word);

        if (strcmp(word, "image") == 0) {
            assert_null(row); /* no drive has one */
        } else {
            assert_string_equal(row->word, word);
            assert_true(row->usual_blocks > 0);
        }
    }
    assert_int_equal(count, 9);
    assert_true(
        mmc_profile_can(mmc_profile_of_word("dvd-rw"), MMC_CAP_OVERWRITE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profile_find_knows_cdrw_and_its_mrw_form),
        cmocka_unit_test(test_profile_find_ignores_mrw_where_there_is_none),
        cmocka_unit_test(test_profile_find_gives_unknown_media_no_capability),
        cmocka_unit_test(test_profile_rows_are_sound),
        cmocka_unit_test(test_profile_words_forgive_case_and_hyphens),
        cmocka_unit_test(test_profile_words_refuse_anything_else),
        cmocka_unit_test(test_profile_words_lead_to_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
