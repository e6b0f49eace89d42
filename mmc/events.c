/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mmc/events.h"

#include <string.h>

#include "mmc/cdb.h"

/* A drive that spins up or closes its tray may say for a moment that it is
 * empty. */
enum { ABSENT_ROUNDS = 2 };

void mmc_events_begin(struct mmc_events *events) {
    events->asked = 0;
}

static bool same_event(const struct mmc_event *a, const struct mmc_event *b) {
    return a->event_class == b->event_class && a->code == b->code &&
           a->status == b->status && a->detail == b->detail;
}

static unsigned news_of(const struct mmc_event *event) {
    switch (event->code) {
    case MMC_MEDIA_EJECT_REQUEST:
        return MMC_NEWS_EJECT;
    case MMC_MEDIA_REMOVED:
        return MMC_NEWS_REMOVED;
    case MMC_MEDIA_NEW:
    case MMC_MEDIA_CHANGED:
        return MMC_NEWS_CHANGED;
    default: /* background formatting, and what is reserved */
        return 0;
    }
}

/* The last answer of a round tells whether a medium is there. */
static unsigned look_at_medium(struct mmc_events *events, bool present) {
    if (present) {
        events->present = true;
        events->absent = 0;
        return 0;
    }
    events->absent++;
    if (!events->present || events->absent < ABSENT_ROUNDS) {
        return 0;
    }
    events->present = false;
    return MMC_NEWS_REMOVED;
}

/* Ends a round, which also ends the time of old events. */
static bool end_round(struct mmc_events *events, const struct mmc_event *event,
                      unsigned *io_news) {
    unsigned news = look_at_medium(events, event->medium_present);

    if (events->listening) {
        *io_news |= news;
    }
    events->listening = true;
    return false;
}

bool mmc_events_take(struct mmc_events *events, const struct mmc_event *event,
                     unsigned *io_news) {
    bool media = event->event_class == MMC_EVENT_MEDIA;

    events->asked++;
    if (!(event->supported & MMC_EVENTS_MEDIA)) {
        events->unsupported = true;
        return false;
    }
    if (!media) {
        /* Nothing, or an event of a class that was not asked for. */
        events->listening = true;
        return false;
    }
    if (event->code == MMC_MEDIA_NO_CHANGE) {
        events->stale_known = false;
        return end_round(events, event, io_news);
    }
    if (events->stale_known && same_event(&events->stale, event)) {
        return end_round(events, event, io_news);
    }
    events->stale_known = false;
    if (events->listening) {
        *io_news |= news_of(event);
    }
    if (events->asked < MMC_EVENTS_ROUND_MAX) {
        return true;
    }
    events->stale_known = true;
    events->stale = *event;
    return end_round(events, event, io_news);
}

static bool is_set(const char *value) {
    return value && strcmp(value, "1") == 0;
}

unsigned mmc_events_of_uevent(const char *action, const char *eject_request,
                              const char *media_change) {
    unsigned news = 0;

    if (!action) {
        return 0;
    }
    if (strcmp(action, "remove") == 0) {
        return MMC_NEWS_DRIVE_GONE;
    }
    if (strcmp(action, "change") != 0) {
        return 0;
    }
    news |= is_set(eject_request) ? MMC_NEWS_EJECT : 0u;
    news |= is_set(media_change) ? MMC_NEWS_CHANGED : 0u;
    return news;
}
