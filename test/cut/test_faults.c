/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/cut/test_faults.c - the workloads of the power cuts, in full power, with
 * something that goes wrong at one of their commands: a write error, once or
 * from then on, a packet that is bad, a reset of the drive that loses its
 * buffer, news of an earlier failure, a drive or disc that is gone.
 *
 * What the drive or another place on the disc can make good must be made good:
 * no error, everything there, nothing for the checker. Otherwise the error
 * comes back from a commit or from closing; the mounted volume goes on showing
 * what was accepted; and when the disc is mounted again it is as after a power
 * cut at that moment, without any loss of what the drive answered for.
 *
 * UDFPKT_FAULTS is the number of places for each kind of fault, workload and
 * disc, drawn by UDFPKT_CUT_SEED; 0: every place. A failure is printed as
 * DISC:WORKLOAD:KIND:PLACE; UDFPKT_FAULT_ONLY takes that, or its beginning.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/cdb.h"
#include "mmc/log.h"
#include "mmc/vdrive.h"
#include "test/support/cut_disc.h"
#include "test/support/cut_drive.h"
#include "test/support/cut_tree.h"
#include "test/support/cut_work.h"
#include "test/support/cut_world.h"
#include "udf/udf.h"

enum { DEFAULT_PLACES = 1, TEXT = CUT_TEXT_BYTES + 200 };

/* What a fault waits for, and so how many places there are. */
enum at { AT_PACKET, AT_WRITE, AT_SYNC };

struct kind {
    const char *name;
    enum at at;
    bool cured; /* nobody notices */
    struct mmc_vdrive_fault fault;
    bool this_packet; /* the fault is the packet's, not the moment's */
};

#define RESET                                                                  \
    .kind = MMC_VDRIVE_SENSE, .lba = MMC_VDRIVE_ANY, .times = 1, .key = 6,     \
    .asc = 0x29

static const struct kind kinds[] = {
    {"write-error-once",
     AT_PACKET,
     true,
     {.kind = MMC_VDRIVE_WRITE_ERROR, .lba = MMC_VDRIVE_ANY, .times = 1},
     false},
    {"write-errors",
     AT_PACKET,
     false,
     {.kind = MMC_VDRIVE_WRITE_ERROR, .lba = MMC_VDRIVE_ANY, .times = 0},
     false},
    {"bad-packet",
     AT_PACKET,
     false,
     {.kind = MMC_VDRIVE_WRITE_ERROR, .times = 0},
     true},
    {"reset-at-write",
     AT_WRITE,
     true,
     {RESET, .opcode = MMC_OP_WRITE_10, .cut = {.loss = MMC_VDRIVE_LOSE_ALL}},
     false},
    {"reset-at-sync",
     AT_SYNC,
     true,
     {RESET, .opcode = MMC_OP_SYNCHRONIZE_CACHE,
      .cut = {.loss = MMC_VDRIVE_LOSE_SOME, .seed = 5}},
     false},
    {"gone",
     AT_WRITE,
     false,
     {.kind = MMC_VDRIVE_GONE,
      .opcode = MMC_OP_WRITE_10,
      .lba = MMC_VDRIVE_ANY,
      .times = 1},
     false},
    {"pulled",
     AT_WRITE,
     false,
     {.kind = MMC_VDRIVE_PULL,
      .opcode = MMC_OP_WRITE_10,
      .lba = MMC_VDRIVE_ANY,
      .times = 1,
      .cut = {.loss = MMC_VDRIVE_LOSE_NONE}},
     false},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct campaign {
    struct cut_disc disc;
    const struct cut_workload *workload;
    uint64_t seed;
    const uint8_t **base;
    struct cut_log reference; /* the workload without a fault */
    bool cured;               /* which kinds are tried */
    uint64_t runs, struck, failures;
};

static uint64_t setting(const char *variable, uint64_t fallback) {
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : fallback;
}

/* ---- The workload without a fault ---------------------------------------- */

/* Prepares a world for the workload; the drive has what was prepared then. */
static struct cut_world *prepare(struct campaign *campaign) {
    struct cut_world *world = cut_world_new(campaign->seed);
    struct cut_session session;

    cut_drive_load(campaign->disc.drive, campaign->disc.empty);
    assert_int_equal(cut_session_open(&session, campaign->disc.drive), 0);
    assert_int_equal(
        cut_world_run(world, session.volume, campaign->workload->prepare), 0);
    assert_int_equal(cut_session_close(&session), 0);
    return world;
}

static void take_reference(struct campaign *campaign) {
    struct cut_drive *drive = campaign->disc.drive;
    struct cut_world *world = prepare(campaign);
    struct cut_session session;

    drive->log = &campaign->reference;
    assert_int_equal(cut_session_open(&session, drive), 0);
    assert_int_equal(
        cut_world_run(world, session.volume, campaign->workload->run), 0);
    assert_int_equal(cut_session_close(&session), 0);
    drive->log = NULL;
    cut_world_free(world);
}

static size_t places_of(const struct campaign *campaign,
                        const struct kind *kind) {
    switch (kind->at) {
    case AT_PACKET:
        return campaign->reference.count;
    case AT_WRITE:
        return campaign->reference.writes;
    case AT_SYNC:
        break;
    }
    return campaign->reference.syncs;
}

/* ---- One fault ----------------------------------------------------------- */

static void inject(struct campaign *campaign, const struct kind *kind,
                   size_t place) {
    struct mmc_vdrive_fault fault = kind->fault;
    struct cut_drive *drive = campaign->disc.drive;

    if (kind->at == AT_PACKET) {
        fault.opcode = MMC_VDRIVE_ANY;
    }
    if (kind->this_packet) {
        fault.lba = campaign->reference.steps[place].pkt * drive->packet_blocks;
    } else {
        fault.after = (uint32_t)place;
    }
    assert_int_equal(mmc_vdrive_inject(drive->vdrive, &fault), 0);
}

/* Power off and on, the disc in the drive, and all that it answered for. */
static void come_back(struct cut_drive *drive) {
    struct mmc_vdrive_cut cut = {.loss = MMC_VDRIVE_LOSE_NONE};

    mmc_vdrive_power_cut(drive->vdrive, &cut);
    mmc_vdrive_clear_faults(drive->vdrive);
    mmc_vdrive_power_on(drive->vdrive);
}

/* The mounted volume shows all that was accepted, whatever failed. What has to
 * be read from a drive that is gone is not its fault. */
static bool keeps_memory(const struct cut_world *world,
                         struct udf_volume *volume, char *text) {
    struct cut_span span = {world->ops - 1, world->ops - 1};
    uint32_t op;

    if (cut_world_matches(world, volume, span, &op, text)) {
        return true;
    }
    strcat(text, " (still mounted)");
    return false;
}

/* Mounts again, and what must be there is. */
static bool is_kept(struct campaign *campaign, const struct cut_world *world,
                    struct cut_span span, char *text) {
    struct cut_drive *drive = campaign->disc.drive;
    struct cut_session session;
    uint32_t op;
    bool good;
    int error;

    come_back(drive);
    error = cut_session_open(&session, drive);
    if (error) {
        snprintf(text, TEXT, "it does not mount: %s", strerror(-error));
        return false;
    }
    good = cut_world_matches(world, session.volume, span, &op, text);
    if (good && cut_volume_change(session.volume) != 0) {
        snprintf(text, TEXT, "it cannot be changed");
        good = false;
    }
    if (cut_session_close(&session) != 0 && good) {
        snprintf(text, TEXT, "it cannot be closed");
        good = false;
    }
    return good && cut_disc_is_clean(drive, text);
}

/* What the disc may hold: what was committed, or anything after it. */
static struct cut_span span_of(const struct cut_world *world, bool whole) {
    struct cut_span span = {0, world->ops - 1};

    for (uint32_t op = 0; op < world->ops; op++) {
        if (world->trees[op].committed || whole) {
            span.first = op;
        }
    }
    return span;
}

/* Returns whether the workload fared as it must. */
static bool fares_well(struct campaign *campaign, const struct kind *kind,
                       size_t place, char *text) {
    struct cut_world *world = prepare(campaign);
    struct cut_session session;
    int error, close_error = 0;
    bool good = true, gone = kind->fault.kind == MMC_VDRIVE_GONE ||
                             kind->fault.kind == MMC_VDRIVE_PULL;

    inject(campaign, kind, place);
    campaign->disc.drive->refusals = 0;
    error = cut_session_open(&session, campaign->disc.drive);
    if (!error) {
        error = cut_world_run(world, session.volume, campaign->workload->run);
        good = gone || keeps_memory(world, session.volume, text);
        close_error = cut_session_close(&session);
    }
    error = error ? error : close_error;
    campaign->struck += campaign->disc.drive->refusals > 0;
    if (error && good && kind->cured) {
        snprintf(text, TEXT, "the user is told: %s", strerror(-error));
        good = false;
    }
    good = good && is_kept(campaign, world, span_of(world, error == 0), text);
    cut_world_free(world);
    return good;
}

/* ---- All of them --------------------------------------------------------- */

static void show_line(void *context, enum mmc_log_level level,
                      const char *line) {
    (void)context;
    (void)level;
    print_message("  log: %s\n", line);
}

static void try_fault(struct campaign *campaign, const struct kind *kind,
                      size_t place) {
    const char *only = getenv("UDFPKT_FAULT_ONLY");
    char name[128], text[TEXT] = "";
    size_t len = only ? strlen(only) : 0;

    snprintf(name, sizeof(name), "%s:%s:%s:%zu", campaign->disc.name,
             campaign->workload->name, kind->name, place);
    if (only && strncmp(name, only, len) != 0) {
        return;
    }
    if (only && name[len] == 0) {
        mmc_log_set_sink(show_line, NULL, MMC_LOG_DEBUG);
    }
    campaign->runs++;
    if (!fares_well(campaign, kind, place, text)) {
        campaign->failures++;
        print_message("FAILED %s %s\n", name, text);
    }
    mmc_log_set_sink(NULL, NULL, MMC_LOG_ERROR);
}

/* A drive that manages defects cures a write error by itself; when it tells of
 * one, its spares have run out, and that does not pass. */
static bool is_tried(const struct campaign *campaign, const struct kind *kind) {
    bool passing =
        kind->at != AT_PACKET || strncmp(campaign->disc.name, "bdre", 4) != 0;

    return kind->cured == campaign->cured && (!kind->cured || passing);
}

static void try_workload(struct campaign *campaign) {
    uint64_t places = setting("UDFPKT_FAULTS", DEFAULT_PLACES);

    take_reference(campaign);
    for (size_t k = 0; k < KINDS; k++) {
        size_t count = places_of(campaign, &kinds[k]);

        for (size_t i = 0; i < (places ? places : count); i++) {
            size_t drawn = (size_t)cut_draw(&campaign->seed) % count;

            if (is_tried(campaign, &kinds[k])) {
                try_fault(campaign, &kinds[k], places ? drawn : i);
            }
        }
    }
    cut_log_clear(campaign->disc.drive, &campaign->reference);
}

/* Tries the kinds of fault that are cured, or the others, everywhere. Returns
 * how many failed. */
static uint64_t try_all(bool cured, bool journal) {
    uint64_t runs = 0, failures = 0;

    for (size_t i = 0; cut_disc_name(i); i++) {
        struct campaign campaign = {.seed = setting("UDFPKT_CUT_SEED", 1) | 1,
                                    .cured = cured};

        cut_disc_make(&campaign.disc, cut_disc_name(i));
        campaign.disc.drive->no_journal = !journal;
        for (size_t w = 0; cut_workload(w); w++) {
            campaign.workload = cut_workload(w);
            try_workload(&campaign);
        }
        assert_true(campaign.runs == 0 || campaign.struck > 0);
        runs += campaign.runs;
        failures += campaign.failures;
        cut_disc_free(&campaign.disc);
    }
    print_message("%llu faults, %llu failures\n", (unsigned long long)runs,
                  (unsigned long long)failures);
    return failures;
}

static void test_faults_are_cured(void **state) {
    (void)state;
    assert_int_equal(try_all(true, true), 0);
}

static void test_faults_lose_nothing(void **state) {
    (void)state;
    assert_int_equal(try_all(false, true), 0);
}

/* Where the work cannot go on, the promise needs a journal: the campaign must
 * see that. */
static void test_faults_lose_without_journal(void **state) {
    const bool only = getenv("UDFPKT_FAULT_ONLY") != NULL;

    (void)state;
    assert_true(try_all(false, false) > 0 || only);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_are_cured),
        cmocka_unit_test(test_faults_lose_nothing),
        cmocka_unit_test(test_faults_lose_without_journal)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
