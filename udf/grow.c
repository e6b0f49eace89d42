/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/grow.c - makes a volume as large as its medium has become. The partition
 * gets longer, its bitmap moves to the new space, and what lay at the old end
 * of the medium is written anew at the new one; nothing else moves.
 *
 * Order, so that at every moment one of the two volumes is whole:
 *   1. an OPEN LVID, synchronised: whoever finds it counts again;
 *   2. the new bitmap, the new reserve sequence, sparing table 2 and the
 *      anchors at the new end, all on blocks that the old volume does not
 *      have, synchronised;
 *   3. the main sequence: from now on it is the new volume. When its packet is
 *      torn, the anchor at 256 still leads to the old reserve sequence;
 *   4. the anchor at 256, which takes that away;
 *   5. a CLOSE LVID with the new size.
 * What was interrupted is taken up again: before step 3 it begins anew, with
 * the old reserve sequence as pattern when the main one is torn; after it the
 * anchor at 256 is what may be missing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/format.h"
#include "udf/integrity.h"
#include "udf/io.h"
#include "udf/layout.h"
#include "udf/tag.h"
#include "udf/vds.h"
#include "udf/volume.h"

enum { ANCHOR_LBA = 256, SBD_BYTES = 24, UNIT_MAX = 64 };

/* A volume that is being made larger. */
struct growth {
    struct udf_volume *volume;
    struct blockdev *dev;
    struct udf_vds vds;
    struct udf_avdp avdp; /* the old one */
    uint32_t pattern_lba; /* an old sequence that can be read */
    struct udf_layout old, new;
    uint64_t *words; /* the new bitmap */
    uint8_t unit[UNIT_MAX * UDF_BLOCK_BYTES];
};

static const struct udf_region *region(const struct growth *growth,
                                       enum udf_region_id id) {
    return &growth->new.region[id];
}

static uint8_t *unit_block(struct growth *growth, uint32_t index) {
    return growth->unit + (size_t)index * UDF_BLOCK_BYTES;
}

static void clear_unit(struct growth *growth) {
    memset(growth->unit, 0, sizeof(growth->unit));
}

/* Writes the unit in which `lba` lies. */
static int put_unit(struct growth *growth, uint32_t lba) {
    uint32_t unit = growth->new.unit;
    int error = blockdev_make_room(growth->dev, unit);

    return error ? error
                 : blockdev_write(growth->dev, lba / unit * unit, unit,
                                  growth->unit);
}

/* ---- what is there ----------------------------------------------------- */

/* Says how our own formatter laid the volume out, or -EINVAL when another one
 * did. */
static int find_layout(struct growth *growth) {
    const struct udf_vds *vds = &growth->vds;
    const struct udf_lvd_map *map = &vds->lvd.map[0];
    const struct udf_pd *pd = &vds->pd[0];
    uint32_t unit = vds->own.packet_blocks;
    uint32_t end = pd->start_lba + pd->blocks;
    struct udf_layout *old = &growth->old;

    if (!vds->have_own || vds->pds != 1 ||
        (vds->lvd.maps != 1 &&
         (vds->lvd.maps != 2 ||
          vds->lvd.map[1].kind != UDF_MAP_KIND_METADATA)) ||
        growth->volume->journal.reserved.packets == 0 || unit > UNIT_MAX ||
        end % unit != 0 || pd->start_lba % unit != 0) {
        return -EINVAL;
    }
    *old = (struct udf_layout){
        .revision = growth->volume->identity.revision,
        .sparable = map->kind == UDF_MAP_KIND_SPARABLE,
        .blocks = end + ANCHOR_LBA + unit,
        .unit = unit,
    };
    old->region[UDF_REGION_PARTITION] =
        (struct udf_region){.lba = pd->start_lba, .blocks = pd->blocks};
    old->region[UDF_REGION_MAIN_VDS] =
        (struct udf_region){.lba = growth->avdp.main.lba, .blocks = unit};
    if (growth->avdp.main.lba % unit != 0 ||
        growth->avdp.main.bytes != unit * UDF_BLOCK_BYTES) {
        return -EINVAL;
    }
    if (old->blocks == growth->dev->geometry.blocks) {
        return 0;
    }
    if (growth->avdp.reserve.lba != end + unit ||
        (old->sparable &&
         (map->tables != 2 || map->table_lba[1] != old->blocks - 2 * unit))) {
        return -EINVAL;
    }
    return 0;
}

static int load_anchor(struct growth *growth, uint32_t lba,
                       struct udf_avdp *out_avdp) {
    uint8_t block[UDF_BLOCK_BYTES];
    int error = udf_io_load(growth->volume, lba, 1, block);

    return error ? error : udf_decode_avdp(block, lba, out_avdp);
}

/* The first sector of a sequence that is whole where it matters. */
static bool is_readable(struct growth *growth, uint32_t lba) {
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_pvd pvd;

    return udf_io_load(growth->volume, lba, 1, block) == 0 &&
           udf_decode_pvd(block, lba, &pvd) == 0;
}

static int load(struct growth *growth) {
    uint32_t last = growth->dev->geometry.blocks - 1;
    int error = load_anchor(growth, ANCHOR_LBA, &growth->avdp);

    if (error) {
        error = load_anchor(growth, last, &growth->avdp);
    }
    if (!error) {
        error = udf_vds_find(growth->volume, &growth->vds);
    }
    growth->pattern_lba = is_readable(growth, growth->avdp.main.lba)
                              ? growth->avdp.main.lba
                              : growth->avdp.reserve.lba;
    return error ? error : find_layout(growth);
}

/* The bitmap of the longer partition. */
static int make_words(struct growth *growth) {
    const struct udf_short_ad *old_map = &growth->vds.pd[0].unallocated_bitmap;
    uint32_t old_bits = growth->vds.pd[0].blocks;
    uint32_t bits = region(growth, UDF_REGION_PARTITION)->blocks;
    uint32_t at = growth->new.bitmap_lbn;

    growth->words = calloc(mmc_bits_words(bits), sizeof(*growth->words));
    if (!growth->words) {
        return -ENOMEM;
    }
    memcpy(growth->words, udf_space_map(growth->volume->space),
           mmc_bits_words(old_bits) * sizeof(*growth->words));
    mmc_bits_set_range(growth->words, old_bits, bits);
    mmc_bits_set_range(growth->words, old_map->lbn,
                       (uint64_t)old_map->lbn +
                           old_map->bytes / UDF_BLOCK_BYTES);
    mmc_bits_clear_range(growth->words, at, at + growth->new.bitmap_blocks);
    return 0;
}

/* ---- what is written --------------------------------------------------- */

static int put_bitmap(struct growth *growth) {
    uint32_t start = region(growth, UDF_REGION_PARTITION)->lba;
    uint32_t bits = region(growth, UDF_REGION_PARTITION)->blocks;
    uint64_t unit_bytes = (uint64_t)growth->new.unit *UDF_BLOCK_BYTES;
    uint64_t end = (uint64_t)growth->new.bitmap_blocks *UDF_BLOCK_BYTES;
    uint32_t lba = start + growth->new.bitmap_lbn;
    int error = 0;

    for (uint64_t at = 0; !error && at < end; at += unit_bytes) {
        clear_unit(growth);
        for (uint64_t i = at ? 0 : SBD_BYTES; i < unit_bytes; i++) {
            uint64_t byte = at + i - SBD_BYTES;

            if (byte < (bits + 7u) / 8u) {
                growth->unit[i] =
                    (uint8_t)(growth->words[byte / 8] >> (byte % 8 * 8));
            }
        }
        if (at == 0) {
            udf_encode_sbd(bits, &growth->volume->identity.style,
                           growth->new.bitmap_lbn, growth->unit);
        }
        error = put_unit(growth, lba + (uint32_t)(at / UDF_BLOCK_BYTES));
    }
    return error;
}

static void encode_pd(struct growth *growth, uint32_t lba, uint8_t *block) {
    struct udf_pd pd = growth->vds.pd[0];

    pd.blocks = region(growth, UDF_REGION_PARTITION)->blocks;
    pd.unallocated_bitmap = (struct udf_short_ad){
        .bytes = growth->new.bitmap_blocks *UDF_BLOCK_BYTES,
        .lbn = growth->new.bitmap_lbn};
    udf_encode_pd(&pd, &growth->volume->identity.style, lba, block);
}

static int encode_lvd(struct growth *growth, uint32_t lba, uint8_t *block) {
    struct udf_lvd lvd = growth->vds.lvd;

    if (growth->new.sparable) {
        lvd.map[0].table_lba[1] =
            region(growth, UDF_REGION_SPARING_SECOND)->lba;
    }
    return udf_encode_lvd(&lvd, &growth->volume->identity.style, lba, block);
}

/* The gap in the head stays, that of the tail moves. */
static int encode_usd(struct growth *growth, const uint8_t *old,
                      uint32_t old_lba, uint32_t lba, uint8_t *block) {
    const struct udf_region *gap = &growth->new.gap[1];
    struct udf_usd usd, changed;
    int error = udf_decode_usd(old, old_lba, &usd);

    if (error) {
        return error;
    }
    changed = (struct udf_usd){.vdsn = usd.vdsn};
    for (uint32_t i = 0; i < usd.extents; i++) {
        if (usd.extent[i].lba < ANCHOR_LBA) {
            changed.extent[changed.extents++] = usd.extent[i];
            break;
        }
    }
    if (gap->blocks > 0) {
        changed.extent[changed.extents++] = (struct udf_extent_ad){
            .lba = gap->lba, .bytes = gap->blocks * UDF_BLOCK_BYTES};
    }
    udf_encode_usd(&changed, &growth->volume->identity.style, lba, block);
    return 0;
}

/* One descriptor of the sequence, for its new place. *out_end: the last one. */
static int encode_descriptor(struct growth *growth, uint32_t index,
                             uint32_t lba, bool *out_end) {
    const struct udf_tag_style *style = &growth->volume->identity.style;
    uint32_t old_lba = growth->pattern_lba + index;
    uint8_t *block = unit_block(growth, index);
    uint8_t old[UDF_BLOCK_BYTES];
    struct udf_tag tag;
    int error = udf_io_load(growth->volume, old_lba, 1, old);

    if (!error) {
        error = udf_tag_check(old, UDF_BLOCK_BYTES, &tag);
    }
    if (error) {
        return error;
    }
    switch (tag.id) {
    case UDF_TAG_PD:
        encode_pd(growth, lba, block);
        return 0;
    case UDF_TAG_LVD:
        return encode_lvd(growth, lba, block);
    case UDF_TAG_USD:
        return encode_usd(growth, old, old_lba, lba, block);
    case UDF_TAG_TD:
        udf_encode_td(style, lba, block);
        *out_end = true;
        return 0;
    default:
        memcpy(block, old, UDF_BLOCK_BYTES);
        udf_tag_seal(block, 16u + tag.crc_bytes, tag.id, style, lba);
        return 0;
    }
}

/* A whole sequence, at `lba`. An old one is its pattern, so that the new main
 * sequence must be written last. */
static int put_vds(struct growth *growth, uint32_t lba) {
    bool end = false;
    int error = 0;

    clear_unit(growth);
    for (uint32_t i = 0; !error && !end; i++) {
        error = i < growth->new.unit
                    ? encode_descriptor(growth, i, lba + i, &end)
                    : -EUCLEAN;
    }
    return error ? error : put_unit(growth, lba);
}

static int put_sparing(struct growth *growth) {
    uint32_t lba = region(growth, UDF_REGION_SPARING_SECOND)->lba;
    const struct udf_sparing_table *table;

    if (!growth->new.sparable) {
        return 0;
    }
    table = &growth->volume->maps.map[0].sparing;
    if (table->entries > UDF_SPARING_ENTRIES_MAX) {
        return -EINVAL; /* not made by us */
    }
    clear_unit(growth);
    udf_encode_sparing(table, growth->new.revision,
                       &growth->volume->identity.style, lba, growth->unit);
    return put_unit(growth, lba);
}

static int put_anchor(struct growth *growth, uint32_t lba) {
    const struct udf_region *reserve = region(growth, UDF_REGION_RESERVE_VDS);
    struct udf_avdp avdp = growth->avdp;

    avdp.reserve = (struct udf_extent_ad){
        .lba = reserve->lba, .bytes = reserve->blocks * UDF_BLOCK_BYTES};
    clear_unit(growth);
    udf_encode_avdp(&avdp, &growth->volume->identity.style, lba,
                    unit_block(growth, lba % growth->new.unit));
    return put_unit(growth, lba);
}

/* Step 2. */
static int write_new_end(struct growth *growth) {
    int error = put_bitmap(growth);

    if (!error) {
        error = put_vds(growth, region(growth, UDF_REGION_RESERVE_VDS)->lba);
    }
    if (!error) {
        error = put_sparing(growth);
    }
    if (!error) {
        error =
            put_anchor(growth, region(growth, UDF_REGION_ANCHOR_MIDDLE)->lba);
    }
    if (!error) {
        error = put_anchor(growth, region(growth, UDF_REGION_ANCHOR_LAST)->lba);
    }
    return error ? error : blockdev_sync(growth->dev);
}

/* Steps 3 and 4. */
static int switch_over(struct growth *growth) {
    int error = put_vds(growth, growth->avdp.main.lba);

    if (!error) {
        error = blockdev_sync(growth->dev);
    }
    if (!error) {
        error = put_anchor(growth, ANCHOR_LBA);
    }
    return error ? error : blockdev_sync(growth->dev);
}

/* Step 5: the volume in memory gets its new size, for the LVID to tell. */
static int close_larger(struct growth *growth) {
    struct udf_volume *volume = growth->volume;
    uint32_t bits = region(growth, UDF_REGION_PARTITION)->blocks;
    uint32_t packet = growth->dev->geometry.packet_blocks;
    struct udf_space *space = udf_space_new(
        bits, packet, volume->maps.map[0].start_lba % packet, growth->words);

    if (!space) {
        return -ENOMEM;
    }
    pthread_rwlock_wrlock(&volume->lock);
    if (volume->meta == volume->space) {
        volume->meta = space;
    }
    udf_space_destroy(volume->space);
    volume->spaces.of[0] = space;
    volume->space = space;
    volume->maps.map[0].blocks = bits;
    pthread_rwlock_unlock(&volume->lock);
    return udf_integrity_write(volume, true);
}

/* The volume is as large as the medium. An interruption may have come before
 * the anchor at 256 was brought into line with the one at the end. */
static int mend_anchor(struct growth *growth) {
    uint32_t last = growth->dev->geometry.blocks - 1;
    struct udf_avdp first, end;
    int error;

    if (load_anchor(growth, last, &end)) {
        return 0;
    }
    error = load_anchor(growth, ANCHOR_LBA, &first);
    if (!error && first.reserve.lba == end.reserve.lba) {
        return 0;
    }
    growth->new = growth->old;
    growth->new.region[UDF_REGION_RESERVE_VDS] = (struct udf_region){
        .lba = end.reserve.lba, .blocks = end.reserve.bytes / UDF_BLOCK_BYTES};
    error = put_anchor(growth, ANCHOR_LBA);
    return error ? error : blockdev_sync(growth->dev);
}

static int grow(struct growth *growth) {
    int error = load(growth);

    if (error) {
        return error;
    }
    if (growth->old.blocks == growth->dev->geometry.blocks) {
        return mend_anchor(growth);
    }
    error = udf_layout_grow(&growth->old, growth->dev->geometry.blocks,
                            &growth->new);
    if (!error) {
        error = make_words(growth);
    }
    if (!error) {
        error = udf_integrity_write(growth->volume, false);
    }
    if (!error) {
        error = write_new_end(growth);
    }
    if (!error) {
        error = switch_over(growth);
    }
    return error ? error : close_larger(growth);
}

/* Mounts the volume for writing. What was left open, such as by a growing that
 * was interrupted, is closed by unmounting it. */
static int mount_closed(struct blockdev *dev, struct udf_volume **out_volume) {
    struct udf_mount_options options = {0};
    int error = udf_mount(dev, &options, out_volume);

    if (!error && !(*out_volume)->integrity.lvid.closed) {
        error = udf_unmount(*out_volume);
        error = error ? error : udf_mount(dev, &options, out_volume);
    }
    return error;
}

int udf_grow(struct blockdev *dev) {
    struct udf_volume *volume = NULL;
    struct growth *growth;
    int closed, error = mount_closed(dev, &volume);

    if (error) {
        return error;
    }
    growth = calloc(1, sizeof(*growth));
    if (!growth) {
        error = -ENOMEM;
    } else if (udf_volume_writable(volume) || !volume->space) {
        error = -EROFS;
    } else if (!volume->integrity.lvid.closed) {
        error = -EBUSY;
    }
    if (!error) {
        growth->volume = volume;
        growth->dev = dev;
        error = grow(growth);
        free(growth->words);
    }
    free(growth);
    closed = udf_unmount(volume);
    return error ? error : closed;
}
