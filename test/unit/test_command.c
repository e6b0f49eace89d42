/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Commands against a transport that plays a script: each step names the
 * opcode that must come and says what the drive answers.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/command.h"

enum { STEPS_MAX = 4, DATA_MAX = 65536 };
enum { GOOD = 0x00, CHECK = 0x02, BUSY = 0x08 };

/* One command that is expected, and its answer. */
struct step {
    uint8_t opcode;
    uint8_t status;
    uint8_t sense[18];
    uint8_t sense_len;
    const void *data;  /* for the host, or NULL */
    uint32_t data_len; /* bytes that move, whatever was asked for */
    int error;
};

struct script {
    struct mmc_transport head;
    const struct step *steps;
    unsigned count, at;
    struct mmc_request seen[STEPS_MAX];
    uint8_t sent[DATA_MAX]; /* last data that went out */
};

static int play(struct mmc_transport *transport,
                const struct mmc_request *request, struct mmc_reply *reply) {
    struct script *script = (struct script *)transport;
    const struct step *step = &script->steps[script->at];

    assert_true(script->at < script->count);
    script->seen[script->at++] = *request;
    assert_int_equal(request->cdb[0], step->opcode);
    assert_int_not_equal(request->timeout_ms, 0);
    assert_int_equal(request->data_len == 0,
                     request->direction == MMC_DIR_NONE);
    if (request->direction == MMC_DIR_OUT) {
        memcpy(script->sent, request->data, request->data_len);
    }
    if (request->direction == MMC_DIR_IN && step->data) {
        memcpy(request->data, step->data,
               step->data_len < request->data_len ? step->data_len
                                                  : request->data_len);
    }
    reply->status = step->status;
    reply->sense_len = step->sense_len;
    memcpy(reply->sense, step->sense, sizeof(step->sense));
    reply->data_len = step->data_len;
    return step->error;
}

static const struct mmc_transport_ops play_ops = {.execute = play};

static void start(struct script *script, const struct step *steps,
                  unsigned count) {
    memset(script, 0, sizeof(*script));
    script->head.ops = &play_ops;
    script->head.max_transfer_bytes = DATA_MAX;
    script->steps = steps;
    script->count = count;
}

/* Every step was played: nothing was left out. */
static void finish(const struct script *script) {
    assert_int_equal(script->at, script->count);
}

#define START(script, steps)                                                   \
    start((script), (steps), sizeof(steps) / sizeof((steps)[0]))

/* Fixed sense with a key, ASC and ASCQ. */
#define SENSE(key, asc, ascq)                                                  \
    .status = CHECK, .sense_len = 18,                                          \
    .sense = {0x70, 0, (key), 0, 0, 0, 0, 10, 0, 0, 0, 0, (asc), (ascq)}

static void test_command_good_clears_sense(void **state) {
    static const struct step steps[] = {{.opcode = 0x00}};
    struct script script;
    struct mmc_sense sense, zero = {0};

    (void)state;
    START(&script, steps);
    memset(&sense, 0x5A, sizeof(sense));
    assert_int_equal(mmc_command_test_unit_ready(&script.head, &sense), MMC_OK);
    assert_int_equal(sense.key, zero.key);
    assert_int_equal(sense.asc, 0);
    assert_false(sense.deferred);
    assert_false(sense.info_valid);
    finish(&script);
}

static void test_command_check_condition(void **state) {
    static const struct step steps[] = {
        {.opcode = 0x00, SENSE(2, 0x04, 0x01)},
        {.opcode = 0x00, SENSE(2, 0x3A, 0x02)},
        {.opcode = 0x00, SENSE(1, 0x17, 0x00)},
        {.opcode = 0x00, .status = BUSY},
    };
    struct script script;
    struct mmc_sense sense;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_test_unit_ready(&script.head, &sense),
                     MMC_NOT_READY);
    assert_int_equal(sense.ascq, 1);
    assert_int_equal(mmc_command_test_unit_ready(&script.head, NULL),
                     MMC_NO_MEDIUM);
    assert_int_equal(mmc_command_test_unit_ready(&script.head, &sense), MMC_OK);
    assert_int_equal(sense.key, MMC_KEY_RECOVERED);
    assert_int_equal(mmc_command_test_unit_ready(&script.head, NULL), MMC_BUSY);
    finish(&script);
}

/* USB bridges swallow sense: it is asked for, once. */
static void test_command_swallowed_sense(void **state) {
    static const uint8_t answer[18] = {0x70, 0, 3, 0, 0, 0,   0,
                                       10,   0, 0, 0, 0, 0x0C};
    static const struct step steps[] = {
        {.opcode = 0x35, .status = CHECK},
        {.opcode = 0x03, .data = answer, .data_len = 18},
    };
    static const struct step zeros[] = {
        {.opcode = 0x35, SENSE(0, 0, 0)},
        {.opcode = 0x03, .data = answer, .data_len = 18},
    };
    struct script script;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_synchronize_cache(&script.head, false, NULL),
                     MMC_MEDIUM_ERROR);
    finish(&script);
    START(&script, zeros);
    assert_int_equal(mmc_command_synchronize_cache(&script.head, false, NULL),
                     MMC_MEDIUM_ERROR);
    finish(&script);
}

/* A failure without any cause must not look like success. */
static void test_command_no_sense_at_all(void **state) {
    static const uint8_t nothing[18] = {0x70};
    static const struct step steps[] = {
        {.opcode = 0x35, .status = CHECK},
        {.opcode = 0x03, .data = nothing, .data_len = 18},
    };
    static const struct step broken[] = {
        {.opcode = 0x35, .status = CHECK},
        {.opcode = 0x03, .error = -EIO},
    };
    struct script script;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_synchronize_cache(&script.head, false, NULL),
                     MMC_ABORTED);
    finish(&script);
    START(&script, broken);
    assert_int_equal(mmc_command_synchronize_cache(&script.head, false, NULL),
                     MMC_ABORTED);
    finish(&script);
}

static void test_command_transport_errors(void **state) {
    static const struct step steps[] = {
        {.opcode = 0x25, .error = -ENODEV},
        {.opcode = 0x25, .error = -ETIMEDOUT},
        {.opcode = 0x25, .error = -EPERM},
        {.opcode = 0x25, .error = -EIO},
    };
    static const enum mmc_result expected[] = {
        MMC_DRIVE_GONE, MMC_TIMEOUT, MMC_NOT_PERMITTED, MMC_TRANSPORT_ERROR};
    struct script script;
    struct mmc_capacity capacity = {7, 9};

    (void)state;
    START(&script, steps);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(
            mmc_command_read_capacity(&script.head, &capacity, NULL),
            expected[i]);
    }
    assert_int_equal(capacity.last_lba, 7);
    finish(&script);
}

/* Two steps: the head, then exactly what it announced. */
static void test_command_two_step_replies(void **state) {
    static const uint8_t disc[34] = {0, 32, 0x1E, 1, 1, 1, 1};
    static const struct step steps[] = {
        {.opcode = 0x51, .data = disc, .data_len = 2},
        {.opcode = 0x51, .data = disc, .data_len = 34},
    };
    struct script script;
    struct mmc_disc_information out;

    (void)state;
    START(&script, steps);
    assert_int_equal(
        mmc_command_read_disc_information(&script.head, &out, NULL), MMC_OK);
    assert_int_equal(out.status, MMC_DISC_STATUS_COMPLETE);
    assert_int_equal(script.seen[0].data_len, 2);
    assert_int_equal(script.seen[1].data_len, 34);
    assert_int_equal(script.seen[1].cdb[8], 34);
    finish(&script);
}

static void test_command_two_step_lengths_lie(void **state) {
    static const uint8_t huge[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0x0A};
    static const uint8_t none[8] = {0};
    static const struct step too_much[] = {
        {.opcode = 0x46, .data = huge, .data_len = 8},
        {.opcode = 0x46, .data = huge, .data_len = 8},
    };
    static const struct step nothing[] = {
        {.opcode = 0x51, .data = none, .data_len = 2},
        {.opcode = 0x51, .data = none, .data_len = 8},
    };
    struct script script;
    struct mmc_configuration configuration;
    struct mmc_disc_information disc;

    (void)state;
    START(&script, too_much);
    assert_int_equal(
        mmc_command_get_configuration(&script.head, &configuration, NULL),
        MMC_OK);
    assert_int_equal(configuration.profile, 0x0A);
    assert_int_equal(configuration.len, 0);
    assert_true(script.seen[1].data_len <= MMC_CONFIGURATION_MAX + 8);
    finish(&script);
    START(&script, nothing);
    assert_int_equal(
        mmc_command_read_disc_information(&script.head, &disc, NULL),
        MMC_BAD_REPLY);
    assert_int_equal(script.seen[1].data_len, 34);
    finish(&script);
}

/* The first step fails: no second one, and the cause is handed on. */
static void test_command_two_step_fails_early(void **state) {
    static const struct step steps[] = {{.opcode = 0x52, SENSE(5, 0x24, 0x00)}};
    struct script script;
    struct mmc_track_information out;
    struct mmc_sense sense;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_read_track_information(
                         &script.head, MMC_TRACK_BY_NUMBER, 1, &out, &sense),
                     MMC_ILLEGAL_REQUEST);
    assert_int_equal(sense.asc, 0x24);
    finish(&script);
}

/* SANYO drives announce less than the page. */
static void test_command_mode_sense_short_length(void **state) {
    uint8_t reply[60] = {0, 8, 0, 0, 0, 0, 0, 0, 0x85, 0x32, 0x40, 0x25};
    const struct step steps[] = {
        {.opcode = 0x5A, .data = reply, .data_len = 10},
        {.opcode = 0x5A, .data = reply, .data_len = 60},
    };
    struct script script;
    struct mmc_mode_page page;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_mode_sense(&script.head, MMC_MODE_CURRENT,
                                            MMC_MODE_WRITE_PARAMETERS, &page,
                                            NULL),
                     MMC_OK);
    assert_int_equal(script.seen[1].data_len, 60);
    assert_int_equal(page.len, 52);
    assert_int_equal(page.bytes[3], 0x25);
    finish(&script);
}

static void test_command_mode_sense_other_page(void **state) {
    static const uint8_t reply[14] = {0, 12, 0, 0, 0, 0, 0, 0, 0x08, 4};
    static const struct step steps[] = {
        {.opcode = 0x5A, .data = reply, .data_len = 10},
        {.opcode = 0x5A, .data = reply, .data_len = 14},
    };
    struct script script;
    struct mmc_mode_page page;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_mode_sense(&script.head, MMC_MODE_CURRENT,
                                            MMC_MODE_WRITE_PARAMETERS, &page,
                                            NULL),
                     MMC_BAD_REPLY);
    finish(&script);
}

static void test_command_mode_select_clears_ps(void **state) {
    static const struct step steps[] = {{.opcode = 0x55, .data_len = 12}};
    static const uint8_t expected[12] = {0, 0, 0, 0, 0,    0,
                                         0, 0, 5, 2, 0x40, 0x25};
    struct mmc_mode_page page = {.len = 4, .bytes = {0x85, 2, 0x40, 0x25}};
    struct script script;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_mode_select(&script.head, &page, NULL),
                     MMC_OK);
    assert_int_equal(script.seen[0].data_len, 12);
    assert_memory_equal(script.sent, expected, sizeof(expected));
    finish(&script);
}

static void test_command_transfers(void **state) {
    static uint8_t block[2 * MMC_BLOCK_BYTES], buf[2 * MMC_BLOCK_BYTES];
    const struct step steps[] = {
        {.opcode = 0x28, .data = block, .data_len = sizeof(block)},
        {.opcode = 0x2A, .data_len = sizeof(block)},
        {.opcode = 0x2E, .data_len = sizeof(block)},
        {.opcode = 0x2F},
    };
    struct script script;

    (void)state;
    memset(block, 0xC3, sizeof(block));
    START(&script, steps);
    assert_int_equal(mmc_command_read(&script.head, 32, 2, buf, NULL), MMC_OK);
    assert_memory_equal(buf, block, sizeof(buf));
    buf[0] = 1;
    assert_int_equal(mmc_command_write(&script.head, 32, 2, buf, NULL), MMC_OK);
    assert_memory_equal(script.sent, buf, sizeof(buf));
    assert_int_equal(script.seen[1].timeout_ms, MMC_TIMEOUT_WRITE_MS);
    buf[0] = 2;
    assert_int_equal(
        mmc_command_write_and_verify(&script.head, 32, 2, buf, NULL), MMC_OK);
    assert_memory_equal(script.sent, buf, sizeof(buf));
    assert_int_equal(mmc_command_verify(&script.head, 32, 2, NULL), MMC_OK);
    finish(&script);
}

/* GOOD with part of the data is not good. More than was asked for is not
 * believed. */
static void test_command_transfers_cut_short(void **state) {
    static uint8_t buf[2 * MMC_BLOCK_BYTES];
    static const struct step steps[] = {
        {.opcode = 0x28, .data_len = MMC_BLOCK_BYTES},
        {.opcode = 0x2A, .data_len = 2 * MMC_BLOCK_BYTES - 1},
        {.opcode = 0x2A, .data_len = UINT32_MAX},
        {.opcode = 0x28, SENSE(8, 0, 0)},
    };
    struct script script;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_read(&script.head, 0, 2, buf, NULL),
                     MMC_BAD_REPLY);
    assert_int_equal(mmc_command_write(&script.head, 0, 2, buf, NULL),
                     MMC_BAD_REPLY);
    assert_int_equal(mmc_command_write(&script.head, 0, 2, buf, NULL), MMC_OK);
    assert_int_equal(mmc_command_read(&script.head, 0, 2, buf, NULL),
                     MMC_BLANK_CHECK);
    finish(&script);
}

/* Replies shorter than their command's, and one that claims to have brought
 * more than there was room for. */
static void test_command_reply_lengths(void **state) {
    static const uint8_t event[8] = {0, 6, 4, 0x10, 1, 2, 0, 0};
    static const struct step steps[] = {
        {.opcode = 0x4A, .data = event, .data_len = 8},
        {.opcode = 0x5C, .data_len = UINT32_MAX},
        {.opcode = 0x5C, .data = event, .data_len = 8},
        {.opcode = 0x03, .data = event, .data_len = 2},
    };
    struct script script;
    struct mmc_event out;
    struct mmc_buffer_capacity capacity;
    struct mmc_sense sense;

    (void)state;
    START(&script, steps);
    assert_int_equal(
        mmc_command_get_event(&script.head, MMC_EVENTS_MEDIA, &out, NULL),
        MMC_OK);
    assert_int_equal(out.code, MMC_MEDIA_EJECT_REQUEST);
    /* What the drive did not fill in reads as zero. */
    assert_int_equal(
        mmc_command_read_buffer_capacity(&script.head, &capacity, NULL),
        MMC_OK);
    assert_int_equal(capacity.bytes, 0);
    assert_int_equal(
        mmc_command_read_buffer_capacity(&script.head, &capacity, NULL),
        MMC_BAD_REPLY);
    assert_int_equal(mmc_command_request_sense(&script.head, &sense),
                     MMC_BAD_REPLY);
    finish(&script);
}

static void test_command_request_sense_progress(void **state) {
    static const uint8_t answer[18] = {0x70, 0, 0, 0, 0, 0, 0,    10,   0,
                                       0,    0, 0, 4, 4, 0, 0x80, 0x80, 0};
    static const struct step steps[] = {
        {.opcode = 0x03, .data = answer, .data_len = 18}};
    struct script script;
    struct mmc_sense sense;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_request_sense(&script.head, &sense), MMC_OK);
    assert_true(sense.progress_valid);
    assert_int_equal(sense.progress, 0x8000);
    assert_int_equal(mmc_sense_classify(&sense), MMC_NOT_READY);
    finish(&script);
}

static void test_command_format_sends_its_list(void **state) {
    static const struct step steps[] = {{.opcode = 0x04, .data_len = 12},
                                        {.opcode = 0x04, .data_len = 16}};
    struct mmc_format format = {
        .type = MMC_FORMAT_PACKET_FULL, .blocks = 295264, .parameter = 32};
    struct script script;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_format_unit(&script.head, &format, NULL),
                     MMC_OK);
    assert_memory_equal(script.sent, "\0\0\0\x08\0\x04\x81\x60\x40\0\0\x20",
                        12);
    assert_int_equal(script.seen[0].timeout_ms, MMC_TIMEOUT_FORMAT_MS);
    format.legacy = true;
    format.immediate = true;
    assert_int_equal(mmc_command_format_unit(&script.head, &format, NULL),
                     MMC_OK);
    assert_int_equal(script.seen[1].data_len, 16);
    assert_int_equal(script.seen[1].timeout_ms, MMC_TIMEOUT_IMMEDIATE_MS);
    finish(&script);
}

static void test_command_write_speeds(void **state) {
    static const uint8_t one[24] = {0, 0, 0, 36};
    static const uint8_t two[40] = {0, 0, 0, 36};
    static const uint8_t wild[24] = {0xFF, 0xFF, 0xFF, 0xFF};
    static const struct step steps[] = {
        {.opcode = 0xAC, .data = one, .data_len = 24},
        {.opcode = 0xAC, .data = two, .data_len = 40},
    };
    static const struct step wilder[] = {
        {.opcode = 0xAC, .data = wild, .data_len = 24},
        {.opcode = 0xAC, .data = wild, .data_len = 24},
    };
    struct script script;
    struct mmc_write_speeds out;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_get_write_speeds(&script.head, &out, NULL),
                     MMC_OK);
    assert_int_equal(out.count, 2);
    assert_int_equal(script.seen[1].cdb[9], 2);
    assert_int_equal(script.seen[1].data_len, 40);
    finish(&script);
    START(&script, wilder);
    assert_int_equal(mmc_command_get_write_speeds(&script.head, &out, NULL),
                     MMC_OK);
    assert_int_equal(out.count, 1);
    assert_int_equal(script.seen[1].cdb[9], MMC_WRITE_SPEEDS_MAX);
    finish(&script);
}

/* A deferred error belongs to earlier writes, whatever command brings it. */
static void test_command_deferred_error(void **state) {
    static const struct step steps[] = {
        {.opcode = 0x00,
         .status = CHECK,
         .sense_len = 18,
         .sense = {0xF1, 0, 3, 0, 0, 0x12, 0x20, 10, 0, 0, 0, 0, 0x0C}}};
    struct script script;
    struct mmc_sense sense;

    (void)state;
    START(&script, steps);
    assert_int_equal(mmc_command_test_unit_ready(&script.head, &sense),
                     MMC_DEFERRED_ERROR);
    assert_true(sense.deferred);
    assert_int_equal(sense.info, 0x1220);
    finish(&script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_good_clears_sense),
        cmocka_unit_test(test_command_check_condition),
        cmocka_unit_test(test_command_swallowed_sense),
        cmocka_unit_test(test_command_no_sense_at_all),
        cmocka_unit_test(test_command_transport_errors),
        cmocka_unit_test(test_command_two_step_replies),
        cmocka_unit_test(test_command_two_step_lengths_lie),
        cmocka_unit_test(test_command_two_step_fails_early),
        cmocka_unit_test(test_command_mode_sense_short_length),
        cmocka_unit_test(test_command_mode_sense_other_page),
        cmocka_unit_test(test_command_mode_select_clears_ps),
        cmocka_unit_test(test_command_transfers),
        cmocka_unit_test(test_command_transfers_cut_short),
        cmocka_unit_test(test_command_reply_lengths),
        cmocka_unit_test(test_command_request_sense_progress),
        cmocka_unit_test(test_command_format_sends_its_list),
        cmocka_unit_test(test_command_write_speeds),
        cmocka_unit_test(test_command_deferred_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
