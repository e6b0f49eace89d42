/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rare_image - writes an image of test/rare/ to a file, for other programs to
 * look at; without arguments it lists their names. What cannot be read in the
 * test (a block that fails) is in the file as if it could.
 *
 *      rare_image [NAME FILE]
 */
#include <stdio.h>
#include <string.h>

#include "test/rare/rare.h"

int main(int argc, char **argv) {
    size_t count;
    const struct rare *all = rare_all(&count);

    for (size_t i = 0; i < count; i++) {
        if (argc < 2) {
            puts(all[i].name);
        } else if (argc == 3 && strcmp(argv[1], all[i].name) == 0) {
            struct memdev *mem = all[i].make();

            memdev_save(mem, argv[2]);
            memdev_free(mem);
            return 0;
        }
    }
    if (argc >= 2) {
        fputs("usage: rare_image [NAME FILE]\n", stderr);
        return 2;
    }
    return 0;
}
