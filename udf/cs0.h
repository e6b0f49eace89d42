/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/cs0.h - OSTA compressed Unicode (CS0), dstrings and file names.
 * UDF 2.60 2.1.1-2.1.3 and 4.2.2.1. Pure; UTF-8 and UTF-16 by libunistring.
 */
#ifndef UDF_CS0_H
#define UDF_CS0_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"

/* Compresses `bytes` bytes of UTF-8 into at most `room` bytes of CS0
 * (compression id first: 8 when every character is below 100h, else 16 with
 * surrogate pairs). An empty text becomes no bytes. Returns 0; -EILSEQ when it
 * is not UTF-8 or holds U+FEFF or U+FFFE; -ENAMETOOLONG. */
int udf_cs0_encode(const char *text, uint32_t bytes, uint8_t *out_cs0,
                   uint32_t room, uint32_t *out_bytes);

/* Expands `bytes` bytes of CS0 (ids 8 and 16, and 254, 255 of deleted names)
 * to NUL-terminated UTF-8 of at most `room` bytes with the NUL. Ill-formed
 * UTF-16 becomes U+FFFD. Returns 0; -EUCLEAN for another id or an odd length;
 * -ENAMETOOLONG. */
int udf_cs0_decode(const uint8_t *cs0, uint32_t bytes, char *out_text,
                   uint32_t room);

/* The same for a file name that is shown to users: never empty, without '/' or
 * NUL, not "." or "..", valid UTF-8. In a name of another writer that POSIX
 * cannot have, "%" and two hexadecimal digits stand for a character below
 * 100h, "%u" and four for half of a surrogate pair and the like; a name without
 * characters is "%empty", one that is no CS0 "%raw" and its bytes. Behind such
 * a name comes U+FFFE, which no name can have that is made here: whatever
 * others are called, escaped names are theirs alone. *out_escaped says so.
 *
 * Different names are shown differently. Returns 0; -ENAMETOOLONG, never with
 * `room` for 1024 bytes. */
int udf_cs0_decode_name(const uint8_t *cs0, uint32_t bytes, char *out_text,
                        uint32_t room, bool *out_escaped);

/* dstring of `field` bytes: CS0, zero padding, length byte last. ECMA-167
 * 1/7.2.12. Errors as above. */
int udf_dstring_encode(const char *text, uint8_t *out_field, uint32_t field);
int udf_dstring_decode(const uint8_t *in_field, uint32_t field, char *out_text,
                       uint32_t room);

/* udf_dstring_decode() into UDF_TEXT_BYTES bytes, for texts that are only
 * shown: one that is broken becomes empty. */
void udf_dstring_show(const void *field, uint32_t bytes, char *out_text);

#endif
