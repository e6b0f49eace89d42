/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/transport.h - the seam between MMC commands and whatever executes them.
 *
 * A transport carries one command descriptor block (CDB) to a drive and
 * brings back status and sense. It knows no command: building CDBs is
 * mmc/cdb's work, understanding sense is mmc/sense's.
 *
 * Three transports exist: mmc/transport_sg (SG_IO through libsgutils2),
 * mmc/vdrive (the virtual drive) and mmc/transport_trace (wraps another one
 * and writes every command down).
 *
 * The clock is part of the seam: a drive answers in its own time, and the
 * virtual drive's time is simulated. Whoever waits for a drive waits with
 * mmc_transport_sleep() and nothing else.
 *
 * Invariants:
 *  1. data_len is exactly the length that the CDB announces.
 *  2. A transport is used by one thread at a time; mmc/drive holds the lock.
 */
#ifndef MMC_TRANSPORT_H
#define MMC_TRANSPORT_H

#include <stdint.h>

enum { MMC_SENSE_MAX = 64, MMC_CDB_MAX = 16 };

enum mmc_direction { MMC_DIR_NONE, MMC_DIR_IN, MMC_DIR_OUT };

/* One command on its way to the drive. */
struct mmc_request {
    uint8_t cdb[MMC_CDB_MAX];
    uint8_t cdb_len; /* 6, 10, 12 or 16 bytes */
    enum mmc_direction direction;
    void *data;        /* data_len bytes; only read from for MMC_DIR_OUT */
    uint32_t data_len; /* bytes */
    uint32_t timeout_ms;
};

/* What came back. */
struct mmc_reply {
    uint8_t status; /* SCSI status: 00h GOOD, 02h CHECK CONDITION, ... */
    uint8_t sense_len;
    uint8_t sense[MMC_SENSE_MAX]; /* fixed or descriptor format */
    uint32_t data_len;            /* bytes really transferred */
};

struct mmc_transport;

struct mmc_transport_ops {
    /* Executes one command. Returns 0 when the drive answered, whatever its
     * status; -ENODEV when the drive is gone; -ETIMEDOUT when it did not
     * answer within timeout_ms; -EPERM when the kernel refuses the command;
     * -EIO for any other failure of the connection. */
    int (*execute)(struct mmc_transport *transport,
                   const struct mmc_request *request, struct mmc_reply *reply);
    /* Monotonic time of this drive's clock, ms. */
    uint64_t (*now_ms)(struct mmc_transport *transport);
    /* Lets duration_ms pass on this drive's clock. */
    void (*sleep_ms)(struct mmc_transport *transport, uint32_t duration_ms);
    /* Frees the transport and what it holds. */
    void (*close)(struct mmc_transport *transport);
};

/* The head of every transport: implementations embed it first. */
struct mmc_transport {
    const struct mmc_transport_ops *ops;
    uint32_t max_transfer_bytes; /* longest data phase, a multiple of 2048 */
};

static inline int mmc_transport_execute(struct mmc_transport *transport,
                                        const struct mmc_request *request,
                                        struct mmc_reply *reply) {
    return transport->ops->execute(transport, request, reply);
}

static inline uint64_t mmc_transport_now(struct mmc_transport *transport) {
    return transport->ops->now_ms(transport);
}

static inline void mmc_transport_sleep(struct mmc_transport *transport,
                                       uint32_t duration_ms) {
    transport->ops->sleep_ms(transport, duration_ms);
}

/* Closes `transport`; NULL is accepted. */
static inline void mmc_transport_close(struct mmc_transport *transport) {
    if (transport) {
        transport->ops->close(transport);
    }
}

#endif
