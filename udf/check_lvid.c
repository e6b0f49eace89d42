/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_lvid.c - the logical volume integrity sequence: the last LVID of
 * an unbroken run of sectors prevails. ECMA-167 3/8.8.2, 3/10.10; UDF 2.60
 * 2.2.6. Free blocks are checked where they are known, in check_space.c.
 */
#include "udf/check_priv.h"

#include <errno.h>

#include "mmc/blockdev.h"
#include "udf/decode.h"

enum {
    INTEGRITY_BYTES_MIN = 8192, /* UDF 2.60 2.2.4.6 */
    EXTENTS_MAX = 16,           /* followed at most: they might go round */
    FIRST_UNIQUE_ID = 16
};

/* Takes one sector. Returns whether the run goes on. */
static bool lvid_sector(struct udf_check *check, const uint8_t *block,
                        uint32_t lba) {
    uint16_t id = udf_get16(block);
    struct udf_lvid lvid;

    if (udf_check_is_zero(block, UDF_BLOCK_BYTES)) {
        return false;
    }
    if (id == UDF_TAG_TD) {
        (void)udf_check_tag(check, block, UDF_BLOCK_BYTES, UDF_TAG_TD, lba,
                            "end of the integrity sequence");
        return false;
    }
    if (!udf_check_tag(check, block, UDF_BLOCK_BYTES, UDF_TAG_LVID, lba,
                       "LVID")) {
        return false;
    }
    if (udf_decode_lvid(block, lba, &lvid)) {
        udf_check_fault(check,
                        "LVID at sector %u is malformed (ECMA-167 "
                        "3/10.10)",
                        lba);
        return false;
    }
    check->lvid = lvid;
    check->has_lvid = true;
    return true;
}

/* Reads one extent of the sequence. Returns 0 or an error; *out_next is
 * where it goes on, if it does. */
static int read_extent(struct udf_check *check, struct udf_extent_ad extent,
                       struct udf_extent_ad *out_next) {
    uint32_t blocks = extent.bytes / UDF_BLOCK_BYTES;
    uint8_t block[UDF_BLOCK_BYTES];

    *out_next = (struct udf_extent_ad){0};
    udf_check_region(check, "integrity sequence", extent.lba, blocks);
    for (uint32_t i = 0; i < blocks; i++) {
        uint32_t lba = extent.lba + i;
        int error = udf_check_read(check, lba, 1, block);

        if (udf_check_fatal(error)) {
            return error;
        }
        if (error || !lvid_sector(check, block, lba)) {
            return 0; /* unreadable ends the run as unrecorded does */
        }
        if (check->lvid.next.bytes > 0) {
            *out_next = check->lvid.next;
            return 0;
        }
    }
    return 0;
}

static void check_revisions(struct udf_check *check) {
    const struct udf_lvid *lvid = &check->lvid;

    if (lvid->min_read < 0x0102 || lvid->min_read > lvid->min_write ||
        lvid->min_write > lvid->max_write) {
        udf_check_fault(check,
                        "LVID: revisions %04x, %04x, %04x (min read, min "
                        "write, max write) cannot be (UDF 2.60 2.2.6.4)",
                        lvid->min_read, lvid->min_write, lvid->max_write);
    }
    if (lvid->min_read > check->result.revision) {
        udf_check_fault(check,
                        "LVID: needs revision %04x to be read, the volume "
                        "says %04x (UDF 2.60 2.2.6.4)",
                        lvid->min_read, check->result.revision);
    }
}

/* Virtual partitions have no end, and nothing that is free. The others count
 * what the medium does not have yet, too. UDF 2.60 2.2.6.3 */
static uint32_t size_of(const struct udf_check *check,
                        const struct udf_partmap *map) {
    switch (map->kind) {
    case UDF_MAP_KIND_VIRTUAL:
        return UINT32_MAX;
    case UDF_MAP_KIND_PHYSICAL:
    case UDF_MAP_KIND_SPARABLE:
        return udf_check_find_pd(check, map->number)->blocks;
    case UDF_MAP_KIND_METADATA:
    case UDF_MAP_KIND_UNKNOWN:
        break;
    }
    return map->blocks;
}

static void check_sizes(struct udf_check *check) {
    const struct udf_lvid *lvid = &check->lvid;

    for (uint32_t i = 0; i < lvid->partitions && i < check->maps.count; i++) {
        const struct udf_partmap *map = &check->maps.map[i];
        uint32_t blocks = size_of(check, map);

        if (lvid->size_blocks[i] != blocks) {
            udf_check_fault(check,
                            "LVID: size %u, partition %u has %u blocks (UDF "
                            "2.60 2.2.6.3)",
                            lvid->size_blocks[i], i, blocks);
        }
    }
}

static void check_prevailing(struct udf_check *check) {
    const struct udf_lvid *lvid = &check->lvid;

    if (check->vat.present) {
        udf_vat_count(&check->vat, &check->lvid);
    } else if (!lvid->closed && !check->options.allow_open) {
        udf_check_fault(check, "LVID: the volume is marked open (ECMA-167 "
                               "3/10.10.3)");
    }
    if (lvid->partitions != check->lvd.maps) {
        udf_check_fault(check,
                        "LVID: %u partitions, the volume has %u maps "
                        "(ECMA-167 3/10.10.6)",
                        lvid->partitions, check->lvd.maps);
    }
    if (lvid->next_unique_id < FIRST_UNIQUE_ID) {
        udf_check_fault(check, "LVID: next UniqueID %llu (UDF 2.60 3.2.1.1)",
                        (unsigned long long)lvid->next_unique_id);
    }
    check_revisions(check);
    check_sizes(check);
}

int udf_check_lvid(struct udf_check *check) {
    struct udf_extent_ad extent = check->lvd.integrity;
    int error = 0;

    if (extent.bytes < INTEGRITY_BYTES_MIN && !udf_check_is_virtual(check)) {
        udf_check_fault(check,
                        "integrity sequence: %u bytes (UDF 2.60 "
                        "2.2.4.6)",
                        extent.bytes);
    }
    for (int i = 0; i < EXTENTS_MAX && extent.bytes > 0 && !error; i++) {
        error = read_extent(check, extent, &extent);
    }
    if (error) {
        return error;
    }
    if (extent.bytes > 0) {
        udf_check_fault(check, "integrity sequence without end (ECMA-167 "
                               "3/8.8.2)");
    }
    if (check->has_lvid) {
        check_prevailing(check);
    } else {
        udf_check_fault(check, "no readable LVID (ECMA-167 3/10.10)");
    }
    udf_check_regions(check);
    return 0;
}

/* What was seen needs a revision that readers and writers are told. */
static void check_needs(struct udf_check *check) {
    const struct udf_lvid *lvid = &check->lvid;

    if (lvid->min_read < check->needs || lvid->min_write < check->needs) {
        udf_check_fault(check,
                        "LVID: revision %04x is enough to read, %04x to write "
                        "it, but something in it needs %04x (UDF 2.60 2.2.6.4)",
                        lvid->min_read, lvid->min_write, check->needs);
    }
}

void udf_check_lvid_counts(struct udf_check *check) {
    const struct udf_lvid *lvid = &check->lvid;
    const struct udf_check_result *result = &check->result;

    if (!check->has_lvid || (check->vat.present && !check->vat.counted)) {
        return; /* the tables of UDF 1.50 do not count */
    }
    check_needs(check);
    if (!lvid->closed && !check->vat.present) {
        return; /* counts hold in a closed volume only. UDF 2.60 2.2.6 */
    }
    if (!check->vat.present && lvid->next_unique_id <= check->highest_id) {
        udf_check_fault(check,
                        "LVID: next UniqueID is %llu, %llu is in use (UDF "
                        "2.60 3.2.1.1)",
                        (unsigned long long)lvid->next_unique_id,
                        (unsigned long long)check->highest_id);
    }
    if (lvid->files != result->files ||
        lvid->directories != result->directories) {
        udf_check_fault(check,
                        "LVID: %u files and %u directories, counted %llu and "
                        "%llu (UDF 2.60 2.2.6.4)",
                        lvid->files, lvid->directories,
                        (unsigned long long)result->files,
                        (unsigned long long)result->directories);
    }
}
