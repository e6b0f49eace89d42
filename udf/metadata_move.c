/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/metadata_move.c - moves parts of the metadata partition's files. See
 * udf/metadata.h.
 *
 * Whole allocation units move, because the files must consist of these
 * (UDF 2.60 2.2.10). What lies at an address of the metadata partition keeps
 * that address, so nothing else has to change.
 */
#include "udf/metadata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bits.h"
#include "udf/io.h"
#include "udf/node.h"
#include "udf/volume.h"

/* An allocation unit of one copy. */
struct unit {
    unsigned copy;         /* 0: the metadata file's, 1: its mirror's own */
    uint32_t first, count; /* blocks of the metadata partition */
    uint8_t *content;
    uint64_t *live; /* a bit a block that holds something */
};

static const struct udf_partmap *map_of(const struct udf_volume *volume) {
    return &volume->maps.map[volume->metadata.part];
}

/* Where block first+i of the unit is, in the physical partition and on the
 * device. Lock. */
static int place_of(const struct udf_volume *volume, const struct unit *unit,
                    uint32_t i, struct udf_addr *out_addr, uint32_t *out_lba) {
    const struct udf_partmap *map = map_of(volume);
    const struct udf_extents *extents =
        unit->copy ? &map->mirror : &map->extents;
    struct udf_extent piece;
    uint32_t run;
    int error = udf_extents_map(extents, unit->first + i, &piece);

    if (error || piece.kind == UDF_EXTENT_HOLE) {
        return -EUCLEAN;
    }
    *out_addr = piece.addr;
    return udf_partmap_lba(&volume->maps, piece.addr, 1, out_lba, &run);
}

/* ---- reading ------------------------------------------------------------ */

/* Finds what is in memory of block first+i, and where it lies. *out_known:
 * there is nothing to be read. */
static int look_up(struct udf_volume *volume, struct unit *unit, uint32_t i,
                   uint32_t *out_lba, bool *out_known) {
    const struct udf_space *space = volume->spaces.of[volume->metadata.part];
    const uint8_t *newer;
    struct udf_addr addr;
    int error;

    *out_known = true;
    if (!space || !udf_space_is_wanted(space, unit->first + i)) {
        return 0; /* holds nothing */
    }
    error = place_of(volume, unit, i, &addr, out_lba);
    if (error) {
        return error;
    }
    mmc_bits_set(unit->live, i);
    newer = udf_pending_find(volume, *out_lba);
    *out_known = newer != NULL;
    if (newer) {
        memcpy(unit->content + (size_t)i * UDF_BLOCK_BYTES, newer,
               UDF_BLOCK_BYTES);
    }
    return 0;
}

static int read_unit(struct udf_volume *volume, struct unit *unit) {
    int error = 0;

    for (uint32_t i = 0; !error && i < unit->count; i++) {
        uint8_t *block = unit->content + (size_t)i * UDF_BLOCK_BYTES;
        uint32_t lba;
        bool known;

        pthread_rwlock_rdlock(&volume->lock);
        error = look_up(volume, unit, i, &lba, &known);
        pthread_rwlock_unlock(&volume->lock);
        if (error || known) {
            continue;
        }
        error = udf_io_load(volume, lba, 1, block);
        if (error && !udf_io_is_fatal(error)) {
            error = udf_metadata_rescue(volume, lba, block) ? -EBUSY : 0;
        }
    }
    return error;
}

/* ---- moving ------------------------------------------------------------- */

static int write_unit(struct udf_volume *volume, const struct unit *unit,
                      struct udf_addr to) {
    int error = 0;

    for (uint32_t i = 0; !error && i < unit->count; i++, to.lbn++) {
        if (mmc_bits_test(unit->live, i)) {
            error = udf_io_write_data(
                volume, to, 1, unit->content + (size_t)i * UDF_BLOCK_BYTES);
        }
    }
    return error;
}

/* What waits to be written to the old place is at the new one already. */
static int give_old(struct udf_volume *volume, const struct unit *unit) {
    int error = 0;

    for (uint32_t i = 0; !error && i < unit->count; i++) {
        struct udf_addr addr;
        uint32_t lba;

        error = place_of(volume, unit, i, &addr, &lba);
        if (!error) {
            udf_overlay_drop(&volume->overlay, lba, 1);
            udf_pending_forget(&volume->pending, lba, 1);
            udf_volume_give(volume, addr, 1);
        }
    }
    return error;
}

/* Enters the new place in a list that has the old one. */
static int redirect(struct udf_extents *extents, const struct udf_extent *to,
                    struct udf_addr old) {
    struct udf_extent piece;

    if (udf_extents_map(extents, to->block, &piece) ||
        piece.addr.lbn != old.lbn) {
        return 0;
    }
    return udf_extents_put(extents, to, NULL, NULL);
}

/* Enters it everywhere: the mirror's entry may name the same blocks. */
static int redirect_all(struct udf_volume *volume, const struct unit *unit,
                        const struct udf_extent *to) {
    struct udf_metadata *metadata = &volume->metadata;
    struct udf_partmap *map = &volume->maps.map[metadata->part];
    struct udf_node *const files[] = {metadata->main, metadata->mirror};
    struct udf_addr old;
    uint32_t lba;
    int error = place_of(volume, unit, 0, &old, &lba);

    for (size_t i = 0; !error && i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i]) {
            error = redirect(&files[i]->body.extents, to, old);
            udf_node_touch(volume, files[i]);
        }
    }
    if (!error) {
        error = redirect(&map->extents, to, old);
    }
    if (!error && unit->copy == 0 && map->bad) {
        mmc_bits_clear_range(map->bad, unit->first, unit->first + unit->count);
    }
    return error ? error : redirect(&map->mirror, to, old);
}

/* Takes the new place and lets the unit be there. Lock alone. */
static int settle(struct udf_volume *volume, const struct unit *unit) {
    const struct udf_metadata *metadata = &volume->metadata;
    uint16_t physical = map_of(volume)->physical;
    struct udf_space *space = volume->spaces.of[physical];
    struct udf_extent to = {
        .block = unit->first,
        .count = unit->count,
        .kind = UDF_EXTENT_RECORDED,
        .addr = {.part = physical},
    };
    int error;

    if (!space || (uint64_t)unit->count + udf_space_reserved(space) >=
                      udf_space_usable(space)) {
        return -ENOSPC;
    }
    error = udf_space_take_aligned(space, 0, metadata->alignment_unit,
                                   unit->count, &to.addr.lbn);
    if (error) {
        return error;
    }
    error = write_unit(volume, unit, to.addr);
    if (error) {
        udf_volume_give(volume, to.addr, to.count);
        return error;
    }
    error = give_old(volume, unit);
    return error ? error : redirect_all(volume, unit, &to);
}

static int move_unit(struct udf_volume *volume, struct unit *unit) {
    int error = -ENOMEM;

    unit->content = calloc(unit->count, UDF_BLOCK_BYTES);
    unit->live = calloc(mmc_bits_words(unit->count) + 1, sizeof(*unit->live));
    if (unit->content && unit->live) {
        error = read_unit(volume, unit);
    }
    if (!error) {
        pthread_rwlock_wrlock(&volume->lock);
        error = settle(volume, unit);
        pthread_rwlock_unlock(&volume->lock);
    }
    free(unit->content);
    free(unit->live);
    return error;
}

/* ---- finding ------------------------------------------------------------ */

/* The unit that has the block of the physical partition. */
static bool find_unit(struct udf_volume *volume, struct udf_addr addr,
                      struct unit *out_unit) {
    const struct udf_metadata *metadata = &volume->metadata;
    uint32_t length = metadata->allocation_unit;
    uint32_t lba, run, lbn;
    unsigned copy;
    bool found;

    pthread_rwlock_rdlock(&volume->lock);
    found = udf_partmap_lba(&volume->maps, addr, 1, &lba, &run) == 0 &&
            udf_partmap_metadata_at(&volume->maps, metadata->part, lba, &copy,
                                    &lbn);
    if (found) {
        uint32_t first = lbn / length * length;
        uint32_t left = map_of(volume)->blocks - first;

        *out_unit = (struct unit){.copy = copy,
                                  .first = first,
                                  .count = left < length ? left : length};
    }
    pthread_rwlock_unlock(&volume->lock);
    return found;
}

int udf_metadata_evacuate(struct udf_volume *volume, struct udf_addr addr,
                          uint32_t count, bool *io_moved) {
    int error = 0;

    if (!volume->metadata.present || addr.part != map_of(volume)->physical) {
        return 0;
    }
    for (uint32_t i = 0; !error && i < count; i++, addr.lbn++) {
        struct unit unit;

        if (find_unit(volume, addr, &unit)) {
            error = move_unit(volume, &unit);
            *io_moved |= !error;
        }
    }
    return error;
}
