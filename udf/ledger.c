/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/ledger.c - see udf/ledger.h.
 */
#include "udf/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/io.h"
#include "udf/volume.h"

enum {
    ZONES = 16,          /* of the partition, that are compared */
    LEVELS = 16,         /* of the rated life, that make a difference */
    ZONE_FREE_SHARE = 4, /* one packet in so many is free where files begin */
    WARN_PERCENT = 90,
    DUE_TIMES = 64 /* of one packet: what a power cut may take */
};

static struct udf_wear_head head_of(const struct udf_ledger *ledger,
                                    uint32_t piece) {
    struct udf_wear_head head;

    udf_wear_piece(&ledger->wear, piece, ledger->area.unit, &head);
    head.serial = ledger->area.serial;
    head.number = ledger->number[piece] + 1;
    return head;
}

static uint32_t place_lba(const struct udf_ledger *ledger, uint32_t piece,
                          unsigned place) {
    const struct udf_ledger_area *area = &ledger->area;

    return area->lba + (place * area->pieces + piece) * area->unit;
}

/* ---- reading ---------------------------------------------------------- */

/* Takes both places of each piece, in the order in which they lie. */
static int read_places(struct udf_volume *volume, uint8_t *raw) {
    struct udf_ledger *ledger = &volume->ledger;
    uint32_t pieces = udf_wear_pieces(ledger->wear.packets, ledger->area.unit);
    int error = 0;

    for (uint32_t i = 0; i < 2 * pieces && !udf_io_is_fatal(error); i++) {
        uint32_t piece = i % pieces;
        unsigned place = i / pieces;
        struct udf_wear_head head = head_of(ledger, piece);

        error = udf_io_load(volume, place_lba(ledger, piece, place),
                            ledger->area.unit, raw);
        if (!error && !udf_wear_decode(raw, ledger->area.unit, &head,
                                       &ledger->wear, &ledger->number[piece])) {
            ledger->newest[piece] = (uint8_t)place;
        }
    }
    return udf_io_is_fatal(error) ? error : 0;
}

/* What was written behind the counts that were found: their own places, and the
 * LVID that closed the volume. */
static void add_last_writes(struct udf_volume *volume) {
    struct udf_ledger *ledger = &volume->ledger;
    const struct udf_integrity *integrity = &volume->integrity;
    uint32_t length = ledger->wear.packet_blocks;

    for (uint32_t piece = 0; piece < ledger->area.pieces; piece++) {
        if (ledger->number[piece] > 0) {
            uint32_t lba = place_lba(ledger, piece, ledger->newest[piece]);

            udf_wear_add(&ledger->wear, lba / length, 1);
            ledger->found = true;
        }
    }
    if (ledger->found && integrity->found) {
        udf_wear_add(&ledger->wear,
                     (integrity->extent_lba + integrity->slot) / length, 1);
    }
}

/* Packets of the medium that its pieces have room for: a volume may have been
 * made larger than the medium was when it was formatted. */
static uint32_t counted_packets(const struct udf_volume *volume) {
    const struct udf_ledger_area *area = &volume->ledger.area;
    uint64_t packets = udf_wear_packets(&volume->dev->geometry);
    uint64_t room = (uint64_t)area->pieces * udf_wear_share(area->unit);

    return (uint32_t)(packets < room ? packets : room);
}

/* Whether it counts packets as this device has them. An image of the disc has
 * none, and a place must not share a packet with anything else. */
static bool is_of_device(const struct udf_volume *volume) {
    uint32_t packet = volume->dev->geometry.packet_blocks;
    const struct udf_ledger_area *area = &volume->ledger.area;

    return area->pieces > 0 && packet > 1 && area->unit % packet == 0;
}

/* Takes memory for the counts and fills it. Errors of udf_io_is_fatal(). */
static int take_counts(struct udf_volume *volume) {
    struct udf_ledger *ledger = &volume->ledger;
    uint8_t *raw;
    int error;

    error = udf_wear_init(&ledger->wear, counted_packets(volume),
                          volume->dev->geometry.packet_blocks);
    ledger->seen = calloc(ledger->wear.packets, sizeof(*ledger->seen));
    raw = malloc((size_t)ledger->area.unit * UDF_BLOCK_BYTES);
    error = error || !ledger->seen || !raw ? -ENOMEM : read_places(volume, raw);
    free(raw);
    return error;
}

int udf_ledger_load(struct udf_volume *volume) {
    struct udf_ledger *ledger = &volume->ledger;
    int error;

    if (ledger->loaded || !is_of_device(volume)) {
        return 0;
    }
    udf_ledger_free(ledger);
    error = take_counts(volume);
    if (error) {
        udf_ledger_free(ledger);
    }
    if (error == -ENOMEM) {
        mmc_log(MMC_LOG_NOTICE,
                "there is no memory for the wear ledger: it will not count "
                "what this mount writes");
        return 0;
    }
    if (!error) {
        add_last_writes(volume);
        blockdev_writings(volume->dev, 0, ledger->wear.packets, ledger->seen);
        ledger->due_from = 0;
        ledger->loaded = true;
    }
    return error;
}

void udf_ledger_free(struct udf_ledger *ledger) {
    udf_wear_free(&ledger->wear);
    free(ledger->seen);
    ledger->seen = NULL;
    ledger->loaded = ledger->found = false;
    memset(ledger->number, 0, sizeof(ledger->number));
}

/* ---- using ------------------------------------------------------------ */

/* How worn the free packets from partition block `from` to `to` are, by the
 * levels that make a difference; UINT32_MAX where few are free. */
static uint32_t level_of(const struct udf_volume *volume, uint32_t from,
                         uint32_t to) {
    const struct udf_wear *wear = &volume->ledger.wear;
    const struct udf_partmap *map =
        &volume->maps.map[volume->placement.data_part];
    const uint64_t *space = udf_space_map(volume->space);
    uint32_t length = wear->packet_blocks;
    uint32_t step = volume->dev->geometry.rated_overwrites / LEVELS;
    uint64_t sum = 0, free_packets = 0;

    for (uint32_t lbn = from; lbn + length <= to; lbn += length) {
        uint32_t index = (map->start_lba + lbn) / length;

        if (index < wear->packets &&
            mmc_bits_next_clear(space, lbn, lbn + length) == lbn + length) {
            sum += wear->count[index];
            free_packets++;
        }
    }
    if (free_packets < (to - from) / length / ZONE_FREE_SHARE + 1) {
        return UINT32_MAX;
    }
    return (uint32_t)(sum / free_packets / step);
}

/* The least worn zone, the first one of several; where wear makes no difference
 * the disc is filled as it would be without a ledger. */
static uint32_t find_goal(const struct udf_volume *volume) {
    uint32_t blocks = volume->maps.map[volume->placement.data_part].blocks;
    uint32_t length = volume->ledger.wear.packet_blocks;
    uint32_t zone = blocks / ZONES / length * length;
    uint32_t least = UINT32_MAX, most = 0, goal = 0;

    for (uint32_t i = 0; i < ZONES; i++) {
        uint32_t level = level_of(volume, i * zone, (i + 1) * zone);

        if (level == UINT32_MAX) {
            continue;
        }
        most = level > most ? level : most;
        if (level < least) {
            least = level;
            goal = i * zone;
        }
    }
    return least < most && goal > 0 ? goal : volume->placement.data_goal;
}

static void warn(const struct udf_volume *volume) {
    uint32_t rated = volume->dev->geometry.rated_overwrites;
    struct udf_wear_summary summary;

    udf_wear_summarise(&volume->ledger.wear, &summary);
    if (summary.hottest >= (uint64_t)rated * WARN_PERCENT / 100) {
        mmc_log(MMC_LOG_WARN,
                "this disc is worn: its packet at sector %u was written %u "
                "times, and lasts about %u; keep copies of what is on it",
                summary.hottest_lba, summary.hottest, rated);
    }
}

void udf_ledger_use(struct udf_volume *volume) {
    if (!volume->ledger.loaded ||
        volume->dev->geometry.rated_overwrites < LEVELS) {
        return;
    }
    warn(volume);
    pthread_rwlock_wrlock(&volume->lock);
    if (volume->space) {
        volume->placement.data_goal = find_goal(volume);
    }
    pthread_rwlock_unlock(&volume->lock);
}

/* ---- writing ---------------------------------------------------------- */

/* What was written of a packet since `seen`. It is less now when what waited
 * then was given up. */
static uint32_t more(uint16_t now, uint16_t seen) {
    return now > seen ? (uint32_t)(now - seen) : 0;
}

/* Asks the device what it has written of a piece's packets since then; gives
 * the most of one of them. */
static uint32_t compare(struct udf_volume *volume,
                        const struct udf_wear_head *head, uint16_t *now) {
    const uint16_t *seen = volume->ledger.seen + head->first;
    uint32_t most = 0;

    blockdev_writings(volume->dev, head->first, head->count, now);
    for (uint32_t i = 0; i < head->count; i++) {
        uint32_t times = more(now[i], seen[i]);

        most = times > most ? times : most;
    }
    return most;
}

/* What saving works with, of a piece. */
struct scratch {
    uint16_t *now, *before; /* counts: the device's, and those of `wear` */
    uint8_t *raw;
};

static bool take_scratch(const struct udf_ledger *ledger,
                         struct scratch *out_scratch) {
    uint32_t share = udf_wear_share(ledger->area.unit);

    out_scratch->now = malloc(share * sizeof(uint16_t));
    out_scratch->before = malloc(share * sizeof(uint16_t));
    out_scratch->raw = malloc((size_t)ledger->area.unit * UDF_BLOCK_BYTES);
    return out_scratch->now && out_scratch->before && out_scratch->raw;
}

static void free_scratch(struct scratch *scratch) {
    free(scratch->raw);
    free(scratch->before);
    free(scratch->now);
}

/* Adds what the device has counted, and hands the piece over; when that fails,
 * nothing was added. */
static int save_piece(struct udf_volume *volume, uint32_t piece,
                      const struct scratch *scratch) {
    struct udf_ledger *ledger = &volume->ledger;
    struct udf_wear_head head = head_of(ledger, piece);
    unsigned place = ledger->number[piece] ? 1u - ledger->newest[piece] : 0;
    size_t bytes = head.count * sizeof(uint16_t);
    uint16_t *count = ledger->wear.count + head.first;
    uint16_t *seen = ledger->seen + head.first;
    int error = blockdev_make_room(volume->dev, ledger->area.unit);

    if (error) {
        return error;
    }
    memcpy(scratch->before, count, bytes);
    for (uint32_t i = 0; i < head.count; i++) {
        udf_wear_add(&ledger->wear, head.first + i,
                     more(scratch->now[i], seen[i]));
    }
    udf_wear_encode(&ledger->wear, &head, ledger->area.unit, scratch->raw);
    error = blockdev_write(volume->dev, place_lba(ledger, piece, place),
                           ledger->area.unit, scratch->raw);
    if (error) {
        memcpy(count, scratch->before, bytes);
        return error;
    }
    for (uint32_t i = 0; i < head.count; i++) {
        seen[i] += (uint16_t)more(scratch->now[i], seen[i]);
    }
    ledger->number[piece] = head.number;
    ledger->newest[piece] = (uint8_t)place;
    return 0;
}

/* Looks at all pieces; with `save` those that changed are written. Gives the
 * most that one packet was written since then. */
static uint32_t look(struct udf_volume *volume, bool save) {
    struct udf_ledger *ledger = &volume->ledger;
    uint32_t pieces = udf_wear_pieces(ledger->wear.packets, ledger->area.unit);
    struct scratch scratch;
    bool able = take_scratch(ledger, &scratch);
    uint32_t most = 0;

    for (uint32_t piece = 0; able && piece < pieces; piece++) {
        struct udf_wear_head head = head_of(ledger, piece);
        uint32_t times = compare(volume, &head, scratch.now);

        most = times > most ? times : most;
        if (save && times > 0) {
            able = save_piece(volume, piece, &scratch) == 0;
        }
    }
    free_scratch(&scratch);
    return most;
}

static bool is_kept(const struct udf_ledger *ledger) {
    return ledger->loaded && !ledger->lost;
}

/* Looking at all packets of a large disc takes time. None can have been written
 * DUE_TIMES times before as many writes as the most written one lacks. */
bool udf_ledger_is_due(struct udf_volume *volume) {
    struct udf_ledger *ledger = &volume->ledger;
    struct blockdev_stats stats;
    uint32_t most;

    if (!is_kept(ledger)) {
        return false;
    }
    blockdev_get_stats(volume->dev, &stats);
    if (stats.packets_written < ledger->due_from) {
        return false;
    }
    most = look(volume, false);
    ledger->due_from =
        stats.packets_written + (most < DUE_TIMES ? DUE_TIMES - most : 0);
    return most >= DUE_TIMES;
}

void udf_ledger_save(struct udf_volume *volume) {
    if (is_kept(&volume->ledger)) {
        (void)look(volume, true);
    }
}

bool udf_ledger_give_up(struct udf_volume *volume,
                        const struct blockdev_failure *failure) {
    struct udf_ledger *ledger = &volume->ledger;
    const struct udf_ledger_area *area = &ledger->area;
    uint64_t end = area->lba + (uint64_t)2 * area->pieces * area->unit;

    if (failure->lba < area->lba || failure->lba >= end) {
        return false;
    }
    blockdev_discard(volume->dev, failure->lba, failure->count);
    if (!ledger->lost) {
        mmc_log(MMC_LOG_NOTICE,
                "the wear ledger cannot be written at sector %u, and is left "
                "as it is",
                failure->lba);
    }
    ledger->lost = true;
    return true;
}

bool udf_ledger_give_up_all(struct udf_volume *volume) {
    struct blockdev_failure failure;
    bool any = false;
    uint32_t from = 0;

    while (blockdev_next_failed(volume->dev, from, &failure)) {
        any |= udf_ledger_give_up(volume, &failure);
        from = failure.lba + failure.count;
    }
    return any;
}
