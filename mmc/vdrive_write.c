/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_write.c - READ, VERIFY, WRITE and SYNCHRONIZE CACHE: what happens
 * to the blocks.
 *
 * Units that the host does not give whole are completed by the drive: it reads
 * the packet, puts the blocks in and writes it back, and takes its time. What
 * may be read and written at all is told by vdrive_rules.c.
 */
#include "mmc/vdrive_core.h"

#include <errno.h>
#include <scsi/sg_unaligned.h>
#include <string.h>

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

/* ---- READ and VERIFY ---------------------------------------------------- */

/* How many of the extent's blocks can be read before a packet that cannot. */
static uint32_t readable_blocks(struct vdrive *drive, struct extent extent) {
    uint32_t packet_blocks = drive->medium->packet_blocks;
    uint32_t end = extent.lba + extent.count;
    struct mmc_vdrive_fault fault;

    for (uint32_t lba = extent.lba; lba < end;) {
        uint32_t pkt = lba / packet_blocks;

        if (mmc_bits_test(drive->files.unreadable, pkt) ||
            !vdrive_background_recorded(drive, pkt) ||
            vdrive_faults_at_packet(drive, MMC_VDRIVE_READ_ERROR, pkt,
                                    &fault)) {
            return lba - extent.lba;
        }
        lba = (pkt + 1) * packet_blocks;
    }
    return extent.count;
}

/* The blocks themselves. Nothing is ever stored in the general application
 * area of CD-MRW. */
static int copy_blocks(const struct vdrive *drive, struct extent extent,
                       void *buf) {
    if (vdrive_mrw_formatted(drive) && vdrive_modes_in_gaa(drive)) {
        memset(buf, 0, (size_t)extent.count * VDRIVE_BLOCK_BYTES);
        return 0;
    }
    return vdrive_files_read(&drive->files, extent.lba, extent.count, buf);
}

/* Reads what can be read into `buf`, or nowhere for VERIFY (NULL). */
static enum vdrive_sense read_extent(struct vdrive *drive, struct vdrive_io *io,
                                     struct extent extent, void *buf) {
    struct vdrive_head *head = drive->files.head;
    uint32_t good = readable_blocks(drive, extent);
    struct extent readable = {.lba = extent.lba, .count = good};

    if (buf && copy_blocks(drive, readable, buf) < 0) {
        return VDRIVE_INTERNAL_FAILURE;
    }
    drive->out_of_sequence = drive->buffer.count > 0;
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
    sense = vdrive_check_read(drive, extent.lba, extent.count);
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
    sense = vdrive_check_read(drive, extent.lba, extent.count);
    if (sense || extent.count == 0) {
        return sense;
    }
    return read_extent(drive, io, extent, NULL);
}

/* ---- WRITE -------------------------------------------------------------- */

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

/* A packet that cannot be written: replaced by a spare, where the drive has
 * one and may use it, or lost. */
static enum vdrive_sense spoil(struct vdrive *drive, uint32_t pkt) {
    struct vdrive_head *head = drive->files.head;
    uint32_t spares = vdrive_spare_blocks(drive) / drive->medium->packet_blocks;

    count_packet(drive, pkt);
    if (head->spares_used < spares && vdrive_modes_reallocates(drive)) {
        head->spares_used++;
        head->spared++;
        return VDRIVE_GOOD;
    }
    mmc_bits_set(drive->files.unreadable, pkt);
    return spares ? VDRIVE_NO_SPARE_LEFT : VDRIVE_WRITE_FAILED;
}

/* Puts a packet on the medium, unless something was to go wrong here. */
static enum vdrive_sense write_packet(struct vdrive *drive, uint32_t pkt,
                                      const uint8_t *data) {
    uint32_t blocks = drive->medium->packet_blocks;
    struct mmc_vdrive_fault fault;
    enum vdrive_sense sense;

    if (vdrive_faults_at_packet(drive, MMC_VDRIVE_CUT, pkt, &fault)) {
        count_packet(drive, pkt);
        vdrive_buffer_cut(drive, &fault.cut);
        tear(drive, pkt, data, fault.cut.tear);
        drive->gone = true;
        return VDRIVE_GOOD;
    }
    if (vdrive_faults_at_packet(drive, MMC_VDRIVE_WRITE_ERROR, pkt, &fault)) {
        sense = spoil(drive, pkt);
        if (sense) {
            return sense;
        }
    }
    if (vdrive_buffer_remember(drive, pkt) < 0 ||
        vdrive_files_write(&drive->files, pkt * blocks, blocks, data) < 0) {
        return VDRIVE_INTERNAL_FAILURE;
    }
    mmc_bits_clear(drive->files.unreadable, pkt);
    count_packet(drive, pkt);
    return VDRIVE_GOOD;
}

/* The blocks of one packet that a WRITE brings. */
struct part {
    uint32_t pkt;
    uint32_t at, count; /* in the packet */
    const uint8_t *data;
};

/* Completes a part of a packet from the medium and writes the whole. What was
 * never recorded is zeros and not read. */
static enum vdrive_sense write_part(struct vdrive *drive, struct part part) {
    uint8_t image[VDRIVE_PACKET_BLOCKS_MAX * VDRIVE_BLOCK_BYTES] = {0};
    uint32_t blocks = drive->medium->packet_blocks;
    struct vdrive_head *head = drive->files.head;

    head->partial_units++;
    if (mmc_bits_test(drive->files.unreadable, part.pkt)) {
        return VDRIVE_READ_FAILED;
    }
    if (vdrive_background_recorded(drive, part.pkt)) {
        head->drive_rmws++;
        vdrive_model_work(drive, drive->medium->rmw_us);
        if (vdrive_files_read(&drive->files, part.pkt * blocks, blocks, image) <
            0) {
            return VDRIVE_INTERNAL_FAILURE;
        }
    }
    memcpy(image + (size_t)part.at * VDRIVE_BLOCK_BYTES, part.data,
           (size_t)part.count * VDRIVE_BLOCK_BYTES);
    return write_packet(drive, part.pkt, image);
}

/* The part of the extent's blocks from `done` on that lies in one packet. */
static struct part next_part(const struct vdrive *drive,
                             const struct vdrive_io *io, struct extent extent,
                             uint32_t done) {
    uint32_t blocks = drive->medium->packet_blocks;
    uint32_t lba = extent.lba + done;
    struct part part = {.pkt = lba / blocks, .at = lba % blocks};

    part.count = blocks - part.at;
    if (part.count > extent.count - done) {
        part.count = extent.count - done;
    }
    part.data =
        (const uint8_t *)io->request->data + (size_t)done * VDRIVE_BLOCK_BYTES;
    return part;
}

/* Writes packets one after the other and stops at the first that fails. */
static enum vdrive_sense write_packets(struct vdrive *drive,
                                       struct vdrive_io *io,
                                       struct extent extent) {
    uint32_t blocks = drive->medium->packet_blocks;
    enum vdrive_sense sense = VDRIVE_GOOD;
    uint32_t done = 0;

    drive->files.head->write_commands++;
    vdrive_model_write(drive, extent.lba, extent.count);
    while (done < extent.count && !sense && !drive->gone) {
        struct part part = next_part(drive, io, extent, done);

        sense = part.count == blocks ? write_packet(drive, part.pkt, part.data)
                                     : write_part(drive, part);
        if (sense) {
            io->info_valid = true;
            io->info = part.pkt * blocks;
        } else {
            vdrive_background_reach(drive, part.pkt, 1);
            done += part.count;
        }
    }
    io->moved = done * VDRIVE_BLOCK_BYTES;
    return sense;
}

/* Writing in order: the next writable address moves on. */
static void append(struct vdrive *drive, uint32_t end) {
    struct vdrive_head *head = drive->files.head;

    if (vdrive_state(drive) == VDRIVE_BLANK) {
        head->state = VDRIVE_APPENDABLE;
    }
    if (end > head->next_writable) {
        head->next_writable = end;
    }
}

/* What a CDB asks for that not every medium can do: verification by the drive,
 * and streaming, which takes whole units where the drive manages defects. */
static enum vdrive_sense check_manner(const struct vdrive *drive,
                                      const struct vdrive_io *io,
                                      struct extent extent) {
    bool streaming = io->cdb[0] == MMC_OP_WRITE_12 && io->cdb[10];
    uint32_t blocks = drive->medium->packet_blocks;

    if (io->cdb[0] == MMC_OP_WRITE_AND_VERIFY_10 &&
        !vdrive_has(drive, VDRIVE_ANY_BLOCK)) {
        return VDRIVE_UNKNOWN_OPCODE;
    }
    if (io->cdb[1] & 1 || (streaming && (!vdrive_has(drive, VDRIVE_ANY_BLOCK) ||
                                         !vdrive_has(drive, VDRIVE_SPARES)))) {
        return VDRIVE_INVALID_FIELD; /* RelAdr; streaming */
    }
    if (streaming && (extent.lba % blocks || extent.count % blocks)) {
        return VDRIVE_BAD_WRITE_ADDRESS;
    }
    return VDRIVE_GOOD;
}

/* Drives that lose their way between reading and writing: see the quirks. */
static enum vdrive_sense check_sequence(const struct vdrive *drive) {
    if (!drive->out_of_sequence || vdrive_way(drive) != VDRIVE_WAY_BLOCKS) {
        return VDRIVE_GOOD;
    }
    if (vdrive_quirk(drive, MMC_VDRIVE_QUIRK_SEQUENCE_ERROR)) {
        return VDRIVE_NOT_READY_SEQUENCE;
    }
    return vdrive_quirk(drive, MMC_VDRIVE_QUIRK_SEQUENCE_ERROR_5)
               ? VDRIVE_SEQUENCE_ERROR
               : VDRIVE_GOOD;
}

static enum vdrive_sense check_write(const struct vdrive *drive,
                                     const struct vdrive_io *io,
                                     struct extent extent) {
    enum vdrive_sense sense = check_manner(drive, io, extent);

    if (!sense) {
        sense = vdrive_check_write(drive, extent.lba, extent.count);
    }
    if (!sense && extent.count > 0 && vdrive_wants_opc(drive)) {
        sense = VDRIVE_CALIBRATION_ERROR;
    }
    return sense || extent.count == 0 ? sense : check_sequence(drive);
}

enum vdrive_sense vdrive_write(struct vdrive *drive, struct vdrive_io *io) {
    struct extent extent = extent_of(io->cdb);
    uint32_t blocks = drive->medium->packet_blocks;
    bool appends = vdrive_way(drive) == VDRIVE_WAY_APPEND;
    enum vdrive_sense sense;

    if (!carries(io, extent)) {
        io->error = -EIO;
        return VDRIVE_GOOD;
    }
    sense = check_write(drive, io, extent);
    if (sense || extent.count == 0) {
        return sense;
    }
    if (vdrive_faults_at_write(drive) ||
        !vdrive_model_has_room(drive, (extent.count + blocks - 1) / blocks)) {
        return VDRIVE_LONG_WRITE_IN_PROGRESS;
    }
    drive->files.head->dirty = vdrive_mrw_formatted(drive);
    sense = write_packets(drive, io, extent);
    if (appends && io->moved) {
        append(drive, extent.lba + io->moved / VDRIVE_BLOCK_BYTES);
    }
    if (!sense && io->cdb[0] == MMC_OP_WRITE_AND_VERIFY_10) {
        vdrive_model_read(drive, extent.lba, extent.count);
    }
    return sense;
}

/* The whole cache, whatever range the CDB names: drives do it so. */
enum vdrive_sense vdrive_synchronize_cache(struct vdrive *drive,
                                           struct vdrive_io *io) {
    if (io->cdb[1] & 1) {
        return VDRIVE_INVALID_FIELD; /* RelAdr */
    }
    vdrive_model_sync(drive);
    vdrive_buffer_synced(&drive->buffer);
    drive->out_of_sequence = false;
    drive->files.head->syncs++;
    return VDRIVE_GOOD;
}
