/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * protect_disc IMAGE on|off - moves the write protection of the medium in a
 * virtual drive.
 */
#include <stdio.h>
#include <string.h>

#include "mmc/transport.h"
#include "mmc/vdrive.h"

int main(int argc, char **argv) {
    struct mmc_transport *drive = NULL;

    if (argc != 3) {
        fprintf(stderr, "usage: protect_disc IMAGE on|off\n");
        return 2;
    }
    int err = mmc_vdrive_open(argv[1], true, &drive);

    if (err) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(-err));
        return 1;
    }
    mmc_vdrive_protect(drive, strcmp(argv[2], "on") == 0);
    mmc_transport_close(drive);
    return 0;
}
