/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * check_image - runs udf_check() on a drive or image: one line a fault, then a
 * summary. Exits with 0 when there is no fault, 1 when there are, 2 when it
 * cannot be checked.
 *
 *      check_image [--allow-open] PATH
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mmc/disc.h"
#include "udf/check.h"

enum { EXIT_CLEAN = 0, EXIT_FAULTS = 1, EXIT_ERROR = 2 };

static void print_fault(void *context, const char *fault) {
    (void)context;
    printf("%s\n", fault);
}

static int give_up(const char *path, int error) {
    fprintf(stderr, "check_image: %s: %s\n", path, strerror(-error));
    return EXIT_ERROR;
}

static int check_disc(struct mmc_disc *disc,
                      const struct udf_check_options *options,
                      struct udf_check_result *out_result) {
    struct blockdev *dev = NULL;
    int error = mmc_disc_attach(disc, false, &dev);

    return error ? error
                 : udf_check(dev, options, print_fault, NULL, out_result);
}

static int check(const char *path, const struct udf_check_options *options) {
    struct mmc_disc_options disc_options = {.read_only = true};
    struct udf_check_result result;
    struct mmc_disc *disc = NULL;
    int error = mmc_disc_open(path, &disc_options, &disc);
    int closed;

    if (error) {
        return give_up(path, error);
    }
    error = check_disc(disc, options, &result);
    closed = mmc_disc_close(disc);
    if (error || closed) {
        return give_up(path, error ? error : closed);
    }
    printf("%llu faults; UDF %x.%02x, %llu files, %llu directories, %llu "
           "blocks used\n",
           (unsigned long long)result.faults, result.revision >> 8,
           result.revision & 0xFFu, (unsigned long long)result.files,
           (unsigned long long)result.directories,
           (unsigned long long)result.blocks_used);
    return result.faults ? EXIT_FAULTS : EXIT_CLEAN;
}

int main(int argc, char **argv) {
    struct udf_check_options options = {0};
    const char *path = NULL;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--allow-open") == 0) {
            options.allow_open = true;
        } else if (!path && argv[i][0] != '-') {
            path = argv[i];
        } else {
            path = NULL;
            break;
        }
    }
    if (!path) {
        fprintf(stderr, "usage: check_image [--allow-open] PATH\n");
        return EXIT_ERROR;
    }
    return check(path, &options);
}
