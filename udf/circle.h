/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/circle.h - notices that a chain of blocks goes in a circle, with no
 * memory of its own: it is compared with one marked place, which moves on
 * after 1, 2, 4, ... steps (Brent's algorithm). A circle is found within three
 * times the blocks that lead to it and through it; a chain without one may be
 * of any length.
 */
#ifndef UDF_CIRCLE_H
#define UDF_CIRCLE_H

#include <stdbool.h>
#include <stdint.h>

/* Begin with zeros. */
struct udf_circle {
    uint64_t mark;
    uint64_t steps, limit; /* since the mark; until it moves */
};

/* Notes that the chain has come to `place`; true when it was there before. */
static inline bool udf_circle_closed(struct udf_circle *circle,
                                     uint64_t place) {
    if (circle->limit > 0 && place == circle->mark) {
        return true;
    }
    if (circle->steps == circle->limit) {
        circle->mark = place;
        circle->limit = circle->limit ? circle->limit * 2 : 1;
        circle->steps = 0;
    }
    circle->steps++;
    return false;
}

#endif
