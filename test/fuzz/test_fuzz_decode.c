/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/fuzz/test_fuzz_decode.c - damaged blocks of every rare image, and
 * rubbish in the shape of replies, to every pure decoder. The same damage with
 * every run; UDFPKT_FUZZ_DECODE sets the rounds. test/fuzz/libfuzzer.c goes on
 * where this ends.
 */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/rare/rare.h"
#include "test/support/fuzz_decode.h"
#include "test/support/mutate.h"

enum {
    BYTES = 2048,
    CORPUS_MAX = 4000,
    ROUNDS = 40000,
    REPLY_MAX = 600,
    LARGE = 100000 /* blocks of an image that is not searched */
};

struct corpus {
    uint32_t count;
    uint8_t (*block)[BYTES];
    uint32_t *lbn;
};

static bool is_empty(const uint8_t *block) {
    return block[0] == 0 && memcmp(block, block + 1, BYTES - 1) == 0;
}

/* Keeps the blocks of an image that have a tag. */
static void collect(struct corpus *corpus, struct memdev *mem) {
    uint32_t blocks = memdev_device(mem)->geometry.blocks;

    for (uint32_t lba = 0; lba < blocks && blocks < LARGE; lba++) {
        const uint8_t *block = memdev_medium(mem, lba);

        if (is_empty(block) || block[5] != 0 || corpus->count >= CORPUS_MAX) {
            continue;
        }
        memcpy(corpus->block[corpus->count], block, BYTES);
        memcpy(&corpus->lbn[corpus->count], block + 12, 4);
        corpus->count++;
    }
}

static int make_corpus(void **state) {
    struct corpus *corpus = calloc(1, sizeof(*corpus));
    size_t count;
    const struct rare *all = rare_all(&count);

    assert_non_null(corpus);
    corpus->block = calloc(CORPUS_MAX, BYTES);
    corpus->lbn = calloc(CORPUS_MAX, sizeof(*corpus->lbn));
    assert_non_null(corpus->block);
    assert_non_null(corpus->lbn);
    for (size_t i = 0; i < count; i++) {
        struct memdev *mem = all[i].make();

        collect(corpus, mem);
        memdev_free(mem);
    }
    assert_true(corpus->count > 500);
    *state = corpus;
    return 0;
}

static int free_corpus(void **state) {
    struct corpus *corpus = *state;

    free(corpus->block);
    free(corpus->lbn);
    free(corpus);
    return 0;
}

/* The blocks as they are: decoders that take nothing would pass all else. */
static void test_fuzz_decode_sound_blocks(void **state) {
    const struct corpus *corpus = *state;

    for (uint32_t i = 0; i < corpus->count; i++) {
        fuzz_decode_block(corpus->block[i], le32toh(corpus->lbn[i]));
    }
}

static void test_fuzz_decode_damaged_blocks(void **state) {
    const struct corpus *corpus = *state;
    uint32_t rounds = mutate_rounds("UDFPKT_FUZZ_DECODE", ROUNDS);
    struct mutate mutate = {.state = 1};

    for (uint32_t i = 0; i < rounds; i++) {
        uint32_t chosen = mutate_next(&mutate, corpus->count);
        uint8_t block[BYTES];

        memcpy(block, corpus->block[chosen], BYTES);
        mutate_block(&mutate, block);
        fuzz_decode_block(block, le32toh(corpus->lbn[chosen]));
    }
    printf("%u damaged blocks of %u\n", rounds, corpus->count);
}

/* Replies begin with lengths and small numbers, and end anywhere. */
static void test_fuzz_decode_replies(void **state) {
    uint32_t rounds = mutate_rounds("UDFPKT_FUZZ_DECODE", ROUNDS);
    struct mutate mutate = {.state = 2};

    (void)state;
    for (uint32_t i = 0; i < rounds; i++) {
        uint8_t reply[REPLY_MAX];
        uint32_t len = mutate_next(&mutate, REPLY_MAX + 1);

        for (uint32_t k = 0; k < len; k++) {
            reply[k] = mutate_next(&mutate, 3)
                           ? (uint8_t)mutate_next(&mutate, 9)
                           : (uint8_t)mutate_next(&mutate, 256);
        }
        if (len > 0) {
            mutate_bytes(&mutate, reply, len);
        }
        if (len > 0 && mutate_next(&mutate, 4) == 0) {
            reply[0] = 0x70 + (uint8_t)mutate_next(&mutate, 4); /* sense */
        }
        fuzz_decode_reply(reply, len);
    }
    printf("%u replies\n", rounds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fuzz_decode_sound_blocks),
        cmocka_unit_test(test_fuzz_decode_damaged_blocks),
        cmocka_unit_test(test_fuzz_decode_replies),
    };

    return cmocka_run_group_tests(tests, make_corpus, free_corpus);
}
