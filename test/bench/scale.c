/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/bench/scale.c - large volumes, by the operations of udf/udf.h on a
 * virtual 25 GB BD-RE, with a thread for background work as a mount has it:
 *
 *   scale FOLDER [PART...]
 *
 *   directory  25,000 and 200,000 names in one directory: make, find, list and
 *              delete, microseconds each
 *   million    1,000,000 files in 1,000 directories, every one referred to as
 *              by a kernel that caches it; then mount and check
 *   five       five directories of 200,000 names at once
 *   fill       one file that fills the disc
 *   find       100,000 files on a full disc: what mounting and a cold walk read
 *
 * Prints lines for report.awk, "scale UNIT NAME value=V [atmost=B]". Each part
 * runs in a process of its own, whose peak memory is its figure.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mmc/blockdev.h"
#include "mmc/disc.h"
#include "udf/check.h"
#include "udf/format.h"
#include "udf/udf.h"

enum {
    MEMORY_KIB_MAX = 512 << 10,
    LARGE = 200000,
    SMALL = 25000,
    CHUNK_BYTES = 1 << 20,
    TURN_MS = 100
};

struct bench {
    char path[256];
    struct mmc_disc *disc;
    struct blockdev *dev;
    struct udf_volume *volume;
    pthread_t background;
    volatile bool stop;
};

static const struct udf_cred owner = {.uid = 0, .gid = 0};

static void check(int error, const char *what) {
    if (error) {
        fprintf(stderr, "scale: %s: %s\n", what, strerror(-error));
        exit(1);
    }
}

static double now_s(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void figure(const char *unit, const char *name, double value) {
    printf("scale %s %s value=%.2f\n", unit, name, value);
    fflush(stdout);
}

static void bounded(const char *unit, const char *name, double value,
                    double bound) {
    printf("scale %s %s value=%.2f atmost=%.2f\n", unit, name, value, bound);
    fflush(stdout);
}

static void peak(const char *name) {
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    bounded("KiB", name, (double)usage.ru_maxrss, MEMORY_KIB_MAX);
}

/* ---- a volume ---------------------------------------------------------- */

static void *run_background(void *argument) {
    struct bench *bench = argument;

    while (!bench->stop) {
        check(udf_background(bench->volume, TURN_MS), "background work");
    }
    return NULL;
}

static void open_disc(struct bench *bench, bool writable) {
    struct mmc_disc_options options = {.read_only = !writable};

    check(mmc_disc_open(bench->path, &options, &bench->disc), "open");
    check(mmc_disc_attach(bench->disc, writable, &bench->dev), "attach");
}

static void mount_volume(struct bench *bench) {
    struct udf_mount_options options = {0};

    open_disc(bench, true);
    check(udf_mount(bench->dev, &options, &bench->volume), "mount");
    bench->stop = false;
    check(-pthread_create(&bench->background, NULL, run_background, bench),
          "thread");
}

static void unmount_volume(struct bench *bench) {
    bench->stop = true;
    udf_wake(bench->volume);
    pthread_join(bench->background, NULL);
    check(udf_unmount(bench->volume), "unmount");
    check(mmc_disc_close(bench->disc), "close");
}

static void make_volume(struct bench *bench) {
    struct mmc_disc_make make = {.media_name = "bd-re"};
    struct mmc_disc_options options = {0};
    struct mmc_prepare_options prepare = {.quick = true};
    struct udf_format_options udf = {.label = "scale"};

    check(mmc_disc_create(bench->path, &make), "create");
    check(mmc_disc_open(bench->path, &options, &bench->disc), "open");
    check(mmc_disc_prepare(bench->disc, &prepare, NULL, NULL), "prepare");
    check(mmc_disc_attach(bench->disc, true, &bench->dev), "attach");
    check(udf_format(bench->dev, &udf), "format");
    check(mmc_disc_close(bench->disc), "close");
    mount_volume(bench);
}

static void report_fault(void *context, const char *fault) {
    (void)context;
    fprintf(stderr, "scale: %s\n", fault);
}

/* The volume must be whole. */
static void end_volume(struct bench *bench, const char *name) {
    struct udf_check_options options = {0};
    struct udf_check_result result;
    double from;

    unmount_volume(bench);
    open_disc(bench, false);
    from = now_s();
    check(udf_check(bench->dev, &options, report_fault, NULL, &result),
          "check");
    figure("check-s", name, now_s() - from);
    bounded("faults", name, (double)result.faults, 0);
    check(mmc_disc_close(bench->disc), "close");
}

/* Also when a part failed: it can be as large as the disc. */
static void remove_volume(const struct bench *bench) {
    char sidecar[sizeof(bench->path) + 8];

    snprintf(sidecar, sizeof(sidecar), "%s.udfpkt", bench->path);
    unlink(bench->path);
    unlink(sidecar);
}

/* ---- names ------------------------------------------------------------- */

static struct udf_name name_of(char *text, size_t bytes, uint64_t i) {
    int length = snprintf(text, bytes, "a name of usual length %07" PRIu64, i);

    return (struct udf_name){.text = text, .len = (uint32_t)length};
}

static uint64_t make_one(struct bench *bench, uint64_t parent, uint64_t i,
                         mode_t mode) {
    char text[64];
    struct udf_name name = name_of(text, sizeof(text), i);
    struct udf_make what = {.mode = mode};
    struct udf_stat stat;

    check(udf_create(bench->volume, parent, &name, &what, &owner, &stat),
          "create");
    return stat.ino;
}

static uint64_t make_directory(struct bench *bench, uint64_t i) {
    return make_one(bench, UDF_ROOT_INO, i, S_IFDIR | 0755);
}

static void make_files(struct bench *bench, uint64_t dir, uint64_t count,
                       bool keep) {
    for (uint64_t i = 0; i < count; i++) {
        uint64_t ino = make_one(bench, dir, i, S_IFREG | 0644);

        if (!keep) {
            udf_forget(bench->volume, ino, 1);
        }
    }
}

static void find_files(struct bench *bench, uint64_t dir, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        char text[64];
        struct udf_name name = name_of(text, sizeof(text), i);
        struct udf_stat stat;

        check(udf_lookup(bench->volume, dir, &name, &stat), "lookup");
        udf_forget(bench->volume, stat.ino, 1);
    }
}

struct listing {
    uint64_t seen, cookie, room;
};

static bool take_entry(void *context, const struct udf_dirent *entry) {
    struct listing *listing = context;

    if (listing->room == 0) {
        return false;
    }
    listing->room--;
    listing->seen++;
    listing->cookie = entry->cookie;
    return true;
}

static uint64_t list_files(struct bench *bench, uint64_t dir) {
    struct listing listing = {0};

    do {
        listing.room = 100; /* about what one request of a kernel holds */
        check(udf_readdir(bench->volume, dir, listing.cookie, false, take_entry,
                          &listing),
              "readdir");
    } while (listing.room == 0);
    return listing.seen;
}

static void delete_files(struct bench *bench, uint64_t dir, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        char text[64];
        struct udf_name name = name_of(text, sizeof(text), i);

        check(udf_unlink(bench->volume, dir, &name), "unlink");
    }
}

/* ---- the parts --------------------------------------------------------- */

struct times {
    double make, find, list, delete;
};

static double each_us(double from, uint64_t count) {
    return (now_s() - from) * 1e6 / (double)count;
}

static struct times one_directory(struct bench *bench, uint64_t count) {
    uint64_t dir = make_directory(bench, count);
    struct times times;
    double from = now_s();

    make_files(bench, dir, count, false);
    times.make = each_us(from, count);
    check(udf_commit(bench->volume), "commit");
    from = now_s();
    find_files(bench, dir, count);
    times.find = each_us(from, count);
    from = now_s();
    check(list_files(bench, dir) == count + 2 ? 0 : -EIO, "names listed");
    times.list = each_us(from, count);
    from = now_s();
    delete_files(bench, dir, count);
    times.delete = each_us(from, count);
    check(udf_commit(bench->volume), "commit");
    return times;
}

/* Eight times the names may cost three times as much each: caches are left,
 * but nothing grows with the square. */
static void part_directory(struct bench *bench) {
    struct times small = one_directory(bench, SMALL);
    struct times large = one_directory(bench, LARGE);

    figure("us", "make-25000", small.make);
    figure("us", "find-25000", small.find);
    figure("us", "list-25000", small.list);
    figure("us", "delete-25000", small.delete);
    bounded("us", "make-200000", large.make, 3 * small.make);
    bounded("us", "find-200000", large.find, 3 * small.find);
    bounded("us", "list-200000", large.list, 3 * small.list);
    bounded("us", "delete-200000", large.delete, 3 * small.delete);
}

static void part_million(struct bench *bench) {
    double from = now_s();

    for (uint64_t i = 0; i < 1000; i++) {
        make_files(bench, make_directory(bench, i), 1000, true);
    }
    figure("us", "million-make", each_us(from, 1000000));
    from = now_s();
    unmount_volume(bench);
    figure("s", "million-unmount", now_s() - from);
    from = now_s();
    mount_volume(bench);
    figure("s", "million-mount", now_s() - from);
}

static void part_five(struct bench *bench) {
    uint64_t dir[5];

    for (uint64_t i = 0; i < 5; i++) {
        dir[i] = make_directory(bench, i);
    }
    for (uint64_t i = 0; i < LARGE; i++) {
        for (unsigned d = 0; d < 5; d++) {
            udf_forget(bench->volume,
                       make_one(bench, dir[d], i, S_IFREG | 0644), 1);
        }
    }
    for (unsigned d = 0; d < 5; d++) {
        check(list_files(bench, dir[d]) == LARGE + 2 ? 0 : -EIO,
              "names listed");
    }
}

static void stamp(uint8_t *buf, uint64_t chunk) {
    for (uint64_t at = 0; at < CHUNK_BYTES; at += 2048) {
        uint64_t value = chunk << 20 | at;

        memcpy(buf + at, &value, sizeof(value));
    }
}

static void part_fill(struct bench *bench) {
    uint8_t *buf = calloc(1, CHUNK_BYTES), *expected = calloc(1, CHUNK_BYTES);
    uint64_t ino = make_one(bench, UDF_ROOT_INO, 0, S_IFREG | 0644);
    uint64_t chunks = 0;
    double from = now_s();
    int error = 0;

    while (!error) {
        stamp(buf, chunks);
        error = udf_write(bench->volume, ino, chunks * CHUNK_BYTES, CHUNK_BYTES,
                          buf);
        chunks += !error;
    }
    check(error == -ENOSPC ? 0 : error, "write");
    check(udf_commit(bench->volume), "commit");
    figure("MB/s", "fill", (double)chunks * 1.048576 / (now_s() - from));
    figure("GB", "fill", (double)chunks * 1.048576 / 1000);
    unmount_volume(bench);
    mount_volume(bench);
    for (uint64_t chunk = 0; chunk < chunks; chunk++) {
        uint32_t count;

        stamp(expected, chunk);
        check(udf_read(bench->volume, ino, chunk * CHUNK_BYTES, CHUNK_BYTES,
                       buf, &count),
              "read");
        check(count == CHUNK_BYTES && !memcmp(buf, expected, count) ? 0 : -EIO,
              "what was written");
    }
    free(buf);
    free(expected);
}

static uint64_t packets_read(struct bench *bench) {
    struct blockdev_stats stats;

    blockdev_get_stats(bench->dev, &stats);
    return stats.blocks_read / bench->dev->geometry.packet_blocks;
}

/* Entries and directories fill at least so many packets. */
static double metadata_packets(struct bench *bench, uint64_t files) {
    return (double)files * 1.1 / bench->dev->geometry.packet_blocks;
}

/* Takes what is left, but for some blocks, for one file. */
static void fill_up(struct bench *bench) {
    struct udf_range range = {.change = UDF_RANGE_ALLOCATE};
    uint64_t ino = make_one(bench, UDF_ROOT_INO, LARGE, S_IFREG | 0644);
    struct udf_statfs left;

    check(udf_commit(bench->volume), "commit");
    udf_get_statfs(bench->volume, &left);
    range.count = ((uint64_t)left.free_blocks - 1000) * 2048;
    check(udf_change_range(bench->volume, ino, &range), "allocate");
    udf_forget(bench->volume, ino, 1);
}

static void part_find(struct bench *bench) {
    enum { DIRECTORIES = 100, FILES = 1000 };
    struct udf_info info;
    uint64_t bitmap, mounted;

    for (uint64_t i = 0; i < DIRECTORIES; i++) {
        make_files(bench, make_directory(bench, i), FILES, false);
    }
    fill_up(bench);
    unmount_volume(bench);
    mount_volume(bench);
    udf_get_info(bench->volume, &info);
    bitmap =
        info.partition_blocks / 8 / 2048 / bench->dev->geometry.packet_blocks;
    mounted = packets_read(bench);
    bounded("packets", "mount-100000", (double)mounted,
            (double)bitmap + 1 + 16);
    for (uint64_t i = 0; i < DIRECTORIES; i++) {
        char text[64];
        struct udf_name name = name_of(text, sizeof(text), i);
        struct udf_stat stat;

        check(udf_lookup(bench->volume, UDF_ROOT_INO, &name, &stat), "lookup");
        check(list_files(bench, stat.ino) == FILES + 2 ? 0 : -EIO, "names");
        find_files(bench, stat.ino, FILES);
    }
    bounded("packets", "find-100000", (double)(packets_read(bench) - mounted),
            metadata_packets(bench, DIRECTORIES * FILES));
}

struct part {
    const char *name;
    void (*run)(struct bench *bench);
};

static const struct part parts[] = {
    {"directory", part_directory}, {"million", part_million},
    {"five", part_five},           {"fill", part_fill},
    {"find", part_find},
};

static int run_part(const struct part *part, const char *folder) {
    struct bench bench = {0};
    int status = 1;
    pid_t child;

    snprintf(bench.path, sizeof(bench.path), "%s/scale.img", folder);
    child = fork();
    if (child == 0) {
        make_volume(&bench);
        part->run(&bench);
        peak(part->name);
        end_volume(&bench, part->name);
        exit(0);
    }
    waitpid(child, &status, 0);
    remove_volume(&bench);
    return status != 0;
}

static bool wanted(int argc, char **argv, const char *name) {
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return argc == 2;
}

int main(int argc, char **argv) {
    int failed = 0;

    if (argc < 2) {
        fprintf(stderr, "scale: see the head of scale.c\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (wanted(argc, argv, parts[i].name)) {
            failed |= run_part(&parts[i], argv[1]);
        }
    }
    return failed;
}
