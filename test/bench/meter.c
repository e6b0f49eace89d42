/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/bench/meter.c - what a virtual drive did between two moments, both with
 * nobody using it.
 *
 *   meter begin IMAGE FILE     keeps in FILE what the drive did so far
 *   meter end IMAGE FILE       prints what it did since, as "key=value ..."
 *
 * hottest: how often the packet that was written most often was written since.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/transport.h"
#include "mmc/vdrive.h"

enum { PACKETS_MAX = 1 << 20 };

struct reading {
    struct mmc_vdrive_stats stats;
    uint16_t writes[PACKETS_MAX];
};

static int read_drive(const char *image, struct reading *out_reading) {
    struct mmc_transport *transport;
    int error = mmc_vdrive_open(image, false, &transport);

    if (error) {
        fprintf(stderr, "meter: %s: %s\n", image, strerror(-error));
        return 1;
    }
    mmc_vdrive_get_stats(transport, &out_reading->stats);
    for (uint32_t pkt = 0; pkt < PACKETS_MAX; pkt++) {
        out_reading->writes[pkt] = mmc_vdrive_packet_writes(transport, pkt);
    }
    mmc_transport_close(transport);
    return 0;
}

static int keep(const struct reading *reading, const char *path) {
    FILE *file = fopen(path, "wb");
    int failed = !file || fwrite(reading, sizeof(*reading), 1, file) != 1;

    if (file && fclose(file) != 0) {
        failed = 1;
    }
    if (failed) {
        perror(path);
    }
    return failed;
}

static int recall(struct reading *out_reading, const char *path) {
    FILE *file = fopen(path, "rb");
    int failed =
        !file || fread(out_reading, sizeof(*out_reading), 1, file) != 1;

    if (failed) {
        perror(path);
    }
    if (file) {
        fclose(file);
    }
    return failed;
}

static void print_difference(const struct reading *from,
                             const struct reading *to) {
    const struct mmc_vdrive_stats *a = &from->stats;
    const struct mmc_vdrive_stats *b = &to->stats;
    unsigned hottest = 0;

    for (uint32_t pkt = 0; pkt < PACKETS_MAX; pkt++) {
        unsigned writes = (unsigned)(to->writes[pkt] - from->writes[pkt]);

        hottest = writes > hottest ? writes : hottest;
    }
    printf("packets=%" PRIu64 " read=%" PRIu64 " seeks=%" PRIu64
           " syncs=%" PRIu64 " rmws=%" PRIu64 " refused=%" PRIu64
           " hottest=%u drive_ms=%" PRIu64 "\n",
           b->packets_written - a->packets_written,
           b->blocks_read - a->blocks_read, b->seeks - a->seeks,
           b->syncs - a->syncs, b->drive_rmws - a->drive_rmws,
           b->refused - a->refused, hottest, (b->busy_us - a->busy_us) / 1000);
}

int main(int argc, char **argv) {
    static struct reading before, now;

    if (argc != 4 || (strcmp(argv[1], "begin") && strcmp(argv[1], "end"))) {
        fprintf(stderr, "meter: see the head of meter.c\n");
        return 2;
    }
    if (read_drive(argv[2], &now)) {
        return 1;
    }
    if (strcmp(argv[1], "begin") == 0) {
        return keep(&now, argv[3]);
    }
    if (recall(&before, argv[3])) {
        return 1;
    }
    print_difference(&before, &now);
    return 0;
}
