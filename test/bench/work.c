/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/bench/work.c - one workload on a directory of any mounted file system,
 * by system calls only, always the same for the same arguments.
 *
 *   work large DIR FILES MIB       FILES files of MIB MiB each
 *   work tree DIR FILES            small files, a hundred a directory
 *   work halve DIR                 removes every second file
 *   work remove DIR                removes DIR
 *   work overwrite FILE COUNT      4 KiB at random places, fsync each 16
 *   work append FILE COUNT         4 KiB, fsync each
 *   work read FILE                 from the beginning to the end
 *   work flat DIR FILES            files of 1 kB in DIR itself
 *   work flat-stat DIR FILES       stat(2) of each of them
 *   work flat-remove DIR FILES     unlink(2) of each of them
 *   work bound DIR                 what UDF must store for DIR, in blocks
 *
 * It prints nothing but what `bound` counts, and ends with 1 and a message
 * when a system call fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 128 << 10,
    RECORD_BYTES = 4096,
    FSYNC_EACH = 16,
    FILES_A_DIRECTORY = 100,
    SMALL_BYTES_MAX = 16384,
    WALK_FDS = 32,
    /* of UDF: block, what fits behind the fixed part of an EFE, a FID's fixed
       part with the compression id of its name */
    BLOCK_BYTES = 2048,
    EMBEDDED_BYTES_MAX = 2048 - 216,
    FID_BYTES = 39
};

static void die(const char *what) {
    fprintf(stderr, "work: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void check(bool failed, const char *what) {
    if (failed) {
        die(what);
    }
}

/* xorshift64*: content and sizes that no layer can compress or guess. */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Du;
}

static void fill(uint64_t *state, uint8_t *buf, size_t bytes) {
    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        uint64_t value = next_random(state);

        memcpy(buf + i, &value, 8);
    }
}

static void write_file(const char *path, uint64_t seed, uint64_t bytes) {
    static uint8_t buf[CHUNK_BYTES];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    check(fd < 0, path);
    fill(&seed, buf, bytes < sizeof(buf) ? (size_t)bytes : sizeof(buf));
    while (bytes > 0) {
        size_t count = bytes < sizeof(buf) ? (size_t)bytes : sizeof(buf);

        memcpy(buf, &bytes, sizeof(bytes)); /* no two chunks are the same */
        check(write(fd, buf, count) != (ssize_t)count, path);
        bytes -= count;
    }
    check(close(fd) != 0, path);
}

static void make_directory(const char *path) {
    check(mkdir(path, 0755) != 0 && errno != EEXIST, path);
}

static void work_large(const char *dir, uint64_t files, uint64_t mib) {
    char path[4096];

    make_directory(dir);
    for (uint64_t i = 0; i < files; i++) {
        snprintf(path, sizeof(path), "%s/large-%" PRIu64, dir, i);
        write_file(path, i + 1, mib << 20);
    }
}

/* A third of the files is small enough to be embedded, as in source trees. */
static void work_tree(const char *dir, uint64_t files) {
    uint64_t state = 88172645463325252u;
    char path[4096];

    make_directory(dir);
    for (uint64_t i = 0; i < files; i++) {
        uint64_t limit =
            i % 3 == 0 ? EMBEDDED_BYTES_MAX : (uint64_t)SMALL_BYTES_MAX;

        snprintf(path, sizeof(path), "%s/d%03" PRIu64, dir,
                 i / FILES_A_DIRECTORY);
        if (i % FILES_A_DIRECTORY == 0) {
            make_directory(path);
        }
        snprintf(path, sizeof(path), "%s/d%03" PRIu64 "/file-%05" PRIu64, dir,
                 i / FILES_A_DIRECTORY, i);
        write_file(path, i + 1, 1 + next_random(&state) % limit);
    }
}

static void work_overwrite(const char *path, uint64_t count) {
    uint64_t state = 1181783497276652981u;
    uint8_t buf[RECORD_BYTES];
    struct stat stat;
    int fd = open(path, O_RDWR);

    check(fd < 0 || fstat(fd, &stat) != 0, path);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t records = (uint64_t)stat.st_size / RECORD_BYTES;
        off_t at = (off_t)(next_random(&state) % records * RECORD_BYTES);

        fill(&state, buf, sizeof(buf));
        check(pwrite(fd, buf, sizeof(buf), at) != RECORD_BYTES, path);
        if ((i + 1) % FSYNC_EACH == 0) {
            check(fsync(fd) != 0, path);
        }
    }
    check(close(fd) != 0, path);
}

static void work_append(const char *path, uint64_t count) {
    uint64_t state = 4101842887655102017u;
    uint8_t buf[RECORD_BYTES];
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

    check(fd < 0, path);
    for (uint64_t i = 0; i < count; i++) {
        fill(&state, buf, sizeof(buf));
        check(write(fd, buf, sizeof(buf)) != RECORD_BYTES, path);
        check(fsync(fd) != 0, path);
    }
    check(close(fd) != 0, path);
}

static void work_read(const char *path) {
    static uint8_t buf[CHUNK_BYTES];
    int fd = open(path, O_RDONLY);
    ssize_t count;

    check(fd < 0, path);
    do {
        count = read(fd, buf, sizeof(buf));
        check(count < 0, path);
    } while (count > 0);
    close(fd);
}

enum flat { FLAT_MAKE, FLAT_STAT, FLAT_REMOVE };

static void work_flat(const char *dir, uint64_t files, enum flat what) {
    struct stat stat_of;
    char path[4096];

    for (uint64_t i = 0; i < files; i++) {
        snprintf(path, sizeof(path), "%s/flat-%06" PRIu64, dir, i);
        switch (what) {
        case FLAT_MAKE:
            write_file(path, i + 1, 1000);
            break;
        case FLAT_STAT:
            check(stat(path, &stat_of) != 0, path);
            break;
        case FLAT_REMOVE:
            check(unlink(path) != 0, path);
            break;
        }
    }
}

/* ---- walks ------------------------------------------------------------- */

static uint64_t walked;       /* files so far */
static uint64_t bound_blocks; /* of entries and content */
static uint64_t name_bytes;   /* of the directory data, FIDs of all names */

static int remove_one(const char *path, const struct stat *stat, int type,
                      struct FTW *walk) {
    (void)stat;
    (void)walk;
    check(remove(path) != 0, path);
    return type == FTW_NS;
}

static int remove_second(const char *path, const struct stat *stat, int type,
                         struct FTW *walk) {
    (void)stat;
    (void)walk;
    if (type == FTW_F && walked++ % 2 == 0) {
        check(unlink(path) != 0, path);
    }
    return 0;
}

/* Directory data is counted in one sum: a bound for what is at least there. */
static int count_blocks(const char *path, const struct stat *stat, int type,
                        struct FTW *walk) {
    uint64_t bytes = (uint64_t)stat->st_size;

    bound_blocks++;
    name_bytes += (FID_BYTES + strlen(path + walk->base) + 3) / 4 * 4;
    if (type == FTW_F && bytes > EMBEDDED_BYTES_MAX) {
        bound_blocks += (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
    }
    return 0;
}

static void walk(const char *dir, __nftw_func_t visit, int flags) {
    check(nftw(dir, visit, WALK_FDS, FTW_PHYS | flags) != 0, dir);
}

static void work_bound(const char *dir) {
    walk(dir, count_blocks, 0);
    bound_blocks += (name_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
    printf("%" PRIu64 "\n", bound_blocks);
}

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[1] : "";
    const char *path = argc > 2 ? argv[2] : "";
    uint64_t count = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    uint64_t mib = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;

    if (strcmp(what, "large") == 0) {
        work_large(path, count, mib);
    } else if (strcmp(what, "tree") == 0) {
        work_tree(path, count);
    } else if (strcmp(what, "halve") == 0) {
        walk(path, remove_second, 0);
    } else if (strcmp(what, "remove") == 0) {
        walk(path, remove_one, FTW_DEPTH);
    } else if (strcmp(what, "overwrite") == 0) {
        work_overwrite(path, count);
    } else if (strcmp(what, "append") == 0) {
        work_append(path, count);
    } else if (strcmp(what, "read") == 0) {
        work_read(path);
    } else if (strcmp(what, "flat") == 0) {
        work_flat(path, count, FLAT_MAKE);
    } else if (strcmp(what, "flat-stat") == 0) {
        work_flat(path, count, FLAT_STAT);
    } else if (strcmp(what, "flat-remove") == 0) {
        work_flat(path, count, FLAT_REMOVE);
    } else if (strcmp(what, "bound") == 0) {
        work_bound(path);
    } else {
        fprintf(stderr, "work: see the head of work.c\n");
        return 2;
    }
    return 0;
}
