/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/replay.c - see udf/replay.h.
 */
#include "udf/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/io.h"
#include "udf/volume.h"

/* Packets in which blocks are compared with what the journal says of them. */
enum { PROBES_MAX = 16 };

/* A run that was found, and, when it counts, all of it. */
struct found {
    struct udf_run_head head;
    uint32_t begin; /* packet of the area */
    uint8_t *raw;
};

struct search {
    struct udf_volume *volume;
    struct udf_mark mark;
    struct found *found; /* by sequence, newest first */
    size_t count;
    struct found **chain; /* the runs that count, newest first */
    size_t chained;
    uint64_t loaded; /* blocks of the runs that were read */
    bool broken;     /* later runs were whole, but others before them are not */
    bool foreign;    /* runs of the session that name another LVID */
};

/* ---- searching -------------------------------------------------------- */

static bool is_ours(const struct search *search,
                    const struct udf_run_head *head) {
    const struct udf_journal *journal = &search->volume->journal;

    return head->session == search->mark.session &&
           head->volume == journal->volume_sum &&
           head->serial == journal->serial;
}

/* Looks at the packet `begin` of the area for the head of a run. */
static int look_at(struct search *search, uint32_t begin) {
    const struct udf_journal_area *area = &search->mark.area;
    uint32_t lba = area->lba + begin * area->packet_blocks;
    uint32_t left = (area->packets - begin) * area->packet_blocks;
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_run_head head;
    int error = udf_io_load(search->volume, lba, 1, block);

    if (error && !udf_io_is_fatal(error)) {
        mmc_log(MMC_LOG_INFO,
                "packet %u of the journal cannot be read: what a power cut "
                "left, or a commit that is lost",
                begin);
        return 0;
    }
    if (error) {
        return error;
    }
    if (udf_run_decode_head(block, lba, left, &head) ||
        !is_ours(search, &head)) {
        return 0;
    }
    if (head.lvid != search->volume->integrity.sum) {
        search->foreign = true;
        return 0;
    }
    search->found[search->count++] =
        (struct found){.head = head, .begin = begin};
    return 0;
}

static int newest_first(const void *a, const void *b) {
    const struct found *left = a;
    const struct found *right = b;

    return (left->head.sequence < right->head.sequence) -
           (left->head.sequence > right->head.sequence);
}

static int find_runs(struct search *search) {
    int error = 0;

    search->found = calloc(search->mark.area.packets, sizeof(struct found));
    search->chain = calloc(search->mark.area.packets, sizeof(*search->chain));
    if (!search->found || !search->chain) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; !error && i < search->mark.area.packets; i++) {
        error = look_at(search, i);
    }
    qsort(search->found, search->count, sizeof(struct found), newest_first);
    return error;
}

/* Reads a run as a whole. Returns 0; -EUCLEAN when it is not whole, or lies
 * over others that are: all together are no longer than the area; fatal
 * errors. */
static int load_run(struct search *search, struct found *found) {
    const struct udf_journal_area *area = &search->mark.area;
    int error;

    if (found->raw) {
        return 0;
    }
    if (search->loaded + found->head.blocks >
        (uint64_t)area->packets * area->packet_blocks) {
        return -EUCLEAN;
    }
    found->raw = malloc((size_t)found->head.blocks * UDF_BLOCK_BYTES);
    if (!found->raw) {
        return -ENOMEM;
    }
    error = udf_io_load(search->volume, found->head.lba, found->head.blocks,
                        found->raw);
    if (!error) {
        error = udf_run_check(found->raw, &found->head);
    }
    if (error) {
        free(found->raw);
        found->raw = NULL;
    } else {
        search->loaded += found->head.blocks;
    }
    return error && !udf_io_is_fatal(error) ? -EUCLEAN : error;
}

/* ---- what counts ------------------------------------------------------ */

/* Whether the packet that `entry` names is on the medium. */
static int is_packet_there(struct search *search, uint32_t packet,
                           const struct udf_run_entry *entry) {
    uint8_t *raw = malloc((size_t)packet * UDF_BLOCK_BYTES);
    int error =
        raw ? udf_io_load(search->volume, entry->lba, packet, raw) : -ENOMEM;

    if (!error &&
        udf_run_sum(raw, (size_t)packet * UDF_BLOCK_BYTES) != entry->sum) {
        error = -EUCLEAN;
    }
    free(raw);
    return error && !udf_io_is_fatal(error) ? -EUCLEAN : error;
}

/* Whether the newest run counts: it and its packets may have been cut off. */
static int prove(struct search *search, struct found *found) {
    uint32_t contents = 0;
    int error = load_run(search, found);

    for (uint32_t i = 0; !error && i < found->head.entries; i++) {
        struct udf_run_entry entry;
        const uint8_t *content;

        udf_run_entry(found->raw, &found->head, i, &contents, &entry, &content);
        if (entry.kind == UDF_RUN_PACKET) {
            error = is_packet_there(search, found->head.unit, &entry);
        }
    }
    return error;
}

/* Collects found[from] and the runs before it, by the numbers that they give
 * each other. -EUCLEAN when one is missing. */
static int find_chain(struct search *search, size_t from) {
    struct found *newest = &search->found[from];
    uint64_t wanted = newest->head.previous;

    search->chain[0] = newest;
    search->chained = 1;
    for (size_t i = from + 1; wanted >= newest->head.first; i++) {
        struct found *found = &search->found[i];
        int error;

        if (i == search->count || found->head.sequence < wanted) {
            return -EUCLEAN;
        }
        if (found->head.sequence > wanted) {
            continue;
        }
        error = load_run(search, found);
        if (error == -EUCLEAN) {
            continue; /* another may have the same number */
        }
        if (error) {
            return error;
        }
        wanted = found->head.previous;
        search->chain[search->chained++] = found;
    }
    return 0;
}

/* Finds the newest run that counts, with all that it needs: whole, its packets
 * there, and none of the runs before it missing. -ENOENT when there is none. */
static int find_newest(struct search *search) {
    for (size_t i = 0; i < search->count; i++) {
        int error = prove(search, &search->found[i]);

        if (!error) {
            error = find_chain(search, i);
            search->broken |= error == -EUCLEAN;
        }
        if (!error || udf_io_is_fatal(error)) {
            return error;
        }
    }
    search->chained = 0;
    return -ENOENT;
}

/* ---- applying --------------------------------------------------------- */

/* Whether a block of the journal may lie at `lba`. */
static bool is_target(const struct search *search, uint32_t lba,
                      uint32_t count) {
    const struct udf_journal_area *area = &search->mark.area;
    uint32_t blocks = search->volume->dev->geometry.blocks;
    uint64_t area_end =
        area->lba + (uint64_t)area->packets * area->packet_blocks;

    return lba < blocks && count <= blocks - lba &&
           (lba >= area_end || (uint64_t)lba + count <= area->lba);
}

/* Whether a spare has taken the place of the packet at `lba`: what the journal
 * held of it is there. */
static bool is_replaced(const struct search *search, uint32_t lba) {
    const struct udf_partmaps *maps = &search->volume->maps;

    for (uint32_t part = 0; part < maps->count; part++) {
        const struct udf_partmap *map = &maps->map[part];
        uint32_t lbn;

        if (map->kind == UDF_MAP_KIND_SPARABLE && lba >= map->start_lba &&
            lba - map->start_lba < map->blocks &&
            !udf_partmap_find(map, lba, &lbn)) {
            return true;
        }
    }
    return false;
}

static int apply_entry(struct search *search, uint32_t packet,
                       const struct udf_run_entry *entry,
                       const uint8_t *content) {
    struct udf_overlay *overlay = &search->volume->overlay;

    if (entry->kind == UDF_RUN_BLOCK && !is_target(search, entry->lba, 1)) {
        return -EUCLEAN;
    }
    if (is_replaced(search, entry->lba)) {
        return 0;
    }
    if (entry->kind == UDF_RUN_BLOCK) {
        return udf_overlay_put(overlay, entry->lba, UDF_OVERLAY_ENTRY, content);
    }
    if (!is_target(search, entry->lba, packet)) {
        return -EUCLEAN;
    }
    udf_overlay_drop(overlay, entry->lba, packet);
    return 0;
}

static int apply_run(struct search *search, const struct found *found) {
    uint32_t contents = 0;
    int error = 0;

    for (uint32_t i = 0; !error && i < found->head.entries; i++) {
        struct udf_run_entry entry;
        const uint8_t *content;

        udf_run_entry(found->raw, &found->head, i, &contents, &entry, &content);
        error = apply_entry(search, found->head.unit, &entry, content);
    }
    return error;
}

static int apply(struct search *search) {
    int error = 0;

    for (size_t i = search->chained; !error && i > 0; i--) {
        error = apply_run(search, search->chain[i - 1]);
    }
    return error;
}

/* ---- staleness -------------------------------------------------------- */

static bool explains(const struct udf_run_entry *entry, uint64_t sum) {
    return entry->sum == sum || (entry->old_known && entry->old_sum == sum);
}

/* Whether some run has seen or made a block with this checksum at `lba`, or
 * the first that holds it did not know what was there. */
static bool is_known(const struct search *search, uint32_t lba, uint64_t sum) {
    bool first = true;

    for (size_t i = search->chained; i > 0; i--) {
        const struct found *found = search->chain[i - 1];
        uint32_t contents = 0;

        for (uint32_t n = 0; n < found->head.entries; n++) {
            struct udf_run_entry entry;
            const uint8_t *content;

            udf_run_entry(found->raw, &found->head, n, &contents, &entry,
                          &content);
            if (entry.kind != UDF_RUN_BLOCK || entry.lba != lba) {
                continue;
            }
            if (explains(&entry, sum) || (first && !entry.old_known)) {
                return true;
            }
            first = false;
        }
    }
    return false;
}

/* Compares one block at home with what the journal says of it. Zeros say
 * nothing: what is not in use is filled with them when its packet is written.
 * Returns 0; -ESTALE; fatal errors. */
static int probe(struct search *search, uint32_t lba) {
    static const uint8_t zeros[UDF_BLOCK_BYTES];
    uint8_t block[UDF_BLOCK_BYTES];
    int error = udf_io_load_home(search->volume, lba, block);

    if (error) {
        return udf_io_is_fatal(error) ? error : 0;
    }
    if (memcmp(block, zeros, sizeof(block)) == 0 ||
        is_known(search, lba, udf_run_sum(block, sizeof(block)))) {
        return 0;
    }
    return -ESTALE;
}

/* Compares all blocks in some packets, evenly spread. */
static int probe_homes(struct search *search) {
    const struct udf_overlay_block **list;
    uint32_t packet = search->volume->dev->geometry.packet_blocks;
    uint32_t probed = UINT32_MAX;
    size_t count, step;
    int error = udf_overlay_list(&search->volume->overlay, UDF_OVERLAY_CLASSES,
                                 &list, &count);

    if (error) {
        return error;
    }
    step = count / PROBES_MAX + 1;
    for (size_t i = 0; !error && i < count; i++) {
        if (i % step == 0) {
            probed = list[i]->lba / packet;
        }
        if (list[i]->lba / packet == probed) {
            error = probe(search, list[i]->lba);
        }
    }
    free(list);
    return error;
}

/* ---- the whole -------------------------------------------------------- */

static bool names_packets(const struct found *found) {
    uint32_t contents = 0;

    for (uint32_t i = 0; i < found->head.entries; i++) {
        struct udf_run_entry entry;
        const uint8_t *content;

        udf_run_entry(found->raw, &found->head, i, &contents, &entry, &content);
        if (entry.kind == UDF_RUN_PACKET) {
            return true;
        }
    }
    return false;
}

/* Whether it is the run that says that everything is at home. */
static bool empties(const struct found *found) {
    return found->head.entries == 0 &&
           found->head.first == found->head.sequence;
}

/* How far the journal reaches when its last run is `chain[last]`. */
static struct udf_journal_place place_behind(const struct search *search,
                                             size_t last) {
    const struct udf_journal_area *area = &search->mark.area;
    const struct found *newest = search->chain[last];
    const struct found *oldest = search->chain[search->chained - 1];
    uint32_t length = area->packet_blocks;
    uint32_t behind =
        newest->begin + (newest->head.blocks + length - 1) / length;

    return (struct udf_journal_place){
        .head = behind % area->packets,
        .used = behind > oldest->begin ? behind - oldest->begin
                                       : behind + area->packets - oldest->begin,
        .previous = newest->head.sequence,
        .first = empties(newest) ? 0 : newest->head.first,
        .unproven = names_packets(newest),
    };
}

/* The last run but those that hold images only; one of these stays where it is
 * what proves the run before it. */
static size_t last_needed(const struct search *search) {
    size_t last = 0;

    while (last < search->chained && search->chain[last]->head.images) {
        last++;
    }
    if (last == search->chained ||
        (last > 0 && names_packets(search->chain[last]))) {
        last--;
    }
    return last;
}

/* The highest number that was given: of runs that do not count, too, unless
 * they cannot be of this session's making. */
static uint64_t highest(const struct search *search) {
    uint64_t last = search->chained > 0 ? search->chain[0]->head.sequence : 0;

    for (size_t i = 0; i < search->count; i++) {
        uint64_t sequence = search->found[i].head.sequence;

        if (sequence > last && sequence - last <= UINT32_MAX) {
            return sequence;
        }
    }
    return last;
}

/* Lets the journal go on behind the newest run that counts. */
static void go_on(struct search *search) {
    struct udf_journal *journal = &search->volume->journal;
    struct udf_lvid *lvid = &search->volume->integrity.lvid;

    journal->session = search->mark.session;
    journal->area = search->mark.area;
    journal->lvid = search->volume->integrity.sum;
    journal->at.head = search->mark.begin;
    journal->sequence = highest(search);
    if (search->chained > 0) {
        const struct udf_run_head *newest = &search->chain[0]->head;
        size_t last = last_needed(search);

        journal->at = place_behind(search, 0);
        journal->ends_with_images = last > 0;
        journal->before_images = place_behind(search, last);
        lvid->files = newest->files;
        lvid->directories = newest->directories;
        lvid->next_unique_id = newest->unique_id;
    }
    journal->replayed = search->volume->overlay.count > 0;
}

static int replay(struct search *search) {
    struct udf_volume *volume = search->volume;
    int error = find_runs(search);

    if (!error) {
        error = find_newest(search);
    }
    if (error == -ENOENT && search->broken) {
        error = -EUCLEAN;
    } else if (error == -ENOENT) {
        /* Nothing was committed since the LVID was written; unless it was by
         * somebody else, who does not know of runs. */
        error = search->foreign ? -ESTALE : 0;
    } else if (!error) {
        error = apply(search);
        if (!error) {
            error = probe_homes(search);
        }
    }
    if (!error) {
        go_on(search);
    } else if (!udf_io_is_fatal(error)) {
        udf_overlay_clear(&volume->overlay);
    }
    return error;
}

static void report(const struct search *search, int error) {
    const struct udf_volume *volume = search->volume;
    const char *label = volume->identity.label;

    if (search->broken && !error) {
        mmc_log(MMC_LOG_ERROR,
                "\"%s\": the journal is damaged; the last commits are lost",
                label);
    }
    if (error == -ESTALE) {
        mmc_log(MMC_LOG_WARN,
                "\"%s\": the journal is dropped, because somebody else has "
                "written to the volume since",
                label);
    } else if (error) {
        mmc_log(MMC_LOG_ERROR,
                "\"%s\": the journal is damaged and is dropped; what it held "
                "is lost",
                label);
    } else if (volume->overlay.count > 0) {
        mmc_log(MMC_LOG_NOTICE,
                "\"%s\" was not unmounted cleanly; %zu blocks come from its "
                "journal",
                label, volume->overlay.count);
    }
}

int udf_replay(struct udf_volume *volume, enum udf_replay_result *out_result) {
    struct search search = {.volume = volume};
    int error = udf_mark_decode(&volume->integrity.lvid,
                                volume->dev->geometry.blocks, &search.mark);

    *out_result = UDF_REPLAY_NONE;
    volume->integrity.last_anchor = error ? 0 : search.mark.last_anchor;
    if (error == -ENOENT ||
        (error == -EUCLEAN && volume->integrity.lvid.closed)) {
        return 0;
    }
    if (error == -EUCLEAN) {
        report(&search, error);
        *out_result = UDF_REPLAY_STALE;
        return 0;
    }
    if (volume->integrity.lvid.closed || search.mark.session == 0) {
        volume->journal.at.head = search.mark.begin;
        return 0;
    }
    if (!error) {
        error = replay(&search);
    }
    if (!error &&
        search.mark.area.packet_blocks < volume->dev->geometry.packet_blocks) {
        udf_volume_read_only(volume, "its journal was written on a medium with "
                                     "shorter packets");
    }
    for (size_t i = 0; i < search.count; i++) {
        free(search.found[i].raw);
    }
    free(search.found);
    free(search.chain);
    if (udf_io_is_fatal(error)) {
        return error;
    }
    report(&search, error);
    *out_result = error ? UDF_REPLAY_STALE : UDF_REPLAY_DONE;
    return 0;
}

int udf_replay_keep_area(struct udf_volume *volume) {
    const struct udf_journal *journal = &volume->journal;
    const struct udf_partmap *map =
        &volume->maps.map[volume->placement.data_part];
    uint32_t lbn;

    if (!udf_journal_is_used(volume) || udf_journal_is_reserved(journal) ||
        !volume->space) {
        return 0;
    }
    if (!udf_partmap_find(map, journal->area.lba, &lbn) ||
        udf_space_set_aside_at(volume->space, lbn,
                               journal->area.packets *
                                   journal->area.packet_blocks)) {
        return -EUCLEAN;
    }
    return 0;
}
