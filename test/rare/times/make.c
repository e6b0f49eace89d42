/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Timestamps of all kinds (ECMA-167 1/7.3): before 1970 and after 2038, with
 * zones east and west, without a zone, in UTC, a leap second, the first and
 * last years, and some that are none. What is none is 1970.
 */
#include "test/rare/rare.h"

#include <string.h>

RARE_IMAGE(times) {
    static const struct {
        const char *name;
        uint8_t raw[12];
    } times[] = {
        {"1969 east", {0x78, 0x10, 0xB1, 0x07, 12, 31, 23, 59, 59, 0, 0, 0}},
        {"2040 west", {0xD4, 0x1E, 0xF8, 0x07, 2, 29, 12, 0, 0, 1, 2, 3}},
        {"no zone", {0x01, 0x18, 0xE4, 0x07, 6, 1, 0, 0, 0, 0, 0, 0}},
        {"UTC", {0x00, 0x00, 0xE4, 0x07, 6, 1, 0, 0, 0, 0, 0, 0}},
        {"leap second", {0x00, 0x10, 0xE0, 0x07, 12, 31, 23, 59, 60, 0, 0, 0}},
        {"year 1", {0x00, 0x10, 0x01, 0x00, 1, 1, 0, 0, 0, 0, 0, 0}},
        {"year 9999", {0x00, 0x10, 0x0F, 0x27, 12, 31, 23, 59, 59, 99, 99, 99}},
        {"year -32768", {0x00, 0x10, 0x00, 0x80, 1, 1, 0, 0, 0, 0, 0, 0}},
        {"zero", {0}},
        {"month 13", {0x00, 0x10, 0xE4, 0x07, 13, 1, 0, 0, 0, 0, 0, 0}},
        {"30 February", {0x00, 0x10, 0xE4, 0x07, 2, 30, 0, 0, 0, 0, 0, 0}},
        {"centiseconds 200",
         {0x00, 0x10, 0xE4, 0x07, 6, 1, 0, 0, 0, 200, 0, 0}},
    };
    struct compose *c = compose_new(0x0201);

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        uint8_t *raw =
            compose_at(c, compose_file(c, &c->root, times[i].name, ""));

        memcpy(raw + 92, times[i].raw, 12); /* modification */
        compose_reseal(raw);
    }
    compose_end(c);
    return compose_free(c);
}
