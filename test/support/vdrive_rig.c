/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/vdrive_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/command.h"

enum { POWER_ON = 0x062900, CHANGED = 0x062800, FORMATTING = 0x020404 };

void rig_open(struct vdrive_rig *rig) {
    rig_open_medium(rig, "cdrw", RIG_BLOCKS);
}

void rig_open_medium(struct vdrive_rig *rig, const char *word,
                     uint32_t blocks) {
    memset(rig, 0, sizeof(*rig));
    snprintf(rig->folder, sizeof(rig->folder), "%s",
             "/tmp/udfpkt-vdrive-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->path, sizeof(rig->path), "%s/disc", rig->folder);
    assert_int_equal(mmc_vdrive_create(rig->path, word, blocks), 0);
    assert_int_equal(mmc_vdrive_open(rig->path, true, &rig->transport), 0);
    assert_int_equal(rig_ready(rig), POWER_ON);
}

void rig_open_formatted(struct vdrive_rig *rig) {
    rig_open(rig);
    assert_int_equal(rig_select_packets(rig), 0);
    assert_int_equal(rig_format(rig, RIG_BLOCKS, false), 0);
    assert_int_equal(rig_ready(rig), CHANGED);
    assert_int_equal(rig_select_packets(rig), 0);
}

void rig_reopen(struct vdrive_rig *rig) {
    mmc_transport_close(rig->transport);
    rig->transport = NULL;
    assert_int_equal(mmc_vdrive_open(rig->path, true, &rig->transport), 0);
    assert_int_equal(rig_ready(rig), POWER_ON);
}

void rig_close(struct vdrive_rig *rig) {
    static const char *const suffixes[] = {"", ".udfpkt", ".udfpkt-faults"};
    char path[128];

    mmc_transport_close(rig->transport);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", rig->path, suffixes[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(rig->folder), 0);
}

int32_t rig_send(struct vdrive_rig *rig, struct mmc_request *request,
                 void *data) {
    const uint8_t *sense = rig->reply.sense;
    int error;

    request->data = data;
    memset(&rig->reply, 0, sizeof(rig->reply));
    error = mmc_transport_execute(rig->transport, request, &rig->reply);
    if (error < 0) {
        return error;
    }
    assert_int_equal(rig->reply.status, rig->reply.sense_len ? 2 : 0);
    return sense[2] << 16 | sense[12] << 8 | sense[13];
}

int32_t rig_ready(struct vdrive_rig *rig) {
    struct mmc_request request;

    mmc_cdb_test_unit_ready(&request);
    return rig_send(rig, &request, NULL);
}

int32_t rig_read(struct vdrive_rig *rig, uint32_t lba, uint16_t count,
                 void *buf) {
    struct mmc_request request;

    mmc_cdb_read_10(&request, lba, count);
    return rig_send(rig, &request, buf);
}

int32_t rig_write(struct vdrive_rig *rig, uint32_t lba, uint16_t count,
                  const void *buf) {
    struct mmc_request request;

    mmc_cdb_write_10(&request, lba, count);
    return rig_send(rig, &request, (void *)(uintptr_t)buf);
}

int32_t rig_fill(struct vdrive_rig *rig, uint32_t pkt, uint16_t packets,
                 uint8_t fill) {
    uint8_t *data = malloc((size_t)packets * RIG_PACKET_BYTES);
    int32_t sense;

    assert_non_null(data);
    memset(data, fill, (size_t)packets * RIG_PACKET_BYTES);
    sense = rig_write(rig, pkt * RIG_PACKET, (uint16_t)(packets * RIG_PACKET),
                      data);
    free(data);
    return sense;
}

bool rig_holds(struct vdrive_rig *rig, uint32_t pkt, uint8_t fill) {
    uint8_t *data = malloc(RIG_PACKET_BYTES);
    bool same = true;

    assert_non_null(data);
    assert_int_equal(rig_read(rig, pkt * RIG_PACKET, RIG_PACKET, data), 0);
    assert_int_equal(rig->reply.data_len, RIG_PACKET_BYTES);
    for (size_t i = 0; i < RIG_PACKET_BYTES; i++) {
        same = same && data[i] == fill;
    }
    free(data);
    return same;
}

int32_t rig_sync(struct vdrive_rig *rig) {
    struct mmc_request request;

    mmc_cdb_synchronize_cache(&request, false);
    return rig_send(rig, &request, NULL);
}

int32_t rig_format(struct vdrive_rig *rig, uint32_t blocks, bool immediate) {
    struct mmc_format format = {.type = MMC_FORMAT_PACKET_FULL,
                                .blocks = blocks,
                                .parameter = RIG_PACKET,
                                .immediate = immediate};
    uint8_t list[MMC_FORMAT_LEGACY_LIST_BYTES];
    struct mmc_request request;

    mmc_cdb_format_unit(&request, &format);
    mmc_cdb_format_list(&format, list);
    return rig_send(rig, &request, list);
}

int32_t rig_select_packets(struct vdrive_rig *rig) {
    rig_select_packets_of(rig, RIG_PACKET);
    return 0;
}

void rig_select_packets_of(struct vdrive_rig *rig, uint8_t packet_blocks) {
    struct mmc_mode_page page;

    assert_int_equal(mmc_command_mode_sense(rig->transport, MMC_MODE_DEFAULT,
                                            MMC_MODE_WRITE_PARAMETERS, &page,
                                            NULL),
                     MMC_OK);
    page.bytes[2] = 0x40;
    page.bytes[3] = 0x25;
    page.bytes[4] = 8;
    page.bytes[8] = 0;
    page.bytes[13] = packet_blocks;
    assert_int_equal(mmc_command_mode_select(rig->transport, &page, NULL),
                     MMC_OK);
}

/* ---- Any medium ---------------------------------------------------------- */

int32_t rig_format_as(struct vdrive_rig *rig, struct mmc_format format) {
    uint8_t list[MMC_FORMAT_LEGACY_LIST_BYTES];
    struct mmc_request request;
    int32_t sense;

    mmc_cdb_format_unit(&request, &format);
    mmc_cdb_format_list(&format, list);
    sense = rig_send(rig, &request, list);
    while (!sense && rig_ready(rig) == FORMATTING) {
        mmc_transport_sleep(rig->transport, 1000);
    }
    return sense;
}

int32_t rig_blank(struct vdrive_rig *rig, enum mmc_blank_type type) {
    struct mmc_request request;

    mmc_cdb_blank(&request, type, 0, false);
    return rig_send(rig, &request, NULL);
}

int32_t rig_close_session(struct vdrive_rig *rig,
                          enum mmc_close_function function) {
    struct mmc_request request;

    mmc_cdb_close_track_session(&request, function, 1, false);
    return rig_send(rig, &request, NULL);
}

int32_t rig_write_fill(struct vdrive_rig *rig, uint32_t lba, uint16_t count,
                       uint8_t fill) {
    size_t bytes = (size_t)count * MMC_BLOCK_BYTES;
    uint8_t *data = malloc(bytes);
    int32_t sense;

    assert_non_null(data);
    memset(data, fill, bytes);
    sense = rig_write(rig, lba, count, data);
    free(data);
    return sense;
}

bool rig_blocks_hold(struct vdrive_rig *rig, uint32_t lba, uint16_t count,
                     uint8_t fill) {
    size_t bytes = (size_t)count * MMC_BLOCK_BYTES;
    uint8_t *data = malloc(bytes);
    bool same = true;

    assert_non_null(data);
    assert_int_equal(rig_read(rig, lba, count, data), 0);
    for (size_t i = 0; i < bytes; i++) {
        same = same && data[i] == fill;
    }
    free(data);
    return same;
}

bool rig_feature(struct vdrive_rig *rig, uint16_t code) {
    struct mmc_configuration *configuration = malloc(sizeof(*configuration));
    bool current;

    assert_non_null(configuration);
    assert_int_equal(
        mmc_command_get_configuration(rig->transport, configuration, NULL),
        MMC_OK);
    current = mmc_feature_is_current(configuration, code);
    free(configuration);
    return current;
}

uint16_t rig_profile(struct vdrive_rig *rig) {
    struct mmc_request request;
    uint8_t reply[8];

    mmc_cdb_get_configuration(&request, MMC_FEATURES_ALL, 0, sizeof(reply));
    assert_int_equal(rig_send(rig, &request, reply), 0);
    return (uint16_t)(reply[6] << 8 | reply[7]);
}

uint32_t rig_capacity(struct vdrive_rig *rig) {
    struct mmc_capacity capacity;

    assert_int_equal(mmc_command_read_capacity(rig->transport, &capacity, NULL),
                     MMC_OK);
    return capacity.last_lba + 1;
}

struct mmc_disc_information rig_disc(struct vdrive_rig *rig) {
    struct mmc_disc_information disc;

    assert_int_equal(
        mmc_command_read_disc_information(rig->transport, &disc, NULL), MMC_OK);
    return disc;
}

struct mmc_track_information rig_track(struct vdrive_rig *rig) {
    struct mmc_track_information track;

    assert_int_equal(mmc_command_read_track_information(
                         rig->transport, MMC_TRACK_BY_NUMBER, 1, &track, NULL),
                     MMC_OK);
    return track;
}

struct mmc_format_capacities rig_formats(struct vdrive_rig *rig) {
    struct mmc_format_capacities capacities;

    assert_int_equal(
        mmc_command_read_format_capacities(rig->transport, &capacities, NULL),
        MMC_OK);
    return capacities;
}

uint32_t rig_offer(struct vdrive_rig *rig, uint8_t type) {
    struct mmc_format_capacities capacities = rig_formats(rig);
    struct mmc_format_descriptor offer;

    return mmc_format_find(&capacities, type, &offer) < 0 ? UINT32_MAX
                                                          : offer.blocks;
}

struct mmc_vdrive_stats rig_stats(struct vdrive_rig *rig) {
    struct mmc_vdrive_stats stats;

    mmc_vdrive_get_stats(rig->transport, &stats);
    return stats;
}

uint8_t rig_event(struct vdrive_rig *rig) {
    struct mmc_request request;
    uint8_t reply[8];

    mmc_cdb_get_event_status(&request, MMC_EVENTS_MEDIA, sizeof(reply));
    assert_int_equal(rig_send(rig, &request, reply), 0);
    return reply[4];
}

void rig_sleep_s(struct vdrive_rig *rig, uint32_t seconds) {
    mmc_transport_sleep(rig->transport, seconds * 1000);
}
