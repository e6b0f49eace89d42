/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/hotplug.h - what the kernel says about a drive without being asked: the
 * eject button (when the kernel asked the drive first), another medium, the
 * drive pulled off its bus.
 *
 * libudev reads it from the kernel itself, not from udevd: a container or a
 * guest may run none, and nothing here needs its database.
 */
#ifndef MMC_HOTPLUG_H
#define MMC_HOTPLUG_H

#include "mmc/events.h"

struct mmc_hotplug;

/* Listens for the drive whose device node is `path`. Returns 0; -ENODEV when
 * it is no device of which sysfs knows; -EIO when the kernel cannot be
 * listened to; -ENOMEM; errors of stat(2). */
int mmc_hotplug_open(const char *path, struct mmc_hotplug **out_hotplug);

/* Readable when there may be news. */
int mmc_hotplug_fd(const struct mmc_hotplug *hotplug);

/* Takes what has come; a set of enum mmc_news. Does not wait. */
unsigned mmc_hotplug_news(struct mmc_hotplug *hotplug);

/* NULL is accepted. */
void mmc_hotplug_close(struct mmc_hotplug *hotplug);

#endif
