/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_write.c - READ, VERIFY, WRITE and SYNCHRONIZE CACHE: which blocks
 * may be moved, and what happens to them.
 *
 * What a WRITE is refused for, in this order (check_write):
 *   1. a write-protected medium                                    7/27/00
 *   2. a medium that is blank: nothing there to overwrite          5/30/05
 *      or whose format never ended                                 3/31/00
 *   3. blocks beyond the formatted capacity                        5/21/00
 *   4. an address that is not the first of a packet                5/21/02
 *   5. a length that is not whole packets                          5/63/01
 *   6. page 05h that does not describe the track          5/64/00, 5/64/01
 * 4 to 6 are rules of media with restricted overwrite (MMC-5 5.3.14). The
 * standard leaves some of these senses to the drive; these are the ones that
 * hosts have met.
 */
#include "mmc/vdrive_core.h"

#include <errno.h>
#include <scsi/sg_unaligned.h>

#include "mmc/bits.h"
#include "mmc/cdb.h"

/* The blocks that a READ, WRITE or VERIFY names. */
struct extent {
    uint32_t lba;
    uint32_t count;
};

static struct extent extent_of(const uint8_t *cdb) {
    struct extent extent = {.lba = sg_get_unaligned_be32(cdb + 2)};

    extent.count = cdb[0] >> 5 == 5 ? sg_get_unaligned_be32(cdb + 6)
                                    : sg_get_unaligned_be16(cdb + 7);
    return extent;
}

/* Whether the request brings or takes exactly these blocks. */
static bool carries(const struct vdrive_io *io, struct extent extent) {
    return (uint64_t)extent.count * VDRIVE_BLOCK_BYTES == io->request->data_len;
}

static enum vdrive_sense check_range(const struct vdrive *drive,
                                     struct extent extent) {
    uint64_t end = (uint64_t)extent.lba + extent.count;

    return end > drive->files.head->formatted_blocks ? VDRIVE_OUT_OF_RANGE
                                                     : VDRIVE_GOOD;
}

/* ---- READ and VERIFY ---------------------------------------------------- */

static enum vdrive_sense check_read(const struct vdrive *drive,
                                    struct extent extent) {
    switch (vdrive_state(drive)) {
    case VDRIVE_BLANK:
        return VDRIVE_BLANK_CHECK;
    case VDRIVE_TORN:
        return VDRIVE_FORMAT_CORRUPTED;
    case VDRIVE_FORMATTED:
        break;
    }
    return check_range(drive, extent);
}

/* How many of the extent's blocks can be read before a packet that cannot. */
static uint32_t readable_blocks(struct vdrive *drive, struct extent extent) {
    uint32_t packet_blocks = drive->medium->packet_blocks;
    uint32_t end = extent.lba + extent.count;
    struct mmc_vdrive_fault fault;

    for (uint32_t lba = extent.lba; lba < end;) {
        uint32_t pkt = lba / packet_blocks;

        if (mmc_bits_test(drive->files.unreadable, pkt) ||
            vdrive_faults_at_packet(drive, MMC_VDRIVE_READ_ERROR, pkt,
                                    &fault)) {
            return lba - extent.lba;
        }
        lba = (pkt + 1) * packet_blocks;
    }
    return extent.count;
}

/* Reads what can be read into `buf`, or nowhere for VERIFY (NULL). */
static enum vdrive_sense read_extent(struct vdrive *drive, struct vdrive_io *io,
                                     struct extent extent, void *buf) {
    struct vdrive_head *head = drive->files.head;
    uint32_t good = readable_blocks(drive, extent);

    if (buf && vdrive_files_read(&drive->files, extent.lba, good, buf) < 0) {
        return VDRIVE_INTERNAL_FAILURE;
    }
    vdrive_model_read(drive, extent.lba, extent.count);
    head->blocks_read += good;
    head->read_commands++;
    if (buf) {
        io->moved = good * VDRIVE_BLOCK_BYTES;
    }
    if (good < extent.count) {
        io->info_valid = true;
        io->info = extent.lba + good;
        return VDRIVE_READ_FAILED;
    }
    return VDRIVE_GOOD;
}

enum vdrive_sense vdrive_read(struct vdrive *drive, struct vdrive_io *io) {
    struct extent extent = extent_of(io->cdb);
    enum vdrive_sense sense;

    if (io->cdb[1] & 1) {
        return VDRIVE_INVALID_FIELD; /* RelAdr */
    }
    if (!carries(io, extent)) {
        io->error = -EIO;
        return VDRIVE_GOOD;
    }
    sense = check_read(drive, extent);
    if (sense || extent.count == 0) {
        return sense;
    }
    return read_extent(drive, io, extent, io->request->data);
}

enum vdrive_sense vdrive_verify(struct vdrive *drive, struct vdrive_io *io) {
    struct extent extent = extent_of(io->cdb);
    enum vdrive_sense sense;

    if (io->cdb[1] & 3) {
        return VDRIVE_INVALID_FIELD; /* RelAdr; BytChk: nothing to compare */
    }
    sense = check_read(drive, extent);
    if (sense || extent.count == 0) {
        return sense;
    }
    return read_extent(drive, io, extent, NULL);
}

/* ---- WRITE -------------------------------------------------------------- */

/* Rules 4 to 6. */
static enum vdrive_sense check_packets(const struct vdrive *drive,
                                       struct extent extent) {
    uint32_t packet_blocks = drive->medium->packet_blocks;

    if (vdrive_has(drive, VDRIVE_WHOLE_PACKETS)) {
        if (extent.lba % packet_blocks) {
            return VDRIVE_BAD_WRITE_ADDRESS;
        }
        if (extent.count % packet_blocks) {
            return VDRIVE_PACKET_DOES_NOT_FIT;
        }
    }
    if (vdrive_has(drive, VDRIVE_NEEDS_PAGE_05)) {
        return vdrive_modes_check_packet(
            drive, (uint8_t)drive->files.head->data_block_type);
    }
    return VDRIVE_GOOD;
}

static enum vdrive_sense check_write(const struct vdrive *drive,
                                     struct extent extent) {
    enum vdrive_sense sense;

    if (vdrive_protected(drive)) {
        return VDRIVE_WRITE_PROTECTED;
    }
    switch (vdrive_state(drive)) {
    case VDRIVE_BLANK:
        return VDRIVE_CANNOT_WRITE_FORMAT;
    case VDRIVE_TORN:
        return VDRIVE_FORMAT_CORRUPTED;
    case VDRIVE_FORMATTED:
        break;
    }
    sense = check_range(drive, extent);
    return sense ? sense : check_packets(drive, extent);
}

/* What a power cut leaves of the packet under the laser. */
static void tear(struct vdrive *drive, uint32_t pkt, const uint8_t *data,
                 enum mmc_vdrive_tear how) {
    uint32_t blocks = drive->medium->packet_blocks;

    switch (how) {
    case MMC_VDRIVE_TEAR_UNREADABLE:
        mmc_bits_set(drive->files.unreadable, pkt);
        break;
    case MMC_VDRIVE_TEAR_OLD:
        break;
    case MMC_VDRIVE_TEAR_NEW:
        mmc_bits_clear(drive->files.unreadable, pkt);
        (void)vdrive_files_write(&drive->files, pkt * blocks, blocks, data);
        break;
    case MMC_VDRIVE_TEAR_HALF:
        mmc_bits_clear(drive->files.unreadable, pkt);
        (void)vdrive_files_write(&drive->files, pkt * blocks, blocks / 2, data);
        break;
    }
}

static void count_packet(struct vdrive *drive, uint32_t pkt) {
    uint16_t *writes = &drive->files.writes[pkt];

    drive->files.head->packets_written++;
    if (*writes < UINT16_MAX) {
        (*writes)++;
    }
}

/* Puts a packet on the medium, unless something was to go wrong here. */
static enum vdrive_sense write_packet(struct vdrive *drive, uint32_t pkt,
                                      const uint8_t *data) {
    uint32_t blocks = drive->medium->packet_blocks;
    struct mmc_vdrive_fault fault;

    if (vdrive_faults_at_packet(drive, MMC_VDRIVE_CUT, pkt, &fault)) {
        count_packet(drive, pkt);
        vdrive_buffer_cut(drive, &fault.cut);
        tear(drive, pkt, data, fault.cut.tear);
        drive->gone = true;
        return VDRIVE_GOOD;
    }
    if (vdrive_faults_at_packet(drive, MMC_VDRIVE_WRITE_ERROR, pkt, &fault)) {
        count_packet(drive, pkt);
        mmc_bits_set(drive->files.unreadable, pkt);
        return VDRIVE_WRITE_FAILED;
    }
    if (vdrive_buffer_remember(drive, pkt) < 0 ||
        vdrive_files_write(&drive->files, pkt * blocks, blocks, data) < 0) {
        return VDRIVE_INTERNAL_FAILURE;
    }
    mmc_bits_clear(drive->files.unreadable, pkt);
    count_packet(drive, pkt);
    return VDRIVE_GOOD;
}

/* Writes packets one after the other and stops at the first that fails. */
static enum vdrive_sense write_packets(struct vdrive *drive,
                                       struct vdrive_io *io,
                                       struct extent extent) {
    uint32_t packet_bytes = vdrive_packet_bytes(drive);
    uint32_t first = extent.lba / drive->medium->packet_blocks;
    uint32_t packets = extent.count / drive->medium->packet_blocks;
    const uint8_t *data = io->request->data;
    enum vdrive_sense sense = VDRIVE_GOOD;

    drive->files.head->write_commands++;
    vdrive_model_write(drive, extent.lba, packets);
    for (uint32_t i = 0; i < packets && !sense && !drive->gone; i++) {
        sense = write_packet(drive, first + i, data + (size_t)i * packet_bytes);
        if (sense) {
            io->info_valid = true;
            io->info = (first + i) * drive->medium->packet_blocks;
        } else {
            io->moved += packet_bytes;
        }
    }
    return sense;
}

enum vdrive_sense vdrive_write(struct vdrive *drive, struct vdrive_io *io) {
    struct extent extent = extent_of(io->cdb);
    enum vdrive_sense sense;

    if (io->cdb[1] & 1 || (io->cdb[0] == MMC_OP_WRITE_12 && io->cdb[10])) {
        return VDRIVE_INVALID_FIELD; /* RelAdr; streaming is not for CD */
    }
    if (!carries(io, extent)) {
        io->error = -EIO;
        return VDRIVE_GOOD;
    }
    sense = check_write(drive, extent);
    if (sense || extent.count == 0) {
        return sense;
    }
    if (vdrive_faults_at_write(drive) ||
        !vdrive_model_has_room(drive,
                               extent.count / drive->medium->packet_blocks)) {
        return VDRIVE_LONG_WRITE_IN_PROGRESS;
    }
    return write_packets(drive, io, extent);
}

/* The whole cache, whatever range the CDB names: drives do it so. */
enum vdrive_sense vdrive_synchronize_cache(struct vdrive *drive,
                                           struct vdrive_io *io) {
    if (io->cdb[1] & 1) {
        return VDRIVE_INVALID_FIELD; /* RelAdr */
    }
    vdrive_model_sync(drive);
    vdrive_buffer_synced(&drive->buffer);
    drive->files.head->syncs++;
    return VDRIVE_GOOD;
}
