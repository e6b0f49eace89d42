/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    KEPT_BYTES = 160 << 20, /* of free memory, as long as it is mounted */
    SPARE_BYTES = 1 << 20   /* what malloc(3) takes beside what it is asked for,
                               and more: else it gives all of it back at once */
};

void cli_tune_memory(void) {
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);

    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *heap = malloc(KEPT_BYTES - SPARE_BYTES);

    if (heap) {
        char *first = heap + (page - (uintptr_t)heap % page);

        (void)madvise(first, KEPT_BYTES - SPARE_BYTES - page, MADV_HUGEPAGE);
    }
    free(heap);
}
