/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The descriptor that names the journal area and the wear ledger.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "udf/own.h"

static const struct udf_own cdrw = {.journal_lba = 2720,
                                    .journal_packets = 72,
                                    .packet_blocks = 32,
                                    .format_serial = 0x0123456789ABCDEFull,
                                    .ledger_lba = 5024 - 64,
                                    .ledger_places = 2};
static const struct udf_pd partition = {.start_lba = 5024, .blocks = 289984};

static void test_own_comes_back(void **state) {
    (void)state;
    struct udf_iuvd iuvd = {.vdsn = 7, .label = "old"};
    struct udf_own back;
    udf_own_encode(&cdrw, &iuvd);
    assert_int_equal(iuvd.vdsn, 7);
    assert_string_equal(iuvd.label, "");
    assert_int_equal(iuvd.implementation.id[0], '*');
    assert_int_equal(udf_own_decode(&iuvd, &back), 0);
    assert_int_equal(back.journal_lba, cdrw.journal_lba);
    assert_int_equal(back.journal_packets, cdrw.journal_packets);
    assert_int_equal(back.packet_blocks, cdrw.packet_blocks);
    assert_true(back.format_serial == cdrw.format_serial);
    assert_int_equal(back.ledger_lba, cdrw.ledger_lba);
    assert_int_equal(back.ledger_places, cdrw.ledger_places);
    assert_false(back.ledger_damaged);
}

static void test_own_bytes(void **state) {
    (void)state;
    struct udf_iuvd iuvd = {0};
    udf_own_encode(&cdrw, &iuvd);
    static const uint8_t expected[24] = {
        1,  0, 0, 0, 0xA0, 0x0A, 0,    0,    72,   0,    0,    0,
        32, 0, 0, 0, 0xEF, 0xCD, 0xAB, 0x89, 0x67, 0x45, 0x23, 1};
    static const uint8_t ledger[8] = {0x60, 0x13, 0, 0, 2, 0, 0, 0};
    assert_memory_equal(iuvd.use, expected, sizeof(expected));
    assert_memory_equal(iuvd.use + 28, ledger, sizeof(ledger));
    for (size_t i = 40; i < sizeof(iuvd.use); i++) {
        assert_int_equal(iuvd.use[i], 0);
    }
}

static void test_own_not_ours(void **state) {
    (void)state;
    struct udf_iuvd iuvd = {0};
    struct udf_own back;
    udf_own_encode(&cdrw, &iuvd);
    strcpy(iuvd.implementation.id, "*UDF LV Info");
    assert_int_equal(udf_own_decode(&iuvd, &back), -ENOENT);
    strcpy(iuvd.implementation.id, "*udfpkt Journal2");
    assert_int_equal(udf_own_decode(&iuvd, &back), -ENOENT);
    iuvd.implementation.id[0] = '\0';
    assert_int_equal(udf_own_decode(&iuvd, &back), -ENOENT);
}

/* Damage of what it says of the ledger leaves the journal. */
static void test_own_any_changed_bit_is_seen(void **state) {
    (void)state;
    for (int bit = 0; bit < 40 * 8; bit++) {
        struct udf_iuvd iuvd = {0};
        struct udf_own back;
        memset(&back, 0x77, sizeof(back));
        struct udf_own before = back;
        udf_own_encode(&cdrw, &iuvd);
        iuvd.use[bit / 8] = (uint8_t)(iuvd.use[bit / 8] ^ (1 << (bit % 8)));
        int error = udf_own_decode(&iuvd, &back);
        if (bit < 28 * 8) {
            assert_int_equal(error, -EUCLEAN);
            assert_memory_equal(&back, &before, sizeof(back));
        } else {
            assert_int_equal(error, 0);
            assert_true(back.ledger_damaged);
            assert_int_equal(back.ledger_places, 0);
            assert_int_equal(back.journal_lba, cdrw.journal_lba);
            assert_int_equal(back.journal_packets, cdrw.journal_packets);
            assert_int_equal(udf_own_check(&back, 295264, &partition), 0);
            assert_int_equal(udf_own_check_ledger(&back, 295264, &partition),
                             -EUCLEAN);
        }
    }
}

static void test_own_all_zero_or_ones_is_damage(void **state) {
    (void)state;
    struct udf_iuvd iuvd = {0};
    struct udf_own back;
    strcpy(iuvd.implementation.id, UDF_OWN_ID);
    assert_int_equal(udf_own_decode(&iuvd, &back), -EUCLEAN);
    memset(iuvd.use, 0xFF, sizeof(iuvd.use));
    assert_int_equal(udf_own_decode(&iuvd, &back), -EUCLEAN);
}

static void put_sum(uint8_t *use, size_t end) {
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < end; i++) {
        sum = (sum ^ use[i]) * 16777619u;
    }
    for (int i = 0; i < 4; i++) {
        use[end + (size_t)i] = (uint8_t)(sum >> (8 * i));
    }
}

/* The first 28 bytes mean the same with a ledger and without one, and stand
 * for themselves: a reader that knows of no ledger finds the journal. */
static void test_own_without_a_ledger(void **state) {
    (void)state;
    struct udf_own plain = cdrw;
    struct udf_iuvd iuvd = {0}, with = {0};
    struct udf_own back;
    plain.ledger_places = 0;
    udf_own_encode(&plain, &iuvd);
    udf_own_encode(&cdrw, &with);
    assert_memory_equal(iuvd.use, with.use, 28);
    for (size_t i = 28; i < sizeof(iuvd.use); i++) {
        assert_int_equal(iuvd.use[i], 0);
    }
    put_sum(with.use, 24);
    assert_memory_equal(iuvd.use, with.use, 28);
    assert_int_equal(udf_own_decode(&iuvd, &back), 0);
    assert_int_equal(back.journal_lba, 2720);
    assert_int_equal(back.journal_packets, 72);
    assert_int_equal(back.ledger_places, 0);
    assert_false(back.ledger_damaged);
}

static void test_own_of_a_later_version(void **state) {
    (void)state;
    struct udf_iuvd iuvd = {0};
    struct udf_own back;
    udf_own_encode(&cdrw, &iuvd);
    iuvd.use[0]++;
    put_sum(iuvd.use, 24);
    assert_int_equal(udf_own_decode(&iuvd, &back), -EOPNOTSUPP);
}

static int check(uint32_t lba, uint32_t packets, uint32_t packet_blocks,
                 uint32_t blocks) {
    struct udf_own own = {.journal_lba = lba,
                          .journal_packets = packets,
                          .packet_blocks = packet_blocks};
    return udf_own_check(&own, blocks, &partition);
}

static void test_own_check_borders(void **state) {
    (void)state;
    const uint32_t blocks = 295264;
    assert_int_equal(check(2720, 72, 32, blocks), 0);
    /* touches the partition, and one packet too long */
    assert_int_equal(check(5024 - 64, 2, 32, blocks), 0);
    assert_int_equal(check(5024 - 64, 3, 32, blocks), -EUCLEAN);
    /* behind the partition, to the device's end and past it */
    assert_int_equal(check(295008, 8, 32, blocks), 0);
    assert_int_equal(check(295008, 8, 32, blocks - 1), -EUCLEAN);
    assert_int_equal(check(294976, 1, 32, blocks), -EUCLEAN);
    /* around the whole partition */
    assert_int_equal(check(0, 9227, 32, blocks), -EUCLEAN);
    /* a count that would wrap around 32 bits */
    assert_int_equal(check(2720, 0x08000001u, 32, blocks), -EUCLEAN);
    assert_int_equal(check(0xFFFFFFE0u, 2, 32, 0xFFFFFFFFu), -EUCLEAN);
}

static int check_ledger(uint32_t lba, uint32_t places) {
    struct udf_own own = cdrw;
    own.ledger_lba = lba;
    own.ledger_places = places;
    assert_int_equal(udf_own_check(&own, 295264, &partition), 0);
    return udf_own_check_ledger(&own, 295264, &partition);
}

static void test_own_check_ledger(void **state) {
    (void)state;
    /* behind the journal, before it, and into either neighbour */
    assert_int_equal(check_ledger(5024 - 64, 2), -EUCLEAN);
    assert_int_equal(check_ledger(2720 - 64, 2), 0);
    assert_int_equal(check_ledger(2720 - 32, 2), -EUCLEAN);
    assert_int_equal(check_ledger(5024, 2), -EUCLEAN);
    assert_int_equal(check_ledger(2720 - 63, 1), -EUCLEAN);
    /* behind the partition, to the device's end and past it */
    assert_int_equal(check_ledger(295264 - 64, 2), 0);
    assert_int_equal(check_ledger(295264 - 32, 2), -EUCLEAN);
    assert_int_equal(check_ledger(0xFFFFFFE0u, 2), -EUCLEAN);
    /* more places than any disc needs; none at all, wherever that is */
    assert_int_equal(check_ledger(0, 257), -EUCLEAN);
    assert_int_equal(check_ledger(7, 0), 0);
}

static void test_own_check_packets(void **state) {
    (void)state;
    assert_int_equal(check(2720, 0, 32, 295264), -EUCLEAN);
    assert_int_equal(check(2721, 4, 32, 295264), -EUCLEAN);
    assert_int_equal(check(2736, 4, 32, 295264), -EUCLEAN);
    assert_int_equal(check(2736, 4, 16, 295264), 0);
    assert_int_equal(check(2720, 4, 0, 295264), -EUCLEAN);
    assert_int_equal(check(2720, 4, 1, 295264), -EUCLEAN);
    assert_int_equal(check(2688, 4, 128, 295264), -EUCLEAN);
    assert_int_equal(check(2720, 4, 20, 295264), -EUCLEAN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_comes_back),
        cmocka_unit_test(test_own_bytes),
        cmocka_unit_test(test_own_without_a_ledger),
        cmocka_unit_test(test_own_of_a_later_version),
        cmocka_unit_test(test_own_check_ledger),
        cmocka_unit_test(test_own_not_ours),
        cmocka_unit_test(test_own_any_changed_bit_is_seen),
        cmocka_unit_test(test_own_all_zero_or_ones_is_damage),
        cmocka_unit_test(test_own_check_borders),
        cmocka_unit_test(test_own_check_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
