/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_format_plan.c - from what a drive offers and a user wants to
 * the FORMAT UNITs that are tried.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mmc/format_plan.h"

static const struct mmc_prepare_options usual = {0};

static void offer(struct mmc_media *media, uint8_t type, uint32_t blocks,
                  uint32_t parameter) {
    media->formats.formats[media->formats.count++] =
        (struct mmc_format_descriptor){
            .type = type, .blocks = blocks, .parameter = parameter};
}

static struct mmc_media dvd_rw(void) {
    struct mmc_media media = {.profile = mmc_profile_find(0x0013, false),
                              .state = MMC_DISC_READY,
                              .blocks = 4096,
                              .formattable_blocks = 40960};

    offer(&media, MMC_FORMAT_FULL, 40960, 0x800);
    offer(&media, MMC_FORMAT_PACKET_FULL, 40960, 16);
    offer(&media, MMC_FORMAT_QUICK_GROW, 0, 16);
    offer(&media, MMC_FORMAT_QUICK, 0, 16);
    return media;
}

/* What a drive offers of a BD-RE: default, least, most spares, and none. */
static struct mmc_media bd_re(void) {
    struct mmc_media media = {.profile = mmc_profile_find(0x0043, false),
                              .state = MMC_DISC_BLANK};

    offer(&media, MMC_FORMAT_FULL, 11826176, 0x800);
    offer(&media, MMC_FORMAT_BD_RE_SPARES, 11826176, 0x3000);
    offer(&media, MMC_FORMAT_BD_RE_SPARES, 12088320, 0x1000);
    offer(&media, MMC_FORMAT_BD_RE_SPARES, 11564032, 0x5000);
    offer(&media, MMC_FORMAT_BD_RE_NO_SPARES, 12219392, 0x800);
    return media;
}

static void test_format_plan_dvd_rw(void **state) {
    struct mmc_prepare_options options = {.quick = true};
    struct mmc_media media = dvd_rw();
    struct mmc_format_plan plan;

    (void)state;
    assert_int_equal(mmc_format_plan(&media, &usual, &plan), 0);
    assert_int_equal(plan.tries, 2);
    assert_int_equal(plan.try[0].type, MMC_FORMAT_PACKET_FULL);
    assert_int_equal(plan.try[0].parameter, 16);
    assert_int_equal(plan.try[1].type, MMC_FORMAT_FULL);
    assert_true(plan.try[0].immediate && plan.try[1].immediate);
    assert_int_equal(plan.blocks, 40960);
    assert_false(plan.append);
    /* Sizes become whole packets, and are cut to what there is. */
    options.blocks = 1001;
    assert_int_equal(mmc_format_plan(&media, &options, &plan), 0);
    assert_true(plan.append);
    assert_int_equal(plan.try[0].type, MMC_FORMAT_QUICK);
    assert_int_equal(plan.try[0].blocks, 0);
    assert_int_equal(plan.append_from, 0);
    assert_int_equal(plan.blocks, 1008);
    options.blocks = UINT32_MAX;
    assert_int_equal(mmc_format_plan(&media, &options, &plan), 0);
    assert_int_equal(plan.blocks, 40960);
    /* A drive that has no quick format does a full one. */
    media.formats.count--;
    assert_int_equal(mmc_format_plan(&media, &options, &plan), 0);
    assert_false(plan.append);
    assert_int_equal(plan.try[0].type, MMC_FORMAT_PACKET_FULL);
}

static void test_format_plan_grows(void **state) {
    struct mmc_prepare_options options = {.grow = true, .blocks = 8000};
    struct mmc_media media = dvd_rw();
    struct mmc_format_plan plan;

    (void)state;
    assert_int_equal(mmc_format_plan(&media, &options, &plan), 0);
    assert_int_equal(plan.try[0].type, MMC_FORMAT_QUICK_GROW);
    assert_int_equal(plan.append_from, 4096);
    assert_int_equal(plan.blocks, 8000);
    options.blocks = 4000; /* it is larger already */
    assert_int_equal(mmc_format_plan(&media, &options, &plan), 0);
    assert_int_equal(plan.tries, 0);
    assert_int_equal(plan.blocks, 4096);
    media.state = MMC_DISC_UNFORMATTED;
    assert_int_equal(mmc_format_plan(&media, &options, &plan), -EINVAL);
    media = bd_re();
    media.state = MMC_DISC_READY;
    assert_int_equal(mmc_format_plan(&media, &options, &plan), -EINVAL);
}

static void test_format_plan_spares(void **state) {
    static const struct {
        enum mmc_spare spare;
        uint32_t spare_blocks, blocks;
        uint8_t type;
    } rows[] = {
        {MMC_SPARE_DEFAULT, 0, 11826176, MMC_FORMAT_FULL},
        {MMC_SPARE_NONE, 0, 12219392, MMC_FORMAT_BD_RE_NO_SPARES},
        {MMC_SPARE_MIN, 0, 12088320, MMC_FORMAT_BD_RE_SPARES},
        {MMC_SPARE_MAX, 0, 11564032, MMC_FORMAT_BD_RE_SPARES},
        {MMC_SPARE_SIZE, 262144, 11957248, MMC_FORMAT_BD_RE_SPARES},
        {MMC_SPARE_SIZE, 262143, 11957248, MMC_FORMAT_BD_RE_SPARES},
        {MMC_SPARE_SIZE, 262145, 11940864, MMC_FORMAT_BD_RE_SPARES},
        {MMC_SPARE_SIZE, 1, 12088320, MMC_FORMAT_BD_RE_SPARES},
        {MMC_SPARE_SIZE, 5000000, 11564032, MMC_FORMAT_BD_RE_SPARES},
        {MMC_SPARE_SIZE, UINT32_MAX, 11564032, MMC_FORMAT_BD_RE_SPARES},
    };
    struct mmc_media media = bd_re();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mmc_prepare_options options = {
            .spare = rows[i].spare, .spare_blocks = rows[i].spare_blocks};
        struct mmc_format_plan plan;

        assert_int_equal(mmc_format_plan(&media, &options, &plan), 0);
        assert_int_equal(plan.tries, 1);
        assert_int_equal(plan.try[0].type, rows[i].type);
        assert_int_equal(plan.try[0].blocks, rows[i].blocks);
        assert_int_equal(plan.blocks, rows[i].blocks);
        assert_int_equal(plan.drive_defects, rows[i].spare != MMC_SPARE_NONE);
    }
}

static void test_format_plan_certifies(void **state) {
    struct mmc_prepare_options full = {.full = true};
    struct mmc_media media = bd_re();
    struct mmc_format_plan plan;

    (void)state;
    assert_int_equal(mmc_format_plan(&media, &full, &plan), 0);
    assert_int_equal(plan.tries, 2);
    assert_int_equal(plan.try[0].sub_type, 2);
    assert_int_equal(plan.try[1].type, MMC_FORMAT_FULL);
    full.spare = MMC_SPARE_MIN;
    assert_int_equal(mmc_format_plan(&media, &full, &plan), 0);
    assert_int_equal(plan.try[0].sub_type, 2);
    assert_int_equal(plan.try[plan.tries - 1].sub_type, 0);
    assert_int_equal(plan.try[plan.tries - 1].blocks, 12088320);
    /* DVD-RAM certifies unless it shall be quick. */
    media = (struct mmc_media){.profile = mmc_profile_find(0x0012, false)};
    offer(&media, MMC_FORMAT_FULL, 2236704, 0x800);
    assert_int_equal(
        mmc_format_plan(&media, &(struct mmc_prepare_options){.quick = true},
                        &plan),
        0);
    assert_int_equal(plan.tries, 2);
    assert_true(plan.try[0].no_certify && plan.try[0].compare);
    assert_false(plan.try[1].no_certify || plan.try[1].compare);
}

static void test_format_plan_cd_rw_and_mrw(void **state) {
    struct mmc_prepare_options mrw = {.media_name = "cdmrw"};
    struct mmc_media media = {.profile = mmc_profile_find(0x000A, false),
                              .formattable_blocks = 295264};
    struct mmc_format_plan plan;

    (void)state;
    offer(&media, MMC_FORMAT_PACKET_FULL, 295264, 32);
    assert_int_equal(mmc_format_plan(&media, &usual, &plan), 0);
    assert_int_equal(plan.try[0].type, MMC_FORMAT_PACKET_FULL);
    assert_true(plan.try[1].legacy);
    assert_int_equal(mmc_format_plan(&media, &mrw, &plan), -EINVAL);
    media.mrw_capable = true;
    offer(&media, MMC_FORMAT_MRW, 276800, 0);
    assert_int_equal(mmc_format_plan(&media, &mrw, &plan), 0);
    assert_int_equal(plan.try[0].type, MMC_FORMAT_MRW);
    assert_int_equal(plan.try[0].blocks, UINT32_MAX);
    assert_int_equal(plan.blocks, 276800);
    assert_true(plan.drive_defects);
    assert_true(plan.target->mrw);
}

static void test_format_plan_refuses_what_cannot_be(void **state) {
    static const uint16_t once[] = {0x0009, 0x0011, 0x001B, 0x0041, 0x0010};
    struct mmc_media media = {0};
    struct mmc_format_plan plan;

    (void)state;
    for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
        media.profile = mmc_profile_find(once[i], false);
        assert_int_equal(mmc_format_plan(&media, &usual, &plan), -EMEDIUMTYPE);
    }
    media = bd_re();
    assert_int_equal(
        mmc_format_plan(&media,
                        &(struct mmc_prepare_options){.media_name = "dvd-rw"},
                        &plan),
        -EINVAL);
    media = dvd_rw();
    assert_int_equal(
        mmc_format_plan(&media,
                        &(struct mmc_prepare_options){.spare = MMC_SPARE_MIN},
                        &plan),
        -EINVAL);
    media = bd_re();
    media.formats.count = 0; /* a drive that offers nothing */
    assert_int_equal(mmc_format_plan(&media, &usual, &plan), -EMEDIUMTYPE);
}

static void test_format_plan_knows_when_it_is_done(void **state) {
    struct mmc_media media = dvd_rw();
    struct mmc_prepare_options options = {0};

    (void)state;
    assert_true(mmc_format_is_done(&media, &usual));
    options.media_name = "dvd-rw";
    options.blocks = 4090; /* in packets, what it has */
    assert_true(mmc_format_is_done(&media, &options));
    options.blocks = 8000;
    assert_false(mmc_format_is_done(&media, &options));
    options = (struct mmc_prepare_options){.full = true};
    assert_false(mmc_format_is_done(&media, &options));
    options = (struct mmc_prepare_options){.media_name = "cdmrw"};
    assert_false(mmc_format_is_done(&media, &options));
    media.state = MMC_DISC_BLANK;
    assert_false(mmc_format_is_done(&media, &usual));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_plan_dvd_rw),
        cmocka_unit_test(test_format_plan_grows),
        cmocka_unit_test(test_format_plan_spares),
        cmocka_unit_test(test_format_plan_certifies),
        cmocka_unit_test(test_format_plan_cd_rw_and_mrw),
        cmocka_unit_test(test_format_plan_refuses_what_cannot_be),
        cmocka_unit_test(test_format_plan_knows_when_it_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
