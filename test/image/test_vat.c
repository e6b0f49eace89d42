/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_vat.c - virtual partitions: a volume with files is made into
 * one of a medium that can only be appended to, whose file set and root lie
 * elsewhere than their addresses say.
 */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "test/support/memdev.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/format.h"
#include "udf/layout.h"
#include "udf/udf.h"
#include "udf/vat.h"

enum {
    DISC = 32 * 100,
    HEAD_BYTES = 152,
    TRAILER_BYTES = 36,
    PD_INDEX = 3,
    LVD_INDEX = 4,
    UNUSED = -1
};

static const struct udf_cred owner = {.uid = 1000, .gid = 1001};

struct disc {
    struct memdev *mem;
    struct udf_layout plan;
    struct udf_tag_style style;
    bool old; /* the table of UDF 1.50 */
};

static struct udf_name name_of(const char *text) {
    return (struct udf_name){.text = text, .len = (uint32_t)strlen(text)};
}

static uint8_t *in_partition(struct disc *disc, uint32_t lbn) {
    return memdev_medium(disc->mem,
                         disc->plan.region[UDF_REGION_PARTITION].lba + lbn);
}

/* A volume with one file of 5000 bytes. */
static struct disc make_disc(uint16_t revision) {
    const struct blockdev_geometry geometry = memdev_image(DISC);
    const struct udf_format_options how = {
        .label = "Virtual", .seed = 5, .revision = revision};
    const struct udf_mount_options options = {0};
    const struct udf_make what = {.mode = S_IFREG | 0644};
    const struct udf_name name = name_of("file");
    struct disc disc = {.mem = memdev_new(&geometry),
                        .style.version = revision < 0x0200 ? 2 : 3,
                        .old = revision < 0x0200};
    struct udf_volume *volume;
    struct udf_stat stat;
    uint8_t data[5000];

    memset(data, 'v', sizeof(data));
    assert_int_equal(udf_layout_plan(&geometry, &how, &disc.plan), 0);
    assert_int_equal(udf_format(memdev_device(disc.mem), &how), 0);
    assert_int_equal(udf_mount(memdev_device(disc.mem), &options, &volume), 0);
    assert_int_equal(
        udf_create(volume, UDF_ROOT_INO, &name, &what, &owner, &stat), 0);
    assert_int_equal(udf_write(volume, stat.ino, 0, sizeof(data), data), 0);
    assert_int_equal(udf_unmount(volume), 0);
    return disc;
}

/* The two descriptors that say what kind of volume it is. */
static void make_virtual(struct disc *disc, enum udf_region_id sequence) {
    uint32_t lba = disc->plan.region[sequence].lba;
    uint8_t *block = memdev_medium(disc->mem, lba + PD_INDEX);
    struct udf_lvd lvd;
    struct udf_pd pd;

    assert_int_equal(udf_decode_pd(block, lba + PD_INDEX, &pd), 0);
    pd.access = 2;
    pd.unallocated_bitmap = (struct udf_short_ad){0};
    pd.blocks = DISC - pd.start_lba;
    udf_encode_pd(&pd, &disc->style, lba + PD_INDEX, block);
    block = memdev_medium(disc->mem, lba + LVD_INDEX);
    assert_int_equal(udf_decode_lvd(block, lba + LVD_INDEX, &lvd), 0);
    lvd.maps = 2;
    lvd.map[1] = (struct udf_lvd_map){.kind = UDF_MAP_KIND_VIRTUAL,
                                      .volume_sequence = 1};
    lvd.fsd.addr.part = 1;
    assert_int_equal(udf_encode_lvd(&lvd, &disc->style, lba + LVD_INDEX, block),
                     0);
}

static void put32(uint8_t *at, uint32_t value) {
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

/* A table in which block `lbn` has moved to `lbn` + `shift`, for file set and
 * root. Gives its bytes. */
static uint32_t build_table(const struct disc *disc, uint32_t shift,
                            uint8_t *raw) {
    const struct udf_layout *plan = &disc->plan;
    uint32_t entries = plan->root_lbn + 1, first = disc->old ? 0 : HEAD_BYTES;

    memset(raw, 0, 2048);
    for (uint32_t i = 0; i < entries; i++) {
        put32(raw + first + 4 * i, (uint32_t)UNUSED);
    }
    put32(raw + first + 4 * plan->fsd_lbn, plan->fsd_lbn + shift);
    put32(raw + first + 4 * plan->root_lbn, plan->root_lbn + shift);
    if (disc->old) {
        struct udf_entity id;

        udf_entity_udf("*UDF Virtual Alloc Tbl", 0x0150, &id);
        udf_entity_encode(&id, raw + 4 * entries);
        put32(raw + 4 * entries + 32, (uint32_t)UNUSED);
        return 4 * entries + TRAILER_BYTES;
    }
    raw[0] = HEAD_BYTES;
    put32(raw + 132, (uint32_t)UNUSED);
    put32(raw + 136, 77); /* files */
    put32(raw + 140, 9);  /* directories */
    raw[144] = raw[146] = raw[148] = 0x50;
    raw[145] = raw[147] = raw[149] = 0x01;
    return HEAD_BYTES + 4 * entries;
}

/* Moves file set and root, and puts the table `behind` blocks before the
 * end. */
static void burn(struct disc *disc, uint32_t behind) {
    const struct udf_layout *plan = &disc->plan;
    const uint32_t shift = 700;
    uint8_t raw[2048];
    uint32_t lbn = DISC - 1 - behind - plan->region[UDF_REGION_PARTITION].lba;
    struct udf_fe fe = {
        .extended = !disc->old,
        .strategy = 4,
        .file_type = disc->old ? 0 : UDF_FILE_VAT,
        .icb_flags = UDF_AD_EMBEDDED,
        .ads = raw,
        .ads_bytes = build_table(disc, shift, raw),
    };
    struct udf_fsd fsd;

    make_virtual(disc, UDF_REGION_MAIN_VDS);
    make_virtual(disc, UDF_REGION_RESERVE_VDS);
    assert_int_equal(
        udf_decode_fsd(in_partition(disc, plan->fsd_lbn), plan->fsd_lbn, &fsd),
        0);
    fsd.root.addr.part = 1;
    assert_int_equal(udf_encode_fsd(&fsd, &disc->style, plan->fsd_lbn,
                                    in_partition(disc, plan->fsd_lbn)),
                     0);
    for (uint32_t i = plan->fsd_lbn; i <= plan->root_lbn; i++) {
        memcpy(in_partition(disc, i + shift), in_partition(disc, i), 2048);
        memset(in_partition(disc, i), 0x77, 2048);
    }
    fe.info_bytes = fe.object_bytes = fe.ads_bytes;
    udf_entity_own(&fe.implementation);
    assert_int_equal(
        udf_encode_fe(&fe, &disc->style, lbn, in_partition(disc, lbn)), 0);
}

static int mount(struct disc *disc, struct udf_volume **out_volume) {
    const struct udf_mount_options options = {0};

    memdev_reboot(disc->mem);
    memdev_set_cold(disc->mem, true);
    return udf_mount(memdev_device(disc->mem), &options, out_volume);
}

static void expect_file(struct disc *disc) {
    const struct udf_name name = name_of("file");
    struct udf_volume *volume;
    struct udf_stat stat;
    struct udf_info info;
    uint8_t data[5001];
    uint32_t count;

    assert_int_equal(mount(disc, &volume), 0);
    udf_get_info(volume, &info);
    assert_false(info.writable);
    assert_true(info.clean);
    if (!disc->old) {
        assert_int_equal(info.files, 77);
        assert_int_equal(info.directories, 9);
    }
    assert_int_equal(udf_lookup(volume, UDF_ROOT_INO, &name, &stat), 0);
    assert_int_equal(udf_read(volume, stat.ino, 0, sizeof(data), data, &count),
                     0);
    assert_int_equal(count, 5000);
    assert_int_equal(data[4999], 'v');
    assert_int_equal(udf_unlink(volume, UDF_ROOT_INO, &name), -EROFS);
    assert_int_equal(udf_unmount(volume), 0);
}

static void test_vat_every_revision(void **state) {
    static const uint16_t revisions[] = {0x0150, 0x0200, 0x0201};

    (void)state;
    for (size_t i = 0; i < sizeof(revisions) / sizeof(revisions[0]); i++) {
        for (uint32_t behind = 0; behind < 40; behind += 13) {
            struct disc disc = make_disc(revisions[i]);

            burn(&disc, behind);
            expect_file(&disc);
            memdev_free(disc.mem);
        }
    }
}

static void test_vat_missing(void **state) {
    struct disc disc = make_disc(0x0201);
    struct udf_volume *volume;

    (void)state;
    burn(&disc, 0);
    memset(memdev_medium(disc.mem, DISC - 1), 0, 2048);
    assert_int_equal(mount(&disc, &volume), -EUCLEAN);
    memdev_free(disc.mem);
}

/* Lengths that do not fit, and entries that lead nowhere. */
static void test_vat_hostile(void **state) {
    struct udf_vat_content content;
    uint8_t raw[2048] = {0};

    (void)state;
    for (uint32_t bytes = 0; bytes < HEAD_BYTES; bytes++) {
        assert_int_equal(udf_vat_decode(raw, bytes, false, &content), -EUCLEAN);
        assert_int_equal(udf_vat_decode(raw, bytes, true, &content), -EUCLEAN);
    }
    raw[0] = HEAD_BYTES - 1;
    assert_int_equal(udf_vat_decode(raw, 2048, false, &content), -EUCLEAN);
    raw[0] = HEAD_BYTES;
    assert_int_equal(udf_vat_decode(raw, HEAD_BYTES + 7, false, &content), 0);
    assert_int_equal(content.entries, 1);
    raw[1] = 0x08; /* 2200 bytes of head */
    assert_int_equal(udf_vat_decode(raw, 2048, false, &content), -EUCLEAN);
    for (int i = 0; i < 2; i++) {
        struct disc disc = make_disc(0x0201);
        struct udf_volume *volume;
        uint8_t *table = memdev_medium(disc.mem, DISC - 1);

        burn(&disc, 0);
        /* the file set is beyond the partition, or nowhere */
        put32(table + 216 + HEAD_BYTES + 4 * disc.plan.fsd_lbn,
              i ? 0x7FFFFFFF : (uint32_t)UNUSED);
        memset(table + 8, 0, 4); /* no CRC */
        table[4] = 0;
        for (int k = 0; k < 16; k++) {
            table[4] = (uint8_t)(table[4] + (k == 4 ? 0 : table[k]));
        }
        assert_int_equal(mount(&disc, &volume), -EUCLEAN);
        memdev_free(disc.mem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vat_every_revision),
        cmocka_unit_test(test_vat_missing),
        cmocka_unit_test(test_vat_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
