/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fs/eject.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mmc/disc.h"
#include "mmc/events.h"
#include "mmc/hotplug.h"
#include "mmc/log.h"

/* Real time, whatever the drive's clock: nobody else moves an idle virtual
 * drive's. */
enum { LOOK_MS = 1000 };

struct fs_eject {
    struct mmc_disc *disc;
    struct mmc_hotplug *hotplug; /* NULL = the kernel knows no such drive */
    fs_eject_tell *tell;
    void *context;
    int news_fd;
    int stop_fd;
    pthread_t thread;
};

static void *watch(void *argument) {
    struct fs_eject *eject = argument;
    struct pollfd fds[3] = {
        {.fd = eject->stop_fd, .events = POLLIN},
        {.fd = eject->news_fd, .events = POLLIN},
        {.fd = eject->hotplug ? mmc_hotplug_fd(eject->hotplug) : -1,
         .events = POLLIN},
    };

    for (;;) {
        if (poll(fds, 3, LOOK_MS) < 0 && errno != EINTR) {
            return NULL;
        }
        if (fds[0].revents) {
            return NULL;
        }
        unsigned news = eject->hotplug ? mmc_hotplug_news(eject->hotplug) : 0;

        /* Also to let the drive itself notice that it is gone. */
        news |= mmc_disc_news(eject->disc);
        if (news) {
            eject->tell(eject->context, news);
        }
    }
}

static void destroy(struct fs_eject *eject) {
    mmc_hotplug_close(eject->hotplug);
    if (eject->stop_fd >= 0) {
        close(eject->stop_fd);
    }
    free(eject);
}

/* Virtual drives have no place in sysfs. Elsewhere the drive's own events are
 * enough for most. */
static void listen_to_kernel(struct fs_eject *eject, const char *path) {
    int err = mmc_hotplug_open(path, &eject->hotplug);

    if (err && err != -ENODEV) {
        mmc_log(MMC_LOG_INFO, "%s: no news from the kernel: %s", path,
                strerror(-err));
    }
}

int fs_eject_start(struct mmc_disc *disc, const char *path, fs_eject_tell *tell,
                   void *context, struct fs_eject **out) {
    struct fs_eject *eject;
    int news_fd;
    int err = mmc_disc_watch(disc, &news_fd);

    if (err || news_fd < 0) {
        *out = err ? *out : NULL;
        return err;
    }
    eject = calloc(1, sizeof *eject);
    if (!eject) {
        return -ENOMEM;
    }
    eject->disc = disc;
    eject->tell = tell;
    eject->context = context;
    eject->news_fd = news_fd;
    eject->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    listen_to_kernel(eject, path);
    err = eject->stop_fd < 0
              ? errno
              : pthread_create(&eject->thread, NULL, watch, eject);
    if (err) {
        destroy(eject);
        return -err;
    }
    *out = eject;
    return 0;
}

void fs_eject_stop(struct fs_eject *eject) {
    if (!eject) {
        return;
    }
    (void)eventfd_write(eject->stop_fd, 1);
    pthread_join(eject->thread, NULL);
    destroy(eject);
}
