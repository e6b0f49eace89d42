/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/fuzz/libfuzzer.c - the pure decoders as a target of clang's libFuzzer:
 * see docs/TESTING.md. The first byte says what the rest is; tags are made
 * right, since no fuzzer guesses a CRC.
 */
#include <string.h>

#include "test/support/compose.h"
#include "test/support/fuzz_decode.h"

enum { BYTES = 2048, SEALED = 1, REPLY = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t block[BYTES] = {0};
    uint32_t lbn;

    if (size < 1) {
        return 0;
    }
    if (data[0] & REPLY) {
        fuzz_decode_reply(data + 1, size - 1);
        return 0;
    }
    memcpy(block, data + 1, size - 1 < BYTES ? size - 1 : BYTES);
    if ((data[0] & SEALED) && (block[10] | block[11] << 8) <= BYTES - 16) {
        compose_reseal(block);
    }
    memcpy(&lbn, block + 12, sizeof(lbn));
    fuzz_decode_block(block, lbn);
    return 0;
}
