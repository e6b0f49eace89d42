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
    size_t first, end; /* found[first .. end-1] count, newest first */
    bool foreign;      /* runs of the session that name another LVID */
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

    if (error) {
        return udf_io_is_fatal(error) ? error : 0;
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
    if (!search->found) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; !error && i < search->mark.area.packets; i++) {
        error = look_at(search, i);
    }
    qsort(search->found, search->count, sizeof(struct found), newest_first);
    return error;
}

/* Reads a run as a whole. Returns 0; -EUCLEAN when it is not whole; fatal
 * errors. */
static int load_run(struct search *search, struct found *found) {
    int error;

    if (found->raw) {
        return 0;
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
    }
    return error && !udf_io_is_fatal(error) ? -EUCLEAN : error;
}

/* ---- what counts ------------------------------------------------------ */

/* Whether the packet that `entry` names is on the medium. */
static int is_packet_there(struct search *search,
                           const struct udf_run_entry *entry) {
    uint32_t packet = search->volume->dev->geometry.packet_blocks;
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
            error = is_packet_there(search, &entry);
        }
    }
    return error;
}

/* Finds the newest run that counts. -ENOENT when there is none. */
static int find_newest(struct search *search) {
    for (size_t i = 0; i < search->count; i++) {
        int error = prove(search, &search->found[i]);

        if (!error) {
            search->first = i;
            return 0;
        }
        if (udf_io_is_fatal(error)) {
            return error;
        }
    }
    return -ENOENT;
}

/* Collects the runs before it, by the numbers that they give each other.
 * -EUCLEAN when one is missing. */
static int find_chain(struct search *search) {
    const struct found *newest = &search->found[search->first];
    uint64_t wanted = newest->head.previous;
    size_t end = search->first + 1;

    for (size_t i = end; wanted >= newest->head.first; i++) {
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
        search->found[end++] = *found;
        if (end - 1 < i) {
            found->raw = NULL;
        }
    }
    search->end = end;
    return 0;
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

static int apply_entry(struct search *search, const struct udf_run_entry *entry,
                       const uint8_t *content) {
    struct udf_overlay *overlay = &search->volume->overlay;
    uint32_t packet = search->volume->dev->geometry.packet_blocks;

    if (entry->kind == UDF_RUN_BLOCK) {
        return is_target(search, entry->lba, 1)
                   ? udf_overlay_put(overlay, entry->lba, UDF_OVERLAY_ENTRY,
                                     content)
                   : -EUCLEAN;
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
        error = apply_entry(search, &entry, content);
    }
    return error;
}

static int apply(struct search *search) {
    int error = 0;

    for (size_t i = search->end; !error && i > search->first; i--) {
        error = apply_run(search, &search->found[i - 1]);
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

    for (size_t i = search->end; i > search->first; i--) {
        const struct found *found = &search->found[i - 1];
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

/* Compares one block at home with what the journal says of it. Returns 0;
 * -ESTALE; fatal errors. */
static int probe(struct search *search, uint32_t lba) {
    uint8_t block[UDF_BLOCK_BYTES];
    int error = udf_io_load_home(search->volume, lba, block);

    if (error) {
        return udf_io_is_fatal(error) ? error : 0;
    }
    return is_known(search, lba, udf_run_sum(block, sizeof(block))) ? 0
                                                                    : -ESTALE;
}

/* Compares all blocks in some packets, evenly spread. */
static int probe_homes(struct search *search) {
    const struct udf_overlay_block **list;
    uint32_t packet = search->volume->dev->geometry.packet_blocks;
    uint32_t probed = UINT32_MAX;
    size_t count, step;
    int error = udf_overlay_list_all(&search->volume->overlay, &list, &count);

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

/* Lets the journal go on behind the newest run that counts. */
static void go_on(struct search *search) {
    struct udf_journal *journal = &search->volume->journal;
    struct udf_lvid *lvid = &search->volume->integrity.lvid;
    const struct udf_journal_area *area = &search->mark.area;

    journal->session = search->mark.session;
    journal->area = *area;
    journal->lvid = search->volume->integrity.sum;
    journal->head = search->mark.begin;
    if (search->count > 0) {
        journal->sequence = search->found[0].head.sequence;
    }
    if (search->end > search->first) {
        const struct found *newest = &search->found[search->first];
        const struct found *oldest = &search->found[search->end - 1];
        uint32_t length = area->packet_blocks;
        uint32_t behind =
            newest->begin + (newest->head.blocks + length - 1) / length;

        journal->head = behind % area->packets;
        journal->used = behind > oldest->begin
                            ? behind - oldest->begin
                            : behind + area->packets - oldest->begin;
        journal->previous = newest->head.sequence;
        journal->first = newest->head.first;
        journal->unproven = names_packets(newest);
        lvid->files = newest->head.files;
        lvid->directories = newest->head.directories;
        lvid->next_unique_id = newest->head.unique_id;
    }
    journal->replayed = search->volume->overlay.count > 0;
}

static int replay(struct search *search) {
    struct udf_volume *volume = search->volume;
    int error = find_runs(search);

    if (!error) {
        error = find_newest(search);
    }
    if (error == -ENOENT) {
        /* Nothing was committed since the LVID was written; unless it was by
         * somebody else, who does not know of runs. */
        error = search->foreign ? -ESTALE : 0;
    } else if (!error) {
        search->end = search->first + 1;
        error = find_chain(search);
        if (!error) {
            error = apply(search);
        }
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

static void report(const struct udf_volume *volume, int error) {
    const char *label = volume->identity.label;

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
    if (error == -ENOENT || error == -EUCLEAN) {
        return 0;
    }
    if (volume->integrity.lvid.closed || search.mark.session == 0) {
        volume->journal.head = search.mark.begin;
        return 0;
    }
    if (!error) {
        error = replay(&search);
    }
    for (size_t i = 0; i < search.count; i++) {
        free(search.found[i].raw);
    }
    free(search.found);
    if (udf_io_is_fatal(error)) {
        return error;
    }
    report(volume, error);
    *out_result = error ? UDF_REPLAY_STALE : UDF_REPLAY_DONE;
    return 0;
}

int udf_replay_keep_area(struct udf_volume *volume) {
    const struct udf_journal *journal = &volume->journal;
    const struct udf_partmap *map =
        &volume->maps.map[volume->placement.data_part];
    uint32_t lbn;

    if (!udf_journal_is_used(volume) || journal->reserved.packets > 0 ||
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
