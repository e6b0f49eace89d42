/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A drive's own clock tied to the real one, loosely and strictly. Real time
 * is only ever compared in the direction in which a busy machine cannot make
 * it fail.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "mmc/transport.h"
#include "mmc/transport_pace.h"

/* A drive whose every command takes 400 ms of its own time. */
struct drive {
    struct mmc_transport head;
    uint64_t now_ms;
    unsigned closed;
};

static int drive_execute(struct mmc_transport *transport,
                         const struct mmc_request *request,
                         struct mmc_reply *reply) {
    struct drive *drive = (struct drive *)transport;

    (void)request;
    reply->status = 0x02;
    drive->now_ms += 400;
    return -ETIMEDOUT;
}

static uint64_t drive_now_ms(struct mmc_transport *transport) {
    return ((struct drive *)transport)->now_ms;
}

static void drive_sleep_ms(struct mmc_transport *transport,
                           uint32_t duration_ms) {
    ((struct drive *)transport)->now_ms += duration_ms;
}

static void drive_close(struct mmc_transport *transport) {
    ((struct drive *)transport)->closed++;
}

static const struct mmc_transport_ops drive_ops = {drive_execute, drive_now_ms,
                                                   drive_sleep_ms, drive_close};

static uint64_t real_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void real_sleep(long duration_ms) {
    const struct timespec duration = {0, duration_ms * 1000000};

    nanosleep(&duration, NULL);
}

static void test_transport_pace_passes_everything_on(void **state) {
    struct drive drive = {.head = {&drive_ops, 65536}};
    struct mmc_request request = {.cdb_len = 6};
    struct mmc_reply reply = {0};
    struct mmc_transport *pace = NULL;

    (void)state;
    assert_int_equal(mmc_transport_pace_open(&drive.head, 1, false, &pace), 0);
    assert_int_equal(pace->max_transfer_bytes, 65536);
    assert_int_equal(mmc_transport_execute(pace, &request, &reply), -ETIMEDOUT);
    assert_int_equal(reply.status, 0x02);
    mmc_transport_close(pace);
    assert_int_equal(drive.closed, 1);
}

/* Waiting counts, times the factor; commands are not waited for. */
static void test_transport_pace_loose(void **state) {
    struct drive drive = {.head = {&drive_ops, 65536}, .now_ms = 5000};
    struct mmc_request request = {.cdb_len = 6};
    struct mmc_reply reply = {0};
    struct mmc_transport *pace = NULL;
    uint64_t before = real_ms(), after, ran;

    (void)state;
    assert_int_equal(mmc_transport_pace_open(&drive.head, 100, false, &pace),
                     0);
    for (unsigned i = 0; i < 1000; i++) {
        mmc_transport_execute(pace, &request, &reply);
    }
    /* 400 s of the drive's time: that was not real. */
    after = real_ms();
    assert_true(after - before < 100000);
    assert_true(drive.now_ms >= 5000 + 1000 * 400);
    ran = drive.now_ms;
    real_sleep(30);
    mmc_transport_pace_catch_up(pace);
    assert_true(drive.now_ms >= ran + 29 * 100);
    /* What a command took is not counted again when time goes on. */
    ran = drive.now_ms;
    after = real_ms();
    assert_true(mmc_transport_now(pace) <= ran + (real_ms() - after + 1) * 100);
    mmc_transport_close(pace);
}

static void test_transport_pace_strict(void **state) {
    struct drive drive = {.head = {&drive_ops, 65536}};
    struct mmc_request request = {.cdb_len = 6};
    struct mmc_reply reply = {0};
    struct mmc_transport *pace = NULL;
    uint64_t before = real_ms();

    (void)state;
    assert_int_equal(mmc_transport_pace_open(&drive.head, 20, true, &pace), 0);
    for (unsigned i = 0; i < 5; i++) {
        mmc_transport_execute(pace, &request, &reply);
    }
    mmc_transport_sleep(pace, 1000);
    /* 3 s, 20 times as fast, less what is cut off each time. */
    assert_true(real_ms() - before >= 3000 / 20 - 6);
    assert_true(drive.now_ms >= 3000);
    /* The drive's clock goes on while nothing is asked. */
    real_sleep(20);
    assert_true(mmc_transport_now(pace) >= (real_ms() - before - 2) * 20);
    mmc_transport_close(pace);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transport_pace_passes_everything_on),
        cmocka_unit_test(test_transport_pace_loose),
        cmocka_unit_test(test_transport_pace_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
