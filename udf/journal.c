/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/journal.c - see udf/journal.h.
 */
#include "udf/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/badpacket.h"
#include "udf/volume.h"

enum {
    BORROWED_BYTES = 4 << 20, /* of free space, on other systems' discs */
    BORROWED_PACKETS_MIN = 8, /* fewer are not worth the name */
    BORROWED_SHARE = 8,       /* at most one part in so many of the disc */
    SPARE_SHARE = 4,          /* kept for checkpoints: one part in so many */
    PACKET_BLOCKS_MIN = 16,   /* of the journal's own packets */
    ATTEMPTS_MAX = 64         /* packets that may fail for one run */
};

bool udf_journal_is_used(const struct udf_volume *volume) {
    return volume->journal.session != 0;
}

bool udf_journal_is_reserved(const struct udf_journal *journal) {
    const struct udf_journal_area *area = &journal->area;
    const struct udf_journal_area *reserved = &journal->reserved;
    uint64_t end = area->lba + (uint64_t)area->packets * area->packet_blocks;

    return area->lba >= reserved->lba &&
           end <= reserved->lba +
                      (uint64_t)reserved->packets * reserved->packet_blocks;
}

/* ---- sessions --------------------------------------------------------- */

static uint64_t new_session(void) {
    uint64_t session = 0;

    if (getrandom(&session, sizeof(session), 0) != sizeof(session)) {
        struct udf_time now = udf_op_clock();

        session = (uint64_t)now.sec * 1000000 + now.nsec / 1000;
    }
    return session ? session : 1;
}

/* Packets that the journal is written in: the medium's, but not so small that
 * every block would have to be looked at when it is searched. */
static uint32_t packet_of(const struct udf_volume *volume) {
    uint32_t packet = volume->dev->geometry.packet_blocks;

    return packet < PACKET_BLOCKS_MIN ? PACKET_BLOCKS_MIN : packet;
}

/* Takes `packets` packets of the partition's free space, at its end: what is
 * used comes from the beginning. False when there are none in one piece, or not
 * without what is kept and reserved. */
static bool borrow(struct udf_volume *volume, uint32_t packets,
                   struct udf_journal_area *out) {
    uint32_t packet = packet_of(volume);
    uint32_t count = packets * packet;
    struct udf_addr addr = {.part = volume->placement.data_part};
    uint32_t lba, run;

    if (udf_space_usable(volume->space) <
            (uint64_t)count + volume->placement.keep +
                udf_space_reserved(volume->space) ||
        udf_space_set_aside(volume->space, count, packet,
                            volume->maps.map[addr.part].start_lba % packet,
                            &addr.lbn)) {
        return false;
    }
    if (udf_partmap_lba(&volume->maps, addr, count, &lba, &run) ||
        run != count || lba % packet != 0) {
        (void)udf_space_give(volume->space, addr.lbn, count);
        return false;
    }
    *out = (struct udf_journal_area){
        .lba = lba, .packets = packets, .packet_blocks = packet};
    return true;
}

/* The usual size, or as much of it as there is. */
static bool borrow_usual(struct udf_volume *volume,
                         struct udf_journal_area *out) {
    uint32_t blocks = volume->maps.map[volume->placement.data_part].blocks;
    uint32_t packet = packet_of(volume);
    uint32_t packets = BORROWED_BYTES / UDF_BLOCK_BYTES / packet;

    if (packets > blocks / packet / BORROWED_SHARE) {
        packets = blocks / packet / BORROWED_SHARE;
    }
    for (; packets >= BORROWED_PACKETS_MIN; packets /= 2) {
        if (borrow(volume, packets, out)) {
            return true;
        }
    }
    return false;
}

/* Gives back an area that was borrowed. */
static void give_back(struct udf_volume *volume) {
    const struct udf_journal_area *area = &volume->journal.area;
    uint32_t lbn;

    if (area->packets > 0 && !udf_journal_is_reserved(&volume->journal) &&
        udf_partmap_find(&volume->maps.map[volume->placement.data_part],
                         area->lba, &lbn)) {
        (void)udf_space_give(volume->space, lbn,
                             area->packets * area->packet_blocks);
    }
}

/* A disc's image may be on a medium with longer packets than the area was made
 * for: then the part of it that is whole packets. */
static struct udf_journal_area fitted(const struct udf_volume *volume,
                                      struct udf_journal_area area) {
    uint32_t unit = volume->dev->geometry.packet_blocks;
    uint64_t end = area.lba + (uint64_t)area.packets * area.packet_blocks;

    if (area.packets > 0 && area.packet_blocks < unit) {
        area.lba = (area.lba + unit - 1) / unit * unit;
        area.packets = end > area.lba ? (uint32_t)((end - area.lba) / unit) : 0;
        area.packet_blocks = unit;
    }
    return area;
}

/* A new session in `area`. */
static void begin(struct udf_volume *volume,
                  const struct udf_journal_area *area) {
    struct udf_journal *journal = &volume->journal;
    struct udf_journal old = *journal;

    *journal = (struct udf_journal){
        .volume_sum = old.volume_sum,
        .serial = old.serial,
        .reserved = old.reserved,
        .session = new_session(),
        .closing = old.closing,
        .area = *area,
        .at.head = old.at.head < area->packets ? old.at.head : 0,
    };
    if (area->lba == old.bad_lba) {
        memcpy(journal->bad, old.bad, sizeof(old.bad));
    }
    journal->bad_lba = area->lba;
    mmc_log(MMC_LOG_INFO, "\"%s\": journal of %u packets at block %u%s",
            volume->identity.label, area->packets, area->lba,
            udf_journal_is_reserved(journal) ? "" : ", in free space");
}

void udf_journal_begin(struct udf_volume *volume) {
    struct udf_journal_area area = fitted(volume, volume->journal.reserved);

    volume->journal.suspended = false;
    if (volume->options.no_journal || udf_journal_is_used(volume)) {
        return;
    }
    if (area.packets == 0 && !borrow_usual(volume, &area)) {
        mmc_log(MMC_LOG_NOTICE,
                "\"%s\" has no room for a journal: ordered writes; a power "
                "cut can damage what shares a packet with what is written",
                volume->identity.label);
        return;
    }
    begin(volume, &area);
}

void udf_journal_end(struct udf_volume *volume) {
    struct udf_journal *journal = &volume->journal;

    give_back(volume);
    journal->session = 0;
    journal->area = (struct udf_journal_area){0};
    journal->at.used = 0;
    journal->at.first = 0;
}

int udf_journal_lengthen(struct udf_volume *volume, uint64_t blocks) {
    uint64_t packets = blocks / packet_of(volume) + 1;
    struct udf_journal_area area;
    bool found;

    packets += packets / 2; /* room for a checkpoint */
    pthread_rwlock_wrlock(&volume->lock);
    found = packets <= UDF_JOURNAL_PACKETS_MAX &&
            borrow(volume, (uint32_t)packets, &area);
    if (found) {
        udf_journal_end(volume);
        begin(volume, &area);
        volume->journal.at.head = 0; /* it is to fit in one piece */
    }
    pthread_rwlock_unlock(&volume->lock);
    return found ? udf_integrity_write(volume, false) : -ENOSPC;
}

int udf_journal_renew(struct udf_volume *volume) {
    pthread_rwlock_wrlock(&volume->lock);
    udf_journal_end(volume);
    udf_journal_begin(volume);
    pthread_rwlock_unlock(&volume->lock);
    return udf_integrity_write(volume, false);
}

int udf_journal_leave(struct udf_volume *volume) {
    pthread_rwlock_wrlock(&volume->lock);
    udf_journal_end(volume);
    volume->journal.suspended = true;
    pthread_rwlock_unlock(&volume->lock);
    return udf_integrity_write(volume, false);
}

bool udf_journal_mark(const struct udf_volume *volume, bool closed,
                      struct udf_mark *out_mark) {
    const struct udf_journal *journal = &volume->journal;
    bool open = !closed && journal->session != 0;

    if (!open && journal->reserved.packets == 0) {
        return false;
    }
    *out_mark = (struct udf_mark){
        .session = open ? journal->session : 0,
        .area = open ? journal->area : journal->reserved,
        .begin = journal->at.head,
    };
    if (out_mark->begin >= out_mark->area.packets) {
        out_mark->begin = 0;
    }
    return true;
}

/* ---- appending -------------------------------------------------------- */

/* Good packets in one piece. */
struct piece {
    uint32_t skipped; /* packets between the head and this */
    uint32_t begin, packets;
};

/* The next piece that is at least `skipped` packets behind the head; it ends
 * with the area, too. False behind the last. */
static bool next_piece(const struct udf_journal *journal, uint32_t skipped,
                       struct piece *out_piece) {
    uint32_t all = journal->area.packets;
    uint32_t begin, end;

    while (skipped < all &&
           mmc_bits_test(journal->bad, (journal->at.head + skipped) % all)) {
        skipped++;
    }
    if (skipped >= all) {
        return false;
    }
    begin = (journal->at.head + skipped) % all;
    end = (uint32_t)mmc_bits_next_set(journal->bad, begin, all);
    *out_piece = (struct piece){
        .skipped = skipped, .begin = begin, .packets = end - begin};
    return true;
}

/* Packets that can be used without those that are, and `spare`. */
static uint32_t free_packets(const struct udf_journal *journal,
                             uint32_t spare) {
    uint32_t taken = journal->at.used + spare;

    return journal->area.packets > taken ? journal->area.packets - taken : 0;
}

/* Where a run of `packets` goes so that `spare` packets stay free: into the
 * first piece that has room for it. Returns 0 or -ENOSPC. */
static int place_run(const struct udf_journal *journal, uint32_t packets,
                     uint32_t spare, struct piece *out_piece) {
    uint32_t room = free_packets(journal, spare);
    struct piece piece = {0};

    while (next_piece(journal, piece.skipped + piece.packets, &piece)) {
        if (piece.skipped + packets > room) {
            return -ENOSPC;
        }
        if (piece.packets >= packets) {
            *out_piece = piece;
            return 0;
        }
    }
    return -ENOSPC;
}

uint32_t udf_journal_room(const struct udf_journal *journal, uint32_t spare) {
    uint32_t room = free_packets(journal, spare);
    struct piece piece = {0};
    uint32_t most = 0;

    while (next_piece(journal, piece.skipped + piece.packets, &piece) &&
           piece.skipped < room) {
        uint32_t packets = room - piece.skipped;

        packets = packets < piece.packets ? packets : piece.packets;
        most = packets > most ? packets : most;
    }
    return most * journal->area.packet_blocks;
}

uint32_t udf_journal_capacity(const struct udf_journal *journal) {
    const struct udf_journal_area *area =
        journal->session ? &journal->area : &journal->reserved;
    uint32_t blocks = area->packets > 0 ? area->packets * area->packet_blocks
                                        : BORROWED_BYTES / UDF_BLOCK_BYTES;

    return blocks - blocks / SPARE_SHARE;
}

uint32_t udf_journal_spare(const struct udf_journal *journal) {
    return journal->checkpoint ? 1 : journal->area.packets / SPARE_SHARE;
}

bool udf_journal_is_full(const struct udf_journal *journal) {
    return journal->at.used + udf_journal_spare(journal) >=
           journal->area.packets;
}

/* Notes which packets of the run at `begin` could not be written. Returns
 * whether there were any. */
static bool note_bad(struct udf_volume *volume, uint32_t begin,
                     uint32_t packets) {
    struct udf_journal *journal = &volume->journal;
    uint32_t length = journal->area.packet_blocks;
    uint32_t first = journal->area.lba + begin * length;
    uint32_t end = first + packets * length;
    struct blockdev_failure failure;
    bool any = false;

    while (blockdev_next_failed(volume->dev, first, &failure) &&
           failure.lba < end) {
        uint32_t packet = begin + (failure.lba - first) / length;

        mmc_bits_set(journal->bad, packet);
        blockdev_discard(volume->dev, failure.lba, failure.count);
        mmc_log(MMC_LOG_WARN, "packet %u of the journal is bad", packet);
        any = true;
    }
    return any;
}

static void fill_head(const struct udf_volume *volume, struct udf_run *run,
                      uint32_t begin) {
    const struct udf_journal *journal = &volume->journal;

    run->head.volume = journal->volume_sum;
    run->head.serial = journal->serial;
    run->head.session = journal->session;
    run->head.lvid = journal->lvid;
    run->head.sequence = journal->sequence + 1;
    run->head.previous = journal->at.previous;
    if (run->head.first == 0) {
        run->head.first =
            journal->at.first ? journal->at.first : run->head.sequence;
    }
    run->head.files = volume->counts.files;
    run->head.directories = volume->counts.directories;
    run->head.unique_id = volume->counts.next_unique_id;
    run->head.lba = journal->area.lba + begin * journal->area.packet_blocks;
    run->head.unit = volume->dev->geometry.packet_blocks;
}

static bool has_unproven(const struct udf_run *run) {
    for (uint32_t i = 0; i < run->head.entries; i++) {
        if (run->entry[i].kind == UDF_RUN_PACKET) {
            return true;
        }
    }
    return false;
}

/* One attempt, in `packets` packets of `piece`. */
static int append(struct udf_volume *volume, struct udf_run *run, uint8_t *raw,
                  uint32_t packets, const struct piece *piece) {
    struct udf_journal *journal = &volume->journal;
    uint32_t unit = volume->dev->geometry.packet_blocks;
    uint32_t blocks;
    int error;

    fill_head(volume, run, piece->begin);
    udf_run_encode(run, raw);
    blocks = (run->head.blocks + unit - 1) / unit * unit;
    error = blockdev_make_room(volume->dev, blocks);
    if (!error) {
        error = blockdev_write(volume->dev, run->head.lba, blocks, raw);
    }
    if (!error) {
        error = blockdev_sync(volume->dev);
    }
    if (error) {
        return error;
    }
    journal->sequence = run->head.sequence;
    journal->at.previous = run->head.sequence;
    journal->at.first = run->head.first;
    journal->at.unproven = has_unproven(run);
    journal->at.head = (piece->begin + packets) % journal->area.packets;
    journal->at.used += piece->skipped + packets;
    journal->ends_with_images = false;
    return 0;
}

/* Whether all that was free has failed since `before`: then it is the drive
 * that cannot write, and no packet is known to be bad for that. */
static bool is_drive_failing(struct udf_journal *journal,
                             const uint64_t *before) {
    if (memcmp(journal->bad, before, sizeof(journal->bad)) == 0 ||
        udf_journal_room(journal, 0) > 0) {
        return false;
    }
    memcpy(journal->bad, before, sizeof(journal->bad));
    return true;
}

int udf_journal_append(struct udf_volume *volume, struct udf_run *run,
                       uint32_t spare, bool *io_moved) {
    struct udf_journal *journal = &volume->journal;
    const struct udf_journal_area *area = &journal->area;
    uint64_t blocks = udf_run_blocks(run->head.entries, run->head.contents);
    uint64_t packets = (blocks + area->packet_blocks - 1) / area->packet_blocks;
    uint32_t unit = volume->dev->geometry.packet_blocks;
    uint64_t first = run->head.first;
    uint64_t bad[UDF_JOURNAL_PACKETS_MAX / 64];
    uint8_t *raw;
    int error = -EIO;

    if (packets > area->packets) {
        return -ENOSPC;
    }
    raw = calloc((size_t)packets * area->packet_blocks + unit, UDF_BLOCK_BYTES);
    if (!raw) {
        return -ENOMEM;
    }
    memcpy(bad, journal->bad, sizeof(bad));
    for (unsigned i = 0; error == -EIO && i < ATTEMPTS_MAX; i++) {
        struct piece piece = {0};

        run->head.first = first;
        error = place_run(journal, (uint32_t)packets, spare, &piece);
        if (!error) {
            error = append(volume, run, raw, (uint32_t)packets, &piece);
        }
        if (error == -EIO &&
            !note_bad(volume, piece.begin, (uint32_t)packets)) {
            struct blockdev_failure failure;

            if (!blockdev_next_failed(volume->dev, 0, &failure) ||
                udf_badpacket_resolve(volume, io_moved)) {
                break;
            }
            /* A packet that the run names may be elsewhere now. */
            *io_moved = true;
            error = 0;
        }
    }
    free(raw);
    return error == -ENOSPC && is_drive_failing(journal, bad) ? -EIO : error;
}

int udf_journal_empty(struct udf_volume *volume, bool *io_moved) {
    struct udf_journal *journal = &volume->journal;
    struct udf_run run = {.head.first = journal->sequence + 1};
    int error = udf_journal_append(volume, &run, 0, io_moved);

    if (!error) {
        /* The next run needs nothing before it; this one stays until then. */
        journal->at.used = 1;
        journal->at.first = 0;
    }
    udf_run_clear(&run);
    return error;
}
