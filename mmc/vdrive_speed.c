/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_speed.c - speeds: what the drive and medium have, what is set.
 * Drives of CD take SET CD SPEED, those of DVD and BD SET STREAMING.
 */
#include "mmc/vdrive_core.h"

#include <scsi/sg_unaligned.h>

#include "mmc/cdb.h"

/* Last address of the medium, as far as it has one. */
static uint32_t end_lba(const struct vdrive *drive) {
    uint32_t end = vdrive_readable_end(drive);

    return (end ? end : drive->files.head->max_blocks) - 1;
}

/* Type 03h: the write speeds. */
static size_t put_write_speeds(const struct vdrive *drive, uint8_t *reply) {
    size_t len = 8;

    for (unsigned i = 0; i < VDRIVE_SPEEDS_MAX; i++) {
        if (!drive->medium->write_kbs[i]) {
            break;
        }
        sg_put_unaligned_be32(end_lba(drive), reply + len + 4);
        sg_put_unaligned_be32(drive->medium->read_kbs, reply + len + 8);
        sg_put_unaligned_be32(drive->medium->write_kbs[i], reply + len + 12);
        len += 16;
    }
    return len;
}

/* Type 00h: one speed for the whole disc, as it is set now. */
static size_t put_nominal(const struct vdrive *drive, bool writing,
                          uint8_t *reply) {
    uint32_t kbs = writing ? drive->model.write_kbs : drive->model.read_kbs;

    reply[4] = (uint8_t)(writing << 1);
    sg_put_unaligned_be32(kbs, reply + 12);
    sg_put_unaligned_be32(end_lba(drive), reply + 16);
    sg_put_unaligned_be32(kbs, reply + 20);
    return 24;
}

/* MMC-5 6.8. The length announces all descriptors there are; the host gets as
 * many as it asked for. */
enum vdrive_sense vdrive_get_performance(struct vdrive *drive,
                                         struct vdrive_io *io) {
    uint32_t max = sg_get_unaligned_be16(io->cdb + 8);
    uint8_t reply[8 + 16 * VDRIVE_SPEEDS_MAX] = {0};
    size_t len;

    switch (io->cdb[10]) {
    case MMC_PERFORMANCE_NOMINAL:
        len = put_nominal(drive, io->cdb[1] & 4, reply);
        break;
    case MMC_PERFORMANCE_WRITE_SPEED:
        len = put_write_speeds(drive, reply);
        break;
    default:
        return VDRIVE_INVALID_FIELD;
    }
    sg_put_unaligned_be32((uint32_t)(len - 4), reply);
    vdrive_answer(io, reply, len, 8 + 16 * max);
    return VDRIVE_GOOD;
}

/* The fastest write speed that is not above `kbs`, or the slowest there is. */
static uint16_t write_speed(const struct vdrive_medium *medium, uint64_t kbs) {
    uint16_t speed = medium->write_kbs[0];

    for (unsigned i = 0; i < VDRIVE_SPEEDS_MAX && medium->write_kbs[i]; i++) {
        speed = medium->write_kbs[i];
        if (speed <= kbs) {
            break;
        }
    }
    return speed;
}

/* A drive takes the nearest speeds that it has, silently. It reads at any
 * speed from the slowest that it writes at. */
static void set_speeds(struct vdrive *drive, uint64_t read_kbs,
                       uint64_t write_kbs) {
    const struct vdrive_medium *medium = drive->medium;
    uint16_t slowest = write_speed(medium, 0);

    read_kbs = read_kbs < slowest ? slowest : read_kbs;
    drive->model.read_kbs =
        read_kbs < medium->read_kbs ? (uint16_t)read_kbs : medium->read_kbs;
    drive->model.write_kbs = write_speed(medium, write_kbs);
}

/* MMC-5 6.37. */
enum vdrive_sense vdrive_set_cd_speed(struct vdrive *drive,
                                      struct vdrive_io *io) {
    if (io->cdb[1] & 0xFE || !vdrive_has(drive, VDRIVE_CD) ||
        vdrive_quirk(drive, MMC_VDRIVE_QUIRK_SPEED_REFUSED)) {
        return VDRIVE_INVALID_FIELD;
    }
    set_speeds(drive, sg_get_unaligned_be16(io->cdb + 2),
               sg_get_unaligned_be16(io->cdb + 4));
    return VDRIVE_GOOD;
}

enum { RESTORE_DEFAULTS = 0x04, KNOWN_STREAMING = 0x1F };

/* kB a second from a size and the milliseconds that it may take. */
static uint64_t kbs_of(const uint8_t *size) {
    uint32_t ms = sg_get_unaligned_be32(size + 4);

    return ms ? (uint64_t)sg_get_unaligned_be32(size) * 1000 / ms : 0;
}

/* MMC-5 6.39: one speed for the whole disc, whatever the range; but the range
 * has to be on the disc. */
enum vdrive_sense vdrive_set_streaming(struct vdrive *drive,
                                       struct vdrive_io *io) {
    const uint8_t *list = io->request->data;

    if (vdrive_has(drive, VDRIVE_CD)) {
        return VDRIVE_UNKNOWN_OPCODE;
    }
    if (io->cdb[8] ||
        sg_get_unaligned_be16(io->cdb + 9) != MMC_STREAMING_LIST_BYTES ||
        vdrive_quirk(drive, MMC_VDRIVE_QUIRK_SPEED_REFUSED)) {
        return VDRIVE_INVALID_FIELD;
    }
    if (io->request->data_len != MMC_STREAMING_LIST_BYTES) {
        return VDRIVE_LIST_LENGTH;
    }
    if (list[0] & ~(unsigned)KNOWN_STREAMING) {
        return VDRIVE_INVALID_PARAMETER;
    }
    io->moved = MMC_STREAMING_LIST_BYTES;
    if (list[0] & RESTORE_DEFAULTS) {
        set_speeds(drive, UINT16_MAX, UINT16_MAX);
        return VDRIVE_GOOD;
    }
    if (sg_get_unaligned_be32(list + 4) > end_lba(drive) ||
        sg_get_unaligned_be32(list + 8) > end_lba(drive)) {
        return VDRIVE_OUT_OF_RANGE;
    }
    set_speeds(drive, kbs_of(list + 12), kbs_of(list + 20));
    return VDRIVE_GOOD;
}
