/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/run.c - see udf/run.h.
 */
#include "udf/run.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

enum {
    HEAD_BYTES = 128,
    ENTRY_BYTES = 24,
    IMAGES = 1u,
    OLD_KNOWN = 1u,
    UNIT_MAX = 64
};

static const char magic[8] = {'U', 'D', 'F', 'P', 'K', 'T', 'J', '1'};

struct raw_head {
    char magic[8];
    uint64_t sum;
    uint64_t volume, serial, session, lvid;
    uint64_t sequence, previous, first;
    uint64_t unique_id;
    uint32_t files, directories;
    uint32_t lba, blocks, entries, contents;
    uint32_t flags, unit;
    uint8_t zeros[16];
};

struct raw_entry {
    uint32_t lba;
    uint8_t kind;
    uint8_t flags;
    uint16_t zero;
    uint64_t old_sum, sum;
};

_Static_assert(sizeof(struct raw_head) == HEAD_BYTES, "as on the disc");
_Static_assert(sizeof(struct raw_entry) == ENTRY_BYTES, "as on the disc");

uint64_t udf_run_sum(const void *data, size_t bytes) {
    return XXH3_64bits(data, bytes);
}

/* ---- putting together ------------------------------------------------- */

static int add_entry(struct udf_run *run, const struct udf_run_entry *entry) {
    if (run->head.entries == run->entry_room) {
        size_t room = run->entry_room ? run->entry_room * 2 : 64;
        struct udf_run_entry *bigger =
            reallocarray(run->entry, room, sizeof(*bigger));

        if (!bigger) {
            return -ENOMEM;
        }
        run->entry = bigger;
        run->entry_room = room;
    }
    run->entry[run->head.entries++] = *entry;
    return 0;
}

int udf_run_add_block(struct udf_run *run, uint32_t lba, const uint8_t *data,
                      const uint8_t *old) {
    struct udf_run_entry entry = {
        .lba = lba,
        .kind = UDF_RUN_BLOCK,
        .old_known = old != NULL,
        .old_sum = old ? udf_run_sum(old, UDF_BLOCK_BYTES) : 0,
        .sum = udf_run_sum(data, UDF_BLOCK_BYTES),
    };
    int error;

    if (run->head.contents == run->content_room) {
        size_t room = run->content_room ? run->content_room * 2 : 64;
        const uint8_t **bigger =
            reallocarray(run->content, room, sizeof(*bigger));

        if (!bigger) {
            return -ENOMEM;
        }
        run->content = bigger;
        run->content_room = room;
    }
    error = add_entry(run, &entry);
    if (!error) {
        run->content[run->head.contents++] = data;
    }
    return error;
}

int udf_run_add_packet(struct udf_run *run, uint32_t lba,
                       enum udf_run_kind kind, uint64_t sum) {
    struct udf_run_entry entry = {.lba = lba, .kind = kind, .sum = sum};

    return add_entry(run, &entry);
}

void udf_run_clear(struct udf_run *run) {
    free(run->entry);
    free(run->content);
    *run = (struct udf_run){0};
}

static uint64_t table_blocks(uint64_t entries) {
    return (HEAD_BYTES + entries * ENTRY_BYTES + UDF_BLOCK_BYTES - 1) /
           UDF_BLOCK_BYTES;
}

uint64_t udf_run_blocks(uint64_t entries, uint64_t contents) {
    return table_blocks(entries) + contents;
}

/* ---- encoding --------------------------------------------------------- */

static void encode_head(const struct udf_run_head *head, uint8_t *raw) {
    struct raw_head bytes = {
        .volume = htole64(head->volume),
        .serial = htole64(head->serial),
        .session = htole64(head->session),
        .lvid = htole64(head->lvid),
        .sequence = htole64(head->sequence),
        .previous = htole64(head->previous),
        .first = htole64(head->first),
        .unique_id = htole64(head->unique_id),
        .files = htole32(head->files),
        .directories = htole32(head->directories),
        .lba = htole32(head->lba),
        .blocks = htole32(head->blocks),
        .entries = htole32(head->entries),
        .contents = htole32(head->contents),
        .flags = htole32(head->images ? IMAGES : 0),
        .unit = htole32(head->unit),
    };

    memcpy(bytes.magic, magic, sizeof(magic));
    memcpy(raw, &bytes, sizeof(bytes));
}

static void encode_entry(const struct udf_run_entry *entry, uint8_t *raw) {
    struct raw_entry bytes = {
        .lba = htole32(entry->lba),
        .kind = (uint8_t)entry->kind,
        .flags = entry->old_known ? OLD_KNOWN : 0,
        .old_sum = htole64(entry->old_sum),
        .sum = htole64(entry->sum),
    };

    memcpy(raw, &bytes, sizeof(bytes));
}

/* The checksum of a run whose field for it is not looked at. */
static uint64_t sum_of(const uint8_t *raw, uint32_t blocks) {
    static const uint8_t none[sizeof(uint64_t)];
    size_t from = offsetof(struct raw_head, sum);
    size_t behind = from + sizeof(none);
    XXH3_state_t *state = XXH3_createState();
    uint64_t sum;

    if (!state) {
        return 0; /* as good as a wrong one: the run does not count */
    }
    (void)XXH3_64bits_reset(state);
    (void)XXH3_64bits_update(state, raw, from);
    (void)XXH3_64bits_update(state, none, sizeof(none));
    (void)XXH3_64bits_update(state, raw + behind,
                             (size_t)blocks * UDF_BLOCK_BYTES - behind);
    sum = XXH3_64bits_digest(state);
    (void)XXH3_freeState(state);
    return sum ? sum : 1;
}

void udf_run_encode(struct udf_run *run, uint8_t *raw) {
    uint64_t table = table_blocks(run->head.entries);
    uint64_t sum;

    run->head.blocks =
        (uint32_t)udf_run_blocks(run->head.entries, run->head.contents);
    memset(raw, 0, (size_t)table * UDF_BLOCK_BYTES);
    encode_head(&run->head, raw);
    for (uint32_t i = 0; i < run->head.entries; i++) {
        encode_entry(&run->entry[i],
                     raw + HEAD_BYTES + (size_t)i * ENTRY_BYTES);
    }
    for (uint32_t i = 0; i < run->head.contents; i++) {
        memcpy(raw + (size_t)(table + i) * UDF_BLOCK_BYTES, run->content[i],
               UDF_BLOCK_BYTES);
    }
    run->head.sum = sum_of(raw, run->head.blocks);
    sum = htole64(run->head.sum);
    memcpy(raw + offsetof(struct raw_head, sum), &sum, sizeof(sum));
}

/* ---- decoding --------------------------------------------------------- */

int udf_run_decode_head(const uint8_t *block, uint32_t lba, uint32_t blocks_max,
                        struct udf_run_head *out_head) {
    struct raw_head raw;
    struct udf_run_head head;

    memcpy(&raw, block, sizeof(raw));
    if (memcmp(raw.magic, magic, sizeof(magic)) != 0) {
        return -ENOENT;
    }
    head = (struct udf_run_head){
        .sum = le64toh(raw.sum),
        .volume = le64toh(raw.volume),
        .serial = le64toh(raw.serial),
        .session = le64toh(raw.session),
        .lvid = le64toh(raw.lvid),
        .sequence = le64toh(raw.sequence),
        .previous = le64toh(raw.previous),
        .first = le64toh(raw.first),
        .unique_id = le64toh(raw.unique_id),
        .files = le32toh(raw.files),
        .directories = le32toh(raw.directories),
        .lba = le32toh(raw.lba),
        .blocks = le32toh(raw.blocks),
        .entries = le32toh(raw.entries),
        .contents = le32toh(raw.contents),
        .images = le32toh(raw.flags) & IMAGES,
        .unit = le32toh(raw.unit),
    };
    if (head.lba != lba || head.blocks > blocks_max ||
        head.contents > head.entries || head.sequence == 0 ||
        head.previous >= head.sequence || head.first == 0 ||
        head.first > head.sequence || le32toh(raw.flags) > IMAGES ||
        head.unit == 0 || head.unit > UNIT_MAX ||
        udf_run_blocks(head.entries, head.contents) != head.blocks) {
        return -EUCLEAN;
    }
    *out_head = head;
    return 0;
}

static bool is_entry(const struct raw_entry *raw) {
    return raw->kind >= UDF_RUN_BLOCK && raw->kind <= UDF_RUN_HOME &&
           (raw->flags & ~OLD_KNOWN) == 0 && raw->zero == 0;
}

int udf_run_check(const uint8_t *raw, const struct udf_run_head *head) {
    uint32_t contents = 0, packets = 0;

    if (sum_of(raw, head->blocks) != head->sum) {
        return -EUCLEAN;
    }
    for (uint32_t i = 0; i < head->entries; i++) {
        struct raw_entry entry;

        memcpy(&entry, raw + HEAD_BYTES + (size_t)i * ENTRY_BYTES,
               sizeof(entry));
        if (!is_entry(&entry)) {
            return -EUCLEAN;
        }
        contents += entry.kind == UDF_RUN_BLOCK;
        packets += entry.kind == UDF_RUN_PACKET;
    }
    return contents == head->contents && packets <= UDF_RUN_PACKETS_MAX
               ? 0
               : -EUCLEAN;
}

void udf_run_entry(const uint8_t *raw, const struct udf_run_head *head,
                   uint32_t index, uint32_t *io_content,
                   struct udf_run_entry *out_entry,
                   const uint8_t **out_content) {
    uint64_t table = table_blocks(head->entries);
    struct raw_entry entry;

    memcpy(&entry, raw + HEAD_BYTES + (size_t)index * ENTRY_BYTES,
           sizeof(entry));
    *out_entry = (struct udf_run_entry){
        .lba = le32toh(entry.lba),
        .kind = (enum udf_run_kind)entry.kind,
        .old_known = entry.flags & OLD_KNOWN,
        .old_sum = le64toh(entry.old_sum),
        .sum = le64toh(entry.sum),
    };
    *out_content = NULL;
    if (entry.kind == UDF_RUN_BLOCK) {
        *out_content = raw + (size_t)(table + *io_content) * UDF_BLOCK_BYTES;
        ++*io_content;
    }
}
