/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_table.c - a hash table of 64-bit keys for the checker: open
 * addressing, never more than half full, keys are never removed. Keys come
 * from a disc, but the worst that a hostile one can do is to make it slow.
 */
#include "udf/check_priv.h"

#include <errno.h>
#include <stdlib.h>

struct check_slot {
    uint64_t key;
    uint32_t value;
    bool taken;
};

/* Fibonacci hashing, folded so that the low bits depend on all of them. */
static uint32_t hash(uint64_t key) {
    key ^= key >> 32;
    key *= 0x9E3779B97F4A7C15u;
    return (uint32_t)(key >> 32);
}

/* The slot of `key`, or the free one where it would go; room is not 0. */
static struct check_slot *find(const struct check_table *table, uint64_t key) {
    uint32_t i = hash(key) & (table->room - 1);

    while (table->slots[i].taken && table->slots[i].key != key) {
        i = (i + 1) & (table->room - 1);
    }
    return &table->slots[i];
}

bool udf_check_table_get(const struct check_table *table, uint64_t key,
                         uint32_t *out_value) {
    const struct check_slot *slot;

    if (table->room == 0) {
        return false;
    }
    slot = find(table, key);
    if (slot->taken) {
        *out_value = slot->value;
    }
    return slot->taken;
}

/* Makes the table twice as large. */
static int enlarge(struct check_table *table) {
    struct check_table larger = {.room = table->room ? table->room * 2 : 64};

    if (larger.room == 0) {
        return -ENOMEM; /* 2^32 slots */
    }
    larger.slots = calloc(larger.room, sizeof(*larger.slots));
    if (!larger.slots) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < table->room; i++) {
        if (table->slots[i].taken) {
            *find(&larger, table->slots[i].key) = table->slots[i];
        }
    }
    larger.count = table->count;
    free(table->slots);
    *table = larger;
    return 0;
}

int udf_check_table_add(struct check_table *table, uint64_t key,
                        uint32_t value) {
    struct check_slot *slot;

    if (table->count >= table->room / 2 && enlarge(table)) {
        return -ENOMEM;
    }
    slot = find(table, key);
    if (slot->taken) {
        return -EEXIST;
    }
    *slot = (struct check_slot){.key = key, .value = value, .taken = true};
    table->count++;
    return 0;
}

void udf_check_table_free(struct check_table *table) {
    free(table->slots);
    *table = (struct check_table){0};
}
