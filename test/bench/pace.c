/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/bench/pace.c - whether a copy keeps the drive streaming:
 *
 *   pace FOLDER MEDIUM FACTOR MIB
 *
 * The virtual drive runs in real time, FACTOR times as fast as the model, with
 * a buffer that empties by its clock. MIB MiB are written as fast as memory
 * gives them and committed. Prints "pace MEDIUM idle value=V atmost=1": of the
 * time from the first WRITE to the end of the last SYNCHRONIZE CACHE, the per
 * cent in which the drive's mechanism had nothing to do.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/memory.h"
#include "mmc/blockdev.h"
#include "mmc/cdb.h"
#include "mmc/disc.h"
#include "mmc/transport.h"
#include "mmc/transport_pace.h"
#include "mmc/vdrive.h"
#include "udf/format.h"
#include "udf/udf.h"

enum { CHUNK_BYTES = 1 << 20, TURN_MS = 50 };

/* A transport that looks at the drive's clock and work. */
struct watch {
    struct mmc_transport head;
    struct mmc_transport *drive;
    bool written;
    uint64_t from_ms, to_ms;
    uint64_t busy_from_us, busy_to_us;
};

struct writer {
    struct udf_volume *volume;
    pthread_t thread;
    volatile bool stop;
};

static void check(int error, const char *what) {
    if (error) {
        fprintf(stderr, "pace: %s: %s\n", what, strerror(-error));
        exit(1);
    }
}

static uint64_t busy_us(struct watch *watch) {
    struct mmc_vdrive_stats stats;

    mmc_vdrive_get_stats(watch->drive, &stats);
    return stats.busy_us;
}

static int watch_execute(struct mmc_transport *transport,
                         const struct mmc_request *request,
                         struct mmc_reply *reply) {
    struct watch *watch = (struct watch *)transport;
    int error;

    if (request->direction == MMC_DIR_OUT && !watch->written &&
        request->cdb[0] == MMC_OP_WRITE_10) {
        watch->written = true;
        watch->from_ms = mmc_transport_now(watch->drive);
        watch->busy_from_us = busy_us(watch);
    }
    error = mmc_transport_execute(watch->drive, request, reply);
    if (request->cdb[0] == MMC_OP_SYNCHRONIZE_CACHE) {
        watch->to_ms = mmc_transport_now(watch->drive);
        watch->busy_to_us = busy_us(watch);
    }
    return error;
}

static uint64_t watch_now_ms(struct mmc_transport *transport) {
    return mmc_transport_now(((struct watch *)transport)->drive);
}

static void watch_sleep_ms(struct mmc_transport *transport,
                           uint32_t duration_ms) {
    mmc_transport_sleep(((struct watch *)transport)->drive, duration_ms);
}

static void watch_close(struct mmc_transport *transport) {
    mmc_transport_close(((struct watch *)transport)->drive);
}

static void make_volume(const char *path, const char *medium) {
    struct mmc_disc_make make = {.media_name = medium};
    struct mmc_disc_options options = {0};
    struct mmc_prepare_options prepare = {0};
    struct udf_format_options udf = {.label = "pace"};
    struct mmc_disc *disc;
    struct blockdev *dev;

    check(mmc_disc_create(path, &make), "create");
    check(mmc_disc_open(path, &options, &disc), "open");
    check(mmc_disc_prepare(disc, &prepare, NULL, NULL), "prepare");
    check(mmc_disc_attach(disc, true, &dev), "attach");
    check(udf_format(dev, &udf), "format");
    check(mmc_disc_close(disc), "close");
}

static void *run_background(void *argument) {
    struct writer *writer = argument;

    while (!writer->stop) {
        check(udf_background(writer->volume, TURN_MS), "background work");
    }
    return NULL;
}

static void copy(struct udf_volume *volume, uint64_t mib) {
    static const struct udf_cred owner;
    static uint8_t buf[CHUNK_BYTES];
    struct udf_name name = {.text = "large", .len = 5};
    struct udf_make make = {.mode = S_IFREG | 0644};
    struct udf_stat stat;

    check(udf_create(volume, UDF_ROOT_INO, &name, &make, &owner, &stat),
          "create");
    for (uint64_t i = 0; i < mib; i++) {
        memset(buf, (int)(i % 255) + 1, sizeof(buf));
        check(udf_write(volume, stat.ino, i * CHUNK_BYTES, CHUNK_BYTES, buf),
              "write");
    }
    check(udf_commit(volume), "commit");
}

int main(int argc, char **argv) {
    static const struct mmc_transport_ops ops = {watch_execute, watch_now_ms,
                                                 watch_sleep_ms, watch_close};
    static struct watch watch;
    struct mmc_vdrive_fault buffer =
        mmc_vdrive_fault_of(MMC_VDRIVE_STRICT_BUFFER);
    struct udf_mount_options udf = {0};
    struct mmc_disc_options options = {0};
    struct writer writer = {0};
    struct mmc_transport *paced;
    struct mmc_disc *disc;
    struct blockdev *dev;
    char path[512];
    double span, busy;

    if (argc != 5) {
        fprintf(stderr, "pace: see the head of pace.c\n");
        return 2;
    }
    cli_tune_memory(); /* as udfpkt-mount does */
    snprintf(path, sizeof(path), "%s/pace.img", argv[1]);
    make_volume(path, argv[2]);
    check(mmc_vdrive_open(path, true, &watch.drive), "switch on");
    buffer.times = 0;
    check(mmc_vdrive_inject(watch.drive, &buffer), "inject");
    watch.head = (struct mmc_transport){
        .ops = &ops, .max_transfer_bytes = watch.drive->max_transfer_bytes};
    check(mmc_transport_pace_open(&watch.head, (uint32_t)atoi(argv[3]), true,
                                  &paced),
          "pace");
    check(mmc_disc_open_transport(paced, &options, &disc), "open");
    check(mmc_disc_attach(disc, true, &dev), "attach");
    check(udf_mount(dev, &udf, &writer.volume), "mount");
    check(-pthread_create(&writer.thread, NULL, run_background, &writer),
          "thread");
    copy(writer.volume, strtoull(argv[4], NULL, 10));
    span = (double)(watch.to_ms - watch.from_ms);
    busy = (double)(watch.busy_to_us - watch.busy_from_us) / 1000;
    printf("pace %s idle value=%.3f atmost=1\n", argv[2],
           100 * (span - busy) / span);
    writer.stop = true;
    udf_wake(writer.volume);
    pthread_join(writer.thread, NULL);
    check(udf_unmount(writer.volume), "unmount");
    check(mmc_disc_close(disc), "close");
    return 0;
}
