/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/memdev.h - a block device in memory, for tests. It keeps what
 * mmc/blockdev.h promises, with the medium apart from the cache, so that a
 * test can lose power: packets reach the medium in ascending order and at
 * write_out only; blocks that are not in use become zeros on the way.
 */
#ifndef TEST_MEMDEV_H
#define TEST_MEMDEV_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/blockdev.h"

struct memdev;

/* A device of zeros with this geometry; memory is taken as it is touched, so
 * the size of a disc costs nothing. Fails the test when there is none. */
struct memdev *memdev_new(const struct blockdev_geometry *geometry);

/* Geometry of a usual medium: 0 blocks takes its usual size. */
struct blockdev_geometry memdev_cdrw(uint32_t blocks);
struct blockdev_geometry memdev_dvdrw(uint32_t blocks);
struct blockdev_geometry memdev_bdre(uint32_t blocks);
struct blockdev_geometry memdev_image(uint32_t blocks);

struct blockdev *memdev_device(struct memdev *mem);
void memdev_free(struct memdev *mem);

/* A cold device answers -EINPROGRESS for blocks that were neither fetched nor
 * written since the last memdev_set_cold(true); one that is not cold (the
 * default) has every block in memory. */
void memdev_set_cold(struct memdev *mem, bool cold);

/* From the n-th next packet write on (0: from the next one), nothing reaches
 * the medium any more and write_out fails with -EIO. With `tear`, packet n
 * itself is filled with rubbish that cannot be read. */
void memdev_cut_after(struct memdev *mem, uint64_t packets, bool tear);

/* Power is back: the cache is lost, the medium is what it was, every block
 * counts as in use, and no cut waits. */
void memdev_reboot(struct memdev *mem);

/* Reading (writing) the packet of `lba` fails with -EIO from now on. */
void memdev_fail_read(struct memdev *mem, uint32_t lba);
void memdev_fail_write(struct memdev *mem, uint32_t lba);

/* Fetching blocks of the packet of `lba`, and writing from its first block on,
 * fails with `error`, such as -ENOMEM, without touching medium or cache. All
 * packets that refuse have the error of the last call. */
void memdev_refuse(struct memdev *mem, uint32_t lba, int error);

/* None of these fails any more. */
void memdev_heal(struct memdev *mem);

/* The medium's bytes of block `lba`; a test may damage them, and should call
 * memdev_reboot() then. */
uint8_t *memdev_medium(struct memdev *mem, uint32_t lba);

/* Times the packet of `lba` was written to the medium. */
uint32_t memdev_overwrites(const struct memdev *mem, uint32_t lba);

/* What blockdev_mark() and writes said about `lba`. */
bool memdev_in_use(const struct memdev *mem, uint32_t lba);

/* Whether blockdev_keep() was called since it was made or rebooted. */
bool memdev_is_kept(const struct memdev *mem);

/* Writes the medium to the file `path`, with holes for zeros. */
void memdev_save(const struct memdev *mem, const char *path);

#endif
