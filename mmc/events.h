/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/events.h - what a drive's media events, and the kernel's, mean for
 * whoever holds the disc. Pure.
 *
 * A drive hands out one event a command, and forgets it; one asks until there
 * is nothing left. Three things make that less simple:
 *  1. Events from before the disc was opened are not about this mount.
 *  2. Some old drives repeat one event for ever: after MMC_EVENTS_ROUND_MAX
 *     of them it is taken for stale, and passed over until something else
 *     comes.
 *  3. Who asks first gets the event, and the kernel may ask as well. Whether
 *     a medium is there is said with every answer, though.
 */
#ifndef MMC_EVENTS_H
#define MMC_EVENTS_H

#include <stdbool.h>

#include "mmc/reply.h"

enum { MMC_EVENTS_ROUND_MAX = 100 };

/* What has happened; a set. */
enum mmc_news {
    MMC_NEWS_EJECT = 1u << 0,     /* somebody wants the disc out */
    MMC_NEWS_REMOVED = 1u << 1,   /* it is out */
    MMC_NEWS_CHANGED = 1u << 2,   /* another one may lie there */
    MMC_NEWS_DRIVE_GONE = 1u << 3 /* off its bus, or without power */
};

/* One drive's events; begins as {0}. */
struct mmc_events {
    bool unsupported; /* nothing to ask for */
    bool listening;   /* the old events are done with */
    bool present;     /* a medium was there */
    unsigned absent;  /* rounds in a row that said there is none */
    unsigned asked;   /* in this round */
    bool stale_known;
    struct mmc_event stale;
};

/* Starts a round of questions. */
void mmc_events_begin(struct mmc_events *events);

/* Takes one answer and adds what it means to *io_news. Returns whether to ask
 * again in this round. */
bool mmc_events_take(struct mmc_events *events, const struct mmc_event *event,
                     unsigned *io_news);

/* The news in a uevent of the kernel about the drive. `action` is "change",
 * "remove", ...; the other two are the values of DISK_EJECT_REQUEST and
 * DISK_MEDIA_CHANGE. Each may be NULL. */
unsigned mmc_events_of_uevent(const char *action, const char *eject_request,
                              const char *media_change);

#endif
