/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Bitmaps against a model of one bool a bit. Word boundaries are where such
 * code breaks, so every range of three words is tried.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/bits.h"

enum { BITS = 192, WORDS = BITS / 64 };

struct model {
    uint64_t map[WORDS];
    bool bits[BITS];
};

/* A small generator: tests must not differ from run to run. */
static uint32_t random_next(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Fills the model with runs whose lengths make all kinds of words. */
static void fill(struct model *model, uint32_t seed) {
    uint32_t state = seed;
    unsigned at = 0;
    bool value = seed & 1;

    memset(model, 0, sizeof(*model));
    while (at < BITS) {
        unsigned run = 1 + random_next(&state) % (seed % 7 ? 20 : 120);

        for (; run && at < BITS; run--, at++) {
            model->bits[at] = value;
            if (value) {
                mmc_bits_set(model->map, at);
            }
        }
        value = !value;
    }
}

static void assert_same(const struct model *model) {
    for (unsigned i = 0; i < BITS; i++) {
        assert_int_equal(mmc_bits_test(model->map, i), model->bits[i]);
    }
}

static void test_bits_single(void **state) {
    struct model model;

    (void)state;
    fill(&model, 3);
    assert_same(&model);
    for (unsigned i = 0; i < BITS; i += 5) {
        mmc_bits_clear(model.map, i);
        model.bits[i] = false;
        mmc_bits_set(model.map, (i + 1) % BITS);
        model.bits[(i + 1) % BITS] = true;
        assert_same(&model);
    }
    assert_int_equal(mmc_bits_words(0), 0);
    assert_int_equal(mmc_bits_words(1), 1);
    assert_int_equal(mmc_bits_words(64), 1);
    assert_int_equal(mmc_bits_words(65), 2);
}

static void try_range(struct model *model, unsigned from, unsigned to) {
    struct model copy = *model;

    mmc_bits_set_range(copy.map, from, to);
    memset(copy.bits + from, true, to - from);
    assert_same(&copy);
    assert_int_equal(mmc_bits_count(copy.map, from, to), to - from);
    mmc_bits_clear_range(copy.map, from, to);
    memset(copy.bits + from, false, to - from);
    assert_same(&copy);
}

static void test_bits_ranges_of_every_length(void **state) {
    struct model model;

    (void)state;
    fill(&model, 11);
    for (unsigned from = 0; from <= BITS; from += 3) {
        for (unsigned to = from; to <= BITS; to++) {
            try_range(&model, from, to);
        }
    }
}

/* What the searches should find, bit by bit. */
static uint64_t model_next(const struct model *model, unsigned from,
                           unsigned to, bool value) {
    while (from < to && model->bits[from] != value) {
        from++;
    }
    return from < to ? from : to;
}

static uint64_t model_run(const struct model *model, unsigned from, unsigned to,
                          unsigned length) {
    for (; from + length <= to; from++) {
        if (model_next(model, from, from + length, false) == from + length) {
            return from;
        }
    }
    return to;
}

static void try_searches(const struct model *model, unsigned from,
                         unsigned to) {
    unsigned count = 0;

    for (unsigned i = from; i < to; i++) {
        count += model->bits[i];
    }
    assert_int_equal(mmc_bits_count(model->map, from, to), count);
    assert_int_equal(mmc_bits_next_set(model->map, from, to),
                     model_next(model, from, to, true));
    assert_int_equal(mmc_bits_next_clear(model->map, from, to),
                     model_next(model, from, to, false));
    for (unsigned length = 1; length < 140; length += 1 + length / 4) {
        assert_int_equal(mmc_bits_find_run(model->map, from, to, length),
                         model_run(model, from, to, length));
    }
}

static void test_bits_searches(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed < 30; seed++) {
        struct model model;

        fill(&model, seed);
        for (unsigned from = 0; from <= BITS; from += 7) {
            for (unsigned to = from; to <= BITS; to += 5) {
                try_searches(&model, from, to);
            }
        }
    }
}

static void test_bits_full_and_empty(void **state) {
    uint64_t map[WORDS];

    (void)state;
    memset(map, 0xFF, sizeof(map));
    assert_int_equal(mmc_bits_next_clear(map, 0, BITS), BITS);
    assert_int_equal(mmc_bits_find_run(map, 0, BITS, BITS), 0);
    assert_int_equal(mmc_bits_find_run(map, 1, BITS, BITS), BITS);
    /* A length that no map can have must not overflow. */
    assert_int_equal(mmc_bits_find_run(map, 0, BITS, UINT64_MAX), BITS);
    memset(map, 0, sizeof(map));
    assert_int_equal(mmc_bits_next_set(map, 0, BITS), BITS);
    assert_int_equal(mmc_bits_find_run(map, 0, BITS, 1), BITS);
    /* from beyond to: nothing, and nothing touched. */
    mmc_bits_set_range(map, 100, 50);
    assert_int_equal(mmc_bits_count(map, 0, BITS), 0);
    assert_int_equal(mmc_bits_count(map, 100, 50), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits_single),
        cmocka_unit_test(test_bits_ranges_of_every_length),
        cmocka_unit_test(test_bits_searches),
        cmocka_unit_test(test_bits_full_and_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
