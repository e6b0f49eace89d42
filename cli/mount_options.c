/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/mount_options.h"

#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMIT_SECONDS_MAX = 3600, OPTION_WAIT = 256, OPTION_VERIFY };

static const struct option long_options[] = {
    {"options", required_argument, NULL, 'o'},
    {"read-only", no_argument, NULL, 'r'},
    {"rw", no_argument, NULL, 'w'},
    {"read-write", no_argument, NULL, 'w'},
    {"foreground", no_argument, NULL, 'f'},
    {"wait", no_argument, NULL, OPTION_WAIT},
    {"verify", no_argument, NULL, OPTION_VERIFY},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void) {
    fputs(
        "Usage: udfpkt-mount [OPTION...] [DEVICE] MOUNTPOINT\n"
        "\n"
        "Mounts the UDF volume on DEVICE, read-write where the medium allows "
        "it. DEVICE\nis an optical drive (the only one of this machine if "
        "left out), the file of a\nvirtual drive, or a plain image.\n"
        "\n"
        "  -o LIST            options separated by commas, see below\n"
        "  -r, --read-only    same as -o ro\n"
        "  -w, --read-write   same as -o rw\n"
        "  -f, --foreground   stay in the foreground\n"
        "      --wait         wait until there is a disc in the drive\n"
        "      --verify       same as -o verify\n"
        "  -v, --verbose      say more; twice: everything\n"
        "  -V, --version  -h, --help\n"
        "\n"
        "Options for -o:\n"
        "  ro, rw             rw: refuse a medium that can only be read\n"
        "  noatime, relatime  noatime, the default, spares the disc\n"
        "  allow_other        let other users in (default for root)\n"
        "  no_allow_other     let nobody else in\n"
        "  uid=USER, gid=GROUP  show these owners for everything\n"
        "  uid=forget, gid=forget  write no owners down\n"
        "  umask=OCTAL        take these bits from all modes shown\n"
        "  fmode=OCTAL, dmode=OCTAL  show these modes of files, directories\n"
        "  commit=SECONDS     longest that a change waits in memory (15)\n"
        "  cache=SIZE         memory for what waits to be written\n"
        "  speed=N            turn the disc at N times its basic speed\n"
        "  verify             read back and compare what was written\n"
        "  no_journal         write without one: a power cut damages files\n"
        "  no_lead_out        leave formatting in the background without what\n"
        "                     read-only drives need\n"
        "  trace=FILE         write every command to the drive down in FILE\n"
        "  debug              print every request of the kernel; implies "
        "-f\n"
        "  suid dev exec sync dirsync nosuid nodev noexec async  as mount(8)\n"
        "\n"
        "Unmount with: udfpkt-umount MOUNTPOINT\n"
        "Exit codes: see udfpkt-mount(8).\n",
        stdout);
}

enum word {
    WORD_RO,
    WORD_RW,
    WORD_NOATIME,
    WORD_RELATIME,
    WORD_ALLOW_OTHER,
    WORD_NO_ALLOW_OTHER,
    WORD_UID,
    WORD_GID,
    WORD_UMASK,
    WORD_DMODE,
    WORD_FMODE,
    WORD_MODE,
    WORD_COMMIT,
    WORD_CACHE,
    WORD_SPEED,
    WORD_TRACE,
    WORD_DEBUG,
    WORD_NO_LEAD_OUT,
    WORD_NO_JOURNAL,
    WORD_VERIFY,
};

/* As getsubopt(3) wants them. */
static char *const words[] = {
    [WORD_RO] = (char[]){"ro"},
    [WORD_RW] = (char[]){"rw"},
    [WORD_NOATIME] = (char[]){"noatime"},
    [WORD_RELATIME] = (char[]){"relatime"},
    [WORD_ALLOW_OTHER] = (char[]){"allow_other"},
    [WORD_NO_ALLOW_OTHER] = (char[]){"no_allow_other"},
    [WORD_UID] = (char[]){"uid"},
    [WORD_GID] = (char[]){"gid"},
    [WORD_UMASK] = (char[]){"umask"},
    [WORD_DMODE] = (char[]){"dmode"},
    [WORD_FMODE] = (char[]){"fmode"},
    [WORD_MODE] = (char[]){"mode"},
    [WORD_COMMIT] = (char[]){"commit"},
    [WORD_CACHE] = (char[]){"cache"},
    [WORD_SPEED] = (char[]){"speed"},
    [WORD_TRACE] = (char[]){"trace"},
    [WORD_DEBUG] = (char[]){"debug"},
    [WORD_NO_LEAD_OUT] = (char[]){"no_lead_out"},
    [WORD_NO_JOURNAL] = (char[]){"no_journal"},
    [WORD_VERIFY] = (char[]){"verify"},
    NULL,
};

static const char *const kernel_flags[] = {
    "nosuid", "nodev", "noexec", "exec", "sync", "async", "dirsync",
};

/* Only root's to give. mount(8) passes them for users' mounts in fstab too,
 * so there they are dropped, not refused. */
static const char *const root_flags[] = {"suid", "dev"};

/* What mount(8) and fstab(5) use among themselves. */
static const char *const ignored[] = {
    "defaults", "auto",  "noauto", "user",    "users",
    "nouser",   "owner", "group",  "_netdev", "nofail",
};

static bool is_one_of(const char *text, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_unsigned(const char *text, unsigned long max,
                          unsigned long *out) {
    char *end;

    if (text[0] < '0' || text[0] > '9') {
        return false; /* strtoul would take signs and blanks */
    }
    unsigned long number = strtoul(text, &end, 10);

    if (*end != '\0' || number > max) {
        return false;
    }
    *out = number;
    return true;
}

static enum cli_exit parse_uid(const char *text,
                               struct cli_mount_options *options) {
    unsigned long number;
    const struct passwd *user = getpwnam(text);

    if (strcmp(text, "forget") == 0) {
        options->uid_forget = true;
        return CLI_EXIT_OK;
    }
    if (user) {
        options->uid = user->pw_uid;
    } else if (read_unsigned(text, (uid_t)-2, &number)) {
        options->uid = (uid_t)number;
    } else {
        return cli_usage("-o uid=%s: no such user", text);
    }
    options->uid_all = true;
    return CLI_EXIT_OK;
}

static enum cli_exit parse_gid(const char *text,
                               struct cli_mount_options *options) {
    unsigned long number;
    const struct group *group = getgrnam(text);

    if (strcmp(text, "forget") == 0) {
        options->gid_forget = true;
        return CLI_EXIT_OK;
    }
    if (group) {
        options->gid = group->gr_gid;
    } else if (read_unsigned(text, (gid_t)-2, &number)) {
        options->gid = (gid_t)number;
    } else {
        return cli_usage("-o gid=%s: no such group", text);
    }
    options->gid_all = true;
    return CLI_EXIT_OK;
}

/* Permission bits, in octal as everywhere; `type` is added. */
static enum cli_exit parse_mode(enum word word, const char *text, mode_t type,
                                mode_t *out_mode) {
    char *end;
    unsigned long bits = strtoul(text, &end, 8);

    if (text[0] < '0' || text[0] > '7' || *end != '\0' || bits > 0777) {
        return cli_usage("-o %s=%s: not permission bits in octal, like 022",
                         words[word], text);
    }
    *out_mode = type | (mode_t)bits;
    return CLI_EXIT_OK;
}

static enum cli_exit parse_commit(const char *text, uint32_t *out_ms) {
    unsigned long seconds;

    if (!read_unsigned(text, COMMIT_SECONDS_MAX, &seconds) || seconds == 0) {
        return cli_usage("-o commit=%s: not a number of seconds from 1 to %d",
                         text, COMMIT_SECONDS_MAX);
    }
    *out_ms = (uint32_t)seconds * 1000;
    return CLI_EXIT_OK;
}

static enum cli_exit parse_cache(const char *text, uint64_t *out_bytes) {
    if (cli_parse_size(text, out_bytes) != 0 || *out_bytes == 0) {
        return cli_usage("-o cache=%s: not a size like 32M", text);
    }
    return CLI_EXIT_OK;
}

/* One of our own words that has no value. */
static void take_flag(enum word word, struct cli_mount_options *options) {
    if (word == WORD_RO) {
        options->mode = CLI_MOUNT_READ_ONLY;
    } else if (word == WORD_RW) {
        options->mode = CLI_MOUNT_READ_WRITE;
    } else if (word == WORD_NOATIME) {
        options->atime = FS_NOATIME;
    } else if (word == WORD_RELATIME) {
        options->atime = FS_RELATIME;
    } else if (word == WORD_ALLOW_OTHER) {
        options->allow_other = true;
    } else if (word == WORD_NO_ALLOW_OTHER) {
        options->allow_other = false;
    } else if (word == WORD_NO_LEAD_OUT) {
        options->no_lead_out = true;
    } else if (word == WORD_NO_JOURNAL) {
        options->no_journal = true;
    } else if (word == WORD_VERIFY) {
        options->verify = true;
    } else {
        options->debug = options->foreground = true;
    }
}

static enum cli_exit take_value(enum word word, const char *value,
                                struct cli_mount_options *options) {
    if (word == WORD_UID) {
        return parse_uid(value, options);
    }
    if (word == WORD_GID) {
        return parse_gid(value, options);
    }
    if (word == WORD_UMASK) {
        return parse_mode(word, value, 0, &options->umask);
    }
    if (word == WORD_DMODE) {
        return parse_mode(word, value, S_IFDIR, &options->dir_mode);
    }
    if (word == WORD_FMODE || word == WORD_MODE) {
        return parse_mode(word, value, S_IFREG, &options->file_mode);
    }
    if (word == WORD_COMMIT) {
        return parse_commit(value, &options->commit_ms);
    }
    if (word == WORD_CACHE) {
        return parse_cache(value, &options->cache_bytes);
    }
    if (word == WORD_SPEED) {
        return cli_parse_speed(value, &options->speed_tenths) == 0
                   ? CLI_EXIT_OK
                   : cli_usage("-o speed=%s: not a speed like 4 or 2.4", value);
    }
    options->trace_path = value;
    return CLI_EXIT_OK;
}

static enum cli_exit take_kernel_flag(const char *flag,
                                      struct cli_mount_options *options) {
    size_t used = strlen(options->kernel);
    int more = snprintf(options->kernel + used, sizeof options->kernel - used,
                        "%s%s", used > 0 ? "," : "", flag);

    if ((size_t)more >= sizeof options->kernel - used) {
        return cli_usage("-o: too many options");
    }
    return CLI_EXIT_OK;
}

/* A word that is none of ours. */
static enum cli_exit take_foreign(const char *word,
                                  struct cli_mount_options *options) {
    bool root = geteuid() == 0;

    if (is_one_of(word, kernel_flags,
                  sizeof kernel_flags / sizeof kernel_flags[0])) {
        return take_kernel_flag(word, options);
    }
    if (is_one_of(word, root_flags, sizeof root_flags / sizeof root_flags[0])) {
        return root ? take_kernel_flag(word, options) : CLI_EXIT_OK;
    }
    if (is_one_of(word, ignored, sizeof ignored / sizeof ignored[0]) ||
        strncmp(word, "x-", 2) == 0 || strncmp(word, "comment=", 8) == 0) {
        return CLI_EXIT_OK;
    }
    if (strcmp(word, "atime") == 0 || strcmp(word, "strictatime") == 0) {
        return cli_usage("-o %s: not offered, every reading would wear the "
                         "disc; -o relatime is",
                         word);
    }
    return cli_usage("-o %s: no such option", word);
}

static bool wants_value(int word) {
    return word >= WORD_UID && word <= WORD_TRACE;
}

static enum cli_exit parse_list(char *list, struct cli_mount_options *options) {
    enum cli_exit code = CLI_EXIT_OK;

    while (*list != '\0' && code == CLI_EXIT_OK) {
        char *value = NULL;
        int word = getsubopt(&list, words, &value);

        if (word < 0) {
            /* getsubopt gives the whole word; an empty one is no harm */
            code = value && *value ? take_foreign(value, options) : code;
        } else if (wants_value(word) && (!value || *value == '\0')) {
            code = cli_usage("-o %s: a value is missing", words[word]);
        } else if (!wants_value(word) && value) {
            code = cli_usage("-o %s=%s: takes no value", words[word], value);
        } else if (value) {
            code = take_value((enum word)word, value, options);
        } else {
            take_flag((enum word)word, options);
        }
    }
    return code;
}

/* One option of the command line. */
static enum cli_exit take_option(int option, char **argv,
                                 struct cli_mount_options *options) {
    switch (option) {
    case 'o':
        return parse_list(optarg, options);
    case 'r':
        options->mode = CLI_MOUNT_READ_ONLY;
        return CLI_EXIT_OK;
    case 'w':
        options->mode = CLI_MOUNT_READ_WRITE;
        return CLI_EXIT_OK;
    case 'f':
        options->foreground = true;
        return CLI_EXIT_OK;
    case OPTION_VERIFY:
        options->verify = true;
        return CLI_EXIT_OK;
    case OPTION_WAIT:
        options->wait = true;
        return CLI_EXIT_OK;
    case 'v':
        cli_set_verbose(++options->verbose);
        return CLI_EXIT_OK;
    default:
        return cli_bad_option(argv);
    }
}

static enum cli_exit take_arguments(int argc, char **argv,
                                    struct cli_mount_options *options) {
    int count = argc - optind;

    if (count < 1) {
        return cli_usage("the mount point is missing");
    }
    if (count > 2) {
        return cli_usage("too many arguments: %s", argv[optind + 2]);
    }
    options->device = count == 2 ? argv[optind] : NULL;
    options->mountpoint = argv[argc - 1];
    return CLI_EXIT_OK;
}

enum cli_exit cli_mount_options_parse(int argc, char **argv,
                                      struct cli_mount_options *options,
                                      bool *out_done) {
    int option;

    *out_done = false;
    *options = (struct cli_mount_options){
        .atime = FS_NOATIME,
        .allow_other = fs_mountpoint_allow_other_possible(),
        .uid = geteuid(),
        .gid = getegid(),
    };
    while ((option = getopt_long(argc, argv, ":o:rwfvVh", long_options,
                                 NULL)) != -1) {
        if (option == 'V' || option == 'h') {
            *out_done = true;
            if (option == 'h') {
                print_help();
            } else {
                puts("udfpkt-mount " UDFPKT_VERSION);
            }
            return cli_finish(CLI_EXIT_OK);
        }
        enum cli_exit code = take_option(option, argv, options);

        if (code != CLI_EXIT_OK) {
            return code;
        }
    }
    return take_arguments(argc, argv, options);
}
