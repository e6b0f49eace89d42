/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/cli.h - what the commands share: exit codes, messages, log, sizes,
 * choosing and opening a device.
 *
 * A message has one form everywhere:
 *
 *     udfpkt-format: /dev/sr0: there is no disc in the drive
 *       try: insert a disc and close the tray
 *
 * Functions that return enum cli_exit have printed the message when the result
 * is not CLI_EXIT_OK; the caller cleans up and returns the code from main().
 * Only main() ends a process.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mmc_disc;
struct mmc_disc_info;
struct mmc_disc_options;

/* What every command ends with. This list is the only one; udfpkt(7) repeats
 * it for users. Numbers never change their meaning. */
enum cli_exit {
    CLI_EXIT_OK = 0,
    CLI_EXIT_FAILED = 1,       /* reading or writing failed */
    CLI_EXIT_USAGE = 2,        /* options or arguments */
    CLI_EXIT_NO_DEVICE = 3,    /* no such device or file, or no optical drive */
    CLI_EXIT_BUSY = 4,         /* another process uses it */
    CLI_EXIT_NO_MEDIUM = 5,    /* the drive is empty */
    CLI_EXIT_MEDIUM = 6,       /* not the right medium, blank, unformatted */
    CLI_EXIT_READ_ONLY = 7,    /* the medium cannot be written */
    CLI_EXIT_HAS_DATA = 8,     /* --force is needed */
    CLI_EXIT_NOT_UDF = 9,      /* no UDF, or UDF that is not done here */
    CLI_EXIT_DAMAGED = 10,     /* the volume on the disc is broken */
    CLI_EXIT_MOUNTPOINT = 11,  /* missing, not the user's, already mounted */
    CLI_EXIT_PERMISSION = 12,  /* the user may not open it */
    CLI_EXIT_NO_SPACE = 13,    /* disc too small, or disk or memory full */
    CLI_EXIT_INTERRUPTED = 130 /* SIGINT or SIGTERM */
};

/* What was tried when an error came: the same errno means different things. */
enum cli_stage {
    CLI_STAGE_CREATE,  /* mmc_disc_create() */
    CLI_STAGE_OPEN,    /* mmc_disc_open() */
    CLI_STAGE_ATTACH,  /* mmc_disc_attach() */
    CLI_STAGE_PREPARE, /* mmc_disc_prepare() */
    CLI_STAGE_FORMAT,  /* udf_format() */
    CLI_STAGE_VERIFY,  /* udf_format_verify() */
    CLI_STAGE_GROW,    /* udf_grow() */
    CLI_STAGE_VOLUME,  /* udf_mount() */
    CLI_STAGE_CLOSE    /* udf_unmount(), mmc_disc_close() */
};

/* Sets the name in front of messages and sends the libraries' log to stderr
 * (notices and worse). Called first by every main(). */
void cli_start(const char *program);
const char *cli_program(void);

/* Raises the log level: 1 = progress of the libraries, 2 = everything. */
void cli_set_verbose(unsigned level);

/* Prints "PROGRAM: MESSAGE", and "  try: ADVICE" below it unless `advice` is
 * NULL. No newline at the end of either. */
void cli_error(const char *advice, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints "PROGRAM: MESSAGE" to stderr: what the user should know. */
void cli_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* cli_error() for wrong options, with a pointer to --help. Returns
 * CLI_EXIT_USAGE. */
enum cli_exit cli_usage(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Complains about the option that getopt_long(), which cli_start() silenced,
 * just answered with '?'. Returns CLI_EXIT_USAGE. */
enum cli_exit cli_bad_option(char *const *argv);

/* Reads a size: a number, perhaps with a decimal point, and k, M, G, T (1000
 * to a power), Ki, Mi, Gi, Ti (1024 to a power), an optional B behind them, or
 * "blocks" or "b" (of 2048 bytes). Returns 0; -EINVAL; -ERANGE when it does
 * not fit 63 bits. */
int cli_parse_size(const char *text, uint64_t *out_bytes);

/* Reads a speed as a multiple of 1x: "4", "4x", "2.4x"; from 0.1 to 1000.
 * Returns 0 or -EINVAL. */
int cli_parse_speed(const char *text, uint32_t *out_tenths);

/* Writes `bytes` for people, "604.7 MB", into `text` (>= 16 bytes). Returns
 * `text`. */
const char *cli_size_text(uint64_t bytes, char *text, size_t text_bytes);

/* Says why `err` (negative errno) came at `stage` with `path` and what to do.
 * `info` may be NULL; it makes messages about the medium exact. Returns the
 * exit code that belongs to it. */
enum cli_exit cli_fail(enum cli_stage stage, const char *path, int err,
                       const struct mmc_disc_info *info);

/* Says why the medium in `path` is not fit (blank, absent, read-only, ...).
 * Returns the exit code. */
enum cli_exit cli_fail_medium(const char *path,
                              const struct mmc_disc_info *info);

/* Chooses the device: `given`, or, when that is NULL, the machine's only
 * optical drive; with several it prints the list. `path` holds `path_bytes`
 * (>= 64) bytes. */
enum cli_exit cli_choose_device(const char *given, char *path,
                                size_t path_bytes);

/* Describes a process, other than this one, that has `path` open: "process
 * 1234 (udfpkt-mount)". Returns false when /proc shows none, which it does
 * for processes of other users. */
bool cli_find_holder(const char *path, char *text, size_t text_bytes);

/* Opens `path`, waiting with a notice while another udfpkt command is still
 * closing it. */
enum cli_exit cli_open_disc(const char *path,
                            const struct mmc_disc_options *options,
                            struct mmc_disc **out_disc);

/* Installs handlers for SIGINT and SIGTERM that only take note. */
void cli_catch_interrupts(void);
bool cli_interrupted(void);

/* Whether output to stdout came through; a full disk or closed pipe is an
 * error of the command. Called at the end of main(). */
enum cli_exit cli_finish(enum cli_exit so_far);

#endif
