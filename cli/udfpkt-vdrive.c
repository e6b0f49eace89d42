/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udfpkt-vdrive - virtual drives as devices of this machine: makes them, puts
 * them on a bus of the kernel, and is the hand at their tray and button.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/mounts.h"
#include "cli/vdrive_control.h"
#include "cli/vdrive_server.h"
#include "mmc/disc.h"
#include "mmc/tcmu.h"
#include "mmc/vdrive.h"

enum { PACE_USUAL = 100, PACE_MAX = 10000 };

struct request {
    const char *command;
    const char *given; /* IMAGE or NAME */
    const char *media;
    uint64_t size_bytes;
    const char *name;
    struct cli_vdrive_options attach;
    bool force, json;
};

enum {
    OPTION_MEDIA = 256,
    OPTION_SIZE,
    OPTION_PACE,
    OPTION_REAL_TIME,
    OPTION_TRACE
};

static const struct option long_options[] = {
    {"media", required_argument, NULL, OPTION_MEDIA},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"name", required_argument, NULL, 'n'},
    {"pace", required_argument, NULL, OPTION_PACE},
    {"real-time", no_argument, NULL, OPTION_REAL_TIME},
    {"read-only", no_argument, NULL, 'r'},
    {"foreground", no_argument, NULL, 'F'},
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"force", no_argument, NULL, 'f'},
    {"json", no_argument, NULL, 'j'},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void) {
    fputs("Usage: udfpkt-vdrive create --media WORD [--size SIZE] IMAGE\n"
          "       udfpkt-vdrive attach [OPTION...] IMAGE\n"
          "       udfpkt-vdrive status [--json] [IMAGE|NAME]\n"
          "       udfpkt-vdrive press|pull|load IMAGE|NAME\n"
          "       udfpkt-vdrive detach [--force] IMAGE|NAME\n"
          "\n"
          "Makes the virtual drive in the file IMAGE a device of this machine "
          "(/dev/srN),\nso that every program sees a burner with that disc in "
          "it. Needs root.\n"
          "\n"
          "  create       a blank medium\n"
          "  attach       plug it in; prints the device\n"
          "  status       what is attached\n"
          "  press        press the eject button\n"
          "  pull         pull the tray out by force\n"
          "  load         push the tray in\n"
          "  detach       unplug it\n"
          "\n"
          "  -n, --name NAME   name of the drive, by default made from IMAGE\n"
          "  --real-time       commands take as long as on a real drive; "
          "otherwise they\n                    are done at once\n"
          "  --pace N          the drive's clock runs N times as fast; 100, "
          "or 1 with\n                    --real-time\n"
          "  -r, --read-only   leave the files as they are\n"
          "  -F, --foreground  stay until SIGTERM or Ctrl-C\n"
          "  --trace FILE      write every command to FILE\n"
          "  -f, --force       unplug a drive that is in use\n"
          "\n"
          "Exit codes: see udfpkt-vdrive(8).\n",
          stdout);
}

/* ---- create ------------------------------------------------------------- */

static enum cli_exit create(const struct request *request) {
    struct mmc_disc_make make = {.size_bytes = request->size_bytes};
    int error;

    if (!request->media) {
        return cli_usage("create: say which --media");
    }
    error = mmc_media_word(request->media, &make.media_name);
    if (error || strcmp(make.media_name, "image") == 0) {
        return cli_fail(CLI_STAGE_CREATE, request->given, -EINVAL, NULL);
    }
    error = mmc_disc_create(request->given, &make);
    return error ? cli_fail(CLI_STAGE_CREATE, request->given, error, NULL)
                 : CLI_EXIT_OK;
}

/* ---- Finding a drive that is attached ----------------------------------- */

/* A search among the attached drives, by name or image. */
struct search {
    const char *given;
    char image[PATH_MAX]; /* real path of `given`, or "" */
    char name[MMC_TCMU_NAME_MAX + 1];
    bool found;
};

/* The status of a drive, or NULL; *out_error says why. */
static json_t *ask_status(const char *name, int *out_error) {
    char reply[CLI_VDRIVE_REPLY_BYTES];

    *out_error = cli_vdrive_ask(name, "status", false, reply);
    return *out_error ? NULL : json_loads(reply, 0, NULL);
}

static const char *text_of(const json_t *status, const char *key) {
    const char *text = json_string_value(json_object_get(status, key));

    return text ? text : "";
}

static bool is_wanted(void *context, const char *name) {
    struct search *search = context;
    bool wanted = strcmp(name, search->given) == 0;
    int error;

    if (!mmc_tcmu_name_valid(name)) {
        return true;
    }
    if (!wanted && search->image[0]) {
        json_t *status = ask_status(name, &error);

        wanted = strcmp(text_of(status, "image"), search->image) == 0;
        json_decref(status);
    }
    if (wanted) {
        snprintf(search->name, sizeof(search->name), "%s", name);
        search->found = true;
    }
    return !wanted;
}

/* Finds by socket, then by what a killed process left in the kernel. */
static enum cli_exit find_drive(const char *given, struct search *search) {
    int error;

    *search = (struct search){.given = given};
    if (cli_real_path(given, search->image) != 0) {
        search->image[0] = '\0';
    }
    error = cli_vdrive_each(is_wanted, search);
    if (error == -EACCES) {
        cli_error("become root", "attached drives are root's");
        return CLI_EXIT_PERMISSION;
    }
    if (!search->found && mmc_tcmu_name_valid(given) &&
        mmc_tcmu_exists(given)) {
        snprintf(search->name, sizeof(search->name), "%s", given);
        search->found = true;
    }
    if (!search->found) {
        cli_error("udfpkt-vdrive status shows all that are",
                  "%s: no such drive is attached", given);
        return CLI_EXIT_NO_DEVICE;
    }
    return CLI_EXIT_OK;
}

/* ---- attach ------------------------------------------------------------- */

/* A name from the image's: what cannot be in one becomes '_'. */
static void name_from_image(const char *image, char *name, size_t name_bytes) {
    const char *base = strrchr(image, '/');

    snprintf(name, name_bytes, "%.*s", MMC_TCMU_NAME_MAX,
             base ? base + 1 : image);
    for (char *at = name; *at; at++) {
        char letter[2] = {*at == '.' ? 'x' : *at, '\0'};

        *at = mmc_tcmu_name_valid(letter) ? *at : '_';
    }
    if (name[0] == '.') {
        name[0] = '_';
    }
}

/* Clears away a dead drive of that name; a live one is in the way. */
static enum cli_exit free_name(const char *name) {
    char reply[CLI_VDRIVE_REPLY_BYTES];
    int error = cli_vdrive_ask(name, "status", false, reply);

    if (!error) {
        cli_error("give the drive another --name",
                  "%s: a drive of this name is attached", name);
        return CLI_EXIT_BUSY;
    }
    if (error == -ECONNREFUSED && mmc_tcmu_exists(name)) {
        cli_notice("%s: clearing away a drive whose process was killed", name);
        (void)mmc_tcmu_remove(name);
    }
    return CLI_EXIT_OK;
}

static enum cli_exit attach(const struct request *request) {
    struct cli_vdrive_options options = request->attach;
    char image[PATH_MAX];
    char name[MMC_TCMU_NAME_MAX + 1];
    enum cli_exit code;
    int error = cli_real_path(request->given, image);

    if (!error && access(image, F_OK) != 0) {
        error = -errno;
    }
    if (error) {
        return cli_fail(CLI_STAGE_OPEN, request->given, error, NULL);
    }
    if (!mmc_vdrive_exists(image)) {
        cli_error("udfpkt-vdrive create --media WORD makes one",
                  "%s: this is not the file of a virtual drive", image);
        return CLI_EXIT_NO_DEVICE;
    }
    if (geteuid() != 0) {
        cli_error("become root", "attaching a drive needs root");
        return CLI_EXIT_PERMISSION;
    }
    name_from_image(image, name, sizeof(name));
    if (!options.pace) {
        options.pace = options.real_time ? 1 : PACE_USUAL;
    }
    options.image = image;
    options.name = request->name ? request->name : name;
    code = free_name(options.name);
    return code == CLI_EXIT_OK ? cli_vdrive_serve(&options) : code;
}

/* ---- status ------------------------------------------------------------- */

static void print_status(const json_t *status) {
    bool tray_open = json_is_true(json_object_get(status, "tray_open"));
    bool real_time = json_is_true(json_object_get(status, "real_time"));
    json_int_t pace = json_integer_value(json_object_get(status, "pace"));

    printf("%s: %s", text_of(status, "name"), text_of(status, "state"));
    if (text_of(status, "block")[0]) {
        printf(", /dev/%s", text_of(status, "block"));
    }
    if (text_of(status, "generic")[0]) {
        printf(", /dev/%s", text_of(status, "generic"));
    }
    printf("\n  image     %s\n", text_of(status, "image"));
    printf("  process   %lld\n",
           (long long)json_integer_value(json_object_get(status, "pid")));
    printf("  tray      %s\n", tray_open ? "open" : "closed");
    printf("  clock     %s, %lld times as fast\n",
           real_time ? "real time" : "waits only", (long long)pace);
    printf("  commands  %lld\n",
           (long long)json_integer_value(json_object_get(status, "commands")));
}

struct listing {
    bool json;
    json_t *all; /* with `json`: an array */
};

static bool list_one(void *context, const char *name) {
    struct listing *listing = context;
    int error;
    json_t *status = ask_status(name, &error);

    if (!status) {
        /* Nobody answers: the process was killed. */
        status = json_pack("{s:s, s:s}", "name", name, "state", "dead");
    }
    if (listing->json) {
        json_array_append_new(listing->all, status);
        return true;
    }
    if (strcmp(text_of(status, "state"), "dead") == 0) {
        printf("%s: dead; try: udfpkt-vdrive detach %s\n", name, name);
    } else {
        print_status(status);
    }
    json_decref(status);
    return true;
}

static enum cli_exit show_status(const struct request *request) {
    struct listing listing = {.json = request->json};
    struct search search;
    enum cli_exit code = CLI_EXIT_OK;

    listing.all = json_array();
    if (request->given) {
        code = find_drive(request->given, &search);
        if (code == CLI_EXIT_OK) {
            list_one(&listing, search.name);
        }
    } else if (cli_vdrive_each(list_one, &listing) == -EACCES) {
        cli_error("become root", "attached drives are root's");
        code = CLI_EXIT_PERMISSION;
    }
    if (request->json && code == CLI_EXIT_OK) {
        json_dumpf(listing.all, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(listing.all);
    return code;
}

/* ---- press, pull, load, detach ------------------------------------------ */

static enum cli_exit fail_ask(const char *name, int error) {
    if (error == -ECONNREFUSED) {
        cli_error("udfpkt-vdrive detach clears it away",
                  "%s: the drive's process was killed", name);
    } else {
        cli_error(NULL, "%s: asking the drive's process: %s", name,
                  strerror(-error));
    }
    return CLI_EXIT_FAILED;
}

static enum cli_exit touch(const struct request *request) {
    char reply[CLI_VDRIVE_REPLY_BYTES];
    struct search search;
    enum cli_exit code = find_drive(request->given, &search);
    int error;

    if (code != CLI_EXIT_OK) {
        return code;
    }
    error = cli_vdrive_ask(search.name, request->command, false, reply);
    return error ? fail_ask(search.name, error) : CLI_EXIT_OK;
}

/* Whether somebody has the device to himself: a mount, a burning program, a
 * udfpkt command. Asked here and not by the drive's process, which would wait
 * for itself. */
static enum cli_exit check_unused(const char *name) {
    int fd, error;
    json_t *status = ask_status(name, &error);
    char path[64], holder[64];

    snprintf(path, sizeof(path), "/dev/%.32s", text_of(status, "block"));
    json_decref(status);
    if (path[5] == '\0') {
        return CLI_EXIT_OK;
    }
    fd = open(path, O_RDONLY | O_NONBLOCK | O_EXCL | O_CLOEXEC);
    if (fd < 0 && errno == EBUSY) {
        cli_error("unmount it first, or unplug it all the same with --force",
                  "%s is in use: %s", path,
                  cli_find_holder(path, holder, sizeof(holder)) ? holder
                                                                : "mounted");
        return CLI_EXIT_BUSY;
    }
    if (fd >= 0) {
        close(fd);
    }
    return CLI_EXIT_OK;
}

static enum cli_exit detach(const struct request *request) {
    char reply[CLI_VDRIVE_REPLY_BYTES];
    struct search search;
    enum cli_exit code = find_drive(request->given, &search);
    int error;

    if (code == CLI_EXIT_OK && !request->force) {
        code = check_unused(search.name);
    }
    if (code != CLI_EXIT_OK) {
        return code;
    }
    error = cli_vdrive_ask(search.name, "detach", true, reply);
    if (error == -ECONNREFUSED || error == -ENOENT) {
        error = mmc_tcmu_remove(search.name);
        cli_vdrive_forget(search.name);
    }
    if (error) {
        return fail_ask(search.name, error);
    }
    if (mmc_tcmu_exists(search.name)) {
        cli_error("udfpkt-vdrive status; dmesg",
                  "%s: the kernel does not let go of it", search.name);
        return CLI_EXIT_FAILED;
    }
    return CLI_EXIT_OK;
}

/* ---- The command line --------------------------------------------------- */

static enum cli_exit take_pace(const char *text, struct request *request) {
    char *end;
    unsigned long pace = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || pace < 1 || pace > PACE_MAX) {
        return cli_usage("--pace: a number from 1 to %d", PACE_MAX);
    }
    request->attach.pace = (uint32_t)pace;
    return CLI_EXIT_OK;
}

static enum cli_exit take_option(int option, struct request *request) {
    switch (option) {
    case OPTION_MEDIA:
        request->media = optarg;
        return CLI_EXIT_OK;
    case OPTION_SIZE:
        return cli_parse_size(optarg, &request->size_bytes) == 0
                   ? CLI_EXIT_OK
                   : cli_usage("--size: not a size: %s", optarg);
    case OPTION_PACE:
        return take_pace(optarg, request);
    case OPTION_REAL_TIME:
        request->attach.real_time = true;
        return CLI_EXIT_OK;
    case OPTION_TRACE:
        request->attach.trace_path = optarg;
        return CLI_EXIT_OK;
    case 'n':
        request->name = optarg;
        return mmc_tcmu_name_valid(optarg)
                   ? CLI_EXIT_OK
                   : cli_usage("--name: at most %d letters, digits, . - and _",
                               MMC_TCMU_NAME_MAX);
    case 'r':
        request->attach.read_only = true;
        return CLI_EXIT_OK;
    case 'F':
        request->attach.foreground = true;
        return CLI_EXIT_OK;
    case 'f':
        request->force = true;
        return CLI_EXIT_OK;
    case 'j':
        request->json = true;
        return CLI_EXIT_OK;
    default: /* 'v' */
        cli_set_verbose(++request->attach.verbose);
        return CLI_EXIT_OK;
    }
}

static enum cli_exit run(const struct request *request) {
    static const struct {
        const char *word;
        enum cli_exit (*run)(const struct request *);
        bool needs_drive;
    } commands[] = {
        {"create", create, true},       {"attach", attach, true},
        {"status", show_status, false}, {"press", touch, true},
        {"pull", touch, true},          {"load", touch, true},
        {"detach", detach, true},
    };

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(request->command, commands[i].word) != 0) {
            continue;
        }
        if (commands[i].needs_drive && !request->given) {
            return cli_usage("%s: name the drive", request->command);
        }
        return commands[i].run(request);
    }
    return cli_usage("%s: no such command", request->command);
}

int main(int argc, char **argv) {
    struct request request = {0};
    enum cli_exit code = CLI_EXIT_OK;
    int option;

    cli_start("udfpkt-vdrive");
    while ((option = getopt_long(argc, argv, ":n:rFfjvVh", long_options,
                                 NULL)) != -1) {
        switch (option) {
        case 'V':
            puts("udfpkt-vdrive " UDFPKT_VERSION);
            return (int)cli_finish(CLI_EXIT_OK);
        case 'h':
            print_help();
            return (int)cli_finish(CLI_EXIT_OK);
        case '?':
        case ':':
            return (int)cli_bad_option(argv);
        default:
            code = take_option(option, &request);
        }
        if (code != CLI_EXIT_OK) {
            return (int)code;
        }
    }
    if (optind == argc) {
        return (int)cli_usage("name a command");
    }
    if (argc - optind > 2) {
        return (int)cli_usage("too many arguments: %s", argv[optind + 2]);
    }
    request.command = argv[optind];
    request.given = argv[optind + 1];
    return (int)cli_finish(run(&request));
}
