/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/speed.h - how fast the drive shall turn the disc: what it offers, and
 * asking for it by SET CD SPEED or SET STREAMING, as the medium needs. Speed
 * is a wish: a drive that refuses it is no error.
 */
#ifndef MMC_SPEED_H
#define MMC_SPEED_H

#include <stddef.h>
#include <stdint.h>

#include "mmc/disc.h"

struct mmc_drive;
struct mmc_media;

/* Asks for reading and writing at `tenths` tenths of 1x, or the next lower
 * speed that is offered. Sent again when the drive forgets it. */
void mmc_speed_set(struct mmc_drive *drive, const struct mmc_media *media,
                   uint32_t tenths);

/* Leaves the speed to the drive again: the setting would outlive the medium. */
void mmc_speed_reset(struct mmc_drive *drive, const struct mmc_media *media);

/* Write speeds that the drive offers for the medium, fastest first: at most
 * `max`, each once. Returns how many; 0 also when the drive does not tell. */
size_t mmc_speed_list(struct mmc_drive *drive, const struct mmc_media *media,
                      struct mmc_disc_speed *out, size_t max);

#endif
