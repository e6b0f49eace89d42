/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/sparing_table.c - see udf/sparing_table.h. Tables of other writers may
 * be in any order, so everything is found by looking at all entries.
 */
#include "udf/sparing_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_original(const void *a, const void *b) {
    const struct udf_sparing_entry *left = a;
    const struct udf_sparing_entry *right = b;

    if (left->original != right->original) {
        return left->original < right->original ? -1 : 1;
    }
    return (left->mapped > right->mapped) - (left->mapped < right->mapped);
}

void udf_sparing_table_free(struct udf_sparing_table *table) {
    free(table->entry);
    *table = (struct udf_sparing_table){0};
}

int udf_sparing_table_copy(const struct udf_sparing_table *table,
                           struct udf_sparing_table *out_copy) {
    struct udf_sparing_entry *entry =
        calloc(table->entries + 1u, sizeof(*entry));

    if (!entry) {
        return -ENOMEM;
    }
    if (table->entries > 0) {
        memcpy(entry, table->entry, table->entries * sizeof(*entry));
    }
    *out_copy = *table;
    out_copy->entry = entry;
    return 0;
}

bool udf_sparing_table_spare(const struct udf_sparing_table *table,
                             uint32_t *out_lba) {
    for (uint32_t i = 0; i < table->entries; i++) {
        if (table->entry[i].original == UDF_SPARE_FREE) {
            *out_lba = table->entry[i].mapped;
            return true;
        }
    }
    return false;
}

void udf_sparing_table_assign(struct udf_sparing_table *table, uint32_t lba,
                              uint32_t original) {
    for (uint32_t i = 0; i < table->entries; i++) {
        if (table->entry[i].mapped == lba) {
            table->entry[i].original = original;
        }
    }
    qsort(table->entry, table->entries, sizeof(table->entry[0]), by_original);
}

bool udf_sparing_table_find(const struct udf_sparing_table *table,
                            uint32_t original, uint32_t *out_lba) {
    for (uint32_t i = 0; i < table->entries; i++) {
        if (table->entry[i].original == original) {
            *out_lba = table->entry[i].mapped;
            return true;
        }
    }
    return false;
}

bool udf_sparing_table_owner(const struct udf_sparing_table *table,
                             uint32_t lba, uint32_t packet_blocks,
                             uint32_t *out_original) {
    for (uint32_t i = 0; i < table->entries; i++) {
        uint32_t spare = table->entry[i].mapped;

        if (lba >= spare && lba - spare < packet_blocks) {
            *out_original = table->entry[i].original;
            return true;
        }
    }
    return false;
}
