/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New volumes: what is on the medium after udf_format(), that it is written
 * economically, and that an interrupted format is no volume.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/support/memdev.h"
#include "test/support/prove.h"
#include "udf/decode.h"
#include "udf/desc.h"
#include "udf/format.h"
#include "udf/layout.h"
#include "udf/own.h"

/* Small discs of every kind, so that a test takes no time. */
enum { SMALL = 6400 };

static struct udf_format_options options(void) {
    return (struct udf_format_options){
        .label = "Test disc", .seed = 42, .now = 1700000000};
}

static struct memdev *formatted(const struct blockdev_geometry *geometry,
                                const struct udf_format_options *how) {
    struct memdev *mem = memdev_new(geometry);
    memdev_set_cold(mem, true);
    assert_int_equal(udf_format(memdev_device(mem), how), 0);
    memdev_reboot(mem);
    return mem;
}

static struct udf_layout plan_of(struct memdev *mem,
                                 const struct udf_format_options *how) {
    struct udf_layout plan;
    assert_int_equal(udf_layout_plan(&memdev_device(mem)->geometry, how, &plan),
                     0);
    return plan;
}

static void check_verified(struct memdev *mem, const char *label) {
    char found[UDF_TEXT_BYTES];
    struct udf_check_result result = prove_device(memdev_device(mem));

    assert_int_equal(result.files, 0);
    assert_int_equal(result.directories, 1);
    assert_int_equal(udf_format_verify(memdev_device(mem)), 0);
    assert_int_equal(udf_format_began(memdev_device(mem)), -ENOENT);
    assert_int_equal(udf_probe(memdev_device(mem), found, sizeof(found)), 0);
    assert_string_equal(found, label);
}

static void test_format_every_medium(void **state) {
    (void)state;
    const struct blockdev_geometry media[] = {
        memdev_cdrw(SMALL), memdev_dvdrw(SMALL), memdev_bdre(SMALL),
        memdev_image(SMALL), memdev_image(SMALL + 17)};
    static const uint16_t revisions[] = {0,      0x0102, 0x0150, 0x0200,
                                         0x0201, 0x0250, 0x0260};
    for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
        for (size_t r = 0; r < sizeof(revisions) / sizeof(revisions[0]); r++) {
            struct udf_format_options how = options();
            how.revision = revisions[r];
            if (how.revision == 0x0102) {
                how.map = UDF_MAP_TYPE1;
            }
            unsigned most = how.revision >= 0x0250 ? 2 : 0;
            for (unsigned copies = 0; copies <= most; copies++) {
                how.metadata_copies = copies;
                struct memdev *mem = formatted(&media[i], &how);
                check_verified(mem, "Test disc");
                memdev_free(mem);
            }
        }
    }
}

/* How often the first block of the metadata, the file set, is on the medium. */
static unsigned copies_made(const struct blockdev_geometry *medium,
                            unsigned wanted) {
    struct udf_format_options how = options();
    struct udf_layout layout;

    how.revision = 0x0250;
    how.metadata_copies = wanted;
    assert_int_equal(udf_layout_plan(medium, &how, &layout), 0);
    return layout.metadata.mirror_lbn == layout.metadata.main_lbn ? 1 : 2;
}

/* Metadata is doubled where nobody replaces bad packets, or when asked for. */
static void test_format_doubles_metadata_where_it_helps(void **state) {
    (void)state;
    const struct blockdev_geometry cdrw = memdev_cdrw(SMALL);
    const struct blockdev_geometry bdre = memdev_bdre(SMALL);

    assert_int_equal(copies_made(&cdrw, 0), 2);
    assert_int_equal(copies_made(&cdrw, 1), 1);
    assert_int_equal(copies_made(&bdre, 0), 1);
    assert_int_equal(copies_made(&bdre, 2), 2);

    struct udf_format_options how = options();
    how.revision = 0x0201;
    how.metadata_copies = 1;
    assert_int_equal(udf_format_check(&bdre, &how), -EINVAL);
}

static void test_format_usual_sizes(void **state) {
    (void)state;
    const struct blockdev_geometry media[] = {memdev_cdrw(0), memdev_dvdrw(0),
                                              memdev_bdre(0)};
    for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
        struct udf_format_options how = options();
        struct memdev *mem = memdev_new(&media[i]);
        assert_int_equal(udf_format(memdev_device(mem), &how), 0);
        check_verified(mem, "Test disc");
        memdev_free(mem);
    }
}

/* A fresh CD-RW: each packet once but that of the mark, none read to be
 * completed, few in all. */
static void test_format_writes_each_packet_once(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(0);
    struct memdev *mem = memdev_new(&g);
    memdev_set_cold(mem, true);
    struct udf_format_options how = options();
    assert_int_equal(udf_format(memdev_device(mem), &how), 0);
    for (uint32_t lba = 0; lba < g.blocks; lba += g.packet_blocks) {
        assert_true(memdev_overwrites(mem, lba) <= 1 + (lba == 128));
    }
    struct blockdev_stats stats;
    blockdev_get_stats(memdev_device(mem), &stats);
    assert_int_equal(stats.blocks_gathered, 0);
    assert_int_equal(stats.packets_written, 18);
    assert_true(stats.blocks_read < 20);
    prove_medium(mem);
    memdev_free(mem);
}

static void read_desc(struct memdev *mem, uint32_t lba, uint8_t *block) {
    memcpy(block, memdev_medium(mem, lba), UDF_BLOCK_BYTES);
}

static void test_format_descriptors_of_a_cdrw(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(0);
    struct udf_format_options how = options();
    struct memdev *mem = memdev_new(&g);
    assert_int_equal(udf_format(memdev_device(mem), &how), 0);
    struct udf_layout plan = plan_of(mem, &how);
    uint8_t block[UDF_BLOCK_BYTES];
    uint32_t vds = plan.region[UDF_REGION_MAIN_VDS].lba;
    struct udf_pvd pvd;
    read_desc(mem, vds, block);
    assert_int_equal(udf_decode_pvd(block, vds, &pvd), 0);
    assert_string_equal(pvd.volume_id, "Test disc");
    assert_int_equal(strncmp(pvd.volume_set_id, "6553f100", 8), 0);
    assert_int_equal(pvd.recorded.sec, 1700000000);
    struct udf_iuvd iuvd;
    read_desc(mem, vds + 1, block);
    assert_int_equal(udf_decode_iuvd(block, vds + 1, &iuvd), 0);
    assert_string_equal(iuvd.implementation.id, "*UDF LV Info");
    assert_string_equal(iuvd.label, "Test disc");
    struct udf_own own;
    read_desc(mem, vds + 2, block);
    assert_int_equal(udf_decode_iuvd(block, vds + 2, &iuvd), 0);
    assert_int_equal(udf_own_decode(&iuvd, &own), 0);
    assert_int_equal(own.journal_lba, plan.region[UDF_REGION_JOURNAL].lba);
    assert_true(own.journal_packets >= 64);
    struct udf_pd pd;
    read_desc(mem, vds + 3, block);
    assert_int_equal(udf_decode_pd(block, vds + 3, &pd), 0);
    assert_int_equal(udf_own_check(&own, g.blocks, &pd), 0);
    assert_int_equal(udf_own_check_ledger(&own, g.blocks, &pd), 0);
    assert_string_equal(pd.contents, "+NSR03");
    assert_int_equal(pd.access, 4);
    struct udf_lvd lvd;
    read_desc(mem, vds + 4, block);
    assert_int_equal(udf_decode_lvd(block, vds + 4, &lvd), 0);
    assert_int_equal(lvd.maps, 1);
    assert_int_equal(lvd.map[0].kind, UDF_MAP_KIND_SPARABLE);
    assert_int_equal(lvd.map[0].packet_blocks, 32);
    assert_int_equal(lvd.map[0].tables, 2);
    assert_int_equal(udf_entity_revision(&lvd.domain), 0x0201);
    assert_true(lvd.integrity.bytes >= 4u * 32 * UDF_BLOCK_BYTES);
    struct udf_lvid lvid;
    read_desc(mem, lvd.integrity.lba, block);
    assert_int_equal(udf_decode_lvid(block, lvd.integrity.lba, &lvid), 0);
    assert_true(lvid.closed);
    assert_int_equal(lvid.next_unique_id, 16);
    assert_int_equal(lvid.files, 0);
    assert_int_equal(lvid.directories, 1);
    assert_int_equal(lvid.free_blocks[0], plan.free_blocks);
    assert_int_equal(lvid.size_blocks[0], pd.blocks);
    assert_int_equal(lvid.min_read, 0x0201);
    prove_medium(mem);
    memdev_free(mem);
}

static void test_format_root(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_image(SMALL);
    struct udf_format_options how = options();
    how.uid = 1000;
    how.gid = 100;
    how.root_mode = 01777;
    for (int old = 0; old < 2; old++) {
        how.revision = old ? 0x0150 : 0x0201;
        struct memdev *mem = formatted(&g, &how);
        struct udf_layout plan = plan_of(mem, &how);
        uint32_t start = plan.region[UDF_REGION_PARTITION].lba;
        struct udf_fe fe;
        uint8_t block[UDF_BLOCK_BYTES];
        read_desc(mem, start + plan.root_lbn, block);
        assert_int_equal(udf_decode_fe(block, plan.root_lbn, &fe), 0);
        assert_int_equal(fe.extended, !old);
        assert_int_equal(fe.file_type, UDF_FILE_DIRECTORY);
        assert_int_equal(fe.uid, 1000);
        assert_int_equal(fe.gid, 100);
        assert_int_equal(fe.links, 1);
        assert_int_equal(fe.unique_id, 0);
        assert_int_equal(fe.info_bytes, 40);
        assert_true(fe.icb_flags & UDF_ICB_STICKY);
        assert_int_equal(fe.icb_flags & UDF_ICB_FORM_MASK, UDF_AD_EMBEDDED);
        assert_int_equal(fe.permissions & 0x1CE7, 0x1CE7);
        prove_medium(mem);
        memdev_free(mem);
    }
}

/* The bitmap, bit by bit: exactly bitmap, FSD and root are taken. */
static void test_format_bitmap(void **state) {
    (void)state;
    const struct blockdev_geometry media[] = {
        memdev_cdrw(SMALL), memdev_cdrw(0), memdev_image(SMALL + 5)};
    for (size_t m = 0; m < sizeof(media) / sizeof(media[0]); m++) {
        struct udf_format_options how = options();
        struct memdev *mem = memdev_new(&media[m]);
        assert_int_equal(udf_format(memdev_device(mem), &how), 0);
        struct udf_layout plan = plan_of(mem, &how);
        uint32_t start = plan.region[UDF_REGION_PARTITION].lba;
        uint32_t blocks = plan.region[UDF_REGION_PARTITION].blocks;
        const uint8_t *raw = memdev_medium(mem, start);
        uint32_t bits, bytes, free_blocks = 0;
        assert_int_equal(udf_decode_sbd(raw, 0, &bits, &bytes), 0);
        assert_int_equal(bits, blocks);
        assert_int_equal(bytes, (blocks + 7) / 8);
        uint32_t all = plan.bitmap_blocks * UDF_BLOCK_BYTES - 24;
        for (uint32_t bit = 0; bit < all * 8; bit++) {
            bool is_free = (raw[24 + bit / 8] >> (bit % 8)) & 1;
            bool expected = bit > plan.root_lbn && bit < blocks;
            assert_int_equal(is_free, expected);
            free_blocks += is_free;
        }
        assert_int_equal(free_blocks, plan.free_blocks);
        prove_medium(mem);
        memdev_free(mem);
    }
}

static void test_format_lvid_extent_is_clean(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(SMALL);
    struct udf_format_options how = options();
    struct memdev *mem = memdev_new(&g);
    for (uint32_t lba = 0; lba < g.blocks; lba++) {
        memset(memdev_medium(mem, lba), 0xA5, UDF_BLOCK_BYTES);
    }
    memdev_reboot(mem);
    assert_int_equal(udf_format(memdev_device(mem), &how), 0);
    struct udf_layout plan = plan_of(mem, &how);
    const struct udf_region *extent = &plan.region[UDF_REGION_INTEGRITY];
    static const uint8_t zeros[UDF_BLOCK_BYTES];
    for (uint32_t i = 2; i < extent->blocks; i++) {
        assert_memory_equal(memdev_medium(mem, extent->lba + i), zeros,
                            UDF_BLOCK_BYTES);
    }
    check_verified(mem, "Test disc");
    memdev_free(mem);
}

/* Labels: in one, two, three and four bytes a character; too long; not
 * UTF-8. What is refused leaves the medium alone. */
static void test_format_labels(void **state) {
    (void)state;
    char longest[128], umlauts[256];
    memset(longest, 'x', 126);
    longest[126] = '\0';
    umlauts[0] = '\0';
    for (int i = 0; i < 126; i++) {
        strcat(umlauts, "\xC3\xA4");
    }
    const char *good[] = {"",
                          "a",
                          longest,
                          umlauts,
                          "\xE6\x97\xA5\xE6\x9C\xAC",
                          "\xF0\x9F\x92\xBF disc"};
    struct blockdev_geometry g = memdev_cdrw(SMALL);
    struct udf_format_options how = options();
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        how.label = good[i];
        struct memdev *mem = formatted(&g, &how);
        check_verified(mem, good[i]);
        memdev_free(mem);
    }
    char too_long[512];
    memset(too_long, 'x', sizeof(too_long));
    too_long[511] = '\0';
    const struct {
        const char *label;
        int err;
    } bad[] = {{too_long, -ENAMETOOLONG},
               {too_long + 511 - 127, -ENAMETOOLONG},
               {"\xFF", -EILSEQ},
               {"a\xC3", -EILSEQ}};
    struct memdev *mem = memdev_new(&g);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        how.label = bad[i].label;
        assert_int_equal(udf_format(memdev_device(mem), &how), bad[i].err);
    }
    struct blockdev_stats stats;
    blockdev_get_stats(memdev_device(mem), &stats);
    assert_int_equal(stats.packets_written, 0);
    assert_int_equal(udf_probe(memdev_device(mem), NULL, 0), -ENOENT);
    memdev_free(mem);
}

/* The PVD's shorter field gets whole characters only. */
static void test_format_long_label_is_cut_between_characters(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(SMALL);
    struct udf_format_options how = options();
    how.label = "1234567890123456\xE6\x97\xA5\xE6\x9C\xAC";
    struct memdev *mem = formatted(&g, &how);
    struct udf_layout plan = plan_of(mem, &how);
    struct udf_pvd pvd;
    uint8_t block[UDF_BLOCK_BYTES];
    uint32_t lba = plan.region[UDF_REGION_MAIN_VDS].lba;
    read_desc(mem, lba, block);
    assert_int_equal(udf_decode_pvd(block, lba, &pvd), 0);
    assert_string_equal(pvd.volume_id, "1234567890123456");
    check_verified(mem, how.label);
    memdev_free(mem);
}

static void test_format_refuses(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(SMALL);
    struct udf_format_options how = options();
    struct memdev *mem = memdev_new(&g);
    how.revision = 0x0251;
    assert_int_equal(udf_format(memdev_device(mem), &how), -EINVAL);
    how.revision = 0x0102;
    assert_int_equal(udf_format(memdev_device(mem), &how), -EINVAL);
    memdev_free(mem);
    g.writable = false;
    how.revision = 0;
    mem = memdev_new(&g);
    assert_int_equal(udf_format(memdev_device(mem), &how), -EROFS);
    memdev_free(mem);
    g = memdev_cdrw(udf_layout_minimum(32, true, false) - 1);
    mem = memdev_new(&g);
    assert_int_equal(udf_format(memdev_device(mem), &how), -ENOSPC);
    memdev_free(mem);
}

static void test_format_same_seed_same_bytes(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(SMALL);
    struct udf_format_options how = options();
    struct memdev *a = formatted(&g, &how);
    struct memdev *b = formatted(&g, &how);
    how.seed = 43;
    struct memdev *c = formatted(&g, &how);
    bool differs = false;
    for (uint32_t lba = 0; lba < g.blocks; lba++) {
        assert_memory_equal(memdev_medium(a, lba), memdev_medium(b, lba),
                            UDF_BLOCK_BYTES);
        differs = differs || memcmp(memdev_medium(a, lba),
                                    memdev_medium(c, lba), UDF_BLOCK_BYTES);
    }
    assert_true(differs);
    memdev_free(a);
    memdev_free(b);
    memdev_free(c);
}

/* Two formats in a row, without a seed, make volumes that can be told
 * apart. */
static void test_format_serials_differ(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(SMALL);
    struct udf_format_options how = options();
    how.seed = 0;
    uint64_t serial[2];
    for (int i = 0; i < 2; i++) {
        struct memdev *mem = formatted(&g, &how);
        struct udf_layout plan = plan_of(mem, &how);
        uint32_t lba = plan.region[UDF_REGION_MAIN_VDS].lba + 2;
        struct udf_iuvd iuvd;
        struct udf_own own;
        uint8_t block[UDF_BLOCK_BYTES];
        read_desc(mem, lba, block);
        assert_int_equal(udf_decode_iuvd(block, lba, &iuvd), 0);
        assert_int_equal(udf_own_decode(&iuvd, &own), 0);
        serial[i] = own.format_serial;
        prove_medium(mem);
        memdev_free(mem);
    }
    assert_true(serial[0] != serial[1]);
}

/* Power goes at every packet of a format over an older volume with another
 * layout. What is found then is nothing, or the new volume, whole. */
static void test_format_cut_anywhere(void **state) {
    (void)state;
    for (int tear = 0; tear < 2; tear++) {
        unsigned volumes = 0, cuts = 0;
        for (uint64_t at = 0;; at++) {
            struct blockdev_geometry g = memdev_cdrw(SMALL);
            struct memdev *mem = memdev_new(&g);
            struct udf_format_options how = options();
            how.label = "Old";
            how.map = UDF_MAP_TYPE1;
            how.seed = 7;
            assert_int_equal(udf_format(memdev_device(mem), &how), 0);
            memdev_reboot(mem);
            memdev_cut_after(mem, at, tear != 0);
            how = options();
            int err = udf_format(memdev_device(mem), &how);
            memdev_reboot(mem);
            if (err == 0) {
                check_verified(mem, "Test disc");
                memdev_free(mem);
                break;
            }
            cuts++;
            char label[UDF_TEXT_BYTES];
            int found = udf_probe(memdev_device(mem), label, sizeof(label));
            if (found == 0 && strcmp(label, "Old") != 0) {
                assert_string_equal(label, "Test disc");
                volumes++;
            } else if (found == 0) {
                /* only before the first wipe reached the medium */
                assert_true(at <= 1);
            }
            /* Whether there is anything to be asked for is clear. */
            if (udf_format_began(memdev_device(mem)) != 0) {
                assert_true(at == 0 || found == 0);
                assert_true(at == 0 || strcmp(label, "Test disc") == 0);
            }
            memdev_free(mem);
        }
        assert_true(cuts >= 19);   /* 2 of the mark, 4 wiped, 14 written */
        assert_true(volumes <= 4); /* all but some anchors were there */
    }
}

/* Leftovers of other kinds are gone: a file system with its head in the boot
 * area, ISO 9660, an anchor at 512 and at the places for run-out blocks. */
static void test_format_wipes_what_was_there(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_dvdrw(SMALL);
    struct memdev *mem = memdev_new(&g);
    const uint32_t places[] = {0,   16,          17,          18,
                               512, SMALL - 151, SMALL - 153, SMALL - 2,
                               257, SMALL - 407, SMALL - 258};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        memcpy(memdev_medium(mem, places[i]) + 1, "CD001", 5);
    }
    memdev_reboot(mem);
    memdev_set_cold(mem, true);
    struct udf_format_options how = options();
    assert_int_equal(udf_format(memdev_device(mem), &how), 0);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        assert_int_not_equal(
            memcmp(memdev_medium(mem, places[i]) + 1, "CD001", 5), 0);
    }
    prove_medium(mem);
    memdev_free(mem);
}

/* A packet of the old volume that cannot be read is no reason to refuse; one
 * of the new volume that cannot be written is reported. */
static void test_format_bad_packets(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(SMALL);
    struct udf_format_options how = options();
    struct memdev *mem = memdev_new(&g);
    memdev_set_cold(mem, true);
    memdev_fail_read(mem, 256);
    assert_int_equal(udf_format(memdev_device(mem), &how), 0);
    check_verified(mem, "Test disc");
    memdev_free(mem);
    mem = memdev_new(&g);
    struct udf_layout plan = plan_of(mem, &how);
    memdev_fail_write(mem, plan.region[UDF_REGION_RESERVE_VDS].lba);
    assert_int_equal(udf_format(memdev_device(mem), &how), -EIO);
    memdev_reboot(mem);
    assert_int_equal(udf_probe(memdev_device(mem), NULL, 0), -ENOENT);
    memdev_free(mem);
}

/* Every block that a volume consists of, damaged in turn: verify sees it. */
static void test_format_verify_sees_damage(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(SMALL);
    struct udf_format_options how = options();
    struct memdev *mem = formatted(&g, &how);
    struct udf_layout plan = plan_of(mem, &how);
    uint32_t start = plan.region[UDF_REGION_PARTITION].lba;
    uint32_t places[40];
    size_t count = 0;
    static const enum udf_region_id single[] = {
        UDF_REGION_ANCHOR_FIRST,   UDF_REGION_ANCHOR_MIDDLE,
        UDF_REGION_ANCHOR_LAST,    UDF_REGION_SPARING_FIRST,
        UDF_REGION_SPARING_SECOND, UDF_REGION_INTEGRITY};
    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        places[count++] = plan.region[single[i]].lba;
    }
    for (uint32_t i = 0; i < 7; i++) {
        places[count++] = plan.region[UDF_REGION_MAIN_VDS].lba + i;
        places[count++] = plan.region[UDF_REGION_RESERVE_VDS].lba + i;
    }
    places[count++] = 17; /* NSR */
    places[count++] = start;
    places[count++] = start + plan.fsd_lbn;
    places[count++] = start + plan.root_lbn;
    for (size_t i = 0; i < count; i++) {
        uint8_t *block = memdev_medium(mem, places[i]);
        static const int offsets[] = {4, 18};
        for (size_t k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++) {
            bool crc_covers = places[i] != 17 && places[i] != start;
            if (offsets[k] == 18 && !crc_covers) {
                continue;
            }
            block[offsets[k]] ^= 0x40;
            memdev_reboot(mem);
            assert_int_equal(udf_format_verify(memdev_device(mem)), -EUCLEAN);
            block[offsets[k]] ^= 0x40;
        }
    }
    memdev_reboot(mem);
    check_verified(mem, "Test disc");
    memdev_free(mem);
}

static void test_format_probe_finds_through_damage(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_cdrw(SMALL);
    struct udf_format_options how = options();
    struct memdev *mem = formatted(&g, &how);
    struct udf_layout plan = plan_of(mem, &how);
    char label[UDF_TEXT_BYTES];
    /* the anchor at 256 and the main sequence cannot be read */
    memdev_set_cold(mem, true);
    memdev_fail_read(mem, 256);
    memdev_fail_read(mem, plan.region[UDF_REGION_MAIN_VDS].lba);
    assert_int_equal(udf_probe(memdev_device(mem), label, sizeof(label)), 0);
    assert_string_equal(label, "Test disc");
    /* both sequences: it is still a volume */
    memdev_fail_read(mem, plan.region[UDF_REGION_RESERVE_VDS].lba);
    assert_int_equal(udf_probe(memdev_device(mem), label, sizeof(label)), 0);
    assert_string_equal(label, "");
    /* no anchor can be read: who knows */
    memdev_fail_read(mem, plan.region[UDF_REGION_ANCHOR_MIDDLE].lba);
    memdev_fail_read(mem, plan.region[UDF_REGION_ANCHOR_LAST].lba);
    assert_int_equal(udf_probe(memdev_device(mem), label, sizeof(label)), -EIO);
    memdev_free(mem);
}

static void test_format_probe_cuts_label_between_characters(void **state) {
    (void)state;
    struct blockdev_geometry g = memdev_image(SMALL);
    struct udf_format_options how = options();
    how.label = "a\xC3\xA4\xE6\x97\xA5";
    struct memdev *mem = formatted(&g, &how);
    static const char *const expected[] = {
        "", "a", "a", "a\xC3\xA4", "a\xC3\xA4", "a\xC3\xA4"};
    for (uint32_t room = 1; room <= 6; room++) {
        char label[8] = "~~~~~~~";
        assert_int_equal(udf_probe(memdev_device(mem), label, room), 0);
        assert_string_equal(label, expected[room - 1]);
    }
    prove_medium(mem);
    memdev_free(mem);
}

static void test_format_probe_of_nothing(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 17, 256, 257, 600, SMALL};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct blockdev_geometry g = memdev_image(sizes[i]);
        struct memdev *mem = memdev_new(&g);
        char label[UDF_TEXT_BYTES] = "untouched";
        assert_int_equal(udf_probe(memdev_device(mem), label, sizeof(label)),
                         -ENOENT);
        assert_string_equal(label, "untouched");
        assert_int_equal(udf_format_verify(memdev_device(mem)), -EUCLEAN);
        memdev_free(mem);
    }
}

/* Sequences that point into nowhere, or cover the whole device, end. */
static void test_format_probe_of_hostile_anchors(void **state) {
    (void)state;
    static const uint8_t rubbish[] = {0x00, 0x01, 0x7F, 0xFF};
    struct blockdev_geometry g = memdev_cdrw(SMALL);
    struct udf_format_options how = options();
    struct memdev *mem = formatted(&g, &how);
    struct udf_layout plan = plan_of(mem, &how);
    uint32_t vds = plan.region[UDF_REGION_MAIN_VDS].lba;
    for (size_t i = 0; i < sizeof(rubbish); i++) {
        for (uint32_t sector = 0; sector < 8; sector++) {
            memset(memdev_medium(mem, vds + sector) + 16, rubbish[i], 496);
        }
        memdev_reboot(mem);
        char label[UDF_TEXT_BYTES];
        assert_int_equal(udf_probe(memdev_device(mem), label, sizeof(label)),
                         0);
        assert_string_equal(label, "Test disc"); /* from the reserve */
        assert_int_equal(udf_format_verify(memdev_device(mem)), -EUCLEAN);
    }
    memdev_free(mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_every_medium),
        cmocka_unit_test(test_format_doubles_metadata_where_it_helps),
        cmocka_unit_test(test_format_usual_sizes),
        cmocka_unit_test(test_format_writes_each_packet_once),
        cmocka_unit_test(test_format_descriptors_of_a_cdrw),
        cmocka_unit_test(test_format_root),
        cmocka_unit_test(test_format_bitmap),
        cmocka_unit_test(test_format_lvid_extent_is_clean),
        cmocka_unit_test(test_format_labels),
        cmocka_unit_test(test_format_long_label_is_cut_between_characters),
        cmocka_unit_test(test_format_refuses),
        cmocka_unit_test(test_format_same_seed_same_bytes),
        cmocka_unit_test(test_format_serials_differ),
        cmocka_unit_test(test_format_cut_anywhere),
        cmocka_unit_test(test_format_wipes_what_was_there),
        cmocka_unit_test(test_format_bad_packets),
        cmocka_unit_test(test_format_verify_sees_damage),
        cmocka_unit_test(test_format_probe_finds_through_damage),
        cmocka_unit_test(test_format_probe_cuts_label_between_characters),
        cmocka_unit_test(test_format_probe_of_nothing),
        cmocka_unit_test(test_format_probe_of_hostile_anchors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
