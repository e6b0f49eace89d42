/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/drive_io.c - the part of mmc/drive.h that moves data: long transfers in
 * as many commands as the connection needs. Repeating is mmc_drive_run()'s.
 */
#include <stddef.h>

#include "mmc/blockdev.h"
#include "mmc/command.h"
#include "mmc/drive.h"

struct transfer {
    uint32_t lba, count;
    void *in;
    const void *out;
};

static enum mmc_result attempt_read(struct mmc_transport *transport,
                                    void *context,
                                    struct mmc_sense *out_sense) {
    const struct transfer *transfer = context;

    return mmc_command_read(transport, transfer->lba, transfer->count,
                            transfer->in, out_sense);
}

static enum mmc_result attempt_write(struct mmc_transport *transport,
                                     void *context,
                                     struct mmc_sense *out_sense) {
    const struct transfer *transfer = context;

    return mmc_command_write(transport, transfer->lba, transfer->count,
                             transfer->out, out_sense);
}

static enum mmc_result attempt_synchronize(struct mmc_transport *transport,
                                           void *context,
                                           struct mmc_sense *out_sense) {
    (void)context;
    return mmc_command_synchronize_cache(transport, false, out_sense);
}

enum mmc_result mmc_drive_read(struct mmc_drive *drive, uint32_t lba,
                               uint32_t count, void *buf) {
    uint32_t most = mmc_drive_max_blocks(drive);
    uint8_t *target = buf;
    enum mmc_result result = MMC_OK;

    while (count > 0 && result == MMC_OK) {
        struct transfer part = {
            .lba = lba, .count = count < most ? count : most, .in = target};

        result =
            mmc_drive_run(drive, MMC_PATIENCE_READ, attempt_read, &part, NULL);
        lba += part.count;
        count -= part.count;
        target += (size_t)part.count * BLOCKDEV_BLOCK_BYTES;
    }
    /* Whoever reads is not concerned by a protection against writing. */
    return result == MMC_WRITE_PROTECTED ? MMC_ILLEGAL_REQUEST : result;
}

enum mmc_result mmc_drive_write(struct mmc_drive *drive, uint32_t lba,
                                uint32_t count, const void *buf) {
    uint32_t most = mmc_drive_max_blocks(drive);
    const uint8_t *source = buf;
    enum mmc_result result = MMC_OK;

    while (count > 0 && result == MMC_OK) {
        struct transfer part = {
            .lba = lba, .count = count < most ? count : most, .out = source};

        result = mmc_drive_run(drive, MMC_PATIENCE_WRITE, attempt_write, &part,
                               NULL);
        lba += part.count;
        count -= part.count;
        source += (size_t)part.count * BLOCKDEV_BLOCK_BYTES;
    }
    return result;
}

enum mmc_result mmc_drive_peek(struct mmc_drive *drive, uint32_t lba,
                               void *buf) {
    struct transfer block = {.lba = lba, .count = 1, .in = buf};

    return mmc_drive_run(drive, MMC_PATIENCE_QUERY, attempt_read, &block, NULL);
}

enum mmc_result mmc_drive_synchronize(struct mmc_drive *drive) {
    return mmc_drive_run(drive, MMC_PATIENCE_WRITE, attempt_synchronize, NULL,
                         NULL);
}
