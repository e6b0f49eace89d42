/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/cut/test_sense_campaign.c - every sense that a drive may answer with,
 * at every command of a whole cycle: open, mount, read, write, commit, write
 * and commit again, unmount, close. One state is a medium, a row of the tables
 * below, and the number of the command that is not done but answered so. Waits
 * run on the drive's clock.
 *
 *   a row that heals, once        nobody sees an error; every file is complete,
 *                                 the volume is closed and has no fault
 *   a row that fails, once, and   each phase of the cycle gives no error or the
 *   every row for ever            one that is documented for it; what was
 *                                 committed before is there when the drive is
 *                                 on again, and can be changed
 *
 * UDFPKT_SENSE_STATES is how many states of each medium are tried, spread over
 * all; 0 = all of them. UDFPKT_SENSE_ONLY does one again, as it was printed
 * (cdrw:123), and shows the log; or those of one medium (cdrw).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/disc.h"
#include "mmc/log.h"
#include "mmc/vdrive.h"
#include "test/support/keep.h"
#include "test/support/media_bench.h"
#include "test/support/prove.h"
#include "udf/udf.h"

enum { FILE_BLOCKS = 40, USUAL_STATES = 300 };

/* What comes of a sense that is answered once. */
enum outcome {
    HEALS, /* nobody notices */
    FAILS  /* perhaps an error */
};

/* What a program or user is doing when an error shows. */
enum phase {
    IDENTIFY, /* mmc_disc_open() and mmc_disc_attach() */
    MOUNT,
    WRITE, /* reading and changing, in memory as far as it can be */
    FSYNC,
    UNMOUNT, /* and closing the disc */
    PHASES
};

static const char *const phase_names[PHASES] = {"identifying", "mount", "write",
                                                "fsync", "unmount"};

struct row {
    const char *sense; /* as the faults file has it */
    enum outcome outcome;
    int error[PHASES]; /* documented: mmc/disc.h, udf/udf.h; 0 = none */
};

/* By key, ASC and ASCQ; SPC-3 annex D, MMC-5 annex F. */
static const struct row rows[] = {
    {"0/00/04", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"0/00/16", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"0/04/04", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"0/04/07", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"1/0C/01", HEALS, {0, 0, 0, 0, 0}},
    {"1/17/00", HEALS, {0, 0, 0, 0, 0}},
    {"1/18/00", HEALS, {0, 0, 0, 0, 0}},
    {"1/73/01", HEALS, {0, 0, 0, 0, 0}},
    {"1/17/00 deferred", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"2/04/00", HEALS, {ENOMEDIUM, ENOMEDIUM, ENOMEDIUM, ENOMEDIUM, ENOMEDIUM}},
    {"2/04/01", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"2/04/02", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"2/04/03", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"2/04/04", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"2/04/07", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"2/04/08", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"2/06/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"2/09/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"2/30/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"2/3A/00", FAILS, {ENOMEDIUM, ENOMEDIUM, ENOMEDIUM, ENOMEDIUM, ENOMEDIUM}},
    {"2/3A/01", FAILS, {ENOMEDIUM, ENOMEDIUM, ENOMEDIUM, ENOMEDIUM, ENOMEDIUM}},
    {"2/3A/02", FAILS, {ENOMEDIUM, ENOMEDIUM, ENOMEDIUM, ENOMEDIUM, ENOMEDIUM}},
    {"2/3A/03", FAILS, {ENOMEDIUM, ENOMEDIUM, ENOMEDIUM, ENOMEDIUM, ENOMEDIUM}},
    {"2/3E/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/02/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/03/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/09/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/0C/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/0C/00 deferred", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/0C/02", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/0C/07", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/0C/08", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/0C/09", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/0C/0F", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/10/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/11/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/11/01", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/11/02", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/11/05", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/11/06", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/11/0F", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/12/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/15/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/16/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/31/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/31/01", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/32/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/51/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/57/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/72/01", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/72/03", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/73/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/73/02", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/73/03", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/73/04", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/73/05", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"3/73/11", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"4/08/00", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"4/09/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"4/15/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"4/1B/00", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"4/3E/02", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"4/40/80", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"4/44/00", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"4/47/00", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"5/1A/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/20/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/21/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/21/02", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/21/03", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/24/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/26/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/2C/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/30/02", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/30/05", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/53/02", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/55/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/63/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/63/01", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/64/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/64/01", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/6F/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"5/72/04", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"6/28/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"6/29/00 lose=none", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"6/29/01 lose=all", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"6/29/04 lose=some seed=7", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"6/2A/01", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"6/2E/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"6/3B/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"6/3F/01", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"6/5A/01", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"7/27/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EROFS, EROFS}},
    {"7/27/02", FAILS, {EMEDIUMTYPE, EIO, EIO, EROFS, EROFS}},
    {"8/00/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"B/00/06", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"B/08/00", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"B/1B/00", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"B/47/00", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"B/4B/00", HEALS, {ENODEV, EIO, EIO, EIO, EIO}},
    {"D/00/00", FAILS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
    {"E/1D/00", HEALS, {EMEDIUMTYPE, EIO, EIO, EIO, EIO}},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* What one cycle came to. */
struct cycle {
    int error[PHASES]; /* 0 or negative */
    unsigned commits;  /* that succeeded, unmounting included */
    bool read_wrongly; /* data came back that were never written */
};

/* The content of file `seed`, block `block`. */
static void fill(uint8_t *buf, unsigned seed, uint32_t block) {
    for (uint32_t i = 0; i < BLOCKDEV_BLOCK_BYTES; i++) {
        buf[i] = (uint8_t)(seed * 31 + block * 7 + i / 16);
    }
}

static struct udf_name name_of(const char *text) {
    return (struct udf_name){.text = text, .len = (uint32_t)strlen(text)};
}

static int make(struct udf_volume *volume, uint64_t dir, const char *text,
                mode_t mode, struct udf_stat *out) {
    struct udf_name name = name_of(text);
    struct udf_make how = {.mode = mode};
    struct udf_cred cred = {0};

    return udf_create(volume, dir, &name, &how, &cred, out);
}

static int write_blocks(struct udf_volume *volume, uint64_t ino, unsigned seed,
                        uint32_t from, uint32_t to) {
    uint8_t block[BLOCKDEV_BLOCK_BYTES];
    int error = 0;

    for (uint32_t i = from; i < to && !error; i++) {
        fill(block, seed, i);
        error = udf_write(volume, ino, (uint64_t)i * sizeof(block),
                          sizeof(block), block);
    }
    return error;
}

static int make_file(struct udf_volume *volume, uint64_t dir, const char *text,
                     unsigned seed) {
    struct udf_stat stat;
    int error = make(volume, dir, text, S_IFREG | 0644, &stat);

    if (!error) {
        error = write_blocks(volume, stat.ino, seed, 0, FILE_BLOCKS);
        udf_forget(volume, stat.ino, 1);
    }
    return error;
}

/* Reads the blocks from..to-1 of a file; -EBADMSG when they hold anything but
 * what `seed` or `other` made. */
static int read_file(struct udf_volume *volume, uint64_t ino, unsigned seed,
                     unsigned other, uint32_t from, uint32_t to) {
    uint8_t found[BLOCKDEV_BLOCK_BYTES], expected[BLOCKDEV_BLOCK_BYTES];

    for (uint32_t i = from; i < to; i++) {
        uint32_t count = 0;
        int error = udf_read(volume, ino, (uint64_t)i * sizeof(found),
                             sizeof(found), found, &count);

        if (error) {
            return error;
        }
        fill(expected, seed, i);
        if (count == sizeof(found) &&
            memcmp(found, expected, sizeof(found)) == 0) {
            continue;
        }
        fill(expected, other, i);
        if (count != sizeof(found) ||
            memcmp(found, expected, sizeof(found)) != 0) {
            return -EBADMSG;
        }
    }
    return 0;
}

static int look_up(struct udf_volume *volume, uint64_t dir, const char *text,
                   uint64_t *out_ino) {
    struct udf_name name = name_of(text);
    struct udf_stat stat;
    int error = udf_lookup(volume, dir, &name, &stat);

    if (!error) {
        *out_ino = stat.ino;
        udf_forget(volume, stat.ino, 1);
    }
    return error;
}

/* The whole file was made by `seed`. */
static int compare_file(struct udf_volume *volume, uint64_t dir,
                        const char *text, unsigned seed) {
    uint64_t ino = 0;
    int error = look_up(volume, dir, text, &ino);

    return error ? error : read_file(volume, ino, seed, seed, 0, FILE_BLOCKS);
}

/* ---- The cycle ------------------------------------------------------------
 */

/* What is on the disc before every cycle. */
static int make_first(struct udf_volume *volume) {
    int error = make_file(volume, UDF_ROOT_INO, "kept", 1);

    error = error ? error : make_file(volume, UDF_ROOT_INO, "changed", 2);
    error = error ? error : make_file(volume, UDF_ROOT_INO, "moved", 3);
    return error ? error : make_file(volume, UDF_ROOT_INO, "removed", 4);
}

/* Up to the first commit: reads, and adds a directory with a file. */
static int add(struct udf_volume *volume) {
    struct udf_stat dir;
    int error = compare_file(volume, UDF_ROOT_INO, "kept", 1);

    if (!error) {
        error = make(volume, UDF_ROOT_INO, "dir", S_IFDIR | 0755, &dir);
    }
    if (!error) {
        error = make_file(volume, dir.ino, "added", 5);
        udf_forget(volume, dir.ino, 1);
    }
    return error;
}

/* Up to the second: overwrites, moves and removes. */
static int change(struct udf_volume *volume) {
    struct udf_name removed = name_of("removed");
    struct udf_place from = {UDF_ROOT_INO, name_of("moved")};
    struct udf_place to = {0, name_of("moved")};
    uint64_t changed = 0;
    int error = look_up(volume, UDF_ROOT_INO, "changed", &changed);

    error = error ? error : write_blocks(volume, changed, 6, 8, 30);
    error = error ? error : look_up(volume, UDF_ROOT_INO, "dir", &to.dir);
    error = error ? error : udf_rename(volume, &from, &to, 0);
    return error ? error : udf_unlink(volume, UDF_ROOT_INO, &removed);
}

/* Up to the end: closing the volume commits the last file. */
static int finish(struct udf_volume *volume) {
    return make_file(volume, UDF_ROOT_INO, "last", 7);
}

/* Stops at the first error. True when there was none. */
static bool use_volume(struct udf_volume *volume, struct cycle *cycle) {
    int (*const steps[])(struct udf_volume *) = {add, change};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        cycle->error[WRITE] = steps[i](volume);
        if (cycle->error[WRITE]) {
            return false;
        }
        cycle->error[FSYNC] = udf_commit(volume);
        if (cycle->error[FSYNC]) {
            return false;
        }
        cycle->commits++;
    }
    cycle->error[WRITE] = finish(volume);
    return cycle->error[WRITE] == 0;
}

static struct cycle run_cycle(const char *path) {
    struct mmc_disc_options how = {0};
    struct udf_mount_options options = {0};
    struct udf_volume *volume = NULL;
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = NULL;
    struct cycle cycle = {0};
    int error;

    error = mmc_disc_open(path, &how, &disc);
    error = error ? error : mmc_disc_attach(disc, true, &dev);
    cycle.error[IDENTIFY] = error;
    if (!error) {
        error = cycle.error[MOUNT] = udf_mount(dev, &options, &volume);
    }
    if (!error) {
        bool used = use_volume(volume, &cycle);

        cycle.read_wrongly = cycle.error[WRITE] == -EBADMSG;
        cycle.error[UNMOUNT] = udf_unmount(volume);
        cycle.commits += used && !cycle.error[UNMOUNT];
    }
    error = mmc_disc_close(disc);
    if (!cycle.error[UNMOUNT]) {
        cycle.error[UNMOUNT] = error;
    }
    return cycle;
}

/* ---- What must be there afterwards ----------------------------------------
 */

/* Files of the first `commits` commits. What the next one would have changed
 * may be old or new; names that it would have moved or removed are not looked
 * for. */
static int compare_volume(struct udf_volume *volume, unsigned commits) {
    unsigned least = commits >= 2 ? 6 : 2;
    uint64_t changed = 0, dir = UDF_ROOT_INO;
    int error = compare_file(volume, UDF_ROOT_INO, "kept", 1);

    error = error ? error : look_up(volume, UDF_ROOT_INO, "changed", &changed);
    error = error ? error : read_file(volume, changed, 2, 2, 0, 8);
    error = error ? error : read_file(volume, changed, least, 6, 8, 30);
    error = error ? error : read_file(volume, changed, 2, 2, 30, FILE_BLOCKS);
    if (!error && commits >= 1) {
        error = look_up(volume, UDF_ROOT_INO, "dir", &dir);
        error = error ? error : compare_file(volume, dir, "added", 5);
    }
    if (error || commits < 2) {
        return error;
    }
    error = compare_file(volume, dir, "moved", 3);
    if (!error && look_up(volume, UDF_ROOT_INO, "removed", &dir) != -ENOENT) {
        error = -EEXIST;
    }
    if (!error && commits >= 3) {
        error = compare_file(volume, UDF_ROOT_INO, "last", 7);
    }
    return error;
}

/* The drive is switched on again, and nothing goes wrong any more. A volume
 * that was left open is mounted, changed and closed. */
static int look_after(const char *path, const struct cycle *cycle,
                      char *state) {
    struct mmc_disc_options how = {0};
    struct udf_mount_options options = {.read_only = cycle->commits >= 3};
    struct udf_volume *volume = NULL;
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = NULL;
    int error = mmc_disc_open(path, &how, &disc);
    int closing;

    error = error ? error : mmc_disc_attach(disc, !options.read_only, &dev);
    if (!error && cycle->commits >= 3) {
        error = prove_state(dev, state);
    }
    error = error ? error : udf_mount(dev, &options, &volume);
    if (!error) {
        error = compare_volume(volume, cycle->commits);
        if (!error && !options.read_only) {
            error = make_file(volume, UDF_ROOT_INO, "afterwards", 8);
        }
        closing = udf_unmount(volume);
        error = error ? error : closing;
    }
    closing = mmc_disc_close(disc);
    return error ? error : closing;
}

/* ---- The campaign ---------------------------------------------------------
 */

struct campaign {
    const char *word;
    struct media_bench *bench;
    struct keep *kept;
    uint64_t commands; /* of one cycle */
};

static void put_fault(const struct campaign *campaign, const struct row *row,
                      uint64_t after, bool lasting) {
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s.udfpkt-faults", campaign->bench->path);
    file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file, "sense sense=%s after=%llu times=%d\n", row->sense,
            (unsigned long long)after, lasting ? 0 : 1);
    assert_int_equal(fclose(file), 0);
}

static void take_fault(const struct campaign *campaign) {
    char path[128];

    snprintf(path, sizeof(path), "%s.udfpkt-faults", campaign->bench->path);
    assert_int_equal(unlink(path), 0);
}

/* Who does not say who it is counts as no drive, whatever it answers. */
static bool is_documented(const struct row *row, enum phase phase,
                          uint64_t after, int error) {
    if (phase == IDENTIFY && after == 0 && row->error[IDENTIFY] != 0) {
        return error == 0 || error == -ENODEV;
    }
    return error == 0 || error == -row->error[phase];
}

/* Whether the user was told what the row documents. Prints what was not. */
static bool told_rightly(const struct row *row, bool lasting, uint64_t after,
                         const struct cycle *cycle, const char *state) {
    bool heals = row->outcome == HEALS && !lasting;
    bool rightly = true;

    for (enum phase phase = 0; phase < PHASES; phase++) {
        int error = cycle->error[phase];

        if (heals ? error != 0 : !is_documented(row, phase, after, error)) {
            print_error("%s: \"%s\" at %s after %u commits\n", state,
                        strerror(-error), phase_names[phase], cycle->commits);
            rightly = false;
        }
    }
    return rightly;
}

/* One state. Returns whether all is as it should be. */
static bool try_state(struct campaign *campaign, uint64_t number) {
    const struct row *row = &rows[number / 2 % ROWS];
    bool lasting = number % 2;
    uint64_t after = number / 2 / ROWS;
    struct cycle cycle;
    char state[128];
    bool rightly;
    int error;

    snprintf(state, sizeof(state), "%s:%llu, %s %s at command %llu",
             campaign->word, (unsigned long long)number, row->sense,
             lasting ? "for ever" : "once", (unsigned long long)after);
    keep_restore(campaign->kept);
    put_fault(campaign, row, after, lasting);
    cycle = run_cycle(campaign->bench->path);
    take_fault(campaign);
    rightly = told_rightly(row, lasting, after, &cycle, state);
    error = look_after(campaign->bench->path, &cycle, state);
    if (cycle.read_wrongly || error) {
        print_error("%s: after %u commits \"%s\"%s\n", state, cycle.commits,
                    strerror(-error),
                    cycle.read_wrongly ? ", and wrong data were read" : "");
    }
    return rightly && !cycle.read_wrongly && !error;
}

/* A disc of this kind with a volume and some files; the drive is off. */
static void make_disc(struct campaign *campaign) {
    static const struct mmc_prepare_options usual = {0};
    struct mmc_disc_options how = {0};
    struct udf_mount_options options = {0};
    struct udf_volume *volume = NULL;
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = NULL;

    campaign->bench = bench_open(campaign->word);
    assert_int_equal(bench_prepare(campaign->bench, &usual), 0);
    bench_make_volume(campaign->bench);
    assert_int_equal(mmc_disc_open(campaign->bench->path, &how, &disc), 0);
    assert_int_equal(mmc_disc_attach(disc, true, &dev), 0);
    assert_int_equal(udf_mount(dev, &options, &volume), 0);
    assert_int_equal(make_first(volume), 0);
    assert_int_equal(udf_unmount(volume), 0);
    assert_int_equal(mmc_disc_close(disc), 0);
    campaign->kept = keep_files(campaign->bench->path);
}

/* How many states to try, from the environment. */
static uint64_t states_of(uint64_t all) {
    const char *text = getenv("UDFPKT_SENSE_STATES");
    uint64_t wanted = text ? strtoull(text, NULL, 10) : USUAL_STATES;

    return wanted == 0 || wanted > all ? all : wanted;
}

static void show_line(void *context, enum mmc_log_level level,
                      const char *line) {
    (void)context;
    (void)level;
    print_message("%s\n", line);
}

/* Whether one state is asked for, of this or another medium: WORD:NUMBER. Does
 * it when it is one of this. WORD alone asks for one medium. */
static bool try_only(struct campaign *campaign, uint64_t all, uint64_t *bad) {
    const char *only = getenv("UDFPKT_SENSE_ONLY");
    size_t len = strlen(campaign->word);

    if (only && strcmp(only, campaign->word) == 0) {
        return false;
    }
    if (only && strncmp(only, campaign->word, len) == 0 && only[len] == ':') {
        mmc_log_set_sink(show_line, NULL, MMC_LOG_DEBUG);
        *bad += !try_state(campaign, strtoull(only + len + 1, NULL, 10) % all);
        mmc_log_set_sink(NULL, NULL, MMC_LOG_ERROR);
    }
    return only != NULL;
}

/* Returns how many were wrong. */
static uint64_t try_states(struct campaign *campaign) {
    uint64_t all = campaign->commands * ROWS * 2;
    uint64_t states = states_of(all), bad = 0;
    /* Odd, so that it meets rows once and for ever in turn. */
    uint64_t step = all / states | 1;

    if (try_only(campaign, all, &bad)) {
        return bad;
    }
    for (uint64_t i = 0; i < states; i++) {
        bad += !try_state(campaign, i * step % all);
    }
    print_message(
        "%s: %llu of %llu states, %llu commands, %llu wrong\n", campaign->word,
        (unsigned long long)states, (unsigned long long)all,
        (unsigned long long)campaign->commands, (unsigned long long)bad);
    return bad;
}

static void run_campaign(const char *word) {
    struct campaign campaign = {.word = word};
    struct mmc_vdrive_stats stats;
    struct cycle cycle;
    uint64_t bad;

    make_disc(&campaign);
    stats = bench_stats(campaign.bench);
    campaign.commands = stats.commands;
    cycle = run_cycle(campaign.bench->path);
    assert_int_equal(cycle.commits, 3);
    stats = bench_stats(campaign.bench);
    campaign.commands = stats.commands - campaign.commands;
    bad = try_states(&campaign);
    keep_free(campaign.kept);
    bench_tear_down((void **)&(void *){campaign.bench});
    assert_int_equal(bad, 0);
}

static void test_sense_campaign_cdrw(void **state) {
    (void)state;
    run_campaign("cdrw");
}

static void test_sense_campaign_cdmrw(void **state) {
    (void)state;
    run_campaign("cdmrw");
}

static void test_sense_campaign_dvd_rw(void **state) {
    (void)state;
    run_campaign("dvd-rw");
}

static void test_sense_campaign_dvd_plus_rw(void **state) {
    (void)state;
    run_campaign("dvd+rw");
}

static void test_sense_campaign_dvd_ram(void **state) {
    (void)state;
    run_campaign("dvd-ram");
}

static void test_sense_campaign_bd_re(void **state) {
    (void)state;
    run_campaign("bd-re");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sense_campaign_cdrw),
        cmocka_unit_test(test_sense_campaign_cdmrw),
        cmocka_unit_test(test_sense_campaign_dvd_rw),
        cmocka_unit_test(test_sense_campaign_dvd_plus_rw),
        cmocka_unit_test(test_sense_campaign_dvd_ram),
        cmocka_unit_test(test_sense_campaign_bd_re),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
