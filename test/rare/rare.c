/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/rare/rare.c - the table of the images.
 */
#include "test/rare/rare.h"

#define RARE(name) struct memdev *rare_##name(void);
#include "rare_list.h"
#undef RARE

static const struct rare all[] = {
#define RARE(name) {#name, rare_##name},
#include "rare_list.h"
#undef RARE
};

const struct rare *rare_all(size_t *out_count) {
    *out_count = sizeof(all) / sizeof(all[0]);
    return all;
}
