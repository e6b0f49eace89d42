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
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
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

/* What the user asked for. */
struct request {
    const char *media; /* canonical word, NULL = whatever is there */
    uint64_t size_bytes;
    struct udf_format_options udf;
    struct mmc_prepare_options prepare;
    bool force;
    unsigned verbose;
    const char *trace_path;
    const char *given; /* device on the command line */
    char path[PATH_MAX];
    bool created; /* the file is ours: removed when formatting it fails */
};

enum { OPTION_MEDIA = 256, OPTION_SIZE, OPTION_UDF, OPTION_MAP, OPTION_TRACE };

static const struct option long_options[] = {
    {"media", required_argument, NULL, OPTION_MEDIA},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"label", required_argument, NULL, 'l'},
    {"udf", required_argument, NULL, OPTION_UDF},
    {"map", required_argument, NULL, OPTION_MAP},
    {"quick", no_argument, NULL, 'q'},
    {"full", no_argument, NULL, 'F'},
    {"force", no_argument, NULL, 'f'},
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void) {
    fputs("Usage: udfpkt-format [OPTION...] [DEVICE]\n"
          "\n"
          "Formats a rewritable disc for packet writing and makes an empty "
          "UDF volume\non it. DEVICE is an optical drive (the only one of "
          "this machine if left out),\nthe file of a virtual drive, or a "
          "plain image.\n"
          "\n"
          "  --media WORD   the medium that must be in the drive; for a new "
          "file, the\n                 medium to make:",
          stdout);
    for (size_t i = 0; mmc_media_nth(i); i++) {
        printf(" %s", mmc_media_nth(i));
    }
    fputs("\n"
          "  --size SIZE    capacity of a new file: 700M, 4.7G, 300000blocks\n"
          "  -l, --label L  volume label (LinuxUDF)\n"
          "  --udf REV      UDF revision: 2.01\n"
          "  --map MAP      partition map: auto, type1 or sparable\n"
          "  -q, --quick    prepare the disc the shortest way\n"
          "  -F, --full     prepare it anew although it is ready\n"
          "  -f, --force    format although the disc holds data\n"
          "  --trace FILE   write every command to the drive down in FILE\n"
          "  -v, --verbose  say more; twice: everything\n"
          "  -V, --version  -h, --help\n"
          "\n"
          "Exit codes: see udfpkt(7).\n",
          stdout);
}

static enum cli_exit parse_media(const char *word, struct request *request) {
    if (mmc_media_word(word, &request->media) == 0) {
        return CLI_EXIT_OK;
    }
    return cli_usage("--media %s: no such medium", word);
}

static enum cli_exit parse_size(const char *text, struct request *request) {
    int err = cli_parse_size(text, &request->size_bytes);

    if (err || request->size_bytes == 0) {
        return cli_usage("--size %s: not a size like 700M or 4.7G", text);
    }
    return CLI_EXIT_OK;
}

/* "2.01" becomes 0201h. */
static enum cli_exit parse_revision(const char *text, struct request *request) {
    static const char *const known[] = {"1.02", "1.50", "2.00",
                                        "2.01", "2.50", "2.60"};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(text, known[i]) == 0) {
            request->udf.revision =
                (uint16_t)((text[0] - '0') << 8 | (text[2] - '0') << 4 |
                           (text[3] - '0'));
            return CLI_EXIT_OK;
        }
    }
    return cli_usage("--udf %s: not a UDF revision like 2.01", text);
}

static enum cli_exit parse_map(const char *word, struct request *request) {
    static const struct {
        const char *word;
        enum udf_map_choice map;
    } maps[] = {{"auto", UDF_MAP_AUTO},
                {"type1", UDF_MAP_TYPE1},
                {"sparable", UDF_MAP_SPARABLE}};

    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        if (strcmp(word, maps[i].word) == 0) {
            request->udf.map = maps[i].map;
            return CLI_EXIT_OK;
        }
    }
    return cli_usage("--map %s: it is auto, type1 or sparable", word);
}

static enum cli_exit parse_option(int option, struct request *request) {
    switch (option) {
    case OPTION_MEDIA:
        return parse_media(optarg, request);
    case OPTION_SIZE:
        return parse_size(optarg, request);
    case OPTION_UDF:
        return parse_revision(optarg, request);
    case OPTION_MAP:
        return parse_map(optarg, request);
    case OPTION_TRACE:
        request->trace_path = optarg;
        break;
    case 'l':
        request->udf.label = optarg;
        break;
    case 'q':
        request->prepare.quick = true;
        break;
    case 'F':
        request->prepare.full = true;
        break;
    case 'f':
        request->force = true;
        break;
    case 'v':
        cli_set_verbose(++request->verbose);
        break;
    default:
        return CLI_EXIT_USAGE;
    }
    return CLI_EXIT_OK;
}

/* Sets *out_done when there is nothing more to do (--help, --version). */
static enum cli_exit parse_arguments(int argc, char **argv,
                                     struct request *request, bool *out_done) {
    enum cli_exit code = CLI_EXIT_OK;
    int option = 0;

    while (code == CLI_EXIT_OK &&
           (option = getopt_long(argc, argv, "l:qFfvVh", long_options, NULL)) !=
               -1) {
        if (option == 'h' || option == 'V') {
            *out_done = true;
            if (option == 'h') {
                print_help();
            } else {
                puts("udfpkt-format " UDFPKT_VERSION);
            }
            return CLI_EXIT_OK;
        }
        code = option == '?' ? cli_bad_option(argv)
                             : parse_option(option, request);
    }
    if (code != CLI_EXIT_OK) {
        return code;
    }
    if (request->prepare.quick && request->prepare.full) {
        return cli_usage("--quick and --full exclude each other");
    }
    if (argc - optind > 1) {
        return cli_usage("more than one device: %s", argv[optind + 1]);
    }
    request->given = argv[optind];
    return CLI_EXIT_OK;
}

/* Whether a new file at `path` would be a device that is not there. */
static bool is_device_name(const char *path) {
    return strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0;
}

/* Makes the virtual drive, or checks that what exists was not to be made. */
static enum cli_exit make_if_new(struct request *request) {
    struct mmc_disc_make make = {.media_name = request->media,
                                 .size_bytes = request->size_bytes};

    if (access(request->path, F_OK) == 0 || errno != ENOENT ||
        is_device_name(request->path)) {
        if (request->size_bytes != 0) {
            return cli_usage("--size is for new files, and %s is none",
                             request->path);
        }
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

static void remove_created(const struct request *request) {
    char sidecar[PATH_MAX + 16];

    snprintf(sidecar, sizeof sidecar, "%s.udfpkt", request->path);
    unlink(request->path);
    unlink(sidecar);
}

static enum cli_exit fail_wrong_media(const struct request *request,
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

/* Whether the medium is one that can be formatted, and the one asked for. */
static enum cli_exit check_medium(const struct request *request,
                                  const struct mmc_disc_info *info) {
    bool unfit = info->state == MMC_DISC_ABSENT ||
                 info->state == MMC_DISC_READ_ONLY ||
                 info->state == MMC_DISC_UNUSABLE;

    if (info->state == MMC_DISC_ABSENT) {
        return cli_fail_medium(request->path, info);
    }
    if (request->media &&
        (!info->media_name || strcmp(request->media, info->media_name) != 0)) {
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
 * are empty. Blocks that cannot be read may hold anything. */
static void probe_data(struct blockdev *dev, char *what, size_t what_bytes) {
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
            snprintf(what, what_bytes, "blocks that cannot be read");
        } else if (!all_zero(buf, (size_t)count * BLOCKDEV_BLOCK_BYTES)) {
            snprintf(what, what_bytes, "data");
        }
    }
}

/* Refuses a disc that holds data, unless --force was given. */
static enum cli_exit check_data(const struct request *request,
                                struct mmc_disc *disc,
                                const struct mmc_disc_info *info) {
    char what[LABEL_BYTES + 64] = "";
    struct blockdev *dev = NULL;

    if (request->force || info->state == MMC_DISC_BLANK) {
        return CLI_EXIT_OK;
    }
    if (info->state == MMC_DISC_UNFORMATTED) {
        snprintf(what, sizeof what, "recordings in another format");
    } else {
        int err = mmc_disc_attach(disc, false, &dev);

        if (err) {
            return cli_fail(CLI_STAGE_ATTACH, request->path, err, info);
        }
        probe_data(dev, what, sizeof what);
    }
    if (what[0] == '\0') {
        return CLI_EXIT_OK;
    }
    cli_error("--force, if nothing on it is needed: formatting erases all",
              "%s: the disc holds %s", request->path, what);
    return CLI_EXIT_HAS_DATA;
}

/* Refuses a volume that the formatted medium could not take, before it is
 * blanked. */
static enum cli_exit check_volume(const struct request *request,
                                  const struct mmc_disc_info *info) {
    bool formatted = info->state == MMC_DISC_READY && !request->prepare.full;
    struct blockdev_geometry geometry = {
        .blocks = formatted || info->formattable_blocks == 0
                      ? info->blocks
                      : info->formattable_blocks,
        .packet_blocks = info->packet_blocks,
        .rewritable = info->erasable};
    int err = udf_format_check(&geometry, &request->udf);

    return err ? cli_fail(CLI_STAGE_FORMAT, request->path, err, info)
               : CLI_EXIT_OK;
}

/* Looks at everything that can be wrong, and changes nothing. */
static enum cli_exit inspect(const struct request *request) {
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
        code = check_volume(request, &info);
    }
    if (code == CLI_EXIT_OK) {
        code = check_data(request, disc, &info);
    }
    mmc_disc_close(disc);
    return code;
}

static bool show_step(void *context, enum mmc_prepare_step step,
                      unsigned permille) {
    static const char *const words[] = {[MMC_STEP_BLANK] = "blanking",
                                        [MMC_STEP_FORMAT] = "formatting",
                                        [MMC_STEP_VERIFY] = "verifying"};

    cli_progress_show(context, words[step], permille);
    return !cli_interrupted();
}

static enum cli_exit prepare_medium(const struct request *request,
                                    struct mmc_disc *disc) {
    struct cli_progress progress;
    struct mmc_disc_info info;

    cli_progress_init(&progress);
    int err = mmc_disc_prepare(disc, &request->prepare, show_step, &progress);

    cli_progress_end(&progress, err == 0);
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

static enum cli_exit write_volume(const struct request *request,
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
    return CLI_EXIT_OK;
}

/* Prepares and writes; the disc is closed afterwards. */
static enum cli_exit format_disc(const struct request *request) {
    struct mmc_disc_options options = {.trace_path = request->trace_path};
    struct mmc_disc *disc = NULL;
    enum cli_exit code = cli_open_disc(request->path, &options, &disc);

    if (code != CLI_EXIT_OK) {
        return code;
    }
    code = prepare_medium(request, disc);
    if (code == CLI_EXIT_OK) {
        code = write_volume(request, disc);
    }
    int err = mmc_disc_close(disc);

    if (code == CLI_EXIT_OK && err) {
        code = cli_fail(CLI_STAGE_CLOSE, request->path, err, NULL);
    }
    return code;
}

static enum cli_exit print_volume(const struct request *request,
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
static enum cli_exit verify_disc(const struct request *request) {
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
    err = udf_format_verify(dev);
    if (err) {
        code = cli_fail(CLI_STAGE_VERIFY, request->path, err, NULL);
        goto out;
    }
    code = print_volume(request, dev);
out:
    mmc_disc_close(disc);
    return code;
}

static enum cli_exit run(struct request *request) {
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
    struct request request = {.udf = {.uid = getuid(), .gid = getgid()}};
    bool done = false;

    cli_start("udfpkt-format");
    enum cli_exit code = parse_arguments(argc, argv, &request, &done);

    if (code == CLI_EXIT_OK && !done) {
        cli_catch_interrupts();
        code = run(&request);
    }
    return (int)cli_finish(code);
}
