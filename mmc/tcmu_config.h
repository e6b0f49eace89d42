/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/tcmu_config.h - the kernel's target configuration, a tree of directories
 * (configfs), and what comes of it in sysfs. For mmc/tcmu.c; mmc/tcmu.h has
 * the rest of what is defined in tcmu_config.c.
 *
 *   target/core/user_0/NAME            the device and how it is answered
 *   target/loopback/naa.3.../tpgt_1    an adapter with one bus, and on it
 *                      .../lun/lun_0   a link to the device
 */
#ifndef MMC_TCMU_CONFIG_H
#define MMC_TCMU_CONFIG_H

#include <stddef.h>
#include <stdint.h>

struct mmc_tcmu_nodes;

/* Makes and enables the device. Returns as mmc_tcmu_open() does. */
int tcmu_config_create(const char *name);
/* Takes it away. Returns 0, also when it is not there, or -errno. */
int tcmu_config_destroy(const char *name);

/* Finds the device's number N in /dev/uioN and how much of it to map.
 * Returns 0; -ENOENT; -EUCLEAN when sysfs tells nonsense. */
int tcmu_config_find_uio(const char *name, unsigned *out_number,
                         size_t *out_map_bytes);

/* Puts the device on a bus. `transfer_bytes` is the longest command. */
int tcmu_config_plug(const char *name, uint32_t transfer_bytes,
                     struct mmc_tcmu_nodes *out_nodes);

#endif
