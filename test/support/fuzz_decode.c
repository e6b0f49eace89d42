/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/fuzz_decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/reply.h"
#include "mmc/sense.h"
#include "udf/attr.h"
#include "udf/cs0.h"
#include "udf/decode.h"
#include "udf/ea.h"
#include "udf/extent.h"
#include "udf/fid.h"
#include "udf/own.h"
#include "udf/path.h"
#include "udf/sparing_table.h"

enum { BYTES = UDF_BLOCK_BYTES, NAME_ROOM = 1024 };

/* ---- blocks of a disc ------------------------------------------------- */

static void volume_descriptors(const uint8_t *block, uint32_t lba) {
    struct udf_avdp avdp;
    struct udf_pvd pvd;
    struct udf_iuvd iuvd;
    struct udf_own own;
    struct udf_pd pd;
    struct udf_lvd lvd;
    struct udf_usd usd;
    struct udf_lvid lvid;
    struct udf_sparing_table sparing;

    (void)udf_decode_avdp(block, lba, &avdp);
    if (udf_decode_pvd(block, lba, &pvd) == 0) {
        assert_true(strlen(pvd.volume_set_id) < sizeof(pvd.volume_set_id));
    }
    if (udf_decode_iuvd(block, lba, &iuvd) == 0 &&
        udf_own_decode(&iuvd, &own) == 0) {
        pd = (struct udf_pd){.start_lba = 1000, .blocks = 2000};
        if (udf_own_check(&own, 4096, &pd) == 0) {
            (void)udf_own_check_ledger(&own, 4096, &pd);
        }
    }
    if (udf_decode_pd(block, lba, &pd) == 0) {
        assert_true(strlen(pd.contents) < sizeof(pd.contents));
    }
    if (udf_decode_lvd(block, lba, &lvd) == 0) {
        assert_true(lvd.maps <= UDF_PARTMAPS_MAX);
    }
    (void)udf_decode_usd(block, lba, &usd);
    if (udf_decode_lvid(block, lba, &lvid) == 0) {
        assert_true(lvid.own_bytes <= sizeof(lvid.own));
        assert_true(lvid.partitions <= UDF_PARTMAPS_MAX);
    }
    if (udf_decode_sparing(block, BYTES, lba, &sparing) == 0) {
        assert_true(udf_sparing_table_bytes(sparing.entries) <= BYTES);
        udf_sparing_table_free(&sparing);
    }
}

/* A stream of FIDs in memory of just its size. */
static void fids(const uint8_t *bytes, uint32_t count) {
    uint8_t *stream = malloc(count ? count : 1);
    uint32_t at = 0, size;
    struct udf_fid fid;

    assert_non_null(stream);
    memcpy(stream, bytes, count);
    while (at < count &&
           udf_fid_decode(stream + at, count - at, &fid, &size) == 0) {
        char name[NAME_ROOM];
        bool escaped;

        assert_true(size >= UDF_FID_BYTES && size <= count - at);
        assert_int_equal(udf_cs0_decode_name(fid.name, fid.name_bytes, name,
                                             sizeof(name), &escaped),
                         0);
        assert_null(strchr(name, '/'));
        assert_true(*name != '\0');
        at += size;
    }
    free(stream);
}

static void descriptors(enum udf_ad_form form, uint64_t info_bytes,
                        const uint8_t *raw, uint32_t bytes) {
    struct udf_extents extents = {0};
    struct udf_ads ads = {
        .form = form, .info_bytes = info_bytes, .extents = &extents};
    uint64_t end = 0;

    (void)udf_ads_decode(&ads, raw, bytes);
    for (size_t i = 0; i < extents.count; i++) {
        assert_int_equal(extents.list[i].block, end);
        assert_true(extents.list[i].count > 0);
        assert_true(extents.list[i].kind <= UDF_EXTENT_HOLE);
        end += extents.list[i].count;
    }
    udf_extents_free(&extents);
}

static void file_entry(const struct udf_fe *fe, const uint8_t *block) {
    static const struct udf_tag_style style = {.version = 2};
    struct udf_ea_place place = {.revision = 0x0150, .style = &style};
    char target[NAME_ROOM];
    uint8_t *ea;
    uint32_t ea_bytes;
    struct udf_time btime;
    dev_t device;

    assert_true(fe->ea >= block && fe->ads >= fe->ea);
    assert_true(fe->ea_bytes <= (size_t)(fe->ads - fe->ea));
    assert_true(fe->ads_bytes <= (size_t)(block + BYTES - fe->ads));
    udf_ea_device(fe->ea, fe->ea_bytes, &device);
    udf_ea_btime(fe->ea, fe->ea_bytes, &btime);
    if (udf_ea_set_device(fe->ea, fe->ea_bytes, 1, &place, &ea, &ea_bytes) ==
        0) {
        free(ea);
    }
    if (udf_ea_set_btime(fe->ea, fe->ea_bytes, NULL, &place, &ea, &ea_bytes) ==
        0) {
        free(ea);
    }
    (void)udf_path_decode(fe->ads, fe->ads_bytes, target, sizeof(target));
    fids(fe->ads, fe->ads_bytes);
    for (int form = UDF_AD_SHORT; form <= UDF_AD_EXTENDED; form++) {
        descriptors((enum udf_ad_form)form, fe->info_bytes, fe->ads,
                    fe->ads_bytes);
    }
}

static void partition_descriptors(const uint8_t *block, uint32_t lbn) {
    struct udf_fsd fsd;
    struct udf_fe fe;
    struct udf_aed aed;
    struct udf_long_ad next;
    uint32_t bits, bytes;

    (void)udf_decode_fsd(block, lbn, &fsd);
    (void)udf_decode_ie(block, lbn, &next);
    (void)udf_decode_sbd(block, lbn, &bits, &bytes);
    if (udf_decode_fe(block, lbn, &fe) == 0) {
        file_entry(&fe, block);
    }
    if (udf_decode_aed(block, lbn, &aed) == 0) {
        assert_true(aed.ads_bytes <= BYTES - UDF_AED_BYTES);
        descriptors(UDF_AD_SHORT, UINT64_MAX, aed.ads, aed.ads_bytes);
    }
}

void fuzz_decode_block(const uint8_t block[2048], uint32_t lbn) {
    uint8_t *copy = malloc(BYTES); /* so that ASan sees a byte too much */
    uint8_t time[UDF_TIMESTAMP_BYTES];
    struct udf_time decoded;
    char text[UDF_TEXT_BYTES];

    assert_non_null(copy);
    memcpy(copy, block, BYTES);
    volume_descriptors(copy, lbn);
    partition_descriptors(copy, lbn);
    fids(copy, BYTES);
    udf_time_decode(copy + 72, &decoded);
    udf_time_encode(&decoded, time);
    (void)udf_dstring_decode(copy + 84, 128, text, sizeof(text));
    free(copy);
}

/* ---- replies of a drive ----------------------------------------------- */

static void configuration(const uint8_t *reply, size_t len) {
    struct mmc_configuration *config = calloc(1, sizeof(*config));
    struct mmc_feature_iter iter;
    struct mmc_feature feature;

    assert_non_null(config);
    if (mmc_reply_configuration(reply, len, config) == 0) {
        assert_true(config->len <= sizeof(config->features));
        iter = mmc_feature_begin(config);
        while (mmc_feature_next(&iter, &feature)) {
            assert_true(feature.data + feature.data_len <=
                        config->features + config->len);
        }
    }
    free(config);
}

static void lists(const uint8_t *reply, size_t len) {
    struct mmc_format_capacities capacities;
    struct mmc_write_speeds speeds;
    struct mmc_toc toc;
    struct mmc_mode_page page;

    if (mmc_reply_format_capacities(reply, len, &capacities) == 0) {
        assert_true(capacities.count <= MMC_FORMAT_DESCRIPTORS_MAX);
    }
    if (mmc_reply_write_speeds(reply, len, &speeds) == 0) {
        assert_true(speeds.count <= MMC_WRITE_SPEEDS_MAX);
    }
    if (mmc_reply_toc(reply, len, &toc) == 0) {
        assert_true(toc.count <= MMC_TOC_TRACKS_MAX);
    }
    if (len > 0 &&
        mmc_reply_mode_page(reply, len, reply[0] & 0x3F, &page) == 0) {
        assert_true(page.len <= sizeof(page.bytes));
    }
}

static void sense(const uint8_t *reply, size_t len) {
    struct mmc_sense decoded;
    char text[100];

    if (mmc_sense_decode(reply, len, &decoded) == 0) {
        (void)mmc_result_errno(mmc_sense_classify(&decoded));
        mmc_sense_text(&decoded, text, sizeof(text));
        assert_true(memchr(text, 0, sizeof(text)) != NULL);
    }
}

void fuzz_decode_reply(const uint8_t *reply, size_t len) {
    uint8_t *copy = malloc(len ? len : 1);
    struct mmc_inquiry inquiry;
    struct mmc_disc_information disc;
    struct mmc_track_information track;
    struct mmc_event event;
    struct mmc_atip atip;

    assert_non_null(copy);
    memcpy(copy, reply, len);
    (void)mmc_reply_inquiry(copy, len, &inquiry);
    (void)mmc_reply_disc_information(copy, len, &disc);
    (void)mmc_reply_track_information(copy, len, &track);
    (void)mmc_reply_event(copy, len, &event);
    (void)mmc_reply_atip(copy, len, &atip);
    configuration(copy, len);
    lists(copy, len);
    sense(copy, len);
    free(copy);
}
