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

static int by_lba(const void *a, const void *b) {
    const struct udf_overlay_block *const *left = a;
    const struct udf_overlay_block *const *right = b;

    return ((*left)->lba > (*right)->lba) - ((*left)->lba < (*right)->lba);
}

int udf_overlay_list(const struct udf_overlay *overlay,
                     enum udf_overlay_class class,
                     const struct udf_overlay_block ***out_list,
                     size_t *out_count) {
    const struct udf_overlay_block **found =
        malloc((overlay->count + 1) * sizeof(*found));
    size_t count = 0;

    if (!found) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < overlay->room; i++) {
        const struct udf_overlay_block *block = overlay->table[i];

        if (block && (class == UDF_OVERLAY_CLASSES || block->class == class)) {
            found[count++] = block;
        }
    }
    qsort(found, count, sizeof(*found), by_lba);
    *out_list = found;
    *out_count = count;
    return 0;
}

/* Takes the block out of `slot` and moves up what was put behind it because
 * the slot was taken: no search may end at a gap too early. */
static struct udf_overlay_block *take(struct udf_overlay *overlay,
                                      size_t slot) {
    struct udf_overlay_block *block = overlay->table[slot];
    size_t mask = overlay->room - 1;
    size_t next = slot;

    overlay->table[slot] = NULL;
    overlay->count--;
    for (;;) {
        struct udf_overlay_block *moved;

        next = (next + 1) & mask;
        moved = overlay->table[next];
        if (!moved) {
            return block;
        }
        overlay->table[next] = NULL;
        overlay->table[slot_of(overlay, moved->lba)] = moved;
    }
}

/* Takes the block at `lba` out; NULL when there is none. */
static struct udf_overlay_block *take_at(struct udf_overlay *overlay,
                                         uint32_t lba) {
    size_t slot;

    if (overlay->count == 0) {
        return NULL;
    }
    slot = slot_of(overlay, lba);
    return overlay->table[slot] ? take(overlay, slot) : NULL;
}

void udf_overlay_drop(struct udf_overlay *overlay, uint32_t lba,
                      uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        free(take_at(overlay, lba + i));
    }
}

/* Puts a block in, over what is there; there is room for it. */
static void put(struct udf_overlay *overlay, struct udf_overlay_block *block) {
    size_t slot = slot_of(overlay, block->lba);

    overlay->count += overlay->table[slot] == NULL;
    free(overlay->table[slot]);
    overlay->table[slot] = block;
}

void udf_overlay_move(struct udf_overlay *overlay, uint32_t from,
                      uint32_t count, uint32_t to) {
    for (uint32_t i = 0; i < count; i++) {
        struct udf_overlay_block *block = take_at(overlay, from + i);

        if (block) {
            block->lba = to + i;
            put(overlay, block);
        }
    }
}

/* Makes sure that `count` blocks more can be put in. */
static int make_room(struct udf_overlay *overlay, size_t count) {
    while ((overlay->count + count) * 2 >= overlay->room) {
        if (grow(overlay)) {
            return -ENOMEM;
        }
    }
    return 0;
}

int udf_overlay_merge(struct udf_overlay *overlay, struct udf_overlay *to) {
    if (make_room(to, overlay->count)) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < overlay->room; i++) {
        if (overlay->table[i]) {
            put(to, overlay->table[i]);
            overlay->table[i] = NULL;
        }
    }
    overlay->count = 0;
    udf_overlay_clear(overlay);
    return 0;
}

int udf_overlay_merge_class(struct udf_overlay *overlay,
                            enum udf_overlay_class class,
                            struct udf_overlay *to) {
    const struct udf_overlay_block **found = NULL;
    size_t count = 0;
    int error = udf_overlay_list(overlay, class, &found, &count);

    if (!error) {
        error = make_room(to, count);
    }
    for (size_t i = 0; !error && i < count; i++) {
        put(to, take_at(overlay, found[i]->lba));
    }
    free(found);
    return error;
}

void udf_overlay_clear(struct udf_overlay *overlay) {
    for (size_t i = 0; i < overlay->room; i++) {
        free(overlay->table[i]);
    }
    free(overlay->table);
    *overlay = (struct udf_overlay){0};
}
