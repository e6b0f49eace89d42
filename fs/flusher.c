/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fs/flusher.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/ops.h"
#include "mmc/log.h"
#include "udf/udf.h"

enum {
    TURN_MS = 5000,   /* nothing depends on it: udf_wake() ends a turn early */
    PAUSE_SECONDS = 1 /* after an error, which the next turn meets again */
};

struct fs_flusher {
    struct fs_context *context;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop; /* under `lock` */
};

static bool is_stopping(struct fs_flusher *flusher) {
    pthread_mutex_lock(&flusher->lock);
    bool stop = flusher->stop;

    pthread_mutex_unlock(&flusher->lock);
    return stop;
}

static void pause_after_error(struct fs_flusher *flusher) {
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PAUSE_SECONDS;
    pthread_mutex_lock(&flusher->lock);
    while (!flusher->stop &&
           pthread_cond_timedwait(&flusher->stopped, &flusher->lock, &until) !=
               ETIMEDOUT) {
    }
    pthread_mutex_unlock(&flusher->lock);
}

static void *run_flusher(void *argument) {
    struct fs_flusher *flusher = argument;
    int last = 0;

    while (!is_stopping(flusher)) {
        int err = udf_background(flusher->context->volume, TURN_MS);

        fs_op_ask_again(flusher->context);
        /* Once an error, not once a turn: it may last for hours. The error
         * itself is kept by udf/ for fsync, close and unmount. */
        if (err && err != last) {
            mmc_log(MMC_LOG_ERROR, "writing to the disc: %s", strerror(-err));
        }
        last = err;
        if (err) {
            pause_after_error(flusher);
        }
    }
    return NULL;
}

int fs_flusher_start(struct fs_context *context, struct fs_flusher **out) {
    struct fs_flusher *flusher = calloc(1, sizeof *flusher);

    if (!flusher) {
        return -ENOMEM;
    }
    flusher->context = context;
    pthread_mutex_init(&flusher->lock, NULL);
    pthread_cond_init(&flusher->stopped, NULL);
    int err = pthread_create(&flusher->thread, NULL, run_flusher, flusher);

    if (err) {
        pthread_cond_destroy(&flusher->stopped);
        pthread_mutex_destroy(&flusher->lock);
        free(flusher);
        return -err;
    }
    *out = flusher;
    return 0;
}

void fs_flusher_stop(struct fs_flusher *flusher) {
    if (!flusher) {
        return;
    }
    pthread_mutex_lock(&flusher->lock);
    flusher->stop = true;
    pthread_cond_signal(&flusher->stopped);
    pthread_mutex_unlock(&flusher->lock);
    udf_wake(flusher->context->volume);
    pthread_join(flusher->thread, NULL);
    pthread_cond_destroy(&flusher->stopped);
    pthread_mutex_destroy(&flusher->lock);
    free(flusher);
}
