/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * write_once blank IMAGE MEDIUM          a new disc that is written once
 * write_once closed IMAGE MEDIUM         makes the image that is there a
 *                                        finalized one
 * write_once open|pow IMAGE MEDIUM FROM  writes FROM on a new one, whose
 *                                        session stays open; with "pow" it is
 *                                        formatted for pseudo-overwrite before
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mmc/command.h"
#include "mmc/transport.h"
#include "mmc/vdrive.h"

enum { PACKET = 32, BLOCK = 2048, ROOM = 128 * PACKET, POLL_MS = 1000 };

/* The first command after switching on is news of that. */
static void wait_ready(struct mmc_transport *drive) {
    while (mmc_command_test_unit_ready(drive, NULL) != MMC_OK) {
        mmc_transport_sleep(drive, POLL_MS);
    }
}

static enum mmc_result format(struct mmc_transport *drive) {
    struct mmc_format how = {
        .type = MMC_FORMAT_FULL, .parameter = BLOCK, .immediate = true};
    struct mmc_format_capacities capacities;
    struct mmc_format_descriptor offer;
    enum mmc_result result =
        mmc_command_read_format_capacities(drive, &capacities, NULL);

    if (result != MMC_OK ||
        mmc_format_find(&capacities, MMC_FORMAT_FULL, &offer) != 0) {
        return MMC_BAD_REPLY;
    }
    how.blocks = offer.blocks;
    result = mmc_command_format_unit(drive, &how, NULL);
    wait_ready(drive);
    return result;
}

/* CD-R and DVD-R want to be told how they are written (page 05h): the former by
 * track, the latter in packets of any length, 2048 bytes a block. */
static enum mmc_result tell_how(struct mmc_transport *drive, bool by_track) {
    struct mmc_mode_page page;
    enum mmc_result result = mmc_command_mode_sense(
        drive, MMC_MODE_CURRENT, MMC_MODE_WRITE_PARAMETERS, &page, NULL);

    if (result == MMC_ILLEGAL_REQUEST) {
        return MMC_OK; /* has no such page: needs none */
    }
    page.bytes[0] &= 0x3F;
    page.bytes[2] = by_track;
    page.bytes[3] = by_track ? 4 : 5;
    page.bytes[4] = 8;
    return result == MMC_OK ? mmc_command_mode_select(drive, &page, NULL)
                            : result;
}

static enum mmc_result burn(struct mmc_transport *drive, FILE *from) {
    static uint8_t packet[PACKET * BLOCK];
    enum mmc_result result = MMC_OK;

    for (uint32_t lba = 0; result == MMC_OK; lba += PACKET) {
        memset(packet, 0, sizeof(packet));
        if (fread(packet, 1, sizeof(packet), from) == 0) {
            break;
        }
        result = mmc_command_write(drive, lba, PACKET, packet, NULL);
    }
    return result == MMC_OK ? mmc_command_synchronize_cache(drive, false, NULL)
                            : result;
}

static int write_open(const char *image, const char *word, const char *name,
                      bool pseudo_overwrite) {
    struct mmc_transport *drive = NULL;
    enum mmc_result result = MMC_OK;
    struct stat status;
    FILE *from = fopen(name, "re");
    int error = 1;

    if (!from || fstat(fileno(from), &status) != 0) {
        goto out;
    }
    error = mmc_vdrive_create(image, word,
                              (uint32_t)(status.st_size / BLOCK) * 2 + ROOM);
    error = error ? error : mmc_vdrive_open(image, true, &drive);
    if (error) {
        goto out;
    }
    wait_ready(drive);
    if (pseudo_overwrite) {
        result = format(drive);
    }
    if (result == MMC_OK) {
        result = tell_how(drive, strncmp(word, "cd", 2) == 0);
    }
    if (result == MMC_OK) {
        result = burn(drive, from);
    }
    error = result == MMC_OK ? 0 : 1;
out:
    mmc_transport_close(drive);
    if (from) {
        fclose(from);
    }
    return error;
}

int main(int argc, char **argv) {
    int error = 2;

    if (argc == 4 && strcmp(argv[1], "blank") == 0) {
        error = mmc_vdrive_create(argv[2], argv[3], ROOM);
    } else if (argc == 4 && strcmp(argv[1], "closed") == 0) {
        error = mmc_vdrive_adopt(argv[2], argv[3]);
    } else if (argc == 5) {
        error =
            write_open(argv[2], argv[3], argv[4], strcmp(argv[1], "pow") == 0);
    }
    if (error) {
        fprintf(stderr, "write_once: failed: %d\n", error);
    }
    return error ? 1 : 0;
}
