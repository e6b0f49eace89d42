/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mmc/transport_pace.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "mmc/transport.h"

struct pace {
    struct mmc_transport head;
    struct mmc_transport *inner;
    uint32_t factor;
    bool strict;
    /* One moment on both clocks, ms. */
    uint64_t real_then, drive_then;
};

static struct pace *of(struct mmc_transport *transport) {
    return (struct pace *)transport;
}

static uint64_t real_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void real_sleep(uint64_t duration_ms) {
    struct timespec left = {(time_t)(duration_ms / 1000),
                            (long)(duration_ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR) {
    }
}

/* What the drive's clock should say now. */
static uint64_t due_ms(const struct pace *pace) {
    return pace->drive_then + (real_ms() - pace->real_then) * pace->factor;
}

static void catch_up(struct pace *pace) {
    uint64_t due = due_ms(pace);
    uint64_t now = mmc_transport_now(pace->inner);

    while (now < due) {
        uint32_t step =
            due - now < UINT32_MAX ? (uint32_t)(due - now) : UINT32_MAX;

        mmc_transport_sleep(pace->inner, step);
        now += step;
    }
}

/* After a command the drive's clock may be ahead: strict waits for the real
 * one to follow, loose takes it as it is. */
static void settle(struct pace *pace) {
    uint64_t now = mmc_transport_now(pace->inner);
    uint64_t due = due_ms(pace);

    if (!pace->strict) {
        pace->real_then = real_ms();
        pace->drive_then = now;
    } else if (now > due) {
        real_sleep((now - due) / pace->factor);
    }
}

static int pace_execute(struct mmc_transport *transport,
                        const struct mmc_request *request,
                        struct mmc_reply *reply) {
    struct pace *pace = of(transport);
    int error;

    catch_up(pace);
    error = mmc_transport_execute(pace->inner, request, reply);
    settle(pace);
    return error;
}

static uint64_t pace_now_ms(struct mmc_transport *transport) {
    catch_up(of(transport));
    return mmc_transport_now(of(transport)->inner);
}

/* As long as it takes on the drive's clock. */
static void pace_sleep_ms(struct mmc_transport *transport,
                          uint32_t duration_ms) {
    struct pace *pace = of(transport);

    catch_up(pace);
    mmc_transport_sleep(pace->inner, duration_ms);
    settle(pace);
}

static void pace_close(struct mmc_transport *transport) {
    mmc_transport_close(of(transport)->inner);
    free(of(transport));
}

int mmc_transport_pace_open(struct mmc_transport *inner, uint32_t factor,
                            bool strict, struct mmc_transport **out_transport) {
    static const struct mmc_transport_ops ops = {pace_execute, pace_now_ms,
                                                 pace_sleep_ms, pace_close};
    struct pace *pace = calloc(1, sizeof(*pace));

    assert(factor >= 1 && factor <= 10000);
    if (!pace) {
        return -ENOMEM;
    }
    pace->head.ops = &ops;
    pace->head.max_transfer_bytes = inner->max_transfer_bytes;
    pace->inner = inner;
    pace->factor = factor;
    pace->strict = strict;
    pace->real_then = real_ms();
    pace->drive_then = mmc_transport_now(inner);
    *out_transport = &pace->head;
    return 0;
}

void mmc_transport_pace_catch_up(struct mmc_transport *transport) {
    catch_up(of(transport));
}
