/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/progress.h - how far a long operation is: a bar on a terminal, plain
 * lines elsewhere, at most one a second.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct cli_progress {
    const char *step;    /* what is being done, "formatting" */
    bool terminal;       /* stderr is one */
    unsigned permille;   /* as shown last */
    uint64_t started_ms; /* of this step */
    uint64_t shown_ms;   /* when something was shown last */
};

/* Begins with nothing shown. */
void cli_progress_init(struct cli_progress *progress);

/* Shows that `step` has come to `permille` (0..1000; more counts as 1000). A
 * new step (another pointer) ends the one before. Calls that come too quickly
 * show nothing. */
void cli_progress_show(struct cli_progress *progress, const char *step,
                       unsigned permille);

/* Ends the last step: leaves the cursor at the start of a line. `done` says
 * whether the step came to its end. */
void cli_progress_end(struct cli_progress *progress, bool done);

/* Wipes a bar off its line, so that a message can be printed there; the next
 * cli_progress_show() draws it again. Called by everything in cli that writes
 * to stderr; safe from any thread. */
void cli_progress_wipe(void);

#endif
