/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/device.c - which device a command works on, who holds it, opening it.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/record.h"
#include "mmc/disc.h"

enum { DRIVES_MAX = 16 };

static enum cli_exit list_drives(const struct mmc_found *drives, size_t count) {
    cli_error("name one of them on the command line",
              "this machine has %zu optical drives", count);
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, "    %-12s %s\n", drives[i].path, drives[i].model);
    }
    return CLI_EXIT_USAGE;
}

enum cli_exit cli_choose_device(const char *given, char *path,
                                size_t path_bytes) {
    struct mmc_found drives[DRIVES_MAX];
    size_t count = 0;

    if (given) {
        if ((size_t)snprintf(path, path_bytes, "%s", given) >= path_bytes) {
            return cli_usage("the path of the device is too long");
        }
        return CLI_EXIT_OK;
    }
    int err = mmc_find_drives(drives, DRIVES_MAX, &count);

    if (err) {
        cli_error("name the device on the command line",
                  "looking for optical drives: %s", strerror(-err));
        return CLI_EXIT_FAILED;
    }
    if (count == 0) {
        cli_error("connect a drive, or name the file of a virtual drive",
                  "this machine has no optical drive");
        return CLI_EXIT_NO_DEVICE;
    }
    if (count > 1) {
        return list_drives(drives, count);
    }
    snprintf(path, path_bytes, "%s", drives[0].path);
    return CLI_EXIT_OK;
}

/* Whether the file behind `link` (/proc/PID/fd/N) is the one that `wanted`
 * describes: the same device number, or the same file. */
static bool is_same_file(const char *link, const struct stat *wanted) {
    struct stat open_file;

    if (stat(link, &open_file) != 0 ||
        (open_file.st_mode & S_IFMT) != (wanted->st_mode & S_IFMT)) {
        return false;
    }
    if (S_ISBLK(wanted->st_mode) || S_ISCHR(wanted->st_mode)) {
        return open_file.st_rdev == wanted->st_rdev;
    }
    return open_file.st_dev == wanted->st_dev &&
           open_file.st_ino == wanted->st_ino;
}

static bool holds_file(const char *pid, const struct stat *wanted) {
    char folder[64];
    char link[sizeof folder + NAME_MAX + 2];
    bool found = false;

    snprintf(folder, sizeof folder, "/proc/%.20s/fd", pid);
    DIR *files = opendir(folder);

    if (!files) {
        return false; /* another user's process: not for us to see */
    }
    for (struct dirent *file = readdir(files); file && !found;
         file = readdir(files)) {
        snprintf(link, sizeof link, "%s/%s", folder, file->d_name);
        found = file->d_name[0] != '.' && is_same_file(link, wanted);
    }
    closedir(files);
    return found;
}

static void describe_process(const char *pid, char *text, size_t text_bytes) {
    char path[64];
    char name[32] = "";

    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    FILE *file = fopen(path, "re");

    if (file) {
        if (!fgets(name, sizeof name, file)) {
            name[0] = '\0';
        }
        fclose(file);
    }
    name[strcspn(name, "\n")] = '\0';
    snprintf(text, text_bytes, "process %.20s (%s)", pid, name);
}

bool cli_find_holder(const char *path, char *text, size_t text_bytes) {
    struct stat wanted;
    char own[16];
    bool found = false;

    snprintf(own, sizeof own, "%ld", (long)getpid());
    if (stat(path, &wanted) != 0) {
        return false;
    }
    DIR *processes = opendir("/proc");

    if (!processes) {
        return false;
    }
    for (struct dirent *process = readdir(processes); process && !found;
         process = readdir(processes)) {
        if (isdigit((unsigned char)process->d_name[0]) &&
            strcmp(process->d_name, own) != 0 &&
            holds_file(process->d_name, &wanted)) {
            describe_process(process->d_name, text, text_bytes);
            found = true;
        }
    }
    closedir(processes);
    return found;
}

/* Says where the busy `path` is mounted, when it is by us, or who holds it. */
static enum cli_exit fail_mounted(const char *path) {
    struct cli_record_view view;
    char advice[PATH_MAX + 32];
    bool mounted = false;

    if (cli_record_find(path, &view) == 0) {
        mounted = view.live;
        if (mounted) {
            snprintf(advice, sizeof advice, "udfpkt-umount %s",
                     view.content.mountpoint);
            cli_error(advice, "%s: mounted at %s (process %ld)", path,
                      view.content.mountpoint, (long)view.content.pid);
        }
        cli_record_release(&view);
    }
    return mounted ? CLI_EXIT_BUSY
                   : cli_fail(CLI_STAGE_OPEN, path, -EBUSY, NULL);
}

/* Whether it is the trace that could not be opened, rather than the disc. */
static bool is_trace_at_fault(const char *trace_path) {
    int fd =
        trace_path
            ? open(trace_path,
                   O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600)
            : -1;

    if (fd >= 0) {
        close(fd);
    }
    return trace_path && fd < 0;
}

static enum cli_exit fail_trace(const char *trace_path) {
    cli_error("give a file that can be written", "%s: %s", trace_path,
              strerror(errno));
    return CLI_EXIT_USAGE;
}

enum cli_exit cli_open_disc(const char *path,
                            const struct mmc_disc_options *options,
                            struct mmc_disc **out_disc) {
    int err = mmc_disc_open(path, options, out_disc);

    while (err == -EBUSY && cli_record_wait_closing(path)) {
        err = mmc_disc_open(path, options, out_disc);
    }
    if (err == -EBUSY) {
        /* The daemon may have ended between the two looks. */
        err = mmc_disc_open(path, options, out_disc);
    }
    if (err == -EBUSY) {
        return fail_mounted(path);
    }
    if (err && is_trace_at_fault(options->trace_path)) {
        return fail_trace(options->trace_path);
    }
    return err ? cli_fail(CLI_STAGE_OPEN, path, err, NULL) : CLI_EXIT_OK;
}
