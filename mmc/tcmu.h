/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/tcmu.h - the other way round: a transport of ours becomes a SCSI device
 * of this machine's kernel, through target_core_user (TCMU) and tcm_loop, so
 * that every program sees it as /dev/srN and /dev/sgN.
 *
 *   mmc_tcmu_open()      a device that answers through us, known to nobody yet
 *   mmc_tcmu_plug()      it is put on a bus: the kernel looks at it
 *   mmc_tcmu_serve()     answers what the kernel asks, again and again
 *   mmc_tcmu_unplug()    it is pulled off the bus
 *   mmc_tcmu_close()     and forgotten
 *
 * Invariants:
 *  1. The kernel asks while it plugs and unplugs: these two run in another
 *     thread than mmc_tcmu_serve(), which must go on meanwhile. They touch
 *     nothing but the kernel's files.
 *  2. The transport is used by mmc_tcmu_serve() only. It stays the caller's.
 *  3. All is made of directories in configfs, which outlive the process; after
 *     one that was killed mmc_tcmu_remove() clears them away.
 *
 * Everything here needs root.
 */
#ifndef MMC_TCMU_H
#define MMC_TCMU_H

#include <stdbool.h>
#include <stdint.h>

struct mmc_transport;
struct mmc_tcmu;

enum { MMC_TCMU_NAME_MAX = 48 };

/* What the kernel made of a device: "sr0", "sg0", or "" where no driver has
 * taken it. */
struct mmc_tcmu_nodes {
    char block[32];
    char generic[32];
};

/* Whether `name` can name a device: 1..MMC_TCMU_NAME_MAX letters, digits, '.',
 * '-' and '_', and not a '.' first. */
bool mmc_tcmu_name_valid(const char *name);

/* A kernel module that is missing (it is neither loaded nor built in), for
 * messages; NULL when there is all that can be looked for. */
const char *mmc_tcmu_missing_module(void);

/* Whether a device of that name is there, in whatever state. */
bool mmc_tcmu_exists(const char *name);

/* Makes the device `name` that is answered by `transport`. Returns 0; -EEXIST
 * when there is one; -ENOSYS when the kernel has no targets in user space, or
 * configfs is not mounted; -EACCES; -EUCLEAN and -EPROTONOSUPPORT when the
 * kernel's side is not understood; -ENOMEM; other errors of the file system.
 * On failure nothing is left behind. */
int mmc_tcmu_open(const char *name, struct mmc_transport *transport,
                  struct mmc_tcmu **out_tcmu);

/* A file descriptor that can be read when there is something to serve. */
int mmc_tcmu_fd(const struct mmc_tcmu *tcmu);

/* Answers all commands that wait. Returns 0; -ENODEV when the transport says
 * that the drive is gone: from then on commands are told to come back later,
 * until the device is unplugged; -EUCLEAN when the ring is broken. */
int mmc_tcmu_serve(struct mmc_tcmu *tcmu);

/* Puts the device on a bus of its own, as host adapters for ATAPI do: one
 * command at a time, none longer than the transport takes. Returns 0; -ENOSYS
 * when tcm_loop is missing; -ENXIO when the kernel found no drive there; other
 * errors of the file system. On failure it is not plugged. */
int mmc_tcmu_plug(const struct mmc_tcmu *tcmu,
                  struct mmc_tcmu_nodes *out_nodes);

/* Pulls the device `name` off its bus, in use or not. Returns 0, also when it
 * is on none, or an error of the file system. */
int mmc_tcmu_unplug(const char *name);

/* Forgets an unplugged device. NULL is accepted. */
void mmc_tcmu_close(struct mmc_tcmu *tcmu);

/* Clears away what a process that is gone has left of the device `name`;
 * commands that wait for it fail. Returns 0 or an error of the file system. */
int mmc_tcmu_remove(const char *name);

#endif
