/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/checkpoint.c - see udf/checkpoint.h.
 */
#include "udf/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "mmc/log.h"
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
    uint32_t packets;
};

/* What goes home, sorted, and the first block that has not. */
struct homes {
    const struct udf_overlay_block *const *list;
    size_t at, count;
    bool closing; /* the wear ledger goes with the last of them */
    bool warned;  /* that there is no protection */
};

/* Whether a cut must not destroy the block; so for what lies beside the
 * partitions and shares a packet with them. */
static bool is_live(const struct udf_volume *volume, uint32_t lba) {
    const struct udf_space *space;
    uint32_t lbn;

    return !udf_spaces_find(volume, lba, &space, &lbn) ||
           udf_space_is_committed(space, lbn);
}

/* Whether the block still belongs to something: a file without a name is read
 * until it is closed, and what the next commit refers to may be here already
 * (udf/commit.h). */
static bool is_wanted(const struct udf_volume *volume, uint32_t lba) {
    const struct udf_space *space;
    uint32_t lbn;

    return !udf_spaces_find(volume, lba, &space, &lbn) ||
           udf_space_is_wanted(space, lbn);
}

/* What the overlay holds, sorted, but for blocks that are no one's any more. */
static int list_homes(struct udf_volume *volume,
                      const struct udf_overlay_block ***out_list,
                      size_t *out_count) {
    const struct udf_overlay_block **list;
    size_t count, kept = 0;
    int error =
        udf_overlay_list(&volume->overlay, UDF_OVERLAY_CLASSES, &list, &count);

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
    int error;

    (void)blockdev_fetch_within(volume->dev, lba, 1, 0); /* nothing ahead */
    error = udf_io_load(volume, lba, 1, block);
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

/* Gathers at most `max` packets, and no more than the journal has room for
 * their images; but one. */
static int gather(struct udf_volume *volume, struct portion *portion,
                  struct homes *homes, uint32_t max) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint32_t room = udf_journal_room(&volume->journal, SPARE_PACKETS);
    int error = 0;

    portion->run.head.images = true;
    if (volume->journal.at.unproven) {
        room /= 2; /* the next portion cannot take the place of this one */
    }
    while (!error && homes->at < homes->count && portion->packets < max) {
        uint32_t first = homes->list[homes->at]->lba / packet * packet;
        uint64_t bits = neighbours(volume, first);
        uint64_t more = mmc_bits_count(&bits, 0, 64);
        uint64_t blocks = udf_run_blocks(portion->run.head.entries + more,
                                         portion->run.head.contents + more);

        if (bits && blocks > room && portion->packets > 0) {
            break;
        }
        error = read_neighbours(volume, portion, first, bits);
        homes->at = packet_end(homes->list, homes->at, homes->count,
                               first + packet - 1);
        portion->packets++;
    }
    return error;
}

static void drop_portion(struct portion *portion) {
    udf_run_clear(&portion->run);
    udf_overlay_clear(&portion->near);
    portion->packets = 0;
}

/* Goes on when packets of the journal are so bad that it has no room for the
 * images of one packet: better than to keep everything in memory. */
static void warn(const struct udf_volume *volume, struct homes *homes) {
    if (!homes->warned) {
        mmc_log(MMC_LOG_NOTICE,
                "\"%s\": too much of the journal is bad; a power cut now can "
                "damage what shares a packet with what is written",
                volume->identity.label);
        homes->warned = true;
    }
}

/* Gathers a portion and brings what the journal lacks of it there. When packets
 * of the journal prove to be bad, there is room for less. *out_appended: there
 * was something to be appended, and it was. */
static int protect(struct udf_volume *volume, struct portion *portion,
                   struct homes *homes, bool *io_moved, bool *out_appended) {
    size_t from = homes->at;
    uint32_t max = UINT32_MAX;
    int error = -ENOSPC;

    *out_appended = false;
    while (error == -ENOSPC && max > 0) {
        drop_portion(portion);
        homes->at = from;
        error = gather(volume, portion, homes, max);
        if (error ||
            (portion->run.head.entries == 0 && !volume->journal.at.unproven)) {
            return error;
        }
        max = portion->packets / 2;
        error = udf_journal_append(volume, &portion->run,
                                   max > 0 ? SPARE_PACKETS : 0, io_moved);
        *out_appended = !error;
    }
    if (error == -ENOSPC) {
        warn(volume, homes);
        error = 0;
    }
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

/* Writes home the blocks from `from` on and what was read for their packets. */
static int write_homes(struct udf_volume *volume, struct portion *portion,
                       const struct homes *homes, size_t from, bool *io_moved) {
    const struct udf_overlay_block **near;
    size_t near_count;
    int error = udf_overlay_list(&portion->near, UDF_OVERLAY_CLASSES, &near,
                                 &near_count);

    if (error) {
        return error;
    }
    error = write_blocks(volume, near, near_count);
    free(near);
    if (!error) {
        error = write_blocks(volume, homes->list + from, homes->at - from);
    }
    if (!error && homes->closing && homes->at == homes->count) {
        udf_ledger_save(volume);
    }
    return error ? error : udf_badpacket_sync(volume, io_moved);
}

/* Both steps for one portion. */
static int bring_portion(struct udf_volume *volume, struct homes *homes,
                         bool *io_moved) {
    struct udf_journal *journal = &volume->journal;
    struct udf_journal_place before = journal->at;
    struct portion portion = {0};
    size_t from = homes->at;
    bool appended;
    int error = protect(volume, &portion, homes, io_moved, &appended);

    if (!error && !*io_moved) {
        error = write_homes(volume, &portion, homes, from, io_moved);
    }
    if (!error && !*io_moved && appended && !before.unproven &&
        homes->at < homes->count) {
        journal->at = before;
    }
    drop_portion(&portion);
    return error;
}

/* Brings home the packets that need no images, and takes them off the list; the
 * others stay. */
static int bring_complete(struct udf_volume *volume,
                          const struct udf_overlay_block **list,
                          size_t *io_count, bool *io_moved) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    size_t at = 0, kept = 0;
    int error = 0;

    while (!error && at < *io_count) {
        uint32_t first = list[at]->lba / packet * packet;
        size_t end = packet_end(list, at, *io_count, first + packet - 1);

        if (neighbours(volume, first) == 0) {
            error = write_blocks(volume, list + at, end - at);
        } else {
            memmove(list + kept, list + at, (end - at) * sizeof(*list));
            kept += end - at;
        }
        at = end;
    }
    *io_count = kept;
    return error ? error : udf_badpacket_sync(volume, io_moved);
}

/* The images that a mount found in the journal are not needed when their
 * packets are at home: they make room for those of the others. */
static int bring_images(struct udf_volume *volume,
                        const struct udf_overlay_block **list, size_t *io_count,
                        bool *io_moved) {
    struct udf_journal *journal = &volume->journal;
    int error;

    if (!journal->ends_with_images) {
        return 0;
    }
    error = bring_complete(volume, list, io_count, io_moved);
    if (!error && !*io_moved) {
        journal->at = journal->before_images;
    }
    journal->ends_with_images = false;
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

/* Appends the run that empties the journal, in the place of the last images if
 * there is no other; when there is none for it, a new session does as well. */
static int empty(struct udf_volume *volume,
                 const struct udf_journal_place *behind, bool *io_moved) {
    int error;

    if (udf_journal_room(&volume->journal, 0) == 0 && !behind->unproven) {
        volume->journal.at = *behind;
    }
    error = udf_journal_empty(volume, io_moved);
    return error == -ENOSPC ? udf_journal_renew(volume) : error;
}

int udf_checkpoint(struct udf_volume *volume, bool closing, bool *io_moved) {
    const struct udf_overlay_block **list;
    struct udf_journal_place last;
    struct homes homes = {.closing = closing};
    int error = list_homes(volume, &list, &homes.count);

    if (error) {
        return error;
    }
    /* What was sent, and the room that the images need in the device. */
    error = homes.count > 0 ? udf_badpacket_write_out(volume, io_moved)
                            : udf_badpacket_sync(volume, io_moved);
    if (!error && !*io_moved) {
        error = bring_images(volume, list, &homes.count, io_moved);
    }
    homes.list = list;
    last = volume->journal.at;
    while (!error && !*io_moved && homes.at < homes.count) {
        last = volume->journal.at;
        error = bring_portion(volume, &homes, io_moved);
    }
    free(list);
    if (!error && !*io_moved && !closing && volume->journal.at.used > 0) {
        error = empty(volume, &last, io_moved);
    }
    if (!error && !*io_moved && closing && homes.count == 0) {
        udf_ledger_save(volume);
    }
    if (!error && !*io_moved) {
        release(volume);
    }
    return error;
}
