/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/transport_sg.h - a transport over SG_IO, through libsgutils2's sg_pt.
 * transport_sg.c is the only file that meets the kernel's ioctls; its clock is
 * the machine's.
 */
#ifndef MMC_TRANSPORT_SG_H
#define MMC_TRANSPORT_SG_H

#include <stdbool.h>

struct mmc_transport;

/* Opens the drive `path` (/dev/srN or /dev/sgN), exclusively when `writable`.
 * Returns 0 and a transport for mmc_transport_close(); -ENOENT, -EACCES;
 * -ENXIO when it is no SCSI device; -EBUSY when another process holds it;
 * -ENODEV when it does not answer; -ENOMEM. */
int mmc_transport_sg_open(const char *path, bool writable,
                          struct mmc_transport **out_transport);

#endif
