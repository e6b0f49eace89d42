/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/spacemap.c - see udf/spacemap.h.
 *
 * The bitmap begins 24 bytes into its first block, so that block n of it
 * holds the bits of bytes n * 2048 - 24 on.
 */
#include "udf/spacemap.h"

#include <errno.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/io.h"
#include "udf/volume.h"

enum { HEAD_BYTES = 24, BITS = 8 };

/* Copies the map bytes of one block of the descriptor into words. */
static void take_bytes(uint64_t *words, uint64_t first, uint64_t map_bytes,
                       const uint8_t *raw, uint32_t count) {
    for (uint32_t i = 0; i < count && first + i < map_bytes; i++) {
        uint64_t byte = first + i;

        words[byte / 8] |= (uint64_t)raw[i] << (byte % 8 * BITS);
    }
}

static uint8_t byte_of(const uint64_t *words, uint64_t byte) {
    return (uint8_t)(words[byte / 8] >> (byte % 8 * BITS));
}

/* Tells the device which blocks of the partition hold nothing. */
static void mark_unused(struct udf_volume *volume, const uint64_t *words,
                        uint16_t part, uint32_t bits) {
    uint64_t from = 0;

    for (;;) {
        uint64_t end;

        from = mmc_bits_next_set(words, from, bits);
        if (from >= bits) {
            return;
        }
        end = mmc_bits_next_clear(words, from, bits);
        udf_io_unused(volume,
                      (struct udf_addr){.lbn = (uint32_t)from, .part = part},
                      (uint32_t)(end - from));
        from = end;
    }
}

static int load_words(struct udf_volume *volume, uint32_t bits,
                      uint64_t *words) {
    struct udf_spacemap *map = &volume->spacemap;
    uint64_t map_bytes = (bits + BITS - 1) / BITS;
    uint8_t block[UDF_BLOCK_BYTES];

    for (uint32_t i = 0; i < map->blocks; i++) {
        struct udf_addr addr = {.lbn = map->addr.lbn + i,
                                .part = map->addr.part};
        int error = udf_io_load_at(volume, addr, block);

        if (error) {
            return error;
        }
        if (i == 0) {
            take_bytes(words, 0, map_bytes, block + HEAD_BYTES,
                       UDF_BLOCK_BYTES - HEAD_BYTES);
        } else {
            take_bytes(words, (uint64_t)i * UDF_BLOCK_BYTES - HEAD_BYTES,
                       map_bytes, block, UDF_BLOCK_BYTES);
        }
    }
    return 0;
}

int udf_spacemap_load(struct udf_volume *volume, const struct udf_short_ad *map,
                      uint16_t part) {
    const struct udf_partmap *partition = &volume->maps.map[part];
    uint32_t packet = volume->dev->geometry.packet_blocks;
    uint8_t block[UDF_BLOCK_BYTES];
    uint32_t bits, bytes;
    uint64_t *words;
    int error;

    volume->spacemap.addr = (struct udf_addr){.lbn = map->lbn, .part = part};
    error = udf_io_load_at(volume, volume->spacemap.addr, block);
    if (!error) {
        error = udf_decode_sbd(block, map->lbn, &bits, &bytes);
    }
    if (error) {
        return error;
    }
    if (bits != partition->blocks || bytes < (bits + BITS - 1) / BITS) {
        return -EUCLEAN;
    }
    volume->spacemap.blocks =
        (HEAD_BYTES + (bits + BITS - 1) / BITS + UDF_BLOCK_BYTES - 1) /
        UDF_BLOCK_BYTES;
    words = calloc(mmc_bits_words(bits), sizeof(*words));
    if (!words) {
        return -ENOMEM;
    }
    error = load_words(volume, bits, words);
    if (!error) {
        /* Bits behind the last block mean nothing. */
        mmc_bits_clear_range(words, bits, mmc_bits_words(bits) * 64);
        volume->space =
            udf_space_new(bits, packet, partition->start_lba % packet, words);
        error = volume->space ? 0 : -ENOMEM;
    }
    if (!error) {
        mark_unused(volume, words, part, bits);
    }
    free(words);
    return error;
}

/* Encodes block `index` of the descriptor into the overlay. */
static int write_block(struct udf_volume *volume, uint32_t index) {
    const struct udf_spacemap *map = &volume->spacemap;
    const uint64_t *words = udf_space_map(volume->space);
    uint32_t bits = udf_space_blocks(volume->space);
    uint64_t map_bytes = (bits + BITS - 1) / BITS;
    uint64_t byte = (uint64_t)index * UDF_BLOCK_BYTES - HEAD_BYTES;
    uint8_t block[UDF_BLOCK_BYTES] = {0};
    uint32_t at = 0;

    if (index == 0) {
        udf_encode_sbd(bits, &volume->identity.style, map->addr.lbn, block);
        at = HEAD_BYTES;
        byte = 0;
    }
    for (; at < UDF_BLOCK_BYTES && byte < map_bytes; at++, byte++) {
        block[at] = byte_of(words, byte);
    }
    return udf_io_write_meta(
        volume,
        (struct udf_addr){.lbn = map->addr.lbn + index, .part = map->addr.part},
        UDF_OVERLAY_SPACE, block);
}

int udf_spacemap_write(struct udf_volume *volume) {
    uint32_t from = 0;
    uint32_t next_block = 0; /* blocks before it are in the overlay */
    uint32_t lbn, count;

    while (udf_space_next_dirty(volume->space, from, &lbn, &count)) {
        uint32_t first = (HEAD_BYTES + lbn / BITS) / UDF_BLOCK_BYTES;
        uint32_t last =
            (HEAD_BYTES + (lbn + count - 1) / BITS) / UDF_BLOCK_BYTES;

        for (uint32_t i = first < next_block ? next_block : first; i <= last;
             i++) {
            int error = write_block(volume, i);

            if (error) {
                return error;
            }
            next_block = i + 1;
        }
        from = lbn + count;
    }
    return 0;
}
