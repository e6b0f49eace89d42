/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Replies as drives give them, and as they must not harm anybody: cut short
 * at every byte, with lengths that lie. Each decoder is fed from a heap copy
 * of exactly the bytes that it may read, so that a sanitizer sees one too
 * many.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/cdb.h"
#include "mmc/reply.h"

/* Any decoder with its result type hidden. */
typedef int decoder(const uint8_t *reply, size_t len, void *out);

/* Runs `decode` on the first `len` bytes in a buffer of that size. */
static int decode_exactly(decoder *decode, const uint8_t *reply, size_t len,
                          void *out) {
    uint8_t *copy = malloc(len ? len : 1);
    int result;

    assert_non_null(copy);
    memcpy(copy, reply, len);
    result = decode(copy, len, out);
    free(copy);
    return result;
}

/* Every reply shorter than `least` is refused without a touch on the result,
 * every longer one is decoded. */
static void try_lengths(decoder *decode, const uint8_t *reply, size_t len,
                        size_t least) {
    static uint8_t out[8192], before[8192];

    memset(before, 0x5A, sizeof(before));
    for (size_t n = 0; n <= len; n++) {
        int result;

        memcpy(out, before, sizeof(out));
        result = decode_exactly(decode, reply, n, out);
        assert_int_equal(result, n < least ? -EPROTO : 0);
        if (result < 0) {
            assert_memory_equal(out, before, sizeof(out));
        }
    }
}

/* Random bytes must neither crash nor make up a result outside its type. */
static void try_noise(decoder *decode) {
    static uint8_t out[8192];
    uint32_t state = 1;

    for (unsigned round = 0; round < 4000; round++) {
        uint8_t reply[128];
        size_t len = round % (sizeof(reply) + 1);
        int result;

        for (size_t i = 0; i < len; i++) {
            state = state * 1664525u + 1013904223u;
            reply[i] = (uint8_t)(state >> 24);
        }
        /* Lengths that fit are what brings a decoder further in. */
        if (round % 3 == 0 && len > 2) {
            reply[0] = 0;
            reply[1] = (uint8_t)len;
        }
        result = decode_exactly(decode, reply, len, out);
        assert_true(result == 0 || result == -EPROTO);
    }
}

/* Adapters: a function pointer must be called through its own type. */
#define ADAPT(name, type)                                                      \
    static int name(const uint8_t *reply, size_t len, void *out) {             \
        return mmc_reply_##name(reply, len, (struct type *)out);               \
    }
ADAPT(inquiry, mmc_inquiry)
ADAPT(configuration, mmc_configuration)
ADAPT(disc_information, mmc_disc_information)
ADAPT(track_information, mmc_track_information)
ADAPT(format_capacities, mmc_format_capacities)
ADAPT(capacity, mmc_capacity)
ADAPT(event, mmc_event)
ADAPT(write_speeds, mmc_write_speeds)
ADAPT(toc, mmc_toc)
ADAPT(toc_sessions, mmc_toc_sessions)
ADAPT(atip, mmc_atip)
ADAPT(buffer_capacity, mmc_buffer_capacity)
ADAPT(write_protection, mmc_write_protection)

static void test_reply_noise(void **state) {
    static decoder *const all[] = {inquiry,
                                   configuration,
                                   disc_information,
                                   track_information,
                                   format_capacities,
                                   capacity,
                                   event,
                                   write_speeds,
                                   toc,
                                   toc_sessions,
                                   atip,
                                   buffer_capacity,
                                   write_protection};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        try_noise(all[i]);
    }
}

static void test_reply_inquiry(void **state) {
    static const char reply[] = "\x05\x80\x05\x32\x1F\0\0\0"
                                "HL-DT-ST"
                                "BD-RE\x01 BH16NS40 "
                                "1.0\0";
    struct mmc_inquiry out;

    (void)state;
    try_lengths(inquiry, (const uint8_t *)reply, 36, 36);
    assert_int_equal(mmc_reply_inquiry((const uint8_t *)reply, 36, &out), 0);
    assert_int_equal(out.device_type, MMC_DEVICE_TYPE_MMC);
    assert_true(out.removable);
    assert_string_equal(out.vendor, "HL-DT-ST");
    assert_string_equal(out.product, "BD-RE? BH16NS40");
    assert_string_equal(out.revision, "1.0");
}

static void test_reply_inquiry_without_names(void **state) {
    uint8_t reply[36] = {0x1F}; /* 1Fh: no such unit */
    struct mmc_inquiry out;

    (void)state;
    memset(reply + 8, ' ', 28);
    reply[8] = 0;
    assert_int_equal(mmc_reply_inquiry(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.device_type, 0x1F);
    assert_string_equal(out.vendor, ""); /* a zero, then blanks */
    assert_string_equal(out.product, "");
}

/* Profile list, random writable (current), restricted overwrite (not). */
static const uint8_t features[] = {
    0,    0,    0,    40, 0,    0,    0x00, 0x1A,             /* header */
    0x00, 0x00, 0x03, 4,  0x00, 0x1A, 0x01, 0,                /* profiles */
    0x00, 0x20, 0x05, 12, 0,    0x23, 0x05, 0x3F, 0, 0, 8, 0, /* random */
    0,    16,   1,    0,                                      /* ... */
    0x00, 0x26, 0x00, 0,                                      /* restricted */
    0x01, 0x07, 0x11, 4,  0x1F, 0,    0,    0};               /* streaming */

static void test_reply_configuration(void **state) {
    struct mmc_configuration out;
    struct mmc_feature feature;

    (void)state;
    try_lengths(configuration, features, sizeof(features), 8);
    assert_int_equal(mmc_reply_configuration(features, sizeof(features), &out),
                     0);
    assert_int_equal(out.profile, 0x1A);
    assert_int_equal(
        mmc_feature_find(&out, MMC_FEATURE_RANDOM_WRITABLE, &feature), 0);
    assert_true(feature.current);
    assert_false(feature.persistent);
    assert_int_equal(feature.version, 1);
    assert_int_equal(feature.data_len, 12);
    assert_int_equal(feature.data[9], 16);
    assert_true(mmc_feature_is_current(&out, MMC_FEATURE_PROFILE_LIST));
    assert_int_equal(
        mmc_feature_find(&out, MMC_FEATURE_RESTRICTED_OVERWRITE, &feature), 0);
    assert_int_equal(feature.data_len, 0);
    assert_false(
        mmc_feature_is_current(&out, MMC_FEATURE_RESTRICTED_OVERWRITE));
    assert_int_equal(mmc_feature_find(&out, MMC_FEATURE_MRW, &feature),
                     -ENOENT);
    assert_false(mmc_feature_is_current(&out, MMC_FEATURE_MRW));
}

/* The header says 40 bytes follow: what lies behind is not the reply's. */
static void test_reply_configuration_ends_where_it_says(void **state) {
    uint8_t reply[sizeof(features) + 4];
    struct mmc_configuration out;
    struct mmc_feature feature;

    (void)state;
    memcpy(reply, features, sizeof(features));
    memcpy(reply + sizeof(features), "\x00\x28\x01\x00", 4);
    reply[3] = sizeof(features) - 4;
    assert_int_equal(mmc_reply_configuration(reply, sizeof(reply), &out), 0);
    assert_int_equal(mmc_feature_find(&out, MMC_FEATURE_MRW, &feature),
                     -ENOENT);
    reply[3] = 0; /* as if nothing followed */
    assert_int_equal(mmc_reply_configuration(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.len, 0);
    memset(reply, 0xFF, 4); /* longer than anything */
    assert_int_equal(mmc_reply_configuration(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.len, sizeof(reply) - 8);
}

static void test_reply_feature_cut_off(void **state) {
    struct mmc_configuration out = {.len = 8};
    struct mmc_feature feature;
    struct mmc_feature_iter iter;

    (void)state;
    memcpy(out.features, "\x00\x26\x01\x00\x00\x20\x01\x0C", 8);
    iter = mmc_feature_begin(&out);
    assert_true(mmc_feature_next(&iter, &feature));
    assert_int_equal(feature.code, MMC_FEATURE_RESTRICTED_OVERWRITE);
    assert_false(mmc_feature_next(&iter, &feature));
    assert_false(mmc_feature_next(&iter, &feature)); /* and stays there */
    /* A full buffer whose last descriptor reaches beyond it. */
    memset(out.features, 0, sizeof(out.features));
    out.len = sizeof(out.features);
    out.features[sizeof(out.features) - 1] = 1;
    iter = mmc_feature_begin(&out);
    for (size_t i = 0; i < sizeof(out.features) / 4 - 1; i++) {
        assert_true(mmc_feature_next(&iter, &feature));
    }
    assert_false(mmc_feature_next(&iter, &feature));
}

static void test_reply_configuration_larger_than_kept(void **state) {
    static uint8_t reply[MMC_CONFIGURATION_MAX + 100];
    struct mmc_configuration out;

    (void)state;
    memset(reply, 0, sizeof(reply));
    reply[2] = (sizeof(reply) - 4) >> 8;
    reply[3] = (sizeof(reply) - 4) & 0xFF;
    assert_int_equal(mmc_reply_configuration(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.len, MMC_CONFIGURATION_MAX);
}

/* A formatted CD-RW of 79:59:74. */
static const uint8_t disc[] = {
    0,  32, 0x1E, 1, 1,  1,  1,  0x20, 0x00, 0, 0, 0, 0, 0, 0, 0, 0,
    97, 34, 23,   0, 79, 59, 74, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0};

static void test_reply_disc_information(void **state) {
    struct mmc_disc_information out;

    (void)state;
    try_lengths(disc_information, disc, sizeof(disc), 24);
    assert_int_equal(mmc_reply_disc_information(disc, sizeof(disc), &out), 0);
    assert_int_equal(out.status, MMC_DISC_STATUS_COMPLETE);
    assert_int_equal(out.last_session, MMC_SESSION_COMPLETE);
    assert_int_equal(out.background, MMC_BACKGROUND_NONE);
    assert_true(out.erasable);
    assert_true(out.unrestricted);
    assert_false(out.dirty);
    assert_int_equal(out.sessions, 1);
    assert_int_equal(out.last_track_last_session, 1);
    assert_int_equal(out.disc_type, 0);
    assert_true(out.lead_out_valid);
    assert_int_equal(out.lead_out_lba, 359849);
    assert_int_equal(out.opc_entries, 0);
}

static void test_reply_disc_information_fields(void **state) {
    uint8_t reply[34 + 2 * 8] = {0, sizeof(reply) - 2};
    struct mmc_disc_information out;

    (void)state;
    reply[4] = 2;
    reply[7] = 0x06; /* dirty, background format running */
    reply[9] = 1;
    reply[10] = 2;
    reply[11] = 3;
    memset(reply + 16, 0xFF, 8);
    reply[33] = 9; /* tables, of which two came */
    assert_int_equal(mmc_reply_disc_information(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.sessions, 0x102);
    assert_int_equal(out.first_track_last_session, 0x200);
    assert_int_equal(out.last_track_last_session, 0x300);
    assert_int_equal(out.background, MMC_BACKGROUND_RUNNING);
    assert_true(out.dirty);
    assert_false(out.lead_out_valid);
    assert_int_equal(out.opc_entries, 2);
    reply[2] = 0x20; /* track resources instead */
    assert_int_equal(mmc_reply_disc_information(reply, sizeof(reply), &out),
                     -EPROTO);
}

static const uint8_t track[] = {
    0,    46,   1,    1,    0, 0x05, 0x71, 0x03, 0, 0, 0, 0, /* 0-11 */
    0,    0,    1,    0,    0, 0,    2,    0,    0, 0, 0, 32,
    0x00, 0x04, 0x81, 0x60, 0, 0,    0,    0xFF, 1, 2, 0, 0, /* 24-35 */
    0,    0,    0,    0,    0, 0,    0,    0,    0, 0, 0, 0};

static void test_reply_track_information(void **state) {
    struct mmc_track_information out;

    (void)state;
    try_lengths(track_information, track, sizeof(track), 28);
    assert_int_equal(mmc_reply_track_information(track, sizeof(track), &out),
                     0);
    assert_int_equal(out.track, 0x101);
    assert_int_equal(out.session, 0x201);
    assert_int_equal(out.track_mode, 5);
    assert_int_equal(out.data_mode, 1);
    assert_true(out.packet);
    assert_true(out.fixed_packet);
    assert_true(out.blank);
    assert_false(out.reserved);
    assert_false(out.damaged);
    assert_true(out.nwa_valid);
    assert_int_equal(out.nwa, 256);
    assert_int_equal(out.free_blocks, 512);
    assert_int_equal(out.packet_blocks, 32);
    assert_int_equal(out.blocks, 295264);
    assert_true(out.last_recorded_valid);
    assert_int_equal(out.last_recorded, 255);
    /* Drives before MMC-3 stop before the last recorded address. */
    assert_int_equal(mmc_reply_track_information(track, 28, &out), 0);
    assert_false(out.last_recorded_valid);
    assert_int_equal(out.track, 1);
}

static void test_reply_format_capacities(void **state) {
    uint8_t reply[] = {0, 0,    0,    24,                        /* header */
                       0, 0x04, 0x81, 0x60, 0x02, 0, 0x08, 0,    /* current */
                       0, 0x04, 0x81, 0x60, 0x40, 0, 0,    0x20, /* 10h */
                       0, 0x01, 0,    0,    0x98, 0, 0,    1};   /* 26h */
    struct mmc_format_capacities out;
    struct mmc_format_descriptor format;

    (void)state;
    try_lengths(format_capacities, reply, sizeof(reply), 12);
    assert_int_equal(mmc_reply_format_capacities(reply, sizeof(reply), &out),
                     0);
    assert_int_equal(out.kind, MMC_CAPACITY_FORMATTED);
    assert_int_equal(out.blocks, 295264);
    assert_int_equal(out.block_bytes, 2048);
    assert_int_equal(out.count, 2);
    assert_int_equal(mmc_format_find(&out, MMC_FORMAT_PACKET_FULL, &format), 0);
    assert_int_equal(format.blocks, 295264);
    assert_int_equal(format.parameter, 32);
    assert_int_equal(mmc_format_find(&out, MMC_FORMAT_DVD_PLUS_RW, &format), 0);
    assert_int_equal(format.parameter, 1);
    assert_int_equal(mmc_format_find(&out, MMC_FORMAT_QUICK, &format), -ENOENT);
    /* Counting the header's own four bytes. */
    reply[3] = 28;
    assert_int_equal(mmc_reply_format_capacities(reply, sizeof(reply), &out),
                     0);
    assert_int_equal(out.count, 2);
    reply[3] = 4;
    assert_int_equal(mmc_reply_format_capacities(reply, sizeof(reply), &out),
                     -EPROTO);
}

/* The list length is one byte: the table must hold whatever it says. */
static void test_reply_format_capacities_longest(void **state) {
    uint8_t reply[4 + 255] = {0};
    struct mmc_format_capacities out;

    (void)state;
    for (unsigned length = 8; length <= 255; length++) {
        reply[3] = (uint8_t)length;
        assert_int_equal(
            mmc_reply_format_capacities(reply, sizeof(reply), &out), 0);
        assert_true(out.count <= MMC_FORMAT_DESCRIPTORS_MAX);
        assert_int_equal(out.count, (length - length % 8) / 8 - 1);
    }
}

static void test_reply_capacity(void **state) {
    static const uint8_t reply[] = {0, 0x23, 0x05, 0x3F, 0, 0, 8, 0};
    struct mmc_capacity out;

    (void)state;
    try_lengths(capacity, reply, sizeof(reply), 8);
    assert_int_equal(mmc_reply_capacity(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.last_lba, 2295103);
    assert_int_equal(out.block_bytes, 2048);
}

static int find_page(const uint8_t *reply, size_t len, uint8_t code,
                     struct mmc_mode_page *out) {
    uint8_t *copy = malloc(len ? len : 1);
    int result;

    assert_non_null(copy);
    memcpy(copy, reply, len);
    result = mmc_reply_mode_page(copy, len, code, out);
    free(copy);
    return result;
}

static void test_reply_mode_page(void **state) {
    /* A block descriptor in spite of DBD, page 01h before page 05h. The
     * header's length is too small, as SANYO drives have it. */
    static const uint8_t reply[] = {
        0,    4, 0,    0,    0, 0, 0, 8, /* header */
        0,    0, 0,    0,    0, 0, 8, 0, /* block */
        0x81, 2, 0xC0, 0x10,             /* 01h */
        0x85, 3, 0x40, 0x25, 8};
    struct mmc_mode_page out;

    (void)state;
    assert_int_equal(find_page(reply, sizeof(reply), 5, &out), 0);
    assert_int_equal(out.len, 5);
    assert_memory_equal(out.bytes, "\x85\x03\x40\x25\x08", 5);
    assert_int_equal(find_page(reply, sizeof(reply), 1, &out), 0);
    assert_int_equal(out.len, 4);
    assert_int_equal(find_page(reply, sizeof(reply), 8, &out), -ENOENT);
    for (size_t len = 0; len < sizeof(reply); len++) {
        int result = find_page(reply, len, 5, &out);

        assert_true(result == -EPROTO || result == -ENOENT);
    }
}

static void test_reply_mode_page_hostile(void **state) {
    uint8_t reply[16] = {0};
    struct mmc_mode_page out;

    (void)state;
    /* Block descriptors beyond the end. */
    memset(reply + 6, 0xFF, 2);
    assert_int_equal(find_page(reply, sizeof(reply), 5, &out), -ENOENT);
    memset(reply + 6, 0, 2);
    /* A page whose length reaches beyond the end. */
    reply[8] = 5;
    reply[9] = 7;
    assert_int_equal(find_page(reply, sizeof(reply), 5, &out), -EPROTO);
    reply[9] = 6;
    assert_int_equal(find_page(reply, sizeof(reply), 5, &out), 0);
    /* Sub-page format: its second byte is no length. */
    reply[8] = 0x45;
    assert_int_equal(find_page(reply, sizeof(reply), 5, &out), -EPROTO);
}

static void test_reply_mode_length(void **state) {
    uint8_t head[10] = {0, 58, 0, 0, 0, 0, 0, 0, 0x05, 0x32};

    (void)state;
    assert_int_equal(mmc_reply_mode_length(head), 60);
    head[1] = 0x1A; /* shorter than its page */
    assert_int_equal(mmc_reply_mode_length(head), 60);
    head[1] = 80; /* another page follows */
    assert_int_equal(mmc_reply_mode_length(head), 82);
    memset(head, 0xFF, sizeof(head));
    assert_int_equal(mmc_reply_mode_length(head), 65535 + 2 + 8);
}

static void test_reply_event(void **state) {
    uint8_t reply[] = {0, 6, 4, 0x5E, 0x01, 0x02, 0, 0};
    struct mmc_event out;

    (void)state;
    try_lengths(event, reply, sizeof(reply), 4);
    assert_int_equal(mmc_reply_event(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.event_class, MMC_EVENT_MEDIA);
    assert_int_equal(out.supported, 0x5E);
    assert_int_equal(out.code, MMC_MEDIA_EJECT_REQUEST);
    assert_true(out.medium_present);
    assert_false(out.tray_open);
    reply[2] = 0x84; /* NEA */
    assert_int_equal(mmc_reply_event(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.event_class, MMC_EVENT_NONE);
    assert_int_equal(out.supported, 0x5E);
    reply[2] = 4;
    reply[1] = 2; /* header only, whatever lies behind it */
    assert_int_equal(mmc_reply_event(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.event_class, MMC_EVENT_NONE);
    /* The same bits mean other things in other classes. */
    reply[1] = 6;
    reply[2] = 6;
    assert_int_equal(mmc_reply_event(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.event_class, MMC_EVENT_BUSY);
    assert_false(out.medium_present);
}

static void test_reply_write_speeds(void **state) {
    static const uint8_t reply[] = {
        0,    0,    0, 36,   0,    0,    0,    0, /* header */
        0x0B, 0,    0, 0,    0,    0x23, 0x05, 0x3F, 0,    0,   0x2B,
        0x48, 0,    0, 0x2B, 0x48, 0,    0,    0,    0,    0,   0x23,
        0x05, 0x3F, 0, 0,    0x2B, 0x48, 0,    0,    0x15, 0xA4};
    struct mmc_write_speeds out;

    (void)state;
    try_lengths(write_speeds, reply, sizeof(reply), 8);
    assert_int_equal(mmc_reply_write_speeds(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.count, 2);
    assert_int_equal(out.speeds[0].rotation, 1);
    assert_true(out.speeds[0].exact);
    assert_true(out.speeds[0].mrw);
    assert_int_equal(out.speeds[0].end_lba, 2295103);
    assert_int_equal(out.speeds[1].read_kbs, 11080);
    assert_int_equal(out.speeds[1].write_kbs, 5540);
    /* One byte missing: the second descriptor is not there. */
    assert_int_equal(mmc_reply_write_speeds(reply, sizeof(reply) - 1, &out), 0);
    assert_int_equal(out.count, 1);
}

static void test_reply_more_than_tables_hold(void **state) {
    static uint8_t reply[4096];
    struct mmc_write_speeds speeds;
    struct mmc_toc list;

    (void)state;
    memset(reply, 0xFF, sizeof(reply));
    assert_int_equal(mmc_reply_write_speeds(reply, sizeof(reply), &speeds), 0);
    assert_int_equal(speeds.count, MMC_WRITE_SPEEDS_MAX);
    assert_int_equal(mmc_reply_toc(reply, sizeof(reply), &list), 0);
    assert_int_equal(list.count, MMC_TOC_TRACKS_MAX);
}

static void test_reply_toc(void **state) {
    static const uint8_t reply[] = {0, 18,   1,    1, /* header */
                                    0, 0x14, 1,    0, 0, 0, 0,    0, /* 1 */
                                    0, 0x10, 0xAA, 0, 0, 4, 0x81, 0x60};
    static const uint8_t sessions[] = {0, 10, 1, 3, 0, 0x14, 5, 0, 0, 1, 2, 3};
    struct mmc_toc out;
    struct mmc_toc_sessions out_sessions;

    (void)state;
    try_lengths(toc, reply, sizeof(reply), 4);
    assert_int_equal(mmc_reply_toc(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.first_track, 1);
    assert_int_equal(out.last_track, 1);
    assert_int_equal(out.count, 2);
    assert_int_equal(out.tracks[0].track, 1);
    assert_true(out.tracks[0].data);
    assert_int_equal(out.tracks[1].track, MMC_TOC_LEAD_OUT);
    assert_false(out.tracks[1].data);
    assert_int_equal(out.tracks[1].start, 295264);

    try_lengths(toc_sessions, sessions, sizeof(sessions), 12);
    assert_int_equal(
        mmc_reply_toc_sessions(sessions, sizeof(sessions), &out_sessions), 0);
    assert_int_equal(out_sessions.first_session, 1);
    assert_int_equal(out_sessions.last_session, 3);
    assert_int_equal(out_sessions.first_track_last_session, 5);
    assert_int_equal(out_sessions.last_session_start, 0x010203);
}

static void test_reply_atip(void **state) {
    uint8_t reply[28] = {0,  26, 0, 0,  0,  0,  0x4C, 0,   97,
                         27, 30, 0, 79, 59, 74, 0,    0x44};
    struct mmc_atip out;

    (void)state;
    try_lengths(atip, reply, sizeof(reply), 15);
    assert_int_equal(mmc_reply_atip(reply, sizeof(reply), &out), 0);
    assert_true(out.erasable);
    assert_int_equal(out.sub_type, 1);
    assert_int_equal(out.max_speed_x, 10); /* high speed, code 4 */
    assert_int_equal(out.lead_out_lba, 359849);
    assert_int_equal(out.lead_in_lba, (97 * 60 + 27) * 75 + 30 - 450150);
    reply[6] = 0x44; /* standard speed */
    assert_int_equal(mmc_reply_atip(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.max_speed_x, 8);
    reply[6] = 0x7C; /* sub-type 7: none that is known */
    assert_int_equal(mmc_reply_atip(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.max_speed_x, 0);
    reply[6] = 0x54; /* ultra speed with a reserved code */
    reply[16] = 0x0F;
    assert_int_equal(mmc_reply_atip(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.max_speed_x, 0);
    reply[16] = 0x48;
    assert_int_equal(mmc_reply_atip(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.max_speed_x, 24);
    reply[6] = 0x50; /* A1 not valid */
    assert_int_equal(mmc_reply_atip(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.max_speed_x, 0);
}

static void test_reply_msf(void **state) {
    (void)state;
    assert_int_equal(mmc_msf_to_lba(0, 2, 0), 0);
    assert_int_equal(mmc_msf_to_lba(0, 0, 0), -150);
    assert_int_equal(mmc_msf_to_lba(79, 59, 74), 359849);
    assert_int_equal(mmc_msf_to_lba(89, 59, 74), 404849);
    assert_int_equal(mmc_msf_to_lba(90, 0, 0), -45150);
    assert_int_equal(mmc_msf_to_lba(99, 59, 74), -151);
}

static void test_reply_buffer_capacity(void **state) {
    uint8_t reply[12] = {0, 10, 0, 0, 0, 0x20, 0, 0, 0, 0x10, 0, 1};
    struct mmc_buffer_capacity out;

    (void)state;
    try_lengths(buffer_capacity, reply, sizeof(reply), 12);
    assert_int_equal(mmc_reply_buffer_capacity(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.bytes, 0x200000);
    assert_int_equal(out.free_bytes, 0x100001);
    reply[8] = 1;
    assert_int_equal(mmc_reply_buffer_capacity(reply, sizeof(reply), &out), 0);
    assert_int_equal(out.free_bytes, 0x100000);
}

static void test_reply_write_protection(void **state) {
    uint8_t reply[8] = {0, 6, 0, 0, 0x05, 0, 0, 0};
    struct mmc_write_protection out;

    (void)state;
    try_lengths(write_protection, reply, sizeof(reply), 5);
    assert_int_equal(mmc_reply_write_protection(reply, sizeof(reply), &out), 0);
    assert_false(out.by_disc);
    assert_true(out.by_cartridge);
    assert_false(out.persistent);
    assert_true(out.by_software);
    reply[4] = 0x0A;
    assert_int_equal(mmc_reply_write_protection(reply, sizeof(reply), &out), 0);
    assert_true(out.by_disc);
    assert_true(out.persistent);
    reply[1] = 2; /* the header only */
    assert_int_equal(mmc_reply_write_protection(reply, sizeof(reply), &out),
                     -EPROTO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_noise),
        cmocka_unit_test(test_reply_inquiry),
        cmocka_unit_test(test_reply_inquiry_without_names),
        cmocka_unit_test(test_reply_configuration),
        cmocka_unit_test(test_reply_configuration_ends_where_it_says),
        cmocka_unit_test(test_reply_feature_cut_off),
        cmocka_unit_test(test_reply_configuration_larger_than_kept),
        cmocka_unit_test(test_reply_disc_information),
        cmocka_unit_test(test_reply_disc_information_fields),
        cmocka_unit_test(test_reply_track_information),
        cmocka_unit_test(test_reply_format_capacities),
        cmocka_unit_test(test_reply_format_capacities_longest),
        cmocka_unit_test(test_reply_capacity),
        cmocka_unit_test(test_reply_mode_page),
        cmocka_unit_test(test_reply_mode_page_hostile),
        cmocka_unit_test(test_reply_mode_length),
        cmocka_unit_test(test_reply_event),
        cmocka_unit_test(test_reply_write_speeds),
        cmocka_unit_test(test_reply_more_than_tables_hold),
        cmocka_unit_test(test_reply_toc),
        cmocka_unit_test(test_reply_atip),
        cmocka_unit_test(test_reply_msf),
        cmocka_unit_test(test_reply_buffer_capacity),
        cmocka_unit_test(test_reply_write_protection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
