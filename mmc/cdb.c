/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/cdb.c - CDBs byte by byte. Offsets in the comments and code are the
 * standard's; whoever changes one has MMC-5 chapter 6 open beside it.
 */
#include "mmc/cdb.h"

#include <assert.h>
#include <scsi/sg_unaligned.h>
#include <string.h>

/* The length follows from the group code, the opcode's upper three bits. */
uint8_t mmc_cdb_length(uint8_t opcode) {
    static const uint8_t lengths[8] = {6, 10, 10, 0, 16, 12, 0, 0};

    return lengths[opcode >> 5];
}

bool mmc_cdb_sends_data(uint8_t opcode) {
    static const uint8_t senders[] = {
        MMC_OP_FORMAT_UNIT,
        MMC_OP_MODE_SELECT_6,
        MMC_OP_WRITE_10,
        MMC_OP_WRITE_AND_VERIFY_10,
        MMC_OP_WRITE_BUFFER,
        MMC_OP_SEND_OPC,
        MMC_OP_MODE_SELECT_10,
        MMC_OP_SEND_CUE_SHEET,
        MMC_OP_SEND_EVENT,
        MMC_OP_SEND_KEY,
        MMC_OP_WRITE_12,
        MMC_OP_SET_STREAMING,
        MMC_OP_SEND_DISC_STRUCTURE,
    };

    return memchr(senders, opcode, sizeof(senders)) != NULL;
}

/* Starts a request: everything zero, then what every command has. */
static void start(struct mmc_request *request, enum mmc_opcode opcode,
                  enum mmc_direction direction, uint32_t data_len) {
    memset(request, 0, sizeof(*request));
    request->cdb[0] = (uint8_t)opcode;
    request->cdb_len = mmc_cdb_length(request->cdb[0]);
    request->direction = data_len ? direction : MMC_DIR_NONE;
    request->data_len = data_len;
}

/* Bit `bit` when `on`. */
static uint8_t flag(bool on, unsigned bit) {
    return (uint8_t)(on ? 1u << bit : 0u);
}

void mmc_cdb_test_unit_ready(struct mmc_request *request) {
    start(request, MMC_OP_TEST_UNIT_READY, MMC_DIR_NONE, 0);
}

void mmc_cdb_request_sense(struct mmc_request *request, uint8_t length) {
    /* DESC stays 0: fixed format, which every drive speaks. */
    start(request, MMC_OP_REQUEST_SENSE, MMC_DIR_IN, length);
    request->cdb[4] = length;
}

void mmc_cdb_inquiry(struct mmc_request *request, uint8_t length) {
    start(request, MMC_OP_INQUIRY, MMC_DIR_IN, length);
    request->cdb[4] = length;
}

void mmc_cdb_mode_sense_6(struct mmc_request *request,
                          enum mmc_mode_control control, uint8_t page,
                          uint8_t length) {
    start(request, MMC_OP_MODE_SENSE_6, MMC_DIR_IN, length);
    request->cdb[1] = flag(true, 3); /* DBD: no block descriptors */
    request->cdb[2] = (uint8_t)(((unsigned)control << 6) | (page & 0x3Fu));
    request->cdb[4] = length;
}

void mmc_cdb_mode_sense(struct mmc_request *request,
                        enum mmc_mode_control control, uint8_t page,
                        uint16_t length) {
    start(request, MMC_OP_MODE_SENSE_10, MMC_DIR_IN, length);
    request->cdb[1] = flag(true, 3); /* DBD */
    request->cdb[2] = (uint8_t)(((unsigned)control << 6) | (page & 0x3Fu));
    sg_put_unaligned_be16(length, request->cdb + 7);
}

void mmc_cdb_mode_select(struct mmc_request *request, uint16_t length) {
    start(request, MMC_OP_MODE_SELECT_10, MMC_DIR_OUT, length);
    request->cdb[1] = flag(true, 4); /* PF; SP stays 0: nothing is saved */
    sg_put_unaligned_be16(length, request->cdb + 7);
}

void mmc_cdb_start_stop(struct mmc_request *request,
                        enum mmc_unit_action action, bool immediate) {
    start(request, MMC_OP_START_STOP_UNIT, MMC_DIR_NONE, 0);
    request->cdb[1] = flag(immediate, 0);
    request->cdb[4] = (uint8_t)action;
}

void mmc_cdb_prevent_allow(struct mmc_request *request, enum mmc_door door) {
    start(request, MMC_OP_PREVENT_ALLOW, MMC_DIR_NONE, 0);
    request->cdb[4] = (uint8_t)door;
}

void mmc_cdb_read_format_capacities(struct mmc_request *request,
                                    uint16_t length) {
    start(request, MMC_OP_READ_FORMAT_CAPACITIES, MMC_DIR_IN, length);
    sg_put_unaligned_be16(length, request->cdb + 7);
}

void mmc_cdb_read_capacity(struct mmc_request *request) {
    start(request, MMC_OP_READ_CAPACITY, MMC_DIR_IN, 8);
}

/* The shape that READ, WRITE and their like (10) share. */
static void transfer_10(struct mmc_request *request, enum mmc_opcode opcode,
                        enum mmc_direction direction, uint32_t lba,
                        uint16_t count) {
    start(request, opcode, direction, (uint32_t)count * MMC_BLOCK_BYTES);
    sg_put_unaligned_be32(lba, request->cdb + 2);
    sg_put_unaligned_be16(count, request->cdb + 7);
}

void mmc_cdb_read_10(struct mmc_request *request, uint32_t lba,
                     uint16_t count) {
    transfer_10(request, MMC_OP_READ_10, MMC_DIR_IN, lba, count);
}

void mmc_cdb_write_10(struct mmc_request *request, uint32_t lba,
                      uint16_t count) {
    transfer_10(request, MMC_OP_WRITE_10, MMC_DIR_OUT, lba, count);
}

void mmc_cdb_write_and_verify_10(struct mmc_request *request, uint32_t lba,
                                 uint16_t count) {
    transfer_10(request, MMC_OP_WRITE_AND_VERIFY_10, MMC_DIR_OUT, lba, count);
}

static void transfer_12(struct mmc_request *request, enum mmc_opcode opcode,
                        enum mmc_direction direction, uint32_t lba,
                        uint32_t count) {
    assert(count < 1u << 21); /* data_len has 32 bits */
    start(request, opcode, direction, count * MMC_BLOCK_BYTES);
    sg_put_unaligned_be32(lba, request->cdb + 2);
    sg_put_unaligned_be32(count, request->cdb + 6);
}

void mmc_cdb_read_12(struct mmc_request *request, uint32_t lba, uint32_t count,
                     bool streaming) {
    transfer_12(request, MMC_OP_READ_12, MMC_DIR_IN, lba, count);
    request->cdb[10] = flag(streaming, 7);
}

void mmc_cdb_write_12(struct mmc_request *request, uint32_t lba, uint32_t count,
                      bool streaming) {
    transfer_12(request, MMC_OP_WRITE_12, MMC_DIR_OUT, lba, count);
    request->cdb[10] = flag(streaming, 7);
}

void mmc_cdb_verify_10(struct mmc_request *request, uint32_t lba,
                       uint16_t count) {
    /* BytChk 0: the drive checks its own error correction, no data moves. */
    start(request, MMC_OP_VERIFY_10, MMC_DIR_NONE, 0);
    sg_put_unaligned_be32(lba, request->cdb + 2);
    sg_put_unaligned_be16(count, request->cdb + 7);
}

void mmc_cdb_synchronize_cache(struct mmc_request *request, bool immediate) {
    /* LBA and count 0: everything. Drives ignore ranges anyway. */
    start(request, MMC_OP_SYNCHRONIZE_CACHE, MMC_DIR_NONE, 0);
    request->cdb[1] = flag(immediate, 1);
}

void mmc_cdb_read_toc(struct mmc_request *request, enum mmc_toc_format format,
                      uint8_t track, uint16_t length) {
    start(request, MMC_OP_READ_TOC, MMC_DIR_IN, length);
    request->cdb[1] = flag(format == MMC_TOC_ATIP, 1); /* MSF */
    request->cdb[2] = (uint8_t)format;
    request->cdb[6] = track;
    sg_put_unaligned_be16(length, request->cdb + 7);
}

void mmc_cdb_get_configuration(struct mmc_request *request,
                               enum mmc_configuration_scope scope,
                               uint16_t feature, uint16_t length) {
    start(request, MMC_OP_GET_CONFIGURATION, MMC_DIR_IN, length);
    request->cdb[1] = (uint8_t)scope;
    sg_put_unaligned_be16(feature, request->cdb + 2);
    sg_put_unaligned_be16(length, request->cdb + 7);
}

void mmc_cdb_get_event_status(struct mmc_request *request, uint8_t mask,
                              uint16_t length) {
    start(request, MMC_OP_GET_EVENT_STATUS, MMC_DIR_IN, length);
    request->cdb[1] = flag(true, 0); /* polled: answer at once */
    request->cdb[4] = mask;
    sg_put_unaligned_be16(length, request->cdb + 7);
}

void mmc_cdb_read_disc_information(struct mmc_request *request,
                                   uint16_t length) {
    start(request, MMC_OP_READ_DISC_INFORMATION, MMC_DIR_IN, length);
    sg_put_unaligned_be16(length, request->cdb + 7);
}

void mmc_cdb_read_track_information(struct mmc_request *request,
                                    enum mmc_track_address kind,
                                    uint32_t address, uint16_t length) {
    start(request, MMC_OP_READ_TRACK_INFORMATION, MMC_DIR_IN, length);
    request->cdb[1] = (uint8_t)kind;
    sg_put_unaligned_be32(address, request->cdb + 2);
    sg_put_unaligned_be16(length, request->cdb + 7);
}

void mmc_cdb_send_opc(struct mmc_request *request) {
    start(request, MMC_OP_SEND_OPC, MMC_DIR_NONE, 0);
    request->cdb[1] = flag(true, 0); /* DoOPC: the drive calibrates itself */
}

void mmc_cdb_close_track_session(struct mmc_request *request,
                                 enum mmc_close_function function,
                                 uint16_t track, bool immediate) {
    start(request, MMC_OP_CLOSE_TRACK_SESSION, MMC_DIR_NONE, 0);
    request->cdb[1] = flag(immediate, 0);
    request->cdb[2] = (uint8_t)function;
    sg_put_unaligned_be16(track, request->cdb + 4);
}

void mmc_cdb_read_buffer_capacity(struct mmc_request *request) {
    start(request, MMC_OP_READ_BUFFER_CAPACITY, MMC_DIR_IN, 12);
    sg_put_unaligned_be16(12, request->cdb + 7);
}

void mmc_cdb_blank(struct mmc_request *request, enum mmc_blank_type type,
                   uint32_t address, bool immediate) {
    start(request, MMC_OP_BLANK, MMC_DIR_NONE, 0);
    request->cdb[1] = (uint8_t)(flag(immediate, 4) | (unsigned)type);
    sg_put_unaligned_be32(address, request->cdb + 2);
}

void mmc_cdb_get_performance(struct mmc_request *request,
                             enum mmc_performance_type type,
                             uint16_t max_descriptors, uint32_t length) {
    start(request, MMC_OP_GET_PERFORMANCE, MMC_DIR_IN, length);
    /* Type 0 wants tolerance 10b in the data type bits, the others zero. */
    request->cdb[1] = flag(type == MMC_PERFORMANCE_NOMINAL, 4);
    sg_put_unaligned_be16(max_descriptors, request->cdb + 8);
    request->cdb[10] = (uint8_t)type;
}

void mmc_cdb_read_disc_structure(struct mmc_request *request,
                                 enum mmc_structure_media media, uint8_t layer,
                                 uint8_t format, uint16_t length) {
    start(request, MMC_OP_READ_DISC_STRUCTURE, MMC_DIR_IN, length);
    request->cdb[1] = (uint8_t)media;
    request->cdb[6] = layer;
    request->cdb[7] = format;
    sg_put_unaligned_be16(length, request->cdb + 8);
}

void mmc_cdb_send_disc_structure(struct mmc_request *request, uint8_t format,
                                 uint16_t length) {
    start(request, MMC_OP_SEND_DISC_STRUCTURE, MMC_DIR_OUT, length);
    request->cdb[7] = format;
    sg_put_unaligned_be16(length, request->cdb + 8);
}

void mmc_cdb_set_streaming(struct mmc_request *request) {
    start(request, MMC_OP_SET_STREAMING, MMC_DIR_OUT, MMC_STREAMING_LIST_BYTES);
    sg_put_unaligned_be16(MMC_STREAMING_LIST_BYTES, request->cdb + 9);
}

void mmc_cdb_set_cd_speed(struct mmc_request *request, uint16_t read_kbs,
                          uint16_t write_kbs) {
    start(request, MMC_OP_SET_CD_SPEED, MMC_DIR_NONE, 0);
    sg_put_unaligned_be16(read_kbs, request->cdb + 2);
    sg_put_unaligned_be16(write_kbs, request->cdb + 4);
}

void mmc_cdb_set_length(struct mmc_request *request, uint16_t length) {
    assert(request->cdb_len == 10 && request->direction == MMC_DIR_IN);
    assert(length >= 1);
    sg_put_unaligned_be16(length, request->cdb + 7);
    request->data_len = length;
}

void mmc_cdb_format_unit(struct mmc_request *request,
                         const struct mmc_format *format) {
    uint32_t length =
        format->legacy ? MMC_FORMAT_LEGACY_LIST_BYTES : MMC_FORMAT_LIST_BYTES;
    unsigned code = format->legacy ? 7 : 1;

    start(request, MMC_OP_FORMAT_UNIT, MMC_DIR_OUT, length);
    request->cdb[1] =
        (uint8_t)(flag(true, 4) | flag(format->compare, 3) | code);
}

/* Format code 7 (MMC-1): a pattern that stays zero, then session, grow and
 * blocks; session 1 means the whole disc in one session. */
static void legacy_list(const struct mmc_format *format, uint8_t *list) {
    memset(list, 0, MMC_FORMAT_LEGACY_LIST_BYTES);
    list[1] = (uint8_t)(flag(true, 7) | flag(format->immediate, 1));
    list[3] = 8;
    list[8] = flag(true, 7);
    sg_put_unaligned_be32(format->blocks, list + 12);
}

void mmc_cdb_format_list(const struct mmc_format *format, uint8_t *out_list) {
    bool fov;

    assert(format->type <= 0x3F && format->sub_type <= 3);
    assert(format->parameter < 1u << 24);
    if (format->legacy) {
        legacy_list(format, out_list);
        return;
    }
    memset(out_list, 0, MMC_FORMAT_LIST_BYTES);
    /* FOV makes the flags beside it count; Immed counts either way. */
    fov = format->options || format->no_certify;
    out_list[1] = (uint8_t)(flag(fov, 7) | flag(format->no_certify, 5) |
                            flag(format->immediate, 1));
    out_list[3] = 8;
    sg_put_unaligned_be32(format->blocks, out_list + 4);
    out_list[8] = (uint8_t)((unsigned)format->type << 2 | format->sub_type);
    sg_put_unaligned_be24(format->parameter, out_list + 9);
}

void mmc_cdb_streaming_list(const struct mmc_streaming *streaming,
                            uint8_t *out_list) {
    memset(out_list, 0, MMC_STREAMING_LIST_BYTES);
    if (streaming->restore_defaults) {
        out_list[0] = flag(true, 2);
        return;
    }
    out_list[0] = flag(streaming->exact, 1);
    sg_put_unaligned_be32(streaming->start_lba, out_list + 4);
    sg_put_unaligned_be32(streaming->end_lba, out_list + 8);
    /* Sizes per 1000 ms, so that they are kB a second. */
    sg_put_unaligned_be32(streaming->read_kbs, out_list + 12);
    sg_put_unaligned_be32(1000, out_list + 16);
    sg_put_unaligned_be32(streaming->write_kbs, out_list + 20);
    sg_put_unaligned_be32(1000, out_list + 24);
}
