/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/compose_file.c - file entries, extents and directories of an
 * image. See compose.h.
 */
#include "test/support/compose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "udf/attr.h"
#include "udf/cs0.h"
#include "udf/encode.h"

enum { BYTES = UDF_BLOCK_BYTES, TIME = 1577934245, OWNER = 1000 };

/* ---- file entries ----------------------------------------------------- */

struct udf_fe compose_fe(struct compose *c, enum udf_file_type type) {
    struct udf_time now = {.sec = TIME, .nsec = 678901000};

    return (struct udf_fe){
        .extended = c->revision >= 0x0200,
        .strategy = UDF_STRATEGY_4,
        .max_entries = 1,
        .file_type = (uint8_t)type,
        .uid = OWNER,
        .gid = OWNER,
        .permissions =
            udf_permissions_encode(type == UDF_FILE_DIRECTORY ? 0755 : 0644),
        .links = 1,
        .atime = now,
        .mtime = now,
        .ctime = now,
        .btime = now,
        .checkpoint = 1,
        .implementation = {.id = "*Rare Forms"},
        .unique_id = c->next_id++,
        .icb_flags = UDF_AD_EMBEDDED,
    };
}

static void set_form(struct udf_fe *fe, enum udf_ad_form form) {
    fe->icb_flags =
        (uint16_t)((fe->icb_flags & ~(unsigned)UDF_ICB_FORM_MASK) | form);
}

static void set_content(struct udf_fe *fe, uint64_t info_bytes,
                        const uint8_t *ads, uint32_t ads_bytes) {
    fe->info_bytes = fe->object_bytes = info_bytes;
    fe->ads = ads;
    fe->ads_bytes = ads_bytes;
}

void compose_embed(struct udf_fe *fe, const char *text) {
    set_form(fe, UDF_AD_EMBEDDED);
    set_content(fe, strlen(text), (const uint8_t *)text,
                (uint32_t)strlen(text));
}

void compose_ad(struct compose_ads *ads, enum udf_extent_kind kind,
                uint32_t bytes, struct udf_addr addr) {
    struct udf_long_ad wide = {
        .bytes = bytes, .kind = (uint8_t)kind, .addr = addr};
    struct udf_short_ad narrow = {
        .bytes = bytes, .kind = (uint8_t)kind, .lbn = addr.lbn};
    uint8_t *raw = ads->raw + ads->bytes;

    ads->bytes += udf_ad_size(ads->form);
    assert_true(ads->bytes <= sizeof(ads->raw));
    if (ads->form == UDF_AD_SHORT) {
        udf_short_ad_encode(&narrow, raw);
    } else if (ads->form == UDF_AD_LONG) {
        udf_long_ad_encode(&wide, raw);
    } else {
        /* ECMA-167 4/14.14.3: recorded and information length between. */
        uint8_t shape[16];

        udf_long_ad_encode(&wide, shape);
        memcpy(raw, shape, 4);
        narrow.bytes = kind == UDF_EXTENT_RECORDED ? bytes : 0;
        narrow.kind = 0;
        narrow.lbn = narrow.bytes;
        udf_short_ad_encode(&narrow, raw + 4);
        memcpy(raw + 12, shape + 4, 6);
    }
    if (kind != UDF_EXTENT_NEXT) {
        ads->info_bytes += bytes;
    }
    if (kind == UDF_EXTENT_RECORDED) {
        ads->recorded += (bytes + BYTES - 1) / BYTES;
    }
}

struct udf_addr compose_data(struct compose *c, struct compose_ads *ads,
                             uint32_t bytes, char letter) {
    struct udf_addr addr = compose_take(c, (bytes + BYTES - 1) / BYTES);

    compose_fill(c, addr, bytes, letter);
    compose_ad(ads, UDF_EXTENT_RECORDED, bytes, addr);
    return addr;
}

void compose_use_ads(struct udf_fe *fe, const struct compose_ads *ads) {
    set_form(fe, ads->form);
    set_content(fe, ads->info_bytes, ads->raw, ads->bytes);
    fe->blocks_recorded = ads->recorded;
}

void compose_put_fe(struct compose *c, struct udf_addr addr,
                    const struct udf_fe *fe) {
    assert_int_equal(
        udf_encode_fe(fe, &c->style, addr.lbn, compose_at(c, addr)), 0);
}

void compose_put_aed(struct compose *c, struct udf_addr addr,
                     const struct compose_ads *ads) {
    struct udf_aed aed = {.ads = ads->raw, .ads_bytes = ads->bytes};

    assert_int_equal(
        udf_encode_aed(&aed, &c->style, addr.lbn, compose_at(c, addr)), 0);
}

/* The ICB tag of an entry without content. ECMA-167 4/14.6 */
static uint8_t *put_entry_head(struct compose *c, struct udf_addr addr,
                               uint8_t file_type) {
    uint8_t *raw = compose_at(c, addr);

    memset(raw, 0, BYTES);
    raw[21] = UDF_STRATEGY_4096 >> 8;
    raw[22] = 1;
    raw[24] = 2;
    raw[27] = file_type;
    return raw;
}

void compose_put_ie(struct compose *c, struct udf_addr addr,
                    struct udf_addr next, uint32_t blocks) {
    enum { INDIRECT = 3, IE_BYTES = 52 };
    struct udf_long_ad leads_to = {.bytes = blocks * BYTES, .addr = next};
    uint8_t *raw = put_entry_head(c, addr, INDIRECT);

    udf_long_ad_encode(&leads_to, raw + 36);
    compose_seal(c, raw, IE_BYTES, UDF_TAG_IE, addr.lbn);
}

void compose_put_te(struct compose *c, struct udf_addr addr) {
    enum { TERMINAL = 11, TE_BYTES = 36 };

    compose_seal(c, put_entry_head(c, addr, TERMINAL), TE_BYTES, UDF_TAG_TE,
                 addr.lbn);
}

/* ---- directories ------------------------------------------------------ */

struct udf_fid compose_fid(struct compose *c, const struct udf_fe *fe,
                           struct udf_addr icb) {
    return (struct udf_fid){
        .characteristics =
            fe->file_type == UDF_FILE_DIRECTORY ? UDF_FID_DIRECTORY : 0,
        .icb = {.bytes = BYTES,
                .addr = icb,
                .unique_id =
                    c->revision >= 0x0200 ? (uint32_t)fe->unique_id : 0},
    };
}

void compose_add_fid(struct compose *c, struct compose_dir *dir,
                     const struct udf_fid *fid) {
    uint32_t bytes = udf_fid_size(fid->use_bytes, fid->name_bytes);

    assert_true(dir->bytes + bytes <= sizeof(dir->stream));
    udf_fid_encode(fid, &c->style, 0, dir->stream + dir->bytes);
    dir->bytes += bytes;
    if (fid->characteristics & (UDF_FID_DELETED | UDF_FID_PARENT)) {
        return;
    }
    if (fid->characteristics & UDF_FID_DIRECTORY) {
        dir->fe.links++;
        c->lvid.directories++;
    } else {
        c->lvid.files++;
    }
}

void compose_name(struct compose *c, struct compose_dir *dir, const char *text,
                  const struct udf_fe *fe, struct udf_addr icb) {
    struct udf_fid fid = compose_fid(c, fe, icb);
    uint8_t cs0[UDF_NAME_CS0_MAX];
    uint32_t bytes;

    assert_int_equal(
        udf_cs0_encode(text, (uint32_t)strlen(text), cs0, sizeof(cs0), &bytes),
        0);
    fid.name = cs0;
    fid.name_bytes = (uint8_t)bytes;
    compose_add_fid(c, dir, &fid);
}

void compose_dir_begin(struct compose *c, struct compose_dir *dir,
                       struct compose_dir *parent, const char *name) {
    struct compose_dir *above = parent ? parent : dir;
    struct udf_fid fid;

    memset(dir, 0, sizeof(*dir));
    dir->fe = compose_fe(c, UDF_FILE_DIRECTORY);
    dir->icb = compose_take_icb(c);
    if (!parent) { /* UDF 2.60 3.2.1.1: the root's UniqueID is 0 */
        dir->fe.unique_id = 0;
        c->next_id--;
    } else {
        compose_name(c, parent, name, &dir->fe, dir->icb);
    }
    fid = compose_fid(c, &above->fe, above->icb);
    fid.characteristics = UDF_FID_PARENT | UDF_FID_DIRECTORY;
    compose_add_fid(c, dir, &fid);
}

/* Seals the FIDs for the blocks that they begin in. */
static void seal_stream(struct compose *c, struct compose_dir *dir) {
    uint32_t at = 0;

    while (at < dir->bytes) {
        uint32_t size, lbn = dir->icb.lbn, begin = 0;
        struct udf_fid fid;

        for (uint32_t i = 0; i < dir->runs; begin += dir->run[i++].bytes) {
            if (at >= begin && at - begin < dir->run[i].bytes) {
                lbn = dir->run[i].addr.lbn + (at - begin) / BYTES;
            }
        }
        assert_int_equal(
            udf_fid_decode(dir->stream + at, dir->bytes - at, &fid, &size), 0);
        udf_fid_move(dir->stream + at, size, &c->style, lbn);
        at += size;
    }
}

void compose_dir_end(struct compose *c, struct compose_dir *dir) {
    struct compose_ads ads = {.form = UDF_AD_SHORT};
    uint32_t at = 0;

    seal_stream(c, dir);
    for (uint32_t i = 0; i < dir->runs && at < dir->bytes; i++) {
        uint32_t left = dir->bytes - at;
        uint32_t here = left < dir->run[i].bytes ? left : dir->run[i].bytes;

        memcpy(compose_at(c, dir->run[i].addr), dir->stream + at, here);
        compose_ad(&ads, UDF_EXTENT_RECORDED, here, dir->run[i].addr);
        at += here;
    }
    if (dir->runs > 0) {
        assert_int_equal(at, dir->bytes);
        compose_use_ads(&dir->fe, &ads);
    } else {
        set_content(&dir->fe, dir->bytes, dir->stream, dir->bytes);
    }
    compose_put_fe(c, dir->icb, &dir->fe);
}

struct udf_addr compose_entry(struct compose *c, struct compose_dir *dir,
                              const char *name, const struct udf_fe *fe) {
    struct udf_addr icb = compose_take_icb(c);

    compose_put_fe(c, icb, fe);
    compose_name(c, dir, name, fe, icb);
    return icb;
}

struct udf_addr compose_file(struct compose *c, struct compose_dir *dir,
                             const char *name, const char *text) {
    struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

    compose_embed(&fe, text);
    return compose_entry(c, dir, name, &fe);
}
