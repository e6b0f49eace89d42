/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_check_forms.c - the checker on forms that mkudffs does not
 * make: each is put together without a fault, and then with one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/support/compose.h"
#include "udf/check.h"
#include "udf/encode.h"

/* ---- checking --------------------------------------------------------- */

static void keep_line(void *context, const char *fault) {
    fprintf(context, "%s\n", fault);
}

/* The faults of the volume, which is freed, must have `text` among
 * them; there are none where that is NULL. */
static void expect_of(struct memdev *mem, const char *text) {
    struct udf_check_options options = {0};
    struct udf_check_result result;
    char *lines = NULL;
    size_t bytes;
    FILE *out = open_memstream(&lines, &bytes);

    assert_non_null(out);
    memdev_reboot(mem); /* to what was put on the medium */
    assert_int_equal(
        udf_check(memdev_device(mem), &options, keep_line, out, &result), 0);
    fclose(out);
    if (text ? !strstr(lines, text) : *lines) {
        fail_msg("not \"%s\", but:\n%s", text ? text : "clean", lines);
    }
    free(lines);
    memdev_free(mem);
}

static void expect(struct compose *c, const char *text) {
    compose_end(c);
    expect_of(compose_free(c), text);
}

/* ---- sequences --------------------------------------------------------- */

static void test_forms_sequences_apart(void **state) {
    const struct {
        uint16_t revision;
        uint32_t reserve;
        const char *text;
    } rows[] = {
        {0x0201, COMPOSE_RESERVE_LBA, NULL},
        {0x0250, COMPOSE_RESERVE_LBA, "not far apart"},
        {0x0250, COMPOSE_BLOCKS - 200, NULL},
        {0x0250, 72, NULL}, /* 32 to 47, and 72: not in one unit of 32 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct compose *c = compose_new(rows[i].revision);

        c->avdp.reserve.lba = rows[i].reserve;
        expect(c, rows[i].text);
    }
}

/* ---- extended attributes ------------------------------------------------ */

enum { EA_BYTES = 24 + 32 + 52 + 52, NOWHERE = -1 };

static void put32(uint8_t *raw, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        raw[i] = (uint8_t)(value >> 8 * i);
    }
}

/* An attribute with an entity identifier and its checksum. */
static void put_use(uint8_t *raw, uint32_t type) {
    unsigned sum = 0;

    put32(raw, type);
    raw[4] = 1;
    raw[8] = 52;
    memcpy(raw + 17, "*UDF FreeEASpace", 16);
    for (int i = 0; i < 48; i++) {
        sum += raw[i];
    }
    raw[48] = (uint8_t)sum;
    raw[49] = (uint8_t)(sum >> 8);
}

/* A file with a time, one attribute of an implementation and one of an
 * application. The header says where the latter two are. */
static void put_attributes(struct compose *c, uint32_t implementation,
                           uint32_t application, bool swapped) {
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    uint8_t ea[EA_BYTES] = {0};
    struct udf_addr icb = {.lbn = c->next_lbn};

    put32(ea + 24, 5);
    ea[28] = 1;
    ea[32] = 32;
    ea[36] = 12;
    ea[40] = 1;
    memcpy(ea + 44, "\x00\x10\xe4\x07\x01\x02\x03\x04\x05\0\0\0", 12);
    put_use(ea + 56, swapped ? 65536 : 2048);
    put_use(ea + 108, swapped ? 2048 : 65536);
    put32(ea + 16, implementation);
    put32(ea + 20, application);
    compose_seal(c, ea, 24, UDF_TAG_EAHD, icb.lbn);
    fe.ea = ea;
    fe.ea_bytes = EA_BYTES;
    compose_entry(c, &c->root, "file", &fe);
}

static void test_forms_attribute_locations(void **state) {
    const struct {
        uint32_t implementation, application;
        bool swapped;
        const char *text;
    } rows[] = {
        {56, 108, false, NULL},
        {24, 108, false, "those of implementations begin at byte 24"},
        {56, 56, false, "those of applications begin at byte 56"},
        {56, EA_BYTES, false, "those of applications begin at byte 160"},
        {(uint32_t)NOWHERE, 108, false, "those of implementations"},
        {108, 56, true, "behind one of a later part"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct compose *c = compose_new(0x0201);

        put_attributes(c, rows[i].implementation, rows[i].application,
                       rows[i].swapped);
        expect(c, rows[i].text);
    }
}

/* No such attributes: one value from 2.00 on, any behind the end before. */
static void test_forms_attribute_locations_of_nothing(void **state) {
    const struct {
        uint16_t revision;
        uint32_t says;
        const char *text;
    } rows[] = {
        {0x0150, 24, NULL},
        {0x0150, UINT32_MAX, NULL},
        {0x0150, 20, "begin at byte 20"},
        {0x0201, UINT32_MAX, NULL},
        {0x0201, 24, "begin at byte 24"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct compose *c = compose_new(rows[i].revision);
        struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
        uint8_t ea[24] = {0};

        put32(ea + 16, rows[i].says);
        put32(ea + 20, rows[i].says);
        compose_seal(c, ea, 24, UDF_TAG_EAHD, c->next_lbn);
        fe.ea = ea;
        fe.ea_bytes = sizeof(ea);
        compose_entry(c, &c->root, "file", &fe);
        expect(c, rows[i].text);
    }
}

/* ---- revisions that readers are told ------------------------------------- */

static void test_forms_revisions_needed(void **state) {
    const struct {
        uint16_t revision, min_read, min_write;
        bool streams;
        const char *text;
    } rows[] = {
        {0x0201, 0x0200, 0x0200, true, NULL},
        {0x0201, 0x0150, 0x0200, true, "something in it needs 0200"},
        {0x0201, 0x0150, 0x0150, false, "something in it needs 0200"},
        {0x0150, 0x0102, 0x0102, false, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct compose *c = compose_new(rows[i].revision);

        c->lvid.min_read = rows[i].min_read;
        c->lvid.min_write = rows[i].min_write;
        if (rows[i].streams) {
            compose_file_with_stream(c, "file", "stream", true);
        }
        expect(c, rows[i].text);
    }
}

/* A real-time file needs 2.00, even where no entry is an extended one. */
static void test_forms_real_time_needs_revision(void **state) {
    struct compose *c = compose_new(0x0201);
    struct udf_fe fe = compose_fe(c, UDF_FILE_REALTIME);

    (void)state;
    fe.extended = false;
    c->root.fe.extended = false;
    c->lvid.min_read = c->lvid.min_write = 0x0150;
    compose_entry(c, &c->root, "file", &fe);
    expect(c, "something in it needs 0200");
}

/* ---- freed space ----------------------------------------------------------
 */

enum { FREED_FROM = 3000, FREED_BLOCKS = 16 };

/* Lets FREED_BLOCKS blocks wait to be erased: they leave the bitmap of
 * unallocated space for one of their own. */
static struct compose *new_freed(void) {
    struct compose *c = compose_new(0x0201);
    struct udf_addr at = compose_take(c, 1);
    uint8_t *raw = compose_at(c, at);

    c->pd[0].access = 3;
    c->pd[0].freed_bitmap = (struct udf_short_ad){
        .bytes = 24 + (c->pd[0].blocks + 7) / 8, .lbn = at.lbn};
    for (uint32_t i = 0; i < FREED_BLOCKS; i++) {
        c->used[FREED_FROM + i] = true;
    }
    udf_encode_sbd(c->pd[0].blocks, &c->style, at.lbn, raw);
    memset(raw + 24 + FREED_FROM / 8, 0xFF, FREED_BLOCKS / 8);
    compose_reseal(raw);
    return c;
}

static void test_forms_freed_space(void **state) {
    struct compose *c = new_freed();
    uint32_t lbn = c->pd[0].freed_bitmap.lbn;

    (void)state;
    expect(new_freed(), NULL);
    c->used[FREED_FROM] = false;
    expect(c, "1 blocks are freed and unallocated");
    c = new_freed();
    memset(compose_at(c, (struct udf_addr){.lbn = lbn}) + 24 + FREED_FROM / 8,
           0, FREED_BLOCKS / 8);
    compose_reseal(compose_at(c, (struct udf_addr){.lbn = lbn}));
    expect(c, "are marked used, but nothing uses them");
    c = new_freed();
    c->pd[0].freed_bitmap.lbn++;
    expect(c, "space bitmap at");
    c = new_freed();
    c->pd[0].freed_table = c->pd[0].freed_bitmap;
    expect(c, "freed space in a bitmap and in a table");
    c = new_freed();
    c->space = COMPOSE_NOTHING;
    expect(c, "needs either a space bitmap or a space table");
}

/* The same as a table. */
static void test_forms_freed_table(void **state) {
    enum { HEAD = 40 };

    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        struct compose *c = new_freed();
        struct udf_addr at = compose_take(c, 1);
        struct udf_short_ad ad = {.bytes = FREED_BLOCKS * 2048,
                                  .kind = UDF_EXTENT_ALLOCATED,
                                  .lbn = FREED_FROM - (wrong ? 1 : 0)};
        uint8_t *raw = compose_at(c, at);

        c->used[c->pd[0].freed_bitmap.lbn] = false;
        c->pd[0].freed_bitmap.bytes = 0;
        c->pd[0].freed_table =
            (struct udf_short_ad){.bytes = 2048, .lbn = at.lbn};
        udf_short_ad_encode(&ad, raw + HEAD);
        raw[20] = UDF_STRATEGY_4;
        raw[24] = 1;
        raw[27] = 1;
        raw[36] = 8;
        compose_seal(c, raw, HEAD + 8, UDF_TAG_USE, at.lbn);
        expect(c, wrong ? "freed and unallocated" : NULL);
    }
}

/* ---- virtual partitions ----------------------------------------------------
 */

static struct compose *new_virtual(uint16_t revision) {
    struct compose *c = compose_new_virtual(revision);

    compose_file(c, &c->root, "file", "content");
    return c;
}

/* The table's file entry, and its entry for virtual block `lbn`. */
static uint8_t *table(struct memdev *mem) {
    return memdev_medium(mem, COMPOSE_BLOCKS - 1);
}

static void test_forms_virtual(void **state) {
    enum { EFE = 216, FE = 176, HEAD = 152 };
    const struct {
        uint16_t revision;
        uint32_t offset, value;
        const char *text;
    } rows[] = {
        {0x0201, EFE, HEAD, NULL},
        {0x0150, FE, UINT32_MAX, NULL}, /* entry 0 is not used */
        {0x0201, EFE + 136, 5, "5 files and 1 directories"},
        {0x0201, EFE + 140, 9, "1 files and 9 directories"},
        {0x0201, EFE + 144, 0x02010150, "something in it needs 0200"},
        {0x0201, EFE, HEAD - 4, "table is malformed"},
        {0x0201, EFE, 0x4000, "table is malformed"},
        {0x0201, EFE + HEAD, 3808, "no block 3808 in the partition"},
        {0x0201, 27 - 3, 5u << 24 | 1, "no virtual allocation table"},
        {0x0150, 27 - 3, 248u << 24 | 1, "no virtual allocation table"},
        {0x0201, 48, 7, NULL}, /* nobody says how many links it has */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct compose *c = new_virtual(rows[i].revision);
        struct memdev *mem;

        compose_end(c);
        mem = compose_free(c);
        put32(table(mem) + rows[i].offset, rows[i].value);
        compose_reseal(table(mem));
        expect_of(mem, rows[i].text);
    }
}

/* Two virtual blocks in one place, and one that is data, too. */
static void test_forms_virtual_twice(void **state) {
    struct compose *c = new_virtual(0x0201);
    uint32_t first = c->fsd_addr.lbn;
    struct memdev *mem;

    (void)state;
    compose_end(c);
    mem = compose_free(c);
    put32(table(mem) + 216 + 152 + 4 * (first + 1), first + COMPOSE_SHIFT);
    compose_reseal(table(mem));
    expect_of(mem, "are used by something else, too");
}

/* The LVID says that there is no end of it. */
static void test_forms_virtual_size(void **state) {
    struct compose *c = new_virtual(0x0201);

    (void)state;
    c->lvid.size_blocks[1] = 100;
    expect(c, "LVID: size 100");
    c = new_virtual(0x0102);
    expect(c, "partition map of revision 0150 in a volume of revision 0102");
}

/* ---- streams ----------------------------------------------------------------
 */

static void test_forms_streams(void **state) {
    struct compose *c = compose_new(0x0201);

    (void)state;
    compose_file_with_stream(c, "counted", "stream", true);
    compose_file_with_stream(c, "not counted", "stream", false);
    expect(c, NULL);
}

/* A system stream directory with one stream. */
static void put_system_stream(struct compose *c, const char *name,
                              uint8_t characteristics, bool with_content,
                              uint16_t flags) {
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);
    struct compose_dir dir;

    c->next_id--;
    compose_streams_begin(c, &dir, NULL, (struct udf_addr){0});
    compose_embed(&fe, "x");
    if (!with_content) {
        static const struct compose_ads none = {.form = UDF_AD_SHORT};

        compose_use_ads(&fe, &none);
    }
    fe.icb_flags |= flags;
    compose_stream(c, &dir, name, &fe, characteristics);
    compose_dir_end(c, &dir);
    c->fsd.system_stream_dir =
        (struct udf_long_ad){.bytes = UDF_BLOCK_BYTES, .addr = dir.icb};
}

static void test_forms_system_streams(void **state) {
    static const char space[] = "*UDF Non-Allocatable Space";
    const struct {
        const char *name;
        uint8_t characteristics;
        bool with_content;
        uint16_t flags;
        const char *text;
    } rows[] = {
        {space, UDF_FID_METADATA, false, UDF_ICB_SYSTEM, NULL},
        {space, 0, false, UDF_ICB_SYSTEM, "without the metadata bit"},
        {space, UDF_FID_METADATA, false, 0, "without the system bit"},
        {space, UDF_FID_METADATA, true, UDF_ICB_SYSTEM, "or with content"},
        {"*UDF Unique ID Mapping Data", 0, true, 0, "without the metadata bit"},
        {"*Somebody's", 0, true, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct compose *c = compose_new(0x0201);

        put_system_stream(c, rows[i].name, rows[i].characteristics,
                          rows[i].with_content, rows[i].flags);
        expect(c, rows[i].text);
    }
}

static void test_forms_system_stream_directory(void **state) {
    struct compose *c = compose_new(0x0201);

    (void)state;
    put_system_stream(c, "*Own", 0, true, 0);
    c->lvid.min_read = c->lvid.min_write = 0x0150;
    expect(c, "something in it needs 0200");
    c = compose_new(0x0201);
    put_system_stream(c, "*Own", 0, true, 0);
    c->fsd.system_stream_dir.bytes = 4096;
    expect(c, "is not one block");
    c = compose_new(0x0201);
    c->fsd.system_stream_dir =
        (struct udf_long_ad){.bytes = UDF_BLOCK_BYTES, .addr = c->root.icb};
    expect(c, "system stream directory is the root");
}

/* A writer that knows no streams removed the file, and left them. */
static void test_forms_lost_streams(void **state) {
    struct compose *c = compose_new(0x0201);
    struct udf_addr icb;

    (void)state;
    icb = compose_file_with_stream(c, "file", "stream", true);
    c->root.bytes -= 44; /* the only name */
    c->lvid.files--;
    c->used[icb.lbn] = false;
    compose_end(c);
    memset(compose_at(c, icb), 0, 2048);
    expect_of(compose_free(c), "its owner is gone");
}

/* Only that is said: the blocks of the streams are no riddle. */
static void test_forms_lost_streams_are_no_other_fault(void **state) {
    struct compose *c = compose_new(0x0201);
    struct udf_check_options options = {0};
    struct udf_check_result result;
    struct udf_addr icb;
    struct memdev *mem;

    (void)state;
    icb = compose_file_with_stream(c, "file", "stream", false);
    c->root.bytes -= 44;
    c->lvid.files--;
    c->used[icb.lbn] = false;
    compose_end(c);
    mem = compose_free(c);
    memdev_reboot(mem);
    assert_int_equal(
        udf_check(memdev_device(mem), &options, NULL, NULL, &result), 0);
    assert_int_equal(result.faults, 1);
    memdev_free(mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_sequences_apart),
        cmocka_unit_test(test_forms_attribute_locations),
        cmocka_unit_test(test_forms_attribute_locations_of_nothing),
        cmocka_unit_test(test_forms_revisions_needed),
        cmocka_unit_test(test_forms_real_time_needs_revision),
        cmocka_unit_test(test_forms_freed_space),
        cmocka_unit_test(test_forms_freed_table),
        cmocka_unit_test(test_forms_virtual),
        cmocka_unit_test(test_forms_virtual_twice),
        cmocka_unit_test(test_forms_virtual_size),
        cmocka_unit_test(test_forms_streams),
        cmocka_unit_test(test_forms_system_streams),
        cmocka_unit_test(test_forms_system_stream_directory),
        cmocka_unit_test(test_forms_lost_streams),
        cmocka_unit_test(test_forms_lost_streams_are_no_other_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
