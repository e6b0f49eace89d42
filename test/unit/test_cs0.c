/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Compressed Unicode: round trips, foreign names, and what is refused.
 */
#include "udf/cs0.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static uint32_t encode(const char *text, uint8_t *cs0) {
    uint32_t bytes = 0;
    int error = udf_cs0_encode(text, (uint32_t)strlen(text), cs0,
                               UDF_NAME_CS0_MAX, &bytes);
    assert_int_equal(error, 0);
    return bytes;
}

/* What ends a name with escapes: U+FFFE. */
#define MARK "\xEF\xBF\xBE"

/* Decodes as a name; gives whether it was escaped. */
static bool name_of(const void *cs0, uint32_t bytes, char *out_text) {
    bool escaped = false;
    assert_int_equal(udf_cs0_decode_name(cs0, bytes, out_text, 2048, &escaped),
                     0);
    return escaped;
}

static void test_cs0_round_trip(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "a",
        "readme.txt",
        "\xC3\xA4\xC3\xBF",                 /* below 100h: id 8 */
        "\xC4\x80",                         /* U+0100: id 16 */
        "\xE6\x97\xA5\xE6\x9C\xAC",         /* Japanese */
        "\xF0\x9F\x92\xBF disc",            /* surrogate pair */
        "e\xCC\x81 %002F \x01\x7F\xC2\x80", /* taken as they are */
        "\xEF\xBF\xBF\xEF\xBF\xBD\xF4\x8F\xBF\xBF",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint8_t cs0[UDF_NAME_CS0_MAX];
        char text[64];
        uint32_t bytes = encode(texts[i], cs0);
        assert_int_equal(udf_cs0_decode(cs0, bytes, text, sizeof(text)), 0);
        assert_string_equal(text, texts[i]);
    }
}

static void test_cs0_encode_bytes(void **state) {
    (void)state;
    uint8_t cs0[UDF_NAME_CS0_MAX];
    assert_int_equal(encode("", cs0), 0);
    assert_int_equal(encode("A\xC3\xBF", cs0), 3);
    assert_memory_equal(cs0, "\x08\x41\xFF", 3);
    assert_int_equal(encode("A\xC4\x80", cs0), 5);
    assert_memory_equal(cs0, "\x10\x00\x41\x01\x00", 5);
    assert_int_equal(encode("\xF0\x9F\x92\xBF", cs0), 5);
    assert_memory_equal(cs0, "\x10\xD8\x3D\xDC\xBF", 5);
}

static void test_cs0_encode_limits(void **state) {
    (void)state;
    char text[600];
    uint8_t cs0[UDF_NAME_CS0_MAX + 1];
    uint32_t bytes = 77;
    memset(text, 'x', sizeof(text));
    assert_int_equal(udf_cs0_encode(text, 254, cs0, 255, &bytes), 0);
    assert_int_equal(bytes, 255);
    bytes = 77;
    cs0[0] = 0xEE;
    assert_int_equal(udf_cs0_encode(text, 255, cs0, 255, &bytes),
                     -ENAMETOOLONG);
    assert_int_equal(bytes, 77);
    assert_int_equal(cs0[0], 0xEE);
    for (int i = 0; i < 128; i++) { /* 128 of U+0100 */
        memcpy(text + 2 * i, "\xC4\x80", 2);
    }
    assert_int_equal(udf_cs0_encode(text, 2 * 127, cs0, 255, &bytes), 0);
    assert_int_equal(bytes, 255);
    assert_int_equal(udf_cs0_encode(text, 2 * 128, cs0, 255, &bytes),
                     -ENAMETOOLONG);
    /* one wide character doubles all of the others */
    memset(text, 'x', 254);
    memcpy(text + 126, "\xC4\x80", 2);
    assert_int_equal(udf_cs0_encode(text, 128, cs0, 255, &bytes), 0);
    assert_int_equal(udf_cs0_encode(text, 129, cs0, 255, &bytes),
                     -ENAMETOOLONG);
}

static void test_cs0_encode_refuses(void **state) {
    (void)state;
    static const char *const texts[] = {
        "\xFF",             /* never in UTF-8 */
        "a\xC3",            /* cut */
        "\xC0\xAF",         /* overlong '/' */
        "\xED\xA0\x80",     /* half of a surrogate pair */
        "\xEF\xBB\xBF",     /* U+FEFF */
        "a\xEF\xBF\xBE",    /* U+FFFE */
        "\xF4\x90\x80\x80", /* beyond U+10FFFF */
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint8_t cs0[255];
        uint32_t bytes = 77;
        assert_int_equal(udf_cs0_encode(texts[i], (uint32_t)strlen(texts[i]),
                                        cs0, sizeof(cs0), &bytes),
                         -EILSEQ);
        assert_int_equal(bytes, 77);
    }
}

static void test_cs0_decode_refuses(void **state) {
    (void)state;
    char text[8] = "before";
    bool escaped;
    for (unsigned id = 0; id < 256; id++) {
        const uint8_t cs0[] = {(uint8_t)id, 0, 'x'};
        bool known = id == 8 || id == 16 || id == 254 || id == 255;
        assert_int_equal(udf_cs0_decode(cs0, 3, text, sizeof(text)),
                         known ? 0 : -EUCLEAN);
    }
    strcpy(text, "before");
    const uint8_t odd[] = {16, 0, 'x', 0};
    assert_int_equal(udf_cs0_decode(odd, 4, text, sizeof(text)), -EUCLEAN);
    const uint8_t seven[] = "\x08"
                            "1234567";
    assert_int_equal(udf_cs0_decode(seven, 8, text, 7), -ENAMETOOLONG);
    assert_string_equal(text, "before");
    assert_int_equal(udf_cs0_decode(seven, 8, text, 8), 0);
    assert_string_equal(text, "1234567");
    assert_int_equal(udf_cs0_decode_name(seven, 8, text, 7, &escaped),
                     -ENAMETOOLONG);
    assert_int_equal(udf_cs0_decode_name(seven, 0, text, 3, &escaped),
                     -ENAMETOOLONG);
    assert_int_equal(udf_cs0_decode(seven, 0, text, 0), -ENAMETOOLONG);
}

static void test_cs0_decode_lone_surrogates(void **state) {
    (void)state;
    char text[32];
    /* low half first, then a high half before an 'a', then one at the end */
    const uint8_t cs0[] = {16, 0xDC, 0, 0xD8, 0, 0, 'a', 0xD8, 1};
    assert_int_equal(udf_cs0_decode(cs0, sizeof(cs0), text, sizeof(text)), 0);
    assert_string_equal(text, "\xEF\xBF\xBD\xEF\xBF\xBD"
                              "a\xEF\xBF\xBD");
    assert_true(name_of(cs0, sizeof(cs0), text));
    assert_string_equal(text, "%uDC00%uD800a%uD801" MARK);
}

static void test_cs0_decode_deleted_ids(void **state) {
    (void)state;
    char text[32];
    assert_int_equal(udf_cs0_decode((const uint8_t *)"\xFE"
                                                     "ab",
                                    3, text, 32),
                     0);
    assert_string_equal(text, "ab");
    assert_int_equal(
        udf_cs0_decode((const uint8_t *)"\xFF\x01\x00", 3, text, 32), 0);
    assert_string_equal(text, "\xC4\x80");
}

static void test_cs0_name_escapes(void **state) {
    (void)state;
    static const struct {
        const char *cs0;
        uint32_t bytes;
        const char *shown;
        bool escaped;
    } names[] = {
        {"\x08"
         "plain",
         6, "plain", false},
        {"\x08"
         "100%",
         5, "100%", false},
        {"\x08"
         "a%2Fb",
         6, "a%2Fb", false}, /* as "a/b" would be without its mark */
        {"\x08"
         "a/b",
         4, "a%2Fb" MARK, true},
        {"\x08"
         "a%/b",
         5, "a%25%2Fb" MARK, true},
        {"\x08"
         "a\0b",
         4, "a%00b" MARK, true},
        {"\x08"
         "\0",
         2, "%00" MARK, true},
        {"\x08"
         ".",
         2, "%2E" MARK, true},
        {"\x08"
         "..",
         3, "%2E." MARK, true},
        {"\x08"
         "...",
         4, "...", false},
        {"\x08"
         ".a",
         3, ".a", false},
        {"\x10\0.\0.", 5, "%2E." MARK, true},
        {"\x10\xFE\xFF\0a", 5, "%uFEFFa" MARK, true},
        {"\x10\xFF\xFE", 3, "%uFFFE" MARK, true},
        {"\x10\0/", 3, "%2F" MARK, true},
        {"\x10\xD8\x3D\0a", 5, "%uD83Da" MARK, true},
        {"\x10\xDC\xBF\xD8\x3D", 5, "%uDCBF%uD83D" MARK, true},
        {"\x10\xD8\x3D\xDC\xBF\0a", 7,
         "\xF0\x9F\x92\xBF"
         "a",
         false},
        {"\x08", 1, "%empty" MARK, true},
        {"", 0, "%empty" MARK, true},
        {"\x10\0a\0", 4, "%raw10006100" MARK, true}, /* half a unit */
        {"\x07"
         "ab",
         3, "%raw076162" MARK, true},
        {"\0", 1, "%raw00" MARK, true},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[2048];
        bool escaped = name_of(names[i].cs0, names[i].bytes, text);
        assert_string_equal(text, names[i].shown);
        assert_int_equal(escaped, names[i].escaped);
    }
}

/* Every name is shown, and shown names are usable in POSIX. What has no escape
 * is compressed to the same bytes; nobody can make what has some. */
static void test_cs0_name_any_unit(void **state) {
    (void)state;
    for (unsigned unit = 0; unit < 0x10000; unit++) {
        const uint8_t cs0[] = {16, (uint8_t)(unit >> 8), (uint8_t)unit};
        uint8_t back[64];
        char text[2048];
        uint32_t bytes = 0;
        bool escaped = name_of(cs0, 3, text);
        assert_null(strchr(text, '/'));
        assert_true(text[0] != '\0' && strcmp(text, ".") != 0);
        assert_int_equal(udf_cs0_encode(text, (uint32_t)strlen(text), back,
                                        sizeof(back), &bytes),
                         escaped ? -EILSEQ : 0);
        if (!escaped && unit > 0xFF) {
            assert_int_equal(bytes, 3);
            assert_memory_equal(back, cs0, 3);
        }
    }
}

/* The longest names there are fit the room that the header promises. */
static void test_cs0_name_longest(void **state) {
    (void)state;
    static const uint8_t fills[][3] = {
        {8, '/', '/'}, {8, 0xFF, 0xFF}, {16, 0xD8, 0}, {0, 1, 2}};
    for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
        uint8_t cs0[UDF_NAME_CS0_MAX];
        char text[1024];
        bool escaped;
        cs0[0] = fills[i][0];
        for (uint32_t k = 1; k < sizeof(cs0); k++) {
            cs0[k] = fills[i][1 + (k + 1) % 2];
        }
        assert_int_equal(
            udf_cs0_decode_name(cs0, sizeof(cs0), text, sizeof(text), &escaped),
            0);
    }
}

/* Names of up to three characters from an awkward alphabet never look alike,
 * escaped or not. */
static void test_cs0_name_escapes_differ(void **state) {
    (void)state;
    static const uint8_t alphabet[] = {0, '/', '%', '.', '0', '2', 'F'};
    enum { LETTERS = sizeof(alphabet), NAMES = 7 + 49 + 343 };
    static char shown[NAMES][32];
    for (unsigned n = 0, count = 0; count < NAMES; n++) {
        uint8_t cs0[4] = {8};
        unsigned length = count < 7 ? 1 : count < 56 ? 2 : 3;
        unsigned rest = count - (length == 1 ? 0 : length == 2 ? 7 : 56);
        for (unsigned i = 1; i <= length; i++, rest /= LETTERS) {
            cs0[i] = alphabet[rest % LETTERS];
        }
        (void)name_of(cs0, 1 + length, shown[count]);
        count++;
    }
    for (unsigned i = 0; i < NAMES; i++) {
        for (unsigned j = i + 1; j < NAMES; j++) {
            assert_string_not_equal(shown[i], shown[j]);
        }
    }
}

static void test_cs0_dstring_round_trip(void **state) {
    (void)state;
    uint8_t field[32];
    char text[UDF_TEXT_BYTES];
    memset(field, 0xEE, sizeof(field));
    assert_int_equal(udf_dstring_encode("LABEL", field, 32), 0);
    assert_memory_equal(field, "\x08LABEL", 6);
    for (int i = 6; i < 31; i++) {
        assert_int_equal(field[i], 0);
    }
    assert_int_equal(field[31], 6);
    assert_int_equal(udf_dstring_decode(field, 32, text, sizeof(text)), 0);
    assert_string_equal(text, "LABEL");

    memset(field, 0xEE, sizeof(field));
    assert_int_equal(udf_dstring_encode("", field, 32), 0);
    for (int i = 0; i < 32; i++) {
        assert_int_equal(field[i], 0);
    }
    assert_int_equal(udf_dstring_decode(field, 32, text, sizeof(text)), 0);
    assert_string_equal(text, "");
}

static void test_cs0_dstring_limits(void **state) {
    (void)state;
    uint8_t field[32];
    char text[UDF_TEXT_BYTES];
    char full[] = "123456789012345678901234567890"; /* 30 */
    assert_int_equal(udf_dstring_encode(full, field, 32), 0);
    assert_int_equal(field[31], 31);
    assert_int_equal(udf_dstring_decode(field, 32, text, sizeof(text)), 0);
    assert_string_equal(text, full);
    assert_int_equal(
        udf_dstring_encode("1234567890123456789012345678901", field, 32),
        -ENAMETOOLONG);
    field[31] = 32; /* more than there is */
    assert_int_equal(udf_dstring_decode(field, 32, text, sizeof(text)),
                     -EUCLEAN);
    field[31] = 255;
    assert_int_equal(udf_dstring_decode(field, 32, text, sizeof(text)),
                     -EUCLEAN);
    /* the longest label of 128 bytes fits the host's buffer */
    uint8_t wide[128] = {8};
    memset(wide + 1, 0xFF, 126);
    wide[127] = 127;
    assert_int_equal(udf_dstring_decode(wide, 128, text, sizeof(text)), 0);
    assert_int_equal(strlen(text), 252);
}

/* Some writers count the zeros of the padding. */
static void test_cs0_dstring_counted_padding(void **state) {
    (void)state;
    uint8_t field[32] = {8, 'D', 'I', 'S', 'C'};
    char text[UDF_TEXT_BYTES];
    field[31] = 31;
    assert_int_equal(udf_dstring_decode(field, 32, text, sizeof(text)), 0);
    assert_string_equal(text, "DISC");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cs0_round_trip),
        cmocka_unit_test(test_cs0_encode_bytes),
        cmocka_unit_test(test_cs0_encode_limits),
        cmocka_unit_test(test_cs0_encode_refuses),
        cmocka_unit_test(test_cs0_decode_refuses),
        cmocka_unit_test(test_cs0_decode_lone_surrogates),
        cmocka_unit_test(test_cs0_decode_deleted_ids),
        cmocka_unit_test(test_cs0_name_escapes),
        cmocka_unit_test(test_cs0_name_any_unit),
        cmocka_unit_test(test_cs0_name_longest),
        cmocka_unit_test(test_cs0_name_escapes_differ),
        cmocka_unit_test(test_cs0_dstring_round_trip),
        cmocka_unit_test(test_cs0_dstring_limits),
        cmocka_unit_test(test_cs0_dstring_counted_padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
