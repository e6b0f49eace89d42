/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The trace around a transport with a clock of its own, and how opening a
 * drive refuses what is none.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/command.h"
#include "mmc/transport_sg.h"
#include "mmc/transport_trace.h"

/* A drive whose every command takes 52 ms and ends as `reply` and `error`
 * say. */
struct drive {
    struct mmc_transport head;
    uint64_t now_ms;
    struct mmc_reply reply;
    int error;
    unsigned closed;
};

static int drive_execute(struct mmc_transport *transport,
                         const struct mmc_request *request,
                         struct mmc_reply *reply) {
    struct drive *drive = (struct drive *)transport;

    *reply = drive->reply;
    reply->data_len = request->data_len;
    drive->now_ms += 52;
    return drive->error;
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

static void read_all(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "r");
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, size - 1, file);
    text[len] = 0;
    fclose(file);
}

static void test_transport_trace_lines(void **state) {
    struct drive drive = {.head = {&drive_ops, 65536}, .now_ms = 12345};
    static uint8_t block[MMC_BLOCK_BYTES];
    char path[] = "/tmp/udfpkt-trace-XXXXXX";
    char text[2048];
    struct mmc_transport *trace = NULL;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "before\n", 7), 7);
    close(fd);
    assert_int_equal(mmc_transport_trace_open(&drive.head, path, &trace), 0);
    assert_int_equal(trace->max_transfer_bytes, 65536);
    assert_int_equal(mmc_command_write(trace, 32, 1, block, NULL), MMC_OK);
    mmc_transport_sleep(trace, 1000);
    assert_int_equal(mmc_transport_now(trace), 12345 + 52 + 1000);
    drive.reply.status = 0x02;
    drive.reply.sense_len = 18;
    memcpy(drive.reply.sense, "\x70\0\x02\0\0\0\0\x0A\0\0\0\0\x04\x08", 14);
    assert_int_equal(mmc_command_test_unit_ready(trace, NULL), MMC_LONG_WRITE);
    drive.error = -ENODEV;
    assert_int_equal(mmc_command_test_unit_ready(trace, NULL), MMC_DRIVE_GONE);
    mmc_transport_close(trace);
    assert_int_equal(drive.closed, 1);

    read_all(path, text, sizeof(text));
    unlink(path);
    assert_ptr_equal(strstr(text, "before\n"
                                  "12.345 2A 00 00 00 00 20 00 00 01 00"
                                  " out 2048 good 52 ms\n"
                                  "13.397 00 00 00 00 00 00 none 0 check"
                                  " 2/04/08 "),
                     text);
    assert_non_null(strstr(text, "\n13.449 00 00 00 00 00 00 none 0 failed:"));
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void test_transport_trace_fails_without_a_file(void **state) {
    struct drive drive = {.head = {&drive_ops, 65536}};
    struct mmc_transport *trace = NULL;

    (void)state;
    assert_int_equal(mmc_transport_trace_open(
                         &drive.head, "/nonexistent/udfpkt/trace", &trace),
                     -ENOENT);
    assert_null(trace);
    assert_int_equal(drive.closed, 0); /* still the caller's */
}

static void test_transport_sg_refuses(void **state) {
    char path[] = "/tmp/udfpkt-nodrive-XXXXXX";
    struct mmc_transport *transport = NULL;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(mmc_transport_sg_open("/nonexistent", true, &transport),
                     -ENOENT);
    assert_int_equal(mmc_transport_sg_open(path, false, &transport), -ENXIO);
    assert_int_equal(mmc_transport_sg_open("/dev/null", true, &transport),
                     -ENXIO);
    assert_null(transport);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transport_trace_lines),
        cmocka_unit_test(test_transport_trace_fails_without_a_file),
        cmocka_unit_test(test_transport_sg_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
