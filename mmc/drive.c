/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/drive.c - an open drive and its lock. All waiting and repeating is in
 * mmc_drive_run() and its table; nothing else in mmc/ repeats a command,
 * except that mmc/cache sends data again that the drive has lost.
 */
#include "mmc/drive.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mmc/blockdev.h"
#include "mmc/command.h"
#include "mmc/events.h"
#include "mmc/log.h"
#include "mmc/transport.h"

/* What is done before a command is repeated. */
enum remedy {
    REMEDY_NONE,
    REMEDY_START,     /* START UNIT */
    REMEDY_SETTINGS,  /* write parameters, speed, door */
    REMEDY_CALIBRATE, /* SEND OPC INFORMATION */
    REMEDY_FLUSH      /* SYNCHRONIZE CACHE, then the settings */
};

enum {
    ALWAYS = UINT8_MAX,
    RUN_ATTEMPTS_MAX = 10000,
    WATCH_MS = 1000,
    FORMATTING_MS = 250 /* who says so again means it */
};

/* How often and how long a command is repeated for each result. Results that
 * are not listed are final. `limit_ms` counts from the first attempt; 0 = the
 * number of repeats is the limit. Pauses double up to `longest_ms`. */
static const struct rule {
    uint8_t repeats, write_repeats; /* ALWAYS: until limit_ms */
    uint16_t pause_ms, longest_ms;
    uint32_t limit_ms;
    enum remedy remedy;
} rules[MMC_RESULT_COUNT] = {
    /* Spinning up takes 5 to 60 s; some drives report the write-out of their
     * buffer this way, which takes longer. */
    [MMC_NOT_READY] = {ALWAYS, ALWAYS, 100, 1000, 200000, REMEDY_NONE},
    /* Some adapters never say more than this when there is no medium. */
    [MMC_NOT_READY_VAGUE] = {ALWAYS, ALWAYS, 250, 1000, 5000, REMEDY_NONE},
    /* Hundreds of these are normal while a drive writes a lead-in. */
    [MMC_LONG_WRITE] = {ALWAYS, ALWAYS, 10, 500, MMC_TIMEOUT_WRITE_MS,
                        REMEDY_NONE},
    [MMC_BUSY] = {ALWAYS, ALWAYS, 100, 1000, 60000, REMEDY_NONE},
    [MMC_NEEDS_START] = {2, 2, 0, 0, 0, REMEDY_START},
    [MMC_MEDIUM_CHANGED] = {4, 4, 0, 0, 0, REMEDY_SETTINGS},
    /* A bad cable brings one after another for some seconds. */
    [MMC_RESET] = {8, 8, 100, 1600, 0, REMEDY_SETTINGS},
    [MMC_MODE_CHANGED] = {4, 4, 0, 0, 0, REMEDY_SETTINGS},
    [MMC_REMOVAL_REQUEST] = {8, 8, 0, 0, 0, REMEDY_NONE},
    [MMC_UNIT_ATTENTION] = {8, 8, 0, 0, 0, REMEDY_NONE},
    /* A bad block is read three times more, but overwritten once only: every
     * further try costs wear, and spares are at hand. */
    [MMC_MEDIUM_ERROR] = {3, 1, 100, 400, 0, REMEDY_SETTINGS},
    [MMC_SERVO_ERROR] = {2, 2, 500, 1000, 0, REMEDY_START},
    [MMC_STREAM_LOST] = {3, 3, 100, 400, 0, REMEDY_NONE},
    /* What some drives say that want to be told to calibrate their laser. */
    [MMC_RECORDING_AREA] = {1, 1, 500, 500, 0, REMEDY_CALIBRATE},
    [MMC_HARDWARE_ERROR] = {2, 2, 500, 1000, 0, REMEDY_SETTINGS},
    /* The right page 05h cures both, and some DVD+RW drives want their buffer
     * written out before they read again. */
    [MMC_WRONG_TRACK_MODE] = {1, 1, 0, 0, 0, REMEDY_SETTINGS},
    [MMC_SEQUENCE_ERROR] = {2, 2, 500, 5000, 0, REMEDY_FLUSH},
    [MMC_ABORTED] = {3, 3, 100, 400, 0, REMEDY_NONE},
    [MMC_MISCOMPARE] = {1, 1, 0, 0, 0, REMEDY_NONE},
    [MMC_DEFERRED_ERROR] = {4, 4, 0, 0, 0, REMEDY_NONE},
    [MMC_BAD_REPLY] = {1, 1, 100, 100, 0, REMEDY_NONE},
    [MMC_TIMEOUT] = {1, 1, 1000, 1000, 0, REMEDY_NONE},
    [MMC_TRANSPORT_ERROR] = {2, 2, 500, 1000, 0, REMEDY_SETTINGS},
};

struct mmc_drive {
    struct mmc_transport *transport;
    struct mmc_inquiry inquiry;
    pthread_mutex_t lock; /* guards everything below, and the transport */
    struct mmc_mode_page page;
    bool page_set;
    struct mmc_drive_speed speed;
    bool speed_set;
    bool door_locked;
    bool suspect; /* another disc may lie in the drive */
    bool gone;
    bool empty; /* has said so; once is enough */
    struct mmc_events events;
    uint64_t events_asked_ms;
    bool asked_in_passing; /* between transfers, since mmc_drive_news() */
    /* No lock: */
    int news_fd; /* -1 = nobody watches; set once */
    atomic_uint news;
    /* Read without the lock, so that nobody waits for a command to end. */
    _Atomic uint64_t epoch;
};

/* One run of mmc_drive_run(): how often each result has come. */
struct run {
    uint8_t seen[MMC_RESULT_COUNT];
    uint64_t start_ms;
    unsigned attempts;
};

/* Sends page 05h or the like; news on the way are what brought us here, so
 * they are passed over. Called with the lock held. */
static void send_page(struct mmc_drive *drive) {
    for (unsigned i = 0; i < 4; i++) {
        enum mmc_result result =
            mmc_command_mode_select(drive->transport, &drive->page, NULL);

        if (result == MMC_OK) {
            return;
        }
        if (rules[result].repeats == 0) {
            mmc_log(MMC_LOG_WARN, "write parameters not accepted: %s",
                    mmc_result_name(result));
            return;
        }
        mmc_transport_sleep(drive->transport, rules[result].pause_ms);
    }
}

static enum mmc_result send_speed(struct mmc_transport *transport,
                                  const struct mmc_drive_speed *speed,
                                  struct mmc_sense *out_sense) {
    return speed->cd ? mmc_command_set_cd_speed(transport, speed->cd_read_kbs,
                                                speed->cd_write_kbs, out_sense)
                     : mmc_command_set_streaming(transport, &speed->streaming,
                                                 out_sense);
}

/* Called with the lock held. */
static void send_settings(struct mmc_drive *drive) {
    if (drive->page_set) {
        send_page(drive);
    }
    if (drive->speed_set) {
        send_speed(drive->transport, &drive->speed, NULL);
    }
    if (drive->door_locked) {
        mmc_command_prevent_allow(drive->transport, MMC_DOOR_PREVENT, NULL);
    }
}

static void apply_remedy(struct mmc_drive *drive, enum remedy remedy) {
    switch (remedy) {
    case REMEDY_NONE:
        break;
    case REMEDY_START:
        mmc_command_start_stop(drive->transport, MMC_UNIT_START, false, NULL);
        break;
    case REMEDY_FLUSH:
        mmc_command_synchronize_cache(drive->transport, false, NULL);
        send_settings(drive);
        break;
    case REMEDY_CALIBRATE:
        mmc_command_send_opc(drive->transport, NULL);
        break;
    case REMEDY_SETTINGS:
        send_settings(drive);
        break;
    }
}

/* Notes news for mmc_drive_news(). Called with the lock held. */
static void report(struct mmc_drive *drive, unsigned news) {
    if (drive->news_fd < 0 || news == 0) {
        return;
    }
    atomic_fetch_or(&drive->news, news);
    /* Fails only when the descriptor is readable for ever anyway. */
    (void)eventfd_write(drive->news_fd, 1);
}

/* Keeps in mind what a result says beyond the command it came with. */
static void take_note(struct mmc_drive *drive, enum mmc_result result) {
    switch (mmc_result_action(result)) {
    case MMC_DO_RESEND:
        drive->epoch++;
        if (result == MMC_RESET) {
            drive->suspect = true;
        }
        break;
    case MMC_DO_REIDENTIFY:
        drive->epoch++;
        drive->suspect = true;
        break;
    case MMC_DO_REMOVED:
        if (result == MMC_DRIVE_GONE && !drive->gone) {
            drive->gone = true;
            report(drive, MMC_NEWS_DRIVE_GONE);
        } else if (result == MMC_NO_MEDIUM && !drive->empty) {
            drive->empty = true;
            report(drive, MMC_NEWS_REMOVED);
        }
        break;
    case MMC_DO_EJECT:
        report(drive, MMC_NEWS_EJECT);
        break;
    case MMC_DO_SUCCEED:
    case MMC_DO_WAIT:
    case MMC_DO_START:
    case MMC_DO_RETRY:
    case MMC_DO_RETRY_REMAP:
    case MMC_DO_SETUP:
    case MMC_DO_READ_ONLY:
    case MMC_DO_FAIL:
        break;
    }
}

/* Asks for events until there are no more. With the lock, at a time when no
 * command waits for its turn to be repeated. */
static void ask_events(struct mmc_drive *drive) {
    struct mmc_event event;
    unsigned news = 0;
    bool more = !drive->gone && !drive->events.unsupported;

    drive->events_asked_ms = mmc_transport_now(drive->transport);
    mmc_events_begin(&drive->events);
    while (more) {
        enum mmc_result result = mmc_command_get_event(
            drive->transport, MMC_EVENTS_MEDIA, &event, NULL);

        if (result == MMC_OK) {
            more = mmc_events_take(&drive->events, &event, &news);
            continue;
        }
        take_note(drive, result);
        if (result == MMC_INVALID_OPCODE || result == MMC_ILLEGAL_REQUEST) {
            mmc_log(MMC_LOG_INFO, "drive: reports no eject button");
            drive->events.unsupported = true;
        }
        more = false;
    }
    report(drive, news);
}

/* Called with the lock held, after a transfer. */
static void ask_events_in_passing(struct mmc_drive *drive) {
    uint64_t now = mmc_transport_now(drive->transport);

    if (drive->news_fd >= 0 && now - drive->events_asked_ms >= WATCH_MS) {
        drive->asked_in_passing = true;
        ask_events(drive);
    }
}

/* Whether the command is to be sent once more; waits and mends before. */
static bool should_repeat(struct mmc_drive *drive, struct run *run,
                          enum mmc_patience patience, enum mmc_result result) {
    const struct rule *rule = &rules[result];
    uint8_t repeats =
        patience == MMC_PATIENCE_WRITE ? rule->write_repeats : rule->repeats;
    uint64_t pause = rule->pause_ms;

    if (++run->attempts >= RUN_ATTEMPTS_MAX ||
        (repeats != ALWAYS && run->seen[result] >= repeats)) {
        return false;
    }
    if (rule->limit_ms > 0 &&
        (patience == MMC_PATIENCE_PROBE ||
         mmc_transport_now(drive->transport) - run->start_ms >=
             rule->limit_ms)) {
        return false;
    }
    for (unsigned i = 0; i < run->seen[result] && pause < rule->longest_ms;
         i++) {
        pause *= 2;
    }
    if (pause > rule->longest_ms) {
        pause = rule->longest_ms;
    }
    if (run->seen[result] < UINT8_MAX) {
        run->seen[result]++;
    }
    if (pause > 0) {
        mmc_transport_sleep(drive->transport, (uint32_t)pause);
    }
    apply_remedy(drive, rule->remedy);
    return true;
}

static bool moves_data(enum mmc_patience patience) {
    return patience == MMC_PATIENCE_READ || patience == MMC_PATIENCE_WRITE;
}

static void log_failure(enum mmc_result result, const struct mmc_sense *sense) {
    char text[128];

    mmc_sense_text(sense, text, sizeof(text));
    mmc_log(MMC_LOG_INFO, "drive: %s (%s)", mmc_result_name(result), text);
}

/* Called with the lock held. */
static enum mmc_result run_locked(struct mmc_drive *drive,
                                  enum mmc_patience patience,
                                  mmc_attempt *attempt, void *context,
                                  struct mmc_sense *sense) {
    struct run run = {.start_ms = mmc_transport_now(drive->transport)};
    enum mmc_result result;

    for (;;) {
        if (drive->gone) {
            return MMC_DRIVE_GONE;
        }
        if (moves_data(patience) && drive->suspect) {
            return MMC_MEDIUM_CHANGED;
        }
        result = attempt(drive->transport, context, sense);
        take_note(drive, result);
        if (result == MMC_OK) {
            return result;
        }
        if (!should_repeat(drive, &run, patience, result)) {
            break;
        }
    }
    log_failure(result, sense);
    return result == MMC_NOT_READY_VAGUE ? MMC_NO_MEDIUM : result;
}

enum mmc_result mmc_drive_run(struct mmc_drive *drive,
                              enum mmc_patience patience, mmc_attempt *attempt,
                              void *context, struct mmc_sense *out_sense) {
    struct mmc_sense sense = {0};
    enum mmc_result result;

    pthread_mutex_lock(&drive->lock);
    result = run_locked(drive, patience, attempt, context, &sense);
    if (moves_data(patience)) {
        ask_events_in_passing(drive);
    }
    pthread_mutex_unlock(&drive->lock);
    if (out_sense) {
        *out_sense = sense;
    }
    return result;
}

/* The commands that are sent from here. */

static enum mmc_result attempt_inquiry(struct mmc_transport *transport,
                                       void *context,
                                       struct mmc_sense *out_sense) {
    return mmc_command_inquiry(transport, context, out_sense);
}

struct page_query {
    uint8_t code;
    struct mmc_mode_page *page;
};

static enum mmc_result attempt_page(struct mmc_transport *transport,
                                    void *context,
                                    struct mmc_sense *out_sense) {
    const struct page_query *query = context;

    return mmc_command_mode_sense(transport, MMC_MODE_CURRENT, query->code,
                                  query->page, out_sense);
}

static enum mmc_result attempt_select(struct mmc_transport *transport,
                                      void *context,
                                      struct mmc_sense *out_sense) {
    return mmc_command_mode_select(transport, context, out_sense);
}

static enum mmc_result attempt_speed(struct mmc_transport *transport,
                                     void *context,
                                     struct mmc_sense *out_sense) {
    return send_speed(transport, context, out_sense);
}

static enum mmc_result attempt_door(struct mmc_transport *transport,
                                    void *context,
                                    struct mmc_sense *out_sense) {
    const enum mmc_door *door = context;

    return mmc_command_prevent_allow(transport, *door, out_sense);
}

/* Asks who it is. A drive says so in whatever state it is: another answer says
 * nothing but that it does not work. */
static int identify(struct mmc_drive *drive) {
    enum mmc_result result = mmc_drive_run(
        drive, MMC_PATIENCE_QUERY, attempt_inquiry, &drive->inquiry, NULL);

    if (result == MMC_OK) {
        return drive->inquiry.device_type == MMC_DEVICE_TYPE_MMC ? 0 : -ENXIO;
    }
    if (result == MMC_DRIVE_GONE) {
        return -ENODEV;
    }
    return result == MMC_NOT_PERMITTED ? -EPERM : -EIO;
}

int mmc_drive_open(struct mmc_transport *transport,
                   struct mmc_drive **out_drive) {
    struct mmc_drive *drive = calloc(1, sizeof(*drive));
    int error;

    if (!drive) {
        return -ENOMEM;
    }
    drive->transport = transport;
    drive->news_fd = -1;
    pthread_mutex_init(&drive->lock, NULL);
    error = identify(drive);
    if (error) {
        pthread_mutex_destroy(&drive->lock);
        free(drive);
        return error;
    }
    *out_drive = drive;
    return 0;
}

void mmc_drive_close(struct mmc_drive *drive) {
    if (!drive) {
        return;
    }
    if (drive->door_locked) {
        mmc_drive_lock_door(drive, false);
    }
    mmc_transport_close(drive->transport);
    if (drive->news_fd >= 0) {
        close(drive->news_fd);
    }
    pthread_mutex_destroy(&drive->lock);
    free(drive);
}

const struct mmc_inquiry *mmc_drive_inquiry(const struct mmc_drive *drive) {
    return &drive->inquiry;
}

uint32_t mmc_drive_max_blocks(const struct mmc_drive *drive) {
    uint32_t blocks =
        drive->transport->max_transfer_bytes / BLOCKDEV_BLOCK_BYTES;

    if (blocks > UINT16_MAX) {
        return UINT16_MAX; /* READ(10) and WRITE(10) have 16 bits */
    }
    return blocks > 0 ? blocks : 1;
}

static bool is_formatting(const struct mmc_sense *sense) {
    return sense->asc == 0x04 && sense->ascq == 0x04;
}

static void take_progress(const struct mmc_sense *sense,
                          struct mmc_drive_progress *progress) {
    progress->formatting = progress->formatting || is_formatting(sense);
    if (sense->progress_valid) {
        progress->known = true;
        progress->permille = (unsigned)sense->progress * 1000 / 65536;
    }
}

/* Called with the lock held, after TEST UNIT READY with `sense`. */
static void ask_progress(struct mmc_drive *drive, const struct mmc_sense *sense,
                         struct mmc_drive_progress *progress) {
    struct mmc_sense asked = {0};

    take_progress(sense, progress);
    if (!progress->known &&
        mmc_command_request_sense(drive->transport, &asked) == MMC_OK) {
        take_progress(&asked, progress);
    }
}

/* Whether the drive works on something. Some call themselves ready all the
 * same, and are busy for whoever asks about the disc. Called with the lock
 * held. */
static enum mmc_result ask_ready(struct mmc_drive *drive,
                                 struct mmc_sense *out_sense) {
    struct mmc_disc_information info;
    enum mmc_result asked,
        result = mmc_command_test_unit_ready(drive->transport, out_sense);

    if (result != MMC_OK) {
        return result;
    }
    asked =
        mmc_command_read_disc_information(drive->transport, &info, out_sense);
    return mmc_result_action(asked) == MMC_DO_WAIT ? asked : MMC_OK;
}

enum mmc_result mmc_drive_poll(struct mmc_drive *drive,
                               struct mmc_drive_progress *out) {
    struct mmc_drive_progress progress = {0};
    struct mmc_sense sense = {0};
    enum mmc_result result;

    pthread_mutex_lock(&drive->lock);
    result = drive->gone ? MMC_DRIVE_GONE : ask_ready(drive, &sense);
    take_note(drive, result);
    switch (mmc_result_action(result)) {
    case MMC_DO_SUCCEED:
        break;
    case MMC_DO_WAIT:
        progress.running = true;
        ask_progress(drive, &sense, &progress);
        result = MMC_OK;
        break;
    case MMC_DO_RETRY: /* news, or a bus that hiccups: ask again later */
    case MMC_DO_SETUP:
    case MMC_DO_REIDENTIFY:
    case MMC_DO_RESEND:
    case MMC_DO_EJECT:
        progress.running = true;
        result = MMC_OK;
        break;
    case MMC_DO_START:
        apply_remedy(drive, REMEDY_START);
        break;
    case MMC_DO_RETRY_REMAP:
    case MMC_DO_READ_ONLY:
    case MMC_DO_REMOVED:
    case MMC_DO_FAIL:
        break;
    }
    pthread_mutex_unlock(&drive->lock);
    if (result == MMC_OK) {
        *out = progress;
    }
    return result;
}

/* TEST UNIT READY once; wait_ready does the waiting. */
static enum mmc_result attempt_ready(struct mmc_transport *transport,
                                     void *context,
                                     struct mmc_sense *out_sense) {
    (void)context;
    return mmc_command_test_unit_ready(transport, out_sense);
}

enum mmc_result mmc_drive_wait_ready(struct mmc_drive *drive,
                                     uint32_t limit_ms) {
    uint64_t start = mmc_drive_now(drive);

    for (;;) {
        struct mmc_sense sense = {0};
        enum mmc_result result = mmc_drive_run(drive, MMC_PATIENCE_PROBE,
                                               attempt_ready, NULL, &sense);
        uint64_t waited = mmc_drive_now(drive) - start;
        /* run() has made MMC_NO_MEDIUM of "not ready, no cause", which is
         * too early to say while a drive may be closing its tray. */
        bool vague = result == MMC_NO_MEDIUM && sense.asc == 0x04 &&
                     waited < rules[MMC_NOT_READY_VAGUE].limit_ms;

        if (!vague && mmc_result_action(result) != MMC_DO_WAIT) {
            return result;
        }
        if (waited >= limit_ms ||
            (is_formatting(&sense) && waited >= FORMATTING_MS)) {
            return MMC_NOT_READY;
        }
        mmc_drive_sleep(drive, 250);
    }
}

void mmc_drive_sleep(struct mmc_drive *drive, uint32_t duration_ms) {
    pthread_mutex_lock(&drive->lock);
    mmc_transport_sleep(drive->transport, duration_ms);
    pthread_mutex_unlock(&drive->lock);
}

uint64_t mmc_drive_now(struct mmc_drive *drive) {
    uint64_t now;

    pthread_mutex_lock(&drive->lock);
    now = mmc_transport_now(drive->transport);
    pthread_mutex_unlock(&drive->lock);
    return now;
}

enum mmc_result mmc_drive_get_page(struct mmc_drive *drive, uint8_t code,
                                   struct mmc_mode_page *out_page) {
    struct page_query query = {.code = code, .page = out_page};

    return mmc_drive_run(drive, MMC_PATIENCE_QUERY, attempt_page, &query, NULL);
}

enum mmc_result mmc_drive_set_page(struct mmc_drive *drive,
                                   const struct mmc_mode_page *page) {
    struct mmc_mode_page copy = *page;
    enum mmc_result result;

    result =
        mmc_drive_run(drive, MMC_PATIENCE_QUERY, attempt_select, &copy, NULL);
    if (result == MMC_OK) {
        pthread_mutex_lock(&drive->lock);
        drive->page = copy;
        drive->page_set = true;
        pthread_mutex_unlock(&drive->lock);
    }
    return result;
}

enum mmc_result mmc_drive_set_speed(struct mmc_drive *drive,
                                    const struct mmc_drive_speed *speed,
                                    bool keep) {
    struct mmc_drive_speed copy = *speed;
    enum mmc_result result;

    pthread_mutex_lock(&drive->lock);
    drive->speed_set = false;
    pthread_mutex_unlock(&drive->lock);
    result =
        mmc_drive_run(drive, MMC_PATIENCE_PROBE, attempt_speed, &copy, NULL);
    if (result == MMC_OK && keep) {
        pthread_mutex_lock(&drive->lock);
        drive->speed = copy;
        drive->speed_set = true;
        pthread_mutex_unlock(&drive->lock);
    }
    return result;
}

void mmc_drive_lock_door(struct mmc_drive *drive, bool locked) {
    enum mmc_door door = locked ? MMC_DOOR_PREVENT : MMC_DOOR_ALLOW;

    pthread_mutex_lock(&drive->lock);
    drive->door_locked = locked;
    pthread_mutex_unlock(&drive->lock);
    /* A drive without a lock refuses; its user holds the disc anyway. */
    mmc_drive_run(drive, MMC_PATIENCE_PROBE, attempt_door, &door, NULL);
}

int mmc_drive_watch(struct mmc_drive *drive, int *out_fd) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0) {
        return -errno;
    }
    pthread_mutex_lock(&drive->lock);
    ask_events(drive);
    drive->news_fd = fd;
    pthread_mutex_unlock(&drive->lock);
    *out_fd = fd;
    return 0;
}

unsigned mmc_drive_news(struct mmc_drive *drive) {
    eventfd_t count;

    (void)eventfd_read(drive->news_fd, &count);
    /* A drive that is at work is asked by whoever gives it work. */
    if (pthread_mutex_trylock(&drive->lock) == 0) {
        if (!drive->asked_in_passing) {
            ask_events(drive);
        }
        drive->asked_in_passing = false;
        pthread_mutex_unlock(&drive->lock);
    }
    return atomic_exchange(&drive->news, 0);
}

bool mmc_drive_is_empty(struct mmc_drive *drive) {
    enum mmc_result result =
        mmc_drive_run(drive, MMC_PATIENCE_QUERY, attempt_ready, NULL, NULL);

    return mmc_result_action(result) == MMC_DO_REMOVED;
}

static enum mmc_result attempt_eject(struct mmc_transport *transport,
                                     void *context,
                                     struct mmc_sense *out_sense) {
    (void)context;
    return mmc_command_start_stop(transport, MMC_UNIT_EJECT, false, out_sense);
}

enum mmc_result mmc_drive_eject(struct mmc_drive *drive) {
    mmc_drive_lock_door(drive, false);
    return mmc_drive_run(drive, MMC_PATIENCE_QUERY, attempt_eject, NULL, NULL);
}

uint64_t mmc_drive_epoch(struct mmc_drive *drive) {
    return atomic_load(&drive->epoch);
}

void mmc_drive_accept_medium(struct mmc_drive *drive) {
    pthread_mutex_lock(&drive->lock);
    drive->suspect = false;
    drive->empty = false;
    send_settings(drive);
    pthread_mutex_unlock(&drive->lock);
}
