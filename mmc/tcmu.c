/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/tcmu.c - the process's side of a TCMU device: /dev/uioN is its bell, the
 * memory that is mapped from it the ring (mmc/tcmu_ring.h). Commands are
 * answered one after the other in the order in which they came.
 */
#include "mmc/tcmu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mmc/cdb.h"
#include "mmc/log.h"
#include "mmc/tcmu_config.h"
#include "mmc/tcmu_ring.h"
#include "mmc/transport.h"

enum { STATUS_CHECK_CONDITION = 0x02, STATUS_BUSY = 0x08, SENSE_BYTES = 18 };

/* Sense for what never reaches the transport, or does not come back. */
enum {
    SENSE_COMMUNICATION_FAILURE = 0x040800,
    SENSE_UNKNOWN_OPCODE = 0x052000,
    SENSE_INVALID_FIELD = 0x052400
};

struct mmc_tcmu {
    char name[MMC_TCMU_NAME_MAX + 1];
    struct mmc_transport *transport;
    struct tcmu_ring ring;
    int fd;
    void *map;
    size_t map_bytes;
    uint8_t *buffer; /* one command's data, transport->max_transfer_bytes */
    bool gone;       /* the transport's drive */
    bool made;       /* the device is in configfs */
};

/* ---- One command -------------------------------------------------------- */

/* Fixed format (SPC-3 4.5.3). */
static void fail(struct mmc_reply *reply, uint32_t sense) {
    memset(reply, 0, sizeof(*reply));
    reply->status = STATUS_CHECK_CONDITION;
    reply->sense_len = SENSE_BYTES;
    reply->sense[0] = 0x70;
    reply->sense[2] = (uint8_t)(sense >> 16);
    reply->sense[7] = SENSE_BYTES - 8;
    reply->sense[12] = (uint8_t)(sense >> 8);
    reply->sense[13] = (uint8_t)sense;
}

/* A bus without its drive cannot say anything; BUSY makes the kernel ask again
 * until it has learnt that the device is off the bus. */
static void answer_gone(struct mmc_reply *reply) {
    memset(reply, 0, sizeof(*reply));
    reply->status = STATUS_BUSY;
}

static void execute(struct mmc_tcmu *tcmu, const struct mmc_request *request,
                    struct mmc_reply *reply) {
    int error = tcmu->gone
                    ? -ENODEV
                    : mmc_transport_execute(tcmu->transport, request, reply);

    if (error == -ENODEV) {
        tcmu->gone = true;
        answer_gone(reply);
    } else if (error) {
        mmc_log(MMC_LOG_WARN, "%s: command %02Xh: %s", tcmu->name,
                request->cdb[0], strerror(-error));
        fail(reply, SENSE_COMMUNICATION_FAILURE);
    }
}

/* The kernel does not say which way the data goes: the opcode does. */
static void answer(struct mmc_tcmu *tcmu, const struct tcmu_entry *entry) {
    bool sends = mmc_cdb_sends_data(entry->cdb[0]);
    struct mmc_request request = {.cdb_len = entry->cdb_len,
                                  .data = tcmu->buffer,
                                  .data_len = entry->data_len};
    struct mmc_reply reply = {0};
    uint32_t came = 0;

    memcpy(request.cdb, entry->cdb, sizeof(request.cdb));
    if (entry->data_len) {
        request.direction = sends ? MMC_DIR_OUT : MMC_DIR_IN;
    }
    if (entry->cdb_len == 0) {
        fail(&reply, SENSE_UNKNOWN_OPCODE);
    } else if (entry->data_len > tcmu->transport->max_transfer_bytes) {
        fail(&reply, SENSE_INVALID_FIELD);
    } else {
        if (sends) {
            tcmu_ring_gather(&tcmu->ring, entry, tcmu->buffer);
        }
        execute(tcmu, &request, &reply);
        came = sends ? 0 : reply.data_len;
    }
    came = came < entry->data_len ? came : entry->data_len;
    tcmu_ring_scatter(&tcmu->ring, entry, tcmu->buffer, came);
    tcmu_ring_complete(&tcmu->ring, entry, &reply, !sends);
}

/* Tells the kernel that there are answers. */
static void ring_bell(const struct mmc_tcmu *tcmu) {
    static const uint32_t any = 0;
    ssize_t written;

    do {
        written = write(tcmu->fd, &any, sizeof(any));
    } while (written < 0 && errno == EINTR);
}

int mmc_tcmu_serve(struct mmc_tcmu *tcmu) {
    struct tcmu_entry entry;
    uint32_t calls;
    ssize_t got;
    int error;

    /* How often the bell rang does not matter, only that it is quiet again
     * before the ring is looked at. */
    got = read(tcmu->fd, &calls, sizeof(calls));
    (void)got;
    while ((error = tcmu_ring_next(&tcmu->ring, &entry)) == 0) {
        answer(tcmu, &entry);
        ring_bell(tcmu);
    }
    if (error != -ENOENT) {
        mmc_log(MMC_LOG_ERROR, "%s: the kernel's ring is broken", tcmu->name);
        return error;
    }
    return tcmu->gone ? -ENODEV : 0;
}

/* ---- Making and closing ------------------------------------------------- */

static int map_ring(struct mmc_tcmu *tcmu) {
    char path[32];
    unsigned number;
    int error = tcmu_config_find_uio(tcmu->name, &number, &tcmu->map_bytes);

    if (error) {
        return error;
    }
    snprintf(path, sizeof(path), "/dev/uio%u", number);
    tcmu->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tcmu->fd < 0) {
        return -errno;
    }
    tcmu->map = mmap(NULL, tcmu->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                     tcmu->fd, 0);
    return tcmu->map == MAP_FAILED
               ? -errno
               : tcmu_ring_init(&tcmu->ring, tcmu->map, tcmu->map_bytes);
}

int mmc_tcmu_open(const char *name, struct mmc_transport *transport,
                  struct mmc_tcmu **out_tcmu) {
    struct mmc_tcmu *tcmu;
    int error;

    if (!mmc_tcmu_name_valid(name)) {
        return -EINVAL;
    }
    tcmu = calloc(1, sizeof(*tcmu));
    if (!tcmu) {
        return -ENOMEM;
    }
    snprintf(tcmu->name, sizeof(tcmu->name), "%s", name);
    tcmu->fd = -1;
    tcmu->map = MAP_FAILED;
    tcmu->transport = transport;
    tcmu->buffer = malloc(transport->max_transfer_bytes);
    error = tcmu->buffer ? tcmu_config_create(name) : -ENOMEM;
    if (!error) {
        tcmu->made = true;
        error = map_ring(tcmu);
    }
    if (error) {
        mmc_tcmu_close(tcmu);
        return error;
    }
    *out_tcmu = tcmu;
    return 0;
}

int mmc_tcmu_fd(const struct mmc_tcmu *tcmu) {
    return tcmu->fd;
}

int mmc_tcmu_plug(const struct mmc_tcmu *tcmu,
                  struct mmc_tcmu_nodes *out_nodes) {
    return tcmu_config_plug(tcmu->name, tcmu->transport->max_transfer_bytes,
                            out_nodes);
}

void mmc_tcmu_close(struct mmc_tcmu *tcmu) {
    int error = 0;

    if (!tcmu) {
        return;
    }
    if (tcmu->map != MAP_FAILED) {
        munmap(tcmu->map, tcmu->map_bytes);
    }
    if (tcmu->fd >= 0) {
        close(tcmu->fd);
    }
    if (tcmu->made) {
        error = tcmu_config_destroy(tcmu->name);
    }
    if (error) {
        mmc_log(MMC_LOG_WARN, "%s: the kernel keeps the device: %s", tcmu->name,
                strerror(-error));
    }
    free(tcmu->buffer);
    free(tcmu);
}
