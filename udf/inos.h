/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/inos.h - a stack of node numbers, for walks over directories. Pure.
 */
#ifndef UDF_INOS_H
#define UDF_INOS_H

#include <stddef.h>
#include <stdint.h>

/* Zero is an empty stack; its user takes from the end, and frees `ino`. */
struct udf_inos {
    uint64_t *ino;
    size_t count, room;
};

/* Returns 0 or -ENOMEM. */
int udf_inos_push(struct udf_inos *inos, uint64_t ino);

#endif
