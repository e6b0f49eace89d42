/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive.h - the virtual drive: a SCSI/MMC target in this process, over a
 * raw image file (PATH, blocks of 2048 bytes, readable by any tool) and a
 * small sidecar (PATH.udfpkt) that keeps the state of the medium. It is an
 * mmc_transport like any other and enforces the rules that hardware enforces.
 *
 *  1. The drive is one: whoever has it open holds it exclusively.
 *  2. What the drive answered for is in the two files at once, so that killing
 *     the process loses nothing. Power cuts are a matter of the model: packets
 *     since the last SYNCHRONIZE CACHE that fit the drive's buffer are still
 *     in it, and a cut may lose any of them.
 *  3. Its clock is simulated: it starts at 0 with mmc_vdrive_open() and moves
 *     by what the drive does (model in vdrive_model.c) and by
 *     mmc_transport_sleep().
 *  4. A drive that is opened has been switched on with the medium in it: the
 *     first command gets the unit attention 6/29/00, once.
 *
 * Functions that take an open drive expect a transport of mmc_vdrive_open()
 * itself, not a trace around it, and the caller to have the drive to itself
 * (mmc/transport.h, invariant 2).
 *
 *  5. Switching off ends a background format where it is; the medium keeps what
 *     is formatted, and the host may restart it. Other long operations are
 *     finished first.
 *
 * A write-protected medium (or a drive opened read-only) shows none of the
 * features that write as current, offers no format, and answers 7/27/00.
 *
 * The image is as long as what the medium can hold while it is written in
 * order or formatted in the background, else as long as what is formatted.
 */
#ifndef MMC_VDRIVE_H
#define MMC_VDRIVE_H

#include <stdbool.h>
#include <stdint.h>

struct mmc_transport;

/* Makes the image `image_path`, with holes, and its sidecar with a new medium:
 * blank, where the kind is sold blank. `media_word` is a canonical word of
 * mmc_media_word(), or "dvd+r", "dvd-r" or "cd-r"; `blocks` is the capacity
 * after formatting as hosts do it by default, rounded down to packets, 0 for
 * the usual disc. Returns 0; -EEXIST when either file is there;
 * -EINVAL for an unknown word; -EOPNOTSUPP when no virtual drive plays that
 * medium; -ERANGE when `blocks` is no capacity such a medium can have; errors
 * of open(2) and ftruncate(2). On failure no file is left behind. */
int mmc_vdrive_create(const char *image_path, const char *media_word,
                      uint32_t blocks);

/* Makes a sidecar beside the image that is there, so that it becomes a disc of
 * this kind that another drive recorded and closed: a finalized session, read
 * only where the medium is. The media are those that are written in order
 * (bd-r, dvd+r, dvd-r, dvd-rw, cd-r). Returns 0 or an error of
 * mmc_vdrive_create(); -ENOENT when there is no image, -ERANGE when its size
 * is no capacity. */
int mmc_vdrive_adopt(const char *image_path, const char *media_word);

/* Switches the drive on. With `writable` false neither file is changed.
 * Returns 0; -EBUSY when it is open already; -EINVAL when the sidecar is
 * damaged, or the image or the faults file does not fit; -ENOENT, -EACCES and
 * other errors of open(2); -ENOMEM. */
int mmc_vdrive_open(const char *image_path, bool writable,
                    struct mmc_transport **out_transport);

/* Whether `image_path` has a sidecar beside it. */
bool mmc_vdrive_exists(const char *image_path);

/* ---- What the drive did ------------------------------------------------ */

/* Over the medium's life. */
struct mmc_vdrive_stats {
    uint64_t packets_written; /* the drive's own read-modify-writes, too */
    uint64_t partial_units;   /* of them: the host gave less than the whole */
    uint64_t drive_rmws;      /* of those: completed from the medium */
    uint64_t spared;          /* packets that the drive replaced by a spare */
    uint64_t write_commands;  /* that wrote at least one packet */
    uint64_t blocks_read;     /* handed to the host, or verified for it */
    uint64_t read_commands;
    uint64_t commands; /* all */
    uint64_t refused;  /* READ, VERIFY, WRITE, SYNCHRONIZE CACHE, MODE SELECT,
                          FORMAT UNIT, BLANK or CLOSE answered with sense key 5
                          or 7. Probing does not count: other commands, and
                          opcodes that the drive does not know */
    uint64_t seeks;
    uint64_t gap_blocks; /* read over instead of seeking */
    uint64_t syncs;      /* SYNCHRONIZE CACHE */
    uint64_t formats, blanks;
    uint64_t busy_us;         /* drive time by the model */
    uint32_t hottest_packet;  /* the one written most often */
    uint32_t hottest_written; /* how often, 0: none was written */
};

/* Of an open drive, and of one that is closed (or open in another process).
 * The latter returns 0 or an error of mmc_vdrive_open() but -EBUSY. */
void mmc_vdrive_get_stats(struct mmc_transport *transport,
                          struct mmc_vdrive_stats *out_stats);
int mmc_vdrive_read_stats(const char *image_path,
                          struct mmc_vdrive_stats *out_stats);

/* How often packet `pkt` was written over the medium's life (65535 stands for
 * that or more), and whether it cannot be read. 0 and false past the end. */
uint16_t mmc_vdrive_packet_writes(struct mmc_transport *transport,
                                  uint32_t pkt);
bool mmc_vdrive_packet_unreadable(struct mmc_transport *transport,
                                  uint32_t pkt);

/* Changes packet `pkt` behind the drive's back, as another drive would have:
 * `data` is the whole packet, NULL makes it unreadable until it is written
 * again. It takes no time and is not counted. Returns 0; -ERANGE past the end;
 * an error of pwrite(2). */
int mmc_vdrive_put_packet(struct mmc_transport *transport, uint32_t pkt,
                          const void *data);

/* ---- Faults ------------------------------------------------------------ */

enum { MMC_VDRIVE_ANY = 0xFFFFFFFF };

/* What a cut leaves of the packet that was being written. */
enum mmc_vdrive_tear {
    MMC_VDRIVE_TEAR_UNREADABLE, /* 3/11/05 until it is written again */
    MMC_VDRIVE_TEAR_OLD,
    MMC_VDRIVE_TEAR_NEW,
    MMC_VDRIVE_TEAR_HALF /* first half new, second half old, readable */
};

/* What a cut leaves of the packets that were in the drive's buffer. */
enum mmc_vdrive_loss {
    MMC_VDRIVE_LOSE_NONE,
    MMC_VDRIVE_LOSE_ALL,
    MMC_VDRIVE_LOSE_SOME /* a random subset, by `seed` */
};

struct mmc_vdrive_cut {
    enum mmc_vdrive_tear tear;
    enum mmc_vdrive_loss loss;
    uint64_t seed;
};

enum mmc_vdrive_fault_kind {
    MMC_VDRIVE_SENSE,       /* a command is not done but answered with `sense`;
                               INFORMATION holds `lba` unless that is ANY. Of
                               key 1, the command is done all the same. 6/28/xx
                               loses page 05h and speed, 6/29/xx also the lock
                               of the door and, as `cut` says, the buffer */
    MMC_VDRIVE_WRITE_ERROR, /* a packet is spoilt by writing it: 3/0C/00. A
                               drive that manages defects takes a spare and
                               says nothing, until none is left: 3/0C/02 */
    MMC_VDRIVE_READ_ERROR,  /* a packet cannot be read: 3/11/05 */
    MMC_VDRIVE_CUT,         /* power is cut while a packet is written */
    MMC_VDRIVE_NOT_READY,   /* 2/04/01 for duration_ms from the strike on */
    MMC_VDRIVE_LONG_WRITE,  /* the same for WRITE only: 2/04/08 */
    MMC_VDRIVE_PULL,        /* the medium is gone, with what `cut` loses */
    MMC_VDRIVE_GONE,        /* the drive is gone: -ENODEV */
    MMC_VDRIVE_BUTTON,      /* somebody presses the eject button */
    MMC_VDRIVE_STRICT_BUFFER, /* WRITE returns at once and is refused with
                                 2/04/08 while the buffer is full, instead of
                                 waiting for room in it */
    MMC_VDRIVE_FAULT_KINDS
};

/* Something that goes wrong. A fault waits for what it is about: WRITE_ERROR,
 * READ_ERROR and CUT for packets written (read) that hold `lba`, LONG_WRITE
 * for WRITEs, the others for commands with `opcode` (STRICT_BUFFER holds from
 * the start). The first `after` of them pass, the next `times` are struck. */
struct mmc_vdrive_fault {
    enum mmc_vdrive_fault_kind kind;
    uint32_t opcode; /* enum mmc_opcode, or MMC_VDRIVE_ANY */
    uint32_t lba;    /* or MMC_VDRIVE_ANY */
    uint32_t after;
    uint32_t times;       /* 0: for ever */
    uint32_t duration_ms; /* on the drive's clock */
    uint32_t back_after;  /* PULL: pushed in again by the command that comes so
                             many later; 0: it stays out */
    uint8_t key, asc, ascq;
    bool deferred; /* SENSE: about an earlier command (71h) */
    struct mmc_vdrive_cut cut;
};

/* Returns a fault of this kind that strikes once, at the first thing it could
 * strike; the caller changes what it likes. */
struct mmc_vdrive_fault mmc_vdrive_fault_of(enum mmc_vdrive_fault_kind kind);

/* Adds a fault. Returns 0; -EINVAL when a field has no meaning; -ENOSPC when
 * too many are waiting (64). */
int mmc_vdrive_inject(struct mmc_transport *transport,
                      const struct mmc_vdrive_fault *fault);
/* Forgets all faults that have not struck yet or go on striking; quirks
 * stay. */
void mmc_vdrive_clear_faults(struct mmc_transport *transport);

/* What some drives do, against the specification or common sense. */
enum mmc_vdrive_quirk_kind {
    /* Any-block media take whole aligned units only: 5/21/02. */
    MMC_VDRIVE_QUIRK_ALIGNED_ONLY,
    /* READ TRACK INFORMATION of a blank disc: next writable address -150. */
    MMC_VDRIVE_QUIRK_WRONG_NWA,
    /* READ CAPACITY tells what a background format has done so far. */
    MMC_VDRIVE_QUIRK_LYING_CAPACITY,
    /* READ FORMAT CAPACITIES counts its header in the list length. */
    MMC_VDRIVE_QUIRK_CAPACITIES_PLUS_FOUR,
    /* There is no page 05h (5/24/00), and none is needed. */
    MMC_VDRIVE_QUIRK_NO_PAGE_05,
    /* MODE SELECT of page 05h is refused on a blank disc (5/26/00), and
     * formatting does not need it. */
    MMC_VDRIVE_QUIRK_PAGE_05_NOT_ON_BLANK,
    /* Format type 10h is refused: 5/26/00. */
    MMC_VDRIVE_QUIRK_NO_FORMAT_10,
    /* FORMAT UNIT without IMMED never answers, and does nothing. */
    MMC_VDRIVE_QUIRK_FORMAT_NEEDS_IMMED,
    /* SET CD SPEED and SET STREAMING: 5/24/00. */
    MMC_VDRIVE_QUIRK_SPEED_REFUSED,
    /* Not erasable any more after a format, until it is loaded anew. */
    MMC_VDRIVE_QUIRK_NOT_ERASABLE,
    /* TEST UNIT READY is good during long operations; the next command gets
     * 2/04/07. */
    MMC_VDRIVE_QUIRK_LATE_NOT_READY,
    /* WRITE after a READ, with packets in the buffer: 2/2C/00 until
     * SYNCHRONIZE CACHE. The second: 5/2C/00. */
    MMC_VDRIVE_QUIRK_SEQUENCE_ERROR,
    MMC_VDRIVE_QUIRK_SEQUENCE_ERROR_5,
    /* A minute until a disc is ready, after power on, too. */
    MMC_VDRIVE_QUIRK_SLOW_SPIN_UP,
    /* Switching it on opens the tray, or finds it closed and empty. The next
     * load brings the disc. */
    MMC_VDRIVE_QUIRK_TRAY_OPEN,
    MMC_VDRIVE_QUIRK_TRAY_EMPTY,
    /* The same event is told for ever. */
    MMC_VDRIVE_QUIRK_STALE_EVENTS,
    /* CD-MRW: the page of the LBA space is 2Ch, as in prototypes. */
    MMC_VDRIVE_QUIRK_MRW_PAGE_2C,
    /* CD-MRW: the general application area is addressed after power on. */
    MMC_VDRIVE_QUIRK_MRW_GAA,
    /* Every capacity that is told is 2^32-1 blocks. */
    MMC_VDRIVE_QUIRK_HUGE_CAPACITY,
    /* READ TRACK INFORMATION of formatted DVD-RW: FP is 0. */
    MMC_VDRIVE_QUIRK_NO_FIXED_PACKETS,
    /* WRITE and FORMAT UNIT: 3/73/03, until SEND OPC INFORMATION has
     * calibrated the laser for the disc that was loaded. */
    MMC_VDRIVE_QUIRK_WANTS_OPC,
    MMC_VDRIVE_QUIRKS
};

/* Switches a quirk on or off, at once. */
void mmc_vdrive_quirk(struct mmc_transport *transport,
                      enum mmc_vdrive_quirk_kind quirk, bool on);

/* Faults for whole programs: the text file PATH.udfpkt-faults is read when the
 * drive is opened. One fault a line, its kind first; '#' begins a comment;
 * numbers as strtoul(3) reads them. What is not said is as
 * mmc_vdrive_fault_of() has it, and "lba" and "op" stand for any.
 *
 *   write-error   [lba=N] [after=N] [times=N]
 *   read-error    [lba=N] [after=N] [times=N]
 *   sense         sense=KEY/ASC/ASCQ (hex) [op=0xNN] [lba=N] [after=N]
 *                 [times=N] [deferred] [lose=...] [seed=N]
 *   cut           [lba=N] [after=N] [tear=unreadable|old|new|half]
 *                 [lose=none|all|some] [seed=N]
 *   not-ready     [op=0xNN] [after=N] [times=N] ms=N
 *   long-write    [after=N] [times=N] ms=N
 *   pull          [op=0xNN] [after=N] [lose=...] [seed=N] [back=N]
 *   gone          [op=0xNN] [after=N]
 *   button        [op=0xNN] [after=N] [times=N]
 *   strict-buffer
 *   quirk         NAME
 *
 * Quirks by name: dvd+rw-aligned-only wrong-nwa lying-capacity
 * format-capacities-plus-four no-page-05h page-05h-refused-on-blank
 * no-format-10h format-needs-immed speed-refused not-erasable-after-format
 * late-2/04/07 sequence-error sequence-error-5 slow-spinup tray-open
 * tray-empty stale-events mrw-page-2ch mrw-gaa huge-capacity no-fixed-packets
 * wants-opc, as above.
 *
 * A line that is not of this form fails mmc_vdrive_open() with -EINVAL and
 * is logged. */

/* Cuts the power now: the buffer's packets fare as `cut` says, a format or
 * blank that runs leaves the medium unformatted; from then on -ENODEV. */
void mmc_vdrive_power_cut(struct mmc_transport *transport,
                          const struct mmc_vdrive_cut *cut);
/* Switches a drive that was cut or is gone on again, medium inside. */
void mmc_vdrive_power_on(struct mmc_transport *transport);

/* ---- Hands at the drive ------------------------------------------------ */

/* Pushes the tray in. The medium is in it and spins up: 2/04/01 for some
 * seconds, then 6/28/00. */
void mmc_vdrive_load(struct mmc_transport *transport);
/* Pulls the tray out by the emergency pin, locked or not: what was in the
 * drive's buffer is lost, a format or blank that runs does not end. */
void mmc_vdrive_pull(struct mmc_transport *transport);
/* Opens or closes the tray; while the door is locked, or a blank or format
 * runs, only the media event "eject request" comes of it. */
void mmc_vdrive_press_button(struct mmc_transport *transport);
bool mmc_vdrive_tray_open(struct mmc_transport *transport);

/* Sets or clears the write protection of the medium's case, kept in the
 * sidecar. Hosts cannot clear it. */
void mmc_vdrive_protect(struct mmc_transport *transport, bool on);

#endif
