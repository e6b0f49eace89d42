/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/setup.h - what a drive is told before it writes to a medium.
 */
#ifndef MMC_SETUP_H
#define MMC_SETUP_H

#include "mmc/sense.h"

struct mmc_drive;
struct mmc_media;

/* Lets the drive calibrate its laser where it knows no power for the medium
 * (SEND OPC INFORMATION); to be called before it is first written to. Drives
 * that refuse calibrate when they write. MMC-6 6.33 */
void mmc_setup_calibrate(struct mmc_drive *drive,
                         const struct mmc_media *media);

/* Sends write parameters (mode page 05h) for packets of the medium's length,
 * to be kept by the drive from now on; nothing where the medium wants none.
 * Drives that refuse are tried with fewer changes, and then used as they are.
 * MMC-6 7.2.3 */
enum mmc_result mmc_setup_send_parameters(struct mmc_drive *drive,
                                          const struct mmc_media *media);

#endif
