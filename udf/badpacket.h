/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/badpacket.h - what becomes of packets that the device could not write.
 *
 * The device names them (blockdev_next_failed) and keeps their content. The
 * committing thread calls here after every write-out that failed, and goes on
 * where it was. By what a packet holds:
 *
 *  1. Everything in it can move (udf/move.h; for a metadata partition
 *     udf_metadata_evacuate()): it goes to other space, the packet to
 *     Non-Allocatable Space. Files then have other extents than the last
 *     snapshot says: another one is to be taken.
 *  2. Else a spare takes the packet, where there is one (udf/sparing.h). For
 *     udf nothing has changed but the packet's sector.
 *  3. Neither: the caller's error, and the volume is frozen with everything in
 *     memory.
 *
 * A packet that cannot be completed, because a block in use that nobody wants
 * to change cannot be read, is good for all that is known, and what is
 * readable in it is not touched: what waits to be written there moves. Only
 * when that cannot move the packet is written, with a tombstone in the place of
 * each block that cannot be read (udf/tombstone.h): its file stays damaged, and
 * all others are whole.
 *
 * Packets outside of the partition are their owners' to save (integrity
 * sequence, sparing tables, journal); the wear ledger does without.
 */
#ifndef UDF_BADPACKET_H
#define UDF_BADPACKET_H

#include <stdbool.h>
#include <stdint.h>

struct udf_volume;

/* Sees to all packets that have failed. *io_moved becomes true when a snapshot
 * has to be taken (again). Committing thread, without the volume lock. Returns
 * 0 when none is left that has failed, and writing out can go on; -EIO when
 * there is no way for one of them: its content cannot move, or there is no room
 * and no spare; -ENODEV, -ENOMEDIUM, -ENOMEM. */
int udf_badpacket_resolve(struct udf_volume *volume, bool *io_moved);

/* blockdev_write_out(), blockdev_sync() and blockdev_make_room(), again and
 * again with what failed seen to, until nothing fails. Locks and *io_moved as
 * above. Returns 0, or the error of either. */
int udf_badpacket_write_out(struct udf_volume *volume, bool *io_moved);
int udf_badpacket_sync(struct udf_volume *volume, bool *io_moved);
int udf_badpacket_make_room(struct udf_volume *volume, uint32_t blocks,
                            bool *io_moved);

#endif
