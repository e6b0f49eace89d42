/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/reply.h - decodes what drives answer: bytes in, host structs out. Pure.
 *
 * Replies are hostile: `len` is the number of bytes that really arrived, and
 * no length, count or offset inside the reply is believed beyond it. A reply
 * that ends early is decoded as far as the standard lets older drives stop;
 * shorter ones give -EPROTO and leave *out untouched.
 *
 * Clauses: MMC-5 chapters 5 (features) and 6 (commands).
 */
#ifndef MMC_REPLY_H
#define MMC_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* INQUIRY, standard data; names trimmed of blanks, unprintables as '?'. */
struct mmc_inquiry {
    uint8_t device_type; /* 05h: MMC */
    bool removable;
    char vendor[9], product[17], revision[5];
};
enum { MMC_DEVICE_TYPE_MMC = 5, MMC_INQUIRY_BYTES = 36 };

int mmc_reply_inquiry(const uint8_t *reply, size_t len,
                      struct mmc_inquiry *out);

/* Feature codes (MMC-5 5.3) that decide something here. */
enum mmc_feature_code {
    MMC_FEATURE_PROFILE_LIST = 0x0000,
    MMC_FEATURE_CORE = 0x0001,
    MMC_FEATURE_MORPHING = 0x0002,
    MMC_FEATURE_REMOVABLE = 0x0003,
    MMC_FEATURE_WRITE_PROTECT = 0x0004,
    MMC_FEATURE_RANDOM_READABLE = 0x0010,
    MMC_FEATURE_RANDOM_WRITABLE = 0x0020,
    MMC_FEATURE_INCREMENTAL = 0x0021,
    MMC_FEATURE_FORMATTABLE = 0x0023,
    MMC_FEATURE_DEFECT_MANAGEMENT = 0x0024,
    MMC_FEATURE_RESTRICTED_OVERWRITE = 0x0026,
    MMC_FEATURE_MRW = 0x0028,
    MMC_FEATURE_DVD_PLUS_RW = 0x002A,
    MMC_FEATURE_RIGID_OVERWRITE = 0x002C,
    MMC_FEATURE_CD_TAO = 0x002D,
    MMC_FEATURE_CD_MASTERING = 0x002E,
    MMC_FEATURE_DVD_R_WRITE = 0x002F,
    MMC_FEATURE_CD_RW_MEDIA = 0x0037,
    MMC_FEATURE_BD_R_POW = 0x0038,
    MMC_FEATURE_DVD_PLUS_RW_DL = 0x003A,
    MMC_FEATURE_BD_READ = 0x0040,
    MMC_FEATURE_BD_WRITE = 0x0041,
    MMC_FEATURE_REAL_TIME_STREAMING = 0x0107,
    MMC_FEATURE_SERIAL_NUMBER = 0x0108
};

/* GET CONFIGURATION: header and raw feature descriptors. */
enum { MMC_CONFIGURATION_MAX = 4096 };
struct mmc_configuration {
    uint16_t profile; /* current, 0 = none */
    size_t len;       /* bytes used of features */
    uint8_t features[MMC_CONFIGURATION_MAX];
};

/* One feature descriptor; `data` (data_len bytes) is what follows its first
 * four bytes, and lives as long as the configuration. */
struct mmc_feature {
    uint16_t code;
    uint8_t version;
    bool persistent;
    bool current;
    uint8_t data_len;
    const uint8_t *data;
};

/* Where an iteration over the features of a configuration is. */
struct mmc_feature_iter {
    const struct mmc_configuration *configuration;
    size_t offset;
};

/* More than MMC_CONFIGURATION_MAX bytes of features are cut. */
int mmc_reply_configuration(const uint8_t *reply, size_t len,
                            struct mmc_configuration *out);

/* Starts, and steps; false past the last whole descriptor. */
struct mmc_feature_iter
mmc_feature_begin(const struct mmc_configuration *configuration);
bool mmc_feature_next(struct mmc_feature_iter *iter, struct mmc_feature *out);

/* Finds a feature whether current or not. Returns 0 or -ENOENT. */
int mmc_feature_find(const struct mmc_configuration *configuration,
                     uint16_t code, struct mmc_feature *out);

/* Whether the feature is there and current. */
bool mmc_feature_is_current(const struct mmc_configuration *configuration,
                            uint16_t code);

/* READ DISC INFORMATION, standard form. */
enum mmc_disc_status {
    MMC_DISC_STATUS_EMPTY,
    MMC_DISC_STATUS_APPENDABLE,
    MMC_DISC_STATUS_COMPLETE,
    MMC_DISC_STATUS_OTHER /* random access */
};
enum mmc_session_state {
    MMC_SESSION_EMPTY,
    MMC_SESSION_INCOMPLETE,
    MMC_SESSION_DAMAGED,
    MMC_SESSION_COMPLETE
};
enum mmc_background_format {
    MMC_BACKGROUND_NONE,    /* not formatted, or not this kind of medium */
    MMC_BACKGROUND_STOPPED, /* begun, incomplete, can be restarted */
    MMC_BACKGROUND_RUNNING,
    MMC_BACKGROUND_COMPLETE,
    MMC_BACKGROUND_UNKNOWN /* never a reply: there was none */
};
struct mmc_disc_information {
    enum mmc_disc_status status;
    enum mmc_session_state last_session;
    enum mmc_background_format background;
    bool erasable;
    bool dirty;        /* MRW: not parked cleanly */
    bool unrestricted; /* URU */
    uint16_t sessions;
    uint16_t first_track; /* on the disc */
    uint16_t first_track_last_session;
    uint16_t last_track_last_session;
    uint8_t disc_type; /* 00h data, 20h XA, FFh undefined */
    bool lead_out_valid;
    int32_t lead_out_lba; /* CD: last possible start of the lead-out */
    uint8_t opc_entries;
};

int mmc_reply_disc_information(const uint8_t *reply, size_t len,
                               struct mmc_disc_information *out);

/* READ TRACK INFORMATION. */
struct mmc_track_information {
    uint16_t track, session;
    uint8_t track_mode; /* 4 data uninterrupted, 5 data incremental */
    uint8_t data_mode;  /* 1, 2 (XA), 0Fh unknown */
    bool damaged;
    bool copy;
    bool reserved;
    bool blank;
    bool packet;       /* packet or incremental */
    bool fixed_packet; /* FP */
    bool nwa_valid;
    bool last_recorded_valid;
    uint32_t start; /* LBA */
    uint32_t nwa;   /* LBA, if nwa_valid */
    uint32_t free_blocks;
    uint32_t packet_blocks; /* fixed packet size or blocking factor */
    uint32_t blocks;        /* size */
    uint32_t last_recorded; /* LBA, if last_recorded_valid */
};

int mmc_reply_track_information(const uint8_t *reply, size_t len,
                                struct mmc_track_information *out);

/* READ FORMAT CAPACITIES. */
enum mmc_capacity_kind {
    MMC_CAPACITY_RESERVED,
    MMC_CAPACITY_UNFORMATTED, /* blocks: the most that can be formatted */
    MMC_CAPACITY_FORMATTED,   /* blocks: current capacity */
    MMC_CAPACITY_NO_MEDIUM    /* or DVD-RW in intermediate state */
};
struct mmc_format_descriptor {
    uint32_t blocks;
    uint8_t type;       /* enum mmc_format_type of mmc/cdb.h */
    uint32_t parameter; /* type dependent, 24 bits */
};
enum { MMC_FORMAT_DESCRIPTORS_MAX = 31 };
struct mmc_format_capacities {
    enum mmc_capacity_kind kind;
    uint32_t blocks;
    uint32_t block_bytes;
    uint8_t count;
    struct mmc_format_descriptor formats[MMC_FORMAT_DESCRIPTORS_MAX];
};

/* Some drives count their four header bytes in the list length: taken off. */
int mmc_reply_format_capacities(const uint8_t *reply, size_t len,
                                struct mmc_format_capacities *out);

/* First descriptor of `type`. Returns 0 or -ENOENT. */
int mmc_format_find(const struct mmc_format_capacities *capacities,
                    uint8_t type, struct mmc_format_descriptor *out);

/* READ CAPACITY. */
struct mmc_capacity {
    uint32_t last_lba;
    uint32_t block_bytes;
};

int mmc_reply_capacity(const uint8_t *reply, size_t len,
                       struct mmc_capacity *out);

/* One mode page, from its first byte, as MODE SENSE gives it and MODE SELECT
 * takes it. */
enum { MMC_MODE_PAGE_MAX = 257 };
struct mmc_mode_page {
    uint16_t len; /* bytes used: 2 + page length */
    uint8_t bytes[MMC_MODE_PAGE_MAX];
};

/* Finds page `code` in a MODE SENSE(10) reply, behind any block descriptors
 * and other pages. The header's length may be too small (SANYO drives): the
 * page's own length counts. -ENOENT when it is not there, -EPROTO when it is
 * cut off. */
int mmc_reply_mode_page(const uint8_t *reply, size_t len, uint8_t code,
                        struct mmc_mode_page *out);

/* Bytes to ask for to get the first page of a MODE SENSE(10) reply whole,
 * from the first ten bytes of that reply. */
uint32_t mmc_reply_mode_length(const uint8_t head[10]);

/* GET EVENT STATUS NOTIFICATION: one event. */
enum mmc_event_class {
    MMC_EVENT_NONE = 0,
    MMC_EVENT_OPERATIONAL = 1,
    MMC_EVENT_POWER = 2,
    MMC_EVENT_EXTERNAL = 3,
    MMC_EVENT_MEDIA = 4,
    MMC_EVENT_MULTI_HOST = 5,
    MMC_EVENT_BUSY = 6
};
enum mmc_media_event {
    MMC_MEDIA_NO_CHANGE = 0,
    MMC_MEDIA_EJECT_REQUEST = 1,
    MMC_MEDIA_NEW = 2,
    MMC_MEDIA_REMOVED = 3,
    MMC_MEDIA_CHANGED = 4,
    MMC_MEDIA_FORMAT_COMPLETE = 5,
    MMC_MEDIA_FORMAT_RESTARTED = 6
};
struct mmc_event {
    enum mmc_event_class event_class; /* MMC_EVENT_NONE: nothing to report */
    uint8_t supported;                /* bits of enum mmc_event_mask */
    uint8_t code;    /* 0 = no change; class 4: enum mmc_media_event */
    uint8_t status;  /* raw second byte of the event */
    uint16_t detail; /* raw third and fourth byte */
    bool medium_present, tray_open; /* class 4 only */
};

int mmc_reply_event(const uint8_t *reply, size_t len, struct mmc_event *out);

/* GET PERFORMANCE type 3: one write speed. */
struct mmc_write_speed {
    uint8_t rotation; /* WRC */
    bool exact, mrw;
    uint32_t end_lba;
    uint32_t read_kbs, write_kbs; /* 1000 bytes a second */
};
enum { MMC_WRITE_SPEEDS_MAX = 32 };
struct mmc_write_speeds {
    uint8_t count;
    struct mmc_write_speed speeds[MMC_WRITE_SPEEDS_MAX];
};

int mmc_reply_write_speeds(const uint8_t *reply, size_t len,
                           struct mmc_write_speeds *out);

/* READ TOC/PMA/ATIP format 0. */
struct mmc_toc_track {
    uint8_t track; /* AAh: lead-out */
    bool data;
    uint32_t start; /* LBA */
};
enum { MMC_TOC_TRACKS_MAX = 100, MMC_TOC_LEAD_OUT = 0xAA };
struct mmc_toc {
    uint8_t first_track, last_track;
    uint8_t count;
    struct mmc_toc_track tracks[MMC_TOC_TRACKS_MAX];
};

int mmc_reply_toc(const uint8_t *reply, size_t len, struct mmc_toc *out);

/* READ TOC/PMA/ATIP format 1. */
struct mmc_toc_sessions {
    uint8_t first_session, last_session; /* complete ones */
    uint8_t first_track_last_session;
    uint32_t last_session_start; /* LBA */
};

int mmc_reply_toc_sessions(const uint8_t *reply, size_t len,
                           struct mmc_toc_sessions *out);

/* READ TOC/PMA/ATIP format 4: what is pressed into a CD-R or CD-RW. */
struct mmc_atip {
    bool erasable;
    uint8_t sub_type;
    uint16_t max_speed_x; /* highest recording speed, 0 = not stated */
    int32_t lead_in_lba;
    int32_t lead_out_lba; /* last possible start of the lead-out */
};

int mmc_reply_atip(const uint8_t *reply, size_t len, struct mmc_atip *out);

/* READ BUFFER CAPACITY. Drives whose free part exceeds the whole are taken
 * as half full. */
struct mmc_buffer_capacity {
    uint32_t bytes, free_bytes;
};

int mmc_reply_buffer_capacity(const uint8_t *reply, size_t len,
                              struct mmc_buffer_capacity *out);

/* READ DISC STRUCTURE format C0h. */
struct mmc_write_protection {
    bool by_disc;      /* MSWI: the disc inhibits writing */
    bool by_cartridge; /* CWP */
    bool persistent;   /* PWP */
    bool by_software;  /* SWPP */
};

int mmc_reply_write_protection(const uint8_t *reply, size_t len,
                               struct mmc_write_protection *out);

/* LBA of a CD address; the lead-in (90 minutes and more) is negative. */
int32_t mmc_msf_to_lba(uint8_t minute, uint8_t second, uint8_t frame);

#endif
