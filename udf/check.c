/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check.c - runs the checker's parts, and what they all use: faults,
 * reading, tags, claims. See udf/check_priv.h for the plan.
 */
#include "udf/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mmc/bits.h"
#include "mmc/blockdev.h"
#include "udf/check_priv.h"
#include "udf/tag.h"

enum {
    FAULT_BYTES = 400,
    /* A block that was fetched may leave the cache before it is read, but
     * nobody else uses the device: more than a few times is a broken seam. */
    FETCH_TRIES = 8
};

void udf_check_fault(struct udf_check *check, const char *format, ...) {
    char line[FAULT_BYTES];
    va_list args;

    check->result.faults++;
    if (!check->report) {
        return;
    }
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    check->report(check->context, line);
}

bool udf_check_fatal(int error) {
    return error == -ENOMEM || error == -ENODEV || error == -ENOMEDIUM;
}

int udf_check_read(struct udf_check *check, uint32_t lba, uint32_t count,
                   void *buf) {
    int error = blockdev_read_cached(check->dev, lba, count, buf);

    for (int i = 0; i < FETCH_TRIES && error == -EINPROGRESS; i++) {
        error = blockdev_fetch(check->dev, lba, count);
        if (!error) {
            error = blockdev_read_cached(check->dev, lba, count, buf);
        }
    }
    return error == 0 || udf_check_fatal(error) ? error : -EIO;
}

int udf_check_read_block(struct udf_check *check, struct udf_addr addr,
                         const char *what, uint8_t *block) {
    uint32_t lba, run;
    int error = udf_partmap_lba(&check->maps, addr, 1, &lba, &run);

    if (error) {
        udf_check_fault(check,
                        "%s at %u:%u: no such block in the partition "
                        "(ECMA-167 3/10.5)",
                        what, addr.part, addr.lbn);
        return -EUCLEAN;
    }
    error = udf_check_read(check, lba, 1, block);
    if (error == -EIO) {
        udf_check_fault(check, "%s at %u:%u (sector %u) cannot be read", what,
                        addr.part, addr.lbn, lba);
        return -EUCLEAN;
    }
    return error;
}

bool udf_check_tag(struct udf_check *check, const uint8_t *desc, uint32_t bytes,
                   enum udf_tag_id id, uint32_t location, const char *what) {
    struct udf_tag tag;

    if (udf_tag_check(desc, bytes, &tag)) {
        udf_check_fault(check,
                        "%s at %u: tag checksum, version or CRC is wrong "
                        "(ECMA-167 3/7.2)",
                        what, location);
        return false;
    }
    if (tag.id != id) {
        udf_check_fault(check, "%s at %u: tag identifier %u, not %u", what,
                        location, tag.id, (unsigned)id);
        return false;
    }
    if (tag.location != location) {
        udf_check_fault(check,
                        "%s at %u: tag says location %u (ECMA-167 3/7.2.8)",
                        what, location, tag.location);
        return false;
    }
    if (check->tag_version && tag.version != check->tag_version) {
        udf_check_fault(check,
                        "%s at %u: tag version %u in a volume of version %u "
                        "(UDF 2.60 2.2.1.1)",
                        what, location, tag.version, check->tag_version);
    }
    if (desc[5] != 0) {
        udf_check_fault(check, "%s at %u: reserved byte of the tag is not 0",
                        what, location);
    }
    /* UDF 2.60 2.3.8.1: only the bitmap's CRC may be left out. */
    if (tag.crc_bytes == 0 && id != UDF_TAG_SBD) {
        udf_check_fault(check, "%s at %u: no CRC (UDF 2.60 2.2.1.2)", what,
                        location);
    }
    return true;
}

/* Blocks [from, to) of map `part` are claimed: reports those that were. */
static bool claim_range(struct udf_check *check, uint16_t part, uint64_t from,
                        uint64_t to, const char *what) {
    uint64_t *used = check->used[part];
    uint64_t clash = mmc_bits_next_set(used, from, to);
    uint64_t twice = 0;

    if (clash < to) {
        twice = mmc_bits_count(used, clash, to);
        udf_check_fault(check,
                        "%s at %u:%u: %llu blocks from %llu on are used by "
                        "something else, too",
                        what, part, (uint32_t)from, (unsigned long long)twice,
                        (unsigned long long)clash);
    }
    mmc_bits_set_range(used, from, to);
    if (check->maps.map[part].kind != UDF_MAP_KIND_VIRTUAL) {
        check->result.blocks_used += to - from - twice;
    }
    return twice == 0;
}

/* What a virtual partition's blocks stand for: others may not use it either,
 * and where nothing is recorded nothing can be claimed. */
static bool claim_below(struct udf_check *check, struct udf_addr addr,
                        uint64_t end, const char *what) {
    const struct udf_partmap *map = &check->maps.map[addr.part];
    bool good = true;

    for (uint64_t lbn = addr.lbn; lbn < end; lbn++) {
        struct udf_addr below = {.lbn = map->vat[lbn], .part = map->physical};

        good &= udf_check_claim(check, below, 1, what);
    }
    return good;
}

bool udf_check_claim(struct udf_check *check, struct udf_addr addr,
                     uint64_t count, const char *what) {
    uint64_t end = addr.lbn + count;
    const struct udf_partmap *map;
    bool good = true;

    if (addr.part >= check->maps.count || !check->used[addr.part]) {
        udf_check_fault(check, "%s at %u:%u: no such partition", what,
                        addr.part, addr.lbn);
        return false;
    }
    map = &check->maps.map[addr.part];
    if (end > map->blocks) {
        udf_check_fault(check,
                        "%s at %u:%u: %llu blocks do not fit in the "
                        "partition of %u (ECMA-167 3/10.5)",
                        what, addr.part, addr.lbn, (unsigned long long)count,
                        map->blocks);
        good = false;
        end = map->blocks;
    }
    if (addr.lbn < end) {
        good &= claim_range(check, addr.part, addr.lbn, end, what);
    }
    if (addr.lbn < end && map->kind == UDF_MAP_KIND_VIRTUAL) {
        good &= claim_below(check, addr, end, what);
    }
    return good;
}

int udf_check_grow(void **array, uint32_t *room, uint32_t count, size_t size) {
    uint32_t larger = *room ? *room * 2 : 64;
    void *moved;

    if (count < *room) {
        return 0;
    }
    moved = larger > *room ? reallocarray(*array, larger, size) : NULL;
    if (!moved) {
        return -ENOMEM;
    }
    *array = moved;
    *room = larger;
    return 0;
}

static void free_check(struct udf_check *check) {
    for (uint32_t i = 0; i < check->node_count; i++) {
        if (check->nodes[i].data) {
            udf_extents_free(check->nodes[i].data);
            free(check->nodes[i].data);
        }
    }
    for (uint32_t i = 0; i < UDF_PARTMAPS_MAX; i++) {
        free(check->used[i]);
    }
    if (check->metadata_bitmap.data) {
        udf_extents_free(check->metadata_bitmap.data);
        free(check->metadata_bitmap.data);
    }
    udf_partmaps_free(&check->maps);
    udf_check_table_free(&check->node_of);
    udf_check_table_free(&check->ids);
    free(check->nodes);
    free(check->pending);
    free(check->extra);
    free(check);
}

/* The parts in order; each stands on the ones before it. */
static int run(struct udf_check *check) {
    int (*const parts[])(struct udf_check *) = {
        udf_check_volume, udf_check_maps,  udf_check_lvid,
        udf_check_tree,   udf_check_space,
    };
    int error = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && !error; i++) {
        error = parts[i](check);
    }
    /* Broken beyond walking is a result, and it has been reported. */
    return error == -EUCLEAN ? 0 : error;
}

int udf_check(struct blockdev *dev, const struct udf_check_options *options,
              udf_check_report *report, void *context,
              struct udf_check_result *out_result) {
    struct udf_check *check = calloc(1, sizeof(*check));
    int error;

    if (!check) {
        return -ENOMEM;
    }
    check->dev = dev;
    check->options = *options;
    check->report = report;
    check->context = context;
    error = run(check);
    if (!error) {
        *out_result = check->result;
    }
    free_check(check);
    return error == -ENODEV || error == -ENOMEDIUM ? -EIO : error;
}
