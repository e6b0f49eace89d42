/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/icb.c - see udf/icb.h.
 */
#include "udf/icb.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "udf/decode.h"
#include "udf/io.h"
#include "udf/tag.h"
#include "udf/volume.h"

/* Blocks looked at for one file: a chain that is longer goes in a circle, or
 * was made to keep a reader busy. */
enum { BLOCKS_MAX = 4096 };

/* The search for the last entry. */
struct search {
    struct udf_op *op;
    uint16_t part;
    uint8_t *block; /* of the newest entry so far */
    struct udf_fe *fe;
    struct udf_icb *icb;
    bool found;
    uint32_t next; /* where an indirect entry leads */
    bool more;
    uint32_t left; /* blocks that may still be looked at */
};

/* Adds the ICB of `blocks` blocks at `lbn`. */
static int note_run(struct udf_icb *icb, uint32_t lbn, uint32_t blocks) {
    struct udf_icb_run *bigger =
        realloc(icb->runs, (icb->count + 1) * sizeof(*bigger));

    if (!bigger) {
        return -ENOMEM;
    }
    icb->runs = bigger;
    icb->runs[icb->count++] =
        (struct udf_icb_run){.lbn = lbn, .blocks = blocks};
    return 0;
}

static int take_entry(struct search *search, const uint8_t *block,
                      uint32_t lbn) {
    struct udf_fe fe;
    int error = udf_decode_fe(block, lbn, &fe);

    if (error) {
        return error;
    }
    memcpy(search->block, block, UDF_BLOCK_BYTES);
    /* Again, so that it points into the caller's block. */
    error = udf_decode_fe(search->block, lbn, search->fe);
    search->icb->entry = (struct udf_addr){.lbn = lbn, .part = search->part};
    search->found = true;
    return error;
}

static int take_indirect(struct search *search, const uint8_t *block,
                         uint32_t lbn) {
    struct udf_long_ad next;
    int error = udf_decode_ie(block, lbn, &next);

    if (!error && next.bytes > 0) {
        if (next.addr.part != search->part) {
            return -EUCLEAN;
        }
        search->next = next.addr.lbn;
        search->more = true;
    }
    return error;
}

/* Takes the block at `lbn`; *out_end when nothing follows it in its ICB. */
static int take_block(struct search *search, uint32_t lbn, bool *out_end) {
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_tag tag;
    int error = udf_io_read(search->op,
                            (struct udf_addr){.lbn = lbn, .part = search->part},
                            1, block);

    *out_end = true;
    if (error || search->left-- == 0) {
        return error ? error : -EUCLEAN;
    }
    if (udf_tag_check(block, UDF_BLOCK_BYTES, &tag)) {
        static const uint8_t zeros[UDF_BLOCK_BYTES];

        /* Room that was set aside for versions to come holds nothing. */
        return search->found && memcmp(block, zeros, sizeof(zeros)) == 0
                   ? 0
                   : -EUCLEAN;
    }
    switch (tag.id) {
    case UDF_TAG_FE:
    case UDF_TAG_EFE:
        *out_end = false;
        return take_entry(search, block, lbn);
    case UDF_TAG_IE:
        return take_indirect(search, block, lbn);
    case UDF_TAG_TE:
        return 0;
    default:
        return -EUCLEAN;
    }
}

/* Walks one ICB. Its first entry says how many it has room for. */
static int take_icb(struct search *search, uint32_t lbn) {
    uint32_t blocks = 1;
    bool end = false;
    int error = take_block(search, lbn, &end);

    if (!error && !end && search->fe->strategy == UDF_STRATEGY_4096) {
        blocks = search->fe->max_entries;
    }
    for (uint32_t i = 1; !error && !end && i < blocks; i++) {
        if (lbn > UINT32_MAX - i) {
            return -EUCLEAN;
        }
        error = take_block(search, lbn + i, &end);
    }
    if (!error && (blocks > 1 || search->icb->count > 0)) {
        error = note_run(search->icb, lbn, blocks);
    }
    return error;
}

int udf_icb_load(struct udf_op *op, struct udf_addr addr, uint8_t *block,
                 struct udf_fe *out_fe, struct udf_icb *out_icb) {
    struct udf_icb icb = {0};
    struct search search = {
        .op = op,
        .part = addr.part,
        .block = block,
        .fe = out_fe,
        .icb = &icb,
        .next = addr.lbn,
        .more = true,
        .left = BLOCKS_MAX,
    };
    int error = 0;

    while (!error && search.more) {
        search.more = false;
        error = take_icb(&search, search.next);
    }
    if (!error && !search.found) {
        error = -EUCLEAN;
    }
    if (error == -EUCLEAN && udf_metadata_doubt(op->volume, addr)) {
        error = UDF_MISS; /* again, from its copy */
    }
    if (error) {
        free(icb.runs);
        return error;
    }
    *out_icb = icb;
    return 0;
}
