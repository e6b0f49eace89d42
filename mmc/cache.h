/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/cache.h - the packet-aligning write-back cache: a block device over a
 * drive that takes whole packets only.
 */
#ifndef MMC_CACHE_H
#define MMC_CACHE_H

#include <stdint.h>

struct blockdev;
struct blockdev_geometry;
struct mmc_drive;
struct mmc_media;

/* Makes a block device of `drive`, whose medium is `media`; both stay the
 * caller's and must outlive it. `geometry`: blocks >= 1, packet_blocks a power
 * of two, 1..64. budget_bytes limits what waits to be written; a quarter of it
 * more may hold what was read. Too small budgets are raised to a few packets.
 * Returns 0; -EINVAL when the geometry is unusable; -ENOMEM. */
int mmc_cache_open(struct mmc_drive *drive, const struct mmc_media *media,
                   const struct blockdev_geometry *geometry,
                   uint64_t budget_bytes, struct blockdev **out_dev);

/* From now on everything is read back after it was synchronised, and compared;
 * what differs or cannot be read has failed. To be called before the first
 * write. */
void mmc_cache_verify(struct blockdev *dev);

/* Forgets everything, what is dirty included; NULL is accepted. Nobody may
 * use the device any more. */
void mmc_cache_close(struct blockdev *dev);

#endif
