/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/fuzz_decode.h - hands bytes to every pure decoder. Whatever the
 * bytes are, nothing outside of them may be read, and what a decoder accepts
 * must lie within its bounds; a breach ends the program.
 */
#ifndef TEST_FUZZ_DECODE_H
#define TEST_FUZZ_DECODE_H

#include <stddef.h>
#include <stdint.h>

/* A block of a disc, as every descriptor that a block can be, and as the
 * smaller things that are in blocks. `lbn` is where it lies. */
void fuzz_decode_block(const uint8_t block[2048], uint32_t lbn);

/* What a drive answered, as every reply there is, and as sense. */
void fuzz_decode_reply(const uint8_t *reply, size_t len);

#endif
