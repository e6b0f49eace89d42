/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/cs0.c - OSTA compressed Unicode, UDF 2.60 2.1.1-2.1.3.
 *
 * Compression id 8 stores a character below 100h in one byte, id 16 every
 * UTF-16 unit in two, high byte first. Nothing on a disc keeps a name from
 * holding halves of surrogate pairs, so characters pass through here as
 * ucs4_t, where D800h..DFFFh stand for such a half.
 *
 * Names that POSIX cannot have are escaped. What a user makes is always stored
 * and shown as it was given, "a%2Fb" too; so the escaped form of "a/b" must be
 * one that no user can make, or one of the two could not be reached. U+FFFE at
 * its end does that: UDF forbids it, and udf_cs0_encode() refuses it.
 *
 * Expansion walks a text twice, first to measure, then to write: a result that
 * does not fit leaves the caller's buffer alone.
 */
#include "udf/cs0.h"

#include <errno.h>
#include <string.h>
#include <unistr.h>

enum {
    ID_8 = 8,
    ID_16 = 16,
    ID_8_DELETED = 254, /* UDF 2.60 2.3.4.2 */
    ID_16_DELETED = 255,
    UNIT_BYTES = 2,
    BYTE_ORDER_MARK = 0xFEFF,
    SWAPPED_MARK = 0xFFFE
};

/* No escape begins like these. */
static const char empty_name[] = "%empty";
static const char raw_name[] = "%raw";

/* The characters of a compressed text, one by one. */
struct reader {
    const uint8_t *at;
    uint32_t left; /* bytes */
    bool wide;
};

static bool is_surrogate(ucs4_t uc) {
    return uc >= 0xD800 && uc <= 0xDFFF;
}

static int reader_open(struct reader *reader, const uint8_t *cs0,
                       uint32_t bytes) {
    *reader = (struct reader){0};
    if (bytes == 0) {
        return 0; /* an empty text has no compression id either */
    }
    if (cs0[0] == ID_16 || cs0[0] == ID_16_DELETED) {
        reader->wide = true;
    } else if (cs0[0] != ID_8 && cs0[0] != ID_8_DELETED) {
        return -EUCLEAN;
    }
    if (reader->wide && bytes % UNIT_BYTES == 0) {
        return -EUCLEAN; /* the id is one byte, so half a unit is left */
    }
    reader->at = cs0 + 1;
    reader->left = bytes - 1;
    return 0;
}

static uint16_t unit_at(const uint8_t *at) {
    return (uint16_t)(at[0] << 8 | at[1]);
}

static bool reader_next(struct reader *reader, ucs4_t *out_uc) {
    if (reader->left == 0) {
        return false;
    }
    uint32_t taken = reader->wide ? UNIT_BYTES : 1;
    ucs4_t uc = reader->wide ? unit_at(reader->at) : *reader->at;
    if (is_surrogate(uc) && reader->left >= 2 * UNIT_BYTES) {
        const uint16_t pair[] = {(uint16_t)uc, unit_at(reader->at + taken)};
        ucs4_t joined;
        if (u16_mbtoucr(&joined, pair, 2) == 2) {
            uc = joined;
            taken += UNIT_BYTES;
        }
    }
    reader->at += taken;
    reader->left -= taken;
    *out_uc = uc;
    return true;
}

/* Adds `uc` behind `done` bytes of `text`, or only counts it when that is
 * NULL. Returns the bytes it takes. */
static uint32_t put_char(char *text, uint32_t done, ucs4_t uc) {
    uint8_t utf8[4];
    int bytes = u8_uctomb(utf8, uc, sizeof(utf8));
    if (bytes < 0) {
        bytes = u8_uctomb(utf8, 0xFFFD, sizeof(utf8));
    }
    if (text != NULL) {
        memcpy(text + done, utf8, (size_t)bytes);
    }
    return (uint32_t)bytes;
}

/* The same for a text. */
static uint32_t put_text(char *text, uint32_t done, const char *more) {
    uint32_t bytes = (uint32_t)strlen(more);
    if (text != NULL) {
        memcpy(text + done, more, bytes);
    }
    return bytes;
}

/* The same for the last `digits` hexadecimal digits of a number. */
static uint32_t put_hex(char *text, uint32_t done, uint32_t number,
                        uint32_t digits) {
    for (uint32_t i = 0; text != NULL && i < digits; i++) {
        text[done + i] =
            "0123456789ABCDEF"[number >> 4 * (digits - 1 - i) & 15];
    }
    return digits;
}

static uint32_t put_escape(char *text, uint32_t done, ucs4_t unit) {
    bool narrow = unit <= 0xFF;
    uint32_t bytes = put_text(text, done, narrow ? "%" : "%u");
    return bytes + put_hex(text, done + bytes, unit, narrow ? 2 : 4);
}

/* Up to the first NUL, since the result is a C string: some writers count the
 * padding of a dstring as text. */
static uint32_t expand_text(struct reader reader, char *text) {
    uint32_t done = 0;
    ucs4_t uc;
    while (reader_next(&reader, &uc) && uc != 0) {
        done += put_char(text, done, uc);
    }
    return done;
}

/* What a POSIX name cannot hold, or udf_cs0_encode() would refuse. */
static bool is_foreign(ucs4_t uc) {
    return uc == 0 || uc == '/' || uc == BYTE_ORDER_MARK ||
           uc == SWAPPED_MARK || is_surrogate(uc);
}

static bool is_dots(struct reader reader) {
    uint32_t dots = 0;
    ucs4_t uc;
    while (reader_next(&reader, &uc)) {
        if (uc != '.' || ++dots > 2) {
            return false;
        }
    }
    return dots > 0;
}

static bool needs_escape(struct reader reader) {
    ucs4_t uc;
    if (is_dots(reader)) {
        return true;
    }
    while (reader_next(&reader, &uc)) {
        if (is_foreign(uc)) {
            return true;
        }
    }
    return false;
}

/* A name that needs escapes gets them for its own '%' too: two names with
 * escapes are never shown alike. */
static uint32_t expand_escaped(struct reader reader, char *text) {
    bool dots = is_dots(reader);
    uint32_t done = 0;
    ucs4_t uc;
    if (reader.left == 0) {
        done += put_text(text, done, empty_name);
    }
    while (reader_next(&reader, &uc)) {
        if (is_foreign(uc) || uc == '%' || (dots && done == 0)) {
            done += put_escape(text, done, uc);
        } else {
            done += put_char(text, done, uc);
        }
    }
    return done + put_char(text, done, SWAPPED_MARK);
}

/* The bytes of what is no CS0; they need not be whole units. */
static uint32_t expand_raw(struct reader reader, char *text) {
    uint32_t done = put_text(text, 0, raw_name);
    for (; reader.left > 0; reader.left--) {
        done += put_hex(text, done, *reader.at++, 2);
    }
    return done + put_char(text, done, SWAPPED_MARK);
}

typedef uint32_t expander(struct reader reader, char *text);

/* Runs `expand` twice: see the head of the file. */
static int expand_into(const struct reader *reader, expander *expand,
                       char *out_text, uint32_t room) {
    uint32_t bytes = expand(*reader, NULL);
    if (bytes >= room) {
        return -ENAMETOOLONG;
    }
    expand(*reader, out_text);
    out_text[bytes] = '\0';
    return 0;
}

int udf_cs0_decode(const uint8_t *cs0, uint32_t bytes, char *out_text,
                   uint32_t room) {
    struct reader reader;
    int error = reader_open(&reader, cs0, bytes);
    if (error != 0) {
        return error;
    }
    return expand_into(&reader, expand_text, out_text, room);
}

int udf_cs0_decode_name(const uint8_t *cs0, uint32_t bytes, char *out_text,
                        uint32_t room, bool *out_escaped) {
    struct reader reader;
    expander *expand = expand_text;
    if (reader_open(&reader, cs0, bytes) != 0) {
        reader = (struct reader){.at = cs0, .left = bytes};
        expand = expand_raw;
    } else if (reader.left == 0 || needs_escape(reader)) {
        expand = expand_escaped;
    }
    int error = expand_into(&reader, expand, out_text, room);
    if (error == 0) {
        *out_escaped = expand != expand_text;
    }
    return error;
}

/* Checks the text; gives whether it needs id 16, and the size with the id. */
static int measure(const uint8_t *text, uint32_t bytes, bool *out_wide,
                   uint64_t *out_bytes) {
    uint64_t chars = 0, units = 0;
    bool wide = false;
    while (bytes > 0) {
        ucs4_t uc;
        int taken = u8_mbtoucr(&uc, text, bytes);
        if (taken <= 0 || uc == BYTE_ORDER_MARK || uc == SWAPPED_MARK) {
            return -EILSEQ;
        }
        wide = wide || uc > 0xFF;
        chars++;
        units += uc > 0xFFFF ? 2 : 1;
        text += taken;
        bytes -= (uint32_t)taken;
    }
    *out_wide = wide;
    *out_bytes = wide ? 1 + units * UNIT_BYTES : chars > 0 ? 1 + chars : 0;
    return 0;
}

/* Writes one character and gives the byte behind it. */
static uint8_t *compress_char(ucs4_t uc, bool wide, uint8_t *to) {
    if (!wide) {
        *to = (uint8_t)uc;
        return to + 1;
    }
    uint16_t units[2];
    int count = u16_uctomb(units, uc, 2);
    for (int i = 0; i < count; i++) {
        *to++ = (uint8_t)(units[i] >> 8);
        *to++ = (uint8_t)units[i];
    }
    return to;
}

int udf_cs0_encode(const char *text, uint32_t bytes, uint8_t *out_cs0,
                   uint32_t room, uint32_t *out_bytes) {
    const uint8_t *utf8 = (const uint8_t *)text;
    bool wide;
    uint64_t needed;
    int error = measure(utf8, bytes, &wide, &needed);
    if (error != 0) {
        return error;
    }
    if (needed > room) {
        return -ENAMETOOLONG;
    }
    *out_bytes = (uint32_t)needed;
    if (needed == 0) {
        return 0;
    }
    uint8_t *to = out_cs0;
    *to++ = wide ? ID_16 : ID_8;
    while (bytes > 0) {
        ucs4_t uc;
        int taken = u8_mbtoucr(&uc, utf8, bytes);
        to = compress_char(uc, wide, to);
        utf8 += taken;
        bytes -= (uint32_t)taken;
    }
    return 0;
}

int udf_dstring_encode(const char *text, uint8_t *out_field, uint32_t field) {
    size_t length = strlen(text);
    uint32_t used;
    if (length > UDF_TEXT_BYTES) {
        return -ENAMETOOLONG; /* longer than any field, and fits uint32_t */
    }
    int error =
        udf_cs0_encode(text, (uint32_t)length, out_field, field - 1, &used);
    if (error != 0) {
        return error;
    }
    memset(out_field + used, 0, field - used);
    out_field[field - 1] = (uint8_t)used;
    return 0;
}

int udf_dstring_decode(const uint8_t *in_field, uint32_t field, char *out_text,
                       uint32_t room) {
    uint32_t used = in_field[field - 1];
    if (used > field - 1) {
        return -EUCLEAN;
    }
    return udf_cs0_decode(in_field, used, out_text, room);
}

void udf_dstring_show(const void *field, uint32_t bytes, char *out_text) {
    if (udf_dstring_decode(field, bytes, out_text, UDF_TEXT_BYTES) != 0) {
        out_text[0] = '\0';
    }
}
