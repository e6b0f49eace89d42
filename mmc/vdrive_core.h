/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_core.h - what the files of the virtual drive share; nobody else
 * includes it. Reading order:
 *
 *   vdrive.c           on and off, one command: who may run now, dispatch
 *   vdrive_media.c     the media: one row each, and what the rows mean
 *   vdrive_features.c  GET CONFIGURATION
 *   vdrive_info.c      the other commands that only tell
 *   vdrive_speed.c     speeds: what there are, what is set
 *   vdrive_disc.c      what is recorded: disc, track, TOC
 *   vdrive_capacity.c  capacities, and the formats on offer
 *   vdrive_structure.c READ and SEND DISC STRUCTURE
 *   vdrive_mode.c      mode pages
 *   vdrive_tray.c      tray, door lock, eject button, media events
 *   vdrive_rules.c     which blocks may be read and written
 *   vdrive_write.c     READ, WRITE, VERIFY, SYNCHRONIZE CACHE
 *   vdrive_plan.c      FORMAT UNIT's parameter list
 *   vdrive_format.c    BLANK, FORMAT UNIT, CLOSE and their progress
 *   vdrive_background.c formats that go on while the disc is used
 *   vdrive_model.c     what all that costs in time
 *   vdrive_buffer.c    packets that a power cut may lose
 *   vdrive_fault.c     what goes wrong on request
 *   vdrive_quirk.c     drives that do not follow the rules
 *   vdrive_faultfile.c such requests as text
 *   vdrive_sidecar.c   the two files
 *
 * A command's handler returns the sense that it ends with, 0 for GOOD. It
 * trusts that vdrive.c let it run: medium present and at rest where the
 * command needs that. CDBs and parameter lists are the host's and checked.
 */
#ifndef MMC_VDRIVE_CORE_H
#define MMC_VDRIVE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmc/transport.h"
#include "mmc/vdrive.h"

enum { VDRIVE_BLOCK_BYTES = 2048, VDRIVE_PACKET_BLOCKS_MAX = 32 };

/* Sense as key, ASC, ASCQ in one number (MMC-5 annex F). */
enum vdrive_sense {
    VDRIVE_GOOD = 0,
    VDRIVE_BACKGROUND_FORMAT = 0x000404,
    VDRIVE_BECOMING_READY = 0x020401,
    VDRIVE_FORMAT_IN_PROGRESS = 0x020404,
    VDRIVE_OPERATION_IN_PROGRESS = 0x020407,
    VDRIVE_LONG_WRITE_IN_PROGRESS = 0x020408,
    VDRIVE_NOT_READY_SEQUENCE = 0x022C00,
    VDRIVE_NO_MEDIUM_TRAY_CLOSED = 0x023A01,
    VDRIVE_NO_MEDIUM_TRAY_OPEN = 0x023A02,
    VDRIVE_WRITE_FAILED = 0x030C00,
    VDRIVE_NO_SPARE_LEFT = 0x030C02,
    VDRIVE_READ_FAILED = 0x031105,
    VDRIVE_FORMAT_CORRUPTED = 0x033100,
    VDRIVE_TOC_UNREADABLE = 0x035700,
    VDRIVE_CALIBRATION_ERROR = 0x037303,
    VDRIVE_INTERNAL_FAILURE = 0x044400,
    VDRIVE_LIST_LENGTH = 0x051A00,
    VDRIVE_UNKNOWN_OPCODE = 0x052000,
    VDRIVE_OUT_OF_RANGE = 0x052100,
    VDRIVE_BAD_WRITE_ADDRESS = 0x052102,
    VDRIVE_INVALID_FIELD = 0x052400,
    VDRIVE_INVALID_PARAMETER = 0x052600,
    VDRIVE_SEQUENCE_ERROR = 0x052C00,
    VDRIVE_CANNOT_READ_FORMAT = 0x053002,
    VDRIVE_CANNOT_WRITE_FORMAT = 0x053005,
    VDRIVE_SAVING_NOT_SUPPORTED = 0x053900,
    VDRIVE_REMOVAL_PREVENTED = 0x055302,
    VDRIVE_PACKET_DOES_NOT_FIT = 0x056301,
    VDRIVE_WRONG_TRACK_MODE = 0x056400,
    VDRIVE_WRONG_PACKET_SIZE = 0x056401,
    VDRIVE_MEDIUM_CHANGED = 0x062800,
    VDRIVE_POWER_ON = 0x062900,
    VDRIVE_WRITE_PROTECTED = 0x072700,
    VDRIVE_BLANK_CHECK = 0x080000
};

/* ---- The medium -------------------------------------------------------- */

/* What is recorded on it. Kept in the sidecar: the numbers are the file's. */
enum vdrive_state {
    VDRIVE_BLANK = 1,
    VDRIVE_TORN = 2,       /* a format or blank began and did not end */
    VDRIVE_FORMATTED = 3,  /* to be overwritten, or in intermediate state */
    VDRIVE_APPENDABLE = 4, /* written in order, session open */
    VDRIVE_CLOSED = 5      /* the same, session closed: finalized */
};

/* How the medium is formatted: formats and capacities on offer. */
enum vdrive_family {
    VDRIVE_FAMILY_CD_RW,
    VDRIVE_FAMILY_MRW, /* CD-RW in a drive that knows Mount Rainier */
    VDRIVE_FAMILY_DVD_RW,
    VDRIVE_FAMILY_DVD_PLUS_RW,
    VDRIVE_FAMILY_DVD_RAM,
    VDRIVE_FAMILY_BD_RE,
    VDRIVE_FAMILY_BD_R,
    VDRIVE_FAMILY_WRITE_ONCE /* not formatted at all */
};

/* What a medium is like. */
enum vdrive_trait {
    VDRIVE_CD = 1u << 0, /* TOC, ATIP, addresses as MSF */
    VDRIVE_DVD = 1u << 1,
    VDRIVE_BD = 1u << 2,
    VDRIVE_WHOLE_PACKETS = 1u << 3, /* aligned ones; restricted overwrite */
    VDRIVE_ANY_BLOCK = 1u << 4,     /* random overwrite */
    VDRIVE_IN_ORDER = 1u << 5,      /* blank: at the next writable address */
    VDRIVE_WRITE_ONCE = 1u << 6,
    VDRIVE_NEEDS_PAGE_05 = 1u << 7,  /* right for the track, to write */
    VDRIVE_CAN_BE_BLANKED = 1u << 8, /* BLANK types 0 and 1 */
    VDRIVE_LEGACY_FORMAT = 1u << 9,  /* format code 7 of MMC-1 */
    VDRIVE_SOLD_FORMATTED = 1u << 10,
    VDRIVE_SPARES = 1u << 11 /* the drive replaces bad packets */
};

/* Class figures of the drive-time model (vdrive_model.c, vdrive_format.c). */
struct vdrive_figures {
    uint32_t read_blocks_per_s;
    uint32_t seek_us;
    uint32_t resume_us;  /* writing again after something else */
    uint32_t gap_blocks; /* longest forward gap that is read over */
    uint32_t quick_s;    /* minimal blank, quick format, lead-in */
    uint32_t close_s;    /* CLOSE SESSION */
    uint32_t certify_passes;
    uint32_t spin_up_ms;
};

enum { VDRIVE_SPEEDS_MAX = 4 };

/* Capacities are those of the whole disc, spare areas and all. */
struct vdrive_medium {
    uint32_t id;      /* in the sidecar; never given to another medium */
    const char *word; /* as mmc_media_word() has it */
    enum vdrive_family family;
    uint16_t profile;
    uint16_t formatted_profile; /* where that is another one, else 0 */
    uint16_t packet_blocks;
    unsigned traits; /* enum vdrive_trait */
    uint32_t usual_blocks, least_blocks, most_blocks;
    uint8_t format_type; /* enum mmc_format_type, as done by default */
    uint8_t book_type;   /* of DVD, with its version */
    uint32_t packet_us;  /* at the highest write speed */
    uint32_t rmw_us;     /* the drive completes a partial packet */
    const struct vdrive_figures *figures;
    uint32_t buffer_bytes; /* of a drive of its class */
    uint16_t read_kbs;
    uint16_t write_kbs[VDRIVE_SPEEDS_MAX]; /* fastest first, 0 ends */
};

/* The row of a word or a sidecar's number; NULL when there is none. */
const struct vdrive_medium *vdrive_medium_of_word(const char *word);
const struct vdrive_medium *vdrive_medium_of_id(uint32_t id);
/* Blocks for the host on a disc of `max_blocks` after a format of `type`, as
 * much as can be had by default. */
uint32_t vdrive_medium_capacity(const struct vdrive_medium *medium,
                                uint32_t max_blocks, uint8_t type);
/* The disc that has `blocks` after the default format; 0 when none has. */
uint32_t vdrive_medium_whole(const struct vdrive_medium *medium,
                             uint32_t blocks);
/* What spare areas are multiples of, on a disc of `max_blocks`. */
uint32_t vdrive_medium_spare_unit(const struct vdrive_medium *medium,
                                  uint32_t max_blocks);

/* ---- The two files ----------------------------------------------------- */

/* The sidecar: this head, then a u16 for each packet that counts how often it
 * was written, filled up to 8 bytes, then two bits for each packet (mmc/bits.h,
 * one map after the other): it cannot be read; a background format has not
 * come to it but the host has written it. Numbers are in the order of the
 * machine that made it; `byte_order` tells. It is mapped, so that a killed
 * process leaves it as far as it came. */
struct vdrive_head {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint32_t medium; /* struct vdrive_medium.id */
    uint32_t state;  /* enum vdrive_state */
    uint32_t packet_blocks;
    uint32_t max_blocks;       /* capacity when fully formatted */
    uint32_t formatted_blocks; /* FORMATTED, CLOSED: for the host; else 0 */
    uint32_t data_block_type;  /* of page 05h, as formatted; else 0 */
    uint32_t protect;          /* enum vdrive_protection */
    uint32_t reserved0;
    uint64_t packets_written, write_commands, blocks_read, read_commands;
    uint64_t commands, refused, seeks, gap_blocks, syncs, formats, blanks;
    uint64_t busy_us;
    uint64_t partial_units, drive_rmws, spared;
    uint32_t format_type;    /* FORMATTED, BD-R: of the last FORMAT UNIT */
    uint32_t intermediate;   /* DVD-RW in intermediate state: 0 or 1 */
    uint32_t next_writable;  /* APPENDABLE or in intermediate state */
    uint32_t append_blocks;  /* BD-R formatted: where its data ends */
    uint32_t background;     /* enum mmc_background_format */
    uint32_t deiced_packets; /* the background format came that far */
    uint32_t minimal;        /* blanked minimally: 0 or 1 */
    uint32_t dirty;          /* CD-MRW not parked: 0 or 1 */
    uint32_t spares_used;    /* packets, since it was formatted */
    uint32_t overwrites;     /* BD-R pseudo-overwrite: 0 or 1 */
    uint8_t reserved[4096 - 208];
};

enum vdrive_protection {
    VDRIVE_PROTECT_CASE = 1u << 0,      /* cartridge, tab */
    VDRIVE_PROTECT_PERSISTENT = 1u << 1 /* PWP, by SEND DISC STRUCTURE */
};

struct vdrive_files {
    int image_fd, sidecar_fd; /* -1: not open */
    size_t mapped_bytes;
    struct vdrive_head *head; /* the mapped sidecar */
    uint16_t *writes;         /* per packet */
    uint64_t *unreadable;     /* bitmaps */
    uint64_t *recorded;
    uint32_t packets;
};

int vdrive_files_open(struct vdrive_files *files, const char *image_path,
                      bool writable);
void vdrive_files_close(struct vdrive_files *files);
/* Whole blocks. Return 0 or a negative errno. */
int vdrive_files_read(const struct vdrive_files *files, uint32_t lba,
                      uint32_t count, void *buf);
int vdrive_files_write(const struct vdrive_files *files, uint32_t lba,
                       uint32_t count, const void *buf);
/* Makes the image `blocks` blocks of zeros, every packet readable. */
int vdrive_files_erase(const struct vdrive_files *files, uint32_t blocks);
/* Makes the image that long, zeros in what is new. */
int vdrive_files_resize(const struct vdrive_files *files, uint32_t blocks);
/* "PATH" + suffix, for free(); NULL when memory is short. */
char *vdrive_path(const char *image_path, const char *suffix);

/* ---- The parts of a drive ---------------------------------------------- */

/* The clock, and where the pick-up is. Owned by vdrive_model.c. */
struct vdrive_model {
    uint64_t now_us;
    uint64_t idle_at_us; /* the buffer is on the medium then */
    bool positioned;
    bool writing;      /* what was done last */
    uint32_t next_lba; /* that would follow on */
    uint16_t read_kbs, write_kbs;
};

enum { VDRIVE_MODE_PAGES = 4, VDRIVE_MODE_PAGE_MAX = 52 };

/* Current values of the mode pages. Owned by vdrive_mode.c. */
struct vdrive_modes {
    uint8_t pages[VDRIVE_MODE_PAGES][VDRIVE_MODE_PAGE_MAX];
};

enum { VDRIVE_EVENTS_MAX = 8 };

/* Owned by vdrive_tray.c. */
struct vdrive_tray {
    bool open;
    bool loaded; /* medium in the closed tray */
    bool prevented, persistently_prevented;
    uint64_t ready_at_us; /* spun up */
    uint32_t back_after;  /* commands until somebody pushes it in; 0: nobody */
    uint8_t events[VDRIVE_EVENTS_MAX];
    unsigned event_count;
};

/* What FORMAT UNIT asks for (vdrive_plan.c). */
struct vdrive_plan {
    uint8_t type, sub_type;
    uint8_t data_block_type;
    bool restart;     /* background format: go on */
    bool quick_start; /* the same: lead-in later */
    bool certify;
    bool immediate;
    uint32_t blocks; /* it will have, or to add */
};

/* A format that is offered. */
struct vdrive_offer {
    uint8_t type;
    uint32_t blocks;
    uint32_t parameter;
};

enum { VDRIVE_OFFERS_MAX = 8 };

enum vdrive_operation_kind {
    VDRIVE_IDLE,
    VDRIVE_BLANKING,
    VDRIVE_FORMATTING,
    VDRIVE_CLOSING
};

/* A long operation. Owned by vdrive_format.c. */
struct vdrive_operation {
    enum vdrive_operation_kind kind;
    uint64_t start_us, end_us;
    struct vdrive_plan plan; /* FORMATTING */
    bool minimal;            /* BLANKING */
};

struct vdrive_buffered {
    uint32_t pkt;
    bool was_unreadable;
};

/* Packets since the last SYNCHRONIZE CACHE, with what they replaced, oldest
 * first; as many as the drive's buffer holds. Owned by vdrive_buffer.c. */
struct vdrive_buffer {
    unsigned capacity, first, count;
    uint32_t packet_bytes;
    struct vdrive_buffered *entries; /* ring of `capacity` */
    uint8_t *images;                 /* capacity * packet_bytes */
};

enum { VDRIVE_FAULTS_MAX = 64 };

/* Owned by vdrive_fault.c. */
struct vdrive_faults {
    struct mmc_vdrive_fault waiting[VDRIVE_FAULTS_MAX];
    unsigned count;
    bool strict_buffer;
    uint32_t quirks; /* a bit for each enum mmc_vdrive_quirk_kind */
    uint64_t not_ready_until_us, long_write_until_us;
};

enum vdrive_attention {
    VDRIVE_ATTENTION_POWER_ON = 1u << 0,
    VDRIVE_ATTENTION_MEDIUM = 1u << 1
};

struct vdrive {
    struct mmc_transport transport; /* first: see mmc/transport.h */
    const struct vdrive_medium *medium;
    struct vdrive_files files;
    struct vdrive_model model;
    struct vdrive_modes modes;
    struct vdrive_tray tray;
    struct vdrive_operation operation;
    struct vdrive_buffer buffer;
    struct vdrive_faults faults;
    uint64_t background_us; /* since then, a background format has the drive
                               to itself */
    bool formatted_here;    /* since the disc was loaded */
    bool out_of_sequence;   /* see MMC_VDRIVE_QUIRK_SEQUENCE_ERROR */
    bool calibrated;        /* see MMC_VDRIVE_QUIRK_WANTS_OPC */
    unsigned attention;     /* unit attentions to come */
    bool writable;          /* the files may be changed */
    bool gone;              /* no power, or off the bus */
};

/* One command on its way through the drive. */
struct vdrive_io {
    const struct mmc_request *request;
    const uint8_t *cdb;
    uint32_t moved; /* bytes transferred */
    bool info_valid;
    uint32_t info; /* for the sense's INFORMATION field */
    bool deferred; /* the sense is about an earlier command */
    int error;     /* the transport fails, whatever the sense */
};

/* ---- vdrive.c ---------------------------------------------------------- */

static inline struct vdrive *vdrive_of(struct mmc_transport *transport) {
    return (struct vdrive *)transport; /* the drive's first member */
}

static inline uint32_t vdrive_packet_bytes(const struct vdrive *drive) {
    return (uint32_t)drive->medium->packet_blocks * VDRIVE_BLOCK_BYTES;
}

static inline bool vdrive_has(const struct vdrive *drive,
                              enum vdrive_trait trait) {
    return (drive->medium->traits & trait) != 0;
}

/* Whether the medium's tab, or the way the drive was opened, forbids it. */
static inline bool vdrive_protected(const struct vdrive *drive) {
    return !drive->writable || drive->files.head->protect;
}

static inline enum vdrive_state vdrive_state(const struct vdrive *drive) {
    return (enum vdrive_state)drive->files.head->state;
}

static inline bool vdrive_quirk(const struct vdrive *drive,
                                enum mmc_vdrive_quirk_kind quirk) {
    return drive->faults.quirks >> quirk & 1;
}

static inline bool vdrive_mrw_formatted(const struct vdrive *drive) {
    return drive->medium->family == VDRIVE_FAMILY_MRW &&
           drive->files.head->background != 0;
}

/* Hands `len` bytes to the host, cut to its allocation length. */
void vdrive_answer(struct vdrive_io *io, const uint8_t *reply, size_t len,
                   uint32_t allocation);
/* Fills 18 bytes of fixed sense (SPC-3 4.5.3). */
void vdrive_fill_sense(const struct vdrive *drive, const struct vdrive_io *io,
                       enum vdrive_sense sense, uint8_t *out_bytes);
/* What keeps a command from running now: power on, a changed medium. Taken
 * away by being asked for. */
enum vdrive_sense vdrive_take_attention(struct vdrive *drive);
/* Whether the medium can be used now; VDRIVE_GOOD if so. */
enum vdrive_sense vdrive_readiness(const struct vdrive *drive);
/* Forgets what a reset or another medium makes the drive forget. */
void vdrive_forget_settings(struct vdrive *drive);

/* ---- the other files ---------------------------------------------------- */

enum vdrive_sense vdrive_get_configuration(struct vdrive *drive,
                                           struct vdrive_io *io);
enum vdrive_sense vdrive_inquiry(struct vdrive *drive, struct vdrive_io *io);
enum vdrive_sense vdrive_request_sense(struct vdrive *drive,
                                       struct vdrive_io *io);
enum vdrive_sense vdrive_test_unit_ready(struct vdrive *drive,
                                         struct vdrive_io *io);
enum vdrive_sense vdrive_read_buffer_capacity(struct vdrive *drive,
                                              struct vdrive_io *io);
enum vdrive_sense vdrive_get_performance(struct vdrive *drive,
                                         struct vdrive_io *io);
enum vdrive_sense vdrive_set_cd_speed(struct vdrive *drive,
                                      struct vdrive_io *io);
enum vdrive_sense vdrive_send_opc(struct vdrive *drive, struct vdrive_io *io);
enum vdrive_sense vdrive_read_disc_structure(struct vdrive *drive,
                                             struct vdrive_io *io);
enum vdrive_sense vdrive_read_disc_information(struct vdrive *drive,
                                               struct vdrive_io *io);
enum vdrive_sense vdrive_read_track_information(struct vdrive *drive,
                                                struct vdrive_io *io);
enum vdrive_sense vdrive_read_toc(struct vdrive *drive, struct vdrive_io *io);
enum vdrive_sense vdrive_read_capacity(struct vdrive *drive,
                                       struct vdrive_io *io);
enum vdrive_sense vdrive_read_format_capacities(struct vdrive *drive,
                                                struct vdrive_io *io);
enum vdrive_sense vdrive_mode_sense(struct vdrive *drive, struct vdrive_io *io);
enum vdrive_sense vdrive_mode_select(struct vdrive *drive,
                                     struct vdrive_io *io);
enum vdrive_sense vdrive_start_stop(struct vdrive *drive, struct vdrive_io *io);
enum vdrive_sense vdrive_prevent_allow(struct vdrive *drive,
                                       struct vdrive_io *io);
enum vdrive_sense vdrive_get_event(struct vdrive *drive, struct vdrive_io *io);
enum vdrive_sense vdrive_read(struct vdrive *drive, struct vdrive_io *io);
enum vdrive_sense vdrive_verify(struct vdrive *drive, struct vdrive_io *io);
enum vdrive_sense vdrive_write(struct vdrive *drive, struct vdrive_io *io);
enum vdrive_sense vdrive_synchronize_cache(struct vdrive *drive,
                                           struct vdrive_io *io);
enum vdrive_sense vdrive_blank(struct vdrive *drive, struct vdrive_io *io);
enum vdrive_sense vdrive_format_unit(struct vdrive *drive,
                                     struct vdrive_io *io);
enum vdrive_sense vdrive_close_track_session(struct vdrive *drive,
                                             struct vdrive_io *io);

enum vdrive_sense vdrive_set_streaming(struct vdrive *drive,
                                       struct vdrive_io *io);
enum vdrive_sense vdrive_send_disc_structure(struct vdrive *drive,
                                             struct vdrive_io *io);

void vdrive_modes_reset(struct vdrive *drive);
/* What is wrong with page 05h for packets on this medium whose blocks have
 * `data_block_type` (0: any that can be); VDRIVE_GOOD when nothing is. */
enum vdrive_sense vdrive_modes_check_packet(const struct vdrive *drive,
                                            uint8_t data_block_type);
/* The same for writing a blank DVD in order. */
enum vdrive_sense vdrive_modes_check_append(const struct vdrive *drive);
uint8_t vdrive_modes_data_block_type(const struct vdrive_modes *modes);
/* CD-MRW: the host addresses the general application area. */
bool vdrive_modes_in_gaa(const struct vdrive *drive);
/* Page 01h: the drive replaces packets that cannot be written. */
bool vdrive_modes_reallocates(const struct vdrive *drive);

void vdrive_tray_post_event(struct vdrive_tray *tray, uint8_t event);
void vdrive_tray_open(struct vdrive *drive);
/* The same while the drive is at work: its buffer is lost, as `cut` says. */
void vdrive_tray_pull(struct vdrive *drive, const struct mmc_vdrive_cut *cut);
void vdrive_tray_load(struct vdrive *drive);
void vdrive_tray_press_button(struct vdrive *drive);

/* How the medium is written as it is now. */
enum vdrive_way {
    VDRIVE_WAY_NONE,
    VDRIVE_WAY_PACKETS, /* whole and aligned, anywhere */
    VDRIVE_WAY_BLOCKS,  /* any */
    VDRIVE_WAY_APPEND   /* whole packets at the next writable address */
};
enum vdrive_way vdrive_way(const struct vdrive *drive);
/* Whether blocks can be read, and where they end. */
bool vdrive_has_blocks(const struct vdrive *drive);
uint32_t vdrive_readable_end(const struct vdrive *drive);
/* Where writing in order ends. */
uint32_t vdrive_append_end(const struct vdrive *drive);
enum vdrive_sense vdrive_check_read(const struct vdrive *drive, uint32_t lba,
                                    uint32_t count);
enum vdrive_sense vdrive_check_write(const struct vdrive *drive, uint32_t lba,
                                     uint32_t count);

/* The formats that are offered now, at most VDRIVE_OFFERS_MAX; their number.
 */
size_t vdrive_offers(const struct vdrive *drive, struct vdrive_offer *out);
/* Blocks of spare areas that the drive has now, used ones included. */
uint32_t vdrive_spare_blocks(const struct vdrive *drive);
/* Of them those of DVD-RAM that are always there. */
uint32_t vdrive_primary_spare_blocks(const struct vdrive *drive);

/* FORMAT UNIT: checks CDB and parameter list. */
enum vdrive_sense vdrive_plan_parse(const struct vdrive *drive,
                                    const struct vdrive_io *io,
                                    struct vdrive_plan *out_plan);

/* Ends a long operation whose time has come. */
void vdrive_operation_poll(struct vdrive *drive);
/* 0..65535 of 65536, of what runs, in the background, too. */
uint16_t vdrive_operation_progress(const struct vdrive *drive);

/* Begins a background format anew, or again where it was stopped. */
void vdrive_background_start(struct vdrive *drive);
void vdrive_background_restart(struct vdrive *drive);
void vdrive_background_stop(struct vdrive *drive);
/* Formats on with the time that the host left since the last command. */
void vdrive_background_poll(struct vdrive *drive);
/* The command is over: time counts from now on. */
void vdrive_background_rest(struct vdrive *drive);
/* Whether something was ever put on packet `pkt`. */
bool vdrive_background_recorded(const struct vdrive *drive, uint32_t pkt);
/* The host is about to write packets that may not be formatted yet. */
void vdrive_background_reach(struct vdrive *drive, uint32_t pkt,
                             uint32_t packets);
uint16_t vdrive_background_progress(const struct vdrive *drive);

/* Takes effect of the quirks that are about switching on. */
void vdrive_quirks_power_up(struct vdrive *drive);
/* Nothing can be written before the laser is calibrated. */
bool vdrive_wants_opc(const struct vdrive *drive);
/* Finds a quirk by its name; false when there is none. */
bool vdrive_quirk_find(const char *name, enum mmc_vdrive_quirk_kind *out_quirk);

void vdrive_model_start(struct vdrive *drive);
/* The costs of one access each; they move clock and counters. */
void vdrive_model_read(struct vdrive *drive, uint32_t lba, uint32_t count);
void vdrive_model_write(struct vdrive *drive, uint32_t lba, uint32_t count);
/* The drive works for `cost_us` at something of its own. */
void vdrive_model_work(struct vdrive *drive, uint64_t cost_us);
void vdrive_model_sync(struct vdrive *drive);
/* Whether the strict buffer has room for `packets` more. */
bool vdrive_model_has_room(const struct vdrive *drive, uint32_t packets);
uint32_t vdrive_model_buffer_free(const struct vdrive *drive);
uint64_t vdrive_model_packet_us(const struct vdrive *drive);

int vdrive_buffer_init(struct vdrive_buffer *buffer, uint32_t buffer_bytes,
                       uint32_t packet_bytes);
void vdrive_buffer_free(struct vdrive_buffer *buffer);
/* Remembers what is on packet `pkt` before it is overwritten. */
int vdrive_buffer_remember(struct vdrive *drive, uint32_t pkt);
void vdrive_buffer_synced(struct vdrive_buffer *buffer);
/* Puts back what the cut lost, and empties the buffer. */
void vdrive_buffer_cut(struct vdrive *drive, const struct mmc_vdrive_cut *cut);

/* Reads the faults file, if there is one. */
int vdrive_faults_load(struct vdrive_faults *faults, const char *image_path);
int vdrive_faults_add(struct vdrive_faults *faults,
                      const struct mmc_vdrive_fault *fault);
/* The command is about to run: pulls, presses, cuts off as asked for. Returns
 * whether a sense was put into *out_hit. */
bool vdrive_faults_at_command(struct vdrive *drive, uint8_t opcode,
                              struct mmc_vdrive_fault *out_hit);
/* Whether a fault of `kind` strikes at packet `pkt`, or at a WRITE. */
bool vdrive_faults_at_packet(struct vdrive *drive,
                             enum mmc_vdrive_fault_kind kind, uint32_t pkt,
                             struct mmc_vdrive_fault *out_hit);
bool vdrive_faults_at_write(struct vdrive *drive);

#endif
