/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/command.h - one typed function a command: builds the CDB, sends it,
 * classifies the sense, decodes the reply.
 *
 * Every function sends its command once (twice where the reply's length must
 * be known first: USB bridges want exact lengths) and repeats nothing: when to
 * wait, repeat or give up is mmc/drive's. The one thing added is a REQUEST
 * SENSE after a CHECK CONDITION that came without a cause, since some USB
 * bridges swallow it.
 *
 * Results are those of mmc/sense.h; *out is untouched unless the result is
 * MMC_OK. `out_sense` may be NULL; otherwise it is always written, all zero
 * where there was no sense. Sense of key 1 (recovered) comes with MMC_OK.
 *
 * Locks: the caller has the drive to itself (mmc/transport.h invariant 2).
 */
#ifndef MMC_COMMAND_H
#define MMC_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/cdb.h"
#include "mmc/reply.h"
#include "mmc/sense.h"
#include "mmc/transport.h"

/* How long a command may take, ms. Long operations get hours when the drive
 * answers only at their end. */
enum {
    MMC_TIMEOUT_DEFAULT_MS = 30 * 1000,
    MMC_TIMEOUT_READ_MS = 60 * 1000,
    MMC_TIMEOUT_WRITE_MS = 200 * 1000,
    MMC_TIMEOUT_OPC_MS = 200 * 1000,
    MMC_TIMEOUT_LOAD_MS = 300 * 1000,
    MMC_TIMEOUT_IMMEDIATE_MS = 200 * 1000,
    MMC_TIMEOUT_SYNC_MS = 3600 * 1000,
    MMC_TIMEOUT_CLOSE_MS = 3600 * 1000,
    MMC_TIMEOUT_FORMAT_MS = 18000 * 1000
};

enum mmc_result mmc_command_test_unit_ready(struct mmc_transport *transport,
                                            struct mmc_sense *out_sense);

/* Asks for sense, for the progress of a long operation. MMC_OK: *out_sense is
 * the drive's answer, for the caller to classify. Not NULL here. */
enum mmc_result mmc_command_request_sense(struct mmc_transport *transport,
                                          struct mmc_sense *out_sense);

enum mmc_result mmc_command_inquiry(struct mmc_transport *transport,
                                    struct mmc_inquiry *out,
                                    struct mmc_sense *out_sense);

/* All features, current or not. */
enum mmc_result mmc_command_get_configuration(struct mmc_transport *transport,
                                              struct mmc_configuration *out,
                                              struct mmc_sense *out_sense);

enum mmc_result
mmc_command_read_disc_information(struct mmc_transport *transport,
                                  struct mmc_disc_information *out,
                                  struct mmc_sense *out_sense);

enum mmc_result mmc_command_read_track_information(
    struct mmc_transport *transport, enum mmc_track_address kind,
    uint32_t address, struct mmc_track_information *out,
    struct mmc_sense *out_sense);

enum mmc_result
mmc_command_read_format_capacities(struct mmc_transport *transport,
                                   struct mmc_format_capacities *out,
                                   struct mmc_sense *out_sense);

enum mmc_result mmc_command_read_capacity(struct mmc_transport *transport,
                                          struct mmc_capacity *out,
                                          struct mmc_sense *out_sense);

/* MMC_BAD_REPLY also when the drive answers with another page. */
enum mmc_result mmc_command_mode_sense(struct mmc_transport *transport,
                                       enum mmc_mode_control control,
                                       uint8_t page, struct mmc_mode_page *out,
                                       struct mmc_sense *out_sense);

/* Sends `page` with its PS bit cleared; not saved. */
enum mmc_result mmc_command_mode_select(struct mmc_transport *transport,
                                        const struct mmc_mode_page *page,
                                        struct mmc_sense *out_sense);

enum mmc_result mmc_command_start_stop(struct mmc_transport *transport,
                                       enum mmc_unit_action action,
                                       bool immediate,
                                       struct mmc_sense *out_sense);

enum mmc_result mmc_command_prevent_allow(struct mmc_transport *transport,
                                          enum mmc_door door,
                                          struct mmc_sense *out_sense);

/* Reads or writes `count` blocks (1..65535, at most max_transfer_bytes) from
 * `lba`. A reply that is too short is MMC_BAD_REPLY. */
enum mmc_result mmc_command_read(struct mmc_transport *transport, uint32_t lba,
                                 uint32_t count, void *buf,
                                 struct mmc_sense *out_sense);
enum mmc_result mmc_command_write(struct mmc_transport *transport, uint32_t lba,
                                  uint32_t count, const void *buf,
                                  struct mmc_sense *out_sense);
enum mmc_result mmc_command_write_and_verify(struct mmc_transport *transport,
                                             uint32_t lba, uint32_t count,
                                             const void *buf,
                                             struct mmc_sense *out_sense);

/* The drive reads the blocks by itself. */
enum mmc_result mmc_command_verify(struct mmc_transport *transport,
                                   uint32_t lba, uint32_t count,
                                   struct mmc_sense *out_sense);

/* Whole cache to the medium. An error here concerns earlier writes. */
enum mmc_result mmc_command_synchronize_cache(struct mmc_transport *transport,
                                              bool immediate,
                                              struct mmc_sense *out_sense);

enum mmc_result mmc_command_read_toc(struct mmc_transport *transport,
                                     struct mmc_toc *out,
                                     struct mmc_sense *out_sense);
enum mmc_result mmc_command_read_toc_sessions(struct mmc_transport *transport,
                                              struct mmc_toc_sessions *out,
                                              struct mmc_sense *out_sense);
enum mmc_result mmc_command_read_atip(struct mmc_transport *transport,
                                      struct mmc_atip *out,
                                      struct mmc_sense *out_sense);

/* One event of the classes in `mask` (enum mmc_event_mask), consumed. */
enum mmc_result mmc_command_get_event(struct mmc_transport *transport,
                                      uint8_t mask, struct mmc_event *out,
                                      struct mmc_sense *out_sense);

enum mmc_result mmc_command_send_opc(struct mmc_transport *transport,
                                     struct mmc_sense *out_sense);

enum mmc_result mmc_command_close(struct mmc_transport *transport,
                                  enum mmc_close_function function,
                                  uint16_t track, bool immediate,
                                  struct mmc_sense *out_sense);

enum mmc_result
mmc_command_read_buffer_capacity(struct mmc_transport *transport,
                                 struct mmc_buffer_capacity *out,
                                 struct mmc_sense *out_sense);

/* `address`: track or LBA where the type names one, else 0. Destroys data. */
enum mmc_result mmc_command_blank(struct mmc_transport *transport,
                                  enum mmc_blank_type type, uint32_t address,
                                  bool immediate, struct mmc_sense *out_sense);

/* Destroys data. */
enum mmc_result mmc_command_format_unit(struct mmc_transport *transport,
                                        const struct mmc_format *format,
                                        struct mmc_sense *out_sense);

enum mmc_result mmc_command_get_write_speeds(struct mmc_transport *transport,
                                             struct mmc_write_speeds *out,
                                             struct mmc_sense *out_sense);

enum mmc_result mmc_command_read_write_protection(
    struct mmc_transport *transport, enum mmc_structure_media media,
    struct mmc_write_protection *out, struct mmc_sense *out_sense);

enum mmc_result mmc_command_set_streaming(struct mmc_transport *transport,
                                          const struct mmc_streaming *streaming,
                                          struct mmc_sense *out_sense);

/* kB/s are 1000 bytes a second; FFFFh = as fast as it goes. */
enum mmc_result mmc_command_set_cd_speed(struct mmc_transport *transport,
                                         uint16_t read_kbs, uint16_t write_kbs,
                                         struct mmc_sense *out_sense);

#endif
