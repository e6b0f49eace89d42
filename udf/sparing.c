/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/sparing.c - see udf/sparing.h.
 */
#include "udf/sparing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/bytes.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/io.h"
#include "udf/sparing_table.h"
#include "udf/volume.h"

/* Spares that fail one after the other before the drive is to blame. */
enum { SPARES_TRIED = 8, ENTRIES_AT = 48 };

static uint32_t blocks_in(uint32_t bytes) {
    return bytes / UDF_BLOCK_BYTES + (bytes % UDF_BLOCK_BYTES > 0);
}

/* Blocks of a table. */
static uint32_t blocks_of(uint16_t entries) {
    return blocks_in(udf_sparing_table_bytes(entries));
}

/* ---- loading ----------------------------------------------------------- */

static int load_copy(struct udf_volume *volume, const struct udf_lvd_map *map,
                     uint32_t lba, struct udf_sparing_table *out_table) {
    uint8_t block[UDF_BLOCK_BYTES], *raw;
    uint32_t blocks;
    int error = udf_io_load(volume, lba, 1, block);

    if (error) {
        return error;
    }
    /* What it says itself: what is behind that need not be readable. */
    blocks = blocks_of(udf_get16(block + ENTRIES_AT));
    if (blocks > blocks_in(map->table_bytes)) {
        return -EUCLEAN;
    }
    raw = malloc((size_t)blocks * UDF_BLOCK_BYTES);
    if (!raw) {
        return -ENOMEM;
    }
    error = udf_io_load(volume, lba, blocks, raw);
    if (!error) {
        error =
            udf_decode_sparing(raw, blocks * UDF_BLOCK_BYTES, lba, out_table);
    }
    free(raw);
    return error;
}

int udf_sparing_load(struct udf_volume *volume, uint16_t part,
                     const struct udf_lvd_map *map) {
    struct udf_partmap *partition = &volume->maps.map[part];
    struct udf_sparing_table table;
    bool found = false;
    int result = -EUCLEAN;

    for (uint8_t i = 0; i < map->tables && i < UDF_SPARING_TABLES_MAX; i++) {
        int error = load_copy(volume, map, map->table_lba[i], &table);

        if (udf_io_is_fatal(error)) {
            return error;
        }
        partition->table_lba[i] = map->table_lba[i];
        partition->tables = i + 1u;
        if (error) {
            mmc_log(MMC_LOG_WARN, "sparing table %u at sector %u %s", i + 1u,
                    map->table_lba[i],
                    error == -EIO ? "cannot be read" : "is damaged");
            result = error;
            continue;
        }
        if (!found || table.sequence > partition->sparing.sequence) {
            udf_sparing_table_free(&partition->sparing);
            partition->sparing = table;
            partition->tables_good = 1u << i;
            found = true;
            continue;
        }
        if (table.sequence == partition->sparing.sequence) {
            partition->tables_good |= 1u << i;
        }
        udf_sparing_table_free(&table);
    }
    return found ? 0 : result;
}

/* ---- writing ------------------------------------------------------------ */

/* Whether a packet that begins in [lba, lba+count) has failed. */
static bool has_failed(struct udf_volume *volume, uint32_t lba, uint32_t count,
                       struct blockdev_failure *out) {
    return blockdev_next_failed(volume->dev, lba, out) &&
           out->lba < (uint64_t)lba + count;
}

/* Synchronises when single packets may fail: those are the caller's to find.
 * Returns 0, or an error that is not about packets. */
static int sync_packets(struct udf_volume *volume) {
    struct blockdev_failure failure;
    int error = blockdev_sync(volume->dev);

    return error == -EIO && blockdev_next_failed(volume->dev, 0, &failure)
               ? 0
               : error;
}

/* A table has its packet to itself (UDF 2.60 2.2.12): what else cannot be read
 * there is nothing. */
static int clear_rest(struct udf_volume *volume,
                      const struct blockdev_failure *failure) {
    static const uint8_t zeros[UDF_BLOCK_BYTES];

    for (uint32_t i = 0; i < failure->count; i++) {
        if ((failure->missing >> i) & 1u) {
            int error = blockdev_write(volume->dev, failure->lba + i, 1, zeros);

            if (error) {
                return error;
            }
        }
    }
    return sync_packets(volume);
}

static int put_table(struct udf_volume *volume,
                     const struct udf_sparing_table *table, uint32_t lba) {
    uint32_t blocks = blocks_of(table->entries);
    uint8_t *raw = malloc((size_t)blocks * UDF_BLOCK_BYTES);
    int error;

    if (!raw) {
        return -ENOMEM;
    }
    udf_encode_sparing(table, volume->identity.revision,
                       &volume->identity.style, lba, raw);
    error = blockdev_write(volume->dev, lba, blocks, raw);
    free(raw);
    return error;
}

/* Whether a table lies in one packet: a longer one could be torn between two,
 * and is only read. */
static bool is_in_packet(const struct udf_partmap *map,
                         const struct udf_sparing_table *table, uint32_t lba) {
    uint32_t packet = map->packet_blocks;

    return lba % packet + blocks_of(table->entries) <= packet;
}

/* Writes one copy and synchronises it. *out_good: it is on the medium. */
static int write_copy(struct udf_volume *volume,
                      const struct udf_sparing_table *table, uint32_t lba,
                      bool *out_good) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t first = lba - lba % packet;
    uint32_t end = lba + blocks_of(table->entries);
    uint32_t count = (end - first + packet - 1) / packet * packet;
    struct blockdev_failure failure;
    int error = put_table(volume, table, lba);

    if (!error) {
        error = sync_packets(volume);
    }
    if (!error && has_failed(volume, first, count, &failure) &&
        failure.missing) {
        error = clear_rest(volume, &failure);
    }
    if (error) {
        return error;
    }
    *out_good = !has_failed(volume, first, count, &failure);
    if (!*out_good) {
        blockdev_discard(volume->dev, first, count);
        mmc_log(MMC_LOG_WARN, "sparing table at sector %u cannot be written",
                lba);
    }
    return 0;
}

/* Which copies say what: a bit a copy. */
struct copies {
    unsigned old; /* good, as before */
    unsigned new; /* good, with the table that is being written */
};

/* Writes the copies in `wanted`, each only while another one is good. */
static int write_copies(struct udf_volume *volume,
                        const struct udf_partmap *map,
                        const struct udf_sparing_table *table, unsigned wanted,
                        struct copies *copies) {
    for (unsigned i = 0; i < map->tables; i++) {
        unsigned bit = 1u << i;
        bool good = false;
        int error;

        if (!(wanted & bit) || !((copies->old | copies->new) & ~bit) ||
            !is_in_packet(map, table, map->table_lba[i])) {
            continue;
        }
        copies->old &= ~bit;
        error = write_copy(volume, table, map->table_lba[i], &good);
        if (error) {
            return error;
        }
        copies->new |= good ? bit : 0;
    }
    return 0;
}

/* Copies that are not good. */
static unsigned stale_copies(const struct udf_partmap *map) {
    return ((1u << map->tables) - 1) & ~map->tables_good;
}

int udf_sparing_mend(struct udf_volume *volume) {
    int error = 0;

    for (uint32_t part = 0; !error && part < volume->maps.count; part++) {
        struct udf_partmap *map = &volume->maps.map[part];
        struct copies copies = {.old = map->tables_good};

        error = write_copies(volume, map, &map->sparing, stale_copies(map),
                             &copies);
        map->tables_good = copies.old | copies.new;
    }
    return error;
}

/* Brings a new table to the medium, in at least one copy. */
static int write_table(struct udf_volume *volume, struct udf_partmap *map,
                       const struct udf_sparing_table *table) {
    struct copies copies = {.old = map->tables_good};
    unsigned good = map->tables_good;
    int error = write_copies(volume, map, table, stale_copies(map), &copies);

    if (!error) {
        error = write_copies(volume, map, table, good, &copies);
    }
    if (!error && copies.new) {
        map->tables_good = copies.new;
        return 0;
    }
    map->tables_good = copies.old;
    /* A copy of it may be there all the same: the next one is newer. */
    map->sparing.sequence++;
    return error ? error : -ENOSPC;
}

/* ---- spares ------------------------------------------------------------- */

/* Writes `image` to the spare at `lba` and reads it back. Returns 0; -EIO when
 * the spare does not hold it; other errors as they are. */
static int fill_spare(struct udf_volume *volume, uint32_t lba, uint32_t blocks,
                      const uint8_t *image) {
    size_t bytes = (size_t)blocks * UDF_BLOCK_BYTES;
    struct blockdev_failure failure;
    uint8_t *back = malloc(bytes);
    int error = back ? blockdev_make_room(volume->dev, blocks) : -ENOMEM;

    if (!udf_io_is_fatal(error)) { /* the packet in question is among them */
        error = blockdev_write(volume->dev, lba, blocks, image);
    }
    if (!error) {
        error = sync_packets(volume);
    }
    if (!error && has_failed(volume, lba, blocks, &failure)) {
        error = -EIO;
    }
    if (!error) {
        error = blockdev_read_back(volume->dev, lba, blocks, back);
    }
    if (!error && memcmp(back, image, bytes) != 0) {
        error = -EIO;
    }
    free(back);
    return error;
}

/* Fills the first spare that takes `image`; entries of spares that do not
 * become bad. */
static int find_spare(struct udf_volume *volume, uint32_t blocks,
                      const uint8_t *image, struct udf_sparing_table *table,
                      uint32_t *out_lba) {
    int error = -ENOSPC;
    uint32_t lba;

    for (unsigned tries = 0; tries < SPARES_TRIED; tries++) {
        if (!udf_sparing_table_spare(table, &lba)) {
            return error;
        }
        error = lba < volume->dev->geometry.blocks
                    ? fill_spare(volume, lba, blocks, image)
                    : -EIO;
        if (!error) {
            *out_lba = lba;
            return 0;
        }
        if (error != -EIO) {
            return error;
        }
        blockdev_discard(volume->dev, lba, blocks);
        udf_sparing_table_assign(table, lba, UDF_SPARE_BAD);
    }
    return error;
}

/* Lets the volume find the packet in its new place; `table`, which becomes the
 * map's, says where, and gets the old one. */
static void move_in_memory(struct udf_volume *volume, struct udf_partmap *map,
                           struct udf_sparing_table *table, uint32_t lbn) {
    uint32_t from = map->start_lba + lbn, to = from;
    struct udf_sparing_table old = map->sparing;

    udf_sparing_table_find(&map->sparing, lbn, &from);
    udf_sparing_table_find(table, lbn, &to);
    pthread_rwlock_wrlock(&volume->lock);
    udf_overlay_move(&volume->overlay, from, map->packet_blocks, to);
    udf_overlay_move(&volume->pending.blocks, from, map->packet_blocks, to);
    udf_pending_forget(&volume->pending, from, map->packet_blocks);
    map->sparing = *table;
    *table = old;
    pthread_rwlock_unlock(&volume->lock);
    blockdev_discard(volume->dev, from, map->packet_blocks);
    mmc_log(MMC_LOG_NOTICE,
            "the packet at sector %u cannot be written and was replaced by a "
            "spare one",
            from);
}

int udf_sparing_remap(struct udf_volume *volume, uint16_t part, uint32_t lbn,
                      const uint8_t *image) {
    struct udf_partmap *map = &volume->maps.map[part];
    struct udf_sparing_table table;
    uint32_t spare = 0, old;
    int error = udf_sparing_table_copy(&map->sparing, &table);

    if (error) {
        return error;
    }
    if (udf_sparing_table_find(&table, lbn, &old)) {
        udf_sparing_table_assign(&table, old, UDF_SPARE_BAD);
    }
    error = find_spare(volume, map->packet_blocks, image, &table, &spare);
    if (!error) {
        udf_sparing_table_assign(&table, spare, lbn);
        table.sequence++;
        error = write_table(volume, map, &table);
    }
    if (!error) {
        move_in_memory(volume, map, &table, lbn);
    }
    udf_sparing_table_free(&table);
    return error;
}
