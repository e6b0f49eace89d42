/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_packet.c - one packet's bitmaps and states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/packet.h"

enum { BLOCK = BLOCKDEV_BLOCK_BYTES };

static uint8_t memory[MMC_PACKET_BLOCKS_MAX * BLOCK];
static uint8_t image[MMC_PACKET_BLOCKS_MAX * BLOCK];
static uint8_t source[MMC_PACKET_BLOCKS_MAX * BLOCK];

static struct mmc_packet packet_of(uint8_t blocks) {
    memset(memory, 0xEE, sizeof(memory)); /* rubbish, as from malloc */
    memset(image, 0xDD, sizeof(image));
    return (struct mmc_packet){.data = memory, .blocks = blocks};
}

/* `count` blocks that all hold `value`. */
static const void *blocks_of(int value, unsigned count) {
    memset(source, value, (size_t)count * BLOCK);
    return source;
}

static void assert_image(unsigned block, int value) {
    assert_int_equal(image[block * BLOCK], value);
    assert_int_equal(image[block * BLOCK + BLOCK - 1], value);
}

static void test_packet_mask_covers_all_64_blocks(void **state) {
    (void)state;
    assert_int_equal(mmc_packet_mask(0, 0), 0);
    assert_int_equal(mmc_packet_mask(63, 0), 0);
    assert_int_equal(mmc_packet_mask(0, 1), 1);
    assert_true(mmc_packet_mask(0, 64) == UINT64_MAX);
    assert_true(mmc_packet_mask(63, 1) == (uint64_t)1 << 63);
    assert_true(mmc_packet_mask(32, 32) == UINT64_C(0xFFFFFFFF00000000));
}

static void test_packet_goes_clean_dirty_writing_clean(void **state) {
    struct mmc_packet packet = packet_of(32);

    (void)state;
    assert_int_equal(mmc_packet_state(&packet), MMC_PACKET_CLEAN);
    mmc_packet_write(&packet, 3, 2, blocks_of(0x33, 2));
    assert_int_equal(mmc_packet_state(&packet), MMC_PACKET_DIRTY);
    assert_false(mmc_packet_is_droppable(&packet));
    mmc_packet_begin_write(&packet, image);
    assert_int_equal(mmc_packet_state(&packet), MMC_PACKET_WRITING);
    mmc_packet_end_write(&packet, true);
    assert_int_equal(mmc_packet_state(&packet), MMC_PACKET_CLEAN);
    assert_false(mmc_packet_is_droppable(&packet)); /* not synchronised */
    mmc_packet_synced(&packet);
    assert_true(mmc_packet_is_droppable(&packet));
    mmc_packet_check(&packet);
}

static void test_packet_image_has_zeros_for_the_unknown(void **state) {
    struct mmc_packet packet = packet_of(16);

    (void)state;
    mmc_packet_write(&packet, 5, 1, blocks_of(0x55, 1));
    mmc_packet_fill(&packet, 7, 1, blocks_of(0x77, 1));
    mmc_packet_begin_write(&packet, image);
    assert_image(4, 0);
    assert_image(5, 0x55);
    assert_image(7, 0x77);
    assert_image(15, 0);
    assert_int_equal(image[16 * BLOCK], 0xDD); /* a short packet */
    mmc_packet_end_write(&packet, true);
    assert_int_equal(packet.valid, 0xFFFF);
    assert_int_equal(memory[4 * BLOCK], 0);
}

static void test_packet_fill_keeps_newer_data(void **state) {
    struct mmc_packet packet = packet_of(32);

    (void)state;
    mmc_packet_write(&packet, 1, 1, blocks_of(0xAA, 1));
    mmc_packet_fill(&packet, 0, 3, blocks_of(0xBB, 3));
    assert_int_equal(memory[0], 0xBB);
    assert_int_equal(memory[BLOCK], 0xAA);
    assert_int_equal(memory[2 * BLOCK], 0xBB);
    assert_int_equal(packet.valid, 7);
    assert_int_equal(packet.dirty, 2);
}

static void test_packet_misses_only_blocks_in_use(void **state) {
    struct mmc_packet packet = packet_of(32);

    (void)state;
    mmc_packet_write(&packet, 0, 4, blocks_of(1, 4));
    assert_int_equal(mmc_packet_missing(&packet, 0x0F), 0);
    assert_int_equal(mmc_packet_missing(&packet, 0x1F), 0x10);
    assert_true(mmc_packet_missing(&packet, UINT64_MAX) == 0xFFFFFFF0);
}

static void test_packet_written_to_in_flight_is_dirty_again(void **state) {
    struct mmc_packet packet = packet_of(32);

    (void)state;
    mmc_packet_write(&packet, 0, 2, blocks_of(1, 2));
    mmc_packet_begin_write(&packet, image);
    mmc_packet_write(&packet, 1, 1, blocks_of(2, 1));
    assert_image(1, 1); /* the drive has its own copy */
    assert_int_equal(mmc_packet_state(&packet), MMC_PACKET_WRITING);
    mmc_packet_end_write(&packet, true);
    assert_int_equal(mmc_packet_state(&packet), MMC_PACKET_DIRTY);
    assert_int_equal(packet.dirty, 2);
    mmc_packet_check(&packet);
}

static void test_packet_that_failed_is_dirty_again(void **state) {
    struct mmc_packet packet = packet_of(32);

    (void)state;
    mmc_packet_write(&packet, 0, 2, blocks_of(1, 2));
    mmc_packet_begin_write(&packet, image);
    mmc_packet_write(&packet, 5, 1, blocks_of(2, 1));
    mmc_packet_end_write(&packet, false);
    assert_int_equal(packet.dirty, 0x23);
    assert_int_equal(packet.valid, 0x23); /* zeros did not reach the disc */
    assert_int_equal(packet.unsynced, 0);
}

static void test_packet_resend_makes_all_of_it_dirty(void **state) {
    struct mmc_packet packet = packet_of(32);

    (void)state;
    mmc_packet_write(&packet, 9, 1, blocks_of(9, 1));
    mmc_packet_begin_write(&packet, image);
    mmc_packet_end_write(&packet, true);
    mmc_packet_resend(&packet);
    assert_int_equal(mmc_packet_state(&packet), MMC_PACKET_DIRTY);
    assert_true(packet.dirty == 0xFFFFFFFF);
    mmc_packet_check(&packet);
    mmc_packet_synced(&packet);
    mmc_packet_resend(&packet); /* nothing more to send */
    assert_int_equal(packet.unsynced, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packet_mask_covers_all_64_blocks),
        cmocka_unit_test(test_packet_goes_clean_dirty_writing_clean),
        cmocka_unit_test(test_packet_image_has_zeros_for_the_unknown),
        cmocka_unit_test(test_packet_fill_keeps_newer_data),
        cmocka_unit_test(test_packet_misses_only_blocks_in_use),
        cmocka_unit_test(test_packet_written_to_in_flight_is_dirty_again),
        cmocka_unit_test(test_packet_that_failed_is_dirty_again),
        cmocka_unit_test(test_packet_resend_makes_all_of_it_dirty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
