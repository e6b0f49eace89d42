/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/vdrive_rig.h - a virtual drive on files of its own, for tests
 * that speak to it in CDBs. Every failure that is not the test's subject ends
 * the test.
 *
 * Commands return the sense as key, ASC, ASCQ in one number (0x052102), 0 for
 * GOOD, or the transport's negative errno.
 */
#ifndef TEST_VDRIVE_RIG_H
#define TEST_VDRIVE_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/cdb.h"
#include "mmc/reply.h"
#include "mmc/transport.h"
#include "mmc/vdrive.h"

/* A small CD-RW: 1024 blocks, 32 packets. */
enum { RIG_BLOCKS = 1024, RIG_PACKET = 32, RIG_PACKET_BYTES = 32 * 2048 };

struct vdrive_rig {
    char folder[64];
    char path[96];
    struct mmc_transport *transport;
    struct mmc_reply reply; /* of the last command */
};

/* A drive with a blank CD-RW of RIG_BLOCKS; the power-on attention is taken. */
void rig_open(struct vdrive_rig *rig);
/* The same, formatted in mode 1 packets and with page 05h right for it. */
void rig_open_formatted(struct vdrive_rig *rig);
/* A drive with a new medium of another kind, of `blocks`. */
void rig_open_medium(struct vdrive_rig *rig, const char *word, uint32_t blocks);
/* Off and on again. */
void rig_reopen(struct vdrive_rig *rig);
/* Switches off and removes the files. */
void rig_close(struct vdrive_rig *rig);

/* Sends a request that mmc/cdb.h built. `data` is as long as it says. */
int32_t rig_send(struct vdrive_rig *rig, struct mmc_request *request,
                 void *data);
int32_t rig_ready(struct vdrive_rig *rig);
int32_t rig_read(struct vdrive_rig *rig, uint32_t lba, uint16_t count,
                 void *buf);
int32_t rig_write(struct vdrive_rig *rig, uint32_t lba, uint16_t count,
                  const void *buf);
/* WRITE of whole packets whose bytes are all `fill`; READ of one packet that
 * says whether all its bytes are. */
int32_t rig_fill(struct vdrive_rig *rig, uint32_t pkt, uint16_t packets,
                 uint8_t fill);
bool rig_holds(struct vdrive_rig *rig, uint32_t pkt, uint8_t fill);
int32_t rig_sync(struct vdrive_rig *rig);
int32_t rig_format(struct vdrive_rig *rig, uint32_t blocks, bool immediate);
/* Page 05h for fixed packets of mode 1, the rest as it is by default. */
int32_t rig_select_packets(struct vdrive_rig *rig);

/* FORMAT UNIT as told; waits as the host does, and takes the news of another
 * medium. Returns what the command did. */
int32_t rig_format_as(struct vdrive_rig *rig, struct mmc_format format);
int32_t rig_blank(struct vdrive_rig *rig, enum mmc_blank_type type);
int32_t rig_close_session(struct vdrive_rig *rig,
                          enum mmc_close_function function);
/* Page 05h for fixed packets of another length. */
void rig_select_packets_of(struct vdrive_rig *rig, uint8_t packet_blocks);
/* WRITE and READ of blocks whose bytes are all `fill`. */
int32_t rig_write_fill(struct vdrive_rig *rig, uint32_t lba, uint16_t count,
                       uint8_t fill);
bool rig_blocks_hold(struct vdrive_rig *rig, uint32_t lba, uint16_t count,
                     uint8_t fill);
/* Whether the feature is current. */
bool rig_feature(struct vdrive_rig *rig, uint16_t code);
uint16_t rig_profile(struct vdrive_rig *rig);
/* READ CAPACITY in blocks; 1 for a medium without any. */
uint32_t rig_capacity(struct vdrive_rig *rig);
struct mmc_disc_information rig_disc(struct vdrive_rig *rig);
struct mmc_track_information rig_track(struct vdrive_rig *rig);
struct mmc_format_capacities rig_formats(struct vdrive_rig *rig);
/* Blocks of the first offer of this type; UINT32_MAX when there is none. */
uint32_t rig_offer(struct vdrive_rig *rig, uint8_t type);
struct mmc_vdrive_stats rig_stats(struct vdrive_rig *rig);
/* The next media event. */
uint8_t rig_event(struct vdrive_rig *rig);
void rig_sleep_s(struct vdrive_rig *rig, uint32_t seconds);

#endif
