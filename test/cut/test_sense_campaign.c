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
 *   a row that fails, once, and   an error, if there is one, is the documented
 *   every row for ever            one; what was committed before is there when
 *                                 the drive is on again, and can be changed
 *
 * UDFPKT_SENSE_STATES is how many states of each medium are tried, spread over
 * all; 0 = all of them.
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
#include "mmc/vdrive.h"
#include "test/support/keep.h"
#include "test/support/media_bench.h"
#include "udf/check.h"
#include "udf/udf.h"

enum { FILE_BLOCKS = 40, USUAL_STATES = 300 };

/* What may come of a sense that is answered once. */
enum outcome {
    HEALS, /* nobody notices */
    FAILS  /* perhaps an error: `error`, or one that every medium may give */
};

struct row {
    const char *sense; /* as the faults file has it */
    enum outcome outcome;
    int error;
};

/* By key, ASC and ASCQ; SPC-3 annex D, MMC-5 annex F. */
static const struct row rows[] = {
    {"0/00/04", HEALS, 0},
    {"0/00/16", HEALS, 0},
    {"0/04/04", HEALS, 0},
    {"0/04/07", HEALS, 0},
    {"1/0C/01", HEALS, 0},
    {"1/17/00", HEALS, 0},
    {"1/18/00", HEALS, 0},
    {"1/73/01", HEALS, 0},
    {"1/17/00 deferred", HEALS, 0},
    {"2/04/00", HEALS, 0},
    {"2/04/01", HEALS, 0},
    {"2/04/02", HEALS, 0},
    {"2/04/03", FAILS, EIO},
    {"2/04/04", HEALS, 0},
    {"2/04/07", HEALS, 0},
    {"2/04/08", HEALS, 0},
    {"2/06/00", HEALS, 0},
    {"2/09/00", HEALS, 0},
    {"2/30/00", FAILS, EMEDIUMTYPE},
    {"2/3A/00", FAILS, ENOMEDIUM},
    {"2/3A/01", FAILS, ENOMEDIUM},
    {"2/3A/02", FAILS, ENOMEDIUM},
    {"2/3A/03", FAILS, ENOMEDIUM},
    {"2/3E/00", HEALS, 0},
    {"3/02/00", HEALS, 0},
    {"3/03/00", HEALS, 0},
    {"3/09/00", HEALS, 0},
    {"3/0C/00", HEALS, 0},
    {"3/0C/00 deferred", HEALS, 0},
    {"3/0C/02", FAILS, EIO},
    {"3/0C/07", HEALS, 0},
    {"3/0C/08", HEALS, 0},
    {"3/0C/09", HEALS, 0},
    {"3/0C/0F", HEALS, 0},
    {"3/10/00", HEALS, 0},
    {"3/11/00", HEALS, 0},
    {"3/11/01", HEALS, 0},
    {"3/11/02", HEALS, 0},
    {"3/11/05", HEALS, 0},
    {"3/11/06", HEALS, 0},
    {"3/11/0F", HEALS, 0},
    {"3/12/00", HEALS, 0},
    {"3/15/00", HEALS, 0},
    {"3/16/00", HEALS, 0},
    {"3/31/00", FAILS, EMEDIUMTYPE},
    {"3/31/01", FAILS, EIO},
    {"3/32/00", FAILS, EIO},
    {"3/51/00", FAILS, EIO},
    {"3/57/00", FAILS, EMEDIUMTYPE},
    {"3/72/01", FAILS, EIO},
    {"3/72/03", FAILS, EIO},
    {"3/73/00", HEALS, 0},
    {"3/73/02", FAILS, EIO},
    {"3/73/03", HEALS, 0},
    {"3/73/04", HEALS, 0},
    {"3/73/05", FAILS, EIO},
    {"3/73/11", FAILS, EIO},
    {"4/08/00", HEALS, 0},
    {"4/09/00", HEALS, 0},
    {"4/15/00", HEALS, 0},
    {"4/1B/00", HEALS, 0},
    {"4/3E/02", HEALS, 0},
    {"4/40/80", HEALS, 0},
    {"4/44/00", HEALS, 0},
    {"4/47/00", HEALS, 0},
    {"5/1A/00", FAILS, EIO},
    {"5/20/00", FAILS, EOPNOTSUPP},
    {"5/21/00", FAILS, ERANGE},
    {"5/21/02", FAILS, EIO},
    {"5/21/03", FAILS, EIO},
    {"5/24/00", FAILS, EIO},
    {"5/26/00", FAILS, EIO},
    {"5/2C/00", HEALS, 0},
    {"5/30/02", FAILS, EMEDIUMTYPE},
    {"5/30/05", FAILS, EMEDIUMTYPE},
    {"5/53/02", FAILS, EBUSY},
    {"5/55/00", HEALS, 0},
    {"5/63/00", FAILS, ENOSPC},
    {"5/63/01", FAILS, EIO},
    {"5/64/00", HEALS, 0},
    {"5/64/01", FAILS, EIO},
    {"5/6F/00", FAILS, EACCES},
    {"5/72/04", FAILS, EIO},
    {"6/28/00", HEALS, 0},
    {"6/29/00 lose=none", HEALS, 0},
    {"6/29/01 lose=all", HEALS, 0},
    {"6/29/04 lose=some seed=7", HEALS, 0},
    {"6/2A/01", HEALS, 0},
    {"6/2E/00", HEALS, 0},
    {"6/3B/00", HEALS, 0},
    {"6/3F/01", HEALS, 0},
    {"6/5A/01", HEALS, 0},
    {"7/27/00", FAILS, EROFS},
    {"7/27/02", FAILS, EROFS},
    {"8/00/00", FAILS, EIO},
    {"B/00/06", HEALS, 0},
    {"B/08/00", HEALS, 0},
    {"B/1B/00", HEALS, 0},
    {"B/47/00", HEALS, 0},
    {"B/4B/00", HEALS, 0},
    {"D/00/00", FAILS, ENOSPC},
    {"E/1D/00", HEALS, 0},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Whatever a drive answers, identifying may take it for no drive, no disc, or
 * one that may not be used; and a volume that could not be written is frozen.
 */
static const int always_possible[] = {EIO, EROFS, EMEDIUMTYPE, ENODEV, EACCES};

/* What one cycle came to. */
struct cycle {
    int error;         /* the first */
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
    return error ? error : udf_commit(volume);
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
    error = error ? error : udf_unlink(volume, UDF_ROOT_INO, &removed);
    return error ? error : udf_commit(volume);
}

/* Up to the end: closing the volume commits the last file. */
static int finish(struct udf_volume *volume) {
    return make_file(volume, UDF_ROOT_INO, "last", 7);
}

static void use_volume(struct udf_volume *volume, struct cycle *cycle) {
    cycle->error = add(volume);
    if (!cycle->error) {
        cycle->commits++;
        cycle->error = change(volume);
    }
    if (!cycle->error) {
        cycle->commits++;
        cycle->error = finish(volume);
    }
    cycle->read_wrongly = cycle->error == -EBADMSG;
}

static struct cycle run_cycle(const char *path) {
    struct mmc_disc_options how = {0};
    struct udf_mount_options options = {0};
    struct udf_volume *volume = NULL;
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = NULL;
    struct cycle cycle = {0};
    int error;

    cycle.error = mmc_disc_open(path, &how, &disc);
    if (!cycle.error) {
        cycle.error = mmc_disc_attach(disc, true, &dev);
    }
    if (!cycle.error) {
        cycle.error = udf_mount(dev, &options, &volume);
    }
    if (!cycle.error) {
        use_volume(volume, &cycle);
        error = udf_unmount(volume);
        if (!error && !cycle.error) {
            cycle.commits++;
        }
        cycle.error = cycle.error ? cycle.error : error;
    }
    error = mmc_disc_close(disc);
    cycle.error = cycle.error ? cycle.error : error;
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

static void print_fault(void *context, const char *fault) {
    print_error("%s: %s\n", (const char *)context, fault);
}

/* The volume after a cycle that went well has no fault. */
static int check_closed(struct blockdev *dev, char *state) {
    struct udf_check_options options = {0};
    struct udf_check_result result = {0};
    int error = udf_check(dev, &options, print_fault, state, &result);

    return error ? error : result.faults > 0 ? -EUCLEAN : 0;
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
        error = check_closed(dev, state);
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

static bool is_documented(const struct row *row, bool lasting, int error) {
    if (error == 0 || -error == row->error || lasting) {
        return true;
    }
    for (size_t i = 0; i < sizeof(always_possible) / sizeof(int); i++) {
        if (-error == always_possible[i]) {
            return true;
        }
    }
    return false;
}

/* One state. Returns whether all is as it should be. */
static bool try_state(struct campaign *campaign, uint64_t number) {
    const struct row *row = &rows[number / 2 % ROWS];
    bool lasting = number % 2;
    uint64_t after = number / 2 / ROWS;
    struct cycle cycle;
    char state[96];
    int error;

    snprintf(state, sizeof(state), "%s %s at command %llu", row->sense,
             lasting ? "for ever" : "once", (unsigned long long)after);
    keep_restore(campaign->kept);
    put_fault(campaign, row, after, lasting);
    cycle = run_cycle(campaign->bench->path);
    take_fault(campaign);
    error = look_after(campaign->bench->path, &cycle, state);
    if (cycle.read_wrongly || error ||
        (row->outcome == HEALS && !lasting && cycle.error) ||
        (row->outcome == FAILS && !is_documented(row, lasting, cycle.error))) {
        print_error("%s: \"%s\" after %u commits, then \"%s\"\n", state,
                    strerror(-cycle.error), cycle.commits, strerror(-error));
        return false;
    }
    return true;
}

/* A disc of this kind with a volume and some files; the drive is off. */
static void make_disc(struct campaign *campaign, const char *word) {
    static const struct mmc_prepare_options usual = {0};
    struct mmc_disc_options how = {0};
    struct udf_mount_options options = {0};
    struct udf_volume *volume = NULL;
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = NULL;

    campaign->bench = bench_open(word);
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

static void run_campaign(const char *word) {
    struct campaign campaign = {0};
    struct mmc_vdrive_stats stats;
    struct cycle cycle;
    uint64_t all, states, step, bad = 0;

    make_disc(&campaign, word);
    stats = bench_stats(campaign.bench);
    campaign.commands = stats.commands;
    cycle = run_cycle(campaign.bench->path);
    assert_int_equal(cycle.error, 0);
    stats = bench_stats(campaign.bench);
    campaign.commands = stats.commands - campaign.commands;
    all = campaign.commands * ROWS * 2;
    states = states_of(all);
    /* Odd, so that it meets rows once and for ever in turn. */
    step = all / states | 1;
    for (uint64_t i = 0; i < states; i++) {
        bad += !try_state(&campaign, i * step % all);
    }
    print_message("%s: %llu of %llu states, %llu commands, %llu wrong\n", word,
                  (unsigned long long)states, (unsigned long long)all,
                  (unsigned long long)campaign.commands,
                  (unsigned long long)bad);
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
