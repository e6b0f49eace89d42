/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/cdb.h - builds every command descriptor block (CDB) and parameter list
 * that this project sends. Pure. Opcodes are named here and nowhere else.
 *
 * A builder clears the request, then sets cdb, cdb_len, direction and data_len
 * (the length that the CDB announces, mmc/transport.h invariant 1). Whoever
 * sends the request adds data and timeout_ms.
 *
 * Clauses: MMC-5 chapter 6 unless said otherwise; INQUIRY, MODE SENSE,
 * MODE SELECT, REQUEST SENSE and TEST UNIT READY are SPC-3, VERIFY is SBC-3.
 */
#ifndef MMC_CDB_H
#define MMC_CDB_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/transport.h"

enum { MMC_BLOCK_BYTES = 2048 };

enum mmc_opcode {
    MMC_OP_TEST_UNIT_READY = 0x00,
    MMC_OP_REQUEST_SENSE = 0x03,
    MMC_OP_FORMAT_UNIT = 0x04,
    MMC_OP_INQUIRY = 0x12,
    MMC_OP_MODE_SELECT_6 = 0x15,
    MMC_OP_MODE_SENSE_6 = 0x1A,
    MMC_OP_START_STOP_UNIT = 0x1B,
    MMC_OP_PREVENT_ALLOW = 0x1E,
    MMC_OP_READ_FORMAT_CAPACITIES = 0x23,
    MMC_OP_READ_CAPACITY = 0x25,
    MMC_OP_READ_10 = 0x28,
    MMC_OP_WRITE_10 = 0x2A,
    MMC_OP_WRITE_AND_VERIFY_10 = 0x2E,
    MMC_OP_VERIFY_10 = 0x2F,
    MMC_OP_SYNCHRONIZE_CACHE = 0x35,
    MMC_OP_WRITE_BUFFER = 0x3B,
    MMC_OP_READ_TOC = 0x43,
    MMC_OP_GET_CONFIGURATION = 0x46,
    MMC_OP_GET_EVENT_STATUS = 0x4A,
    MMC_OP_READ_DISC_INFORMATION = 0x51,
    MMC_OP_READ_TRACK_INFORMATION = 0x52,
    MMC_OP_SEND_OPC = 0x54,
    MMC_OP_MODE_SELECT_10 = 0x55,
    MMC_OP_MODE_SENSE_10 = 0x5A,
    MMC_OP_CLOSE_TRACK_SESSION = 0x5B,
    MMC_OP_READ_BUFFER_CAPACITY = 0x5C,
    MMC_OP_SEND_CUE_SHEET = 0x5D,
    MMC_OP_BLANK = 0xA1,
    MMC_OP_SEND_EVENT = 0xA2,
    MMC_OP_SEND_KEY = 0xA3,
    MMC_OP_READ_12 = 0xA8,
    MMC_OP_WRITE_12 = 0xAA,
    MMC_OP_GET_PERFORMANCE = 0xAC,
    MMC_OP_READ_DISC_STRUCTURE = 0xAD,
    MMC_OP_SET_STREAMING = 0xB6,
    MMC_OP_SET_CD_SPEED = 0xBB,
    MMC_OP_SEND_DISC_STRUCTURE = 0xBF
};

/* START STOP UNIT: LoEj and Start as one number. */
enum mmc_unit_action {
    MMC_UNIT_STOP = 0,
    MMC_UNIT_START = 1,
    MMC_UNIT_EJECT = 2,
    MMC_UNIT_LOAD = 3
};

/* PREVENT ALLOW MEDIUM REMOVAL: Persistent and Prevent as one number. */
enum mmc_door {
    MMC_DOOR_ALLOW = 0,
    MMC_DOOR_PREVENT = 1,
    MMC_DOOR_PERSISTENT_ALLOW = 2,
    MMC_DOOR_PERSISTENT_PREVENT = 3
};

/* BLANK: blanking types. */
enum mmc_blank_type {
    MMC_BLANK_WHOLE = 0,
    MMC_BLANK_MINIMAL = 1,
    MMC_BLANK_TRACK = 2,
    MMC_BLANK_UNRESERVE = 3,
    MMC_BLANK_TRACK_TAIL = 4,
    MMC_BLANK_UNCLOSE_SESSION = 5,
    MMC_BLANK_LAST_SESSION = 6
};

/* CLOSE TRACK/SESSION: close functions. */
enum mmc_close_function {
    MMC_CLOSE_STOP_FORMAT = 0, /* DVD+RW: stop the background format */
    MMC_CLOSE_TRACK = 1,
    MMC_CLOSE_SESSION = 2, /* also: leave the intermediate state of DVD-RW */
    MMC_CLOSE_FINALIZE_MINIMUM = 5, /* DVD+R */
    MMC_CLOSE_FINALIZE = 6          /* BD-R */
};

/* READ TRACK INFORMATION: what the address means. */
enum mmc_track_address {
    MMC_TRACK_BY_LBA = 0,
    MMC_TRACK_BY_NUMBER = 1, /* FFh: the invisible or incomplete track */
    MMC_TRACK_BY_SESSION = 2
};

/* GET CONFIGURATION: which features are returned. */
enum mmc_configuration_scope {
    MMC_FEATURES_ALL = 0,
    MMC_FEATURES_CURRENT = 1,
    MMC_FEATURES_ONE = 2
};

/* READ TOC/PMA/ATIP: formats that are decoded here. */
enum mmc_toc_format {
    MMC_TOC_TRACKS = 0,
    MMC_TOC_SESSIONS = 1,
    MMC_TOC_ATIP = 4
};

/* GET EVENT STATUS NOTIFICATION: request bits. */
enum mmc_event_mask {
    MMC_EVENTS_OPERATIONAL = 0x02,
    MMC_EVENTS_POWER = 0x04,
    MMC_EVENTS_EXTERNAL = 0x08,
    MMC_EVENTS_MEDIA = 0x10,
    MMC_EVENTS_MULTI_HOST = 0x20,
    MMC_EVENTS_BUSY = 0x40
};

/* READ DISC STRUCTURE: media types and formats. */
enum mmc_structure_media { MMC_STRUCTURE_DVD = 0, MMC_STRUCTURE_BD = 1 };
enum {
    MMC_STRUCTURE_PHYSICAL = 0x00,
    MMC_STRUCTURE_SPARES = 0x0A,
    MMC_STRUCTURE_WRITE_PROTECTION = 0xC0
};

/* GET PERFORMANCE: types. */
enum mmc_performance_type {
    MMC_PERFORMANCE_NOMINAL = 0x00,
    MMC_PERFORMANCE_WRITE_SPEED = 0x03
};

/* Mode pages and what MODE SENSE returns of them. */
enum mmc_mode_page_code {
    MMC_MODE_ERROR_RECOVERY = 0x01,
    MMC_MODE_MRW = 0x03,
    MMC_MODE_WRITE_PARAMETERS = 0x05,
    MMC_MODE_CACHING = 0x08,
    MMC_MODE_TIMEOUT_PROTECT = 0x1D,
    MMC_MODE_CAPABILITIES = 0x2A,
    MMC_MODE_MRW_PROTOTYPE = 0x2C /* where the first MRW drives have it */
};
enum mmc_mode_control {
    MMC_MODE_CURRENT = 0,
    MMC_MODE_CHANGEABLE = 1,
    MMC_MODE_DEFAULT = 2
};

/* FORMAT UNIT: format types of the descriptor. */
enum mmc_format_type {
    MMC_FORMAT_FULL = 0x00,
    MMC_FORMAT_SPARE_EXPANSION = 0x01,
    MMC_FORMAT_PACKET_FULL = 0x10, /* CD-RW, DVD-RW */
    MMC_FORMAT_PACKET_GROW = 0x11,
    MMC_FORMAT_ADD_SESSION = 0x12,
    MMC_FORMAT_QUICK_GROW = 0x13, /* DVD-RW */
    MMC_FORMAT_QUICK_ADD = 0x14,
    MMC_FORMAT_QUICK = 0x15,
    MMC_FORMAT_MRW = 0x24,
    MMC_FORMAT_DVD_PLUS_RW = 0x26,
    MMC_FORMAT_BD_RE_SPARES = 0x30,
    MMC_FORMAT_BD_RE_NO_SPARES = 0x31,
    MMC_FORMAT_BD_R_SPARES = 0x32
};

/* One FORMAT UNIT. */
struct mmc_format {
    uint8_t type;       /* enum mmc_format_type, 00h..3Fh */
    uint8_t sub_type;   /* 0..3 */
    uint32_t blocks;    /* FFFFFFFFh: all there is, where the type allows */
    uint32_t parameter; /* type dependent, 24 bits */
    bool immediate;
    bool options;    /* FOV: the drive shall heed the list's flags */
    bool no_certify; /* DCRT; sets FOV as well */
    bool compare;    /* CmpList: quick re-format of DVD-RAM */
    bool legacy;     /* format code 7 of MMC-1 CD-RW; only `blocks` counts */
};

enum {
    MMC_FORMAT_LIST_BYTES = 12,
    MMC_FORMAT_LEGACY_LIST_BYTES = 16,
    MMC_STREAMING_LIST_BYTES = 28
};

/* What SET STREAMING asks for. */
struct mmc_streaming {
    bool restore_defaults; /* RDD: the other fields do not count */
    bool exact;
    uint32_t start_lba, end_lba;  /* end_lba must be on the medium */
    uint32_t read_kbs, write_kbs; /* 1000 bytes a second */
};

/* What the first byte of a CDB that somebody else built tells: its length in
 * bytes (0 for the group codes that MMC does not use), and whether the host's
 * data goes to the drive. */
uint8_t mmc_cdb_length(uint8_t opcode);
bool mmc_cdb_sends_data(uint8_t opcode);

void mmc_cdb_test_unit_ready(struct mmc_request *request);
void mmc_cdb_request_sense(struct mmc_request *request, uint8_t length);
void mmc_cdb_inquiry(struct mmc_request *request, uint8_t length);
void mmc_cdb_mode_sense_6(struct mmc_request *request,
                          enum mmc_mode_control control, uint8_t page,
                          uint8_t length);
void mmc_cdb_mode_sense(struct mmc_request *request,
                        enum mmc_mode_control control, uint8_t page,
                        uint16_t length);
void mmc_cdb_mode_select(struct mmc_request *request, uint16_t length);
void mmc_cdb_start_stop(struct mmc_request *request,
                        enum mmc_unit_action action, bool immediate);
void mmc_cdb_prevent_allow(struct mmc_request *request, enum mmc_door door);
void mmc_cdb_read_format_capacities(struct mmc_request *request,
                                    uint16_t length);
void mmc_cdb_read_capacity(struct mmc_request *request);

/* Transfers of `count` blocks of 2048 bytes from `lba`; count 0 moves
 * nothing and is no error. */
void mmc_cdb_read_10(struct mmc_request *request, uint32_t lba, uint16_t count);
void mmc_cdb_write_10(struct mmc_request *request, uint32_t lba,
                      uint16_t count);
void mmc_cdb_write_and_verify_10(struct mmc_request *request, uint32_t lba,
                                 uint16_t count);
/* As READ(10) and WRITE(10); count at most 2^21 - 1. `streaming` trades
 * verification and sparing for speed. */
void mmc_cdb_read_12(struct mmc_request *request, uint32_t lba, uint32_t count,
                     bool streaming);
void mmc_cdb_write_12(struct mmc_request *request, uint32_t lba, uint32_t count,
                      bool streaming);

/* The drive reads `count` blocks from `lba` by itself; no data moves. */
void mmc_cdb_verify_10(struct mmc_request *request, uint32_t lba,
                       uint16_t count);
/* Always the whole cache. */
void mmc_cdb_synchronize_cache(struct mmc_request *request, bool immediate);

/* Addresses in the reply are LBAs (MSF for ATIP, which knows nothing else). */
void mmc_cdb_read_toc(struct mmc_request *request, enum mmc_toc_format format,
                      uint8_t track, uint16_t length);
void mmc_cdb_get_configuration(struct mmc_request *request,
                               enum mmc_configuration_scope scope,
                               uint16_t feature, uint16_t length);
/* `mask`: bits of enum mmc_event_mask. Always polled. */
void mmc_cdb_get_event_status(struct mmc_request *request, uint8_t mask,
                              uint16_t length);
/* Standard disc information only. */
void mmc_cdb_read_disc_information(struct mmc_request *request,
                                   uint16_t length);
void mmc_cdb_read_track_information(struct mmc_request *request,
                                    enum mmc_track_address kind,
                                    uint32_t address, uint16_t length);
void mmc_cdb_send_opc(struct mmc_request *request);
/* `track` is ignored by the functions that do not name one. */
void mmc_cdb_close_track_session(struct mmc_request *request,
                                 enum mmc_close_function function,
                                 uint16_t track, bool immediate);
void mmc_cdb_read_buffer_capacity(struct mmc_request *request);
void mmc_cdb_blank(struct mmc_request *request, enum mmc_blank_type type,
                   uint32_t address, bool immediate);
/* `length`: bytes of reply that `max_descriptors` make. */
void mmc_cdb_get_performance(struct mmc_request *request,
                             enum mmc_performance_type type,
                             uint16_t max_descriptors, uint32_t length);
void mmc_cdb_read_disc_structure(struct mmc_request *request,
                                 enum mmc_structure_media media, uint8_t layer,
                                 uint8_t format, uint16_t length);
void mmc_cdb_send_disc_structure(struct mmc_request *request, uint8_t format,
                                 uint16_t length);
void mmc_cdb_set_streaming(struct mmc_request *request);
/* kB/s are 1000 bytes a second; FFFFh = as fast as it goes. */
void mmc_cdb_set_cd_speed(struct mmc_request *request, uint16_t read_kbs,
                          uint16_t write_kbs);

/* Changes the allocation length of a 10-byte CDB that has one in bytes 7 and 8
 * (all that are built here, block transfers apart); at least 1. */
void mmc_cdb_set_length(struct mmc_request *request, uint16_t length);

/* FORMAT UNIT with the parameter list that mmc_cdb_format_list() makes. */
void mmc_cdb_format_unit(struct mmc_request *request,
                         const struct mmc_format *format);

/* Writes the FORMAT UNIT parameter list, at most
 * MMC_FORMAT_LEGACY_LIST_BYTES; its length is the request's data_len. */
void mmc_cdb_format_list(const struct mmc_format *format, uint8_t *out_list);

/* Writes the MMC_STREAMING_LIST_BYTES of SET STREAMING. */
void mmc_cdb_streaming_list(const struct mmc_streaming *streaming,
                            uint8_t *out_list);

#endif
