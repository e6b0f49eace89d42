/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/compose.c - the volume; files and directories are in
 * compose_file.c. See compose.h.
 */
#include "test/support/compose.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf/encode.h"
#include "udf/tag.h"

enum { BYTES = UDF_BLOCK_BYTES, TIME = 1577934245 /* 2020-01-02 03:04:05 */ };

/* ---- blocks ----------------------------------------------------------- */

uint8_t *compose_sector(struct compose *c, uint32_t lba) {
    return memdev_medium(c->mem, lba);
}

uint8_t *compose_at(struct compose *c, struct udf_addr addr) {
    uint32_t shift = c->is_virtual && addr.part > 0 ? COMPOSE_SHIFT : 0;

    return compose_sector(c, c->pd[0].start_lba + addr.lbn + shift);
}

struct udf_addr compose_take(struct compose *c, uint32_t blocks) {
    struct udf_addr addr = {.lbn = c->next_lbn};

    assert_true(blocks <= c->used_blocks - c->next_lbn);
    for (uint32_t i = 0; i < blocks; i++) {
        c->used[c->next_lbn++] = true;
    }
    return addr;
}

struct udf_addr compose_take_icb(struct compose *c) {
    struct udf_addr addr = compose_take(c, 1);

    addr.part = c->icb_part;
    if (c->is_virtual) {
        assert_true(addr.lbn < COMPOSE_SHIFT);
        c->is_virtual[addr.lbn] = true;
    }
    return addr;
}

void compose_seal(struct compose *c, uint8_t *desc, uint32_t bytes,
                  enum udf_tag_id id, uint32_t location) {
    udf_tag_seal(desc, bytes, id, &c->style, location);
}

static uint32_t get16(const uint8_t *raw) {
    return raw[0] | (uint32_t)raw[1] << 8;
}

void compose_reseal(uint8_t *desc) {
    uint16_t crc = udf_crc(0, desc + 16, get16(desc + 10));
    unsigned sum = 0;

    desc[8] = (uint8_t)crc;
    desc[9] = (uint8_t)(crc >> 8);
    for (int i = 0; i < 16; i++) {
        sum += i == 4 ? 0 : desc[i];
    }
    desc[4] = (uint8_t)sum;
}

void compose_fill(struct compose *c, struct udf_addr addr, uint64_t bytes,
                  char letter) {
    while (bytes > 0) {
        uint64_t here = bytes < BYTES ? bytes : BYTES;

        memset(compose_at(c, addr), letter, (size_t)here);
        bytes -= here;
        addr.lbn++;
    }
}

/* ---- beginning -------------------------------------------------------- */

static struct udf_extent_ad sectors(uint32_t lba, uint32_t blocks) {
    return (struct udf_extent_ad){.bytes = blocks * BYTES, .lba = lba};
}

static void describe_volume(struct compose *c) {
    struct udf_time now = {.sec = TIME};
    struct udf_entity maker = {.id = "*Rare Forms"};

    c->avdp = (struct udf_avdp){
        .main = sectors(COMPOSE_MAIN_LBA, COMPOSE_VDS_BLOCKS),
        .reserve = sectors(COMPOSE_RESERVE_LBA, COMPOSE_VDS_BLOCKS),
    };
    c->pvd = (struct udf_pvd){
        .vdsn = 1,
        .volume_id = "Rare",
        .volume_set_id = "5E0D5AE5C0FFEE00rare",
        .recorded = now,
        .application = maker,
        .implementation = maker,
    };
    c->iuvd = (struct udf_iuvd){.vdsn = 2, .label = "Rare"};
    udf_entity_udf("*UDF LV Info", c->revision, &c->iuvd.implementation);
    c->pds = 1;
    c->pd[0] = (struct udf_pd){
        .vdsn = 3,
        .flags = 1,
        .access = 4,
        .start_lba = COMPOSE_PARTITION_LBA,
        .blocks = COMPOSE_PARTITION_BLOCKS,
        .implementation = maker,
    };
    strcpy(c->pd[0].contents, c->revision < 0x0200 ? "+NSR02" : "+NSR03");
    c->lvd = (struct udf_lvd){
        .vdsn = 4,
        .label = "Rare",
        .block_bytes = BYTES,
        .implementation = maker,
        .integrity = sectors(COMPOSE_LVID_LBA, COMPOSE_LVID_BLOCKS),
        .maps = 1,
        .map = {{.kind = UDF_MAP_KIND_PHYSICAL, .volume_sequence = 1}},
    };
    udf_entity_domain(c->revision, &c->lvd.domain);
    c->usd = (struct udf_usd){.vdsn = 5};
}

static void describe_file_set(struct compose *c) {
    struct udf_time now = {.sec = TIME};

    c->lvid = (struct udf_lvid){
        .recorded = now,
        .closed = true,
        .partitions = 1,
        .implementation = {.id = "*Rare Forms"},
        .directories = 1,
        .min_read = c->revision,
        .min_write = c->revision,
        .max_write = c->revision,
    };
    c->fsd = (struct udf_fsd){
        .recorded = now, .label = "Rare", .file_set_id = "Rare"};
    udf_entity_domain(c->revision, &c->fsd.domain);
}

static struct compose *begin(uint16_t revision, struct memdev *mem) {
    struct compose *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    c->mem = mem;
    c->revision = revision;
    c->style = (struct udf_tag_style){.version = revision < 0x0200 ? 2 : 3,
                                      .serial = 1};
    c->anchor_256 = c->anchor_end = c->anchor_last = true;
    assert_true(memdev_device(mem)->geometry.blocks >= COMPOSE_BLOCKS);
    describe_volume(c);
    c->pd[0].blocks =
        (memdev_device(mem)->geometry.blocks - 260 - COMPOSE_PARTITION_LBA) /
        64 * 64;
    describe_file_set(c);
    c->used_blocks = c->pd[0].blocks;
    c->used = calloc(c->used_blocks, sizeof(*c->used));
    assert_non_null(c->used);
    c->next_id = 16;
    return c;
}

static void begin_root(struct compose *c) {
    (void)compose_take(c, (24 + c->pd[0].blocks / 8 + BYTES) / BYTES);
    c->fsd_addr = compose_take_icb(c);
    compose_dir_begin(c, &c->root, NULL, NULL);
}

struct compose *compose_new_on(uint16_t revision, struct memdev *mem) {
    struct compose *c = begin(revision, mem);

    begin_root(c);
    return c;
}

struct compose *compose_new_virtual(uint16_t revision) {
    struct blockdev_geometry geometry = memdev_image(COMPOSE_BLOCKS);
    struct compose *c = begin(revision, memdev_new(&geometry));

    c->icb_part = 1;
    c->is_virtual = calloc(c->used_blocks, sizeof(*c->is_virtual));
    assert_non_null(c->is_virtual);
    c->space = COMPOSE_NOTHING;
    c->anchor_end = c->anchor_last = false;
    c->pd[0].access = 2;
    c->pd[0].blocks = COMPOSE_BLOCKS - COMPOSE_PARTITION_LBA;
    c->lvd.maps = 2;
    c->lvd.map[1] = (struct udf_lvd_map){.kind = UDF_MAP_KIND_VIRTUAL,
                                         .volume_sequence = 1};
    c->lvid.partitions = 2;
    c->lvid.free_blocks[1] = c->lvid.size_blocks[1] = UINT32_MAX;
    c->lvid.closed = false; /* as it was when the disc was begun */
    begin_root(c);
    return c;
}

struct compose *compose_new(uint16_t revision) {
    struct blockdev_geometry geometry = memdev_image(COMPOSE_BLOCKS);

    return compose_new_on(revision, memdev_new(&geometry));
}

struct memdev *compose_free(struct compose *c) {
    struct memdev *mem = c->mem;

    free(c->used);
    free(c->is_virtual);
    free(c);
    return mem;
}

/* ---- ending ----------------------------------------------------------- */

static void put_recognition(struct compose *c) {
    const char *ids[] = {"BEA01", c->revision < 0x0200 ? "NSR02" : "NSR03",
                         "TEA01"};

    for (uint32_t i = 0; i < 3; i++) {
        uint8_t *block = compose_sector(c, COMPOSE_VRS_LBA + i);

        memcpy(block + 1, ids[i], 5);
        block[6] = 1;
    }
}

static void put_sequence(struct compose *c, uint32_t lba) {
    uint8_t *(*at)(struct compose *, uint32_t) = compose_sector;

    assert_int_equal(udf_encode_pvd(&c->pvd, &c->style, lba, at(c, lba)), 0);
    lba++;
    assert_int_equal(udf_encode_iuvd(&c->iuvd, &c->style, lba, at(c, lba)), 0);
    lba++;
    for (uint32_t i = 0; i < c->pds; i++, lba++) {
        udf_encode_pd(&c->pd[i], &c->style, lba, at(c, lba));
    }
    assert_int_equal(udf_encode_lvd(&c->lvd, &c->style, lba, at(c, lba)), 0);
    lba++;
    udf_encode_usd(&c->usd, &c->style, lba, at(c, lba));
    lba++;
    udf_encode_td(&c->style, lba, at(c, lba));
}

static void put_anchors(struct compose *c) {
    uint32_t last = memdev_device(c->mem)->geometry.blocks - 1;
    const struct {
        bool wanted;
        uint32_t lba;
    } places[] = {{c->anchor_256, 256},
                  {c->anchor_end, last - 256},
                  {c->anchor_last, last}};

    for (size_t i = 0; i < 3; i++) {
        if (places[i].wanted) {
            udf_encode_avdp(&c->avdp, &c->style, places[i].lba,
                            compose_sector(c, places[i].lba));
        }
    }
}

/* Blocks that a partition was given later are not free. */
static bool is_free(const struct compose *c, uint32_t lbn) {
    return lbn < c->used_blocks && !c->used[lbn];
}

static uint32_t free_blocks(const struct compose *c) {
    uint32_t count = 0;

    for (uint32_t i = 0; i < c->pd[0].blocks; i++) {
        count += is_free(c, i);
    }
    return count;
}

/* ECMA-167 4/14.12: a bit a block, 1 is free. */
static void put_bitmap(struct compose *c) {
    uint8_t *raw = compose_at(c, (struct udf_addr){0});
    uint32_t bits = c->pd[0].blocks;

    udf_encode_sbd(bits, &c->style, 0, raw);
    for (uint32_t i = 0; i < bits; i++) {
        raw[24 + i / 8] |= (uint8_t)(is_free(c, i) << (i % 8));
    }
    c->pd[0].unallocated_bitmap =
        (struct udf_short_ad){.bytes = 24 + (bits + 7) / 8};
}

/* ECMA-167 4/14.11: an entry with the extents of free space. The block that
 * a bitmap would begin with takes it. */
static void put_table(struct compose *c) {
    enum { HEAD = 40 };
    uint8_t *raw = compose_at(c, (struct udf_addr){0});
    uint32_t bytes = HEAD;

    for (uint32_t i = 0, run; i < c->pd[0].blocks; i += run + 1) {
        struct udf_short_ad ad = {.kind = UDF_EXTENT_ALLOCATED, .lbn = i};

        for (run = 0; i + run < c->pd[0].blocks && is_free(c, i + run); run++) {
        }
        ad.bytes = run * BYTES;
        if (run > 0) {
            udf_short_ad_encode(&ad, raw + bytes);
            bytes += 8;
        }
    }
    raw[20] = UDF_STRATEGY_4;
    raw[24] = 1; /* one entry in the ICB */
    raw[27] = 1; /* file type: unallocated space entry */
    raw[36] = (uint8_t)(bytes - HEAD);
    compose_seal(c, raw, bytes, UDF_TAG_USE, 0);
    c->pd[0].unallocated_table = (struct udf_short_ad){.bytes = BYTES};
}

static void put32(uint8_t *raw, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        raw[i] = (uint8_t)(value >> 8 * i);
    }
}

/* What is before the entries, or behind them. UDF 1.50 2.2.10, UDF 2.60
 * 2.2.11. Returns the bytes of it. */
static uint32_t put_vat_fields(struct compose *c, uint8_t *raw) {
    enum { HEAD = 152, TRAILER = 36 };
    struct udf_entity id;

    if (c->revision < 0x0200) {
        udf_entity_udf("*UDF Virtual Alloc Tbl", c->revision, &id);
        udf_entity_encode(&id, raw);
        put32(raw + 32, UINT32_MAX);
        return TRAILER;
    }
    raw[0] = HEAD;
    put32(raw + 132, UINT32_MAX);
    put32(raw + 136, c->lvid.files);
    put32(raw + 140, c->lvid.directories);
    put32(raw + 144, c->lvid.min_read | (uint32_t)c->lvid.min_write << 16);
    put32(raw + 148, c->lvid.max_write);
    return HEAD;
}

/* The table, in the ICB that is the last block. */
static void put_vat(struct compose *c) {
    struct udf_addr addr = {.lbn = c->pd[0].blocks - 1};
    struct udf_fe fe = compose_fe(c, UDF_FILE_VAT);
    uint8_t raw[BYTES] = {0};
    bool old = c->revision < 0x0200;
    uint32_t bytes = old ? 0 : put_vat_fields(c, raw);

    for (uint32_t i = 0; i < c->next_lbn; i++, bytes += 4) {
        assert_true(bytes < 1500);
        put32(raw + bytes, c->is_virtual[i] ? i + COMPOSE_SHIFT : UINT32_MAX);
    }
    bytes += old ? put_vat_fields(c, raw + bytes) : 0;
    fe.file_type = old ? 0 : UDF_FILE_VAT;
    fe.links = 0;
    fe.ads = raw;
    fe.ads_bytes = bytes;
    fe.info_bytes = fe.object_bytes = bytes;
    compose_put_fe(c, addr, &fe);
}

void compose_end(struct compose *c) {
    compose_dir_end(c, &c->root);
    if (c->space == COMPOSE_BITMAP) {
        put_bitmap(c);
    } else if (c->space == COMPOSE_TABLE) {
        put_table(c);
    }
    if (c->is_virtual) {
        put_vat(c);
    }
    c->fsd.root = (struct udf_long_ad){.bytes = BYTES, .addr = c->root.icb};
    assert_int_equal(udf_encode_fsd(&c->fsd, &c->style, c->fsd_addr.lbn,
                                    compose_at(c, c->fsd_addr)),
                     0);
    c->lvd.fsd = (struct udf_long_ad){.bytes = BYTES, .addr = c->fsd_addr};
    c->lvid.next_unique_id = c->next_id;
    c->lvid.free_blocks[0] = c->is_virtual ? UINT32_MAX : free_blocks(c);
    c->lvid.size_blocks[0] = c->pd[0].blocks;
    udf_encode_lvid(&c->lvid, &c->style, COMPOSE_LVID_LBA,
                    compose_sector(c, COMPOSE_LVID_LBA));
    udf_encode_td(&c->style, COMPOSE_LVID_LBA + 1,
                  compose_sector(c, COMPOSE_LVID_LBA + 1));
    put_recognition(c);
    put_sequence(c, c->avdp.main.lba);
    put_sequence(c, c->avdp.reserve.lba);
    put_anchors(c);
}
