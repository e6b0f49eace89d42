/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The ring of target_core_user as the kernel fills it, and as it must never
 * be: every offset and length of it out of bounds by one.
 */
#include <errno.h>
#include <linux/target_core_user.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/tcmu_ring.h"

enum {
    RING_OFFSET = 128,
    RING_BYTES = 1024,
    DATA_OFFSET = RING_OFFSET + RING_BYTES,
    MAP_BYTES = DATA_OFFSET + 4096,
    /* The least entry, filled up to 8 bytes, and the CDB in it at the end. */
    ENTRY_BYTES = 208,
    CDB_AT = 192
};

struct kernel {
    uint8_t *map;
    struct tcmu_ring ring;
};

static struct tcmu_mailbox *mailbox(struct kernel *kernel) {
    return (struct tcmu_mailbox *)(void *)kernel->map;
}

static struct tcmu_cmd_entry *entry_at(struct kernel *kernel, uint32_t at) {
    return (struct tcmu_cmd_entry *)(void *)(kernel->map + RING_OFFSET + at);
}

static int set_up(void **state) {
    struct kernel *kernel = calloc(1, sizeof(*kernel));

    assert_non_null(kernel);
    kernel->map = aligned_alloc(64, MAP_BYTES);
    assert_non_null(kernel->map);
    memset(kernel->map, 0, MAP_BYTES);
    mailbox(kernel)->version = TCMU_MAILBOX_VERSION;
    mailbox(kernel)->flags = TCMU_MAILBOX_FLAG_CAP_READ_LEN;
    mailbox(kernel)->cmdr_off = RING_OFFSET;
    mailbox(kernel)->cmdr_size = RING_BYTES;
    assert_int_equal(tcmu_ring_init(&kernel->ring, kernel->map, MAP_BYTES), 0);
    *state = kernel;
    return 0;
}

static int clean_up(void **state) {
    struct kernel *kernel = *state;

    free(kernel->map);
    free(kernel);
    return 0;
}

static void put_header(struct kernel *kernel, uint32_t at, enum tcmu_opcode op,
                       uint32_t length) {
    uint32_t len_op = 0;

    tcmu_hdr_set_op(&len_op, op);
    tcmu_hdr_set_len(&len_op, length);
    entry_at(kernel, at)->hdr = (struct tcmu_cmd_entry_hdr){
        .len_op = len_op, .cmd_id = (uint16_t)(at + 7)};
}

/* A command at `at` with `pieces` of data, each of 100 bytes and 100 bytes
 * apart, and makes it the last one of the ring. */
static struct tcmu_cmd_entry *put_command(struct kernel *kernel, uint32_t at,
                                          const char *cdb, size_t cdb_len,
                                          uint32_t pieces) {
    struct tcmu_cmd_entry *entry = entry_at(kernel, at);

    memset(entry, 0, ENTRY_BYTES);
    put_header(kernel, at, TCMU_OP_CMD, ENTRY_BYTES);
    entry->req.iov_cnt = pieces;
    entry->req.cdb_off = RING_OFFSET + at + CDB_AT;
    memcpy(kernel->map + entry->req.cdb_off, cdb, cdb_len);
    for (uint32_t i = 0; i < pieces; i++) {
        struct iovec piece = {(void *)(uintptr_t)(DATA_OFFSET + i * 200), 100};

        memcpy((uint8_t *)entry + offsetof(struct tcmu_cmd_entry, req.iov) +
                   i * sizeof(piece),
               &piece, sizeof(piece));
    }
    mailbox(kernel)->cmd_head = (at + ENTRY_BYTES) % RING_BYTES;
    return entry;
}

static const char INQUIRY[] = "\x12\x00\x00\x00\x24";

/* ---- The mailbox -------------------------------------------------------- */

static void test_tcmu_ring_mailbox(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_ring ring;
    const struct tcmu_mailbox good = *mailbox(kernel);
    static const struct {
        uint32_t off, size;
    } bad[] = {
        {RING_OFFSET, MAP_BYTES - RING_OFFSET + 8}, /* past the end */
        {MAP_BYTES + 8, 128},
        {0xFFFFFFF8, 0xFFFFFFF8},
        {64, RING_BYTES}, /* over the mailbox */
        {RING_OFFSET, 0},
        {RING_OFFSET, 8}, /* holds no entry */
        {RING_OFFSET + 4, RING_BYTES},
        {RING_OFFSET, RING_BYTES - 4},
    };

    assert_int_equal(tcmu_ring_init(&ring, kernel->map, 64), -EUCLEAN);
    assert_int_equal(tcmu_ring_init(&ring, kernel->map + 8, MAP_BYTES - 8),
                     -EUCLEAN);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        mailbox(kernel)->cmdr_off = bad[i].off;
        mailbox(kernel)->cmdr_size = bad[i].size;
        assert_int_equal(tcmu_ring_init(&ring, kernel->map, MAP_BYTES),
                         -EUCLEAN);
    }
    *mailbox(kernel) = good;
    mailbox(kernel)->version = 3;
    assert_int_equal(tcmu_ring_init(&ring, kernel->map, MAP_BYTES),
                     -EPROTONOSUPPORT);
    mailbox(kernel)->version = 2;
    /* Up to the last byte is allowed. */
    mailbox(kernel)->cmdr_size = MAP_BYTES - RING_OFFSET;
    assert_int_equal(tcmu_ring_init(&ring, kernel->map, MAP_BYTES), 0);
}

/* ---- Commands ----------------------------------------------------------- */

static void test_tcmu_ring_empty(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_entry entry;

    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -ENOENT);
}

static void test_tcmu_ring_command_is_decoded(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_entry entry;
    uint8_t buf[300];

    put_command(kernel, 0, INQUIRY, 6, 3);
    for (unsigned i = 0; i < 3; i++) {
        memset(kernel->map + DATA_OFFSET + i * 200, (int)i + 1, 100);
        memset(kernel->map + DATA_OFFSET + i * 200 + 100, 0xEE, 100);
    }
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    assert_int_equal(entry.cdb_len, 6);
    assert_memory_equal(entry.cdb, INQUIRY, 6);
    assert_int_equal(entry.data_len, 300);
    tcmu_ring_gather(&kernel->ring, &entry, buf);
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(buf[i], i / 100 + 1);
    }
    /* Asking again gives the same one, until it is answered. */
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    assert_int_equal(entry.offset, 0);
}

static void test_tcmu_ring_scatter_stays_in_its_pieces(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_entry entry;
    uint8_t buf[300];

    memset(kernel->map + DATA_OFFSET, 0xEE, 1000);
    put_command(kernel, 0, INQUIRY, 6, 3);
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    memset(buf, 0x11, sizeof(buf));
    tcmu_ring_scatter(&kernel->ring, &entry, buf, 150);
    for (unsigned i = 0; i < 1000; i++) {
        bool written = i < 100 || (i >= 200 && i < 250);

        assert_int_equal(kernel->map[DATA_OFFSET + i], written ? 0x11 : 0xEE);
    }
}

static void test_tcmu_ring_answer(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_cmd_entry *raw = put_command(kernel, 0, INQUIRY, 6, 1);
    struct mmc_reply reply = {.status = 2, .sense_len = 18, .data_len = 36};
    struct tcmu_entry entry;

    for (uint8_t i = 0; i < 18; i++) {
        reply.sense[i] = (uint8_t)(0x70 + i);
    }
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    tcmu_ring_complete(&kernel->ring, &entry, &reply, true);
    assert_int_equal(raw->rsp.scsi_status, 2);
    assert_memory_equal(raw->rsp.sense_buffer, reply.sense, 18);
    assert_int_equal(raw->rsp.sense_buffer[18], 0);
    assert_int_equal(raw->rsp.read_len, 36);
    assert_int_equal(raw->hdr.uflags, TCMU_UFLAG_READ_LEN);
    assert_int_equal(raw->hdr.cmd_id, 7);
    assert_int_equal(mailbox(kernel)->cmd_tail, ENTRY_BYTES);
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -ENOENT);
}

/* More than the host has room for, or than a sense buffer holds. */
static void test_tcmu_ring_answer_is_cut(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_cmd_entry *raw = put_command(kernel, 0, INQUIRY, 6, 1);
    struct mmc_reply reply = {.sense_len = 255, .data_len = 4096};
    struct tcmu_entry entry;

    memset(reply.sense, 0x55, sizeof(reply.sense));
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    tcmu_ring_complete(&kernel->ring, &entry, &reply, true);
    assert_int_equal(raw->rsp.read_len, 100);
    assert_int_equal(raw->rsp.sense_buffer[MMC_SENSE_MAX - 1], 0x55);
    assert_int_equal(raw->rsp.sense_buffer[MMC_SENSE_MAX], 0);
}

static void test_tcmu_ring_answer_without_length(void **state) {
    struct kernel *kernel = *state;
    struct mmc_reply reply = {.data_len = 36};
    struct tcmu_cmd_entry *raw;
    struct tcmu_entry entry;

    raw = put_command(kernel, 0, INQUIRY, 6, 1);
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    tcmu_ring_complete(&kernel->ring, &entry, &reply, false);
    assert_int_equal(raw->hdr.uflags, 0);
    /* A kernel that does not know the flag must not see it. */
    mailbox(kernel)->flags = 0;
    assert_int_equal(tcmu_ring_init(&kernel->ring, kernel->map, MAP_BYTES), 0);
    raw = put_command(kernel, ENTRY_BYTES, INQUIRY, 6, 1);
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    tcmu_ring_complete(&kernel->ring, &entry, &reply, true);
    assert_int_equal(raw->hdr.uflags, 0);
}

/* Opcodes of groups that have no length here still come through, with the one
 * byte that says so. */
static void test_tcmu_ring_unknown_group(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_entry entry;

    put_command(kernel, 0, "\x7F\x01", 2, 0);
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    assert_int_equal(entry.cdb_len, 0);
    assert_int_equal(entry.cdb[0], 0x7F);
    assert_int_equal(entry.data_len, 0);
}

/* ---- Around the ring ---------------------------------------------------- */

static void test_tcmu_ring_wraps_over_padding(void **state) {
    struct kernel *kernel = *state;
    struct mmc_reply reply = {0};
    struct tcmu_entry entry;
    uint32_t at = 4 * ENTRY_BYTES;

    mailbox(kernel)->cmd_tail = at;
    put_command(kernel, 0, INQUIRY, 6, 0);
    put_header(kernel, at, TCMU_OP_PAD, RING_BYTES - at);
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    assert_int_equal(entry.offset, 0);
    assert_int_equal(mailbox(kernel)->cmd_tail, 0);
    tcmu_ring_complete(&kernel->ring, &entry, &reply, false);
    assert_int_equal(mailbox(kernel)->cmd_tail, ENTRY_BYTES);
    assert_int_equal(entry_at(kernel, at)->hdr.uflags, 0);
}

static void test_tcmu_ring_unknown_entry_is_passed(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_entry entry;

    put_command(kernel, 64, INQUIRY, 6, 0);
    put_header(kernel, 0, TCMU_OP_TMR, 64);
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    assert_int_equal(entry.offset, 64);
    assert_int_equal(entry_at(kernel, 0)->hdr.uflags, TCMU_UFLAG_UNKNOWN_OP);
}

static void test_tcmu_ring_ends_out_of_bounds(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_entry entry;
    static const uint32_t bad[] = {RING_BYTES, RING_BYTES + 8, 4, 0xFFFFFFF8};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        mailbox(kernel)->cmd_head = bad[i];
        mailbox(kernel)->cmd_tail = 0;
        assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
        mailbox(kernel)->cmd_head = 0;
        mailbox(kernel)->cmd_tail = bad[i];
        assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
    }
}

static void test_tcmu_ring_entry_lengths(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_entry entry;
    /* No end; not even a header's; no answer's; more than is filled; past the
     * end of the ring. */
    static const uint32_t bad[] = {0, 104, ENTRY_BYTES + 8, RING_BYTES + 8,
                                   0xFFFFFFF8};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put_command(kernel, 0, INQUIRY, 6, 0);
        put_header(kernel, 0, TCMU_OP_CMD, bad[i]);
        assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
    }
    put_header(kernel, 0, TCMU_OP_PAD, 0);
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
    /* An entry does not go around the corner. */
    mailbox(kernel)->cmd_tail = RING_BYTES - 8;
    put_header(kernel, RING_BYTES - 8, TCMU_OP_PAD, 16);
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
}

static void test_tcmu_ring_cdb_out_of_bounds(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_cmd_entry *raw = put_command(kernel, 0, INQUIRY, 6, 0);
    struct tcmu_entry entry;
    static const uint64_t bad[] = {MAP_BYTES, MAP_BYTES - 5, UINT64_MAX,
                                   UINT64_MAX - 5};

    memset(kernel->map + MAP_BYTES - 6, 0, 6);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        raw->req.cdb_off = bad[i];
        assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
    }
    raw->req.cdb_off = MAP_BYTES - 6;
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    kernel->map[MAP_BYTES - 6] = 0x28; /* 10 bytes */
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
}

static void set_piece(struct tcmu_cmd_entry *raw, size_t i, uintptr_t at,
                      size_t len) {
    struct iovec piece = {(void *)at, len};

    memcpy((uint8_t *)raw + offsetof(struct tcmu_cmd_entry, req.iov) +
               i * sizeof(piece),
           &piece, sizeof(piece));
}

static void test_tcmu_ring_data_out_of_bounds(void **state) {
    struct kernel *kernel = *state;
    struct tcmu_cmd_entry *raw = put_command(kernel, 0, INQUIRY, 6, 2);
    struct tcmu_entry entry;
    static const struct {
        uintptr_t at;
        size_t len;
    } bad[] = {
        {MAP_BYTES + 1, 0},      {MAP_BYTES - 99, 100},    {UINTPTR_MAX, 1},
        {DATA_OFFSET, SIZE_MAX}, {DATA_OFFSET, MAP_BYTES},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set_piece(raw, 1, bad[i].at, bad[i].len);
        assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
    }
    set_piece(raw, 1, MAP_BYTES - 100, 100);
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), 0);
    assert_int_equal(entry.data_len, 200);
    /* As many pieces as the entry has room for, and one more. */
    raw->req.iov_cnt =
        (ENTRY_BYTES - offsetof(struct tcmu_cmd_entry, req.iov)) /
            sizeof(struct iovec) +
        1;
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
    raw->req.iov_cnt = UINT32_MAX;
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
    raw->req.iov_cnt = 2;
    raw->req.iov_bidi_cnt = 1;
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
    raw->req.iov_bidi_cnt = 0;
    raw->req.iov_dif_cnt = 1;
    assert_int_equal(tcmu_ring_next(&kernel->ring, &entry), -EUCLEAN);
}

/* A thousand turns of the ring with whatever is in it: nothing is touched
 * outside the map (the sanitizers look), and it ends. */
static void test_tcmu_ring_noise(void **state) {
    struct kernel *kernel = *state;
    uint64_t random = 88172645463325252u;
    struct mmc_reply reply = {0};
    struct tcmu_entry entry;
    static uint8_t buf[MAP_BYTES * 64];

    for (unsigned turn = 0; turn < 20000; turn++) {
        for (unsigned i = 0; i < RING_BYTES; i += 8) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            /* Small numbers come nearer to what is believed. */
            uint64_t word = random & (turn % 2 ? 0xFF8000000F9u : UINT64_MAX);

            memcpy(kernel->map + RING_OFFSET + i, &word, 8);
        }
        mailbox(kernel)->cmd_head = (uint32_t)(random >> 20) % RING_BYTES & ~7u;
        mailbox(kernel)->cmd_tail = (uint32_t)(random >> 40) % RING_BYTES & ~7u;
        while (tcmu_ring_next(&kernel->ring, &entry) == 0) {
            if (entry.data_len <= sizeof(buf)) {
                tcmu_ring_gather(&kernel->ring, &entry, buf);
            }
            tcmu_ring_complete(&kernel->ring, &entry, &reply, true);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tcmu_ring_mailbox, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_empty, set_up, clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_command_is_decoded,
                                        set_up, clean_up),
        cmocka_unit_test_setup_teardown(
            test_tcmu_ring_scatter_stays_in_its_pieces, set_up, clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_answer, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_answer_is_cut, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_answer_without_length,
                                        set_up, clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_unknown_group, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_wraps_over_padding,
                                        set_up, clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_unknown_entry_is_passed,
                                        set_up, clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_ends_out_of_bounds,
                                        set_up, clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_entry_lengths, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_cdb_out_of_bounds,
                                        set_up, clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_data_out_of_bounds,
                                        set_up, clean_up),
        cmocka_unit_test_setup_teardown(test_tcmu_ring_noise, set_up, clean_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
