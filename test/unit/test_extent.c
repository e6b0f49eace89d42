/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test_extent.c - extent lists and allocation descriptors. The property test
 * keeps a model beside the list, one entry a block, and compares both after
 * every step.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf/extent.h"

enum { MODEL_BLOCKS = 160, MODEL_STEPS = 20000 };

/* One block of a file as a plain array sees it. */
struct cell {
    enum udf_extent_kind kind;
    uint32_t lbn;
    uint16_t part;
};

struct model {
    struct cell cell[MODEL_BLOCKS];
    uint64_t end;
    uint64_t dropped, expected_drops; /* sums over lbn + 1 */
};

static uint32_t next_random(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static struct udf_extent extent(uint64_t block, uint32_t count,
                                enum udf_extent_kind kind, uint32_t lbn) {
    return (struct udf_extent){
        .block = block, .count = count, .kind = kind, .addr.lbn = lbn};
}

static void put(struct udf_extents *extents, struct udf_extent piece) {
    assert_int_equal(udf_extents_put(extents, &piece, NULL, NULL), 0);
}

static void count_drop(void *context, const struct udf_extent *piece) {
    struct model *model = context;

    assert_int_not_equal(piece->kind, UDF_EXTENT_HOLE);
    for (uint32_t i = 0; i < piece->count; i++) {
        model->dropped += (uint64_t)piece->addr.lbn + i + 1;
    }
}

static void model_leave(struct model *model, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to && i < model->end; i++) {
        if (model->cell[i].kind != UDF_EXTENT_HOLE) {
            model->expected_drops += (uint64_t)model->cell[i].lbn + 1;
        }
    }
}

static void model_hole(struct model *model, uint64_t to) {
    for (; model->end < to; model->end++) {
        model->cell[model->end] = (struct cell){.kind = UDF_EXTENT_HOLE};
    }
}

static void model_put(struct model *model, const struct udf_extent *piece) {
    bool hole = piece->kind == UDF_EXTENT_HOLE;

    model_leave(model, piece->block, piece->block + piece->count);
    model_hole(model, piece->block);
    for (uint32_t i = 0; i < piece->count; i++) {
        model->cell[piece->block + i] = (struct cell){
            .kind = piece->kind,
            .lbn = hole ? 0 : piece->addr.lbn + i,
            .part = hole ? 0 : piece->addr.part,
        };
    }
    if (model->end < piece->block + piece->count) {
        model->end = piece->block + piece->count;
    }
}

static void model_resize(struct model *model, uint64_t end) {
    model_leave(model, end, model->end);
    model_hole(model, end);
    model->end = end;
}

/* The header's invariants. */
static void check_invariants(const struct udf_extents *extents) {
    uint64_t block = 0;

    for (size_t i = 0; i < extents->count; i++) {
        const struct udf_extent *this = &extents->list[i];
        const struct udf_extent *next = this + 1;

        assert_int_equal(this->block, block);
        assert_true(this->count > 0);
        block += this->count;
        if (this->kind == UDF_EXTENT_HOLE) {
            assert_int_equal(this->addr.lbn, 0);
            assert_int_equal(this->addr.part, 0);
        }
        if (i + 1 < extents->count && next->kind == this->kind) {
            bool follows = next->addr.part == this->addr.part &&
                           next->addr.lbn == this->addr.lbn + this->count;

            assert_true((uint64_t)this->count + next->count > UINT32_MAX ||
                        (this->kind != UDF_EXTENT_HOLE && !follows));
        }
    }
    assert_int_equal(udf_extents_end(extents), block);
}

static void compare(const struct udf_extents *extents,
                    const struct model *model) {
    struct udf_extent piece;
    uint64_t recorded = 0;

    check_invariants(extents);
    assert_int_equal(udf_extents_end(extents), model->end);
    for (uint64_t i = 0; i < model->end; i++) {
        assert_int_equal(udf_extents_map(extents, i, &piece), 0);
        assert_int_equal(piece.block, i);
        assert_int_equal(piece.kind, model->cell[i].kind);
        assert_int_equal(piece.addr.lbn, model->cell[i].lbn);
        assert_int_equal(piece.addr.part, model->cell[i].part);
        recorded += piece.kind == UDF_EXTENT_RECORDED;
    }
    assert_int_equal(udf_extents_recorded(extents), recorded);
    assert_int_equal(udf_extents_map(extents, model->end, &piece), -ENOENT);
    assert_int_equal(model->dropped, model->expected_drops);
}

static void test_extent_follows_model(void **state) {
    struct udf_extents extents = {0};
    struct model model = {0};
    uint64_t seed = 1;

    (void)state;
    for (int step = 0; step < MODEL_STEPS; step++) {
        if (next_random(&seed) % 8 == 0) {
            uint64_t end = next_random(&seed) % (MODEL_BLOCKS + 1);

            model_resize(&model, end);
            assert_int_equal(
                udf_extents_resize(&extents, end, count_drop, &model), 0);
        } else {
            uint32_t block = next_random(&seed) % MODEL_BLOCKS;
            uint32_t room = MODEL_BLOCKS - block;
            /* Few addresses, so that neighbours often join. */
            struct udf_extent piece = {
                .block = block,
                .count = 1 + next_random(&seed) % (room < 12 ? room : 12),
                .kind = next_random(&seed) % 3,
                .addr.lbn = 1000 * (next_random(&seed) % 2) + block,
                .addr.part = (uint16_t)(next_random(&seed) % 2),
            };

            model_put(&model, &piece);
            assert_int_equal(
                udf_extents_put(&extents, &piece, count_drop, &model), 0);
        }
        compare(&extents, &model);
    }
    udf_extents_free(&extents);
    assert_int_equal(udf_extents_end(&extents), 0);
}

static void test_extent_joins_up_to_count_limit(void **state) {
    struct udf_extents extents = {0};
    struct udf_extent piece;

    (void)state;
    put(&extents, extent(0, UINT32_MAX - 1, UDF_EXTENT_RECORDED, 0));
    put(&extents,
        extent(UINT32_MAX - 1, 1, UDF_EXTENT_RECORDED, UINT32_MAX - 1));
    assert_int_equal(extents.count, 1);
    assert_int_equal(extents.list[0].count, UINT32_MAX);
    /* The address goes on, but the count cannot. */
    put(&extents, extent(UINT32_MAX, 1, UDF_EXTENT_RECORDED, UINT32_MAX));
    assert_int_equal(extents.count, 2);
    check_invariants(&extents);
    assert_int_equal(udf_extents_map(&extents, UINT32_MAX, &piece), 0);
    assert_int_equal(piece.addr.lbn, UINT32_MAX);
    assert_int_equal(udf_extents_recorded(&extents), (uint64_t)UINT32_MAX + 1);
    udf_extents_free(&extents);
}

static void test_extent_long_hole_is_several(void **state) {
    struct udf_extents extents = {0};
    uint64_t far = 3 * (uint64_t)UINT32_MAX + 7;

    (void)state;
    put(&extents, extent(far, 1, UDF_EXTENT_ALLOCATED, 5));
    check_invariants(&extents);
    assert_int_equal(extents.count, 5);
    assert_int_equal(udf_extents_end(&extents), far + 1);
    assert_int_equal(udf_extents_resize(&extents, UINT32_MAX, NULL, NULL), 0);
    assert_int_equal(extents.count, 1);
    assert_int_equal(udf_extents_resize(&extents, 0, NULL, NULL), 0);
    assert_int_equal(extents.count, 0);
    assert_int_equal(udf_extents_resize(&extents, far, NULL, NULL), 0);
    check_invariants(&extents);
    assert_int_equal(udf_extents_end(&extents), far);
    udf_extents_free(&extents);
}

/* What is left of a cut hole joins the hole before it. */
static void test_extent_cut_hole_joins_back(void **state) {
    struct udf_extents extents = {0};
    uint64_t most = UINT32_MAX;

    (void)state;
    assert_int_equal(udf_extents_resize(&extents, most - 1, NULL, NULL), 0);
    put(&extents, extent(most - 1, 4, UDF_EXTENT_RECORDED, 9));
    put(&extents, extent(most - 1, 4, UDF_EXTENT_HOLE, 77));
    check_invariants(&extents);
    assert_int_equal(extents.count, 2);
    assert_int_equal(udf_extents_resize(&extents, most, NULL, NULL), 0);
    check_invariants(&extents);
    assert_int_equal(extents.count, 1);
    udf_extents_free(&extents);
}

/* ---- allocation descriptors -------------------------------------------- */

static void set_ad(uint8_t *raw, uint32_t length, uint32_t lbn) {
    for (int i = 0; i < 4; i++) {
        raw[i] = (uint8_t)(length >> (8 * i));
        raw[4 + i] = (uint8_t)(lbn >> (8 * i));
    }
}

/* A file whose list is all that is read, whatever its length. */
static struct udf_ads reader(enum udf_ad_form form, uint16_t part,
                             struct udf_extents *extents) {
    return (struct udf_ads){
        .form = form,
        .part = part,
        .info_bytes = UINT64_MAX,
        .extents = extents,
    };
}

static void test_extent_decode_short(void **state) {
    struct udf_extents extents = {0};
    struct udf_ads ads = reader(UDF_AD_SHORT, 3, &extents);
    uint8_t raw[40] = {0};

    (void)state;
    set_ad(raw, 4096, 10);
    set_ad(raw + 8, 2048, 12);
    set_ad(raw + 16, 0x80000000u | 6144, 99); /* a hole's address is nothing */
    set_ad(raw + 24, 0x40000000u | 100, 50);
    assert_int_equal(udf_ads_decode(&ads, raw, sizeof(raw)), 0);
    assert_false(ads.more);
    check_invariants(&extents);
    assert_int_equal(extents.count, 3);
    assert_int_equal(extents.list[0].count, 3);
    assert_int_equal(extents.list[0].addr.part, 3);
    assert_int_equal(extents.list[1].kind, UDF_EXTENT_HOLE);
    assert_int_equal(extents.list[2].count, 1);
    assert_int_equal(extents.list[2].kind, UDF_EXTENT_ALLOCATED);
    udf_extents_free(&extents);
}

static void test_extent_decode_stops_at_continuation(void **state) {
    struct udf_extents extents = {0};
    struct udf_ads ads = reader(UDF_AD_LONG, 0, &extents);
    uint8_t raw[48] = {0};

    (void)state;
    set_ad(raw, 2048, 10);
    raw[8] = 1;
    udf_ad_encode_next(UDF_AD_LONG, &(struct udf_addr){.lbn = 7, .part = 2},
                       raw + 16);
    set_ad(raw + 32, 2048, 11); /* behind it: not part of the list */
    assert_int_equal(udf_ads_decode(&ads, raw, sizeof(raw)), 0);
    assert_true(ads.more);
    assert_int_equal(ads.next.lbn, 7);
    assert_int_equal(ads.next.part, 2);
    assert_int_equal(udf_extents_end(&extents), 1);
    assert_int_equal(extents.list[0].addr.part, 1);
    udf_extents_free(&extents);
}

/* A zero length ends a list that is complete, and no other. */
static void test_extent_decode_zero_lengths(void **state) {
    struct udf_extents extents = {0};
    struct udf_ads ads = reader(UDF_AD_SHORT, 0, &extents);
    uint8_t raw[40] = {0};

    (void)state;
    set_ad(raw, 2048, 10);
    set_ad(raw + 16, 2048, 20);
    set_ad(raw + 32, 2048, 30);
    ads.info_bytes = 4000;
    assert_int_equal(udf_ads_decode(&ads, raw, sizeof(raw)), 0);
    assert_int_equal(udf_extents_end(&extents), 2);
    assert_int_equal(extents.list[1].addr.lbn, 20);
    udf_extents_free(&extents);
    ads.info_bytes = 2048;
    assert_int_equal(udf_ads_decode(&ads, raw, sizeof(raw)), 0);
    assert_int_equal(udf_extents_end(&extents), 1);
    udf_extents_free(&extents);
}

static void set_extended_ad(uint8_t *raw, uint32_t length, uint32_t recorded,
                            uint32_t info, uint32_t lbn) {
    set_ad(raw, length, recorded);
    set_ad(raw + 8, info, lbn);
    raw[16] = 2; /* partition */
}

static void test_extent_decode_extended(void **state) {
    struct udf_extents extents = {0};
    struct udf_ads ads = reader(UDF_AD_EXTENDED, 0, &extents);
    uint8_t raw[60] = {0};

    (void)state;
    set_extended_ad(raw, 4096, 4096, 4096, 10);
    set_extended_ad(raw + 20, 0x80000000u | 2048, 0, 0, 0);
    set_extended_ad(raw + 40, 4096, 100, 100, 77);
    assert_int_equal(udf_ads_decode(&ads, raw, sizeof(raw)), 0);
    check_invariants(&extents);
    assert_int_equal(extents.count, 3);
    assert_int_equal(extents.list[0].addr.part, 2);
    assert_int_equal(extents.list[2].addr.lbn, 77);
    assert_int_equal(extents.list[2].count, 2);
    udf_extents_free(&extents);
    /* Compressed content, and less content than room before the last. */
    set_extended_ad(raw, 4096, 2000, 4096, 10);
    assert_int_equal(udf_ads_decode(&ads, raw, sizeof(raw)), -EUCLEAN);
    set_extended_ad(raw, 4096, 2048, 2048, 10);
    ads.odd = false;
    assert_int_equal(udf_ads_decode(&ads, raw, sizeof(raw)), -EUCLEAN);
    assert_int_equal(extents.count, 0);
    udf_extents_free(&extents);
}

static void test_extent_decode_odd_length_only_at_end(void **state) {
    struct udf_extents extents = {0};
    struct udf_ads ads = reader(UDF_AD_SHORT, 0, &extents);
    uint8_t raw[24];

    (void)state;
    put(&extents, extent(0, 2, UDF_EXTENT_RECORDED, 98));
    set_ad(raw, 2048, 100);
    set_ad(raw + 8, 100, 101);
    set_ad(raw + 16, 2048, 110);
    assert_int_equal(udf_ads_decode(&ads, raw, 24), -EUCLEAN);
    /* Nothing of the bad area stays, although it had joined. */
    assert_int_equal(extents.count, 1);
    assert_int_equal(extents.list[0].count, 2);
    /* A file tail may follow. ECMA-167 4/12.1 */
    set_ad(raw + 16, 0x40000000u | 2048, 110);
    ads.odd = false;
    assert_int_equal(udf_ads_decode(&ads, raw, 24), 0);
    assert_int_equal(udf_extents_end(&extents), 5);
    udf_extents_free(&extents);
    /* The end of one area and the beginning of the next are neighbours. */
    ads.odd = false;
    assert_int_equal(udf_ads_decode(&ads, raw, 16), 0);
    set_ad(raw, 2048, 200);
    assert_int_equal(udf_ads_decode(&ads, raw, 8), -EUCLEAN);
    udf_extents_free(&extents);
}

static void test_extent_decode_refuses_hostile(void **state) {
    struct udf_extents extents = {0};
    struct udf_ads ads = reader(UDF_AD_SHORT, 0, &extents);
    uint8_t *raw = calloc(1u << 20, 16);

    (void)state;
    assert_non_null(raw);
    set_ad(raw, 4096, 0xFFFFFFFFu); /* wraps round */
    assert_int_equal(udf_ads_decode(&ads, raw, 8), -EUCLEAN);
    /* Half a descriptor at the end is no descriptor. */
    set_ad(raw, 2048, 5);
    set_ad(raw + 8, 2048, 9);
    assert_int_equal(udf_ads_decode(&ads, raw, 15), 0);
    assert_int_equal(udf_extents_end(&extents), 1);
    /* Holes without end: 2^21 of them would be 2^40 blocks. */
    for (uint32_t i = 0; i < 1u << 20; i++) {
        set_ad(raw + 8 * (size_t)i, 0x80000000u | UDF_EXTENT_BYTES_MAX, 0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(udf_ads_decode(&ads, raw, 8u << 20), 0);
    }
    assert_int_equal(udf_ads_decode(&ads, raw, 8u << 20), -EUCLEAN);
    free(raw);
    udf_extents_free(&extents);
}

/* Encodes through a small window, as a chain of AEDs does, and reads back. */
static void round_trip(enum udf_ad_form form, const struct udf_extents *list,
                       uint64_t info_bytes) {
    struct udf_extents back = {0};
    struct udf_ads ads = reader(form, 4, &back);
    struct udf_ad_cursor cursor = {0};
    uint64_t total = 0;
    uint8_t raw[50];

    do {
        uint32_t bytes =
            udf_ads_encode(form, list, info_bytes, &cursor, raw, sizeof(raw));

        assert_true(bytes <= sizeof(raw));
        assert_true(bytes > 0 || cursor.index == list->count);
        assert_int_equal(udf_ads_decode(&ads, raw, bytes), 0);
        assert_false(ads.more);
        total += bytes;
    } while (cursor.index < list->count);
    assert_int_equal(total, udf_ads_bytes(form, list, info_bytes));
    check_invariants(&back);
    assert_int_equal(back.count, list->count);
    for (size_t i = 0; i < back.count; i++) {
        assert_int_equal(back.list[i].block, list->list[i].block);
        assert_int_equal(back.list[i].count, list->list[i].count);
        assert_int_equal(back.list[i].kind, list->list[i].kind);
        assert_int_equal(back.list[i].addr.lbn, list->list[i].addr.lbn);
        assert_int_equal(back.list[i].addr.part, list->list[i].addr.part);
    }
    udf_extents_free(&back);
}

static void test_extent_encode_round_trip(void **state) {
    struct udf_extents extents = {0};
    uint32_t most = UDF_EXTENT_BYTES_MAX / UDF_BLOCK_BYTES;
    struct udf_extent piece = extent(0, 2 * most + 3, UDF_EXTENT_RECORDED, 50);
    uint64_t blocks;

    (void)state;
    piece.addr.part = 4;
    put(&extents, piece);
    piece = extent(udf_extents_end(&extents) + 5, most, UDF_EXTENT_ALLOCATED,
                   0xFFFFFFFFu - most);
    piece.addr.part = 4;
    put(&extents, piece);
    piece = extent(udf_extents_end(&extents), 1, UDF_EXTENT_RECORDED, 7);
    piece.addr.part = 4;
    put(&extents, piece);
    blocks = udf_extents_end(&extents);
    assert_int_equal(
        udf_ads_bytes(UDF_AD_SHORT, &extents, blocks * UDF_BLOCK_BYTES), 6 * 8);
    round_trip(UDF_AD_SHORT, &extents, blocks * UDF_BLOCK_BYTES);
    round_trip(UDF_AD_LONG, &extents, blocks * UDF_BLOCK_BYTES - 2047);
    udf_extents_free(&extents);
}

static void test_extent_encode_cuts_last_length(void **state) {
    struct udf_extents extents = {0};
    struct udf_ad_cursor cursor = {0};
    uint8_t raw[16];

    (void)state;
    put(&extents, extent(0, 3, UDF_EXTENT_RECORDED, 50));
    assert_int_equal(udf_ads_encode(UDF_AD_LONG, &extents, 2 * 2048 + 5,
                                    &cursor, raw, sizeof(raw)),
                     16);
    assert_int_equal(raw[0] | raw[1] << 8, 2 * 2048 + 5);
    /* Of what lies behind the file only what is allocated is written. */
    put(&extents, extent(3, 1, UDF_EXTENT_RECORDED, 70));
    cursor = (struct udf_ad_cursor){0};
    assert_int_equal(udf_ads_encode(UDF_AD_SHORT, &extents, 2 * 2048 + 5,
                                    &cursor, raw, sizeof(raw)),
                     8);
    udf_extents_free(&extents);
}

static uint32_t length_at(const uint8_t *raw) {
    return raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16 |
           (uint32_t)raw[3] << 24;
}

static void test_extent_encode_gives_the_tail_descriptors(void **state) {
    struct udf_extents extents = {0};
    struct udf_ad_cursor cursor = {0};
    uint64_t info_bytes = 2 * 2048 + 5;
    uint32_t allocated = (uint32_t)UDF_EXTENT_ALLOCATED << 30;
    uint8_t raw[64];

    (void)state;
    /* The third block belongs to the body, the others to the tail; the hole
     * between has no form there. */
    put(&extents, extent(0, 2, UDF_EXTENT_RECORDED, 50));
    put(&extents, extent(2, 4, UDF_EXTENT_ALLOCATED, 70));
    put(&extents, extent(6, 3, UDF_EXTENT_HOLE, 0));
    put(&extents, extent(9, 1, UDF_EXTENT_ALLOCATED, 90));
    assert_int_equal(udf_ads_bytes(UDF_AD_SHORT, &extents, info_bytes), 32);
    assert_int_equal(udf_ads_encode(UDF_AD_SHORT, &extents, info_bytes, &cursor,
                                    raw, sizeof(raw)),
                     32);
    assert_int_equal(length_at(raw), 2 * 2048);
    assert_int_equal(length_at(raw + 8), allocated | 5);
    assert_int_equal(length_at(raw + 12), 70);
    assert_int_equal(length_at(raw + 16), allocated | 3 * 2048);
    assert_int_equal(length_at(raw + 20), 71);
    assert_int_equal(length_at(raw + 24), allocated | 2048);
    assert_int_equal(length_at(raw + 28), 90);
    udf_extents_free(&extents);
}

static void test_extent_turn_keeps_the_blocks(void **state) {
    struct udf_extents extents = {0};
    struct udf_extent piece;

    (void)state;
    put(&extents, extent(0, 4, UDF_EXTENT_RECORDED, 50));
    put(&extents, extent(4, 2, UDF_EXTENT_HOLE, 0));
    put(&extents, extent(6, 4, UDF_EXTENT_RECORDED, 60));
    assert_int_equal(udf_extents_turn(&extents, 3, 8, UDF_EXTENT_RECORDED,
                                      UDF_EXTENT_ALLOCATED),
                     0);
    check_invariants(&extents);
    assert_int_equal(udf_extents_recorded(&extents), 3 + 2);
    assert_int_equal(udf_extents_allocated(&extents), 1 + 2);
    assert_int_equal(udf_extents_map(&extents, 7, &piece), 0);
    assert_int_equal(piece.kind, UDF_EXTENT_ALLOCATED);
    assert_int_equal(piece.addr.lbn, 61);
    assert_int_equal(udf_extents_turn(&extents, 0, 10, UDF_EXTENT_ALLOCATED,
                                      UDF_EXTENT_RECORDED),
                     0);
    check_invariants(&extents);
    assert_int_equal(extents.count, 3);
    udf_extents_free(&extents);
}

static void test_extent_before_passes_over_holes(void **state) {
    struct udf_extents extents = {0};
    struct udf_extent before;

    (void)state;
    assert_int_equal(udf_extents_before(&extents, 9, &before), -ENOENT);
    put(&extents, extent(3, 4, UDF_EXTENT_RECORDED, 50));
    assert_int_equal(udf_extents_before(&extents, 2, &before), -ENOENT);
    assert_int_equal(udf_extents_before(&extents, 7, &before), 0);
    assert_true(before.block == 3 && before.count == 4);
    put(&extents, extent(20, 1, UDF_EXTENT_RECORDED, 80));
    assert_int_equal(udf_extents_before(&extents, 12, &before), 0);
    assert_true(before.block == 3 && before.addr.lbn == 50);
    assert_int_equal(udf_extents_resize(&extents, 30, NULL, NULL), 0);
    assert_int_equal(udf_extents_before(&extents, 25, &before), 0);
    assert_true(before.block == 20 && before.addr.lbn == 80);
    udf_extents_free(&extents);
}

static void test_extent_encode_nothing(void **state) {
    struct udf_extents extents = {0};
    struct udf_ad_cursor cursor = {0};
    uint8_t raw[8] = {0};

    (void)state;
    assert_int_equal(udf_ads_encode(UDF_AD_SHORT, &extents, 0, &cursor, raw, 8),
                     0);
    put(&extents, extent(0, 1, UDF_EXTENT_RECORDED, 1));
    assert_int_equal(
        udf_ads_encode(UDF_AD_SHORT, &extents, 2048, &cursor, raw, 7), 0);
    assert_int_equal(cursor.index, 0);
    udf_extents_free(&extents);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extent_follows_model),
        cmocka_unit_test(test_extent_joins_up_to_count_limit),
        cmocka_unit_test(test_extent_long_hole_is_several),
        cmocka_unit_test(test_extent_cut_hole_joins_back),
        cmocka_unit_test(test_extent_decode_short),
        cmocka_unit_test(test_extent_decode_stops_at_continuation),
        cmocka_unit_test(test_extent_decode_zero_lengths),
        cmocka_unit_test(test_extent_decode_extended),
        cmocka_unit_test(test_extent_decode_odd_length_only_at_end),
        cmocka_unit_test(test_extent_decode_refuses_hostile),
        cmocka_unit_test(test_extent_encode_round_trip),
        cmocka_unit_test(test_extent_encode_cuts_last_length),
        cmocka_unit_test(test_extent_encode_gives_the_tail_descriptors),
        cmocka_unit_test(test_extent_turn_keeps_the_blocks),
        cmocka_unit_test(test_extent_before_passes_over_holes),
        cmocka_unit_test(test_extent_encode_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
