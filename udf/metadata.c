/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/metadata.c - see udf/metadata.h.
 */
#include "udf/metadata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/io.h"
#include "udf/node.h"
#include "udf/spaces.h"
#include "udf/volume.h"

enum {
    NO_BLOCK = 0xFFFFFFFFu,
    FLAG_DUPLICATE = 1,
    /* It grows by a quarter at least, so that it has few extents, and by no
     * more than this at once. */
    GROW_SHARE = 4,
    GROW_BLOCKS_MAX = 8192
};

static struct udf_partmap *map_of(struct udf_volume *volume) {
    return &volume->maps.map[volume->metadata.part];
}

/* ---- loading ---------------------------------------------------------- */

/* Loads one of the three files; NULL when its entry cannot be read. */
static int load_file(struct udf_volume *volume, struct udf_addr icb,
                     uint8_t file_type, struct udf_node **out_node) {
    struct udf_node *node = NULL;
    struct udf_op op;
    int error;

    *out_node = NULL;
    if (icb.lbn == NO_BLOCK) {
        return 0;
    }
    udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
    do {
        error = udf_node_load(&op, icb, &node);
        if (!error && node->attr.file_type != file_type) {
            error = -EUCLEAN;
        }
        if (!error) {
            node->pins++;
        }
    } while (udf_op_again(&op, &error));
    if (udf_io_is_fatal(error)) {
        return error;
    }
    if (error) {
        mmc_log(MMC_LOG_WARN,
                "the entry of the metadata partition at block %u cannot be "
                "read",
                icb.lbn);
        volume->maps.unreadable = volume->maps.unreadable || error == -EIO;
        return 0;
    }
    *out_node = node;
    return 0;
}

/* A copy of a file's extents for the map. */
static int copy_extents(const struct udf_node *file, uint16_t physical,
                        struct udf_extents *out_extents) {
    for (size_t i = 0; i < file->body.extents.count; i++) {
        struct udf_extent extent = file->body.extents.list[i];
        int error;

        if (extent.kind != UDF_EXTENT_HOLE && extent.addr.part != physical) {
            return -EUCLEAN;
        }
        error = udf_extents_put(out_extents, &extent, NULL, NULL);
        if (error) {
            return error;
        }
    }
    return 0;
}

/* Whether the mirror's entry has nothing to say that is needed for reading. */
static bool is_mirror_idle(const struct udf_metadata *metadata) {
    const struct udf_node *main = metadata->main;

    return main && !metadata->duplicate && main->body.aeds == 0 &&
           main->chain.count == 0;
}

/* Lets the mirror name the blocks that the main file has by now. */
static int follow_main(struct udf_volume *volume, struct udf_node *mirror) {
    const struct udf_node *main = volume->metadata.main;
    int error = udf_extents_resize(&mirror->body.extents, 0, NULL, NULL);

    if (!error) {
        error =
            copy_extents(main, map_of(volume)->physical, &mirror->body.extents);
    }
    mirror->body.size = main->body.size;
    udf_node_touch(volume, mirror);
    return error;
}

int udf_metadata_complete(struct udf_volume *volume) {
    struct udf_metadata *metadata = &volume->metadata;
    struct udf_node *mirror;
    int error;

    if (!metadata->mirror_unread) {
        return 0;
    }
    error = load_file(volume, metadata->mirror_icb, UDF_FILE_METADATA_MIRROR,
                      &mirror);
    if (error) {
        return error;
    }
    pthread_rwlock_wrlock(&volume->lock);
    metadata->mirror = mirror;
    metadata->mirror_unread = false;
    if (mirror && metadata->main->dirty) {
        error = follow_main(volume, mirror);
    }
    pthread_rwlock_unlock(&volume->lock);
    return error;
}

static int fill_map(struct udf_volume *volume) {
    struct udf_metadata *metadata = &volume->metadata;
    struct udf_partmap *map = map_of(volume);
    const struct udf_node *first =
        metadata->main ? metadata->main : metadata->mirror;
    uint64_t blocks;
    int error;

    if (!first) {
        return -EUCLEAN;
    }
    blocks = first->body.size / UDF_BLOCK_BYTES;
    if (first->body.embedded || blocks == 0 || blocks > UINT32_MAX) {
        return -EUCLEAN;
    }
    error = copy_extents(first, map->physical, &map->extents);
    if (!error && metadata->duplicate && metadata->main && metadata->mirror) {
        error = copy_extents(metadata->mirror, map->physical, &map->mirror);
        if (!error && udf_extents_end(&map->mirror) < blocks) {
            error = -EUCLEAN;
        }
    }
    map->blocks = (uint32_t)blocks;
    return error;
}

int udf_metadata_load(struct udf_volume *volume, uint16_t part,
                      const struct udf_lvd_map *raw) {
    struct udf_metadata *metadata = &volume->metadata;
    uint16_t physical = volume->maps.map[part].physical;
    struct udf_addr bitmap_icb = {.lbn = raw->bitmap_lbn, .part = physical};
    int error;

    if (metadata->present) {
        return -EOPNOTSUPP; /* UDF knows one in a volume */
    }
    *metadata = (struct udf_metadata){
        .present = true,
        .duplicate = (raw->flags & FLAG_DUPLICATE) != 0,
        .part = part,
        .allocation_unit = raw->allocation_unit,
        .alignment_unit = raw->alignment_unit ? raw->alignment_unit : 1,
        .main_icb = {.lbn = raw->metadata_lbn, .part = physical},
        .mirror_icb = {.lbn = raw->mirror_lbn, .part = physical},
    };
    if (metadata->allocation_unit == 0) {
        metadata->allocation_unit = metadata->alignment_unit;
    }
    error = load_file(volume, metadata->main_icb, UDF_FILE_METADATA,
                      &metadata->main);
    metadata->mirror_unread = !error && is_mirror_idle(metadata);
    if (!error && !metadata->mirror_unread) {
        error = load_file(volume, metadata->mirror_icb,
                          UDF_FILE_METADATA_MIRROR, &metadata->mirror);
    }
    if (!error) {
        error = load_file(volume, bitmap_icb, UDF_FILE_METADATA_BITMAP,
                          &metadata->bitmap);
    }
    return error ? error : fill_map(volume);
}

const char *udf_metadata_read_only(const struct udf_metadata *metadata) {
    const struct udf_node *other =
        metadata->main ? metadata->main : metadata->mirror;

    if (!metadata->bitmap) {
        return "the bitmap of its metadata partition cannot be read";
    }
    if (metadata->main && metadata->mirror) {
        return NULL;
    }
    /* With blocks of its own, nothing says any more where those are. */
    if (metadata->duplicate || other->body.aeds > 0 || other->chain.count > 0) {
        return "an entry of its metadata partition cannot be read";
    }
    return NULL;
}

/* ---- growing ---------------------------------------------------------- */

/* New blocks that are not yet anyone's. */
struct growth {
    struct udf_extent main, mirror, bitmap; /* count 0: none */
};

static void give_all(struct udf_volume *volume, const struct growth *growth) {
    const struct udf_extent *const parts[] = {&growth->main, &growth->mirror,
                                              &growth->bitmap};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i]->count > 0) {
            udf_volume_give(volume, parts[i]->addr, parts[i]->count);
        }
    }
}

/* Takes `count` blocks for the end of `extents`, which are `end` long. */
static int take_extent(struct udf_volume *volume,
                       const struct udf_extents *extents, uint64_t end,
                       uint32_t count, struct udf_extent *out_extent) {
    const struct udf_metadata *metadata = &volume->metadata;
    uint16_t physical = map_of(volume)->physical;
    struct udf_extent last;
    uint32_t goal = 0, lbn;
    int error;

    if (end > 0 && udf_extents_map(extents, end - 1, &last) == 0) {
        goal = last.addr.lbn + 1;
    }
    error = udf_space_take_aligned(volume->spaces.of[physical], goal,
                                   metadata->alignment_unit, count, &lbn);
    if (!error) {
        *out_extent = (struct udf_extent){
            .block = end,
            .count = count,
            .kind = UDF_EXTENT_RECORDED,
            .addr = {.lbn = lbn, .part = physical},
        };
    }
    return error;
}

/* Takes blocks for the bitmap's own growth to `bits` bits: for all of it, so
 * that a mount finds it in one piece, or for its end. */
static int take_bitmap(struct udf_volume *volume, uint32_t bits,
                       struct growth *growth) {
    const struct udf_node *file = volume->metadata.bitmap;
    uint16_t physical = map_of(volume)->physical;
    uint32_t bytes = udf_spacemap_bytes(bits);
    uint32_t want = (bytes - 1) / UDF_BLOCK_BYTES + 1;
    uint32_t have = (uint32_t)udf_extents_end(&file->body.extents);
    struct udf_space *space = volume->spaces.of[physical];
    uint32_t from = 0, lbn;
    int error;

    if ((file->body.embedded && bytes <= udf_node_inline_room(file)) ||
        want <= have) {
        return 0;
    }
    error = udf_space_take_whole(space, file->icb.lbn, want, &lbn);
    if (error && have > 0) {
        from = have;
        error = udf_space_take_whole(space, file->icb.lbn, want - from, &lbn);
    }
    if (!error) {
        growth->bitmap = (struct udf_extent){
            .block = from,
            .count = want - from,
            .kind = UDF_EXTENT_RECORDED,
            .addr = {.lbn = lbn, .part = physical},
        };
    }
    return error;
}

/* Takes everything for `count` blocks more, or nothing. */
static int take_growth(struct udf_volume *volume, uint32_t count,
                       struct growth *out_growth) {
    const struct udf_metadata *metadata = &volume->metadata;
    const struct udf_partmap *map = map_of(volume);
    const struct udf_space *space = volume->spaces.of[map->physical];
    uint64_t need = (uint64_t)count * (map->mirror.count > 0 ? 2 : 1) +
                    udf_space_reserved(space);
    struct growth growth = {0};
    int error = need < udf_space_usable(space) ? 0 : -ENOSPC;

    if (!error) {
        error = take_extent(volume, &map->extents, map->blocks, count,
                            &growth.main);
    }
    if (!error && map->mirror.count > 0) {
        error = take_extent(volume, &map->mirror, map->blocks, count,
                            &growth.mirror);
    }
    if (!error) {
        error = take_bitmap(volume, map->blocks + count, &growth);
    }
    if (error) {
        give_all(volume, &growth);
        return error;
    }
    if (metadata->mirror && map->mirror.count == 0) {
        growth.mirror = growth.main; /* it names the same blocks */
    }
    *out_growth = growth;
    return 0;
}

/* Enters the new blocks in one list. */
static int lengthen(struct udf_extents *extents,
                    const struct udf_extent *extent) {
    return extent->count > 0 ? udf_extents_put(extents, extent, NULL, NULL) : 0;
}

/* The same for the bitmap; what takes the place of all of it goes to `moved`
 * for now. */
static int lengthen_bitmap(struct udf_metadata *metadata,
                           const struct udf_extent *extent,
                           struct udf_extents *moved) {
    return lengthen(extent->block > 0 ? &metadata->bitmap->body.extents : moved,
                    extent);
}

/* The bitmap lies in `moved` from now on. */
static void move_bitmap(struct udf_volume *volume,
                        const struct udf_extents *moved) {
    struct udf_extents *extents = &volume->metadata.bitmap->body.extents;

    (void)udf_extents_resize(extents, 0, udf_node_drop_piece, volume);
    udf_extents_free(extents);
    *extents = *moved;
}

/* Enters the new blocks everywhere. What has no memory for it ends where it
 * did: sizes change last. */
static int enter(struct udf_volume *volume, const struct growth *growth) {
    struct udf_metadata *metadata = &volume->metadata;
    struct udf_partmap *map = map_of(volume);
    uint32_t blocks = map->blocks + growth->main.count;
    struct udf_extents moved = {0};
    uint64_t *bad = NULL;
    int error = lengthen(&map->extents, &growth->main);

    if (!error && map->mirror.count > 0) {
        error = lengthen(&map->mirror, &growth->mirror);
    }
    if (!error && metadata->main) {
        error = lengthen(&metadata->main->body.extents, &growth->main);
    }
    if (!error && metadata->mirror) {
        error = lengthen(&metadata->mirror->body.extents, &growth->mirror);
    }
    if (!error) {
        error = lengthen_bitmap(metadata, &growth->bitmap, &moved);
    }
    if (!error && map->bad) {
        bad = calloc(mmc_bits_words(blocks) + 1, sizeof(*bad));
        error = bad ? 0 : -ENOMEM;
    }
    if (!error) {
        error = udf_space_enlarge(volume->spaces.of[metadata->part], blocks);
    }
    if (error) {
        free(bad);
        udf_extents_free(&moved);
        return error;
    }
    if (moved.count > 0) {
        move_bitmap(volume, &moved);
    }
    if (bad) {
        memcpy(bad, map->bad, mmc_bits_words(map->blocks) * sizeof(*bad));
        free(map->bad);
        map->bad = bad;
    }
    map->blocks = blocks;
    return 0;
}

/* Takes the new blocks out of the lists again. */
static void leave(struct udf_volume *volume, const struct growth *growth) {
    struct udf_metadata *metadata = &volume->metadata;
    struct udf_partmap *map = map_of(volume);
    uint64_t end = map->blocks;

    (void)udf_extents_resize(&map->extents, end, NULL, NULL);
    if (map->mirror.count > 0) {
        (void)udf_extents_resize(&map->mirror, end, NULL, NULL);
    }
    if (metadata->main) {
        (void)udf_extents_resize(&metadata->main->body.extents, end, NULL,
                                 NULL);
    }
    if (metadata->mirror) {
        (void)udf_extents_resize(&metadata->mirror->body.extents, end, NULL,
                                 NULL);
    }
    if (growth->bitmap.count > 0 && growth->bitmap.block > 0) {
        (void)udf_extents_resize(&metadata->bitmap->body.extents,
                                 growth->bitmap.block, NULL, NULL);
    }
}

/* The new sizes of the files. */
static void set_sizes(struct udf_volume *volume) {
    struct udf_metadata *metadata = &volume->metadata;
    uint32_t blocks = map_of(volume)->blocks;
    struct udf_node *const files[] = {metadata->main, metadata->mirror};
    struct udf_body *bitmap = &metadata->bitmap->body;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i]) {
            files[i]->body.size = (uint64_t)blocks * UDF_BLOCK_BYTES;
            files[i]->attr.mtime = udf_op_clock();
            udf_node_touch(volume, files[i]);
        }
    }
    if (bitmap->embedded && bitmap->extents.count > 0) {
        free(bitmap->inline_data);
        bitmap->inline_data = NULL;
        bitmap->embedded = false;
    }
    bitmap->size = udf_spacemap_bytes(blocks);
    metadata->bitmap->attr.mtime = udf_op_clock();
    udf_node_touch(volume, metadata->bitmap);
    volume->spaces.map[metadata->part].bits = blocks;
}

static uint32_t round_up(uint32_t count, uint32_t unit) {
    return (count - 1) / unit * unit + unit;
}

int udf_metadata_grow(struct udf_volume *volume, uint32_t count) {
    const struct udf_metadata *metadata = &volume->metadata;
    uint32_t least = round_up(count, metadata->allocation_unit);
    uint32_t share = map_of(volume)->blocks / GROW_SHARE;
    uint32_t want =
        round_up(share < GROW_BLOCKS_MAX ? share + 1 : GROW_BLOCKS_MAX,
                 metadata->allocation_unit);
    struct growth growth;
    int error = -ENOSPC;

    if (udf_volume_writable(volume)) {
        return -EROFS;
    }
    for (want = want > least ? want : least; error && want >= least;
         want =
             want / 2 / metadata->allocation_unit * metadata->allocation_unit) {
        error = take_growth(volume, want, &growth);
    }
    if (error) {
        return error;
    }
    error = enter(volume, &growth);
    if (error) {
        leave(volume, &growth);
        if (map_of(volume)->mirror.count == 0) {
            growth.mirror.count = 0;
        }
        give_all(volume, &growth);
        return error;
    }
    set_sizes(volume);
    return 0;
}

/* ---- writing ---------------------------------------------------------- */

/* Writes an entry that was lost after the pattern of the other one, which
 * names the same blocks. */
static int write_twin(struct udf_volume *volume, const struct udf_node *other,
                      struct udf_addr icb, uint8_t file_type) {
    struct udf_node twin = *other;

    twin.icb = icb;
    twin.chain = (struct udf_icb){.entry = icb};
    twin.attr.file_type = file_type;
    return udf_node_write(volume, &twin);
}

int udf_metadata_write(struct udf_volume *volume) {
    struct udf_metadata *metadata = &volume->metadata;
    struct udf_node *const files[] = {metadata->main, metadata->mirror,
                                      metadata->bitmap};
    int error = 0;

    if (!metadata->main) {
        error = write_twin(volume, metadata->mirror, metadata->main_icb,
                           UDF_FILE_METADATA);
    } else if (!metadata->mirror && !metadata->mirror_unread) {
        error = write_twin(volume, metadata->main, metadata->mirror_icb,
                           UDF_FILE_METADATA_MIRROR);
    }
    for (size_t i = 0; !error && i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i] && files[i]->dirty) {
            error = udf_node_write(volume, files[i]);
            udf_node_settled(&volume->nodes, files[i]);
        }
    }
    return error;
}

/* ---- copies ----------------------------------------------------------- */

bool udf_metadata_doubt(struct udf_volume *volume, struct udf_addr addr) {
    struct udf_partmap *map;

    if (!volume->metadata.present || addr.part != volume->metadata.part) {
        return false;
    }
    map = map_of(volume);
    if (addr.lbn >= map->blocks || map->mirror.count == 0) {
        return false;
    }
    if (!map->bad) {
        map->bad = calloc(mmc_bits_words(map->blocks) + 1, sizeof(*map->bad));
        if (!map->bad) {
            return false;
        }
    }
    if (mmc_bits_test(map->bad, addr.lbn)) {
        return false;
    }
    mmc_log(MMC_LOG_WARN, "metadata block %u is damaged; reading its mirror",
            addr.lbn);
    mmc_bits_set(map->bad, addr.lbn);
    return true;
}

bool udf_metadata_avoid(struct udf_volume *volume, uint32_t lba,
                        uint32_t count) {
    const struct udf_metadata *metadata = &volume->metadata;
    bool again = false;

    if (!metadata->present) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct udf_addr addr = {.part = metadata->part};
        unsigned copy;

        if (blockdev_fetch(volume->dev, lba + i, 1) != -EIO) {
            continue;
        }
        pthread_rwlock_wrlock(&volume->lock);
        if (udf_partmap_metadata_at(&volume->maps, addr.part, lba + i, &copy,
                                    &addr.lbn) &&
            copy == 0) {
            again = udf_metadata_doubt(volume, addr) || again;
        }
        pthread_rwlock_unlock(&volume->lock);
    }
    return again;
}

int udf_metadata_rescue(struct udf_volume *volume, uint32_t lba,
                        uint8_t *block) {
    struct udf_addr addr = {.part = volume->metadata.part};
    uint32_t copy[2], copies = 0;
    int error = -ENOENT;
    unsigned which;

    if (!volume->metadata.present) {
        return -ENOENT;
    }
    pthread_rwlock_rdlock(&volume->lock);
    if (udf_partmap_metadata_at(&volume->maps, addr.part, lba, &which,
                                &addr.lbn)) {
        error = udf_partmap_copies(&volume->maps, addr, copy, &copies);
    }
    pthread_rwlock_unlock(&volume->lock);
    if (error || copies < 2) {
        return -ENOENT;
    }
    return udf_io_load(volume, copy[which == 0], 1, block);
}

/* Writes the first copy of a bad block again. One that the second copy has not
 * either stays as it is, and one that is free holds nothing. */
static int mend_block(struct udf_volume *volume, uint32_t lbn) {
    struct udf_addr addr = {.lbn = lbn, .part = volume->metadata.part};
    const struct udf_space *space;
    uint8_t block[UDF_BLOCK_BYTES];
    uint32_t lba[2], copies;
    int error;

    pthread_rwlock_rdlock(&volume->lock);
    error = udf_partmap_copies(&volume->maps, addr, lba, &copies);
    space = volume->spaces.of[addr.part];
    if (space && lbn < udf_space_blocks(space) &&
        mmc_bits_test(udf_space_map(space), lbn)) {
        copies = 0;
    }
    pthread_rwlock_unlock(&volume->lock);
    if (error || copies < 2) {
        return 0;
    }
    error = udf_io_load(volume, lba[1], 1, block);
    if (error) {
        return udf_io_is_fatal(error) ? error : 0;
    }
    mmc_log(MMC_LOG_NOTICE, "writing metadata block %u again", lbn);
    error = blockdev_write(volume->dev, lba[0], 1, block);
    if (!error) {
        pthread_rwlock_wrlock(&volume->lock);
        mmc_bits_clear(map_of(volume)->bad, lbn);
        pthread_rwlock_unlock(&volume->lock);
    }
    return error;
}

/* The next bad block from *lbn on, and the packet of its first copy. */
static bool next_bad(struct udf_volume *volume, uint32_t *lbn,
                     uint32_t *out_packet_lba) {
    const struct udf_partmap *map = map_of(volume);
    struct udf_addr addr = {.part = volume->metadata.part};
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t lba[2], copies = 0;
    bool found = false;

    pthread_rwlock_rdlock(&volume->lock);
    if (map->bad) {
        *lbn = (uint32_t)mmc_bits_next_set(map->bad, *lbn, map->blocks);
        found = *lbn < map->blocks;
        addr.lbn = *lbn;
    }
    if (found && udf_partmap_copies(&volume->maps, addr, lba, &copies) == 0) {
        *out_packet_lba = lba[0] / packet * packet;
    }
    pthread_rwlock_unlock(&volume->lock);
    return found;
}

/* A packet is written whole: what else in it cannot be read is bad, too, and
 * must come from the mirror, or it could not be completed. */
static void doubt_packets(struct udf_volume *volume) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t lba = 0, last = UINT32_MAX;

    for (uint32_t lbn = 0; next_bad(volume, &lbn, &lba); lbn++) {
        if (lba != last) {
            (void)udf_metadata_avoid(volume, lba, packet);
        }
        last = lba;
    }
}

int udf_metadata_mend(struct udf_volume *volume) {
    uint32_t lba, lbn = 0;
    int error = 0;

    if (!volume->metadata.present) {
        return 0;
    }
    doubt_packets(volume);
    while (!error && next_bad(volume, &lbn, &lba)) {
        error = blockdev_make_room(volume->dev, 1);
        error = error ? error : mend_block(volume, lbn++);
    }
    return error;
}
