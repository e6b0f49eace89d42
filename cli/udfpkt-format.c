/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udfpkt-format - makes a disc ready for packet writing and puts an empty UDF
 * volume on it.
 *
 * The order is: everything that can be wrong is looked at first (options,
 * medium, data on it), and nothing is written meanwhile; then the medium is
 * prepared; then the volume is written; then the disc is opened afresh, so
 * that what is verified comes from the disc and not from our cache.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/format_options.h"
#include "cli/progress.h"
#include "mmc/blockdev.h"
#include "mmc/disc.h"
#include "udf/format.h"
#include "udf/udf.h"

enum {
    PROBE_BLOCKS = 544, /* what is looked at for data: past anchor 256 */
    PROBE_AT_ONCE = 32, /* blocks, one CD packet */
    LABEL_BYTES = 384   /* as in struct udf_info */
};

/* Whether a new file at `path` would be a device that is not there. */
static bool is_device_name(const char *path) {
    return strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0;
}

/* Makes the virtual drive, or checks that what exists was not to be made. */
static enum cli_exit make_if_new(struct cli_format_request *request) {
    struct mmc_disc_make make = {.media_name = request->media,
                                 .size_bytes = request->size_bytes};

    if (access(request->path, F_OK) == 0 || errno != ENOENT ||
        is_device_name(request->path)) {
        /* On a disc it says how much of that is formatted. */
        if (request->size_bytes / BLOCKDEV_BLOCK_BYTES > UINT32_MAX) {
            return cli_usage("--size: no disc is as large as that");
        }
        request->prepare.blocks =
            (uint32_t)(request->size_bytes / BLOCKDEV_BLOCK_BYTES);
        return CLI_EXIT_OK;
    }
    if (!request->media) {
        cli_error("--media cdrw makes a virtual CD-RW drive there, --media "
                  "image with --size a plain image",
                  "%s: no such device or file", request->path);
        return CLI_EXIT_NO_DEVICE;
    }
    int err = mmc_disc_create(request->path, &make);

    if (err) {
        return cli_fail(CLI_STAGE_CREATE, request->path, err, NULL);
    }
    request->created = true;
    return CLI_EXIT_OK;
}

static void remove_created(const struct cli_format_request *request) {
    char sidecar[PATH_MAX + 16];

    snprintf(sidecar, sizeof sidecar, "%s.udfpkt", request->path);
    unlink(request->path);
    unlink(sidecar);
}

static enum cli_exit fail_wrong_media(const struct cli_format_request *request,
                                      const struct mmc_disc_info *info) {
    char advice[PATH_MAX + 64];

    if (info->kind == MMC_KIND_IMAGE) {
        cli_error("--media image; or another name, for a new virtual drive",
                  "%s: this is a plain image, no virtual drive with %s",
                  request->path, request->media);
        return CLI_EXIT_MEDIUM;
    }
    snprintf(advice, sizeof advice, "--media %s, if this is the right disc",
             info->media_name);
    cli_error(info->media_name ? advice : "insert the right disc",
              "%s: the disc is %s, not %s", request->path,
              info->profile_name ? info->profile_name : "unknown",
              request->media);
    return CLI_EXIT_MEDIUM;
}

static bool is_word(const char *wanted, const char *word) {
    return word && strcmp(wanted, word) == 0;
}

/* Whether the medium is one that can be formatted, and the one asked for. */
static enum cli_exit check_medium(const struct cli_format_request *request,
                                  const struct mmc_disc_info *info) {
    bool unfit = info->state == MMC_DISC_ABSENT ||
                 info->state == MMC_DISC_READ_ONLY ||
                 info->state == MMC_DISC_UNUSABLE;

    if (info->state == MMC_DISC_ABSENT) {
        return cli_fail_medium(request->path, info);
    }
    if (request->media && !is_word(request->media, info->media_name) &&
        !is_word(request->media, info->other_media_name)) {
        return fail_wrong_media(request, info);
    }
    if (unfit && info->state == MMC_DISC_READ_ONLY &&
        access(request->path, W_OK) != 0 && errno == EACCES) {
        return cli_fail(CLI_STAGE_OPEN, request->path, -EACCES, info);
    }
    if (unfit) {
        return cli_fail_medium(request->path, info);
    }
    if (info->write_protected) {
        return cli_fail(CLI_STAGE_PREPARE, request->path, -EROFS, info);
    }
    return CLI_EXIT_OK;
}

static bool all_zero(const uint8_t *bytes, size_t count) {
    return count == 0 ||
           (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

/* Describes in `what` the data on `dev`; leaves it empty when the first blocks
 * are empty. Blocks that cannot be read may hold anything, except where a
 * format has not come to them or was just about to fill them. */
static void probe_data(struct blockdev *dev, const struct mmc_disc_info *info,
                       char *what, size_t what_bytes) {
    uint8_t buf[PROBE_AT_ONCE * BLOCKDEV_BLOCK_BYTES];
    char label[LABEL_BYTES];
    uint32_t end = dev->geometry.blocks;

    if (udf_probe(dev, label, sizeof label) == 0) {
        snprintf(what, what_bytes, "a UDF volume named \"%s\"", label);
        return;
    }
    end = end > PROBE_BLOCKS ? PROBE_BLOCKS : end;
    for (uint32_t lba = 0; lba < end && what[0] == '\0'; lba += PROBE_AT_ONCE) {
        uint32_t count = end - lba < PROBE_AT_ONCE ? end - lba : PROBE_AT_ONCE;

        if (blockdev_fetch(dev, lba, count) != 0 ||
            blockdev_read_cached(dev, lba, count, buf) != 0) {
            if (!dev->geometry.part_formatted && !info->unfinished) {
                snprintf(what, what_bytes, "blocks that cannot be read");
            }
        } else if (!all_zero(buf, (size_t)count * BLOCKDEV_BLOCK_BYTES)) {
            snprintf(what, what_bytes, "data");
        }
    }
}

/* How often each packet was written is known to the old volume alone. */
static void remember_wear(struct cli_format_request *request,
                          struct blockdev *dev) {
    if (udf_read_wear(dev, &request->wear) == 0) {
        request->udf.wear = &request->wear;
    }
}

/* Attaches the disc for reading, where it can be, and describes what is on
 * it. *out_volume: it is a UDF volume. */
static enum cli_exit probe_disc(struct cli_format_request *request,
                                struct mmc_disc *disc,
                                const struct mmc_disc_info *info, char *what,
                                size_t what_bytes, bool *out_volume) {
    struct blockdev *dev = NULL;

    *out_volume = false;
    if (info->state == MMC_DISC_BLANK || info->hollow) {
        return CLI_EXIT_OK;
    }
    if (info->state == MMC_DISC_UNFORMATTED && !info->unfinished) {
        snprintf(what, what_bytes, "recordings in another format");
        return CLI_EXIT_OK;
    }
    int err = mmc_disc_attach(disc, false, &dev);

    if (err == -EMEDIUMTYPE && info->unfinished) {
        return CLI_EXIT_OK; /* nothing was written to it yet */
    }
    if (err) {
        return cli_fail(CLI_STAGE_ATTACH, request->path, err, info);
    }
    remember_wear(request, dev);
    if (udf_format_began(dev) == 0) {
        return CLI_EXIT_OK; /* that was allowed before */
    }
    probe_data(dev, info, what, what_bytes);
    *out_volume = udf_probe(dev, NULL, 0) == 0;
    return CLI_EXIT_OK;
}

/* The volume that is there stays: what the user wants of a new one is a
 * mistake. */
static enum cli_exit keep_volume(struct cli_format_request *request,
                                 const char *what) {
    const struct udf_format_options *udf = &request->udf;

    if (udf->label || udf->revision || udf->map != UDF_MAP_AUTO ||
        udf->metadata_copies) {
        cli_error("leave them out; or --force without --wait and --grow, which "
                  "erases the disc",
                  "%s: --label, --udf, --map and --metadata-copies are for a "
                  "new volume, but the disc holds %s, which is kept",
                  request->path, what);
        return CLI_EXIT_HAS_DATA;
    }
    request->keep = true;
    return CLI_EXIT_OK;
}

/* Refuses a disc that holds data, unless --force was given. With --wait, a
 * volume that is there is what shall be finished, if the medium need not be
 * formatted for that; --grow needs one. */
static enum cli_exit check_data(struct cli_format_request *request,
                                struct mmc_disc *disc,
                                const struct mmc_disc_info *info) {
    char what[LABEL_BYTES + 64] = "";
    bool volume = false;

    if (request->force) {
        struct blockdev *dev = NULL;

        if (mmc_disc_attach(disc, false, &dev) == 0) {
            remember_wear(request, dev);
        }
        return CLI_EXIT_OK;
    }
    enum cli_exit code =
        probe_disc(request, disc, info, what, sizeof what, &volume);

    if (code != CLI_EXIT_OK) {
        return code;
    }
    if (request->prepare.grow) {
        return volume ? keep_volume(request, what)
                      : cli_fail(CLI_STAGE_VOLUME, request->path, -EMEDIUMTYPE,
                                 info);
    }
    if (request->prepare.wait && volume &&
        mmc_disc_is_prepared(disc, &request->prepare)) {
        return keep_volume(request, what);
    }
    if (what[0] == '\0') {
        return CLI_EXIT_OK;
    }
    cli_error(
        info->unfinished
            ? "--grow, which keeps it; or --force, which erases it"
            : "--force, if nothing on it is needed: formatting erases all",
        "%s: the disc holds %s", request->path, what);
    return CLI_EXIT_HAS_DATA;
}

/* What --size says in whole packets, 0 when it does not. */
static uint32_t wanted_blocks(const struct cli_format_request *request,
                              uint32_t packet_blocks) {
    uint32_t rest = request->prepare.blocks % packet_blocks;

    return rest ? request->prepare.blocks - rest + packet_blocks
                : request->prepare.blocks;
}

/* Refuses what the medium cannot become, and a volume that it could not take
 * then, before it is blanked. */
static enum cli_exit check_volume(const struct cli_format_request *request,
                                  const struct mmc_disc *disc,
                                  const struct mmc_disc_info *info) {
    struct blockdev_geometry geometry = {0};
    int err = mmc_disc_plan(disc, &request->prepare, &geometry);

    if (err) {
        return cli_fail(CLI_STAGE_PREPARE, request->path, err, info);
    }
    uint32_t wanted = wanted_blocks(request, geometry.packet_blocks);

    if (request->prepare.grow && wanted > 0 && wanted < info->blocks) {
        cli_error("leave it out", "--size: %s has %u blocks already, not %u",
                  request->path, info->blocks, wanted);
        return CLI_EXIT_USAGE;
    }
    if (request->prepare.grow || geometry.blocks == 0) {
        return CLI_EXIT_OK; /* known only when it is done */
    }
    if (wanted > 0 && wanted != geometry.blocks) {
        cli_error("leave it out", "--size: %s would have %u blocks, not %u",
                  request->path, geometry.blocks, wanted);
        return CLI_EXIT_USAGE;
    }
    err = udf_format_check(&geometry, &request->udf);
    return err ? cli_fail(CLI_STAGE_FORMAT, request->path, err, info)
               : CLI_EXIT_OK;
}

/* How the disc is opened to be changed. */
static struct mmc_disc_options
options_for_writing(const struct cli_format_request *request) {
    return (struct mmc_disc_options){.trace_path = request->trace_path,
                                     .speed_tenths = request->speed_tenths,
                                     .no_lead_out = request->no_lead_out,
                                     .verify = request->prepare.full};
}

/* Looks at everything that can be wrong, and changes nothing. */
static enum cli_exit inspect(struct cli_format_request *request) {
    /* Opened for writing, although nothing is written: only then does the
     * drive tell what it can write. */
    struct mmc_disc_options options = {.trace_path = request->trace_path};
    struct mmc_disc *disc = NULL;
    struct mmc_disc_info info;
    enum cli_exit code = cli_open_disc(request->path, &options, &disc);

    if (code != CLI_EXIT_OK) {
        return code;
    }
    mmc_disc_get_info(disc, &info);
    code = check_medium(request, &info);
    if (code == CLI_EXIT_OK) {
        request->prepare.media_name =
            info.kind == MMC_KIND_IMAGE ? NULL : request->media;
        code = check_volume(request, disc, &info);
    }
    if (code == CLI_EXIT_OK) {
        code = check_data(request, disc, &info);
    }
    mmc_disc_close(disc);
    return code;
}

/* Preparing a medium, as far as it has come. */
struct preparation {
    struct cli_progress progress;
    bool formatted; /* the drive wrote all of it */
};

static bool show_step(void *context, enum mmc_prepare_step step,
                      unsigned permille) {
    struct preparation *preparation = context;

    static const char *const words[] = {[MMC_STEP_BLANK] = "blanking",
                                        [MMC_STEP_FORMAT] = "formatting",
                                        [MMC_STEP_WRITE] = "filling",
                                        [MMC_STEP_CLOSE] = "closing",
                                        [MMC_STEP_VERIFY] = "verifying"};

    preparation->formatted |= step == MMC_STEP_FORMAT;
    cli_progress_show(&preparation->progress, words[step], permille);
    return !cli_interrupted();
}

static enum cli_exit prepare_medium(struct cli_format_request *request,
                                    struct mmc_disc *disc) {
    struct preparation preparation = {0};
    struct mmc_disc_info info;

    cli_progress_init(&preparation.progress);
    int err =
        mmc_disc_prepare(disc, &request->prepare, show_step, &preparation);

    cli_progress_end(&preparation.progress, err == 0);
    if (preparation.formatted) {
        udf_wear_add_all(&request->wear);
    }
    mmc_disc_get_info(disc, &info);
    if (err) {
        return cli_fail(CLI_STAGE_PREPARE, request->path, err, &info);
    }
    if (cli_interrupted()) {
        cli_error("repeat the command",
                  "%s: interrupted; the disc is "
                  "prepared, but has no file system yet",
                  request->path);
        return CLI_EXIT_INTERRUPTED;
    }
    return CLI_EXIT_OK;
}

static bool show_certify(void *context, unsigned permille) {
    cli_progress_show(context, "certifying", permille);
    return !cli_interrupted();
}

/* Looks for packets that the full format did not reach or that do not hold
 * what they are given. Drives that manage defects have done so themselves. */
static enum cli_exit certify_volume(const struct cli_format_request *request,
                                    struct blockdev *dev) {
    struct cli_progress progress;

    if (!request->prepare.full || dev->geometry.drive_manages_defects ||
        dev->geometry.part_formatted) {
        return CLI_EXIT_OK;
    }
    cli_progress_init(&progress);
    int err = udf_certify(dev, show_certify, &progress);

    cli_progress_end(&progress, err == 0);
    if (err == -EINTR) {
        cli_error("the volume can be used as it is",
                  "%s: interrupted; not all of the disc was read",
                  request->path);
        return CLI_EXIT_INTERRUPTED;
    }
    return err ? cli_fail(CLI_STAGE_VERIFY, request->path, err, NULL)
               : CLI_EXIT_OK;
}

static enum cli_exit write_volume(const struct cli_format_request *request,
                                  struct mmc_disc *disc) {
    struct blockdev *dev = NULL;
    struct mmc_disc_info info;

    mmc_disc_get_info(disc, &info);
    int err = mmc_disc_attach(disc, true, &dev);

    if (err) {
        return cli_fail(CLI_STAGE_ATTACH, request->path, err, &info);
    }
    err = udf_format(dev, &request->udf);
    if (err) {
        return cli_fail(CLI_STAGE_FORMAT, request->path, err, &info);
    }
    return certify_volume(request, dev);
}

/* The volume that is there gets what it lacks: anchors, or more room. */
static enum cli_exit complete_volume(const struct cli_format_request *request,
                                     struct mmc_disc *disc) {
    struct blockdev *dev = NULL;
    struct mmc_disc_info info;

    mmc_disc_get_info(disc, &info);
    int err = mmc_disc_attach(disc, true, &dev);

    if (err) {
        return cli_fail(CLI_STAGE_ATTACH, request->path, err, &info);
    }
    if (request->prepare.grow) {
        err = udf_grow(dev);
        return err ? cli_fail(CLI_STAGE_GROW, request->path, err, &info)
                   : CLI_EXIT_OK;
    }
    err = udf_format_finish(dev);
    return err ? cli_fail(CLI_STAGE_VOLUME, request->path, err, &info)
               : CLI_EXIT_OK;
}

/* Prepares and writes; the disc is closed afterwards. */
static enum cli_exit format_disc(struct cli_format_request *request) {
    struct mmc_disc_options options = options_for_writing(request);
    struct mmc_disc *disc = NULL;
    enum cli_exit code = cli_open_disc(request->path, &options, &disc);

    if (code != CLI_EXIT_OK) {
        return code;
    }
    code = prepare_medium(request, disc);
    if (code == CLI_EXIT_OK) {
        code = request->keep ? complete_volume(request, disc)
                             : write_volume(request, disc);
    }
    int err = mmc_disc_close(disc);

    if (code == CLI_EXIT_OK && err) {
        code = cli_fail(CLI_STAGE_CLOSE, request->path, err, NULL);
    }
    return code;
}

static enum cli_exit print_volume(const struct cli_format_request *request,
                                  struct blockdev *dev) {
    struct udf_mount_options options = {.read_only = true};
    struct udf_volume *volume = NULL;
    struct udf_info info;
    char capacity[16];
    char available[16];
    int err = udf_mount(dev, &options, &volume);

    if (err) {
        return cli_fail(CLI_STAGE_VOLUME, request->path, err, NULL);
    }
    udf_get_info(volume, &info);
    udf_unmount(volume);
    cli_size_text((uint64_t)info.partition_blocks * BLOCKDEV_BLOCK_BYTES,
                  capacity, sizeof capacity);
    cli_size_text((uint64_t)info.free_blocks * BLOCKDEV_BLOCK_BYTES, available,
                  sizeof available);
    printf("label     %s\n"
           "revision  UDF %x.%02x, %s partition\n"
           "capacity  %s (%u blocks)\n"
           "free      %s (%u blocks)\n",
           info.label, info.revision >> 8, info.revision & 0xffu,
           info.partition_kind, capacity, info.partition_blocks, available,
           info.free_blocks);
    return CLI_EXIT_OK;
}

/* Opens the disc afresh, reads the volume back and shows it. */
static enum cli_exit verify_disc(const struct cli_format_request *request) {
    struct mmc_disc_options options = {.read_only = true,
                                       .trace_path = request->trace_path};
    struct blockdev *dev = NULL;
    struct mmc_disc *disc = NULL;
    enum cli_exit code = cli_open_disc(request->path, &options, &disc);

    if (code != CLI_EXIT_OK) {
        return code;
    }
    int err = mmc_disc_attach(disc, false, &dev);

    if (err) {
        code = cli_fail(CLI_STAGE_ATTACH, request->path, err, NULL);
        goto out;
    }
    err = request->keep ? 0 : udf_format_verify(dev);
    if (err) {
        code = cli_fail(CLI_STAGE_VERIFY, request->path, err, NULL);
        goto out;
    }
    code = print_volume(request, dev);
out:
    mmc_disc_close(disc);
    return code;
}

static enum cli_exit run(struct cli_format_request *request) {
    enum cli_exit code =
        cli_choose_device(request->given, request->path, sizeof request->path);

    if (code == CLI_EXIT_OK) {
        code = make_if_new(request);
    }
    if (code == CLI_EXIT_OK) {
        code = inspect(request);
    }
    if (code == CLI_EXIT_OK) {
        code = format_disc(request);
    }
    if (code == CLI_EXIT_OK) {
        code = verify_disc(request);
    }
    /* An interrupted format is kept: going on with it is a plain repetition
     * of the command. */
    if (request->created && code != CLI_EXIT_OK &&
        code != CLI_EXIT_INTERRUPTED) {
        remove_created(request);
    }
    return code;
}

int main(int argc, char **argv) {
    struct cli_format_request request = {
        .udf = {.uid = getuid(), .gid = getgid()}};
    bool done = false;

    cli_start("udfpkt-format");
    enum cli_exit code = cli_format_options_parse(argc, argv, &request, &done);

    if (code == CLI_EXIT_OK && !done) {
        cli_catch_interrupts();
        code = run(&request);
        udf_wear_free(&request.wear);
    }
    return (int)cli_finish(code);
}
