/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/fakedrive.c - the small drive of fakedrive.h.
 */
#include "fakedrive.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <scsi/sg_unaligned.h>

#include "mmc/blockdev.h"
#include "mmc/cdb.h"

enum { BLOCK = BLOCKDEV_BLOCK_BYTES, PACKET_BYTES = FAKE_PACKET * BLOCK };

static int check(struct mmc_reply *reply, uint8_t key, uint8_t asc,
                 uint8_t ascq) {
    reply->status = 0x02;
    reply->sense_len = 18;
    memset(reply->sense, 0, 18);
    reply->sense[0] = 0x70;
    reply->sense[2] = key;
    reply->sense[7] = 10;
    reply->sense[12] = asc;
    reply->sense[13] = ascq;
    return 0;
}

static int give(const struct mmc_request *request, struct mmc_reply *reply,
                const uint8_t *data, uint32_t len) {
    reply->data_len = len < request->data_len ? len : request->data_len;
    memcpy(request->data, data, reply->data_len);
    return 0;
}

/* Copies the packets that were written since the last time. */
static void move_buffer(struct fakedrive *fake, uint8_t *to,
                        const uint8_t *from) {
    for (uint32_t pkt = 0; pkt < FAKE_PACKETS; pkt++) {
        size_t offset = (size_t)pkt * PACKET_BYTES;

        if (fake->buffered[pkt]) {
            memcpy(to + offset, from + offset, PACKET_BYTES);
            fake->buffered[pkt] = false;
        }
    }
}

static int do_read(struct fakedrive *fake, const struct mmc_request *request,
                   struct mmc_reply *reply) {
    uint32_t lba = sg_get_unaligned_be32(request->cdb + 2);
    uint32_t count = sg_get_unaligned_be16(request->cdb + 7);

    if (lba >= FAKE_BLOCKS || count > FAKE_BLOCKS - lba) {
        return check(reply, 5, 0x21, 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (fake->bad_read[lba + i] || fake->weak[lba + i]) {
            return check(reply, 3, 0x11, 0x05);
        }
    }
    return give(request, reply, fake->buffer + (size_t)lba * BLOCK,
                count * BLOCK);
}

static int do_write(struct fakedrive *fake, const struct mmc_request *request,
                    struct mmc_reply *reply) {
    uint32_t lba = sg_get_unaligned_be32(request->cdb + 2);
    uint32_t count = sg_get_unaligned_be16(request->cdb + 7);

    if (lba >= FAKE_BLOCKS || count > FAKE_BLOCKS - lba) {
        return check(reply, 5, 0x21, 0);
    }
    if (lba % FAKE_PACKET || count % FAKE_PACKET || count == 0) {
        return check(reply, 5, 0x21, 0x02);
    }
    for (uint32_t i = 0; i < count / FAKE_PACKET; i++) {
        uint32_t pkt = lba / FAKE_PACKET + i;

        if (fake->bad_write[pkt]) {
            return check(reply, 3, 0x0C, 0x00);
        }
        memcpy(fake->buffer + (size_t)pkt * PACKET_BYTES,
               (const uint8_t *)request->data + (size_t)i * PACKET_BYTES,
               PACKET_BYTES);
        memset(fake->bad_read + (size_t)pkt * FAKE_PACKET, 0, FAKE_PACKET);
        fake->buffered[pkt] = true;
        fake->overwrites[pkt]++;
    }
    reply->data_len = request->data_len;
    return 0;
}

/* GET CONFIGURATION: restricted overwrite is current. */
static int do_configuration(struct fakedrive *fake,
                            const struct mmc_request *request,
                            struct mmc_reply *reply) {
    uint8_t data[12] = {0};

    sg_put_unaligned_be32(sizeof(data) - 4, data);
    sg_put_unaligned_be16(fake->profile, data + 6);
    sg_put_unaligned_be16(0x0026, data + 8);
    data[10] = fake->writable ? 0x01 : 0x00;
    return give(request, reply, data, sizeof(data));
}

static int do_disc_information(struct fakedrive *fake,
                               const struct mmc_request *request,
                               struct mmc_reply *reply) {
    uint8_t data[42] = {0};

    data[1] = 40;
    data[2] = fake->disc_status;
    data[3] = data[4] = data[5] = data[6] = 1;
    data[33] = 1; /* one power is known: nothing to calibrate */
    return give(request, reply, data, sizeof(data));
}

static int do_track_information(struct fakedrive *fake,
                                const struct mmc_request *request,
                                struct mmc_reply *reply) {
    uint8_t data[36] = {0};

    data[1] = 34;
    data[2] = data[3] = 1;
    data[5] = 5;
    data[6] = fake->track_flags;
    sg_put_unaligned_be32(fake->track_packet_blocks, data + 20);
    sg_put_unaligned_be32(FAKE_BLOCKS, data + 24);
    return give(request, reply, data, sizeof(data));
}

static int do_format_capacities(const struct mmc_request *request,
                                struct mmc_reply *reply) {
    uint8_t data[20] = {0};

    data[3] = 16;
    sg_put_unaligned_be32(FAKE_BLOCKS, data + 4);
    sg_put_unaligned_be32(0x02000000 | BLOCK, data + 8);
    sg_put_unaligned_be32(FAKE_BLOCKS, data + 12);
    sg_put_unaligned_be32(0x10u << 26 | FAKE_PACKET, data + 16);
    return give(request, reply, data, sizeof(data));
}

static int do_inquiry(struct fakedrive *fake, const struct mmc_request *request,
                      struct mmc_reply *reply) {
    uint8_t data[36] = {fake->device_type, 0x80, 5, 2, 31};

    memcpy(data + 8, "FAKE    SMALL DRIVE     1.0 ", 28);
    return give(request, reply, data, sizeof(data));
}

static int do_mode_sense(struct fakedrive *fake,
                         const struct mmc_request *request,
                         struct mmc_reply *reply) {
    uint8_t data[8 + 52] = {0};

    sg_put_unaligned_be16(sizeof(data) - 2, data);
    memcpy(data + 8, fake->page05, 52);
    return give(request, reply, data, sizeof(data));
}

static int obey(struct fakedrive *fake, const struct mmc_request *request,
                struct mmc_reply *reply) {
    uint8_t capacity[8];

    switch (request->cdb[0]) {
    case MMC_OP_READ_10:
        return do_read(fake, request, reply);
    case MMC_OP_WRITE_10:
        return do_write(fake, request, reply);
    case MMC_OP_SYNCHRONIZE_CACHE:
        move_buffer(fake, fake->medium, fake->buffer);
        return 0;
    case MMC_OP_INQUIRY:
        return do_inquiry(fake, request, reply);
    case MMC_OP_GET_CONFIGURATION:
        return do_configuration(fake, request, reply);
    case MMC_OP_READ_DISC_INFORMATION:
        return do_disc_information(fake, request, reply);
    case MMC_OP_READ_TRACK_INFORMATION:
        return do_track_information(fake, request, reply);
    case MMC_OP_READ_FORMAT_CAPACITIES:
        return do_format_capacities(request, reply);
    case MMC_OP_READ_CAPACITY:
        sg_put_unaligned_be32(FAKE_BLOCKS - 1, capacity);
        sg_put_unaligned_be32(BLOCK, capacity + 4);
        return give(request, reply, capacity, sizeof(capacity));
    case MMC_OP_MODE_SENSE_10:
        return do_mode_sense(fake, request, reply);
    case MMC_OP_MODE_SELECT_10:
        memcpy(fake->page05, (const uint8_t *)request->data + 8,
               request->data_len >= 60 ? 52 : 0);
        return 0;
    case MMC_OP_TEST_UNIT_READY:
    case MMC_OP_PREVENT_ALLOW:
    case MMC_OP_START_STOP_UNIT:
        return 0;
    default:
        return check(reply, 5, 0x20, 0);
    }
}

static int fake_execute(struct mmc_transport *transport,
                        const struct mmc_request *request,
                        struct mmc_reply *reply) {
    struct fakedrive *fake = (struct fakedrive *)transport;
    struct fake_sense *sense = &fake->sense;

    *reply = (struct mmc_reply){0};
    if (fake->gone) {
        return -ENODEV;
    }
    if (fake->command_count < FAKE_COMMANDS_MAX) {
        fake->commands[fake->command_count++] = (struct fake_command){
            .opcode = request->cdb[0],
            .lba = sg_get_unaligned_be32(request->cdb + 2),
            .count = sg_get_unaligned_be16(request->cdb + 7)};
    }
    fake->now_ms++;
    if (sense->times > 0 && sense->opcode == request->cdb[0]) {
        if (sense->after > 0) {
            sense->after--;
        } else {
            sense->times--;
            if (sense->key == 6 && sense->asc == 0x29) {
                fakedrive_lose_buffer(fake);
            }
            check(reply, sense->key, sense->asc, sense->ascq);
            reply->sense[0] = sense->deferred ? 0x71 : 0x70;
            return 0;
        }
    }
    return obey(fake, request, reply);
}

static uint64_t fake_now(struct mmc_transport *transport) {
    return ((struct fakedrive *)transport)->now_ms;
}

static void fake_sleep(struct mmc_transport *transport, uint32_t duration_ms) {
    struct fakedrive *fake = (struct fakedrive *)transport;

    fake->now_ms += duration_ms;
    fake->slept_ms += duration_ms;
}

static void fake_close(struct mmc_transport *transport) {
    (void)transport;
}

static const struct mmc_transport_ops fake_ops = {.execute = fake_execute,
                                                  .now_ms = fake_now,
                                                  .sleep_ms = fake_sleep,
                                                  .close = fake_close};

struct fakedrive *fakedrive_new(uint32_t max_transfer_bytes) {
    struct fakedrive *fake = calloc(1, sizeof(*fake));

    assert_non_null(fake);
    fake->head.ops = &fake_ops;
    fake->head.max_transfer_bytes = max_transfer_bytes;
    fake->medium = calloc(FAKE_BLOCKS, BLOCK);
    fake->buffer = calloc(FAKE_BLOCKS, BLOCK);
    assert_non_null(fake->medium);
    assert_non_null(fake->buffer);
    fake->device_type = 5;
    fake->track_packet_blocks = FAKE_PACKET;
    fake->track_flags = 0x20 | 0x10 | 1;    /* packet, fixed, mode 1 */
    fake->disc_status = 0x10 | 0x0C | 0x02; /* erasable, complete */
    fake->writable = true;
    fake->profile = 0x000A;
    fake->page05[0] = 0x85; /* PS is set, as MODE SENSE may have it */
    fake->page05[1] = 50;
    return fake;
}

void fakedrive_free(struct fakedrive *fake) {
    free(fake->medium);
    free(fake->buffer);
    free(fake);
}

void fakedrive_clear(struct fakedrive *fake) {
    fake->command_count = 0;
}

unsigned fakedrive_count(const struct fakedrive *fake, uint8_t opcode) {
    unsigned count = 0;

    for (unsigned i = 0; i < fake->command_count; i++) {
        count += fake->commands[i].opcode == opcode;
    }
    return count;
}

struct fake_command fakedrive_nth(const struct fakedrive *fake, uint8_t opcode,
                                  unsigned i) {
    for (unsigned at = 0; at < fake->command_count; at++) {
        if (fake->commands[at].opcode == opcode && i-- == 0) {
            return fake->commands[at];
        }
    }
    fail_msg("no such command");
    return (struct fake_command){0};
}

void fakedrive_lose_buffer(struct fakedrive *fake) {
    move_buffer(fake, fake->buffer, fake->medium);
}
