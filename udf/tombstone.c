/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/tombstone.c - see udf/tombstone.h; docs/FORMAT.md has the bytes.
 */
#include "udf/tombstone.h"

#include <stdio.h>
#include <string.h>

#include "udf/desc.h"

/* Whoever looks at a file with another system should see what it is. */
static const char text[] = "udfpkt: this block could not be read";

void udf_tombstone_make(const char *volume_set_id, uint8_t *block) {
    memset(block, 0, UDF_BLOCK_BYTES);
    (void)snprintf((char *)block, UDF_BLOCK_BYTES, "%s\n%s\n", text,
                   volume_set_id);
}

bool udf_tombstone_is(const char *volume_set_id, const uint8_t *block) {
    uint8_t stone[UDF_BLOCK_BYTES];

    if (memcmp(block, text, sizeof(text) - 1) != 0) {
        return false;
    }
    udf_tombstone_make(volume_set_id, stone);
    return memcmp(block, stone, UDF_BLOCK_BYTES) == 0;
}
