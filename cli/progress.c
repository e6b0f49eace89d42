/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/progress.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    BAR_WIDTH = 40,      /* characters between the brackets */
    BAR_REDRAW_MS = 100, /* on a terminal */
    LINE_EVERY_MS = 1000 /* elsewhere */
};

/* A bar stands on the terminal's current line. Process-wide, because there is
 * one terminal, and atomic, because log lines come from any thread. */
static atomic_bool bar_stands;

static uint64_t now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void cli_progress_init(struct cli_progress *progress) {
    *progress = (struct cli_progress){.terminal = isatty(STDERR_FILENO) == 1};
}

void cli_progress_wipe(void) {
    if (atomic_exchange(&bar_stands, false)) {
        fputs("\r\033[K", stderr);
    }
}

static void draw_bar(const struct cli_progress *progress) {
    char bar[BAR_WIDTH + 1];
    unsigned filled = progress->permille * BAR_WIDTH / 1000;

    for (unsigned i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i < filled ? '#' : '.';
    }
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[K%-12s [%s] %3u%%", progress->step, bar,
            progress->permille / 10);
    fflush(stderr);
    atomic_store(&bar_stands, true);
}

static void draw(struct cli_progress *progress) {
    if (progress->terminal) {
        draw_bar(progress);
    } else {
        fprintf(stderr, "%s: %u%%\n", progress->step, progress->permille / 10);
    }
    progress->shown_ms = now_ms();
}

static void begin_step(struct cli_progress *progress, const char *step) {
    cli_progress_end(progress, true);
    progress->step = step;
    progress->permille = 0;
    progress->started_ms = now_ms();
}

void cli_progress_show(struct cli_progress *progress, const char *step,
                       unsigned permille) {
    bool begins = progress->step != step;
    uint64_t pause = progress->terminal ? BAR_REDRAW_MS : LINE_EVERY_MS;

    if (begins) {
        begin_step(progress, step);
    }
    permille = permille > 1000 ? 1000 : permille;
    bool moved = permille / 10 != progress->permille / 10;

    progress->permille = permille;
    /* A virtual drive formats in no time: without this limit it would fill
     * the screen with lines. */
    if (begins || (moved && now_ms() - progress->shown_ms >= pause)) {
        draw(progress);
    }
}

void cli_progress_end(struct cli_progress *progress, bool done) {
    if (!progress->step) {
        return;
    }
    uint64_t seconds = (now_ms() - progress->started_ms + 500) / 1000;

    cli_progress_wipe();
    if (done) {
        fprintf(stderr, "%s: done (%llu s)\n", progress->step,
                (unsigned long long)seconds);
    }
    progress->step = NULL;
}
