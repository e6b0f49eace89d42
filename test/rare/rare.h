/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/rare/rare.h - images of forms that few discs have. Each is a folder:
 *
 *     NAME/make.c  says at its head what the image shows, and puts it together
 *                  in RARE_IMAGE(NAME)
 *     NAME/expect  what a mount of it gives: an error, or whether it can be
 *                  written and all that is on it (support/walk.h). Before
 *                  that may stand, written by hand, "times" when timestamps
 *                  shall be shown, "mended" when what is wrong with the image
 *                  is right after any change, and "says: WORDS" for words that
 *                  users must be told.
 *     NAME/kernel  where the kernel's driver reads something else: why, and
 *                  which lines (uml/test_rare_kernel.sh)
 *
 * rare_list.h is made by CMake from the names of the folders.
 */
#ifndef TEST_RARE_H
#define TEST_RARE_H

#include <stddef.h>
#include <stdint.h>

#include "test/support/compose.h"

struct rare {
    const char *name;
    struct memdev *(*make)(void);
};

/* All images, in the order of their names. */
const struct rare *rare_all(size_t *out_count);

/* A volume of this revision (BCD) whose tree has one of each kind of object. */
struct memdev *rare_revision(uint16_t revision);

#define RARE_IMAGE(name)                                                       \
    struct memdev *rare_##name(void);                                          \
    struct memdev *rare_##name(void)

#endif
