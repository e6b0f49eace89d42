/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/spacetable.c - see udf/spacetable.h.
 */
#include "udf/spacetable.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/extent.h"
#include "udf/io.h"
#include "udf/tag.h"
#include "udf/volume.h"

enum {
    AD_BYTES = 8,
    /* Places in an unallocated space entry. */
    STRATEGY_AT = 20,
    ENTRIES_AT = 24,
    TYPE_AT = 27,
    FLAGS_AT = 34,
    LENGTH_AT = 36,
    ADS_AT = 40,
    TYPE_USE = 1,
    USE_ROOM = (UDF_BLOCK_BYTES - ADS_AT) / AD_BYTES,
    AED_ROOM = (UDF_BLOCK_BYTES - UDF_AED_BYTES) / AD_BYTES,
    RUN_MAX = UDF_EXTENT_BYTES_MAX / UDF_BLOCK_BYTES
};

static struct udf_spacetable *table_of(struct udf_volume *volume,
                                       uint16_t part) {
    return &volume->spaces.table[part];
}

/* ---- loading ---------------------------------------------------------- */

int udf_spacetable_decode(const uint8_t *block, uint32_t lbn,
                          const uint8_t **out_ads, uint32_t *out_bytes) {
    uint32_t bytes;
    uint16_t flags;

    if (udf_tag_expect(block, UDF_BLOCK_BYTES, UDF_TAG_USE, lbn)) {
        return -EUCLEAN;
    }
    memcpy(&bytes, block + LENGTH_AT, sizeof(bytes));
    memcpy(&flags, block + FLAGS_AT, sizeof(flags));
    bytes = le32toh(bytes);
    if (bytes > UDF_BLOCK_BYTES - ADS_AT ||
        (le16toh(flags) & UDF_ICB_FORM_MASK) != UDF_AD_SHORT) {
        return -EUCLEAN; /* UDF 2.60 2.3.7.1: short ones */
    }
    *out_ads = block + ADS_AT;
    *out_bytes = bytes;
    return 0;
}

/* A table while it is read. */
struct reader {
    uint64_t *words;
    uint32_t blocks;
    uint32_t next; /* where the list goes on */
    bool more;
};

/* Enters the runs of one area of descriptors. */
static int take_area(struct reader *reader, const uint8_t *ads,
                     uint32_t bytes) {
    reader->more = false;
    for (uint32_t at = 0; at + AD_BYTES <= bytes; at += AD_BYTES) {
        struct udf_short_ad ad = udf_short_ad_decode(ads + at);
        uint32_t count = (ad.bytes + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES;

        if (ad.bytes == 0) {
            return 0;
        }
        if (ad.kind == UDF_EXTENT_NEXT) {
            reader->next = ad.lbn;
            reader->more = true;
            return 0;
        }
        if (ad.lbn >= reader->blocks || count > reader->blocks - ad.lbn) {
            return -EUCLEAN;
        }
        mmc_bits_set_range(reader->words, ad.lbn, (uint64_t)ad.lbn + count);
    }
    return 0;
}

static int note_aed(struct udf_spacetable *table, uint32_t lbn) {
    uint32_t *bigger = realloc(table->aed, (table->aeds + 1) * sizeof(*bigger));

    if (!bigger) {
        return -ENOMEM;
    }
    table->aed = bigger;
    table->aed[table->aeds++] = lbn;
    return 0;
}

static int load_aed(struct udf_volume *volume, struct udf_spacetable *table,
                    struct reader *reader) {
    struct udf_addr addr = {.lbn = reader->next, .part = table->addr.part};
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_aed aed;
    int error = udf_io_load_at(volume, addr, block);

    if (!error) {
        error = udf_decode_aed(block, addr.lbn, &aed);
    }
    /* A list with more blocks than there can be runs goes in a circle. */
    if (!error && table->aeds > reader->blocks / AED_ROOM + 1) {
        error = -EUCLEAN;
    }
    if (!error) {
        error = note_aed(table, addr.lbn);
    }
    return error ? error : take_area(reader, aed.ads, aed.ads_bytes);
}

static int load_list(struct udf_volume *volume, struct udf_spacetable *table,
                     struct reader *reader) {
    uint8_t block[UDF_BLOCK_BYTES];
    const uint8_t *ads;
    uint32_t bytes;
    int error = udf_io_load_at(volume, table->addr, block);

    if (!error) {
        error = udf_spacetable_decode(block, table->addr.lbn, &ads, &bytes);
    }
    if (!error) {
        error = take_area(reader, ads, bytes);
    }
    while (!error && reader->more) {
        error = load_aed(volume, table, reader);
    }
    return error;
}

int udf_spacetable_load(struct udf_volume *volume,
                        const struct udf_short_ad *raw, uint16_t part) {
    struct udf_spacetable *table = table_of(volume, part);
    struct reader reader = {.blocks = volume->maps.map[part].blocks};
    int error;

    *table = (struct udf_spacetable){.present = true,
                                     .addr = {.lbn = raw->lbn, .part = part}};
    reader.words =
        calloc(mmc_bits_words(reader.blocks) + 1, sizeof(*reader.words));
    if (!reader.words) {
        return -ENOMEM;
    }
    error = load_list(volume, table, &reader);
    if (!error) {
        error = udf_spaces_make(volume, part, reader.blocks, reader.words);
    }
    free(reader.words);
    return error;
}

/* ---- writing ---------------------------------------------------------- */

/* The run of free blocks at or behind `from`, as long as one descriptor can
 * say. Returns false when there is none. */
static bool next_run(const struct udf_space *space, uint32_t from,
                     uint32_t *out_lbn, uint32_t *out_count) {
    const uint64_t *map = udf_space_map(space);
    uint32_t blocks = udf_space_blocks(space);
    uint64_t lbn = mmc_bits_next_set(map, from, blocks);
    uint64_t end;

    if (lbn >= blocks) {
        return false;
    }
    end = mmc_bits_next_clear(map, lbn, blocks);
    *out_lbn = (uint32_t)lbn;
    *out_count = (uint32_t)(end - lbn < RUN_MAX ? end - lbn : RUN_MAX);
    return true;
}

/* Blocks beside the entry that the list needs. */
static uint32_t chain_blocks(const struct udf_space *space) {
    uint32_t from = 0, lbn, count, runs = 0;

    while (next_run(space, from, &lbn, &count)) {
        runs++;
        from = lbn + count;
    }
    return runs <= USE_ROOM
               ? 0
               : (runs - USE_ROOM + AED_ROOM - 1) / (AED_ROOM - 1) + 1;
}

/* Makes the chain long enough. Taking a block can make a run more, so that it
 * is counted anew; what is too long by one stays. */
static int resize_chain(struct udf_volume *volume, uint16_t part) {
    struct udf_spacetable *table = table_of(volume, part);
    const struct udf_space *space = volume->spaces.of[part];
    uint32_t lbn;
    int error = 0;

    while (!error && table->aeds < chain_blocks(space)) {
        error = udf_spaces_take_block(volume, part, table->addr.lbn, &lbn);
        if (!error) {
            error = note_aed(table, lbn);
        }
    }
    while (!error && table->aeds > chain_blocks(space) + 1) {
        struct udf_addr addr = {.lbn = table->aed[--table->aeds], .part = part};

        udf_volume_give(volume, addr, 1);
    }
    return error;
}

/* Fills an area of `room` descriptors with runs from *from on; the last one
 * leads to `next`, unless that is NULL. Gives its bytes. */
static uint32_t fill_area(const struct udf_space *space, uint32_t *from,
                          uint32_t room, const struct udf_addr *next,
                          uint8_t *ads) {
    uint32_t lbn, count, used = 0;

    room -= next ? 1 : 0;
    while (used < room && next_run(space, *from, &lbn, &count)) {
        const struct udf_short_ad ad = {.bytes = count * UDF_BLOCK_BYTES,
                                        .kind = UDF_EXTENT_ALLOCATED,
                                        .lbn = lbn};

        udf_short_ad_encode(&ad, ads + used * AD_BYTES);
        *from = lbn + count;
        used++;
    }
    if (next) {
        udf_ad_encode_next(UDF_AD_SHORT, next, ads + used * AD_BYTES);
        used++;
    }
    return used * AD_BYTES;
}

static struct udf_addr aed_addr(const struct udf_spacetable *table,
                                uint32_t i) {
    return (struct udf_addr){.lbn = table->aed[i], .part = table->addr.part};
}

static int write_entry(struct udf_volume *volume, uint16_t part,
                       uint32_t *from) {
    const struct udf_spacetable *table = table_of(volume, part);
    uint8_t block[UDF_BLOCK_BYTES] = {0};
    struct udf_addr next;
    uint32_t bytes;

    block[STRATEGY_AT] = 4;
    block[ENTRIES_AT] = 1;
    block[TYPE_AT] = TYPE_USE;
    if (table->aeds > 0) {
        next = aed_addr(table, 0);
    }
    bytes = fill_area(volume->spaces.of[part], from, USE_ROOM,
                      table->aeds > 0 ? &next : NULL, block + ADS_AT);
    block[LENGTH_AT] = (uint8_t)bytes;
    block[LENGTH_AT + 1] = (uint8_t)(bytes >> 8);
    udf_tag_seal(block, ADS_AT + bytes, UDF_TAG_USE, &volume->identity.style,
                 table->addr.lbn);
    return udf_io_write_meta(volume, table->addr, UDF_OVERLAY_SPACE, block);
}

static int write_aed(struct udf_volume *volume, uint16_t part, uint32_t i,
                     uint32_t *from) {
    const struct udf_spacetable *table = table_of(volume, part);
    uint8_t ads[UDF_BLOCK_BYTES], block[UDF_BLOCK_BYTES];
    struct udf_aed aed = {
        .previous_lbn = i > 0 ? table->aed[i - 1] : table->addr.lbn,
        .ads = ads,
    };
    struct udf_addr next;
    int error;

    if (i + 1 < table->aeds) {
        next = aed_addr(table, i + 1);
    }
    aed.ads_bytes = fill_area(volume->spaces.of[part], from, AED_ROOM,
                              i + 1 < table->aeds ? &next : NULL, ads);
    error = udf_encode_aed(&aed, &volume->identity.style, table->aed[i], block);
    return error ? error
                 : udf_io_write_meta(volume, aed_addr(table, i),
                                     UDF_OVERLAY_SPACE, block);
}

int udf_spacetable_write(struct udf_volume *volume, uint16_t part) {
    struct udf_spacetable *table = table_of(volume, part);
    struct udf_space *space = volume->spaces.of[part];
    uint32_t from = 0, lbn, count;
    bool changed = false;
    int error;

    while (udf_space_next_dirty(space, from, &lbn, &count)) {
        from = lbn + count;
        changed = true;
    }
    if (!changed) {
        return 0;
    }
    error = resize_chain(volume, part);
    from = 0;
    if (!error) {
        error = write_entry(volume, part, &from);
    }
    for (uint32_t i = 0; !error && i < table->aeds; i++) {
        error = write_aed(volume, part, i, &from);
    }
    return error;
}
