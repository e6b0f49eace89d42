/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/cut_judge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/log.h"
#include "test/support/cut_disc.h"
#include "test/support/cut_drive.h"
#include "test/support/cut_tree.h"
#include "test/support/cut_work.h"
#include "test/support/cut_world.h"
#include "udf/udf.h"

enum {
    DEFAULT_STATES = 10,
    SOME_SEEDS = 24, /* variants that lose a random subset, of each tear */
    VARIANTS = CUT_TEARS * (2 + SOME_SEEDS),
    LOSSES_SHOWN = 3
};

/* ---- What the environment says ------------------------------------------- */

static uint64_t setting(const char *variable, uint64_t fallback) {
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : fallback;
}

/* A cut as it is printed. */
struct cut_name {
    size_t step;
    unsigned variant;
};

/* UDFPKT_CUT_ONLY; fields that are not given are wanted all. */
struct only {
    char disc[32], workload[32];
    struct cut_name cuts[2];
    int cut_count;
};

static struct only wanted(void) {
    const char *text = getenv("UDFPKT_CUT_ONLY");
    struct only only = {0};
    int fields;

    if (!text) {
        return only;
    }
    fields = sscanf(text, "%31[^:]:%31[^:]:%zu.%u:%zu.%u", only.disc,
                    only.workload, &only.cuts[0].step, &only.cuts[0].variant,
                    &only.cuts[1].step, &only.cuts[1].variant);
    only.cut_count = fields > 2 ? (fields - 2) / 2 : 0;
    return only;
}

bool cut_wants_disc(const char *name) {
    struct only only = wanted();

    return !only.disc[0] || strcmp(only.disc, name) == 0;
}

static bool wants_workload(const char *name) {
    struct only only = wanted();

    return !only.workload[0] || strcmp(only.workload, name) == 0;
}

/* ---- The workload -------------------------------------------------------- */

struct campaign {
    struct cut_disc *disc;
    const struct cut_workload *workload;
    struct cut_world *world;
    const uint8_t **base; /* before the workload */
    struct cut_log log;
    struct cut_log again; /* of the mount after the first cut */
    size_t mounted;       /* its steps when the mount was there */
    struct cut_state first, second;
    uint64_t *hashes; /* of states that were tried, open addressing */
    size_t hash_room;
    uint64_t seed, states, second_states, losses;
};

static void run_session(struct campaign *campaign,
                        void (*work)(struct cut_world *world)) {
    struct cut_session session;

    assert_int_equal(cut_session_open(&session, campaign->disc->drive), 0);
    assert_int_equal(cut_world_run(campaign->world, session.volume, work), 0);
    assert_int_equal(cut_session_close(&session), 0);
}

static void record(struct campaign *campaign) {
    struct cut_drive *drive = campaign->disc->drive;

    cut_drive_load(drive, campaign->disc->empty);
    run_session(campaign, campaign->workload->prepare);
    campaign->base = cut_drive_save(drive);
    cut_drive_load(drive, campaign->base);
    drive->log = &campaign->log;
    campaign->world->time = &campaign->log.count;
    run_session(campaign, campaign->workload->run);
    drive->log = NULL;
    campaign->world->time = NULL;
}

/* ---- One medium ---------------------------------------------------------- */

/* Mounts what is in the drive and judges it; the parts of the promise that are
 * about one mount. */
static bool passes(struct campaign *campaign, struct cut_span span,
                   uint32_t *out_op, char *text) {
    struct cut_drive *drive = campaign->disc->drive;
    struct cut_session session;
    struct udf_info info;
    bool good;
    int error = cut_session_open(&session, drive);

    if (error) {
        snprintf(text, CUT_TEXT_BYTES, "it does not mount: %s",
                 strerror(-error));
        return false;
    }
    campaign->mounted = campaign->again.count;
    udf_get_info(session.volume, &info);
    good =
        cut_world_matches(campaign->world, session.volume, span, out_op, text);
    if (good && !info.writable) {
        snprintf(text, CUT_TEXT_BYTES, "it is read-only: %s",
                 info.read_only_reason);
        good = false;
    }
    if (good) {
        error = cut_volume_change(session.volume);
        if (error) {
            snprintf(text, CUT_TEXT_BYTES, "it cannot be changed: %s",
                     strerror(-error));
        }
    }
    if (cut_session_close(&session) != 0 && good && !error) {
        snprintf(text, CUT_TEXT_BYTES, "it cannot be closed");
        error = -EIO;
    }
    return good && !error && cut_disc_is_clean(drive, text);
}

/* ---- Losses -------------------------------------------------------------- */

static void keep_image(struct campaign *campaign,
                       const struct cut_state *state) {
    const char *folder = getenv("UDFPKT_CUT_KEEP");
    struct cut_drive *drive = campaign->disc->drive;
    char path[256];
    FILE *file;

    if (!folder) {
        return;
    }
    snprintf(path, sizeof(path), "%s/%s-%s-%llu.img", folder,
             campaign->disc->name, campaign->workload->name,
             (unsigned long long)campaign->losses);
    file = fopen(path, "w");
    assert_non_null(file);
    for (uint32_t pkt = 0; pkt < drive->packets; pkt++) {
        const uint8_t *data = state->medium[pkt];

        if (data == cut_unreadable) {
            print_message("  packet %u (block %u) is unreadable\n", pkt,
                          pkt * drive->packet_blocks);
            assert_int_equal(fseek(file, (long)drive->packet_bytes, SEEK_CUR),
                             0);
        } else {
            assert_int_equal(fwrite(data, drive->packet_bytes, 1, file), 1);
        }
    }
    assert_int_equal(fclose(file), 0);
}

static void report(struct campaign *campaign, const struct cut_name *cuts,
                   int cut_count, const char *text) {
    campaign->losses++;
    if (campaign->losses > LOSSES_SHOWN) {
        return;
    }
    print_message("LOST %s:%s:%zu.%u", campaign->disc->name,
                  campaign->workload->name, cuts[0].step, cuts[0].variant);
    if (cut_count > 1) {
        print_message(":%zu.%u", cuts[1].step, cuts[1].variant);
    }
    print_message(" %s\n", text);
    keep_image(campaign, cut_count > 1 ? &campaign->second : &campaign->first);
}

/* ---- States -------------------------------------------------------------- */

static struct cut_point point_of(const struct campaign *campaign,
                                 struct cut_name name) {
    unsigned loss = name.variant / CUT_TEARS;

    return (struct cut_point){
        .step = name.step,
        .tear = (enum cut_tear)(name.variant % CUT_TEARS),
        .loss = loss < CUT_LOSE_SOME ? (enum cut_loss)loss : CUT_LOSE_SOME,
        .seed = (campaign->seed * UINT64_C(1000003) + name.step) * VARIANTS +
                name.variant,
    };
}

static void show_line(void *context, enum mmc_log_level level,
                      const char *line) {
    (void)context;
    (void)level;
    print_message("  log: %s\n", line);
}

/* Whether this medium was not tried yet. */
static bool is_new(struct campaign *campaign) {
    uint64_t hash = cut_state_hash(campaign->disc->drive, &campaign->first) | 1;
    size_t at = hash % campaign->hash_room;

    while (campaign->hashes[at]) {
        if (campaign->hashes[at] == hash) {
            return false;
        }
        at = (at + 1) % campaign->hash_room;
    }
    campaign->hashes[at] = hash;
    return true;
}

/* The second cut, while the volume was mounted, changed and closed again. */
static void judge_second(struct campaign *campaign, const struct cut_name *cuts,
                         struct cut_span span, uint32_t seen_op) {
    struct cut_drive *drive = campaign->disc->drive;
    struct cut_point point = point_of(campaign, cuts[1]);
    bool seen = point.step >= campaign->mounted;
    char text[CUT_TEXT_BYTES + 200] = "";
    uint32_t op = seen_op;

    if (seen) {
        span.first = seen_op;
    }
    cut_state_make(drive, campaign->first.medium, &campaign->again, &point,
                   &campaign->second);
    cut_drive_load(drive, campaign->second.medium);
    campaign->second_states++;
    if (!passes(campaign, span, &op, text)) {
        report(campaign, cuts, 2, text);
    } else if (seen && op != seen_op) {
        report(campaign, cuts, 2, "another commit than after the first mount");
    }
}

static struct cut_name draw_cut(uint64_t *seed, size_t steps) {
    struct cut_name cut = {.step = cut_draw(seed) % (steps + 1)};

    cut.variant = (unsigned)(cut_draw(seed) % VARIANTS);
    return cut;
}

/* One cut, and one more behind it: cuts[1] when it is given. */
static void judge_first(struct campaign *campaign, struct cut_name *cuts,
                        int cut_count) {
    struct cut_drive *drive = campaign->disc->drive;
    struct cut_point point = point_of(campaign, cuts[0]);
    struct cut_span span = cut_world_span(campaign->world, point.step);
    uint64_t seed = point.seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
    char text[CUT_TEXT_BYTES + 200] = "";
    uint32_t op = 0;
    bool good;

    cut_state_make(drive, campaign->base, &campaign->log, &point,
                   &campaign->first);
    if (!is_new(campaign)) {
        return;
    }
    cut_drive_load(drive, campaign->first.medium);
    drive->log = &campaign->again;
    good = passes(campaign, span, &op, text);
    drive->log = NULL;
    campaign->states++;
    if (!good) {
        report(campaign, cuts, 1, text);
    } else if (campaign->again.count > 0) {
        if (cut_count < 2) {
            cuts[1] = draw_cut(&seed, campaign->again.count);
        }
        judge_second(campaign, cuts, span, op);
    }
    cut_log_clear(drive, &campaign->again);
}

/* So that no two campaigns cut at the same places. */
static uint64_t name_seed(const struct campaign *campaign) {
    const char *names[] = {campaign->disc->name, campaign->workload->name};
    uint64_t seed = campaign->seed;

    for (size_t i = 0; i < 2; i++) {
        for (const char *at = names[i]; *at; at++) {
            seed = (seed ^ (uint8_t)*at) * UINT64_C(0x100000001B3);
        }
    }
    return seed | 1;
}

static void judge_all(struct campaign *campaign) {
    uint64_t states = setting("UDFPKT_CUT_STATES", DEFAULT_STATES);
    struct only only = wanted();
    struct cut_name cuts[2] = {0};
    uint64_t seed = name_seed(campaign);

    if (only.cut_count > 0) {
        mmc_log_set_sink(show_line, NULL, MMC_LOG_DEBUG);
        judge_first(campaign, only.cuts, only.cut_count);
        mmc_log_set_sink(NULL, NULL, MMC_LOG_ERROR);
        return;
    }
    for (uint64_t i = 0; i < states; i++) {
        cuts[0] = draw_cut(&seed, campaign->log.count);
        judge_first(campaign, cuts, 1);
    }
    for (size_t step = 0; states == 0 && step <= campaign->log.count; step++) {
        for (unsigned variant = 0; variant < VARIANTS; variant++) {
            cuts[0] = (struct cut_name){.step = step, .variant = variant};
            judge_first(campaign, cuts, 1);
        }
    }
}

static void start(struct campaign *campaign) {
    struct cut_drive *drive = campaign->disc->drive;

    campaign->seed = setting("UDFPKT_CUT_SEED", 1);
    campaign->world = cut_world_new(campaign->seed);
    cut_state_init(drive, &campaign->first);
    cut_state_init(drive, &campaign->second);
    record(campaign);
    campaign->hash_room = (campaign->log.count + 1) * VARIANTS * 2 +
                          setting("UDFPKT_CUT_STATES", DEFAULT_STATES) * 2;
    campaign->hashes = calloc(campaign->hash_room, sizeof(*campaign->hashes));
    assert_non_null(campaign->hashes);
}

static void finish(struct campaign *campaign) {
    cut_state_free(&campaign->first);
    cut_state_free(&campaign->second);
    cut_log_clear(campaign->disc->drive, &campaign->log);
    cut_world_free(campaign->world);
    free(campaign->base);
    free(campaign->hashes);
}

void cut_judge(struct cut_disc *disc, const struct cut_workload *workload,
               struct cut_tally *tally) {
    struct campaign campaign = {.disc = disc, .workload = workload};

    if (!wants_workload(workload->name)) {
        return;
    }
    start(&campaign);
    judge_all(&campaign);
    print_message("%s:%s: %zu packets written, %llu states, %llu after a "
                  "second cut, %llu lost\n",
                  disc->name, workload->name, campaign.log.count,
                  (unsigned long long)campaign.states,
                  (unsigned long long)campaign.second_states,
                  (unsigned long long)campaign.losses);
    tally->steps += campaign.log.count;
    tally->states += campaign.states;
    tally->second_states += campaign.second_states;
    tally->losses += campaign.losses;
    finish(&campaign);
}
