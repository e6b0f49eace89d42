/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/disc.h - the public face of mmc/ for whoever opens discs (cli/, tests):
 * a path becomes a drive with a disc in it, or an image, and on request a
 * block device.
 *
 * A path is: a character or block device of an optical drive (/dev/sr0,
 * /dev/sg0); a regular file with a sidecar beside it (PATH.udfpkt), which is a
 * virtual drive; a regular file without one, or another block device, which is
 * a plain image.
 *
 * Open discs are held exclusively (O_EXCL on devices, flock on files) until
 * mmc_disc_close(). Nothing but the disc that was asked for is touched.
 */
#ifndef MMC_DISC_H
#define MMC_DISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blockdev;
struct blockdev_geometry;
struct mmc_disc;
struct mmc_transport;

/* What the disc is ready for. */
enum mmc_disc_state {
    MMC_DISC_ABSENT,      /* no medium in the drive */
    MMC_DISC_BLANK,       /* erased or new: must be formatted */
    MMC_DISC_UNFORMATTED, /* recorded, but not as fixed packets */
    MMC_DISC_READY,       /* can be overwritten at random */
    MMC_DISC_READ_ONLY,   /* can be read only */
    MMC_DISC_UNUSABLE     /* the drive cannot use it */
};

/* What a path is. */
enum mmc_disc_kind { MMC_KIND_DRIVE, MMC_KIND_VIRTUAL, MMC_KIND_IMAGE };

struct mmc_disc_options {
    bool read_only;         /* send nothing that changes the medium */
    uint64_t cache_bytes;   /* write-back budget; 0 = by the medium: the
                               smaller of 64 MiB and 30 s of writing */
    const char *trace_path; /* every command is written here; NULL = none */
    uint32_t speed_tenths;  /* of 1x of the medium; 0 = the drive's choice */
    bool verify;            /* read back and compare what was written */
    bool no_lead_out;       /* stop a background format the quick way, which
                               leaves the disc to drives that write */
};

struct mmc_disc_info {
    enum mmc_disc_kind kind;
    enum mmc_disc_state state;
    char vendor[9], product[17], revision[5]; /* INQUIRY, trimmed */
    uint16_t profile;            /* current MMC profile, 0 = none */
    const char *profile_name;    /* "CD-RW"; "image" for images */
    const char *media_name;      /* the --media word: "cdrw"; "image" */
    uint32_t blocks;             /* usable now, blocks of 2048 bytes */
    uint32_t formattable_blocks; /* after a full format, 0 = not offered */
    uint32_t packet_blocks;
    bool write_protected; /* by tab, cartridge or drive */
    bool erasable;
    const char *reason;           /* why the state is what it is, in words */
    const char *other_media_name; /* what the drive could format it as too:
                                     "cdmrw", "cdrw"; NULL = nothing else */
    bool part_formatted;          /* a background format is not complete */
    bool hollow;     /* formatting was interrupted: nothing on it can be read */
    bool unfinished; /* a quick format or growing was interrupted; what
                        is recorded can be read */
};

/* How the virtual drive or medium is made (mmc_disc_create). */
struct mmc_disc_make {
    const char *media_name; /* "cdrw", ..., or "image" */
    uint64_t size_bytes;    /* 0 = the medium's usual size */
};

/* How a disc is prepared for packet writing (mmc_disc_prepare). */
enum mmc_spare {
    MMC_SPARE_DEFAULT,
    MMC_SPARE_NONE,
    MMC_SPARE_MIN,
    MMC_SPARE_MAX,
    MMC_SPARE_SIZE /* spare_blocks */
};

struct mmc_prepare_options {
    bool full;  /* format (and blank first where needed) even when ready */
    bool quick; /* the shortest way there is */
    bool grow;  /* make a disc that was formatted quickly larger; what is on
                   it stays */
    bool wait;  /* until a background format is complete */
    const char *media_name; /* canonical word: what to make of it; NULL = what
                               it is */
    uint32_t blocks;      /* size, where it can be chosen; 0 = the usual one */
    enum mmc_spare spare; /* how many spare blocks the drive shall keep */
    uint32_t spare_blocks;
};

/* One speed that the drive offers for writing. */
struct mmc_disc_speed {
    uint32_t kbs;    /* 1000 bytes a second */
    uint32_t tenths; /* of 1x of this medium */
};

/* What mmc_disc_prepare() is at. */
enum mmc_prepare_step {
    MMC_STEP_BLANK,
    MMC_STEP_FORMAT,
    MMC_STEP_WRITE, /* from front to back, with zeros */
    MMC_STEP_CLOSE, /* the session */
    MMC_STEP_VERIFY
};

/* Called about once a second of the drive's clock. permille: 0..1000. Returns
 * false to give up waiting (the drive goes on by itself). */
typedef bool mmc_progress(void *context, enum mmc_prepare_step step,
                          unsigned permille);

/* What the drive did, as far as it is known: the virtual drive counts. */
struct mmc_disc_wear {
    bool known;
    uint64_t packets_written, blocks_read, commands, refused;
    uint64_t seeks, syncs;
    uint32_t hottest_packet, hottest_overwrites;
    uint64_t busy_ms; /* drive time by the model */
};

/* Opens `path` and identifies drive and medium, waiting for a drive that is
 * becoming ready. Returns 0; -ENOENT, -EACCES; -ENXIO when it is no optical
 * drive; -EBUSY when another process holds it; -ENODEV when it does not
 * answer; -EINVAL when the sidecar is damaged. A drive without a medium
 * opens: see mmc_disc_get_info(). */
int mmc_disc_open(const char *path, const struct mmc_disc_options *options,
                  struct mmc_disc **out_disc);

/* The same for a drive that somebody reaches by a transport of their own, such
 * as one with something between the host and a virtual drive. It belongs to the
 * disc from then on, and is closed when opening fails. */
int mmc_disc_open_transport(struct mmc_transport *transport,
                            const struct mmc_disc_options *options,
                            struct mmc_disc **out_disc);

/* Describes drive and medium as last identified. Strings live as long as
 * `disc`. */
void mmc_disc_get_info(const struct mmc_disc *disc,
                       struct mmc_disc_info *out_info);

/* Makes a block device on the disc, with write parameters sent, the door
 * locked and the medium kept. The device belongs to `disc`. Returns 0;
 * -ENOMEDIUM; -EMEDIUMTYPE when blank, unformatted or unusable; -EROFS when
 * `writable` is asked for and the medium is read-only, or recorded in a way
 * that can only be read; -EIO. */
int mmc_disc_attach(struct mmc_disc *disc, bool writable,
                    struct blockdev **out_dev);

/* Tells, without changing anything, what the medium will be like when
 * mmc_disc_prepare() has done what `options` say. Returns 0; -EINVAL when it
 * cannot do that with this medium; -EMEDIUMTYPE when it cannot be formatted;
 * -ENOMEDIUM. */
int mmc_disc_plan(const struct mmc_disc *disc,
                  const struct mmc_prepare_options *options,
                  struct blockdev_geometry *out_geometry);

/* Whether mmc_disc_prepare() would leave what is on the medium alone, but for
 * waiting, when it is not to make it larger. */
bool mmc_disc_is_prepared(const struct mmc_disc *disc,
                          const struct mmc_prepare_options *options);

/* Blanks and formats the medium for packet writing as its kind and state
 * need, and identifies it again. A disc that is ready is left as it is, unless
 * `options` ask for more. Not for an attached disc. Returns 0; -EINVAL as
 * mmc_disc_plan(); -ENOMEDIUM; -EMEDIUMTYPE when the medium cannot be
 * formatted; -EROFS when write protected; -EINTR when `progress` said false;
 * -EPROTO when it was formatted, but the drive says that it is not in fixed
 * packets; -EIO. */
int mmc_disc_prepare(struct mmc_disc *disc,
                     const struct mmc_prepare_options *options,
                     mmc_progress *progress, void *context);

/* Lists at most `max` write speeds of the drive for this medium, fastest
 * first. Returns how many; 0 when there are none or the drive does not say. */
size_t mmc_disc_get_speeds(struct mmc_disc *disc, struct mmc_disc_speed *out,
                           size_t max);

/* Fills `out_wear` with what the drive did over the medium's life. */
void mmc_disc_get_wear(struct mmc_disc *disc, struct mmc_disc_wear *out_wear);

/* Starts to watch an attached disc for the eject button, for the disc taken
 * out and for the drive gone. *out_fd, which belongs to `disc`, becomes
 * readable when there is news; -1 for images, which have none. Returns 0 or a
 * negative errno. */
int mmc_disc_watch(struct mmc_disc *disc, int *out_fd);

/* Takes the news so far: a set of enum mmc_news (mmc/events.h). To be called
 * when that descriptor is readable, and once a second. Safe beside a thread
 * that uses the block device. That the disc is out is confirmed first. */
unsigned mmc_disc_news(struct mmc_disc *disc);

/* Stops a background format, unlocks the door and opens the tray. What is not
 * synchronised before stays behind. Does nothing for images. Returns 0 or a
 * negative errno. */
int mmc_disc_eject(struct mmc_disc *disc);

/* Writes what is dirty, synchronises, stops a background format, unlocks the
 * door and frees everything.
 * NULL is accepted. Returns 0 or the first error of those writes. */
int mmc_disc_close(struct mmc_disc *disc);

/* Makes the image file `path` (which must not exist) and, unless the medium
 * is "image", its sidecar with a blank medium. Returns 0; -EEXIST; -EINVAL
 * when media_name is unknown or not for virtual drives; -ERANGE when
 * size_bytes does not fit the medium; -ENOSPC and other errors of open(2). */
int mmc_disc_create(const char *path, const struct mmc_disc_make *make);

/* Whether `word` (hyphens may be left out, case is ignored) names a medium;
 * gives its canonical word. Returns 0 or -EINVAL. */
int mmc_media_word(const char *word, const char **out_canonical);

/* The i-th word of mmc_media_word(), NULL past the end. */
const char *mmc_media_nth(size_t i);

/* One optical drive of this machine. */
struct mmc_found {
    char path[64];  /* /dev/sr0 */
    char model[64]; /* "VENDOR PRODUCT" */
};

/* Lists optical drives through libudev, by what sysfs says. Writes at most
 * `max` entries. Returns 0; -ENOMEM; -EIO when sysfs cannot be read. */
int mmc_find_drives(struct mmc_found *out_found, size_t max, size_t *out_count);

#endif
