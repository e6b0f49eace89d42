/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/space_area.c - areas of free packets that are for one kind of blocks:
 * see udf_space_take_apart(). Pure. An area is nothing but a range of packets
 * that searches for other things pass over; what was taken in it is not
 * counted, and the disc does not know of it.
 */
#include <assert.h>
#include <errno.h>

#include "mmc/bits.h"
#include "udf/space_priv.h"

enum {
    AREA_BLOCKS = 2048,    /* the first, and each next one twice as many, */
    AREA_SHARE = 64,       /* but no larger a part of the space; */
    AREA_PACKETS_MIN = 4,  /* in one piece */
    META_PACKETS_MIN = 128 /* of a partition that holds nothing else */
};

uint64_t udf_space_area_end(const struct udf_space *space, uint64_t pkt,
                            uint64_t count) {
    for (unsigned i = 0; i < UDF_SPACE_KINDS; i++) {
        const struct udf_space_area *area = &space->area[i];

        if (pkt < area->end && area->begin < pkt + count) {
            return area->end;
        }
    }
    return 0;
}

int udf_space_take_behind(struct udf_space *space, uint32_t lbn, uint32_t gap,
                          uint32_t count) {
    uint64_t begin = (uint64_t)lbn - gap, end = (uint64_t)lbn + count;
    uint64_t pkt;

    assert(count > 0);
    if (gap > lbn || end > space->blocks ||
        mmc_bits_next_clear(space->usable_map, begin, end) < end) {
        return -ENOSPC;
    }
    pkt = udf_space_packet_of(space, (uint32_t)begin);
    end = udf_space_packet_of(space, (uint32_t)(end - 1)) + 1;
    if (udf_space_area_end(space, pkt, end - pkt) > 0) {
        return -ENOSPC;
    }
    udf_space_use(space, lbn, count);
    return 0;
}

bool udf_space_open_areas(struct udf_space *space) {
    bool any = false;

    for (unsigned i = 0; i < UDF_SPACE_KINDS; i++) {
        struct udf_space_area *area = &space->area[i];

        any |= area->begin < area->end;
        area->end = area->begin;
    }
    return any;
}

/* Behind what was taken last, or in the next free packet of the area. */
static bool find_in_area(const struct udf_space *space,
                         const struct udf_space_area *area, uint32_t room,
                         uint32_t *out_lbn) {
    uint64_t pkt;

    if (area->begin == area->end || area->next >= space->blocks) {
        return false;
    }
    pkt = udf_space_packet_of(space, area->next);
    if (pkt < area->end &&
        udf_space_find_in_packet(space, pkt, area->next, room, out_lbn)) {
        return true;
    }
    pkt = mmc_bits_next_set(space->whole_map, pkt, area->end);
    *out_lbn = udf_space_packet_begin(space, pkt);
    return pkt < area->end;
}

/* The next area: as many free packets in a row as there are. */
static bool begin_area(struct udf_space *space, struct udf_space_area *area) {
    uint64_t most =
        area->size > 0 ? 2 * area->size : AREA_BLOCKS / space->packet_blocks;
    uint64_t share = space->packets / AREA_SHARE;
    uint64_t whole =
        ((uint64_t)space->phase + space->blocks) / space->packet_blocks;
    uint64_t from = area->end, pkt, end;

    share = share > AREA_PACKETS_MIN ? share : AREA_PACKETS_MIN;
    most = most < share ? most : share;
    area->begin = area->end;
    pkt = udf_space_find_packets(space, from, AREA_PACKETS_MIN);
    if (pkt == space->packets) {
        pkt = udf_space_find_packets(space, 0, AREA_PACKETS_MIN);
    }
    if (pkt == space->packets) {
        return false;
    }
    end = pkt + AREA_PACKETS_MIN;
    while (end < pkt + most && end < whole && /* the last may be short */
           mmc_bits_test(space->whole_map, end) &&
           udf_space_area_end(space, end, 1) == 0) {
        end++;
    }
    *area = (struct udf_space_area){.begin = pkt,
                                    .end = end,
                                    .size = most,
                                    .next = udf_space_packet_begin(space, pkt)};
    return true;
}

/* On a small medium areas would leave too few whole packets for a journal. */
static bool has_areas(const struct udf_space *space) {
    return space->packets >= (space->meta_only ? META_PACKETS_MIN
                                               : AREA_SHARE * AREA_PACKETS_MIN);
}

void udf_space_begin_beside(struct udf_space *space, uint32_t lbn) {
    if (lbn < space->blocks && has_areas(space)) {
        uint64_t pkt = udf_space_packet_of(space, lbn);

        space->area[UDF_SPACE_ENTRIES] =
            (struct udf_space_area){.begin = pkt, .end = pkt + 1, .next = lbn};
    }
}

void udf_space_hold_metadata(struct udf_space *space) {
    space->meta_only = true;
}

/* Where there are no areas all kinds share their packets, and what grows gets
 * one of its own. */
static int take_together(struct udf_space *space, uint32_t count, uint32_t room,
                         uint32_t *out_lbn) {
    uint32_t *next = &space->area[0].next;

    if (room > count) {
        return udf_space_take_whole(space, *next, count, out_lbn);
    }
    if (udf_space_take_near(space, *next, count, out_lbn)) {
        return -ENOSPC;
    }
    *next = *out_lbn + count;
    return 0;
}

int udf_space_take_apart(struct udf_space *space, enum udf_space_kind kind,
                         uint32_t count, uint32_t room, uint32_t *out_lbn) {
    struct udf_space_area *area = &space->area[kind];
    uint32_t lbn = 0;

    assert(count > 0 && count <= room && room <= space->packet_blocks);
    if (!has_areas(space)) {
        return take_together(space, count, room, out_lbn);
    }
    if (!find_in_area(space, area, room, &lbn) &&
        !(begin_area(space, area) && find_in_area(space, area, room, &lbn))) {
        int error = udf_space_take_near(space, area->next, count, &lbn);

        if (error) {
            return error;
        }
    } else {
        udf_space_use(space, lbn, count);
    }
    area->next = lbn + room;
    *out_lbn = lbn;
    return 0;
}
