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

enum { POWER_ON = 0x062900, CHANGED = 0x062800 };

void rig_open(struct vdrive_rig *rig) {
    memset(rig, 0, sizeof(*rig));
    snprintf(rig->folder, sizeof(rig->folder), "%s",
             "/tmp/udfpkt-vdrive-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->path, sizeof(rig->path), "%s/disc", rig->folder);
    assert_int_equal(mmc_vdrive_create(rig->path, "cdrw", RIG_BLOCKS), 0);
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
    struct mmc_mode_page page;

    assert_int_equal(mmc_command_mode_sense(rig->transport, MMC_MODE_DEFAULT,
                                            MMC_MODE_WRITE_PARAMETERS, &page,
                                            NULL),
                     MMC_OK);
    page.bytes[2] = 0x40;
    page.bytes[3] = 0x25;
    page.bytes[4] = 8;
    page.bytes[8] = 0;
    page.bytes[13] = RIG_PACKET;
    assert_int_equal(mmc_command_mode_select(rig->transport, &page, NULL),
                     MMC_OK);
    return 0;
}
