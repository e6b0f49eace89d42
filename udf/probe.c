/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/probe.c - the reading half of udf/format.h: is there a UDF volume, and
 * is what udf_format() wrote on the medium. Bounded: however damaged or
 * hostile the disc, a probe reads at most a few hundred blocks.
 *
 * It finds things by functions of its own and not by udf/volume, so that a
 * formatted disc is judged by other eyes than those that will mount it.
 */
#include "udf/format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "udf/decode.h"
#include "udf/own.h"
#include "udf/sparing_table.h"
#include "udf/tag.h"

enum {
    BYTES = UDF_BLOCK_BYTES,
    VRS_LBA = 16,
    FIRST_ANCHOR = 256,
    VRS_MAX = 64,  /* structures that are looked at, ISO 9660's included */
    VDS_MAX = 256, /* sectors of a sequence that are looked at */
    FETCH_TRIES = 4,
    SHORT_AD_BYTES = 8
};

/* Reads one block. It is fetched again when others pushed it out of memory
 * meanwhile, but not for ever. Returns 0; -EUCLEAN beyond the device; -EIO
 * and other errors of blockdev_fetch(). */
static int read_block(struct blockdev *dev, uint32_t lba, uint8_t *block) {
    if (lba >= dev->geometry.blocks) {
        return -EUCLEAN;
    }
    int err = blockdev_read_cached(dev, lba, 1, block);
    for (int i = 0; i < FETCH_TRIES && err == -EINPROGRESS; i++) {
        err = blockdev_fetch(dev, lba, 1);
        err = err ? err : blockdev_read_cached(dev, lba, 1, block);
    }
    return err == -EINPROGRESS ? -EIO : err;
}

static bool is_vsd(const uint8_t *block, const char *id) {
    return memcmp(block + 1, id, 5) == 0;
}

/* Walks the volume recognition sequence, ECMA-167 2/8.3. Returns 0 when it
 * names UDF; -ENOENT; an error of read_block(). */
static int find_nsr(struct blockdev *dev) {
    static const char *const others[] = {"BEA01", "BOOT2", "CD001", "CDW02"};
    uint8_t block[BYTES];
    for (uint32_t i = 0; i < VRS_MAX; i++) {
        int err =
            read_block(dev, dev->geometry.session_start + VRS_LBA + i, block);
        if (err) {
            return err == -EUCLEAN ? -ENOENT : err;
        }
        if (is_vsd(block, "NSR02") || is_vsd(block, "NSR03")) {
            return 0;
        }
        bool known = false;
        for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
            known = known || is_vsd(block, others[k]);
        }
        if (!known) {
            return -ENOENT;
        }
    }
    return -ENOENT;
}

static int read_anchor(struct blockdev *dev, uint32_t lba,
                       struct udf_avdp *out_avdp) {
    uint8_t block[BYTES];
    int err = read_block(dev, lba, block);
    return err ? err : udf_decode_avdp(block, lba, out_avdp);
}

/* The first anchor that can be read. Returns 0; -ENOENT; -EIO when there may
 * be one that cannot be read. */
static int find_anchor(struct blockdev *dev, struct udf_avdp *out_avdp) {
    uint32_t base = dev->geometry.session_start;
    uint32_t last = dev->geometry.blocks - 1;
    const uint32_t places[] = {base + 256, last - 256, last, base + 512};
    int result = -ENOENT;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int err = read_anchor(dev, places[i], out_avdp);
        if (!err) {
            return 0;
        }
        result = err == -EUCLEAN ? result : err;
    }
    return result;
}

static uint32_t sequence_blocks(const struct udf_extent_ad *extent) {
    uint32_t blocks = extent->bytes / BYTES;
    return blocks < VDS_MAX ? blocks : VDS_MAX;
}

/* The prevailing logical volume descriptor of one sequence. Returns 0 or
 * -ENOENT. */
static int find_lvd(struct blockdev *dev, const struct udf_extent_ad *extent,
                    struct udf_lvd *out_lvd) {
    uint8_t block[BYTES];
    int result = -ENOENT;
    for (uint32_t i = 0; i < sequence_blocks(extent); i++) {
        uint32_t lba = extent->lba + i;
        struct udf_tag tag;
        struct udf_lvd lvd;
        if (read_block(dev, lba, block) || udf_tag_check(block, BYTES, &tag) ||
            tag.id == UDF_TAG_TD) {
            break;
        }
        if (udf_decode_lvd(block, lba, &lvd) == 0 &&
            (result != 0 || lvd.vdsn >= out_lvd->vdsn)) {
            *out_lvd = lvd;
            result = 0;
        }
    }
    return result;
}

/* Copies as many whole characters as fit. */
static void copy_text(char *out, uint32_t room, const char *text) {
    if (!out || room == 0) {
        return;
    }
    size_t bytes = strlen(text);
    if (bytes >= room) {
        bytes = room - 1;
        while (bytes > 0 && ((uint8_t)text[bytes] & 0xC0) == 0x80) {
            bytes--;
        }
    }
    memcpy(out, text, bytes);
    out[bytes] = '\0';
}

int udf_probe(struct blockdev *dev, char *label, uint32_t label_bytes) {
    struct udf_avdp avdp;
    struct udf_lvd lvd;
    if (dev->geometry.blocks <= 256) {
        return -ENOENT;
    }
    int err = find_nsr(dev);
    if (!err) {
        err = find_anchor(dev, &avdp);
    }
    if (err) {
        return err;
    }
    /* A volume whose descriptors are gone is a volume all the same: whoever
     * asks wants to know whether there is data to lose. */
    if (find_lvd(dev, &avdp.main, &lvd) && find_lvd(dev, &avdp.reserve, &lvd)) {
        copy_text(label, label_bytes, "");
    } else {
        copy_text(label, label_bytes, lvd.label);
    }
    return 0;
}

/* What verifying has found so far. */
struct found {
    struct udf_avdp avdp;
    struct udf_pd pd;
    struct udf_lvd lvd;
    unsigned tags; /* bit n: a descriptor with tag identifier n */
    bool own;
};

static int take_descriptor(struct found *found, const uint8_t *block,
                           uint32_t lba, uint16_t id) {
    struct udf_iuvd iuvd;
    struct udf_own own;
    switch (id) {
    case UDF_TAG_PD:
        return udf_decode_pd(block, lba, &found->pd);
    case UDF_TAG_LVD:
        return udf_decode_lvd(block, lba, &found->lvd);
    case UDF_TAG_IUVD:
        if (udf_decode_iuvd(block, lba, &iuvd) == 0 &&
            udf_own_decode(&iuvd, &own) == 0) {
            found->own = true;
        }
        return 0;
    default:
        return 0;
    }
}

/* One descriptor of the main sequence against its copy. */
static int compare_copies(const uint8_t *main, uint32_t main_lba,
                          const uint8_t *copy, uint32_t copy_lba,
                          uint16_t *out_id) {
    struct udf_tag a, b;
    int err = udf_tag_check(main, BYTES, &a);
    err = err ? err : udf_tag_check(copy, BYTES, &b);
    if (err) {
        return err;
    }
    bool same = a.id == b.id && a.version == b.version &&
                a.serial == b.serial && a.location == main_lba &&
                b.location == copy_lba &&
                memcmp(main + 16, copy + 16, BYTES - 16) == 0;
    *out_id = a.id;
    return same ? 0 : -EUCLEAN;
}

/* Both sequences, up to the terminator that both must have. */
static int verify_sequences(struct blockdev *dev, struct found *found) {
    const struct udf_extent_ad *main = &found->avdp.main;
    const struct udf_extent_ad *copy = &found->avdp.reserve;
    uint8_t one[BYTES], two[BYTES];
    if (main->bytes != copy->bytes) {
        return -EUCLEAN;
    }
    for (uint32_t i = 0; i < sequence_blocks(main); i++) {
        uint16_t id;
        int err = read_block(dev, main->lba + i, one);
        err = err ? err : read_block(dev, copy->lba + i, two);
        err = err ? err
                  : compare_copies(one, main->lba + i, two, copy->lba + i, &id);
        err = err ? err : take_descriptor(found, one, main->lba + i, id);
        if (err) {
            return err;
        }
        found->tags |= id < 32 ? 1u << id : 0;
        if (id == UDF_TAG_TD) {
            return 0;
        }
    }
    return -EUCLEAN;
}

/* A volume whose reserve sequence lies before its first anchor was made while
 * the medium was being formatted; it gets its other anchors later. */
static bool has_one_anchor(const struct udf_avdp *avdp) {
    return avdp->reserve.lba < FIRST_ANCHOR;
}

static int verify_anchors(struct blockdev *dev, struct found *found) {
    uint32_t last = dev->geometry.blocks - 1;
    const uint32_t places[] = {FIRST_ANCHOR, last - 256, last};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct udf_avdp avdp;
        int err = read_anchor(dev, places[i], &avdp);
        if (err) {
            bool later = i > 0 && has_one_anchor(&found->avdp) &&
                         (err == -EUCLEAN || err == -EIO);
            return later ? 0 : err;
        }
        if (i > 0 && memcmp(&avdp, &found->avdp, sizeof(avdp)) != 0) {
            return -EUCLEAN;
        }
        found->avdp = avdp;
    }
    return 0;
}

static int verify_integrity(struct blockdev *dev, const struct found *found) {
    uint8_t block[BYTES];
    struct udf_lvid lvid;
    uint32_t lba = found->lvd.integrity.lba;
    int err = read_block(dev, lba, block);
    err = err ? err : udf_decode_lvid(block, lba, &lvid);
    if (err) {
        return err;
    }
    bool good = lvid.closed && lvid.partitions == found->lvd.maps &&
                lvid.size_blocks[0] == found->pd.blocks;
    return good ? 0 : -EUCLEAN;
}

static bool same_table(const struct udf_sparing_table *a,
                       const struct udf_sparing_table *b) {
    return a->sequence == b->sequence && a->entries == b->entries &&
           memcmp(a->entry, b->entry, a->entries * sizeof(a->entry[0])) == 0;
}

static int read_table(struct blockdev *dev, uint32_t lba,
                      struct udf_sparing_table *out_table) {
    uint8_t block[BYTES];
    int err = read_block(dev, lba, block);
    return err ? err : udf_decode_sparing(block, BYTES, lba, out_table);
}

/* Every copy of the sparing table is there and says the same. */
static int verify_sparing(struct blockdev *dev, const struct found *found) {
    const struct udf_lvd_map *map = &found->lvd.map[0];
    struct udf_sparing_table first = {0}, table = {0};
    int err = 0;
    if (map->kind != UDF_MAP_KIND_SPARABLE) {
        return 0;
    }
    for (uint8_t i = 0; !err && i < map->tables; i++) {
        err = read_table(dev, map->table_lba[i], &table);
        if (!err && i > 0 && !same_table(&first, &table)) {
            err = -EUCLEAN;
        }
        if (!err) {
            udf_sparing_table_free(&first);
            first = table;
            table = (struct udf_sparing_table){0};
        }
    }
    udf_sparing_table_free(&first);
    udf_sparing_table_free(&table);
    return err;
}

/* Whether there is a second map, which formatting only makes of one kind. */
static bool has_metadata(const struct found *found) {
    return found->lvd.maps == 2 &&
           found->lvd.map[1].kind == UDF_MAP_KIND_METADATA;
}

/* One entry of the metadata partition, whose content is in one extent. */
static int read_entry(struct blockdev *dev, const struct found *found,
                      uint32_t lbn, uint8_t file_type, uint32_t *out_lbn) {
    uint8_t block[BYTES];
    struct udf_fe fe;
    int err = read_block(dev, found->pd.start_lba + lbn, block);
    err = err ? err : udf_decode_fe(block, lbn, &fe);
    if (err) {
        return err;
    }
    if (fe.file_type != file_type || fe.ads_bytes != SHORT_AD_BYTES) {
        return -EUCLEAN;
    }
    *out_lbn = udf_short_ad_decode(fe.ads).lbn;
    return 0;
}

/* The three files of the metadata partition, and what the copies begin with.
 * *out_lbn is where it begins. */
static int verify_metadata(struct blockdev *dev, const struct found *found,
                           uint32_t *out_lbn) {
    const struct udf_lvd_map *map = &found->lvd.map[1];
    uint32_t start = found->pd.start_lba, main, mirror, bitmap, bits, bytes;
    uint8_t one[BYTES], two[BYTES];
    int err =
        read_entry(dev, found, map->metadata_lbn, UDF_FILE_METADATA, &main);
    err = err ? err
              : read_entry(dev, found, map->mirror_lbn,
                           UDF_FILE_METADATA_MIRROR, &mirror);
    err = err ? err
              : read_entry(dev, found, map->bitmap_lbn,
                           UDF_FILE_METADATA_BITMAP, &bitmap);
    err = err ? err : read_block(dev, start + bitmap, one);
    err = err ? err : udf_decode_sbd(one, bitmap, &bits, &bytes);
    err = err ? err : read_block(dev, start + main, one);
    err = err ? err : read_block(dev, start + mirror, two);
    if (err) {
        return err;
    }
    *out_lbn = main;
    return memcmp(one, two, sizeof(one)) == 0 ? 0 : -EUCLEAN;
}

/* Bitmap, file set and root, by the addresses that the descriptors give. */
static int verify_partition(struct blockdev *dev, const struct found *found) {
    uint8_t block[BYTES];
    uint32_t start = found->pd.start_lba;
    uint32_t bits, bytes;
    struct udf_fsd fsd;
    struct udf_fe root;
    uint32_t lbn = found->pd.unallocated_bitmap.lbn;
    int err = read_block(dev, start + lbn, block);
    err = err ? err : udf_decode_sbd(block, lbn, &bits, &bytes);
    if (err || bits != found->pd.blocks) {
        return err ? err : -EUCLEAN;
    }
    if (has_metadata(found)) {
        uint32_t first;
        err = verify_metadata(dev, found, &first);
        if (err) {
            return err;
        }
        start += first;
    }
    lbn = found->lvd.fsd.addr.lbn;
    err = read_block(dev, start + lbn, block);
    err = err ? err : udf_decode_fsd(block, lbn, &fsd);
    if (err) {
        return err;
    }
    lbn = fsd.root.addr.lbn;
    err = read_block(dev, start + lbn, block);
    err = err ? err : udf_decode_fe(block, lbn, &root);
    if (err) {
        return err;
    }
    return root.file_type == UDF_FILE_DIRECTORY ? 0 : -EUCLEAN;
}

int udf_format_verify(struct blockdev *dev) {
    static const unsigned needed = 1u << UDF_TAG_PVD | 1u << UDF_TAG_IUVD |
                                   1u << UDF_TAG_PD | 1u << UDF_TAG_LVD |
                                   1u << UDF_TAG_USD | 1u << UDF_TAG_TD;
    struct found found;
    memset(&found, 0, sizeof(found));
    if (dev->geometry.blocks <= 512) {
        return -EUCLEAN;
    }
    int err = find_nsr(dev);
    err = err == -ENOENT ? -EUCLEAN : err;
    err = err ? err : verify_anchors(dev, &found);
    err = err ? err : verify_sequences(dev, &found);
    if (err) {
        return err;
    }
    if (found.tags != needed || !found.own ||
        (found.lvd.maps != 1 && !has_metadata(&found))) {
        return -EUCLEAN;
    }
    err = verify_integrity(dev, &found);
    err = err ? err : verify_sparing(dev, &found);
    return err ? err : verify_partition(dev, &found);
}
