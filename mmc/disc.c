/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/disc.c - a path becomes a drive with a disc, or an image, and on request
 * a block device: the parts of mmc/ put together.
 */
#include "mmc/disc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mmc/background.h"
#include "mmc/blockdev.h"
#include "mmc/cache.h"
#include "mmc/drive.h"
#include "mmc/events.h"
#include "mmc/filedev.h"
#include "mmc/format_plan.h"
#include "mmc/log.h"
#include "mmc/media.h"
#include "mmc/prepare.h"
#include "mmc/setup.h"
#include "mmc/speed.h"
#include "mmc/transport.h"
#include "mmc/transport_sg.h"
#include "mmc/transport_trace.h"
#include "mmc/vdrive.h"

enum {
    SR_MAJOR = 11, /* /dev/sr0: Linux, Documentation/admin-guide/devices */
    CACHE_BYTES_MAX = 64 * 1024 * 1024,
    CACHE_SECONDS = 30 /* of writing, so that unmounting never takes long */
};

struct mmc_disc {
    enum mmc_disc_kind kind;
    bool read_only; /* nothing that changes the medium may be sent */
    uint64_t cache_bytes;
    uint32_t speed_tenths;
    bool no_lead_out;
    bool verify;
    bool speed_set;
    bool wrote; /* attached for writing, or prepared */
    /* Drives, virtual ones included: */
    struct mmc_drive *drive;
    struct mmc_transport *vdrive; /* inside `drive`, beneath any trace */
    struct mmc_media media;
    struct blockdev *cache; /* when attached */
    /* Images: NULL when the file is too short to be one. */
    struct blockdev *file;
    bool file_attached;
};

/* What lies at `path`. */
static int find_kind(const char *path, enum mmc_disc_kind *out_kind) {
    struct stat status;

    if (stat(path, &status) != 0) {
        return -errno;
    }
    if (S_ISREG(status.st_mode)) {
        *out_kind = mmc_vdrive_exists(path) ? MMC_KIND_VIRTUAL : MMC_KIND_IMAGE;
        return 0;
    }
    if (S_ISBLK(status.st_mode)) {
        *out_kind =
            major(status.st_rdev) == SR_MAJOR ? MMC_KIND_DRIVE : MMC_KIND_IMAGE;
        return 0;
    }
    if (S_ISCHR(status.st_mode)) {
        *out_kind = MMC_KIND_DRIVE;
        return 0;
    }
    return -ENXIO;
}

static bool is_denied(int error) {
    return error == -EACCES || error == -EROFS || error == -EPERM;
}

static int open_transport(struct mmc_disc *disc, const char *path,
                          struct mmc_transport **out_transport) {
    bool writable = !disc->read_only;

    if (disc->kind == MMC_KIND_VIRTUAL) {
        return mmc_vdrive_open(path, writable, out_transport);
    }
    return mmc_transport_sg_open(path, writable, out_transport);
}

static int open_path(struct mmc_disc *disc, const char *path,
                     struct mmc_transport **out_transport) {
    int error = open_transport(disc, path, out_transport);

    if (is_denied(error) && !disc->read_only) {
        /* Whoever may only read can still look and mount read-only. */
        disc->read_only = true;
        error = open_transport(disc, path, out_transport);
    }
    if (!error && disc->kind == MMC_KIND_VIRTUAL) {
        disc->vdrive = *out_transport;
    }
    return error;
}

/* Makes `transport` the disc's drive; closes it when that fails. */
static int open_drive(struct mmc_disc *disc, struct mmc_transport *transport,
                      const char *trace_path) {
    int error = 0;

    if (trace_path) {
        error = mmc_transport_trace_open(transport, trace_path, &transport);
    }
    if (!error) {
        error = mmc_drive_open(transport, &disc->drive);
    }
    if (error) {
        mmc_transport_close(transport);
        disc->vdrive = NULL;
        return error;
    }
    return mmc_result_errno(mmc_media_load(disc->drive, &disc->media));
}

static int open_image(struct mmc_disc *disc, const char *path) {
    int error = mmc_filedev_open(path, !disc->read_only, &disc->file);

    if (is_denied(error) && !disc->read_only) {
        disc->read_only = true;
        error = mmc_filedev_open(path, false, &disc->file);
    }
    return error == -EINVAL ? 0 : error; /* too short: see get_info */
}

/* Only what mmc/disc.h promises for opening. */
static int open_error(int error) {
    switch (error) {
    case -EROFS:
    case -EPERM:
        return -EACCES;
    case -EIO:
    case -EOPNOTSUPP:
        return -ENODEV;
    default:
        return error;
    }
}

/* A disc that is not open yet; NULL when memory is short. */
static struct mmc_disc *new_disc(const struct mmc_disc_options *options) {
    struct mmc_disc *disc = calloc(1, sizeof(*disc));

    if (disc) {
        disc->read_only = options->read_only;
        disc->cache_bytes = options->cache_bytes;
        disc->speed_tenths = options->speed_tenths;
        disc->no_lead_out = options->no_lead_out;
        disc->verify = options->verify;
    }
    return disc;
}

/* Gives the disc to the caller, or frees it after `error`. */
static int finish_open(struct mmc_disc *disc, int error,
                       struct mmc_disc **out_disc) {
    if (error) {
        mmc_drive_close(disc->drive);
        free(disc);
        return open_error(error);
    }
    *out_disc = disc;
    return 0;
}

int mmc_disc_open(const char *path, const struct mmc_disc_options *options,
                  struct mmc_disc **out_disc) {
    struct mmc_disc *disc = new_disc(options);
    struct mmc_transport *transport = NULL;
    int error;

    if (!disc) {
        return -ENOMEM;
    }
    error = find_kind(path, &disc->kind);
    if (!error && disc->kind == MMC_KIND_IMAGE) {
        error = open_image(disc, path);
    } else if (!error) {
        error = open_path(disc, path, &transport);
        error =
            error ? error : open_drive(disc, transport, options->trace_path);
    }
    return finish_open(disc, error, out_disc);
}

int mmc_disc_open_transport(struct mmc_transport *transport,
                            const struct mmc_disc_options *options,
                            struct mmc_disc **out_disc) {
    struct mmc_disc *disc = new_disc(options);

    if (!disc) {
        mmc_transport_close(transport);
        return -ENOMEM;
    }
    disc->kind = MMC_KIND_DRIVE;
    return finish_open(disc, open_drive(disc, transport, options->trace_path),
                       out_disc);
}

static void describe_image(const struct mmc_disc *disc,
                           struct mmc_disc_info *info) {
    info->profile_name = "image";
    info->media_name = "image";
    info->packet_blocks = 1;
    info->erasable = true;
    if (!disc->file) {
        info->state = MMC_DISC_UNUSABLE;
        info->reason = "the file is shorter than one block of 2048 bytes";
        return;
    }
    info->blocks = disc->file->geometry.blocks;
    info->formattable_blocks = info->blocks;
    info->write_protected = disc->read_only;
    info->state = disc->read_only ? MMC_DISC_READ_ONLY : MMC_DISC_READY;
    info->reason = disc->read_only ? "the image is open for reading only"
                                   : "the image can be written anywhere";
}

static void describe_drive(const struct mmc_disc *disc,
                           struct mmc_disc_info *info) {
    const struct mmc_inquiry *inquiry = mmc_drive_inquiry(disc->drive);
    const struct mmc_media *media = &disc->media;

    snprintf(info->vendor, sizeof(info->vendor), "%s", inquiry->vendor);
    snprintf(info->product, sizeof(info->product), "%s", inquiry->product);
    snprintf(info->revision, sizeof(info->revision), "%s", inquiry->revision);
    info->state = media->state;
    info->reason = media->reason;
    info->profile = media->profile->number;
    info->profile_name = media->profile->name;
    info->media_name =
        media->profile->word ? media->profile->word : media->profile->name;
    info->blocks = media->blocks;
    info->formattable_blocks = media->formattable_blocks;
    info->packet_blocks = media->profile->packet_blocks;
    info->write_protected = media->write_protected;
    info->erasable = media->erasable;
    info->part_formatted = mmc_media_is_part_formatted(media);
    info->hollow = media->hollow;
    info->unfinished = media->intermediate;
    if (media->profile->mrw) {
        info->other_media_name = mmc_profile_find(info->profile, false)->word;
    } else if (media->mrw_capable) {
        info->other_media_name = mmc_profile_find(info->profile, true)->word;
    }
    if (disc->read_only && media->state == MMC_DISC_READY) {
        info->state = MMC_DISC_READ_ONLY;
        info->reason = "the drive is open for reading only";
    }
}

void mmc_disc_get_info(const struct mmc_disc *disc,
                       struct mmc_disc_info *out_info) {
    struct mmc_disc_info info = {.kind = disc->kind};

    if (disc->kind == MMC_KIND_IMAGE) {
        describe_image(disc, &info);
    } else {
        describe_drive(disc, &info);
    }
    *out_info = info;
}

static int attach_image(struct mmc_disc *disc, bool writable,
                        struct blockdev **out_dev) {
    if (!disc->file) {
        return -EMEDIUMTYPE;
    }
    if (writable && disc->read_only) {
        return -EROFS;
    }
    disc->file->geometry.writable = writable;
    disc->file_attached = true;
    *out_dev = disc->file;
    return 0;
}

/* Whether the medium is in a state to be attached. */
static int check_state(const struct mmc_disc *disc, bool writable) {
    switch (disc->media.state) {
    case MMC_DISC_ABSENT:
        return -ENOMEDIUM;
    case MMC_DISC_BLANK:
    case MMC_DISC_UNUSABLE:
        return -EMEDIUMTYPE;
    case MMC_DISC_UNFORMATTED:
        if (disc->media.readable_blocks == 0) {
            return -EMEDIUMTYPE;
        }
        return writable ? -EROFS : 0;
    case MMC_DISC_READ_ONLY:
        return writable ? -EROFS : 0;
    case MMC_DISC_READY:
        return writable && disc->read_only ? -EROFS : 0;
    }
    return -EMEDIUMTYPE;
}

static uint64_t budget_of(const struct mmc_disc *disc) {
    uint64_t usual =
        (uint64_t)disc->media.profile->write_kbs * 1000 * CACHE_SECONDS;

    if (disc->cache_bytes > 0) {
        return disc->cache_bytes;
    }
    return usual > 0 && usual < CACHE_BYTES_MAX ? usual : CACHE_BYTES_MAX;
}

/* Once is enough: the drive keeps it until the disc is closed. */
static void set_speed(struct mmc_disc *disc) {
    if (disc->speed_tenths > 0 && !disc->speed_set) {
        mmc_speed_set(disc->drive, &disc->media, disc->speed_tenths);
        disc->speed_set = true;
    }
}

static struct blockdev_geometry geometry_of(const struct mmc_media *media) {
    const struct mmc_profile *profile = media->profile;

    return (struct blockdev_geometry){
        .blocks = media->state == MMC_DISC_UNFORMATTED ? media->readable_blocks
                                                       : media->blocks,
        .packet_blocks = profile->packet_blocks,
        .session_start = media->session_start,
        .rated_overwrites = profile->rated_overwrites,
        .drive_manages_defects = media->drive_defects,
        .usual_udf = profile->usual_udf,
        .rewritable = mmc_profile_can(profile, MMC_CAP_OVERWRITE),
        .part_formatted = mmc_media_is_part_formatted(media),
    };
}

static int attach_drive(struct mmc_disc *disc, bool writable) {
    const struct mmc_media *media = &disc->media;
    const struct mmc_profile *profile = media->profile;
    struct blockdev_geometry geometry = geometry_of(media);
    enum mmc_result result = MMC_OK;
    int error;

    geometry.writable = writable;
    if (writable && mmc_profile_can(profile, MMC_CAP_WHOLE_PACKETS) &&
        mmc_drive_max_blocks(disc->drive) < profile->packet_blocks) {
        mmc_log(MMC_LOG_ERROR,
                "the connection cannot carry a packet of %u blocks at once",
                profile->packet_blocks);
        return -EIO;
    }
    mmc_drive_lock_door(disc->drive, true);
    if (writable) {
        result = mmc_setup_send_parameters(disc->drive, media);
    }
    if (result != MMC_OK) {
        error = mmc_result_errno(result);
        goto unlock;
    }
    mmc_drive_accept_medium(disc->drive);
    set_speed(disc);
    disc->wrote = disc->wrote || writable;
    error = mmc_cache_open(disc->drive, media, &geometry, budget_of(disc),
                           &disc->cache);
    if (error) {
        goto unlock;
    }
    if (disc->verify) {
        mmc_cache_verify(disc->cache);
    }
    return 0;
unlock:
    mmc_drive_lock_door(disc->drive, false);
    return error;
}

int mmc_disc_attach(struct mmc_disc *disc, bool writable,
                    struct blockdev **out_dev) {
    int error;

    if (disc->cache || disc->file_attached) {
        return -EBUSY;
    }
    if (disc->kind == MMC_KIND_IMAGE) {
        return attach_image(disc, writable, out_dev);
    }
    error = check_state(disc, writable);
    if (!error) {
        error = attach_drive(disc, writable);
    }
    if (!error) {
        *out_dev = disc->cache;
    }
    return error;
}

bool mmc_disc_is_prepared(const struct mmc_disc *disc,
                          const struct mmc_prepare_options *options) {
    return disc->kind == MMC_KIND_IMAGE ||
           mmc_format_is_done(&disc->media, options);
}

int mmc_disc_prepare(struct mmc_disc *disc,
                     const struct mmc_prepare_options *options,
                     mmc_progress *progress, void *context) {
    if (disc->cache || disc->file_attached) {
        return -EBUSY;
    }
    if (disc->kind == MMC_KIND_IMAGE) {
        if (!disc->file) {
            return -EMEDIUMTYPE;
        }
        return disc->read_only ? -EROFS : 0;
    }
    if (disc->read_only) {
        return -EROFS;
    }
    set_speed(disc);
    disc->wrote = true;
    return mmc_prepare(disc->drive, &disc->media, options, progress, context);
}

int mmc_disc_plan(const struct mmc_disc *disc,
                  const struct mmc_prepare_options *options,
                  struct blockdev_geometry *out_geometry) {
    struct mmc_format_plan plan;
    int error;

    if (disc->kind == MMC_KIND_IMAGE) {
        if (!disc->file || options->grow) {
            return -EMEDIUMTYPE;
        }
        *out_geometry = disc->file->geometry;
        return 0;
    }
    if (disc->media.state == MMC_DISC_ABSENT) {
        return -ENOMEDIUM;
    }
    if (!options->grow && mmc_format_is_done(&disc->media, options)) {
        *out_geometry = geometry_of(&disc->media);
        return 0;
    }
    if (options->grow && disc->media.intermediate) {
        *out_geometry = geometry_of(&disc->media); /* at least that */
        return 0;
    }
    error = mmc_format_plan(&disc->media, options, &plan);
    if (error) {
        return error;
    }
    *out_geometry = (struct blockdev_geometry){
        .blocks = plan.blocks,
        .packet_blocks = plan.target->packet_blocks,
        .rated_overwrites = plan.target->rated_overwrites,
        .drive_manages_defects = plan.drive_defects,
        .usual_udf = plan.target->usual_udf,
        .rewritable = true,
        .part_formatted =
            mmc_profile_can(plan.target, MMC_CAP_BACKGROUND_FORMAT)};
    return 0;
}

size_t mmc_disc_get_speeds(struct mmc_disc *disc, struct mmc_disc_speed *out,
                           size_t max) {
    return disc->kind == MMC_KIND_IMAGE || disc->media.state == MMC_DISC_ABSENT
               ? 0
               : mmc_speed_list(disc->drive, &disc->media, out, max);
}

/* Where mmc_disc_get_wear() finds and leaves its figures. */
struct wear_query {
    struct mmc_transport *vdrive;
    struct mmc_vdrive_stats stats;
};

/* No command: it runs in a command's place, to have the drive to itself. */
static enum mmc_result ask_wear(struct mmc_transport *transport, void *context,
                                struct mmc_sense *out_sense) {
    struct wear_query *query = context;

    (void)transport;
    *out_sense = (struct mmc_sense){0};
    mmc_vdrive_get_stats(query->vdrive, &query->stats);
    return MMC_OK;
}

void mmc_disc_get_wear(struct mmc_disc *disc, struct mmc_disc_wear *out_wear) {
    struct wear_query query = {.vdrive = disc->vdrive};

    *out_wear = (struct mmc_disc_wear){0};
    if (!disc->vdrive || mmc_drive_run(disc->drive, MMC_PATIENCE_PROBE,
                                       ask_wear, &query, NULL) != MMC_OK) {
        return;
    }
    *out_wear = (struct mmc_disc_wear){
        .known = true,
        .packets_written = query.stats.packets_written,
        .blocks_read = query.stats.blocks_read,
        .commands = query.stats.commands,
        .refused = query.stats.refused,
        .seeks = query.stats.seeks,
        .syncs = query.stats.syncs,
        .hottest_packet = query.stats.hottest_packet,
        .hottest_overwrites = query.stats.hottest_written,
        .busy_ms = query.stats.busy_us / 1000,
    };
}

/* Leaves the drive so that the disc can be taken out. Nothing of this can harm
 * the data, so its failures are only logged. */
static void leave_drive(struct mmc_disc *disc) {
    if (disc->wrote) {
        mmc_background_stop(disc->drive, &disc->media, !disc->no_lead_out);
    }
    if (disc->speed_set) {
        mmc_speed_reset(disc->drive, &disc->media);
    }
    disc->wrote = disc->speed_set = false;
}

int mmc_disc_watch(struct mmc_disc *disc, int *out_fd) {
    if (disc->kind == MMC_KIND_IMAGE) {
        *out_fd = -1;
        return 0;
    }
    return mmc_drive_watch(disc->drive, out_fd);
}

unsigned mmc_disc_news(struct mmc_disc *disc) {
    unsigned news =
        disc->kind == MMC_KIND_IMAGE ? 0 : mmc_drive_news(disc->drive);

    if ((news & MMC_NEWS_REMOVED) && !mmc_drive_is_empty(disc->drive)) {
        news &= ~(unsigned)MMC_NEWS_REMOVED;
    }
    return news;
}

int mmc_disc_eject(struct mmc_disc *disc) {
    if (disc->kind == MMC_KIND_IMAGE) {
        return 0;
    }
    leave_drive(disc);
    return mmc_result_errno(mmc_drive_eject(disc->drive));
}

int mmc_disc_close(struct mmc_disc *disc) {
    struct blockdev *dev;
    int error = 0;

    if (!disc) {
        return 0;
    }
    dev = disc->cache ? disc->cache : disc->file;
    if (dev && dev->geometry.writable && (disc->cache || disc->file_attached)) {
        error = blockdev_sync(dev);
    }
    if (disc->drive) {
        leave_drive(disc);
    }
    mmc_cache_close(disc->cache);
    mmc_filedev_close(disc->file);
    mmc_drive_close(disc->drive);
    free(disc);
    return error;
}

/* Makes an empty image file, with a hole as long as it. */
static int create_image(const char *path, uint64_t bytes) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int error = 0;

    if (fd < 0) {
        return -errno;
    }
    if (ftruncate(fd, (off_t)bytes) != 0) {
        error = -errno;
    }
    if (close(fd) != 0 && !error) {
        error = -errno;
    }
    if (error) {
        unlink(path);
    }
    return error == -EFBIG || error == -EINVAL ? -ERANGE : error;
}

int mmc_disc_create(const char *path, const struct mmc_disc_make *make) {
    uint64_t blocks = make->size_bytes / BLOCKDEV_BLOCK_BYTES;
    const struct mmc_profile *profile;
    const char *word = NULL;
    int error = mmc_media_word(make->media_name, &word);

    if (error) {
        return error;
    }
    if (blocks > UINT32_MAX || (make->size_bytes > 0 && blocks == 0)) {
        return -ERANGE;
    }
    profile = mmc_profile_of_word(word);
    if (!profile) {
        /* A plain image has no usual size: that of the smallest disc. */
        blocks = blocks ? blocks : mmc_profile_of_word("cdrw")->usual_blocks;
        return create_image(path, blocks * BLOCKDEV_BLOCK_BYTES);
    }
    error = mmc_vdrive_create(path, word, (uint32_t)blocks);
    return error == -EOPNOTSUPP ? -EINVAL : error;
}
