/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The virtual drive misbehaves exactly as it was asked to.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/command.h"
#include "test/support/vdrive_rig.h"

static uint8_t buffer[2 * RIG_PACKET_BYTES];

static void inject(struct vdrive_rig *rig,
                   const struct mmc_vdrive_fault *fault) {
    assert_int_equal(mmc_vdrive_inject(rig->transport, fault), 0);
}

/* ---- Bad packets -------------------------------------------------------- */

static void test_vdrive_fault_write_error_spoils_a_packet(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_WRITE_ERROR);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    fault.lba = 5 * RIG_PACKET + 3;
    inject(&rig, &fault);
    assert_int_equal(rig_fill(&rig, 4, 1, 4), 0);
    assert_int_equal(rig_fill(&rig, 4, 2, 9), 0x030C00);
    assert_int_equal(rig.reply.data_len, RIG_PACKET_BYTES);
    assert_int_equal(rig.reply.sense[0], 0xF0);
    assert_int_equal(rig.reply.sense[6], 5 * RIG_PACKET);
    assert_true(rig_holds(&rig, 4, 9));
    assert_int_equal(rig_read(&rig, 5 * RIG_PACKET + 31, 1, buffer), 0x031105);
    /* Once: writing it again heals it. */
    assert_int_equal(rig_fill(&rig, 5, 1, 5), 0);
    assert_true(rig_holds(&rig, 5, 5));
    rig_close(&rig);
}

static void test_vdrive_fault_write_error_lasts_for_ever(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_WRITE_ERROR);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    fault.lba = 64;
    fault.times = 0;
    inject(&rig, &fault);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(rig_fill(&rig, 2, 1, 1), 0x030C00);
        assert_int_equal(rig_fill(&rig, 3, 1, 1), 0);
    }
    mmc_vdrive_clear_faults(rig.transport);
    assert_int_equal(rig_fill(&rig, 2, 1, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_fault_counts_packets_that_pass(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_WRITE_ERROR);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    fault.after = 3;
    fault.times = 2;
    inject(&rig, &fault);
    assert_int_equal(rig_fill(&rig, 0, 2, 1), 0);
    assert_int_equal(rig_fill(&rig, 2, 2, 1), 0x030C00); /* the second */
    assert_int_equal(rig.reply.data_len, RIG_PACKET_BYTES);
    assert_int_equal(rig_fill(&rig, 3, 1, 1), 0x030C00);
    assert_int_equal(rig_fill(&rig, 3, 1, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_fault_read_error_gives_what_came_before(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_READ_ERROR);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    fault.lba = 32;
    inject(&rig, &fault);
    assert_int_equal(rig_read(&rig, 30, 10, buffer), 0x031105);
    assert_int_equal(rig.reply.data_len, 2 * 2048);
    assert_int_equal(rig.reply.sense[6], 32);
    assert_int_equal(rig_read(&rig, 30, 10, buffer), 0);
    rig_close(&rig);
}

/* ---- Sense -------------------------------------------------------------- */

static void test_vdrive_fault_sense_replaces_a_command(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    fault.opcode = MMC_OP_WRITE_10;
    fault.after = 1;
    fault.key = 4;
    fault.asc = 0x44;
    inject(&rig, &fault);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    assert_int_equal(rig_ready(&rig), 0);
    assert_int_equal(rig_fill(&rig, 0, 1, 2), 0x044400);
    assert_true(rig_holds(&rig, 0, 1));
    assert_int_equal(rig_fill(&rig, 0, 1, 2), 0);
    rig_close(&rig);
}

static void test_vdrive_fault_recovered_command_is_done(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    fault.opcode = MMC_OP_WRITE_10;
    fault.key = 1;
    fault.asc = 0x0C;
    fault.ascq = 1;
    inject(&rig, &fault);
    assert_int_equal(rig_fill(&rig, 0, 1, 3), 0x010C01);
    assert_int_equal(rig.reply.data_len, RIG_PACKET_BYTES);
    assert_true(rig_holds(&rig, 0, 3));
    rig_close(&rig);
}

static void test_vdrive_fault_deferred_sense_names_its_place(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);
    struct vdrive_rig rig;
    struct mmc_sense sense;

    (void)state;
    rig_open_formatted(&rig);
    fault.opcode = MMC_OP_SYNCHRONIZE_CACHE;
    fault.key = 3;
    fault.asc = 0x0C;
    fault.deferred = true;
    fault.lba = 96;
    inject(&rig, &fault);
    assert_int_equal(
        mmc_command_synchronize_cache(rig.transport, false, &sense),
        MMC_DEFERRED_ERROR);
    assert_true(sense.deferred && sense.info_valid);
    assert_int_equal(sense.info, 96);
    rig_close(&rig);
}

static void test_vdrive_fault_attention_loses_settings(void **state) {
    static const uint8_t causes[] = {0x28, 0x29};
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    fault.opcode = MMC_OP_TEST_UNIT_READY;
    fault.key = 6;
    for (size_t i = 0; i < sizeof(causes); i++) {
        fault.asc = causes[i];
        inject(&rig, &fault);
        rig_select_packets(&rig);
        assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
        assert_int_equal(rig_ready(&rig), 0x060000 | causes[i] << 8);
        assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x056400);
    }
    rig_close(&rig);
}

static void test_vdrive_fault_reset_unlocks_and_loses(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    mmc_command_prevent_allow(rig.transport, MMC_DOOR_PREVENT, NULL);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    fault.key = 6;
    fault.asc = 0x29;
    fault.cut.loss = MMC_VDRIVE_LOSE_ALL;
    inject(&rig, &fault);
    assert_int_equal(rig_ready(&rig), 0x062900);
    assert_true(rig_holds(&rig, 0, 0));
    mmc_vdrive_press_button(rig.transport);
    assert_true(mmc_vdrive_tray_open(rig.transport));
    rig_close(&rig);
}

/* ---- Waiting ------------------------------------------------------------ */

static void test_vdrive_fault_not_ready_passes_with_time(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_NOT_READY);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    fault.opcode = MMC_OP_READ_10;
    fault.duration_ms = 3000;
    inject(&rig, &fault);
    assert_int_equal(rig_ready(&rig), 0);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x020401);
    assert_int_equal(rig_ready(&rig), 0x020401);
    mmc_transport_sleep(rig.transport, 2999);
    assert_int_equal(rig_ready(&rig), 0x020401);
    mmc_transport_sleep(rig.transport, 1);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0);
    rig_close(&rig);
}

static void test_vdrive_fault_long_write_is_about_writes(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_LONG_WRITE);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    fault.duration_ms = 200;
    inject(&rig, &fault);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x020408);
    assert_int_equal(rig_ready(&rig), 0);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x020408);
    assert_true(rig_holds(&rig, 0, 0));
    mmc_transport_sleep(rig.transport, 200);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    rig_close(&rig);
}

static void test_vdrive_fault_strict_buffer_fills_and_drains(void **state) {
    struct mmc_vdrive_fault fault =
        mmc_vdrive_fault_of(MMC_VDRIVE_STRICT_BUFFER);
    struct vdrive_rig rig;
    struct mmc_buffer_capacity capacity;
    uint32_t taken = 0;

    (void)state;
    rig_open_formatted(&rig);
    inject(&rig, &fault);
    while (taken < 64 && rig_fill(&rig, taken % 32, 1, 1) == 0) {
        taken++;
    }
    /* 2 MiB are 32 packets; the seek before the first takes room too. */
    assert_in_range(taken, 28, 32);
    assert_int_equal(rig_fill(&rig, taken % 32, 1, 1), 0x020408);
    mmc_command_read_buffer_capacity(rig.transport, &capacity, NULL);
    assert_int_equal(capacity.bytes, 2 << 20);
    assert_in_range(capacity.free_bytes, 0, RIG_PACKET_BYTES - 1);
    mmc_transport_sleep(rig.transport, 60);
    assert_int_equal(rig_fill(&rig, taken % 32, 1, 1), 0);
    assert_int_equal(rig_sync(&rig), 0);
    mmc_command_read_buffer_capacity(rig.transport, &capacity, NULL);
    assert_int_equal(capacity.free_bytes, capacity.bytes);
    rig_close(&rig);
}

/* ---- Power and pins ----------------------------------------------------- */

static void cut_at_packet(struct vdrive_rig *rig, enum mmc_vdrive_tear tear) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_CUT);

    rig_open_formatted(rig);
    assert_int_equal(rig_fill(rig, 2, 1, 0x11), 0);
    assert_int_equal(rig_sync(rig), 0);
    fault.cut.tear = tear;
    fault.after = 1;
    inject(rig, &fault);
    assert_int_equal(rig_fill(rig, 1, 1, 0x22), 0);
    assert_int_equal(rig_fill(rig, 2, 1, 0x22), -ENODEV);
    assert_int_equal(rig_ready(rig), -ENODEV);
    rig_reopen(rig);
    assert_true(rig_holds(rig, 1, 0x22));
}

static void test_vdrive_fault_cut_leaves_packet_as_asked(void **state) {
    struct vdrive_rig rig;

    (void)state;
    cut_at_packet(&rig, MMC_VDRIVE_TEAR_OLD);
    assert_true(rig_holds(&rig, 2, 0x11));
    rig_close(&rig);
    cut_at_packet(&rig, MMC_VDRIVE_TEAR_NEW);
    assert_true(rig_holds(&rig, 2, 0x22));
    rig_close(&rig);
    cut_at_packet(&rig, MMC_VDRIVE_TEAR_HALF);
    assert_int_equal(rig_read(&rig, 64, 32, buffer), 0);
    assert_int_equal(buffer[15 * 2048], 0x22);
    assert_int_equal(buffer[16 * 2048], 0x11);
    rig_close(&rig);
    cut_at_packet(&rig, MMC_VDRIVE_TEAR_UNREADABLE);
    assert_int_equal(rig_read(&rig, 64, 1, buffer), 0x031105);
    assert_true(mmc_vdrive_packet_unreadable(rig.transport, 2));
    rig_select_packets(&rig);
    assert_int_equal(rig_fill(&rig, 2, 1, 0x33), 0);
    assert_true(rig_holds(&rig, 2, 0x33));
    rig_close(&rig);
}

static void test_vdrive_fault_cut_loses_what_was_not_synced(void **state) {
    static const struct mmc_vdrive_cut all = {.loss = MMC_VDRIVE_LOSE_ALL};
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(rig_fill(&rig, 0, 2, 1), 0);
    assert_int_equal(rig_sync(&rig), 0);
    assert_int_equal(rig_fill(&rig, 1, 1, 2), 0);
    assert_int_equal(rig_fill(&rig, 1, 1, 3), 0);
    assert_int_equal(rig_fill(&rig, 9, 1, 4), 0);
    mmc_vdrive_power_cut(rig.transport, &all);
    assert_int_equal(rig_ready(&rig), -ENODEV);
    mmc_vdrive_power_on(rig.transport);
    assert_int_equal(rig_ready(&rig), 0x062900);
    assert_true(rig_holds(&rig, 0, 1));
    assert_true(rig_holds(&rig, 1, 1));
    assert_true(rig_holds(&rig, 9, 0));
    assert_int_equal(rig_fill(&rig, 0, 1, 5), 0x056400); /* page 05h is lost */
    rig_close(&rig);
}

static void test_vdrive_fault_cut_forgets_beyond_the_buffer(void **state) {
    static const struct mmc_vdrive_cut all = {.loss = MMC_VDRIVE_LOSE_ALL};
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    /* 2 MiB hold 32 packets: of 34 the first two are on the medium. */
    for (uint32_t i = 0; i < 34; i++) {
        assert_int_equal(rig_fill(&rig, i % 32, 1, (uint8_t)(i + 1)), 0);
    }
    mmc_vdrive_power_cut(rig.transport, &all);
    rig_reopen(&rig);
    assert_true(rig_holds(&rig, 0, 1));
    assert_true(rig_holds(&rig, 1, 2));
    for (uint32_t i = 2; i < 32; i++) {
        assert_true(rig_holds(&rig, i, 0));
    }
    rig_close(&rig);
}

/* Cuts after packet 0 went 0 -> 1 -> 2 and packet 1 0 -> 3; returns what they
 * are then, as two bits and one. */
static unsigned cut_some(uint64_t seed) {
    struct mmc_vdrive_cut cut = {.loss = MMC_VDRIVE_LOSE_SOME, .seed = seed};
    struct vdrive_rig rig;
    unsigned outcome;

    rig_open_formatted(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    assert_int_equal(rig_fill(&rig, 1, 1, 3), 0);
    assert_int_equal(rig_fill(&rig, 0, 1, 2), 0);
    mmc_vdrive_power_cut(rig.transport, &cut);
    rig_reopen(&rig);
    outcome = rig_holds(&rig, 0, 2) ? 2 : rig_holds(&rig, 0, 1) ? 1 : 0;
    assert_true(outcome || rig_holds(&rig, 0, 0));
    assert_true(rig_holds(&rig, 1, 0) || rig_holds(&rig, 1, 3));
    outcome |= rig_holds(&rig, 1, 3) ? 4 : 0;
    rig_close(&rig);
    return outcome;
}

static void test_vdrive_fault_cut_loses_any_subset(void **state) {
    unsigned seen = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 64; seed++) {
        seen |= 1u << cut_some(seed);
    }
    /* Both packets in each of their states, in every combination. */
    assert_int_equal(seen, 0x77);
    assert_int_equal(cut_some(7), cut_some(7));
}

static void test_vdrive_fault_pull_loses_medium_and_buffer(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_PULL);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0);
    fault.opcode = MMC_OP_READ_10;
    inject(&rig, &fault);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x023A02);
    assert_true(mmc_vdrive_tray_open(rig.transport));
    mmc_vdrive_load(rig.transport);
    mmc_transport_sleep(rig.transport, 10000);
    assert_int_equal(rig_ready(&rig), 0x062800);
    assert_true(rig_holds(&rig, 0, 0));
    rig_close(&rig);
}

static void test_vdrive_fault_gone_answers_nothing(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_GONE);
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    fault.after = 1;
    inject(&rig, &fault);
    assert_int_equal(rig_ready(&rig), 0);
    assert_int_equal(rig_ready(&rig), -ENODEV);
    assert_int_equal(rig_ready(&rig), -ENODEV);
    mmc_vdrive_power_on(rig.transport);
    assert_int_equal(rig_ready(&rig), 0x062900);
    rig_close(&rig);
}

static void test_vdrive_fault_inject_checks_its_fields(void **state) {
    struct mmc_vdrive_fault fault = mmc_vdrive_fault_of(MMC_VDRIVE_SENSE);
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), -EINVAL);
    fault.key = 0x10;
    assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), -EINVAL);
    fault.key = 3;
    fault.opcode = 0x100;
    assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), -EINVAL);
    fault.opcode = 0xFF;
    for (int i = 0; i < 64; i++) {
        assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), 0);
    }
    assert_int_equal(mmc_vdrive_inject(rig.transport, &fault), -ENOSPC);
    rig_close(&rig);
}

/* ---- The faults file ---------------------------------------------------- */

/* Opens the drive of `rig` again with this faults file. */
static int reopen_with(struct vdrive_rig *rig, const char *text) {
    struct mmc_transport *transport;
    char path[128];
    FILE *file;
    int error;

    mmc_transport_close(rig->transport);
    rig->transport = NULL;
    snprintf(path, sizeof(path), "%s.udfpkt-faults", rig->path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
    error = mmc_vdrive_open(rig->path, true, &transport);
    rig->transport = error ? NULL : transport;
    return error;
}

static void test_vdrive_fault_file_is_heeded(void **state) {
    struct vdrive_rig rig;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(
        reopen_with(&rig, "# two faults, and an empty line\n\n"
                          "sense op=0x28 sense=3/11/0f after=1 # second READ\n"
                          "  cut lba=96 tear=new lose=all seed=7\n"),
        0);
    assert_int_equal(rig_ready(&rig), 0x062900);
    rig_select_packets(&rig);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0);
    assert_int_equal(rig_read(&rig, 0, 1, buffer), 0x03110F);
    assert_int_equal(rig_fill(&rig, 2, 1, 1), 0);
    assert_int_equal(rig_fill(&rig, 3, 1, 1), -ENODEV);
    assert_int_equal(reopen_with(&rig, "strict-buffer"), 0);
    assert_int_equal(rig_ready(&rig), 0x062900);
    assert_true(rig_holds(&rig, 2, 0));
    assert_true(rig_holds(&rig, 3, 1));
    rig_close(&rig);
}

static void test_vdrive_fault_file_with_mistakes_is_refused(void **state) {
    static const char *const wrong[] = {
        "explode",
        "write-error lba",
        "write-error lba=",
        "write-error lba=-1",
        "write-error lba=0x100000000",
        "write-error lba=1x",
        "write-error size=1",
        "cut tear=badly",
        "cut lose=everything",
        "sense",
        "sense sense=3/11",
        "sense sense=3/11/00x",
        "sense sense=3/-1/00",
        "sense sense=3/100/00",
        "sense sense=3/11/00/00",
        "sense sense=3/11/00 op=0x100",
        "pull\nexplode\n",
    };
    struct vdrive_rig rig;
    char line[400];

    (void)state;
    rig_open(&rig);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(reopen_with(&rig, wrong[i]), -EINVAL);
    }
    memset(line, ' ', sizeof(line));
    line[sizeof(line) - 1] = 0;
    assert_int_equal(reopen_with(&rig, line), -EINVAL);
    /* And the lock is not left behind. */
    assert_int_equal(reopen_with(&rig, "\n# nothing\n"), 0);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_fault_write_error_spoils_a_packet),
        cmocka_unit_test(test_vdrive_fault_write_error_lasts_for_ever),
        cmocka_unit_test(test_vdrive_fault_counts_packets_that_pass),
        cmocka_unit_test(test_vdrive_fault_read_error_gives_what_came_before),
        cmocka_unit_test(test_vdrive_fault_sense_replaces_a_command),
        cmocka_unit_test(test_vdrive_fault_recovered_command_is_done),
        cmocka_unit_test(test_vdrive_fault_deferred_sense_names_its_place),
        cmocka_unit_test(test_vdrive_fault_attention_loses_settings),
        cmocka_unit_test(test_vdrive_fault_reset_unlocks_and_loses),
        cmocka_unit_test(test_vdrive_fault_not_ready_passes_with_time),
        cmocka_unit_test(test_vdrive_fault_long_write_is_about_writes),
        cmocka_unit_test(test_vdrive_fault_strict_buffer_fills_and_drains),
        cmocka_unit_test(test_vdrive_fault_cut_leaves_packet_as_asked),
        cmocka_unit_test(test_vdrive_fault_cut_loses_what_was_not_synced),
        cmocka_unit_test(test_vdrive_fault_cut_forgets_beyond_the_buffer),
        cmocka_unit_test(test_vdrive_fault_cut_loses_any_subset),
        cmocka_unit_test(test_vdrive_fault_pull_loses_medium_and_buffer),
        cmocka_unit_test(test_vdrive_fault_gone_answers_nothing),
        cmocka_unit_test(test_vdrive_fault_inject_checks_its_fields),
        cmocka_unit_test(test_vdrive_fault_file_is_heeded),
        cmocka_unit_test(test_vdrive_fault_file_with_mistakes_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
