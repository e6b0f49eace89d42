/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/progress.h"
#include "mmc/log.h"

static const char *program_name = "udfpkt";

/* Set by the handler, read by whoever waits. */
static volatile sig_atomic_t interrupted;

static const char *level_word(enum mmc_log_level level) {
    switch (level) {
    case MMC_LOG_ERROR:
        return "error: ";
    case MMC_LOG_WARN:
        return "warning: ";
    case MMC_LOG_NOTICE:
    case MMC_LOG_INFO:
    case MMC_LOG_DEBUG:
        break;
    }
    return "";
}

/* One fprintf a line: lines of several threads do not mix. */
static void log_to_stderr(void *context, enum mmc_log_level level,
                          const char *line) {
    (void)context;
    cli_progress_wipe();
    fprintf(stderr, "%s: %s%s\n", program_name, level_word(level), line);
}

void cli_start(const char *program) {
    program_name = program;
    opterr = 0; /* cli_bad_option() speaks */
    cli_set_verbose(0);
}

const char *cli_program(void) {
    return program_name;
}

void cli_set_verbose(unsigned level) {
    enum mmc_log_level shown = MMC_LOG_NOTICE;

    if (level == 1) {
        shown = MMC_LOG_INFO;
    } else if (level > 1) {
        shown = MMC_LOG_DEBUG;
    }
    mmc_log_set_sink(log_to_stderr, NULL, shown);
}

static void say(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

static void say(const char *format, va_list arguments) {
    cli_progress_wipe();
    fprintf(stderr, "%s: ", program_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void cli_error(const char *advice, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    if (advice) {
        fprintf(stderr, "  try: %s\n", advice);
    }
}

void cli_notice(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

enum cli_exit cli_usage(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    fprintf(stderr, "  try: %s --help\n", program_name);
    return CLI_EXIT_USAGE;
}

enum cli_exit cli_bad_option(char *const *argv) {
    if (optopt > 0 && optopt < 128) {
        return cli_usage("-%c: unknown option, or its value is missing",
                         optopt);
    }
    return cli_usage("%s: unknown option, or its value is missing",
                     argv[optind - 1]);
}

/* The factor of a unit as cli_parse_size() describes it, 0 for no unit. */
static uint64_t unit_factor(const char *unit) {
    static const char letters[] = "kmgt";

    if (*unit == '\0' || strcasecmp(unit, "bytes") == 0) {
        return 1;
    }
    if (strcmp(unit, "b") == 0 || strcasecmp(unit, "blocks") == 0) {
        return 2048;
    }
    const char *letter = strchr(letters, *unit | 0x20);

    if (!letter) {
        return 0;
    }
    bool binary = unit[1] == 'i' || unit[1] == 'I';
    const char *rest = unit + (binary ? 2 : 1);
    uint64_t factor = 1;

    if (*rest != '\0' && strcasecmp(rest, "b") != 0) {
        return 0;
    }
    for (const char *step = letters; step <= letter; step++) {
        factor *= binary ? 1024 : 1000;
    }
    return factor;
}

int cli_parse_size(const char *text, uint64_t *out_bytes) {
    char *unit;

    /* strtod would take "-1", "inf", "nan" and "0x10" as well. */
    if (*text < '0' || *text > '9' || (text[1] | 0x20) == 'x') {
        return -EINVAL;
    }
    double number = strtod(text, &unit);

    while (*unit == ' ') {
        unit++;
    }
    uint64_t factor = unit_factor(unit);

    if (factor == 0) {
        return -EINVAL;
    }
    double bytes = number * (double)factor;

    if (!(bytes < 9.2e18)) {
        return -ERANGE;
    }
    *out_bytes = (uint64_t)(bytes + 0.5);
    return 0;
}

int cli_parse_speed(const char *text, uint32_t *out_tenths) {
    char *rest;

    /* strtod would take signs, blanks and 0x10 */
    if (*text < '0' || *text > '9' ||
        (*text == '0' && (text[1] | 0x20) == 'x')) {
        return -EINVAL;
    }
    double speed = strtod(text, &rest);

    if ((*rest | 0x20) == 'x') {
        rest++;
    }
    if (*rest != '\0' || !(speed >= 0.1 && speed <= 1000)) {
        return -EINVAL;
    }
    *out_tenths = (uint32_t)(speed * 10 + 0.5);
    return 0;
}

const char *cli_size_text(uint64_t bytes, char *text, size_t text_bytes) {
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 999.95 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    snprintf(text, text_bytes, unit == 0 ? "%.0f %s" : "%.1f %s", value,
             units[unit]);
    return text;
}

static void note_interrupt(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

void cli_catch_interrupts(void) {
    /* SA_RESTART: a command on its way to the drive is not to be broken off,
     * the wait for the drive looks at cli_interrupted(). */
    struct sigaction action = {.sa_handler = note_interrupt,
                               .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void) {
    return interrupted != 0;
}

enum cli_exit cli_finish(enum cli_exit so_far) {
    if ((fflush(stdout) != 0 || ferror(stdout)) && so_far == CLI_EXIT_OK) {
        cli_error(NULL, "writing the output: %s", strerror(errno));
        return CLI_EXIT_FAILED;
    }
    return so_far;
}
