/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/inos.c - see udf/inos.h.
 */
#include "udf/inos.h"

#include <errno.h>
#include <stdlib.h>

int udf_inos_push(struct udf_inos *inos, uint64_t ino) {
    if (inos->count == inos->room) {
        size_t room = inos->room ? inos->room * 2 : 64;
        uint64_t *bigger = reallocarray(inos->ino, room, sizeof(*bigger));

        if (!bigger) {
            return -ENOMEM;
        }
        inos->ino = bigger;
        inos->room = room;
    }
    inos->ino[inos->count++] = ino;
    return 0;
}
