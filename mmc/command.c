/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/command.c - commands are sent here and their outcome classified; the
 * bytes of CDBs are mmc/cdb's, those of replies mmc/reply's.
 *
 * Reading downwards: classifying a reply, sending one request, the patterns
 * (no data, data out, data in with a length that must be asked for first),
 * then one function a command.
 */
#include "mmc/command.h"

#include <assert.h>
#include <errno.h>
#include <scsi/sg_unaligned.h>
#include <string.h>

enum {
    STATUS_GOOD = 0x00,
    STATUS_CHECK_CONDITION = 0x02,
    STATUS_CONDITION_MET = 0x04,
    STATUS_BUSY = 0x08,
    STATUS_RESERVATION_CONFLICT = 0x18,
    STATUS_TASK_SET_FULL = 0x28
};

enum { SENSE_BYTES = 18, REPLY_MAX = 4096 + 8 };

/* Whether sense names a cause: some USB bridges fill it with zeros. */
static bool has_cause(const struct mmc_sense *sense) {
    return sense->key || sense->asc || sense->ascq;
}

/* Asks for the sense that should have come with a CHECK CONDITION. */
static int fetch_sense(struct mmc_transport *transport, struct mmc_sense *out) {
    struct mmc_request request;
    struct mmc_reply reply = {0};
    uint8_t bytes[SENSE_BYTES] = {0};

    mmc_cdb_request_sense(&request, sizeof(bytes));
    request.data = bytes;
    request.timeout_ms = MMC_TIMEOUT_DEFAULT_MS;
    if (mmc_transport_execute(transport, &request, &reply) < 0 ||
        reply.status != STATUS_GOOD || reply.data_len > sizeof(bytes)) {
        return -EIO;
    }
    return mmc_sense_decode(bytes, reply.data_len, out);
}

static enum mmc_result check_condition(struct mmc_transport *transport,
                                       const struct mmc_reply *reply,
                                       struct mmc_sense *sense) {
    size_t len = reply->sense_len;

    len = len < sizeof(reply->sense) ? len : sizeof(reply->sense);
    if ((mmc_sense_decode(reply->sense, len, sense) < 0 || !has_cause(sense)) &&
        fetch_sense(transport, sense) < 0) {
        return MMC_ABORTED;
    }
    /* Still no cause: something failed, so it must not pass for success. */
    return has_cause(sense) ? mmc_sense_classify(sense) : MMC_ABORTED;
}

/* Sends one request. *out_moved is how many bytes arrived or left. */
static enum mmc_result send_request(struct mmc_transport *transport,
                                    const struct mmc_request *request,
                                    uint32_t *out_moved,
                                    struct mmc_sense *out_sense) {
    struct mmc_reply reply = {0};
    struct mmc_sense sense = {0};
    enum mmc_result result;
    int error = mmc_transport_execute(transport, request, &reply);

    if (error < 0) {
        result = mmc_result_of_transport(error);
    } else if (reply.status == STATUS_CHECK_CONDITION) {
        result = check_condition(transport, &reply, &sense);
    } else if (reply.status == STATUS_GOOD ||
               reply.status == STATUS_CONDITION_MET) {
        result = MMC_OK;
    } else if (reply.status == STATUS_BUSY ||
               reply.status == STATUS_TASK_SET_FULL ||
               reply.status == STATUS_RESERVATION_CONFLICT) {
        result = MMC_BUSY;
    } else {
        result = MMC_ABORTED;
    }
    *out_moved =
        reply.data_len < request->data_len ? reply.data_len : request->data_len;
    if (out_sense) {
        *out_sense = sense;
    }
    return result;
}

/* A command without data, or with `data` going out. */
static enum mmc_result send_out(struct mmc_transport *transport,
                                struct mmc_request *request, void *data,
                                uint32_t timeout_ms,
                                struct mmc_sense *out_sense) {
    uint32_t moved;

    request->data = data;
    request->timeout_ms = timeout_ms;
    return send_request(transport, request, &moved, out_sense);
}

/* A command with data coming in to `data`, which is cleared first: what does
 * not arrive reads as zero, never as what was there before. */
static enum mmc_result send_in(struct mmc_transport *transport,
                               struct mmc_request *request, void *data,
                               uint32_t *out_moved,
                               struct mmc_sense *out_sense) {
    memset(data, 0, request->data_len);
    request->data = data;
    request->timeout_ms = MMC_TIMEOUT_DEFAULT_MS;
    return send_request(transport, request, out_moved, out_sense);
}

/* The end of a command with a reply: `error` is its decoder's. */
static enum mmc_result decoded(int error) {
    return error < 0 ? MMC_BAD_REPLY : MMC_OK;
}

/* A reply of unknown length, and where it says how long it is. */
struct sized_reply {
    uint16_t head_bytes;  /* to ask for first */
    uint16_t least_bytes; /* to ask for then, whatever the head announces */
    uint32_t (*announced)(const uint8_t *head);
};

static uint32_t announced_be16(const uint8_t *head) {
    return (uint32_t)sg_get_unaligned_be16(head) + 2;
}

static uint32_t announced_be32(const uint8_t *head) {
    uint32_t following = sg_get_unaligned_be32(head);

    return following > REPLY_MAX ? REPLY_MAX : following + 4;
}

static uint32_t announced_capacities(const uint8_t *head) {
    return 4u + head[3];
}

static uint32_t announced_mode(const uint8_t *head) {
    return mmc_reply_mode_length(head);
}

/* A command with a reply of unknown length, in two steps: USB bridges that get
 * less than they were told to expect have hung. `request` is built with any
 * length; `bytes` holds REPLY_MAX. */
static enum mmc_result send_sized(struct mmc_transport *transport,
                                  struct mmc_request *request,
                                  const struct sized_reply *sized,
                                  uint8_t *bytes, uint32_t *out_moved,
                                  struct mmc_sense *out_sense) {
    enum mmc_result result;
    uint32_t length;

    mmc_cdb_set_length(request, sized->head_bytes);
    result = send_in(transport, request, bytes, out_moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    /* Drives announce nonsense at times, zero most often. */
    length = sized->announced(bytes);
    length = length < sized->least_bytes ? sized->least_bytes : length;
    length = length > REPLY_MAX ? REPLY_MAX : length;
    mmc_cdb_set_length(request, (uint16_t)length);
    return send_in(transport, request, bytes, out_moved, out_sense);
}

enum mmc_result mmc_command_test_unit_ready(struct mmc_transport *transport,
                                            struct mmc_sense *out_sense) {
    struct mmc_request request;

    mmc_cdb_test_unit_ready(&request);
    return send_out(transport, &request, NULL, MMC_TIMEOUT_DEFAULT_MS,
                    out_sense);
}

enum mmc_result mmc_command_request_sense(struct mmc_transport *transport,
                                          struct mmc_sense *out_sense) {
    struct mmc_request request;
    uint8_t bytes[SENSE_BYTES];
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_request_sense(&request, sizeof(bytes));
    result = send_in(transport, &request, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_sense_decode(bytes, moved, out_sense));
}

enum mmc_result mmc_command_inquiry(struct mmc_transport *transport,
                                    struct mmc_inquiry *out,
                                    struct mmc_sense *out_sense) {
    struct mmc_request request;
    uint8_t bytes[MMC_INQUIRY_BYTES];
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_inquiry(&request, sizeof(bytes));
    result = send_in(transport, &request, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_inquiry(bytes, moved, out));
}

enum mmc_result mmc_command_get_configuration(struct mmc_transport *transport,
                                              struct mmc_configuration *out,
                                              struct mmc_sense *out_sense) {
    static const struct sized_reply sized = {8, 8, announced_be32};
    struct mmc_request request;
    uint8_t bytes[REPLY_MAX];
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_get_configuration(&request, MMC_FEATURES_ALL, 0, 8);
    result = send_sized(transport, &request, &sized, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_configuration(bytes, moved, out));
}

enum mmc_result
mmc_command_read_disc_information(struct mmc_transport *transport,
                                  struct mmc_disc_information *out,
                                  struct mmc_sense *out_sense) {
    static const struct sized_reply sized = {2, 34, announced_be16};
    struct mmc_request request;
    uint8_t bytes[REPLY_MAX];
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_read_disc_information(&request, 2);
    result = send_sized(transport, &request, &sized, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_disc_information(bytes, moved, out));
}

enum mmc_result mmc_command_read_track_information(
    struct mmc_transport *transport, enum mmc_track_address kind,
    uint32_t address, struct mmc_track_information *out,
    struct mmc_sense *out_sense) {
    static const struct sized_reply sized = {4, 28, announced_be16};
    struct mmc_request request;
    uint8_t bytes[REPLY_MAX];
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_read_track_information(&request, kind, address, 4);
    result = send_sized(transport, &request, &sized, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_track_information(bytes, moved, out));
}

enum mmc_result
mmc_command_read_format_capacities(struct mmc_transport *transport,
                                   struct mmc_format_capacities *out,
                                   struct mmc_sense *out_sense) {
    static const struct sized_reply sized = {4, 12, announced_capacities};
    struct mmc_request request;
    uint8_t bytes[REPLY_MAX];
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_read_format_capacities(&request, 4);
    result = send_sized(transport, &request, &sized, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_format_capacities(bytes, moved, out));
}

enum mmc_result mmc_command_read_capacity(struct mmc_transport *transport,
                                          struct mmc_capacity *out,
                                          struct mmc_sense *out_sense) {
    struct mmc_request request;
    uint8_t bytes[8];
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_read_capacity(&request);
    result = send_in(transport, &request, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_capacity(bytes, moved, out));
}

enum mmc_result mmc_command_mode_sense(struct mmc_transport *transport,
                                       enum mmc_mode_control control,
                                       uint8_t page, struct mmc_mode_page *out,
                                       struct mmc_sense *out_sense) {
    static const struct sized_reply sized = {10, 10, announced_mode};
    struct mmc_request request;
    uint8_t bytes[REPLY_MAX];
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_mode_sense(&request, control, page, 10);
    result = send_sized(transport, &request, &sized, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_mode_page(bytes, moved, page, out));
}

enum mmc_result mmc_command_mode_select(struct mmc_transport *transport,
                                        const struct mmc_mode_page *page,
                                        struct mmc_sense *out_sense) {
    struct mmc_request request;
    /* The header stays zero: its length is reserved on the way out, and no
     * block descriptor follows. */
    uint8_t bytes[8 + MMC_MODE_PAGE_MAX] = {0};

    assert(page->len >= 2 && page->len <= MMC_MODE_PAGE_MAX);
    memcpy(bytes + 8, page->bytes, page->len);
    bytes[8] &= 0x7F; /* PS is the drive's to say */
    mmc_cdb_mode_select(&request, (uint16_t)(8 + page->len));
    return send_out(transport, &request, bytes, MMC_TIMEOUT_DEFAULT_MS,
                    out_sense);
}

enum mmc_result mmc_command_start_stop(struct mmc_transport *transport,
                                       enum mmc_unit_action action,
                                       bool immediate,
                                       struct mmc_sense *out_sense) {
    struct mmc_request request;

    mmc_cdb_start_stop(&request, action, immediate);
    return send_out(transport, &request, NULL, MMC_TIMEOUT_LOAD_MS, out_sense);
}

enum mmc_result mmc_command_prevent_allow(struct mmc_transport *transport,
                                          enum mmc_door door,
                                          struct mmc_sense *out_sense) {
    struct mmc_request request;

    mmc_cdb_prevent_allow(&request, door);
    return send_out(transport, &request, NULL, MMC_TIMEOUT_DEFAULT_MS,
                    out_sense);
}

/* Whether a transfer of `count` blocks is one that a CDB and the transport
 * can carry: the caller's duty. */
static void assert_transfer(const struct mmc_transport *transport,
                            uint32_t count) {
    assert(count >= 1 && count <= UINT16_MAX);
    assert(count <= transport->max_transfer_bytes / MMC_BLOCK_BYTES);
    (void)transport;
    (void)count;
}

enum mmc_result mmc_command_read(struct mmc_transport *transport, uint32_t lba,
                                 uint32_t count, void *buf,
                                 struct mmc_sense *out_sense) {
    struct mmc_request request;
    uint32_t moved;
    enum mmc_result result;

    assert_transfer(transport, count);
    mmc_cdb_read_10(&request, lba, (uint16_t)count);
    request.data = buf;
    request.timeout_ms = MMC_TIMEOUT_READ_MS;
    result = send_request(transport, &request, &moved, out_sense);
    /* GOOD with half of the data would hand stale memory to the caller. */
    if (result == MMC_OK && moved < request.data_len) {
        return MMC_BAD_REPLY;
    }
    return result;
}

/* WRITE and WRITE AND VERIFY; drives that take less than all of the data and
 * say GOOD have not written all of it. */
static enum mmc_result write_blocks(struct mmc_transport *transport,
                                    struct mmc_request *request,
                                    const void *buf,
                                    struct mmc_sense *out_sense) {
    uint32_t moved;
    enum mmc_result result;

    request->data = (void *)buf; /* only read from: MMC_DIR_OUT */
    request->timeout_ms = MMC_TIMEOUT_WRITE_MS;
    result = send_request(transport, request, &moved, out_sense);
    if (result == MMC_OK && moved < request->data_len) {
        return MMC_BAD_REPLY;
    }
    return result;
}

enum mmc_result mmc_command_write(struct mmc_transport *transport, uint32_t lba,
                                  uint32_t count, const void *buf,
                                  struct mmc_sense *out_sense) {
    struct mmc_request request;

    assert_transfer(transport, count);
    mmc_cdb_write_10(&request, lba, (uint16_t)count);
    return write_blocks(transport, &request, buf, out_sense);
}

enum mmc_result mmc_command_write_and_verify(struct mmc_transport *transport,
                                             uint32_t lba, uint32_t count,
                                             const void *buf,
                                             struct mmc_sense *out_sense) {
    struct mmc_request request;

    assert_transfer(transport, count);
    mmc_cdb_write_and_verify_10(&request, lba, (uint16_t)count);
    return write_blocks(transport, &request, buf, out_sense);
}

enum mmc_result mmc_command_verify(struct mmc_transport *transport,
                                   uint32_t lba, uint32_t count,
                                   struct mmc_sense *out_sense) {
    struct mmc_request request;

    assert(count >= 1 && count <= UINT16_MAX);
    mmc_cdb_verify_10(&request, lba, (uint16_t)count);
    return send_out(transport, &request, NULL, MMC_TIMEOUT_WRITE_MS, out_sense);
}

enum mmc_result mmc_command_synchronize_cache(struct mmc_transport *transport,
                                              bool immediate,
                                              struct mmc_sense *out_sense) {
    struct mmc_request request;

    mmc_cdb_synchronize_cache(&request, immediate);
    return send_out(transport, &request, NULL,
                    immediate ? MMC_TIMEOUT_IMMEDIATE_MS : MMC_TIMEOUT_SYNC_MS,
                    out_sense);
}

/* READ TOC in two steps into `bytes` (REPLY_MAX). */
static enum mmc_result read_toc(struct mmc_transport *transport,
                                enum mmc_toc_format format, uint8_t *bytes,
                                uint32_t *out_moved,
                                struct mmc_sense *out_sense) {
    static const struct sized_reply sized = {4, 4, announced_be16};
    struct mmc_request request;

    mmc_cdb_read_toc(&request, format, 0, 4);
    return send_sized(transport, &request, &sized, bytes, out_moved, out_sense);
}

enum mmc_result mmc_command_read_toc(struct mmc_transport *transport,
                                     struct mmc_toc *out,
                                     struct mmc_sense *out_sense) {
    uint8_t bytes[REPLY_MAX];
    uint32_t moved;
    enum mmc_result result =
        read_toc(transport, MMC_TOC_TRACKS, bytes, &moved, out_sense);

    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_toc(bytes, moved, out));
}

enum mmc_result mmc_command_read_toc_sessions(struct mmc_transport *transport,
                                              struct mmc_toc_sessions *out,
                                              struct mmc_sense *out_sense) {
    uint8_t bytes[REPLY_MAX];
    uint32_t moved;
    enum mmc_result result =
        read_toc(transport, MMC_TOC_SESSIONS, bytes, &moved, out_sense);

    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_toc_sessions(bytes, moved, out));
}

enum mmc_result mmc_command_read_atip(struct mmc_transport *transport,
                                      struct mmc_atip *out,
                                      struct mmc_sense *out_sense) {
    uint8_t bytes[REPLY_MAX];
    uint32_t moved;
    enum mmc_result result =
        read_toc(transport, MMC_TOC_ATIP, bytes, &moved, out_sense);

    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_atip(bytes, moved, out));
}

enum mmc_result mmc_command_get_event(struct mmc_transport *transport,
                                      uint8_t mask, struct mmc_event *out,
                                      struct mmc_sense *out_sense) {
    struct mmc_request request;
    uint8_t bytes[8]; /* one event; asking twice would eat it */
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_get_event_status(&request, mask, sizeof(bytes));
    result = send_in(transport, &request, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_event(bytes, moved, out));
}

enum mmc_result mmc_command_send_opc(struct mmc_transport *transport,
                                     struct mmc_sense *out_sense) {
    struct mmc_request request;

    mmc_cdb_send_opc(&request);
    return send_out(transport, &request, NULL, MMC_TIMEOUT_OPC_MS, out_sense);
}

enum mmc_result mmc_command_close(struct mmc_transport *transport,
                                  enum mmc_close_function function,
                                  uint16_t track, bool immediate,
                                  struct mmc_sense *out_sense) {
    struct mmc_request request;

    mmc_cdb_close_track_session(&request, function, track, immediate);
    return send_out(transport, &request, NULL,
                    immediate ? MMC_TIMEOUT_IMMEDIATE_MS : MMC_TIMEOUT_CLOSE_MS,
                    out_sense);
}

enum mmc_result
mmc_command_read_buffer_capacity(struct mmc_transport *transport,
                                 struct mmc_buffer_capacity *out,
                                 struct mmc_sense *out_sense) {
    struct mmc_request request;
    uint8_t bytes[12];
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_read_buffer_capacity(&request);
    result = send_in(transport, &request, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_buffer_capacity(bytes, moved, out));
}

enum mmc_result mmc_command_blank(struct mmc_transport *transport,
                                  enum mmc_blank_type type, uint32_t address,
                                  bool immediate, struct mmc_sense *out_sense) {
    struct mmc_request request;

    mmc_cdb_blank(&request, type, address, immediate);
    return send_out(transport, &request, NULL,
                    immediate ? MMC_TIMEOUT_IMMEDIATE_MS
                              : MMC_TIMEOUT_FORMAT_MS,
                    out_sense);
}

enum mmc_result mmc_command_format_unit(struct mmc_transport *transport,
                                        const struct mmc_format *format,
                                        struct mmc_sense *out_sense) {
    struct mmc_request request;
    uint8_t list[MMC_FORMAT_LEGACY_LIST_BYTES];

    mmc_cdb_format_unit(&request, format);
    mmc_cdb_format_list(format, list);
    return send_out(transport, &request, list,
                    format->immediate ? MMC_TIMEOUT_IMMEDIATE_MS
                                      : MMC_TIMEOUT_FORMAT_MS,
                    out_sense);
}

/* 8 bytes of header and 16 a descriptor. Asked for with one descriptor first:
 * some drives announce but one when asked with none. */
enum mmc_result mmc_command_get_write_speeds(struct mmc_transport *transport,
                                             struct mmc_write_speeds *out,
                                             struct mmc_sense *out_sense) {
    struct mmc_request request;
    uint8_t bytes[8 + MMC_WRITE_SPEEDS_MAX * 16];
    uint32_t moved;
    uint32_t count;
    enum mmc_result result;

    mmc_cdb_get_performance(&request, MMC_PERFORMANCE_WRITE_SPEED, 1, 8 + 16);
    result = send_in(transport, &request, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    count = sg_get_unaligned_be32(bytes);
    count = count < 4 + 16 ? 1 : (count - 4) / 16;
    count = count > MMC_WRITE_SPEEDS_MAX ? MMC_WRITE_SPEEDS_MAX : count;
    mmc_cdb_get_performance(&request, MMC_PERFORMANCE_WRITE_SPEED,
                            (uint16_t)count, 8 + count * 16);
    result = send_in(transport, &request, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_write_speeds(bytes, moved, out));
}

enum mmc_result mmc_command_read_write_protection(
    struct mmc_transport *transport, enum mmc_structure_media media,
    struct mmc_write_protection *out, struct mmc_sense *out_sense) {
    struct mmc_request request;
    uint8_t bytes[8]; /* a header and four bytes, by definition */
    uint32_t moved;
    enum mmc_result result;

    mmc_cdb_read_disc_structure(&request, media, 0,
                                MMC_STRUCTURE_WRITE_PROTECTION, sizeof(bytes));
    result = send_in(transport, &request, bytes, &moved, out_sense);
    if (result != MMC_OK) {
        return result;
    }
    return decoded(mmc_reply_write_protection(bytes, moved, out));
}

enum mmc_result mmc_command_set_streaming(struct mmc_transport *transport,
                                          const struct mmc_streaming *streaming,
                                          struct mmc_sense *out_sense) {
    struct mmc_request request;
    uint8_t list[MMC_STREAMING_LIST_BYTES];

    mmc_cdb_set_streaming(&request);
    mmc_cdb_streaming_list(streaming, list);
    return send_out(transport, &request, list, MMC_TIMEOUT_DEFAULT_MS,
                    out_sense);
}

enum mmc_result mmc_command_set_cd_speed(struct mmc_transport *transport,
                                         uint16_t read_kbs, uint16_t write_kbs,
                                         struct mmc_sense *out_sense) {
    struct mmc_request request;

    mmc_cdb_set_cd_speed(&request, read_kbs, write_kbs);
    return send_out(transport, &request, NULL, MMC_TIMEOUT_DEFAULT_MS,
                    out_sense);
}
