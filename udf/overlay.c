/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/overlay.c - see udf/overlay.h.
 */
#include "udf/overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

static size_t slot_of(const struct udf_overlay *overlay, uint32_t lba) {
    size_t slot = (lba * 2654435761u) & (overlay->room - 1);

    while (overlay->table[slot] && overlay->table[slot]->lba != lba) {
        slot = (slot + 1) & (overlay->room - 1);
    }
    return slot;
}

/* Keeps the table at most half full, so that probing stays short. */
static int grow(struct udf_overlay *overlay) {
    struct udf_overlay bigger = {
        .room = overlay->room ? overlay->room * 2 : FIRST_ROOM,
        .count = overlay->count,
    };

    bigger.table = calloc(bigger.room, sizeof(bigger.table[0]));
    if (!bigger.table) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < overlay->room; i++) {
        if (overlay->table[i]) {
            bigger.table[slot_of(&bigger, overlay->table[i]->lba)] =
                overlay->table[i];
        }
    }
    free(overlay->table);
    *overlay = bigger;
    return 0;
}

int udf_overlay_put(struct udf_overlay *overlay, uint32_t lba,
                    enum udf_overlay_class class, const uint8_t *data) {
    size_t slot;

    if (overlay->count * 2 >= overlay->room) {
        int error = grow(overlay);

        if (error) {
            return error;
        }
    }
    slot = slot_of(overlay, lba);
    if (!overlay->table[slot]) {
        overlay->table[slot] = malloc(sizeof(*overlay->table[slot]));
        if (!overlay->table[slot]) {
            return -ENOMEM;
        }
        overlay->table[slot]->lba = lba;
        overlay->count++;
    }
    overlay->table[slot]->class = class;
    memcpy(overlay->table[slot]->data, data, UDF_BLOCK_BYTES);
    return 0;
}

const uint8_t *udf_overlay_find(const struct udf_overlay *overlay,
                                uint32_t lba) {
    const struct udf_overlay_block *block;

    if (overlay->count == 0) {
        return NULL;
    }
    block = overlay->table[slot_of(overlay, lba)];
    return block ? block->data : NULL;
}

/* Takes the blocks of [lba, lba+count) out of the table, which is built anew
 * for it: gaps would end the search for others. The blocks go to `out`, which
 * has room for as many. */
static int take_out(struct udf_overlay *overlay, uint32_t lba, uint32_t count,
                    struct udf_overlay_block **out, size_t *out_count) {
    struct udf_overlay rest = {.room = overlay->room};
    size_t taken = 0;

    rest.table = calloc(rest.room + 1, sizeof(rest.table[0]));
    if (!rest.table) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < overlay->room; i++) {
        struct udf_overlay_block *block = overlay->table[i];

        if (block && block->lba >= lba && block->lba - lba < count) {
            out[taken++] = block;
        } else if (block) {
            rest.table[slot_of(&rest, block->lba)] = block;
            rest.count++;
        }
    }
    free(overlay->table);
    *overlay = rest;
    *out_count = taken;
    return 0;
}

static int move_blocks(struct udf_overlay *overlay, uint32_t from,
                       uint32_t count, const uint32_t *to) {
    struct udf_overlay_block **moved;
    size_t n = 0;
    int error;

    if (overlay->count == 0) {
        return 0;
    }
    moved = malloc((overlay->count + 1) * sizeof(*moved));
    if (!moved) {
        return -ENOMEM;
    }
    error = take_out(overlay, from, count, moved, &n);
    for (size_t i = 0; i < n; i++) {
        size_t slot;

        if (!to) {
            free(moved[i]);
            continue;
        }
        moved[i]->lba = moved[i]->lba - from + *to;
        slot = slot_of(overlay, moved[i]->lba);
        overlay->count += overlay->table[slot] == NULL;
        free(overlay->table[slot]);
        overlay->table[slot] = moved[i];
    }
    free(moved);
    return error;
}

int udf_overlay_move(struct udf_overlay *overlay, uint32_t from, uint32_t count,
                     uint32_t to) {
    return move_blocks(overlay, from, count, &to);
}

int udf_overlay_drop(struct udf_overlay *overlay, uint32_t lba,
                     uint32_t count) {
    return move_blocks(overlay, lba, count, NULL);
}

static int by_lba(const void *a, const void *b) {
    const struct udf_overlay_block *const *left = a;
    const struct udf_overlay_block *const *right = b;

    return ((*left)->lba > (*right)->lba) - ((*left)->lba < (*right)->lba);
}

int udf_overlay_list(const struct udf_overlay *overlay,
                     enum udf_overlay_class class,
                     const struct udf_overlay_block ***out_list,
                     size_t *out_count) {
    const struct udf_overlay_block **list =
        malloc((overlay->count + 1) * sizeof(*list));
    size_t count = 0;

    if (!list) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < overlay->room; i++) {
        if (overlay->table[i] && overlay->table[i]->class == class) {
            list[count++] = overlay->table[i];
        }
    }
    qsort(list, count, sizeof(*list), by_lba);
    *out_list = list;
    *out_count = count;
    return 0;
}

void udf_overlay_clear(struct udf_overlay *overlay) {
    for (size_t i = 0; i < overlay->room; i++) {
        free(overlay->table[i]);
    }
    free(overlay->table);
    *overlay = (struct udf_overlay){0};
}
