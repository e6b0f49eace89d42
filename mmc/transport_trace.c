/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/transport_trace.c - passes every command on and writes it down. A line
 * is flushed at once: the last line before a crash is the one that matters. A
 * trace that cannot be written never fails a command.
 */
#include "mmc/transport_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mmc/sense.h"
#include "mmc/transport.h"

struct trace_transport {
    struct mmc_transport head;
    struct mmc_transport *inner;
    FILE *file;
};

enum { STATUS_GOOD = 0x00, STATUS_CHECK_CONDITION = 0x02 };

static struct trace_transport *of(struct mmc_transport *transport) {
    return (struct trace_transport *)transport;
}

static void print_request(FILE *file, const struct mmc_request *request) {
    static const char *const directions[] = {
        [MMC_DIR_NONE] = "none", [MMC_DIR_IN] = "in", [MMC_DIR_OUT] = "out"};

    for (unsigned i = 0; i < request->cdb_len && i < MMC_CDB_MAX; i++) {
        fprintf(file, " %02X", request->cdb[i]);
    }
    fprintf(file, " %s", directions[request->direction]);
}

static void print_reply(FILE *file, const struct mmc_reply *reply) {
    struct mmc_sense sense;
    char text[160];
    size_t len = reply->sense_len;

    if (reply->status == STATUS_GOOD) {
        fputs(" good", file);
        return;
    }
    if (reply->status != STATUS_CHECK_CONDITION) {
        fprintf(file, " status %02X", reply->status);
        return;
    }
    len = len < sizeof(reply->sense) ? len : sizeof(reply->sense);
    if (mmc_sense_decode(reply->sense, len, &sense) < 0) {
        fputs(" check without sense", file);
        return;
    }
    mmc_sense_text(&sense, text, sizeof(text));
    fprintf(file, " check %s", text);
}

static int trace_execute(struct mmc_transport *transport,
                         const struct mmc_request *request,
                         struct mmc_reply *reply) {
    struct trace_transport *trace = of(transport);
    uint64_t before = mmc_transport_now(trace->inner);
    int error = mmc_transport_execute(trace->inner, request, reply);
    uint64_t after = mmc_transport_now(trace->inner);
    FILE *file = trace->file;

    fprintf(file, "%" PRIu64 ".%03" PRIu64, before / 1000, before % 1000);
    print_request(file, request);
    if (error < 0) {
        fprintf(file, " %" PRIu32 " failed: %s", request->data_len,
                strerror(-error));
    } else {
        fprintf(file, " %" PRIu32, reply->data_len);
        print_reply(file, reply);
    }
    fprintf(file, " %" PRIu64 " ms\n", after - before);
    fflush(file);
    return error;
}

static uint64_t trace_now_ms(struct mmc_transport *transport) {
    return mmc_transport_now(of(transport)->inner);
}

static void trace_sleep_ms(struct mmc_transport *transport,
                           uint32_t duration_ms) {
    mmc_transport_sleep(of(transport)->inner, duration_ms);
}

static void trace_close(struct mmc_transport *transport) {
    struct trace_transport *trace = of(transport);

    mmc_transport_close(trace->inner);
    fclose(trace->file);
    free(trace);
}

static const struct mmc_transport_ops trace_ops = {trace_execute, trace_now_ms,
                                                   trace_sleep_ms, trace_close};

/* A trace names what a user does with his disc: only he may read it. */
static int open_file(const char *path, FILE **out_file) {
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int error;

    if (fd < 0) {
        return -errno;
    }
    *out_file = fdopen(fd, "a");
    if (!*out_file) {
        error = -errno;
        close(fd);
        return error;
    }
    return 0;
}

int mmc_transport_trace_open(struct mmc_transport *inner, const char *path,
                             struct mmc_transport **out_transport) {
    struct trace_transport *trace = calloc(1, sizeof(*trace));
    int error;

    if (!trace) {
        return -ENOMEM;
    }
    error = open_file(path, &trace->file);
    if (error < 0) {
        free(trace);
        return error;
    }
    trace->head.ops = &trace_ops;
    trace->head.max_transfer_bytes = inner->max_transfer_bytes;
    trace->inner = inner;
    *out_transport = &trace->head;
    return 0;
}
