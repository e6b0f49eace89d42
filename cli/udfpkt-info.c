/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udfpkt-info - shows the drive, the disc in it and the volume on that; of a
 * virtual drive, also what it did. Changes nothing.
 *
 * First everything is gathered, then it is printed: as text or as JSON, from
 * the same struct, so that both say the same.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "mmc/blockdev.h"
#include "mmc/disc.h"
#include "udf/udf.h"

enum { SPEEDS_MAX = 16 };

struct report {
    const char *path;
    struct mmc_disc_info disc;
    struct mmc_disc_wear wear;
    struct mmc_disc_speed speeds[SPEEDS_MAX]; /* for writing */
    size_t speed_count;
    uint32_t rated_overwrites; /* 0 = unknown */
    bool has_volume;
    struct udf_info volume;
    bool has_ledger;
    struct udf_wear_summary ledger;
};

static const struct option long_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void) {
    fputs("Usage: udfpkt-info [OPTION...] [DEVICE]\n"
          "\n"
          "Shows the drive, the disc in it and the UDF volume on that. DEVICE "
          "is an\noptical drive (the only one of this machine if left out), "
          "the file of a\nvirtual drive, or a plain image.\n"
          "\n"
          "  -j, --json     as JSON\n"
          "  -v, --verbose  say more; twice: everything\n"
          "  -V, --version  -h, --help\n"
          "\n"
          "Exit codes: see udfpkt(7).\n",
          stdout);
}

static const char *kind_word(enum mmc_disc_kind kind) {
    switch (kind) {
    case MMC_KIND_DRIVE:
        return "drive";
    case MMC_KIND_VIRTUAL:
        return "virtual";
    case MMC_KIND_IMAGE:
        return "image";
    }
    return "unknown";
}

static const char *state_word(enum mmc_disc_state state) {
    switch (state) {
    case MMC_DISC_ABSENT:
        return "absent";
    case MMC_DISC_BLANK:
        return "blank";
    case MMC_DISC_UNFORMATTED:
        return "unformatted";
    case MMC_DISC_READY:
        return "ready";
    case MMC_DISC_READ_ONLY:
        return "read-only";
    case MMC_DISC_UNUSABLE:
        return "unusable";
    }
    return "unknown";
}

static bool is_usable(const struct report *report) {
    return report->disc.state == MMC_DISC_READY ||
           report->disc.state == MMC_DISC_READ_ONLY;
}

/* What the volume's own ledger says of the disc; without one, nothing. */
static void gather_ledger(struct blockdev *dev, struct report *report) {
    struct udf_wear wear;

    report->has_ledger = udf_read_wear(dev, &wear) == 0;
    if (report->has_ledger) {
        udf_wear_summarise(&wear, &report->ledger);
        udf_wear_free(&wear);
    }
}

/* Fills in what is known of the volume. A disc without UDF is no error, and
 * what is recorded in another way may hold anything. */
static enum cli_exit gather_volume(struct mmc_disc *disc,
                                   struct report *report) {
    struct udf_mount_options options = {.read_only = true};
    struct udf_volume *volume = NULL;
    struct blockdev *dev = NULL;
    bool recorded = report->disc.state == MMC_DISC_UNFORMATTED;

    if (!recorded && !is_usable(report)) {
        return CLI_EXIT_OK;
    }
    int err = mmc_disc_attach(disc, false, &dev);

    if (err && recorded) {
        return CLI_EXIT_OK; /* nothing that could be read */
    }
    if (err) {
        return cli_fail(CLI_STAGE_ATTACH, report->path, err, &report->disc);
    }
    report->rated_overwrites = dev->geometry.rated_overwrites;
    err = udf_mount(dev, &options, &volume);
    if (err == -EMEDIUMTYPE || (err && recorded)) {
        return CLI_EXIT_OK;
    }
    if (err) {
        return cli_fail(CLI_STAGE_VOLUME, report->path, err, &report->disc);
    }
    udf_get_info(volume, &report->volume);
    report->has_volume = true;
    udf_unmount(volume);
    gather_ledger(dev, report);
    return CLI_EXIT_OK;
}

static void print_line(const char *name, const char *text) {
    printf("%-10s %s\n", name, text);
}

/* A capacity in blocks, for people and exactly. */
static void print_blocks(const char *name, uint32_t blocks) {
    char size[16];

    cli_size_text((uint64_t)blocks * BLOCKDEV_BLOCK_BYTES, size, sizeof size);
    printf("%-10s %s (%u blocks)\n", name, size, blocks);
}

static void print_drive(const struct report *report) {
    const struct mmc_disc_info *disc = &report->disc;

    if (disc->kind == MMC_KIND_IMAGE) {
        printf("%-10s %s (plain image)\n", "file", report->path);
        return;
    }
    printf("%-10s %s %s %s at %s%s\n", "drive", disc->vendor, disc->product,
           disc->revision, report->path,
           disc->kind == MMC_KIND_VIRTUAL ? " (virtual)" : "");
}

static void print_disc(const struct report *report) {
    static const char *const words[] = {
        [MMC_DISC_ABSENT] = "no disc in the drive",
        [MMC_DISC_BLANK] = "blank: udfpkt-format makes it usable",
        [MMC_DISC_UNFORMATTED] = "not formatted for packet writing",
        [MMC_DISC_READY] = "ready for packet writing",
        [MMC_DISC_READ_ONLY] = "can only be read",
        [MMC_DISC_UNUSABLE] = "the drive cannot use it"};
    const struct mmc_disc_info *disc = &report->disc;

    if (disc->kind != MMC_KIND_IMAGE && disc->profile_name) {
        print_line("disc", disc->profile_name);
    }
    print_line("state", words[disc->state]);
    if (disc->reason && disc->reason[0] != '\0') {
        print_line("", disc->reason);
    }
    if (disc->write_protected) {
        print_line("", "write-protected");
    }
    if (disc->blocks != 0) {
        print_blocks("size", disc->blocks);
    } else if (disc->formattable_blocks != 0) {
        print_blocks("formatted", disc->formattable_blocks);
    }
    if (disc->packet_blocks > 1) {
        printf("%-10s %u blocks\n", "packet", disc->packet_blocks);
    }
    if (disc->part_formatted) {
        print_line("", "formatting in the background is not complete: "
                       "udfpkt-format --wait ends it");
    }
    for (size_t i = 0; i < report->speed_count; i++) {
        const struct mmc_disc_speed *speed = &report->speeds[i];

        printf("%-10s %u.%ux (%u kB/s)\n", i == 0 ? "speeds" : "",
               speed->tenths / 10, speed->tenths % 10, speed->kbs);
    }
}

static void print_volume(const struct report *report) {
    const struct udf_info *volume = &report->volume;

    if (!report->has_volume) {
        print_line("volume", "none");
        return;
    }
    printf("%-10s \"%s\", UDF %x.%02x, %s partition\n", "volume", volume->label,
           volume->revision >> 8, volume->revision & 0xffu,
           volume->partition_kind);
    print_line("", volume->clean ? "closed cleanly" : "was not closed");
    print_blocks("capacity", volume->partition_blocks);
    print_blocks("free", volume->free_blocks);
    printf("%-10s %u files, %u directories\n", "holds", volume->files,
           volume->directories);
    if (volume->spares != 0) {
        printf("%-10s %u of %u spare packets used\n", "spares",
               volume->spares_used, volume->spares);
    }
    if (volume->spares_bad != 0) {
        printf("%-10s %u spare packets are bad\n", "", volume->spares_bad);
    }
    if (volume->withdrawn_packets != 0) {
        printf("%-10s %u packets are bad and out of use\n", "defects",
               volume->withdrawn_packets);
    }
    if (volume->journal_packets != 0) {
        printf("%-10s %u packets reserved at block %u\n", "journal",
               volume->journal_packets, volume->journal_lba);
    }
    if (volume->journal_blocks != 0) {
        printf("%-10s %u blocks that the next mount brings home\n",
               "in journal", volume->journal_blocks);
    }
}

static void print_wear(const struct report *report) {
    const struct mmc_disc_wear *wear = &report->wear;

    if (!wear->known) {
        return;
    }
    printf("%-10s %llu commands, %llu refused\n", "drive did",
           (unsigned long long)wear->commands,
           (unsigned long long)wear->refused);
    printf("%-10s %llu packets written, %llu blocks read\n", "",
           (unsigned long long)wear->packets_written,
           (unsigned long long)wear->blocks_read);
    printf("%-10s %llu seeks, %llu cache synchronisations\n", "",
           (unsigned long long)wear->seeks, (unsigned long long)wear->syncs);
    printf("%-10s %llu.%llu s of drive time\n", "",
           (unsigned long long)(wear->busy_ms / 1000),
           (unsigned long long)(wear->busy_ms % 1000 / 100));
    if (wear->hottest_overwrites == 0) {
        return;
    }
    printf("%-10s packet %u, written %u times", "hottest", wear->hottest_packet,
           wear->hottest_overwrites);
    if (report->rated_overwrites != 0) {
        printf(" of about %u", report->rated_overwrites);
    }
    putchar('\n');
}

static void print_ledger(const struct report *report) {
    const struct udf_wear_summary *ledger = &report->ledger;

    if (!report->has_ledger) {
        return;
    }
    printf("%-10s the packet at sector %u was written %u times", "worn",
           ledger->hottest_lba, ledger->hottest);
    if (report->rated_overwrites != 0) {
        printf(" of about %u", report->rated_overwrites);
    }
    printf("; all of them, %u.%u times on average\n",
           ledger->average_tenths / 10, ledger->average_tenths % 10);
}

static void print_text(const struct report *report) {
    print_drive(report);
    print_disc(report);
    if (report->has_volume || is_usable(report)) {
        print_volume(report);
    }
    print_ledger(report);
    print_wear(report);
}

/* Text from a drive is whatever the drive sent; JSON is UTF-8. */
static json_t *json_text(const char *text) {
    if (!text) {
        return json_null();
    }
    json_t *value = json_string(text);
    return value ? value : json_null();
}

static json_t *json_speeds(const struct report *report) {
    json_t *list = json_array();

    for (size_t i = 0; list && i < report->speed_count; i++) {
        json_array_append_new(
            list, json_pack("{s:f, s:I}", "x", report->speeds[i].tenths / 10.0,
                            "kbs", (json_int_t)report->speeds[i].kbs));
    }
    return list ? list : json_null();
}

static json_t *json_disc(const struct report *report) {
    const struct mmc_disc_info *disc = &report->disc;

    return json_pack(
        "{s:o, s:o, s:o, s:i, s:I, s:I, s:I, s:b, s:b, s:b, s:o}", "state",
        json_text(state_word(disc->state)), "reason", json_text(disc->reason),
        "medium", json_text(disc->media_name), "profile", disc->profile,
        "blocks", (json_int_t)disc->blocks, "formattable_blocks",
        (json_int_t)disc->formattable_blocks, "packet_blocks",
        (json_int_t)disc->packet_blocks, "write_protected",
        disc->write_protected, "erasable", disc->erasable, "part_formatted",
        disc->part_formatted, "write_speeds", json_speeds(report));
}

static json_t *json_volume(const struct report *report) {
    const struct udf_info *volume = &report->volume;
    char revision[8];

    if (!report->has_volume) {
        return json_null();
    }
    snprintf(revision, sizeof revision, "%x.%02x", volume->revision >> 8,
             volume->revision & 0xffu);
    return json_pack(
        "{s:o, s:o, s:s, s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I, s:I, s:I, s:I, s:I, s:I}",
        "label", json_text(volume->label), "volume_set_id",
        json_text(volume->volume_set_id), "revision", revision, "clean",
        volume->clean, "partition", json_text(volume->partition_kind),
        "partition_lba", (json_int_t)volume->partition_lba, "partition_blocks",
        (json_int_t)volume->partition_blocks, "free_blocks",
        (json_int_t)volume->free_blocks, "files", (json_int_t)volume->files,
        "directories", (json_int_t)volume->directories, "spares",
        (json_int_t)volume->spares, "spares_used",
        (json_int_t)volume->spares_used, "spares_bad",
        (json_int_t)volume->spares_bad, "withdrawn_packets",
        (json_int_t)volume->withdrawn_packets, "journal_lba",
        (json_int_t)volume->journal_lba, "journal_packets",
        (json_int_t)volume->journal_packets, "journal_blocks",
        (json_int_t)volume->journal_blocks, "ledger_lba",
        (json_int_t)volume->ledger_lba, "ledger_packets",
        (json_int_t)volume->ledger_packets);
}

static json_t *json_ledger(const struct report *report) {
    const struct udf_wear_summary *ledger = &report->ledger;

    if (!report->has_ledger) {
        return json_null();
    }
    return json_pack(
        "{s:I, s:I, s:I, s:f, s:I}", "packets", (json_int_t)ledger->packets,
        "hottest_lba", (json_int_t)ledger->hottest_lba, "hottest",
        (json_int_t)ledger->hottest, "average", ledger->average_tenths / 10.0,
        "rated_overwrites", (json_int_t)report->rated_overwrites);
}

static json_t *json_wear(const struct report *report) {
    const struct mmc_disc_wear *wear = &report->wear;

    if (!wear->known) {
        return json_null();
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                     "commands", (json_int_t)wear->commands, "refused",
                     (json_int_t)wear->refused, "packets_written",
                     (json_int_t)wear->packets_written, "blocks_read",
                     (json_int_t)wear->blocks_read, "seeks",
                     (json_int_t)wear->seeks, "syncs", (json_int_t)wear->syncs,
                     "hottest_packet", (json_int_t)wear->hottest_packet,
                     "hottest_overwrites", (json_int_t)wear->hottest_overwrites,
                     "rated_overwrites", (json_int_t)report->rated_overwrites,
                     "drive_ms", (json_int_t)wear->busy_ms);
}

static enum cli_exit print_json(const struct report *report) {
    const struct mmc_disc_info *disc = &report->disc;
    json_t *drive = json_pack(
        "{s:o, s:o, s:o, s:o}", "kind", json_text(kind_word(disc->kind)),
        "vendor", json_text(disc->vendor), "product", json_text(disc->product),
        "revision", json_text(disc->revision));
    json_t *all =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "path",
                  json_text(report->path), "drive", drive, "disc",
                  json_disc(report), "volume", json_volume(report), "ledger",
                  json_ledger(report), "wear", json_wear(report));

    if (!all) {
        return cli_fail(CLI_STAGE_OPEN, report->path, -ENOMEM, NULL);
    }
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
    return CLI_EXIT_OK;
}

static enum cli_exit run(const char *given, bool json) {
    /* Not read-only, where that is allowed: a drive that may not write says
     * of every disc that it can only be read. Nothing is written. */
    struct mmc_disc_options options = {0};
    struct mmc_disc *disc = NULL;
    struct report report = {0};
    char path[PATH_MAX];
    enum cli_exit code = cli_choose_device(given, path, sizeof path);

    if (code == CLI_EXIT_OK) {
        code = cli_open_disc(path, &options, &disc);
    }
    if (code != CLI_EXIT_OK) {
        return code;
    }
    report.path = path;
    mmc_disc_get_info(disc, &report.disc);
    /* Before the volume is read: what this command does is no news. */
    mmc_disc_get_wear(disc, &report.wear);
    report.speed_count = mmc_disc_get_speeds(disc, report.speeds, SPEEDS_MAX);
    code = gather_volume(disc, &report);
    if (json) {
        enum cli_exit json_code = print_json(&report);

        code = code == CLI_EXIT_OK ? json_code : code;
    } else {
        print_text(&report);
    }
    mmc_disc_close(disc);
    return code;
}

int main(int argc, char **argv) {
    unsigned verbose = 0;
    bool json = false;
    int option = 0;

    cli_start("udfpkt-info");
    while ((option = getopt_long(argc, argv, "jvVh", long_options, NULL)) !=
           -1) {
        switch (option) {
        case 'j':
            json = true;
            break;
        case 'v':
            cli_set_verbose(++verbose);
            break;
        case 'V':
            puts("udfpkt-info " UDFPKT_VERSION);
            return (int)cli_finish(CLI_EXIT_OK);
        case 'h':
            print_help();
            return (int)cli_finish(CLI_EXIT_OK);
        default:
            return (int)cli_bad_option(argv);
        }
    }
    if (argc - optind > 1) {
        return (int)cli_usage("more than one device: %s", argv[optind + 1]);
    }
    return (int)cli_finish(run(argv[optind], json));
}
