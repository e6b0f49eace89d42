/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/sparing.c - loading the sparing table of a sparable partition.
 * See udf/mount.h; lookups are udf/partmap's.
 */
#include <errno.h>
#include <stdlib.h>

#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/decode.h"
#include "udf/io.h"
#include "udf/mount.h"
#include "udf/volume.h"

static int load_copy(struct udf_volume *volume, const struct udf_lvd_map *map,
                     uint32_t lba, struct udf_sparing_table *out_table) {
    uint32_t blocks =
        (map->table_bytes + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES;
    uint8_t *raw;
    int error;

    /* One block holds as many entries as are understood; see udf/desc.h. */
    blocks = blocks > 1 ? 1 : blocks;
    raw = calloc(1, UDF_BLOCK_BYTES);
    if (!raw) {
        return -ENOMEM;
    }
    error = udf_io_load(volume, lba, blocks, raw);
    if (!error) {
        error = udf_decode_sparing(raw, UDF_BLOCK_BYTES, lba, out_table);
    }
    free(raw);
    return error;
}

int udf_sparing_load(struct udf_volume *volume, uint16_t part,
                     const struct udf_lvd_map *map) {
    struct udf_partmap *partition = &volume->maps.map[part];
    struct udf_sparing_table table;
    bool found = false;
    int result = -EUCLEAN;

    for (uint8_t i = 0; i < map->tables && i < UDF_SPARING_TABLES_MAX; i++) {
        int error = load_copy(volume, map, map->table_lba[i], &table);

        if (udf_io_is_fatal(error)) {
            return error;
        }
        if (error) {
            mmc_log(MMC_LOG_WARN, "sparing table %u at sector %u is damaged",
                    i + 1u, map->table_lba[i]);
            result = error;
            continue;
        }
        if (!found || table.sequence > partition->sparing.sequence) {
            partition->sparing = table;
            found = true;
        }
    }
    return found ? 0 : result;
}
