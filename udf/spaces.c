/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/spaces.c - see udf/spaces.h.
 */
#include "udf/spaces.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/io.h"
#include "udf/metadata.h"
#include "udf/node.h"
#include "udf/vds.h"
#include "udf/volume.h"

enum {
    KEEP_BLOCKS = 64, /* for metadata, and one in KEEP_RATIO besides */
    KEEP_RATIO = 512,
    META_KEEP_BLOCKS = 16 /* of a metadata partition, which can grow */
};

/* Tells the device which blocks of the partition hold nothing. */
static void mark_unused(struct udf_volume *volume, const uint64_t *words,
                        uint16_t part, uint32_t bits) {
    uint64_t from = 0;

    for (;;) {
        uint64_t end;

        from = mmc_bits_next_set(words, from, bits);
        if (from >= bits) {
            return;
        }
        end = mmc_bits_next_clear(words, from, bits);
        udf_io_unused(volume,
                      (struct udf_addr){.lbn = (uint32_t)from, .part = part},
                      (uint32_t)(end - from));
        from = end;
    }
}

int udf_spaces_make(struct udf_volume *volume, uint16_t part, uint32_t blocks,
                    const uint64_t *words) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    struct udf_addr first = {.lbn = 0, .part = part};
    uint32_t lba, run;
    int error = udf_partmap_lba(&volume->maps, first, 1, &lba, &run);

    if (error) {
        return -EUCLEAN;
    }
    volume->spaces.of[part] =
        udf_space_new(blocks, packet, lba % packet, words);
    if (!volume->spaces.of[part]) {
        return -ENOMEM;
    }
    mark_unused(volume, words, part, blocks);
    return 0;
}

/* ---- loading ---------------------------------------------------------- */

/* One bitmap or one table of unallocated space is what can be kept up to
 * date. */
static const char *why_not(const struct udf_pd *pd) {
    if (pd->access != UDF_ACCESS_REWRITABLE &&
        pd->access != UDF_ACCESS_OVERWRITABLE) {
        return "a partition of it may not be overwritten";
    }
    if ((pd->unallocated_bitmap.bytes > 0) ==
            (pd->unallocated_table.bytes > 0) ||
        pd->freed_table.bytes || pd->freed_bitmap.bytes) {
        return "its free space is not recorded as one bitmap or table";
    }
    return NULL;
}

/* A record that cannot be read costs writing, not the mount. */
static int bitmap_result(struct udf_volume *volume, uint16_t part, int error) {
    if (error == -EUCLEAN || error == -EIO) {
        volume->spaces.fixed[part] = "its record of free space is damaged";
        return 0;
    }
    return error;
}

static int load_physical(struct udf_volume *volume, const struct udf_vds *vds,
                         uint16_t part) {
    const struct udf_pd *pd = udf_vds_pd(vds, volume->maps.map[part].number);
    const char *reason = why_not(pd);

    volume->spaces.fixed[part] = reason;
    if (reason && pd->unallocated_bitmap.bytes == 0) {
        return 0;
    }
    if (pd->unallocated_bitmap.bytes == 0) {
        return bitmap_result(
            volume, part,
            udf_spacetable_load(volume, &pd->unallocated_table, part));
    }
    return bitmap_result(
        volume, part, udf_spacemap_load(volume, &pd->unallocated_bitmap, part));
}

static int load_metadata(struct udf_volume *volume) {
    const struct udf_metadata *metadata = &volume->metadata;
    const char *reason = udf_metadata_read_only(metadata);

    if (reason) {
        udf_volume_read_only(volume, reason);
    }
    return metadata->bitmap
               ? bitmap_result(volume, metadata->part,
                               udf_spacemap_load_file(volume, metadata->bitmap,
                                                      metadata->part))
               : 0;
}

static bool is_physical(enum udf_map_kind kind) {
    return kind == UDF_MAP_KIND_PHYSICAL || kind == UDF_MAP_KIND_SPARABLE;
}

static int load_upper(struct udf_volume *volume, uint16_t part) {
    switch (volume->maps.map[part].kind) {
    case UDF_MAP_KIND_PHYSICAL:
    case UDF_MAP_KIND_SPARABLE:
        return 0;
    case UDF_MAP_KIND_METADATA:
        return load_metadata(volume);
    case UDF_MAP_KIND_VIRTUAL:
        udf_volume_read_only(volume, "it can only be appended to");
        return 0;
    case UDF_MAP_KIND_UNKNOWN:
        break;
    }
    udf_volume_read_only(volume,
                         "it has a partition of a kind that is not known");
    return 0;
}

/* New data goes where the root directory's is; a partition that has one of
 * metadata beside it takes the data of both. */
static void choose_parts(struct udf_volume *volume) {
    struct udf_placement *place = &volume->placement;
    uint16_t root = volume->identity.root_icb.part;
    uint16_t below = volume->maps.map[root].physical;

    place->meta_part = root;
    place->data_part = below;
    volume->space = volume->spaces.of[place->data_part];
    volume->meta = volume->spaces.of[place->meta_part];
    if (volume->meta && place->meta_part != place->data_part) {
        udf_space_hold_metadata(volume->meta);
    }
    if (volume->meta) {
        udf_space_begin_beside(volume->meta, volume->identity.root_icb.lbn);
    }
    place->keep =
        KEEP_BLOCKS + volume->maps.map[place->data_part].blocks / KEEP_RATIO;
    place->meta_keep =
        volume->meta == volume->space ? place->keep : META_KEEP_BLOCKS;
}

/* What is fixed in one partition concerns the volume when new objects go
 * there, or when the metadata partition does. */
static bool is_needed(const struct udf_volume *volume, uint16_t part) {
    const struct udf_metadata *metadata = &volume->metadata;

    return part == volume->placement.meta_part ||
           part == volume->placement.data_part ||
           (metadata->present &&
            (part == metadata->part ||
             part == volume->maps.map[metadata->part].physical));
}

static void fix_parts(struct udf_volume *volume) {
    struct udf_spaces *spaces = &volume->spaces;

    for (uint16_t part = 0; part < volume->maps.count; part++) {
        if (spaces->fixed[part] && is_needed(volume, part)) {
            udf_volume_read_only(volume, spaces->fixed[part]);
        } else if (spaces->fixed[part]) {
            udf_space_destroy(spaces->of[part]);
            spaces->of[part] = NULL;
            spaces->some_fixed = true;
            mmc_log(MMC_LOG_NOTICE,
                    "\"%s\": what lies in partition %u can only be read",
                    volume->identity.label, part);
        }
    }
}

/* Others may have put the anchor inside a partition, where nothing says that it
 * is in use: its packet is left alone. ECMA-167 3/8.4.2.1, UDF 2.60 2.2.3. */
static void avoid_anchor(struct udf_volume *volume, uint32_t anchor) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t first = anchor / packet * packet;

    for (uint16_t part = 0; part < volume->maps.count; part++) {
        const struct udf_partmap *map = &volume->maps.map[part];
        struct udf_space *space = volume->spaces.of[part];

        if (space && map->physical == part && first >= map->start_lba) {
            udf_space_avoid(space, first - map->start_lba, packet);
        }
    }
}

int udf_spaces_load(struct udf_volume *volume, const struct udf_vds *vds) {
    int error = 0;

    for (uint16_t part = 0; !error && part < volume->maps.count; part++) {
        if (is_physical(volume->maps.map[part].kind)) {
            error = load_physical(volume, vds, part);
        }
    }
    return error;
}

int udf_spaces_load_upper(struct udf_volume *volume,
                          const struct udf_vds *vds) {
    int error = 0;

    if (volume->identity.root_icb.part >= volume->maps.count) {
        return -EUCLEAN;
    }
    for (uint16_t part = 0; !error && part < volume->maps.count; part++) {
        error = load_upper(volume, part);
    }
    if (!error) {
        avoid_anchor(volume, vds->anchor);
        choose_parts(volume);
        fix_parts(volume);
    }
    return error;
}

void udf_spaces_free(struct udf_volume *volume) {
    for (uint32_t i = 0; i < UDF_PARTMAPS_MAX; i++) {
        udf_space_destroy(volume->spaces.of[i]);
        free(volume->spaces.table[i].aed);
        volume->spaces.of[i] = NULL;
    }
    volume->space = NULL;
    volume->meta = NULL;
}

/* ---- taking and giving ------------------------------------------------- */

int udf_spaces_meta_room(struct udf_volume *volume, uint32_t count) {
    uint32_t keep = volume->placement.meta_keep;
    int error = udf_space_reserve(volume->meta, count, keep);

    if (error == -ENOSPC && volume->metadata.present) {
        error = udf_metadata_grow(volume, count + keep);
        if (!error) {
            error = udf_space_reserve(volume->meta, count, keep);
        }
    }
    if (!error) {
        udf_space_unreserve(volume->meta, count);
    }
    return error;
}

int udf_spaces_take_block(struct udf_volume *volume, uint16_t part,
                          uint32_t goal, uint32_t *out_lbn) {
    struct udf_space *space = volume->spaces.of[part];
    int error = space ? udf_space_take_near(space, goal, 1, out_lbn) : -ENOSPC;

    if (error == -ENOSPC && volume->metadata.present &&
        part == volume->metadata.part) {
        error = udf_metadata_grow(volume, volume->placement.meta_keep);
        if (!error) {
            error = udf_space_take_near(space, goal, 1, out_lbn);
        }
    }
    return error;
}

bool udf_spaces_find(const struct udf_volume *volume, uint32_t lba,
                     const struct udf_space **out_space, uint32_t *out_lbn) {
    const struct udf_metadata *metadata = &volume->metadata;
    unsigned copy;

    for (uint16_t part = 0; part < volume->maps.count; part++) {
        const struct udf_partmap *map = &volume->maps.map[part];

        if (!volume->spaces.of[part] || map->physical != part ||
            !udf_partmap_find(map, lba, out_lbn)) {
            continue;
        }
        *out_space = volume->spaces.of[part];
        if (metadata->present && volume->spaces.of[metadata->part] &&
            volume->maps.map[metadata->part].physical == part &&
            udf_partmap_metadata_at(&volume->maps, metadata->part, lba, &copy,
                                    out_lbn)) {
            *out_space = volume->spaces.of[metadata->part];
        }
        return true;
    }
    return false;
}

void udf_volume_give(struct udf_volume *volume, struct udf_addr addr,
                     uint32_t count) {
    struct udf_space *space = volume->spaces.of[addr.part];
    uint32_t twice;

    if (!space) {
        return; /* nothing is freed on what cannot be written */
    }
    twice = udf_space_give(space, addr.lbn, count);
    if (twice > 0) {
        mmc_log(MMC_LOG_WARN,
                "%u blocks at block %u were freed that were free already",
                twice, addr.lbn);
    }
}

bool udf_volume_is_taken(const struct udf_volume *volume,
                         struct udf_addr addr) {
    const struct udf_space *space = volume->spaces.of[addr.part];

    return !space || (addr.lbn < udf_space_blocks(space) &&
                      !mmc_bits_test(udf_space_map(space), addr.lbn));
}

void udf_volume_orphan(struct udf_volume *volume, struct udf_addr addr,
                       uint32_t count) {
    if (volume->spaces.of[addr.part]) {
        udf_space_orphan(volume->spaces.of[addr.part], addr.lbn, count);
    }
}

/* ---- commits ----------------------------------------------------------- */

int udf_spaces_write(struct udf_volume *volume) {
    struct udf_spaces *spaces = &volume->spaces;
    const struct udf_metadata *metadata = &volume->metadata;
    int error = 0;

    /* The bitmap of metadata may lie in its file's entry, and writing entries
     * may take blocks of the partition below: that one's comes last. */
    if (metadata->present && spaces->of[metadata->part]) {
        error = udf_spacemap_write(volume, metadata->part);
    }
    if (!error && metadata->present) {
        error = udf_metadata_write(volume);
    }
    for (uint16_t part = 0; !error && part < volume->maps.count; part++) {
        if (spaces->of[part] && spaces->table[part].present) {
            error = udf_spacetable_write(volume, part);
        } else if (spaces->of[part] && !spaces->map[part].file) {
            error = udf_spacemap_write(volume, part);
        }
    }
    return error;
}

void udf_spaces_settle(struct udf_volume *volume) {
    for (uint32_t i = 0; i < volume->maps.count; i++) {
        if (volume->spaces.of[i]) {
            udf_space_settle(volume->spaces.of[i]);
        }
    }
}

void udf_spaces_commit(struct udf_volume *volume) {
    for (uint32_t i = 0; i < volume->maps.count; i++) {
        if (volume->spaces.of[i]) {
            udf_space_commit(volume->spaces.of[i]);
        }
    }
}

void udf_spaces_found(struct udf_volume *volume) {
    for (uint32_t i = 0; i < volume->maps.count; i++) {
        if (volume->spaces.of[i]) {
            udf_space_found(volume->spaces.of[i]);
        }
    }
}

struct released {
    struct udf_volume *volume;
    uint16_t part;
};

static void mark_released(void *context, uint32_t lbn, uint32_t count) {
    const struct released *released = context;

    udf_io_unused(released->volume,
                  (struct udf_addr){.lbn = lbn, .part = released->part}, count);
}

void udf_spaces_release(struct udf_volume *volume) {
    for (uint16_t part = 0; part < volume->maps.count; part++) {
        struct released released = {.volume = volume, .part = part};

        if (volume->spaces.of[part]) {
            udf_space_release(volume->spaces.of[part], mark_released,
                              &released);
        }
    }
}

uint32_t udf_spaces_held(const struct udf_volume *volume) {
    uint32_t held = 0;

    for (uint32_t i = 0; i < volume->maps.count; i++) {
        held += volume->spaces.of[i] ? udf_space_held(volume->spaces.of[i]) : 0;
    }
    return held;
}

void udf_spaces_count(const struct udf_volume *volume, struct udf_lvid *lvid) {
    for (uint32_t i = 0; i < volume->maps.count; i++) {
        if (volume->spaces.of[i]) {
            lvid->free_blocks[i] = udf_space_free(volume->spaces.of[i]);
            /* Growing may have been interrupted before it came here. */
            lvid->size_blocks[i] = volume->maps.map[i].blocks;
        }
    }
}
