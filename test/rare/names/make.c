/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names at every border: 8-bit characters from U+0001 to U+00FF, 16-bit ones,
 * beyond the BMP, 254 and 127 characters long, and what other systems do not
 * like.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(names) {
    struct compose *c = compose_new(0x0201);
    static const char *const names[] = {"\x01\x02\x7F",
                                        "\xC3\xBF\xC2\x80",
                                        "\xC4\x80",
                                        "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
                                        "\xF0\x9F\x92\xBF",
                                        "\xF4\x8F\xBF\xBF",
                                        "\xEF\xBF\xBD",
                                        "\xEF\xBF\xBF",
                                        "e\xCC\x81",
                                        "\xC3\xA9",
                                        "a\\b:c*d?e\"f<g>h|i",
                                        " leading",
                                        "trailing ",
                                        "dot.",
                                        "CON",
                                        "aux.txt",
                                        "...",
                                        "..a",
                                        "-rf",
                                        "UPPER",
                                        "upper",
                                        "%2F",
                                        "%",
                                        "%empty"};
    char text[400];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        compose_file(c, &c->root, names[i], "");
        if (i == 11) {
            c->root.runs = 1;
            c->root.run[0].addr = compose_take(c, 2);
            c->root.run[0].bytes = 4096;
        }
    }
    memset(text, 'x', 254);
    text[254] = 0;
    compose_file(c, &c->root, text, "254 of 8 bits");
    text[253] = 0;
    memcpy(text, "\xC3\xBF", 2);
    compose_file(c, &c->root, text, "252 and U+00FF");
    for (int i = 0; i < 127; i++) {
        memcpy(text + 3 * i, "\xE6\x97\xA5", 3);
    }
    text[3 * 127] = 0;
    compose_file(c, &c->root, text, "127 of 16 bits");
    compose_end(c);
    return compose_free(c);
}
