/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What media events and uevents mean: old events, events that never end, and
 * events that somebody else has taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mmc/cdb.h"
#include "mmc/events.h"

static struct mmc_event media(uint8_t code, bool present) {
    return (struct mmc_event){.event_class = MMC_EVENT_MEDIA,
                              .supported = MMC_EVENTS_MEDIA,
                              .code = code,
                              .status = present ? 2 : 0,
                              .medium_present = present};
}

/* A round in which the drive gives these codes, then "no change"; at most
 * `count` answers are taken. Returns the news. */
static unsigned round_of(struct mmc_events *events, const uint8_t *codes,
                         unsigned count, bool present) {
    unsigned news = 0;
    bool more = true;

    mmc_events_begin(events);
    for (unsigned i = 0; more && i < count; i++) {
        struct mmc_event event = media(codes[i], present);

        assert_true(mmc_events_take(events, &event, &news));
    }
    struct mmc_event end = media(MMC_MEDIA_NO_CHANGE, present);

    assert_false(mmc_events_take(events, &end, &news));
    return news;
}

/* A drive that answers this event for ever. Returns how often it was asked. */
static unsigned endless_round(struct mmc_events *events, uint8_t code,
                              unsigned *out_news) {
    struct mmc_event event = media(code, true);
    unsigned asked = 1;

    *out_news = 0;
    mmc_events_begin(events);
    while (mmc_events_take(events, &event, out_news)) {
        asked++;
    }
    return asked;
}

static void test_events_old_ones_are_no_news(void **state) {
    static const uint8_t old[] = {MMC_MEDIA_NEW, MMC_MEDIA_EJECT_REQUEST};
    static const uint8_t fresh[] = {MMC_MEDIA_EJECT_REQUEST};
    struct mmc_events events = {0};

    (void)state;
    assert_int_equal(round_of(&events, old, 2, true), 0);
    assert_int_equal(round_of(&events, fresh, 1, true), MMC_NEWS_EJECT);
    assert_int_equal(round_of(&events, NULL, 0, true), 0);
}

static void test_events_each_code_has_its_meaning(void **state) {
    static const unsigned expected[16] = {
        [MMC_MEDIA_EJECT_REQUEST] = MMC_NEWS_EJECT,
        [MMC_MEDIA_NEW] = MMC_NEWS_CHANGED,
        [MMC_MEDIA_REMOVED] = MMC_NEWS_REMOVED,
        [MMC_MEDIA_CHANGED] = MMC_NEWS_CHANGED,
    };

    (void)state;
    for (uint8_t code = 1; code < 16; code++) {
        struct mmc_events events = {0};

        round_of(&events, NULL, 0, true);
        assert_int_equal(round_of(&events, &code, 1, true), expected[code]);
    }
}

static void test_events_several_in_one_round(void **state) {
    static const uint8_t codes[] = {MMC_MEDIA_EJECT_REQUEST, MMC_MEDIA_REMOVED,
                                    MMC_MEDIA_NEW};
    struct mmc_events events = {0};

    (void)state;
    round_of(&events, NULL, 0, true);
    assert_int_equal(round_of(&events, codes, 3, true),
                     MMC_NEWS_EJECT | MMC_NEWS_REMOVED | MMC_NEWS_CHANGED);
}

/* Firmware that never stops saying "eject request": it neither holds the
 * thread nor ejects the disc again and again, nor at the very start. */
static void test_events_that_never_end_are_stale(void **state) {
    struct mmc_events events = {0};
    unsigned news;

    (void)state;
    assert_int_equal(endless_round(&events, MMC_MEDIA_EJECT_REQUEST, &news),
                     MMC_EVENTS_ROUND_MAX);
    assert_int_equal(news, 0);
    assert_int_equal(endless_round(&events, MMC_MEDIA_EJECT_REQUEST, &news), 1);
    assert_int_equal(news, 0);
    /* Another event is news all the same, once. */
    assert_int_equal(endless_round(&events, MMC_MEDIA_CHANGED, &news),
                     MMC_EVENTS_ROUND_MAX);
    assert_int_equal(news, MMC_NEWS_CHANGED);
    assert_int_equal(endless_round(&events, MMC_MEDIA_CHANGED, &news), 1);
    assert_int_equal(news, 0);
}

static void test_events_stale_ones_count_again_after_a_pause(void **state) {
    static const uint8_t press[] = {MMC_MEDIA_EJECT_REQUEST};
    struct mmc_events events = {0};
    unsigned news;

    (void)state;
    endless_round(&events, MMC_MEDIA_EJECT_REQUEST, &news);
    assert_int_equal(round_of(&events, NULL, 0, true), 0);
    assert_int_equal(round_of(&events, press, 1, true), MMC_NEWS_EJECT);
}

/* The kernel took the event, but the drive still says that it is empty. Once
 * may be a tray that moves. */
static void test_events_absence_is_noticed_without_an_event(void **state) {
    struct mmc_events events = {0};

    (void)state;
    round_of(&events, NULL, 0, true);
    assert_int_equal(round_of(&events, NULL, 0, false), 0);
    assert_int_equal(round_of(&events, NULL, 0, true), 0);
    assert_int_equal(round_of(&events, NULL, 0, false), 0);
    assert_int_equal(round_of(&events, NULL, 0, false), MMC_NEWS_REMOVED);
    assert_int_equal(round_of(&events, NULL, 0, false), 0);
}

/* A drive that never sets the bit says nothing by it. */
static void test_events_presence_that_was_never_seen(void **state) {
    struct mmc_events events = {0};

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(round_of(&events, NULL, 0, false), 0);
    }
}

static void test_events_without_the_media_class(void **state) {
    struct mmc_event event = media(MMC_MEDIA_EJECT_REQUEST, true);
    struct mmc_events events = {.listening = true};
    unsigned news = 0;

    (void)state;
    event.supported = MMC_EVENTS_POWER;
    assert_false(mmc_events_take(&events, &event, &news));
    assert_true(events.unsupported);
    assert_int_equal(news, 0);
}

static void test_events_of_another_class(void **state) {
    struct mmc_event event = media(1, true);
    struct mmc_events events = {.listening = true, .present = true};
    unsigned news = 0;

    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        event.event_class = (enum mmc_event_class)kind;
        if (kind != MMC_EVENT_MEDIA) {
            assert_false(mmc_events_take(&events, &event, &news));
        }
    }
    assert_int_equal(news, 0);
    assert_false(events.unsupported);
}

static void test_events_of_uevents(void **state) {
    (void)state;
    assert_int_equal(mmc_events_of_uevent("change", "1", NULL), MMC_NEWS_EJECT);
    assert_int_equal(mmc_events_of_uevent("change", NULL, "1"),
                     MMC_NEWS_CHANGED);
    assert_int_equal(mmc_events_of_uevent("change", NULL, NULL), 0);
    assert_int_equal(mmc_events_of_uevent("change", "0", ""), 0);
    assert_int_equal(mmc_events_of_uevent("remove", NULL, NULL),
                     MMC_NEWS_DRIVE_GONE);
    assert_int_equal(mmc_events_of_uevent("add", "1", "1"), 0);
    assert_int_equal(mmc_events_of_uevent(NULL, "1", "1"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_old_ones_are_no_news),
        cmocka_unit_test(test_events_each_code_has_its_meaning),
        cmocka_unit_test(test_events_several_in_one_round),
        cmocka_unit_test(test_events_that_never_end_are_stale),
        cmocka_unit_test(test_events_stale_ones_count_again_after_a_pause),
        cmocka_unit_test(test_events_absence_is_noticed_without_an_event),
        cmocka_unit_test(test_events_presence_that_was_never_seen),
        cmocka_unit_test(test_events_without_the_media_class),
        cmocka_unit_test(test_events_of_another_class),
        cmocka_unit_test(test_events_of_uevents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
