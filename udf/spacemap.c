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
#include <string.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/decode.h"
#include "udf/encode.h"
#include "udf/io.h"
#include "udf/node.h"
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

/* Where block `index` of the descriptor is. Returns 0; -EUCLEAN where its file
 * has no block. */
static int place_of(const struct udf_spacemap *map, uint32_t index,
                    struct udf_addr *out_addr) {
    struct udf_extent piece;

    *out_addr =
        (struct udf_addr){.lbn = map->addr.lbn + index, .part = map->addr.part};
    if (!map->file) {
        return 0;
    }
    if (udf_extents_map(&map->file->body.extents, index, &piece) ||
        piece.kind != UDF_EXTENT_RECORDED) {
        return -EUCLEAN;
    }
    *out_addr = piece.addr;
    return 0;
}

static bool is_embedded(const struct udf_spacemap *map) {
    return map->file && map->file->body.embedded;
}

/* Its location: that of its first block, or of the entry that holds it. */
static uint32_t location_of(const struct udf_spacemap *map) {
    struct udf_addr addr;

    if (is_embedded(map)) {
        return map->file->icb.lbn;
    }
    return place_of(map, 0, &addr) ? 0 : addr.lbn;
}

/* Reads block `index` of the descriptor, which has `bytes` bytes in all. */
static int load_block(struct udf_volume *volume, const struct udf_spacemap *map,
                      uint32_t index, uint64_t bytes, uint8_t *block) {
    uint64_t at = (uint64_t)index * UDF_BLOCK_BYTES;
    struct udf_addr addr;
    int error;

    if (is_embedded(map)) {
        memset(block, 0, UDF_BLOCK_BYTES);
        if (at < bytes) {
            memcpy(block, map->file->body.inline_data + at,
                   bytes - at < UDF_BLOCK_BYTES ? bytes - at : UDF_BLOCK_BYTES);
        }
        return 0;
    }
    error = place_of(map, index, &addr);
    return error ? error : udf_io_load_at(volume, addr, block);
}

/* Reads `map_bytes` bytes of bits. */
static int load_words(struct udf_volume *volume, const struct udf_spacemap *map,
                      uint64_t map_bytes, uint64_t *words) {
    uint64_t bytes = HEAD_BYTES + map_bytes;
    uint8_t block[UDF_BLOCK_BYTES];

    if (!map->file) {
        udf_io_prefetch(volume, map->addr,
                        (uint32_t)((bytes - 1) / UDF_BLOCK_BYTES + 1));
    }
    for (uint32_t i = 0; (uint64_t)i * UDF_BLOCK_BYTES < bytes; i++) {
        int error = load_block(volume, map, i, bytes, block);

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

/* Makes the space of `blocks` blocks, for which there are bits. */
static int make_space(struct udf_volume *volume, uint16_t part,
                      uint32_t blocks) {
    uint64_t *words = calloc(mmc_bits_words(blocks) + 1, sizeof(*words));
    int error = words ? 0 : -ENOMEM;

    if (!error) {
        error = load_words(volume, &volume->spaces.map[part],
                           ((uint64_t)blocks + BITS - 1) / BITS, words);
    }
    if (!error) {
        /* Bits behind the last block mean nothing. */
        mmc_bits_clear_range(words, blocks, mmc_bits_words(blocks) * 64);
        error = udf_spaces_make(volume, part, blocks, words);
    }
    free(words);
    return error;
}

/* Loads the descriptor of which there are `bytes` bytes. */
static int load(struct udf_volume *volume, uint16_t part, uint64_t bytes) {
    struct udf_spacemap *map = &volume->spaces.map[part];
    uint32_t blocks = volume->maps.map[part].blocks;
    uint8_t block[UDF_BLOCK_BYTES];
    uint32_t unused;
    int error = bytes > HEAD_BYTES ? 0 : -EUCLEAN;

    if (!error) {
        error = load_block(volume, map, 0, bytes, block);
    }
    if (!error) {
        error = udf_decode_sbd(block, location_of(map), &map->bits, &unused);
    }
    if (error) {
        return error;
    }
    if (map->bits < blocks || (bytes - HEAD_BYTES) * BITS < blocks) {
        mmc_log(MMC_LOG_WARN,
                "the space bitmap of partition %u is too short: what it does "
                "not tell of is not used",
                part);
        blocks = blocks < map->bits ? blocks : map->bits;
        if ((bytes - HEAD_BYTES) * BITS < blocks) {
            blocks = (uint32_t)((bytes - HEAD_BYTES) * BITS);
        }
    }
    return blocks > 0 ? make_space(volume, part, blocks) : -EUCLEAN;
}

int udf_spacemap_load(struct udf_volume *volume, const struct udf_short_ad *map,
                      uint16_t part) {
    volume->spaces.map[part] = (struct udf_spacemap){
        .addr = {.lbn = map->lbn, .part = part},
    };
    return load(volume, part, map->bytes);
}

int udf_spacemap_load_file(struct udf_volume *volume, struct udf_node *file,
                           uint16_t part) {
    volume->spaces.map[part] = (struct udf_spacemap){.file = file};
    return load(volume, part, file->body.size);
}

/* ---- writing ---------------------------------------------------------- */

uint32_t udf_spacemap_bytes(uint32_t bits) {
    return HEAD_BYTES + bits / BITS + (bits % BITS != 0);
}

/* Encodes block `index` of the descriptor, which tells of `bits` blocks. */
static void encode_block(const struct udf_volume *volume, uint16_t part,
                         uint32_t index, uint8_t *block) {
    const struct udf_spacemap *map = &volume->spaces.map[part];
    const struct udf_space *space = volume->spaces.of[part];
    const uint64_t *words = udf_space_map(space);
    uint64_t map_bytes = udf_spacemap_bytes(udf_space_blocks(space));
    uint64_t byte = (uint64_t)index * UDF_BLOCK_BYTES - HEAD_BYTES;
    uint32_t at = 0;

    map_bytes -= HEAD_BYTES;
    memset(block, 0, UDF_BLOCK_BYTES);
    if (index == 0) {
        udf_encode_sbd(map->bits, &volume->identity.style, location_of(map),
                       block);
        at = HEAD_BYTES;
        byte = 0;
    }
    for (; at < UDF_BLOCK_BYTES && byte < map_bytes; at++, byte++) {
        block[at] = byte_of(words, byte);
    }
}

static int write_block(struct udf_volume *volume, uint16_t part,
                       uint32_t index) {
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_addr addr;
    int error = place_of(&volume->spaces.map[part], index, &addr);

    if (error) {
        return error;
    }
    encode_block(volume, part, index, block);
    return udf_io_write_meta(volume, addr, UDF_OVERLAY_SPACE, block);
}

/* The whole descriptor into the entry of its file. */
static int write_embedded(struct udf_volume *volume, uint16_t part) {
    struct udf_node *file = volume->spaces.map[part].file;
    uint32_t bytes = (uint32_t)file->body.size;
    uint8_t block[UDF_BLOCK_BYTES];
    uint8_t *data = realloc(file->body.inline_data, bytes);

    if (!data) {
        return -ENOMEM;
    }
    file->body.inline_data = data;
    encode_block(volume, part, 0, block);
    memcpy(data, block, bytes);
    udf_node_touch(volume, file);
    return 0;
}

int udf_spacemap_write(struct udf_volume *volume, uint16_t part) {
    struct udf_space *space = volume->spaces.of[part];
    bool embedded = is_embedded(&volume->spaces.map[part]);
    uint32_t from = 0;
    uint32_t next_block = 0; /* blocks before it are in the overlay */
    uint32_t lbn, count;
    bool changed = false;

    while (udf_space_next_dirty(space, from, &lbn, &count)) {
        uint32_t first = (HEAD_BYTES + lbn / BITS) / UDF_BLOCK_BYTES;
        uint32_t last =
            (HEAD_BYTES + (lbn + count - 1) / BITS) / UDF_BLOCK_BYTES;

        for (uint32_t i = first < next_block ? next_block : first;
             !embedded && i <= last; i++) {
            int error = write_block(volume, part, i);

            if (error) {
                return error;
            }
            next_block = i + 1;
        }
        from = lbn + count;
        changed = true;
    }
    return embedded && changed ? write_embedded(volume, part) : 0;
}
