/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/reply.c - decoders. Each one first settles how many bytes it may
 * believe: those that arrived, and no more than the reply says it has, where
 * its length field can be trusted that far. Offsets are MMC-5's.
 */
#include "mmc/reply.h"

#include <errno.h>
#include <scsi/sg_unaligned.h>
#include <string.h>

#include "mmc/cdb.h"

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static bool bit(uint8_t byte, unsigned number) {
    return (byte >> number) & 1u;
}

/* Bytes of a reply whose first two bytes count what follows them. */
static size_t sized_16(const uint8_t *reply, size_t len) {
    return smaller(len, (size_t)sg_get_unaligned_be16(reply) + 2);
}

/* The same for four bytes. */
static size_t sized_32(const uint8_t *reply, size_t len) {
    uint64_t said = (uint64_t)sg_get_unaligned_be32(reply) + 4;

    return said < len ? (size_t)said : len;
}

/* Copies a blank-padded name of `size` bytes; `out` has one byte more. */
static void copy_name(const uint8_t *from, size_t size, char *out) {
    while (size && (from[size - 1] == ' ' || from[size - 1] == 0)) {
        size--;
    }
    while (size && *from == ' ') {
        from++;
        size--;
    }
    for (size_t i = 0; i < size; i++) {
        out[i] = from[i] >= 0x20 && from[i] < 0x7F ? (char)from[i] : '?';
    }
    out[size] = 0;
}

int mmc_reply_inquiry(const uint8_t *reply, size_t len,
                      struct mmc_inquiry *out) {
    struct mmc_inquiry inquiry;

    if (len < MMC_INQUIRY_BYTES) {
        return -EPROTO;
    }
    inquiry.device_type = reply[0] & 0x1F;
    inquiry.removable = bit(reply[1], 7);
    copy_name(reply + 8, 8, inquiry.vendor);
    copy_name(reply + 16, 16, inquiry.product);
    copy_name(reply + 32, 4, inquiry.revision);
    *out = inquiry;
    return 0;
}

int mmc_reply_configuration(const uint8_t *reply, size_t len,
                            struct mmc_configuration *out) {
    size_t features;

    if (len < 8) {
        return -EPROTO;
    }
    features = sized_32(reply, len);
    features = features < 8 ? 0 : features - 8;
    features = smaller(features, sizeof(out->features));
    out->profile = sg_get_unaligned_be16(reply + 6);
    out->len = features;
    memcpy(out->features, reply + 8, features);
    return 0;
}

struct mmc_feature_iter
mmc_feature_begin(const struct mmc_configuration *configuration) {
    struct mmc_feature_iter iter = {configuration, 0};

    return iter;
}

bool mmc_feature_next(struct mmc_feature_iter *iter, struct mmc_feature *out) {
    const uint8_t *at = iter->configuration->features + iter->offset;
    size_t left = iter->configuration->len - iter->offset;

    if (left < 4 || left - 4 < at[3]) {
        return false;
    }
    out->code = sg_get_unaligned_be16(at);
    out->version = (at[2] >> 2) & 0x0F;
    out->persistent = bit(at[2], 1);
    out->current = bit(at[2], 0);
    out->data_len = at[3];
    out->data = at + 4;
    iter->offset += (size_t)4 + at[3];
    return true;
}

int mmc_feature_find(const struct mmc_configuration *configuration,
                     uint16_t code, struct mmc_feature *out) {
    struct mmc_feature_iter iter = mmc_feature_begin(configuration);
    struct mmc_feature feature;

    while (mmc_feature_next(&iter, &feature)) {
        if (feature.code == code) {
            *out = feature;
            return 0;
        }
    }
    return -ENOENT;
}

bool mmc_feature_is_current(const struct mmc_configuration *configuration,
                            uint16_t code) {
    struct mmc_feature feature;

    return mmc_feature_find(configuration, code, &feature) == 0 &&
           feature.current;
}

int32_t mmc_msf_to_lba(uint8_t minute, uint8_t second, uint8_t frame) {
    int32_t lba = (minute * 60 + second) * 75 + frame - 150;

    /* 90:00:00 and up is the lead-in, which lies before LBA -150. */
    return minute >= 90 ? lba - 450000 : lba;
}

/* Last possible start of the lead-out, bytes 20-23: MSF on CD, all ones or
 * something else where it does not apply. */
static void lead_out(const uint8_t *reply, struct mmc_disc_information *info) {
    uint8_t minute = reply[21], second = reply[22], frame = reply[23];

    info->lead_out_valid = reply[20] == 0 && second < 60 && frame < 75 &&
                           (minute || second || frame);
    info->lead_out_lba =
        info->lead_out_valid ? mmc_msf_to_lba(minute, second, frame) : 0;
}

/* MMC-5 6.22.3.1. Old drives stop after 24 bytes, before the bar code. */
int mmc_reply_disc_information(const uint8_t *reply, size_t len,
                               struct mmc_disc_information *out) {
    struct mmc_disc_information info = {0};

    if (len < 2 || (len = sized_16(reply, len)) < 24) {
        return -EPROTO;
    }
    if (reply[2] >> 5 != 0) {
        return -EPROTO; /* not the standard form that was asked for */
    }
    info.erasable = bit(reply[2], 4);
    info.last_session = (enum mmc_session_state)((reply[2] >> 2) & 3);
    info.status = (enum mmc_disc_status)(reply[2] & 3);
    info.first_track = reply[3];
    /* The upper bytes came later than the lower ones. */
    info.sessions = (uint16_t)(reply[9] << 8 | reply[4]);
    info.first_track_last_session = (uint16_t)(reply[10] << 8 | reply[5]);
    info.last_track_last_session = (uint16_t)(reply[11] << 8 | reply[6]);
    info.unrestricted = bit(reply[7], 5);
    info.dirty = bit(reply[7], 2);
    info.background = (enum mmc_background_format)(reply[7] & 3);
    info.disc_type = reply[8];
    lead_out(reply, &info);
    if (len > 34) {
        /* Counted from what is there: byte 33 is wrong on some drives. */
        info.opc_entries = (uint8_t)smaller((len - 34) / 8, reply[33]);
    }
    *out = info;
    return 0;
}

/* MMC-5 6.27. MMC-1 drives stop after 28 bytes, others after 32 or 36. */
int mmc_reply_track_information(const uint8_t *reply, size_t len,
                                struct mmc_track_information *out) {
    struct mmc_track_information info = {0};

    if (len < 2 || (len = sized_16(reply, len)) < 28) {
        return -EPROTO;
    }
    info.track = reply[2];
    info.session = reply[3];
    info.damaged = bit(reply[5], 5);
    info.copy = bit(reply[5], 4);
    info.track_mode = reply[5] & 0x0F;
    info.reserved = bit(reply[6], 7);
    info.blank = bit(reply[6], 6);
    info.packet = bit(reply[6], 5);
    info.fixed_packet = bit(reply[6], 4);
    info.data_mode = reply[6] & 0x0F;
    info.nwa_valid = bit(reply[7], 0);
    info.start = sg_get_unaligned_be32(reply + 8);
    info.nwa = sg_get_unaligned_be32(reply + 12);
    info.free_blocks = sg_get_unaligned_be32(reply + 16);
    info.packet_blocks = sg_get_unaligned_be32(reply + 20);
    info.blocks = sg_get_unaligned_be32(reply + 24);
    if (len >= 32) {
        info.last_recorded_valid = bit(reply[7], 1);
        info.last_recorded = sg_get_unaligned_be32(reply + 28);
    }
    if (len >= 34) {
        info.track = (uint16_t)(reply[32] << 8 | info.track);
        info.session = (uint16_t)(reply[33] << 8 | info.session);
    }
    *out = info;
    return 0;
}

/* MMC-5 6.24. */
int mmc_reply_format_capacities(const uint8_t *reply, size_t len,
                                struct mmc_format_capacities *out) {
    struct mmc_format_capacities list = {0};
    size_t bytes;

    if (len < 4) {
        return -EPROTO;
    }
    bytes = reply[3];
    if (bytes % 8 == 4) {
        bytes -= 4;
    }
    bytes = smaller(bytes, len - 4);
    if (bytes < 8) {
        return -EPROTO;
    }
    list.blocks = sg_get_unaligned_be32(reply + 4);
    list.kind = (enum mmc_capacity_kind)(reply[8] & 3);
    list.block_bytes = sg_get_unaligned_be24(reply + 9);
    for (size_t at = 8; at + 8 <= bytes; at += 8) {
        const uint8_t *entry = reply + 4 + at;
        struct mmc_format_descriptor *format = &list.formats[list.count++];

        format->blocks = sg_get_unaligned_be32(entry);
        format->type = entry[4] >> 2;
        format->parameter = sg_get_unaligned_be24(entry + 5);
    }
    *out = list;
    return 0;
}

int mmc_format_find(const struct mmc_format_capacities *capacities,
                    uint8_t type, struct mmc_format_descriptor *out) {
    for (uint8_t i = 0; i < capacities->count; i++) {
        if (capacities->formats[i].type == type) {
            *out = capacities->formats[i];
            return 0;
        }
    }
    return -ENOENT;
}

int mmc_reply_capacity(const uint8_t *reply, size_t len,
                       struct mmc_capacity *out) {
    if (len < 8) {
        return -EPROTO;
    }
    out->last_lba = sg_get_unaligned_be32(reply);
    out->block_bytes = sg_get_unaligned_be32(reply + 4);
    return 0;
}

/* The mode parameter header (10) is 8 bytes, with the length of the block
 * descriptors, which some drives send in spite of DBD, in the last two. */
int mmc_reply_mode_page(const uint8_t *reply, size_t len, uint8_t code,
                        struct mmc_mode_page *out) {
    size_t at;

    if (len < 8) {
        return -EPROTO;
    }
    at = 8 + (size_t)sg_get_unaligned_be16(reply + 6);
    while (at < len && len - at >= 2) {
        size_t page_len = 2 + (size_t)reply[at + 1];

        if ((reply[at] & 0x3F) != code) {
            at += page_len;
            continue;
        }
        /* Bit 6: the sub-page format, whose length is elsewhere. */
        if (bit(reply[at], 6) || page_len > len - at) {
            return -EPROTO;
        }
        out->len = (uint16_t)page_len;
        memcpy(out->bytes, reply + at, page_len);
        return 0;
    }
    return -ENOENT;
}

uint32_t mmc_reply_mode_length(const uint8_t head[10]) {
    uint32_t said = (uint32_t)sg_get_unaligned_be16(head) + 2;
    uint32_t first_page = 8 + (uint32_t)sg_get_unaligned_be16(head + 6);
    /* The page's own length is in sight only without block descriptors. */
    uint32_t page_end = first_page + 2 + (first_page == 8 ? head[9] : 0u);

    return said > page_end ? said : page_end;
}

/* MMC-5 6.7. */
int mmc_reply_event(const uint8_t *reply, size_t len, struct mmc_event *out) {
    struct mmc_event event = {0};

    if (len < 4) {
        return -EPROTO;
    }
    event.supported = reply[3];
    len = sized_16(reply, len);
    /* NEA: none of the classes asked for is known. Class 7 is reserved. */
    if (len < 8 || bit(reply[2], 7) || (reply[2] & 7) == 7) {
        *out = event;
        return 0;
    }
    event.event_class = (enum mmc_event_class)(reply[2] & 7);
    event.code = reply[4] & 0x0F;
    event.status = reply[5];
    event.detail = sg_get_unaligned_be16(reply + 6);
    if (event.event_class == MMC_EVENT_MEDIA) {
        event.medium_present = bit(reply[5], 1);
        event.tray_open = bit(reply[5], 0);
    }
    *out = event;
    return 0;
}

/* MMC-5 6.8. */
int mmc_reply_write_speeds(const uint8_t *reply, size_t len,
                           struct mmc_write_speeds *out) {
    struct mmc_write_speeds list = {0};

    if (len < 8) {
        return -EPROTO;
    }
    len = sized_32(reply, len);
    for (size_t at = 8; at + 16 <= len && list.count < MMC_WRITE_SPEEDS_MAX;
         at += 16) {
        struct mmc_write_speed *speed = &list.speeds[list.count++];

        speed->rotation = (reply[at] >> 3) & 3;
        speed->exact = bit(reply[at], 1);
        speed->mrw = bit(reply[at], 0);
        speed->end_lba = sg_get_unaligned_be32(reply + at + 4);
        speed->read_kbs = sg_get_unaligned_be32(reply + at + 8);
        speed->write_kbs = sg_get_unaligned_be32(reply + at + 12);
    }
    *out = list;
    return 0;
}

/* MMC-5 6.26.3.2. */
int mmc_reply_toc(const uint8_t *reply, size_t len, struct mmc_toc *out) {
    struct mmc_toc toc = {0};

    if (len < 4 || (len = sized_16(reply, len)) < 4) {
        return -EPROTO;
    }
    toc.first_track = reply[2];
    toc.last_track = reply[3];
    for (size_t at = 4; at + 8 <= len && toc.count < MMC_TOC_TRACKS_MAX;
         at += 8) {
        struct mmc_toc_track *track = &toc.tracks[toc.count++];

        track->data = bit(reply[at + 1], 2);
        track->track = reply[at + 2];
        track->start = sg_get_unaligned_be32(reply + at + 4);
    }
    *out = toc;
    return 0;
}

/* MMC-5 6.26.3.3. */
int mmc_reply_toc_sessions(const uint8_t *reply, size_t len,
                           struct mmc_toc_sessions *out) {
    if (len < 12 || sized_16(reply, len) < 12) {
        return -EPROTO;
    }
    out->first_session = reply[2];
    out->last_session = reply[3];
    out->first_track_last_session = reply[6];
    out->last_session_start = sg_get_unaligned_be32(reply + 8);
    return 0;
}

/* Highest recording speed by CD-RW sub-type and the code in A1; zeros are
 * reserved codes. CD-R has sub-type 0 to 7 of its own without such a code. */
static uint16_t atip_speed(uint8_t sub_type, uint8_t code) {
    static const uint8_t speeds[3][12] = {
        {0, 2, 4, 6, 8},                           /* standard */
        {0, 2, 4, 6, 10},                          /* high speed */
        {0, 2, 4, 8, 0, 0, 16, 0, 24, 32, 40, 48}, /* ultra speed */
    };

    return sub_type < 3 && code < 12 ? speeds[sub_type][code] : 0;
}

/* MMC-5 6.26.3.6. The lead-out is what the formatted size hangs on, so it has
 * to be there; the speed may be missing. */
int mmc_reply_atip(const uint8_t *reply, size_t len, struct mmc_atip *out) {
    struct mmc_atip atip = {0};

    if (len < 15 || (len = sized_16(reply, len)) < 15) {
        return -EPROTO;
    }
    atip.erasable = bit(reply[6], 6);
    atip.sub_type = (reply[6] >> 3) & 7;
    atip.lead_in_lba = mmc_msf_to_lba(reply[8], reply[9], reply[10]);
    atip.lead_out_lba = mmc_msf_to_lba(reply[12], reply[13], reply[14]);
    if (atip.erasable && bit(reply[6], 2) && len >= 17) {
        atip.max_speed_x = atip_speed(atip.sub_type, reply[16] & 0x0F);
    }
    *out = atip;
    return 0;
}

int mmc_reply_buffer_capacity(const uint8_t *reply, size_t len,
                              struct mmc_buffer_capacity *out) {
    uint32_t bytes, free_bytes;

    if (len < 12) {
        return -EPROTO;
    }
    bytes = sg_get_unaligned_be32(reply + 4);
    free_bytes = sg_get_unaligned_be32(reply + 8);
    out->bytes = bytes;
    out->free_bytes = free_bytes > bytes ? bytes / 2 : free_bytes;
    return 0;
}

/* MMC-5 6.23 (format C0h), behind the four bytes of header. */
int mmc_reply_write_protection(const uint8_t *reply, size_t len,
                               struct mmc_write_protection *out) {
    if (len < 5 || sized_16(reply, len) < 5) {
        return -EPROTO;
    }
    out->by_disc = bit(reply[4], 3);
    out->by_cartridge = bit(reply[4], 2);
    out->persistent = bit(reply[4], 1);
    out->by_software = bit(reply[4], 0);
    return 0;
}
