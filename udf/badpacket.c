/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/badpacket.c - see udf/badpacket.h.
 */
#include "udf/badpacket.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/io.h"
#include "udf/move.h"
#include "udf/sparing.h"
#include "udf/sparing_table.h"
#include "udf/tombstone.h"
#include "udf/volume.h"

/* Times that a write-out is repeated: what is moved may meet another bad
 * packet, but a disc with so many in a row has no good ones. */
enum { ROUNDS_MAX = 32, BLOCKS_MAX = 64 /* that move together */ };

/* A failed packet in the terms of the volume. */
struct place {
    enum {
        NOWHERE,  /* of no partition */
        UNUSED,   /* holds nothing: a spare, or what a spare stands for */
        PARTITION /* addr */
    } kind;
    struct udf_addr addr; /* of its first block in the partition */
    uint32_t skip;        /* blocks of the packet before that */
    uint32_t count;       /* blocks in the partition */
};

/* ---- where it is -------------------------------------------------------- */

static bool is_physical(const struct udf_partmap *map) {
    return map->kind == UDF_MAP_KIND_PHYSICAL ||
           map->kind == UDF_MAP_KIND_SPARABLE;
}

/* Whether the map's packets are made of the device's. On a disc that was copied
 * from a medium with shorter packets they are not: its spares are read only. */
static bool has_whole_spares(const struct udf_volume *volume,
                             const struct udf_partmap *map) {
    uint32_t unit = volume->dev->geometry.packet_blocks;

    return map->kind == UDF_MAP_KIND_SPARABLE &&
           map->packet_blocks % unit == 0 && map->start_lba % unit == 0;
}

/* Whether the failed packet is a spare of `map`, or holds one. */
static bool find_spare(const struct udf_partmap *map, uint32_t lba,
                       struct place *out_place) {
    uint32_t original;

    if (map->kind != UDF_MAP_KIND_SPARABLE ||
        !udf_sparing_table_owner(&map->sparing, lba, map->packet_blocks,
                                 &original)) {
        return false;
    }
    out_place->kind = original < UDF_SPARE_BAD ? PARTITION : UNUSED;
    out_place->addr.lbn = original;
    out_place->count = map->packet_blocks;
    return true;
}

/* Blocks of the failed packet that belong to `map`'s own place. */
static bool find_home(const struct udf_volume *volume,
                      const struct udf_partmap *map,
                      const struct blockdev_failure *failure,
                      struct place *out_place) {
    uint64_t end = (uint64_t)failure->lba + failure->count;
    uint64_t stop = (uint64_t)map->start_lba + map->blocks;
    uint32_t from =
        failure->lba > map->start_lba ? failure->lba : map->start_lba;
    uint32_t lbn, elsewhere;

    end = end < stop ? end : stop;
    if (from >= end) {
        return false;
    }
    lbn = from - map->start_lba;
    *out_place = (struct place){
        .kind = PARTITION,
        .addr = {.lbn = lbn, .part = out_place->addr.part},
        .skip = from - failure->lba,
        .count = (uint32_t)(end - from),
    };
    if (has_whole_spares(volume, map) &&
        udf_sparing_table_find(&map->sparing, lbn - lbn % map->packet_blocks,
                               &elsewhere)) {
        out_place->kind = UNUSED;
    }
    return true;
}

static struct place find_place(const struct udf_volume *volume,
                               const struct blockdev_failure *failure) {
    struct place place = {.kind = NOWHERE};

    for (uint16_t part = 0; part < volume->maps.count; part++) {
        const struct udf_partmap *map = &volume->maps.map[part];

        place.addr.part = part;
        if (is_physical(map) && (find_spare(map, failure->lba, &place) ||
                                 find_home(volume, map, failure, &place))) {
            return place;
        }
    }
    return place;
}

/* ---- moving ------------------------------------------------------------- */

/* Blocks of the place that the bitmap shows as used, from bit 0 on. */
static uint64_t used_blocks(const struct udf_volume *volume,
                            const struct place *place) {
    const uint64_t *map = udf_space_map(volume->space);
    uint64_t used = 0;

    for (uint32_t i = 0; i < place->count; i++) {
        if (!mmc_bits_test(map, place->addr.lbn + i)) {
            used |= UINT64_C(1) << i;
        }
    }
    return used;
}

/* What has moved must not come home any more. */
static int forget_overlay(struct udf_volume *volume,
                          const struct udf_move *move) {
    uint32_t from = 0;

    while ((from = (uint32_t)mmc_bits_next_set(&move->wanted, from,
                                               move->count)) < move->count) {
        struct udf_addr addr = {.lbn = move->addr.lbn + from,
                                .part = move->addr.part};
        uint32_t to =
            (uint32_t)mmc_bits_next_clear(&move->wanted, from, move->count);
        uint32_t lba, run;
        int error = udf_partmap_lba(&volume->maps, addr, to - from, &lba, &run);

        if (error) {
            return error;
        }
        udf_overlay_drop(&volume->overlay, lba, run);
        udf_pending_forget(&volume->pending, lba, run);
        from += run;
    }
    return 0;
}

/* Moves what it holds, or of a packet that is not complete what waits to be
 * written there. */
static int move_content(struct udf_volume *volume, const struct place *place,
                        const struct blockdev_failure *failure) {
    struct udf_move move = {
        .addr = place->addr,
        .count = place->count,
        .withdraw = failure->missing == 0 && volume->nonalloc.node,
    };
    int error;

    if (!volume->space || place->addr.part != volume->placement.data_part ||
        place->count > BLOCKS_MAX) {
        return -EBUSY;
    }
    move.wanted = UINT64_MAX >> (BLOCKS_MAX - place->count);
    pthread_rwlock_wrlock(&volume->lock);
    if (failure->missing) {
        move.wanted &= failure->dirty >> place->skip;
    }
    move.must = move.wanted & used_blocks(volume, place);
    error = udf_move_away(volume, &move);
    if (!error) {
        error = forget_overlay(volume, &move);
    }
    if (!error && move.withdraw) {
        error = udf_nonalloc_add(volume, place->addr, place->count);
    }
    pthread_rwlock_unlock(&volume->lock);
    return error;
}

/* ---- replacing ---------------------------------------------------------- */

/* Brings block `lba` into `block`: from memory, from the medium, or as a
 * tombstone. */
static int take_block(struct udf_volume *volume, uint32_t lba, uint8_t *block) {
    int error = udf_io_load(volume, lba, 1, block);

    if (error && !udf_io_is_fatal(error) &&
        udf_metadata_rescue(volume, lba, block) == 0) {
        return 0;
    }
    if (!error || udf_io_is_fatal(error)) {
        return error;
    }
    mmc_log(MMC_LOG_ERROR, "sector %u cannot be read and is lost", lba);
    udf_tombstone_make(volume->identity.volume_set_id, block);
    return 0;
}

/* Completes a packet although some of its blocks cannot be read: the one try
 * each that they get now is the last. */
static int complete(struct udf_volume *volume,
                    const struct blockdev_failure *failure) {
    uint8_t block[UDF_BLOCK_BYTES];
    int error = 0;

    for (uint32_t i = 0; !error && i < failure->count; i++) {
        if ((failure->missing >> i) & 1u) {
            error = take_block(volume, failure->lba + i, block);
            if (!error) {
                error = blockdev_write(volume->dev, failure->lba + i, 1, block);
            }
        }
    }
    return error;
}

/* Whether neither the last commit nor anything now refers to the block: what is
 * freed is wanted until that is committed. */
static bool holds_nothing(struct udf_volume *volume, struct udf_addr addr) {
    const struct udf_space *space = volume->spaces.of[addr.part];
    bool nothing;

    pthread_rwlock_rdlock(&volume->lock);
    nothing = space && !udf_space_is_wanted(space, addr.lbn);
    pthread_rwlock_unlock(&volume->lock);
    return nothing;
}

/* Puts the sparing packet that holds the place on a spare. */
static int replace(struct udf_volume *volume, const struct place *place) {
    const struct udf_partmap *map = &volume->maps.map[place->addr.part];
    uint32_t length = map->packet_blocks;
    uint32_t lbn = place->addr.lbn - place->addr.lbn % length;
    uint8_t *image;
    int error = 0;

    image = calloc(length, UDF_BLOCK_BYTES);
    if (!image) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; !error && i < length && lbn + i < map->blocks; i++) {
        struct udf_addr addr = {.lbn = lbn + i, .part = place->addr.part};
        uint32_t lba, run;

        if (holds_nothing(volume, addr)) {
            continue;
        }
        error = udf_partmap_lba(&volume->maps, addr, 1, &lba, &run);
        if (!error) {
            error =
                take_block(volume, lba, image + (size_t)i * UDF_BLOCK_BYTES);
        }
    }
    if (!error) {
        error = udf_sparing_remap(volume, place->addr.part, lbn, image);
    }
    free(image);
    return error;
}

/* ---- deciding ----------------------------------------------------------- */

static int resolve_one(struct udf_volume *volume,
                       const struct blockdev_failure *failure, bool *io_moved) {
    struct place place = find_place(volume, failure);
    int error;

    if (place.kind == NOWHERE) {
        return udf_ledger_give_up(volume, failure) ? 0 : -EIO;
    }
    if (place.kind == UNUSED) {
        blockdev_discard(volume->dev, failure->lba, failure->count);
        return 0;
    }
    if (!failure->missing) {
        bool had = volume->nonalloc.node != NULL;

        error = udf_nonalloc_prepare(volume);
        if (udf_io_is_fatal(error)) {
            return error;
        }
        /* A new file is in no snapshot yet, whatever becomes of the packet. */
        *io_moved |= !had && volume->nonalloc.node != NULL;
        error =
            udf_metadata_evacuate(volume, place.addr, place.count, io_moved);
        if (udf_io_is_fatal(error)) {
            return error;
        }
    }
    error = move_content(volume, &place, failure);
    if (!error) {
        blockdev_discard(volume->dev, failure->lba + place.skip, place.count);
        mmc_log(MMC_LOG_NOTICE,
                "the packet at sector %u cannot be %s; what was to be written "
                "there went elsewhere",
                failure->lba, failure->missing ? "completed" : "written");
        *io_moved = true;
        return 0;
    }
    if (error != -EBUSY && error != -ENOSPC) {
        return error;
    }
    if (failure->missing) {
        return complete(volume, failure);
    }
    if (has_whole_spares(volume, &volume->maps.map[place.addr.part])) {
        error = replace(volume, &place);
    }
    return error == -EBUSY || error == -ENOSPC ? -EIO : error;
}

int udf_badpacket_resolve(struct udf_volume *volume, bool *io_moved) {
    struct blockdev_failure failure;
    uint32_t from = 0;
    int error = 0;

    while (!error && blockdev_next_failed(volume->dev, from, &failure)) {
        error = resolve_one(volume, &failure, io_moved);
        from = failure.lba + failure.count;
    }
    return error;
}

/* What is to be tried again while packets fail. */
struct work {
    enum { WRITE_OUT, SYNC, MAKE_ROOM } what;
    uint32_t blocks; /* MAKE_ROOM */
};

static int attempt(struct blockdev *dev, const struct work *work) {
    switch (work->what) {
    case WRITE_OUT:
        return blockdev_write_out(dev);
    case SYNC:
        return blockdev_sync(dev);
    case MAKE_ROOM:
        break;
    }
    return blockdev_make_room(dev, work->blocks);
}

static int repeat(struct udf_volume *volume, const struct work *work,
                  bool *io_moved) {
    struct blockdev_failure failure;
    int error = attempt(volume->dev, work);

    for (unsigned round = 0; error == -EIO && round < ROUNDS_MAX; round++) {
        if (!blockdev_next_failed(volume->dev, 0, &failure)) {
            return error; /* not about single packets */
        }
        error = udf_badpacket_resolve(volume, io_moved);
        if (!error) {
            error = attempt(volume->dev, work);
        }
    }
    return error;
}

int udf_badpacket_write_out(struct udf_volume *volume, bool *io_moved) {
    return repeat(volume, &(struct work){.what = WRITE_OUT}, io_moved);
}

int udf_badpacket_sync(struct udf_volume *volume, bool *io_moved) {
    return repeat(volume, &(struct work){.what = SYNC}, io_moved);
}

int udf_badpacket_make_room(struct udf_volume *volume, uint32_t blocks,
                            bool *io_moved) {
    return repeat(volume, &(struct work){.what = MAKE_ROOM, .blocks = blocks},
                  io_moved);
}
