/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/wait.c - the drive is looked at when the kernel says that its medium
 * changed, and every other second, because the kernel says so only where
 * somebody (udevd) has told it to look.
 */
#include "cli/wait.h"

#include <poll.h>
#include <signal.h>

#include "mmc/disc.h"
#include "mmc/hotplug.h"

enum { LOOK_MS = 2000 };

/* Whether waiting makes sense. */
static bool is_empty(const char *device) {
    struct mmc_disc_options options = {.read_only = true};
    struct mmc_disc_info info;
    struct mmc_disc *disc;

    if (mmc_disc_open(device, &options, &disc) != 0) {
        return false;
    }
    mmc_disc_get_info(disc, &info);
    (void)mmc_disc_close(disc); /* nothing was written */
    return info.state == MMC_DISC_ABSENT;
}

static void wait_for_news(struct mmc_hotplug *hotplug) {
    struct pollfd fd = {.fd = hotplug ? mmc_hotplug_fd(hotplug) : -1,
                        .events = POLLIN};

    if (poll(&fd, 1, LOOK_MS) > 0) {
        (void)mmc_hotplug_news(hotplug); /* whatever it is, look */
    }
}

enum cli_exit cli_wait_for_medium(const char *device) {
    struct mmc_hotplug *hotplug = NULL;
    struct sigaction old_int, old_term;
    bool said = false;

    sigaction(SIGINT, NULL, &old_int);
    sigaction(SIGTERM, NULL, &old_term);
    cli_catch_interrupts();
    /* Before the first look: nothing may be missed in between. */
    if (mmc_hotplug_open(device, &hotplug) != 0) {
        hotplug = NULL;
    }
    while (!cli_interrupted() && is_empty(device)) {
        if (!said) {
            cli_notice("%s: waiting for a disc", device);
            said = true;
        }
        wait_for_news(hotplug);
    }
    mmc_hotplug_close(hotplug);
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    return cli_interrupted() ? CLI_EXIT_INTERRUPTED : CLI_EXIT_OK;
}
