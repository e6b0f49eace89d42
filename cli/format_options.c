/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/format_options.c - see cli/format_options.h.
 */
#include "cli/format_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/blockdev.h"

enum {
    OPTION_MEDIA = 256,
    OPTION_SIZE,
    OPTION_UDF,
    OPTION_MAP,
    OPTION_GROW,
    OPTION_METADATA_COPIES,
    OPTION_WAIT,
    OPTION_SPARE,
    OPTION_SPEED,
    OPTION_NO_LEAD_OUT,
    OPTION_TRACE
};

static const struct option long_options[] = {
    {"media", required_argument, NULL, OPTION_MEDIA},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"label", required_argument, NULL, 'l'},
    {"udf", required_argument, NULL, OPTION_UDF},
    {"map", required_argument, NULL, OPTION_MAP},
    {"metadata-copies", required_argument, NULL, OPTION_METADATA_COPIES},
    {"quick", no_argument, NULL, 'q'},
    {"full", no_argument, NULL, 'F'},
    {"grow", no_argument, NULL, OPTION_GROW},
    {"wait", no_argument, NULL, OPTION_WAIT},
    {"spare", required_argument, NULL, OPTION_SPARE},
    {"speed", required_argument, NULL, OPTION_SPEED},
    {"no-lead-out", no_argument, NULL, OPTION_NO_LEAD_OUT},
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
          "file, the\n                 medium to make:\n                ",
          stdout);
    for (size_t i = 0; mmc_media_nth(i); i++) {
        printf(" %s", mmc_media_nth(i));
    }
    fputs(
        "\n"
        "  --size SIZE    capacity of a new file: 700M, 4.7G, 300000blocks; "
        "on a disc,\n                 how much of it is formatted\n"
        "  -l, --label L  volume label (LinuxUDF)\n"
        "  --udf REV      UDF revision, 1.02 to 2.60: 2.01, on BD-RE 2.50\n"
        "  --map MAP      partition map: auto, type1 or sparable\n"
        "  --metadata-copies N  1 or 2 of all that is not file data (UDF 2.50, "
        "2.60)\n"
        "  -q, --quick    prepare the disc the shortest way\n"
        "  -F, --full     prepare it anew although it is ready\n"
        "  --grow         make a disc that was formatted with --quick larger; "
        "its files\n                 stay\n"
        "  --wait         wait until formatting in the background is "
        "complete\n"
        "  --spare SPARE  spare blocks of the drive: none, min, max or a "
        "size (BD-RE)\n"
        "  --speed N      turn the disc at N times its basic speed\n"
        "  --no-lead-out  end formatting in the background without what "
        "read-only\n                 drives need\n"
        "  -f, --force    format although the disc holds data\n"
        "  --trace FILE   write every command to the drive down in FILE\n"
        "  -v, --verbose  say more; twice: everything\n"
        "  -V, --version  -h, --help\n"
        "\n"
        "Exit codes: see udfpkt(7).\n",
        stdout);
}

static enum cli_exit parse_media(const char *word,
                                 struct cli_format_request *request) {
    if (mmc_media_word(word, &request->media) == 0) {
        return CLI_EXIT_OK;
    }
    return cli_usage("--media %s: no such medium", word);
}

static enum cli_exit parse_size(const char *text,
                                struct cli_format_request *request) {
    int err = cli_parse_size(text, &request->size_bytes);

    if (err || request->size_bytes == 0) {
        return cli_usage("--size %s: not a size like 700M or 4.7G", text);
    }
    if (request->size_bytes < BLOCKDEV_BLOCK_BYTES) {
        return cli_usage("--size %s: less than a block of %d bytes", text,
                         BLOCKDEV_BLOCK_BYTES);
    }
    return CLI_EXIT_OK;
}

/* "2.01" becomes 0201h. */
static enum cli_exit parse_revision(const char *text,
                                    struct cli_format_request *request) {
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

static enum cli_exit parse_copies(const char *text,
                                  struct cli_format_request *request) {
    if (strcmp(text, "1") != 0 && strcmp(text, "2") != 0) {
        return cli_usage("--metadata-copies %s: 1 or 2", text);
    }
    request->udf.metadata_copies = (unsigned)(text[0] - '0');
    return CLI_EXIT_OK;
}

static enum cli_exit parse_map(const char *word,
                               struct cli_format_request *request) {
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

static enum cli_exit parse_spare(const char *text,
                                 struct cli_format_request *request) {
    static const struct {
        const char *word;
        enum mmc_spare spare;
    } words[] = {{"default", MMC_SPARE_DEFAULT},
                 {"none", MMC_SPARE_NONE},
                 {"min", MMC_SPARE_MIN},
                 {"max", MMC_SPARE_MAX}};
    uint64_t bytes;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i].word) == 0) {
            request->prepare.spare = words[i].spare;
            return CLI_EXIT_OK;
        }
    }
    if (cli_parse_size(text, &bytes) != 0 ||
        bytes / BLOCKDEV_BLOCK_BYTES > UINT32_MAX) {
        return cli_usage("--spare %s: it is none, min, max, or a size", text);
    }
    request->prepare.spare = bytes > 0 ? MMC_SPARE_SIZE : MMC_SPARE_NONE;
    request->prepare.spare_blocks = (uint32_t)(bytes / BLOCKDEV_BLOCK_BYTES);
    return CLI_EXIT_OK;
}

static enum cli_exit parse_speed(const char *text,
                                 struct cli_format_request *request) {
    return cli_parse_speed(text, &request->speed_tenths) == 0
               ? CLI_EXIT_OK
               : cli_usage("--speed %s: not a speed like 4 or 2.4", text);
}

static enum cli_exit parse_option(int option,
                                  struct cli_format_request *request) {
    switch (option) {
    case OPTION_MEDIA:
        return parse_media(optarg, request);
    case OPTION_SIZE:
        return parse_size(optarg, request);
    case OPTION_UDF:
        return parse_revision(optarg, request);
    case OPTION_MAP:
        return parse_map(optarg, request);
    case OPTION_METADATA_COPIES:
        return parse_copies(optarg, request);
    case OPTION_SPARE:
        return parse_spare(optarg, request);
    case OPTION_SPEED:
        return parse_speed(optarg, request);
    case OPTION_GROW:
        request->prepare.grow = true;
        break;
    case OPTION_WAIT:
        request->prepare.wait = true;
        break;
    case OPTION_NO_LEAD_OUT:
        request->no_lead_out = true;
        break;
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

enum cli_exit cli_format_options_parse(int argc, char **argv,
                                       struct cli_format_request *request,
                                       bool *out_done) {
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
    if (request->prepare.grow &&
        (request->prepare.quick || request->prepare.full || request->force)) {
        return cli_usage("--grow keeps what is on the disc: it does not go "
                         "with --quick, --full and --force");
    }
    if (argc - optind > 1) {
        return cli_usage("more than one device: %s", argv[optind + 1]);
    }
    request->given = argv[optind];
    return CLI_EXIT_OK;
}
