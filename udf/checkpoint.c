/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/checkpoint.c - see udf/checkpoint.h.
 */
#include "udf/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "udf/badpacket.h"
#include "udf/io.h"
#include "udf/volume.h"

/* Packets that stay free behind the images: for the run that empties the
 * journal, and one that may prove to be bad. */
enum { SPARE_PACKETS = 2 };

/* The packets of one portion. */
struct portion {
    struct udf_run run;      /* what the journal lacks */
    struct udf_overlay near; /* memory for it: blocks that were read */
};

/* Gives the block's place in the partition; false when it has none, because
 * something beside the partition shares a packet with it. */
static bool find(const struct udf_volume *volume, uint32_t lba,
                 uint32_t *out_lbn) {
    return udf_partmap_find(&volume->maps.map[volume->placement.data_part], lba,
                            out_lbn);
}

/* Whether a cut must not destroy the block. */
static bool is_live(const struct udf_volume *volume, uint32_t lba) {
    uint32_t lbn;

    return !find(volume, lba, &lbn) ||
           udf_space_is_committed(volume->space, lbn);
}

/* Whether the block still belongs to something; a file without a name is read
 * until it is closed. */
static bool is_wanted(const struct udf_volume *volume, uint32_t lba) {
    uint32_t lbn;

    return is_live(volume, lba) || (find(volume, lba, &lbn) &&
                                    udf_space_is_orphaned(volume->space, lbn));
}

/* What the overlay holds, sorted, but for blocks that are no one's any more. */
static int list_homes(struct udf_volume *volume,
                      const struct udf_overlay_block ***out_list,
                      size_t *out_count) {
    const struct udf_overlay_block **list;
    size_t count, kept = 0;
    int error = udf_overlay_list_all(&volume->overlay, &list, &count);

    if (error) {
        return error;
    }
    pthread_rwlock_rdlock(&volume->lock);
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(volume, list[i]->lba)) {
            list[kept++] = list[i];
        }
    }
    pthread_rwlock_unlock(&volume->lock);
    *out_list = list;
    *out_count = kept;
    return 0;
}

/* Which blocks of the packet at `first` live at home only: bit n for block n.
 */
static uint64_t neighbours(struct udf_volume *volume, uint32_t first) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint64_t bits = 0;

    pthread_rwlock_rdlock(&volume->lock);
    for (uint32_t i = 0; i < packet; i++) {
        if (first + i < volume->dev->geometry.blocks &&
            is_live(volume, first + i) &&
            !udf_overlay_find(&volume->overlay, first + i)) {
            bits |= (uint64_t)1 << i;
        }
    }
    pthread_rwlock_unlock(&volume->lock);
    return bits;
}

/* Reads one neighbour into the portion's memory. One that cannot be read is
 * not lost by this; whether its packet can be written without it is decided
 * where that is tried. */
static int read_neighbour(struct udf_volume *volume, struct portion *portion,
                          uint32_t lba) {
    uint8_t block[UDF_BLOCK_BYTES];
    int error = udf_io_load(volume, lba, 1, block);

    if (error) {
        return error == -EIO ? 0 : error;
    }
    error = udf_overlay_put(&portion->near, lba, UDF_OVERLAY_DATA, block);
    return error
               ? error
               : udf_run_add_block(&portion->run, lba,
                                   udf_overlay_find(&portion->near, lba), NULL);
}

static int read_neighbours(struct udf_volume *volume, struct portion *portion,
                           uint32_t first, uint64_t bits) {
    int error = 0;

    for (uint32_t i = 0; !error && bits; i++, bits >>= 1) {
        if (bits & 1u) {
            error = read_neighbour(volume, portion, first + i);
        }
    }
    return error;
}

/* Index of the first block of `list` behind the packet at `first`. */
static size_t packet_end(const struct udf_overlay_block *const *list,
                         size_t from, size_t count, uint32_t last) {
    while (from < count && list[from]->lba <= last) {
        from++;
    }
    return from;
}

static uint32_t count_bits(uint64_t bits) {
    uint32_t count = 0;

    for (; bits; bits &= bits - 1) {
        count++;
    }
    return count;
}

/* Gathers packets from list[from] on as long as the journal has room for their
 * images; gives where the next portion begins. */
static int gather(struct udf_volume *volume, struct portion *portion,
                  const struct udf_overlay_block *const *list, size_t from,
                  size_t count, size_t *out_end) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t room = udf_journal_room(&volume->journal, SPARE_PACKETS);
    size_t at = from;
    int error = 0;

    if (volume->journal.unproven) {
        room /= 2; /* the next portion cannot take the place of this one */
    }
    while (!error && at < count) {
        uint32_t first = list[at]->lba / packet * packet;
        uint64_t bits = neighbours(volume, first);
        uint32_t more = count_bits(bits);
        uint64_t blocks =
            udf_run_blocks((uint64_t)portion->run.head.entries + more,
                           (uint64_t)portion->run.head.contents + more);

        if (bits && blocks > room && at > from) {
            break;
        }
        error = read_neighbours(volume, portion, first, bits);
        at = packet_end(list, at, count, first + packet - 1);
    }
    *out_end = at;
    return error;
}

static int write_blocks(struct udf_volume *volume,
                        const struct udf_overlay_block *const *list,
                        size_t count) {
    int error = 0;

    for (size_t i = 0; !error && i < count; i++) {
        error = blockdev_write(volume->dev, list[i]->lba, 1, list[i]->data);
    }
    return error;
}

/* Writes home `count` blocks and what was read for their packets. */
static int write_homes(struct udf_volume *volume, struct portion *portion,
                       const struct udf_overlay_block *const *list,
                       size_t count, bool *io_moved) {
    const struct udf_overlay_block **near;
    size_t near_count;
    int error = udf_overlay_list_all(&portion->near, &near, &near_count);

    if (error) {
        return error;
    }
    error = write_blocks(volume, near, near_count);
    free(near);
    if (!error) {
        error = write_blocks(volume, list, count);
    }
    return error ? error : udf_badpacket_sync(volume, io_moved);
}

/* What is left of the list, and what is done with it. */
struct homes {
    const struct udf_overlay_block *const *list;
    size_t at, count;
};

/* Both steps for one portion. */
static int bring_portion(struct udf_volume *volume, struct homes *homes,
                         bool *io_moved) {
    struct udf_journal *journal = &volume->journal;
    struct udf_journal_place before = udf_journal_place(journal);
    struct portion portion = {0};
    size_t from = homes->at;
    bool append;
    int error =
        gather(volume, &portion, homes->list, from, homes->count, &homes->at);

    append = portion.run.head.entries > 0 || journal->unproven;
    if (!error && append) {
        error = udf_journal_append(volume, &portion.run, io_moved);
    }
    if (!error && !*io_moved) {
        error = write_homes(volume, &portion, homes->list + from,
                            homes->at - from, io_moved);
    }
    if (!error && !*io_moved && append && !before.unproven &&
        homes->at < homes->count) {
        udf_journal_go_back(journal, &before);
    }
    udf_run_clear(&portion.run);
    udf_overlay_clear(&portion.near);
    return error;
}

/* Everything is at home. */
static void release(struct udf_volume *volume) {
    pthread_rwlock_wrlock(&volume->lock);
    udf_overlay_clear(&volume->overlay);
    udf_pending_synced(&volume->pending, true);
    udf_spaces_release(volume);
    volume->journal.replayed = false;
    pthread_rwlock_unlock(&volume->lock);
}

int udf_checkpoint(struct udf_volume *volume, bool closing, bool *io_moved) {
    const struct udf_overlay_block **list;
    struct homes homes = {0};
    int error = list_homes(volume, &list, &homes.count);

    if (error) {
        return error;
    }
    homes.list = list;
    /* What was sent, and the room that the images need in the device. */
    error = homes.count > 0 ? udf_badpacket_write_out(volume, io_moved)
                            : udf_badpacket_sync(volume, io_moved);
    while (!error && !*io_moved && homes.at < homes.count) {
        error = bring_portion(volume, &homes, io_moved);
    }
    free(list);
    if (!error && !*io_moved && !closing && volume->journal.used > 0) {
        error = udf_journal_empty(volume, io_moved);
    }
    if (!error && !*io_moved) {
        release(volume);
    }
    return error;
}
