/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which packets stay in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/store.h"

enum { PKT = 32, PACKETS = 1000, LIMIT = 100, KEEP = 20 };

static uint8_t data[PKT * BLOCKDEV_BLOCK_BYTES];

static void make(struct mmc_store *store) {
    assert_int_equal(mmc_store_init(store, PKT * PACKETS, PKT, LIMIT, KEEP), 0);
}

static void put(struct mmc_store *store, uint32_t index, unsigned blocks) {
    struct mmc_cached *cached = mmc_store_get(store, index);

    assert_non_null(cached);
    mmc_packet_write(&cached->packet, 0, blocks, data);
    mmc_store_update(store, cached);
}

static void bring_home(struct mmc_store *store, uint32_t index) {
    struct mmc_cached *cached = mmc_store_find(store, index);

    mmc_packet_begin_write(&cached->packet, data);
    mmc_packet_end_write(&cached->packet, true);
    mmc_packet_synced(&cached->packet);
    mmc_store_update(store, cached);
}

static void take(struct mmc_store *store, uint32_t index) {
    struct mmc_cached *cached = mmc_store_get(store, index);

    assert_non_null(cached);
    mmc_packet_fill(&cached->packet, 0, PKT, data);
    cached->was_read = true;
    mmc_store_update(store, cached);
}

/* A space bitmap is read once, however much is written then. */
static void test_store_keeps_what_was_read(void **state) {
    struct mmc_store store;

    (void)state;
    make(&store);
    take(&store, 0);
    for (uint32_t index = 1; index < 3 * LIMIT; index++) {
        put(&store, index, PKT);
        bring_home(&store, index);
    }
    assert_in_range(store.resident, LIMIT - 1, LIMIT);
    assert_non_null(mmc_store_find(&store, 0));
    for (uint32_t index = 0; index < 2 * LIMIT; index++) {
        put(&store, index + 3 * LIMIT, PKT); /* and stays dirty */
    }
    assert_non_null(mmc_store_find(&store, 0));
    assert_in_range(store.listed_count, 1, KEEP);
    mmc_store_free(&store);
}

/* It will be written again, and would have to be read for that. */
static void test_store_keeps_packets_that_are_not_full(void **state) {
    struct mmc_store store;

    (void)state;
    make(&store);
    for (unsigned i = 1; i < PKT; i++) {
        store.in_use[0] &= ~((uint64_t)1 << i);
    }
    put(&store, 0, 1);
    bring_home(&store, 0);
    for (uint32_t index = 1; index < 3 * LIMIT; index++) {
        put(&store, index, PKT);
        bring_home(&store, index);
    }
    assert_non_null(mmc_store_find(&store, 0));
    mmc_store_free(&store);
}

/* Of what was read, the last stays. */
static void test_store_forgets_what_was_not_used_for_longest(void **state) {
    struct mmc_store store;

    (void)state;
    make(&store);
    for (uint32_t index = 0; index < 2 * LIMIT; index++) {
        take(&store, index);
        mmc_store_touch(&store, mmc_store_find(&store, 0));
    }
    assert_int_equal(store.resident, LIMIT);
    assert_non_null(mmc_store_find(&store, 0));
    assert_null(mmc_store_find(&store, LIMIT));
    assert_non_null(mmc_store_find(&store, LIMIT + 1));
    mmc_store_free(&store);
}

/* What a mount reads stays, however much is read after it; but not when it is
 * so much that others would find no room. */
static void test_store_keeps_what_it_is_told_to(void **state) {
    (void)state;
    for (uint32_t kept = 10; kept <= LIMIT / 2; kept += LIMIT / 2 - 10) {
        struct mmc_store store;

        make(&store);
        for (uint32_t index = 0; index < 10 * LIMIT; index++) {
            if (index == kept) {
                mmc_store_keep(&store);
            }
            take(&store, index % PACKETS);
        }
        assert_int_equal(mmc_store_find(&store, 0) != NULL, kept == 10);
        assert_int_equal(mmc_store_find(&store, 9) != NULL, kept == 10);
        assert_in_range(store.resident, LIMIT / 2, LIMIT);
        mmc_store_free(&store);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_keeps_what_was_read),
        cmocka_unit_test(test_store_keeps_packets_that_are_not_full),
        cmocka_unit_test(test_store_keeps_what_it_is_told_to),
        cmocka_unit_test(test_store_forgets_what_was_not_used_for_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
