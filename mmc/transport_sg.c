/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/transport_sg.c - SG_IO on /dev/srN or /dev/sgN. The kernel lets an
 * ordinary user send these commands on a device that he may open; the writing
 * ones only when it is open for writing.
 */
#include "mmc/transport_sg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <scsi/sg_pt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mmc/transport.h"

/* 64 KiB pass every USB bridge that is known; the upper bound keeps single
 * commands short enough to be interrupted by others. */
enum {
    TRANSFER_FALLBACK_BYTES = 64 * 1024,
    TRANSFER_MAX_BYTES = 128 * 1024,
    TRANSFER_STEP_BYTES = 2048,
    KERNEL_SECTOR_BYTES = 512
};

struct sg_transport {
    struct mmc_transport head;
    int fd;
    struct sg_pt_base *pt; /* used again for every command */
};

static struct sg_transport *of(struct mmc_transport *transport) {
    return (struct sg_transport *)transport;
}

/* What errno of the kernel's pass-through means for the seam. */
static int connection_error(int error) {
    switch (error) {
    case ENODEV:
    case ENXIO:
    case ESHUTDOWN:
        return -ENODEV;
    case ETIMEDOUT:
        return -ETIMEDOUT;
    case EPERM:
    case EACCES:
        return -EPERM;
    default:
        return -EIO;
    }
}

/* Host byte of SG_IO: what the kernel's SCSI layer says where the drive said
 * nothing. DID_NO_CONNECT and DID_BAD_TARGET: unplugged; DID_TIME_OUT and
 * DID_TRANSPORT_DISRUPTED ... count by what helps against them. */
static int host_error(int transport_error) {
    enum { NO_CONNECT = 0x01, TIME_OUT = 0x03, BAD_TARGET = 0x04 };

    switch (transport_error & 0xFF) {
    case NO_CONNECT:
    case BAD_TARGET:
        return -ENODEV;
    case TIME_OUT:
        return -ETIMEDOUT;
    default:
        return -EIO;
    }
}

/* Hands the request to sg_pt. */
static void set_up(struct sg_pt_base *pt, const struct mmc_request *request,
                   struct mmc_reply *reply) {
    set_scsi_pt_cdb(pt, request->cdb, request->cdb_len);
    set_scsi_pt_sense(pt, reply->sense, sizeof(reply->sense));
    if (request->direction == MMC_DIR_IN) {
        set_scsi_pt_data_in(pt, request->data, (int)request->data_len);
    } else if (request->direction == MMC_DIR_OUT) {
        set_scsi_pt_data_out(pt, request->data, (int)request->data_len);
    }
}

/* Bytes moved: all but the residue, which is not to be believed beyond what
 * was asked for. */
static uint32_t moved(struct sg_pt_base *pt, uint32_t data_len) {
    int residue = get_scsi_pt_resid(pt);

    if (residue <= 0) {
        return data_len;
    }
    return (uint32_t)residue < data_len ? data_len - (uint32_t)residue : 0;
}

static int finish(struct sg_transport *sg, const struct mmc_request *request,
                  struct mmc_reply *reply) {
    int sense_len;

    switch (get_scsi_pt_result_category(sg->pt)) {
    case SCSI_PT_RESULT_GOOD:
    case SCSI_PT_RESULT_STATUS:
    case SCSI_PT_RESULT_SENSE:
        break;
    case SCSI_PT_RESULT_TRANSPORT_ERR:
        return host_error(get_scsi_pt_transport_err(sg->pt));
    default:
        return connection_error(get_scsi_pt_os_err(sg->pt));
    }
    sense_len = get_scsi_pt_sense_len(sg->pt);
    reply->status = (uint8_t)get_scsi_pt_status_response(sg->pt);
    reply->sense_len = (uint8_t)(sense_len < 0               ? 0
                                 : sense_len < MMC_SENSE_MAX ? sense_len
                                                             : MMC_SENSE_MAX);
    reply->data_len = moved(sg->pt, request->data_len);
    return 0;
}

static int sg_execute(struct mmc_transport *transport,
                      const struct mmc_request *request,
                      struct mmc_reply *reply) {
    struct sg_transport *sg = of(transport);
    int seconds = (int)((request->timeout_ms + UINT64_C(999)) / 1000);
    int error;

    if (request->data_len > INT_MAX) {
        return -EIO;
    }
    memset(reply, 0, sizeof(*reply));
    clear_scsi_pt_obj(sg->pt);
    set_up(sg->pt, request, reply);
    error = do_scsi_pt(sg->pt, sg->fd, seconds, 0);
    if (error < 0) {
        return connection_error(-error);
    }
    if (error == SCSI_PT_DO_TIMEOUT) {
        return -ETIMEDOUT;
    }
    return error ? -EIO : finish(sg, request, reply);
}

static uint64_t sg_now_ms(struct mmc_transport *transport) {
    struct timespec now;

    (void)transport;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void sg_sleep_ms(struct mmc_transport *transport, uint32_t duration_ms) {
    struct timespec left = {duration_ms / 1000,
                            (long)(duration_ms % 1000) * 1000000};

    (void)transport;
    /* A signal must not make a drive ready sooner. */
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {
    }
}

static void sg_close(struct mmc_transport *transport) {
    struct sg_transport *sg = of(transport);

    if (sg->pt) {
        destruct_scsi_pt_obj(sg->pt);
    }
    close(sg->fd);
    free(sg);
}

static const struct mmc_transport_ops sg_ops = {sg_execute, sg_now_ms,
                                                sg_sleep_ms, sg_close};

/* The longest transfer that the path to the drive takes. The answer of a
 * block device is an unsigned short of 512-byte sectors, that of a
 * SCSI-generic one an int of bytes. */
static uint32_t longest_transfer(int fd, bool block) {
    uint64_t bytes = 0;
    unsigned short sectors = 0;
    int generic = 0;

    if (block && ioctl(fd, BLKSECTGET, &sectors) == 0) {
        bytes = (uint64_t)sectors * KERNEL_SECTOR_BYTES;
    } else if (!block && ioctl(fd, BLKSECTGET, &generic) == 0 && generic > 0) {
        bytes = (uint64_t)generic;
    }
    if (bytes < TRANSFER_STEP_BYTES) {
        return TRANSFER_FALLBACK_BYTES;
    }
    if (bytes > TRANSFER_MAX_BYTES) {
        return TRANSFER_MAX_BYTES;
    }
    return (uint32_t)(bytes - bytes % TRANSFER_STEP_BYTES);
}

/* Opens without waiting for a medium (O_NONBLOCK), which also keeps the
 * kernel's hands off the door. O_EXCL keeps other openers with O_EXCL, mount
 * among them, away. */
static int open_device(const char *path, bool writable, int *out_fd) {
    int flags = O_NONBLOCK | O_CLOEXEC;
    int fd = open(path, flags | (writable ? O_RDWR | O_EXCL : O_RDONLY));

    if (fd < 0) {
        return -errno;
    }
    *out_fd = fd;
    return 0;
}

/* Whether `fd` speaks SG_IO at all; *out_block: a block device. */
static int check_device(int fd, bool *out_block) {
    struct stat status;
    int version = 0;

    if (fstat(fd, &status) < 0) {
        return -errno;
    }
    if (!S_ISBLK(status.st_mode) && !S_ISCHR(status.st_mode)) {
        return -ENXIO;
    }
    /* Version 3 brought SG_IO. */
    if (ioctl(fd, SG_GET_VERSION_NUM, &version) < 0 || version < 30000) {
        return -ENXIO;
    }
    *out_block = S_ISBLK(status.st_mode);
    return 0;
}

int mmc_transport_sg_open(const char *path, bool writable,
                          struct mmc_transport **out_transport) {
    struct sg_transport *sg;
    bool block = false;
    int fd = -1;
    int error = open_device(path, writable, &fd);

    if (error < 0) {
        return error;
    }
    error = check_device(fd, &block);
    if (error < 0) {
        close(fd);
        return error;
    }
    sg = calloc(1, sizeof(*sg));
    if (!sg) {
        close(fd);
        return -ENOMEM;
    }
    sg->head.ops = &sg_ops;
    sg->head.max_transfer_bytes = longest_transfer(fd, block);
    sg->fd = fd;
    sg->pt = construct_scsi_pt_obj_with_fd(fd, 0);
    if (!sg->pt) {
        sg_close(&sg->head);
        return -ENOMEM;
    }
    *out_transport = &sg->head;
    return 0;
}
